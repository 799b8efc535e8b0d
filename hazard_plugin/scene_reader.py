"""Asks the engine how a layer's bands and units are understood, without ever blocking QGIS."""

import os
import shutil
import tempfile
from typing import Any, Dict, List, Mapping, Optional, Tuple

from qgis.core import QgsApplication, QgsProcessingFeedback, QgsProcessingUtils, QgsRasterLayer, QgsRectangle, QgsTask
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from ..engine import protocol
from .compat import is_rendered_type
from .engine_client import EngineClient
from .engine_texts import slot_title, units_title
from .raster_copy import copy_pixels
from .raster_source import RasterSource, read_layer
from .result_panel import escape

SAMPLE_PX = 256


class SampleTask(QgsTask):
    """Copies a small piece of a layer that only QGIS can read, so that the engine can look at it."""

    def __init__(self, source: RasterSource, path: str) -> None:
        super().__init__(f"Hazard Mapper: {source.name}", QgsTask.Flag.CanCancel)
        self.source = source
        self.path = path
        self.error = ""

    def run(self) -> bool:
        """Copy the middle of the layer; on a background thread."""
        feedback = QgsProcessingFeedback(False)
        centre = self.source.extent.center()
        half_x = self.source.resolution[0] * SAMPLE_PX / 2
        half_y = self.source.resolution[1] * SAMPLE_PX / 2
        piece = QgsRectangle(centre.x() - half_x, centre.y() - half_y, centre.x() + half_x, centre.y() + half_y)
        grid = self.source.grid(piece.intersect(self.source.extent))
        try:
            copy_pixels(self.source.provider, grid, self.source.crs, self.path, feedback, self.source.name)
        except (protocol.HazardError, OSError) as error:
            self.error = str(error)
        return not self.error


class SceneReader(QObject):
    """Reads one scene at a time; answers that come too late are dropped."""

    understood = pyqtSignal(dict)
    refused = pyqtSignal(str)
    engine_failed = pyqtSignal(str)

    def __init__(self, client: EngineClient, parent: QObject) -> None:
        super().__init__(parent)
        self._client = client
        self._turn = 0
        self._task: Optional[SampleTask] = None

    def forget(self) -> None:
        """Ignore whatever is still under way."""
        self._turn += 1

    def read(self, layer: QgsRasterLayer, overrides: Mapping[str, Any]) -> None:
        """Find out about a layer; one of the signals follows."""
        self.forget()
        turn = self._turn
        try:
            fields = job_fields(overrides)
            source = read_layer(layer)
            if not source.is_copied:
                job = protocol.InspectJob(
                    raster=source.path, open_options=source.open_options, crs=source.crs_override, **fields
                )
                self._inspect(turn, job, "")
            elif is_rendered_type(layer.dataProvider().dataType(1)):
                self.understood.emit(picture_info(fields))
            else:
                self._sample(turn, source, fields)
        except protocol.HazardError as error:
            self.refused.emit(str(error))

    def _sample(self, turn: int, source: RasterSource, fields: Dict[str, Any]) -> None:
        folder = tempfile.mkdtemp(prefix="sample_", dir=QgsProcessingUtils.tempFolder())
        task = self._task = SampleTask(source, os.path.join(folder, "sample.tif"))

        def copied() -> None:
            if turn == self._turn:
                self._inspect(turn, protocol.InspectJob(raster=task.path, **fields), folder)

        def failed() -> None:
            shutil.rmtree(folder, ignore_errors=True)
            if turn == self._turn:
                self.refused.emit(task.error or self.tr("The layer cannot be read through QGIS."))

        task.taskCompleted.connect(copied)
        task.taskTerminated.connect(failed)
        QgsApplication.taskManager().addTask(task)

    def _inspect(self, turn: int, job: protocol.InspectJob, folder: str) -> None:
        def answer(result: Any, error: Optional[protocol.HazardError]) -> None:
            if folder:
                shutil.rmtree(folder, ignore_errors=True)
            if turn != self._turn:
                return
            if error is None:
                self.understood.emit(dict(result))
            elif isinstance(error, protocol.BadInput):
                self.refused.emit(str(error))
            else:
                self.engine_failed.emit(str(error))

        self._client.submit("inspect", job, answer)


def job_fields(overrides: Mapping[str, Any]) -> Dict[str, Any]:
    """Corrections as fields of a job; raises BadInput where they contradict each other."""
    text = str(overrides.get("bands") or "")
    return {
        "bands": protocol.parse_bands(text) if text else None,
        "sensor": overrides.get("sensor") or None,
        "units": overrides.get("units") or None,
        "gsd_m": overrides.get("gsd_m") or None,
    }


def picture_info(fields: Mapping[str, Any]) -> Dict[str, Any]:
    """What a map service hands out: a picture, read as red, green and blue."""
    slots = fields["bands"] or ("red", "green", "blue", protocol.UNUSED)
    names = ("red", "green", "blue", "opacity")
    named = zip(slots, names)  # noqa: B905  # strict= came with Python 3.10
    bands = [{"index": i + 1, "slot": slot, "description": name} for i, (slot, name) in enumerate(named)]
    return {"bands": bands, "units": fields["units"] or "byte", "sensor": None, "gsd_m": None, "warnings": []}


def understood_text(info: Mapping[str, Any]) -> Tuple[str, List[str]]:
    """How a scene was understood, as a link and its warnings, and the slots in use."""
    bands = list(info.get("bands") or ())
    used = [str(band.get("slot")) for band in bands if band.get("slot") not in (None, protocol.UNUSED)]
    shown = ", ".join(map(slot_title, used[:4])) + (", …" if len(used) > 4 else "")
    count = tr("1 band") if len(bands) == 1 else tr("{count} bands").format(count=len(bands))
    parts = [f"{count} ({shown})" if used else tr("{count}, not recognised").format(count=count)]
    if info.get("units"):
        parts.append(units_title(info["units"]))
    if info.get("gsd_m"):
        parts.append(f"{info['gsd_m']:.3g} m")
    warnings = "".join(f"<br>{escape(str(warning))}" for warning in info.get("warnings") or ())
    return f"<a href='bands'>{escape(', '.join(parts))}</a>{warnings}", used


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("SceneReader", text)
