"""What adaptation minimises: forward, backward and auxiliary mapping, and how the modes put them together.

Jakubik et al. 2023, "Toward Foundation Models for Earth Monitoring" (arXiv 2301.09318), learn hazard scores of an
unlabelled scene (forward) under the constraint that natural and artificial ground stay told apart (backward), with the
scene's characteristics as an auxiliary target. With s the student's hazard score, s* its target, q the student's
natural/artificial logits and c the guessed characteristics:

    forward      L_f = sum w (s - s*)^2 / sum w          on pixels whose target is confident, classes weighted alike
    backward     L_b = CE(q, a_ref) + mean s             the latter where a_ref > 0.9 and the reference sees no hazard
    auxiliary    L_c = mean over known blocks of 1 - cos(c, known)

    constraint   even steps L_f + mu L_c, odd steps lambda L_b
    adversarial  L_f + mu L_c + lambda CE(q), the gradient of CE(q) turned round before the trunk (Ganin & Lempitsky
                 2015, arXiv 1409.7495): the head learns to tell natural from artificial, the trunk to hide it
    literal      L_f - lambda min(L_b, 5) + L_c: "maximise the cross-entropy" as written; unbounded without the clip
    statistics   no gradients

Every gradient step adds an anchor to the starting weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

CONFIDENT = (0.2, 0.8)
"""A target between these teaches nothing."""
AGREE_WITHIN = 0.5
"""Teacher and prior further apart than this contradict each other: the teacher is followed."""
SURELY_ARTIFICIAL = 0.9
LARGEST_CLASS_WEIGHT = 10.0
CLIPPED_AT = 5.0


def target_scores(teacher: Tensor, prior: Tensor | None, artificial: Tensor, reference: Tensor) -> Tensor:
    """Target scores s* of the forward mapping, all (n, h, w) from 0 to 1.

    Artificial ground lowers the target, except where the reference itself sees the hazard: a flooded street is one.
    """
    if prior is not None:
        teacher = torch.where((teacher - prior).abs() <= AGREE_WITHIN, (teacher + prior) / 2, teacher)
    return torch.where(reference > 0.5, teacher, (1 - artificial) * teacher)


def forward_loss(scores: Tensor, targets: Tensor, valid: Tensor) -> Tensor:
    """L_f: class-weighted mean squared error where the target is confident; 0 where none is."""
    low, high = CONFIDENT
    positive, negative = valid & (targets >= high), valid & (targets <= low)
    counts = positive.sum().float(), negative.sum().float()
    total = counts[0] + counts[1]
    if not bool(total > 0):
        return scores.sum() * 0
    weights = [(total / (2 * count.clamp_min(1))).clamp(max=LARGEST_CLASS_WEIGHT) for count in counts]
    weight = positive * weights[0] + negative * weights[1]
    return (weight * (scores - targets) ** 2).sum() / weight.sum()


def natural_loss(logits: Tensor, artificial: Tensor, valid: Tensor) -> Tensor:
    """CE(q, a_ref): cross-entropy of natural/artificial logits (n, h, w) with the reference's own answer."""
    entropy = F.binary_cross_entropy_with_logits(logits, artificial, reduction="none")
    return (entropy * valid).sum() / valid.sum().clamp_min(1)


def spared_loss(scores: Tensor, artificial: Tensor, reference: Tensor, valid: Tensor) -> Tensor:
    """Mean score where the ground is surely artificial and the reference sees no hazard; 0 where there is none."""
    spared = valid & (artificial > SURELY_ARTIFICIAL) & (reference < 0.5)
    return (scores * spared).sum() / spared.sum().clamp_min(1)


class TurnedRound(torch.autograd.Function):
    """Passes values on as they are and gradients with the other sign."""

    @staticmethod
    def forward(context: object, values: Tensor) -> Tensor:
        """Values unchanged."""
        return values.view_as(values)

    @staticmethod
    def backward(context: object, *gradients: Tensor) -> Tensor:
        """Gradient turned round."""
        return -gradients[0]


def turned_round(values: Tensor) -> Tensor:
    """Values whose gradient is turned round on its way back."""
    turned: Tensor = TurnedRound.apply(values)  # type: ignore[no-untyped-call]
    return turned


@dataclass(frozen=True)
class Weights:
    """Weights of the parts; which parts are used at all is for measuring what each brings.

    Attributes:
        backward: lambda.
        auxiliary: mu.
        anchor: of the squared distance of trained weights from where they began.
        prior: whether targets heed the physical prior.
    """

    backward: float = 0.1
    auxiliary: float = 0.02
    anchor: float = 0.01
    prior: bool = True


def combined(mode: str, step: int, parts: dict[str, Tensor], weights: Weights) -> Tensor:
    """Loss of a step of a mode out of its ``forward``, ``natural``, ``spared`` and ``auxiliary`` parts."""
    forward, natural = parts["forward"], parts["natural"]
    spared, auxiliary = parts["spared"], parts["auxiliary"]
    if mode == "adversarial":
        return forward + weights.auxiliary * auxiliary + weights.backward * (natural + spared)
    if mode == "literal":
        return forward - weights.backward * (natural + spared).clamp(max=CLIPPED_AT) + auxiliary
    if step % 2 == 0 or weights.backward == 0:
        return forward + weights.auxiliary * auxiliary
    return weights.backward * (natural + spared)
