"""Pre-training: it learns, says what it did, and refuses in one sentence what it cannot do."""

import dataclasses
import json
import math

import pytest
import torch
from toys import ToyScenes

from engine import batches, learning
from engine.cards import ARCHITECTURE_DEFAULTS, bundled_folder, list_models, read_card
from engine.checkpoints import FILE
from engine.losses import surface_loss
from engine.model import build_network, load_model
from engine.pretrain import new_card, pretrain
from engine.protocol import ARCHITECTURES, BadInput, Cancelled, PretrainJob
from engine.reporting import Report
from engine.simulate.chips import Batch

SMALL = "tu-mobilenetv3_small_050"


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    monkeypatch.setattr(batches, "SCENE_SIZE_PX", 64)
    monkeypatch.setattr(batches, "CHIP_SIZE_PX", 64)
    monkeypatch.setattr(batches, "SCENES_IN_LANE", 1)
    monkeypatch.setattr(learning, "VALIDATION_SCENES", (8, 8))
    monkeypatch.setenv("HAZARD_MODELS", str(tmp_path / "models"))


@pytest.fixture
def toy(monkeypatch):
    """Give training data from memory."""

    def give(scenes):
        monkeypatch.setattr(learning, "open_training_data", lambda folder, **options: scenes)

    return give


def job(**changes):
    values = {"data": "simulated", "save": "small", "encoder": SMALL, "epochs": 2, "iterations": 2, "batch_size": 8,
              "workers": 0, "device": "cpu"}  # fmt: skip
    return PretrainJob(**{**values, **changes})


def test_pretraining_writes_a_model_that_says_what_it_is(tmp_path):
    metrics = []
    report = Report(on_metrics=lambda step, values: metrics.append((step, values)))
    found = pretrain(job(seed=4), report)
    assert found["path"] == str(tmp_path / "models" / "small") and found["model"] == "small"
    assert (found["steps"], found["device"]) == (4, "cpu")
    card = load_model("small").card
    assert card.pretrained_only and card.hazards == ("flood", "landslide", "glacier_collapse", "any")
    assert card.training["command"] == (
        "python -m engine pretrain --data simulated --save small --epochs 2 --iterations 2 --batch-size 8 --seed 4 "
        f"--encoder {SMALL}"
    )
    assert card.training["versions"]["torch"] == torch.__version__ and card.training["seed"] == 4
    assert [step for step, _ in card.training["curves"]["validation_loss"]] == [2, 4]
    assert [step for step, values in metrics if "validation_balanced_accuracy" in values] == [2, 4]
    assert all(math.isfinite(value) for _, values in metrics for value in values.values())
    assert {"loss", "learning_rate"} <= set(metrics[0][1])
    row = next(row for row in list_models() if row["name"] == "small")
    assert row["pretrained_only"] and not row["bundled"]
    assert not (tmp_path / "models" / "small" / FILE).exists()


def test_pretraining_on_simulated_scenes_validates_each_epoch_and_names_the_step_it_keeps():
    """That something is learned takes more scenes than a test has time for; the toys below show it."""
    found = pretrain(job(epochs=3, iterations=12), Report())
    curve = dict(read_card(found["path"]).training["curves"]["validation_loss"])
    assert len(curve) == 3 and all(0 < loss < 100 for loss in curve.values())
    assert found["validation_loss"] == pytest.approx(curve[found["best_step"]], abs=1e-3)


def test_pixels_of_labelled_scenes_are_learned(toy, tmp_path):
    toy(ToyScenes(count=24))
    found = pretrain(job(data=str(tmp_path), epochs=2, iterations=13), Report())
    assert found["validation_score"] > 0.9
    training = read_card(found["path"]).training
    assert training["data"] == "Toy scenes" and training["data_licence"] == "made by a test"


def test_patch_labels_alone_teach_which_patches_are_artificial(toy, tmp_path):
    toy(ToyScenes(count=40, by_patch=True))
    found = pretrain(job(data=str(tmp_path), epochs=2, iterations=13), Report())
    assert found["validation_score"] > 0.8


def test_bad_scenes_are_named_and_left_out(toy, tmp_path):
    toy(ToyScenes(count=24, bad=(2, 5, 20), notes=("A note.",)))
    found = pretrain(job(data=str(tmp_path), epochs=1, iterations=3), Report())
    assert found["warnings"][0] == "A note."
    assert "2 of 18" in found["warnings"][1] and "Scene 2 is damaged" in " ".join(found["warnings"])
    assert found["skipped"] in (1, 2)
    assert any("1 scenes that were to validate" in text and "Scene 20" in text for text in found["warnings"])


