"""What became of an adaptation, in plain words with numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .search import ASKED_TO_END, NO_MEMORY, TIME_OVER, Outcome, Stage

ADAPTED, ROLLED_BACK, ABSTAINED = "adapted", "rolled_back", "abstained"
WORDS = {TIME_OVER: "the time was over", ASKED_TO_END: "it was asked to end"}
"""Reasons to end that are no words for a sentence yet."""


@dataclass(frozen=True)
class Verdict:
    """``kind`` is one of ``adapted``, ``rolled_back`` and ``abstained``; ``reason`` is the sentence for the analyst."""

    kind: str
    reason: str


def judge_outcome(outcome: Outcome, area_m2: float, seconds: float) -> Verdict:
    """Verdict of a search over a view of ``area_m2`` that took ``seconds``."""
    source, winner = outcome.source, outcome.winner
    if outcome.best:
        threshold = f", threshold {probability(winner.centre):.2f}" if winner.centre != source.centre else ""
        return Verdict(
            ADAPTED,
            f"Adapted: expected better (proxy {source.judgement.proxy:.3f} -> {winner.judgement.proxy:.3f}, area "
            f"{_km2(source.judgement.share * area_m2)} -> {_km2(winner.judgement.share * area_m2)} km2, alpha "
            f"{winner.alpha:g}{threshold}, {winner.steps} steps, {seconds:.0f} s).{cut_short(outcome)}",
        )
    if outcome.abstained is not None:
        return abstained(outcome.abstained)
    tried = outcome.stages[1:]
    if not tried:
        return Verdict(ABSTAINED, "Not adapted: there was no time to try anything; the source model's mask is used.")
    best = min(tried, key=lambda stage: stage.judgement.proxy)
    return Verdict(
        ROLLED_BACK,
        f"Not adapted: none of {len(tried)} candidates was safely better (proxy {source.judgement.proxy:.3f}, the best "
        f"{best.judgement.proxy:.3f}: {best.reason}); the source model's mask is used.{cut_short(outcome)}",
    )


def cut_short(outcome: Outcome) -> str:
    """A further sentence where the steps ended by something that the analyst should know of; else empty."""
    if outcome.ended == NO_MEMORY:
        return f" Memory ended it after {outcome.judged_steps} steps."
    if outcome.asked is not None and outcome.steps < outcome.asked:
        return f" It ended after {outcome.steps} of {outcome.asked} steps: {WORDS.get(outcome.ended, outcome.ended)}."
    return ""


def abstained(why: str) -> Verdict:
    """The scene gives no footing."""
    return Verdict(ABSTAINED, f"Not adapted: {why}; the source model's mask is used.")


def stage_rows(outcome: Outcome, area_m2: float) -> list[dict[str, Any]]:
    """The stages as JSON."""
    return [_row(stage, area_m2) for stage in outcome.stages]


def _row(stage: Stage, area_m2: float) -> dict[str, Any]:
    judgement = stage.judgement
    return {
        "stage": stage.name,
        "alpha": stage.alpha,
        "steps": stage.steps,
        "threshold": round(probability(stage.centre), 4),
        "proxy": round(judgement.proxy, 4),
        "parts": {name: None if value is None else round(value, 4) for name, value in judgement.parts.items()},
        "area_m2": round(judgement.share * area_m2),
        "divergence": round(judgement.divergence, 4),
        "rank": round(judgement.rank, 2),
        "accepted": stage.accepted,
        "reason": stage.reason,
    }


def probability(logit: float) -> float:
    """Probability of a logit."""
    return 1 / (1 + math.exp(-logit))


def _km2(area_m2: float) -> str:
    return f"{area_m2 / 1e6:#.3g}".rstrip(".")
