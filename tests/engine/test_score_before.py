"""Scores with and without a scene from before: which pairs there are, what is true of them, and which rows come out."""

import dataclasses

import numpy as np
import pytest
from pair_scenes import TwoDates, texture
from scenes import read, reflectance_model, write_raster

import engine.score_before
from engine.protocol import BadInput, ScorecardJob
from engine.reporting import Report
from engine.score_before import (
    MOVED_VIEW,
    REAL_EDGE_PX,
    WITH,
    WITHOUT,
    before_page,
    draw_test_pairs,
    pair_sets,
    pair_views,
)
from engine.score_entries import Entry, open_models
from engine.score_pair_rules import rule_rows
from engine.scorecard import scorecard

SIDE = 96
LAKE, FLOOD = np.s_[20:40, 20:40], np.s_[50:70, 50:80]


@pytest.fixture
def data(tmp_path):
    """Two dates of one footprint, the second flooded; a third that is not consistent, and a chip of another place."""
    folder = tmp_path / "data/flood/landsat_worldcover"
    (folder / "images").mkdir(parents=True)
    (folder / "labels_water").mkdir()
    lines = ["chip,footprint,label_consistent", "0,5,1", "1,5,1", "2,5,0", "3,6,1"]
    (folder / "index.csv").write_text("\n".join(lines), encoding="utf-8")
    for chip in range(4):
        water = np.zeros((SIDE, SIDE), bool)
        water[LAKE] = True
        water[FLOOD] = chip == 1
        values = np.where(water, 0.9, 0.2 + 0.1 * texture(SIDE, SIDE, 0))
        bands = np.repeat((values * 10000).round().astype("u2")[None], 7, axis=0)
        write_raster(folder / f"images/{chip:03d}.tif", bands)
        write_raster(folder / f"labels_water/{chip:03d}.tif", water.astype("u1"))
    return tmp_path / "data"


def entry_of(tmp_path):
    model = reflectance_model(tmp_path / "model")
    model.network = TwoDates()
    return Entry("reflectance", model, "from scratch", None, None)


def test_each_date_of_a_footprint_comes_before_each_other_and_what_is_there_later_only_is_new(data, tmp_path):
    sets = pair_sets(data)
    assert [(one.name, one.hazard, len(one.pairs)) for one in sets] == [
        ("Landsat footprints", "flood", 2),
        ("Landsat footprints, nothing fell", "landslide", 2),
        ("Landsat footprints, nothing fell", "glacier_collapse", 2),
    ]
    rows = list(engine.score_before.score_before(entry_of(tmp_path), sets, [], [], tmp_path, Report()))
    by_mode = {row["mode"]: row for row in rows}
    assert list(by_mode) == [WITHOUT, WITH, f"{WITH}, moved by 1 px", f"{WITH}, moved by 3 px"]
    new_px, lake_px, judged = 20 * 30, 20 * 20, 2 * (SIDE - 2 * REAL_EDGE_PX) ** 2
    assert by_mode[WITHOUT]["recall"] == by_mode[WITH]["recall"] == 1
    assert by_mode[WITHOUT]["false_area"] == pytest.approx(2 * lake_px / (judged - new_px), abs=2e-4)
    assert by_mode[WITH]["false_area"] == 0 and by_mode[WITH]["iou"] == 1
    assert all(0 <= row["false_area"] < 0.05 and row["recall"] > 0.9 for row in rows[2:])
    page = before_page(rows)
    assert page.count("| Landsat footprints |") == 4 and "| without before |" in page