@pytest.mark.parametrize(
    ("scenes", "words"),
    [
        (ToyScenes(empty=True), "None of 18 scenes"),
        (ToyScenes(empty=True, by_patch=True), "artificial"),
        (ToyScenes(bad=range(24)), "Scene .* is damaged"),
        (ToyScenes(bad=range(18, 24)), "validate"),
        (ToyScenes(count=1), "none of them for training"),
        (ToyScenes(size_px=16), "32 x 32"),
    ],
)
def test_data_that_teach_nothing_are_refused_in_one_sentence(toy, tmp_path, scenes, words):
    toy(scenes)
    with pytest.raises(BadInput, match=words) as error:
        pretrain(job(data=str(tmp_path)), Report())
    assert "\n" not in str(error.value)
    assert list_models() == [row for row in list_models() if row["bundled"]]


def test_a_run_can_be_cancelled_and_gone_on_with(tmp_path):
    whole, parts = [], []
    pretrain(job(save="whole"), Report(on_metrics=lambda *told: whole.append(told)))
    report = Report(on_metrics=lambda step, values: (parts.append((step, values)), report.cancelled.set()))
    with pytest.raises(Cancelled, match=r"step 1.*--resume"):
        pretrain(job(save="parts"), report)
    folder = tmp_path / "models" / "parts"
    assert [path.name for path in folder.iterdir()] == [FILE]
    with pytest.raises(BadInput, match="unfinished run"):
        pretrain(job(save="parts"), Report())
    with pytest.raises(BadInput, match="seed 0, not 1"):
        pretrain(job(save="parts", resume=True, seed=1), Report())
    pretrain(job(save="parts", resume=True), Report(on_metrics=lambda *told: parts.append(told)))
    assert parts == whole
    assert (folder / "weights.safetensors").read_bytes() == (
        tmp_path / "models" / "whole" / "weights.safetensors"
    ).read_bytes()


def test_names_and_folders_that_cannot_be_written_are_refused_before_anything_is_computed(tmp_path):
    def refused(words, **changes):
        with pytest.raises(BadInput, match=words) as error:
            pretrain(job(**changes), Report())
        assert "\n" not in str(error.value)

    bundled = next(folder.name for folder in bundled_folder().iterdir() if folder.is_dir())
    refused("comes with the program", save=bundled)
    refused("Model name", save=str(tmp_path / "a b"))
    (tmp_path / "file").write_text("")
    refused("is a file", save=str(tmp_path / "file"))
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "card.json").write_text("{}")
    refused("--overwrite", save=str(tmp_path / "there"))
    refused("no checkpoint", save="new", resume=True)
    refused("no_such_encoder", save="new", encoder="no_such_encoder")
    assert json.loads((tmp_path / "there" / "card.json").read_text()) == {}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_each_architecture_takes_a_step_with_its_default_encoder(architecture):
    torch.manual_seed(0)
    network = build_network(new_card("x", architecture, None)).train()
    batch = batches.SimulatedSource(0, 4, ("flood",), ()).batch(0).to(torch.device("cpu"))
    assert isinstance(batch, Batch)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    first = surface_loss(network(batch.planes).surface, batch.surface)
    first.backward()
    optimizer.step()
    assert surface_loss(network(batch.planes).surface, batch.surface).item() < first.item()


def test_the_four_default_networks_fit_the_bundle_together():
    size = 0
    for architecture in ARCHITECTURE_DEFAULTS:
        tensors = build_network(new_card("x", architecture, None)).state_dict().values()
        size += sum(tensor.numel() * (2 if tensor.is_floating_point() else 8) for tensor in tensors)
    assert size < 18_000_000


def test_the_kind_of_surface_that_is_missing_is_named_beside_what_is_damaged(toy, tmp_path):
    class Towns(ToyScenes):
        def read(self, number):
            scene = super().read(number)
            return dataclasses.replace(scene, surface=torch.ones_like(scene.surface))

    toy(Towns(bad=(2, 5)))
    with pytest.raises(BadInput) as error:
        pretrain(job(data=str(tmp_path)), Report())
    assert "None of 16 scenes of Toy scenes that are to train has a label that says natural;" in str(error.value)
    assert "2 of 18 scenes looked at cannot be read: Scene" in str(error.value)
    toy(ToyScenes(count=2, empty=True))
    with pytest.raises(
        BadInput, match="The one scene of Toy scenes that is to train has no label that says artificial"
    ):
        pretrain(job(data=str(tmp_path)), Report())


def test_the_first_damaged_scene_of_those_that_validate_is_named(toy, tmp_path):
    toy(ToyScenes(bad=range(18, 24)))
    with pytest.raises(BadInput, match=r"to validate can be read.* The first: Scene (18|19|2\d) is damaged"):
        pretrain(job(data=str(tmp_path)), Report())


def test_a_folder_that_labels_hazards_is_not_for_pre_training(tmp_path):
    for name in ("images", "labels"):
        (tmp_path / "chips" / name).mkdir(parents=True)
        (tmp_path / "chips" / name / "1.tif").touch()
    with pytest.raises(BadInput, match=r"labels hazards.*use train"):
        pretrain(job(data=str(tmp_path / "chips")), Report())
