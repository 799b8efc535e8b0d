"""Which band slot each raster band fills, and in which units its values are: pure rules, no raster access."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .protocol import OPTICAL_SLOTS, SAR_SLOTS, SLOTS, UNUSED
from .remedies import IN_DOCK, Remediable

SENTINEL_2_BANDS = {
    "1": "coastal", "2": "blue", "3": "green", "4": "red", "8": "nir", "8a": "nir", "11": "swir1", "12": "swir2",
}  # fmt: skip
LANDSAT_8_BANDS = {
    "1": "coastal", "2": "blue", "3": "green", "4": "red", "5": "nir", "6": "swir1", "7": "swir2",
}  # fmt: skip
LANDSAT_5_BANDS = {"1": "blue", "2": "green", "3": "red", "4": "nir", "5": "swir1", "7": "swir2"}
PLANETSCOPE_4_BANDS = {"1": "blue", "2": "green", "3": "red", "4": "nir"}
PLANETSCOPE_8_BANDS = {"1": "coastal", "2": "blue", "4": "green", "6": "red", "8": "nir"}

BAND_NUMBERS: Mapping[str, Mapping[str, str]] = {
    "sentinel-2-l1c": SENTINEL_2_BANDS,
    "sentinel-2-l2a": SENTINEL_2_BANDS,
    "landsat-5": LANDSAT_5_BANDS,
    "landsat-7": LANDSAT_5_BANDS,
    "landsat-8": LANDSAT_8_BANDS,
    "landsat-9": LANDSAT_8_BANDS,
}
"""Meaning of a band number by sensor (USGS and ESA product definitions)."""

_S2 = ["1", "2", "3", "4", "5", "6", "7", "8", "8a", "9", "10", "11", "12"]
_RGBN = ("blue", "green", "red", "nir")
_SIX = (*_RGBN, "swir1", "swir2")


def _numbered(numbers: Sequence[str], meaning: Mapping[str, str]) -> tuple[str, ...]:
    slots: list[str] = []
    for number in numbers:
        slot = meaning.get(number, UNUSED)
        slots.append(UNUSED if number == "8a" and "nir" in slots else slot)
    return tuple(slots)


_S2_PRESETS = {
    13: _numbered(_S2, SENTINEL_2_BANDS),
    12: _numbered([n for n in _S2 if n != "10"], SENTINEL_2_BANDS),
    10: _numbered([n for n in _S2 if n not in ("1", "9", "10")], SENTINEL_2_BANDS),
    7: OPTICAL_SLOTS,
    6: _SIX,
    4: _RGBN,
}
_LANDSAT_5_PRESETS = {
    6: _SIX,
    7: ("blue", "green", "red", "nir", "swir1", UNUSED, "swir2"),
    8: ("blue", "green", "red", "nir", "swir1", UNUSED, "swir2", UNUSED),
    4: _RGBN,
}
_LANDSAT_8_PRESETS = {
    7: OPTICAL_SLOTS,
    8: (*OPTICAL_SLOTS, UNUSED),
    10: (*OPTICAL_SLOTS, UNUSED, UNUSED, UNUSED),
    11: (*OPTICAL_SLOTS, UNUSED, UNUSED, UNUSED, UNUSED),
    6: _SIX,
    4: _RGBN,
}
PRESETS: Mapping[str, Mapping[int, tuple[str, ...]]] = {
    "sentinel-1": {1: ("vv",), 2: ("vv", "vh"), 3: ("vv", "vh", UNUSED)},
    "sentinel-2-l1c": _S2_PRESETS,
    "sentinel-2-l2a": _S2_PRESETS,
    "landsat-5": _LANDSAT_5_PRESETS,
    "landsat-7": {**_LANDSAT_5_PRESETS, 9: ("blue", "green", "red", "nir", "swir1", UNUSED, UNUSED, "swir2", UNUSED)},
    "landsat-8": _LANDSAT_8_PRESETS,
    "landsat-9": _LANDSAT_8_PRESETS,
    "planetscope": {
        3: ("red", "green", "blue"),
        4: _RGBN,
        5: ("blue", "green", "red", UNUSED, "nir"),
        8: _numbered([str(n) for n in range(1, 9)], PLANETSCOPE_8_BANDS),
    },
    "rgb": {3: ("red", "green", "blue"), 4: ("red", "green", "blue", "nir")},
}
"""Slots by sensor and number of bands, for rasters whose bands have no telling names."""

WAVELENGTHS_UM: Mapping[str, tuple[float, float]] = {
    "coastal": (0.443, 0.015),
    "blue": (0.485, 0.026),
    "green": (0.560, 0.030),
    "red": (0.660, 0.028),
    "nir": (0.845, 0.045),
    "swir1": (1.620, 0.070),
    "swir2": (2.200, 0.100),
}
"""Centre of each optical slot and how far a band's centre may lie from it, in micrometres."""

