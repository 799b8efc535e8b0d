"""One simulated scene: land, hazard, sensors and labels, by seed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..protocol import OPTICAL_SLOTS, SAR_SLOTS, SLOTS, BadInput
from .covers import artificial_table
from .fields import Draw
from .hazards import flood, glacier_collapse, landslides, old_scars
from .land import build_land
from .optics import render_reflectance
from .radar import render_backscatter
from .setting import Setting, draw_setting
from .snow import another_snowfall
from .surface import BARE_GROUND, STEEP_COUNTRIES, Land, LandRecipe, copy_of, is_one_of

HAZARDS = ("flood", "landslide", "glacier_collapse", "any")
"""Order of the label planes."""

IGNORED = 255

GSD_M = (3.0, 36.0)
"""Range of ground sampling distances, in metres."""

GARDENS_SEEN_M = 8.0
"""Ground sampling distance above which a pixel of a town holds houses and gardens alike."""

BELTS = (0.55, 0.8)
"""How often the covers of mountains are ordered by height, without and with a glacier collapse."""

BARE_SCARS = 0.25
"""How often a steep land that is seen on two dates has slides that are old but still bare."""

_COUNTRIES = {
    "flood": {"plain": 6.0, "hills": 1.5, "arid": 1.0},
    "landslide": {"hills": 5.0, "mountains": 1.0, "gorge": 2.0},
    "glacier_collapse": {"mountains": 1.0},
    "none": {"plain": 2.6, "hills": 2.2, "mountains": 2.2, "arid": 1.8, "gorge": 0.5},
}
HAZARD_SHARES = {"flood": 0.27, "landslide": 0.29, "glacier_collapse": 0.2, "none": 0.24}


@dataclass
class SimulatedScene:
    """A scene in physical units with its labels.

    Attributes:
        slots: slots of ``values``, in canonical order.
        values: (slots, size, size) float32, reflectance 0-1 or dB.
        labels: (4, size, size) uint8 in the order of ``HAZARDS``: 1 hazard, 0 none, 255 not to be judged: new rubble
            where the ground was as bare before. Water is positive for ``flood`` wherever it lies: one date cannot
            tell a flood from a lake. What a sensor sees of it all: ``seen_labels``.
        cloud: (size, size) share of cloud before the optical bands.
        surface: (size, size) uint8: 1 artificial, 0 natural.
        under_plants: (size, size) bool: water that plants mostly hide from above; a radar sees it.
        hazard: what was laid onto the land, or ``none``.
        country: ``plain``, ``hills``, ``mountains``, ``gorge`` or ``arid``.
        gsd_m: ground sampling distance.
        setting: place, date and optical sensor.
    """

    slots: tuple[str, ...]
    values: Tensor
    labels: Tensor
    surface: Tensor
    cloud: Tensor
    under_plants: Tensor
    hazard: str
    country: str
    gsd_m: float
    setting: Setting


def draw_scene(
    seed: int, size_px: int, optical: bool = True, radar: bool = True, without: str | None = None
) -> SimulatedScene:
    """A scene of any hazard (but ``without``) or none, of any country and resolution, as training draws them."""
    draw = Draw(seed, size_px)
    hazard = draw.pick({name: share for name, share in HAZARD_SHARES.items() if name != without})
    return _compose(draw, hazard, draw.log_uniform(*GSD_M), optical, radar)


def compose_scene(seed: int, size_px: int, hazard: str, gsd_m: float | None = None) -> SimulatedScene:
    """A scene of one hazard or ``none``, in all bands; ``gsd_m`` is drawn where it is not given.

    Raises:
        BadInput: for a hazard, a size or a distance that cannot be simulated.
    """
    if hazard not in HAZARD_SHARES:
        raise BadInput(f"Hazard '{hazard}' cannot be simulated; use one of {', '.join(HAZARD_SHARES)}.")
    if not 64 <= size_px <= 2048 or not 0.5 <= (gsd_m or 10) <= 100:
        raise BadInput(f"A scene of {size_px} pixels of {gsd_m} m cannot be simulated; use 64-2048 px of 0.5-100 m.")
    draw = Draw(seed, size_px)
    return _compose(draw, hazard, gsd_m or draw.log_uniform(*GSD_M), True, True)


def seen_labels(scene: SimulatedScene, slots: tuple[str, ...]) -> Tensor:
    """Labels (4, size, size) uint8 of what some bands can see.

    Under cloud nothing is seen from above, and thin cloud leaves it in doubt (255); plants in water look like plants
    in shade. A radar sees through both, but hardly sees landslides and collapses: those are left out, not guessed.
    """
    labels = scene.labels.clone()
    doubt = torch.tensor(IGNORED, dtype=torch.uint8)
    if not set(slots) & set(SAR_SLOTS):
        labels[:, scene.cloud > 0.6] = 0
        labels = torch.where((labels == 1) & (scene.cloud > 0.25), doubt, labels)
        labels[::3] = torch.where((labels[::3] == 1) & scene.under_plants, doubt, labels[::3])
    if not set(slots) & set(OPTICAL_SLOTS):
        solid = (labels[1:3] == 1).any(0) & (labels[0] != 1)
        labels[1:3] = torch.where(labels[1:3] == 1, doubt, labels[1:3])
        labels[3] = torch.where(solid, doubt, labels[3])
    return labels


def simulate_scene(
    seed: int, size_px: int, hazard: str, slots: tuple[str, ...], gsd_m: float
) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, np.ndarray[Any, Any]]]:
    """A scene of one hazard, to be written as a file.

    Args:
        seed: same seed and arguments, same scene.
        size_px: side, 64 to 2048.
        hazard: ``flood``, ``landslide``, ``glacier_collapse`` or ``none``.
        slots: bands wanted.
        gsd_m: ground sampling distance in metres.

    Returns:
        Slot to (size, size) float32 (reflectance 0-1, dB), and hazard to (size, size) uint8 labels (1, 0, 255), among
        them ``surface`` (1 artificial).

    Raises:
        BadInput: for arguments out of these ranges.
    """
    unknown = [slot for slot in slots if slot not in SLOTS]
    if unknown or not slots:
        raise BadInput(f"Bands {slots} cannot be simulated; use some of {', '.join(SLOTS)}.")
    scene = compose_scene(seed, size_px, hazard, gsd_m)
    values = {slot: scene.values[scene.slots.index(slot)].numpy() for slot in slots}
    labels = {name: scene.labels[index].numpy() for index, name in enumerate(HAZARDS)}
    return values, {**labels, "surface": scene.surface.numpy()}


def _compose(draw: Draw, hazard: str, gsd_m: float, optical: bool, radar: bool) -> SimulatedScene:
    struck = strike(draw, hazard, gsd_m)
    values, slots, cloud = look(struck.land, draw, hazard, optical, radar)
    return describe(struck, values, slots, cloud, hazard)


@dataclass
class Struck:
    """A land and what a hazard did to it.

    Attributes:
        land: after the hazard.
        recipe: what the land was made from.
        flooded: (size, size) bool, under a flood.
        slid: (size, size) bool, torn open or buried by a landslide.
        collapsed: (size, size) bool, swept or buried by a glacier collapse.
        was_bare: (size, size) bool, as bare before as rubble is.
        before: the land before the hazard, where it was asked for.
        scars: (size, size) bool, slides of long ago, where asked for.
        bare: that land without snow and water, and the state of the generator that laid them, where asked for.
    """

    land: Land
    recipe: LandRecipe
    flooded: Tensor
    slid: Tensor
    collapsed: Tensor
    was_bare: Tensor
    before: Land | None = None
    scars: Tensor | None = None
    bare: tuple[Land, Tensor] | None = None

    def kept(self) -> tuple[Land, tuple[Land, Tensor], Tensor]:
        """``before``, ``bare`` and ``scars``, of a land that was struck with ``keep_before``."""
        if self.before is None or self.bare is None or self.scars is None:
            raise ValueError("the land before the hazard was not kept")
        return self.before, self.bare, self.scars


def strike(draw: Draw, hazard: str, gsd_m: float, keep_before: bool = False, country: str | None = None) -> Struck:
    """Make a land and lay a hazard onto it, in a country that is drawn where none is given.

    With ``keep_before`` the land as it was is kept, and its snow is that of one date of two.
    """
    country = country or draw.pick(_COUNTRIES[hazard])
    wet = draw.chance(0.8 if hazard == "flood" else 0.5)
    snowy = country == "mountains" and draw.chance(0.2 if hazard == "landslide" else 0.8)
    green = hazard == "landslide" and draw.chance(0.7) and country != "gorge"
    setting = draw_setting(draw, country, gsd_m, green)
    # What falls onto a green valley floor is told more easily than what falls onto rubble.
    belts = country == "mountains" and setting.climate != "dry" and draw.chance(BELTS[hazard == "glacier_collapse"])
    most_snow = draw.uniform(0.2, 0.65 if belts else 0.85) if hazard == "glacier_collapse" else 0.97
    recipe = LandRecipe(
        country=country,
        gsd_m=gsd_m,
        setting=setting,
        wet=wet or country == "gorge",
        snowy=snowy or hazard == "glacier_collapse",
        green=green,
        belts=belts,
        most_snow=most_snow,
        snowfall=another_snowfall(draw) if keep_before else None,
    )
    bare: list[tuple[Land, Tensor]] | None = [] if keep_before else None
    land = build_land(draw, recipe, bare)
    intact = land.cover
    if country in STEEP_COUNTRIES and draw.chance(0.25):
        old_scars(land, draw)
    if keep_before and country in STEEP_COUNTRIES and draw.chance(BARE_SCARS):
        landslides(land, draw)  # of another year, still bare
    before = copy_of(land) if keep_before else None
    nothing = torch.zeros_like(land.water, dtype=torch.bool)
    was_bare = is_one_of(land, BARE_GROUND)
    slid = landslides(land, draw) if hazard == "landslide" else nothing
    collapsed = glacier_collapse(land, draw) if hazard == "glacier_collapse" else nothing
    flooded = flood(land, draw) if hazard == "flood" else nothing
    scars = before.cover != intact if before is not None else None
    return Struck(land, recipe, flooded, slid, collapsed, was_bare, before, scars, bare[0] if bare else None)


def look(land: Land, draw: Draw, hazard: str, optical: bool, radar: bool) -> tuple[Tensor, tuple[str, ...], Tensor]:
    """What sensors see of a land: values (slots, size, size), their slots, and the share of cloud (size, size)."""
    bands, slots = [], ()  # type: tuple[list[Tensor], tuple[str, ...]]
    cloud = torch.zeros_like(land.water)
    if optical:
        # Of landslides and collapses people share the clearer scenes.
        cloudy = 0.25 if hazard in ("landslide", "glacier_collapse") else 0.5
        reflectance, cloud = render_reflectance(land, draw, cloudy)
        bands.append(reflectance)
        slots += OPTICAL_SLOTS
    if radar:
        bands.append(render_backscatter(land, draw))
        slots += SAR_SLOTS
    return torch.cat(bands), slots, cloud


def describe(struck: Struck, values: Tensor, slots: tuple[str, ...], cloud: Tensor, hazard: str) -> SimulatedScene:
    """A scene from what was laid and what was seen, with its labels."""
    land, gsd_m = struck.land, struck.land.gsd_m
    return SimulatedScene(
        slots=slots,
        values=values,
        labels=_labels(land, struck.flooded, struck.slid, struck.collapsed, struck.was_bare),
        surface=(artificial_table()[land.cover] | (land.town & (gsd_m > GARDENS_SEEN_M))).to(torch.uint8),
        cloud=cloud,
        under_plants=land.stand & (land.water < 0.6),
        hazard=hazard,
        country=land.country,
        gsd_m=gsd_m,
        setting=struck.recipe.setting,
    )


def _labels(land: Land, flooded: Tensor, slid: Tensor, collapsed: Tensor, was_bare: Tensor) -> Tensor:
    water = flooded | (land.water > 0.5)
    labels = torch.stack((water, slid, collapsed, water | slid | collapsed)).to(torch.uint8)
    doubt = torch.stack((torch.zeros_like(water), slid, collapsed, (slid | collapsed) & ~water)) & was_bare
    return labels.masked_fill(doubt, IGNORED)
