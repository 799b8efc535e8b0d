"""Tells polygons of the model that somebody has redrawn by the area that was written beside them."""

from __future__ import annotations

import math
from typing import Any

from osgeo import osr

from ..raster.gdal_setup import FAULTS

TOLERANCE = 0.005
"""Share by which the area of an untouched polygon may be off: digits of a format, another ellipsoid of the CRS."""


class WrittenAreas:
    """Compares the polygons of a layer with the areas written beside them, on the ellipsoid.

    An equal-area projection about the first polygon measures all: a scene is small, and may lie at a pole or at the
    date line.
    """

    def __init__(self, crs: Any) -> None:
        self._crs = crs.Clone() if crs is not None and (crs.IsProjected() or crs.IsGeographic()) else None
        if self._crs is not None:
            self._crs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
        self._move: Any = None

    def differ(self, geometry: Any, written: Any) -> bool:
        """Whether a geometry of the layer has another area than the one written; no where that cannot be said."""
        try:
            area = float(written)
            if self._crs is None or not (math.isfinite(area) and area > 0):
                return False
            self._move = self._move or self._equal_area(geometry)
            measured = geometry.Clone()
            measured.Transform(self._move)
            return bool(abs(measured.GetArea() - area) > TOLERANCE * area)
        except (*FAULTS, TypeError, ValueError):
            return False

    def _equal_area(self, geometry: Any) -> Any:
        west, east, south, north = geometry.GetEnvelope()
        wgs84 = osr.SpatialReference()
        wgs84.ImportFromEPSG(4326)
        wgs84.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
        to_lonlat = osr.CoordinateTransformation(self._crs, wgs84)
        longitude, latitude, _ = to_lonlat.TransformPoint((west + east) / 2, (south + north) / 2)
        around = osr.SpatialReference()
        around.ImportFromProj4(f"+proj=laea +lat_0={latitude} +lon_0={longitude} +datum=WGS84 +units=m")
        return osr.CoordinateTransformation(self._crs, around)
