"""Train what is new between two dates: the branch of a model that compares with a scene from before."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..batches import ANY
from ..cards import ModelCard
from ..checkpoints import Checkpoint
from ..datasets import BeforeFolder
from ..distributed import joined
from ..heads import Teaching, settle_teaching
from ..judging import Judge, evaluation_of, measures_of, score_rows, unseen_notes
from ..learning import (
    Data,
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
    skipped_notes,
    training_entry,
    unread_notes,
    validation_of,
)
from ..model import HazardNet, Model, load_model
from ..optimise import Evaluation, Learner, Plan, Run, optimise
from ..prefetch import prefetched
from ..protocol import BadInput, TrainJob
from ..reporting import Report
from ..simulate.pair_chips import PairBatch
from ..survey import require_labels, survey
from ..validation import HazardScore, HazardTally
from .branch import WATER, ChangeBranch
from .learning import STEPS_OF_BATCH, Told, Trunks, branch_loss, first_batch, judge_branch, mixed
from .sources import LabelledPairSource, MixedPairs, PairSource, SourceOfPairs

CHANNELS = 16
SIMULATED_STEPS, LABELLED_STEPS = 3000, 1500
"""Steps of a run that is told neither epochs nor minutes."""
VALIDATION_PAIRS = (16, 128)
SIMULATED_PAIRS = "simulated pairs (validation)"
SIMULATED_DATA = ("simulated pairs only (engine/simulate/pairs.py)", "made by this program")
WITH_BEFORE = "with before"
"""Mode of scores in a card that a scene from before was given for."""
MOST_FALSE_AREA = 0.004
"""Share of chips on which the hazard is not new that may be marked, where a threshold can keep to it: who compares two
dates asks what changed, and hardly anything did. Where the rule marks more, as much as the rule."""
MOST_FALSE_GROUND = 0.003
"""The same for new ground: thaw and season change far more ground than they change water."""
LEAST_FOUND = 0.15
"""Share of new ground that has to be found at that: many simulated pairs are harder than those that people choose."""


def train_branch(job: TrainJob, report: Report) -> dict[str, Any]:
    """Teach the branch of ``job.model`` on pairs; the model's own answers stay as they are.

    Args:
        job: with ``before``; its model must be trained. With ``also``, the branch is taught to correct the answers of
            these models as well, in turn.
        report: told of progress and curves; may cancel.

    Returns:
        The JSON of the ``train`` command, with ``by_rule``: the scores of the rule that the branch corrects.

    Raises:
        BadInput: the request cannot be carried out.
        Cancelled: the report said so; a checkpoint was written if training had begun.
    """
    with joined(job.device) as ranks:
        if ranks.count > 1:
            raise BadInput("--before learns in one process; start it without torchrun.")
        return _train_branch(job, report, ranks.device)


def _train_branch(job: TrainJob, report: Report, device: torch.device) -> dict[str, Any]:
    began = time.monotonic()
    report.stage("Preparing")
    folder = settle_folder(job)
    start, *others = (_trained_model(name) for name in (job.model or "", *job.also))
    data = open_data(job)
    teaching = _teaching(job, data, start.card)
    torch.manual_seed(job.seed)
    card = dataclasses.replace(start.card, name=folder.name, change_channels=CHANNELS, default_for=(), score=None)
    network = with_branch(start, card).to(device)
    branch = cast(ChangeBranch, network.change)
    branch.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    require_room(folder, network)
    trunks = Trunks([start, *others], device)
    warnings = _look_at(data, job, teaching, report)
    plan = _plan(job, data)
    source, judges = _sources(job, data, teaching, plan, trunks, report, warnings)
    hazards = card.hazards

    def loss(trained: nn.Module, batch: Any) -> Tensor:
        return branch_loss(trained, batch, hazards)

    def judge(
        judged: ChangeBranch | None, rule: Mapping[str, HazardScore] | None = None
    ) -> tuple[dict[str, HazardScore], float]:
        scores, losses = {}, []
        for part in judges:
            tally, mean = judge_branch(judged, part.batches, hazards, device, report)
            scores.update({name: score_new(tally, name, rule[name] if rule else None) for name in part.hazards})
            losses.append(mean)
        return scores, losses[0]

    by_rule, _ = judge(None)

    def evaluate(judged: nn.Module) -> Evaluation:
        scores, mean_loss = judge(cast(ChangeBranch, judged), by_rule)
        return evaluation_of(scores, mean_loss, judges[0].hazards)

    @contextmanager
    def batches(first_step: int) -> Iterator[Any]:
        with prefetched(cast(Any, source), first_batch(first_step), job.workers, report) as fresh:
            yield mixed(cast(Any, fresh), first_step, job.seed, trunks)

    settings = settings_of(
        "train before", job, models=[model.weights_sha256 for model, _ in trunks.models], hazards=list(hazards),
        scenes=len(data.train) if data else 0,
    )  # fmt: skip
    checkpoint = Checkpoint(folder, settings)
    run = optimise(Learner(branch, batches, loss, evaluate), plan, checkpoint, report, began, job.resume)
    scores, _ = judge(branch, by_rule)
    warnings += [*skipped_notes(run), *unseen_notes(scores)]
    own = teaching.judged if data is not None else ()
    told = {hazard: one for hazard, one in scores.items() if answers(one, by_rule[hazard], hazard not in own)}
    left = [name for name in scores if name not in told and scores[name].threshold is not None]
    warnings += [_left_to_the_rule(left)] if left else []
    rows = score_rows(told, judges, mode=WITH_BEFORE)
    card = dataclasses.replace(card, change_thresholds=_still_told(start.card, card, left))
    card = _finished_card(card, start.card, data, rows, _entry(job, run, data, trunks))
    publish(network, card, Path(folder), checkpoint, report)
    return {
        **result_of(card, folder, run, device, warnings),
        "thresholds": dict(card.change_thresholds),
        "scores": rows,
        "by_rule": {hazard: measures_of(score) for hazard, score in by_rule.items()},
    }


def score_new(tally: HazardTally, hazard: str, by_rule: HazardScore | None = None) -> HazardScore:
    """Threshold and score of what is new of a hazard; of water as much may be marked falsely as the rule does, too."""
    if hazard != WATER:
        return tally.score(hazard, MOST_FALSE_GROUND, LEAST_FOUND)
    limit = MOST_FALSE_AREA if by_rule is None else max(MOST_FALSE_AREA, by_rule.counts.false_area or 0.0)
    return tally.score(hazard, limit)


def answers(score: HazardScore, by_rule: HazardScore, must_be_guarded: bool) -> bool:
    """Whether the branch is to tell what is new of a hazard, by what held-out pairs say of it and of the rule.

    Args:
        score: of the branch, as ``score_new`` has it.
        by_rule: of the rule, likewise.
        must_be_guarded: whether it must keep to that, as on simulated pairs, of which many show no hazard; a rule that
            cannot is then no better, whatever it finds.
    """
    if must_be_guarded and score.guarded != by_rule.guarded:
        return score.guarded
    return (score.iou or 0.0) > (by_rule.iou or 0.0) and (score.guarded or not must_be_guarded)


def _left_to_the_rule(hazards: Sequence[str]) -> str:
    return (
        f"What is new of {', '.join(hazards).replace('_', ' ')} is told by the rule: on held-out pairs the branch was "
        "no better, or marked too much where nothing was new."
    )


def _still_told(start: ModelCard, card: ModelCard, left: Sequence[str]) -> dict[str, float]:
    """Thresholds of the branch that the run began with, where it had one, but for hazards now left to the rule."""
    kept = start.change_thresholds if start.change_channels == card.change_channels else {}
    return {hazard: threshold for hazard, threshold in kept.items() if hazard not in left}


def with_branch(model: Model, card: ModelCard) -> HazardNet:
    """A copy of a model's network that has the branch of ``card``: the model's own where that is as wide, else new."""
    network = copy.deepcopy(model.network)
    if network.change is None or model.card.change_channels != card.change_channels:
        network.change = ChangeBranch(card.hazards, card.change_channels)
    network.change.requires_grad_(True)
    return network


def _trained_model(name: str) -> Model:
    model = load_model(name)
    if model.card.pretrained_only or model.card.parent is not None:
        raise BadInput(
            f"Model '{name}' is only pre-trained or adapted, and what is new is taught to trained ones; name one of "
            "those."
        )
    return model


def _teaching(job: TrainJob, data: Data | None, card: ModelCard) -> Teaching:
    """What is to be taught; raises BadInput for hazards that the model does not tell."""
    teaching = settle_teaching(job, data, card)
    unknown = [] if data is None else [name for name in teaching.hazards if name not in card.hazards]
    if unknown:
        raise BadInput(
            f"Model '{card.name}' does not tell '{unknown[0]}', so it cannot be taught what of it is new; train it on "
            f"single scenes with --hazard {unknown[0]} first, without --before."
        )
    shown = tuple(name for name in teaching.shown if name in card.hazards)
    return dataclasses.replace(teaching, hazards=card.hazards, shown=shown)


def _look_at(data: Data | None, job: TrainJob, teaching: Teaching, report: Report) -> list[str]:
    """Notes on the data and on what they do not show; raises BadInput if no label of theirs shows a hazard."""
    notes: list[str] = []
    if data is not None:
        found = survey(data.source, data.train, job.seed, report)
        require_labels(found, data.source.name, job, teaching.shown)
        notes = [*data.notes, *found.notes()]
    notes += teaching.fading_notes("Choose a share of replay to keep it.")
    for text in notes:
        report.log(text, "warning")
    return notes


def _plan(job: TrainJob, data: Data | None) -> Plan:
    """How long the run goes on: an epoch asks for each of the user's pairs once."""
    if data is None:
        return plan_of(job, None, SIMULATED_STEPS)
    return plan_of(job, len(data.train), LABELLED_STEPS, (job.batch_size - replayed_chips(job)) / STEPS_OF_BATCH)


