"""Floods, landslides and glacier collapses laid onto a simulated land, with their exact outlines."""

import torch
from torch import Tensor

from .covers import INDEX
from .fields import Draw, blur, flow_down, gradient, hashed
from .land import Land, edge_share, is_one_of, put, share


def flood(land: Land, draw: Draw) -> Tensor:
    """Fill low ground with water; returns the (size, size) bool of all flooded pixels, those under plants included."""
    size = draw.size_px
    ground = land.above_drainage + draw.uniform(0.0, 0.25) * draw.fractal(draw.uniform(5, 30), 2.2)[0]
    if draw.chance(0.5):  # dykes and field edges hold the water back
        width_px = max(4.0, draw.log_uniform(80, 800) / land.gsd_m)
        row, column, edge_px = draw.parcels(width_px, width_px * draw.uniform(1, 3), 6)
        ground = ground + draw.uniform(0.1, 1.0) * (hashed(row, column, draw.whole(1 << 30)) - 0.5)
        if draw.chance(0.5):
            ground = ground + (edge_px < 0.8) * draw.uniform(0.0, 0.6)
    level = torch.quantile(ground, draw.log_uniform(0.04, 0.85))
    depth = level - ground
    wet = depth > 0
    margin = (depth > -draw.uniform(0.02, 0.3)) & ~wet & ~is_one_of(land, ("asphalt", "concrete"))
    if draw.chance(0.5):  # ground that has just drained: dark, but no water
        put(land, margin & is_one_of(land, ("soil_bright", "soil_dark", "crop_dry")), "soil_wet")
    trees = is_one_of(land, ("broadleaf", "conifer", "wetland", "shrub"))
    crops = is_one_of(land, ("crop_green", "crop_dry", "grass"))
    roofs = is_one_of(land, ("roof_red", "roof_dark", "roof_bright", "roof_blue", "concrete"))
    dry_roofs = roofs & (hashed(*_pixels(size), draw.whole(1 << 30)) < 0.6)
    wet = wet & ~dry_roofs
    submerged = share(depth / depth[wet].mean().clamp_min(1e-3) - 1 + 0.6 * draw.fractal(10, 2.5)[0])
    seen_trees = (draw.uniform(0.15, 0.8) + 0.25 * draw.fractal(8, 2.2)[0]).clamp(0.05, 0.85)
    seen_crops = (draw.uniform(-0.6, 0.6) + 0.3 * draw.fractal(12, 2.5)[0] + 0.3 * (0.5 - submerged)).clamp(0, 0.8)
    plants = torch.where(trees, seen_trees, torch.where(crops, seen_crops, torch.zeros(())))
    shallow = torch.where(trees | crops, torch.zeros(()), 0.55 * (0.35 - submerged).clamp_min(0) / 0.35)
    land.water = torch.where(wet, torch.maximum(1 - plants - shallow, land.water), land.water)
    land.stand = wet & (plants > 0.12) & (land.cover != INDEX["water"])
    silt = draw.uniform(0.0, 0.9)
    land.silt = torch.where(wet, (silt + 0.2 * draw.fractal(size / 4, 3.0)[0]).clamp(0, 1), land.silt)
    return wet


