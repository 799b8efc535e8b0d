"""A monitoring series: a table of a GeoPackage with one row a date and hazard."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from osgeo import gdal, ogr

from ..protocol import BadInput, OutputFailed, partial_files, partial_path
from ..raster.gdal_setup import FAULTS, first_line, prepare_gdal, quiet_closing, text

FIELDS = {
    "date": ogr.OFTDate,
    "hazard": ogr.OFTString,
    "area_m2": ogr.OFTReal,
    "area_ha": ogr.OFTReal,
    "share_assessed": ogr.OFTReal,
    "model": ogr.OFTString,
    "threshold": ogr.OFTReal,
    "scene": ogr.OFTString,
    "mask": ogr.OFTString,
    "gained_m2": ogr.OFTReal,
    "lost_m2": ogr.OFTReal,
    "added_at": ogr.OFTDateTime,
}


@dataclass(frozen=True)
class SeriesRow:
    """One row; ``date`` is a day and ``added_at`` a time in UTC, as ISO 8601, and ``fid`` is None until it is stored.

    ``mask`` is the mask's file: relative to the table's folder where it lies in there, else absolute.
    """

    date: str
    hazard: str
    area_m2: float
    share_assessed: float
    scene: str
    mask: str
    added_at: str
    model: str | None = None
    threshold: float | None = None
    gained_m2: float | None = None
    lost_m2: float | None = None
    fid: int | None = None

    @property
    def area_ha(self) -> float:
        """The same area in hectares."""
        return self.area_m2 / 10_000


class SeriesTable:
    """The table, opened to be read, then changed as a whole or not at all. Use as a context manager.

    A file that exists is changed in one transaction, which the database itself takes back on failure: it may be open
    in QGIS, whose journal would not match a file put in its place. A new one is made beside and renamed.

    Raises:
        BadInput: the file is no GeoPackage, or the table is not a series.
    """

    def __init__(self, path: str, name: str, job_id: str) -> None:
        prepare_gdal()
        self._path, self._name, self._job_id = path, name, job_id
        self._exists = os.path.lexists(path)
        self._dataset: Any = None
        if self._exists:
            with self._told("be read"):
                reader = self._open(gdal.OF_READONLY)
                layer = _layer(reader, name)
                self._rows = [] if layer is None else list(self._read(layer))
                layer = reader = None
        else:
            self._rows = []

    @property
    def rows(self) -> list[SeriesRow]:
        """Rows as they are stored, by date, then by when they were added."""
        return sorted(self._rows, key=lambda row: (row.date, row.added_at))

    def _open(self, access: int) -> Any:
        try:
            return gdal.OpenEx(self._path, gdal.OF_VECTOR | access, allowed_drivers=["GPKG"])
        except FAULTS as error:
            if access == gdal.OF_READONLY:
                raise BadInput(
                    f"'{self._path}' cannot be opened as a GeoPackage ({first_line(error)}); choose another name."
                ) from None
            raise

    def _read(self, layer: Any) -> Iterator[SeriesRow]:
        definition = layer.GetLayerDefn()
        present = {text(definition.GetFieldDefn(i).GetName()): i for i in range(definition.GetFieldCount())}
        missing = [name for name in FIELDS if name not in present]
        if missing or layer.GetGeomType() != ogr.wkbNone:
            what = f"has no column '{missing[0]}'" if missing else "has geometries"
            raise BadInput(f"The table '{self._name}' {what}, so it is no series; give the series another name.")
        for feature in layer:

            def number(name: str, feature: Any = feature) -> float | None:
                index = present[name]
                return feature.GetFieldAsDouble(index) if feature.IsFieldSetAndNotNull(index) else None

            def words(name: str, feature: Any = feature) -> str:
                return text(feature.GetFieldAsString(present[name]))

            yield SeriesRow(
                date=words("date").replace("/", "-"),
                hazard=words("hazard"),
                area_m2=number("area_m2") or 0.0,
                share_assessed=number("share_assessed") or 0.0,
                scene=words("scene"),
                mask=words("mask"),
                added_at=words("added_at"),
                model=words("model") or None,
                threshold=number("threshold"),
                gained_m2=number("gained_m2"),
                lost_m2=number("lost_m2"),
                fid=feature.GetFID(),
            )

    def change(self, remove: list[SeriesRow], add: SeriesRow, update: list[SeriesRow]) -> None:
        """Remove, add and update rows, all or none; only gained and lost of updated rows are written.

        Raises:
            OutputFailed: the file cannot be written; it is as it was.
        """
        if self._exists:
            with self._told("be written"):
                self._dataset = self._open(gdal.OF_UPDATE)
                self._write(remove, add, update)
                self._dataset = None
            return
        partial = partial_path(self._path, self._job_id)
        with self._told("be written"):
            self._dataset = ogr.GetDriverByName("GPKG").CreateDataSource(partial)
            self._write(remove, add, update)
            self._dataset = None
            os.replace(partial, self._path)

    def _write(self, remove: list[SeriesRow], add: SeriesRow, update: list[SeriesRow]) -> None:
        dataset, layer, feature = self._dataset, None, None
        dataset.StartTransaction()
        try:
            layer = _layer(dataset, self._name)
            if layer is None:
                layer = dataset.CreateLayer(self._name, None, ogr.wkbNone)
                for name, kind in FIELDS.items():
                    layer.CreateField(ogr.FieldDefn(name, kind))
            for row in remove:
                layer.DeleteFeature(row.fid)
            for row in update:
                feature = layer.GetFeature(row.fid)
                _fill(feature, {"gained_m2": row.gained_m2, "lost_m2": row.lost_m2})
                layer.SetFeature(feature)
            feature = ogr.Feature(layer.GetLayerDefn())
            _fill(feature, {name: getattr(add, name) for name in FIELDS})
            layer.CreateFeature(feature)
            dataset.CommitTransaction()
        except BaseException:
            with contextlib.suppress(*FAULTS):
                dataset.RollbackTransaction()
            raise
        finally:
            feature = layer = None  # they do not outlive the dataset

    def __enter__(self) -> SeriesTable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with quiet_closing():
            self._dataset = None
        if not self._exists:
            for leftover in partial_files(self._path, self._job_id):
                with contextlib.suppress(OSError):
                    os.remove(leftover)

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, OSError) as error:
            if isinstance(error, BadInput):
                raise
            reason = first_line(error)
            remedy = "close what is writing to it" if "locked" in reason else "check folder, rights and disk"
            raise OutputFailed(f"The series '{self._path}' cannot {what} ({reason}); {remedy}.") from None


def _layer(dataset: Any, name: str) -> Any:
    """Layer of a dataset by its name, upper or lower case alike; None if there is none."""
    for index in range(dataset.GetLayerCount()):
        layer = dataset.GetLayer(index)
        if text(layer.GetName()).lower() == name.lower():
            return layer
    return None


def _fill(feature: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if value is None:
            feature.SetFieldNull(name)
        else:
            feature.SetField(name, value)
