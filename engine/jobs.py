"""The jobs that the engine carries out, one frozen dataclass each, which validates itself (standard library only)."""

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Tuple, Type, Union

from .archive_jobs import ARCHIVE_JOBS
from .delivery_jobs import DELIVERY_JOBS, check_ending, check_not_same
from .fields import (
    ADAPTATION_MODES,
    HAZARDS,
    BadInput,
    can_be_written,
    check_choice,
    check_range,
    option,
    parse_codes,
    parse_names,
    require,
)
from .learning_jobs import PretrainJob, TrainJob
from .model_jobs import MODEL_JOBS
from .scene_jobs import SEEDS, AdaptJob, InspectJob, SegmentJob


@dataclass(frozen=True)
class EvaluateJob:
    """Score a mask against a reference on the same grid."""

    mask: str = option("", help="mask to score (1 hazard, 0 none, 255 left out)", metavar="M", required=True)
    reference: str = option(
        "", help="reference raster on the same grid, or polygons of the hazard", metavar="R", required=True
    )
    positive: Tuple[int, ...] = option(
        (1,), help="reference codes that mean hazard", metavar="CODES", parse=parse_codes
    )
    ignore: Tuple[int, ...] = option((255,), help="reference codes to leave out", metavar="CODES", parse=parse_codes)
    errors: Optional[str] = option(
        help="errors to write (GeoTIFF: 0 right, 1 hit, 2 miss, 3 false alarm, 255 left out)", metavar="E"
    )
    overwrite: bool = option(False, help="replace errors that exist")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        if self.errors:
            check_ending("error layer", self.errors, (".tif", ".tiff"))
            check_not_same("error layer", self.errors, (self.mask, self.reference))
        both = set(self.positive) & set(self.ignore)
        if both:
            raise BadInput(f"Code {sorted(both)[0]} is both positive and ignored; give it one meaning.")


@dataclass(frozen=True)
class SimulateJob:
    """Write simulated scenes with their labels, and a contact sheet to look at."""

    out: str = option("", help="folder to write to", metavar="FOLDER", required=True)
    scenes: int = option(8, help="how many", metavar="N", parse=int)
    hazard: Optional[str] = option(
        help="hazard of all scenes; all in turn when not given", choices=(*HAZARDS, "none"), metavar="HAZARD"
    )
    seed: int = option(0, help="same seed, same scenes", metavar="S", parse=int)
    size_px: int = option(384, help="side of a scene in pixels, 64 to 2048", metavar="N", parse=int)
    gsd_m: Optional[float] = option(
        help="metres a pixel; drawn for each scene when not given", metavar="G", parse=float
    )
    overwrite: bool = option(False, help="replace scenes that exist")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        check_choice("Hazard", self.hazard, (*HAZARDS, "none"))
        check_range("Number of scenes", self.scenes, 1, 10_000)
        check_range("Size", self.size_px, 64, 2048)
        check_range("Seed", self.seed, *SEEDS)


@dataclass(frozen=True)
class ScorecardJob:
    """Score models on every set found under HAZARD_DATA, beside rules that need no training."""

    models: Tuple[str, ...] = option(
        (), help="names or folders; all when not given", metavar="NAMES", parse=parse_names
    )
    sets: Tuple[str, ...] = option(
        (), help="sets whose names begin so; all when not given", metavar="NAMES", parse=parse_names
    )
    data: Optional[str] = option(help="folder of real scenes; HAZARD_DATA when not given", metavar="FOLDER")
    markdown: Optional[str] = option(help="write the table as Markdown too", metavar="FILE")
    write_cards: bool = option(False, help="store each model's rows in its card")
    overwrite: bool = option(False, help="replace the Markdown file if it exists")
    adapt: Tuple[str, ...] = option(
        (),
        help="also adapt to each scene, in these modes: %s; none when not given" % ", ".join(ADAPTATION_MODES),
        metavar="MODES",
        parse=parse_names,
    )
    adapt_scenes: int = option(
        4, help="scenes a set that are adapted to, spread evenly over it", metavar="N", parse=int
    )
    adapt_steps: int = option(32, help="gradient steps a scene when adapting", metavar="N", parse=int)
    before: bool = option(False, help="score with and without a scene from before instead, on pairs of scenes")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        for mode in self.adapt:
            check_choice("Mode of --adapt", mode, ADAPTATION_MODES)
        check_range("Scenes to adapt to", self.adapt_scenes, 1, 1_000)
        check_range("Number of steps", self.adapt_steps, 0, 1_000_000)


