"""Shows the scores of all bundled models beside simple rules: the help page that the scorecard command wrote."""

import os

from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from .help_page import PageBrowser

PAGE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "resources", "help", "scorecard.md")


class ScorecardDialog(QDialog):
    """A page that can be selected from and closed."""

    def __init__(self, parent: QWidget, path: str = PAGE) -> None:
        super().__init__(parent)
        self.setObjectName("scorecardDialog")
        self.setWindowTitle(tr("Scores of all models"))
        self.resize(900, 640)
        layout = QVBoxLayout(self)
        self.page = PageBrowser()
        self.page.setToolTip(tr("Measured by the scorecard command; real sets were not used for training"))
        with open(path, encoding="utf-8") as file:
            self.page.show_text(file.read(), os.path.dirname(path))
        layout.addWidget(self.page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)


def has_scorecard(path: str = PAGE) -> bool:
    """Whether the page came with the plugin."""
    return os.path.isfile(path)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("Scorecard", text)
