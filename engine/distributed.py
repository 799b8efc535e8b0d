"""One training run on several processes, GPUs and machines, as ``torchrun`` starts them: what they share and agree on.

    torchrun --nproc-per-node 2 -m engine train --data FOLDER --save NAME ...

Every process holds the whole network and learns from its share of every batch. Losses and batch statistics are taken
of all shares together, and gradients are added up (DistributedDataParallel), so that the run is the one that a single
process makes of the same batches, up to rounding. The first process reads and writes checkpoints, validates, reports.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .devices import choose_device
from .protocol import BadInput, HazardError
from .reporting import Report

T = TypeVar("T")

PATIENCE = datetime.timedelta(days=7)
"""Of processes that wait while the first validates: that one of them ended is noticed at once, whatever this is."""
ENVIRONMENT = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What ``torchrun`` tells each process."""
CONNECTION = ("gloo", "connection closed", "connection reset", "broken pipe", "nccl", "socket timeout")
"""Words of errors that mean that another process is gone."""


@dataclass
class Ranks:
    """The processes of a run, seen from one of them; alone by default, where each method does nothing.

    Attributes:
        rank: number of this process; 0 is the first.
        count: how many there are.
        device: that this process computes on.
        control: group of what is agreed on; on the CPU, so that an end of another process is noticed.
        exchange: group over which batches are handed out.
        store: counts who spoke.
    """

    rank: int = 0
    count: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    control: Any = None
    exchange: Any = None
    store: Any = None

    @property
    def leads(self) -> bool:
        """Whether this process writes, validates and reports."""
        return self.rank == 0

    def first(self, work: Callable[[], T]) -> T:
        """What the first process makes of ``work``, on all; also what it fails with."""
        if self.count == 1:
            return work()
        told: list[Any] = [None, None]
        if self.leads:
            try:
                told = [None, work()]
            except HazardError as error:
                told = [error, None]
        dist.broadcast_object_list(told, src=0, group=self.control)
        if told[0] is not None:
            raise told[0]
        found: T = told[1]
        return found

    def with_data(self, work: Callable[[], T]) -> T:
        """What this process makes of ``work``, of files that each machine has for itself.

        The first does so before the others: what is wrong with all is said once.
        """
        if self.count == 1:
            return work()
        found: list[T] = []
        self.first(lambda: found.append(work()) if self.leads else None)
        return found[0] if found else work()

    def unhurried(self, report: Report) -> Report:
        """A report for what all processes do in step: see ``Unhurried``."""
        return report if self.count == 1 else Unhurried(report, self.leads)

    def largest(self, *values: float) -> tuple[float, ...]:
        """The largest of each value over all processes."""
        if self.count == 1:
            return values
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor, dist.ReduceOp.MAX, group=self.control)
        return tuple(tensor.tolist())

    def pool(self, sums: Tensor) -> Tensor:
        """Sums over this process's chips, summed over all processes; each gets the gradient of its own part."""
        if self.count == 1:
            return sums
        pooled: Tensor = _Pooled.apply(sums)  # type: ignore[no-untyped-call]
        return pooled

    def wrap(self, step: nn.Module) -> nn.Module:
        """A module whose output is the loss, with gradients averaged over all processes."""
        if self.count == 1:
            return step
        # Batch statistics are equal everywhere already. Heads that a run does not teach have no gradient.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of a name of the option that older versions do not know
            return nn.parallel.DistributedDataParallel(step, broadcast_buffers=False, find_unused_parameters=True)

    def statistics(self) -> contextlib.AbstractContextManager[Any]:
        """While it lasts, batch normalisation takes its statistics of all processes' chips together."""
        return contextlib.nullcontext() if self.count == 1 else _PooledStatistics()

    def hand_out(self, parts: list[Any] | None, owner: int) -> Any:
        """One of the ``parts`` that the ``owner`` has, to each process."""
        got: list[Any] = [None]
        dist.scatter_object_list(got, parts, src=owner, group=self.exchange)
        return got[0]

    def require_enough(self, chips: int, fewest: int) -> None:
        """Raise BadInput unless every process gets chips of the smallest batch there is, of ``fewest``."""
        if fewest < self.count:
            raise BadInput(
                f"A step of {chips} chips leaves nothing for some of {self.count} processes; choose a --batch-size of "
                f"{-(-chips * self.count // max(1, fewest))} or more, or fewer processes."
            )

    def may_speak(self) -> bool:
        """Whether this process is the first to tell how the run failed; the others then keep silent."""
        if self.store is None:
            return True
        try:
            return bool(self.store.add("spoken", 1) == 1)
        except RuntimeError:  # whoever kept the store is gone
            return self.leads


ALONE = Ranks()


class Unhurried(Report):
    """A report that never cancels by itself: processes that wait for one another stop together, or some wait forever.

    Told apart from the one it stands for by nothing else; that of a process that does not lead tells nobody.
    """

    def __init__(self, report: Report, leads: bool) -> None:
        super().__init__(cancelled=report.cancelled, job_id=report.job_id, finish=report.finish)
        if leads:
            self.__dict__ = report.__dict__

    def check(self) -> None:
        """Nothing: what ``cancelled`` says is looked at where all processes meet."""


