"""The day of a scene as its layer in QGIS knows it: the engine reads files, and does not see what QGIS adds to them."""

import os
from datetime import date, timedelta
from typing import Iterator

from qgis.core import QgsDateTimeRange, QgsRasterLayer
from qgis.PyQt.QtCore import Qt

from ..engine import protocol

FOLDERS = 2
"""Folders around a file whose names are looked at, as products keep theirs there."""


def layer_date(layer: QgsRasterLayer) -> str:
    """Day, as in ``2024-09-16``, of the layer's metadata or temporal settings; empty where they name no single day.

    No scene was taken on a day that is still to come.
    """
    days = {day for span in known_spans(layer) for day in days_of(span)}
    day = days.pop() if len(days) == 1 else ""
    return day if day <= (date.today() + timedelta(days=1)).isoformat() else ""


def day_in_names(layer: QgsRasterLayer) -> str:
    """Day that the layer, its file or a product's folder is called after; empty where none, or more than one, is."""
    latest = date.today() + timedelta(days=1)
    *folders, file = os.path.normpath(layer.source().split("|")[0]).split(os.sep)
    names = [(layer.name(), False), (file, False), *((folder, True) for folder in reversed(folders[-FOLDERS:]))]
    for name, conventions_only in names:
        day, _ = protocol.date_in_name(name, latest, conventions_only=conventions_only)
        if day is not None:
            return day.isoformat()
    return ""


def known_spans(layer: QgsRasterLayer) -> Iterator[QgsDateTimeRange]:
    """Spans of time that the layer belongs to."""
    yield from layer.metadata().extent().temporalExtents()
    properties = layer.temporalProperties()
    if properties is not None and properties.isActive():
        yield properties.fixedTemporalRange()


def days_of(span: QgsDateTimeRange) -> Iterator[str]:
    """First and last day of a span."""
    for moment in (span.begin(), span.end()):
        if moment.isValid():
            yield str(moment.date().toString(Qt.DateFormat.ISODate))
