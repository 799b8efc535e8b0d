"""Training chips from simulated pairs: both dates as users have them, matched to each other, and what is new."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..before.matching import match_scenes
from ..before.planes import build_change_planes
from ..planes import PLANES, SceneScaling, build_planes, planes_for
from ..protocol import OPTICAL_SLOTS
from .chips import (
    CHIP_SIZE_PX,
    bands_of_pair,
    favoured,
    kinds,
    measure_scaling,
    orbit_edge,
    stretch_to_bytes,
    turned,
    window,
)
from .fields import Draw
from .pairs import ScenePair
from .scene import IGNORED, seen_labels

FIXED_LIMITS = 0.35
"""How often display bytes were stretched between limits that are each band's own and the same on all dates."""


@dataclass
class PairBatch:
    """Chips of pairs, each pair with its own bands.

    ``later`` and ``earlier`` (n, planes, h, w) are the planes of both dates, ``change`` (n, change planes, h, w) what
    compares them; float32 or float16. ``labels`` (n, hazards, h, w) uint8 of what is new, 255 not judged.
    """

    later: Tensor
    earlier: Tensor
    change: Tensor
    labels: Tensor
    skipped: tuple[str, ...] = ()

    def to(self, device: torch.device) -> PairBatch:
        """The same on another device, planes in float32."""
        moved: dict[str, Any] = {
            name: value.to(device, non_blocking=True) for name, value in vars(self).items() if isinstance(value, Tensor)
        }
        for name in ("later", "earlier", "change"):
            moved[name] = moved[name].float()
        return replace(self, **moved)


def join_pairs(parts: list[PairBatch]) -> PairBatch:
    """Batches one after the other."""
    return PairBatch(
        torch.cat([part.later for part in parts]),
        torch.cat([part.earlier for part in parts]),
        torch.cat([part.change for part in parts]),
        torch.cat([part.labels for part in parts]),
    )


@dataclass
class _View:
    """One date through a sensor: values, where they are valid, and the scaling of the scene."""

    values: Tensor
    valid: Tensor
    scaling: SceneScaling

    def planes(self, corner: tuple[int, int], size_px: int) -> Tensor:
        """Planes that this view fills, of one window."""
        part, known = window(self.values, *corner, size_px), window(self.valid, *corner, size_px)
        return build_planes(part[None], known[None], self.scaling)


def cut_pair_chips(pair: ScenePair, draw: Draw, count: int, size_px: int = CHIP_SIZE_PX) -> PairBatch:
    """Cut ``count`` chips out of a pair, seen through a random choice of bands, units and nodata on each date."""
    (slots, as_bytes, as_raw), (earlier_slots, earlier_bytes, earlier_raw) = bands_of_pair(
        draw, kinds(pair.after), favoured(pair.after)
    )
    style = draw.generator.get_state()
    later = _view(draw, pair.after.values, pair.after.slots, slots, as_bytes, as_raw)
    if as_bytes == earlier_bytes and slots == earlier_slots and draw.chance(0.6):
        draw.generator.set_state(style)  # both were stretched for display in the same way
    earlier = _view(draw, pair.before.values, pair.before.slots, earlier_slots, earlier_bytes, earlier_raw)
    both = later.valid & earlier.valid
    size = both.shape[-1]
    corners = [(draw.whole(size - size_px + 1), draw.whole(size - size_px + 1)) for _ in range(count)]
    sample = both[0, ::2, ::2].reshape(-1)
    match = match_scenes(
        later.values[:, ::2, ::2].reshape(len(slots), -1)[:, sample], later.scaling,
        earlier.values[:, ::2, ::2].reshape(len(earlier_slots), -1)[:, sample], earlier.scaling,
    )  # fmt: skip
    labels = seen_labels(replace(pair.after, labels=pair.new), slots).masked_fill(~both, IGNORED)
    parts = []
    for corner in corners:
        told = later.planes(corner, size_px), earlier.planes(corner, size_px)
        change = build_change_planes(
            window(later.values, *corner, size_px)[None], window(earlier.values, *corner, size_px)[None],
            window(both, *corner, size_px)[None], (later.scaling, earlier.scaling), told, match,
        )  # fmt: skip
        full = [torch.zeros((1, len(PLANES), size_px, size_px)) for _ in told]
        for planes, view, known in zip(full, (later, earlier), told, strict=True):
            planes[:, planes_for(view.scaling)] = known
        turns, flip = draw.whole(4), draw.chance(0.5)
        first, second, compared, truth = (
            turned(field, turns, flip) for field in (*full, change, window(labels, *corner, size_px)[None])
        )
        parts.append(PairBatch(first, second, compared, truth))
    return join_pairs(parts)


def _view(
    draw: Draw, values: Tensor, have: tuple[str, ...], slots: tuple[str, ...], as_bytes: bool, as_raw: bool
) -> _View:
    values = values[[have.index(slot) for slot in slots]] + 0.0
    valid = torch.ones((1, *values.shape[1:]), dtype=torch.bool)
    if draw.chance(0.12):
        valid &= orbit_edge(draw, values.shape[-1])
    if as_bytes and set(slots) <= set(OPTICAL_SLOTS) and draw.chance(FIXED_LIMITS):
        values = _between_limits(draw, values)
    elif as_bytes:
        values = stretch_to_bytes(draw, values, values, valid)[0]
    elif as_raw:
        values = values * draw.log_uniform(0.01, 10_000)
    return _View(values, valid, measure_scaling(values, valid, slots, absolute=not (as_bytes or as_raw)))


def _between_limits(draw: Draw, values: Tensor) -> Tensor:
    """Reflectance (slots, h, w) as display bytes / 255 between limits of each band: some hide all that is dark."""
    bands = []
    for band in values:
        low = draw.uniform(0.05, 0.25) if draw.chance(0.4) else 0.0
        high = low + draw.log_uniform(0.25, 1.0)
        bands.append(torch.round(((band - low) / (high - low)).clamp(0, 1) * 255) / 255)
    return torch.stack(bands)
