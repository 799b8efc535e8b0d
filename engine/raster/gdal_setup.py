"""GDAL as the engine wants it: exceptions on, bounded cache, warnings kept instead of printed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from osgeo import gdal, ogr, osr

from ..fields import is_remote
from ..protocol import BadInput
from .network import ALLOWED, NOWHERE, close_network, is_closed

Answer = TypeVar("Answer")

CACHE_MB = 192
"""Block cache; GDAL's default of 5 % of memory would let memory grow with the scene."""
MOST_CACHE_MB = 360
"""What rows of windows may take of it so that each block is decoded once: a Sentinel-2 tile needs 270 in blocks of 512
pixels, 344 in those of 1024 that its JPEG 2000 files have. Windows are lower where more would be needed."""


THREADS = "GDAL_NUM_THREADS"
MOST_THREADS = 8
"""That decode a scene's blocks side by side; half of the processor's, at least two."""


def prepare_gdal() -> None:
    """Set GDAL up for this process; safe to call again."""
    gdal.UseExceptions()
    ogr.UseExceptions()
    osr.UseExceptions()
    gdal.SetCacheMax(CACHE_MB * 2**20)
    gdal.SetErrorHandler("CPLQuietErrorHandler")
    gdal.SetConfigOption("GDAL_VRT_ENABLE_PYTHON", "NO")  # a raster is data, whatever the environment allows others
    close_network()
    if THREADS not in os.environ:
        gdal.SetConfigOption(THREADS, str(max(2, min(MOST_THREADS, (os.cpu_count() or 1) // 2))))


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Datasets created or opened within are worked on by the calling thread alone.

    An output whose blocks GDAL's threads compress can stand still for ever where they decode a scene meanwhile: one
    that needs room in the block cache writes a block of the output, and waits for who waits for the threads.
    """
    before = gdal.GetThreadLocalConfigOption(THREADS, None)
    gdal.SetThreadLocalConfigOption(THREADS, "1")
    try:
        yield
    finally:
        gdal.SetThreadLocalConfigOption(THREADS, before)


def reserve_cache(wanted_bytes: int) -> None:
    """Let the block cache hold so much, where that is more than usual and not more than memory is meant to hold."""
    if CACHE_MB * 2**20 < wanted_bytes <= MOST_CACHE_MB * 2**20:
        gdal.SetCacheMax(wanted_bytes)


def gdal_version() -> str:
    """Version of GDAL, such as ``3.6.2``."""
    return str(gdal.VersionInfo("RELEASE_NAME"))


FAULTS = (RuntimeError, UnicodeDecodeError)
"""What GDAL's functions raise: the latter in GDAL 3.10, where a message quotes bytes that are no UTF-8."""


def first_line(error: BaseException) -> str:
    """GDAL's message as one line without a full stop; where the network was closed to a file, that is said instead."""
    said = error.object.decode("utf-8", "replace") if isinstance(error, UnicodeDecodeError) else str(error)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    unsaid = "no reason is given" if type(error) is RuntimeError else type(error).__name__  # GDAL's threads keep theirs
    found = (lines[0] if lines else unsaid).rstrip(".")[:300]
    if is_closed() and (is_remote(found) or NOWHERE in found):
        return f"it refers to the network, to which files do not lead unless {ALLOWED}=1 is set; save a local copy"
    return found


def ask_twice(question: Callable[[], Answer]) -> Answer | None:
    """What a dataset says of its georeference; None if it cannot.

    GDAL reports doubtful tags once, as an error, although it then answers with what it understood, as QGIS shows it.
    """
    for _ in range(2):
        with contextlib.suppress(*FAULTS):
            return question()
    return None


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what GDAL cannot read of a raster into one sentence for the user."""
    try:
        yield
    except (*FAULTS, MemoryError) as error:
        raise BadInput(f"'{name}' cannot be read ({first_line(error)}); it is damaged: obtain it again.") from None


def text(found: Any) -> str:
    """GDAL's text as str: what is not UTF-8 arrives as bytes."""
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found or "")


@contextlib.contextmanager
def quiet_closing() -> Iterator[None]:
    """Let go of a dataset that can no longer be written without Python printing what GDAL has to say to that."""
    before = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook = before


@contextlib.contextmanager
def gdal_failures() -> Iterator[list[str]]:
    """Collect GDAL errors that closing or flushing a dataset reports without raising."""
    failures: list[str] = []

    def remember(level: int, number: int, message: str) -> None:
        if level >= gdal.CE_Failure:
            failures.append(message)

    gdal.PushErrorHandler(remember)
    try:
        yield failures
    finally:
        gdal.PopErrorHandler()
