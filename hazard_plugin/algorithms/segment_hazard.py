"""The algorithm ``hazardmapper:segmenthazard``: one hazard in one scene, to a mask and, if wanted, its probability."""

import tempfile
from typing import Any, Dict, List, Optional, Tuple

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCsException,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingUtils,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import DOUBLE, POLYGONS
from ..engine_client import EngineClient
from ..hazards import mask_layer_name, probability_layer_name
from ..map_view import view_resolution
from ..models import local_model_names
from ..raster_source import RasterSource, read_layer
from .area import Area, write_area
from .base import EngineAlgorithm, absolute, name_or_folder, with_hints
from .outputs import dress_on_load, require_free, told_to_processing

ADVANCED = ("BANDS", "SENSOR", "UNITS", "GSD_M", "ADAPT", "DEVICE")
OUTPUTS = ("OUTPUT", "PROBABILITY")
TEXTS = ("HAZARD", "MODEL", "BANDS", "SENSOR", "UNITS", "DEVICE")


class SegmentHazard(EngineAlgorithm):
    """Segment one hazard in one scene; dock, toolbox, models, batch and qgis_process all run this."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__(client)
        self._source: Optional[RasterSource] = None
        self._extent: Optional[QgsRectangle] = None
        self._fields: Dict[str, Any] = {}
        self._outputs: Dict[str, str] = {}

    def name(self) -> str:
        """Id within the provider."""
        return "segmenthazard"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Segment hazard")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Mapping")

    def groupId(self) -> str:
        """Id of the group."""
        return "mapping"

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr(
            "flood,landslide,glacier,water,hazard,disaster,segmentation,deep learning,mask,sentinel,landsat"
        ).split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Maps floods, landslides or glacier collapses in one satellite scene.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Maps one hazard in one satellite scene with a neural network that runs in Hazard Mapper's engine.\n\n"
            "The scene may be any raster layer, optical or radar. Bands and units are found out from names, "
            "wavelengths and values, and the log says how; give BANDS (one slot a band, in order: coastal, blue, "
            "green, red, nir, swir1, swir2, vv, vh, or - for unused), SENSOR or UNITS where that is wrong.\n\n"
            "The mask has the scene's own grid, cropped to the extent if one is given: 0 none, 1 hazard, 255 not "
            "assessed. The probability, if wanted, is 0 to 100 %, 255 not assessed. Without a threshold the model's "
            "own is used.\n\n"
            "Areas are measured on the ellipsoid. A mask is a model's opinion: check it before anyone relies on it."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterRasterLayer("INPUT", tr("Scene")))
        add(with_hints(QgsProcessingParameterString("HAZARD", tr("Hazard"), "flood"), list(protocol.HAZARDS)))
        model = QgsProcessingParameterString(
            "MODEL", tr("Model (name or folder; empty: the hazard's default)"), "", False, True
        )
        add(with_hints(model, ["", *local_model_names()]))
        add(QgsProcessingParameterExtent("EXTENT", tr("Extent (empty: whole scene)"), None, True))
        add(
            QgsProcessingParameterFeatureSource("AREA", tr("Assess only inside these polygons"), [POLYGONS], None, True)
        )
        threshold = tr("Threshold between 0 and 1 (empty: the model's own)")
        add(QgsProcessingParameterNumber("THRESHOLD", threshold, DOUBLE, None, True, 0.0, 1.0))
        bands = tr("Bands: one slot a band, in order (empty: found out)")
        add(QgsProcessingParameterString("BANDS", bands, "", False, True))
        sensor = QgsProcessingParameterString("SENSOR", tr("Sensor (empty: found out)"), "", False, True)
        add(with_hints(sensor, ["", *protocol.SENSORS]))
        units = QgsProcessingParameterString("UNITS", tr("Units of the values (empty: found out)"), "", False, True)
        add(with_hints(units, ["", *protocol.UNITS]))
        gsd = tr("Ground sampling distance in metres (empty: from the CRS)")
        add(QgsProcessingParameterNumber("GSD_M", gsd, DOUBLE, None, True, 0.0))
        add(QgsProcessingParameterBoolean("ADAPT", tr("Adapt to this scene first"), False, True))
        device = QgsProcessingParameterString("DEVICE", tr("Device (auto, cpu, cuda:0, mps)"), "auto", False, True)
        add(with_hints(device, ["auto", "cpu", "cuda:0", "mps"]))
        self.mark_advanced(ADVANCED)
        add(QgsProcessingParameterRasterDestination("OUTPUT", tr("Mask")))
        add(QgsProcessingParameterRasterDestination("PROBABILITY", tr("Probability"), None, True, False))
        self.addOutput(QgsProcessingOutputNumber("HAZARD_AREA_M2", tr("Hazard area in m²")))
        self.addOutput(QgsProcessingOutputNumber("SHARE_ASSESSED", tr("Share of the scene assessed (0 to 1)")))
        self.addOutput(QgsProcessingOutputNumber("SECONDS", tr("Seconds taken")))
        self.addOutput(QgsProcessingOutputString("DEVICE_USED", tr("Device used")))
        self.addOutput(QgsProcessingOutputString("MODEL_USED", tr("Model used")))
        self.addOutput(QgsProcessingOutputNumber("THRESHOLD_USED", tr("Threshold used")))
        self.addOutput(QgsProcessingOutputString("WARNINGS", tr("Warnings")))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        self._read_fields(parameters, context, QgsProcessingContext())

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read layers and check outputs on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            layer = self.raster(parameters, "INPUT", context)
            self._source = read_layer(layer, view_resolution(layer))
            self._extent = self._wanted_extent(parameters, context, layer.crs())
            self._fields, self._outputs = self._read_fields(parameters, context, context)
        hazard, scene = self._fields["hazard"], layer.name()
        dress_on_load(context, self._outputs["OUTPUT"], "mask", hazard, mask_layer_name(hazard, scene))
        name = probability_layer_name(hazard, scene)
        dress_on_load(context, self._outputs["PROBABILITY"], "probability", hazard, name)
        return True

    def _read_fields(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, output_context: QgsProcessingContext
    ) -> Tuple[Dict[str, Any], Dict[str, str]]:
        """Fields of the job other than the scene, and the outputs as named by the user; raises BadInput.

        ``output_context`` is the one that learns which outputs are to be loaded.
        """
        if self.parameterAsBool(parameters, "ADAPT", context):
            raise protocol.BadInput(tr("This version cannot adapt a model to a scene; leave ADAPT off."))
        text = {name: self.text(parameters, name, context) for name in TEXTS}
        if not text["HAZARD"]:
            known = ", ".join(protocol.HAZARDS)
            raise protocol.BadInput(tr("No hazard is given; name one of {names}.").format(names=known))
        outputs = {name: self.parameterAsOutputLayer(parameters, name, output_context) for name in OUTPUTS}
        fields = {
            "bands": protocol.parse_bands(text["BANDS"]) if text["BANDS"] else None,
            "sensor": text["SENSOR"] or None,
            "units": text["UNITS"] or None,
            "gsd_m": self.number(parameters, "GSD_M", context),
            "hazard": text["HAZARD"],
            "model": name_or_folder(text["MODEL"]) or None,
            "threshold": self.number(parameters, "THRESHOLD", context),
            "device": text["DEVICE"] or "auto",
            "mask": absolute(outputs["OUTPUT"]),
            "probability": absolute(outputs["PROBABILITY"]) or None,
            "overwrite": True,
        }
        source = read_layer(self.raster(parameters, "INPUT", context))
        protocol.SegmentJob(raster=source.path or "scene", **fields)
        for path in (fields["mask"], fields["probability"]):
            require_free(path or "", context.project())
        return fields, outputs

    def _wanted_extent(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, crs: QgsCoordinateReferenceSystem
    ) -> Optional[QgsRectangle]:
        """Extent in the layer's CRS, its sides densified before they are transformed; None for the whole layer."""
        value = parameters.get("EXTENT")
        if value is None or value == "":
            return None
        try:
            extent = self.parameterAsExtentGeometry(parameters, "EXTENT", context, crs).boundingBox()
        except QgsCsException as error:
            raise protocol.BadInput(
                tr("The extent cannot be expressed in the scene's CRS ({error}); choose another.").format(error=error)
            ) from None
        if extent.isEmpty() or not extent.isFinite():
            raise protocol.BadInput(tr("The extent is empty; give xmin,xmax,ymin,ymax, or none for the whole scene."))
        return extent

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Run the job in the engine; returns nothing when cancelled."""
        source = self._source
        if source is None:
            raise QgsProcessingException(tr("No scene is given; choose a raster layer that QGIS can open."))
        with (
            told_to_processing(),
            tempfile.TemporaryDirectory(prefix="area_", dir=QgsProcessingUtils.tempFolder()) as folder,
        ):
            polygons = self.parameterAsSource(parameters, "AREA", context)
            try:
                area = None
                if polygons is not None:
                    area = write_area(polygons, source, folder, context.transformContext(), feedback)
                return self._segment(source, area, feedback)
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; nothing was written."))
                return {}

    def _segment(self, source: RasterSource, area: Optional[Area], feedback: QgsProcessingFeedback) -> Dict[str, Any]:
        extent = self._extent
        if extent is None and area is not None and source.is_copied:
            extent = area.extent
        with source.opened(extent, feedback) as scene:
            job = protocol.SegmentJob(
                raster=scene.raster,
                open_options=scene.open_options,
                crs=scene.crs,
                extent=scene.extent,
                area=area.path if area is not None else None,
                **self._fields,
            )
            result = self._client.run("segment", job, feedback)
        for warning in result.get("warnings") or ():
            feedback.pushWarning(str(warning))
        outputs: Dict[str, Any] = {
            "OUTPUT": self._outputs["OUTPUT"],
            "HAZARD_AREA_M2": result.get("hazard_area_m2"),
            "SHARE_ASSESSED": result.get("share_assessed"),
            "SECONDS": result.get("seconds"),
            "DEVICE_USED": result.get("device"),
            "MODEL_USED": result.get("model"),
            "THRESHOLD_USED": result.get("threshold"),
            "WARNINGS": "\n".join(str(warning) for warning in result.get("warnings") or ()),
        }
        if result.get("probability"):
            outputs["PROBABILITY"] = self._outputs["PROBABILITY"]
        return outputs


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("SegmentHazard", text)
