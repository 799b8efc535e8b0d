"""Overlapping windows over a scene and the weights that blend their predictions without seams (pure)."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Axis:
    """Windows along one axis: all of one size, evenly spread, neighbours overlapping.

    Attributes:
        length: pixels to cover.
        size: window size in pixels (may exceed ``length``; the excess is padding).
        starts: first pixel of each window.
    """

    length: int
    size: int
    starts: tuple[int, ...]

    @property
    def predicted(self) -> int:
        """Pixels of all windows together, overlaps counted as often as they are predicted."""
        return len(self.starts) * self.size

    @property
    def finished(self) -> tuple[int, ...]:
        """For each window, the first pixel that later windows still touch: all before it is final."""
        return (*self.starts[1:], self.length)

    def weights(self, index: int) -> Array:
        """Blend weights ``(size,)`` of one window: they add up to one over all windows, at every pixel.

        Towards each neighbour the weight follows a raised cosine over the shared pixels, and is zero on the outer
        quarter of the overlap, where a network sees least of the surroundings.
        """
        weights = self._ramps(index)
        if any(third < first + self.size for first, third in zip(self.starts, self.starts[2:], strict=False)):
            total = np.zeros(self.size, np.float32)
            for other, start in enumerate(self.starts):
                shift = start - self.starts[index]
                if abs(shift) < self.size:
                    ramps = self._ramps(other)
                    total[max(0, shift) : self.size + min(0, shift)] += ramps[
                        max(0, -shift) : self.size - max(0, shift)
                    ]
            weights /= total
        return weights

    def _ramps(self, index: int) -> Array:
        weights = np.ones(self.size, np.float32)
        start = self.starts[index]
        if index > 0:
            shared = self.starts[index - 1] + self.size - start
            weights[:shared] *= _ramp(shared)
        if index + 1 < len(self.starts):
            shared = start + self.size - self.starts[index + 1]
            weights[self.size - shared :] *= _ramp(shared)[::-1]
        return weights


def _ramp(shared: int) -> Array:
    """Weights from 0 to 1 over ``shared`` pixels, so that ``ramp + ramp[::-1] == 1``."""
    position = (np.arange(shared, dtype=np.float64) + 0.5) / shared
    inner = np.clip((position - 0.25) / 0.5, 0.0, 1.0)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * inner), np.float32)


def spread_windows(length: int, largest: int, overlap: int, multiple: int) -> Axis:
    """Cover ``length`` pixels with windows of ``largest`` pixels at most, mostly not under three quarters of it.

    Of the numbers of windows that do, the one with the fewest pixels to predict is taken: sizes are rounded up, which
    suits some lengths better than others.

    Args:
        length: pixels to cover, at least 1.
        largest: largest window size, a multiple of ``multiple``.
        overlap: least number of pixels that neighbours share, less than half of ``largest``.
        multiple: the network needs sizes that are multiples of this.
    """
    if length <= largest:
        return Axis(length, _round_up(length, multiple), (0,))
    fewest = math.ceil((length - overlap) / (largest - overlap))
    sizes = [
        (count, min(_round_up(math.ceil((length + (count - 1) * overlap) / count), multiple), largest))
        for count in range(fewest, 2 * fewest)
    ]
    count, size = min((s for s in sizes if 4 * s[1] >= 3 * largest or s[0] == fewest), key=lambda s: s[0] * s[1])
    last = length - size
    return Axis(length, size, tuple(round(i * last / (count - 1)) for i in range(count)))


@functools.lru_cache(maxsize=64)
def spread_over(
    height: int, width: int, largest: int, overlap: int, multiple: int, tallest: int | None = None
) -> tuple[Axis, Axis]:
    """Windows along rows and columns of the shape that needs the fewest pixels to predict, the squarest of those.

    Args:
        height: rows to cover.
        width: columns to cover.
        largest: side of the largest square window, ``multiple`` where that is more. Others hold no more pixels: they
            are lower, and half as wide again at most, so that a row of them takes no more memory.
        overlap: see ``spread_windows``.
        multiple: likewise.
        tallest: most rows of a window, a multiple of ``multiple``; ``largest`` if None.
    """

    def cost(axes: tuple[Axis, Axis]) -> tuple[int, int, int]:
        rows, columns = axes
        return rows.predicted * columns.predicted, abs(rows.size - columns.size), rows.size

    largest = max(largest, multiple)
    sides = range(_round_up(largest // 2, multiple), largest * 3 // 2 + 1, multiple)
    every_rows = {spread_windows(height, side, overlap, multiple) for side in sides if side <= (tallest or largest)}
    every_columns = {spread_windows(width, side, overlap, multiple) for side in sides}
    return min(
        (axes for axes in itertools.product(every_rows, every_columns) if axes[0].size * axes[1].size <= largest**2),
        key=cost,
    )


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
