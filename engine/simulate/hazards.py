"""Floods, landslides and glacier collapses laid onto a simulated land, with their exact outlines."""

import torch
from torch import Tensor

from .covers import INDEX
from .fields import Draw, blur, flow_down, gradient, hashed
from .surface import Land, edge_share, is_one_of, put, share


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
    if draw.chance(0.6):  # bars and banks of sand stand out of all but the highest water
        ground = ground + is_one_of(land, ("sand", "soil_smooth", "rock_bright")) * draw.uniform(0.0, 1.2)
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
    land.flooded_town = wet & (roofs | is_one_of(land, ("asphalt",)))
    if land.gsd_m < 8:  # coarser pixels of a flooded street hold roofs as well
        wet = wet & ~dry_roofs
    submerged = share(depth / depth[wet].mean().clamp_min(1e-3) - 1 + 0.6 * draw.fractal(10, 2.5)[0])
    seen_trees = (draw.uniform(0.15, 0.8) + 0.25 * draw.fractal(8, 2.2)[0]).clamp(0.05, 0.85)
    seen_crops = (draw.uniform(-0.6, 0.6) + 0.3 * draw.fractal(12, 2.5)[0] + 0.3 * (0.5 - submerged)).clamp(0, 0.8)
    plants = torch.where(trees, seen_trees, torch.where(crops, seen_crops, torch.zeros(())))
    plants = torch.where(dry_roofs, torch.full((), draw.uniform(0.3, 0.6)), plants)
    shallow = torch.where(trees | crops | dry_roofs, torch.zeros(()), 0.55 * (0.35 - submerged).clamp_min(0) / 0.35)
    land.water = torch.where(wet, torch.maximum(1 - plants - shallow, land.water), land.water)
    land.stand = wet & (plants > 0.12) & (trees | crops)
    silt = draw.uniform(-0.3, 0.9)
    land.silt = torch.where(
        wet & (land.cover != INDEX["water"]), (silt + 0.2 * draw.fractal(size / 4, 3.0)[0]).clamp(0, 1), land.silt
    )
    return wet


