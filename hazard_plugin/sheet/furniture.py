"""Grid, legend and scale bar of a sheet."""

from typing import Any

from qgis.core import (
    QgsDistanceArea,
    QgsLayerTreeLayer,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemMapGrid,
    QgsLayoutItemScaleBar,
    QgsLayoutSize,
    QgsLegendRenderer,
    QgsLegendStyle,
    QgsLineSymbol,
    QgsMapLayerLegendUtils,
    QgsPalettedRasterRenderer,
    QgsPointXY,
    QgsRasterLayer,
    QgsRuleBasedRenderer,
    QgsUnitTypes,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSizeF
from qgis.PyQt.QtGui import QColor

from ..compat import set_legend_format
from .frames import Frame, interval_below, nice_interval
from .layers import SheetLayers
from .lettering import text_format

ELLIPSOID = "EPSG:7030"
ORIGIN = "origin"
ORIGINS = ("model", "manual", "removed")
"""Who drew polygons, in the order of the rules of their style."""
LEAST_LEGEND = 0.6
"""Share of its usual size to which a long legend is made smaller."""
LINES = 3
"""Lines of the grid across the shorter side of the map."""


def add_grid(item: QgsLayoutItemMap, size_pt: float) -> None:
    """Crosses at round coordinates, written around the map."""
    extent = item.extent()
    step = nice_interval(min(extent.width(), extent.height()), LINES)
    grid = QgsLayoutItemMapGrid("Coordinates", item)
    grid.setIntervalX(step)
    grid.setIntervalY(step)
    grid.setStyle(QgsLayoutItemMapGrid.GridStyle.Cross)
    grid.setCrossLength(2.0)
    grid.setLineSymbol(line_symbol("#1f1f1f", 0.15))
    grid.setFrameStyle(QgsLayoutItemMapGrid.FrameStyle.ExteriorTicks)
    grid.setFrameWidth(1.0)
    grid.setFramePenSize(0.2)
    grid.setFramePenColor(QColor("#1f1f1f"))
    annotate(grid, item.crs().isGeographic(), step, size_pt)
    item.grids().addGrid(grid)


def annotate(grid: QgsLayoutItemMapGrid, is_geographic: bool, step: float, size_pt: float) -> None:
    """Coordinates outside the map: whole metres, or degrees and minutes."""
    grid.setAnnotationEnabled(True)
    if is_geographic:
        grid.setAnnotationFormat(QgsLayoutItemMapGrid.AnnotationFormat.DegreeMinute)
        grid.setAnnotationPrecision(0 if step >= 1 / 60 else 2)
    else:
        grid.setAnnotationFormat(QgsLayoutItemMapGrid.AnnotationFormat.CustomFormat)
        places = 0 if step >= 1 else 3
        grid.setAnnotationExpression(f"replace(format_number(@grid_number, {places}, 'en'), ',', '\u202f')")
    grid.setAnnotationTextFormat(text_format(size_pt, QColor("#3c3c3c")))
    grid.setAnnotationFrameDistance(0.7)
    for side in (QgsLayoutItemMapGrid.BorderSide.Left, QgsLayoutItemMapGrid.BorderSide.Right):
        grid.setAnnotationDirection(QgsLayoutItemMapGrid.AnnotationDirection.Vertical, side)


def add_graticule(item: QgsLayoutItemMap, crs: Any, step: float) -> None:
    """Thin lines of longitude and latitude."""
    grid = QgsLayoutItemMapGrid("Graticule", item)
    grid.setCrs(crs)
    grid.setIntervalX(step)
    grid.setIntervalY(step)
    grid.setLineSymbol(line_symbol("#9fb3c8", 0.1))
    item.grids().addGrid(grid)


def line_symbol(colour: str, width_mm: float) -> QgsLineSymbol:
    """A simple line."""
    return QgsLineSymbol.createSimple({"line_color": colour, "line_width": str(width_mm)})


def add_legend(builder: Any, frame: Frame, layers: SheetLayers) -> float:
    """What the map draws, by names for people; returns the height it takes in millimetres."""
    legend = QgsLayoutItemLegend(builder.layout)
    builder.place(legend, frame, "legend")
    legend.setLinkedMap(builder.map)
    legend.setAutoUpdateModel(False)
    legend.setLegendFilterByMapEnabled(False)
    root = legend.model().rootGroup()
    root.removeAllChildren()
    for layer in layers.legend:
        node: QgsLayerTreeLayer = root.addLayer(layer)
        if isinstance(layer, QgsRasterLayer):
            QgsLegendRenderer.setNodeLegendStyle(node, QgsLegendStyle.Style.Hidden)
            keep_seen(legend, node, layer)
        elif isinstance(layer, QgsVectorLayer) and isinstance(layer.renderer(), QgsRuleBasedRenderer):
            QgsLegendRenderer.setNodeLegendStyle(node, QgsLegendStyle.Style.Hidden)
            keep_present(legend, node, layer)
    share, needed = 1.0, dress_legend(builder, legend, 1.0)
    while needed.height() > frame.height and share > LEAST_LEGEND:
        share -= 0.05
        needed = dress_legend(builder, legend, share)
    legend.attemptResize(QgsLayoutSize(needed.width(), needed.height(), QgsUnitTypes.LayoutUnit.LayoutMillimeters))
    return float(needed.height())


def dress_legend(builder: Any, legend: QgsLayoutItemLegend, share: float) -> QSizeF:
    """Letters and symbols of a legend at a share of their usual size; returns the room it takes."""
    unit = builder.frames.unit * share
    size = builder.frames.type_size
    letters = text_format(7.0 * size * share, QColor("#1f1f1f"))
    for part in (
        QgsLegendStyle.Style.Subgroup,
        QgsLegendStyle.Style.SymbolLabel,
        QgsLegendStyle.Style.Group,
        QgsLegendStyle.Style.Title,
    ):
        set_legend_format(legend, part, letters)
    legend.setSymbolWidth(6.5 * unit)
    legend.setSymbolHeight(3.4 * unit)
    for part in (
        QgsLegendStyle.Style.Title,
        QgsLegendStyle.Style.Group,
        QgsLegendStyle.Style.Subgroup,
        QgsLegendStyle.Style.Symbol,
    ):
        legend.rstyle(part).setMargin(QgsLegendStyle.Side.Top, 0.0)
        legend.rstyle(part).setMargin(QgsLegendStyle.Side.Bottom, 0.0)
    legend.rstyle(QgsLegendStyle.Style.Symbol).setMargin(QgsLegendStyle.Side.Top, 1.3 * unit)
    legend.setBoxSpace(0.0)
    legend.setBackgroundEnabled(False)
    legend.adjustBoxSize()
    renderer = QgsLegendRenderer(legend.model(), legend.legendSettings())
    return renderer.minimumSize()


def keep_present(legend: QgsLayoutItemLegend, node: QgsLayerTreeLayer, layer: QgsVectorLayer) -> None:
    """Leave out of the entries of hazard polygons those of which there are none: by hand, removed by hand."""
    index = layer.fields().lookupField(ORIGIN)
    rules = layer.renderer().rootRule().children()
    if index < 0 or len(rules) != len(ORIGINS):
        return
    origins = {str(value).lower() for value in layer.uniqueValues(index)}
    entries = len(legend.model().layerOriginalLegendNodes(node))
    wanted = [number for number in range(entries) if number >= len(ORIGINS) or ORIGINS[number] in origins]
    QgsMapLayerLegendUtils.setLegendNodeOrder(node, wanted)
    legend.model().refreshLayerLegend(node)


def keep_seen(legend: QgsLayoutItemLegend, node: QgsLayerTreeLayer, layer: QgsRasterLayer) -> None:
    """Leave out of a raster's entries those that are drawn as nothing, and the name of its band."""
    renderer = layer.renderer()
    entries = legend.model().layerOriginalLegendNodes(node)
    if not isinstance(renderer, QgsPalettedRasterRenderer):
        return
    seen = {kind.label for kind in renderer.classes() if kind.color.alpha() > 0}
    wanted = [number for number, entry in enumerate(entries) if str(entry.data(0)) in seen]
    QgsMapLayerLegendUtils.setLegendNodeOrder(node, wanted)
    legend.model().refreshLayerLegend(node)


def add_scale_bar(builder: Any, frame: Frame) -> float:
    """A bar of round length that fits into the frame's width; returns where it ends below."""
    item = builder.map
    extent = item.extent()
    measure = QgsDistanceArea()
    measure.setSourceCrs(item.crs(), builder.project.transformContext())
    measure.setEllipsoid(ELLIPSOID)
    middle = extent.center().y()
    ground = measure.measureLine(QgsPointXY(extent.xMinimum(), middle), QgsPointXY(extent.xMaximum(), middle))
    ground_of_mm = ground / builder.frames.map.width
    step = interval_below(ground_of_mm * frame.width * 0.82 / 4)
    bar = QgsLayoutItemScaleBar(builder.layout)
    builder.place(bar, frame, "scale bar")
    bar.setStyle("Single Box")
    bar.setLinkedMap(item)
    kilometres = step >= 500
    bar.setUnits(
        QgsUnitTypes.DistanceUnit.DistanceKilometers if kilometres else QgsUnitTypes.DistanceUnit.DistanceMeters
    )
    bar.setUnitLabel("km" if kilometres else "m")
    bar.setMapUnitsPerScaleBarUnit(1.0)
    bar.setNumberOfSegmentsLeft(0)
    bar.setNumberOfSegments(4)
    bar.setUnitsPerSegment(step / 1000 if kilometres else step)
    bar.setHeight(1.6 * builder.frames.unit)
    bar.setTextFormat(text_format(5.75 * builder.frames.type_size, bar.textFormat().color()))
    bar.setBoxContentSpace(0.0)
    bar.setLabelBarSpace(0.8)
    bar.setBackgroundEnabled(False)
    bar.refresh()
    return float(bar.sceneBoundingRect().bottom())
