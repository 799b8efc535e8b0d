"""What an optical sensor sees of a simulated land: illumination, atmosphere, clouds, gain, blur and noise."""

import math

import torch
from torch import Tensor

from .covers import INDEX, WATERS, reflectance_table, texture_table
from .fields import Draw, blur, shifted
from .sensors import response
from .surface import STEEP_COUNTRIES, Land

RAYLEIGH = (0.100, 0.080, 0.045, 0.028, 0.012, 0.002, 0.001)
"""Typical path reflectance of a clear atmosphere in the seven bands."""


def render_reflectance(land: Land, draw: Draw, cloudy: float) -> tuple[Tensor, Tensor]:
    """Reflectance (7, size, size) and the share of cloud (size, size) that hides the ground.

    ``cloudy`` is how likely there are clouds at all.
    """
    ground = _ground(land, draw)
    light = _light(land, draw)
    reflectance = ground * light
    cloud, shadow = _clouds(land, draw, cloudy)
    diffuse = torch.tensor((0.45, 0.40, 0.32, 0.26, 0.18, 0.10, 0.07)).view(7, 1, 1)
    reflectance = reflectance * (1 - shadow * (1 - diffuse))
    if not land.setting.corrected or draw.chance(0.12):  # top of atmosphere, or badly corrected
        strength = draw.uniform(0.2, 1.5)
        reflectance = reflectance * (1 - 0.12 * strength) + strength * torch.tensor(RAYLEIGH).view(7, 1, 1)
    if draw.chance(0.25):
        haze = (draw.uniform(0.0, 0.15) * (1 + draw.fractal(draw.size_px / 2, 3.5)[0])).clamp(0, 0.6)
        white = torch.tensor((0.5, 0.48, 0.45, 0.43, 0.4, 0.25, 0.18)).view(7, 1, 1)
        reflectance = reflectance * (1 - haze) + haze * white
    drops = draw.uniform(0, 1)  # of ice they are dark in the short-wave infrared, of water hardly
    top = torch.tensor((0.76, 0.75, 0.74, 0.76, 0.77, 0.40 + 0.32 * drops, 0.28 + 0.28 * drops)).view(7, 1, 1)
    billows = (1 + 0.15 * draw.fractal(12, 2.5)[0]) * draw.uniform(0.6, 1.3)
    reflectance = reflectance * (1 - cloud) + cloud * top * billows
    gain = torch.exp(0.05 * draw.normals(7)).view(7, 1, 1)
    offset = ((0.015 if draw.chance(0.3) else 0.005) * draw.normals(7)).view(7, 1, 1)
    if land.setting.corrected and draw.chance(
        0.4
    ):  # corrected too much: over water the near infrared falls under the short-wave infrared
        offset = offset + draw.uniform(0, 0.035) * torch.tensor((0, 0, 0, -0.5, -0.5, 0.7, 0.8)).view(7, 1, 1)
    reflectance = blur(reflectance, draw.uniform(0.3, 0.9))
    noise = draw.log_uniform(0.0008, 0.008)
    reflectance = reflectance * gain + offset + noise * draw.white(7)
    return reflectance.clamp(-0.02, 1.6), cloud


def remembered(land: Land, draw: Draw, name: str, drawn: Tensor) -> Tensor:
    """What was drawn, or on a second look at a land mostly what was drawn on the first."""
    if name in land.seen:
        kept = draw.uniform(0.8, 0.99)
        return kept * land.seen[name] + math.sqrt(1 - kept**2) * drawn
    land.seen[name] = drawn
    return drawn


def _ground(land: Land, draw: Draw) -> Tensor:
    table = reflectance_table()
    count = table.shape[0]
    spread = remembered(land, draw, "spectra", 0.2 * draw.normals(count, 1) + 0.09 * draw.normals(count, 7))
    table = table * torch.exp(spread)
    vigour = 0.35 - 0.35 * land.setting.warmth + 0.25 * draw.normal()  # share of plants that are dry or dormant
    if vigour > 0:
        dry = reflectance_table()[INDEX["crop_dry"]]
        for name in ("grass", "shrub", "crop_green", "wetland", "broadleaf"):
            amount = min(vigour, 0.8) * draw.uniform(0.3, 1.0) * (0.5 if name == "broadleaf" else 1.0)
            table[INDEX[name]] = table[INDEX[name]] * (1 - amount) + dry * amount
    flat = land.cover.reshape(-1)
    ground = table.t()[:, flat].reshape(7, *land.cover.shape)
    grain = remembered(land, draw, "grain", 0.7 * draw.white()[0] + 0.7 * draw.fractal(3.0, 2.0)[0])
    texture = texture_table()[flat].reshape(land.cover.shape) * draw.uniform(0.4, 1.4)
    ground = ground * torch.exp(land.brightness + texture * grain)
    if land.gsd_m > 8:  # houses and gardens share the pixels of a town
        mixed = torch.lerp(ground, blur(ground, 0.09 * min(20.0, land.gsd_m)), 0.75)
        ground = torch.where(land.town, mixed, ground)
    powder = torch.tensor((0.13, 0.155, 0.18, 0.20, 0.23, 0.26, 0.24)).view(7, 1, 1) * draw.uniform(0.6, 1.2)
    ground = ground * (1 - land.dust) + powder * land.dust
    ground = (response(land.setting.sensor) @ ground.reshape(7, -1)).reshape(ground.shape)
    return ground * (1 - land.water) + _water(land, draw) * land.water


