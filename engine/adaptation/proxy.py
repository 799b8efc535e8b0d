"""Judging a candidate without labels: what it agrees with, and how steady it is. Lower is better throughout."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..model import HazardNet
from ..predict import logits_at
from .statistics import normalisations
from .views import Views, logits_of, looked_at_again, turned_back

WAYS = ("turned", "brighter")
PRIOR_LEANS = 0.5
"""From here on a physical prior speaks for the hazard, below against it. Only what it is surer of ranked candidates no
better than chance does: under a shift the pixels at stake are those in the middle."""
LEAST_CALM = 0.04
"""Share of the valid pixels that must be known to hold nothing new for them to judge by."""
RANK_OF = 256
"""Pixels of the deepest features from which their rank is taken."""
PROXY_WEIGHTS: Mapping[str, float] = {"brier": 1.0, "turned": 0.5, "brighter": 0.5, "unchanged": 1.0}
"""Parts of the proxy, each between 0 and 1; those that a scene does not give are left out. The others are only told:
with them the rank correlation with the true error was lower."""


@dataclass(frozen=True)
class Judgement:
    """What is found out about a candidate without labels.

    Attributes:
        proxy: weighted mean of the parts; lower is better.
        parts: each part by name, None where the scene does not give it.
        share: of the valid pixels that reach the decision threshold.
        divergence: mean Kullback-Leibler divergence (nats) of natural/artificial from the reference's.
        rank: effective rank of the deepest features (Roy & Vetterli 2007).
        finite: whether all scores are finite.
        scores: (n, h, w), 0.5 at the decision threshold.
    """

    proxy: float
    parts: dict[str, float | None]
    share: float
    divergence: float
    rank: float
    finite: bool
    scores: Tensor


@dataclass(frozen=True)
class Seen:
    """What a network says of windows, all of it from one pass of its trunk.

    Attributes:
        logits: (n, h, w) of the hazard.
        surface: (n, h, w) logits of natural/artificial.
        deepest: (pixels, channels) of the bottleneck.
        shared: (pixels, channels) of every fourth row and column of the features that the heads share.
        shift: how far the scene lies from what the normalisations expect, 0 to 1.
    """

    logits: Tensor
    surface: Tensor
    deepest: Tensor
    shared: Tensor
    shift: float


@dataclass(frozen=True)
class Looks:
    """What a network says of the judged windows, before any threshold.

    Attributes:
        seen: of the windows as they are.
        again: logits (n, h, w) of the windows seen in each of ``WAYS``; None where that shows nothing else.
    """

    seen: Seen
    again: Mapping[str, Tensor | None]

    @property
    def logits(self) -> Tensor:
        """(n, h, w) of the hazard."""
        return self.seen.logits


@dataclass
class Judge:
    """Judges networks on the first windows of a scene.

    Attributes:
        views: the scene.
        channel: index of the hazard.
        factors: resolutions at which the hazard is seen.
        multiple: sides of windows are multiples of this.
        prior: (n, h, w) of the judged windows, or None.
        artificial: (n, h, w) of the judged windows: the reference's P(artificial).
        seed: of the ways to look again, the same for all candidates.
    """

    views: Views
    channel: int
    factors: Sequence[int]
    multiple: int
    prior: Tensor | None
    artificial: Tensor
    seed: int

    def __call__(self, network: nn.Module, centre: float) -> Judgement:
        """Judge a network in eval mode whose decision threshold lies at the logit ``centre``."""
        return self.at(self.look(network), centre)

    def see(self, network: nn.Module, planes: Tensor) -> Seen:
        """What a network in eval mode says of windows (n, planes, h, w)."""
        return see(network, planes, self.channel, self.factors, self.multiple)

    def look(self, network: nn.Module, seen: Seen | None = None) -> Looks:
        """What a network in eval mode says, whatever the threshold; the costly part.

        Args:
            network: to be judged.
            seen: what it says of the judged windows, where that is known already.
        """
        planes, names = self.views.planes[: self.views.judged], self.views.names()
        seen = self.see(network, planes) if seen is None else seen
        again = {}
        for way in WAYS:
            generator = torch.Generator().manual_seed(self.seed)
            other = looked_at_again(planes.float(), names, way, generator)
            same = other is planes or torch.equal(other, planes.float())
            again[way] = None if same else turned_back(self._logits(network, other), way)
        return Looks(seen, again)

    def at(self, looks: Looks, centre: float) -> Judgement:
        """Judge what was said with the decision threshold at the logit ``centre``."""
        valid = self.views.counted
        scores = torch.sigmoid(looks.logits - centre)
        finite = bool(torch.isfinite(scores).all())
        scores = torch.nan_to_num(scores, 0.5)
        parts: dict[str, float | None] = {"brier": prior_brier(scores, self.prior, valid)}
        for way, logits in looks.again.items():
            parts[way] = None if logits is None else disagreement(scores, torch.sigmoid(logits - centre), valid)
        parts["unchanged"] = false_share(scores, self.views.calm, valid)
        kept = valid[:, ::4, ::4].flatten()
        parts["prototypes"] = prototype_distance(looks.seen.shared[kept], scores[:, ::4, ::4].flatten()[kept] >= 0.5)
        parts["shift"] = looks.seen.shift
        share = float((scores >= 0.5)[valid].float().mean()) if bool(valid.any()) else 0.0
        return Judgement(
            weighed(parts), parts, share, divergence(looks.seen.surface, self.artificial, valid),
            effective_rank(looks.seen.deepest), finite, scores,
        )  # fmt: skip

    def _logits(self, network: nn.Module, planes: Tensor) -> Tensor:
        return logits_of(network, planes, self.channel, self.factors, self.multiple)


def weighed(parts: Mapping[str, float | None]) -> float:
    """Weighted mean of the parts that are known; 0 where none is."""
    known = [
        (PROXY_WEIGHTS[name], value) for name, value in parts.items() if value is not None and name in PROXY_WEIGHTS
    ]
    return sum(weight * value for weight, value in known) / max(1e-9, sum(weight for weight, _ in known))


def prior_brier(scores: Tensor, prior: Tensor | None, valid: Tensor) -> float | None:
    """Class-balanced Brier score with what the physical prior leans to for truth; None without prior or class."""
    if prior is None:
        return None
    found = []
    for truth, leans in ((1.0, valid & (prior >= PRIOR_LEANS)), (0.0, valid & (prior < PRIOR_LEANS))):
        if int(leans.sum()) < 16:
            return None
        found.append(float(((scores[leans] - truth) ** 2).mean()))
    return sum(found) / 2


def false_share(scores: Tensor, calm: Tensor | None, valid: Tensor) -> float | None:
    """How much of what is found lies where nothing can be new: 0 none of it, 1 all; None where that is not known.

    Args:
        scores: (n, h, w), 0.5 at the decision threshold.
        calm: (m, h, w) bool of at least these windows, where an earlier scene shows that nothing is new.
        valid: (n, h, w) bool.
    """
    if calm is None:
        return None
    still = calm[: len(valid)] & valid
    if int(still.sum()) < LEAST_CALM * int(valid.sum()):
        return None
    power = scores**2
    return float(power[still].sum() / power[valid].sum().clamp_min(1e-6))


def disagreement(scores: Tensor, again: Tensor, valid: Tensor) -> float:
    """1 - soft intersection over union of two answers: a rare hazard counts as much as a frequent one."""
    first, second = scores[valid], torch.nan_to_num(again, 0.5)[valid]
    return float(1 - torch.minimum(first, second).sum() / torch.maximum(first, second).sum().clamp_min(1e-6))


def divergence(surface: Tensor, artificial: Tensor, valid: Tensor) -> float:
    """Mean KL(reference || candidate) of natural/artificial, in nats."""
    reference = artificial[valid].clamp(1e-4, 1 - 1e-4)
    logits = surface[valid]
    cross = F.binary_cross_entropy_with_logits(logits, reference)
    own = F.binary_cross_entropy(reference, reference)
    return float((cross - own).clamp_min(0))


@contextlib.contextmanager
def measuring_shift(network: nn.Module) -> Iterator[list[float]]:
    """Collects, for each normalisation and pass, how far what it is given lies from what it expects.

    Mean over channels of the squared difference of means in expected variances, and a quarter of the squared logarithm
    of the ratio of variances.
    """
    found: list[float] = []

    def hear(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        variance, mean = torch.var_mean(given[0].float(), dim=(0, 2, 3), unbiased=False)
        normal = cast(nn.BatchNorm2d, module)
        expected, middle = cast(Tensor, normal.running_var) + normal.eps, cast(Tensor, normal.running_mean)
        far = (mean - middle) ** 2 / expected + torch.log((variance + 1e-5) / expected) ** 2 / 4
        found.append(float(far.clamp(max=10).mean()))

    hooks = [module.register_forward_pre_hook(hear) for module in normalisations(network).values()]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def effective_rank(features: Tensor) -> float:
    """Exponential of the entropy of the normalised singular values of (pixels, channels) features, centred."""
    if not bool(torch.isfinite(features).all()):
        return 0.0
    centred = features - features.mean(0)
    values = torch.linalg.svdvals(centred.double())
    total = values.sum()
    if float(total) <= 0:
        return 0.0
    share = values / total
    return float(torch.exp(-(share * (share + 1e-12).log()).sum()))


@torch.inference_mode()
def see(
    network: nn.Module, planes: Tensor, channel: int, factors: Sequence[int], multiple: int, at_once: int = 4
) -> Seen:
    """What a network in eval mode says of windows (n, planes, h, w) of a hazard seen at several resolutions.

    The windows as they are pass through the trunk once: the hazard, the surface and what lies inside are all told from
    the same features. Adding a resolution costs a pass of its own.
    """
    logits, surfaces, deepest, shared, shifts = [], [], [], [], []
    for part in torch.split(planes, at_once):
        part = part.float()
        with measuring_shift(network) as found:
            features, bottleneck = network.features(part)  # type: ignore[operator]
        shifts += found
        scales = [
            network.hazard_head(features)[:, channel].float()  # type: ignore[operator]
            if factor == 1
            else logits_at(cast(HazardNet, network), part, [factor], multiple)[:, channel]
            for factor in factors
        ]
        logits.append(torch.stack(scales).mean(0))
        surfaces.append(network.surface_head(features)[:, -1].float())  # type: ignore[operator]
        deepest.append(bottleneck.float().permute(0, 2, 3, 1).flatten(0, 2))
        shared.append(features[:, :, ::4, ::4].float().permute(0, 2, 3, 1).flatten(0, 2))
    joined = torch.cat(deepest)
    step = max(1, joined.shape[0] // RANK_OF)
    shift = 1 - math.exp(-sum(shifts) / max(1, len(shifts)))
    return Seen(torch.cat(logits), torch.cat(surfaces), joined[::step][:RANK_OF], torch.cat(shared), shift)


def prototype_distance(features: Tensor, positive: Tensor) -> float | None:
    """How near pixels lie to the mean features of the other class: 0 for classes far apart, 0.5 for mixed ones.

    Class-balanced mean of d_own / (d_own + d_other) over (pixels, channels) features; None where a class is missing.
    """
    if int(positive.sum()) < 16 or int((~positive).sum()) < 16:
        return None
    spread = features.std(0).clamp_min(1e-6)
    features = features / spread
    means = [features[positive].mean(0), features[~positive].mean(0)]
    found = []
    for own, mask in ((0, positive), (1, ~positive)):
        distances = [(features[mask] - mean).norm(dim=1) for mean in means]
        found.append(float((distances[own] / (distances[0] + distances[1]).clamp_min(1e-6)).mean()))
    return sum(found) / 2
