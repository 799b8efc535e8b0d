"""Cut a mask from a probability at another threshold."""

from __future__ import annotations

import json
import math
import uuid
from typing import Any

import numpy as np

from .layers import mask_layer
from .protocol import NOT_ASSESSED, BadInput, ThresholdJob, job_to_dict
from .raster import MASK, MaskPair, check_outputs, estimated_bytes
from .raster.tagged import TaggedRaster
from .reporting import Report
from .steps import with_step


def least_percent(threshold: float) -> int:
    """Whole per cent from which a pixel is hazard: probabilities are stored rounded, halves to even."""
    return max(0, math.ceil(round(threshold * 100, 6)))


def threshold(job: ThresholdJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``threshold`` command.

    The probability is stored in whole per cent: at the threshold of the run itself, pixels within half a per cent of
    it may fall on the other side than in the run's own mask. Water on both dates (2) is not told apart: the probability
    is that of what is new alone.

    Raises:
        BadInput: the raster is no probability; nothing was written.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    report.stage("Cutting the probability")
    least = least_percent(job.threshold)
    with TaggedRaster(job.probability) as probability:
        tags = probability.tags
        check_outputs([job.mask], overwrite=job.overwrite, expected_bytes=estimated_bytes(probability.window, 1))
        hazard_name = tags.get("HAZARD", "hazard")
        tally = probability.new_tally()
        job_id = report.job_id or uuid.uuid4().hex[:12]
        with MaskPair({MASK: mask_layer(job.mask, hazard_name)}, probability.grid, job_id) as pair:
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
                pair.write(MASK, np.where(assessed, hazard, NOT_ASSESSED).astype(np.uint8))
            tags = {
                **tags,
                "HAZARD_THRESHOLD": f"{job.threshold:g}",
                "HAZARD_THRESHOLD_JOB": json.dumps(job_to_dict(job)),
            }
            if tags.get("HAZARD_BEFORE"):
                tags["HAZARD_VALUES"] = f"0 not new, 1 new, {NOT_ASSESSED} not assessed"
            tags = with_step(tags, "threshold", job)
            pair.publish(tags, lambda share: report.progress(share, 0.9, 1.0), overwrite=job.overwrite)
    return {
        "mask": job.mask,
        "threshold": job.threshold,
        "hazard_area_m2": round(tally.hazard_area_m2, 2),
        "share_assessed": round(tally.share_assessed, 6),
    }
