"""Polygons in a mask's own CRS, drawn on windows of its grid."""

from __future__ import annotations

from collections.abc import Iterable

from osgeo import ogr

from ..raster.georeference import Georeference
from .area import AreaMask
from .near import polygons_of


class ShapeMask(AreaMask):
    """Shapes as a pixel mask: a pixel belongs to them if its centre does. There may be none.

    Args:
        shapes: polygons as WKB, in the CRS of the grid.
        georeference: of the grid.
    """

    def __init__(self, shapes: Iterable[bytes], georeference: Georeference) -> None:
        self._name = "shapes"
        self.has_crs = True
        self._boxes: list[tuple[float, float, float, float]] = []
        self._memory = ogr.GetDriverByName("Memory").CreateDataSource("shapes")
        self._layer = self._memory.CreateLayer("shapes", None, ogr.wkbPolygon)
        for shape in shapes:
            geometry = ogr.CreateGeometryFromWkb(shape)  # its parts live no longer than it does
            for polygon in polygons_of(geometry):
                self._add(polygon, georeference)
