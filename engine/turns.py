"""Which labelled scenes are read when: each once an epoch in training, a drawn few that are held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor

from .protocol import BadInput
from .reporting import Report
from .simulate.fields import Draw

SEED_STRIDE = 1_000_003
MOST_TRIES = 25
"""Scenes in a row that may turn out unreadable before a run gives up."""
PREPARING = (0.0, 0.05)
"""Share of a run spent before its first step."""

T = TypeVar("T")


@dataclass
class Turns:
    """The scenes of training, each once an epoch, in an order of its own each time.

    Attributes:
        numbers: of the scenes.
        seed: same seed, same order.
    """

    numbers: Sequence[int]
    seed: int
    _order: tuple[int, Tensor] | None = field(default=None, repr=False)

    def read(self, position: int, read: Callable[[int], T], draw: Draw) -> tuple[T, tuple[str, ...]]:
        """The scene at a position of all epochs, another one where it cannot be read, and why it could not.

        Raises:
            BadInput: scene after scene cannot be read.
        """
        skipped: list[str] = []
        number = self._number(position)
        while True:
            try:
                return read(number), tuple(skipped)
            except BadInput as error:
                skipped.append(str(error))
                if len(skipped) >= MOST_TRIES:
                    raise BadInput(f"{MOST_TRIES} scenes in a row cannot be read: {skipped[0]}") from None
                number = int(self.numbers[draw.whole(len(self.numbers))])

    def _number(self, position: int) -> int:
        epoch, index = divmod(position, len(self.numbers))
        if self._order is None or self._order[0] != epoch:
            generator = torch.Generator().manual_seed(self.seed * SEED_STRIDE + epoch)
            self._order = epoch, torch.randperm(len(self.numbers), generator=generator)
        return int(self.numbers[int(self._order[1][index])])


def read_held_out(
    numbers: Sequence[int], read: Callable[[int], T], draw: Draw, most: int, unread: list[str], report: Report
) -> Iterator[tuple[T, int]]:
    """Scenes that are not trained on, ``most`` of them, and how many chips each may give; those unreadable left out.

    Args:
        numbers: of the scenes.
        read: one of them; raises BadInput if it cannot be read.
        draw: which and in what order.
        most: chips in all.
        unread: why scenes could not be read is added to it.
        report: told of progress; may cancel.
    """
    order = torch.randperm(len(numbers), generator=draw.generator)[:most].tolist()
    each = max(1, most // max(1, len(order)))
    for done, index in enumerate(order):
        report.progress(done / len(order), *PREPARING)
        try:
            scene = read(int(numbers[index]))
        except BadInput as error:
            unread.append(str(error))
            continue
        yield scene, each
