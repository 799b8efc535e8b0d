"""Ground that snow or cloud hid on the earlier date: of it the two dates together say no more than the later one."""

from __future__ import annotations

import torch
from torch import Tensor

from ..planes import SceneScaling

VISIBLE = ("coastal", "blue", "green", "red")
INFRARED = ("swir2", "swir1")
LEAST_SNOW_INDEX = 0.4
"""Normalised difference of visible and shortwave infrared light from which bright ground is snow; after Hall et al.
1995 (doi 10.1016/0034-4257(95)00137-P)."""
SNOW_BRIGHTNESS, WHITE_BRIGHTNESS = 0.25, 0.4
"""Least reflectance, or share of the brightest, of snow that infrared tells, and of what is taken for snow or cloud
because it is bright and white."""
LEAST_WHITENESS = 0.75
"""Darkest over brightest visible band."""
_FLOOR = 0.004


def hidden_ground(values: Tensor, scaling: SceneScaling) -> Tensor:
    """Where a scene shows snow, and without shortwave infrared also cloud, instead of ground.

    Args:
        values: (n, slots, h, w) in canonical units.
        scaling: the scene's; display values count as shares of its brightest.

    Returns:
        (n, h, w) bool; nowhere without a visible band.
    """
    bands = {}
    for at, slot in enumerate(scaling.slots):
        brightest = 1.0 if scaling.absolute[at] else max(scaling.high[at], 1e-6)
        bands[slot] = values[:, at].clamp_min(0) / brightest
    visible = [bands[slot] for slot in VISIBLE if slot in bands]
    if not visible:
        return torch.zeros_like(values[:, 0], dtype=torch.bool)
    light = torch.stack(visible)
    darkest, brightest_band = light.amin(0), light.amax(0)
    infrared = next((bands[slot] for slot in INFRARED if slot in bands), None)
    if infrared is not None:
        mean = light.mean(0)
        index = (mean - infrared) / (mean + infrared + _FLOOR)
        return (darkest > SNOW_BRIGHTNESS) & (index > LEAST_SNOW_INDEX)
    return (darkest > WHITE_BRIGHTNESS) & (darkest > LEAST_WHITENESS * brightest_band)
