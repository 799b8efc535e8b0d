"""What the plugin, the command line and the worker agree on: jobs, events and errors (standard library only)."""

import contextlib
import hashlib
import os
from typing import Any, Dict, List

from .archive_jobs import ArchiveJob
from .delivery_jobs import (
    ON_SLOPE,
    PERMANENT_WATER,
    VECTOR_FORMATS,
    ChangeJob,
    CorrectJob,
    KeepJob,
    PolygonsJob,
    ProvenanceJob,
    RefineJob,
    RepeatJob,
    SeriesJob,
    ThresholdJob,
    UnassessedJob,
    ZonesJob,
    check_ending,
)
from .fields import (
    ADAPTATION_MODES,
    ARCHITECTURES,
    HAZARDS,
    NOT_ASSESSED,
    OPTICAL_SLOTS,
    OPTIMIZERS,
    SAR_SLOTS,
    SENSORS,
    SIMULATED,
    SLOTS,
    UNITS,
    UNUSED,
    BadInput,
    Cancelled,
    HazardError,
    OutputFailed,
    check_choice,
    check_range,
    option,
    parse_bands,
    parse_codes,
    parse_date,
    parse_extent,
    parse_names,
    require,
    same_path,
    validate_bands,
    validate_extent,
)
from .jobs import (
    JOBS,
    QUICK_JOBS,
    DevicesJob,
    DownloadJob,
    EvaluateJob,
    ModelsJob,
    ScorecardJob,
    SimulateJob,
    job_from_dict,
    job_to_dict,
)
from .learning_jobs import LearningJob, PretrainJob, TrainJob
from .model_jobs import (
    INPUT_SCALES,
    OUTPUTS,
    AdoptWeightsJob,
    DefaultModelJob,
    DeleteModelJob,
    ExportModelJob,
    ImportModelJob,
    parse_numbers,
)
from .product_names import date_in_name
from .scene_jobs import AdaptJob, InspectJob, PairJob, SceneJob, SegmentJob

__all__ = [
    "ADAPTATION_MODES",
    "ARCHITECTURES",
    "ENDINGS",
    "HAZARDS",
    "INPUT_SCALES",
    "JOBS",
    "NOT_ASSESSED",
    "ON_SLOPE",
    "OPTICAL_SLOTS",
    "OPTIMIZERS",
    "OUTPUTS",
    "PERMANENT_WATER",
    "PROTOCOL_VERSION",
    "QUICK_JOBS",
    "REPLACED",
    "SAR_SLOTS",
    "SENSORS",
    "SIMULATED",
    "SLOTS",
    "UNITS",
    "UNUSED",
    "VECTOR_FORMATS",
    "AdaptJob",
    "AdoptWeightsJob",
    "ArchiveJob",
    "BadInput",
    "Cancelled",
    "ChangeJob",
    "CorrectJob",
    "DefaultModelJob",
    "DeleteModelJob",
    "DevicesJob",
    "DownloadJob",
    "EvaluateJob",
    "ExportModelJob",
    "HazardError",
    "ImportModelJob",
    "InspectJob",
    "KeepJob",
    "LearningJob",
    "ModelsJob",
    "OutputFailed",
    "PairJob",
    "PolygonsJob",
    "PretrainJob",
    "ProvenanceJob",
    "RefineJob",
    "RepeatJob",
    "SceneJob",
    "ScorecardJob",
    "SegmentJob",
    "SeriesJob",
    "SimulateJob",
    "ThresholdJob",
    "TrainJob",
    "UnassessedJob",
    "ZonesJob",
    "cancel_message",
    "check_choice",
    "check_ending",
    "check_range",
    "date_in_name",
    "finish_message",
    "job_from_dict",
    "job_message",
    "job_to_dict",
    "option",
    "parse_bands",
    "parse_codes",
    "parse_date",
    "parse_extent",
    "parse_names",
    "parse_numbers",
    "partial_files",
    "partial_path",
    "put_back",
    "require",
    "same_path",
    "shutdown_message",
    "validate_bands",
    "validate_extent",
]

PROTOCOL_VERSION = 1
REPLACED = ".replaced"
"""Ending, after that of an unfinished file, of what it is to replace: until then that may be all there is of it."""


def partial_path(final: str, job_id: str) -> str:
    """Name under which an output is written until it is complete: same folder, hidden, named after the job."""
    folder, name = os.path.split(final)
    return os.path.join(folder, _partial_stem(name, job_id) + os.path.splitext(name)[1])


def partial_files(final: str, job_id: str) -> List[str]:
    """All unfinished files that a job left beside an output (none after an orderly end)."""
    return [path for path in _named_after(final, job_id) if not path.endswith(REPLACED)]


def put_back(final: str, job_id: str) -> None:
    """Give what a job that is over was replacing its name back, where no file has that name now.

    The same goes for files beside the output that are named alike, such as its style.
    """
    stem, prefix = os.path.splitext(final)[0], _partial_stem(os.path.basename(final), job_id)
    for path in _named_after(final, job_id):
        if path.endswith(REPLACED):
            name = stem + os.path.basename(path)[len(prefix) : -len(REPLACED)]
            with contextlib.suppress(OSError):
                if os.path.lexists(name):
                    os.remove(path)
                else:
                    os.replace(path, name)


def _named_after(final: str, job_id: str) -> List[str]:
    folder, name = os.path.split(final)
    prefix = _partial_stem(name, job_id)
    try:
        names = os.listdir(folder or ".")
    except (OSError, ValueError):
        return []
    return [os.path.join(folder, entry) for entry in sorted(names) if entry.startswith(prefix)]


def _partial_stem(name: str, job_id: str) -> str:
    stem = os.path.splitext(name)[0]
    encoded = stem.encode("utf-8", "surrogateescape")
    if len(encoded) > 120:  # file systems end at 255 bytes, some at 143
        stem = hashlib.sha256(encoded).hexdigest()[:32]
    return f".{stem}.{job_id}.partial"


# Messages from the plugin to the worker, one JSON object a line.


def job_message(job_id: str, kind: str, job: Any) -> Dict[str, Any]:
    """Ask for a job."""
    return {"type": "job", "protocol": PROTOCOL_VERSION, "id": job_id, "kind": kind, "job": job_to_dict(job)}


def cancel_message(job_id: str) -> Dict[str, Any]:
    """Cancel a job, running or waiting."""
    return {"type": "cancel", "id": job_id}


def finish_message(job_id: str) -> Dict[str, Any]:
    """End an adaptation early and keep the best that it has found so far."""
    return {"type": "finish", "id": job_id}


def shutdown_message() -> Dict[str, Any]:
    """End the worker; so does the end of its standard input."""
    return {"type": "shutdown"}


# Events from the worker, one JSON object a line. A job ends with exactly one of ENDINGS.
# hello:     protocol, engine, torch, gdal, python, devices ([{name, kind, memory_bytes, default}])
# started:   id
# progress:  id, stage (text), share (0-1), seconds_left (number or null)
# log:       id, level (info | warning), text
# metrics:   id, step, values (name to number: losses and scores of a training run, for its curves)
# preview:   id, file (a small mask of what is in view), pixel_m, refined (share of its rows that are final)
# done:      id, result (the JSON of CONTRACT's command of the same kind)
# cancelled: id, partial ({folder, rows_done, rows}, where the job left what was finished for a keep job)
# failed:    id, code (bad_input | output | internal), message (one sentence for the user)

ENDINGS = ("done", "cancelled", "failed")
