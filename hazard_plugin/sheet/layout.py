"""Builds the print layout of a map sheet out of QGIS's own layout items, so that everything on it can be edited."""

import base64
import os
from dataclasses import dataclass
from typing import List, Sequence, Tuple

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFillSymbol,
    QgsLayoutItem,
    QgsLayoutItemLabel,
    QgsLayoutItemMap,
    QgsLayoutItemPage,
    QgsLayoutItemPicture,
    QgsLayoutItemShape,
    QgsLayoutMeasurement,
    QgsLayoutSize,
    QgsPrintLayout,
    QgsProject,
    QgsRectangle,
    QgsUnitTypes,
)
from qgis.PyQt.QtCore import QCoreApplication, QRectF, Qt
from qgis.PyQt.QtGui import QColor

from ..engine_location import PACKAGE_FOLDER
from .content import SheetText, number_text
from .frames import Frame, SheetFrames, nice_above
from .furniture import add_grid, add_legend, add_scale_bar
from .layers import SheetLayers
from .lettering import fitted, line_height_mm, set_letters, wrapped
from .locator import add_locator
from .projection import centre_of, crs_text

ACCENT, INK, QUIET, RULE = "#12355b", "#1f1f1f", "#5c5c5c", "#c4cad2"
MM = QgsUnitTypes.LayoutUnit.LayoutMillimeters
TITLE_PT, SUBTITLE_PT, HEADING_PT, BODY_PT, SMALL_PT, LEAST_PT = 15.0, 8.5, 7.5, 7.0, 6.25, 4.75
HEADING_MM = 6.0
SCALE_MM = 20.0
"""Height of scale, scale bar, north arrow and coordinate system."""


@dataclass(frozen=True)
class SheetView:
    """Which part of the world a sheet shows, and how."""

    crs: QgsCoordinateReferenceSystem
    extent: QgsRectangle


