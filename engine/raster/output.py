"""Mask and probability written in rows under temporary names, and published together once complete."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import traceback
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import gdal

from ..leftovers import remove_leftovers
from ..protocol import NOT_ASSESSED, REPLACED, OutputFailed, partial_files, partial_path, put_back
from .gdal_setup import first_line, gdal_failures, one_thread, quiet_closing, text
from .georeference import Georeference, Window

Bytes = npt.NDArray[np.uint8]

BLOCK_PX = 512
PROBABILITY = "probability"
MASK = "mask"


@dataclass(frozen=True)
class Grid:
    """The grid an output is on: a window of its scene's."""

    georeference: Georeference
    window: Window


SIDE_FILE = ".aux.xml"
"""Ending of the file beside a raster in which GDAL keeps what the raster's format cannot."""


@dataclass(frozen=True)
class Layer:
    """One output: what it is, where it goes and how it looks.

    Attributes:
        path: final name.
        description: of the band.
        colours: RGBA by value, for a palette; empty for none.
        style: QML file to put beside it, or None.
        averaged: whether overviews are means (probability) or nearest values (mask).
    """

    path: str
    description: str
    colours: Mapping[int, tuple[int, int, int, int]]
    style: str | None
    averaged: bool = False

    def colour_table(self) -> Any:
        """Its palette, transparent where no colour is given."""
        table = gdal.ColorTable()
        for value in range(256):
            table.SetColorEntry(value, self.colours.get(value, (255, 255, 255, 0)))
        return table


class _Held:
    """Files that wait for their names: final name to hidden one, in the order in which they were completed."""

    def __init__(self, overwrite: bool) -> None:
        self.moves: dict[str, str] = {}
        self.overwrite = overwrite


_HELD: ContextVar[_Held | None] = ContextVar("held", default=None)


@contextlib.contextmanager
def published_together(on_ready: Callable[[], None], *, overwrite: bool) -> Iterator[None]:
    """What several steps publish meanwhile gets its names when all are through, or none of it does.

    Until then a step finds the rasters of an earlier one by ``where_written``. Whatever else is published meanwhile,
    such as polygons of those rasters, has to be the last: all is published with it.

    Args:
        on_ready: asked a last time before the names are given; what it raises leaves everything as it was.
        overwrite: replace files of these names.
    """
    held = _Held(overwrite)
    before = _HELD.set(held)
    try:
        yield
        if held.moves:
            on_ready()
            _publish_all([])
    finally:
        _HELD.reset(before)
        for partial in held.moves.values():
            with contextlib.suppress(OSError):
                os.remove(partial)


def where_written(path: str) -> str:
    """The path, or that of the complete file which is still to get this name."""
    held = _HELD.get()
    return held.moves.get(path, path) if held else path


def check_outputs(paths: list[str], *, overwrite: bool, expected_bytes: int) -> None:
    """Raise OutputFailed unless every path can be written: folder there and writable, name free, room on the disk."""
    for path in paths:
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            raise OutputFailed(f"The folder '{folder}' does not exist; create it or choose another.")
        if not os.access(folder, os.W_OK):
            raise OutputFailed(f"The folder '{folder}' cannot be written to; choose another.")
        if os.path.isdir(path):
            raise OutputFailed(f"'{path}' is a folder; give the output a file name.")
        if os.path.lexists(path) and not overwrite:
            raise OutputFailed(f"'{path}' exists; choose another name, or allow to overwrite it (--overwrite).")
        remove_leftovers(path)
        free = shutil.disk_usage(folder).free
        if free < expected_bytes:
            raise OutputFailed(
                f"The disk of '{folder}' has {free / 2**20:.1f} MB left, about {expected_bytes / 2**20:.1f} MB are "
                "needed; make room or choose another folder."
            )


