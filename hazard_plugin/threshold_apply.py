"""Writes a result anew at another threshold: mask and polygons beside theirs first, then all in their places."""

import json
import os
import shutil
import uuid
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from qgis.core import QgsApplication, QgsDataProvider, QgsMapLayer, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..engine import protocol
from .algorithm_task import AlgorithmTask
from .engine_client import EngineClient
from .layer_files import HeldFiles, replace_shown, vector_layers_of
from .layer_origin import file_of
from .own_file import require_own_file
from .run_water import RunWater

APPLY, TRACE = "hazardmapper:applythreshold", "hazardmapper:hazardpolygons"


@dataclass
class Cut:
    """One new threshold: settled when it is asked for, whatever is opened, closed or removed meanwhile.

    Attributes:
        mask_id: layer of the mask.
        polygon_ids: layers of the polygons that were traced from it.
        percent: the threshold.
        files: what is written, and what it replaces; the mask comes first.
        water: the run's own mask.
        areas: what the cut found.
    """

    mask_id: str
    polygon_ids: List[str]
    percent: int
    files: List[Tuple[str, str]]
    held: HeldFiles
    water: RunWater = field(default_factory=RunWater)
    areas: Dict[str, Any] = field(default_factory=dict)
    steps: List[Tuple[str, Dict[str, Any]]] = field(default_factory=list)
    asked: int = 0
    cut_mask: Optional[QgsRasterLayer] = None
    is_cancelled: bool = False


