"""Work in a thread of its own: one stage of an operation, some items ahead of who takes them, or one long call."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar, cast

Item = TypeVar("Item")
Answer = TypeVar("Answer")
LOOK_S = 0.1
"""How often who waits looks whether that is still wanted."""


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


def waited_for(call: Callable[[], Answer], check: Callable[[], None], turn: threading.Lock, name: str) -> Answer:
    """The answer of a long call that cannot be interrupted, or what it raises.

    Args:
        call: runs in a thread of its own.
        check: asked while it runs; what it raises ends the waiting. The call then goes on to its end, for nobody.
        turn: one call at a time.
        name: of the thread.
    """
    found: queue.Queue[tuple[bool, object]] = queue.Queue()

    def run() -> None:
        with turn:
            try:
                found.put((True, call()))
            except BaseException as error:
                found.put((False, error))

    # no daemon, though one may wait: a process that ended in the middle of it would be aborted
    threading.Thread(target=run, name=name, daemon=False).start()
    while True:
        check()
        with contextlib.suppress(queue.Empty):
            answered, what = found.get(timeout=LOOK_S)
            if not answered:
                raise cast(BaseException, what)
            return cast(Answer, what)
