"""Polygons out: pixels that are not assessed, traced on their edges and written to a file."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import gdal, ogr

from ..protocol import HazardError, partial_files, partial_path
from ..raster.gdal_setup import quiet_closing
from ..raster.georeference import Georeference
from ..raster.output import writing

Mask = npt.NDArray[np.bool_]

SIDE_PARTS = 32
"""Parts of each side of the outline: what is straight in one CRS is curved in another."""
BATCH = 1000
"""Polygons after which progress is told."""


class UnassessedTrace:
    """Takes the rows of a mask from top to bottom and writes the polygons of what is set in them.

    Rows go to a compressed scratch raster of ones and zeros, whose traces, in pixels, are then put on the ground one
    by one: rotated rasters and ground control points work like any other, and memory does not grow with the raster.
    Use as a context manager; only ``publish`` leaves a file.

    Args:
        path: GeoPackage to write.
        georeference: of the mask, with a CRS.
        job_id: part of the names of unfinished files.
    """

    LAYER = "not_assessed"
    FIELD: str | None = None
    """Field with the value that a polygon was traced from; None for none."""

    def __init__(self, path: str, georeference: Georeference, job_id: str) -> None:
        self._path = path
        self._job_id = job_id
        self._georeference = georeference
        self._partial = partial_path(path, job_id)
        stem = os.path.splitext(self._partial)[0]
        self._traces = f"{stem}-traces.gpkg"
        with writing(self._path):
            self._raster = gdal.GetDriverByName("GTiff").Create(
                f"{stem}-rows.tif",
                georeference.width,
                georeference.height,
                1,
                gdal.GDT_Byte,
                ["COMPRESS=LZW", "BIGTIFF=IF_SAFER"],
            )

    def __enter__(self) -> UnassessedTrace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(RuntimeError), quiet_closing():
            self._raster = None
        for leftover in partial_files(self._path, self._job_id):
            with contextlib.suppress(OSError):
                os.remove(leftover)

    def add(self, top: int, rows: Mask | npt.NDArray[np.uint8]) -> None:
        """Take rows ``(n, width)`` that begin at ``top``; 0 is not traced."""
        with writing(self._path):
            self._raster.GetRasterBand(1).WriteArray(rows.astype(np.uint8), 0, top)

    def outline(self) -> list[list[float]]:
        """Closed ring of the raster's outer edges in its CRS: ``[[x, y], ...]``."""
        width, height = self._georeference.width, self._georeference.height
        corners = np.asarray([(0, 0), (width, 0), (width, height), (0, height), (0, 0)], np.float64)
        steps = np.linspace(0, 1, SIDE_PARTS, endpoint=False)[:, None]
        sides = [a + (b - a) * steps for a, b in itertools.pairwise(corners)]
        ring = self._georeference.to_ground(np.concatenate([*sides, corners[:1]]))
        return [[float(x), float(y)] for x, y in ring]

    def publish(self, progress: Callable[[float], None]) -> int:
        """Trace, write and rename; returns the number of polygons. ``progress`` may raise Cancelled."""
        with writing(self._path):
            self._trace(progress)
            count = self._put_on_the_ground(progress)
        with writing(self._path):
            os.replace(self._partial, self._path)
        return count

    def _trace(self, progress: Callable[[float], None]) -> None:
        stopped: list[HazardError] = []

        def go_on(share: float, message: str, data: Any) -> int:
            try:
                progress(share / 2)
            except HazardError as error:  # raised again below: GDAL cannot carry it
                stopped.append(error)
                return 0
            return 1

        target = ogr.GetDriverByName("GPKG").CreateDataSource(self._traces)
        layer = target.CreateLayer("traces", None, ogr.wkbPolygon, ["SPATIAL_INDEX=NO"])
        if self.FIELD:
            layer.CreateField(ogr.FieldDefn(self.FIELD, ogr.OFTInteger))
        band = self._raster.GetRasterBand(1)
        target.StartTransaction()  # else every polygon is written through to the disk
        try:
            gdal.Polygonize(band, band, layer, 0 if self.FIELD else -1, [], callback=go_on)
            target.CommitTransaction()
        except RuntimeError:
            if not stopped:
                raise
        finally:
            band = layer = target = None  # closed before the file may be removed
        if stopped:
            raise stopped[0]

    def _put_on_the_ground(self, progress: Callable[[float], None]) -> int:
        source = gdal.OpenEx(self._traces, gdal.OF_VECTOR | gdal.OF_READONLY)
        traces = source.GetLayer(0)
        total = max(traces.GetFeatureCount(), 1)
        target = ogr.GetDriverByName("GPKG").CreateDataSource(self._partial)
        layer = target.CreateLayer(self.LAYER, self._georeference.crs, ogr.wkbPolygon)
        if self.FIELD:
            layer.CreateField(ogr.FieldDefn(self.FIELD, ogr.OFTInteger))
        count = 0
        target.StartTransaction()
        try:
            for trace in traces:
                feature = ogr.Feature(layer.GetLayerDefn())
                feature.SetGeometry(self._moved(trace.GetGeometryRef()))
                if self.FIELD:
                    feature.SetField(0, trace.GetField(0))
                layer.CreateFeature(feature)
                count += 1
                if count % BATCH == 0:
                    progress(0.5 + 0.5 * count / total)
            target.CommitTransaction()
        finally:
            feature = layer = target = trace = traces = source = None  # closed before the file may be removed
        return count

    def _moved(self, polygon: Any) -> Any:
        moved = ogr.Geometry(ogr.wkbPolygon)
        for index in range(polygon.GetGeometryCount()):
            pixels = np.asarray(polygon.GetGeometryRef(index).GetPoints(), np.float64)[:, :2]
            ring = ogr.Geometry(ogr.wkbLinearRing)
            for x, y in self._georeference.to_ground(pixels):
                ring.AddPoint_2D(float(x), float(y))
            moved.AddGeometry(ring)
        return moved
