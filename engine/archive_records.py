"""What is kept of each scene of an archive, beside its outputs: enough to skip it when nothing has changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .digest import CHUNK_BYTES, SIDE_FILES, scene_sha256, tell_nobody
from .protocol import ArchiveJob, job_to_dict, partial_path

FOLDER = ".records"
VERSION = 1
DONE, FAILED, BEGUN, STOPPED = "done", "failed", "begun", "cancelled"
MATTERS = ("hazard", "threshold", "bands", "sensor", "units", "gsd_m", "probability", "polygons")
"""Fields of the job that outputs depend on, beside the model, the area and how it is adapted."""


@dataclass(frozen=True)
class SceneTask:
    """One scene to segment, as it travels to a worker.

    Attributes:
        name: of its outputs below the output folder.
        title: name of the scene.
        raster: its file; empty where ``parts`` are stacked.
        parts: name and file of each band that is stacked.
        date: its day, where known from a list.
        version: what a list tells of its content.
        job: the archive's job, with absolute paths and a model.
        model_key: hash of the model's checksums.
        job_key: hash of all in the job that outputs depend on.
        run: begins the names of unfinished files of this archive.
        stop: file whose existence asks workers to stop.
        threads: threads of PyTorch in a worker; None leaves them as they are.
    """

    name: str
    title: str
    raster: str
    parts: tuple[tuple[str, str], ...]
    date: str | None
    version: str
    job: ArchiveJob
    model_key: str
    job_key: str
    run: str
    stop: str
    threads: int | None = None

    def path(self, ending: str) -> str:
        """Absolute path of one of the scene's outputs."""
        return os.path.join(self.job.out, *f"{self.name}{ending}".split("/"))

    @property
    def outputs(self) -> dict[str, str]:
        """Kind of output to its path, for those that the job asks for."""
        stem, job = f"_{self.job.hazard}", self.job
        found = {"mask": self.path(f"{stem}.tif")}
        if job.probability:
            found["probability"] = self.path(f"{stem}_probability.tif")
        if job.polygons:
            found["polygons"] = self.path(f"{stem}_polygons.gpkg")
        if self.parts:
            found["stack"] = self.path(f"{stem}_scene.vrt")
        return found

    @property
    def run_id(self) -> str:
        """Tells this run from all others."""
        return os.path.splitext(os.path.basename(self.stop))[0]

    @property
    def record(self) -> str:
        """Path of its record."""
        return os.path.join(self.job.out, FOLDER, *f"{self.name}_{self.job.hazard}.json".split("/"))


def job_key(job: ArchiveJob) -> str:
    """Hash of what outputs depend on in a job: other workers, devices, folders and tables change none."""
    values = job_to_dict(job)
    kept: dict[str, Any] = {name: values[name] for name in MATTERS}
    if job.area:
        kept["area"] = scene_sha256([job.area]) or job.area
    if job.adapt:
        kept["budget_s"] = job.budget_s
    if job.polygons:
        kept["minimum_area_m2"] = job.minimum_area_m2
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def read_record(path: str) -> dict[str, Any] | None:
    """A scene's record; None where there is none that can be read."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("version") == VERSION else None


def write_record(path: str, record: dict[str, Any], job_id: str) -> None:
    """Write a scene's record, whole or not at all."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    partial = partial_path(path, job_id)
    try:
        with open(partial, "w", encoding="utf-8") as file:
            json.dump({"version": VERSION, **record}, file, indent=1, allow_nan=False)
        os.replace(partial, path)
    finally:
        with contextlib.suppress(OSError):
            os.remove(partial)


def state_of(files: Sequence[str]) -> list[list[Any]]:
    """Path, size and time of change of each file that a scene consists of."""
    found = []
    for path in files:
        if not path.lower().endswith(SIDE_FILES):
            with contextlib.suppress(OSError):
                status = os.stat(path)
                found.append([os.path.abspath(path), status.st_size, status.st_mtime_ns])
    return found


def state_of_output(path: str, *, hashed: bool) -> dict[str, Any]:
    """Size, time of change and, where wanted, SHA-256 of an output."""
    status = os.stat(path)
    return {
        "path": path,
        "bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "sha256": file_sha256(path) if hashed else None,
    }


def file_sha256(path: str) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def completed(
    task: SceneTask, on_progress: Callable[[float], None] = tell_nobody, *, verify: bool
) -> dict[str, Any] | None:
    """The record of a scene that was segmented like this already and is all there; None where work is to be done.

    A file whose size and time of change are those of the record is taken as unchanged; one where they differ is
    hashed, and so is every file with ``verify``. What ``on_progress`` raises, told how much of a scene is hashed, ends
    the look.
    """
    record = read_record(task.record)
    if record is None or record.get("state") != DONE:
        return None
    same = (record.get("job_key"), record.get("model_key"), record.get("source_version"))
    if same != (task.job_key, task.model_key, task.version):
        return None
    try:
        if _scene_changed(task, record, on_progress, verify) or _output_missing(task, record, verify):
            return None
    except (OSError, KeyError, TypeError, ValueError, AttributeError):  # a record that somebody edited
        return None
    return record


def _scene_changed(task: SceneTask, record: dict[str, Any], on_progress: Callable[[float], None], verify: bool) -> bool:
    files, moved = record["files"], record["source"] != source_of(task)
    if not files:  # not files of this machine: their names and what the list tells of them stand for them
        return bool(moved or verify)
    if moved:
        return len(files) != 1 or bool(task.parts) or scene_sha256([task.raster], on_progress) != record["scene_sha256"]
    paths = [entry[0] for entry in files]
    return bool((verify or state_of(paths) != files) and scene_sha256(paths, on_progress) != record["scene_sha256"])


def _output_missing(task: SceneTask, record: dict[str, Any], verify: bool) -> bool:
    kept = record["outputs"]
    for kind, path in task.outputs.items():
        if kind not in kept or not os.path.isfile(path):
            return True
        if kind != "polygons" and output_changed(path, kept[kind], verify):
            return True
    return False


def output_changed(path: str, kept: dict[str, Any], verify: bool = False) -> bool:
    """Whether an output is not the one that was written."""
    status = os.stat(path)
    if not verify and (status.st_size, status.st_mtime_ns) == (kept["bytes"], kept["mtime_ns"]):
        return False
    return bool(kept["sha256"] is not None and file_sha256(path) != kept["sha256"])


def source_of(task: SceneTask) -> list[str]:
    """The files that a scene is named by."""
    return [task.raster] if task.raster else [file for _, file in task.parts]
