"""The widgets of the set-up's dialog: one form, one line that says how it goes, and the buttons."""

from typing import Dict, Optional

from qgis.gui import QgsCollapsibleGroupBox
from qgis.PyQt.QtCore import QCoreApplication, Qt
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from .dock_widgets import embolden, explain_arrow, keep_place

LOG_BLOCKS = 2000


class SetupForm:
    """Makes and arranges the widgets; knows nothing of what they stand for."""

    def __init__(self, dialog: QDialog) -> None:
        layout = QVBoxLayout(dialog)
        self.stateLabel = text_label("setupStateLabel")
        font = self.stateLabel.font()
        font.setBold(True)
        self.stateLabel.setFont(font)
        layout.addWidget(self.stateLabel)
        self._add_plan(layout)
        self._add_advanced(layout)
        layout.addStretch()
        self._add_progress(layout)
        self._add_buttons(layout)
        dialog.setTabOrder(self.setUpButton, self.cancelButton)
        self.setUpButton.setDefault(True)
        self.setUpButton.setFocus()

    def _add_plan(self, layout: QVBoxLayout) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        self.whatLabel = text_label("setupWhatLabel")
        self.folderLabel = path_line("setupFolderLabel")
        self.folderLabel.setAccessibleName(tr("Folder"))
        self.folderLabel.setToolTip(tr("Where the engine is, or will be"))
        self.sizeLabel = text_label("setupSizeLabel")
        self.deviceLabel = text_label("setupDeviceLabel")
        self.deviceComboBox = QComboBox()
        self.deviceComboBox.setObjectName("setupDeviceComboBox")
        self.deviceComboBox.setToolTip(tr("What the engine will compute on; only what this computer can run is listed"))
        self.folderButton = button("setupFolderButton", tr("C&hange…"), tr("Choose another folder for the engine"))
        device = QLabel(tr("&Device"))
        device.setBuddy(self.deviceComboBox)
        form.addRow(tr("Packages"), self.whatLabel)
        form.addRow(tr("Folder"), row(self.folderLabel, self.folderButton))
        form.addRow(device, self.deviceComboBox)
        form.addRow("", self.deviceLabel)
        form.addRow(tr("Size"), self.sizeLabel)
        layout.addLayout(form)

    def _add_advanced(self, layout: QVBoxLayout) -> None:
        group = QgsCollapsibleGroupBox(tr("Advanced"))
        group.setObjectName("setupAdvancedGroup")
        group.setToolTip(tr("Where packages come from, another Python, and an engine that is there already"))
        group.setCollapsed(True)
        explain_arrow(group)
        inside = QVBoxLayout(group)
        self.pythonLabel = path_line("setupPythonLabel")
        self.pythonLabel.setAccessibleName(tr("Made from"))
        self.pythonLabel.setToolTip(tr("The Python that the environment is made from"))
        self.pythonButton = button(
            "setupPythonButton", tr("Choose…"), tr("Choose the Python that the environment is made from")
        )
        inside.addLayout(row(QLabel(tr("Made from")), self.pythonLabel, self.pythonButton))
        self.packageIndexCheckBox = QCheckBox(tr("Take PyTorch from the package index that pip is set to"))
        self.packageIndexCheckBox.setObjectName("setupPackageIndexCheckBox")
        self.packageIndexCheckBox.setToolTip(
            tr("For networks that reach a mirror but not download.pytorch.org; the build may then be a larger one")
        )
        inside.addWidget(self.packageIndexCheckBox)
        self.bundleButton = button(
            "setupBundleButton",
            tr("Install from folder…"),
            tr("Set up without a network, from a folder made on another computer with python -m engine.bundle"),
        )
        self.adoptButton = button(
            "setupAdoptButton",
            tr("Use an existing Python…"),
            tr("Use a Python that has PyTorch already; it is proven first and left as it is"),
        )
        inside.addLayout(row(self.bundleButton, self.adoptButton, None))
        layout.addWidget(group)

    def _add_progress(self, layout: QVBoxLayout) -> None:
        self.progressBar = QProgressBar()
        self.progressBar.setObjectName("setupProgressBar")
        self.progressBar.setRange(0, 1000)
        self.progressBar.setToolTip(tr("How far the set-up is"))
        self.cancelButton = button(
            "setupCancelButton", tr("Cancel"), tr("Stop; what was downloaded is kept for the next try")
        )
        for widget in (self.progressBar, self.cancelButton):
            keep_place(widget)
            widget.hide()
        layout.addLayout(row(self.progressBar, self.cancelButton))
        self.stepLabel = text_label("setupStepLabel")
        self.stepLabel.setMinimumHeight(3 * self.stepLabel.fontMetrics().lineSpacing())
        self.stepLabel.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.stepLabel)
        self.detailsView = QPlainTextEdit()
        self.detailsView.setObjectName("setupDetailsView")
        self.detailsView.setReadOnly(True)
        self.detailsView.setMaximumBlockCount(LOG_BLOCKS)
        self.detailsView.hide()
        layout.addWidget(self.detailsView, 1)

    def _add_buttons(self, layout: QVBoxLayout) -> None:
        self.setUpButton = button("setupButton", tr("Set up engine"), tr("Install what is listed above"))
        embolden(self.setUpButton)
        self.checkButton = button(
            "setupCheckButton", tr("Chec&k"), tr("Prove the engine again and compare its packages with those installed")
        )
        self.removeButton = button("setupRemoveButton", tr("Remove…"), tr("Take the engine and its packages away"))
        self.detailsButton = button("setupDetailsButton", tr("Details"), tr("Show what the commands say"))
        self.detailsButton.setCheckable(True)
        self.detailsButton.toggled.connect(self.detailsView.setVisible)
        self.reportButton = button(
            "setupReportButton", tr("Copy report"), tr("Copy a report without names, addresses and secrets")
        )
        self.helpButton = button("setupHelpButton", tr("Help"), tr("What the set-up does, and what helps if it fails"))
        self.closeButton = button("setupCloseButton", tr("Close"), tr("Close this window; a set-up goes on"))
        layout.addLayout(row(self.setUpButton, self.checkButton, self.removeButton, None))
        layout.addLayout(row(self.detailsButton, self.reportButton, self.helpButton, None, self.closeButton))

    def show_details(self, shown: bool) -> None:
        """Show or hide what the commands say."""
        self.detailsButton.setChecked(shown)

    def begin(self, text: str) -> None:
        """Something starts; an empty text shows no progress."""
        if text:
            self.stepLabel.setText(text)
            self.detailsView.clear()
            self.progressBar.setValue(0)
            self.progressBar.show()
            self.cancelButton.setEnabled(True)
            self.cancelButton.show()

    def show_progress(self, step: str, share: float, line: str) -> None:
        """Say how far it is; a negative share leaves the bar."""
        if share >= 0:
            self.progressBar.setValue(round(1000 * share))
        name = step_names().get(step, "")
        said = f"{name}: {line}" if line else name
        metrics = self.stepLabel.fontMetrics()
        width = max(200, 2 * self.stepLabel.width() - 60)
        self.stepLabel.setText(metrics.elidedText(said, Qt.TextElideMode.ElideRight, width))

    def end(self) -> None:
        """Nothing runs any more."""
        self.progressBar.hide()
        self.cancelButton.hide()

    def allow(self, may_start: bool, running: bool, there: bool, known: bool) -> None:
        """Enable what makes sense."""
        for widget in (self.bundleButton, self.adoptButton, self.folderButton, self.pythonButton):
            widget.setEnabled(may_start)
        for widget in (self.deviceComboBox, self.packageIndexCheckBox):
            widget.setEnabled(may_start and known)
        self.setUpButton.setEnabled(may_start and known)
        for widget in (self.checkButton, self.removeButton):
            widget.setEnabled(may_start and there)


