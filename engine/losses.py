"""What training minimises: hazard, surface and characteristics losses, with what is not judged or known left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .planes import PLANES
from .samples import BLOCKS, UNKNOWN

POSITIVE_WEIGHTS = {"landslide": 2.0, "glacier_collapse": 3.0}
"""Weight of hazard pixels beside others, 1 where not named: landslides and collapses are rare."""
TOP_SHARE = 0.05
"""Share of a patch's pixels whose mean speaks for the patch: what is built on may be a small part of it."""

Pool = Callable[[Tensor], Tensor]
"""Adds sums over chips to those of the processes that hold the rest of a batch."""

_AVAILABLE = [index for index, name in enumerate(PLANES) if name.startswith("available_")]


def own(sums: Tensor) -> Tensor:
    """Sums as they are: all chips are here."""
    return sums


def hazard_loss(
    logits: Tensor, labels: Tensor, hazards: Sequence[str], dice_weight: float = 0.5, pool: Pool = own
) -> Tensor:
    """Cross-entropy and soft Dice, each averaged over hazards so that a rare one counts as much as a frequent one.

    Args:
        logits: (n, hazards, h, w).
        labels: (n, hazards, h, w) uint8: 1 hazard, 0 none, 255 left out.
        hazards: names, in the order of the logits.
        dice_weight: weight of the Dice term (Milletari et al. 2016) beside the cross-entropy.
        pool: see ``Pool``.

    Returns:
        A scalar; 0 where nothing is judged.
    """
    judged = (labels != UNKNOWN).float()
    target = (labels == 1).float()
    axes = (0, 2, 3)
    weight = torch.tensor([POSITIVE_WEIGHTS.get(name, 1.0) for name in hazards], device=logits.device)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none", pos_weight=weight.view(1, -1, 1, 1))
    probability = torch.sigmoid(logits) * judged
    positive = target * judged
    parts = (judged, entropy * judged, probability * target, probability + positive, positive)
    counts, sums, overlap, total, positives = pool(torch.stack([part.sum(axes) for part in parts])).unbind()
    entropy = sums / counts.clamp_min(1)
    dice = (1 - (2 * overlap + 1) / (total + 1)) * (positives > 0).float()
    return (entropy.sum() + dice_weight * dice.sum()) / (counts > 0).sum().clamp_min(1)


def surface_loss(
    logits: Tensor,
    surface: Tensor,
    artificial: Tensor | None = None,
    measured: Tensor | None = None,
    positive_weight: float = 1.0,
    pool: Pool = own,
) -> Tensor:
    """Cross-entropy of natural (0) against artificial (1), by pixel where pixels are known, else by patch.

    Args:
        logits: (n, 1, h, w).
        surface: (n, h, w) uint8, 255 left out.
        artificial: (n,) uint8, whether a patch holds anything artificial, 255 where not known.
        measured: (n, h, w) bool, pixels that may speak for their patch; all when not given.
        positive_weight: weight of the artificial beside the natural.
        pool: see ``Pool``.

    Returns:
        A scalar; 0 where nothing is judged.
    """
    weight = torch.tensor(positive_weight, device=logits.device)
    judged = (surface != UNKNOWN).float()
    entropy = F.binary_cross_entropy_with_logits(
        logits[:, 0], (surface == 1).float(), reduction="none", pos_weight=weight
    )
    loss = _mean(entropy, judged, pool)
    if artificial is None:
        return loss
    known = (artificial != UNKNOWN).float()
    entropy = F.binary_cross_entropy_with_logits(
        patch_logits(logits, measured), (artificial == 1).float(), reduction="none", pos_weight=weight
    )
    return loss + _mean(entropy, known, pool)


def patch_logits(logits: Tensor, measured: Tensor | None = None, share: float = TOP_SHARE) -> Tensor:
    """Pool (n, 1, h, w) pixel logits to (n,): the mean of each patch's largest ``share``, at least one pixel.

    Pixels that were not ``measured`` (n, h, w) do not count; a patch without any is undecided (0).
    """
    flat = logits[:, 0].flatten(1)
    kept = torch.ones_like(flat, dtype=torch.bool) if measured is None else measured.flatten(1)
    lowest = torch.finfo(flat.dtype).min
    ranked = flat.masked_fill(~kept, lowest).sort(dim=1, descending=True).values
    counts = kept.sum(1, keepdim=True)
    wanted = (counts * share).ceil().clamp_min(1)
    top = (torch.arange(flat.shape[1], device=flat.device)[None] < wanted) & (ranked > lowest)
    return torch.where(top, ranked, 0.0).sum(1) / wanted[:, 0]


def measured_pixels(planes: Tensor) -> Tensor:
    """(n, planes, h, w) of all planes -> (n, h, w) bool, where any band was measured."""
    return planes[:, _AVAILABLE].amax(1) > 0


def characteristics_loss(predicted: Tensor, target: Tensor, known: Tensor, pool: Pool = own) -> Tensor:
    """1 - cosine of predicted and known place, day of year and sensor, averaged over the blocks that are known.

    Args:
        predicted: (n, CHARACTERISTICS), of any length of its vectors.
        target: (n, CHARACTERISTICS), a unit vector a known block.
        known: (n, CHARACTERISTICS), 1 in known blocks, else 0.
        pool: see ``Pool``.

    Returns:
        A scalar; 0 where nothing is known.
    """
    losses = torch.stack([1 - F.cosine_similarity(predicted[:, at], target[:, at], dim=1) for at in BLOCKS])
    masks = torch.stack([known[:, at].amax(1) for at in BLOCKS])
    return _mean(losses, masks, pool)


def _mean(values: Tensor, counted: Tensor, pool: Pool) -> Tensor:
    """Mean of the values that are counted (1, else 0); 0 where none is."""
    total, count = pool(torch.stack([(values * counted).sum(), counted.sum()])).unbind()
    return total / count.clamp_min(1)
