"""Losses against values worked out by hand."""

import math

import pytest
import torch

from engine.losses import (
    POSITIVE_WEIGHTS,
    characteristics_loss,
    hazard_loss,
    measured_pixels,
    patch_logits,
    surface_loss,
)
from engine.planes import PLANES
from engine.samples import Characteristics

FOUR = ("flood", "landslide", "glacier_collapse", "any")


def test_hazard_loss_of_undecided_logits_is_weighted_log_two():
    labels = torch.tensor([1, 1, 0, 0], dtype=torch.uint8).view(1, 1, 2, 2).repeat(1, 4, 1, 1)
    loss = hazard_loss(torch.zeros(1, 4, 2, 2), labels, FOUR, dice_weight=0.0)
    expected = sum(math.log(2) * (POSITIVE_WEIGHTS.get(name, 1) + 1) / 2 for name in FOUR) / 4
    assert float(loss) == pytest.approx(expected)


def test_dice_term_matches_its_definition():
    logits = torch.logit(torch.tensor([0.8, 0.6, 0.3, 0.1])).view(1, 1, 2, 2).repeat(1, 4, 1, 1)
    labels = torch.tensor([1, 1, 0, 0], dtype=torch.uint8).view(1, 1, 2, 2).repeat(1, 4, 1, 1)
    dice = hazard_loss(logits, labels, FOUR, 1.0) - hazard_loss(logits, labels, FOUR, 0.0)
    assert float(dice) == pytest.approx(1 - (2 * 1.4 + 1) / (1.8 + 2 + 1), abs=1e-6)


def test_pixels_not_judged_change_neither_loss_nor_gradient():
    logits = torch.randn(1, 4, 4, 4, requires_grad=True)
    labels = torch.randint(0, 2, (1, 4, 4, 4), dtype=torch.uint8)
    labels[:, :, 0] = 255
    loss = hazard_loss(logits, labels, FOUR) + surface_loss(logits[:, :1], labels[:, 0])
    loss.backward()
    assert not logits.grad[:, :, 0].any()
    other = logits.detach().clone()
    other[:, :, 0] = 50.0
    again = hazard_loss(other, labels, FOUR) + surface_loss(other[:, :1], labels[:, 0])
    assert float(again) == pytest.approx(float(loss.detach()))


def test_a_hazard_that_nobody_judged_does_not_thin_the_loss_of_the_others():
    logits = torch.randn(2, 2, 4, 4)
    labels = torch.randint(0, 2, (2, 2, 4, 4), dtype=torch.uint8)
    alone = hazard_loss(logits[:, :1], labels[:, :1], ("flood",))
    labels[:, 1] = 255
    assert float(hazard_loss(logits, labels, ("flood", "lava"))) == pytest.approx(float(alone))


def test_loss_is_zero_where_nothing_is_judged_or_known():
    labels = torch.full((1, 4, 4, 4), 255, dtype=torch.uint8)
    assert float(hazard_loss(torch.randn(1, 4, 4, 4), labels, FOUR)) == 0.0
    assert float(surface_loss(torch.randn(1, 1, 4, 4), labels[:, 0], labels[:, 0, 0, 0])) == 0.0
    target, known = Characteristics().encode()
    assert float(characteristics_loss(torch.randn(1, len(target)), target[None], known[None])) == 0.0


def test_surface_loss_weights_the_artificial():
    logits, surface = torch.zeros(1, 1, 1, 2), torch.tensor([[[1, 0]]], dtype=torch.uint8)
    assert float(surface_loss(logits, surface, positive_weight=3.0)) == pytest.approx(math.log(2) * (3 + 1) / 2)


def test_a_patch_is_spoken_for_by_its_most_artificial_pixels():
    logits = torch.full((1, 1, 10, 10), -4.0)
    logits[0, 0, 0, :5] = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    assert float(patch_logits(logits, share=0.05)) == pytest.approx(3.0)  # five of a hundred
    measured = torch.zeros(1, 10, 10, dtype=torch.bool)
    measured[0, 0, :2] = True
    assert float(patch_logits(logits, measured, share=0.5)) == pytest.approx(2.0)  # one of two
    assert float(patch_logits(logits, torch.zeros_like(measured))) == 0.0


def test_patch_labels_teach_only_through_their_most_artificial_pixels():
    logits = torch.randn(2, 1, 8, 8, requires_grad=True)
    surface = torch.full((2, 8, 8), 255, dtype=torch.uint8)
    surface_loss(logits, surface, torch.tensor([1, 255], dtype=torch.uint8)).backward()
    taught = logits.grad[0, 0] != 0
    assert int(taught.sum()) == math.ceil(64 * 0.05) and not logits.grad[1].any()
    assert (logits.grad[0, 0][taught] < 0).all()


def test_measured_pixels_are_those_with_any_band():
    planes = torch.zeros(1, len(PLANES), 2, 2)
    planes[0, PLANES.index("available_vh"), 0, 1] = 1
    planes[0, PLANES.index("norm_vh")] = 1
    assert measured_pixels(planes)[0].tolist() == [[False, True], [False, False]]


def test_characteristics_loss_is_one_minus_cosine_of_known_blocks():
    target, known = Characteristics(day_of_year=91.3125, sensor="sentinel-1").encode()  # a quarter of the year: (1, 0)
    predicted = torch.zeros(1, len(target))
    predicted[0, 3:5] = torch.tensor([2.0, 2.0])  # 45 degrees off, whatever its length
    predicted[0, 5] = 7.0  # the first sensor, exactly
    predicted[0, :3] = 9.0  # the place is not known
    loss = characteristics_loss(predicted, target[None], known[None])
    assert float(loss) == pytest.approx(((1 - math.sqrt(0.5)) + 0) / 2, abs=1e-5)
