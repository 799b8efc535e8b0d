"""Brings a finished run's files into the project and says what was found."""

import os
from typing import Any, Dict, Iterable, Tuple

from qgis.core import QgsProject

from .algorithms.comparison import COMPARED
from .hazards import compared_layer_name, mask_layer_name, probability_layer_name
from .layer_origin import new_run, run_history, write_history
from .map_view import zoom_to_layer
from .messages import INFO, SUCCESS, WARNING, Offer, log, tell, tr
from .result_layers import add_result_layer, add_run_group
from .result_panel import ResultPanel, describe
from .run_queue import Run

LAYERS = {
    "OUTPUT": "mask",
    "MASK_BEFORE": "mask",
    "PROBABILITY": "probability",
    "PROBABILITY_BEFORE": "probability",
    "DIFFERENCE": "difference",
}
"""Outputs in the order in which they are added, each directly above the scene, and the kind of layer each makes."""

PAIRS = (("OUTPUT", "MASK_BEFORE"), ("PROBABILITY", "PROBABILITY_BEFORE"))
"""Outputs after and before an adaptation."""


def show_outcome(run: Run, iface: Any, panel: ResultPanel, project_open: bool) -> None:
    """Add the layers in a group above their source and list the result; where that cannot be, say where the file is."""
    results = run.results
    name = mask_layer_name(run.hazard, run.scene, is_new=bool(run.before))
    path = str(results["OUTPUT"])
    if not project_open:
        note = tr("The project was closed meanwhile; the mask is in {path}.").format(path=path)
        panel.add_result(name, results, "", note)
        tell(iface, f"{name}: {describe(results)}. {note}", INFO, 0)
        return
    project = QgsProject.instance()
    compares = results.get("VERDICT") == "adapted"
    shown: Dict[str, str] = {}
    origin = origin_of_run(run)
    group = add_run_group(project, run.layer_id, name, origin["run"])
    for output, kind in LAYERS.items():
        file = str(results.get(output) or "")
        if not file:
            continue
        if output in COMPARED and not compares:
            # Before and after are the same: files that say nothing would only be in the way.
            remove_output(file)
            continue
        if output != "OUTPUT" and "OUTPUT" not in shown:
            continue
        title = layer_title(output, kind, run)
        layer = add_result_layer(project, group, file, kind, run.hazard, title, visible=output == "OUTPUT", **origin)
        if layer is not None:
            shown[output] = layer.id()
            write_history(layer, run_history(run.hazard, run.scene, run.results))
    if "OUTPUT" not in shown:
        group.parent().removeChildNode(group)
        note = tr("QGIS cannot open the mask {path}.").format(path=path)
        panel.add_result(name, results, "", note)
        tell(iface, f"{name}: {describe(results)}. {note}")
        return
    pairs = [(shown[after], shown[before]) for after, before in PAIRS if after in shown and before in shown]
    panel.add_result(name, results, shown["OUTPUT"], pairs=pairs)
    found = tr("{name}: {found}, in {file}.")
    said = found.format(name=name, found=describe(results), file=os.path.basename(path))
    zoom = Offer(tr("Zoom"), tr("Show this result in the map"), lambda: zoom_to(iface, shown["OUTPUT"]))
    tell(iface, said, SUCCESS, offer=zoom)


def zoom_to(iface: Any, layer_id: str) -> None:
    """Show a result in the map, or say that it is gone."""
    layer = QgsProject.instance().mapLayer(layer_id)
    if layer is None:
        tell(iface, tr("That layer is no longer in the project."), INFO)
        return
    zoom_to_layer(iface.mapCanvas(), layer)


def origin_of_run(run: Run) -> Dict[str, str]:
    """What the layers of a run are to remember of it."""
    results = run.results
    return {
        "scene": run.scene,
        "scene_id": run.layer_id,
        "before": run.before,
        "run": new_run(),
        "model": str(results.get("MODEL_USED") or ""),
        "threshold": str(results.get("THRESHOLD_USED") or ""),
    }


def layer_title(output: str, kind: str, run: Run) -> str:
    """Name of the layer of an output."""
    if output in COMPARED:
        return compared_layer_name(kind, run.hazard, run.scene)
    if kind == "mask":
        return mask_layer_name(run.hazard, run.scene, is_new=bool(run.before))
    return probability_layer_name(run.hazard, run.scene)


def show_before(pairs: Iterable[Tuple[str, str]], before: bool) -> None:
    """Show the layer before instead of the one after an adaptation, or the other way round, where one is shown.

    Where none of a result is shown, its first pair, the masks, is.
    """
    root = QgsProject.instance().layerTreeRoot()
    nodes = [(root.findLayer(after), root.findLayer(first)) for after, first in pairs]
    present = [(after, first) for after, first in nodes if after is not None and first is not None]
    visible = [pair for pair in present if any(node.itemVisibilityChecked() for node in pair)]
    for after, first in visible or present[:1]:
        first.setItemVisibilityChecked(before)
        after.setItemVisibilityChecked(not before)


def remove_output(path: str) -> None:
    """Delete a raster that this run wrote, and the style beside it."""
    for file in (path, os.path.splitext(path)[0] + ".qml"):
        try:
            os.remove(file)
        except FileNotFoundError:
            continue
        except OSError as error:
            log(f"{file}: {error}", WARNING)
