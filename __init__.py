"""Hazard Mapper: maps floods, landslides and glacier collapses in satellite scenes, inside QGIS."""

from typing import Any


def classFactory(iface: Any) -> Any:
    """Return the plugin; QGIS calls this once when it loads the package."""
    from .hazard_plugin.plugin import HazardMapperPlugin

    return HazardMapperPlugin(iface)
