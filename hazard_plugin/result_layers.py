"""Adds results to the project: a group for each run, directly above its source, its layers named and styled."""

from typing import Any, Optional

from qgis.core import QgsLayerTreeNode, QgsProject, QgsRasterLayer

from .hazards import dress_layer
from .layer_origin import remember_origin


def add_run_group(project: QgsProject, source_id: str, name: str) -> Any:
    """Add an empty group above a run's source, or on top where the source is gone; returns it."""
    root = project.layerTreeRoot()
    node = root.findLayer(source_id)
    parent = node.parent() if node is not None else root
    group = parent.insertGroup(0 if node is None else place_of(node), name)
    group.setCustomProperty("hazardmapper/run", True)
    return group


def add_result_layer(
    project: QgsProject,
    group: Any,
    path: str,
    kind: str,
    hazard: str,
    name: str,
    *,
    visible: bool = True,
    **origin: str,
) -> Optional[QgsRasterLayer]:
    """Add a result below those already in a group and return its layer; None if the file is not a raster."""
    layer = QgsRasterLayer(path, name, "gdal")
    if not layer.isValid():
        return None
    dress_layer(layer, kind, hazard, name)
    remember_origin(layer, kind, hazard=hazard, **origin)
    project.addMapLayer(layer, False)
    added = group.addLayer(layer)
    added.setExpanded(kind == "mask")
    added.setItemVisibilityChecked(visible)
    return layer


def place_of(node: QgsLayerTreeNode) -> int:
    """Position of a layer among its siblings."""
    for index, sibling in enumerate(node.parent().children()):
        if sibling == node:
            return index
    return 0
