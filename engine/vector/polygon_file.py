"""Polygon files out: GeoPackage, Shapefile, GeoJSON and FlatGeobuf, published whole or not at all."""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from osgeo import gdal, ogr

from ..protocol import VECTOR_FORMATS, OutputFailed, partial_files, partial_path
from ..raster.gdal_setup import prepare_gdal, quiet_closing
from ..raster.georeference import Georeference
from ..raster.output import _publish_all, writing
from .corrections import Column, as_multipolygon, polygon_parts

TEXT, REAL = ogr.OFTString, ogr.OFTReal
COLUMNS = (
    Column("hazard", TEXT, width=80),
    Column("area_m2", REAL, width=20, precision=3),
    Column("area_ha", REAL, width=20, precision=6),
    Column("prob_mean", REAL, width=10, precision=5),
    Column("prob_min", REAL, width=10, precision=5),
    Column("scene", TEXT, width=254),
    Column("scene_date", TEXT, width=10),
    Column("model", TEXT, width=254),
    Column("threshold", REAL, width=10, precision=5),
    Column("det_method", TEXT, width=80),
    Column("origin", TEXT, width=10),
)
"""Fields of every polygon file; names fit a Shapefile."""
FIRST_FIELD = ("fid", "ogc_fid", "id")
"""Names of fields that formats use for the number of a feature."""
SHAPEFILE_PARTS = (".shx", ".dbf", ".prj", ".cpg")
STALE = {
    ".shp": (".qix", ".sbn", ".sbx", ".shp.xml", ".idm", ".ind"),
    ".gpkg": (".gpkg-wal", ".gpkg-shm", ".gpkg-journal"),
}
"""Endings of files that belong to a replaced file and would be wrong beside the new one."""
METRES_A_DEGREE = 111_000
GEOJSON_DIGITS_BELOW_PIXEL = 4
LONGEST_SIDE_PX = 64
"""Longer sides get more corners where the format goes to another CRS: what is straight here is curved there."""
DONE_AT_ONCE = 20_000


def files_of(path: str) -> list[str]:
    """All files that polygons of this name consist of: a shapefile has several."""
    stem, ending = os.path.splitext(path)
    return [path, *(stem + part for part in SHAPEFILE_PARTS if ending.lower() == ".shp")]


