"""Where the pixels of one raster lie among those of another, whatever their grids and CRSs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import osr

from ..protocol import BadInput
from .georeference import Georeference, Window, turn_of, within_half_a_turn

Float = npt.NDArray[np.float64]

NODE_PX = 16
"""Positions are computed every so many pixels and interpolated between: the Earth bends less than they tell apart."""
SAME = ["IGNORE_DATA_AXIS_TO_SRS_AXIS_MAPPING=YES", "CRITERION=EQUIVALENT"]


class Placing:
    """Takes pixels of a grid to pixel positions in another raster.

    Args:
        grid: the pixels that are asked about, and the name of their raster.
        source: the raster that they are looked up in, and its name.

    Raises:
        BadInput: they cannot be brought together, as one of them does not say where it lies.
    """

    def __init__(self, grid: tuple[Georeference, str], source: tuple[Georeference, str]) -> None:
        (self._grid, grid_name), (self._source, name) = grid, source
        self.assumed_crs = self._grid.crs is None and self._source.crs is None
        self._move: Any = None
        self._turn = self._turn_columns = 0.0
        placed = [is_placed(self._grid), is_placed(self._source)]
        if self.assumed_crs and not any(placed):
            if (self._grid.width, self._grid.height) != (self._source.width, self._source.height):
                raise BadInput(
                    f"'{grid_name}' and '{name}' are not georeferenced and differ in size "
                    f"({self._grid.width} x {self._grid.height}, {self._source.width} x {self._source.height} "
                    "pixels); georeference both."
                )
            return
        for georeference, of, is_known in ((self._grid, grid_name, placed[0]), (self._source, name, placed[1])):
            if not is_known:
                raise BadInput(f"'{of}' is not georeferenced, so it cannot be laid over another; georeference it.")
            if georeference.crs is None and not self.assumed_crs:
                raise BadInput(f"'{of}' has no CRS, so it cannot be laid over another; assign the CRS to the file.")
        if self.assumed_crs:
            return
        if not self._grid.crs.IsSame(self._source.crs, SAME):  # type: ignore[union-attr]
            try:
                self._move = osr.CoordinateTransformation(self._grid.crs, self._source.crs)
            except RuntimeError:
                raise BadInput(
                    f"The CRS of '{grid_name}' cannot be transformed to that of '{name}'; reproject one of them first."
                ) from None
        turn = turn_of(self._source.crs)
        _, across, _, _, down, _ = self._source.geotransform or (0.0, 0.0, 0.0, 0.0, 1.0, 0.0)
        if down:
            self._turn = turn
        else:
            self._turn_columns = turn / across

    def positions(self, window: Window) -> tuple[Float, Float]:
        """Column and row positions ``(height, width)`` of the window's pixel centres in the source; NaN where none.

        Corners of pixels are whole numbers.
        """
        columns, rows = nodes(window.width), nodes(window.height)
        asked = np.stack(np.meshgrid(columns + window.x + 0.5, rows + window.y + 0.5), axis=-1).reshape(-1, 2)
        ground = self._grid.to_ground(asked)
        if self._move is not None:
            ground = self._moved(ground)
        if self._turn:
            centre = self._source.to_ground(np.asarray([[self._source.width / 2, self._source.height / 2]]))[0, 0]
            ground[:, 0] = within_half_a_turn(ground[:, 0], centre, self._turn)
        known = np.isfinite(ground).all(axis=1)
        found = np.full_like(ground, np.nan)
        if known.any():
            found[known] = self._source.to_pixels(ground[known])
        net = found.reshape(len(rows), len(columns), 2)
        at = np.arange(window.height), np.arange(window.width)
        wrapping = self._turn_columns if self._move is not None else 0.0
        x = interpolate(net[..., 0], rows, columns, *at, turn=wrapping)
        y = interpolate(net[..., 1], rows, columns, *at)
        return within_half_a_turn(x, self._source.width / 2, self._turn_columns), y

    def _moved(self, ground: Float) -> Float:
        try:
            moved = np.asarray(self._move.TransformPoints(ground.tolist()), np.float64)[:, :2]
        except RuntimeError:  # some point has no place there: each on its own
            moved = np.asarray([self._moved_point(point) for point in ground.tolist()], np.float64)
        return np.where(np.isfinite(moved), moved, np.nan)

    def _moved_point(self, point: list[float]) -> tuple[float, float]:
        try:
            x, y, _ = self._move.TransformPoint(*point)
        except RuntimeError:
            return math.nan, math.nan
        return x, y


def is_placed(georeference: Georeference) -> bool:
    """Whether a raster says where its pixels lie."""
    return georeference.geotransform is not None or bool(georeference.gcps)


def nodes(count: int, step: int = NODE_PX) -> Float:
    """Pixels ``0, step, ...`` up to the last one at least."""
    return np.arange(0, max(math.ceil((count - 1) / step), 1) + 1, dtype=np.float64) * step


def interpolate(net: Float, rows: Float, columns: Float, at_rows: Any, at_columns: Any, *, turn: float = 0.0) -> Float:
    """Values of a net of points, given at evenly spaced rows and columns, at other rows and columns between.

    With a ``turn``, values begin anew after it, and are interpolated the short way round.
    """
    y, x = at_rows / (rows[1] - rows[0]), at_columns / (columns[1] - columns[0])
    i = np.clip(np.floor(y).astype(int), 0, len(rows) - 2)
    j = np.clip(np.floor(x).astype(int), 0, len(columns) - 2)
    v, u = (y - i)[:, None], (x - j)[None, :]
    first = net[i][:, j]
    right, below, across = (
        within_half_a_turn(corner, first, turn) for corner in (net[i][:, j + 1], net[i + 1][:, j], net[i + 1][:, j + 1])
    )
    upper = first * (1 - u) + right * u
    lower = below * (1 - u) + across * u
    return np.asarray(upper * (1 - v) + lower * v, np.float64)
