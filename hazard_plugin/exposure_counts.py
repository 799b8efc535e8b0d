"""Counts what lies in the zones of a hazard: objects touched, lengths and areas on the ellipsoid, shares of people."""

from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsDistanceArea,
    QgsFeature,
    QgsFeatureRequest,
    QgsGeometry,
    QgsProcessingFeedback,
    QgsRectangle,
    QgsSpatialIndex,
)
from qgis.PyQt.QtCore import QCoreApplication

from ..engine import protocol
from .compat import LINE_GEOMETRY, NO_CHECK, POLYGON_GEOMETRY

SURE, LIKELY, POSSIBLE, UNKNOWN = 1, 2, 3, 4
"""Zones, which do not overlap: hazard in all estimates; in the central and high one; in the high one; not assessed."""
MOST_NODES = 128
"""Corners of a part of a zone; larger zones are cut, so that each question meets few of them."""
BOX_NODES = 5
"""Corners of a traced rectangle, which needs no check."""
EDGE_PARTS = 32
LARGE_M = 2000.0
"""Size from which edges get corners in between on the way to another CRS: straight in one is curved in the other."""
DEGREE_M = 111_320.0
WGS84_ELLIPSOID = "EPSG:7030"


@dataclass
class Amounts:
    """One row's numbers: of each zone, and of everything on the mask."""

    zones: Dict[int, float] = field(default_factory=lambda: dict.fromkeys((SURE, LIKELY, POSSIBLE, UNKNOWN), 0.0))
    total: float = 0.0

    def add(self, zones: Dict[int, float], total: float) -> None:
        """Add an object's numbers."""
        for zone, amount in zones.items():
            self.zones[zone] += amount
        self.total += total

    @property
    def low(self) -> float:
        """In the sure zone."""
        return self.zones[SURE]

    @property
    def central(self) -> float:
        """In the mask's hazard."""
        return self.zones[SURE] + self.zones[LIKELY]

    @property
    def high(self) -> float:
        """In the mask's hazard or where it is possible."""
        return self.central + self.zones[POSSIBLE]

    @property
    def not_assessed(self) -> float:
        """Where the mask is not assessed."""
        return self.zones[UNKNOWN]


