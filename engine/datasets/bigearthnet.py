"""BigEarthNet v2 (reBEN): Sentinel-2 and Sentinel-1 patches with CORINE reference maps, read as downloaded.

K. N. Clasen et al., "reBEN: Refined BigEarthNet Dataset for Remote Sensing Image Analysis", IGARSS 2025
(arXiv 2407.03653); https://zenodo.org/records/10891137. Layout::

    BigEarthNet-S2/<tile>/<patch>/<patch>_B02.tif ...     BigEarthNet-S1/<scene>/<patch>/<patch>_VV.tif, _VH.tif
    Reference_Maps/<tile>/<patch>/<patch>_reference_map.tif
    metadata.parquet    patch_id, labels, split, country, s1_name, s2v1_name, contains_seasonal_snow,
                        contains_cloud_or_shadow

The metadata list only the 480,038 patches without snow, cloud and shadow.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..protocol import BadInput
from ..raster.chip import Chip, read_chip
from ..samples import LabelledScene
from .corine import artificial_of, surface_of
from .patches import (
    PATCH_PX,
    SENTINEL_1,
    SENTINEL_2_V2,
    PatchName,
    find_patches,
    parse_name,
    read_scene,
    require_same_place,
)
from .splits import SPLIT_NAMES, Split, named_split, seeded_split

OPTICAL, RADAR, MAPS = "BigEarthNet-S2", "BigEarthNet-S1", "Reference_Maps"
METADATA = "metadata.parquet"
NOT_NAMED = -1
"""Part of a patch where the data set does not say whether it trains, validates or tests."""
DOWNLOAD = "python -m engine download bigearthnet-v2 --to FOLDER"


@dataclass
class Metadata:
    """What metadata.parquet says of the patches that are free of snow, cloud and shadow.

    Attributes:
        radar: Sentinel-1 patch of each.
        part: 0 training, 1 validation, 2 test, or NOT_NAMED.
        labels: class names of each; read only where there are no reference maps.
    """

    radar: dict[str, str]
    part: dict[str, int]
    labels: dict[str, tuple[str, ...]]


class BigEarthNetV2:
    """BigEarthNet v2 in a folder; see the module for its layout.

    A patch is used when it has a reference map (or, where there are no maps at all, labels in the metadata) and
    Sentinel-2, Sentinel-1 or both. With the metadata only the patches that they list as clear are used, and their split
    holds; without, the split is seeded by tile and Sentinel-1 is joined by tile, position and nearest day.

    Raises:
        BadInput: when no patch can be used.
    """

    name = "BigEarthNet v2"
    licence = "BigEarthNet v2.0 (reBEN), Clasen et al. 2025, CDLA-Permissive-1.0"
    hazards: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        if folder.name in (OPTICAL, RADAR, MAPS):
            raise BadInput(
                f"'{folder.name}' is one part of BigEarthNet v2; give the folder that holds it beside {MAPS}."
            )
        self._folder = str(folder)
        optical, radar, maps = (_scan(folder / part) for part in (OPTICAL, RADAR, MAPS))
        metadata, notes = _read_metadata(folder, with_labels=not maps)
        labelled = maps if maps else set(metadata.labels) if metadata else set()
        partners = metadata.radar if metadata else _radar_by_place(optical | maps, radar)
        usable = [
            name
            for name in sorted(labelled)
            if (name in optical or partners.get(name) in radar) and (metadata is None or name in metadata.part)
        ]
        if not usable:
            raise BadInput(
                f"'{folder.name}' holds {len(optical)} Sentinel-2 patches, {len(radar)} Sentinel-1 patches and "
                f"{len(maps)} reference maps of BigEarthNet v2, but no patch with its map; {_remedy(folder)}."
            )
        # Half a million names: arrays of bytes are small, and processes that read in parallel share them.
        self._names = np.asarray(usable, dtype="S")
        self._partners = np.asarray(
            [partners[name] if partners.get(name) in radar else "" for name in usable], dtype="S"
        )
        self._has_optical = np.asarray([name in optical for name in usable])
        self._parts = np.asarray([metadata.part[name] if metadata else NOT_NAMED for name in usable], np.int8)
        self._labels = None if maps or metadata is None else [metadata.labels[name] for name in usable]
        unlabelled = sum(name not in labelled for name in optical)
        if unlabelled:
            notes.append(f"{unlabelled} Sentinel-2 patches without a reference map are left out.")
        unseen = sum(name not in optical and partners.get(name) not in radar for name in maps)
        if unseen:
            notes.append(f"{unseen} reference maps without an image are left out.")
        missing = (
            sum(name not in optical and metadata.radar.get(name) not in radar for name in metadata.part)
            if metadata
            else 0
        )
        if missing:
            notes.append(f"{missing} patches that {METADATA} lists are not in the folder and are skipped.")
        unclear = sum(name not in metadata.part for name in labelled & optical) if metadata else 0
        if unclear:
            notes.append(
                f"{unclear} patches that {METADATA} does not list as free of snow, cloud and shadow are left out."
            )
        if (self._parts == NOT_NAMED).any():
            notes.append("The split is a seeded one by tile, not the official one.")
        self.notes = tuple(notes)

    @classmethod
    def lies_in(cls, folder: Path) -> bool:
        """Whether a folder has this layout or is a part of it, unpacked or not."""
        parts = (OPTICAL, RADAR, MAPS)
        return folder.name in parts or any(
            (folder / part).is_dir() or (folder / f"{part}.tar.zst").is_file() for part in parts
        )

    def __len__(self) -> int:
        """Number of patches."""
        return len(self._names)

    def split(self, seed: int) -> Split:
        """The official split where the metadata tell it, else a seeded one that keeps tiles together."""
        tiles = [name.decode().rsplit("_", 3)[-3] for name in self._names]
        if (self._parts == NOT_NAMED).any():
            return seeded_split(tiles, seed)
        return named_split([int(part) for part in self._parts], tiles, seed)

    def read(self, number: int) -> LabelledScene:
        """One patch with natural/artificial pixels; raises BadInput when a file of it is damaged or missing."""
        name, partner = self._names[number].decode(), self._partners[number].decode()
        optical = self._place(OPTICAL, name, 2) if self._has_optical[number] else None
        radar = self._place(RADAR, partner, 3) if partner else None
        if self._labels is not None:
            scene = read_scene(name, optical, radar)
            try:
                scene.artificial = artificial_of(self._labels[number])
            except ValueError as error:
                raise BadInput(
                    f"Patch '{name}' has the label '{error}', which is no CORINE class; check {METADATA}."
                ) from None
            return scene
        reference = read_chip(os.path.join(self._place(MAPS, name, 2), f"{name}_reference_map.tif"))
        if reference.values.shape != (1, PATCH_PX, PATCH_PX):
            raise BadInput(
                f"The reference map of patch '{name}' has {reference.values.shape[2]} x {reference.values.shape[1]} "
                f"pixels; expected {PATCH_PX} x {PATCH_PX}: obtain it again."
            )

        def check(place: Chip) -> None:
            require_same_place(f"reference map of patch '{name}'", reference, place)

        scene = read_scene(name, optical, radar, check)
        scene.surface = torch.from_numpy(surface_of(reference.values[0].astype(np.int64)))
        return scene

    def _place(self, part: str, name: str, parts_of_position: int) -> str:
        """Folder of a patch: in that of its tile or scene, as published, or directly in that of the part."""
        nested = os.path.join(self._folder, part, name.rsplit("_", parts_of_position)[0], name)
        return nested if os.path.isdir(nested) else os.path.join(self._folder, part, name)


def _remedy(folder: Path) -> str:
    packed = [part for part in (OPTICAL, RADAR, MAPS) if (folder / f"{part}.tar.zst").is_file()]
    if packed:
        return f"unpack the archives first, for example: tar --zstd -xf {packed[0]}.tar.zst"
    return f"get all parts with: {DOWNLOAD}"


def _scan(folder: Path) -> set[str]:
    """Names of the patches in a part; none where there is no such folder."""
    if not folder.is_dir():
        return set()
    pattern = SENTINEL_1 if folder.name == RADAR else SENTINEL_2_V2
    return {name for name, _ in find_patches(folder, pattern)}


def _radar_by_place(optical: Iterable[str], radar: Iterable[str]) -> dict[str, str]:
    """For each Sentinel-2 patch the Sentinel-1 patch of the same tile and position whose day is nearest."""
    at: dict[tuple[str, int, int], list[tuple[PatchName, str]]] = {}
    for name in radar:
        parsed = parse_name(name)
        if parsed is not None:
            at.setdefault((parsed.tile, parsed.column, parsed.row), []).append((parsed, name))
    nearest = {}
    for name in optical if at else ():
        parsed = parse_name(name)
        candidates = at.get((parsed.tile, parsed.column, parsed.row)) if parsed else None
        if parsed and candidates:
            nearest[name] = min((abs((other.day - parsed.day).days), partner) for other, partner in candidates)[1]
    return nearest


def _read_metadata(folder: Path, with_labels: bool) -> tuple[Metadata | None, list[str]]:
    """What metadata.parquet says, or None and a note why."""
    path = folder / METADATA
    if not path.is_file():
        return None, [f"There is no {METADATA}: patches with snow and clouds are not left out."]
    try:
        from pyarrow import parquet
    except ImportError:
        return None, [
            f"{METADATA} is not read, because pyarrow is missing (pip install -r engine/requirements-training.txt): "
            "patches with snow and clouds are not left out."
        ]
    try:
        table = parquet.read_table(path)  # type: ignore[no-untyped-call, unused-ignore]
    except (OSError, ValueError) as error:  # pyarrow's own errors are of these kinds
        reason = (str(error).splitlines() or [""])[0][:120]
        raise BadInput(f"'{METADATA}' cannot be read ({reason}); download it again, or remove it.") from None
    if "patch_id" not in table.column_names:
        raise BadInput(
            f"'{METADATA}' has the columns {', '.join(table.column_names[:8])}; expected patch_id, split and others: "
            "download it again, or remove it."
        )

    def column(name: str, missing: Any) -> list[Any]:
        return list(table.column(name).to_pylist()) if name in table.column_names else [missing] * table.num_rows

    snow, cloud = column("contains_seasonal_snow", False), column("contains_cloud_or_shadow", False)
    clear = [not (a or b) for a, b in zip(snow, cloud, strict=True)]

    def by_patch(values: list[Any]) -> dict[str, Any]:
        patches = column("patch_id", "")
        return {str(patch): value for patch, value, ok in zip(patches, values, clear, strict=True) if ok and value}

    parts = [SPLIT_NAMES.get(str(part).lower(), NOT_NAMED) for part in column("split", None)]
    part = {str(patch): part for patch, part, ok in zip(column("patch_id", ""), parts, clear, strict=True) if ok}
    labels = by_patch(column("labels", None)) if with_labels else {}
    return Metadata(by_patch(column("s1_name", None)), part, {k: tuple(v) for k, v in labels.items()}), []
