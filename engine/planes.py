"""The network's input planes: scene-normalised and physical values, availability and indices of any set of bands."""

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from .protocol import SAR_SLOTS, SLOTS, BadInput

_NORMALISED = tuple(f"norm_{slot}" for slot in SLOTS)
_PHYSICAL = tuple(f"raw_{slot}" for slot in SLOTS)
_AVAILABLE = tuple(f"available_{slot}" for slot in SLOTS)

RATIOS = {"ndwi": ("green", "nir"), "mndwi": ("green", "swir1"), "ndvi": ("nir", "red"), "nbr": ("nir", "swir2")}
"""Normalised differences of reflectances: McFeeters 1996, Xu 2006, Rouse 1974, Key & Benson 2006."""

COLOURS = {"green_red": ("green", "red"), "blue_red": ("blue", "red")}
"""Normalised differences that shade hardly changes; of display values too, where they still tell soil from plants."""

PLANES: tuple[str, ...] = (*_NORMALISED, *_PHYSICAL, *_AVAILABLE, *RATIOS, "vv_minus_vh", *COLOURS)
"""Names of all input planes, in the order of the network's first convolution."""

SAR_CENTRE_DB = {"vv": -13.0, "vh": -20.0}
SAR_SPREAD_DB = 7.0
LEAST_SPREAD, LEAST_SPREAD_DB = 0.06, 6.0
"""Scenes of less contrast (reflectance, dB) are not stretched to more: waves on an open sea would look like shores."""

PIECE_PX = 65_536
"""Pixels whose planes are built together on a processor: so few that they stay in its cache from step to step."""

_RATIO_FLOOR = 0.004  # keeps the ratio of two nearly black reflectances near 0 instead of at random


@dataclass(frozen=True)
class SceneScaling:
    """What one scene's bands are and how they spread, over the whole scene.

    Attributes:
        slots: slots present, in the canonical order of ``protocol.SLOTS``.
        low: 2 % quantile of each slot, in canonical units (reflectance 0-1, or dB; byte scenes value/255; raw as is).
        high: 98 % quantile of each slot, likewise.
        absolute: per slot, whether its values are physical (reflectance or dB): False for byte and raw units.
    """

    slots: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    absolute: tuple[bool, ...]

    def __post_init__(self) -> None:
        """Raise BadInput unless slots are known, in order and each has its three values."""
        order = [SLOTS.index(slot) for slot in self.slots if slot in SLOTS]
        if not order or len(order) != len(self.slots) or order != sorted(set(order)):
            raise BadInput(f"Slots {self.slots} are not in order; expected some of {', '.join(SLOTS)}, each once.")
        if {len(self.low), len(self.high), len(self.absolute)} != {len(self.slots)}:
            raise BadInput(f"The scaling of {len(self.slots)} slots needs as many low, high and absolute values.")


def planes_for(scaling: SceneScaling) -> list[int]:
    """Indices into ``PLANES``, ascending, of the planes that are not identically zero for such a scene."""
    physical = {slot for slot, absolute in zip(scaling.slots, scaling.absolute, strict=True) if absolute}
    names = {f"{kind}_{slot}" for slot in scaling.slots for kind in ("norm", "available")}
    names |= {f"raw_{slot}" for slot in physical}
    names |= {name for name, pair in RATIOS.items() if physical.issuperset(pair)}
    if physical.issuperset(("vv", "vh")):
        names.add("vv_minus_vh")
    names |= {name for name, pair in COLOURS.items() if set(pair).issubset(scaling.slots)}
    return [index for index, name in enumerate(PLANES) if name in names]


def equal_planes(planes: Sequence[int]) -> dict[int, int]:
    """Of planes by index those that hold what an earlier one holds, with that one: availability, as a pixel counts only
    where all bands have a value.

    A network that adds the weights of equal planes up needs but one of them (``HazardNet.restricted_to``).
    """
    available = [plane for plane in planes if PLANES[plane] in _AVAILABLE]
    return {plane: available[0] for plane in available[1:]}


