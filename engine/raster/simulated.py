"""Simulated scenes as files that look like a sensor's product, and say that they are not."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import gdal, osr

from ..protocol import SAR_SLOTS, partial_path
from .gdal_setup import prepare_gdal
from .output import writing

SENTINEL_2_NAMES = {
    "coastal": "B01", "blue": "B02", "green": "B03", "red": "B04", "nir": "B08", "swir1": "B11", "swir2": "B12",
}  # fmt: skip
EPSG = 32631
ORIGIN = (500_000.0, 10_240.0)
"""In the Gulf of Guinea, where nobody takes a simulated river for a real one."""


def write_simulated_scene(path: str, values: Mapping[str, npt.NDArray[np.float32]], gsd_m: float, seed: int) -> None:
    """Write slots ``(height, width)`` as one GeoTIFF: reflectance as uint16 x 1e-4, backscatter as float32 dB.

    Args:
        path: GeoTIFF to write; replaced if it exists.
        values: reflectance 0-1 or dB by slot, all optical or all backscatter.
        gsd_m: metres a pixel.
        seed: recorded in the tags.

    Raises:
        OutputFailed: it cannot be written; nothing unfinished is left.
    """
    radar = set(values) <= set(SAR_SLOTS)
    bands = {}
    for slot, plane in values.items():
        stored = plane if radar else np.clip(np.rint(plane * 10_000), 1, 65_535).astype(np.uint16)
        bands[slot.upper() if radar else SENTINEL_2_NAMES[slot]] = stored
    _write(path, bands, gdal.GDT_Float32 if radar else gdal.GDT_UInt16, 3 if radar else 2, (gsd_m, seed))


def write_simulated_labels(path: str, labels: Mapping[str, npt.NDArray[np.uint8]], gsd_m: float, seed: int) -> None:
    """Write label planes ``(height, width)`` uint8 as one GeoTIFF, a band each, on the grid of their scene."""
    _write(path, labels, gdal.GDT_Byte, 1, (gsd_m, seed))


def _write(path: str, bands: Mapping[str, npt.NDArray[Any]], kind: int, predictor: int, of: tuple[float, int]) -> None:
    prepare_gdal()
    partial = partial_path(path, str(os.getpid()))
    try:
        with writing(path):
            _create(partial, bands, kind, predictor, of)
        os.replace(partial, path)
    except OSError:  # OutputFailed too
        with contextlib.suppress(OSError):
            os.remove(partial)
        raise


def _create(path: str, bands: Mapping[str, npt.NDArray[Any]], kind: int, predictor: int, of: tuple[float, int]) -> None:
    height, width = next(iter(bands.values())).shape
    options = ["TILED=YES", "COMPRESS=DEFLATE", f"PREDICTOR={predictor}"]
    dataset = gdal.GetDriverByName("GTiff").Create(path, width, height, len(bands), kind, options)
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(EPSG)
    gsd_m, seed = of
    dataset.SetProjection(crs.ExportToWkt())
    dataset.SetGeoTransform((ORIGIN[0], gsd_m, 0.0, ORIGIN[1], 0.0, -gsd_m))
    dataset.SetMetadata({"SIMULATED": f"yes, by Hazard Mapper with seed {seed}: not a real place, not a real event"})
    for index, (name, plane) in enumerate(bands.items()):
        band = dataset.GetRasterBand(index + 1)
        band.SetDescription(name)
        band.WriteArray(plane)
    dataset.FlushCache()
