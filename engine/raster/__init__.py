"""Rasters in and out: the only part of the engine, beside ``vector``, that uses GDAL."""

from .codes import CodeRaster
from .gdal_setup import gdal_version
from .georeference import Georeference, Window
from .output import (
    MASK,
    PROBABILITY,
    Grid,
    Layer,
    MaskPair,
    check_outputs,
    estimated_bytes,
    published_together,
    to_percent,
)
from .scene import Scene, Understanding
from .simulated import write_simulated_labels, write_simulated_scene

__all__ = [
    "MASK",
    "PROBABILITY",
    "CodeRaster",
    "Georeference",
    "Grid",
    "Layer",
    "MaskPair",
    "Scene",
    "Understanding",
    "Window",
    "check_outputs",
    "estimated_bytes",
    "gdal_version",
    "published_together",
    "to_percent",
    "write_simulated_labels",
    "write_simulated_scene",
]
