"""Adapt a model to the visible unlabelled part of one scene, and save what changed as a model of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .adaptation.guards import LEAST_UNCHANGED, share_of
from .adaptation.objectives import Weights
from .adaptation.replay import windows_of
from .adaptation.search import Listener, Outcome, Settings, adapt_network
from .adaptation.verdict import ADAPTED, Verdict, abstained, judge_outcome, probability, stage_rows
from .adaptation.views import Views
from .before.earlier import describe_earlier, open_earlier
from .before.unchanged import calm_and_changed
from .cards import ModelCard, default_trouble, find_parent
from .characteristics import Found, find_characteristics
from .devices import choose_device, is_out_of_memory
from .lean import lean, ready_network
from .learning import folder_for, versions
from .model import HazardNet, Model, save_adapted
from .planes import planes_for
from .preparing import prepare_scene, settle_model, wanted_window
from .protocol import AdaptJob, BadInput, OutputFailed, job_to_dict
from .raster import Scene
from .replay import ReplayChip, read_replay
from .reporting import Report
from .samples import CHARACTERISTICS
from .vector import AreaMask
from .visible import Visible, look_at, narrowed

BATCH_SIZE = 4
LEAST_VALID_PX = 2000
"""Fewer valid pixels say nothing of a scene."""
SHARE_OF_BUDGET = 0.85
"""The rest of the time is for saving, and for what a step takes beyond it."""
LEAST_FREE_BYTES = 1 << 20
"""More than what changes in a model takes."""


def adapt(job: AdaptJob, report: Report | None = None, models: dict[str, Model] | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``adapt`` command.

    Whatever the verdict, a valid model is saved: the parent unchanged where adapting was not safely better.

    Args:
        job: what to do.
        report: told of progress, losses and warnings; may cancel, or end early and keep the best so far.
        models: loaded models by name, kept between jobs by the caller.

    Raises:
        BadInput: the request cannot be carried out; nothing was written.
        OutputFailed: the model's folder cannot be written to; found out before any time is spent.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    began = report.began or time.monotonic()
    warnings: list[str] = []
    warn = report.warner(warnings)
    report.stage("Opening the scene")
    folder = folder_for(job.save, job.overwrite)
    check_folder(folder)
    with contextlib.ExitStack() as stack:
        scene = stack.enter_context(Scene(job))
        wanted = wanted_window(scene)
        understanding = scene.understand()
        for text in understanding.warnings:
            warn(text)
        area = AreaMask(job.area, scene.georeference) if job.area else None
        if not job.model and (trouble := default_trouble(job.hazard)):
            warn(trouble)
        model = settle_model(job.model, job.hazard, models if models is not None else {})
        if model.card.pretrained_only:
            raise BadInput(
                f"Model '{model.card.name}' is only pre-trained, so there is no answer to adapt; train it for "
                f"{job.hazard} first, or choose a trained model."
            )
        if model.card.adapted_for is not None:
            raise BadInput(
                f"Model '{Path(model.folder).name}' is adapted already; choose its parent '{model.card.parent}'."
            )
        device = choose_device(job.device)
        report.stage("Looking at the scene", 0.02)
        part = narrowed(wanted, area)
        prepared = prepare_scene(scene, understanding, part, model.card, warn)
        earlier = None
        if job.before is not None:
            earlier = stack.enter_context(open_earlier(job, scene, understanding, prepared.scaling, wanted, warn))
            if earlier.order:
                warn(earlier.order)
        visible = look_at(scene, prepared, part, area, model.card.window_multiple, report, earlier)
        found = find_characteristics(scene, understanding, job, part if area is not None else None)
    since = _unchanged(visible)
    if scarce := too_little_unchanged(since.get("unchanged_share")):
        warn(scarce)
    chips = read_replay(job.replay, report) if job.replay else []
    threshold = model.card.threshold_for(job.hazard, prepared.scaling.absolute)
    settings = settings_of(job, model, device, began, threshold)
    report.stage("Adapting", 0.1)
    outcome, verdict = _adapt(model, visible, settings, found, device, report, began, chips)
    seconds = time.monotonic() - began
    told = {**describe_earlier(job, earlier), **since}
    card = adapted_card(folder, job, model, outcome, verdict, found, visible, settings, seconds, told)
    report.check()
    report.stage("Saving the model", 0.97)
    save_adapted(_to_save(model, outcome, folder, card), card, folder)
    record = card.training["adaptation"]
    return {
        "model": card.name,
        "path": str(folder),
        "verdict": verdict.kind,
        "reason": verdict.reason,
        **{key: record[key] for key in ("mode", "alpha", "steps", "steps_made", "candidates", "ended")},
        **{key: record[key] for key in ("proxy_before", "proxy_after")},
        **{key: record[key] for key in ("area_before_m2", "area_after_m2")},
        "threshold": card.thresholds[job.hazard],
        "seconds": round(time.monotonic() - began, 3),
        "device": str(device),
        "seed": job.seed,
        "batch_size": settings.batch_size,
        "parent": card.parent,
        "hazard": job.hazard,
        "stages": record["stages"],
        "characteristics": record["characteristics"],
        **told,
        "warnings": warnings,
    }


def check_folder(folder: Path) -> None:
    """Raise OutputFailed unless a model can be written to ``folder``, which need not be there yet."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(bytes(LEAST_FREE_BYTES))
    except OSError as error:
        raise OutputFailed(
            f"The model cannot be written to {folder} ({error.strerror}); choose another folder."
        ) from None


