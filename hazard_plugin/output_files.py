"""Where the dock writes: beside the project file, else in a folder the user chose once; names never overwrite."""

import os
import re
from typing import Callable, Dict

from qgis.core import QgsProject
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtWidgets import QFileDialog, QWidget

from ..engine import protocol
from .settings import load_setting, save_setting

NAME_LIMIT = 80
ENDINGS = {
    "OUTPUT": "",
    "PROBABILITY": "_probability",
    "MASK_BEFORE": "_not_adapted",
    "PROBABILITY_BEFORE": "_not_adapted_probability",
    "DIFFERENCE": "_change",
}
"""What the names of the algorithm's outputs end with."""
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


def ask_folder(parent: QWidget) -> str:
    """Folder that the user chooses; empty when none."""
    return str(QFileDialog.getExistingDirectory(parent, tr("Folder for masks (the project is not saved yet)")))


def free_names(folder: str, scene: str, hazard: str) -> Dict[str, str]:
    """Paths of all outputs that no file has yet: ``scene_flood.tif``, ``scene_flood_2.tif``, ..., and companions."""
    plain = re.sub(r"[^\w.-]+", "_", os.path.basename(scene)).strip("._")[:NAME_LIMIT] or "scene"
    stem = f"{plain}_{hazard}"
    number = 1
    while True:
        name = stem if number == 1 else f"{stem}_{number}"
        paths = {output: os.path.join(folder, f"{name}{ending}.tif") for output, ending in ENDINGS.items()}
        if not any(os.path.lexists(path) for path in paths.values()):
            return paths
        number += 1


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("OutputFiles", text)
