"""The Processing provider: lists the plugin's algorithms in toolbox, model designer, batch and qgis_process."""

from typing import List

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms.segment_hazard import SegmentHazard
from .engine_client import EngineClient
from .hazards import icon_path


class HazardProvider(QgsProcessingProvider):
    """Provider ``hazardmapper``; its algorithms share one engine client."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__()
        self.client = client

    def loadAlgorithms(self) -> None:
        """Register each algorithm."""
        self.addAlgorithm(SegmentHazard(self.client))

    def id(self) -> str:
        """Id that models and scripts use."""
        return "hazardmapper"

    def name(self) -> str:
        """Name in the toolbox."""
        return "Hazard Mapper"

    def longName(self) -> str:
        """Name in the options."""
        return self.tr("Hazard Mapper (deep learning)")

    def icon(self) -> QIcon:
        """Icon in the toolbox."""
        return QIcon(icon_path())

    def supportedOutputRasterLayerExtensions(self) -> List[str]:
        """Only GeoTIFF is written."""
        return ["tif", "tiff"]
