"""The dock: reads its widgets, starts the algorithm through the run queue, and shows the outcome."""

import json
import os
from typing import Any, Dict, List, Optional

from qgis.core import QgsProject, QgsRasterLayer
from qgis.gui import QgsDockWidget
from qgis.PyQt import uic
from qgis.PyQt.QtCore import QEvent, QObject, QTimer
from qgis.PyQt.QtGui import QShowEvent
from qgis.PyQt.QtWidgets import QWidget

from ..engine import protocol
from .adaptation_choice import AdaptationChoice
from .adaptation_report import open_adaptation
from .adaptation_run import AdaptationRun
from .area_choice import AreaChoice
from .bands_widget import BandsWidget, read_overrides
from .before_choice import BeforeChoice
from .delivery import Delivery
from .dock_pages import DockPages
from .dock_widgets import prepare_dock
from .engine_client import EngineClient
from .extra_layers import ExtraLayers
from .first_estimate import FirstEstimate
from .hazards import KIND_PROPERTY, is_scene
from .messages import INFO, WARNING, tell
from .model_choice import ModelChoice
from .outcome import show_before, show_outcome, zoom_to
from .output_files import ask_folder, known_folder, output_folder
from .result_panel import ResultPanel, escape, progress_text
from .run_queue import Run, RunQueue, scene_overrides
from .scene_reader import SceneReader, understood_text
from .settings import load_choices, save_choices, save_setting
from .setup_entry import SetupEntry


