"""Decision thresholds of the scene's own: some below the card's, and one between two clear groups of logits."""

from __future__ import annotations

import torch
from torch import Tensor

SHIFTS = (0.0, -0.5, -1.0, -1.5, 0.5, 1.0)
"""Logits that are added to the card's threshold: lower as cards are strict, higher for what statistics overdo."""
LARGEST_SHIFT = 1.0
"""Logits by which the threshold may move."""
BINS = 64
VALLEY = 0.5
"""Between two groups the histogram must fall below this share of the lower peak."""
LEAST_SHARE = 0.01
HAZARDS = ("flood",)
"""Hazards whose scores are known to fall into groups; on landslides Otsu's threshold did harm."""


def scene_threshold(scores: Tensor, valid: Tensor, hazard: str) -> float | None:
    """Shift of the decision threshold in logits, or None where nothing speaks for one.

    Otsu's threshold (Otsu 1979) of the logits within ``LARGEST_SHIFT`` of the card's, where both sides hold at least
    ``LEAST_SHARE`` of the pixels and a valley lies between their peaks.

    Args:
        scores: (n, h, w), 0.5 at the card's threshold.
        valid: (n, h, w) bool.
        hazard: which.
    """
    if hazard not in HAZARDS:
        return None
    logits = torch.logit(scores[valid].clamp(1e-3, 1 - 1e-3))
    if logits.numel() < 1000 or not bool(torch.isfinite(logits).all()):
        return None
    low, high = -6.0, 6.0
    counts = torch.histc(logits, BINS, low, high)
    middles = torch.linspace(low, high, BINS + 1, device=logits.device)[:-1] + (high - low) / BINS / 2
    share = counts / counts.sum()
    below, mass = share.cumsum(0), (share * middles).cumsum(0)
    between = (mass[-1] * below - mass) ** 2 / (below * (1 - below)).clamp_min(1e-9)
    best = (between >= between.max() * (1 - 1e-3)).nonzero().float()  # an empty gap has many equal cuts
    cut = int(best.mean())
    if not LEAST_SHARE <= float(below[cut]) <= 1 - LEAST_SHARE:
        return None
    smooth = torch.nn.functional.avg_pool1d(share[None, None], 5, 1, 2)[0, 0]
    valley = float(smooth[max(0, cut - 2) : cut + 3].min())
    if valley > VALLEY * min(float(smooth[: cut + 1].max()), float(smooth[cut + 1 :].max())):
        return None
    shift = float(middles[cut]) + (high - low) / BINS / 2
    return max(-LARGEST_SHIFT, min(LARGEST_SHIFT, shift))
