"""Where the engine's Python is: environment variable, the package's own environment, or the user's setting."""

import os
from dataclasses import dataclass

from qgis.PyQt.QtCore import QCoreApplication

from ..engine import protocol
from .settings import load_setting

PACKAGE_FOLDER = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


class EngineMissing(protocol.BadInput):
    """No interpreter that could run the engine is known."""


@dataclass(frozen=True)
class EngineLocation:
    """An interpreter and the folder from which it imports ``engine``."""

    python: str
    folder: str = PACKAGE_FOLDER


def find_engine() -> EngineLocation:
    """Return the engine to use; raise EngineMissing with the sentence that dock and algorithms show."""
    named = os.environ.get("HAZARD_ENGINE_PYTHON", "")
    if named:
        return checked(named, "HAZARD_ENGINE_PYTHON")
    if is_program(own_python()):
        return EngineLocation(own_python())
    chosen = load_setting("engine_python")
    if chosen:
        return checked(chosen, tr("Engine under Advanced"))
    raise EngineMissing(
        tr(
            "No engine was found; name the Python that has PyTorch in the dock under Advanced, Engine, "
            "or in the environment variable HAZARD_ENGINE_PYTHON."
        )
    )


def checked(path: str, source: str) -> EngineLocation:
    """Location of a named interpreter; raise EngineMissing if it is not a program."""
    if not is_program(path):
        raise EngineMissing(
            tr("{source} names '{path}', which is not a program; name the Python of the engine there.").format(
                source=source, path=path
            )
        )
    return EngineLocation(os.path.abspath(path))


def own_python() -> str:
    """Interpreter of the environment inside the package folder, there or not."""
    parts = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(PACKAGE_FOLDER, ".venv", *parts)


def is_program(path: str) -> bool:
    """Whether a file can be started."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("EngineLocation", text)
