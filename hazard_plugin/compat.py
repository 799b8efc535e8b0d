"""The few differences between QGIS 3.22 and later ones; names that moved keep the spelling valid in all of them."""

from typing import Any, List

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLegendStyle,
    QgsMapLayerProxyModel,
    QgsProcessing,
    QgsProcessingFeatureSource,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsRasterFileWriter,
    QgsRectangle,
    QgsTextFormat,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QMetaType, QVariant
from qgis.PyQt.QtGui import QFont, QFontInfo

try:
    from qgis.PyQt.QtGui import QAction  # where Qt 6 has it
except ImportError:
    from qgis.PyQt.QtWidgets import QAction

__all__ = ["QAction"]


def is_rendered_type(data_type: Any) -> bool:
    """Whether a provider hands out pictures (ARGB) rather than values."""
    return data_type in (Qgis.DataType.ARGB32, Qgis.DataType.ARGB32_Premultiplied)


def is_installed(family: str) -> bool:
    """Whether the system has a family of fonts; Qt 5 and 6 ask their font databases differently."""
    return QFontInfo(QFont(family)).family() == family


def set_label_format(label: QgsLayoutItemLabel, letters: QgsTextFormat) -> None:
    """Give a label its letters; a font and a colour before QGIS 3.24."""
    if hasattr(label, "setTextFormat"):
        label.setTextFormat(letters)
    else:
        label.setFont(letters.toQFont())
        label.setFontColor(letters.color())


def set_legend_format(legend: QgsLayoutItemLegend, part: QgsLegendStyle.Style, letters: QgsTextFormat) -> None:
    """Give a part of a legend its letters; a font, and one colour for all parts, before QGIS 3.30."""
    if hasattr(QgsLegendStyle, "setTextFormat"):
        legend.rstyle(part).setTextFormat(letters)
    else:
        legend.setStyleFont(part, letters.toQFont())
        legend.setFontColor(letters.color())


def set_creation_options(writer: QgsRasterFileWriter, options: List[str]) -> None:
    """Tell GDAL's driver how to write, under the name that QGIS 3.44 gave it."""
    if hasattr(writer, "setCreationOptions"):
        writer.setCreationOptions(options)
    else:
        writer.setCreateOptions(options)


def save_default_style(layer: QgsVectorLayer, name: str, description: str) -> str:
    """Keep a layer's style as the default one in its database; returns what went wrong, if anything."""
    if hasattr(layer, "saveStyleToDatabaseV2"):
        return str(layer.saveStyleToDatabaseV2(name, description, True, "")[1] or "")
    return str(layer.saveStyleToDatabase(name, description, True, "") or "")


def no_extent() -> QgsRectangle:
    """The extent of nothing, which grows with what is combined with it; a null one only grows since QGIS 3.34."""
    extent = QgsRectangle()
    if not hasattr(extent, "setNull"):
        extent.setMinimal()
    return extent


POLYGONS = QgsProcessing.SourceType.TypeVectorPolygon
BUILDINGS = [QgsProcessing.SourceType.TypeVectorPolygon, QgsProcessing.SourceType.TypeVectorPoint]
LINES = QgsProcessing.SourceType.TypeVectorLine
TABLE = QgsProcessing.SourceType.TypeVector
NUMERIC_FIELD = QgsProcessingParameterField.DataType.Numeric
NO_GEOMETRY = QgsWkbTypes.Type.NoGeometry
LINE_GEOMETRY = QgsWkbTypes.GeometryType.LineGeometry
POLYGON_GEOMETRY = QgsWkbTypes.GeometryType.PolygonGeometry
NO_CHECK = QgsProcessingFeatureSource.Flag.FlagSkipGeometryValidityChecks
DOUBLE = QgsProcessingParameterNumber.Type.Double
INTEGER = QgsProcessingParameterNumber.Type.Integer
RASTER_OR_VECTOR = [QgsProcessing.SourceType.TypeRaster, QgsProcessing.SourceType.TypeVectorAnyGeometry]
FOLDER = QgsProcessingParameterFile.Behavior.Folder
RASTER_LAYERS = QgsMapLayerProxyModel.Filter.RasterLayer
POLYGON_LAYERS = QgsMapLayerProxyModel.Filter.PolygonLayer
ADVANCED_FLAG = QgsProcessingParameterDefinition.Flag.FlagAdvanced
WKT_PREFERRED = QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED
MULTIPOLYGON = QgsWkbTypes.Type.MultiPolygon

HAS_META_TYPES = Qgis.QGIS_VERSION_INT >= 33800
"""Whether fields are made with Qt's meta types; the variant types of before are deprecated since."""
TEXT_VALUE = QMetaType.Type.QString if HAS_META_TYPES else QVariant.String
WHOLE_VALUE = QMetaType.Type.Int if HAS_META_TYPES else QVariant.Int
REAL_VALUE = QMetaType.Type.Double if HAS_META_TYPES else QVariant.Double
