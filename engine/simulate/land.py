"""Terrain, drainage, permanent water and land cover of a simulated scene, before any hazard."""

import math

import torch
from torch import Tensor

from .covers import INDEX
from .fields import Draw, blur, flow_down, gradient, hashed
from .snow import lay_snow
from .surface import (
    BARE_FIELDS,
    BARE_GROUND,
    STEEP_COUNTRIES,
    VEGETATED,
    Land,
    LandRecipe,
    copy_of,
    is_one_of,
    palette,
    put,
    share,
)
from .terrain import build_terrain

NATURAL = {
    "temperate": {"broadleaf": 3.0, "conifer": 2.0, "grass": 2.0, "shrub": 0.6, "wetland": 0.3},
    "tropical": {"broadleaf": 5.0, "grass": 1.5, "wetland": 0.8, "soil_dark": 0.1, "shrub": 0.5},
    "dry": {
        "shrub": 3.0, "soil_bright": 2.0, "sand": 1.2, "rock_bright": 1.0, "rock_dark": 0.6, "salt": 0.15,
        "gravel": 0.4,
    },
    "steppe": {"grass": 3.0, "shrub": 2.0, "soil_dark": 0.7, "crop_dry": 1.0, "soil_bright": 0.6},
    "high": {"grass": 2.0, "rock_bright": 1.2, "rock_dark": 1.2, "shrub": 1.0, "conifer": 1.5, "gravel": 0.3},
}  # fmt: skip
FIELDS = {
    "crop_green": 2.5,
    "crop_dry": 1.5,
    "grass": 1.5,
    "soil_bright": 1.0,
    "soil_dark": 1.0,
    "soil_wet": 0.25,
    "soil_smooth": 0.5,
    "bare_wet": 0.35,
    "burnt": 0.04,
}
BARS = {"sand": 3, "gravel": 2, "soil_smooth": 1, "soil_bright": 1, "mud": 1, "bare_wet": 1, "soil_wet": 0.7}
BUILDINGS = {
    "concrete": 2.0,
    "roof_red": 1.5,
    "roof_dark": 1.5,
    "roof_bright": 0.7,
    "roof_blue": 0.2,
    "broadleaf": 1.2,
    "grass": 1.2,
    "asphalt": 1.0,
}
TALL = ("broadleaf", "conifer", "wetland", "shrub")


def build_land(draw: Draw, recipe: LandRecipe, bare: list[tuple[Land, Tensor]] | None = None) -> Land:
    """Make the land of a scene.

    To ``bare`` a copy without snow and water is added, with the state of the generator that laid them.
    """
    country, gsd_m = recipe.country, recipe.gsd_m
    size = draw.size_px
    terrain = build_terrain(draw, country, gsd_m)
    land = Land(
        country=country,
        gsd_m=gsd_m,
        setting=recipe.setting,
        elevation=terrain.elevation,
        across=terrain.across,
        down=terrain.down,
        above_drainage=terrain.above_drainage,
        river_px=terrain.river_px,
        cover=torch.zeros((size, size), dtype=torch.int64),
        brightness=torch.zeros((size, size)),
        water=torch.zeros((size, size)),
        silt=(0.4 + 0.35 * draw.normal() + 0.2 * draw.fractal(size / 4, 3.0)[0]).clamp(0, 1),
        stand=torch.zeros((size, size), dtype=torch.bool),
        ice=torch.zeros((size, size), dtype=torch.bool),
        dust=torch.zeros((size, size)),
        flooded_town=torch.zeros((size, size), dtype=torch.bool),
        town=torch.zeros((size, size), dtype=torch.bool),
        parcel=torch.full((size, size), -1.0),
    )
    if recipe.belts:
        _cover_by_height(land, draw)
    else:
        _cover_naturally(land, draw)
    if country not in ("mountains", "gorge") and draw.chance(0.8 if country == "plain" else 0.45):
        _lay_fields(land, draw)
    planted = recipe.belts or land.setting.climate in VEGETATED
    _cover_steep(land, draw, planted)
    if draw.chance(0.75 if country == "plain" else 0.15 if recipe.green else 0.4):
        _build_towns(land, draw)
    _cut_roads(land, draw)
    if draw.chance(0.3 if country in STEEP_COUNTRIES and planted else 1.0):
        _scatter_look_alikes(land, draw)
    if country in STEEP_COUNTRIES and draw.chance(0.12 if recipe.green or recipe.belts else 0.3):
        _pile_talus(land, draw)
    if bare is not None:
        bare.append((copy_of(land), draw.generator.get_state()))
    lay_snow_and_water(land, draw, recipe)
    return land


