"""Segment one hazard in one scene: settle everything, predict row by row, write mask and probability together."""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

import numpy as np
import torch

from . import __version__
from .backends.base import backend_version
from .before.coverage import lacking_coverage, open_coverage
from .before.earlier import describe_earlier, open_earlier
from .before.predict import PairPredictor
from .cards import default_trouble
from .characteristics import find_characteristics
from .devices import choose_device
from .digest import SceneDigest
from .layers import mask_layer, probability_layer
from .model import Model
from .partial import leave_finished
from .pipeline import Task, predict_rows
from .predict import Predictor, Wish
from .preparing import Warn, prepare_scene, settle_model, wanted_window
from .preview import watch_run
from .priors import require_priors
from .protocol import NOT_ASSESSED, PERMANENT_WATER, BadInput, SegmentJob, job_to_dict
from .raster import (
    MASK,
    PROBABILITY,
    Grid,
    Layer,
    MaskPair,
    Scene,
    check_outputs,
    estimated_bytes,
    to_percent,
)
from .reporting import Report
from .tally import CELL_PX, AreaTally
from .vector import AreaMask

FLOOD = "flood"
"""The hazard of which what was there before is a class of its own: permanent water."""
UNSEEN_IN_DISPLAY = (
    "In display values (8 bits) hardly any new flood is found by comparing, so that an empty mask does not mean that "
    "there is none: use measured values, or map the scene without a scene before."
)
"""Measured on simulated pairs: in three display bands the bundled models found none (help, *With a scene before*)."""


@dataclass(frozen=True)
class Request:
    """A job after everything it leaves open was settled."""

    job: SegmentJob
    model: Model
    threshold: float
    task: Task


