"""The dock's second page: trains a model through the algorithm, shows its curves, and offers to resume what stopped."""

import json
import os
from typing import Any, Dict, List, Mapping, Optional, Tuple

from qgis.core import QgsApplication
from qgis.PyQt import uic
from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal
from qgis.PyQt.QtWidgets import QVBoxLayout, QWidget

from ..engine import protocol
from .algorithm_task import AlgorithmTask
from .curves_widget import CurvesWidget
from .dock_widgets import embolden, explain_arrow
from .engine_client import EngineClient
from .engine_feedback import metric_title
from .messages import INFO, SUCCESS, WARNING, tell
from .model_card import ModelCardDialog
from .models import ModelEntry
from .result_panel import device_title, duration_text, escape, progress_text
from .settings import load_setting, save_setting
from .training_form import TrainingForm

LAST, UNFINISHED = "training_last", "training_unfinished"
"""Settings: the choices of the last run, and those of a run that a checkpoint was left of."""


class TrainingPage(QWidget):
    """Choices, one button, progress, curves, and what came of it."""

    back_asked = pyqtSignal()
    use_asked = pyqtSignal(str)
    trained = pyqtSignal()
    told = pyqtSignal(str)

    def __init__(self, iface: Any, client: EngineClient, parent: QWidget) -> None:
        super().__init__(parent)
        self.iface = iface
        self.client = client
        self.setObjectName("trainingPage")
        self.ui = uic.loadUi(os.path.join(os.path.dirname(__file__), "training.ui"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.ui)
        self.curves = CurvesWidget()
        self.ui.curvesLayout.addWidget(self.curves)
        self.form = TrainingForm(self.ui)
        self.task = AlgorithmTask(self)
        self._run: Tuple[str, Dict[str, Any]] = ("", {})
        self._measured = self._has_begun = False
        self._models: List[ModelEntry] = []
        self._new_model = ""
        self._prepare_widgets()
        self._connect()
        self._load()
        self.update_state()

    def _prepare_widgets(self) -> None:
        ui = self.ui
        explain_arrow(ui.trainAdvancedGroup)
        embolden(ui.trainButton)
        line = self.fontMetrics().lineSpacing()
        ui.trainDataNote.setMinimumHeight(2 * line)
        ui.trainStatusLabel.setMinimumHeight(2 * line + 2)
        ui.trainSummary.setMinimumHeight(5 * line + ui.trainUseButton.sizeHint().height())
        ui.trainProgressPanel.setMinimumHeight(ui.trainCancelButton.sizeHint().height())  # free until a run starts
        for widget in (ui.trainProgressBar, ui.trainCancelButton, ui.trainResumeButton):
            widget.hide()
        self._show_summary(self.tr("What a run reached will be told here."))

    def _connect(self) -> None:
        ui = self.ui
        ui.trainBackButton.clicked.connect(self.back_asked)
        ui.trainButton.clicked.connect(self.train)
        ui.trainCancelButton.clicked.connect(self.cancel)
        ui.trainResumeButton.clicked.connect(self.resume)
        ui.trainCardButton.clicked.connect(self.show_card)
        ui.trainUseButton.clicked.connect(lambda: self.use_asked.emit(self._new_model))
        self.form.changed.connect(self.update_state)
        self.task.progressed.connect(self._on_progress)
        self.task.measured.connect(self._on_measured)
        self.task.done.connect(self._on_done)
        self.task.cancelled.connect(self._on_cancelled)
        self.task.failed.connect(self._on_failed)

    def close_down(self) -> None:
        """Stop the run; its checkpoint is kept, and the page offers to resume it when it is next made."""
        self.task.close_down()

    # State

    def offer_models(self, models: List[ModelEntry]) -> None:
        """Take the models that the engine lists."""
        self._models = models
        self.form.offer_models(models)
        self._show_card_button()

    def reason(self) -> str:
        """Why the button cannot be used; empty if it can."""
        try:
            self.client.locate()
        except protocol.HazardError as error:
            return str(error)
        return self.form.reason()

    def update_state(self) -> None:
        """Enable what makes sense and say why the rest does not."""
        if self.task.is_running:
            return
        reason = self.reason()
        ui = self.ui
        ui.trainButton.setEnabled(not reason)
        ready = self.tr("Train the model; it is listed for mapping when it is done")
        ui.trainButton.setToolTip(reason or ready)
        _, unfinished = self._unfinished()
        ui.trainResumeButton.setVisible(bool(unfinished))
        ui.trainCancelButton.setVisible(False)
        if unfinished:
            ui.trainResumeButton.setText(self.tr("Res&ume {name}").format(name=title_of(unfinished)))
        ui.trainStatusLabel.setText(reason)

    def _load(self) -> None:
        for name in (LAST, UNFINISHED):
            algorithm, parameters = read_run(load_setting(name))
            if parameters:
                self.form.restore(algorithm, parameters)

    def _unfinished(self) -> Tuple[str, Dict[str, Any]]:
        return read_run(load_setting(UNFINISHED))

    # Running

    def train(self) -> None:
        """Start a run as chosen."""
        parameters = self.form.parameters()
        if not self.reason():
            save_setting(LAST, json.dumps([self.form.algorithm, parameters]))
            self._start(self.form.algorithm, parameters)

    def resume(self) -> None:
        """Go on with the run that stopped."""
        algorithm, parameters = self._unfinished()
        if parameters and not self.task.is_running:
            self.form.restore(algorithm, parameters)
            self.form.restore_name(str(parameters.get("SAVE") or ""))
            self._start(algorithm, {**parameters, "RESUME": True})

    def cancel(self) -> None:
        """Stop the run; its checkpoint is kept."""
        self.ui.trainCancelButton.setEnabled(False)
        self._tell_status(self.tr("Stopping; the checkpoint is written…"))
        self.task.cancel()

    def _start(self, algorithm_id: str, parameters: Dict[str, Any]) -> None:
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(algorithm_id)
        if algorithm is None:
            self._on_failed(
                self.tr("Hazard Mapper's algorithm is not registered; enable its provider in the Processing options.")
            )
            return
        self._run = (algorithm_id, parameters)
        self._measured = self._has_begun = False
        self._new_model = ""
        if not parameters.get("RESUME"):
            self.curves.clear()
        self._show_summary(self.tr("{name} is being trained.").format(name=title_of(parameters)))
        ui = self.ui
        ui.trainChoices.setEnabled(False)
        ui.trainButton.setEnabled(False)
        ui.trainResumeButton.hide()
        ui.trainProgressBar.setValue(0)
        ui.trainProgressBar.show()
        ui.trainCancelButton.setEnabled(True)
        ui.trainCancelButton.show()
        self._tell_status(self.tr("Starting"))
        self.task.start(algorithm, parameters, self.tr("Hazard Mapper: train {name}").format(name=title_of(parameters)))

    def _tell_status(self, text: str) -> None:
        self.ui.trainStatusLabel.setText(text)
        if self.task.is_running:
            self.told.emit(self.tr("Training {name}: {text}").format(name=title_of(self._run[1]), text=text))

    def _on_progress(self, stage: str, share: float, seconds_left: Optional[float]) -> None:
        if self.task.is_running and self.ui.trainCancelButton.isEnabled():
            self.ui.trainProgressBar.setValue(round(1000 * share))
            self._has_begun = self._has_begun or seconds_left is not None
            if stage:
                self._tell_status(progress_text(stage, seconds_left))

    def _on_measured(self, step: int, values: Mapping[str, float]) -> None:
        if not self._measured:
            # Kept at once: QGIS may end without a word.
            self._measured = True
            self._remember_unfinished()
        self.curves.add_point(step, values)

    def _remember_unfinished(self) -> None:
        save_setting(UNFINISHED, json.dumps(list(self._run)))

    def _on_done(self, results: Dict[str, Any]) -> None:
        save_setting(UNFINISHED, "")
        self._new_model = str(results.get("MODEL_NAME") or "")
        title = title_of(self._run[1])
        found = describe_training(results)
        parts = [f"<b>{escape(title)}</b>", escape(found)]
        warnings = self.form.in_words(str(results.get("WARNINGS") or ""))
        parts += [f"<i>{escape(line)}</i>" for line in warnings.splitlines()]
        self._end()
        self.form.prepare_next()
        self._show_summary("<br>".join(parts))
        self.trained.emit()
        tell(self.iface, self.tr("{name} is trained: {found}.").format(name=title, found=found), SUCCESS)

    def _on_cancelled(self) -> None:
        if self._has_begun:
            self._remember_unfinished()
        kept = self.tr("Stopped; what was learnt is kept, Resume goes on.")
        sentence = kept if self._unfinished()[1] else self.tr("Cancelled before anything was learnt.")
        self._end()
        title, step = escape(title_of(self._run[1])), self.curves.curves.last_step()
        self._show_summary(self.tr("<b>{name}</b><br>stopped at step {step:.0f}").format(name=title, step=step))
        self.ui.trainStatusLabel.setText(sentence)
        tell(self.iface, sentence, INFO)

    def _on_failed(self, sentence: str) -> None:
        sentence = self.form.in_words(sentence)
        if self._run[1].get("RESUME") and not self._measured:
            save_setting(UNFINISHED, "")
        self._end()
        failed = self.tr("<b>{name}</b><br>was not trained").format(name=escape(title_of(self._run[1])))
        self._show_summary(failed)
        self.ui.trainStatusLabel.setText(sentence)
        tell(self.iface, sentence, WARNING)

    def _end(self) -> None:
        self.ui.trainChoices.setEnabled(True)
        self.ui.trainProgressBar.hide()
        self.told.emit("")
        self.update_state()

    # What came of it

    def _show_summary(self, text: str) -> None:
        self.ui.trainSummaryLabel.setText(text)
        self._show_card_button()

    def _show_card_button(self) -> None:
        listed = self._model() is not None
        for button in (self.ui.trainCardButton, self.ui.trainUseButton):
            button.setVisible(bool(self._new_model))
            button.setEnabled(listed)

    def _model(self) -> Optional[ModelEntry]:
        return next((model for model in self._models if model.name == self._new_model), None)

    def show_card(self) -> None:
        """Open the card of the new model."""
        model = self._model()
        if model is not None:
            ModelCardDialog(model, self).open()


def read_run(text: str) -> Tuple[str, Dict[str, Any]]:
    """Algorithm and parameters of a run out of a setting; empty where it holds none."""
    try:
        stored = json.loads(text or "[]")
    except ValueError:
        return "", {}
    if isinstance(stored, list) and len(stored) == 2 and isinstance(stored[0], str) and isinstance(stored[1], dict):
        return stored[0], stored[1]
    return "", {}


def title_of(parameters: Mapping[str, Any]) -> str:
    """Name of the model that a run writes."""
    return os.path.basename(str(parameters.get("SAVE") or ""))


def describe_training(results: Mapping[str, Any]) -> str:
    """One line: ``validation balanced accuracy 0.871, loss 0.23, 1200 steps, 12 min on CPU``."""
    parts = []
    for key, metric in (("VALIDATION_SCORE", "validation_balanced_accuracy"), ("VALIDATION_LOSS", "loss")):
        if isinstance(results.get(key), (int, float)):
            parts.append(f"{metric_title(metric)} {results[key]:.3g}")
    if isinstance(results.get("STEPS"), (int, float)):
        parts.append(tr("{count:.0f} steps").format(count=results["STEPS"]))
    seconds = results.get("SECONDS")
    device = device_title(results.get("DEVICE_USED"))
    if isinstance(seconds, (int, float)):
        taken = duration_text(seconds)
        parts.append(tr("{time} on {device}").format(time=taken, device=device) if device else taken)
    return ", ".join(parts)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("TrainingPage", text)
