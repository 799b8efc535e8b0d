"""Adapting in the scorecard: the same pixels before and after, shares and means as counted by hand."""

import importlib.util
import json
import math
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scenes import write_raster

from engine import score_adapted, score_shifted
from engine.adaptation.guards import Limits
from engine.adaptation.search import LEAST_GAIN, Settings
from engine.adaptation.verdict import ROLLED_BACK
from engine.cards import bundled_folder, read_card
from engine.metrics import Counts
from engine.model import load_model, save_card
from engine.protocol import OPTICAL_SLOTS, AdaptJob, BadInput, Cancelled, SceneJob, ScorecardJob
from engine.reporting import Report
from engine.score_adapted import (
    AdaptedScene,
    Adapting,
    adapt_in_memory,
    can_be_adapted,
    rank_correlation,
    scene_of,
    sets_to_adapt_to,
    summary_of,
)
from engine.score_adapted_table import mean_of
from engine.score_entries import open_models
from engine.score_sets import RealScene, ScoreSet
from engine.score_shifted import KINDS, SHIFTED_SEED, SHIFTS, real_views, shifted_sets, simulated_views, spread
from engine.score_simulated import TEST_SEED
from engine.score_table import markdown_page, text_tables
from engine.scorecard import scorecard, with_scores
from engine.simulate.setting import LOWEST_SUN
from engine.simulate.terrain import SLOPES

