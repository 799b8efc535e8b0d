"""The algorithm ``hazardmapper:evaluatemask``: how well a mask agrees with a reference on the same grid."""

from typing import Any, Dict, List, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..raster_source import RasterSource, read_layer
from .base import EngineAlgorithm, with_help
from .outputs import told_to_processing

RASTERS = ("MASK", "REFERENCE")


class EvaluateMask(EngineAlgorithm):
    """Score a mask against a reference raster."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._sources: Dict[str, RasterSource] = {}
        self._codes: Dict[str, Any] = {}

    def name(self) -> str:
        """Id within the provider."""
        return "evaluatemask"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Evaluate mask")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Mapping")

    def groupId(self) -> str:
        """Id of the group."""
        return "mapping"

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("accuracy,score,iou,f1,precision,recall,confusion,validation,reference,ground truth").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Scores a mask against a reference: balanced accuracy, IoU, F1, precision and recall.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Compares a mask (0 none, 1 hazard, 255 not assessed) with a reference raster on the same grid, pixel by "
            "pixel.\n\n"
            "POSITIVE and IGNORE are codes of the reference: those that mean hazard, and those to leave out. Pixels "
            "that the mask does not assess are left out and counted.\n\n"
            "Balanced accuracy is the mean of the share of hazard that was found and the share of the rest that was "
            "left alone; it alone flatters where hazards are rare, so look at IoU beside it. A score that is not "
            "defined, such as precision where nothing was found, stays empty."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterRasterLayer("MASK", tr("Mask")))
        add(QgsProcessingParameterRasterLayer("REFERENCE", tr("Reference")))
        positive = QgsProcessingParameterString("POSITIVE", tr("Reference codes that mean hazard"), "1")
        add(with_help(positive, tr("whole numbers separated by commas")))
        ignore = QgsProcessingParameterString("IGNORE", tr("Reference codes to leave out"), "255", False, True)
        add(with_help(ignore, tr("whole numbers separated by commas; none when empty")))
        for name, title in score_titles().items():
            self.addOutput(QgsProcessingOutputNumber(name.upper(), title))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        self._read(parameters, context)

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read both layers on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self._read(parameters, context)
        return True

    def _read(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        self._sources = {name: read_layer(self.raster(parameters, name, context)) for name in RASTERS}
        for source in self._sources.values():
            if source.open_options:
                raise protocol.BadInput(
                    tr("Layer '{name}' is opened with options of its own; export it to a GeoTIFF first.").format(
                        name=source.name
                    )
                )
        codes = {name: protocol.parse_codes(self.text(parameters, name, context)) for name in ("POSITIVE", "IGNORE")}
        self._codes = {"positive": codes["POSITIVE"], "ignore": codes["IGNORE"]}
        protocol.EvaluateJob(mask="mask", reference="reference", **self._codes)

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Run the job in the engine; returns nothing when cancelled."""
        if not self._sources:
            raise QgsProcessingException(tr("No mask is given; choose a raster layer that QGIS can open."))
        mask, reference = (self._sources[name] for name in RASTERS)
        with told_to_processing():
            try:
                with mask.opened(None, feedback) as found, reference.opened(None, feedback) as truth:
                    job = protocol.EvaluateJob(mask=found.raster, reference=truth.raster, **self._codes)
                    scores = self._client.run("evaluate", job, feedback)
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled."))
                return {}
        titles = score_titles()
        feedback.pushInfo("\n".join(f"{titles[name]}: {score_text(scores.get(name))}" for name in titles))
        return {name.upper(): scores.get(name) for name in titles}


def score_titles() -> Dict[str, str]:
    """Names of the scores, in the engine's words, to those for people."""
    return {
        "balanced_accuracy": tr("Balanced accuracy"),
        "iou": tr("Intersection over union (IoU)"),
        "f1": tr("F1"),
        "precision": tr("Precision"),
        "recall": tr("Recall"),
        "tp": tr("Pixels found rightly (true positive)"),
        "fp": tr("Pixels found wrongly (false positive)"),
        "fn": tr("Pixels missed (false negative)"),
        "tn": tr("Pixels left alone rightly (true negative)"),
        "not_assessed": tr("Pixels not assessed"),
    }


def score_text(value: Any) -> str:
    """Three decimals for a score, a count as it is."""
    if value is None:
        return tr("not defined")
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("EvaluateMask", text)
