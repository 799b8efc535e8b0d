"""Scenes of an archive on the workers of a Dask cluster, each retried where it or its worker fails."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from .archive_records import DONE, FAILED, STOPPED, SceneTask, read_record
from .archive_task import failed, limit_threads, run_scene
from .protocol import ArchiveJob, BadInput, Cancelled, HazardError
from .reporting import Report

POLL_S = 0.5
FIRST_WORKER_S = 60.0
"""Seconds that the first worker has to appear."""
NO_WORKER_S = 600.0
"""Seconds without any worker after which an archive ends."""
ANSWER_S = 15.0
"""Seconds that a worker has to hand over its answer."""
GRACE_S = 15.0
"""Seconds that scenes have to stop at when the archive is cancelled."""
BYTES_A_WORKER = 3 * 2**30
CORES_A_WORKER = 2
NOT_INTERRUPTED = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
"""Run by each worker when it starts: a terminal sends Ctrl+C to all processes, only one of which is to obey."""


def require_dask() -> None:
    """Raise BadInput, with the remedy, where Dask is not installed."""
    missing = [name for name in ("dask", "distributed") if importlib.util.find_spec(name) is None]
    if missing:
        raise BadInput(
            f"Workers need the package '{missing[0]}', which is not installed; run `python -m pip install -r "
            "engine/requirements-archive.txt` in the engine's environment, or use --workers 0 to do without."
        )


def cores() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def workers_for(job: ArchiveJob, scenes: int) -> int:
    """How many workers of its own an archive starts: as asked, else as cores and memory allow; never idle ones."""
    wanted = job.workers
    if wanted is None:
        wanted = max(1, cores() // CORES_A_WORKER)
        if memory := _memory_bytes():
            wanted = max(1, min(wanted, memory // BYTES_A_WORKER))
    return max(1, min(wanted, -(-scenes // job.threads_per_worker)))


def _memory_bytes() -> int:
    """Memory of this machine; 0, which stands for no limit, where it is not known."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def run_here(tasks: Sequence[SceneTask], report: Report) -> Iterator[dict[str, Any]]:
    """Carry out the tasks one after another in this process; failures are tried again at the end.

    Raises:
        Cancelled: the report said so.
    """
    models: dict[str, Any] = {}
    waiting = deque((task, 1) for task in tasks)
    done = 0
    while waiting:
        task, attempt = waiting.popleft()
        share = done / len(tasks)

        def progress(stage: str, part: float, left: float | None, share: float = share) -> None:
            report.progress(min(share + part / len(tasks), 0.999))

        record = run_scene(task, attempt, Report(progress, cancelled=report.cancelled), models)
        if record["state"] == FAILED and attempt <= task.job.retries:
            waiting.append((task, attempt + 1))
            continue
        done += 1
        yield record


def run_on_workers(tasks: Sequence[SceneTask], job: ArchiveJob, report: Report) -> Iterator[dict[str, Any]]:
    """Carry out the tasks on a cluster and yield each one's record once it is settled.

    No more scenes are handed out than workers have threads, so that a worker that dies takes along only what it was
    working on; its scenes are tried again as those that fail are, after all others.

    Raises:
        BadInput: no worker appears.
        Cancelled: the report said so; scenes that were being worked on have stopped.
        HazardError: the scheduler is lost, or all workers are.
    """
    with _connected(job, len(tasks), report) as client:
        queue = _Queue(client, tasks, report)
        try:
            yield from queue.records()
        finally:
            queue.stop()


class _Queue:
    """Scenes that wait, and those that a worker has."""

    def __init__(self, client: Any, tasks: Sequence[SceneTask], report: Report) -> None:
        self._client, self._report = client, report
        self._waiting = deque((task, 1) for task in tasks)
        self._running: dict[Any, tuple[SceneTask, int]] = {}
        self._count = len(tasks)
        self._stop = tasks[0].stop
        self._seen = time.monotonic()

    def records(self) -> Iterator[dict[str, Any]]:
        """Records as they are settled."""
        done = 0
        while self._waiting or self._running:
            self._report.progress(min(done / self._count, 0.999))
            self._hand_out()
            for future in self._finished():
                task, attempt = self._running.pop(future)
                record = self._record(future, task, attempt)
                if record["state"] == STOPPED:  # by whoever stopped the workers' files
                    raise Cancelled("Cancelled.")
                if record["state"] == FAILED and attempt <= task.job.retries:
                    self._waiting.append((task, attempt + 1))
                    continue
                done += 1
                yield record

    def _hand_out(self) -> None:
        try:
            room = sum(self._client.nthreads().values())
        except (OSError, TimeoutError, ValueError) as error:
            raise HazardError(
                f"The Dask scheduler cannot be reached any more ({error}); start it and run the archive again, which "
                "goes on where it stopped."
            ) from None
        now = time.monotonic()
        self._seen = now if room else self._seen
        if now - self._seen > NO_WORKER_S:
            raise HazardError(
                f"No worker has been there for {NO_WORKER_S:.0f} s; start workers and run the archive again, which "
                "goes on where it stopped."
            )
        while self._waiting and len(self._running) < room:
            task, attempt = self._waiting.popleft()
            future = self._client.submit(
                work, task, attempt, key=f"{task.run_id}-{task.name}-{attempt}", pure=False, retries=0
            )
            self._running[future] = (task, attempt)

    def _finished(self) -> list[Any]:
        from distributed import wait

        if not self._running:
            time.sleep(POLL_S)
            return []
        with contextlib.suppress(TimeoutError):
            return list(wait(list(self._running), timeout=POLL_S, return_when="FIRST_COMPLETED").done)
        return []

    def _record(self, future: Any, task: SceneTask, attempt: int) -> dict[str, Any]:
        from distributed import KilledWorker

        if future.status == "finished":
            # What the worker wrote is taken first: a worker that died since cannot be asked for its answer any more.
            found = read_record(task.record)
            if found and (found.get("run"), found.get("attempts")) == (task.run_id, attempt):
                if found["state"] in (DONE, FAILED):
                    return found
            with contextlib.suppress(TimeoutError, OSError):
                return dict(future.result(timeout=ANSWER_S))
        error = future.exception(timeout=ANSWER_S) if future.status == "error" else None
        if isinstance(error, KilledWorker) or error is None:
            reason = "The worker ended while it worked on the scene (killed, or out of memory)."
        elif isinstance(error, ModuleNotFoundError) or "deserializ" in str(error):
            reason = (
                f"The workers cannot load the engine ({type(error).__name__}); start them with the folder that holds "
                "'engine' in PYTHONPATH, and with the engine's environment."
            )
        else:
            reason = f"The worker failed ({type(error).__name__}: {error})".splitlines()[0]
        return failed(task, reason, attempt, None)

    def stop(self) -> None:
        """Have the workers stop what they are at, and wait until they have, for a while."""
        from distributed import wait

        if not self._running:
            return
        with contextlib.suppress(OSError), open(self._stop, "w", encoding="utf-8"):
            pass
        with contextlib.suppress(Exception):  # a cluster that is gone has stopped
            wait(list(self._running), timeout=GRACE_S)
        with contextlib.suppress(Exception):
            self._client.cancel(list(self._running), force=True)


