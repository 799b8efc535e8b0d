"""Windows of one scene, cached for all steps, and ways to look at them again: turned or brighter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..planes import PLANES, SceneScaling, planes_for
from ..predict import logits_at

GAIN, OFFSET = 0.1, 0.1
"""Spread of contrast and brightness of a plane when a window is seen again."""


@dataclass
class Views:
    """Windows of a scene as the network takes them.

    Attributes:
        planes: (n, planes, h, w), only those that the scene fills; h and w multiples of what the network needs.
        valid: (n, h, w) bool.
        scaling: of the scene; tells which planes there are.
        judged: how many of the first windows are used to judge candidates; all are used to learn.
        calm: (n, h, w) bool, where an earlier scene shows that nothing can be new; None without one.
        changed: (n, h, w) bool, where it shows that something can: the ground changed, and nothing was found before.
        once: (judged, h, w) bool, the window in which ground that several judged windows show counts; None where no
            two of them overlap.
    """

    planes: Tensor
    valid: Tensor
    scaling: SceneScaling
    judged: int
    calm: Tensor | None = None
    changed: Tensor | None = None
    once: Tensor | None = None

    def to(self, device: torch.device) -> Views:
        """The same on another device."""
        names = ("planes", "valid", "calm", "changed", "once")
        fields = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return replace(self, **{name: field.to(device) for name, field in fields.items()})

    def __len__(self) -> int:
        return self.planes.shape[0]

    @property
    def counted(self) -> Tensor:
        """(judged, h, w) bool: valid pixels of the judged windows, each piece of ground once."""
        valid = self.valid[: self.judged]
        return valid if self.once is None else valid & self.once

    @property
    def chosen(self) -> list[int]:
        """Indices into ``PLANES`` of the planes."""
        return planes_for(self.scaling)

    def names(self) -> list[str]:
        """Names of the planes."""
        return [PLANES[index] for index in self.chosen]


def looked_at_again(planes: Tensor, names: Sequence[str], way: str, generator: torch.Generator) -> Tensor:
    """Windows (n, planes, h, w) seen in another ``way``: ``turned`` or ``brighter``."""
    return planes.flip(-1) if way == "turned" else jittered(planes, names, generator)


def turned_back(field: Tensor, way: str) -> Tensor:
    """What was said of windows seen in a ``way``, on their own grid again."""
    return field.flip(-1) if way == "turned" else field


def jittered(planes: Tensor, names: Sequence[str], generator: torch.Generator) -> Tensor:
    """Another contrast and brightness of each normalised plane, as another sensor's gain or a haze would give it."""
    count = planes.shape[1]
    changes = [name.startswith("norm_") for name in names]
    mask = torch.tensor(changes, dtype=planes.dtype, device=planes.device).view(1, count, 1, 1)
    gain, offset = (torch.randn((1, count, 1, 1), generator=generator, device="cpu").to(planes) for _ in range(2))
    measured = _measured(planes, names)
    return (planes * (1 + GAIN * gain * mask) + OFFSET * offset * mask) * measured


def from_afar(field: Tensor, factor: int, multiple: int) -> Tensor:
    """(n, c, h, w) averaged over ``factor`` x ``factor`` pixels, sides padded to ``multiple``."""
    if factor == 1:
        return field
    small = F.avg_pool2d(field, factor, ceil_mode=True, count_include_pad=False)
    rows, columns = small.shape[-2:]
    return F.pad(small, (0, -columns % multiple, 0, -rows % multiple))


def logits_of(
    network: object, planes: Tensor, channel: int, factors: Sequence[int], multiple: int, at_once: int = 4
) -> Tensor:
    """Hazard logits (n, h, w) of windows."""
    parts = [
        logits_at(network, part.float(), factors, multiple)[:, channel]  # type: ignore[arg-type]
        for part in torch.split(planes, at_once)
    ]
    return torch.cat(parts)


def scores_of(
    network: object, planes: Tensor, channel: int, factors: Sequence[int], multiple: int, centre: float
) -> Tensor:
    """Hazard scores (n, h, w) of windows: 0.5 at the logit ``centre``, where the decision threshold lies."""
    return torch.sigmoid(logits_of(network, planes, channel, factors, multiple) - centre)


def _measured(planes: Tensor, names: Sequence[str]) -> Tensor:
    """(n, 1, h, w): 1 where any band was measured."""
    available = [index for index, name in enumerate(names) if name.startswith("available_")]
    return planes[:, available].amax(1, keepdim=True)
