"""Owns the worker process: starts, feeds, watches and ends it, on a thread of its own (the only QProcess)."""

import collections
import json
import os
from dataclasses import dataclass
from typing import Any, Callable, Deque, Dict, List, Optional

from qgis.PyQt.QtCore import QObject, QProcess, QProcessEnvironment, QThread, QTimer, pyqtSignal, pyqtSlot

from ..engine import protocol
from .awake_clock import AwakeClock
from .engine_location import EngineLocation
from .messages import WARNING, log
from .settings import load_setting

WATCH_MS = 100
KILL_MS = 1500
OUTPUT_FIELDS = ("mask", "probability", "out", "errors", "table", "to", "polygons", "markdown")
"""Fields of jobs that name files to be written."""
LINE_LIMIT = 16 * 1024 * 1024
TAIL_LINES = 40
LEAVING = 2.5
"""How many times longer a cancelled job has to obey where it leaves what it has finished, to be kept."""
ATTEMPTS = 2
"""How often a job is sent that was still waiting when the worker died of another one."""


class EngineFailed(protocol.HazardError):
    """The engine, not the request, is at fault: it could not start, died, or broke the protocol."""


@dataclass
class Request:
    """A job on its way: what to send, and whom to tell."""

    id: str
    kind: str
    job: Any
    deliver: Callable[[Dict[str, Any]], None]
    sent: bool = False
    started: bool = False
    finish: bool = False
    attempts: int = 0
    cancel_by: Optional[float] = None


