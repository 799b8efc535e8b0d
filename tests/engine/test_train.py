"""Hazard training: new hazards are found, old ones kept, thresholds measured, and nonsense refused in one sentence."""

import dataclasses
import json
import math
import pickle

import numpy as np
import pytest
import torch
from scenes import write_raster
from toys import ToyScenes

from engine import batches, learning, optimise
from engine import train as train_module
from engine.cards import read_card
from engine.datasets import open_training_data
from engine.heads import Teaching, hazards_of, settle_teaching, take_weights
from engine.metrics import Counts, count_pixels
from engine.model import build_network, load_model
from engine.planes import SceneScaling, build_planes, planes_for
from engine.pretrain import pretrain
from engine.protocol import BadInput, PretrainJob, TrainJob
from engine.reporting import Report
from engine.train import finished_card, new_card, train
from engine.validation import THRESHOLDS, HazardTally

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
    values = {"data": "simulated", "save": "small", "epochs": 1, "iterations": 2, "batch_size": 8, "workers": 0,
              "device": "cpu"}  # fmt: skip
    if "model" not in changes:
        values["encoder"] = SMALL
    return TrainJob(**{**values, **changes})


@pytest.fixture
def start():
    """Name of a pre-trained model."""
    pretrain(PretrainJob(data="simulated", save="start", encoder=SMALL, epochs=1, iterations=1, batch_size=8, workers=0,
                         device="cpu"), Report())  # fmt: skip
    return "start"


def test_training_from_a_pretrained_model_measures_thresholds_and_scores(start):
    found = train(job(model=start), Report())
    card = load_model("small").card
    assert not card.pretrained_only and card.hazards == ("flood", "landslide", "glacier_collapse", "any")
    assert card.training["from"]["model"] == "start" and card.training["from_scratch"] is False
    assert card.training["ablation"] is None and card.parent is None and card.default_for == ()
    assert found["thresholds"] == card.thresholds and "flood" in {row["hazard"] for row in found["scores"]}
    assert all(row["set"] == "simulated (validation)" for row in card.scores)
    assert {"loss", "validation_loss", "validation_iou", "validation_balanced_accuracy"} <= set(card.training["curves"])


def found_on(model, hazard, scenes, numbers):
    """Counts of a model on scenes in memory."""
    network, card = load_model(model).network, load_model(model).card
    total = Counts()
    for number in numbers:
        scene = scenes.read(number)
        low, high = np.percentile(scene.values.flatten(1).numpy(), (2, 98), axis=1)
        scaling = SceneScaling(scene.slots, tuple(low.tolist()), tuple(high.tolist()), (True,) * len(scene.slots))
        planes = build_planes(scene.values[None], scene.valid[None], scaling)
        logits = network.restricted_to(planes_for(scaling)).hazard_logits(planes)[0]
        answer = torch.sigmoid(logits[card.hazards.index(hazard)]).numpy() >= card.thresholds[hazard]
        total = total + count_pixels(answer, scene.labels[hazard].numpy() == 1)
    return total


def write_chips(folder, scenes):
    """Scenes in memory as a folder of images and labels, as a user would have them."""
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    for number in range(len(scenes)):
        scene = scenes.read(number)
        values = (scene.values.clamp(0, 1) * 10000).numpy().astype("u2")
        write_raster(folder / "images" / f"{number:02d}.tif", values, names=["B02", "B03", "B04", "B08"])
        write_raster(folder / "labels" / f"{number:02d}.tif", scene.labels["lava"].numpy())
    return str(folder)


def test_a_new_hazard_on_the_users_chips_is_found(start, tmp_path):
    scenes = ToyScenes(count=32, hazard="lava")
    folder = write_chips(tmp_path / "chips", scenes)
    found = train(job(data=folder, model=start, hazard=("lava",), epochs=2, iterations=14), Report())
    assert found["hazards"] == ["flood", "landslide", "glacier_collapse", "lava", "any"]
    assert found_on("small", "lava", scenes, range(1000, 1006)).iou > 0.6  # scenes that are in no file
    sets = {row["hazard"]: row["set"] for row in found["scores"]}
    assert sets["lava"] == "chips (validation)" and sets["flood"] == "simulated (validation)"
    card = read_card(found["path"])
    assert card.training["data"] == "chips and simulated scenes"
    assert card.licence.startswith("As the training data allow")
    assert str(tmp_path) not in json.dumps(card.training)


