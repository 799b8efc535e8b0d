"""The engine's set-up as a state machine: its steps, what is written down of them, and how each can be taken up again.

A new environment is built beside the old one, proven, and moved into its place by renaming; the old one is kept until
the moved one holds as well. Scripts inside an environment name the folder in which they were made, so after the move
only ``python -m MODULE`` works; nothing else is ever run.
"""

import contextlib
import json
import os
import shutil
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from qgis.PyQt.QtCore import QLockFile

from ..engine import protocol
from .engine_location import ENGINE, PACKAGE_FOLDER, python_of
from .setup_bundle import checked_bundle
from .setup_commands import CommandSilent, Ended, pip_settings, run
from .setup_failures import SetupFailed, kind_of_error, recognise
from .setup_files import folder_bytes, hash_of, remove_tree
from .setup_plan import MB, OLDEST_PYTHON, SPARE_MB, Plan, size_text

VERSION = 1
STATE_FILE = "engine.json"
LOCK_FILE = "engine.lock"
NEW, OLD, DOWNLOADS, TEMPORARY = "engine.new", "engine.old", "downloads", "tmp"
"""Folders beside the environment; none of them outlives a set-up that came to its end."""

STEPS = ("check", "create", "torch", "rest", "prove", "swap", "confirm", "tidy")
SHARES = {"check": 0.01, "create": 0.04, "torch": 0.72, "rest": 0.08, "prove": 0.07, "swap": 0.01, "confirm": 0.06}
ONE_INDEX = {**SHARES, "torch": 0.0, "rest": 0.80}
"""How the bar is shared out, with and without PyTorch's own index."""
RESUMED = ("create", "torch", "rest")
"""Steps that need not be done again where the new environment of a set-up that was cut off is still there."""

DAMAGED = ("torch", "gdal", "proof", "numbers")
"""Failures of the proof after which the next try begins with a new environment; downloads are kept."""

RENAME_TRIES_S = 10.0
"""How long a folder in use, by a virus scanner for instance, is waited for."""

TAIL_LINES = 60

PROBE = """
import json, struct, sys
found = {"version": list(sys.version_info[:3]), "bits": 8 * struct.calcsize("P"), "missing": []}
for name in ("venv", "ensurepip"):
    try:
        __import__(name)
    except ImportError:
        found["missing"].append(name)
try:
    import numpy
    found["numpy"] = numpy.__version__
except ImportError:
    found["numpy"] = None
print(json.dumps(found))
"""

Progress = Callable[[str, float, str], None]
"""Told of the step, the share of the whole that is done (-1: as before), and a line that a command said."""


