"""What analysts drew and removed by hand, read back so that it survives another run of the model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from osgeo import gdal, ogr, osr

from ..protocol import BadInput
from ..raster.gdal_setup import FAULTS, first_line, prepare_gdal, text
from ..raster.georeference import Georeference
from ..raster.scene import require_file
from .ground import GroundAreas
from .outlines import from_wkb, to_wkb

MODEL, MANUAL, REMOVED = "model", "manual", "removed"
ORIGIN = "origin"
BY_HAND = {"det_method": "Photo-interpretation", "prob_mean": None, "prob_min": None}
"""What a polygon says that was drawn where nothing filled in its attributes."""


@dataclass(frozen=True)
class Column:
    """A field of a vector file."""

    name: str
    kind: int
    subtype: int = 0
    width: int = 0
    precision: int = 0


@dataclass(frozen=True)
class Correction:
    """One polygon of an analyst: in the mask's CRS, with all its attributes by lower-case name."""

    origin: str
    wkb: bytes
    values: Mapping[str, Any]


@dataclass
class Corrections:
    """All corrections of a file, ready to be cut out of the model's polygons.

    Attributes:
        shapes: in the order of the file.
        columns: fields of that file.
        mended: how many were no valid polygons and were made so.
        redrawn: how many say that they are the model's, but have not the area any more that was written for them.
    """

    shapes: list[Correction] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    mended: int = 0
    redrawn: int = 0
    _boxes: Any = None

    def cut(self, wkb: bytes, least: float) -> bytes | None:
        """What is left of a polygon beside the corrections: the same object where they do not touch it, or None.

        Pieces smaller than ``least``, in square units of the CRS, are crumbs and fall away.
        """
        if not self.shapes:
            return wkb
        if self._boxes is None:
            boxes = [ogr.CreateGeometryFromWkb(shape.wkb).GetEnvelope() for shape in self.shapes]
            self._boxes = np.asarray(boxes, np.float64)
        polygon = ogr.CreateGeometryFromWkb(wkb)
        xmin, xmax, ymin, ymax = polygon.GetEnvelope()
        boxes = self._boxes
        near = (boxes[:, 0] < xmax) & (boxes[:, 1] > xmin) & (boxes[:, 2] < ymax) & (boxes[:, 3] > ymin)
        if not near.any():
            return wkb
        cutters = ogr.Geometry(ogr.wkbMultiPolygon)
        for index in np.flatnonzero(near).tolist():
            for part in ogr.CreateGeometryFromWkb(self.shapes[index].wkb):
                cutters.AddGeometry(part)
        cutter = cutters.UnionCascaded()
        if not polygon.Intersects(cutter) or polygon.Touches(cutter):
            return wkb
        parts = [part for part in polygon_parts(polygon.Difference(cutter)) if part.Area() >= least]
        return as_multipolygon(parts) if parts else None


def read_corrections(path: str, georeference: Georeference) -> Corrections:
    """Polygons of origin ``manual`` and ``removed`` of a file's first layer that says so, taken to the mask's CRS.

    Those without an origin were drawn where nothing filled it in, and those of the model that have not the area any
    more which was written for them were redrawn there: they are manual as well.

    Raises:
        BadInput: the file cannot be read, no layer has a field ``origin``, or its CRS cannot be brought to the mask's.
    """
    prepare_gdal()
    require_file(path, "polygon file")
    name = os.path.basename(path)
    try:
        source = gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_READONLY)
        layers = [source.GetLayer(i) for i in range(source.GetLayerCount())]
        for layer in layers:
            columns = _columns(layer)
            if ORIGIN in [column.name.lower() for column in columns]:
                return _read(layer, columns, georeference, name)
    except FAULTS as error:
        raise BadInput(f"The polygons '{name}' cannot be read ({first_line(error)}); give a vector file.") from None
    raise BadInput(
        f"'{name}' has no field 'origin'; expected polygons of Hazard Mapper, whose origin is model, manual or removed."
    )


