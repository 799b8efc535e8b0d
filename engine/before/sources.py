"""Chips of pairs by number: of simulated pairs, of labelled ones on disk, and of both together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from ..batches import (
    VALIDATION_CHIPS,
    VALIDATION_SEED,
    draw_scale,
    draw_slots,
    draw_window,
    labels_as_taught,
    padded,
    require_large_enough,
    resized,
    resized_labels,
    stack_labels,
)
from ..datasets.before_folder import LabelledPair
from ..planes import SceneScaling
from ..reporting import Report
from ..samples import UNKNOWN
from ..simulate import HAZARDS
from ..simulate.chips import CHIP_SIZE_PX, measure_scaling, stretch_to_bytes
from ..simulate.fields import Draw
from ..simulate.pair_chips import (
    DateView,
    PairBatch,
    chip_of_pair,
    cut_pair_chips,
    join_pairs,
    match_views,
    turned_pair,
)
from ..simulate.pairs import ScenePair, draw_pair
from ..turns import PREPARING, SEED_STRIDE, Turns, read_held_out

SCENE_SIZE_PX = 224
PAIRS_IN_BATCH = 4
LANES = 4
PAIRS_IN_LANE = 14
"""Pairs that a lane keeps; each turn it forgets its oldest for a new one."""
CHIPS_OF_VALIDATION_PAIR = 2
BATCHES_JOINED = 8

SAME_BANDS = 0.75
"""How often the earlier date of a labelled pair is seen through the bands of the later one, where it has them."""
STRETCHED, STRETCHED_COLOURS = 0.12, 0.4
"""How often a labelled pair is stretched for display, and one of natural colours."""


class SourceOfPairs(Protocol):
    """Batches of pairs by number: asked for the same step, it gives the same batch."""

    def batch(self, step: int) -> PairBatch:
        """Chips of one step; raises BadInput if none can be had."""


@dataclass
class PairSource:
    """Chips of simulated pairs; batches take turns among ``LANES`` sets of pairs, as those of single scenes do.

    Attributes:
        seed: same seed, same batches.
        batch_size: chips a step, of ``PAIRS_IN_BATCH`` pairs.
        hazards: order of the network's logits.
        trained: those to be taught; labels of others are not judged.
        leave_out: hazard of which no pair is drawn; *any* is not taught on what looks like it.
    """

    seed: int
    batch_size: int
    hazards: tuple[str, ...] = HAZARDS
    trained: tuple[str, ...] = HAZARDS
    leave_out: str | None = None
    _kept: dict[int, ScenePair] = field(default_factory=dict, repr=False)

    def batch(self, step: int) -> PairBatch:
        """Chips of one step."""
        turn, lane = divmod(step, LANES)
        draw = Draw((self.seed * SEED_STRIDE + step) * 2 + 1, 8)
        oldest = LANES * turn + lane
        self._kept = {n: pair for n, pair in self._kept.items() if n % LANES != lane or n >= oldest}
        each, more = divmod(self.batch_size, PAIRS_IN_BATCH)
        # The newest is seen at once, others again.
        numbers = [lane + LANES * (turn + draw.whole(PAIRS_IN_LANE)) for _ in range(PAIRS_IN_BATCH)]
        counts = [each + (place < more) for place in range(PAIRS_IN_BATCH)]
        return self._joined(
            [
                cut_pair_chips(self._pair(number), draw, count, CHIP_SIZE_PX)
                for number, count in zip(numbers, counts, strict=True)
                if count
            ]
        )

    def _pair(self, number: int) -> ScenePair:
        if number not in self._kept:
            self._kept[number] = draw_pair((self.seed * SEED_STRIDE + number) * 2, SCENE_SIZE_PX, self.leave_out)
        return self._kept[number]

    def validation(self, pairs: int, report: Report) -> list[PairBatch]:
        """Batches of held-out pairs, whose seeds lie apart from those of training."""
        parts = []
        for number in range(pairs):
            report.progress(number / pairs, *PREPARING)
            draw = Draw(VALIDATION_SEED - 2 - number, 8)
            pair = draw_pair(VALIDATION_SEED + number, SCENE_SIZE_PX, self.leave_out)
            parts.append(cut_pair_chips(pair, draw, CHIPS_OF_VALIDATION_PAIR, CHIP_SIZE_PX))
        return [self._joined(parts[start : start + BATCHES_JOINED]) for start in range(0, pairs, BATCHES_JOINED)]

    def _joined(self, parts: list[PairBatch]) -> PairBatch:
        batch = join_pairs(parts)
        labels = labels_as_taught(batch.labels, self.hazards, self.trained, self.leave_out)
        return replace(batch, labels=labels).half()


class PairData(Protocol):
    """Labelled pairs on disk."""

    def read_pair(self, number: int) -> LabelledPair:
        """One chip of both dates; raises BadInput if it cannot be read."""


@dataclass
class LabelledPairSource:
    """Chips of labelled pairs on disk, each pair once an epoch, in an order of its own each time.

    Attributes:
        data: where pairs are read from.
        numbers: those to train on.
        seed: same seed, same batches.
        batch_size: chips a step.
        hazards: order of the network's logits; labels of those that the data do not speak of are not judged.
        teach_any: whether *any* is taught; see ``batches.stack_labels``.
        unread: why pairs that were to validate could not be read.
    """

    data: PairData
    numbers: Sequence[int]
    seed: int
    batch_size: int
    hazards: tuple[str, ...]
    teach_any: bool = True
    unread: list[str] = field(default_factory=list)
    _turns: Turns = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Settle the order."""
        self._turns = Turns(self.numbers, self.seed)

    def batch(self, step: int) -> PairBatch:
        """Chips of one step; raises BadInput if pair after pair cannot be read."""
        draw = Draw((self.seed * SEED_STRIDE + step) * 2 + 1, 8)
        first = step * self.batch_size
        return join_pairs([self._chip(first + index, draw) for index in range(self.batch_size)]).half()

    def _chip(self, position: int, draw: Draw) -> PairBatch:
        pair, skipped = self._turns.read(position, self._read, draw)
        return replace(self.cut(pair, draw, augment=True), skipped=skipped)

    def _read(self, number: int) -> LabelledPair:
        pair = self.data.read_pair(number)
        require_large_enough(pair.later)
        return pair

    def validation(self, numbers: Sequence[int], report: Report) -> list[PairBatch]:
        """Batches of pairs that are not trained on, as they are; unreadable ones are left out."""
        draw = Draw(VALIDATION_SEED + self.seed, 8)
        parts: list[PairBatch] = []
        for pair, most in read_held_out(numbers, self._read, draw, VALIDATION_CHIPS, self.unread, report):
            height, width = pair.later.values.shape[-2:]
            chips = -(-height // CHIP_SIZE_PX) * -(-width // CHIP_SIZE_PX)
            parts += [self.cut(pair, draw, augment=False).half() for _ in range(min(most, chips))]
        return [join_pairs(parts[start : start + BATCHES_JOINED]) for start in range(0, len(parts), BATCHES_JOINED)]

    def cut(self, pair: LabelledPair, draw: Draw, augment: bool) -> PairBatch:
        """One chip; with ``augment`` through some of the bands of each date, scaled, turned, stretched for display."""
        later = DateView(pair.later.values, pair.later.valid, pair.scalings[0])
        earlier = DateView(pair.values, pair.valid, pair.scalings[1])
        match = pair.match
        if augment:
            later, earlier = _through_some_bands(draw, later, earlier)
            match = match.of_slots(set(later.scaling.slots) & set(earlier.scaling.slots))
            colours = {"blue", "green", "red"} == set(later.scaling.slots)
            if draw.chance(STRETCHED_COLOURS if colours else STRETCHED):
                later, earlier = _stretched(draw, later, earlier)
                match = match_views(later, earlier)
        labels = stack_labels(pair.later, self.hazards, self.teach_any)
        factor = draw_scale(draw, min(labels.shape[-2:])) if augment else 1.0
        rows, columns = draw_window(draw, labels, round(CHIP_SIZE_PX / factor), augment)
        views = [_resized(view, rows, columns, factor) for view in (later, earlier)]
        labels = resized_labels(labels[:, rows, columns], (views[0].values.shape[-2], views[0].values.shape[-1]))
        views = [
            DateView(padded(view.values, CHIP_SIZE_PX, 0), padded(view.valid, CHIP_SIZE_PX, 0), view.scaling)
            for view in views
        ]
        both = views[0].valid & views[1].valid
        labels = padded(labels, CHIP_SIZE_PX, UNKNOWN).masked_fill(~both, UNKNOWN)
        chip = chip_of_pair(views[0], views[1], match, labels)
        return turned_pair(chip, draw.whole(4), draw.chance(0.5)) if augment else chip


@dataclass
class MixedPairs:
    """Chips of two sources in each batch."""

    first: SourceOfPairs
    second: SourceOfPairs

    def batch(self, step: int) -> PairBatch:
        """Chips of one step."""
        return join_pairs([self.first.batch(step), self.second.batch(step)])


def _through_some_bands(draw: Draw, later: DateView, earlier: DateView) -> tuple[DateView, DateView]:
    slots = draw_slots(draw, later.scaling.slots)
    common = tuple(slot for slot in earlier.scaling.slots if slot in slots)
    was = common if common and draw.chance(SAME_BANDS) else draw_slots(draw, earlier.scaling.slots)
    return _through(later, slots), _through(earlier, was)


def _through(view: DateView, slots: tuple[str, ...]) -> DateView:
    scaling = view.scaling
    at = [scaling.slots.index(slot) for slot in slots]
    low, high = (tuple(side[index] for index in at) for side in (scaling.low, scaling.high))
    absolute = tuple(scaling.absolute[index] for index in at)
    return DateView(view.values[at], view.valid, SceneScaling(slots, low, high, absolute))


def _stretched(draw: Draw, later: DateView, earlier: DateView) -> tuple[DateView, DateView]:
    """Both dates as display values; in the same way where they have the same bands."""
    style = draw.generator.get_state()
    views: list[DateView] = []
    for view in (later, earlier):
        if views and later.scaling.slots == earlier.scaling.slots:
            draw.generator.set_state(style)
        values = torch.where(view.valid, view.values, 0.0)
        shown, _ = stretch_to_bytes(draw, values, values, view.valid)
        scaling = measure_scaling(shown, view.valid, view.scaling.slots, absolute=False)
        views.append(DateView(shown, view.valid, scaling))
    return views[0], views[1]


def _resized(view: DateView, rows: slice, columns: slice, factor: float) -> DateView:
    values: Tensor = torch.where(view.valid, torch.nan_to_num(view.values), 0.0)
    values, valid = resized(values[:, rows, columns], view.valid[:, rows, columns], factor)
    return DateView(values, valid, view.scaling)
