"""The algorithm ``hazardmapper:applythreshold``: a mask cut anew from a probability, without running the model."""

from typing import Any, Dict, List, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import DOUBLE
from ..hazards import mask_layer_name
from ..layer_origin import hazard_of, inherited, origin_of, scene_of
from .base import with_help
from .delivery import DeliveryAlgorithm
from .outputs import dress_on_load, require_free, told_to_processing


class ApplyThreshold(DeliveryAlgorithm):
    """Cut a mask from a probability at another threshold."""

    def name(self) -> str:
        """Id within the provider."""
        return "applythreshold"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Apply threshold")

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("threshold,cut,probability,mask,binarise,reclassify").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Cuts a mask from a probability at another threshold, without running the model again.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Writes a mask (0 none, 1 hazard, 255 not assessed) from a probability that Segment hazard wrote. A lower "
            "threshold marks more, a higher one less.\n\n"
            "The probability is stored in whole per cent: at the very threshold of the run, pixels within half a per "
            "cent of it may fall on the other side than in the run's own mask.\n\n"
            "The probability of a new flood does not tell water on both dates (2) apart. With RUN_MASK, the mask that "
            "the same run wrote, its water on both dates is kept wherever the threshold does not call it new. That "
            "stays approximate: it is the water of the run's own threshold. Segment again with THRESHOLD for an exact "
            "one."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterRasterLayer("PROBABILITY", tr("Probability")))
        threshold = QgsProcessingParameterNumber("THRESHOLD", tr("Threshold"), DOUBLE, 0.5, False, 0.01, 0.99)
        add(with_help(threshold, tr("between 0 and 1; pixels of at least this probability are hazard")))
        run_mask = QgsProcessingParameterRasterLayer("RUN_MASK", tr("Mask of the run (new floods)"), None, True)
        add(with_help(run_mask, tr("as the run wrote it beside the probability: its water on both dates is kept")))
        add(QgsProcessingParameterRasterDestination("OUTPUT", tr("Mask")))
        self.addOutput(QgsProcessingOutputNumber("HAZARD_AREA_M2", tr("Hazard area in m²")))
        self.addOutput(QgsProcessingOutputNumber("PERMANENT_AREA_M2", tr("Area of water on both dates in m²")))
        self.addOutput(QgsProcessingOutputNumber("SHARE_ASSESSED", tr("Share of the scene assessed (0 to 1)")))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        self._job(parameters, context, QgsProcessingContext())

    def _job(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, output_context: QgsProcessingContext
    ) -> protocol.ThresholdJob:
        probability = self.result_file(parameters, "PROBABILITY", context)
        mask = self.output_file(parameters, "OUTPUT", output_context)
        require_free(mask, context.project())
        has_run_mask = parameters.get("RUN_MASK") not in (None, "")
        return protocol.ThresholdJob(
            probability=probability,
            mask=mask,
            threshold=self.parameterAsDouble(parameters, "THRESHOLD", context),
            run_mask=self.result_file(parameters, "RUN_MASK", context) if has_run_mask else None,
            overwrite=True,
        )

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layer and check the output on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self.job = self._job(parameters, context, context)
            layer = self.raster(parameters, "PROBABILITY", context)
        if origin_of(layer)["before"] and hazard_of(layer) == "flood" and not self.job.run_mask:
            feedback.pushWarning(
                tr("Water on both dates is not told apart without the run's mask; give it as RUN_MASK to keep it.")
            )
        hazard, scene = hazard_of(layer), scene_of(layer)
        origin = {**inherited(layer), "threshold": f"{self.job.threshold:g}"}
        dress_on_load(
            context,
            self.named["OUTPUT"],
            "mask",
            hazard,
            mask_layer_name(hazard, scene, is_new=bool(origin.get("before"))),
            origin,
        )
        return True

    def outputs_of(self, result: Dict[str, Any], feedback: QgsProcessingFeedback) -> Dict[str, Any]:
        """Outputs of the algorithm from the engine's answer."""
        permanent = result.get("permanent_area_m2")
        if isinstance(permanent, (int, float)):
            kept = tr("Water on both dates, by the run's own threshold: {area:.4f} km², a class of its own (2).")
            feedback.pushInfo(kept.format(area=permanent / 1e6))
        return {
            "OUTPUT": self.job.mask,
            "HAZARD_AREA_M2": result.get("hazard_area_m2"),
            "PERMANENT_AREA_M2": permanent,
            "SHARE_ASSESSED": result.get("share_assessed"),
        }

    @property
    def kind(self) -> str:
        """Kind of the engine's job."""
        return "threshold"


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("ApplyThreshold", text)
