"""The scorecard: its rows are what the other commands say, pooled as told, and nothing is flattered."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from scenes import read, write_raster

from engine import score_simulated
from engine.__main__ import main
from engine.batches import VALIDATION_SEED
from engine.cards import bundled_folder, read_card
from engine.metrics import Counts
from engine.model import load_model, save_card
from engine.protocol import BadInput, SceneJob, ScorecardJob, SegmentJob
from engine.reporting import Report
from engine.score_real import RealScorer, count_rules, pool, scores_of
from engine.score_sets import IMAGES, PLACES, RealScene, ScoreSet, real_sets, unlabelled_notes
from engine.score_simulated import VIEWS, View, count_view, draw_test_scenes, see, unseen_truth
from engine.score_table import markdown_page, text_tables
from engine.scorecard import scorecard, summarise, with_scores
from engine.segment import segment
from engine.simulate import draw_scene

KEYS = {"model", "architecture", "set", "hazard", "mode", "balanced_accuracy", "iou", "f1", "precision", "recall"} | {
    "false_area",
    "seconds",
}
"""What every row must have."""


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def radar_data(tmp_path):
    """A folder of real scenes with one radar scene: dark water in its left third, and a strip that is not judged."""
    random = np.random.default_rng(3)
    vv = random.normal(-9, 1, (96, 96)).astype(np.float32)
    vv[:, :32] = random.normal(-21, 1, (96, 32))
    label = np.zeros((96, 96), np.uint8)
    label[:, :32] = 1
    label[90:] = 255
    folder = tmp_path / "data" / "flood" / "s1_stac_overflow"
    for part, bands in (("images", np.stack((vv, vv - 7))), ("labels", label)):
        (folder / part).mkdir(parents=True)
        write_raster(folder / part / "pxs10.tif", bands, names=("VV_dB", "VH_dB") if part == "images" else ())
    return tmp_path / "data"


def rows_of(data, *models, sets=("S1 pxs10",)):
    return scorecard(ScorecardJob(data=str(data), models=tuple(map(str, models or ("unet",))), sets=sets))


def copied_model(folder, **changes):
    """The bundled model under another name, with another card."""
    shutil.copytree(bundled_folder() / "unet", folder)
    save_card(dataclasses.replace(read_card(folder), name=folder.name, **changes), folder)
    return folder


def row(**values):
    """A row as the scorecard makes it."""
    scores = dict.fromkeys(("balanced_accuracy", "iou", "f1", "precision", "recall", "false_area"))
    shape = {
        "model": "m",
        "architecture": "unet",
        "set": "a",
        "hazard": "flood",
        "mode": "from scratch",
        "seconds": 1.0,
    }
    more = {"kind": "real", "asked": values.get("hazard", "flood"), "ablation": None, "compared_with": None}
    return {**shape, **scores, **more, "in_mean": True, **values}


def test_a_row_is_what_segment_and_a_count_by_hand_say(radar_data, tmp_path):
    found = next(one for one in rows_of(radar_data) if one["model"] == "unet" and one["set"] == "S1 pxs10")
    folder = radar_data / "flood" / "s1_stac_overflow"
    mask = str(tmp_path / "mask.tif")
    segment(SegmentJob(raster=str(folder / "images" / "pxs10.tif"), hazard="flood", mask=mask, model="unet"))
    hazard, label = read(mask)[:90] == 1, read(folder / "labels" / "pxs10.tif")[:90] == 1
    recall, precision = (hazard & label).sum() / label.sum(), (hazard & label).sum() / hazard.sum()
    assert found["recall"] == pytest.approx(recall, abs=1e-4)
    assert found["precision"] == pytest.approx(precision, abs=1e-4)
    assert found["false_area"] == pytest.approx((hazard & ~label).sum() / (~label).sum(), abs=1e-4)
    assert found["balanced_accuracy"] == pytest.approx((recall + 1 - found["false_area"]) / 2, abs=1e-4)
    assert found["iou"] == pytest.approx((hazard & label).sum() / (hazard | label).sum(), abs=1e-4)


def test_the_command_prints_one_array_of_whole_rows_with_rules_beside_the_model(radar_data, capsys):
    words = ["scorecard", "--models", "unet", "--sets", "S1 pxs10 VV", "--data", str(radar_data), "--json"]
    assert main(words) == 0
    out, err = capsys.readouterr()
    rows = json.loads(out)
    assert all(set(one) >= KEYS for one in rows)
    assert {one["mode"] for one in rows} == {"rule", "from scratch"}
    assert {one["model"] for one in rows} == {"VV < -17 dB", "VV, Otsu", "unet"}
    assert "VV < -17 dB" in err  # rows appear while others are still measured
    dark = next(one for one in rows if one["model"] == "VV < -17 dB")
    assert dark["balanced_accuracy"] > 0.99


def test_people_get_a_table_of_one_width(radar_data, capsys):
    assert main(["scorecard", "--models", "unet", "--sets", "S1", "--data", str(radar_data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("set ")
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == 1 + (3 + 1) + (2 + 1) + 2  # header; rules and model, likewise for VV alone; mean and worst


def test_a_scene_asked_again_is_not_segmented_again(radar_data, tmp_path):
    (scored,) = [one for one in real_sets(radar_data) if one.name == "S1 pxs10"]
    scorer = RealScorer(load_model("unet"), tmp_path, Report())
    first = scorer.count(scored.scenes[0], "flood")
    assert scorer.count(scored.scenes[0], "flood") is first


def test_where_the_hazard_is_nowhere_only_the_false_area_is_defined():
    scores = scores_of(Counts(tp=0, fp=5, fn=0, tn=95))
    assert scores.pop("false_area") == pytest.approx(0.05)
    assert set(scores.values()) == {None}


def test_the_median_is_over_places_that_have_both_kinds_of_ground():
    places = ("a", "a", "b", "c", "d")
    scenes = tuple(RealScene(SceneJob(raster=str(i)), place=place) for i, place in enumerate(places))
    counts = [Counts(tp=10, fn=0), Counts(fp=10, tn=10), Counts(tp=1, fp=0, fn=9, tn=10), Counts(tn=7)]
    counts.append(Counts(tp=10, fp=0, fn=0, tn=10))
    found = pool(ScoreSet("x", "flood", scenes, "", pooling=PLACES), counts)
    assert found["balanced_accuracy"] == pytest.approx(np.median([0.75, 0.55, 1.0]))  # c has no hazard
    assert found["iou"] == pytest.approx(np.median([0.5, 0.1, 1.0]))


def test_images_are_ranked_by_the_share_that_was_found():
    shares, urban = (0.9, 0.1, 0.5, 0.2), (True, True, False, False)
    scenes = tuple(RealScene(SceneJob(raster=str(i)), urban=flag) for i, flag in enumerate(urban))
    counts = [Counts(fp=round(100 * share), tn=round(100 * (1 - share))) for share in shares]
    found = pool(ScoreSet("x", "artificial", scenes, "", pooling=IMAGES), counts)
    assert found["recall"] == found["precision"] == 0.5  # the first and third are called urban


def test_mean_and_worst_are_over_the_sets_that_count():
    rows = [
        row(set="a", balanced_accuracy=0.9, iou=0.8),
        row(set="b", balanced_accuracy=0.7, iou=0.2),
        row(set="b RGB", balanced_accuracy=0.1, iou=0.1, in_mean=False),
        row(set="c", balanced_accuracy=0.2, iou=0.1, asked="any"),
        row(set="d", balanced_accuracy=0.3, iou=0.1, model="other"),
    ]
    mean, worst = summarise(rows, "m", 2)
    assert (mean["balanced_accuracy"], mean["iou"]) == (0.8, 0.5)
    assert (worst["balanced_accuracy"], worst["iou"]) == (0.7, 0.2)
    assert summarise(rows, "nobody", 2) == []


def test_a_card_keeps_what_training_measured_and_gets_the_rest_anew(tmp_path):
    validation = {"set": "simulated (held out)", "hazard": "flood", "iou": 0.5}
    old = {"set": "S1 pxs10", "hazard": "flood", "iou": 0.1, "seconds": 3}
    folder = copied_model(tmp_path / "mine", scores=(validation, old), score=None)
    rows = [row(model="mine", balanced_accuracy=0.9, iou=0.8), row(model="other", set="b", balanced_accuracy=0.1)]
    before = read_card(folder)
    card = with_scores(before, "mine", rows + summarise(rows, "mine", 1))
    assert card.score == 0.9
    assert card.scores[0] == validation
    assert [(one["set"], one["iou"]) for one in card.scores[1:]] == [("a", 0.8)]
    assert dataclasses.replace(card, score=None, scores=before.scores) == before


def test_a_hazard_left_out_of_training_is_asked_as_any_beside_the_full_model(radar_data, tmp_path):
    training = {"leave_out": "flood", "from_scratch": False}
    lacking = copied_model(tmp_path / "lacking", training=training)
    full = copied_model(tmp_path / "full", training={"from_scratch": False})
    rows = rows_of(radar_data, full, lacking)
    unseen = next(one for one in rows if one["model"] == "lacking")
    assert (unseen["asked"], unseen["ablation"], unseen["compared_with"]) == ("any", "without flood", "full")
    assert (unseen["hazard"], unseen["mode"]) == ("flood", "pre-trained")
    assert not [one for one in rows if one["model"] == "lacking" and one["kind"] == "summary"]
    text = text_tables(rows)
    assert text.index("Unseen hazards") < text.index("any of lacking")
    page = markdown_page(rows, {})
    line = next(line for line in page.splitlines() if "without flood" in line)
    seen = next(one for one in rows if one["model"] == "full" and one["set"] == "S1 pxs10")
    assert f"{seen['balanced_accuracy']:.3f} / {seen['iou']:.3f}" in line


def test_a_model_from_scratch_is_an_ablation_beside_the_full_one_and_a_model_by_itself(radar_data, tmp_path):
    scratch = copied_model(tmp_path / "scratch", training={"from_scratch": True, "ablation": "no pre-training"})
    full = copied_model(tmp_path / "full", training={"from_scratch": False})
    alone = [one for one in rows_of(radar_data, scratch) if one["model"] == "scratch"]
    assert {(one["mode"], one["ablation"], one["compared_with"]) for one in alone} == {("from scratch", None, None)}
    beside = [one for one in rows_of(radar_data, scratch, full) if one["model"] == "scratch"]
    assert {(one["ablation"], one["compared_with"]) for one in beside} == {("no pre-training", "full")}
    assert {one["kind"] for one in beside} == {"real", "summary"}


def test_models_that_lack_the_same_are_told_apart_by_name(radar_data, tmp_path):
    short, long = (
        copied_model(tmp_path / name, training={"from_scratch": True, "ablation": "no pre-training"})
        for name in ("short", "long")
    )
    full = copied_model(tmp_path / "full", training={"from_scratch": False})
    named, alone = (markdown_page(rows_of(radar_data, *models), {}) for models in ((short, long, full), (short, full)))
    assert "| no pre-training (`short`) |" in named and "| no pre-training (`long`) |" in named
    assert "| no pre-training |" in alone and "`short`) |" not in alone


def test_a_model_that_is_only_pre_trained_is_called_so_and_is_no_full_model(radar_data, tmp_path):
    first = copied_model(tmp_path / "first", training={"kind": "pretrain"}, pretrained_only=True)
    scratch = copied_model(tmp_path / "scratch", training={"from_scratch": True, "ablation": "no pre-training"})
    rows = rows_of(radar_data, first, scratch)
    assert {one["mode"] for one in rows if one["model"] == "first"} == {"pre-trained"}
    assert {one["compared_with"] for one in rows if one["model"] == "scratch"} == {None}


def test_a_set_that_cannot_be_read_is_noted_and_the_others_are_scored(radar_data):
    labels = radar_data / "flood" / "s1_stac_overflow" / "labels"
    write_raster(labels / "awc00.tif", np.zeros((96, 96), np.uint8))
    (labels.parent / "images" / "awc00.tif").write_bytes(b"not a raster")
    told = []
    job = ScorecardJob(data=str(radar_data), models=("unet",), sets=("S1",))
    rows = scorecard(job, Report(on_log=lambda level, text: told.append(text)))
    assert {one["set"] for one in rows if one["kind"] == "real"} == {"S1 pxs10", "S1 pxs10 VV alone"}
    assert any(text.startswith("Note: 'S1 awc00 (no water)' is not scored") for text in told)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--sets", "nowhere"], "S1 pxs10"),
        (["--data", "/no/such/folder"], "not a folder"),
        (["--models", "nobody", "--sets", "S1"], "nobody"),
        (["--write-cards", "--sets", "S1"], "without --sets"),
        (["--markdown", "/no/such/folder/table.md", "--sets", "S1"], "folder that exists"),
    ],
)
def test_what_cannot_be_scored_is_said_in_one_sentence(radar_data, words, expected, capsys):
    assert main(["scorecard", "--data", str(radar_data), *words]) == 2
    err = capsys.readouterr().err
    assert expected in err
    assert len(err.splitlines()) == 1


def test_a_table_that_exists_is_replaced_only_when_told(radar_data, tmp_path):
    path = tmp_path / "table.md"
    path.write_text("mine")
    job = ScorecardJob(data=str(radar_data), models=("unet",), sets=("S1",), markdown=str(path))
    with pytest.raises(BadInput, match="--overwrite"):
        scorecard(job)
    assert path.read_text() == "mine"
    scorecard(dataclasses.replace(job, overwrite=True))
    assert path.read_text().count("| S1 pxs10 * |") == 1
    assert [one.name for one in tmp_path.iterdir() if "partial" in one.name] == []


def test_the_page_shows_the_best_rule_and_the_false_area_in_per_cent():
    rows = [
        row(model="weak", mode="rule", architecture=None, balanced_accuracy=0.6, iou=0.5),
        row(model="strong", mode="rule", architecture=None, balanced_accuracy=0.7, iou=0.4),
        row(balanced_accuracy=0.9123, iou=0.8),
        row(set="dry", in_mean=False, false_area=0.0123),
    ]
    page = markdown_page(rows, {"a": "what it measures"})
    assert "| a * | 0.700 / 0.400 (strong) | 0.912 / 0.800 |" in page
    assert "| dry | Flood | – | 1.23% |" in page
    assert "* a: what it measures." in page


def test_test_scenes_have_seeds_of_their_own_and_are_the_same_at_every_call(monkeypatch):
    monkeypatch.setattr(score_simulated, "SCENE_SIZE_PX", 64)
    highest_training_seed = (1000 * 1_000_003 + 1_000_000) * 2 + 1
    assert score_simulated.TEST_SEED > max(highest_training_seed, VALIDATION_SEED + 1_000_000)
    scenes, again = (draw_test_scenes(Report(), 1) for _ in range(2))
    assert sorted(scene.hazard for scene in scenes) == ["flood", "glacier_collapse", "landslide", "none"]
    assert all(torch.equal(a.values, b.values) for a, b in zip(scenes, again, strict=True))


def test_views_show_one_scene_as_five_sensors_do():
    scene = draw_scene(5, 64)
    shown = {view.name: see(scene, view) for view in VIEWS}
    assert {view.slots for view in VIEWS} == {
        ("blue", "green", "red", "nir", "swir1", "swir2"),
        ("blue", "green", "red", "nir"),
        ("blue", "green", "red"),
        ("vv", "vh"),
        ("coastal", "blue", "swir2"),
    }
    colours = shown["simulated RGB 8-bit"].values * 255
    assert torch.equal(colours, colours.round())
    assert torch.equal(shown["simulated RGB+NIR"].values, scene.values[1:5])
    assert not any(shown["simulated RGB 8-bit"].scaling.absolute)


def test_one_model_finds_the_water_of_the_same_scenes_through_five_sensors(monkeypatch):
    monkeypatch.setattr(score_simulated, "SCENE_SIZE_PX", 128)
    scenes = [scene for scene in draw_test_scenes(Report(), 4) if scene.hazard in ("flood", "none")]
    model, found = load_model("unet"), {}
    for view in VIEWS[:5]:
        counts, _ = count_view(model, view, {"flood": "flood"}, scenes, Report())["flood"]
        found[view.name] = scores_of(counts)["balanced_accuracy"]
    assert len(found) == 5 and all(score is not None for score in found.values())
    assert all(score > 0.5 for score in found.values()), found  # chance: display colours hardly tell water
    assert found["simulated six bands"] > 0.8 and found["simulated VV+VH"] > 0.8, found
    assert found["simulated RGB+NIR"] > 0.55, found


def test_any_is_not_blamed_for_finding_another_hazard():
    truth = {"flood": np.array([1, 0, 0, 1]), "landslide": np.array([0, 1, 0, 1]), "glacier_collapse": np.zeros(4)}
    assert unseen_truth(truth, "landslide").tolist() == [255, 1, 0, 1]


def test_a_simulated_scene_scores_in_memory_as_its_file_does(tmp_path):
    scene = draw_scene(11, 128)
    view = View("rgb", ("blue", "green", "red", "nir"))
    model = load_model("unet")
    counts, _ = count_view(model, view, {"flood": "flood"}, [scene], Report())["flood"]
    raster = write_raster(tmp_path / "scene.tif", scene.values[1:5].numpy(), names=view.slots)
    mask = str(tmp_path / "mask.tif")
    options = {"bands": view.slots, "units": "reflectance", "gsd_m": 10.0}
    segment(SegmentJob(raster=raster, hazard="flood", mask=mask, model="unet", **options))
    truth = see(scene, view).truth["flood"]
    hazard = read(mask) == 1
    judged = truth != 255
    assert counts.tp + counts.fp == pytest.approx((hazard & judged).sum(), abs=2)
    assert counts.tp == pytest.approx((hazard & (truth == 1)).sum(), abs=2)


def test_rules_reach_on_real_scenes_what_was_measured_of_them_elsewhere(hazard_data):
    expected = {
        ("S1 pxs10", "VV < -17 dB"): (0.911, 0.871),
        ("Landsat 7 bands", "MNDWI > 0"): (0.843, 0.667),
        ("Landsat 7 bands (noisy labels too)", "MNDWI > 0"): (0.805, 0.581),
        ("Hokkaido 2018 RGB", "green - red, Otsu"): (0.90, 0.75),
        ("Jinsha A RGB 0.5 m", "brightness - greenness, Otsu"): (0.602, 0.255),
    }
    measured = {}
    for scored in real_sets(hazard_data):
        if scored.name in {name for name, _ in expected}:
            for rule, counts, _ in count_rules(scored, Report()):
                scores = pool(scored, counts)
                measured[scored.name, rule.name] = scores["balanced_accuracy"], scores["iou"]
    for key, figures in expected.items():
        assert measured[key] == pytest.approx(figures, abs=0.01), key
    assert measured["S1 pxs10", "VV < -17 dB"] == pytest.approx((0.911, 0.871), abs=0.001)


def test_every_real_set_is_found_with_its_files(hazard_data):
    sets = real_sets(hazard_data)
    assert len({(one.name, one.hazard) for one in sets}) == len(sets)
    assert {one.name for one in sets} == {
        *("S1 pxs10", "S1 pxs10 VV alone", "S1 awc00 (no water)"),
        *("Landsat 7 bands", "Landsat 7 bands (median of places)", "Landsat 7 bands (noisy labels too)"),
        *("Landsat 6 bands", "Landsat RGB+NIR", "Landsat RGB", "Landsat (no slides)", "Landsat built-up"),
        *("Hokkaido 2018 RGB", "Jinsha A RGB 0.5 m"),
        *("Blatten before", "Everest glaciers RGB", "Clouds and shadows", "Thailand plain RGB+NIR"),
        *("Chittagong RGB+NIR", "Carolina coast 8-bit", "Low Countries RGB", "Low Countries urban images"),
        "Chiapas urban",
    }
    assert {one.name for one in sets if one.in_mean} == {
        "S1 pxs10",
        "Landsat 7 bands",
        "Hokkaido 2018 RGB",
        "Jinsha A RGB 0.5 m",
    }
    for one in sets:
        for scene in one.scenes:
            assert hazard_data in type(hazard_data)(scene.job.raster).parents
            assert type(hazard_data)(scene.job.raster).is_file()
            assert scene.reference is None or type(hazard_data)(scene.reference).is_file()


def test_a_mean_over_a_part_of_the_sets_says_so_and_is_no_cards_score():
    rows = [row(set="a", balanced_accuracy=0.9, iou=0.8), row(set="b", balanced_accuracy=0.7, iou=0.2)]
    part = summarise(rows, "m", 4)
    assert [one["set"] for one in part] == ["mean of 2 of 4 real sets", "worst of 2 of 4 real sets"]
    assert part[0]["balanced_accuracy"] == pytest.approx(0.8) and part[1]["iou"] == 0.2
    card = read_card(bundled_folder() / "unet")
    assert with_scores(card, "m", rows + part).score is None
    assert with_scores(card, "m", rows + summarise(rows, "m", 2)).score == pytest.approx(0.8)


def test_sets_chosen_by_name_are_said_to_be_a_part(radar_data):
    folder = radar_data / "landslide" / "hokkaido_2018"
    for part, bands in (("images", np.zeros((3, 64, 64), np.uint8)), ("labels", np.zeros((64, 64), np.uint8))):
        (folder / part).mkdir(parents=True)
        write_raster(folder / part / "1.tif", bands)
    names = {one["set"] for one in rows_of(radar_data) if one["kind"] == "summary"}
    assert names == {"mean of 1 of 2 real sets", "worst of 1 of 2 real sets"}


def test_folders_that_nothing_can_be_scored_on_are_noted(tmp_path):
    assert unlabelled_notes(tmp_path) == []
    (tmp_path / "flood" / "s1_spain_2019").mkdir(parents=True)
    (note,) = unlabelled_notes(tmp_path)
    assert note.startswith("Note: 'flood/s1_spain_2019' is not scored") and "no labels" in note


def test_no_folder_of_real_scenes_is_passed_over_in_silence(hazard_data):
    scored = {scene.job.raster for one in real_sets(hazard_data) for scene in one.scenes}
    notes = " ".join(unlabelled_notes(hazard_data))
    for folder in (*(hazard_data / "flood").iterdir(), *(hazard_data / "scenes").iterdir()):
        assert any(str(folder) in raster for raster in scored) or f"{folder.parent.name}/{folder.name}" in notes
