"""What a cancelled run had finished: left aside while nobody has asked for it, and made a mask if somebody does."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .finite import read_number
from .layers import derived_layer, probability_layer
from .mask_codes import HAZARD
from .pipeline import Task
from .protocol import NOT_ASSESSED, PERMANENT_WATER, BadInput, Cancelled, KeepJob, OutputFailed, SegmentJob
from .raster import MASK, PROBABILITY, MaskPair, Window, check_outputs, estimated_bytes
from .raster.tagged import TaggedRaster
from .reporting import Report
from .tally import AreaTally

PARTIAL_TAG = "HAZARD_PARTIAL"
"""Raster tag of a mask of which only the upper rows were assessed: ``700 of 1500 rows``."""
WANTED_TAG = "HAZARD_PARTIAL_WANTED"
"""Raster tag: pixels that the whole run was to assess."""
SAMPLED_ROWS = 256
"""Rows of polygons that are drawn to find how many pixels a run would still have looked at."""


@contextlib.contextmanager
def leave_finished(
    pair: MaskPair, task: Task, tally: AreaTally, report: Report, tags: Callable[[], dict[str, str]]
) -> Iterator[None]:
    """If the run is cancelled meanwhile and was given a folder for it, leave there what it has finished."""
    try:
        yield
    except Cancelled:
        job, rows = task.job, task.wanted.height
        done = pair.rows_done
        if isinstance(job, SegmentJob) and job.preview and done and tally.assessed:
            known = tags()
            known[PARTIAL_TAG] = f"{done} of {rows} rows"
            known[WANTED_TAG] = str(tally.wanted + _still_wanted(task, done))
            try:
                pair.set_aside(job.preview, known)
                report.left = {"folder": job.preview, "rows_done": done, "rows": rows}
            except OutputFailed as error:
                report.log(f"What was finished could not be left: {error}")
        if report.left:
            raise Cancelled(
                f"Cancelled; nothing was written. {done} of {rows} rows were finished: "
                f"'keep --folder {report.left['folder']}' makes a mask of them."
            ) from None
        raise


def _still_wanted(task: Task, done: int) -> int:
    """Pixels that rows not yet done would have been asked for; of polygons, as many as a sample of rows says."""
    wanted = task.wanted
    rows = wanted.height - done
    if task.area is None:
        return rows * wanted.width
    step = max(1, rows // SAMPLED_ROWS)
    counts = [
        int(task.area.read_window(Window(wanted.x, wanted.y + row, wanted.width, 1)).sum())
        for row in range(done + step // 2, wanted.height, step)
    ]
    return round(sum(counts) * rows / len(counts)) if counts else 0


def keep(job: KeepJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``keep`` command: that of ``segment``, and how many rows were done.

    Raises:
        BadInput: the folder holds nothing of a cancelled run; nothing was written.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    report.stage("Keeping the finished part")
    finals = {MASK: job.mask, **({PROBABILITY: job.probability} if job.probability else {})}
    sources = {name: os.path.join(job.folder, f"{name}.tif") for name in finals}
    for path in sources.values():
        if not os.path.isfile(path):
            raise BadInput(f"'{job.folder}' holds no {os.path.basename(path)} of a cancelled run; run again.")
    with contextlib.ExitStack() as stack:
        rasters = {name: stack.enter_context(TaggedRaster(path)) for name, path in sources.items()}
        mask = rasters[MASK]
        tags = mask.tags
        if PARTIAL_TAG not in tags:
            raise BadInput(f"'{sources[MASK]}' was not left by a cancelled run; give the folder of one.")
        check_outputs(
            list(finals.values()), overwrite=job.overwrite, expected_bytes=estimated_bytes(mask.window, len(finals))
        )
        hazard_name = tags.get("HAZARD", "hazard")
        layers = {MASK: derived_layer(job.mask, tags)}
        if job.probability:
            layers[PROBABILITY] = probability_layer(job.probability, hazard_name)
        tally, permanent = mask.new_tally(), mask.new_tally()
        rows, wanted = tags[PARTIAL_TAG], int(tags.get(WANTED_TAG, mask.width * mask.height))
        lacking = not rows.startswith(f"{mask.height} of")
        if not lacking:
            tags = {name: value for name, value in tags.items() if name not in (PARTIAL_TAG, WANTED_TAG)}
        pair = stack.enter_context(MaskPair(layers, mask.grid, report.job_id or uuid.uuid4().hex[:12]))
        for name, raster in rasters.items():
            for top, codes in raster.read_bytes():
                report.progress(top / raster.height, 0.0, 0.5)
                if name == MASK:
                    tally.add(top, codes == HAZARD, codes != NOT_ASSESSED, codes.size)
                    permanent.add(top, codes == PERMANENT_WATER, codes != NOT_ASSESSED, codes.size)
                pair.write(name, codes)
        pair.publish(tags, lambda share: report.progress(share, 0.5, 1.0), overwrite=job.overwrite)
    warnings: list[str] = []
    if lacking:
        report.warner(warnings)(f"Cancelled: {rows} were done, what lies below them is not assessed.")
    return {
        "mask": job.mask,
        "probability": job.probability,
        "hazard": hazard_name,
        "model": tags.get("HAZARD_MODEL"),
        "threshold": read_number(tags.get("HAZARD_THRESHOLD")),
        "hazard_area_m2": round(tally.hazard_area_m2, 2),
        "share_assessed": round(tally.assessed / max(1, wanted), 6),
        "device": tags.get("HAZARD_DEVICE"),
        "scene_sha256": tags.get("HAZARD_SCENE_SHA256"),
        "model_sha256": tags.get("HAZARD_MODEL_SHA256"),
        "rows": rows,
        "warnings": warnings,
        **_question(tags, hazard_name, permanent),
    }


def _question(tags: Mapping[str, str], hazard: str, permanent: AreaTally) -> dict[str, Any]:
    """Which question the part answers, as ``segment`` says it; what was new is in the tags of its run."""
    is_new = bool(tags.get("HAZARD_BEFORE"))
    return {
        "question": "new" if is_new else "present",
        "permanent_area_m2": round(permanent.hazard_area_m2, 2) if is_new and hazard == "flood" else None,
        "before_name": tags.get("HAZARD_BEFORE"),
        "before_date": tags.get("HAZARD_BEFORE_DATE"),
        "before_sha256": tags.get("HAZARD_BEFORE_SHA256"),
        "compared_by": tags.get("HAZARD_COMPARED_BY"),
        "share_compared": read_number(tags.get("HAZARD_SHARE_COMPARED")),
    }
