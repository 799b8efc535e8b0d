"""Weights without a card: what becomes a model answers as it did before; what does not fit is told in one sentence."""

import dataclasses
import json
import pickle

import numpy as np
import pytest
import safetensors.torch
import torch
from scenes import write_raster

from engine.__main__ import main
from engine.adopt import adopt_weights
from engine.cards import read_card
from engine.model import build_network, library_network, load_model, save_model
from engine.planes import PLANES, SceneScaling
from engine.predict import Predictor
from engine.protocol import AdoptWeightsJob, BadInput, SegmentJob
from engine.segment import segment

ENCODER = "tu-mobilenetv3_small_050"
CHANNELS = (32, 16, 16, 8, 8)


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    monkeypatch.setenv("HAZARD_MODELS", str(folder))
    return folder


def foreign(path, bands=3, classes=1, architecture="unet", channels=CHANNELS, prefix="", seed=0):
    """A network of the library, as others would train it: all statistics away from where they start."""
    torch.manual_seed(seed)
    network = library_network(architecture, ENCODER, channels, bands, classes)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 2)
                module.bias.normal_(0, 0.1)
        network.segmentation_head[0].bias.normal_(0, 1)
    tensors = {prefix + name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    safetensors.torch.save_file(tensors, path)
    return network.eval()


def job(path, **changes):
    values = {
        "weights": str(path), "name": "foreign", "encoder": ENCODER, "hazards": ("flood",),
        "bands": ("blue", "green", "red"), "licence": "MIT",
    }  # fmt: skip
    return AdoptWeightsJob(**{**values, **changes})


def answers(name, hazard, slots, values, valid=None):
    """Probability of an installed model for one window of stretched or decibel values."""
    low, high = ((-25.0,), (-5.0,)) if slots[0] == "vv" else ((0.1,), (0.5,))
    scaling = SceneScaling(slots, low * len(slots), high * len(slots), (True,) * len(slots))
    valid = torch.ones((1, 1, *values.shape[1:]), dtype=torch.bool) if valid is None else valid
    predictor = Predictor(load_model(name), hazard, scaling, torch.device("cpu"), 1, lambda text: None)
    return predictor.predict([predictor.planes(values[None], valid)[0]])[0]


@pytest.mark.parametrize("architecture", ["unet", "attention_unet"])
def test_a_plain_network_answers_as_it_did_before(home, tmp_path, architecture):
    channels = (32, 16, 16, 16, 16)
    network = foreign(tmp_path / "w.safetensors", classes=2, architecture=architecture, channels=channels)
    told = adopt_weights(job(tmp_path / "w.safetensors", hazards=("flood", "mud"), architecture=architecture))
    assert told["hazards"] == ["flood", "mud"]
    assert read_card(home / "foreign").decoder_channels == channels
    values = torch.rand(3, 96, 64) * 0.5 + 0.05
    stretched = ((values - 0.3) * 2 / 0.4).clamp(-2, 3)
    with torch.no_grad():
        expected = torch.sigmoid(network(stretched[None]))[0]
    for index, hazard in enumerate(("flood", "mud")):
        found = answers("foreign", hazard, ("blue", "green", "red"), values)
        assert torch.allclose(found, expected[index], atol=1e-4)
    assert float(expected.std()) > 1e-3


def test_means_and_deviations_are_kept_up_to_the_edge_and_around_gaps(home, tmp_path):
    network = foreign(tmp_path / "w.safetensors")
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
    adopt_weights(job(tmp_path / "w.safetensors", scale="stretched-0-1", mean=mean, std=std))
    values = torch.rand(3, 64, 64) * 0.4 + 0.1
    valid = torch.ones((1, 1, 64, 64), dtype=torch.bool)
    valid[..., 20:30, 40:50] = False
    unit = ((values - 0.1) / 0.4).clamp(-0.5, 2)
    taken = (unit - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    with torch.no_grad():
        expected = torch.sigmoid(network(taken[None] * valid))[0, 0]
    assert torch.allclose(answers("foreign", "flood", ("blue", "green", "red"), values, valid), expected, atol=1e-4)


def test_decibels_and_softmax_are_kept(home, tmp_path):
    network = foreign(tmp_path / "w.safetensors", bands=2, classes=2, prefix="model.")
    adopt_weights(
        job(tmp_path / "w.safetensors", bands=("vh", "vv"), scale="db", mean=(-18, -11), std=(5, 4), output="softmax")
    )
    values = torch.stack([torch.empty(64, 64).uniform_(-25, -5), torch.empty(64, 64).uniform_(-30, -10)])  # vv, vh
    taken = torch.stack([(values[1] + 18) / 5, (values[0] + 11) / 4])
    with torch.no_grad():
        expected = torch.softmax(network(taken[None]), 1)[0, 1]
    assert torch.allclose(answers("foreign", "flood", ("vv", "vh"), values), expected, atol=1e-4)


def test_a_network_of_this_program_is_taken_as_it_is(home, tmp_path):
    card = read_card_of_small()
    torch.manual_seed(1)
    network = build_network(card).eval()
    save_model(network, card, tmp_path / "own")
    adopt_weights(job(tmp_path / "own" / "weights.safetensors", bands=(), hazards=("flood", "fire")))
    found = load_model("foreign")
    assert found.card.hazards == ("flood", "fire") and found.card.detail_channels == 3
    planes = torch.rand(1, len(PLANES), 64, 64)
    expected = load_model(str(tmp_path / "own")).network.hazard_logits(planes)
    assert torch.allclose(found.network.hazard_logits(planes), expected, atol=1e-6)


def read_card_of_small():
    from engine.cards import ModelCard

    return ModelCard(
        name="own",
        title="Own",
        architecture="unet",
        encoder=ENCODER,
        hazards=("a", "b"),
        thresholds={"a": 0.5, "b": 0.5},
        planes=PLANES,
        decoder_channels=CHANNELS,
        detail_channels=3,
        characteristics=5,
    )


def test_half_precision_and_missing_counters_are_taken(home, tmp_path):
    foreign(tmp_path / "w.safetensors")
    tensors = safetensors.torch.load_file(tmp_path / "w.safetensors")
    tensors = {name: tensor.half() for name, tensor in tensors.items() if "num_batches" not in name}
    safetensors.torch.save_file(tensors, tmp_path / "half.safetensors")
    adopt_weights(job(tmp_path / "half.safetensors"))
    size = (home / "foreign" / "weights.safetensors").stat().st_size
    assert size < 1.3 * (tmp_path / "half.safetensors").stat().st_size


def test_a_scene_without_its_bands_is_refused_and_one_with_them_is_segmented(home, tmp_path):
    foreign(tmp_path / "w.safetensors")
    adopt_weights(job(tmp_path / "w.safetensors", thresholds=(0.3,)))
    pixels = np.random.default_rng(0).integers(100, 4000, (3, 70, 50)).astype("u2")
    scene = write_raster(tmp_path / "s.tif", pixels)
    mask = str(tmp_path / "m.tif")
    common = {"raster": str(scene), "units": "reflectance*10000", "hazard": "flood", "model": "foreign", "mask": mask}
    told = segment(SegmentJob(bands=("blue", "green", "red"), **common))
    assert told["threshold"] == 0.3 and told["share_assessed"] == 1.0
    with pytest.raises(BadInput, match="needs the bands red too"):
        segment(SegmentJob(bands=("blue", "green", "nir"), overwrite=True, **common))


MISTAKES = [
    ({"encoder": "resnet18"}, "lacks|has the shape|no place"),
    ({"encoder": "no_such_encoder"}, "cannot be built"),
    ({"encoder": "../../x"}, "."),
    ({"architecture": "unetplusplus"}, "lacks|shape"),
    ({"bands": ("blue", "green")}, "shape"),
    ({"bands": ()}, "name the bands"),
    ({"hazards": ("flood", "mud")}, "shape"),
    ({"hazards": ("a b",)}, "not a name"),
    ({"output": "softmax"}, "shape"),
    ({"output": "softmax", "hazards": ("a", "b")}, "one hazard"),
    ({"scale": "db"}, "Decibels"),
    ({"decoder_channels": (32, 16, 16, 8, 4)}, "shape"),
    ({"decoder_channels": (9,)}, "."),
    ({"decoder_channels": (0, 0, 0)}, "."),
    ({"name": "unet"}, "comes with the program"),
    ({"weights": "/nowhere"}, "not there"),
]


@pytest.mark.parametrize("changes, words", MISTAKES)
def test_what_does_not_fit_is_told_in_one_sentence(home, tmp_path, changes, words):
    foreign(tmp_path / "w.safetensors")
    with pytest.raises(BadInput, match=words) as error:
        adopt_weights(job(tmp_path / "w.safetensors", **changes))
    assert "\n" not in str(error.value) and len(str(error.value)) < 500
    assert not home.is_dir() or list(home.iterdir()) == []


@pytest.mark.filterwarnings("ignore:Initializing zero-element")
def test_a_network_that_does_not_run_is_refused(home, tmp_path):
    foreign(tmp_path / "w.safetensors", architecture="attention_unet")  # attention divides its channels by 16
    with pytest.raises(BadInput, match="does not run"):
        adopt_weights(job(tmp_path / "w.safetensors", architecture="attention_unet"))
    assert not home.is_dir()


@pytest.mark.parametrize(
    "changes",
    [
        {"hazards": ()}, {"hazards": ("a", "a")}, {"bands": ("purple",)}, {"bands": ("red", "red")},
        {"mean": (1.0,)}, {"std": (1.0, 0.0, 1.0)}, {"mean": (float("nan"),) * 3}, {"thresholds": (1.5,)},
        {"thresholds": (0.5, 0.5)}, {"licence": " "}, {"gsd_min_m": 40.0}, {"gsd_max_m": 0.0}, {"architecture": "x"},
        {"scale": "x"}, {"output": "x"}, {"encoder": ""},
    ],
)  # fmt: skip
def test_a_description_that_cannot_be_is_no_job(tmp_path, changes):
    with pytest.raises(BadInput):
        job(tmp_path / "w.safetensors", **changes)


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors", "w.bin"])
def test_pickles_are_refused_by_what_they_are_not_by_their_name(home, tmp_path, name):
    (tmp_path / name).write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(BadInput, match="run code"):
        adopt_weights(job(tmp_path / name))
    torch.save({"a": torch.ones(2)}, tmp_path / name)
    with pytest.raises(BadInput, match="run code"):
        adopt_weights(job(tmp_path / name))


def test_weights_that_are_not_finite_are_refused(home, tmp_path):
    foreign(tmp_path / "w.safetensors")
    tensors = safetensors.torch.load_file(tmp_path / "w.safetensors")
    tensors["segmentation_head.0.bias"][0] = float("inf")
    safetensors.torch.save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(BadInput, match="not all finite"):
        adopt_weights(job(tmp_path / "w.safetensors"))
    assert not home.is_dir()


def test_the_command_line_adopts(home, tmp_path, capsys):
    foreign(tmp_path / "w.safetensors")
    words = ["adopt-weights", "--weights", str(tmp_path / "w.safetensors"), "--name", "cli", "--encoder", ENCODER]
    words += ["--hazards", "flood", "--bands", "blue,green,red", "--mean", "-0.1,0,0.1", "--licence", "MIT", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "cli"
    card = read_card(home / "cli")
    assert card.licence == "MIT" and card.needs == ("norm_blue", "norm_green", "norm_red")
    assert dataclasses.replace(card, name="x").title == "cli"
