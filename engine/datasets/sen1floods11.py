"""Sen1Floods11, the hand-labelled part: Sentinel-1 and Sentinel-2 chips of eleven flood events, read as downloaded.

D. Bonafilia et al., "Sen1Floods11: a georeferenced dataset to train and test deep learning flood algorithms for
Sentinel-1", CVPR Workshops 2020. Layout of version 1.1 (bucket ``gs://sen1floods11``), and a common flat copy of it::

    v1.1/data/flood_events/HandLabeled/S1Hand/<Place>_<id>_S1Hand.tif         VV, VH in dB, NaN where not measured
    v1.1/data/flood_events/HandLabeled/S2Hand/<Place>_<id>_S2Hand.tif         13 bands, level 1C reflectance x 10000
    v1.1/data/flood_events/HandLabeled/LabelHand/<Place>_<id>_LabelHand.tif   1 water, 0 none, -1 not judged
    v1.1/splits/flood_handlabeled/flood_{train,valid,test,bolivia}_data.csv
    v1.1/Sen1Floods11_Metadata.geojson                                        location, s1_date
    data/{S1GRDHand,S2L1CHand,LabelHand}/..., splits/flood_{train,valid,test}_data.txt

Labels show all water, permanent water included.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ..protocol import OPTICAL_SLOTS, SAR_SLOTS, BadInput
from ..raster.chip import read_chip, read_codes
from ..samples import UNKNOWN, Characteristics, LabelledScene
from .splits import Split, named_split, seeded_split

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

LABELS = "LabelHand"
PLACES = (
    ".",
    "HandLabeled",
    "flood_events/HandLabeled",
    "data/flood_events/HandLabeled",
    "v1.1/data/flood_events/HandLabeled",
    "data",
    "v1.1/data",
)
RADAR_FOLDERS, OPTICAL_FOLDERS = ("S1Hand", "S1GRDHand"), ("S2Hand", "S2L1CHand")
SPLITS = {"train": 0, "valid": 1, "test": 2, "bolivia": 2}
"""Parts of the published split files; Bolivia is held back as an event of its own and counts as test."""
SENTINEL_2_POSITIONS = {"coastal": 0, "blue": 1, "green": 2, "red": 3, "nir": 7, "swir1": 11, "swir2": 12}
"""Of the 13 bands B1 to B8, B8A, B9 to B12."""
SENTINEL_2_BANDS = 13
GSD_M = 10.0
LEAST_JOINT_SHARE = 0.5


class Sen1Floods11:
    """Hand-labelled chips with their published split; either sensor may be missing.

    Labels show all water, permanent water included. Where both sensors are there a chip has nine slots, and a pixel
    needs both; a sensor that would cost more than half of what the other measured is left out of that chip.

    Raises:
        BadInput: when no label has an image.
    """

    name = "Sen1Floods11 (hand-labelled)"
    licence = "Sen1Floods11 v1.1, Bonafilia et al. 2020, CC BY 4.0"

    def __init__(self, folder: Path, hazard: str = "flood") -> None:
        self.hazards: tuple[str, ...] = (hazard,)
        self._base = _base_in(folder) or folder
        self._radar_folder = _first_folder(self._base, RADAR_FOLDERS)
        self._optical_folder = _first_folder(self._base, OPTICAL_FOLDERS)
        labelled = _chips_in(self._base / LABELS, LABELS)
        radar = _chips_in(self._radar_folder, "S1Hand")
        optical = _chips_in(self._optical_folder, "S2Hand")
        self._radar, self._optical = radar & labelled, optical & labelled
        self._chips = sorted(self._radar | self._optical)
        if not self._chips:
            raise BadInput(
                f"'{folder.name}' holds {len(labelled)} hand labels of Sen1Floods11, but no image that belongs to one; "
                "expected S1Hand or S2Hand beside LabelHand: download them too."
            )
        notes = ["Labels show all water, permanent water included."]
        if len(labelled) > len(self._chips):
            notes.append(f"{len(labelled) - len(self._chips)} labels without an image are left out.")
        self._parts = self._published_split(folder)
        if self._parts is None:
            notes.append("The published split files were not found: the split is a seeded one by event.")
        elif unlisted := sum(chip not in self._parts for chip in self._chips):
            notes.append(f"{unlisted} chips that the split files do not list are left out.")
        self._days = self._days_by_event(folder)
        self.notes: tuple[str, ...] = tuple(notes)

    @classmethod
    def lies_in(cls, folder: Path) -> bool:
        """Whether a folder has this layout, at any of its usual levels."""
        return _base_in(folder) is not None

    def __len__(self) -> int:
        """Number of chips."""
        return len(self._chips)

    def split(self, seed: int) -> Split:
        """The published split, else a seeded one that keeps events together."""
        events = [_event(chip) for chip in self._chips]
        if self._parts is None:
            return seeded_split(events, seed)
        return named_split([self._parts.get(chip) for chip in self._chips], events, seed)

    def read(self, number: int) -> LabelledScene:
        """One chip of 512 x 512 pixels; raises BadInput when a file of it is damaged or of another size."""
        chip = self._chips[number]
        codes, known = read_codes(str(self._base / LABELS / f"{chip}_{LABELS}.tif"))
        parts: list[tuple[tuple[str, ...], Array, Mask]] = []
        lonlat = None
        if chip in self._optical and self._optical_folder is not None:
            found = read_chip(str(self._optical_folder / f"{chip}_S2Hand.tif"))
            _require(chip, "Sentinel-2", found.values, SENTINEL_2_BANDS, codes.shape)
            stored = found.values[list(SENTINEL_2_POSITIONS.values())]
            valid = np.isfinite(stored).all(axis=0) & (stored != 0).any(axis=0)
            parts.append((OPTICAL_SLOTS, stored * np.float32(1e-4), valid))
            lonlat = found.lonlat
        if chip in self._radar and self._radar_folder is not None:
            found = read_chip(str(self._radar_folder / f"{chip}_S1Hand.tif"))
            _require(chip, "Sentinel-1", found.values, 2, codes.shape)
            valid = np.isfinite(found.values).all(axis=0) & (found.values != 0).any(axis=0)
            parts.append((SAR_SLOTS, found.values, valid))
            lonlat = lonlat or found.lonlat
        slots, values, valid = join_sensors(parts)
        labels = np.full(codes.shape, UNKNOWN, np.uint8)
        for code in (0, 1):
            labels[known & (codes == code)] = code
        return LabelledScene(
            slots=slots,
            values=torch.from_numpy(values),
            valid=torch.from_numpy(valid[None]),
            absolute=True,
            labels={self.hazards[0]: torch.from_numpy(labels)},
            characteristics=Characteristics(
                longitude=lonlat[0] if lonlat else None,
                latitude=lonlat[1] if lonlat else None,
                day_of_year=self._days.get(_event(chip)),
                sensor="sentinel-1" if slots == SAR_SLOTS else "sentinel-2-l1c",
            ),
            gsd_m=GSD_M,
            name=chip,
        )

    def _published_split(self, folder: Path) -> dict[str, int] | None:
        """Part of each listed chip, or None without the files."""
        for place in self._roots(folder):
            for splits in (place / "splits" / "flood_handlabeled", place / "splits", place):
                files = {
                    part: path
                    for part in SPLITS
                    for suffix in (".csv", ".txt")
                    if (path := splits / f"flood_{part}_data{suffix}").is_file()
                }
                if "train" in files:
                    return {
                        _chip_of(line): SPLITS[part]
                        for part, path in files.items()
                        for line in path.read_text("utf-8", errors="replace").splitlines()
                        if line.strip()
                    }
        return None

    def _days_by_event(self, folder: Path) -> dict[str, int]:
        """Day of the year of each event, where the metadata tell it."""
        for place in self._roots(folder):
            path = place / "Sen1Floods11_Metadata.geojson"
            if not path.is_file():
                continue
            try:
                features = json.loads(path.read_text("utf-8"))["features"]
                rows = [(str(row["properties"]["location"]), str(row["properties"]["s1_date"])) for row in features]
            except (OSError, ValueError, KeyError, TypeError):  # dates are welcome, not needed
                return {}
            return {event.lower(): day for event, text in rows if (day := _day_of_year(text)) is not None}
        return {}

    def _roots(self, folder: Path) -> list[Path]:
        """Where files that belong to the data may lie: the given folder and those between it and the images."""
        return list(dict.fromkeys((folder, folder / "v1.1", self._base, *list(self._base.absolute().parents)[:3])))


def join_sensors(parts: list[tuple[tuple[str, ...], Array, Mask]]) -> tuple[tuple[str, ...], Array, Mask]:
    """Slots, values and valid mask of one chip seen by several sensors: a pixel is valid where all measured it.

    A sensor that measured less than half of what another did is left out, lest it hide what that one saw.
    """
    most = max(int(valid.sum()) for _, _, valid in parts)
    kept = [part for part in parts if int(part[2].sum()) >= LEAST_JOINT_SHARE * most]
    valid = np.logical_and.reduce([part[2] for part in kept])
    values = np.concatenate([part[1] for part in kept])
    values[:, ~valid] = 0.0
    return tuple(slot for part in kept for slot in part[0]), values, np.asarray(valid, np.bool_)


def _base_in(folder: Path) -> Path | None:
    """Folder that holds LabelHand and an image folder."""
    for place in PLACES:
        base = folder / place
        if (base / LABELS).is_dir() and _first_folder(base, RADAR_FOLDERS + OPTICAL_FOLDERS) is not None:
            return base
    return None


def _first_folder(base: Path, names: tuple[str, ...]) -> Path | None:
    return next((base / name for name in names if (base / name).is_dir()), None)


def _chips_in(folder: Path | None, kind: str) -> set[str]:
    ending = f"_{kind}.tif"
    return {path.name[: -len(ending)] for path in folder.iterdir() if path.name.endswith(ending)} if folder else set()


def _chip_of(line: str) -> str:
    """``Ghana_1_S1Hand.tif,Ghana_1_LabelHand.tif`` or ``Ghana_1`` to ``Ghana_1``."""
    return re.sub(r"_(S1Hand|S2Hand|LabelHand)(\.tif)?$", "", line.split(",")[0].strip())


def _event(chip: str) -> str:
    return chip.rsplit("_", 1)[0].lower()


def _day_of_year(text: str) -> int | None:
    found = re.match(r"\s*(\d{4})[-/](\d{1,2})[-/](\d{1,2})", text)
    try:
        return date(*(int(part) for part in found.groups())).timetuple().tm_yday if found else None
    except ValueError:
        return None


def _require(chip: str, sensor: str, values: Array, bands: int, size: tuple[int, ...]) -> None:
    if len(values) != bands or values.shape[1:] != size:
        raise BadInput(
            f"The {sensor} image of chip '{chip}' has {len(values)} bands of {values.shape[2]} x {values.shape[1]} "
            f"pixels; expected {bands} of {size[1]} x {size[0]}, as its label: obtain it again."
        )