def _sources(
    job: TrainJob,
    data: Data | None,
    teaching: Teaching,
    plan: Plan,
    trunks: Trunks,
    report: Report,
    warnings: list[str],
) -> tuple[SourceOfPairs, list[Judge[Told]]]:
    """Chips to learn from, and held-out ones, as the branch sees them, with the hazards that they judge."""

    def told(batches: Sequence[PairBatch]) -> list[Told]:
        return [trunks.tell(batch, number).half() for number, batch in enumerate(batches)]

    hazards = teaching.hazards
    if data is None:
        taught = tuple(name for name in hazards if name in (*teaching.shown, ANY))
        simulated = PairSource(job.seed, job.batch_size, hazards, taught, job.leave_out)
        held_out = simulated.validation(_validation_pairs(plan), report)
        return simulated, [Judge(SIMULATED_PAIRS, told(held_out), taught)]
    replayed = replayed_chips(job)
    labelled = LabelledPairSource(
        cast(BeforeFolder, data.source), data.train, job.seed, job.batch_size - replayed, hazards, teaching.teach_any
    )
    held_out = labelled.validation(data.validation, report)
    warnings += unread_notes(labelled.unread)
    require_validation(held_out, labelled.unread)
    judges = [Judge(validation_of(data), told(held_out), teaching.judged)]
    if not replayed:
        return labelled, judges
    simulated = PairSource(job.seed, replayed, hazards, teaching.simulated)
    others = tuple(name for name in teaching.simulated if name not in teaching.judged)
    if others:
        judges.append(Judge(SIMULATED_PAIRS, told(simulated.validation(_validation_pairs(plan), report)), others))
    return MixedPairs(labelled, simulated), judges


