"""In which units pixel values are, and how they become reflectance (0-1) or decibels: pure rules on arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .protocol import SAR_SLOTS
from .remedies import IN_DOCK

Array = npt.NDArray[np.float32]

OPTICAL_UNITS = ("reflectance", "reflectance*10000", "reflectance*10000-1000", "landsat-c2", "byte", "raw")
STORED_UNITS = ("reflectance*10000", "reflectance*10000-1000", "landsat-c2", "byte")
"""Units that speak of the stored numbers; the others speak of numbers after the file's own scale and offset."""
ABSOLUTE_UNITS = ("reflectance", "reflectance*10000", "reflectance*10000-1000", "landsat-c2", "db", "linear")
"""Units that tell a physical quantity, not only an order."""
LINEAR_FLOOR = 1e-6
"""Backscatter below this (-60 dB) is not a measurement."""


@dataclass(frozen=True)
class SlotUnits:
    """Units of one slot and whether the file's scale and offset apply to the stored numbers first."""

    units: str
    scaled: bool

    @property
    def absolute(self) -> bool:
        """Whether values are physical after conversion."""
        return self.units in ABSOLUTE_UNITS


@dataclass(frozen=True)
class UnitsFound:
    """Units of each used slot, the name to report, and what the user should know."""

    by_slot: Mapping[str, SlotUnits]
    name: str
    warnings: tuple[str, ...] = ()


def to_canonical(values: Array, units: str) -> Array:
    """Numbers in ``units`` to reflectance 0-1, decibels, 0-1 display value, or unchanged for ``raw`` (in place)."""
    if units in ("reflectance*10000", "reflectance*10000-1000"):
        if units.endswith("-1000"):
            values -= np.float32(1000)
        values *= np.float32(1e-4)
    elif units == "landsat-c2":  # USGS Landsat Collection 2 level 2: 0.0000275 DN - 0.2
        values *= np.float32(2.75e-5)
        values -= np.float32(0.2)
    elif units == "byte":
        values *= np.float32(1 / 255)
    elif units == "linear":
        np.maximum(values, np.float32(LINEAR_FLOOR), out=values)
        np.log10(values, out=values)
        values *= np.float32(10)
    return values


def find_units(
    samples: Mapping[str, Array],
    *,
    dtypes: Mapping[str, str],
    scales: Mapping[str, tuple[float, float]],
    sensor: str | None,
    chosen: str | None = None,
    product: str = "",
    tags: Mapping[str, str] | None = None,
) -> UnitsFound:
    """Find the units of each slot from a subsample of its stored values.

    Args:
        samples: stored values by slot, one-dimensional, nodata left out; may be empty arrays.
        dtypes: numpy name of each slot's stored type.
        scales: the file's scale and offset by slot.
        sensor: sensor if known.
        chosen: units named by the user; it holds for the slots it can describe.
        product: file or product name (for Sentinel-2's processing baseline).
        tags: metadata of the file.
    """
    by_slot: dict[str, SlotUnits] = {}
    warnings: list[str] = []
    optical = [slot for slot in samples if slot not in SAR_SLOTS]
    if optical:
        units, note = _chosen_for(chosen, OPTICAL_UNITS), None
        scaled_file = any(scales[slot] != (1.0, 0.0) for slot in optical)
        if units is None:
            units, note = _optical_units(
                [_scaled(samples[slot], scales[slot]) for slot in optical],
                dtypes=[dtypes[slot] for slot in optical],
                scaled_file=scaled_file,
                sensor=sensor,
                offset_known=_offset_applies(product, tags or {}),
            )
            scaled = scaled_file
        else:
            scaled = units not in STORED_UNITS
        by_slot.update({slot: SlotUnits(units, scaled) for slot in optical})
        warnings += [note] if note else []
    for slot in (slot for slot in samples if slot in SAR_SLOTS):
        units = _chosen_for(chosen, ("db", "linear", "byte", "raw"))
        note = None
        if units is None:
            units, note = _backscatter_units(slot, _scaled(samples[slot], scales[slot]), dtypes[slot])
        by_slot[slot] = SlotUnits(units, units != "byte")
        if note and note not in warnings:
            warnings.append(note)
    if chosen is not None and all(found.units != chosen for found in by_slot.values()):
        warnings.append(f"Units '{chosen}' do not describe any band in use; they were found out instead.")
    names = list(dict.fromkeys(found.units for found in by_slot.values()))
    if len(names) > 1:
        warnings.append("Units by band: " + ", ".join(f"{slot} {found.units}" for slot, found in by_slot.items()) + ".")
    return UnitsFound(by_slot, chosen if chosen in names else names[0], tuple(warnings))


