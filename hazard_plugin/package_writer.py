"""Writes a vector package layer by layer into a hidden folder, and gives that its name once all is there."""

import contextlib
import hashlib
import os
import shutil
import uuid
from types import TracebackType
from typing import Any, Iterable, Iterator, List, Mapping, Optional, Set, Tuple, Type

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsFeatureSink,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QCoreApplication

from ..engine import protocol
from .compat import REAL_VALUE, TEXT_VALUE, WHOLE_VALUE, save_default_style
from .package_schema import GEOGRAPHIC, REAL, TEXT, WHOLE, Column, Layout, PackageName
from .package_style import dress

GEOPACKAGE, SHAPEFILE = "GeoPackage", "Shapefile"
FORMATS = (GEOPACKAGE, SHAPEFILE)
DRIVERS = {GEOPACKAGE: "GPKG", SHAPEFILE: "ESRI Shapefile"}
README, SUMS = "README.txt", "SHA256SUMS"
CHUNK = 1 << 20

Row = Tuple[Optional[QgsGeometry], Mapping[str, Any]]


class PackageWriter:
    """A package under way. Use as a context manager: unless ``publish`` was reached, nothing is left.

    Args:
        parent: folder in which the package folder is made; it is made if it is missing.
        name: of the package.
        formats: some of ``FORMATS``.
        transforms: of the project.
        overwrite: whether a package of this name may be replaced.

    Raises:
        OutputFailed: the folder cannot be written, or the package exists.
    """

    def __init__(
        self,
        parent: str,
        name: PackageName,
        formats: Tuple[str, ...],
        transforms: QgsCoordinateTransformContext,
        overwrite: bool,
    ) -> None:
        self.name = name
        self.folder = os.path.join(os.path.abspath(parent), name.package)
        self._formats = formats
        self._transforms = transforms
        self._overwrite = overwrite
        require_possible(self.folder, name, overwrite)
        token = uuid.uuid4().hex[:12]
        self._partial = protocol.partial_path(self.folder, token)
        self._replaced = f"{self._partial}-replaced"
        self._written: List[Layout] = []
        self.shortened: Set[str] = set()
        """Columns for which a text was too long, so that its end is missing."""
        with failures_told(self.folder):
            os.makedirs(os.path.dirname(self.folder), exist_ok=True)
            os.mkdir(self._partial)

    def __enter__(self) -> "PackageWriter":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        shutil.rmtree(self._partial, ignore_errors=True)

    def write(self, layout: Layout, rows: Iterable[Row]) -> int:
        """Write a layer in all formats, row by row; returns the number of rows."""
        sinks = [self._sink(layout, kind) for kind in self._formats]
        fields = fields_of(layout)
        count = 0
        try:
            for geometry, values in rows:
                feature = QgsFeature(fields)
                feature.setAttributes([self._fitting(column, values.get(column.name)) for column in layout.columns])
                if geometry is not None:
                    feature.setGeometry(geometry)
                for sink in sinks:
                    if not sink.addFeature(feature, QgsFeatureSink.Flag.FastInsert):
                        raise self._failed(layout, sink.errorMessage())
                count += 1
            for sink in sinks:
                if not sink.flushBuffer() or sink.hasError() != QgsVectorFileWriter.WriterError.NoError:
                    raise self._failed(layout, sink.errorMessage())
        finally:
            while sinks:
                del sinks[0]
        self._written.append(layout)
        return count

    def _fitting(self, column: Column, value: Any) -> Any:
        """The value, its text cut to what the column holds in any format: Shapefiles count bytes."""
        if column.kind != TEXT or not isinstance(value, str):
            return value
        raw = value.encode("utf-8")
        if len(raw) <= column.length:
            return value
        self.shortened.add(column.name)
        return raw[: column.length].decode("utf-8", "ignore").rstrip()

    def _sink(self, layout: Layout, kind: str) -> Any:
        options = QgsVectorFileWriter.SaveVectorOptions()
        options.driverName = DRIVERS[kind]
        options.layerName = self.name.layer(layout)
        options.fileEncoding = "UTF-8"
        path = self._path(layout, kind)
        if kind == GEOPACKAGE and os.path.exists(path):
            options.actionOnExistingFile = QgsVectorFileWriter.ActionOnExistingFile.CreateOrOverwriteLayer
        shape, crs = QgsWkbTypes.Type.NoGeometry, QgsCoordinateReferenceSystem()
        if layout.has_geometry:
            shape, crs = QgsWkbTypes.Type.MultiPolygon, QgsCoordinateReferenceSystem(GEOGRAPHIC)
        sink = QgsVectorFileWriter.create(path, fields_of(layout), shape, crs, self._transforms, options)
        if sink.hasError() != QgsVectorFileWriter.WriterError.NoError:
            raise self._failed(layout, sink.errorMessage())
        return sink

    def _path(self, layout: Layout, kind: str) -> str:
        if kind == GEOPACKAGE:
            return os.path.join(self._partial, f"{self.name.package}.gpkg")
        return os.path.join(self._partial, f"{self.name.layer(layout)}.shp")

    def _failed(self, layout: Layout, error: str) -> protocol.OutputFailed:
        return protocol.OutputFailed(
            tr("The layer {name} cannot be written ({error}); check the folder and the free disk space.").format(
                name=self.name.layer(layout), error=error.strip().rstrip(".") or tr("no reason given")
            )
        )

    def publish(self, readme: str, documents: Mapping[str, str]) -> List[str]:
        """Add styles, texts and hashes, and give the folder its name; returns the files of the package."""
        for layout in self._written:
            self._write_styles(layout)
        with failures_told(self.folder):
            for name, text in {README: readme, **documents}.items():
                with open(os.path.join(self._partial, name), "w", encoding="utf-8", newline="\n") as file:
                    file.write(text)
            names = sorted(os.listdir(self._partial))
            sums = "".join(f"{sha256_of(os.path.join(self._partial, name))}  {name}\n" for name in names)
            with open(os.path.join(self._partial, SUMS), "w", encoding="utf-8", newline="\n") as file:
                file.write(sums)
            self._rename()
        return [os.path.join(self.folder, name) for name in [*names, SUMS]]

    def _write_styles(self, layout: Layout) -> None:
        stem = os.path.join(self._partial, self.name.layer(layout))
        for kind in self._formats:
            path = self._path(layout, kind)
            uri = f"{path}|layername={self.name.layer(layout)}" if kind == GEOPACKAGE else path
            if kind == SHAPEFILE and not layout.has_geometry:
                continue  # a table is a .dbf alone, and has no style
            layer = QgsVectorLayer(uri, self.name.layer(layout), "ogr")
            if not layer.isValid():
                raise self._failed(layout, tr("it cannot be read back"))
            dress(layer, layout)
            if layout.has_geometry and not os.path.exists(f"{stem}.qml"):
                self._saved(layout, layer.saveNamedStyle(f"{stem}.qml"))
                self._saved(layout, layer.saveSldStyle(f"{stem}.sld"))
            if kind == GEOPACKAGE:
                error = save_default_style(layer, layout.name, self.name.layer(layout))
                if error:
                    raise self._failed(layout, error)
            del layer

    def _saved(self, layout: Layout, answer: Tuple[str, bool]) -> None:
        message, succeeded = answer
        if not succeeded:
            raise self._failed(layout, message)

    def _rename(self) -> None:
        require_possible(self.folder, self.name, self._overwrite)
        if not os.path.lexists(self.folder):
            os.rename(self._partial, self.folder)
            return
        os.rename(self.folder, self._replaced)
        try:
            os.rename(self._partial, self.folder)
        except OSError:
            os.rename(self._replaced, self.folder)
            raise
        shutil.rmtree(self._replaced, ignore_errors=True)


