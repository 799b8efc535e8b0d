"""Ground that did not change between two dates: where a model saw nothing before, nothing can be new.

Bovolo and Bruzzone 2007 (doi 10.1109/TGRS.2006.885408), section II, tell changed from unchanged pixels by the length of
the vector of differences; what is unchanged then serves as labels that nobody had to draw. Here it is the change of
indices, and of brightness as a ratio: lengths in units of what ordinarily changes took half of a large flood for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..adaptation.views import scores_of
from ..planes import SceneScaling
from ..protocol import OPTICAL_SLOTS
from .matching import PairMatch
from .planes import CHANGE_PLANES, INDEX_SCALE, LOG_RATIO_SCALE, MAGNITUDE_SCALE

CALM_INDEX, CALM_RATIO = 0.1, 0.2
"""Change of any index, and mean absolute logarithm of the ratio of the bands, up to which ground is unchanged;
set on simulated pairs (``tests/benchmarks/adaptation_before.py`` says how much ground is, and what of it is hazard)."""
GREAT_INDEX, GREAT_RATIO = 0.2, 0.4
"""From one of these on it changed."""
CALM_RADAR = 0.75
"""Root mean square of the differences in radar, in spreads of what ordinarily changes, up to which it is unchanged."""
GREAT_RADAR = 2.0
_AROUND_PX = 3


@dataclass(frozen=True)
class EarlierWindows:
    """The earlier date under the windows of a scene.

    Attributes:
        planes: (n, planes, h, w) as ``planes.build_planes`` gives them for the earlier scene.
        scaling: of the earlier scene.
        unchanged: (n, h, w) bool, valid on both dates and much the same on both; nowhere without a common band.
        changed: (n, h, w) bool, valid on both dates and quite another on the later one.
    """

    planes: Tensor
    scaling: SceneScaling
    unchanged: Tensor
    changed: Tensor


def compare_ground(change: Tensor, both: Tensor, match: PairMatch) -> tuple[Tensor, Tensor]:
    """Two (n, h, w) bool: pixels that are much the same on both dates, and pixels that are quite another.

    Args:
        change: (n, CHANGE_PLANES, h, w) of ``planes.build_change_planes``.
        both: (n, h, w) bool, valid on both dates.
        match: of the scenes; without a common band nothing is known of any pixel.
    """
    optical = [f"log_ratio_{slot}" for slot in match.slots if slot in OPTICAL_SLOTS]
    if optical:
        ratio = _smooth(_planes(change, optical).abs().mean(1) * LOG_RATIO_SCALE)
        indices = [f"change_{name}" for name in match.shifts if f"change_{name}" in CHANGE_PLANES]
        index = _smooth(_planes(change, indices).abs().amax(1) / INDEX_SCALE) if indices else torch.zeros_like(ratio)
        calm = (ratio <= CALM_RATIO) & (index <= CALM_INDEX)
        great = (ratio >= GREAT_RATIO) | (index >= GREAT_INDEX)
    elif match.slots:
        around = _smooth(_planes(change, ["magnitude"])[:, 0] * MAGNITUDE_SCALE)
        calm, great = around <= CALM_RADAR, around >= GREAT_RADAR
    else:
        calm = great = torch.zeros_like(both)
    return both & calm, both & great


def _planes(change: Tensor, names: Sequence[str]) -> Tensor:
    return change[:, [CHANGE_PLANES.index(name) for name in names]]


def _smooth(field: Tensor) -> Tensor:
    return F.avg_pool2d(field[:, None], _AROUND_PX, 1, _AROUND_PX // 2, count_include_pad=False)[:, 0]


def calm_and_changed(
    network: nn.Module, earlier: EarlierWindows, channel: int, factors: Sequence[int], multiple: int, centre: float
) -> tuple[Tensor, Tensor]:
    """Two (n, h, w) bool: unchanged and changed ground, below the decision threshold on the earlier date.

    Args:
        network: in eval mode, restricted to the planes of the earlier scene, on the device of its planes.
        earlier: that date.
        channel: of the hazard.
        factors: resolutions at which it is seen.
        multiple: sides of windows are multiples of this.
        centre: logit of the decision threshold.
    """
    with torch.inference_mode():
        was = scores_of(network, earlier.planes, channel, factors, multiple, centre)
    quiet = (was < 0.5).clone()
    return earlier.unchanged & quiet, earlier.changed & quiet