class RowWriter:
    """Writes one byte raster from top to bottom, in blocks of rows; memory holds at most one block row.

    Rows may arrive in portions of any height. They go to a tiled scratch file; ``finish`` makes a cloud-optimised
    GeoTIFF of that, both beside the final name. The scratch file stays until then: ``set_aside`` can tag it anew.
    """

    def __init__(self, layer: Layer, grid: Grid, job_id: str) -> None:
        self.layer = layer
        self.partial = partial_path(layer.path, job_id)
        stem, suffix = os.path.splitext(self.partial)
        self._scratch = f"{stem}-rows{suffix}"
        self._waiting: list[Bytes] = []
        self._next_row = 0
        self._crc = 0
        with writing(layer.path):
            self._dataset = gdal.GetDriverByName("GTiff").Create(
                self._scratch,
                grid.window.width,
                grid.window.height,
                1,
                gdal.GDT_Byte,
                ["TILED=YES", f"BLOCKXSIZE={BLOCK_PX}", f"BLOCKYSIZE={BLOCK_PX}", "COMPRESS=LZW", "BIGTIFF=IF_SAFER"],
            )
            place_on_grid(self._dataset, grid)
            band = self._dataset.GetRasterBand(1)
            band.SetNoDataValue(NOT_ASSESSED)
            band.SetDescription(layer.description)
            if layer.colours:
                band.SetRasterColorTable(layer.colour_table())
        self._band = band

    def write(self, rows: Bytes) -> None:
        """Append rows ``(n, width)`` below those already written."""
        self._waiting.append(rows)
        waiting = sum(len(part) for part in self._waiting)
        if waiting >= BLOCK_PX or self._next_row + waiting == self._dataset.RasterYSize:
            block = np.concatenate(self._waiting) if len(self._waiting) > 1 else self._waiting[0]
            ready = waiting if self._next_row + waiting == self._dataset.RasterYSize else waiting // BLOCK_PX * BLOCK_PX
            finished = np.ascontiguousarray(block[:ready])
            with writing(self.layer.path):
                self._band.WriteArray(finished, 0, self._next_row)
            self._crc = zlib.crc32(finished.data, self._crc)
            self._next_row += ready
            self._waiting = [block[ready:]] if ready < waiting else []

    def finish(self, tags: Mapping[str, str], on_progress: Callable[[float], None]) -> None:
        """Write the cloud-optimised file (still under its temporary name) and prove that it holds what was written.

        Raises:
            OutputFailed: when the disk is full or the file cannot be written.
        """
        stopped: list[BaseException] = []

        def progress(share: float, message: str, data: Any) -> int:
            try:  # GDAL would print what is raised here and call it a failure
                on_progress(share)
            except BaseException as reason:
                stopped.append(reason.with_traceback(None))  # which holds the dataset: it would be closed too late
            return int(not stopped)

        with writing(self.layer.path, stopped):
            self._dataset.SetMetadata(dict(tags))
            self._dataset.FlushCache()
            self._band = None
            options = [
                "COMPRESS=DEFLATE",
                "LEVEL=3",  # a third of the time of level 6; with differences, means take no more room either
                f"PREDICTOR={'YES' if self.layer.averaged else 'NO'}",
                f"BLOCKSIZE={BLOCK_PX}",
                "BIGTIFF=IF_SAFER",
                f"OVERVIEW_RESAMPLING={'AVERAGE' if self.layer.averaged else 'NEAREST'}",
            ]
            copy = gdal.GetDriverByName("COG").CreateCopy(self.partial, self._dataset, 0, options, progress)
            try:
                copy.FlushCache()
            finally:
                copy = None
            same = _crc_of(self.partial) == self._crc
        if not same:
            raise OutputFailed(
                f"'{self.layer.path}' could not be written completely; make room on the disk and try again."
            )
        with open(self.partial, "rb+") as file:
            os.fsync(file.fileno())

    @property
    def rows_done(self) -> int:
        """Rows that were handed in."""
        return self._next_row + sum(len(part) for part in self._waiting)

    def set_aside(self, path: str, tags: Mapping[str, str]) -> None:
        """Move what was written so far to another file, not assessed below; whatever reads it sees a usual mask.

        Raises:
            OutputFailed: when the disk is full or the file cannot be written.
        """
        with writing(path):
            if self._waiting:
                rows = np.concatenate(self._waiting)
                self._dataset.GetRasterBand(1).WriteArray(rows, 0, self._next_row)
            self._dataset.SetMetadata(dict(tags))
            self._band = None
            self._dataset = None
            shutil.move(self._scratch, path)

    def abandon(self) -> None:
        """Let go of the scratch file."""
        self._band = None
        with contextlib.suppress(RuntimeError), quiet_closing():
            self._dataset = None


