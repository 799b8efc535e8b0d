"""The choice of hazard, model, threshold and device in the dock, filled from what the engine offers."""

from typing import Any, Dict, List, Optional

from qgis.PyQt.QtCore import QCoreApplication, QObject, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox

from .bands_widget import select_data
from .engine_texts import device_kind
from .hazards import hazard_title
from .model_card import ModelCardDialog
from .models import ModelEntry, hazards_of, models_for, nested, read_models

INDENT = "\u2003"
"""Before the names of adapted models, which are listed below their parent: a blank as wide as the letters are high."""


class ModelChoice(QObject):
    """Rules hazard, model, threshold and device; works without an engine, with what is then known."""

    changed = pyqtSignal()
    touched = pyqtSignal()
    manage_asked = pyqtSignal()

    def __init__(self, ui: Any) -> None:
        super().__init__(ui)
        self._ui = ui
        self._wanted: Dict[str, str] = {}
        self.models: List[ModelEntry] = []
        ui.deviceComboBox.addItem(self.tr("automatic"), "auto")
        ui.thresholdSpinBox.setClearValue(0.0, self.tr("model's own"))
        ui.hazardComboBox.currentIndexChanged.connect(self._show_models)
        ui.modelComboBox.currentIndexChanged.connect(self._show_model)
        ui.modelInfoButton.clicked.connect(self.show_card)
        for combo in (ui.hazardComboBox, ui.modelComboBox, ui.deviceComboBox):
            combo.activated.connect(self._on_touched)
        ui.thresholdSpinBox.valueChanged.connect(self.touched)
        self._show_hazards()

    def hazard(self) -> str:
        """The chosen hazard."""
        return self._ui.hazardComboBox.currentData() or ""

    def model(self) -> Optional[ModelEntry]:
        """The chosen model; None while models are not known."""
        name = self._ui.modelComboBox.currentData()
        return next((model for model in self.models if model.name == name), None)

    def parameters(self) -> Dict[str, Any]:
        """HAZARD, MODEL, THRESHOLD and DEVICE of the algorithm."""
        return {
            "HAZARD": self.hazard(),
            "MODEL": self._ui.modelComboBox.currentData() or "",
            "THRESHOLD": self._ui.thresholdSpinBox.value() or None,
            "DEVICE": self._ui.deviceComboBox.currentData() or "auto",
        }

    def remembered(self) -> Dict[str, str]:
        """What to remember of the choice."""
        chosen = self.parameters()
        return {
            "hazard": chosen["HAZARD"],
            "model": chosen["MODEL"],
            "threshold": str(chosen["THRESHOLD"] or ""),
            "device": chosen["DEVICE"],
        }

    def restore(self, choices: Dict[str, str]) -> None:
        """Choose what was remembered; what the engine has not offered yet is chosen when it does."""
        self._wanted = dict(choices)
        try:
            threshold = float(choices.get("threshold") or 0.0)
        except ValueError:
            threshold = 0.0
        self._ui.thresholdSpinBox.setValue(threshold if 0.0 < threshold < 1.0 else 0.0)
        self._choose_wanted()

    def offer_models(self, listed: Any) -> None:
        """Take the engine's list of models."""
        self.models = read_models(listed)
        self._show_hazards()
        self._choose_wanted()

    def choose(self, name: str) -> None:
        """Choose a model by name, and a hazard that it knows."""
        model = next((model for model in self.models if model.name == name), None)
        if model is None:
            return
        if self.hazard() not in model.hazards:
            select_data(self._ui.hazardComboBox, model.hazards[0] if model.hazards else None)
        select_data(self._ui.modelComboBox, name)
        self._on_touched()

    def offer_devices(self, devices: Any) -> None:
        """Take the engine's list of devices."""
        list_devices(self._ui.deviceComboBox, devices, self._wanted.get("device"))

    def show_card(self) -> None:
        """Open the card of the chosen model."""
        model = self.model()
        if model is not None:
            dialog = ModelCardDialog(model, self._ui, can_manage=True)
            dialog.manage_asked.connect(self.manage_asked)
            dialog.open()

    def _choose_wanted(self) -> None:
        select_data(self._ui.hazardComboBox, self._wanted.get("hazard"))
        select_data(self._ui.modelComboBox, self._wanted.get("model"))
        select_data(self._ui.deviceComboBox, self._wanted.get("device"))

    def _on_touched(self, *_: Any) -> None:
        self._wanted = {}
        self.touched.emit()

    def _show_hazards(self) -> None:
        combo = self._ui.hazardComboBox
        chosen = combo.currentData()
        combo.blockSignals(True)
        combo.clear()
        for hazard in hazards_of(self.models):
            combo.addItem(hazard_title(hazard), hazard)
        select_data(combo, chosen)
        combo.blockSignals(False)
        self._show_models()

    def _show_models(self, *_: Any) -> None:
        combo = self._ui.modelComboBox
        chosen = combo.currentData()
        combo.blockSignals(True)
        combo.clear()
        for model, is_below in nested(models_for(self.models, self.hazard())):
            combo.addItem(f"{INDENT}{model.name}" if is_below else model.label, model.name)
            combo.setItemData(combo.count() - 1, model.tip, Qt.ItemDataRole.ToolTipRole)
        if not combo.count():
            combo.addItem(self.tr("default of the hazard"), "")
        select_data(combo, chosen)
        combo.blockSignals(False)
        self._show_model()

    def _show_model(self, *_: Any) -> None:
        model = self.model()
        button = self._ui.modelInfoButton
        button.setEnabled(model is not None)
        own = None if model is None else model.own_threshold(self.hazard())
        text = self.tr("model's own") if own is None else self.tr("model's own, {value:.2f}").format(value=own)
        spin = self._ui.thresholdSpinBox
        spin.setSpecialValueText(text)
        spin.setClearValue(0.0, text)
        self.changed.emit()


def list_devices(combo: QComboBox, devices: Any, wanted: Optional[str]) -> None:
    """List the engine's devices; keeps the choice unless another one is wanted."""
    chosen = combo.currentData()
    combo.clear()
    known = [device for device in devices or () if isinstance(device, dict)]
    default = next((device_kind(d.get("kind")) for d in known if d.get("default")), "")
    combo.addItem(tr("automatic ({device})").format(device=default) if default else tr("automatic"), "auto")
    for device in known:
        combo.addItem(device_kind(device.get("kind") or device.get("name")), str(device.get("name")))
    select_data(combo, wanted or chosen)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("ModelChoice", text)
