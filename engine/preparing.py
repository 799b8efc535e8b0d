"""What segmenting and adapting settle of a scene before anything is computed: bands, units, scaling and grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .cards import ModelCard
from .model import Model, default_model, load_model
from .planes import PLANES, SceneScaling, planes_for
from .protocol import BadInput
from .raster import Scene, Understanding, Window
from .resampling import Factor, ModelGrid, choose_factor

CONTEXT_PX = 32
"""Surroundings read beyond a wanted extent, in model pixels, so that its edges see what lies outside."""

Warn = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """A scene as a model will see it.

    Attributes:
        understanding: slots and units of its bands.
        scaling: scene-wide statistics.
        grid: grid that the network sees, of the wanted window and some surroundings.
    """

    understanding: Understanding
    scaling: SceneScaling
    grid: ModelGrid


def wanted_window(scene: Scene) -> Window:
    """The part of a scene that its job asks for: the extent, else all of it; raises BadInput for one beside it."""
    extent = scene.job.extent
    return scene.georeference.window_of(extent) if extent else Window(0, 0, scene.width, scene.height)


def prepare_scene(scene: Scene, understanding: Understanding, wanted: Window, card: ModelCard, warn: Warn) -> Prepared:
    """Scaling and grid of the wanted window for a model; warns where pixels are outside of what it knows."""
    low, high = scene.percentiles(understanding)
    scaling = SceneScaling(
        slots=understanding.match.used_slots,
        low=low,
        high=high,
        absolute=tuple(units.absolute for units in understanding.slot_units),
    )
    _require_planes(card, scaling)
    across, down = (choose_factor(gsd, card.gsd_min_m, card.gsd_max_m) for gsd in understanding.gsd_m)
    coarsest = max(understanding.gsd_m)
    if not (across.exact and down.exact):
        warn(_resampling_text(understanding, across, down, card.gsd_min_m, card.gsd_max_m))
    elif coarsest > card.gsd_max_m * 1.05:
        warn(
            f"Pixels of {coarsest:.3g} m are far coarser than the model's {card.gsd_min_m:g} to {card.gsd_max_m:g} m: "
            "the mask is hardly more than a guess. Choose a finer scene, or zoom in."
        )
    return Prepared(understanding, scaling, ModelGrid(_with_context(wanted, scene, across, down), across, down))


def settle_model(name: str | None, hazard: str, models: dict[str, Model]) -> Model:
    """The model asked for, or the hazard's default; from memory if its files have not changed.

    Raises:
        BadInput: there is no such model, or it does not answer for the hazard.
    """
    name = name or default_model(hazard)
    if name not in models or not models[name].unchanged():
        models[name] = load_model(name)
    card = models[name].card
    if hazard not in card.hazards:
        raise BadInput(
            f"Model '{name}' does not know the hazard '{hazard}'; choose one that it knows: {', '.join(card.hazards)}."
        )
    if card.adapted_for not in (None, hazard):
        raise BadInput(
            f"Model '{name}' was adapted for {card.adapted_for}, not for {hazard}; choose its parent '{card.parent}'."
        )
    return models[name]


def _require_planes(card: ModelCard, scaling: SceneScaling) -> None:
    """Raise BadInput where the scene lacks what the model cannot do without."""
    there = {PLANES[index] for index in planes_for(scaling)}
    lacking = [name.partition("_")[2] or name for name in card.needs if name not in there]
    absent = [slot for slot in lacking if slot not in scaling.slots]
    if absent:
        raise BadInput(
            f"Model '{card.name}' needs the bands {', '.join(absent)} too, the scene has {', '.join(scaling.slots)}; "
            "correct the bands, or choose another model."
        )
    if lacking:
        raise BadInput(
            f"Model '{card.name}' takes {', '.join(lacking)} in physical units, the scene's are display or raw values; "
            "correct the units, or choose another model."
        )


def _resampling_text(understanding: Understanding, across: Factor, down: Factor, low: float, high: float) -> str:
    gsd_x, gsd_y = understanding.gsd_m
    seen = max(gsd_x * across.down / across.up, gsd_y * down.down / down.up)
    return (
        f"Pixels of {max(gsd_x, gsd_y):.3g} m are outside the model's {low:g} to {high:g} m: it sees the scene at "
        f"{seen:.3g} m, and the mask is brought back to the scene's own grid."
    )


def _with_context(wanted: Window, scene: Scene, across: Factor, down: Factor) -> Window:
    """The wanted window and some surroundings, inside the scene."""
    margin_x, margin_y = CONTEXT_PX * across.down, CONTEXT_PX * down.down
    x0, y0 = max(0, wanted.x - margin_x), max(0, wanted.y - margin_y)
    x1 = min(scene.width, wanted.x + wanted.width + margin_x)
    y1 = min(scene.height, wanted.y + wanted.height + margin_y)
    return Window(x0, y0, x1 - x0, y1 - y0)
