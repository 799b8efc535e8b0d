"""Layers that a mask is held against, such as permanent water and elevations, as files that the engine can open."""

import contextlib
import os
import tempfile
from dataclasses import dataclass
from typing import Any, Iterator, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSink,
    QgsFields,
    QgsMapLayer,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsVectorLayerFeatureSource,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import MULTIPOLYGON
from ..layer_origin import file_of
from ..raster_source import RasterSource, read_layer
from .area import plain_polygons
from .base import absolute

MARGIN = 0.02
"""Share of the mask's extent by which more of a reference is taken than lies on it."""


@dataclass(frozen=True)
class Reference:
    """A layer as read on the main thread; a background thread opens it without touching the layer again."""

    name: str
    near: QgsRectangle
    """The mask's extent in the layer's CRS, and a little more."""
    crs: QgsCoordinateReferenceSystem
    raster: Optional[RasterSource] = None
    polygons: Optional[QgsVectorLayerFeatureSource] = None
    file: str = ""
    """The layer's own file, where the engine reads the same polygons in it: then the step can be repeated."""

    @contextlib.contextmanager
    def opened(self, transforms: QgsCoordinateTransformContext, feedback: QgsProcessingFeedback) -> Iterator[str]:
        """Yield the path of a file that the engine opens; a temporary copy is removed afterwards."""
        if self.raster is not None:
            with self.raster.opened(self.near if self.raster.is_copied else None, feedback) as source:
                yield source.raster
            return
        if self.file:
            yield self.file
            return
        with tempfile.TemporaryDirectory(prefix="water_", dir=QgsProcessingUtils.tempFolder()) as folder:
            path = os.path.join(folder, "water.gpkg")
            self._write(path, transforms, feedback)
            yield path

    def _write(self, path: str, transforms: QgsCoordinateTransformContext, feedback: QgsProcessingFeedback) -> None:
        options = QgsVectorFileWriter.SaveVectorOptions()
        options.driverName = "GPKG"
        options.layerName = "water"
        writer = QgsVectorFileWriter.create(path, QgsFields(), MULTIPOLYGON, self.crs, transforms, options)
        request = QgsFeatureRequest().setNoAttributes().setFilterRect(self.near)
        try:
            for feature in self.polygons.getFeatures(request):
                if feedback.isCanceled():
                    raise protocol.Cancelled(tr("Cancelled; nothing was written."))
                geometry = plain_polygons(feature.geometry())
                if geometry.isEmpty():
                    continue
                plain = QgsFeature()
                plain.setGeometry(geometry)
                if not writer.addFeature(plain, QgsFeatureSink.Flag.FastInsert):
                    raise protocol.OutputFailed(
                        tr("The polygons of '{name}' cannot be handed to the engine ({error}).").format(
                            name=self.name, error=writer.errorMessage()
                        )
                    )
        finally:
            del writer


def read_reference(layer: QgsMapLayer, mask: QgsRasterLayer, transforms: QgsCoordinateTransformContext) -> Reference:
    """Describe a raster layer or a layer of polygons; raises BadInput if it cannot be used."""
    near = extent_near(mask, layer.crs(), transforms, layer.name())
    if isinstance(layer, QgsRasterLayer):
        source = read_layer(layer)
        require_own_crs(source)
        return Reference(layer.name(), near, layer.crs(), raster=source)
    if not isinstance(layer, QgsVectorLayer) or not layer.isValid():
        raise protocol.BadInput(
            tr("Layer '{name}' is neither a raster nor polygons; choose another layer.").format(name=layer.name())
        )
    if layer.geometryType() != QgsWkbTypes.GeometryType.PolygonGeometry:
        raise protocol.BadInput(
            tr("Layer '{name}' has no polygons; choose a layer of polygons, or a raster.").format(name=layer.name())
        )
    if not layer.crs().isValid():
        raise protocol.BadInput(tr("Layer '{name}' has no CRS; set it first.").format(name=layer.name()))
    return Reference(layer.name(), near, layer.crs(), polygons=QgsVectorLayerFeatureSource(layer), file=own_file(layer))


def own_file(layer: QgsVectorLayer) -> str:
    """Path of a layer's file, where that holds the layer alone and as it is shown; else empty."""
    path = file_of(layer)
    plain = layer.providerType() == "ogr" and not layer.subsetString() and not layer.isModified()
    crs = layer.crs()
    if not plain or not os.path.isfile(path) or not crs.isValid() or crs != layer.dataProvider().crs():
        return ""
    return absolute(path) if len(QgsProviderRegistry.instance().querySublayers(path)) == 1 else ""


def require_own_crs(source: RasterSource) -> None:
    """Raise BadInput if the engine, which reads the file, would understand it otherwise than QGIS does."""
    if source.open_options:
        raise protocol.BadInput(
            tr("Layer '{name}' is opened with options of its own; export it to a GeoTIFF first.").format(
                name=source.name
            )
        )
    if source.crs_override:
        raise protocol.BadInput(
            tr(
                "Layer '{name}' has another CRS in the project than in its file; write it into the file with "
                "Assign projection, or export the layer."
            ).format(name=source.name)
        )


def extent_near(
    mask: QgsRasterLayer, crs: QgsCoordinateReferenceSystem, transforms: QgsCoordinateTransformContext, name: str
) -> QgsRectangle:
    """The mask's extent in another CRS, and a little more; raises BadInput if it has none there."""
    extent = QgsRectangle(mask.extent())
    extent.grow(MARGIN * max(extent.width(), extent.height()))
    if not mask.crs().isValid() or not crs.isValid():
        return extent
    try:
        return QgsCoordinateTransform(mask.crs(), crs, transforms).transformBoundingBox(extent)
    except QgsCsException as error:
        raise protocol.BadInput(
            tr("The mask's extent cannot be expressed in the CRS of '{name}' ({error}); reproject it first.").format(
                name=name, error=error
            )
        ) from None


def hazard_said(client: Any, mask: str, feedback: QgsProcessingFeedback) -> str:
    """Hazard that a mask's own tags name; empty where they do not."""
    return str(client.run("provenance", protocol.ProvenanceJob(file=mask), feedback).get("hazard") or "")


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("References", text)
