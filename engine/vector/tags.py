"""What polygons of this program say of their origin."""

from __future__ import annotations

import os
from typing import Any

from osgeo import gdal

from ..protocol import BadInput
from ..raster.gdal_setup import FAULTS, first_line, prepare_gdal, text
from ..raster.scene import require_file


def read_polygon_tags(path: str) -> dict[str, str]:
    """Tags ``HAZARD*`` of the first layer of a vector file, else what its first polygon's attributes say.

    Raises:
        BadInput: it cannot be opened.
    """
    prepare_gdal()
    require_file(path, "result")
    try:
        source = gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_READONLY)
        layer = source.GetLayer(0)
        tags = {text(name): text(value) for name, value in (layer.GetMetadata() or {}).items()}
        found = {name: value for name, value in tags.items() if name.startswith("HAZARD")}
        return found or _of_attributes(layer)
    except (*FAULTS, AttributeError) as error:
        raise BadInput(
            f"'{os.path.basename(path)}' cannot be opened as raster or polygons ({first_line(error)})."
        ) from None


def _of_attributes(layer: Any) -> dict[str, str]:
    names = {
        "hazard": "HAZARD",
        "model": "HAZARD_MODEL",
        "threshold": "HAZARD_THRESHOLD",
        "scene": "HAZARD_SCENE",
        "scene_date": "HAZARD_SCENE_DATE",
    }
    definition = layer.GetLayerDefn()
    columns = {definition.GetFieldDefn(i).GetName().lower(): i for i in range(definition.GetFieldCount())}
    feature = layer.GetNextFeature()
    if feature is None:
        return {}
    return {
        tag: text(feature.GetFieldAsString(columns[name]))
        for name, tag in names.items()
        if name in columns and feature.IsFieldSetAndNotNull(columns[name])
    }