def test_simulated_pairs_have_rows_of_all_and_of_those_on_which_nothing_happened(monkeypatch, tmp_path):
    for name, value in {"PAIRS_OF_A_KIND": 1, "CALM_PAIRS": 2, "PAIR_SIZE_PX": 96}.items():
        monkeypatch.setattr(engine.score_before, name, value)
    pairs = draw_test_pairs(Report())
    kinds = [pair.after.hazard for pair in pairs]
    assert sorted(kinds) == ["flood", "glacier_collapse", "landslide", "none", "none"]
    (entry,) = open_models(("unet",))
    seen, radar = pair_views()[0], pair_views()[2]
    views = [dataclasses.replace(seen, hazards=("landslide", "artificial")), radar]
    rows = list(engine.score_before.score_before(entry, [], views, pairs, tmp_path, Report()))
    moved = [f"{WITH}, moved by {pixels} px" for pixels in (1, 3)]
    calm = f"{MOVED_VIEW}, pairs, nothing happened"
    assert [(row["set"], row["hazard"], row["mode"]) for row in rows] == [
        *((name, "landslide", mode) for name in (f"{MOVED_VIEW}, pairs", calm) for mode in (WITHOUT, WITH, *moved)),
        *((f"{radar.name}, pairs{rest}", "flood", mode)
          for rest in ("", ", nothing happened") for mode in (WITHOUT, WITH)),
    ]  # fmt: skip
    assert all(row["recall"] is None and 0 <= row["false_area"] <= 1 for row in rows if "nothing" in row["set"])
    assert all(row["recall"] is not None for row in rows if "nothing" not in row["set"])


def test_rules_answer_by_the_later_date_alone_and_for_what_was_not_before(data):
    for path in data.rglob("images/*.tif"):  # water is dark in the short-wave infrared
        bands = np.repeat(read(path)[None], 7, axis=0)
        bands[5:] = np.where(bands[5:] > 7000, 100, bands[5:] + 500)
        write_raster(path, bands)
    rows = list(rule_rows(pair_sets(data), [], [], Report()))
    of_mndwi = {row["mode"]: row for row in rows if row["model"] == "MNDWI > 0"}
    assert list(of_mndwi) == [WITHOUT, WITH] and {row["set"] for row in rows} == {"Landsat footprints"}
    assert of_mndwi[WITH]["recall"] == of_mndwi[WITHOUT]["recall"] == 1
    assert of_mndwi[WITH]["false_area"] == 0 < of_mndwi[WITHOUT]["false_area"]


def test_rules_answer_for_simulated_pairs_of_physical_values(monkeypatch):
    for name, value in {"PAIRS_OF_A_KIND": 1, "CALM_PAIRS": 2, "PAIR_SIZE_PX": 96}.items():
        monkeypatch.setattr(engine.score_before, name, value)
    rows = list(rule_rows([], pair_views(), draw_test_pairs(Report()), Report()))
    told = {(row["set"].split(",")[0], row["model"]) for row in rows}
    assert told == {("simulated six bands", "MNDWI > 0"), ("simulated six bands", "NDWI > 0"),
                    ("simulated VV+VH", "VV < -17 dB"), ("simulated VV+VH", "VH < -24 dB")}  # fmt: skip
    by = {(row["set"], row["model"], row["mode"]): row["false_area"] for row in rows}
    assert all(by[name, rule, WITH] <= by[name, rule, WITHOUT] for name, rule, _ in by)
    assert all((row["recall"] is None) == ("nothing" in row["set"]) for row in rows)


def test_pairs_are_chosen_by_name_and_an_unknown_name_is_refused(data, monkeypatch):
    asked = []

    def note(entry, sets, views, pairs, folder, report):
        assert bool(pairs) == bool(views)
        asked.append(([one.name for one in sets], [view.name for view in views]))
        return iter(())

    monkeypatch.setattr("engine.scorecard.score_before", note)
    monkeypatch.setattr("engine.scorecard.draw_test_pairs", lambda report: ["pair"])
    monkeypatch.setattr("engine.scorecard.rule_rows", lambda *asked: iter(()))
    scorecard(ScorecardJob(models=("unet",), sets=("simulated RGB",), data=str(data), before=True))
    scorecard(ScorecardJob(models=("unet",), sets=("Landsat",), data=str(data), before=True))
    assert asked[0] == ([], ["simulated RGB 8-bit"]) and len(asked[1][0]) == 3 and asked[1][1] == []
    with pytest.raises(BadInput, match="No set of pairs begins with Mars; use one of Landsat footprints, "):
        scorecard(ScorecardJob(models=("unet",), sets=("Mars",), data=str(data), before=True))
