"""The layers that a sheet or a report draws: the analyst's own where they are in the project, else dressed copies."""

import os
from dataclasses import dataclass, field
from typing import Any, Callable, List, Mapping, Optional, Tuple

from qgis.core import (
    QgsApplication,
    QgsContrastEnhancement,
    QgsCoordinateReferenceSystem,
    QgsFeatureRequest,
    QgsFillSymbol,
    QgsGeometry,
    QgsMapLayer,
    QgsMultiBandColorRenderer,
    QgsPalettedRasterRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsRasterMinMaxOrigin,
    QgsRectangle,
    QgsSingleBandGrayRenderer,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QColor

from ...engine import protocol
from ..hazards import hazard_colour, hazard_title
from ..layer_origin import UNASSESSED_KIND, kind_of_layer, remember_origin
from .content import area_figure, is_new, number_text, title_of_hazard

MASK_ALPHA = 190
UNASSESSED = "#b9b9b9"
UNASSESSED_ALPHA = 225
NOT_ASSESSED_VALUE = 255
REFINED_COLOURS = {protocol.PERMANENT_WATER: "#a6cee3", protocol.ON_SLOPE: "#c7b08a"}
NATURAL = ("red", "green", "blue")
RADAR = ("vv", "vh")


@dataclass(frozen=True)
class MapSources:
    """The analyst's layers."""

    mask: QgsRasterLayer
    scene: Optional[QgsRasterLayer] = None
    polygons: Optional[QgsVectorLayer] = None
    change: Optional[QgsRasterLayer] = None


@dataclass
class SheetLayers:
    """What is drawn, from top to bottom, and which of it is new to the project."""

    drawn: List[QgsMapLayer] = field(default_factory=list)
    legend: List[QgsMapLayer] = field(default_factory=list)
    countries: Optional[QgsVectorLayer] = None
    new: List[QgsMapLayer] = field(default_factory=list)

    def add(self, layer: QgsMapLayer, is_new: bool, in_legend: bool = True) -> None:
        """Draw a layer below those that are there."""
        self.drawn.append(layer)
        if in_legend:
            self.legend.append(layer)
        if is_new:
            self.new.append(layer)

    def let_go(self) -> None:
        """Forget all layers: an error's traceback would keep them, and QGIS must close their files before it ends."""
        self.drawn, self.legend, self.new, self.countries = [], [], [], None


def sheet_layers(
    told: Mapping[str, Any],
    sources: MapSources,
    is_own: Callable[[QgsMapLayer], bool],
    with_outline: bool = True,
) -> SheetLayers:
    """Outlines, change or mask, what is not assessed, area mapped, scene; ``is_own`` layers are drawn as they are."""
    hazard = str(told.get("hazard") or "hazard")
    mask, found = sources.mask, SheetLayers()
    if sources.polygons is not None:
        own = is_own(sources.polygons)
        found.add(sources.polygons if own else outlined(sources.polygons, hazard), not own)
    if sources.change is not None:
        own = is_own(sources.change)
        found.add(sources.change if own else sources.change.clone(), not own)
    else:
        own = is_own(mask) and kind_of_layer(mask) == "mask"
        found.add(mask if own else dressed_mask(mask, hazard, told), not own)
    share = told.get("share_assessed")
    if not isinstance(share, (int, float)) or share < 1:
        found.add(unassessed_layer(mask, hazard), True)
    outline = area_layer(mask.extent(), mask.crs()) if with_outline else None
    if outline is not None:
        found.add(outline, True)
    if sources.scene is not None:
        own = is_own(sources.scene)
        scene = sources.scene if own else dressed_scene(sources.scene, str(told.get("bands") or ""))
        found.add(scene, not own, False)
    return found


def in_project(project: QgsProject, layer: QgsMapLayer) -> bool:
    """Whether a layer is one of the project's own."""
    return project.mapLayer(layer.id()) is not None


def dressed_mask(mask: QgsRasterLayer, hazard: str, told: Mapping[str, Any]) -> QgsRasterLayer:
    """A copy of a mask in its hazard's colour, with what was refined away in colours of their own."""
    layer = mask.clone()
    layer.setName(tr("{hazard} (sheet)").format(hazard=hazard_title(hazard)))
    colour = QColor(hazard_colour(hazard))
    colour.setAlpha(MASK_ALPHA)
    classes = [(1, colour, title_of_hazard(told) if told.get("hazard") else hazard_title(hazard))]
    tags = told.get("tags")
    if isinstance(tags, Mapping) and tags.get("HAZARD_REFINED"):
        water = tr("Permanent water or water on both dates") if is_new(told) else tr("Permanent water")
        titles = {protocol.PERMANENT_WATER: water, protocol.ON_SLOPE: tr("Ruled out by slope")}
        classes += [(value, QColor(colour), titles[value]) for value, colour in REFINED_COLOURS.items()]
    elif is_new(told) and hazard == "flood":
        water = QColor(REFINED_COLOURS[protocol.PERMANENT_WATER])
        classes.append((protocol.PERMANENT_WATER, water, tr("Water on both dates")))
    set_classes(layer, classes)
    remember_origin(layer, "mask", hazard=hazard)
    return layer


def set_classes(layer: QgsRasterLayer, classes: List[Tuple[int, QColor, str]]) -> None:
    """Draw only these values of a raster."""
    entries = [QgsPalettedRasterRenderer.Class(value, colour, label) for value, colour, label in classes]
    layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, entries))


