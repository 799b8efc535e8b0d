"""People from a population raster, brought to a mask's pixels: spread evenly over the ground of each cell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import gdal, osr

from ..protocol import BadInput
from ..tally import CELL_PX
from .codes import CodeRaster
from .gdal_setup import reading, text
from .georeference import Georeference, Window, read_georeference

Float = npt.NDArray[np.float64]

MOST_CELLS = 60_000_000
"""Cells of the population raster under one mask; more would not fit into memory."""
FINE_CELLS = 250_000
"""Up to so many cells each has an area of its own; of more, those within ``AREA_PX`` share one."""
AREA_PX = 8
OUTLINE_PARTS = 32
MARGIN_PX = 2
LARGEST_ERROR_PX = 0.125
"""Of the positions that GDAL may interpolate between exact ones."""


class PopulationRaster:
    """The part of a population raster under a mask, as people a square metre.

    Cells without data hold nobody. A pixel of the mask gets the mean density of the cells under it times its own
    ellipsoidal area, so that people are neither lost nor doubled where grids and CRSs differ.

    Args:
        path: one-band raster of people a cell, or a square kilometre, in any CRS.
        target: grid of the mask, with a geotransform and a CRS.
        density: whether values are people a square kilometre.

    Attributes:
        covers_all: whether it reaches everywhere under the mask.

    Raises:
        BadInput: it cannot be read, lies elsewhere, has no CRS, or holds negative numbers.
    """

    def __init__(self, path: str, target: Georeference, *, density: bool) -> None:
        with CodeRaster(path) as raster:
            self.name = raster.name
            dataset = raster._dataset
            source = read_georeference(dataset, None)
            _require_placed(source, f"The population '{self.name}'")
            _require_placed(target, "The mask")
            window, self.covers_all = self._window_under(target, source)
            people = self._read(dataset, window)
        size = source.pixel_size_m()
        if size is None:
            raise BadInput(f"Cells of the population '{self.name}' have no known area; reproject it first.")
        if density:
            people /= 1e6
        else:
            step = 1 if people.size <= FINE_CELLS else AREA_PX
            areas = source.cell_pixel_areas(window, step, size)
            people /= np.repeat(np.repeat(areas, step, 0), step, 1)[: window.height, : window.width]
        self._source = _in_memory(people, source.shifted_geotransform(window), source)
        self._target = target
        whole = Window(0, 0, target.width, target.height)
        self._areas = target.cell_pixel_areas(whole, CELL_PX, target.pixel_size_m() or (0.0, 0.0))

    def _window_under(self, target: Georeference, source: Georeference) -> tuple[Window, bool]:
        steps = np.linspace(0, 1, OUTLINE_PARTS + 1)
        across, down = np.meshgrid(steps * target.width, steps * target.height)
        ground = target.to_ground(np.stack([across.ravel(), down.ravel()], axis=1))
        try:
            moved = osr.CoordinateTransformation(target.crs, source.crs).TransformPoints(ground.tolist())
        except RuntimeError:
            moved = [(math.inf, math.inf)]
        pixels = source.to_pixels(np.asarray(moved, np.float64)[:, :2])
        if not np.isfinite(pixels).all():
            raise BadInput(f"The mask cannot be expressed in the CRS of the population '{self.name}'; reproject it.")
        low, high = pixels.min(0), pixels.max(0)
        size = np.asarray([source.width, source.height])
        covers_all = bool((low >= -1e-3).all() and (high <= size + 1e-3).all())
        first = np.clip(np.floor(low).astype(int) - MARGIN_PX, 0, size)
        last = np.clip(np.ceil(high).astype(int) + MARGIN_PX, 0, size)
        if (high <= 0).any() or (low >= size).any() or (first >= last).any():
            raise BadInput(f"The population '{self.name}' lies elsewhere than the mask; choose one that overlaps it.")
        window = Window(int(first[0]), int(first[1]), int(last[0] - first[0]), int(last[1] - first[1]))
        if window.width * window.height > MOST_CELLS:
            raise BadInput(
                f"The population '{self.name}' has {window.width} x {window.height} cells under the mask; "
                f"at most {MOST_CELLS:,} are read: choose a coarser one."
            )
        return window, covers_all

    def _read(self, dataset: Any, window: Window) -> Float:
        band = dataset.GetRasterBand(1)
        with reading(self.name):
            values = np.asarray(band.ReadAsArray(window.x, window.y, window.width, window.height))
            valid = np.asarray(band.GetMaskBand().ReadAsArray(window.x, window.y, window.width, window.height)) > 0
        if np.iscomplexobj(values):
            raise BadInput(f"The population '{self.name}' holds complex numbers; expected people.")
        scaled = values.astype(np.float64) * (band.GetScale() or 1.0) + (band.GetOffset() or 0.0)
        people = np.where(valid & np.isfinite(scaled), scaled, 0.0)
        if (people < 0).any():
            raise BadInput(
                f"The population '{self.name}' holds {people.min():g}; people cannot be negative: declare that value "
                "as nodata first."
            )
        return people

    def people(self, top: int, rows: int) -> Float:
        """People in each pixel ``(rows, width)`` of the mask from row ``top`` on."""
        width = self._target.width
        window = Window(0, top, width, rows)
        block = _in_memory(np.zeros((rows, width)), self._target.shifted_geotransform(window), self._target)
        with reading(self.name):
            gdal.ReprojectImage(self._source, block, None, None, gdal.GRA_Average, 0, LARGEST_ERROR_PX)
            density = np.asarray(block.ReadAsArray(), np.float64)
        cells = (top + np.arange(rows)) // CELL_PX
        found: Float = density * self._areas[cells][:, np.arange(width) // CELL_PX]
        return found


def _require_placed(georeference: Georeference, whose: str) -> None:
    if georeference.crs is None or georeference.geotransform is None:
        raise BadInput(f"{whose} has no CRS or no geotransform, so people cannot be counted; georeference it first.")


def _in_memory(values: Float, geotransform: Any, georeference: Georeference) -> Any:
    height, width = values.shape
    raster = gdal.GetDriverByName("MEM").Create("", width, height, 1, gdal.GDT_Float64)
    raster.SetGeoTransform(geotransform)
    raster.SetProjection(text(georeference.crs.ExportToWkt()) if georeference.crs is not None else "")
    raster.GetRasterBand(1).WriteArray(values)
    return raster