def build_planes(
    values: torch.Tensor,
    valid: torch.Tensor,
    scaling: SceneScaling,
    out: torch.Tensor | None = None,
    chosen: Sequence[int] | None = None,
) -> torch.Tensor:
    """Planes of windows of one scene.

    Args:
        values: (n, slots, h, w) float32 in canonical units, slots as in ``scaling``.
        valid: (n, 1, h, w) bool; False where nothing was measured. All planes are 0 there.
        scaling: the whole scene's, so that a window that lies wholly in water keeps its meaning.
        out: planes of earlier windows of this scene that nobody needs any more; written over where they are as large.
        chosen: indices into ``PLANES`` of those to build, ascending: all of ``planes_for`` if None.

    Returns:
        (n, planes, h, w) float32, finite.
    """
    count, slots, height, width = values.shape
    if slots != len(scaling.slots):
        raise BadInput(f"The window has {slots} bands, the scene's scaling {len(scaling.slots)}; give it all of them.")
    chosen = planes_for(scaling) if chosen is None else chosen
    shape = (count, len(chosen), height, width)
    if out is not None and out.shape == shape and out.device == values.device:
        planes = out
    else:
        planes = torch.empty(shape, dtype=torch.float32, device=values.device)
    groups = list(_groups(chosen, scaling.slots))
    rows = max(1, PIECE_PX // (count * width)) if values.device.type == "cpu" else height
    for top in range(0, height, rows):
        part = slice(top, top + rows)
        _fill(planes[:, :, part], values[:, :, part], valid[:, :, part], scaling, groups)
    return planes


@dataclass(frozen=True)
class _Group:
    """Planes that are built together: those of one kind, of slots that follow each other.

    Attributes:
        kind: ``norm``, ``raw``, ``raw dB`` or ``available``, or the name of a plane made of two slots.
        planes: which of the chosen planes.
        slots: which of the scene's.
    """

    kind: str
    planes: slice
    slots: slice


def _groups(chosen: Sequence[int], slots: Sequence[str]) -> Iterator[_Group]:
    """Groups of planes, in their order."""

    def kind_of(item: tuple[int, int]) -> tuple[str, int]:
        position, index = item
        kind, _, slot = PLANES[index].partition("_")
        if kind not in ("norm", "raw", "available"):
            return PLANES[index], 0
        name = "raw dB" if kind == "raw" and slot in SAR_SLOTS else kind
        return name, slots.index(slot) - position  # the same for slots and planes that follow each other

    for (kind, shift), items in itertools.groupby(enumerate(chosen), kind_of):
        positions = [position for position, _ in items]
        planes = slice(positions[0], positions[-1] + 1)
        yield _Group(kind, planes, slice(planes.start + shift, planes.stop + shift))


@functools.lru_cache(maxsize=64)
def _stretch(scaling: SceneScaling, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Factor and summand (slots, 1, 1) that bring the scene's range to -1 to 1; 0 for slots that are constant."""
    factors, summands = [], []
    for slot, low, high, absolute in zip(scaling.slots, scaling.low, scaling.high, scaling.absolute, strict=True):
        spread = high - low
        if absolute:
            spread = max(spread, LEAST_SPREAD_DB if slot in SAR_SLOTS else LEAST_SPREAD)
        factors.append(2 / spread if spread > 1e-6 else 0.0)
        summands.append(-factors[-1] * (high + low) / 2)
    with torch.inference_mode(False):  # they are kept
        factor, summand = (torch.tensor(row, device=device).view(-1, 1, 1) for row in (factors, summands))
    return factor, summand


def _fill(
    planes: torch.Tensor, values: torch.Tensor, valid: torch.Tensor, scaling: SceneScaling, groups: Sequence[_Group]
) -> None:
    """Write the planes of a piece of windows; see ``build_planes``."""
    if values.device.type != "cpu" or not math.isfinite(float(values.sum())):  # a GPU would have to be waited for
        values = torch.nan_to_num(values, nan=0.0, posinf=1e4, neginf=-1e4)
    everywhere = bool(valid.all())
    reflectance: torch.Tensor | None = None
    for group in groups:
        some, bands = planes[:, group.planes], values[:, group.slots]
        if group.kind == "norm":
            factor, summand = (part[group.slots] for part in _stretch(scaling, values.device))
            torch.mul(bands, factor, out=some).add_(summand).clamp_(-2, 3)
        elif group.kind == "raw":
            torch.clamp(bands, 0, 1.5, out=some)
            some.sqrt_().mul_(2).sub_(0.6)  # the root spreads the dark end, where water is told from shade
        elif group.kind == "raw dB":
            for plane, slot in enumerate(scaling.slots[group.slots]):
                torch.sub(bands[:, plane], SAR_CENTRE_DB[slot], out=some[:, plane])
            some.div_(SAR_SPREAD_DB).clamp_(-3, 3)
        elif group.kind == "available":
            some.fill_(1.0) if everywhere else some.copy_(valid.expand_as(some))
        elif group.kind == "vv_minus_vh":
            vv, vh = (values[:, scaling.slots.index(slot)] for slot in ("vv", "vh"))
            torch.sub(vv, vh, out=some[:, 0])
            some.sub_(7).div_(5).clamp_(-3, 3)
        else:
            if reflectance is None:
                reflectance = values.clamp(min=0).add_(_RATIO_FLOOR)
            pair = COLOURS.get(group.kind) or RATIOS[group.kind]
            first, second = (reflectance[:, scaling.slots.index(slot)] for slot in pair)
            torch.sub(first, second, out=some[:, 0])
            some[:, 0].div_(first + second)
            if group.kind in COLOURS:
                some.mul_(3)  # plants and soil differ by a tenth or two
    if not everywhere:
        planes.masked_fill_(~valid, 0.0)


def reflectance_of(plane: torch.Tensor) -> torch.Tensor:
    """Reflectance, 0 and above, back from a physical plane, which holds 2 sqrt(r) - 0.6."""
    return ((plane + 0.6) / 2).clamp_min(0) ** 2
