"""Small labelled files, such as the patches of a data set and their masks, read whole, by window or thinned."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import gdal

from ..protocol import BadInput
from .gdal_setup import prepare_gdal, reading
from .georeference import Georeference, Window, read_georeference
from .scene import open_raster

Array = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

LARGEST_CHIP_PX = 4096
"""Side of the largest file that is read whole."""
LARGEST_CODE = 2**31 - 1


@dataclass(frozen=True)
class Chip:
    """A small raster read whole.

    Attributes:
        values: stored numbers ``(bands, height, width)``.
        extent: xmin, ymin, xmax, ymax in its own CRS; None without georeference.
        lonlat: longitude and latitude of its centre in degrees; None without georeference.
    """

    values: Array
    extent: tuple[float, float, float, float] | None
    lonlat: tuple[float, float] | None


def read_chip(path: str, *, size_px: tuple[int, int] | None = None) -> Chip:
    """Read all bands of a small raster.

    Args:
        path: any raster that GDAL opens.
        size_px: height and width to bring it to, bilinearly; as stored when not given.

    Raises:
        BadInput: when it is missing, damaged or far larger than a chip.
    """
    dataset, name = _open(path)
    width, height = dataset.RasterXSize, dataset.RasterYSize
    if max(width, height) > LARGEST_CHIP_PX:
        raise BadInput(
            f"'{name}' has {width} x {height} pixels; a chip of at most {LARGEST_CHIP_PX} x {LARGEST_CHIP_PX} is "
            "expected: cut it into parts."
        )
    target = size_px or (height, width)
    with reading(name):
        values = dataset.ReadAsArray(
            buf_xsize=target[1], buf_ysize=target[0], resample_alg=gdal.GRIORA_Bilinear, buf_type=gdal.GDT_Float32
        )
        if values is None:
            raise RuntimeError(gdal.GetLastErrorMsg() or "no data")
        georeference = read_georeference(dataset, None)
    values = np.asarray(values, np.float32).reshape(dataset.RasterCount, *target)
    return Chip(values, _extent(georeference), centre_lonlat(georeference, Window(0, 0, width, height)))


def centre_lonlat(georeference: Georeference, window: Window) -> tuple[float, float] | None:
    """Longitude and latitude of the centre of a window in degrees; None where the raster does not say it."""
    if georeference.geotransform is None and not georeference.gcps:
        return None
    centre = np.asarray([[window.x + window.width / 2, window.y + window.height / 2]], np.float64)
    lonlat = georeference.to_lonlat(centre)
    if lonlat is None or not (abs(lonlat[0, 0]) <= 360 and abs(lonlat[0, 1]) <= 90):
        return None
    return float(lonlat[0, 0]), float(lonlat[0, 1])


def read_codes(path: str, window: Window | None = None, *, largest_px: int | None = None) -> tuple[Codes, Mask]:
    """Codes ``(height, width)`` of a label raster, and where it has any.

    Declared nodata and NaN are no codes; 0 always is one, because many masks declare their background as nodata.
    A grey or RGB picture whose bands are alike (alpha left out) is taken as one band.

    Args:
        path: label raster.
        window: part of it; all of it when not given.
        largest_px: thin it to at most this many columns and rows, for a look at its codes.

    Raises:
        BadInput: when it cannot be read, or its bands differ, or it is a JPEG, which does not keep codes.
    """
    dataset, name = _open(path)
    if dataset.GetDriver().ShortName == "JPEG":
        raise BadInput(
            f"The label '{name}' is a JPEG, which blurs codes; expected a GeoTIFF or PNG: export the labels anew."
        )
    bands = [dataset.GetRasterBand(index + 1) for index in range(dataset.RasterCount)]
    data = [band for band in bands if band.GetColorInterpretation() != gdal.GCI_AlphaBand] or bands
    window = window or Window(0, 0, dataset.RasterXSize, dataset.RasterYSize)
    columns, rows = (min(v, largest_px or v) for v in (window.width, window.height))
    with reading(name):
        found = [
            band.ReadAsArray(window.x, window.y, window.width, window.height, buf_xsize=columns, buf_ysize=rows)
            for band in data
        ]
    if any(not np.array_equal(found[0], other) for other in found[1:]):
        raise BadInput(f"The label '{name}' has {len(data)} bands that differ; expected one band of codes.")
    codes = found[0]
    if codes.dtype.kind == "c":
        raise BadInput(f"The label '{name}' holds complex numbers; expected one band of codes.")
    known = np.isfinite(codes) & (np.abs(codes.astype(np.float64)) <= LARGEST_CODE)
    nodata = data[0].GetNoDataValue()
    if nodata is not None and nodata != 0:
        known &= codes != nodata
    whole = np.where(known, codes, 0).astype(np.float64)
    return np.rint(whole).astype(np.int64), np.asarray(known, np.bool_)


def holds_fractions(path: str, *, largest_px: int) -> bool:
    """Whether a label raster, thinned to at most so many columns and rows, holds numbers that are no codes.

    Raises:
        BadInput: when it cannot be read.
    """
    dataset, name = _open(path)
    band = dataset.GetRasterBand(1)
    columns, rows = (min(v, largest_px) for v in (dataset.RasterXSize, dataset.RasterYSize))
    with reading(name):
        found = band.ReadAsArray(buf_xsize=columns, buf_ysize=rows)
    return bool(found.dtype.kind == "f" and (np.isfinite(found) & (found != np.rint(found))).any())


def raster_size(path: str) -> tuple[int, int]:
    """Height and width of a raster; raises BadInput when it cannot be opened."""
    dataset, _ = _open(path)
    return int(dataset.RasterYSize), int(dataset.RasterXSize)


def _open(path: str) -> tuple[Any, str]:
    prepare_gdal()
    name = os.path.basename(path)
    return open_raster(path, (), name), name


def _extent(georeference: Georeference) -> tuple[float, float, float, float] | None:
    if georeference.geotransform is None:
        return None
    corners = np.asarray([[0, 0], [georeference.width, georeference.height]], np.float64)
    low, high = (reduce(georeference.to_ground(corners), axis=0) for reduce in (np.min, np.max))
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
