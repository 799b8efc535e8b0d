<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de">
<context>
    <name>AccuracyPage</name>
    <message>
        <source>Accuracy of {mask}</source>
        <translation>Genauigkeit von {mask}</translation>
    </message>
    <message>
        <source>Balanced accuracy</source>
        <translation>Ausgewogene Genauigkeit</translation>
    </message>
    <message>
        <source>Compared pixel by pixel with {reference}.</source>
        <translation>Pixel für Pixel mit {reference} verglichen.</translation>
    </message>
    <message>
        <source>Confusion matrix</source>
        <translation>Konfusionsmatrix</translation>
    </message>
    <message>
        <source>Everything outside of the reference's polygons counts as free of hazard.</source>
        <translation>Alles außerhalb der Referenzpolygone gilt als frei von Gefahr.</translation>
    </message>
    <message>
        <source>F1</source>
        <translation>F1</translation>
    </message>
    <message>
        <source>False alarm</source>
        <translation>Fehlalarm</translation>
    </message>
    <message>
        <source>Hit</source>
        <translation>Treffer</translation>
    </message>
    <message>
        <source>Intersection over union (IoU)</source>
        <translation>Schnitt durch Vereinigung (IoU)</translation>
    </message>
    <message>
        <source>Mask: hazard</source>
        <translation>Maske: Gefahr</translation>
    </message>
    <message>
        <source>Mask: none</source>
        <translation>Maske: keine</translation>
    </message>
    <message>
        <source>Miss</source>
        <translation>Übersehen</translation>
    </message>
    <message>
        <source>Pixels found rightly (true positive)</source>
        <translation>Richtig gefundene Pixel (richtig positiv)</translation>
    </message>
    <message>
        <source>Pixels found wrongly (false positive)</source>
        <translation>Falsch gefundene Pixel (falsch positiv)</translation>
    </message>
    <message>
        <source>Pixels left alone rightly (true negative)</source>
        <translation>Richtig in Ruhe gelassene Pixel (richtig negativ)</translation>
    </message>
    <message>
        <source>Pixels missed (false negative)</source>
        <translation>Übersehene Pixel (falsch negativ)</translation>
    </message>
    <message>
        <source>Pixels not assessed</source>
        <translation>Nicht beurteilte Pixel</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>Precision</translation>
    </message>
    <message>
        <source>Recall</source>
        <translation>Recall</translation>
    </message>
    <message>
        <source>Reference: hazard</source>
        <translation>Referenz: Gefahr</translation>
    </message>
    <message>
        <source>Reference: none</source>
        <translation>Referenz: keine</translation>
    </message>
    <message>
        <source>Rightly none</source>
        <translation>Zu Recht keine</translation>
    </message>
    <message>
        <source>mean of the shares of hazard found and of the rest left alone</source>
        <translation>Mittel aus den Anteilen der gefundenen Gefahr und des in Ruhe gelassenen Übrigen</translation>
    </message>
    <message>
        <source>not defined</source>
        <translation>nicht definiert</translation>
    </message>
    <message>
        <source>of the hazard, the share that the mask found</source>
        <translation>von der Gefahr der Anteil, den die Maske fand</translation>
    </message>
    <message>
        <source>of what either calls hazard, the share that both do</source>
        <translation>von dem, was eines von beiden Gefahr nennt, der Anteil, den beide so nennen</translation>
    </message>
    <message>
        <source>of what the mask calls hazard, the share that is</source>
        <translation>von dem, was die Maske Gefahr nennt, der Anteil, der es ist</translation>
    </message>
    <message>
        <source>one number for precision and recall</source>
        <translation>eine Zahl für Precision und Recall</translation>
    </message>
    <message>
        <source>{count} pixels</source>
        <translation>{count} Pixel</translation>
    </message>
    <message>
        <source>{count} pixels of the reference are not assessed by the mask and left out.</source>
        <translation>{count} Pixel der Referenz sind von der Maske nicht beurteilt und werden ausgelassen.</translation>
    </message>
</context>
<context>
    <name>AdaptToScene</name>
    <message>
        <source>Adapt to scene</source>
        <translation>An Szene anpassen</translation>
    </message>
    <message>
        <source>Cancelled; no model was saved.</source>
        <translation>Abgebrochen; kein Modell wurde gespeichert.</translation>
    </message>
    <message>
        <source>Device used</source>
        <translation>Verwendetes Gerät</translation>
    </message>
    <message>
        <source>Folder of the model</source>
        <translation>Ordner des Modells</translation>
    </message>
    <message>
        <source>Labelled chips to learn beside the scene (CSV: image, score, label, characteristics)</source>
        <translation>Beschriftete Bildausschnitte, die neben der Szene gelernt werden (CSV: Bild, Güte, Beschriftung, Merkmale)</translation>
    </message>
    <message>
        <source>Learn only inside these polygons</source>
        <translation>Nur innerhalb dieser Polygone lernen</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>Lernrate</translation>
    </message>
    <message>
        <source>Lets a model learn from an unlabelled scene and saves what changed as a model of its own.</source>
        <translation>Lässt ein Modell aus einer unbeschrifteten Szene lernen und speichert die Änderung als eigenes Modell.</translation>
    </message>
    <message>
        <source>Lets a model learn from an unlabelled scene before it maps it, in seconds to a minute, and says honestly whether that helped.

It learns inside the extent or the polygons, else from the whole scene. What it knows of place, day and sensor is found out; give DATE, LONGITUDE and LATITUDE, or SENSOR, where that is wrong.

With BEFORE, a scene of the same place from before the event on any grid, ground that did not change is evidence of where nothing is new; UNCHANGED_SHARE says how much of it there is.

The verdict is adapted, rolled_back (nothing tried was safely better) or abstained (the scene gives no footing). A model is saved in all three cases, so that scripts go on; unless adapted it maps as its parent does. The parent is never changed. Use the new model for this scene and others of the same event.

With a number of STEPS, the same seed and the same batch size give the same model on a CPU.

Expected errors are estimates without any labels: check the mask before anyone relies on it.</source>
        <translation>Lässt ein Modell vor dem Kartieren aus einer unbeschrifteten Szene lernen, in Sekunden bis zu einer Minute, und sagt ehrlich, ob das half.

Gelernt wird innerhalb der Ausdehnung oder der Polygone, sonst aus der ganzen Szene. Was von Ort, Tag und Sensor bekannt ist, wird ermittelt; geben Sie DATE, LONGITUDE und LATITUDE oder SENSOR an, wo das falsch ist.

Mit BEFORE, einer Szene desselben Orts von vor dem Ereignis auf beliebigem Gitter, belegt Boden, der sich nicht veränderte, wo nichts neu ist; UNCHANGED_SHARE sagt, wie viel davon es gibt.

Das Urteil ist adapted (angepasst), rolled_back (nichts Versuchtes war sicher besser) oder abstained (die Szene gibt keinen Halt). Gespeichert wird in allen drei Fällen ein Modell, damit Skripte weiterlaufen; außer bei adapted kartiert es wie sein Ausgangsmodell. Dieses wird nie verändert. Verwenden Sie das neue Modell für diese Szene und andere desselben Ereignisses.

Mit einer Zahl STEPS, demselben Startwert und derselben Stapelgröße entsteht auf einer CPU dasselbe Modell.

Erwartete Fehler sind Schätzungen ganz ohne Beschriftung: Prüfen Sie die Maske, bevor sich jemand darauf verlässt.</translation>
    </message>
    <message>
        <source>Name of the model</source>
        <translation>Name des Modells</translation>
    </message>
    <message>
        <source>Replace a model that exists</source>
        <translation>Ein vorhandenes Modell ersetzen</translation>
    </message>
    <message>
        <source>Seconds taken</source>
        <translation>Gebrauchte Sekunden</translation>
    </message>
    <message>
        <source>Steps done</source>
        <translation>Getane Schritte</translation>
    </message>
    <message>
        <source>Threshold of the model</source>
        <translation>Schwellenwert des Modells</translation>
    </message>
    <message>
        <source>Warnings</source>
        <translation>Warnungen</translation>
    </message>
    <message>
        <source>Windows a step (empty: 4)</source>
        <translation>Fenster je Schritt (leer: 4)</translation>
    </message>
    <message>
        <source>adapt,adaptation,learn,unlabelled,unsupervised,scene,hazard,flood,landslide,deep learning</source>
        <translation>anpassen,anpassung,lernen,unbeschriftet,unüberwacht,szene,gefahr,überflutung,rutschung,tiefes lernen</translation>
    </message>
</context>
<context>
    <name>Adaptation</name>
    <message>
        <source>A model '{name}' exists already; choose another name, or none for an automatic one.</source>
        <translation>Ein Modell „{name}“ gibt es schon; wählen Sie einen anderen Namen oder keinen, dann wird einer vergeben.</translation>
    </message>
    <message>
        <source>All that the adaptation tells, as JSON</source>
        <translation>Alles, was die Anpassung meldet, als JSON</translation>
    </message>
    <message>
        <source>Day of the scene (empty: found out)</source>
        <translation>Tag der Szene (leer: selbst ermittelt)</translation>
    </message>
    <message>
        <source>Expected error after</source>
        <translation>Erwarteter Fehler danach</translation>
    </message>
    <message>
        <source>Expected error before (lower is better)</source>
        <translation>Erwarteter Fehler vorher (niedriger ist besser)</translation>
    </message>
    <message>
        <source>Gradient steps (empty or 0: as many as the time allows)</source>
        <translation>Gradientenschritte (leer oder 0: so viele, wie die Zeit erlaubt)</translation>
    </message>
    <message>
        <source>Hazard area after, in m²</source>
        <translation>Gefahrenfläche danach, in m²</translation>
    </message>
    <message>
        <source>Hazard area before, in m², where it learnt</source>
        <translation>Gefahrenfläche vorher, in m², wo gelernt wurde</translation>
    </message>
    <message>
        <source>How to adapt</source>
        <translation>Wie angepasst wird</translation>
    </message>
    <message>
        <source>Lambda: weight of telling natural from artificial (backward mapping)</source>
        <translation>Lambda: Gewicht der Unterscheidung von natürlich und künstlich (Rückabbildung)</translation>
    </message>
    <message>
        <source>Latitude in degrees (empty: from the scene)</source>
        <translation>Breite in Grad (leer: aus der Szene)</translation>
    </message>
    <message>
        <source>Longitude in degrees (empty: from the scene)</source>
        <translation>Länge in Grad (leer: aus der Szene)</translation>
    </message>
    <message>
        <source>Mu: weight of the scene's characteristics</source>
        <translation>Mu: Gewicht der Merkmale der Szene</translation>
    </message>
    <message>
        <source>Name of the adapted model (empty: automatic)</source>
        <translation>Name des angepassten Modells (leer: automatisch)</translation>
    </message>
    <message>
        <source>Seconds that the adaptation may take</source>
        <translation>Sekunden, die die Anpassung dauern darf</translation>
    </message>
    <message>
        <source>Seed of the adaptation</source>
        <translation>Startwert der Anpassung</translation>
    </message>
    <message>
        <source>Share of the scene's own statistics (0 to 1)</source>
        <translation>Anteil der eigenen Statistik der Szene (0 bis 1)</translation>
    </message>
    <message>
        <source>Share that did not change since the scene before (0 to 1; empty: not compared)</source>
        <translation>Anteil, der sich seit der früheren Szene nicht veränderte (0 bis 1; leer: nicht verglichen)</translation>
    </message>
    <message>
        <source>Verdict (adapted, rolled_back or abstained; empty without adaptation)</source>
        <translation>Urteil (adapted, rolled_back oder abstained; leer ohne Anpassung)</translation>
    </message>
    <message>
        <source>Why, in words</source>
        <translation>Warum, in Worten</translation>
    </message>
    <message>
        <source>a given number can be repeated exactly</source>
        <translation>mit fester Zahl genau wiederholbar</translation>
    </message>
    <message>
        <source>letters, digits, - and _, or the path of a folder; made of model, hazard, scene and day when empty</source>
        <translation>Buchstaben, Ziffern, - und _, oder der Pfad eines Ordners; ohne Angabe aus Modell, Gefahr, Szene und Tag gebildet</translation>
    </message>
    <message>
        <source>year, month and day, for example 2025-05-28</source>
        <translation>Jahr, Monat und Tag, zum Beispiel 2025-05-28</translation>
    </message>
</context>
<context>
    <name>AdaptationChoice</name>
    <message>
        <source>'{text}' is no {what}; type degrees, for example 12.34, or nothing.</source>
        <translation>„{text}“ ist kein Wert für {what}; geben Sie Grad ein, zum Beispiel 12.34, oder nichts.</translation>
    </message>
    <message>
        <source>Also add the mask and probability before adapting, and the change in percentage points</source>
        <translation>Auch Maske und Wahrscheinlichkeit vor der Anpassung hinzufügen, und die Änderung in Prozentpunkten</translation>
    </message>
    <message>
        <source>Compare with the source model</source>
        <translation>Mit dem Ausgangsmodell vergleichen</translation>
    </message>
    <message>
        <source>Correct the sensor under Bands and units; the link opens it</source>
        <translation>Berichtigen Sie den Sensor unter Kanäle und Einheiten; der Verweis öffnet sie</translation>
    </message>
    <message>
        <source>Day</source>
        <translation>Tag</translation>
    </message>
    <message>
        <source>Degrees east; type only where this is wrong</source>
        <translation>Grad Ost; nur eintippen, wo dies falsch ist</translation>
    </message>
    <message>
        <source>Degrees east; type only where what is shown is wrong</source>
        <translation>Grad Ost; nur eintippen, wo das Gezeigte falsch ist</translation>
    </message>
    <message>
        <source>Degrees north; type only where this is wrong</source>
        <translation>Grad Nord; nur eintippen, wo dies falsch ist</translation>
    </message>
    <message>
        <source>Degrees north; type only where what is shown is wrong</source>
        <translation>Grad Nord; nur eintippen, wo das Gezeigte falsch ist</translation>
    </message>
    <message>
        <source>Found out: {text}. {how}</source>
        <translation>Ermittelt: {text}. {how}</translation>
    </message>
    <message>
        <source>Gradient steps; a given number can be repeated</source>
        <translation>Gradientenschritte; mit fester Zahl wiederholbar</translation>
    </message>
    <message>
        <source>How adapting works</source>
        <translation>Wie das Anpassen geht</translation>
    </message>
    <message>
        <source>Lambda</source>
        <translation>Lambda</translation>
    </message>
    <message>
        <source>Latitude</source>
        <translation>Breite</translation>
    </message>
    <message>
        <source>Let the model learn from the chosen area, without labels, before it maps it; says if that helped</source>
        <translation>Das Modell vor dem Kartieren ohne Beschriftung aus dem gewählten Bereich lernen lassen; sagt, ob das half</translation>
    </message>
    <message>
        <source>Letters, digits, - and _; an adapted model is saved</source>
        <translation>Buchstaben, Ziffern, - und _; ein angepasstes Modell wird gespeichert</translation>
    </message>
    <message>
        <source>Longitude</source>
        <translation>Länge</translation>
    </message>
    <message>
        <source>Mode</source>
        <translation>Weise</translation>
    </message>
    <message>
        <source>Mu</source>
        <translation>Mu</translation>
    </message>
    <message>
        <source>Same seed, steps and windows: same model on a CPU</source>
        <translation>Gleicher Startwert, gleiche Schritte und Fenster: gleiches Modell auf einer CPU</translation>
    </message>
    <message>
        <source>Save as</source>
        <translation>Speichern als</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Startwert</translation>
    </message>
    <message>
        <source>Sensor</source>
        <translation>Sensor</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Schritte</translation>
    </message>
    <message>
        <source>This model is adapted already; choose its parent '{parent}' to adapt anew.</source>
        <translation>Dieses Modell ist schon angepasst; wählen Sie sein Ausgangsmodell „{parent}“, um neu anzupassen.</translation>
    </message>
    <message>
        <source>Weight of place, day and sensor of the scene</source>
        <translation>Gewicht von Ort, Tag und Sensor der Szene</translation>
    </message>
    <message>
        <source>Weight of telling natural from artificial ground</source>
        <translation>Gewicht der Unterscheidung von natürlichem und künstlichem Boden</translation>
    </message>
    <message>
        <source>What adapting does, and what its verdicts mean</source>
        <translation>Was das Anpassen tut und was seine Urteile bedeuten</translation>
    </message>
    <message>
        <source>Year, month and day, as in 2024-09-16; may stay unknown</source>
        <translation>Jahr, Monat und Tag, wie 2024-09-16; darf unbekannt bleiben</translation>
    </message>
    <message>
        <source>Year, month and day, as in 2024-09-16; type only where this is wrong</source>
        <translation>Jahr, Monat und Tag, wie 2024-09-16; nur eintippen, wo dies falsch ist</translation>
    </message>
    <message>
        <source>as time allows</source>
        <translation>wie die Zeit erlaubt</translation>
    </message>
    <message>
        <source>automatic</source>
        <translation>automatisch</translation>
    </message>
    <message>
        <source>layer</source>
        <translation>Layer</translation>
    </message>
</context>
<context>
    <name>AdaptationCurves</name>
    <message>
        <source>(step {step:.0f})</source>
        <translation>(Schritt {step:.0f})</translation>
    </message>
    <message>
        <source>Copy values</source>
        <translation>Werte kopieren</translation>
    </message>
    <message>
        <source>Curves of the adaptation</source>
        <translation>Kurven der Anpassung</translation>
    </message>
    <message>
        <source>Curves of the training run</source>
        <translation>Kurven des Trainings</translation>
    </message>
    <message>
        <source>Expected error</source>
        <translation>Erwarteter Fehler</translation>
    </message>
    <message>
        <source>Forward, backward and auxiliary loss, and the expected error, while a model adapts</source>
        <translation>Vorwärts-, Rückwärts- und Hilfsverlust und der erwartete Fehler, während sich ein Modell anpasst</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>Verlust</translation>
    </message>
    <message>
        <source>Losses and validation scores are drawn here while a model is trained</source>
        <translation>Verluste und Güten der Validierung werden hier gezeichnet, während ein Modell trainiert wird</translation>
    </message>
    <message>
        <source>Step {step:.0f}</source>
        <translation>Schritt {step:.0f}</translation>
    </message>
    <message>
        <source>Validation score</source>
        <translation>Güte der Validierung</translation>
    </message>
    <message>
        <source>drawn after each validation</source>
        <translation>nach jeder Validierung gezeichnet</translation>
    </message>
    <message>
        <source>drawn while a model adapts</source>
        <translation>gezeichnet, während sich ein Modell anpasst</translation>
    </message>
    <message>
        <source>drawn while a model is trained</source>
        <translation>gezeichnet, während ein Modell trainiert wird</translation>
    </message>
    <message>
        <source>lower is better</source>
        <translation>niedriger ist besser</translation>
    </message>
    <message>
        <source>step 0</source>
        <translation>Schritt 0</translation>
    </message>
</context>
<context>
    <name>AdaptationModes</name>
    <message>
        <source>adversarial</source>
        <translation>gegnerisch</translation>
    </message>
    <message>
        <source>constraint</source>
        <translation>Nebenbedingung</translation>
    </message>
    <message>
        <source>learns features by which natural and artificial ground are hard to tell apart</source>
        <translation>lernt Merkmale, an denen natürlicher und künstlicher Boden schwer zu unterscheiden sind</translation>
    </message>
    <message>
        <source>learns nothing by gradients, only the scene's statistics and the threshold; quickest</source>
        <translation>lernt nichts durch Gradienten, nur die Statistik der Szene und den Schwellenwert; am schnellsten</translation>
    </message>
    <message>
        <source>literal</source>
        <translation>wörtlich</translation>
    </message>
    <message>
        <source>recommended: learns hazards from the scene's own confident pixels while it must still tell natural from artificial ground as before</source>
        <translation>empfohlen: lernt Gefahren aus den sicheren Pixeln der Szene selbst, während es natürlichen und künstlichen Boden weiterhin unterscheiden muss wie zuvor</translation>
    </message>
    <message>
        <source>rewards mistaking natural for artificial ground, as the paper's formula reads; limited, unstable</source>
        <translation>belohnt es, natürlichen und künstlichen Boden zu verwechseln, wie die Formel des Artikels lautet; begrenzt, instabil</translation>
    </message>
    <message>
        <source>statistics only</source>
        <translation>nur Statistik</translation>
    </message>
</context>
<context>
    <name>AdaptationReport</name>
    <message>
        <source>Abstained</source>
        <translation>Unterlassen</translation>
    </message>
    <message>
        <source>Adaptation: {name}</source>
        <translation>Anpassung: {name}</translation>
    </message>
    <message>
        <source>Adapted</source>
        <translation>Angepasst</translation>
    </message>
    <message>
        <source>Alpha</source>
        <translation>Alpha</translation>
    </message>
    <message>
        <source>Area</source>
        <translation>Bereich</translation>
    </message>
    <message>
        <source>Day</source>
        <translation>Tag</translation>
    </message>
    <message>
        <source>Day of the scene before</source>
        <translation>Tag der früheren Szene</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Hazard</source>
        <translation>Gefahr</translation>
    </message>
    <message>
        <source>Known of the scene</source>
        <translation>Von der Szene bekannt</translation>
    </message>
    <message>
        <source>Lambda</source>
        <translation>Lambda</translation>
    </message>
    <message>
        <source>Latitude</source>
        <translation>Breite</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>Lernrate</translation>
    </message>
    <message>
        <source>Longitude</source>
        <translation>Länge</translation>
    </message>
    <message>
        <source>Mode</source>
        <translation>Weise</translation>
    </message>
    <message>
        <source>Mu</source>
        <translation>Mu</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>Proxy</source>
        <translation>Schätzwert</translation>
    </message>
    <message>
        <source>Rolled back</source>
        <translation>Zurückgenommen</translation>
    </message>
    <message>
        <source>Scene</source>
        <translation>Szene</translation>
    </message>
    <message>
        <source>Scene before</source>
        <translation>Frühere Szene</translation>
    </message>
    <message>
        <source>Seconds taken</source>
        <translation>Gebrauchte Sekunden</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Startwert</translation>
    </message>
    <message>
        <source>Sensor</source>
        <translation>Sensor</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Stage</source>
        <translation>Stufe</translation>
    </message>
    <message>
        <source>Stages tried</source>
        <translation>Versuchte Stufen</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Schritte</translation>
    </message>
    <message>
        <source>The proxy is the error to expect, estimated without labels: lower is better.</source>
        <translation>Der Schätzwert ist der zu erwartende Fehler, ohne Beschriftung geschätzt: Niedriger ist besser.</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>Schwellenwert</translation>
    </message>
    <message>
        <source>Time budget in seconds</source>
        <translation>Zeit in Sekunden</translation>
    </message>
    <message>
        <source>Windows a step</source>
        <translation>Fenster je Schritt</translation>
    </message>
    <message>
        <source>better</source>
        <translation>besser</translation>
    </message>
    <message>
        <source>not better</source>
        <translation>nicht besser</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>nicht bekannt</translation>
    </message>
</context>
<context>
    <name>AdaptationRun</name>
    <message>
        <source>&amp;Discard</source>
        <translation>&amp;Verwerfen</translation>
    </message>
    <message>
        <source>&amp;Go on</source>
        <translation>&amp;Weiter</translation>
    </message>
    <message>
        <source>&amp;Keep the best so far</source>
        <translation>&amp;Bisher Bestes behalten</translation>
    </message>
    <message>
        <source>Hazard Mapper</source>
        <translation>Hazard Mapper</translation>
    </message>
    <message>
        <source>Keep the best so far and map with it, or stop and write nothing?</source>
        <translation>Das bisher Beste behalten und damit kartieren, oder aufhören und nichts schreiben?</translation>
    </message>
    <message>
        <source>The model is adapting to the scene.</source>
        <translation>Das Modell passt sich an die Szene an.</translation>
    </message>
</context>
<context>
    <name>AdaptationWords</name>
    <message>
        <source>Ground that did not change since {since} ({percent} % of the view) was used: nothing is new there.</source>
        <translation>Boden, der sich seit {since} nicht veränderte ({percent} % des Ausschnitts), wurde verwendet: Dort ist nichts neu.</translation>
    </message>
    <message>
        <source>No ground was found that did not change since {since}, so it could not help.</source>
        <translation>Es fand sich kein Boden, der sich seit {since} nicht veränderte; er konnte also nicht helfen.</translation>
    </message>
    <message>
        <source>less than 1</source>
        <translation>weniger als 1</translation>
    </message>
    <message>
        <source>the scene before</source>
        <translation>der früheren Szene</translation>
    </message>
</context>
<context>
    <name>AlgorithmTask</name>
    <message>
        <source>The run failed; see the log panel.</source>
        <translation>Der Lauf schlug fehl; siehe Protokollfenster.</translation>
    </message>
</context>
<context>
    <name>ApplyThreshold</name>
    <message>
        <source>Apply threshold</source>
        <translation>Schwellenwert anwenden</translation>
    </message>
    <message>
        <source>Area of water on both dates in m²</source>
        <translation>Fläche mit Wasser an beiden Tagen in m²</translation>
    </message>
    <message>
        <source>Cuts a mask from a probability at another threshold, without running the model again.</source>
        <translation>Schneidet aus einer Wahrscheinlichkeit eine Maske mit anderem Schwellenwert, ohne das Modell erneut laufen zu lassen.</translation>
    </message>
    <message>
        <source>Hazard area in m²</source>
        <translation>Gefahrenfläche in m²</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>Mask of the run (new floods)</source>
        <translation>Maske des Laufs (neue Überflutungen)</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Share of the scene assessed (0 to 1)</source>
        <translation>Beurteilter Anteil der Szene (0 bis 1)</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>Schwellenwert</translation>
    </message>
    <message>
        <source>Water on both dates is not told apart without the run's mask; give it as RUN_MASK to keep it.</source>
        <translation>Wasser an beiden Tagen wird ohne die Maske des Laufs nicht unterschieden; geben Sie sie als RUN_MASK an, um es zu behalten.</translation>
    </message>
    <message>
        <source>Water on both dates, by the run's own threshold: {area:.4f} km², a class of its own (2).</source>
        <translation>Wasser an beiden Tagen, nach dem Schwellenwert des Laufs: {area:.4f} km², eine eigene Klasse (2).</translation>
    </message>
    <message>
        <source>Writes a mask (0 none, 1 hazard, 255 not assessed) from a probability that Segment hazard wrote. A lower threshold marks more, a higher one less.

The probability is stored in whole per cent: at the very threshold of the run, pixels within half a per cent of it may fall on the other side than in the run's own mask.

The probability of a new flood does not tell water on both dates (2) apart. With RUN_MASK, the mask that the same run wrote, its water on both dates is kept wherever the threshold does not call it new. That stays approximate: it is the water of the run's own threshold. Segment again with THRESHOLD for an exact one.</source>
        <translation>Schreibt eine Maske (0 keine, 1 Gefahr, 255 nicht beurteilt) aus einer Wahrscheinlichkeit, die Gefahr segmentieren geschrieben hat. Ein niedrigerer Schwellenwert markiert mehr, ein höherer weniger.

Die Wahrscheinlichkeit ist in ganzen Prozent gespeichert: Genau beim Schwellenwert des Laufs können Pixel, die höchstens ein halbes Prozent davon entfernt sind, auf die andere Seite fallen als in der Maske des Laufs.

Die Wahrscheinlichkeit einer neuen Überflutung unterscheidet Wasser an beiden Tagen (2) nicht. Mit RUN_MASK, der Maske, die derselbe Lauf geschrieben hat, bleibt deren Wasser an beiden Tagen überall, wo der Schwellenwert es nicht neu nennt. Das bleibt eine Näherung: Es ist das Wasser nach dem Schwellenwert des Laufs. Segmentieren Sie für ein genaues Ergebnis mit THRESHOLD erneut.</translation>
    </message>
    <message>
        <source>as the run wrote it beside the probability: its water on both dates is kept</source>
        <translation>wie der Lauf sie neben der Wahrscheinlichkeit geschrieben hat: ihr Wasser an beiden Tagen bleibt erhalten</translation>
    </message>
    <message>
        <source>between 0 and 1; pixels of at least this probability are hazard</source>
        <translation>zwischen 0 und 1; Pixel mit mindestens dieser Wahrscheinlichkeit sind Gefahr</translation>
    </message>
    <message>
        <source>threshold,cut,probability,mask,binarise,reclassify</source>
        <translation>schwellenwert,schnitt,wahrscheinlichkeit,maske,binär,reklassifizieren</translation>
    </message>
</context>
<context>
    <name>Area</name>
    <message>
        <source>'{name}' has no polygon to use; select or draw one, or choose another area.</source>
        <translation>„{name}“ hat kein brauchbares Polygon; wählen oder zeichnen Sie eines oder nehmen Sie einen anderen Bereich.</translation>
    </message>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>The polygons cannot be expressed in the scene's CRS ({error}); reproject them first.</source>
        <translation>Die Polygone lassen sich im KBS der Szene nicht ausdrücken ({error}); projizieren Sie sie zuerst um.</translation>
    </message>
    <message>
        <source>The polygons cannot be handed to the engine ({error}).</source>
        <translation>Die Polygone lassen sich dem Rechenkern nicht übergeben ({error}).</translation>
    </message>
</context>
<context>
    <name>AreaChoice</name>
    <message>
        <source>Polygons of a layer</source>
        <translation>Polygone eines Layers</translation>
    </message>
    <message>
        <source>Selected features only ({count})</source>
        <translation>Nur gewählte Objekte ({count})</translation>
    </message>
    <message>
        <source>The project has no polygon layer; add one or choose another area.</source>
        <translation>Das Projekt hat keinen Polygonlayer; fügen Sie einen hinzu oder wählen Sie einen anderen Bereich.</translation>
    </message>
    <message>
        <source>Visible extent</source>
        <translation>Sichtbare Ausdehnung</translation>
    </message>
    <message>
        <source>Whole layer</source>
        <translation>Ganzer Layer</translation>
    </message>
</context>
<context>
    <name>BandsWidget</name>
    <message>
        <source>Find out again</source>
        <translation>Neu ermitteln</translation>
    </message>
    <message>
        <source>Forget corrections and use what the scene itself says</source>
        <translation>Berichtigungen vergessen und nehmen, was die Szene selbst sagt</translation>
    </message>
    <message>
        <source>Ground length of a pixel, where the layer's CRS does not say it</source>
        <translation>Länge eines Pixels am Boden, wo das KBS des Layers sie nicht nennt</translation>
    </message>
    <message>
        <source>Pixel</source>
        <translation>Pixel</translation>
    </message>
    <message>
        <source>Sensor</source>
        <translation>Sensor</translation>
    </message>
    <message>
        <source>Sensor whose band order and units apply</source>
        <translation>Sensor, dessen Kanalfolge und Einheiten gelten</translation>
    </message>
    <message>
        <source>Units</source>
        <translation>Einheiten</translation>
    </message>
    <message>
        <source>What the pixel values mean</source>
        <translation>Was die Pixelwerte bedeuten</translation>
    </message>
    <message>
        <source>What this band is used as</source>
        <translation>Wozu dieser Kanal dient</translation>
    </message>
    <message>
        <source>found out</source>
        <translation>selbst ermittelt</translation>
    </message>
    <message>
        <source>found out: {sensor}</source>
        <translation>ermittelt: {sensor}</translation>
    </message>
    <message>
        <source>found out: {units}</source>
        <translation>ermittelt: {units}</translation>
    </message>
    <message>
        <source>from the layer</source>
        <translation>aus dem Layer</translation>
    </message>
    <message>
        <source>not used</source>
        <translation>nicht verwendet</translation>
    </message>
    <message>
        <source>{count} further bands are not used.</source>
        <translation>{count} weitere Kanäle werden nicht verwendet.</translation>
    </message>
    <message>
        <source>{gsd:.4g} m, from the layer</source>
        <translation>{gsd:.4g} m, aus dem Layer</translation>
    </message>
</context>
<context>
    <name>BeforeChoice</name>
    <message>
        <source>Maps what is new since then; its date is not known.</source>
        <translation>Kartiert, was seither neu ist; ihr Datum ist nicht bekannt.</translation>
    </message>
    <message>
        <source>Maps what is new since {date}, {days} days before.</source>
        <translation>Kartiert, was seit dem {date} neu ist, {days} Tage davor.</translation>
    </message>
    <message>
        <source>Maps what is new since {date}.</source>
        <translation>Kartiert, was seit dem {date} neu ist.</translation>
    </message>
    <message>
        <source>none (optional)</source>
        <translation>keine (freiwillig)</translation>
    </message>
    <message>
        <source>{name} (day not known)</source>
        <translation>{name} (Tag nicht bekannt)</translation>
    </message>
