"""Between a scene's grid and the grid of the model's ground sampling distance, by whole factors, without seams."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .raster import Scene, Understanding, Window

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

CHUNK_PX = 4_000_000
"""Scene pixels a band held at once while means are taken and probabilities brought back."""
LARGEST_FACTOR = 100_000
LARGEST_UP = 8


@dataclass(frozen=True)
class Factor:
    """Along one axis: ``down`` scene pixels make one model pixel, or one scene pixel makes ``up`` model pixels."""

    down: int = 1
    up: int = 1

    @property
    def exact(self) -> bool:
        """Whether both grids are the same."""
        return self.down == self.up == 1


def choose_factor(gsd_m: float, gsd_min_m: float, gsd_max_m: float) -> Factor:
    """Smallest whole factor that brings ``gsd_m`` into the model's range (a few per cent outside do not matter).

    Scenes so coarse that it would take more than LARGEST_UP stay as they are: finer pixels would only cost time.
    """
    if gsd_m < gsd_min_m / 1.05:
        return Factor(down=math.ceil(min(LARGEST_FACTOR, gsd_min_m / 1.05 / gsd_m)))
    if gsd_m > gsd_max_m * 1.05:
        up = math.ceil(min(LARGEST_FACTOR, gsd_m / (gsd_max_m * 1.05)))
        return Factor(up=up) if up <= LARGEST_UP else Factor()
    return Factor()


@dataclass(frozen=True)
class ModelGrid:
    """The grid that the network sees of a window of a scene.

    Attributes:
        covered: window of the scene.
        across: factor along columns.
        down: factor along rows.
    """

    covered: Window
    across: Factor
    down: Factor

    @property
    def width(self) -> int:
        """Model columns."""
        return math.ceil(self.covered.width / self.across.down) * self.across.up

    @property
    def height(self) -> int:
        """Model rows."""
        return math.ceil(self.covered.height / self.down.down) * self.down.up

    @property
    def exact(self) -> bool:
        """Whether model pixels are scene pixels."""
        return self.across.exact and self.down.exact

    def read(
        self, scene: Scene, understanding: Understanding, window: Window, size: tuple[int, int]
    ) -> tuple[Array, Mask]:
        """Values ``(slots, height, width)`` and valid mask of a window of this grid, padded to ``size`` (h, w).

        Several scene pixels become their mean over valid ones; padding and pixels without any are not valid.
        """
        x0, x1 = self._scene_range(window.x, window.width, self.across, self.covered.width)
        y0, y1 = self._scene_range(window.y, window.height, self.down, self.covered.height)
        place = Window(self.covered.x + x0, self.covered.y + y0, x1 - x0, y1 - y0)
        if self.exact:
            values, valid = scene.read_window(place, understanding)
        else:
            values, valid = self._means(scene, understanding, place)
            values = values.repeat(self.down.up, axis=1).repeat(self.across.up, axis=2)
            valid = valid.repeat(self.down.up, axis=0).repeat(self.across.up, axis=1)
            row, column = window.y % self.down.up, window.x % self.across.up  # it may begin inside a scene pixel
            values = values[:, row : row + window.height, column : column + window.width]
            valid = valid[row : row + window.height, column : column + window.width]
        if valid.shape == size:
            return values, valid
        padded = np.zeros((len(values), *size), np.float32)
        padded_valid = np.zeros(size, np.bool_)
        height, width = min(size[0], valid.shape[0]), min(size[1], valid.shape[1])
        padded[:, :height, :width] = values[:, :height, :width]
        padded_valid[:height, :width] = valid[:height, :width]
        return padded, padded_valid

    def _scene_range(self, start: int, length: int, factor: Factor, limit: int) -> tuple[int, int]:
        first = start // factor.up * factor.down
        last = -(-(start + length) // factor.up) * factor.down
        return first, min(last, limit)

    def _means(self, scene: Scene, understanding: Understanding, place: Window) -> tuple[Array, Mask]:
        """Means over the valid pixels of each group of scene pixels, summed up strip by strip."""
        height, width = -(-place.height // self.down.down), -(-place.width // self.across.down)
        sums = np.zeros((len(understanding.match.used), height, width), np.float32)
        counts = np.zeros((height, width), np.float32)
        step = max(1, CHUNK_PX // place.width)
        if step > self.down.down:
            step = step // self.down.down * self.down.down
        for top in range(0, place.height, step):
            strip = Window(place.x, place.y + top, place.width, min(step, place.height - top))
            values, valid = scene.read_window(strip, understanding)
            rows = np.maximum(np.arange(-(top % self.down.down), strip.height, self.down.down), 0)
            first = top // self.down.down
            sums[:, first : first + len(rows)] += self._sum_up(values, rows)
            counts[first : first + len(rows)] += self._sum_up(valid[None], rows)[0]
        return np.asarray(sums / np.maximum(counts, 1), np.float32), counts > 0

    def _sum_up(self, values: npt.NDArray[Any], rows: npt.NDArray[np.intp]) -> Array:
        """Sums over groups of pixels that begin at ``rows`` and at every whole factor of columns."""
        if self.down.down > 1:
            values = np.add.reduceat(values, rows, axis=1, dtype=np.float32)
        if self.across.down > 1:
            columns = np.arange(0, values.shape[2], self.across.down)
            values = np.add.reduceat(values, columns, axis=2, dtype=np.float32)
        return np.asarray(values, np.float32)


class RowsToScene:
    """Brings finished rows of model probabilities back to scene rows, in portions, as if all came at once.

    Finer scenes get bilinear values between model pixel centres; coarser ones the mean of their model pixels.
    """

    def __init__(self, grid: ModelGrid) -> None:
        self._grid = grid
        self._most_rows = max(1, min(1024, CHUNK_PX // grid.covered.width))
        self._rows = np.zeros((0, grid.width), np.float32)
        self._first = 0
        self._next_scene_row = 0
        self._columns = _interpolation(0, grid.covered.width, grid.across.down, grid.width)

    def push(self, rows: Array, *, last: bool) -> Iterator[tuple[int, Array]]:
        """Take more model rows ``(n, width)``; yield first scene row and values ``(m, covered width)``."""
        grid = self._grid
        if grid.exact:
            yield self._next_scene_row, rows
            self._next_scene_row += len(rows)
            return
        self._rows = np.concatenate([self._rows, rows])
        end = self._first + len(self._rows)
        if grid.down.down > 1:
            ready = grid.covered.height if last else math.floor((end - 0.5) * grid.down.down - 0.5) + 1
        else:
            ready = end // grid.down.up
        while self._next_scene_row < ready:
            count = min(self._most_rows, ready - self._next_scene_row)
            yield self._next_scene_row, self._scene_rows(self._next_scene_row, count)
            self._next_scene_row += count
        if grid.down.down > 1:
            keep_from = max(0, math.floor((self._next_scene_row + 0.5) / grid.down.down - 0.5))
        else:
            keep_from = self._next_scene_row * grid.down.up
        drop = min(max(0, keep_from - self._first), len(self._rows))
        self._rows = self._rows[drop:]
        self._first += drop

    def _scene_rows(self, first: int, count: int) -> Array:
        grid = self._grid
        if grid.down.up > 1:
            start = first * grid.down.up - self._first
            block = self._rows[start : start + count * grid.down.up]
            rows = block.reshape(count, grid.down.up, -1).mean(axis=1)
        else:
            end = self._first + len(self._rows)
            low, high, share = _interpolation(first, count, grid.down.down, end)
            rows = self._rows[low - self._first] * (1 - share)[:, None]
            rows += self._rows[high - self._first] * share[:, None]
        if grid.across.up > 1:
            return np.asarray(rows.reshape(count, -1, grid.across.up).mean(axis=2), np.float32)
        low, high, share = self._columns
        return np.asarray(rows[:, low] * (1 - share) + rows[:, high] * share, np.float32)


def _interpolation(
    first: int, count: int, factor: int, length: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Array]:
    """For scene pixels ``first`` to ``first + count``: the two nearest model pixels and the second one's share."""
    position = (np.arange(first, first + count) + 0.5) / factor - 0.5
    position = np.clip(position, 0, length - 1)
    low = np.floor(position).astype(np.intp)
    high = np.minimum(low + 1, length - 1)
    return low, high, (position - low).astype(np.float32)
