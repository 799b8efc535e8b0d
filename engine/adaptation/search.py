"""The order of adaptation: statistics first, then gradient steps from the best of them; the source stays incumbent."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..devices import is_out_of_memory
from ..model import HazardNet
from ..priors import physical_prior
from .guards import SUPPORTED, Limits, share_of_bright, share_of_snow, tells
from .proxy import Judge, Judgement, Looks, Seen, see
from .replay import Replay
from .settings import Settings
from .statistics import blend_statistics, entrance_statistics, normalisations, set_blended
from .student import Grounds, Student
from .thresholds import SHIFTS, scene_threshold
from .views import Views

__all__ = ["Listener", "Outcome", "Search", "Settings", "Stage", "adapt_network"]

LEAST_GAIN = 0.05
"""Share by which a challenger's proxy must be lower than the incumbent's."""
ROUND_STEPS = 16
"""Gradient steps between two judgements. The teacher says what it takes each window for once a round: the scene's
windows are few, and each is seen several times a round."""
PATIENCE_ROUNDS = 3
"""Judgements without a better candidate after which time is better spent elsewhere; steps asked for are all made."""
STEPS_DONE, TIME_OVER, LIMIT_BROKEN = "steps", "time", "a limit was broken"
NO_BETTER, ASKED_TO_END, NO_MEMORY = "no better for a while", "asked to end", "memory"
"""Why a search made no more gradient steps."""


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
        judged_steps: of them, those up to the last that was judged; a search of so many ends in the same.
        candidates: blends of statistics that were tried.
        ended: why no more steps were made, one of ``STEPS_DONE`` and the like; empty where none were to be.
        abstained: why nothing was tried; None where something was.
        asked: gradient steps that were asked for; None where time was to end them.
    """

    stages: list[Stage]
    best: int = 0
    changed: dict[str, Tensor] = field(default_factory=dict)
    steps: int = 0
    judged_steps: int = 0
    candidates: int = 0
    ended: str = ""
    abstained: str | None = None
    asked: int | None = None

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

    def run(self) -> Outcome:
        """Try the stages in order; whoever listens may cancel."""
        settings = self.settings
        looks = self.looks = self.judge.look(self.network, self.seen)
        source = self.judge.at(looks, settings.centre)
        self.judging_s = time.monotonic() - self.began
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
        planes, valid = self.views.planes[:judged], self.views.counted
        calm = None if self.views.calm is None else self.views.calm[:judged]
        prior = self.judge.prior if tells(self.settings.hazard, self.views.chosen) else None
        bright, snow = (of(planes, self.views.names(), valid) for of in (share_of_bright, share_of_snow))
        return Limits(source, valid, prior, bright, snow, self.settings.hazard, calm, self._fresh())

    def _fresh(self) -> Tensor | None:
        """Ground of the judged windows that changed and looks like the hazard; None without an earlier scene."""
        changed, looks_like = self.views.changed, self.judge.prior
        if changed is None:
            return None
        changed = changed[: self.views.judged]
        return changed if looks_like is None else changed & (looks_like >= SUPPORTED)

    def _try_all(self, looks: Looks) -> None:
        if self.settings.threshold:
            self._consider("threshold", 0.0, 0, looks)
        self._try_statistics()
        if self.settings.mode != "statistics" and self.settings.steps != 0:
            self._try_gradients()

    def _look_at_the_scene(self) -> None:
        """What the reference says of all windows, once; of the judged ones it serves as its own judgement too."""
        views, settings, judged = self.views, self.settings, self.views.judged
        parts = [self._see(views.planes[:judged])]
        if len(views) > judged:
            parts.append(self._see(views.planes[judged:]))
        self.seen = parts[0]
        artificial = torch.cat([part.surface for part in parts]).sigmoid()
        reference = torch.sigmoid(torch.cat([part.logits for part in parts]) - settings.centre)
        priors = [physical_prior(part.float(), views.chosen, settings.hazard) for part in torch.split(views.planes, 4)]
        known = [prior for prior in priors if prior is not None]
        prior = torch.cat(known) if known else None
        self.grounds = Grounds(artificial, reference, prior)
        self.judge = Judge(
            views, settings.channel, settings.factors, settings.multiple, None if prior is None else prior[:judged],
            artificial[:judged], settings.seed,
        )  # fmt: skip

    def _see(self, planes: Tensor) -> Seen:
        """What the network as it stands says of windows."""
        return see(self.network, planes, self.settings.channel, self.settings.factors, self.settings.multiple)

    def _try_statistics(self) -> None:
        planes, valid = self.views.planes[: self.views.judged], self.views.valid[: self.views.judged]
        settings = self.settings
        layers = normalisations(self.network)
        tried = [*(("entrance", alpha) for alpha in settings.entrance_alphas),
                 *(("statistics", alpha) for alpha in settings.alphas)]  # fmt: skip
        near: Mapping[str, tuple[Tensor, Tensor]] = {}
        for index, (name, alpha) in enumerate(tried[: settings.candidates]):
            self.listener.progress(0.1 + 0.25 * index / len(tried))
            if self._over():
                break
            self.network.load_state_dict(self.source)
            if name == "entrance":
                near = near or entrance_statistics(self.network, planes, valid)
                for layer, found in near.items():
                    set_blended(layers[layer], layer, self.source, found, alpha)
            else:
                blend_statistics(self.network, self.source, planes, alpha, valid=valid)
            self._consider(f"{name} {alpha:g}", alpha, 0)
            self.outcome.candidates = index + 1
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
        if wins:  # first of all: memory may end here
            self.best_state = {key: tensor.clone() for key, tensor in self.network.state_dict().items()}
            self.outcome.best = len(self.outcome.stages)
            self.alpha, self.looks = alpha, looks
        self.outcome.stages.append(Stage(name, alpha, steps, centre, best, wins, reason))
        return broken is None

    def _centres(self, looks: Looks, only_others: bool) -> list[float]:
        """Logits at which a decision threshold is tried: the card's, some below it, and one of the scene's own."""
        settings = self.settings
        shifts = list(SHIFTS) if settings.threshold else [0.0]
        if settings.threshold:
            scores = torch.sigmoid(looks.logits - settings.centre)
            own = scene_threshold(scores, self.views.counted, settings.hazard)
            shifts += [own] if own is not None else []
        return [settings.centre + shift for shift in shifts if shift != 0 or not only_others]

    def _restore(self) -> None:
        self.network.load_state_dict(self.best_state)

    def _over(self) -> bool:
        """Whether to end: asked to, or no time is left to judge one more candidate."""
        return self.listener.finish() or time.monotonic() - self.began + self.judging_s >= self.settings.seconds

    def _try_gradients(self) -> None:
        """Gradient steps; where memory ends them, what was found before stays."""
        self.outcome.asked = self.settings.steps
        try:
            self.outcome.ended = self._learn()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            self.outcome.ended = NO_MEMORY
        self.network.requires_grad_(False)
        self._restore()

    def _learn(self) -> str:
        """Make steps, judging them once a round and at the end; returns why it ended."""
        settings, outcome = self.settings, self.outcome
        student = Student(self.network, self.views, settings, self.grounds, self.known, self.replay)
        student.learn_from(self._incumbents_scores())
        stale, step, alpha = 0, 0, self.alpha
        while step != settings.steps and not self._over():
            losses = student.step()
            step += 1
            outcome.steps = step
            self.listener.metrics(step, losses)
            self.listener.progress(0.35 + 0.6 * self._share(step))
            if step % ROUND_STEPS and step != settings.steps:
                continue
            best = outcome.best
            kept = self._judge_steps(step, alpha)
            stale = 0 if outcome.best != best else stale + 1
            if not kept:
                return LIMIT_BROKEN
            if settings.steps is None and stale >= PATIENCE_ROUNDS:
                return NO_BETTER
            if step != settings.steps:
                student.learn_from(student.teachers_scores())
        if step == settings.steps:
            return STEPS_DONE
        if self.listener.finish():
            return ASKED_TO_END
        if step > outcome.judged_steps:
            self._judge_steps(step, alpha)
        return TIME_OVER

    def _judge_steps(self, step: int, alpha: float) -> bool:
        """Judge the student after ``step`` steps; whether it keeps the limits."""
        kept = self._consider(f"{self.settings.mode} {step} steps", alpha, step)
        self.outcome.judged_steps = step
        self._tell(step, self.outcome.stages[-1].judgement)
        return kept

    def _incumbents_scores(self) -> Tensor:
        """Scores (n, h, w) of all windows by the incumbent; what it said when it was judged is not asked again."""
        if not self.outcome.best:
            return self.grounds.reference
        settings, judged = self.settings, self.views.judged
        logits = [self.looks.logits]
        if len(self.views) > judged:
            logits.append(self._see(self.views.planes[judged:]).logits)
        return torch.sigmoid(torch.cat(logits) - settings.centre)

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
