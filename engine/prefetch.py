"""Prepares batches ahead of the training loop, in processes of their own; the same batches for any number of them."""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import signal
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from .distributed import ALONE, Ranks
from .protocol import BadInput, HazardError
from .reporting import Report
from .simulate.chips import Batch

AHEAD = 3
"""Batches that each process prepares before they are needed."""
LOOK_S = 0.1
"""How often a loop that waits for a batch looks whether it is to stop."""


class Source(Protocol):
    """Batches by number: asked for the same step, it gives the same batch."""

    def batch(self, step: int) -> Batch:
        """Chips of one step; raises BadInput if none can be had."""


class _Steps(IterableDataset["Batch | HazardError"]):
    """Every ``stride``-th batch from a step on without end: of several processes, each takes its turn."""

    def __init__(self, source: Source, first_step: int, stride: int = 1) -> None:
        self.source, self.first_step, self.stride = source, first_step, stride

    def __iter__(self) -> Iterator[Batch | HazardError]:
        """What fails is given, not raised: a sentence would not survive the way between processes."""
        worker = get_worker_info()
        number, count = (0, 1) if worker is None else (worker.id, worker.num_workers)
        step, stride = self.first_step + number * self.stride, count * self.stride
        while True:
            try:
                yield self.source.batch(step)
            except HazardError as error:
                yield error
                return
            step += stride


def _become_worker(number: int) -> None:
    """A terminal's interrupt is meant for the program, which stops its processes itself; they end without clean-up,
    in which the library's own threads would make them abort.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit.register(os._exit, 0)
    torch.set_num_threads(1)


@contextlib.contextmanager
def prefetched(
    source: Source, first_step: int, workers: int, report: Report, ranks: Ranks = ALONE
) -> Iterator[Iterator[Batch]]:
    """Batches of ``source`` from ``first_step`` on, prepared by ``workers`` processes, or in place where that is 0.

    While a batch is waited for, the report may cancel. Processes end with the context, and by themselves if this
    process dies. Of several ``ranks`` each prepares its turn of the batches, and gets its share of the chips of all.

    Raises:
        BadInput: the source can give no more.
        HazardError: a process ended unexpectedly.
    """
    first, stride = first_step + ranks.rank, ranks.count
    with prepared(source, first, stride, workers, report, ranks.device.type == "cuda") as items:
        if ranks.count == 1:
            yield (_checked(item) for item in items)
            return
        with _handed_out(items, ranks) as shares:
            yield shares


@contextlib.contextmanager
def _handed_out(items: Iterator[Batch | HazardError], ranks: Ranks) -> Iterator[Iterator[Batch]]:
    """This process's share of all batches, of which it has prepared its turn; the next one is on its way meanwhile.

    All processes take as many, so that what is on its way at the end arrives everywhere.
    """
    pool = ThreadPoolExecutor(1, "hand out")
    waiting: list[Future[Batch | HazardError]] = []

    def hand_out(turn: int) -> Batch | HazardError:
        owner = turn % ranks.count
        parts = _shares(next(items), ranks.count) if owner == ranks.rank else None
        part: Batch | HazardError = ranks.hand_out(parts, owner)
        return part

    def take() -> Iterator[Batch]:
        turn = 0
        waiting.append(pool.submit(hand_out, turn))
        while True:
            item = waiting.pop().result()
            turn += 1
            waiting.append(pool.submit(hand_out, turn))
            yield _checked(item)

    try:
        yield take()
    finally:
        pool.shutdown(wait=True)


def _shares(item: Batch | HazardError, count: int) -> list[Batch | HazardError]:
    """A batch cut into ``count`` of nearly the same size; what went wrong goes to all."""
    if isinstance(item, HazardError):
        return [item] * count
    chips = item.planes.shape[0]
    if chips < count:
        return [BadInput(f"A step of {chips} chips cannot be shared by {count} processes; choose a larger "
                         "--batch-size, or fewer processes.")] * count  # fmt: skip
    cut = {
        name: [part.clone() for part in value.tensor_split(count)]  # a part alone, not with all that it was cut from
        for name, value in vars(item).items()
        if isinstance(value, Tensor)
    }
    return [
        replace(item, skipped=item.skipped if rank == 0 else (), **{name: parts[rank] for name, parts in cut.items()})
        for rank in range(count)
    ]


@contextlib.contextmanager
def prepared(
    source: Source, first_step: int, stride: int, workers: int, report: Report, pinned: bool
) -> Iterator[Iterator[Batch | HazardError]]:
    """Every ``stride``-th batch from ``first_step`` on; ``pinned`` in memory that a GPU reads by itself."""
    if workers == 0:
        yield iter(_Steps(source, first_step, stride))
        return
    ready: queue.Queue[Batch | HazardError] = queue.Queue(maxsize=1)
    stop = threading.Event()

    def put(item: Batch | HazardError) -> None:
        while not stop.is_set():
            try:
                ready.put(item, timeout=LOOK_S)
                return
            except queue.Full:
                continue

    def fetch() -> None:
        batches: Iterator[Batch | HazardError] = iter(())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that there are more processes than cores is the user's choice
                loader: DataLoader[Batch | HazardError] = DataLoader(
                    _Steps(source, first_step, stride),
                    batch_size=None,
                    num_workers=workers,
                    prefetch_factor=AHEAD,
                    worker_init_fn=_become_worker,
                    multiprocessing_context="spawn",  # a fork of a process with threads may hang
                    generator=torch.Generator(),  # else it would draw from the one that networks draw from
                )
                batches = iter(loader)
            for batch in batches:
                put(_pinned(batch) if pinned else batch)
                if stop.is_set():
                    break
        except (RuntimeError, OSError) as error:  # OSError: no more processes or files can be had
            reason = str(error).splitlines()[0][:160]
            put(HazardError(f"A process that prepares chips ended ({reason}); try fewer --workers, or 0."))
        finally:
            del batches  # ends the processes

    def take() -> Iterator[Batch | HazardError]:
        while True:
            report.check()
            try:
                item = ready.get(timeout=LOOK_S)
            except queue.Empty:
                if not thread.is_alive() and ready.empty():
                    raise HazardError("The processes that prepare chips ended early; try --workers 0.") from None
                continue
            yield item

    thread = threading.Thread(target=fetch, name="prefetch", daemon=True)
    thread.start()
    try:
        yield take()
    finally:
        stop.set()
        thread.join()


def _pinned(item: Batch | HazardError) -> Batch | HazardError:
    if isinstance(item, HazardError):
        return item
    pinned: dict[str, Any] = {
        name: value.pin_memory() for name, value in vars(item).items() if isinstance(value, Tensor)
    }
    return replace(item, **pinned)


def _checked(item: Batch | HazardError) -> Batch:
    if isinstance(item, HazardError):
        raise item
    return item
