"""What a GPU is asked to do, on a device that refuses to meet tensors on the processor: with the same answers."""

import contextlib

import numpy as np
import pytest
import torch
from scenes import write_raster
from second_device import DEVICE, There, second_device
from test_adapt import BANDS, flood_with_footing
from test_adaptation import known, settings, small_network, small_views

from engine import adapt as adapt_module
from engine.adaptation.guards import Limits
from engine.adaptation.search import adapt_network
from engine.before.matching import match_scenes
from engine.before.predict import PairPredictor, pair_window
from engine.model import load_model
from engine.planes import SceneScaling, build_planes
from engine.predict import Predictor
from engine.protocol import AdaptJob
from engine.simulate import simulate_scene


@pytest.fixture(scope="module")
def flooded(tmp_path_factory):
    return flood_with_footing(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def footing(monkeypatch):
    """Everything is tried, whatever an untrained network finds."""
    monkeypatch.setattr(Limits, "no_footing", lambda limits: None)


def test_the_device_computes_as_the_processor_and_refuses_what_lies_there():
    values = torch.rand((2, 3, 8, 8))
    convolution = torch.nn.Conv2d(3, 4, 3)
    expected = convolution(values)
    expected.sum().backward()
    gradient = convolution.weight.grad.clone()
    convolution.weight.grad = None
    with second_device() as device:
        there = convolution.to(device)
        found = there(values.to(device))
        found.sum().backward()
        assert isinstance(found, There) and found.device == DEVICE
        assert torch.equal(found.cpu(), expected) and torch.allclose(there.weight.grad.cpu(), gradient)
        assert torch.equal(values.to(device)[:, [2, 0]].cpu(), values[:, [2, 0]])
        with pytest.raises(RuntimeError, match="same device"):
            found + torch.ones(4, 6, 6)
        with pytest.raises(RuntimeError, match="same device"):
            torch.cat([found, expected])


@pytest.mark.parametrize("holes", [False, True])
def test_planes_are_built_where_the_values_lie(holes):
    slots = ("green", "nir", "swir1", "vv", "vh")
    scaling = SceneScaling(slots, (0.0, 0.0, 0.1, -25.0, -30.0), (0.4, 0.5, 0.1, -5.0, -10.0), (True,) * 5)
    values = torch.rand((2, 5, 32, 48))
    valid = torch.rand((2, 1, 32, 48)) > (0.2 if holes else -1)
    expected = build_planes(values, valid, scaling)
    with second_device() as device:
        found = build_planes(values.to(device), valid.to(device), scaling)
        assert isinstance(found, There) and torch.equal(found.cpu(), expected)


@pytest.mark.parametrize(
    ("mode", "last_block"), [("constraint", True), ("adversarial", True), ("literal", False), ("statistics", False)]
)
@pytest.mark.usefixtures("footing")
def test_a_search_finds_there_what_it_finds_here(mode, last_block):
    views = small_views()
    network = small_network().restricted_to(views.chosen).eval()
    asked = settings(mode=mode, factors=(1, 2), last_block=last_block)
    expected = adapt_network(network, views, asked, known())
    with second_device() as device:
        target, mask = (part.to(device) for part in known())
        found = adapt_network(network.to(device), views.to(device), asked, (target, mask))
        assert all(isinstance(tensor, There) for tensor in found.changed.values())
    assert found.steps == expected.steps == (0 if mode == "statistics" else 4)
    for there, here in zip(found.stages, expected.stages, strict=True):
        assert (there.name, there.accepted) == (here.name, here.accepted)
        assert there.judgement.proxy == pytest.approx(here.judgement.proxy, rel=1e-4)


def chips(folder):
    """Labelled chips to learn beside the scene."""
    chip, _ = simulate_scene(5, 96, "none", BANDS, 10.0)
    write_raster(folder / "chip.tif", np.stack([chip[slot] for slot in BANDS]), names=BANDS)
    write_raster(folder / "label.tif", np.zeros((96, 96), np.uint8))
    (folder / "table.csv").write_text("image,score,label,longitude,latitude\nchip.tif,,label.tif,9,46\n")
    return str(folder / "table.csv")


def earlier(folder):
    """The scene before the flood."""
    values, _ = simulate_scene(11, 128, "none", BANDS, 10.0)
    return write_raster(folder / "before.tif", np.stack([values[slot] for slot in BANDS]), names=BANDS)


@pytest.mark.parametrize(
    "beside",
    [
        lambda folder: {},
        lambda folder: {"replay": chips(folder), "mode": "adversarial"},
        lambda folder: {"before": earlier(folder)},
    ],
)
def test_the_command_adapts_there_as_it_does_here(flooded, tmp_path, monkeypatch, beside):
    monkeypatch.setenv("HAZARD_MODELS", str(tmp_path / "models"))
    given = beside(tmp_path)
    monkeypatch.setattr(Limits, "broken_by", lambda limits, found: None)  # so that there is something to save
    found, models = {}, {"unet": load_model("unet")}
    for place in ("here", "there"):
        job = AdaptJob(
            flooded, BANDS, units="reflectance", hazard="flood", save=place, model="unet", steps=2, candidates=4,
            batch_size=1, budget_s=600.0, **given,
        )  # fmt: skip
        with second_device() if place == "there" else contextlib.nullcontext(torch.device("cpu")) as device:
            monkeypatch.setattr(adapt_module, "choose_device", lambda wanted, device=device: device)
            found[place] = adapt_module.adapt(job, None, models)
    here, there = found["here"], found["there"]
    assert there["device"] == str(DEVICE) and there["verdict"] == here["verdict"]
    assert [stage["stage"] for stage in there["stages"]] == [stage["stage"] for stage in here["stages"]]
    for one, two in zip(there["stages"], here["stages"], strict=True):
        assert one["proxy"] == pytest.approx(two["proxy"], abs=5e-4)
    weights = [load_model(place).network.state_dict() for place in ("here", "there")]
    assert all(
        torch.allclose(tensor, weights[1][name], rtol=1e-3, atol=5e-3)  # two steps of Adam, whatever the gradient
        for name, tensor in weights[0].items()
    )


@pytest.mark.parametrize("name", ["unet", "residual_unet"])
@pytest.mark.parametrize("hazard", ["flood", "landslide"])
def test_windows_are_predicted_there_as_they_are_here(name, hazard):
    """Landslides at several resolutions; on the processor by a rewritten network, which the device does not compute."""
    scaling = SceneScaling(BANDS, (0.0,) * 6, (0.4,) * 6, (True,) * 6)
    values, valid = torch.rand((2, 6, 96, 128)) * 0.4, torch.ones((2, 1, 96, 128), dtype=torch.bool)
    model, answers = load_model(name), []
    for place in (contextlib.nullcontext(torch.device("cpu")), second_device()):
        with place as device:
            predictor = Predictor(model, hazard, scaling, device, 2, pytest.fail)
            planes = [predictor.planes(values[[index]], valid[[index]])[0] for index in range(2)]
            predictor.settle(planes)
            answers.append(torch.stack(predictor.predict(planes)))
    assert torch.allclose(*answers, atol=1e-3)


@pytest.mark.parametrize("hazard", ["flood", "landslide"])
def test_two_dates_are_compared_there_as_they_are_here(hazard):
    scaling = SceneScaling(BANDS, (0.0,) * 6, (0.4,) * 6, (True,) * 6)
    now, was = torch.rand((2, 6, 96, 128)) * 0.4
    valid = np.ones((96, 128), np.bool_)
    match = match_scenes(now.flatten(1), scaling, was.flatten(1), scaling)
    window = pair_window((now.numpy(), was.numpy()), (valid, valid), (scaling, scaling), match)
    model, answers = load_model("unet"), []
    for place in (contextlib.nullcontext(torch.device("cpu")), second_device()):
        with place as device:
            predictor = PairPredictor(model, hazard, (scaling, scaling), 0.5, device, 2, pytest.fail)
            answers.append(torch.stack(predictor.answer([window, window])[1]))
    assert torch.allclose(*answers, atol=1e-3)
