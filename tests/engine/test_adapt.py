"""The adapt command: what it answers, what it saves, and that it never does harm by itself."""

import dataclasses
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scenes import write_raster
from test_visible import write_boxes

from engine import adapt as adapt_module
from engine.__main__ import main
from engine.adapt import adapt
from engine.adaptation import search
from engine.adaptation.guards import Limits
from engine.adaptation.search import Outcome
from engine.cards import bundled_folder, list_models, read_card
from engine.model import load_model, save_model
from engine.protocol import AdaptJob, BadInput, Cancelled, OutputFailed, RepeatJob, SegmentJob
from engine.repeat import repeat
from engine.reporting import Report
from engine.segment import segment
from engine.simulate import simulate_scene

BANDS = ("blue", "green", "red", "nir", "swir1", "swir2")
CONTRACT = {
    "model", "verdict", "reason", "mode", "alpha", "steps", "proxy_before", "proxy_after", "area_before_m2",
    "area_after_m2", "threshold", "seconds", "device",
}  # fmt: skip


def flood_with_footing(folder):
    """A simulated flood from which adapting does not abstain; what a seed draws differs with libraries' versions."""
    for seed in range(11, 60):
        values, _ = simulate_scene(seed, 128, "flood", BANDS, 10.0)
        bands = np.stack([values[slot] for slot in BANDS])
        raster = write_raster(folder / "S2A_MSIL2A_20240916T100031_scene.tif", bands, names=BANDS)
        tried = adapt(job(raster, steps=0, candidates=0, save=str(folder / f"tried_{seed}")))
        if tried["verdict"] != "abstained":
            return raster
    return pytest.fail("Adapting abstains from all of these scenes.")


