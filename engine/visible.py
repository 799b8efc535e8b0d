"""Windows of what is visible of a scene, spread evenly over it, for a model to learn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from .adaptation.views import Views
from .before.earlier import Earlier
from .before.predict import pair_window
from .before.unchanged import EarlierWindows, compare_ground
from .planes import build_planes
from .preparing import Prepared
from .raster import Scene, Window
from .reporting import Report
from .vector import AreaMask

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Place = tuple[int, int]

WINDOW_PX = 256
"""Side of a window in model pixels."""
MOST_WINDOWS = 24
MOST_JUDGED = 12
"""Windows that candidates are judged on; more would take the time in which others are tried."""
LEAST_VALID = 0.3
"""Share of a window that must be valid and asked for."""


@dataclass(frozen=True)
class Visible:
    """Windows of the visible part of a scene.

    Attributes:
        views: the windows; None where hardly anything valid is visible.
        area_m2: ground that the visible valid pixels cover, about.
        share_valid: of the windows' pixels that are valid and asked for.
        places: first column and row of each window on the model's grid.
        earlier: the same windows on an earlier date, where there is a scene of it.
    """

    views: Views | None
    area_m2: float
    share_valid: float
    places: tuple[tuple[int, int], ...] = ()
    earlier: EarlierWindows | None = None


def look_at(
    scene: Scene,
    prepared: Prepared,
    wanted: Window,
    area: AreaMask | None,
    multiple: int,
    report: Report,
    earlier: Earlier | None = None,
) -> Visible:
    """Read windows that are spread evenly over the wanted part of a scene.

    Args:
        scene: open.
        prepared: for the model.
        wanted: part that is visible.
        area: polygons that it is limited to, or None.
        multiple: sides of windows are multiples of this.
        report: told of progress; may cancel.
        earlier: a scene from before on the same grid, or None.
    """
    grid = prepared.grid
    height, width = (min(WINDOW_PX, -(-side // multiple) * multiple) for side in (grid.height, grid.width))
    places = lattice(grid.width, grid.height, width, height, MOST_WINDOWS)
    kept, shares = [], []
    for index, (left, top) in enumerate(places):
        report.progress(index / len(places), 0.02, 0.1)
        window = Window(left, top, min(width, grid.width - left), min(height, grid.height - top))
        values, valid = grid.read(scene, prepared.understanding, window, (height, width))
        if area is not None:
            valid = valid & _asked_for(area, prepared, window, (height, width))
        shares.append(float(valid.mean()))
        if shares[-1] >= LEAST_VALID or (len(places) == 1 and valid.any()):
            kept.append((values, valid, (left, top)))
    share = float(np.mean(shares)) if shares else 0.0
    across, down = prepared.understanding.gsd_m
    ground = wanted.width * wanted.height * across * down * share
    if not kept:
        return Visible(None, ground, share)
    order = _spread_first(len(kept), MOST_JUDGED)
    pixels = torch.from_numpy(np.stack([kept[index][0] for index in order]))
    known = torch.from_numpy(np.stack([kept[index][1] for index in order]))
    planes = build_planes(pixels, known[:, None], prepared.scaling)
    return Visible(
        Views(planes, known, prepared.scaling, min(MOST_JUDGED, len(order))),
        ground,
        share,
        tuple(kept[index][2] for index in order),
        None if earlier is None else _look_back(earlier, prepared, [kept[index] for index in order]),
    )


def _look_back(earlier: Earlier, prepared: Prepared, windows: Sequence[tuple[Array, Mask, Place]]) -> EarlierWindows:
    """The same windows on the earlier date."""
    grid, planes, unchanged, changed = prepared.grid, [], [], []
    scalings = prepared.scaling, earlier.scaling
    with Scene(earlier.job) as was:
        for values, valid, (left, top) in windows:
            size = valid.shape[0], valid.shape[1]
            window = Window(left, top, min(size[1], grid.width - left), min(size[0], grid.height - top))
            before, also = grid.read(was, earlier.understanding, window, size)
            pair = pair_window((values, before), (valid, also), scalings, earlier.match)
            planes.append(pair.earlier.half())
            calm, great = compare_ground(pair.change[None], pair.both[None], earlier.match)
            unchanged.append(calm[0])
            changed.append(great[0])
    return EarlierWindows(torch.stack(planes), earlier.scaling, torch.stack(unchanged), torch.stack(changed))


def lattice(width: int, height: int, across: int, down: int, most: int) -> list[tuple[int, int]]:
    """First columns and rows of at most ``most`` windows, spread evenly over ``width`` x ``height`` pixels."""
    columns, rows = max(1, round(width / across)), max(1, round(height / down))
    if columns * rows > most:
        columns = max(1, min(columns, round(math.sqrt(most * width / height))))
        rows = max(1, min(rows, most // columns))
        columns = min(columns, most // rows)
    lefts, tops = _spread(width - across, columns), _spread(height - down, rows)
    return [(left, top) for top in tops for left in lefts]


def _spread(last: int, count: int) -> list[int]:
    if count == 1 or last <= 0:
        return [max(0, last // 2)]
    return [round(index * last / (count - 1)) for index in range(count)]


def _spread_first(count: int, most: int) -> list[int]:
    """All numbers below ``count``, beginning with at most ``most`` that are spread evenly over them."""
    first = sorted({round(index * (count - 1) / max(1, most - 1)) for index in range(most)}) if count > most else []
    return first + [index for index in range(count) if index not in set(first)]


def _asked_for(area: AreaMask, prepared: Prepared, window: Window, size: tuple[int, int]) -> Mask:
    """(h, w) bool on the model's grid: whether the middle of a pixel lies in the polygons."""
    grid = prepared.grid
    inside = np.zeros(size, np.bool_)
    x0 = grid.covered.x + window.x * grid.across.down // grid.across.up
    y0 = grid.covered.y + window.y * grid.down.down // grid.down.up
    wide = -(-window.width * grid.across.down // grid.across.up)
    tall = -(-window.height * grid.down.down // grid.down.up)
    mask = area.read_window(Window(x0, y0, wide, tall))
    rows = (np.arange(window.height) + 0.5) * grid.down.down / grid.down.up
    columns = (np.arange(window.width) + 0.5) * grid.across.down / grid.across.up
    picked = mask[np.ix_(np.minimum(rows.astype(int), tall - 1), np.minimum(columns.astype(int), wide - 1))]
    inside[: window.height, : window.width] = picked
    return inside
