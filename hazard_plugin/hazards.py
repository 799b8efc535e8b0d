"""What hazards are called, and which style belongs to their layers."""

import os
from typing import Any, Optional

from qgis.core import QgsRasterLayer
from qgis.PyQt.QtCore import QCoreApplication

from .engine_location import PACKAGE_FOLDER

KIND_PROPERTY = "hazardmapper/kind"
"""Custom property of the layers this plugin makes: ``mask``, ``probability`` or ``difference``."""


def hazard_title(hazard: str) -> str:
    """Name of a hazard for people: ``glacier_collapse`` is ``Glacier collapse``."""
    known = {
        "flood": tr("Flood"),
        "landslide": tr("Landslide"),
        "glacier_collapse": tr("Glacier collapse"),
        "any": tr("Any"),
    }
    return known.get(hazard) or hazard.replace("_", " ").strip().capitalize() or hazard


def new_hazard_title(hazard: str) -> str:
    """Name of a hazard that was not there before the event."""
    known = {
        "flood": tr("New flood"),
        "landslide": tr("New landslide"),
        "glacier_collapse": tr("New glacier collapse"),
    }
    return known.get(hazard) or tr("New: {hazard}").format(hazard=hazard_title(hazard))


def hazard_colour(hazard: str) -> str:
    """Colour of a hazard in masks and polygons, told apart by colour-blind eyes as well."""
    return {"flood": "#1f78dc", "landslide": "#e66101", "glacier_collapse": "#982e9e"}.get(hazard, "#c81e3c")


def mask_layer_name(hazard: str, scene: str, *, is_new: bool = False) -> str:
    """Layer name of a mask: ``Flood - scene``, ``New flood - scene`` where it was held against a scene before."""
    return f"{new_hazard_title(hazard) if is_new else hazard_title(hazard)} - {scene}"


def probability_layer_name(hazard: str, scene: str) -> str:
    """Layer name of a probability raster."""
    return tr("{hazard} probability - {scene}").format(hazard=hazard_title(hazard), scene=scene)


def compared_layer_name(kind: str, hazard: str, scene: str) -> str:
    """Layer name of what a comparison with the source model adds: its mask, its probability, or the difference."""
    texts = {
        "mask": tr("{hazard}, not adapted - {scene}"),
        "probability": tr("{hazard} probability, not adapted - {scene}"),
        "difference": tr("{hazard} change by adapting - {scene}"),
    }
    return texts[kind].format(hazard=hazard_title(hazard), scene=scene)


def style_path(kind: str, hazard: str, *, is_new: bool = False) -> str:
    """Style file for a mask of this hazard, for a probability raster, or for a difference of two."""
    folder = os.path.join(PACKAGE_FOLDER, "resources", "styles")
    if kind in ("probability", "difference", "errors"):
        return os.path.join(folder, f"{kind}.qml")
    mask = "new" if is_new else "mask"
    own = os.path.join(folder, f"{mask}_{hazard}.qml")
    return own if os.path.exists(own) else os.path.join(folder, f"{mask}.qml")


def dress_layer(
    layer: QgsRasterLayer, kind: str, hazard: str, name: Optional[str] = None, *, is_new: bool = False
) -> None:
    """Name, style and mark a result layer; ``is_new`` where it was held against a scene from before the event."""
    if name:
        layer.setName(name)
    layer.loadNamedStyle(style_path(kind, hazard, is_new=is_new))
    layer.setCustomProperty(KIND_PROPERTY, kind)
    layer.triggerRepaint()


def is_scene(layer: Any) -> bool:
    """Whether a layer can be a scene: a raster that is not a result."""
    return isinstance(layer, QgsRasterLayer) and not layer.customProperty(KIND_PROPERTY)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("Hazards", text)
