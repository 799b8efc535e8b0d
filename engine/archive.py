"""Segment an archive: find its scenes, skip what is complete, have workers do the rest, and keep one table of all."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from .archive_records import DONE, FAILED, FOLDER, SceneTask, completed, job_key, read_record
from .archive_scenes import ArchiveScene, list_scenes
from .archive_task import failed, model_key
from .archive_workers import require_dask, run_here, run_on_workers, threads_for
from .cards import default_model, find_model, is_name, read_card
from .leftovers import put_back_all
from .protocol import REPLACED, ArchiveJob, BadInput, Cancelled, OutputFailed
from .reporting import Report
from .vector.archive_table import check_table, write_table

LISTED = 0.05
"""Share of the whole at which scenes are listed and checked."""
TABLE_EVERY_S = 20.0
"""Seconds between two times that the table is brought up to date while scenes are worked on."""


def archive(job: ArchiveJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``archive`` command; scenes that fail are part of it.

    Raises:
        BadInput: the request cannot be carried out, or another run uses the output folder; nothing was started.
        Cancelled: the report said so; what is complete stays, and the table tells it.
    """
    report = report or Report()
    began = time.monotonic()
    warnings: list[str] = []
    warn = report.warner(warnings)
    if job.workers != 0:
        require_dask()
    report.stage("Listing the scenes")
    job = _settled(job)
    table = str(job.table)
    check_table(table)
    listing = list_scenes(job, report)
    for note in listing.notes:
        warn(note)
    with _locked(job) as records:
        run = f"archive{hashlib.sha256(os.fsencode(f'{job.out}|{job.hazard}')).hexdigest()[:8]}-"
        stop = os.path.join(records, f"{run}{uuid.uuid4().hex[:8]}.stop")
        tasks = _tasks(job, listing.scenes, run, stop)
        _require_apart(tasks, table)
        remove_unfinished(tasks, run)
        report.stage("Checking what is complete", 0.01)
        rows: dict[str, dict[str, Any]] = {}
        todo = _to_do(tasks, listing.scenes, rows, report)
        skipped = sum(row["state"] == DONE for row in rows.values())
        if skipped:
            report.log(f"{skipped} of {len(tasks)} scenes are complete and skipped, {len(todo)} are to be done.")
        book = _Table(table, tasks, rows, run)
        book.write()
        done = 0
        try:
            if todo:
                done = _run(todo, job, book, report)
        except Cancelled:
            book.take_finished()
            complete = sum(row["state"] == DONE for row in rows.values())
            raise Cancelled(
                f"Cancelled; {complete} of {len(tasks)} scenes are complete and stay. Run it again to go on."
            ) from None
        finally:
            with contextlib.suppress(OSError):
                os.remove(stop)
            remove_unfinished(tasks, run)
            book.take_finished()
            book.write()
    failures = [
        {"scene": task.title, "reason": rows[task.name]["reason"]}
        for task in tasks
        if rows[task.name]["state"] == FAILED
    ]
    return {
        "scenes": len(tasks),
        "done": done,
        "skipped": skipped,
        "failed": len(failures),
        "table": table,
        "seconds": round(time.monotonic() - began, 3),
        "failures": failures,
        "out": job.out,
        "hazard": job.hazard,
        "model": job.model,
        "hazard_area_m2": round(sum(row.get("area_m2") or 0.0 for row in rows.values()), 2),
        "warnings": warnings,
    }