class MaskPair:
    """Mask and, if wanted, probability of one run: written together, published together or not at all.

    Use as a context manager: leaving it without ``publish`` removes every unfinished file.
    """

    def __init__(self, layers: Mapping[str, Layer], grid: Grid, job_id: str) -> None:
        self._job_id = job_id
        self._layers = dict(layers)
        self._writers: dict[str, RowWriter] = {}
        try:
            for name, layer in self._layers.items():
                self._writers[name] = RowWriter(layer, grid, job_id)
        except OutputFailed:
            self.discard()
            raise

    def __enter__(self) -> MaskPair:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def write(self, name: str, rows: Bytes) -> None:
        """Append rows to one of the outputs; a name that is not written is passed over."""
        if name in self._writers:
            self._writers[name].write(rows)

    def publish(self, tags: Mapping[str, str], on_progress: Callable[[float], None], *, overwrite: bool) -> None:
        """Complete all files, then give them their final names, the mask last; or leave that to ``published_together``.

        What ``on_progress`` raises stops it: it is asked a last time when all is ready, after which nothing else is.

        Raises:
            OutputFailed: nothing was published then, and files of the same name are as they were.
        """
        writers = list(self._writers.values())
        for i, writer in enumerate(writers):
            writer.finish(tags, lambda share, i=i: on_progress((i + share) / len(writers)))  # type: ignore[misc]
        moves = []
        for writer in writers:
            style = writer.layer.style
            beside = os.path.splitext(writer.layer.path)[0] + ".qml"
            if style is not None and (overwrite or not os.path.lexists(beside)):
                partial = partial_path(beside, self._job_id)
                with writing(beside):
                    shutil.copyfile(style, partial)
                moves.append((partial, beside))
        ordered = sorted(writers, key=lambda writer: writer.layer.path == self._layers[MASK].path)
        for writer in ordered:
            if os.path.exists(writer.partial + SIDE_FILE):  # with what a GeoTIFF cannot hold, such as some CRSs
                moves.append((writer.partial + SIDE_FILE, writer.layer.path + SIDE_FILE))
            moves.append((writer.partial, writer.layer.path))
        for writer in writers:
            if os.path.lexists(writer.layer.path) and not overwrite:
                raise OutputFailed(f"'{writer.layer.path}' has appeared meanwhile; choose another name.")
        on_progress(1.0)
        for writer in writers:
            writer.abandon()
        if held := _HELD.get():
            held.moves.update((final, partial) for partial, final in moves)
        else:
            _publish_all(moves)
        self._writers = {}

    @property
    def rows_done(self) -> int:
        """Rows that all outputs have."""
        return min((writer.rows_done for writer in self._writers.values()), default=0)

    def set_aside(self, folder: str, tags: Mapping[str, str]) -> None:
        """Move what was written so far to ``mask.tif`` and ``probability.tif`` of a folder; nothing is published then.

        Raises:
            OutputFailed: when the disk is full or a file cannot be written.
        """
        for name, writer in self._writers.items():
            writer.set_aside(os.path.join(folder, f"{name}.tif"), tags)

    def discard(self) -> None:
        """Remove whatever is unfinished."""
        for writer in self._writers.values():
            writer.abandon()
        for layer in self._layers.values():
            put_back(layer.path, self._job_id)
            held = _HELD.get()
            for path in set(partial_files(layer.path, self._job_id)).difference(held.moves.values() if held else ()):
                with contextlib.suppress(OSError):
                    os.remove(path)
        self._writers = {}