def settings_of(
    job: AdaptJob, model: Model, device: torch.device, began: float, threshold: float | None = None
) -> Settings:
    """How a job wants a scene to be adapted to; ``threshold`` is the model's own for it, the card's where not given."""
    card = model.card
    threshold = card.thresholds[job.hazard] if threshold is None else threshold
    seconds = max(0.5, SHARE_OF_BUDGET * job.budget_s - (time.monotonic() - began))
    if job.steps is not None and job.candidates is not None:
        seconds = math.inf  # both are counted: it ends in the same, however long it takes
    return Settings(
        hazard=job.prior or job.hazard,
        channel=card.hazards.index(job.hazard),
        factors=tuple(card.scales.get(job.hazard, [1])),
        multiple=card.window_multiple,
        centre=math.log(threshold / (1 - threshold)),
        mode=job.mode,
        weights=Weights(backward=job.backward_weight, auxiliary=job.auxiliary_weight),
        seconds=seconds,
        steps=job.steps,
        candidates=job.candidates,
        batch_size=job.batch_size or BATCH_SIZE,
        learning_rate=job.learning_rate,
        optimizer=job.optimizer,
        seed=job.seed,
        last_block=device.type == "cuda",
    )


def _adapt(
    model: Model,
    visible: Visible,
    settings: Settings,
    found: Found,
    device: torch.device,
    report: Report,
    began: float,
    chips: Sequence[ReplayChip],
) -> tuple[Outcome | None, Verdict]:
    views = visible.views
    why = no_footing(views)
    if why is not None or views is None:
        return None, abstained(why or "nothing valid is visible")
    network = network_for(model, views, device)
    known = _known(found, model.card, device)
    listener = Listener(
        progress=lambda share: report.progress(share, 0.1, 0.97),
        metrics=report.metrics,
        finish=report.finish.is_set,
    )
    try:
        moved = _seen_before(model, visible, views, settings, device).to(device)
        replay = windows_of([(chip.scene, chip.score) for chip in chips], views.chosen).to(device) if chips else None
        outcome = adapt_network(network, moved, settings, known, listener, replay)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None, abstained(f"memory of {device} does not hold a step of {settings.batch_size} windows")
    return outcome, judge_outcome(outcome, visible.area_m2, time.monotonic() - began)


def network_for(model: Model, views: Views, device: torch.device) -> HazardNet:
    """A copy of a model's network that adapts to a scene on a device; normalisations have the names of the model's."""
    network = model.network.restricted_to(views.chosen).eval()
    return lean(network, device, model.card.window_multiple, fold=False)


def _seen_before(model: Model, visible: Visible, views: Views, settings: Settings, device: torch.device) -> Views:
    """The views with what an earlier scene shows of them, where there is one."""
    was = visible.earlier
    if was is None:
        return views
    network = ready_network(model, planes_for(was.scaling), device)
    there = dataclasses.replace(
        was, planes=was.planes.to(device), unchanged=was.unchanged.to(device), changed=was.changed.to(device)
    )
    asked = settings.channel, settings.factors, settings.multiple, settings.centre
    calm, changed = calm_and_changed(network, there, *asked)
    return dataclasses.replace(views, calm=calm, changed=changed)


def no_footing(views: Views | None) -> str | None:
    """Why a scene gives nothing to learn from, or None."""
    if views is None or int(views.valid.sum()) < LEAST_VALID_PX:
        return "hardly any valid pixel is visible"
    varied = [index for index, name in enumerate(views.names()) if name.startswith("norm_")]
    values = views.planes[:, varied].permute(1, 0, 2, 3)[:, views.valid]
    if float(values.std(dim=1).max()) < 1e-3:
        return "the visible part of the scene is constant"
    return None


