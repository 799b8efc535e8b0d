"""Held-out simulated scenes, the same ones seen through several sensors, for scoring a model in memory."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .devices import choose_device
from .metrics import Counts, count_pixels
from .model import Model
from .planes import SceneScaling
from .predict import Predictor
from .protocol import HAZARDS, OPTICAL_SLOTS, SAR_SLOTS, BadInput
from .reporting import Report
from .score_real import ARTIFICIAL_THRESHOLD, artificial_probability
from .score_sets import ARTIFICIAL
from .simulate import HAZARDS as LABELS
from .simulate import SimulatedScene, draw_scene, seen_labels

TEST_SEED = 7_000_000_000_001
"""Far above the seeds of training and validation: no model saw these scenes, no threshold was set on them."""

SCENE_SIZE_PX = 256
SCENES_OF_A_KIND = 12
"""Scenes of each hazard, and as many without any."""

KINDS = (*HAZARDS, "none")
IGNORED = 255
MOST_TRIES = 60  # of seeds for a scene of each kind: the rarest comes about every seventh time


@dataclass(frozen=True)
class View:
    """What a sensor shows of a scene.

    Attributes:
        name: of the set of scores.
        slots: bands, in canonical order.
        display: whether values are 8-bit display values, each band stretched from its 2 to its 98 % quantile.
        hazards: what can be told from it, ARTIFICIAL among it.
        under_plants: judge water under plants only, which a radar alone can see, against all ground without water.
    """

    name: str
    slots: tuple[str, ...]
    display: bool = False
    hazards: tuple[str, ...] = HAZARDS
    under_plants: bool = False


VIEWS = (
    View("simulated six bands", OPTICAL_SLOTS[1:], hazards=(*LABELS, ARTIFICIAL)),
    View("simulated RGB+NIR", OPTICAL_SLOTS[1:5]),
    View("simulated RGB 8-bit", OPTICAL_SLOTS[1:4], display=True),
    View("simulated VV+VH", SAR_SLOTS, hazards=("flood", "any")),
    View("simulated swir2/blue/coastal 8-bit", ("coastal", "blue", "swir2"), display=True),
    View("simulated VV+VH water under plants", SAR_SLOTS, hazards=("flood",), under_plants=True),
)


@dataclass
class SeenScene:
    """A simulated scene as a view shows it.

    Attributes:
        values: (slots, h, w) float32: reflectance, dB, or display values / 255.
        scaling: of the whole scene.
        truth: hazard, or ARTIFICIAL, to (h, w) uint8: 1 there, 0 not there, 255 not judged.
    """

    values: Tensor
    scaling: SceneScaling
    truth: dict[str, npt.NDArray[np.uint8]]


def draw_test_scenes(report: Report, of_a_kind: int = SCENES_OF_A_KIND) -> list[SimulatedScene]:
    """The test scenes: the first ``of_a_kind`` of each hazard and of none by seed, the same at every call."""
    kept: dict[str, list[SimulatedScene]] = {kind: [] for kind in KINDS}
    total = of_a_kind * len(KINDS)
    for number in range(MOST_TRIES * of_a_kind):
        report.check()
        scene = draw_scene(TEST_SEED + number, SCENE_SIZE_PX)
        if len(kept.get(scene.hazard, [])) < of_a_kind:
            kept.setdefault(scene.hazard, []).append(scene)
        if sum(len(scenes) for scenes in kept.values()) >= total:
            break
    return [scene for scenes in kept.values() for scene in scenes]


def see(scene: SimulatedScene, view: View) -> SeenScene:
    """A scene through a view; what the view cannot show is not judged."""
    values = scene.values[[scene.slots.index(slot) for slot in view.slots]]
    low, high = _quantiles(values)
    if view.display:
        spread = (high - low).clamp_min(1e-4)
        values = ((values - low[:, None, None]) / spread[:, None, None]).clamp(0, 1).mul(255).round() / 255
        low, high = _quantiles(values)
    scaling = SceneScaling(view.slots, tuple(low.tolist()), tuple(high.tolist()), (not view.display,) * len(view.slots))
    return SeenScene(values.contiguous(), scaling, _truth(scene, view))


def count_view(
    model: Model, view: View, asked: Mapping[str, str], scenes: list[SimulatedScene], report: Report
) -> dict[str, tuple[Counts, float]]:
    """Pixels of all scenes under a view by what a model says and by the truth, and seconds, for each hazard.

    A hazard that the model cannot answer for from these bands is logged and left out.

    The network, the planes and the thresholds are those of ``segment``; a scene is one window.

    Args:
        model: loaded model.
        view: what it sees.
        asked: hazard, or ARTIFICIAL, to the head that answers for it: its own, or ``any``.
        scenes: of ``draw_test_scenes``.
        report: asked whether to stop.
    """
    totals = {hazard: Counts() for hazard in asked}
    seconds = dict.fromkeys(asked, 0.0)
    predictors: dict[str, Predictor] = {}
    left, device = dict(asked), choose_device("auto")
    for scene in scenes:
        seen = see(scene, view)
        valid = torch.ones(seen.values.shape[-2:], dtype=torch.bool)
        for hazard, head in list(left.items()):
            report.check()
            began = time.monotonic()
            try:
                if head != ARTIFICIAL and head not in predictors:  # which planes there are is the view's
                    predictors[head] = Predictor(model, head, seen.scaling, device, None, report.log)
                if head == ARTIFICIAL:
                    found = artificial_probability(model, seen.values, valid, seen.scaling) >= ARTIFICIAL_THRESHOLD
                else:
                    planes = predictors[head].planes(seen.values[None], valid[None, None])
                    threshold = model.card.threshold_for(head, seen.scaling.absolute)
                    found = predictors[head].predict([planes[0]])[0].numpy() >= threshold
            except BadInput as error:
                report.log(f"Note: '{view.name}' is not scored for {hazard}: {error}")
                del left[hazard]
                continue
            seconds[hazard] += time.monotonic() - began
            labels = seen.truth[hazard] if head == hazard else unseen_truth(seen.truth, hazard)
            totals[hazard] += count_pixels(found, labels == 1, labels != IGNORED)
    return {hazard: (totals[hazard], seconds[hazard]) for hazard in left}


def unseen_truth(truth: dict[str, npt.NDArray[np.uint8]], hazard: str) -> npt.NDArray[np.uint8]:
    """Labels of one hazard for the head that answers for any: the other hazards' pixels are left out (255)."""
    labels = truth[hazard].copy()
    for other in HAZARDS:
        if other != hazard:
            labels[(truth[other] != 0) & (labels != 1)] = IGNORED
    return labels


def _quantiles(values: Tensor) -> tuple[Tensor, Tensor]:
    low, high = torch.quantile(values.flatten(1), torch.tensor((0.02, 0.98)), dim=1)
    return low, high


def _truth(scene: SimulatedScene, view: View) -> dict[str, npt.NDArray[np.uint8]]:
    seen = seen_labels(scene, view.slots).numpy()
    truth = {name: seen[LABELS.index(name)] for name in LABELS}
    truth[ARTIFICIAL] = scene.surface.numpy()
    if view.under_plants:
        open_water = (truth["flood"] == 1) & ~scene.under_plants.numpy()
        truth["flood"] = np.where(open_water, np.uint8(IGNORED), truth["flood"])
    return truth
