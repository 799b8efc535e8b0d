"""Labelled windows of scenes to adapt to: simulated ones under shifts that training does not draw, and real ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .adaptation.views import Views
from .cards import ModelCard
from .characteristics import find_characteristics
from .planes import build_planes
from .preparing import prepare_scene
from .protocol import HAZARDS, OPTICAL_SLOTS, SAR_SLOTS
from .raster import CodeRaster, Scene, Window
from .reporting import Report
from .samples import Characteristics
from .score_sets import RealScene
from .simulate import HAZARDS as LABELS
from .simulate import compose_scene, seen_labels
from .simulate.chips import measure_scaling, stretch_to_bytes
from .simulate.fields import Draw, blur
from .simulate.scene import GSD_M, SimulatedScene, describe, look, strike
from .visible import look_at

SHIFTS = {
    "none": "other scenes",
    "gain": "sensor gain",
    "haze": "haze",
    "noise": "noise",
    "blur": "blur",
    "season": "low winter sun",
    "terrain": "steep mountains",
}
"""Shifts by name, and what they are called. *none* draws as training does, from seeds that it does not use."""
WINTER_SUN = (math.radians(5), math.radians(12))
"""Heights of the sun; training draws none below 14 degrees."""
STEEP = (0.9, 1.5)
"""Mean slopes (metres per metre) of mountains; training draws none above 0.75, and no flood in mountains."""
BANDS = {
    "six": OPTICAL_SLOTS[1:],
    "rgbn": OPTICAL_SLOTS[1:5],
    "rgb8": OPTICAL_SLOTS[1:4],
    "sar": SAR_SLOTS,
}
SHIFTED_SEED = 7_500_000_000_001
"""Apart from the seeds of training, of validation, of the other test scenes, and of those adapting was made with."""
SCENE_SIZE_PX = 512
"""A scene is seen as four windows of half its side."""
KINDS = (*HAZARDS, "none")
NOT_JUDGED = 255


@dataclass
class LabelledViews:
    """Windows of a scene and their labels.

    Attributes:
        name: what it is.
        hazard: that it is asked for.
        views: the windows.
        labels: (n, h, w) uint8: 1 hazard, 0 none, 255 not judged.
        known: the scene's characteristics as far as they are known.
    """

    name: str
    hazard: str
    views: Views
    labels: Tensor
    known: Characteristics


@dataclass(frozen=True)
class ShiftedSet:
    """Simulated scenes of one shift that are asked for one hazard.

    Attributes:
        name: of the set of scores.
        hazard: asked for.
        holds_hazard: False where every find is a false alarm.
        shift: one of SHIFTS.
        scenes: numbers of the scenes, from 0.
        first_seed: seed of scene 0.
    """

    name: str
    hazard: str
    holds_hazard: bool
    shift: str
    scenes: tuple[int, ...]
    first_seed: int = SHIFTED_SEED

    def draw(self, number: int) -> LabelledViews:
        """The windows of one of the scenes."""
        return simulated_views(number, self.shift, self.first_seed)


def shifted_sets(count: int, shifts: Sequence[str] = tuple(SHIFTS), first_seed: int = SHIFTED_SEED) -> list[ShiftedSet]:
    """``count`` scenes of each shift, a quarter each with every hazard and with none, as sets of one hazard."""
    grouped: dict[tuple[str, str, bool], list[int]] = {}
    for shift in shifts:
        for number in range(count):
            shown, asked = shown_and_asked(number)
            grouped.setdefault((shift, asked, shown != "none"), []).append(number)
    return [
        ShiftedSet(shifted_name(shift, holds), asked, holds, shift, tuple(numbers), first_seed)
        for (shift, asked, holds), numbers in grouped.items()
    ]


def shifted_name(shift: str, holds_hazard: bool) -> str:
    """Name of the set of a shift."""
    return f"simulated shift: {SHIFTS[shift]}" + ("" if holds_hazard else " (no hazard)")


def simulated_views(number: int, shift: str, first_seed: int = SHIFTED_SEED) -> LabelledViews:
    """Scene ``number`` under a shift; hazards and bands take turns."""
    shown, asked = shown_and_asked(number)
    third = "rgbn" if shift == "season" else "sar"  # a radar needs no sun
    kinds = ("six", "rgbn", third) if asked == "flood" else ("six", "rgb8", "rgbn")
    kind = kinds[(number + len(shift)) % len(kinds)]
    seed, size, half = first_seed + number, SCENE_SIZE_PX, SCENE_SIZE_PX // 2
    scene = unfamiliar(seed, size, shown, shift) if shift in ("season", "terrain") else compose_scene(seed, size, shown)
    slots = BANDS[kind]
    values = shifted(scene.values[[scene.slots.index(slot) for slot in slots]], slots, shift, seed)
    if kind == "rgb8":
        values, _ = stretch_to_bytes(Draw(seed, size), values, values, torch.ones((1, size, size), dtype=torch.bool))
    scaling = measure_scaling(values, torch.ones((1, size, size), dtype=torch.bool), slots, absolute=kind != "rgb8")
    labels = seen_labels(scene, slots)[LABELS.index(asked)]
    places = [(top, left) for top in (0, half) for left in (0, half)]
    windows = torch.stack([values[:, top : top + half, left : left + half] for top, left in places])
    truth = torch.stack([labels[top : top + half, left : left + half] for top, left in places])
    valid = torch.ones((len(places), half, half), dtype=torch.bool)
    known = scene.setting.characteristics("sentinel-1" if kind == "sar" else scene.setting.sensor)
    views = Views(build_planes(windows, valid[:, None], scaling), valid, scaling, len(places))
    return LabelledViews(f"sim {shown} {kind} {shift}", asked, views, truth, known)


def unfamiliar(seed: int, size_px: int, shown: str, shift: str) -> SimulatedScene:
    """A scene under a lower sun (*season*), or in steeper mountains (*terrain*), than training draws.

    The hazard lies where it would lie on gentler slopes, and plants are as on any day that training draws.
    """
    draw, beyond = Draw(seed, size_px), Draw(seed + 77, size_px)
    struck = strike(draw, shown, draw.log_uniform(*GSD_M), country="mountains" if shift == "terrain" else None)
    land = struck.land
    if shift == "season":
        land.setting = replace(land.setting, sun_elevation=beyond.uniform(*WINTER_SUN))
    else:
        steeper = beyond.uniform(*STEEP) / float(land.steepness.mean())
        land.elevation, land.across, land.down = (steeper * part for part in (land.elevation, land.across, land.down))
    return describe(struck, *look(land, draw, shown, optical=True, radar=True), shown)


def shifted(values: Tensor, slots: tuple[str, ...], shift: str, seed: int) -> Tensor:
    """Values (slots, h, w), reflectance or dB, under a shift beyond what training draws."""
    draw = Draw(seed + 77, values.shape[-1])
    optical = torch.tensor([slot in OPTICAL_SLOTS for slot in slots]).view(-1, 1, 1)
    if shift == "gain":
        factor = torch.exp(0.25 * draw.normals(len(slots))).view(-1, 1, 1)
        return torch.where(optical, values * factor, values + 2.5 * draw.normals(len(slots)).view(-1, 1, 1))
    if shift == "haze":
        veil = draw.uniform(0.08, 0.25)
        return torch.where(optical, values * (1 - veil) + 0.45 * veil, values + 1.5)
    if shift == "noise":
        return values + torch.where(optical, 0.02, 2.0) * draw.white(len(slots))
    if shift == "blur":
        return blur(values, 1.8)
    return values


def real_views(name: str, hazard: str, real: RealScene, card: ModelCard, report: Report) -> LabelledViews | None:
    """Windows of a whole real scene and their labels; None where the model sees another grid or only a part.

    Raises:
        BadInput: when the scene or its reference cannot be read.
        Cancelled: when the report says so.
    """
    with Scene(real.job) as scene:
        understanding = scene.understand()
        whole = Window(0, 0, scene.width, scene.height)
        prepared = prepare_scene(scene, understanding, whole, card, lambda text: None)
        if not prepared.grid.exact or real.job.extent is not None:
            return None
        visible = look_at(scene, prepared, whole, None, card.window_multiple, report)
        known = find_characteristics(scene, understanding, real.job).characteristics
    views = visible.views
    if views is None:
        return None
    height, width = views.planes.shape[-2:]
    labels = torch.zeros((len(views), height, width), dtype=torch.uint8)
    if real.reference is not None:
        with CodeRaster(real.reference) as reference:
            codes = reference.read_rows(0, reference.height)
        truth = np.where(np.isin(codes, real.ignore), NOT_JUDGED, np.isin(codes, real.positive)).astype(np.uint8)
        beyond = np.pad(truth, ((0, height), (0, width)), constant_values=NOT_JUDGED)
        cut = [beyond[top : top + height, left : left + width] for left, top in visible.places]
        labels = torch.from_numpy(np.stack(cut))
    return LabelledViews(name, hazard, views, labels, known)


def spread(scenes: Sequence[RealScene], most: int) -> list[RealScene]:
    """At most ``most`` scenes, spread evenly over all."""
    if len(scenes) <= most:
        return list(scenes)
    return [scenes[round((index + 0.5) * len(scenes) / most - 0.5)] for index in range(most)]


def shown_and_asked(number: int) -> tuple[str, str]:
    """The hazard that scene ``number`` shows, or none, and that which it is asked for."""
    shown = KINDS[number % len(KINDS)]
    return shown, shown if shown != "none" else HAZARDS[(number // len(KINDS)) % len(HAZARDS)]
