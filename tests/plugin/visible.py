"""What a user can read in widgets and algorithms, and a pseudo-language that shows what is translated."""

import re
import sys

from qgis.gui import QgsCollapsibleGroupBox, QgsFileWidget, QgsMapLayerComboBox
from qgis.PyQt.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QDialogButtonBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QMenu,
    QProgressBar,
    QTabWidget,
    QTextBrowser,
    QTreeWidget,
    QWidget,
)
from support import ROOT

sys.path.insert(0, str(ROOT))
from tests.i18n import strings

PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
STRANGE = "åƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýžÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ"
KEPT = re.compile(r"(\{[^}]*\}|<[^>]+>|&(?:amp|lt|gt);|\n)")
GROWTH = 1.35
OK = QDialogButtonBox.StandardButton.Ok
"""The one standard button that gets a text of its own."""


def pseudo(text, growth=GROWTH):
    """The text with strange letters and about 35 % longer; placeholders, tags and underlined letters stay."""
    parts = [
        part if KEPT.fullmatch(part) else part.translate(str.maketrans(PLAIN, STRANGE)) for part in KEPT.split(text)
    ]
    lacking = round(len(text) * growth) - len(text)
    return "".join(parts) + "".join(" ñ"[index % 5 > 0] for index in range(lacking))


def write_pseudo(path):
    """Write the whole catalogue of the pseudo-language; returns the path as text."""
    wanted = strings.sources()
    strings.write(path, "xx", wanted, {(context, source): pseudo(source) for context, source in wanted})
    return str(path)


def words_left(text, allowed=()):
    """Words in plain letters: those that were not translated, but for names and units."""
    text = re.sub(r"<[^>]+>|&\w+;|https?://\S+|(?<!\w)/\S+", " ", text)
    for phrase in sorted(allowed, key=len, reverse=True):
        text = text.replace(phrase, " ")
    return re.findall(r"(?<![\w.-])[A-Za-z]{2,}(?![\w-])", text)


def is_inside(widget, kinds):
    """Whether a widget is a part of one of these kinds, which Qt or QGIS translates itself."""
    above = widget.parentWidget()
    while above is not None:
        if isinstance(above, kinds):
            return True
        above = above.parentWidget()
    return False


def own_widgets(top):
    """A widget and its children, but for the inner parts of QGIS's own widgets."""
    for widget in [top, *top.findChildren(QWidget)]:
        if widget.objectName().startswith("qt_"):
            continue  # Qt's own, translated by Qt
        if not is_inside(widget, (QgsFileWidget, QAbstractSpinBox, QComboBox, QgsMapLayerComboBox)):
            yield widget


def texts_of_widget(widget):
    """Kind and text of what one widget shows, tooltips and spoken names included."""
    yield "tooltip", widget.toolTip()
    yield "accessible name", widget.accessibleName()
    if widget.isWindow():
        yield "window title", widget.windowTitle()
    if isinstance(widget, QTextBrowser):
        yield "page", widget.toPlainText()
    elif isinstance(widget, QLabel):
        yield "text", widget.text()
    elif isinstance(widget, QAbstractButton):
        box = widget.parentWidget()
        if not (isinstance(box, QDialogButtonBox) and box.standardButton(widget) and box.standardButton(widget) != OK):
            yield "text", widget.text()
    elif isinstance(widget, (QGroupBox, QgsCollapsibleGroupBox, QMenu)):
        yield "title", widget.title()
    elif isinstance(widget, QLineEdit):
        yield "placeholder", widget.placeholderText()
    elif isinstance(widget, QProgressBar):
        yield "format", widget.format()
    elif isinstance(widget, QAbstractSpinBox):
        for name in ("prefix", "suffix", "specialValueText"):
            if hasattr(widget, name):
                yield name, getattr(widget, name)()
    elif isinstance(widget, QTabWidget):
        for index in range(widget.count()):
            yield "tab", widget.tabText(index)
    elif isinstance(widget, QTreeWidget):
        head = widget.headerItem()
        for column in range(widget.columnCount()):
            yield "header", head.text(column)
    if isinstance(widget, QComboBox) and not isinstance(widget, QgsMapLayerComboBox):
        for index in range(widget.count()):
            yield "entry", widget.itemText(index)
            yield "entry's tooltip", str(widget.itemData(index, 3) or "")
    for action in widget.actions():
        yield "action", action.text()
        yield "action's tooltip", action.toolTip()


def texts_of_algorithm(algorithm):
    """Kind and text of what toolbox, dialog, help and model designer show of an algorithm."""
    yield "name", algorithm.displayName()
    yield "group", algorithm.group()
    yield "short description", algorithm.shortDescription()
    yield "help", algorithm.shortHelpString()
    yield "tags", ",".join(algorithm.tags())
    for parameter in algorithm.parameterDefinitions():
        yield f"{parameter.name()}", parameter.description()
        yield f"help of {parameter.name()}", parameter.help()
        for option in parameter.options() if hasattr(parameter, "options") else ():
            yield f"option of {parameter.name()}", option
    for output in algorithm.outputDefinitions():
        yield f"{output.name()}", output.description()
