"""Water on both dates of the mask that a run wrote, while its threshold moves: where it is, and how it is drawn."""

import os
import shutil
from typing import Any, Iterable, Mapping, Optional

from qgis.core import QgsPalettedRasterRenderer, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QCoreApplication

from ..engine import protocol
from .delivery_menu import free_name
from .first_estimate import KIND
from .hazards import dress_layer
from .result_layers import place_of


class RunWater:
    """Of one result at a time: shown below its probability, and kept where its mask is about to be replaced.

    A mask that was cut anew no longer holds all of that water: what a lower threshold called new is gone from it. So
    every cut takes it from the run's own mask, of which a copy stays beside the mask that is replaced.

    Attributes:
        file: the run's own mask; empty where the result has none, or no water on both dates.
    """

    def __init__(self) -> None:
        self.file = ""
        self._layer_id = self._copy = ""

    def show(self, file: str, node: Any) -> None:
        """Draw the water of a run's mask below what the layer tree's node shows, which may cover it."""
        self.hide()
        self.file = file
        layer = QgsRasterLayer(file, tr("Water on both dates"), "gdal")
        if node is None or not layer.isValid():
            return
        dress_layer(layer, KIND, "flood", is_new=True)
        water = [entry for entry in layer.renderer().classes() if entry.value == protocol.PERMANENT_WATER]
        layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, water))
        QgsProject.instance().addMapLayer(layer, False)
        node.parent().insertLayer(place_of(node) + 1, layer)
        self._layer_id = layer.id()

    def hide(self) -> None:
        """Take the layer away."""
        project, layer_id = QgsProject.instance(), self._layer_id
        self.file = self._layer_id = ""
        if layer_id and project.mapLayer(layer_id) is not None:
            project.removeMapLayer(layer_id)

    def forget(self, layer_ids: Iterable[str]) -> None:
        """Let go of the layer where the project removes it already."""
        if self._layer_id in layer_ids:
            self._layer_id = ""

    def keep(self, mask: str, found: Optional[Mapping[str, Any]]) -> str:
        """The run's own mask for a cut that will replace ``mask``, copied if it is that very file; empty for none.

        Raises:
            OSError: it cannot be copied.
        """
        self.file = run_mask_of(mask, found)
        if self.file == mask:
            self.file = self._copy = free_name(os.path.splitext(mask)[0], "_run.tif")
            shutil.copyfile(mask, self._copy)
        return self.file

    def settle(self) -> None:
        """The mask was replaced: the copy stays."""
        self._copy = ""

    def take_back(self) -> None:
        """The mask is as it was: remove a copy made for nothing."""
        if self._copy and os.path.exists(self._copy):
            os.remove(self._copy)
        self._copy = ""


def run_mask_of(mask: str, found: Optional[Mapping[str, Any]]) -> str:
    """The run's own mask of new floods that a mask is, or was cut with the help of; empty where there is none.

    Args:
        mask: file of the mask.
        found: what the engine says of its provenance.
    """
    steps = (found or {}).get("steps") or ()
    if not steps:
        return mask if (found or {}).get("permanent_area_m2") else ""
    named = str(steps[0]["job"].get("run_mask") or "")
    beside = os.path.join(os.path.dirname(mask), os.path.basename(named))
    return next((path for path in (named, beside) if named and os.path.isfile(path)), "")


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("RunWater", text)
