"""What follows a result: its menu, the threshold's slider and the corrections, joined to the dock."""

from typing import Any, Iterable, Mapping

from qgis.core import QgsMapLayer, QgsMapLayerType, QgsProject
from qgis.PyQt.QtCore import QObject, QTimer
from qgis.PyQt.QtGui import QCursor
from qgis.PyQt.QtWidgets import QMenu

from .compat import QAction
from .corrections import Corrections, present_layers
from .delivery_menu import fill_menu, warn_no_result
from .engine_client import EngineClient
from .icons import icon
from .layer_origin import kind_of_layer, related
from .result_layers import join_run_group
from .result_panel import ResultPanel
from .threshold_bar import ThresholdBar
from .threshold_editor import ThresholdEditor

LAYER_TYPES = (QgsMapLayerType.RasterLayer, QgsMapLayerType.VectorLayer)


class Delivery(QObject):
    """Offers what can be made of a result, from its row in the dock and from the menu of its layers."""

    def __init__(self, dock: Any, footer_layout: Any, panel: ResultPanel, iface: Any, client: EngineClient) -> None:
        super().__init__(dock)
        self._iface = iface
        self.menu = QMenu(dock)
        self.menu.setObjectName("deliveryMenu")
        self.bar = ThresholdBar(panel.parentWidget())
        footer_layout.insertWidget(footer_layout.indexOf(panel), self.bar)
        self.editor = ThresholdEditor(self.bar, iface, client)
        self.editor.applied.connect(panel.add_note)
        self.corrections = Corrections(self)
        panel.delivery_asked.connect(self.offer_result)
        self.action = QAction(icon("package"), self.tr("Deliver…"), dock)
        self.action.setToolTip(self.tr("Make polygons, a map sheet, a report or an emergency package of this result"))
        self.action.triggered.connect(self.offer_active)
        for layer_type in LAYER_TYPES:
            iface.addCustomActionForLayerType(self.action, "", layer_type, False)
        QgsProject.instance().layersAdded.connect(self._add_soon)
        self._add_to_menus(QgsProject.instance().mapLayers().values())

    def _add_soon(self, layers: Iterable[QgsMapLayer]) -> None:
        """Look at new layers once Processing has marked those that it loads.

        What is marked already has its place: it comes with a project, or was copied.
        """
        known = {layer.id(): bool(kind_of_layer(layer)) for layer in layers}
        QTimer.singleShot(0, lambda: self._take_in(known))

    def _take_in(self, known: Mapping[str, bool]) -> None:
        """Offer the menu for results, and put those beside their run that were just made of it."""
        found = present_layers(known)
        self._add_to_menus(found)
        for layer in found:
            if kind_of_layer(layer) and not known[layer.id()]:
                join_run_group(QgsProject.instance(), layer)

    def _add_to_menus(self, layers: Iterable[QgsMapLayer]) -> None:
        for layer in layers:
            if kind_of_layer(layer):
                self._iface.addCustomActionForLayer(self.action, layer)

    def close_down(self) -> None:
        """Let go of the project; the dock is about to be deleted."""
        QgsProject.instance().layersAdded.disconnect(self._add_soon)
        self._iface.removeCustomActionForLayerType(self.action)
        self.editor.close_down()
        self.corrections.close_down()

    def offer_result(self, layer_id: str) -> None:
        """Open the menu for a result: for the mask that was made last of it, refined or corrected."""
        project = QgsProject.instance()
        layer = project.mapLayer(layer_id)
        if layer is None:
            warn_no_result(self._iface)
            return
        self.offer(([layer, *related(project, layer, "mask")])[-1])

    def offer_active(self) -> None:
        """Open the menu for the layer that is active in the layer panel."""
        self.offer(self._iface.activeLayer())

    def offer(self, layer: Any) -> None:
        """Open the menu for a layer, where it is a result."""
        if not isinstance(layer, QgsMapLayer) or not kind_of_layer(layer):
            warn_no_result(self._iface)
            return
        fill_menu(self.menu, layer, self._iface, self.editor.open)
        self.menu.popup(QCursor.pos())
