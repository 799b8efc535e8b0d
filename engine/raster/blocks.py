"""The blocks that a scene's file decodes whole, and the memory in which each is decoded once."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from osgeo import gdal

from .gdal_setup import FAULTS, MOST_CACHE_MB, reserve_cache

SPARE_ROWS = 256
"""Rows of blocks that the cache holds beyond those that one row of windows touches."""
_OF_SOURCES = re.compile(r'<SourceProperties [^>]*BlockXSize="(\d{1,6})" BlockYSize="(\d{1,6})"')


@dataclass(frozen=True)
class Blocks:
    """How a scene, or a part of it, lies in its file.

    Attributes:
        size: width and height of a block, in pixels.
        part: width and height of what is read, in pixels.
        pixel_bytes: of all bands that are used.
    """

    size: tuple[int, int]
    part: tuple[int, int]
    pixel_bytes: int

    def bytes_for(self, rows: int) -> int:
        """What the block cache must hold for blocks that windows of so many rows share with those below them."""
        (width, height), (columns, most) = self.size, self.part
        touched = min((math.ceil((rows - 1) / height) + 1) * height, most)
        # What was decoded first goes first, though windows below may still want it: some more rows make up for that.
        touched = min(touched + min(height, SPARE_ROWS), most)
        beside = 2 * width if width < columns else 0  # the columns of the next window come in between
        return (columns + beside) * touched * self.pixel_bytes

    def first_that_fits(self, rows: Sequence[int]) -> int:
        """Which of some heights of windows is the first that has each block decoded once; 0 if none has."""
        most = MOST_CACHE_MB * 2**20
        return next((place for place, count in enumerate(rows) if self.bytes_for(count) <= most), 0)

    def reserve_cache(self, rows: int) -> None:
        """Let the block cache hold what windows of so many rows need, as far as memory is meant to."""
        reserve_cache(self.bytes_for(rows))


def block_size(dataset: Any, band: Any) -> tuple[int, int]:
    """Width and height of what is decoded at once: of a virtual raster the largest of what its sources say."""
    width, height = (int(side) for side in band.GetBlockSize())
    described: list[str] = []
    with contextlib.suppress(*FAULTS):
        if dataset.GetDriver().ShortName == "VRT":
            described = dataset.GetMetadata_List("xml:VRT") or []
    for found in _OF_SOURCES.finditer("".join(described)):
        width, height = max(width, int(found[1])), max(height, int(found[2]))
    return width, height


def pixel_bytes(bands: Sequence[Any]) -> int:
    """Bytes of a pixel in all of some bands."""
    return sum(gdal.GetDataTypeSize(band.DataType) // 8 for band in bands)
