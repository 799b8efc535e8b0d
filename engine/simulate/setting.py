"""Where and when a simulated scene lies, and which sensor saw it: its sun, season and snow line follow from these."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..samples import Characteristics
from .fields import Draw

CLIMATES = {
    "plain": {"temperate": 3.0, "tropical": 3.0, "steppe": 1.5, "dry": 0.6},
    "hills": {"temperate": 3.5, "tropical": 3.0, "steppe": 0.6, "high": 0.3, "dry": 0.5},
    "mountains": {"temperate": 1.5, "high": 3.0, "tropical": 0.7, "dry": 0.6},
    "arid": {"dry": 3.0, "steppe": 1.0},
    "gorge": {"dry": 2.0, "high": 1.0, "temperate": 1.0},
}
LATITUDES = {"temperate": (26, 62), "tropical": (0, 23), "dry": (14, 42), "steppe": (30, 52), "high": (26, 50)}
"""Degrees from the equator, after the outlines of the Koeppen-Geiger climates (Peel et al. 2007)."""

OVERPASS_HOUR = 10.5
"""Local solar time at which Sentinel-2, Landsat and PlanetScope pass, about."""

LOWEST_SUN = math.radians(14)


@dataclass(frozen=True)
class Setting:
    """Place, date, optical sensor and what follows from them.

    Attributes:
        climate: key of ``land.NATURAL``.
        longitude: degrees east.
        latitude: degrees north.
        day_of_year: 1 to 365.
        sensor: one of ``protocol.SENSORS``.
        corrected: whether the sensor's product is surface reflectance.
        sun_elevation: radians above the horizon.
        sun_azimuth: radians from north, clockwise.
        warmth: -1 in the depth of winter, 1 at the height of summer; near 0 all year in the tropics.
    """

    climate: str
    longitude: float
    latitude: float
    day_of_year: float
    sensor: str
    corrected: bool
    sun_elevation: float
    sun_azimuth: float
    warmth: float

    @property
    def to_sun(self) -> tuple[float, float]:
        """Unit vector towards the sun along growing columns (east) and growing rows (south)."""
        return math.sin(self.sun_azimuth), -math.cos(self.sun_azimuth)

    def characteristics(self, sensor: str) -> Characteristics:
        """What a user may know of the scene, as this sensor's product."""
        return Characteristics(self.longitude, self.latitude, self.day_of_year, sensor)


CLOSE_DAYS = 14.0
"""Spread of the days between two close dates."""


def draw_setting(draw: Draw, country: str, gsd_m: float, green: bool) -> Setting:
    """A setting that fits a country; days on which the sun stands too low for an image are drawn again."""
    climate = draw.pick({"temperate": 1.0, "tropical": 1.0} if green else CLIMATES[country])
    nearest, farthest = LATITUDES[climate]
    latitude = draw.uniform(nearest, farthest) * (1 if draw.chance(0.7) else -1)
    sensor = draw.pick(_sensors(gsd_m))
    for _ in range(12):
        day = draw.uniform(1, 365)
        elevation, azimuth = sun_position(latitude, day)
        if elevation > LOWEST_SUN:
            break
    return Setting(
        climate=climate,
        longitude=draw.uniform(-180, 180),
        latitude=latitude,
        day_of_year=day,
        sensor=sensor,
        corrected=sensor == "sentinel-2-l2a" or (sensor != "sentinel-2-l1c" and draw.chance(0.6)),
        sun_elevation=max(elevation, LOWEST_SUN),
        sun_azimuth=azimuth,
        warmth=_warmth(latitude, day),
    )


def another_date(draw: Draw, setting: Setting, gsd_m: float, close: bool = False) -> Setting:
    """The same place on another day, mostly of about the same season, and mostly through the same sensor.

    ``close`` are dates as people choose them who can: weeks apart, through one sensor.
    """
    same_season = close or draw.chance(0.55)
    spread = CLOSE_DAYS if close else 25.0
    for _ in range(12):
        day = (setting.day_of_year + draw.normal(spread) - 1) % 365 + 1 if same_season else draw.uniform(1, 365)
        elevation, azimuth = sun_position(setting.latitude, day)
        if elevation > LOWEST_SUN:
            break
    sensor, corrected = setting.sensor, setting.corrected
    if draw.chance(0.03 if close else 0.25):
        sensor = draw.pick(_sensors(gsd_m))
        corrected = sensor == "sentinel-2-l2a" or (sensor != "sentinel-2-l1c" and draw.chance(0.6))
    return replace(
        setting,
        day_of_year=day,
        sensor=sensor,
        corrected=corrected,
        sun_elevation=max(elevation, LOWEST_SUN),
        sun_azimuth=azimuth,
        warmth=_warmth(setting.latitude, day),
    )


def _warmth(latitude: float, day_of_year: float) -> float:
    summer = 172 if latitude > 0 else 355
    season = math.cos(2 * math.pi * (day_of_year - summer - 25) / 365.25)  # the warmest weeks follow the solstice
    return season * min(1.0, abs(latitude) / 35)


def sun_position(latitude: float, day_of_year: float, hour: float = OVERPASS_HOUR) -> tuple[float, float]:
    """Elevation and azimuth (radians, from north clockwise) of the sun at local solar time; Cooper 1969."""
    declination = math.radians(23.45) * math.sin(2 * math.pi * (284 + day_of_year) / 365)
    turn, place = math.radians(15 * (hour - 12)), math.radians(latitude)
    up = math.sin(place) * math.sin(declination) + math.cos(place) * math.cos(declination) * math.cos(turn)
    east = -math.cos(declination) * math.sin(turn)
    north = math.cos(place) * math.sin(declination) - math.sin(place) * math.cos(declination) * math.cos(turn)
    return math.asin(max(-1.0, min(1.0, up))), math.atan2(east, north) % (2 * math.pi)


def _sensors(gsd_m: float) -> dict[str, float]:
    if gsd_m < 8:
        return {"planetscope": 3.0, "sentinel-2-l2a": 1.0}
    if gsd_m < 16:
        return {"sentinel-2-l2a": 3.0, "sentinel-2-l1c": 2.0}
    return {"landsat-5": 1.0, "landsat-7": 1.0, "landsat-8": 2.0, "landsat-9": 1.0, "sentinel-2-l2a": 1.0}
