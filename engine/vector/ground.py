"""Areas on the ellipsoid of polygons on a mask's grid, as they are written beside the polygons."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from osgeo import ogr

from ..raster.georeference import ASSUMED_GSD_M, Georeference, Window
from .outlines import from_wkb, gather, ground_areas, signed_area

FINEST_CELL_PX, MOST_CELLS = 8, 250_000
"""Pixels of a cell share one ellipsoidal area; small cells serve small polygons, few cells large masks."""
DIGITS = 6
"""Of pixel positions: a corner between two cells stays between them on its way to the ground and back."""
TOLERANCE = 0.005
"""Share by which the area of an untouched polygon may be off: digits of a format, another grid."""


class GroundAreas:
    """Measures polygons by the ellipsoidal areas of a grid's pixels; without a CRS these are taken as 10 m wide."""

    def __init__(self, georeference: Georeference) -> None:
        self._georeference = georeference
        width, height = georeference.width, georeference.height
        self.size_m = georeference.pixel_size_m() or (ASSUMED_GSD_M, ASSUMED_GSD_M)
        self.cell_px = max(FINEST_CELL_PX, math.ceil(math.sqrt(width * height / MOST_CELLS)))
        self.pixel_areas = georeference.cell_pixel_areas(Window(0, 0, width, height), self.cell_px, self.size_m)

    def of(self, wkb: bytes) -> float:
        """Area in m2 of one polygon or multipolygon of the grid's CRS."""
        parts = [[np.round(self._georeference.to_pixels(ring), DIGITS) for ring in part] for part in from_wkb(wkb)]
        outlines = gather([(0, [part for part in parts if signed_area(part[0])])])
        return float(ground_areas(outlines, self.pixel_areas, self.cell_px, 0, 1)[0])

    def is_as_written(self, geometry: Any, written: float) -> bool:
        """Whether a geometry of the grid's CRS still has the area that was written for it, by a quick look.

        A polygon has about as many pixels as its planar area says, each with the area of those in its middle.
        """
        affine = self._georeference.geotransform
        if affine is None:
            return False
        west, east, south, north = geometry.GetEnvelope()
        a, b, c, d, e, f = affine
        x, y, pixel = (west + east) / 2 - a, (south + north) / 2 - d, b * f - c * e
        row, column = (int((b * y - e * x) / pixel) // self.cell_px, int((f * x - c * y) / pixel) // self.cell_px)
        rows, columns = self.pixel_areas.shape
        nearest = self.pixel_areas[min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)]
        return bool(abs(geometry.GetArea() / abs(pixel) * nearest - written) <= TOLERANCE * written)

    def differs(self, wkb: bytes, written: float) -> bool:
        """Whether a polygon has another area than was written for it; no where it lies beyond the grid."""
        west, east, south, north = ogr.CreateGeometryFromWkb(wkb).GetEnvelope()
        corners = np.asarray([[west, south], [west, north], [east, south], [east, north]], np.float64)
        pixels = self._georeference.to_pixels(corners)
        limit = np.asarray([self._georeference.width, self._georeference.height]) + self.cell_px
        if (pixels < -self.cell_px).any() or (pixels > limit).any():
            return False
        return abs(self.of(wkb) - written) > (TOLERANCE + self._unevenness) * written

    @functools.cached_property
    def _unevenness(self) -> float:
        """Share by which the areas of neighbouring cells differ: what lies between two may be counted in either."""
        areas = self.pixel_areas
        steps = [np.abs(np.diff(areas, axis=axis)).max(initial=0) for axis in (0, 1)]
        return float(max(steps) / areas.min())
