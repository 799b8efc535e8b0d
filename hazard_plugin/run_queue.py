"""Runs the algorithm for one scene after another as QGIS tasks, and tells how each ended."""

import os
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional

from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..engine import protocol
from .algorithm_task import AlgorithmTask
from .engine_feedback import PreviewWish
from .messages import log
from .output_files import ReservedNames, reserve_names

ALGORITHM = "hazardmapper:segmenthazard"


@dataclass
class Run:
    """One scene to assess, and what came of it."""

    layer_id: str
    scene: str
    hazard: str
    folder: str
    wants_probability: bool
    parameters: Dict[str, Any]
    wants_comparison: bool = False
    before: str = ""
    """Name of the scene from before the event with which it is compared."""
    results: Dict[str, Any] = field(default_factory=dict)


class RunQueue(QObject):
    """Runs one after another; cancelling stops the running one and forgets those that wait.

    ``previewed`` and ``left`` tell what there is to see of a run before it is through, and what one that was cancelled
    has left; ``preview_of`` says what the engine is asked to show.
    """

    started = pyqtSignal(object, int, int)
    began = pyqtSignal(str)
    measured = pyqtSignal(int, object)
    progressed = pyqtSignal(str, float, object)
    previewed = pyqtSignal(object, object)
    left = pyqtSignal(object, object)
    finished = pyqtSignal(object, bool)
    failed = pyqtSignal(object, str)
    cancelled = pyqtSignal()
    ended = pyqtSignal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._waiting: List[Run] = []
        self._total = 0
        self._run: Optional[Run] = None
        self._names = ReservedNames({})
        self._is_repeated = False
        self.preview_of: Callable[[Run], Optional[PreviewWish]] = lambda run: None
        self._task = AlgorithmTask(self)
        self._task.began.connect(self.began)
        self._task.measured.connect(self.measured)
        self._task.progressed.connect(self.progressed)
        self._task.previewed.connect(self._on_previewed)
        self._task.left.connect(self._on_left)
        self._task.done.connect(self._on_done)
        self._task.cancelled.connect(self._on_cancelled)
        self._task.failed.connect(self._on_failed)
        self._project_open = True
        QgsProject.instance().cleared.connect(self._on_project_cleared)

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self._task.is_running

    def start(self, runs: List[Run]) -> None:
        """Start the first of these runs; the others follow."""
        self._waiting = list(runs)
        self._total = len(runs)
        self._next()

    def cancel(self) -> None:
        """Stop the running one and forget the others."""
        self._waiting.clear()
        self._task.cancel()

    def keep_best(self) -> None:
        """End the adaptation under way early and go on with the best so far."""
        self._task.keep_best()

    def close_down(self) -> None:
        """Cancel, and tell nobody any more."""
        QgsProject.instance().cleared.disconnect(self._on_project_cleared)
        self._waiting.clear()
        self._task.close_down()
        self._names.release()

    def _next(self) -> None:
        while self._waiting:
            run = self._waiting.pop(0)
            self._is_repeated = False
            if self._launch(run):
                return
        self.ended.emit()

    def _launch(self, run: Run) -> bool:
        layer = QgsProject.instance().mapLayer(run.layer_id)
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(ALGORITHM)
        if layer is None or algorithm is None:
            gone = self.tr("The layer '{name}' is no longer in the project; it was not assessed.")
            off = self.tr("Hazard Mapper's algorithm is not registered; enable its provider in the Processing options.")
            self.failed.emit(run, gone.format(name=run.scene) if layer is None else off)
            return False
        wanted = {"OUTPUT": True, "PROBABILITY": run.wants_probability or run.wants_comparison}
        before = QgsProject.instance().mapLayer(str(run.parameters.get("BEFORE") or ""))
        run.before = before.name() if before is not None else ""
        parameters = {**run.parameters, "INPUT": layer}
        names = reserve_names(run.folder, run.scene, run.hazard)
        outputs = {name: path for name, path in names.paths.items() if wanted.get(name, run.wants_comparison)}
        parameters.update(outputs)
        self._names = ReservedNames(outputs, names.mark)
        self._run = run
        self._project_open = True
        self.started.emit(run, self._total - len(self._waiting), self._total)
        description = self.tr("Hazard Mapper: {name}").format(name=run.scene)
        self._task.start(algorithm, parameters, description, self.preview_of(run))
        return True

    def _on_previewed(self, event: Dict[str, Any]) -> None:
        if self._run is not None and self._project_open and self.is_running:
            self.previewed.emit(self._run, event)

    def _on_left(self, partial: Dict[str, Any]) -> None:
        if self._run is not None and self._project_open:
            self.left.emit(self._run, partial)

    def _on_done(self, results: Dict[str, Any]) -> None:
        self._names.release()
        if self._run is not None:
            self._run.results = results
            self.finished.emit(self._run, self._project_open)
        self._next()

    def _on_cancelled(self) -> None:
        self._names.release()
        self._waiting.clear()
        self.cancelled.emit()
        self._next()

    def _on_failed(self, sentence: str) -> None:
        self._names.release()
        if self._run is None or not self._repeat(self._run):
            self.failed.emit(self._run, sentence)
            self._next()

    def _repeat(self, run: Run) -> bool:
        """Run once more, under the next free names, where another program took those of the run meanwhile."""
        taken = [path for path in self._names.paths.values() if os.path.lexists(path)]
        if not taken or self._is_repeated or QgsProject.instance().mapLayer(run.layer_id) is None:
            return False
        self._is_repeated = True
        again = self.tr(
            "'{file}' was written by another program meanwhile: {scene} is assessed again under a free name."
        )
        log(again.format(file=taken[0], scene=run.scene))
        return self._launch(run)

    def _on_project_cleared(self) -> None:
        self._project_open = False


def scene_overrides(overrides: Dict[str, Any]) -> Dict[str, Any]:
    """Parameters that say how a scene's bands are understood; raises BadInput where they cannot be."""
    if overrides.get("bands"):
        protocol.parse_bands(overrides["bands"])
    return {
        "BANDS": overrides.get("bands") or "",
        "SENSOR": overrides.get("sensor") or "",
        "UNITS": overrides.get("units") or "",
        "GSD_M": overrides.get("gsd_m") or None,
    }
