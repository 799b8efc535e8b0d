"""Runs the commands of the engine's set-up: without a shell, in a clean environment, killed as a whole on cancel."""

import ast
import os
import queue
import signal
import subprocess  # nosec B404 - the commands are lists made here, never a shell
import threading
import time
from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping, Optional, Sequence

from ..engine import protocol

POLL_S = 0.2
LINE_LIMIT = 600
"""Longer lines are cut: pip's report of a full disk names every file it could not copy."""

REMOVED = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "PYTHONPLATLIBDIR", "PYTHONUSERBASE")
"""What would lead the new environment to the packages of QGIS or of the user."""

PIP_SETTINGS = (
    *("index-url", "extra-index-url", "no-index", "find-links", "proxy", "cert", "client-cert", "timeout"),
    *("default-timeout", "use-feature", "keyring-provider"),
)
"""What of pip's own settings is kept: where packages come from and how they are reached. Everything else is left out,
above all other places to install to and hosts exempt from the check of their certificates."""


WATCHED = """
import os, runpy, signal, sys, threading
inlet, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
os.dup2(nothing, 0)
os.close(nothing)
def watch():
    if not os.read(inlet, 1):
        if os.name == "posix":
            os.killpg(0, signal.SIGKILL)
        os._exit(1)
threading.Thread(target=watch, daemon=True).start()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
"""Runs a module as ``-m`` does, and ends with its children when standard input does, as it does when QGIS is gone.

Its children inherit no standard input: on Windows they would hang as they start, while this one waits to read from it.
"""


class CommandSilent(Exception):
    """A command gave no sign of life for too long and was ended."""


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    lines: List[str]

    @property
    def text(self) -> str:
        """All it said."""
        return "\n".join(self.lines)


def clean_environment(inherited: Mapping[str, str], tmp: str = "") -> Dict[str, str]:
    """Environment in which only the new environment's packages, and those it shares with QGIS, are found."""
    kept = {name: value for name, value in inherited.items() if name.upper() not in REMOVED and name[:4] != "PIP_"}
    kept.update(
        PIP_CONFIG_FILE=os.devnull,
        PIP_USER="0",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PIP_NO_INPUT="1",
        PYTHONNOUSERSITE="1",
        PYTHONUNBUFFERED="1",
        PYTHONIOENCODING="utf-8",
        PYTHONUTF8="1",
    )
    if os.name == "nt":
        kept["USE_PATH_FOR_GDAL_PYTHON"] = "YES"
    if tmp:
        kept.update(TMPDIR=tmp, TEMP=tmp, TMP=tmp)
    return kept


def pip_settings(listed: Sequence[str]) -> Dict[str, str]:
    """Variables for those of pip's settings that are kept, from the lines of ``pip config list``."""
    found: Dict[str, str] = {}
    order = {"global": 0, "install": 1, ":env:": 2}
    for line in sorted(listed, key=lambda line: order.get(line.split(".")[0], -1)):
        section, _, rest = line.partition(".")
        key, _, value = rest.partition("=")
        if section in order and key in PIP_SETTINGS:
            try:
                text = ast.literal_eval(value)
            except (ValueError, SyntaxError):
                continue
            found["PIP_" + key.upper().replace("-", "_")] = " ".join(str(text).split())
    return found


def run(
    command: Sequence[str],
    *,
    folder: str,
    tmp: str = "",
    variables: Optional[Mapping[str, str]] = None,
    is_cancelled: Callable[[], bool] = lambda: False,
    on_line: Optional[Callable[[str], None]] = None,
    on_tick: Optional[Callable[[], None]] = None,
    silence_s: float = 900,
) -> Ended:
    """Run a command to its end; output and errors come as one.

    Raises:
        Cancelled: when ``is_cancelled`` says so; the command and its children are ended first.
        CommandSilent: when it said nothing for ``silence_s``.
        OSError: when it cannot be started.
    """
    process = subprocess.Popen(  # nosec B603 - a list of arguments, no shell
        watched(command),
        cwd=folder,
        env={**clean_environment(os.environ, tmp), **(variables or {})},
        stdin=subprocess.PIPE,  # nothing is ever written: it ends when this process does
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=os.name != "nt",
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    said: "queue.SimpleQueue[Optional[str]]" = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process, said), daemon=True)
    reader.start()
    lines: List[str] = []
    last_sign = time.monotonic()
    try:
        while True:
            if is_cancelled():
                raise protocol.Cancelled("Cancelled.")
            try:
                line = said.get(timeout=POLL_S)
            except queue.Empty:
                if time.monotonic() - last_sign > silence_s:
                    raise CommandSilent(f"{silence_s:.0f}") from None
                if on_tick is not None:
                    on_tick()
                continue
            if line is None:
                break
            last_sign = time.monotonic()
            lines.append(line)
            if on_line is not None:
                on_line(line)
        return Ended(process.wait(), lines)
    finally:
        if process.poll() is None:
            kill(process)
        reader.join(5)
        if process.stdin is not None:
            process.stdin.close()


def watched(command: Sequence[str]) -> List[str]:
    """The same command, so that it does not outlive QGIS; commands other than ``PYTHON -m MODULE`` are short."""
    if command[1:2] == ["-m"]:
        return [command[0], "-c", WATCHED, *command[2:]]
    return list(command)


def _read(process: "subprocess.Popen[bytes]", said: "queue.SimpleQueue[Optional[str]]") -> None:
    if process.stdout is not None:
        with process.stdout:
            for raw in process.stdout:
                line = raw.decode("utf-8", "replace").rstrip()
                if line:
                    said.put(line[:LINE_LIMIT])
    said.put(None)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a command together with what it started."""
    if os.name == "nt":
        system = os.path.join(os.environ.get("SystemRoot", r"C:\Windows"), "System32", "taskkill.exe")
        subprocess.call(  # nosec B603
            [system, "/F", "/T", "/PID", str(process.pid)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    else:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
    process.wait(10)