def work(task: SceneTask, attempt: int) -> dict[str, Any]:
    """One task on a worker: its record, or one that says that it was stopped."""
    from distributed import get_worker

    worker = get_worker()
    models = worker.__dict__.setdefault("hazard_mapper_models", {})
    limit_threads(task.threads)
    if isinstance(worker.name, int):
        os.environ["HAZARD_ARCHIVE_WORKER"] = str(worker.name)
    cancelled, ended = threading.Event(), threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_S):
            if os.path.exists(task.stop):
                cancelled.set()

    threading.Thread(target=watch, name="stop", daemon=True).start()
    try:
        return run_scene(task, attempt, Report(cancelled=cancelled), models)
    except Cancelled:
        return {"state": STOPPED}
    finally:
        ended.set()


@contextlib.contextmanager
def _connected(job: ArchiveJob, scenes: int, report: Report) -> Iterator[Any]:
    """A client of the scheduler that is asked for, else of a cluster on this machine that ends with it."""
    import dask
    from distributed import Client, LocalCluster

    report.log("Starting workers" if job.scheduler is None else f"Connecting to {job.scheduler}")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        if job.scheduler is not None:
            try:
                client = stack.enter_context(Client(job.scheduler, timeout=FIRST_WORKER_S / 4))
            except (OSError, TimeoutError, ValueError) as error:
                raise BadInput(
                    f"No Dask scheduler answers at '{job.scheduler}' ({type(error).__name__}); check the address, or "
                    "leave it out to use workers of this machine."
                ) from None
        else:
            count = workers_for(job, scenes)
            stack.enter_context(
                dask.config.set(
                    {
                        "temporary-directory": stack.enter_context(
                            tempfile.TemporaryDirectory(prefix="hazard-archive-", ignore_cleanup_errors=True)
                        ),
                        "distributed.worker.memory.target": False,
                        "distributed.worker.memory.spill": False,
                        "distributed.worker.memory.pause": False,
                        "distributed.worker.memory.terminate": 0.95,
                        "distributed.scheduler.allowed-failures": 0,
                        "distributed.scheduler.work-stealing": False,
                        "distributed.worker.profile.enabled": False,
                    }
                )
            )
            try:
                cluster = stack.enter_context(
                    LocalCluster(
                        n_workers=count,
                        threads_per_worker=job.threads_per_worker,
                        processes=True,
                        memory_limit=_memory_bytes() // count,
                        dashboard_address="127.0.0.1:0",
                        silence_logs=logging.CRITICAL,
                        preload=[NOT_INTERRUPTED],
                        env=_environment(count),
                    )
                )
                client = stack.enter_context(Client(cluster))
            except (OSError, RuntimeError, TimeoutError) as error:
                raise HazardError(
                    f"Workers could not be started ({type(error).__name__}: {error}); try fewer, or --workers 0."
                ) from None
        _wait_for_worker(client, report)
        yield client


def threads_for(job: ArchiveJob, scenes: int) -> int | None:
    """Threads of PyTorch in each worker of this machine; None on other machines, whose workers say it themselves."""
    if job.scheduler is not None:
        return None
    return max(1, cores() // workers_for(job, scenes))


def _environment(workers: int) -> dict[str, str]:
    threads = str(max(1, cores() // workers))
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GDAL_NUM_THREADS")
    return {**dict.fromkeys(names, threads), "OMP_WAIT_POLICY": "PASSIVE"}


def _wait_for_worker(client: Any, report: Report) -> None:
    began = time.monotonic()
    while not client.nthreads():
        report.check()
        if time.monotonic() - began > FIRST_WORKER_S:
            raise BadInput(
                f"No worker appeared within {FIRST_WORKER_S:.0f} s; start some with `dask worker ADDRESS`, or use "
                "workers of this machine."
            )
        time.sleep(0.1)