class Zones:
    """Polygons of zones, ready to be asked what an object has in common with them.

    Args:
        crs: of the polygons.
        outline: of the mask, in the same CRS.
        transforms: of the project.
    """

    def __init__(
        self, crs: QgsCoordinateReferenceSystem, outline: QgsGeometry, transforms: QgsCoordinateTransformContext
    ) -> None:
        self.crs = crs
        self.outline = outline
        self.extent: QgsRectangle = outline.boundingBox()
        self._box = outline.isGeosEqual(QgsGeometry.fromRect(self.extent))
        self._outline = prepared(outline)
        self.measure = QgsDistanceArea()
        self.measure.setSourceCrs(crs, transforms)
        self.measure.setEllipsoid(crs.ellipsoidAcronym() or WGS84_ELLIPSOID)
        self._index = QgsSpatialIndex()
        self._parts: List[Tuple[int, QgsGeometry]] = []
        self._engines: Dict[int, Any] = {}
        self._areas: Dict[int, float] = {}

    def add(self, zone: int, polygon: QgsGeometry) -> None:
        """Add a polygon of a zone."""
        if polygon.constGet().nCoordinates() > BOX_NODES and not polygon.isGeosValid():
            polygon = of_kind(polygon.makeValid(), POLYGON_GEOMETRY)
        if polygon.isNull() or polygon.isEmpty():
            return
        large = polygon.constGet().nCoordinates() > MOST_NODES
        pieces = polygon.subdivide(MOST_NODES) if large else polygon
        for piece in pieces.asGeometryCollection():
            number = len(self._parts)
            self._parts.append((zone, piece))
            self._index.addFeature(number, piece.boundingBox())

    # What an object has in common with the zones

    def share_on_mask(self, geometry: QgsGeometry) -> Optional[QgsGeometry]:
        """Part of a geometry that lies on the mask; None if there is none."""
        box = geometry.boundingBox()
        if not box.intersects(self.extent) and not self.extent.contains(box):
            return None
        if self._box and self.extent.contains(box):
            return geometry
        if self._outline.contains(geometry.constGet()):
            return geometry
        if not self._outline.intersects(geometry.constGet()):
            return None
        return geometry.intersection(self.outline)

    def touched(self, geometry: QgsGeometry) -> Dict[int, float]:
        """One in the surest zone that a polygon or point shares ground with; a point on an edge belongs to it."""
        shape = geometry.constGet()
        flat = geometry.type() == POLYGON_GEOMETRY
        for number in self._near(geometry):
            engine = self._engine(number)
            if engine.intersects(shape) and not (flat and engine.touches(shape)):
                return {self._parts[number][0]: 1.0}
        return {}

    def areas_m2(self, geometry: QgsGeometry) -> Dict[int, float]:
        """Square metres of a polygon in each zone."""
        found: Dict[int, float] = {}
        near = self._near(geometry)
        own = prepared(geometry) if near else None
        for number in near:
            zone, part = self._parts[number]
            if own.contains(part.constGet()):
                area = self._area(number)
            elif not own.intersects(part.constGet()):
                continue
            elif self._engine(number).contains(geometry.constGet()):
                area = self.area_m2(geometry)
            else:
                area = self.area_m2(of_kind(geometry.intersection(part), POLYGON_GEOMETRY))
            found[zone] = found.get(zone, 0.0) + area
        return found

    def lengths_m(self, line: QgsGeometry) -> Dict[int, float]:
        """Metres of a line in each zone; what runs along a common edge counts once, for the surer zone."""
        pieces: Dict[int, List[QgsGeometry]] = {}
        for number in self._near(line):
            zone, part = self._parts[number]
            engine = self._engine(number)
            if engine.contains(line.constGet()):
                return {zone: self.length_m(line)}
            if engine.intersects(line.constGet()):
                piece = of_kind(line.intersection(part), LINE_GEOMETRY)
                if not piece.isEmpty():
                    pieces.setdefault(zone, []).append(piece)
        found: Dict[int, float] = {}
        together: List[QgsGeometry] = []
        before = 0.0
        for zone in sorted(pieces):
            together += pieces[zone]
            length = self.length_m(together[0] if len(together) == 1 else QgsGeometry.unaryUnion(together))
            found[zone] = max(length - before, 0.0)
            before = length
        return found

    def area_m2(self, geometry: QgsGeometry) -> float:
        """Ellipsoidal area."""
        return 0.0 if geometry.isEmpty() else float(self.measure.measureArea(geometry))

    def length_m(self, geometry: QgsGeometry) -> float:
        """Ellipsoidal length."""
        return 0.0 if geometry.isEmpty() else float(self.measure.measureLength(geometry))

    def _near(self, geometry: QgsGeometry) -> List[int]:
        """Parts whose boxes meet that of a geometry, the surest zone first."""
        return sorted(self._index.intersects(geometry.boundingBox()), key=lambda number: self._parts[number][0])

    def _engine(self, number: int) -> Any:
        if number not in self._engines:
            self._engines[number] = prepared(self._parts[number][1])
        return self._engines[number]

    def _area(self, number: int) -> float:
        if number not in self._areas:
            self._areas[number] = self.area_m2(self._parts[number][1])
        return self._areas[number]


def prepared(geometry: QgsGeometry) -> Any:
    """Geometry engine that answers many questions about one geometry, which has to outlive it."""
    engine = QgsGeometry.createGeometryEngine(geometry.constGet())
    engine.prepareGeometry()
    return engine


def of_kind(geometry: QgsGeometry, kind: Any) -> QgsGeometry:
    """Lines or polygons of a geometry alone; empty where there are none."""
    if geometry.isNull() or geometry.isEmpty():
        return QgsGeometry()
    geometry.convertGeometryCollectionToSubclass(kind)
    return geometry if geometry.type() == kind else QgsGeometry()


