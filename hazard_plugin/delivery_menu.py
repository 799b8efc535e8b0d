"""What can be made of a result: a menu whose entries open QGIS's own dialog of an algorithm, filled in."""

import os
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Optional

from qgis.core import QgsApplication, QgsMapLayer, QgsProject
from qgis.PyQt.QtWidgets import QMenu, QWidget

from .help_page import HelpDialog
from .icons import icon
from .layer_origin import file_of, kind_of_layer, origin_of, related
from .messages import WARNING, tell, tr


@dataclass(frozen=True)
class Entry:
    """One algorithm, and what of a result its parameters are filled with.

    Attributes:
        algorithm: id within the provider.
        roles: parameter to ``mask``, ``probability``, ``scene``, ``polygons`` or ``polygons_file``.
        outputs: parameter to what the name of its file ends with, after the mask's.
    """

    algorithm: str
    roles: Dict[str, str]
    outputs: Dict[str, str] = field(default_factory=dict)


ENTRIES = (
    Entry(
        "hazardpolygons",
        {"INPUT": "mask", "PROBABILITY": "probability", "MANUAL": "polygons_file"},
        {"OUTPUT": ".gpkg"},
    ),
    Entry("correctmask", {"INPUT": "mask", "POLYGONS": "polygons"}, {"OUTPUT": "_corrected.tif"}),
    Entry("refinemask", {"INPUT": "mask"}, {"OUTPUT": "_refined.tif"}),
    Entry("comparemasks", {"AFTER": "mask"}, {"OUTPUT": "_change_of_area.tif"}),
    Entry("monitoringseries", {"INPUT": "mask"}),
    Entry("exposure", {"HAZARD_MASK": "mask", "PROBABILITY": "probability"}, {"OUTPUT": "_exposure.gpkg"}),
    Entry("evaluatemask", {"MASK": "mask"}, {"ERRORS": "_errors.tif"}),
    Entry(
        "mapsheet",
        {"MASK": "mask", "PROBABILITY": "probability", "SCENE": "scene", "POLYGONS": "polygons"},
        {"PDF": "_map.pdf", "PNG": "_map.png"},
    ),
    Entry(
        "hazardreport",
        {"MASK": "mask", "PROBABILITY": "probability", "SCENE": "scene", "POLYGONS": "polygons"},
        {"OUTPUT": "_report.html"},
    ),
    Entry("emergencypackage", {"POLYGONS": "polygons", "MASK": "mask", "SCENE": "scene"}),
    Entry("runagain", {"INPUT": "mask"}, {"OUTPUT": "_again.tif"}),
)


def fill_menu(menu: QMenu, layer: QgsMapLayer, iface: Any, move_threshold: Callable[[QgsMapLayer], None]) -> None:
    """Offer what can be made of the result that a layer belongs to."""
    menu.clear()
    menu.setToolTipsVisible(True)
    action = menu.addAction(icon("threshold"), tr("Move the threshold"))
    action.setToolTip(tr("Draw the probability at another threshold, see its area, and write the mask anew"))
    action.triggered.connect(lambda: move_threshold(layer))
    menu.addSeparator()
    registry = QgsApplication.processingRegistry()
    for entry in ENTRIES:
        algorithm = registry.algorithmById(f"hazardmapper:{entry.algorithm}")
        if algorithm is None:
            continue
        action = menu.addAction(algorithm.icon(), algorithm.displayName() + "…")
        action.setToolTip(algorithm.shortDescription())
        action.triggered.connect(lambda _checked=False, wanted=entry: open_dialog(wanted, layer, iface))
    menu.addSeparator()
    action = menu.addAction(icon("help"), tr("Help on delivering"))
    action.setToolTip(tr("Explain what can be made of a result"))
    action.triggered.connect(lambda: HelpDialog("delivering", menu.parentWidget()).open())


def open_dialog(entry: Entry, layer: QgsMapLayer, iface: Any) -> Optional[QWidget]:
    """Open the dialog of an algorithm for a result; the user looks it over and runs it."""
    import processing  # a plugin of QGIS itself, loaded after this one

    algorithm_id = f"hazardmapper:{entry.algorithm}"
    dialog = processing.createAlgorithmDialog(algorithm_id, parameters_for(entry, layer))
    if dialog is None:
        tell(iface, tr("{algorithm} cannot be opened; enable the Processing plugin.").format(algorithm=algorithm_id))
        return None
    dialog.show()
    return dialog


def parameters_for(entry: Entry, layer: QgsMapLayer) -> Dict[str, Any]:
    """Parameters of an algorithm for the result that a layer belongs to; what is not there is left out."""
    project = QgsProject.instance()
    found = {role: of_role(project, layer, role) for role in entry.roles.values()}
    parameters = {name: found[role] for name, role in entry.roles.items() if found[role]}
    mask = layer if kind_of_layer(layer) == "mask" else next(iter(related(project, layer, "mask")[::-1]), layer)
    stem = re.sub(r"\.tiff?$", "", file_of(mask))
    if stem and os.path.isdir(os.path.dirname(stem)):
        parameters.update({name: free_name(stem, ending) for name, ending in entry.outputs.items()})
    return parameters


def of_role(project: QgsProject, layer: QgsMapLayer, role: str) -> Any:
    """The layer's id, or the file, that plays a role for a result; None where there is none."""
    if role == "scene":
        scene = project.mapLayer(origin_of(layer)["scene_id"])
        return scene.id() if scene is not None else None
    kind = role.split("_")[0]
    layers = [layer] if kind_of_layer(layer) == kind else related(project, layer, kind)
    if not layers:
        return None
    return file_of(layers[-1]) if role.endswith("_file") else layers[-1].id()


def free_name(stem: str, ending: str) -> str:
    """A file name that no file has yet."""
    path, number = stem + ending, 1
    base, suffix = os.path.splitext(path)
    while os.path.lexists(path):
        number += 1
        path = f"{base}_{number}{suffix}"
    return path


def warn_no_result(iface: Any) -> None:
    """Say that the layer is no result."""
    tell(iface, tr("Choose a layer that Hazard Mapper made: a mask, its probability or its polygons."), WARNING)
