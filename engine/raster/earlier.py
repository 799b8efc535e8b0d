"""A raster laid onto another one's grid without being copied: read through GDAL's warped view, a window at a time."""

from __future__ import annotations

import contextlib
import uuid
import xml.etree.ElementTree as ElementTree  # nosec B405  # reads only what GDAL itself has just written
from collections.abc import Iterator, Sequence
from typing import Any

from osgeo import gdal, osr

from ..protocol import BadInput
from .gdal_setup import FAULTS, first_line, prepare_gdal
from .georeference import Georeference
from .scene import Scene

FINER = 1.6
"""From so many of its pixels a pixel of the grid on, they are averaged; else interpolated."""
TOLERANCE_PX = 0.125
"""By which positions may be approximated."""
WARP_MEMORY_MB = 64


@contextlib.contextmanager
def laid_onto(
    scene: Scene, onto: Georeference, name: str, shift_px: tuple[float, float] = (0.0, 0.0), zero_is_fill: bool = False
) -> Iterator[str]:
    """A view of ``scene`` on the grid of another, as a path that GDAL opens.

    It holds no pixels and goes with the context. What lies outside the scene is transparent.

    Args:
        scene: open.
        onto: the grid.
        name: of the raster that has this grid, for messages.
        shift_px: columns and rows of the grid by which the scene is moved right and down.
        zero_is_fill: whether pixels that are 0 in all bands were not measured.

    Raises:
        BadInput: the two cannot be laid over each other.
    """
    prepare_gdal()
    _require_crs(scene, onto, name)
    token = uuid.uuid4().hex
    source, view = f"/vsimem/{token}_source.vrt", f"/vsimem/{token}.vrt"
    try:
        dataset = _placed(scene, onto, source, shift_px)
        _write_view(scene, dataset, onto, view, zero_is_fill)
        dataset = None
        yield view
    finally:
        for path in (source, view):
            with contextlib.suppress(*FAULTS):
                gdal.Unlink(path)


def move_content(source: str, out: str, right_px: int, down_px: int) -> None:
    """Write a copy of a raster whose content lies some whole pixels off, on the same grid; nodata moves in."""
    prepare_gdal()
    read = gdal.Open(source)
    width, height = read.RasterXSize, read.RasterYSize
    grid = read.GetGeoTransform(can_return_null=True)
    copied = gdal.Translate(out, read, srcWin=[-right_px, -down_px, width, height])
    if grid is not None:
        copied.SetGeoTransform(grid)
    copied.FlushCache()


def _require_crs(scene: Scene, onto: Georeference, name: str) -> None:
    own = scene.georeference
    if (own.crs is None) == (onto.crs is None):
        if own.crs is not None or (own.width, own.height) == (onto.width, onto.height) or own.geotransform:
            return
        raise BadInput(
            f"'{scene.name}' has {own.width} x {own.height} pixels and '{name}' {onto.width} x {onto.height}, and "
            "neither says where it lies; georeference both scenes."
        )
    without = scene.name if own.crs is None else name
    raise BadInput(f"'{without}' has no CRS, the other scene of the pair has one; assign its CRS.")


def _placed(scene: Scene, onto: Georeference, path: str, shift_px: tuple[float, float]) -> Any:
    """The scene as it lies, moved by a shift, so that no file is changed."""
    own = scene.georeference
    copied = gdal.GetDriverByName("VRT").CreateCopy(path, scene.dataset)
    for band in scene.bands:  # one that is called alpha but holds data would cut the others out
        copied.GetRasterBand(band.index).SetColorInterpretation(gdal.GCI_Undefined)
    if own.crs is not None:
        copied.SetProjection(str(own.crs.ExportToWkt()))
    across, down = shift_px
    if own.geotransform is None and not own.gcps:
        copied.SetGeoTransform((across, 1.0, 0.0, -down, 0.0, -1.0))
        return copied
    if not (across or down):
        return copied
    if own.geotransform is None:
        raise BadInput(
            f"'{scene.name}' lies {max(abs(across), abs(down)):.1f} pixels off and has ground control points only, so "
            "that the shift cannot be corrected; warp it to a grid first."
        )
    # The shift is one of the grid's pixels; on the ground of the scene's own CRS it is taken at the grid's centre.
    centre = (onto.width / 2, onto.height / 2)
    first, second = _ground_of(onto, own, (centre, (centre[0] + across, centre[1] + down)))
    a, b, c, d, e, f = own.geotransform
    copied.SetGeoTransform((a + second[0] - first[0], b, c, d + second[1] - first[1], e, f))
    return copied


