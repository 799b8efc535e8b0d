"""The algorithm ``hazardmapper:emergencypackage``: polygons as a vector package in the layout of Copernicus EMS."""

import configparser
import os
import tempfile
from typing import Any, Dict, List, Optional, Tuple

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingOutputFolder,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingUtils,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication, QDateTime, Qt

from ...engine import protocol
from ..compat import DOUBLE, INTEGER, POLYGONS
from ..engine_client import EngineClient
from ..engine_location import PACKAGE_FOLDER
from ..package_content import Grounds, PackageContent, area_of, attributes_of_first
from ..package_geometry import ToGeographic, ring_polygon
from ..package_readme import metadata, readme
from ..package_request import FROM_POLYGONS, Origin, Raster, Request, described
from ..package_schema import (
    AREA_OF_INTEREST,
    DETECTION_METHODS,
    EVENT_PHASES,
    EVENT_TYPES,
    IMAGE_FOOTPRINT,
    NOT_APPLICABLE,
    NOTATIONS,
    OBSERVED_EVENT,
    PRODUCTS,
    SOURCE,
    PackageName,
)
from ..package_writer import FORMATS, GEOPACKAGE, PackageWriter, require_possible
from .base import with_help, with_hints
from .delivery import DeliveryAlgorithm
from .outputs import told_to_processing

TEXTS = {
    "EVENT_TYPE": "event_type",
    "OBJ_DESC": "subtype",
    "NOTATION": "notation",
    "DET_METHOD": "method",
    "SOURCE_NAME": "mission",
    "SOURCE_DATE": "day",
    "SOURCE_TIME": "time",
    "CREDIT": "credit",
    "LOCALITY": "locality",
    "GLIDE": "glide",
}
"""Parameters that are texts, and what of the request they are."""
TRACE_PART = (0.05, 0.3)
PROVENANCE_PART = (0.0, 0.05)


