"""Where pixels lie on the ground: extents to pixels, ground sampling distance and ellipsoidal pixel areas."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import gdal, osr

from ..protocol import BadInput
from .gdal_setup import FAULTS, ask_twice, first_line, text

Float = npt.NDArray[np.float64]
FARTHEST = 1e12
"""Largest number of a geotransform, in units of any CRS."""
ASSUMED_GSD_M = 10.0
LARGEST_DISTORTION = 0.03
"""How far lengths in a projected CRS may be from those on the ground and still be taken as they are."""


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels: first column and row, width and height."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Georeference:
    """How a raster's pixels lie on the ground.

    Attributes:
        width: columns.
        height: rows.
        geotransform: GDAL's six numbers, or None without georeference.
        gcps: ground control points, used when there is no geotransform.
        crs: spatial reference in traditional (x, y) axis order, or None.
        rpc: rational polynomial coefficients as GDAL names them; carried along, not used.
    """

    width: int
    height: int
    geotransform: tuple[float, ...] | None
    gcps: tuple[Any, ...]
    crs: Any | None
    rpc: Mapping[str, str] = field(default_factory=dict)

    def to_ground(self, pixels: Float) -> Float:
        """Pixel positions ``(n, 2)`` (column, row; corners are whole numbers) to CRS coordinates ``(n, 2)``.

        Without georeference rows count downward from zero, as QGIS shows such rasters.
        """
        if self.geotransform is None and self.gcps:
            return self._by_gcps(pixels, inverse=False)
        a, b, c, d, e, f = self.geotransform or (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
        x, y = pixels[:, 0], pixels[:, 1]
        return np.stack([a + b * x + c * y, d + e * x + f * y], axis=1)

    def to_pixels(self, ground: Float) -> Float:
        """CRS coordinates ``(n, 2)`` to pixel positions ``(n, 2)``."""
        if self.geotransform is None and self.gcps:
            return self._by_gcps(ground, inverse=True)
        a, b, c, d, e, f = self.geotransform or (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
        determinant = b * f - c * e
        x, y = ground[:, 0] - a, ground[:, 1] - d
        return np.stack([(f * x - c * y) / determinant, (b * y - e * x) / determinant], axis=1)

    def _by_gcps(self, points: Float, *, inverse: bool) -> Float:
        moved, success = self._gcp_transformer().TransformPoints(int(inverse), points.tolist())
        if not all(success):
            raise BadInput(
                "The scene's ground control points do not cover the wanted area; choose an extent inside the scene."
            )
        return np.asarray(moved, np.float64)[:, :2]

    def _gcp_transformer(self) -> Any:
        memory = gdal.GetDriverByName("MEM").Create("", max(self.width, 1), max(self.height, 1), 0)
        memory.SetGCPs(list(self.gcps), text(self.crs.ExportToWkt()) if self.crs else "")
        try:
            return gdal.Transformer(memory, None, ["METHOD=GCP_POLYNOMIAL"])
        except FAULTS as error:
            raise BadInput(
                f"The scene's {len(self.gcps)} ground control points do not make a transformation "
                f"({first_line(error)}); georeference the scene first."
            ) from None

    def window_of(self, extent: tuple[float, float, float, float]) -> Window:
        """Smallest window of whole pixels that holds ``extent`` (xmin, ymin, xmax, ymax in CRS units), clipped.

        Raises:
            BadInput: when the extent lies outside the raster.
        """
        xmin, ymin, xmax, ymax = (min(max(value, -1e100), 1e100) for value in extent)  # squares stay finite
        if self.geotransform is None and not self.gcps and ymin >= 0:  # pixel and line, both from zero
            ymin, ymax = -ymax, -ymin
        steps = np.linspace(0.0, 1.0, 9)
        edge = [(xmin + (xmax - xmin) * t, y) for t in steps for y in (ymin, ymax)]
        edge += [(x, ymin + (ymax - ymin) * t) for t in steps for x in (xmin, xmax)]
        pixels = self.to_pixels(np.asarray(edge, np.float64))
        slack = 1e-4  # corners typed with few digits do not pull in another row
        first = np.floor(pixels.min(axis=0) + slack)
        last = np.ceil(pixels.max(axis=0) - slack)
        x0, y0 = (int(np.clip(v, 0, limit)) for v, limit in zip(first, (self.width, self.height), strict=True))
        x1, y1 = (int(np.clip(v, 0, limit)) for v, limit in zip(last, (self.width, self.height), strict=True))
        if x0 >= x1 or y0 >= y1:
            corners = self.to_ground(np.asarray([[0, 0], [self.width, self.height]], np.float64))
            low, high = corners.min(axis=0), corners.max(axis=0)
            raise BadInput(
                f"The extent {xmin:.10g},{ymin:.10g},{xmax:.10g},{ymax:.10g} lies outside the scene, which spans "
                f"{low[0]:.10g},{low[1]:.10g},{high[0]:.10g},{high[1]:.10g} in its own CRS; choose an extent inside it."
            )
        return Window(x0, y0, x1 - x0, y1 - y0)

    def crs_name(self) -> str | None:
        """The CRS as ``EPSG:n`` where it has a code, else as WKT; None without one."""
        if self.crs is None:
            return None
        code = self.crs.GetAuthorityCode(None)
        return f"{text(self.crs.GetAuthorityName(None))}:{text(code)}" if code else text(self.crs.ExportToWkt())

    def shifted_geotransform(self, window: Window) -> tuple[float, ...] | None:
        """Geotransform of a part of the raster."""
        if self.geotransform is None:
            return None
        a, b, c, d, e, f = self.geotransform
        return (a + b * window.x + c * window.y, b, c, d + e * window.x + f * window.y, e, f)

    def shifted_gcps(self, window: Window) -> list[Any]:
        """Ground control points of a part of the raster."""
        return [
            gdal.GCP(p.GCPX, p.GCPY, p.GCPZ, p.GCPPixel - window.x, p.GCPLine - window.y, p.Info, p.Id)
            for p in self.gcps
        ]

    def shifted_rpc(self, window: Window) -> dict[str, str]:
        """Rational polynomial coefficients of a part of the raster."""
        shifted = dict(self.rpc)
        for key, first in (("SAMP_OFF", window.x), ("LINE_OFF", window.y)):
            with contextlib.suppress(ValueError):
                if key in shifted and first:
                    shifted[key] = repr(float(shifted[key].split()[0]) - first)
        return shifted

    def to_lonlat(self, pixels: Float) -> Float | None:
        """Pixel positions ``(n, 2)`` to longitude and latitude in degrees on the CRS's own ellipsoid, or None."""
        if self.crs is None or not (self.crs.IsProjected() or self.crs.IsGeographic()):
            return None
        ground = self.to_ground(pixels)
        if self.crs.IsGeographic():
            return np.asarray(ground * math.degrees(self.crs.GetAngularUnits()), np.float64)
        geographic = self.crs.CloneGeogCS()
        geographic.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
        try:
            moved = osr.CoordinateTransformation(self.crs, geographic).TransformPoints(ground.tolist())
        except FAULTS:
            return None
        lonlat = np.asarray(moved, np.float64)[:, :2] * math.degrees(geographic.GetAngularUnits())
        return lonlat if bool(np.all(np.isfinite(lonlat))) else None

    def centre_wgs84(self, window: Window) -> tuple[float, float] | None:
        """Longitude (-180 to 180) and latitude of a window's centre in degrees (WGS 84); None without a usable CRS."""
        if self.crs is None or (self.geotransform is None and not self.gcps):
            return None
        centre = np.asarray([[window.x + window.width / 2, window.y + window.height / 2]], np.float64)
        wgs84 = osr.SpatialReference()
        try:
            wgs84.ImportFromEPSG(4326)
            wgs84.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
            moved = osr.CoordinateTransformation(self.crs, wgs84).TransformPoints(self.to_ground(centre).tolist())
        except FAULTS:
            return None
        longitude, latitude = moved[0][:2]
        if not (math.isfinite(longitude) and abs(latitude) <= 90):
            return None
        return (longitude + 180) % 360 - 180, latitude

    def ellipsoid(self) -> tuple[float, float]:
        """Semi-major axis in metres and squared eccentricity."""
        if self.crs is None:
            return 6378137.0, 0.0066943799901413
        flattening = 1.0 / self.crs.GetInvFlattening() if self.crs.GetInvFlattening() else 0.0
        return self.crs.GetSemiMajor(), flattening * (2.0 - flattening)

    def pixel_size_m(self) -> tuple[float, float] | None:
        """Ground distance of one column and one row at the scene's centre, metres; None without a usable CRS.

        Projected CRSs say it in their own units; for Web Mercator, geographic ones and others whose units are far from
        lengths on the ground there, it is computed on the ellipsoid.
        """
        if self.crs is None or (self.geotransform is None and not self.gcps):
            return None
        column, row = self.width / 2, self.height / 2
        points = np.asarray([[column, row], [column + 1, row], [column, row + 1]], np.float64)
        nominal = None
        if self.crs.IsProjected() or self.crs.IsLocal():
            ground = self.to_ground(points) * self.crs.GetLinearUnits()
            nominal = math.dist(ground[0], ground[1]), math.dist(ground[0], ground[2])
        lonlat = self.to_lonlat(points)
        if lonlat is None:
            return nominal
        if not self.crs.IsGeographic():  # there, longitudes go on beyond the date line
            lonlat[:, 0] = within_half_a_turn(lonlat[:, 0], lonlat[0, 0], 360.0)
        measured = self._distance_m(lonlat[0], lonlat[1]), self._distance_m(lonlat[0], lonlat[2])
        if nominal is None or self._is_mercator():
            return measured
        near = all(abs(a - b) <= LARGEST_DISTORTION * a for a, b in zip(nominal, measured, strict=True))
        return nominal if near else measured

    def _is_mercator(self) -> bool:
        """Whether lengths in the CRS grow with latitude, as in Web Mercator."""
        projection = (self.crs.GetAttrValue("PROJECTION") or "").lower() if self.crs else ""
        return "mercator" in projection and "transverse" not in projection

    def _distance_m(self, start: Float, end: Float) -> float:
        """Length of a short line on the ellipsoid."""
        axis, squared = self.ellipsoid()
        latitude = math.radians((start[1] + end[1]) / 2)
        w = 1.0 - squared * math.sin(latitude) ** 2
        north = math.radians(end[1] - start[1]) * axis * (1.0 - squared) / w**1.5
        east = math.radians(end[0] - start[0]) * axis * math.cos(latitude) / math.sqrt(w)
        return math.hypot(north, east)

    def cell_pixel_areas(self, window: Window, cell_px: int, fallback_m: Sequence[float]) -> Float:
        """Mean ellipsoidal area of a pixel, m2, for each cell of ``cell_px`` pixels of the window.

        Corners of the cells go to longitude and authalic latitude, where areas are those of the ellipsoid (Snyder,
        Map Projections: A Working Manual, 1987, eq. 3-12 and 10-14), and each cell is summed as a quadrilateral.

        Args:
            window: part of the raster.
            cell_px: cell size in pixels; the last cells of a row or column may be smaller.
            fallback_m: pixel width and height in metres, used without a CRS.

        Returns:
            Array ``(rows of cells, columns of cells)``.
        """
        columns = np.append(np.arange(0, window.width, cell_px), window.width)
        rows = np.append(np.arange(0, window.height, cell_px), window.height)
        grid = np.stack(np.meshgrid(columns + window.x, rows + window.y), axis=-1).astype(np.float64)
        flat = np.full((len(rows) - 1, len(columns) - 1), float(fallback_m[0]) * float(fallback_m[1]))
        if self.geotransform is None and not self.gcps:
            return flat
        lonlat = self.to_lonlat(grid.reshape(-1, 2))
        if lonlat is None:
            return flat
        axis, squared = self.ellipsoid()
        x = np.radians(lonlat[:, 0]).reshape(grid.shape[:2])
        height = _authalic_height(np.radians(lonlat[:, 1]), squared).reshape(grid.shape[:2])
        if self.crs is not None and self.crs.IsGeographic():  # longitudes go on beyond the date line
            area = _cylinder_areas(x, height, lambda difference: difference)
        else:
            area = _cylinder_areas(x, height, _wrapped)
            turned = np.abs(_wrapped(x[:-1, :-1] - x[1:, 1:])) + np.abs(_wrapped(x[:-1, 1:] - x[1:, :-1])) > np.pi / 2
            if turned.any():  # a pole is near
                area = np.where(turned, _sphere_areas(x, height, _authalic_height(np.array(np.pi / 2), squared)), area)
        area = area * axis * axis
        pixels = np.diff(rows)[:, None] * np.diff(columns)[None, :]
        return np.asarray(area / pixels, np.float64)