@pytest.fixture(scope="module")
def flooded(tmp_path_factory):
    return flood_with_footing(tmp_path_factory.mktemp("scene"))


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("HAZARD_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def job(raster, **changes):
    values = {"raster": raster, "hazard": "flood", "bands": BANDS, "units": "reflectance", "model": "unet",
              "save": "mine", "steps": 2, "budget_s": 600.0, "batch_size": 1}  # fmt: skip
    return AdaptJob(**{**values, **changes})


def saved_as_it_was(raster, **changes):
    """A job that soon ends: hardly any pixel is visible, so its model is saved as its parent is."""
    return job(raster, **{"steps": 0, "extent": (500300.0, 5099590.0, 500410.0, 5099700.0), **changes})


def take_any(monkeypatch):
    """Accept whatever was tried last: what is saved of a change does not depend on whether it is for the better."""
    whole = adapt_module.adapt_network

    def greedy(network, views, settings, *more):
        outcome = whole(network, views, settings, *more)
        changed = {
            name: tensor + 0.01 for name, tensor in network.state_dict().items() if name.endswith("running_mean")
        }
        return Outcome(outcome.stages, len(outcome.stages) - 1, changed, outcome.steps)

    monkeypatch.setattr(adapt_module, "adapt_network", greedy)


def test_it_answers_what_the_contract_says_and_saves_a_model(flooded, models):
    curves = []
    found = adapt(job(flooded), Report(on_metrics=lambda step, values: curves.append(values)))
    assert set(found) >= CONTRACT and found["verdict"] in ("adapted", "rolled_back")
    json.dumps(found, allow_nan=False)
    assert found["model"] == "mine" and found["path"] == str(models / "mine")
    assert found["stages"][0]["stage"] == "source" and found["stages"][0]["accepted"]
    assert any({"forward", "backward", "auxiliary"} <= set(values) for values in curves)
    assert found["characteristics"]["date"] == "2024-09-16"
    assert found["characteristics"]["longitude"] == pytest.approx(9, abs=0.1)
    card = read_card(models / "mine")
    assert (card.parent, card.adapted_for) == ("unet", "flood")
    assert card.parent_sha256 == load_model("unet").weights_sha256
    assert card.training["adaptation"]["job"]["steps"] == 2


def test_physics_of_a_hazard_that_the_model_never_saw_guides_any(flooded, models):
    blind = adapt(job(flooded, hazard="any", overwrite=True))
    guided = adapt(job(flooded, hazard="any", prior="flood", overwrite=True))
    assert "nothing in these bands tells any" in blind["reason"]
    assert "nothing in these bands" not in guided["reason"] and guided["hazard"] == "any"
    card = read_card(models / "mine")
    assert card.adapted_for == "any" and card.training["adaptation"]["prior"] == "flood"
    assert card.training["adaptation"]["job"]["prior"] == "flood"


def test_the_delta_is_small_and_makes_the_adapted_network(flooded, models, tmp_path, monkeypatch):
    take_any(monkeypatch)
    before = (bundled_folder() / "unet" / "weights.safetensors").read_bytes()
    found = adapt(job(flooded))
    assert found["verdict"] == "adapted" and found["reason"].startswith("Adapted: expected better (proxy ")
    assert (bundled_folder() / "unet" / "weights.safetensors").read_bytes() == before
    assert sum(path.stat().st_size for path in (models / "mine").iterdir()) < 400_000
    adapted, parent = load_model("mine").network.state_dict(), load_model("unet").network.state_dict()
    changed = {name for name in parent if not torch.equal(adapted[name], parent[name])}
    assert changed and all(name.endswith("running_mean") for name in changed)
    answer = segment(
        SegmentJob(raster=flooded, hazard="flood", bands=BANDS, mask=str(tmp_path / "m.tif"), model="mine")
    )
    assert answer["model"] == "mine" and answer["threshold"] == found["threshold"]
    row = next(row for row in list_models() if row["name"] == "mine")
    assert row["adapted"] and row["parent"] == "unet" and row["hazards"] == ["flood"] and not row["default_for"]


def test_another_hazard_is_refused(flooded, tmp_path):
    adapt(saved_as_it_was(flooded))
    with pytest.raises(BadInput, match="adapted for flood, not for landslide"):
        segment(SegmentJob(raster=flooded, hazard="landslide", bands=BANDS, mask=str(tmp_path / "m.tif"), model="mine"))


def test_an_adapted_model_is_not_adapted_again(flooded):
    adapt(saved_as_it_was(flooded))
    with pytest.raises(BadInput, match="adapted already; choose its parent 'unet'"):
        adapt(job(flooded, model="mine", save="more"))


def test_an_adapted_model_needs_the_parent_as_it_was(flooded, models, tmp_path, monkeypatch):
    other = load_model("unet")
    with torch.no_grad():
        other.network.hazard_head.bias.add_(0.01)
    save_model(other.network, dataclasses.replace(other.card, name="parent"), models / "parent")
    take_any(monkeypatch)
    adapt(job(flooded, model="parent"))
    load_model("mine")
    shutil.rmtree(models / "parent")
    with pytest.raises(BadInput, match="adapted from 'parent', which is not found"):
        load_model("mine")


def test_a_parent_that_would_not_be_found_again_is_saved_along(flooded, models, tmp_path):
    shutil.copytree(bundled_folder() / "unet", tmp_path / "elsewhere")
    adapt(saved_as_it_was(flooded, model=str(tmp_path / "elsewhere")))
    shutil.rmtree(tmp_path / "elsewhere")
    assert load_model("mine").card.parent == "elsewhere"


def test_the_same_job_makes_the_same_model_and_can_be_run_again(flooded, models):
    first = adapt(job(flooded, seed=3))
    second = adapt(recorded(models / "mine", flooded, save="again"))
    assert (models / "mine" / "weights.safetensors").read_bytes() == (
        models / "again" / "weights.safetensors"
    ).read_bytes()
    assert [stage["proxy"] for stage in first["stages"]] == [stage["proxy"] for stage in second["stages"]]


def take_last(monkeypatch):
    """Whatever is judged last wins, so that what is saved tells all that was done."""
    monkeypatch.setattr(search, "LEAST_GAIN", -100.0)
    monkeypatch.setattr(Limits, "broken_by", lambda limits, candidate: None)
    monkeypatch.setattr(Limits, "no_footing", lambda limits: None)


def set_clock(monkeypatch, seconds):
    """A machine on which every look at the clock comes so much later than the one before."""
    looks = iter(range(1_000_000))
    monkeypatch.setattr(search, "time", SimpleNamespace(monotonic=lambda: seconds * next(looks)))


def recorded(folder, raster, **changes):
    """The job that a saved model says it was made by."""
    values = read_card(folder).training["adaptation"]["job"]
    return AdaptJob(**{**values, "raster": raster, "bands": tuple(values["bands"]), "open_options": (), **changes})


@pytest.mark.parametrize(("a_look_s", "ends"), [(4.0, "time"), (2.0, "no better for a while"), (56.0, "time")])
def test_what_a_time_budget_came_to_is_made_again_on_a_machine_of_any_speed(
    flooded, models, monkeypatch, a_look_s, ends
):
    take_last(monkeypatch)
    monkeypatch.setattr(search, "PATIENCE_ROUNDS", 1 if ends != "time" else 3)
    if ends != "time":
        monkeypatch.setattr(search, "LEAST_GAIN", 2.0)  # nothing wins
    set_clock(monkeypatch, a_look_s)
    found = adapt(job(flooded, steps=None, budget_s=300.0, save="first"))
    again = recorded(models / "first", flooded, save="second")
    assert found["ended"] == ends and again.steps == found["steps_made"] == found["stages"][-1]["steps"]
    assert again.candidates == found["candidates"] == (2 if a_look_s == 56 else 4)
    if a_look_s == 4:
        assert 16 < again.steps < 32, "the last steps are judged, too"
    set_clock(monkeypatch, 1e6)
    second = adapt(again)
    assert [stage["proxy"] for stage in second["stages"]] == [stage["proxy"] for stage in found["stages"]]
    first, other = (models / name / "weights.safetensors" for name in ("first", "second"))
    assert first.read_bytes() == other.read_bytes() and second["verdict"] == found["verdict"]
    assert recorded(models / "second", flooded, save="second") == again


def test_ending_early_is_made_again_up_to_the_last_steps_that_were_judged(flooded, models, monkeypatch):
    take_last(monkeypatch)
    report = Report(on_metrics=lambda step, values: report.finish.set() if step == 20 else None)
    found = adapt(job(flooded, steps=40, save="first"), report)
    again = recorded(models / "first", flooded, save="second")
    assert (found["ended"], found["steps_made"], again.steps) == ("asked to end", 20, 16)
    assert "It ended after 20 of 40 steps: it was asked to end." in found["reason"]
    adapt(again)
    first, other = (models / name / "weights.safetensors" for name in ("first", "second"))
    assert first.read_bytes() == other.read_bytes()


def test_a_mask_by_an_adapted_model_is_run_again_with_the_model_saved(flooded, tmp_path, monkeypatch):
    take_any(monkeypatch)
    adapt(job(flooded))
    mask = str(tmp_path / "m.tif")
    segment(SegmentJob(raster=flooded, hazard="flood", bands=BANDS, mask=mask, model="mine", device="cpu"))
    monkeypatch.setattr(adapt_module, "adapt_network", lambda *given: pytest.fail("it is not adapted again"))
    found = repeat(RepeatJob(mask, str(tmp_path / "again.tif")))
    assert found["different_pixels"] == 0 and found["model_sha256"] == load_model("mine").weights_sha256


def test_memory_that_ends_the_steps_leaves_what_was_found_before(flooded, models, monkeypatch):
    take_last(monkeypatch)
    steps = iter(range(100))
    whole = search.Student.step

    def step(student):
        if next(steps) == 20:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(student)

    monkeypatch.setattr(search.Student, "step", step)
    found = adapt(job(flooded, steps=40))
    assert (found["verdict"], found["ended"], found["steps"]) == ("adapted", "memory", 16)
    assert found["reason"].endswith("Memory ended it after 16 steps.")
    assert recorded(models / "mine", flooded).steps == 16
    monkeypatch.setattr(search.Student, "__init__", lambda student, *given: step_fails())
    before = adapt(job(flooded, steps=40, save="before"))
    assert (before["verdict"], before["ended"], before["steps"]) == ("adapted", "memory", 0)
    assert before["stages"][-1]["stage"] == "statistics 0.25"


def step_fails():
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_steps_that_are_asked_for_are_all_made(flooded, monkeypatch):
    monkeypatch.setattr(Limits, "broken_by", lambda limits, candidate: None)
    monkeypatch.setattr(search, "ROUND_STEPS", 2)
    found = adapt(job(flooded, steps=11, learning_rate=1e-7))
    assert (found["steps_made"], found["ended"]) == (11, "steps") and " of 11 steps" not in found["reason"]


def test_a_limit_that_ends_the_steps_is_told(flooded, models, monkeypatch):
    take_last(monkeypatch)
    monkeypatch.setattr(search.Search, "_judge_steps", lambda search, step, alpha: False)
    found = adapt(job(flooded, steps=40))
    assert found["ended"] == "a limit was broken"
    assert found["reason"].endswith("It ended after 16 of 40 steps: a limit was broken.")
    assert read_card(models / "mine").training["adaptation"]["ended"] == found["ended"]


def test_titles_say_whether_a_model_was_adapted(flooded, models, monkeypatch):
    adapt(saved_as_it_was(flooded, save="same"))
    take_any(monkeypatch)
    adapt(job(flooded))
    other, mine = read_card(models / "same"), read_card(models / "mine")
    stem = "S2A_MSIL2A_20240916T100031_scene"
    assert mine.title.endswith(f", adapted to {stem}") and other.title.endswith(f", not adapted to {stem}")
    assert ", not adapted for flood to '" in other.description and ", adapted for flood to '" in mine.description


@pytest.mark.parametrize(("value", "words"), [(np.nan, "valid pixel"), (0.1, "constant")])
def test_a_scene_without_footing_is_abstained_from_and_the_parent_saved(tmp_path, value, words):
    raster = write_raster(tmp_path / "s.tif", np.full((6, 96, 96), value, np.float32), names=BANDS)
    found = adapt(job(raster))
    assert found["verdict"] == "abstained" and words in found["reason"] and found["stages"] == []
    assert found["reason"].startswith("Not adapted: ") and found["reason"].endswith("the source model's mask is used.")
    mine, parent = load_model("mine").network.state_dict(), load_model("unet").network.state_dict()
    assert all(torch.equal(mine[name], parent[name]) for name in parent)


def test_a_view_of_one_small_window_is_enough_or_says_why(flooded):
    found = adapt(job(flooded, extent=(500000.0, 5099500.0, 500500.0, 5100000.0), steps=1))
    assert found["verdict"] in ("adapted", "rolled_back", "abstained") and found["reason"]


def test_cancelling_saves_nothing_and_finishing_early_keeps_the_best(flooded, models):
    report = Report()
    report.cancelled.set()
    with pytest.raises(Cancelled):
        adapt(job(flooded), report)
    assert not (models / "mine").exists()
    early = Report()
    early.finish.set()
    found = adapt(job(flooded, steps=1000), early)
    assert found["steps"] == 0 and (models / "mine" / "card.json").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"save": "unet"}, "comes with the program"),
        ({"hazard": "lava"}, "does not know the hazard"),
        ({"model": "nowhere"}, "not found"),
        ({"extent": (0.0, 0.0, 1.0, 1.0)}, "outside|does not|no part"),
    ],
)
def test_bad_requests_are_one_sentence_and_write_nothing(flooded, models, change, words):
    with pytest.raises(BadInput, match=words):
        adapt(job(flooded, **change))
    assert not models.exists() or not list(models.iterdir())


