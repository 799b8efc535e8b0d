"""What a C-band radar sees of a simulated land: backscatter by surface, slope, wind and plants, speckle and noise."""

import math

import torch
from torch import Tensor

from .covers import INDEX, backscatter_table
from .fields import Draw, blur
from .optics import remembered
from .surface import STEEP_COUNTRIES, Land


def render_backscatter(land: Land, draw: Draw) -> Tensor:
    """VV and VH (2, size, size) in dB."""
    table = backscatter_table()
    count = table.shape[0]
    incidence, azimuth = _orbit(land, draw)
    # Smooth ground darkens with incidence by about 0.25 dB a degree, plants and houses by half of that.
    smooth = (table[:, :1] < -12).float()
    table = table - (incidence - 37) * (0.12 + 0.13 * smooth)
    table = table + remembered(land, draw, "echo", 1.2 * draw.normals(count, 1) + 0.5 * draw.normals(count, 2))
    table = table + draw.normal(0.8)
    flat = land.cover.reshape(-1)
    dry_db = table.t()[:, flat].reshape(2, *land.cover.shape)
    clutter = remembered(land, draw, "clutter", draw.uniform(0.3, 1.3) * draw.fractal(5, 2.2, count=2))
    dry_db = dry_db + 2.5 * land.brightness + clutter
    built = land.cover >= INDEX["concrete"]
    dry_db = dry_db + built * (land.cover != INDEX["asphalt"]) * 3.0 * draw.white()[0].clamp(-1, 3)
    if azimuth is None:
        azimuth = draw.uniform(0, 2 * math.pi)
        land.seen["orbit"] = torch.tensor((incidence, azimuth))
    power = _slope_effect(land, draw, azimuth, incidence) * 10 ** (dry_db / 10)
    power = power * (1 - land.water) + land.water * 10 ** (_water_db(land, draw) / 10)
    power = torch.where(land.stand, 10 ** (_stand_db(land, draw, dry_db) / 10), power)
    # Walls and the water before them send the signal back twice: flooded streets are brighter than dry ones in VV.
    corner_db = dry_db + torch.tensor((draw.uniform(1, 5), draw.uniform(0, 1.5))).view(2, 1, 1)
    flooded_houses = land.flooded_town & (land.cover != INDEX["asphalt"])
    power = torch.where(flooded_houses, 10 ** (corner_db / 10), power)
    if land.country in STEEP_COUNTRIES and draw.chance(0.6):
        power = _lay_over(land, power, azimuth, incidence)
    floor_db = torch.tensor((draw.uniform(-32, -23), draw.uniform(-36, -26))).view(2, 1, 1)
    power = blur(power, draw.uniform(0.3, 0.7)) + 10 ** (floor_db / 10)
    return 10 * torch.log10((power * _speckle(draw, power.shape)).clamp_min(1e-5))


def _orbit(land: Land, draw: Draw) -> tuple[float, float | None]:
    """Incidence in degrees, of an interferometric wide swath, and look direction, which for a first look comes later.

    A second look is mostly from the same orbit.
    """
    incidence = draw.uniform(30, 46)
    if "orbit" not in land.seen:
        return incidence, None
    if draw.chance(0.85):
        return float(land.seen["orbit"][0]), float(land.seen["orbit"][1])
    return incidence, draw.uniform(0, 2 * math.pi)


def _water_db(land: Land, draw: Draw) -> Tensor:
    """Open water: dark when calm, brighter under wind, in streaks."""
    calm = draw.uniform(-27, -19.5)
    wind = draw.uniform(0, 2.5) if draw.chance(0.92) else draw.uniform(2.5, 7)
    streaks = _wind(draw) * wind
    vv = (calm + streaks + 0.6 * draw.fractal(6, 2.0)[0]).clamp(max=-12.0)
    vh = (calm - draw.uniform(5, 8) + 0.6 * streaks).clamp(max=-21.0)
    return torch.stack((vv, vh))


def _wind(draw: Draw) -> Tensor:
    """(size, size) strength of wind, 0 to 1.5, mostly even over a scene."""
    gusts = draw.fractal(draw.size_px / 3, 3.0, stretch=2.0, angle=draw.uniform(0, math.pi))[0]
    return (0.8 + draw.uniform(0.0, 0.3) * gusts).clamp(0, 1.5)


def _stand_db(land: Land, draw: Draw, dry_db: Tensor) -> Tensor:
    """Plants standing in water: bright in VV by double bounce while VH falls; drowned crops are nearly water."""
    bounce = draw.uniform(2.0, 6.5) + 0.8 * draw.fractal(6, 2.2)[0]
    vv = (dry_db[0] + bounce).clamp(-10, -1)
    contrast = draw.uniform(9.5, 15.0) + 0.7 * draw.fractal(6, 2.2)[0]
    standing = torch.stack((vv, torch.minimum(vv - contrast, dry_db[1] + 0.5)))
    drowned = 10 * torch.log10(0.2 * 10 ** (dry_db / 10) + 0.8 * 10 ** (_water_db(land, draw) / 10)) - 1.0
    return torch.where(land.water > draw.uniform(0.6, 0.9), drowned, standing)


def _slope_effect(land: Land, draw: Draw, azimuth: float, incidence: float) -> Tensor:
    """Power factor: slopes towards the radar are bright and compressed, those away dark, steep ones in shadow."""
    across, down = land.surface_slopes()
    facing = -(across * math.cos(azimuth) + down * math.sin(azimuth))
    corrected = draw.uniform(0.2, 1.0)  # terrain-flattened products keep a part of it
    gain_db = (9 * facing * corrected).clamp(-9, 8)
    hidden = facing < -1 / math.tan(math.radians(incidence))  # steeper than the look direction: radar shadow
    return 10 ** ((gain_db + hidden.float() * -14) / 10)


def _lay_over(land: Land, power: Tensor, azimuth: float, incidence: float) -> Tensor:
    """Move high ground towards the radar, by height over the tangent of incidence, and add up what falls together."""
    size = power.shape[-1]
    relief = land.elevation - land.elevation.mean()
    move_px = (relief / math.tan(math.radians(incidence)) / land.gsd_m).clamp(-8, 8)
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    to_x = x + (move_px * math.cos(azimuth)).round().long()
    to_y = y + (move_px * math.sin(azimuth)).round().long()
    # What would fall outside stays as it is: gathered at the border it would be a frame.
    inside = ((to_x >= 0) & (to_x < size) & (to_y >= 0) & (to_y < size)).reshape(-1)
    target = torch.where(inside, (to_y * size + to_x).reshape(-1), 0)
    moved = torch.zeros_like(power).reshape(2, -1).index_add_(1, target, power.reshape(2, -1) * inside)
    hits = torch.zeros(size * size).index_add_(0, target, inside.float())
    moved = torch.where(hits > 0, moved * hits.clamp_min(1).rsqrt(), power.reshape(2, -1))
    # Terrain correction brings pixels back to their place but cannot part what has fallen together.
    return torch.where(inside, moved[:, target], power.reshape(2, -1)).reshape(power.shape)


def _speckle(draw: Draw, shape: torch.Size) -> Tensor:
    looks = draw.log_uniform(3.0, 14)
    speckle = torch._standard_gamma(torch.full(shape, looks), generator=draw.generator) / looks
    if draw.chance(0.6):
        speckle = blur(speckle, draw.uniform(0.3, 1.3))
    return speckle
