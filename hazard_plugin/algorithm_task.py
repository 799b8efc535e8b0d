"""Runs one algorithm as a QGIS task and ends with exactly one of done, cancelled and failed, on the main thread."""

from typing import Any, Dict, Optional

from qgis.core import QgsApplication, QgsProcessingAlgRunnerTask, QgsProcessingContext, QgsProject
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from .engine_feedback import EngineFeedback, PreviewWish


class AlgorithmTask(QObject):
    """One run at a time; cancelling and closing down may come at any moment."""

    began = pyqtSignal(str)
    progressed = pyqtSignal(str, float, object)
    measured = pyqtSignal(int, object)
    previewed = pyqtSignal(object)
    left = pyqtSignal(object)
    done = pyqtSignal(dict)
    cancelled = pyqtSignal()
    failed = pyqtSignal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._feedback: Optional[EngineFeedback] = None
        self._task: Optional[QgsProcessingAlgRunnerTask] = None
        self._closed = False

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self._task is not None

    def start(
        self, algorithm: Any, parameters: Dict[str, Any], description: str, preview: Optional[PreviewWish] = None
    ) -> None:
        """Start a run of this algorithm, which must be a fresh instance; ``preview`` asks for an early look."""
        context = QgsProcessingContext()
        context.setProject(QgsProject.instance())
        feedback = EngineFeedback(preview)
        feedback.began.connect(self.began)
        feedback.reported.connect(self.progressed)
        feedback.measured.connect(self.measured)
        feedback.previewed.connect(self.previewed)
        feedback.progressChanged.connect(self._on_share)
        task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
        task.setDescription(description)
        # The closure keeps algorithm, context and feedback alive until the task is over, as QGIS demands.
        task.executed.connect(
            lambda successful, results, kept=(algorithm, context, feedback): self._on_executed(
                kept[2], successful, results
            )
        )
        self._feedback, self._task = feedback, task
        if task.isCanceled():
            # Its parameters were refused while it was made: it would never run, nor end.
            QTimer.singleShot(0, lambda: self._on_refused(feedback))
        else:
            QgsApplication.taskManager().addTask(task)

    def cancel(self) -> None:
        """Stop the run."""
        if self._feedback is not None:
            self._feedback.cancel()

    def keep_best(self) -> None:
        """End the adaptation under way early and go on with the best so far."""
        if self._feedback is not None:
            self._feedback.keep_best()

    def close_down(self) -> None:
        """Cancel, and tell nobody any more."""
        self._closed = True
        self.cancel()

    def _on_executed(self, feedback: EngineFeedback, successful: bool, results: Dict[str, Any]) -> None:
        self._task = self._feedback = None
        if self._closed:
            return
        if results and (successful or feedback.isCanceled()):
            # What was finished when the user cancelled is there, and counts.
            self.done.emit(dict(results))
        elif feedback.isCanceled():
            # A cancelled run still reports success.
            if feedback.partial:
                self.left.emit(feedback.partial)
            self.cancelled.emit()
        else:
            self._fail(feedback)

    def _on_refused(self, feedback: EngineFeedback) -> None:
        self._task = self._feedback = None
        if not self._closed:
            self._fail(feedback)

    def _fail(self, feedback: EngineFeedback) -> None:
        sentence = feedback.errors[-1] if feedback.errors else self.tr("The run failed; see the log panel.")
        self.failed.emit(first_sentence(sentence))

    def _on_share(self, percent: float) -> None:
        self.progressed.emit("", percent / 100.0, None)


def first_sentence(text: str) -> str:
    """An error without what Processing puts around it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else text