def unassessed_layer(mask: QgsRasterLayer, hazard: str) -> QgsRasterLayer:
    """The mask's file once more, of which only what is not assessed is seen, in grey."""
    layer = QgsRasterLayer(mask.source(), tr("Not assessed"), mask.providerType())
    layer.setCrs(mask.crs())
    layer.dataProvider().setUseSourceNoDataValue(1, False)
    colour = QColor(UNASSESSED)
    colour.setAlpha(UNASSESSED_ALPHA)
    set_classes(layer, [(NOT_ASSESSED_VALUE, colour, tr("Not assessed"))])
    remember_origin(layer, UNASSESSED_KIND, hazard=hazard)
    return layer


def area_layer(extent: QgsRectangle, crs: QgsCoordinateReferenceSystem) -> Optional[QgsVectorLayer]:
    """Outline of the area mapped, kept in the project without a file; None where its system has no EPSG code."""
    authority, _, code = crs.authid().partition(":")
    if authority != "EPSG" or not code.isdigit():
        return None
    # With points along its sides it stays on the pixels in any other system.
    outline = QgsGeometry.fromRect(extent).densifyByCount(24).asWkt()
    query = f"SELECT 1 AS id, SetSRID(GeomFromText('{outline}'), {code}) AS geometry"
    layer = QgsVectorLayer(f"?query={query}&geometry=geometry:3:{code}&uid=id", tr("Area mapped"), "virtual")
    if not layer.isValid():
        return None
    layer.setRenderer(QgsSingleSymbolRenderer(outline_symbol("#1a1a1a", 0.35, "dash")))
    return layer


def outline_symbol(colour: str, width_mm: float, line: str = "solid") -> QgsFillSymbol:
    """A polygon's outline without a fill."""
    return QgsFillSymbol.createSimple(
        {
            "style": "no",
            "outline_color": colour,
            "outline_width": str(width_mm),
            "outline_style": line,
            "joinstyle": "miter",
        }
    )


def polygon_figure(polygons: Optional[QgsVectorLayer]) -> str:
    """``41 (15.1 km²)``, without those that an analyst removed; empty where there are none."""
    if polygons is None:
        return ""
    names = polygons.fields()
    has_area, has_origin = (names.lookupField(name) >= 0 for name in ("area_m2", "origin"))
    count, total = 0, 0.0
    for feature in polygons.getFeatures(QgsFeatureRequest().setFlags(QgsFeatureRequest.Flag.NoGeometry)):
        if has_origin and feature["origin"] == "removed":
            continue
        count += 1
        area = feature["area_m2"] if has_area else None
        total += float(area) if isinstance(area, (int, float)) else 0.0
    told = number_text(count, 9)
    return f"{told} ({area_figure(total)})" if has_area else told


def outlined(polygons: QgsVectorLayer, hazard: str) -> QgsVectorLayer:
    """A copy of polygons that are drawn as outlines."""
    layer = polygons.clone()
    if layer.fields().lookupField("origin") >= 0:
        layer.setSubsetString('"origin" IS NULL OR "origin" <> \'removed\'')
    layer.setName(tr("{hazard} outline").format(hazard=hazard_title(hazard)))
    colour = QColor(hazard_colour(hazard)).darker(170).name()
    layer.setRenderer(QgsSingleSymbolRenderer(outline_symbol(colour, 0.25)))
    return layer


def dressed_scene(scene: QgsRasterLayer, bands: str) -> QgsRasterLayer:
    """A copy of a scene in natural colours where its bands are known, stretched to be seen."""
    layer = scene.clone()
    slots = [slot.strip() for slot in bands.split(",")]
    numbers = [slots.index(name) + 1 for name in NATURAL if name in slots]
    radar = [slots.index(name) + 1 for name in RADAR if name in slots]
    if len(numbers) == 3 and max(numbers) <= layer.bandCount():
        layer.setRenderer(QgsMultiBandColorRenderer(layer.dataProvider(), *numbers))
    elif radar and layer.bandCount() != 3:
        grey_of(layer, radar[0])
    layer.setContrastEnhancement(
        QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum,
        QgsRasterMinMaxOrigin.Limits.CumulativeCut,
        layer.extent(),
        250_000,
    )
    return layer


def grey_of(layer: QgsRasterLayer, band: int) -> None:
    """Draw one band in grey."""
    layer.setRenderer(QgsSingleBandGrayRenderer(layer.dataProvider(), band))


def countries_layer() -> Optional[QgsVectorLayer]:
    """Outlines of countries as installed with QGIS; None where they are not."""
    path = os.path.join(QgsApplication.pkgDataPath(), "resources", "data", "world_map.gpkg")
    if not os.path.exists(path):
        return None
    layer = QgsVectorLayer(f"{path}|layername=countries", tr("Countries"), "ogr")
    if not layer.isValid():
        return None
    symbol = QgsFillSymbol.createSimple({"color": "#e4e1d8", "outline_color": "#8c8c8c", "outline_width": "0.12"})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    layer.setLabelsEnabled(False)
    return layer


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("MapSheet", text)
