"""Batches of chips by number: from simulated scenes, from labelled scenes on disk, and from both together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from .planes import PLANES, SceneScaling, build_planes, planes_for
from .prefetch import Source
from .protocol import BadInput
from .reporting import Report
from .samples import UNKNOWN, LabelledData, LabelledScene
from .simulate import HAZARDS as SIMULATED_HAZARDS
from .simulate import SimulatedScene, draw_scene
from .simulate.chips import CHIP_SIZE_PX, Batch, cut_chips, join, measure_scaling, stretch_to_bytes, turned
from .simulate.fields import Draw
from .turns import PREPARING, SEED_STRIDE, Turns, read_held_out

ANY = "any"
"""The hazard that answers for hazards that were never trained."""

SCENE_SIZE_PX = 256
SCENES_IN_BATCH = 8
LANES = 8
"""Batches take turns among this many sets of scenes, so that processes need not all make all scenes."""
SCENES_IN_LANE = 20
TURNS_OF_SCENE = 2
"""Turns after which a lane forgets its oldest scene for a new one: making scenes is half of the work."""
WHOLE_SCENES_EVERY = 3
"""Every so many turns the chips of a batch are whole scenes."""
BEST_OF_TOWNS = 3

VALIDATION_SEED = 900_000_001
VALIDATION_CHIPS = 256
"""Chips of labelled scenes on which a run is validated, at most."""
CHIPS_OF_SIMULATED_SCENE = 2

BEST_OF_CORNERS = 4
"""Half of the chips of a large scene are the one of so many that shows most of the hazard."""
SMALLEST_SIDE_PX = 32


@dataclass
class SimulatedSource:
    """Chips of simulated scenes; every second step renews one scene, and chips of a scene are cut again and again.

    Attributes:
        seed: same seed, same batches.
        batch_size: chips a step.
        hazards: order of the network's logits.
        trained: those to be taught; labels of others are not judged.
        leave_out: hazard of which no scene is drawn; *any* is not taught on what looks like it.
        all_bands: sensors keep all of their bands.
        whole_scenes: some batches are of whole scenes, larger than chips, which cannot be joined with other chips.
        favour_built: choose the scene with the most artificial ground of a few; most scenes hardly have any.
    """

    seed: int
    batch_size: int
    hazards: tuple[str, ...]
    trained: tuple[str, ...]
    leave_out: str | None = None
    all_bands: bool = False
    whole_scenes: bool = True
    favour_built: bool = False
    _kept: dict[int, SimulatedScene] = field(default_factory=dict, repr=False)

    @property
    def fewest_chips(self) -> int:
        """Chips of the smallest batch."""
        return self._of_whole_scenes() if self.whole_scenes else self.batch_size

    def _of_whole_scenes(self) -> int:
        return max(2, self.batch_size * CHIP_SIZE_PX**2 // SCENE_SIZE_PX**2)

    def batch(self, step: int) -> Batch:
        """Chips of one step."""
        turn, lane = divmod(step, LANES)
        first = turn // TURNS_OF_SCENE
        draw = Draw((self.seed * SEED_STRIDE + step) * 2 + 1, 8)
        oldest = LANES * first + lane
        self._kept = {n: scene for n, scene in self._kept.items() if n % LANES != lane or n >= oldest}
        count, size_px = self.batch_size, CHIP_SIZE_PX
        if self.whole_scenes and turn % WHOLE_SCENES_EVERY == 0:
            # As many pixels, of few scenes as a whole: forms and what surrounds them.
            count, size_px = self._of_whole_scenes(), SCENE_SIZE_PX
        counts = [count // SCENES_IN_BATCH + (i < count % SCENES_IN_BATCH) for i in range(SCENES_IN_BATCH)]
        parts = [
            cut_chips(self._choose(first, lane, draw), draw, each, size_px, self.all_bands) for each in counts if each
        ]
        return self.as_taught(join(parts))

    def _choose(self, first: int, lane: int, draw: Draw) -> SimulatedScene:
        """One of the scenes of a lane that are kept from ``first`` on."""
        drawn = [
            self._scene(lane + LANES * (first + draw.whole(SCENES_IN_LANE)))
            for _ in range(BEST_OF_TOWNS if self.favour_built else 1)
        ]
        return max(drawn, key=lambda scene: int(scene.surface.sum()))

    def _scene(self, number: int) -> SimulatedScene:
        if number not in self._kept:
            seed = (self.seed * SEED_STRIDE + number) * 2
            self._kept[number] = draw_scene(seed, SCENE_SIZE_PX, without=self.leave_out)
        return self._kept[number]

    def validation(self, scenes: int, report: Report) -> list[Batch]:
        """Batches of held-out scenes, whose seeds lie apart from those of training."""
        parts = []
        for number in range(scenes):
            report.progress(number / scenes, *PREPARING)
            scene = draw_scene(VALIDATION_SEED + number, SCENE_SIZE_PX, without=self.leave_out)
            draw = Draw(VALIDATION_SEED - 1 - number, 8)
            chips = cut_chips(scene, draw, CHIPS_OF_SIMULATED_SCENE, CHIP_SIZE_PX, self.all_bands)
            parts.append(self.as_taught(chips))
        return [join(parts[start : start + 8]) for start in range(0, scenes, 8)]

    def as_taught(self, batch: Batch) -> Batch:
        """Labels in the order of the network's logits, planes in half precision to travel between processes."""
        labels = labels_as_taught(batch.labels, self.hazards, self.trained, self.leave_out)
        return replace(batch, labels=labels, planes=batch.planes.half())


