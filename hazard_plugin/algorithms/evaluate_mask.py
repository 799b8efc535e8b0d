"""The algorithm ``hazardmapper:evaluatemask``: how well a mask agrees with a reference raster or with polygons."""

import contextlib
import os
import tempfile
import uuid
from typing import Any, Dict, Iterator, List, Optional

from qgis.core import (
    QgsCoordinateTransform,
    QgsCsException,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingUtils,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..accuracy_page import accuracy_page, score_text, score_titles
from ..compat import POLYGONS
from ..layer_origin import hazard_of, inherited, scene_of
from ..raster_source import RasterSource, read_layer
from .area import write_area
from .base import EngineAlgorithm, absolute, with_help
from .outputs import dress_on_load, require_free, told_to_processing


class EvaluateMask(EngineAlgorithm):
    """Score a mask against a reference."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._mask: Optional[RasterSource] = None
        self._reference: Optional[RasterSource] = None
        self._polygons: Any = None
        self._codes: Dict[str, Any] = {}
        self._errors = self._errors_as_named = ""
        self._page = ""

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
        return tr(
            "Scores a mask against a reference: balanced accuracy, IoU, F1, precision, recall, and shows its errors."
        )

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Compares a mask (0 none, 1 hazard, 255 not assessed) pixel by pixel with a reference: a raster on the "
            "same grid, or polygons of the hazard in any CRS. Give one of the two.\n\n"
            "POSITIVE and IGNORE are codes of a reference raster: those that mean hazard, and those to leave out. "
            "Polygons do not say where nobody looked: every pixel whose centre lies in none of them counts as free of "
            "hazard. Pixels that the mask does not assess are left out and counted. What was taken out of a refined "
            "mask (permanent water, slopes) counts as no hazard.\n\n"
            "ERRORS shows where: 0 rightly none, 1 hit, 2 miss, 3 false alarm, 255 left out. REPORT is a page with "
            "scores and confusion matrix.\n\n"
            "Balanced accuracy is the mean of the share of hazard that was found and the share of the rest that was "
            "left alone; it alone flatters where hazards are rare, so look at IoU beside it. A score that is not "
            "defined, such as precision where nothing was found, stays empty."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterRasterLayer("MASK", tr("Mask")))
        reference = QgsProcessingParameterRasterLayer("REFERENCE", tr("Reference (raster)"), None, True)
        add(with_help(reference, tr("on the mask's grid")))
        title = tr("Reference (polygons of the hazard)")
        polygons = QgsProcessingParameterFeatureSource("REFERENCE_POLYGONS", title, [POLYGONS], None, True)
        add(with_help(polygons, tr("instead of a raster; everything outside of them counts as free of hazard")))
        positive = QgsProcessingParameterString("POSITIVE", tr("Reference codes that mean hazard"), "1")
        add(with_help(positive, tr("whole numbers separated by commas")))
        ignore = QgsProcessingParameterString("IGNORE", tr("Reference codes to leave out"), "255", False, True)
        add(with_help(ignore, tr("whole numbers separated by commas; none when empty")))
        add(QgsProcessingParameterRasterDestination("ERRORS", tr("Errors"), None, True, False))
        pages = tr("HTML files (*.html)")
        add(QgsProcessingParameterFileDestination("REPORT", tr("Report"), pages, None, True, False))
        for name, title in score_titles().items():
            self.addOutput(QgsProcessingOutputNumber(name.upper(), title))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        self._read(parameters, context, QgsProcessingContext())

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layers on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self._read(parameters, context, context)
            layer = self.raster(parameters, "MASK", context)
        if self._errors:
            name = tr("Errors - {scene}").format(scene=scene_of(layer))
            dress_on_load(context, self._errors_as_named, "errors", hazard_of(layer), name, inherited(layer))
        return True

    def _read(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, output_context: QgsProcessingContext
    ) -> None:
        given = [name for name in ("REFERENCE", "REFERENCE_POLYGONS") if parameters.get(name)]
        if len(given) != 1:
            raise protocol.BadInput(
                tr("Both a reference raster and reference polygons are given; give one of them.")
                if given
                else tr("No reference is given; give a raster on the mask's grid, or polygons of the hazard.")
            )
        self._mask = self._plain(parameters, "MASK", context)
        self._reference = self._polygons = None
        if given == ["REFERENCE"]:
            self._reference = self._plain(parameters, "REFERENCE", context)
        else:
            self._polygons = self.parameterAsSource(parameters, "REFERENCE_POLYGONS", context)
            if self._polygons is None:
                raise QgsProcessingException(self.invalidSourceError(parameters, "REFERENCE_POLYGONS"))
            self._require_on_mask(self._mask, context)
        codes = {name: protocol.parse_codes(self.text(parameters, name, context)) for name in ("POSITIVE", "IGNORE")}
        self._codes = {"positive": codes["POSITIVE"], "ignore": codes["IGNORE"]}
        self._errors_as_named = self.parameterAsOutputLayer(parameters, "ERRORS", output_context)
        self._errors = absolute(self._errors_as_named)
        self._page = absolute(self.parameterAsFileOutput(parameters, "REPORT", context))
        require_free(self._errors, context.project())
        reference = self._reference.path if self._reference else ""
        protocol.EvaluateJob(
            mask=self._mask.path or "mask",
            reference=reference or "reference",
            errors=self._errors or None,
            overwrite=True,
            **self._codes,
        )

    def _plain(self, parameters: Dict[str, Any], name: str, context: QgsProcessingContext) -> RasterSource:
        source = read_layer(self.raster(parameters, name, context))
        if source.open_options:
            sentence = tr("Layer '{name}' is opened with options of its own; export it to a GeoTIFF first.")
            raise protocol.BadInput(sentence.format(name=source.name))
        return source

    def _require_on_mask(self, mask: RasterSource, context: QgsProcessingContext) -> None:
        """Raise BadInput unless polygons can be laid on the mask."""
        if mask.crs_override:
            sentence = tr("Layer '{name}' is shown in another CRS than its file says; export it first.")
            raise protocol.BadInput(sentence.format(name=mask.name))
        crs = self._polygons.sourceCrs()
        extent = self._polygons.sourceExtent()
        if crs.isValid() and mask.crs.isValid():
            move = QgsCoordinateTransform(crs, mask.crs, context.transformContext())
            with contextlib.suppress(QgsCsException):  # told once the polygons themselves are moved
                extent = move.transformBoundingBox(extent)
        if self._polygons.featureCount() == 0 or not extent.intersects(mask.extent):
            sentence = tr("No polygon of '{polygons}' lies on the mask '{mask}'; choose or select some that do.")
            raise protocol.BadInput(sentence.format(polygons=self._polygons.sourceName(), mask=mask.name))

    @contextlib.contextmanager
    def _opened_reference(
        self, mask: RasterSource, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Iterator[str]:
        """Yield the reference as a file that the engine opens; a temporary one is removed afterwards."""
        if self._reference is not None:
            with self._reference.opened(None, feedback) as truth:
                yield truth.raster
            return
        with tempfile.TemporaryDirectory(prefix="reference_", dir=QgsProcessingUtils.tempFolder()) as folder:
            yield write_area(self._polygons, mask, folder, context.transformContext(), feedback).path

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Run the job in the engine; returns nothing when cancelled."""
        mask = self._mask
        if mask is None:
            raise QgsProcessingException(tr("No mask is given; choose a raster layer that QGIS can open."))
        outputs: Dict[str, Any] = {}
        with told_to_processing():
            try:
                with mask.opened(None, feedback) as found, self._opened_reference(mask, context, feedback) as truth:
                    job = protocol.EvaluateJob(
                        mask=found.raster,
                        reference=truth,
                        errors=self._errors or None,
                        overwrite=True,
                        **self._codes,
                    )
                    scores = dict(self._client.run("evaluate", job, feedback))
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; nothing was written."))
                return {}
            for warning in scores.get("warnings") or ():
                feedback.pushWarning(str(warning))
            if self._errors:
                outputs["ERRORS"] = self._errors
            if self._page:
                reference = self._reference.name if self._reference else self._polygons.sourceName()
                write_text(self._page, accuracy_page(mask.name, reference, self._reference is None, scores))
                outputs["REPORT"] = self._page
        titles = score_titles()
        feedback.pushInfo("\n".join(f"{titles[name]}: {score_text(scores.get(name))}" for name in titles))
        return {**outputs, **{name.upper(): scores.get(name) for name in titles}}


def write_text(path: str, text: str) -> None:
    """Write a page under a temporary name beside its own, then rename it."""
    partial = protocol.partial_path(path, uuid.uuid4().hex[:12])
    try:
        with open(partial, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(partial, path)
    finally:
        with contextlib.suppress(OSError):
            os.remove(partial)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("EvaluateMask", text)
