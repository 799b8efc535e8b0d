"""How the rasters that the engine writes look: band names, palettes and the style put beside each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from .mask_codes import HAZARD
from .protocol import ON_SLOPE, PERMANENT_WATER, same_path
from .raster import Layer

HAZARD_COLOURS = {
    "flood": (31, 120, 220, 255),
    "landslide": (230, 97, 1, 255),
    "glacier_collapse": (152, 46, 158, 255),
}
OTHER_COLOUR = (200, 30, 60, 255)
WATER_COLOUR = (126, 214, 223, 255)
"""Water that is no flood: permanent, or there before."""
SLOPE_COLOUR = (120, 120, 120, 255)
ERROR_COLOURS = {1: (0, 114, 178, 255), 2: (213, 94, 0, 255), 3: (240, 228, 66, 255)}
"""Hit, miss and false alarm, told apart by colour-blind eyes as well (palette of Okabe and Ito, 2008)."""
STYLES = Path(__file__).resolve().parent.parent / "resources" / "styles"


def mask_layer(path: str, hazard: str, scene: str = "", *, is_new: bool = False) -> Layer:
    """Mask of a hazard; no style where the scene, named alike, would take it for its own.

    ``is_new`` where it was held against a scene from before the event, and may show water of both dates.
    """
    kind = "new" if is_new else "mask"
    style = STYLES / f"{kind}_{hazard}.qml"
    if not style.exists():
        style = STYLES / f"{kind}.qml"
    colours = {1: HAZARD_COLOURS.get(hazard, OTHER_COLOUR)}
    if is_new and hazard == "flood":
        colours[PERMANENT_WATER] = WATER_COLOUR
    return Layer(path, title_of(hazard), colours, style_beside(path, scene, style))


def refined_layer(path: str, hazard: str) -> Layer:
    """A mask whose style also shows what was taken out."""
    style = STYLES / f"refined_{hazard}.qml"
    if not style.exists():
        style = STYLES / "refined.qml"
    colours = {
        HAZARD: HAZARD_COLOURS.get(hazard, OTHER_COLOUR),
        PERMANENT_WATER: WATER_COLOUR,
        ON_SLOPE: SLOPE_COLOUR,
    }
    return Layer(path, title_of(hazard), colours, str(style))


def derived_layer(path: str, tags: Mapping[str, str]) -> Layer:
    """A mask made of another one, with a colour for every code that the tags of that one let it hold."""
    hazard = tags.get("HAZARD", "hazard")
    if tags.get("HAZARD_REFINED"):
        return refined_layer(path, hazard)
    return mask_layer(path, hazard, is_new=bool(tags.get("HAZARD_BEFORE")))


def probability_layer(path: str, hazard: str, scene: str = "") -> Layer:
    """Probability of a hazard in per cent."""
    beside = style_beside(path, scene, STYLES / "probability.qml")
    return Layer(path, f"{title_of(hazard)} probability (%)", {}, beside, averaged=True)


def errors_layer(path: str, hazard: str, mask: str) -> Layer:
    """Where a mask is right and wrong: 0 right rejection, 1 hit, 2 miss, 3 false alarm, 255 left out."""
    title = f"{title_of(hazard)} errors" if hazard else "Errors"
    return Layer(path, title, ERROR_COLOURS, style_beside(path, mask, STYLES / "errors.qml"))


def title_of(hazard: str) -> str:
    """``glacier_collapse`` is ``Glacier collapse``."""
    return hazard.replace("_", " ").capitalize()


def style_beside(output: str, scene: str, style: Path) -> str | None:
    """Style to put beside an output; none where the scene, named alike, would take it for its own."""
    alike = bool(scene) and same_path(os.path.splitext(output)[0], os.path.splitext(scene)[0])
    return None if alike else str(style)