def labels_as_taught(
    simulated: Tensor, hazards: Sequence[str], trained: Sequence[str], leave_out: str | None = None
) -> Tensor:
    """(n, hazards, h, w) uint8 labels in the order of a network's logits.

    Args:
        simulated: (n, ``simulate.HAZARDS``, h, w) labels of simulated chips.
        hazards: order of the logits.
        trained: those to be taught; labels of others are not judged.
        leave_out: hazard that is not to be seen; *any* is not taught on what looks like it alone.
    """
    count, _, height, width = simulated.shape
    labels = torch.full((count, len(hazards), height, width), UNKNOWN, dtype=torch.uint8)
    known = [name for name in SIMULATED_HAZARDS if name not in (ANY, leave_out)]
    for index, name in enumerate(hazards):
        if name in trained and name in SIMULATED_HAZARDS and name != leave_out:
            labels[:, index] = simulated[:, SIMULATED_HAZARDS.index(name)]
        if name == ANY and name in trained and leave_out is not None:
            # What only the hazard left out makes positive is not to be judged: neither taught nor unlearned.
            shown = torch.stack([simulated[:, SIMULATED_HAZARDS.index(one)] == 1 for one in known]).any(0)
            labels[:, index].masked_fill_((labels[:, index] == 1) & ~shown, UNKNOWN)
    return labels


