"""The choice of a scene from before the event: earlier layers that overlap the scene are offered, none by itself."""

import json
from datetime import date
from typing import Any, Dict, List, Mapping, Optional

from qgis.core import (
    QgsCoordinateTransform,
    QgsCsException,
    QgsIconUtils,
    QgsMapLayer,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QEvent, QObject, pyqtSignal

from .hazards import is_scene
from .layer_date import day_in_names, layer_date
from .raster_source import RENDERED_PROVIDERS

CORRECTED = ("bands", "sensor", "units")


class BeforeChoice(QObject):
    """Rules the row below the scene, which shows where there is something to choose; remembers it for each scene."""

    touched = pyqtSignal()

    def __init__(self, ui: Any) -> None:
        super().__init__(ui)
        self._ui = ui
        self._chosen: Dict[str, str] = {}
        self._found_days: Dict[str, str] = {}
        self._combo = ui.beforeComboBox
        self._combo.installEventFilter(self)
        self._combo.currentIndexChanged.connect(self._on_chosen)
        ui.layerComboBox.layerChanged.connect(self.refresh)
        project = QgsProject.instance()
        project.layersAdded.connect(self._on_added)
        project.layersRemoved.connect(self.refresh)
        self._on_added(list(project.mapLayers().values()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look again before something is chosen: QGIS does not tell when a layer is given its day."""
        if event.type() in (QEvent.Type.Enter, QEvent.Type.FocusIn) and not self._combo.view().isVisible():
            self.refresh()
        return False

    def layer(self) -> Optional[QgsRasterLayer]:
        """The chosen scene from before; None where there is none."""
        layer = QgsProject.instance().mapLayer(self._combo.currentData() or "")
        return layer if isinstance(layer, QgsRasterLayer) else None

    def parameters(self, scene: QgsRasterLayer, corrections: Mapping[str, Mapping[str, Any]]) -> Dict[str, Any]:
        """BEFORE and what is told about it, for a scene of the queue that lies on it and is later.

        ``corrections`` are those of how bands are understood, by the id of a layer.
        """
        layer = self.layer()
        if layer is None or not self._may_be_before(layer, scene):
            return {"BEFORE": None}
        told = corrections.get(layer.id(), {})
        return {"BEFORE": layer.id(), **{f"BEFORE_{name.upper()}": told.get(name) or "" for name in CORRECTED}}

    def remembered(self) -> Dict[str, str]:
        """What to remember of the choice, with the project only."""
        project = QgsProject.instance()
        kept = {one: other for one, other in self._chosen.items() if project.mapLayer(one) and project.mapLayer(other)}
        return {"before": json.dumps(kept) if kept else ""}

    def restore(self, choices: Mapping[str, str]) -> None:
        """Choose what was remembered."""
        try:
            stored = json.loads(choices.get("before") or "{}")
        except ValueError:
            stored = {}
        pairs = stored.items() if isinstance(stored, dict) else ()
        self._chosen = {str(one): other for one, other in pairs if isinstance(other, str)}
        self.refresh()

    def show_found(self, info: Mapping[str, Any]) -> None:
        """Take the scene's day from what the engine found out about it."""
        scene, told = self._scene(), info.get("characteristics")
        if scene is not None:
            self._found_days[scene.id()] = str(told.get("date") or "") if isinstance(told, Mapping) else ""
        self.refresh()

    def refresh(self, *_: Any) -> None:
        """Offer what may be chosen, and show the choice made for this scene where it still may."""
        scene = self._scene()
        offered = self._offered(scene) if scene is not None else []
        wanted = self._chosen.get(scene.id()) if scene is not None else None
        self._combo.blockSignals(True)
        self._combo.clear()
        self._combo.addItem(self.tr("none (optional)"), "")
        for layer in offered:
            name = layer.name() if self._day_of(layer) else self.tr("{name} (day not known)").format(name=layer.name())
            self._combo.addItem(QgsIconUtils.iconForLayer(layer), name, layer.id())
        self._combo.setCurrentIndex(max(0, self._combo.findData(wanted)))
        self._combo.blockSignals(False)
        for widget in (self._ui.beforeLabel, self._combo):
            widget.setVisible(bool(offered))
        self._show_note()

    def _scene(self) -> Optional[QgsRasterLayer]:
        layer = self._ui.layerComboBox.currentLayer()
        return layer if isinstance(layer, QgsRasterLayer) else None

    def _offered(self, scene: QgsRasterLayer) -> List[QgsRasterLayer]:
        """Layers that may be before a scene: the latest first, those of unknown day last, else by name."""
        layers = [one for one in QgsProject.instance().mapLayers().values() if self._may_be_before(one, scene)]
        layers.sort(key=lambda layer: str(layer.name()).lower())
        return sorted(layers, key=self._day_of, reverse=True)

    def _on_added(self, layers: List[QgsMapLayer]) -> None:
        for layer in layers:
            layer.nameChanged.connect(self.refresh)
        self.refresh()

    def _on_chosen(self, *_: Any) -> None:
        scene, layer = self._scene(), self.layer()
        if scene is None:
            return
        if layer is None:
            self._chosen.pop(scene.id(), None)
        else:
            self._chosen[scene.id()] = layer.id()
        self._show_note()
        self.touched.emit()

    def _show_note(self) -> None:
        layer, scene = self.layer(), self._scene()
        self._ui.beforeNote.setVisible(layer is not None)
        if layer is None or scene is None:
            return
        day, now = self._day_of(layer), self._day_of(scene)
        if not day:
            text = self.tr("Maps what is new since then; its date is not known.")
        elif not now:
            text = self.tr("Maps what is new since {date}.").format(date=day)
        else:
            days = (date.fromisoformat(now) - date.fromisoformat(day)).days
            text = self.tr("Maps what is new since {date}, {days} days before.").format(date=day, days=days)
        self._ui.beforeNote.setText(text)

    def _day_of(self, layer: QgsRasterLayer) -> str:
        """Day of a layer: its own, else as the engine found it while it was the scene, else as it is called."""
        return layer_date(layer) or self._found_days.get(layer.id()) or day_in_names(layer)

    def _may_be_before(self, layer: QgsMapLayer, scene: QgsRasterLayer) -> bool:
        """Whether a layer overlaps the scene and is earlier, as far as their days are known.

        A picture from a map service is offered only where its day is known: it shows the same on every day.
        """
        if not is_scene(layer) or not layer.isValid() or layer.id() == scene.id() or layer.source() == scene.source():
            return False
        day, now = self._day_of(layer), self._day_of(scene)
        if day and now and day >= now:
            return False
        if not day and layer.providerType() in RENDERED_PROVIDERS:
            return False
        return overlap(layer, scene)


def overlap(layer: QgsRasterLayer, scene: QgsRasterLayer) -> bool:
    """Whether two layers have ground in common; layers without a CRS are taken to lie as their numbers say."""
    extent = layer.extent()
    if layer.crs().isValid() and scene.crs().isValid():
        try:
            extent = QgsCoordinateTransform(layer.crs(), scene.crs(), QgsProject.instance()).transformBoundingBox(
                extent
            )
        except QgsCsException:
            return False
    common: QgsRectangle = extent.intersect(scene.extent())
    return bool(common.width() > 0 and common.height() > 0)
