"""Polygons in: the area that an assessment is limited to, as a pixel mask window by window."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import gdal, ogr, osr

from ..protocol import BadInput
from ..raster.gdal_setup import FAULTS, first_line, prepare_gdal, reading
from ..raster.georeference import Georeference, Window, within_half_a_turn
from ..raster.scene import require_file
from .near import boxes_near, has_polygons, middle_and_turn, polygons_near

EDGE_PARTS = 32
"""Parts of a polygon's extent after which its edges get another corner, on the way to another CRS."""


class AreaMask:
    """Polygons of a vector file, ready to be drawn on windows of a scene's grid.

    A pixel belongs to the area if its centre does. Geometries go to pixel coordinates first, so that rotated scenes
    and scenes with ground control points work like any other.

    Args:
        path: any vector file; every layer and polygon of it counts.
        georeference: of the scene.
        noun: what the polygons are, in messages.

    Attributes:
        has_crs: whether every layer of the file says its CRS.
        bounds: smallest window of the scene that holds what of the polygons lies on it.

    Raises:
        BadInput: when the file cannot be read, holds no polygon, or none lies on the scene.
    """

    def __init__(self, path: str, georeference: Georeference, noun: str = "area") -> None:
        prepare_gdal()
        require_file(path, noun)
        self._name = os.path.basename(path)
        self.has_crs = True
        self._boxes: list[tuple[float, float, float, float]] = []
        self._memory = ogr.GetDriverByName("Memory").CreateDataSource("area")
        self._layer = self._memory.CreateLayer("area", None, ogr.wkbPolygon)
        try:
            source = gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_READONLY)
        except FAULTS as error:
            raise BadInput(
                f"The {noun} '{self._name}' cannot be opened ({first_line(error)}); give polygons."
            ) from None
        with reading(self._name):
            for index in range(source.GetLayerCount()):
                self._take(source.GetLayer(index), georeference)
            near = self._layer.GetFeatureCount() > 0
            if not near and not any(has_polygons(source.GetLayer(index)) for index in range(source.GetLayerCount())):
                raise BadInput(f"The {noun} '{self._name}' holds no polygon; draw or select at least one.")
        xmin, xmax, ymin, ymax = self._layer.GetExtent() if near else (0.0, 0.0, 0.0, 0.0)
        if xmax <= 0 or ymax <= 0 or xmin >= georeference.width or ymin >= georeference.height:
            raise BadInput(f"No polygon of '{self._name}' lies on the scene; choose polygons that overlap it.")
        left, top = max(0, math.floor(xmin)), max(0, math.floor(ymin))
        right, bottom = min(georeference.width, math.ceil(xmax)), min(georeference.height, math.ceil(ymax))
        self.bounds = Window(left, top, max(1, right - left), max(1, bottom - top))

    def _take(self, layer: Any, georeference: Georeference) -> None:
        layer_crs = layer.GetSpatialRef()
        self.has_crs = self.has_crs and layer_crs is not None
        move, boxes, middle, turn = None, [], 0.0, 0.0
        if layer_crs is not None and georeference.crs is not None:
            layer_crs = layer_crs.Clone()
            layer_crs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
            boxes = boxes_near(georeference, layer_crs)
            if boxes:
                middle, turn = middle_and_turn(georeference)
            if not layer_crs.IsSame(georeference.crs):
                move = osr.CoordinateTransformation(layer_crs, georeference.crs)
        for polygon in polygons_near(layer, boxes):
            if move is not None:
                xmin, xmax, ymin, ymax = polygon.GetEnvelope()
                if 0 < (longest := max(xmax - xmin, ymax - ymin)) < math.inf:
                    polygon.Segmentize(longest / EDGE_PARTS)  # what is straight in one CRS is curved in the other
                try:
                    polygon.Transform(move)
                except FAULTS:
                    raise BadInput(
                        f"A polygon of '{self._name}' cannot be brought to the scene's CRS; cut it to the scene."
                    ) from None
            self._add(polygon, georeference, middle, turn)

    def _add(self, polygon: Any, georeference: Georeference, middle: float = 0.0, turn: float = 0.0) -> None:
        moved = ogr.Geometry(ogr.wkbPolygon)
        for index in range(polygon.GetGeometryCount()):
            points = polygon.GetGeometryRef(index).GetPoints() or ()
            if len(points) < 4 and index == 0:
                return
            if len(points) < 4:
                continue
            ground = np.asarray(points, np.float64)[:, :2]
            ground[:, 0] = within_half_a_turn(ground[:, 0], middle, turn)
            pixels = georeference.to_pixels(ground)
            if not np.isfinite(pixels).all():
                raise BadInput(f"A polygon of '{self._name}' reaches beyond the scene's CRS; cut it to the scene.")
            ring = ogr.Geometry(ogr.wkbLinearRing)
            for x, y in pixels:
                ring.AddPoint_2D(float(x), float(y))
            moved.AddGeometry(ring)
        if moved.IsEmpty():
            return
        moved.CloseRings()
        feature = ogr.Feature(self._layer.GetLayerDefn())
        feature.SetGeometry(moved)
        self._boxes.append(moved.GetEnvelope())
        self._layer.CreateFeature(feature)

    def touches(self, window: Window) -> bool:
        """Whether some polygon may lie on the window (by bounding boxes; exact is not needed to skip work)."""
        right, bottom = window.x + window.width, window.y + window.height
        return any(
            xmin < right and xmax > window.x and ymin < bottom and ymax > window.y
            for xmin, xmax, ymin, ymax in self._boxes
        )

    def read_window(self, window: Window) -> npt.NDArray[np.bool_]:
        """Where the window's pixels ``(height, width)`` belong to the area."""
        box = window.x, window.y, window.x + window.width, window.y + window.height
        return self.read_cells(box, (window.height, window.width))

    def read_cells(
        self, box: tuple[float, float, float, float], size: tuple[int, int], *, touched: bool = False
    ) -> npt.NDArray[np.bool_]:
        """Where cells ``(rows, columns)`` that divide a part of the scene belong to the area.

        Args:
            box: left, top, right and bottom of the part in pixels.
            size: rows and columns.
            touched: take all cells that a polygon touches, not only those whose centre lies in one.
        """
        left, top, right, bottom = box
        rows, columns = size
        raster = gdal.GetDriverByName("MEM").Create("", columns, rows, 1, gdal.GDT_Byte)
        raster.SetGeoTransform((left, (right - left) / columns, 0.0, top, 0.0, (bottom - top) / rows))
        with reading(self._name):
            self._layer.SetSpatialFilterRect(left, top, right, bottom)
            options = ["ALL_TOUCHED=TRUE"] if touched else []
            gdal.RasterizeLayer(raster, [1], self._layer, burn_values=[1], options=options)
        return np.asarray(raster.ReadAsArray() > 0, np.bool_)
