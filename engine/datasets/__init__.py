"""Training data on disk in the layouts that people have them: public data sets as downloaded, or folders of pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from ..protocol import BadInput
from ..samples import LabelledData
from .before_folder import BeforeFolder
from .bigearthnet import BigEarthNetV2
from .bigearthnet_v1 import BigEarthNetV1
from .folder import EarlierOptions, ImageFolder, ReadingOptions
from .landslide4sense import Landslide4Sense
from .pairs import labels_hazards
from .patches import SENTINEL_2_V1, folders_of, holds_patches
from .sen1floods11 import Sen1Floods11

__all__ = [
    "BeforeFolder",
    "BigEarthNetV1",
    "BigEarthNetV2",
    "EarlierOptions",
    "ImageFolder",
    "Landslide4Sense",
    "ReadingOptions",
    "Sen1Floods11",
    "TrainingData",
    "open_training_data",
]


class TrainingData(LabelledData, Protocol):
    """A source of labelled scenes on disk that also says what it left out and why."""

    notes: tuple[str, ...]
    """For the user and the log: one sentence each."""


def open_training_data(
    folder: str | Path,
    *,
    hazards: Sequence[str] = (),
    positive: Sequence[int] = (1,),
    ignore: Sequence[int] = (255,),
    bands: Sequence[str] | None = None,
    units: str | None = None,
    gsd_m: float | None = None,
    before: EarlierOptions | None = None,
    surface: bool = False,
) -> TrainingData:
    """Find out what lies in a folder of training data and open it; no pixel is read, damaged files are found later.

    Known are, as downloaded: BigEarthNet v2 and v1, Sen1Floods11, Landslide4Sense. Anything else is taken as pairs of
    images and labels (see ``pairs.find_pairs`` for the layouts).

    Args:
        folder: where the data lie.
        hazards: what the labels show; a public data set and folders that name their hazard say it themselves.
        positive: label codes that mean hazard (pairs only).
        ignore: label codes to leave out (pairs only).
        bands: one slot a band of each image (pairs only); found out when not given.
        units: units of the images (pairs only); found out when not given.
        gsd_m: metres a pixel (pairs only), where no CRS says it.
        before: how scenes from before the event are to be read; the data are then a ``BeforeFolder``, and must have
            such scenes.
        surface: whether natural and artificial surfaces are wanted; folders that label hazards are refused.

    Raises:
        BadInput: when there is no such folder, or nothing in it that training can use.
    """
    place = Path(folder)
    if not place.is_dir():
        raise BadInput(f"There is no folder '{folder}' of training data; check the path.")
    options = ReadingOptions(tuple(positive), tuple(ignore), tuple(bands) if bands else None, units, gsd_m, before)
    try:
        if surface:
            _require_surfaces(place)
        return _open(place, tuple(hazards), options)
    except OSError as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"'{folder}' cannot be read ({error.strerror}); check its permissions and its disk.") from None


def _open(place: Path, hazards: tuple[str, ...], options: ReadingOptions) -> TrainingData:
    if options.earlier is not None:
        _refuse_public(place)
        return BeforeFolder(place, hazards, options)
    if BigEarthNetV2.lies_in(place):
        _refuse_hazards("BigEarthNet v2", hazards)
        return _noting(BigEarthNetV2(place), "v1" if holds_patches(place, SENTINEL_2_V1) else None)
    if BigEarthNetV1.lies_in(place):
        _refuse_hazards("BigEarthNet v1", hazards)
        inside = next((name for name in folders_of(place) if BigEarthNetV2.lies_in(place / name)), None)
        return _noting(BigEarthNetV1(place), inside and f"v2 in '{inside}'")
    if Sen1Floods11.lies_in(place):
        return Sen1Floods11(place, only_hazard("Sen1Floods11", hazards, "flood"))
    if Landslide4Sense.lies_in(place):
        return Landslide4Sense(place, only_hazard("Landslide4Sense", hazards, "landslide"))
    return ImageFolder(place, hazards, options)


def _noting(data: BigEarthNetV1 | BigEarthNetV2, ignored: str | None) -> TrainingData:
    """The data with a note on the other version, where it lies in the same folder."""
    if ignored is not None:
        data.notes = (f"{data.name} is read; {ignored} is ignored: give each version's own folder.", *data.notes)
    return data


def _require_surfaces(place: Path) -> None:
    """Raise BadInput for a folder that is no BigEarthNet, the only data known that label surfaces."""
    if BigEarthNetV2.lies_in(place) or BigEarthNetV1.lies_in(place):
        return
    wanted = "give a folder of BigEarthNet, or 'simulated', to pre-train"
    if not (Sen1Floods11.lies_in(place) or Landslide4Sense.lies_in(place) or labels_hazards(place)):
        raise BadInput(f"'{place.name}' holds no natural and artificial surfaces in a form that is known; {wanted}.")
    raise BadInput(
        f"'{place.name}' labels hazards, and pre-training needs natural and artificial surfaces; use train for these "
        f"labels, or {wanted}."
    )


def only_hazard(name: str, hazards: Sequence[str], usual: str) -> str:
    """The one hazard that a data set's labels are taken for; raises BadInput for several."""
    if len(hazards) > 1:
        raise BadInput(
            f"{len(hazards)} hazards are named, but {name} labels one; name one, or none for '{usual}', with --hazard."
        )
    return hazards[0] if hazards else usual


def _refuse_hazards(name: str, hazards: Sequence[str]) -> None:
    if hazards:
        raise BadInput(
            f"{name} tells natural from artificial and labels no hazard such as '{hazards[0]}'; use it to pre-train, "
            "and data with hazard labels to train."
        )


def _refuse_public(place: Path) -> None:
    """Raise BadInput for a public data set: none of those known has scenes from before."""
    public: dict[str, Callable[[Path], bool]] = {
        "BigEarthNet v2": BigEarthNetV2.lies_in,
        "BigEarthNet v1": BigEarthNetV1.lies_in,
        "Sen1Floods11": Sen1Floods11.lies_in,
        "Landslide4Sense": Landslide4Sense.lies_in,
    }
    for name, lies_in in public.items():
        if lies_in(place):
            raise BadInput(
                f"{name} has no scenes from before the event; give a folder with images/, labels/ and before/, or "
                "simulated."
            )
