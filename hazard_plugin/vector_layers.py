"""Names and styles polygon results, and marks where they come from."""

import os
from typing import Any, Dict, List, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from .engine_location import PACKAGE_FOLDER
from .hazards import hazard_title
from .layer_origin import remember_origin

POLYGONS_KIND = "polygons"


def polygons_layer_name(hazard: str, scene: str) -> str:
    """Layer name of polygons: ``Flood polygons - scene``."""
    return tr("{hazard} polygons - {scene}").format(hazard=hazard_title(hazard), scene=scene)


def polygons_style_path(hazard: str) -> str:
    """Style file of a hazard's polygons."""
    folder = os.path.join(PACKAGE_FOLDER, "resources", "styles")
    own = os.path.join(folder, f"polygons_{hazard}.qml")
    return own if os.path.exists(own) else os.path.join(folder, "polygons.qml")


def dress_polygons(layer: QgsVectorLayer, hazard: str, name: Optional[str] = None) -> None:
    """Name and style a layer of hazard polygons."""
    if name:
        layer.setName(name)
    layer.loadNamedStyle(polygons_style_path(hazard))
    layer.triggerRepaint()


class PolygonsDresser(QgsProcessingLayerPostProcessorInterface):
    """Dresses polygons that Processing loads; Processing keeps no reference, so this class does.

    The algorithm may still set ``hazard`` once the engine has said which it is.
    """

    alive: "List[PolygonsDresser]" = []

    def __init__(self, hazard: str, scene: str, origin: Dict[str, str]) -> None:
        super().__init__()
        self.hazard, self.scene, self.origin = hazard, scene, origin
        PolygonsDresser.alive = [*PolygonsDresser.alive[-63:], self]

    def postProcessLayer(self, layer: Any, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Dress the layer once it is in the project."""
        if isinstance(layer, QgsVectorLayer):
            dress_polygons(layer, self.hazard, polygons_layer_name(self.hazard, self.scene))
            remember_origin(layer, POLYGONS_KIND, **{**self.origin, "hazard": self.hazard, "scene": self.scene})


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("VectorLayers", text)
