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
from typing import Protocol

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from .protocol import HazardError
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
    """Batches from a step on without end: of several processes, each takes its turn."""

    def __init__(self, source: Source, first_step: int) -> None:
        self.source, self.first_step = source, first_step

    def __iter__(self) -> Iterator[Batch | HazardError]:
        """What fails is given, not raised: a sentence would not survive the way between processes."""
        worker = get_worker_info()
        step, stride = (self.first_step, 1) if worker is None else (self.first_step + worker.id, worker.num_workers)
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
def prefetched(source: Source, first_step: int, workers: int, report: Report) -> Iterator[Iterator[Batch]]:
    """Batches of ``source`` from ``first_step`` on, prepared by ``workers`` processes, or in place where that is 0.

    While a batch is waited for, the report may cancel. Processes end with the context, and by themselves if this
    process dies.

    Raises:
        BadInput: the source can give no more.
        HazardError: a process ended unexpectedly.
    """
    if workers == 0:
        yield (_checked(item) for item in _Steps(source, first_step))
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
                    _Steps(source, first_step),
                    batch_size=None,
                    num_workers=workers,
                    prefetch_factor=AHEAD,
                    worker_init_fn=_become_worker,
                    multiprocessing_context="spawn",  # a fork of a process with threads may hang
                    generator=torch.Generator(),  # else it would draw from the one that networks draw from
                )
                batches = iter(loader)
            for batch in batches:
                put(batch)
                if stop.is_set():
                    break
        except (RuntimeError, OSError) as error:  # OSError: no more processes or files can be had
            reason = str(error).splitlines()[0][:160]
            put(HazardError(f"A process that prepares chips ended ({reason}); try fewer --workers, or 0."))
        finally:
            del batches  # ends the processes

    def take() -> Iterator[Batch]:
        while True:
            report.check()
            try:
                item = ready.get(timeout=LOOK_S)
            except queue.Empty:
                if not thread.is_alive() and ready.empty():
                    raise HazardError("The processes that prepare chips ended early; try --workers 0.") from None
                continue
            yield _checked(item)

    thread = threading.Thread(target=fetch, name="prefetch", daemon=True)
    thread.start()
    try:
        yield take()
    finally:
        stop.set()
        thread.join()


def _checked(item: Batch | HazardError) -> Batch:
    if isinstance(item, HazardError):
        raise item
    return item