def lay_snow_and_water(land: Land, draw: Draw, recipe: LandRecipe) -> None:
    """What lies on a land: snow and glaciers, rivers, lakes and seas."""
    if recipe.snowy:
        lay_snow(land, draw, recipe.most_snow, recipe.snowfall)
    if recipe.wet:
        _permanent_water(land, draw)
    land.brightness += 0.06 * draw.fractal(draw.size_px / 5, 2.5)[0]


def _cover_naturally(land: Land, draw: Draw) -> None:
    climate = land.setting.climate
    # Some lands are a blanket of one cover, some a mosaic.
    covers, ends = palette(draw, NATURAL[climate], draw.uniform(0.5, 3.5))
    scale_px = draw.log_uniform(6, draw.size_px / 3)
    mosaic = draw.fractal(scale_px, draw.uniform(1.8, 3.6))[0]
    if draw.chance(0.5):
        height = (land.above_drainage - land.above_drainage.mean()) / land.above_drainage.std()
        mosaic = mosaic + draw.uniform(-1.0, 1.0) * height
    mosaic = mosaic + draw.uniform(0.0, 0.5) * draw.fractal(4.0, 2.0)[0]
    land.cover = covers[torch.bucketize(share(mosaic / mosaic.std()), ends)]
    if land.setting.warmth < -0.2 and draw.chance(0.7):  # broadleaf trees of the temperate zone stand bare in winter
        put(land, is_one_of(land, ("broadleaf",)), "leafless")
    if land.country == "gorge" and draw.chance(0.65):  # thorn and grass on the slopes of dry valleys
        put(land, is_one_of(land, BARE_GROUND), draw.pick({"shrub": 3, "grass": 1}))


def _lay_fields(land: Land, draw: Draw) -> None:
    size = draw.size_px
    width_px = max(2.5, draw.log_uniform(40, 500) / land.gsd_m)
    row, column, edge_px = draw.parcels(width_px, width_px * draw.uniform(1, 4), draw.uniform(0, 12))
    covers, ends = palette(draw, FIELDS, 1.2)
    salt = draw.whole(1 << 30)
    crop = covers[torch.bucketize(hashed(row, column, salt), ends)]
    farmed = share(draw.fractal(size / 3, 2.8)[0]) < draw.uniform(0.3, 1.1)
    farmed &= land.steepness < (draw.uniform(0.04, 0.15) if draw.chance(0.8) else 0.3)
    put(land, farmed, crop)
    land.parcel = torch.where(farmed, hashed(row, column, salt), land.parcel)
    land.brightness += farmed * (hashed(row, column, salt + 1) - 0.5) * draw.uniform(0.1, 0.7)
    if draw.chance(0.5):
        hedge = farmed & (edge_px < 0.7) & (draw.fractal(12, 2.0)[0] > draw.uniform(-1, 1))
        put(land, hedge, draw.pick({"broadleaf": 2, "grass": 1, "shrub": 1, "soil_bright": 1}))
    if draw.chance(0.4):
        put(land, farmed & (share(draw.fractal(2.5, 2.0)[0]) > draw.uniform(0.93, 0.995)), "broadleaf")
    if land.gsd_m < 12 and draw.chance(0.4):  # rows of the plough, along or across each parcel
        furrow = torch.sin(edge_px * draw.uniform(0.8, 2.2)) * is_one_of(land, BARE_FIELDS)
        land.brightness += farmed * furrow * draw.uniform(0.02, 0.12)


def _cover_by_height(land: Land, draw: Draw) -> None:
    """Belts of a high valley: meadows on its floor, forest with clearings on its flanks, then grass, then rock."""
    size = draw.size_px
    order = land.elevation.reshape(-1).argsort().argsort().reshape(size, size)
    height = order / (size * size) + 0.06 * draw.fractal(size / 10, 2.6)[0] + 0.02 * draw.fractal(4, 2.0)[0]
    floor, trees = draw.uniform(0.03, 0.25), draw.uniform(0.3, 0.65)
    rock = trees + draw.uniform(0.03, 0.25)
    put(land, height > rock, draw.pick({"rock_bright": 1, "rock_dark": 1, "gravel": 0.5, "moraine": 0.5}))
    put(land, (height > trees) & (height <= rock), draw.pick({"grass": 2, "shrub": 1}))
    leaves = "leafless" if land.setting.warmth < -0.2 else "broadleaf"
    clearing = draw.fractal(draw.log_uniform(4, size / 6), 2.6)[0] > draw.uniform(0.6, 2.0)
    put(land, (height <= trees) & ~clearing, draw.pick({"conifer": 3, leaves: 1.5}))
    put(land, (height <= trees) & clearing, "grass")
    put(land, height <= floor, draw.pick({"grass": 3, "crop_green": 1, "shrub": 0.5, leaves: 0.5}))


