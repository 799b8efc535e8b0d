"""Models: exactness of the restricted network, and refusal of models that were changed or damaged."""

import dataclasses
import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import safetensors.torch
import torch

from engine.cards import ModelCard, bundled_folder, card_from_json, card_to_json, find_model, list_models, read_card
from engine.metrics import Counts, count_pixels
from engine.model import build_network, build_to_train, default_model, load_model, save_card, save_model
from engine.planes import PLANES, SceneScaling, build_planes, equal_planes, planes_for
from engine.protocol import HAZARDS, BadInput
from engine.simulate import simulate_scene


@pytest.fixture(scope="module")
def card():
    hazards = (*HAZARDS, "any")
    return ModelCard(
        name="small",
        title="Small",
        architecture="unet",
        encoder="tu-mobilenetv3_small_050",
        hazards=hazards,
        thresholds=dict.fromkeys(hazards, 0.5),
        planes=PLANES,
        decoder_channels=(32, 24, 16, 8, 8),
        detail_channels=8,
        default_for=("flood",),
    )


@pytest.fixture(scope="module")
def network(card):
    torch.manual_seed(0)
    return build_network(card).eval()


@pytest.fixture
def folder(tmp_path, network, card):
    save_model(network, card, tmp_path / "small")
    return tmp_path / "small"


def reseal(folder):
    """Make the checksums agree again, as one who tampers knowingly would."""
    names = ("card.json", "weights.safetensors")
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(sums))


@pytest.mark.parametrize("slots", [("vv", "vh"), ("blue", "green", "red"), ("blue", "green", "red", "nir", "swir1")])
def test_the_restricted_network_answers_as_the_whole_one(network, slots):
    count = len(slots)
    scaling = SceneScaling(slots, (0.0,) * count, (1.0,) * count, (True,) * count)
    chosen = planes_for(scaling)
    planes = build_planes(torch.rand(1, count, 64, 64), torch.ones((1, 1, 64, 64), dtype=torch.bool), scaling)
    full = torch.zeros(1, len(PLANES), 64, 64)
    full[:, chosen] = planes
    with torch.no_grad():
        expected = network(full).hazard
    assert torch.allclose(network.restricted_to(chosen).hazard_logits(planes), expected, atol=1e-4)
    equal = equal_planes(chosen)
    fewer = [plane for plane in chosen if plane not in equal]
    summed = network.restricted_to(fewer, equal)
    distinct = planes[:, [chosen.index(plane) for plane in fewer]]
    assert torch.allclose(summed.hazard_logits(distinct), expected, atol=1e-4)


def test_restricting_leaves_the_network_itself_unchanged(network):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.restricted_to([0, 3])
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_a_saved_model_comes_back_with_half_precision_weights(folder, network, card):
    model = load_model(str(folder))
    assert model.card == card
    assert not model.bundled
    assert not model.network.training
    for name, tensor in network.state_dict().items():
        found = model.network.state_dict()[name]
        assert torch.equal(found, tensor.half().float() if tensor.is_floating_point() else tensor)
    assert model.weights_sha256 == hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()


def test_saving_leaves_no_partial_file(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["SHA256SUMS", "card.json", "weights.safetensors"]


def test_a_model_that_cannot_be_written_leaves_what_was_there_and_no_partial_file(folder, network, card):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / ".SHA256SUMS.partial").mkdir()
    with pytest.raises(BadInput, match="cannot be written"):
        save_model(network, card, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_new_card_keeps_the_weights(folder, card):
    before = load_model(str(folder)).weights_sha256
    save_card(dataclasses.replace(card, score=0.9), folder)
    assert load_model(str(folder)).weights_sha256 == before
    assert read_card(folder).score == 0.9


def test_a_changed_byte_of_the_weights_is_refused(folder):
    content = bytearray((folder / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(content)
    with pytest.raises(BadInput, match="SHA-256"):
        load_model(str(folder))


@pytest.mark.parametrize("name", ["card.json", "weights.safetensors", "SHA256SUMS"])
def test_a_missing_file_is_refused(folder, name):
    (folder / name).unlink()
    with pytest.raises(BadInput):
        load_model(str(folder))


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", b"\xff" * 64, b"\x08" + b"\0" * 7 + b"{}      "])
def test_weights_that_are_no_safetensors_are_refused(folder, content):
    (folder / "weights.safetensors").write_bytes(content)
    reseal(folder)
    with pytest.raises(BadInput):
        load_model(str(folder))


@pytest.mark.parametrize("change", ["missing", "extra", "shape", "nan", "whole"])
def test_weights_that_do_not_fit_the_card_are_refused(folder, change):
    tensors = safetensors.torch.load_file(folder / "weights.safetensors")
    key = "hazard_head.weight"
    if change == "missing":
        del tensors[key]
    elif change == "extra":
        tensors["other"] = torch.zeros(1)
    elif change == "shape":
        tensors[key] = tensors[key][:1].clone()
    elif change == "nan":
        tensors[key][0] = float("nan")
    else:
        tensors[key] = tensors[key].to(torch.int64)
    safetensors.torch.save_file(tensors, folder / "weights.safetensors")
    reseal(folder)
    with pytest.raises(BadInput):
        load_model(str(folder))


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": "hf-hub:someone/something"},
        {"encoder": "../elsewhere"},
        {"encoder": "no_such_encoder"},
        {"architecture": "transformer"},
        {"thresholds": {"flood": 0.5}},
        {"thresholds": "high"},
        {"hazards": []},
        {"hazards": ["flood", "flood"]},
        {"planes": ["norm_red"]},
        {"decoder_channels": [32, 24, 16, 8, -8]},
        {"decoder_channels": [100000] * 5},
        {"name": "../../etc"},
        {"score": "good"},
        {"weights": "/etc/passwd"},
        {"gsd_min_m": -1},
        {"gsd_min_m": 10**400},
        {"thresholds": {"flood": 10**400}},
    ],
)
def test_a_card_that_cannot_be_is_refused(folder, changes):
    values = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**values, **changes}))
    reseal(folder)
    with pytest.raises(BadInput) as error:
        load_model(str(folder))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"name": "x"}', "[" * 100_000])
