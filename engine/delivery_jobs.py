"""The jobs that turn a mask into what is handed over, one frozen dataclass each (standard library only)."""

import math
import os
from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from .fields import BadInput, check_range, option, parse_codes, parse_date, require, same_path

PERMANENT_WATER, ON_SLOPE = 2, 3
"""Values of a refined mask for what was hazard before: water that is always there, and what its slope rules out."""
VECTOR_FORMATS = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON", ".fgb": "FlatGeobuf"}
"""Endings of the polygon files that can be written, and their GDAL drivers."""
MOST_SMOOTHING = 5
MOST_BIT = 31
"""Highest bit of a quality band that can be asked for."""


def check_ending(name: str, path: str, endings: Tuple[str, ...]) -> None:
    """Raise BadInput unless the path ends in one of these."""
    if os.path.splitext(path)[1].lower() not in endings:
        raise BadInput(f"The {name} is to be '{path}'; choose a name ending in {', '.join(endings)}.")


def check_not_same(name: str, path: str, inputs: Tuple[Optional[str], ...]) -> None:
    """Raise BadInput if an output would replace an input."""
    for given in inputs:
        if given and same_path(path, given):
            raise BadInput(f"The {name} would replace its own input '{path}'; choose another name.")


@dataclass(frozen=True)
class ProvenanceJob:
    """Say how a mask, a probability or polygons came about, from the tags written into them."""

    file: str = option("", help="mask, probability or polygons that Hazard Mapper wrote", metavar="F", required=True)
    verify: bool = option(False, help="also hash the scene and the model again and compare")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)


@dataclass(frozen=True)
class PolygonsJob:
    """Trace a mask on its pixel edges to polygons with areas, probabilities and origin."""

    mask: str = option("", help="mask (1 hazard)", metavar="M", required=True)
    out: str = option("", help="polygons to write (%s)" % ", ".join(VECTOR_FORMATS), metavar="V", required=True)
    probability: Optional[str] = option(help="probability on the mask's grid, 0-100 %%", metavar="P")
    minimum_area_m2: float = option(0.0, help="smallest polygon that is kept", metavar="A", parse=float)
    simplify_m: float = option(
        0.0, help="metres by which shared edges may be simplified; 0 keeps pixel edges", metavar="D", parse=float
    )
    smooth: int = option(0, help="rounds of corner cutting, 0 to 5", metavar="N", parse=int)
    diagonal: bool = option(False, help="pixels that touch at a corner belong together")
    manual: Optional[str] = option(
        help="polygon file whose manually drawn polygons (origin 'manual' or 'removed') are kept", metavar="V"
    )
    date: Optional[str] = option(help="day of the scene; found out when not given", metavar="D", parse=parse_date)
    overwrite: bool = option(False, help="replace polygons that exist")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        check_ending("polygon file", self.out, tuple(VECTOR_FORMATS))
        check_not_same("polygon file", self.out, (self.mask, self.probability))
        check_range("Minimum area", self.minimum_area_m2, 0, 1e12)
        check_range("Simplification", self.simplify_m, 0, 100_000)
        check_range("Smoothing", self.smooth, 0, MOST_SMOOTHING)


@dataclass(frozen=True)
class ThresholdJob:
    """Cut a mask from a probability at another threshold, without running the model again."""

    probability: str = option("", help="probability, 0-100 %%", metavar="P", required=True)
    mask: str = option("", help="mask to write (GeoTIFF)", metavar="OUT", required=True)
    threshold: float = option(0.5, help="between 0 and 1", metavar="T", parse=float)
    run_mask: Optional[str] = option(
        help="mask of new floods that the same run wrote; its water on both dates is kept", metavar="M"
    )
    overwrite: bool = option(False, help="replace a mask that exists")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        if not (math.isfinite(self.threshold) and 0 < self.threshold < 1):
            raise BadInput(f"Threshold {self.threshold} is out of range; expected a number between 0 and 1.")
        check_ending("mask", self.mask, (".tif", ".tiff"))
        check_not_same("mask", self.mask, (self.probability, self.run_mask))


@dataclass(frozen=True)
class KeepJob:
    """Make a mask of what a cancelled run has finished; all of the rest is not assessed."""

    folder: str = option("", help="the folder that the run was given as --preview", metavar="FOLDER", required=True)
    mask: str = option("", help="mask to write (GeoTIFF)", metavar="OUT", required=True)
    probability: Optional[str] = option(help="probability to write, where the run was to write one", metavar="P")
    overwrite: bool = option(False, help="replace outputs that exist")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        check_ending("mask", self.mask, (".tif", ".tiff"))
        if self.probability:
            check_ending("probability", self.probability, (".tif", ".tiff"))
            check_not_same("probability", self.probability, (self.mask,))


