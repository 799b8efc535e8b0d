"""Whether polygons have their GeoPackage to themselves: whoever replaces it takes away all that is in it."""

import os
from typing import List

from qgis.core import QgsException, QgsProviderRegistry
from qgis.PyQt.QtCore import QCoreApplication

from ..engine import protocol

HOUSEKEEPING = ("gpkg_", "rtree_", "sqlite_", "ogr_empty_table")
"""How tables begin that a GeoPackage has of its own accord."""
MOST_NAMED = 3


def tables_of(path: str) -> List[str]:
    """Layers, tables, styles and projects in a GeoPackage; raises OutputFailed where it cannot be read."""
    connection = QgsProviderRegistry.instance().providerMetadata("ogr").createConnection(path, {})
    try:
        rows = connection.executeSql("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
    except QgsException as error:
        text = tr("'{file}' cannot be read as a GeoPackage ({error}); choose another name, nothing was written.")
        raise protocol.OutputFailed(text.format(file=path, error=error)) from None
    return [str(name) for (name,) in rows if not str(name).startswith(HOUSEKEEPING)]


def require_own_file(path: str) -> None:
    """Raise OutputFailed where a GeoPackage that is to be replaced holds more than one layer."""
    if not path.lower().endswith(".gpkg") or not os.path.exists(path):
        return
    names = tables_of(path)
    if len(names) > 1:
        shown = ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")
        text = tr(
            "'{file}' would be replaced as a whole, but holds {count} tables ({names}); give the polygons a file of "
            "their own, nothing was written."
        )
        raise protocol.OutputFailed(text.format(file=path, count=len(names), names=shown))


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("OwnFile", text)