_WORDS = {
    "coastal": "coastal", "aerosol": "coastal", "ultrablue": "coastal", "deepblue": "coastal",
    "blue": "blue", "green": "green", "red": "red",
    "nir": "nir", "nir1": "nir", "nearinfrared": "nir", "infrared": "nir", "nir08": "nir", "nirnarrow": "nir",
    "swir1": "swir1", "swir16": "swir1", "swir2": "swir2", "swir22": "swir2",
    "vv": "vv", "vh": "vh",
}  # fmt: skip
_SECOND_CHOICE = {"nir08", "nirnarrow", "infrared", "8a"}
_NOT_A_SLOT = ("rededge", "rdedge", "redge", "pan", "panchromatic", "thermal", "cirrus", "watervapour", "angle", "qa")
_PRODUCT_SENSORS = (
    (r"(?:^|[^A-Za-z0-9])S1[A-D]_|SENTINEL-?_?1(?![0-9])", "sentinel-1"),
    (r"(?:^|[^A-Za-z0-9])S2[A-D]_(?:OPER_)?(?:PRD_)?MSIL?1C", "sentinel-2-l1c"),
    (r"(?:^|[^A-Za-z0-9])S2[A-D](?:_|$)|SENTINEL-?_?2(?![0-9])", "sentinel-2-l2a"),
    (r"(?:^|[^A-Za-z0-9])L[CO]09(?:_|$)|LANDSAT[-_ ]?9", "landsat-9"),
    (r"(?:^|[^A-Za-z0-9])L[CO]0?8(?:_|[0-9]{13})|LANDSAT[-_ ]?8", "landsat-8"),
    (r"(?:^|[^A-Za-z0-9])LE0?7(?:_|[0-9]{13})|LANDSAT[-_ ]?7", "landsat-7"),
    (r"(?:^|[^A-Za-z0-9])LT0?5(?:_|[0-9]{13})|LANDSAT[-_ ]?5", "landsat-5"),
    (r"PSScene|PlanetScope|_3B_(?:Analytic|udm)", "planetscope"),
)


class UnknownBands(Remediable):
    """Nothing tells which band is which; the user has to say it."""


class WrongBandCount(Remediable):
    """More or fewer slots were given than the raster has bands."""


@dataclass(frozen=True)
class BandInfo:
    """One band as the file describes it; ``index`` counts from 1, ``dtype`` is numpy's name."""

    index: int
    description: str = ""
    dtype: str = "uint8"
    wavelength_um: float | None = None
    colour: str = ""


@dataclass(frozen=True)
class BandMatch:
    """A slot (or ``-``) for each band, the sensor if known, how it was found, and what the user should know."""

    slots: tuple[str, ...]
    sensor: str | None
    evidence: str
    warnings: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[int, ...]:
        """Positions (from 0) of the bands in use, in canonical slot order."""
        return tuple(self.slots.index(slot) for slot in SLOTS if slot in self.slots)

    @property
    def used_slots(self) -> tuple[str, ...]:
        """The slots in use, in canonical order."""
        return tuple(slot for slot in SLOTS if slot in self.slots)


def guess_sensor(*texts: str) -> str | None:
    """Sensor named by a product name or metadata value (Sentinel, Landsat, Planet conventions), else None."""
    for text in texts:
        for pattern, sensor in _PRODUCT_SENSORS:
            if re.search(pattern, text, re.IGNORECASE):
                return sensor
    return None


