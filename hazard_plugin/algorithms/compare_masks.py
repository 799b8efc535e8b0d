"""The algorithm ``hazardmapper:comparemasks``: hazard gained, lost and unchanged between two dates."""

from typing import Any, Dict, List, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..hazards import hazard_title
from ..layer_origin import hazard_of, inherited, scene_of
from .base import with_help
from .delivery import DeliveryAlgorithm
from .outputs import require_free, told_to_processing
from .styled import dress_styled, style_file


class CompareMasks(DeliveryAlgorithm):
    """Compare masks of two dates."""

    def name(self) -> str:
        """Id within the provider."""
        return "comparemasks"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Compare masks of two dates")

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("change,before,after,difference,gained,lost,dates,recession,growth").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Tells hazard gained, lost and unchanged between two masks, as a layer and as areas.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Compares an earlier mask with a later one and writes 0 none, 1 gained, 2 lost, 3 unchanged hazard, 255 "
            "where either is not assessed: there nothing is said of change.\n\n"
            "The earlier mask may have another grid, CRS or resolution: it is read under the centres of the later "
            "one's pixels. Permanent water and what slope ruled out count as no hazard.\n\n"
            "It warns where the masks show other hazards, come from other models or thresholds, or seem to be swapped: "
            "part of the change is then not on the ground."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterRasterLayer("BEFORE", tr("Earlier mask")))
        after = QgsProcessingParameterRasterLayer("AFTER", tr("Later mask"))
        add(with_help(after, tr("its grid is that of the output")))
        add(QgsProcessingParameterRasterDestination("OUTPUT", tr("Change")))
        for name, title in (
            ("GAINED_M2", tr("Hazard gained in m²")),
            ("LOST_M2", tr("Hazard lost in m²")),
            ("UNCHANGED_M2", tr("Hazard unchanged in m²")),
            ("NOT_ASSESSED_M2", tr("Not assessed at both dates in m²")),
            ("SHARE_ASSESSED", tr("Share of the later mask assessed at both dates (0 to 1)")),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, title))
        self.addOutput(QgsProcessingOutputString("WARNINGS", tr("Warnings")))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        self._job(parameters, context, QgsProcessingContext())

    def _job(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, output_context: QgsProcessingContext
    ) -> protocol.ChangeJob:
        before, after = (self.result_file(parameters, name, context) for name in ("BEFORE", "AFTER"))
        if protocol.same_path(before, after):
            raise protocol.BadInput(tr("Both masks are the same file; choose masks of two dates."))
        out = self.output_file(parameters, "OUTPUT", output_context)
        require_free(out, context.project())
        return protocol.ChangeJob(before=before, after=after, out=out, overwrite=True)

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layers on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self.job = self._job(parameters, context, context)
            layer = self.raster(parameters, "AFTER", context)
        hazard = hazard_of(layer)
        name = tr("{hazard} gained and lost - {scene}").format(hazard=hazard_title(hazard), scene=scene_of(layer))
        output = self.named["OUTPUT"]
        dress_styled(context, output, style_file("change"), "change", hazard, name, inherited(layer))
        return True

    def outputs_of(self, result: Dict[str, Any], feedback: QgsProcessingFeedback) -> Dict[str, Any]:
        """Outputs of the algorithm from the engine's answer."""
        feedback.pushInfo(
            tr("Gained {gained:.3f} km², lost {lost:.3f} km², unchanged {same:.3f} km², {share:.1%} assessed.").format(
                gained=result["gained_m2"] / 1e6,
                lost=result["lost_m2"] / 1e6,
                same=result["unchanged_m2"] / 1e6,
                share=result["share_assessed"],
            )
        )
        names = ("gained_m2", "lost_m2", "unchanged_m2", "not_assessed_m2", "share_assessed")
        return {
            "OUTPUT": self.job.out,
            **{name.upper(): result.get(name) for name in names},
            "WARNINGS": "\n".join(result.get("warnings") or ()),
        }

    @property
    def kind(self) -> str:
        """Kind of the engine's job."""
        return "change"


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("CompareMasks", text)
