"""What is remembered between sessions (QgsSettings) and with a project (its custom entries)."""

import json
import os
from typing import Any, Dict

from qgis.core import QgsProject, QgsSettings

SCOPE = "hazardmapper"
OWN_FOLDERS = "chosen_folders"
MOST_FOLDERS = 50


def load_setting(name: str, default: str = "") -> str:
    """Text last saved under this name, else ``default``."""
    return str(QgsSettings().value(f"{SCOPE}/{name}", default) or default)


def save_setting(name: str, value: str) -> None:
    """Remember a text for this user."""
    QgsSettings().setValue(f"{SCOPE}/{name}", value)


def load_choices(project: QgsProject) -> Dict[str, str]:
    """Choices of the dock: the project's where it has them, else those of the options, else the last used ones."""
    choices = {}
    for name in CHOICES:
        value, found = project.readEntry(SCOPE, name, "")
        if name == "folder" and not is_own_folder(project, value):
            value = ""  # whoever made the project does not decide where files are written
        choices[name] = value if found else starting_choice(name)
    return choices


def starting_choice(name: str) -> str:
    """What a project without choices of its own starts with."""
    last = load_setting(f"last/{name}")
    if name == "adaptation":
        return with_budget(last, load_setting("start/budget_s"))
    return load_setting(f"start/{name}") or last


def with_budget(adaptation: str, budget_s: str) -> str:
    """The stored choices of an adaptation with a time of its own, if one is given."""
    if not budget_s.isdigit():
        return adaptation
    try:
        stored = json.loads(adaptation or "{}")
    except ValueError:
        stored = {}
    return json.dumps({**(stored if isinstance(stored, dict) else {}), "budget_s": int(budget_s)})


def worker_variables() -> Dict[str, str]:
    """Environment of the worker that the options ask for; what QGIS was started with goes first."""
    minutes = load_setting("idle_minutes")
    wanted = {
        "HAZARD_MODELS": load_setting("models_folder"),
        "HAZARD_WORKER_IDLE_S": str(60 * int(minutes)) if minutes.isdigit() else "",
    }
    return {name: value for name, value in wanted.items() if value}


def is_own_folder(project: QgsProject, folder: str) -> bool:
    """Whether this user chose a folder before, or it lies with the project file."""
    if not folder:
        return True
    wanted, home = as_one(folder), as_one(project.absolutePath() if project.fileName() else "")
    with_project = bool(home) and (wanted + os.sep).startswith(home.rstrip(os.sep) + os.sep)
    return with_project or wanted in load_setting(OWN_FOLDERS).split("\n")


def remember_folder(folder: str) -> None:
    """Note that this user chose a folder."""
    known = [one for one in load_setting(OWN_FOLDERS).split("\n") if one]
    if folder and as_one(folder) not in known:
        save_setting(OWN_FOLDERS, "\n".join([as_one(folder), *known][:MOST_FOLDERS]))


def as_one(folder: str) -> str:
    """One spelling of a folder."""
    return os.path.normcase(os.path.abspath(folder)) if folder else ""


def save_choices(project: QgsProject, choices: Dict[str, Any]) -> None:
    """Remember the dock's choices with the project and as last used; leaves an unchanged project unmarked."""
    for name in CHOICES:
        value = str(choices.get(name) or "")
        if project.readEntry(SCOPE, name, "")[0] != value:
            project.writeEntry(SCOPE, name, value)
        if name == "folder":
            remember_folder(value)
        if name not in PROJECT_ONLY:
            save_setting(f"last/{name}", value)


CHOICES = (
    "hazard",
    "model",
    "area",
    "polygons",
    "adapt",
    "adaptation",
    "threshold",
    "folder",
    "probability",
    "device",
    "layer_bands",
    "before",
)
PROJECT_ONLY = ("polygons", "folder", "layer_bands", "before")
"""Choices that mean nothing in another project."""
