"""One simulated scene: land, hazard, sensors and labels, by seed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..protocol import OPTICAL_SLOTS, SAR_SLOTS, SLOTS, BadInput
from .covers import artificial_table
from .fields import Draw
from .hazards import flood, glacier_collapse, landslides
from .land import Land, LandRecipe, build_land
from .optics import render_reflectance
from .radar import render_backscatter

HAZARDS = ("flood", "landslide", "glacier_collapse", "any")
"""Order of the label planes."""

IGNORED = 255

_COUNTRIES = {
    "flood": {"plain": 6.0, "hills": 1.5, "arid": 1.0},
    "landslide": {"hills": 4.0, "mountains": 1.5},
    "glacier_collapse": {"mountains": 1.0},
    "none": {"plain": 2.5, "hills": 1.8, "mountains": 2.2, "arid": 2.3},
}
_SHARES = {"flood": 0.33, "landslide": 0.26, "glacier_collapse": 0.14, "none": 0.27}


@dataclass
class SimulatedScene:
    """A scene in physical units with its labels.

    Attributes:
        slots: slots of ``values``, in canonical order.
        values: (slots, size, size) float32, reflectance 0-1 or dB.
        labels: (4, size, size) uint8 in the order of ``HAZARDS``: 1 hazard, 0 none, 255 not to be judged. Water is
            positive for ``flood`` wherever it is seen: one date cannot tell a flood from a lake.
        surface: (size, size) uint8: 1 artificial, 0 natural.
        under_plants: (size, size) bool: water that plants mostly hide from above; a radar sees it.
        hazard: what was laid onto the land, or ``none``.
        country: ``plain``, ``hills``, ``mountains`` or ``arid``.
        gsd_m: ground sampling distance.
    """

    slots: tuple[str, ...]
    values: Tensor
    labels: Tensor
    surface: Tensor
    under_plants: Tensor
    hazard: str
    country: str
    gsd_m: float


def draw_scene(seed: int, size_px: int, optical: bool = True, radar: bool = True) -> SimulatedScene:
    """A scene of any hazard or none, of any country and ground sampling distance, as training draws them."""
    draw = Draw(seed, size_px)
    hazard = draw.pick(_SHARES)
    return _compose(draw, hazard, draw.log_uniform(3, 32), optical, radar)


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
    if hazard not in _SHARES:
        raise BadInput(f"Hazard '{hazard}' cannot be simulated; use one of {', '.join(_SHARES)}.")
    if not 64 <= size_px <= 2048 or not 0.5 <= gsd_m <= 100:
        raise BadInput(f"A scene of {size_px} pixels of {gsd_m} m cannot be simulated; use 64-2048 px of 0.5-100 m.")
    scene = _compose(
        Draw(seed, size_px), hazard, gsd_m, bool(set(slots) & set(OPTICAL_SLOTS)), bool(set(slots) & set(SAR_SLOTS))
    )
    values = {slot: scene.values[scene.slots.index(slot)].numpy() for slot in slots}
    labels = {name: scene.labels[index].numpy() for index, name in enumerate(HAZARDS)}
    return values, {**labels, "surface": scene.surface.numpy()}


def _compose(draw: Draw, hazard: str, gsd_m: float, optical: bool, radar: bool) -> SimulatedScene:
    country = draw.pick(_COUNTRIES[hazard])
    wet = draw.chance(0.8 if hazard == "flood" else 0.5)
    snowy = country == "mountains" and draw.chance(0.3 if hazard == "landslide" else 0.8)
    recipe = LandRecipe(
        country=country,
        gsd_m=gsd_m,
        wet=wet,
        snowy=snowy or hazard == "glacier_collapse",
        green=hazard == "landslide" and draw.chance(0.75),
    )
    land = build_land(draw, recipe)
    nothing = torch.zeros_like(land.water, dtype=torch.bool)
    slid = landslides(land, draw) if hazard == "landslide" else nothing
    collapsed = glacier_collapse(land, draw) if hazard == "glacier_collapse" else nothing
    flooded = flood(land, draw) if hazard == "flood" else nothing
    bands, slots = [], ()  # type: tuple[list[Tensor], tuple[str, ...]]
    cloud = torch.zeros_like(land.water)
    if optical:
        reflectance, cloud = render_reflectance(land, draw)
        bands.append(reflectance)
        slots += OPTICAL_SLOTS
    if radar:
        bands.append(render_backscatter(land, draw))
        slots += SAR_SLOTS
    return SimulatedScene(
        slots=slots,
        values=torch.cat(bands),
        labels=_labels(land, flooded, slid, collapsed, cloud),
        surface=artificial_table()[land.cover].to(torch.uint8),
        under_plants=land.stand & (land.water < 0.25),
        hazard=hazard,
        country=country,
        gsd_m=gsd_m,
    )


def _labels(land: Land, flooded: Tensor, slid: Tensor, collapsed: Tensor, cloud: Tensor) -> Tensor:
    water = flooded | (land.water > 0.5)
    labels = torch.stack((water, slid, collapsed, water | slid | collapsed)).to(torch.uint8)
    hidden = cloud > 0.6
    labels[:, hidden] = 0
    doubtful = (cloud > 0.25) & ~hidden
    return torch.where((labels == 1) & doubtful, torch.tensor(IGNORED, dtype=torch.uint8), labels)
