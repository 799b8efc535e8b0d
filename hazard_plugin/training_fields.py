"""Controls of the training page and the parameters they stand for: how a run's choices are shown again."""

from typing import Any, Mapping

from .bands_widget import select_data

PARAMETERS = {
    "trainHazardComboBox": "HAZARD",
    "trainModelComboBox": "MODEL",
    "trainArchitectureComboBox": "ARCHITECTURE",
    "trainNameLineEdit": "SAVE",
    "trainEpochsSpinBox": "EPOCHS",
    "trainIterationsSpinBox": "ITERATIONS",
    "trainMinutesSpinBox": "MINUTES",
    "trainBatchSpinBox": "BATCH_SIZE",
    "trainRateSpinBox": "LEARNING_RATE",
    "trainReplaySpinBox": "REPLAY",
    "trainPositiveLineEdit": "POSITIVE",
    "trainIgnoreLineEdit": "IGNORE",
    "trainBandsLineEdit": "BANDS",
    "trainUnitsComboBox": "UNITS",
    "trainGsdSpinBox": "GSD_M",
    "trainBeforeBandsLineEdit": "BEFORE_BANDS",
    "trainBeforeUnitsComboBox": "BEFORE_UNITS",
    "trainEncoderLineEdit": "ENCODER",
    "trainDeviceComboBox": "DEVICE",
}
"""Controls that the engine's sentences speak of, and the parameters they stand for."""


def show_fields(ui: Any, chosen: Mapping[str, Any]) -> None:
    """Show how an earlier run was to go and how its labels and images were to be read."""
    for spin, key, factor in (
        (ui.trainEpochsSpinBox, "EPOCHS", 1),
        (ui.trainMinutesSpinBox, "MINUTES", 1),
        (ui.trainIterationsSpinBox, "ITERATIONS", 1),
        (ui.trainBatchSpinBox, "BATCH_SIZE", 1),
        (ui.trainPatienceSpinBox, "PATIENCE", 1),
        (ui.trainSeedSpinBox, "SEED", 1),
        (ui.trainReplaySpinBox, "REPLAY", 100),
    ):
        if key in chosen:
            spin.setValue(round(factor * float(chosen[key] or 0)))
    ui.trainRateSpinBox.setValue(float(chosen.get("LEARNING_RATE") or 2e-3))
    ui.trainGsdSpinBox.setValue(float(chosen.get("GSD_M") or 0))
    for combo, key in (
        (ui.trainOptimizerComboBox, "OPTIMIZER"),
        (ui.trainArchitectureComboBox, "ARCHITECTURE"),
        (ui.trainUnitsComboBox, "UNITS"),
        (ui.trainBeforeUnitsComboBox, "BEFORE_UNITS"),
    ):
        select_data(combo, chosen.get(key))
    for line, key in (
        (ui.trainPositiveLineEdit, "POSITIVE"),
        (ui.trainIgnoreLineEdit, "IGNORE"),
        (ui.trainBandsLineEdit, "BANDS"),
        (ui.trainBeforeBandsLineEdit, "BEFORE_BANDS"),
        (ui.trainEncoderLineEdit, "ENCODER"),
    ):
        line.setText(str(chosen.get(key) or ""))
    ui.trainAllBandsCheckBox.setChecked(bool(chosen.get("ALL_BANDS")))
