"""Shows help pages that came with the plugin; links from page to page work without a network."""

import os
from typing import List

from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from .engine_location import PACKAGE_FOLDER

HELP_FOLDER = os.path.join(PACKAGE_FOLDER, "resources", "help")


class HelpDialog(QDialog):
    """A page that can be read beside the dock, selected from and closed."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("helpDialog")
        self.resize(640, 640)
        layout = QVBoxLayout(self)
        self.page = QTextBrowser()
        self.page.setOpenLinks(False)
        self.page.setSearchPaths([HELP_FOLDER])
        self.page.anchorClicked.connect(self.follow)
        layout.addWidget(self.page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.back = buttons.addButton(self.tr("Back"), QDialogButtonBox.ButtonRole.ActionRole)
        self.back.setToolTip(self.tr("Show the page before"))
        self.back.clicked.connect(self.go_back)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self._pages: List[str] = []
        self.show_page(name)

    def show_page(self, name: str) -> None:
        """Show a page by the name of its file, without the ending."""
        self._show(name)
        self._pages.append(name)
        self.back.setEnabled(len(self._pages) > 1)

    def go_back(self) -> None:
        """Show the page before this one."""
        if len(self._pages) > 1:
            self._pages.pop()
            self._show(self._pages[-1])
        self.back.setEnabled(len(self._pages) > 1)

    def follow(self, link: QUrl) -> None:
        """Go to another page, or have the system open what is elsewhere."""
        name, ending = os.path.splitext(os.path.basename(link.path()))
        if not link.scheme() and ending == ".md" and os.path.exists(os.path.join(HELP_FOLDER, name + ending)):
            self.show_page(name)
        elif link.scheme() in ("http", "https"):
            QDesktopServices.openUrl(link)

    def _show(self, name: str) -> None:
        with open(os.path.join(HELP_FOLDER, f"{name}.md"), encoding="utf-8") as file:
            text = file.read()
        self.setWindowTitle(text.splitlines()[0].lstrip("# "))
        self.page.setMarkdown(text)