def test_a_card_that_is_no_card_is_refused(text):
    with pytest.raises(BadInput):
        card_from_json(text, "here")


def test_an_oversized_card_is_refused_unread(folder):
    with (folder / "card.json").open("ab") as file:
        file.truncate(2_000_000)
    with pytest.raises(BadInput, match="bytes"):
        load_model(str(folder))


def test_a_card_survives_its_own_text(card):
    assert card_from_json(card_to_json(card), "here") == card


@pytest.mark.parametrize("name", ["", "nowhere", "../..", "a/b", "a b", ".", "\0"])
def test_unknown_names_are_refused_with_the_known_ones(name, monkeypatch, tmp_path):
    monkeypatch.setenv("HAZARD_MODELS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match="not found"):
        find_model(name)


def test_user_models_are_listed_and_broken_ones_are_not(folder, monkeypatch):
    monkeypatch.setenv("HAZARD_MODELS", str(folder.parent))
    assert "small" in [row["name"] for row in list_models()]
    assert load_model("small").folder == str(folder)
    (folder / "card.json").write_text("{}")
    assert "small" not in [row["name"] for row in list_models()]


def test_every_bundled_model_loads_and_fits_the_bundle(monkeypatch, tmp_path):
    monkeypatch.setenv("HAZARD_MODELS", str(tmp_path))
    rows = list_models()
    assert rows
    for row in rows:
        model = load_model(row["name"])
        assert model.bundled
        assert set(HAZARDS) <= set(model.card.hazards)
    size = sum(path.stat().st_size for path in bundled_folder().glob("*/weights.safetensors"))
    assert size <= 18_000_000


def test_every_hazard_has_a_default_model_and_others_are_refused():
    for hazard in HAZARDS:
        assert hazard in {
            name for row in list_models() if row["name"] == default_model(hazard) for name in row["hazards"]
        }
    with pytest.raises(BadInput, match="volcano"):
        default_model("volcano")


def test_listing_models_does_not_import_torch():
    code = "import sys; from engine.cards import list_models; list_models(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "slots", [("blue", "green", "red", "nir", "swir1", "swir2"), ("blue", "green", "red", "nir"), ("vv", "vh")]
)
def test_the_default_flood_model_finds_water_in_scenes_it_never_saw(slots):
    model = load_model(default_model("flood"))
    pooled = Counts()
    for seed in range(6):
        values, labels = simulate_scene(800_000_000 + seed, 192, "flood", slots, 10.0)
        stack = torch.from_numpy(np.stack([values[slot] for slot in slots]))[None]
        low, high = np.percentile(stack[0].flatten(1).numpy(), (2, 98), axis=1)
        scaling = SceneScaling(slots, tuple(low.tolist()), tuple(high.tolist()), (True,) * len(slots))
        planes = build_planes(stack, torch.ones((1, 1, 192, 192), dtype=torch.bool), scaling)
        logits = model.network.restricted_to(planes_for(scaling)).hazard_logits(planes)[0]
        found = torch.sigmoid(logits[model.card.hazards.index("flood")]).numpy() >= model.card.thresholds["flood"]
        pooled = pooled + count_pixels(found, labels["flood"] == 1, labels["flood"] != 255)
    assert pooled.balanced_accuracy > 0.8
    assert pooled.iou > 0.5


def test_scenes_of_display_values_may_have_thresholds_of_their_own():
    card = dataclasses.replace(load_model("unet").card, display_thresholds={"flood": 0.3})
    assert card.threshold_for("flood", (False, False)) == 0.3
    assert card.threshold_for("flood", (False, True)) == card.thresholds["flood"]
    assert card.threshold_for("landslide", (False,)) == card.thresholds["landslide"]
    with pytest.raises(BadInput, match="display_thresholds"):
        dataclasses.replace(card, display_thresholds={"flood": 2.0})


IMPORTED_ON = """
import sys, torch
seen = []
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in ("segmentation_models_pytorch", "timm", "torchvision"):
            seen.append(torch.empty(0).device.type)
sys.meta_path.insert(0, Watch())
from engine.cards import bundled_folder, read_card
from engine.model import default_model, shapes_of
shapes_of(read_card(bundled_folder() / default_model("flood")))
print(*seen)
"""


def test_the_library_is_not_imported_while_tensors_are_made_without_memory():
    ended = subprocess.run([sys.executable, "-c", IMPORTED_ON], capture_output=True, text=True, check=True)
    assert set(ended.stdout.split()) == {"cpu"}


@pytest.mark.parametrize(
    ("architecture", "encoder", "words"),
    [
        ("unet", "tu-swin_tiny_patch4_window7_224", "doesn't match model"),  # takes windows of one size only
        ("unet", "no_such_encoder", "no encoder of this name"),
        ("unetplusplus", "mit_b0", "not support"),
    ],
)
def test_an_encoder_that_cannot_serve_is_named_before_any_training(card, architecture, encoder, words):
    with pytest.raises(BadInput, match=words) as error:
        build_to_train(dataclasses.replace(card, architecture=architecture, encoder=encoder))
    said = str(error.value)
    assert said.startswith(f"Encoder '{encoder}' cannot be used in {architecture} (")
    assert said.endswith("; choose another encoder, for example resnet18.") and "\n" not in said and "[" not in said
