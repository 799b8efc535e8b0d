"""Finds images and the labels that belong to them in a folder, as people lay such folders out (no file is opened).

Known layouts, of GeoTIFF, PNG, JPEG, JPEG 2000, VRT or IMG files:

* ``images/`` and ``labels/`` (or ``masks/``, ``annotations/``, ``gt/`` and the like), files of one name or number;
  ``labels_flood/`` names the hazard, and several such folders label several hazards of the same images;
* ``x.tif`` and ``x_mask.tif`` (``_label``, ``_gt`` ...) side by side;
* either of them in ``train/``, ``val/``, ``test/``, or with such folders inside ``images/`` and ``labels/``;
* any of these in folders named after their hazard (``flood/images``, ``landslide/images``), or after places of one
  hazard (``nepal/images``, ``japan/images``);
* beside any of these images ``before/``, with a scene of the same place and name from before the event;
* ``split.csv`` with the columns ``name`` (or ``file``, ``image``, ``chip``) and ``split``.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..protocol import HAZARDS, BadInput
from .splits import SPLIT_NAMES

IMAGE_FOLDERS = ("images", "image", "imgs", "img", "scenes", "chips")
BEFORE_FOLDER = "before"
LABEL_FOLDERS = ("labels", "label", "masks", "mask", "annotations", "annotation", "gt", "ground_truth", "groundtruth")
SUFFIXES = (".tif", ".tiff", ".png", ".jp2", ".vrt", ".img", ".jpg", ".jpeg")
"""Of several files of one name the first of these is taken: the others are previews."""
LABEL_WORDS = "mask|masks|label|labels|annotation|gt|groundtruth"
IMAGE_WORDS = "image|img|scene|rgb|chip"
SPLIT_FILE = "split.csv"
NAME_COLUMNS = ("name", "file", "filename", "image", "chip", "scene", "id")
LAYOUT = (
    "expected images/ and labels/ (or masks/) with files of one name, x.tif beside x_mask.tif, or a public data set as "
    "downloaded (BigEarthNet, Sen1Floods11, Landslide4Sense)"
)


@dataclass(frozen=True)
class Pair:
    """One image, its labels by hazard, its part of the data's own split (None without one), and the folder's name.

    ``before`` is the scene of its name from before the event; None where there is none.
    """

    image: str
    labels: tuple[tuple[str, str], ...]
    part: int | None = None
    place: str = ""
    before: str | None = None


def find_pairs(folder: Path, hazards: Sequence[str]) -> tuple[list[Pair], list[str]]:
    """All pairs of a folder in the order of their names, and notes on what was left out.

    The hazard is the one given; else the folder of the labels, of the pairs, or the folder itself names it.

    Raises:
        BadInput: when there are no pairs, or it is not clear which hazard the labels show.
    """
    notes: list[str] = []
    places = [place for place in _folders(folder) if place.name.lower() not in SPLIT_NAMES and _holds_pairs(place)]
    if _holds_pairs(folder):
        pairs = _pairs_of_place(folder, _default_hazard(folder, hazards), hazards, notes)
    elif places:
        pairs = []
        for place, hazard in _hazard_of_places(folder, places, hazards):
            found = _pairs_of_place(place, hazard, (hazard,), notes)
            pairs += [replace(pair, place=place.name) for pair in found]
    else:
        raise BadInput(f"'{folder.name}' holds no training data that is known; {LAYOUT}.")
    if not pairs:
        raise BadInput(f"No image in '{folder.name}' has a label of its name; {LAYOUT}.")
    return _with_split_file(folder, pairs, notes), notes


def labels_hazards(folder: Path) -> bool:
    """Whether a folder has a layout of pairs, whatever hazard they show."""
    return any(_holds_pairs(place) for place in (folder, *_folders(folder)))


def _hazard_of_places(folder: Path, places: Sequence[Path], hazards: Sequence[str]) -> list[tuple[Path, str]]:
    """Folders of pairs with the hazard that each shows: the one it is named after, else the same for all."""
    named = [(place, place.name) for place in places if place.name in (*HAZARDS, *hazards)]
    if not named:
        hazard = _default_hazard(folder, hazards)
        return [(place, _named_hazard(folder, hazard)) for place in places]
    chosen = [(place, name) for place, name in named if not hazards or name in hazards]
    if not chosen and len(named) == len(hazards) == 1:
        return [(named[0][0], hazards[0])]
    if not chosen:
        raise BadInput(
            f"'{folder.name}' holds pairs for {', '.join(name for _, name in named)}, none for '{hazards[0]}'; give "
            "the folder that holds its pairs."
        )
    return chosen


def _pairs_of_place(folder: Path, default: str | None, hazards: Sequence[str], notes: list[str]) -> list[Pair]:
    """Pairs of one folder, in its parts for training, validation and test where it has them."""
    parts: list[tuple[Path, int | None]] = [
        (place, SPLIT_NAMES[place.name.lower()])
        for place in _folders(folder)
        if place.name.lower() in SPLIT_NAMES and _has_pairs_itself(place)
    ]
    if not parts:
        parts = [(folder, None)]
    pairs: list[Pair] = []
    for place, part in parts:
        images = _image_folder(place)
        if images is None or not _has_label_folder(place):
            pairs += _beside(place, part, _named_hazard(place, default), notes)
            continue
        labels = _label_folders(place, default, hazards)
        inner = [name for name in _names(images) if name.lower() in SPLIT_NAMES and (images / name).is_dir()]
        for name in inner or [""]:
            pairs += _across(
                images / name,
                [(hazard, labelled / name) for hazard, labelled in labels],
                _scenes_before(place, name),
                SPLIT_NAMES[name.lower()] if name else part,
                notes,
            )
    return pairs


def _across(
    images: Path, labels: Sequence[tuple[str, Path]], before: dict[str, Path], part: int | None, notes: list[str]
) -> list[Pair]:
    """Pairs of a folder of images, folders of labels, and scenes from before by what they share in their names."""
    found = _by_key(_rasters(images))
    labelled = [(hazard, _by_key(_rasters(place))) for hazard, place in labels]
    pairs = []
    for key, image in found.items():
        own = tuple((hazard, str(files[key])) for hazard, files in labelled if key in files)
        if own:
            pairs.append(Pair(str(image), own, part, before=_path_of(before.get(key))))
    _note_unpaired(images.name, len(found) - len(pairs), notes)
    return pairs


def _beside(folder: Path, part: int | None, hazard: str, notes: list[str]) -> list[Pair]:
    """Pairs of images and labels that lie side by side."""
    files = _rasters(folder)
    labels = _by_key(path for path in files if _is_label(path))
    images = _by_key(path for path in files if not _is_label(path))
    before = _scenes_before(folder)
    pairs = [
        Pair(str(path), ((hazard, str(labels[key])),), part, before=_path_of(before.get(key)))
        for key, path in images.items()
        if key in labels
    ]
    _note_unpaired(folder.name, len(images) - len(pairs), notes)
    return pairs


def _scenes_before(place: Path, part: str = "") -> dict[str, Path]:
    """Scenes from before of a folder of pairs, in a folder of the part where there is one of its name."""
    folder = place / BEFORE_FOLDER
    return _by_key(_rasters(folder / part if part and (folder / part).is_dir() else folder))


def _path_of(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _note_unpaired(name: str, number: int, notes: list[str]) -> None:
    if number:
        notes.append(f"{number} images in '{name}' without a label are left out.")


def _label_folders(place: Path, default: str | None, hazards: Sequence[str]) -> list[tuple[str, Path]]:
    """Folders of labels by hazard; raises BadInput when it is not clear which of several is meant."""
    names = {name.lower(): place / name for name in _names(place) if (place / name).is_dir()}
    plain = next((names[name] for name in LABEL_FOLDERS if name in names), None)
    suffixed = {
        name.split("_", 1)[1]: path
        for name, path in names.items()
        if name not in LABEL_FOLDERS and name.split("_", 1)[0] in LABEL_FOLDERS
    }
    if len(hazards) > 1:
        lacking = [hazard for hazard in hazards if hazard not in suffixed]
        if lacking:
            raise BadInput(
                f"{len(hazards)} hazards are named, but '{place.name}' has no folder labels_{lacking[0]}; name one "
                "hazard, or keep the labels of each in a folder of its own."
            )
        return [(hazard, suffixed[hazard]) for hazard in hazards]
    if hazards and hazards[0] in suffixed:
        return [(hazards[0], suffixed[hazards[0]])]
    if plain is not None:
        return [(_named_hazard(place, default), plain)]
    if len(suffixed) == 1:
        hazard, path = next(iter(suffixed.items()))
        return [(hazards[0] if hazards else hazard, path)]
    if not hazards and set(suffixed) <= set(HAZARDS):
        return sorted(suffixed.items())
    raise BadInput(
        f"'{place.name}' has several folders of labels ({', '.join(path.name for path in suffixed.values())}); "
        f"choose one by its name, for example --hazard {sorted(suffixed)[0]}."
    )


def _named_hazard(place: Path, hazard: str | None) -> str:
    if hazard is None:
        raise BadInput(
            f"The labels in '{place.name}' do not say which hazard they show; name it, for example --hazard "
            f"{HAZARDS[0]}."
        )
    return hazard


def _default_hazard(folder: Path, hazards: Sequence[str]) -> str | None:
    """What unnamed labels show: the hazard given, else the one that the folder is named after."""
    if len(hazards) == 1:
        return hazards[0]
    return folder.name.lower() if not hazards and folder.name.lower() in HAZARDS else None


def _holds_pairs(folder: Path) -> bool:
    """Whether pairs lie in a folder or in its parts for training, validation and test."""
    return _has_pairs_itself(folder) or any(
        _has_pairs_itself(place) for place in _folders(folder) if place.name.lower() in SPLIT_NAMES
    )


def _has_pairs_itself(folder: Path) -> bool:
    if _image_folder(folder) is not None and _has_label_folder(folder):
        return True
    files = _rasters(folder)
    labelled = {_key(path) for path in files if _is_label(path)}
    return any(_key(path) in labelled for path in files if not _is_label(path))


def _has_label_folder(place: Path) -> bool:
    names = [folder.name.lower() for folder in _folders(place)]
    return any(name in LABEL_FOLDERS or name.split("_", 1)[0] in LABEL_FOLDERS for name in names)


def _image_folder(place: Path) -> Path | None:
    names = {name.lower(): name for name in _names(place) if (place / name).is_dir()}
    return next((place / names[name] for name in IMAGE_FOLDERS if name in names), None)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _folders(folder: Path) -> list[Path]:
    return [folder / name for name in _names(folder) if (folder / name).is_dir()]


def _rasters(folder: Path) -> list[Path]:
    """Raster files of a folder, hidden ones left out."""
    return [
        folder / name
        for name in _names(folder)
        if not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES
    ]


def _by_key(files: Iterable[Path]) -> dict[str, Path]:
    """Files by what they have in common with their partner."""
    found: dict[str, Path] = {}
    for path in sorted(files, key=lambda path: (SUFFIXES.index(path.suffix.lower()), path.name)):
        found.setdefault(_key(path), path)
    return dict(sorted(found.items()))


def _is_label(path: Path) -> bool:
    return re.search(rf"(?i)(^|[_-])({LABEL_WORDS})$|^({LABEL_WORDS})[_-]", path.stem) is not None


def _key(path: Path) -> str:
    """``image_12``, ``mask_12``, ``12_label`` and ``12`` to ``12``: what is left without the words for the kind."""
    words = f"{LABEL_WORDS}|{IMAGE_WORDS}"
    stem = re.sub(rf"(?i)[_-]({words})$", "", path.stem)
    return re.sub(rf"(?i)^({words})[_-]", "", stem)


def _with_split_file(folder: Path, pairs: list[Pair], notes: list[str]) -> list[Pair]:
    """Parts as split.csv names them; without it the pairs as they are."""
    path = folder / SPLIT_FILE
    if not path.is_file():
        return pairs
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = list(csv.DictReader(file))
    except csv.Error as error:
        raise BadInput(f"'{SPLIT_FILE}' is not a table ({error}); expected the columns name and split.") from None
    columns = {str(column).strip().lower(): column for column in (rows[0] if rows else {})}
    name_column = next((columns[name] for name in NAME_COLUMNS if name in columns), None)
    if name_column is None or "split" not in columns:
        raise BadInput(
            f"'{SPLIT_FILE}' has the columns {', '.join(columns) or 'none'}; expected name and split (train, val or "
            "test)."
        )
    part_of: dict[str, int] = {}
    for row in rows:
        part = str(row[columns["split"]] or "").strip().lower()
        if part not in SPLIT_NAMES:
            raise BadInput(f"'{SPLIT_FILE}' has the split '{part}'; expected train, val or test.")
        part_of[_key(Path(str(row[name_column] or "").strip()))] = SPLIT_NAMES[part]
    listed = [replace(pair, part=part_of[key]) for pair in pairs if (key := _key(Path(pair.image))) in part_of]
    if not listed:
        raise BadInput(f"'{SPLIT_FILE}' names none of the {len(pairs)} images; expected their file names.")
    if len(listed) < len(pairs):
        notes.append(f"{len(pairs) - len(listed)} images that {SPLIT_FILE} does not list are left out.")
    return listed
