"""Passes what a running job tells on to the feedback of a Processing algorithm, curves of a training run included."""

import time
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from qgis.core import QgsProcessingFeedback
from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal

from .engine_texts import stage_title
from .messages import log

LINE_EVERY_S = 10.0
"""Least time between two lines of the log that tell nothing but the loss; validations are always told."""

VALIDATION = "validation_"
"""How the names of values that were measured on held-out chips begin."""


WHOLE = (0.0, 1.0)
"""Part of an algorithm's progress that a job makes up: all of it."""


Bounds = Tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax."""


@dataclass(frozen=True)
class PreviewWish:
    """What the dock wants to see before a run is through: files in this folder, of this extent in the scene's CRS."""

    folder: str
    extent: Optional[Bounds] = None


class EngineFeedback(QgsProcessingFeedback):
    """Feedback that also tells stage, share done, time left and curves, and keeps what went wrong; for the dock.

    ``partial`` is what a cancelled run has left to be kept; empty for nothing.
    """

    began = pyqtSignal(str)
    reported = pyqtSignal(str, float, object)
    measured = pyqtSignal(int, object)
    previewed = pyqtSignal(object)

    def __init__(self, preview: Optional[PreviewWish] = None) -> None:
        super().__init__(False)
        self.preview = preview
        self.partial: Dict[str, Any] = {}
        self.errors: List[str] = []
        self.warnings: List[str] = []
        self.wants_best = False

    def keep_best(self) -> None:
        """Ask a running adaptation to end early with the best that it has found; may be called from any thread."""
        self.wants_best = True

    def begin(self, kind: str) -> None:
        """Tell which kind of job runs now; empty once it is over."""
        self.began.emit(kind)

    def report(self, stage: str, share: float, seconds_left: Optional[float]) -> None:
        """Pass progress on to whoever listens; called on the thread that runs the job."""
        self.reported.emit(stage, share, seconds_left)

    def measure(self, step: int, values: Dict[str, float]) -> None:
        """Pass losses and scores of a training step on to whoever listens."""
        self.measured.emit(step, values)

    def setProgressText(self, text: Optional[str]) -> None:
        """Show a stage that the algorithm announces by itself."""
        self.reported.emit(text or "", self.progress() / 100.0, None)

    def reportError(self, error: Optional[str], fatalError: bool = False) -> None:
        """Keep the sentence for the message bar."""
        self.errors.append(error or "")

    def pushWarning(self, warning: Optional[str]) -> None:
        """Keep the warning for the result panel."""
        self.warnings.append(warning or "")


class Relay:
    """One job's way to its feedback: any feedback of Processing, which gets curves as lines of its log.

    ``part`` is the part of the feedback's progress, from 0 to 1, that this job makes up.
    """

    def __init__(self, feedback: QgsProcessingFeedback, part: Tuple[float, float] = WHOLE) -> None:
        self._feedback = feedback
        self._part = part
        self._stage = ""
        self._last_line_s = float("-inf")

    def pass_on(self, event: Mapping[str, Any]) -> None:
        """Pass a progress, log, metrics or preview event on, and what a cancelled job has left."""
        if event["type"] == "progress":
            self._progress(event)
        elif event["type"] == "metrics":
            self._measure(event)
        elif event["type"] == "preview" and isinstance(self._feedback, EngineFeedback):
            self._feedback.previewed.emit(dict(event))
        elif event["type"] == "cancelled" and isinstance(self._feedback, EngineFeedback):
            self._feedback.partial = dict(event.get("partial") or {})
        elif event["type"] == "log" and event.get("level") == "warning":
            self._feedback.pushWarning(str(event.get("text", "")))
        elif event["type"] == "log":
            self._feedback.pushInfo(str(event.get("text", "")))

    def _progress(self, event: Mapping[str, Any]) -> None:
        feedback = self._feedback
        first, last = self._part
        share = first + (last - first) * min(max(float(event.get("share") or 0.0), 0.0), 1.0)
        stage = stage_title(str(event.get("stage") or ""))
        feedback.setProgress(100.0 * share)
        if isinstance(feedback, EngineFeedback):
            feedback.report(stage, share, event.get("seconds_left"))
        elif stage and stage != self._stage:
            feedback.setProgressText(stage)
            self._stage = stage

    def _measure(self, event: Mapping[str, Any]) -> None:
        step, values = read_metrics(event)
        if not values:
            return
        if isinstance(self._feedback, EngineFeedback):
            self._feedback.measure(step, values)
        now = time.monotonic()
        validated = any(name.startswith(VALIDATION) for name in values)
        if not validated and now - self._last_line_s < LINE_EVERY_S:
            return
        self._last_line_s = now
        line = metrics_line(step, values)
        if isinstance(self._feedback, EngineFeedback):
            log(line)
        else:
            self._feedback.pushInfo(line)


def read_metrics(event: Mapping[str, Any]) -> "tuple[int, Dict[str, float]]":
    """Step and values of a metrics event; what is not a number is left out."""
    values = event.get("values")
    numbers = {
        str(name): float(value)
        for name, value in (values.items() if isinstance(values, Mapping) else ())
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    step = event.get("step")
    return (int(step) if isinstance(step, (int, float)) else 0), numbers


def metrics_line(step: int, values: Mapping[str, float]) -> str:
    """``Step 200: loss 0.231, validation IoU 0.52``."""
    parts = ", ".join(f"{metric_title(name)} {value:.4g}" for name, value in values.items())
    return tr("Step {step}: {values}").format(step=step, values=parts)


def metric_title(name: str) -> str:
    """Name of a loss or score for people."""
    known = {
        "loss": tr("loss"),
        "validation_loss": tr("validation loss"),
        "validation_iou": tr("validation IoU"),
        "validation_balanced_accuracy": tr("validation balanced accuracy"),
        "learning_rate": tr("learning rate"),
        "forward": tr("forward loss"),
        "backward": tr("backward loss"),
        "auxiliary": tr("auxiliary loss"),
    }
    return known.get(name) or name.replace("_", " ")


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("EngineFeedback", text)
