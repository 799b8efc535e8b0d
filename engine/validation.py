"""Judges a network on held-out chips: scores, and the decision threshold of each hazard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from .cards import ModelCard
from .losses import characteristics_loss, hazard_loss, measured_pixels, patch_logits, surface_loss
from .metrics import Counts
from .model import HazardNet
from .predict import logits_at
from .reporting import Report
from .samples import UNKNOWN
from .simulate.chips import Batch

THRESHOLDS = tuple(round(0.2 + 0.025 * index, 3) for index in range(31))
"""Those that are tried: below, a mask would show what the network itself holds to be improbable."""
WORTH_OF_ACCURACY = 0.5
"""Weight of the balanced accuracy beside the IoU in what a threshold is chosen by: the IoU alone gives up recall of
rare hazards, the balanced accuracy alone takes any false alarm for it."""
PLATEAU = 0.02
"""Share of the best within which thresholds are as good as equal; the highest of them is taken: fewer false alarms."""
LEAST_IOU, LEAST_FALSE_AREA = 0.15, 0.001
"""A hazard that hardly overlaps the truth at any threshold is not told at all: it is asked for no more false area."""
LEAST_RECALL, MOST_FALSE_AREA = 0.3, 0.01
"""Unless so much of it is found while no more of the chips without it is marked: a rare hazard overlaps little even
where it is told. Its threshold is then one of those that keep to this false area."""

LARGEST_WEIGHT = 8.0
"""Of artificial pixels: more would paint the country grey to find the last hut."""


@dataclass(frozen=True)
class HazardScore:
    """A hazard's threshold and what it reaches there; no counts where no validation pixel shows the hazard.

    ``guarded`` says whether the threshold keeps to the false area that was asked for.
    """

    threshold: float | None
    counts: Counts
    guarded: bool = False

    @property
    def iou(self) -> float | None:
        """Intersection over union at the threshold; None where the hazard does not occur."""
        return self.counts.iou if self.threshold is not None else None


class HazardTally:
    """Pixels of each hazard by truth and by how many of ``THRESHOLDS`` their probability reaches.

    Those of chips without any of the hazard are counted apart as well.
    """

    def __init__(self, hazards: Sequence[str]) -> None:
        self.hazards = tuple(hazards)
        self._bins = torch.zeros((len(self.hazards), 2, len(THRESHOLDS) + 1), dtype=torch.int64)
        self._without = torch.zeros((len(self.hazards), len(THRESHOLDS) + 1), dtype=torch.int64)
        self._limits = torch.tensor(THRESHOLDS)

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Count (n, hazards, h, w) logits against (n, hazards, h, w) uint8 labels, 255 left out."""
        probability = torch.sigmoid(logits.float()).contiguous()
        reached = torch.bucketize(probability, self._limits.to(logits.device), right=True)
        width = len(THRESHOLDS) + 1
        for index in range(len(self.hazards)):
            truth = labels[:, index]
            judged = truth != UNKNOWN
            places = (truth[judged] == 1).long() * width + reached[:, index][judged]
            self._bins[index] += torch.bincount(places, minlength=2 * width).view(2, width).cpu()
            without = judged & ~(truth == 1).flatten(1).any(1)[:, None, None]
            self._without[index] += torch.bincount(reached[:, index][without], minlength=width).cpu()

    def score(
        self, hazard: str, most_false_area: float | None = None, least_recall: float = LEAST_RECALL
    ) -> HazardScore:
        """Highest threshold of those that are nearly best, and the counts there.

        Args:
            hazard: one of them.
            most_false_area: share of chips without the hazard that may be marked; thresholds that keep to it while at
                least ``least_recall`` is found go before all others, where there are any.
            least_recall: share of the hazard's pixels.
        """
        index = self.hazards.index(hazard)
        bins = self._bins[index]
        above, totals = _reached(bins), bins.sum(1)
        counts = [
            Counts(tp=int(tp), fp=int(fp), fn=int(totals[1] - tp), tn=int(totals[0] - fp))
            for fp, tp in zip(above[0], above[1], strict=True)
        ]
        if not int(totals[1]):
            return HazardScore(None, counts[len(counts) // 2])
        at = None if most_false_area is None else self._guarded(index, counts, most_false_area, least_recall)
        guarded = at is not None
        if at is None and max(count.iou or 0.0 for count in counts) >= LEAST_IOU:
            at = _highest_of_best(counts, range(len(counts)))
        if at is None:
            at = self._cautious(index, counts)
        return HazardScore(THRESHOLDS[at], counts[at], guarded)

    def _guarded(self, index: int, counts: Sequence[Counts], most_false_area: float, least_recall: float) -> int | None:
        """Place of the best threshold that marks little of chips without the hazard, and finds some; None without."""
        without = self._without[index]
        if not int(without.sum()):
            return None
        share = (_reached(without) / int(without.sum())).tolist()
        places = [
            place
            for place, count in enumerate(counts)
            if share[place] <= most_false_area and (count.recall or 0.0) >= least_recall
        ]
        return _highest_of_best(counts, places) if places else None

    def _cautious(self, index: int, counts: Sequence[Counts]) -> int:
        """Place of the threshold of a hazard that overlaps the truth little."""
        at = self._guarded(index, counts, MOST_FALSE_AREA, LEAST_RECALL)
        if at is not None:
            return at
        strict = [place for place, count in enumerate(counts) if (count.false_area or 0.0) <= LEAST_FALSE_AREA]
        best = _highest_of_best(counts, range(len(counts)))
        return max(best, strict[0] if strict else len(counts) - 1)


def _reached(bins: Tensor) -> Tensor:
    """Pixels (..., thresholds + 1) by how many thresholds they reach -> how many reach each (..., thresholds)."""
    return bins.flip(-1).cumsum(-1).flip(-1)[..., 1:]


def _highest_of_best(counts: Sequence[Counts], places: Sequence[int]) -> int:
    """Place of the highest threshold of those at ``places`` that are nearly as good as the best of them."""
    worth = {
        place: (counts[place].iou or 0.0) + WORTH_OF_ACCURACY * (counts[place].balanced_accuracy or 0.5)
        for place in places
    }
    least = (1 - PLATEAU) * max(worth.values())
    return max(place for place in places if worth[place] >= least)


@torch.inference_mode()
def judge_hazards(
    network: nn.Module, batches: Iterable[Batch], card: ModelCard, device: torch.device, report: Report
) -> tuple[HazardTally, float]:
    """Tally and mean hazard loss of a network in eval mode; the report may cancel between batches.

    Hazards that the card's model sees at several resolutions are judged as it will be used.
    """
    hazards = card.hazards
    tally, losses = HazardTally(hazards), []
    for batch in batches:
        report.check()
        moved = batch.to(device)
        logits = network(moved.planes).hazard.float()
        losses.append(float(hazard_loss(logits, moved.labels, hazards)))
        used: dict[tuple[int, ...], Tensor] = {}
        for hazard, given in card.scales.items():
            index, factors = hazards.index(hazard), tuple(given)
            if factors not in used:
                used[factors] = logits_at(cast(HazardNet, network), moved.planes, factors, card.window_multiple)
            logits[:, index] = used[factors][:, index]
        tally.add(logits, moved.labels)
    return tally, sum(losses) / max(1, len(losses))


@dataclass(frozen=True)
class SurfaceScore:
    """How well natural is told from artificial: loss, counts by pixel or by patch, and what is guessed of the scene.

    ``cosine`` is the mean cosine of the guessed and the known characteristics; None where none is known.
    """

    loss: float
    counts: Counts
    cosine: float | None


@torch.inference_mode()
def judge_surface(
    network: nn.Module, batches: Sequence[Batch], device: torch.device, positive_weight: float, report: Report
) -> SurfaceScore:
    """Score of a network in eval mode; positive is artificial. The report may cancel between batches."""
    counts, losses, cosines = Counts(), [], []
    for batch in batches:
        report.check()
        moved = batch.to(device)
        heads = network(moved.planes)
        logits, measured = heads.surface.float(), measured_pixels(moved.planes)
        losses.append(float(surface_loss(logits, moved.surface, moved.artificial, measured, positive_weight)))
        counts = counts + _counts(logits[:, 0], moved.surface)
        if moved.artificial is not None:
            counts = counts + _counts(patch_logits(logits, measured), moved.artificial)
        told = moved.characteristics_known
        if heads.characteristics is not None and moved.characteristics is not None and told is not None and told.any():
            cosines.append(1 - float(characteristics_loss(heads.characteristics.float(), moved.characteristics, told)))
    mean = sum(losses) / max(1, len(losses))
    return SurfaceScore(mean, counts, sum(cosines) / len(cosines) if cosines else None)


def artificial_weight(batches: Sequence[Batch]) -> float:
    """Weight that makes what is artificial count as much as what is natural, 1 to ``LARGEST_WEIGHT``."""
    counts = [0, 0]
    for batch in batches:
        known = [batch.surface] + ([batch.artificial] if batch.artificial is not None else [])
        for truth in known:
            for kind in (0, 1):
                counts[kind] += int((truth == kind).sum())
    return min(LARGEST_WEIGHT, max(1.0, counts[0] / max(1, counts[1])))


def _counts(logits: Tensor, truth: Tensor) -> Counts:
    judged = truth != UNKNOWN
    found, true = logits[judged] > 0, truth[judged] == 1
    tp = int((found & true).sum())
    fp, fn = int(found.sum()) - tp, int(true.sum()) - tp
    return Counts(tp=tp, fp=fp, fn=fn, tn=int(judged.sum()) - tp - fp - fn)
