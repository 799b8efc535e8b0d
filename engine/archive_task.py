"""One scene of an archive, wherever a worker runs: stacked, adapted to, segmented and traced as the job asks."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import time
import traceback
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .archive_records import (
    BEGUN,
    DONE,
    FAILED,
    SceneTask,
    output_changed,
    read_record,
    source_of,
    state_of,
    state_of_output,
    write_record,
)
from .cards import CHECKSUMS, find_model
from .heap import bound_heap, give_back
from .protocol import AdaptJob, BadInput, Cancelled, HazardError, OutputFailed, PolygonsJob, SceneJob, SegmentJob
from .raster import Scene, Window
from .raster.archive import stack_bands
from .raster.network import open_network
from .raster.tagged import TaggedRaster
from .reporting import Report
from .vector.archive_table import footprint_wkt

LEFT_BY_ADAPTING = 0.5
"""Share of a scene's work at which it has been adapted to."""


def run_scene(task: SceneTask, attempt: int, report: Report, models: dict[str, Any]) -> dict[str, Any]:
    """Segment one scene and return its record, which is on the disk by then; a failure is a record too.

    Args:
        task: what to do.
        attempt: the how manieth it is, from 1 on.
        report: told of progress; may cancel.
        models: loaded models by name, kept between scenes by the caller.

    Raises:
        Cancelled: the report said so; the scene's outputs are as they were, or all new.
    """
    began = time.monotonic()
    job_id = f"{task.run}{uuid.uuid4().hex[:8]}"
    bound_heap()  # a worker's process may be anybody's
    try:
        with open_network() if task.job.remote else contextlib.nullcontext():
            return _Run(task, report, models, job_id, attempt).result()
    except Cancelled:
        raise
    except HazardError as error:
        reason = str(error)
    except Exception as error:  # no fault of one scene ends the archive; the traceback goes to the worker's log
        traceback.print_exc()
        reason = f"The engine failed ({type(error).__name__}: {error})".splitlines()[0]
    finally:
        give_back()
    return failed(task, reason, attempt, time.monotonic() - began)


def failed(task: SceneTask, reason: str, attempt: int, seconds: float | None) -> dict[str, Any]:
    """Record, on the disk if that can be, of a scene that could not be segmented."""
    record = {
        **_common(task, attempt),
        "state": FAILED,
        "reason": " ".join(reason.split()),
        "seconds": None if seconds is None else round(seconds, 3),
        "footprint": _footprint_of_scene(task),
    }
    with contextlib.suppress(OSError):
        if task.job.overwrite or not _is_foreign(task):
            write_record(task.record, record, f"{task.run}{uuid.uuid4().hex[:8]}")
    return record


def model_key(name: str) -> str:
    """Hash of all files of a model: that of its checksums."""
    try:
        return hashlib.sha256((find_model(name) / CHECKSUMS).read_bytes()).hexdigest()
    except OSError as error:
        raise BadInput(f"Model '{name}' cannot be read ({error.strerror}); copy its folder again.") from None


