"""What there is to see before a run is through: a provisional layer, and the finished part of a cancelled run."""

import os
import shutil
import tempfile
from typing import Any, Mapping, Optional

from qgis.core import (
    QgsCoordinateTransform,
    QgsCsException,
    QgsDataProvider,
    QgsProcessingUtils,
    QgsProject,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QWidget

from .engine_client import EngineClient
from .engine_feedback import Bounds, PreviewWish
from .finished_part import FinishedPart
from .hazards import KIND_PROPERTY, mask_layer_name
from .messages import WARNING, log
from .result_layers import add_result_layer, add_run_group
from .run_queue import Run, RunQueue

KIND = "estimate"
"""Kind of the provisional layer: neither a mask that can be delivered nor a scene."""
OPACITY = 0.6


class FirstEstimate(QObject):
    """Shows the run under way as a provisional layer, and takes it away when the run ends."""

    kept = pyqtSignal(object, bool)

    def __init__(self, iface: Any, queue: RunQueue, client: EngineClient, parent: QWidget) -> None:
        super().__init__(parent)
        self._iface = iface
        self._part = FinishedPart(iface, queue, client, self)
        self._part.kept.connect(self.kept)
        self._folder = ""
        self._layer_id = ""
        self._group: Any = None
        queue.preview_of = self._wish
        queue.previewed.connect(self._show)
        queue.finished.connect(self._remove)
        queue.failed.connect(self._remove)
        queue.cancelled.connect(self._remove)
        QgsProject.instance().readProject.connect(self._remove_saved)

    @property
    def is_offered(self) -> bool:
        """Whether the finished part of a cancelled run can be kept."""
        return self._part.is_offered

    def close_down(self) -> None:
        """Take away what is shown and offered."""
        QgsProject.instance().readProject.disconnect(self._remove_saved)
        self._part.close_down()
        self._remove()

    def _wish(self, run: Run) -> Optional[PreviewWish]:
        """What the engine is asked to show of a run that is about to start."""
        self._remove()
        layer = QgsProject.instance().mapLayer(run.layer_id)
        try:
            self._folder = tempfile.mkdtemp(prefix="estimate_", dir=QgsProcessingUtils.tempFolder())
        except OSError as error:
            log(self.tr("There will be no first estimate: {error}").format(error=error), WARNING)
            return None
        return PreviewWish(self._folder, self._view_in(layer))

    def _view_in(self, layer: Optional[QgsRasterLayer]) -> Optional[Bounds]:
        """What the map shows, in a layer's CRS; None where that cannot be said."""
        canvas = self._iface.mapCanvas()
        extent, seen = canvas.extent(), canvas.mapSettings().destinationCrs()
        if layer is None or extent.isEmpty():
            return None
        if layer.crs().isValid() and seen.isValid() and layer.crs() != seen:
            try:
                extent = QgsCoordinateTransform(seen, layer.crs(), QgsProject.instance()).transformBoundingBox(extent)
            except QgsCsException:
                return None
        if extent.isEmpty() or not extent.isFinite():
            return None
        return extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()

    def _show(self, run: Run, event: Mapping[str, Any]) -> None:
        """Show a new state of the estimate; a layer that the user has taken away stays away."""
        file = str(event.get("file") or "")
        if os.path.dirname(file) != self._folder or not os.path.exists(file):
            return
        if not self._layer_id:
            self._add(run, file, event)
            return
        layer = QgsProject.instance().mapLayer(self._layer_id)
        if layer is None:
            return
        before = layer.source()
        layer.setDataSource(file, layer.name(), "gdal", QgsDataProvider.ProviderOptions())
        layer.triggerRepaint()
        remove_quietly(before)

    def _add(self, run: Run, file: str, event: Mapping[str, Any]) -> None:
        project = QgsProject.instance()
        title = mask_layer_name(run.hazard, run.scene, is_new=bool(run.before))
        self._group = add_run_group(project, run.layer_id, title)
        name = self.tr("{mask} (first estimate)").format(mask=title)
        origin = {"scene": run.scene, "scene_id": run.layer_id, "before": run.before}
        layer = add_result_layer(project, self._group, file, KIND, run.hazard, name, **origin)
        if layer is None:
            self._remove_group()
            return
        layer.setOpacity(OPACITY)
        about = self.tr(
            "Provisional: made in a second from pixels of {size:.3g} m, coarser than the model was made for, and "
            "refined while the run goes on. The mask takes its place."
        ).format(size=float(event.get("pixel_m") or 0.0))
        metadata = layer.metadata().clone()
        metadata.setTitle(name)
        metadata.setAbstract(about)
        layer.setMetadata(metadata)
        self._layer_id = layer.id()

    def _remove(self, *_: Any) -> None:
        """Take layer, group and files away; what a cancelled run has left was moved elsewhere before."""
        project = QgsProject.instance()
        if self._layer_id and project.mapLayer(self._layer_id) is not None:
            project.removeMapLayer(self._layer_id)
        self._layer_id = ""
        self._remove_group()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = ""

    def _remove_saved(self, *_: Any) -> None:
        """Take away the estimate of a run during which the project was saved; its file is long gone."""
        project = QgsProject.instance()
        for layer in project.mapLayers().values():
            if layer.customProperty(KIND_PROPERTY) == KIND and layer.id() != self._layer_id:
                node = project.layerTreeRoot().findLayer(layer.id())
                self._group = node.parent() if node is not None else None
                project.removeMapLayer(layer.id())
                self._remove_group()

    def _remove_group(self) -> None:
        group, self._group = self._group, None
        try:
            if group is not None and group.parent() is not None and not group.children():
                group.parent().removeChildNode(group)
        except (RuntimeError, AttributeError):  # the user, or a closing project, was quicker
            pass


def remove_quietly(path: str) -> None:
    """Delete a file of the estimate; one that is still read goes with its folder."""
    try:
        os.remove(path)
    except OSError:
        pass