ASKED = {"gain", "gain_iou", "harmed", "false_area_before", "false_area_after", "grew", "adapted", "rolled_back"} | {
    "abstained", "rank_correlation", "adapt_seconds", "adaptation", "seconds", "balanced_accuracy", "iou",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _small_scenes(monkeypatch):
    monkeypatch.setattr(score_shifted, "SCENE_SIZE_PX", 64)


@pytest.fixture
def radar_data(tmp_path):
    """A folder of real scenes with one radar scene whose left third is dark water, and one that is dry."""
    random = np.random.default_rng(3)
    folder = tmp_path / "data" / "flood" / "s1_stac_overflow"
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    for name, wet in (("pxs10", True), ("awc00", False)):
        vv = random.normal(-9, 1, (64, 64)).astype(np.float32)
        label = np.zeros((64, 64), np.uint8)
        if wet:
            vv[:, :20], label[:, :20] = random.normal(-21, 1, (64, 20)), 1
        write_raster(folder / "images" / f"{name}.tif", np.stack((vv, vv - 7)), names=("VV_dB", "VH_dB"))
        write_raster(folder / "labels" / f"{name}.tif", label)
    return tmp_path / "data"


def job(**changes):
    values = {"raster": "windows", "hazard": "flood", "save": "x", "steps": 1, "budget_s": 600.0, "batch_size": 1}
    return AdaptJob(**{**values, **changes})


def test_gain_harm_and_growth_are_counted_scene_by_scene():
    better = AdaptedScene(Counts(5, 0, 5, 10), Counts(10, 0, 0, 10), "adapted", 0.5, 2.0)
    worse = AdaptedScene(Counts(10, 0, 0, 10), Counts(9, 0, 1, 10), "adapted", None, 4.0)
    dry = AdaptedScene(Counts(0, 0, 0, 1000), Counts(0, 6, 0, 994), "adapted", None, 3.0)
    steady = AdaptedScene(Counts(0, 100, 0, 900), Counts(0, 100, 0, 900), "rolled_back", None, 3.0)
    found = summary_of([better, worse, dry, steady])
    assert found["gain"] == pytest.approx((0.25 - 0.05) / 2)
    assert found["gain_iou"] == pytest.approx((0.5 - 0.1) / 2)
    assert (found["harmed"], found["grew"]) == (0.5, 0.5)
    assert (found["adapted"], found["rolled_back"], found["abstained"]) == (0.75, 0.25, 0)
    assert (found["rank_correlation"], found["adapt_seconds"]) == (0.5, 3.0)
    assert found["false_area_before"] == pytest.approx(100 / 2020, abs=1e-4)
    assert (found["scenes"], found["scenes_with_hazard"], found["scenes_without_hazard"]) == (4, 2, 2)


def test_what_no_scene_tells_is_none():
    dry = AdaptedScene(Counts(0, 0, 0, 100), Counts(0, 0, 0, 100), ROLLED_BACK, None, 1.0)
    found = summary_of([dry])
    assert found["gain"] is None and found["harmed"] is None and found["rank_correlation"] is None
    assert found["grew"] == 0


def test_rank_correlation_is_spearmans_with_ties():
    assert rank_correlation([1, 2, 3], [10, 20, 90]) == pytest.approx(1)
    assert rank_correlation([3, 2, 1], [10, 20, 90]) == pytest.approx(-1)
    assert rank_correlation([1, 1, 2], [1, 2, 3]) == pytest.approx(np.corrcoef([1.5, 1.5, 3], [1, 2, 3])[0, 1])
    assert rank_correlation([1, 2], [1, 2]) is None and rank_correlation([1, 1, 1], [1, 2, 3]) is None


def test_shifted_scenes_hold_every_hazard_and_none_and_are_the_same_at_every_call():
    sets = shifted_sets(4)
    assert len({(one.name, one.hazard) for one in sets}) == len(sets) == len(SHIFTS) * len(KINDS)
    assert {one.holds_hazard for one in sets} == {True, False}
    assert SHIFTED_SEED > TEST_SEED + 1_000_000
    first, again = (simulated_views(0, "haze") for _ in range(2))
    assert torch.equal(first.views.planes, again.views.planes) and torch.equal(first.labels, again.labels)
    assert first.views.planes.shape[0] == first.labels.shape[0] == 4
    clear = simulated_views(0, "none")
    assert not bool((simulated_views(3, "none").labels == 1).any())
    assert torch.equal(clear.labels, first.labels) or clear.views.chosen != first.views.chosen


def test_scenes_are_spread_evenly_over_a_set():
    scenes = tuple(RealScene(SceneJob(raster=str(number))) for number in range(10))
    assert [scene.job.raster for scene in spread(scenes, 4)] == ["1", "3", "6", "8"]
    assert spread(scenes, 20) == list(scenes)
    one_set = ScoreSet("a", "flood", scenes, "")
    chosen = sets_to_adapt_to([replace(one_set, in_mean=True), one_set, replace(one_set, hazard="artificial")], 2)
    assert [len(one.scenes) for one in chosen] == [2]


def test_a_file_becomes_windows_with_its_labels(radar_data):
    folder = radar_data / "flood" / "s1_stac_overflow"
    scene = SceneJob(raster=str(folder / "images" / "pxs10.tif"), bands=("vv", "vh"), units="db")
    real = RealScene(scene, str(folder / "labels" / "pxs10.tif"))
    found = real_views("S1", "flood", real, load_model("unet").card, Report())
    judged = found.labels != 255
    assert int((found.labels == 1).sum()) == 64 * 20 and int(judged.sum()) == 64 * 64
    part = RealScene(replace(scene, extent=(500000.0, 5099700.0, 500300.0, 5100000.0)))
    assert real_views("S1", "flood", part, load_model("unet").card, Report()) is None


def test_adapting_in_memory_leaves_the_model_as_it_was_and_can_be_cancelled():
    model, scene = load_model("unet"), simulated_views(0, "gain")
    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    outcome = adapt_in_memory(scene, model, job(), Report())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.network.state_dict().items())
    measured = scene_of(outcome, scene, 1.0)
    pixels = [pixels_of(counts) for counts in (measured.before, measured.after)]
    assert pixels[0] == pixels[1] == int((scene.labels != 255).sum())
    report = Report()
    report.cancelled.set()
    with pytest.raises(Cancelled):
        adapt_in_memory(scene, model, job(), report)


def pixels_of(counts):
    return counts.tp + counts.fp + counts.fn + counts.tn


def test_windows_without_footing_are_abstained_from():
    scene = simulated_views(0, "none")
    scene.views.planes[:] = 0
    assert scene_of(adapt_in_memory(scene, load_model("unet"), job(), Report()), scene, 1.0).verdict == "abstained"


