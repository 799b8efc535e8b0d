"""Polygons in: water that is always there, or what cannot be seen, as a pixel mask window by window."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import gdal, ogr, osr

from ..protocol import BadInput
from ..raster.gdal_setup import FAULTS, first_line, prepare_gdal
from ..raster.georeference import Georeference, Window
from ..raster.scene import require_file
from .area import AreaMask

SIDE_PARTS = 16
MARGIN = 0.02
"""Share of the mask's extent by which polygons may reach beyond it before they are cut."""
POLYGON_TYPES = (ogr.wkbPolygon, ogr.wkbMultiPolygon, ogr.wkbCurvePolygon, ogr.wkbMultiSurface)


def _is_polygon(geometry: Any) -> bool:
    return geometry is not None and ogr.GT_Flatten(geometry.GetGeometryType()) in (
        *POLYGON_TYPES,
        ogr.wkbGeometryCollection,
    )


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
        self._noun = noun
        self.has_crs = True
        self._boxes: list[tuple[float, float, float, float]] = []
        self._memory = ogr.GetDriverByName("Memory").CreateDataSource("reference")
        self._layer = self._memory.CreateLayer("reference", None, ogr.wkbPolygon)
        any_polygon = False
        try:
            source = gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_READONLY)
            for index in range(source.GetLayerCount()):
                layer = source.GetLayer(index)
                any_polygon = self._copy_near(layer, georeference) or any_polygon
        except FAULTS as error:
            raise BadInput(f"The {noun} '{self._name}' cannot be read ({first_line(error)}); give polygons.") from None
        if not any_polygon:
            raise BadInput(f"The {noun} '{self._name}' holds no polygon; give polygons of {expected}.")
        self.is_near = self._layer.GetFeatureCount() > 0

    def _copy_near(self, layer: Any, georeference: Georeference) -> bool:
        """Take the parts of a layer's polygons that are near the mask; whether the layer has polygons at all."""
        crs = layer.GetSpatialRef()
        if crs is None:
            raise BadInput(f"The {self._noun} '{self._name}' has no CRS; assign it to the file first.")
        crs = crs.Clone()
        crs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
        box = self._box_near(georeference, crs)
        near = ogr.GetDriverByName("Memory").CreateDataSource("near")
        cut = near.CreateLayer("near", crs, ogr.wkbUnknown)
        has_polygons = ogr.GT_Flatten(layer.GetGeomType()) in POLYGON_TYPES
        layer.SetSpatialFilter(box)
        for feature in layer:
            if not _is_polygon(feature.GetGeometryRef()):
                continue
            has_polygons = True
            geometry = feature.GetGeometryRef().GetLinearGeometry()
            if box is not None:  # an ocean need not fit into the mask's CRS
                with contextlib.suppress(*FAULTS):  # an invalid polygon is taken whole
                    geometry = geometry.Intersection(box) or geometry
            taken = ogr.Feature(cut.GetLayerDefn())
            taken.SetGeometry(geometry)
            cut.CreateFeature(taken)
        self._take(cut, georeference)
        if not has_polygons:  # near the mask; elsewhere there may be some
            layer.SetSpatialFilter(None)
            has_polygons = any(_is_polygon(feature.GetGeometryRef()) for feature in layer)
        return has_polygons

    def _box_near(self, georeference: Georeference, crs: Any) -> Any:
        """Rectangle around the mask in a layer's CRS; None where it cannot be said, so that all is read."""
        steps = np.linspace(-MARGIN, 1 + MARGIN, SIDE_PARTS)
        low, high = np.full(SIDE_PARTS, -MARGIN), np.full(SIDE_PARTS, 1 + MARGIN)
        sides = [np.stack(pair, axis=1) for pair in ((steps, low), (steps, high), (low, steps), (high, steps))]
        ground = georeference.to_ground(np.concatenate(sides) * (georeference.width, georeference.height))
        try:
            moved = osr.CoordinateTransformation(georeference.crs, crs).TransformPoints(ground.tolist())
        except FAULTS:
            return None
        points = np.asarray(moved, np.float64)[:, :2]
        if not np.isfinite(points).all() or (crs.IsGeographic() and np.ptp(points[:, 0]) > 180):
            return None
        (xmin, ymin), (xmax, ymax) = points.min(axis=0), points.max(axis=0)
        return ogr.CreateGeometryFromWkt(
            f"POLYGON(({xmin} {ymin},{xmax} {ymin},{xmax} {ymax},{xmin} {ymax},{xmin} {ymin}))"
        )

    def read_window(self, window: Window) -> npt.NDArray[np.bool_]:
        """Where the centres of the window's pixels ``(height, width)`` lie in a polygon."""
        if not self.touches(window):
            return np.zeros((window.height, window.width), bool)
        return super().read_window(window)
