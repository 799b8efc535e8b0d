"""Other rasters on a mask's grid, a window at a time: values under its pixels, and slopes of an elevation model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import gdal, gdal_array

from ..protocol import BadInput
from .gdal_setup import reading, text
from .georeference import Georeference, Window
from .placing import Placing, interpolate, nodes
from .tagged import TaggedRaster

Float = npt.NDArray[np.float64]
Known = npt.NDArray[np.bool_]

MOST_SOURCE_PX = 4096
"""Columns and rows that are read at once; values of a much finer raster are picked evenly."""
TILE_PX = 512
NUDGE = 1e-6
"""Pixels by which positions are pushed, so that rounding does not decide between two of them."""
SURFACE_M = (-1000.0, 9000.0)
"""Elevations outside are marks for missing ones that a file does not declare."""
FEET = {"ft": 0.3048, "foot": 0.3048, "feet": 0.3048, "us survey foot": 1200 / 3937, "us-ft": 1200 / 3937}
METRIC_NODES = 8
"""Parts of a window between whose ends ground distances are interpolated."""


def tiles(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the parts in which pixels ``(height, width)`` are asked about."""
    height, width = shape
    for top in range(0, height, TILE_PX):
        for left in range(0, width, TILE_PX):
            yield slice(top, min(top + TILE_PX, height)), slice(left, min(left + TILE_PX, width))


