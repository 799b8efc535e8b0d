"""A first estimate while a scene is segmented: what is in view, coarse and at once, then refined as rows are finished.

It is a picture for whoever waits, never a result: the network sees larger pixels than it was made for, the files lie in
a folder of whoever asked, and nothing that goes wrong here ends the run.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from .layers import mask_layer
from .pipeline import OVERLAP_PX, WINDOW_PX, Portion, Task
from .predict import Predictor
from .protocol import NOT_ASSESSED, BadInput, Cancelled, HazardError, SegmentJob
from .raster import Scene, Window
from .raster.coarse import CoarseScene, write_small_mask
from .reporting import Report
from .vector import AreaMask
from .windows import spread_windows

Codes = npt.NDArray[np.uint8]

MOST_PX = 768 * 768
"""Pixels that an estimate predicts at most: about a second on two cores."""
QUICK_PX = 1024 * 1024
"""A run of no more pixels is as quick as an estimate, which is left out."""
SHARE = 50
"""One pixel is estimated for this many that the run predicts, so that the run hardly takes longer."""
MOST_BYTES = 448 * 2**20
"""Stored bytes read for an estimate; of a scene without overviews that has more in view, the middle is estimated."""
EVERY_S = 3.0
"""Seconds between two refinements."""

Watch = Callable[[Portion], None]


@dataclass(frozen=True)
class Plan:
    """What an estimate shows.

    Attributes:
        part: window of the scene.
        across: columns of the scene in one of its pixels.
        down: rows likewise.
    """

    part: Window
    across: int
    down: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.part.width // self.across

    @property
    def height(self) -> int:
        """Rows."""
        return self.part.height // self.down


def plan_estimate(task: Task, view: Window | None) -> Plan | None:
    """How to estimate what is in view, or all that is wanted where none of that is; None where the run is as quick."""
    grid = task.grid
    whole = grid.width * grid.height
    if whole <= QUICK_PX:
        return None
    part = _common(view, task.wanted) or task.wanted
    across, down = grid.across.down, grid.down.down
    pixels = part.width / across * part.height / down
    factor = math.ceil(math.sqrt(max(1.0, pixels / min(MOST_PX, whole / SHARE))))
    return Plan(part, min(across * factor, part.width), min(down * factor, part.height))


def watch_run(
    task: Task, scene: Scene, job: SegmentJob, predictor: Predictor | None, threshold: float, report: Report
) -> Watch:
    """Estimate what is in view, if the job asks for it, and return what is to be told of every finished portion.

    Pairs of scenes, which have no ``predictor`` of one scene, are not estimated: what is new needs both.
    """
    if job.preview is None or predictor is None:
        return _nothing
    try:
        view = scene.georeference.window_of(job.preview_extent) if job.preview_extent else None
    except BadInput:  # what is in view lies beside the scene
        view = None
    plan = plan_estimate(task, view)
    if plan is None:
        return _nothing
    preview = Preview(plan, task, job, threshold, report)
    return preview.take if _tried(lambda: preview.estimate(predictor), report) else _nothing


class Preview:
    """A small mask of what is in view, first estimated, then replaced row by row with what the run found.

    Args:
        plan: what it shows.
        task: of the run.
        job: says where its files go.
        threshold: probability from which a pixel is hazard.
        report: told of every new file.
    """

    def __init__(self, plan: Plan, task: Task, job: SegmentJob, threshold: float, report: Report) -> None:
        self._plan = plan
        self._task = task
        self._job = job
        self._threshold = threshold
        self._report = report
        self._codes: Codes = np.full((plan.height, plan.width), NOT_ASSESSED, np.uint8)
        # The scene's row and column in the middle of each pixel, as rows and columns of the wanted window.
        self._rows = plan.part.y - task.wanted.y + np.arange(plan.height) * plan.down + plan.down // 2
        self._columns = plan.part.x - task.wanted.x + np.arange(plan.width) * plan.across + plan.across // 2
        self._refined = 0
        self._written = 0
        self._last = time.monotonic()

    def estimate(self, predictor: Predictor) -> None:
        """Predict the part in view from coarse pixels, write it and tell of it."""
        plan = self._plan
        with CoarseScene(self._job, plan.part, plan.across, plan.down) as scene:
            bands = len(self._task.understanding.match.used)
            middle = _middle(scene, bands)
            probability = _predict(self._task, scene, predictor, middle, self._report)
            if self._task.area is not None and self._job.area:
                inside = AreaMask(self._job.area, scene.georeference).read_window(middle)
                probability[~inside] = np.nan
            self._codes[middle.y : middle.y + middle.height, middle.x : middle.x + middle.width] = self._cut(
                probability
            )
            self._georeference = scene.georeference
        self._write()

    def take(self, portion: Portion) -> None:
        """Take over finished rows, and show them if some seconds have gone by."""
        first, last = np.searchsorted(self._rows, (portion.first_row, portion.first_row + len(portion.probability)))
        if first < last:
            rows = self._rows[first:last] - portion.first_row
            self._codes[first:last] = self._cut(portion.probability[rows][:, self._columns])
            self._refined = int(last)
            if time.monotonic() - self._last >= EVERY_S:
                _tried(self._write, self._report)

    def _cut(self, probability: npt.NDArray[np.float32]) -> Codes:
        return np.where(np.isnan(probability), NOT_ASSESSED, probability >= self._threshold).astype(np.uint8)

    def _write(self) -> None:
        """Write what is known under a name of its own, because what is shown may be open, and tell of it."""
        self._last = time.monotonic()
        path = os.path.join(str(self._job.preview), f"estimate_{self._written}.tif")
        write_small_mask(mask_layer(path, self._job.hazard), self._georeference, self._codes)
        self._written += 1
        gsd_x, gsd_y = self._task.understanding.gsd_m
        pixel_m = max(gsd_x * self._plan.across, gsd_y * self._plan.down)
        self._report.preview({"file": path, "pixel_m": pixel_m, "refined": self._refined / self._plan.height})


def _predict(
    task: Task, scene: CoarseScene, predictor: Predictor, place: Window, report: Report
) -> npt.NDArray[np.float32]:
    """Probabilities of large pixels, NaN where nothing was measured, blended across windows as in the run."""
    values, valid = scene.read_window(place, task.understanding)
    blend = np.zeros(valid.shape, np.float32)
    down, across = (spread_windows(size, WINDOW_PX, OVERLAP_PX, task.multiple) for size in valid.shape)
    for i, top in enumerate(down.starts):
        for j, left in enumerate(across.starts):
            report.check()
            part = np.s_[top : top + down.size, left : left + across.size]
            if not valid[part].any():
                continue
            padding = tuple(size - have for size, have in zip((down.size, across.size), valid[part].shape, strict=True))
            around = ((0, padding[0]), (0, padding[1]))
            window = torch.from_numpy(np.pad(values[:, part[0], part[1]], ((0, 0), *around)))
            there = torch.from_numpy(np.pad(valid[part], around))
            with torch.inference_mode():
                planes = predictor.planes(window[None], there[None, None])[0]
            weights = down.weights(i)[:, None] * across.weights(j)[None, :]
            found = predictor.predict([planes])[0].numpy() * weights
            blend[part] += found[: valid[part].shape[0], : valid[part].shape[1]]
    blend[~valid] = np.nan
    return blend


def _middle(scene: CoarseScene, bands: int) -> Window:
    """As much of the middle of a coarse scene as can be read quickly."""
    whole = Window(0, 0, scene.width, scene.height)
    share = math.sqrt(min(1.0, MOST_BYTES / scene.bytes_to_read(whole, bands)))
    width, height = (max(1, math.floor(share * size)) for size in (scene.width, scene.height))
    return Window((scene.width - width) // 2, (scene.height - height) // 2, width, height)


def _common(first: Window | None, second: Window) -> Window | None:
    """What two windows share; None for nothing."""
    if first is None:
        return None
    x, y = max(first.x, second.x), max(first.y, second.y)
    right = min(first.x + first.width, second.x + second.width)
    bottom = min(first.y + first.height, second.y + second.height)
    return Window(x, y, right - x, bottom - y) if x < right and y < bottom else None


def _tried(action: Callable[[], None], report: Report) -> bool:
    """Whether an action succeeded; what goes wrong with a picture for whoever waits goes to the log."""
    try:
        action()
    except Cancelled:
        raise
    except (HazardError, RuntimeError, OSError, MemoryError) as error:
        report.log(f"There is no first estimate ({error}); the run goes on.")
        return False
    return True


def _nothing(portion: Portion) -> None:
    """Show nothing."""
