"""Counts what was found, and how many square metres it covers, while rows pass by."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

CELL_PX = 128
"""Pixels within a cell of this size share one ellipsoidal area."""


def _cells(first_row: int, count: int) -> Iterator[tuple[int, slice]]:
    """Rows of cells that ``count`` rows from ``first_row`` on lie in, and which of the rows those are."""
    for cell in range(first_row // CELL_PX, (first_row + count - 1) // CELL_PX + 1):
        yield cell, slice(max(cell * CELL_PX - first_row, 0), min((cell + 1) * CELL_PX - first_row, count))


class AreaTally:
    """Adds up hazard area, assessed pixels and wanted pixels of a mask that arrives in rows.

    Args:
        pixel_areas_m2: mean area of a pixel in each cell ``(rows of cells, columns of cells)``.
        width: columns of the mask.
    """

    def __init__(self, pixel_areas_m2: npt.NDArray[np.float64], width: int) -> None:
        self._areas = pixel_areas_m2
        self._starts = np.arange(0, width, CELL_PX)
        self.hazard_area_m2 = 0.0
        self.hazard = 0
        self.assessed = 0
        self.wanted = 0
        self._areas_by_percent = np.zeros(256)

    def add(self, first_row: int, hazard: Mask, assessed: Mask, wanted: int) -> None:
        """Count rows ``(n, width)`` that begin at ``first_row``; ``wanted`` of their pixels were asked for."""
        for cell, rows in _cells(first_row, len(hazard)):
            columns = np.add.reduce(hazard[rows].view(np.uint8), axis=0, dtype=np.uint8)  # a byte counts a cell's rows
            counts = np.add.reduceat(columns, self._starts, dtype=np.int64)
            self.hazard_area_m2 += float((counts * self._areas[cell]).sum())
            self.hazard += int(counts.sum())
        self.assessed += int(np.count_nonzero(assessed))
        self.wanted += wanted

    def add_percent(self, first_row: int, percent: npt.NDArray[np.uint8]) -> None:
        """Count probabilities ``(n, width)`` in whole per cent, 255 where not assessed."""
        for cell, rows in _cells(first_row, len(percent)):
            for area, start in zip(self._areas[cell], self._starts, strict=True):
                part = percent[rows, start : start + CELL_PX]
                self._areas_by_percent += area * np.bincount(part.ravel(), minlength=256)

    @property
    def areas_by_percent_m2(self) -> list[float]:
        """Square metres at each whole per cent of probability, 0 to 100."""
        return [round(float(area), 2) for area in self._areas_by_percent[:101]]

    @property
    def share_assessed(self) -> float:
        """Share of the wanted pixels that could be assessed."""
        return self.assessed / self.wanted if self.wanted else 0.0
