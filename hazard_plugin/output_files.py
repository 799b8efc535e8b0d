"""Where the dock writes: beside the project file, else in a folder the user chose once; names never overwrite."""

import os
import re
import time
from dataclasses import dataclass
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
RESERVED_S = 86_400.0
"""Seconds for which names are reserved; a program that crashed reserves them no longer than that."""


@dataclass(frozen=True)
class ReservedNames:
    """Paths of all outputs, which no other QGIS takes until they are released; ``mark`` is a hidden file."""

    paths: Dict[str, str]
    mark: str = ""

    def release(self) -> None:
        """Let others have the names that no file has got."""
        if self.mark:
            remove_mark(self.mark)


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
        if not is_reserved(mark_of(paths)) and not any(os.path.lexists(path) for path in paths.values()):
            return paths
        number += 1


def reserve_names(folder: str, scene: str, hazard: str) -> ReservedNames:
    """Free names that are reserved, also against other QGIS on a shared drive; a run under way has no file yet."""
    while True:
        names = ReservedNames(free_names(folder, scene, hazard))
        mark = mark_of(names.paths)
        try:
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            if is_reserved(mark) or remove_mark(mark):
                continue
            return names
        except OSError:  # the run will say why nothing can be written there
            return names
        if not any(os.path.lexists(path) for path in names.paths.values()):
            return ReservedNames(names.paths, mark)
        remove_mark(mark)


def mark_of(paths: Dict[str, str]) -> str:
    """Hidden file that says that these names are taken."""
    folder, name = os.path.split(paths["OUTPUT"])
    return os.path.join(folder, f".{name}.reserved")


def is_reserved(mark: str) -> bool:
    """Whether a mark is there and no older than a run may take."""
    try:
        return time.time() - os.stat(mark).st_mtime < RESERVED_S
    except OSError:
        return False


def remove_mark(mark: str) -> bool:
    """Remove a mark; whether it is gone."""
    try:
        os.remove(mark)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("OutputFiles", text)
