"""Training chips from simulated scenes: bands and units as users have them, scene-wide scaling, planes and labels."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..planes import PLANES, SceneScaling, build_planes, planes_for
from ..protocol import OPTICAL_SLOTS, SAR_SLOTS, SLOTS
from .fields import Draw
from .scene import SimulatedScene, seen_labels

CHIP_SIZE_PX = 128

SUBSETS = {
    "blue,green,red,nir,swir1,swir2": 5.0,
    "coastal,blue,green,red,nir,swir1,swir2": 2.5,
    "blue,green,red": 3.5,
    "blue,green,red,nir": 3.0,
    "green,red,nir": 0.8,
    "blue,green,red,nir,swir1": 0.4,
    "red,nir,swir1": 0.4,
    "green,nir,swir1": 0.4,
    "coastal,blue,swir2": 1.0,
    "nir,swir1,swir2": 0.3,
    "green,swir1": 0.3,
    "any": 2.5,
}
RADAR_SUBSETS = {"vv,vh": 6.0, "vv": 1.3, "vh": 0.7}
BYTE_SHARE = {"blue,green,red": 0.75, "coastal,blue,swir2": 0.6, "green,red,nir": 0.4, "red,nir,swir1": 0.4}


@dataclass
class Batch:
    """Chips of several scenes, each with its own bands: all are given all planes, zero where a band is missing.

    ``planes`` (n, planes, h, w) float32 or float16; ``labels`` (n, hazards, h, w) and ``surface`` (n, h, w) uint8, 255
    not judged.
    Where known: ``characteristics`` and ``characteristics_known`` (n, samples.CHARACTERISTICS) float32, and
    ``artificial`` (n,) uint8, whether any of a chip is artificial where its pixels do not say it, 255 not known.
    ``skipped`` says why scenes that were to be among them are not.
    """

    planes: Tensor
    labels: Tensor
    surface: Tensor
    characteristics: Tensor | None = None
    characteristics_known: Tensor | None = None
    artificial: Tensor | None = None
    skipped: tuple[str, ...] = ()

    def to(self, device: torch.device) -> "Batch":
        """The same on another device, planes in float32."""
        moved: dict[str, Any] = {
            name: value.to(device, non_blocking=True) for name, value in vars(self).items() if isinstance(value, Tensor)
        }
        moved["planes"] = moved["planes"].float()
        return replace(self, **moved)


def join(parts: list[Batch]) -> Batch:
    """Batches one after the other; what only some of them know is not known of the others."""
    return Batch(
        torch.cat([part.planes for part in parts]),
        torch.cat([part.labels for part in parts]),
        torch.cat([part.surface for part in parts]),
        _join_known([part.characteristics for part in parts], parts, 0),
        _join_known([part.characteristics_known for part in parts], parts, 0),
        _join_known([part.artificial for part in parts], parts, 255),
        tuple(reason for part in parts for reason in part.skipped),
    )


def _join_known(fields: list[Tensor | None], parts: list[Batch], unknown: int) -> Tensor | None:
    known = next((field for field in fields if field is not None), None)
    if known is None:
        return None
    counts = [part.planes.shape[0] for part in parts]
    return torch.cat(
        [
            known.new_full((count, *known.shape[1:]), unknown) if field is None else field
            for field, count in zip(fields, counts, strict=True)
        ]
    )


def cut_chips(
    scene: SimulatedScene, draw: Draw, count: int, size_px: int = CHIP_SIZE_PX, all_bands: bool = False
) -> Batch:
    """Cut ``count`` chips out of a scene, seen through a random choice of bands, units and nodata.

    With ``all_bands`` sensors keep all of their bands: seven of reflectance, VV and VH, or both.
    """
    slots, as_bytes, as_raw = draw_bands(draw, kinds(scene), favoured(scene), all_bands)
    values = scene.values[[scene.slots.index(slot) for slot in slots]]
    values = values + 0.0
    size = values.shape[-1]
    valid = torch.ones((1, size, size), dtype=torch.bool)
    if draw.chance(0.12):  # an orbit's edge runs through the scene
        valid &= orbit_edge(draw, size)
    corners = [(draw.whole(size - size_px + 1), draw.whole(size - size_px + 1)) for _ in range(count)]
    if draw.chance(0.4):  # scenes no larger than a chip occur: their statistics are their own
        row, column = corners[0]
        corners = [corners[0]] * count
        statistics = window(values, row, column, size_px)
        known = window(valid, row, column, size_px)
    else:
        statistics, known = values, valid
    if as_bytes:
        values, statistics = stretch_to_bytes(draw, values, statistics, known)
    elif as_raw:
        factor = draw.log_uniform(0.01, 10_000)
        values, statistics = values * factor, statistics * factor
    scaling = measure_scaling(statistics, known, slots, absolute=not (as_bytes or as_raw))
    windows = torch.stack([window(values, *corner, size_px) for corner in corners])
    present = torch.stack([window(valid, *corner, size_px) for corner in corners])
    seen = seen_labels(scene, slots)
    labels = torch.stack([window(seen, *corner, size_px) for corner in corners])
    surface = torch.stack([window(scene.surface[None], *corner, size_px)[0] for corner in corners])
    planes = torch.zeros((count, len(PLANES), size_px, size_px))
    planes[:, planes_for(scaling)] = build_planes(windows, present, scaling)
    labels = labels.masked_fill(~present, 255)
    surface = surface.masked_fill(~present[:, 0], 255)
    for index in range(count):
        turns, flip = draw.whole(4), draw.chance(0.5)
        planes[index] = turned(planes[index], turns, flip)
        labels[index] = turned(labels[index], turns, flip)
        surface[index] = turned(surface[index], turns, flip)
    told, known_of = scene.setting.characteristics(_sensor(scene, slots, as_bytes)).encode()
    return Batch(planes, labels, surface, told.expand(count, -1), known_of.expand(count, -1))


def orbit_edge(draw: Draw, size: int) -> Tensor:
    """(1, size, size) bool: what lies within a swath whose edge crosses the scene."""
    turn = draw.uniform(0, 6.28)
    edge = torch.cos(torch.tensor(turn)) * _axis(size)[None, :] + torch.sin(torch.tensor(turn)) * _axis(size)[:, None]
    return edge[None] < draw.uniform(-0.2, 0.6) * size


def favoured(scene: SimulatedScene) -> dict[str, float]:
    """Composites in which scenes of a kind are shared."""
    if scene.country == "mountains":  # short-wave infrared and blue show ice
        return {"coastal,blue,swir2": 8.0, "blue,green,red": 8.0, "nir,swir1,swir2": 0.8, "blue,nir,swir1": 0.8}
    if scene.hazard == "landslide" or scene.country in ("hills", "gorge"):
        return {"blue,green,red": 11.0, "coastal,blue,swir2": 0.5}
    return {"coastal,blue,swir2": 1.0}


def _sensor(scene: SimulatedScene, slots: tuple[str, ...], as_bytes: bool) -> str:
    if not set(slots) & set(OPTICAL_SLOTS):
        return "sentinel-1"
    return "rgb" if as_bytes and slots == ("blue", "green", "red") else scene.setting.sensor


def kinds(scene: SimulatedScene) -> dict[str, float]:
    """How often a scene is seen by which kind of sensor; a radar hardly sees landslides and collapses."""
    if scene.hazard in ("landslide", "glacier_collapse"):
        return {"optical": 0.92, "radar": 0.03, "both": 0.05}
    return {"optical": 0.66, "radar": 0.27, "both": 0.07}


def draw_bands(
    draw: Draw, kinds: dict[str, float], favoured: dict[str, float], all_bands: bool = False
) -> tuple[tuple[str, ...], bool, bool]:
    """Slots of a scene as users have them, and whether they are display bytes or of unknown units."""
    kind = draw.pick(kinds)
    if kind == "radar":
        slots = SAR_SLOTS if all_bands else tuple(draw.pick(RADAR_SUBSETS).split(","))
        return slots, draw.chance(0.06), False
    name = draw.pick({**SUBSETS, **favoured})
    name = ",".join(OPTICAL_SLOTS) if all_bands else name
    if name == "any":  # the number first, then which: independent dropout would favour the middle
        number = 1 + draw.whole(len(OPTICAL_SLOTS))
        order = torch.randperm(len(OPTICAL_SLOTS), generator=draw.generator)[:number]
        slots = tuple(OPTICAL_SLOTS[index] for index in sorted(order.tolist()))
    else:
        slots = tuple(name.split(","))
    if kind == "both":
        return slots + SAR_SLOTS, False, draw.chance(0.1)
    as_bytes = draw.chance(BYTE_SHARE.get(name, 0.1))
    return slots, as_bytes, not as_bytes and draw.chance(0.08)


View = tuple[tuple[str, ...], bool, bool]
"""Slots, and whether they are display bytes or of unknown units."""


def bands_of_pair(
    draw: Draw, kinds: dict[str, float], favoured: dict[str, float], close: bool = False
) -> tuple[View, View]:
    """How the later and the earlier scene of a pair are seen: mostly alike, close dates nearly always."""
    later = draw_bands(draw, kinds, favoured)
    if draw.chance(0.97 if close else 0.75):
        return later, later
    solely = {"radar": 1.0} if not set(later[0]) & set(OPTICAL_SLOTS) else {"optical": 1.0}
    return later, draw_bands(draw, solely if draw.chance(0.9) else kinds, favoured)


def measure_scaling(values: Tensor, valid: Tensor, slots: tuple[str, ...], absolute: bool) -> SceneScaling:
    """Scaling of (slots, h, w) values from the valid pixels of a subsample."""
    stride = max(1, values.shape[-1] // 128)
    sample = values[:, ::stride, ::stride].reshape(len(slots), -1)
    sample = sample[:, valid[0, ::stride, ::stride].reshape(-1)]
    if sample.shape[1] == 0:
        sample = torch.zeros((len(slots), 1))
    low, high = torch.quantile(sample, torch.tensor((0.02, 0.98)), dim=1)
    order = tuple(slot for slot in SLOTS if slot in slots)
    if order != slots:
        raise ValueError(f"slots {slots} are not in canonical order")
    return SceneScaling(slots, tuple(low.tolist()), tuple(high.tolist()), (absolute,) * len(slots))


def stretch_to_bytes(draw: Draw, values: Tensor, statistics: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Values and statistics as 8-bit display values / 255: cut at quantiles or at fixed limits, with a gamma."""
    bands = values.shape[0]
    sample = statistics[:, ::2, ::2].reshape(bands, -1)
    keep = known[0, ::2, ::2].reshape(-1)
    sample = sample[:, keep] if bool(keep.any()) else sample
    cuts = torch.tensor((draw.uniform(0.0, 0.03), 1 - draw.log_uniform(0.0005, 0.03)))
    low, high = torch.quantile(sample, cuts, dim=1)
    style = draw.pick({"each band": 2, "all alike": 1, "from zero": 1, "fixed": 1.2})
    if style == "all alike":
        low, high = low.min().expand(bands), high.max().expand(bands)
    elif style == "from zero" and float(sample.min()) > -1:
        low = torch.zeros(bands)
        high = torch.full((bands,), draw.uniform(0.7, 1.3) * float(high.max()))
    elif style == "fixed" and float(sample.min()) > -1:  # limits that a reader chose for all scenes, as 0 to 0.3
        low = torch.full((bands,), draw.uniform(0.0, 0.02))
        high = torch.full((bands,), 1.0 if draw.chance(0.25) else draw.log_uniform(0.15, 1.0))
    if draw.chance(0.2):  # one band is cut far above its darkest values
        cut = draw.whole(bands)
        low = low.clone()
        low[cut] = low[cut] + draw.uniform(0.1, 0.5) * (high[cut] - low[cut])
    gamma = draw.uniform(0.6, 1.1)

    def stretched(field: Tensor) -> Tensor:
        unit = (field - low.view(-1, 1, 1)) / (high - low).clamp_min(1e-4).view(-1, 1, 1)
        return torch.round(unit.clamp(0, 1).pow(gamma) * 255) / 255

    return stretched(values), stretched(statistics)


def _axis(size: int) -> Tensor:
    return torch.arange(size, dtype=torch.float32) - size / 2


def window(fields: Tensor, row: int, column: int, size_px: int) -> Tensor:
    """A square part of (..., h, w) fields."""
    return fields[..., row : row + size_px, column : column + size_px]


def turned(fields: Tensor, turns: int, flip: bool) -> Tensor:
    """(..., h, w) fields after quarter turns and perhaps a flip."""
    fields = torch.rot90(fields, turns, dims=(-2, -1)).clone()
    return fields.flip(-1) if flip else fields