def segment(job: SegmentJob, report: Report | None = None, models: dict[str, Model] | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``segment`` command.

    Args:
        job: what to do.
        report: told of progress and warnings; may cancel.
        models: loaded models by name, kept between jobs by the caller.

    Raises:
        BadInput: the request cannot be carried out; nothing was written.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    began = time.monotonic()
    warnings: list[str] = []
    warn = report.warner(warnings)
    report.stage("Opening the scene")
    with contextlib.ExitStack() as stack:
        scene = stack.enter_context(Scene(job))
        request = _settle(job, scene, models if models is not None else {}, report, warn)
        device = choose_device(job.device)
        request = stack.enter_context(_with_before(request, scene, report, warn))
        task = request.task
        predictor = _predictor(request, device, report, warn)
        alone = predictor if isinstance(predictor, Predictor) else None
        if alone is not None:
            stack.callback(alone.let_go)
        watch = watch_run(task, scene, job, alone, request.threshold, report)
        areas = scene.georeference.cell_pixel_areas(task.wanted, CELL_PX, task.understanding.gsd_m)
        tally, permanent = AreaTally(areas, task.wanted.width), AreaTally(areas, task.wanted.width)
        digest = stack.enter_context(SceneDigest(scene.files()))
        was = stack.enter_context(SceneDigest(task.earlier.files)) if task.earlier else None
        coverage = stack.enter_context(open_coverage(task.earlier, task.wanted))
        pair = stack.enter_context(MaskPair(_layers(request), Grid(scene.georeference, task.wanted), _job_id(report)))

        def tags(found: str | None, found_before: str | None) -> dict[str, str]:
            of_before = _tags_of_before(request, found_before, coverage.share if coverage else None)
            return {**_tags(request, scene, found, predictor, device), **of_before}

        with leave_finished(pair, task, tally, report, lambda: tags(digest.found, was.found if was else None)):
            report.stage("Segmenting", 0.03)
            for portion in predict_rows(task, scene, predictor, report):
                assessed = ~np.isnan(portion.probability)
                hazard = portion.probability >= request.threshold  # never where it is NaN
                tally.add(portion.first_row, hazard, assessed, portion.wanted)
                if coverage is not None:
                    coverage.add(portion.first_row, assessed)
                codes = hazard.astype(np.uint8)
                codes[~assessed] = NOT_ASSESSED
                if portion.alone is not None and job.hazard == FLOOD:
                    still = assessed & ~hazard & (portion.alone >= request.threshold)
                    permanent.add(portion.first_row, still, assessed, portion.wanted)
                    codes[still] = PERMANENT_WATER
                pair.write(MASK, codes)
                percent = to_percent(portion.probability)
                tally.add_percent(portion.first_row, percent)
                pair.write(PROBABILITY, percent)
                watch(portion)
            report.stage("Hashing scene and model", 0.95)
            found = digest.result(lambda share: report.progress(share, 0.95, 0.95))
            found_before = was.result(lambda share: report.progress(share, 0.95, 0.95)) if was else None
            report.stage("Writing", 0.95)
            pair.publish(
                tags(found, found_before),
                lambda share: report.progress(share, 0.95, 1.0),
                overwrite=job.overwrite,
            )
    if tally.assessed == 0:
        warn("Nothing could be assessed: the wanted area holds no valid pixel.")
    compared = coverage.share if coverage else None
    if lacking := lacking_coverage(compared, job.hazard):
        warn(lacking)
    return {
        "mask": job.mask,
        "probability": job.probability,
        "hazard": job.hazard,
        "model": request.model.card.name,
        "threshold": request.threshold,
        "hazard_area_m2": round(tally.hazard_area_m2, 2),
        "share_assessed": round(tally.share_assessed, 6),
        "seconds": round(time.monotonic() - began, 3),
        "device": str(device),
        "scene_sha256": digest.found,
        "model_sha256": request.model.weights_sha256,
        "job": _replayable(job),
        "areas_by_percent_m2": tally.areas_by_percent_m2,
        "warnings": warnings,
        "precision": predictor.precision,
        "batch_size": predictor.batch_size,
        "backend": predictor.backend,
        **_result_of_before(request, permanent, was.found if was else None, compared),
    }


@contextlib.contextmanager
def _with_before(request: Request, scene: Scene, report: Report, warn: Warn) -> Iterator[Request]:
    """The request with the scene from before the event, where the job names one, in place and matched."""
    job, task = request.job, request.task
    if job.before is None:
        yield request
        return
    report.stage("Laying the scene before over the scene", 0.02)
    with open_earlier(job, scene, task.understanding, task.scaling, task.wanted, warn) as earlier:
        if earlier.order:
            warn(earlier.order)
        if job.hazard == FLOOD and request.model.card.compares(FLOOD) and not any(task.scaling.absolute):
            warn(UNSEEN_IN_DISPLAY)
        yield replace(request, task=replace(task, earlier=earlier))


def _predictor(request: Request, device: torch.device, report: Report, warn: Warn) -> Predictor | PairPredictor:
    job, task = request.job, request.task
    if task.earlier is not None:
        if job.backend not in ("auto", "torch"):
            raise BadInput(f"Backend {job.backend} cannot compare two dates; choose backend auto or torch.")
        scalings = task.scaling, task.earlier.scaling
        return PairPredictor(request.model, job.hazard, scalings, request.threshold, device, job.batch_size, warn)
    wish = Wish(job.backend, task.window_px, request.threshold, report.log, report.check)
    return Predictor(request.model, job.hazard, task.scaling, device, job.batch_size, warn, wish)


def _result_of_before(
    request: Request, permanent: AreaTally, sha256: str | None, compared: float | None
) -> dict[str, Any]:
    """What the JSON says of the scene before: which question was answered, where, and what was there already."""
    earlier = request.task.earlier
    if earlier is None:
        nothing = {"question": "present", "permanent_area_m2": None, "share_compared": None}
        return {**describe_earlier(request.job, None), **nothing}
    return {
        **describe_earlier(request.job, earlier),
        "before_sha256": sha256,
        "question": "new",
        "permanent_area_m2": round(permanent.hazard_area_m2, 2) if request.job.hazard == FLOOD else None,
        "compared_by": "network" if request.model.card.compares(request.job.hazard) else "rule",
        "share_compared": compared,
    }


def _tags_of_before(request: Request, sha256: str | None, compared: float | None) -> dict[str, str]:
    earlier = request.task.earlier
    if earlier is None:
        return {}
    shift = earlier.shift
    known = {
        "HAZARD_QUESTION": "new since the scene before",
        "HAZARD_BEFORE": request.job.before_name or earlier.name,
        "HAZARD_BEFORE_SHA256": sha256,
        "HAZARD_BEFORE_DATE": earlier.date,
        "HAZARD_BEFORE_SHIFT_PX": f"{shift.right_px:.2f},{shift.down_px:.2f}" if shift and earlier.moved else None,
        "HAZARD_COMPARED_BY": "network" if request.model.card.compares(request.job.hazard) else "rule",
        "HAZARD_SHARE_COMPARED": None if compared is None else f"{compared:g}",
        "HAZARD_VALUES": f"0 none, 1 new, {PERMANENT_WATER} water on both dates, {NOT_ASSESSED} not assessed "
        "(probability: per cent)",
    }
    return {name: value for name, value in known.items() if value}


def _settle(job: SegmentJob, scene: Scene, models: dict[str, Model], report: Report, warn: Warn) -> Request:
    """Find out, or raise BadInput, all that the job leaves open, before anything is computed or written."""
    wanted = wanted_window(scene)
    outputs = [job.mask, *([job.probability] if job.probability else [])]
    scene.require_no_part(outputs)
    check_outputs(outputs, overwrite=job.overwrite, expected_bytes=estimated_bytes(wanted, len(outputs)))
    understanding = scene.understand()
    for text in understanding.warnings:
        warn(text)
    area = AreaMask(job.area, scene.georeference) if job.area else None
    report.stage("Loading the model", 0.01)
    if not job.model and (trouble := default_trouble(job.hazard)):
        warn(trouble)
    model = settle_model(job.model, job.hazard, models)
    card = model.card
    report.stage("Measuring the scene", 0.02)
    prepared = prepare_scene(scene, understanding, wanted, card, warn)
    if card.pretrained_only:
        words = " or ".join(prior.words for prior in require_priors(prepared.scaling, job.hazard, card.name))
        warn(
            f"Model '{card.name}' is only pre-trained: the answer is a physical prior ({words}) times the probability "
            f"of natural ground. Train {job.hazard.replace('_', ' ')} for a better one."
        )
    own = card.threshold_for(job.hazard, prepared.scaling.absolute)
    threshold = own if job.threshold is None else job.threshold
    blocks = scene.blocks(understanding, prepared.grid.covered)
    task = Task(job, understanding, prepared.scaling, prepared.grid, wanted, area, card.window_multiple, blocks=blocks)
    return Request(job, model, threshold, task)


def _layers(request: Request) -> dict[str, Layer]:
    job = request.job
    layers = {MASK: mask_layer(job.mask, job.hazard, job.raster, is_new=bool(job.before))}
    if job.probability:
        layers[PROBABILITY] = probability_layer(job.probability, job.hazard, job.raster)
    return layers


def _job_id(report: Report) -> str:
    return report.job_id or uuid.uuid4().hex[:12]


def _tags(
    request: Request, scene: Scene, sha256: str | None, predictor: Predictor | PairPredictor, device: torch.device
) -> dict[str, str]:
    """What the outputs say of their origin, as raster tags."""
    now = datetime.now(timezone.utc)
    found = find_characteristics(scene, request.task.understanding, request.job)
    adaptation = request.model.card.training.get("adaptation")
    known = {
        "HAZARD_SCENE": request.job.scene_name or scene.name,
        "HAZARD_SCENE_SHA256": sha256,
        "HAZARD_SCENE_DATE": found.date,
        "HAZARD_SENSOR": found.characteristics.sensor,
        "HAZARD_MODEL_PARENT": request.model.card.parent,
        "HAZARD_ADAPTATION": json.dumps(adaptation, ensure_ascii=True) if adaptation else None,
    }
    return {
        **{name: value for name, value in known.items() if value},
        "TIFFTAG_SOFTWARE": f"Hazard Mapper {__version__}",
        "TIFFTAG_DATETIME": now.strftime("%Y:%m:%d %H:%M:%S"),
        "HAZARD": request.job.hazard,
        "HAZARD_MODEL": request.model.card.name,
        "HAZARD_MODEL_SHA256": request.model.weights_sha256,
        "HAZARD_THRESHOLD": f"{request.threshold:g}",
        "HAZARD_JOB": json.dumps(_replayable(request.job), ensure_ascii=True),
        "HAZARD_BANDS": ",".join(request.task.understanding.match.slots),
        "HAZARD_UNITS": request.task.understanding.units.name,
        "HAZARD_DEVICE": str(device),
        "HAZARD_PRECISION": predictor.precision,
        "HAZARD_BATCH_SIZE": str(predictor.batch_size),
        "HAZARD_BACKEND": predictor.backend,
        "HAZARD_VERSIONS": ", ".join(_versions(predictor.backend)),
        "HAZARD_TIME": now.isoformat(timespec="seconds"),
        "HAZARD_VALUES": f"0 none, 1 hazard, {NOT_ASSESSED} not assessed (probability: per cent)",
    }


def _versions(backend: str) -> list[str]:
    found = [f"engine {__version__}", f"torch {torch.__version__}"]
    return found if backend == "torch" else [*found, f"{backend} {backend_version(backend)}"]


def _replayable(job: SegmentJob) -> dict[str, Any]:
    """The job with files named so that it can be run again from another folder."""
    values = {name: value for name, value in job_to_dict(job).items() if not name.startswith("preview")}
    for name in ("raster", "before", "mask", "probability", "area"):
        path = values[name]
        if path and (name not in ("raster", "before") or os.path.exists(path)):
            values[name] = os.path.abspath(path)
    if values["model"] and os.path.isdir(values["model"]):
        values["model"] = os.path.abspath(values["model"])
    return values
