"""Runs inside QGIS: shows a scene, segments it through the dock and its algorithm, and takes pictures."""

import json
import os
import sys
import traceback

from qgis.core import (
    QgsApplication,
    QgsContrastEnhancement,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsMultiBandColorRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsRasterMinMaxOrigin,
)
from qgis.PyQt.QtCore import QSize, Qt, QTimer
from qgis.PyQt.QtGui import QColor
from qgis.utils import iface, plugins

PICTURE_SIZE = QSize(1200, 900)
LIMIT_MS = 20 * 60 * 1000
NATURAL = ("red", "green", "blue")
INFRARED = ("nir", "red", "green")
RADAR = ("vv", "vh", "vv")


class Demo:
    """One scene from opening to pictures; every way out ends QGIS with an exit code."""

    def __init__(self):
        self.scene_path = os.environ["HAZARD_DEMO_SCENE"]
        self.hazard = os.environ.get("HAZARD_DEMO_HAZARD") or "flood"
        self.bands = os.environ.get("HAZARD_DEMO_BANDS", "")
        self.units = os.environ.get("HAZARD_DEMO_UNITS", "")
        self.folder = os.environ["HAZARD_DEMO_OUT"]
        self.layer = None
        self.dock = None
        self.run = None

    def start(self):
        """Open the scene and the dock."""
        QTimer.singleShot(LIMIT_MS, lambda: self.fail("The demo took longer than 20 minutes and was stopped."))
        if "hazard_mapper" not in plugins:
            self.fail("The plugin was not loaded by QGIS; its log tells why.")
            return
        name = os.path.splitext(os.path.basename(self.scene_path))[0]
        self.layer = QgsRasterLayer(self.scene_path, name)
        if not self.layer.isValid():
            self.fail(f"QGIS cannot open the scene '{self.scene_path}'.")
            return
        project = QgsProject.instance()
        project.setCrs(self.layer.crs())
        project.addMapLayer(self.layer)
        iface.setActiveLayer(self.layer)
        iface.mapCanvas().setExtent(self.layer.extent())
        self.dock = plugins["hazard_mapper"].dock
        self.dock.setUserVisible(True)
        window = iface.mainWindow()
        window.setGeometry(0, 0, 1600, 1000)
        window.resizeDocks([self.dock], [340], Qt.Orientation.Horizontal)
        if self.bands or self.units:
            self.dock.bands.set_overrides({"bands": self.bands, "units": self.units})
            self.dock.bands.changed.emit()
        self.dock.reader.understood.connect(self.show_colours)
        self.dock.reader.refused.connect(self.fail)
        self.dock.reader.engine_failed.connect(self.fail)
        self.dock.queue.failed.connect(lambda _run, sentence: self.fail(sentence))
        self.dock.queue.finished.connect(self.keep)
        self.dock.queue.ended.connect(lambda: QTimer.singleShot(500, self.take_pictures))
        reason = self.dock.reason()
        if reason:
            self.fail(reason)

    def show_colours(self, info):
        """Stretch the scene to colours an analyst is used to, then press the button; once."""
        self.dock.reader.understood.disconnect(self.show_colours)
        slots = {band["slot"]: band["index"] for band in info["bands"] if band.get("slot")}
        wanted = next((trio for trio in (NATURAL, INFRARED, RADAR) if set(trio) <= set(slots)), None)
        if wanted is not None:
            self.layer.setRenderer(
                QgsMultiBandColorRenderer(self.layer.dataProvider(), *(slots[slot] for slot in wanted))
            )
        self.layer.setContrastEnhancement(
            QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum,
            QgsRasterMinMaxOrigin.CumulativeCut,
        )
        self.layer.triggerRepaint()
        QTimer.singleShot(0, self.press)

    def press(self):
        """Choose what an analyst would choose, and click."""
        ui = self.dock.ui
        ui.hazardComboBox.setCurrentIndex(max(ui.hazardComboBox.findData(self.hazard), 0))
        if ui.hazardComboBox.currentData() != self.hazard:
            self.fail(f"No model knows the hazard '{self.hazard}'.")
            return
        ui.areaComboBox.setCurrentIndex(ui.areaComboBox.findData("layer"))
        ui.folderWidget.setFilePath(self.folder)
        ui.probabilityCheckBox.setChecked(True)
        ui.segmentButton.click()
        if not self.dock.queue.is_running:
            self.fail(ui.statusLabel.text() or "The run did not start.")

    def keep(self, run, _project_open):
        """Keep the outcome for the report."""
        self.run = run

    def take_pictures(self):
        """Draw the map, grab the window, write the report and leave."""
        if self.run is None:
            self.fail("The run ended without a result.")
            return
        settings = QgsMapSettings()
        settings.setLayers(iface.mapCanvas().layers())
        settings.setDestinationCrs(QgsProject.instance().crs())
        settings.setExtent(self.layer.extent())
        settings.setOutputSize(PICTURE_SIZE)
        settings.setBackgroundColor(QColor("white"))
        job = QgsMapRendererParallelJob(settings)
        job.start()
        job.waitForFinished()
        map_path, window_path = (os.path.join(self.folder, name) for name in ("map.png", "qgis.png"))
        iface.messageBar().clearWidgets()
        iface.mapCanvas().refresh()
        iface.mapCanvas().waitWhileRendering()
        QgsApplication.processEvents()
        if not job.renderedImage().save(map_path) or not iface.mainWindow().grab().save(window_path):
            self.fail(f"The pictures cannot be written to '{self.folder}'.")
            return
        report = {**self.run.results, "hazard": self.hazard, "scene": self.scene_path, "map": map_path}
        report["window"] = window_path
        with open(os.path.join(self.folder, "result.json"), "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
        self.leave(0)

    def fail(self, sentence):
        """Say what went wrong and leave."""
        with open(os.path.join(self.folder, "error.txt"), "w", encoding="utf-8") as file:
            file.write(sentence + "\n")
        print(sentence, file=sys.stderr, flush=True)
        self.leave(1)

    def leave(self, code):
        """End QGIS without a question, and without layers, over which QGIS 3.40 stumbles as it ends."""
        QgsProject.instance().clear()
        QTimer.singleShot(0, lambda: QgsApplication.exit(code))


def guard(kind, value, trace):
    """An error of the demo itself ends it too."""
    sys.stderr.write("".join(traceback.format_exception(kind, value, trace)))
    demo.fail(f"The demo failed: {value}")


demo = Demo()
sys.excepthook = guard
QTimer.singleShot(500, demo.start)
