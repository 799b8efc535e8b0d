"""The choice of the part of a scene to assess: what the map shows, the whole layer, or polygons."""

from typing import Any, Dict, Optional

from qgis.core import QgsProcessingFeatureSourceDefinition, QgsProject, QgsReferencedRectangle, QgsVectorLayer
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..engine import protocol
from .bands_widget import select_data
from .compat import POLYGON_LAYERS

VIEW, LAYER, POLYGONS = "view", "layer", "polygons"


class AreaChoice(QObject):
    """Rules the area row of the dock; polygons and their selection show only where they matter."""

    changed = pyqtSignal()

    def __init__(self, ui: Any, iface: Any) -> None:
        super().__init__(ui)
        self._ui = ui
        self._iface = iface
        self._watched: Optional[QgsVectorLayer] = None
        ui.areaComboBox.addItem(self.tr("Visible extent"), VIEW)
        ui.areaComboBox.addItem(self.tr("Whole layer"), LAYER)
        ui.areaComboBox.addItem(self.tr("Polygons of a layer"), POLYGONS)
        ui.polygonComboBox.setFilters(POLYGON_LAYERS)
        ui.areaComboBox.currentIndexChanged.connect(self._show)
        ui.polygonComboBox.layerChanged.connect(self._on_polygon_layer)
        self._on_polygon_layer()

    def remembered(self) -> Dict[str, str]:
        """What to remember of the choice."""
        layer = self._ui.polygonComboBox.currentLayer()
        return {"area": self._ui.areaComboBox.currentData(), "polygons": layer.id() if layer is not None else ""}

    def restore(self, choices: Dict[str, str]) -> None:
        """Choose what was remembered."""
        layer = QgsProject.instance().mapLayer(choices.get("polygons") or "")
        if layer is not None:
            self._ui.polygonComboBox.setLayer(layer)
        area = choices.get("area") or VIEW
        # Polygons of another project are no choice here.
        select_data(self._ui.areaComboBox, VIEW if area == POLYGONS and layer is None else area)

    def reason(self) -> str:
        """Why the choice cannot be used; empty if it can."""
        if self._ui.areaComboBox.currentData() == POLYGONS and self._ui.polygonComboBox.currentLayer() is None:
            return self.tr("The project has no polygon layer; add one or choose another area.")
        return ""

    def parameters(self) -> Dict[str, Any]:
        """EXTENT and AREA of the algorithm; raises BadInput."""
        kind = self._ui.areaComboBox.currentData()
        if kind == VIEW:
            canvas = self._iface.mapCanvas()
            view = QgsReferencedRectangle(canvas.extent(), canvas.mapSettings().destinationCrs())
            return {"EXTENT": view, "AREA": None}
        if kind == POLYGONS:
            if self.reason():
                raise protocol.BadInput(self.reason())
            layer = self._ui.polygonComboBox.currentLayer()
            only = layer.selectedFeatureCount() > 0 and self._ui.selectedOnlyCheckBox.isChecked()
            return {"EXTENT": None, "AREA": QgsProcessingFeatureSourceDefinition(layer.id(), only)}
        return {"EXTENT": None, "AREA": None}

    def _on_polygon_layer(self, *_: Any) -> None:
        layer = self._ui.polygonComboBox.currentLayer()
        if self._watched is not None and self._watched is not layer:
            try:
                self._watched.selectionChanged.disconnect(self._show)
            except (TypeError, RuntimeError):  # the layer is gone, and its connections with it
                pass
        if layer is not None and layer is not self._watched:
            layer.selectionChanged.connect(self._show)
        self._watched = layer
        self._show()

    def _show(self, *_: Any) -> None:
        wanted = self._ui.areaComboBox.currentData() == POLYGONS
        layer = self._ui.polygonComboBox.currentLayer()
        selected = layer.selectedFeatureCount() if layer is not None else 0
        self._ui.polygonLabel.setVisible(wanted)
        self._ui.polygonComboBox.setVisible(wanted)
        box = self._ui.selectedOnlyCheckBox
        if selected and not box.isVisibleTo(self._ui):
            box.setChecked(True)
        box.setVisible(wanted and selected > 0)
        box.setText(self.tr("Selected features only ({count})").format(count=selected))
        self.changed.emit()
