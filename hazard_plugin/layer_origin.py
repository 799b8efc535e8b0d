"""Where a result layer comes from, as custom properties of the layer, so that it can be delivered and run again."""

import os
from typing import Any, Dict, List, Mapping

from qgis.core import QgsLayerMetadata, QgsMapLayer, QgsProject
from qgis.PyQt.QtCore import QCoreApplication, QDateTime, Qt

from .hazards import KIND_PROPERTY

SCOPE = "hazardmapper/"
ORIGIN_NAMES = ("hazard", "scene", "scene_id", "mask", "probability", "model", "threshold")


def remember_origin(layer: QgsMapLayer, kind: str, **origin: str) -> None:
    """Mark a layer as a result of this kind; ``origin`` has some of ``ORIGIN_NAMES``."""
    layer.setCustomProperty(KIND_PROPERTY, kind)
    for name in ORIGIN_NAMES:
        if origin.get(name):
            layer.setCustomProperty(SCOPE + name, origin[name])


def kind_of_layer(layer: Any) -> str:
    """``mask``, ``probability``, ``polygons`` and so on; empty for a layer that is no result."""
    return str(layer.customProperty(KIND_PROPERTY) or "") if isinstance(layer, QgsMapLayer) else ""


def origin_of(layer: QgsMapLayer) -> Dict[str, str]:
    """What is remembered of a layer's origin; unknown names are empty."""
    return {name: str(layer.customProperty(SCOPE + name) or "") for name in ORIGIN_NAMES}


def hazard_of(layer: QgsMapLayer) -> str:
    """Hazard of a result."""
    return origin_of(layer)["hazard"] or "hazard"


def scene_of(layer: QgsMapLayer) -> str:
    """Name of the scene that a result was made from, else the layer's own."""
    return origin_of(layer)["scene"] or layer.name()


def file_of(layer: QgsMapLayer) -> str:
    """The file that a layer shows, without options of its own."""
    return layer.source().split("|")[0]


def layers_of_file(project: QgsProject, path: str) -> List[QgsMapLayer]:
    """Layers of the project that show this file."""
    wanted = os.path.normcase(os.path.abspath(path))
    return [
        layer
        for layer in project.mapLayers().values()
        if os.path.normcase(os.path.abspath(file_of(layer) or "?")) == wanted
    ]


def related(project: QgsProject, layer: QgsMapLayer, kind: str) -> List[QgsMapLayer]:
    """Layers of a kind that belong to the same mask as this one, the newest last."""
    mask = mask_of(layer)
    return [
        other
        for other in project.mapLayers().values()
        if kind_of_layer(other) == kind and mask and same_file(mask_of(other), mask)
    ]


def mask_of(layer: QgsMapLayer) -> str:
    """File of the mask that a layer is, or belongs to; empty where that is not known."""
    return file_of(layer) if kind_of_layer(layer) == "mask" else origin_of(layer)["mask"]


def same_file(a: str, b: str) -> bool:
    """Whether two names mean the same file."""
    return bool(a and b) and os.path.normcase(os.path.abspath(a)) == os.path.normcase(os.path.abspath(b))


def write_history(layer: QgsMapLayer, facts: Mapping[str, Any]) -> None:
    """Say in the layer's metadata how it came about: title, abstract and one line of history a fact."""
    metadata: QgsLayerMetadata = layer.metadata().clone()
    metadata.setTitle(layer.name())
    metadata.setType("dataset")
    metadata.setAbstract(
        tr("Made by Hazard Mapper. A model's opinion: check it before anyone relies on it. 255 is not assessed.")
    )
    when = QDateTime.currentDateTimeUtc().toString(Qt.DateFormat.ISODate)
    lines = [f"{name}: {value}" for name, value in facts.items() if value not in (None, "")]
    metadata.setHistory([*metadata.history(), f"{when} Hazard Mapper", *lines])
    layer.setMetadata(metadata)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("LayerOrigin", text)
