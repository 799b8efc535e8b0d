"""Further layers that are assessed after the scene of the dock, one after another."""

from typing import Any, Iterable, List

from qgis.core import QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QObject

from .result_panel import escape


class ExtraLayers(QObject):
    """Keeps them by id, as layers may go at any time, and names them below the scene."""

    def __init__(self, ui: Any) -> None:
        super().__init__(ui)
        self._label = ui.queueLabel
        self._ids: List[str] = []
        self._label.linkActivated.connect(self.forget)

    def follow(self, layers: Iterable[QgsRasterLayer]) -> None:
        """Take these layers."""
        self._ids = [layer.id() for layer in layers]
        text = self.tr("then {names}").format(names=", ".join(layer.name() for layer in self.layers()))
        self._label.setText(f"{escape(text)} (<a href='forget'>{self.tr('only the first')}</a>)")
        self._label.setVisible(bool(self._ids))

    def forget(self, *_: Any) -> None:
        """Assess only the scene."""
        self._ids = []
        self._label.hide()

    def layers(self) -> List[QgsRasterLayer]:
        """Those that are still in the project."""
        found = [QgsProject.instance().mapLayer(layer_id) for layer_id in self._ids]
        return [layer for layer in found if layer is not None]
