"""The table of an archive: a layer of a GeoPackage with one row and one footprint a scene."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from osgeo import gdal, ogr, osr

from ..protocol import BadInput, OutputFailed, partial_files, partial_path
from ..raster.gdal_setup import FAULTS, first_line, prepare_gdal, quiet_closing, text
from ..raster.georeference import Georeference, Window

LAYER = "archive"
FIELDS = {
    "scene": ogr.OFTString,
    "date": ogr.OFTDate,
    "hazard": ogr.OFTString,
    "state": ogr.OFTString,
    "reason": ogr.OFTString,
    "model": ogr.OFTString,
    "threshold": ogr.OFTReal,
    "adaptation": ogr.OFTString,
    "area_m2": ogr.OFTReal,
    "area_ha": ogr.OFTReal,
    "share_assessed": ogr.OFTReal,
    "polygon_count": ogr.OFTInteger64,
    "seconds": ogr.OFTReal,
    "attempts": ogr.OFTInteger,
    "device": ogr.OFTString,
    "source": ogr.OFTString,
    "mask": ogr.OFTString,
    "probability": ogr.OFTString,
    "polygons": ogr.OFTString,
    "scene_sha256": ogr.OFTString,
    "model_sha256": ogr.OFTString,
    "mask_sha256": ogr.OFTString,
    "job_sha256": ogr.OFTString,
    "warnings": ogr.OFTString,
    "finished_at": ogr.OFTDateTime,
}
EDGE_STEPS = 16
"""Points a side of a footprint: what is straight on a scene's grid is curved in degrees."""


def footprint_wkt(reference: Georeference, window: Window) -> str | None:
    """Outline of a part of a raster as a multipolygon in degrees (WGS 84), cut at the date line; None without a CRS."""
    if reference.crs is None or (reference.geotransform is None and not reference.gcps):
        return None
    steps = np.arange(EDGE_STEPS) / EDGE_STEPS
    zero, one = np.zeros(EDGE_STEPS), np.ones(EDGE_STEPS)
    x = np.concatenate([steps, one, 1 - steps, zero]) * window.width + window.x
    y = np.concatenate([zero, steps, one, 1 - steps]) * window.height + window.y
    wgs84 = osr.SpatialReference()
    try:
        wgs84.ImportFromEPSG(4326)
        wgs84.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
        ground = reference.to_ground(np.stack([x, y], axis=1))
        moved = osr.CoordinateTransformation(reference.crs, wgs84).TransformPoints(ground.tolist())
    except (*FAULTS, BadInput):
        return None
    lonlat = np.asarray(moved, np.float64)[:, :2]
    if not np.isfinite(lonlat).all() or np.abs(lonlat[:, 1]).max() > 90:
        return None
    closed = np.vstack([lonlat, lonlat[:1]])
    closed[:, 0] = np.unwrap(closed[:, 0], period=360)
    turn = closed[-1, 0] - closed[0, 0]
    if abs(turn) > 180:  # it goes round a pole
        pole = np.copysign(90.0, closed[:, 1].mean())
        closed = np.vstack([closed, [[closed[-1, 0], pole], [closed[0, 0], pole], closed[0]]])
    return _cut_at_date_line(closed.tolist())


def _cut_at_date_line(ring: list[list[float]]) -> str:
    """A closed ring whose longitudes go on beyond 180 degrees, as a multipolygon within them."""
    outline = ogr.Geometry(ogr.wkbLinearRing)
    for longitude, latitude in ring:
        outline.AddPoint_2D(longitude, latitude)
    whole = ogr.Geometry(ogr.wkbPolygon)
    whole.AddGeometry(outline)
    found = ogr.Geometry(ogr.wkbMultiPolygon)
    west, east, _, _ = whole.GetEnvelope()
    if west >= -180 and east <= 180:
        found.AddGeometry(whole)
        return text(found.ExportToWkt())
    for turns in range(int(np.floor((west + 180) / 360)), int(np.floor((east + 180) / 360)) + 1):
        part = whole.Intersection(_strip(360.0 * turns))
        for index in range(part.GetGeometryCount() if part.GetGeometryType() != ogr.wkbPolygon else 1):
            piece = part if part.GetGeometryType() == ogr.wkbPolygon else part.GetGeometryRef(index)
            if piece.GetGeometryType() == ogr.wkbPolygon and piece.GetArea() > 0:
                found.AddGeometry(_shifted(piece, -360.0 * turns))
    return text(found.ExportToWkt())