@dataclass(frozen=True)
class CorrectJob:
    """Bring what was drawn and removed by hand into a mask, so that figures and maps made of it follow."""

    mask: str = option("", help="mask", metavar="M", required=True)
    polygons: str = option(
        "", help="polygons whose origin is 'manual' (hazard) or 'removed' (none)", metavar="V", required=True
    )
    out: str = option("", help="mask to write (GeoTIFF)", metavar="OUT", required=True)
    overwrite: bool = option(False, help="replace a mask that exists")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        check_ending("mask", self.out, (".tif", ".tiff"))
        check_not_same("mask", self.out, (self.mask, self.polygons))


@dataclass(frozen=True)
class RefineJob:
    """Take permanent water and impossible slopes out of a mask, each under a value of its own, and what is unseen."""

    mask: str = option(
        "",
        help="mask (0 none, 1 hazard, 255 not assessed; 2 and 3 of an earlier run count as 1)",
        metavar="M",
        required=True,
    )
    out: str = option(
        "", help="mask to write (1 hazard, 2 permanent water, 3 ruled out by slope)", metavar="OUT", required=True
    )
    permanent_water: Optional[str] = option(help="raster or polygons of water that is always there", metavar="W")
    least_occurrence: float = option(
        50.0,
        help="raster values from which water counts as permanent (JRC occurrence: per cent)",
        metavar="V",
        parse=float,
    )
    elevation: Optional[str] = option(help="elevation model in metres, any grid", metavar="DEM")
    least_slope: Optional[float] = option(help="degrees below which the hazard cannot be", metavar="S", parse=float)
    most_slope: Optional[float] = option(help="degrees above which the hazard cannot be", metavar="S", parse=float)
    not_assessed: Optional[str] = option(
        help="raster or polygons of clouds, cloud shadow, layover or whatever else cannot be seen", metavar="N"
    )
    not_assessed_values: Tuple[int, ...] = option(
        (), help="its values that cannot be seen; any but 0 when not given", metavar="CODES", parse=parse_codes
    )
    not_assessed_bits: Tuple[int, ...] = option(
        (), help="its bits, from 0 on, of which one is set where nothing can be seen", metavar="BITS", parse=parse_codes
    )
    overwrite: bool = option(False, help="replace a mask that exists")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        check_ending("mask", self.out, (".tif", ".tiff"))
        check_not_same("mask", self.out, (self.mask, self.permanent_water, self.elevation, self.not_assessed))
        if not self.permanent_water and not self.elevation and not self.not_assessed:
            raise BadInput(
                "Nothing to refine with; give permanent water, an elevation model or what cannot be assessed."
            )
        if self.not_assessed_values and self.not_assessed_bits:
            raise BadInput("Both values and bits of what cannot be assessed are given; give one of them.")
        if (self.not_assessed_values or self.not_assessed_bits) and not self.not_assessed:
            raise BadInput("Values or bits need the raster that they speak of; give what cannot be assessed.")
        for bit in self.not_assessed_bits:
            check_range("Bit", bit, 0, MOST_BIT)
        for code in self.not_assessed_values:
            check_range("Value", code, -(2**31), 2**32 - 1)
        for name, value in (("Least slope", self.least_slope), ("Most slope", self.most_slope)):
            if value is not None:
                check_range(name, value, 0, 90)
                if not self.elevation:
                    raise BadInput(f"{name} needs an elevation model; give one, or leave the limit out.")
        if self.least_slope is not None and self.most_slope is not None and self.least_slope >= self.most_slope:
            raise BadInput("The least slope is not below the most slope; give limits that leave some slopes.")
        if self.elevation and self.least_slope is None and self.most_slope is None:
            raise BadInput("An elevation model is given but no slope limit; give the least or the most slope.")


