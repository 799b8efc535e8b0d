"""The Processing provider: lists the plugin's algorithms in toolbox, model designer, batch and qgis_process."""

from typing import List

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms.adapt_to_scene import AdaptToScene
from .algorithms.apply_threshold import ApplyThreshold
from .algorithms.compare_masks import CompareMasks
from .algorithms.correct_mask import CorrectMask
from .algorithms.emergency_package import EmergencyPackage
from .algorithms.evaluate_mask import EvaluateMask
from .algorithms.exposure import Exposure
from .algorithms.hazard_polygons import HazardPolygons
from .algorithms.hazard_report import HazardReport
from .algorithms.map_sheet import MapSheet
from .algorithms.monitoring_series import MonitoringSeries
from .algorithms.pretrain_model import PretrainModel
from .algorithms.refine_mask import RefineMask
from .algorithms.run_again import RunAgain
from .algorithms.segment_archive import SegmentArchive
from .algorithms.segment_hazard import SegmentHazard
from .algorithms.train_hazard import TrainHazard
from .engine_client import EngineClient
from .icons import icon


class HazardProvider(QgsProcessingProvider):
    """Provider ``hazardmapper``; long runs have an engine client of their own: scenes need not wait for them."""

    def __init__(self, client: EngineClient, training: EngineClient) -> None:
        super().__init__()
        self.client = client
        self.training = training

    def loadAlgorithms(self) -> None:
        """Register each algorithm."""
        delivering = (HazardPolygons, ApplyThreshold, RunAgain, Exposure, EvaluateMask, EmergencyPackage)
        dates = (CorrectMask, RefineMask, CompareMasks, MonitoringSeries)
        papers = (MapSheet, HazardReport)
        for algorithm in (SegmentHazard, AdaptToScene, *delivering, *dates, *papers):
            self.addAlgorithm(algorithm(self.client))
        for algorithm in (SegmentArchive, PretrainModel, TrainHazard):
            self.addAlgorithm(algorithm(self.training))

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
        return icon()

    def supportedOutputRasterLayerExtensions(self) -> List[str]:
        """Only GeoTIFF is written."""
        return ["tif", "tiff"]