def _columns(layer: Any) -> list[Column]:
    definition = layer.GetLayerDefn()
    found = [definition.GetFieldDefn(i) for i in range(definition.GetFieldCount())]
    return [Column(text(f.GetName()), f.GetType(), f.GetSubType(), f.GetWidth(), f.GetPrecision()) for f in found]


def _read(layer: Any, columns: list[Column], georeference: Georeference, name: str) -> Corrections:
    found = Corrections(columns=columns)
    move = _move(layer.GetSpatialRef(), georeference, name)
    areas: GroundAreas | None = None
    for feature in layer:
        values = {column.name.lower(): feature.GetField(i) for i, column in enumerate(columns)}
        origin, written = str(values[ORIGIN] or "").strip().lower(), _area(values.get("area_m2"))
        geometry = feature.GetGeometryRef()
        is_own = origin == MODEL and written > 0
        if geometry is None or geometry.IsEmpty() or not (is_own or origin in (MANUAL, REMOVED, "")):
            continue
        geometry = geometry.Clone().GetLinearGeometry()
        geometry.FlattenTo2D()
        if move is not None:
            geometry.Transform(move)
        if is_own:
            areas = areas or GroundAreas(georeference)
            if areas.is_as_written(geometry, written):
                continue
        was_valid = geometry.IsValid()
        parts = [part for part in polygon_parts(geometry if was_valid else geometry.MakeValid()) if part.Area() > 0]
        if not parts:
            continue
        wkb = as_multipolygon(parts)
        if areas is not None and is_own:
            if not areas.differs(wkb, written):
                continue
            found.redrawn += 1
        if origin not in (MANUAL, REMOVED):
            origin, values = MANUAL, {**values, **BY_HAND}
        found.mended += not was_valid
        found.shapes.append(Correction(origin, wkb, values))
    return found


def _area(value: Any) -> float:
    """Area that is written beside a polygon; 0 where that is no number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _move(crs: Any, georeference: Georeference, name: str) -> Any:
    if crs is None or georeference.crs is None:
        return None
    crs = crs.Clone()
    crs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    if crs.IsSame(georeference.crs):
        return None
    try:
        return osr.CoordinateTransformation(crs, georeference.crs)
    except FAULTS as error:
        raise BadInput(f"The CRS of '{name}' cannot be brought to the mask's ({first_line(error)}).") from None


def polygon_parts(geometry: Any) -> list[Any]:
    """Single polygons of any geometry; lines and points are left out."""
    kind = ogr.GT_Flatten(geometry.GetGeometryType())
    if kind == ogr.wkbPolygon:
        return [] if geometry.IsEmpty() else [geometry.Clone()]
    if kind not in (ogr.wkbMultiPolygon, ogr.wkbGeometryCollection):
        return []
    return [part for i in range(geometry.GetGeometryCount()) for part in polygon_parts(geometry.GetGeometryRef(i))]


def as_multipolygon(parts: list[Any]) -> bytes:
    """WKB of single polygons as one."""
    return to_wkb([from_wkb(bytes(part.ExportToIsoWkb(ogr.wkbNDR)))[0] for part in parts])


def united(shapes: list[bytes]) -> bytes | None:
    """WKB of what polygons cover together, where at least two of them overlap; else None."""
    polygons = [ogr.CreateGeometryFromWkb(shape) for shape in shapes]
    boxes = np.asarray([polygon.GetEnvelope() for polygon in polygons], np.float64).reshape(-1, 4)
    for index, (xmin, xmax, ymin, ymax) in enumerate(boxes):
        later = boxes[index + 1 :]
        near = (later[:, 0] < xmax) & (later[:, 1] > xmin) & (later[:, 2] < ymax) & (later[:, 3] > ymin)
        for other in (np.flatnonzero(near) + index + 1).tolist():
            if any(part.Area() > 0 for part in polygon_parts(polygons[index].Intersection(polygons[other]))):
                return as_multipolygon(polygon_parts(_union(polygons)))
    return None


def _union(polygons: list[Any]) -> Any:
    together = ogr.Geometry(ogr.wkbMultiPolygon)
    for polygon in polygons:
        for part in polygon_parts(polygon):
            together.AddGeometry(part)
    return together.UnionCascaded()
