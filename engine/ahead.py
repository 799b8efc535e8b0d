"""Runs one stage of an operation in a thread of its own, a bounded number of items ahead of who takes them."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator
from typing import Generic, TypeVar, cast

Item = TypeVar("Item")
LOOK_S = 0.1
"""How often a full queue looks whether it is still wanted."""


class _End:
    """No more items come."""


class _Taken(Generic[Item]):
    def __init__(self, waiting: queue.Queue[object]) -> None:
        self._waiting = waiting

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        found = self._waiting.get()
        if isinstance(found, _End):
            self._waiting.put(found)
            raise StopIteration
        if isinstance(found, BaseException):
            self._waiting.put(_End())
            raise found
        return cast(Item, found)


@contextlib.contextmanager
def running_ahead(items: Generator[Item, None, None], most: int, name: str) -> Iterator[Iterator[Item]]:
    """Items of a generator that runs in a thread of its own, at most ``most`` waiting to be taken.

    The generator is started, run and closed in that thread. What it raises is raised where the next item is taken.
    Leaving the context ends it between two items.
    """
    waiting: queue.Queue[object] = queue.Queue(maxsize=most)
    stop = threading.Event()

    def put(item: object) -> bool:
        while not stop.is_set():
            try:
                waiting.put(item, timeout=LOOK_S)
                return True
            except queue.Full:
                continue
        return False

    def run() -> None:
        try:
            with contextlib.closing(items):
                for item in items:
                    if not put(item):
                        return
                    del item  # what waits in the queue is enough
            put(_End())
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield _Taken(waiting)
    finally:
        stop.set()
        thread.join()