def _cover_steep(land: Land, draw: Draw, planted: bool) -> None:
    limit = draw.uniform(0.7, 1.4) if planted else draw.uniform(0.45, 1.1)
    rocky = land.steepness + 0.12 * draw.fractal(8, 2.0)[0] > limit
    put(land, rocky, draw.pick({"rock_bright": 2, "rock_dark": 2, "shrub": 0.5, "grass": 0.5}))


def _build_towns(land: Land, draw: Draw) -> None:
    size, gsd = draw.size_px, land.gsd_m
    limit = draw.uniform(0.2, 1.0) if draw.chance(0.25) else draw.uniform(1.0, 2.2)
    town = draw.fractal(draw.uniform(size / 10, size / 3), 2.6)[0] > limit
    town &= land.steepness < 0.35
    blocks = draw.parcels(max(3.0, draw.uniform(50, 180) / gsd), max(3.0, draw.uniform(60, 250) / gsd), 3)
    houses = draw.parcels(max(1.0, draw.uniform(9, 40) / gsd), max(1.0, draw.uniform(12, 70) / gsd), 0)
    covers, ends = palette(draw, BUILDINGS)
    built = covers[torch.bucketize(hashed(houses[0], houses[1], draw.whole(1 << 30)), ends)]
    green = hashed(blocks[0], blocks[1], draw.whole(1 << 30)) < draw.uniform(0.0, 0.3)
    built = torch.where(green, torch.tensor(INDEX["grass"]), built)
    street = blocks[2] < max(0.4, draw.uniform(4, 9) / gsd)
    built = torch.where(street, torch.tensor(INDEX["asphalt"]), built)
    put(land, town, built)
    land.town = town & ~green
    land.brightness += town * 0.25 * (hashed(houses[0], houses[1], 5) - 0.5)


def _cut_roads(land: Land, draw: Draw) -> None:
    size = draw.size_px
    for _ in range(draw.whole(3)):
        course = draw.fractal(size / 2, 4.5)[0] + draw.normal(0.4)
        slope = gradient(course, 1.0)
        distance_px = course.abs() / torch.sqrt(slope[0] ** 2 + slope[1] ** 2).clamp_min(1e-4)
        half_px = max(0.45, draw.log_uniform(3, 20) / land.gsd_m)
        put(land, distance_px < half_px, draw.pick({"asphalt": 2, "concrete": 1, "soil_bright": 1}))
    if draw.chance(0.05) and land.country in ("plain", "arid"):
        angle = draw.uniform(0, math.pi)
        x, y = draw.x - draw.uniform(-0.3, 0.3) * size, draw.y - draw.uniform(-0.3, 0.3) * size
        along = (x * math.cos(angle) + y * math.sin(angle)).abs() * land.gsd_m
        beside = (y * math.cos(angle) - x * math.sin(angle)).abs() * land.gsd_m
        put(land, (along < 1600) & (beside < 150), "grass")
        put(land, (along < 1500) & (beside < 30), draw.pick({"asphalt": 2, "concrete": 1}))


def _scatter_look_alikes(land: Land, draw: Draw) -> None:
    """Bare, dark and smooth patches that are no hazard; where plants grow, most of them on gentle ground."""
    size = draw.size_px
    gentle = land.steepness < (0.12 if land.setting.climate in VEGETATED and draw.chance(0.8) else 10.0)
    for cover, probability, lowest in (
        ("burnt", 0.06, 1.2),
        ("quarry", 0.10, 2.5),
        ("soil_bright", 0.15, 1.8),
        ("soil_wet", 0.12, 1.7),
        ("soil_smooth", 0.20, 1.6),
        ("mud", 0.06, 2.0),
        ("rock_bright", 0.10, 1.8),
        ("sand", 0.15, 1.7),
        ("bare_wet", 0.15, 1.5),
        ("gravel", 0.08, 1.8),
    ):
        if draw.chance(probability):
            patch = draw.fractal(draw.log_uniform(5, size / 6), 3.0)[0] > lowest + draw.uniform(0, 0.7)
            put(land, patch & gentle, cover)
    if draw.chance(0.3) and land.country in STEEP_COUNTRIES:
        ridge = land.above_drainage > torch.quantile(land.above_drainage, draw.uniform(0.85, 0.99))
        put(land, ridge, draw.pick({"soil_bright": 1, "rock_bright": 1, "grass": 1, "rock_dark": 1}))


