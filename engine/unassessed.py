"""What a mask does not assess, as polygons: so that nobody takes it for ground without hazard."""

from __future__ import annotations

import uuid
from typing import Any

from .protocol import NOT_ASSESSED, BadInput, UnassessedJob
from .raster import check_outputs
from .raster.tagged import TaggedRaster
from .reporting import Report
from .vector.unassessed import UnassessedTrace

VERTEX_BYTES = 64
"""Room that a pixel on an outline is expected to need on the disk, generously."""


def unassessed(job: UnassessedJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return its JSON: file, CRS, outline of the raster, count of polygons and share assessed.

    ``outline`` is the ring of the raster's outer edges in its own CRS, with corners in between, also for rotated
    rasters, for which an extent says too much.

    Raises:
        BadInput: the raster is no mask, or has no CRS; nothing was written.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    report.stage("Tracing what is not assessed")
    with TaggedRaster(job.mask) as mask:
        if mask.georeference.crs is None:
            raise BadInput(f"'{mask.name}' has no CRS, so its pixels lie nowhere; assign the CRS to the file first.")
        check_outputs([job.out], overwrite=job.overwrite, expected_bytes=VERTEX_BYTES * (mask.width + mask.height))
        tally = mask.new_tally()
        with UnassessedTrace(job.out, mask.georeference, report.job_id or uuid.uuid4().hex[:12]) as trace:
            for top, values in mask.read_bytes():
                report.progress(top / mask.height, 0.0, 0.4)
                lacking = values == NOT_ASSESSED
                tally.add(top, values == 1, ~lacking, values.size)
                trace.add(top, lacking)
            count = trace.publish(lambda share: report.progress(share, 0.4, 1.0))
        return {
            "out": job.out,
            "crs": mask.georeference.crs_name(),
            "outline": trace.outline(),
            "polygons": count,
            "share_assessed": round(tally.share_assessed, 6),
        }
