"""Lets the analyst move a result's threshold: draws the probability, then writes mask and polygons anew."""

import json
import os
import uuid
from typing import Any, Dict, List, Optional, Tuple

from qgis.core import QgsApplication, QgsMapLayer, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..engine import protocol
from .algorithm_task import AlgorithmTask
from .engine_client import EngineClient
from .hazards import dress_layer
from .layer_files import SHAPEFILE_PARTS, replace_shown
from .layer_origin import file_of, hazard_of, is_derived, origin_of, related, write_history
from .messages import SUCCESS, WARNING, tell
from .result_panel import area_text
from .run_water import RunWater, run_mask_of
from .threshold_bar import ThresholdBar, draw_at

APPLY, TRACE = "hazardmapper:applythreshold", "hazardmapper:hazardpolygons"


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
        self._waiting: List[Tuple[str, Dict[str, Any], str, str]] = []
        self._step: Tuple[str, str] = ("", "")
        self._areas: Dict[str, Any] = {}
        self._water = RunWater()
        self._asked = self._guess = 0
        self._task = AlgorithmTask(self)
        self._task.done.connect(self._on_done)
        self._task.failed.connect(self._on_failed)
        self._task.cancelled.connect(lambda: self._on_failed(self.tr("Cancelled; mask and polygons are as before.")))
        bar.moved.connect(self._draw)
        bar.applied.connect(self.apply)
        bar.closed.connect(self.close)
        QgsProject.instance().layersWillBeRemoved.connect(self._on_removed)

    def close_down(self) -> None:
        """Let go of the project; what is only shown while the slider is open goes."""
        QgsProject.instance().layersWillBeRemoved.disconnect(self._on_removed)
        self._task.close_down()
        self._water.hide()

    def open(self, layer: QgsMapLayer) -> None:
        """Begin with a mask or its probability; says why not where there is no probability."""
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
        """Draw everything as before and hide the bar."""
        probability = self._layer(self._probability_id)
        if probability is not None:
            dress_layer(probability, "probability", hazard_of(probability))
        self._set_visible(*self._was_visible)
        self._water.hide()
        self._mask_id = self._probability_id = ""
        self.bar.hide()

    def apply(self, percent: int) -> None:
        """Write the mask at this threshold, then trace those polygons anew that came from it."""
        mask, probability = self._layer(self._mask_id), self._layer(self._probability_id)
        if mask is None or probability is None or self._task.is_running:
            return
        polygons = [layer for layer in self._polygons_of(mask) if file_of(layer)]
        edited = [layer.name() for layer in polygons if isinstance(layer, QgsVectorLayer) and layer.isEditable()]
        if edited:
            text = self.tr("The polygons '{name}' are being edited; save or discard the edits first.")
            tell(self._iface, text.format(name=edited[0]), WARNING)
            return
        final, token = file_of(mask), uuid.uuid4().hex[:12]
        partial = protocol.partial_path(final, token)
        values = {"PROBABILITY": probability, "THRESHOLD": percent / 100.0, "OUTPUT": partial}
        self._waiting = [(APPLY, values, partial, final)]
        self.bar.set_busy(True)
        files = sorted({file_of(layer) for layer in polygons})
        self._asked = len(files) + 1
        self._client.submit("provenance", protocol.ProvenanceJob(final), lambda found, error: self._begin(final, found))
        for path in files:
            traced = {"INPUT": final, "PROBABILITY": file_of(probability), "MANUAL": path}
            traced["OUTPUT"] = protocol.partial_path(path, token)
            self._client.submit(
                "provenance",
                protocol.ProvenanceJob(path),
                lambda found, error, path=path, traced=traced: self._trace_later(path, traced, found),
            )

    def _begin(self, mask: str, found: Optional[Dict[str, Any]]) -> None:
        """Begin once all files were asked what they are."""
        if self._may_replace(mask, found, "mask"):
            try:
                run_mask = self._water.keep(mask, found)
            except OSError as error:
                text = self.tr("The run's own mask could not be kept beside '{file}' ({error}); nothing was done.")
                self._on_failed(text.format(file=mask, error=error))
                return
            self._waiting[0][1].update({"RUN_MASK": run_mask} if run_mask else {})
            self._asked -= 1
            if not self._asked:
                self._next()

    def _trace_later(self, path: str, traced: Dict[str, Any], found: Optional[Dict[str, Any]]) -> None:
        """Trace polygons as they were traced before; begin once all were asked how that was."""
        if self._may_replace(path, found, "polygons"):
            traced.update(settings_of(found))
            self._waiting.append((TRACE, traced, traced["OUTPUT"], path))
            self._asked -= 1
            if not self._asked:
                self._next()

    def _may_replace(self, path: str, found: Optional[Dict[str, Any]], kind: str) -> bool:
        """Whether a file itself says that it is a result: a project may call any file one."""
        if self._waiting and (found or {}).get("kind") == kind:
            return True
        if self._waiting:
            text = self.tr("'{file}' does not say that Hazard Mapper wrote it: it is not replaced, nothing was done.")
            self._on_failed(text.format(file=path))
        return False

    def _next(self) -> None:
        if not self._waiting:
            self._on_all_done()
            return
        algorithm_id, parameters, partial, final = self._waiting.pop(0)
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(algorithm_id)
        if algorithm is None:
            self._on_failed(self.tr("Hazard Mapper's algorithms are not registered; enable its provider."))
            return
        self._step = (partial, final)
        self._task.start(algorithm, parameters, self.tr("Hazard Mapper: threshold"))

    def _on_done(self, results: Dict[str, Any]) -> None:
        is_mask = "HAZARD_AREA_M2" in results and self._step[1] == self._mask_file()
        if is_mask:
            self._areas = results
        try:
            replace_shown(QgsProject.instance(), *self._step)
        except OSError as error:
            self._on_failed(
                self.tr("'{file}' could not be replaced ({error}).").format(file=self._step[1], error=error)
            )
            return
        if is_mask:
            self._water.settle()
        self._next()

    def _on_failed(self, sentence: str) -> None:
        self._waiting.clear()
        self._water.take_back()
        stem = os.path.splitext(self._step[0])[0]
        for partial in (self._step[0], *(stem + ending for ending in (".qml", *SHAPEFILE_PARTS) if stem)):
            if partial and os.path.exists(partial):
                os.remove(partial)
        self.bar.set_busy(False)
        tell(self._iface, sentence, WARNING)

    def _on_all_done(self) -> None:
        self.bar.set_busy(False)
        mask = self._layer(self._mask_id)
        percent, run_mask = self.bar.slider.value(), self._water.file
        self._was_visible = (True, self._was_visible[1])
        self.close()
        if mask is None:
            return
        for layer in [mask, *self._polygons_of(mask)]:
            layer.setCustomProperty("hazardmapper/threshold", str(percent / 100.0))
            write_history(layer, {self.tr("Threshold applied"): f"{percent} %"})
        text = self.tr("{name}: {area} at {percent} %.")
        told = text.format(name=mask.name(), area=area_text(self._areas.get("HAZARD_AREA_M2")), percent=percent)
        if any(is_derived(other) for other in related(QgsProject.instance(), mask, "mask")):
            told += " " + self.tr("Refined and corrected masks, and their polygons, are as before; make them again.")
        permanent = self._areas.get("PERMANENT_AREA_M2")
        if permanent is not None:
            kept = self.tr("Water on both dates, by the run's own threshold: {area}; its mask is kept as '{file}'.")
            told += " " + kept.format(area=area_text(permanent), file=os.path.basename(run_mask))
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

    def _mask_file(self) -> str:
        mask = self._layer(self._mask_id)
        return file_of(mask) if mask is not None else ""

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


def settings_of(origin: Optional[Dict[str, Any]]) -> Dict[str, Any]:
    """Parameters of the tracing that polygons came from; none where they do not say it."""
    try:
        job = json.loads(str((origin or {}).get("tags", {}).get("HAZARD_POLYGONS_JOB") or "{}"))
    except ValueError:
        return {}
    names = ("minimum_area_m2", "simplify_m", "smooth", "diagonal")
    return {name.upper(): job[name] for name in names if isinstance(job.get(name), (int, float))}


def number(text: str, default: float) -> float:
    """Text as a number, else a default."""
    try:
        return float(text)
    except ValueError:
        return default
