"""Gradient steps on a scene: a student learns from windows that are cached, towards targets that are cached too."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..losses import characteristics_loss
from ..model import HazardNet
from ..precision import mixed_precision
from ..samples import CHARACTERISTICS, UNKNOWN
from .objectives import combined, forward_loss, natural_loss, spared_loss, target_scores, turned_round
from .replay import Replay
from .settings import Settings
from .statistics import normalisations
from .views import Views, from_afar, jittered, scores_of

TEACHER_DECAY = 0.95
GRADIENT_LIMIT = 1.0
SEEN_AGAIN = 0.5
"""How often a window is shown brighter or darker than its target was made of."""


@dataclass(frozen=True)
class Grounds:
    """What is said of all windows (n, h, w) once, before anything is learnt.

    Attributes:
        artificial: the source model's P(artificial).
        reference: the source model's hazard scores, 0.5 at the card's threshold.
        prior: the physical prior; None where bands and units give none.
    """

    artificial: Tensor
    reference: Tensor
    prior: Tensor | None


class Student:
    """A network that learns, and its teacher, the moving average of it.

    What the teacher takes the windows for is asked once a round of steps and kept, as windows and reference are: a
    step costs one pass of the student forth and one back, of all parts of the objective together.

    Args:
        network: on its device, in eval mode; learns in place.
        views: windows of the scene.
        settings: how.
        grounds: what the source says of the windows.
        known: target and mask of the scene's characteristics, (1, CHARACTERISTICS) each, or None.
        replay: labelled windows to learn beside the scene, or None.
    """

    def __init__(
        self, network: HazardNet, views: Views, settings: Settings, grounds: Grounds,
        known: tuple[Tensor, Tensor] | None, replay: Replay | None = None,
    ) -> None:  # fmt: skip
        self.network, self.views, self.settings, self.grounds = network, views, settings, grounds
        self.known, self.replay = known, replay
        self.teacher = copy.deepcopy(network)
        self.trained = _trained(network, settings)
        for parameter in self.trained.values():
            parameter.requires_grad_(True)
        means = dict(self.teacher.named_parameters())
        self._means = tuple(means[name] for name in self.trained)
        self._start = self._weights().detach()
        kind = torch.optim.Adam if settings.optimizer == "adam" else torch.optim.AdamW
        self._optimiser = kind(list(self.trained.values()), lr=settings.learning_rate)
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._order: list[int] = []
        self._targets = grounds.reference
        half = mixed_precision(views.planes.device)
        self._half = half if half == torch.bfloat16 else None  # fp16 would need its loss scaled
        self.steps = 0

    def learn_from(self, scores: Tensor) -> None:
        """From now on aim at these scores (n, h, w) of all windows, as far as prior and artificial ground allow."""
        prior = self.grounds.prior if self.settings.weights.prior else None
        self._targets = target_scores(scores, prior, self.grounds.artificial, self.grounds.reference)

    def teachers_scores(self) -> Tensor:
        """Scores (n, h, w) of all windows by the teacher as it is now."""
        settings = self.settings
        return scores_of(
            self.teacher, self.views.planes, settings.channel, settings.factors, settings.multiple, settings.centre
        )

    def step(self) -> dict[str, float]:
        """One gradient step on the next windows; the parts of the objective before it, by name."""
        parts = self.parts(self._next_windows())
        anchor = ((self._weights() - self._start) ** 2).sum()
        weights = self.settings.weights
        loss = combined(self.settings.mode, self.steps, parts, weights) + weights.anchor * anchor
        self._optimiser.zero_grad(set_to_none=True)
        if bool(torch.isfinite(loss)):
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(list(self.trained.values()), GRADIENT_LIMIT)
            self._optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(self._means, tuple(self.trained.values()), 1 - TEACHER_DECAY)
        self.steps += 1
        told = {"forward": parts["forward"], "backward": parts["natural"] + parts["spared"]}
        if self.known is not None or self.replay is not None:
            told["auxiliary"] = parts["auxiliary"]
        return {name: float(value.detach()) for name, value in told.items()}

    def parts(self, batch: list[int]) -> dict[str, Tensor]:
        """Parts of the objective on some windows, from one pass of the network."""
        settings, views, network, grounds = self.settings, self.views, self.network, self.grounds
        planes, generator = views.planes[batch].float(), self._generator
        factor = settings.factors[int(torch.randint(len(settings.factors), (1,), generator=generator, device="cpu"))]
        if float(torch.rand(1, generator=generator, device="cpu")) < SEEN_AGAIN:
            planes = jittered(planes, views.names(), generator)
        targets, valid, artificial, reference = (
            from_afar(part[batch][:, None].float(), factor, settings.multiple)[:, 0]
            for part in (self._targets, views.valid, grounds.artificial, grounds.reference)
        )
        judged = valid > 0.99
        features, bottleneck = self._features(from_afar(planes, factor, settings.multiple))
        scores = torch.sigmoid(network.hazard_head(features)[:, settings.channel] - settings.centre)
        shown = turned_round(features) if settings.mode == "adversarial" else features
        surface = network.surface_head(shown)[:, -1]
        parts = {
            "forward": forward_loss(scores, targets, judged),
            "natural": natural_loss(surface, artificial, judged),
            "spared": spared_loss(scores, artificial, reference, judged),
            "auxiliary": self._auxiliary(bottleneck.mean(dim=(2, 3)), self.known),
        }
        if self.replay is not None:
            self._add_replay(parts, self.replay)
        return parts

    def _features(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Features and bottleneck in float32, computed in bf16 where the device has units for it.

        Gradients bear that. What the teacher says, and what candidates are judged by, is computed in float32.
        """
        with torch.autocast(planes.device.type, dtype=self._half or torch.float32, enabled=self._half is not None):
            features, bottleneck = self.network.features(planes)
        return features.float(), bottleneck.float()

    def _weights(self) -> Tensor:
        return torch.cat([parameter.flatten() for parameter in self.trained.values()])

    def _next_windows(self) -> list[int]:
        size = self.settings.batch_size
        if len(self._order) < size:
            self._order += torch.randperm(len(self.views), generator=self._generator, device="cpu").tolist()
        batch, self._order = self._order[:size], self._order[size:]
        return batch

    def _add_replay(self, parts: dict[str, Tensor], replay: Replay) -> None:
        """Labelled windows: their scores join the forward mapping, their labels take the reference's place.

        What is known of their place, day and sensor joins the scene's.
        """
        settings, network = self.settings, self.network
        drawn = replay.drawn(min(2, settings.batch_size), self._generator)
        features, bottleneck = self._features(drawn.planes.float())
        found = torch.sigmoid(network.hazard_head(features)[:, settings.channel] - settings.centre)
        told = torch.isfinite(drawn.scores)
        parts["forward"] = parts["forward"] + forward_loss(found, torch.nan_to_num(drawn.scores, 0.5), told)
        judged = drawn.surface != UNKNOWN
        if bool(judged.any()):
            shown = turned_round(features) if settings.mode == "adversarial" else features
            parts["natural"] = natural_loss(network.surface_head(shown)[:, -1], (drawn.surface == 1).float(), judged)
        size = bottleneck.shape[2], bottleneck.shape[3]
        share = F.adaptive_avg_pool2d(drawn.valid[:, None].float(), size)  # the rest is filled up
        pooled = (bottleneck * share).sum(dim=(2, 3)) / share.sum(dim=(2, 3)).clamp_min(1e-6)
        parts["auxiliary"] = parts["auxiliary"] + self._auxiliary(pooled, (drawn.known[:, 0], drawn.known[:, 1]))

    def _auxiliary(self, pooled: Tensor, known: tuple[Tensor, Tensor] | None) -> Tensor:
        """L_c of windows by their pooled bottleneck; ``known`` is target and mask of each, or of all, or None."""
        head = self.network.characteristics_head
        if head is None or head.out_features != CHARACTERISTICS or known is None or not self.settings.weights.auxiliary:
            return pooled.sum() * 0
        target, mask = (part.expand(len(pooled), -1) for part in known)
        return characteristics_loss(head(pooled), target, mask)


def _trained(student: HazardNet, settings: Settings) -> Mapping[str, nn.Parameter]:
    """Weights that learn: scale and shift of every normalisation; on a GPU the last layers, too."""
    wanted = {f"{name}.{kind}" for name in normalisations(student) for kind in ("weight", "bias")}
    if settings.last_block:
        wanted |= {name for name, _ in student.named_parameters() if name.startswith("join.")}
    if settings.mode == "adversarial":
        wanted |= {name for name, _ in student.named_parameters() if name.startswith("surface_head.")}
    return {name: parameter for name, parameter in student.named_parameters() if name in wanted}
