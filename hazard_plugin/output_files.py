"""Where the dock writes: beside the project file, else in a folder the user chose once; names never overwrite."""

import os
import re
from typing import Callable, Tuple

from qgis.core import QgsProject
from qgis.PyQt.QtCore import QCoreApplication

from ..engine import protocol
from .settings import load_setting, save_setting

NAME_LIMIT = 80
FOLDER_SETTING = "output_folder"


def known_folder(project: QgsProject, chosen: str) -> str:
    """Folder that would be used without asking: the chosen one, the project's, or the one chosen once; else empty."""
    if chosen:
        return chosen
    if project.fileName() and project.absolutePath():
        return project.absolutePath()
    remembered = load_setting(FOLDER_SETTING)
    return remembered if os.path.isdir(remembered) else ""


def output_folder(project: QgsProject, chosen: str, ask: Callable[[], str]) -> str:
    """Folder for results; ``ask`` lets the user choose one, remembered, where none is known.

    Raises Cancelled if the user chose none, OutputFailed if nothing can be written there.
    """
    folder = known_folder(project, chosen)
    if not folder:
        folder = ask()
        if not folder:
            raise protocol.Cancelled(tr("No folder was chosen; nothing was run."))
        save_setting(FOLDER_SETTING, folder)
    if not os.path.isdir(folder):
        raise protocol.OutputFailed(
            tr("The output folder '{folder}' does not exist; choose another under Output.").format(folder=folder)
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise protocol.OutputFailed(
            tr("The output folder '{folder}' cannot be written; choose another under Output.").format(folder=folder)
        )
    return folder


def free_names(folder: str, scene: str, hazard: str) -> Tuple[str, str]:
    """Paths of mask and probability that no file has yet: ``scene_flood.tif``, ``scene_flood_2.tif``, ..."""
    plain = re.sub(r"[^\w.-]+", "_", os.path.basename(scene)).strip("._")[:NAME_LIMIT] or "scene"
    stem = f"{plain}_{hazard}"
    number = 1
    while True:
        name = stem if number == 1 else f"{stem}_{number}"
        mask = os.path.join(folder, f"{name}.tif")
        probability = os.path.join(folder, f"{name}_probability.tif")
        if not os.path.lexists(mask) and not os.path.lexists(probability):
            return mask, probability
        number += 1


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("OutputFiles", text)
