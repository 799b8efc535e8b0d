"""The choices of the training page: shows those that matter, says what is missing, gives the algorithm's parameters."""

import os
import re
from typing import Any, Dict, List, Mapping, Set, Tuple

from qgis.gui import QgsCollapsibleGroupBox
from qgis.PyQt.QtCore import QObject, QRegularExpression, pyqtSignal
from qgis.PyQt.QtGui import QRegularExpressionValidator
from qgis.PyQt.QtWidgets import QFormLayout, QLabel, QWidget

from ..engine import protocol
from .bands_widget import select_data
from .engine_texts import units_title
from .hazards import hazard_title
from .model_choice import list_devices
from .models import ModelEntry, models_for

TRAIN, PRETRAIN = "hazardmapper:trainhazard", "hazardmapper:pretrainmodel"
SIMULATED, FOLDER = protocol.SIMULATED, "folder"
NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
"""What can name a model or a hazard."""

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
    "trainPositiveLineEdit": "POSITIVE",
    "trainIgnoreLineEdit": "IGNORE",
    "trainBandsLineEdit": "BANDS",
    "trainUnitsComboBox": "UNITS",
    "trainEncoderLineEdit": "ENCODER",
    "trainDeviceComboBox": "DEVICE",
}
"""Controls that the engine's sentences speak of, and the parameters they stand for."""

ARCHITECTURE_TITLES = {
    "unet": "U-Net",
    "unetplusplus": "U-Net++",
    "attention_unet": "Attention U-Net",
    "residual_unet": "Residual U-Net",
}


