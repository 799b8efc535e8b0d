"""Windows of what is visible of a scene, spread evenly over it, for a model to learn from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
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
from .resampling import ModelGrid
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
"""Share of what is asked for of a window that must be valid."""
LEAST_INSIDE_PX = 64
"""Valid pixels of a window that must lie in the polygons, where there are some."""
MOST_CELLS = 2048
"""Parts a side in which polygons are measured: those of up to so many pixels are measured exactly."""


@dataclass(frozen=True)
class Visible:
    """Windows of the visible part of a scene.

    Attributes:
        views: the windows; None where hardly anything valid is visible.
        area_m2: ground that the visible valid pixels cover, about.
        share_valid: of the pixels asked for that are valid, as far as the windows show them.
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
    """Read windows that are spread evenly over the wanted part of a scene, or over the polygons in it.

    The network sees all that a window shows. Only what lies in the wanted part, and in the polygons, is valid.

    Args:
        scene: open.
        prepared: for the model.
        wanted: part that is visible, no more of it than the polygons' bounds (``narrowed``).
        area: polygons that it is limited to, or None.
        multiple: sides of windows are multiples of this.
        report: told of progress; may cancel.
        earlier: a scene from before on the same grid, or None.
    """
    grid = prepared.grid
    height, width = (min(WINDOW_PX, -(-side // multiple) * multiple) for side in (grid.height, grid.width))
    if area is None:
        places = lattice(grid.width, grid.height, width, height, MOST_WINDOWS)
    else:
        places = _places_on(area, grid, width, height)
    kept: list[_Look] = []
    asked_px = valid_px = 0
    for index, once in enumerate(counted_once(places, (height, width))):
        report.progress(index / len(places), 0.02, 0.1)
        left, top = places[index]
        window = Window(left, top, min(width, grid.width - left), min(height, grid.height - top))
        values, known = grid.read(scene, prepared.understanding, window, (height, width))
        asked = _asked_for(wanted, area, grid, window, (height, width))
        valid = known & asked
        asked_px, valid_px = asked_px + int((asked & once).sum()), valid_px + int((valid & once).sum())
        least = LEAST_VALID * int(asked.sum()) if area is None else LEAST_INSIDE_PX
        if valid.any() and (len(places) == 1 or int(valid.sum()) >= least):
            kept.append(_Look(values, known, valid, (left, top)))
    share = valid_px / max(1, asked_px)
    ground = _ground_m2(wanted, area, prepared) * share
    if not kept:
        return Visible(None, ground, share)
    looks = [kept[index] for index in _spread_first(len(kept), MOST_JUDGED)]
    pixels = torch.from_numpy(np.stack([look.values for look in looks]))
    seen = torch.from_numpy(np.stack([look.known for look in looks]))
    taken = torch.from_numpy(np.stack([look.valid for look in looks]))
    places = [look.place for look in looks]
    single = torch.from_numpy(np.stack(list(counted_once(places[:MOST_JUDGED], (height, width)))))
    return Visible(
        Views(
            build_planes(pixels, seen[:, None], prepared.scaling), taken, prepared.scaling, len(single),
            once=None if bool(single.all()) else single,
        ),
        ground,
        share,
        tuple(places),
        None if earlier is None else _look_back(earlier, prepared, looks),
    )  # fmt: skip


def narrowed(wanted: Window, area: AreaMask | None) -> Window:
    """What of the wanted part lies in the polygons' bounds; all of it where nothing does."""
    if area is None:
        return wanted
    x0, y0 = max(wanted.x, area.bounds.x), max(wanted.y, area.bounds.y)
    x1 = min(wanted.x + wanted.width, area.bounds.x + area.bounds.width)
    y1 = min(wanted.y + wanted.height, area.bounds.y + area.bounds.height)
    return Window(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else wanted


@dataclass(frozen=True)
class _Look:
    """A window as it was read: what was measured in it, and what of that is asked for."""

    values: Array
    known: Mask
    valid: Mask
    place: Place


def _look_back(earlier: Earlier, prepared: Prepared, looks: Sequence[_Look]) -> EarlierWindows:
    """The same windows on the earlier date."""
    grid, planes, unchanged, changed = prepared.grid, [], [], []
    scalings = prepared.scaling, earlier.scaling
    with Scene(earlier.job) as was:
        for look in looks:
            (left, top), size = look.place, (look.known.shape[0], look.known.shape[1])
            window = Window(left, top, min(size[1], grid.width - left), min(size[0], grid.height - top))
            before, also = grid.read(was, earlier.understanding, window, size)
            pair = pair_window((look.values, before), (look.known, also), scalings, earlier.match)
            planes.append(pair.earlier.half())
            calm, great = compare_ground(pair.change[None], pair.both[None], earlier.match)
            unchanged.append(calm[0])
            changed.append(great[0])
    return EarlierWindows(torch.stack(planes), earlier.scaling, torch.stack(unchanged), torch.stack(changed))


def counted_once(places: Sequence[Place], size: tuple[int, int]) -> Iterator[Mask]:
    """For each window, which of its (h, w) pixels count there: each pixel in the window whose centre is nearest.

    Args:
        places: first column and row of the windows.
        size: rows and columns of all of them.
    """
    rows, columns = np.arange(size[0])[:, None], np.arange(size[1])[None]

    def squared(left: int, top: int) -> npt.NDArray[np.int64]:
        """Four times the squared distance from the centre of a window that begins there."""
        return np.asarray((2 * (rows - top) + 1 - size[0]) ** 2 + (2 * (columns - left) + 1 - size[1]) ** 2, np.int64)

    for index, (left, top) in enumerate(places):
        once, own = np.ones(size, np.bool_), squared(0, 0)
        for other, (x, y) in enumerate(places):
            across, down = x - left, y - top
            if other == index or abs(across) >= size[1] or abs(down) >= size[0]:
                continue
            inside = (rows >= down) & (rows < down + size[0]) & (columns >= across) & (columns < across + size[1])
            theirs = squared(across, down)
            once &= ~(inside & ((theirs < own) | ((theirs == own) & (other < index))))
        yield once


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


def _places_on(area: AreaMask, grid: ModelGrid, across: int, down: int) -> list[Place]:
    """First columns and rows of windows on polygons: of all side by side those that one touches, or some of them."""
    columns, rows = -(-grid.width // across), -(-grid.height // down)
    lefts, tops = _spread(grid.width - across, columns), _spread(grid.height - down, rows)
    box = grid.covered.x, grid.covered.y, grid.covered.x + grid.covered.width, grid.covered.y + grid.covered.height
    found = np.argwhere(area.read_cells(box, (rows, columns), touched=True))
    count = min(len(found), MOST_WINDOWS)
    picked = found[np.linspace(0, len(found) - 1, count).round().astype(int)] if count else found
    return [(lefts[column], tops[row]) for row, column in picked]


def _asked_for(wanted: Window, area: AreaMask | None, grid: ModelGrid, window: Window, size: tuple[int, int]) -> Mask:
    """(h, w) bool on the model's grid: whether the middle of a pixel lies in the wanted part, and in the polygons."""
    covered, inside = grid.covered, np.zeros(size, np.bool_)
    px_across, px_down = grid.across.down / grid.across.up, grid.down.down / grid.down.up
    columns = covered.x + np.minimum((window.x + np.arange(window.width) + 0.5) * px_across, covered.width - 0.5)
    rows = covered.y + np.minimum((window.y + np.arange(window.height) + 0.5) * px_down, covered.height - 0.5)
    asked = np.outer(
        (rows >= wanted.y) & (rows < wanted.y + wanted.height),
        (columns >= wanted.x) & (columns < wanted.x + wanted.width),
    )
    if area is not None:
        left, top = covered.x + window.x * px_across, covered.y + window.y * px_down
        box = left, top, left + window.width * px_across, top + window.height * px_down
        asked &= area.read_cells(box, (window.height, window.width))
    inside[: window.height, : window.width] = asked
    return inside


def _ground_m2(wanted: Window, area: AreaMask | None, prepared: Prepared) -> float:
    """Ground that is asked for, valid or not."""
    across, down = prepared.understanding.gsd_m
    ground = wanted.width * wanted.height * across * down
    if area is None:
        return ground
    box = wanted.x, wanted.y, wanted.x + wanted.width, wanted.y + wanted.height
    return ground * float(area.read_cells(box, (min(wanted.height, MOST_CELLS), min(wanted.width, MOST_CELLS))).mean())