def test_a_folder_that_cannot_be_written_to_is_told_before_any_time_is_spent(flooded, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")

    def refuse(*given, **named):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(adapt_module, "adapt_network", lambda *given: pytest.fail("time was spent"))
    with pytest.raises(BadInput, match="is a file"):
        adapt(job(flooded, save=str(tmp_path / "file")))
    with pytest.raises(OutputFailed, match=r"cannot be written to .*Not a directory.*; choose another folder"):
        adapt(job(flooded, save=str(tmp_path / "file" / "mine")))
    monkeypatch.setattr(adapt_module.tempfile, "TemporaryFile", refuse)
    with pytest.raises(OutputFailed, match=r"cannot be written to .*Permission denied.*; choose another folder"):
        adapt(job(flooded, save=str(tmp_path / "place" / "mine")))
    assert not (tmp_path / "place").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "magic"},
        {"prior": "any"},
        {"budget_s": 0.0},
        {"steps": -1},
        {"longitude": 7.0},
        {"date": "yesterday"},
        {"date": "2999-01-01"},
        {"before": "b.tif", "before_date": "2999-01-01"},
        {"candidates": -1},
        {"batch_size": 0},
    ],
)
def test_jobs_check_themselves(flooded, change):
    with pytest.raises(BadInput):
        job(flooded, **change)


