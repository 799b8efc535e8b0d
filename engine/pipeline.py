"""From a scene to rows of probabilities: reading runs ahead of the network, predictions blend across windows."""

from __future__ import annotations

import contextlib
import functools
import itertools
import queue
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .ahead import running_ahead
from .before.earlier import Earlier
from .before.predict import PairWindow, pair_window
from .planes import SceneScaling
from .protocol import SceneJob
from .raster import Scene, Understanding, Window
from .raster.blocks import Blocks
from .reporting import Report
from .resampling import CHUNK_PX, ModelGrid, RowsToScene
from .vector import AreaMask
from .windows import Axis, spread_over

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Number = TypeVar("Number", bound=np.generic)
Answers = Callable[[], list[tuple[Tensor, ...]]]
PlanesOf = Callable[[Tensor, Tensor, "Tensor | None"], Tensor]

WINDOW_PX = 768
"""Side of the largest square window at the model's resolution: large enough that overlaps cost little, small enough
that the network's features and a row of windows take little memory."""
WIDE_PX, WIDE_WINDOW_PX = 40_000, 384
"""From this width on the row of windows that memory holds is as large as the network's features: they are smaller."""
PAIR_WINDOW_PX = 384
"""Of a pair of scenes: two networks and two windows at a time are in memory."""
OVERLAP_PX = 32
"""Neighbours weigh alike 16 pixels from their edges; from 24 on an edge changes no more of the mask than anything far
away does (tests/benchmarks/halo.py); against 256 pixels, 64 and 32 change the same 1 % of a real scene's mask."""
PORTIONS_AHEAD = 2


