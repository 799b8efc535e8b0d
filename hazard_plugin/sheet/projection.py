"""In which coordinate system a sheet is drawn, and which part of the world it shows."""

from typing import Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol

GEOGRAPHIC = "EPSG:4326"
MARGIN = 0.04
"""Share of the area's sides that is left free around it."""


def sheet_crs(
    wanted: QgsCoordinateReferenceSystem,
    project: QgsProject,
    layer_crs: QgsCoordinateReferenceSystem,
    extent: QgsRectangle,
) -> QgsCoordinateReferenceSystem:
    """The wanted system; else the project's if it is in metres, the layer's likewise, or the fitting UTM zone.

    Web Mercator is passed over: its scale is wrong away from the equator.
    """
    if wanted.isValid():
        return wanted
    if not layer_crs.isValid():
        return QgsCoordinateReferenceSystem()
    for crs in (project.crs(), layer_crs):
        if crs.isValid() and not crs.isGeographic() and crs.authid() not in ("EPSG:3857", "EPSG:900913"):
            return crs
    centre = transformed(extent, layer_crs, QgsCoordinateReferenceSystem(GEOGRAPHIC), project).center()
    return utm_crs(centre)


def utm_crs(centre: QgsPointXY) -> QgsCoordinateReferenceSystem:
    """UTM zone (WGS 84) of a longitude and latitude; polar stereographic beyond its zones."""
    longitude = (centre.x() + 180.0) % 360.0 - 180.0
    if centre.y() > 84.0:
        return QgsCoordinateReferenceSystem("EPSG:32661")
    if centre.y() < -80.0:
        return QgsCoordinateReferenceSystem("EPSG:32761")
    zone = min(int((longitude + 180.0) // 6.0) + 1, 60)
    return QgsCoordinateReferenceSystem(f"EPSG:{(32600 if centre.y() >= 0 else 32700) + zone}")


def transformed(
    extent: QgsRectangle,
    source: QgsCoordinateReferenceSystem,
    target: QgsCoordinateReferenceSystem,
    project: QgsProject,
) -> QgsRectangle:
    """An extent in another system; raises BadInput if it has no place there."""
    if not source.isValid() or not target.isValid() or source == target:
        return QgsRectangle(extent)
    transform = QgsCoordinateTransform(source, target, project.transformContext())
    try:
        found = transform.transformBoundingBox(extent)
    except QgsCsException:
        found = QgsRectangle()
    if found.isEmpty() or not found.isFinite():
        raise protocol.BadInput(
            tr("The area cannot be drawn in {crs}; choose another coordinate system for the sheet.").format(
                crs=crs_text(target)
            )
        )
    return found


def with_margin(extent: QgsRectangle) -> QgsRectangle:
    """An extent with some room around it."""
    room = MARGIN * max(extent.width(), extent.height())
    return extent.buffered(room)


def centre_of(extent: QgsRectangle, crs: QgsCoordinateReferenceSystem, project: QgsProject) -> Optional[QgsPointXY]:
    """Longitude and latitude of the middle; None where the system does not say where on Earth it is."""
    if not crs.isValid():
        return None
    try:
        return transformed(extent, crs, QgsCoordinateReferenceSystem(GEOGRAPHIC), project).center()
    except protocol.BadInput:
        return None


def crs_text(crs: QgsCoordinateReferenceSystem) -> str:
    """``WGS 84 / UTM zone 33N (EPSG:32633)``."""
    if not crs.isValid():
        return tr("no coordinate system")
    authid = crs.authid()
    return f"{crs.description()} ({authid})" if authid else crs.description() or tr("custom coordinate system")


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("MapSheet", text)
