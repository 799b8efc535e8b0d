"""A look at labelled scenes before a run: whether they can be read, and what their labels hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from .batches import require_large_enough
from .protocol import BadInput, TrainJob
from .reporting import Report
from .samples import LabelledData, LabelledScene
from .turns import PREPARING

SAMPLE = 200
"""Scenes that are looked at; more only while no label was found."""
NAMED = 3
"""Bad scenes that a message names."""


@dataclass
class Survey:
    """What the scenes of a sample hold.

    Attributes:
        read: scenes that could be read.
        skipped: one sentence for each that could not.
        hazards: pixels of each hazard.
        judged: pixels judged for each hazard.
        artificial: pixels that are artificial, or patches where only patches are labelled.
        natural: likewise.
        slots: all bands met.
    """

    read: int = 0
    skipped: list[str] = field(default_factory=list)
    hazards: dict[str, int] = field(default_factory=dict)
    judged: dict[str, int] = field(default_factory=dict)
    artificial: int = 0
    natural: int = 0
    slots: set[str] = field(default_factory=set)

    def add(self, scene: LabelledScene) -> None:
        """Count one scene."""
        self.read += 1
        self.slots |= set(scene.slots)
        for name, labels in scene.labels.items():
            seen = torch.where(scene.valid[0], labels, 255)
            self.hazards[name] = self.hazards.get(name, 0) + int((seen == 1).sum())
            self.judged[name] = self.judged.get(name, 0) + int((seen != 255).sum())
        if scene.surface is not None:
            seen = torch.where(scene.valid[0], scene.surface, 255)
            self.artificial += int((seen == 1).sum())
            self.natural += int((seen == 0).sum())
        elif scene.artificial is not None:
            self.artificial += int(scene.artificial)
            self.natural += int(not scene.artificial)

    def notes(self) -> list[str]:
        """What the user should know: how many scenes were bad, and hazards of which no pixel is free."""
        everywhere = [name for name, shown in self.hazards.items() if shown and shown == self.judged[name]]
        return self.unread_notes() + [
            f"The labels of {self.read} scenes looked at show {name} wherever they are judged, and nothing without it: "
            "a model learns to see it everywhere. If a code of the labels means none, leave it out of --ignore."
            for name in everywhere
        ]

    def unread_notes(self) -> list[str]:
        """How many scenes were bad, and the first of them."""
        if not self.skipped:
            return []
        some = "; ".join(self.skipped[:NAMED])
        return [f"{len(self.skipped)} of {self.read + len(self.skipped)} scenes looked at cannot be read: {some}"]


def survey(data: LabelledData, numbers: Sequence[int], seed: int, report: Report) -> Survey:
    """Look at a seeded sample of scenes, and at all of them while none shows a hazard, or both kinds of surface.

    Raises:
        BadInput: none can be read, or none is labelled.
    """
    found = Survey()
    order = torch.randperm(len(numbers), generator=torch.Generator().manual_seed(seed)).tolist()
    for done, index in enumerate(order):
        if done >= SAMPLE and (any(found.hazards.values()) or (found.artificial and found.natural)):
            break
        report.progress(min(1.0, done / SAMPLE), *PREPARING)
        try:
            scene = data.read(int(numbers[index]))
            require_large_enough(scene)
        except BadInput as error:
            found.skipped.append(str(error))
            continue
        found.add(scene)
    if found.read == 0:
        first = found.skipped[0] if found.skipped else "there is none"
        raise BadInput(f"None of {len(numbers)} scenes of {data.name} can be used: {first}")
    return found


def require_both_surfaces(found: Survey, name: str) -> None:
    """Raise BadInput unless what was looked at shows both natural and artificial surfaces."""
    if found.artificial and found.natural:
        return
    missing = "natural" if found.artificial else "artificial" if found.natural else "natural or artificial"
    said = f"None of {found.read} scenes of {name} that are to train has a label that says {missing}"
    if found.read == 1:
        said = f"The one scene of {name} that is to train has no label that says {missing}"
    unread = "".join(f" {note}" for note in found.unread_notes())
    raise BadInput(
        f"{said}; expected reference maps or patch labels of natural and of artificial surfaces: add scenes, or check "
        f"the folder.{unread}"
    )


def require_labels(found: Survey, name: str, job: TrainJob, shown: Sequence[str]) -> None:
    """Raise BadInput if no label that was looked at shows a hazard.

    Args:
        found: of the data.
        name: of the data.
        job: that names them.
        shown: hazards that they should show.
    """
    if not any(found.hazards.values()):
        raise BadInput(
            f"The labels of all {found.read} scenes of {name} in {job.data} are empty: no pixel has a code of "
            f"{', '.join(map(str, job.positive))}; say with --positive which mean {' or '.join(shown)}."
        )
