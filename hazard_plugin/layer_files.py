"""Puts a new file in the place of one that layers of the project show."""

import os
from typing import List, Tuple

from qgis.core import QgsDataProvider, QgsMapLayer, QgsMapLayerStyle, QgsProject

from .layer_origin import layers_of_file

SIDE_FILES = (".aux.xml", ".ovr", ".msk")


def replace_shown(project: QgsProject, new: str, final: str) -> None:
    """Rename ``new`` to ``final`` and have the layers that show it read it again; raises OSError.

    The layers let go of the file first: some systems do not replace a file that is open.
    """
    shown: List[Tuple[QgsMapLayer, str, str, QgsMapLayerStyle]] = []
    for layer in layers_of_file(project, final):
        style = QgsMapLayerStyle()
        style.readFromLayer(layer)
        shown.append((layer, layer.source(), layer.providerType(), style))
        layer.setDataSource("", layer.name(), layer.providerType(), QgsDataProvider.ProviderOptions())
    try:
        os.replace(new, final)
        for path in (final + ending for ending in SIDE_FILES):
            if os.path.exists(path):
                os.remove(path)
    finally:
        for layer, source, provider, style in shown:
            layer.setDataSource(source, layer.name(), provider, QgsDataProvider.ProviderOptions())
            style.writeToLayer(layer)
            layer.triggerRepaint()
    own_style = os.path.splitext(new)[0] + ".qml"
    if os.path.exists(own_style):
        os.remove(own_style)
