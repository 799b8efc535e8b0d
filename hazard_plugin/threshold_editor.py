"""Lets the analyst move a result's threshold: draws the probability, then writes mask and polygons anew."""

import os
from typing import Any, Dict, List, Optional, Tuple

from qgis.core import QgsMapLayer, QgsMapLayerStyle, QgsProject
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal
from qgis.PyQt.QtXml import QDomDocument

from ..engine import protocol
from .engine_client import EngineClient
from .layer_origin import file_of, hazard_of, is_derived, origin_of, related, write_history
from .messages import SUCCESS, WARNING, tell
from .result_panel import area_text
from .run_water import RunWater, run_mask_of
from .threshold_apply import Cut, ThresholdApply
from .threshold_bar import ThresholdBar, draw_at


class ThresholdEditor(QObject):
    """One result at a time; closing it leaves everything as it was."""

    applied = pyqtSignal(str)

    def __init__(self, bar: ThresholdBar, iface: Any, client: EngineClient) -> None:
        super().__init__(bar)
        self.bar = bar
        self._iface = iface
        self._client = client
        self._mask_id = self._probability_id = ""
        self._was_visible: Tuple[bool, bool] = (True, False)
        self._style = QgsMapLayerStyle()
        self._water = RunWater()
        self._guess = 0
        self._apply = ThresholdApply(client, self)
        self._apply.done.connect(self._on_done)
        self._apply.failed.connect(self._on_failed)
        bar.moved.connect(self._draw)
        bar.applied.connect(self.apply)
        bar.closed.connect(self.close)
        QgsProject.instance().layersWillBeRemoved.connect(self._on_removed)
        QgsProject.instance().writeProject.connect(self._on_write)

    def close_down(self) -> None:
        """Let go of the project; what is only shown while the slider is open goes."""
        QgsProject.instance().layersWillBeRemoved.disconnect(self._on_removed)
        QgsProject.instance().writeProject.disconnect(self._on_write)
        self._apply.close_down()
        self.close()

    def open(self, layer: QgsMapLayer) -> None:
        """Begin with a mask or its probability; says why not where there is no probability."""
        if self._apply.is_busy:
            tell(self._iface, self.tr("A threshold is being applied; wait until that is done."), WARNING)
            return
        self.close()
        project = QgsProject.instance()
        masks = [mask for mask in related(project, layer, "mask") if not is_derived(mask)]
        probabilities = related(project, layer, "probability")
        if not masks or not probabilities:
            text = self.tr("No probability of '{name}' is in the project; tick Probability under Output and run again.")
            tell(self._iface, text.format(name=layer.name()), WARNING)
            return
        mask, probability = masks[0], probabilities[-1]
        self._mask_id, self._probability_id = mask.id(), probability.id()
        self._was_visible = self._visible(self._mask_id), self._visible(self._probability_id)
        self._style.readFromLayer(probability)
        known = origin_of(mask)["threshold"]
        percent = round(100 * number(known, 0.5))
        self._guess = 0 if known else percent
        self.bar.open(mask.name(), percent)
        self._client.submit("provenance", protocol.ProvenanceJob(file_of(probability)), self._on_areas)
        job, opened = protocol.ProvenanceJob(file_of(mask)), mask.id()
        self._client.submit("provenance", job, lambda found, error: self._show_water(opened, found, error))
        self._set_visible(False, True)
        self._draw(percent)

    def close(self) -> None:
        """Draw everything as before and hide the bar; what is being applied is cancelled."""
        self._apply.cancel()
        self._restore_style()
        self._set_visible(*self._was_visible)
        self._water.hide()
        self._mask_id = self._probability_id = ""
        self.bar.hide()

    def apply(self, percent: int) -> None:
        """Write the mask at this threshold, then trace those polygons anew that came from it."""
        mask, probability = self._layer(self._mask_id), self._layer(self._probability_id)
        if mask is None or probability is None or self._apply.is_busy:
            return
        self.bar.set_busy(True)
        self._apply.start(mask, probability, [layer for layer in self._polygons_of(mask) if file_of(layer)], percent)

    def _on_failed(self, sentence: str) -> None:
        self.bar.set_busy(False)
        tell(self._iface, sentence, WARNING)

    def _on_done(self, cut: Cut) -> None:
        self.bar.set_busy(False)
        self._was_visible = (True, self._was_visible[1])
        self.close()
        mask = self._layer(cut.mask_id)
        if mask is None:
            return
        for layer in filter(None, map(self._layer, (cut.mask_id, *cut.polygon_ids))):
            layer.setCustomProperty("hazardmapper/threshold", str(cut.percent / 100.0))
            write_history(layer, {self.tr("Threshold applied"): f"{cut.percent} %"})
        text = self.tr("{name}: {area} at {percent} %.")
        area = area_text(cut.areas.get("HAZARD_AREA_M2"))
        told = text.format(name=mask.name(), area=area, percent=cut.percent)
        if any(is_derived(other) for other in related(QgsProject.instance(), mask, "mask")):
            told += " " + self.tr("Refined and corrected masks, and their polygons, are as before; make them again.")
        permanent = cut.areas.get("PERMANENT_AREA_M2")
        if permanent is not None:
            kept = self.tr("Water on both dates, by the run's own threshold: {area}; its mask is kept as '{file}'.")
            told += " " + kept.format(area=area_text(permanent), file=os.path.basename(cut.water.file))
        elif origin_of(mask)["before"] and hazard_of(mask) == "flood":
            told += " " + self.tr("Water on both dates is not told apart at another threshold; segment again for that.")
        tell(self._iface, told, SUCCESS)
        self.applied.emit(told)

    def _on_areas(self, found: Optional[Dict[str, Any]], error: Optional[protocol.HazardError]) -> None:
        if error is not None:
            tell(self._iface, str(error), WARNING)
        elif found and self._probability_id and not self.bar.isHidden():
            self.bar.set_areas(found.get("areas_by_percent_m2"))
            if found.get("threshold") and self._guess == self.bar.slider.value():
                self.bar.slider.setValue(round(100 * found["threshold"]))

    def _show_water(self, mask_id: str, found: Optional[Dict[str, Any]], error: Optional[protocol.HazardError]) -> None:
        """Show water on both dates below the probability, where the mask that was opened tells it apart."""
        mask = self._layer(self._mask_id)
        if error is not None:
            tell(self._iface, str(error), WARNING)
        elif mask is not None and mask_id == self._mask_id:
            run_mask = run_mask_of(file_of(mask), found)
            if run_mask:
                self._water.show(run_mask, self._node(self._probability_id))

    def _restore_style(self) -> None:
        probability = self._layer(self._probability_id)
        if probability is not None:
            self._style.writeToLayer(probability)
            probability.triggerRepaint()

    def _on_write(self, document: QDomDocument) -> None:
        """Write a project as it was before the slider was opened; QGIS has written its tree of layers by now."""
        self._restore_style()
        self._apply.pause_lock()
        was_visible = {self._mask_id: self._was_visible[0], self._probability_id: self._was_visible[1]}
        nodes = document.elementsByTagName("layer-tree-layer")
        for node in (nodes.at(index).toElement() for index in range(nodes.count())):
            if node.attribute("id") in was_visible:
                node.setAttribute("checked", "Qt::Checked" if was_visible[node.attribute("id")] else "Qt::Unchecked")
        QTimer.singleShot(0, self._on_written)

    def _on_written(self) -> None:
        self._apply.resume_lock()
        if self._mask_id:
            is_dirty = QgsProject.instance().isDirty()
            self._draw(self.bar.slider.value())
            QgsProject.instance().setDirty(is_dirty)

    def _draw(self, percent: int) -> None:
        probability = self._layer(self._probability_id)
        if probability is not None:
            draw_at(probability, hazard_of(probability), percent)

    def _on_removed(self, layer_ids: Any) -> None:
        self._water.forget(layer_ids)
        if self._mask_id in layer_ids or self._probability_id in layer_ids:
            self.close()

    def _polygons_of(self, mask: QgsMapLayer) -> List[QgsMapLayer]:
        """Polygons traced from the mask itself, not from a refined or corrected one."""
        found = related(QgsProject.instance(), mask, "polygons")
        return [layer for layer in found if not is_derived(layer)]

    def _layer(self, layer_id: str) -> Any:
        return QgsProject.instance().mapLayer(layer_id) if layer_id else None

    def _node(self, layer_id: str) -> Any:
        return QgsProject.instance().layerTreeRoot().findLayer(layer_id) if layer_id else None

    def _visible(self, layer_id: str) -> bool:
        node = self._node(layer_id)
        return node is not None and node.itemVisibilityChecked()

    def _set_visible(self, mask: bool, probability: bool) -> None:
        for layer_id, visible in ((self._mask_id, mask), (self._probability_id, probability)):
            node = self._node(layer_id)
            if node is not None:
                node.setItemVisibilityChecked(visible)


def number(text: str, default: float) -> float:
    """Text as a number, else a default."""
    try:
        return float(text)
    except ValueError:
        return default
