"""Runs the algorithm for one scene after another as QGIS tasks, and tells how each ended."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

from qgis.core import QgsApplication, QgsProcessingAlgRunnerTask, QgsProcessingContext, QgsProject
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..engine import protocol
from .engine_feedback import EngineFeedback
from .output_files import free_names

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
    results: Dict[str, Any] = field(default_factory=dict)


class RunQueue(QObject):
    """Runs one after another; cancelling stops the running one and forgets those that wait."""

    started = pyqtSignal(object, int, int)
    progressed = pyqtSignal(str, float, object)
    finished = pyqtSignal(object, bool)
    failed = pyqtSignal(object, str)
    cancelled = pyqtSignal()
    ended = pyqtSignal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._waiting: List[Run] = []
        self._total = 0
        self._feedback: Optional[EngineFeedback] = None
        self._task: Optional[QgsProcessingAlgRunnerTask] = None
        self._project_open = True
        self._closed = False
        QgsProject.instance().cleared.connect(self._on_project_cleared)

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self._task is not None

    def start(self, runs: List[Run]) -> None:
        """Start the first of these runs; the others follow."""
        self._waiting = list(runs)
        self._total = len(runs)
        self._next()

    def cancel(self) -> None:
        """Stop the running one and forget the others."""
        self._waiting.clear()
        if self._feedback is not None:
            self._feedback.cancel()

    def close_down(self) -> None:
        """Cancel, and tell nobody any more."""
        self._closed = True
        QgsProject.instance().cleared.disconnect(self._on_project_cleared)
        self.cancel()

    def _next(self) -> None:
        while self._waiting:
            run = self._waiting.pop(0)
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
        mask, probability = free_names(run.folder, run.scene, run.hazard)
        parameters = {**run.parameters, "INPUT": layer, "OUTPUT": mask}
        if run.wants_probability:
            parameters["PROBABILITY"] = probability
        context = QgsProcessingContext()
        context.setProject(QgsProject.instance())
        feedback = EngineFeedback()
        feedback.reported.connect(self.progressed)
        feedback.progressChanged.connect(self._on_share)
        self._feedback = feedback
        self._project_open = True
        self.started.emit(run, self._total - len(self._waiting), self._total)
        task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
        task.setDescription(self.tr("Hazard Mapper: {name}").format(name=run.scene))
        # The closure keeps algorithm, context and feedback alive until the task is over, as QGIS demands.
        task.executed.connect(
            lambda successful, results, kept=(algorithm, context, feedback): self._on_executed(
                run, kept[2], successful, results
            )
        )
        self._task = task
        QgsApplication.taskManager().addTask(task)
        return True

    def _on_executed(self, run: Run, feedback: EngineFeedback, successful: bool, results: Dict[str, Any]) -> None:
        self._task = self._feedback = None
        if self._closed:
            return
        if feedback.isCanceled():
            # A cancelled run still reports success.
            self._waiting.clear()
            self.cancelled.emit()
        elif successful and results.get("OUTPUT"):
            run.results = dict(results)
            self.finished.emit(run, self._project_open)
        else:
            sentence = feedback.errors[-1] if feedback.errors else self.tr("The run failed; see the log panel.")
            self.failed.emit(run, first_sentence(sentence))
        self._next()

    def _on_share(self, percent: float) -> None:
        self.progressed.emit("", percent / 100.0, None)

    def _on_project_cleared(self) -> None:
        self._project_open = False


def first_sentence(text: str) -> str:
    """An error without what Processing puts around it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else text


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
