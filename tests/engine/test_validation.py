"""Thresholds of rare hazards: how much of them must be found, and how much may be marked where they are not."""

import pytest
import torch

from engine.metrics import Counts, count_pixels
from engine.validation import LEAST_IOU, THRESHOLDS, HazardTally

SIDE = 100


def chip(shares_found, shares_marked, truth_px):
    """Probability and labels of a chip whose first pixels are hazard, given as {probability: share of the kind}."""
    probability, labels = torch.full((SIDE * SIDE,), 0.01), torch.zeros(SIDE * SIDE, dtype=torch.uint8)
    labels[:truth_px] = 1
    place = 0
    for value, share in shares_found.items():
        count = round(share * truth_px)
        probability[place : place + count] = value
        place += count
    place = truth_px
    for value, share in shares_marked.items():
        count = round(share * (SIDE * SIDE - truth_px))
        probability[place : place + count] = value
        place += count
    return probability.view(1, 1, SIDE, SIDE), labels.view(1, 1, SIDE, SIDE)


def tally_of(*chips):
    tally = HazardTally(("glacier_collapse",))
    for probability, labels in chips:
        tally.add(torch.logit(probability), labels)
    return tally


def counts_of(chips, threshold):
    counts = Counts()
    for probability, labels in chips:
        counts += count_pixels((probability >= threshold).numpy(), (labels == 1).numpy())
    return counts


def test_a_rare_hazard_that_is_found_keeps_a_threshold_that_finds_it():
    """60 of 100 pixels at 0.41, 1.5 % of hazard-free chips marked at 0.31 and half a per cent at 0.41."""
    chips = [chip({0.41: 0.6}, {0.31: 0.05}, 100), *[chip({}, {0.31: 0.01, 0.41: 0.005}, 0)] * 20]
    best = max(counts_of(chips, threshold).iou for threshold in THRESHOLDS)
    score = tally_of(*chips).score("glacier_collapse")
    assert best < LEAST_IOU  # rare: a thousand false pixels on twenty chips against sixty true ones
    assert score.threshold == max(threshold for threshold in THRESHOLDS if threshold <= 0.41)
    assert score.counts == counts_of(chips, score.threshold) and score.counts.recall == 0.6


def test_a_threshold_that_marks_more_of_hazard_free_chips_is_not_taken():
    """All is found at 0.31, where two per cent of them are marked; a third at 0.61, where nearly nothing is."""
    chips = [chip({0.61: 0.35, 0.31: 0.65}, {}, 100), *[chip({}, {0.31: 0.02, 0.61: 0.002}, 0)] * 20]
    accuracy = {threshold: counts_of(chips, threshold).balanced_accuracy for threshold in THRESHOLDS}
    assert max(accuracy, key=accuracy.get) < 0.31  # the looser one would be the better
    score = tally_of(*chips).score("glacier_collapse")
    assert 0.31 < score.threshold <= 0.61 and score.counts.recall == 0.35


def test_false_alarms_beside_the_hazard_are_no_false_area_of_chips_without_it():
    chips = [chip({0.41: 0.9}, {0.41: 0.3}, 100), chip({}, {}, 0)]
    score = tally_of(*chips).score("glacier_collapse")
    assert counts_of(chips, 0.4).iou < LEAST_IOU and score.threshold <= 0.41 and score.counts.recall == 0.9


@pytest.mark.parametrize("with_free_chips", [True, False])
def test_a_rare_hazard_of_which_little_is_found_is_asked_for_no_false_area(with_free_chips):
    chips = [chip({0.41: 0.2}, {0.31: 0.2}, 100), *[chip({}, {0.31: 0.02}, 0)] * (20 if with_free_chips else 0)]
    score = tally_of(*chips).score("glacier_collapse")
    assert score.counts.false_area <= 0.001


def test_pixels_that_are_not_judged_count_nowhere():
    known = [chip({0.41: 0.6}, {0.31: 0.05}, 100), *[chip({}, {0.31: 0.01, 0.41: 0.005}, 0)] * 20]
    clouded = torch.full((1, 1, SIDE, SIDE), 255, dtype=torch.uint8)
    found = tally_of(*known, (torch.full((1, 1, SIDE, SIDE), 0.9), clouded)).score("glacier_collapse")
    assert found == tally_of(*known).score("glacier_collapse")
