"""The training loop: rate, evaluate, checkpoint, forward, step; on tensors alone."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from .checkpoints import Checkpoint
from .curves import Curve
from .devices import is_out_of_memory
from .distributed import Ranks
from .precision import mixed_precision
from .protocol import BadInput, Cancelled
from .reporting import Report
from .simulate.chips import Batch

WARM_UP_STEPS, WARM_UP_SHARE = 100, 0.1  # whichever is over first
DECAY_SHARE = 0.3  # of the run, at its end, over which the rate falls to 0: a held run can be prolonged
FROZEN_SHARE = 0.4  # of the run, at its end, in which normalisation uses the statistics that it will be used with
FROZEN_SHARE_OF_TUNING = 0.9  # the same of a run that begins from weights that fit already
WEIGHT_DECAY = 0.01
GRADIENT_LIMIT = 1.0  # length of the gradient of all weights
AVERAGE_DECAY = 0.998  # of the moving average of weights, which is what is validated and saved
TOLERANCE = 0.03  # share by which a later validation may fall short of the best: a small set judges by chance, too
MOST_BAD_STEPS = 8  # in a row, whose loss or gradient is not finite
RECORDS = 10  # points of the loss curve between two validations

LEARNING = (0.05, 0.97)
"""Share of the whole operation that the steps span."""


@dataclass(frozen=True)
class Plan:
    """How long a run goes on and how fast it learns.

    Attributes:
        steps: after so many it is done; None where only time ends it.
        seconds: after so long it is done, all of a resumed run counted; None where only steps end it.
        validate_every: steps between validations.
        patience_steps: it ends after so many without a better validation; 0 never.
        batch_size: chips a step, for messages.
        learning_rate: the highest.
        optimizer: ``adam`` or ``adamw``.
        checkpoint_every_s: seconds between checkpoints.
        frozen_share: part of the run, at its end, in which statistics of normalisation stand still.
    """

    steps: int | None
    seconds: float | None
    validate_every: int
    patience_steps: int
    batch_size: int
    learning_rate: float
    optimizer: str
    checkpoint_every_s: float = 120.0
    frozen_share: float = FROZEN_SHARE

    def share(self, step: int, seconds: float) -> float:
        """How much of the run is done, by steps or by time, whichever is further."""
        by_steps = step / self.steps if self.steps else 0.0
        by_time = seconds / self.seconds if self.seconds else 0.0
        return min(1.0, max(by_steps, by_time))

    def rate(self, step: int, share: float) -> float:
        """Warm up, hold, then fall linearly to 0 at the end."""
        warm = max((step + 1) / WARM_UP_STEPS, share / WARM_UP_SHARE)
        return self.learning_rate * min(1.0, warm) * min(1.0, (1 - share) / DECAY_SHARE)


@dataclass(frozen=True)
class Evaluation:
    """What a validation found: the score that chooses the best weights (higher is better), and values to show."""

    score: float
    values: Mapping[str, float]


@dataclass
class Learner:
    """What is trained, on what and how it is judged.

    Attributes:
        network: on its device.
        batches: batches from a step on.
        loss: of a batch on the network's device.
        evaluate: judges a network in eval mode.
        ranks: the processes that learn together; ``batches`` gives each its share, and sums in ``loss`` are pooled.
    """

    network: nn.Module
    batches: Callable[[int], AbstractContextManager[Iterator[Batch]]]
    loss: Callable[[nn.Module, Batch], Tensor]
    evaluate: Callable[[nn.Module], Evaluation]
    ranks: Ranks = field(default_factory=Ranks)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device


@dataclass
class Run:
    """Where a run stands."""

    step: int = 0
    seconds: float = 0.0
    validated_at: int = 0
    best_score: float = -math.inf
    best_step: int = 0
    improved_at: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)
    best_values: dict[str, float] = field(default_factory=dict)
    bad_steps: int = 0
    recent: list[float] = field(default_factory=list)
    curves: dict[str, Curve] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    ended: str = "finished"
    learning_s: float = 0.0
    waited_s: float = 0.0

    @property
    def waited(self) -> float | None:
        """Share of the time of learning in which the network waited for chips; None before there was any."""
        return self.waited_s / self.learning_s if self.learning_s > 0 else None

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """Add finite values to the curves."""
        for name, value in values.items():
            if not math.isfinite(value):
                continue
            self.curves.setdefault(name, Curve()).add(step, float(value))


def optimise(learner: Learner, plan: Plan, checkpoint: Checkpoint, report: Report, began: float, resume: bool) -> Run:
    """Train until the plan is done; the learner's network then holds the averaged weights that validated best.

    Args:
        learner: what is trained.
        plan: how long and how fast.
        checkpoint: written now and then, and when cancelled.
        report: told of progress and curves; may cancel.
        began: ``time.monotonic()`` at which the run's time began.
        resume: go on from the checkpoint.

    Raises:
        Cancelled: the report said so; a checkpoint was written if a step had been made.
        BadInput: the run diverged, its checkpoint does not fit, or memory does not hold a batch.
    """
    state = _State(learner, plan, checkpoint, resume, began)
    run, asked = state.run, report
    report = learner.ranks.unhurried(report)
    with learner.batches(run.step) as batches:
        try:
            report.stage("Training", LEARNING[0])
            for batch in state.timed(batches):
                share = plan.share(run.step, state.meet(asked))
                rate = plan.rate(run.step, share)
                if run.step % plan.validate_every == 0 or share >= 1:
                    state.validate(report, share)
                if plan.patience_steps and run.step - run.improved_at >= plan.patience_steps and run.best:
                    run.ended = "early: no better validation"
                    break
                if share >= 1:
                    run.ended = "time" if plan.steps is None or run.step < plan.steps else "finished"
                    break
                state.keep_now_and_then()
                if share >= 1 - plan.frozen_share:
                    state.freeze_statistics()
                state.learn(batch, rate)
                state.tell(report, rate)
        except Cancelled:  # before the processes that make batches are waited for: whoever cancelled may not wait
            if run.step == 0:
                raise
            state.write()
            raise Cancelled(f"Cancelled at step {run.step}; --resume goes on from there.") from None
    state.write()  # should saving the model fail, nothing is lost
    learner.network.load_state_dict(run.best)
    learner.network.eval()
    run.seconds = state.spent()
    return run


class _State:
    """The tensors of a run, and what is done with them."""

    def __init__(self, learner: Learner, plan: Plan, checkpoint: Checkpoint, resume: bool, began: float) -> None:
        self.learner, self.plan, self.checkpoint, self.began = learner, plan, checkpoint, began
        self.ranks = learner.ranks
        self.network = learner.network.train()
        self.trained = self.ranks.wrap(_Step(self.network, learner.loss))
        self.average = copy.deepcopy(learner.network).eval().requires_grad_(False)
        kind = torch.optim.Adam if plan.optimizer == "adam" else torch.optim.AdamW
        decay = 0.0 if plan.optimizer == "adam" else WEIGHT_DECAY
        self.optimizer = kind(self.network.parameters(), lr=plan.learning_rate, weight_decay=decay)
        self.precision = mixed_precision(learner.device)
        self.scaler = torch.amp.GradScaler(learner.device.type, enabled=self.precision == torch.float16)
        self.run = Run()
        self.frozen = False
        if resume:
            self._restore(self.ranks.first(checkpoint.read))
        self.aside_s = 0.0
        self.session_step, self.session_began = self.run.step, time.monotonic()
        self.kept_at = self.told_at = time.monotonic()

    def spent(self) -> float:
        """Seconds of the whole run, earlier sessions included."""
        return self.run.seconds + time.monotonic() - self.began

    def meet(self, report: Report) -> float:
        """Seconds spent, the same for all processes; raises Cancelled in all where one of them is to stop."""
        spent, cancelled = self.ranks.largest(self.spent(), float(self.ranks.count > 1 and report.cancelled.is_set()))
        if cancelled:
            raise Cancelled("Cancelled; nothing was written.")
        return spent

    def timed(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Batches, and how long they were waited for; the first, for which processes have to start, is not counted.

        A GPU that is still busy with the step before when a batch arrives has not waited for it.
        """
        run, cuda = self.run, self.learner.device.type == "cuda"
        batch = next(batches, None)
        while batch is not None:
            began = time.monotonic()
            yield batch
            busy = torch.cuda.Event() if cuda else None  # type: ignore[no-untyped-call]
            if busy is not None:
                busy.record()
            asked = time.monotonic()
            batch = next(batches, None)
            got = time.monotonic()
            run.learning_s += got - began - self.aside_s
            self.aside_s = 0.0
            if busy is None or busy.query():  # type: ignore[no-untyped-call]
                run.waited_s += got - asked

    def validate(self, report: Report, share: float) -> None:
        """Judge the averaged weights, once a step, and keep them if none were clearly better."""
        run = self.run
        begun = run.step > 0 or share >= 1
        if not begun or (run.best and run.validated_at == run.step):
            return
        began = time.monotonic()
        found = self.ranks.first(lambda: self.learner.evaluate(self.average))
        self.aside_s += time.monotonic() - began
        run.validated_at = run.step
        run.record(run.step, found.values)
        if not run.best or found.score > run.best_score:
            run.best_score, run.improved_at = found.score, run.step
        if found.score >= run.best_score - TOLERANCE * abs(run.best_score):
            run.best_step, run.best_values = run.step, dict(found.values)
            run.best = {name: tensor.detach().clone() for name, tensor in self.average.state_dict().items()}
        report.metrics(run.step, found.values)
        if run.waited is not None:
            report.log(f"Utilisation {1 - run.waited:.1%}: waited {run.waited:.1%} of the time of learning for data.")

    def freeze_statistics(self) -> None:
        """From now on normalise as in use, by the averaged statistics, once.

        Until then each scene is an eighth or a quarter of the batch that it is normalised by. A network that learnt
        only so misses that share of a scene's own statistics when it is used.
        """
        if self.frozen:
            return
        self.frozen = True
        with torch.no_grad():
            for buffer, mean in zip(self.network.buffers(), self.average.buffers(), strict=True):
                buffer.copy_(mean)
        for module in self.network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()

    def learn(self, batch: Batch, rate: float) -> None:
        """One step; a loss or gradient that is not finite is passed over, but not for long."""
        run = self.run
        run.skipped += [reason for reason in batch.skipped if reason not in run.skipped]
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        try:
            loss = self._forward_and_back(batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            half = max(2, self.plan.batch_size // 2)
            raise BadInput(
                f"Memory of {self.learner.device} does not hold a step of {self.plan.batch_size} chips; choose a "
                f"smaller --batch-size, for example {half}, or another --device."
            ) from None
        run.step += 1
        if loss is None:
            run.bad_steps += 1
            _repair_statistics(self.network, self.average)
            if run.bad_steps >= MOST_BAD_STEPS:
                raise BadInput(
                    f"The loss was not finite in {run.bad_steps} steps in a row, at step {run.step}; choose a lower "
                    f"--learning-rate than {self.plan.learning_rate:g}."
                )
            return
        run.bad_steps = 0
        run.recent.append(loss)
        update_average(self.average, self.network, run.step - 1)

    def _forward_and_back(self, batch: Batch) -> float | None:
        """Loss of a batch after the weights were moved; None, and nothing moved, where it is not finite."""
        device = self.learner.device
        half = torch.autocast(device.type, dtype=self.precision or torch.float32, enabled=self.precision is not None)
        with half, self.ranks.statistics():
            loss = self.trained(batch.to(device))
        value = float(loss.detach())
        self.optimizer.zero_grad(set_to_none=True)
        if not math.isfinite(value):
            return None
        self.scaler.scale(loss * self.ranks.count).backward()
        self.scaler.unscale_(self.optimizer)
        length = nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_LIMIT)
        if not self.scaler.is_enabled() and not bool(torch.isfinite(length)):
            return None
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return value

    def tell(self, report: Report, rate: float) -> None:
        """A point of the loss curve now and then, progress at every step (last: there a run is cancelled)."""
        run, plan = self.run, self.plan
        if run.step % max(1, plan.validate_every // RECORDS) == 0 and run.recent:
            mean = sum(run.recent) / len(run.recent)
            run.recent = []
            run.record(run.step, {"loss": mean})
            report.metrics(run.step, {"loss": mean, "learning_rate": rate})
        spent = self.spent()
        report.progress(plan.share(run.step, spent), *LEARNING, seconds_left=self._seconds_left(spent))

    def _seconds_left(self, spent: float) -> float | None:
        left = []
        made, took = self.run.step - self.session_step, time.monotonic() - self.session_began
        if self.plan.steps is not None and made and took > 1:
            left.append((self.plan.steps - self.run.step) * took / made)
        if self.plan.seconds is not None:
            left.append(max(0.0, self.plan.seconds - spent))
        return min(left) if left else None

    def keep_now_and_then(self) -> None:
        """Write a checkpoint if the last is old."""
        if time.monotonic() - self.kept_at >= self.plan.checkpoint_every_s:
            self.write()

    def write(self) -> None:
        """Write a checkpoint, which serves any number of processes."""
        run = self.run
        if not self.ranks.leads:
            return
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "random": torch.get_rng_state(),
            "run": {
                **{name: value for name, value in vars(run).items() if name != "curves"},
                "seconds": self.spent(),
                "curves": {name: curve.state() for name, curve in run.curves.items()},
            },
        }
        self.checkpoint.write(state)
        self.kept_at = time.monotonic()

    def _restore(self, state: dict[str, Any]) -> None:
        try:
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            if self.scaler.is_enabled() and state["scaler"]:
                self.scaler.load_state_dict(state["scaler"])
            torch.set_rng_state(state["random"])
            kept = dict(state["run"])
            curves = {name: Curve.from_state(curve) for name, curve in kept.pop("curves").items()}
            self.run = Run(**kept, curves=curves)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise BadInput(
                f"The checkpoint {self.checkpoint.path} does not fit this network "
                f"({str(error).splitlines()[0][:100]}); run again with --overwrite and without --resume."
            ) from None


class _Step(nn.Module):
    """The loss of a batch as the output of a module, as what several processes train together must be."""

    def __init__(self, network: nn.Module, loss: Callable[[nn.Module, Batch], Tensor]) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, batch: Batch) -> Tensor:
        """Loss of this process's chips, of sums that are pooled with the others'."""
        return self.loss(self.network, batch)


def update_average(average: nn.Module, network: nn.Module, step: int) -> None:
    """Move the averaged weights towards the trained ones, faster in the first steps."""
    decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
    with torch.no_grad():
        for mean, tensor in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(tensor, 1 - decay)
            else:
                mean.copy_(tensor)


def _repair_statistics(network: nn.Module, average: nn.Module) -> None:
    """Batch-norm statistics that a bad step made other than finite, from the average."""
    with torch.no_grad():
        for buffer, mean in zip(network.buffers(), average.buffers(), strict=True):
            if buffer.is_floating_point() and not bool(torch.isfinite(buffer).all()):
                buffer.copy_(mean)
