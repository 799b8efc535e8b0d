"""Letters of a sheet: one family, a few sizes, and text fitted into its frame before it is drawn."""

from typing import List, Tuple

from qgis.core import QgsLayoutItemLabel, QgsTextFormat, QgsUnitTypes
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor, QFont, QFontMetricsF

from ..compat import is_installed, set_label_format

FAMILIES = ("Noto Sans", "Open Sans", "Segoe UI", "Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans")
MEASURED_PX = 200
MM_OF_POINT = 25.4 / 72.0
SLACK = 0.95
"""Share of a line that is filled, as printers and screens space letters a little differently."""
BREAK_AFTER = "_-./\\"


def family() -> str:
    """First of the families that is installed."""
    return next((name for name in FAMILIES if is_installed(name)), QFont().family())


def font_of(size_pt: float, bold: bool = False) -> QFont:
    """Font of a size."""
    font = QFont(family())
    font.setPointSizeF(size_pt)
    font.setBold(bold)
    return font


def text_format(size_pt: float, colour: QColor, bold: bool = False) -> QgsTextFormat:
    """Format of a size and colour."""
    found = QgsTextFormat()
    found.setFont(font_of(size_pt, bold))
    found.setSize(size_pt)
    found.setSizeUnit(QgsUnitTypes.RenderUnit.RenderPoints)
    found.setColor(colour)
    return found


def metrics(bold: bool) -> QFontMetricsF:
    """Widths of letters at a size that does not depend on a screen."""
    font = font_of(10, bold)
    font.setPixelSize(MEASURED_PX)
    return QFontMetricsF(font)


def line_height_mm(size_pt: float) -> float:
    """Height of a line."""
    return metrics(False).lineSpacing() / MEASURED_PX * size_pt * MM_OF_POINT


def width_mm(text: str, size_pt: float, bold: bool = False) -> float:
    """Width of a text in one line."""
    return metrics(bold).horizontalAdvance(text) / MEASURED_PX * size_pt * MM_OF_POINT


def wrapped(text: str, width: float, size_pt: float, bold: bool = False) -> Tuple[List[str], bool]:
    """Lines of a text in a width, and whether a word had to be broken."""
    measure, room = metrics(bold), width * SLACK / (size_pt * MM_OF_POINT) * MEASURED_PX
    lines, is_broken = [], False
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            joined = f"{line} {word}" if line else word
            if measure.horizontalAdvance(joined) <= room:
                line = joined
                continue
            if line:
                lines.append(line)
            while measure.horizontalAdvance(word) > room and len(word) > 1:
                is_broken = True
                cut = break_at(word, measure, room)
                lines.append(word[:cut])
                word = word[cut:]
            line = word
        lines.append(line)
    return lines, is_broken


def break_at(word: str, measure: QFontMetricsF, room: float) -> int:
    """How many letters of a word too long go into a line: up to a sign that ends a part of a name, if there is one."""
    most = 1
    while most < len(word) and measure.horizontalAdvance(word[: most + 1]) <= room:
        most += 1
    parts = [place + 1 for place in range(most) if word[place] in BREAK_AFTER and place + 1 > most // 2]
    return parts[-1] if parts else most


def fitted(
    text: str, width: float, height: float, size_pt: float, least_pt: float, bold: bool = False
) -> Tuple[str, float]:
    """Text and size that fit into a frame: smaller letters first, then an ellipsis."""
    size = size_pt
    while True:
        lines, is_broken = wrapped(text, width, size, bold)
        most = max(int(height / line_height_mm(size) + 0.05), 1)
        if len(lines) <= most:
            return ("\n".join(lines) if is_broken else text), size
        if size <= least_pt:
            return "\n".join([*lines[: most - 1], shortened(lines[most - 1], width, size, bold)]), size
        size = max(size - 0.25, least_pt)


def shortened(line: str, width: float, size_pt: float, bold: bool) -> str:
    """A line that ends in an ellipsis."""
    while len(line) > 1 and width_mm(line + "…", size_pt, bold) > width * SLACK:
        line = line[:-1]
    return line.rstrip(" ,.;") + "…"


def set_letters(label: QgsLayoutItemLabel, size_pt: float, bold: bool, colour: str) -> None:
    """Font and colour of a label."""
    set_label_format(label, text_format(size_pt, QColor(colour), bold))
    label.setMarginX(0)
    label.setMarginY(0)
    label.setHAlign(Qt.AlignmentFlag.AlignLeft)
    label.setVAlign(Qt.AlignmentFlag.AlignTop)