def landslides(land: Land, draw: Draw) -> Tensor:
    """Scar slopes along the fall line: source, track and deposit; returns their (size, size) bool."""
    size = draw.size_px
    smooth = blur(land.elevation[None], draw.uniform(1.0, 3.0))[0]
    across, down = gradient(smooth, land.gsd_m)
    steepness = torch.sqrt(across**2 + down**2)
    start_slope = torch.quantile(steepness, draw.uniform(0.2, 0.75))
    scar = torch.zeros((size, size))
    cluster = draw.fractal(size / 3, 3.0)[0] > draw.uniform(-1.5, 1.0)
    for _ in range(1 + draw.whole(2)):
        scale_px = min(size / 10, max(1.5, draw.log_uniform(20, 400) / land.gsd_m))
        spots = draw.fractal(scale_px, 3.0)[0] - draw.uniform(0.8, 2.2)
        seeds = torch.where((spots > 0) & (steepness > start_slope) & cluster, 0.4 + 0.3 * spots, torch.zeros(()))
        reach_px = min(60, max(3, int(scale_px * draw.log_uniform(0.7, 8))))
        loss = (1.0 / reach_px) * (start_slope / steepness.clamp_min(1e-3)).clamp(0.6, 6)
        scar = torch.maximum(scar, flow_down(seeds.clamp(0, 1), across, down, reach_px, loss))
    slid = edge_share(scar > 0.02, 0.5) > 0.45
    if not bool(slid.any()):
        return slid
    material = draw.pick({"debris": 3, "soil_bright": 2, "rock_bright": 1, "soil_dark": 0.5})
    put(land, slid, material)
    fresh = draw.uniform(-0.15, 0.35)
    texture = draw.uniform(0.05, 0.2) * draw.fractal(4, 2.0)[0] + 0.1 * draw.fractal(size / 10, 2.5)[0]
    land.brightness = torch.where(slid, fresh + texture + 0.2 * (scar - 0.4), land.brightness)
    land.water = torch.where(slid, torch.zeros(()), land.water)
    if draw.chance(0.35):  # some plants survive or have come back
        put(land, slid & (share(draw.fractal(3, 2.0)[0]) < draw.uniform(0.02, 0.2)), "grass")
    return slid


def glacier_collapse(land: Land, draw: Draw) -> Tensor:
    """Send ice and rock from a steep icy face to the valley floor; returns the (size, size) bool of all it covers."""
    size = draw.size_px
    radius_px = min(size / 9, max(3.0, draw.log_uniform(100, 900) / land.gsd_m))
    smooth = blur(land.elevation[None], max(2.0, min(12.0, radius_px * draw.uniform(0.3, 0.8))))[0]
    across, down = gradient(smooth, land.gsd_m)
    steepness = torch.sqrt(across**2 + down**2)
    start = steepness / steepness.mean() + land.ice.float() + 0.7 * smooth / smooth.std().clamp_min(1e-6)
    margin = size // 8
    seeds = torch.zeros((size, size))
    for _ in range(1 + draw.whole(3) // 2):
        favour = (start + draw.fractal(size / 4, 3.0)[0])[margin:-margin, margin:-margin]
        at = int(favour.argmax())
        y = draw.y + size / 2 - (at // favour.shape[1] + margin)
        x = draw.x + size / 2 - (at % favour.shape[1] + margin)
        outline = torch.sqrt(x**2 + y**2) / (radius_px * draw.uniform(0.5, 1.0))
        seeds = torch.maximum(seeds, (outline + 0.35 * draw.fractal(radius_px, 2.5)[0] < 1).float())
    reach_px = min(110, max(14, int(radius_px * draw.log_uniform(2.5, 14))))
    loss = (0.8 / reach_px) * (steepness.mean() / steepness.clamp_min(1e-3)).clamp(0.5, 2.5)
    energy = flow_down(seeds, across, down, reach_px, loss)
    spread = blur(energy[None], max(1.0, radius_px / draw.uniform(2.5, 6)))[0]
    covered = spread + 0.05 * draw.fractal(8, 2.5)[0] > draw.uniform(0.12, 0.3)
    covered &= spread > 0.02
    track = covered & (steepness > steepness.mean() * draw.uniform(0.8, 1.3))
    lobe = covered & ~track
    hummocks = draw.fractal(draw.uniform(3, 9), 2.2)[0]
    dust = edge_share(covered, draw.uniform(3, 10)) * draw.uniform(0.0, 0.8)
    land.brightness = land.brightness - 0.6 * dust * (is_one_of(land, ("snow", "ice")) & ~covered)
    put(land, track, draw.pick({"rock_bright": 1, "rock_dark": 1, "debris": 1, "dirty_ice": 0.7}))
    matrix = draw.pick({"debris": 1, "rock_dark": 1, "rock_bright": 1, "dirty_ice": 1.5})
    put(land, lobe, matrix)
    put(land, lobe & (hummocks > draw.uniform(0.0, 1.5)), draw.pick({"dirty_ice": 2, "ice": 1, "rock_dark": 1}))
    land.brightness = torch.where(covered, 0.12 * hummocks + draw.uniform(-0.3, 0.2), land.brightness)
    land.water = torch.where(covered, torch.zeros(()), land.water)
    return covered


def _pixels(size: int) -> tuple[Tensor, Tensor]:
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return y, x
