"""Score a mask against a reference on the same grid, or against polygons, and map where it is right and wrong."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .layers import errors_layer
from .metrics import Counts
from .protocol import NOT_ASSESSED, ON_SLOPE, PERMANENT_WATER, BadInput, EvaluateJob
from .raster import MASK, CodeRaster, MaskPair, Window, check_outputs, estimated_bytes
from .raster.tagged import TaggedRaster
from .reporting import Report
from .tally import AreaTally
from .vector import AreaMask, is_only_vector

ROWS = 1024
MASK_VALUES = (0, 1, PERMANENT_WATER, ON_SLOPE, NOT_ASSESSED)
RIGHT_REJECTION, HIT, MISS, FALSE_ALARM, LEFT_OUT = 0, 1, 2, 3, 255
"""Values of the error layer."""
NAMES = {"tp": HIT, "fp": FALSE_ALARM, "fn": MISS, "tn": RIGHT_REJECTION}

Codes = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Truth = Callable[[int, int], tuple[Mask, Mask]]
"""First row and number of rows to where the reference says hazard, and where it says anything."""


def evaluate(job: EvaluateJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``evaluate`` command.

    Reference pixels with an ignored code are left out; where the mask is not assessed, the others are counted as such
    and left out as well. What a refined mask took out (permanent water, impossible slopes) counts as no hazard. A
    reference of polygons has neither codes nor anything to ignore: their pixels (by centres) are hazard, all others
    are not.

    Raises:
        BadInput: a file cannot be read, the grids differ, or the mask holds other values; nothing was written.
        OutputFailed: the error layer cannot be written.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    report.stage("Comparing")
    warnings: list[str] = []
    with TaggedRaster(job.mask) as mask, contextlib.ExitStack() as stack:
        truth = _opened_truth(job, mask, stack, warnings)
        tags = mask.tags if job.errors else {}
        pair = stack.enter_context(_opened_errors(job, mask, tags, report)) if job.errors else None
        tallies = _tallies(mask)
        counts = dict.fromkeys(NAMES, 0)
        not_assessed = 0
        for top in range(0, mask.height, ROWS):
            report.progress(top / mask.height, 0.0, 0.9 if pair else 1.0)
            found = mask.read_rows(top, ROWS)
            require_mask_values(found, mask.name)
            positive, counted = truth(top, len(found))
            not_assessed += int(np.count_nonzero(counted & (found == NOT_ASSESSED)))
            outcome = _outcome(found, positive, counted)
            for name, value in NAMES.items():
                these = outcome == value
                counts[name] += int(np.count_nonzero(these))
                if name in tallies:
                    tallies[name].add(top, these, these, 0)
            if pair:
                pair.write(MASK, outcome)
        scores = {**Counts(**counts).scores(), **counts, "not_assessed": not_assessed}
        areas = {name: round(tally.hazard_area_m2, 2) for name, tally in tallies.items()}
        if pair:
            said = {"reference": os.path.basename(job.reference), "positive": job.positive, "ignore": job.ignore}
            evaluation = json.dumps({**said, **scores, "areas_m2": areas or None})
            tags = {**tags, "HAZARD_EVALUATION": evaluation}
            pair.publish(tags, lambda share: report.progress(share, 0.9, 1.0), overwrite=job.overwrite)
    return {**scores, "areas_m2": areas or None, "errors": job.errors, "warnings": warnings}


def _opened_truth(job: EvaluateJob, mask: TaggedRaster, stack: contextlib.ExitStack, warnings: list[str]) -> Truth:
    if is_only_vector(job.reference):
        return _polygons_as_truth(job, mask, warnings)
    reference = stack.enter_context(CodeRaster(job.reference))
    mask.require_same_grid(reference)

    def truth(top: int, rows: int) -> tuple[Mask, Mask]:
        codes = reference.read_rows(top, rows)
        return np.isin(codes, job.positive), ~np.isin(codes, job.ignore) & np.isfinite(codes)

    return truth


def _polygons_as_truth(job: EvaluateJob, mask: TaggedRaster, warnings: list[str]) -> Truth:
    georeference = mask.georeference
    if georeference.geotransform is None and not georeference.gcps:
        raise BadInput(
            f"'{mask.name}' has no georeference, so polygons lie nowhere on it; give a reference raster of its size."
        )
    polygons = AreaMask(job.reference, georeference, "reference")
    if georeference.crs is None:
        warnings.append(f"'{mask.name}' has no CRS; the polygons are taken to be in the same coordinates.")
    elif not polygons.has_crs:
        warnings.append("The polygons have no CRS; they are taken to be in that of the mask.")

    def truth(top: int, rows: int) -> tuple[Mask, Mask]:
        window = Window(0, top, mask.width, rows)
        shape = (rows, mask.width)
        inside = polygons.read_window(window) if polygons.touches(window) else np.zeros(shape, np.bool_)
        return inside, np.ones(shape, np.bool_)

    return truth


@contextlib.contextmanager
def _opened_errors(job: EvaluateJob, mask: TaggedRaster, tags: dict[str, str], report: Report) -> Iterator[MaskPair]:
    path = str(job.errors)
    check_outputs([path], overwrite=job.overwrite, expected_bytes=estimated_bytes(mask.window, 1))
    layer = errors_layer(path, tags.get("HAZARD", ""), job.mask)
    with MaskPair({MASK: layer}, mask.grid, report.job_id or uuid.uuid4().hex[:12]) as pair:
        yield pair


def _tallies(mask: TaggedRaster) -> dict[str, AreaTally]:
    """Counters of areas by kind of pixel; none where pixels have no known area."""
    try:
        known = mask.georeference.pixel_size_m() is not None
    except BadInput:  # a degenerate grid can still be compared pixel by pixel
        known = False
    return {name: mask.new_tally() for name in NAMES} if known else {}


def require_mask_values(found: Codes, name: str) -> None:
    """Raise BadInput if there is a value that no mask holds."""
    strange = np.setdiff1d(found, MASK_VALUES)
    if strange.size:
        raise BadInput(
            f"The mask '{name}' holds {strange[0]:g}; expected 0 none, 1 hazard, 2 permanent water, 3 ruled out by "
            "slope, 255 not assessed."
        )


def _outcome(found: Codes, positive: Mask, counted: Mask) -> npt.NDArray[np.uint8]:
    """Values of the error layer."""
    hazard = found == 1
    outcome = np.where(hazard, np.where(positive, HIT, FALSE_ALARM), np.where(positive, MISS, RIGHT_REJECTION))
    return np.where(counted & (found != NOT_ASSESSED), outcome, LEFT_OUT).astype(np.uint8)