def _strip(first: float) -> Any:
    low, high = first - 180, first + 180
    return ogr.CreateGeometryFromWkt(f"POLYGON (({low} -90,{high} -90,{high} 90,{low} 90,{low} -90))")


def _shifted(polygon: Any, by: float) -> Any:
    moved = polygon.Clone()
    for part in range(moved.GetGeometryCount()):
        ring = moved.GetGeometryRef(part)
        for index in range(ring.GetPointCount()):
            ring.SetPoint_2D(index, ring.GetX(index) + by, ring.GetY(index))
    return moved


def check_table(path: str) -> None:
    """Raise BadInput where a file of that name is no GeoPackage, or holds another layer ``archive``."""
    if not os.path.lexists(path):
        return
    prepare_gdal()
    try:
        dataset = gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_READONLY, allowed_drivers=["GPKG"])
        layer = _layer(dataset)
        missing = _missing(layer) if layer is not None else []
        layer = dataset = None
    except FAULTS as error:
        raise BadInput(
            f"'{path}' cannot be opened as a GeoPackage ({first_line(error)}); choose another table."
        ) from None
    if missing:
        raise BadInput(
            f"The layer '{LAYER}' of '{path}' has no column '{missing[0]}', so it is no table of an archive; choose "
            "another table."
        )


def write_table(path: str, rows: Sequence[Mapping[str, Any]], job_id: str) -> None:
    """Write all rows, those of before replaced, or leave the file as it is.

    A file that exists is changed in one transaction, because it may be open in QGIS, and other layers in it stay; a
    new one is made beside and renamed.

    Args:
        path: GeoPackage.
        rows: values by ``FIELDS``, and the outline as ``footprint`` (WKT in degrees); None or missing stays empty.
        job_id: names the unfinished file.

    Raises:
        OutputFailed: the file cannot be written.
    """
    prepare_gdal()
    partial = partial_path(path, job_id)
    exists = os.path.lexists(path)
    dataset: Any = None
    try:
        with _told(path):
            driver = gdal.GetDriverByName("GPKG")
            if exists:
                dataset = gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_UPDATE, allowed_drivers=["GPKG"])
            else:
                dataset = driver.Create(partial, 0, 0, 0, gdal.GDT_Unknown)
            _replace_rows(dataset, rows)
            dataset = None
            if not exists:
                os.replace(partial, path)
    finally:
        with quiet_closing():
            dataset = None
        for leftover in partial_files(path, job_id) if not exists else ():
            with contextlib.suppress(OSError):
                os.remove(leftover)


def _replace_rows(dataset: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    layer: Any = None
    feature: Any = None
    dataset.StartTransaction()
    try:
        layer = _layer(dataset)
        if layer is None:
            wgs84 = osr.SpatialReference()
            wgs84.ImportFromEPSG(4326)
            wgs84.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
            layer = dataset.CreateLayer(LAYER, wgs84, ogr.wkbMultiPolygon)
            for name, kind in FIELDS.items():
                layer.CreateField(ogr.FieldDefn(name, kind))
        for fid in [feature.GetFID() for feature in layer]:
            layer.DeleteFeature(fid)
        feature = None
        for row in rows:
            feature = ogr.Feature(layer.GetLayerDefn())
            for name in FIELDS:
                value = row.get(name)
                if value is None:
                    feature.SetFieldNull(name)
                elif isinstance(value, str):  # names of files may hold bytes that are no text
                    feature.SetField(name, value.encode("utf-8", "replace").decode("utf-8"))
                else:
                    feature.SetField(name, value)
            if row.get("footprint"):
                feature.SetGeometry(ogr.CreateGeometryFromWkt(row["footprint"]))
            layer.CreateFeature(feature)
        dataset.CommitTransaction()
    except BaseException:
        with contextlib.suppress(*FAULTS):
            dataset.RollbackTransaction()
        raise
    finally:
        feature = layer = None  # they do not outlive the dataset


def _layer(dataset: Any) -> Any:
    for index in range(dataset.GetLayerCount()):
        layer = dataset.GetLayer(index)
        if text(layer.GetName()).lower() == LAYER:
            return layer
    return None


def _missing(layer: Any) -> list[str]:
    definition = layer.GetLayerDefn()
    present = {text(definition.GetFieldDefn(i).GetName()) for i in range(definition.GetFieldCount())}
    return [name for name in FIELDS if name not in present]


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, OSError) as error:
        if isinstance(error, BadInput):
            raise
        reason = first_line(error)
        remedy = "close what is writing to it" if "locked" in reason else "check folder, rights and disk"
        raise OutputFailed(f"The table '{path}' cannot be written ({reason}); {remedy}.") from None
