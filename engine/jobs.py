"""The jobs that the engine carries out, one frozen dataclass each, which validates itself (standard library only)."""

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Tuple, Type, Union

from .archive_jobs import ARCHIVE_JOBS
from .delivery_jobs import DELIVERY_JOBS, check_ending, check_not_same
from .fields import (
    ADAPTATION_MODES,
    ARCHITECTURES,
    HAZARDS,
    OPTIMIZERS,
    UNITS,
    BadInput,
    can_be_written,
    check_choice,
    check_range,
    option,
    parse_bands,
    parse_codes,
    parse_names,
    require,
)
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
class LearningJob:
    """What every training run is told."""

    data: str = option("", help="simulated, or a folder of training data", metavar="simulated|FOLDER", required=True)
    save: str = option("", help="name or folder of the model to write", metavar="NAME|FOLDER", required=True)
    epochs: Optional[int] = option(
        help="passes, each followed by a validation; what suits the data when neither they nor minutes are given",
        metavar="N",
        parse=int,
    )
    iterations: Optional[int] = option(
        help="steps an epoch; all of the data, or about 200 on simulated scenes, when not given", metavar="N", parse=int
    )
    batch_size: int = option(16, help="chips a step", metavar="N", parse=int)
    learning_rate: float = option(2e-3, help="highest learning rate", metavar="R", parse=float)
    optimizer: str = option("adamw", help="optimiser", choices=OPTIMIZERS)
    patience: int = option(0, help="stop after N epochs without a better validation; 0 never", metavar="N", parse=int)
    minutes: Optional[float] = option(
        help="end by then, as if all epochs were done; earlier parts of a resumed run count", metavar="M", parse=float
    )
    seed: int = option(0, help="seed of weights, split and order", metavar="S", parse=int)
    all_bands: bool = option(False, help="train on all bands of a scene only (no channel sampling)")
    workers: int = option(1, help="processes that prepare chips", metavar="N", parse=int)
    cache: Optional[str] = option(
        help="folder in which scenes of training data are kept decoded, for this run and later ones", metavar="FOLDER"
    )
    cache_gb: float = option(
        100.0, help="most that it may hold; other scenes are decoded anew", metavar="GB", parse=float
    )
    device: str = option("auto", help="auto, cpu, cuda:N or mps", metavar="DEVICE")
    resume: bool = option(False, help="go on from the last checkpoint of the same run")
    overwrite: bool = option(False, help="replace a model that exists")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        check_choice("Optimiser", self.optimizer, OPTIMIZERS)
        check_range("Batch size", self.batch_size, 2, 4096)
        check_range("Learning rate", self.learning_rate, 1e-7, 1)
        check_range("Patience", self.patience, 0, 10_000)
        check_range("Workers", self.workers, 0, 64)
        check_range("Gigabytes of cache", self.cache_gb, 0.001, 100_000)
        check_range("Seed", self.seed, *SEEDS)
        for name, value in (("Epochs", self.epochs), ("Iterations", self.iterations), ("Minutes", self.minutes)):
            if value is not None:
                check_range(name, value, 0.01 if name == "Minutes" else 1, 1_000_000)


@dataclass(frozen=True)
class PretrainJob(LearningJob):
    """Pre-train a network to tell natural from artificial surfaces."""

    architecture: str = option("unet", help="network", choices=ARCHITECTURES)
    encoder: Optional[str] = option(help="any encoder of the library; a small one when not given", metavar="NAME")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        super().__post_init__()
        check_choice("Architecture", self.architecture, ARCHITECTURES)


@dataclass(frozen=True)
class TrainJob(LearningJob):
    """Train hazard heads, from a pre-trained model or from scratch."""

    model: Optional[str] = option(help="model to start from; from scratch when not given", metavar="PRETRAINED")
    architecture: Optional[str] = option(
        help="network; the start's own, else unet, when not given (another one takes what weights fit)",
        choices=ARCHITECTURES,
    )
    encoder: Optional[str] = option(help="its encoder; the start's or a small one when not given", metavar="NAME")
    hazard: Tuple[str, ...] = option(
        (), help="hazards that the labels show, a new name adds one", metavar="NAMES", parse=parse_names
    )
    positive: Tuple[int, ...] = option((1,), help="label codes that mean hazard", metavar="CODES", parse=parse_codes)
    ignore: Tuple[int, ...] = option((255,), help="label codes to leave out", metavar="CODES", parse=parse_codes)
    bands: Optional[Tuple[str, ...]] = option(help="one slot a band of each image", metavar="SLOTS", parse=parse_bands)
    units: Optional[str] = option(help="units of the images; found out when not given", choices=UNITS, metavar="NAME")
    gsd_m: Optional[float] = option(help="metres a pixel, where no CRS says it", metavar="G", parse=float)
    replay: float = option(
        0.25, help="share of simulated chips among yours, so that old hazards are kept", metavar="SHARE", parse=float
    )
    leave_out: Optional[str] = option(
        help="simulated hazard never to be seen, for measuring unseen hazards", choices=HAZARDS, metavar="HAZARD"
    )

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        super().__post_init__()
        check_choice("Architecture", self.architecture, ARCHITECTURES)
        check_choice("Units", self.units, UNITS)
        check_choice("Hazard left out", self.leave_out, HAZARDS)
        check_range("Share of replay", self.replay, 0, 0.95)


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
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
