"""The worker: carries out jobs from standard input and tells how they go on standard output, one JSON object a line."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import queue
import re
import signal
import sys
import threading
import time
import traceback
from typing import IO, Any

from . import __version__
from .__main__ import run_job
from .fields import is_remote
from .heap import give_back
from .protocol import (
    HAZARDS,
    PROTOCOL_VERSION,
    QUICK_JOBS,
    Cancelled,
    HazardError,
    job_from_dict,
    partial_files,
    put_back,
)
from .reporting import Report

IDLE_S = 900.0
GRACE_S = 3.0
"""Seconds that running jobs have to clean up, and long calls to return, once the worker is to end."""
LONGEST_LINE = 10_000_000
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What may name a job: its unfinished files are named after it."""


class Events:
    """Events to whoever started the worker; ``unread`` is set once nobody reads them any more."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self.unread = threading.Event()

    def send(self, kind: str, **values: Any) -> None:
        """Send one event; nothing happens where nobody reads it."""
        self.put(event_line(kind, **values))

    def put(self, line: str) -> None:
        """Send an event that is a line already."""
        with self._lock:
            if self.unread.is_set():
                return
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (ValueError, OSError):
                self.unread.set()


def event_line(kind: str, **values: Any) -> str:
    """One event as it is sent; raises ValueError or TypeError for values that JSON cannot carry."""
    return json.dumps({"type": kind, **values}, allow_nan=False)


class Waiting:
    """A job that was asked for: what it is and whether it is to stop."""

    def __init__(self, job_id: str, kind: str, values: dict[str, Any]) -> None:
        self.job_id = job_id
        self.kind = kind
        self.values = values
        self.cancelled = threading.Event()
        self.finish = threading.Event()


class Worker:
    """Two lines of work: jobs that compute, one after another, and quick questions beside them."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._models: dict[str, Any] = {}
        self._jobs: dict[str, Waiting] = {}
        self._lock = threading.Lock()
        self.computing: queue.Queue[Waiting | None] = queue.Queue()
        self.quick: queue.Queue[Waiting | None] = queue.Queue()
        self.ended = threading.Event()
        self._last_active = time.monotonic()

    def hello(self) -> None:
        """Introduce the worker: versions and devices."""
        import torch

        from .devices import list_devices
        from .raster import gdal_version

        self._events.send(
            "hello",
            protocol=PROTOCOL_VERSION,
            engine=__version__,
            torch=str(torch.__version__),
            gdal=gdal_version(),
            python=platform.python_version(),
            devices=list_devices(),
        )

    def warm_up(self) -> None:
        """Load what the first job will need, so that the first click does not wait for it."""
        from .model import default_model, load_model
        from .segment import segment  # noqa: F401  its imports are the slow part

        try:
            name = default_model(HAZARDS[0])
            self._models[name] = load_model(name)
        except HazardError as error:  # the job that needs it will say so
            print(error, file=sys.stderr)

    def take(self, line: str) -> None:
        """Take one message; anything that is not one is told to the log and passed over."""
        try:
            message = json.loads(line)
            kind = message["type"]
            if kind == "shutdown":
                self.end()
            elif kind == "cancel":
                self._cancel(str(message["id"]))
            elif kind == "finish":
                self._finish(str(message["id"]))
            elif kind == "job":
                self._accept(message)
            else:
                raise KeyError(kind)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            print(f"Message not understood ({type(error).__name__}): {line[:200]!r}", file=sys.stderr)

    def _accept(self, message: dict[str, Any]) -> None:
        job_id = str(message["id"])
        if not _JOB_ID.fullmatch(job_id):
            raise ValueError("no id of a job")
        if message.get("protocol") != PROTOCOL_VERSION:
            self._events.send(
                "failed",
                id=job_id,
                code="bad_input",
                message=f"The plugin speaks protocol {str(message.get('protocol'))[:20]!r}, "
                f"the engine {PROTOCOL_VERSION}; repair the engine.",
            )
            return
        try:
            waiting = Waiting(job_id, str(message["kind"]), dict(message["job"]))
        except (KeyError, ValueError, TypeError):
            self._events.send("failed", id=job_id, code="bad_input", message="The job has no kind or no values.")
            return
        with self._lock:
            if self.ended.is_set():  # whoever asked sees the worker end, and asks the next one
                return
            self._jobs[job_id] = waiting
            (self.quick if waiting.kind in QUICK_JOBS else self.computing).put(waiting)

    def _cancel(self, job_id: str) -> None:
        with self._lock:
            waiting = self._jobs.get(job_id)
        if waiting is not None:
            waiting.cancelled.set()

    def _finish(self, job_id: str) -> None:
        with self._lock:
            waiting = self._jobs.get(job_id)
        if waiting is not None:
            waiting.finish.set()

    def end(self) -> None:
        """Stop everything: running jobs are cancelled and clean up; what goes on after a grace time is ended."""
        with self._lock:
            self.ended.set()
            for waiting in self._jobs.values():
                waiting.cancelled.set()
        self.computing.put(None)
        self.quick.put(None)
        timer = threading.Timer(GRACE_S, self._end_by_force)
        timer.daemon = True
        timer.start()

    def end_if_idle(self, idle_s: float) -> None:
        """Stop where no job is known and none was for so many seconds."""
        with self._lock:
            if self._jobs or time.monotonic() - self._last_active <= idle_s:
                return
            self.ended.set()
        self.end()

    def _end_by_force(self) -> None:
        """End a worker whose job did not stop in time, and take its unfinished files along."""
        with self._lock:
            jobs = list(self._jobs.values())
        for waiting in jobs:
            for value in waiting.values.values():
                if isinstance(value, str) and value and not is_remote(value):
                    put_back(value, waiting.job_id)
                    for path in partial_files(value, waiting.job_id):
                        with contextlib.suppress(OSError):
                            os.remove(path)
        os._exit(0)

    def carry_out(self, waiting: Waiting) -> None:
        """Carry out one job; it ends with exactly one of done, cancelled and failed."""
        job_id, send = waiting.job_id, self._events.send

        def end(kind: str, **values: Any) -> str:
            return event_line(kind, id=job_id, **values)

        report = Report(
            lambda stage, share, left: send("progress", id=job_id, stage=stage, share=share, seconds_left=left),
            lambda level, text: send("log", id=job_id, level=level, text=text),
            waiting.cancelled,
            job_id,
            lambda step, values: send("metrics", id=job_id, step=step, values=dict(values)),
            waiting.finish,
            lambda values: send("preview", id=job_id, **values),
        )
        try:
            report.check()
            send("started", id=job_id)
            job = job_from_dict(waiting.kind, waiting.values)
            ending = end("done", result=run_job(waiting.kind, job, report, self._models))
        except Cancelled:
            ending = end("cancelled", **({"partial": report.left} if report.left else {}))
        except HazardError as error:
            ending = end("failed", code=error.code, message=one_line(error))
        except Exception as error:  # the worker outlives any fault of a job; the traceback goes to the log
            traceback.print_exc(file=sys.stderr)
            place = one_line(f"{type(error).__name__}: {error}")[:300]
            ending = end("failed", code="internal", message=f"The engine failed ({place}); see the log.")
        with self._lock:
            self._jobs.pop(job_id, None)
            self._last_active = time.monotonic()
        self._events.put(ending)
        give_back()

    def answer_quick_jobs(self) -> None:
        """Answer questions until the end."""
        while (waiting := self.quick.get()) is not None:
            self.carry_out(waiting)


