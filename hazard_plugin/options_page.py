"""The plugin's page in QGIS's options: what new projects start with, folders, the engine, and what is logged."""

import os
from typing import Any, Callable, Dict, List, Optional

from qgis.gui import QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory, QgsSpinBox
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ..engine import protocol
from .bands_widget import select_data
from .engine_location import find_engine
from .engine_texts import device_kind
from .help_page import HelpDialog
from .icons import icon
from .settings import load_setting, save_setting

IDLE_MINUTES = 15
SHORTEST_S, LONGEST_S = 10, 600


class OptionsFactory(QgsOptionsWidgetFactory):
    """Makes the page whenever the options are opened; ``applied`` is called once something was changed."""

    def __init__(
        self, devices: Callable[[], Any], open_setup: Callable[[], None], applied: Callable[[List[str]], None]
    ) -> None:
        super().__init__("Hazard Mapper", icon())
        self._devices = devices
        self._open_setup = open_setup
        self._applied = applied

    def createWidget(self, parent: Optional[QWidget] = None) -> "OptionsPage":
        """The page, as QGIS asks for it."""
        page = OptionsPage(self._devices(), parent)
        page.setup_asked.connect(self._open_setup)
        page.applied.connect(self._applied)
        return page


class OptionsPage(QgsOptionsPageWidget):
    """Shows what is set, and keeps it when the dialog is confirmed; ``applied`` names what changed."""

    setup_asked = pyqtSignal()
    applied = pyqtSignal(list)

    def __init__(self, devices: Any = None, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("hazardOptionsPage")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        outer.addWidget(scroll)
        content = QWidget()
        scroll.setWidget(content)
        self._layout = QVBoxLayout(content)
        self._layout.setContentsMargins(0, 0, 6, 0)
        self._add_start(devices)
        self._add_folders()
        self._add_engine()
        self._layout.addStretch()
        self._add_buttons()
        self.show_values({name: load_setting(name) for name in self.values()})
        self._show_engine()
        self._show_folders()

    # Making the widgets

    def _add_start(self, devices: Any) -> None:
        form = self._add_group("startGroup", self.tr("New projects start with"))
        last = self.tr("as last used")
        known = [device for device in devices or () if isinstance(device, dict)]
        names = {str(device.get("name")): device_kind(device.get("kind") or device.get("name")) for device in known}
        self.device_combo = choice({"": last, "auto": self.tr("automatic"), **names}, "optionsDeviceComboBox")
        self.device_combo.setToolTip(self.tr("Processor to compute on; more are listed once the engine was started"))
        yes, no = self.tr("yes"), self.tr("no")
        self.probability_combo = choice({"": last, "yes": yes, "no": no}, "optionsProbabilityComboBox")
        self.probability_combo.setToolTip(self.tr("Whether a second layer, 0 to 100 %, shows how sure the model is"))
        self.adapt_combo = choice({"": last, "yes": yes, "no": no}, "optionsAdaptComboBox")
        self.adapt_combo.setToolTip(self.tr("Whether the model first learns from the scene, without labels"))
        self.budget_spin = spin("optionsBudgetSpinBox", SHORTEST_S - 10, LONGEST_S, 10, self.tr(" s"))
        self.budget_spin.setSpecialValueText(last)
        self.budget_spin.setClearValue(SHORTEST_S - 10, last)
        self.budget_spin.editingFinished.connect(self._round_budget)
        self.budget_spin.setToolTip(self.tr("Seconds that adapting may take; it ends sooner where more would not help"))
        add_row(form, self.tr("&Device"), self.device_combo)
        add_row(form, self.tr("Probability la&yer"), self.probability_combo)
        add_row(form, self.tr("Adapt to the scene &first"), self.adapt_combo)
        add_row(form, self.tr("&Time for adapting"), self.budget_spin)

    def _add_folders(self) -> None:
        form = self._add_group("foldersGroup", self.tr("Folders"))
        self.output_widget = folder("optionsOutputWidget", self.tr("Folder for masks"))
        self.output_widget.setToolTip(
            self.tr("Masks of projects that are not saved yet; those of others go beside the project file")
        )
        self.models_widget = folder("optionsModelsWidget", self.tr("Folder of your own models"))
        self.output_note, self.models_note = note("optionsOutputNote"), note("optionsModelsNote")
        add_row(form, self.tr("Mas&ks"), self.output_widget)
        form.addRow("", self.output_note)
        add_row(form, self.tr("Your own &models"), self.models_widget)
        form.addRow("", self.models_note)
        for widget in (self.output_widget, self.models_widget):
            widget.fileChanged.connect(self._show_folders)

    def _add_engine(self) -> None:
        form = self._add_group("engineGroup", self.tr("Engine"))
        self.engine_label = note("optionsEngineLabel")
        self.setup_button = QPushButton(self.tr("&Set up, repair, switch…"))
        self.setup_button.setObjectName("optionsSetupButton")
        self.setup_button.setToolTip(self.tr("Install, repair or remove the engine, or choose its folder"))
        self.setup_button.clicked.connect(self.setup_asked)
        self.python_widget = QgsFileWidget()
        self.python_widget.setObjectName("optionsPythonWidget")
        self.python_widget.setDialogTitle(self.tr("Python of the engine"))
        self.python_widget.setToolTip(self.tr("A Python that has PyTorch and GDAL, instead of the engine set up here"))
        self.idle_spin = spin("optionsIdleSpinBox", 1, 240, 5, self.tr(" min"))
        self.idle_spin.setClearValue(IDLE_MINUTES)
        self.idle_spin.setToolTip(
            self.tr("An idle engine keeps models in memory, so that the next run starts at once, and ends after this")
        )
        self.log_box = QCheckBox(self.tr("&Log everything that the engine prints"))
        self.log_box.setObjectName("optionsLogCheckBox")
        self.log_box.setToolTip(self.tr("For finding out what goes wrong; see the tab Hazard Mapper of the log panel"))
        buttons = QHBoxLayout()
        buttons.addWidget(self.setup_button)
        buttons.addStretch()
        form.addRow(self.tr("In use"), self.engine_label)
        form.addRow("", buttons)
        add_row(form, self.tr("&Python"), self.python_widget)
        add_row(form, self.tr("Ends when &idle for"), self.idle_spin)
        form.addRow("", self.log_box)

    def _add_buttons(self) -> None:
        self.reset_button = QPushButton(self.tr("&Reset"))
        self.reset_button.setObjectName("optionsResetButton")
        self.reset_button.setToolTip(self.tr("Show the usual values; they count once the options are confirmed"))
        self.reset_button.clicked.connect(lambda: self.show_values({}))
        self.help_button = QPushButton(self.tr("&Help"))
        self.help_button.setObjectName("optionsHelpButton")
        self.help_button.setToolTip(self.tr("What each of these does"))
        self.help_button.clicked.connect(lambda: HelpDialog("options", self).show())
        row = QHBoxLayout()
        for button in (self.reset_button, self.help_button):
            button.setAutoDefault(False)
            row.addWidget(button)
        row.addStretch()
        self._layout.addLayout(row)

    def _add_group(self, name: str, title: str) -> QFormLayout:
        group = QGroupBox(title)
        group.setObjectName(name)
        form = QFormLayout(group)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._layout.addWidget(group)
        return form

    # What is set

    def values(self) -> Dict[str, str]:
        """What the widgets show, under the names of the settings; empty where it is the usual."""
        budget, idle = self.budget_spin.value(), self.idle_spin.value()
        return {
            "start/device": self.device_combo.currentData(),
            "start/probability": self.probability_combo.currentData(),
            "start/adapt": self.adapt_combo.currentData(),
            "start/budget_s": str(budget) if budget >= SHORTEST_S else "",
            "output_folder": self.output_widget.filePath().strip(),
            "models_folder": self.models_widget.filePath().strip(),
            "engine_python": self.python_widget.filePath().strip(),
            "idle_minutes": str(idle) if idle != IDLE_MINUTES else "",
            "log_everything": "yes" if self.log_box.isChecked() else "",
        }

    def show_values(self, stored: Dict[str, str]) -> None:
        """Show stored values; the usual ones where nothing, or nonsense, is stored."""
        for combo, name in (
            (self.device_combo, "start/device"),
            (self.probability_combo, "start/probability"),
            (self.adapt_combo, "start/adapt"),
        ):
            wanted = stored.get(name, "")
            if combo is self.device_combo and wanted and combo.findData(wanted) < 0:
                combo.addItem(wanted, wanted)  # the engine that has it was not started yet
            combo.setCurrentIndex(0)
            select_data(combo, wanted)
        self.budget_spin.setValue(whole_number(stored.get("start/budget_s"), 0))
        self.output_widget.setFilePath(stored.get("output_folder", ""))
        self.models_widget.setFilePath(stored.get("models_folder", ""))
        self.python_widget.setFilePath(stored.get("engine_python", ""))
        self.idle_spin.setValue(whole_number(stored.get("idle_minutes"), IDLE_MINUTES))
        self.log_box.setChecked(bool(stored.get("log_everything")))

    def apply(self) -> None:
        """Keep what is shown; a folder that cannot be used stays as it was, which the page said."""
        kept = [name for name, text in self.values().items() if text != load_setting(name)]
        kept = [name for name in kept if not (name in ("output_folder", "models_folder") and self.trouble(name))]
        for name in kept:
            save_setting(name, self.values()[name])
        if kept:
            self.applied.emit(kept)

    def _round_budget(self) -> None:
        if 0 < self.budget_spin.value() < SHORTEST_S:
            self.budget_spin.setValue(SHORTEST_S)

    def trouble(self, name: str) -> str:
        """Why a folder cannot be used; empty if it can."""
        path = self.values()[name]
        if not path:
            return ""
        if not os.path.isdir(path):
            return self.tr("This folder does not exist; choose another.")
        if not os.access(path, os.W_OK | os.X_OK):
            return self.tr("This folder cannot be written to; choose another.")
        return ""

    def _show_folders(self, *_: Any) -> None:
        named = os.environ.get("HAZARD_MODELS", "")
        usual = self.tr("Empty: you are asked once, when it is needed")
        self.output_note.setText(self.trouble("output_folder") or usual)
        text = self.tr("The variable HAZARD_MODELS names {path}; unset it to choose another folder here.")
        usual = self.tr("Empty: the usual folder, which the command line uses too")
        self.models_note.setText(text.format(path=named) if named else self.trouble("models_folder") or usual)
        self.models_widget.setEnabled(not named)
        self.models_widget.setToolTip(
            self.models_note.text() if named else self.tr("Where trained, adapted and imported models are kept")
        )

    def _show_engine(self) -> None:
        try:
            text = find_engine().python
        except protocol.HazardError as error:
            text = str(error)
        self.engine_label.setText(text)


def take_options(dock: Any, changed: List[str]) -> None:
    """Have the dock follow options that were changed."""
    start = any(name.startswith("start/") for name in changed)
    if start and not dock.queue.is_running and not dock.choices_touched:
        dock.load_choices()
    python = load_setting("engine_python")
    if "engine_python" in changed and dock.ui.engineWidget.filePath() != python:
        dock.ui.engineWidget.setFilePath(python)  # the dock takes it from there
    elif "models_folder" in changed:
        dock.pages.models_wanted.emit()
    dock.update_state()


def choice(entries: Dict[str, str], name: str) -> QComboBox:
    """A list of texts with what they stand for."""
    combo = QComboBox()
    combo.setObjectName(name)
    for data, text in entries.items():
        combo.addItem(text, data)
    return combo


def spin(name: str, least: int, most: int, step: int, suffix: str) -> QgsSpinBox:
    """A whole number with a unit."""
    box = QgsSpinBox()
    box.setObjectName(name)
    box.setRange(least, most)
    box.setSingleStep(step)
    box.setSuffix(suffix)
    return box


def folder(name: str, title: str) -> QgsFileWidget:
    """A folder to be chosen."""
    widget = QgsFileWidget()
    widget.setObjectName(name)
    widget.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
    widget.setDialogTitle(title)
    return widget


def note(name: str) -> QLabel:
    """A line below a field."""
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return label


def add_row(form: QFormLayout, text: str, field: QWidget) -> None:
    """A labelled field that its underlined letter leads to."""
    label = QLabel(text)
    label.setBuddy(field)
    form.addRow(label, field)


def whole_number(text: Optional[str], otherwise: int) -> int:
    """A stored number, or another where none is."""
    return int(text) if text and text.isdigit() else otherwise
