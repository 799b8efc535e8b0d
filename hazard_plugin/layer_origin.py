"""Where a result layer comes from, as custom properties of the layer, so that it can be delivered and run again."""

import json
import os
import uuid
from typing import Any, Dict, List, Mapping

from qgis.core import QgsLayerMetadata, QgsMapLayer, QgsProject
from qgis.PyQt.QtCore import QCoreApplication, QDateTime, Qt

from .adaptation_words import outcome_text
from .hazards import KIND_PROPERTY

SCOPE = "hazardmapper/"
UNASSESSED_KIND = "unassessed"
"""Kind of a map sheet's grey copy of a mask."""
ORIGIN_NAMES = ("run", "hazard", "scene", "scene_id", "model", "threshold", "derived", "before")
"""``run`` is shared by all layers made of one mask; ``before`` is a scene that it was held against.

No file names, as projects are moved with their files.
"""


def remember_origin(layer: QgsMapLayer, kind: str, **origin: str) -> None:
    """Mark a layer as a result of this kind; ``origin`` has some of ``ORIGIN_NAMES``."""
    layer.setCustomProperty(KIND_PROPERTY, kind)
    layer.setCustomProperty(SCOPE + "added", QDateTime.currentDateTimeUtc().toString(Qt.DateFormat.ISODateWithMs))
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


def is_derived(layer: QgsMapLayer) -> bool:
    """Whether a mask was made of another one, as a refined mask is."""
    return bool(origin_of(layer)["derived"])


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


def new_run() -> str:
    """Name of a run that no other has."""
    return uuid.uuid4().hex


def inherited(layer: QgsMapLayer) -> Dict[str, str]:
    """Origin of what is made of this result: the same run, hazard, scene and model."""
    return {name: value for name, value in origin_of(layer).items() if value}


def related(project: QgsProject, layer: QgsMapLayer, kind: str) -> List[QgsMapLayer]:
    """Layers of a kind that belong to the same run as this one, in the order in which they were added."""
    run = origin_of(layer)["run"]
    found = [
        other
        for other in project.mapLayers().values()
        if kind_of_layer(other) == kind and (other is layer or (run and origin_of(other)["run"] == run))
    ]
    return sorted(found, key=lambda other: str(other.customProperty(SCOPE + "added") or ""))


def run_history(hazard: str, scene: str, results: Mapping[str, Any]) -> Dict[str, Any]:
    """What the metadata of a layer say of the run that made it, from the outputs of Segment hazard."""
    return {
        tr("Hazard"): hazard,
        tr("Scene"): scene,
        tr("SHA-256 of the scene"): results.get("SCENE_SHA256"),
        tr("Scene before"): results.get("BEFORE_NAME"),
        tr("Day of the scene before"): results.get("BEFORE_DATE_USED"),
        tr("SHA-256 of the scene before"): results.get("BEFORE_SHA256"),
        tr("Share compared with it"): results.get("SHARE_COMPARED"),
        tr("Model"): results.get("MODEL_USED"),
        tr("SHA-256 of the model"): results.get("MODEL_SHA256"),
        tr("Threshold"): results.get("THRESHOLD_USED"),
        tr("Adaptation"): outcome_text(json.loads(results.get("ADAPTATION") or "{}")),
        tr("Device"): results.get("DEVICE_USED"),
        tr("Job"): without_folders(str(results.get("JOB") or "")),
    }


def without_folders(job: str) -> str:
    """A job with names of files only: projects travel, and the files' own tags hold the whole names."""
    if not job:
        return ""
    values = json.loads(job)
    for name in ("raster", "before", "mask", "probability", "area"):
        if isinstance(values.get(name), str):
            values[name] = os.path.basename(values[name])
    return json.dumps(values, ensure_ascii=False)


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
