"""Masks traced to polygons on their pixel edges, and the probability of the pixels in each; memory holds rows only."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import gdal, ogr

from ..raster.gdal_setup import quiet_closing
from ..raster.output import BLOCK_PX, writing
from .outlines import Outlines, Part, from_wkb, gather, mended, sides

BATCH_POLYGONS = 4096
BATCH_BYTES = 32 * 2**20
ROWS = 512
MEASURED_PX = 4_000_000
"""Pixels whose probabilities are looked at together: each takes about forty bytes meanwhile."""
BLOCKS = ("TILED=YES", f"BLOCKXSIZE={BLOCK_PX}", f"BLOCKYSIZE={BLOCK_PX}")
"""As in the masks themselves: blocks of one size take each other's place in memory."""
PERCENT = 100
SIDE = np.dtype([("row", "<i4"), ("column", "<i4"), ("zone", "<i4")])


class Tracing:
    """Hazard pixels of a mask on their way to polygons, in scratch files. Use as a context manager, which removes them.

    First ``write`` all rows, then ``trace``; after that ``batches`` may be asked for again and again.

    Args:
        scratch: beginning of the names of scratch files.
        final: name that failures are told under.
        width: columns of the mask.
        height: rows of the mask.
    """

    def __init__(self, scratch: str, final: str, width: int, height: int) -> None:
        self._raster_path, self._vector_path = f"{scratch}-pixels.tif", f"{scratch}-traced.gpkg"
        self._final = final
        self._diagonal = False
        self._row = 0
        self._vector: Any = None
        with writing(final):
            self._raster: Any = gdal.GetDriverByName("GTiff").Create(
                self._raster_path, width, height, 1, gdal.GDT_Byte, [*BLOCKS, "COMPRESS=LZW", "BIGTIFF=IF_SAFER"]
            )

    def __enter__(self) -> Tracing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(RuntimeError), quiet_closing():
            self._raster = None
            self._vector = None
        for path in (self._raster_path, self._vector_path):
            for name in (path, path + "-journal", path + "-wal", path + "-shm", path + ".aux.xml"):
                with contextlib.suppress(OSError):
                    os.remove(name)

    def write(self, hazard: npt.NDArray[np.bool_]) -> None:
        """Append rows ``(n, width)``, True where there is hazard."""
        with writing(self._final):
            self._raster.GetRasterBand(1).WriteArray(hazard.astype(np.uint8), 0, self._row)
        self._row += len(hazard)

    def trace(self, *, diagonal: bool, on_progress: Callable[[float], None]) -> int:
        """Trace all rows and return the number of polygons; ``on_progress`` may raise to stop."""
        self._diagonal = diagonal
        stopped: list[BaseException] = []

        def progress(share: float, message: str, data: Any) -> int:
            try:  # GDAL would print what is raised here and call it a failure
                on_progress(share)
            except BaseException as reason:
                stopped.append(reason)
            return int(not stopped)

        with writing(self._final, stopped):
            self._raster.FlushCache()
            self._vector = gdal.GetDriverByName("GPKG").Create(self._vector_path, 0, 0, 0, gdal.GDT_Unknown)
            layer = self._vector.CreateLayer("traced", None, ogr.wkbPolygon, ["SPATIAL_INDEX=NO"])
            layer.CreateField(ogr.FieldDefn("value", ogr.OFTInteger))
            self._vector.StartTransaction()
            band = self._raster.GetRasterBand(1)
            try:
                gdal.Polygonize(band, band, layer, 0, ["8CONNECTED=8"] if diagonal else [], callback=progress)
            finally:
                self._vector.CommitTransaction()
            return int(layer.GetFeatureCount())

    def batches(self) -> Iterator[Outlines]:
        """Outlines of all polygons in pixels, numbered from 0 on, some thousand at a time."""
        with writing(self._final):
            layer = self._vector.GetLayer(0)
            layer.ResetReading()
        first = 0
        while batch := self._next_batch(layer, first):
            yield gather(batch)
            first += len(batch)

    def _next_batch(self, layer: Any, first: int) -> list[tuple[int, list[Part]]]:
        batch: list[tuple[int, list[Part]]] = []
        size = 0
        with writing(self._final):
            while len(batch) < BATCH_POLYGONS and size < BATCH_BYTES:
                feature = layer.GetNextFeature()
                if feature is None:
                    break
                geometry = feature.GetGeometryRef()
                wkb = bytes(geometry.ExportToIsoWkb(ogr.wkbNDR))
                parts = from_wkb(wkb)
                if self._diagonal and not geometry.IsValid():
                    parts = mended(parts)
                batch.append((first + len(batch), parts))
                size += len(wkb)
        return batch