@dataclass(frozen=True)
class DownloadJob:
    """Download a public data set for pre-training; asks first and goes on where it stopped."""

    dataset: str = option("", help="which", choices=("bigearthnet-v2",), required=True, positional=True)
    to: str = option("", help="folder to download to", metavar="FOLDER", required=True)
    parts: Tuple[str, ...] = option((), help="parts of it; all when not given", metavar="NAMES", parse=parse_names)
    url: Optional[str] = option(help="another server that holds the same files", metavar="URL")
    yes: bool = option(False, help="do not ask")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)


@dataclass(frozen=True)
class ModelsJob:
    """List the models that can be used."""


@dataclass(frozen=True)
class DevicesJob:
    """List the devices that can be used."""


JOBS: Dict[str, type] = {
    "inspect": InspectJob,
    "segment": SegmentJob,
    "adapt": AdaptJob,
    "evaluate": EvaluateJob,
    "simulate": SimulateJob,
    "pretrain": PretrainJob,
    "train": TrainJob,
    "scorecard": ScorecardJob,
    "download": DownloadJob,
    "models": ModelsJob,
    "devices": DevicesJob,
    **ARCHIVE_JOBS,
    **DELIVERY_JOBS,
    **MODEL_JOBS,
}
"""Kind of job, as in messages and on the command line, to its definition."""

LARGEST_WHOLE = 2**63 - 1

QUICK_JOBS = ("inspect", "models", "devices", "provenance", "default-model", "delete-model")
"""Kinds that the worker answers at once, beside a running job."""


def job_to_dict(job: Any) -> Dict[str, Any]:
    """Job to a dictionary of JSON values, defaults included."""
    return {
        spec.name: list(value) if isinstance(value := getattr(job, spec.name), tuple) else value
        for spec in dataclasses.fields(job)
    }


def job_from_dict(kind: str, values: Mapping[str, Any]) -> Any:
    """Dictionary to a job of this kind; raises BadInput for an unknown kind or field, or values that cannot be."""
    if kind not in JOBS:
        raise BadInput(f"Job '{kind[:60]}' is not known; use one of {', '.join(JOBS)}.")
    cls: Type[Any] = JOBS[kind]
    known = {spec.name for spec in dataclasses.fields(cls)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise BadInput(
            f"Job '{kind}' has no field '{unknown[0][:60]}'; plugin and engine differ in version: repair the engine."
        )
    clean = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    for spec in dataclasses.fields(cls):
        if spec.name not in clean:
            continue
        if not _fits(clean[spec.name], spec.type):
            raise BadInput(f"Job '{kind}' has {str(clean[spec.name])[:60]!r} as {spec.name}; repair the engine.")
        if not can_be_written(clean[spec.name]):
            raise BadInput(f"Job '{kind}' has characters in {spec.name} that no name can have; choose another name.")
    return cls(**clean)


def _fits(value: Any, kind: Any) -> bool:
    """Whether a JSON value can stand for a field of this type."""
    if typing.get_origin(kind) is Union:
        return any(_fits(value, part) for part in typing.get_args(kind))
    if typing.get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_fits(part, typing.get_args(kind)[0]) for part in value)
    if isinstance(value, int) and not -LARGEST_WHOLE <= value <= LARGEST_WHOLE:
        return False  # no float holds it, and no file a number so long
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