def _settled(job: ArchiveJob) -> ArchiveJob:
    """The job with a model and with paths that mean the same in every worker; raises BadInput where it cannot be."""
    model = job.model or default_model(job.hazard)
    folder = find_model(model)
    card = read_card(folder)
    if job.hazard not in card.hazards or card.adapted_for not in (None, job.hazard):
        known = card.adapted_for or ", ".join(card.hazards)
        raise BadInput(f"Model '{model}' does not know the hazard '{job.hazard}'; choose one that it knows: {known}.")
    if job.adapt and card.adapted_for is not None:
        raise BadInput(f"Model '{model}' is adapted already; choose its parent '{card.parent}', or do not adapt.")
    if job.area and not os.path.exists(job.area):
        raise BadInput(f"There is no file '{job.area}' with the area; check the path.")
    out = os.path.abspath(job.out)
    table = os.path.abspath(job.table) if job.table else os.path.join(out, f"archive_{job.hazard}.gpkg")
    return dataclasses.replace(
        job,
        out=out,
        table=table,
        scenes=os.path.abspath(job.scenes),
        area=os.path.abspath(job.area) if job.area else None,
        model=model if is_name(model) and folder.name == model else os.path.abspath(folder),
    )


@contextlib.contextmanager
def _locked(job: ArchiveJob) -> Iterator[str]:
    """The output folder's records, for one run of a hazard at a time; the lock ends with the process at the latest."""
    records = os.path.join(job.out, FOLDER)
    try:
        os.makedirs(records, exist_ok=True)
        os.makedirs(os.path.dirname(str(job.table)), exist_ok=True)
        lock = open(os.path.join(records, f"{job.hazard}.lock"), "a", encoding="utf-8")
    except OSError as error:
        raise OutputFailed(f"The folder '{job.out}' cannot be written to ({error.strerror}); choose another.") from None
    with lock:
        try:
            _lock(lock.fileno())
        except OSError:
            raise BadInput(
                f"Another run is working on {job.hazard} in '{job.out}'; wait for it, or choose another folder."
            ) from None
        yield records


