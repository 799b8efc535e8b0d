"""The choices of the training page: shows those that matter, says what is missing, gives the algorithm's parameters."""

import os
import re
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from qgis.PyQt.QtCore import QObject, QRegularExpression, Qt, pyqtSignal
from qgis.PyQt.QtGui import QRegularExpressionValidator
from qgis.PyQt.QtWidgets import QWidget

from ..engine import protocol
from .bands_widget import select_data
from .engine_texts import units_title
from .form_rows import rows_of, show_rows
from .hazards import hazard_title
from .model_choice import list_devices
from .models import ModelEntry, models_for
from .training_fields import PARAMETERS, show_fields

TRAIN, PRETRAIN = "hazardmapper:trainhazard", "hazardmapper:pretrainmodel"
COMPARE = "compare"
"""The task that teaches what is new between two dates; its algorithm is that of training."""
SIMULATED, FOLDER = protocol.SIMULATED, "folder"
NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
"""What can name a model or a hazard."""

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
        self._tips = {widget: (widget.toolTip(), tip) for widget, tip in self._tips_of_comparing()}
        self._fill()
        self._connect()
        self._show()

    def _fill(self) -> None:
        ui = self._ui
        tasks = {
            TRAIN: self.tr("Train hazards"),
            COMPARE: self.tr("Compare two dates"),
            PRETRAIN: self.tr("Pre-train"),
        }
        units = {"": self.tr("found out"), **{unit: units_title(unit) for unit in protocol.UNITS}}
        for combo, entries in (
            (ui.trainTaskComboBox, tasks),
            (ui.trainDataComboBox, {SIMULATED: self.tr("Simulated scenes"), FOLDER: self.tr("Folder of my own")}),
            (ui.trainArchitectureComboBox, ARCHITECTURE_TITLES),
            (ui.trainOptimizerComboBox, {"adamw": "AdamW", "adam": "Adam"}),
            (ui.trainUnitsComboBox, units),
            (ui.trainBeforeUnitsComboBox, units),
        ):
            for data, text in entries.items():
                combo.addItem(text, data)
        tip = self.tr("Teach a trained model to tell what is new since a scene from before")
        ui.trainTaskComboBox.setItemData(ui.trainTaskComboBox.findData(COMPARE), tip, Qt.ItemDataRole.ToolTipRole)
        for hazard in protocol.HAZARDS:
            ui.trainHazardComboBox.addItem(hazard_title(hazard), hazard)
        ui.trainDeviceComboBox.addItem(self.tr("automatic"), "auto")
        ui.trainFolderWidget.setStorageMode(ui.trainFolderWidget.StorageMode.GetDirectory)
        ui.trainFolderWidget.setDialogTitle(self.tr("Folder of training data"))
        ui.trainFolderWidget.setMinimumWidth(60)
        ui.trainNameLineEdit.setValidator(QRegularExpressionValidator(QRegularExpression(NAME), ui))
        self._list_models()

    def _tips_of_comparing(self) -> List[Tuple[QWidget, str]]:
        """Controls that mean something else where two dates are compared, and what."""
        ui = self._ui
        return [
            (
                ui.trainHazardComboBox,
                self.tr("Hazards of the model that the labels show where they are new, separated by commas"),
            ),
            (
                ui.trainModelComboBox,
                self.tr(
                    "Trained model that is to compare; it answers single scenes as before. Several are taught together "
                    "by Train hazard in the toolbox (ALSO)"
                ),
            ),
            (ui.trainAllBandsCheckBox, self.tr("Not for comparing two dates, which leaves the model itself as it is")),
        ]

    def _connect(self) -> None:
        ui = self._ui
        ui.trainTaskComboBox.currentIndexChanged.connect(self._on_task)
        for name in ("Data", "Hazard", "Model", "Architecture"):
            getattr(ui, f"train{name}ComboBox").currentIndexChanged.connect(self._show)
        ui.trainHazardComboBox.editTextChanged.connect(self._show)
        ui.trainAdvancedGroup.collapsedStateChanged.connect(self._arrange)
        ui.trainFolderWidget.fileChanged.connect(self.changed)
        ui.trainNameLineEdit.textEdited.connect(self._on_name_edited)
        for name in ("Positive", "Ignore", "Bands", "BeforeBands"):
            getattr(ui, f"train{name}LineEdit").textChanged.connect(self.changed)
        for name in ("Overwrite", "Resume"):
            getattr(ui, f"train{name}CheckBox").toggled.connect(self.changed)

    # What is chosen

    @property
    def algorithm(self) -> str:
        """Id of the algorithm that the chosen task runs."""
        return TRAIN if self._is_comparing() else str(self._ui.trainTaskComboBox.currentData())

    @property
    def name(self) -> str:
        """Name of the model to write."""
        return str(self._ui.trainNameLineEdit.text().strip())

    def _is_training(self) -> bool:
        return self.algorithm == TRAIN

    def _is_comparing(self) -> bool:
        return bool(self._ui.trainTaskComboBox.currentData() == COMPARE)

    def _has_folder(self) -> bool:
        return self._ui.trainDataComboBox.currentData() == FOLDER

    def _from_scratch(self) -> bool:
        return not self._is_training() or not (self._is_comparing() or self._ui.trainModelComboBox.currentData())

    def _start(self) -> Optional[ModelEntry]:
        chosen = self._ui.trainModelComboBox.currentData()
        return next((model for model in self._models if model.name == chosen), None)

    def _folder(self) -> str:
        return str(self._ui.trainFolderWidget.filePath().strip())

    def hazards(self) -> List[str]:
        """Names of the hazards that the labels show: entries of the list by their own name, others as typed."""
        known = {hazard_title(hazard).lower(): hazard for hazard in protocol.HAZARDS}
        typed = [part.strip() for part in self._ui.trainHazardComboBox.currentText().split(",") if part.strip()]
        return [known.get(part.lower(), part.lower().replace(" ", "_")) for part in typed]

    def reason(self) -> str:
        """Why the run cannot start; empty if it can."""
        comparing = self._is_comparing()
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
                protocol.TrainJob("folder", "model", model="start", before=comparing, **self._label_fields())
            except protocol.BadInput as error:
                return str(error)
        return (self._reason_of_start() if comparing else "") or self._reason_of_name()

    def _reason_of_start(self) -> str:
        """Why the chosen model cannot be taught to compare; empty if it can."""
        start = self._start()
        if start is None:
            return self.tr("Choose a trained model to start from.")
        untold = [name for name in self.hazards() if name not in start.hazards] if self._has_folder() else []
        if not untold:
            return ""
        sentence = self.tr("{model} does not tell {hazard}; train it on single scenes first, or choose another model.")
        return sentence.format(model=start.title, hazard=hazard_title(untold[0]))

    def _label_fields(self) -> Dict[str, Any]:
        ui = self._ui
        lines = {"bands": ui.trainBandsLineEdit}
        if self._is_comparing():
            lines["before_bands"] = ui.trainBeforeBandsLineEdit
        typed = {name: line.text().strip() for name, line in lines.items()}
        return {
            "positive": protocol.parse_codes(ui.trainPositiveLineEdit.text() or "1"),
            "ignore": protocol.parse_codes(ui.trainIgnoreLineEdit.text() or "255"),
            **{name: protocol.parse_bands(bands) for name, bands in typed.items() if bands},
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
            "ALL_BANDS": ui.trainAllBandsCheckBox.isChecked() and not self._is_comparing(),
            "DEVICE": ui.trainDeviceComboBox.currentData() or "auto",
            "OVERWRITE": ui.trainOverwriteCheckBox.isChecked(),
            "RESUME": ui.trainResumeCheckBox.isChecked(),
        }
        if self._from_scratch():
            chosen["ARCHITECTURE"] = ui.trainArchitectureComboBox.currentData()
            chosen["ENCODER"] = ui.trainEncoderLineEdit.text().strip()
        if self._is_training():
            chosen["MODEL"] = ui.trainModelComboBox.currentData() or ""
            chosen["BEFORE"] = self._is_comparing()
        if self._is_training() and self._has_folder():
            chosen["HAZARD"] = ",".join(self.hazards())
            chosen["POSITIVE"] = ui.trainPositiveLineEdit.text().strip() or "1"
            chosen["IGNORE"] = ui.trainIgnoreLineEdit.text().strip() or "255"
            chosen["BANDS"] = ui.trainBandsLineEdit.text().strip()
            chosen["UNITS"] = ui.trainUnitsComboBox.currentData()
            chosen["GSD_M"] = ui.trainGsdSpinBox.value() or None
            chosen["REPLAY"] = ui.trainReplaySpinBox.value() / 100
            if self._is_comparing():
                chosen["BEFORE_BANDS"] = ui.trainBeforeBandsLineEdit.text().strip()
                chosen["BEFORE_UNITS"] = ui.trainBeforeUnitsComboBox.currentData()
        return chosen

    def restore(self, algorithm: str, chosen: Mapping[str, Any]) -> None:
        """Show the choices of an earlier run; models and devices not offered yet are chosen when they are."""
        ui = self._ui
        self._wanted = dict(chosen)
        folder = str(chosen.get("DATA") or "")
        select_data(ui.trainTaskComboBox, COMPARE if chosen.get("BEFORE") else algorithm)
        select_data(ui.trainDataComboBox, FOLDER if folder else SIMULATED)
        ui.trainFolderWidget.setFilePath(folder)
        ui.trainHazardComboBox.setEditText(
            ", ".join(hazard_title(part) for part in protocol.parse_names(str(chosen.get("HAZARD") or "flood")))
        )
        show_fields(ui, chosen)
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
            "BEFORE": f"'{ui.trainTaskComboBox.itemText(ui.trainTaskComboBox.findData(COMPARE))}'",
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
        comparing = self._is_comparing()
        ranked = models_for(self._models, protocol.HAZARDS[0])
        for model in [*ranked, *(model for model in self._models if model not in ranked)]:
            if model.is_trained or not comparing:
                combo.addItem(model.title, model.name)
        if not comparing:
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

    def _on_task(self, *_: Any) -> None:
        self._list_models()
        self._show()

    def _show(self, *_: Any) -> None:
        training, folder, comparing = self._is_training(), self._has_folder(), self._is_comparing()
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
            ui.trainBeforeBandsLineEdit: own_labels and comparing,
            ui.trainBeforeUnitsComboBox: own_labels and comparing,
        }
        hidden = {field for field, shown in wanted.items() if not shown}
        if hidden != self._hidden:
            self._hidden = hidden
            self._arrange()
        simulated = self.tr("Simulated pairs") if comparing else self.tr("Simulated scenes")
        ui.trainDataComboBox.setItemText(ui.trainDataComboBox.findData(SIMULATED), simulated)
        ui.trainAllBandsCheckBox.setEnabled(not comparing)
        for widget, (usual, compared) in self._tips.items():
            widget.setToolTip(compared if comparing else usual)
        ui.trainDataNote.setText(self._note(training, folder))
        if not self._name_is_own:
            ui.trainNameLineEdit.setText(self._free_name())
        self.changed.emit()

    def _arrange(self, *_: Any) -> None:
        for form, rows in self._rows:
            show_rows(form, rows, self._hidden, self._store)

    def _note(self, training: bool, folder: bool) -> str:
        if self._is_comparing():
            if folder:
                return self.tr("images/, labels/ and before/ with files of one name; labels show what is new.")
            return self.tr("What is new between two dates, simulated as the run goes on.")
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
            stem += "_pairs" if self._is_comparing() else ""
        elif self._is_comparing():
            stem = "my_pairs"
        else:
            stem = "my_model"
        taken = {model.name for model in self._models}
        names = (stem[:60] if number == 1 else f"{stem[:60]}_{number}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)
