"""What held-out chips of several sets say of a run: which weights are the best, and the rows of the model's card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .optimise import Evaluation
from .validation import HazardScore

OTHERS = 0.25
"""Weight of the hazards that are only replayed in the choice of the best weights."""

Chips = TypeVar("Chips")
Scores = Mapping[str, HazardScore]


@dataclass(frozen=True)
class Judge(Generic[Chips]):
    """Held-out chips of a set, and the hazards whose scores they give."""

    name: str
    batches: Sequence[Chips]
    hazards: tuple[str, ...]


def evaluation_of(scores: Scores, mean_loss: float, own: Sequence[str]) -> Evaluation:
    """Mean scores of a validation, and what chooses the best weights: ``own`` hazards first, replayed ones beside."""
    values = {"validation_loss": mean_loss, **_means(scores, own)}
    if "validation_iou" not in values:
        return Evaluation(-mean_loss, values)
    others = _means(scores, [hazard for hazard in scores if hazard not in own])
    score = values["validation_iou"]
    if "validation_iou" in others:
        score = (1 - OTHERS) * score + OTHERS * others["validation_iou"]
    return Evaluation(score, values)


def _means(scores: Scores, hazards: Sequence[str]) -> dict[str, float]:
    """Mean scores over those of ``hazards`` that validation chips show; nothing where none does."""
    seen = [scores[hazard] for hazard in hazards if scores[hazard].threshold is not None]
    if not seen:
        return {}
    values = {"validation_iou": sum(score.iou or 0.0 for score in seen) / len(seen)}
    known = [value for score in seen if (value := score.counts.balanced_accuracy) is not None]
    if known:
        values["validation_balanced_accuracy"] = sum(known) / len(known)
    return values


def unseen_notes(scores: Scores) -> list[str]:
    """What the user should know of hazards that no validation chip shows."""
    missing = [hazard for hazard, score in scores.items() if score.threshold is None]
    if not missing:
        return []
    return [f"No validation chip shows {', '.join(missing)}: its threshold is not measured, and neither is its score."]


def score_rows(scores: Scores, judges: Sequence[Judge[Any]], **more: Any) -> list[dict[str, Any]]:
    """Measured hazards as rows of a card; ``more`` stands in each."""
    rows = []
    for hazard, score in scores.items():
        if score.threshold is not None:
            name = next(part.name for part in judges if hazard in part.hazards)
            rows.append({"set": name, "hazard": hazard, "threshold": score.threshold, **more, **measures_of(score)})
    return rows


def measures_of(score: HazardScore) -> dict[str, float | None]:
    """Scores by name, rounded as in a card."""
    return {key: None if value is None else round(value, 4) for key, value in score.counts.scores().items()}