def _known(found: Found, card: ModelCard, device: torch.device) -> tuple[Tensor, Tensor] | None:
    """Target and mask of the characteristics head; None where nothing is known or the model has no such head."""
    if card.characteristics != CHARACTERISTICS:
        return None
    target, mask = found.characteristics.encode()
    return (target[None].to(device), mask[None].to(device)) if bool(mask.any()) else None


def adapted_card(
    folder: Path, job: AdaptJob, model: Model, outcome: Outcome | None, verdict: Verdict, found: Found,
    visible: Visible, settings: Settings, seconds: float, told: Mapping[str, Any] | None = None,
) -> ModelCard:  # fmt: skip
    """Card of the adapted model: the parent's, and how it came about; ``told`` says what of a scene from before."""
    parent, parent_name = model.card, Path(model.folder).name
    source = outcome.source if outcome else None
    winner = outcome.winner if outcome else None
    threshold = round(probability(winner.centre if winner else settings.centre), 4)
    record: dict[str, Any] = {
        "verdict": verdict.kind,
        "reason": verdict.reason,
        "hazard": job.hazard,
        "scene": Path(job.raster).name,
        "mode": job.mode,
        **({"prior": job.prior} if job.prior else {}),
        "alpha": winner.alpha if winner else 0.0,
        "steps": winner.steps if winner else 0,
        "steps_made": outcome.steps if outcome else 0,
        "candidates": outcome.candidates if outcome else 0,
        "ended": (outcome.ended or None) if outcome else None,
        "proxy_before": _rounded(source.judgement.proxy) if source else None,
        "proxy_after": _rounded(winner.judgement.proxy) if winner else None,
        "area_before_m2": round(source.judgement.share * visible.area_m2) if source else None,
        "area_after_m2": round(winner.judgement.share * visible.area_m2) if winner else None,
        "stages": stage_rows(outcome, visible.area_m2) if outcome else [],
        "characteristics": {**dataclasses.asdict(found.characteristics), "date": found.date, "sources": found.sources},
        "seconds": round(seconds, 1),
        **{name: value for name, value in (told or {}).items() if name != "before" and value is not None},
        "job": _replayable(job, settings, outcome),
        "versions": versions(),
    }
    adapted = "adapted" if verdict.kind == ADAPTED else "not adapted"
    return dataclasses.replace(
        parent,
        name=folder.name,
        title=f"{parent.title}, {adapted} to {Path(job.raster).stem}"[:120],
        description=f"{parent.title}, {adapted} for {job.hazard} to '{Path(job.raster).name}'. {verdict.reason}",
        thresholds={**parent.thresholds, job.hazard: threshold},
        display_thresholds={},
        default_for=(),
        score=None,
        scores=(),
        training={"adaptation": record, "parent": parent_name},
        parent=parent_name,
        parent_sha256=model.weights_sha256,
        adapted_for=job.hazard,
    )


def _unchanged(visible: Visible) -> dict[str, Any]:
    """Share of the valid pixels that an earlier scene shows to be unchanged, where there is one."""
    if visible.earlier is None or visible.views is None:
        return {}
    return {"unchanged_share": round(share_of(visible.views.valid, visible.earlier.unchanged, visible.views.valid), 4)}


def too_little_unchanged(share: float | None) -> str | None:
    """What to tell the user where a scene from before gives hardly any evidence, in one sentence; else None."""
    if share is None or share >= LEAST_UNCHANGED:
        return None
    seen = f"{math.floor(1000 * share) / 10:.1f}%" if share >= 0.001 else "next to nothing"
    return (
        f"Of the view {seen} is unchanged since the scene before, under {LEAST_UNCHANGED:.0%}: too little to be "
        "evidence, so that the scene before hardly helps to adapt; choose one of the same season or sensor."
    )


def _replayable(job: AdaptJob, settings: Settings, outcome: Outcome | None) -> dict[str, Any]:
    """The job with all that was left open filled in: run again it makes the same model on a CPU, in whatever time."""
    values = job_to_dict(job)
    steps, candidates = (outcome.judged_steps, outcome.candidates) if outcome else (0, 0)
    values.update(batch_size=settings.batch_size, steps=steps, candidates=candidates, raster=Path(job.raster).name)
    values.update(before=Path(job.before).name if job.before else None)
    return dict(json.loads(json.dumps(values)))


def _to_save(model: Model, outcome: Outcome | None, folder: Path, card: ModelCard) -> Mapping[str, Tensor]:
    """What changed; all weights where the parent would not be found again from the adapted model's folder."""
    changed = outcome.changed if outcome else {}
    if find_parent(card, folder) is not None:
        return changed
    return {**model.network.state_dict(), **changed}


def _rounded(value: float) -> float:
    return round(value, 4)
