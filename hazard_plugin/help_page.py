"""Shows help pages that came with the plugin, with their pictures and links, without a network."""

import os
import re
from typing import Any, List, Optional

from qgis.PyQt.QtCore import Qt, QTimer, QUrl
from qgis.PyQt.QtGui import (
    QDesktopServices,
    QImage,
    QResizeEvent,
    QShowEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextTable,
)
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from .engine_location import PACKAGE_FOLDER

HELP_FOLDER = os.path.join(PACKAGE_FOLDER, "resources", "help")
FIRST_PAGE = "index"
MARGIN_PX = 24
"""Left free beside a picture, so that no page has to be scrolled sideways."""


class PageBrowser(QTextBrowser):
    """Draws Markdown; pictures come from the plugin's folder, never from a network, and fit the width."""

    def __init__(self) -> None:
        super().__init__()
        self.setOpenLinks(False)
        self.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAlwaysOn
        )  # coming and going, it would change the width
        self.folder = HELP_FOLDER
        self._text = ""
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._show_again)
        self._widest_px = self._drawn_px = 0

    def _room_px(self) -> int:
        return max(self.viewport().width() - MARGIN_PX, 200)

    def loadResource(self, kind: int, name: QUrl) -> Any:
        """A picture of the page, made smaller where the page is narrower."""
        path = local_path(self.folder, name)
        image = QImage(path) if path else QImage()
        self._widest_px = max(self._widest_px, image.width())
        if image.width() > self._room_px():
            return image.scaledToWidth(self._room_px(), Qt.TransformationMode.SmoothTransformation)
        return image

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw the pictures anew, soon, where they have become too wide or need no longer be small."""
        super().resizeEvent(event)
        if self._widest_px and self._drawn_px != min(self._widest_px, self._room_px()):
            self._later.start()

    def show_text(self, text: str, folder: str) -> None:
        """Show Markdown whose pictures lie in, or below, a folder."""
        self._later.stop()
        self.folder, self._text = folder, text
        self._widest_px = 0
        page = QTextDocument()  # one that is laid out while it is read takes half a minute for large tables
        page.setDefaultFont(self.font())
        page.setMarkdown(text)
        for frame in page.rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                self._rule(frame)
        block = page.begin()
        while block.isValid():
            if block.textList() is not None:  # else a line is wholly drawn as the bold word or link that it begins with
                QTextCursor(block).setBlockCharFormat(QTextCharFormat())
            block = block.next()
        self.setHtml(page.toHtml())
        self.document().documentLayout().documentSize()  # has the pictures loaded
        self._drawn_px = min(self._widest_px, self._room_px())

    def _show_again(self) -> None:
        place = self.verticalScrollBar().value()
        self.show_text(self._text, self.folder)
        self.verticalScrollBar().setValue(place)

    def show_section(self, anchor: str) -> None:
        """Scroll to the heading that a link names."""
        block = self.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel() and anchor_of(block.text()) == anchor:
                top = self.document().documentLayout().blockBoundingRect(block).top()
                self.verticalScrollBar().setValue(int(top))
                return
            block = block.next()

    def _rule(self, table: QTextTable) -> None:
        """Draw the lines of a table, in the theme's own grey; a head without words is left out."""
        if not any(table.cellAt(0, column).firstCursorPosition().block().text() for column in range(table.columns())):
            table.removeRows(0, 1)
        form = table.format()
        form.setBorder(1)
        form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        form.setBorderBrush(self.palette().mid())
        form.setBorderCollapse(True)
        form.setCellSpacing(0)
        form.setCellPadding(4)
        form.setBottomMargin(10)
        table.setFormat(form)


class HelpDialog(QDialog):
    """A page that can be read beside the dock, selected from and closed."""

    def __init__(self, name: str, parent: Optional[QWidget]) -> None:
        super().__init__(parent)
        self.setObjectName("helpDialog")
        self.resize(780, 720)
        layout = QVBoxLayout(self)
        self.page = PageBrowser()
        self.page.anchorClicked.connect(self.follow)
        layout.addWidget(self.page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.back = buttons.addButton(self.tr("Back"), QDialogButtonBox.ButtonRole.ActionRole)
        self.back.setToolTip(self.tr("Show the page before"))
        self.back.clicked.connect(self.go_back)
        self.contents = buttons.addButton(self.tr("Contents"), QDialogButtonBox.ButtonRole.ActionRole)
        self.contents.setToolTip(self.tr("Show the list of all pages"))
        self.contents.clicked.connect(self.show_contents)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        layout.activate()
        self._pages: List[str] = []
        self._shown = QTimer(self)  # its own: the window may be gone a moment later
        self._shown.setSingleShot(True)
        self._shown.timeout.connect(self._show_again)  # a method: a function would be called after the window is gone
        self.show_page(name)

    def showEvent(self, event: QShowEvent) -> None:
        """Go to the section that was asked for, once the page has its width."""
        super().showEvent(event)
        self._shown.start()

    def show_page(self, name: str) -> None:
        """Show a page by the name of its file, without the ending; it may have a folder before and a section after."""
        self._show(name)
        self._pages.append(name)
        self.back.setEnabled(len(self._pages) > 1)

    def show_contents(self) -> None:
        """Show the list of all pages."""
        self.show_page(FIRST_PAGE)

    def _show_again(self) -> None:
        self._show(self._pages[-1])

    def go_back(self) -> None:
        """Show the page before this one."""
        if len(self._pages) > 1:
            self._pages.pop()
            self._show(self._pages[-1])
        self.back.setEnabled(len(self._pages) > 1)

    def follow(self, link: QUrl) -> None:
        """Go to another page or section, or have the system open what is elsewhere."""
        if link.scheme() in ("http", "https"):
            QDesktopServices.openUrl(link)
        elif not link.path() and link.hasFragment():
            self.page.show_section(link.fragment())
        else:
            path = local_path(self.page.folder, link)
            if path.endswith(".md"):
                name = os.path.relpath(path, HELP_FOLDER)[: -len(".md")].replace(os.sep, "/")
                self.show_page(f"{name}#{link.fragment()}" if link.hasFragment() else name)

    def _show(self, name: str) -> None:
        name, _, anchor = name.partition("#")
        path = os.path.normpath(os.path.join(HELP_FOLDER, f"{name}.md"))
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.setWindowTitle(title_of(text) or self.tr("Help"))
        self.page.show_text(text, os.path.dirname(path))
        if anchor:
            self.page.show_section(anchor)


def open_help(name: str, parent: QWidget) -> HelpDialog:
    """Show a page in the window of help that is open, else in a new one."""
    dialog = parent.findChild(HelpDialog, "helpDialog")
    if dialog is None or not dialog.isVisible():
        dialog = HelpDialog(name, parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    else:
        dialog.show_page(name)
    dialog.show()
    dialog.raise_()
    return dialog


def title_of(text: str) -> str:
    """First heading of a page; empty where it has none."""
    return next((line.lstrip("# ") for line in text.splitlines() if line.startswith("# ")), "")


def local_path(folder: str, link: QUrl) -> str:
    """The file of the plugin that a relative link names; empty for what is elsewhere or missing."""
    if link.scheme() or not link.path():
        return ""
    path = os.path.normpath(os.path.join(folder, link.path()))
    inside = path.startswith(os.path.normpath(PACKAGE_FOLDER) + os.sep)
    return path if inside and os.path.isfile(path) else ""


def anchor_of(heading: str) -> str:
    """What a link to a heading is called: small letters, hyphens for blanks, nothing else but letters and digits."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