class EmergencyPackage(DeliveryAlgorithm):
    """Write a delivery in the layout of Copernicus EMS Rapid Mapping."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__(client)
        self._name: Optional[PackageName] = None
        self._request = Request()
        self._folder = ""
        self._rasters: Dict[str, Optional[Raster]] = {}

    def name(self) -> str:
        """Id within the provider."""
        return "emergencypackage"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Emergency package")

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("copernicus,ems,rapid mapping,delivery,observedEventA,delineation,shapefile,sld,qml").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Writes polygons as a vector package in the layout of Copernicus EMS Rapid Mapping.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Writes a folder such as EMSR000_AOI01_DEL_PRODUCT_r1_v1 with the layers observedEventA, areaOfInterestA "
            "and imageFootprintA and the table source, named and laid out as in packages of Copernicus EMS Rapid "
            "Mapping, as GeoPackage and Shapefile, with SLD and QML styles, a README, metadata and hashes.\n\n"
            "Areas are in hectares on the ellipsoid, measured anew on what is delivered. Polygons that were taken out "
            "by hand (origin 'removed') are not delivered; polygons are cut to the area of interest where one is "
            "given.\n\n"
            "What the mask does not assess (clouds, shadow, no data) is delivered as 'Not Analysed' in "
            "imageFootprintA, and what the image does not show as 'Not Analysed - No data': ground without a polygon "
            "is never said to be without hazard unless it was looked at. Give the mask for that.\n\n"
            "The layout follows the service's online manual (emergency.copernicus.eu/mapping, Manual for Rapid "
            "Mapping Products). The help page says what was found where, and what is our own choice. "
            "The package is not a product of the service."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add, text = self.addParameter, QgsProcessingParameterString
        add(QgsProcessingParameterFeatureSource("POLYGONS", tr("Polygons"), [POLYGONS]))
        mask = QgsProcessingParameterRasterLayer("MASK", tr("Mask"), None, True)
        add(with_help(mask, tr("says what could not be assessed, and how the polygons came about")))
        activation = text("ACTIVATION", tr("Activation code"), "EMSR000")
        add(with_help(activation, tr("EMSR and three or four digits; EMSR000 stands for none")))
        add(QgsProcessingParameterNumber("AOI_NUMBER", tr("Number of the area of interest"), INTEGER, 1, False, 1, 99))
        add(text("LOCALITY", tr("Name of the area of interest"), None, False, True))
        product = QgsProcessingParameterEnum("PRODUCT", tr("Product"), list(PRODUCTS), False, "DEL", False, True)
        add(with_help(product, ", ".join(f"{code} {title}" for code, title in PRODUCTS.items())))
        monitoring = QgsProcessingParameterNumber("MONITORING", tr("Monitoring number"), INTEGER, 0, False, 0, 99)
        add(with_help(monitoring, tr("0 for the first product, 1 for MONIT01 and so on")))
        add(QgsProcessingParameterNumber("REVISION", tr("Release (r)"), INTEGER, 1, False, 1, 99))
        add(QgsProcessingParameterNumber("VERSION", tr("Version (v)"), INTEGER, 1, False, 1, 99))
        add(with_hints(self._optional("EVENT_TYPE", tr("Event type"), tr("taken from the hazard")), list(EVENT_TYPES)))
        add(self._optional("OBJ_DESC", tr("Event sub-type"), tr("taken from the hazard, such as Riverine flood")))
        notations = [value for values in NOTATIONS.values() for value in values]
        notation = self._optional("NOTATION", tr("Notation"), tr("taken from the event type, such as Flooded area"))
        add(with_hints(notation, [*notations, NOT_APPLICABLE]))
        method = self._optional("DET_METHOD", tr("Detection method"), tr("each polygon's own"))
        add(with_hints(method, list(DETECTION_METHODS)))
        add(self._optional("SOURCE_NAME", tr("Mission of the image"), tr("taken from the mask's origin")))
        add(self._optional("SOURCE_DATE", tr("Day of the image (2024-09-16)"), tr("taken from the mask's origin")))
        add(self._optional("SOURCE_TIME", tr("Time of the image in UTC (09:02)"), tr("not stated")))
        gsd = QgsProcessingParameterNumber("GSD_M", tr("Pixel size of the image in metres"), DOUBLE, None, True, 0)
        add(with_help(gsd, tr("found out from mask or scene when empty")))
        add(
            QgsProcessingParameterEnum(
                "PHASE", tr("Image taken"), list(EVENT_PHASES), False, EVENT_PHASES[1], False, True
            )
        )
        add(self._optional("CREDIT", tr("Sources and licences"), tr("what the sensor's imagery asks for")))
        add(self._optional("GLIDE", tr("GLIDE number"), tr("none")))
        interest = QgsProcessingParameterFeatureSource("AOI", tr("Area of interest"), [POLYGONS], None, True)
        add(with_help(interest, tr("polygons are cut to it; what the mask covers when empty")))
        footprint = QgsProcessingParameterFeatureSource("FOOTPRINT", tr("Image footprint"), [POLYGONS], None, True)
        add(with_help(footprint, tr("outline of the scene, else of the mask, when empty")))
        scene = QgsProcessingParameterRasterLayer("SCENE", tr("Scene"), None, True)
        add(with_help(scene, tr("its outline is the image footprint unless one is given")))
        add(QgsProcessingParameterEnum("FORMATS", tr("Formats"), list(FORMATS), True, list(FORMATS), False, True))
        add(QgsProcessingParameterBoolean("OVERWRITE", tr("Replace a package of the same name"), False))
        add(QgsProcessingParameterFolderDestination("FOLDER", tr("Folder in which the package is made")))
        self.mark_advanced(("CREDIT", "GLIDE", "PHASE", "AOI", "FOOTPRINT", "SCENE", "FORMATS"))
        self.addOutput(QgsProcessingOutputFolder("PACKAGE", tr("Package")))
        self.addOutput(QgsProcessingOutputFile("GEOPACKAGE", tr("GeoPackage")))
        self.addOutput(QgsProcessingOutputNumber("COUNT", tr("Polygons delivered")))
        self.addOutput(QgsProcessingOutputNumber("AREA_HA", tr("Area of the observed event in ha")))
        self.addOutput(QgsProcessingOutputNumber("INTEREST_HA", tr("Area of interest in ha")))
        self.addOutput(QgsProcessingOutputNumber("SHARE_ANALYSED", tr("Share of it that was analysed (0 to 1)")))

    def _optional(self, name: str, title: str, otherwise: str) -> QgsProcessingParameterString:
        parameter = QgsProcessingParameterString(name, title, None, False, True)
        return with_help(parameter, tr("when empty: {otherwise}").format(otherwise=otherwise))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the package cannot be as these parameters want it."""
        self._read(parameters, context)

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read layers and check names on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self._read(parameters, context)
            self._folder = self.parameterAsFileOutput(parameters, "FOLDER", context)
        return True

    def _read(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        number = {
            name: self.whole_number(parameters, name, context)
            for name in ("AOI_NUMBER", "MONITORING", "REVISION", "VERSION")
        }
        self._name = PackageName(
            activation=self.text(parameters, "ACTIVATION", context).upper(),
            aoi=number["AOI_NUMBER"] or 0,
            product=self.parameterAsEnumString(parameters, "PRODUCT", context),
            monitoring=number["MONITORING"] or 0,
            revision=number["REVISION"] or 0,
            version=number["VERSION"] or 0,
        )
        texts = {field: self.text(parameters, name, context) for name, field in TEXTS.items()}
        self._request = Request(
            gsd_m=self.number(parameters, "GSD_M", context),
            phase=self.parameterAsEnumString(parameters, "PHASE", context),
            **texts,
        )
        if not self._formats(parameters, context):
            raise protocol.BadInput(tr("No format is chosen; choose GeoPackage, Shapefile or both."))
        self._rasters = {"MASK": None, "SCENE": None}
        if parameters.get("MASK"):
            layer = self.raster(parameters, "MASK", context)
            self._rasters["MASK"] = described(layer, self.result_file(parameters, "MASK", context))
        if parameters.get("SCENE"):
            self._rasters["SCENE"] = described(self.raster(parameters, "SCENE", context))
        self._require_grounds(parameters, context)
        folder = parameters.get("FOLDER")
        if isinstance(folder, str) and folder and folder != "TEMPORARY_OUTPUT":
            target = os.path.join(os.path.abspath(folder), self._name.package)
            require_possible(target, self._name, self.parameterAsBoolean(parameters, "OVERWRITE", context))

    def _require_grounds(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        has_raster = any(self._rasters.values())
        if not parameters.get("AOI") and not has_raster:
            raise protocol.BadInput(
                tr("No area of interest is known; give the mask, the scene, or an area of interest.")
            )
        if not parameters.get("FOOTPRINT") and not has_raster:
            raise protocol.BadInput(
                tr("It is not known what the image shows; give the mask, the scene, or an image footprint.")
            )

    def _formats(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> Tuple[str, ...]:
        chosen = self.parameterAsEnumStrings(parameters, "FORMATS", context)
        return tuple(name for name in FORMATS if name in chosen)

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Write the package; returns nothing when cancelled."""
        if self._name is None:
            raise QgsProcessingException(tr("Nothing was prepared; run the algorithm again."))
        with told_to_processing():
            polygons = self._source(parameters, "POLYGONS", context)
            try:
                with tempfile.TemporaryDirectory(prefix="package_", dir=QgsProcessingUtils.tempFolder()) as folder:
                    return self._deliver(polygons, folder, parameters, context, feedback)
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; nothing was written."))
                return {}

    def _source(
        self, parameters: Dict[str, Any], name: str, context: QgsProcessingContext
    ) -> QgsProcessingFeatureSource:
        source = self.parameterAsSource(parameters, name, context)
        if source is None:
            raise protocol.BadInput(
                tr("No {what} can be read; choose a polygon layer that QGIS can open.").format(
                    what=self.parameterDefinition(name).description().lower()
                )
            )
        return source

    def _deliver(
        self,
        polygons: QgsProcessingFeatureSource,
        scratch: str,
        parameters: Dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> Dict[str, Any]:
        name, request, mask = self._name, self._request, self._rasters["MASK"]
        transforms = context.transformContext()
        found: Dict[str, Any] = {}
        trace: Dict[str, Any] = {}
        if mask is not None:
            job = protocol.ProvenanceJob(file=mask.path)
            found = dict(self._client.run("provenance", job, feedback, PROVENANCE_PART))
            traced = protocol.UnassessedJob(mask=mask.path, out=os.path.join(scratch, "not_assessed.gpkg"))
            trace = dict(self._client.run("unassessed", traced, feedback, TRACE_PART))
        origin = Origin(found, attributes_of_first(polygons, FROM_POLYGONS))
        event = request.event(origin, feedback)
        source = request.source(origin, self._pixel_m(), feedback)
        content = PackageContent(name, self._grounds(parameters, context, trace), source, transforms, feedback)
        overwrite = self.parameterAsBoolean(parameters, "OVERWRITE", context)
        formats = self._formats(parameters, context)
        with PackageWriter(self._folder, name, formats, transforms, overwrite) as writer:
            writer.write(OBSERVED_EVENT, content.observed(polygons, event))
            writer.write(AREA_OF_INTEREST, content.interest(request.locality, request.glide))
            writer.write(IMAGE_FOOTPRINT, content.footprints(self._not_assessed(trace)))
            writer.write(SOURCE, [(None, source.row())])
            facts = {
                "event_type": event.event_type,
                "subtype": event.subtype,
                "notation": event.notation,
                "mask": mask is not None,
                "model": origin.told("model"),
                "threshold": origin.told("threshold"),
                "before_name": origin.told("before_name"),
                "before_date": origin.told("before_date"),
                "written": QDateTime.currentDateTimeUtc().toString(Qt.DateFormat.ISODate),
                "plugin_version": plugin_version(),
            }
            text = readme(name, content.sums, source, facts, request.credits(origin), ", ".join(formats))
            documents = {
                f"{name.stem}_metadata_{name.edition}.json": metadata(name, content.sums, source, facts, found or None)
            }
            if feedback.isCanceled():
                raise protocol.Cancelled(tr("Cancelled; nothing was written."))
            writer.publish(text, documents)
        return self._told(writer, content, formats, mask is not None, feedback)

    def _pixel_m(self) -> Optional[float]:
        known = [raster.pixel_m for raster in (self._rasters["SCENE"], self._rasters["MASK"]) if raster]
        return next((pixel for pixel in known if pixel), None)

    def _told(
        self, writer: PackageWriter, content: PackageContent, formats: Tuple[str, ...], has_mask: bool, feedback: Any
    ) -> Dict[str, Any]:
        sums = content.sums
        if writer.shortened:
            feedback.pushWarning(
                tr("Too long for the published schema, and cut: {columns}.").format(
                    columns=", ".join(sorted(writer.shortened))
                )
            )
        if sums.twice_ha:
            feedback.pushWarning(
                tr("Polygons drawn by hand overlap on {area:.4f} ha, which the total counts once; merge them.").format(
                    area=sums.twice_ha
                )
            )
        if not sums.polygons:
            feedback.pushWarning(
                tr("No polygon was delivered: the package says that no event was observed where it was analysed.")
            )
        if sums.removed or sums.outside:
            feedback.pushInfo(
                tr("Left out: {removed} polygon(s) taken out by hand, {outside} outside the area of interest.").format(
                    removed=sums.removed, outside=sums.outside
                )
            )
        share = sums.share_analysed if has_mask else None
        if share is None:
            feedback.pushWarning(tr("Without a mask it is not known what could not be analysed; the package says so."))
        elif share < 1:
            feedback.pushInfo(
                tr("{share:.2f} % of the area of interest could not be analysed.").format(share=100 * (1 - share))
            )
        feedback.pushInfo(
            tr("{count} polygon(s), {area:.2f} ha: {folder}").format(
                count=sums.polygons, area=sums.hectares, folder=writer.folder
            )
        )
        feedback.setProgress(100)
        geopackage = os.path.join(writer.folder, f"{writer.name.package}.gpkg") if GEOPACKAGE in formats else None
        return {
            "FOLDER": os.path.dirname(writer.folder),
            "PACKAGE": writer.folder,
            "GEOPACKAGE": geopackage,
            "COUNT": sums.polygons,
            "AREA_HA": round(sums.hectares, 4),
            "INTEREST_HA": round(sums.interest_ha, 4),
            "SHARE_ANALYSED": None if share is None else round(share, 6),
        }

    def _grounds(self, parameters: Dict[str, Any], context: QgsProcessingContext, trace: Dict[str, Any]) -> Grounds:
        transforms = context.transformContext()
        mask, scene = self._rasters["MASK"], self._rasters["SCENE"]
        outline = None
        if mask is not None:
            outline = ToGeographic(mask.crs, transforms, mask.name).moved(ring_polygon(trace["outline"]))
        shown = outline
        if scene is not None:
            shown = ToGeographic(scene.crs, transforms, scene.name).moved(scene.rectangle)
        interest = outline if outline is not None else shown
        if parameters.get("AOI"):
            interest = area_of(self._source(parameters, "AOI", context), transforms, tr("area of interest"))
        if parameters.get("FOOTPRINT"):
            shown = area_of(self._source(parameters, "FOOTPRINT", context), transforms, tr("image footprint"))
        return Grounds(interest, shown, outline, cut=bool(parameters.get("AOI")))

    def _not_assessed(self, trace: Dict[str, Any]) -> Optional[QgsVectorLayer]:
        if not trace:
            return None
        layer = QgsVectorLayer(trace["out"], tr("not assessed"), "ogr")
        if not layer.isValid():
            raise protocol.BadInput(tr("What is not assessed cannot be read back; run the algorithm again."))
        return layer

    @property
    def kind(self) -> str:
        """Kind of the engine's job that takes longest."""
        return "unassessed"

    def outputs_of(self, result: Dict[str, Any], feedback: QgsProcessingFeedback) -> Dict[str, Any]:
        """Outputs come from the package itself."""
        return {}


def plugin_version() -> str:
    """Version of this plugin."""
    parser = configparser.ConfigParser()
    parser.read(os.path.join(PACKAGE_FOLDER, "metadata.txt"), encoding="utf-8")
    return parser.get("general", "version", fallback="")


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("EmergencyPackage", text)
