"""Training: its schedule, its average and that a stopped run goes on as if it had not stopped."""

import itertools

import pytest
import torch

from engine import train
from engine.model import build_network, load_model
from engine.simulate import chips


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(chips, "SCENES_KEPT", 2)
    monkeypatch.setattr(chips, "SCENE_SIZE_PX", 64)
    monkeypatch.setattr(chips, "CHIP_SIZE_PX", 64)
    monkeypatch.setattr(chips.cut_chips, "__defaults__", (64,))
    monkeypatch.setattr(train, "SCENE_SIZE_PX", 64)
    monkeypatch.setattr(train, "VALIDATION_SCENES", 2)


def run(folder, steps, resume=False):
    return train.main(
        ["--save", str(folder / "tiny"), "--checkpoint", str(folder / "tiny.pt"), "--steps", str(steps), "--seed", "4"]
        + ["--batch-size", "8", "--encoder", "tu-mobilenetv3_small_050"]
        + (["--resume"] if resume else [])
    )


def test_the_rate_warms_up_holds_and_ends_at_zero():
    rates = [train.learning_rate(step, 1000) for step in range(1001)]
    assert rates[0] == pytest.approx(train.LEARNING_RATE / train.WARM_UP_STEPS)
    assert rates[train.WARM_UP_STEPS : 699] == [train.LEARNING_RATE] * (699 - train.WARM_UP_STEPS)
    assert rates[1000] == 0
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates[700:]))


def test_the_average_of_constant_weights_is_those_weights():
    card = train.new_card("x", "tu-mobilenetv3_small_050")
    network, average = build_network(card), build_network(card)
    for step in range(200):
        train.update_average(average, network, step)
    for mean, tensor in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        assert torch.allclose(mean.float(), tensor.float(), atol=1e-4)


def test_training_writes_a_model_that_loads_with_its_command_in_the_card(small, tmp_path):
    assert run(tmp_path, 2) == 0
    card = load_model(str(tmp_path / "tiny")).card
    assert card.training["steps"] == 2
    assert "--seed 4" in card.training["command"]
    assert all(0 < value < 1 for value in card.thresholds.values())


def test_a_resumed_run_counts_on_and_changes_the_weights(small, tmp_path):
    run(tmp_path, 1)
    first = load_model(str(tmp_path / "tiny"))
    assert run(tmp_path, 2, resume=True) == 0
    second = load_model(str(tmp_path / "tiny"))
    assert (first.card.training["steps"], second.card.training["steps"]) == (1, 2)
    assert first.weights_sha256 != second.weights_sha256


def test_resuming_without_a_checkpoint_is_bad_input(tmp_path, capsys):
    assert run(tmp_path, 1, resume=True) == 2
    assert "checkpoint" in capsys.readouterr().err