def test_a_model_that_exists_is_not_replaced_unless_told_to(flooded):
    adapt(saved_as_it_was(flooded))
    with pytest.raises(BadInput, match="already"):
        adapt(job(flooded))
    adapt(saved_as_it_was(flooded, overwrite=True))


def test_labelled_chips_are_learnt_beside_the_scene(flooded, tmp_path):
    chip, _ = simulate_scene(5, 96, "none", BANDS, 10.0)
    write_raster(tmp_path / "chip.tif", np.stack([chip[slot] for slot in BANDS]), names=BANDS)
    write_raster(tmp_path / "label.tif", np.zeros((96, 96), np.uint8))
    (tmp_path / "table.csv").write_text("image,score,label\nchip.tif,,label.tif\n")
    plain = adapt(job(flooded, mode="adversarial"))
    found = adapt(job(flooded, mode="adversarial", replay=str(tmp_path / "table.csv"), save="taught"))
    assert found["stages"][-1]["proxy"] != plain["stages"][-1]["proxy"]


def test_what_is_known_of_chips_is_learnt_too(flooded, tmp_path):
    chip, _ = simulate_scene(5, 96, "none", BANDS, 10.0)
    write_raster(tmp_path / "chip.tif", np.stack([chip[slot] for slot in BANDS]), names=BANDS)
    write_raster(tmp_path / "label.tif", np.zeros((96, 96), np.uint8))

    def losses(place, **changes):
        (tmp_path / "table.csv").write_text(f"image,label,longitude,latitude\nchip.tif,label.tif,{place}\n")
        told = []
        report = Report(on_metrics=lambda step, values: told.append(values.get("auxiliary")))
        asked = job(flooded, replay=str(tmp_path / "table.csv"), steps=1, candidates=0, overwrite=True, **changes)
        adapt(asked, report)
        return [value for value in told if value is not None]

    here, there = losses("9,46"), losses("-171,-46")
    assert here[0] != there[0]
    assert losses("9,46", auxiliary_weight=0.0) == losses("-171,-46", auxiliary_weight=0.0) == [0.0]