class WorkerOwner(QObject):
    """Talks to one worker process; every method runs on the thread this object was moved to."""

    hello = pyqtSignal(dict)

    def __init__(
        self, startup_timeout_s: float, cancel_grace_s: float, silence_timeout_s: float, stop_grace_s: float
    ) -> None:
        super().__init__()
        self._startup_timeout_s = startup_timeout_s
        self._cancel_grace_s = cancel_grace_s
        self._silence_timeout_s = silence_timeout_s
        self._stop_grace_s = stop_grace_s
        self._pending: Dict[str, Request] = {}
        self._process: Optional[QProcess] = None
        self._wanted: Optional[EngineLocation] = None
        self._running: Optional[EngineLocation] = None
        self._ready = False
        self._buffer = b""
        self._tail: Deque[str] = collections.deque(maxlen=TAIL_LINES)
        self._clock = AwakeClock()
        self._last_sign = 0.0
        self._let_go: Dict[str, float] = {}
        self._watch: Optional[QTimer] = None

    @pyqtSlot(object, object)
    def post(self, request: Request, location: EngineLocation) -> None:
        """Take a job, starting the worker if none runs."""
        if self._process is not None and location != self._running and not self._pending:
            self._drop()
        if not self._pending:
            self._last_sign = self._clock.now()
        self._pending[request.id] = request
        self._wanted = location
        if self._process is None:
            self._start()
        elif self._ready:
            self._send_waiting()

    @pyqtSlot(object)
    def cancel(self, request: Request) -> None:
        """Ask the worker to stop a job; it is ended by force if it does not obey within the grace time."""
        if request.id not in self._pending:
            return
        if request.sent:
            self._write(protocol.cancel_message(request.id))
        leaves = getattr(request.job, "preview", None)
        cancel_by = self._clock.now() + self._cancel_grace_s * (LEAVING if leaves else 1)
        if request.started and request.kind not in protocol.QUICK_JOBS:
            request.cancel_by = cancel_by
            return
        # A question, or still waiting behind another job: nothing has to be awaited, and that job must not suffer.
        if request.started:
            self._let_go[request.id] = cancel_by
        self._end(request, {"type": "cancelled"})

    @pyqtSlot(object)
    def finish(self, request: Request) -> None:
        """Ask the worker to end an adaptation early and keep the best so far."""
        if request.kind == "adapt" and request.id in self._pending and not request.finish:
            request.finish = True
            if request.sent:
                self._write(protocol.finish_message(request.id))

    @pyqtSlot(object)
    def release(self, answer: Any) -> None:
        """Let go of an idle process, so that its environment can be moved; answers whether none is left."""
        if not self._pending:
            self._drop()
        answer.put(not self._pending)

    @pyqtSlot()
    def stop(self) -> None:
        """End the worker and this thread; whatever is pending ends as cancelled."""
        if self._process is not None and self._ready:
            self._write(protocol.shutdown_message())
            self._process.closeWriteChannel()
            self._process.blockSignals(True)
            self._process.waitForFinished(round(1000 * self._stop_grace_s))
        self._drop()
        for request in list(self._pending.values()):
            self._clean(request)
            self._end(request, {"type": "cancelled"})
        if self._watch is not None:
            self._watch.stop()
        QThread.currentThread().quit()

    def _start(self) -> None:
        if self._wanted is None:
            return
        if self._watch is None:
            self._watch = QTimer(self)
            self._watch.timeout.connect(self._look)
        self._watch.start(WATCH_MS)
        self._ready = False
        self._buffer = b""
        self._tail.clear()
        self._let_go.clear()
        self._last_sign = self._clock.now()
        self._running = self._wanted
        process = QProcess(self)
        environment = clean_environment(QProcessEnvironment.systemEnvironment())
        for name, value in self._running.variables:
            if not environment.value(name):
                environment.insert(name, value)
        process.setProcessEnvironment(environment)
        process.setWorkingDirectory(self._running.folder)
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read_errors)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._process = process
        process.start(self._running.python, ["-m", "engine", "worker"])

    def _write(self, message: Dict[str, Any]) -> None:
        if self._process is not None:
            self._process.write(json.dumps(message).encode("utf-8") + b"\n")

    def _send_waiting(self) -> None:
        for request in self._pending.values():
            if not request.sent:
                request.sent = True
                request.attempts += 1
                self._write(protocol.job_message(request.id, request.kind, request.job))
                if request.finish:
                    self._write(protocol.finish_message(request.id))

    @pyqtSlot()
    def _read(self) -> None:
        if self._process is None:
            return
        self._last_sign = self._clock.now()
        *lines, self._buffer = (self._buffer + bytes(self._process.readAllStandardOutput())).split(b"\n")
        if len(self._buffer) > LINE_LIMIT:
            lines.append(self._buffer)
        for line in lines:
            event = parse_event(line)
            if event is None:
                self._tail.append(line[:300].decode("utf-8", "replace"))
                self._fail(self.tr("The engine sent something that is not an answer and was stopped; run again."))
                return
            self._handle(event)
            if self._process is None:
                return

    def _handle(self, event: Dict[str, Any]) -> None:
        if event["type"] == "hello":
            self._greet(event)
            return
        if event["type"] == "log" and event.get("level") == "warning":
            log(str(event.get("text", "")), WARNING)
        elif event["type"] == "log":
            log(str(event.get("text", "")))
        if event["type"] in protocol.ENDINGS:
            self._let_go.pop(str(event.get("id")), None)
        request = self._pending.get(str(event.get("id")))
        if request is None:
            return
        request.started = True
        if event["type"] in protocol.ENDINGS:
            self._end(request, event)
        elif request.cancel_by is None:
            request.deliver(event)

    def _greet(self, event: Dict[str, Any]) -> None:
        if event.get("protocol") != protocol.PROTOCOL_VERSION:
            self._fail(
                self.tr(
                    "The engine speaks protocol {theirs}, this plugin speaks {ours}; install plugin and engine of the "
                    "same version and restart QGIS."
                ).format(theirs=event.get("protocol"), ours=protocol.PROTOCOL_VERSION),
                all_pending=True,
            )
            return
        self._ready = True
        self.hello.emit(event)
        self._send_waiting()

    @pyqtSlot()
    def _read_errors(self) -> None:
        if self._process is not None:
            text = bytes(self._process.readAllStandardError()).decode("utf-8", "replace")
            lines = [line for line in text.splitlines() if line.strip()]
            self._tail.extend(lines)
            if lines and load_setting("log_everything"):
                log("\n".join(lines))

    @pyqtSlot(int, QProcess.ExitStatus)
    def _on_finished(self, code: int, status: Any) -> None:
        self._read()
        if self._process is None:
            return
        self._read_errors()
        if not self._pending:
            self._drop()
        elif not self._ready:
            self._fail(
                self.tr("The engine could not start (exit code {code}); its last words are in the log panel.").format(
                    code=code
                ),
                all_pending=True,
            )
        elif status == QProcess.ExitStatus.CrashExit and code == 9:
            self._fail(
                self.tr(
                    "The engine was ended by the system, often for lack of memory; close other programs or choose a "
                    "smaller area, then run again."
                )
            )
        else:
            self._fail(
                self.tr("The engine stopped unexpectedly (exit code {code}); nothing was written, run again.").format(
                    code=code
                )
            )

    @pyqtSlot(QProcess.ProcessError)
    def _on_error(self, error: Any) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None and self._running is not None:
            self._fail(
                self.tr("The engine's Python '{path}' cannot be started ({reason}).").format(
                    path=self._running.python, reason=self._process.errorString()
                ),
                all_pending=True,
            )

    @pyqtSlot()
    def _look(self) -> None:
        """Enforce the start-up, cancel and silence limits."""
        now = self._clock.now()
        if self._process is not None and not self._ready:
            if now - self._last_sign > self._startup_timeout_s:
                self._fail(
                    self.tr("The engine did not start within {seconds:.0f} s; run again or repair it.").format(
                        seconds=self._startup_timeout_s
                    ),
                    all_pending=True,
                )
            return
        overdue = [r for r in self._pending.values() if r.cancel_by is not None and now > r.cancel_by]
        stuck = any(now > cancel_by for cancel_by in self._let_go.values())
        if overdue or (stuck and not any(r.started for r in self._pending.values())):
            self._drop()
            for request in overdue:
                self._clean(request)
                self._end(request, {"type": "cancelled"})
            self._fail(self.tr("The engine was stopped because a cancelled run did not end; run again."))
        elif self._process is not None and self._pending and now - self._last_sign > self._silence_timeout_s:
            self._fail(
                self.tr("The engine gave no sign of life for {seconds:.0f} s and was stopped; run again.").format(
                    seconds=self._silence_timeout_s
                )
            )

    def _fail(self, message: str, all_pending: bool = False) -> None:
        """End the process and the jobs it was at; waiting ones go to a new worker unless it could not even start."""
        tail = list(self._tail)
        self._drop()
        lost: List[Request] = []
        for request in list(self._pending.values()):
            if request.cancel_by is not None:
                self._clean(request)
                self._end(request, {"type": "cancelled"})
            elif all_pending or request.attempts >= ATTEMPTS:
                lost.append(request)
            elif request.started and request.kind not in protocol.QUICK_JOBS:
                lost.append(request)
            else:
                request.sent = request.started = False
        for request in lost:
            self._clean(request)
            self._end(request, {"type": "failed", "code": "internal", "message": message})
        if lost and tail:
            log(self.tr("Last words of the engine:") + "\n" + "\n".join(tail), WARNING)
        if self._pending:
            self._start()

    def _drop(self) -> None:
        """Kill the process, if any, and forget it."""
        process, self._process, self._ready = self._process, None, False
        if process is not None:
            process.blockSignals(True)
            if process.state() != QProcess.ProcessState.NotRunning:
                process.kill()
                process.waitForFinished(KILL_MS)
            process.deleteLater()
        if self._watch is not None:
            self._watch.stop()

    def _end(self, request: Request, event: Dict[str, Any]) -> None:
        self._pending.pop(request.id, None)
        request.deliver(event)

    def _clean(self, request: Request) -> None:
        """Put back what a job that cannot tidy up after itself was replacing, and remove what it left unfinished."""
        for final in filter(None, (getattr(request.job, name, None) for name in OUTPUT_FIELDS)):
            protocol.put_back(final, request.id)
            for path in protocol.partial_files(final, request.id):
                remove_file(path)


def remove_file(path: str) -> None:
    """Delete a file, noting in the log if that cannot be done."""
    try:
        os.remove(path)
    except OSError as error:
        log(f"{path}: {error}", WARNING)


def parse_event(line: bytes) -> Optional[Dict[str, Any]]:
    """Event in one line of the worker, or None if it is not one."""
    try:
        event = json.loads(line.decode("utf-8"))
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("type"), str) else None


def clean_environment(environment: QProcessEnvironment) -> QProcessEnvironment:
    """QGIS's environment without what would lead the worker to QGIS's own Python packages."""
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "PYTHONPLATLIBDIR"):
        environment.remove(name)
    if os.name == "nt":
        environment.insert("USE_PATH_FOR_GDAL_PYTHON", "YES")  # QGIS's GDAL lies on the path, not beside its module
    environment.insert("PYTHONUNBUFFERED", "1")
    environment.insert("PYTHONIOENCODING", "utf-8")
    environment.insert("PYTHONUTF8", "1")
    return environment
