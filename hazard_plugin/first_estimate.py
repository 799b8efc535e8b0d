"""What there is to see before a run is through: a provisional layer, and the finished part of a cancelled run."""

import dataclasses
import os
import shutil
import tempfile
from typing import Any, Dict, Mapping, Optional

from qgis.core import (
    QgsCoordinateTransform,
    QgsCsException,
    QgsDataProvider,
    QgsProcessingUtils,
    QgsProject,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QPushButton, QWidget

from ..engine import protocol
from .algorithms.before import answer_of
from .engine_client import EngineClient
from .engine_feedback import Bounds, PreviewWish
from .hazards import KIND_PROPERTY, mask_layer_name
from .messages import INFO, TITLE, WARNING, log, tell
from .output_files import free_names
from .result_layers import add_result_layer, add_run_group
from .run_queue import Run, RunQueue

KIND = "estimate"
"""Kind of the provisional layer: neither a mask that can be delivered nor a scene."""
OPACITY = 0.6


class FirstEstimate(QObject):
    """Shows the run under way as a provisional layer, and takes it away when the run ends."""

    kept = pyqtSignal(object)

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


class FinishedPart(QObject):
    """Offers, in the message bar, to keep what a cancelled run has finished; ignoring the offer keeps nothing."""

    kept = pyqtSignal(object)

    def __init__(self, iface: Any, queue: RunQueue, client: EngineClient, parent: QObject) -> None:
        super().__init__(parent)
        self._iface = iface
        self._client = client
        self._item: Any = None
        self._folder = ""
        queue.left.connect(self._offer)
        iface.messageBar().widgetRemoved.connect(self._on_gone)
        QgsProject.instance().cleared.connect(self._withdraw)

    @property
    def is_offered(self) -> bool:
        """Whether there is something that can still be kept."""
        return self._item is not None

    def close_down(self) -> None:
        """Take the offer back."""
        self._iface.messageBar().widgetRemoved.disconnect(self._on_gone)
        QgsProject.instance().cleared.disconnect(self._withdraw)
        self._withdraw()

    def _offer(self, run: Run, partial: Mapping[str, Any]) -> None:
        self._withdraw()
        folder, rows, done = str(partial.get("folder") or ""), partial.get("rows") or 0, partial.get("rows_done") or 0
        try:  # out of the folder of the estimate, which goes when the run ends
            self._folder = tempfile.mkdtemp(prefix="part_", dir=QgsProcessingUtils.tempFolder())
            for name in ("mask.tif", "probability.tif"):
                if os.path.exists(os.path.join(folder, name)):
                    shutil.move(os.path.join(folder, name), self._folder)
        except OSError as error:
            log(str(error), WARNING)
            self._withdraw()
            return
        text = self.tr("{scene}: cancelled after {share:.0f} % of the rows; nothing was written.")
        text = text.format(scene=run.scene, share=100.0 * done / max(1, rows))
        log(text)
        bar = self._iface.messageBar()
        item = bar.createMessage(TITLE, text)
        button = QPushButton(self.tr("Keep the finished part"))
        button.setObjectName("keepPartButton")
        button.setToolTip(self.tr("Writes it as a mask of its own; what was not reached is marked as not assessed"))
        lacking = done < rows
        button.clicked.connect(lambda _checked=False: self._keep(run, button, lacking))
        item.layout().addWidget(button)
        self._item = bar.pushWidget(item, INFO, 0) or item

    def _keep(self, run: Run, button: QPushButton, lacking: bool) -> None:
        """Have the engine make a mask of the part; dismissing the message no longer matters then."""
        button.setEnabled(False)
        folder, item, self._folder = self._folder, self._item, ""
        scene = self.tr("{scene} (partial)").format(scene=run.scene) if lacking else run.scene
        part = dataclasses.replace(run, scene=scene, results={})
        paths = free_names(run.folder, scene, run.hazard)
        probability = os.path.exists(os.path.join(folder, "probability.tif")) and run.wants_probability

        def answer(result: Any, error: Optional[protocol.HazardError]) -> None:
            is_offered = item is not None and item == self._item
            if error is not None and is_offered:
                self._folder = folder
                button.setEnabled(True)
            else:
                shutil.rmtree(folder, ignore_errors=True)
                if is_offered:
                    self._withdraw()
            if error is not None:
                tell(self._iface, str(error), WARNING)
                return
            part.results.update(outputs_of(result))
            self.kept.emit(part)

        try:
            job = protocol.KeepJob(
                folder=folder, mask=paths["OUTPUT"], probability=paths["PROBABILITY"] if probability else None
            )
        except protocol.HazardError as error:
            answer(None, error)
            return
        self._client.submit("keep", job, answer)

    def _on_gone(self, item: Any) -> None:
        if self._item is not None and item == self._item:
            self._item = None
            self._withdraw()

    def _withdraw(self) -> None:
        item, self._item = self._item, None
        if item is not None:
            self._iface.messageBar().popWidget(item)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = ""


def outputs_of(result: Mapping[str, Any]) -> Dict[str, Any]:
    """Result of a keep job as outputs of Segment hazard, which show it."""
    return {
        "OUTPUT": result.get("mask"),
        "PROBABILITY": result.get("probability") or "",
        "HAZARD_AREA_M2": result.get("hazard_area_m2"),
        "SHARE_ASSESSED": result.get("share_assessed"),
        "MODEL_USED": result.get("model"),
        "THRESHOLD_USED": result.get("threshold"),
        "DEVICE_USED": result.get("device"),
        "SCENE_SHA256": result.get("scene_sha256") or "",
        "MODEL_SHA256": result.get("model_sha256") or "",
        "WARNINGS": "\n".join(str(line) for line in result.get("warnings") or ()),
        **answer_of(result),
    }


def remove_quietly(path: str) -> None:
    """Delete a file of the estimate; one that is still read goes with its folder."""
    try:
        os.remove(path)
    except OSError:
        pass
