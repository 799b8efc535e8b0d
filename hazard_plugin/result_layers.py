"""Adds results to the project: each directly above its source, in the same group, named and styled."""

from typing import Optional

from qgis.core import QgsLayerTreeNode, QgsProject, QgsRasterLayer

from .hazards import dress_layer


def add_result_layer(
    project: QgsProject, source_id: str, path: str, kind: str, hazard: str, name: str, *, visible: bool = True
) -> Optional[QgsRasterLayer]:
    """Add a result above its source and return its layer; None if the file is not a raster."""
    layer = QgsRasterLayer(path, name, "gdal")
    if not layer.isValid():
        return None
    dress_layer(layer, kind, hazard, name)
    project.addMapLayer(layer, False)
    root = project.layerTreeRoot()
    node = root.findLayer(source_id)
    parent = node.parent() if node is not None else root
    added = parent.insertLayer(0 if node is None else place_of(node), layer)
    added.setExpanded(kind == "mask")
    added.setItemVisibilityChecked(visible)
    return layer


def place_of(node: QgsLayerTreeNode) -> int:
    """Position of a layer among its siblings."""
    for index, sibling in enumerate(node.parent().children()):
        if sibling == node:
            return index
    return 0
