"""Two looks at one simulated place: before and after a hazard, or on two ordinary dates, with what is new labelled."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .fields import Draw, blur, hashed, shifted
from .land import FIELDS, lay_snow_and_water
from .scene import (
    GSD_M,
    IGNORED,
    SimulatedScene,
    Struck,
    describe,
    look,
    strike,
)
from .setting import another_date
from .snow import another_snowfall, nearby_snowfall
from .surface import Land, copy_of, is_one_of, palette, put

PAIR_SHARES = {"flood": 0.25, "landslide": 0.3, "glacier_collapse": 0.3, "none": 0.7}
"""How often a pair shows which hazard; pairs without any teach what ordinary change looks like."""

CALM_MOUNTAINS = 0.75
"""How many of these lie in mountains, where snow that comes and goes is what changes most."""

CLOSE = 0.65
"""How many pairs lie close together, as people choose them who can: weeks apart, one sensor, seen alike. Of the others,
which are far harder, little but caution can be learned."""

LEAFLESS_WARMTH = -0.2
MOST_SNOW = 0.97


@dataclass
class ScenePair:
    """One place on two dates, on one grid.

    Attributes:
        after: the later scene; its labels are those of one date alone.
        before: the earlier scene, in the same slots; without the hazard.
        new: (4, size, size) uint8 labels in the order of ``HAZARDS`` of what is new: 1 new, 0 not, 255 not to be
            judged. Water that was there before is no flood; slides of before are not repeated.
        permanent: (size, size) bool, water on both dates.
        hidden: (size, size) bool, under cloud on the earlier date.
        close: whether the dates lie close together.
    """

    after: SimulatedScene
    before: SimulatedScene
    new: Tensor
    permanent: Tensor
    hidden: Tensor
    close: bool = False


def draw_pair(seed: int, size_px: int, without: str | None = None) -> ScenePair:
    """A pair of any hazard (but ``without``) or none, of any country and resolution, as training draws them."""
    draw = Draw(seed, size_px)
    hazard = draw.pick({name: part for name, part in PAIR_SHARES.items() if name != without})
    country = "mountains" if hazard == "none" and draw.chance(CALM_MOUNTAINS) else None
    return _compose_pair(draw, hazard, draw.log_uniform(*GSD_M), country)


def compose_pair(seed: int, size_px: int, hazard: str, gsd_m: float | None = None) -> ScenePair:
    """A pair of one hazard or ``none``; ``gsd_m`` is drawn where it is not given."""
    draw = Draw(seed, size_px)
    return _compose_pair(draw, hazard, gsd_m or draw.log_uniform(*GSD_M))


def _compose_pair(draw: Draw, hazard: str, gsd_m: float, country: str | None = None) -> ScenePair:
    struck = strike(draw, hazard, gsd_m, keep_before=True, country=country)
    values, slots, cloud = look(struck.land, draw, hazard, True, True)
    after = describe(struck, values, slots, cloud, hazard)
    close = draw.chance(CLOSE)
    earlier = _earlier(struck, draw, close)
    earlier.seen = dict(struck.land.seen)
    was, _, was_cloud = look(earlier, draw, hazard, True, True)
    was = _misplaced(was, draw, close)
    nothing = torch.zeros_like(struck.flooded)
    calm = replace(struck, land=earlier, flooded=nothing, slid=nothing, collapsed=nothing)
    before = replace(describe(calm, was, slots, was_cloud, "none"), setting=earlier.setting)
    permanent = (after.labels[0] == 1) & (earlier.water > 0.5)
    hidden = was_cloud > 0.4
    return ScenePair(after, before, _new_labels(struck, after, earlier, hidden), permanent, hidden, close)


def _new_labels(struck: Struck, after: SimulatedScene, earlier: Land, hidden: Tensor) -> Tensor:
    """What is new.

    Slides and collapses are new ground alike: who compares two dates knows what came down, and asks where it lies.
    Nothing is judged where water merely stands higher or lower on an ordinary day, where clouds hid whether water was
    there, and where rubble fell onto the same rubble.
    """
    labels = after.labels.clone()
    torn = torch.stack((struck.slid, struck.collapsed)) & (struck.land.cover != struck.kept()[0].cover)
    labels[1:3].masked_fill_(torn, 1)
    labels[1:3] = _either(labels[1:3])
    was_wet = earlier.water > 0.5
    water = (labels[0] == 1) & ~was_wet
    labels[0] = water.to(torch.uint8)
    labels[0].masked_fill_(water & ~struck.flooded, IGNORED)
    labels[0].masked_fill_((after.labels[0] == 1) & was_wet & hidden, IGNORED)
    labels[0].masked_fill_((earlier.water > 0.2) & struck.flooded & ~was_wet, IGNORED)
    labels[3] = _either(labels[:3])
    return labels


def _either(labels: Tensor) -> Tensor:
    """(h, w) of (n, h, w) labels: 1 where one of them is, not judged where one of the others is not."""
    found = (labels == 1).any(0)
    return found.to(torch.uint8).masked_fill((labels == IGNORED).any(0) & ~found, IGNORED)


def _earlier(struck: Struck, draw: Draw, close: bool) -> Land:
    """The land on another date, with what ordinarily changes; slides that lie there on both dates are old."""
    before, (ground, state), scars = struck.kept()
    setting = another_date(draw, struck.land.setting, struck.land.gsd_m, close)
    laid = Draw(0, draw.size_px)
    laid.generator.set_state(state)
    earlier = copy_of(ground)
    earlier.setting = setting
    _turn_leaves(earlier, draw)
    known = struck.recipe.snowfall
    if close and known is not None:
        fallen, most = nearby_snowfall(draw, known), min(MOST_SNOW, struck.recipe.most_snow + draw.uniform(0.0, 0.7))
    else:
        fallen, most = another_snowfall(draw), MOST_SNOW
    recipe = replace(struck.recipe, setting=setting, snowfall=fallen, most_snow=most)
    lay_snow_and_water(earlier, laid, recipe)
    put(earlier, scars, before.cover)
    _change_fields(earlier, draw, 0.35 if close else 1.0)
    if not close or draw.chance(0.4):
        _change_ground(earlier, draw)
    if not close or draw.chance(0.6):
        _change_level(earlier, draw)
    return earlier


def _turn_leaves(land: Land, draw: Draw) -> None:
    if land.setting.climate not in ("temperate", "high"):
        return
    if land.setting.warmth < LEAFLESS_WARMTH and draw.chance(0.8):
        put(land, is_one_of(land, ("broadleaf",)), "leafless")
    elif land.setting.warmth > LEAFLESS_WARMTH:
        put(land, is_one_of(land, ("leafless",)), "broadleaf")


def _change_fields(land: Land, draw: Draw, most: float) -> None:
    """Another crop on some parcels, ``most`` of them at most, ploughed or harvested meanwhile."""
    changing = draw.uniform(0.0, most) if draw.chance(0.8) else 0.0
    number = (land.parcel * 1e6).long()
    zero = torch.zeros_like(number)
    chosen = (land.parcel >= 0) & (hashed(number, zero, draw.whole(1 << 30)) < changing)
    chosen &= is_one_of(land, tuple(FIELDS))
    covers, ends = palette(draw, FIELDS, 1.2)
    crop = covers[torch.bucketize(hashed(number, zero + 1, draw.whole(1 << 30)), ends)]
    put(land, chosen, crop)


def _change_ground(land: Land, draw: Draw) -> None:
    """Building sites, clearings, quarries and burns that came between the dates, and others that healed."""
    size = draw.size_px

    def patches(lowest: float) -> Tensor:
        return draw.fractal(draw.log_uniform(4, size / 8), 2.8)[0] > lowest + draw.uniform(0, 0.8)

    if draw.chance(0.25):  # what is a town today was not yet built
        put(land, land.town & patches(0.3), draw.pick({"grass": 2, "soil_bright": 1, "crop_green": 1, "shrub": 1}))
    woods = is_one_of(land, ("broadleaf", "conifer", "leafless"))
    if draw.chance(0.2):  # felled since, and grass grew on it
        put(land, is_one_of(land, ("grass", "shrub")) & patches(1.0), draw.pick({"broadleaf": 1, "conifer": 1}))
    if draw.chance(0.12):  # grown since
        put(land, woods & patches(1.5), draw.pick({"grass": 2, "shrub": 2, "soil_dark": 1}))
    if draw.chance(0.1):
        put(land, is_one_of(land, ("quarry", "soil_bright", "burnt")) & patches(0.0), "grass")
    if draw.chance(0.1):
        put(land, ~is_one_of(land, ("water", "snow", "ice")) & patches(2.0), draw.pick({"burnt": 1, "soil_bright": 1}))


def _change_level(land: Land, draw: Draw) -> None:
    """Rivers, lakes and tides a little lower or higher."""
    if not draw.chance(0.45):
        return
    soft = blur(land.water[None], draw.log_uniform(0.5, 4.0))[0]
    water = soft > draw.uniform(0.25, 0.75)
    shore = draw.pick({"sand": 2, "mud": 2, "gravel": 1, "soil_wet": 1})
    put(land, (land.water > 0.5) & ~water, shore)
    put(land, water, "water")
    land.water = torch.where(water, torch.ones(()), torch.where(land.water > 0.5, torch.zeros(()), land.water))


def _misplaced(values: Tensor, draw: Draw, close: bool) -> Tensor:
    """What remains of a shift between the scenes once it was corrected: up to a pixel, and a blur of resampling."""
    if draw.chance(0.3):
        return values
    most = 0.5 if close else 1.4
    right, down = draw.uniform(-most, most), draw.uniform(-most, most)
    moved = torch.stack([shifted(band, right, down) for band in values])
    return blur(moved, draw.uniform(0.0, 0.6))
