"""Train hazard heads, from a pre-trained model, any other or from scratch, on simulated scenes or on labelled ones."""

from __future__ import annotations

import dataclasses
import time
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from .batches import ANY, LabelledSource, MixedSource, SimulatedSource
from .cards import ARCHITECTURE_DEFAULTS, ModelCard
from .checkpoints import Checkpoint
from .datasets import ImageFolder
from .distributed import Ranks, Unhurried, joined
from .heads import Teaching, settle_teaching, take_weights, was_pretrained
from .judging import Judge, evaluation_of, score_rows, unseen_notes
from .learning import (
    LICENCE,
    Data,
    data_of,
    licence_of,
    open_data,
    plan_of,
    publish,
    replayed_chips,
    require_room,
    require_validation,
    result_of,
    settings_of,
    settle_folder,
    simulated_validation_scenes,
    skipped_notes,
    training_entry,
    unread_notes,
    validation_of,
)
from .losses import characteristics_loss, hazard_loss, measured_pixels, surface_loss
from .model import build_to_train, load_model
from .optimise import FROZEN_SHARE_OF_TUNING, Evaluation, Learner, Plan, optimise
from .planes import PLANES
from .prefetch import Source, prefetched
from .protocol import SIMULATED, TrainJob
from .reporting import Report
from .samples import CHARACTERISTICS
from .shards import source_of, with_cache
from .simulate.chips import Batch
from .survey import require_labels, survey
from .validation import HazardScore, judge_hazards

SIMULATED_STEPS, LABELLED_STEPS = 6000, 3000
"""Steps of a run that is told neither epochs nor minutes."""
SIMULATED_SET = "simulated (validation)"
NEARLY_ALL = 0.99
"""Share of the weights that must come from a trained model for a run to count as tuning it."""
LEAST_TAKEN = 0.5
"""Share of the weights that must come from a pre-trained model for a run to count as begun from it."""
SURFACE_WEIGHT = 0.3
ARTIFICIAL_WEIGHT = 5.0
"""Of artificial pixels beside natural ones, of which there are about ten times as many."""
CHARACTERISTICS_WEIGHT = 0.05

DESCRIPTION = (
    "A small {title} for any set of optical and C-band radar bands, trained on {data}. Flood: water "
    "wherever it is seen, plants standing in it included. Landslide: fresh scars, tracks and deposits. Glacier "
    "collapse: the ice-rock lobe, its track and its source. One more head answers for any of them."
)
LIMITS = (
    "Flood marks all water of the scene, permanent water too: compare with a map of permanent water for the flood "
    "alone. RGB without near infrared is weak for water. Landslides and glacier collapses are told from optical "
    "bands only; bare fields, dry slopes, quarries and river bars are confused with landslides. No labelled glacier "
    "collapse was at hand: its recall is known on simulated scenes only. Cloud shadow, snow in composites without near "
    "infrared, and smooth sand in radar can pass for water."
)


