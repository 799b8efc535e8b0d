"""The order of adaptation: statistics first, then gradient steps from the best of them; the source stays incumbent."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..losses import characteristics_loss
from ..model import HazardNet
from ..priors import physical_prior
from ..samples import UNKNOWN
from .guards import Limits, share_of_bright, tells
from .objectives import Weights, combined, forward_loss, natural_loss, spared_loss, target_scores, turned_round
from .proxy import Judge, Judgement, Looks
from .replay import Replay
from .statistics import ALPHAS, ENTRANCE_ALPHAS, blend_statistics, entrance, normalisations
from .thresholds import SHIFTS, scene_threshold
from .views import Views, from_afar, jittered, scores_of

TEACHER_DECAY = 0.95
LEAST_GAIN = 0.05
"""Share by which a challenger's proxy must be lower than the incumbent's."""
ROUND_STEPS = 16
"""Gradient steps between two judgements."""
PATIENCE_ROUNDS = 3
GRADIENT_LIMIT = 1.0
SEEN_AGAIN = 0.5
"""How often a window is shown brighter or darker than its target was made of."""


@dataclass(frozen=True)
class Settings:
    """How a scene is adapted to.

    Attributes:
        hazard: name of the hazard.
        channel: its index among the network's logits.
        factors: resolutions at which it is seen.
        multiple: sides of windows are multiples of this.
        centre: logit of the card's decision threshold.
        mode: one of ``protocol.ADAPTATION_MODES``.
        weights: of the parts of the objective.
        seconds: time budget.
        steps: gradient steps; None as many as the time allows.
        batch_size: windows a step.
        learning_rate: of the optimiser.
        optimizer: ``adam`` or ``adamw``.
        seed: of the order of windows and of what they are made to look like.
        alphas: shares of the scene's statistics that are tried in all layers.
        entrance_alphas: shares that are tried in the layers next to the bands alone.
        threshold: whether decision thresholds of the scene's own are tried.
        last_block: whether the last layers of the decoder learn, too (on a GPU).
    """

    hazard: str
    channel: int
    factors: Sequence[int]
    multiple: int
    centre: float
    mode: str = "constraint"
    weights: Weights = field(default_factory=Weights)
    seconds: float = 60.0
    steps: int | None = None
    batch_size: int = 4
    learning_rate: float = 1e-3
    optimizer: str = "adam"
    seed: int = 0
    alphas: tuple[float, ...] = ALPHAS
    entrance_alphas: tuple[float, ...] = ENTRANCE_ALPHAS
    threshold: bool = True
    last_block: bool = False


@dataclass(frozen=True)
class Stage:
    """One candidate and what became of it."""

    name: str
    alpha: float
    steps: int
    centre: float
    judgement: Judgement
    accepted: bool
    reason: str


@dataclass
class Outcome:
    """Where a search ended.

    Attributes:
        stages: all candidates, the source first.
        best: index of the one that won.
        changed: tensors of the winner that differ from the source, by name as in ``state_dict``.
        steps: gradient steps made in all.
        ended: why no more were made.
        abstained: why nothing was tried; None where something was.
    """

    stages: list[Stage]
    best: int = 0
    changed: dict[str, Tensor] = field(default_factory=dict)
    steps: int = 0
    ended: str = ""
    abstained: str | None = None

    @property
    def source(self) -> Stage:
        """The source model."""
        return self.stages[0]

    @property
    def winner(self) -> Stage:
        """The candidate that won, perhaps the source itself."""
        return self.stages[self.best]


@dataclass(frozen=True)
class Listener:
    """Whoever watches: told of the share done and of losses, asked whether to cancel (raises) or to end early."""

    progress: Callable[[float], None] = lambda share: None
    metrics: Callable[[int, Mapping[str, float]], None] = lambda step, values: None
    finish: Callable[[], bool] = lambda: False


class Search:
    """One search, from a network that is left as it was found.

    Args:
        network: the source, restricted to the planes of the scene, in eval mode, on its device.
        views: windows of the scene on the same device.
        settings: how.
        known: target and mask of the scene's characteristics, (1, CHARACTERISTICS) each, or None.
        replay: labelled windows to learn beside the scene, or None.
        listener: who watches.
    """

    def __init__(
        self, network: HazardNet, views: Views, settings: Settings, known: tuple[Tensor, Tensor] | None,
        listener: Listener, replay: Replay | None = None,
    ) -> None:  # fmt: skip
        self.views, self.settings, self.known, self.listener = views, settings, known, listener
        self.replay = replay
        self.began = time.monotonic()
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.source = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self._look_at_the_scene()
        judged = views.judged
        prior = None if self.prior is None else self.prior[:judged]
        self.judge = Judge(
            views, settings.channel, settings.factors, settings.multiple, prior, self.artificial[:judged], settings.seed
        )

    def run(self) -> Outcome:
        """Try the stages in order; whoever listens may cancel."""
        settings = self.settings
        began = time.monotonic()
        looks = self.judge.look(self.network)
        source = self.judge.at(looks, settings.centre)
        self.judging_s = time.monotonic() - began
        self.outcome = Outcome([Stage("source", 0.0, 0, settings.centre, source, True, "the source model")])
        self.limits = self._limits(source)
        self.best_state = dict(self.source)
        self.alpha = 0.0
        self._tell(0, source)
        self.outcome.abstained = self.limits.no_footing() if self.replay is None else None
        if self.outcome.abstained is None:
            self._try_all(looks)
        if self.outcome.best:
            self.outcome.changed = {
                name: tensor.clone()
                for name, tensor in self.best_state.items()
                if not torch.equal(tensor, self.source[name])
            }
        return self.outcome

    def _limits(self, source: Judgement) -> Limits:
        judged = self.views.judged
        planes, valid = self.views.planes[:judged], self.views.valid[:judged]
        prior = self.judge.prior if tells(self.settings.hazard, self.views.chosen) else None
        return Limits(source, valid, prior, share_of_bright(planes, self.views.names(), valid), self.settings.hazard)

    def _try_all(self, looks: Looks) -> None:
        if self.settings.threshold:
            self._consider("threshold", 0.0, 0, looks)
        self._try_statistics()
        if self.settings.mode != "statistics" and self.settings.steps != 0:
            self._try_gradients()

    def _look_at_the_scene(self) -> None:
        """What the reference says of all windows, once."""
        views, settings = self.views, self.settings
        surfaces, priors = [], []
        for part in torch.split(views.planes, 4):
            surfaces.append(self.network.surface_logits(part.float())[:, -1].float().sigmoid())
            found = physical_prior(part.float(), views.chosen, settings.hazard)
            if found is not None:
                priors.append(found)
        self.artificial = torch.cat(surfaces)
        self.prior = torch.cat(priors) if priors else None
        self.reference = scores_of(
            self.network, views.planes, settings.channel, settings.factors, settings.multiple, settings.centre
        )

    def _try_statistics(self) -> None:
        near = entrance(self.network)
        tried: list[tuple[str, float, frozenset[str] | None]] = [
            (f"entrance {alpha:g}", alpha, near) for alpha in self.settings.entrance_alphas
        ]
        tried += [(f"statistics {alpha:g}", alpha, None) for alpha in self.settings.alphas]
        for index, (name, alpha, only) in enumerate(tried):
            self.listener.progress(0.1 + 0.25 * index / len(tried))
            if self._over():
                break
            self.network.load_state_dict(self.source)
            blend_statistics(self.network, self.source, self.views.planes[: self.views.judged], alpha, only)
            self._consider(name, alpha, 0)
        self._restore()

    def _consider(self, name: str, alpha: float, steps: int, looks: Looks | None = None) -> bool:
        """Judge the network as it stands, at the threshold that suits it best; whether it keeps the limits.

        It becomes the incumbent if it keeps them and wins clearly.
        """
        looks = self.judge.look(self.network) if looks is None else looks
        found = [
            (centre, self.judge.at(looks, centre)) for centre in self._centres(looks, only_others=name == "threshold")
        ]
        kept = [(centre, one) for centre, one in found if self.limits.broken_by(one) is None]
        centre, best = min(kept or found, key=lambda pair: pair[1].proxy)
        broken = self.limits.broken_by(best)
        wins = broken is None and best.proxy < self.outcome.winner.judgement.proxy * (1 - LEAST_GAIN)
        reason = broken or ("better" if wins else "not clearly better")
        self.outcome.stages.append(Stage(name, alpha, steps, centre, best, wins, reason))
        if wins:
            self.outcome.best = len(self.outcome.stages) - 1
            self.best_state = {key: tensor.clone() for key, tensor in self.network.state_dict().items()}
            self.alpha = alpha
        return broken is None

    def _centres(self, looks: Looks, only_others: bool) -> list[float]:
        """Logits at which a decision threshold is tried: the card's, some below it, and one of the scene's own."""
        settings = self.settings
        shifts = list(SHIFTS) if settings.threshold else [0.0]
        if settings.threshold:
            scores = torch.sigmoid(looks.logits - settings.centre)
            own = scene_threshold(scores, self.views.valid[: self.views.judged], settings.hazard)
            shifts += [own] if own is not None else []
        return [settings.centre + shift for shift in shifts if shift != 0 or not only_others]

    def _restore(self) -> None:
        self.network.load_state_dict(self.best_state)

    def _over(self) -> bool:
        """Whether to end: asked to, or no time is left to judge one more candidate."""
        return self.listener.finish() or time.monotonic() - self.began + self.judging_s >= self.settings.seconds

    def _try_gradients(self) -> None:
        settings = self.settings
        student, teacher = self.network, copy.deepcopy(self.network)
        trained = self._trained(student)
        start = {name: parameter.detach().clone() for name, parameter in trained.items()}
        for parameter in trained.values():
            parameter.requires_grad_(True)
        kind = torch.optim.Adam if settings.optimizer == "adam" else torch.optim.AdamW
        optimiser = kind(list(trained.values()), lr=settings.learning_rate)
        generator = torch.Generator().manual_seed(settings.seed)
        order: list[int] = []
        stale, step = 0, 0
        alpha = self.alpha
        while not self._over() and (settings.steps is None or step < settings.steps):
            if len(order) < settings.batch_size:
                order += torch.randperm(len(self.views), generator=generator).tolist()
            batch, order = order[: settings.batch_size], order[settings.batch_size :]
            losses = self._step(student, teacher, trained, start, optimiser, batch, step, generator)
            step += 1
            self.outcome.steps = step
            self.listener.metrics(step, losses)
            self.listener.progress(0.35 + 0.6 * self._share(step))
            if step % ROUND_STEPS == 0 or step == settings.steps:
                best = self.outcome.best
                kept = self._consider(f"{settings.mode} {step} steps", alpha, step)
                self._tell(step, self.outcome.stages[-1].judgement)
                stale = 0 if self.outcome.best != best else stale + 1
                if not kept or stale >= PATIENCE_ROUNDS:
                    self.outcome.ended = "a limit was broken" if not kept else "no better for a while"
                    break
        if not self.outcome.ended:
            self.outcome.ended = "steps" if settings.steps is not None and step >= settings.steps else "time"
        student.requires_grad_(False)
        self._restore()

    def _trained(self, student: HazardNet) -> dict[str, nn.Parameter]:
        """Weights that learn: scale and shift of every normalisation; on a GPU the last layers, too."""
        wanted = {
            f"{name}.{kind}" for name, module in normalisations(student).items() for kind in ("weight", "bias")
        }  # fmt: skip
        if self.settings.last_block:
            wanted |= {name for name, _ in student.named_parameters() if name.startswith("join.")}
        if self.settings.mode == "adversarial":
            wanted |= {name for name, _ in student.named_parameters() if name.startswith("surface_head.")}
        return {name: parameter for name, parameter in student.named_parameters() if name in wanted}

    def _step(
        self, student: HazardNet, teacher: HazardNet, trained: Mapping[str, nn.Parameter], start: Mapping[str, Tensor],
        optimiser: torch.optim.Optimizer, batch: list[int], step: int, generator: torch.Generator,
    ) -> dict[str, float]:  # fmt: skip
        settings, views = self.settings, self.views
        planes, valid = views.planes[batch].float(), views.valid[batch]
        taught = scores_of(teacher, planes, settings.channel, settings.factors, settings.multiple, settings.centre)
        prior = None if self.prior is None or not settings.weights.prior else self.prior[batch]
        targets = target_scores(taught, prior, self.artificial[batch], self.reference[batch])
        factor = settings.factors[int(torch.randint(len(settings.factors), (1,), generator=generator))]
        if float(torch.rand(1, generator=generator)) < SEEN_AGAIN:
            planes = jittered(planes, views.names(), generator)
        small = {
            name: from_afar(field_[:, None].float(), factor, settings.multiple)[:, 0]
            for name, field_ in (
                ("targets", targets), ("valid", valid), ("artificial", self.artificial[batch]),
                ("reference", self.reference[batch]),
            )
        }  # fmt: skip
        judged = small["valid"] > 0.99
        features, bottleneck = student.features(from_afar(planes, factor, settings.multiple))
        scores = torch.sigmoid(student.hazard_head(features)[:, settings.channel] - settings.centre)
        shown = turned_round(features) if settings.mode == "adversarial" else features
        surface = student.surface_head(shown)[:, -1]
        parts = {
            "forward": forward_loss(scores, small["targets"], judged),
            "natural": natural_loss(surface, small["artificial"], judged),
            "spared": spared_loss(scores, small["artificial"], small["reference"], judged),
            "auxiliary": self._auxiliary(student, bottleneck),
        }
        if self.replay is not None:
            self._add_replay(student, parts, self.replay, generator)
        anchor = torch.stack([((trained[name] - start[name]) ** 2).sum() for name in trained]).sum()
        loss = combined(settings.mode, step, parts, settings.weights) + settings.weights.anchor * anchor
        optimiser.zero_grad(set_to_none=True)
        if bool(torch.isfinite(loss)):
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(list(trained.values()), GRADIENT_LIMIT)
            optimiser.step()
        with torch.no_grad():
            for mean, tensor in zip(teacher.parameters(), student.parameters(), strict=True):
                mean.lerp_(tensor, 1 - TEACHER_DECAY)
        told = {"forward": parts["forward"], "backward": parts["natural"] + parts["spared"]}
        if self.known is not None:
            told["auxiliary"] = parts["auxiliary"]
        return {name: float(value.detach()) for name, value in told.items()}

    def _add_replay(
        self, student: HazardNet, parts: dict[str, Tensor], replay: Replay, generator: torch.Generator
    ) -> None:
        """Labelled windows: their scores join the forward mapping, their labels take the reference's place."""
        planes, surface, scores = replay.drawn(min(2, self.settings.batch_size), generator)
        features, _ = student.features(planes)
        found = torch.sigmoid(student.hazard_head(features)[:, self.settings.channel] - self.settings.centre)
        told = torch.isfinite(scores)
        parts["forward"] = parts["forward"] + forward_loss(found, torch.nan_to_num(scores, 0.5), told)
        judged = surface != UNKNOWN
        if bool(judged.any()):
            shown = turned_round(features) if self.settings.mode == "adversarial" else features
            parts["natural"] = natural_loss(student.surface_head(shown)[:, -1], (surface == 1).float(), judged)

    def _auxiliary(self, student: HazardNet, bottleneck: Tensor) -> Tensor:
        head = student.characteristics_head
        if head is None or self.known is None or self.settings.weights.auxiliary == 0:
            return bottleneck.sum() * 0
        target, mask = self.known
        count = bottleneck.shape[0]
        guessed = head(bottleneck.mean(dim=(2, 3)))
        return characteristics_loss(guessed, target.expand(count, -1), mask.expand(count, -1))

    def _share(self, step: int) -> float:
        by_time = (time.monotonic() - self.began) / self.settings.seconds
        by_steps = step / self.settings.steps if self.settings.steps else 0.0
        return min(1.0, max(by_time, by_steps))

    def _tell(self, step: int, judgement: Judgement) -> None:
        self.listener.metrics(step, {"proxy": judgement.proxy})


def adapt_network(
    network: HazardNet, views: Views, settings: Settings, known: tuple[Tensor, Tensor] | None = None,
    listener: Listener | None = None, replay: Replay | None = None,
) -> Outcome:  # fmt: skip
    """Adapt a copy of a network to windows of a scene; see ``Search``. Raises Cancelled where the listener does."""
    return Search(network, views, settings, known, listener or Listener(), replay).run()
