"""The layout of a Copernicus EMS Rapid Mapping vector package: names, fields and code lists.

Where each of these comes from is said in ``resources/help/emergency_package.md``.
"""

import datetime
import re
from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from qgis.PyQt.QtCore import QCoreApplication

from ..engine import protocol

PRODUCTS = {"DEL": "Delineation", "FEP": "First Estimate", "GRA": "Grading"}
"""Products after the event by their code, and what ``map_type`` says of them."""

EVENT_TYPES = (
    "1-Earthquake",
    "2-Volcanic Activity",
    "3-Storm",
    "4-Extreme temperature",
    "5-Flood",
    "6-Mass Movement",
    "7-Drought",
    "8-Wildfire",
    "998-Other",
)
EVENT_SUBTYPES = {
    "5-Flood": ("Riverine flood", "Flash flood", "Coastal flood", "Ice jam flood"),
    "6-Mass Movement": ("Landslide", "Avalanche", "Debris, rockfall", "Mudflow", "Subsidence"),
    "8-Wildfire": ("Forest fire", "Land fire: Brush, bush, Pasture", "Urban fires"),
}
"""Values of ``obj_desc`` offered for an ``event_type``, the default first."""

EVENT_OF_HAZARD = {
    "flood": ("5-Flood", "Riverine flood"),
    "landslide": ("6-Mass Movement", "Landslide"),
    "glacier_collapse": ("6-Mass Movement", "Avalanche"),
}
"""What is written for a hazard unless the analyst says otherwise. Which one a glacier collapse is, is our choice."""

OTHER_EVENT = ("998-Other", "998-Other subtype")
NOT_APPLICABLE = "Not Applicable"
NOTATIONS = {"5-Flood": ("Flooded area", "Flood trace"), "8-Wildfire": ("Burnt area",)}
"""Values of ``notation`` seen in published packages for an ``event_type``, the default first."""

DETECTION_METHODS = ("Photo-interpretation", "Semi-automatic extraction", "Automatic extraction", "Modelling")
BY_HAND = DETECTION_METHODS[0]
BY_MODEL = DETECTION_METHODS[1]

EVENT_PHASES = ("Pre-event", "Post-event", "Not applicable")
FOOTPRINT, NOT_ANALYSED, NO_DATA = "Image Footprint", "Not Analysed", "Not Analysed - No data"
"""Values of ``obj_type`` in ``imageFootprintA``: what the image shows, what in it could not be analysed, and what of
the area of interest it does not show."""

SENSOR_NAMES = {
    "sentinel-1": "Sentinel-1",
    "sentinel-2-l1c": "Sentinel-2",
    "sentinel-2-l2a": "Sentinel-2",
    "landsat-5": "Landsat-5",
    "landsat-7": "Landsat-7",
    "landsat-8": "Landsat-8",
    "landsat-9": "Landsat-9",
    "planetscope": "PlanetScope",
}
"""Mission names as the ``source`` table has them, by the sensor's name in this program."""

TEXT, WHOLE, REAL = "text", "whole", "real"
GEOGRAPHIC = "EPSG:4326"
"""CRS of published packages."""


@dataclass(frozen=True)
class Column:
    """A column of a layer; names have at most ten characters, as Shapefiles need it."""

    name: str
    kind: str
    alias: str
    length: int = 0


@dataclass(frozen=True)
class Layout:
    """A layer or table of the package."""

    name: str
    columns: Tuple[Column, ...]
    has_geometry: bool = True

    def names(self) -> Tuple[str, ...]:
        """Names of the columns in their order."""
        return tuple(column.name for column in self.columns)


OBSERVED_EVENT = Layout(
    "observedEventA",
    (
        Column("event_type", TEXT, "Event Type", 50),
        Column("obj_desc", TEXT, "Object Description", 100),
        Column("det_method", TEXT, "Determination Method", 50),
        Column("notation", TEXT, "Comment", 254),
        Column("dmg_src_id", WHOLE, "Damage Source Identifier"),
        Column("area", REAL, "Affected Area (ha)"),
    ),
)
AREA_OF_INTEREST = Layout(
    "areaOfInterestA",
    (
        Column("emsr_id", TEXT, "Activation Code", 20),
        Column("glide_no", TEXT, "Glide Number", 50),
        Column("area_id", TEXT, "Area Id", 10),
        Column("locality", TEXT, "Locality", 100),
        Column("map_type", TEXT, "Map Type", 50),
    ),
)
IMAGE_FOOTPRINT = Layout(
    "imageFootprintA",
    (Column("obj_type", TEXT, "Object Type", 50), Column("or_src_id", WHOLE, "Origin Source Identifier")),
)
SOURCE = Layout(
    "source",
    (
        Column("source_nam", TEXT, "Source Name", 100),
        Column("src_date", TEXT, "Source Date", 10),
        Column("source_tm", TEXT, "Source Time (UTC)", 10),
        Column("sensor_gsd", TEXT, "Sensor Resolution (GSD)", 20),
        Column("eventphase", TEXT, "Event Phase", 20),
        Column("src_id", WHOLE, "Source Identifier"),
    ),
    has_geometry=False,
)
LAYOUTS = (OBSERVED_EVENT, AREA_OF_INTEREST, IMAGE_FOOTPRINT, SOURCE)


