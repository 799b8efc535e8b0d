"""Rules against values worked out by hand."""

import numpy as np
import pytest

from engine.rules import (
    RULES,
    brightness_minus_greenness,
    mndwi,
    ndwi,
    normalised_difference,
    otsu_threshold,
    red_minus_green,
)


def rule(name):
    return next(one for one in RULES if one.name == name)


def test_water_indices_are_those_worked_out_by_hand():
    values = {"green": np.array([0.06, 0.05]), "nir": np.array([0.02, 0.45]), "swir1": np.array([0.01, 0.15])}
    assert ndwi(values) == pytest.approx([0.5, -0.8])
    assert mndwi(values) == pytest.approx([5 / 7, -0.5])
    assert rule("NDWI > 0").predict(ndwi(values)).tolist() == [True, False]


def test_reflectances_below_zero_and_black_pixels_give_no_strange_ratios():
    found = normalised_difference(np.array([-0.01, 0.0, 0.02]), np.array([0.02, 0.0, -0.03]))
    assert found.tolist() == [-1, 0, 1]


def test_a_radar_limit_is_met_by_what_is_darker():
    values = {"vv": np.array([-17.1, -16.9]), "vh": np.array([-24.1, -23.9])}
    for name in ("VV < -17 dB", "VH < -24 dB"):
        assert rule(name).predict(rule(name).index(values)).tolist() == [True, False]


def test_bare_soil_stands_above_plants_by_colour():
    soil, grass = (0.5, 0.4, 0.3), (0.2, 0.4, 0.1)
    red, green, blue = (np.array(band) for band in zip(soil, grass, strict=True))
    values = {"red": red, "green": green, "blue": blue}
    assert brightness_minus_greenness(values) == pytest.approx([0.4 - 0.0, 0.7 / 3 - 0.5 / 0.7])
    assert red_minus_green(values) == pytest.approx([0.1 / 0.9, -0.2 / 0.6])


def test_otsu_agrees_with_a_search_over_all_splits():
    random = np.random.default_rng(1)
    values = np.concatenate([random.normal(0, 1, 700), random.normal(8, 1.5, 300)])

    def within(limit):  # least variance within is most variance between
        low, high = values[values <= limit], values[values > limit]
        return low.size * low.var() + high.size * high.var()

    best = min((within(limit), limit) for limit in np.linspace(values.min() + 0.1, values.max() - 0.1, 500))[1]
    width = np.ptp(values) / 256
    assert within(otsu_threshold(values)) == pytest.approx(within(best), rel=0.01)
    assert abs(otsu_threshold(values) - best) < 12 * width  # the gap between both kinds is nearly empty


def test_otsu_lies_in_the_gap_between_two_values_and_finds_nothing_in_one():
    assert otsu_threshold(np.array([0.0, 0.0, 10.0])) == pytest.approx(5, abs=0.1)
    assert not rule("VV, Otsu").predict(np.full((3, 3), 4.0)).any()
    assert not rule("VV, Otsu").predict(np.array([])).any()
    assert otsu_threshold(np.array([0.0, np.nan, 10.0])) == pytest.approx(5, abs=0.1)


def test_a_rule_answers_only_with_its_bands_units_and_hazard():
    assert rule("MNDWI > 0").answers("flood", ("green", "swir1", "nir"), True)
    assert not rule("MNDWI > 0").answers("flood", ("green", "swir1"), False)
    assert not rule("MNDWI > 0").answers("flood", ("green", "nir"), True)
    assert not rule("MNDWI > 0").answers("landslide", ("green", "swir1"), True)
    assert rule("green - red, Otsu").answers("landslide", ("red", "green", "blue"), False)