def landslides(land: Land, draw: Draw) -> Tensor:
    """Scar slopes along the fall line: source, track and deposit; returns their (size, size) bool."""
    size = draw.size_px
    smooth = blur(land.elevation[None], draw.uniform(1.0, 3.0))[0]
    across, down = gradient(smooth, land.gsd_m)
    steepness = torch.sqrt(across**2 + down**2)
    start_slope = torch.quantile(steepness, draw.uniform(0.2, 0.7))
    scar = torch.zeros((size, size))
    cluster = draw.fractal(size / 3, 3.0)[0] > draw.uniform(-2.0, 0.8)
    densest = draw.uniform(0.3, 1.0) if draw.chance(0.4) else draw.uniform(0.8, 2.2)  # an earthquake or a cloudburst
    for _ in range(1 + draw.whole(2)):
        scale_px = min(size / 10, max(2.5, draw.log_uniform(20, 300) / land.gsd_m))
        spots = draw.fractal(scale_px, 3.0)[0] - densest
        seeds = torch.where((spots > 0) & (steepness > start_slope) & cluster, 0.4 + 0.3 * spots, torch.zeros(()))
        reach_px = min(60, max(3, int(scale_px * draw.log_uniform(1.0, 10))))
        loss = (1.0 / reach_px) * (start_slope / steepness.clamp_min(1e-3)).clamp(0.5, 3)
        scar = torch.maximum(scar, flow_down(seeds.clamp(0, 1), across, down, reach_px, loss))
    slid = edge_share(scar > 0.02, 0.5) > 0.45
    if land.country == "gorge" or draw.chance(0.1):  # banks undercut by the river fail into it
        slid |= _bank_failures(land, draw, steepness)
    for _ in range(draw.whole(4) if draw.chance(0.5) else 0):  # single large slides and debris flows
        width_px = min(size / 6, max(2.5, draw.log_uniform(20, 400) / land.gsd_m))
        favour = steepness / steepness.mean() + 1.5 * draw.fractal(size / 5, 3.0)[0]
        at = int(favour.argmax())
        length_px = min(0.6 * size, width_px * draw.log_uniform(1.5, 12))
        slid |= run_out(draw, smooth, (at // size, at % size), length_px, width_px)[0] < 1
    slid &= land.water < 0.5
    if not bool(slid.any()):
        return slid
    materials = {"debris": 3, "debris_grey": 2, "debris_red": 1, "soil_bright": 1.5, "rock_bright": 1, "soil_dark": 0.5}
    put(land, slid, draw.pick(materials))
    if draw.chance(0.5):  # the deposit, or the bare source, is of another colour
        put(land, slid & (scar < draw.uniform(0.1, 0.4)), draw.pick(materials))
    fresh = draw.uniform(-0.15, 0.4)
    texture = draw.uniform(0.05, 0.2) * draw.fractal(4, 2.0)[0] + 0.1 * draw.fractal(size / 10, 2.5)[0]
    land.brightness = torch.where(slid, fresh + texture + 0.2 * (scar - 0.4), land.brightness)
    if draw.chance(0.35):  # some plants survive or have come back
        put(land, slid & (share(draw.fractal(3, 2.0)[0]) < draw.uniform(0.02, 0.2)), "grass")
    return slid


def old_scars(land: Land, draw: Draw) -> None:
    """Slides of long ago, grown over: their shape remains, in other plants; they are no hazard of today."""
    spots = draw.fractal(max(3.0, draw.log_uniform(40, 300) / land.gsd_m), 3.0)[0] - draw.uniform(1.2, 2.2)
    smooth = blur(land.elevation[None], 2.0)[0]
    across, down = gradient(smooth, land.gsd_m)
    steepness = torch.sqrt(across**2 + down**2)
    seeds = torch.where((spots > 0) & (steepness > steepness.median()), 0.4 + 0.3 * spots, torch.zeros(()))
    reach_px = 4 + draw.whole(24)
    scar = flow_down(seeds.clamp(0, 1), across, down, reach_px, torch.full_like(smooth, 1.0 / reach_px)) > 0.02
    put(land, scar & (land.water < 0.5), draw.pick({"grass": 2, "shrub": 2, "broadleaf": 1}))


def _bank_failures(land: Land, draw: Draw, steepness: Tensor) -> Tensor:
    """Slopes that fail along a river or a reservoir: fans that reach up from the bank by differing heights."""
    size = draw.size_px
    bank = land.river_px + 6 * draw.fractal(max(4.0, 60 / land.gsd_m), 2.4)[0]
    reach_px = draw.log_uniform(60, 500) / land.gsd_m * (1 + 0.6 * draw.fractal(size / 10, 2.6)[0]).clamp_min(0.1)
    failing = draw.fractal(size / draw.uniform(4, 12), 2.6)[0] > draw.uniform(-0.3, 1.2)
    near = (bank < reach_px + size / 24) & failing
    return near & (steepness > torch.quantile(steepness, draw.uniform(0.1, 0.4)))


def run_out(draw: Draw, elevation: Tensor, start: tuple[int, int], length_px: float, width_px: float) -> Tensor:
    """Course of a mass that keeps some of its momentum over pits, down a smooth (size, size) elevation.

    Returns:
        (2, size, size): distance from the course as a share of its half-width there (ragged, under 1 is covered), and
        how far along the course the nearest point lies, 0 to 1.
    """
    across, down = gradient(elevation, 1.0)
    steepness = torch.sqrt(across**2 + down**2).clamp_min(1e-9)
    fall_x, fall_y = (-across / steepness).numpy(), (-down / steepness).numpy()
    size = draw.size_px
    row, column = float(start[0]), float(start[1])
    step_px = max(1.0, width_px / 3)
    heading_x, heading_y = float(fall_x[start]), float(fall_y[start])
    course = []
    for _ in range(max(3, int(length_px / step_px))):
        if not (0 <= row < size and 0 <= column < size):
            break
        course.append((row, column))
        at = int(row), int(column)
        heading_x = 0.75 * heading_x + 0.25 * float(fall_x[at])
        heading_y = 0.75 * heading_y + 0.25 * float(fall_y[at])
        length = max(1e-6, (heading_x**2 + heading_y**2) ** 0.5)
        row, column = row + step_px * heading_y / length, column + step_px * heading_x / length
    points = torch.tensor(course)
    progress = torch.linspace(0, 1, len(course))
    waist, spread = draw.uniform(0.45, 0.9), draw.uniform(0.8, 2.0)
    widths = torch.where(progress < 0.25, 1 - progress * 4 * (1 - waist), torch.full((), waist))
    widths = widths + ((progress - 0.55).clamp_min(0) / 0.45) * (spread - waist)
    y, x = draw.y + size / 2, draw.x + size / 2
    distance = torch.sqrt((y[None] - points[:, 0].view(-1, 1, 1)) ** 2 + (x[None] - points[:, 1].view(-1, 1, 1)) ** 2)
    nearest, index = (distance / (widths.view(-1, 1, 1) * width_px / 2)).min(dim=0)
    return torch.stack((nearest + 0.25 * draw.fractal(max(3.0, width_px), 2.2)[0], progress[index]))


def glacier_collapse(land: Land, draw: Draw) -> Tensor:
    """Send ice and rock from a steep icy face to the valley floor: source niche, swept track, lobe, dust, dammed lake.

    Returns the (size, size) bool of niche, track and lobe.
    """
    size = draw.size_px
    width_px = min(size / 5, max(5.0, draw.log_uniform(120, 1200) / land.gsd_m))
    smooth = blur(land.elevation[None], max(2.0, min(10.0, width_px * draw.uniform(0.2, 0.5))))[0]
    steepness = land.steepness
    start = steepness / steepness.mean() + land.ice.float() + 0.7 * smooth / smooth.std().clamp_min(1e-6)
    margin = size // 10
    covered, lobe, niche = (torch.zeros((size, size), dtype=torch.bool) for _ in range(3))
    for _ in range(1 + draw.whole(3) // 2):
        favour = (start + 1.5 * draw.fractal(size / 5, 3.0)[0])[margin:-margin, margin:-margin]
        at = int(favour.argmax())
        top = (at // favour.shape[1] + margin, at % favour.shape[1] + margin)
        length_px = min(0.8 * size, width_px * draw.log_uniform(2.5, 14))
        ratio, progress = run_out(draw, smooth, top, length_px, width_px)
        covered |= ratio < 1
        lobe |= (ratio < 1) & (progress > draw.uniform(0.3, 0.7))
        niche |= (ratio < 1) & (progress < draw.uniform(0.05, 0.15))
    if draw.chance(0.75):  # on the valley floor the mass spreads along the river, both ways
        depth = land.above_drainage - draw.uniform(0.0, 0.3) * land.above_drainage.std()
        floor = depth < torch.quantile(depth, draw.uniform(0.08, 0.3))
        spread = floor & (edge_share(lobe, draw.uniform(0.4, 1.2) * width_px) > draw.uniform(0.03, 0.2))
        lobe, covered = lobe | spread, covered | spread
    track = covered & ~lobe & ~niche
    hummocks = draw.fractal(draw.uniform(3, 9), 2.2)[0]
    dust = edge_share(covered, draw.uniform(3, 14)) * draw.uniform(0.0, 0.9)
    land.dust = (dust * (1 + 0.4 * draw.fractal(10, 2.5)[0])).clamp(0, 0.9) * ~covered
    bare = {"rock_bright": 1, "rock_dark": 1, "debris": 1, "debris_grey": 1, "moraine": 1}
    put(land, track, draw.pick({**bare, "dirty_ice": 0.7, "ice_rock": 0.7}))
    put(land, niche, draw.pick({"ice": 1, "rock_bright": 1, "rock_dark": 1, "dirty_ice": 1}))
    put(land, lobe, draw.pick({**bare, "dirty_ice": 1.0, "ice_rock": 3}))
    blocks = lobe & (hummocks > draw.uniform(0.3, 1.8))
    put(land, blocks, draw.pick({"dirty_ice": 2, "ice": 0.7, "rock_dark": 1, "ice_rock": 1}))
    puddles = lobe & (hummocks < draw.uniform(-3.0, -1.7)) if draw.chance(0.4) else torch.zeros_like(lobe)
    land.brightness = torch.where(covered, 0.12 * hummocks + draw.uniform(-0.3, 0.2), land.brightness)
    land.water = torch.where(covered & ~puddles, torch.zeros(()), land.water)
    if draw.chance(0.5):
        _dam_lake(land, draw, lobe, covered)
    return covered


def _dam_lake(land: Land, draw: Draw, lobe: Tensor, covered: Tensor) -> None:
    """Water rises behind a lobe that bars the valley."""
    if not bool(lobe.any()):
        return
    crest = torch.quantile(land.elevation[lobe], draw.uniform(0.15, 0.5))
    toe = torch.quantile(land.elevation[lobe], draw.uniform(0.0, 0.1))
    near = edge_share(lobe, draw.uniform(4, 12)) > 0.01
    valley = land.above_drainage < torch.quantile(land.above_drainage, 0.3)
    lake = near & valley & (land.elevation < crest) & (land.elevation > toe) & ~covered
    put(land, lake, "water")
    land.water = torch.maximum(land.water, lake.float())
    land.silt = torch.where(lake, torch.full((), draw.uniform(0.3, 1.0)), land.silt)


def _pixels(size: int) -> tuple[Tensor, Tensor]:
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return y, x
