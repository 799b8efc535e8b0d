"""The algorithm ``hazardmapper:runagain``: repeats the run that a result came from, and says whether it is the same."""

from typing import Any, Dict, List, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterMapLayer,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterVectorDestination,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import POLYGONS as POLYGON_TYPE
from ..compat import RASTER_OR_VECTOR
from ..engine_client import EngineClient
from ..hazards import mask_layer_name, probability_layer_name
from ..layer_origin import file_of, hazard_of, inherited, kind_of_layer, new_run, scene_of
from ..own_file import require_own_file
from ..vector_layers import PolygonsDresser
from .base import EngineAlgorithm, absolute, with_help
from .outputs import dress_on_load, require_free, told_to_processing
from .styled import dress_styled, style_file


class RunAgain(EngineAlgorithm):
    """Repeat the run that a mask, a probability or polygons came from."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__(client)
        self._file = self._mask = self._probability = self._polygons = ""
        self._go_on = False

    def name(self) -> str:
        """Id within the provider."""
        return "runagain"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Run again")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Delivery")

    def groupId(self) -> str:
        """Id of the group."""
        return "delivery"

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("repeat,reproduce,provenance,custody,again,verify,hash").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Repeats the run that a result came from and says whether the mask is the same.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Every mask, probability and polygon file holds the job that made it, and the hashes (SHA-256) of scene "
            "and model. This algorithm reads them, hashes both again, and runs the same job to new files; then it "
            "takes the same steps: a threshold applied later, permanent water and slopes taken out, corrections by "
            "hand, and polygons traced (POLYGONS). A change is made again from its two masks.\n\n"
            "Where scene or model have changed nothing is run, unless CHANGED says so. DIFFERENT_PIXELS counts pixels "
            "in which the new mask differs from INPUT, where INPUT is a mask; it is 0 on the same device with the same "
            "versions.\n\n"
            "Scene, masks and corrections that were moved together with the result are found beside it.\n\n"
            "A layer that QGIS had to copy for the engine, such as a web map, a layer without a file, a selection or a "
            "filtered layer, cannot be used again: its copy was not kept."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterMapLayer("INPUT", tr("Result"), None, False, RASTER_OR_VECTOR))
        changed = QgsProcessingParameterBoolean("CHANGED", tr("Go on where scene or model have changed"), False, True)
        add(with_help(changed, tr("the result may then differ")))
        add(QgsProcessingParameterRasterDestination("OUTPUT", tr("Mask")))
        add(QgsProcessingParameterRasterDestination("PROBABILITY", tr("Probability"), None, True, False))
        polygons = QgsProcessingParameterVectorDestination("POLYGONS", tr("Polygons"), POLYGON_TYPE, None, True, False)
        add(with_help(polygons, tr("only where INPUT is polygons")))
        self.addOutput(QgsProcessingOutputNumber("HAZARD_AREA_M2", tr("Hazard area in m²")))
        self.addOutput(QgsProcessingOutputNumber("DIFFERENT_PIXELS", tr("Pixels that differ from the result")))
        self.addOutput(QgsProcessingOutputString("SCENE_SHA256", tr("SHA-256 of the scene")))
        self.addOutput(QgsProcessingOutputString("MODEL_SHA256", tr("SHA-256 of the model")))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        self._read(parameters, context, QgsProcessingContext())

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layer and check the outputs on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            layer = self._read(parameters, context, context)
        hazard, scene = hazard_of(layer), scene_of(layer)
        origin = {**inherited(layer), "run": new_run()}
        if kind_of_layer(layer) == "change":
            dress_styled(context, self._mask, style_file("change"), "change", hazard, layer.name(), origin)
        elif origin.get("derived") == "refined":
            dress_styled(context, self._mask, style_file("refined", hazard), "mask", hazard, layer.name(), origin)
        else:
            dress_on_load(
                context,
                self._mask,
                "mask",
                hazard,
                mask_layer_name(hazard, scene, is_new=bool(origin.get("before"))),
                origin,
            )
        dress_on_load(context, self._probability, "probability", hazard, probability_layer_name(hazard, scene), origin)
        if self._polygons and context.willLoadLayerOnCompletion(self._polygons):
            details = context.layerToLoadOnCompletionDetails(self._polygons)
            details.setPostProcessor(PolygonsDresser(hazard, scene, origin))
        return True

    def _read(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, output_context: QgsProcessingContext
    ) -> Any:
        layer = self.parameterAsLayer(parameters, "INPUT", context)
        if layer is None or not layer.isValid():
            raise protocol.BadInput(tr("No result is given; choose a mask, a probability or polygons of this plugin."))
        self._file = absolute(file_of(layer))
        self._mask = absolute(self.parameterAsOutputLayer(parameters, "OUTPUT", output_context))
        self._probability = absolute(self.parameterAsOutputLayer(parameters, "PROBABILITY", output_context))
        self._polygons = absolute(self.parameterAsOutputLayer(parameters, "POLYGONS", output_context))
        self._go_on = self.parameterAsBool(parameters, "CHANGED", context)
        for path in (self._mask, self._probability, self._polygons):
            require_free(path, context.project())
        require_own_file(self._polygons)
        return layer

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Hash, compare and run; returns nothing when cancelled."""
        if not self._file:
            raise QgsProcessingException(tr("Nothing was prepared; run the algorithm again."))
        job = protocol.RepeatJob(
            file=self._file,
            out=self._mask,
            probability=self._probability or None,
            polygons=self._polygons or None,
            changed=self._go_on,
            overwrite=True,
        )
        with told_to_processing():
            try:
                result = dict(self._client.run("repeat", job, feedback))
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; nothing was written."))
                return {}
        for warning in result.get("warnings") or ():
            feedback.pushWarning(str(warning))
        different = result.get("different_pixels")
        if different:
            feedback.pushWarning(tr("The new mask differs in {count} pixels.").format(count=different))
        elif different == 0:
            feedback.pushInfo(tr("The new mask is the same, pixel by pixel."))
        outputs = {
            "OUTPUT": self._mask,
            "PROBABILITY": self._probability,
            "POLYGONS": result.get("polygons"),
            "HAZARD_AREA_M2": result.get("hazard_area_m2"),
            "DIFFERENT_PIXELS": different,
            "SCENE_SHA256": result.get("scene_sha256") or "",
            "MODEL_SHA256": result.get("model_sha256") or "",
        }
        return {name: value for name, value in outputs.items() if value or name not in ("PROBABILITY", "POLYGONS")}


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("RunAgain", text)
