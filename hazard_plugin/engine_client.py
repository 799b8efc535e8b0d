"""Runs jobs in the engine's worker: the way in for algorithms (blocking, cancellable) and for the dock (call back)."""

import contextlib
import queue
import threading
import uuid
from typing import Any, Callable, Dict, Iterator, Optional, Tuple

from qgis.core import QgsProcessingFeedback
from qgis.PyQt.QtCore import QCoreApplication, QObject, QThread, QThreadPool, pyqtSignal, pyqtSlot

from ..engine import protocol
from .engine_feedback import WHOLE, EngineFeedback, Relay
from .engine_location import EngineLocation, find_engine
from .engine_worker import EngineFailed, Request, WorkerOwner

__all__ = ["EngineClient", "EngineFailed", "training_client"]

POLL_S = 0.1
"""How often a waiting thread looks whether the user cancelled."""

SHUTDOWN_MS = 5000

Answer = Callable[[Any, Optional[protocol.HazardError]], None]


class EngineClient(QObject):
    """One worker process, warm between jobs, shared by everything in the plugin."""

    hello_received = pyqtSignal(dict)
    _posted = pyqtSignal(object, object)
    _cancel_asked = pyqtSignal(object)
    _finish_asked = pyqtSignal(object)
    _stop_asked = pyqtSignal()
    _release_asked = pyqtSignal(object)
    _answered = pyqtSignal(object, object, object)

    def __init__(
        self,
        locate: Callable[[], EngineLocation] = find_engine,
        *,
        startup_timeout_s: float = 120,
        cancel_grace_s: float = 2,
        silence_timeout_s: float = 900,
        stop_grace_s: float = 1.5,
    ) -> None:
        super().__init__()
        self.hello: Dict[str, Any] = {}
        self._locate = locate
        self._closed = False
        self._start_lock = threading.Lock()
        self._thread = QThread()
        self._thread.setObjectName("hazardmapper-engine")
        self._owner = WorkerOwner(startup_timeout_s, cancel_grace_s, silence_timeout_s, stop_grace_s)
        self._owner.moveToThread(self._thread)
        self._posted.connect(self._owner.post)
        self._cancel_asked.connect(self._owner.cancel)
        self._finish_asked.connect(self._owner.finish)
        self._stop_asked.connect(self._owner.stop)
        self._release_asked.connect(self._owner.release)
        self._owner.hello.connect(self._keep_hello)
        self._answered.connect(self._call_back)

    def locate(self) -> EngineLocation:
        """Return the engine that would be used; raises EngineMissing."""
        return self._locate()

    def run(
        self,
        kind: str,
        job: Any,
        feedback: Optional[QgsProcessingFeedback] = None,
        part: Tuple[float, float] = WHOLE,
    ) -> Any:
        """Carry out a job and return its result; blocks, may be called from any thread.

        ``part`` is the part of the feedback's progress that this job makes up. Raises BadInput, OutputFailed,
        EngineFailed or Cancelled.
        """
        events: "queue.SimpleQueue[Dict[str, Any]]" = queue.SimpleQueue()
        request = self._post(kind, job, events.put)
        relay = None if feedback is None else Relay(feedback, part)
        with lent_thread(), told_of(kind, feedback):
            return self._await(request, events, feedback, relay)

    def _await(
        self,
        request: Request,
        events: "queue.SimpleQueue[Dict[str, Any]]",
        feedback: Optional[QgsProcessingFeedback],
        relay: Optional[Relay],
    ) -> Any:
        cancelling = finishing = False
        while True:
            if not cancelling and feedback is not None and feedback.isCanceled():
                cancelling = True
                self._cancel_asked.emit(request)
            if not finishing and isinstance(feedback, EngineFeedback) and feedback.wants_best:
                finishing = True
                self._finish_asked.emit(request)
            try:
                event = events.get(timeout=POLL_S)
            except queue.Empty:
                if self._closed and not self._thread.isRunning() and events.empty():
                    raise protocol.Cancelled(self.tr("Hazard Mapper is closing.")) from None
                continue
            if event["type"] == "done":
                return event.get("result")
            if relay is not None:
                relay.pass_on(event)
            if event["type"] in protocol.ENDINGS:
                raise error_of(event)

    def submit(self, kind: str, job: Any, answer: Answer) -> None:
        """Ask for a quick job; ``answer(result, error)`` is called later on the main thread."""

        def deliver(event: Dict[str, Any]) -> None:
            if event["type"] == "done":
                self._answered.emit(answer, event.get("result"), None)
            elif event["type"] in protocol.ENDINGS:
                self._answered.emit(answer, None, error_of(event))

        try:
            self._post(kind, job, deliver)
        except protocol.HazardError as error:
            self._answered.emit(answer, None, error)

    def release(self) -> bool:
        """End the worker, which the next job starts anew; False, and nothing happens, while a job runs.

        May be called from any thread but the worker's; blocks until the process is gone.
        """
        if not self._thread.isRunning():
            return True
        answer: "queue.SimpleQueue[bool]" = queue.SimpleQueue()
        self._release_asked.emit(answer)
        try:
            return answer.get(timeout=SHUTDOWN_MS / 1000)
        except queue.Empty:
            return False

    def shutdown(self) -> None:
        """End the worker and its thread; jobs still running end as cancelled."""
        self._closed = True
        with self._start_lock:
            if self._thread.isRunning():
                self._stop_asked.emit()
                self._thread.wait(SHUTDOWN_MS)

    def _post(self, kind: str, job: Any, deliver: Callable[[Dict[str, Any]], None]) -> Request:
        location = self._locate()
        request = Request(uuid.uuid4().hex[:12], kind, job, deliver)
        with self._start_lock:
            if self._closed:
                raise protocol.Cancelled(self.tr("Hazard Mapper is closing."))
            if not self._thread.isRunning():
                self._thread.start()
            self._posted.emit(request, location)
        return request

    @pyqtSlot(dict)
    def _keep_hello(self, hello: Dict[str, Any]) -> None:
        self.hello = hello
        self.hello_received.emit(hello)

    @pyqtSlot(object, object, object)
    def _call_back(self, answer: Answer, result: Any, error: Optional[protocol.HazardError]) -> None:
        if not self._closed:
            answer(result, error)


