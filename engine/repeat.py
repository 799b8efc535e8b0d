"""Repeat the run that a result came from, and every step after it, and compare."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from .backends.base import usable
from .change import change
from .correct import correct
from .devices import choose_device
from .fields import is_remote
from .jobs import job_from_dict
from .moved import where_now
from .partial import PARTIAL_TAG
from .polygons import polygons
from .preparing import Warn
from .protocol import BadInput, ChangeJob, ProvenanceJob, RepeatJob, SegmentJob
from .provenance import provenance
from .raster import check_outputs, published_together
from .raster.tagged import TaggedRaster
from .refine import refine
from .reporting import Report
from .segment import segment
from .threshold import RUN_THRESHOLD_TAG, threshold

STEPS: dict[str, Callable[[Any, Report], dict[str, Any]]] = {
    "threshold": threshold,
    "refine": refine,
    "correct": correct,
    "polygons": polygons,
}
SMALLEST_FILE_BYTES = 2**16
INPUTS = ("permanent_water", "elevation", "not_assessed", "polygons", "manual")
"""Fields of steps that name files of the analyst, which have to be there still."""


def repeat(job: RepeatJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``repeat`` command.

    ``different_pixels`` counts pixels in which a mask or change differs from the result; None for other results.

    Raises:
        BadInput: the result does not say how it came about, or scene, model or a file of a step are not what or where
            they were; nothing was written.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    warnings: list[str] = []
    warn = report.warner(warnings)
    origin = provenance(ProvenanceJob(job.file, verify=True), report)
    done: dict[str, Any] = {"hazard_area_m2": None}
    if PARTIAL_TAG in origin["tags"]:
        warn(f"Only {origin['tags'][PARTIAL_TAG]} of this run were finished; it is repeated as a whole.")
    if origin["kind"] == "change":
        if job.probability or job.polygons:
            raise BadInput("A change between two masks has neither probability nor polygons; leave those outputs out.")
        done = change(_change_job(origin, job), report)
    else:
        for name in ("scene", "model", *(("before",) if origin["before"] else ())):
            _require_unchanged(origin, name, job.changed, warn)
        check_outputs([job.out], overwrite=job.overwrite, expected_bytes=SMALLEST_FILE_BYTES)
        # Not beside the outputs: what a killed worker leaves there would be taken for a result.
        with (
            tempfile.TemporaryDirectory(prefix="hazard-repeat-") as folder,
            published_together(report.check, overwrite=job.overwrite),
        ):
            done = _run(origin, job, folder, report, warn)
    comparable = origin["kind"] in ("mask", "change")
    different = _different(job.file, job.out) if comparable else None
    warnings += [text for text in done.get("warnings") or () if text not in warnings]
    return {
        "file": job.file,
        "kind": origin["kind"],
        "out": job.out,
        "probability": job.probability,
        "polygons": job.polygons if "polygons" in done else None,
        "different_pixels": different,
        "hazard_area_m2": done.get("hazard_area_m2"),
        "steps": [step["kind"] for step in origin["steps"]],
        "scene_sha256": origin["scene_sha256"],
        "model_sha256": origin["model_sha256"],
        "warnings": warnings,
    }


def _run(origin: dict[str, Any], job: RepeatJob, folder: str, report: Report, warn: Warn) -> dict[str, Any]:
    """Segment, then take every step to a file of its own, the last one of a mask to its final name."""
    finals = {name: getattr(job, name) for name in ("out", "probability", "polygons")}
    job = dataclasses.replace(job, **{name: os.path.abspath(path) for name, path in finals.items() if path})
    steps = [_found_again(step, job.file) for step in origin["steps"] if step["kind"] in STEPS]
    on_masks = [step for step in steps if step["kind"] != "polygons"]
    traced = [step for step in steps if step["kind"] == "polygons"][-1:]
    if job.polygons and not traced:
        raise BadInput(f"'{job.file}' does not hold polygons; leave the polygons out.")
    for step in [*on_masks, *traced]:
        _require_inputs(step)
    wants_probability = any(step["kind"] == "threshold" or step["job"].get("probability") for step in steps)
    first = os.path.join(folder, "mask.tif") if on_masks else job.out
    spare = os.path.join(folder, "probability.tif") if wants_probability else None
    probability = job.probability or spare
    segment_job = _segment_job(origin, first, probability, warn, overwrite=job.overwrite)
    done = segment(segment_job, report)
    current = first
    for number, step in enumerate(on_masks, 1):
        out = job.out if number == len(on_masks) else os.path.join(folder, f"step{number}.tif")
        done = STEPS[step["kind"]](_step_job(step, current, probability, out, job.overwrite), report)
        current = out
    if traced and job.polygons:
        found = polygons(_step_job(traced[0], current, probability, job.polygons, job.overwrite), report)
        done = {**done, **found}
    return done


def _segment_job(
    origin: dict[str, Any], mask: str, probability: str | None, warn: Warn, *, overwrite: bool
) -> SegmentJob:
    recorded = origin["job"]
    if not recorded:
        raise BadInput(f"'{origin['file']}' does not say how it was made; choose a result of Hazard Mapper.")
    values = {
        **recorded,
        "raster": origin["scene"] or recorded.get("raster"),
        "before": origin["before"],
        "mask": mask,
        "probability": probability,
        "model": recorded.get("model") or origin["model"],
        "overwrite": overwrite,
    }
    for name in ("raster", "before", "model", "area"):
        _refuse_network(values.get(name))
    if isinstance(recorded.get("area"), str):
        values["area"] = where_now(recorded["area"], recorded.get("mask"), origin["file"])
    size = str(origin["tags"].get("HAZARD_BATCH_SIZE") or "")
    if size.isdigit():  # what is predicted together may differ in the last digit
        values["batch_size"] = int(size)
    backend = str(origin["tags"].get("HAZARD_BACKEND") or "torch")  # likewise; before there were others, it was PyTorch
    device = choose_device(str(recorded.get("device") or "auto"))
    values["backend"] = backend if usable(backend, device) else "torch"
    if values["backend"] != backend:
        warn(
            f"The result was computed with {backend}, which cannot be used here, on {device}: PyTorch computes "
            "instead, and single pixels may differ."
        )
    if recorded.get("threshold") is None:  # a card's own threshold may be another one by now
        own = str(origin["tags"].get(RUN_THRESHOLD_TAG) or "")
        values["threshold"] = float(own) if own else origin["threshold"] if not origin["steps"] else None
    known = {field.name for field in dataclasses.fields(SegmentJob)}
    job: SegmentJob = job_from_dict("segment", {name: value for name, value in values.items() if name in known})
    return job


def _refuse_network(path: Any) -> None:
    """Raise BadInput for what lies on the network: a result's own word is not enough to go there."""
    if isinstance(path, str) and is_remote(path):
        raise BadInput(
            f"The result was made from '{path[:200]}', which lies on the network; a result does not lead there: "
            "segment it anew, naming it yourself."
        )