def train(job: TrainJob, report: Report) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``train`` command.

    Args:
        job: what to do.
        report: told of progress, curves and warnings; may cancel.

    Raises:
        BadInput: the request cannot be carried out.
        Cancelled: the report said so; a checkpoint was written if training had begun.
    """
    with joined(job.device) as ranks:
        return _train(job, report if ranks.leads else Unhurried(report, leads=False), ranks)


def _train(job: TrainJob, report: Report, ranks: Ranks) -> dict[str, Any]:
    began = time.monotonic()
    report.stage("Preparing")
    folder = ranks.first(lambda: settle_folder(job))
    device = ranks.device
    start = load_model(job.model) if job.model else None
    data = ranks.with_data(lambda: with_cache(job, open_data(job), report))
    teaching = settle_teaching(job, data, start.card if start else None)
    card = new_card(folder.name, job, teaching, start.card if start else None)
    torch.manual_seed(job.seed)
    network, copied = build_to_train(card), 0.0
    if start is not None:
        copied = take_weights(network, card.hazards, start)
        report.log(f"{copied:.0%} of the weights come from '{start.card.name}'.")
    network = network.to(device)
    ranks.first(lambda: require_room(folder, network))
    warnings = ranks.first(lambda: _look_at(data, job, teaching, report))
    if start is not None and copied < LEAST_TAKEN:
        warnings.append(
            f"Only {copied:.0%} of the weights come from '{start.card.name}', which has another architecture or "
            "encoder: the model counts as trained from scratch. Choose the same ones to begin from it."
        )
        report.log(warnings[-1], "warning")
    labelled = len(data.train) if data else None
    plan = plan_of(job, labelled, LABELLED_STEPS if data else SIMULATED_STEPS, job.batch_size - replayed_chips(job))
    if start is not None and not start.card.pretrained_only and copied > NEARLY_ALL:
        plan = dataclasses.replace(plan, frozen_share=FROZEN_SHARE_OF_TUNING)
    source, judges = _sources(job, data, teaching, plan, report, warnings, ranks)
    settings = settings_of(
        "train", job, model=start.weights_sha256 if start else None, hazards=list(card.hazards),
        scenes=len(data.train) if data else 0,
    )  # fmt: skip

    def loss(trained: nn.Module, batch: Batch) -> Tensor:
        heads = trained(batch.planes)
        total = hazard_loss(heads.hazard.float(), batch.labels, card.hazards, pool=ranks.pool)
        measured = measured_pixels(batch.planes)
        total = total + SURFACE_WEIGHT * surface_loss(
            heads.surface.float(), batch.surface, batch.artificial, measured, ARTIFICIAL_WEIGHT, ranks.pool
        )
        if batch.characteristics is not None and batch.characteristics_known is not None:
            total = total + CHARACTERISTICS_WEIGHT * characteristics_loss(
                heads.characteristics.float(), batch.characteristics, batch.characteristics_known, ranks.pool
            )
        return total

    def judge(judged: nn.Module) -> tuple[dict[str, HazardScore], float]:
        scores, losses = {}, []
        for part in judges:
            tally, mean = judge_hazards(judged, part.batches, card, device, report)
            scores.update({hazard: tally.score(hazard) for hazard in part.hazards})
            losses.append(mean)
        return scores, losses[0]

    def evaluate(judged: nn.Module) -> Evaluation:
        scores, mean_loss = judge(judged)
        return evaluation_of(scores, mean_loss, judges[0].hazards)

    def batches(first_step: int) -> AbstractContextManager[Any]:
        return prefetched(source, first_step, job.workers, ranks.unhurried(report), ranks)

    checkpoint = Checkpoint(folder, settings)
    run = optimise(Learner(network, batches, loss, evaluate, ranks), plan, checkpoint, report, began, job.resume)
    if not ranks.leads:
        return {}
    scores, _ = judge(network)
    warnings += [*skipped_notes(run), *unseen_notes(scores)]
    name, licence = data_of(data, bool(job.replay))
    entry = {
        **training_entry("train", job, run, name, licence),
        "from": {"model": start.card.name, "weights_sha256": start.weights_sha256} if start else None,
        "from_scratch": copied < LEAST_TAKEN or not was_pretrained(start.card if start else None),
        "leave_out": job.leave_out,
        "ablation": ablation_of(job, copied < LEAST_TAKEN),
        "replay": job.replay if data else None,
    }
    rows = score_rows(scores, judges)
    card = finished_card(card, data, rows, entry, start.card if start else None)
    publish(network, card, folder, checkpoint, report)
    result = result_of(card, folder, run, device, warnings, ranks.count)
    return {**result, "thresholds": dict(card.thresholds), "scores": [dict(row) for row in card.scores]}


def new_card(name: str, job: TrainJob, teaching: Teaching, start: ModelCard | None) -> ModelCard:
    """Card of a network about to be trained."""
    architecture = job.architecture or (start.architecture if start else "unet")
    defaults = ARCHITECTURE_DEFAULTS[architecture]
    alike = start is not None and architecture == start.architecture
    card = ModelCard(
        name=name,
        title=f"{defaults.title}, any sensor",
        architecture=architecture,
        encoder=job.encoder or (start.encoder if start and alike else defaults.encoder),
        decoder_channels=start.decoder_channels if start and alike else defaults.decoder_channels,
        detail_channels=start.detail_channels if start else ModelCard.detail_channels,
        hazards=teaching.hazards,
        thresholds={hazard: start.thresholds.get(hazard, 0.5) if start else 0.5 for hazard in teaching.hazards},
        planes=PLANES,
        characteristics=CHARACTERISTICS,
        scales={name: factors for name, factors in start.scales.items() if name in teaching.hazards} if start else {},
    )
    if job.data == SIMULATED:
        shown = "simulated scenes only"
        if start is not None and start.licence != LICENCE:
            shown = f"simulated scenes, begun from '{start.name}'"
        description = DESCRIPTION.format(title=defaults.title, data=shown)
        return dataclasses.replace(card, description=description, limits=LIMITS)
    return dataclasses.replace(card, title=f"{defaults.title}, {', '.join(teaching.shown).replace('_', ' ')}")


def _look_at(data: Data | None, job: TrainJob, teaching: Teaching, report: Report) -> list[str]:
    """Notes on the data and on what they do not show; raises BadInput if no label of theirs shows a hazard."""
    notes: list[str] = []
    given = [f"--{name.replace('_', '-')}" for name in ("bands", "units", "gsd_m") if getattr(job, name) is not None]
    if given and (data is None or not isinstance(source_of(data.source), ImageFolder)):
        notes.append(f"{' and '.join(given)} speak of a folder of images and labels; here they change nothing.")
    if data is not None:
        found = survey(data.source, data.train, job.seed, report)
        require_labels(found, data.source.name, job, teaching.shown)
        notes = [*data.notes, *found.notes()]
    keep = "Name it with --hazard to keep it." if data is None else "Choose a share of replay to keep it."
    notes += teaching.fading_notes(keep)
    for text in notes:
        report.log(text, "warning")
    return notes


def _sources(
    job: TrainJob, data: Data | None, teaching: Teaching, plan: Plan, report: Report, warnings: list[str], ranks: Ranks
) -> tuple[Source, list[Judge[Batch]]]:
    """Chips to learn from, and held-out ones with the hazards that they judge; those where ``ranks`` lead."""
    if data is None:
        taught = (*teaching.shown, ANY)
        simulated = SimulatedSource(job.seed, job.batch_size, teaching.hazards, taught, job.leave_out, job.all_bands)
        ranks.require_enough(job.batch_size, simulated.fewest_chips)
        if not ranks.leads:
            return simulated, []
        held_out = simulated.validation(simulated_validation_scenes(plan), report)
        return simulated, [Judge(SIMULATED_SET, held_out, tuple(name for name in teaching.hazards if name in taught))]
    replayed = replayed_chips(job)
    labelled = LabelledSource(
        data.source,
        data.train,
        job.seed,
        job.batch_size - replayed,
        teaching.hazards,
        job.all_bands,
        teaching.teach_any,
    )
    ranks.require_enough(job.batch_size, job.batch_size)
    taught = teaching.simulated
    simulated = SimulatedSource(job.seed, replayed, teaching.hazards, taught, None, job.all_bands, whole_scenes=False)
    source = MixedSource(labelled, simulated) if replayed else labelled
    if not ranks.leads:
        return source, []
    held_out = labelled.validation(data.validation, report)
    warnings += unread_notes(labelled.unread)
    require_validation(held_out, labelled.unread)
    judges = [Judge(validation_of(data), held_out, teaching.judged)]
    if not replayed:
        return source, judges
    others = tuple(name for name in taught if name not in teaching.judged)
    if others:
        held_out = simulated.validation(simulated_validation_scenes(plan), report)
        judges.append(Judge(SIMULATED_SET, held_out, others))
    return source, judges


def ablation_of(job: TrainJob, from_scratch: bool) -> str | None:
    """What a run was done without, as the scorecard groups its ablations."""
    if job.leave_out:
        return f"without {job.leave_out}"
    if job.all_bands:
        return "no channel sampling"
    return "no pre-training" if from_scratch else None


def finished_card(
    card: ModelCard, data: Data | None, rows: list[dict[str, Any]], training: dict[str, Any], start: ModelCard | None
) -> ModelCard:
    """The card with measured thresholds, validation scores and what its training was.

    Its licence names that of the model whose weights it began from, unless that is the program's own.
    """
    thresholds = {**card.thresholds, **{row["hazard"]: row["threshold"] for row in rows}}
    licence = licence_of(None if data is None else training["data_licence"], start)
    card = dataclasses.replace(card, thresholds=thresholds, scores=tuple(rows), training=training, licence=licence)
    if data is None:
        return card
    return dataclasses.replace(
        card,
        description=f"Trained on {training['data']} to map {', '.join(data.source.hazards).replace('_', ' ')}.",
        limits="Measured on its own validation chips only; other places and sensors may be harder.",
    )
