"""Score a mask against a reference on the same grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from .metrics import Counts
from .protocol import NOT_ASSESSED, BadInput, EvaluateJob
from .raster import CodeRaster
from .reporting import Report

ROWS = 1024


def evaluate(job: EvaluateJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``evaluate`` command.

    Reference pixels with an ignored code are left out; where the mask is not assessed, the others are counted as such
    and left out as well.

    Raises:
        BadInput: when a raster cannot be read, the grids differ, or the mask holds other values than 0, 1 and 255.
    """
    report = report or Report()
    report.stage("Comparing")
    tp = fp = fn = tn = not_assessed = 0
    with CodeRaster(job.mask) as mask, CodeRaster(job.reference) as reference:
        mask.require_same_grid(reference)
        for top in range(0, mask.height, ROWS):
            report.progress(top / mask.height)
            found, truth = mask.read_rows(top, ROWS), reference.read_rows(top, ROWS)
            strange = np.setdiff1d(found, (0, 1, NOT_ASSESSED))
            if strange.size:
                raise BadInput(
                    f"The mask '{mask.name}' holds {strange[0]:g}; expected 0 none, 1 hazard, 255 not assessed."
                )
            counted = ~np.isin(truth, job.ignore) & np.isfinite(truth)
            not_assessed += int(np.count_nonzero(counted & (found == NOT_ASSESSED)))
            counted &= found != NOT_ASSESSED
            positive = np.isin(truth, job.positive)
            hazard = found == 1
            tp += int(np.count_nonzero(counted & hazard & positive))
            fp += int(np.count_nonzero(counted & hazard & ~positive))
            fn += int(np.count_nonzero(counted & ~hazard & positive))
            tn += int(np.count_nonzero(counted & ~hazard & ~positive))
    return {
        **Counts(tp, fp, fn, tn).scores(),
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "tn": tn,
        "not_assessed": not_assessed,
    }
