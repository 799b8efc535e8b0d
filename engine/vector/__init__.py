"""Polygons in and out: the only part of the engine, beside ``raster``, that uses GDAL."""

from .area import AreaMask

__all__ = ["AreaMask"]
