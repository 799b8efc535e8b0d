"""Draws the layers of a result into a picture without a window; may run on any thread that owns the layers."""

import base64
from typing import List

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsMapLayer,
    QgsMapRendererCustomPainterJob,
    QgsMapSettings,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QBuffer, QByteArray, QIODevice, QSize
from qgis.PyQt.QtGui import QColor, QImage, QPainter

LONG_SIDE_PX, LEAST_SIDE_PX = 1400, 300


def map_picture(
    layers: List[QgsMapLayer],
    crs: QgsCoordinateReferenceSystem,
    extent: QgsRectangle,
    context: QgsCoordinateTransformContext,
) -> str:
    """The map as base64 of a PNG."""
    scale = LONG_SIDE_PX / max(extent.width(), extent.height())
    size = QSize(*(max(round(side * scale), LEAST_SIDE_PX) for side in (extent.width(), extent.height())))
    settings = QgsMapSettings()
    settings.setTransformContext(context)
    if crs.isValid():
        settings.setDestinationCrs(crs)
    settings.setLayers(layers)
    settings.setExtent(extent)
    settings.setOutputSize(size)
    settings.setBackgroundColor(QColor("#f3f3f0"))
    image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QColor("#f3f3f0"))
    painter = QPainter(image)
    QgsMapRendererCustomPainterJob(settings, painter).renderSynchronously()
    painter.end()
    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return base64.b64encode(bytes(held)).decode("ascii")
