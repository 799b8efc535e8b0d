"""Copies the pixels that a QGIS raster provider shows into a temporary GeoTIFF, block by block."""

import shutil
from dataclasses import dataclass
from html import escape
from typing import Any, Iterator, List, Optional, Tuple

import numpy as np
from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsProcessingFeedback,
    QgsRasterBlock,
    QgsRasterBlockFeedback,
    QgsRasterFileWriter,
    QgsRasterRange,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QByteArray, QCoreApplication, Qt
from qgis.PyQt.QtGui import QImage

from ..engine import protocol
from .compat import is_rendered_type, set_creation_options

BLOCK_PX = 1024
MAX_RENDERED_PIXELS = 100_000_000
MAX_BYTES = 8 * 1024**3

NUMPY_TYPES = {
    Qgis.DataType.Byte: "u1",
    Qgis.DataType.UInt16: "u2",
    Qgis.DataType.Int16: "i2",
    Qgis.DataType.UInt32: "u4",
    Qgis.DataType.Int32: "i4",
    Qgis.DataType.Float32: "f4",
    Qgis.DataType.Float64: "f8",
}


@dataclass(frozen=True)
class Grid:
    """A raster's outline and size in pixels."""

    extent: QgsRectangle
    width: int
    height: int

    def blocks(self) -> Iterator[Tuple[int, int, int, int, QgsRectangle]]:
        """Yield column, row, width, height and extent of each block, top left first."""
        step_x = self.extent.width() / self.width
        step_y = self.extent.height() / self.height
        for row in range(0, self.height, BLOCK_PX):
            height = min(BLOCK_PX, self.height - row)
            for column in range(0, self.width, BLOCK_PX):
                width = min(BLOCK_PX, self.width - column)
                left = self.extent.xMinimum() + column * step_x
                top = self.extent.yMaximum() - row * step_y
                yield column, row, width, height, QgsRectangle(left, top - height * step_y, left + width * step_x, top)


