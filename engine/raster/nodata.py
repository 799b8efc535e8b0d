"""Which stored values stand for none, and which converted ones were measured."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..units import LINEAR_FLOOR, SlotUnits

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def nodata_of(band: Any) -> float | None:
    """A GDAL band's nodata value."""
    value = band.GetNoDataValue()  # a whole number for 64-bit bands, where a float would lose digits
    return value if value is None or isinstance(value, int) else float(value)


def equals(block: npt.NDArray[Any], nodata: float) -> Mask:
    """Where stored values are the nodata value, as their own type has it."""
    if block.dtype.kind in "iu":
        limits = np.iinfo(block.dtype)
        if not (limits.min <= nodata <= limits.max) or nodata != int(nodata):
            return np.zeros(block.shape, np.bool_)
        return np.asarray(block == block.dtype.type(int(nodata)), np.bool_)
    if 1e30 < abs(nodata) < math.inf:  # -3.4e38 is written with more or fewer digits
        return np.asarray(block < 0.999 * nodata if nodata < 0 else block > 0.999 * nodata, np.bool_)
    with np.errstate(all="ignore"):
        return np.asarray(block == block.dtype.type(nodata), np.bool_)


def measured(values: Array, units: SlotUnits) -> Mask:
    """Where canonical values are numbers, and backscatter is above the floor that stands for none."""
    if units.units == "linear":
        return np.asarray(np.isfinite(values) & (values > 10 * math.log10(LINEAR_FLOOR)), np.bool_)
    return np.asarray(np.isfinite(values), np.bool_)
