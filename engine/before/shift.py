"""How far two scenes of one place lie apart, in pixels of one grid (numpy only)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

SEARCH_PX = 80
SEARCH_SHARE = 0.4
"""Shifts up to so many pixels are looked for, and up to this share of a window's side: further off, too little of the
ground is in both windows."""
LEAST_SIDE_PX = 65
"""Smaller windows say nothing."""
LEAST_PEAK = 8.0
"""Height of the correlation's peak, in spreads of the correlation, below which a window says nothing."""
NEAR_PX = 5.0
SURE_PEAK = 12.0
"""Height below which a window alone is not believed a shift beyond ``NEAR_PX``: of so many, one fits by chance."""
AGREE_PX = 0.75
LEAST_VALID = 0.6


@dataclass(frozen=True)
class Shift:
    """By how many columns and rows the earlier scene must be moved right and down, as ``windows`` of ``of`` agree."""

    right_px: float
    down_px: float
    windows: int
    of: int

    @property
    def length_px(self) -> float:
        """Length of the shift."""
        return float(np.hypot(self.right_px, self.down_px))


def estimate_shift(pairs: Sequence[tuple[Array, Array, Mask]]) -> Shift | None:
    """Shift between scenes from windows of both: the median of those whose correlation has a clear peak.

    Phase correlation (Kuglin and Hines 1975) of gradient magnitudes, which seasons and the sun change less than
    values; a parabola places the peak between pixels.

    Args:
        pairs: later and earlier values (h, w) of one band, and where both are valid.

    Returns:
        None where fewer than half of the windows that say anything agree, none does, or one alone is unsure.
    """
    found = [told for later, earlier, valid in pairs if (told := _of_window(later, earlier, valid)) is not None]
    if not found:
        return None
    shifts, heights = np.asarray(found)[:, :2], np.asarray(found)[:, 2]
    middle = np.median(shifts, axis=0)
    close = np.abs(shifts - middle).max(axis=1) <= AGREE_PX
    if close.sum() * 2 < len(shifts) or (len(shifts) > 1 and close.sum() < 2):
        return None
    right, down = shifts[close].mean(axis=0)
    shift = Shift(float(right), float(down), int(close.sum()), len(pairs))
    by_chance = shift.windows == 1 and shift.length_px > NEAR_PX and heights.max() < SURE_PEAK
    return None if by_chance else shift


def _of_window(later: Array, earlier: Array, valid: Mask) -> tuple[float, float, float] | None:
    """Columns, rows and the peak's height in spreads of the correlation."""
    if min(valid.shape) < LEAST_SIDE_PX or valid.mean() < LEAST_VALID:
        return None
    first, second = _edges(later, valid), _edges(earlier, valid)
    if not (first.any() and second.any()):
        return None
    spectrum = np.fft.rfft2(first) * np.conj(np.fft.rfft2(second))
    spectrum /= np.maximum(np.abs(spectrum), 1e-6)
    height, width = first.shape
    # Blurred a little: the finest frequencies hold noise.
    fy, fx = np.fft.fftfreq(height, 1.0)[:, None], np.fft.rfftfreq(width, 1.0)[None, :]
    spectrum *= np.exp(-((fy**2 + fx**2) / (2 * 0.2**2)))
    surface = np.fft.irfft2(spectrum, s=first.shape)
    below, beside = (min(SEARCH_PX, int(SEARCH_SHARE * side)) for side in (height, width))
    near = np.roll(surface, (below, beside), (0, 1))[: 2 * below + 1, : 2 * beside + 1]
    row, column = np.unravel_index(int(near.argmax()), near.shape)
    if near[row, column] < LEAST_PEAK * surface.std() or not (0 < row < 2 * below and 0 < column < 2 * beside):
        return None
    down = row - below + _vertex(near[row - 1, column], near[row, column], near[row + 1, column])
    right = column - beside + _vertex(near[row, column - 1], near[row, column], near[row, column + 1])
    return float(right), float(down), float(near[row, column] / surface.std())


def _vertex(before: float, peak: float, after: float) -> float:
    bend = before - 2 * peak + after
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))


def _edges(values: Array, valid: Mask) -> Array:
    """Gradient magnitude, 0 next to what is not valid, cut at its 98 % quantile and faded towards the window's edge."""
    filled = np.where(valid, values, np.median(values[valid]))
    down, across = np.gradient(filled.astype(np.float64))
    edges = np.hypot(across, down)
    inner = valid.copy()
    inner[1:] &= valid[:-1]
    inner[:-1] &= valid[1:]
    inner[:, 1:] &= valid[:, :-1]
    inner[:, :-1] &= valid[:, 1:]
    edges[~inner] = 0.0
    if inner.any():
        edges = np.minimum(edges, np.quantile(edges[inner], 0.98))
        edges = np.where(inner, edges - edges[inner].mean(), 0.0)
    fade = np.hanning(edges.shape[0])[:, None] * np.hanning(edges.shape[1])[None, :]
    return np.asarray(edges * fade, np.float32)