@dataclass
class LabelledSource:
    """Chips of labelled scenes on disk, each scene once an epoch, in an order of its own each time.

    Attributes:
        data: where scenes are read from.
        numbers: those to train on.
        seed: same seed, same batches.
        batch_size: chips a step.
        hazards: order of the network's logits; labels of those that the data do not speak of are not judged.
        all_bands: scenes keep all of their bands.
        teach_any: whether *any* is taught; see ``stack_labels``.
        unread: why scenes that were to validate could not be read.
    """

    data: LabelledData
    numbers: Sequence[int]
    seed: int
    batch_size: int
    hazards: tuple[str, ...]
    all_bands: bool = False
    teach_any: bool = True
    unread: list[str] = field(default_factory=list)
    _turns: Turns = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Settle the order."""
        self._turns = Turns(self.numbers, self.seed)

    @property
    def fewest_chips(self) -> int:
        """Chips of the smallest batch."""
        return self.batch_size

    def batch(self, step: int) -> Batch:
        """Chips of one step; raises BadInput if scene after scene cannot be read."""
        draw = Draw((self.seed * SEED_STRIDE + step) * 2 + 1, 8)
        first = step * self.batch_size
        return join([self._chip(first + index, draw) for index in range(self.batch_size)])

    def _chip(self, position: int, draw: Draw) -> Batch:
        scene, skipped = self._turns.read(position, self._read, draw)
        return replace(self.cut(scene, draw, augment=True), skipped=skipped)

    def _read(self, number: int) -> LabelledScene:
        scene = self.data.read(number)
        require_large_enough(scene)
        return scene

    def validation(self, numbers: Sequence[int], report: Report) -> list[Batch]:
        """Batches of scenes that are not trained on, as they are: all bands, own scale; unreadable ones are left out.

        Large scenes give several chips each, ``VALIDATION_CHIPS`` in all at most.
        """
        draw = Draw(VALIDATION_SEED + self.seed, 8)
        parts: list[Batch] = []
        for scene, most in read_held_out(numbers, self._read, draw, VALIDATION_CHIPS, self.unread, report):
            chips = -(-scene.values.shape[-2] // CHIP_SIZE_PX) * -(-scene.values.shape[-1] // CHIP_SIZE_PX)
            parts += [self.cut(scene, draw, augment=False) for _ in range(min(most, chips))]
        return [join(parts[start : start + 8]) for start in range(0, len(parts), 8)]

    def cut(self, scene: LabelledScene, draw: Draw, augment: bool) -> Batch:
        """One chip of a scene; with ``augment`` through some of its bands, scaled, turned, stretched for display."""
        slots = scene.slots
        if augment and not self.all_bands:
            slots = draw_slots(draw, slots)
        values = scene.values[[scene.slots.index(slot) for slot in slots]].float()
        values = torch.where(scene.valid, torch.nan_to_num(values), 0.0)
        labels = torch.cat([stack_labels(scene, self.hazards, self.teach_any), _surface(scene)[None]])
        factor = draw_scale(draw, min(values.shape[-2:])) if augment else 1.0
        rows, columns = draw_window(draw, labels[:-1], round(CHIP_SIZE_PX / factor), augment)
        chip, seen = resized(values[:, rows, columns], scene.valid[:, rows, columns], factor)
        labels = resized_labels(labels[:, rows, columns], (chip.shape[-2], chip.shape[-1]))
        absolute = scene.absolute
        whole, known = values, scene.valid
        stretched = augment and draw.chance(0.4 if set(slots) == {"blue", "green", "red"} else 0.12)
        if stretched:
            chip, whole = stretch_to_bytes(draw, chip, whole, known)
            absolute = False
        if scene.scene_range is not None and not stretched:
            low, high = (tuple(side[scene.slots.index(slot)] for slot in slots) for side in scene.scene_range)
            scaling = SceneScaling(slots, low, high, (absolute,) * len(slots))
        else:
            scaling = measure_scaling(whole, known, slots, absolute)
        chip, seen = padded(chip, CHIP_SIZE_PX, 0), padded(seen, CHIP_SIZE_PX, 0)
        labels = padded(labels, CHIP_SIZE_PX, UNKNOWN)
        planes = torch.zeros((1, len(PLANES), CHIP_SIZE_PX, CHIP_SIZE_PX))
        planes[:, planes_for(scaling)] = build_planes(chip[None], seen[None], scaling)
        labels = labels.masked_fill(~seen, UNKNOWN)[None]
        if augment:
            turns, flip = draw.whole(4), draw.chance(0.5)
            planes, labels = turned(planes, turns, flip), turned(labels, turns, flip)
        target, told = scene.characteristics.seen_through(slots).encode()
        patch = UNKNOWN if scene.artificial is None or scene.surface is not None else int(scene.artificial)
        return Batch(
            planes.half(),
            labels[:, :-1],
            labels[:, -1],
            target[None],
            told[None],
            torch.tensor([patch], dtype=torch.uint8),
        )


@dataclass
class MixedSource:
    """Chips of two sources in each batch."""

    first: Source
    second: Source

    def batch(self, step: int) -> Batch:
        """Chips of one step."""
        return join([self.first.batch(step), self.second.batch(step)])


def require_large_enough(scene: LabelledScene) -> None:
    """Raise BadInput for a scene too small to learn from."""
    height, width = scene.values.shape[-2:]
    if min(height, width) < SMALLEST_SIDE_PX:
        raise BadInput(
            f"'{scene.name}' has {width} x {height} pixels, at least {SMALLEST_SIDE_PX} x {SMALLEST_SIDE_PX} expected; "
            "cut larger chips."
        )


def draw_slots(draw: Draw, slots: tuple[str, ...]) -> tuple[str, ...]:
    """All bands half of the time, else a number of them first and then which: dropping each would favour the middle."""
    if draw.chance(0.5):
        return slots
    number = 1 + draw.whole(len(slots))
    chosen = torch.randperm(len(slots), generator=draw.generator)[:number]
    return tuple(slots[index] for index in sorted(chosen.tolist()))


def stack_labels(scene: LabelledScene, hazards: Sequence[str], teach_any: bool) -> Tensor:
    """(hazards, h, w) uint8 labels in this order, 255 for hazards that the scene does not speak of.

    *Any* is positive where one hazard is, and negative where each of ``hazards`` is known to be absent: what was
    mapped for one hazard alone may hold others. Without ``teach_any`` it is not judged.
    """
    size = scene.values.shape[-2:]
    unknown = torch.full(size, UNKNOWN, dtype=torch.uint8)
    stacked = {name: scene.labels.get(name, unknown) for name in hazards}
    if ANY in hazards:
        each = torch.stack([labels for name, labels in stacked.items() if name != ANY] or [unknown])
        union = torch.where((each == 1).any(0), 1, torch.where((each == 0).all(0), 0, UNKNOWN)).to(torch.uint8)
        stacked[ANY] = union if teach_any else unknown
    return torch.stack([stacked[name] for name in hazards]) if hazards else unknown.new_empty((0, *size))


def _surface(scene: LabelledScene) -> Tensor:
    if scene.surface is not None:
        return scene.surface
    return torch.full(scene.values.shape[-2:], UNKNOWN, dtype=torch.uint8)


def draw_scale(draw: Draw, side_px: int) -> float:
    """How much larger a chip's ground is to look: half of the time as it is, else 0.5 to 2 where the scene reaches."""
    if draw.chance(0.5):
        return 1.0
    return draw.log_uniform(min(1.0, max(0.5, CHIP_SIZE_PX / side_px)), 2.0)


