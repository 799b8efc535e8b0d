"""What the map canvas shows, in the terms of a layer; nothing where there is no canvas."""

from typing import Any, Optional

from qgis.core import QgsCoordinateTransform, QgsCsException, QgsProject, QgsRasterLayer, QgsRectangle


def map_canvas() -> Any:
    """The main map canvas, or None when QGIS runs without windows."""
    from qgis.utils import iface

    return None if iface is None else iface.mapCanvas()


def view_resolution(layer: QgsRasterLayer) -> Optional[float]:
    """Map units of the layer's CRS that one screen pixel spans at the centre of the view; None if unknown."""
    canvas = map_canvas()
    if canvas is None or not layer.crs().isValid():
        return None
    view = canvas.extent()
    step = canvas.mapUnitsPerPixel()
    if view.isEmpty() or step <= 0:
        return None
    centre = view.center()
    pixel = QgsRectangle(centre.x(), centre.y(), centre.x() + step, centre.y() + step)
    settings = canvas.mapSettings()
    transform = QgsCoordinateTransform(settings.destinationCrs(), layer.crs(), QgsProject.instance())
    try:
        width = transform.transformBoundingBox(pixel).width()
    except QgsCsException:
        return None
    return float(width) if width > 0 else None


def zoom_to_layer(canvas: Any, layer: QgsRasterLayer) -> None:
    """Show a whole layer in a map canvas."""
    transform = QgsCoordinateTransform(layer.crs(), canvas.mapSettings().destinationCrs(), QgsProject.instance())
    canvas.setExtent(transform.transformBoundingBox(layer.extent()))
    canvas.refresh()