def turn_of(crs: Any | None) -> float:
    """Length of a turn round the Earth along x, in units of a CRS; 0 where a turn does not lead along x.

    It does in geographic CRSs and in Mercator's.
    """
    if crs is None:
        return 0.0
    if crs.IsGeographic():
        return float(2 * math.pi / crs.GetAngularUnits())
    if not (crs.GetAttrValue("PROJECTION") or "").lower().startswith("mercator"):  # others: transverse and oblique
        return 0.0
    geographic = crs.CloneGeogCS()
    geographic.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    degree = math.radians(1) / geographic.GetAngularUnits()
    middle = crs.GetProjParm("central_meridian", 0.0)
    ends = [[middle - degree, 0.0], [middle + degree, 0.0]]
    try:
        west, east = osr.CoordinateTransformation(geographic, crs).TransformPoints(ends)
    except FAULTS:  # a damaged CRS: nothing can be brought to it, either
        return 0.0
    turn = float(180 * (east[0] - west[0]))
    return turn if math.isfinite(turn) else 0.0


def within_half_a_turn(x: Any, middle: float, turn: float) -> Any:
    """Longitudes or eastings moved by whole turns to within half a turn of ``middle``; as they are if it is 0."""
    return x - turn * np.floor((x - middle) / turn + 0.5) if turn else x


