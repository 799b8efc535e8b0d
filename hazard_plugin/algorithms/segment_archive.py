"""The algorithm ``hazardmapper:archive``: every scene of a folder or a list, to masks and one table of results."""

import os
from typing import Any, Dict, List, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import DOUBLE, FOLDER, INTEGER
from ..layer_origin import layers_of_file
from .base import absolute, with_help
from .outputs import told_to_processing
from .scene import SceneAlgorithm

LAYER = "archive"
"""Layer of the table."""
ADVANCED = (
    "BANDS",
    "SENSOR",
    "UNITS",
    "GSD_M",
    "ADAPT",
    "WORKERS",
    "RETRIES",
    "PATTERN",
    "ASSETS",
    "DEVICE",
    "OVERWRITE",
)
COUNTS = ("SCENES", "DONE", "SKIPPED", "FAILED", "SECONDS", "HAZARD_AREA_M2")


class SegmentArchive(SceneAlgorithm):
    """Segment an archive."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._job: Optional[protocol.ArchiveJob] = None
        self._is_shown = False

    def name(self) -> str:
        """Id within the provider."""
        return "archive"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Segment an archive")

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("archive,batch,folder,many scenes,stac,dask,cluster,overnight,flood,landslide").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Maps a hazard in every scene of a folder or list, with one table of results.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Maps one hazard in every scene of a folder and those below it, of a text file with one scene a line, or "
            "of a STAC item collection whose assets are files of this computer.\n\n"
            "Each scene gets a mask, and a probability and polygons where wanted, in the output folder. The table has "
            "one row a scene: outline, date, area, share assessed, outputs, hashes, and why it failed where it did.\n\n"
            "Run again, only what is new, has changed or has failed is done. Cancel keeps what is complete. One bad "
            "scene does not stop the others; it is tried again and then listed.\n\n"
            "With workers, several scenes are worked on at a time, each in a process of its own; that needs Dask in "
            "the engine's environment. With 0 workers one scene follows another without it."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterFile("FOLDER", tr("Folder of scenes"), FOLDER, "", None, True))
        listed = QgsProcessingParameterFile("LIST", tr("Or a list of scenes"), optional=True)
        add(with_help(listed, tr("text file with one scene a line, or STAC item collection (JSON)")))
        self.add_choice("HAZARD", tr("Hazard"), list(protocol.HAZARDS), "flood", optional=False)
        add(
            QgsProcessingParameterString(
                "MODEL", tr("Model (name or folder; empty: the hazard's default)"), "", False, True
            )
        )
        threshold = tr("Threshold between 0 and 1 (empty: the model's own)")
        add(QgsProcessingParameterNumber("THRESHOLD", threshold, DOUBLE, None, True, 0.0, 1.0))
        self.add_understanding()
        add(QgsProcessingParameterBoolean("ADAPT", tr("Adapt to each scene first"), False, True))
        add(QgsProcessingParameterBoolean("PROBABILITY", tr("Write probabilities"), False, True))
        add(QgsProcessingParameterBoolean("POLYGONS", tr("Write polygons"), False, True))
        workers = QgsProcessingParameterNumber("WORKERS", tr("Workers"), INTEGER, 0, True, 0)
        add(with_help(workers, tr("processes that work at a time, which needs Dask; 0: one scene after another")))
        retries = tr("Further attempts at a scene that fails")
        add(QgsProcessingParameterNumber("RETRIES", retries, INTEGER, 2, True, 0, 100))
        pattern = QgsProcessingParameterString("PATTERN", tr("Names of scenes in the folder"), "", False, True)
        add(with_help(pattern, tr("such as *.tif,*_SR.jp2; rasters by their endings when empty")))
        assets = QgsProcessingParameterString("ASSETS", tr("Assets of STAC items"), "", False, True)
        add(with_help(assets, tr("those that make a scene, stacked in this order; an item's only raster when empty")))
        self.add_device()
        own = tr("Replace outputs that are not from an earlier run")
        add(QgsProcessingParameterBoolean("OVERWRITE", own, False, True))
        self.mark_advanced(ADVANCED)
        add(QgsProcessingParameterFolderDestination("OUTPUT", tr("Output folder")))
        table = QgsProcessingParameterFileDestination(
            "TABLE", tr("Table"), tr("GeoPackage (*.gpkg)"), None, True, False
        )
        add(with_help(table, tr("GeoPackage; in the output folder when empty")))
        self.addOutput(QgsProcessingOutputVectorLayer("LAYER", tr("Table as a layer of outlines")))
        for name, title in (
            ("SCENES", tr("Scenes")),
            ("DONE", tr("Scenes done by this run")),
            ("SKIPPED", tr("Scenes that were complete before")),
            ("FAILED", tr("Scenes that failed")),
            ("SECONDS", tr("Seconds taken")),
            ("HAZARD_AREA_M2", tr("Hazard area of all scenes in m²")),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, title))
        self.addOutput(QgsProcessingOutputString("FAILURES", tr("Scenes that failed, and why")))
        self.addOutput(QgsProcessingOutputString("WARNINGS", tr("Warnings")))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        self._read_job(parameters, context)

    def _read_job(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> protocol.ArchiveJob:
        folder, listed = (self.text(parameters, name, context) for name in ("FOLDER", "LIST"))
        if bool(folder) == bool(listed):
            raise protocol.BadInput(tr("Give either a folder of scenes or a list of them."))
        out = absolute(self.parameterAsString(parameters, "OUTPUT", context))
        hazard = self.scene_fields(parameters, context)
        table = absolute(self.parameterAsFileOutput(parameters, "TABLE", context))
        table = table or os.path.join(out, f"archive_{hazard['hazard']}.gpkg")
        for layer in layers_of_file(context.project(), table) if context.project() is not None else ():
            if isinstance(layer, QgsVectorLayer) and layer.isEditable():
                raise protocol.BadInput(
                    tr("Layer '{name}' of the table is being edited; save or drop the edits first.").format(
                        name=layer.name()
                    )
                )
        lists = {
            name.lower(): protocol.parse_names(text)
            for name in ("PATTERN", "ASSETS")
            if (text := self.text(parameters, name, context))
        }
        workers, retries = (self.whole_number(parameters, name, context) for name in ("WORKERS", "RETRIES"))
        return protocol.ArchiveJob(
            scenes=absolute(folder or listed),
            out=out,
            table=table,
            threshold=self.number(parameters, "THRESHOLD", context),
            adapt=self.parameterAsBool(parameters, "ADAPT", context),
            probability=self.parameterAsBool(parameters, "PROBABILITY", context),
            polygons=self.parameterAsBool(parameters, "POLYGONS", context),
            overwrite=self.parameterAsBool(parameters, "OVERWRITE", context),
            workers=workers or 0,
            retries=2 if retries is None else retries,
            **hazard,
            **lists,
        )

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the parameters on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self._job = self._read_job(parameters, context)
        self._is_shown = bool(self._shown(context))
        return True

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Run the job in the engine; what is complete stays when it is cancelled."""
        job = self._job
        if job is None:
            raise QgsProcessingException(tr("Nothing was prepared; run the algorithm again."))
        with told_to_processing():
            try:
                result = dict(self._client.run("archive", job, feedback))
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; scenes that are complete stay. Run it again to go on."))
                return {}
        for warning in result.get("warnings") or ():
            feedback.pushWarning(str(warning))
        failures = [f"{failure['scene']}: {failure['reason']}" for failure in result["failures"]]
        for failure in failures:
            feedback.pushWarning(failure)
        feedback.pushInfo(
            tr("{scenes} scenes: {done} done, {skipped} complete before, {failed} failed.").format(**result)
        )
        layer = f"{job.table}|layername={LAYER}"
        if context.project() is not None and not self._is_shown:
            title = os.path.splitext(os.path.basename(str(job.table)))[0]
            details = QgsProcessingContext.LayerDetails(title, context.project(), "LAYER")
            context.addLayerToLoadOnCompletion(layer, details)
        return {
            "OUTPUT": job.out,
            "TABLE": job.table,
            "LAYER": layer,
            **{name: result[name.lower()] for name in COUNTS},
            "FAILURES": "\n".join(failures),
            "WARNINGS": "\n".join(result.get("warnings") or ()),
        }

    def _shown(self, context: QgsProcessingContext) -> List[QgsVectorLayer]:
        """Layers of the project that show the table."""
        if self._job is None or context.project() is None:
            return []
        shown = layers_of_file(context.project(), str(self._job.table))
        return [layer for layer in shown if isinstance(layer, QgsVectorLayer)]

    def postProcessAlgorithm(self, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> Dict[str, Any]:
        """Have layers that show the table read it again, on the main thread."""
        for layer in self._shown(context):
            layer.dataProvider().reloadData()
            layer.triggerRepaint()
        return {}


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("SegmentArchive", text)