class LayerReader:
    """Features of a layer of the analyst's near the zones, in the zones' CRS; broken ones are mended and counted."""

    def __init__(
        self, source: Any, zones: Zones, transforms: QgsCoordinateTransformContext, feedback: QgsProcessingFeedback
    ) -> None:
        self._source, self._zones, self._feedback = source, zones, feedback
        crs = source.sourceCrs()
        self._move = QgsCoordinateTransform(crs if crs.isValid() else zones.crs, zones.crs, transforms)
        self._large = LARGE_M / (DEGREE_M if crs.isGeographic() else 1.0)
        self.has_crs = crs.isValid()
        self.repaired = self.skipped = 0

    def features(self, fields: Sequence[str] = ()) -> Iterator[Tuple[QgsFeature, QgsGeometry]]:
        """Yield features with their geometries; raises Cancelled."""
        request = QgsFeatureRequest()
        if fields:
            request.setSubsetOfAttributes(list(fields), self._source.fields())
        else:
            request.setNoAttributes()
        try:
            request.setFilterRect(self._move.transformBoundingBox(self._zones.extent, Qgis.TransformDirection.Reverse))
        except QgsCsException:
            pass  # then all are looked at
        for feature in self._source.getFeatures(request, NO_CHECK):
            if self._feedback.isCanceled():
                raise protocol.Cancelled(tr("Cancelled; nothing was written."))
            if not feature.hasGeometry():
                continue
            geometry = self._ready(feature.geometry())
            if geometry is not None:
                yield feature, geometry

    def _ready(self, geometry: QgsGeometry) -> Optional[QgsGeometry]:
        """Geometry in the zones' CRS and valid; None for one that cannot be mended, which is counted."""
        kind = geometry.type()
        if not self._move.isShortCircuited():
            box = geometry.boundingBox()
            longest = max(box.width(), box.height())
            if longest > self._large:
                geometry = geometry.densifyByDistance(longest / EDGE_PARTS)
            try:
                geometry.transform(self._move)
            except QgsCsException:
                self.skipped += 1
                return None
        box = geometry.boundingBox()
        if not box.isFinite():
            self.skipped += 1
            return None
        if not box.intersects(self._zones.extent):
            return None
        if kind == POLYGON_GEOMETRY and not geometry.isGeosValid():
            geometry = of_kind(geometry.makeValid(), kind)
            if geometry.isEmpty():
                self.skipped += 1
                return None
            self.repaired += 1
        return geometry


def count_buildings(reader: LayerReader, zones: Zones) -> Tuple[Amounts, Optional[Amounts]]:
    """Number of buildings touched, and square metres of their ground plans; None for points."""
    numbers, plans = Amounts(), Amounts()
    any_plan = False
    for _, geometry in reader.features():
        here = zones.share_on_mask(geometry)
        if here is None:
            continue
        touched = zones.touched(geometry)
        numbers.add(touched, 1.0)
        if geometry.type() == POLYGON_GEOMETRY:
            any_plan = True
            area = zones.area_m2(geometry)
            plans.add({zone: area for zone in touched}, area)
    return numbers, plans if any_plan else None


def count_roads(reader: LayerReader, zones: Zones) -> Amounts:
    """Metres of lines."""
    amounts = Amounts()
    for _, geometry in reader.features():
        here = zones.share_on_mask(geometry)
        if here is not None:
            amounts.add(zones.lengths_m(geometry), zones.length_m(of_kind(here, LINE_GEOMETRY)))
    return amounts


def count_land_use(reader: LayerReader, zones: Zones, class_field: str) -> Dict[str, Amounts]:
    """Square metres of polygons by the text of their class."""
    found: Dict[str, Amounts] = {}
    for feature, geometry in reader.features([class_field] if class_field else []):
        here = zones.share_on_mask(geometry)
        if here is not None:
            name = text_of(feature[class_field]) if class_field else ""
            amounts = found.setdefault(name, Amounts())
            amounts.add(zones.areas_m2(geometry), zones.area_m2(of_kind(here, POLYGON_GEOMETRY)))
    return found


def count_people(reader: LayerReader, zones: Zones, people_field: str) -> Tuple[Amounts, int]:
    """People of polygons, each spread evenly over its ground; and how many polygons say no number of people."""
    amounts = Amounts()
    unsaid = 0
    for feature, geometry in reader.features([people_field]):
        here = zones.share_on_mask(geometry)
        area = zones.area_m2(geometry)
        if here is None or area <= 0:
            continue
        people = number_of(feature[people_field])
        if people is None:
            unsaid += 1
            continue
        each = people / area
        inside = {zone: each * part for zone, part in zones.areas_m2(geometry).items()}
        amounts.add(inside, each * zones.area_m2(of_kind(here, POLYGON_GEOMETRY)))
    return amounts, unsaid


def text_of(value: Any) -> str:
    """Class as text; empty for NULL."""
    return "" if value is None or str(value) == "NULL" else str(value)


def number_of(value: Any) -> Optional[float]:
    """Number of people; None for NULL, text and negative numbers."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < float("inf") else None


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("ExposureCounts", text)
