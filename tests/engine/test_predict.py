"""Prediction at several resolutions: what a model sees from afar is averaged with what it sees near."""

import dataclasses

import pytest
import torch

from engine.cards import ModelCard
from engine.model import Model, build_network
from engine.planes import PLANES, SceneScaling
from engine.predict import Predictor, logits_at
from engine.protocol import BadInput
from engine.reporting import Report
from engine.simulate.chips import Batch
from engine.validation import HazardTally, judge_hazards

SLOTS = ("green", "red", "nir")
SCALING = SceneScaling(SLOTS, (0.0,) * 3, (0.5,) * 3, (True,) * 3)


def tiny_card():
    return ModelCard("tiny", "Tiny", "unet", "tu-mobilenetv3_small_050", ("flood",), {"flood": 0.5}, PLANES)


def predictor(card):
    torch.manual_seed(0)
    network = build_network(card).eval()
    model = Model(card, network, "x", "0" * 64, False)
    return Predictor(model, "flood", SCALING, torch.device("cpu"), 2, print)


def window(height, width):
    generator = torch.Generator().manual_seed(1)
    values = torch.rand((1, 3, height, width), generator=generator) * 0.5
    return predictor(tiny_card()).planes(values, torch.ones((1, 1, height, width), dtype=torch.bool))[0]


def test_two_resolutions_are_the_mean_of_their_logits():
    card = tiny_card()
    planes = window(128, 192)
    near = torch.logit(predictor(card).predict([planes])[0])
    small = planes.reshape(len(planes), 64, 2, 96, 2).mean((2, 4))
    far = torch.logit(predictor(card).predict([small])[0])
    # The centre of each coarse pixel lies between four fine ones: their mean is its own value.
    both = torch.logit(predictor(dataclasses.replace(card, scales={"flood": [1, 2]})).predict([planes])[0])
    came_back = (2 * both - near).reshape(64, 2, 96, 2).mean((1, 3))[1:-1, 1:-1]
    blurred = torch.nn.functional.conv2d(
        far[None, None], torch.tensor([[1.0, 6, 1], [6, 36, 6], [1, 6, 1]])[None, None] / 64
    )[0, 0]
    assert torch.allclose(came_back, blurred, atol=1e-3)


@pytest.mark.parametrize("size", [(32, 32), (160, 96), (96, 224)])
def test_any_window_size_comes_back_as_it_was(size):
    card = dataclasses.replace(tiny_card(), scales={"flood": [1, 2, 4]})
    found = predictor(card).predict([window(*size)])[0]
    assert found.shape == size
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("scales", [{"flood": []}, {"flood": [0]}, {"flood": [1, 2, 4, 8, 16]}, {"mud": [1]}, [1]])
def test_scales_that_cannot_be_are_refused(scales):
    with pytest.raises(BadInput, match="scales"):
        dataclasses.replace(tiny_card(), scales=scales)


def test_thresholds_are_measured_at_the_resolutions_at_which_the_model_is_used():
    card = dataclasses.replace(tiny_card(), scales={"flood": [1, 4]})
    torch.manual_seed(0)
    network = build_network(card).eval()
    planes = torch.randn((2, len(PLANES), 128, 128), generator=torch.Generator().manual_seed(3))
    labels = (planes[:, :1] > 0).to(torch.uint8)
    tally, _ = judge_hazards(network, [Batch(planes, labels, labels[:, 0])], card, torch.device("cpu"), Report())
    by_hand = HazardTally(card.hazards)
    by_hand.add(logits_at(network, planes, [1, 4], 32), labels)
    near = HazardTally(card.hazards)
    near.add(network.hazard_logits(planes), labels)
    assert tally.score("flood") == by_hand.score("flood") != near.score("flood")