class EngineSetup:
    """One engine in one folder.

    Args:
        root: folder that holds everything.
        proof: arguments of the interpreter that prove an environment, without the device.
        before_swap: called when the old environment is about to be moved; lets go of a worker that uses it.
    """

    def __init__(
        self,
        root: str,
        proof: Sequence[str] = ("-m", "engine.prove", "--device"),
        before_swap: Callable[[], None] = lambda: None,
    ) -> None:
        self.root = root
        self.lines: List[str] = []
        self._proof = list(proof)
        self._before_swap = before_swap
        self._is_cancelled: Callable[[], bool] = lambda: False
        self._progress: Progress = lambda step, share, text: None
        self._step = ""
        self._shares = SHARES
        self._plan: Optional[Plan] = None

    def path(self, name: str) -> str:
        """Path of something in the engine's folder."""
        return os.path.join(self.root, name)

    @property
    def python(self) -> str:
        """Interpreter of the environment in place, there or not."""
        return python_of(self.path(ENGINE))

    def state(self) -> Dict[str, Any]:
        """What is written down; an empty state where nothing, or nothing readable, is."""
        try:
            with open(self.path(STATE_FILE), encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError):
            found = None
        state = {"version": VERSION, "state": "empty", "step": "", "done": [], "installed": None, "failure": None}
        if isinstance(found, dict) and found.get("version") == VERSION and isinstance(found.get("done", []), list):
            state.update(found)
        return state

    # What can be asked for

    def install(self, plan: Plan, progress: Progress, is_cancelled: Callable[[], bool]) -> Any:
        """Set the engine up, going on where an earlier try with the same plan stopped.

        Returns what was found by the proof. Raises SetupFailed or Cancelled; the engine in place is as it was then.
        """
        self._shares = ONE_INDEX if plan.index is None else SHARES
        self._plan = plan
        with self._locked(progress, is_cancelled):
            self.recover()
            state = self.state()
            done = state["done"] if state.get("plan") == plan.fingerprint() else []
            done = [step for step in done if step in RESUMED] if os.path.exists(python_of(self.path(NEW))) else []
            if not done:
                remove_tree(self.path(NEW))
            state.update(state="working", done=done, plan=plan.fingerprint(), failure=None)
            proof: Dict[str, Any] = {}
            with self._noting_failure(state):
                for step in STEPS:
                    if step != "tidy" and is_cancelled():  # too late then: the new engine is in place and proven
                        raise protocol.Cancelled("Cancelled.")
                    self._begin(step, state)
                    if step not in done:
                        proof = getattr(self, f"_{step}")(plan, state) or proof
                        state["done"].append(step)
            state.update(state="ready", step="", done=[], plan="")
            self._write(state)
            progress("", 1.0, "")
            return proof

    def prove(self, python: str, device: str, progress: Progress, is_cancelled: Callable[[], bool]) -> Dict[str, Any]:
        """Prove an interpreter, the own or another one, and return what was found; raises SetupFailed or Cancelled."""
        self._progress, self._is_cancelled, self._step = progress, is_cancelled, "prove"
        self.lines = []
        progress("prove", 0.0, "")
        return self._run_proof(python, device)

    def remove(self, progress: Progress, is_cancelled: Callable[[], bool]) -> None:
        """Take the engine and all that belongs to it away; raises SetupFailed."""
        with self._locked(progress, is_cancelled):
            self._before_swap()
            try:
                if os.path.isdir(self.path(ENGINE)):
                    # Renamed first: either all of it is there or none, whatever happens while it is deleted.
                    remove_tree(self.path(OLD))
                    self._rename(ENGINE, OLD)
                for name in (NEW, OLD, DOWNLOADS, TEMPORARY, STATE_FILE):
                    remove_tree(self.path(name))
            except OSError as error:
                raise self._failed(error) from None

    def mend(self) -> None:
        """Put the old environment back where a swap was cut off; raises SetupFailed where another QGIS is at it."""
        if os.path.isdir(self.path(OLD)):
            with self._locked(self._progress, self._is_cancelled):
                self.recover()

    def changed(self) -> Optional[str]:
        """How what is installed differs from what was written down, as a hash of its list; None if it does not."""
        installed = self.state().get("installed") or {}
        found = hash_of(self._freeze(self.python))
        return None if found == installed.get("sha256") else found

    def recover(self) -> None:
        """Undo a swap that was cut off: the old environment goes back into its place."""
        if os.path.isdir(self.path(OLD)):
            if os.path.isdir(self.path(ENGINE)):
                state = self.state()
                if state["state"] != "ready" and "confirm" not in state["done"]:
                    remove_tree(self.path(NEW))
                    self._rename(ENGINE, NEW)
                    self._rename(OLD, ENGINE)
                else:
                    remove_tree(self.path(OLD))
            else:
                self._rename(OLD, ENGINE)

    # The steps

    def _check(self, plan: Plan, state: Dict[str, Any]) -> None:
        if not plan.python:
            raise SetupFailed("no_python")
        found = self._probe(plan.python)
        if tuple(found["version"][:2]) < OLDEST_PYTHON:
            raise SetupFailed("python_old", version=".".join(str(part) for part in found["version"]))
        if found["bits"] < 64:
            raise SetupFailed("python_32")
        if found["missing"]:
            raise SetupFailed("no_venv", "No module named " + " ".join(found["missing"]))
        state["numpy"], state["python_version"] = found["numpy"], ".".join(str(part) for part in found["version"])
        if plan.wheels:
            checked_bundle(plan.wheels, plan.build.name, found["version"], self._is_cancelled)
        if shutil.disk_usage(self.root).free < self._missing_bytes():
            raise SetupFailed("disk_full", needed=size_text(self._missing_bytes() / MB), folder=self.root)

    def _probe(self, python: str) -> Dict[str, Any]:
        try:
            ended = run([python, "-c", PROBE], folder=self.root, is_cancelled=self._is_cancelled, silence_s=60)
            found: Dict[str, Any] = json.loads(ended.lines[-1])
        except (OSError, ValueError, IndexError, CommandSilent) as error:
            raise SetupFailed("python_broken", str(error), path=python) from None
        return found

    def _create(self, plan: Plan, state: Dict[str, Any]) -> None:
        new = self.path(NEW)
        remove_tree(new)
        self._run([plan.python, "-m", "venv", "--system-site-packages", "--without-pip", new])
        self._run([python_of(new), "-m", "ensurepip", "--default-pip"])

    def _torch(self, plan: Plan, state: Dict[str, Any]) -> None:
        if plan.index is not None and not plan.wheels:
            self._pip(plan, state, [*plan.torch_requirements(), "--index-url", plan.index], plan.build.disk_mb)

    def _rest(self, plan: Plan, state: Dict[str, Any]) -> None:
        offline = ["--no-index", "--find-links", plan.wheels] if plan.wheels else []
        self._pip(plan, state, [*plan.requirements, *offline], plan.build.disk_mb)
        if plan.optional and plan.build.device == "cpu":
            with contextlib.suppress(SetupFailed):  # the engine is whole without them
                self._pip(plan, state, [*plan.optional, *offline], plan.build.disk_mb)
        state["freeze"] = self._freeze(python_of(self.path(NEW)))

    def _prove(self, plan: Plan, state: Dict[str, Any]) -> Dict[str, Any]:
        return self._run_proof(python_of(self.path(NEW)), plan.build.device)

    def _swap(self, plan: Plan, state: Dict[str, Any]) -> None:
        self._before_swap()
        remove_tree(self.path(OLD))
        if os.path.isdir(self.path(ENGINE)):
            self._rename(ENGINE, OLD)
        try:
            self._rename(NEW, ENGINE)
        except OSError:
            if os.path.isdir(self.path(OLD)):
                self._rename(OLD, ENGINE)
            raise

    def _confirm(self, plan: Plan, state: Dict[str, Any]) -> Dict[str, Any]:
        try:
            proof = self._run_proof(self.python, plan.build.device)
        except (SetupFailed, protocol.Cancelled):
            state["done"].remove("swap")
            self._rename(ENGINE, NEW)
            if os.path.isdir(self.path(OLD)):
                self._rename(OLD, ENGINE)
            raise
        freeze = state.pop("freeze", None) or self._freeze(self.python)
        state["installed"] = {
            "build": plan.build.name,
            "device": plan.build.device,
            "requirements": list(plan.requirements),
            "base_python": plan.python,
            "python_version": state.pop("python_version", None),
            "numpy": state.pop("numpy", None),
            "from_folder": bool(plan.wheels),
            "freeze": freeze,
            "sha256": hash_of(freeze),
            "proof": proof,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        return proof

    def _tidy(self, plan: Plan, state: Dict[str, Any]) -> None:
        for name in (OLD, DOWNLOADS, TEMPORARY):
            with contextlib.suppress(OSError):  # what stays is taken away by the next set-up
                remove_tree(self.path(name))

    def _pip(self, plan: Plan, state: Dict[str, Any], arguments: Sequence[str], disk_mb: int) -> None:
        os.makedirs(self.path(DOWNLOADS), exist_ok=True)
        os.makedirs(self.path(TEMPORARY), exist_ok=True)
        constraints = self.path(os.path.join(TEMPORARY, "constraints.txt"))
        with open(constraints, "w", encoding="utf-8") as file:
            # GDAL is built for the numpy that QGIS has: nothing may bring another one.
            file.write(f"numpy=={state['numpy']}\n" if state.get("numpy") else "")
        new = self.path(NEW)
        options = ["--only-binary", ":all:", "--no-warn-script-location", "--progress-bar", "off"]
        options += ["--cache-dir", self.path(DOWNLOADS), "--retries", "3", "--timeout", "30", "-c", constraints]
        wanted = (0 if plan.wheels else plan.build.download_mb) + disk_mb
        began = [time.monotonic()]

        def tick() -> None:
            if time.monotonic() - began[0] > 2:
                arrived = folder_bytes(self.path(TEMPORARY)) + folder_bytes(new)
                began[0] = time.monotonic()
                self._tell(min(0.98, arrived / MB / max(wanted, 1)), "")

        command = [python_of(new), "-m", "pip"]
        inherited = {name: value for name, value in os.environ.items() if name[:4] == "PIP_"}
        listed = self._run([*command, "config", "list"], variables={"PIP_CONFIG_FILE": "", **inherited}, quiet=True)
        self._run([*command, "install", *options, *arguments], tick, pip_settings(listed.lines))

    def _freeze(self, python: str) -> List[str]:
        ended = self._run([python, "-m", "pip", "freeze", "--local", "--all"], quiet=True)
        return sorted(line for line in ended.lines if "==" in line or " @ " in line)

    def _run_proof(self, python: str, device: str) -> Dict[str, Any]:
        try:
            ended = run(
                [python, *self._proof, device],
                folder=PACKAGE_FOLDER,
                is_cancelled=self._is_cancelled,
                on_line=self._hear,
                silence_s=300,
            )
        except CommandSilent as error:
            raise SetupFailed("silent", str(error)) from None
        except OSError as error:
            raise SetupFailed("python_broken", str(error), path=python) from None
        try:
            found = json.loads(ended.lines[-1])
        except (ValueError, IndexError):
            found = None
        if ended.code == 0 and isinstance(found, dict) and found.get("ok"):
            return found
        kind, detail = "proof", ended.text or f"exit code {ended.code}"
        if isinstance(found, dict):
            kind, detail = str(found.get("kind")), str(found.get("message"))
            if kind == "device":
                kind = "driver_old" if recognise(detail) == "driver_old" else "gpu"
        raise SetupFailed(kind if kind in ("gdal", "torch", "gpu", "driver_old", "numbers") else "proof", detail)

    def _run(
        self,
        command: Sequence[str],
        tick: Optional[Callable[[], None]] = None,
        variables: Optional[Dict[str, str]] = None,
        quiet: bool = False,
    ) -> Ended:
        tmp = self.path(TEMPORARY)
        os.makedirs(tmp, exist_ok=True)
        try:
            ended = run(
                command,
                folder=self.root,
                tmp=tmp,
                variables=variables,
                is_cancelled=self._is_cancelled,
                on_line=None if quiet else self._hear,
                on_tick=tick,
            )
        except CommandSilent as error:
            raise SetupFailed("silent", str(error)) from None
        if ended.code != 0:
            kind = recognise(ended.text, {**os.environ, **(variables or {})}) or "unknown"
            raise SetupFailed(kind, ended.text, folder=self.root, needed=size_text(self._missing_bytes() / MB))
        return ended

    def _hear(self, line: str) -> None:
        self.lines.append(line)
        self._tell(None, line)

    # Telling and writing down

    def _begin(self, step: str, state: Dict[str, Any]) -> None:
        self._step = step
        state["step"] = step
        self._write(state)
        self._tell(0.0, "")

    def _tell(self, share: Optional[float], text: str) -> None:
        earlier = STEPS[: STEPS.index(self._step)] if self._step in STEPS else ()
        before = sum(self._shares.get(step, 0.0) for step in earlier)
        whole = -1.0 if share is None else before + share * self._shares.get(self._step, 0.0)
        self._progress(self._step, whole, text)

    def _write(self, state: Dict[str, Any]) -> None:
        partial = self.path(STATE_FILE + ".partial")
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(state, file, indent=1)
        os.replace(partial, self.path(STATE_FILE))

    @contextlib.contextmanager
    def _noting_failure(self, state: Dict[str, Any]) -> Iterator[None]:
        try:
            yield
        except protocol.Cancelled:
            state["state"] = "cancelled"
            self._note(state)
            raise
        except SetupFailed as error:
            state.update(state="failed", failure=self._told(error))
            if error.kind in DAMAGED:
                state["done"] = []
            self._note(state)
            raise
        except OSError as error:
            failed = self._failed(error)
            state.update(state="failed", failure=self._told(failed))
            self._note(state)
            raise failed from None

    def _note(self, state: Dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # a full disk is told of all the same
            self._write(state)

    def _told(self, error: SetupFailed) -> Dict[str, Any]:
        return {"kind": error.kind, "step": self._step, "sentence": str(error), "tail": self.lines[-TAIL_LINES:]}

    def _failed(self, error: OSError) -> SetupFailed:
        needed = size_text(self._missing_bytes() / MB)
        return SetupFailed(kind_of_error(error), str(error), folder=self.root, needed=needed)

    def _missing_bytes(self) -> int:
        """Space that has to be free for what is still to be done."""
        if self._plan is None:
            return SPARE_MB * MB
        there = folder_bytes(self.path(NEW)) + folder_bytes(self.path(DOWNLOADS))
        return max(self._plan.needed_bytes() - there, SPARE_MB * MB)

    @contextlib.contextmanager
    def _locked(self, progress: Progress, is_cancelled: Callable[[], bool]) -> Iterator[None]:
        self._progress, self._is_cancelled, self._step, self.lines = progress, is_cancelled, "", []
        try:
            os.makedirs(self.root, exist_ok=True)
        except OSError as error:
            raise self._failed(error) from None
        lock = QLockFile(self.path(LOCK_FILE))
        lock.setStaleLockTime(0)  # stale only if its process is gone
        if not lock.tryLock(0):
            if lock.error() == QLockFile.LockError.LockFailedError:
                _, pid, host, _ = lock.getLockInfo()
                raise SetupFailed("locked", pid=str(pid), host=host)
            raise SetupFailed("read_only", "the lock cannot be written", folder=self.root)
        try:
            yield
        finally:
            lock.unlock()

    def _rename(self, source: str, target: str) -> None:
        end = time.monotonic() + RENAME_TRIES_S
        while True:
            try:
                os.rename(self.path(source), self.path(target))
                return
            except PermissionError:
                if os.name != "nt" or time.monotonic() > end:
                    raise
                time.sleep(0.5)
