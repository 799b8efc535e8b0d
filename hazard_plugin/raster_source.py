"""Turns any raster layer of QGIS into something the engine can open: its own file, or a copy of its pixels."""

import contextlib
import math
import os
import tempfile
from dataclasses import dataclass
from typing import Any, Iterator, Optional, Tuple

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QCoreApplication

from ..engine import protocol
from .compat import WKT_PREFERRED, is_rendered_type
from .raster_copy import Grid, copy_pixels

RENDERED_PROVIDERS = ("wms", "arcgismapserver")
DEFAULT_RESOLUTION_M = 10.0


@dataclass(frozen=True)
class OpenedSource:
    """What a job is told about the scene."""

    raster: str
    open_options: Tuple[str, ...] = ()
    crs: Optional[str] = None
    extent: Optional[Tuple[float, float, float, float]] = None


@dataclass(frozen=True)
class RasterSource:
    """A layer as read on the main thread; everything a background thread needs without touching the layer again."""

    name: str
    extent: QgsRectangle
    crs: QgsCoordinateReferenceSystem
    path: str = ""
    open_options: Tuple[str, ...] = ()
    crs_override: Optional[str] = None
    provider: Any = None
    """Clone of the data provider where the pixels have to be copied, else None."""
    resolution: Tuple[float, float] = (0.0, 0.0)
    resolution_from: str = ""

    @property
    def is_copied(self) -> bool:
        """Whether the engine gets a temporary copy instead of the layer's own file."""
        return self.provider is not None

    @contextlib.contextmanager
    def opened(self, extent: Optional[QgsRectangle], feedback: QgsProcessingFeedback) -> Iterator[OpenedSource]:
        """Yield what the engine opens; a temporary copy is removed afterwards.

        Raises BadInput if the copy would be too large, OutputFailed if it cannot be written, Cancelled.
        """
        wanted = clip(extent, self.extent, self.name)
        if not self.is_copied:
            bounds = None if extent is None else bounds_of(wanted)
            yield OpenedSource(self.path, self.open_options, self.crs_override, bounds)
            return
        grid = self.grid(wanted)
        feedback.pushInfo(
            tr("'{name}' is read through QGIS: {width} x {height} pixels of {size} ({origin}).").format(
                name=self.name,
                width=grid.width,
                height=grid.height,
                size=self.pixel_size(),
                origin=self.resolution_from,
            )
        )
        with tempfile.TemporaryDirectory(prefix="scene_", dir=QgsProcessingUtils.tempFolder()) as folder:
            path = os.path.join(folder, "scene.tif")
            copy_pixels(self.provider, grid, self.crs, path, feedback, self.name)
            yield OpenedSource(path)

    def grid(self, wanted: QgsRectangle) -> Grid:
        """Pixels of this layer that cover an extent, snapped outward to its own grid."""
        step_x, step_y = self.resolution
        origin_x, origin_y = self.extent.xMinimum(), self.extent.yMaximum()
        left = math.floor((wanted.xMinimum() - origin_x) / step_x + 1e-6)
        right = math.ceil((wanted.xMaximum() - origin_x) / step_x - 1e-6)
        top = math.floor((origin_y - wanted.yMaximum()) / step_y + 1e-6)
        bottom = math.ceil((origin_y - wanted.yMinimum()) / step_y - 1e-6)
        width, height = max(right - left, 1), max(bottom - top, 1)
        rectangle = QgsRectangle(
            origin_x + left * step_x,
            origin_y - (top + height) * step_y,
            origin_x + (left + width) * step_x,
            origin_y - top * step_y,
        )
        return Grid(rectangle, width, height)

    def pixel_size(self) -> str:
        """Pixel size in words."""
        unit = "°" if self.crs.isGeographic() else " m"
        return f"{self.resolution[0]:.6g}{unit}"


def read_layer(
    layer: QgsRasterLayer, view_resolution: Optional[float] = None, *, by_name_alone: bool = False
) -> RasterSource:
    """Describe a layer on the main thread; raises BadInput if it cannot be read.

    ``view_resolution`` (map units of the layer's CRS a pixel) serves providers without a resolution of their own.
    ``by_name_alone`` has a layer copied whose file opens otherwise than by its name, or lies elsewhere than it says.
    """
    if not layer.isValid() or layer.dataProvider() is None:
        raise protocol.BadInput(
            tr("Layer '{name}' is broken: its data cannot be found; repair its source or choose another layer.").format(
                name=layer.name()
            )
        )
    provider = layer.dataProvider()
    crs = layer.crs()
    if provider.name() == "gdal" and not needs_copy(layer):
        path, options = split_uri(layer.source())
        override = None
        if crs.isValid() and crs != provider.crs():
            override = crs.toWkt(WKT_PREFERRED)
        if not (by_name_alone and (options or override)):
            return RasterSource(layer.name(), layer.extent(), crs, path, options, override)
    resolution, origin = resolution_of(layer, view_resolution)
    return RasterSource(
        layer.name(), layer.extent(), crs, provider=provider.clone(), resolution=resolution, resolution_from=origin
    )


def needs_copy(layer: QgsRasterLayer) -> bool:
    """Whether the engine would read other values than QGIS shows, or cannot reach the file."""
    provider = layer.dataProvider()
    source = layer.source()
    if "/vsimem/" in source or "|credential:" in source or not source:
        return True
    for band in range(1, provider.bandCount() + 1):
        if provider.userNoDataValues(band):
            return True
        if provider.sourceHasNoDataValue(band) and not provider.useSourceNoDataValue(band):
            return True
    return False


def split_uri(uri: str) -> Tuple[str, Tuple[str, ...]]:
    """Name that GDAL opens, whatever folder the worker runs in, and its open options."""
    path, *rest = uri.split("|option:")
    return os.path.abspath(path) if os.path.exists(path) else path, tuple(rest)


def resolution_of(layer: QgsRasterLayer, view_resolution: Optional[float]) -> Tuple[Tuple[float, float], str]:
    """Pixel size at which to copy, and where it comes from."""
    provider = layer.dataProvider()
    rendered = provider.name() in RENDERED_PROVIDERS or is_rendered_type(provider.dataType(1))
    if not rendered and provider.xSize() > 0 and provider.ySize() > 0:
        extent = layer.extent()
        return (extent.width() / provider.xSize(), extent.height() / provider.ySize()), tr("its own resolution")
    if view_resolution is not None and view_resolution > 0:
        return (view_resolution, view_resolution), tr("as seen in the map")
    step = DEFAULT_RESOLUTION_M / (111_320.0 if layer.crs().isGeographic() else 1.0)
    return (step, step), tr("assumed, as the layer has no resolution of its own")


def bounds_of(rectangle: QgsRectangle) -> Tuple[float, float, float, float]:
    """xmin, ymin, xmax, ymax."""
    return rectangle.xMinimum(), rectangle.yMinimum(), rectangle.xMaximum(), rectangle.yMaximum()


def clip(extent: Optional[QgsRectangle], layer_extent: QgsRectangle, name: str) -> QgsRectangle:
    """Part of an extent (in the layer's CRS) that the layer covers; raises BadInput if there is none."""
    if extent is None:
        return QgsRectangle(layer_extent)
    common = extent.intersect(layer_extent)
    if common.isEmpty() or not common.isFinite():
        raise protocol.BadInput(
            tr(
                "The chosen area does not touch the scene '{name}'; move the map to the scene or choose Whole layer."
            ).format(name=name)
        )
    return common


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("RasterSource", text)
