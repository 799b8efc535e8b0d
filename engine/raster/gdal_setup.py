"""GDAL as the engine wants it: exceptions on, bounded cache, warnings kept instead of printed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from osgeo import gdal, ogr, osr

CACHE_MB = 192
"""Block cache; GDAL's default of 5 % of memory would let memory grow with the scene."""


def prepare_gdal() -> None:
    """Set GDAL up for this process; safe to call again."""
    gdal.UseExceptions()
    ogr.UseExceptions()
    osr.UseExceptions()
    gdal.SetCacheMax(CACHE_MB * 2**20)
    gdal.SetErrorHandler("CPLQuietErrorHandler")
    if "GDAL_NUM_THREADS" not in os.environ:
        gdal.SetConfigOption("GDAL_NUM_THREADS", "2")


def gdal_version() -> str:
    """Version of GDAL, such as ``3.6.2``."""
    return str(gdal.VersionInfo("RELEASE_NAME"))


def first_line(error: BaseException) -> str:
    """GDAL's message as one line without a full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")[:300]


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
