"""What an optical sensor sees of a simulated land: illumination, atmosphere, clouds, gain, blur and noise."""

import math

import torch
from torch import Tensor

from .covers import INDEX, WATERS, reflectance_table, texture_table
from .fields import Draw, blur, shifted
from .land import Land

RAYLEIGH = (0.100, 0.080, 0.045, 0.028, 0.012, 0.002, 0.001)
"""Typical path reflectance of a clear atmosphere in the seven bands."""


def render_reflectance(land: Land, draw: Draw) -> tuple[Tensor, Tensor]:
    """Reflectance (7, size, size) and the share of cloud (size, size) that hides the ground."""
    ground = _ground(land, draw)
    light = _light(land, draw)
    reflectance = ground * light
    cloud, shadow = _clouds(land, draw)
    diffuse = torch.tensor((0.45, 0.40, 0.32, 0.26, 0.18, 0.10, 0.07)).view(7, 1, 1)
    reflectance = reflectance * (1 - shadow * (1 - diffuse))
    if draw.chance(0.45):  # top of atmosphere, or badly corrected
        strength = draw.uniform(0.2, 1.5)
        reflectance = reflectance * (1 - 0.12 * strength) + strength * torch.tensor(RAYLEIGH).view(7, 1, 1)
    if draw.chance(0.25):
        haze = (draw.uniform(0.0, 0.15) * (1 + draw.fractal(draw.size_px / 2, 3.5)[0])).clamp(0, 0.6)
        white = torch.tensor((0.5, 0.48, 0.45, 0.43, 0.4, 0.25, 0.18)).view(7, 1, 1)
        reflectance = reflectance * (1 - haze) + haze * white
    top = torch.tensor((0.78, 0.78, 0.76, 0.76, 0.76, 0.48, 0.36)).view(7, 1, 1)
    billows = (1 + 0.15 * draw.fractal(12, 2.5)[0]) * draw.uniform(0.6, 1.2)
    reflectance = reflectance * (1 - cloud) + cloud * top * billows
    gain = torch.exp(0.05 * draw.normals(7)).view(7, 1, 1)
    offset = ((0.015 if draw.chance(0.3) else 0.005) * draw.normals(7)).view(7, 1, 1)
    if draw.chance(0.3):  # corrected too much: over water the near infrared falls under the short-wave infrared
        offset = offset + draw.uniform(0, 0.035) * torch.tensor((0, 0, 0, -0.5, -0.5, 0.7, 0.8)).view(7, 1, 1)
    reflectance = blur(reflectance, draw.uniform(0.3, 0.9))
    noise = draw.log_uniform(0.0008, 0.008)
    reflectance = reflectance * gain + offset + noise * draw.white(7)
    return reflectance.clamp(-0.02, 1.6), cloud


def _ground(land: Land, draw: Draw) -> Tensor:
    table = reflectance_table()
    count = table.shape[0]
    table = table * torch.exp(0.2 * draw.normals(count, 1) + 0.09 * draw.normals(count, 7))
    if draw.chance(0.5):  # season: plants dry up or flush
        vigour = draw.uniform(0.0, 0.7)
        dry = reflectance_table()[INDEX["crop_dry"]]
        for name in ("grass", "shrub", "crop_green", "wetland", "broadleaf"):
            amount = vigour * draw.uniform(0.3, 1.0) * (0.5 if name == "broadleaf" else 1.0)
            table[INDEX[name]] = table[INDEX[name]] * (1 - amount) + dry * amount
    flat = land.cover.reshape(-1)
    ground = table.t()[:, flat].reshape(7, *land.cover.shape)
    grain = 0.7 * draw.white()[0] + 0.7 * draw.fractal(3.0, 2.0)[0]
    texture = texture_table()[flat].reshape(land.cover.shape) * draw.uniform(0.4, 1.4)
    ground = ground * torch.exp(land.brightness + texture * grain)
    return ground * (1 - land.water) + _water(land, draw) * land.water


def _water(land: Land, draw: Draw) -> Tensor:
    first = draw.pick({"clear": 2, "black": 1.5, "green": 1.2, "turbid": 0.8})
    second = draw.pick({"turbid": 2, "muddy": 2, "green": 1, "clear": 0.5, "black": 0.3})
    ends = torch.tensor([WATERS[first], WATERS[second]]) * torch.exp(
        0.25 * draw.normals(2, 1) + 0.12 * draw.normals(2, 7)
    )
    water = ends[0].view(7, 1, 1) * (1 - land.silt) + ends[1].view(7, 1, 1) * land.silt
    if draw.chance(0.25):  # sun glint, foam and whitecaps lift all bands alike
        glint = draw.uniform(0.0, 0.06) * (1 + 0.4 * draw.fractal(6, 2.0, stretch=2.0)[0]).clamp_min(0)
        water = water + glint
    return water * (1 + 0.05 * draw.fractal(4, 2.0)[0])


def _light(land: Land, draw: Draw) -> Tensor:
    elevation, azimuth = math.radians(draw.uniform(22, 72)), draw.uniform(0, 2 * math.pi)
    # The sun stands in direction (cos, sin) of columns and rows; a slope falling towards it is bright.
    across, down = land.surface_slopes()
    facing = -(across * math.cos(azimuth) + down * math.sin(azimuth))
    normal = torch.sqrt(1 + across**2 + down**2)
    direct = ((math.sin(elevation) + math.cos(elevation) * facing) / normal / math.sin(elevation)).clamp(0, 2.5)
    if land.country in ("mountains", "hills"):
        lit = torch.ones_like(direct)
        for step in range(1, 16):
            reach_px = step * 2.0
            ridge = shifted(land.elevation, -reach_px * math.cos(azimuth), -reach_px * math.sin(azimuth))
            clearance = land.elevation + reach_px * land.gsd_m * math.tan(elevation) - ridge
            lit = torch.minimum(lit, (clearance / land.gsd_m + 0.5).clamp(0, 1))
        direct = direct * lit
    corrected = 1 - draw.uniform(0.0, 0.7) if draw.chance(0.2) else 1.0
    diffuse = torch.tensor((0.32, 0.26, 0.19, 0.15, 0.10, 0.05, 0.04)).view(7, 1, 1)
    light = diffuse + (1 - diffuse) * direct
    return 1 + (light - 1) * corrected


def _clouds(land: Land, draw: Draw) -> tuple[Tensor, Tensor]:
    size = draw.size_px
    if not draw.chance(0.35):
        return torch.zeros((size, size)), torch.zeros((size, size))
    if draw.chance(0.5):  # fair-weather cumulus: small, thick and many
        field = draw.fractal(max(3.0, draw.log_uniform(150, 900) / land.gsd_m), draw.uniform(2.4, 3.0))[0]
        field = field + 0.7 * draw.fractal(size / 2, 3.0)[0]
        opacity = ((field - draw.uniform(0.7, 2.0)) * draw.uniform(2.0, 5.0)).clamp(0, 1)
    else:
        field = draw.fractal(draw.log_uniform(12, size / 2), draw.uniform(2.4, 3.4))[0]
        opacity = ((field - draw.uniform(0.6, 2.2)) * draw.uniform(0.8, 3.0)).clamp(0, 1) * draw.uniform(0.5, 1.0)
    distance_px = draw.log_uniform(300, 3000) / land.gsd_m
    angle = draw.uniform(0, 2 * math.pi)
    shadow = shifted(opacity, distance_px * math.cos(angle), distance_px * math.sin(angle))
    return opacity, blur(shadow[None], 1.0)[0] * draw.uniform(0.6, 1.0)
