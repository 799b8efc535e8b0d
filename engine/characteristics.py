"""Where and when a scene was taken, and by what: found in its grid, tags, name and bands, or not known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .bands import guess_sensor
from .product_names import FIRST_YEAR, date_in_name
from .protocol import SceneJob
from .raster import Scene, Understanding
from .raster.georeference import Window
from .raster.imagery import imagery_tags
from .samples import Characteristics

GIVEN = "given"
LEVELS = ("sentinel-2-l1c", "sentinel-2-l2a")
"""Sensors that are told apart by processing level alone."""
NOT_KNOWN = "not known"
PATH_PARTS = 3
"""Parts of the path that are looked at: products keep their name in the file or in a folder around it."""

DATE_TAGS = (
    "PRODUCT_START_TIME",
    "DATATAKE_1_DATATAKE_SENSING_START",
    "SENSING_TIME",
    "SENSING_START",
    "ACQUISITION_START_TIME",
    "DATE_ACQUIRED",
    "ACQUISITION_DATE",
    "ACQUISITIONDATE",
    "ACQUISITION_TIME",
    "ACQUISITIONDATETIME",
    "ACQUISITION_DATETIME",
    "TIME_COVERAGE_START",
)
"""Tags that say when a scene was taken, as GDAL's drivers and the products' own metadata name them.

