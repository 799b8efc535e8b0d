"""Where the engine's Python is: environment variable, the package's environment, the user's setting or the set-up's."""

import os
from dataclasses import dataclass, replace
from typing import Tuple

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication

from ..engine import protocol
from .settings import load_setting, worker_variables

PACKAGE_FOLDER = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

ENGINE = "engine"
"""Folder of the environment that the set-up makes, within the engine's folder."""


class EngineMissing(protocol.BadInput):
    """No interpreter that could run the engine is known."""


@dataclass(frozen=True)
class EngineLocation:
    """An interpreter, the folder from which it imports ``engine``, and variables that its environment lacks."""

    python: str
    folder: str = PACKAGE_FOLDER
    variables: Tuple[Tuple[str, str], ...] = ()


def find_engine() -> EngineLocation:
    """Return the engine to use; raise EngineMissing with the sentence that dock and algorithms show."""
    return replace(find_python(), variables=tuple(worker_variables().items()))


def find_python() -> EngineLocation:
    """Return where the engine's Python is."""
    named = os.environ.get("HAZARD_ENGINE_PYTHON", "")
    if named:
        return checked(named, "HAZARD_ENGINE_PYTHON")
    if is_program(own_python()):
        return EngineLocation(own_python())
    chosen = load_setting("engine_python")
    if chosen:
        return checked(chosen, tr("Engine under Advanced"))
    installed = os.path.join(engine_root(), ENGINE)
    if is_program(python_of(installed)):
        return EngineLocation(python_of(installed))
    if os.path.isdir(installed):
        raise EngineMissing(
            tr("The engine no longer starts, because the Python it was made from is gone; set it up again.")
        )
    raise EngineMissing(
        tr(
            "No engine is installed; press Set up engine, or name a Python that has PyTorch under Advanced, Engine, "
            "or in the environment variable HAZARD_ENGINE_PYTHON."
        )
    )


def engine_root() -> str:
    """Folder that the engine is set up in: in the user's profile, unless another one was chosen."""
    profile = os.path.join(QgsApplication.qgisSettingsDirPath(), "hazard_mapper")
    return os.path.abspath(load_setting("engine_folder") or profile)


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
    return python_of(os.path.join(PACKAGE_FOLDER, ".venv"))


def python_of(environment: str) -> str:
    """Interpreter of a virtual environment, there or not."""
    parts = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(environment, *parts)


def is_program(path: str) -> bool:
    """Whether a file can be started."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("EngineLocation", text)