def _pile_talus(land: Land, draw: Draw) -> None:
    """Fans of scree below rock faces and gravel beds in valley floors: bare, but no landslide of today."""
    smooth = blur(land.elevation[None], 2.0)[0]
    across, down = gradient(smooth, land.gsd_m)
    steepness = torch.sqrt(across**2 + down**2)
    cliffs = is_one_of(land, ("rock_bright", "rock_dark")) & (steepness > torch.quantile(steepness, 0.75))
    cliffs &= draw.fractal(draw.size_px / 8, 3.0)[0] > draw.uniform(0.3, 1.3)
    reach_px = min(30, max(3, int(draw.log_uniform(60, 500) / land.gsd_m)))
    fan = flow_down(cliffs.float() * 0.7, across, down, reach_px, torch.full_like(smooth, 1.0 / reach_px)) > 0.05
    put(land, fan & ~cliffs, draw.pick({"rock_bright": 1, "gravel": 2, "moraine": 1}))


def _permanent_water(land: Land, draw: Draw) -> None:
    size, gsd = draw.size_px, land.gsd_m
    water = torch.zeros((size, size), dtype=torch.bool)
    if draw.chance(0.65):
        half_px = min(size / 6, max(0.3, draw.log_uniform(6, 900) / gsd / 2))
        if land.country == "mountains":
            half_px = min(half_px, 60 / gsd)
        elif land.country == "gorge":
            half_px = min(size / 8, draw.log_uniform(40, 300) / gsd)
        width_px = half_px * (1 + 0.3 * draw.fractal(size / 6, 3.0)[0])
        river = land.river_px < width_px
        bank = land.river_px < width_px * draw.uniform(1.1, 4.0)
        if draw.chance(0.6):
            bar = bank & (draw.fractal(max(4.0, half_px * 2), 2.6)[0] > draw.uniform(-0.5, 1.0))
            put(
                land,
                bar,
                draw.pick(BARS),
            )
            river &= ~(bar & (draw.fractal(max(4.0, half_px), 2.6)[0] > 0.7))
        water |= river
    if draw.chance(0.4):
        lakes = draw.fractal(draw.log_uniform(6, size / 3), draw.uniform(2.8, 4.0))[0]
        if land.country in STEEP_COUNTRIES:
            lakes = lakes - 1.5 * land.steepness / land.steepness.mean()
        water |= lakes - 0.3 * land.above_drainage > draw.uniform(1.2, 2.6)
    if draw.chance(0.15) and land.country not in ("mountains", "gorge"):
        row, column, edge_px = draw.parcels(
            max(3.0, draw.uniform(30, 200) / gsd), max(3.0, draw.uniform(40, 300) / gsd)
        )
        region = draw.fractal(size / 4, 3.0)[0] > draw.uniform(0.3, 1.5)
        water |= region & (hashed(row, column, draw.whole(1 << 30)) < draw.uniform(0.2, 0.9)) & (edge_px > 0.6)
    if draw.chance(0.12):
        reach = draw.fractal(size / 2, 4.0)[0] > 0.3
        water |= reach & (land.above_drainage < torch.quantile(land.above_drainage, draw.uniform(0.05, 0.35)))
    if draw.chance(0.22) and land.country not in ("mountains", "gorge"):
        angle = draw.uniform(0, 2 * math.pi)
        coast = (draw.x * math.cos(angle) + draw.y * math.sin(angle)) / size
        coast = coast + draw.uniform(0.02, 0.1) * draw.fractal(size / 4, 3.0)[0]
        sea = coast > torch.quantile(coast, draw.uniform(0.02, 0.9))
        if draw.chance(0.45):  # no land in sight: the scene's own statistics say nothing of it
            sea = torch.ones_like(sea)
        beach = (coast > coast[sea].min() - draw.uniform(0, 0.03)) & ~sea
        put(land, beach, draw.pick({"sand": 2, "mud": 1, "soil_wet": 1, "rock_dark": 0.5, "wetland": 1}))
        water |= sea
    put(land, water, "water")
    land.water = torch.maximum(land.water, water.float())
