"""What is remembered between sessions (QgsSettings) and with a project (its custom entries)."""

from typing import Any, Dict

from qgis.core import QgsProject, QgsSettings

SCOPE = "hazardmapper"


def load_setting(name: str, default: str = "") -> str:
    """Text last saved under this name, else ``default``."""
    return str(QgsSettings().value(f"{SCOPE}/{name}", default) or default)


def save_setting(name: str, value: str) -> None:
    """Remember a text for this user."""
    QgsSettings().setValue(f"{SCOPE}/{name}", value)


def load_choices(project: QgsProject) -> Dict[str, str]:
    """Choices of the dock: the project's where it has them, else the last used ones."""
    choices = {}
    for name in CHOICES:
        value, found = project.readEntry(SCOPE, name, "")
        choices[name] = value if found else load_setting(f"last/{name}")
    return choices


def save_choices(project: QgsProject, choices: Dict[str, Any]) -> None:
    """Remember the dock's choices with the project and as last used; leaves an unchanged project unmarked."""
    for name in CHOICES:
        value = str(choices.get(name) or "")
        if project.readEntry(SCOPE, name, "")[0] != value:
            project.writeEntry(SCOPE, name, value)
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
)
PROJECT_ONLY = ("polygons", "folder", "layer_bands")
"""Choices that mean nothing in another project."""