def _chosen_for(chosen: str | None, possible: Sequence[str]) -> str | None:
    return chosen if chosen in possible else None


def _scaled(values: Array, scale_offset: tuple[float, float]) -> Array:
    scale, offset = scale_offset
    return values if (scale, offset) == (1.0, 0.0) else (values * scale + offset).astype(np.float32)


def _offset_applies(product: str, tags: Mapping[str, str]) -> bool | None:
    """Whether Sentinel-2's offset of -1000 (processing baseline 04.00 on) is in the numbers; None when unknown."""
    baseline = re.search(r"_N(\d{4})_", product)
    if baseline:
        return int(baseline[1]) >= 400
    for name, value in tags.items():
        if "PROCESSING_BASELINE" in name.upper():
            number = re.match(r"\s*0?(\d+)\.?(\d*)", value)
            return bool(number and int(number[1]) >= 4)
        if "ADD_OFFSET" in name.upper():
            return value.strip() in ("-1000", "-1000.0")
    return None


def _optical_units(
    samples: Sequence[Array],
    *,
    dtypes: Sequence[str],
    scaled_file: bool,
    sensor: str | None,
    offset_known: bool | None,
) -> tuple[str, str | None]:
    filled = [values for values in samples if values.size]
    if not filled:
        return ("byte" if "uint8" in dtypes else "raw"), None
    ranges = [np.percentile(values, (0.5, 98)) for values in filled]
    low, high = min(float(found[0]) for found in ranges), max(float(found[1]) for found in ranges)
    if all(dtype == "uint8" for dtype in dtypes) and not scaled_file:
        return "byte", None
    floating = scaled_file or any(dtype.startswith("float") for dtype in dtypes)
    if floating and low >= -0.5 and high <= 2.0:
        return "reflectance", None
    if low >= 0 and high <= 255 and (not floating or _whole(filled)):
        return (
            "byte",
            f"Values run from 0 to 255: they are taken as display values. Say otherwise {IN_DOCK}.",
        )
    if (sensor or "").startswith("landsat") and low >= 3000 and high > 7000 and not floating:
        return "landsat-c2", None
    if 255 < high <= 20000 and low >= -2000:
        offset = offset_known
        if offset is None:
            offset = (sensor or "").startswith("sentinel-2") and low >= 950
        return ("reflectance*10000-1000" if offset else "reflectance*10000"), None
    return "raw", (
        f"Values from {low:.4g} to {high:.4g} are in units that are not known: only their order is used. "
        f"Choose the units {IN_DOCK} for a better answer."
    )


def _whole(samples: Sequence[Array]) -> bool:
    return all(bool(np.all(values == np.rint(values))) for values in samples)


BRIGHTEST_POWER = {"vv": 0.25, "vh": 0.08}
"""Median of a scene's linear power that land does not reach: -6 and -11 dB."""


def _backscatter_units(slot: str, values: Array, dtype: str) -> tuple[str, str | None]:
    if not values.size:
        return "db", None
    low, middle, high = (float(v) for v in np.percentile(values, (2, 50, 98)))
    if dtype == "uint8":
        return "byte", None
    if low < 0 and -60 <= middle <= 10:
        return "db", None
    if low >= 0 and high <= 30:
        if middle > BRIGHTEST_POWER[slot]:
            return "linear", (
                f"Backscatter {slot.upper()} is {middle:.3g} in the middle of its values, too bright for linear power: "
                "amplitude, perhaps, in which no water would be found. Give linear power (the amplitude squared) or dB."
            )
        return "linear", None
    return "raw", (
        f"Backscatter values from {low:.4g} to {high:.4g} are neither dB nor linear power: only their order is used. "
        f"Calibrate the scene, or choose the units {IN_DOCK}."
    )
