"""A part of a scene seen with larger pixels, from overviews where there are some, and a small mask written of it."""

from __future__ import annotations

import dataclasses
import os
import uuid
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import gdal

from ..protocol import NOT_ASSESSED, SceneJob, partial_path
from .georeference import Georeference, Window
from .output import Grid, Layer, place_on_grid, writing
from .scene import Scene

STRIP_BYTES = 48 * 2**20
"""Stored pixels read at once: well within GDAL's cache, or every band of a block would decode it anew."""


class CoarseScene(Scene):
    """A part of a scene whose pixels are means of ``down`` rows and ``across`` columns. Use as a context manager.

    Args:
        job: names the scene.
        part: of the scene; what is left over of a whole number of large pixels is not seen.
        across: columns of the scene in a large pixel.
        down: rows of the scene in a large pixel.

    Raises:
        BadInput: when the raster cannot be opened.
    """

    def __init__(self, job: SceneJob, part: Window, across: int, down: int) -> None:
        super().__init__(job)
        self._part, self._across, self._down = part, across, down
        self.width, self.height = part.width // across, part.height // down
        self.georeference = coarsened(self.georeference, part, across, down)

    def __enter__(self) -> CoarseScene:
        return self

    def bytes_to_read(self, window: Window, bands: int) -> int:
        """Stored bytes, unpacked, that reading a window of large pixels takes: fewer where overviews serve."""
        band = self._dataset.GetRasterBand(self.bands[0].index)
        full = self._dataset.RasterXSize
        factors = [full / band.GetOverview(i).XSize for i in range(band.GetOverviewCount())]
        least = min(self._across, self._down)
        served = max([factor for factor in factors if factor <= 1.01 * least], default=1.0)
        size: int = gdal.GetDataTypeSize(band.DataType) // 8
        return round(window.width * self._across * window.height * self._down / served**2) * bands * size

    def _pixels_of(self, window: Window) -> tuple[int, int, int, int]:
        across, down = self._across, self._down
        place = self._part.x + window.x * across, self._part.y + window.y * down
        return (*place, window.width * across, window.height * down)

    def _read_pixels(self, source: Any, window: Window, **which: Any) -> Any:
        """Means of pixels of a dataset's bands, strip by strip; of its masks the nearest."""
        bands = which.get("band_list")
        how = gdal.GRIORA_Average if bands else gdal.GRIORA_NearestNeighbour
        row_bytes = window.width * self._across * self._down * 8 * len(bands or (1,))
        step = max(1, min(window.height, STRIP_BYTES // row_bytes))
        strips = [
            source.ReadAsArray(
                *self._pixels_of(strip),
                buf_xsize=strip.width,
                buf_ysize=strip.height,
                resample_alg=how,
                **which,
            )
            for strip in (
                Window(window.x, window.y + top, window.width, min(step, window.height - top))
                for top in range(0, window.height, step)
            )
        ]
        return np.concatenate(strips, axis=-2)


def coarsened(reference: Georeference, part: Window, across: int, down: int) -> Georeference:
    """Georeference of a part of a raster with larger pixels."""
    moved = reference.shifted_geotransform(part)
    if moved is None and not reference.gcps:  # rows count downward from zero, as QGIS shows such rasters
        moved = (part.x, 1.0, 0.0, -part.y, 0.0, -1.0)
    if moved is not None:
        a, b, c, d, e, f = moved
        moved = (a, b * across, c * down, d, e * across, f * down)
    gcps = reference.shifted_gcps(part)
    for point in gcps:
        point.GCPPixel, point.GCPLine = point.GCPPixel / across, point.GCPLine / down
    width, height = part.width // across, part.height // down
    return dataclasses.replace(reference, width=width, height=height, geotransform=moved, gcps=tuple(gcps), rpc={})


def write_small_mask(layer: Layer, reference: Georeference, codes: npt.NDArray[np.uint8]) -> None:
    """Write codes ``(height, width)`` at once, under another name until they are complete.

    Raises:
        OutputFailed: when the disk is full or the file cannot be written.
    """
    height, width = codes.shape
    partial = partial_path(layer.path, uuid.uuid4().hex[:12])
    with writing(layer.path):
        dataset = gdal.GetDriverByName("GTiff").Create(
            partial, width, height, 1, gdal.GDT_Byte, ["TILED=YES", "COMPRESS=DEFLATE", "ZLEVEL=1"]
        )
        place_on_grid(dataset, Grid(reference, Window(0, 0, width, height)))
        band = dataset.GetRasterBand(1)
        band.SetNoDataValue(NOT_ASSESSED)
        band.SetDescription(layer.description)
        band.SetRasterColorTable(layer.colour_table())
        band.WriteArray(codes)
        band = None
        dataset = None
        os.replace(partial, layer.path)
