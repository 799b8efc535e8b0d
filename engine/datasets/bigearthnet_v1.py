"""BigEarthNet v1 (and its Sentinel-1 part, BigEarthNet-MM): patches with class names but no map, read as downloaded.

G. Sumbul et al., "BigEarthNet: A Large-Scale Benchmark Archive for Remote Sensing Image Understanding", IGARSS 2019;
G. Sumbul et al., "BigEarthNet-MM", IEEE GRSM 2021. Layout, in a folder or in folders of it such as ``BigEarthNet-v1.0``
and ``BigEarthNet-S1-v1.0``::

    <patch>/<patch>_B02.tif ... <patch>_labels_metadata.json     labels: class names of 43 or 19 classes
    <patch>/<patch>_VV.tif, _VH.tif, _labels_metadata.json       also corresponding_s2_patch

Lists of patches to avoid (``patches_with_cloud_and_shadow.csv``, ``patches_with_seasonal_snow.csv``, one name a line)
are used where they lie in the folder.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..protocol import BadInput
from ..samples import LabelledScene
from .corine import artificial_of
from .patches import SENTINEL_1, SENTINEL_2_V1, find_patches, holds_patches, parse_name, read_scene
from .splits import Split, seeded_split

AVOID = ("patches_with_cloud_and_shadow.csv", "patches_with_seasonal_snow.csv")


class BigEarthNetV1:
    """BigEarthNet v1 in a folder; see the module for its layout.

    Sentinel-1 patches are joined to the Sentinel-2 patch that their own metadata name; those at a position of a tile
    where there is no Sentinel-2 patch are scenes of their own.

    Raises:
        BadInput: when there is no patch.
    """

    name = "BigEarthNet v1"
    licence = "BigEarthNet v1.0, Sumbul et al. 2019 and 2021, CDLA-Permissive-1.0"
    hazards: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        avoid = _patches_to_avoid(folder)
        optical = list(find_patches(folder, SENTINEL_2_V1))
        radar = list(find_patches(folder, SENTINEL_1))
        kept = [patch for patch in optical if patch[0] not in avoid]
        occupied = {parsed.position for name, _ in optical if (parsed := parse_name(name))}
        self._radar_at: dict[tuple[int, int], list[tuple[str, str]]] = {}
        alone = []
        for name, parent in radar:
            parsed = parse_name(name)
            if parsed is None:
                continue
            if parsed.position in occupied:
                self._radar_at.setdefault(parsed.position, []).append((name, parent))
            else:
                alone.append((name, parent))
        self._patches = sorted(kept) + sorted(alone)
        if not self._patches:
            raise BadInput(
                f"'{folder.name}' holds {len(optical)} Sentinel-2 patches of BigEarthNet v1, all of them listed as "
                "cloudy or snowy; expected clear ones: add patches."
            )
        notes = ["Patches of BigEarthNet v1 tell only whether any of them is artificial, not where."]
        if len(optical) > len(kept):
            notes.append(f"{len(optical) - len(kept)} patches listed as cloudy or snowy are left out.")
        if alone and kept:
            notes.append(f"{len(alone)} Sentinel-1 patches have no Sentinel-2 patch beside them and stand alone.")
        notes.append("The split is a seeded one by acquisition.")
        self.notes = tuple(notes)

    @classmethod
    def lies_in(cls, folder: Path) -> bool:
        """Whether patches of this version lie in a folder or in its folders."""
        return holds_patches(folder, SENTINEL_2_V1) or holds_patches(folder, SENTINEL_1)

    def __len__(self) -> int:
        """Number of patches."""
        return len(self._patches)

    def split(self, seed: int) -> Split:
        """A seeded split that keeps the patches of one acquisition together."""
        return seeded_split([name.rsplit("_", 2)[0] for name, _ in self._patches], seed)

    def read(self, number: int) -> LabelledScene:
        """One patch with its patch label; raises BadInput when a file of it is damaged or missing."""
        name, parent = self._patches[number]
        folder = os.path.join(parent, name)
        if SENTINEL_1.fullmatch(name):
            scene = read_scene(name, None, folder)
        else:
            scene = read_scene(name, folder, self._partner(name))
        labels = _read_labels(folder, name).get("labels")
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise BadInput(f"The metadata of patch '{name}' hold no list of labels; obtain the patch again.")
        try:
            scene.artificial = artificial_of(labels)
        except ValueError as error:
            raise BadInput(
                f"Patch '{name}' has the label '{error}'; expected names of the 43 or 19 classes of BigEarthNet."
            ) from None
        return scene

    def _partner(self, name: str) -> str | None:
        """Folder of the Sentinel-1 patch that names this Sentinel-2 patch as its own, looked for by nearness in time.

        The names do not say it (the tile is missing in Sentinel-2's), and opening every file at the start would take
        an hour.
        """
        parsed = parse_name(name)
        if parsed is None:
            return None
        candidates = []
        for other, parent in self._radar_at.get(parsed.position, ()):
            found = parse_name(other)
            if found is not None:
                candidates.append((abs((found.day - parsed.day).days), other, parent))
        for _, other, parent in sorted(candidates):
            folder = os.path.join(parent, other)
            try:
                belongs = _read_labels(folder, other).get("corresponding_s2_patch") == name
            except BadInput:  # it cannot be shown to belong here
                continue
            if belongs:
                return folder
        return None


def _read_labels(folder: str, name: str) -> dict[str, Any]:
    path = os.path.join(folder, f"{name}_labels_metadata.json")
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not JSON"
        raise BadInput(f"The metadata of patch '{name}' cannot be read ({reason}); obtain the patch again.") from None
    if not isinstance(found, dict):
        raise BadInput(f"The metadata of patch '{name}' are not an object; obtain the patch again.")
    return found


def _patches_to_avoid(folder: Path) -> set[str]:
    """Names in the published lists, looked for in the folder and in its folders that are no patches."""
    places = [str(folder)]
    with os.scandir(folder) as entries:
        places += [entry.path for entry in entries if parse_name(entry.name) is None and entry.is_dir()]
    names: set[str] = set()
    for place in places:
        for path in (Path(place) / name for name in AVOID):
            if path.is_file():
                lines = path.read_text("utf-8", errors="replace").splitlines()
                names |= {line.split(",")[0].strip() for line in lines}
    return names
