"""Snow and glaciers of a simulated land, and what snow leaves behind."""

from __future__ import annotations

import torch
from torch import Tensor

from .covers import INDEX
from .fields import Draw
from .surface import Land, Snowfall, edge_share, is_one_of, put

HALF_THAWED = 0.6
"""How often the snow of a date covers a part of the land, whatever its season: that is where the thaw shows most."""


def another_snowfall(draw: Draw) -> Snowfall:
    """Snow of one date: as the season has it, or far more or less; fresh or old, clean or dusty.

    How far down meadows are still brown is the date's own: a valley turns green within weeks.
    """
    return Snowfall(
        more=draw.normal(0.05) if draw.chance(0.3) else draw.uniform(-0.5, 0.5),
        age=draw.uniform() if draw.chance(0.6) else 0.0,
        dust=draw.uniform(0.05, 0.5) if draw.chance(0.2) else 0.0,
        brown=draw.uniform(-0.3, 3.0),
        share=draw.uniform(0.03, 0.6) if draw.chance(HALF_THAWED) else None,
    )


def nearby_snowfall(draw: Draw, known: Snowfall) -> Snowfall:
    """Snow of a date some weeks before one whose snow is known: much as then, or much more, in spring.

    Ground that the thaw lays bare changes as much as ground that rubble falls onto.
    """
    thawed = draw.uniform(0.0, 0.7) if draw.chance(0.55) else draw.normal(0.06)
    return Snowfall(
        more=known.more + thawed,
        age=known.age if draw.chance(0.7) else draw.uniform(),
        dust=known.dust,
        brown=known.brown + draw.normal(0.4),
        share=None if known.share is None else known.share + draw.uniform(0.0, 0.6),
    )


def lay_snow(land: Land, draw: Draw, most: float, fallen: Snowfall | None = None) -> None:
    """Snow above its line, which rises with the season's warmth; patches below it; glaciers, some under debris.

    Snow covers ``most`` of the scene at most. Where a land is looked at on two dates, ``fallen`` tells this one's; the
    same state of the generator gives the same patches, glaciers and withered meadows on both.
    """
    size = draw.size_px
    intact = land.cover
    height = land.elevation / land.elevation.std().clamp_min(1e-6)
    north = land.down / land.steepness.clamp_min(1e-6) * (1 if land.setting.latitude > 0 else -1)
    level = height + 0.25 * north * draw.uniform(-0.3, 1) + 0.2 * draw.fractal(size / 12, 2.2)[0]
    covered_by = 0.5 - 0.35 * land.setting.warmth + 0.25 * draw.normal()
    if fallen is not None:
        covered_by = covered_by + fallen.more if fallen.share is None else fallen.share
    covered_by = min(most, max(0.03, covered_by))
    line = torch.quantile(level, 1 - covered_by)
    snow = level > line
    if draw.chance(0.6):
        snow &= land.steepness < draw.uniform(0.6, 1.4)
    put(land, snow, "snow")
    patches = (level > line - 0.6) & (draw.fractal(6, 2.5)[0] > draw.uniform(0.8, 1.8))
    put(land, patches, "snow")
    tongue = (land.river_px < draw.uniform(100, 500) / land.gsd_m) & (level > line - draw.uniform(0.0, 0.9))
    tongue &= draw.fractal(size / 2, 4.0)[0] > draw.uniform(-1.0, 0.8)
    bare = tongue & ~(snow & (draw.fractal(10, 2.5)[0] > 0))
    put(land, bare, draw.pick({"ice": 1.0, "dirty_ice": 1.2, "moraine": 0.5}))
    if draw.chance(0.5):  # the lower end lies under debris; moraines line it
        under_debris = bare & (level < line + draw.uniform(-0.4, 0.5))
        put(land, under_debris, draw.pick({"moraine": 2.0, "rock_dark": 0.6, "gravel": 0.6}))
        ponds = under_debris & (draw.fractal(4, 2.5)[0] > 2.2)
        land.water = torch.maximum(land.water, ponds.float())
    rim = (edge_share(tongue, 2.0) > 0.1) & ~tongue & ~snow
    put(land, rim, draw.pick({"moraine": 2.0, "rock_bright": 0.5, "grass": 0.5}))
    land.ice = tongue | snow
    if fallen is not None:
        _clear_trees(land, draw, intact)
        _wither(land, draw, line - level, fallen.brown)
        _age(land, draw, fallen)


def _clear_trees(land: Land, draw: Draw, intact: Tensor) -> None:
    """Trees stand out of the snow."""
    bare = draw.fractal(5, 2.2)[0] > draw.uniform(-2.5, 0.5)
    if draw.chance(0.65):
        woods = torch.isin(intact, torch.tensor([INDEX[name] for name in ("conifer", "broadleaf", "leafless")]))
        land.cover = torch.where((land.cover == INDEX["snow"]) & woods & bare, intact, land.cover)


def _wither(land: Land, draw: Draw, below_line: Tensor, belt: float) -> None:
    """Meadows and shrubs that the snow has only just left are brown, some of them wet."""
    edge = belt + 0.2 * draw.fractal(draw.size_px / 10, 2.4)[0]
    kind = draw.pick({"crop_dry": 2, "soil_dark": 2, "soil_wet": 1, "bare_wet": 1.5, "leafless": 1, "gravel": 0.3})
    plants = is_one_of(land, ("grass", "shrub", "crop_green"))
    brown = plants & (below_line < edge) & (draw.fractal(4, 2.2)[0] > draw.uniform(-2.5, 0.5))
    put(land, brown, kind)
    if draw.chance(0.5):  # straw of last year, far brighter in infrared than what grows
        land.brightness = land.brightness + brown * draw.uniform(0.0, 0.4)


def _age(land: Land, draw: Draw, fallen: Snowfall) -> None:
    """Old snow is greyer, and greyest in patches; dust from afar lies on it."""
    snow = land.cover == INDEX["snow"]
    uneven = (0.6 + 0.4 * draw.fractal(draw.size_px / 8, 2.4)[0]).clamp(0, 1.4)
    land.brightness = land.brightness - snow * uneven * 0.5 * fallen.age
    land.dust = torch.maximum(land.dust, snow * (uneven * fallen.dust).clamp(0, 0.8))
