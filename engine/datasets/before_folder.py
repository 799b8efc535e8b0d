"""Images and labels with a scene from before the event beside each: both dates are read on the grid of the image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..bands import UnknownBands, WrongBandCount
from ..before.earlier import Earlier, Elsewhere, WrongOrder, lay_again, open_earlier
from ..before.matching import PairMatch
from ..planes import SceneScaling
from ..protocol import BadInput, PairJob
from ..raster import Scene, Window
from ..samples import LabelledScene
from .folder import MOST_UNDERSTOOD, EarlierOptions, ImageFolder, ReadingOptions, notes_on, with_option
from .pairs import BEFORE_FOLDER, Pair, find_pairs


@dataclass
class LabelledPair:
    """One chip of both dates on one grid, in canonical units, with labels of what is new.

    Attributes:
        later: the later date, with the labels.
        values: (slots, h, w) float32 of the earlier date.
        valid: (1, h, w) bool; False where the earlier date was not measured.
        scalings: of both whole scenes, the later first; they name the slots.
        match: how the bands of the whole scenes relate.
    """

    later: LabelledScene
    values: Tensor
    valid: Tensor
    scalings: tuple[SceneScaling, SceneScaling]
    match: PairMatch


class BeforeFolder(ImageFolder):
    """Pairs of images and labels that have a scene of their name in ``before/``; others are left out, and said so.

    Labels mean what is new since that scene. It may have another grid, CRS, resolution, bands and units; its shift is
    found and corrected as when a scene is segmented.

    Raises:
        BadInput: as ``ImageFolder``, or no labelled image has such a scene.
    """

    def __init__(self, folder: Path, hazards: tuple[str, ...] = (), options: ReadingOptions | None = None) -> None:
        self._earlier: dict[str, Earlier] = {}
        super().__init__(folder, hazards, options)

    def _find(self, folder: Path, hazards: tuple[str, ...]) -> tuple[list[Pair], list[str]]:
        pairs, notes = find_pairs(folder, hazards)
        found = [pair for pair in pairs if pair.before is not None]
        lacking = len(pairs) - len(found)
        if not found:
            raise BadInput(
                f"None of the {len(pairs)} labelled images in '{folder.name}' has a scene of its name in "
                f"{BEFORE_FOLDER}/ beside its folder; put the scenes from before the event there, named as the images."
            )
        if lacking:
            notes.append(
                f"{lacking} of {len(pairs)} labelled images have no scene of their name in {BEFORE_FOLDER}/ and are "
                "left out."
            )
        return found, notes

    def read_pair(self, number: int) -> LabelledPair:
        """One chip of both dates.

        Raises:
            BadInput: image, label or earlier scene is damaged, or the two scenes cannot be laid over each other.
        """
        pair, window = self._place(number)
        with self._open(pair) as scene:
            later = self._read(pair, scene, window)
            earlier = self._match(pair, scene, [])
            with lay_again(self._pair_job(pair), earlier, scene) as job, Scene(job) as laid:
                values, valid = laid.read_window(window, earlier.understanding)
            scaling = self._scaling(pair, scene)
        return LabelledPair(
            later,
            torch.from_numpy(values),
            torch.from_numpy(valid[None]),
            (scaling, earlier.scaling),
            earlier.match,
        )

    def _pair_job(self, pair: Pair) -> PairJob:
        job, options = self._job(pair), self._options.earlier or EarlierOptions()
        return PairJob(
            raster=job.raster, bands=job.bands, units=job.units, gsd_m=job.gsd_m,
            before=pair.before, before_bands=options.bands, before_units=options.units,
        )  # fmt: skip

    def _scaling(self, pair: Pair, scene: Scene) -> SceneScaling:
        understanding, (low, high) = self._understand(pair, scene)
        absolute = tuple(units.absolute for units in understanding.slot_units)
        return SceneScaling(understanding.match.used_slots, low, high, absolute)

    def _match(self, pair: Pair, scene: Scene, warnings: list[str]) -> Earlier:
        """What was found out of an earlier scene, once for all chips of the image."""
        if pair.image not in self._earlier:
            if len(self._earlier) >= MOST_UNDERSTOOD:
                self._earlier.pop(next(iter(self._earlier)))
            understanding, _ = self._understand(pair, scene)
            whole = Window(0, 0, scene.width, scene.height)
            scaling = self._scaling(pair, scene)
            notes: list[str] = []
            try:
                with open_earlier(self._pair_job(pair), scene, understanding, scaling, whole, notes.append) as found:
                    self._earlier[pair.image] = found
            except (UnknownBands, WrongBandCount) as error:
                raise with_option(error, "--before-bands", pair.before or "") from None
            except Elsewhere as error:
                raise Elsewhere(
                    f"'{os.path.basename(pair.before or '')}' in {BEFORE_FOLDER}/ has no valid pixel under its image",
                    "put a scene of the same place there, or leave this pair out",
                ) from error
            except WrongOrder as error:
                raise BadInput(f"{error.found}; swap the two files, or correct the day in a name or tag.") from None
            warnings += notes_on(found.understanding, notes, "--before-")
        return self._earlier[pair.image]

    def _look_at_image(self, pair: Pair) -> Sequence[str]:
        warnings = list(super()._look_at_image(pair))
        with self._open(pair) as scene:
            self._match(pair, scene, warnings)
        return warnings
