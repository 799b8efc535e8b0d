"""Training chips from simulated pairs: both dates as users have them, matched to each other, and what is new."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..before.matching import PairMatch, match_scenes
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

    def half(self) -> PairBatch:
        """The same with planes in half precision, to travel between processes."""
        return replace(self, later=self.later.half(), earlier=self.earlier.half(), change=self.change.half())


def join_pairs(parts: list[PairBatch]) -> PairBatch:
    """Batches one after the other."""
    return PairBatch(
        torch.cat([part.later for part in parts]),
        torch.cat([part.earlier for part in parts]),
        torch.cat([part.change for part in parts]),
        torch.cat([part.labels for part in parts]),
        tuple(reason for part in parts for reason in part.skipped),
    )


@dataclass
class DateView:
    """One date through a sensor.

    Attributes:
        values: (slots, h, w) in canonical units.
        valid: (1, h, w) bool.
        scaling: of the whole scene.
    """

    values: Tensor
    valid: Tensor
    scaling: SceneScaling

    def window(self, corner: tuple[int, int], size_px: int) -> DateView:
        """A square part of it."""
        return DateView(window(self.values, *corner, size_px), window(self.valid, *corner, size_px), self.scaling)

    def planes(self) -> Tensor:
        """(1, planes, h, w) that this view fills."""
        return build_planes(self.values[None], self.valid[None], self.scaling)

    def sample(self, chosen: Tensor) -> Tensor:
        """(slots, n) values of every second row and column, where (1, h, w) ``chosen``."""
        thinned = self.values[:, ::2, ::2].reshape(len(self.scaling.slots), -1)
        return thinned[:, chosen[0, ::2, ::2].reshape(-1)]


def match_views(later: DateView, earlier: DateView) -> PairMatch:
    """How the bands of two views of one place relate."""
    both = later.valid & earlier.valid
    return match_scenes(later.sample(both), later.scaling, earlier.sample(both), earlier.scaling)


def chip_of_pair(later: DateView, earlier: DateView, match: PairMatch, labels: Tensor) -> PairBatch:
    """One chip of two views of one size.

    Args:
        later: the later date.
        earlier: the earlier date on the same grid.
        match: of the whole scenes.
        labels: (hazards, h, w) uint8 of what is new.
    """
    told = later.planes(), earlier.planes()
    change = build_change_planes(
        later.values[None], earlier.values[None], (later.valid & earlier.valid)[None],
        (later.scaling, earlier.scaling), told, match,
    )  # fmt: skip
    full = [torch.zeros((1, len(PLANES), *labels.shape[-2:])) for _ in told]
    for planes, view, known in zip(full, (later, earlier), told, strict=True):
        planes[:, planes_for(view.scaling)] = known
    return PairBatch(full[0], full[1], change, labels[None])


def turned_pair(chip: PairBatch, turns: int, flip: bool) -> PairBatch:
    """A chip after quarter turns and perhaps a flip."""
    fields = (chip.later, chip.earlier, chip.change, chip.labels)
    later, earlier, change, labels = (turned(field, turns, flip) for field in fields)
    return PairBatch(later, earlier, change, labels, chip.skipped)


def cut_pair_chips(pair: ScenePair, draw: Draw, count: int, size_px: int = CHIP_SIZE_PX) -> PairBatch:
    """Cut ``count`` chips out of a pair, seen through a random choice of bands, units and nodata on each date."""
    (slots, as_bytes, as_raw), (earlier_slots, earlier_bytes, earlier_raw) = bands_of_pair(
        draw, kinds(pair.after), favoured(pair.after), pair.close
    )
    style = draw.generator.get_state()
    later = _view(draw, pair.after.values, pair.after.slots, slots, as_bytes, as_raw)
    if as_bytes == earlier_bytes and slots == earlier_slots and draw.chance(0.9 if pair.close else 0.6):
        draw.generator.set_state(style)  # both were stretched for display in the same way
    earlier = _view(draw, pair.before.values, pair.before.slots, earlier_slots, earlier_bytes, earlier_raw)
    both = later.valid & earlier.valid
    size = both.shape[-1]
    corners = [(draw.whole(size - size_px + 1), draw.whole(size - size_px + 1)) for _ in range(count)]
    match = match_views(later, earlier)
    labels = seen_labels(replace(pair.after, labels=pair.new), slots).masked_fill(~both, IGNORED)
    parts = []
    for corner in corners:
        views = later.window(corner, size_px), earlier.window(corner, size_px)
        chip = chip_of_pair(*views, match, window(labels, *corner, size_px))
        parts.append(turned_pair(chip, draw.whole(4), draw.chance(0.5)))
    return join_pairs(parts)


def _view(
    draw: Draw, values: Tensor, have: tuple[str, ...], slots: tuple[str, ...], as_bytes: bool, as_raw: bool
) -> DateView:
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
    return DateView(values, valid, measure_scaling(values, valid, slots, absolute=not (as_bytes or as_raw)))


def _between_limits(draw: Draw, values: Tensor) -> Tensor:
    """Reflectance (slots, h, w) as display bytes / 255 between limits of each band: some hide all that is dark."""
    bands = []
    for band in values:
        low = draw.uniform(0.05, 0.25) if draw.chance(0.4) else 0.0
        high = low + draw.log_uniform(0.25, 1.0)
        bands.append(torch.round(((band - low) / (high - low)).clamp(0, 1) * 255) / 255)
    return torch.stack(bands)
