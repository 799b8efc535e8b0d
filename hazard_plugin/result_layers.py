"""Adds results to the project: a group for each run, directly above its source, its layers named and styled."""

from typing import Any, Optional

from qgis.core import QgsLayerTreeNode, QgsMapLayer, QgsProject, QgsRasterLayer

from .hazards import dress_layer
from .layer_origin import origin_of, remember_origin

RUN_PROPERTY = "hazardmapper/run"


def add_run_group(project: QgsProject, source_id: str, name: str, run: str = "") -> Any:
    """Add an empty group above a run's source, or on top where the source is gone; returns it."""
    root = project.layerTreeRoot()
    node = root.findLayer(source_id)
    parent = node.parent() if node is not None else root
    group = parent.insertGroup(0 if node is None else place_of(node), name)
    group.setCustomProperty(RUN_PROPERTY, run)
    return group


def join_run_group(project: QgsProject, layer: QgsMapLayer) -> None:
    """Move a layer that was made of a run's result to the top of the run's group, where there is one."""
    root = project.layerTreeRoot()
    run, node = origin_of(layer)["run"], root.findLayer(layer.id())
    groups = [group for group in root.findGroups(True) if run and group.customProperty(RUN_PROPERTY) == run]
    if not groups or node is None or node.parent() == groups[0]:
        return
    groups[0].insertChildNode(0, node.clone())
    node.parent().removeChildNode(node)


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
    dress_layer(layer, kind, hazard, name, is_new=bool(origin.get("before")))
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
