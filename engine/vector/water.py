"""Polygons in: water that is always there, or what cannot be seen, as a pixel mask window by window."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import gdal, ogr

from ..protocol import BadInput
from ..raster.gdal_setup import FAULTS, first_line, prepare_gdal
from ..raster.georeference import Georeference, Window
from ..raster.scene import require_file
from .area import AreaMask
from .near import has_polygons

POLYGON_TYPES = (ogr.wkbPolygon, ogr.wkbMultiPolygon, ogr.wkbCurvePolygon, ogr.wkbMultiSurface)


class ReferencePolygons(AreaMask):
    """Polygons near a mask, ready to be drawn on windows of its grid; only what is near it is read.

    Args:
        path: any vector file; every layer and polygon of it counts.
        georeference: of the mask.
        noun: what the polygons are, in messages.
        expected: what they show, in messages.

    Raises:
        BadInput: when the file cannot be read or has no polygons anywhere.
    """

    def __init__(self, path: str, georeference: Georeference, noun: str, expected: str) -> None:
        prepare_gdal()
        require_file(path, noun)
        self._name = os.path.basename(path)
        self.has_crs = True
        self._boxes: list[tuple[float, float, float, float]] = []
        self._memory = ogr.GetDriverByName("Memory").CreateDataSource("reference")
        self._layer = self._memory.CreateLayer("reference", None, ogr.wkbPolygon)
        try:
            source = gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_READONLY)
            layers = [source.GetLayer(index) for index in range(source.GetLayerCount())]
            for layer in layers:
                if layer.GetSpatialRef() is None:
                    raise BadInput(f"The {noun} '{self._name}' has no CRS; assign it to the file first.")
                self._take(layer, georeference)
            self.is_near = self._layer.GetFeatureCount() > 0
            if not self.is_near and not any(_is_of_polygons(layer) for layer in layers):
                raise BadInput(f"The {noun} '{self._name}' holds no polygon; give polygons of {expected}.")
        except FAULTS as error:
            raise BadInput(f"The {noun} '{self._name}' cannot be read ({first_line(error)}); give polygons.") from None

    def read_window(self, window: Window) -> npt.NDArray[np.bool_]:
        """Where the centres of the window's pixels ``(height, width)`` lie in a polygon."""
        if not self.touches(window):
            return np.zeros((window.height, window.width), bool)
        return super().read_window(window)


def _is_of_polygons(layer: Any) -> bool:
    return ogr.GT_Flatten(layer.GetGeomType()) in POLYGON_TYPES or has_polygons(layer)