def test_training_data_reach_the_processes_that_read_them(tmp_path):
    data = open_training_data(write_chips(tmp_path / "chips", ToyScenes(count=2, hazard="lava")), hazards=("lava",))
    again = pickle.loads(pickle.dumps(data))
    assert torch.equal(again.read(1).values, data.read(1).values)


def test_without_replay_from_scratch_only_the_users_hazard_is_known(toy, tmp_path):
    toy(ToyScenes(hazard="lava"))
    found = train(job(data=str(tmp_path), replay=0.0), Report())
    assert found["hazards"] == ["lava", "any"]
    assert read_card(found["path"]).training["from_scratch"] is True
    assert {row["set"] for row in found["scores"]} == {"Toy scenes (validation)"}


def test_a_new_logit_begins_as_any_and_the_old_ones_are_kept(start):
    train(job(model=start, save="trained"), Report())
    trained = load_model("trained")
    names = hazards_of(TrainJob(data="x", save="y", model="trained"), ("lava",), trained.card)
    assert names == ("flood", "landslide", "glacier_collapse", "any", "lava")
    more = new_card("more", TrainJob(data="x", save="y"), settle_for(names), trained.card)
    torch.manual_seed(1)
    network = build_network(more).eval()
    take_weights(network, names, trained)
    planes = torch.rand(1, len(more.planes), 64, 64)
    with torch.no_grad():
        before, after = trained.network(planes).hazard, network(planes).hazard
    assert torch.allclose(after[:, :4], before, atol=1e-5)
    assert torch.allclose(after[:, 4], before[:, 3], atol=1e-5)


def settle_for(names):
    return Teaching(names, ("lava",), (), True)


def test_a_hazard_left_out_is_not_in_the_model_and_any_is(start):
    found = train(job(model=start, leave_out="flood"), Report())
    assert found["hazards"] == ["landslide", "glacier_collapse", "any"]
    training = read_card(found["path"]).training
    assert training["leave_out"] == "flood" and training["ablation"] == "without flood"


def test_ablations_are_named_in_the_card():
    found = train(job(all_bands=True), Report())
    assert read_card(found["path"]).training["ablation"] == "no channel sampling"
    found = train(job(overwrite=True), Report())
    training = read_card(found["path"]).training
    assert training["ablation"] == "no pre-training" and training["from_scratch"] is True


def test_any_is_taught_on_the_users_chips_only_where_others_give_its_negatives(toy, start):
    lava = learning.Data(ToyScenes(hazard="lava"), range(3), range(3, 4))
    card = load_model(start).card
    folder = {"data": "folder", "hazard": ("lava",)}
    assert settle_teaching(job(**folder), lava, card).teach_any
    assert settle_teaching(job(**folder, replay=0.0), lava, card).teach_any  # lava alone: all others are known
    trained = read_card(train(job(save="trained"), Report())["path"])
    assert not settle_teaching(job(**folder, replay=0.0), lava, trained).teach_any


@pytest.mark.parametrize(("replay", "steps"), [(0.0, 8), (0.25, 10), (0.5, 15)])
def test_an_epoch_shows_each_of_the_users_scenes_once_beside_the_replayed_ones(replay, steps):
    asked = job(data="chips", epochs=3, iterations=None, replay=replay)
    plan = learning.plan_of(asked, 60, 3000, asked.batch_size - learning.replayed_chips(asked))
    assert plan.steps == 3 * steps


def test_hazards_that_nothing_shows_are_said_to_fade(toy, tmp_path, start):
    train(job(save="trained"), Report())
    toy(ToyScenes(hazard="lava"))
    found = train(job(data=str(tmp_path), model="trained", replay=0.0, save="more"), Report())
    assert any("flood, landslide, glacier_collapse" in text and "fade" in text for text in found["warnings"])
    assert found["thresholds"]["flood"] == read_card(learning.user_folder() / "trained").thresholds["flood"]