class TrainingForm(QObject):
    """Rules the widgets of the training page above its button."""

    changed = pyqtSignal()

    def __init__(self, ui: Any) -> None:
        super().__init__(ui)
        self._ui = ui
        self._models: List[ModelEntry] = []
        self._name_is_own = False
        self._wanted: Dict[str, Any] = {}
        self._rows = [(form, rows_of(form)) for form in (ui.trainForm, ui.trainAdvancedForm)]
        self._hidden: Set[QWidget] = set()
        self._store = QWidget(ui)
        self._store.hide()
        self._fill()
        self._connect()
        self._show()

    def _fill(self) -> None:
        ui = self._ui
        for combo, entries in (
            (ui.trainTaskComboBox, {TRAIN: self.tr("Train hazards"), PRETRAIN: self.tr("Pre-train")}),
            (ui.trainDataComboBox, {SIMULATED: self.tr("Simulated scenes"), FOLDER: self.tr("Folder of my own")}),
            (ui.trainArchitectureComboBox, ARCHITECTURE_TITLES),
            (ui.trainOptimizerComboBox, {"adamw": "AdamW", "adam": "Adam"}),
            (ui.trainUnitsComboBox, {"": self.tr("found out"), **{unit: units_title(unit) for unit in protocol.UNITS}}),
        ):
            for data, text in entries.items():
                combo.addItem(text, data)
        for hazard in protocol.HAZARDS:
            ui.trainHazardComboBox.addItem(hazard_title(hazard), hazard)
        ui.trainDeviceComboBox.addItem(self.tr("automatic"), "auto")
        ui.trainFolderWidget.setStorageMode(ui.trainFolderWidget.StorageMode.GetDirectory)
        ui.trainFolderWidget.setDialogTitle(self.tr("Folder of training data"))
        ui.trainFolderWidget.setMinimumWidth(60)
        ui.trainNameLineEdit.setValidator(QRegularExpressionValidator(QRegularExpression(NAME), ui))
        self._list_models()

    def _connect(self) -> None:
        ui = self._ui
        for name in ("Task", "Data", "Hazard", "Model", "Architecture"):
            getattr(ui, f"train{name}ComboBox").currentIndexChanged.connect(self._show)
        ui.trainHazardComboBox.editTextChanged.connect(self._show)
        ui.trainAdvancedGroup.collapsedStateChanged.connect(self._arrange)
        ui.trainFolderWidget.fileChanged.connect(self.changed)
        ui.trainNameLineEdit.textEdited.connect(self._on_name_edited)
        for name in ("Positive", "Ignore", "Bands"):
            getattr(ui, f"train{name}LineEdit").textChanged.connect(self.changed)
        for name in ("Overwrite", "Resume"):
            getattr(ui, f"train{name}CheckBox").toggled.connect(self.changed)

    # What is chosen

    @property
    def algorithm(self) -> str:
        """Id of the algorithm that the chosen task runs."""
        return str(self._ui.trainTaskComboBox.currentData())

    @property
    def name(self) -> str:
        """Name of the model to write."""
        return str(self._ui.trainNameLineEdit.text().strip())

    def _is_training(self) -> bool:
        return self.algorithm == TRAIN

    def _has_folder(self) -> bool:
        return self._ui.trainDataComboBox.currentData() == FOLDER

    def _from_scratch(self) -> bool:
        return not self._is_training() or not self._ui.trainModelComboBox.currentData()

    def _folder(self) -> str:
        return str(self._ui.trainFolderWidget.filePath().strip())

    def hazards(self) -> List[str]:
        """Names of the hazards that the labels show: entries of the list by their own name, others as typed."""
        known = {hazard_title(hazard).lower(): hazard for hazard in protocol.HAZARDS}
        typed = [part.strip() for part in self._ui.trainHazardComboBox.currentText().split(",") if part.strip()]
        return [known.get(part.lower(), part.lower().replace(" ", "_")) for part in typed]

    def reason(self) -> str:
        """Why the run cannot start; empty if it can."""
        if self._has_folder() and not os.path.isdir(self._folder()):
            return (
                self.tr("The folder '{folder}' does not exist; choose another.").format(folder=self._folder())
                if self._folder()
                else self.tr("Choose the folder of training data.")
            )
        if self._is_training() and self._has_folder():
            wrong = [hazard for hazard in self.hazards() if not re.fullmatch(NAME, hazard)]
            if not self.hazards() or wrong:
                return self.tr("Name the hazard that the labels show, with letters, digits, - and _.")
            try:
                protocol.TrainJob(data="folder", save="model", **self._label_fields())
            except protocol.BadInput as error:
                return str(error)
        return self._reason_of_name()

    def _label_fields(self) -> Dict[str, Any]:
        ui = self._ui
        bands = ui.trainBandsLineEdit.text().strip()
        return {
            "positive": protocol.parse_codes(ui.trainPositiveLineEdit.text() or "1"),
            "ignore": protocol.parse_codes(ui.trainIgnoreLineEdit.text() or "255"),
            "bands": protocol.parse_bands(bands) if bands else None,
        }

    def _reason_of_name(self) -> str:
        if not self.name:
            return self.tr("Name the model to write.")
        taken = next((model for model in self._models if model.name == self.name), None)
        if taken is None:
            return ""
        if taken.card.get("bundled"):
            return self.tr("'{name}' comes with Hazard Mapper; choose another name.").format(name=self.name)
        if not (self._ui.trainOverwriteCheckBox.isChecked() or self._ui.trainResumeCheckBox.isChecked()):
            sentence = self.tr("A model '{name}' exists; choose another name, or replace it under Advanced.")
            return sentence.format(name=self.name)
        return ""

    def parameters(self) -> Dict[str, Any]:
        """Parameters of the algorithm; what was left to the engine is None or empty."""
        ui = self._ui
        chosen: Dict[str, Any] = {
            "DATA": self._folder() if self._has_folder() else "",
            "SAVE": self.name,
            "EPOCHS": ui.trainEpochsSpinBox.value() or None,
            "MINUTES": ui.trainMinutesSpinBox.value() or None,
            "ITERATIONS": ui.trainIterationsSpinBox.value() or None,
            "BATCH_SIZE": ui.trainBatchSpinBox.value(),
            "LEARNING_RATE": ui.trainRateSpinBox.value(),
            "OPTIMIZER": ui.trainOptimizerComboBox.currentData(),
            "PATIENCE": ui.trainPatienceSpinBox.value(),
            "SEED": ui.trainSeedSpinBox.value(),
            "ALL_BANDS": ui.trainAllBandsCheckBox.isChecked(),
            "DEVICE": ui.trainDeviceComboBox.currentData() or "auto",
            "OVERWRITE": ui.trainOverwriteCheckBox.isChecked(),
            "RESUME": ui.trainResumeCheckBox.isChecked(),
        }
        if self._from_scratch():
            chosen["ARCHITECTURE"] = ui.trainArchitectureComboBox.currentData()
            chosen["ENCODER"] = ui.trainEncoderLineEdit.text().strip()
        if self._is_training():
            chosen["MODEL"] = ui.trainModelComboBox.currentData() or ""
        if self._is_training() and self._has_folder():
            chosen["HAZARD"] = ",".join(self.hazards())
            chosen["POSITIVE"] = ui.trainPositiveLineEdit.text().strip() or "1"
            chosen["IGNORE"] = ui.trainIgnoreLineEdit.text().strip() or "255"
            chosen["BANDS"] = ui.trainBandsLineEdit.text().strip()
            chosen["UNITS"] = ui.trainUnitsComboBox.currentData()
            chosen["GSD_M"] = ui.trainGsdSpinBox.value() or None
            chosen["REPLAY"] = ui.trainReplaySpinBox.value() / 100
        return chosen

    def restore(self, algorithm: str, chosen: Mapping[str, Any]) -> None:
        """Show the choices of an earlier run; models and devices not offered yet are chosen when they are."""
        ui = self._ui
        self._wanted = dict(chosen)
        folder = str(chosen.get("DATA") or "")
        select_data(ui.trainTaskComboBox, algorithm)
        select_data(ui.trainDataComboBox, FOLDER if folder else SIMULATED)
        ui.trainFolderWidget.setFilePath(folder)
        ui.trainHazardComboBox.setEditText(
            ", ".join(hazard_title(part) for part in protocol.parse_names(str(chosen.get("HAZARD") or "flood")))
        )
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
        ):
            select_data(combo, chosen.get(key))
        for line, key in (
            (ui.trainPositiveLineEdit, "POSITIVE"),
            (ui.trainIgnoreLineEdit, "IGNORE"),
            (ui.trainBandsLineEdit, "BANDS"),
            (ui.trainEncoderLineEdit, "ENCODER"),
        ):
            line.setText(str(chosen.get(key) or ""))
        ui.trainAllBandsCheckBox.setChecked(bool(chosen.get("ALL_BANDS")))
        self._choose_wanted()
        self._show()

    def restore_name(self, name: str) -> None:
        """Show a name that is not to be replaced by a proposal."""
        self._name_is_own = True
        self._ui.trainNameLineEdit.setText(name)
        self.changed.emit()

    def prepare_next(self) -> None:
        """After a model was written: propose a name that no model has, until the user types one, and begin anew."""
        self._name_is_own = False
        self._ui.trainOverwriteCheckBox.setChecked(False)
        self._ui.trainResumeCheckBox.setChecked(False)
        self._show()

    def in_words(self, sentence: str) -> str:
        """An algorithm's sentence with the names of controls in place of those of its parameters."""
        ui = self._ui
        titles = {
            "RESUME": f"'{ui.trainResumeCheckBox.text()}'",
            "OVERWRITE": f"'{ui.trainOverwriteCheckBox.text()}'",
            "ALL_BANDS": f"'{ui.trainAllBandsCheckBox.text()}'",
            "DATA": self.tr("other data"),
            **{
                name: label.text().replace("&", "")
                for _, rows in self._rows
                for label, field in rows
                if (name := PARAMETERS.get(field.objectName()))
            },
        }
        return re.sub("[A-Z][A-Z_]{3,}", lambda name: titles.get(name.group(), name.group()), sentence)

    # What the engine offers

    def offer_models(self, models: List[ModelEntry]) -> None:
        """Take the models that can be started from, and the names that are taken."""
        self._models = models
        self._list_models()
        self._choose_wanted()
        self._show()

    def offer_devices(self, devices: Any) -> None:
        """Take the engine's list of devices."""
        list_devices(self._ui.trainDeviceComboBox, devices, self._wanted.get("DEVICE"))

    def _list_models(self) -> None:
        combo = self._ui.trainModelComboBox
        chosen = combo.currentData()
        combo.blockSignals(True)
        combo.clear()
        ranked = models_for(self._models, protocol.HAZARDS[0])
        for model in [*ranked, *(model for model in self._models if model not in ranked)]:
            combo.addItem(model.title, model.name)
        combo.addItem(self.tr("nothing (from scratch)"), "")
        if not (chosen and select_data(combo, chosen)):
            combo.setCurrentIndex(0)
        combo.blockSignals(False)

    def _choose_wanted(self) -> None:
        if "MODEL" in self._wanted:
            select_data(self._ui.trainModelComboBox, self._wanted["MODEL"])
        select_data(self._ui.trainDeviceComboBox, self._wanted.get("DEVICE"))

    # What shows

    def _on_name_edited(self, text: str) -> None:
        self._name_is_own = bool(text)
        self.changed.emit()

    def _show(self, *_: Any) -> None:
        training, folder = self._is_training(), self._has_folder()
        own_labels = training and folder
        ui = self._ui
        wanted = {
            ui.trainFolderWidget: folder,
            ui.trainHazardComboBox: own_labels,
            ui.trainModelComboBox: training,
            ui.trainArchitectureComboBox: self._from_scratch(),
            ui.trainEncoderLineEdit: self._from_scratch(),
            ui.trainReplaySpinBox: own_labels,
            ui.trainPositiveLineEdit: own_labels,
            ui.trainIgnoreLineEdit: own_labels,
            ui.trainBandsLineEdit: own_labels,
            ui.trainUnitsComboBox: own_labels,
            ui.trainGsdSpinBox: own_labels,
        }
        hidden = {field for field, shown in wanted.items() if not shown}
        if hidden != self._hidden:
            self._hidden = hidden
            self._arrange()
        ui.trainDataNote.setText(self._note(training, folder))
        if not self._name_is_own:
            ui.trainNameLineEdit.setText(self._free_name())
        self.changed.emit()

    def _arrange(self, *_: Any) -> None:
        for form, rows in self._rows:
            show_rows(form, rows, self._hidden, self._store)

    def _note(self, training: bool, folder: bool) -> str:
        if not folder:
            return self.tr("Floods, landslides and glacier collapses, simulated as the run goes on.")
        if training:
            return self.tr("Images and label rasters in pairs, Sen1Floods11, or Landslide4Sense.")
        return self.tr("BigEarthNet v2 or v1 as downloaded and unpacked.")

    def _free_name(self) -> str:
        if not self._is_training():
            stem = f"pretrained_{self._ui.trainArchitectureComboBox.currentData()}"
        elif self._has_folder():
            wanted = "_".join(self.hazards())
            stem = f"my_{wanted}" if re.fullmatch(NAME, wanted) else "my_model"
        else:
            stem = "my_model"
        taken = {model.name for model in self._models}
        names = (stem[:60] if number == 1 else f"{stem[:60]}_{number}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)


def rows_of(form: QFormLayout) -> List[Tuple[QLabel, QWidget]]:
    """Labels and fields of a form, from top to bottom; rows without a label are left out."""
    roles = (QFormLayout.ItemRole.LabelRole, QFormLayout.ItemRole.FieldRole)
    items = [[form.itemAt(row, role) for role in roles] for row in range(form.rowCount())]
    return [(label.widget(), field.widget()) for label, field in items if label is not None and field is not None]


def show_rows(form: QFormLayout, rows: List[Tuple[QLabel, QWidget]], hidden: Set[QWidget], store: QWidget) -> None:
    """Lay out the rows that are not hidden, in their order, above those without a label.

    Hidden ones go to ``store``, which is never seen: in the form they would leave a gap, and a group that unfolds would
    show them.
    """
    home = form.parentWidget()
    folded = isinstance(home, QgsCollapsibleGroupBox) and home.isCollapsed()
    for label, field in rows:
        if form.indexOf(field) >= 0:
            form.takeRow(field)
        label.setParent(store)
        field.setParent(store)
    for index, (label, field) in enumerate(row for row in rows if row[1] not in hidden):
        form.insertRow(index, label, field)
        label.setVisible(not folded)
        field.setVisible(not folded)
