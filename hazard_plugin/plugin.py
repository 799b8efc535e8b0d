"""Registers dock, provider and layer-menu action with QGIS, and takes them away again."""

from typing import Any, List, Optional

from qgis.core import QgsApplication, QgsMapLayerType, QgsRasterLayer
from qgis.PyQt.QtCore import QObject, Qt
from qgis.PyQt.QtGui import QKeySequence

from .compat import QAction
from .engine_client import EngineClient, training_client
from .help_entry import HelpEntry
from .icons import icon
from .provider import HazardProvider
from .translation import Translation
from .uninstalled import stop_watching, watch_for_uninstall


class HazardMapperPlugin(QObject):
    """The plugin as QGIS sees it."""

    def __init__(self, iface: Any) -> None:
        super().__init__()
        self.iface = iface
        self.client: Optional[EngineClient] = None
        self.training: Optional[EngineClient] = None
        self.provider: Optional[HazardProvider] = None
        self.dock: Any = None
        self.dock_action: Optional[QAction] = None
        self.layer_action: Optional[QAction] = None
        self.models_action: Optional[QAction] = None
        self.models_dialog: Any = None
        self.help: Optional[HelpEntry] = None
        self.translation = Translation()
        self.options: Any = None

    def initProcessing(self) -> None:
        """Register the provider; all that qgis_process asks for."""
        stop_watching()
        self.translation.install()
        self.client = EngineClient()
        self.training = training_client()
        self.provider = HazardProvider(self.client, self.training)
        QgsApplication.processingRegistry().addProvider(self.provider)
        for client in (self.client, self.training):
            QgsApplication.instance().aboutToQuit.connect(client.shutdown)

    def initGui(self) -> None:
        """Add provider, dock, menu entry, toolbar icon and layer-menu action."""
        self.initProcessing()
        from .dock import HazardDock

        self.dock = HazardDock(self.iface, self.client, self.iface.mainWindow())
        self.iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)
        self.dock.hide()
        self.dock_action = self.dock.toggleViewAction()
        self.dock_action.setIcon(icon())
        self.dock_action.setText(self.tr("&Hazard Mapper"))
        self.dock_action.setToolTip(self.tr("Show or hide Hazard Mapper (Ctrl+Shift+H)"))
        self.dock_action.setShortcut(QKeySequence("Ctrl+Shift+H"))
        self.iface.addPluginToRasterMenu(self.tr("&Hazard Mapper"), self.dock_action)
        self.iface.addRasterToolBarIcon(self.dock_action)
        self.models_action = QAction(icon("models"), self.tr("&Models…"), self.iface.mainWindow())
        self.models_action.setToolTip(self.tr("Import, export, compare and delete models, and choose defaults"))
        self.models_action.triggered.connect(self.open_models)
        self.iface.addPluginToRasterMenu(self.tr("&Hazard Mapper"), self.models_action)
        self.dock.choice.manage_asked.connect(self.open_models)
        self.help = HelpEntry(self.iface, self.tr("&Hazard Mapper"))
        self.layer_action = QAction(icon("segment"), self.tr("Segment hazard"), self.iface.mainWindow())
        self.layer_action.setToolTip(self.tr("Open Hazard Mapper with this layer as its scene"))
        self.layer_action.triggered.connect(self.open_for_selected_layers)
        self.iface.addCustomActionForLayerType(self.layer_action, "", QgsMapLayerType.RasterLayer, True)
        self._add_options()

    def _add_options(self) -> None:
        """Add the page to QGIS's options."""
        from .options_page import OptionsFactory, take_options

        self.options = OptionsFactory(
            lambda: self.client.hello.get("devices") if self.client is not None else None,
            lambda: self.dock.setup.open(),
            lambda changed: take_options(self.dock, changed),
        )
        self.iface.registerOptionsWidgetFactory(self.options)

    def open_for_selected_layers(self) -> None:
        """Show the dock with the raster layers selected in the layer panel; its button runs."""
        layers: List[Any] = list(self.iface.layerTreeView().selectedLayers())
        active = self.iface.activeLayer()
        if active is not None and active not in layers:
            layers.insert(0, active)
        self.dock.show_scenes([layer for layer in layers if isinstance(layer, QgsRasterLayer)])

    def open_models(self, *_: Any) -> None:
        """Show the dialog that looks after models; the dock lists them again after each change."""
        from .models_dialog import ModelsDialog

        if self.models_dialog is None:
            self.models_dialog = ModelsDialog(self.client, self.iface.mainWindow())
            self.models_dialog.changed.connect(self.dock.pages.models_wanted)
        self.models_dialog.refresh()
        self.models_dialog.show()
        self.models_dialog.raise_()

    def unload(self) -> None:
        """Take everything away and end the worker."""
        if self.options is not None:
            self.iface.unregisterOptionsWidgetFactory(self.options)
            self.options = None
        if self.help is not None:
            self.help.remove()
            self.help = None
        if self.models_action is not None:
            self.iface.removePluginRasterMenu(self.tr("&Hazard Mapper"), self.models_action)
            self.models_action.deleteLater()
            self.models_action = None
        if self.models_dialog is not None:
            self.models_dialog.close()
            self.models_dialog.deleteLater()
            self.models_dialog = None
        if self.layer_action is not None:
            self.iface.removeCustomActionForLayerType(self.layer_action)
            self.layer_action.deleteLater()
            self.layer_action = None
        if self.dock is not None:
            self.iface.removePluginRasterMenu(self.tr("&Hazard Mapper"), self.dock_action)
            self.iface.removeRasterToolBarIcon(self.dock_action)
            self.dock.close_down()
            self.iface.removeDockWidget(self.dock)
            self.dock.deleteLater()
            self.dock = self.dock_action = None
        for client in (self.client, self.training):
            if client is not None:
                QgsApplication.instance().aboutToQuit.disconnect(client.shutdown)
                client.shutdown()
        self.client = self.training = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
        self.translation.remove()
        watch_for_uninstall()