def draw_window(draw: Draw, labels: Tensor, side_px: int, prefer: bool) -> tuple[slice, slice]:
    """Rows and columns of a chip of a (hazards, h, w) scene, at most ``side_px`` wide."""
    height, width = labels.shape[-2:]
    tall, wide = min(side_px, height), min(side_px, width)
    tries = BEST_OF_CORNERS if prefer and (height > tall or width > wide) and draw.chance(0.5) else 1
    corners = [(draw.whole(height - tall + 1), draw.whole(width - wide + 1)) for _ in range(tries)]
    windows = [(slice(top, top + tall), slice(left, left + wide)) for top, left in corners]
    return max(windows, key=lambda window: int((labels[:, window[0], window[1]] == 1).sum()))


def resized(values: Tensor, valid: Tensor, factor: float) -> tuple[Tensor, Tensor]:
    """Values (slots, h, w) averaged or interpolated by a factor; a pixel that touches an invalid one is invalid."""
    if factor == 1.0:
        return values, valid
    size = [min(CHIP_SIZE_PX, max(1, round(side * factor))) for side in values.shape[-2:]]
    both = torch.cat([values, valid.float()])[None]
    both = F.interpolate(both, size, mode="bilinear", antialias=True)[0]
    return both[:-1], both[-1:] > 0.999


def resized_labels(labels: Tensor, size: tuple[int, int]) -> Tensor:
    """(hazards, h, w) uint8 labels at another size, each pixel's the nearest."""
    if labels.shape[-2:] == size:
        return labels
    return F.interpolate(labels[None].float(), size, mode="nearest-exact")[0].to(torch.uint8)


def padded(part: Tensor, size_px: int, empty: int) -> Tensor:
    """(..., h, w) filled up to (..., size_px, size_px)."""
    height, width = part.shape[-2:]
    if (height, width) == (size_px, size_px):
        return part
    filled = part.new_full((*part.shape[:-2], size_px, size_px), empty)
    filled[..., :height, :width] = part
    return filled
