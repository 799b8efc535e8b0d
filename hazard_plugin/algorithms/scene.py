"""What the algorithms that look at one scene share: the scene, where to look, and how its bands are understood."""

import contextlib
import tempfile
from typing import Any, Dict, Iterator, List, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCsException,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingUtils,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import DOUBLE, POLYGONS
from ..engine_client import EngineClient
from ..layer_date import layer_date
from ..map_view import view_resolution
from ..models import local_model_names
from ..raster_source import RasterSource, read_layer
from .area import write_area
from .base import EngineAlgorithm, name_or_folder, with_hints
from .references import own_file


class SceneAlgorithm(EngineAlgorithm):
    """An algorithm on one scene: any raster layer, whole or in part."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__(client)
        self._source: Optional[RasterSource] = None
        self._extent: Optional[QgsRectangle] = None
        self._date = ""
        self._area_file = ""

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Mapping")

    def groupId(self) -> str:
        """Id of the group."""
        return "mapping"

    # Parameters

    def add_choice(self, name: str, title: str, hints: List[str], default: str = "", optional: bool = True) -> None:
        """Declare a text that is chosen from a list where QGIS can; any text stays allowed."""
        self.addParameter(with_hints(QgsProcessingParameterString(name, title, default, False, optional), hints))

    def add_scene(self, area_title: str) -> None:
        """Declare scene, hazard, model and where to look."""
        self.addParameter(QgsProcessingParameterRasterLayer("INPUT", tr("Scene")))
        self.add_choice("HAZARD", tr("Hazard"), list(protocol.HAZARDS), "flood", optional=False)
        model = tr("Model (name or folder; empty: the hazard's default)")
        self.add_choice("MODEL", model, ["", *local_model_names()])
        self.addParameter(QgsProcessingParameterExtent("EXTENT", tr("Extent (empty: whole scene)"), None, True))
        self.addParameter(QgsProcessingParameterFeatureSource("AREA", area_title, [POLYGONS], None, True))

    def add_understanding(self) -> None:
        """Declare what corrects how bands and values are understood."""
        bands = tr("Bands: one slot a band, in order (empty: found out)")
        self.addParameter(QgsProcessingParameterString("BANDS", bands, "", False, True))
        self.add_choice("SENSOR", tr("Sensor (empty: found out)"), ["", *protocol.SENSORS])
        self.add_choice("UNITS", tr("Units of the values (empty: found out)"), ["", *protocol.UNITS])
        gsd = tr("Ground sampling distance in metres (empty: from the CRS)")
        self.addParameter(QgsProcessingParameterNumber("GSD_M", gsd, DOUBLE, None, True, 0.0))

    def add_device(self) -> None:
        """Declare the device."""
        self.add_choice("DEVICE", tr("Device (auto, cpu, cuda:0, mps)"), ["auto", "cpu", "cuda:0", "mps"], "auto")

    # Reading them, on the main thread

    def scene_fields(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> Dict[str, Any]:
        """Fields of a job that say what to look for, with which model, and how bands are understood.

        Raises BadInput if no hazard is given or the slots of bands cannot be.
        """
        text = {
            name: self.text(parameters, name, context)
            for name in ("HAZARD", "MODEL", "BANDS", "SENSOR", "UNITS", "DEVICE")
        }
        if not text["HAZARD"]:
            known = ", ".join(protocol.HAZARDS)
            raise protocol.BadInput(tr("No hazard is given; name one of {names}.").format(names=known))
        return {
            "bands": protocol.parse_bands(text["BANDS"]) if text["BANDS"] else None,
            "sensor": text["SENSOR"] or None,
            "units": text["UNITS"] or None,
            "gsd_m": self.number(parameters, "GSD_M", context),
            "hazard": text["HAZARD"],
            "model": name_or_folder(text["MODEL"]) or None,
            "device": text["DEVICE"] or "auto",
        }

    def take_scene(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> QgsRasterLayer:
        """Keep what a background thread needs of the scene, and return its layer; raises BadInput."""
        layer = self.raster(parameters, "INPUT", context)
        self._source = read_layer(layer, view_resolution(layer))
        self._extent = self._wanted_extent(parameters, context, layer.crs())
        self._date = layer_date(layer)
        self._area_file = self._whole_file(parameters, context)
        return layer

    def _whole_file(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> str:
        """File of the polygons, where all of it is meant: a run that names it can be repeated; else empty."""
        value = parameters.get("AREA")
        if isinstance(value, QgsProcessingFeatureSourceDefinition):
            part = value.selectedFeaturesOnly or value.featureLimit >= 0 or getattr(value, "filterExpression", "")
            value = None if part else value.source.staticValue()
        layer = self.parameterAsVectorLayer({"AREA": value}, "AREA", context) if value else None
        return own_file(layer) if layer is not None and layer.isValid() else ""

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

    # Using the scene, on a background thread

    @contextlib.contextmanager
    def opened_scene(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Iterator[Dict[str, Any]]:
        """Yield the fields of a job that say where scene and polygons are; temporary copies are removed afterwards.

        Raises BadInput, OutputFailed or Cancelled.
        """
        source = self._source
        if source is None:
            raise QgsProcessingException(tr("No scene is given; choose a raster layer that QGIS can open."))
        with tempfile.TemporaryDirectory(prefix="area_", dir=QgsProcessingUtils.tempFolder()) as folder:
            polygons = self.parameterAsSource(parameters, "AREA", context)
            area = None
            if polygons is not None:
                area = write_area(polygons, source, folder, context.transformContext(), feedback)
            extent = self._extent
            if extent is None and area is not None and source.is_copied:
                extent = area.extent
            with source.opened(extent, feedback) as scene:
                yield {
                    "raster": scene.raster,
                    "open_options": scene.open_options,
                    "crs": scene.crs,
                    "extent": scene.extent,
                    "area": (self._area_file or area.path) if area is not None else None,
                }


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("SceneAlgorithm", text)