</context>
<context>
    <name>CardForm</name>
    <message>
        <source>&amp;Architecture</source>
        <translation>&amp;Architektur</translation>
    </message>
    <message>
        <source>&amp;Bands</source>
        <translation>&amp;Kanäle</translation>
    </message>
    <message>
        <source>&amp;Description</source>
        <translation>Beschreib&amp;ung</translation>
    </message>
    <message>
        <source>&amp;Encoder</source>
        <translation>&amp;Encoder</translation>
    </message>
    <message>
        <source>&amp;Hazards</source>
        <translation>&amp;Gefahren</translation>
    </message>
    <message>
        <source>&amp;Licence</source>
        <translation>Li&amp;zenz</translation>
    </message>
    <message>
        <source>&amp;Means</source>
        <translation>&amp;Mittelwerte</translation>
    </message>
    <message>
        <source>&amp;Name</source>
        <translation>&amp;Name</translation>
    </message>
    <message>
        <source>&amp;Output</source>
        <translation>Ausga&amp;be</translation>
    </message>
    <message>
        <source>&amp;Title</source>
        <translation>&amp;Titel</translation>
    </message>
    <message>
        <source>&amp;Values</source>
        <translation>We&amp;rte</translation>
    </message>
    <message>
        <source>&amp;Weights</source>
        <translation>Gew&amp;ichte</translation>
    </message>
    <message>
        <source>A safetensors file; pickles (.pt, .pth, .ckpt) are never opened</source>
        <translation>Eine safetensors-Datei; Pickle-Dateien (.pt, .pth, .ckpt) werden nie geöffnet</translation>
    </message>
    <message>
        <source>As the library names it, for example resnet34</source>
        <translation>Wie die Bibliothek ihn nennt, zum Beispiel resnet34</translation>
    </message>
    <message>
        <source>Build the network, compare every weight's shape, and install both if they fit</source>
        <translation>Das Netz aufbauen, die Form jedes Gewichts vergleichen und beides installieren, wenn es passt</translation>
    </message>
    <message>
        <source>Building the network and comparing it with the weights…</source>
        <translation>Das Netz wird aufgebaut und mit den Gewichten verglichen…</translation>
    </message>
    <message>
        <source>Check and install</source>
        <translation>Prüfen und installieren</translation>
    </message>
    <message>
        <source>Choose the file of the weights.</source>
        <translation>Wählen Sie die Datei mit den Gewichten.</translation>
    </message>
    <message>
        <source>Coarse to fine; found out from the weights when empty</source>
        <translation>Grob bis fein; ohne Angabe aus den Gewichten ermittelt</translation>
    </message>
    <message>
        <source>Coarsest metres a pixel</source>
        <translation>Gröbste Meter je Pixel</translation>
    </message>
    <message>
        <source>Decision thresholds, one a hazard; 0.5 when empty</source>
        <translation>Entscheidungsschwellen, eine je Gefahr; ohne Angabe 0.5</translation>
    </message>
    <message>
        <source>Decoder &amp;channels</source>
        <translation>De&amp;coder-Kanäle</translation>
    </message>
    <message>
        <source>Deviation&amp;s</source>
        <translation>&amp;Standardabweichungen</translation>
    </message>
    <message>
        <source>Divided by afterwards, one a band, separated by commas; empty for none</source>
        <translation>Danach hierdurch geteilt, eine je Kanal, durch Kommas getrennt; leer für keine</translation>
    </message>
    <message>
        <source>Finest metres a pixel</source>
        <translation>Feinste Meter je Pixel</translation>
    </message>
    <message>
        <source>For a U-Net or U-Net++ of segmentation-models-pytorch that others trained, saved as safetensors. Their paper, code or page tells what is asked here; the engine checks that it fits.</source>
        <translation>Für ein U-Net oder U-Net++ von segmentation-models-pytorch, das andere trainiert und als safetensors gespeichert haben. Ihr Artikel, Code oder ihre Seite sagt, was hier gefragt ist; der Rechenkern prüft, ob es passt.</translation>
    </message>
    <message>
        <source>Give the model a name.</source>
        <translation>Geben Sie dem Modell einen Namen.</translation>
    </message>
    <message>
        <source>How outputs become probabilities</source>
        <translation>Wie aus Ausgaben Wahrscheinlichkeiten werden</translation>
    </message>
    <message>
        <source>How pixel values were scaled before they reached the network</source>
        <translation>Wie Pixelwerte skaliert wurden, bevor sie ins Netz kamen</translation>
    </message>
    <message>
        <source>Metres a &amp;pixel</source>
        <translation>Meter je Pi&amp;xel</translation>
    </message>
    <message>
        <source>Name the encoder.</source>
        <translation>Nennen Sie den Encoder.</translation>
    </message>
    <message>
        <source>Say under which licence the weights may be used.</source>
        <translation>Sagen Sie, unter welcher Lizenz die Gewichte verwendet werden dürfen.</translation>
    </message>
    <message>
        <source>Scenes finer or coarser are resampled to this range</source>
        <translation>Feinere oder gröbere Szenen werden auf diesen Bereich umgerechnet</translation>
    </message>
    <message>
        <source>Subtracted after scaling, one a band, separated by commas; empty for none</source>
        <translation>Nach dem Skalieren abgezogen, einer je Kanal, durch Kommas getrennt; leer für keine</translation>
    </message>
    <message>
        <source>Th&amp;resholds</source>
        <translation>Schwe&amp;llenwerte</translation>
    </message>
    <message>
        <source>The kind of network</source>
        <translation>Die Art des Netzes</translation>
    </message>
    <message>
        <source>Under which the weights may be used; their makers tell</source>
        <translation>Unter welcher die Gewichte verwendet werden dürfen; ihre Urheber sagen es</translation>
    </message>
    <message>
        <source>Weights (*.safetensors)</source>
        <translation>Gewichte (*.safetensors)</translation>
    </message>
    <message>
        <source>Weights without a card</source>
        <translation>Gewichte ohne Steckbrief</translation>
    </message>
    <message>
        <source>What lists show; the name when empty</source>
        <translation>Was Listen zeigen; ohne Angabe der Name</translation>
    </message>
    <message>
        <source>What the model is called here: letters, digits, - and _</source>
        <translation>Wie das Modell hier heißt: Buchstaben, Ziffern, - und _</translation>
    </message>
    <message>
        <source>What the model is for, where it is from, whom to cite</source>
        <translation>Wofür das Modell ist, woher es stammt, wen man nennt</translation>
    </message>
    <message>
        <source>What the network takes, in this order; slots: {slots}</source>
        <translation>Was das Netz nimmt, in dieser Reihenfolge; Rollen: {slots}</translation>
    </message>
    <message>
        <source>What the outputs show, in their order, separated by commas</source>
        <translation>Was die Ausgaben zeigen, der Reihe nach, durch Kommas getrennt</translation>
    </message>
    <message>
        <source>decibels (radar)</source>
        <translation>Dezibel (Radar)</translation>
    </message>
    <message>
        <source>one output a hazard (sigmoid)</source>
        <translation>eine Ausgabe je Gefahr (Sigmoid)</translation>
    </message>
    <message>
        <source>stretched to -1 … 1 (from the scene's 2 % to its 98 %)</source>
        <translation>gestreckt auf -1 … 1 (von den 2 % der Szene bis zu ihren 98 %)</translation>
    </message>
    <message>
        <source>stretched to 0 … 1 (from the scene's 2 % to its 98 %)</source>
        <translation>gestreckt auf 0 … 1 (von den 2 % der Szene bis zu ihren 98 %)</translation>
    </message>
    <message>
        <source>to</source>
        <translation>bis</translation>
    </message>
    <message>
        <source>two outputs: none, hazard (softmax)</source>
        <translation>zwei Ausgaben: keine, Gefahr (Softmax)</translation>
    </message>
</context>
<context>
    <name>CompareMasks</name>
    <message>
        <source>Both masks are the same file; choose masks of two dates.</source>
        <translation>Beide Masken sind dieselbe Datei; wählen Sie Masken von zwei Tagen.</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Änderung</translation>
    </message>
    <message>
        <source>Compare masks of two dates</source>
        <translation>Masken zweier Tage vergleichen</translation>
    </message>
    <message>
        <source>Compares an earlier mask with a later one and writes 0 none, 1 gained, 2 lost, 3 unchanged hazard, 255 where either is not assessed: there nothing is said of change.

The earlier mask may have another grid, CRS or resolution: it is read under the centres of the later one's pixels. Permanent water and what slope ruled out count as no hazard.

It warns where the masks show other hazards, come from other models or thresholds, or seem to be swapped: part of the change is then not on the ground.</source>
        <translation>Vergleicht eine frühere Maske mit einer späteren und schreibt 0 keine, 1 gewonnene, 2 verlorene, 3 unveränderte Gefahr, 255, wo eine von beiden nicht beurteilt ist: Dort wird über Änderung nichts gesagt.

Die frühere Maske darf ein anderes Gitter, KBS oder eine andere Auflösung haben: Gelesen wird sie unter den Mitten der Pixel der späteren. Ständiges Wasser und was der Hang ausschloss, gelten als keine Gefahr.

Es wird gewarnt, wenn die Masken andere Gefahren zeigen, von anderen Modellen oder Schwellenwerten stammen oder vertauscht scheinen: Ein Teil der Änderung ist dann nicht am Boden geschehen.</translation>
    </message>
    <message>
        <source>Earlier mask</source>
        <translation>Frühere Maske</translation>
    </message>
    <message>
        <source>Gained {gained:.3f} km², lost {lost:.3f} km², unchanged {same:.3f} km², {share:.1%} assessed.</source>
        <translation>Gewonnen {gained:.3f} km², verloren {lost:.3f} km², unverändert {same:.3f} km², {share:.1%} beurteilt.</translation>
    </message>
    <message>
        <source>Hazard gained in m²</source>
        <translation>Gewonnene Gefahr in m²</translation>
    </message>
    <message>
        <source>Hazard lost in m²</source>
        <translation>Verlorene Gefahr in m²</translation>
    </message>
    <message>
        <source>Hazard unchanged in m²</source>
        <translation>Unveränderte Gefahr in m²</translation>
    </message>
    <message>
        <source>Later mask</source>
        <translation>Spätere Maske</translation>
    </message>
    <message>
        <source>Not assessed at both dates in m²</source>
        <translation>Nicht an beiden Tagen beurteilt in m²</translation>
    </message>
    <message>
        <source>Share of the later mask assessed at both dates (0 to 1)</source>
        <translation>An beiden Tagen beurteilter Anteil der späteren Maske (0 bis 1)</translation>
    </message>
    <message>
        <source>Tells hazard gained, lost and unchanged between two masks, as a layer and as areas.</source>
        <translation>Nennt gewonnene, verlorene und unveränderte Gefahr zwischen zwei Masken, als Layer und als Flächen.</translation>
    </message>
    <message>
        <source>Warnings</source>
        <translation>Warnungen</translation>
    </message>
    <message>
        <source>change,before,after,difference,gained,lost,dates,recession,growth</source>
        <translation>änderung,vorher,nachher,differenz,gewonnen,verloren,daten,rückgang,wachstum</translation>
    </message>
    <message>
        <source>its grid is that of the output</source>
        <translation>ihr Gitter ist das der Ausgabe</translation>
    </message>
    <message>
        <source>{hazard} gained and lost - {scene}</source>
        <translation>{hazard}, gewonnen und verloren - {scene}</translation>
    </message>
</context>
<context>
    <name>Comparison</name>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>The difference '{path}' cannot be written; check the folder and the free disk space.</source>
        <translation>Die Differenz „{path}“ kann nicht geschrieben werden; prüfen Sie den Ordner und den freien Speicherplatz.</translation>
    </message>
</context>
<context>
    <name>CorrectMask</name>
    <message>
        <source>Added by hand in m²</source>
        <translation>Von Hand hinzugefügt in m²</translation>
    </message>
    <message>
        <source>Brings polygons drawn and removed by hand into the mask, so that all figures follow them.</source>
        <translation>Überträgt von Hand gezeichnete und entfernte Polygone in die Maske, damit alle Zahlen ihnen folgen.</translation>
    </message>
    <message>
        <source>Correct mask</source>
        <translation>Maske korrigieren</translation>
    </message>
    <message>
        <source>Corrected mask</source>
        <translation>Korrigierte Maske</translation>
    </message>
    <message>
        <source>Corrected polygons</source>
        <translation>Korrigierte Polygone</translation>
    </message>
    <message>
        <source>Hazard area in m²</source>
        <translation>Gefahrenfläche in m²</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>Polygons traced from a mask can be corrected with QGIS's own tools: what is drawn or redrawn gets the origin manual, what is deleted is kept as removed. This algorithm writes a mask that follows: pixels whose centre lies in a manual polygon become hazard, also where the model could not assess them; those in a removed polygon, and in no manual one, become no hazard.

Exposure, change, series, accuracy check, map sheet and report then count what was corrected.</source>
        <translation>Polygone, die aus einer Maske nachgezeichnet sind, lassen sich mit den Werkzeugen von QGIS korrigieren: Was gezeichnet oder neu gezeichnet wird, bekommt die Herkunft manual, was gelöscht wird, bleibt als removed vermerkt. Dieser Algorithmus schreibt eine Maske, die dem folgt: Pixel, deren Mitte in einem Polygon der Art manual liegt, werden Gefahr, auch wo das Modell sie nicht beurteilen konnte; die in einem der Art removed, und in keinem der Art manual, werden keine Gefahr.

Betroffenheit, Änderung, Zeitreihe, Genauigkeitsprüfung, Kartenblatt und Bericht zählen dann, was korrigiert wurde.</translation>
    </message>
    <message>
        <source>Removed by hand in m²</source>
        <translation>Von Hand entfernt in m²</translation>
    </message>
    <message>
        <source>Share of the scene assessed (0 to 1)</source>
        <translation>Beurteilter Anteil der Szene (0 bis 1)</translation>
    </message>
    <message>
        <source>manual,correction,edit,burn,rasterize,polygons,mask</source>
        <translation>von hand,korrektur,bearbeiten,einbrennen,rastern,polygone,maske</translation>
    </message>
    <message>
        <source>polygons that Hazard polygons wrote; edits have to be saved</source>
        <translation>Polygone, die Gefahrenpolygone geschrieben hat; Änderungen müssen gespeichert sein</translation>
    </message>
    <message>
        <source>{hazard}, corrected - {scene}</source>
        <translation>{hazard}, korrigiert - {scene}</translation>
    </message>
</context>
<context>
    <name>CurvesWidget</name>
    <message>
        <source> loss</source>
        <translation> Verlust</translation>
    </message>
    <message>
        <source>(step {step:.0f})</source>
        <translation>(Schritt {step:.0f})</translation>
    </message>
    <message>
        <source>Copy values</source>
        <translation>Werte kopieren</translation>
    </message>
    <message>
        <source>Curves of the training run</source>
        <translation>Kurven des Trainings</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>Verlust</translation>
    </message>
    <message>
        <source>Losses and validation scores are drawn here while a model is trained</source>
        <translation>Verluste und Güten der Validierung werden hier gezeichnet, während ein Modell trainiert wird</translation>
    </message>
    <message>
        <source>Step {step:.0f}</source>
        <translation>Schritt {step:.0f}</translation>
    </message>
    <message>
        <source>Validation score</source>
        <translation>Güte der Validierung</translation>
    </message>
    <message>
        <source>drawn after each validation</source>
        <translation>nach jeder Validierung gezeichnet</translation>
    </message>
    <message>
        <source>drawn while a model is trained</source>
        <translation>gezeichnet, während ein Modell trainiert wird</translation>
    </message>
    <message>
        <source>step 0</source>
        <translation>Schritt 0</translation>
    </message>
    <message>
        <source>training</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>validation</source>
        <translation>Validierung</translation>
    </message>
    <message>
        <source>validation </source>
        <translation>Validierung </translation>
    </message>
</context>
<context>
    <name>Delivery</name>
    <message>
        <source>Deliver…</source>
        <translation>Ausliefern…</translation>
    </message>
    <message>
        <source>Make polygons, a map sheet, a report or an emergency package of this result</source>
        <translation>Aus diesem Ergebnis Polygone, ein Kartenblatt, einen Bericht oder ein Notfallpaket machen</translation>
    </message>
</context>
<context>
    <name>DeliveryAlgorithm</name>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Delivery</source>
        <translation>Auslieferung</translation>
    </message>
    <message>
        <source>Layer '{name}' is not a plain file; export it to a GeoPackage and choose that.</source>
        <translation>Layer „{name}“ ist keine einfache Datei; exportieren Sie ihn in ein GeoPackage und wählen Sie dieses.</translation>
    </message>
    <message>
        <source>Layer '{name}' is not a plain file; export it to a GeoTIFF and choose that.</source>
        <translation>Layer „{name}“ ist keine einfache Datei; exportieren Sie ihn in ein GeoTIFF und wählen Sie dieses.</translation>
    </message>
    <message>
        <source>Layer '{name}' shares its file with others; export it to a file of its own and choose that.</source>
        <translation>Layer „{name}“ teilt seine Datei mit anderen; exportieren Sie ihn in eine eigene Datei und wählen Sie diese.</translation>
    </message>
    <message>
        <source>Nothing was prepared; run the algorithm again.</source>
        <translation>Nichts wurde vorbereitet; führen Sie den Algorithmus erneut aus.</translation>
    </message>
    <message>
        <source>The corrected polygons cannot be opened; choose a polygon layer.</source>
        <translation>Die korrigierten Polygone lassen sich nicht öffnen; wählen Sie einen Polygonlayer.</translation>
    </message>
    <message>
        <source>The filter of the corrected polygons is passed over: all of their file count.</source>
        <translation>Der Filter der korrigierten Polygone wird übergangen: Alle in ihrer Datei zählen.</translation>
    </message>
    <message>
        <source>The polygons '{name}' have edits that are not saved; save or discard them first.</source>
        <translation>Die Polygone „{name}“ haben ungespeicherte Änderungen; speichern oder verwerfen Sie sie zuerst.</translation>
    </message>
</context>
<context>
    <name>DockPages</name>
    <message>
        <source>First map, method, scores, limits: pages that came with the plugin</source>
        <translation>Erste Karte, Verfahren, Güten, Grenzen: Seiten, die mit der Erweiterung kamen</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
    <message>
        <source>Teach a model from simulated scenes or from your own labelled images</source>
        <translation>Einem Modell mit simulierten Szenen oder Ihren eigenen beschrifteten Bildern etwas beibringen</translation>
    </message>
    <message>
        <source>Train a model…</source>
        <translation>Ein Modell trainieren…</translation>
    </message>
</context>
<context>
    <name>DockWidgets</name>
    <message>
        <source>Folder for masks</source>
        <translation>Ordner für Masken</translation>
    </message>
    <message>
        <source>Python of the engine</source>
        <translation>Python des Rechenkerns</translation>
    </message>
</context>
<context>
    <name>EmergencyPackage</name>
    <message>
        <source>0 for the first product, 1 for MONIT01 and so on</source>
        <translation>0 für das erste Produkt, 1 für MONIT01 und so weiter</translation>
    </message>
    <message>
        <source>Activation code</source>
        <translation>Aktivierungscode</translation>
    </message>
    <message>
        <source>Area of interest</source>
        <translation>Interessengebiet</translation>
    </message>
    <message>
        <source>Area of interest in ha</source>
        <translation>Interessengebiet in ha</translation>
    </message>
    <message>
        <source>Area of the observed event in ha</source>
        <translation>Fläche des beobachteten Ereignisses in ha</translation>
    </message>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Day of the image (2024-09-16)</source>
        <translation>Tag des Bildes (2024-09-16)</translation>
    </message>
    <message>
        <source>Detection method</source>
        <translation>Erkennungsverfahren</translation>
    </message>
    <message>
        <source>EMSR and three or four digits; EMSR000 stands for none</source>
        <translation>EMSR und drei oder vier Ziffern; EMSR000 steht für keinen</translation>
    </message>
    <message>
        <source>Emergency package</source>
        <translation>Notfallpaket</translation>
    </message>
    <message>
        <source>Event sub-type</source>
        <translation>Unterart des Ereignisses</translation>
    </message>
    <message>
        <source>Event type</source>
        <translation>Art des Ereignisses</translation>
    </message>
    <message>
        <source>Folder in which the package is made</source>
        <translation>Ordner, in dem das Paket entsteht</translation>
    </message>
    <message>
        <source>Formats</source>
        <translation>Formate</translation>
    </message>
    <message>
        <source>GLIDE number</source>
        <translation>GLIDE-Nummer</translation>
    </message>
    <message>
        <source>GeoPackage</source>
        <translation>GeoPackage</translation>
    </message>
    <message>
        <source>Image footprint</source>
        <translation>Bildabdeckung</translation>
    </message>
    <message>
        <source>Image taken</source>
        <translation>Aufnahme</translation>
    </message>
    <message>
        <source>It is not known what the image shows; give the mask, the scene, or an image footprint.</source>
        <translation>Es ist nicht bekannt, was das Bild zeigt; geben Sie die Maske, die Szene oder eine Bildabdeckung an.</translation>
    </message>
    <message>
        <source>Left out: {removed} polygon(s) taken out by hand, {outside} outside the area of interest.</source>
        <translation>Ausgelassen: {removed} von Hand herausgenommene Polygone, {outside} außerhalb des Interessengebiets.</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>Mission of the image</source>
        <translation>Mission des Bildes</translation>
    </message>
    <message>
        <source>Monitoring number</source>
        <translation>Nummer der Beobachtung</translation>
    </message>
    <message>
        <source>Name of the area of interest</source>
        <translation>Name des Interessengebiets</translation>
    </message>
    <message>
        <source>No area of interest is known; give the mask, the scene, or an area of interest.</source>
        <translation>Kein Interessengebiet bekannt; geben Sie die Maske, die Szene oder ein Interessengebiet an.</translation>
    </message>
    <message>
        <source>No format is chosen; choose GeoPackage, Shapefile or both.</source>
        <translation>Kein Format ist gewählt; wählen Sie GeoPackage, Shapefile oder beide.</translation>
    </message>
    <message>
        <source>No polygon was delivered: the package says that no event was observed where it was analysed.</source>
        <translation>Kein Polygon wurde ausgeliefert: Das Paket sagt, dass dort, wo beurteilt wurde, kein Ereignis beobachtet wurde.</translation>
    </message>
    <message>
        <source>No {what} can be read; choose a polygon layer that QGIS can open.</source>
        <translation>Nicht lesbar: {what}; wählen Sie einen Polygonlayer, den QGIS öffnen kann.</translation>
    </message>
    <message>
        <source>Notation</source>
        <translation>Schreibweise</translation>
    </message>
    <message>
        <source>Nothing was prepared; run the algorithm again.</source>
        <translation>Nichts wurde vorbereitet; führen Sie den Algorithmus erneut aus.</translation>
    </message>
    <message>
        <source>Number of the area of interest</source>
        <translation>Nummer des Interessengebiets</translation>
    </message>
    <message>
        <source>Package</source>
        <translation>Paket</translation>
    </message>
    <message>
        <source>Pixel size of the image in metres</source>
        <translation>Pixelgröße des Bildes in Metern</translation>
    </message>
    <message>
        <source>Polygons</source>
        <translation>Polygone</translation>
    </message>
    <message>
        <source>Polygons delivered</source>
        <translation>Ausgelieferte Polygone</translation>
    </message>
    <message>
        <source>Polygons drawn by hand overlap on {area:.4f} ha, which the total counts once; merge them.</source>
        <translation>Von Hand gezeichnete Polygone überlappen sich auf {area:.4f} ha, die in der Summe einmal zählen; vereinigen Sie sie.</translation>
    </message>
    <message>
        <source>Product</source>
        <translation>Produkt</translation>
    </message>
    <message>
        <source>Release (r)</source>
        <translation>Ausgabe (r)</translation>
    </message>
    <message>
        <source>Replace a package of the same name</source>
        <translation>Ein Paket gleichen Namens ersetzen</translation>
    </message>
    <message>
        <source>Scene</source>
        <translation>Szene</translation>
    </message>
    <message>
        <source>Share of it that was analysed (0 to 1)</source>
        <translation>Davon beurteilter Anteil (0 bis 1)</translation>
    </message>
    <message>
        <source>Sources and licences</source>
        <translation>Quellen und Lizenzen</translation>
    </message>
    <message>
        <source>Time of the image in UTC (09:02)</source>
        <translation>Uhrzeit des Bildes in UTC (09:02)</translation>
    </message>
    <message>
        <source>Too long for the published schema, and cut: {columns}.</source>
        <translation>Zu lang für das veröffentlichte Schema und gekürzt: {columns}.</translation>
    </message>
    <message>
        <source>Version (v)</source>
        <translation>Version (v)</translation>
    </message>
    <message>
        <source>What is not assessed cannot be read back; run the algorithm again.</source>
        <translation>Was nicht beurteilt ist, lässt sich nicht wieder einlesen; führen Sie den Algorithmus erneut aus.</translation>
    </message>
    <message>
        <source>Without a mask it is not known what could not be analysed; the package says so.</source>
        <translation>Ohne Maske ist nicht bekannt, was nicht beurteilt werden konnte; das Paket sagt es.</translation>
    </message>
    <message>
        <source>Writes a folder such as EMSR000_AOI01_DEL_PRODUCT_r1_v1 with the layers observedEventA, areaOfInterestA and imageFootprintA and the table source, named and laid out as in packages of Copernicus EMS Rapid Mapping, as GeoPackage and Shapefile, with SLD and QML styles, a README, metadata and hashes.

Areas are in hectares on the ellipsoid, measured anew on what is delivered. Polygons that were taken out by hand (origin 'removed') are not delivered; polygons are cut to the area of interest where one is given.

What the mask does not assess (clouds, shadow, no data) is delivered as 'Not Analysed' in imageFootprintA, and what the image does not show as 'Not Analysed - No data': ground without a polygon is never said to be without hazard unless it was looked at. Give the mask for that.

The layout follows the service's online manual (emergency.copernicus.eu/mapping, Manual for Rapid Mapping Products). The help page says what was found where, and what is our own choice. The package is not a product of the service.</source>
        <translation>Schreibt einen Ordner wie EMSR000_AOI01_DEL_PRODUCT_r1_v1 mit den Layern observedEventA, areaOfInterestA und imageFootprintA und der Tabelle source, benannt und aufgebaut wie in Paketen von Copernicus EMS Rapid Mapping, als GeoPackage und Shapefile, mit Stilen in SLD und QML, README, Metadaten und Prüfsummen.

Flächen sind in Hektar auf dem Ellipsoid, neu gemessen an dem, was ausgeliefert wird. Von Hand herausgenommene Polygone (Herkunft „removed“) werden nicht ausgeliefert; Polygone werden auf das Interessengebiet zugeschnitten, wo eines angegeben ist.

Was die Maske nicht beurteilt (Wolken, Schatten, keine Daten), wird in imageFootprintA als „Not Analysed“ ausgeliefert, und was das Bild nicht zeigt, als „Not Analysed - No data“: Von Boden ohne Polygon wird nie gesagt, er sei frei von Gefahr, wenn nicht hingesehen wurde. Geben Sie dazu die Maske an.

Der Aufbau folgt dem Online-Handbuch des Dienstes (emergency.copernicus.eu/mapping, Manual for Rapid Mapping Products). Die Hilfeseite sagt, was wo gefunden wurde und was eigene Wahl ist. Das Paket ist kein Produkt des Dienstes.</translation>
    </message>
    <message>
        <source>Writes polygons as a vector package in the layout of Copernicus EMS Rapid Mapping.</source>
        <translation>Schreibt Polygone als Vektorpaket im Aufbau von Copernicus EMS Rapid Mapping.</translation>
    </message>
    <message>
        <source>area of interest</source>
        <translation>das Interessengebiet</translation>
    </message>
    <message>
        <source>copernicus,ems,rapid mapping,delivery,observedEventA,delineation,shapefile,sld,qml</source>
        <translation>copernicus,ems,rapid mapping,auslieferung,observedEventA,abgrenzung,shapefile,sld,qml</translation>
    </message>
    <message>
        <source>each polygon's own</source>
        <translation>die eines jeden Polygons</translation>
    </message>
    <message>
        <source>found out from mask or scene when empty</source>
        <translation>ohne Angabe aus Maske oder Szene ermittelt</translation>
    </message>
    <message>
        <source>image footprint</source>
        <translation>die Bildabdeckung</translation>
    </message>
    <message>
        <source>its outline is the image footprint unless one is given</source>
        <translation>ihr Umriss ist die Bildabdeckung, wenn keine angegeben ist</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>not assessed</source>
        <translation>nicht beurteilt</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>nicht genannt</translation>
    </message>
    <message>
        <source>outline of the scene, else of the mask, when empty</source>
        <translation>ohne Angabe der Umriss der Szene, sonst der Maske</translation>
    </message>
    <message>
        <source>polygons are cut to it; what the mask covers when empty</source>
        <translation>Polygone werden darauf zugeschnitten; ohne Angabe, was die Maske abdeckt</translation>
    </message>
    <message>
        <source>says what could not be assessed, and how the polygons came about</source>
        <translation>sagt, was nicht beurteilt werden konnte und wie die Polygone entstanden</translation>
    </message>
    <message>
        <source>taken from the event type, such as Flooded area</source>
        <translation>aus der Art des Ereignisses genommen, etwa Flooded area</translation>
    </message>
    <message>
        <source>taken from the hazard</source>
        <translation>aus der Gefahr genommen</translation>
    </message>
    <message>
        <source>taken from the hazard, such as Riverine flood</source>
        <translation>aus der Gefahr genommen, etwa Riverine flood</translation>
    </message>
    <message>
        <source>taken from the mask's origin</source>
        <translation>aus der Herkunft der Maske genommen</translation>
    </message>
    <message>
        <source>what the sensor's imagery asks for</source>
        <translation>wie es die Bilder des Sensors verlangen</translation>
    </message>
    <message>
        <source>when empty: {otherwise}</source>
        <translation>ohne Angabe: {otherwise}</translation>
    </message>
    <message>
        <source>{count} polygon(s), {area:.2f} ha: {folder}</source>
        <translation>{count} Polygone, {area:.2f} ha: {folder}</translation>
    </message>
    <message>
        <source>{share:.2f} % of the area of interest could not be analysed.</source>
        <translation>{share:.2f} % des Interessengebiets konnten nicht beurteilt werden.</translation>
    </message>
</context>
<context>
    <name>EngineAlgorithm</name>
    <message>
        <source>No {what} is given; choose a raster layer that QGIS can open.</source>
        <translation>Nicht angegeben: {what}; wählen Sie einen Rasterlayer, den QGIS öffnen kann.</translation>
    </message>
</context>
<context>
    <name>EngineClient</name>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Hazard Mapper is closing.</source>
        <translation>Hazard Mapper wird geschlossen.</translation>
    </message>
    <message>
        <source>The engine gave no reason.</source>
        <translation>Der Rechenkern nannte keinen Grund.</translation>
    </message>
</context>
<context>
    <name>EngineFeedback</name>
    <message>
        <source>Step {step}: {values}</source>
        <translation>Schritt {step}: {values}</translation>
    </message>
    <message>
        <source>auxiliary loss</source>
        <translation>Hilfsverlust</translation>
    </message>
    <message>
        <source>backward loss</source>
        <translation>Rückwärtsverlust</translation>
    </message>
    <message>
        <source>forward loss</source>
        <translation>Vorwärtsverlust</translation>
    </message>
    <message>
        <source>learning rate</source>
        <translation>Lernrate</translation>
    </message>
    <message>
        <source>loss</source>
        <translation>Verlust</translation>
    </message>
    <message>
        <source>validation IoU</source>
        <translation>IoU der Validierung</translation>
    </message>
    <message>
        <source>validation balanced accuracy</source>
        <translation>ausgewogene Genauigkeit der Validierung</translation>
    </message>
    <message>
        <source>validation loss</source>
        <translation>Verlust der Validierung</translation>
    </message>
</context>
<context>
    <name>EngineJob</name>
    <message>
        <source>any encoder of the library; a small one when not given</source>
        <translation>ein beliebiger Encoder der Bibliothek; ohne Angabe ein kleiner</translation>
    </message>
    <message>
        <source>auto, cpu, cuda:N or mps</source>
        <translation>auto, cpu, cuda:N oder mps</translation>
    </message>
    <message>
        <source>chips a step</source>
        <translation>Bildausschnitte je Schritt</translation>
    </message>
    <message>
        <source>end by then, as if all epochs were done; earlier parts of a resumed run count</source>
        <translation>bis dahin enden, als wären alle Epochen getan; frühere Teile eines fortgesetzten Laufs zählen mit</translation>
    </message>
    <message>
        <source>folder in which scenes of training data are kept decoded, for this run and later ones</source>
        <translation>Ordner, in dem Szenen der Trainingsdaten dekodiert bleiben, für diesen Lauf und spätere</translation>
    </message>
    <message>
        <source>go on from the last checkpoint of the same run</source>
        <translation>vom letzten Zwischenstand desselben Laufs fortsetzen</translation>
    </message>
    <message>
        <source>hazards that the labels show, a new name adds one</source>
        <translation>Gefahren, die die Beschriftung zeigt, ein neuer Name fügt eine hinzu</translation>
    </message>
    <message>
        <source>highest learning rate</source>
        <translation>höchste Lernrate</translation>
    </message>
    <message>
        <source>its encoder; the start's or a small one when not given</source>
        <translation>sein Encoder; ohne Angabe der des Ausgangsmodells oder ein kleiner</translation>
    </message>
    <message>
        <source>label codes that mean hazard</source>
        <translation>Codes der Beschriftung, die Gefahr bedeuten</translation>
    </message>
    <message>
        <source>label codes to leave out</source>
        <translation>Codes der Beschriftung, die ausgelassen werden</translation>
    </message>
    <message>
        <source>metres a pixel, where no CRS says it</source>
        <translation>Meter je Pixel, wo kein KBS sie nennt</translation>
    </message>
    <message>
        <source>model to start from; from scratch when not given</source>
        <translation>Modell, von dem ausgegangen wird; ohne Angabe von Grund auf</translation>
    </message>
    <message>
        <source>more models whose answers what is new is taught to fit</source>
        <translation>weitere Modelle, zu deren Antworten das Erkennen von Neuem passen soll</translation>
    </message>
    <message>
        <source>most that it may hold; other scenes are decoded anew</source>
        <translation>so viel darf er höchstens enthalten; andere Szenen werden neu dekodiert</translation>
    </message>
    <message>
        <source>name or folder of the model to write</source>
        <translation>Name oder Ordner des zu schreibenden Modells</translation>
    </message>
    <message>
        <source>network</source>
        <translation>Netz</translation>
    </message>
    <message>
        <source>network; the start's own, else unet, when not given (another one takes what weights fit)</source>
        <translation>Netz; ohne Angabe das des Ausgangsmodells, sonst unet (ein anderes übernimmt die Gewichte, die passen)</translation>
    </message>
    <message>
        <source>one slot a band of each image</source>
        <translation>eine Rolle je Kanal jedes Bildes</translation>
    </message>
    <message>
        <source>one slot a band of each scene from before; found out when not given</source>
        <translation>eine Rolle je Kanal jeder früheren Szene; ohne Angabe selbst ermittelt</translation>
    </message>
    <message>
        <source>optimiser</source>
        <translation>Optimierer</translation>
    </message>
    <message>
        <source>passes, each followed by a validation; what suits the data when neither they nor minutes are given</source>
        <translation>Durchgänge, jeder gefolgt von einer Validierung; was zu den Daten passt, wenn weder sie noch Minuten angegeben sind</translation>
    </message>
    <message>
        <source>processes that prepare chips</source>
        <translation>Prozesse, die Bildausschnitte vorbereiten</translation>
    </message>
    <message>
        <source>replace a model that exists</source>
        <translation>ein vorhandenes Modell ersetzen</translation>
    </message>
    <message>
        <source>seed of weights, split and order</source>
        <translation>Startwert von Gewichten, Aufteilung und Reihenfolge</translation>
    </message>
    <message>
        <source>share of simulated chips among yours, so that old hazards are kept</source>
        <translation>Anteil simulierter Bildausschnitte unter Ihren, damit alte Gefahren erhalten bleiben</translation>
    </message>
    <message>
        <source>simulated hazard never to be seen, for measuring unseen hazards</source>
        <translation>simulierte Gefahr, die nie zu sehen ist, um ungesehene Gefahren zu messen</translation>
    </message>
    <message>
        <source>simulated, or a folder of training data</source>
        <translation>simulated für simuliert, oder ein Ordner mit Trainingsdaten</translation>
    </message>
    <message>
        <source>steps an epoch; all of the data, or about 200 on simulated scenes, when not given</source>
        <translation>Schritte je Epoche; ohne Angabe alle Daten, oder etwa 200 bei simulierten Szenen</translation>
    </message>
    <message>
        <source>stop after N epochs without a better validation; 0 never</source>
        <translation>nach N Epochen ohne bessere Validierung aufhören; 0 nie</translation>
    </message>
    <message>
        <source>teach what is new since a scene from before, above a trained model that stays as it is</source>
        <translation>lehren, was seit einer früheren Szene neu ist, über einem trainierten Modell, das bleibt, wie es ist</translation>
    </message>
    <message>
        <source>train on all bands of a scene only (no channel sampling)</source>
        <translation>nur mit allen Kanälen einer Szene trainieren (keine Kanalauswahl)</translation>
    </message>
    <message>
        <source>units of the images; found out when not given</source>
        <translation>Einheiten der Bilder; ohne Angabe selbst ermittelt</translation>
    </message>
    <message>
        <source>units of the scenes from before; found out when not given</source>
        <translation>Einheiten der früheren Szenen; ohne Angabe selbst ermittelt</translation>
    </message>
</context>
<context>
    <name>EngineLocation</name>
    <message>
        <source>Engine under Advanced</source>
        <translation>Rechenkern unter Erweitert</translation>
    </message>
    <message>
        <source>No engine is installed; press Set up engine, or name a Python that has PyTorch under Advanced, Engine, or in the environment variable HAZARD_ENGINE_PYTHON.</source>
        <translation>Kein Rechenkern ist installiert; drücken Sie Rechenkern einrichten, oder nennen Sie ein Python mit PyTorch unter Erweitert, Rechenkern, oder in der Umgebungsvariablen HAZARD_ENGINE_PYTHON.</translation>
    </message>
    <message>
        <source>The engine no longer starts, because the Python it was made from is gone; set it up again.</source>
        <translation>Der Rechenkern startet nicht mehr, weil das Python, aus dem er gemacht wurde, weg ist; richten Sie ihn neu ein.</translation>
    </message>
    <message>
        <source>{source} names '{path}', which is not a program; name the Python of the engine there.</source>
        <translation>{source} nennt „{path}“, was kein Programm ist; nennen Sie dort das Python des Rechenkerns.</translation>
    </message>
</context>
<context>
    <name>EngineStage</name>
    <message>
        <source>Adapting</source>
        <translation>Wird angepasst</translation>
    </message>
    <message>
        <source>Building the network</source>
        <translation>Netz wird aufgebaut</translation>
    </message>
    <message>
        <source>Checking that it answers the same</source>
        <translation>Gleiche Antworten werden geprüft</translation>
    </message>
    <message>
        <source>Checking the model</source>
        <translation>Modell wird geprüft</translation>
    </message>
    <message>
        <source>Checking what is complete</source>
        <translation>Vollständiges wird geprüft</translation>
    </message>
    <message>
        <source>Comparing</source>
        <translation>Wird verglichen</translation>
    </message>
    <message>
        <source>Comparing the masks</source>
        <translation>Masken werden verglichen</translation>
    </message>
    <message>
        <source>Correcting the mask</source>
        <translation>Maske wird korrigiert</translation>
    </message>
    <message>
        <source>Cutting the probability</source>
        <translation>Wahrscheinlichkeit wird geschnitten</translation>
    </message>
    <message>
        <source>Decoding scenes</source>
        <translation>Szenen werden dekodiert</translation>
    </message>
    <message>
        <source>Finding sets and models</source>
        <translation>Datensätze und Modelle werden gesucht</translation>
    </message>
    <message>
        <source>Hashing scene and model</source>
        <translation>Prüfsummen von Szene und Modell werden gebildet</translation>
    </message>
    <message>
        <source>Installing the model</source>
        <translation>Modell wird installiert</translation>
    </message>
    <message>
        <source>Keeping the finished part</source>
        <translation>Fertiger Teil wird behalten</translation>
    </message>
    <message>
        <source>Laying the scene before over the scene</source>
        <translation>Frühere Szene wird über die Szene gelegt</translation>
    </message>
    <message>
        <source>Listing the scenes</source>
        <translation>Szenen werden aufgelistet</translation>
    </message>
    <message>
        <source>Loading the model</source>
        <translation>Modell wird geladen</translation>
    </message>
    <message>
        <source>Looking at the scene</source>
        <translation>Szene wird betrachtet</translation>
    </message>
    <message>
        <source>Measuring polygons</source>
        <translation>Polygone werden gemessen</translation>
    </message>
    <message>
        <source>Measuring the mask</source>
        <translation>Maske wird gemessen</translation>
    </message>
    <message>
        <source>Measuring the scene</source>
        <translation>Szene wird gemessen</translation>
    </message>
    <message>
        <source>Opening the scene</source>
        <translation>Szene wird geöffnet</translation>
    </message>
    <message>
        <source>Packing the model</source>
        <translation>Modell wird gepackt</translation>
    </message>
    <message>
        <source>Preparing</source>
        <translation>Wird vorbereitet</translation>
    </message>
    <message>
        <source>Publishing</source>
        <translation>Wird veröffentlicht</translation>
    </message>
    <message>
        <source>Reading the labelled chips</source>
        <translation>Beschriftete Bildausschnitte werden gelesen</translation>
    </message>
    <message>
        <source>Reading the mask</source>
        <translation>Maske wird gelesen</translation>
    </message>
    <message>
        <source>Reading the model</source>
        <translation>Modell wird gelesen</translation>
    </message>
    <message>
        <source>Reading the probability</source>
        <translation>Wahrscheinlichkeit wird gelesen</translation>
    </message>
    <message>
        <source>Reading the result</source>
        <translation>Ergebnis wird gelesen</translation>
    </message>
    <message>
        <source>Reading the weights</source>
        <translation>Gewichte werden gelesen</translation>
    </message>
    <message>
        <source>Refining the mask</source>
        <translation>Maske wird verfeinert</translation>
    </message>
    <message>
        <source>Saving the model</source>
        <translation>Modell wird gespeichert</translation>
    </message>
    <message>
        <source>Segmenting</source>
        <translation>Wird segmentiert</translation>
    </message>
    <message>
        <source>Segmenting scenes</source>
        <translation>Szenen werden segmentiert</translation>
    </message>
    <message>
        <source>Simplifying polygons</source>
        <translation>Polygone werden vereinfacht</translation>
    </message>
    <message>
        <source>Simulating</source>
        <translation>Wird simuliert</translation>
    </message>
    <message>
        <source>Smoothing polygons</source>
        <translation>Polygone werden geglättet</translation>
    </message>
    <message>
        <source>Tracing polygons</source>
        <translation>Polygone werden nachgezeichnet</translation>
    </message>
    <message>
        <source>Tracing what is not assessed</source>
        <translation>Nicht Beurteiltes wird nachgezeichnet</translation>
    </message>
    <message>
        <source>Tracing where the hazard is sure, likely and possible</source>
        <translation>Sichere, wahrscheinliche und mögliche Gefahr wird nachgezeichnet</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>Wird geschrieben</translation>
    </message>
</context>
<context>
    <name>EngineTexts</name>
    <message>
        <source>CPU, {count} threads</source>
        <translation>CPU, {count} Threads</translation>
    </message>
    <message>
        <source>blue</source>
        <translation>Blau</translation>
    </message>
    <message>
        <source>centre of the extent</source>
        <translation>Mitte der Ausdehnung</translation>
    </message>
    <message>
        <source>centre of the polygons</source>
        <translation>Mitte der Polygone</translation>
    </message>
    <message>
        <source>centre of the scene</source>
        <translation>Mitte der Szene</translation>
    </message>
    <message>
        <source>coastal</source>
        <translation>Küste</translation>
    </message>
    <message>
        <source>decibel</source>
        <translation>Dezibel</translation>
    </message>
    <message>
        <source>display values 0-255</source>
        <translation>Anzeigewerte 0-255</translation>
    </message>
    <message>
        <source>file name {name}</source>
        <translation>Dateiname {name}</translation>
    </message>
    <message>
        <source>folder name {name}</source>
        <translation>Ordnername {name}</translation>
    </message>
    <message>
        <source>given</source>
        <translation>angegeben</translation>
    </message>
    <message>
        <source>green</source>
        <translation>Grün</translation>
    </message>
    <message>
        <source>linear power</source>
        <translation>lineare Leistung</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>nicht bekannt</translation>
    </message>
    <message>
        <source>raw values</source>
        <translation>Rohwerte</translation>
    </message>
    <message>
        <source>red</source>
        <translation>Rot</translation>
    </message>
    <message>
        <source>reflectance</source>
        <translation>Reflexion</translation>
    </message>
    <message>
        <source>reflectance × 10000</source>
        <translation>Reflexion × 10000</translation>
    </message>
    <message>
        <source>reflectance × 10000, offset 1000</source>
        <translation>Reflexion × 10000, Versatz 1000</translation>
    </message>
    <message>
        <source>tag {name}</source>
        <translation>Tag {name}</translation>
    </message>
</context>
<context>
    <name>EvaluateMask</name>
    <message>
        <source>Both a reference raster and reference polygons are given; give one of them.</source>
        <translation>Es sind sowohl ein Referenzraster als auch Referenzpolygone angegeben; geben Sie eines von beiden an.</translation>
    </message>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Compares a mask (0 none, 1 hazard, 255 not assessed) pixel by pixel with a reference: a raster on the same grid, or polygons of the hazard in any CRS. Give one of the two.

POSITIVE and IGNORE are codes of a reference raster: those that mean hazard, and those to leave out. Polygons do not say where nobody looked: every pixel whose centre lies in none of them counts as free of hazard. Pixels that the mask does not assess are left out and counted. What was taken out of a refined mask (permanent water, slopes) counts as no hazard.

ERRORS shows where: 0 rightly none, 1 hit, 2 miss, 3 false alarm, 255 left out. REPORT is a page with scores and confusion matrix.

Balanced accuracy is the mean of the share of hazard that was found and the share of the rest that was left alone; it alone flatters where hazards are rare, so look at IoU beside it. A score that is not defined, such as precision where nothing was found, stays empty.</source>
        <translation>Vergleicht eine Maske (0 keine, 1 Gefahr, 255 nicht beurteilt) Pixel für Pixel mit einer Referenz: einem Raster auf demselben Gitter oder Polygonen der Gefahr in beliebigem KBS. Geben Sie eines von beiden an.

POSITIVE und IGNORE sind Codes eines Referenzrasters: die, die Gefahr bedeuten, und die, die ausgelassen werden. Polygone sagen nicht, wo niemand hingesehen hat: Jedes Pixel, dessen Mitte in keinem liegt, gilt als frei von Gefahr. Pixel, die die Maske nicht beurteilt, werden ausgelassen und gezählt. Was aus einer verfeinerten Maske herausgenommen wurde (ständiges Wasser, Hänge), gilt als keine Gefahr.

ERRORS zeigt, wo: 0 zu Recht keine, 1 Treffer, 2 übersehen, 3 Fehlalarm, 255 ausgelassen. REPORT ist eine Seite mit Güten und Konfusionsmatrix.

Die ausgewogene Genauigkeit ist das Mittel aus dem Anteil der gefundenen Gefahr und dem Anteil des Übrigen, der in Ruhe gelassen wurde; für sich allein schmeichelt sie, wo Gefahren selten sind, sehen Sie also auch IoU an. Eine Güte, die nicht definiert ist, etwa die Precision, wo nichts gefunden wurde, bleibt leer.</translation>
    </message>
    <message>
        <source>Errors</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>Errors - {scene}</source>
        <translation>Fehler - {scene}</translation>
    </message>
    <message>
        <source>Evaluate mask</source>
        <translation>Maske bewerten</translation>
    </message>
    <message>
        <source>HTML files (*.html)</source>
        <translation>HTML-Dateien (*.html)</translation>
    </message>
    <message>
        <source>Layer '{name}' is opened with options of its own; export it to a GeoTIFF first.</source>
        <translation>Layer „{name}“ wird mit eigenen Optionen geöffnet; exportieren Sie ihn zuerst in ein GeoTIFF.</translation>
    </message>
    <message>
        <source>Layer '{name}' is shown in another CRS than its file says; export it first.</source>
        <translation>Layer „{name}“ wird in einem anderen KBS gezeigt, als seine Datei sagt; exportieren Sie ihn zuerst.</translation>
    </message>
    <message>
        <source>Mapping</source>
        <translation>Kartierung</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>No mask is given; choose a raster layer that QGIS can open.</source>
        <translation>Keine Maske angegeben; wählen Sie einen Rasterlayer, den QGIS öffnen kann.</translation>
    </message>
    <message>
        <source>No polygon of '{polygons}' lies on the mask '{mask}'; choose or select some that do.</source>
        <translation>Kein Polygon von „{polygons}“ liegt auf der Maske „{mask}“; wählen Sie welche, die es tun.</translation>
    </message>
    <message>
        <source>No reference is given; give a raster on the mask's grid, or polygons of the hazard.</source>
        <translation>Keine Referenz angegeben; geben Sie ein Raster auf dem Gitter der Maske oder Polygone der Gefahr an.</translation>
    </message>
    <message>
        <source>Reference (polygons of the hazard)</source>
        <translation>Referenz (Polygone der Gefahr)</translation>
    </message>
    <message>
        <source>Reference (raster)</source>
        <translation>Referenz (Raster)</translation>
    </message>
    <message>
        <source>Reference codes that mean hazard</source>
        <translation>Codes der Referenz, die Gefahr bedeuten</translation>
    </message>
    <message>
        <source>Reference codes to leave out</source>
        <translation>Codes der Referenz, die ausgelassen werden</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>Scores a mask against a reference: balanced accuracy, IoU, F1, precision, recall, and shows its errors.</source>
        <translation>Bewertet eine Maske anhand einer Referenz: ausgewogene Genauigkeit, IoU, F1, Precision, Recall, und zeigt ihre Fehler.</translation>
    </message>
    <message>
        <source>accuracy,score,iou,f1,precision,recall,confusion,validation,reference,ground truth</source>
        <translation>genauigkeit,güte,iou,f1,precision,recall,konfusion,validierung,referenz,bodenwahrheit</translation>
    </message>
    <message>
        <source>instead of a raster; everything outside of them counts as free of hazard</source>
        <translation>statt eines Rasters; alles außerhalb davon gilt als frei von Gefahr</translation>
    </message>
    <message>
        <source>on the mask's grid</source>
        <translation>auf dem Gitter der Maske</translation>
    </message>
    <message>
        <source>whole numbers separated by commas</source>
        <translation>ganze Zahlen, durch Kommas getrennt</translation>
    </message>
    <message>
        <source>whole numbers separated by commas; none when empty</source>
        <translation>ganze Zahlen, durch Kommas getrennt; ohne Angabe keine</translation>
    </message>
</context>
<context>
    <name>Exposure</name>
    <message>
        <source> ({low:,.6g} to {high:,.6g})</source>
        <translation> ({low:,.6g} bis {high:,.6g})</translation>
    </message>
    <message>
        <source>'{layer}' has no CRS; it is taken to be in the mask's.</source>
        <translation>„{layer}“ hat kein KBS; angenommen wird das der Maske.</translation>
    </message>
    <message>
        <source>'{layer}': {count} polygons say no number of people and are left out.</source>
        <translation>„{layer}“: {count} Polygone nennen keine Zahl von Personen und werden ausgelassen.</translation>
    </message>
    <message>
        <source>'{layer}': {repaired} broken geometries were mended, {skipped} could not be used.</source>
        <translation>„{layer}“: {repaired} fehlerhafte Geometrien wurden repariert, {skipped} waren nicht verwendbar.</translation>
    </message>
    <message>
        <source>; not assessed {lacking:,.6g}, of {total:,.6g} in all</source>
        <translation>; nicht beurteilt {lacking:,.6g}, von insgesamt {total:,.6g}</translation>
    </message>
    <message>
        <source>Buildings (polygons or points)</source>
        <translation>Gebäude (Polygone oder Punkte)</translation>
    </message>
    <message>
        <source>Buildings touched</source>
        <translation>Berührte Gebäude</translation>
    </message>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Class of the land use</source>
        <translation>Klasse der Landnutzung</translation>
    </message>
    <message>
        <source>Counting {layer}</source>
        <translation>{layer} wird gezählt</translation>
    </message>
    <message>
        <source>Counts buildings, roads, land use and people in a hazard, with a low, central and high estimate.</source>
        <translation>Zählt Gebäude, Straßen, Landnutzung und Personen in einer Gefahr, mit niedriger, mittlerer und hoher Schätzung.</translation>
    </message>
    <message>
        <source>Counts what of your own layers lies in the hazard of a mask: buildings touched (and their ground plans), kilometres of roads, hectares of land use by class, and people, from a raster or from polygons over whose ground they are spread evenly.

The central estimate is the mask. With a probability there are two more: the low one keeps only the mask's pixels above a stricter cut, the high one adds pixels above a looser cut. Without cuts of your own they lie one unit of log odds above and below the mask's threshold: 73 and 27 % for a threshold of 50 %. What was taken out of the mask, such as permanent water, stays out of all three. The range says how sharply the model draws the edge; it is no confidence interval.

What is not assessed (clouds, shadow, no data) is counted in a column of its own, never as safe. The last column is everything on the mask. What lies beyond the mask is not looked at.

Lengths and areas are measured on the ellipsoid. Layers may be in any CRS. Broken geometries are mended and counted in the log.</source>
        <translation>Zählt, was von Ihren eigenen Layern in der Gefahr einer Maske liegt: berührte Gebäude (und ihre Grundrisse), Kilometer Straßen, Hektar Landnutzung nach Klasse, und Personen, aus einem Raster oder aus Polygonen, über deren Fläche sie gleichmäßig verteilt werden.

Die mittlere Schätzung ist die Maske. Mit einer Wahrscheinlichkeit kommen zwei weitere hinzu: Die niedrige behält nur die Pixel der Maske über einem strengeren Schnitt, die hohe nimmt Pixel über einem lockereren Schnitt dazu. Ohne eigene Schnitte liegen sie eine Einheit logarithmierter Chancen über und unter dem Schwellenwert der Maske: 73 und 27 % bei einem Schwellenwert von 50 %. Was aus der Maske herausgenommen wurde, etwa ständiges Wasser, bleibt in allen dreien draußen. Die Spanne sagt, wie scharf das Modell den Rand zieht; sie ist kein Vertrauensbereich.

Was nicht beurteilt ist (Wolken, Schatten, keine Daten), wird in einer eigenen Spalte gezählt, nie als sicher. Die letzte Spalte ist alles auf der Maske. Was jenseits der Maske liegt, wird nicht betrachtet.

Längen und Flächen werden auf dem Ellipsoid gemessen. Die Layer dürfen beliebige KBS haben. Fehlerhafte Geometrien werden repariert und im Protokoll gezählt.</translation>
    </message>
    <message>
        <source>Cut of the high one</source>
        <translation>Schnitt der hohen</translation>
    </message>
    <message>
        <source>Cut of the low estimate</source>
        <translation>Schnitt der niedrigen Schätzung</translation>
    </message>
    <message>
        <source>Exposure</source>
        <translation>Betroffenheit</translation>
    </message>
    <message>
        <source>Exposure to {hazard} - {scene}</source>
        <translation>Betroffenheit durch {hazard} - {scene}</translation>
    </message>
    <message>
        <source>Ground plans of buildings touched</source>
        <translation>Grundrisse berührter Gebäude</translation>
    </message>
    <message>
        <source>Hazard area</source>
        <translation>Gefahrenfläche</translation>
    </message>
    <message>
        <source>Hectares of land use</source>
        <translation>Hektar Landnutzung</translation>
    </message>
    <message>
        <source>Kilometres of roads</source>
        <translation>Kilometer Straßen</translation>
    </message>
    <message>
        <source>Land use</source>
        <translation>Landnutzung</translation>
    </message>
    <message>
        <source>Land use (polygons)</source>
        <translation>Landnutzung (Polygone)</translation>
    </message>
    <message>
        <source>Layer '{name}' is shown in another CRS than its file says; export it first.</source>
        <translation>Layer „{name}“ wird in einem anderen KBS gezeigt, als seine Datei sagt; exportieren Sie ihn zuerst.</translation>
    </message>
    <message>
        <source>Low estimate: probability of at least {low:.0%}; high estimate: at least {high:.0%}.</source>
        <translation>Niedrige Schätzung: Wahrscheinlichkeit von mindestens {low:.0%}; hohe Schätzung: mindestens {high:.0%}.</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>No field with people is given; name one of the population's polygons.</source>
        <translation>Kein Feld mit Personen angegeben; nennen Sie eines der Bevölkerungspolygone.</translation>
    </message>
    <message>
        <source>Nothing to count; give buildings, roads, land use or population.</source>
        <translation>Nichts zu zählen; geben Sie Gebäude, Straßen, Landnutzung oder Bevölkerung an.</translation>
    </message>
    <message>
        <source>Nothing was prepared; run the algorithm again.</source>
        <translation>Nichts wurde vorbereitet; führen Sie den Algorithmus erneut aus.</translation>
    </message>
    <message>
        <source>People (raster, else polygons)</source>
        <translation>Personen (Raster, sonst Polygone)</translation>
    </message>
    <message>
        <source>People of each polygon</source>
        <translation>Personen je Polygon</translation>
    </message>
    <message>
        <source>Population</source>
        <translation>Bevölkerung</translation>
    </message>
    <message>
        <source>Population (polygons)</source>
        <translation>Bevölkerung (Polygone)</translation>
    </message>
    <message>
        <source>Population (raster)</source>
        <translation>Bevölkerung (Raster)</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Roads</source>
        <translation>Straßen</translation>
    </message>
    <message>
        <source>Roads (lines)</source>
        <translation>Straßen (Linien)</translation>
    </message>
    <message>
        <source>The mask '{name}' has no CRS; assign it first.</source>
        <translation>Die Maske „{name}“ hat kein KBS; weisen Sie es zuerst zu.</translation>
    </message>
    <message>
        <source>The table cannot be written; choose another file or format.</source>
        <translation>Die Tabelle kann nicht geschrieben werden; wählen Sie eine andere Datei oder ein anderes Format.</translation>
    </message>
    <message>
        <source>The traced zones cannot be read; check the temporary folder and its disk.</source>
        <translation>Die nachgezeichneten Zonen lassen sich nicht lesen; prüfen Sie den Ordner für vorläufige Dateien und seinen Datenträger.</translation>
    </message>
    <message>
        <source>Values of the population raster</source>
        <translation>Werte des Bevölkerungsrasters</translation>
    </message>
    <message>
        <source>exposure,impact,affected,buildings,roads,land use,population,people,consequences</source>
        <translation>betroffenheit,exposition,auswirkung,gebäude,straßen,landnutzung,bevölkerung,personen,folgen</translation>
    </message>
    <message>
        <source>number</source>
        <translation>Nummer</translation>
    </message>
    <message>
        <source>of the same run; without it there is only the central estimate</source>
        <translation>desselben Laufs; ohne sie gibt es nur die mittlere Schätzung</translation>
    </message>
    <message>
        <source>people</source>
        <translation>Personen</translation>
    </message>
    <message>
        <source>people in each cell</source>
        <translation>Personen in jeder Zelle</translation>
    </message>
    <message>
        <source>people of each cell, such as WorldPop or GHS-POP</source>
        <translation>Personen jeder Zelle, etwa WorldPop oder GHS-POP</translation>
    </message>
    <message>
        <source>people per km²</source>
        <translation>Personen je km²</translation>
    </message>
    <message>
        <source>per cent of probability; empty: one unit of log odds from the mask's threshold</source>
        <translation>Prozent Wahrscheinlichkeit; leer: eine Einheit logarithmierter Chancen vom Schwellenwert der Maske</translation>
    </message>
    <message>
        <source>spread evenly over the polygon's ground</source>
        <translation>gleichmäßig über die Fläche des Polygons verteilt</translation>
    </message>
</context>
<context>
    <name>ExposureCounts</name>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
</context>
<context>
    <name>ExtraLayers</name>
    <message>
        <source>only the first</source>
        <translation>nur die erste</translation>
    </message>
    <message>
        <source>then {names}</source>
        <translation>dann {names}</translation>
    </message>
</context>
<context>
    <name>FinishedPart</name>
    <message>
        <source>Keep the finished part</source>
        <translation>Fertigen Teil behalten</translation>
    </message>
    <message>
        <source>The finished part of {scene} is still in {folder} until QGIS is closed.</source>
        <translation>Der fertige Teil von {scene} liegt noch in {folder}, bis QGIS geschlossen wird.</translation>
    </message>
    <message>
        <source>Writes it as a mask of its own; what was not reached is marked as not assessed</source>
        <translation>Schreibt ihn als eigene Maske; was nicht erreicht wurde, ist als nicht beurteilt markiert</translation>
    </message>
    <message>
        <source>{scene} (partial)</source>
        <translation>{scene} (Teil)</translation>
    </message>
    <message>
        <source>{scene}: cancelled after {share:.0f} % of the rows; nothing was written.</source>
        <translation>{scene}: nach {share:.0f} % der Zeilen abgebrochen; nichts wurde geschrieben.</translation>
    </message>
</context>
<context>
    <name>FirstEstimate</name>
    <message>
        <source>Provisional: made in a second from pixels of {size:.3g} m, coarser than the model was made for, and refined while the run goes on. The mask takes its place.</source>
        <translation>Vorläufig: in einer Sekunde aus Pixeln von {size:.3g} m gemacht, gröber, als das Modell vorgesehen ist, und während des Laufs verfeinert. Die Maske tritt an ihre Stelle.</translation>
    </message>
    <message>
        <source>There will be no first estimate: {error}</source>
        <translation>Es wird keine erste Schätzung geben: {error}</translation>
    </message>
    <message>
        <source>{mask} (first estimate)</source>
        <translation>{mask} (erste Schätzung)</translation>
    </message>
</context>
<context>
    <name>HazardDock</name>
    <message>
        <source>Add a raster layer to the project; it can then be chosen as the scene.</source>
        <translation>Fügen Sie dem Projekt einen Rasterlayer hinzu; er kann dann als Szene gewählt werden.</translation>
    </message>
    <message>
        <source>Assess the scene; the mask lands above it as a new layer</source>
        <translation>Die Szene beurteilen; die Maske erscheint als neuer Layer darüber</translation>
    </message>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Cancelling…</source>
        <translation>Wird abgebrochen…</translation>
    </message>
    <message>
        <source>Correct bands and units</source>
        <translation>Kanäle und Einheiten berichtigen</translation>
    </message>
    <message>
        <source>Hazard Mapper</source>
        <translation>Hazard Mapper</translation>
    </message>
    <message>
        <source>Masks go to {folder}</source>
        <translation>Masken kommen nach {folder}</translation>
    </message>
    <message>
        <source>No band is recognised; choose the sensor or give bands their slots.</source>
        <translation>Kein Kanal wird erkannt; wählen Sie den Sensor oder geben Sie den Kanälen ihre Rollen.</translation>
    </message>
    <message>
        <source>Reading the scene…</source>
        <translation>Die Szene wird gelesen…</translation>
    </message>
    <message>
        <source>The scene cannot be assessed as it is; see above.</source>
        <translation>Die Szene kann nicht beurteilt werden, wie sie ist; siehe oben.</translation>
    </message>
    <message>
        <source>You will be asked once.</source>
        <translation>Sie werden einmal gefragt.</translation>
    </message>
    <message>
        <source>{number} of {total}: {scene}</source>
        <translation>{number} von {total}: {scene}</translation>
    </message>
    <message>
        <source>{scene}: starting</source>
        <translation>{scene}: beginnt</translation>
    </message>
</context>
<context>
    <name>HazardMapperPlugin</name>
    <message>
        <source>&amp;Hazard Mapper</source>
        <translation>&amp;Hazard Mapper</translation>
    </message>
    <message>
        <source>&amp;Models…</source>
        <translation>&amp;Modelle…</translation>
    </message>
    <message>
        <source>Import, export, compare and delete models, and choose defaults</source>
        <translation>Modelle importieren, exportieren, vergleichen und löschen und Vorgaben wählen</translation>
    </message>
    <message>
        <source>Open Hazard Mapper with this layer as its scene</source>
        <translation>Hazard Mapper mit diesem Layer als Szene öffnen</translation>
    </message>
    <message>
        <source>Segment hazard</source>
        <translation>Gefahr segmentieren</translation>
    </message>
    <message>
        <source>Show or hide Hazard Mapper (Ctrl+Shift+H)</source>
        <translation>Hazard Mapper zeigen oder verbergen (Strg+Umschalt+H)</translation>
    </message>
</context>
<context>
    <name>HazardPolygons</name>
    <message>
        <source>Day of the scene (empty: found out)</source>
        <translation>Tag der Szene (leer: selbst ermittelt)</translation>
    </message>
    <message>
        <source>Hazard area in m²</source>
        <translation>Gefahrenfläche in m²</translation>
    </message>
    <message>
        <source>Hazard polygons</source>
        <translation>Gefahrenpolygone</translation>
    </message>
    <message>
        <source>Join pixels that touch at a corner</source>
        <translation>Pixel verbinden, die sich an einer Ecke berühren</translation>
    </message>
    <message>
        <source>Manual corrections to keep</source>
        <translation>Korrekturen von Hand, die bleiben</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>Minimum area (m²)</source>
        <translation>Mindestfläche (m²)</translation>
    </message>
    <message>
        <source>Number of hazard polygons</source>
        <translation>Zahl der Gefahrenpolygone</translation>
    </message>
    <message>
        <source>Number of manual polygons</source>
        <translation>Zahl der Polygone von Hand</translation>
    </message>
    <message>
        <source>Polygons</source>
        <translation>Polygone</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Share of the mask assessed (0 to 1)</source>
        <translation>Beurteilter Anteil der Maske (0 bis 1)</translation>
    </message>
    <message>
        <source>Simplify (m)</source>
        <translation>Vereinfachen (m)</translation>
    </message>
    <message>
        <source>Smooth (rounds)</source>
        <translation>Glätten (Runden)</translation>
    </message>
    <message>
        <source>Traces a mask to polygons with areas, probabilities and origin; manual corrections are kept.</source>
        <translation>Zeichnet eine Maske als Polygone nach, mit Flächen, Wahrscheinlichkeiten und Herkunft; Korrekturen von Hand bleiben.</translation>
    </message>
    <message>
        <source>Traces the hazard pixels of a mask on their pixel edges: without simplification the polygons have exactly the pixels' area, and holes are kept. Each polygon has its area on the ellipsoid, the mean and least probability of its pixels, scene, date, model, threshold and origin.

Simplification and smoothing work on all polygons together: none crosses another or itself, and corners at which two touch stay. Areas are then those of the simplified shape; probabilities stay those of the traced pixels.

MANUAL is an earlier polygon file: what was drawn by hand in it (origin 'manual') is taken over and wins over the model, what was deleted (origin 'removed') is recorded and cut out.

Pixels that are not assessed are in no polygon; the log says how many. The ending of the output decides the format: .gpkg, .shp, .geojson (always longitude and latitude) or .fgb.</source>
        <translation>Zeichnet die Gefahrenpixel einer Maske an ihren Pixelrändern nach: Ohne Vereinfachung haben die Polygone genau die Fläche der Pixel, und Löcher bleiben. Jedes Polygon hat seine Fläche auf dem Ellipsoid, die mittlere und kleinste Wahrscheinlichkeit seiner Pixel, Szene, Datum, Modell, Schwellenwert und Herkunft.

Vereinfachen und Glätten wirken auf alle Polygone zusammen: Keines kreuzt ein anderes oder sich selbst, und Ecken, an denen sich zwei berühren, bleiben. Flächen sind dann die der vereinfachten Form; Wahrscheinlichkeiten bleiben die der nachgezeichneten Pixel.

MANUAL ist eine frühere Polygondatei: Was darin von Hand gezeichnet wurde (Herkunft „manual“), wird übernommen und gilt vor dem Modell, was gelöscht wurde (Herkunft „removed“), wird vermerkt und herausgeschnitten.

Nicht beurteilte Pixel sind in keinem Polygon; das Protokoll sagt, wie viele. Die Endung der Ausgabe bestimmt das Format: .gpkg, .shp, .geojson (immer Länge und Breite) oder .fgb.</translation>
    </message>
    <message>
        <source>Warnings</source>
        <translation>Warnungen</translation>
    </message>
    <message>
        <source>as one polygon of several parts</source>
        <translation>als ein Polygon aus mehreren Teilen</translation>
    </message>
    <message>
        <source>metres by which outlines may move; 0 keeps pixel edges</source>
        <translation>Meter, um die sich Umrisse verschieben dürfen; 0 behält die Pixelränder</translation>
    </message>
    <message>
        <source>of the same run, for the mean and least probability of each polygon</source>
        <translation>desselben Laufs, für die mittlere und kleinste Wahrscheinlichkeit jedes Polygons</translation>
    </message>
    <message>
        <source>on the ellipsoid; smaller polygons are left out</source>
        <translation>auf dem Ellipsoid; kleinere Polygone werden ausgelassen</translation>
    </message>
    <message>
        <source>polygonize,vectorize,trace,outline,mask,area,simplify,smooth,manual,corrections</source>
        <translation>polygonisieren,vektorisieren,nachzeichnen,umriss,maske,fläche,vereinfachen,glätten,von hand,korrekturen</translation>
    </message>
    <message>
        <source>polygons of an earlier run that were corrected by hand</source>
        <translation>Polygone eines früheren Laufs, die von Hand korrigiert wurden</translation>
    </message>
    <message>
        <source>rounds of corner cutting; each doubles the corners</source>
        <translation>Runden, in denen Ecken abgeschnitten werden; jede verdoppelt die Ecken</translation>
    </message>
    <message>
        <source>year, month and day, for example 2024-09-16</source>
        <translation>Jahr, Monat und Tag, zum Beispiel 2024-09-16</translation>
    </message>
    <message>
        <source>{count} polygons, {area:.4f} km², {manual} of them drawn by hand.</source>
        <translation>{count} Polygone, {area:.4f} km², davon {manual} von Hand gezeichnet.</translation>
    </message>
</context>
<context>
    <name>HazardProvider</name>
    <message>
        <source>Hazard Mapper (deep learning)</source>
        <translation>Hazard Mapper (tiefes Lernen)</translation>
    </message>
</context>
<context>
    <name>HazardReport</name>
    <message>
        <source>Accuracy</source>
        <translation>Genauigkeit</translation>
    </message>
    <message>
        <source>Adaptation</source>
        <translation>Anpassung</translation>
    </message>
    <message>
        <source>Afterwards: {step}</source>
        <translation>Danach: {step}</translation>
    </message>
    <message>
        <source>All pixels of the area were assessed.</source>
        <translation>Alle Pixel des Bereichs wurden beurteilt.</translation>
    </message>
    <message>
        <source>Another threshold</source>
        <translation>Anderer Schwellenwert</translation>
    </message>
    <message>
        <source>Architecture</source>
        <translation>Architektur</translation>
    </message>
    <message>
        <source>Area</source>
        <translation>Bereich</translation>
    </message>
    <message>
        <source>Area by probability</source>
        <translation>Fläche nach Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Balanced accuracy</source>
        <translation>Ausgewogene Genauigkeit</translation>
    </message>
    <message>
        <source>Bands</source>
        <translation>Kanäle</translation>
    </message>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Central</source>
        <translation>Mittel</translation>
    </message>
    <message>
        <source>Chain of custody</source>
        <translation>Herkunftsnachweis</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Änderung</translation>
    </message>
    <message>
        <source>Class</source>
        <translation>Klasse</translation>
    </message>
    <message>
        <source>Confusion, in pixels</source>
        <translation>Konfusion, in Pixeln</translation>
    </message>
    <message>
        <source>Corrected by hand</source>
        <translation>Von Hand korrigiert</translation>
    </message>
    <message>
        <source>Day of the scene before</source>
        <translation>Tag der früheren Szene</translation>
    </message>
    <message>
        <source>Delivery</source>
        <translation>Auslieferung</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Earlier mask</source>
        <translation>Frühere Maske</translation>
    </message>
    <message>
        <source>Error layer</source>
        <translation>Fehlerlayer</translation>
    </message>
    <message>
        <source>Exposure</source>
        <translation>Betroffenheit</translation>
    </message>
    <message>
        <source>F1</source>
        <translation>F1</translation>
    </message>
    <message>
        <source>HTML files (*.html)</source>
        <translation>HTML-Dateien (*.html)</translation>
    </message>
    <message>
        <source>Hazards</source>
        <translation>Gefahren</translation>
    </message>
    <message>
        <source>High</source>
        <translation>Hoch</translation>
    </message>
    <message>
        <source>How much of the scene was assessed is not known: the absence of a hazard is not shown anywhere.</source>
        <translation>Wie viel der Szene beurteilt wurde, ist nicht bekannt: Nirgends ist gezeigt, dass keine Gefahr da ist.</translation>
    </message>
    <message>
        <source>Intersection over union (IoU)</source>
        <translation>Schnitt durch Vereinigung (IoU)</translation>
    </message>
    <message>
        <source>Item</source>
        <translation>Posten</translation>
    </message>
    <message>
        <source>Key figures</source>
        <translation>Kennzahlen</translation>
    </message>
    <message>
        <source>Largest polygons</source>
        <translation>Größte Polygone</translation>
    </message>
    <message>
        <source>Later mask</source>
        <translation>Spätere Maske</translation>
    </message>
    <message>
        <source>Layer '{name}' shows nothing; choose a mask that QGIS can draw.</source>
        <translation>Layer „{name}“ zeigt nichts; wählen Sie eine Maske, die QGIS zeichnen kann.</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Grenzen</translation>
    </message>
    <message>
        <source>Low</source>
        <translation>Niedrig</translation>
    </message>
    <message>
        <source>Made at</source>
        <translation>Erstellt am</translation>
    </message>
    <message>
        <source>Map of the result</source>
        <translation>Karte des Ergebnisses</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>Mask: hazard</source>
        <translation>Maske: Gefahr</translation>
    </message>
    <message>
        <source>Mask: none</source>
        <translation>Maske: keine</translation>
    </message>
    <message>
        <source>Mean balanced accuracy on real scenes</source>
        <translation>Mittlere ausgewogene Genauigkeit auf echten Szenen</translation>
    </message>
    <message>
        <source>Mean probability</source>
        <translation>Mittlere Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Model card</source>
        <translation>Modellsteckbrief</translation>
    </message>
    <message>
        <source>Model: {name}. Its card was not found on this computer.</source>
        <translation>Modell: {name}. Sein Steckbrief war auf diesem Rechner nicht zu finden.</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Not assessed at both dates</source>
        <translation>Nicht an beiden Tagen beurteilt</translation>
    </message>
    <message>
        <source>Not assessed: {share} of the area. Nothing is said there; it is not free of hazard.</source>
        <translation>Nicht beurteilt: {share} des Bereichs. Dort wird nichts gesagt; er ist nicht frei von Gefahr.</translation>
    </message>
    <message>
        <source>Not compared</source>
        <translation>Nicht verglichen</translation>
    </message>
    <message>
        <source>Nothing was prepared; run the algorithm again.</source>
        <translation>Nichts wurde vorbereitet; führen Sie den Algorithmus erneut aus.</translation>
    </message>
    <message>
        <source>Origin</source>
        <translation>Herkunft</translation>
    </message>
    <message>
        <source>Parent</source>
        <translation>Ausgangsmodell</translation>
    </message>
    <message>
        <source>Parent of the model</source>
        <translation>Ausgangsmodell des Modells</translation>
    </message>
    <message>
        <source>Permanent water, slopes and what cannot be seen</source>
        <translation>Ständiges Wasser, Hänge und was nicht zu sehen ist</translation>
    </message>
    <message>
        <source>Polygon</source>
        <translation>Polygon</translation>
    </message>
    <message>
        <source>Polygons</source>
        <translation>Polygone</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>Precision</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Probability of at least</source>
        <translation>Wahrscheinlichkeit von mindestens</translation>
    </message>
    <message>
        <source>Recall</source>
        <translation>Recall</translation>
    </message>
    <message>
        <source>Reference: hazard</source>
        <translation>Referenz: Gefahr</translation>
    </message>
    <message>
        <source>Reference: none</source>
        <translation>Referenz: keine</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>Report of {date}, made by Hazard Mapper.</source>
        <translation>Bericht vom {date}, erstellt von Hazard Mapper.</translation>
    </message>
    <message>
        <source>SHA-256 of it ({name})</source>
        <translation>SHA-256 davon ({name})</translation>
    </message>
    <message>
        <source>SHA-256 of the model</source>
        <translation>SHA-256 des Modells</translation>
    </message>
    <message>
        <source>SHA-256 of the scene</source>
        <translation>SHA-256 der Szene</translation>
    </message>
    <message>
        <source>SHA-256 of the scene before</source>
        <translation>SHA-256 der früheren Szene</translation>
    </message>
    <message>
        <source>Scene</source>
        <translation>Szene</translation>
    </message>
    <message>
        <source>Scene before</source>
        <translation>Frühere Szene</translation>
    </message>
    <message>
        <source>Scene, as background</source>
        <translation>Szene, als Hintergrund</translation>
    </message>
    <message>
        <source>Scores, set by set</source>
        <translation>Güten, Datensatz für Datensatz</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Table '{name}' has no field {missing}; choose the table that Exposure wrote.</source>
        <translation>Tabelle „{name}“ hat kein Feld {missing}; wählen Sie die Tabelle, die Betroffenheit geschrieben hat.</translation>
    </message>
    <message>
        <source>Table of exposure</source>
        <translation>Tabelle der Betroffenheit</translation>
    </message>
    <message>
        <source>The mask does not tell the job that made it.</source>
        <translation>Die Maske nennt den Auftrag nicht, der sie gemacht hat.</translation>
    </message>
    <message>
        <source>The model was adapted to a scene; the stages are not told in the mask.</source>
        <translation>Das Modell wurde an eine Szene angepasst; die Stufen nennt die Maske nicht.</translation>
    </message>
    <message>
        <source>The model was used as it is; it was not adapted to this scene.</source>
        <translation>Das Modell wurde verwendet, wie es ist; es wurde nicht an diese Szene angepasst.</translation>
    </message>
    <message>
        <source>The report is to be '{path}'; choose a name ending in .html.</source>
        <translation>Der Bericht soll „{path}“ heißen; wählen Sie einen Namen, der auf .html endet.</translation>
    </message>
    <message>
        <source>Thresholds</source>
        <translation>Schwellenwerte</translation>
    </message>
    <message>
        <source>Title</source>
        <translation>Titel</translation>
    </message>
    <message>
        <source>Traced to polygons</source>
        <translation>Als Polygone nachgezeichnet</translation>
    </message>
    <message>
        <source>Unit</source>
        <translation>Einheit</translation>
    </message>
    <message>
        <source>Units</source>
        <translation>Einheiten</translation>
    </message>
    <message>
        <source>Versions</source>
        <translation>Versionen</translation>
    </message>
    <message>
        <source>Writes one HTML file that needs no other file and no network: the map, key figures, the area at each probability, the model's card with its scores, what adapting came to, the settings of the run, hashes and versions, and the limits. It can be printed.

Give what else you have of the same result: its probability, polygons, the table of Exposure, the error layer of Evaluate mask, the change of Compare masks. What is not given is left out. What the mask does not assess is told as such; it is not free of hazard.</source>
        <translation>Schreibt eine HTML-Datei, die keine andere Datei und kein Netz braucht: die Karte, Kennzahlen, die Fläche bei jeder Wahrscheinlichkeit, den Steckbrief des Modells mit seinen Güten, was das Anpassen brachte, die Einstellungen des Laufs, Prüfsummen und Versionen, und die Grenzen. Sie lässt sich drucken.

Geben Sie an, was Sie sonst vom selben Ergebnis haben: seine Wahrscheinlichkeit, Polygone, die Tabelle von Betroffenheit, den Fehlerlayer von Maske bewerten, die Änderung von Masken zweier Tage vergleichen. Was nicht angegeben ist, wird weggelassen. Was die Maske nicht beurteilt, wird als solches genannt; es ist nicht frei von Gefahr.</translation>
    </message>
    <message>
        <source>Writes one HTML file with map, numbers, model card, adaptation, settings and limits of a result.</source>
        <translation>Schreibt eine HTML-Datei mit Karte, Zahlen, Modellsteckbrief, Anpassung, Einstellungen und Grenzen eines Ergebnisses.</translation>
    </message>
    <message>
        <source>composed from the hazard when left empty</source>
        <translation>ohne Angabe aus der Gefahr gebildet</translation>
    </message>
    <message>
        <source>default</source>
        <translation>Vorgabe</translation>
    </message>
    <message>
        <source>not defined</source>
        <translation>nicht definiert</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>nicht bekannt</translation>
    </message>
    <message>
        <source>not measured</source>
        <translation>nicht gemessen</translation>
    </message>
    <message>
        <source>report,html,summary,model card,statistics,provenance,limits</source>
        <translation>bericht,html,zusammenfassung,modellsteckbrief,statistik,herkunft,grenzen</translation>
    </message>
    <message>
        <source>threshold used</source>
        <translation>verwendeter Schwellenwert</translation>
    </message>
    <message>
        <source>threshold {value}</source>
        <translation>Schwellenwert {value}</translation>
    </message>
    <message>
        <source>with the fields item, class, unit, low, central and high</source>
        <translation>mit den Feldern item, class, unit, low, central und high</translation>
    </message>
    <message>
        <source>written by Evaluate mask; it holds the scores</source>
        <translation>von Maske bewerten geschrieben; enthält die Güten</translation>
    </message>
    <message>
        <source>{count} pixels that the mask does not assess are left out.</source>
        <translation>{count} Pixel, die die Maske nicht beurteilt, werden ausgelassen.</translation>
    </message>
</context>
<context>
    <name>Hazards</name>
    <message>
        <source>Any</source>
        <translation>Beliebige</translation>
    </message>
    <message>
        <source>Flood</source>
        <translation>Überflutung</translation>
    </message>
    <message>
        <source>Glacier collapse</source>
        <translation>Gletscherabbruch</translation>
    </message>
    <message>
        <source>Landslide</source>
        <translation>Rutschung</translation>
    </message>
    <message>
        <source>New flood</source>
        <translation>Neue Überflutung</translation>
    </message>
    <message>
        <source>New glacier collapse</source>
        <translation>Neuer Gletscherabbruch</translation>
    </message>
    <message>
        <source>New landslide</source>
        <translation>Neue Rutschung</translation>
    </message>
    <message>
        <source>New: {hazard}</source>
        <translation>Neu: {hazard}</translation>
    </message>
    <message>
        <source>{hazard} change by adapting - {scene}</source>
        <translation>{hazard}, Änderung durch Anpassung - {scene}</translation>
    </message>
    <message>
        <source>{hazard} probability - {scene}</source>
        <translation>{hazard}, Wahrscheinlichkeit - {scene}</translation>
    </message>
    <message>
        <source>{hazard} probability, not adapted - {scene}</source>
        <translation>{hazard}, Wahrscheinlichkeit, nicht angepasst - {scene}</translation>
    </message>
    <message>
        <source>{hazard}, not adapted - {scene}</source>
        <translation>{hazard}, nicht angepasst - {scene}</translation>
    </message>
</context>
<context>
    <name>HelpDialog</name>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Contents</source>
        <translation>Inhalt</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
    <message>
        <source>Show the list of all pages</source>
        <translation>Die Liste aller Seiten zeigen</translation>
    </message>
    <message>
        <source>Show the page before</source>
        <translation>Die Seite davor zeigen</translation>
    </message>
</context>
<context>
    <name>HelpEntry</name>
    <message>
        <source>&amp;Hazard Mapper</source>
        <translation>&amp;Hazard Mapper</translation>
    </message>
    <message>
        <source>First map, method, scores, limits: pages that came with the plugin</source>
        <translation>Erste Karte, Verfahren, Güten, Grenzen: Seiten, die mit der Erweiterung kamen</translation>
    </message>
    <message>
        <source>Hel&amp;p</source>
        <translation>&amp;Hilfe</translation>
    </message>
</context>
<context>
    <name>LayerOrigin</name>
    <message>
        <source>Adaptation</source>
        <translation>Anpassung</translation>
    </message>
    <message>
        <source>Day of the scene before</source>
        <translation>Tag der früheren Szene</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Hazard</source>
        <translation>Gefahr</translation>
    </message>
    <message>
        <source>Job</source>
        <translation>Auftrag</translation>
    </message>
    <message>
        <source>Made by Hazard Mapper. A model's opinion: check it before anyone relies on it. 255 is not assessed.</source>
        <translation>Erstellt von Hazard Mapper. Die Meinung eines Modells: Prüfen Sie sie, bevor sich jemand darauf verlässt. 255 ist nicht beurteilt.</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>SHA-256 of the model</source>
        <translation>SHA-256 des Modells</translation>
    </message>
    <message>
        <source>SHA-256 of the scene</source>
        <translation>SHA-256 der Szene</translation>
    </message>
    <message>
        <source>SHA-256 of the scene before</source>
        <translation>SHA-256 der früheren Szene</translation>
    </message>
    <message>
        <source>Scene</source>
        <translation>Szene</translation>
    </message>
    <message>
        <source>Scene before</source>
        <translation>Frühere Szene</translation>
    </message>
    <message>
        <source>Share compared with it</source>
        <translation>Anteil, der mit ihr verglichen wurde</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>Schwellenwert</translation>
    </message>
</context>
<context>
    <name>Learning</name>
    <message>
        <source>Always train on all bands of a scene (no channel sampling)</source>
        <translation>Immer mit allen Kanälen einer Szene trainieren (keine Kanalauswahl)</translation>
    </message>
    <message>
        <source>At most so many gigabytes of decoded data</source>
        <translation>Höchstens so viele Gigabyte entpackter Daten</translation>
    </message>
    <message>
        <source>At most so many minutes (empty: no limit)</source>
        <translation>Höchstens so viele Minuten (leer: unbegrenzt)</translation>
    </message>
    <message>
        <source>Balanced accuracy in validation (0 to 1)</source>
        <translation>Ausgewogene Genauigkeit bei der Validierung (0 bis 1)</translation>
    </message>
    <message>
        <source>Batch size</source>
        <translation>Stapelgröße (Batch)</translation>
    </message>
    <message>
        <source>Cancelled; the checkpoint is kept: run again with RESUME to go on.</source>
        <translation>Abgebrochen; der Zwischenstand bleibt: Starten Sie mit RESUME erneut, um fortzusetzen.</translation>
    </message>
    <message>
        <source>Device (auto, cpu, cuda:0, mps)</source>
        <translation>Gerät (auto, cpu, cuda:0, mps)</translation>
    </message>
    <message>
        <source>Device used</source>
        <translation>Verwendetes Gerät</translation>
    </message>
    <message>
        <source>Epochs (empty: the engine's default)</source>
        <translation>Epochen (leer: Vorgabe des Rechenkerns)</translation>
    </message>
    <message>
        <source>Folder in which decoded training data are kept (empty: none)</source>
        <translation>Ordner, in dem entpackte Trainingsdaten aufgehoben werden (leer: keiner)</translation>
    </message>
    <message>
        <source>Folder of the model</source>
        <translation>Ordner des Modells</translation>
    </message>
    <message>
        <source>Go on from the last checkpoint of the same run</source>
        <translation>Vom letzten Zwischenstand desselben Laufs fortsetzen</translation>
    </message>
    <message>
        <source>How the run ended (finished, time, early)</source>
        <translation>Wie der Lauf endete (finished, time, early)</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>Lernrate</translation>
    </message>
    <message>
        <source>Loss in validation</source>
        <translation>Verlust bei der Validierung</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Name of the model</source>
        <translation>Name des Modells</translation>
    </message>
    <message>
        <source>Optimiser</source>
        <translation>Optimierer</translation>
    </message>
    <message>
        <source>Processes that prepare chips</source>
        <translation>Prozesse, die Bildausschnitte vorbereiten</translation>
    </message>
    <message>
        <source>Replace a model that exists</source>
        <translation>Ein vorhandenes Modell ersetzen</translation>
    </message>
    <message>
        <source>Save as (name of the new model, or a folder)</source>
        <translation>Speichern als (Name des neuen Modells oder ein Ordner)</translation>
    </message>
    <message>
        <source>Seconds taken</source>
        <translation>Gebrauchte Sekunden</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Startwert</translation>
    </message>
    <message>
        <source>Steps an epoch (empty: all of the data)</source>
        <translation>Schritte je Epoche (leer: alle Daten)</translation>
    </message>
    <message>
        <source>Steps done</source>
        <translation>Getane Schritte</translation>
    </message>
    <message>
        <source>Stop after so many epochs without a better validation (0: never)</source>
        <translation>Nach so vielen Epochen ohne bessere Validierung aufhören (0: nie)</translation>
    </message>
    <message>
        <source>The folder of training data '{folder}' does not exist; choose one, or leave DATA empty.</source>
        <translation>Den Ordner mit Trainingsdaten „{folder}“ gibt es nicht; wählen Sie einen, oder lassen Sie DATA leer.</translation>
    </message>
    <message>
        <source>Warnings</source>
        <translation>Warnungen</translation>
    </message>
</context>
<context>
    <name>MapSheet</name>
    <message>
        <source>A file cannot be written ({error}); check the folder and the free disk space.</source>
        <translation>Eine Datei kann nicht geschrieben werden ({error}); prüfen Sie den Ordner und den freien Speicherplatz.</translation>
    </message>
    <message>
        <source>Adaptation</source>
        <translation>Anpassung</translation>
    </message>
    <message>
        <source>Area (the whole mask when left empty)</source>
        <translation>Bereich (ohne Angabe die ganze Maske)</translation>
    </message>
    <message>
        <source>Area mapped</source>
        <translation>Kartierte Fläche</translation>
    </message>
    <message>
        <source>Between {low} % and {high} % probability as limit, the area is {likely}.</source>
        <translation>Mit Grenzen zwischen {low} % und {high} % Wahrscheinlichkeit ist die Fläche {likely}.</translation>
    </message>
    <message>
        <source>But {share} of what was assessed is not on the image before: there all is mapped, new or not.</source>
        <translation>Doch {share} des Beurteilten zeigt das Bild davor nicht: Dort ist alles kartiert, ob neu oder nicht.</translation>
    </message>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Change, drawn instead of the mask</source>
        <translation>Änderung, statt der Maske gezeichnet</translation>
    </message>
    <message>
        <source>Confidence</source>
        <translation>Sicherheit</translation>
    </message>
    <message>
        <source>Coordinate system</source>
        <translation>Koordinatensystem</translation>
    </message>
    <message>
        <source>Countries</source>
        <translation>Staaten</translation>
    </message>
    <message>
        <source>Date of the sheet</source>
        <translation>Datum des Blatts</translation>
    </message>
    <message>
        <source>Delivery</source>
        <translation>Auslieferung</translation>
    </message>
    <message>
        <source>Disclaimer</source>
        <translation>Haftungsausschluss</translation>
    </message>
    <message>
        <source>Dots per inch</source>
        <translation>Punkte je Zoll</translation>
    </message>
    <message>
        <source>Drawing the {kind}</source>
        <translation>{kind} wird gezeichnet</translation>
    </message>
    <message>
        <source>Further sources</source>
        <translation>Weitere Quellen</translation>
    </message>
    <message>
        <source>Gained</source>
        <translation>Gewonnen</translation>
    </message>
    <message>
        <source>Georeferenced PNG</source>
        <translation>Georeferenziertes PNG</translation>
    </message>
    <message>
        <source>How much could be assessed is not known.</source>
        <translation>Wie viel beurteilt werden konnte, ist nicht bekannt.</translation>
    </message>
    <message>
        <source>Image before</source>
        <translation>Bild davor</translation>
    </message>
    <message>
        <source>Image before: {scene}</source>
        <translation>Bild davor: {scene}</translation>
    </message>
    <message>
        <source>Image date</source>
        <translation>Bilddatum</translation>
    </message>
    <message>
        <source>Image: {scene}</source>
        <translation>Bild: {scene}</translation>
    </message>
    <message>
        <source>Keep the layout in the project, to be edited</source>
        <translation>Das Layout zum Bearbeiten im Projekt behalten</translation>
    </message>
    <message>
        <source>Key figures</source>
        <translation>Kennzahlen</translation>
    </message>
    <message>
        <source>Layer '{name}' shows nothing; choose a mask that QGIS can draw.</source>
        <translation>Layer „{name}“ zeigt nichts; wählen Sie eine Maske, die QGIS zeichnen kann.</translation>
    </message>
    <message>
        <source>Legend</source>
        <translation>Legende</translation>
    </message>
    <message>
        <source>Likely range</source>
        <translation>Wahrscheinliche Spanne</translation>
    </message>
    <message>
        <source>Location</source>
        <translation>Lage</translation>
    </message>
    <message>
        <source>Lost</source>
        <translation>Verloren</translation>
    </message>
    <message>
        <source>Makes a print layout of a mask, filled and editable, and writes it as PDF and georeferenced PNG.</source>
        <translation>Macht aus einer Maske ein ausgefülltes, bearbeitbares Drucklayout und schreibt es als PDF und georeferenziertes PNG.</translation>
    </message>
    <message>
        <source>Makes a sheet with title, map, legend, key figures, scale bar, north arrow, grid, locator, sources, a note on confidence and a disclaimer. The page lies or stands, whichever shows the area larger, and the scale is rounded.

Figures, model, hashes and dates come from the mask itself. Give the probability as well, and the sheet tells the range between a stricter and a looser threshold, as Exposure does. What is not assessed is drawn in grey and named in the legend.

ADD_TO_PROJECT keeps the layout in the project (Project, Layouts), where every part can be edited, with the layers that it needs in a group of its own. PNG gets a world file; its and the PDF's coordinates are those of the map on the sheet.</source>
        <translation>Macht ein Blatt mit Titel, Karte, Legende, Kennzahlen, Maßstabsleiste, Nordpfeil, Gitter, Übersichtskarte, Quellen, einer Angabe zur Sicherheit und einem Haftungsausschluss. Die Seite liegt oder steht, je nachdem, was den Bereich größer zeigt, und der Maßstab ist gerundet.

Zahlen, Modell, Prüfsummen und Daten kommen aus der Maske selbst. Geben Sie auch die Wahrscheinlichkeit an, dann nennt das Blatt die Spanne zwischen einem strengeren und einem lockereren Schwellenwert, wie es Betroffenheit tut. Was nicht beurteilt ist, wird grau gezeichnet und in der Legende genannt.

ADD_TO_PROJECT behält das Layout im Projekt (Projekt, Layouts), wo sich jeder Teil bearbeiten lässt, mit den Layern, die es braucht, in einer eigenen Gruppe. Das PNG bekommt eine World-Datei; seine Koordinaten und die des PDF sind die der Karte auf dem Blatt.</translation>
    </message>
    <message>
        <source>Map sheet</source>
        <translation>Kartenblatt</translation>
    </message>
    <message>
        <source>Map sheet - {title}</source>
        <translation>Kartenblatt - {title}</translation>
    </message>
    <message>
        <source>Mapped by a deep-learning model from one image and corrected by hand; not checked in the field.</source>
        <translation>Von einem tief lernenden Modell aus einem Bild kartiert und von Hand korrigiert; nicht im Gelände geprüft.</translation>
    </message>
    <message>
        <source>Mapped by a deep-learning model from one image; not checked in the field.</source>
        <translation>Von einem tief lernenden Modell aus einem Bild kartiert; nicht im Gelände geprüft.</translation>
    </message>
    <message>
        <source>Mapped by a deep-learning model, with an image from before the event, and corrected by hand; not checked in the field.</source>
        <translation>Mit einem Deep-Learning-Modell und einem Bild von vor dem Ereignis kartiert und von Hand berichtigt; nicht im Gelände geprüft.</translation>
    </message>
    <message>
        <source>Mapped by a deep-learning model, with an image from before the event; not checked in the field.</source>
        <translation>Mit einem Deep-Learning-Modell und einem Bild von vor dem Ereignis kartiert; nicht im Gelände geprüft.</translation>
    </message>
    <message>
        <source>Mapping: Hazard Mapper, model {model}</source>
        <translation>Kartierung: Hazard Mapper, Modell {model}</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Name of the layout</source>
        <translation>Name des Layouts</translation>
    </message>
    <message>
        <source>No coordinate system: scale and place are not known.</source>
        <translation>Kein Koordinatensystem: Maßstab und Ort sind nicht bekannt.</translation>
    </message>
    <message>
        <source>Not assessed</source>
        <translation>Nicht beurteilt</translation>
    </message>
    <message>
        <source>Not compared</source>
        <translation>Nicht verglichen</translation>
    </message>
    <message>
        <source>Nothing is asked for; name a PDF or PNG, or keep the layout in the project.</source>
        <translation>Nichts ist verlangt; nennen Sie ein PDF oder PNG, oder behalten Sie das Layout im Projekt.</translation>
    </message>
    <message>
        <source>Organisation</source>
        <translation>Organisation</translation>
    </message>
    <message>
        <source>Outlines of countries: Natural Earth, as installed with QGIS</source>
        <translation>Staatsumrisse: Natural Earth, wie mit QGIS installiert</translation>
    </message>
    <message>
        <source>PDF</source>
        <translation>PDF</translation>
    </message>
    <message>
        <source>PDF files (*.pdf)</source>
        <translation>PDF-Dateien (*.pdf)</translation>
    </message>
    <message>
        <source>PNG files (*.png)</source>
        <translation>PNG-Dateien (*.png)</translation>
    </message>
    <message>
        <source>Page</source>
        <translation>Seite</translation>
    </message>
    <message>
        <source>Permanent water</source>
        <translation>Ständiges Wasser</translation>
    </message>
    <message>
        <source>Permanent water or water on both dates</source>
        <translation>Dauerhaftes Gewässer oder Wasser an beiden Tagen</translation>
    </message>
    <message>
        <source>Polygons</source>
        <translation>Polygone</translation>
    </message>
    <message>
        <source>Polygons, drawn as they are</source>
        <translation>Polygone, so gezeichnet, wie sie sind</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Produced {date}</source>
        <translation>Erstellt {date}</translation>
    </message>
    <message>
        <source>Ruled out by slope</source>
        <translation>Durch den Hang ausgeschlossen</translation>
    </message>
    <message>
        <source>Scale (its denominator)</source>
        <translation>Maßstab (sein Nenner)</translation>
    </message>
    <message>
        <source>Scale 1:{scale} on {page}</source>
        <translation>Maßstab 1:{scale} auf {page}</translation>
    </message>
    <message>
        <source>Scene, as background</source>
        <translation>Szene, als Hintergrund</translation>
    </message>
    <message>
        <source>Sensor</source>
        <translation>Sensor</translation>
    </message>
    <message>
        <source>Sources</source>
        <translation>Quellen</translation>
    </message>
    <message>
        <source>Subtitle</source>
        <translation>Untertitel</translation>
    </message>
    <message>
        <source>The area cannot be drawn in {crs}; choose another coordinate system for the sheet.</source>
        <translation>Der Bereich lässt sich in {crs} nicht zeichnen; wählen Sie ein anderes Koordinatensystem für das Blatt.</translation>
    </message>
    <message>
        <source>The chosen area does not touch the mask '{name}'; move it or leave it empty.</source>
        <translation>Der gewählte Bereich berührt die Maske „{name}“ nicht; verschieben Sie ihn oder lassen Sie ihn leer.</translation>
    </message>
    <message>
        <source>The figures are of the whole area mapped, of which the map shows a part.</source>
        <translation>Die Zahlen gelten für den ganzen kartierten Bereich, von dem die Karte einen Teil zeigt.</translation>
    </message>
    <message>
        <source>The folder of '{path}' does not exist; make it or choose another.</source>
        <translation>Den Ordner von „{path}“ gibt es nicht; legen Sie ihn an oder wählen Sie einen anderen.</translation>
    </message>
    <message>
        <source>The picture is too large for the memory; choose fewer dots per inch or A4.</source>
        <translation>Das Bild ist zu groß für den Speicher; wählen Sie weniger Punkte je Zoll oder A4.</translation>
    </message>
    <message>
        <source>The sheet '{path}' cannot be written; check the folder and the free disk space.</source>
        <translation>Das Blatt „{path}“ kann nicht geschrieben werden; prüfen Sie den Ordner und den freien Speicherplatz.</translation>
    </message>
    <message>
        <source>The {kind} is to be '{path}'; choose a name ending in {ending}.</source>
        <translation>Für {kind} ist „{path}“ genannt; wählen Sie einen Namen, der auf {ending} endet.</translation>
    </message>
    <message>
        <source>This product was derived from remote sensing by automatic means and may hold errors of position, extent and class. It supports decisions and does not replace them: verify on the ground before lives or property depend on it. Boundaries and names imply no opinion on the status of any territory.</source>
        <translation>Dieses Produkt wurde automatisch aus Fernerkundung abgeleitet und kann Fehler in Lage, Ausmaß und Klasse enthalten. Es hilft bei Entscheidungen und ersetzt sie nicht: Prüfen Sie vor Ort, bevor Leben oder Besitz davon abhängen. Grenzen und Namen bedeuten keine Meinung zum Status eines Gebiets.</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>Schwellenwert</translation>
    </message>
    <message>
        <source>Title</source>
        <translation>Titel</translation>
    </message>
    <message>
        <source>Unchanged</source>
        <translation>Unverändert</translation>
    </message>
    <message>
        <source>Water on both dates</source>
        <translation>Wasser an beiden Tagen</translation>
    </message>
    <message>
        <source>What was there on {before} is left out.</source>
        <translation>Was schon vorher da war ({before}), ist weggelassen.</translation>
    </message>
    <message>
        <source>a general one when left empty</source>
        <translation>ohne Angabe ein allgemeiner</translation>
    </message>
    <message>
        <source>aerial or satellite image (RGB)</source>
        <translation>Luft- oder Satellitenbild (RGB)</translation>
    </message>
    <message>
        <source>composed from the hazard when left empty</source>
        <translation>ohne Angabe aus der Gefahr gebildet</translation>
    </message>
    <message>
        <source>custom coordinate system</source>
        <translation>eigenes Koordinatensystem</translation>
    </message>
    <message>
        <source>less than 1 %</source>
        <translation>weniger als 1 %</translation>
    </message>
    <message>
        <source>more than 99 %</source>
        <translation>mehr als 99 %</translation>
    </message>
    <message>
        <source>no coordinate system</source>
        <translation>kein Koordinatensystem</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>nicht bekannt</translation>
    </message>
    <message>
        <source>of the same run; adds the likely range of the area</source>
        <translation>desselben Laufs; fügt die wahrscheinliche Spanne der Fläche hinzu</translation>
    </message>
    <message>
        <source>one a line; scene and model are named anyway</source>
        <translation>eine je Zeile; Szene und Modell werden ohnehin genannt</translation>
    </message>
    <message>
        <source>print,layout,map,pdf,png,sheet,poster,cartography,legend</source>
        <translation>drucken,layout,karte,pdf,png,blatt,poster,kartografie,legende</translation>
    </message>
    <message>
        <source>scene and day when left empty</source>
        <translation>ohne Angabe Szene und Tag</translation>
    </message>
    <message>
        <source>the project's if it is in metres, else the mask's or the fitting UTM zone</source>
        <translation>das des Projekts, wenn es in Metern ist, sonst das der Maske oder die passende UTM-Zone</translation>
    </message>
    <message>
        <source>today when left empty</source>
        <translation>ohne Angabe heute</translation>
    </message>
    <message>
        <source>written by Compare masks; its style is used as it is</source>
        <translation>von Masken zweier Tage vergleichen geschrieben; ihr Stil wird verwendet, wie er ist</translation>
    </message>
    <message>
        <source>{hazard} (sheet)</source>
        <translation>{hazard} (Blatt)</translation>
    </message>
    <message>
        <source>{hazard} area</source>
        <translation>Fläche der Gefahr {hazard}</translation>
    </message>
    <message>
        <source>{hazard} delineation</source>
        <translation>{hazard}, Abgrenzung</translation>
    </message>
    <message>
        <source>{hazard} includes permanent water.</source>
        <translation>{hazard} schließt ständiges Wasser ein.</translation>
    </message>
    <message>
        <source>{hazard} outline</source>
        <translation>{hazard}, Umriss</translation>
    </message>
    <message>
        <source>{low} to {high}</source>
        <translation>{low} bis {high}</translation>
    </message>
    <message>
        <source>{scene}, compared with {before}</source>
        <translation>{scene}, verglichen mit {before}</translation>
    </message>
    <message>
        <source>{scene}, image of {day}</source>
        <translation>{scene}, Bild vom {day}</translation>
    </message>
    <message>
        <source>{share} of the area could not be assessed (cloud, shadow or no data): there the sheet says nothing.</source>
        <translation>{share} des Bereichs konnten nicht beurteilt werden (Wolken, Schatten oder keine Daten): Dort sagt das Blatt nichts.</translation>
    </message>
</context>
<context>
    <name>Messages</name>
    <message>
        <source>Choose a layer that Hazard Mapper made: a mask, its probability or its polygons.</source>
        <translation>Wählen Sie einen Layer, den Hazard Mapper erzeugt hat: eine Maske, ihre Wahrscheinlichkeit oder ihre Polygone.</translation>
    </message>
    <message>
        <source>Draw the probability at another threshold, see its area, and write the mask anew</source>
        <translation>Die Wahrscheinlichkeit mit anderem Schwellenwert zeichnen, die Fläche sehen und die Maske neu schreiben</translation>
    </message>
    <message>
        <source>Explain what can be made of a result</source>
        <translation>Erklären, was sich aus einem Ergebnis machen lässt</translation>
    </message>
    <message>
        <source>Help on delivering</source>
        <translation>Hilfe zum Ausliefern</translation>
    </message>
    <message>
        <source>Move the threshold</source>
        <translation>Den Schwellenwert verschieben</translation>
    </message>
    <message>
        <source>Open log</source>
        <translation>Protokoll öffnen</translation>
    </message>
    <message>
        <source>QGIS cannot open the mask {path}.</source>
        <translation>QGIS kann die Maske {path} nicht öffnen.</translation>
    </message>
    <message>
        <source>Removed polygons of '{name}' could not be recorded.</source>
        <translation>Entfernte Polygone von „{name}“ ließen sich nicht vermerken.</translation>
    </message>
    <message>
        <source>Show the log panel, where more is told</source>
        <translation>Das Protokollfenster zeigen, wo mehr steht</translation>
    </message>
    <message>
        <source>Show this result in the map</source>
        <translation>Dieses Ergebnis in der Karte zeigen</translation>
    </message>
    <message>
        <source>That layer is no longer in the project.</source>
        <translation>Dieser Layer ist nicht mehr im Projekt.</translation>
    </message>
    <message>
        <source>The project was closed meanwhile; the mask is in {path}.</source>
        <translation>Das Projekt wurde inzwischen geschlossen; die Maske liegt in {path}.</translation>
    </message>
    <message>
        <source>Zoom</source>
        <translation>Zoomen</translation>
    </message>
    <message>
        <source>{algorithm} cannot be opened; enable the Processing plugin.</source>
        <translation>{algorithm} lässt sich nicht öffnen; schalten Sie die Erweiterung Processing ein.</translation>
    </message>
    <message>
        <source>{name}: {found}, in {file}.</source>
        <translation>{name}: {found}, in {file}.</translation>
    </message>
</context>
<context>
    <name>ModelCard</name>
    <message>
        <source>Adaptation</source>
        <translation>Anpassung</translation>
    </message>
    <message>
        <source>All models…</source>
        <translation>Alle Modelle…</translation>
    </message>
    <message>
        <source>Architecture</source>
        <translation>Architektur</translation>
    </message>
    <message>
        <source>Default for</source>
        <translation>Vorgabe für</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>Hazards</source>
        <translation>Gefahren</translation>
    </message>
    <message>
        <source>Import, export, compare and delete models, and choose defaults</source>
        <translation>Modelle importieren, exportieren, vergleichen und löschen und Vorgaben wählen</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Grenzen</translation>
    </message>
    <message>
        <source>Manage models…</source>
        <translation>Modelle verwalten…</translation>
    </message>
    <message>
        <source>Mean balanced accuracy</source>
        <translation>Mittlere ausgewogene Genauigkeit</translation>
    </message>
    <message>
        <source>Model card: {title}</source>
        <translation>Modellsteckbrief: {title}</translation>
    </message>
    <message>
        <source>Parent</source>
        <translation>Ausgangsmodell</translation>
    </message>
    <message>
        <source>Scores</source>
        <translation>Güten</translation>
    </message>
    <message>
        <source>Show the scores of all bundled models, set by set, beside simple rules</source>
        <translation>Die Güten aller mitgelieferten Modelle zeigen, Datensatz für Datensatz, neben einfachen Regeln</translation>
    </message>
    <message>
        <source>Thresholds</source>
        <translation>Schwellenwerte</translation>
    </message>
    <message>
        <source>Thresholds for display values</source>
        <translation>Schwellenwerte für Anzeigewerte</translation>
    </message>
    <message>
        <source>Thresholds for what is new</source>
        <translation>Schwellenwerte für das, was neu ist</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>balanced accuracy</source>
        <translation>ausgewogene Genauigkeit</translation>
    </message>
    <message>
        <source>false area</source>
        <translation>falsche Fläche</translation>
    </message>
    <message>
        <source>hazard</source>
        <translation>Gefahr</translation>
    </message>
    <message>
        <source>mode</source>
        <translation>Weise</translation>
    </message>
    <message>
        <source>not measured on real scenes yet</source>
        <translation>noch nicht auf echten Szenen gemessen</translation>
    </message>
    <message>
        <source>precision</source>
        <translation>Precision</translation>
    </message>
    <message>
        <source>recall</source>
        <translation>Recall</translation>
    </message>
    <message>
        <source>set</source>
        <translation>Datensatz</translation>
    </message>
</context>
<context>
    <name>ModelCards</name>
    <message>
        <source>A small Attention U-Net for any set of optical and C-band radar bands, trained on simulated scenes only. Flood: water wherever it is seen, plants standing in it included. Landslide: fresh scars, tracks and deposits. Glacier collapse: the ice-rock lobe, its track and its source. One more head answers for any of them.</source>
        <translation>Ein kleines Attention U-Net für beliebige optische und C-Band-Radarkanäle, nur mit simulierten Szenen trainiert. Überflutung: Wasser, wo immer es zu sehen ist, darin stehende Pflanzen eingeschlossen. Rutschung: frische Narben, Bahnen und Ablagerungen. Gletscherabbruch: die Zunge aus Eis und Fels, ihre Bahn und ihr Ursprung. Eine weitere Ausgabe antwortet für jede davon.</translation>
    </message>
    <message>
        <source>A small Residual U-Net for any set of optical and C-band radar bands, trained on simulated scenes only. Flood: water wherever it is seen, plants standing in it included. Landslide: fresh scars, tracks and deposits. Glacier collapse: the ice-rock lobe, its track and its source. One more head answers for any of them.</source>
        <translation>Ein kleines Residual U-Net für beliebige optische und C-Band-Radarkanäle, nur mit simulierten Szenen trainiert. Überflutung: Wasser, wo immer es zu sehen ist, darin stehende Pflanzen eingeschlossen. Rutschung: frische Narben, Bahnen und Ablagerungen. Gletscherabbruch: die Zunge aus Eis und Fels, ihre Bahn und ihr Ursprung. Eine weitere Ausgabe antwortet für jede davon.</translation>
    </message>
    <message>
        <source>A small U-Net for any set of optical and C-band radar bands, trained on simulated scenes only. Flood: water wherever it is seen, plants standing in it included. Landslide: fresh scars, tracks and deposits. Glacier collapse: the ice-rock lobe, its track and its source. One more head answers for any of them.</source>
        <translation>Ein kleines U-Net für beliebige optische und C-Band-Radarkanäle, nur mit simulierten Szenen trainiert. Überflutung: Wasser, wo immer es zu sehen ist, darin stehende Pflanzen eingeschlossen. Rutschung: frische Narben, Bahnen und Ablagerungen. Gletscherabbruch: die Zunge aus Eis und Fels, ihre Bahn und ihr Ursprung. Eine weitere Ausgabe antwortet für jede davon.</translation>
    </message>
    <message>
        <source>A small U-Net++ for any set of optical and C-band radar bands, trained on simulated scenes only. Flood: water wherever it is seen, plants standing in it included. Landslide: fresh scars, tracks and deposits. Glacier collapse: the ice-rock lobe, its track and its source. One more head answers for any of them.</source>
        <translation>Ein kleines U-Net++ für beliebige optische und C-Band-Radarkanäle, nur mit simulierten Szenen trainiert. Überflutung: Wasser, wo immer es zu sehen ist, darin stehende Pflanzen eingeschlossen. Rutschung: frische Narben, Bahnen und Ablagerungen. Gletscherabbruch: die Zunge aus Eis und Fels, ihre Bahn und ihr Ursprung. Eine weitere Ausgabe antwortet für jede davon.</translation>
    </message>
    <message>
        <source>Attention U-Net, any sensor</source>
        <translation>Attention U-Net, jeder Sensor</translation>
    </message>
    <message>
        <source>Flood marks all water of the scene, permanent water too: compare with a map of permanent water for the flood alone. RGB without near infrared is weak for water, and so is muddy water in RGB beside bare ground. Cloud shadow over forest can pass for water, and so does snow in composites without near infrared (a fifth to three fifths of a summer scene at Blatten). Landslides and glacier collapses are told from optical bands only; bare fields are confused with landslides at 30 m, and scars on ground that was bare before cannot be told on one date. In aerial images of half a metre most of a landslide is missed; in three display bands no simulated collapse is found. No labelled glacier collapse was at hand: its recall is known on simulated scenes only. The real sets that the scores name were looked at while the simulator and the rule for thresholds were made: they are development sets, and other scenes may score lower.</source>
        <translation>Überflutung markiert alles Wasser der Szene, auch ständiges: Für die Überflutung allein vergleichen Sie mit einer Karte ständigen Wassers. RGB ohne nahes Infrarot ist schwach für Wasser, ebenso trübes Wasser in RGB neben nacktem Boden. Wolkenschatten über Wald kann als Wasser gelten, ebenso Schnee in Kompositen ohne nahes Infrarot (ein Fünftel bis drei Fünftel einer Sommerszene bei Blatten). Rutschungen und Gletscherabbrüche werden nur aus optischen Kanälen erkannt; kahle Felder werden bei 30 m mit Rutschungen verwechselt, und Narben auf vorher schon kahlem Boden sind an einem Tag nicht zu erkennen. In Luftbildern von einem halben Meter fehlt das meiste einer Rutschung; in drei Anzeigekanälen wird kein simulierter Abbruch gefunden. Ein beschrifteter Gletscherabbruch war nicht zur Hand: Sein Recall ist nur auf simulierten Szenen bekannt. Die echten Datensätze, die die Güten nennen, wurden angesehen, während der Simulator und die Regel für Schwellenwerte entstanden: Es sind Entwicklungsdatensätze, und andere Szenen können schlechter abschneiden.</translation>
    </message>
    <message>
        <source>Residual U-Net, any sensor</source>
        <translation>Residual U-Net, jeder Sensor</translation>
    </message>
    <message>
        <source>U-Net++, any sensor</source>
        <translation>U-Net++, jeder Sensor</translation>
    </message>
    <message>
        <source>U-Net, any sensor</source>
        <translation>U-Net, jeder Sensor</translation>
    </message>
</context>
<context>
    <name>ModelChoice</name>
    <message>
        <source>automatic</source>
        <translation>automatisch</translation>
    </message>
    <message>
        <source>automatic ({device})</source>
        <translation>automatisch ({device})</translation>
    </message>
    <message>
        <source>default of the hazard</source>
        <translation>Vorgabe der Gefahr</translation>
    </message>
    <message>
        <source>model's own</source>
        <translation>vom Modell</translation>
    </message>
    <message>
        <source>model's own, {value:.2f}</source>
        <translation>vom Modell, {value:.2f}</translation>
    </message>
</context>
<context>
    <name>ModelsCompare</name>
    <message>
        <source>Adapted from</source>
        <translation>Angepasst aus</translation>
    </message>
    <message>
        <source>Architecture</source>
        <translation>Architektur</translation>
    </message>
    <message>
        <source>Balanced accuracy / IoU</source>
        <translation>Ausgewogene Genauigkeit / IoU</translation>
    </message>
    <message>
        <source>Cards of the chosen models side by side</source>
        <translation>Steckbriefe der gewählten Modelle nebeneinander</translation>
    </message>
    <message>
        <source>Compare models</source>
        <translation>Modelle vergleichen</translation>
    </message>
    <message>
        <source>Default for</source>
        <translation>Vorgabe für</translation>
    </message>
    <message>
        <source>Encoder</source>
        <translation>Encoder</translation>
    </message>
    <message>
        <source>Hazards</source>
        <translation>Gefahren</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Grenzen</translation>
    </message>
    <message>
        <source>Mean balanced accuracy</source>
        <translation>Mittlere ausgewogene Genauigkeit</translation>
    </message>
    <message>
        <source>Mean of the {count} rows that all have</source>
        <translation>Mittel der {count} Zeilen, die alle haben</translation>
    </message>
    <message>
        <source>Metres a pixel</source>
        <translation>Meter je Pixel</translation>
    </message>
    <message>
        <source>None of these models has been scored yet.</source>
        <translation>Keines dieser Modelle wurde bisher bewertet.</translation>
    </message>
    <message>
        <source>Thresholds</source>
        <translation>Schwellenwerte</translation>
    </message>
    <message>
        <source>{low} to {high}</source>
        <translation>{low} bis {high}</translation>
    </message>
</context>
<context>
    <name>ModelsDialog</name>
    <message>
        <source>&amp;Card</source>
        <translation>&amp;Steckbrief</translation>
    </message>
    <message>
        <source>&amp;Delete…</source>
        <translation>&amp;Löschen…</translation>
    </message>
    <message>
        <source>&amp;Export…</source>
        <translation>&amp;Exportieren…</translation>
    </message>
    <message>
        <source>&amp;Import</source>
        <translation>&amp;Importieren</translation>
    </message>
    <message>
        <source>&amp;Weights without a card…</source>
        <translation>&amp;Gewichte ohne Steckbrief…</translation>
    </message>
    <message>
        <source>'{model}' can be used now, for: {hazards}.</source>
        <translation>„{model}“ kann jetzt verwendet werden, und zwar für: {hazards}.</translation>
    </message>
    <message>
        <source>'{model}' is in {path} ({size:.1f} MB).</source>
        <translation>„{model}“ liegt in {path} ({size:.1f} MB).</translation>
    </message>
    <message>
        <source>A folder with card.json, weights.safetensors, SHA256SUMS</source>
        <translation>Ein Ordner mit card.json, weights.safetensors, SHA256SUMS</translation>
    </message>
    <message>
        <source>A model that was exported</source>
        <translation>Ein Modell, das exportiert wurde</translation>
    </message>
    <message>
        <source>Add a model of others; every file is checked before it can be used</source>
        <translation>Ein Modell von anderen hinzufügen; jede Datei wird geprüft, bevor es verwendet werden kann</translation>
    </message>
    <message>
        <source>Checking whether the weights fit…</source>
        <translation>Es wird geprüft, ob die Gewichte passen…</translation>
    </message>
    <message>
        <source>Checking {name}…</source>
        <translation>{name} wird geprüft…</translation>
    </message>
    <message>
        <source>Choose one model in the list first.</source>
        <translation>Wählen Sie zuerst ein Modell in der Liste.</translation>
    </message>
    <message>
        <source>Choose the hazards that this model answers for when none is named</source>
        <translation>Die Gefahren wählen, für die dieses Modell antwortet, wenn keines genannt ist</translation>
    </message>
    <message>
        <source>Choose two or more models in the list, with Ctrl or Shift.</source>
        <translation>Wählen Sie mit Strg oder Umschalt zwei oder mehr Modelle in der Liste.</translation>
    </message>
    <message>
        <source>Com&amp;pare</source>
        <translation>Ver&amp;gleichen</translation>
    </message>
    <message>
        <source>Default &amp;for</source>
        <translation>Vorgabe &amp;für</translation>
    </message>
    <message>
        <source>Default for</source>
        <translation>Vorgabe für</translation>
    </message>
    <message>
        <source>Delete a model</source>
        <translation>Ein Modell löschen</translation>
    </message>
    <message>
        <source>Delete the model '{model}' from this computer?</source>
        <translation>Das Modell „{model}“ von diesem Rechner löschen?</translation>
    </message>
    <message>
        <source>Delete the model '{model}' from this computer? These were adapted from it, cannot be used without it, and are deleted too: {others}.</source>
        <translation>Das Modell „{model}“ von diesem Rechner löschen? Diese wurden aus ihm angepasst, sind ohne es nicht verwendbar und werden mit gelöscht: {others}.</translation>
    </message>
    <message>
        <source>Delete the model from this computer</source>
        <translation>Das Modell von diesem Rechner löschen</translation>
    </message>
    <message>
        <source>Deleted: {models}.</source>
        <translation>Gelöscht: {models}.</translation>
    </message>
    <message>
        <source>Deleting '{model}'…</source>
        <translation>„{model}“ wird gelöscht…</translation>
    </message>
    <message>
        <source>Describe weights of others so that they can be used</source>
        <translation>Gewichte von anderen beschreiben, damit sie verwendet werden können</translation>
    </message>
    <message>
        <source>Export '{model}'</source>
        <translation>„{model}“ exportieren</translation>
    </message>
    <message>
        <source>Folder of a model</source>
        <translation>Ordner eines Modells</translation>
    </message>
    <message>
        <source>From</source>
        <translation>Von</translation>
    </message>
    <message>
        <source>From a &amp;folder…</source>
        <translation>Aus einem &amp;Ordner…</translation>
    </message>
    <message>
        <source>From a &amp;zip…</source>
        <translation>Aus einer &amp;Zip-Datei…</translation>
    </message>
    <message>
        <source>Hazards</source>
        <translation>Gefahren</translation>
    </message>
    <message>
        <source>Import a model</source>
        <translation>Ein Modell importieren</translation>
    </message>
    <message>
        <source>It came with the plugin.</source>
        <translation>Es gehört zur Erweiterung.</translation>
    </message>
    <message>
        <source>It is the usual default; make another model the default instead.</source>
        <translation>Es ist die übliche Vorgabe; machen Sie stattdessen ein anderes Modell zur Vorgabe.</translation>
    </message>
    <message>
        <source>Lay cards and scores of the chosen models side by side</source>
        <translation>Steckbriefe und Güten der gewählten Modelle nebeneinander legen</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Models (*.zip)</source>
        <translation>Modelle (*.zip)</translation>
    </message>
    <message>
        <source>Models that can be used</source>
        <translation>Modelle, die verwendet werden können</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Pack the model into a zip</source>
        <translation>Das Modell in eine Zip-Datei packen</translation>
    </message>
    <message>
        <source>Packing '{model}'…</source>
        <translation>„{model}“ wird gepackt…</translation>
    </message>
    <message>
        <source>Remembering the default…</source>
        <translation>Die Vorgabe wird gemerkt…</translation>
    </message>
    <message>
        <source>Score</source>
        <translation>Güte</translation>
    </message>
    <message>
        <source>Wait until the engine is done.</source>
        <translation>Warten Sie, bis der Rechenkern fertig ist.</translation>
    </message>
    <message>
        <source>What the model is for, how it was made, how well it does, where it fails</source>
        <translation>Wofür das Modell ist, wie es gemacht wurde, wie gut es ist, wo es versagt</translation>
    </message>
    <message>
        <source>adapted from {parent}</source>
        <translation>angepasst aus {parent}</translation>
    </message>
    <message>
        <source>bundled</source>
        <translation>mitgeliefert</translation>
    </message>
    <message>
        <source>installed</source>
        <translation>installiert</translation>
    </message>
    <message>
        <source>{hazard} is answered by '{model}' when no model is named.</source>
        <translation>Für {hazard} antwortet „{model}“, wenn kein Modell genannt ist.</translation>
    </message>
</context>
<context>
    <name>MonitoringSeries</name>
    <message>
        <source>Add to monitoring series</source>
        <translation>Der Zeitreihe hinzufügen</translation>
    </message>
    <message>
        <source>Adds a mask's area to a table with one row a date, and what was gained and lost since.</source>
        <translation>Fügt die Fläche einer Maske einer Tabelle hinzu, eine Zeile je Datum, dazu Zuwachs und Abnahme seither.</translation>
    </message>
    <message>
        <source>Adds one row to a table without geometry in a GeoPackage: date, hazard, area in m² and ha, share assessed, model, threshold, scene, mask, and the area gained and lost since the row before, where its mask still exists and overlaps. The file is made when missing; other layers in it stay.

The date is the scene's day as the mask tells it; give one for masks that do not. A row of the same date, hazard and scene is replaced only when asked.

Areas of dates with different shares assessed are not the same measure: look at that column before drawing a curve.</source>
        <translation>Fügt einer geometrielosen Tabelle in einem GeoPackage eine Zeile hinzu: Datum, Gefahr, Fläche in m² und ha, beurteilter Anteil, Modell, Schwellenwert, Szene, Maske, sowie Zuwachs und Abnahme seit der Zeile davor, sofern deren Maske noch da ist und sich überlappt. Fehlt die Datei, wird sie angelegt; andere Layer darin bleiben.

Das Datum ist der Tag der Szene, wie ihn die Maske nennt; geben Sie eines an, wo sie keinen nennt. Eine Zeile mit gleichem Datum, gleicher Gefahr und Szene wird nur auf Wunsch ersetzt.

Flächen von Tagen mit verschiedenem beurteiltem Anteil sind nicht dasselbe Maß: Sehen Sie diese Spalte an, bevor Sie eine Kurve zeichnen.</translation>
    </message>
    <message>
        <source>Day of the scene</source>
        <translation>Tag der Szene</translation>
    </message>
    <message>
        <source>GeoPackage (*.gpkg)</source>
        <translation>GeoPackage (*.gpkg)</translation>
    </message>
    <message>
        <source>GeoPackage; one that exists is added to, and its other layers stay</source>
        <translation>GeoPackage; einem vorhandenen wird hinzugefügt, seine anderen Layer bleiben</translation>
    </message>
    <message>
        <source>Hazard area in m²</source>
        <translation>Gefahrenfläche in m²</translation>
    </message>
    <message>
        <source>Hazard gained since the row before in m²</source>
        <translation>Seit der Zeile davor gewonnene Gefahr in m²</translation>
    </message>
    <message>
        <source>Hazard lost since the row before in m²</source>
        <translation>Seit der Zeile davor verlorene Gefahr in m²</translation>
    </message>
    <message>
        <source>Layer '{name}' of the series is being edited; save or drop the edits first.</source>
        <translation>Layer „{name}“ der Zeitreihe wird gerade bearbeitet; speichern oder verwerfen Sie die Änderungen zuerst.</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>Name of the table</source>
        <translation>Name der Tabelle</translation>
    </message>
    <message>
        <source>Replace the row of the same date, hazard and scene</source>
        <translation>Die Zeile mit gleichem Datum, gleicher Gefahr und Szene ersetzen</translation>
    </message>
    <message>
        <source>Rows of the series</source>
        <translation>Zeilen der Zeitreihe</translation>
    </message>
    <message>
        <source>Series</source>
        <translation>Zeitreihe</translation>
    </message>
    <message>
        <source>Series as a table layer</source>
        <translation>Zeitreihe als Tabellenlayer</translation>
    </message>
    <message>
        <source>Share of the scene assessed (0 to 1)</source>
        <translation>Beurteilter Anteil der Szene (0 bis 1)</translation>
    </message>
    <message>
        <source>Warnings</source>
        <translation>Warnungen</translation>
    </message>
    <message>
        <source>time series,monitoring,table,area over time,accumulate,log,temporal</source>
        <translation>zeitreihe,beobachtung,tabelle,fläche über die zeit,sammeln,verlauf,zeitlich</translation>
    </message>
    <message>
        <source>year, month and day, for example 2025-05-28; as the mask tells it when empty</source>
        <translation>Jahr, Monat und Tag, zum Beispiel 2025-05-28; ohne Angabe, wie ihn die Maske nennt</translation>
    </message>
    <message>
        <source>{date}: {hazard} {area:.3f} km²; the series has {rows} rows.</source>
        <translation>{date}: {hazard} {area:.3f} km²; die Zeitreihe hat {rows} Zeilen.</translation>
    </message>
</context>
<context>
    <name>OptionsPage</name>
    <message>
        <source> min</source>
        <translation> min</translation>
    </message>
    <message>
        <source> s</source>
        <translation> s</translation>
    </message>
    <message>
        <source>&amp;Device</source>
        <translation>&amp;Gerät</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>&amp;Log everything that the engine prints</source>
        <translation>Alles, was der Rechenkern ausgibt, &amp;protokollieren</translation>
    </message>
    <message>
        <source>&amp;Python</source>
        <translation>P&amp;ython</translation>
    </message>
    <message>
        <source>&amp;Reset</source>
        <translation>Zur&amp;ücksetzen</translation>
    </message>
    <message>
        <source>&amp;Set up, repair, switch…</source>
        <translation>&amp;Einrichten, reparieren, wechseln…</translation>
    </message>
    <message>
        <source>&amp;Time for adapting</source>
        <translation>Ze&amp;it für das Anpassen</translation>
    </message>
    <message>
        <source>A Python that has PyTorch and GDAL, instead of the engine set up here</source>
        <translation>Ein Python mit PyTorch und GDAL, statt des hier eingerichteten Rechenkerns</translation>
    </message>
    <message>
        <source>Adapt to the scene &amp;first</source>
        <translation>Erst an die S&amp;zene anpassen</translation>
    </message>
    <message>
        <source>An idle engine keeps models in memory, so that the next run starts at once, and ends after this</source>
        <translation>Ein untätiger Rechenkern hält Modelle im Speicher, sodass der nächste Lauf sofort beginnt, und endet danach</translation>
    </message>
    <message>
        <source>Empty: the usual folder, which the command line uses too</source>
        <translation>Leer: der übliche Ordner, den auch die Befehlszeile verwendet</translation>
    </message>
    <message>
        <source>Empty: you are asked once, when it is needed</source>
        <translation>Leer: Sie werden einmal gefragt, wenn er gebraucht wird</translation>
    </message>
    <message>
        <source>Ends when &amp;idle for</source>
        <translation>Endet, wenn &amp;untätig für</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>Rechenkern</translation>
    </message>
    <message>
        <source>Folder for masks</source>
        <translation>Ordner für Masken</translation>
    </message>
    <message>
        <source>Folder of your own models</source>
        <translation>Ordner Ihrer eigenen Modelle</translation>
    </message>
    <message>
        <source>Folders</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>For finding out what goes wrong; see the tab Hazard Mapper of the log panel</source>
        <translation>Um herauszufinden, was schiefgeht; siehe den Reiter Hazard Mapper im Protokollfenster</translation>
    </message>
    <message>
        <source>In use</source>
        <translation>In Gebrauch</translation>
    </message>
    <message>
        <source>Install, repair or remove the engine, or choose its folder</source>
        <translation>Den Rechenkern installieren, reparieren oder entfernen oder seinen Ordner wählen</translation>
    </message>
    <message>
        <source>Mas&amp;ks</source>
        <translation>Mas&amp;ken</translation>
    </message>
    <message>
        <source>Masks of projects that are not saved yet; those of others go beside the project file</source>
        <translation>Masken noch nicht gespeicherter Projekte; die der anderen kommen neben die Projektdatei</translation>
    </message>
    <message>
        <source>New projects start with</source>
        <translation>Neue Projekte beginnen mit</translation>
    </message>
    <message>
        <source>Probability la&amp;yer</source>
        <translation>&amp;Wahrscheinlichkeitslayer</translation>
    </message>
    <message>
        <source>Processor to compute on; more are listed once the engine was started</source>
        <translation>Prozessor, auf dem gerechnet wird; mehr sind aufgeführt, sobald der Rechenkern einmal lief</translation>
    </message>
    <message>
        <source>Python of the engine</source>
        <translation>Python des Rechenkerns</translation>
    </message>
    <message>
        <source>Seconds that adapting may take; it ends sooner where more would not help</source>
        <translation>Sekunden, die das Anpassen dauern darf; es endet früher, wo mehr nicht hülfe</translation>
    </message>
    <message>
        <source>Show the usual values; they count once the options are confirmed</source>
        <translation>Die üblichen Werte zeigen; sie gelten, sobald die Optionen bestätigt sind</translation>
    </message>
    <message>
        <source>The variable HAZARD_MODELS names {path}; unset it to choose another folder here.</source>
        <translation>Die Variable HAZARD_MODELS nennt {path}; entfernen Sie sie, um hier einen anderen Ordner zu wählen.</translation>
    </message>
    <message>
        <source>This folder cannot be written to; choose another.</source>
        <translation>In diesen Ordner kann nicht geschrieben werden; wählen Sie einen anderen.</translation>
    </message>
    <message>
        <source>This folder does not exist; choose another.</source>
        <translation>Diesen Ordner gibt es nicht; wählen Sie einen anderen.</translation>
    </message>
    <message>
        <source>What each of these does</source>
        <translation>Was dies alles bewirkt</translation>
    </message>
    <message>
        <source>Where trained, adapted and imported models are kept</source>
        <translation>Wo trainierte, angepasste und importierte Modelle liegen</translation>
    </message>
    <message>
        <source>Whether a second layer, 0 to 100 %, shows how sure the model is</source>
        <translation>Ob ein zweiter Layer, 0 bis 100 %, zeigt, wie sicher das Modell ist</translation>
    </message>
    <message>
        <source>Whether the model first learns from the scene, without labels</source>
        <translation>Ob das Modell zuerst ohne Beschriftung aus der Szene lernt</translation>
    </message>
    <message>
        <source>Your own &amp;models</source>
        <translation>Eigene &amp;Modelle</translation>
    </message>
    <message>
        <source>as last used</source>
        <translation>wie zuletzt</translation>
    </message>
    <message>
        <source>automatic</source>
        <translation>automatisch</translation>
    </message>
    <message>
        <source>no</source>
        <translation>nein</translation>
    </message>
    <message>
        <source>yes</source>
        <translation>ja</translation>
    </message>
</context>
<context>
    <name>OutputFiles</name>
    <message>
        <source>Folder for masks (the project is not saved yet)</source>
        <translation>Ordner für Masken (das Projekt ist noch nicht gespeichert)</translation>
    </message>
    <message>
        <source>No folder was chosen; nothing was run.</source>
        <translation>Kein Ordner wurde gewählt; nichts wurde ausgeführt.</translation>
    </message>
    <message>
        <source>The output folder '{folder}' cannot be written; choose another under Output.</source>
        <translation>In den Ausgabeordner „{folder}“ kann nicht geschrieben werden; wählen Sie unter Ausgabe einen anderen.</translation>
    </message>
    <message>
        <source>The output folder '{folder}' does not exist; choose another under Output.</source>
        <translation>Den Ausgabeordner „{folder}“ gibt es nicht; wählen Sie unter Ausgabe einen anderen.</translation>
    </message>
</context>
<context>
    <name>Outputs</name>
    <message>
        <source>A file cannot be used ({error}); check the folder and the free disk space.</source>
        <translation>Eine Datei kann nicht verwendet werden ({error}); prüfen Sie den Ordner und den freien Speicherplatz.</translation>
    </message>
    <message>
        <source>The output '{path}' is shown by the layer '{layer}' of the open project; choose another name or remove that layer first.</source>
        <translation>Die Ausgabe „{path}“ wird vom Layer „{layer}“ des offenen Projekts gezeigt; wählen Sie einen anderen Namen oder entfernen Sie zuerst diesen Layer.</translation>
    </message>
</context>
<context>
    <name>OwnFile</name>
    <message>
        <source>'{file}' cannot be read as a GeoPackage ({error}); choose another name, nothing was written.</source>
        <translation>„{file}“ kann nicht als GeoPackage gelesen werden ({error}); wählen Sie einen anderen Namen, nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>'{file}' would be replaced as a whole, but holds {count} tables ({names}); give the polygons a file of their own, nothing was written.</source>
        <translation>„{file}“ würde als Ganzes ersetzt, enthält aber {count} Tabellen ({names}); geben Sie den Polygonen eine eigene Datei, nichts wurde geschrieben.</translation>
    </message>
</context>
<context>
    <name>PackageContent</name>
    <message>
        <source>'{name}' holds no polygon for the {what}; draw or select one, or leave it out.</source>
        <translation>„{name}“ enthält kein Polygon für {what}; zeichnen oder wählen Sie eines oder lassen Sie es weg.</translation>
    </message>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
</context>
<context>
    <name>PackageGeometry</name>
    <message>
        <source>'{name}' has no CRS, so nobody knows where it lies; assign it in the layer's properties.</source>
        <translation>„{name}“ hat kein KBS, seine Lage ist also unbekannt; weisen Sie es in den Layereigenschaften zu.</translation>
    </message>
    <message>
        <source>A polygon of '{name}' cannot be expressed in longitude and latitude ({error}); reproject it.</source>
        <translation>Ein Polygon von „{name}“ lässt sich nicht in Länge und Breite ausdrücken ({error}); projizieren Sie es um.</translation>
    </message>
    <message>
        <source>A polygon of '{name}' lies beyond what its CRS can express; correct or remove it.</source>
        <translation>Ein Polygon von „{name}“ liegt jenseits dessen, was sein KBS ausdrücken kann; korrigieren oder entfernen Sie es.</translation>
    </message>
</context>
<context>
    <name>PackageRequest</name>
    <message>
        <source>Detection method '{method}' is not of the published list; choose {known}.</source>
        <translation>Das Erkennungsverfahren „{method}“ steht nicht in der veröffentlichten Liste; wählen Sie {known}.</translation>
    </message>
    <message>
        <source>Layer '{name}' is broken: its data cannot be found; repair its source.</source>
        <translation>Layer „{name}“ ist kaputt: Seine Daten sind nicht zu finden; reparieren Sie seine Quelle.</translation>
    </message>
    <message>
        <source>Source of the image: {name}, {day}.</source>
        <translation>Quelle des Bildes: {name}, {day}.</translation>
    </message>
    <message>
        <source>The day of the image is not known; the table source does not state it.</source>
        <translation>Der Tag des Bildes ist nicht bekannt; die Tabelle source nennt ihn nicht.</translation>
    </message>
    <message>
        <source>The event is delivered as '{type}', '{subtype}'; choose others if that is not so.</source>
        <translation>Das Ereignis wird als „{type}“, „{subtype}“ ausgeliefert; wählen Sie andere, wenn das nicht stimmt.</translation>
    </message>
    <message>
        <source>The mission of the image is not known; give it under Mission of the image, such as Sentinel-2.</source>
        <translation>Die Mission des Bildes ist nicht bekannt; geben Sie sie unter Mission des Bildes an, etwa Sentinel-2.</translation>
    </message>
    <message>
        <source>The polygons show {polygons}, the mask {mask}; the package follows the polygons.</source>
        <translation>Die Polygone zeigen {polygons}, die Maske {mask}; das Paket folgt den Polygonen.</translation>
    </message>
    <message>
        <source>day not stated</source>
        <translation>Tag nicht genannt</translation>
    </message>
</context>
<context>
    <name>PackageSchema</name>
    <message>
        <source>'{code}' is no activation code; expected EMSR and three or four digits, such as EMSR000.</source>
        <translation>„{code}“ ist kein Aktivierungscode; erwartet wird EMSR mit drei oder vier Ziffern, etwa EMSR000.</translation>
    </message>
    <message>
        <source>'{day}' is no day; expected year, month and day, such as 2024-09-16.</source>
        <translation>„{day}“ ist kein Tag; erwartet werden Jahr, Monat und Tag, etwa 2024-09-16.</translation>
    </message>
    <message>
        <source>'{event}' is no event type; expected a number and a name, such as {example}.</source>
        <translation>„{event}“ ist keine Art des Ereignisses; erwartet werden eine Zahl und ein Name, etwa {example}.</translation>
    </message>
    <message>
        <source>'{time}' is no time of day; expected hours and minutes in UTC, such as 09:02.</source>
        <translation>„{time}“ ist keine Uhrzeit; erwartet werden Stunden und Minuten in UTC, etwa 09:02.</translation>
    </message>
    <message>
        <source>Product '{product}' is not known; choose one of {known}.</source>
        <translation>Das Produkt „{product}“ ist nicht bekannt; wählen Sie eines von {known}.</translation>
    </message>
    <message>
        <source>The number of the {what} is {number}; expected {least} to 99.</source>
        <translation>Die Nummer ({what}) ist {number}; erwartet wird {least} bis 99.</translation>
    </message>
    <message>
        <source>area of interest</source>
        <translation>das Interessengebiet</translation>
    </message>
    <message>
        <source>monitoring</source>
        <translation>Beobachtung</translation>
    </message>
    <message>
        <source>release</source>
        <translation>Ausgabe</translation>
    </message>
    <message>
        <source>version</source>
        <translation>Version</translation>
    </message>
</context>
<context>
    <name>PackageWriter</name>
    <message>
        <source>'{folder}' holds '{file}', which is not of a package, so it is not replaced; choose another folder.</source>
        <translation>„{folder}“ enthält „{file}“, was nicht zu einem Paket gehört, und wird deshalb nicht ersetzt; wählen Sie einen anderen Ordner.</translation>
    </message>
    <message>
        <source>The folder '{folder}' cannot be written; choose another.</source>
        <translation>In den Ordner „{folder}“ kann nicht geschrieben werden; wählen Sie einen anderen.</translation>
    </message>
    <message>
        <source>The layer {name} cannot be written ({error}); check the folder and the free disk space.</source>
        <translation>Der Layer {name} kann nicht geschrieben werden ({error}); prüfen Sie den Ordner und den freien Speicherplatz.</translation>
    </message>
    <message>
        <source>The package '{folder}' cannot be written ({error}); check the folder and the free disk space.</source>
        <translation>Das Paket „{folder}“ kann nicht geschrieben werden ({error}); prüfen Sie den Ordner und den freien Speicherplatz.</translation>
    </message>
    <message>
        <source>The package '{folder}' exists; raise the version, choose another folder, or allow to overwrite it.</source>
        <translation>Das Paket „{folder}“ gibt es schon; erhöhen Sie die Version, wählen Sie einen anderen Ordner, oder erlauben Sie, es zu überschreiben.</translation>
    </message>
    <message>
        <source>it cannot be read back</source>
        <translation>es lässt sich nicht wieder einlesen</translation>
    </message>
    <message>
        <source>no reason given</source>
        <translation>kein Grund angegeben</translation>
    </message>
</context>
<context>
    <name>PretrainModel</name>
    <message>
        <source>Encoder (empty: a small one)</source>
        <translation>Encoder (leer: ein kleiner)</translation>
    </message>
    <message>
        <source>Network</source>
        <translation>Netz</translation>
    </message>
    <message>
        <source>Pre-train a model</source>
        <translation>Ein Modell vortrainieren</translation>
    </message>
    <message>
        <source>Training data (empty: simulated scenes)</source>
        <translation>Trainingsdaten (leer: simulierte Szenen)</translation>
    </message>
    <message>
        <source>Trains a network to tell natural from artificial surfaces, as the start of hazard training.</source>
        <translation>Trainiert ein Netz, natürliche von künstlichen Oberflächen zu unterscheiden, als Anfang des Gefahrentrainings.</translation>
    </message>
    <message>
        <source>Trains a network to tell natural from artificial surfaces. Train hazards from it next; used as it is, it finds hazards only by physical rules on natural ground.

The data are simulated scenes, or a folder of BigEarthNet (v2 or v1) as downloaded and unpacked. Bands are dropped at random, so that the model works with any of them.

The log shows losses and scores as the run goes on. Cancel keeps a checkpoint: run again with the same settings and RESUME to go on. The weights that did best in validation are saved, with a card that tells data, licences, seeds, curves and scores.</source>
        <translation>Trainiert ein Netz, natürliche von künstlichen Oberflächen zu unterscheiden. Trainieren Sie danach Gefahren davon ausgehend; verwendet, wie es ist, findet es Gefahren nur nach physikalischen Regeln auf natürlichem Boden.

Die Daten sind simulierte Szenen oder ein Ordner von BigEarthNet (v2 oder v1), wie heruntergeladen und entpackt. Kanäle werden zufällig weggelassen, damit das Modell mit beliebigen davon arbeitet.

Das Protokoll zeigt Verluste und Güten, während der Lauf vor sich geht. Abbrechen behält einen Zwischenstand: Starten Sie mit denselben Einstellungen und RESUME erneut, um fortzusetzen. Gespeichert werden die Gewichte, die bei der Validierung am besten waren, mit einem Steckbrief, der Daten, Lizenzen, Startwerte, Kurven und Güten nennt.</translation>
    </message>
    <message>
        <source>a folder of BigEarthNet as downloaded and unpacked; simulated scenes when empty</source>
        <translation>ein Ordner von BigEarthNet, wie heruntergeladen und entpackt; ohne Angabe simulierte Szenen</translation>
    </message>
    <message>
        <source>train,learn,network,deep learning,natural,artificial,bigearthnet,foundation model</source>
        <translation>trainieren,lernen,netz,tiefes lernen,natürlich,künstlich,bigearthnet,grundmodell</translation>
    </message>
</context>
<context>
    <name>RasterCopy</name>
    <message>
        <source>'{name}' shows nothing in the chosen area; check that its service answers, or move the map.</source>
        <translation>„{name}“ zeigt im gewählten Bereich nichts; prüfen Sie, ob der Dienst antwortet, oder verschieben Sie die Karte.</translation>
    </message>
    <message>
        <source>'{name}' would be read as {width} x {height} pixels, but {limit}; choose Visible extent or zoom in.</source>
        <translation>„{name}“ würde mit {width} x {height} Pixeln gelesen, aber {limit}; wählen Sie die sichtbare Ausdehnung oder zoomen Sie hinein.</translation>
    </message>
    <message>
        <source>Band {band} cannot be read through QGIS; export the layer to a file first.</source>
        <translation>Kanal {band} kann nicht über QGIS gelesen werden; exportieren Sie den Layer zuerst in eine Datei.</translation>
    </message>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Reading '{name}' through QGIS</source>
        <translation>„{name}“ wird über QGIS gelesen</translation>
    </message>
    <message>
        <source>The layer's pixels are complex numbers, which cannot be assessed; export their magnitude first.</source>
        <translation>Die Pixel des Layers sind komplexe Zahlen, die sich nicht beurteilen lassen; exportieren Sie zuerst ihren Betrag.</translation>
    </message>
    <message>
        <source>The temporary copy '{path}' cannot be written.</source>
        <translation>Die vorläufige Kopie „{path}“ kann nicht geschrieben werden.</translation>
    </message>
    <message>
        <source>The temporary copy '{path}' cannot be written; is the disk full?</source>
        <translation>Die vorläufige Kopie „{path}“ kann nicht geschrieben werden; ist der Datenträger voll?</translation>
    </message>
    <message>
        <source>at most {count:.0f} million pixels are read from a map service</source>
        <translation>höchstens {count:.0f} Millionen Pixel werden von einem Kartendienst gelesen</translation>
    </message>
    <message>
        <source>at most {size:.0f} GB are copied</source>
        <translation>höchstens {size:.0f} GB werden kopiert</translation>
    </message>
    <message>
        <source>{size:.1f} GB are free for temporary files</source>
        <translation>{size:.1f} GB sind für vorläufige Dateien frei</translation>
    </message>
</context>
<context>
    <name>RasterSource</name>
    <message>
        <source>'{name}' is read through QGIS: {width} x {height} pixels of {size} ({origin}).</source>
        <translation>„{name}“ wird über QGIS gelesen: {width} x {height} Pixel von {size} ({origin}).</translation>
    </message>
    <message>
        <source>Layer '{name}' is broken: its data cannot be found; repair its source or choose another layer.</source>
        <translation>Layer „{name}“ ist kaputt: Seine Daten sind nicht zu finden; reparieren Sie seine Quelle oder wählen Sie einen anderen Layer.</translation>
    </message>
    <message>
        <source>The chosen area does not touch the scene '{name}'; move the map to the scene or choose Whole layer.</source>
        <translation>Der gewählte Bereich berührt die Szene „{name}“ nicht; verschieben Sie die Karte zur Szene oder wählen Sie Ganzer Layer.</translation>
    </message>
    <message>
        <source>as seen in the map</source>
        <translation>wie in der Karte zu sehen</translation>
    </message>
    <message>
        <source>assumed, as the layer has no resolution of its own</source>
        <translation>angenommen, da der Layer keine eigene Auflösung hat</translation>
    </message>
    <message>
        <source>its own resolution</source>
        <translation>die eigene Auflösung</translation>
    </message>
</context>
<context>
    <name>References</name>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Layer '{name}' has another CRS in the project than in its file; write it into the file with Assign projection, or export the layer.</source>
        <translation>Layer „{name}“ hat im Projekt ein anderes KBS als in seiner Datei; schreiben Sie es mit Projektion zuweisen in die Datei oder exportieren Sie den Layer.</translation>
    </message>
    <message>
        <source>Layer '{name}' has no CRS; set it first.</source>
        <translation>Layer „{name}“ hat kein KBS; legen Sie es zuerst fest.</translation>
    </message>
    <message>
        <source>Layer '{name}' has no polygons; choose a layer of polygons, or a raster.</source>
        <translation>Layer „{name}“ hat keine Polygone; wählen Sie einen Polygonlayer oder ein Raster.</translation>
    </message>
    <message>
        <source>Layer '{name}' is neither a raster nor polygons; choose another layer.</source>
        <translation>Layer „{name}“ ist weder ein Raster noch enthält er Polygone; wählen Sie einen anderen Layer.</translation>
    </message>
    <message>
        <source>Layer '{name}' is opened with options of its own; export it to a GeoTIFF first.</source>
        <translation>Layer „{name}“ wird mit eigenen Optionen geöffnet; exportieren Sie ihn zuerst in ein GeoTIFF.</translation>
    </message>
    <message>
        <source>The mask's extent cannot be expressed in the CRS of '{name}' ({error}); reproject it first.</source>
        <translation>Die Ausdehnung der Maske lässt sich im KBS von „{name}“ nicht ausdrücken ({error}); projizieren Sie es zuerst um.</translation>
    </message>
    <message>
        <source>The polygons of '{name}' cannot be handed to the engine ({error}).</source>
        <translation>Die Polygone von „{name}“ lassen sich dem Rechenkern nicht übergeben ({error}).</translation>
    </message>
</context>
<context>
    <name>RefineMask</name>
    <message>
        <source>'{chosen}' is chosen, but none is given; give whole numbers such as 3,8,9.</source>
        <translation>Gewählt ist „{chosen}“, aber keine sind angegeben; geben Sie ganze Zahlen wie 3,8,9 an.</translation>
    </message>
    <message>
        <source>'{chosen}' speaks of a raster, but '{name}' holds polygons; choose '{by_name}'.</source>
        <translation>„{chosen}“ meint ein Raster, „{name}“ enthält aber Polygone; wählen Sie „{by_name}“.</translation>
    </message>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Elevation model</source>
        <translation>Höhenmodell</translation>
    </message>
    <message>
        <source>Hazard area in m²</source>
        <translation>Gefahrenfläche in m²</translation>
    </message>
    <message>
        <source>Hazard {hazard:.3f} km², permanent water {water:.3f} km², ruled out by slope {slope:.3f} km², not assessed any more {unseen:.3f} km².</source>
        <translation>Gefahr {hazard:.3f} km², ständiges Wasser {water:.3f} km², durch den Hang ausgeschlossen {slope:.3f} km², nicht mehr beurteilt {unseen:.3f} km².</translation>
    </message>
    <message>
        <source>Least slope in degrees</source>
        <translation>Kleinste Hangneigung in Grad</translation>
    </message>
    <message>
        <source>Least value of permanent water</source>
        <translation>Kleinster Wert ständigen Wassers</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>Most slope in degrees</source>
        <translation>Größte Hangneigung in Grad</translation>
    </message>
    <message>
        <source>Not assessed any more in m²</source>
        <translation>Nicht mehr beurteilt in m²</translation>
    </message>
    <message>
        <source>Nothing was prepared; run the algorithm again.</source>
        <translation>Nichts wurde vorbereitet; führen Sie den Algorithmus erneut aus.</translation>
    </message>
    <message>
        <source>Own values or bits</source>
        <translation>Eigene Werte oder Bits</translation>
    </message>
    <message>
        <source>Own values or bits are given, but '{chosen}' is chosen; choose '{values}' or '{bits}'.</source>
        <translation>Eigene Werte oder Bits sind angegeben, gewählt ist aber „{chosen}“; wählen Sie „{values}“ oder „{bits}“.</translation>
    </message>
    <message>
        <source>Permanent water</source>
        <translation>Ständiges Wasser</translation>
    </message>
    <message>
        <source>Permanent water in m²</source>
        <translation>Ständiges Wasser in m²</translation>
    </message>
    <message>
        <source>Refine mask</source>
        <translation>Maske verfeinern</translation>
    </message>
    <message>
        <source>Refined mask</source>
        <translation>Verfeinerte Maske</translation>
    </message>
    <message>
        <source>Ruled out by slope in m²</source>
        <translation>Durch den Hang ausgeschlossen in m²</translation>
    </message>
    <message>
        <source>Share assessed before of which nothing is said to be seen (0 to 1)</source>
        <translation>Vorher beurteilter Anteil, von dem nichts zu sehen sein soll (0 bis 1)</translation>
    </message>
    <message>
        <source>Share of the hazard area without a slope (0 to 1)</source>
        <translation>Anteil der Gefahrenfläche ohne Hangneigung (0 bis 1)</translation>
    </message>
    <message>
        <source>Share of the hazard area without a statement on water (0 to 1)</source>
        <translation>Anteil der Gefahrenfläche ohne Aussage zum Wasser (0 bis 1)</translation>
    </message>
    <message>
        <source>Share of the scene assessed (0 to 1)</source>
        <translation>Beurteilter Anteil der Szene (0 bis 1)</translation>
    </message>
    <message>
        <source>Slopes of at least {least}°.</source>
        <translation>Hangneigungen von mindestens {least}°.</translation>
    </message>
    <message>
        <source>Slopes of at most {most}°.</source>
        <translation>Hangneigungen von höchstens {most}°.</translation>
    </message>
    <message>
        <source>Takes permanent water and impossible slopes out of a mask, and makes clouds and layover not assessed.</source>
        <translation>Nimmt ständiges Wasser und unmögliche Hänge aus einer Maske und macht Wolken und Radarüberlagerung zu nicht beurteilt.</translation>
    </message>
    <message>
        <source>The layer '{layer}' cannot be found; choose another one.</source>
        <translation>Der Layer „{layer}“ ist nicht zu finden; wählen Sie einen anderen.</translation>
    </message>
    <message>
        <source>There is no usual slope limit for {hazard}; give the least or the most slope.</source>
        <translation>Für {hazard} gibt es keine übliche Grenze der Hangneigung; geben Sie die kleinste oder größte an.</translation>
    </message>
    <message>
        <source>Values that cannot be seen</source>
        <translation>Werte, die nicht zu sehen bedeuten</translation>
    </message>
    <message>
        <source>Warnings</source>
        <translation>Warnungen</translation>
    </message>
    <message>
        <source>Water in a scene is flood only where there is no water otherwise. Permanent water is a raster, such as the occurrence layer of JRC Global Surface Water, or polygons of rivers, lakes and sea.

An elevation model rules out hazards on slopes where they cannot be. Without limits of your own, floods keep to slopes of at most 12°, landslides to slopes of at least 5°; a glacier collapse has no limit until you give one. Slopes are computed on the model's own grid and on distances on the ground, then interpolated; a model much finer than the mask is averaged first.

Clouds, their shadows, radar layover and whatever else cannot be seen come as a raster, such as the scene classification of Sentinel-2 or the quality band of Landsat, or as polygons. There the result is not assessed, be it hazard or none; this cannot be taken back, so keep the mask.

The result keeps what was taken out: 0 none, 1 hazard, 2 permanent water, 3 ruled out by slope, 255 not assessed. Only 1 is hazard; refine the result again with water or slopes and 2 and 3 count as hazard first, so that other limits can be tried on it. Where the reference or the model has no value a pixel stays as it is, and the share of the hazard area without one is told.

Surface models contain trees and buildings, whose edges look steep: use a terrain model where you can.</source>
        <translation>Wasser in einer Szene ist nur dort Überflutung, wo sonst kein Wasser ist. Ständiges Wasser ist ein Raster, etwa der Layer occurrence von JRC Global Surface Water, oder Polygone von Flüssen, Seen und Meer.

Ein Höhenmodell schließt Gefahren an Hängen aus, an denen sie nicht sein können. Ohne eigene Grenzen halten sich Überflutungen an Hangneigungen von höchstens 12°, Rutschungen an solche von mindestens 5°; ein Gletscherabbruch hat keine Grenze, bis Sie eine angeben. Hangneigungen werden auf dem Gitter des Modells und mit Entfernungen am Boden berechnet, dann interpoliert; ein Modell, das viel feiner ist als die Maske, wird zuerst gemittelt.

Wolken, ihre Schatten, Radarüberlagerung und was sonst nicht zu sehen ist, kommen als Raster, etwa die Szenenklassifikation von Sentinel-2 oder der Qualitätskanal von Landsat, oder als Polygone. Dort ist das Ergebnis nicht beurteilt, ob Gefahr oder keine; das lässt sich nicht zurücknehmen, behalten Sie also die Maske.

Das Ergebnis behält, was herausgenommen wurde: 0 keine, 1 Gefahr, 2 ständiges Wasser, 3 durch den Hang ausgeschlossen, 255 nicht beurteilt. Nur 1 ist Gefahr; verfeinern Sie das Ergebnis noch einmal mit Wasser oder Hängen, dann gelten 2 und 3 zuerst als Gefahr, sodass andere Grenzen daran versucht werden können. Wo Referenz oder Höhenmodell keinen Wert haben, bleibt ein Pixel, wie es ist, und der Anteil der Gefahrenfläche ohne einen wird genannt.

Oberflächenmodelle enthalten Bäume und Gebäude, deren Ränder steil aussehen: Nehmen Sie ein Geländemodell, wo Sie können.</translation>
    </message>
    <message>
        <source>What cannot be seen</source>
        <translation>Was nicht zu sehen ist</translation>
    </message>
    <message>
        <source>What cannot be seen: {meaning}.</source>
        <translation>Was nicht zu sehen ist: {meaning}.</translation>
    </message>
    <message>
        <source>a mask that does not say its hazard</source>
        <translation>eine Maske, die ihre Gefahr nicht nennt</translation>
    </message>
    <message>
        <source>by name: those of the product that the raster is named after, else any but 0</source>
        <translation>by name: nach Namen, die des Produkts, nach dem das Raster benannt ist, sonst alle außer 0</translation>
    </message>
    <message>
        <source>elevations in metres on any grid; no slope limits when empty</source>
        <translation>Höhen in Metern auf beliebigem Gitter; ohne Angabe keine Grenzen der Hangneigung</translation>
    </message>
    <message>
        <source>empty: 12 for floods when an elevation model is given</source>
        <translation>leer: 12 für Überflutungen, wenn ein Höhenmodell angegeben ist</translation>
    </message>
    <message>
        <source>empty: 5 for landslides when an elevation model is given</source>
        <translation>leer: 5 für Rutschungen, wenn ein Höhenmodell angegeben ist</translation>
    </message>
    <message>
        <source>for own values or own bits: whole numbers such as 3,8,9; bits count from 0</source>
        <translation>für own values (eigene Werte) oder own bits (eigene Bits): ganze Zahlen wie 3,8,9; Bits zählen ab 0</translation>
    </message>
    <message>
        <source>permanent water,JRC,occurrence,slope,DEM,elevation,filter,flood,landslide,false alarm,cloud,shadow,layover,SCL,QA_PIXEL,quality band,not assessed</source>
        <translation>ständiges wasser,JRC,occurrence,hang,höhenmodell,höhe,filter,überflutung,rutschung,fehlalarm,wolke,schatten,überlagerung,SCL,QA_PIXEL,qualitätskanal,nicht beurteilt</translation>
    </message>
    <message>
        <source>raster or polygons of clouds, shadow, layover and such; they become not assessed</source>
        <translation>Raster oder Polygone von Wolken, Schatten, Radarüberlagerung und dergleichen; sie werden nicht beurteilt</translation>
    </message>
    <message>
        <source>raster such as JRC occurrence, or polygons; none when empty</source>
        <translation>Raster wie JRC occurrence, oder Polygone; ohne Angabe keines</translation>
    </message>
    <message>
        <source>raster values from here on are permanent; JRC: per cent of the time; 1 for 0 and 1</source>
        <translation>Rasterwerte ab hier sind ständig; JRC: Prozent der Zeit; 1 für 0 und 1</translation>
    </message>
    <message>
        <source>{hazard}, refined - {scene}</source>
        <translation>{hazard}, verfeinert - {scene}</translation>
    </message>
</context>
<context>
    <name>ResultPanel</name>
    <message>
        <source>Before</source>
        <translation>Vorher</translation>
    </message>
    <message>
        <source>Deliver</source>
        <translation>Ausliefern</translation>
    </message>
    <message>
        <source>Results will be listed here.</source>
        <translation>Ergebnisse werden hier aufgeführt.</translation>
    </message>
    <message>
        <source>Saved as {name}</source>
        <translation>Gespeichert als {name}</translation>
    </message>
    <message>
        <source>Show this result in the map</source>
        <translation>Dieses Ergebnis in der Karte zeigen</translation>
    </message>
    <message>
        <source>Stages tried</source>
        <translation>Versuchte Stufen</translation>
    </message>
    <message>
        <source>Threshold, polygons, exposure, map sheet, report, emergency package and more</source>
        <translation>Schwellenwert, Polygone, Betroffenheit, Kartenblatt, Bericht, Notfallpaket und mehr</translation>
    </message>
    <message>
        <source>What the last runs found</source>
        <translation>Was die letzten Läufe gefunden haben</translation>
    </message>
    <message>
        <source>While pressed, the map shows the source model's result instead of the adapted one's</source>
        <translation>Solange gedrückt, zeigt die Karte das Ergebnis des Ausgangsmodells statt des angepassten</translation>
    </message>
    <message>
        <source>Zoom</source>
        <translation>Zoomen</translation>
    </message>
    <message>
        <source>all assessed</source>
        <translation>alles beurteilt</translation>
    </message>
    <message>
        <source>area not known</source>
        <translation>Fläche nicht bekannt</translation>
    </message>
    <message>
        <source>less than 1 % not assessed</source>
        <translation>weniger als 1 % nicht beurteilt</translation>
    </message>
    <message>
        <source>{area} since {before}</source>
        <translation>{area} seit {before}</translation>
    </message>
    <message>
        <source>{found}; {area} of water was there before</source>
        <translation>{found}; {area} Wasser waren schon vorher da</translation>
    </message>
    <message>
        <source>{percent:.0f} % not assessed</source>
        <translation>{percent:.0f} % nicht beurteilt</translation>
    </message>
    <message>
        <source>{time} left</source>
        <translation>noch {time}</translation>
    </message>
    <message>
        <source>{time} on {device}</source>
        <translation>{time} auf {device}</translation>
    </message>
</context>
<context>
    <name>RunAgain</name>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Delivery</source>
        <translation>Auslieferung</translation>
    </message>
    <message>
        <source>Every mask, probability and polygon file holds the job that made it, and the hashes (SHA-256) of scene and model. This algorithm reads them, hashes both again, and runs the same job to new files; then it takes the same steps: a threshold applied later, permanent water and slopes taken out, corrections by hand, and polygons traced (POLYGONS). A change is made again from its two masks.

Where scene or model have changed nothing is run, unless CHANGED says so. DIFFERENT_PIXELS counts pixels in which the new mask differs from INPUT, where INPUT is a mask; it is 0 on the same device with the same versions.

Scene, masks and corrections that were moved together with the result are found beside it.

A layer that QGIS had to copy for the engine, such as a web map, a layer without a file, a selection or a filtered layer, cannot be used again: its copy was not kept.</source>
        <translation>Jede Masken-, Wahrscheinlichkeits- und Polygondatei enthält den Auftrag, der sie gemacht hat, und die Prüfsummen (SHA-256) von Szene und Modell. Dieser Algorithmus liest sie, bildet beide Prüfsummen neu und führt denselben Auftrag in neue Dateien aus; dann geht er dieselben Schritte: einen später angewandten Schwellenwert, herausgenommenes ständiges Wasser und Hänge, Korrekturen von Hand und nachgezeichnete Polygone (POLYGONS). Eine Änderung wird aus ihren zwei Masken neu gemacht.

Wo sich Szene oder Modell geändert haben, wird nichts ausgeführt, es sei denn, CHANGED verlangt es. DIFFERENT_PIXELS zählt die Pixel, in denen sich die neue Maske von INPUT unterscheidet, wenn INPUT eine Maske ist; auf demselben Gerät mit denselben Versionen ist das 0.

Szene, Masken und Korrekturen, die zusammen mit dem Ergebnis verschoben wurden, werden neben ihm gefunden.

Ein Layer, den QGIS für den Rechenkern kopieren musste, etwa eine Webkarte, ein Layer ohne Datei, eine Auswahl oder ein gefilterter Layer, kann nicht noch einmal verwendet werden: Seine Kopie wurde nicht behalten.</translation>
    </message>
    <message>
        <source>Go on where scene or model have changed</source>
        <translation>Fortsetzen, wo sich Szene oder Modell geändert haben</translation>
    </message>
    <message>
        <source>Hazard area in m²</source>
        <translation>Gefahrenfläche in m²</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>No result is given; choose a mask, a probability or polygons of this plugin.</source>
        <translation>Kein Ergebnis angegeben; wählen Sie eine Maske, eine Wahrscheinlichkeit oder Polygone dieser Erweiterung.</translation>
    </message>
    <message>
        <source>Nothing was prepared; run the algorithm again.</source>
        <translation>Nichts wurde vorbereitet; führen Sie den Algorithmus erneut aus.</translation>
    </message>
    <message>
        <source>Pixels that differ from the result</source>
        <translation>Pixel, die vom Ergebnis abweichen</translation>
    </message>
    <message>
        <source>Polygons</source>
        <translation>Polygone</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Repeats the run that a result came from and says whether the mask is the same.</source>
        <translation>Wiederholt den Lauf, aus dem ein Ergebnis stammt, und sagt, ob die Maske dieselbe ist.</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>Run again</source>
        <translation>Erneut ausführen</translation>
    </message>
    <message>
        <source>SHA-256 of the model</source>
        <translation>SHA-256 des Modells</translation>
    </message>
    <message>
        <source>SHA-256 of the scene</source>
        <translation>SHA-256 der Szene</translation>
    </message>
    <message>
        <source>The new mask differs in {count} pixels.</source>
        <translation>Die neue Maske unterscheidet sich in {count} Pixeln.</translation>
    </message>
    <message>
        <source>The new mask is the same, pixel by pixel.</source>
        <translation>Die neue Maske ist dieselbe, Pixel für Pixel.</translation>
    </message>
    <message>
        <source>only where INPUT is polygons</source>
        <translation>nur, wenn INPUT Polygone sind</translation>
    </message>
    <message>
        <source>repeat,reproduce,provenance,custody,again,verify,hash</source>
        <translation>wiederholen,nachvollziehen,herkunft,nachweis,erneut,prüfen,prüfsumme</translation>
    </message>
    <message>
        <source>the result may then differ</source>
        <translation>das Ergebnis kann dann abweichen</translation>
    </message>
</context>
<context>
    <name>RunQueue</name>
    <message>
        <source>'{file}' was written by another program meanwhile: {scene} is assessed again under a free name.</source>
        <translation>„{file}“ wurde inzwischen von einem anderen Programm geschrieben: {scene} wird unter einem freien Namen noch einmal beurteilt.</translation>
    </message>
    <message>
        <source>Hazard Mapper's algorithm is not registered; enable its provider in the Processing options.</source>
        <translation>Der Algorithmus von Hazard Mapper ist nicht angemeldet; schalten Sie seinen Anbieter in den Optionen der Verarbeitung ein.</translation>
    </message>
    <message>
        <source>Hazard Mapper: {name}</source>
        <translation>Hazard Mapper: {name}</translation>
    </message>
    <message>
        <source>The layer '{name}' is no longer in the project; it was not assessed.</source>
        <translation>Der Layer „{name}“ ist nicht mehr im Projekt; er wurde nicht beurteilt.</translation>
    </message>
</context>
<context>
    <name>RunWater</name>
    <message>
        <source>Water on both dates</source>
        <translation>Wasser an beiden Tagen</translation>
    </message>
</context>
<context>
    <name>SceneAlgorithm</name>
    <message>
        <source>Bands: one slot a band, in order (empty: found out)</source>
        <translation>Kanäle: eine Rolle je Kanal, der Reihe nach (leer: selbst ermittelt)</translation>
    </message>
    <message>
        <source>Device (auto, cpu, cuda:0, mps)</source>
        <translation>Gerät (auto, cpu, cuda:0, mps)</translation>
    </message>
    <message>
        <source>Extent (empty: whole scene)</source>
        <translation>Ausdehnung (leer: ganze Szene)</translation>
    </message>
    <message>
        <source>Ground sampling distance in metres (empty: from the CRS)</source>
        <translation>Bodenauflösung in Metern (leer: aus dem KBS)</translation>
    </message>
    <message>
        <source>Hazard</source>
        <translation>Gefahr</translation>
    </message>
    <message>
        <source>Mapping</source>
        <translation>Kartierung</translation>
    </message>
    <message>
        <source>Model (name or folder; empty: the hazard's default)</source>
        <translation>Modell (Name oder Ordner; leer: Vorgabe der Gefahr)</translation>
    </message>
    <message>
        <source>No hazard is given; name one of {names}.</source>
        <translation>Keine Gefahr angegeben; nennen Sie eine von {names}.</translation>
    </message>
    <message>
        <source>No scene is given; choose a raster layer that QGIS can open.</source>
        <translation>Keine Szene angegeben; wählen Sie einen Rasterlayer, den QGIS öffnen kann.</translation>
    </message>
    <message>
        <source>Scene</source>
        <translation>Szene</translation>
    </message>
    <message>
        <source>Sensor (empty: found out)</source>
        <translation>Sensor (leer: selbst ermittelt)</translation>
    </message>
    <message>
        <source>The extent cannot be expressed in the scene's CRS ({error}); choose another.</source>
        <translation>Die Ausdehnung lässt sich im KBS der Szene nicht ausdrücken ({error}); wählen Sie eine andere.</translation>
    </message>
    <message>
        <source>The extent is empty; give xmin,xmax,ymin,ymax, or none for the whole scene.</source>
        <translation>Die Ausdehnung ist leer; geben Sie xmin,xmax,ymin,ymax an, oder keine für die ganze Szene.</translation>
    </message>
    <message>
        <source>Units of the values (empty: found out)</source>
        <translation>Einheiten der Werte (leer: selbst ermittelt)</translation>
    </message>
</context>
<context>
    <name>SceneBefore</name>
    <message>
        <source>'{name}' of {date}</source>
        <translation>„{name}“ vom {date}</translation>
    </message>
    <message>
        <source>Area of water on both dates in m²</source>
        <translation>Fläche mit Wasser an beiden Tagen in m²</translation>
    </message>
    <message>
        <source>Bands of the scene before (empty: found out)</source>
        <translation>Kanäle der früheren Szene (leer: selbst ermittelt)</translation>
    </message>
    <message>
        <source>Compared by rule: probability now, times one minus the probability before.</source>
        <translation>Nach Regel verglichen: Wahrscheinlichkeit jetzt, mal eins minus die Wahrscheinlichkeit vorher.</translation>
    </message>
    <message>
        <source>Day of the scene before</source>
        <translation>Tag der früheren Szene</translation>
    </message>
    <message>
        <source>Day of the scene before, as 2024-05-01 (empty: found out)</source>
        <translation>Tag der früheren Szene, wie 2024-05-01 (leer: selbst ermittelt)</translation>
    </message>
    <message>
        <source>Question answered (present or new)</source>
        <translation>Beantwortete Frage (present: vorhanden, oder new: neu)</translation>
    </message>
    <message>
        <source>Question answered: what is new since {scene}.</source>
        <translation>Beantwortete Frage: Was ist neu seit {scene}?</translation>
    </message>
    <message>
        <source>SHA-256 of the scene before</source>
        <translation>SHA-256 der früheren Szene</translation>
    </message>
    <message>
        <source>Scene before that was used</source>
        <translation>Verwendete frühere Szene</translation>
    </message>
    <message>
        <source>Scene before the event</source>
        <translation>Szene vor dem Ereignis</translation>
    </message>
    <message>
        <source>Sensor of the scene before (empty: found out)</source>
        <translation>Sensor der früheren Szene (leer: selbst ermittelt)</translation>
    </message>
    <message>
        <source>Share of the assessed pixels that the scene before shows (0 to 1; empty: not compared)</source>
        <translation>Anteil der beurteilten Pixel, die die frühere Szene zeigt (0 bis 1; leer: nicht verglichen)</translation>
    </message>
    <message>
        <source>The scene before the event is the scene itself, '{name}'; choose the earlier one of the two.</source>
        <translation>Die Szene vor dem Ereignis ist die Szene selbst, „{name}“; wählen Sie die frühere der beiden.</translation>
    </message>
    <message>
        <source>The scene before, '{before}', does not lie where '{scene}' does; choose one of the same place.</source>
        <translation>Die frühere Szene „{before}“ liegt nicht dort, wo „{scene}“ liegt; wählen Sie eine vom selben Ort.</translation>
    </message>
    <message>
        <source>The two scenes lie {pixels:.1f} pixels apart; none was moved.</source>
        <translation>Die beiden Szenen liegen {pixels:.1f} Pixel auseinander; keine wurde verschoben.</translation>
    </message>
    <message>
        <source>Units of the scene before (empty: found out)</source>
        <translation>Einheiten der früheren Szene (leer: selbst ermittelt)</translation>
    </message>
    <message>
        <source>Water on both dates: {area:.4f} km², a class of its own (2).</source>
        <translation>Wasser an beiden Tagen: {area:.4f} km², eine eigene Klasse (2).</translation>
    </message>
    <message>
        <source>What compared the two scenes (network or rule)</source>
        <translation>Was die beiden Szenen verglich (network oder rule)</translation>
    </message>
    <message>
        <source>an earlier scene of the same place: what is new is then looked for</source>
        <translation>eine frühere Szene vom selben Ort: Gesucht wird dann, was neu ist</translation>
    </message>
    <message>
        <source>{name} is about a scene before the event; give one as BEFORE, or leave it empty.</source>
        <translation>{name} betrifft eine Szene vor dem Ereignis; geben Sie eine als BEFORE an, oder lassen Sie es leer.</translation>
    </message>
</context>
<context>
    <name>SceneReader</name>
    <message>
        <source>1 band</source>
        <translation>1 Kanal</translation>
    </message>
    <message>
        <source>The layer cannot be read through QGIS.</source>
        <translation>Der Layer kann nicht über QGIS gelesen werden.</translation>
    </message>
    <message>
        <source>{count} bands</source>
        <translation>{count} Kanäle</translation>
    </message>
    <message>
        <source>{count}, not recognised</source>
        <translation>{count}, nicht erkannt</translation>
    </message>
</context>
<context>
    <name>Scorecard</name>
    <message>
        <source>Measured by the scorecard command; real sets were not used for training</source>
        <translation>Vom Befehl scorecard gemessen; echte Datensätze dienten nicht zum Training</translation>
    </message>
    <message>
        <source>Scores of all models</source>
        <translation>Güten aller Modelle</translation>
    </message>
</context>
<context>
    <name>SegmentArchive</name>
    <message>
        <source>Adapt to each scene first</source>
        <translation>Zuerst an jede Szene anpassen</translation>
    </message>
    <message>
        <source>Assets of STAC items</source>
        <translation>Assets von STAC-Items</translation>
    </message>
    <message>
        <source>Cancelled; scenes that are complete stay. Run it again to go on.</source>
        <translation>Abgebrochen; vollständige Szenen bleiben. Starten Sie erneut, um fortzusetzen.</translation>
    </message>
    <message>
        <source>Folder of scenes</source>
        <translation>Ordner mit Szenen</translation>
    </message>
    <message>
        <source>Further attempts at a scene that fails</source>
        <translation>Weitere Versuche bei einer Szene, die misslingt</translation>
    </message>
    <message>
        <source>GeoPackage (*.gpkg)</source>
        <translation>GeoPackage (*.gpkg)</translation>
    </message>
    <message>
        <source>GeoPackage; in the output folder when empty</source>
        <translation>GeoPackage; ohne Angabe im Ausgabeordner</translation>
    </message>
    <message>
        <source>Give either a folder of scenes or a list of them.</source>
        <translation>Geben Sie entweder einen Ordner mit Szenen oder eine Liste davon an.</translation>
    </message>
    <message>
        <source>Hazard</source>
        <translation>Gefahr</translation>
    </message>
    <message>
        <source>Hazard area of all scenes in m²</source>
        <translation>Gefahrenfläche aller Szenen in m²</translation>
    </message>
    <message>
        <source>Layer '{name}' of the table is being edited; save or drop the edits first.</source>
        <translation>Layer „{name}“ der Tabelle wird gerade bearbeitet; speichern oder verwerfen Sie die Änderungen zuerst.</translation>
    </message>
    <message>
        <source>Maps a hazard in every scene of a folder or list, with one table of results.</source>
        <translation>Kartiert eine Gefahr in jeder Szene eines Ordners oder einer Liste, mit einer Tabelle der Ergebnisse.</translation>
    </message>
    <message>
        <source>Maps one hazard in every scene of a folder and those below it, of a text file with one scene a line, or of a STAC item collection whose assets are files of this computer.

Each scene gets a mask, and a probability and polygons where wanted, in the output folder. The table has one row a scene: outline, date, area, share assessed, outputs, hashes, and why it failed where it did.

Run again, only what is new, has changed or has failed is done. Cancel keeps what is complete. One bad scene does not stop the others; it is tried again and then listed.

With workers, several scenes are worked on at a time, each in a process of its own; that needs Dask in the engine's environment. With 0 workers one scene follows another without it.</source>
        <translation>Kartiert eine Gefahr in jeder Szene eines Ordners und derer darunter, einer Textdatei mit einer Szene je Zeile oder einer STAC-Item-Sammlung, deren Assets Dateien dieses Rechners sind.

Jede Szene bekommt im Ausgabeordner eine Maske, auf Wunsch auch Wahrscheinlichkeit und Polygone. Die Tabelle hat eine Zeile je Szene: Umriss, Datum, Fläche, beurteilter Anteil, Ausgaben, Prüfsummen, und wo sie misslang, warum.

Erneut gestartet, wird nur getan, was neu ist, sich geändert hat oder misslang. Abbrechen behält, was vollständig ist. Eine schlechte Szene hält die anderen nicht auf; sie wird erneut versucht und dann aufgeführt.

Mit Arbeitern werden mehrere Szenen zugleich bearbeitet, jede in einem eigenen Prozess; das braucht Dask in der Umgebung des Rechenkerns. Mit 0 Arbeitern folgt ohne Dask eine Szene der anderen.</translation>
    </message>
    <message>
        <source>Model (name or folder; empty: the hazard's default)</source>
        <translation>Modell (Name oder Ordner; leer: Vorgabe der Gefahr)</translation>
    </message>
    <message>
        <source>Names of scenes in the folder</source>
        <translation>Namen der Szenen im Ordner</translation>
    </message>
    <message>
        <source>Nothing was prepared; run the algorithm again.</source>
        <translation>Nichts wurde vorbereitet; führen Sie den Algorithmus erneut aus.</translation>
    </message>
    <message>
        <source>Or a list of scenes</source>
        <translation>Oder eine Liste von Szenen</translation>
    </message>
    <message>
        <source>Output folder</source>
        <translation>Ausgabeordner</translation>
    </message>
    <message>
        <source>Replace outputs that are not from an earlier run</source>
        <translation>Ausgaben ersetzen, die nicht aus einem früheren Lauf sind</translation>
    </message>
    <message>
        <source>Scenes</source>
        <translation>Szenen</translation>
    </message>
    <message>
        <source>Scenes done by this run</source>
        <translation>Von diesem Lauf erledigte Szenen</translation>
    </message>
    <message>
        <source>Scenes that failed</source>
        <translation>Misslungene Szenen</translation>
    </message>
    <message>
        <source>Scenes that failed, and why</source>
        <translation>Misslungene Szenen, und warum</translation>
    </message>
    <message>
        <source>Scenes that were complete before</source>
        <translation>Szenen, die schon vollständig waren</translation>
    </message>
    <message>
        <source>Seconds taken</source>
        <translation>Gebrauchte Sekunden</translation>
    </message>
    <message>
        <source>Segment an archive</source>
        <translation>Ein Archiv segmentieren</translation>
    </message>
    <message>
        <source>Table</source>
        <translation>Tabelle</translation>
    </message>
    <message>
        <source>Table as a layer of outlines</source>
        <translation>Tabelle als Layer von Umrissen</translation>
    </message>
    <message>
        <source>Threshold between 0 and 1 (empty: the model's own)</source>
        <translation>Schwellenwert zwischen 0 und 1 (leer: der des Modells)</translation>
    </message>
    <message>
        <source>Warnings</source>
        <translation>Warnungen</translation>
    </message>
    <message>
        <source>Workers</source>
        <translation>Arbeiter</translation>
    </message>
    <message>
        <source>Write polygons</source>
        <translation>Polygone schreiben</translation>
    </message>
    <message>
        <source>Write probabilities</source>
        <translation>Wahrscheinlichkeiten schreiben</translation>
    </message>
    <message>
        <source>archive,batch,folder,many scenes,stac,dask,cluster,overnight,flood,landslide</source>
        <translation>archiv,stapel,ordner,viele szenen,stac,dask,cluster,über nacht,überflutung,rutschung</translation>
    </message>
    <message>
        <source>processes that work at a time, which needs Dask; 0: one scene after another</source>
        <translation>Prozesse, die zugleich arbeiten, was Dask braucht; 0: eine Szene nach der anderen</translation>
    </message>
    <message>
        <source>such as *.tif,*_SR.jp2; rasters by their endings when empty</source>
        <translation>etwa *.tif,*_SR.jp2; ohne Angabe Raster nach ihrer Endung</translation>
    </message>
    <message>
        <source>text file with one scene a line, or STAC item collection (JSON)</source>
        <translation>Textdatei mit einer Szene je Zeile oder STAC-Item-Sammlung (JSON)</translation>
    </message>
    <message>
        <source>those that make a scene, stacked in this order; an item's only raster when empty</source>
        <translation>die eine Szene ausmachen, in dieser Reihenfolge gestapelt; ohne Angabe das einzige Raster eines Items</translation>
    </message>
    <message>
        <source>{scenes} scenes: {done} done, {skipped} complete before, {failed} failed.</source>
        <translation>{scenes} Szenen: {done} erledigt, {skipped} schon vollständig, {failed} misslungen.</translation>
    </message>
</context>
<context>
    <name>SegmentHazard</name>
    <message>
        <source>Adapt to this scene first</source>
        <translation>Erst an diese Szene anpassen</translation>
    </message>
    <message>
        <source>Adapted model (empty: none)</source>
        <translation>Angepasstes Modell (leer: keines)</translation>
    </message>
    <message>
        <source>Assess only inside these polygons</source>
        <translation>Nur innerhalb dieser Polygone beurteilen</translation>
    </message>
    <message>
        <source>Cancelled when the mask was already written: it is kept, without the comparison.</source>
        <translation>Abgebrochen, als die Maske schon geschrieben war: Sie bleibt, ohne den Vergleich.</translation>
    </message>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Abgebrochen; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>Change of the probability by adapting</source>
        <translation>Änderung der Wahrscheinlichkeit durch die Anpassung</translation>
    </message>
    <message>
        <source>Device used</source>
        <translation>Verwendetes Gerät</translation>
    </message>
    <message>
        <source>Hazard area in m²</source>
        <translation>Gefahrenfläche in m²</translation>
    </message>
    <message>
        <source>Job of the engine (JSON)</source>
        <translation>Auftrag an den Rechenkern (JSON)</translation>
    </message>
    <message>
        <source>Maps floods, landslides or glacier collapses in one satellite scene.</source>
        <translation>Kartiert Überflutungen, Rutschungen oder Gletscherabbrüche in einer Satellitenszene.</translation>
    </message>
    <message>
        <source>Maps one hazard in one satellite scene with a neural network that runs in Hazard Mapper's engine.

The scene may be any raster layer, optical or radar. Bands and units are found out from names, wavelengths and values, and the log says how; give BANDS (one slot a band, in order: coastal, blue, green, red, nir, swir1, swir2, vv, vh, or - for unused), SENSOR or UNITS where that is wrong.

The mask has the scene's own grid, cropped to the extent if one is given: 0 none, 1 hazard, 255 not assessed. The probability, if wanted, is 0 to 100 %, 255 not assessed. Without a threshold the model's own is used.

With BEFORE, a scene of the same place from before the event on any grid, what is new is looked for: where its answer is the same on both dates nothing is hazard, and water on both dates is a class of its own (2). Where BEFORE has no value, the scene is assessed by itself.

With ADAPT the model first learns from the unlabelled scene, in the same extent or polygons, and VERDICT and REASON say whether that helped. With BEFORE as well, ground that did not change is its evidence of where nothing is new. An adapted model is saved under ADAPT_NAME, for other scenes of the same event; where adapting did not help, the model maps as it is. MASK_BEFORE, PROBABILITY_BEFORE and DIFFERENCE (percentage points) compare with the model as it was.

Areas are measured on the ellipsoid. A mask is a model's opinion: check it before anyone relies on it.</source>
        <translation>Kartiert eine Gefahr in einer Satellitenszene mit einem neuronalen Netz, das im Rechenkern von Hazard Mapper läuft.

Die Szene darf ein beliebiger Rasterlayer sein, optisch oder Radar. Kanäle und Einheiten werden aus Namen, Wellenlängen und Werten ermittelt, und das Protokoll sagt, wie; geben Sie BANDS (eine Rolle je Kanal, der Reihe nach: coastal, blue, green, red, nir, swir1, swir2, vv, vh, oder - für ungenutzt), SENSOR oder UNITS an, wo das falsch ist.

Die Maske hat das Gitter der Szene, auf die Ausdehnung zugeschnitten, wenn eine angegeben ist: 0 keine, 1 Gefahr, 255 nicht beurteilt. Die Wahrscheinlichkeit, wenn gewünscht, ist 0 bis 100 %, 255 nicht beurteilt. Ohne Schwellenwert gilt der des Modells.

Mit BEFORE, einer Szene desselben Orts von vor dem Ereignis auf beliebigem Gitter, wird gesucht, was neu ist: Wo die Antwort an beiden Tagen dieselbe ist, ist nichts Gefahr, und Wasser an beiden Tagen ist eine eigene Klasse (2). Wo BEFORE keinen Wert hat, wird die Szene für sich beurteilt.

Mit ADAPT lernt das Modell zuerst aus der unbeschrifteten Szene, in derselben Ausdehnung oder denselben Polygonen, und VERDICT und REASON sagen, ob das half. Mit BEFORE dazu belegt ihm Boden, der sich nicht veränderte, wo nichts neu ist. Ein angepasstes Modell wird unter ADAPT_NAME gespeichert, für andere Szenen desselben Ereignisses; wo Anpassen nicht half, kartiert das Modell, wie es ist. MASK_BEFORE, PROBABILITY_BEFORE und DIFFERENCE (Prozentpunkte) vergleichen mit dem Modell, wie es war.

Flächen werden auf dem Ellipsoid gemessen. Eine Maske ist die Meinung eines Modells: Prüfen Sie sie, bevor sich jemand darauf verlässt.</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>Mask without adapting</source>
        <translation>Maske ohne Anpassung</translation>
    </message>
    <message>
        <source>Model used</source>
        <translation>Verwendetes Modell</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Probability without adapting</source>
        <translation>Wahrscheinlichkeit ohne Anpassung</translation>
    </message>
    <message>
        <source>SHA-256 of the model</source>
        <translation>SHA-256 des Modells</translation>
    </message>
    <message>
        <source>SHA-256 of the scene</source>
        <translation>SHA-256 der Szene</translation>
    </message>
    <message>
        <source>Seconds taken</source>
        <translation>Gebrauchte Sekunden</translation>
    </message>
    <message>
        <source>Segment hazard</source>
        <translation>Gefahr segmentieren</translation>
    </message>
    <message>
        <source>Share of the scene assessed (0 to 1)</source>
        <translation>Beurteilter Anteil der Szene (0 bis 1)</translation>
    </message>
    <message>
        <source>The adapted model is saved as {name}.</source>
        <translation>Das angepasste Modell ist als {name} gespeichert.</translation>
    </message>
    <message>
        <source>The mask is kept, without the comparison: {reason}</source>
        <translation>Die Maske bleibt, ohne den Vergleich: {reason}</translation>
    </message>
    <message>
        <source>Threshold between 0 and 1 (empty: the model's own)</source>
        <translation>Schwellenwert zwischen 0 und 1 (leer: der des Modells)</translation>
    </message>
    <message>
        <source>Threshold used</source>
        <translation>Verwendeter Schwellenwert</translation>
    </message>
    <message>
        <source>Warnings</source>
        <translation>Warnungen</translation>
    </message>
    <message>
        <source>flood,landslide,glacier,water,hazard,disaster,segmentation,deep learning,mask,sentinel,landsat</source>
        <translation>überflutung,hochwasser,rutschung,gletscher,wasser,gefahr,katastrophe,segmentierung,tiefes lernen,maske,sentinel,landsat</translation>
    </message>
    <message>
        <source>{name} compares with the model before it was adapted; set ADAPT, or leave it empty.</source>
        <translation>{name} vergleicht mit dem Modell vor der Anpassung; setzen Sie ADAPT, oder lassen Sie es leer.</translation>
    </message>
</context>
<context>
    <name>SetupEntry</name>
    <message>
        <source>Install the engine, once; shows first what, where and how large</source>
        <translation>Den Rechenkern einmalig installieren; zeigt zuerst, was, wohin und wie groß</translation>
    </message>
    <message>
        <source>Repair or remove the engine, or switch between processor and GPU</source>
        <translation>Den Rechenkern reparieren oder entfernen oder zwischen Prozessor und GPU wechseln</translation>
    </message>
    <message>
        <source>Set &amp;up engine</source>
        <translation>Rechenkern einri&amp;chten</translation>
    </message>
    <message>
        <source>Set up, repair, switch…</source>
        <translation>Einrichten, reparieren, wechseln…</translation>
    </message>
</context>
<context>
    <name>SetupFailures</name>
    <message>
        <source>'{folder}' cannot be written to; choose another folder for the engine.</source>
        <translation>In „{folder}“ kann nicht geschrieben werden; wählen Sie einen anderen Ordner für den Rechenkern.</translation>
    </message>
    <message>
        <source>'{path}' does not answer as a Python ({detail}); name another one.</source>
        <translation>„{path}“ antwortet nicht wie ein Python ({detail}); nennen Sie ein anderes.</translation>
    </message>
    <message>
        <source>A file is not what was promised (its hash differs); try again, and tell your network's operator if it stays so.</source>
        <translation>Eine Datei ist nicht die angekündigte (ihre Prüfsumme weicht ab); versuchen Sie es erneut, und sagen Sie es Ihrer Netzbetreuung, wenn es so bleibt.</translation>
    </message>
    <message>
        <source>Access to '{folder}' is denied, often by an antivirus program or a file in use; close other QGIS windows, allow the folder there, or choose another folder, then go on where it stopped.</source>
        <translation>Der Zugriff auf „{folder}“ wird verweigert, oft durch ein Virenschutzprogramm oder eine benutzte Datei; schließen Sie andere QGIS-Fenster, erlauben Sie den Ordner dort oder wählen Sie einen anderen, und setzen Sie dann fort.</translation>
    </message>
    <message>
        <source>Another QGIS (process {pid} on {host}) is setting up the engine; wait for it or close it.</source>
        <translation>Ein anderes QGIS (Prozess {pid} auf {host}) richtet den Rechenkern ein; warten Sie darauf oder schließen Sie es.</translation>
    </message>
    <message>
        <source>PyTorch or a package beside it does not load ({detail}); repair the engine.</source>
        <translation>PyTorch oder ein Paket daneben lädt nicht ({detail}); reparieren Sie den Rechenkern.</translation>
    </message>
    <message>
        <source>QGIS's Python is {version}, PyTorch needs 3.10 or later; name a newer Python that has GDAL, or update QGIS.</source>
        <translation>Das Python von QGIS ist {version}, PyTorch braucht 3.10 oder neuer; nennen Sie ein neueres Python mit GDAL oder aktualisieren Sie QGIS.</translation>
    </message>
    <message>
        <source>QGIS's own Python was not found; name a Python (3.10 or later, 64 bit) that has GDAL.</source>
        <translation>Das Python von QGIS wurde nicht gefunden; nennen Sie ein Python (3.10 oder neuer, 64 Bit) mit GDAL.</translation>
    </message>
    <message>
        <source>The GPU does not compute ({detail}); update its driver, or choose the build for the processor.</source>
        <translation>Die GPU rechnet nicht ({detail}); aktualisieren Sie ihren Treiber oder wählen Sie die Fassung für den Prozessor.</translation>
    </message>
    <message>
        <source>The NVIDIA driver is too old for this build ({detail}); update the driver, or choose the build for the processor.</source>
        <translation>Der NVIDIA-Treiber ist für diese Fassung zu alt ({detail}); aktualisieren Sie ihn oder wählen Sie die Fassung für den Prozessor.</translation>
    </message>
    <message>
        <source>The bundle is for {theirs}, this computer needs {ours}; make one for it.</source>
        <translation>Das Bündel ist für {theirs}, dieser Rechner braucht {ours}; machen Sie eines dafür.</translation>
    </message>
    <message>
        <source>The certificate of the package server is not trusted, often because a firewall reads along; give pip the certificate of your institution (pip config set global.cert FILE), then try again. It is never skipped.</source>
        <translation>Dem Zertifikat des Paketservers wird nicht vertraut, oft weil eine Firewall mitliest; geben Sie pip das Zertifikat Ihrer Einrichtung (pip config set global.cert FILE) und versuchen Sie es erneut. Übergangen wird es nie.</translation>
    </message>
    <message>
        <source>The device gives wrong numbers ({detail}); choose the build for the processor.</source>
        <translation>Das Gerät liefert falsche Zahlen ({detail}); wählen Sie die Fassung für den Prozessor.</translation>
    </message>
    <message>
        <source>The disk is full; {needed} have to be free at '{folder}': make room or choose another folder, then go on where it stopped.</source>
        <translation>Der Datenträger ist voll; {needed} müssen in „{folder}“ frei sein: Schaffen Sie Platz oder wählen Sie einen anderen Ordner, und setzen Sie dann fort.</translation>
    </message>
    <message>
        <source>The engine is at work in '{folder}'; wait for the run to end or cancel it, then go on.</source>
        <translation>Der Rechenkern arbeitet in „{folder}“; warten Sie das Ende des Laufs ab oder brechen Sie ihn ab, und setzen Sie dann fort.</translation>
    </message>
    <message>
        <source>The folder is no complete bundle ({detail}); make it again with python -m engine.bundle.</source>
        <translation>Der Ordner ist kein vollständiges Bündel ({detail}); machen Sie es mit python -m engine.bundle neu.</translation>
    </message>
    <message>
        <source>The folder's path is too long for Windows; choose a shorter one such as C:\hazard, or switch on long paths in Windows.</source>
        <translation>Der Pfad des Ordners ist zu lang für Windows; wählen Sie einen kürzeren wie C:\hazard, oder schalten Sie in Windows lange Pfade ein.</translation>
    </message>
    <message>
        <source>The new engine failed its proof ({detail}); repair it, and send the report if that fails too.</source>
        <translation>Der neue Rechenkern bestand die Prüfung nicht ({detail}); reparieren Sie ihn, und schicken Sie den Bericht, wenn auch das misslingt.</translation>
    </message>
    <message>
        <source>The package server cannot be reached; check the connection and try again, or install from a folder that was made on another computer.</source>
        <translation>Der Paketserver ist nicht zu erreichen; prüfen Sie die Verbindung und versuchen Sie es erneut, oder installieren Sie aus einem Ordner, der auf einem anderen Rechner gemacht wurde.</translation>
    </message>
    <message>
        <source>The package server refuses the request ({detail}); try again later, or install from a folder that was made on another computer.</source>
        <translation>Der Paketserver lehnt die Anfrage ab ({detail}); versuchen Sie es später erneut, oder installieren Sie aus einem Ordner, der auf einem anderen Rechner gemacht wurde.</translation>
    </message>
    <message>
        <source>The packages do not go together with those of QGIS ({detail}); name another Python.</source>
        <translation>Die Pakete vertragen sich nicht mit denen von QGIS ({detail}); nennen Sie ein anderes Python.</translation>
    </message>
    <message>
        <source>The proxy refuses or does not answer; set it right for pip (pip config set global.proxy http://NAME:PORT, or the variable HTTPS_PROXY), then try again.</source>
        <translation>Der Proxy lehnt ab oder antwortet nicht; stellen Sie ihn für pip richtig ein (pip config set global.proxy http://NAME:PORT, oder die Variable HTTPS_PROXY), und versuchen Sie es erneut.</translation>
    </message>
    <message>
        <source>The set-up failed ({detail}); try again, and send the report if it fails again.</source>
        <translation>Die Einrichtung schlug fehl ({detail}); versuchen Sie es erneut, und schicken Sie den Bericht, wenn sie wieder fehlschlägt.</translation>
    </message>
    <message>
        <source>The set-up gave no sign of life for {detail} s and was stopped; go on where it stopped.</source>
        <translation>Die Einrichtung gab {detail} s lang kein Lebenszeichen und wurde angehalten; setzen Sie sie fort.</translation>
    </message>
    <message>
        <source>There is a file where the folder '{folder}' has to be; move it away or choose another folder.</source>
        <translation>Wo der Ordner „{folder}“ sein muss, liegt eine Datei; schieben Sie sie weg oder wählen Sie einen anderen Ordner.</translation>
    </message>
    <message>
        <source>There is no ready-made package for this computer and Python ({detail}); choose the build for the processor, or name another Python (3.10 or later, 64 bit).</source>
        <translation>Für diesen Rechner und dieses Python gibt es kein fertiges Paket ({detail}); wählen Sie die Fassung für den Prozessor, oder nennen Sie ein anderes Python (3.10 oder neuer, 64 Bit).</translation>
    </message>
    <message>
        <source>This Python cannot make environments, because its module venv or ensurepip is missing; on Debian or Ubuntu run 'sudo apt install python3-venv', then try again, or name another Python.</source>
        <translation>Dieses Python kann keine Umgebungen machen, weil sein Modul venv oder ensurepip fehlt; führen Sie unter Debian oder Ubuntu „sudo apt install python3-venv“ aus und versuchen Sie es erneut, oder nennen Sie ein anderes Python.</translation>
    </message>
    <message>
        <source>This Python has no working GDAL ({detail}); name the Python that QGIS uses, or one with the package GDAL (on Debian or Ubuntu: python3-gdal).</source>
        <translation>Dieses Python hat kein funktionierendes GDAL ({detail}); nennen Sie das Python von QGIS oder eines mit dem Paket GDAL (unter Debian oder Ubuntu: python3-gdal).</translation>
    </message>
    <message>
        <source>This Python is a 32 bit program, for which there is no PyTorch; name a 64 bit one.</source>
        <translation>Dieses Python ist ein 32-Bit-Programm, für das es kein PyTorch gibt; nennen Sie eines mit 64 Bit.</translation>
    </message>
    <message>
        <source>no reason was given</source>
        <translation>kein Grund wurde angegeben</translation>
    </message>
</context>
<context>
    <name>SetupForm</name>
    <message>
        <source>&amp;Device</source>
        <translation>&amp;Gerät</translation>
    </message>
    <message>
        <source>Advanced</source>
        <translation>Erweitert</translation>
    </message>
    <message>
        <source>C&amp;hange…</source>
        <translation>Ä&amp;ndern…</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Chec&amp;k</source>
        <translation>Prü&amp;fen</translation>
    </message>
    <message>
        <source>Checking Python and disk</source>
        <translation>Python und Speicherplatz werden geprüft</translation>
    </message>
    <message>
        <source>Choose another folder for the engine</source>
        <translation>Einen anderen Ordner für den Rechenkern wählen</translation>
    </message>
    <message>
        <source>Choose the Python that the environment is made from</source>
        <translation>Das Python wählen, aus dem die Umgebung gemacht wird</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Wählen…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Close this window; a set-up goes on</source>
        <translation>Dieses Fenster schließen; eine Einrichtung geht weiter</translation>
    </message>
    <message>
        <source>Copy a report without names, addresses and secrets</source>
        <translation>Einen Bericht ohne Namen, Adressen und Geheimnisse kopieren</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>Bericht kopieren</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Einzelheiten</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>For networks that reach a mirror but not download.pytorch.org; the build may then be a larger one</source>
        <translation>Für Netze, die einen Spiegel erreichen, aber nicht download.pytorch.org; das Paket kann dann größer sein</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
    <message>
        <source>How far the set-up is</source>
        <translation>Wie weit die Einrichtung ist</translation>
    </message>
    <message>
        <source>Install from folder…</source>
        <translation>Aus Ordner installieren…</translation>
    </message>
    <message>
        <source>Install what is listed above</source>
        <translation>Installieren, was oben steht</translation>
    </message>
    <message>
        <source>Installing PyTorch</source>
        <translation>PyTorch wird installiert</translation>
    </message>
    <message>
        <source>Installing packages</source>
        <translation>Pakete werden installiert</translation>
    </message>
    <message>
        <source>Made from</source>
        <translation>Gemacht aus</translation>
    </message>
    <message>
        <source>Making the environment</source>
        <translation>Die Umgebung wird gemacht</translation>
    </message>
    <message>
        <source>Packages</source>
        <translation>Pakete</translation>
    </message>
    <message>
        <source>Prove the engine again and compare its packages with those installed</source>
        <translation>Den Rechenkern erneut prüfen und seine Pakete mit den installierten vergleichen</translation>
    </message>
    <message>
        <source>Proving it in its place</source>
        <translation>Er wird an seinem Platz geprüft</translation>
    </message>
    <message>
        <source>Proving the new engine</source>
        <translation>Der neue Rechenkern wird geprüft</translation>
    </message>
    <message>
        <source>Putting it into place</source>
        <translation>Er wird an seinen Platz gebracht</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Entfernen…</translation>
    </message>
    <message>
        <source>Set up engine</source>
        <translation>Rechenkern einrichten</translation>
    </message>
    <message>
        <source>Set up without a network, from a folder made on another computer with python -m engine.bundle</source>
        <translation>Ohne Netz einrichten, aus einem Ordner, der auf einem anderen Rechner mit python -m engine.bundle gemacht wurde</translation>
    </message>
    <message>
        <source>Show what the commands say</source>
        <translation>Zeigen, was die Befehle sagen</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Stop; what was downloaded is kept for the next try</source>
        <translation>Anhalten; das Heruntergeladene bleibt für den nächsten Versuch</translation>
    </message>
    <message>
        <source>Take PyTorch from the package index that pip is set to</source>
        <translation>PyTorch aus dem Paketverzeichnis nehmen, auf das pip eingestellt ist</translation>
    </message>
    <message>
        <source>Take the engine and its packages away</source>
        <translation>Den Rechenkern und seine Pakete entfernen</translation>
    </message>
    <message>
        <source>The Python that the environment is made from</source>
        <translation>Das Python, aus dem die Umgebung gemacht wird</translation>
    </message>
    <message>
        <source>Tidying up</source>
        <translation>Aufräumen</translation>
    </message>
    <message>
        <source>Use a Python that has PyTorch already; it is proven first and left as it is</source>
        <translation>Ein Python verwenden, das PyTorch schon hat; es wird zuerst geprüft und so gelassen, wie es ist</translation>
    </message>
    <message>
        <source>Use an existing Python…</source>
        <translation>Vorhandenes Python verwenden…</translation>
    </message>
    <message>
        <source>What the engine will compute on; only what this computer can run is listed</source>
        <translation>Worauf der Rechenkern rechnet; aufgeführt ist nur, was dieser Rechner kann</translation>
    </message>
    <message>
        <source>What the set-up does, and what helps if it fails</source>
        <translation>Was die Einrichtung tut und was hilft, wenn sie fehlschlägt</translation>
    </message>
    <message>
        <source>Where packages come from, another Python, and an engine that is there already</source>
        <translation>Woher Pakete kommen, ein anderes Python, und ein Rechenkern, der schon da ist</translation>
    </message>
    <message>
        <source>Where the engine is, or will be</source>
        <translation>Wo der Rechenkern ist oder sein wird</translation>
    </message>
</context>
<context>
    <name>SetupPage</name>
    <message>
        <source>Cancelled; what was downloaded is kept, and the next try goes on.</source>
        <translation>Abgebrochen; das Heruntergeladene bleibt, und der nächste Versuch geht damit weiter.</translation>
    </message>
    <message>
        <source>Cancelling…</source>
        <translation>Wird abgebrochen…</translation>
    </message>
    <message>
        <source>Choose a folder outside the plugin, which an update replaces.</source>
        <translation>Wählen Sie einen Ordner außerhalb der Erweiterung, die bei einer Aktualisierung ersetzt wird.</translation>
    </message>
    <message>
        <source>Folder for the engine</source>
        <translation>Ordner für den Rechenkern</translation>
    </message>
    <message>
        <source>Folder made with python -m engine.bundle</source>
        <translation>Ordner, der mit python -m engine.bundle gemacht wurde</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>In use is '{path}', which the variable HAZARD_ENGINE_PYTHON names; unset it to use another.</source>
        <translation>In Gebrauch ist „{path}“, genannt von der Variablen HAZARD_ENGINE_PYTHON; entfernen Sie sie, um einen anderen zu nehmen.</translation>
    </message>
    <message>
        <source>In use is '{path}', which was chosen; setting up replaces that choice.</source>
        <translation>In Gebrauch ist „{path}“, das gewählt wurde; eine Einrichtung ersetzt diese Wahl.</translation>
    </message>
    <message>
        <source>Looking for a GPU</source>
        <translation>Eine GPU wird gesucht</translation>
    </message>
    <message>
        <source>Looking for a GPU…</source>
        <translation>Eine GPU wird gesucht…</translation>
    </message>
    <message>
        <source>No engine is installed yet.</source>
        <translation>Noch ist kein Rechenkern installiert.</translation>
    </message>
    <message>
        <source>Proving a Python</source>
        <translation>Ein Python wird geprüft</translation>
    </message>
    <message>
        <source>Proving the engine</source>
        <translation>Der Rechenkern wird geprüft</translation>
    </message>
    <message>
        <source>Python 3.10 or later that has GDAL</source>
        <translation>Python 3.10 oder neuer mit GDAL</translation>
    </message>
    <message>
        <source>Python that has PyTorch and GDAL</source>
        <translation>Python mit PyTorch und GDAL</translation>
    </message>
    <message>
        <source>QGIS's own Python was not found; choose one</source>
        <translation>Das Python von QGIS wurde nicht gefunden; wählen Sie eines</translation>
    </message>
    <message>
        <source>Ready: PyTorch {torch} on {device}, GDAL {gdal}.</source>
        <translation>Bereit: PyTorch {torch} auf {device}, GDAL {gdal}.</translation>
    </message>
    <message>
        <source>Remove the engine and all its packages from '{folder}'?</source>
        <translation>Den Rechenkern und alle seine Pakete aus „{folder}“ entfernen?</translation>
    </message>
    <message>
        <source>Removing the engine</source>
        <translation>Der Rechenkern wird entfernt</translation>
    </message>
    <message>
        <source>Repair</source>
        <translation>Reparieren</translation>
    </message>
    <message>
        <source>Set up engine</source>
        <translation>Rechenkern einrichten</translation>
    </message>
    <message>
        <source>Setting up the engine</source>
        <translation>Der Rechenkern wird eingerichtet</translation>
    </message>
    <message>
        <source>Switch to {title}</source>
        <translation>Zu {title} wechseln</translation>
    </message>
    <message>
        <source>The engine is ready and proven on {device}; Hazard Mapper can be used.</source>
        <translation>Der Rechenkern ist bereit und auf {device} geprüft; Hazard Mapper kann benutzt werden.</translation>
    </message>
    <message>
        <source>The engine was removed.</source>
        <translation>Der Rechenkern wurde entfernt.</translation>
    </message>
    <message>
        <source>The engine works ({device}), and its packages are those that were installed.</source>
        <translation>Der Rechenkern funktioniert ({device}), und seine Pakete sind die installierten.</translation>
    </message>
    <message>
        <source>The engine works, but its packages were changed since; repair it to be sure.</source>
        <translation>Der Rechenkern funktioniert, aber seine Pakete wurden seither verändert; reparieren Sie ihn, um sicher zu sein.</translation>
    </message>
    <message>
        <source>The last try failed: {sentence}</source>
        <translation>Der letzte Versuch schlug fehl: {sentence}</translation>
    </message>
    <message>
        <source>The report is on the clipboard, without names, addresses and secrets.</source>
        <translation>Der Bericht ist in der Zwischenablage, ohne Namen, Adressen und Geheimnisse.</translation>
    </message>
    <message>
        <source>The set-up was not finished; it can go on where it stopped.</source>
        <translation>Die Einrichtung wurde nicht beendet; sie kann fortgesetzt werden.</translation>
    </message>
    <message>
        <source>This plugin wants other versions.</source>
        <translation>Diese Erweiterung möchte andere Versionen.</translation>
    </message>
    <message>
        <source>Update</source>
        <translation>Aktualisieren</translation>
    </message>
    <message>
        <source>about {download} to download, {disk} on disk; {free} are free</source>
        <translation>etwa {download} zum Herunterladen, {disk} auf dem Datenträger; {free} sind frei</translation>
    </message>
    <message>
        <source>{title} (recommended)</source>
        <translation>{title} (empfohlen)</translation>
    </message>
</context>
<context>
    <name>SetupPlan</name>
    <message>
        <source>No NVIDIA driver was found (nvidia-smi does not answer); the processor computes.</source>
        <translation>Kein NVIDIA-Treiber gefunden (nvidia-smi antwortet nicht); der Prozessor rechnet.</translation>
    </message>
    <message>
        <source>PyTorch has had no builds for Macs with Intel chips since 2.3; use an existing Python that has one.</source>
        <translation>Für Macs mit Intel-Chips gibt es PyTorch seit 2.3 nicht mehr; verwenden Sie ein vorhandenes Python, das eines hat.</translation>
    </message>
    <message>
        <source>The driver {driver} of {gpu} is too old; update it to {wanted} or later to use the GPU. Until then the processor computes.</source>
        <translation>Der Treiber {driver} von {gpu} ist zu alt; aktualisieren Sie ihn auf {wanted} oder neuer, um die GPU zu nutzen. Bis dahin rechnet der Prozessor.</translation>
    </message>
    <message>
        <source>This Mac's own GPU computes (Metal).</source>
        <translation>Die GPU dieses Mac rechnet (Metal).</translation>
    </message>
    <message>
        <source>{gpu} (driver {driver}, compute capability {capability}) runs {build}.</source>
        <translation>{gpu} (Treiber {driver}, Compute Capability {capability}) rechnet mit {build}.</translation>
    </message>
    <message>
        <source>{gpu} has compute capability {capability}, for which PyTorch has no build; the processor computes.</source>
        <translation>{gpu} hat die Compute Capability {capability}, für die es kein PyTorch gibt; der Prozessor rechnet.</translation>
    </message>
    <message>
        <source>{size:.1f} GB</source>
        <translation>{size:.1f} GB</translation>
    </message>
</context>
<context>
    <name>SetupReport</name>
    <message>
        <source>Hazard Mapper: report of the engine's set-up</source>
        <translation>Hazard Mapper: Bericht zur Einrichtung des Rechenkerns</translation>
    </message>
    <message>
        <source>Last lines:</source>
        <translation>Letzte Zeilen:</translation>
    </message>
</context>
<context>
    <name>ThresholdApply</name>
    <message>
        <source>'{file}' does not say that Hazard Mapper wrote it: it is not replaced, nothing was done.</source>
        <translation>„{file}“ sagt nicht, dass Hazard Mapper es geschrieben hat: Es wird nicht ersetzt, nichts wurde getan.</translation>
    </message>
    <message>
        <source>'{file}' was changed while the threshold was applied, and nothing was replaced; save or discard the edits and apply it again.</source>
        <translation>„{file}“ wurde verändert, während der Schwellenwert angewandt wurde, und nichts wurde ersetzt; speichern oder verwerfen Sie die Änderungen und wenden Sie ihn erneut an.</translation>
    </message>
    <message>
        <source>Cancelled; mask and polygons are as before.</source>
        <translation>Abgebrochen; Maske und Polygone sind wie zuvor.</translation>
    </message>
    <message>
        <source>Hazard Mapper's algorithms are not registered; enable its provider.</source>
        <translation>Die Algorithmen von Hazard Mapper sind nicht angemeldet; schalten Sie den Anbieter ein.</translation>
    </message>
    <message>
        <source>Hazard Mapper: threshold</source>
        <translation>Hazard Mapper: Schwellenwert</translation>
    </message>
    <message>
        <source>Mask and polygons could not be replaced ({error}); they are as before.</source>
        <translation>Maske und Polygone konnten nicht ersetzt werden ({error}); sie sind wie zuvor.</translation>
    </message>
    <message>
        <source>Nothing can be written beside '{file}' ({error}); mask and polygons are as before.</source>
        <translation>Neben „{file}“ kann nichts geschrieben werden ({error}); Maske und Polygone sind wie zuvor.</translation>
    </message>
    <message>
        <source>The polygons '{name}' are being edited; save or discard the edits first.</source>
        <translation>Die Polygone „{name}“ werden gerade bearbeitet; speichern oder verwerfen Sie die Änderungen zuerst.</translation>
    </message>
    <message>
        <source>The run's own mask could not be kept beside '{file}' ({error}); nothing was done.</source>
        <translation>Die Maske des Laufs konnte nicht neben „{file}“ aufbewahrt werden ({error}); es wurde nichts getan.</translation>
    </message>
</context>
<context>
    <name>ThresholdBar</name>
    <message>
        <source>Apply</source>
        <translation>Anwenden</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Leave the mask as it is and draw the probability as before</source>
        <translation>Die Maske lassen, wie sie ist, und die Wahrscheinlichkeit wie zuvor zeichnen</translation>
    </message>
    <message>
        <source>Lowest probability that counts as hazard; arrow keys move it by 1 %</source>
        <translation>Niedrigste Wahrscheinlichkeit, die als Gefahr gilt; Pfeiltasten ändern sie um 1 %</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>Schwellenwert</translation>
    </message>
    <message>
        <source>Write the mask, and the polygons traced from it, at this threshold</source>
        <translation>Maske und daraus nachgezeichnete Polygone mit diesem Schwellenwert schreiben</translation>
    </message>
    <message>
        <source>measuring…</source>
        <translation>wird gemessen…</translation>
    </message>
    <message>
        <source>{name}: {percent} % or more, {area}</source>
        <translation>{name}: {percent} % oder mehr, {area}</translation>
    </message>
</context>
<context>
    <name>ThresholdEditor</name>
    <message>
        <source>A threshold is being applied; wait until that is done.</source>
        <translation>Ein Schwellenwert wird gerade angewandt; warten Sie, bis das getan ist.</translation>
    </message>
    <message>
        <source>No probability of '{name}' is in the project; tick Probability under Output and run again.</source>
        <translation>Keine Wahrscheinlichkeit von „{name}“ ist im Projekt; haken Sie unter Ausgabe Wahrscheinlichkeit an und starten Sie erneut.</translation>
    </message>
    <message>
        <source>Refined and corrected masks, and their polygons, are as before; make them again.</source>
        <translation>Verfeinerte und korrigierte Masken und ihre Polygone sind wie zuvor; machen Sie sie neu.</translation>
    </message>
    <message>
        <source>Threshold applied</source>
        <translation>Angewandter Schwellenwert</translation>
    </message>
    <message>
        <source>Water on both dates is not told apart at another threshold; segment again for that.</source>
        <translation>Wasser an beiden Tagen wird bei einem anderen Schwellenwert nicht unterschieden; segmentieren Sie dafür erneut.</translation>
    </message>
    <message>
        <source>Water on both dates, by the run's own threshold: {area}; its mask is kept as '{file}'.</source>
        <translation>Wasser an beiden Tagen, nach dem Schwellenwert des Laufs: {area}; seine Maske ist als „{file}“ aufbewahrt.</translation>
    </message>
    <message>
        <source>{name}: {area} at {percent} %.</source>
        <translation>{name}: {area} bei {percent} %.</translation>
    </message>
</context>
<context>
    <name>TrainHazard</name>
    <message>
        <source>Bands of the scenes from before, in order (empty: found out)</source>
        <translation>Kanäle der früheren Szenen, der Reihe nach (leer: selbst ermittelt)</translation>
    </message>
    <message>
        <source>Bands: one slot a band of each image, in order (empty: found out)</source>
        <translation>Kanäle: eine Rolle je Kanal jedes Bildes, der Reihe nach (leer: selbst ermittelt)</translation>
    </message>
    <message>
        <source>Encoder, from scratch only (empty: a small one)</source>
        <translation>Encoder, nur von Grund auf (leer: ein kleiner)</translation>
    </message>
    <message>
        <source>Ground sampling distance in metres (empty: from the CRS)</source>
        <translation>Bodenauflösung in Metern (leer: aus dem KBS)</translation>
    </message>
    <message>
        <source>Hazards that the labels show, separated by commas</source>
        <translation>Gefahren, die die Beschriftung zeigt, durch Kommas getrennt</translation>
    </message>
    <message>
        <source>Label codes that mean hazard</source>
        <translation>Codes der Beschriftung, die Gefahr bedeuten</translation>
    </message>
    <message>
        <source>Label codes to leave out</source>
        <translation>Codes der Beschriftung, die ausgelassen werden</translation>
    </message>
    <message>
        <source>More models that what is new is taught to fit, separated by commas</source>
        <translation>Weitere Modelle, zu denen das Erkennen von Neuem passen soll, durch Kommas getrennt</translation>
    </message>
    <message>
        <source>Network (empty: the start's own, else U-Net)</source>
        <translation>Netz (leer: das des Ausgangs, sonst U-Net)</translation>
    </message>
    <message>
        <source>Share of simulated chips among yours (0 to 0.95)</source>
        <translation>Anteil simulierter Bildausschnitte unter Ihren (0 bis 0.95)</translation>
    </message>
    <message>
        <source>Simulated hazard never to be seen</source>
        <translation>Simulierte Gefahr, die nie zu sehen ist</translation>
    </message>
    <message>
        <source>Start from model (empty: from scratch)</source>
        <translation>Von einem Modell ausgehen (leer: von Grund auf)</translation>
    </message>
    <message>
        <source>Teach what is new since a scene from before</source>
        <translation>Lehren, was seit einer früheren Szene neu ist</translation>
    </message>
    <message>
        <source>Train hazard</source>
        <translation>Gefahr trainieren</translation>
    </message>
    <message>
        <source>Training data (empty: simulated scenes)</source>
        <translation>Trainingsdaten (leer: simulierte Szenen)</translation>
    </message>
    <message>
        <source>Trains a model to find hazards, on simulated scenes or on your own labelled images.</source>
        <translation>Trainiert ein Modell, Gefahren zu finden, mit simulierten Szenen oder Ihren eigenen beschrifteten Bildern.</translation>
    </message>
    <message>
        <source>Trains a model to find hazards: from a model that exists, which is best, or from scratch.

The data are simulated scenes, or a folder: pairs of images and label rasters (images and labels in two folders, or scene.tif beside scene_label.tif), Sen1Floods11, or Landslide4Sense. HAZARD names what the labels show; a name that the model does not know yet becomes a new hazard of it. With your own data, a share of simulated scenes (REPLAY) keeps the model's other hazards.

The log shows losses and scores as the run goes on. Cancel keeps a checkpoint: run again with the same settings and RESUME to go on. The weights that did best in validation are saved, with a card that tells data, licences, seeds, curves and scores. Scores on your validation chips say little about other places: check the model on a scene that it never saw.</source>
        <translation>Trainiert ein Modell, Gefahren zu finden: ausgehend von einem vorhandenen Modell, was am besten ist, oder von Grund auf.

Die Daten sind simulierte Szenen oder ein Ordner: Paare aus Bildern und Beschriftungsrastern (Bilder und Beschriftung in zwei Ordnern, oder scene.tif neben scene_label.tif), Sen1Floods11 oder Landslide4Sense. HAZARD nennt, was die Beschriftung zeigt; ein Name, den das Modell noch nicht kennt, wird zu einer neuen Gefahr. Mit eigenen Daten hält ein Anteil simulierter Szenen (REPLAY) die anderen Gefahren des Modells.

Das Protokoll zeigt Verluste und Güten, während der Lauf vor sich geht. Abbrechen behält einen Zwischenstand: Starten Sie mit denselben Einstellungen und RESUME erneut, um fortzusetzen. Gespeichert werden die Gewichte, die bei der Validierung am besten waren, mit einem Steckbrief, der Daten, Lizenzen, Startwerte, Kurven und Güten nennt. Güten auf Ihren Validierungsausschnitten sagen wenig über andere Orte: Prüfen Sie das Modell an einer Szene, die es nie gesehen hat.</translation>
    </message>
    <message>
        <source>Units of the images (empty: found out)</source>
        <translation>Einheiten der Bilder (leer: selbst ermittelt)</translation>
    </message>
    <message>
        <source>Units of the scenes from before (empty: found out)</source>
        <translation>Einheiten der früheren Szenen (leer: selbst ermittelt)</translation>
    </message>
    <message>
        <source>a folder of image and label pairs, Sen1Floods11 or Landslide4Sense; simulated scenes when empty</source>
        <translation>ein Ordner mit Paaren aus Bild und Beschriftung, Sen1Floods11 oder Landslide4Sense; ohne Angabe simulierte Szenen</translation>
    </message>
    <message>
        <source>train,learn,network,deep learning,flood,landslide,glacier,hazard,labels,fine-tune</source>
        <translation>trainieren,lernen,netz,tiefes lernen,überflutung,rutschung,gletscher,gefahr,beschriftung,nachtrainieren</translation>
    </message>
    <message>
        <source>{slots}, or - for unused</source>
        <translation>{slots}, oder - für ungenutzt</translation>
    </message>
</context>
<context>
    <name>TrainingForm</name>
    <message>
        <source>'{name}' comes with Hazard Mapper; choose another name.</source>
        <translation>„{name}“ gehört zu Hazard Mapper; wählen Sie einen anderen Namen.</translation>
    </message>
    <message>
        <source>A model '{name}' exists; choose another name, or replace it under Advanced.</source>
        <translation>Ein Modell „{name}“ gibt es schon; wählen Sie einen anderen Namen oder ersetzen Sie es unter Erweitert.</translation>
    </message>
    <message>
        <source>BigEarthNet v2 or v1 as downloaded and unpacked.</source>
        <translation>BigEarthNet v2 oder v1, wie heruntergeladen und entpackt.</translation>
    </message>
    <message>
        <source>Choose a trained model to start from.</source>
        <translation>Wählen Sie ein trainiertes Modell, von dem ausgegangen wird.</translation>
    </message>
    <message>
        <source>Choose the folder of training data.</source>
        <translation>Wählen Sie den Ordner mit den Trainingsdaten.</translation>
    </message>
    <message>
        <source>Compare two dates</source>
        <translation>Zwei Tage vergleichen</translation>
    </message>
    <message>
        <source>Floods, landslides and glacier collapses, simulated as the run goes on.</source>
        <translation>Überflutungen, Rutschungen und Gletscherabbrüche, während des Laufs simuliert.</translation>
    </message>
    <message>
        <source>Folder of my own</source>
        <translation>Eigener Ordner</translation>
    </message>
    <message>
        <source>Folder of training data</source>
        <translation>Ordner mit Trainingsdaten</translation>
    </message>
    <message>
        <source>Hazards of the model that the labels show where they are new, separated by commas</source>
        <translation>Gefahren des Modells, die die Beschriftung dort zeigt, wo sie neu sind, durch Kommas getrennt</translation>
    </message>
    <message>
        <source>Images and label rasters in pairs, Sen1Floods11, or Landslide4Sense.</source>
        <translation>Bilder und Beschriftungsraster in Paaren, Sen1Floods11 oder Landslide4Sense.</translation>
    </message>
    <message>
        <source>Name the hazard that the labels show, with letters, digits, - and _.</source>
        <translation>Nennen Sie die Gefahr, die die Beschriftung zeigt, mit Buchstaben, Ziffern, - und _.</translation>
    </message>
    <message>
        <source>Name the model to write.</source>
        <translation>Nennen Sie das zu schreibende Modell.</translation>
    </message>
    <message>
        <source>Not for comparing two dates, which leaves the model itself as it is</source>
        <translation>Nicht beim Vergleichen zweier Tage: Das Modell selbst bleibt dabei, wie es ist</translation>
    </message>
    <message>
        <source>Pre-train</source>
        <translation>Vortrainieren</translation>
    </message>
    <message>
        <source>Simulated pairs</source>
        <translation>Simulierte Paare</translation>
    </message>
    <message>
        <source>Simulated scenes</source>
        <translation>Simulierte Szenen</translation>
    </message>
    <message>
        <source>Teach a trained model to tell what is new since a scene from before</source>
        <translation>Ein trainiertes Modell lehren, zu erkennen, was seit einer früheren Szene neu ist</translation>
    </message>
    <message>
        <source>The folder '{folder}' does not exist; choose another.</source>
        <translation>Den Ordner „{folder}“ gibt es nicht; wählen Sie einen anderen.</translation>
    </message>
    <message>
        <source>Train hazards</source>
        <translation>Gefahren trainieren</translation>
    </message>
    <message>
        <source>Trained model that is to compare; it answers single scenes as before. Several are taught together by Train hazard in the toolbox (ALSO)</source>
        <translation>Trainiertes Modell, das vergleichen soll; zu einzelnen Szenen sagt es dasselbe wie bisher. Mehrere zugleich lehrt „Gefahr trainieren“ in der Werkzeugkiste (ALSO)</translation>
    </message>
    <message>
        <source>What is new between two dates, simulated as the run goes on.</source>
        <translation>Was zwischen zwei Tagen neu ist, während des Laufs simuliert.</translation>
    </message>
    <message>
        <source>automatic</source>
        <translation>automatisch</translation>
    </message>
    <message>
        <source>found out</source>
        <translation>selbst ermittelt</translation>
    </message>
    <message>
        <source>images/, labels/ and before/ with files of one name; labels show what is new.</source>
        <translation>images/, labels/ und before/ mit Dateien eines Namens; die Beschriftung zeigt, was neu ist.</translation>
    </message>
    <message>
        <source>nothing (from scratch)</source>
        <translation>nichts (von Grund auf)</translation>
    </message>
    <message>
        <source>other data</source>
        <translation>andere Daten</translation>
    </message>
    <message>
        <source>{model} does not tell {hazard}; train it on single scenes first, or choose another model.</source>
        <translation>{model} kennt {hazard} nicht; trainieren Sie es zuerst an einzelnen Szenen, oder wählen Sie ein anderes Modell.</translation>
    </message>
</context>
<context>
    <name>TrainingPage</name>
    <message>
        <source>&lt;b&gt;{name}&lt;/b&gt;&lt;br&gt;stopped at step {step:.0f}</source>
        <translation>&lt;b&gt;{name}&lt;/b&gt;&lt;br&gt;bei Schritt {step:.0f} beendet</translation>
    </message>
    <message>
        <source>&lt;b&gt;{name}&lt;/b&gt;&lt;br&gt;was not trained</source>
        <translation>&lt;b&gt;{name}&lt;/b&gt;&lt;br&gt;wurde nicht trainiert</translation>
    </message>
    <message>
        <source>Cancelled before anything was learnt.</source>
        <translation>Abgebrochen, bevor etwas gelernt wurde.</translation>
    </message>
    <message>
        <source>Hazard Mapper's algorithm is not registered; enable its provider in the Processing options.</source>
        <translation>Der Algorithmus von Hazard Mapper ist nicht angemeldet; schalten Sie seinen Anbieter in den Optionen der Verarbeitung ein.</translation>
    </message>
    <message>
        <source>Hazard Mapper: train {name}</source>
        <translation>Hazard Mapper: {name} trainieren</translation>
    </message>
    <message>
        <source>Res&amp;ume {name}</source>
        <translation>{name} fort&amp;setzen</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>Beginnt</translation>
    </message>
    <message>
        <source>Stopped; what was learnt is kept, Resume goes on.</source>
        <translation>Angehalten; das Gelernte bleibt, Fortsetzen macht weiter.</translation>
    </message>
    <message>
        <source>Stopping; the checkpoint is written…</source>
        <translation>Wird angehalten; der Zwischenstand wird geschrieben…</translation>
    </message>
    <message>
        <source>Train the model; it is listed for mapping when it is done</source>
        <translation>Das Modell trainieren; wenn es fertig ist, wird es zum Kartieren aufgeführt</translation>
    </message>
    <message>
        <source>Training {name}: {text}</source>
        <translation>Training von {name}: {text}</translation>
    </message>
    <message>
        <source>What a run reached will be told here.</source>
        <translation>Was ein Lauf erreicht hat, steht dann hier.</translation>
    </message>
    <message>
        <source>{count:.0f} steps</source>
        <translation>{count:.0f} Schritte</translation>
    </message>
    <message>
        <source>{name} is being trained.</source>
        <translation>{name} wird trainiert.</translation>
    </message>
    <message>
        <source>{name} is trained: {found}.</source>
        <translation>{name} ist trainiert: {found}.</translation>
    </message>
    <message>
        <source>{time} on {device}</source>
        <translation>{time} auf {device}</translation>
    </message>
</context>
<context>
    <name>Uninstalled</name>
    <message>
        <source>Its engine is still in {0}; delete this folder if you want it no more.</source>
        <translation>Der Rechenkern liegt noch in {0}; löschen Sie diesen Ordner, wenn Sie ihn nicht mehr wollen.</translation>
    </message>
</context>
<context>
    <name>VectorLayers</name>
    <message>
        <source>{hazard} polygons - {scene}</source>
        <translation>{hazard}, Polygone - {scene}</translation>
    </message>
</context>
<context>
    <name>WorkerOwner</name>
    <message>
        <source>Last words of the engine:</source>
        <translation>Letzte Worte des Rechenkerns:</translation>
    </message>
    <message>
        <source>The engine could not start (exit code {code}); its last words are in the log panel.</source>
        <translation>Der Rechenkern konnte nicht starten (Rückgabewert {code}); seine letzten Worte stehen im Protokollfenster.</translation>
    </message>
    <message>
        <source>The engine did not start within {seconds:.0f} s; run again or repair it.</source>
        <translation>Der Rechenkern startete nicht binnen {seconds:.0f} s; versuchen Sie es erneut oder reparieren Sie ihn.</translation>
    </message>
    <message>
        <source>The engine gave no sign of life for {seconds:.0f} s and was stopped; run again.</source>
        <translation>Der Rechenkern gab {seconds:.0f} s lang kein Lebenszeichen und wurde beendet; starten Sie erneut.</translation>
    </message>
    <message>
        <source>The engine sent something that is not an answer and was stopped; run again.</source>
        <translation>Der Rechenkern schickte etwas, das keine Antwort ist, und wurde beendet; starten Sie erneut.</translation>
    </message>
    <message>
        <source>The engine speaks protocol {theirs}, this plugin speaks {ours}; install plugin and engine of the same version and restart QGIS.</source>
        <translation>Der Rechenkern spricht Protokoll {theirs}, diese Erweiterung {ours}; installieren Sie beide in derselben Version und starten Sie QGIS neu.</translation>
    </message>
    <message>
        <source>The engine stopped unexpectedly (exit code {code}); nothing was written, run again.</source>
        <translation>Der Rechenkern endete unerwartet (Rückgabewert {code}); nichts wurde geschrieben, starten Sie erneut.</translation>
    </message>
    <message>
        <source>The engine was ended by the system, often for lack of memory; close other programs or choose a smaller area, then run again.</source>
        <translation>Der Rechenkern wurde vom System beendet, oft aus Mangel an Speicher; schließen Sie andere Programme oder wählen Sie einen kleineren Bereich, und starten Sie erneut.</translation>
    </message>
    <message>
        <source>The engine was stopped because a cancelled run did not end; run again.</source>
        <translation>Der Rechenkern wurde beendet, weil ein abgebrochener Lauf nicht aufhörte; starten Sie erneut.</translation>
    </message>
    <message>
        <source>The engine's Python '{path}' cannot be started ({reason}).</source>
        <translation>Das Python „{path}“ des Rechenkerns kann nicht gestartet werden ({reason}).</translation>
    </message>
</context>
<context>
    <name>dockContents</name>
    <message>
        <source> s</source>
        <translation> s</translation>
    </message>
    <message>
        <source>&amp;Area</source>
        <translation>Bere&amp;ich</translation>
    </message>
    <message>
        <source>&amp;Before</source>
        <translation>&amp;Früher</translation>
    </message>
    <message>
        <source>&amp;Folder</source>
        <translation>&amp;Ordner</translation>
    </message>
    <message>
        <source>&amp;Threshold</source>
        <translation>Schwellen&amp;wert</translation>
    </message>
    <message>
        <source>A pixel is hazard where its probability is above this; the model's own unless set</source>
        <translation>Ein Pixel gilt als Gefahr, wenn seine Wahrscheinlichkeit darüber liegt; ohne Angabe gilt der Wert des Modells</translation>
    </message>
    <message>
        <source>A second layer, 0 to 100 %, that shows how sure the model is</source>
        <translation>Ein zweiter Layer, 0 bis 100 %, der zeigt, wie sicher das Modell ist</translation>
    </message>
    <message>
        <source>Adapt to th&amp;is scene first</source>
        <translation>Erst an diese Szene an&amp;passen</translation>
    </message>
    <message>
        <source>Adaptation</source>
        <translation>Anpassung</translation>
    </message>
    <message>
        <source>Advanced</source>
        <translation>Erweitert</translation>
    </message>
    <message>
        <source>Also write the probability</source>
        <translation>Auch die Wahrscheinlichkeit schreiben</translation>
    </message>
    <message>
        <source>Assess the scene; the mask lands above it as a new layer</source>
        <translation>Die Szene beurteilen; die Maske erscheint als neuer Layer darüber</translation>
    </message>
    <message>
        <source>Bands and units</source>
        <translation>Kanäle und Einheiten</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Curves of the adaptation</source>
        <translation>Kurven der Anpassung</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>Rechenkern</translation>
    </message>
    <message>
        <source>Folder for masks; when empty they go beside the project file</source>
        <translation>Ordner für Masken; ohne Angabe kommen sie neben die Projektdatei</translation>
    </message>
    <message>
        <source>Further layers selected in the layer panel are assessed one after another, each with its own result</source>
        <translation>Weitere im Layerfenster gewählte Layer werden nacheinander beurteilt, jeder mit eigenem Ergebnis</translation>
    </message>
    <message>
        <source>Ha&amp;zard</source>
        <translation>&amp;Gefahr</translation>
    </message>
    <message>
        <source>How bands, units and pixel size were understood; the link opens Bands and units</source>
        <translation>Wie Kanäle, Einheiten und Pixelgröße verstanden wurden; der Verweis öffnet Kanäle und Einheiten</translation>
    </message>
    <message>
        <source>How the scene's bands and values are understood; correct it here</source>
        <translation>Wie Kanäle und Werte der Szene verstanden werden; hier berichtigen</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Model card</source>
        <translation>Modellsteckbrief</translation>
    </message>
    <message>
        <source>Network to use, with its mean balanced accuracy on real scenes where that was measured</source>
        <translation>Zu verwendendes Netz, mit seiner mittleren ausgewogenen Genauigkeit auf echten Szenen, wo sie gemessen ist</translation>
    </message>
    <message>
        <source>Output</source>
        <translation>Ausgabe</translation>
    </message>
    <message>
        <source>Part of the scene to assess</source>
        <translation>Teil der Szene, der beurteilt wird</translation>
    </message>
    <message>
        <source>Pol&amp;ygons</source>
        <translation>Po&amp;lygone</translation>
    </message>
    <message>
        <source>Polygon layer inside which the scene is assessed</source>
        <translation>Polygonlayer, innerhalb dessen die Szene beurteilt wird</translation>
    </message>
    <message>
        <source>Processor to compute on</source>
        <translation>Prozessor, auf dem gerechnet wird</translation>
    </message>
    <message>
        <source>Python of the engine, where it is not found by itself</source>
        <translation>Python des Rechenkerns, wo es nicht von selbst gefunden wird</translation>
    </message>
    <message>
        <source>Raster layer to assess; follows the layer that is active in the layer panel</source>
        <translation>Zu beurteilender Rasterlayer; folgt dem Layer, der im Layerfenster aktiv ist</translation>
    </message>
    <message>
        <source>Sce&amp;ne</source>
        <translation>S&amp;zene</translation>
    </message>
    <message>
        <source>Scene before the event (optional)</source>
        <translation>Szene vor dem Ereignis (freiwillig)</translation>
    </message>
    <message>
        <source>Scene before the event (optional): what is new since then is mapped. Layers that overlap the scene and are not known to be later are listed, the latest first and those of unknown day last; give a layer its day under Properties &gt; Temporal</source>
        <translation>Szene vor dem Ereignis (freiwillig): Kartiert wird, was seither neu ist. Aufgeführt sind Layer, welche die Szene überlappen und von denen nicht bekannt ist, dass sie später sind, die jüngsten zuerst und die von unbekanntem Tag zuletzt; geben Sie einem Layer seinen Tag unter Eigenschaften &gt; Zeitlich</translation>
    </message>
    <message>
        <source>Se&amp;gment hazard</source>
        <translation>Gefahr s&amp;egmentieren</translation>
    </message>
    <message>
        <source>Seconds that adapting may take</source>
        <translation>Sekunden, die das Anpassen dauern darf</translation>
    </message>
    <message>
        <source>Seconds that adapting may take; it ends sooner where more would not help</source>
        <translation>Sekunden, die das Anpassen dauern darf; es endet früher, wo mehr nicht hülfe</translation>
    </message>
    <message>
        <source>Selected features only</source>
        <translation>Nur gewählte Objekte</translation>
    </message>
    <message>
        <source>Share of the run that is done</source>
        <translation>Erledigter Anteil des Laufs</translation>
    </message>
    <message>
        <source>Show the model card: what the model is for, how it was trained, its scores and its limits</source>
        <translation>Den Modellsteckbrief zeigen: wofür das Modell ist, wie es trainiert wurde, seine Güten und seine Grenzen</translation>
    </message>
    <message>
        <source>Stop the run and those that wait; nothing is written</source>
        <translation>Den Lauf und die wartenden beenden; nichts wird geschrieben</translation>
    </message>
    <message>
        <source>Threshold, device and engine</source>
        <translation>Schwellenwert, Gerät und Rechenkern</translation>
    </message>
    <message>
        <source>Use only the features that are selected in the polygon layer</source>
        <translation>Nur die Objekte verwenden, die im Polygonlayer gewählt sind</translation>
    </message>
    <message>
        <source>What is known of the scene, how to adapt to it, and what to compare</source>
        <translation>Was von der Szene bekannt ist, wie an sie angepasst wird und was verglichen wird</translation>
    </message>
    <message>
        <source>What the model learns from the scene, step by step</source>
        <translation>Was das Modell Schritt für Schritt aus der Szene lernt</translation>
    </message>
    <message>
        <source>What to look for</source>
        <translation>Wonach gesucht wird</translation>
    </message>
    <message>
        <source>Where results are written</source>
        <translation>Wohin Ergebnisse geschrieben werden</translation>
    </message>
    <message>
        <source>i</source>
        <translation>i</translation>
    </message>
</context>
<context>
    <name>trainingContents</name>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
    <message>
        <source> epochs</source>
        <translation> Epochen</translation>
    </message>
    <message>
        <source> m</source>
        <translation> m</translation>
    </message>
    <message>
        <source> min</source>
        <translation> min</translation>
    </message>
    <message>
        <source>&amp;Batch size</source>
        <translation>Stapelgröße (&amp;Batch)</translation>
    </message>
    <message>
        <source>&amp;Folder</source>
        <translation>&amp;Ordner</translation>
    </message>
    <message>
        <source>&amp;Network</source>
        <translation>&amp;Netz</translation>
    </message>
    <message>
        <source>&amp;Train</source>
        <translation>&amp;Trainieren</translation>
    </message>
    <message>
        <source>1</source>
        <translation>1</translation>
    </message>
    <message>
        <source>255</source>
        <translation>255</translation>
    </message>
    <message>
        <source>Advanced</source>
        <translation>Erweitert</translation>
    </message>
    <message>
        <source>Always train on all bands</source>
        <translation>Immer mit allen Kanälen trainieren</translation>
    </message>
    <message>
        <source>Any encoder of segmentation_models_pytorch</source>
        <translation>Jeder Encoder von segmentation_models_pytorch</translation>
    </message>
    <message>
        <source>Architecture of the new network</source>
        <translation>Architektur des neuen Netzes</translation>
    </message>
    <message>
        <source>At most</source>
        <translation>Höchstens</translation>
    </message>
    <message>
        <source>Back to mapping; a run goes on meanwhile</source>
        <translation>Zurück zum Kartieren; ein Lauf geht inzwischen weiter</translation>
    </message>
    <message>
        <source>Bands</source>
        <translation>Kanäle</translation>
    </message>
    <message>
        <source>Bands before</source>
        <translation>Kanäle vorher</translation>
    </message>
    <message>
        <source>Batches a pass</source>
        <translation>Stapel je Durchgang</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Card</source>
        <translation>Steckbrief</translation>
    </message>
    <message>
        <source>Chips a step; fewer need less memory</source>
        <translation>Bildausschnitte je Schritt; weniger brauchen weniger Speicher</translation>
    </message>
    <message>
        <source>Choose the new model for mapping</source>
        <translation>Das neue Modell zum Kartieren wählen</translation>
    </message>
    <message>
        <source>Codes left out</source>
        <translation>Ausgelassene Codes</translation>
    </message>
    <message>
        <source>Continue the run of this name with the same settings</source>
        <translation>Den Lauf dieses Namens mit gleichen Einstellungen fortsetzen</translation>
    </message>
    <message>
        <source>D&amp;ata</source>
        <translation>&amp;Daten</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Do not drop bands at random; the model then expects the bands of your data</source>
        <translation>Keine Kanäle zufällig weglassen; das Modell erwartet dann die Kanäle Ihrer Daten</translation>
    </message>
    <message>
        <source>Encoder</source>
        <translation>Encoder</translation>
    </message>
    <message>
        <source>Epochs</source>
        <translation>Epochen</translation>
    </message>
    <message>
        <source>Folder of training data</source>
        <translation>Ordner mit Trainingsdaten</translation>
    </message>
    <message>
        <source>Go on from the last checkpoint</source>
        <translation>Vom letzten Zwischenstand fortsetzen</translation>
    </message>
    <message>
        <source>Go on from the last checkpoint of the run that was stopped</source>
        <translation>Vom letzten Zwischenstand des angehaltenen Laufs fortsetzen</translation>
    </message>
    <message>
        <source>Ha&amp;zards</source>
        <translation>&amp;Gefahren</translation>
    </message>
    <message>
        <source>Hazard codes</source>
        <translation>Codes der Gefahr</translation>
    </message>
    <message>
        <source>Highest learning rate; the run warms up to it and ends at 0</source>
        <translation>Höchste Lernrate; der Lauf wärmt sich darauf auf und endet bei 0</translation>
    </message>
    <message>
        <source>How the run goes, how your labels are read, and the device</source>
        <translation>Wie der Lauf vor sich geht, wie Ihre Beschriftung gelesen wird, und das Gerät</translation>
    </message>
    <message>
        <source>How weights are moved</source>
        <translation>Wie Gewichte bewegt werden</translation>
    </message>
    <message>
        <source>Label codes that mean hazard, separated by commas</source>
        <translation>Codes der Beschriftung, die Gefahr bedeuten, durch Kommas getrennt</translation>
    </message>
    <message>
        <source>Label codes to leave out, separated by commas</source>
        <translation>Codes der Beschriftung, die ausgelassen werden, durch Kommas getrennt</translation>
    </message>
    <message>
        <source>Learnin&amp;g rate</source>
        <translation>&amp;Lernrate</translation>
    </message>
    <message>
        <source>Map hazards</source>
        <translation>Gefahren kartieren</translation>
    </message>
    <message>
        <source>Metres a pixel of your images, where no CRS says it</source>
        <translation>Meter je Pixel Ihrer Bilder, wo kein KBS sie nennt</translation>
    </message>
    <message>
        <source>Model whose weights are trained further</source>
        <translation>Modell, dessen Gewichte weiter trainiert werden</translation>
    </message>
    <message>
        <source>Name of the new model: letters, digits, - and _</source>
        <translation>Name des neuen Modells: Buchstaben, Ziffern, - und _</translation>
    </message>
    <message>
        <source>One slot a band of the scenes from before, in order, separated by commas: coastal, blue, green, red, nir, swir1, swir2, vv, vh, or - for unused</source>
        <translation>Eine Rolle je Kanal der früheren Szenen, der Reihe nach, durch Kommas getrennt: coastal, blue, green, red, nir, swir1, swir2, vv, vh, oder - für ungenutzt</translation>
    </message>
    <message>
        <source>One slot a band of your images, in order, separated by commas: coastal, blue, green, red, nir, swir1, swir2, vv, vh, or - for unused</source>
        <translation>Eine Rolle je Kanal Ihrer Bilder, der Reihe nach, durch Kommas getrennt: coastal, blue, green, red, nir, swir1, swir2, vv, vh, oder - für ungenutzt</translation>
    </message>
    <message>
        <source>Opt&amp;imiser</source>
        <translation>Opti&amp;mierer</translation>
    </message>
    <message>
        <source>Otherwise a name that is taken is refused</source>
        <translation>Sonst wird ein vergebener Name abgelehnt</translation>
    </message>
    <message>
        <source>Passes over the data, each followed by a validation</source>
        <translation>Durchgänge durch die Daten, jeder gefolgt von einer Validierung</translation>
    </message>
    <message>
        <source>Patience</source>
        <translation>Geduld</translation>
    </message>
    <message>
        <source>Pixel size</source>
        <translation>Pixelgröße</translation>
    </message>
    <message>
        <source>Processor to train on</source>
        <translation>Prozessor, auf dem trainiert wird</translation>
    </message>
    <message>
        <source>Repla&amp;y</source>
        <translation>Beimisch&amp;ung</translation>
    </message>
    <message>
        <source>Replace a model of this name</source>
        <translation>Ein Modell dieses Namens ersetzen</translation>
    </message>
    <message>
        <source>Res&amp;ume</source>
        <translation>Fort&amp;setzen</translation>
    </message>
    <message>
        <source>Same seed, same run</source>
        <translation>Gleicher Startwert, gleicher Lauf</translation>
    </message>
    <message>
        <source>Save as</source>
        <translation>Speichern als</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Startwert</translation>
    </message>
    <message>
        <source>Share of simulated chips among yours, so that the model keeps its other hazards</source>
        <translation>Anteil simulierter Bildausschnitte unter Ihren, damit das Modell seine anderen Gefahren behält</translation>
    </message>
    <message>
        <source>Share of the run that is done</source>
        <translation>Erledigter Anteil des Laufs</translation>
    </message>
    <message>
        <source>Show the card of the new model: data, licences, seeds, curves, scores and limits</source>
        <translation>Den Steckbrief des neuen Modells zeigen: Daten, Lizenzen, Startwerte, Kurven, Güten und Grenzen</translation>
    </message>
    <message>
        <source>Start from</source>
        <translation>Ausgehen von</translation>
    </message>
    <message>
        <source>Steps an epoch</source>
        <translation>Schritte je Epoche</translation>
    </message>
    <message>
        <source>Stop after so many epochs without a better validation</source>
        <translation>Nach so vielen Epochen ohne bessere Validierung aufhören</translation>
    </message>
    <message>
        <source>Stop the run; its checkpoint is kept, so that it can be resumed</source>
        <translation>Den Lauf anhalten; sein Zwischenstand bleibt, sodass er fortgesetzt werden kann</translation>
    </message>
    <message>
        <source>Tas&amp;k</source>
        <translation>Aufgab&amp;e</translation>
    </message>
    <message>
        <source>The run ends by then as if all epochs were done; no limit when 0</source>
        <translation>Bis dahin endet der Lauf, als wären alle Epochen getan; bei 0 unbegrenzt</translation>
    </message>
    <message>
        <source>Train a model to find hazards, teach a trained one to compare two dates, or pre-train one to tell natural from artificial surfaces</source>
        <translation>Ein Modell trainieren, Gefahren zu finden, ein trainiertes lehren, zwei Tage zu vergleichen, oder eines vortrainieren, natürliche von künstlichen Oberflächen zu unterscheiden</translation>
    </message>
    <message>
        <source>Units</source>
        <translation>Einheiten</translation>
    </message>
    <message>
        <source>Units before</source>
        <translation>Einheiten vorher</translation>
    </message>
    <message>
        <source>Units of the values of the scenes from before</source>
        <translation>Einheiten der Werte der früheren Szenen</translation>
    </message>
    <message>
        <source>Units of the values of your images</source>
        <translation>Einheiten der Werte Ihrer Bilder</translation>
    </message>
    <message>
        <source>Use it</source>
        <translation>Verwenden</translation>
    </message>
    <message>
        <source>What the labels show; choose one or type a new name, several separated by commas</source>
        <translation>Was die Beschriftung zeigt; wählen Sie eines oder tippen Sie einen neuen Namen, mehrere durch Kommas getrennt</translation>
    </message>
    <message>
        <source>What the last run reached</source>
        <translation>Was der letzte Lauf erreicht hat</translation>
    </message>
    <message>
        <source>What to learn from</source>
        <translation>Woraus gelernt wird</translation>
    </message>
    <message>
        <source>a small one</source>
        <translation>ein kleiner</translation>
    </message>
    <message>
        <source>engine's own</source>
        <translation>wie üblich</translation>
    </message>
    <message>
        <source>found out</source>
        <translation>selbst ermittelt</translation>
    </message>
    <message>
        <source>from the CRS</source>
        <translation>aus dem KBS</translation>
    </message>
    <message>
        <source>never stop</source>
        <translation>nie aufhören</translation>
    </message>
    <message>
        <source>no limit</source>
        <translation>unbegrenzt</translation>
    </message>
</context>
</TS>