def one_line(text: object) -> str:
    """A message for the user, whatever names it quotes."""
    return " ".join(str(text).split())


def serve() -> int:
    """Run the worker on standard input and output until either ends; returns the exit code."""
    events = Events(_claim_stdout())
    worker = Worker(events)
    idle_s = float(os.environ.get("HAZARD_WORKER_IDLE_S", IDLE_S))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for whoever started the worker; its end is the worker's
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=worker.end).start())
    messages = _claim_stdin()
    threading.Thread(target=_read_messages, args=(worker, messages), name="messages", daemon=True).start()
    threading.Thread(target=_end_unread, args=(worker, events), name="reader", daemon=True).start()
    try:
        worker.hello()
    except ImportError as error:
        print(f"The engine's environment is incomplete: {error}", file=sys.stderr)
        return 1
    questions = threading.Thread(target=worker.answer_quick_jobs, name="questions", daemon=True)
    questions.start()
    if worker.computing.empty():
        worker.warm_up()
    while not worker.ended.is_set():
        try:
            waiting = worker.computing.get(timeout=min(idle_s, 5.0))
        except queue.Empty:
            worker.end_if_idle(idle_s)
            continue
        if waiting is not None:
            worker.carry_out(waiting)
    questions.join()
    return 0


def _claim_stdout() -> IO[str]:
    """A private copy of standard output for events; whatever libraries print goes to standard error."""
    sys.stdout.flush()
    private = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(private, "w", encoding="utf-8", newline="\n")


def _claim_stdin() -> IO[str]:
    """A private copy of standard input for messages; a raster named /vsistdin/ finds nothing there."""
    private = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return os.fdopen(private, "r", encoding="utf-8", errors="replace")


def _end_unread(worker: Worker, events: Events) -> None:
    """End the worker, its running job cleanly, once nobody reads what it says."""
    events.unread.wait()
    worker.end()


def _read_messages(worker: Worker, stream: IO[str]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while line := stream.readline(LONGEST_LINE):
            if line.strip():
                worker.take(line)
            if worker.ended.is_set():
                return
    worker.end()
