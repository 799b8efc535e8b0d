"""Puts a new file in the place of one that layers of the project show."""

import os
from typing import List, Tuple

from qgis.core import QgsDataProvider, QgsMapLayer, QgsMapLayerStyle, QgsProject, QgsRasterLayer

from .layer_origin import layers_of_file

SIDE_FILES = (".aux.xml", ".ovr", ".msk", "-wal", "-shm", "-journal")
SHAPEFILE_PARTS = (".shx", ".dbf", ".prj", ".cpg")
SHAPEFILE_INDEXES = (".qix", ".sbn", ".sbx")


def replace_shown(project: QgsProject, new: str, final: str) -> None:
    """Rename ``new`` to ``final`` and have the layers that show it read it again; raises OSError.

    The layers let go of the file first: some systems do not replace a file that is open.
    """
    shown: List[Tuple[QgsMapLayer, str, str, QgsMapLayerStyle]] = []
    seen_nodata = {layer.id() for layer in layers_of_file(project, final) if shows_nodata(layer)}
    for layer in layers_of_file(project, final):
        style = QgsMapLayerStyle()
        style.readFromLayer(layer)
        shown.append((layer, layer.source(), layer.providerType(), style))
        layer.setDataSource("", layer.name(), layer.providerType(), QgsDataProvider.ProviderOptions())
    try:
        move_file(new, final)
    finally:
        for layer, source, provider, style in shown:
            layer.setDataSource(source, layer.name(), provider, QgsDataProvider.ProviderOptions())
            style.writeToLayer(layer)
            if layer.id() in seen_nodata:
                layer.dataProvider().setUseSourceNoDataValue(1, False)
            layer.triggerRepaint()
    own_style = os.path.splitext(new)[0] + ".qml"
    if os.path.exists(own_style):
        os.remove(own_style)


def shows_nodata(layer: QgsMapLayer) -> bool:
    """Whether a raster layer draws its nodata as a value; styles do not hold that."""
    if not isinstance(layer, QgsRasterLayer) or not layer.isValid():
        return False
    provider = layer.dataProvider()
    return bool(provider.sourceHasNoDataValue(1) and not provider.useSourceNoDataValue(1))


def move_file(new: str, final: str) -> None:
    """Rename a file with all parts that belong to it; what was made for the replaced one goes. Raises OSError."""
    stem, final_stem = os.path.splitext(new)[0], os.path.splitext(final)[0]
    stale = [final + ending for ending in SIDE_FILES]
    if final.lower().endswith(".shp"):
        for ending in SHAPEFILE_PARTS:
            if os.path.exists(stem + ending):
                os.replace(stem + ending, final_stem + ending)
        stale += [final_stem + ending for ending in SHAPEFILE_INDEXES]
    os.replace(new, final)
    for path in stale:
        if os.path.exists(path):
            os.remove(path)
