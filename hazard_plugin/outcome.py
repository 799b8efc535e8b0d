"""Brings a finished run's files into the project and says what was found."""

import os
from typing import Any

from qgis.core import QgsProject

from .hazards import mask_layer_name, probability_layer_name
from .messages import INFO, SUCCESS, tell, tr
from .result_layers import add_result_layer
from .result_panel import ResultPanel, describe
from .run_queue import Run


def show_outcome(run: Run, iface: Any, panel: ResultPanel, project_open: bool) -> None:
    """Add the layers above their source and list the result; where that cannot be, say where the file is."""
    results = run.results
    name = mask_layer_name(run.hazard, run.scene)
    path = str(results["OUTPUT"])
    if not project_open:
        note = tr("The project was closed meanwhile; the mask is in {path}.").format(path=path)
        panel.add_result(name, results, "", note)
        tell(iface, f"{name}: {describe(results)}. {note}", INFO, 0)
        return
    project = QgsProject.instance()
    layer = add_result_layer(project, run.layer_id, path, "mask", run.hazard, name)
    probability = str(results.get("PROBABILITY") or "")
    if probability and layer is not None:
        title = probability_layer_name(run.hazard, run.scene)
        add_result_layer(project, run.layer_id, probability, "probability", run.hazard, title, visible=False)
    if layer is None:
        note = tr("QGIS cannot open the mask {path}.").format(path=path)
        panel.add_result(name, results, "", note)
        tell(iface, f"{name}: {describe(results)}. {note}")
        return
    panel.add_result(name, results, layer.id())
    found = tr("{name}: {found}, in {file}.")
    tell(iface, found.format(name=name, found=describe(results), file=os.path.basename(path)), SUCCESS)
