"""Windows of one scene, cached for all steps, and ways to look at them again: turned, brighter, with a band less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..planes import COLOURS, PLANES, RATIOS, SceneScaling, planes_for
from ..predict import logits_at
from ..protocol import SAR_SLOTS

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
    """

    planes: Tensor
    valid: Tensor
    scaling: SceneScaling
    judged: int

    def __len__(self) -> int:
        return self.planes.shape[0]

    @property
    def chosen(self) -> list[int]:
        """Indices into ``PLANES`` of the planes."""
        return planes_for(self.scaling)

    def names(self) -> list[str]:
        """Names of the planes."""
        return [PLANES[index] for index in self.chosen]


def looked_at_again(planes: Tensor, names: Sequence[str], way: str, generator: torch.Generator) -> Tensor:
    """Windows (n, planes, h, w) seen in another ``way``: ``turned``, ``brighter`` or ``band less``.

    A band less is only tried where another one remains; otherwise the windows come back as they are.
    """
    if way == "turned":
        return planes.flip(-1)
    if way == "brighter":
        return jittered(planes, names, generator)
    slots = [name.removeprefix("available_") for name in names if name.startswith("available_")]
    if len(slots) < 2:
        return planes
    return without(planes, names, slots[int(torch.randint(len(slots), (1,), generator=generator))])


def turned_back(field: Tensor, way: str) -> Tensor:
    """What was said of windows seen in a ``way``, on their own grid again."""
    return field.flip(-1) if way == "turned" else field


def jittered(planes: Tensor, names: Sequence[str], generator: torch.Generator) -> Tensor:
    """Another contrast and brightness of each normalised plane, as another sensor's gain or a haze would give it."""
    count = planes.shape[1]
    changes = [name.startswith("norm_") for name in names]
    mask = torch.tensor(changes, dtype=planes.dtype, device=planes.device).view(1, count, 1, 1)
    gain, offset = (torch.randn((1, count, 1, 1), generator=generator).to(planes) for _ in range(2))
    measured = _measured(planes, names)
    return (planes * (1 + GAIN * gain * mask) + OFFSET * offset * mask) * measured


def without(planes: Tensor, names: Sequence[str], slot: str) -> Tensor:
    """The windows as if one band had not been measured: its planes, and those made of it, are empty."""
    made_of = {**RATIOS, **COLOURS, "vv_minus_vh": SAR_SLOTS}
    kept = [0.0 if slot in made_of.get(name, (name.partition("_")[2],)) else 1.0 for name in names]
    return planes * torch.tensor(kept, dtype=planes.dtype, device=planes.device).view(1, -1, 1, 1)


def from_afar(field: Tensor, factor: int, multiple: int) -> Tensor:
    """(n, c, h, w) averaged over ``factor`` x ``factor`` pixels, sides padded to ``multiple``."""
    if factor == 1:
        return field
    small = F.avg_pool2d(field, factor, ceil_mode=True, count_include_pad=False)
    rows, columns = small.shape[-2:]
    return F.pad(small, (0, -columns % multiple, 0, -rows % multiple))


def scores_of(
    network: object,
    planes: Tensor,
    channel: int,
    factors: Sequence[int],
    multiple: int,
    centre: float,
    at_once: int = 4,
) -> Tensor:
    """Hazard scores (n, h, w) of windows: 0.5 at the logit ``centre``, where the decision threshold lies."""
    parts = [
        logits_at(network, part.float(), factors, multiple)[:, channel]  # type: ignore[arg-type]
        for part in torch.split(planes, at_once)
    ]
    return torch.sigmoid(torch.cat(parts) - centre)


def _measured(planes: Tensor, names: Sequence[str]) -> Tensor:
    """(n, 1, h, w): 1 where any band was measured."""
    available = [index for index, name in enumerate(names) if name.startswith("available_")]
    return planes[:, available].amax(1, keepdim=True)
