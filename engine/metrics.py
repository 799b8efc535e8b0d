"""Scores of a mask from its counts of true and false, positive and negative pixels (numpy only)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Counts:
    """Pixels by prediction and truth; add counts to pool scenes before scoring them."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Pool two sets of pixels."""
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    @property
    def recall(self) -> float | None:
        """Share of the hazard that was found; None without hazard."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def precision(self) -> float | None:
        """Share of what was found that is hazard; None if nothing was found."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def specificity(self) -> float | None:
        """Share of hazard-free ground left alone; None without such ground."""
        return _ratio(self.tn, self.tn + self.fp)

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean of recall and specificity; None unless both kinds of ground occur."""
        if self.recall is None or self.specificity is None:
            return None
        return (self.recall + self.specificity) / 2

    @property
    def iou(self) -> float | None:
        """Intersection over union; None if there is neither hazard nor prediction."""
        return _ratio(self.tp, self.tp + self.fp + self.fn)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None if there is neither hazard nor prediction."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def false_area(self) -> float | None:
        """Share of hazard-free ground called hazard; None without such ground."""
        return _ratio(self.fp, self.tn + self.fp)

    def scores(self) -> dict[str, float | None]:
        """All scores by name."""
        names = ("balanced_accuracy", "iou", "f1", "precision", "recall", "false_area")
        return {name: getattr(self, name) for name in names}


def count_pixels(
    predicted: NDArray[np.bool_], truth: NDArray[np.bool_], judged: NDArray[np.bool_] | None = None
) -> Counts:
    """Count pixels of two boolean arrays of one shape, where ``judged`` (boolean, same shape) is true."""
    if judged is not None:
        predicted, truth = predicted[judged], truth[judged]
    tp = int(np.count_nonzero(predicted & truth))
    positive, true = int(np.count_nonzero(predicted)), int(np.count_nonzero(truth))
    return Counts(tp=tp, fp=positive - tp, fn=true - tp, tn=int(predicted.size) - positive - true + tp)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
