"""The few differences between QGIS 3.22 and later ones; names that moved keep the spelling valid in all of them."""

from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsMapLayerProxyModel,
    QgsProcessing,
    QgsProcessingFeatureSource,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsWkbTypes,
)


def is_rendered_type(data_type: Any) -> bool:
    """Whether a provider hands out pictures (ARGB) rather than values."""
    return data_type in (Qgis.DataType.ARGB32, Qgis.DataType.ARGB32_Premultiplied)


POLYGONS = QgsProcessing.TypeVectorPolygon
BUILDINGS = [QgsProcessing.TypeVectorPolygon, QgsProcessing.TypeVectorPoint]
LINES = QgsProcessing.TypeVectorLine
TABLE = QgsProcessing.TypeVector
NUMERIC_FIELD = QgsProcessingParameterField.Numeric
NO_GEOMETRY = QgsWkbTypes.NoGeometry
LINE_GEOMETRY = QgsWkbTypes.LineGeometry
POLYGON_GEOMETRY = QgsWkbTypes.PolygonGeometry
NO_CHECK = QgsProcessingFeatureSource.FlagSkipGeometryValidityChecks
DOUBLE = QgsProcessingParameterNumber.Double
INTEGER = QgsProcessingParameterNumber.Integer
RASTER_OR_VECTOR = [QgsProcessing.TypeRaster, QgsProcessing.TypeVectorAnyGeometry]
FOLDER = QgsProcessingParameterFile.Folder
RASTER_LAYERS = QgsMapLayerProxyModel.RasterLayer
POLYGON_LAYERS = QgsMapLayerProxyModel.PolygonLayer
ADVANCED_FLAG = QgsProcessingParameterDefinition.FlagAdvanced
WKT_PREFERRED = QgsCoordinateReferenceSystem.WKT_PREFERRED
MULTIPOLYGON = QgsWkbTypes.MultiPolygon