def _water(land: Land, draw: Draw) -> Tensor:
    first = draw.pick({"clear": 2, "black": 1.5, "green": 1.2, "turbid": 0.8})
    second = draw.pick({"turbid": 2, "muddy": 2, "green": 1, "clear": 0.5, "black": 0.3})
    ends = torch.tensor([WATERS[first], WATERS[second]]) * torch.exp(
        0.25 * draw.normals(2, 1) + 0.12 * draw.normals(2, 7)
    )
    water = ends[0].view(7, 1, 1) * (1 - land.silt) + ends[1].view(7, 1, 1) * land.silt
    if draw.chance(0.25):  # sun glint, foam and whitecaps lift all bands alike
        waves = draw.fractal(draw.uniform(2, 8), 2.0, stretch=draw.uniform(1, 6), angle=draw.uniform(0, math.pi))[0]
        water = water + draw.uniform(0.0, 0.06) * (1 + draw.uniform(0.2, 0.8) * waves).clamp_min(0)
    return water * (1 + 0.05 * draw.fractal(4, 2.0)[0])


def _light(land: Land, draw: Draw) -> Tensor:
    elevation, (sun_x, sun_y) = land.setting.sun_elevation, land.setting.to_sun
    across, down = land.surface_slopes()
    facing = -(across * sun_x + down * sun_y)  # a slope falling towards the sun is bright
    normal = torch.sqrt(1 + across**2 + down**2)
    direct = ((math.sin(elevation) + math.cos(elevation) * facing) / normal / math.sin(elevation)).clamp(0, 2.5)
    if land.country in STEEP_COUNTRIES:
        lit = torch.ones_like(direct)
        for step in range(1, 16):
            reach_px = step * 2.0
            ridge = shifted(land.elevation, -reach_px * sun_x, -reach_px * sun_y)
            clearance = land.elevation + reach_px * land.gsd_m * math.tan(elevation) - ridge
            lit = torch.minimum(lit, (clearance / land.gsd_m + 0.5).clamp(0, 1))
        direct = direct * lit
    corrected = 1 - draw.uniform(0.0, 0.7) if draw.chance(0.2) else 1.0
    diffuse = torch.tensor((0.32, 0.26, 0.19, 0.15, 0.10, 0.05, 0.04)).view(7, 1, 1)
    light = diffuse + (1 - diffuse) * direct
    return 1 + (light - 1) * corrected


def _clouds(land: Land, draw: Draw, cloudy: float) -> tuple[Tensor, Tensor]:
    size = draw.size_px
    if not draw.chance(cloudy):
        return torch.zeros((size, size)), torch.zeros((size, size))
    if draw.chance(0.65):  # fair-weather cumulus: small, thick and many
        field = draw.fractal(max(3.0, draw.log_uniform(150, 900) / land.gsd_m), draw.uniform(2.4, 3.0))[0]
        field = field + 0.7 * draw.fractal(size / 2, 3.0)[0]
        opacity = ((field - draw.uniform(0.3, 2.0)) * draw.uniform(2.0, 5.0)).clamp(0, 1)
    else:
        field = draw.fractal(draw.log_uniform(12, size / 2), draw.uniform(2.4, 3.4))[0]
        opacity = ((field - draw.uniform(0.6, 2.2)) * draw.uniform(0.8, 3.0)).clamp(0, 1) * draw.uniform(0.5, 1.0)
    height_m = draw.log_uniform(400, 2500)
    distance_px = min(0.7 * size, height_m / math.tan(land.setting.sun_elevation) / land.gsd_m)
    sun_x, sun_y = land.setting.to_sun
    shadow = shifted(opacity, -distance_px * sun_x, -distance_px * sun_y, outside=0.0)
    shadow = (shadow * draw.uniform(1.0, 2.0)).clamp(0, 1)
    return opacity, blur(shadow[None], 1.0)[0] * draw.uniform(0.6, 1.0)
