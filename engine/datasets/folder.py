"""A folder of image and label pairs: bands and units found out as for any scene, large images cut into chips."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ..bands import UnknownBands, WrongBandCount
from ..protocol import BadInput, SceneJob
from ..raster import Scene, Understanding, Window
from ..raster.chip import centre_lonlat, holds_fractions, raster_size, read_codes
from ..remedies import IN_DOCK
from ..samples import UNKNOWN, Characteristics, LabelledScene
from ..windows import spread_windows
from .pairs import Pair, find_pairs
from .splits import LEAST_GROUPS, Split, named_split, seeded_split

CHIP_PX = 256
MULTIPLE_PX = 32
LABELS_LOOKED_AT = 32
LOOK_PX = 512
IMAGES_LOOKED_AT = 3
MOST_UNDERSTOOD = 256
"""Images whose understanding is kept for the next chip of them."""


@dataclass(frozen=True)
class EarlierOptions:
    """How scenes from before the event are to be read: slots of their bands and units; found out when not given."""

    bands: tuple[str, ...] | None = None
    units: str | None = None


@dataclass(frozen=True)
class ReadingOptions:
    """How images and labels are to be read.

    Attributes:
        positive: label codes that mean hazard.
        ignore: label codes to leave out; all others mean none.
        bands: one slot a band of each image; found out when not given.
        units: units of the images; found out when not given.
        gsd_m: metres a pixel, where no CRS says it.
        earlier: how scenes from before are to be read; None where they are not.
    """

    positive: tuple[int, ...] = (1,)
    ignore: tuple[int, ...] = (255,)
    bands: tuple[str, ...] | None = None
    units: str | None = None
    gsd_m: float | None = None
    earlier: EarlierOptions | None = None


@dataclass(frozen=True)
class _Chip:
    pair: int
    window: Window | None
    problem: str | None = None


Understood = tuple[Understanding, tuple[tuple[float, ...], tuple[float, ...]]]


class ImageFolder:
    """Pairs of images and labels, as ``pairs.find_pairs`` finds them.

    Only the sizes of the files are read at first. Images larger than 256 pixels are cut into chips that are read one by
    one and carry the range of their whole image. A damaged pair, or one whose sizes differ, is found when it is read.

    Raises:
        BadInput: when there are no pairs, none can be read, or the labels hold no hazard at all.
    """

    licence = "the user's own data"

    def __init__(self, folder: Path, hazards: tuple[str, ...] = (), options: ReadingOptions | None = None) -> None:
        self._options = options or ReadingOptions()
        both = set(self._options.positive) & set(self._options.ignore)
        if both:
            raise BadInput(f"Label code {min(both)} is both positive and ignored; give it one meaning.")
        self.name = folder.resolve().name
        self._pairs, notes = self._find(folder, hazards)
        self.hazards = tuple(dict.fromkeys(hazard for pair in self._pairs for hazard, _ in pair.labels))
        self._chips = [chip for index, pair in enumerate(self._pairs) for chip in _cut(index, pair)]
        problems = [chip.problem for chip in self._chips if chip.problem]
        if len(problems) == len(self._chips):
            raise BadInput(f"None of the {len(self._pairs)} pairs can be read. The first: {problems[0]}")
        if problems:
            notes.append(f"{len(problems)} of {len(self._pairs)} pairs cannot be read. The first: {problems[0]}")
        self._understood: dict[str, Understood] = {}
        notes += self._look_at_labels() + self._look_at_images()
        self.notes = tuple(notes)

    def _find(self, folder: Path, hazards: tuple[str, ...]) -> tuple[list[Pair], list[str]]:
        return find_pairs(folder, hazards)

    def __len__(self) -> int:
        """Number of chips."""
        return len(self._chips)

    def split(self, seed: int) -> Split:
        """The folder's own split, else a seeded one that keeps places, or the chips of an image, together."""
        pairs = [self._pairs[chip.pair] for chip in self._chips]
        groups = [pair.place for pair in pairs]
        if len(set(groups)) < LEAST_GROUPS:
            groups = [f"{pair.place}/{os.path.basename(pair.image)}" for pair in pairs]
        parts = [self._pairs[chip.pair].part for chip in self._chips]
        if any(part is not None for part in parts):
            return named_split(parts, groups, seed)
        return seeded_split(groups, seed)

    def read(self, number: int) -> LabelledScene:
        """One image, or one chip of it; raises BadInput when image or label is damaged or their sizes differ."""
        pair, window = self._place(number)
        with self._open(pair) as scene:
            return self._read(pair, scene, window)

    def _place(self, number: int) -> tuple[Pair, Window]:
        chip = self._chips[number]
        if chip.problem or chip.window is None:
            raise BadInput(chip.problem or "The pair cannot be read.")
        return self._pairs[chip.pair], chip.window

    def _read(self, pair: Pair, scene: Scene, window: Window) -> LabelledScene:
        understanding, scene_range = self._understand(pair, scene)
        values, valid = scene.read_window(window, understanding)
        lonlat = centre_lonlat(scene.georeference, window)
        return LabelledScene(
            slots=understanding.match.used_slots,
            values=torch.from_numpy(values),
            valid=torch.from_numpy(valid[None]),
            absolute=all(units.absolute for units in understanding.slot_units),
            labels={hazard: torch.from_numpy(self._labels(*read_codes(path, window))) for hazard, path in pair.labels},
            characteristics=Characteristics(
                longitude=lonlat[0] if lonlat else None,
                latitude=lonlat[1] if lonlat else None,
                day_of_year=day_in_name(os.path.basename(pair.image)),
                sensor=understanding.match.sensor,
            ),
            gsd_m=sum(understanding.gsd_m) / 2,
            name=_name_of(pair, window, (scene.height, scene.width)),
            scene_range=scene_range,
        )

    def _open(self, pair: Pair) -> Scene:
        return Scene(self._job(pair))

    def _job(self, pair: Pair) -> SceneJob:
        options = self._options
        return SceneJob(raster=pair.image, bands=options.bands, units=options.units, gsd_m=options.gsd_m)

    def _understand(self, pair: Pair, scene: Scene) -> Understood:
        """Understanding of an image and the range of its values, found out once for all its chips."""
        if pair.image not in self._understood:
            if len(self._understood) >= MOST_UNDERSTOOD:
                self._understood.pop(next(iter(self._understood)))
            try:
                understanding = scene.understand()
            except (UnknownBands, WrongBandCount) as error:
                raise with_option(error, "--bands", pair.image) from None
            self._understood[pair.image] = understanding, scene.percentiles(understanding)
        return self._understood[pair.image]

    def _labels(self, codes: npt.NDArray[np.int64], known: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
        labels = np.isin(codes, self._options.positive).astype(np.uint8)
        labels[~known | np.isin(codes, self._options.ignore)] = UNKNOWN
        return labels

    def _look_at_labels(self) -> list[str]:
        """Raise BadInput if labels spread over the data hold no hazard and all were looked at; else a note if so."""
        paths = [path for pair in self._pairs for _, path in pair.labels]
        step = max(1, -(-len(paths) // LABELS_LOOKED_AT))
        codes: set[int] = set()
        looked_at = 0
        rounded: list[str] = []
        for path in paths[::step]:
            try:
                found, known = read_codes(path, largest_px=LOOK_PX)
                rounded += [os.path.basename(path)] if holds_fractions(path, largest_px=LOOK_PX) else []
            except BadInput:  # said when it is read
                continue
            looked_at += 1
            codes |= {int(code) for code in np.unique(found[known])}
            if codes & set(self._options.positive):
                return _notes_on_fractions(rounded)
        listed = ", ".join(str(code) for code in sorted(codes)[:8]) or "none"
        wanted = ", ".join(str(code) for code in self._options.positive)
        sentence = f"The labels hold the codes {listed}, but no {wanted}, which would mean hazard"
        remedy = f"name the right codes with --positive{' 255 --ignore -1' if codes in ({0, 255}, {255}) else ''}."
        if looked_at == len(paths):
            raise BadInput(f"{sentence}; {remedy}")
        unsure = f"{sentence} (in {looked_at} of {len(paths)} labels looked at); if it is in none, {remedy}"
        return [unsure, *_notes_on_fractions(rounded)]

    def _look_at_images(self) -> list[str]:
        """What the user should know of the first images' bands and units.

        Raises:
            UnknownBands: those of the first that can be read are not known.
            WrongBandCount: the slots given fit neither the first images nor the last.
        """
        readable = list(dict.fromkeys(chip.pair for chip in self._chips if chip.window is not None))
        misfits: list[WrongBandCount] = []
        looked_at = list(dict.fromkeys((*readable[: IMAGES_LOOKED_AT - 1], *readable[-1:])))
        for pair in (self._pairs[index] for index in looked_at):
            try:
                warnings = self._look_at_image(pair)
            except UnknownBands:
                raise
            except WrongBandCount as error:
                misfits.append(error)
                continue
            except BadInput:  # damaged: said when it is read
                continue
            return [f"'{os.path.basename(pair.image)}', the first of the images: {text}" for text in warnings]
        if misfits and len(misfits) == len(looked_at):
            raise misfits[0]
        return []

    def _look_at_image(self, pair: Pair) -> Sequence[str]:
        with self._open(pair) as scene:
            understanding, _ = self._understand(pair, scene)
        return notes_on(understanding, understanding.warnings, "--")


def _notes_on_fractions(names: Sequence[str]) -> list[str]:
    """What the user should know of labels whose numbers are no codes."""
    if not names:
        return []
    return [
        f"The label '{names[0]}' holds numbers that are not whole, such as probabilities; they are rounded to the "
        "nearest code. If that is not meant, write codes into the labels."
    ]


def with_option(error: UnknownBands | WrongBandCount, option: str, image: str) -> UnknownBands | WrongBandCount:
    """The refusal with the one remedy that training has: it is told of no sensor."""
    if isinstance(error, WrongBandCount):
        found = error.found.replace("the raster", f"'{os.path.basename(image)}'")
        return WrongBandCount(found, f"give {option} one slot for each band, - for an unused one")
    return UnknownBands(error.found, f"say which band is which with {option}")


def notes_on(understanding: Understanding, notes: Sequence[str], prefix: str) -> list[str]:
    """Notes on a scene with the options of training, which begin with ``prefix``, in place of the dock's controls."""
    of_bands = understanding.match.warnings
    options = [prefix + ("bands" if text.endswith(of_bands) else "units") for text in notes]
    return [text.replace(IN_DOCK, f"with {option}") for text, option in zip(notes, options, strict=True)]


def _cut(index: int, pair: Pair) -> list[_Chip]:
    """Chips of one pair, or one that says why it cannot be read."""
    try:
        size = raster_size(pair.image)
        for _, path in pair.labels:
            label_size = raster_size(path)
            if label_size != size:
                raise BadInput(
                    f"Image '{os.path.basename(pair.image)}' has {size[1]} x {size[0]} pixels, its label "
                    f"'{os.path.basename(path)}' {label_size[1]} x {label_size[0]}; bring the label to the "
                    "image's grid."
                )
    except BadInput as error:
        return [_Chip(index, None, str(error))]
    rows, columns = (spread_windows(length, CHIP_PX, 0, MULTIPLE_PX) for length in size)
    return [
        _Chip(index, Window(left, top, min(columns.size, size[1] - left), min(rows.size, size[0] - top)))
        for top in rows.starts
        for left in columns.starts
    ]


def _name_of(pair: Pair, window: Window, size: tuple[int, int]) -> str:
    name = os.path.basename(pair.image)
    return name if (window.height, window.width) == size else f"{name} at column {window.x}, row {window.y}"


def day_in_name(name: str) -> int | None:
    """Day of the year from a date such as 20190913 or 2019-09-13 in a file name; None without one."""
    for found in re.finditer(r"(?<!\d)((?:19|20)\d{2})([-_]?)(\d{2})\2(\d{2})(?!\d)", name):
        try:
            return date(int(found[1]), int(found[3]), int(found[4])).timetuple().tm_yday
        except ValueError:
            continue
    return None
