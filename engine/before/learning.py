"""Teaches the branch that tells what is new, on simulated pairs, above trunks that stay as they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from ..batches import SEED_STRIDE, VALIDATION_SEED
from ..losses import hazard_loss
from ..model import HazardNet, Model
from ..predict import logits_at
from ..reporting import Report
from ..simulate.chips import turned
from ..simulate.fields import Draw
from ..simulate.pair_chips import PairBatch, cut_pair_chips, join_pairs
from ..simulate.pairs import ScenePair, draw_pair
from ..validation import HazardTally
from .branch import ChangeBranch, new_by_rule

SCENE_SIZE_PX = 224
PAIRS_IN_BATCH = 4
LANES = 4
PAIRS_IN_LANE = 14
"""Pairs that a lane keeps; each turn it forgets its oldest for a new one."""
VALIDATION_CHIPS = 2
STEPS_OF_BATCH = 4
"""Steps for each batch of new chips: making them and asking the trunk are most of the work."""
BATCHES_KEPT = 12


@dataclass
class PairSource:
    """Chips of simulated pairs; batches take turns among ``LANES`` sets of pairs, as those of single scenes do.

    Attributes:
        seed: same seed, same batches.
        batch_size: chips a step, a multiple of ``PAIRS_IN_BATCH``.
        leave_out: hazard of which no pair is drawn.
    """

    seed: int
    batch_size: int
    leave_out: str | None = None
    _kept: dict[int, ScenePair] = field(default_factory=dict, repr=False)

    def batch(self, step: int) -> PairBatch:
        """Chips of one step."""
        turn, lane = divmod(step, LANES)
        draw = Draw((self.seed * SEED_STRIDE + step) * 2 + 1, 8)
        oldest = LANES * turn + lane
        self._kept = {n: pair for n, pair in self._kept.items() if n % LANES != lane or n >= oldest}
        each = max(1, self.batch_size // PAIRS_IN_BATCH)
        # The newest is seen at once, others again.
        numbers = [lane + LANES * (turn + draw.whole(PAIRS_IN_LANE)) for _ in range(PAIRS_IN_BATCH)]
        return _half(join_pairs([cut_pair_chips(self._pair(number), draw, each) for number in numbers]))

    def _pair(self, number: int) -> ScenePair:
        if number not in self._kept:
            self._kept[number] = draw_pair((self.seed * SEED_STRIDE + number) * 2, SCENE_SIZE_PX, self.leave_out)
        return self._kept[number]

    def validation(self, pairs: int, report: Report) -> list[PairBatch]:
        """Batches of held-out pairs, whose seeds lie apart from those of training."""
        parts = []
        for number in range(pairs):
            report.progress(number / pairs, 0.0, 0.05)
            draw = Draw(VALIDATION_SEED - 2 - number, 8)
            pair = draw_pair(VALIDATION_SEED + number, SCENE_SIZE_PX, self.leave_out)
            parts.append(_half(cut_pair_chips(pair, draw, VALIDATION_CHIPS)))
        return [join_pairs(parts[start : start + 8]) for start in range(0, pairs, 8)]


def _half(batch: PairBatch) -> PairBatch:
    return PairBatch(batch.later.half(), batch.earlier.half(), batch.change.half(), batch.labels)


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
    """

    def __init__(self, models: Sequence[Model], device: torch.device) -> None:
        if len({model.card.hazards for model in models}) != 1:
            raise ValueError("the models do not tell the same hazards")
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
        return Told(batch.change, later, earlier, torch.cat((artificial, was_artificial), 1), batch.labels)


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
        while number <= step // STEPS_OF_BATCH:
            kept.append(trunks.tell(next(fresh), number).half())
            number += 1
        draw = Draw((seed * SEED_STRIDE + step) * 2 + 1, 8)
        size = kept[0].labels.shape[0]
        chosen = [(draw.whole(len(kept)), draw.whole(size)) for _ in range(size)]
        turns, flip = draw.whole(4), draw.chance(0.5)
        chips = [{name: value[chip] for name, value in kept[batch].tensors().items()} for batch, chip in chosen]
        together: dict[str, Any] = {
            name: turned(torch.stack([chip[name] for chip in chips]), turns, flip) for name in chips[0]
        }
        yield Told(**together)
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
