"""What the analyst asks a delivery to say, filled up with what mask and polygons say of their own origin."""

from dataclasses import dataclass
from typing import Any, Dict, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsDistanceArea,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingFeedback,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from ..engine import protocol
from .package_content import Event
from .package_geometry import WGS84, rectangle_polygon
from .package_schema import (
    DETECTION_METHODS,
    SENSOR_NAMES,
    Source,
    check_event_type,
    credit_of,
    event_of,
    notation_of,
    published_day,
    published_time,
    subtype_of,
)

FROM_POLYGONS = ("hazard", "scene", "scene_date", "model", "threshold")
"""Columns of polygons that say how they came about."""


@dataclass(frozen=True)
class Raster:
    """What is taken of a raster layer on the main thread."""

    name: str
    crs: QgsCoordinateReferenceSystem
    rectangle: QgsGeometry
    pixel_m: Optional[float]
    path: str = ""


@dataclass(frozen=True)
class Origin:
    """How polygons came about: the engine's ``provenance`` of the mask, and the attributes of the polygons."""

    mask: Dict[str, Any]
    polygons: Dict[str, str]

    @property
    def hazard(self) -> str:
        """Hazard of the polygons, else of the mask."""
        return self.polygons.get("hazard") or str(self.mask.get("hazard") or "")

    @property
    def day(self) -> str:
        """Day of the scene as ``2024-09-16``; empty where it is not known."""
        return str(self.mask.get("scene_date") or self.polygons.get("scene_date") or "")[:10]

    @property
    def scene(self) -> str:
        """Name of the scene."""
        return str(self.mask.get("scene_name") or self.polygons.get("scene") or "")

    @property
    def sensor(self) -> str:
        """Sensor by this program's name."""
        return str(self.mask.get("sensor") or "")

    def told(self, name: str) -> str:
        """``model`` or ``threshold``, as the mask says it, else the polygons."""
        value = self.mask.get(name)
        return str(value) if value not in (None, "") else self.polygons.get(name, "")


@dataclass(frozen=True)
class Request:
    """Texts as they were typed; an empty one is filled from the origin. Raises BadInput for what has no valid form."""

    event_type: str = ""
    subtype: str = ""
    notation: str = ""
    method: str = ""
    mission: str = ""
    day: str = ""
    time: str = ""
    gsd_m: Optional[float] = None
    phase: str = "Post-event"
    credit: str = ""
    locality: str = ""
    glide: str = ""

    def __post_init__(self) -> None:
        """Check what has a published form."""
        published_day(self.day)
        published_time(self.time)
        if self.event_type:
            check_event_type(self.event_type)
        if self.method and self.method not in DETECTION_METHODS:
            raise protocol.BadInput(
                tr("Detection method '{method}' is not of the published list; choose {known}.").format(
                    method=self.method, known=", ".join(DETECTION_METHODS)
                )
            )

    def event(self, origin: Origin, feedback: QgsProcessingFeedback) -> Event:
        """What is said of every polygon; what had to be assumed is told."""
        other = str(origin.mask.get("hazard") or "")
        if other and other != origin.hazard:
            feedback.pushWarning(
                tr("The polygons show {polygons}, the mask {mask}; the package follows the polygons.").format(
                    polygons=origin.hazard, mask=other
                )
            )
        event_type = self.event_type or event_of(origin.hazard)[0]
        subtype = self.subtype or subtype_of(event_type, origin.hazard)
        if not self.subtype:
            feedback.pushWarning(
                tr("The event is delivered as '{type}', '{subtype}'; choose others if that is not so.").format(
                    type=event_type, subtype=subtype
                )
            )
        return Event(event_type, subtype, self.notation or notation_of(event_type), self.method)

    def source(self, origin: Origin, pixel_m: Optional[float], feedback: QgsProcessingFeedback) -> Source:
        """The image; what is not known of it is told. Raises BadInput if not even its name is known."""
        name = self.mission or SENSOR_NAMES.get(origin.sensor, "") or origin.scene
        if not name:
            raise protocol.BadInput(
                tr("The mission of the image is not known; give it under Mission of the image, such as Sentinel-2.")
            )
        day = self.day or origin.day
        if not day:
            feedback.pushWarning(tr("The day of the image is not known; the table source does not state it."))
        gsd_m = self.gsd_m if self.gsd_m else pixel_m
        feedback.pushInfo(tr("Source of the image: {name}, {day}.").format(name=name, day=day or tr("day not stated")))
        return Source(name, day, self.time, gsd_m, self.phase)

    def credits(self, origin: Origin) -> str:
        """Sources and licences; empty where they are not known."""
        return self.credit or credit_of(origin.sensor, self.day or origin.day)


def described(layer: QgsRasterLayer, path: str = "") -> Raster:
    """What is taken of a raster layer; raises BadInput if it cannot be read or lies nowhere."""
    if not layer.isValid():
        raise protocol.BadInput(
            tr("Layer '{name}' is broken: its data cannot be found; repair its source.").format(name=layer.name())
        )
    return Raster(layer.name(), layer.crs(), rectangle_polygon(layer.extent()), pixel_size_m(layer), path)


def pixel_size_m(layer: QgsRasterLayer) -> Optional[float]:
    """Ground distance of a pixel at the layer's centre, on the ellipsoid; None where it is not known."""
    step = layer.rasterUnitsPerPixelX()
    if not layer.crs().isValid() or not step > 0:
        return None
    measure = QgsDistanceArea()
    measure.setSourceCrs(layer.crs(), layer.transformContext())
    measure.setEllipsoid(WGS84)
    centre = layer.extent().center()
    metres = measure.measureLine(centre, QgsPointXY(centre.x() + step, centre.y()))
    return metres if 0 < metres < 1e6 else None


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("PackageRequest", text)
