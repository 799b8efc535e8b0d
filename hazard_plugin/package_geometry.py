"""Geometries of a delivery: brought to geographic coordinates, repaired, cut and measured on the ellipsoid."""

from typing import Iterable, List, Sequence

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsDistanceArea,
    QgsGeometry,
    QgsPointXY,
    QgsRectangle,
    QgsUnitTypes,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QCoreApplication

from ..engine import protocol
from .package_schema import GEOGRAPHIC

LONGEST_EDGE_M = 1000.0
"""Straight edges longer than this get corners in between before they go to another CRS, where they are curved."""
SIDE_PARTS = 32
"""Parts of each side of an outline: as many as the engine makes, so that both ways to say it are the same line."""
WGS84 = "EPSG:7030"
M2_PER_HA = 10_000.0
SLIVER_HA = 1e-4
"""What is smaller than a square metre after cutting is a rounding error, not ground."""


class ToGeographic:
    """Brings geometries of one CRS to longitude and latitude (WGS 84); raises BadInput if that cannot be."""

    def __init__(self, crs: QgsCoordinateReferenceSystem, transforms: QgsCoordinateTransformContext, name: str) -> None:
        if not crs.isValid():
            raise protocol.BadInput(
                tr("'{name}' has no CRS, so nobody knows where it lies; assign it in the layer's properties.").format(
                    name=name
                )
            )
        target = QgsCoordinateReferenceSystem(GEOGRAPHIC)
        self._name = name
        self._transform = QgsCoordinateTransform(crs, target, transforms)
        metres = QgsUnitTypes.fromUnitToUnitFactor(crs.mapUnits(), QgsUnitTypes.DistanceUnit.DistanceMeters)
        self._step = 0.0 if crs.isGeographic() or metres <= 0 else LONGEST_EDGE_M / metres

    def moved(self, geometry: QgsGeometry) -> QgsGeometry:
        """Valid multipolygon in longitude and latitude; empty where nothing of an area is left."""
        flat = QgsGeometry(geometry.constGet().segmentize()) if geometry.constGet() else QgsGeometry()
        if flat.isEmpty():
            return QgsGeometry()
        flat.get().dropZValue()
        flat.get().dropMValue()
        box = flat.boundingBox()
        if self._step and max(box.width(), box.height()) > self._step:
            flat = flat.densifyByDistance(self._step)
        try:
            flat.transform(self._transform)
        except QgsCsException as error:
            raise protocol.BadInput(
                tr(
                    "A polygon of '{name}' cannot be expressed in longitude and latitude ({error}); reproject it."
                ).format(name=self._name, error=str(error).strip())
            ) from None
        if not flat.boundingBox().isFinite():
            raise protocol.BadInput(
                tr("A polygon of '{name}' lies beyond what its CRS can express; correct or remove it.").format(
                    name=self._name
                )
            )
        return valid_polygons(flat)


class Hectares:
    """Measures areas of geometries in longitude and latitude on the ellipsoid of WGS 84."""

    def __init__(self, transforms: QgsCoordinateTransformContext) -> None:
        self._measure = QgsDistanceArea()
        self._measure.setSourceCrs(QgsCoordinateReferenceSystem(GEOGRAPHIC), transforms)
        self._measure.setEllipsoid(WGS84)

    def of(self, geometry: QgsGeometry) -> float:
        """Area in hectares."""
        return 0.0 if geometry.isEmpty() else self._measure.measureArea(geometry) / M2_PER_HA


def valid_polygons(geometry: QgsGeometry) -> QgsGeometry:
    """Multipolygon without self-crossings; lines and points that repairing leaves are dropped."""
    if geometry.isEmpty():
        return QgsGeometry()
    if not geometry.isGeosValid():
        geometry = geometry.makeValid()
    parts = [
        part for part in geometry.asGeometryCollection() if part.type() == QgsWkbTypes.GeometryType.PolygonGeometry
    ]
    if not parts:
        return QgsGeometry()
    if len(parts) == 1:
        multi = QgsGeometry(parts[0])
        multi.convertToMultiType()
        return multi
    multi = QgsGeometry.collectGeometry(parts)
    return multi if multi.isGeosValid() else valid_polygons(QgsGeometry.unaryUnion(parts))


def united(geometries: Sequence[QgsGeometry]) -> QgsGeometry:
    """One multipolygon of many that may overlap."""
    wanted = [geometry for geometry in geometries if not geometry.isEmpty()]
    if not wanted:
        return QgsGeometry()
    return valid_polygons(wanted[0] if len(wanted) == 1 else QgsGeometry.unaryUnion(wanted))


def without(geometry: QgsGeometry, taken: QgsGeometry, hectares: Hectares) -> QgsGeometry:
    """What of a geometry lies outside another, less slivers."""
    if geometry.isEmpty() or taken.isEmpty() or not geometry.boundingBoxIntersects(taken):
        return geometry
    parts = valid_polygons(geometry.difference(taken)).asGeometryCollection()
    return united([part for part in parts if hectares.of(part) > SLIVER_HA])


def within(geometry: QgsGeometry, limits: QgsGeometry) -> QgsGeometry:
    """What of a geometry lies inside another."""
    if geometry.isEmpty() or limits.isEmpty() or not geometry.boundingBoxIntersects(limits):
        return QgsGeometry()
    return valid_polygons(geometry.intersection(limits))


def ring_polygon(ring: Iterable[Sequence[float]]) -> QgsGeometry:
    """Polygon of a closed ring of coordinate pairs."""
    return QgsGeometry.fromPolygonXY([[QgsPointXY(x, y) for x, y in ring]])


def rectangle_polygon(rectangle: QgsRectangle) -> QgsGeometry:
    """Polygon of an extent, with corners along its sides."""
    return QgsGeometry.fromRect(rectangle).densifyByCount(SIDE_PARTS - 1)


def parts_of(geometry: QgsGeometry) -> List[QgsGeometry]:
    """Polygons of a multipolygon, each a multipolygon of its own."""
    return [valid_polygons(part) for part in geometry.asGeometryCollection()]


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("PackageGeometry", text)
