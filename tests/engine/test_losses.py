"""Losses against values worked out by hand."""

import math

import pytest
import torch

from engine.losses import POSITIVE_WEIGHTS, hazard_loss, surface_loss


def test_hazard_loss_of_undecided_logits_is_weighted_log_two():
    labels = torch.tensor([1, 1, 0, 0], dtype=torch.uint8).view(1, 1, 2, 2).repeat(1, 4, 1, 1)
    loss = hazard_loss(torch.zeros(1, 4, 2, 2), labels, dice_weight=0.0)
    expected = sum(math.log(2) * (weight + 1) / 2 for weight in POSITIVE_WEIGHTS) / 4
    assert float(loss) == pytest.approx(expected)


def test_dice_term_matches_its_definition():
    logits = torch.logit(torch.tensor([0.8, 0.6, 0.3, 0.1])).view(1, 1, 2, 2).repeat(1, 4, 1, 1)
    labels = torch.tensor([1, 1, 0, 0], dtype=torch.uint8).view(1, 1, 2, 2).repeat(1, 4, 1, 1)
    dice = hazard_loss(logits, labels, 1.0) - hazard_loss(logits, labels, 0.0)
    assert float(dice) == pytest.approx(1 - (2 * 1.4 + 1) / (1.8 + 2 + 1), abs=1e-6)


def test_pixels_not_judged_change_neither_loss_nor_gradient():
    logits = torch.randn(1, 4, 4, 4, requires_grad=True)
    labels = torch.randint(0, 2, (1, 4, 4, 4), dtype=torch.uint8)
    labels[:, :, 0] = 255
    loss = hazard_loss(logits, labels) + surface_loss(logits[:, :1], labels[:, 0])
    loss.backward()
    assert not logits.grad[:, :, 0].any()
    other = logits.detach().clone()
    other[:, :, 0] = 50.0
    again = hazard_loss(other, labels) + surface_loss(other[:, :1], labels[:, 0])
    assert float(again) == pytest.approx(float(loss.detach()))


def test_loss_is_zero_where_nothing_is_judged():
    labels = torch.full((1, 4, 4, 4), 255, dtype=torch.uint8)
    assert float(hazard_loss(torch.randn(1, 4, 4, 4), labels)) == 0.0
    assert float(surface_loss(torch.randn(1, 1, 4, 4), labels[:, 0])) == 0.0
