"""Pre-train a network to tell natural from artificial surfaces, and what place, day and sensor a scene is of."""

from __future__ import annotations

import dataclasses
import time
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from .batches import LabelledSource, SimulatedSource
from .cards import ARCHITECTURE_DEFAULTS, ModelCard
from .checkpoints import Checkpoint
from .distributed import Ranks, Unhurried, joined
from .learning import (
    LICENCE,
    Data,
    data_of,
    open_data,
    plan_of,
    publish,
    require_room,
    require_validation,
    result_of,
    settings_of,
    settle_folder,
    simulated_validation_scenes,
    skipped_notes,
    training_entry,
    unread_notes,
)
from .losses import characteristics_loss, measured_pixels, surface_loss
from .model import build_to_train
from .optimise import Evaluation, Learner, Plan, optimise
from .planes import PLANES
from .prefetch import prefetched
from .protocol import HAZARDS, PretrainJob
from .reporting import Report
from .samples import CHARACTERISTICS
from .shards import with_cache
from .simulate.chips import Batch
from .survey import require_both_surfaces, survey
from .validation import artificial_weight, judge_surface

DEFAULT_STEPS = 4000
CHARACTERISTICS_WEIGHT = 0.1
HEADS = (*HAZARDS, "any")

DESCRIPTION = (
    "A {title} for any set of optical and C-band radar bands, pre-trained to tell natural from artificial surfaces. "
    "Its hazard heads are untrained: asked for a hazard, it answers with a physical prior times the probability of "
    "natural ground. Train hazards from it."
)
LIMITS = (
    "Only pre-trained: hazards are answered by water indices, backscatter limits or the colour of bare ground, which "
    "confuse shade with water and bare fields with landslides."
)


def pretrain(job: PretrainJob, report: Report) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``pretrain`` command.

    Args:
        job: what to do.
        report: told of progress, curves and warnings; may cancel.

    Raises:
        BadInput: the request cannot be carried out.
        Cancelled: the report said so; a checkpoint was written if training had begun.
    """
    with joined(job.device) as ranks:
        return _pretrain(job, report if ranks.leads else Unhurried(report, leads=False), ranks)


def _pretrain(job: PretrainJob, report: Report, ranks: Ranks) -> dict[str, Any]:
    began = time.monotonic()
    report.stage("Preparing")
    folder = ranks.first(lambda: settle_folder(job))
    device = ranks.device
    card = new_card(folder.name, job.architecture, job.encoder)
    torch.manual_seed(job.seed)
    network = build_to_train(card).to(device)
    ranks.first(lambda: require_room(folder, network))
    data = ranks.with_data(lambda: with_cache(job, open_data(job), report))
    warnings: list[str] = []
    if data is not None:
        opened = data
        found = ranks.first(lambda: survey(opened.source, opened.train, job.seed, report))
        require_both_surfaces(found, data.source.name)
        warnings += [*data.notes, *found.notes()]
    for text in warnings:
        report.log(text, "warning")
    plan = plan_of(job, len(data.train) if data else None, DEFAULT_STEPS)
    source = source_of(job, data)
    ranks.require_enough(job.batch_size, source.fewest_chips)
    held_out = _held_out(source, data, plan, report) if ranks.leads else []
    if isinstance(source, LabelledSource):
        warnings += unread_notes(source.unread)
    weight = ranks.first(lambda: artificial_weight(held_out))
    settings = settings_of("pretrain", job, encoder=card.encoder, scenes=len(data.train) if data else 0)

    def loss(trained: nn.Module, batch: Batch) -> Tensor:
        heads = trained(batch.planes)
        total = surface_loss(
            heads.surface.float(), batch.surface, batch.artificial, measured_pixels(batch.planes), weight, ranks.pool
        )
        if batch.characteristics is not None and batch.characteristics_known is not None:
            guessed = heads.characteristics.float()
            total = total + CHARACTERISTICS_WEIGHT * characteristics_loss(
                guessed, batch.characteristics, batch.characteristics_known, ranks.pool
            )
        return total

    def evaluate(judged: nn.Module) -> Evaluation:
        score = judge_surface(judged, held_out, device, weight, report)
        values = {
            "validation_loss": score.loss,
            "validation_balanced_accuracy": score.counts.balanced_accuracy,
            "validation_cosine": score.cosine,
        }
        return Evaluation(-score.loss, {name: value for name, value in values.items() if value is not None})

    def batches(first_step: int) -> AbstractContextManager[Any]:
        return prefetched(source, first_step, job.workers, ranks.unhurried(report), ranks)

    checkpoint = Checkpoint(folder, settings)
    run = optimise(Learner(network, batches, loss, evaluate, ranks), plan, checkpoint, report, began, job.resume)
    if not ranks.leads:
        return {}
    warnings += skipped_notes(run)
    if "validation_balanced_accuracy" not in run.best_values:
        warnings.append("The validation shows natural or artificial only, not both: balanced accuracy is not measured.")
    name, licence = data_of(data)
    card = finished_card(
        card,
        data is None,
        {**training_entry("pretrain", job, run, name, licence), "artificial_weight": round(weight, 3)},
    )
    publish(network, card, folder, checkpoint, report)
    return result_of(card, folder, run, device, warnings, ranks.count)


def _held_out(source: SimulatedSource | LabelledSource, data: Data | None, plan: Plan, report: Report) -> list[Batch]:
    """Chips to validate on; raises BadInput where none can be read."""
    if isinstance(source, SimulatedSource):
        return source.validation(simulated_validation_scenes(plan), report)
    found = source.validation(data.validation if data else (), report)
    require_validation(found, source.unread)
    return found


def new_card(name: str, architecture: str, encoder: str | None) -> ModelCard:
    """Card of a network about to be pre-trained."""
    defaults = ARCHITECTURE_DEFAULTS[architecture]
    return ModelCard(
        name=name,
        title=f"{defaults.title}, pre-trained",
        description=DESCRIPTION.format(title=defaults.title),
        limits=LIMITS,
        architecture=architecture,
        encoder=encoder or defaults.encoder,
        decoder_channels=defaults.decoder_channels,
        hazards=HEADS,
        thresholds=dict.fromkeys(HEADS, 0.5),
        planes=PLANES,
        characteristics=CHARACTERISTICS,
        pretrained_only=True,
    )


def finished_card(card: ModelCard, simulated: bool, training: dict[str, Any]) -> ModelCard:
    """The card with what its training was."""
    licence = LICENCE if simulated else f"As the training data allow: {training['data_licence']}"
    return dataclasses.replace(card, training=training, licence=licence)


def source_of(job: PretrainJob, data: Data | None) -> SimulatedSource | LabelledSource:
    """Chips to learn from; hazards are not taught."""
    if data is None:
        return SimulatedSource(job.seed, job.batch_size, HEADS, (), all_bands=job.all_bands, favour_built=True)
    return LabelledSource(data.source, data.train, job.seed, job.batch_size, HEADS, job.all_bands, teach_any=False)