def test_rows_of_adapting_stand_beside_the_others_and_change_none_of_them(radar_data, tmp_path):
    page = tmp_path / "page.md"
    plain = ScorecardJob(data=str(radar_data), models=("unet",), sets=("S1",), markdown=str(page))
    without = scorecard(plain)
    assert "Adapting to the scene" not in page.read_text() + text_tables(without)
    told = replace(plain, adapt=("statistics",), adapt_scenes=1, adapt_steps=1, overwrite=True)
    rows = scorecard(told)
    adapted = [row for row in rows if row["kind"] == "adapted"]
    timeless = [{**row, "seconds": 0} for row in rows if row["kind"] != "adapted"]
    assert timeless == [{**row, "seconds": 0} for row in without]
    assert [(row["set"], row["mode"], row["adaptation"]) for row in adapted] == [
        ("S1 pxs10", "adapted", "statistics"),
        ("S1 awc00 (no water)", "adapted", "statistics"),
    ]
    assert all(set(row) >= ASKED for row in adapted)
    json.dumps(rows, allow_nan=False)
    before = next(row for row in rows if row["model"] == "unet" and row["set"] == "S1 pxs10")
    assert adapted[0]["balanced_accuracy_before"] == before["balanced_accuracy"]
    assert adapted[0]["gain"] == pytest.approx(adapted[0]["balanced_accuracy"] - before["balanced_accuracy"], abs=2e-4)
    assert adapted[1]["gain"] is None and adapted[1]["grew"] in (0, 1)
    text = page.read_text()
    assert text.index("**Adapting to the scene**") < text.index("<details>")
    assert "| unet | statistics |" in text and "Adapting to the scene" in text_tables(rows)
    card = with_scores(read_card(bundled_folder() / "unet"), "unet", rows)
    assert "adapted" not in {one.get("mode") for one in card.scores}


def test_shifted_scenes_make_rows_of_each_model_and_mode(tmp_path):
    (entry,) = open_models(("unet",))
    (group, *_) = shifted_sets(1, ("haze",))
    told = []
    report = Report(on_log=lambda level, text: told.append(text))
    adapting = Adapting([entry], ("statistics", "constraint"), 1, tmp_path, {}, report)
    rows = adapting.rows(group)
    assert [row["adaptation"] for row in rows] == ["statistics", "constraint"]
    assert all(row["simulated"] and row["set"] == "simulated shift: haze" for row in rows) and told == []


def test_a_set_that_cannot_be_read_is_a_note_and_no_row(tmp_path):
    (entry,) = open_models(("unet",))
    bad = ScoreSet("bad", "flood", (RealScene(SceneJob(raster=str(tmp_path / "none.tif"))),), "", in_mean=True)
    told = []
    adapting = Adapting([entry], ("statistics",), 1, tmp_path, {}, Report(on_log=lambda level, text: told.append(text)))
    assert adapting.rows(bad) == []
    assert len(told) == 1 and told[0].startswith("Note: 'bad' is not adapted to with unet (statistics)")


def test_a_model_that_is_adapted_or_only_pre_trained_is_not_adapted(tmp_path):
    for name, changes in (("first", {"pretrained_only": True}), ("full", {})):
        shutil.copytree(bundled_folder() / "unet", tmp_path / name)
        save_card(replace(read_card(tmp_path / name), name=name, **changes), tmp_path / name)
    entries = open_models((str(tmp_path / "first"), str(tmp_path / "full")))
    assert [can_be_adapted(entry) for entry in entries] == [False, True]
    card = replace(entries[1].model.card, parent="unet", parent_sha256="0" * 64, adapted_for="flood")
    assert not can_be_adapted(replace(entries[1], model=replace(entries[1].model, card=card)))


def test_means_over_rows_weigh_scenes_and_leave_out_what_is_not_known():
    rows = [{"gain": 0.1, "n": 3}, {"gain": -0.1, "n": 1}, {"gain": None, "n": 5}]
    assert mean_of(rows, "gain", "n") == pytest.approx(0.05)
    assert mean_of(rows[2:], "gain", "n") is None


def test_the_default_model_of_each_hazard_is_shown_set_by_set(monkeypatch):
    scores = dict.fromkeys(("balanced_accuracy", "iou", "f1", "precision", "recall", "false_area"))
    scene = AdaptedScene(Counts(5, 0, 5, 10), Counts(10, 0, 0, 10), "adapted", None, 2.0)
    rows = [
        {**scores, "model": model, "set": f"set of {hazard}", "hazard": hazard, "asked": hazard, "ablation": None,
         "kind": "adapted", "mode": "adapted", "adaptation": "constraint", "simulated": False, "seconds": 1.0,
         "default": (model, hazard) == ("b", "landslide"), **summary_of([scene])}
        for hazard in ("flood", "landslide") for model in ("a", "b")
    ]  # fmt: skip
    page = markdown_page(rows, {})
    assert "each hazard's default model, a, b:" in page
    table = page[page.index("Set by set") : page.index("<details>")]
    assert table.count("| set of flood |") == table.count("| set of landslide |") == 1
    assert "| a | constraint | – / – | +0.250 / +0.500 | +0.250 (set of flood) | 0% | – | 100% / 0% / 0% |" in page