def step_names() -> Dict[str, str]:
    """What each step is called."""
    return {
        "check": tr("Checking Python and disk"),
        "create": tr("Making the environment"),
        "torch": tr("Installing PyTorch"),
        "rest": tr("Installing packages"),
        "prove": tr("Proving the new engine"),
        "swap": tr("Putting it into place"),
        "confirm": tr("Proving it in its place"),
        "tidy": tr("Tidying up"),
    }


def text_label(name: str) -> QLabel:
    """A label that wraps and can be copied from."""
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return label


def path_line(name: str) -> QLineEdit:
    """A path that can be read to its end and copied, not typed."""
    line = QLineEdit()
    line.setObjectName(name)
    line.setReadOnly(True)
    return line


def button(name: str, text: str, tip: str) -> QPushButton:
    """A button that explains itself and is not pressed by the Enter key meant for another."""
    made = QPushButton(text)
    made.setObjectName(name)
    made.setToolTip(tip)
    made.setAutoDefault(False)
    return made


def row(*widgets: Optional[QWidget]) -> QLayout:
    """Widgets side by side; None stands for free space."""
    layout = QHBoxLayout()
    for widget in widgets:
        if widget is None:
            layout.addStretch()
        else:
            layout.addWidget(widget)
    return layout


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("SetupForm", text)
