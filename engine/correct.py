"""Bring what was drawn and removed by hand into a mask."""

from __future__ import annotations

import json
import uuid
from typing import Any

import numpy as np

from .layers import derived_layer
from .mask_codes import HAZARD, NO_HAZARD, require_codes, require_mask
from .protocol import NOT_ASSESSED, CorrectJob, job_to_dict
from .raster import MASK, MaskPair, Window, check_outputs, estimated_bytes
from .raster.tagged import TaggedRaster
from .reporting import Report
from .steps import with_step
from .vector.corrections import MANUAL, REMOVED, read_corrections
from .vector.shapes import ShapeMask


def correct(job: CorrectJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``correct`` command.

    Pixels whose centre lies in a manual polygon become hazard, also where the model could not assess them: a person
    has. Those in a removed polygon, and in no manual one, become no hazard. Other values stay.

    Raises:
        BadInput: a file cannot be read, or is no mask or no polygons of this program; nothing was written.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    report.stage("Correcting the mask")
    warnings: list[str] = []
    warn = report.warner(warnings)
    with TaggedRaster(job.mask) as mask:
        require_mask(mask.tags, mask.description, mask.name)
        shapes = read_corrections(job.polygons, mask.georeference).shapes
        check_outputs([job.out], overwrite=job.overwrite, expected_bytes=estimated_bytes(mask.window, 1))
        drawn, removed = (
            ShapeMask([shape.wkb for shape in shapes if shape.origin == origin], mask.georeference)
            for origin in (MANUAL, REMOVED)
        )
        tally, added, taken = mask.new_tally(), mask.new_tally(), mask.new_tally()
        job_id = report.job_id or uuid.uuid4().hex[:12]
        layer = derived_layer(job.out, mask.tags)
        with MaskPair({MASK: layer}, mask.grid, job_id) as pair:
            for top, values in mask.read_bytes():
                report.progress(top / mask.height, 0.0, 0.9)
                codes = require_codes(values, mask.name)
                window = Window(0, top, mask.width, len(codes))
                became = codes.copy()
                if removed.touches(window):
                    became[removed.read_window(window) & (codes == HAZARD)] = NO_HAZARD
                if drawn.touches(window):
                    became[drawn.read_window(window)] = HAZARD
                assessed = became != NOT_ASSESSED
                tally.add(top, became == HAZARD, assessed, became.size)
                added.add(top, (became == HAZARD) & (codes != HAZARD), assessed, became.size)
                taken.add(top, (became != HAZARD) & (codes == HAZARD), assessed, became.size)
                pair.write(MASK, np.ascontiguousarray(became))
            if not shapes:
                warn("The polygons hold no correction: nothing was drawn or removed by hand.")
            tags = {**mask.tags, "HAZARD_CORRECTED": json.dumps(job_to_dict(job), ensure_ascii=True)}
            tags = with_step(tags, "correct", job)
            pair.publish(tags, lambda share: report.progress(share, 0.9, 1.0), overwrite=job.overwrite)
    return {
        "mask": job.out,
        "hazard_area_m2": round(tally.hazard_area_m2, 2),
        "added_m2": round(added.hazard_area_m2, 2),
        "removed_m2": round(taken.hazard_area_m2, 2),
        "share_assessed": round(tally.share_assessed, 6),
        "warnings": warnings,
    }