def test_hazards_that_a_simulated_run_does_not_name_are_said_to_fade():
    everything = new_card("all", job(), settle_teaching(job(), None, None), None)
    asked = job(model="all", hazard=("flood",))
    found = train_module._look_at(None, asked, settle_teaching(asked, None, everything), Report())
    assert len(found) == 1 and "landslide, glacier_collapse" in found[0] and "--hazard" in found[0]
    assert train_module._look_at(None, job(), settle_teaching(job(), None, everything), Report()) == []


def test_what_speaks_of_ones_own_chips_is_not_passed_over_in_silence():
    asked = job(units="byte", gsd_m=10.0)
    found = train_module._look_at(None, asked, settle_teaching(asked, None, None), Report())
    assert len(found) == 1 and "--units and --gsd-m" in found[0] and "change nothing" in found[0]


@pytest.mark.parametrize(
    ("scenes", "changes", "words"),
    [
        (ToyScenes(hazard="lava", empty=True), {}, "labels of all 18 scenes .* are empty.*--positive"),
        (ToyScenes(hazard="lava", count=1), {}, "none of them for training"),
        (ToyScenes(hazard="lava", bad=range(18, 24)), {}, "validate"),
        (ToyScenes(hazard="lava", size_px=20), {}, "20 x 20 pixels, at least 32 x 32"),
        (ToyScenes(), {}, "use pretrain"),
        (ToyScenes(hazard="lava"), {"hazard": ("flood",)}, "shows lava, not 'flood'"),
        (ToyScenes(hazard="lava"), {"hazard": ("any",)}, "cannot be trained"),
        (ToyScenes(hazard="lava"), {"hazard": ("two words",)}, "letters"),
        (ToyScenes(hazard="lava"), {"leave_out": "flood"}, "simulated scenes only"),
        (None, {"hazard": ("lava",)}, "cannot be simulated"),
        (None, {"hazard": ("flood",), "leave_out": "flood"}, "choose one"),
        (None, {"model": "nowhere"}, "not found"),
        (None, {"save": "start", "model": "start"}, "--overwrite"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(start, toy, tmp_path, scenes, changes, words):
    if scenes is not None:
        toy(scenes)
        changes = {"data": str(tmp_path), **changes}
    with pytest.raises(BadInput, match=words) as error:
        train(job(**changes), Report())
    assert "\n" not in str(error.value)
    assert not (tmp_path / "models" / "small").exists()


@pytest.mark.parametrize("licence", ["CC BY 4.0", "As the training data allow: CDLA-Permissive-1.0"])
def test_a_card_names_the_licence_of_what_its_weights_began_from(licence):
    teaching = settle_teaching(job(), None, None)
    begun = dataclasses.replace(new_card("begun", job(), teaching, None), licence=licence)
    card = finished_card(new_card("mine", job(), teaching, begun), None, [], {}, begun)
    own = licence == "CC BY 4.0"
    assert card.licence == (licence if own else f"CC BY 4.0; begun from 'begun': {licence}")
    assert ("simulated scenes only" in card.description) == own and ("'begun'" in card.description) != own


def test_a_trained_model_cannot_forget_a_hazard(start):
    train(job(save="trained"), Report())
    with pytest.raises(BadInput, match="was trained on flood already"):
        train(job(model="trained", leave_out="flood"), Report())


def test_the_threshold_is_the_highest_of_those_that_are_nearly_best():
    tally = HazardTally(("flood",))
    probability = torch.tensor([0.05, 0.15, 0.305, 0.71, 0.9]).view(1, 1, 1, 5)
    labels = torch.tensor([0, 0, 0, 1, 1], dtype=torch.uint8).view(1, 1, 1, 5)
    tally.add(torch.logit(probability), labels)
    score = tally.score("flood")
    best = [threshold for threshold in THRESHOLDS if 0.305 < threshold <= 0.71]
    assert score.threshold == best[-1]
    assert score.counts == Counts(tp=2, fp=0, fn=0, tn=3) and score.iou == 1


def test_the_tally_counts_as_numpy_does_at_every_threshold():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn((2, 2, 16, 16), generator=generator)
    labels = torch.randint(0, 2, (2, 2, 16, 16), generator=generator).to(torch.uint8)
    labels[0, :, :4] = 255
    tally = HazardTally(("a", "b"))
    tally.add(logits[:1], labels[:1])
    tally.add(logits[1:], labels[1:])
    for index, name in enumerate("ab"):
        probability, truth = torch.sigmoid(logits[:, index]).numpy(), labels[:, index].numpy()
        counts = [count_pixels(probability >= threshold, truth == 1, truth != 255) for threshold in THRESHOLDS]
        worth = [count.iou + 0.5 * count.balanced_accuracy for count in counts]
        score = tally.score(name)
        at = THRESHOLDS.index(score.threshold)
        assert score.counts == counts[at] and worth[at] >= 0.98 * max(worth)


def test_a_hazard_that_is_not_told_is_asked_for_no_false_area():
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand((1, 1, 64, 64), generator=generator) < 0.02).to(torch.uint8)
    tally = HazardTally(("glacier_collapse",))
    tally.add(0.5 * torch.randn((1, 1, 64, 64), generator=generator), labels)
    assert tally.score("glacier_collapse").counts.false_area <= 0.001


def test_a_hazard_without_positive_pixels_has_no_threshold():
    tally = HazardTally(("flood",))
    tally.add(torch.zeros(1, 1, 4, 4), torch.zeros((1, 1, 4, 4), dtype=torch.uint8))
    assert tally.score("flood").threshold is None and tally.score("flood").iou is None


def test_a_step_in_half_precision_keeps_its_losses_in_full(start, monkeypatch):
    """As on a CUDA card, whose arithmetic is asked of the CPU here."""
    monkeypatch.setattr(optimise, "mixed_precision", lambda device: torch.bfloat16)
    kinds = []
    inner = train_module.hazard_loss
    monkeypatch.setattr(
        train_module,
        "hazard_loss",
        lambda logits, *rest, **more: (kinds.append(logits.dtype), inner(logits, *rest, **more))[1],
    )
    found = train(job(model=start), Report())
    assert set(kinds) == {torch.float32} and found["validation_loss"] > 0


def test_losses_of_a_run_are_finite_numbers_for_the_curves(start):
    told = []
    train(job(model=start), Report(on_metrics=lambda step, values: told.append(values)))
    assert told and all(math.isfinite(value) for values in told for value in values.values())


def test_another_architecture_takes_the_weights_that_fit(start):
    train(job(model=start, architecture="attention_unet", encoder=SMALL, learning_rate=1e-7), Report())
    before, after = load_model(start), load_model("small")
    assert (before.card.architecture, after.card.architecture) == ("unet", "attention_unet")
    old, new = before.network.state_dict(), after.network.state_dict()
    kept = [name for name in old if name in new and old[name].dtype.is_floating_point and "running" not in name]
    assert len(kept) > 100 and len(new) > len(old)
    assert all(torch.allclose(old[name], new[name], atol=1e-3) for name in kept if old[name].ndim == 4)


def test_a_model_that_took_over_next_to_nothing_counts_as_from_scratch(start):
    found = train(job(model=start, encoder="tu-mobilenetv3_small_075"), Report())
    training = read_card(found["path"]).training
    assert training["from_scratch"] is True and training["ablation"] == "no pre-training"
    assert training["from"]["model"] == "start"
    assert any(text.startswith("Only ") and "counts as trained from scratch" in text for text in found["warnings"])


def test_labels_that_show_the_hazard_everywhere_are_said(tmp_path):
    folder = write_chips(tmp_path / "chips", ToyScenes(count=12, hazard="lava"))
    asked = job(data=folder, hazard=("lava",), ignore=(0,))
    data = learning.open_data(asked)
    found = train_module._look_at(data, asked, settle_teaching(asked, data, None), Report())
    assert any("show lava wherever they are judged" in text and "--ignore" in text for text in found)
    asked = dataclasses.replace(asked, ignore=(255,))
    data = learning.open_data(asked)
    assert not train_module._look_at(data, asked, settle_teaching(asked, data, None), Report())


def test_the_first_damaged_chip_of_those_that_validate_is_named(toy, tmp_path):
    toy(ToyScenes(hazard="lava", bad=range(18, 24)))
    with pytest.raises(BadInput, match=r"The first: Scene (18|19|2\d) is damaged"):
        train(job(data=str(tmp_path)), Report())
