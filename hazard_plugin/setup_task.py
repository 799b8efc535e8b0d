"""Runs a piece of the engine's set-up as a QGIS task, with progress and cancel, beside everything else."""

import os
import shutil
from typing import Any, Callable, List, Optional

from qgis.core import QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from ..engine import protocol
from .engine_setup import Progress
from .setup_commands import CommandSilent, run
from .setup_failures import SetupFailed, kind_of_error
from .setup_plan import GPU_QUERY, OLD_GPU_QUERY, Gpu, parse_gpus

Work = Callable[[Progress, Callable[[], bool]], Any]


class SetupTask(QgsTask):
    """One piece of work; ``ended`` is emitted once, on the main thread, with a result or an error."""

    told = pyqtSignal(str, float, str)
    ended = pyqtSignal(object, object)

    def __init__(self, title: str, work: Work) -> None:
        super().__init__(title)
        self._work = work
        self._result: Any = None
        self._error: Optional[protocol.HazardError] = None

    def run(self) -> bool:
        """Do the work on a thread of the task manager."""
        try:
            self._result = self._work(self._tell, self.isCanceled)
        except protocol.HazardError as error:
            self._error = error
        except OSError as error:
            self._error = SetupFailed(kind_of_error(error), str(error), folder=error.filename or "")
        return self._error is None

    def finished(self, successful: bool) -> None:
        """Tell how it went; a task that was cancelled before it began has done nothing."""
        if not successful and self._error is None:
            self._error = protocol.Cancelled("Cancelled.")
        self.ended.emit(self._result, self._error)

    def _tell(self, step: str, share: float, text: str) -> None:
        if share >= 0:
            self.setProgress(100 * share)
        self.told.emit(step, share, text)


def find_gpus(progress: Progress, is_cancelled: Callable[[], bool]) -> List[Gpu]:
    """Ask the NVIDIA driver, if there is one, for its GPUs."""
    program = shutil.which("nvidia-smi") or usual_place()
    if not program:
        return []
    for query in (GPU_QUERY, OLD_GPU_QUERY):
        try:
            command = [program, *query[1:]]
            ended = run(command, folder=os.path.dirname(program), is_cancelled=is_cancelled, silence_s=20)
        except (OSError, CommandSilent):
            return []
        gpus = parse_gpus(ended.text)
        if ended.code == 0 and gpus:
            return gpus
    return []


def usual_place() -> str:
    """Where older drivers for Windows put nvidia-smi, which is not on the path."""
    path = os.path.join(os.environ.get("ProgramFiles", ""), "NVIDIA Corporation", "NVSMI", "nvidia-smi.exe")
    return path if os.name == "nt" and os.path.isfile(path) else ""