@dataclass(frozen=True)
class PackageName:
    """What all names of a package are made of.

    Raises BadInput, with one sentence, for what no published name could have.
    """

    activation: str
    aoi: int = 1
    product: str = "DEL"
    monitoring: int = 0
    revision: int = 1
    version: int = 1

    def __post_init__(self) -> None:
        """Check each part."""
        if not re.fullmatch(r"EMSR[0-9]{3,4}", self.activation):
            raise protocol.BadInput(
                tr("'{code}' is no activation code; expected EMSR and three or four digits, such as EMSR000.").format(
                    code=self.activation
                )
            )
        if self.product not in PRODUCTS:
            text = tr("Product '{product}' is not known; choose one of {known}.")
            raise protocol.BadInput(text.format(product=self.product, known=", ".join(PRODUCTS)))
        for what, number, least in (
            (tr("area of interest"), self.aoi, 1),
            (tr("monitoring"), self.monitoring, 0),
            (tr("release"), self.revision, 1),
            (tr("version"), self.version, 1),
        ):
            if not least <= number <= 99:
                text = tr("The number of the {what} is {number}; expected {least} to 99.")
                raise protocol.BadInput(text.format(what=what, number=number, least=least))

    @property
    def stem(self) -> str:
        """``EMSR000_AOI01_DEL_PRODUCT``, or ``..._MONIT02`` for the second monitoring."""
        stage = f"MONIT{self.monitoring:02d}" if self.monitoring else "PRODUCT"
        return f"{self.activation}_AOI{self.aoi:02d}_{self.product}_{stage}"

    @property
    def edition(self) -> str:
        """``r1_v1``."""
        return f"r{self.revision}_v{self.version}"

    @property
    def package(self) -> str:
        """Name of the folder and of the GeoPackage."""
        return f"{self.stem}_{self.edition}"

    def layer(self, layout: Layout) -> str:
        """Name of a layer: ``EMSR000_AOI01_DEL_PRODUCT_observedEventA_r1_v1``."""
        return f"{self.stem}_{layout.name}_{self.edition}"

    @property
    def map_type(self) -> str:
        """Product in words."""
        title = PRODUCTS[self.product]
        return f"{title} Monitoring {self.monitoring:02d}" if self.monitoring else title


@dataclass(frozen=True)
class Source:
    """The image that the delineation was made from: one row of the table ``source``."""

    name: str
    day: str = ""
    time: str = ""
    gsd_m: Optional[float] = None
    phase: str = "Post-event"
    number: int = 1

    def row(self) -> Dict[str, object]:
        """Values of the row in the published formats; what is not known is None."""
        return {
            "source_nam": self.name,
            "src_date": published_day(self.day),
            "source_tm": published_time(self.time),
            "sensor_gsd": None
            if self.gsd_m is None
            else f"{self.gsd_m:.3g} m"
            if self.gsd_m < 100
            else f"{self.gsd_m:.0f} m",
            "eventphase": self.phase,
            "src_id": self.number,
        }


def published_day(day: str) -> Optional[str]:
    """``2024-09-16`` as ``16/09/2024``; None for none, BadInput for what is no day."""
    if not day:
        return None
    try:
        return datetime.date.fromisoformat(day).strftime("%d/%m/%Y")
    except ValueError:
        text = tr("'{day}' is no day; expected year, month and day, such as 2024-09-16.")
        raise protocol.BadInput(text.format(day=day)) from None


def published_time(time: str) -> Optional[str]:
    """``9:02`` or ``09:02:36`` as ``T09:02:36Z``; None for none, BadInput for what is no time."""
    if not time:
        return None
    found = re.fullmatch(r"T?([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?Z?", time)
    if not found:
        text = tr("'{time}' is no time of day; expected hours and minutes in UTC, such as 09:02.")
        raise protocol.BadInput(text.format(time=time))
    hours, minutes, seconds = found.groups()
    return f"T{int(hours):02d}:{minutes}:{seconds or '00'}Z"


def event_of(hazard: str) -> Tuple[str, str]:
    """Event type and sub-type that are written for a hazard unless the analyst says otherwise."""
    return EVENT_OF_HAZARD.get(hazard, OTHER_EVENT)


def check_event_type(event_type: str) -> None:
    """Raise BadInput unless it has the form of an event type."""
    if not re.fullmatch(r"[0-9]{1,3}-\S.*", event_type):
        text = tr("'{event}' is no event type; expected a number and a name, such as {example}.")
        raise protocol.BadInput(text.format(event=event_type, example=EVENT_TYPES[4]))


def subtype_of(event_type: str, hazard: str) -> str:
    """Sub-type for an event type where the analyst gives none."""
    if event_type == event_of(hazard)[0]:
        return event_of(hazard)[1]
    return EVENT_SUBTYPES.get(event_type, (OTHER_EVENT[1],))[0]


def notation_of(event_type: str) -> str:
    """Notation for an event type where the analyst gives none."""
    return NOTATIONS.get(event_type, (NOT_APPLICABLE,))[0]


def method_of(origin: str, method: str) -> str:
    """Published detection method of a polygon: its own if that is one, else by its origin."""
    known = {name.lower(): name for name in DETECTION_METHODS}
    return known.get(method.strip().lower()) or (BY_HAND if origin == "manual" else BY_MODEL)


def credit_of(sensor: str, day: str) -> str:
    """Attribution that a sensor's imagery asks for; empty where that is not known."""
    year = f" {day[:4]}" if day else ""
    if sensor.startswith("sentinel-"):
        return f"Contains modified Copernicus Sentinel data{year}"
    if sensor.startswith("landsat-"):
        return "Landsat imagery courtesy of the U.S. Geological Survey"
    return ""


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("PackageSchema", text)