@dataclass(frozen=True)
class Task:
    """What is to be predicted: of which scene, on which grid, and which part of it is wanted.

    Attributes:
        job: what was asked for.
        understanding: slots and units of its bands.
        scaling: scene-wide statistics.
        grid: grid that the network sees, of the wanted window and some surroundings.
        wanted: window of the scene that is written.
        area: polygons that limit the assessment, or None.
        multiple: window sizes are multiples of this.
        earlier: the scene from before the event, if what is new is to be predicted.
        blocks: of the scene's file: windows are lower where that spares decoding blocks again.
    """

    job: SceneJob
    understanding: Understanding
    scaling: SceneScaling
    grid: ModelGrid
    wanted: Window
    area: AreaMask | None
    multiple: int
    earlier: Earlier | None = None
    blocks: Blocks | None = None

    @functools.cached_property
    def axes(self) -> tuple[Axis, Axis]:
        """Windows along model rows and columns."""
        largest = WINDOW_PX if self.earlier is None else PAIR_WINDOW_PX
        if self.grid.width >= WIDE_PX:
            largest = WIDE_WINDOW_PX
        tallest = largest = max(largest, self.multiple)
        if self.blocks is not None:
            heights = range(largest, largest // 2 - 1, -self.multiple)
            tallest = heights[self.blocks.first_that_fits([self._scene_rows(rows) for rows in heights])]
        return spread_over(self.grid.height, self.grid.width, largest, OVERLAP_PX, self.multiple, tallest)

    def _scene_rows(self, model_rows: int) -> int:
        return model_rows * self.grid.down.down // self.grid.down.up

    def reserve_cache(self) -> None:
        """Let the block cache hold the blocks that neighbouring windows share."""
        if self.blocks is not None:
            self.blocks.reserve_cache(self._scene_rows(self.rows.size))

    @property
    def columns(self) -> Axis:
        """Windows along model columns."""
        return self.axes[1]

    @property
    def rows(self) -> Axis:
        """Windows along model rows."""
        return self.axes[0]

    @property
    def window_px(self) -> int:
        """Pixels of all windows together, overlaps counted as often as they are predicted."""
        return self.rows.predicted * self.columns.predicted


@dataclass
class Portion:
    """Finished rows of the wanted window.

    Attributes:
        first_row: of the wanted window.
        probability: ``(n, width)``, NaN where not assessed.
        wanted: how many of the pixels were asked for.
        alone: with an earlier scene the same of the later date alone, else None.
    """

    first_row: int
    probability: Array
    wanted: int
    alone: Array | None = None


@dataclass
class _Ready:
    """One window after reading; no planes where it holds no valid pixel."""

    valid: Mask
    planes: Tensor | PairWindow | None


class _Used:
    """Planes of windows that are through: the next ones are written over them, as fresh pages of memory take time."""

    def __init__(self) -> None:
        self._planes: queue.SimpleQueue[Tensor] = queue.SimpleQueue()

    def give(self, windows: Sequence[Tensor | PairWindow]) -> None:
        for window in windows:
            if isinstance(window, Tensor) and not window.is_cuda:
                self._planes.put(window)

    def take(self) -> Tensor | None:
        """(1, planes, h, w), or nothing."""
        with contextlib.suppress(queue.Empty):
            return self._planes.get_nowait()[None]
        return None


@dataclass(frozen=True)
class _Place:
    """Which window of the rows and columns of windows."""

    row: int
    column: int


class Answering(Protocol):
    """What turns windows into probabilities: of one scene, or of a pair of them."""

    batch_size: int

    @property
    def preparers(self) -> int:
        """Threads that get windows ready."""

    @property
    def planes(self) -> PlanesOf | None:
        """Makes planes (1, planes, h, w) of values, valid and what may be written over; None for pairs of scenes."""

    def settle(self, windows: Sequence[Any]) -> None:
        """Get ready for windows like these, the scene's first ones."""

    def start(self, windows: Sequence[Any]) -> Answers:
        """Begin with windows of one size and return what waits for their probabilities (h, w) on the CPU.

        The windows may be written over as soon as this returns.

        Of a pair of scenes, what is new and what the later date alone shows. A device of its own computes meanwhile.
        """


def predict_rows(task: Task, scene: Scene, predictor: Answering, report: Report) -> Iterator[Portion]:
    """Predict a scene from top to bottom; memory holds one row of windows, whatever the scene's height.

    Reading and predicting run ahead, each in a thread of its own, of what the caller does with finished rows.

    Args:
        task: what to predict.
        scene: open; read from until all rows are through.
        predictor: of one hazard.
        report: told of the share done; may cancel.
    """
    used = _Used()
    with running_ahead(_read(task, scene, predictor, report, used), predictor.batch_size, "reading") as windows:
        rows = _predict(task, scene, predictor, windows, used, report)
        with running_ahead(rows, PORTIONS_AHEAD, "predicting") as portions:
            for portion in portions:
                report.check()
                yield portion


def _predict(
    task: Task, scene: Scene, predictor: Answering, windows: Iterator[_Ready], used: _Used, report: Report
) -> Generator[Portion, None, None]:
    """Finished rows, blended from windows."""
    rows, columns = task.rows, task.columns
    width = task.grid.width
    fields = 1 if task.earlier is None else 2
    blend = np.zeros((fields, rows.size, width), np.float32)
    valid = np.zeros((rows.size, width), np.bool_)
    back = [RowsToScene(task.grid) for _ in range(fields)]
    back_valid = _ValidRows(task, scene)
    total, done = len(rows.starts) * len(columns.starts), 0
    down_weights = rows.weights(0)[:, None]
    for place, window_valid, answer in _answered(task, predictor, windows, used, report):
        if place.column == 0:
            down_weights = rows.weights(place.row)[:, None]
        left = columns.starts[place.column]
        right = min(left + columns.size, width)
        valid[:, left:right] |= window_valid[:, : right - left]
        if answer is not None:
            weights = down_weights * columns.weights(place.column)[None, :]
            for field, probability in zip(blend, answer, strict=True):
                field[:, left:right] += (probability.numpy() * weights)[:, : right - left]
        done += 1
        report.progress(done / total, 0.03, 0.95)
        if place.column + 1 < len(columns.starts):
            continue
        count = min(rows.finished[place.row], task.grid.height) - rows.starts[place.row]
        most = max(1, CHUNK_PX // width)
        for first in range(0, count, most):
            part = slice(first, min(first + most, count))
            last = part.stop == count and place.row + 1 == len(rows.starts)
            back_valid.push(valid[part])
            finished = [
                rows_back.push(field[part].copy(), last=last) for rows_back, field in zip(back, blend, strict=True)
            ]
            for parts in zip(*finished, strict=True):
                first_row, probability = parts[0]
                known = back_valid.take(first_row, len(probability))
                yield from _limit(task, first_row, [values for _, values in parts], known)
        _move_up(blend, count)
        _move_up(valid, count)


def _answered(
    task: Task, predictor: Answering, windows: Iterator[_Ready], used: _Used, report: Report
) -> Iterator[tuple[_Place, Mask, tuple[Tensor, ...] | None]]:
    """Windows with their probabilities, in order; the next ones are begun before those of the last are waited for."""
    waiting: tuple[list[tuple[_Place, Mask, bool]], Answers] | None = None
    for row in range(len(task.rows.starts)):
        count = len(task.columns.starts)
        for first in range(0, count, predictor.batch_size):
            report.check()
            places = [_Place(row, column) for column in range(first, min(first + predictor.batch_size, count))]
            ready = [next(windows) for _ in places]
            planes = [window.planes for window in ready if window.planes is not None]
            if planes:
                predictor.settle(planes)
            begun = predictor.start(planes) if planes else list
            used.give(planes)  # computed, or on their way to a GPU as copies
            asked = [window.planes is not None for window in ready]
            valid = [window.valid for window in ready]
            del planes, ready  # each is as large as the network's features
            if waiting is not None:
                yield from _paired(*waiting)
            waiting = list(zip(places, valid, asked, strict=True)), begun
    if waiting is not None:
        yield from _paired(*waiting)


def _paired(
    windows: list[tuple[_Place, Mask, bool]], answers: Answers
) -> Iterator[tuple[_Place, Mask, tuple[Tensor, ...] | None]]:
    found = iter(answers())
    for place, valid, asked in windows:
        yield place, valid, next(found) if asked else None


def _move_up(rows: npt.NDArray[Number], count: int) -> None:
    """Let the first ``count`` of rows (..., rows, width) go, in place; zeros come from below."""
    kept = rows[..., count:, :].copy()
    rows[..., : kept.shape[-2], :] = kept
    rows[..., kept.shape[-2] :, :] = 0


class _ValidRows:
    """Where scene pixels can be assessed, row by row.

    On the model's own grid the windows already told; on another grid the scene's own pixels are asked again, so that
    the mask ends exactly where the scene does.
    """

    def __init__(self, task: Task, scene: Scene) -> None:
        self._task = task
        self._scene = scene
        self._rows: list[Mask] = []

    def push(self, valid: Mask) -> None:
        if self._task.grid.exact:
            self._rows.append(valid.copy())

    def take(self, first_row: int, count: int) -> Mask:
        if self._task.grid.exact:
            return self._rows.pop(0)
        covered = self._task.grid.covered
        place = Window(covered.x, covered.y + first_row, covered.width, count)
        return self._scene.read_window(place, self._task.understanding)[1]


def _limit(task: Task, first_row: int, fields: list[Array], valid: Mask) -> Iterator[Portion]:
    """Crop rows of the covered window to the wanted one and mark what is not assessed."""
    covered, wanted = task.grid.covered, task.wanted
    top = covered.y + first_row
    start, stop = max(top, wanted.y), min(top + len(valid), wanted.y + wanted.height)
    if start >= stop:
        return
    part = np.s_[start - top : stop - top, wanted.x - covered.x : wanted.x - covered.x + wanted.width]
    limited, valid = [np.minimum(np.maximum(field[part], 0), 1) for field in fields], valid[part]  # faster than clip
    asked = valid.size
    if task.area is not None:
        inside = task.area.read_window(Window(wanted.x, start, wanted.width, stop - start))
        asked = int(np.count_nonzero(inside))
        valid = valid & inside
    for field in limited:
        field[~valid] = np.nan
    yield Portion(start - wanted.y, limited[0], asked, *limited[1:])


def _read(task: Task, scene: Scene, predictor: Answering, report: Report, used: _Used) -> Generator[_Ready, None, None]:
    """Windows in the order in which they are predicted, read and got ready by threads.

    The scene is the one that statistics were sampled from: blocks that were decoded for them need not be again.
    """
    with contextlib.ExitStack() as stack:
        earlier = stack.enter_context(Scene(task.earlier.job)) if task.earlier else None
        task.reserve_cache()
        places = itertools.product(task.rows.starts, task.columns.starts)

        def prepare(place: tuple[int, int]) -> _Ready:
            report.check()
            return _prepare(task, (scene, earlier), predictor.planes, place, used)

        if predictor.preparers == 1:
            yield from map(prepare, places)
            return
        pool = stack.enter_context(ThreadPoolExecutor(predictor.preparers, "preparing"))
        waiting: deque[Future[_Ready]] = deque()
        stack.callback(lambda: [future.cancel() for future in waiting])
        for place in places:
            waiting.append(pool.submit(prepare, place))
            if len(waiting) > predictor.preparers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@torch.inference_mode()
def _prepare(
    task: Task, scenes: tuple[Scene, Scene | None], planes_of: PlanesOf | None, place: tuple[int, int], used: _Used
) -> _Ready:
    grid, (scene, earlier), (top, left) = task.grid, scenes, place
    size = (task.rows.size, task.columns.size)
    window = Window(left, top, min(size[1], grid.width - left), min(size[0], grid.height - top))
    if task.area is not None and not _touches_area(task, window):
        return _Ready(np.zeros(size, np.bool_), None)
    values, valid = grid.read(scene, task.understanding, window, size)
    if not valid.any():
        return _Ready(valid, None)
    if earlier is not None and task.earlier is not None:
        was, also = grid.read(earlier, task.earlier.understanding, window, size)
        scalings = task.scaling, task.earlier.scaling
        return _Ready(valid, pair_window((values, was), (valid, also), scalings, task.earlier.match))
    if planes_of is None:
        raise ValueError("What compares two scenes was given one.")  # a fault of the caller
    planes = planes_of(torch.from_numpy(values)[None], torch.from_numpy(valid)[None, None], used.take())
    return _Ready(valid, planes[0])


def _touches_area(task: Task, window: Window) -> bool:
    if task.area is None:
        return True
    grid = task.grid
    x0 = grid.covered.x + window.x * grid.across.down // grid.across.up
    y0 = grid.covered.y + window.y * grid.down.down // grid.down.up
    width = -(-window.width * grid.across.down // grid.across.up)
    height = -(-window.height * grid.down.down // grid.down.up)
    return task.area.touches(Window(x0, y0, width, height))
