"""The surface of a simulated scene, what it is to be, and how covers are laid onto it."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .covers import INDEX
from .fields import Draw, blur
from .setting import Setting

BARE_FIELDS = ("soil_bright", "soil_dark", "soil_wet", "soil_smooth", "bare_wet")
BARE_GROUND = (
    *BARE_FIELDS, "sand", "rock_bright", "rock_dark", "mud", "salt", "gravel", "moraine", "quarry", "burnt",
)  # fmt: skip
"""Covers on which rubble that fell today looks like rubble of always."""

VEGETATED = ("temperate", "tropical")
"""Climates in which slopes are green unless something has torn them open."""

STEEP_COUNTRIES = ("mountains", "hills", "gorge")


@dataclass
class Land:
    """A scene's surface; all fields are (size, size).

    ``above_drainage`` has no unit: its order says how readily a pixel is flooded. ``water`` is the visible share of
    water, ``silt`` the mixture of the scene's two kinds of it, ``stand`` marks plants that still stand in it, ``dust``
    is the share of rock powder that lies on everything, ``flooded_town`` marks streets and houses in a flood, ``town``
    what is built up, gardens among the houses included. ``parcel`` numbers farmed parcels at random (0 to 1, -1 where
    there are none); ``seen`` remembers how the land looked to sensors, for a second look at it on another date.
    """

    country: str
    gsd_m: float
    setting: Setting
    elevation: Tensor
    across: Tensor
    down: Tensor
    above_drainage: Tensor
    river_px: Tensor
    cover: Tensor
    brightness: Tensor
    water: Tensor
    silt: Tensor
    stand: Tensor
    ice: Tensor
    dust: Tensor
    flooded_town: Tensor
    town: Tensor
    parcel: Tensor
    seen: dict[str, Tensor] = field(default_factory=dict)

    def surface_slopes(self) -> tuple[Tensor, Tensor]:
        """Slopes of the surface that is seen: water is level."""
        return self.across * (1 - self.water), self.down * (1 - self.water)

    @property
    def steepness(self) -> Tensor:
        """Slope in metres per metre."""
        return torch.sqrt(self.across**2 + self.down**2)


@dataclass(frozen=True)
class Snowfall:
    """What sets the snow of one date apart from what the season's warmth says.

    Attributes:
        more: share of the scene by which more of it lies under snow; negative where it went early.
        age: 0 as it fell, 1 old and grey.
        dust: how much of what the wind brought lies on it, 0 to 1.
        brown: how far below the snow, in spreads of the heights, meadows have not turned green yet.
        share: of the scene under snow, whatever the season says; None where the season says it.
    """

    more: float = 0.0
    age: float = 0.0
    dust: float = 0.0
    brown: float = 0.0
    share: float | None = None


@dataclass(frozen=True)
class LandRecipe:
    """What a land is to be: ``wet`` gives it rivers, lakes or a sea, ``snowy`` a snow line and glaciers, ``green``
    a cover of plants with little that is bare, ``belts`` orders its covers by height, ``most_snow`` is the largest
    share of it under snow. ``snowfall`` is what sets a date's snow apart where a land is looked at on two.
    """

    country: str
    gsd_m: float
    setting: Setting
    wet: bool = False
    snowy: bool = False
    green: bool = False
    belts: bool = False
    most_snow: float = 0.97
    snowfall: Snowfall | None = None


def copy_of(land: Land) -> Land:
    """A land that can be changed without changing this one."""
    copied = copy.deepcopy(land)
    copied.seen = dict(land.seen)
    return copied


def share(field: Tensor) -> Tensor:
    """Standard normal field to values spread evenly over 0 to 1."""
    return 0.5 * (1 + torch.erf(field / math.sqrt(2)))


def palette(draw: Draw, weights: dict[str, float], spread: float = 0.8) -> tuple[Tensor, Tensor]:
    """Covers (int64) and the upper ends of their shares, each weight varied for this scene."""
    varied = torch.tensor(list(weights.values())) * torch.exp(spread * draw.normals(len(weights)))
    return torch.tensor([INDEX[name] for name in weights]), torch.cumsum(varied / varied.sum(), 0)[:-1]


def put(land: Land, where: Tensor, cover: str | Tensor) -> None:
    """Replace the cover where a mask says."""
    value = torch.tensor(INDEX[cover]) if isinstance(cover, str) else cover
    land.cover = torch.where(where, value, land.cover)


def is_one_of(land: Land, names: tuple[str, ...]) -> Tensor:
    """(size, size) bool: whether the cover is one of these."""
    return torch.isin(land.cover, torch.tensor([INDEX[name] for name in names]))


def edge_share(mask: Tensor, sigma_px: float) -> Tensor:
    """(size, size) bool to its softened share, 0 to 1."""
    return blur(mask.float()[None], sigma_px)[0]
