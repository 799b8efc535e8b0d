"""Tells vector files from rasters."""

from __future__ import annotations

from osgeo import gdal

from ..raster.gdal_setup import FAULTS, prepare_gdal


def is_only_vector(path: str) -> bool:
    """Whether a file opens as a vector and not as a raster; what opens as neither is left to the reader of rasters."""
    prepare_gdal()
    return not _opens(path, gdal.OF_RASTER) and _opens(path, gdal.OF_VECTOR)


def _opens(path: str, kind: int) -> bool:
    try:
        return gdal.OpenEx(path, kind | gdal.OF_READONLY) is not None
    except FAULTS:
        return False
