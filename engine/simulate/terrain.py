"""Terrain of a simulated scene: a drained net of valleys, ridges between them and side valleys, or rolling ground."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .fields import Draw, gradient

SLOPES = {
    "plain": (0.001, 0.02),
    "hills": (0.08, 0.28),
    "mountains": (0.3, 0.75),
    "arid": (0.005, 0.25),
    "gorge": (0.25, 0.6),
}
"""Mean slope (metres per metre) of each kind of country."""

VALLEY_SHARE = {"plain": 0.6, "hills": 0.75, "mountains": 0.7, "arid": 0.5, "gorge": 0.9}
"""How often a country is a net of valleys rather than rolling ground."""


@dataclass(frozen=True)
class Terrain:
    """Fields (size, size) of one terrain.

    ``elevation`` in metres; ``across`` and ``down`` its slopes; ``above_drainage`` has no unit: its order says how
    readily a pixel is flooded; ``river_px`` is the distance to the nearest main channel, in pixels.
    """

    elevation: Tensor
    across: Tensor
    down: Tensor
    above_drainage: Tensor
    river_px: Tensor


def build_terrain(draw: Draw, country: str, gsd_m: float) -> Terrain:
    """A terrain as steep as its country."""
    size = draw.size_px
    ruggedness = draw.fractal(draw.uniform(size / 6, size / 2.5), draw.uniform(3.2, 4.2))[0]
    netted = draw.chance(VALLEY_SHARE[country])
    valley, relief, river_px = _valleys(draw) if netted else _rolling(draw)
    relief = relief + draw.uniform(0.05, 0.4) * ruggedness
    tilt = draw.uniform(0, 2 * math.pi)  # valley floors fall to one side
    relief = relief + draw.uniform(0.3, 2.5) * (draw.x * math.cos(tilt) + draw.y * math.sin(tilt)) / size
    low, high = SLOPES[country]
    across, down = gradient(relief, gsd_m)
    scale = draw.log_uniform(low, high) / float(torch.sqrt(across**2 + down**2).mean())
    return Terrain(
        elevation=relief * scale,
        across=across * scale,
        down=down * scale,
        above_drainage=valley + draw.uniform(0.08, 0.5) * ruggedness,
        river_px=river_px,
    )


def _rolling(draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
    """Rolling ground whose rivers wind along the zero line of a fractal field."""
    size = draw.size_px
    shape = draw.fractal(draw.uniform(size / 7, size / 2.2), draw.uniform(3.5, 4.5))[0]
    valley = shape.abs() ** draw.uniform(0.8, 1.4)
    spurs = torch.zeros((size, size))
    scale_px = size / draw.uniform(4, 8)
    for octave in range(3):  # each octave has its own drainage, at half the scale and less than half the height
        spurs = spurs + draw.fractal(scale_px / 2**octave, 4.0)[0].abs() * 0.35**octave
    across, down = gradient(shape, 1.0)
    river_px = shape.abs() / torch.sqrt(across**2 + down**2).clamp_min(1e-4)
    return valley, valley + spurs * draw.uniform(0.5, 1.0), river_px


def _valleys(draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
    """Parallel main valleys that wind, with side valleys running down both of their flanks like ribs."""
    size = draw.size_px
    angle = draw.uniform(0, math.pi)
    warp = draw.fractal(size / draw.uniform(1.5, 5), draw.uniform(3.2, 4.5), count=2)
    bend = draw.log_uniform(0.02, 0.14) * size
    along = draw.x * math.cos(angle) + draw.y * math.sin(angle) + bend * warp[0]
    beside = draw.y * math.cos(angle) - draw.x * math.sin(angle) + bend * warp[1]
    spacing = size * draw.log_uniform(0.3, 2.0)
    main, main_px = _folds(beside, spacing, draw.uniform(-0.3, 0.3))
    profile = main ** draw.uniform(0.7, 1.4)
    rib_warp = draw.fractal(max(6.0, spacing / 6), 3.0)[0]
    rib_spacing = spacing * draw.uniform(0.15, 0.6)
    slant = draw.uniform(-0.8, 0.8)
    ribs, _ = _folds(along + slant * main_px + 0.12 * rib_spacing * rib_warp, rib_spacing, draw.uniform(0, 1))
    fine, _ = _folds(
        beside + 0.6 * along + 0.2 * rib_spacing * rib_warp, rib_spacing * draw.uniform(0.25, 0.5), draw.uniform(0, 1)
    )
    flank = (main * (1.25 - main)).clamp_min(0) * 2  # nothing on the floor, most on the slopes
    depth = draw.uniform(0.3, 0.9)
    relief = profile + depth * flank * (ribs - 0.5) + 0.3 * depth * flank * ribs * (fine - 0.5)
    roughness = draw.fractal(spacing / 8, 3.2)[0]
    return profile + 0.15 * flank * ribs, relief + 0.04 * roughness, main_px


def _folds(distance: Tensor, spacing: float, offset: float) -> tuple[Tensor, Tensor]:
    """A triangle wave, 0 along lines ``spacing`` apart and 1 half-way between, and the distance to them in pixels."""
    phase = distance / spacing + offset
    wave = 2 * (phase - torch.round(phase)).abs()
    across, down = gradient(distance, 1.0)
    stretch = torch.sqrt(across**2 + down**2).clamp_min(0.3)
    return wave, wave * spacing / 2 / stretch