class WarpedRaster(TaggedRaster):
    """The first band of a raster, read under the pixels of another grid. Use as a context manager.

    Args:
        path: one-band raster on any grid and in any CRS.
        onto: grid of the pixels that are asked about.
        name: of the raster that has this grid, for messages.

    Raises:
        BadInput: it cannot be opened, has several bands, or the two cannot be laid over each other.
    """

    most_columns = 2**31 - 1
    """As wide as rasters can be, since windows of it are read and never whole rows; a global one has millions."""

    def __init__(self, path: str, onto: Georeference, name: str) -> None:
        super().__init__(path)
        self._own = self.georeference
        self._onto = onto
        self._placing = Placing((onto, name), (self._own, self.name))
        self._band = self._dataset.GetRasterBand(1)
        self._all_valid = bool(self._band.GetMaskFlags() & gdal.GMF_ALL_VALID)
        self.touched = False
        """Whether any pixel that was asked about lies on this raster."""

    def __exit__(self, *error: Any) -> None:
        self._band = None
        super().__exit__(*error)

    @property
    def assumed_crs(self) -> bool:
        """Whether neither raster has a CRS, so that their coordinates are compared as they are."""
        return self._placing.assumed_crs

    @property
    def declares_nodata(self) -> bool:
        """Whether the file says itself which pixels have no value."""
        return not self._all_valid

    @property
    def is_byte(self) -> bool:
        """Whether its values are bytes."""
        return bool(self._band.DataType == gdal.GDT_Byte)

    @property
    def bits(self) -> int:
        """Bits of one value, 0 where values are no whole numbers."""
        kind = gdal_array.GDALTypeCodeToNumericTypeCode(self._band.DataType)
        return np.dtype(kind).itemsize * 8 if kind is not None and np.issubdtype(kind, np.integer) else 0

    def nearest(self, window: Window) -> tuple[npt.NDArray[Any], Known]:
        """Values ``(height, width)`` of the pixels under the window's pixel centres, and where there are any."""
        x, y = self._placing.positions(window)
        with np.errstate(invalid="ignore"):
            inside = (x + NUDGE >= 0) & (y + NUDGE >= 0) & (x + NUDGE < self.width) & (y + NUDGE < self.height)
        known = np.zeros(inside.shape, bool)
        values: npt.NDArray[Any] = np.zeros(inside.shape, np.uint8)
        if not inside.any():
            return values, known
        self.touched = True
        halves = [inside]
        if np.ptp(x[inside]) > self.width / 2:  # across the date line, from one end of the raster to the other
            halves = [inside & (x < self.width / 2), inside & (x >= self.width / 2)]
        for half in halves:
            found, valid = self._read_at(x[half], y[half])
            values = values.astype(found.dtype, copy=False)
            values[half], known[half] = found, valid
        return values, known

    def _read_at(self, x: Float, y: Float) -> tuple[npt.NDArray[Any], Known]:
        """Values ``(n,)`` of the pixels at positions, and where there are any."""
        columns, rows = np.floor(x + NUDGE).astype(np.int64), np.floor(y + NUDGE).astype(np.int64)
        left, top = int(columns.min()), int(rows.min())
        width, height = int(columns.max()) - left + 1, int(rows.max()) - top + 1
        shape = (min(height, MOST_SOURCE_PX), min(width, MOST_SOURCE_PX))
        found, valid = self._read(Window(left, top, width, height), shape)
        at = ((rows - top) * shape[0] // height, (columns - left) * shape[1] // width)
        return found[at], valid[at]

    def _read(self, part: Window, shape: tuple[int, int]) -> tuple[npt.NDArray[Any], Known]:
        with reading(self.name):
            how = (part.x, part.y, part.width, part.height, shape[1], shape[0])
            found = np.asarray(self._band.ReadAsArray(*how))
            valid = np.ones(shape, bool) if self._all_valid else self._band.GetMaskBand().ReadAsArray(*how) > 0
        if np.iscomplexobj(found):
            raise BadInput(f"'{self.name}' holds complex numbers; expected plain ones.")
        return found, valid & np.isfinite(found)


class SlopeRaster(WarpedRaster):
    """Slopes of an elevation model under the pixels of another grid.

    The slope is computed on the model's own grid, then interpolated; so a coarse model gives smooth slopes and no
    staircase. A model much finer than the grid is averaged to about the grid's pixel size first.
    """

    def __init__(self, path: str, onto: Georeference, name: str) -> None:
        super().__init__(path, onto, name)
        if self._own.crs is None:
            raise BadInput(
                f"'{self.name}' has no CRS, so the distances that slopes need are unknown; assign the CRS to the file."
            )
        mine, theirs = self._own.pixel_size_m(), onto.pixel_size_m()
        if mine is None or theirs is None or not all(math.isfinite(v) and v > 0 for v in (*mine, *theirs)):
            raise BadInput(f"Ground distances of '{self.name}' cannot be computed; reproject it to a projected CRS.")
        ratio = math.sqrt(theirs[0] * theirs[1] / (mine[0] * mine[1]))
        self._factor = min(max(math.floor(ratio + 0.01), 1), self.width, self.height)
        self._metres = FEET.get(text(self._band.GetUnitType()).strip().lower(), 1.0)

    def slope(self, window: Window) -> npt.NDArray[np.float32]:
        """Slope in degrees ``(height, width)`` at the window's pixel centres; NaN where the model has none."""
        found = np.full((window.height, window.width), np.nan, np.float32)
        size = max(min(MOST_SOURCE_PX // 2 // self._factor, TILE_PX), 16)
        for top in range(0, window.height, size):
            for left in range(0, window.width, size):
                width, height = min(size, window.width - left), min(size, window.height - top)
                part = Window(window.x + left, window.y + top, width, height)
                found[top : top + height, left : left + width] = self._slope_of_part(part)
        return found

    def _slope_of_part(self, window: Window) -> Float:
        x, y = (place / self._factor - 0.5 for place in self._placing.positions(window))
        columns, rows = self.width // self._factor, self.height // self._factor
        with np.errstate(invalid="ignore"):
            inside = (x > -0.5) & (y > -0.5) & (x < columns - 0.5) & (y < rows - 0.5)
        slopes = np.full(inside.shape, np.nan)
        if not inside.any():
            return slopes
        self.touched = True
        left, top = (max(math.floor(float(place[inside].min())) - 1, 0) for place in (x, y))
        right = min(math.floor(float(x[inside].max())) + 3, columns)
        bottom = min(math.floor(float(y[inside].max())) + 3, rows)
        cells = Window(left, top, right - left, bottom - top)
        if max(cells.width, cells.height) * self._factor > 4 * MOST_SOURCE_PX:
            raise BadInput(f"'{self.name}' is stretched too far over the mask; reproject it to the mask's CRS first.")
        found = horn_slope(self._elevations(cells), *self._steps_m(cells))
        slopes[inside] = bilinear(found, x[inside] - left, y[inside] - top)
        return slopes

    def _elevations(self, cells: Window) -> Float:
        """Mean elevations of cells ``(height, width)`` in metres, NaN where fewer than half of the pixels have one."""
        factor = self._factor
        part = Window(cells.x * factor, cells.y * factor, cells.width * factor, cells.height * factor)
        raw, valid = self._read(part, (part.height, part.width))
        values = raw.astype(np.float64) * (self._band.GetScale() or 1.0) + (self._band.GetOffset() or 0.0)
        values *= self._metres
        valid &= (values > SURFACE_M[0]) & (values < SURFACE_M[1])
        if factor == 1:
            return np.where(valid, values, np.nan)
        shape = (cells.height, factor, cells.width, factor)
        total = np.where(valid, values, 0.0).reshape(shape).sum(axis=(1, 3))
        count = valid.reshape(shape).sum(axis=(1, 3))
        return np.where(count * 2 >= factor * factor, total / np.maximum(count, 1), np.nan)

    def _steps_m(self, cells: Window) -> tuple[Float, Float]:
        """Metres east and north ``(2, height, width)`` that one column, and one row, of cells leads on the ground."""
        across = nodes(cells.width, math.ceil(max(cells.width, 2) / METRIC_NODES))
        down = nodes(cells.height, math.ceil(max(cells.height, 2) / METRIC_NODES))
        centres = np.stack(np.meshgrid(across + cells.x + 0.5, down + cells.y + 0.5), axis=-1).reshape(-1, 2)
        steps = []
        for direction in ((0.5, 0.0), (0.0, 0.5)):
            start, end = ((centres + sign * np.asarray(direction)) * self._factor for sign in (-1, 1))
            metres = self._between_m(start, end).reshape(len(down), len(across), 2)
            at = (np.arange(cells.height), np.arange(cells.width))
            steps.append(np.stack([interpolate(metres[..., axis], down, across, *at) for axis in (0, 1)]))
        return steps[0], steps[1]

    def _between_m(self, start: Float, end: Float) -> Float:
        """Metres east and north ``(n, 2)`` from one pixel position to another one near by, on the ellipsoid."""
        a, b = self._own.to_lonlat(start), self._own.to_lonlat(end)
        if a is None or b is None:
            units = self._own.crs.GetLinearUnits() if self._own.crs is not None else 1.0
            return np.asarray((self._own.to_ground(end) - self._own.to_ground(start)) * units, np.float64)
        axis, squared = self._own.ellipsoid()
        latitude = np.radians((a[:, 1] + b[:, 1]) / 2)
        w = 1 - squared * np.sin(latitude) ** 2
        longitude = (b[:, 0] - a[:, 0] + 180) % 360 - 180
        east = np.radians(longitude) * axis * np.cos(latitude) / np.sqrt(w)
        north = np.radians(b[:, 1] - a[:, 1]) * axis * (1 - squared) / w**1.5
        return np.stack([east, north], axis=1)


def horn_slope(elevations: Float, column_m: Float, row_m: Float) -> Float:
    """Slope in degrees by Horn's differences over eight neighbours; NaN on the edge and where one is missing.

    B. K. P. Horn, Hill shading and the reflectance map, Proceedings of the IEEE 69 (1981).

    Args:
        elevations: ``(height, width)`` in metres.
        column_m: metres east and north ``(2, height, width)`` that one column leads; rotated grids are no exception.
        row_m: the same for one row.
    """
    slopes = np.full(elevations.shape, np.nan)
    if min(elevations.shape) < 3:
        return slopes
    middle = slice(1, -1)
    down = elevations[:-2] + 2 * elevations[middle] + elevations[2:]
    along = elevations[:, :-2] + 2 * elevations[:, middle] + elevations[:, 2:]
    by_column = (down[:, 2:] - down[:, :-2]) / 8
    by_row = (along[2:] - along[:-2]) / 8
    (ec, nc), (er, nr) = column_m[:, middle, middle], row_m[:, middle, middle]
    with np.errstate(divide="ignore", invalid="ignore"):
        determinant = ec * nr - nc * er
        east = (nr * by_column - nc * by_row) / determinant
        north = (ec * by_row - er * by_column) / determinant
        found = np.degrees(np.arctan(np.hypot(east, north)))
    # the middle has no weight in Horn's differences, but without it nothing is known there
    slopes[middle, middle] = np.where(np.isfinite(found) & np.isfinite(elevations[middle, middle]), found, np.nan)
    return slopes


def bilinear(values: Float, x: Float, y: Float) -> Float:
    """Values at positions ``(n,)`` where cell centres are whole numbers, of the neighbours that have one.

    NaN where the nearest cell has none.
    """
    height, width = values.shape
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    total, weights = np.zeros(x.shape), np.zeros(x.shape)
    for down in (0, 1):
        for across in (0, 1):
            weight = np.abs(1 - across - (x - column)) * np.abs(1 - down - (y - row))
            i, j = np.clip(row + down, 0, height - 1), np.clip(column + across, 0, width - 1)
            value = values[i, j]
            weight = np.where(np.isfinite(value), weight, 0.0)
            total += weight * np.where(np.isfinite(value), value, 0.0)
            weights += weight
    at = np.clip(np.rint(y).astype(int), 0, height - 1), np.clip(np.rint(x).astype(int), 0, width - 1)
    return np.where(np.isfinite(values[at]) & (weights > 0), total / np.maximum(weights, 1e-12), np.nan)
