"""The small map that shows where on Earth a sheet lies; it needs no network."""

from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFillSymbol,
    QgsLayoutItemMap,
    QgsLayoutMeasurement,
    QgsRectangle,
    QgsUnitTypes,
)
from qgis.PyQt.QtGui import QColor

from .frames import Frame
from .furniture import add_graticule
from .layers import SheetLayers
from .projection import GEOGRAPHIC, centre_of

HALF_WIDTH_M = 900_000.0
TIMES = 3.0
"""How many times wider than the map a locator is at least."""
MARK = "#d7301f"


def add_locator(builder: Any, frame: Frame, layers: SheetLayers, view: Any) -> None:
    """Countries and graticule around the area, with a frame where it is."""
    centre = centre_of(view.extent, view.crs, builder.project)
    if centre is None:
        return
    crs = QgsCoordinateReferenceSystem()
    crs.createFromProj(f"+proj=laea +lat_0={centre.y():.2f} +lon_0={centre.x():.2f} +datum=WGS84 +units=m +no_defs")
    ground = builder.frames.map.width / 1000 * builder.map.scale()
    half = max(HALF_WIDTH_M, ground / 2 * TIMES)
    item = QgsLayoutItemMap(builder.layout)
    builder.place(item, frame, "locator")
    item.setCrs(crs)
    item.setLayers([layers.countries] if layers.countries is not None else [])
    item.setKeepLayerSet(True)
    tall = half * frame.height / frame.width
    item.setExtent(QgsRectangle(-half, -tall, half, tall))
    item.setBackgroundColor(QColor("#eaf1f7"))
    item.setFrameEnabled(True)
    item.setFrameStrokeColor(QColor("#5c5c5c"))
    item.setFrameStrokeWidth(QgsLayoutMeasurement(0.2, QgsUnitTypes.LayoutUnit.LayoutMillimeters))
    add_graticule(item, QgsCoordinateReferenceSystem(GEOGRAPHIC), 5.0 if half < 2_000_000 else 10.0)
    overview = item.overview()
    overview.setLinkedMap(builder.map)
    # A wide line keeps the mark to be seen where the area is a point at this scale.
    overview.setFrameSymbol(
        QgsFillSymbol.createSimple(
            {"color": "215,48,31,60", "outline_color": MARK, "outline_width": "0.9", "joinstyle": "miter"}
        )
    )