class HazardDock(QgsDockWidget):
    """Scene, hazard, model, area, and one button; everything else is folded away."""

    def __init__(self, iface: Any, client: EngineClient, parent: QWidget) -> None:
        super().__init__(parent)
        self.iface = iface
        self.client = client
        self.ask_folder = lambda: ask_folder(self)
        self._overrides: Dict[str, Dict[str, Any]] = {}
        self._warmed_up = False
        self._refusal = ""
        self._scene_id = "?"
        self.choices_touched = False
        self._engine_trouble = self._last_failure = self._running_text = ""
        self.setObjectName("hazardDock")
        self.setWindowTitle(self.tr("Hazard Mapper"))
        self.ui = uic.loadUi(os.path.join(os.path.dirname(__file__), "dock.ui"))
        self.bands = BandsWidget(self.ui.bandsGroup)
        self.ui.bandsLayout.addWidget(self.bands)
        self.results = ResultPanel(self.ui.footer)
        self.ui.footerLayout.addWidget(self.results)
        self.delivery = Delivery(self, self.ui.footerLayout, self.results, iface, client)
        self.adaptation = AdaptationChoice(self.ui)
        self.pages = DockPages(self.ui, iface, client, self)
        self.setWidget(self.pages)
        self.choice = ModelChoice(self.ui)
        self.extra_layers = ExtraLayers(self.ui)
        self.before = BeforeChoice(self.ui)
        self.area = AreaChoice(self.ui, iface)
        self.reader = SceneReader(client, self)
        self.queue = RunQueue(self)
        self.estimate = FirstEstimate(iface, self.queue, client, self)
        self.learning = AdaptationRun(self.ui, self.queue, self)
        self.setup = SetupEntry(self.ui, client, self)
        prepare_dock(self)
        self.ui.scrollContents.installEventFilter(self)
        self._exclude_results()
        self._connect()
        self.load_choices()
        self._on_layer_changed()

    # Setting up

    def _connect(self) -> None:
        ui = self.ui
        ui.layerComboBox.layerChanged.connect(self._on_layer_changed)
        ui.understoodLabel.linkActivated.connect(self._open_bands)
        ui.folderWidget.fileChanged.connect(self._show_folder)
        ui.engineWidget.fileChanged.connect(self._on_engine_chosen)
        self.setup.engine_changed.connect(self._on_engine_chosen)
        ui.segmentButton.clicked.connect(self.run)
        ui.cancelButton.clicked.connect(self.cancel)
        ui.areaComboBox.activated.connect(self._on_touched)
        ui.probabilityCheckBox.toggled.connect(self._on_touched)
        self.choice.touched.connect(self._on_touched)
        self.before.touched.connect(self._on_touched)
        self.choice.changed.connect(self.update_state)
        self.area.changed.connect(self.update_state)
        self.bands.changed.connect(self._on_overrides)
        self.reader.understood.connect(self._on_understood)
        self.reader.refused.connect(self._on_refused)
        self.reader.engine_failed.connect(self._on_engine_failed)
        self.results.zoom_asked.connect(lambda layer_id: zoom_to(self.iface, layer_id))
        self.results.before_toggled.connect(show_before)
        self.results.stages_asked.connect(lambda name, told: open_adaptation(name, told, self))
        self.adaptation.touched.connect(self._on_touched)
        self.adaptation.bands_asked.connect(self._open_bands)
        self.learning.keep_asked.connect(self.queue.keep_best)
        self.learning.discard_asked.connect(self.stop)
        self.estimate.kept.connect(lambda run, here: show_outcome(run, self.iface, self.results, here))
        self.queue.started.connect(self._on_started)
        self.queue.progressed.connect(self._on_progress)
        self.queue.finished.connect(self._on_finished)
        self.queue.failed.connect(self._on_failed)
        self.queue.cancelled.connect(self._on_cancelled)
        self.queue.ended.connect(self._on_ended)
        self.pages.models_wanted.connect(self._ask_models)
        self.pages.use_asked.connect(self.use_model)
        self.client.hello_received.connect(self._on_hello)
        self.iface.currentLayerChanged.connect(self._follow)
        self.iface.layerTreeView().selectionModel().selectionChanged.connect(self.follow_selection)
        project = QgsProject.instance()
        project.readProject.connect(self._on_project_read)
        project.writeProject.connect(self._on_project_written)
        project.layersAdded.connect(self._exclude_results)

    def close_down(self) -> None:
        """Cancel what runs and let go of QGIS's signals; the dock is about to be deleted."""
        self.queue.close_down()
        self.estimate.close_down()
        self.pages.close_down()
        self.setup.close_down()
        self.delivery.close_down()
        self.reader.forget()
        self.iface.currentLayerChanged.disconnect(self._follow)
        self.iface.layerTreeView().selectionModel().selectionChanged.disconnect(self.follow_selection)
        self.client.hello_received.disconnect(self._on_hello)
        project = QgsProject.instance()
        project.readProject.disconnect(self._on_project_read)
        project.writeProject.disconnect(self._on_project_written)
        project.layersAdded.disconnect(self._exclude_results)

    def showEvent(self, event: QShowEvent) -> None:
        """Wake the engine in the background when the dock is first seen."""
        super().showEvent(event)
        QTimer.singleShot(0, self.pages.make_training)
        if not self._warmed_up:
            QTimer.singleShot(0, self.warm_up)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Give the scrolled part the height of its content, so that the button follows right below it."""
        if watched is self.ui.scrollContents and event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            layout = self.ui.scrollContents.layout()
            height = layout.totalHeightForWidth(self.ui.scrollArea.viewport().width())
            self.ui.scrollArea.setMaximumHeight(max(height, layout.minimumSize().height()) + 2)
        return super().eventFilter(watched, event)

    def warm_up(self) -> None:
        """Start the engine and ask for its models; says why if there is none."""
        try:
            self.client.locate()
        except protocol.HazardError:
            self.update_state()
            return
        self._warmed_up = True
        self._ask_models()
        self._read_scene()
        self.update_state()

    # The scene

    def show_scenes(self, layers: List[QgsRasterLayer]) -> None:
        """Show the dock with the first of these layers as its scene; the others follow it in the queue."""
        self.setUserVisible(True)
        if layers and not self.queue.is_running:
            self.ui.layerComboBox.setLayer(layers[0])
            self.extra_layers.follow(layers[1:])

    def follow_selection(self, *_: Any) -> None:
        """Queue the raster layers that are selected together in the layer panel; the scene comes first."""
        layers = [layer for layer in self.iface.layerTreeView().selectedLayers() if is_scene(layer)]
        if not self.queue.is_running:
            scene = self.scene()
            self.extra_layers.follow([layer for layer in layers if layer is not scene] if scene in layers else [])

    def scene(self) -> Optional[QgsRasterLayer]:
        """The layer to assess."""
        layer = self.ui.layerComboBox.currentLayer()
        return layer if isinstance(layer, QgsRasterLayer) else None

    def _follow(self, *_: Any) -> None:
        """Take over the layer that became active, unless it is a result or a run is under way."""
        layer = self.iface.activeLayer()
        if is_scene(layer) and not self.queue.is_running:
            self.ui.layerComboBox.setLayer(layer)

    def _exclude_results(self, *_: Any) -> None:
        layers = QgsProject.instance().mapLayers().values()
        self.ui.layerComboBox.setExceptedLayerList([layer for layer in layers if layer.customProperty(KIND_PROPERTY)])

    def _on_layer_changed(self, *_: Any) -> None:
        layer = self.scene()
        layer_id = "" if layer is None else layer.id()
        if layer_id == self._scene_id:
            return
        self._scene_id = layer_id
        self.extra_layers.forget()
        self.adaptation.forget_scene()
        self.bands.clear()
        self.bands.set_overrides(self._overrides.get(layer.id(), {}) if layer is not None else {})
        self._read_scene()

    def _read_scene(self) -> None:
        layer = self.scene()
        self._refusal = ""
        self.reader.forget()
        self.ui.understoodLabel.setText("")
        if layer is not None and self._warmed_up:
            self.ui.understoodLabel.setText(self.tr("Reading the scene…"))
            self.reader.read(layer, self.bands.overrides())
        self.update_state()

    def _on_overrides(self) -> None:
        layer = self.scene()
        if layer is not None:
            self._overrides[layer.id()] = self.bands.overrides()
            self.choices_touched = True
            self._read_scene()

    def _on_understood(self, info: Dict[str, Any]) -> None:
        self.bands.show_understood(info)
        self.adaptation.show_found(info, self.scene())
        self.before.show_found(info)
        text, used = understood_text(info)
        if not used:
            self._refusal = self.tr("No band is recognised; choose the sensor or give bands their slots.")
        self.ui.understoodLabel.setText(text)
        self.update_state()

    def _on_refused(self, sentence: str) -> None:
        self._refusal = sentence
        correct = self.tr("Correct bands and units")
        self.ui.understoodLabel.setText(f"{escape(sentence)} <a href='bands'>{correct}</a>")
        layer = self.scene()
        if layer is not None and layer.dataProvider() is not None:
            self.bands.list_unknown(layer.dataProvider().bandCount())
        self.update_state()

    def _on_engine_failed(self, sentence: str) -> None:
        self.ui.understoodLabel.setText(escape(sentence))
        self.update_state()

    def _open_bands(self, *_: Any) -> None:
        group = self.ui.bandsGroup
        group.setCollapsed(False)
        QTimer.singleShot(0, lambda: self.ui.scrollArea.ensureWidgetVisible(group, 0, 0))

    # Engine

    def _ask_models(self) -> None:
        self.client.submit("models", protocol.ModelsJob(), self._on_models)

    def use_model(self, name: str) -> None:
        """Go to the mapping page with this model chosen."""
        self.choice.choose(name)
        self.pages.open_mapping()

    def _on_models(self, listed: Any, error: Optional[protocol.HazardError]) -> None:
        if error is not None:
            self._engine_trouble = str(error)
            tell(self.iface, str(error), WARNING)
        else:
            self._engine_trouble = ""
            self.choice.offer_models(listed)
            self.pages.offer_models(self.choice.models)
        self.update_state()

    def _on_hello(self, hello: Dict[str, Any]) -> None:
        self.choice.offer_devices(hello.get("devices"))
        self.pages.offer_devices(hello.get("devices"))

    def _on_engine_chosen(self, path: str) -> None:
        save_setting("engine_python", path)
        self._warmed_up = False
        self.warm_up()

    # Running

    def reason(self) -> str:
        """Why the button cannot be used; empty if it can."""
        trouble = self.setup.reason()
        if trouble:
            return trouble
        if self.scene() is None:
            return self.tr("Add a raster layer to the project; it can then be chosen as the scene.")
        return self._refusal or self.area.reason()

    def update_state(self) -> None:
        """Enable what makes sense and say why the rest does not."""
        if self.queue.is_running:
            return
        reason = self.reason()
        self.adaptation.update_state(self.setup.reason(), self.choice.model())
        self.setup.show_need(self.setup.reason())
        self.ui.segmentButton.setEnabled(not reason)
        self.ui.segmentButton.setToolTip(reason or self.tr("Assess the scene; the mask lands above it as a new layer"))
        above = self.tr("The scene cannot be assessed as it is; see above.")
        self.ui.statusLabel.setText((above if reason and reason == self._refusal else reason) or self._engine_trouble)
        self._show_folder()

    def run(self) -> None:
        """Start the algorithm for the scene and the layers that follow it."""
        layer = self.scene()
        if layer is None or self.queue.is_running:
            return
        try:
            runs = self._collect_runs(layer)
        except protocol.Cancelled as error:
            self.ui.statusLabel.setText(str(error))
            return
        except protocol.HazardError as error:
            tell(self.iface, str(error), WARNING)
            self.ui.statusLabel.setText(str(error))
            return
        save_choices(QgsProject.instance(), self.choices())
        self.extra_layers.forget()
        self.queue.start(runs)

    def _collect_runs(self, layer: QgsRasterLayer) -> List[Run]:
        project = QgsProject.instance()
        parameters = {**self.choice.parameters(), **self.area.parameters()}
        folder = output_folder(project, self.ui.folderWidget.filePath().strip(), self.ask_folder)
        layers = [layer, *self.extra_layers.layers()]
        own = self.bands.overrides()
        return [
            Run(
                scene.id(),
                scene.name(),
                parameters["HAZARD"],
                folder,
                self.ui.probabilityCheckBox.isChecked(),
                {
                    **parameters,
                    **self.adaptation.parameters(is_first=scene is layer),
                    **self.before.parameters(scene, self._overrides),
                    **scene_overrides(own if scene is layer else self._overrides.get(scene.id(), {})),
                },
                self.adaptation.wants_comparison,
            )
            for scene in layers
        ]

    def cancel(self) -> None:
        """Stop the run, or ask first whether what an adaptation has learnt is to be kept."""
        if self.learning.is_adapting:
            self.learning.ask()
        else:
            self.stop()

    def stop(self) -> None:
        """Stop the run; nothing is written."""
        self.ui.cancelButton.setEnabled(False)
        self.ui.statusLabel.setText(self.tr("Cancelling…"))
        self.queue.cancel()

    def _on_started(self, run: Run, number: int, total: int) -> None:
        ui = self.ui
        self._running_text = (
            run.scene
            if total == 1
            else self.tr("{number} of {total}: {scene}").format(number=number, total=total, scene=run.scene)
        )
        ui.segmentButton.setEnabled(False)
        ui.progressBar.setValue(0)
        ui.progressBar.show()
        ui.cancelButton.setEnabled(True)
        ui.cancelButton.show()
        ui.statusLabel.setText(self.tr("{scene}: starting").format(scene=self._running_text))

    def _on_progress(self, stage: str, share: float, seconds_left: Optional[float]) -> None:
        if self.queue.is_running and self.ui.cancelButton.isEnabled():
            self.ui.progressBar.setValue(round(1000 * share))
            if stage:
                self.ui.statusLabel.setText(f"{self._running_text}: {progress_text(stage, seconds_left)}")

    def _on_finished(self, run: Run, project_open: bool) -> None:
        show_outcome(run, self.iface, self.results, project_open)
        if run.results.get("ADAPTED_MODEL"):
            self._ask_models()
        self.ui.statusLabel.setText("")

    def _on_failed(self, run: Run, sentence: str) -> None:
        tell(self.iface, sentence, WARNING)
        self._last_failure = sentence

    def _on_cancelled(self) -> None:
        self._last_failure = self.tr("Cancelled; nothing was written.")
        tell(None if self.estimate.is_offered else self.iface, self._last_failure, INFO)

    def _on_ended(self) -> None:
        self.ui.progressBar.hide()
        self.ui.cancelButton.hide()
        self.update_state()
        if self._last_failure and self.ui.segmentButton.isEnabled():
            self.ui.statusLabel.setText(self._last_failure)
        self._last_failure = ""

    # Choices

    def choices(self) -> Dict[str, str]:
        """What to remember with the project."""
        return {
            **self.choice.remembered(),
            **self.area.remembered(),
            **self.adaptation.remembered(),
            **self.before.remembered(),
            "folder": self.ui.folderWidget.filePath().strip(),
            "probability": "yes" if self.ui.probabilityCheckBox.isChecked() else "no",
            "layer_bands": json.dumps({name: value for name, value in self._overrides.items() if any(value.values())}),
        }

    def load_choices(self) -> None:
        """Take over what the project, or the last session, remembers."""
        choices = load_choices(QgsProject.instance())
        self.choice.restore(choices)
        self.area.restore(choices)
        self.adaptation.restore(choices)
        self.before.restore(choices)
        self.ui.folderWidget.setFilePath(choices["folder"])
        self.ui.probabilityCheckBox.setChecked(choices["probability"] != "no")
        self._overrides = read_overrides(choices["layer_bands"])
        self.choices_touched = False

    def _on_touched(self, *_: Any) -> None:
        self.choices_touched = True

    def _on_project_read(self, *_: Any) -> None:
        self.load_choices()
        self._scene_id = "?"
        self._on_layer_changed()

    def _on_project_written(self, *_: Any) -> None:
        if self.choices_touched:
            save_choices(QgsProject.instance(), self.choices())

    def _show_folder(self, *_: Any) -> None:
        folder = known_folder(QgsProject.instance(), self.ui.folderWidget.filePath().strip())
        text = self.tr("Masks go to {folder}").format(folder=folder) if folder else self.tr("You will be asked once.")
        self.ui.folderNote.setText(text)
