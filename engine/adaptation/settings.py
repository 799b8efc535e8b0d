"""How a scene is adapted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .objectives import Weights
from .statistics import ALPHAS, ENTRANCE_ALPHAS


@dataclass(frozen=True)
class Settings:
    """How a scene is adapted to.

    Attributes:
        hazard: name of the hazard.
        channel: its index among the network's logits.
        factors: resolutions at which it is seen.
        multiple: sides of windows are multiples of this.
        centre: logit of the card's decision threshold.
        mode: one of ``protocol.ADAPTATION_MODES``.
        weights: of the parts of the objective.
        seconds: time budget; infinite where steps and candidates alone are to end the search.
        steps: gradient steps; None as many as the time allows, or as bring anything.
        candidates: how many of the blends of statistics are tried; None all of them, as time allows.
        batch_size: windows a step.
        learning_rate: of the optimiser.
        optimizer: ``adam`` or ``adamw``.
        seed: of the order of windows and of what they are made to look like.
        alphas: shares of the scene's statistics that are tried in all layers.
        entrance_alphas: shares that are tried in the layers next to the bands alone.
        threshold: whether decision thresholds of the scene's own are tried.
        last_block: whether the last layers of the decoder learn, too (on a GPU).
    """

    hazard: str
    channel: int
    factors: Sequence[int]
    multiple: int
    centre: float
    mode: str = "constraint"
    weights: Weights = field(default_factory=Weights)
    seconds: float = 60.0
    steps: int | None = None
    candidates: int | None = None
    batch_size: int = 4
    learning_rate: float = 1e-3
    optimizer: str = "adam"
    seed: int = 0
    alphas: tuple[float, ...] = ALPHAS
    entrance_alphas: tuple[float, ...] = ENTRANCE_ALPHAS
    threshold: bool = True
    last_block: bool = False
