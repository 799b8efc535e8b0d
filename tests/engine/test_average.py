"""Averages of models: weights half way are the mean of both, and the better average is the one that is saved."""

import dataclasses
import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from engine.cards import ModelCard
from engine.model import build_network, load_model, save_model
from engine.planes import PLANES
from engine.simulate import HAZARDS


@pytest.fixture(scope="module")
def benchmark():
    """The command that averages, as a module."""
    folder = Path(__file__).resolve().parents[1] / "benchmarks"
    found = importlib.util.spec_from_file_location("average_benchmark", folder / "average.py")
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two models of one architecture and a third of another."""
    place = tmp_path_factory.mktemp("models")
    card = ModelCard("one", "One", "unet", "tu-mobilenetv3_small_050", HAZARDS, dict.fromkeys(HAZARDS, 0.5), PLANES)
    for seed, name in enumerate(("one", "two", "other")):
        torch.manual_seed(seed)
        named = dataclasses.replace(card, name=name, architecture="attention_unet" if name == "other" else "unet")
        save_model(build_network(named), named, place / name)
    return place


def test_weights_at_a_quarter_of_the_way_are_three_quarters_of_the_first(benchmark, folders):
    first, second = load_model(str(folders / "one")), load_model(str(folders / "two"))
    mean = benchmark.average(first, second, 0.25).state_dict()
    ends = first.network.state_dict(), second.network.state_dict()
    moved = 0
    for name, tensor in mean.items():
        if tensor.is_floating_point():
            expected = 0.75 * ends[0][name] + 0.25 * ends[1][name]
            assert torch.allclose(tensor, expected, rtol=1e-3, atol=1e-6)
            moved += int(not torch.equal(tensor, ends[0][name]))
    assert moved > 10


def test_models_of_two_architectures_have_no_average(benchmark, folders):
    with pytest.raises(ValueError, match="differ in architecture"):
        benchmark.average(load_model(str(folders / "one")), load_model(str(folders / "other")), 0.5)


def test_the_better_share_is_saved_as_the_weights_that_were_measured(benchmark, folders, tmp_path, monkeypatch, capsys):
    saved = tmp_path / "mean"
    words = ["average.py", str(folders / "one"), str(folders / "two"), "--shares", "0.25,0.75", "--scenes", "2"]
    monkeypatch.setattr(sys, "argv", [*words, "--save", str(saved)])
    assert benchmark.main() == 0
    said = capsys.readouterr().out.splitlines()
    worth = {
        line.split()[1].rstrip(":"): float(line.split()[2])
        for line in said
        if line.endswith(tuple("0123456789")) and line.startswith("share")
    }
    best = max(worth, key=worth.get)
    assert set(worth) == {"0.25", "0.75"} and said[-1].startswith(f"share {best} saved")
    model = load_model(str(saved))
    expected = benchmark.average(load_model(str(folders / "one")), load_model(str(folders / "two")), float(best))
    for name, tensor in expected.state_dict().items():
        assert torch.equal(tensor, model.network.state_dict()[name])
    assert [part["share"] for part in model.card.training["averaged"]["of"]] == [1 - float(best), float(best)]