def _step_job(step: dict[str, Any], mask: str, probability: str | None, out: str, overwrite: bool) -> Any:
    """The job of a step on this run's own files."""
    values = {**step["job"], "overwrite": overwrite}
    if step["kind"] == "threshold":
        run_mask = mask if step["job"].get("run_mask") else None
        return job_from_dict("threshold", {**values, "probability": probability, "mask": out, "run_mask": run_mask})
    values.update(mask=mask, out=out)
    if step["kind"] == "polygons":
        values["probability"] = probability if step["job"].get("probability") else None
    return job_from_dict(step["kind"], values)


def _change_job(origin: dict[str, Any], job: RepeatJob) -> ChangeJob:
    values = json.loads(origin["tags"]["HAZARD_CHANGE_JOB"])
    for name in ("before", "after"):
        _refuse_network(values.get(name))
    masks = {name: where_now(str(values.get(name)), values.get("out"), job.file) for name in ("before", "after")}
    found: ChangeJob = job_from_dict("change", {**values, **masks, "out": job.out, "overwrite": job.overwrite})
    return found


def _require_unchanged(origin: dict[str, Any], name: str, go_on: bool, warn: Any) -> None:
    """Raise BadInput unless scene or model is known to be what it was, or the user goes on anyway."""
    state = origin[f"{name}_unchanged"]
    if state:
        return
    what = f"The {'scene before' if name == 'before' else name} '{origin[name] or 'not known'}'"
    text = (
        f"{what} has changed since; set CHANGED (--changed) to run it nevertheless."
        if state is False
        else f"{what} cannot be found or hashed as it was; put it back, or set CHANGED (--changed)."
    )
    if not go_on:
        raise BadInput(text)
    warn(text)


def _found_again(step: dict[str, Any], file: str) -> dict[str, Any]:
    """The step, with the analyst's files where they lie now if they were moved together with the result."""
    values = step["job"]
    made = values.get("out") or values.get("mask")
    inputs = {name: where_now(values[name], made, file) for name in INPUTS if isinstance(values.get(name), str)}
    return {**step, "job": {**values, **inputs}}


def _require_inputs(step: dict[str, Any]) -> None:
    for name in INPUTS:
        path = step["job"].get(name)
        _refuse_network(path)
        if path and not os.path.exists(str(path)):
            raise BadInput(
                f"The step '{step['kind']}' used '{path}', which is no longer there; put it back, or take that step by "
                "hand if it was a layer without a file of its own."
            )


def _different(first: str, second: str) -> int | None:
    """Pixels in which two rasters on one grid differ; None where the grids do."""
    with TaggedRaster(first) as one, TaggedRaster(second) as other:
        if (one.width, one.height) != (other.width, other.height):
            return None
        pairs = zip(one.read_bytes(), other.read_bytes(), strict=True)
        return sum(int(np.count_nonzero(a != b)) for (_, a), (_, b) in pairs)
