"""Shows a help page that came with the plugin."""

import os

from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from .engine_location import PACKAGE_FOLDER


class HelpDialog(QDialog):
    """A page that can be read beside the dock, selected from and closed."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("helpDialog")
        self.resize(640, 640)
        layout = QVBoxLayout(self)
        self.page = QTextBrowser()
        self.page.setOpenExternalLinks(True)
        with open(os.path.join(PACKAGE_FOLDER, "resources", "help", f"{name}.md"), encoding="utf-8") as file:
            text = file.read()
        self.setWindowTitle(text.splitlines()[0].lstrip("# "))
        self.page.setMarkdown(text)
        layout.addWidget(self.page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
