"""From a scene to rows of probabilities: reading runs ahead of the network, predictions blend across windows."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .before.earlier import Earlier
from .before.predict import PairWindow, pair_window
from .planes import SceneScaling, build_planes
from .protocol import SceneJob
from .raster import Scene, Understanding, Window
from .reporting import Report
from .resampling import ModelGrid, RowsToScene
from .vector import AreaMask
from .windows import Axis, spread_windows

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Number = TypeVar("Number", bound=np.generic)

WINDOW_PX = 768
"""Largest window at the model's resolution: large enough that overlaps cost little, small enough for 2 GB."""
OVERLAP_PX = 32
"""Enough: against 256 pixels, 64 and 32 change the same 1 % of a real scene's mask."""


@dataclass(frozen=True)
class Task:
    """What is to be predicted: of which scene, on which grid, and which part of it is wanted.

    Attributes:
        job: names the scene (each thread opens it for itself).
        understanding: slots and units of its bands.
        scaling: scene-wide statistics.
        grid: grid that the network sees, of the wanted window and some surroundings.
        wanted: window of the scene that is written.
        area: polygons that limit the assessment, or None.
        multiple: window sizes are multiples of this.
        earlier: the scene from before the event, if what is new is to be predicted.
    """

    job: SceneJob
    understanding: Understanding
    scaling: SceneScaling
    grid: ModelGrid
    wanted: Window
    area: AreaMask | None
    multiple: int
    earlier: Earlier | None = None

    @property
    def columns(self) -> Axis:
        """Windows along model columns."""
        return spread_windows(self.grid.width, WINDOW_PX, OVERLAP_PX, self.multiple)

    @property
    def rows(self) -> Axis:
        """Windows along model rows."""
        return spread_windows(self.grid.height, WINDOW_PX, OVERLAP_PX, self.multiple)

    @property
    def window_px(self) -> int:
        """Pixels of all windows together, overlaps counted as often as they are predicted."""
        rows, columns = self.rows, self.columns
        return len(rows.starts) * rows.size * len(columns.starts) * columns.size


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


class Answering(Protocol):
    """What turns windows into probabilities: of one scene, or of a pair of them."""

    batch_size: int

    def settle(self, window: Any) -> None:
        """Get ready for windows like this one."""

    def answer(self, windows: Sequence[Any]) -> list[tuple[Tensor, ...]]:
        """Probabilities (h, w) of each window; of a pair, what is new and what the later date alone shows."""


def predict_rows(task: Task, scene: Scene, predictor: Answering, report: Report) -> Iterator[Portion]:
    """Predict a scene from top to bottom; memory holds one row of windows, whatever the scene's height.

    Args:
        task: what to predict.
        scene: open, for this thread.
        predictor: of one hazard.
        report: told of the share done; may cancel.
    """
    rows, columns = task.rows, task.columns
    width = task.grid.width
    fields = 1 if task.earlier is None else 2
    blend = np.zeros((fields, rows.size, width), np.float32)
    valid = np.zeros((rows.size, width), np.bool_)
    back = [RowsToScene(task.grid) for _ in range(fields)]
    back_valid = _ValidRows(task, scene)
    total, done = len(rows.starts) * len(columns.starts), 0
    with _reading_ahead(task, report, ahead=2 * predictor.batch_size) as windows:
        for row, top in enumerate(rows.starts):
            down_weights = rows.weights(row)[:, None]
            for first in range(0, len(columns.starts), predictor.batch_size):
                report.check()
                batch = list(enumerate(columns.starts))[first : first + predictor.batch_size]
                ready = [windows.take() for _ in batch]
                planes = [window.planes for window in ready if window.planes is not None]
                if planes:
                    predictor.settle(planes[0])
                answers = iter(predictor.answer(planes))
                for (column, left), window in zip(batch, ready, strict=True):
                    right = min(left + columns.size, width)
                    valid[:, left:right] |= window.valid[:, : right - left]
                    if window.planes is not None:
                        weights = down_weights * columns.weights(column)[None, :]
                        for field, probability in zip(blend, next(answers), strict=True):
                            field[:, left:right] += (probability.numpy() * weights)[:, : right - left]
                done += len(batch)
                report.progress(done / total, 0.03, 0.95)
            final = rows.finished[row]
            count = min(final, task.grid.height) - top
            last = row + 1 == len(rows.starts)
            back_valid.push(valid[:count])
            finished = [
                rows_back.push(field[:count].copy(), last=last) for rows_back, field in zip(back, blend, strict=True)
            ]
            for parts in zip(*finished, strict=True):
                first_row, probability = parts[0]
                known = back_valid.take(first_row, len(probability))
                yield from _limit(task, first_row, [values for _, values in parts], known)
            blend = _move_up(blend, count)
            valid = _move_up(valid, count)


def _move_up(rows: npt.NDArray[Number], count: int) -> npt.NDArray[Number]:
    """Rows (..., rows, width), the first ``count`` of them gone."""
    moved = np.zeros_like(rows)
    moved[..., : rows.shape[-2] - count, :] = rows[..., count:, :]
    return moved


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
    limited, valid = [np.clip(field[part], 0, 1) for field in fields], valid[part]
    asked = valid.size
    if task.area is not None:
        inside = task.area.read_window(Window(wanted.x, start, wanted.width, stop - start))
        asked = int(np.count_nonzero(inside))
        valid = valid & inside
    for field in limited:
        field[~valid] = np.nan
    yield Portion(start - wanted.y, limited[0], asked, *limited[1:])


class _Windows:
    """Windows from the reading thread, in order."""

    def __init__(self, waiting: queue.Queue[_Ready | BaseException]) -> None:
        self._waiting = waiting

    def take(self) -> _Ready:
        found = self._waiting.get()
        if isinstance(found, BaseException):
            raise found
        return found


@contextlib.contextmanager
def _reading_ahead(task: Task, report: Report, ahead: int) -> Iterator[_Windows]:
    """Read windows in a thread of its own, at most ``ahead`` before they are needed; what fails there raises here."""
    waiting: queue.Queue[_Ready | BaseException] = queue.Queue(maxsize=max(2, ahead))
    stop = threading.Event()

    def put(item: _Ready | BaseException) -> None:
        while not stop.is_set():
            try:
                waiting.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def read() -> None:
        try:
            with contextlib.ExitStack() as stack:
                scene = stack.enter_context(Scene(task.job))
                earlier = stack.enter_context(Scene(task.earlier.job)) if task.earlier else None
                for top in task.rows.starts:
                    for left in task.columns.starts:
                        if stop.is_set():
                            return
                        report.check()
                        put(_prepare(task, scene, earlier, left, top))
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=read, name="reading ahead", daemon=True)
    thread.start()
    try:
        yield _Windows(waiting)
    finally:
        stop.set()
        thread.join()


@torch.inference_mode()
def _prepare(task: Task, scene: Scene, earlier: Scene | None, left: int, top: int) -> _Ready:
    grid = task.grid
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
    planes = build_planes(torch.from_numpy(values)[None], torch.from_numpy(valid)[None, None], task.scaling)
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
