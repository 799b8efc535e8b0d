"""How a result came about: its tags in one shape, its areas counted again, and, if asked, its sources hashed again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from .digest import scene_sha256
from .fields import is_remote
from .finite import read_json, read_number
from .moved import where_now
from .protocol import NOT_ASSESSED, PERMANENT_WATER, BadInput, HazardError, ProvenanceJob, SceneJob
from .raster.tagged import TaggedRaster
from .reporting import Report
from .steps import STEPS_TAG, steps_of
from .vector.tags import read_polygon_tags

MOST_JSON = 2_000_000
"""Characters of a tag that are read as JSON: more was not written by this program."""
CHANGES = {"gained": 1, "lost": 2, "unchanged": 3}
"""Values of a change between two dates."""
FROM_TAGS = {
    "hazard": "HAZARD",
    "model": "HAZARD_MODEL",
    "model_sha256": "HAZARD_MODEL_SHA256",
    "parent": "HAZARD_MODEL_PARENT",
    "scene_name": "HAZARD_SCENE",
    "scene_sha256": "HAZARD_SCENE_SHA256",
    "scene_date": "HAZARD_SCENE_DATE",
    "question": "HAZARD_QUESTION",
    "before_name": "HAZARD_BEFORE",
    "before_sha256": "HAZARD_BEFORE_SHA256",
    "before_date": "HAZARD_BEFORE_DATE",
    "sensor": "HAZARD_SENSOR",
    "bands": "HAZARD_BANDS",
    "units": "HAZARD_UNITS",
    "time": "HAZARD_TIME",
    "versions": "HAZARD_VERSIONS",
    "device": "HAZARD_DEVICE",
}


def provenance(job: ProvenanceJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``provenance`` command; what is not known is None.

    Raises:
        BadInput: the file is neither a one-band raster nor a vector file.
    """
    report = report or Report()
    report.stage("Reading the result")
    try:
        found = _of_raster(job.file, report)
    except BadInput as not_raster:
        try:
            tags = read_polygon_tags(job.file)
        except BadInput:
            raise not_raster from None
        found = {"kind": "polygons" if tags else None, **_of_tags(tags), **_no_areas()}
    for name in ("scene", "before"):
        if isinstance(found[name], str):
            found[name] = where_now(found[name], _text(found["job"].get("mask")), job.file)
    if job.verify:
        report.stage("Hashing scene and model", 0.6)
        found.update(_verified(found, report))
    return {"file": job.file, **found}


def _of_raster(path: str, report: Report) -> dict[str, Any]:
    with TaggedRaster(path) as raster:
        tags = raster.tags
        kind = _kind(tags, raster.description)
        found: dict[str, Any] = {"kind": kind, **_of_tags(tags), **_no_areas()}
        if kind is None:
            return found
        tally = raster.new_tally()
        parts = {name: raster.new_tally() for name in CHANGES} if kind == "change" else {}
        cut = _object(tags.get("HAZARD_THRESHOLD_JOB"))  # another threshold loses that water, but from the run's mask
        tells_water = kind == "mask" and found["question"] and (cut is None or cut.get("run_mask"))
        permanent = raster.new_tally() if tells_water else None
        for top, values in raster.read_bytes():
            report.progress(top / raster.height, 0.0, 0.6)
            tally.add(top, values == 1, values != NOT_ASSESSED, values.size)
            if kind == "probability":
                tally.add_percent(top, values)
            if permanent is not None:
                permanent.add(top, values == PERMANENT_WATER, values != NOT_ASSESSED, values.size)
            for name, part in parts.items():
                part.add(top, values == CHANGES[name], values != NOT_ASSESSED, values.size)
        found["share_assessed"] = round(tally.share_assessed, 6)
        if kind == "probability":
            found["areas_by_percent_m2"] = tally.areas_by_percent_m2
        elif kind == "mask":
            found["hazard_area_m2"] = round(tally.hazard_area_m2, 2)
            if permanent is not None and found["hazard"] == "flood":
                found["permanent_area_m2"] = round(permanent.hazard_area_m2, 2)
        elif kind == "change":
            found["change_areas_m2"] = {name: round(part.hazard_area_m2, 2) for name, part in parts.items()}
        return found


def _kind(tags: Mapping[str, str], description: str) -> str | None:
    if not tags:
        return None
    if "HAZARD_CHANGE_JOB" in tags:
        return "change"
    if "HAZARD_EVALUATION" in tags:
        return "errors"
    return "probability" if "probability" in description else "mask"


def _of_tags(tags: Mapping[str, str]) -> dict[str, Any]:
    job = _object(tags.get("HAZARD_JOB"))
    adaptation = _object(tags.get("HAZARD_ADAPTATION"))
    raster, before = (job.get("raster"), job.get("before")) if job else (None, None)
    return {
        **{key: tags.get(tag) or None for key, tag in FROM_TAGS.items()},
        "threshold": read_number(tags.get("HAZARD_THRESHOLD")),
        "share_compared": read_number(tags.get("HAZARD_SHARE_COMPARED")),
        "scene": _text(raster),
        "before": _text(before),
        "adapted": bool(adaptation) or bool(tags.get("HAZARD_MODEL_PARENT")),
        "adaptation": adaptation,
        "job": job,
        "steps": _steps(tags),
        "tags": dict(tags),
    }


def _no_areas() -> dict[str, Any]:
    names = ("hazard_area_m2", "permanent_area_m2", "share_assessed", "areas_by_percent_m2", "change_areas_m2")
    return dict.fromkeys(names)


def _verified(found: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Whether scene and model are still what they were; None where that cannot be told."""
    model_now = None
    scene_now = _hash_of(found["scene"], lambda share: report.progress(share, 0.6, 0.8))
    before_now = _hash_of(found["before"], lambda share: report.progress(share, 0.8, 0.95))
    wanted = str((found["job"].get("model") if found["job"] else None) or found["model"])
    try:
        from .model import load_model

        model_now = None if is_remote(wanted) else load_model(wanted).weights_sha256
    except HazardError:
        model_now = None
    return {
        "scene_unchanged": _same(found["scene_sha256"], scene_now),
        "before_unchanged": _same(found["before_sha256"], before_now),
        "model_unchanged": _same(found["model_sha256"], model_now),
    }


def _hash_of(path: Any, on_progress: Callable[[float], None]) -> str | None:
    """SHA-256 of a scene as it lies there now; None where it cannot be told."""
    if not isinstance(path, str) or is_remote(path):
        return None
    try:
        from .raster import Scene

        with Scene(SceneJob(raster=path)) as scene:
            return scene_sha256(scene.files(), on_progress)
    except BadInput:
        return None


def _same(before: Any, now: str | None) -> bool | None:
    return None if not before or not now else before == now


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _object(value: str | None) -> dict[str, Any] | None:
    """A tag that holds a JSON object; None for anything else."""
    if not value or len(value) > MOST_JSON:
        return None
    try:
        found = read_json(value)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _steps(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Steps after the run; none where they hold a number that is not finite."""
    with contextlib.suppress(ValueError, RecursionError):
        read_json(tags.get(STEPS_TAG) or "[]")
        return steps_of(tags)
    return []
