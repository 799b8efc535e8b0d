"""The earlier scene of a pair: understood, brought into place and matched with the later one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..bands import UnknownBands, WrongBandCount
from ..characteristics import find_characteristics
from ..planes import SceneScaling
from ..preparing import Warn
from ..protocol import BadInput, PairJob, SceneJob
from ..raster import Scene, Understanding, Window
from ..raster.earlier import laid_onto
from ..remedies import Remediable
from .matching import PairMatch, match_scenes
from .shift import Shift, estimate_shift

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

LARGEST_SHIFT_PX = 5.0
SMALLEST_SHIFT_PX = 0.3
"""Shifts below are left alone: correcting them would blur more than it mends."""
WINDOW_PX = 192
MOST_WINDOWS = 16
LOOKED_AT_PX = 3 * WINDOW_PX
"""Side of the least part of the scene from which a shift is told, however small the wanted part is."""
SAMPLE_WINDOWS = 24
SAMPLE_PX = 200_000
SHARP_BANDS = ("nir", "red", "green", "swir1", "blue", "swir2", "coastal", "vv", "vh")
"""In this order a common band is looked for in which scenes are compared to find their shift."""


class WrongOrder(Remediable):
    """The scene before is known to be the later one."""


class Elsewhere(Remediable):
    """The scene before has no value where the later one is wanted."""


@dataclass(frozen=True)
class Earlier:
    """An earlier scene on the grid of a later one.

    Attributes:
        job: names the view that is read; each thread opens it for itself.
        understanding: slots and units of its bands.
        scaling: statistics of the earlier scene as a whole.
        match: how its bands relate to those of the later scene.
        shift: by which it was moved, or found too small to be; None where it could not be told.
        moved: whether it was moved.
        date: its day, where it is known.
        name: of the file.
        files: that it consists of.
        order: what the user should know of the order of the two, where no day tells it; else None.
    """

    job: SceneJob
    understanding: Understanding
    scaling: SceneScaling
    match: PairMatch
    shift: Shift | None
    moved: bool
    date: str | None
    name: str
    files: tuple[str, ...]
    order: str | None = None


def job_of_earlier(job: PairJob) -> SceneJob:
    """The earlier scene as a scene of its own; ``job.before`` is given."""
    return SceneJob(raster=job.before or "", bands=job.before_bands, units=job.before_units, sensor=job.before_sensor)


def describe_earlier(job: PairJob, earlier: Earlier | None) -> dict[str, Any]:
    """What the JSON of a command says of the scene before; that there was none where there is none."""
    if earlier is None:
        return {"before": None}
    shift = earlier.shift
    return {
        "before": job.before,
        "before_name": job.before_name or earlier.name,
        "before_date": earlier.date,
        "before_shift_px": [round(shift.right_px, 2), round(shift.down_px, 2)] if shift else None,
        "before_moved": earlier.moved,
        "before_bands": list(earlier.scaling.slots),
    }


@contextlib.contextmanager
def open_earlier(
    job: PairJob, scene: Scene, of_scene: Understanding, scaled: SceneScaling, wanted: Window, warn: Warn
) -> Iterator[Earlier]:
    """Bring the job's earlier scene onto the grid of the later one, for as long as the context lasts.

    Args:
        job: with ``before``.
        scene: the later one, open.
        of_scene: slots and units of its bands.
        scaled: its statistics.
        wanted: the part of it that is wanted.
        warn: told what the user should know.

    Raises:
        BadInput: the earlier scene cannot be read or laid over the later one, lies beside it or too far off, or is the
            later of the two.
    """
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(Scene(job_of_earlier(job)))
        understanding = _understand(own)
        for text in understanding.warnings:
            warn(f"Scene before: {text}")
        date = job.before_date or find_characteristics(own, understanding, own.job).date
        order = _require_order(own, date, scene, job, of_scene)
        low, high = own.percentiles(understanding)
        absolute = tuple(units.absolute for units in understanding.slot_units)
        scaling = SceneScaling(understanding.match.used_slots, low, high, absolute)
        view = stack.enter_context(laid_onto(own, scene.georeference, scene.name, (0, 0), understanding.zero_is_fill))
        view_job = replace(own.job, raster=view, bands=None)
        with Scene(view_job) as laid:
            shift = _find_shift(scene, of_scene, laid, understanding, wanted)
        moved = _settle_shift(shift, own, scene, warn)
        if moved and shift is not None:
            by = (shift.right_px, shift.down_px)
            view = stack.enter_context(laid_onto(own, scene.georeference, scene.name, by, understanding.zero_is_fill))
            view_job = replace(view_job, raster=view)
        with Scene(view_job) as laid:
            match = _match((scene, of_scene, scaled), (laid, understanding, scaling), wanted)
        if match is None:
            raise Elsewhere(
                f"'{own.name}' has no valid pixel under the wanted part of '{scene.name}'",
                "choose a scene of the same place, or another extent",
            )
        if not match.slots:
            warn(
                f"The scene before has the bands {', '.join(scaling.slots)}, the scene "
                f"{', '.join(scaled.slots)}: with none in common, only what each shows by itself is compared."
            )
        yield Earlier(view_job, understanding, scaling, match, shift, moved, date, own.name, own.files(), order)


def _understand(own: Scene) -> Understanding:
    try:
        return own.understand()
    except (UnknownBands, WrongBandCount) as error:
        raise type(error)(f"Scene before: {error.found}", error.remedy.replace("--", "--before-")) from None


@contextlib.contextmanager
def lay_again(job: PairJob, earlier: Earlier, scene: Scene) -> Iterator[SceneJob]:
    """A new view of an earlier scene of which ``open_earlier`` found out all that is to be known, as long as it lasts.

    Args:
        job: of the pair.
        earlier: what was found out.
        scene: the later one, open.
    """
    by = (earlier.shift.right_px, earlier.shift.down_px) if earlier.shift and earlier.moved else (0.0, 0.0)
    with (
        Scene(job_of_earlier(job)) as own,
        laid_onto(own, scene.georeference, scene.name, by, earlier.understanding.zero_is_fill) as view,
    ):
        yield replace(earlier.job, raster=view)


def _require_order(own: Scene, date: str | None, scene: Scene, job: PairJob, of_scene: Understanding) -> str | None:
    """Raise WrongOrder if the days say that the scenes are swapped; a sentence where a day is not known, else None."""
    later = find_characteristics(scene, of_scene, job).date
    if date and later and date > later:
        raise WrongOrder(
            f"The scene before, '{own.name}', is of {date}, later than '{scene.name}' of {later}",
            "swap the two, or correct a date (--date, --before-date)",
        )
    unknown = [f"'{name}'" for name, day in ((own.name, date), (scene.name, later)) if not day]
    if not unknown:
        return None
    return (
        f"The day of {' and '.join(unknown)} is not known, so that the order of the two scenes was not checked; make "
        f"sure that '{own.name}' is the earlier one."
    )


def _settle_shift(shift: Shift | None, own: Scene, scene: Scene, warn: Warn) -> bool:
    """Whether the earlier scene is to be moved."""
    if shift is None:
        warn("How well the two scenes lie on each other could not be told; they are taken as they lie.")
        return False
    if shift.length_px > LARGEST_SHIFT_PX:
        raise BadInput(
            f"'{own.name}' lies {shift.length_px:.1f} pixels off '{scene.name}' ({shift.right_px:+.1f} columns, "
            f"{shift.down_px:+.1f} rows), at most {LARGEST_SHIFT_PX:.0f} are corrected; georeference one of them again."
        )
    if shift.length_px < SMALLEST_SHIFT_PX:
        return False
    warn(
        f"The scene before was moved by {shift.right_px:+.1f} columns and {shift.down_px:+.1f} rows to lie on the "
        f"scene ({shift.windows} of {shift.of} places agree)."
    )
    return True


def _find_shift(
    scene: Scene, understanding: Understanding, laid: Scene, of_laid: Understanding, wanted: Window
) -> Shift | None:
    common = [s for s in SHARP_BANDS if s in understanding.match.used_slots and s in of_laid.match.used_slots]
    if not common:
        return None
    at, was = understanding.match.used_slots.index(common[0]), of_laid.match.used_slots.index(common[0])
    pairs = []
    for window in _spread(_grown(wanted, scene), WINDOW_PX, MOST_WINDOWS):
        later, valid = scene.read_window(window, understanding)
        earlier, also = laid.read_window(window, of_laid)
        pairs.append((later[at], earlier[was], valid & also))
    return estimate_shift(pairs)


def _grown(wanted: Window, scene: Scene) -> Window:
    """The wanted part with what lies around it, where it is too small to tell a shift by itself."""
    width, height = (
        min(max(a, LOOKED_AT_PX), b) for a, b in ((wanted.width, scene.width), (wanted.height, scene.height))
    )
    x = wanted.x - (width - wanted.width) // 2
    y = wanted.y - (height - wanted.height) // 2
    return Window(min(max(0, x), scene.width - width), min(max(0, y), scene.height - height), width, height)


Side = tuple[Scene, Understanding, SceneScaling]


def _match(later_side: Side, earlier_side: Side, wanted: Window) -> PairMatch | None:
    """How the bands relate, from pixels spread over the wanted window; None where no pixel is valid on both dates."""
    scene, of_scene, scaled = later_side
    laid, of_laid, scaling = earlier_side
    firsts, seconds = [], []
    windows = _spread(wanted, WINDOW_PX, SAMPLE_WINDOWS)
    step = max(1, round((sum(w.width * w.height for w in windows) / SAMPLE_PX) ** 0.5))
    for window in windows:
        later, valid = scene.read_window(window, of_scene)
        earlier, also = laid.read_window(window, of_laid)
        both = (valid & also)[::step, ::step]
        firsts.append(later[:, ::step, ::step][:, both])
        seconds.append(earlier[:, ::step, ::step][:, both])
    first, second = np.concatenate(firsts, axis=1), np.concatenate(seconds, axis=1)
    if not first.shape[1]:
        return None
    return match_scenes(torch.from_numpy(first), scaled, torch.from_numpy(second), scaling)


def _spread(wanted: Window, side_px: int, most: int) -> list[Window]:
    """At most about ``most`` windows, evenly spread over another one."""
    columns, rows = max(1, wanted.width // side_px), max(1, wanted.height // side_px)
    shrink = max(1.0, (columns * rows / most) ** 0.5)
    columns, rows = max(1, round(columns / shrink)), max(1, round(rows / shrink))
    width, height = min(side_px, wanted.width), min(side_px, wanted.height)
    return [
        Window(
            wanted.x + round((wanted.width - width) * (i + 0.5) / columns),
            wanted.y + round((wanted.height - height) * (j + 0.5) / rows),
            width,
            height,
        )
        for j in range(rows)
        for i in range(columns)
    ]