@contextlib.contextmanager
def joined(wanted: str, environment: Mapping[str, str] = os.environ) -> Iterator[Ranks]:
    """The processes that ``torchrun`` started beside this one, joined; this one alone where it did not.

    Args:
        wanted: device that the job asks for.
        environment: as ``torchrun`` sets it.

    Raises:
        BadInput: the device cannot be shared or is not there.
        HazardError: another process ended. What all would say, the first of them says; errors of the others are empty.
    """
    if any(name not in environment for name in ENVIRONMENT) or int(environment["WORLD_SIZE"]) < 2:
        yield Ranks(device=choose_device(wanted))
        return
    rank, count = int(environment["RANK"]), int(environment["WORLD_SIZE"])
    device = _own_device(wanted, int(environment["LOCAL_RANK"]))
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_timeout(device))
        control, exchange = (dist.new_group(backend="gloo", timeout=PATIENCE) for _ in range(2))
    except (RuntimeError, ValueError) as error:
        raise HazardError(f"The {count} processes could not join ({_short(error)}); start them again.") from None
    ranks = Ranks(rank, count, device, control, exchange, dist.distributed_c10d._get_default_store())
    try:
        yield ranks
    except HazardError as error:
        raise error if ranks.may_speak() else type(error)("") from None
    except RuntimeError as error:
        if not is_lost(error):
            raise
        lost = HazardError(
            f"Another of the {count} processes ended, so this run ends too; mend what ended it, then go on from the "
            "last checkpoint with --resume."
        )
        raise lost if ranks.may_speak() else HazardError("") from None
    dist.destroy_process_group()


def is_lost(error: BaseException) -> bool:
    """Whether an error means that another process is gone."""
    text = str(error).lower()
    return isinstance(error, dist.DistError) or any(word in text for word in CONNECTION)


def _own_device(wanted: str, local_rank: int) -> torch.device:
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if wanted not in ("auto", "cuda"):
        raise BadInput(f"Device '{wanted}' is one, and each process needs its own; choose auto, cuda or cpu.")
    if local_rank >= torch.cuda.device_count():
        raise BadInput(
            f"{torch.cuda.device_count()} GPUs are here, too few for process {local_rank + 1} of this machine; start "
            "as many processes as there are GPUs (--nproc-per-node), or choose --device cpu."
        )
    return torch.device(f"cuda:{local_rank}")


def _timeout(device: torch.device) -> datetime.timedelta:
    return datetime.timedelta(minutes=10) if device.type == "cuda" else PATIENCE


def _short(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:120]


def _summed(values: Tensor) -> Tensor:
    """Sum over processes; ``values`` stay as they are."""
    total = values.clone()
    dist.all_reduce(total)
    return total


class _Pooled(torch.autograd.Function):
    """Sum over processes; the gradient of what all compute alike from it goes back to each one's own part."""

    @staticmethod
    def forward(context: Any, sums: Tensor) -> Tensor:
        return _summed(sums.detach())

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


class _Shared(torch.autograd.Function):
    """Sum over processes, each of which makes something else of it: gradients are summed, too."""

    @staticmethod
    def forward(context: Any, sums: Tensor) -> Tensor:
        return _summed(sums.detach())

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return _summed(gradients[0])


class _PooledStatistics(TorchFunctionMode):
    """Computes each batch normalisation in training with the statistics of all processes.

    It takes the place of the function, not of the layers: networks bring layers of their own around it.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Called in place of ``func``."""
        given = kwargs or {}
        if func is F.batch_norm:
            return _batch_norm(*args, **given)
        return func(*args, **given)


def _batch_norm(
    values: Tensor, running_mean: Tensor, running_var: Tensor, weight: Tensor | None = None, bias: Tensor | None = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """``torch.nn.functional.batch_norm`` of the chips of all processes together."""
    if not training:
        return F.batch_norm(values, running_mean, running_var, weight, bias, False, momentum, eps)
    if values.is_cuda:
        apply: Any = torch.nn.modules._functions.SyncBatchNorm.apply
        arguments = (values, weight, bias, running_mean, running_var, eps, momentum)
        fused: Tensor = apply(*arguments, dist.group.WORLD, dist.get_world_size())
        return fused
    axes, shape = [0, *range(2, values.dim())], [1, -1] + [1] * (values.dim() - 2)
    given = values.float()
    own = given.new_full((1,), given.numel() // given.shape[1])
    sums: Tensor = _Shared.apply(torch.cat([given.sum(axes), own]))  # type: ignore[no-untyped-call]
    count = sums[-1].detach()
    mean = sums[:-1] / count
    centred = given - mean.view(shape)
    squares: Tensor = _Shared.apply((centred**2).sum(axes))  # type: ignore[no-untyped-call]
    variance = squares / count
    with torch.no_grad():
        running_mean.lerp_(mean.to(running_mean.dtype), momentum)
        running_var.lerp_((squares / (count - 1).clamp_min(1)).to(running_var.dtype), momentum)
    scale = torch.rsqrt(variance + eps) * (1 if weight is None else weight)
    normal = centred * scale.view(shape)
    return (normal if bias is None else normal + bias.view(shape)).to(values.dtype)
