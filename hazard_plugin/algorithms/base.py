"""What all algorithms of the plugin share: the engine's client, refusals in one sentence, and short ways to declare."""

import os
from typing import Any, Dict, Iterable, List, Optional, Tuple

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterString,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QIcon

from ...engine import protocol
from ..algorithm_pages import help_address
from ..compat import ADVANCED_FLAG
from ..engine_client import EngineClient
from ..icons import algorithm_icon_file
from ..layer_origin import UNASSESSED_KIND, inherited, kind_of_layer, layers_of_file, remember_origin


class EngineAlgorithm(QgsProcessingAlgorithm):
    """An algorithm whose work is one job of the engine."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__()
        self._client = client

    def createInstance(self) -> "EngineAlgorithm":
        """Return a fresh algorithm with the same engine."""
        return type(self)(self._client)

    def icon(self) -> QIcon:
        """Icon in the toolbox."""
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        """Icon in the model designer."""
        return algorithm_icon_file(self.name())

    def helpUrl(self) -> str:
        """Address of the page that came with the plugin; the dialog's Help button opens it."""
        return help_address(self.name())

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""

    def checkParameterValues(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> Tuple[bool, str]:
        """Say in one sentence what cannot be, before anything runs."""
        possible, reason = super().checkParameterValues(parameters, context)
        if not possible:
            return possible, reason
        try:
            self.require_possible(parameters, context)
        except protocol.HazardError as error:
            return False, str(error)
        return True, ""

    def mark_advanced(self, names: Iterable[str]) -> None:
        """Fold these parameters away."""
        for name in names:
            parameter = self.parameterDefinition(name)
            parameter.setFlags(parameter.flags() | ADVANCED_FLAG)

    def text(self, parameters: Dict[str, Any], name: str, context: QgsProcessingContext) -> str:
        """Text of a parameter without blanks around it."""
        return str(self.parameterAsString(parameters, name, context)).strip()

    def number(self, parameters: Dict[str, Any], name: str, context: QgsProcessingContext) -> Optional[float]:
        """Number of a parameter; None where it is left empty and has no default."""
        value = parameters.get(name, self.parameterDefinition(name).defaultValue())
        return None if value is None or value == "" else float(self.parameterAsDouble(parameters, name, context))

    def whole_number(self, parameters: Dict[str, Any], name: str, context: QgsProcessingContext) -> Optional[int]:
        """Whole number of a parameter; None where it is left empty and has no default."""
        value = self.number(parameters, name, context)
        return None if value is None else round(value)

    def raster(self, parameters: Dict[str, Any], name: str, context: QgsProcessingContext) -> QgsRasterLayer:
        """Raster layer of a parameter; raises BadInput if there is none."""
        layer = self.parameterAsRasterLayer(parameters, name, context)
        if layer is None:
            raise protocol.BadInput(
                tr("No {what} is given; choose a raster layer that QGIS can open.").format(
                    what=self.parameterDefinition(name).description().lower()
                )
            )
        return self._not_unassessed(layer, context)

    def _not_unassessed(self, layer: QgsRasterLayer, context: QgsProcessingContext) -> QgsRasterLayer:
        """The mask where a map sheet's grey copy of it was found: Processing takes any layer that shows a file."""
        if kind_of_layer(layer) != UNASSESSED_KIND:
            return layer
        shown = layers_of_file(context.project(), layer.source()) if context.project() is not None else []
        for other in shown:
            if isinstance(other, QgsRasterLayer) and kind_of_layer(other) not in ("", UNASSESSED_KIND):
                return other
        plain = QgsRasterLayer(layer.source(), os.path.splitext(os.path.basename(layer.source()))[0], "gdal")
        if plain.isValid():
            remember_origin(plain, "mask", **inherited(layer))
            context.temporaryLayerStore().addMapLayer(plain)
            return plain
        return layer


def with_hints(parameter: QgsProcessingParameterString, hints: List[str]) -> QgsProcessingParameterString:
    """Offer values in a list where QGIS can (3.24 and later); any text stays allowed."""
    parameter.setMetadata({"widget_wrapper": {"value_hints": hints}})
    return parameter


def with_help(parameter: QgsProcessingParameterDefinition, text: str) -> QgsProcessingParameterDefinition:
    """Explain a parameter in its tooltip and in the help of qgis_process."""
    parameter.setHelp(text)
    return parameter


def absolute(path: str) -> str:
    """Path that means the same file in the worker, which runs in another folder."""
    return os.path.abspath(path) if path else ""


def name_or_folder(text: str) -> str:
    """A model's name as it is, a folder as a path that means the same in the worker."""
    is_folder = os.path.isabs(text) or any(separator in text for separator in ("/", os.sep))
    return absolute(text) if is_folder else text


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("EngineAlgorithm", text)
