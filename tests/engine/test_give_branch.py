"""Branches are given to models: the general one, and one for display values, each with its thresholds and scores."""

import copy
import dataclasses
import importlib.util
import sys
from pathlib import Path

import pytest
import torch
from test_before_training import BUNDLED, write_model

from engine.before import sources
from engine.before.sources import PairSource
from engine.before.training import WITH_BEFORE
from engine.metrics import Counts
from engine.model import load_model
from engine.planes import PLANES
from engine.reporting import Report
from engine.validation import HazardScore


@pytest.fixture(scope="module")
def benchmark():
    """The command that gives branches, as a module."""
    folder = Path(__file__).resolve().parents[1] / "benchmarks"
    found = importlib.util.spec_from_file_location("give_branch_benchmark", folder / "give_branch.py")
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A model with a branch that has told scores, another to take a branch of, and pairs to measure with."""
    monkeypatch.setattr(sources, "CHIP_SIZE_PX", 64)
    monkeypatch.setattr(sources, "SCENE_SIZE_PX", 64)
    row = {"set": "simulated pairs (validation)", "hazard": "flood", "mode": WITH_BEFORE, "iou": 0.5}
    alone = {"set": "simulated (validation)", "hazard": "flood", "iou": 0.6}
    write_model(tmp_path / "one", change_channels=8, change_thresholds={"flood": 0.3}, scores=(alone, row))
    write_model(tmp_path / "other", seed=1, change_channels=8)
    one, other = (load_model(str(tmp_path / name)) for name in ("one", "other"))
    other.card = dataclasses.replace(other.card, training={"kind": "train", "before": {"steps": 7}})
    return one, other, PairSource(0, 4, BUNDLED, BUNDLED, display=True).validation(2, Report())


@pytest.mark.parametrize("display", [False, True])
def test_a_branch_goes_where_it_belongs_and_leaves_the_rest(benchmark, models, display, monkeypatch):
    one, other, pairs = models
    score = HazardScore(0.45, Counts(tp=5, fp=1, fn=5, tn=89), True)
    monkeypatch.setattr(benchmark, "score_new", lambda *_: score)
    monkeypatch.setattr(benchmark, "answers", lambda score, without, must_be_guarded: True)
    before = copy.deepcopy(one.network.state_dict())
    network, card, shown = benchmark.give(one, other, pairs, display)
    given = network.display_change if display else network.change
    assert all(
        torch.equal(given.state_dict()[name], value) for name, value in other.network.change.state_dict().items()
    )
    kept = {name: value for name, value in before.items() if display or not name.startswith("change.")}
    assert all(torch.equal(network.state_dict()[name], value) for name, value in kept.items())
    told = dict.fromkeys(BUNDLED, 0.45)
    expected = {"change_thresholds": {"flood": 0.3}, "display_change_thresholds": told} if display else {
        "change_thresholds": told, "display_change_thresholds": {}
    }  # fmt: skip
    assert {name: getattr(card, name) for name in expected} == expected
    sets = [row["set"] for row in card.scores]
    measured = "simulated pairs of display values (validation)" if display else "simulated pairs (validation)"
    assert sets[0] == "simulated (validation)" and sets.count(measured) == len(BUNDLED)
    assert len(sets) == 1 + display + len(BUNDLED)  # of the general branch only where that stayed
    assert card.training["before_display" if display else "before"] == {"steps": 7}
    assert shown[0]["without"]["by"] == ("general branch" if display else "rule")


def test_what_is_told_no_better_is_left_to_what_told_it(benchmark, models, monkeypatch):
    one, other, pairs = models
    monkeypatch.setattr(benchmark, "answers", lambda score, without, must_be_guarded: False)
    _, card, shown = benchmark.give(one, other, pairs, True)
    assert card.display_change_thresholds == {} and card.change_thresholds == {"flood": 0.3}
    assert not any(row["told_by_branch"] for row in shown)
    assert card.branch_for("flood", (False,)) == ("change", 0.3) and card.branch_for("any", (False,)) is None


def test_a_general_branch_beside_one_for_display_values_is_judged_on_measured_ones_alone(
    benchmark, models, monkeypatch
):
    one, other, shown = models
    one.card = dataclasses.replace(one.card, display_change_channels=8)
    measured = PairSource(0, 4, BUNDLED, BUNDLED).validation(12, Report())
    judged = []
    judge = benchmark.judge_branch
    monkeypatch.setattr(
        benchmark, "judge_branch", lambda branch, told, *rest: judged.append(told) or judge(branch, told, *rest)
    )
    _, card, rows = benchmark.give(one, other, [*shown, *measured])
    raw = [index for index, name in enumerate(PLANES) if name.startswith("raw_")]
    chips = [bool(chip.any()) for batch in [*shown, *measured] for chip in batch.later[:, raw]]
    assert 0 < sum(chips) < len(chips) and all(sum(len(t.labels) for t in told) == sum(chips) for told in judged)
    assert {row["set"] for row in rows} == {"simulated pairs of measured values (validation)"}
    assert not any(row["set"] == "simulated pairs (validation)" for row in card.scores)
