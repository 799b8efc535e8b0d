"""Puts new files in the places of those that layers of the project show, and looks after them until then."""

import contextlib
import os
import uuid
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsDataProvider,
    QgsMapLayer,
    QgsMapLayerStyle,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)

from ..engine import protocol
from .layer_origin import layers_of_file

SIDE_FILES = (".aux.xml", ".ovr", ".msk", "-wal", "-shm", "-journal")
SHAPEFILE_PARTS = (".shx", ".dbf", ".prj", ".cpg")
SHAPEFILE_INDEXES = (".qix", ".sbn", ".sbx")


class HeldFiles:
    """Files that are to be replaced: their layers cannot be edited meanwhile, and it is noticed where they change."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._stamps = {path: stamp_of(path) for path in paths}
        self._locked: List[str] = []

    def edited(self) -> List[QgsVectorLayer]:
        """Layers of these files that are being edited."""
        return [layer for layer in self._layers() if layer.isEditable()]

    def lock(self) -> None:
        """Make the layers of these files read-only."""
        self._locked = [
            layer.id() for layer in self._layers() if not layer.property("readOnly") and layer.setReadOnly(True)
        ]

    def unlock(self) -> None:
        """Let those be edited again that could be."""
        for layer in self._layers():
            if layer.id() in self._locked:
                layer.setReadOnly(False)
        self._locked = []

    def changed(self) -> List[str]:
        """Files that are not what they were, or are about to be."""
        return [
            path
            for path, stamp in self._stamps.items()
            if stamp_of(path) != stamp or any(layer.isEditable() for layer in vector_layers_of(path))
        ]

    def _layers(self) -> List[QgsVectorLayer]:
        return [layer for path in self._stamps for layer in vector_layers_of(path)]


def vector_layers_of(path: str) -> List[QgsVectorLayer]:
    """Vector layers of the project that show this file."""
    return [layer for layer in layers_of_file(QgsProject.instance(), path) if isinstance(layer, QgsVectorLayer)]


def stamp_of(path: str) -> Dict[str, Tuple[int, int]]:
    """Time and size of all files that what a layer shows is kept in."""
    stamps = {}
    for part in (*parts_of(path), path + "-wal"):
        with contextlib.suppress(OSError):
            found = os.stat(part)
            if found.st_size:
                stamps[part] = (found.st_mtime_ns, found.st_size)
    return stamps


def replace_shown(project: QgsProject, pairs: Sequence[Tuple[str, str]]) -> None:
    """Rename each first file to the second, all or none, and have the layers that show these read them again.

    The layers let go of the files first: some systems do not replace a file that is open.

    Raises:
        OSError: all files are as they were.
    """
    layers = [layer for _, final in pairs for layer in layers_of_file(project, final)]
    shown = [ShownLayer(layer) for layer in layers]
    for layer in layers:
        layer.setDataSource("", layer.name(), layer.providerType(), QgsDataProvider.ProviderOptions())
    try:
        move_files(pairs)
    finally:
        for known in shown:
            known.show_again()


class ShownLayer:
    """What a layer loses when it gets another file, to be given back to it."""

    def __init__(self, layer: QgsMapLayer) -> None:
        self._layer: Any = layer
        self._source, self._provider = layer.source(), layer.providerType()
        self._crs = QgsCoordinateReferenceSystem(layer.crs())
        self._shows_nodata = shows_nodata(layer)
        self._style = QgsMapLayerStyle()
        self._style.readFromLayer(layer)

    def show_again(self) -> None:
        """Read the file anew and draw it as before."""
        layer = self._layer
        layer.setDataSource(self._source, layer.name(), self._provider, QgsDataProvider.ProviderOptions())
        if self._crs.isValid():
            layer.setCrs(self._crs)
        self._style.writeToLayer(layer)
        if self._shows_nodata:
            layer.dataProvider().setUseSourceNoDataValue(1, False)
        layer.triggerRepaint()


def shows_nodata(layer: QgsMapLayer) -> bool:
    """Whether a raster layer draws its nodata as a value; styles do not hold that."""
    if not isinstance(layer, QgsRasterLayer) or not layer.isValid():
        return False
    provider = layer.dataProvider()
    return bool(provider.sourceHasNoDataValue(1) and not provider.useSourceNoDataValue(1))


def move_files(pairs: Sequence[Tuple[str, str]]) -> None:
    """Rename files with all parts that belong to them; what was made for the replaced ones goes.

    Raises:
        OSError: all files are as they were.
    """
    token, moved = uuid.uuid4().hex[:12], []
    try:
        for new, final in pairs:
            stem, aside = os.path.splitext(final)[0], os.path.splitext(protocol.partial_path(final, token))[0]
            for part in parts_of(final):
                os.replace(part, aside + part[len(stem) :] + protocol.REPLACED)
            for part in parts_of(new):
                target = stem + part[len(os.path.splitext(new)[0]) :]
                os.replace(part, target)
                moved.append((part, target))
    except OSError:
        for part, target in moved:
            os.replace(target, part)
        raise
    finally:
        for _, final in pairs:
            protocol.put_back(final, token)
    for _, final in pairs:
        stale = [final + ending for ending in SIDE_FILES]
        if final.lower().endswith(".shp"):
            stale += [os.path.splitext(final)[0] + ending for ending in SHAPEFILE_INDEXES]
        for path in stale:
            with contextlib.suppress(OSError):
                os.remove(path)


def parts_of(path: str) -> List[str]:
    """The files that one consists of, those that are there."""
    stem, ending = os.path.splitext(path)
    parts = [stem + other for other in SHAPEFILE_PARTS] if ending.lower() == ".shp" else []
    return [part for part in (*parts, path) if os.path.exists(part)]