def _ground_of(
    onto: Georeference, own: Georeference, pixels: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    import numpy as np

    ground = onto.to_ground(np.asarray(pixels, np.float64))
    if onto.crs is None or own.crs is None or onto.crs.IsSame(own.crs):
        return [(float(x), float(y)) for x, y in ground]
    moved = osr.CoordinateTransformation(onto.crs, own.crs).TransformPoints(ground.tolist())
    return [(float(point[0]), float(point[1])) for point in moved]


def _write_view(scene: Scene, dataset: Any, onto: Georeference, path: str, zero_is_fill: bool) -> None:
    geotransform = onto.geotransform or (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    if onto.geotransform is None and onto.gcps:
        raise BadInput(
            "The scene has ground control points only; warp it to a grid before it is compared with another."
        )
    crs = str(onto.crs.ExportToWkt()) if onto.crs is not None else None
    options: dict[str, Any] = {
        "format": "VRT",
        "width": onto.width,
        "height": onto.height,
        "outputBounds": (0.0, 0.0, 1.0, 1.0),  # the grid proper is written below: it may be turned or run upward
        "resampleAlg": "average" if _is_finer(scene, onto) else "bilinear",
        "errorThreshold": TOLERANCE_PX,
        "warpMemoryLimit": WARP_MEMORY_MB,
        "dstAlpha": True,
        "multithread": False,
    }
    if crs is not None:
        options["dstSRS"] = crs
        options["outputBoundsSRS"] = crs
    if zero_is_fill:
        options["srcNodata"] = 0
        options["warpOptions"] = ["UNIFIED_SRC_NODATA=YES"]
    elif any(value is not None for value in scene.nodata):  # else a band that lacks a value alone would hold 0 there
        options["dstNodata"] = " ".join("none" if value is None else repr(value) for value in _of_bands(scene, dataset))
    try:
        gdal.Warp(path, dataset, **options)
        root = ElementTree.fromstring(_read(path))  # noqa: S314  # nosec B314
        _set_grid(root, geotransform)
        _copy_bands(root, dataset)
        _write(path, ElementTree.tostring(root))
        gdal.Open(path)
    except (*FAULTS, ElementTree.ParseError) as error:
        raise BadInput(
            f"'{scene.name}' cannot be laid over the scene ({first_line(error)}); check the CRS of both."
        ) from None


def _of_bands(scene: Scene, dataset: Any) -> list[float | None]:
    """Nodata of all bands of the file, an alpha band's included."""
    known = {band.index: value for band, value in zip(scene.bands, scene.nodata, strict=True)}
    return [known.get(number) for number in range(1, dataset.RasterCount + 1)]


def _set_grid(root: ElementTree.Element, geotransform: Sequence[float]) -> None:
    inverse = gdal.InvGeoTransform(list(geotransform))
    if inverse is None:
        raise BadInput("The scene's grid has no area: its geotransform cannot be inverted; georeference it again.")
    for name, numbers in (
        ("GeoTransform", geotransform),
        ("DstGeoTransform", geotransform),
        ("DstInvGeoTransform", inverse),
    ):
        for element in root.iter(name):
            element.text = ", ".join(repr(float(number)) for number in numbers)


def _copy_bands(root: ElementTree.Element, dataset: Any) -> None:
    """Descriptions, scales and offsets, which say what the bands are."""
    for element in root.findall("VRTRasterBand"):
        number = int(element.get("band", "0"))
        if not 1 <= number <= dataset.RasterCount or element.findtext("ColorInterp") == "Alpha":
            continue
        band = dataset.GetRasterBand(number)
        for tag, value in (
            ("Description", band.GetDescription()),
            ("Offset", band.GetOffset()),
            ("Scale", band.GetScale()),
        ):
            if value not in (None, "") and element.find(tag) is None:
                added = ElementTree.SubElement(element, tag)
                added.text = value if isinstance(value, str) else repr(float(value))


def _is_finer(scene: Scene, onto: Georeference) -> bool:
    own, other = scene.georeference.pixel_size_m(), onto.pixel_size_m()
    return own is not None and other is not None and min(other) > FINER * max(own)


def _read(path: str) -> bytes:
    file = gdal.VSIFOpenL(path, "rb")
    try:
        return bytes(gdal.VSIFReadL(1, 50_000_000, file))
    finally:
        gdal.VSIFCloseL(file)


def _write(path: str, content: bytes) -> None:
    gdal.FileFromMemBuffer(path, content)
