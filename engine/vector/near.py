"""Polygons of a layer near a grid, cut to its surroundings: an ocean need not fit into the CRS of a scene."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from osgeo import ogr, osr

from ..raster.gdal_setup import FAULTS
from ..raster.georeference import Georeference, turn_of, within_half_a_turn

PARTS = 16
MARGIN = 0.02
"""Share of a grid's extent by which polygons may reach beyond it before they are cut."""


def boxes_near(georeference: Georeference, crs: Any) -> list[Any]:
    """Rectangle around a grid in a layer's CRS, and where it lies a turn round the Earth to the west and to the east.

    Empty where it cannot be said, so that all of the layer counts.
    """
    steps = np.linspace(-MARGIN, 1 + MARGIN, PARTS)
    net = np.stack(np.meshgrid(steps * georeference.width, steps * georeference.height), axis=-1).reshape(-1, 2)
    try:
        move = osr.CoordinateTransformation(georeference.crs, crs)
        points = np.asarray(move.TransformPoints(georeference.to_ground(net).tolist()), np.float64)[:, :2]
    except FAULTS:
        return []
    if not np.isfinite(points).all():
        return []
    turn = turn_of(crs)
    points[:, 0] = within_half_a_turn(points[:, 0], points[0, 0], turn)
    (xmin, ymin), (xmax, ymax) = points.min(axis=0), points.max(axis=0)
    if turn and xmax - xmin > turn / 2:
        return []
    return [_rectangle(xmin + x, ymin, xmax + x, ymax) for x in ((0.0, -turn, turn) if turn else (0.0,))]


def middle_and_turn(georeference: Georeference) -> tuple[float, float]:
    """Easting or longitude in the middle of a grid, and how far a turn round the Earth leads from it.

    The turn is 0 for grids that reach half way round, so that what lies on them stays where it is.
    """
    width, height = georeference.width, georeference.height
    places = [(width / 2, height / 2), (0, 0), (width, 0), (width, height), (0, height)]
    x = georeference.to_ground(np.asarray(places, np.float64))[:, 0]
    turn = turn_of(georeference.crs)
    return float(x[0]), turn if np.ptp(x) <= turn / 2 else 0.0


def polygons_near(layer: Any, boxes: list[Any]) -> Iterator[Any]:
    """Polygons of a layer, cut to each of some boxes; whole if there are none."""
    for box in boxes or [None]:
        layer.SetSpatialFilter(box)
        for feature in layer:
            whole = _linear(feature)
            for polygon in polygons_of(whole):
                part = polygon if box is None else _cut(polygon, box)
                yield from polygons_of(part)
    layer.SetSpatialFilter(None)


def has_polygons(layer: Any) -> bool:
    """Whether a layer has any polygon that is not empty."""
    geometries = (_linear(feature) for feature in layer)
    return any(not polygon.IsEmpty() for geometry in geometries for polygon in polygons_of(geometry))


def polygons_of(geometry: Any) -> list[Any]:
    """Polygons that a geometry without curves consists of; they live no longer than it does."""
    if geometry is None:
        return []
    if ogr.GT_Flatten(geometry.GetGeometryType()) == ogr.wkbPolygon:
        return [geometry]
    return [part for i in range(geometry.GetGeometryCount()) for part in polygons_of(geometry.GetGeometryRef(i))]


def _linear(feature: Any) -> Any:
    geometry = feature.GetGeometryRef()
    return None if geometry is None else geometry.GetLinearGeometry()


def _cut(polygon: Any, box: Any) -> Any:
    xmin, xmax, ymin, ymax = polygon.GetEnvelope()
    left, right, bottom, top = box.GetEnvelope()
    if left <= xmin and xmax <= right and bottom <= ymin and ymax <= top:
        return polygon
    with contextlib.suppress(*FAULTS):  # what no polygon can be made of is taken whole
        valid = polygon if polygon.IsValid() else polygon.MakeValid()
        if valid is not None:
            return valid.Intersection(box)
    return polygon


def _rectangle(xmin: float, ymin: float, xmax: float, ymax: float) -> Any:
    ring = ogr.Geometry(ogr.wkbLinearRing)
    for x, y in ((xmin, ymin), (xmax, ymin), (xmax, ymax), (xmin, ymax), (xmin, ymin)):
        ring.AddPoint_2D(float(x), float(y))
    rectangle = ogr.Geometry(ogr.wkbPolygon)
    rectangle.AddGeometry(ring)
    return rectangle