def test_what_adapting_makes_of_an_unseen_hazard_stands_beside_zero_shot():
    scores = dict.fromkeys(("balanced_accuracy", "iou", "f1", "precision", "recall", "false_area"))
    scene = AdaptedScene(Counts(5, 0, 5, 10), Counts(10, 0, 0, 10), "adapted", None, 2.0)
    shared = {**scores, "model": "lacking", "set": "s", "hazard": "flood", "asked": "any", "ablation": "without flood",
              "architecture": "unet", "mode": "pre-trained", "seconds": 1.0, "in_mean": True, "default": False,
              "compared_with": None}  # fmt: skip
    plain = {**shared, "kind": "set", "balanced_accuracy": 0.5, "iou": 0.1}
    after = {"balanced_accuracy": 0.75, "iou": 0.5, "adaptation": "constraint", "simulated": False}
    adapted = {**shared, **summary_of([scene]), **after, "kind": "adapted", "mode": "adapted"}
    page = markdown_page([plain, adapted], {})
    line = "| U-Net | s | Flood | without flood | constraint | 1 | 0.750 / 0.500 | 0.750 / 0.500 | 100% |"
    assert line in page and page.index("zero-shot.") < page.index(line)
    assert "zero-shot | adapted |" not in markdown_page([plain], {})


@pytest.mark.parametrize("change", [{"adapt": ("magic",)}, {"adapt_scenes": 0}, {"adapt_steps": -1}])
def test_the_job_checks_itself(change):
    with pytest.raises(BadInput):
        ScorecardJob(**change)


def test_steps_alone_end_an_adaptation(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(score_adapted, "adapt_network", lambda network, views, settings, *more: seen.append(settings))
    (entry,) = open_models(("unet",))
    scene = simulated_views(0, "none")
    adapting = Adapting([entry], ("constraint",), 7, tmp_path, {}, Report())
    adapt_in_memory(scene, entry.model, adapting._job(scene, entry, "flood", "constraint"), Report())
    assert seen[0].steps == 7 and seen[0].seconds > 10_000


@pytest.fixture(scope="module")
def benchmark():
    """The benchmark of adapting, as a module."""
    place = Path(__file__).resolve().parents[1] / "benchmarks" / "adaptation.py"
    found = importlib.util.spec_from_file_location("adaptation_benchmark", place)
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


def test_ablations_meet_the_same_scenes_and_make_one_table(benchmark, tmp_path, capsys):
    page = tmp_path / "table.md"
    given = ["--ablate", "--model", "unet", "--steps", "1", "--scenes", "1", "--shifts", "haze", "--markdown"]
    assert benchmark.main([*given, str(page)]) == 0
    table = page.read_text()
    assert table in capsys.readouterr().out
    lines = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]
    names = [line[0].removeprefix("| ") for line in lines]
    methods = ["full method", "mode adversarial", "mode literal"]
    methods += [*(f"without {term}" for term in benchmark.TERMS), "statistics only"]
    assert names[: len(methods)] == methods and {line[1] for line in lines[: len(methods)]} == {"1"}
    assert "simulated" in table.lower() and "Real scenes" not in table
    assert lines[-1][:3] == ["| haze", "flood", "1"], "set by set"


def ablated(scene, method, before, after, verdict="adapted", hazard="flood"):
    measured = AdaptedScene(Counts(*before), Counts(*after), verdict, None, 2.0)
    return {"method": method, "scene": scene, "hazard": hazard, **asdict(measured)}


def test_parts_of_a_run_are_joined_into_tables_as_a_whole_and_set_by_set(benchmark, tmp_path, capsys):
    wet, dry = "sim flood six gain", "sim none six season"
    parts = [
        [ablated(wet, "full method", (5, 0, 5, 10), (10, 0, 0, 10)), ablated(wet, "x", (5, 0, 5, 10), (5, 0, 5, 10))],
        [ablated(dry, "full method", (0, 10, 0, 990), (0, 20, 0, 980)),
         ablated(dry, "x", (0, 10, 0, 990), (0, 10, 0, 990), "abstained")],
        [ablated("Some real set", "full method", (10, 0, 0, 10), (9, 0, 1, 10), "rolled_back")],
    ]  # fmt: skip
    paths = [tmp_path / f"{number}.json" for number in range(len(parts))]
    for path, rows in zip(paths, parts, strict=True):
        path.write_text(json.dumps({"asked": "so", "rows": rows}))
    assert benchmark.main(["--tables", *map(str, paths)]) == 0
    lines = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    by_name = {tuple(line[:2]): line[2:] for line in lines}
    assert by_name["full method", "2"] == [
        "1", "+0.2500", "+0.5000", "+0.250", "0%", "1.00% -> 2.00%", "1 of 1", "2 / 0 / 0", "–", "2.0"
    ]  # fmt: skip
    assert by_name["x", "2"][-3:] == ["1 / 0 / 1", "–", "2.0"]
    assert by_name["sensor gain", "flood"] == ["1", "1", "–", "+0.250 / +0.500", "+0.000 / +0.000"]
    assert by_name["low winter sun, no hazard laid", "flood"] == ["1", "1", "–", "1.0% -> 2.0%", "1.0% -> 1.0%"]
    assert by_name["Some real set", "flood"] == ["1", "1", "–", "-0.050 / -0.100"]


