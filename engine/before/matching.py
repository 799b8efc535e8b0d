"""How the bands of an earlier scene relate to those of a later one over ground that did not change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from ..planes import COLOURS, RATIOS, SceneScaling
from ..protocol import SAR_SLOTS

ROUNDS = 6
"""Of fitting a line, and leaving out what lies far from it."""
FAR = 2.0
"""Residuals of more spreads than this are taken for change."""
LEAST_SPREAD = {"optical": 0.008, "sar": 1.0, "display": 0.012}
"""Noise and texture below which differences mean nothing: reflectance, dB, and display values of 0 to 1."""
GAIN = (0.2, 5.0)
LEAST_PIXELS = 64

VV_MINUS_VH = "vv_minus_vh"
INDICES: tuple[str, ...] = (*RATIOS, *COLOURS, VV_MINUS_VH)


@dataclass(frozen=True)
class BandMatch:
    """``later = gain * earlier + offset`` over unchanged ground, and how far pixels lie off that line."""

    gain: float
    offset: float
    spread: float


@dataclass(frozen=True)
class PairMatch:
    """What two scenes have in common.

    Attributes:
        slots: slots that both have, in canonical order.
        bands: how each of them relates.
        shifts: by name of an index that both can form, the median of its change.
    """

    slots: tuple[str, ...]
    bands: tuple[BandMatch, ...]
    shifts: dict[str, float]

    def of_slots(self, common: Collection[str]) -> PairMatch:
        """The same where both scenes are seen through fewer bands: what these slots in common still tell."""
        kept = [(slot, band) for slot, band in zip(self.slots, self.bands, strict=True) if slot in common]
        members = {**RATIOS, **COLOURS, VV_MINUS_VH: SAR_SLOTS}
        shifts = {name: shift for name, shift in self.shifts.items() if set(members[name]) <= set(common)}
        return PairMatch(tuple(slot for slot, _ in kept), tuple(band for _, band in kept), shifts)


def match_scenes(later: Tensor, later_of: SceneScaling, earlier: Tensor, earlier_of: SceneScaling) -> PairMatch:
    """Match two scenes from pixels that both have measured.

    Relative radiometric normalisation by a line fitted to what seems unchanged, after Schott et al. 1988 (doi
    10.1016/0034-4257(88)90116-2), with pixels left out by their residual as in iteratively reweighted fits (Canty and
    Nielsen 2008, doi 10.1016/j.rse.2007.07.013).

    Args:
        later: (slots, n) values of the later scene, slots as in ``later_of``.
        later_of: its scaling.
        earlier: (slots, n) of the earlier scene at the same places.
        earlier_of: its scaling.
    """
    common = tuple(slot for slot in later_of.slots if slot in earlier_of.slots)
    bands = []
    for slot in common:
        at, was = later_of.slots.index(slot), earlier_of.slots.index(slot)
        kind = "display" if not later_of.absolute[at] else "sar" if slot in SAR_SLOTS else "optical"
        bands.append(_fit(later[at], earlier[was], kind, later_of.high[at] - later_of.low[at]))
    first = index_values(later, later_of)
    second = index_values(earlier, earlier_of)
    shifts = {
        name: float((first[name] - second[name]).median()) if later.shape[1] else 0.0
        for name in INDICES
        if name in first and name in second
    }
    return PairMatch(common, tuple(bands), shifts)


def index_values(values: Tensor, scaling: SceneScaling) -> dict[str, Tensor]:
    """Indices that a scene's bands can form: normalised differences, and VV - VH in dB; by name.

    Args:
        values: (slots, ...) as in ``scaling``.
        scaling: the scene's.
    """
    band = dict(zip(scaling.slots, values, strict=True))
    physical = {slot for slot, absolute in zip(scaling.slots, scaling.absolute, strict=True) if absolute}
    found = {}
    for name, pair in {**RATIOS, **COLOURS}.items():
        if (physical if name in RATIOS else set(scaling.slots)).issuperset(pair):
            first, second = (band[member].clamp(min=0) + 0.004 for member in pair)
            found[name] = (first - second) / (first + second)
    if physical.issuperset(SAR_SLOTS):
        found[VV_MINUS_VH] = (band["vv"] - band["vh"]) / 15
    return found


def _fit(later: Tensor, earlier: Tensor, kind: str, contrast: float) -> BandMatch:
    least = LEAST_SPREAD[kind] if kind != "display" else max(LEAST_SPREAD[kind] * contrast, 1e-6)
    if later.numel() < LEAST_PIXELS:
        return BandMatch(1.0, 0.0, max(least, contrast / 4))
    # A line through the quantiles first: robust against change that is not the same everywhere.
    marks = torch.tensor((0.1, 0.3, 0.5, 0.7, 0.9))
    x, y = torch.quantile(earlier, marks), torch.quantile(later, marks)
    gain, offset = _line(x, y)
    spread = least
    for _ in range(ROUNDS):
        residual = later - gain * earlier - offset
        spread = max(least, 1.4826 * float((residual - residual.median()).abs().median()))
        close = (residual - residual.median()).abs() < FAR * spread
        if int(close.sum()) < LEAST_PIXELS:
            break
        gain, offset = _line(earlier[close], later[close])
    return BandMatch(gain, offset, spread)


def _line(x: Tensor, y: Tensor) -> tuple[float, float]:
    """Slope within ``GAIN`` and offset of the line whose ends spread alike (reduced major axis)."""
    together = float(((x - x.mean()) * (y - y.mean())).mean())
    across, down = float(x.std(unbiased=False)), float(y.std(unbiased=False))
    gain = down / across if across > 1e-9 and together > 0 else 1.0
    gain = min(GAIN[1], max(GAIN[0], gain))
    return gain, float(y.mean()) - gain * float(x.mean())
