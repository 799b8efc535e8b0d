"""The algorithm ``hazardmapper:correctmask``: what was drawn and removed by hand, brought into a mask."""

import os
from typing import Any, Dict, List, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import POLYGONS
from ..hazards import hazard_title
from ..layer_origin import hazard_of, inherited, scene_of
from .base import with_help
from .delivery import DeliveryAlgorithm
from .outputs import require_free, told_to_processing
from .styled import dress_styled


class CorrectMask(DeliveryAlgorithm):
    """Bring manual and removed polygons into a mask."""

    def name(self) -> str:
        """Id within the provider."""
        return "correctmask"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Correct mask")

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("manual,correction,edit,burn,rasterize,polygons,mask").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Brings polygons drawn and removed by hand into the mask, so that all figures follow them.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Polygons traced from a mask can be corrected with QGIS's own tools: what is drawn or redrawn gets the "
            "origin manual, what is deleted is kept as removed. This algorithm writes a mask that follows: pixels "
            "whose centre lies in a manual polygon become hazard, also where the model could not assess them; those "
            "in a removed polygon, and in no manual one, become no hazard.\n\n"
            "Exposure, change, series, accuracy check, map sheet and report then count what was corrected."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterRasterLayer("INPUT", tr("Mask")))
        polygons = QgsProcessingParameterVectorLayer("POLYGONS", tr("Corrected polygons"), [POLYGONS])
        add(with_help(polygons, tr("polygons that Hazard polygons wrote; edits have to be saved")))
        add(QgsProcessingParameterRasterDestination("OUTPUT", tr("Corrected mask")))
        self.addOutput(QgsProcessingOutputNumber("HAZARD_AREA_M2", tr("Hazard area in m²")))
        self.addOutput(QgsProcessingOutputNumber("ADDED_M2", tr("Added by hand in m²")))
        self.addOutput(QgsProcessingOutputNumber("REMOVED_M2", tr("Removed by hand in m²")))
        self.addOutput(QgsProcessingOutputNumber("SHARE_ASSESSED", tr("Share of the scene assessed (0 to 1)")))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        self._job(parameters, context, QgsProcessingContext())

    def _job(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, output_context: QgsProcessingContext
    ) -> protocol.CorrectJob:
        out = self.output_file(parameters, "OUTPUT", output_context)
        require_free(out, context.project())
        return protocol.CorrectJob(
            mask=self.result_file(parameters, "INPUT", context),
            polygons=self.corrections_file(parameters, "POLYGONS", context),
            out=out,
            overwrite=True,
        )

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layers on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self.job = self._job(parameters, context, context)
            layer = self.raster(parameters, "INPUT", context)
        self.tell_filtered(feedback)
        hazard = hazard_of(layer)
        name = tr("{hazard}, corrected - {scene}").format(hazard=hazard_title(hazard), scene=scene_of(layer))
        origin = {**inherited(layer), "derived": "corrected"}
        style = os.path.splitext(self.job.out)[0] + ".qml"  # of the engine, which knows what the mask may hold
        dress_styled(context, self.named["OUTPUT"], style, "mask", hazard, name, origin)
        return True

    def outputs_of(self, result: Dict[str, Any], feedback: QgsProcessingFeedback) -> Dict[str, Any]:
        """Outputs of the algorithm from the engine's answer."""
        names = ("hazard_area_m2", "added_m2", "removed_m2", "share_assessed")
        return {"OUTPUT": self.job.out, **{name.upper(): result.get(name) for name in names}}

    @property
    def kind(self) -> str:
        """Kind of the engine's job."""
        return "correct"


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("CorrectMask", text)
