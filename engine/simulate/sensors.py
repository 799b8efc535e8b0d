"""How optical sensors see a spectrum: the mean over each of their bands."""

from __future__ import annotations

import torch
from torch import Tensor

CENTRES_UM = (0.443, 0.482, 0.561, 0.655, 0.865, 1.609, 2.201)
"""Where the covers' reflectances are given: the band centres of Landsat 8 OLI."""

BANDS_UM = {
    "landsat-8": (
        (0.443, 0.016), (0.482, 0.060), (0.561, 0.057), (0.655, 0.037), (0.865, 0.028), (1.609, 0.085), (2.201, 0.187),
    ),
    "landsat-5": (
        (0.443, 0.020), (0.485, 0.066), (0.569, 0.081), (0.660, 0.067), (0.840, 0.128), (1.676, 0.217), (2.223, 0.252),
    ),
    "sentinel-2": (
        (0.443, 0.021), (0.492, 0.066), (0.560, 0.036), (0.665, 0.031), (0.833, 0.106), (1.614, 0.091), (2.202, 0.175),
    ),
    "planetscope": (
        (0.443, 0.020), (0.490, 0.050), (0.565, 0.036), (0.665, 0.030), (0.865, 0.040), (1.610, 0.090), (2.200, 0.180),
    ),
}  # fmt: skip
"""Centre and width of each slot's band, in micrometres (USGS, ESA and Planet product guides); what a sensor lacks is
taken from one that has it."""

_FAMILIES = {
    "landsat-9": "landsat-8",
    "landsat-7": "landsat-5",
    "sentinel-2-l1c": "sentinel-2",
    "sentinel-2-l2a": "sentinel-2",
}

_KNOTS_UM = (0.40, *CENTRES_UM[:4], 0.69, 0.755, CENTRES_UM[4], 1.10, CENTRES_UM[5], 1.76, CENTRES_UM[6], 2.40)
_KNOT_OF = (0, 0, 1, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6)
"""Between the given wavelengths spectra run straight, but for the red edge, which lies at 0.69 to 0.755 um."""

_SAMPLES = 9


def response(sensor: str) -> Tensor:
    """(7, 7): what each band of ``sensor`` takes of the reflectances at ``CENTRES_UM``; rows sum to 1."""
    knots = torch.tensor(_KNOTS_UM)
    weights = torch.zeros((7, 7))
    for band, (centre, width) in enumerate(BANDS_UM[_FAMILIES.get(sensor, sensor)]):
        for step in range(_SAMPLES):
            at = centre + width * ((step + 0.5) / _SAMPLES - 0.5)
            right = int(torch.bucketize(torch.tensor(at), knots).clamp(1, len(knots) - 1))
            share = float((at - knots[right - 1]) / (knots[right] - knots[right - 1]))
            weights[band, _KNOT_OF[right - 1]] += (1 - share) / _SAMPLES
            weights[band, _KNOT_OF[right]] += share / _SAMPLES
    return weights