def _lock(number: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        return
    fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _tasks(job: ArchiveJob, scenes: Sequence[ArchiveScene], run: str, stop: str) -> list[SceneTask]:
    of_job, of_model, threads = job_key(job), model_key(str(job.model)), None
    if job.workers != 0:
        threads = threads_for(job, len(scenes))
    return [
        SceneTask(
            scene.name,
            scene.title,
            scene.raster,
            scene.parts,
            scene.date,
            scene.version,
            job,
            of_model,
            of_job,
            run,
            stop,
            threads,
        )
        for scene in scenes
    ]


def _require_apart(tasks: Sequence[SceneTask], table: str) -> None:
    """Raise BadInput where two outputs have one name, or one would replace a scene."""
    scenes = {os.path.normcase(os.path.realpath(task.raster)): task.raster for task in tasks if task.raster}
    owners: dict[str, str] = {os.path.normcase(os.path.realpath(table)).casefold(): "the table"}
    for task in tasks:
        for path in task.outputs.values():
            real = os.path.normcase(os.path.realpath(path))
            if real in scenes:
                raise BadInput(f"Output '{path}' would replace the scene '{scenes[real]}'; choose another folder.")
            owner = owners.setdefault(real.casefold(), task.title)
            if owner != task.title:
                raise BadInput(f"'{owner}' and '{task.title}' would both write '{path}'; rename one of them.")


def _to_do(
    tasks: Sequence[SceneTask], scenes: Sequence[ArchiveScene], rows: dict[str, dict[str, Any]], report: Report
) -> list[SceneTask]:
    """Tasks that are neither complete nor impossible; the others' records go to ``rows``."""
    todo = []
    for number, (task, scene) in enumerate(zip(tasks, scenes, strict=True)):

        def tell(share: float, number: int = number) -> None:
            report.progress((number + share) / len(tasks), 0.01, LISTED)

        tell(0.0)
        record = completed(task, tell, verify=task.job.verify)
        if scene.problem:
            rows[task.name] = failed(task, scene.problem, 0, None)
        elif record is not None:
            rows[task.name] = record
        else:
            todo.append(task)
    return todo


def _run(todo: Sequence[SceneTask], job: ArchiveJob, book: _Table, report: Report) -> int:
    """Have the tasks carried out and their rows written now and then; returns how many are done."""
    done, number = 0, 0
    report.stage("Segmenting scenes", LISTED)
    part = _part(report)
    for record in run_here(todo, part) if job.workers == 0 else run_on_workers(todo, job, part):
        number += 1
        book.rows[record["name"]] = record
        done += record["state"] == DONE
        what = f"{record['area_m2'] / 1e6:.3f} km2" if record["state"] == DONE else f"failed: {record['reason']}"
        report.log(f"{number}/{len(todo)} {record['scene']}: {what}")
        with contextlib.suppress(OutputFailed):  # somebody may be editing it; what counts is the table at the end
            book.write(every_s=TABLE_EVERY_S)
    return done


def _part(report: Report) -> Report:
    """Report of the workers' part of the whole, with the seconds that are left by its own pace."""

    def progress(stage: str, share: float, seconds_left: float | None) -> None:
        report.progress(share, LISTED, 0.99)

    return Report(progress, lambda level, text: report.log(text, level), report.cancelled)


class _Table:
    """The table of results and the records that its rows are made of."""

    def __init__(self, path: str, tasks: Sequence[SceneTask], rows: dict[str, dict[str, Any]], run: str) -> None:
        self.path, self.rows = path, rows
        self._tasks, self._run = tasks, run
        self._written = 0.0

    def take_finished(self) -> None:
        """Take scenes that were completed while nobody waited for them any more."""
        for task in self._tasks:
            if task.name not in self.rows and (record := read_record(task.record)) is not None:
                same = (record.get("job_key"), record.get("model_key")) == (task.job_key, task.model_key)
                if same and record.get("state") == DONE and completed(task, verify=False):
                    self.rows[task.name] = record

    def write(self, every_s: float = 0.0) -> None:
        """Bring the file up to date, unless that was done less than so many seconds ago."""
        if time.monotonic() - self._written < every_s:
            return
        folder = os.path.dirname(self.path)
        rows = [row_of(self.rows[task.name], folder) for task in self._tasks if task.name in self.rows]
        write_table(self.path, rows, f"{self._run}{uuid.uuid4().hex[:8]}")
        self._written = time.monotonic()


def row_of(record: dict[str, Any], folder: str) -> dict[str, Any]:
    """A record as a row: paths relative to the table's folder where they lie in it, lists as text."""
    outputs = record.get("outputs") or {}
    area = record.get("area_m2")
    found = {
        **record,
        "area_ha": None if area is None else area / 10_000,
        "job_sha256": record["job_key"],
        "mask_sha256": (outputs.get("mask") or {}).get("sha256"),
        "source": "\n".join(record["source"]),
        "warnings": "\n".join(record.get("warnings") or ()) or None,
    }
    for kind in ("mask", "probability", "polygons"):
        path = (outputs.get(kind) or {}).get("path")
        found[kind] = _kept_path(path, folder) if path else None
    return found


def _kept_path(path: str, folder: str) -> str:
    with contextlib.suppress(ValueError):  # another drive
        relative = os.path.relpath(path, folder)
        if not relative.startswith(os.pardir):
            return relative.replace(os.sep, "/")
    return path


def remove_unfinished(tasks: Sequence[SceneTask], run: str) -> None:
    """Remove what attempts left behind that did not end in order; nobody works on these outputs now."""
    with contextlib.suppress(OSError):
        records = os.path.dirname(tasks[0].stop)
        for name in os.listdir(records):
            if name.startswith(run) and name.endswith(".stop"):
                os.remove(os.path.join(records, name))
    paths = [path for task in tasks for path in (*task.outputs.values(), task.record)]
    for path in paths:
        put_back_all(path, run)
    folders = {os.path.dirname(path) for path in paths}
    for folder in folders:
        with contextlib.suppress(OSError):
            for name in os.listdir(folder):
                is_ours = name.startswith(".") and f".{run}" in name and ".partial" in name
                if is_ours and not name.endswith(REPLACED):
                    with contextlib.suppress(OSError):
                        os.remove(os.path.join(folder, name))
