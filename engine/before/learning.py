"""Teaches the branch that tells what is new above trunks that stay as they are: what it sees, and how it is judged."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from ..losses import hazard_loss
from ..model import HazardNet, Model
from ..predict import logits_at
from ..protocol import BadInput
from ..reporting import Report
from ..simulate.chips import turned
from ..simulate.fields import Draw
from ..simulate.pair_chips import PairBatch
from ..turns import SEED_STRIDE
from ..validation import HazardTally
from .branch import ChangeBranch, new_by_rule

STEPS_OF_BATCH = 4
"""Steps for each batch of new chips: making them and asking the trunk are most of the work."""
BATCHES_KEPT = 12


@dataclass(frozen=True)
class Told:
    """Chips of pairs as the branch sees them.

    ``change`` (n, change planes, h, w), what a trunk says of both dates: ``later`` and ``earlier`` logits (n, hazards,
    h, w) and ``surface``, of artificial ground, (n, 2, h, w); ``labels`` (n, hazards, h, w) uint8, 255 not judged.
    """

    change: Tensor
    later: Tensor
    earlier: Tensor
    surface: Tensor
    labels: Tensor
    skipped: tuple[str, ...] = ()

    def tensors(self) -> dict[str, Any]:
        """All of them, by name."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name != "skipped"}

    def half(self) -> Told:
        """In half the memory."""
        return replace(self, **{name: v.half() if v.is_floating_point() else v for name, v in self.tensors().items()})

    def to(self, device: torch.device) -> Told:
        """The same on another device, in float32."""
        moved = {name: value.to(device, non_blocking=True) for name, value in self.tensors().items()}
        moved["change"] = moved["change"].contiguous(memory_format=torch.channels_last)
        return replace(self, **{name: v.float() if v.is_floating_point() else v for name, v in moved.items()})


class Trunks:
    """Trained networks whose answers the branch learns to correct; they are not changed.

    Several, in turn, teach one branch that fits each of them.

    Args:
        models: of the same hazards in the same order.
        device: where they answer.

    Raises:
        BadInput: the models do not tell the same hazards.
    """

    def __init__(self, models: Sequence[Model], device: torch.device) -> None:
        for model in models[1:]:
            if model.card.hazards != models[0].card.hazards:
                raise BadInput(
                    f"Model '{model.card.name}' tells {', '.join(model.card.hazards)}, '{models[0].card.name}' "
                    f"{', '.join(models[0].card.hazards)}; name models of the same hazards in the same order."
                )
        self.models = [(model, model.network.to(device).eval()) for model in models]

    @property
    def device(self) -> torch.device:
        """Where they answer."""
        return next(self.models[0][1].parameters()).device

    def tell(self, batch: PairBatch, number: int) -> Told:
        """What trunk ``number`` (modulo how many there are) says of a batch."""
        batch = batch.to(self.device)
        model, network = self.models[number % len(self.models)]
        with torch.no_grad():
            later, artificial = say(network, batch.later, model)
            earlier, was_artificial = say(network, batch.earlier, model)
        return Told(
            batch.change, later, earlier, torch.cat((artificial, was_artificial), 1), batch.labels, batch.skipped
        )


def mixed(fresh: Iterator[PairBatch], first_step: int, seed: int, trunks: Trunks) -> Iterator[Told]:
    """Chips of each step from ``first_step`` on: some of those of the last batches, turned anew.

    Args:
        fresh: batches from number ``first_batch(first_step)`` on.
        first_step: number of the first step.
        seed: same seed, same chips.
        trunks: asked once of each batch.
    """
    kept: deque[Told] = deque(maxlen=BATCHES_KEPT)
    number, step = first_batch(first_step), first_step
    while True:
        skipped: tuple[str, ...] = ()
        while number <= step // STEPS_OF_BATCH:
            kept.append(trunks.tell(next(fresh), number).half())
            skipped += kept[-1].skipped
            number += 1
        draw = Draw((seed * SEED_STRIDE + step) * 2 + 1, 8)
        size = kept[0].labels.shape[0]
        chosen = [(draw.whole(len(kept)), draw.whole(size)) for _ in range(size)]
        turns, flip = draw.whole(4), draw.chance(0.5)
        chips = [{name: value[chip] for name, value in kept[batch].tensors().items()} for batch, chip in chosen]
        together: dict[str, Any] = {
            name: turned(torch.stack([chip[name] for chip in chips]), turns, flip) for name in chips[0]
        }
        yield Told(**together, skipped=skipped)
        step += 1


def first_batch(step: int) -> int:
    """Number of the first batch of which chips are seen in a step."""
    return max(0, step // STEPS_OF_BATCH - BATCHES_KEPT + 1)


def say(network: HazardNet, planes: Tensor, model: Model) -> tuple[Tensor, Tensor]:
    """Hazard logits (n, hazards, h, w), each hazard at its own resolutions, and surface logits (n, 1, h, w)."""
    heads = network(planes)
    logits = heads.hazard.float()
    used: dict[tuple[int, ...], Tensor] = {}
    for hazard, given in model.card.scales.items():
        index, factors = model.card.hazards.index(hazard), tuple(given)
        if factors not in used:
            used[factors] = logits_at(network, planes, factors, model.card.window_multiple)
        logits[:, index] = used[factors][:, index]
    return logits, heads.surface[:, -1:].float()


def branch_loss(branch: nn.Module, told: Told, hazards: Sequence[str]) -> Tensor:
    """Loss of what the branch tells of chips."""
    logits = branch(told.change, told.later, told.earlier, told.surface)
    return hazard_loss(logits.float(), told.labels, hazards)


@torch.inference_mode()
def judge_branch(
    branch: ChangeBranch | None, batches: Iterable[Told], hazards: Sequence[str], device: torch.device, report: Report
) -> tuple[HazardTally, float]:
    """Tally and mean loss of a branch in eval mode on a device; without a branch, of the rule alone."""
    tally, losses = HazardTally(hazards), []
    for batch in batches:
        report.check()
        told = batch.to(device)
        if branch is None:
            logits = new_by_rule(told.later, told.earlier)
        else:
            logits = branch(told.change, told.later, told.earlier, told.surface).float()
        losses.append(float(hazard_loss(logits, told.labels, hazards)))
        tally.add(logits, told.labels)
    return tally, sum(losses) / max(1, len(losses))
