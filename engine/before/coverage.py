"""How much of what is assessed the earlier scene shows too: elsewhere the answer is that of the later date alone."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..raster import Scene, Window
from .earlier import Earlier

LEAST_COMPARED = 0.99
"""Share of the assessed pixels that both dates must show for nothing to be said."""
TILE_ROWS, TILE_COLUMNS = 256, 2048
"""Most pixels that are read at a time, whatever the scene's width."""


class Coverage:
    """Counts assessed pixels of a mask that arrives in rows, and those of them where the earlier scene has a value.

    Args:
        scene: the view of the earlier scene, open.
        earlier: what is known of it.
        wanted: the window of the grid that the mask covers.
    """

    def __init__(self, scene: Scene, earlier: Earlier, wanted: Window) -> None:
        self._scene, self._understanding, self._wanted = scene, earlier.understanding, wanted
        self.assessed = self.compared = 0

    def add(self, first_row: int, assessed: npt.NDArray[np.bool_]) -> None:
        """Count rows ``(n, width)`` of the mask that begin at ``first_row``; raises BadInput as reading does."""
        height, width = assessed.shape
        for top in range(0, height, TILE_ROWS):
            for left in range(0, width, TILE_COLUMNS):
                here = assessed[top : top + TILE_ROWS, left : left + TILE_COLUMNS]
                if not here.any():
                    continue
                x, y = self._wanted.x + left, self._wanted.y + first_row + top
                shown = self._scene.read_window(Window(x, y, here.shape[1], here.shape[0]), self._understanding)[1]
                self.assessed += int(np.count_nonzero(here))
                self.compared += int(np.count_nonzero(here & shown))

    @property
    def share(self) -> float | None:
        """Share of the assessed pixels that were compared, six places; None where none was assessed."""
        return round(self.compared / self.assessed, 6) if self.assessed else None


@contextlib.contextmanager
def open_coverage(earlier: Earlier | None, wanted: Window) -> Iterator[Coverage | None]:
    """A count for as long as the earlier scene's view lasts; None without an earlier scene."""
    if earlier is None:
        yield None
        return
    with Scene(earlier.job) as scene:
        yield Coverage(scene, earlier, wanted)


def lacking_coverage(share: float | None, hazard: str) -> str | None:
    """What to tell the user where too little was compared, in one sentence; None where nothing is to be told."""
    if share is None or share >= LEAST_COMPARED:
        return None
    percent = math.floor(1000 * share) / 10
    return (
        f"The scene before has values for {percent:.1f}% of the assessed pixels only: on the others, mask and area "
        f"show all {hazard.replace('_', ' ')} that is there, new or not; choose a scene before that covers them, or "
        "limit the run to where both scenes have values."
    )