class _Run:
    """One attempt: what its steps share."""

    def __init__(self, task: SceneTask, report: Report, models: dict[str, Any], job_id: str, attempt: int) -> None:
        self.task, self.job, self.report, self.models = task, task.job, report, models
        self.job_id, self.attempt = job_id, attempt
        self.warnings: list[str] = []
        self.outputs = task.outputs

    def result(self) -> dict[str, Any]:
        """Carry out all steps and return the record."""
        from .segment import segment  # brings torch, which whoever lists scenes does without

        task, job, outputs = self.task, self.job, self.outputs
        self.report.check()
        self._claim()
        began = time.monotonic()
        raster = task.raster
        if task.parts:
            raster = outputs["stack"]
            stack_bands(task.parts, raster, self.job_id)
        files = self._files(raster)
        state = state_of(files)
        if model_key(str(job.model)) != task.model_key:
            raise BadInput(
                f"The worker's model '{job.model}' is another than that of whoever started the archive; "
                "install the same models on every machine."
            )
        adapted = self._adapt(raster) if job.adapt else None
        model = adapted["path"] if adapted else str(job.model)
        found = segment(
            SegmentJob(
                **self._scene(raster),
                hazard=job.hazard,
                mask=outputs["mask"],
                model=model,
                probability=outputs.get("probability"),
                area=job.area,
                threshold=job.threshold,
                date=task.date,
                scene_name=Path(task.title).name,
                device=self._device(),
                backend=job.backend,
                batch_size=job.batch_size,
                overwrite=True,
            ),
            self._part(LEFT_BY_ADAPTING if adapted else 0.0, 0.95),
            self.models,
        )
        if adapted:
            self.models.pop(model, None)
        self.warnings += found["warnings"]
        count = self._polygons() if job.polygons else None
        with TaggedRaster(outputs["mask"]) as mask:
            date, footprint = mask.tags.get("HAZARD_SCENE_DATE"), footprint_wkt(mask.georeference, mask.window)
        record = {
            **_common(task, self.attempt),
            "state": DONE,
            "reason": None,
            "date": date,
            "threshold": found["threshold"],
            "model_sha256": found["model_sha256"],
            "scene_sha256": found["scene_sha256"],
            "files": state if found["scene_sha256"] else [],
            "footprint": footprint,
            "area_m2": found["hazard_area_m2"],
            "share_assessed": found["share_assessed"],
            "polygon_count": count,
            "adaptation": adapted["verdict"] if adapted else None,
            "seconds": round(time.monotonic() - began, 3),
            "device": found["device"],
            "warnings": list(dict.fromkeys(self.warnings)),
            "outputs": {kind: state_of_output(path, hashed=kind != "polygons") for kind, path in outputs.items()},
        }
        write_record(task.record, record, self.job_id)
        return record

    def _claim(self) -> None:
        """Say on the disk that the outputs are this archive's, or raise OutputFailed where they are somebody's."""
        task = self.task
        if not self.job.overwrite and (foreign := _is_foreign(task)):
            raise OutputFailed(foreign)
        try:
            for path in (*self.outputs.values(), task.record):
                os.makedirs(os.path.dirname(path), exist_ok=True)
            write_record(
                task.record,
                {**_common(task, self.attempt), "state": BEGUN, "worker": [platform.node(), os.getpid()]},
                self.job_id,
            )
        except OSError as error:
            raise OutputFailed(
                f"'{error.filename or self.job.out}' cannot be written to ({error.strerror}); check folder and disk."
            ) from None

    def _scene(self, raster: str) -> dict[str, Any]:
        job = self.job
        return {
            "raster": raster,
            "bands": job.bands,
            "sensor": job.sensor,
            "units": job.units,
            "gsd_m": job.gsd_m,
        }

    def _files(self, raster: str) -> tuple[str, ...]:
        with Scene(SceneJob(**self._scene(raster))) as scene:
            return scene.files()

    def _adapt(self, raster: str) -> dict[str, Any]:
        from .adapt import adapt

        task, job = self.task, self.job
        short = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(task.name).name).strip("_-")[:40] or "scene"
        digest = hashlib.sha256(os.fsencode(f"{task.name}_{job.hazard}")).hexdigest()[:8]
        folder = os.path.join(job.out, "models", f"{short}-{digest}")
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        found = adapt(
            AdaptJob(
                **self._scene(raster),
                hazard=job.hazard,
                model=job.model,
                save=folder,
                area=job.area,
                budget_s=job.budget_s,
                date=task.date,
                device=self._device(),
                overwrite=True,
            ),
            self._part(0.0, LEFT_BY_ADAPTING),
            self.models,
        )
        self.warnings += found["warnings"]
        return found

    def _polygons(self) -> int:
        from .polygons import polygons

        path = self.outputs["polygons"]
        found = polygons(
            PolygonsJob(
                mask=self.outputs["mask"],
                out=path,
                probability=self.outputs.get("probability"),
                minimum_area_m2=self.job.minimum_area_m2,
                manual=path if os.path.isfile(path) else None,
                overwrite=True,
            ),
            self._part(0.95, 0.99),
        )
        self.warnings += found["warnings"]
        return int(found["count"])

    def _part(self, first: float, last: float) -> Report:
        """Report of one step, which spans a part of the scene's work."""
        tell = self.report

        def progress(stage: str, share: float, seconds_left: float | None) -> None:
            tell.progress(min(share, 0.999), first, last)

        return Report(progress, cancelled=tell.cancelled, job_id=self.job_id, finish=tell.finish)

    def _device(self) -> str:
        """The job's device; with several GPUs each worker has one of its own."""
        if self.job.device != "auto":
            return self.job.device
        import torch

        number = os.environ.get("HAZARD_ARCHIVE_WORKER", "0")
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        return f"cuda:{int(number) % count}" if count > 1 and number.isdigit() else "auto"


def _common(task: SceneTask, attempt: int) -> dict[str, Any]:
    return {
        "scene": task.title,
        "name": task.name,
        "source": source_of(task),
        "source_version": task.version,
        "date": task.date,
        "hazard": task.job.hazard,
        "model": task.job.model,
        "job_key": task.job_key,
        "model_key": task.model_key,
        "run": task.run_id,
        "attempts": attempt,
        "finished_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def _is_foreign(task: SceneTask) -> str:
    """A sentence where an output exists that no earlier run of this archive wrote, or that was changed since."""
    record = read_record(task.record)
    for kind, path in task.outputs.items():
        if not os.path.lexists(path):
            continue
        if record is None:
            return f"'{path}' exists and is from no earlier run; move it, or allow to overwrite it (--overwrite)."
        kept = (record.get("outputs") or {}).get(kind)
        with contextlib.suppress(OSError, KeyError, TypeError):
            if kept and kind != "polygons" and output_changed(path, kept):
                return (
                    f"'{path}' was changed after it was written; move it to keep it, or allow to overwrite it "
                    "(--overwrite)."
                )
    return ""


def _footprint_of_scene(task: SceneTask) -> str | None:
    """Footprint of a scene that failed, where it can be opened at all."""
    for raster in source_of(task)[:1]:
        with contextlib.suppress(HazardError, RuntimeError, OSError, ValueError), Scene(SceneJob(raster)) as scene:
            return footprint_wkt(scene.georeference, Window(0, 0, scene.width, scene.height))
    return None


def limit_threads(threads: int | None) -> None:
    """Let PyTorch use so many threads in this process from now on; None leaves it as it is."""
    if threads is not None:
        import torch

        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
