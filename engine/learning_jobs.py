"""The jobs that teach a network: pre-training, and training for hazards (standard library only)."""

import dataclasses
from dataclasses import dataclass
from typing import Optional, Tuple

from .fields import (
    ARCHITECTURES,
    HAZARDS,
    OPTIMIZERS,
    SIMULATED,
    UNITS,
    BadInput,
    check_choice,
    check_range,
    option,
    parse_bands,
    parse_codes,
    parse_names,
    require,
)
from .scene_jobs import SEEDS


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
    before: bool = option(
        False, help="teach what is new since a scene from before, above a trained model that stays as it is"
    )
    before_bands: Optional[Tuple[str, ...]] = option(
        help="one slot a band of each scene from before; found out when not given", metavar="SLOTS", parse=parse_bands
    )
    before_units: Optional[str] = option(
        help="units of the scenes from before; found out when not given", choices=UNITS, metavar="NAME"
    )
    also: Tuple[str, ...] = option(
        (),
        help="more models whose answers what is new is taught to fit",
        metavar="NAMES",
        parse=parse_names,
    )

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        super().__post_init__()
        check_choice("Architecture", self.architecture, ARCHITECTURES)
        check_choice("Units", self.units, UNITS)
        check_choice("Units of the scenes from before", self.before_units, UNITS)
        check_choice("Hazard left out", self.leave_out, HAZARDS)
        check_range("Share of replay", self.replay, 0, 0.95)
        if self.leave_out and self.data != SIMULATED:
            raise BadInput(
                "A hazard can be left out of simulated scenes only; use --data simulated, or drop --leave-out."
            )
        if self.leave_out in self.hazard:
            raise BadInput(f"Hazard '{self.leave_out}' is to be trained and left out; choose one.")
        if self.before:
            self._require_before()
            return
        given = self._given("before_bands", "before_units", "also")
        if given:
            raise BadInput(f"{given[0]} speaks of scenes from before; add --before, or leave it out.")

    def _require_before(self) -> None:
        if self.model is None:
            raise BadInput(
                "--before teaches what is new to a trained model, which stays as it is; name it with --model."
            )
        unused = self._given("architecture", "encoder", "all_bands", "cache")
        if unused:
            raise BadInput(f"{unused[0]} means nothing with --before, which leaves the model as it is; leave it out.")
        if self.data == SIMULATED:
            own = self._given(
                "hazard", "positive", "ignore", "bands", "units", "gsd_m", "replay", "before_bands", "before_units"
            )
            if own:
                raise BadInput(
                    f"{own[0]} speaks of labelled scenes of your own, and the data are simulated pairs; give their "
                    "folder as --data, or leave it out."
                )

    def _given(self, *names: str) -> Tuple[str, ...]:
        """Flags of those of these fields that differ from their defaults."""
        defaults = {spec.name: spec.default for spec in dataclasses.fields(self)}
        return tuple("--" + name.replace("_", "-") for name in names if getattr(self, name) != defaults[name])