class SheetBuilder:
    """Puts the items on one page; the layers must outlive the layout."""

    def __init__(self, project: QgsProject, name: str, frames: SheetFrames, text: SheetText) -> None:
        self.project, self.frames, self.text = project, frames, text
        self.layout = QgsPrintLayout(project)
        self.layout.initializeDefaults()
        self.layout.setName(name)
        page: QgsLayoutItemPage = self.layout.pageCollection().page(0)
        page.setPageSize(QgsLayoutSize(frames.width, frames.height, MM))
        self.map = QgsLayoutItemMap(self.layout)
        self._moves_scale = False

    def build(self, layers: SheetLayers, view: SheetView) -> QgsPrintLayout:
        """Fill the page."""
        self._add_map(layers, view)
        self._add_header()
        located = centre_of(view.extent, view.crs, self.project) is not None
        for frame, sections in self._columns(located):
            self._add_column(frame, sections, layers, view)
        self._add_footer()
        return self.layout

    def _add_map(self, layers: SheetLayers, view: SheetView) -> None:
        item, frame = self.map, self.frames.map
        self.place(item, frame, "map")
        if view.crs.isValid():
            item.setCrs(view.crs)
        item.setLayers(layers.drawn)
        item.setKeepLayerSet(True)
        item.zoomToExtent(view.extent)
        if item.scale() > 0 and view.crs.isValid():
            item.setScale(nice_above(item.scale()))
        item.setBackgroundColor(QColor("#f3f3f0"))
        item.setFrameEnabled(True)
        item.setFrameStrokeColor(QColor(INK))
        item.setFrameStrokeWidth(QgsLayoutMeasurement(0.3, MM))
        self.layout.setReferenceMap(item)
        if view.crs.isValid():
            add_grid(item, 5.25 * self.frames.type_size)

    def _add_header(self) -> None:
        frames, frame, unit = self.frames, self.frames.header, self.frames.unit
        self.rectangle(frame, ACCENT, "header")
        pad = 4.0 * unit
        right = 0.27 * frame.width
        width = frame.width - right - 3 * pad
        title, size = fitted(self.text.title, width, 8.6 * unit, TITLE_PT * frames.type_size, 7.5, True)
        lines = len(wrapped(title, width, size, True)[0])
        height = lines * line_height_mm(size)
        room = frame.height - height - 2 * unit
        subtitle, small = fitted(self.text.subtitle, width, room, SUBTITLE_PT * frames.type_size, LEAST_PT)
        below = len(wrapped(subtitle, width, small)[0]) * line_height_mm(small)
        top = frame.y + max((frame.height - height - below) / 2, 0.5)
        self.label(Frame(frame.x + pad, top, width, height), title, size, "#ffffff", True, "title")
        self.label(Frame(frame.x + pad, top + height, width, below), subtitle, small, "#dfe7f0", False, "subtitle")
        x = frame.right - right - pad
        half = frame.height / 2
        name, size = fitted(self.text.organisation, right, half - 1.5 * unit, 9.0 * frames.type_size, LEAST_PT, True)
        place = Frame(x, frame.y + 1.5 * unit, right, half - 1.5 * unit)
        if name:
            item = self.label(place, name, size, "#ffffff", True, "organisation")
            item.setHAlign(Qt.AlignmentFlag.AlignRight)
            item.setVAlign(Qt.AlignmentFlag.AlignBottom)
        if self.text.date:
            dated, size = fitted(
                tr("Produced {date}").format(date=self.text.date), right, 5 * unit, 7.5 * frames.type_size, LEAST_PT
            )
            y = frame.y + half + 0.8 * unit if name else frame.y + half - line_height_mm(size) / 2
            item = self.label(Frame(x, y, right, 5 * unit), dated, size, "#dfe7f0", False, "date")
            item.setHAlign(Qt.AlignmentFlag.AlignRight)

    def _columns(self, located: bool) -> List[Tuple[Frame, Sequence[str]]]:
        panel, gap = self.frames.panel, 5.0 * self.frames.unit
        place = ["locator"] if located else []
        if self.frames.landscape:
            return [(panel, ["legend", "figures", "scale", *place])]
        width = (panel.width - 2 * gap) / 3
        places = [Frame(panel.x + number * (width + gap), panel.y, width, panel.height) for number in range(3)]
        return [(places[0], ["legend", "scale"]), (places[1], ["figures"]), (places[2], [*place, "moved scale"])]

    def _add_column(self, frame: Frame, sections: Sequence[str], layers: SheetLayers, view: SheetView) -> None:
        unit, top = self.frames.unit, frame.y
        for section in sections:
            rest = Frame(frame.x, top, frame.width, frame.bottom - top)
            if section == "legend":
                top = self._add_legend(rest, layers)
            elif section == "figures":
                keep = 0.0 if not self.frames.landscape else (20.0 + 38.0) * unit
                top = self._add_figures(Frame(rest.x, rest.y, rest.width, rest.height - keep))
            elif section == "scale":
                # Below a long legend there is no room: it goes below a smaller map of the place.
                self._moves_scale = not self.frames.landscape and rest.height < SCALE_MM * unit
                top = top if self._moves_scale else self._add_scale(rest, view)
            elif section == "moved scale" and self._moves_scale:
                top = self._add_scale(rest, view)
            elif section == "locator" and rest.height > 24 * unit:
                body = self.heading(rest, tr("Location"))
                height = body.height - ((SCALE_MM + 3.0) * unit if self._moves_scale else 0.0)
                place = Frame(body.x, body.y, body.width, min(height, body.width * 0.9))
                add_locator(self, place, layers, view)
                top = place.bottom
            top += 3.0 * unit

    def _add_legend(self, frame: Frame, layers: SheetLayers) -> float:
        body = self.heading(frame, tr("Legend"))
        height = add_legend(self, body, layers)
        return body.y + height

    def _add_figures(self, frame: Frame) -> float:
        body = self.heading(frame, tr("Key figures"))
        unit, size = self.frames.unit, BODY_PT * self.frames.type_size
        split, top = body.width * 0.42, body.y
        for number, (name, value) in enumerate(self.text.figures):
            shown_size = size + 1.25 if number == 0 else size
            shown, fits = fitted(
                value, body.width - split, 2.1 * line_height_mm(shown_size), shown_size, LEAST_PT, True
            )
            lines = len(wrapped(shown, body.width - split, fits, True)[0])
            named, name_size = fitted(name, split - unit, 2.1 * line_height_mm(size), size, LEAST_PT)
            height = max(
                lines * line_height_mm(fits),
                len(wrapped(named, split - unit, name_size)[0]) * line_height_mm(name_size),
            )
            if top + height > body.bottom:
                break
            self.label(Frame(body.x, top, split - unit, height), named, name_size, QUIET, False, f"figure {number + 1}")
            place = Frame(body.x + split, top, body.width - split, height)
            self.label(place, shown, fits, ACCENT if number == 0 else INK, True, f"value {number + 1}")
            top += height + 0.9 * unit
        return top

    def _add_scale(self, frame: Frame, view: SheetView) -> float:
        unit, size = self.frames.unit, SMALL_PT * self.frames.type_size
        if not view.crs.isValid():
            note = tr("No coordinate system: scale and place are not known.")
            self.label(Frame(frame.x, frame.y, frame.width, 8 * unit), note, size, QUIET, False, "scale note")
            return frame.y + 8 * unit
        arrow = Frame(frame.right - 10 * unit, frame.y, 10 * unit, 13 * unit)
        self._add_north(arrow)
        width = arrow.x - frame.x - 2 * unit
        told = tr("Scale 1:{scale} on {page}").format(
            scale=number_text(round(self.map.scale()), 9), page=self.frames.page
        )
        height = line_height_mm(size + 0.75)
        self.label(Frame(frame.x, frame.y, frame.width - 11 * unit, height), told, size + 0.75, INK, True, "scale")
        below = add_scale_bar(self, Frame(frame.x, frame.y + height + 0.8 * unit, width, 8 * unit))
        name, small = fitted(crs_text(view.crs), frame.width, 2 * line_height_mm(size), size, LEAST_PT)
        lines = len(wrapped(name, frame.width, small)[0]) * line_height_mm(small)
        place = Frame(frame.x, max(frame.y + 14 * unit, below + 0.3), frame.width, lines)
        self.label(place, name, small, QUIET, False, "coordinate system")
        return place.bottom

    def _add_north(self, frame: Frame) -> None:
        with open(os.path.join(PACKAGE_FOLDER, "resources", "icons", "north_arrow.svg"), "rb") as file:
            drawing = base64.b64encode(file.read()).decode("ascii")
        picture = QgsLayoutItemPicture(self.layout)
        # Kept within the layout, so that it is still there where this plugin is not.
        picture.setPicturePath(f"base64:{drawing}", QgsLayoutItemPicture.Format.FormatSVG)
        picture.setLinkedMap(self.map)
        picture.setNorthMode(QgsLayoutItemPicture.NorthMode.TrueNorth)
        self.place(picture, frame, "north arrow")

    def _add_footer(self) -> None:
        frame, unit, size = self.frames.footer, self.frames.unit, SMALL_PT * self.frames.type_size
        gap = 5.0 * unit
        width = (frame.width - 2 * gap) / 3
        parts = (
            (tr("Sources"), "\n".join(self.text.sources)),
            (tr("Confidence"), self.text.confidence),
            (tr("Disclaimer"), self.text.disclaimer),
        )
        for number, (name, told) in enumerate(parts):
            body = self.heading(Frame(frame.x + number * (width + gap), frame.y, width, frame.height), name)
            shown, fits = fitted(told, body.width, body.height, size, LEAST_PT)
            self.label(body, shown, fits, INK, False, name.lower())

    def heading(self, frame: Frame, name: str) -> Frame:
        """A heading with a rule below; returns what is left of the frame."""
        unit, size = self.frames.unit, HEADING_PT * self.frames.type_size
        height = line_height_mm(size)
        self.label(Frame(frame.x, frame.y, frame.width, height), name, size, ACCENT, True, f"heading {name.lower()}")
        self.rectangle(Frame(frame.x, frame.y + height + 0.4 * unit, frame.width, 0.25 * unit), ACCENT, "rule")
        used = max(HEADING_MM * unit, height + 1.6 * unit)
        return Frame(frame.x, frame.y + used, frame.width, frame.height - used)

    def label(self, frame: Frame, told: str, size: float, colour: str, bold: bool, name: str) -> QgsLayoutItemLabel:
        """Text in a frame."""
        item = QgsLayoutItemLabel(self.layout)
        # Brackets and per cent signs begin an expression in labels.
        item.setText(told.replace("[%", "[\u200b%"))
        set_letters(item, size, bold, colour)
        self.place(item, frame, name)
        return item

    def rectangle(self, frame: Frame, colour: str, name: str) -> None:
        """A filled rectangle."""
        item = QgsLayoutItemShape(self.layout)
        item.setShapeType(QgsLayoutItemShape.Shape.Rectangle)
        item.setSymbol(QgsFillSymbol.createSimple({"color": colour, "outline_style": "no"}))
        self.place(item, frame, name)

    def place(self, item: QgsLayoutItem, frame: Frame, name: str) -> None:
        """Put an item on the page."""
        self.layout.addLayoutItem(item)
        item.attemptSetSceneRect(QRectF(frame.x, frame.y, frame.width, frame.height))
        item.setId(name)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("MapSheet", text)
