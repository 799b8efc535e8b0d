"""Train what is new between two dates: the branch of a model that compares with a scene from before."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..cards import ModelCard
from ..checkpoints import Checkpoint
from ..devices import choose_device
from ..learning import plan_of, publish, require_room, result_of, settings_of, settle_folder, training_entry
from ..model import HazardNet, Model, load_model
from ..optimise import Evaluation, Learner, Run, optimise
from ..prefetch import prefetched
from ..protocol import SIMULATED, BadInput, TrainJob
from ..reporting import Report
from .branch import ChangeBranch
from .learning import PairSource, Trunks, branch_loss, first_batch, judge_branch, mixed

CHANNELS = 16
STEPS = 3000
VALIDATION_PAIRS = (16, 128)
SIMULATED_PAIRS = "simulated pairs (validation)"


def train_branch(job: TrainJob, report: Report, others: Sequence[str] = ()) -> dict[str, Any]:
    """Teach the branch of ``job.model`` on simulated pairs; the model's own answers stay as they are.

    Args:
        job: with ``before``; its model must be trained.
        report: told of progress and curves; may cancel.
        others: models whose answers the branch is taught to correct as well, in turn.

    Raises:
        BadInput: the request cannot be carried out.
        Cancelled: the report said so; a checkpoint was written if training had begun.
    """
    began = time.monotonic()
    report.stage("Preparing")
    start = _start(job)
    folder = settle_folder(job)
    device = choose_device(job.device)
    torch.manual_seed(job.seed)
    card = dataclasses.replace(start.card, name=folder.name, change_channels=CHANNELS, default_for=(), score=None)
    network = with_branch(start, card).to(device)
    branch = cast(ChangeBranch, network.change).to(memory_format=torch.channels_last)
    require_room(folder, network)
    trunks = Trunks([start, *(load_model(name) for name in others)], device)
    plan = plan_of(job, None, STEPS)
    source = PairSource(job.seed, job.batch_size, job.leave_out)
    pairs = source.validation(_validation_pairs(plan.seconds), report)
    held_out = [trunks.tell(batch, number).half() for number, batch in enumerate(pairs)]
    hazards = card.hazards

    def loss(trained: nn.Module, batch: Any) -> Tensor:
        return branch_loss(trained, batch, hazards)

    def evaluate(judged: nn.Module) -> Evaluation:
        tally, mean_loss = judge_branch(cast(ChangeBranch, judged), held_out, hazards, device, report)
        scores = [tally.score(hazard) for hazard in hazards]
        seen = [score for score in scores if score.threshold is not None]
        values = {"validation_loss": mean_loss}
        if seen:
            values["validation_iou"] = sum(score.iou or 0.0 for score in seen) / len(seen)
            values["validation_balanced_accuracy"] = sum(s.counts.balanced_accuracy or 0.5 for s in seen) / len(seen)
        return Evaluation(values.get("validation_iou", -mean_loss), values)

    @contextmanager
    def batches(first_step: int) -> Iterator[Any]:
        with prefetched(cast(Any, source), first_batch(first_step), job.workers, report) as fresh:
            yield mixed(cast(Any, fresh), first_step, job.seed, trunks)

    settings = settings_of("train before", job, models=[model.weights_sha256 for model, _ in trunks.models])
    checkpoint = Checkpoint(folder, settings)
    run = optimise(Learner(branch, batches, loss, evaluate), plan, checkpoint, report, began, job.resume)
    tally, _ = judge_branch(branch, held_out, hazards, device, report)
    by_rule, _ = judge_branch(None, held_out, hazards, device, report)
    rows = [
        {"set": SIMULATED_PAIRS, "hazard": hazard, "threshold": score.threshold, "mode": "with before",
         **_rounded(score.counts.scores())}
        for hazard in hazards if (score := tally.score(hazard)).threshold is not None
    ]  # fmt: skip
    card = dataclasses.replace(
        card,
        change_thresholds={row["hazard"]: row["threshold"] for row in rows},
        scores=(*card.scores, *rows),
        training={**card.training, "before": _entry(job, run, start)},
    )
    publish(network, card, Path(folder), checkpoint, report)
    result = result_of(card, folder, run, device, ())
    return {
        **result,
        "thresholds": dict(card.change_thresholds),
        "scores": rows,
        "by_rule": {hazard: _rounded(by_rule.score(hazard).counts.scores()) for hazard in hazards},
    }


def with_branch(model: Model, card: ModelCard) -> HazardNet:
    """A copy of a model's network that has the branch of ``card``: the model's own where that is as wide, else new."""
    network = copy.deepcopy(model.network)
    if network.change is None or model.card.change_channels != card.change_channels:
        network.change = ChangeBranch(len(card.hazards), card.change_channels)
    network.change.requires_grad_(True)
    return network


def _start(job: TrainJob) -> Model:
    if job.data != SIMULATED:
        raise BadInput("What is new is taught on simulated pairs only; use --data simulated, or drop --before.")
    if job.model is None:
        raise BadInput("What is new is taught to a trained model; name it with --model.")
    model = load_model(job.model)
    if model.card.pretrained_only or model.card.parent is not None:
        raise BadInput(f"Model '{job.model}' is only pre-trained or adapted; name one that was trained.")
    return model


def _validation_pairs(seconds: float | None) -> int:
    fewest, most = VALIDATION_PAIRS
    return most if seconds is None else max(fewest, min(most, int(seconds / 20)))


def _entry(job: TrainJob, run: Run, start: Model) -> dict[str, Any]:
    entry = training_entry("train", job, run, "simulated pairs only (engine/simulate/pairs.py)", "made by this program")
    return {**entry, "from": {"model": start.card.name, "weights_sha256": start.weights_sha256}}


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value if value is None else round(value, 4) for name, value in values.items()}
