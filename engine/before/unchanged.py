"""Ground that did not change between two dates: where a model saw nothing before, nothing can be new.

Bovolo and Bruzzone 2007 (doi 10.1109/TGRS.2006.885408), section II, tell changed from unchanged pixels by the length of
the vector of differences, as here; what is unchanged then serves as labels that nobody had to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..adaptation.views import scores_of
from ..planes import SceneScaling
from .planes import CHANGE_PLANES

LARGEST_DIFFERENCE = 1.5
"""Root mean square over the common bands, in spreads of what ordinarily lies between the dates, up to which a pixel and
what surrounds it are unchanged."""
_PLANE_SCALE = 3.0


@dataclass(frozen=True)
class EarlierWindows:
    """The earlier date under the windows of a scene.

    Attributes:
        planes: (n, planes, h, w) as ``planes.build_planes`` gives them for the earlier scene.
        scaling: of the earlier scene.
        unchanged: (n, h, w) bool, valid on both dates and much the same on both; nowhere without a common band.
    """

    planes: Tensor
    scaling: SceneScaling
    unchanged: Tensor


def unchanged_pixels(change: Tensor, both: Tensor, common: Sequence[str]) -> Tensor:
    """(n, h, w) bool: pixels that are much the same on both dates.

    Args:
        change: (n, CHANGE_PLANES, h, w) of ``planes.build_change_planes``.
        both: (n, h, w) bool, valid on both dates.
        common: slots that both scenes have; without any nothing is known to be unchanged.
    """
    if not common:
        return torch.zeros_like(both)
    limit = LARGEST_DIFFERENCE / _PLANE_SCALE
    planes = (change[:, CHANGE_PLANES.index(name)] for name in ("magnitude", "surroundings"))
    own, around = planes
    return both & (own <= limit) & (around <= limit)


def calm_pixels(
    network: nn.Module, earlier: EarlierWindows, channel: int, factors: Sequence[int], multiple: int, centre: float
) -> Tensor:
    """(n, h, w) bool: unchanged, and on the earlier date below the decision threshold.

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
    return (earlier.unchanged & (was < 0.5)).clone()
