"""Icons: drawn in middle tones that stand out from light and dark themes alike, and as vectors for any resolution."""

import os

from qgis.PyQt.QtGui import QIcon

from .engine_location import PACKAGE_FOLDER

FOLDER = os.path.join(PACKAGE_FOLDER, "resources", "icons")
PLUGIN = "hazardmapper"

ALGORITHMS = {
    "segmenthazard": "segment",
    "archive": "archive",
    "adapttoscene": "adapt",
    "evaluatemask": "evaluate",
    "pretrainmodel": "train",
    "trainhazard": "train",
    "hazardpolygons": "polygons",
    "applythreshold": "threshold",
    "correctmask": "correct",
    "refinemask": "refine",
    "comparemasks": "change",
    "monitoringseries": "series",
    "exposure": "exposure",
    "mapsheet": "sheet",
    "hazardreport": "report",
    "emergencypackage": "package",
    "runagain": "again",
}
"""Icon of each algorithm; another one has the plugin's."""


def icon_file(name: str = PLUGIN) -> str:
    """Path of an icon."""
    return os.path.join(FOLDER, f"{name}.svg")


def icon(name: str = PLUGIN) -> QIcon:
    """An icon of the plugin."""
    return QIcon(icon_file(name))


def algorithm_icon_file(algorithm: str) -> str:
    """Path of the icon of an algorithm."""
    return icon_file(ALGORITHMS.get(algorithm, PLUGIN))
