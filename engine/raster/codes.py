"""One-band rasters of codes, such as masks and references, read row by row and compared by grid."""

from __future__ import annotations

import os
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ..protocol import BadInput
from .gdal_setup import FAULTS, ask_twice, first_line, prepare_gdal
from .output import where_written
from .scene import MOST_COLUMNS, open_raster

Opened = TypeVar("Opened", bound="CodeRaster")


class CodeRaster:
    """The first band of a raster, opened for reading codes. Use as a context manager.

    Raises:
        BadInput: when it cannot be opened, or has several bands.
    """

    most_columns = MOST_COLUMNS
    """Widest raster that is read; whole rows of it are held in memory."""

    def __init__(self, path: str) -> None:
        prepare_gdal()
        self.name = os.path.basename(path)
        self._dataset = open_raster(where_written(path), (), self.name)
        if self._dataset.RasterCount != 1:
            raise BadInput(f"'{self.name}' has {self._dataset.RasterCount} bands; expected one band of codes.")
        self.width, self.height = self._dataset.RasterXSize, self._dataset.RasterYSize
        if self.width > self.most_columns:
            raise BadInput(f"'{self.name}' claims {self.width} columns; at most {self.most_columns} are read.")

    def __enter__(self: Opened) -> Opened:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._dataset = None

    def read_rows(self, top: int, count: int) -> npt.NDArray[Any]:
        """Codes ``(n, width)`` of at most ``count`` rows from ``top`` on; raises BadInput when they cannot be read."""
        rows = min(count, self.height - top)
        try:
            found = self._dataset.GetRasterBand(1).ReadAsArray(0, top, self.width, rows)
        except (*FAULTS, MemoryError) as error:
            raise BadInput(
                f"'{self.name}' cannot be read at row {top} ({first_line(error)}); it is damaged: obtain it again."
            ) from None
        if np.iscomplexobj(found):
            raise BadInput(f"'{self.name}' holds complex numbers; expected codes.")
        return np.asarray(found)

    def require_same_grid(self, other: CodeRaster) -> None:
        """Raise BadInput unless both have one size and, where both are georeferenced, one place and CRS."""
        if (self.width, self.height) != (other.width, other.height):
            raise BadInput(
                f"'{self.name}' has {self.width} x {self.height} pixels, '{other.name}' {other.width} x "
                f"{other.height}; bring the reference to the mask's grid first."
            )
        mine, theirs = (
            ask_twice(partial(raster._dataset.GetGeoTransform, can_return_null=True)) for raster in (self, other)
        )
        if mine is not None and theirs is not None:
            size = max(abs(mine[1]) + abs(mine[2]), 1e-12)
            if max(abs(a - b) for a, b in zip(mine[::3], theirs[::3], strict=True)) > 0.01 * size or max(
                abs(a - b) for a, b in zip((*mine[1:3], *mine[4:]), (*theirs[1:3], *theirs[4:]), strict=True)
            ) > 0.01 * size / max(self.width, self.height):
                raise BadInput(
                    f"'{self.name}' and '{other.name}' lie at different places; "
                    "bring the reference to the mask's grid first."
                )
        crs, other_crs = ask_twice(self._dataset.GetSpatialRef), ask_twice(other._dataset.GetSpatialRef)
        how = ["IGNORE_DATA_AXIS_TO_SRS_AXIS_MAPPING=YES", "CRITERION=EQUIVALENT"]
        if crs is not None and other_crs is not None and not crs.IsSame(other_crs, how):
            raise BadInput(
                f"'{self.name}' is in {crs.GetName()}, '{other.name}' in {other_crs.GetName()}; "
                "bring the reference to the mask's grid first."
            )
