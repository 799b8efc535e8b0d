"""Simulated pairs: one place on two dates; what is new is told from what was there and what ordinarily changes."""

import pytest
import torch

from engine.simulate import HAZARDS
from engine.simulate.pairs import CLOSE, compose_pair, draw_pair
from engine.simulate.scene import IGNORED

SIZE_PX = 96
FLOOD, LANDSLIDE, COLLAPSE, ANY = range(4)


def found(labels):
    return (labels == 1).flatten(1).float().mean(1)


def test_the_same_seed_gives_the_same_pair():
    one, other = (compose_pair(5, SIZE_PX, "landslide", 10.0) for _ in range(2))
    assert torch.equal(one.new, other.new)
    assert torch.equal(one.after.values, other.after.values) and torch.equal(one.before.values, other.before.values)
    assert not torch.equal(one.after.values, one.before.values)


@pytest.mark.parametrize("hazard", ["landslide", "glacier_collapse"])
def test_slides_and_collapses_are_new_ground_alike(hazard):
    pairs = [compose_pair(seed, SIZE_PX, hazard, 10.0) for seed in range(5)]
    for pair in pairs:
        assert torch.equal(pair.new[LANDSLIDE], pair.new[COLLAPSE])
        known = (pair.new != IGNORED).all(0)
        assert torch.equal((pair.new[ANY] == 1)[known], (pair.new[:ANY] == 1).any(0)[known])
    assert max(float(found(pair.new)[LANDSLIDE]) for pair in pairs) > 0.01
    alone = torch.stack([found(pair.after.labels) for pair in pairs])
    assert alone[:, HAZARDS.index(hazard)].max() > 0.01  # one date still tells the two apart
    assert alone[:, LANDSLIDE + COLLAPSE - HAZARDS.index(hazard)].max() == 0


def test_water_of_both_dates_is_no_new_flood_and_nothing_is_new_without_a_hazard():
    pairs = [compose_pair(seed, SIZE_PX, "flood", 10.0) for seed in range(6)]
    assert any(bool(pair.permanent.any()) for pair in pairs)
    assert not any(bool((pair.new[FLOOD] == 1)[pair.permanent].any()) for pair in pairs)
    assert max(float(found(pair.new)[FLOOD]) for pair in pairs) > 0.02
    assert not any(bool((compose_pair(seed, SIZE_PX, "none", 10.0).new == 1).any()) for seed in range(6))


def test_most_dates_are_as_people_choose_them():
    pairs = [draw_pair(seed, 32) for seed in range(120)]
    assert abs(sum(pair.close for pair in pairs) / len(pairs) - CLOSE) < 0.15
    days, alike = {True: [], False: []}, {True: [], False: []}
    for pair in pairs:
        now, was = pair.after.setting, pair.before.setting
        apart = abs(now.day_of_year - was.day_of_year)
        days[pair.close].append(min(apart, 365 - apart))
        alike[pair.close].append(now.sensor == was.sensor)
    assert max(days[True]) < 70 < max(days[False])
    assert sum(alike[True]) / len(alike[True]) > 0.9 > sum(alike[False]) / len(alike[False])