def _wrapped(difference: Float) -> Float:
    """Difference of longitudes to -pi to pi."""
    return np.asarray((difference + np.pi) % (2 * np.pi) - np.pi, np.float64)


def _cylinder_areas(x: Float, height: Float, wrap: Callable[[Float], Float]) -> Float:
    """Areas of the quadrilaterals of a net of points on the equal-area cylinder, by their diagonals."""
    across = wrap(x[:-1, :-1] - x[1:, 1:]) * (height[:-1, 1:] - height[1:, :-1])
    along = wrap(x[:-1, 1:] - x[1:, :-1]) * (height[:-1, :-1] - height[1:, 1:])
    return np.asarray(np.abs(across - along) / 2, np.float64)


def _sphere_areas(x: Float, height: Float, highest: Float) -> Float:
    """The same on the sphere of equal area, each quadrilateral as two triangles (Van Oosterom & Strackee 1983)."""
    sine = np.clip(height / highest, -1, 1)
    cosine = np.sqrt(1 - sine**2)
    points = np.stack([cosine * np.cos(x), cosine * np.sin(x), sine], axis=-1)
    a, b, c, d = points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]

    def triangle(p: Float, q: Float, r: Float) -> Float:
        volume = (p * np.cross(q - p, r - p)).sum(-1)
        angles = 1 + (p * q).sum(-1) + (q * r).sum(-1) + (r * p).sum(-1)
        return np.asarray(2 * np.arctan2(volume, angles), np.float64)

    return np.asarray(np.abs(triangle(a, b, c) + triangle(a, c, d)) * highest, np.float64)