def training_client(locate: Callable[[], EngineLocation] = find_engine) -> EngineClient:
    """Client with a worker of its own for runs of hours: scenes are segmented meanwhile, and what stops such a run
    leaves it the time to write its checkpoint.
    """
    return EngineClient(locate, cancel_grace_s=30, silence_timeout_s=1800, stop_grace_s=3.5)


@contextlib.contextmanager
def lent_thread() -> Iterator[None]:
    """Let QGIS use another thread of its pool while this one only waits, or drawing the map would wait too."""
    pool = QThreadPool.globalInstance()
    pool.releaseThread()
    try:
        yield
    finally:
        pool.reserveThread()


@contextlib.contextmanager
def told_of(kind: str, feedback: Optional[QgsProcessingFeedback]) -> Iterator[None]:
    """Tell a feedback that wants to know which kind of job runs, and when it is over."""
    if not isinstance(feedback, EngineFeedback):
        yield
        return
    feedback.begin(kind)
    try:
        yield
    finally:
        feedback.begin("")


def error_of(event: Dict[str, Any]) -> protocol.HazardError:
    """Exception that stands for a job's ending other than done."""
    if event["type"] == "cancelled":
        return protocol.Cancelled(tr("Cancelled; nothing was written."))
    message = str(event.get("message") or tr("The engine gave no reason."))
    kinds = {"bad_input": protocol.BadInput, "output": protocol.OutputFailed}
    return kinds.get(str(event.get("code")), EngineFailed)(message)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("EngineClient", text)
