"""A guided form for weights that came without a card: what is asked is what the engine needs to build their network."""

import os
import re
from typing import Any, List, Sequence, Tuple

from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import QCoreApplication, QRegularExpression, Qt, pyqtSignal
from qgis.PyQt.QtGui import QRegularExpressionValidator
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ..engine import protocol
from .help_page import HelpDialog
from .training_form import ARCHITECTURE_TITLES, NAME

ENCODERS = (
    "resnet18",
    "resnet34",
    "resnet50",
    "efficientnet-b0",
    "efficientnet-b3",
    "mobilenet_v2",
    "timm-efficientnet-b0",
    "tu-mobilenetv3_small_100",
    "tu-regnetx_002",
)
"""A few names as the library spells them; any other can be typed."""
LICENCES = ("CC BY 4.0", "CC BY-SA 4.0", "CC BY-NC 4.0", "MIT", "Apache-2.0", "BSD-3-Clause", "GPL-3.0")


class CardForm(QDialog):
    """Asks for a card's entries; ``wanted`` carries the job, ``fail`` and ``accept`` end what follows."""

    wanted = pyqtSignal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._name_is_own = False
        self.setObjectName("cardForm")
        self.setWindowTitle(tr("Weights without a card"))
        self.resize(680, 720)
        self.weights = QgsFileWidget()
        self.weights.setFilter(tr("Weights (*.safetensors)"))
        self.weights.setDialogTitle(tr("Weights without a card"))
        self.name = QLineEdit()
        self.name.setValidator(QRegularExpressionValidator(QRegularExpression(NAME), self))
        self.architecture = choices(ARCHITECTURE_TITLES.items())
        self.encoder = typed(ENCODERS)
        self.channels = QLineEdit()
        self.hazards = QLineEdit("flood")
        self.bands = QLineEdit()
        self.scale = choices(
            (
                ("stretched", tr("stretched to -1 … 1 (from the scene's 2 % to its 98 %)")),
                ("stretched-0-1", tr("stretched to 0 … 1 (from the scene's 2 % to its 98 %)")),
                ("db", tr("decibels (radar)")),
            )
        )
        self.mean, self.std, self.thresholds = QLineEdit(), QLineEdit(), QLineEdit()
        self.output = choices(
            (
                ("sigmoid", tr("one output a hazard (sigmoid)")),
                ("softmax", tr("two outputs: none, hazard (softmax)")),
            )
        )
        self.finest, self.coarsest = metres(3.0), metres(30.0)
        for box, text in (
            (self.finest, tr("Finest metres a pixel")),
            (self.coarsest, tr("Coarsest metres a pixel")),
        ):
            box.setAccessibleName(text)
            box.setToolTip(text)
        self.licence = typed(LICENCES)
        self.title, self.description = QLineEdit(), QLineEdit()
        self.trouble = QLabel()
        self.trouble.setObjectName("cardFormTrouble")
        self.trouble.setWordWrap(True)
        self.trouble.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok
            | QDialogButtonBox.StandardButton.Cancel
            | QDialogButtonBox.StandardButton.Help
        )
        self._build()
        self.weights.fileChanged.connect(self._suggest_name)
        self.name.textEdited.connect(self._on_name_edited)

    def _build(self) -> None:
        ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setText(tr("Check and install"))
        ok.setToolTip(tr("Build the network, compare every weight's shape, and install both if they fit"))
        self.buttons.accepted.connect(self.ask)
        self.buttons.rejected.connect(self.reject)
        self.buttons.helpRequested.connect(lambda: HelpDialog("models", self).show())
        page = QWidget()
        form = QFormLayout(page)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        gsd = QWidget()
        across = QHBoxLayout(gsd)
        across.setContentsMargins(0, 0, 0, 0)
        across.addWidget(self.finest)
        across.addWidget(QLabel(tr("to")))
        across.addWidget(self.coarsest)
        across.addStretch()
        for label, widget, tip in self._rows(gsd):
            widget.setToolTip(tip)
            line = widget.lineEdit() if isinstance(widget, QComboBox) else widget
            if isinstance(line, QLineEdit):
                line.setPlaceholderText(tip)
            form.addRow(label, widget)
            form.labelForField(widget).setToolTip(tip)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(page)
        intro = QLabel(
            tr(
                "For a U-Net or U-Net++ of segmentation-models-pytorch that others trained, saved as safetensors. "
                "Their paper, code or page tells what is asked here; the engine checks that it fits."
            )
        )
        intro.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(intro)
        layout.addWidget(area, 1)
        layout.addWidget(self.trouble)
        layout.addWidget(self.buttons)

    def _rows(self, gsd: QWidget) -> List[Tuple[str, QWidget, str]]:
        slots = ", ".join(protocol.SLOTS)
        return [
            (tr("&Weights"), self.weights, tr("A safetensors file; pickles (.pt, .pth, .ckpt) are never opened")),
            (tr("&Name"), self.name, tr("What the model is called here: letters, digits, - and _")),
            (tr("&Title"), self.title, tr("What lists show; the name when empty")),
            (tr("&Architecture"), self.architecture, tr("The kind of network")),
            (tr("&Encoder"), self.encoder, tr("As the library names it, for example resnet34")),
            (tr("&Hazards"), self.hazards, tr("What the outputs show, in their order, separated by commas")),
            (tr("&Bands"), self.bands, tr("What the network takes, in this order; slots: {slots}").format(slots=slots)),
            (tr("&Values"), self.scale, tr("How pixel values were scaled before they reached the network")),
            (tr("&Means"), self.mean, tr("Subtracted after scaling, one a band, separated by commas; empty for none")),
            (tr("Deviation&s"), self.std, tr("Divided by afterwards, one a band, separated by commas; empty for none")),
            (tr("&Output"), self.output, tr("How outputs become probabilities")),
            (tr("Th&resholds"), self.thresholds, tr("Decision thresholds, one a hazard; 0.5 when empty")),
            (tr("Decoder &channels"), self.channels, tr("Coarse to fine; found out from the weights when empty")),
            (tr("Metres a &pixel"), gsd, tr("Scenes finer or coarser are resampled to this range")),
            (tr("&Licence"), self.licence, tr("Under which the weights may be used; their makers tell")),
            (tr("&Description"), self.description, tr("What the model is for, where it is from, whom to cite")),
        ]

    def job(self) -> Any:
        """The job that the form describes; raises BadInput for what cannot be."""
        return protocol.AdoptWeightsJob(
            weights=self.weights.filePath().strip(),
            name=self.name.text().strip(),
            title=self.title.text().strip(),
            architecture=str(self.architecture.currentData()),
            encoder=self.encoder.currentText().strip(),
            decoder_channels=tuple(round(value) for value in numbers(self.channels.text())),
            hazards=protocol.parse_names(self.hazards.text()),
            bands=protocol.parse_names(self.bands.text().lower()),
            scale=str(self.scale.currentData()),
            mean=numbers(self.mean.text()),
            std=numbers(self.std.text()),
            output=str(self.output.currentData()),
            thresholds=numbers(self.thresholds.text()),
            gsd_min_m=self.finest.value(),
            gsd_max_m=self.coarsest.value(),
            licence=self.licence.currentText().strip(),
            description=self.description.text().strip(),
        )

    def ask(self) -> None:
        """Send the job, or say what is missing."""
        for what, text in (
            (tr("Choose the file of the weights."), self.weights.filePath()),
            (tr("Give the model a name."), self.name.text()),
            (tr("Name the encoder."), self.encoder.currentText()),
            (tr("Say under which licence the weights may be used."), self.licence.currentText()),
        ):
            if not text.strip():
                self.fail(what)
                return
        try:
            job = self.job()
        except protocol.BadInput as error:
            self.fail(str(error))
            return
        self.trouble.setText(tr("Building the network and comparing it with the weights…"))
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(False)
        self.wanted.emit(job)

    def fail(self, sentence: str) -> None:
        """Say why it does not work; the form stays as it is, to be corrected."""
        self.trouble.setText(sentence)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(True)

    def _suggest_name(self, path: str) -> None:
        if not self._name_is_own:
            stem = os.path.splitext(os.path.basename(path))[0]
            self.name.setText(re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:64])

    def _on_name_edited(self, text: str) -> None:
        self._name_is_own = bool(text)


def numbers(text: str) -> Tuple[float, ...]:
    """``0.5; 1`` or ``[0.5, 1]`` to numbers; raises BadInput otherwise."""
    return protocol.parse_numbers(re.sub(r"[\[\]();\s]+", ",", text.strip()).strip(","))


def choices(entries: Any) -> QComboBox:
    """A list to choose from: data and text of each entry."""
    combo = QComboBox()
    for data, text in entries:
        combo.addItem(text, data)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(12)
    return combo


def typed(entries: Sequence[str]) -> QComboBox:
    """A list to choose from or to type into."""
    combo = QComboBox()
    combo.setEditable(True)
    combo.addItems(list(entries))
    combo.setCurrentIndex(-1)
    return combo


def metres(value: float) -> QDoubleSpinBox:
    """A length on the ground."""
    spin = QDoubleSpinBox()
    spin.setRange(0.01, 10_000.0)
    spin.setDecimals(2)
    spin.setSuffix(" m")
    spin.setValue(value)
    return spin


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("CardForm", text)
