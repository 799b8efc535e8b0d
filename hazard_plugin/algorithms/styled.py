"""Loads results of the delivery with a style of their own."""

import os
from typing import Any, Mapping

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsRasterLayer

from ..engine_location import PACKAGE_FOLDER
from .outputs import ResultDresser


class StyledDresser(ResultDresser):
    """Names and marks a result as others, then styles it from a file of ``resources/styles``."""

    def __init__(self, style: str, kind: str, hazard: str, name: str, origin: Mapping[str, str]) -> None:
        super().__init__(kind, hazard, name, origin)
        self._style = style

    def postProcessLayer(self, layer: Any, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Dress the layer once it is in the project."""
        super().postProcessLayer(layer, context, feedback)
        if isinstance(layer, QgsRasterLayer):
            layer.loadNamedStyle(self._style)
            layer.triggerRepaint()


def style_file(name: str, hazard: str = "") -> str:
    """``refined_flood.qml`` where there is one for the hazard, else ``refined.qml``."""
    folder = os.path.join(PACKAGE_FOLDER, "resources", "styles")
    own = os.path.join(folder, f"{name}_{hazard}.qml")
    return own if hazard and os.path.exists(own) else os.path.join(folder, f"{name}.qml")


def dress_styled(
    context: QgsProcessingContext, path: str, style: str, kind: str, hazard: str, name: str, origin: Mapping[str, str]
) -> None:
    """Have Processing name and style an output if it is going to load it."""
    if path and context.willLoadLayerOnCompletion(path):
        details = context.layerToLoadOnCompletionDetails(path)
        details.name = name
        details.setPostProcessor(StyledDresser(style, kind, hazard, name, origin))
