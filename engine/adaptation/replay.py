"""Labelled chips learnt beside the unlabelled scene, as windows of the planes that the scene fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..planes import PLANES, SceneScaling, build_planes, planes_for
from ..samples import UNKNOWN, LabelledScene

WINDOW_PX = 256
MOST_WINDOWS = 64


@dataclass(frozen=True)
class Replay:
    """Windows of labelled chips.

    Attributes:
        planes: (n, planes, h, w), those of the scene; what a chip lacks is 0.
        valid: (n, h, w) bool, where a chip was measured.
        surface: (n, h, w) uint8: 1 artificial, 0 natural, 255 not known.
        scores: (n, h, w) hazard scores 0 to 1, NaN where not known.
        known: (n, 2, CHARACTERISTICS), target and mask of what is known of place, day and sensor of each.
    """

    planes: Tensor
    valid: Tensor
    surface: Tensor
    scores: Tensor
    known: Tensor

    def to(self, device: torch.device) -> Replay:
        """The same on another device."""
        return Replay(*(part.to(device) for part in self._parts()))

    def drawn(self, count: int, generator: torch.Generator) -> Replay:
        """``count`` of the windows at random."""
        index = torch.randint(self.planes.shape[0], (count,), generator=generator, device="cpu")
        return Replay(*(part[index] for part in self._parts()))

    def _parts(self) -> tuple[Tensor, ...]:
        return self.planes, self.valid, self.surface, self.scores, self.known


def windows_of(chips: Sequence[tuple[LabelledScene, Tensor | None]], chosen: Sequence[int]) -> Replay:
    """Windows of the middles of chips.

    Args:
        chips: labelled scenes, and (h, w) scores with NaN where not known, or None.
        chosen: indices into ``PLANES`` of the planes wanted.
    """
    planes, measured, surfaces, scores, known_of = [], [], [], [], []
    for scene, score in list(chips)[:MOST_WINDOWS]:
        height, width = scene.values.shape[-2:]
        low, high = _range(scene)
        scaling = SceneScaling(scene.slots, low, high, (scene.absolute,) * len(scene.slots))
        values, valid = (_fitted(part, fill) for part, fill in ((scene.values.float(), 0.0), (scene.valid, 0)))
        full = torch.zeros((len(PLANES), WINDOW_PX, WINDOW_PX))
        full[planes_for(scaling)] = build_planes(values[None], valid[None].bool(), scaling)[0]
        surface = scene.surface if scene.surface is not None else torch.full((height, width), UNKNOWN)
        surface = _fitted(surface[None].to(torch.uint8), UNKNOWN)[0]
        known = score if score is not None else torch.full((height, width), torch.nan)
        planes.append(full[list(chosen)])
        measured.append(valid[0].bool())
        surfaces.append(torch.where(valid[0].bool(), surface, UNKNOWN))
        scores.append(torch.where(valid[0].bool(), _fitted(known[None].float(), torch.nan)[0], torch.nan))
        known_of.append(torch.stack(scene.characteristics.encode()))
    return Replay(*(torch.stack(parts) for parts in (planes, measured, surfaces, scores, known_of)))


def _range(scene: LabelledScene) -> tuple[tuple[float, ...], tuple[float, ...]]:
    sample = torch.nan_to_num(scene.values.float()).flatten(1)[:, scene.valid.flatten()][:, ::7]
    if sample.shape[1] == 0:
        return (0.0,) * len(scene.slots), (0.0,) * len(scene.slots)
    low, high = torch.quantile(sample[:, :200_000], torch.tensor((0.02, 0.98)), dim=1)
    return tuple(low.tolist()), tuple(high.tolist())


def _fitted(part: Tensor, fill: float) -> Tensor:
    """(c, h, w) cut to, or filled up to, a window around its middle."""
    height, width = part.shape[-2:]
    top, left = max(0, (height - WINDOW_PX) // 2), max(0, (width - WINDOW_PX) // 2)
    part = part[..., top : top + WINDOW_PX, left : left + WINDOW_PX]
    return F.pad(part, (0, WINDOW_PX - part.shape[-1], 0, WINDOW_PX - part.shape[-2]), value=fill)