def test_gradient_steps_from_a_shared_beginning_end_as_a_whole_search(benchmark, monkeypatch):
    monkeypatch.setattr(Limits, "no_footing", lambda limits: None)
    model, scene, searches = load_model("unet"), simulated_views(0, "gain"), benchmark.Searches()
    for mode in ("statistics", "adversarial", "constraint", "literal"):
        asked = job(mode=mode, steps=2)
        shared = adapt_in_memory(scene, model, asked, Report(), search=searches)
        whole = adapt_in_memory(scene, model, asked, Report())
        assert len(shared.stages) == len(whole.stages) > 1 and shared.best == whole.best
        assert shared.steps == whole.steps == (0 if mode == "statistics" else 2)
        for one, other in zip(shared.stages, whole.stages, strict=True):
            assert (one.name, one.centre, one.accepted) == (other.name, other.centre, other.accepted)
            assert torch.equal(one.judgement.scores, other.judgement.scores), f"{mode} {one.name}"
    assert len(searches._begun) == 1


def test_what_all_variants_lack_is_left_out_of_each_of_them(benchmark):
    searched = frozenset({"threshold", "statistics"})
    found = {variant.name: variant for variant in benchmark.variants_of("literal", searched)}
    assert list(found) == ["gradient steps alone", "mode constraint", "mode adversarial", "without prior",
                           "without backward", "without auxiliary"]  # fmt: skip
    assert all(variant.without >= searched for variant in found.values())
    assert found["without prior"].without == searched | {"prior"} and found["mode constraint"].mode == "constraint"


def test_without_limits_the_proxy_alone_decides(benchmark):
    scene, model = simulated_views(3, "gain"), load_model("unet")  # no hazard: abstained from
    limited, free = (benchmark.Searches(limited) for limited in (True, False))
    kept = adapt_in_memory(scene, model, job(steps=0), Report(), search=limited)
    assert kept.abstained and len(kept.stages) == 1
    tried = adapt_in_memory(scene, model, job(steps=0), Report(), search=free)
    assert tried.abstained is None and len(tried.stages) > 2
    assert {stage.reason for stage in tried.stages[1:]} <= {"better", "not clearly better"}
    proxies = [stage.judgement.proxy for stage in tried.stages]
    assert tried.winner.judgement.proxy <= min(proxies) / (1 - LEAST_GAIN)


def test_an_unfamiliar_season_and_terrain_lie_beyond_what_training_draws(monkeypatch):
    seen = {}
    monkeypatch.setattr(score_shifted, "look", lambda land, *more, **others: seen.update(land=land) or _looked(land))
    for seed in range(3):
        score_shifted.unfamiliar(seed, 64, "flood", "season")
        assert math.radians(5) <= seen["land"].setting.sun_elevation <= math.radians(12) < LOWEST_SUN
        scene = score_shifted.unfamiliar(seed, 64, "flood", "terrain")
        assert float(seen["land"].steepness.mean()) > SLOPES["mountains"][1] and scene.country == "mountains"
        assert bool((scene.labels[0] == 1).any()), "a flood in mountains"


def _looked(land):
    return torch.zeros((7, 64, 64)), OPTICAL_SLOTS, torch.zeros_like(land.water)


def test_a_term_that_is_left_out_is_left_out_of_the_settings(benchmark):
    full = Settings(hazard="flood", channel=0, factors=(1,), multiple=32, centre=0.0)
    assert benchmark.Variant("full", "constraint").vary(full) == full
    left = {term: benchmark.Variant("x", "constraint", frozenset({term})).vary(full) for term in benchmark.TERMS}
    assert not left["prior"].weights.prior and left["backward"].weights.backward == 0
    assert left["auxiliary"].weights.auxiliary == 0 and not left["threshold"].threshold
    assert left["statistics"].alphas == left["statistics"].entrance_alphas == ()
