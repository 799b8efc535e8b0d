"""One-band results of this program read back: their values by rows, their tags, and the ground that pixels cover."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..protocol import BadInput
from ..tally import CELL_PX, AreaTally
from .codes import CodeRaster
from .gdal_setup import ask_twice, text
from .georeference import ASSUMED_GSD_M, Georeference, Window, read_georeference
from .output import Grid

ROWS = 1024
PREFIX = "HAZARD"


class TaggedRaster(CodeRaster):
    """A mask, a probability or a change, opened for reading. Use as a context manager."""

    @property
    def tags(self) -> dict[str, str]:
        """What its writer said of its origin: the raster's tags that begin with ``HAZARD``."""
        found = ask_twice(self._dataset.GetMetadata) or {}
        return {text(name): text(value) for name, value in found.items() if str(name).startswith(PREFIX)}

    @property
    def description(self) -> str:
        """Name of its band."""
        return text(self._dataset.GetRasterBand(1).GetDescription())

    @property
    def window(self) -> Window:
        """All of it."""
        return Window(0, 0, self.width, self.height)

    @property
    def georeference(self) -> Georeference:
        """Where its pixels lie."""
        return read_georeference(self._dataset, None)

    @property
    def grid(self) -> Grid:
        """Grid of an output that covers the same pixels."""
        return Grid(self.georeference, self.window)

    def new_tally(self) -> AreaTally:
        """Counter of ellipsoidal areas on its grid."""
        reference = self.georeference
        size = reference.pixel_size_m() or (ASSUMED_GSD_M, ASSUMED_GSD_M)
        return AreaTally(reference.cell_pixel_areas(self.window, CELL_PX, size), self.width)

    def read_bytes(self) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
        """First row and values ``(n, width)`` of each portion; raises BadInput unless they are whole bytes."""
        for top in range(0, self.height, ROWS):
            rows: npt.NDArray[Any] = self.read_rows(top, ROWS)
            if rows.dtype != np.uint8:
                if not np.isin(rows, np.arange(256)).all():
                    raise BadInput(f"'{self.name}' holds other values than whole numbers from 0 to 255.")
                rows = rows.astype(np.uint8)
            yield top, rows