def test_the_command_line_has_the_flags_of_the_contract(flooded, tmp_path, capsys):
    code = main(
        ["adapt", "--raster", flooded, "--hazard", "flood", "--model", "unet", "--save", str(tmp_path / "out"),
         "--bands", ",".join(BANDS), "--units", "reflectance", "--mode", "statistics", "--lambda", "0.2", "--mu", "0.1",
         "--budget-s", "60", "--steps", "1", "--batch-size", "2", "--learning-rate", "0.001", "--date", "2024-09-16",
         "--lon", "-7.5", "--lat", "-12.5", "--seed", "1", "--device", "cpu", "--json"]
    )  # fmt: skip
    found = json.loads(capsys.readouterr().out)
    assert code == 0 and found["mode"] == "statistics" and found["characteristics"]["longitude"] == -7.5
    assert dataclasses.asdict(read_card(tmp_path / "out"))["parent"] == "unet"


def test_a_view_of_hardly_any_pixel_is_abstained_from_whatever_surrounds_it(flooded):
    found = adapt(saved_as_it_was(flooded, steps=2))
    assert found["verdict"] == "abstained" and "hardly any valid pixel is visible" in found["reason"]


def test_a_small_polygon_in_a_larger_scene_is_learnt_from_and_tells_the_place(tmp_path):
    values, _ = simulate_scene(11, 384, "flood", BANDS, 10.0)
    raster = write_raster(tmp_path / "s.tif", np.stack([values[slot] for slot in BANDS]), names=BANDS)
    area = write_boxes(tmp_path / "a.gpkg", (250, 20, 120, 117))
    found = adapt(job(raster, area=area, mode="statistics"))
    assert "valid pixel" not in found["reason"]
    known = found["characteristics"]
    assert known["sources"]["longitude_latitude"] == "centre of the polygons"
    assert known["longitude"] == pytest.approx(9 + 3.1 / 77.1, abs=0.003), "3.1 km east of 9 degrees"


def test_areas_in_the_verdict_are_those_of_masks(tmp_path):
    values, _ = simulate_scene(11, 384, "flood", BANDS, 10.0)
    raster = write_raster(tmp_path / "s.tif", np.stack([values[slot] for slot in BANDS]), names=BANDS)
    found = adapt(job(raster, mode="statistics", candidates=0))
    mapped = segment(
        SegmentJob(raster=raster, hazard="flood", bands=BANDS, units="reflectance", mask=str(tmp_path / "m.tif"),
                   model="unet")
    )  # fmt: skip
    stages = found["stages"][0]["area_m2"] if found["stages"] else None
    assert stages == pytest.approx(mapped["hazard_area_m2"], rel=0.03)
