"""Rewritten networks answer as those that were trained, with fewer products."""

import copy
import dataclasses

import pytest
import torch
from torch import nn

from engine.adaptation.statistics import normalisations
from engine.backends import with_openvino
from engine.backends.base import is_installed
from engine.lean import MOST_READY, EnlargingBlock, fold_batch_norm, lean, ready_network
from engine.model import HazardNet, load_model

MODELS = ("attention_unet", "residual_unet", "unet", "unetplusplus")


def blocks_of(network: nn.Module) -> int:
    return sum(isinstance(part, EnlargingBlock) for part in network.modules())


@pytest.mark.parametrize("name", MODELS)
def test_a_lean_network_answers_alike(name: str) -> None:
    model = load_model(name)
    planes = torch.randn((2, len(model.card.planes), 96, 160), generator=torch.Generator().manual_seed(0))
    rewritten = lean(copy.deepcopy(model.network), torch.device("cpu"), model.card.window_multiple)
    assert blocks_of(rewritten) == {"unetplusplus": 11, "attention_unet": 1}.get(name, 5)
    for given in (planes, planes[:1, :, :32, :32].contiguous()):  # edges are where the two could differ
        expected, found = model.network(given), rewritten(given)
        assert torch.allclose(found.hazard, expected.hazard, atol=1e-4)
        assert torch.allclose(found.surface, expected.surface, atol=1e-4)
        assert torch.allclose(found.characteristics, expected.characteristics, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_normalisations_that_are_to_learn_keep_their_names_statistics_and_gradients(name: str) -> None:
    network = load_model(name).network
    rewritten = lean(copy.deepcopy(network), torch.device("cpu"), 32, fold=False)
    assert blocks_of(rewritten)
    state, found = network.state_dict(), normalisations(rewritten)
    assert found.keys() == normalisations(network).keys()
    kept = {key: tensor for key, tensor in rewritten.state_dict().items() if key.rpartition(".")[0] in found}
    assert all(torch.equal(tensor, state[key]) for key, tensor in kept.items())
    planes = torch.randn((2, len(load_model(name).card.planes), 64, 96), generator=torch.Generator().manual_seed(2))
    gradients = []
    for one in (network, rewritten):
        learnt = [module.weight for module in normalisations(one).values()]
        for weight in learnt:
            weight.requires_grad_(True)
        one(planes).hazard.sigmoid().mean().backward()
        gradients.append(torch.stack([weight.grad.norm() for weight in learnt if weight.grad is not None]))
    assert len(gradients[0]) > 20 and torch.allclose(*gradients, rtol=1e-3, atol=1e-6)


@pytest.mark.skipif(not is_installed("openvino"), reason="needs OpenVINO")
def test_an_export_of_a_lean_network_answers_alike_at_any_size() -> None:
    model = load_model("unetplusplus")
    rewritten = lean(copy.deepcopy(model.network), torch.device("cpu"), model.card.window_multiple)
    backend = with_openvino.OpenVinoBackend(with_openvino.export(rewritten, len(model.card.planes)))
    for rows, columns in ((64, 64), (32, 128)):
        planes = torch.randn((1, len(model.card.planes), rows, columns), generator=torch.Generator().manual_seed(1))
        assert torch.allclose(backend.hazard_logits(planes), model.network.hazard_logits(planes), atol=1e-4)


def test_what_a_block_weighs_stays_as_it_is() -> None:
    """Attention that sees enlarged and other features at once cannot be taken apart."""
    network = lean(load_model("attention_unet").network, torch.device("cpu"), 32)
    kept = [block for block in network.trunk.decoder.blocks if not isinstance(block, EnlargingBlock)]
    assert len(kept) == 4


def test_a_graphics_card_keeps_the_library_s_blocks() -> None:
    network = load_model("unet").network
    assert blocks_of(lean(copy.deepcopy(network), torch.device("meta"), 32)) == 0


def test_a_model_stays_as_it_was_when_a_copy_is_rewritten() -> None:
    model = load_model("unet")
    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    lean(model.network.restricted_to([0, 3, 9]), torch.device("cpu"), 32)
    after = model.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_network_is_made_ready_once_for_each_choice_of_planes_and_the_last_ones_stay() -> None:
    model, processor = load_model("unet"), torch.device("cpu")
    first = ready_network(model, [0, 3, 9], processor)
    assert ready_network(model, [0, 3, 9], processor) is first
    assert ready_network(model, [0, 3, 9], processor, {10: 9}) is not first
    for planes in range(2, 2 + MOST_READY):
        ready_network(model, list(range(planes)), processor)
    assert len(model.ready) == MOST_READY
    assert ready_network(model, [0, 3, 9], processor) is not first


def test_a_model_of_another_network_makes_its_own_ready() -> None:
    model = load_model("unet")
    first = ready_network(model, [0, 3, 9], torch.device("cpu"))
    other = dataclasses.replace(model, network=copy.deepcopy(model.network))
    assert ready_network(other, [0, 3, 9], torch.device("cpu")) is not first


def test_folding_alone_leaves_no_batch_normalisation_after_a_convolution() -> None:
    network: HazardNet = fold_batch_norm(load_model("unet").network)
    assert not isinstance(network.join[1], nn.BatchNorm2d)