class ThresholdApply(QObject):
    """One cut at a time, which ends with exactly one of ``done`` and ``failed``; then nothing was replaced."""

    done = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(self, client: EngineClient, parent: QObject) -> None:
        super().__init__(parent)
        self._client = client
        self._cut: Optional[Cut] = None
        self._task = AlgorithmTask(self)
        self._task.done.connect(self._on_done)
        self._task.failed.connect(self._fail)
        self._task.cancelled.connect(self._on_cancelled)

    @property
    def is_busy(self) -> bool:
        """Whether a cut is under way."""
        return self._cut is not None

    def start(self, mask: QgsMapLayer, probability: QgsMapLayer, polygons: List[QgsMapLayer], percent: int) -> None:
        """Ask all files what they are, then cut the mask and trace those polygons anew that came from it."""
        token = uuid.uuid4().hex[:12]
        finals = [file_of(mask), *sorted({file_of(layer) for layer in polygons})]
        files = [(os.path.join(protocol.partial_path(path, token), os.path.basename(path)), path) for path in finals]
        ids = [layer.id() for layer in polygons]
        self._cut = cut = Cut(mask.id(), ids, percent, files, HeldFiles(finals))
        edited = cut.held.edited()
        if edited:
            text = self.tr("The polygons '{name}' are being edited; save or discard the edits first.")
            self._fail(text.format(name=edited[0].name()))
            return
        cut.held.lock()
        cut.asked = len(files)
        for new, path in files:
            values: Dict[str, Any] = {"PROBABILITY": file_of(probability), "OUTPUT": new}
            kind = "mask" if path == finals[0] else "polygons"
            values.update({"THRESHOLD": percent / 100.0} if kind == "mask" else {"MANUAL": path})
            cut.steps.append((APPLY if kind == "mask" else TRACE, values))
            self._client.submit(
                "provenance",
                protocol.ProvenanceJob(path),
                lambda found, error, about=(cut, kind, path, values): self._on_known(*about, found),
            )

    def cancel(self) -> None:
        """Stop; mask and polygons stay as they are."""
        if self._cut is not None:
            self._cut.is_cancelled = True
            if self._task.is_running:
                self._task.cancel()
            else:
                self._on_cancelled()

    def close_down(self) -> None:
        """Stop, and tell nobody any more."""
        self._task.close_down()
        self._clean_up()

    def pause_lock(self) -> None:
        """Let a project be written without what is only so during a cut."""
        if self._cut is not None:
            self._cut.held.unlock()

    def resume_lock(self) -> None:
        """Lock again after ``pause_lock``."""
        if self._cut is not None:
            self._cut.held.lock()

    def _on_known(
        self, cut: Cut, kind: str, path: str, values: Dict[str, Any], found: Optional[Dict[str, Any]]
    ) -> None:
        """Begin once all files were asked what they are: a project may call any file a result."""
        if cut is not self._cut:
            return
        if (found or {}).get("kind") != kind:
            text = self.tr("'{file}' does not say that Hazard Mapper wrote it: it is not replaced, nothing was done.")
            self._fail(text.format(file=path))
            return
        try:
            require_own_file(path)
        except protocol.OutputFailed as error:
            self._fail(str(error))
            return
        if kind == "polygons":
            values.update(settings_of(found))
        else:
            try:
                run_mask = cut.water.keep(path, found)
            except OSError as error:
                text = self.tr("The run's own mask could not be kept beside '{file}' ({error}); nothing was done.")
                self._fail(text.format(file=path, error=error))
                return
            values.update({"RUN_MASK": run_mask} if run_mask else {})
        cut.asked -= 1
        if not cut.asked:
            self._begin(cut)

    def _begin(self, cut: Cut) -> None:
        try:
            for new, _ in cut.files:
                os.makedirs(os.path.dirname(new))
        except OSError as error:
            text = self.tr("Nothing can be written beside '{file}' ({error}); mask and polygons are as before.")
            self._fail(text.format(file=cut.files[0][1], error=error))
            return
        self._next(cut)

    def _next(self, cut: Cut) -> None:
        if not cut.steps:
            self._replace(cut)
            return
        algorithm_id, parameters = cut.steps.pop(0)
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(algorithm_id)
        if algorithm is None:
            self._fail(self.tr("Hazard Mapper's algorithms are not registered; enable its provider."))
            return
        if algorithm_id == TRACE:
            if cut.cut_mask is None:
                cut.cut_mask = QgsRasterLayer(cut.files[0][0], "mask", "gdal")
            shown = vector_layers_of(parameters["MANUAL"])
            parameters.update({"INPUT": cut.cut_mask, **({"MANUAL": shown[0]} if shown else {})})
        self._task.start(algorithm, parameters, self.tr("Hazard Mapper: threshold"))

    def _on_done(self, results: Dict[str, Any]) -> None:
        cut = self._cut
        if cut is None:
            return
        if cut.is_cancelled:
            self._on_cancelled()
            return
        if "HAZARD_AREA_M2" in results:
            cut.areas = results
        self._next(cut)

    def _replace(self, cut: Cut) -> None:
        """Put everything that was written in its place, unless somebody else was there meanwhile."""
        changed = cut.held.changed()
        if changed:
            text = self.tr(
                "'{file}' was changed while the threshold was applied, and nothing was replaced; save or discard the "
                "edits and apply it again."
            )
            self._fail(text.format(file=changed[0]))
            return
        let_go(cut.cut_mask)
        try:
            replace_shown(QgsProject.instance(), cut.files)
        except OSError as error:
            text = self.tr("Mask and polygons could not be replaced ({error}); they are as before.")
            self._fail(text.format(error=error))
            return
        cut.water.settle()
        self._clean_up()
        self.done.emit(cut)

    def _on_cancelled(self) -> None:
        self._fail(self.tr("Cancelled; mask and polygons are as before."))

    def _fail(self, sentence: str) -> None:
        self._clean_up()
        self.failed.emit(sentence)

    def _clean_up(self) -> None:
        """Leave nothing of a cut but what took its place."""
        cut, self._cut = self._cut, None
        if cut is not None:
            let_go(cut.cut_mask)
            cut.water.take_back()
            cut.held.unlock()
            for new, _ in cut.files:
                shutil.rmtree(os.path.dirname(new), ignore_errors=True)


def let_go(layer: Optional[QgsRasterLayer]) -> None:
    """Have a layer close its file: some systems do not move one that is open."""
    if layer is not None:
        layer.setDataSource("", layer.name(), "gdal", QgsDataProvider.ProviderOptions())


def settings_of(origin: Optional[Dict[str, Any]]) -> Dict[str, Any]:
    """Parameters of the tracing that polygons came from; none where they do not say it."""
    try:
        job = json.loads(str((origin or {}).get("tags", {}).get("HAZARD_POLYGONS_JOB") or "{}"))
    except ValueError:
        return {}
    names = ("minimum_area_m2", "simplify_m", "smooth", "diagonal")
    return {name.upper(): job[name] for name in names if isinstance(job.get(name), (int, float))}