def match_bands(
    bands: Sequence[BandInfo],
    *,
    sensor: str | None = None,
    chosen: Sequence[str] | None = None,
    file_name: str = "",
    tags: Sequence[str] = (),
) -> BandMatch:
    """Give each band its slot: as chosen, else by name, wavelength, colour, then sensor preset.

    Args:
        bands: the raster's bands, alpha bands left out.
        sensor: preset named by the user.
        chosen: slots named by the user, one a band.
        file_name: for product naming conventions.
        tags: metadata values that may name the sensor.

    Raises:
        UnknownBands: when nothing is known and nothing was chosen.
        WrongBandCount: when the choice does not fit.
    """
    if chosen is not None:
        return _chosen(bands, chosen, sensor or guess_sensor(file_name, *tags))
    known = sensor or guess_sensor(file_name, *tags)
    for slots, found_sensor, evidence in (
        (*_by_name(bands, known), "band names"),
        (_by_wavelength(bands), known, "wavelengths"),
        (_by_preset(bands, sensor), sensor, f"the {sensor} preset"),
        (_by_colour(bands), known or "rgb", "colour interpretation"),
        (_by_preset(bands, known), known, f"the {known} product name"),
        (_by_file_name(bands, known, file_name), known, "the file name"),
    ):
        if slots is not None:
            return BandMatch(slots, found_sensor, evidence)
    if sensor is not None:
        counts = ", ".join(str(count) for count in sorted(PRESETS[sensor]))
        raise UnknownBands(
            f"The raster has {len(bands)} bands, but the {sensor} preset fits {counts} bands",
            f"say which band is which with --bands, or {IN_DOCK}",
        )
    if len(bands) == 3 and all(band.dtype == "uint8" for band in bands):
        warning = f"The three bands are not named; they are taken as red, green, blue. Change that {IN_DOCK}."
        return BandMatch(("red", "green", "blue"), "rgb", "three byte bands", (warning,))
    names = ", ".join(band.description for band in bands[:8] if band.description)
    found = "The raster's only band" if len(bands) == 1 else f"The raster's {len(bands)} bands"
    raise UnknownBands(
        f"{found} ({'named ' + names if names else 'without names'}) could be anything",
        "choose the sensor or each band's slot (--sensor, --bands, or Bands and units)",
    )


def _chosen(bands: Sequence[BandInfo], chosen: Sequence[str], sensor: str | None) -> BandMatch:
    if len(chosen) != len(bands):
        raise WrongBandCount(
            f"{len(chosen)} band slots are given but the raster has {len(bands)} bands (alpha not counted)",
            "give one slot a band, - for an unused one",
        )
    return BandMatch(tuple(chosen), sensor, "your choice")


def _tokens(description: str) -> list[str]:
    text = re.sub(r"(?i)short[- _]*wave[- _]*infra[- _]*red", "swir", description)
    text = re.sub(r"(?i)near[- _]*infra[- _]*red", "nir", text)
    text = re.sub(r"(?i)red[- _]*edge", "rededge", text)
    text = re.sub(r"(?i)(swir|nir)[ _-]+([0-9]+)(?![0-9])", r"\1\2", text)
    text = re.sub(r"(?i)\b(sr|toa|st)_b", r"\1 b", text)
    text = re.sub(r"(?i)band[ _-]*([0-9])", r"b\1", text)
    return [token for token in re.split(r"[^a-z0-9]+", text.lower()) if token]


def _band_number(tokens: Sequence[str]) -> tuple[str | None, bool]:
    """Band number such as ``8a`` and whether it was written with a leading zero."""
    for token in tokens:
        found = re.fullmatch(r"b(0?)([1-9][0-9]?)(a?)", token)
        if found:
            return found[2] + found[3], bool(found[1])
    return None, False


def names_a_slot(description: str) -> bool:
    """Whether a band's name alone says what it measures, by word or by number."""
    tokens = _tokens(description)
    return any(token in _WORDS for token in tokens) or _band_number(tokens)[0] is not None