def _publish_all(moves: list[tuple[str, str]]) -> None:
    """Rename all files, those that wait for it first, or none: what was replaced comes back when one of them fails."""
    if held := _HELD.get():
        for final in held.moves:
            if os.path.lexists(final) and not held.overwrite:
                raise OutputFailed(f"'{final}' has appeared meanwhile; choose another name.")
        moves = [*((partial, final) for final, partial in held.moves.items()), *moves]
    kept: list[tuple[str, str]] = []
    done: list[str] = []
    try:
        for partial, final in moves:
            if os.path.lexists(final):
                aside = partial + REPLACED
                _keep(final, aside)
                kept.append((aside, final))
            os.replace(partial, final)
            done.append(final)
    except OSError as error:
        for final in done:
            with contextlib.suppress(OSError):
                os.remove(final)
        for aside, final in kept:
            with contextlib.suppress(OSError):
                os.replace(aside, final)
        raise OutputFailed(
            f"The output could not be given its name ({error.strerror or error}); is it open in another program? "
            "Close it or choose another name."
        ) from None
    if held:
        held.moves.clear()
    for aside, _ in kept:
        with contextlib.suppress(OSError):
            os.remove(aside)
    stale = {final + suffix for _, final in moves for suffix in (SIDE_FILE, ".ovr", ".msk")}
    for path in stale.difference(final for _, final in moves):  # of a replaced raster
        with contextlib.suppress(OSError):
            os.remove(path)


def _keep(final: str, aside: str) -> None:
    """Give a file a second name; where file systems have no links it loses the first, for a moment."""
    try:
        os.link(final, aside, follow_symlinks=False)
    except (OSError, NotImplementedError):
        os.replace(final, aside)


def place_on_grid(dataset: Any, grid: Grid) -> None:
    """Give a dataset that is being written the georeference of its grid."""
    reference, window = grid.georeference, grid.window
    geotransform = reference.shifted_geotransform(window)
    wkt = text(reference.crs.ExportToWkt()) if reference.crs is not None else ""
    if geotransform is not None:
        dataset.SetGeoTransform(geotransform)
        dataset.SetProjection(wkt)
    elif reference.gcps:
        dataset.SetGCPs(reference.shifted_gcps(window), wkt)
    elif wkt:
        dataset.SetProjection(wkt)
    rpc = reference.shifted_rpc(window)
    if rpc:
        dataset.SetMetadata(rpc, "RPC")


@contextlib.contextmanager
def writing(path: str, stopped: Sequence[BaseException] = ()) -> Iterator[None]:
    """Turn whatever goes wrong while writing into one sentence; what ``stopped`` holds caused it and is raised."""
    try:
        with gdal_failures() as failures, quiet_closing(), one_thread():
            yield
        if stopped:
            raise stopped[0]
        if failures:
            raise OutputFailed(_could_not_write(path, failures[0]))
    except OutputFailed:
        raise
    except (RuntimeError, OSError, AttributeError, ValueError) as error:
        traceback.clear_frames(error.__traceback__)  # they hold datasets, which would be closed too late
        if stopped:
            raise stopped[0] from None
        raise OutputFailed(_could_not_write(path, (failures or [first_line(error)])[0])) from None


def _could_not_write(path: str, reason: str) -> str:
    folder = os.path.dirname(os.path.abspath(path))
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        free = -1
    if 0 <= free < 2**20 or "No space left" in reason:
        return f"'{path}' could not be written: the disk is full; make room or choose another folder."
    return f"'{path}' could not be written ({first_line(RuntimeError(reason))}); choose another folder or name."


def _crc_of(path: str) -> int:
    """CRC-32 of a raster's rows from top to bottom; GDAL's own checksum ends 3.6 and all at over 2 ** 31 pixels."""
    dataset = gdal.Open(path)
    width, height = dataset.RasterXSize, dataset.RasterYSize
    crc = 0
    for top in range(0, height, BLOCK_PX):
        crc = zlib.crc32(dataset.ReadAsArray(0, top, width, min(BLOCK_PX, height - top)).data, crc)
    return crc


def to_percent(probability: npt.NDArray[np.float32]) -> Bytes:
    """Probability 0-1 to whole per cent, rounded; NaN (not assessed) to 255."""
    missing = np.isnan(probability)
    percent = probability * np.float32(100)
    np.rint(percent, out=percent)
    percent[missing] = NOT_ASSESSED
    return percent.astype(np.uint8)


def estimated_bytes(window: Window, outputs: int) -> int:
    """Least room that outputs of this size need on the disk: compressed scratch and final file together."""
    return outputs * (65536 + math.ceil(window.width * window.height * 0.02))