def _validation_pairs(plan: Plan) -> int:
    fewest, most = VALIDATION_PAIRS
    return most if plan.seconds is None else max(fewest, min(most, int(plan.seconds / 20)))


def _entry(job: TrainJob, run: Run, data: Data | None, trunks: Trunks) -> dict[str, Any]:
    name, licence = SIMULATED_DATA
    if data is not None:
        name = data.source.name + (" and simulated pairs" if job.replay else "")
        licence = data.source.licence
    models = [{"model": model.card.name, "weights_sha256": model.weights_sha256} for model, _ in trunks.models]
    return {
        **training_entry("train", job, run, name, licence),
        "from": models[0],
        "also": models[1:],
        "leave_out": job.leave_out,
        "replay": job.replay if data else None,
    }


def _finished_card(
    card: ModelCard, start: ModelCard, data: Data | None, rows: Sequence[dict[str, Any]], entry: dict[str, Any]
) -> ModelCard:
    """The card with thresholds and scores of what is new; those of another branch before it go."""
    return dataclasses.replace(
        card,
        change_thresholds={**card.change_thresholds, **{row["hazard"]: row["threshold"] for row in rows}},
        scores=(*(row for row in start.scores if row.get("mode") != WITH_BEFORE), *rows),
        training={**start.training, "before": entry},
        licence=start.licence if data is None else licence_of(data.source.licence, start),
    )
