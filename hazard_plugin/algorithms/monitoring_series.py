"""The algorithm ``hazardmapper:monitoringseries``: one row a date in a table of a GeoPackage."""

from typing import Any, Dict, List, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..engine_client import EngineClient
from ..layer_origin import layers_of_file
from .base import absolute, with_help
from .delivery import DeliveryAlgorithm
from .outputs import told_to_processing


class MonitoringSeries(DeliveryAlgorithm):
    """Add a mask to a monitoring series."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__(client)
        self._is_shown = False

    def name(self) -> str:
        """Id within the provider."""
        return "monitoringseries"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Add to monitoring series")

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("time series,monitoring,table,area over time,accumulate,log,temporal").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Adds a mask's area to a table with one row a date, and what was gained and lost since.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Adds one row to a table without geometry in a GeoPackage: date, hazard, area in m² and ha, share "
            "assessed, model, threshold, scene, mask, and the area gained and lost since the row before, where its "
            "mask still exists and overlaps. The file is made when missing; other layers in it stay.\n\n"
            "The date is the scene's day as the mask tells it; give one for masks that do not. A row of the same date, "
            "hazard and scene is replaced only when asked.\n\n"
            "Areas of dates with different shares assessed are not the same measure: look at that column before "
            "drawing a curve."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterRasterLayer("INPUT", tr("Mask")))
        table = QgsProcessingParameterFileDestination("TABLE", tr("Series"), tr("GeoPackage (*.gpkg)"))
        add(with_help(table, tr("GeoPackage; one that exists is added to, and its other layers stay")))
        add(QgsProcessingParameterString("NAME", tr("Name of the table"), "series"))
        date = QgsProcessingParameterString("DATE", tr("Day of the scene"), "", False, True)
        add(with_help(date, tr("year, month and day, for example 2025-05-28; as the mask tells it when empty")))
        add(QgsProcessingParameterBoolean("REPLACE", tr("Replace the row of the same date, hazard and scene"), False))
        self.mark_advanced(("NAME", "DATE", "REPLACE"))
        self.addOutput(QgsProcessingOutputVectorLayer("LAYER", tr("Series as a table layer")))
        for name, title in (
            ("AREA_M2", tr("Hazard area in m²")),
            ("SHARE_ASSESSED", tr("Share of the scene assessed (0 to 1)")),
            ("GAINED_M2", tr("Hazard gained since the row before in m²")),
            ("LOST_M2", tr("Hazard lost since the row before in m²")),
            ("ROWS", tr("Rows of the series")),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, title))
        self.addOutput(QgsProcessingOutputString("WARNINGS", tr("Warnings")))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        self._job(parameters, context)

    def _job(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> protocol.SeriesJob:
        date = self.text(parameters, "DATE", context)
        table = absolute(self.parameterAsFileOutput(parameters, "TABLE", context))
        for layer in layers_of_file(context.project(), table) if context.project() is not None else ():
            if isinstance(layer, QgsVectorLayer) and layer.isEditable():
                raise protocol.BadInput(
                    tr("Layer '{name}' of the series is being edited; save or drop the edits first.").format(
                        name=layer.name()
                    )
                )
        return protocol.SeriesJob(
            mask=self.result_file(parameters, "INPUT", context),
            table=table,
            name=self.text(parameters, "NAME", context),
            date=protocol.parse_date(date) if date else None,
            replace=self.parameterAsBoolean(parameters, "REPLACE", context),
        )

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layer on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self.job = self._job(parameters, context)
        self._is_shown = bool(self._shown(context))
        return True

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Run the job in the engine, and have the table loaded unless the project shows it already."""
        outputs = super().processAlgorithm(parameters, context, feedback)
        if outputs and context.project() is not None and not self._is_shown:
            details = QgsProcessingContext.LayerDetails(self.job.name, context.project(), "LAYER")
            context.addLayerToLoadOnCompletion(outputs["LAYER"], details)
        return outputs

    def _shown(self, context: QgsProcessingContext) -> List[QgsVectorLayer]:
        """Layers of the project that show the table."""
        if self.job is None or context.project() is None:
            return []
        wanted = f"layername={self.job.name}".lower()
        return [
            layer
            for layer in layers_of_file(context.project(), self.job.table)
            if isinstance(layer, QgsVectorLayer)
            and (wanted in layer.source().lower().split("|") or "layername=" not in layer.source())
        ]

    def postProcessAlgorithm(self, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> Dict[str, Any]:
        """Have layers that show the table read it again, on the main thread."""
        for layer in self._shown(context):
            layer.dataProvider().reloadData()
            layer.triggerRepaint()
        return {}

    def outputs_of(self, result: Dict[str, Any], feedback: QgsProcessingFeedback) -> Dict[str, Any]:
        """Outputs of the algorithm from the engine's answer."""
        feedback.pushInfo(
            tr("{date}: {hazard} {area:.3f} km²; the series has {rows} rows.").format(
                date=result["date"], hazard=result["hazard"], area=result["area_m2"] / 1e6, rows=result["rows"]
            )
        )
        names = ("area_m2", "share_assessed", "gained_m2", "lost_m2", "rows")
        return {
            "TABLE": self.job.table,
            "LAYER": f"{self.job.table}|layername={self.job.name}",
            **{name.upper(): result.get(name) for name in names},
            "WARNINGS": "\n".join(result.get("warnings") or ()),
        }

    @property
    def kind(self) -> str:
        """Kind of the engine's job."""
        return "series"


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("MonitoringSeries", text)
