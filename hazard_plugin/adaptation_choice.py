"""The choice of adapting to the scene first: on or off, time budget, what is known of the scene, and how."""

import json
from typing import Any, Dict, Mapping, Optional

from qgis.core import QgsRasterLayer
from qgis.gui import QgsDoubleSpinBox
from qgis.PyQt.QtCore import QObject, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QCheckBox, QFormLayout, QLabel, QLineEdit, QSizePolicy, QSpinBox, QWidget

from ..engine import protocol
from .adaptation_modes import mode_help, mode_title
from .adaptation_report import known_text
from .bands_widget import narrow_combo, select_data
from .help_page import HelpDialog
from .layer_date import layer_date
from .link_keys import mend_link
from .models import ModelEntry

DEFAULT_BUDGET_S = 60
CHARACTERISTICS = ("LONGITUDE", "LATITUDE", "DATE")


class AdaptationChoice(QObject):
    """Rules the check box, its time budget, and the folded group *Adaptation*; what is not touched is not sent."""

    touched = pyqtSignal()
    bands_asked = pyqtSignal()

    def __init__(self, ui: Any) -> None:
        super().__init__(ui)
        self._ui = ui
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        ui.adaptationLayout.addLayout(form)
        self.compare_box = QCheckBox(self.tr("Compare with the source model"))
        self.compare_box.setObjectName("compareCheckBox")
        self.compare_box.setToolTip(
            self.tr("Also add the mask and probability before adapting, and the change in percentage points")
        )
        form.addRow(self.compare_box)
        self.name_edit = line_edit("adaptNameLineEdit", self.tr("Letters, digits, - and _; an adapted model is saved"))
        self.name_edit.setPlaceholderText(self.tr("automatic"))
        self.place_edits = {
            "LONGITUDE": line_edit(
                "longitudeLineEdit", self.tr("Degrees east; type only where what is shown is wrong")
            ),
            "LATITUDE": line_edit("latitudeLineEdit", self.tr("Degrees north; type only where what is shown is wrong")),
            "DATE": line_edit("dateLineEdit", self.tr("Year, month and day, as in 2024-09-16; may stay unknown")),
        }
        tip = self.tr("Correct the sensor under Bands and units; the link opens it")
        self.sensor_label = link_label("adaptSensorLabel", tip)
        self.help_label = link_label("adaptHelpLabel", self.tr("What adapting does, and what its verdicts mean"))
        self.help_label.setText(f"<a href='help'>{self.tr('How adapting works')}</a>")
        self.mode_combo = narrow_combo("adaptModeComboBox", "")
        for mode in protocol.ADAPTATION_MODES:
            self.mode_combo.addItem(mode_title(mode), mode)
            tip = sentence(mode_help(mode))
            self.mode_combo.setItemData(self.mode_combo.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.weights = {
            "LAMBDA": weight_box(
                "adaptLambdaSpinBox", 0.1, self.tr("Weight of telling natural from artificial ground")
            ),
            "MU": weight_box("adaptMuSpinBox", 0.02, self.tr("Weight of place, day and sensor of the scene")),
        }
        self.steps_spin = whole_box("adaptStepsSpinBox", self.tr("Gradient steps; a given number can be repeated"))
        self.steps_spin.setSpecialValueText(self.tr("as time allows"))
        self.seed_spin = whole_box("adaptSeedSpinBox", self.tr("Same seed, steps and windows: same model on a CPU"))
        for text, field in (
            (self.tr("Save as"), self.name_edit),
            (self.tr("Longitude"), self.place_edits["LONGITUDE"]),
            (self.tr("Latitude"), self.place_edits["LATITUDE"]),
            (self.tr("Day"), self.place_edits["DATE"]),
            (self.tr("Sensor"), self.sensor_label),
            (self.tr("Mode"), self.mode_combo),
            (self.tr("Lambda"), self.weights["LAMBDA"]),
            (self.tr("Mu"), self.weights["MU"]),
            (self.tr("Steps"), self.steps_spin),
            (self.tr("Seed"), self.seed_spin),
        ):
            label = QLabel(text)
            label.setBuddy(field)
            form.addRow(label, field)
        form.addRow(self.help_label)
        self._order_tabs()
        self._connect()
        self.show_found({})
        self._show_mode()

    def _order_tabs(self) -> None:
        """Visit the fields from top to bottom, right after the group's own arrow."""
        fields = [self._ui.adaptationGroup, self.compare_box, self.name_edit, *self.place_edits.values()]
        fields += [
            self.sensor_label,
            self.mode_combo,
            *self.weights.values(),
            self.steps_spin,
            self.seed_spin,
            self.help_label,
        ]
        for index, field in enumerate(fields[1:]):
            QWidget.setTabOrder(fields[index], field)

    def _connect(self) -> None:
        ui = self._ui
        ui.adaptCheckBox.toggled.connect(self._show_state)
        for signal in (
            ui.adaptCheckBox.clicked,
            ui.adaptBudgetSpinBox.valueChanged,
            self.compare_box.clicked,
            self.mode_combo.activated,
            self.steps_spin.valueChanged,
            self.seed_spin.valueChanged,
            *(box.valueChanged for box in self.weights.values()),
        ):
            signal.connect(self._on_touched)
        self.mode_combo.currentIndexChanged.connect(self._show_mode)
        self.sensor_label.linkActivated.connect(lambda _link: self.bands_asked.emit())
        self.help_label.linkActivated.connect(lambda _link: HelpDialog("adapting", ui).open())

    # State

    @property
    def is_wanted(self) -> bool:
        """Whether the next run adapts first."""
        box = self._ui.adaptCheckBox
        return bool(box.isEnabled() and box.isChecked())

    @property
    def wants_comparison(self) -> bool:
        """Whether before and after are to be added to the project."""
        return self.is_wanted and self.compare_box.isChecked()

    def update_state(self, trouble: str, model: Optional[ModelEntry]) -> None:
        """Enable the choice, or say why it cannot be used: ``trouble`` with the engine, or a model adapted already."""
        reason = trouble
        if not reason and model is not None and model.is_adapted:
            reason = self.tr("This model is adapted already; choose its parent '{parent}' to adapt anew.").format(
                parent=model.parent
            )
        use = self.tr(
            "Let the model learn from the chosen area, without labels, before it maps it; says if that helped"
        )
        self._ui.adaptCheckBox.setEnabled(not reason)
        self._ui.adaptCheckBox.setToolTip(reason or use)
        self._show_state()

    def _show_state(self, *_: Any) -> None:
        self._ui.adaptBudgetSpinBox.setEnabled(self.is_wanted)
        self._ui.adaptCurvesGroup.setVisible(self.is_wanted)

    def _show_mode(self, *_: Any) -> None:
        self.mode_combo.setToolTip(sentence(mode_help(self.mode_combo.currentData())))

    def _on_touched(self, *_: Any) -> None:
        self.touched.emit()

    # The scene

    def show_found(self, info: Mapping[str, Any], layer: Optional[QgsRasterLayer] = None) -> None:
        """Show what the engine found out about the scene, in place of what the user may type.

        A day that the layer itself names goes before one that the engine finds in files.
        """
        date = layer_date(layer) if layer is not None else ""
        told = info.get("characteristics")
        found: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
        stored = found.get("sources")
        sources: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
        how = {
            "LONGITUDE": self.tr("Degrees east; type only where this is wrong"),
            "LATITUDE": self.tr("Degrees north; type only where this is wrong"),
            "DATE": self.tr("Year, month and day, as in 2024-09-16; type only where this is wrong"),
        }
        for name, edit in self.place_edits.items():
            source = sources.get("date" if name == "DATE" else "longitude_latitude")
            text = known_text(found.get(name.lower()), source)
            if name == "DATE" and date:
                text = known_text(date, self.tr("layer"))
            edit.setPlaceholderText(text)
            edit.setToolTip(self.tr("Found out: {text}. {how}").format(text=text, how=how[name]))
        sensor = found.get("sensor") or info.get("sensor")
        self.sensor_label.setText(f"<a href='bands'>{known_text(sensor, sources.get('sensor'))}</a>")

    def forget_scene(self) -> None:
        """Another scene: nothing that was typed holds for it."""
        for edit in (*self.place_edits.values(), self.name_edit):
            edit.clear()
        self.show_found({})

    # What a run is told

    def parameters(self, is_first: bool = True) -> Dict[str, Any]:
        """Parameters of the algorithm; what was typed of the scene only for the first of several.

        Raises BadInput where a longitude or latitude is not a number.
        """
        if not self.is_wanted:
            return {"ADAPT": False}
        values = {
            "ADAPT": True,
            "ADAPT_BUDGET_S": self._ui.adaptBudgetSpinBox.value(),
            "ADAPT_MODE": self.mode_combo.currentData(),
            "ADAPT_STEPS": self.steps_spin.value() or None,
            "ADAPT_SEED": self.seed_spin.value(),
            **{f"ADAPT_{name}": box.value() for name, box in self.weights.items()},
        }
        if is_first:
            values["ADAPT_NAME"] = self.name_edit.text().strip()
            values.update(
                {name: self._typed(name) for name in CHARACTERISTICS if self.place_edits[name].text().strip()}
            )
        return values

    def _typed(self, name: str) -> Any:
        text = self.place_edits[name].text().strip()
        if name == "DATE":
            return text
        try:
            return float(text.replace(",", "."))
        except ValueError:
            refusal = self.tr("'{text}' is no {what}; type degrees, for example 12.34, or nothing.")
            raise protocol.BadInput(refusal.format(text=text, what=name.lower())) from None

    # Memory

    def remembered(self) -> Dict[str, str]:
        """What to remember of the choice."""
        values = {
            "budget_s": self._ui.adaptBudgetSpinBox.value(),
            "mode": self.mode_combo.currentData(),
            "steps": self.steps_spin.value(),
            "seed": self.seed_spin.value(),
            "compare": self.compare_box.isChecked(),
            **{name.lower(): box.value() for name, box in self.weights.items()},
        }
        return {"adapt": "yes" if self._ui.adaptCheckBox.isChecked() else "", "adaptation": json.dumps(values)}

    def restore(self, choices: Mapping[str, str]) -> None:
        """Choose what was remembered; off at first use."""
        try:
            stored = json.loads(choices.get("adaptation") or "{}")
        except ValueError:
            stored = {}
        values: Mapping[str, Any] = stored if isinstance(stored, dict) else {}

        def known(name: str, default: float) -> float:
            value = values.get(name)
            return value if isinstance(value, (int, float)) and not isinstance(value, bool) else default

        self._ui.adaptBudgetSpinBox.setValue(round(known("budget_s", DEFAULT_BUDGET_S)))
        select_data(self.mode_combo, values.get("mode") or protocol.ADAPTATION_MODES[0])
        self.steps_spin.setValue(round(known("steps", 0)))
        self.seed_spin.setValue(round(known("seed", 0)))
        self.weights["LAMBDA"].setValue(known("lambda", 0.1))
        self.weights["MU"].setValue(known("mu", 0.02))
        self.compare_box.setChecked(values.get("compare") is True)
        self._ui.adaptCheckBox.setChecked(choices.get("adapt") == "yes")


def link_label(name: str, tip: str) -> QLabel:
    """A label for a link that mouse and keyboard reach."""
    label = QLabel()
    label.setObjectName(name)
    label.setToolTip(tip)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.LinksAccessibleByKeyboard | Qt.TextInteractionFlag.LinksAccessibleByMouse
    )
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return mend_link(label)


def line_edit(name: str, tip: str) -> QLineEdit:
    """A line to type in that does not widen the dock."""
    edit = QLineEdit()
    edit.setObjectName(name)
    edit.setToolTip(tip)
    edit.setMinimumWidth(60)
    return edit


def weight_box(name: str, value: float, tip: str) -> QgsDoubleSpinBox:
    """A weight of the objective; its button goes back to ``value``."""
    box = QgsDoubleSpinBox()
    box.setRange(0.0, 100.0)
    box.setDecimals(3)
    box.setSingleStep(0.05)
    box.setClearValue(value)
    box.setValue(value)
    return narrow(box, name, tip)


def whole_box(name: str, tip: str) -> QSpinBox:
    """A whole number from 0."""
    box = QSpinBox()
    box.setRange(0, 1_000_000)
    return narrow(box, name, tip)


def narrow(box: Any, name: str, tip: str) -> Any:
    """A spin box that does not widen the dock."""
    box.setObjectName(name)
    box.setToolTip(tip)
    box.setMinimumWidth(60)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return box


def sentence(text: str) -> str:
    """Text that begins with a capital."""
    return text[:1].upper() + text[1:]
