"""What the algorithms share that turn a result into what is handed over: one job of the engine on files of results."""

from typing import Any, Dict

from qgis.core import QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback, QgsProviderRegistry
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..engine_client import EngineClient
from ..layer_origin import file_of
from ..own_file import require_own_file
from ..raster_source import read_layer
from .base import EngineAlgorithm, absolute
from .outputs import told_to_processing


class DeliveryAlgorithm(EngineAlgorithm):
    """An algorithm of the group Delivery whose work is one job of the engine; it keeps the job in ``job``."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__(client)
        self.job: Any = None
        self.is_filtered = False
        self.named: Dict[str, str] = {}
        """Outputs as Processing names them; a temporary one gets another name each time it is asked for."""

    @property
    def kind(self) -> str:
        """Kind of the engine's job."""
        raise NotImplementedError

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Delivery")

    def groupId(self) -> str:
        """Id of the group."""
        return "delivery"

    def result_file(self, parameters: Dict[str, Any], name: str, context: QgsProcessingContext) -> str:
        """File of a layer that this plugin wrote; raises BadInput for layers that are no plain file."""
        source = read_layer(self.raster(parameters, name, context))
        if source.is_copied or source.open_options:
            raise protocol.BadInput(
                tr("Layer '{name}' is not a plain file; export it to a GeoTIFF and choose that.").format(
                    name=source.name
                )
            )
        return source.path

    def corrections_file(self, parameters: Dict[str, Any], name: str, context: QgsProcessingContext) -> str:
        """File of polygons that were corrected by hand; raises BadInput where the engine would read anything else."""
        layer = self.parameterAsVectorLayer(parameters, name, context)
        if layer is None:
            raise protocol.BadInput(tr("The corrected polygons cannot be opened; choose a polygon layer."))
        if layer.isEditable() and layer.isModified():
            raise protocol.BadInput(
                tr("The polygons '{name}' have edits that are not saved; save or discard them first.").format(
                    name=layer.name()
                )
            )
        if layer.providerType() != "ogr":
            raise protocol.BadInput(
                tr("Layer '{name}' is not a plain file; export it to a GeoPackage and choose that.").format(
                    name=layer.name()
                )
            )
        path = file_of(layer)
        wanted = QgsProviderRegistry.instance().decodeUri("ogr", layer.source()).get("layerName")
        inside = [found.name() for found in QgsProviderRegistry.instance().querySublayers(path)]
        if wanted and len(inside) > 1 and inside[0] != wanted:
            raise protocol.BadInput(
                tr(
                    "Layer '{name}' shares its file with others; export it to a file of its own and choose that."
                ).format(name=layer.name())
            )
        self.is_filtered = bool(layer.subsetString())
        return absolute(path)

    def tell_filtered(self, feedback: QgsProcessingFeedback) -> None:
        """Say that a filter of the corrected polygons has no effect, as the engine reads their file."""
        if self.is_filtered:
            feedback.pushWarning(tr("The filter of the corrected polygons is passed over: all of their file count."))

    def output_file(self, parameters: Dict[str, Any], name: str, context: QgsProcessingContext) -> str:
        """Absolute path of an output, asked for once and kept in ``named``; it may not be a file shared with others."""
        self.named[name] = self.parameterAsOutputLayer(parameters, name, context)
        path = absolute(self.named[name])
        require_own_file(path)
        return path

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Run the job in the engine; returns nothing when cancelled."""
        if self.job is None:
            raise QgsProcessingException(tr("Nothing was prepared; run the algorithm again."))
        with told_to_processing():
            try:
                result = dict(self._client.run(self.kind, self.job, feedback))
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; nothing was written."))
                return {}
        for warning in result.get("warnings") or ():
            feedback.pushWarning(str(warning))
        return self.outputs_of(result, feedback)

    def outputs_of(self, result: Dict[str, Any], feedback: QgsProcessingFeedback) -> Dict[str, Any]:
        """Outputs of the algorithm from the engine's answer."""
        raise NotImplementedError


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("DeliveryAlgorithm", text)
