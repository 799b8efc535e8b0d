"""Planes of change: what the network that tells new from old is shown of a pair of scenes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..planes import PLANES, SceneScaling, planes_for
from ..protocol import OPTICAL_SLOTS, SLOTS
from .hidden import hidden_ground
from .matching import INDICES, PairMatch, index_values

_DIFFERENCES = tuple(f"difference_{slot}" for slot in SLOTS)
_LOG_RATIOS = tuple(f"log_ratio_{slot}" for slot in OPTICAL_SLOTS)
_COMMON = tuple(f"common_{slot}" for slot in SLOTS)
_CHANGES = tuple(f"change_{name}" for name in INDICES)
_LATER = tuple(f"later_{slot}" for slot in SLOTS)
_EARLIER = tuple(f"earlier_{slot}" for slot in SLOTS)

CHANGE_PLANES: tuple[str, ...] = (
    *_DIFFERENCES, *_COMMON, *_CHANGES, *_LATER, *_EARLIER, "magnitude", "surroundings", *_LOG_RATIOS, "hidden",
)  # fmt: skip
"""Names of all planes of change, in the order of the first convolution of ``branch.ChangeBranch``."""

SURROUNDINGS_PX = 7
LARGEST = 6.0
LOG_RATIO_SCALE, INDEX_SCALE, MAGNITUDE_SCALE = 1.5, 3.0, 3.0
"""By which logarithms of ratios and magnitudes are divided, and changes of indices multiplied."""
DARKEST = 0.02
"""Reflectance, or share of the brightest, that is added before ratios are taken, so that they do not enlarge noise."""


def build_change_planes(
    later: Tensor,
    earlier: Tensor,
    valid: Tensor,
    scalings: tuple[SceneScaling, SceneScaling],
    normalised: tuple[Tensor, Tensor],
    match: PairMatch,
) -> Tensor:
    """Planes of change of windows of one pair of scenes.

    Args:
        later: (n, slots, h, w) canonical values of the later scene.
        earlier: (n, slots, h, w) of the earlier scene, on the same grid, slots as it has them.
        valid: (n, 1, h, w) bool, measured on both dates. All planes are 0 elsewhere.
        scalings: of both scenes, the later first.
        normalised: planes of both, as ``planes.build_planes`` gives them.
        match: of the whole scenes.

    Returns:
        (n, len(CHANGE_PLANES), h, w) float32, finite.
    """
    count, _, height, width = later.shape
    planes = torch.zeros((count, len(CHANGE_PLANES), height, width))
    later, earlier = (torch.nan_to_num(values, nan=0.0, posinf=1e4, neginf=-1e4) for values in (later, earlier))
    power = torch.zeros((count, height, width))
    for slot, band in zip(match.slots, match.bands, strict=True):
        now = later[:, scalings[0].slots.index(slot)]
        was = earlier[:, scalings[1].slots.index(slot)]
        difference = ((now - band.gain * was - band.offset) / band.spread).clamp(-2 * LARGEST, 2 * LARGEST)
        power += difference**2
        planes[:, _at(f"difference_{slot}")] = difference / 3
        planes[:, _at(f"common_{slot}")] = 1.0
        if slot in OPTICAL_SLOTS:
            at = scalings[0].slots.index(slot)
            unit = 1.0 if scalings[0].absolute[at] else max(scalings[0].high[at], 1e-6)
            planes[:, _at(f"log_ratio_{slot}")] = _log_ratio(now / unit, (band.gain * was + band.offset) / unit)
    first = index_values(later.transpose(0, 1), scalings[0])
    second = index_values(earlier.transpose(0, 1), scalings[1])
    for name, shift in match.shifts.items():
        planes[:, _at(f"change_{name}")] = ((first[name] - second[name] - shift) * INDEX_SCALE).clamp(-3, 3)
    for kind, scaling, told in zip(("later", "earlier"), scalings, normalised, strict=True):
        chosen = planes_for(scaling)
        for slot in scaling.slots:
            planes[:, _at(f"{kind}_{slot}")] = told[:, chosen.index(PLANES.index(f"norm_{slot}"))]
    if match.slots:
        magnitude = (power / len(match.slots)).sqrt().clamp(max=LARGEST) / MAGNITUDE_SCALE
        magnitude = magnitude * valid[:, 0]
        around = F.avg_pool2d(magnitude[:, None], SURROUNDINGS_PX, 1, SURROUNDINGS_PX // 2, count_include_pad=False)
        planes[:, _at("magnitude")] = magnitude
        planes[:, _at("surroundings")] = around[:, 0]
    planes[:, _at("hidden")] = hidden_ground(earlier, scalings[1]).float()
    return planes.masked_fill_(~valid, 0.0)


def _log_ratio(now: Tensor, was: Tensor) -> Tensor:
    """Logarithm of how many times brighter a pixel became: change on dark ground shows beside that of snow."""
    return (torch.log((now.clamp_min(0) + DARKEST) / (was.clamp_min(0) + DARKEST)) / LOG_RATIO_SCALE).clamp(-2, 2)


def _at(name: str) -> int:
    return CHANGE_PLANES.index(name)