GENERATION_TIME and DATE_PROCESSED say when the product was made. TIFFTAG_DATETIME is when the file was written, which
may be years later: none of them is taken.
"""


@dataclass(frozen=True)
class Found:
    """What is known of a scene, and where it came from.

    Attributes:
        characteristics: what the auxiliary head is taught; what is not known is None.
        date: day of the scene, ``YYYY-MM-DD``; None where not known.
        sources: for ``longitude_latitude``, ``date`` and ``sensor`` a phrase for where it came from, or "not known".
    """

    characteristics: Characteristics
    date: str | None
    sources: Mapping[str, str]


def find_characteristics(
    scene: Scene, understanding: Understanding | None, job: SceneJob, polygons: Window | None = None
) -> Found:
    """Find place, date and sensor of a scene.

    What the job gives goes first (``date``, ``longitude``, ``latitude``, ``sensor``, where it has them). The place is
    the centre of the polygons or of its extent, else of the scene. The date comes from tags, else from a name along the
    path; the sensor from the product's name or tags and from the bands.

    Args:
        scene: the open scene.
        understanding: its bands as understood; None where they could not be told.
        job: the operation's job; its extent lies on the scene.
        polygons: window of the polygons that the operation is limited to; None without.

    Raises:
        BadInput: when the extent lies outside the scene.
    """
    tags = {**imagery_tags(scene), **scene.dataset_tags}
    lonlat, place_source = _place(scene, job, polygons)
    day, date_source = _day(job, tags)
    sensor, sensor_source = _sensor(understanding, job, scene.dataset_tags)
    return Found(
        Characteristics(
            longitude=lonlat[0] if lonlat else None,
            latitude=lonlat[1] if lonlat else None,
            day_of_year=day.timetuple().tm_yday if day else None,
            sensor=sensor,
        ),
        day.isoformat() if day else None,
        {"longitude_latitude": place_source, "date": date_source, "sensor": sensor_source},
    )


def _place(scene: Scene, job: SceneJob, polygons: Window | None) -> tuple[tuple[float, float] | None, str]:
    longitude, latitude = getattr(job, "longitude", None), getattr(job, "latitude", None)
    if longitude is not None and latitude is not None:
        return (longitude, latitude), GIVEN
    if polygons is not None:
        window, source = polygons, "centre of the polygons"
    elif job.extent is not None:
        window, source = scene.georeference.window_of(job.extent), "centre of the extent"
    else:
        window, source = Window(0, 0, scene.width, scene.height), "centre of the scene"
    lonlat = scene.georeference.centre_wgs84(window)
    return lonlat, source if lonlat else NOT_KNOWN


def _day(job: SceneJob, tags: Mapping[str, str]) -> tuple[date | None, str]:
    given = getattr(job, "date", None)
    if given is not None:
        return date.fromisoformat(given.strip()), GIVEN
    latest = date.today() + timedelta(days=1)  # it may be tomorrow already where the scene was taken
    by_name = {re.split("[#.]", name)[-1].upper(): (name, value) for name, value in tags.items()}
    for tag in DATE_TAGS:
        if tag in by_name:
            name, value = by_name[tag]
            day = _day_of_tag(value, latest)
            if day:
                return day, f"tag {name}"
    parts = tuple(_name_parts(job.raster))
    for conventions_only in (True, False):
        for what, part in parts:
            day, several = date_in_name(part, latest, conventions_only=conventions_only)
            if day:
                return day, f"{what} {_short(part)}"
            if several:
                return None, NOT_KNOWN
    return None, NOT_KNOWN


def _day_of_tag(value: str, latest: date) -> date | None:
    """Day at the beginning of a tag such as ``2024-09-16T10:05:59.024Z``, ``2024:09:16`` or ``20240916``."""
    found = re.match(r"\s*\"?(\d{4})([-:/]?)(\d{2})\2(\d{2})(?!\d)", value)
    if not found:
        return None
    try:
        day = date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return None
    return day if date(FIRST_YEAR, 1, 1) <= day <= latest else None


def _sensor(understanding: Understanding | None, job: SceneJob, tags: Mapping[str, str]) -> tuple[str | None, str]:
    if job.sensor is not None:
        return job.sensor, GIVEN
    named, source = _named_sensor(job.raster, tags)
    if understanding is None:
        return named, source
    match = understanding.match
    sensor = match.sensor or named
    if sensor != named:
        source = match.evidence
    used = Characteristics(sensor=sensor).seen_through(match.used_slots).sensor
    if used != sensor:
        return used, "radar bands"
    if sensor is None and match.used_slots and set(match.used_slots) <= {"vv", "vh"}:
        return "sentinel-1", "radar bands"
    if sensor is None and set(match.used_slots) == {"red", "green", "blue"} and understanding.units.name == "byte":
        return "rgb", "three display bands"
    if sensor in LEVELS and not _says_level(job.raster, tags):
        return None, "Sentinel-2 of a processing level that is not known"
    return sensor, source


def _says_level(raster: str, tags: Mapping[str, str]) -> bool:
    """Whether a name along the path or a tag tells surface reflectance from the top of the atmosphere's."""
    texts = [part for _, part in _name_parts(raster)] + [value for value in tags.values() if len(value) < 200]
    return any(re.search(r"L1C|L2A|Level-?(1C|2A)", text, re.IGNORECASE) for text in texts)


def _named_sensor(raster: str, tags: Mapping[str, str]) -> tuple[str | None, str]:
    """Sensor that a name along the path, else a tag, speaks of."""
    for what, part in _name_parts(raster):
        sensor = guess_sensor(part)
        if sensor:
            return sensor, f"{what} {_short(part)}"
    for name, value in tags.items():
        sensor = guess_sensor(value) if len(value) < 200 else None
        if sensor:
            return sensor, f"tag {name}"
    return None, NOT_KNOWN


def _name_parts(raster: str) -> Iterator[tuple[str, str]]:
    """The last parts of the path, the nearest first, each with what it is; nothing for a raster written as XML."""
    if raster.lstrip().startswith("<"):
        return
    parts: Sequence[str] = [part for part in raster.replace("\\", "/").split("/") if part]
    for position, part in enumerate(reversed(parts[-PATH_PARTS:])):
        yield ("folder name" if position else "file name"), part[:300]


def _short(name: str) -> str:
    """Name cut to what fits a line."""
    return name if len(name) <= 60 else name[:57] + "..."
