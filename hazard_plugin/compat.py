"""The few differences between QGIS 3.22 and later ones."""

from typing import Any

from qgis.core import Qgis, QgsMapLayerProxyModel, QgsProcessing, QgsProcessingParameterNumber


def is_rendered_type(data_type: Any) -> bool:
    """Whether a provider hands out pictures (ARGB) rather than values."""
    return data_type in (Qgis.DataType.ARGB32, Qgis.DataType.ARGB32_Premultiplied)


POLYGONS = QgsProcessing.SourceType.TypeVectorPolygon
DOUBLE = QgsProcessingParameterNumber.Type.Double
RASTER_LAYERS = QgsMapLayerProxyModel.Filter.RasterLayer
POLYGON_LAYERS = QgsMapLayerProxyModel.Filter.PolygonLayer