def _by_name(bands: Sequence[BandInfo], sensor: str | None) -> tuple[tuple[str, ...] | None, str | None]:
    candidates: list[tuple[int, str, int]] = []  # (preference, slot, position)
    numbers: list[str | None] = []
    padded = False
    for position, band in enumerate(bands):
        tokens = _tokens(band.description)
        number, zero = _band_number(tokens)
        numbers.append(number)
        padded = padded or zero
        if any(token.startswith(_NOT_A_SLOT) for token in tokens):
            continue
        for token in tokens:
            if token in _WORDS:
                exact = tokens == [token] and token not in _SECOND_CHOICE
                candidates.append((0 if exact else 1 if token not in _SECOND_CHOICE else 2, _WORDS[token], position))
                break
    if not candidates and any(numbers):
        counted = numbers == [str(position + 1) for position in range(len(bands))] and not padded
        surface = any(re.search(r"(?i)\bsr_", band.description) for band in bands)
        if counted and not surface and (sensor is None or _by_preset(bands, sensor) is not None):
            return None, sensor  # numbered in file order, as programs do that know nothing of the sensor
        sensor = _numbered_sensor(numbers, padded, bands, sensor)
        meaning = BAND_NUMBERS.get(sensor or "")
        if meaning is None:
            return None, sensor
        for position, number in enumerate(numbers):
            if number is not None and number in meaning:
                candidates.append((1 if number in _SECOND_CHOICE else 0, meaning[number], position))
    if not candidates:
        return None, sensor
    slots = [UNUSED] * len(bands)
    for _, slot, position in sorted(candidates):
        if slot not in slots and slots[position] == UNUSED:
            slots[position] = slot
    if sensor is None and set(slots) - {UNUSED} <= set(SAR_SLOTS):
        sensor = "sentinel-1"
    return tuple(slots), sensor


def _numbered_sensor(
    numbers: Sequence[str | None], padded: bool, bands: Sequence[BandInfo], sensor: str | None
) -> str | None:
    if sensor in BAND_NUMBERS:
        return sensor
    found = {number for number in numbers if number}
    if padded or found & {"8a", "11", "12"} or {"2", "3", "4", "8"} == found:
        return "sentinel-2-l2a"
    surface_reflectance = any(re.search(r"(?i)\bsr_", band.description) for band in bands)
    if surface_reflectance:  # Landsat Collection 2 level 2: sensors 5 and 7 have no SR_B6
        return "landsat-8" if "6" in found else "landsat-7" if "7" in found else None
    return None


def _by_wavelength(bands: Sequence[BandInfo]) -> tuple[str, ...] | None:
    slots = [UNUSED] * len(bands)
    for slot, (centre, tolerance) in WAVELENGTHS_UM.items():
        near = [
            (abs(band.wavelength_um - centre), position)
            for position, band in enumerate(bands)
            if band.wavelength_um is not None and abs(band.wavelength_um - centre) <= tolerance
        ]
        if near and slots[min(near)[1]] == UNUSED:
            slots[min(near)[1]] = slot
    return tuple(slots) if set(slots) != {UNUSED} else None


def _by_colour(bands: Sequence[BandInfo]) -> tuple[str, ...] | None:
    slots = [
        {"red": "red", "green": "green", "blue": "blue", "nir": "nir"}.get(b.colour.lower(), UNUSED) for b in bands
    ]
    complete = {"red", "green", "blue"} <= set(slots) and all(
        slots.count(slot) == 1 for slot in ("red", "green", "blue")
    )
    if not complete:
        return None
    if all(band.dtype == "uint8" for band in bands) or len(bands) == 3:
        return tuple(slots)
    return None  # TIFF calls the first three bands of any 16-bit stack red, green, blue


def _by_preset(bands: Sequence[BandInfo], sensor: str | None) -> tuple[str, ...] | None:
    return PRESETS.get(sensor or "", {}).get(len(bands))


def _by_file_name(bands: Sequence[BandInfo], sensor: str | None, file_name: str) -> tuple[str, ...] | None:
    """One-band files of a product, such as ``..._B03.tif`` or ``..._VV.tif``."""
    if len(bands) != 1:
        return None
    stem = re.sub(r"\.[A-Za-z0-9]+$", "", file_name)
    tail = BandInfo(1, " ".join(stem.split("_")[-2:]))
    return _by_name([tail], sensor)[0]
