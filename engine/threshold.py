"""Cut a mask from a probability at another threshold."""

from __future__ import annotations

import contextlib
import json
import math
import uuid
from typing import Any

import numpy as np

from .layers import mask_layer
from .mask_codes import require_codes, require_mask, require_probability
from .protocol import NOT_ASSESSED, PERMANENT_WATER, BadInput, ThresholdJob, job_to_dict
from .raster import MASK, MaskPair, check_outputs, estimated_bytes
from .raster.tagged import TaggedRaster
from .reporting import Report
from .steps import steps_of, with_step

RUN_TAGS = ("HAZARD_JOB", "HAZARD_TIME")
"""Raster tags that mask and probability of one run, and of no other, have in common."""
RUN_THRESHOLD_TAG = "HAZARD_RUN_THRESHOLD"
"""Raster tag of a mask that was cut anew: the run's own threshold, which its water on both dates goes by."""


def least_percent(threshold: float) -> int:
    """Whole per cent from which a pixel is hazard: probabilities are stored rounded, halves to even."""
    return max(0, math.ceil(round(threshold * 100, 6)))


def threshold(job: ThresholdJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``threshold`` command.

    The probability is stored in whole per cent: at the threshold of the run itself, pixels within half a per cent of
    it may fall on the other side than in the run's own mask.

    The probability is that of what is new alone, and does not tell water on both dates (2) apart. Where the job names
    the run's own mask, its water on both dates stays wherever the new threshold does not call it new. That remains
    approximate: it is the water of the run's own threshold. Pixels that a lower one would add to it, and those that
    were new and no longer are, become 0; a run at the new threshold would ask for both dates anew.

    Raises:
        BadInput: the raster is no probability, or the run's mask is not that of its run; nothing was written.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    report.stage("Cutting the probability")
    least = least_percent(job.threshold)
    with contextlib.ExitStack() as stack:
        probability = stack.enter_context(TaggedRaster(job.probability))
        require_probability(probability.tags, probability.description, probability.name)
        run_mask = stack.enter_context(TaggedRaster(job.run_mask)) if job.run_mask else None
        if run_mask is not None:
            _require_of_run(run_mask, probability)
        tags = probability.tags
        check_outputs([job.mask], overwrite=job.overwrite, expected_bytes=estimated_bytes(probability.window, 1))
        hazard_name = tags.get("HAZARD", "hazard")
        tally, permanent = probability.new_tally(), probability.new_tally()
        job_id = report.job_id or uuid.uuid4().hex[:12]
        layer = mask_layer(job.mask, hazard_name, is_new=bool(tags.get("HAZARD_BEFORE")))
        with MaskPair({MASK: layer}, probability.grid, job_id) as pair:
            for top, percent in probability.read_bytes():
                report.progress(top / probability.height, 0.0, 0.9)
                assessed = percent != NOT_ASSESSED
                strange = percent[assessed & (percent > 100)]
                if strange.size:
                    raise BadInput(
                        f"'{probability.name}' holds {strange[0]}; expected a probability of 0 to 100 per cent, "
                        "255 where not assessed."
                    )
                hazard = assessed & (percent >= least)
                tally.add(top, hazard, assessed, percent.size)
                codes = np.where(assessed, hazard, NOT_ASSESSED).astype(np.uint8)
                if run_mask is not None:
                    was = require_codes(run_mask.read_rows(top, len(percent)), run_mask.name)
                    still = assessed & ~hazard & (was == PERMANENT_WATER)
                    permanent.add(top, still, assessed, percent.size)
                    codes[still] = PERMANENT_WATER
                pair.write(MASK, codes)
            tags = {
                **tags,
                "HAZARD_THRESHOLD": f"{job.threshold:g}",
                "HAZARD_THRESHOLD_JOB": json.dumps(job_to_dict(job)),
            }
            if run_mask is not None:
                tags[RUN_THRESHOLD_TAG] = run_mask.tags.get("HAZARD_THRESHOLD", "")
            elif tags.get("HAZARD_BEFORE"):
                tags["HAZARD_VALUES"] = f"0 not new, 1 new, {NOT_ASSESSED} not assessed"
            tags = with_step(tags, "threshold", job)
            pair.publish(tags, lambda share: report.progress(share, 0.9, 1.0), overwrite=job.overwrite)
    return {
        "mask": job.mask,
        "threshold": job.threshold,
        "hazard_area_m2": round(tally.hazard_area_m2, 2),
        "permanent_area_m2": None if run_mask is None else round(permanent.hazard_area_m2, 2),
        "share_assessed": round(tally.share_assessed, 6),
    }


def _require_of_run(mask: TaggedRaster, probability: TaggedRaster) -> None:
    """Raise BadInput unless a mask tells water on both dates, and is as the run of this probability wrote it."""
    tags, of_probability = mask.tags, probability.tags
    require_mask(tags, mask.description, mask.name)
    if tags.get("HAZARD") != "flood" or not tags.get("HAZARD_BEFORE"):
        raise BadInput(
            f"'{mask.name}' does not tell water on both dates apart: only masks of floods that were compared with a "
            "scene before do; leave the run's mask out."
        )
    if any(tags.get(name, "") != of_probability.get(name) for name in RUN_TAGS):
        raise BadInput(
            f"'{mask.name}' and '{probability.name}' are not of one run; give the mask that was written together with "
            "the probability."
        )
    done = ", ".join(step["kind"] for step in steps_of(tags))
    if done:
        raise BadInput(
            f"'{mask.name}' is no longer as its run wrote it (since then: {done}); give the mask of the run itself."
        )
    try:
        probability.require_same_grid(mask)
    except BadInput as error:
        raise BadInput(f"{str(error).split(';')[0]}; give the mask of the same run.") from None
