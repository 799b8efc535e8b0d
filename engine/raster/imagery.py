"""What GDAL's readers of satellite products say of a scene's acquisition."""

from __future__ import annotations

from .gdal_setup import ask_twice, text
from .scene import Scene


def imagery_tags(scene: Scene) -> dict[str, str]:
    """Metadata of GDAL's IMAGERY domain: ACQUISITIONDATETIME, SATELLITEID, CLOUDCOVER, as far as they are known."""
    found = ask_twice(lambda: scene._dataset.GetMetadata("IMAGERY")) or {}
    return {text(name): text(value) for name, value in found.items()}
