"""How the layers of a delivery look: readable over imagery and on paper, told apart without colour vision."""

from typing import Any, Dict, List, Optional, Tuple

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFeatureRenderer,
    QgsFillSymbol,
    QgsLinePatternFillSymbolLayer,
    QgsRendererCategory,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor

from .package_schema import (
    AREA_OF_INTEREST,
    IMAGE_FOOTPRINT,
    NO_DATA,
    NOT_ANALYSED,
    OBSERVED_EVENT,
    Layout,
)
from .package_schema import FOOTPRINT as FOOTPRINT_TYPE

EVENT_COLOURS: Dict[str, Tuple[int, int, int]] = {
    "5-Flood": (31, 120, 220),
    "6-Mass Movement": (230, 97, 1),
    "8-Wildfire": (200, 30, 60),
}
OTHER_COLOUR = (152, 46, 158)
FILL_ALPHA = 140
"""Of 255: the image shows through."""


def dress(layer: QgsVectorLayer, layout: Layout) -> None:
    """Give a layer of the package its style and the columns their long names."""
    for index, column in enumerate(layer.fields()):
        for known in layout.columns:
            if known.name == column.name():
                layer.setFieldAlias(index, known.alias)
    renderer = renderer_of(layout)
    if renderer is not None:
        layer.setRenderer(renderer)


def renderer_of(layout: Layout) -> Optional[QgsFeatureRenderer]:
    """Renderer of a layer; None for the table."""
    if layout is OBSERVED_EVENT:
        kinds = [(name, name, event_symbol(colour)) for name, colour in EVENT_COLOURS.items()]
        return categorised("event_type", [*kinds, (None, "Other event", event_symbol(OTHER_COLOUR))])
    if layout is AREA_OF_INTEREST:
        return QgsSingleSymbolRenderer(outline("#000000", 0.66, "solid"))
    if layout is IMAGE_FOOTPRINT:
        return categorised(
            "obj_type",
            [
                (FOOTPRINT_TYPE, FOOTPRINT_TYPE, outline("#000000", 0.5, "dash")),
                (NOT_ANALYSED, NOT_ANALYSED, hatched("#404040", 45.0)),
                (NO_DATA, NO_DATA, hatched("#404040", 135.0)),
            ],
        )
    return None


def categorised(column: str, kinds: List[Tuple[Any, str, QgsFillSymbol]]) -> QgsCategorizedSymbolRenderer:
    """Renderer by the values of a column."""
    return QgsCategorizedSymbolRenderer(column, [QgsRendererCategory(v, symbol, label) for v, label, symbol in kinds])


def event_symbol(colour: Tuple[int, int, int]) -> QgsFillSymbol:
    """See-through fill with a darker edge."""
    edge = QColor(*colour).darker(150)
    return QgsFillSymbol.createSimple(
        {
            "color": ",".join(map(str, (*colour, FILL_ALPHA))),
            "outline_color": edge.name(),
            "outline_width": "0.2",
        }
    )


def outline(colour: str, width_mm: float, pattern: str) -> QgsFillSymbol:
    """Edge without fill."""
    return QgsFillSymbol.createSimple(
        {"style": "no", "outline_color": colour, "outline_width": str(width_mm), "outline_style": pattern}
    )


def hatched(colour: str, angle: float) -> QgsFillSymbol:
    """Hatching with a thin edge: nobody takes it for a class of hazard, nor for nothing."""
    lines = QgsLinePatternFillSymbolLayer()
    lines.setLineAngle(angle)
    lines.setDistance(1.6)
    lines.setLineWidth(0.3)
    lines.setColor(QColor(colour))
    symbol = outline(colour, 0.2, "solid")
    symbol.insertSymbolLayer(0, lines)
    return symbol
