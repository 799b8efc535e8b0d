"""What both versions of BigEarthNet share: names of patches, finding them, and reading one from its band files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ..protocol import OPTICAL_SLOTS, SAR_SLOTS, BadInput
from ..raster.chip import Chip, read_chip
from ..samples import Characteristics, LabelledScene

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

PATCH_PX = 120
"""Side of a patch at 10 m; bands of 20 and 60 m have 60 and 20 pixels and are brought to this."""
GSD_M = 10.0
SCALE = 1e-4
"""Sentinel-2 level 2A: reflectance a count. BigEarthNet's products are older than the offset of baseline 04.00."""
BAND_FILES = {
    "coastal": "B01", "blue": "B02", "green": "B03", "red": "B04", "nir": "B08", "swir1": "B11", "swir2": "B12",
    "vv": "VV", "vh": "VH",
}  # fmt: skip
LOOKED_AT = 100
"""Entries of a folder that are looked at to find out what it holds."""


@dataclass(frozen=True)
class PatchName:
    """What a patch's name tells: satellite, day, MGRS tile ("" where it does not say), column and row in the tile."""

    satellite: str
    day: date
    tile: str
    column: int
    row: int

    @property
    def position(self) -> tuple[int, int]:
        """Column and row in the tile."""
        return self.column, self.row


SENTINEL_2_V2 = re.compile(
    r"(?P<satellite>S2[A-D])_MSIL2A_(?P<day>\d{8})T\d{6}_N\d{4}_R\d{3}_"
    r"T(?P<tile>[0-9A-Z]{5})_(?P<column>\d+)_(?P<row>\d+)"
)
SENTINEL_2_V1 = re.compile(r"(?P<satellite>S2[A-D])_MSIL2A_(?P<day>\d{8})T\d{6}_(?P<column>\d+)_(?P<row>\d+)")
SENTINEL_1 = re.compile(
    r"(?P<satellite>S1[A-D])_IW_GRDH_1SDV_(?P<day>\d{8})T\d{6}_(?P<tile>[0-9A-Z]{5})_(?P<column>\d+)_(?P<row>\d+)"
)


def parse_name(name: str) -> PatchName | None:
    """Parts of a patch's name; None for any other name."""
    for pattern in (SENTINEL_2_V2, SENTINEL_2_V1, SENTINEL_1):
        found = pattern.fullmatch(name)
        if found is None:
            continue
        parts = found.groupdict()
        text = parts["day"]
        try:
            day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            return None
        return PatchName(parts["satellite"], day, parts.get("tile") or "", int(parts["column"]), int(parts["row"]))
    return None


def find_patches(folder: Path, pattern: re.Pattern[str], levels: int = 2) -> Iterator[tuple[str, str]]:
    """Name and parent folder of each patch in a folder or in its folders; no file is opened, links are followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name):
                if entry.is_dir():
                    yield entry.name, str(folder)
            elif levels > 1 and entry.is_dir() and os.access(entry.path, os.R_OK | os.X_OK):
                yield from find_patches(Path(entry.path), pattern, levels - 1)


def holds_patches(folder: Path, pattern: re.Pattern[str], levels: int = 2) -> bool:
    """Whether a patch is among the first entries of a folder or of its folders."""
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number >= LOOKED_AT:
                return False
            if not entry.is_dir():
                continue
            if pattern.fullmatch(entry.name):
                return True
            if (
                levels > 1
                and os.access(entry.path, os.R_OK | os.X_OK)
                and holds_patches(Path(entry.path), pattern, levels - 1)
            ):
                return True
    return False


def folders_of(folder: Path) -> list[str]:
    """Names of the folders in a folder that are no patches, in order."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if parse_name(entry.name) is None and entry.is_dir())


def read_scene(
    name: str, optical: str | None, radar: str | None, check: Callable[[Chip], None] | None = None
) -> LabelledScene:
    """One patch without labels, from the folder of its Sentinel-2 bands, of its Sentinel-1 bands, or of both.

    Args:
        name: name of the patch for messages.
        optical: folder ``<patch>`` with ``<patch>_B02.tif`` and the other bands; None without Sentinel-2.
        radar: folder ``<patch>`` with ``<patch>_VV.tif`` and ``<patch>_VH.tif``; None without Sentinel-1.
        check: called with the first band, to compare its place with that of the labels.

    Raises:
        BadInput: when a band is missing, damaged or of another size, or the two lie at different places.
    """
    values: list[Array] = []
    valid = np.ones((PATCH_PX, PATCH_PX), np.bool_)
    slots: tuple[str, ...] = ()
    place: Chip | None = None
    for folder, wanted in ((optical, OPTICAL_SLOTS), (radar, SAR_SLOTS)):
        if folder is None:
            continue
        chips = [_read_band(folder, BAND_FILES[slot]) for slot in wanted]
        stored = np.concatenate([chip.values for chip in chips])
        valid &= np.isfinite(stored).all(axis=0) & (stored != 0).any(axis=0)  # 0 in every band is a filled border
        values.append(stored * np.float32(SCALE) if wanted is OPTICAL_SLOTS else stored)
        slots += wanted
        first = chips[wanted.index("blue")] if wanted is OPTICAL_SLOTS else chips[0]
        if place is not None:
            require_same_place(f"Sentinel-1 part of patch '{name}'", first, place)
        place = place or first
    if place is not None and check is not None:
        check(place)
    stack = np.concatenate(values)
    stack[:, ~valid] = 0.0
    parsed = parse_name(os.path.basename(optical or radar or ""))
    lonlat = place.lonlat if place is not None else None
    return LabelledScene(
        slots=slots,
        values=torch.from_numpy(stack),
        valid=torch.from_numpy(valid[None]),
        absolute=True,
        characteristics=Characteristics(
            longitude=lonlat[0] if lonlat else None,
            latitude=lonlat[1] if lonlat else None,
            day_of_year=parsed.day.timetuple().tm_yday if parsed else None,
            sensor="sentinel-1" if optical is None else "sentinel-2-l2a",
        ),
        gsd_m=GSD_M,
        name=name,
    )


def require_same_place(what: str, one: Chip, other: Chip) -> None:
    """Raise BadInput unless both chips cover the same ground; chips that do not say where they lie pass."""
    if one.extent is None or other.extent is None:
        return
    if max(abs(a - b) for a, b in zip(one.extent, other.extent, strict=True)) > GSD_M / 2:
        raise BadInput(
            f"The {what} lies at {one.extent[0]:.0f}, {one.extent[3]:.0f}, the rest at "
            f"{other.extent[0]:.0f}, {other.extent[3]:.0f}; obtain the patch again."
        )


def _read_band(folder: str, band: str) -> Chip:
    path = os.path.join(folder, f"{os.path.basename(folder)}_{band}.tif")
    chip = read_chip(path, size_px=(PATCH_PX, PATCH_PX))
    if len(chip.values) != 1:
        raise BadInput(f"'{os.path.basename(path)}' has {len(chip.values)} bands; expected one: obtain it again.")
    if chip.extent is not None:
        width, height = chip.extent[2] - chip.extent[0], chip.extent[3] - chip.extent[1]
        side = PATCH_PX * GSD_M
        if abs(width - side) > GSD_M or abs(height - side) > GSD_M:
            raise BadInput(
                f"'{os.path.basename(path)}' covers {width:.0f} x {height:.0f} m; expected {side:.0f} x {side:.0f} m: "
                "obtain it again."
            )
    return chip
