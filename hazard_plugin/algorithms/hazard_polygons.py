"""The algorithm ``hazardmapper:hazardpolygons``: a mask as polygons with areas, probabilities and origin."""

from typing import Any, Dict, List, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
    QgsProcessingParameterVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import DOUBLE, INTEGER, POLYGONS
from ..engine_client import EngineClient
from ..layer_origin import hazard_of, inherited, scene_of
from ..vector_layers import PolygonsDresser
from .base import with_help
from .delivery import DeliveryAlgorithm
from .outputs import require_free, told_to_processing

MOST_ROUNDS = 5


class HazardPolygons(DeliveryAlgorithm):
    """Trace a mask to polygons."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__(client)
        self._dresser: Optional[PolygonsDresser] = None

    def name(self) -> str:
        """Id within the provider."""
        return "hazardpolygons"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Hazard polygons")

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("polygonize,vectorize,trace,outline,mask,area,simplify,smooth,manual,corrections").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Traces a mask to polygons with areas, probabilities and origin; manual corrections are kept.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Traces the hazard pixels of a mask on their pixel edges: without simplification the polygons have exactly "
            "the pixels' area, and holes are kept. Each polygon has its area on the ellipsoid, the mean and least "
            "probability of its pixels, scene, date, model, threshold and origin.\n\n"
            "Simplification and smoothing work on all polygons together: none crosses another or itself, and corners "
            "at which two touch stay. Areas are then those of the simplified shape; probabilities stay those of the "
            "traced pixels.\n\n"
            "MANUAL is an earlier polygon file: what was drawn by hand in it (origin 'manual') is taken over and wins "
            "over the model, what was deleted (origin 'removed') is recorded and cut out.\n\n"
            "Pixels that are not assessed are in no polygon; the log says how many. The ending of the output decides "
            "the format: .gpkg, .shp, .geojson (always longitude and latitude) or .fgb."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterRasterLayer("INPUT", tr("Mask")))
        probability = QgsProcessingParameterRasterLayer("PROBABILITY", tr("Probability"), None, True)
        add(with_help(probability, tr("of the same run, for the mean and least probability of each polygon")))
        least = QgsProcessingParameterNumber("MINIMUM_AREA_M2", tr("Minimum area (m²)"), DOUBLE, 0.0, False, 0.0, 1e12)
        add(with_help(least, tr("on the ellipsoid; smaller polygons are left out")))
        simplify = QgsProcessingParameterNumber("SIMPLIFY_M", tr("Simplify (m)"), DOUBLE, 0.0, False, 0.0, 1e5)
        add(with_help(simplify, tr("metres by which outlines may move; 0 keeps pixel edges")))
        smooth = QgsProcessingParameterNumber("SMOOTH", tr("Smooth (rounds)"), INTEGER, 0, False, 0, MOST_ROUNDS)
        add(with_help(smooth, tr("rounds of corner cutting; each doubles the corners")))
        diagonal = QgsProcessingParameterBoolean("DIAGONAL", tr("Join pixels that touch at a corner"), False)
        add(with_help(diagonal, tr("as one polygon of several parts")))
        manual = QgsProcessingParameterVectorLayer("MANUAL", tr("Manual corrections to keep"), [POLYGONS], None, True)
        add(with_help(manual, tr("polygons of an earlier run that were corrected by hand")))
        date = QgsProcessingParameterString("DATE", tr("Day of the scene (empty: found out)"), "", False, True)
        add(with_help(date, tr("year, month and day, for example 2024-09-16")))
        add(QgsProcessingParameterVectorDestination("OUTPUT", tr("Polygons"), POLYGONS))
        self.addOutput(QgsProcessingOutputNumber("COUNT", tr("Number of hazard polygons")))
        self.addOutput(QgsProcessingOutputNumber("AREA_M2", tr("Hazard area in m²")))
        self.addOutput(QgsProcessingOutputNumber("MANUAL_COUNT", tr("Number of manual polygons")))
        self.addOutput(QgsProcessingOutputNumber("SHARE_ASSESSED", tr("Share of the mask assessed (0 to 1)")))
        self.addOutput(QgsProcessingOutputString("WARNINGS", tr("Warnings")))
        self.mark_advanced(("DIAGONAL", "DATE"))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        self._job(parameters, context, QgsProcessingContext())

    def _job(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, output_context: QgsProcessingContext
    ) -> protocol.PolygonsJob:
        out = self.output_file(parameters, "OUTPUT", output_context)
        require_free(out, context.project())
        date = self.text(parameters, "DATE", context)
        with_probability = parameters.get("PROBABILITY") not in (None, "")
        return protocol.PolygonsJob(
            mask=self.result_file(parameters, "INPUT", context),
            out=out,
            probability=self.result_file(parameters, "PROBABILITY", context) if with_probability else None,
            minimum_area_m2=self.parameterAsDouble(parameters, "MINIMUM_AREA_M2", context),
            simplify_m=self.parameterAsDouble(parameters, "SIMPLIFY_M", context),
            smooth=self.parameterAsInt(parameters, "SMOOTH", context),
            diagonal=self.parameterAsBool(parameters, "DIAGONAL", context),
            manual=self._manual(parameters, context),
            date=protocol.parse_date(date) if date else None,
            overwrite=True,
        )

    def _manual(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """File of the corrections; raises BadInput for layers that are no plain file, or are being edited."""
        if parameters.get("MANUAL") in (None, ""):
            return None
        return self.corrections_file(parameters, "MANUAL", context)

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layers and check the output on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self.job = self._job(parameters, context, context)
            layer = self.raster(parameters, "INPUT", context)
        self.tell_filtered(feedback)
        origin = inherited(layer)
        self._dresser = None
        output = self.named["OUTPUT"]
        if output and context.willLoadLayerOnCompletion(output):
            self._dresser = PolygonsDresser(hazard_of(layer), scene_of(layer), origin)
            details = context.layerToLoadOnCompletionDetails(output)
            details.setPostProcessor(self._dresser)
        return True

    def outputs_of(self, result: Dict[str, Any], feedback: QgsProcessingFeedback) -> Dict[str, Any]:
        """Outputs of the algorithm from the engine's answer."""
        if self._dresser is not None and result.get("hazard"):
            self._dresser.hazard = str(result["hazard"])
        count, area = int(result.get("count") or 0), float(result.get("hazard_area_m2") or 0)
        feedback.pushInfo(
            tr("{count} polygons, {area:.4f} km², {manual} of them drawn by hand.").format(
                count=count, area=area / 1e6, manual=result.get("manual") or 0
            )
        )
        return {
            "OUTPUT": self.job.out,
            "COUNT": count,
            "AREA_M2": area,
            "MANUAL_COUNT": result.get("manual"),
            "SHARE_ASSESSED": result.get("share_assessed"),
            "WARNINGS": "\n".join(result.get("warnings") or ()),
        }

    @property
    def kind(self) -> str:
        """Kind of the engine's job."""
        return "polygons"


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("HazardPolygons", text)
