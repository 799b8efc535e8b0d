"""Scores against confusion matrices worked out by hand."""

import numpy as np
import pytest

from engine.metrics import Counts, count_pixels


def test_scores_match_a_confusion_matrix_worked_by_hand():
    counts = Counts(tp=30, fp=10, fn=20, tn=140)
    assert counts.recall == pytest.approx(0.6)
    assert counts.specificity == pytest.approx(140 / 150)
    assert counts.balanced_accuracy == pytest.approx((0.6 + 140 / 150) / 2)
    assert counts.precision == pytest.approx(0.75)
    assert counts.iou == pytest.approx(0.5)
    assert counts.f1 == pytest.approx(2 / 3)
    assert counts.false_area == pytest.approx(10 / 150)


def test_undefined_scores_are_none_and_not_zero():
    assert Counts(tn=5).balanced_accuracy is None
    assert Counts(tn=5).iou is None
    assert Counts(tn=5).false_area == 0.0
    assert Counts(tp=5).specificity is None


def test_counting_leaves_out_pixels_that_are_not_judged():
    predicted = np.array([1, 1, 0, 0, 1], bool)
    truth = np.array([1, 0, 1, 0, 1], bool)
    judged = np.array([1, 1, 1, 1, 0], bool)
    assert count_pixels(predicted, truth, judged) == Counts(tp=1, fp=1, fn=1, tn=1)


def test_pooled_counts_are_those_of_all_pixels_together():
    generator = np.random.default_rng(3)
    predicted, truth = generator.random((2, 400)) > 0.5
    halves = count_pixels(predicted[:100], truth[:100]) + count_pixels(predicted[100:], truth[100:])
    assert halves == count_pixels(predicted, truth)
    assert halves.tp == sum(bool(p and t) for p, t in zip(predicted, truth, strict=True))
