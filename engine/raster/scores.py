"""Rasters of hazard scores, and whether a raster lies on the grid of a scene."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..protocol import NOT_ASSESSED, BadInput
from .gdal_setup import prepare_gdal, reading
from .georeference import Georeference, Window, read_georeference
from .scene import open_raster

LARGEST_SHIFT = 0.1
"""How far corners may be apart, as a share of a pixel."""


@dataclass(frozen=True)
class Scores:
    """Scores as they are stored ``(height, width)``, NaN where not known; ``whole`` if stored as whole numbers."""

    values: npt.NDArray[np.float32]
    whole: bool


def read_scores(path: str, window: Window) -> Scores:
    """Read a window of a one-band raster of scores; nodata, 255 and NaN are not known.

    Raises:
        BadInput: when it cannot be read, has several bands or holds anything but numbers from 0 to 100.
    """
    prepare_gdal()
    name = os.path.basename(path)
    dataset = open_raster(path, (), name)
    if dataset.RasterCount != 1:
        raise BadInput(f"The score '{name}' has {dataset.RasterCount} bands; expected one band of scores.")
    band = dataset.GetRasterBand(1)
    with reading(name):
        stored = band.ReadAsArray(window.x, window.y, window.width, window.height)
        nodata = band.GetNoDataValue()
    if stored is None or stored.dtype.kind == "c":
        raise BadInput(f"The score '{name}' does not hold real numbers; expected scores from 0 to 1.")
    values = stored.astype(np.float64)
    unknown = ~np.isfinite(values) | (values == NOT_ASSESSED)
    if nodata is not None and nodata != 0:  # many masks declare their background as nodata
        unknown |= np.isclose(values, nodata)
    known = values[~unknown]
    if known.size and not (known.min() >= 0 and known.max() <= 100):
        raise BadInput(
            f"The score '{name}' holds numbers from {known.min():g} to {known.max():g}; expected 0 to 1, or 0 to 100 "
            "per cent, and 255 where it is not known."
        )
    values[unknown] = np.nan
    return Scores(values.astype(np.float32), stored.dtype.kind in "iub")


def require_grid(path: str, scene: Georeference) -> None:
    """Raise BadInput unless a raster has a scene's size and, where both are georeferenced, its place and CRS."""
    prepare_gdal()
    name = os.path.basename(path)
    dataset = open_raster(path, (), name)
    with reading(name):
        other = read_georeference(dataset, None)
    if (other.width, other.height) != (scene.width, scene.height):
        raise BadInput(
            f"'{name}' has {other.width} x {other.height} pixels, the image {scene.width} x {scene.height}; bring it "
            "to the image's grid."
        )
    how = ["IGNORE_DATA_AXIS_TO_SRS_AXIS_MAPPING=YES", "CRITERION=EQUIVALENT"]
    if scene.crs is not None and other.crs is not None and not scene.crs.IsSame(other.crs, how):
        raise BadInput(f"'{name}' has another CRS than the image; bring it to the image's grid.")
    if scene.geotransform is not None and other.geotransform is not None:
        corners = np.asarray([[0, 0], [scene.width, 0], [0, scene.height]], np.float64)
        apart = np.abs(scene.to_pixels(other.to_ground(corners)) - corners).max()
        if apart > LARGEST_SHIFT:
            raise BadInput(f"'{name}' lies {apart:.3g} pixels beside the image; bring it to the image's grid.")
