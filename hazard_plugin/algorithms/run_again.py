"""The algorithm ``hazardmapper:runagain``: repeats the run that a result came from, and says whether it is the same."""

from typing import Any, Dict, List, Optional

import numpy as np
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterMapLayer,
    QgsProcessingParameterRasterDestination,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import RASTER_OR_VECTOR
from ..engine_client import EngineClient
from ..hazards import mask_layer_name, probability_layer_name
from ..layer_origin import file_of, hazard_of, scene_of
from ..raster_copy import Grid
from .base import EngineAlgorithm, absolute, with_help
from .outputs import dress_on_load, require_free, told_to_processing


class RunAgain(EngineAlgorithm):
    """Repeat the run that a mask, a probability or polygons came from."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__(client)
        self._file = self._mask = self._probability = ""
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
            "and model. This algorithm reads them, hashes both again, and runs the same job to new files.\n\n"
            "Where scene or model have changed nothing is run, unless CHANGED says so. DIFFERENT_PIXELS counts pixels "
            "in which the new mask differs from INPUT, where INPUT is a mask; it is 0 on the same device with the same "
            "versions. A mask with a threshold applied later is repeated with that threshold.\n\n"
            "A layer that QGIS had to copy for the engine, such as a web map, cannot be run again: its pixels were "
            "not kept."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterMapLayer("INPUT", tr("Result"), None, False, RASTER_OR_VECTOR))
        changed = QgsProcessingParameterBoolean("CHANGED", tr("Go on where scene or model have changed"), False, True)
        add(with_help(changed, tr("the result may then differ")))
        add(QgsProcessingParameterRasterDestination("OUTPUT", tr("Mask")))
        add(QgsProcessingParameterRasterDestination("PROBABILITY", tr("Probability"), None, True, False))
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
        dress_on_load(context, self._mask, "mask", hazard, mask_layer_name(hazard, scene))
        dress_on_load(context, self._probability, "probability", hazard, probability_layer_name(hazard, scene))
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
        self._go_on = self.parameterAsBool(parameters, "CHANGED", context)
        for path in (self._mask, self._probability):
            require_free(path, context.project())
        return layer

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Hash, compare and run; returns nothing when cancelled."""
        if not self._file:
            raise QgsProcessingException(tr("Nothing was prepared; run the algorithm again."))
        with told_to_processing():
            try:
                origin = dict(self._client.run("provenance", protocol.ProvenanceJob(self._file, verify=True), feedback))
                self._require_unchanged(origin, feedback)
                result = self._client.run("segment", self._job(origin), feedback)
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; nothing was written."))
                return {}
        different = count_different(self._file, self._mask) if origin.get("kind") == "mask" else None
        if different:
            feedback.pushWarning(tr("The new mask differs in {count} pixels.").format(count=different))
        elif different == 0:
            feedback.pushInfo(tr("The new mask is the same, pixel by pixel."))
        outputs = {
            "OUTPUT": self._mask,
            "HAZARD_AREA_M2": result.get("hazard_area_m2"),
            "DIFFERENT_PIXELS": different,
            "SCENE_SHA256": origin.get("scene_sha256") or "",
            "MODEL_SHA256": origin.get("model_sha256") or "",
        }
        return {**outputs, "PROBABILITY": self._probability} if self._probability else outputs

    def _require_unchanged(self, origin: Dict[str, Any], feedback: QgsProcessingFeedback) -> None:
        """Raise BadInput unless scene and model are known to be what they were, or the user goes on anyway."""
        for name, state in (("scene", "scene_unchanged"), ("model", "model_unchanged")):
            if origin.get(state):
                continue
            changed = tr("The {what} '{name}' has changed since; set CHANGED to run it nevertheless.")
            gone = tr("The {what} '{name}' cannot be found or hashed as it was; put it back, or set CHANGED.")
            sentence = changed if origin.get(state) is False else gone
            title = {"scene": tr("scene"), "model": tr("model")}[name]
            text = sentence.format(what=title, name=origin.get(name) or tr("not known"))
            if not self._go_on:
                raise protocol.BadInput(text)
            feedback.pushWarning(text)

    def _job(self, origin: Dict[str, Any]) -> Any:
        job = origin.get("job")
        if not job:
            raise protocol.BadInput(
                tr("'{file}' does not say how it was made; choose a result that this plugin wrote.").format(
                    file=self._file
                )
            )
        values = {
            **job,
            "mask": self._mask,
            "probability": self._probability or None,
            "model": job.get("model") or origin.get("model"),
            "threshold": origin.get("threshold"),
            "overwrite": True,
        }
        size = str((origin.get("tags") or {}).get("HAZARD_BATCH_SIZE") or "")
        if size.isdigit():  # what is predicted together may differ in the last digit
            values["batch_size"] = int(size)
        return protocol.job_from_dict("segment", values)


def count_different(first: str, second: str) -> Optional[int]:
    """Pixels in which two masks on one grid differ; None where the grids do."""
    layers = [QgsRasterLayer(path, "mask", "gdal") for path in (first, second)]
    if not all(layer.isValid() for layer in layers):
        return None
    one, other = layers
    if (one.width(), one.height()) != (other.width(), other.height()):
        return None
    different = 0
    for _, _, width, height, extent in Grid(one.extent(), one.width(), one.height()).blocks():
        blocks = [layer.dataProvider().block(1, extent, width, height) for layer in layers]
        values = [np.frombuffer(bytes(block.data()), "u1") for block in blocks]
        different += int(np.count_nonzero(values[0] != values[1]))
    return different


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("RunAgain", text)
