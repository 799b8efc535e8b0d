"""Polygons out: zones of a hazard, traced on pixel edges and written to a file with their codes."""

from __future__ import annotations

from .unassessed import UnassessedTrace


class ZoneTrace(UnassessedTrace):
    """Takes rows of codes and writes the polygons of each code but 0; neighbours share edges and do not overlap."""

    LAYER = "zones"
    FIELD = "zone"