class Zones:
    """Mean and least probability of the pixels within each polygon, with the polygons' sides kept in scratch files.

    Use as a context manager. First ``add`` all outlines, then ``measure``.

    Args:
        scratch: beginning of the names of scratch files.
        final: name that failures are told under.
        width: columns of the grid.
        height: rows of the grid.
        count: number of polygons.
    """

    def __init__(self, scratch: str, final: str, width: int, height: int, count: int) -> None:
        self._scratch, self._final = scratch, final
        self._width, self._height = width, height
        self._pixels = np.zeros(count, np.int64)
        self._sum = np.zeros(count)
        self._least = np.full(count, PERCENT, np.uint8)

    def __enter__(self) -> Zones:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for portion in range(self._height // ROWS + 1):
            with contextlib.suppress(OSError):
                os.remove(self._path(portion))

    def _path(self, portion: int) -> str:
        return f"{self._scratch}-sides-{portion}.bin"

    def add(self, outlines: Outlines) -> None:
        """Remember outlines on pixel edges."""
        rows, columns, zones = sides(outlines)
        found = np.empty(len(rows), SIDE)
        found["row"], found["column"], found["zone"] = rows, columns, zones
        found = found[np.argsort(rows // ROWS, kind="stable")]
        portions = found["row"] // ROWS
        edges = np.flatnonzero(np.diff(portions, prepend=-1, append=-1))
        with writing(self._final):
            for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
                with open(self._path(int(portions[first])), "ab") as file:
                    file.write(found[first:last].tobytes())

    def measure(
        self, read_rows: Callable[[int, int], npt.NDArray[np.uint8]], on_progress: Callable[[float], None]
    ) -> None:
        """Look at all pixels; ``read_rows`` returns the per cent of rows, 255 where not assessed."""
        for portion, top in enumerate(range(0, self._height, ROWS)):
            on_progress(top / self._height)
            if not os.path.exists(self._path(portion)):
                continue
            with writing(self._final):
                found = np.fromfile(self._path(portion), SIDE)
            found = found[np.argsort(found["row"], kind="stable")]
            bottom, step = min(top + ROWS, self._height), max(1, MEASURED_PX // self._width)
            for first in range(top, bottom, step):
                rows = min(step, bottom - first)
                begin, end = np.searchsorted(found["row"], (first, first + rows))
                self._take(self._zones(found[begin:end], first, rows), read_rows(first, rows))

    def _zones(self, found: npt.NDArray[np.void], top: int, rows: int) -> npt.NDArray[np.int32]:
        """Polygons of the pixels in some rows by number from 1 on, 0 for none."""
        grid = np.zeros((rows, self._width + 1), np.int32)
        grid[found["row"] - top, found["column"]] = found["zone"]  # no two polygons share a side
        return np.cumsum(grid, axis=1, dtype=np.int32)[:, :-1]

    def _take(self, grid: npt.NDArray[np.int32], percent: npt.NDArray[np.uint8]) -> None:
        place = np.flatnonzero((grid > 0) & (percent <= PERCENT))
        if not len(place):
            return
        zone, value = grid.ravel()[place] - 1, percent.ravel()[place]
        runs = np.flatnonzero((np.diff(zone, prepend=-1) != 0) | (np.diff(place, prepend=-2) != 1))
        zones, which = np.unique(zone[runs], return_inverse=True)
        self._pixels[zones] += np.bincount(which, np.diff(np.append(runs, len(place)))).astype(np.int64)
        self._sum[zones] += np.bincount(which, np.add.reduceat(value, runs, dtype=np.int64))
        np.minimum.at(self._least, zone[runs], np.minimum.reduceat(value, runs))

    def mean(self, number: int) -> float | None:
        """Mean probability (0-1) of a polygon; None where none of its pixels has one."""
        return float(self._sum[number] / self._pixels[number]) / PERCENT if self._pixels[number] else None

    def least(self, number: int) -> float | None:
        """Least probability (0-1) of a polygon; None where none of its pixels has one."""
        return float(self._least[number]) / PERCENT if self._pixels[number] else None