class PolygonFile:
    """A polygon file under a temporary name. Use as a context manager: leaving it without ``publish`` leaves nothing.

    Args:
        path: final name; its ending is the format.
        hazard: name of the layer.
        georeference: of the mask.
        extra: fields beside ``COLUMNS``.
        job_id: names unfinished files.
    """

    def __init__(
        self, path: str, hazard: str, georeference: Georeference, extra: Sequence[Column], job_id: str
    ) -> None:
        prepare_gdal()
        self._path, self._job_id = path, job_id
        self._ending = os.path.splitext(path)[1].lower()
        self._partial = partial_path(path, job_id)
        self._georeference = georeference
        self._count = 0
        self.mended = 0
        known = {column.name for column in COLUMNS}
        others = [c for c in extra if c.name.lower() not in known and c.name.lower() not in FIRST_FIELD]
        self._columns = [*COLUMNS, *others]
        try:
            self._create(hazard)
        except OutputFailed:
            self._discard()
            raise

    def _create(self, hazard: str) -> None:
        driver = VECTOR_FORMATS[self._ending]
        options = {
            "ESRI Shapefile": ["ENCODING=UTF-8"],
            "GeoJSON": ["RFC7946=YES", f"COORDINATE_PRECISION={self._digits()}"],
        }.get(driver, [])
        kind = ogr.wkbPolygon if driver == "ESRI Shapefile" else ogr.wkbMultiPolygon
        with writing(self._path):
            self._dataset: Any = gdal.GetDriverByName(driver).Create(self._partial, 0, 0, 0, gdal.GDT_Unknown)
            self._layer: Any = self._dataset.CreateLayer(
                re.sub(r"\W+", "_", hazard) or "hazard", self._georeference.crs, kind, options
            )
            for column in self._columns:
                definition = ogr.FieldDefn(column.name, column.kind)
                definition.SetSubType(column.subtype)
                if driver == "ESRI Shapefile" or column.kind == TEXT:
                    definition.SetWidth(column.width)
                if driver == "ESRI Shapefile":
                    definition.SetPrecision(column.precision)
                self._layer.CreateField(definition)
            self._transactional = bool(self._layer.TestCapability(ogr.OLCTransactions)) and self._ending == ".gpkg"
            if self._transactional:
                self._dataset.StartTransaction()

    def __enter__(self) -> PolygonFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard()

    def add(self, wkb: bytes, values: Mapping[str, Any]) -> None:
        """Write one polygon; values by lower-case field name, what is None or missing stays empty."""
        with writing(self._path):
            geometry = ogr.CreateGeometryFromWkb(wkb)
            if not geometry.IsValid():
                geometry = ogr.CreateGeometryFromWkb(as_multipolygon(polygon_parts(geometry.MakeValid())))
                self.mended += 1
            if self._ending == ".geojson" and self._georeference.crs is not None:
                geometry.Segmentize(LONGEST_SIDE_PX * self._pixel_length())
            if self._ending == ".shp" and geometry.GetGeometryCount() == 1:
                geometry = geometry.GetGeometryRef(0).Clone()
            feature = ogr.Feature(self._layer.GetLayerDefn())
            feature.SetGeometry(geometry)
            for index, column in enumerate(self._columns):
                value = values.get(column.name.lower())
                if value is None:
                    feature.SetFieldNull(index)
                else:
                    feature.SetField(index, value)
            self._layer.CreateFeature(feature)
            self._count += 1
            if self._transactional and self._count % DONE_AT_ONCE == 0:
                self._dataset.CommitTransaction()
                self._dataset.StartTransaction()

    def _digits(self) -> int:
        """Digits of degrees with which shapes much smaller than a pixel stay as they are."""
        size = min(self._georeference.pixel_size_m() or (1.0, 1.0))
        return min(max(math.ceil(math.log10(METRES_A_DEGREE / size)) + GEOJSON_DIGITS_BELOW_PIXEL, 7), 15)

    def _pixel_length(self) -> float:
        _, b, c, _, e, f = self._georeference.geotransform or (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
        return float(abs(b * f - c * e) ** 0.5)

    def publish(self, tags: Mapping[str, str], style: str | None, *, overwrite: bool) -> None:
        """Complete the file and give it its name; a style is put beside it where there is none.

        Args:
            tags: metadata of the layer, where the format keeps them.
            style: QML file.
            overwrite: replace a file of that name.

        Raises:
            OutputFailed: nothing was published then, and a file of the same name is as it was.
        """
        with writing(self._path):
            if self._ending == ".gpkg":
                self._layer.SetMetadata(dict(tags))
                self._dataset.CommitTransaction()
            self._layer.SyncToDisk()
            self._layer = self._dataset = None
            written = gdal.OpenEx(self._partial, gdal.OF_VECTOR | gdal.OF_READONLY)
            complete = written.GetLayer(0).GetFeatureCount() == self._count
            written = None
        if not complete:
            raise OutputFailed(f"'{self._path}' could not be written completely; make room on the disk and try again.")
        stem, partial_stem = os.path.splitext(self._path)[0], os.path.splitext(self._partial)[0]
        parts = [part for part in SHAPEFILE_PARTS if self._ending == ".shp" and os.path.exists(partial_stem + part)]
        moves = [(partial_stem + part, stem + part) for part in parts]
        if style is not None and not os.path.lexists(stem + ".qml"):
            with writing(self._path):
                shutil.copyfile(style, partial_stem + ".qml")
            moves.append((partial_stem + ".qml", stem + ".qml"))
        moves.append((self._partial, self._path))
        for partial, _ in moves:
            with writing(self._path), open(partial, "rb+") as file:
                os.fsync(file.fileno())
        taken = [path for path in files_of(self._path) if os.path.lexists(path)]
        if taken and not overwrite:
            raise OutputFailed(f"'{taken[0]}' has appeared meanwhile; choose another name.")
        _publish_all(moves)
        stale = [*STALE.get(self._ending, ()), *(SHAPEFILE_PARTS if self._ending == ".shp" else ())]
        for ending in stale:
            if ending not in parts:
                with contextlib.suppress(OSError):
                    os.remove(stem + ending)

    def _discard(self) -> None:
        with contextlib.suppress(RuntimeError), quiet_closing():
            self._layer = None
            self._dataset = None
        for path in partial_files(self._path, self._job_id):
            with contextlib.suppress(OSError):
                os.remove(path)
