"""The jobs that look after models, one frozen dataclass each (standard library only)."""

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from .delivery_jobs import check_ending
from .fields import ARCHITECTURES, SLOTS, BadInput, check_choice, check_range, option, parse_names, require

INPUT_SCALES = ("stretched", "stretched-0-1", "db")
"""What weights without a card take: optical bands stretched from the scene's 2 % to its 98 % quantile, to -1 to 1
or to 0 to 1; radar bands in decibels."""
OUTPUTS = ("sigmoid", "softmax")


def parse_numbers(text: str) -> Tuple[float, ...]:
    """``"0.5,1"`` to numbers; raises BadInput otherwise."""
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise BadInput(f"'{text}' is not a list of numbers; expected for example 0.5 or 0.5,0.4.") from None


@dataclass(frozen=True)
class ImportModelJob:
    """Install a model from a folder or a zip, after every file was checked."""

    path: str = option("", help="folder or zip with card, weights and checksums", metavar="PATH", required=True)
    name: Optional[str] = option(help="name to install it under; the card's own when not given", metavar="NAME")
    overwrite: bool = option(False, help="replace a model of your own that has this name")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)


@dataclass(frozen=True)
class ExportModelJob:
    """Pack a model into a zip that can be imported elsewhere."""

    model: str = option("", help="model name or folder", metavar="NAME|FOLDER", required=True)
    to: str = option("", help="zip to write", metavar="ZIP", required=True)
    overwrite: bool = option(False, help="replace a zip that exists")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        check_ending("model package", self.to, (".zip",))


@dataclass(frozen=True)
class DeleteModelJob:
    """Delete one of your own models."""

    model: str = option("", help="model name", metavar="NAME", required=True)
    with_adapted: bool = option(False, help="delete the models adapted from it too; they cannot be used without it")
    yes: bool = option(False, help="do delete; without this it is only said what would be deleted")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)


@dataclass(frozen=True)
class DefaultModelJob:
    """Choose the model that answers for a hazard when none is named."""

    hazard: str = option("", help="hazard, as named in the model's card", metavar="HAZARD", required=True)
    model: Optional[str] = option(
        help="model name; when not given, your choice is forgotten and the cards decide", metavar="NAME"
    )

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)


@dataclass(frozen=True)
class AdoptWeightsJob:
    """Make a model out of weights without a card: a plain U-Net of the library, or a network of this program."""

    weights: str = option("", help="weights (safetensors; nothing else is read)", metavar="FILE", required=True)
    name: str = option("", help="name to install it under", metavar="NAME", required=True)
    architecture: str = option("unet", help="network", choices=ARCHITECTURES)
    encoder: str = option("", help="its encoder, as the library names it", metavar="NAME", required=True)
    decoder_channels: Tuple[int, ...] = option(
        (),
        help="channels of its decoder, coarse to fine; found out from the weights when not given",
        metavar="N,N,...",
        parse=lambda text: tuple(round(number) for number in parse_numbers(text)),
    )
    hazards: Tuple[str, ...] = option(
        (), help="hazards that its outputs show, in order", metavar="NAMES", parse=parse_names
    )
    bands: Tuple[str, ...] = option(
        (), help="slots that it takes, in order: %s" % ", ".join(SLOTS), metavar="SLOTS", parse=parse_names
    )
    scale: str = option("stretched", help="values that it takes", choices=INPUT_SCALES)
    mean: Tuple[float, ...] = option(
        (), help="means that were subtracted, one a band", metavar="M,M,...", parse=parse_numbers
    )
    std: Tuple[float, ...] = option(
        (), help="deviations divided by afterwards, one a band", metavar="S,S,...", parse=parse_numbers
    )
    output: str = option("sigmoid", help="how its outputs become probabilities", choices=OUTPUTS)
    thresholds: Tuple[float, ...] = option(
        (), help="decision thresholds, one a hazard; 0.5 when not given", metavar="T,T,...", parse=parse_numbers
    )
    gsd_min_m: float = option(3.0, help="finest metres a pixel that it is good for", metavar="G", parse=float)
    gsd_max_m: float = option(30.0, help="coarsest metres a pixel that it is good for", metavar="G", parse=float)
    licence: str = option("", help="licence of the weights", metavar="TEXT", required=True)
    title: str = option("", help="title in lists; the name when not given", metavar="TEXT")
    description: str = option("", help="what it is for and where it is from", metavar="TEXT")
    overwrite: bool = option(False, help="replace a model of your own that has this name")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        check_choice("Architecture", self.architecture, ARCHITECTURES)
        check_choice("Scale", self.scale, INPUT_SCALES)
        check_choice("Output", self.output, OUTPUTS)
        if not self.hazards:
            raise BadInput("No hazard is given; name what the network's outputs show, for example flood.")
        if len(set(self.hazards)) != len(self.hazards) or len(self.hazards) > 64:
            raise BadInput("Hazards repeat, or are more than 64; give each output a name of its own.")
        if len(set(self.bands)) != len(self.bands):
            raise BadInput("A band is named twice; name each once, in the order in which the network takes them.")
        for slot in self.bands:
            check_choice("Band slot", slot, SLOTS)
        for name, values, wanted in (
            ("Means", self.mean, len(self.bands)),
            ("Deviations", self.std, len(self.bands)),
            ("Thresholds", self.thresholds, len(self.hazards)),
        ):
            if values and len(values) != wanted:
                raise BadInput(f"{name} are {len(values)}, expected {wanted}; give one each, or none at all.")
        for value in self.thresholds:
            check_range("Threshold", value, 0.001, 0.999)
        for value in self.mean:
            check_range("Mean", value, -1e6, 1e6)
        for value in self.std:
            check_range("Deviation", value, 1e-6, 1e6)
        for name, size in (("Finest", self.gsd_min_m), ("Coarsest", self.gsd_max_m)):
            check_range(f"{name} ground sampling distance", size, 0.01, 100_000)
        if self.gsd_min_m > self.gsd_max_m:
            raise BadInput("The finest ground sampling distance is above the coarsest; exchange them.")


MODEL_JOBS: Dict[str, type] = {
    "import-model": ImportModelJob,
    "export-model": ExportModelJob,
    "delete-model": DeleteModelJob,
    "default-model": DefaultModelJob,
    "adopt-weights": AdoptWeightsJob,
}
"""Kind of job to its definition."""
