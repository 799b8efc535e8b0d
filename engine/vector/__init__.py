"""Polygons in and out: the only part of the engine, beside ``raster``, that uses GDAL."""

from .area import AreaMask
from .kinds import is_only_vector

__all__ = ["AreaMask", "is_only_vector"]
