"""What training minimises: hazard and surface losses on logits, with pixels that are not judged left out."""

import torch
import torch.nn.functional as F
from torch import Tensor

IGNORED = 255
POSITIVE_WEIGHTS = (1.0, 2.0, 3.0, 1.0)
"""Weight of hazard pixels beside others, in the order of the heads: landslides and collapses are rare."""


def hazard_loss(logits: Tensor, labels: Tensor, dice_weight: float = 0.5) -> Tensor:
    """Cross-entropy and soft Dice, each averaged over hazards so that a rare one counts as much as a frequent one.

    Args:
        logits: (n, hazards, h, w).
        labels: (n, hazards, h, w) uint8: 1 hazard, 0 none, 255 left out.
        dice_weight: weight of the Dice term (Milletari et al. 2016) beside the cross-entropy.

    Returns:
        A scalar; 0 where nothing is judged.
    """
    judged = (labels != IGNORED).float()
    target = (labels == 1).float()
    axes = (0, 2, 3)
    weight = torch.tensor(POSITIVE_WEIGHTS, device=logits.device).view(1, -1, 1, 1)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none", pos_weight=weight) * judged
    entropy = entropy.sum(axes) / judged.sum(axes).clamp_min(1)
    probability = torch.sigmoid(logits) * judged
    overlap = (probability * target).sum(axes)
    total = (probability + target * judged).sum(axes)
    present = ((target * judged).sum(axes) > 0).float()
    dice = (1 - (2 * overlap + 1) / (total + 1)) * present
    return entropy.mean() + dice_weight * dice.mean()


def surface_loss(logits: Tensor, surface: Tensor) -> Tensor:
    """Cross-entropy of natural (0) against artificial (1), logits (n, 1, h, w), (n, h, w) uint8 with 255 left out."""
    judged = (surface != IGNORED).float()
    entropy = F.binary_cross_entropy_with_logits(logits[:, 0], (surface == 1).float(), reduction="none")
    return (entropy * judged).sum() / judged.sum().clamp_min(1)