def _authalic_height(latitude: Float, squared: float) -> Float:
    """Height above the equator on the equal-area cylinder of unit semi-major axis (Snyder 1987, eq. 3-12, halved)."""
    sine = np.sin(latitude)
    if squared < 1e-12:
        return np.asarray(sine, np.float64)
    e = math.sqrt(squared)
    return np.asarray(
        (1 - squared) / 2 * (sine / (1 - squared * sine**2) - np.log((1 - e * sine) / (1 + e * sine)) / (2 * e)),
        np.float64,
    )


def read_georeference(dataset: Any, crs_override: str | None) -> Georeference:
    """Georeference of an open dataset; raises BadInput when a CRS override is not a CRS or the grid is degenerate."""
    geotransform = ask_twice(lambda: dataset.GetGeoTransform(can_return_null=True))
    gcps = tuple(ask_twice(dataset.GetGCPs) or ())
    crs = ask_twice(dataset.GetSpatialRef)
    if geotransform is None and gcps:
        crs = crs or ask_twice(dataset.GetGCPSpatialRef)
    if geotransform is not None:
        _, b, c, _, e, f = geotransform
        if not all(abs(v) <= FARTHEST for v in geotransform) or b * f - c * e == 0:  # NaN is not, either
            raise BadInput(
                "The scene's geotransform is degenerate (no pixel area, or no place on Earth); georeference the scene "
                "anew."
            )
        if geotransform == (0.0, 1.0, 0.0, 0.0, 0.0, 1.0):
            geotransform = None
    if crs_override:
        crs = osr.SpatialReference()
        try:
            crs.SetFromUserInput(crs_override)
        except FAULTS as error:
            raise BadInput(
                f"CRS '{crs_override[:60]}' is not understood ({first_line(error)}); give EPSG:n or WKT."
            ) from None
    if crs is not None and not ask_twice(crs.ExportToWkt):  # damaged: nothing can be done with it
        crs = None
    if crs is not None:
        crs = crs.Clone()
        crs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return Georeference(
        dataset.RasterXSize,
        dataset.RasterYSize,
        geotransform,
        gcps if geotransform is None else (),
        crs,
        {} if geotransform is not None else dict(ask_twice(lambda: dataset.GetMetadata("RPC")) or {}),
    )