@dataclass(frozen=True)
class ChangeJob:
    """Compare masks of two dates: hazard gained, lost and unchanged, as a layer and as areas."""

    before: str = option("", help="earlier mask", metavar="M", required=True)
    after: str = option("", help="later mask; its grid is that of the output", metavar="M", required=True)
    out: str = option(
        "",
        help="change to write (GeoTIFF: 0 none, 1 gained, 2 lost, 3 unchanged hazard, 255 not assessed)",
        metavar="OUT",
        required=True,
    )
    overwrite: bool = option(False, help="replace a change that exists")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        check_ending("change", self.out, (".tif", ".tiff"))
        check_not_same("change", self.out, (self.before, self.after))


@dataclass(frozen=True)
class SeriesJob:
    """Add a mask to a monitoring series: one row a date in a table of a GeoPackage."""

    mask: str = option("", help="mask", metavar="M", required=True)
    table: str = option("", help="GeoPackage with the series; made when missing", metavar="T", required=True)
    name: str = option("series", help="name of the table in it", metavar="NAME")
    date: Optional[str] = option(help="day of the scene; found out when not given", metavar="D", parse=parse_date)
    replace: bool = option(False, help="replace the row of the same date and hazard")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        check_ending("series", self.table, (".gpkg",))
        if not self.name.strip():
            raise BadInput("The series has no name; give its table one.")


@dataclass(frozen=True)
class UnassessedJob:
    """Trace what a mask does not assess on its pixel edges to polygons."""

    mask: str = option("", help="mask (255 not assessed)", metavar="M", required=True)
    out: str = option("", help="polygons to write (GeoPackage)", metavar="V", required=True)
    overwrite: bool = option(False, help="replace polygons that exist")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        check_ending("polygon file", self.out, (".gpkg",))
        check_not_same("polygon file", self.out, (self.mask,))


@dataclass(frozen=True)
class ZonesJob:
    """Trace where a hazard is sure, likely and possible, and count the people there."""

    mask: str = option("", help="mask (1 hazard)", metavar="M", required=True)
    out: str = option("", help="polygons to write (GeoPackage)", metavar="V", required=True)
    probability: Optional[str] = option(help="probability on the mask's grid, 0-100 %%", metavar="P")
    low: Optional[float] = option(
        help="probability of the low estimate (threshold's log odds + 1 when not given)", metavar="T", parse=float
    )
    high: Optional[float] = option(
        help="probability of the high estimate (threshold's log odds - 1 when not given)", metavar="T", parse=float
    )
    population: Optional[str] = option(help="raster of people a cell, any grid", metavar="R")
    density: bool = option(False, help="the raster holds people a square kilometre")
    overwrite: bool = option(False, help="replace polygons that exist")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        check_ending("polygon file", self.out, (".gpkg",))
        check_not_same("polygon file", self.out, (self.mask, self.probability, self.population))
        for name, value in (("Low estimate", self.low), ("High estimate", self.high)):
            if value is not None:
                check_range(name, value, 0, 1)
                if not self.probability:
                    raise BadInput(f"{name} needs a probability; give one, or leave the cut out.")
        if self.low is not None and self.high is not None and self.low < self.high:
            raise BadInput("The low estimate needs the stricter cut; give it a probability not below the high one's.")


@dataclass(frozen=True)
class RepeatJob:
    """Repeat the run, and every step after it, that a result came from, and say whether it is the same."""

    file: str = option("", help="mask, probability, change or polygons", metavar="F", required=True)
    out: str = option("", help="mask (or change) to write (GeoTIFF)", metavar="OUT", required=True)
    probability: Optional[str] = option(help="probability to write (GeoTIFF)", metavar="P")
    polygons: Optional[str] = option(help="polygons to write, where the result is polygons", metavar="V")
    changed: bool = option(False, help="go on where scene or model have changed")
    overwrite: bool = option(False, help="replace outputs that exist")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        check_ending("mask", self.out, (".tif", ".tiff"))
        for name, path, endings in (
            ("probability", self.probability, (".tif", ".tiff")),
            ("polygon file", self.polygons, tuple(VECTOR_FORMATS)),
        ):
            if path:
                check_ending(name, path, endings)
                check_not_same(name, path, (self.file, self.out))
        check_not_same("mask", self.out, (self.file,))


DELIVERY_JOBS: Dict[str, type] = {
    "provenance": ProvenanceJob,
    "polygons": PolygonsJob,
    "threshold": ThresholdJob,
    "keep": KeepJob,
    "refine": RefineJob,
    "correct": CorrectJob,
    "repeat": RepeatJob,
    "change": ChangeJob,
    "series": SeriesJob,
    "unassessed": UnassessedJob,
    "zones": ZonesJob,
}
"""Kind of job to its definition."""
