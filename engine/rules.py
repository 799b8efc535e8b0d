"""Training-free rules for water, landslides and built-up ground from a few bands: what a model must beat (numpy)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
Values = Mapping[str, Array]

OTSU_BINS = 256


@dataclass(frozen=True)
class Rule:
    """Calls hazard what lies above a limit of an index.

    Attributes:
        name: as shown beside the models.
        hazard: hazard that it answers for, or ``artificial``.
        slots: bands that it needs.
        index: slot values, arrays of one shape, to an index of that shape: larger is more likely the hazard.
        limit: of the index; None takes Otsu's threshold over all pixels that are judged together.
        physical: whether it needs reflectance or dB; a rule of colours also takes display values.
        source: where it was published.
    """

    name: str
    hazard: str
    slots: tuple[str, ...]
    index: Callable[[Values], Array]
    limit: float | None
    physical: bool
    source: str

    def answers(self, hazard: str, slots: Collection[str], physical: bool) -> bool:
        """Whether the rule speaks of this hazard and the scene has what it needs."""
        return hazard == self.hazard and set(self.slots) <= set(slots) and (physical or not self.physical)

    def threshold(self, index: Array) -> float:
        """The limit, or Otsu's threshold of all index values that are judged together."""
        return otsu_threshold(index) if self.limit is None else self.limit

    def predict(self, index: Array) -> npt.NDArray[np.bool_]:
        """Hazard or not, of the shape of ``index``; False where the index is not a number."""
        return np.asarray(index > self.threshold(index))


def normalised_difference(first: Array, second: Array) -> Array:
    """(first - second) / (first + second), each at least 0; 0 where both are."""
    first, second = np.maximum(first, 0), np.maximum(second, 0)
    total = first + second
    return np.asarray((first - second) / np.where(total > 0, total, 1))


def ndwi(values: Values) -> Array:
    """Normalised difference water index of green and near infrared (McFeeters 1996)."""
    return normalised_difference(values["green"], values["nir"])


def mndwi(values: Values) -> Array:
    """Modified normalised difference water index of green and short-wave infrared (Xu 2006)."""
    return normalised_difference(values["green"], values["swir1"])


def dark_vv(values: Values) -> Array:
    """How dark VV backscatter is: -dB."""
    return -values["vv"]


def dark_vh(values: Values) -> Array:
    """How dark VH backscatter is: -dB."""
    return -values["vh"]


def brightness_minus_greenness(values: Values) -> Array:
    """Mean of red, green and blue (0-1) minus excess green of the chromatic coordinates (Woebbecke et al. 1995)."""
    red, green, blue = (np.maximum(values[slot], 0) for slot in ("red", "green", "blue"))
    total = red + green + blue
    return np.asarray(total / 3 - (2 * green - red - blue) / np.where(total > 0, total, 1))


def ndbi(values: Values) -> Array:
    """Normalised difference built-up index of short-wave and near infrared (Zha et al. 2003)."""
    return normalised_difference(values["swir1"], values["nir"])


def red_minus_green(values: Values) -> Array:
    """Normalised difference of red and green: the green-red vegetation index (Tucker 1979) turned round, for soil."""
    return normalised_difference(values["red"], values["green"])


RULES = (
    Rule("MNDWI > 0", "flood", ("green", "swir1"), mndwi, 0.0, True, "Xu 2006"),
    Rule("NDWI > 0", "flood", ("green", "nir"), ndwi, 0.0, True, "McFeeters 1996"),
    Rule("VV < -17 dB", "flood", ("vv",), dark_vv, 17.0, True, "a common limit for Sentinel-1, see Twele et al. 2016"),
    Rule("VH < -24 dB", "flood", ("vh",), dark_vh, 24.0, True, "a common limit for Sentinel-1, see Twele et al. 2016"),
    Rule("VV, Otsu", "flood", ("vv",), dark_vv, None, True, "Otsu 1979"),
    Rule(
        "brightness - greenness, Otsu",
        "landslide",
        ("blue", "green", "red"),
        brightness_minus_greenness,
        None,
        False,
        "Woebbecke et al. 1995, Otsu 1979",
    ),
    Rule("green - red, Otsu", "landslide", ("green", "red"), red_minus_green, None, False, "Tucker 1979, Otsu 1979"),
    Rule("NDBI > 0", "artificial", ("nir", "swir1"), ndbi, 0.0, True, "Zha et al. 2003"),
)
"""All rules; those that split by Otsu always find something, also where there is nothing."""


def otsu_threshold(values: Array, bins: int = OTSU_BINS) -> float:
    """Threshold that best splits values of any shape in two by their histogram (Otsu 1979); NaN is left out.

    Where all values are equal, or there are none, nothing lies above the threshold.
    """
    finite = np.asarray(values)[np.isfinite(values)]
    if finite.size == 0:
        return float("inf")
    low, high = float(finite.min()), float(finite.max())
    if low == high:
        return high
    counts, edges = np.histogram(finite, bins=bins, range=(low, high))
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = finite.size - below
    sums = np.cumsum(counts * centres)
    between = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / np.maximum(above, 1)) ** 2
    best = np.flatnonzero(between == between.max())
    return float((edges[best[0] + 1] + edges[best[-1] + 1]) / 2)