def require_possible(folder: str, name: PackageName, overwrite: bool) -> None:
    """Raise OutputFailed if the package cannot be put there: it exists, or the folder above cannot be written."""
    parent = os.path.dirname(folder)
    while parent and not os.path.lexists(parent) and os.path.dirname(parent) != parent:
        parent = os.path.dirname(parent)
    if not os.path.isdir(parent) or not os.access(parent, os.W_OK | os.X_OK):
        raise protocol.OutputFailed(
            tr("The folder '{folder}' cannot be written; choose another.").format(folder=parent)
        )
    if not os.path.lexists(folder):
        return
    if not overwrite:
        raise protocol.OutputFailed(
            tr(
                "The package '{folder}' exists; raise the version, choose another folder, or allow to overwrite it."
            ).format(folder=folder)
        )
    foreign = foreign_files(folder, name)
    if foreign:
        raise protocol.OutputFailed(
            tr(
                "'{folder}' holds '{file}', which is not of a package, so it is not replaced; choose another folder."
            ).format(folder=folder, file=foreign[0])
        )


def foreign_files(folder: str, name: PackageName) -> List[str]:
    """Names in a folder that no package of this name has; the folder's own if it is no folder at all."""
    if not os.path.isdir(folder) or os.path.islink(folder):
        return [os.path.basename(folder)]
    return sorted(
        entry
        for entry in os.listdir(folder)
        if entry not in (README, SUMS) and not (entry.startswith(f"{name.stem}_") and is_file(folder, entry))
    )


def is_file(folder: str, entry: str) -> bool:
    """Whether it is a plain file of the folder."""
    return os.path.isfile(os.path.join(folder, entry))


def fields_of(layout: Layout) -> QgsFields:
    """Columns of a layer as QGIS has them."""
    fields = QgsFields()
    for column in layout.columns:
        if column.kind == TEXT:
            fields.append(QgsField(column.name, TEXT_VALUE, "", column.length))
        elif column.kind == WHOLE:
            fields.append(QgsField(column.name, WHOLE_VALUE, "", 9))
        elif column.kind == REAL:
            fields.append(QgsField(column.name, REAL_VALUE, "", 19, 4))
    return fields


def sha256_of(path: str) -> str:
    """Hash of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def failures_told(folder: str) -> Iterator[None]:
    """Turn what the system refuses into one sentence."""
    try:
        yield
    except protocol.HazardError:
        raise
    except OSError as error:
        raise protocol.OutputFailed(
            tr("The package '{folder}' cannot be written ({error}); check the folder and the free disk space.").format(
                folder=folder, error=error.strerror or error
            )
        ) from None


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("PackageWriter", text)
