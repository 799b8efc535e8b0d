"""Hands polygons to the engine: reprojected to the scene's CRS, in a temporary GeoPackage."""

import os
from dataclasses import dataclass

from qgis.core import (
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSink,
    QgsFields,
    QgsGeometry,
    QgsProcessingFeatureSource,
    QgsProcessingFeedback,
    QgsRectangle,
    QgsVectorFileWriter,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import MULTIPOLYGON, NO_CHECK, POLYGON_GEOMETRY, no_extent
from ..exposure_counts import of_kind
from ..raster_source import RasterSource, clip


@dataclass(frozen=True)
class Area:
    """Polygons in a file, and their extent in the scene's CRS."""

    path: str
    extent: QgsRectangle


def write_area(
    polygons: QgsProcessingFeatureSource,
    scene: RasterSource,
    folder: str,
    transforms: QgsCoordinateTransformContext,
    feedback: QgsProcessingFeedback,
) -> Area:
    """Write the polygons that limit the assessment; raises BadInput if none is near the scene, Cancelled."""
    path = os.path.join(folder, "area.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    writer = QgsVectorFileWriter.create(path, QgsFields(), MULTIPOLYGON, scene.crs, transforms, options)
    request = QgsFeatureRequest().setNoAttributes()
    if scene.crs.isValid():
        request.setDestinationCrs(scene.crs, transforms)
    extent = no_extent()
    try:
        # QGIS's own check would end the program where it ends a loop of Python: broken polygons are mended here.
        for feature in polygons.getFeatures(request, NO_CHECK):
            if feedback.isCanceled():
                raise protocol.Cancelled(tr("Cancelled; nothing was written."))
            geometry = plain_polygons(feature.geometry())
            if geometry.isEmpty():
                continue
            plain = QgsFeature()
            plain.setGeometry(geometry)
            if not writer.addFeature(plain, QgsFeatureSink.Flag.FastInsert):
                raise protocol.OutputFailed(
                    tr("The polygons cannot be handed to the engine ({error}).").format(error=writer.errorMessage())
                )
            extent.combineExtentWith(geometry.boundingBox())
    except QgsCsException as error:
        raise protocol.BadInput(
            tr("The polygons cannot be expressed in the scene's CRS ({error}); reproject them first.").format(
                error=error
            )
        ) from None
    finally:
        del writer
    if extent.isNull():
        raise protocol.BadInput(
            tr("'{name}' has no polygon to use; select or draw one, or choose another area.").format(
                name=polygons.sourceName()
            )
        )
    clip(extent, scene.extent, scene.name)
    return Area(path, extent)


def plain_polygons(geometry: QgsGeometry) -> QgsGeometry:
    """Polygons of several parts without curves, mended where they cross themselves; empty where there are none."""
    if geometry.isEmpty():
        return QgsGeometry()
    plain = QgsGeometry(geometry.constGet().segmentize())
    if not plain.isGeosValid():
        plain = of_kind(plain.makeValid(), POLYGON_GEOMETRY)
    if not plain.isEmpty():
        plain.convertToMultiType()
    return plain


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("Area", text)
