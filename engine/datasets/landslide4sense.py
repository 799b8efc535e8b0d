"""Landslide4Sense: Sentinel-2 chips with landslide masks in HDF5, read as downloaded.

O. Ghorbanzadeh et al., "Landslide4Sense: Reference Benchmark Data and Deep Learning Models for Landslide Detection",
IEEE TGRS 2022; https://zenodo.org/records/10463239. Layouts::

    TrainData/img/image_1.h5, TrainData/mask/mask_1.h5, and the same in ValidData and TestData (Zenodo)
    images/train/image_1.h5, annotations/train/mask_1.h5, and validation, test (Hugging Face)

``img`` is 128 x 128 x 14: Sentinel-2 B1 to B12 without B8A, slope and elevation (these two are not used here).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..protocol import OPTICAL_SLOTS, BadInput
from ..samples import UNKNOWN, Characteristics, LabelledScene
from .splits import Split, named_split

LAYOUTS = (
    {
        0: ("TrainData/img", "TrainData/mask"),
        1: ("ValidData/img", "ValidData/mask"),
        2: ("TestData/img", "TestData/mask"),
    },
    {
        0: ("images/train", "annotations/train"),
        1: ("images/validation", "annotations/validation"),
        2: ("images/test", "annotations/test"),
    },
)
"""Folders of images and masks of the training, validation and test part."""
BANDS = 14
POSITIONS = {"coastal": 0, "blue": 1, "green": 2, "red": 3, "nir": 7, "swir1": 10, "swir2": 11}
DIVISORS = np.array(
    [1111.81236406, 824.63171476, 663.41636217, 445.17289745, 1941.32229668, 1113.98338755, 519.90397929]
)
"""What the authors divided counts of these bands by (https://github.com/iarai/Landslide4Sense-2022, issue 4)."""
WHOLE = 0.02
"""How far from a whole number a count may be that was divided and multiplied again."""
GSD_M = 10.0


class Landslide4Sense:
    """Chips that have a mask; the published split where its parts have masks, else validation is taken from training.

    The published numbers are counts (reflectance x 10000) divided by one number a band. Multiplied again, those of
    the 10 m bands must be whole: that proves the units chip by chip. Where they are not, the chip's values are given as
    they are and called relative.

    Raises:
        BadInput: when no image has a mask, or h5py is missing.
    """

    name = "Landslide4Sense"
    licence = "Landslide4Sense, Ghorbanzadeh et al. 2022, CC BY 4.0"

    def __init__(self, folder: Path, hazard: str = "landslide") -> None:
        try:
            import h5py  # noqa: F401
        except ImportError:
            raise BadInput(
                "Landslide4Sense is stored as HDF5, which h5py reads, and that is missing; install it with "
                "pip install -r engine/requirements-training.txt."
            ) from None
        self.hazards: tuple[str, ...] = (hazard,)
        self._chips: list[tuple[int, Path, Path]] = []
        without_mask = 0
        for part, (images, masks) in (_layout_of(folder) or LAYOUTS[0]).items():
            found = _numbered(folder / images, "image")
            labels = _numbered(folder / masks, "mask")
            self._chips += [(part, found[number], labels[number]) for number in sorted(found) if number in labels]
            without_mask += sum(number not in labels for number in found)
        if not self._chips:
            raise BadInput(
                f"'{folder.name}' holds {without_mask} images of Landslide4Sense, but no mask; expected "
                "TrainData/mask/mask_1.h5 beside TrainData/img/image_1.h5: unpack the masks too."
            )
        self.notes: tuple[str, ...] = (f"{without_mask} images without a mask are left out.",) if without_mask else ()

    @classmethod
    def lies_in(cls, folder: Path) -> bool:
        """Whether a folder has one of the layouts."""
        return _layout_of(folder) is not None

    def __len__(self) -> int:
        """Number of chips."""
        return len(self._chips)

    def split(self, seed: int) -> Split:
        """The published split; a part of training, drawn by seed, stands in for what has no masks."""
        return named_split([part for part, _, _ in self._chips], [str(image) for _, image, _ in self._chips], seed)

    def read(self, number: int) -> LabelledScene:
        """One chip of 128 x 128 pixels; raises BadInput when a file of it is damaged or not as published."""
        _, image_path, mask_path = self._chips[number]
        image, mask = _read_array(image_path, "img"), _read_array(mask_path, "mask")
        if image.ndim != 3 or image.shape[2] != BANDS or mask.shape != image.shape[:2]:
            raise BadInput(
                f"'{image_path.name}' has the shape {image.shape} and its mask {mask.shape}; expected (128, 128, 14) "
                "and (128, 128): obtain both again."
            )
        stored = np.moveaxis(image[:, :, list(POSITIONS.values())], 2, 0).astype(np.float64)
        valid = np.isfinite(stored).all(axis=0) & (stored != 0).any(axis=0)
        counts = stored * DIVISORS[:, None, None]
        absolute = _are_counts(counts[1:4][:, valid])
        values = (counts * 1e-4 if absolute else stored).astype(np.float32)
        values[:, ~valid] = 0.0
        labels = np.full(mask.shape, UNKNOWN, np.uint8)
        for code in (0, 1):
            labels[mask == code] = code
        return LabelledScene(
            slots=OPTICAL_SLOTS,
            values=torch.from_numpy(values),
            valid=torch.from_numpy(valid[None]),
            absolute=absolute,
            labels={self.hazards[0]: torch.from_numpy(labels)},
            characteristics=Characteristics(sensor="sentinel-2-l1c"),
            gsd_m=GSD_M,
            name=f"{image_path.parent.parent.name}/{image_path.stem}",
        )


def _are_counts(counts: npt.NDArray[np.float64]) -> bool:
    """Whether nearly all of these are whole numbers that a 16-bit product can hold."""
    if not counts.size:
        return False
    whole = np.abs(counts - np.rint(counts)) < WHOLE
    return bool(whole.mean() > 0.95 and counts.min() >= 0 and counts.max() < 65_536)


def _layout_of(folder: Path) -> Mapping[int, tuple[str, str]] | None:
    return next(
        (layout for layout in LAYOUTS if any(_numbered(folder / pair[0], "image", 1) for pair in layout.values())), None
    )


def _numbered(folder: Path, kind: str, most: int | None = None) -> dict[int, Path]:
    """Files ``<kind>_<number>.h5`` by number, the first few only if so asked."""
    found: dict[int, Path] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        name = re.fullmatch(kind + r"_(\d+)\.h5", path.name)
        if name:
            found[int(name[1])] = path
            if most is not None and len(found) >= most:
                break
    return found


def _read_array(path: Path, key: str) -> npt.NDArray[Any]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return np.asarray(file[key])
    except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = f"it has no '{key}'" if isinstance(error, KeyError) else "it is damaged or missing"
        raise BadInput(f"'{path.parent.name}/{path.name}' cannot be read: {reason}; obtain it again.") from None
