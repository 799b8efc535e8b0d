"""Names tables that Processing loads, and marks them as results."""

from typing import Any, List, Mapping

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsVectorLayer,
)

from ..layer_origin import remember_origin


class TableDresser(QgsProcessingLayerPostProcessorInterface):
    """Names and marks a table; Processing keeps no reference, so this class does."""

    alive: "List[TableDresser]" = []

    def __init__(self, kind: str, name: str, origin: Mapping[str, str]) -> None:
        super().__init__()
        self.kind, self.name, self.origin = kind, name, origin
        TableDresser.alive = [*TableDresser.alive[-63:], self]

    def postProcessLayer(self, layer: Any, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Dress the table once it is in the project."""
        if isinstance(layer, QgsVectorLayer):
            layer.setName(self.name)
            remember_origin(layer, self.kind, **self.origin)


def dress_table(
    context: QgsProcessingContext, destination: str, kind: str, name: str, origin: Mapping[str, str]
) -> None:
    """Have Processing name and mark a table if it is going to load it."""
    if destination and context.willLoadLayerOnCompletion(destination):
        details = context.layerToLoadOnCompletionDetails(destination)
        details.name = name
        details.setPostProcessor(TableDresser(kind, name, origin))