def copy_pixels(
    provider: Any,
    grid: Grid,
    crs: QgsCoordinateReferenceSystem,
    path: str,
    feedback: QgsProcessingFeedback,
    name: str,
) -> None:
    """Write what ``provider`` shows on ``grid`` to ``path``; raises BadInput, OutputFailed or Cancelled."""
    rendered = is_rendered_type(provider.dataType(1))
    plan = None if rendered else plan_values(provider)
    bands = 4 if plan is None else provider.bandCount()
    size_bytes = grid.width * grid.height * bands * (1 if plan is None else np.dtype(plan.numpy_type).itemsize)
    check_size(grid, size_bytes, rendered, path, name)
    writer = QgsRasterFileWriter(path)
    writer.setOutputProviderKey("gdal")
    writer.setOutputFormat("GTiff")
    options = ["TILED=YES", "COMPRESS=LZW", "BIGTIFF=IF_SAFER"]
    set_creation_options(writer, options + (["PHOTOMETRIC=RGB", "ALPHA=YES"] if plan is None else []))
    kind = Qgis.DataType.Byte if plan is None else plan.data_type
    output = writer.createMultiBandRaster(kind, grid.width, grid.height, grid.extent, crs, bands)
    if output is None or not output.isValid():
        raise protocol.OutputFailed(tr("The temporary copy '{path}' cannot be written.").format(path=path))
    if plan is not None and plan.nodata is not None:
        for band in range(1, bands + 1):
            output.setNoDataValue(band, plan.nodata)
    total = -(-grid.width // BLOCK_PX) * -(-grid.height // BLOCK_PX)
    watcher = QgsRasterBlockFeedback()
    # Direct: this thread runs no event loop that could deliver it.
    feedback.canceled.connect(watcher.cancel, Qt.ConnectionType.DirectConnection)
    feedback.setProgressText(tr("Reading '{name}' through QGIS").format(name=name))
    visible = plan is not None
    for done, (column, row, width, height, extent) in enumerate(grid.blocks()):
        if plan is None:
            planes = read_picture(provider, extent, width, height, watcher)
            visible = visible or bool(planes[3].any())
        else:
            planes = [plan.read(provider, band, extent, width, height, watcher) for band in range(1, bands + 1)]
        if feedback.isCanceled():
            raise protocol.Cancelled(tr("Cancelled; nothing was written."))
        for band, plane in enumerate(planes, start=1):
            block = QgsRasterBlock(kind, width, height)
            block.setData(QByteArray(plane.tobytes()))
            if not output.writeBlock(block, band, column, row):
                raise protocol.OutputFailed(
                    tr("The temporary copy '{path}' cannot be written; is the disk full?").format(path=path)
                )
        feedback.setProgress(100.0 * (done + 1) / total)
    if not visible:
        raise protocol.BadInput(
            tr("'{name}' shows nothing in the chosen area; check that its service answers, or move the map.").format(
                name=name
            )
        )
    output.setEditable(False)
    del output
    if plan is not None:
        write_band_names(path, plan.names)


@dataclass(frozen=True)
class ValuePlan:
    """How values are copied: type, the value that stands for nodata, and each band's own nodata rules."""

    data_type: Any
    numpy_type: str
    nodata: Optional[float]
    names: List[str]
    source_nodata: List[Optional[float]]
    user_nodata: List[List[QgsRasterRange]]

    def read(self, provider: Any, band: int, extent: QgsRectangle, width: int, height: int, watcher: Any) -> Any:
        """Values of one band and block, ``(height, width)``, with nodata replaced by the copy's own value."""
        block = provider.block(band, extent, width, height, watcher)
        source_type = NUMPY_TYPES.get(block.dataType())
        if not block.isValid() or source_type is None:
            if watcher.isCanceled():
                return np.zeros((height, width), self.numpy_type)
            raise protocol.BadInput(
                tr("Band {band} cannot be read through QGIS; export the layer to a file first.").format(band=band)
            )
        values = np.frombuffer(bytes(block.data()), source_type).reshape(height, width)
        missing = np.zeros(values.shape, bool)
        source = self.source_nodata[band - 1]
        if source is not None:
            missing |= np.isnan(values) if np.isnan(source) else values == source
        for value_range in self.user_nodata[band - 1]:
            missing |= within(values, value_range)
        values = values.astype(self.numpy_type)
        if self.nodata is not None:
            values[missing] = self.nodata
        return values


def plan_values(provider: Any) -> ValuePlan:
    """Choose a type that holds all bands and a nodata value that no valid pixel can have."""
    bands = range(1, provider.bandCount() + 1)
    sources: List[Optional[float]] = []
    users: List[List[QgsRasterRange]] = []
    for band in bands:
        used = provider.sourceHasNoDataValue(band) and provider.useSourceNoDataValue(band)
        sources.append(provider.sourceNoDataValue(band) if used else None)
        users.append(list(provider.userNoDataValues(band)))
        provider.setUserNoDataValue(band, [])
    types = {provider.dataType(band) for band in bands}
    if not types <= set(NUMPY_TYPES):
        raise protocol.BadInput(
            tr("The layer's pixels are complex numbers, which cannot be assessed; export their magnitude first.")
        )
    has_nodata = any(s is not None for s in sources) or any(users)
    distinct = set(sources)
    keeps = len(types) == 1 and not any(users) and len(distinct) == 1
    if keeps or not has_nodata:
        kind = next(iter(types)) if len(types) == 1 else widest(types)
        nodata = next(iter(distinct)) if has_nodata else None
    else:
        kind, nodata = widest(types), float("nan")
    names = [band_description(provider, band) for band in bands]
    return ValuePlan(kind, NUMPY_TYPES[kind], nodata, names, sources, users)


def widest(types: Any) -> Any:
    """Floating type that holds all these types exactly."""
    large = {Qgis.DataType.UInt32, Qgis.DataType.Int32, Qgis.DataType.Float64}
    return Qgis.DataType.Float64 if large & set(types) else Qgis.DataType.Float32


def within(values: Any, value_range: QgsRasterRange) -> Any:
    """Which values lie in a range, its bounds as QGIS means them."""
    bounds = value_range.bounds()
    kinds = QgsRasterRange.BoundsType
    low_in = bounds in (kinds.IncludeMin, kinds.IncludeMinAndMax)
    high_in = bounds in (kinds.IncludeMax, kinds.IncludeMinAndMax)
    low, high = value_range.min(), value_range.max()
    above = True if np.isnan(low) else (values >= low if low_in else values > low)
    below = True if np.isnan(high) else (values <= high if high_in else values < high)
    return np.logical_and(above, below)


def read_picture(provider: Any, extent: QgsRectangle, width: int, height: int, watcher: Any) -> List[Any]:
    """Red, green, blue and opacity of a rendered block, each ``(height, width)`` bytes."""
    block = provider.block(1, extent, width, height, watcher)
    picture = block.image().convertToFormat(QImage.Format.Format_RGBA8888)
    if picture.isNull():
        return [np.zeros((height, width), "u1")] * 4
    pointer = picture.constBits()
    pointer.setsize(picture.bytesPerLine() * picture.height())
    rows = np.frombuffer(bytes(pointer), "u1").reshape(picture.height(), picture.bytesPerLine())
    pixels = rows[:, : picture.width() * 4].reshape(picture.height(), picture.width(), 4)
    return [np.ascontiguousarray(pixels[:, :, channel]) for channel in range(4)]


def check_size(grid: Grid, size_bytes: int, rendered: bool, path: str, name: str) -> None:
    """Raise BadInput if a copy would take too long to fetch or not fit on the disk."""
    free = shutil.disk_usage(path.rpartition("/")[0] or ".").free
    if rendered and grid.width * grid.height > MAX_RENDERED_PIXELS:
        limit = tr("at most {count:.0f} million pixels are read from a map service").format(
            count=MAX_RENDERED_PIXELS / 1e6
        )
    elif size_bytes > MAX_BYTES:
        limit = tr("at most {size:.0f} GB are copied").format(size=MAX_BYTES / 1024**3)
    elif size_bytes > 0.9 * free:
        limit = tr("{size:.1f} GB are free for temporary files").format(size=free / 1024**3)
    else:
        return
    raise protocol.BadInput(
        tr(
            "'{name}' would be read as {width} x {height} pixels, but {limit}; choose Visible extent or zoom in."
        ).format(name=name, width=grid.width, height=grid.height, limit=limit)
    )


def band_description(provider: Any, band: int) -> str:
    """Name the source gives a band, or nothing."""
    full = str(provider.generateBandName(band))
    return full.partition(": ")[2]


def write_band_names(path: str, names: List[str]) -> None:
    """Write names beside a raster, where GDAL looks for them."""
    if any(names):
        bands = "".join(
            f'<PAMRasterBand band="{band}"><Description>{escape(name)}</Description></PAMRasterBand>'
            for band, name in enumerate(names, start=1)
            if name
        )
        with open(path + ".aux.xml", "w", encoding="utf-8") as sidecar:
            sidecar.write(f"<PAMDataset>{bands}</PAMDataset>")


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("RasterCopy", text)
