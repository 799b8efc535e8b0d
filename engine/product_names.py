"""On which day a scene was taken, by what products are called (pure rules, no file is opened)."""

from __future__ import annotations

import re
from datetime import date, timedelta

FIRST_YEAR = 1972
"""Landsat 1 was the first."""

_DAY = r"(?P<day>(?:19|20)\d{6})"
_YEAR_DAY = r"(?P<year_day>(?:19|20)\d{5})"
_START = r"(?:^|(?<=[^A-Za-z0-9]))"

CONVENTIONS = (
    # Sentinel-1: S1A_IW_GRDH_1SDV_20190913T055812_20190913T055837 (start, stop), s1a-iw-grd-vv-20190913t055812-
    _START + r"S1[A-D][-_](?:[A-Z0-9]*[-_]){1,4}?" + _DAY + r"T\d{6}",
    # Sentinel-2 until 2016: S2A_OPER_PRD_MSIL1C_PDMC_<made>_R108_V20160318T100012_20160318T100012
    _START + r"S2[A-D]_OPER_\w*?_V" + _DAY + r"T\d{6}",
    # Sentinel-2: S2B_MSIL2A_20240916T100559_N0511_R022_T32TPQ_<made>
    _START + r"S2[A-D]_MSIL(?:1C|2A)_" + _DAY + r"(?:T\d{6})?",
    # its granule L2A_T32TPQ_A039300_20240916T101124 and tile T32TPQ_20240916T100559_B02_10m
    _START + r"T\d{2}[A-Z]{3}_(?:A\d{6}_)?" + _DAY + r"T\d{6}",
    # Sentinel-2 as cloud-optimised GeoTIFF (S2B_32TPQ_20240916_0_L2A), in Earth Engine (20240916T..._<made>_T32TPQ)
    _START + r"S2[A-D]_\d{1,2}[A-Z]{3}_" + _DAY + r"(?!\d)",
    _START + _DAY + r"T\d{6}_\d{8}T\d{6}_T\d{2}[A-Z]{3}",
    # Sentinel-2 from Theia: SENTINEL2A_20240916-101600-123_L2A_T32TPQ
    _START + r"SENTINEL2[A-D]_" + _DAY + r"-\d{6}",
    # Landsat collections: LC08_L2SP_192029_20240916_<made>_02_T1, in Earth Engine LC08_192029_20240916
    _START + r"L[COTEM]\d{2}_(?:L\w{3}_)?\d{6}_" + _DAY + r"(?!\d)",
    # Landsat as ordered from ESPA: LC081920292024091602T1-SC<made>; and before the collections: LT51920291990123KIS00
    _START + r"L[COTEM]\d{2}\d{6}" + _DAY + r"\d{2}(?:T1|T2|RT)",
    _START + r"L[COTEM]\d\d{6}" + _YEAR_DAY + r"(?!\d)",
    # Harmonised Landsat and Sentinel-2: HLS.S30.T32TPQ.2024260T100559.v2.0
    _START + r"HLS\.[SL]30\.T\d{2}[A-Z]{3}\." + _YEAR_DAY + r"T\d{6}",
    # Planet: 20240916_095432_12_24b9_3B_AnalyticMS_SR, SkySat: 20200814_162132_ssc4d3_0021_analytic
    _START + _DAY + r"_\d{6}_(?:\d{2}_)?(?:[0-9a-f]{4}|ssc?\d+d\d+)(?:_|$)",
)
"""Where the products' names say when they were taken; what else looks like a date says when they were made.

ESA, Sentinel-1 Product Specification, and Sentinel-2 Products Specification Document; USGS, Landsat Collection 2
product identifiers; Planet, PSScene naming; NASA, HLS user guide.
"""

_OLD_SENTINEL_2 = _START + r"S2[A-D]_OPER_"
"""Older names that hold only the day on which the product was made, unless ``_V`` precedes another."""


def date_in_name(name: str, latest: date, *, conventions_only: bool = False) -> tuple[date | None, bool]:
    """The day that a file's or folder's name says a scene was taken on.

    A product's convention decides; a plain date (2024-09-16, 2024_09_16, 20240916) counts where it is the only one.

    Args:
        name: one part of a path.
        latest: last plausible day.
        conventions_only: leave plain dates aside.

    Returns:
        The day, or None; and whether the name holds dates of which none can be told to be it.
    """
    for convention in CONVENTIONS:
        found = re.search(convention, name, re.IGNORECASE)
        day = _day_of(found.groupdict(), latest) if found else None
        if day:
            return day, False
    if re.search(_OLD_SENTINEL_2, name, re.IGNORECASE):
        return None, True
    if conventions_only:
        return None, False
    days = set()
    for found in re.finditer(r"(?<!\d)((?:19|20)\d{2})([-_.]?)(\d{2})\2(\d{2})(?!\d)", name):
        days.add(_plausible(found[1] + found[3] + found[4], latest))
    days.discard(None)
    return (days.pop(), False) if len(days) == 1 else (None, bool(days))


def _day_of(groups: dict[str, str | None], latest: date) -> date | None:
    """Day written as year, month and day, or as year and day of the year."""
    year_day = groups.get("year_day")
    if year_day is None:
        return _plausible(groups.get("day") or "", latest)
    first = date(int(year_day[:4]), 1, 1)
    day = first + timedelta(days=int(year_day[4:]) - 1)
    return day if day.year == first.year and FIRST_YEAR <= day.year and day <= latest else None


def _plausible(digits: str, latest: date) -> date | None:
    """``20240916`` as a day, if it is one on which a satellite may have looked."""
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year and day <= latest else None
