"""Input planes against the same formulae written in plain numpy."""

import numpy as np
import pytest
import torch

import engine.planes as planes_module
from engine.planes import PLANES, SceneScaling, build_planes, equal_planes, planes_for
from engine.protocol import BadInput

SIX = ("blue", "green", "red", "nir", "swir1", "swir2")


def scaling(slots, absolute=True, low=0.0, high=0.4):
    count = len(slots)
    return SceneScaling(tuple(slots), (low,) * count, (high,) * count, (absolute,) * count)


def window(slots, seed=0, size=16):
    generator = torch.Generator().manual_seed(seed)
    values = 0.01 + 0.4 * torch.rand((2, len(slots), size, size), generator=generator)
    return values, torch.ones((2, 1, size, size), dtype=torch.bool)


def plane(name, values, valid, scene):
    names = [PLANES[index] for index in planes_for(scene)]
    return build_planes(values, valid, scene)[:, names.index(name)].numpy()


def test_scene_normalisation_puts_the_quantiles_at_minus_and_plus_one():
    scene = scaling(("red",), low=0.1, high=0.3)
    values = torch.tensor([0.1, 0.2, 0.3, 9.0]).view(1, 1, 2, 2)
    found = plane("norm_red", values, torch.ones((1, 1, 2, 2), dtype=torch.bool), scene).ravel()
    assert found == pytest.approx([-1, 0, 1, 3], abs=1e-5)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [("ndwi", "green", "nir"), ("mndwi", "green", "swir1"), ("ndvi", "nir", "red"), ("nbr", "nir", "swir2")],
)
def test_index_planes_are_normalised_differences(name, first, second):
    values, valid = window(SIX)
    a, b = (values[:, SIX.index(slot)].numpy().astype(np.float64) for slot in (first, second))
    assert np.abs(plane(name, values, valid, scaling(SIX)) - (a - b) / (a + b)).max() < 0.25
    bright = values + 0.3
    a, b = (bright[:, SIX.index(slot)].numpy().astype(np.float64) for slot in (first, second))
    assert np.abs(plane(name, bright, valid, scaling(SIX)) - (a - b) / (a + b)).max() < 0.01


def test_water_and_plants_have_the_signs_that_the_indices_promise():
    water = torch.tensor([0.03, 0.03, 0.02, 0.01, 0.005, 0.003]).view(1, 6, 1, 1)
    plants = torch.tensor([0.03, 0.05, 0.03, 0.36, 0.17, 0.08]).view(1, 6, 1, 1)
    valid = torch.ones((1, 1, 1, 1), dtype=torch.bool)
    for name in ("ndwi", "mndwi"):
        assert plane(name, water, valid, scaling(SIX)) > 0.2
        assert plane(name, plants, valid, scaling(SIX)) < -0.2
    assert plane("ndvi", plants, valid, scaling(SIX)) > 0.5


def test_physical_planes_exist_only_where_units_are_known():
    names = {PLANES[index] for index in planes_for(scaling(SIX, absolute=False))}
    assert not any(name.startswith("raw_") for name in names)
    assert not names & {"ndwi", "mndwi", "ndvi", "nbr"}
    assert {"norm_nir", "available_nir", "green_red", "blue_red"} <= names


def test_planes_left_out_are_those_of_missing_bands():
    for slots in (("vv", "vh"), ("vv",), ("blue", "green", "red"), SIX):
        names = {PLANES[index] for index in planes_for(scaling(slots))}
        assert {name.split("_", 1)[1] for name in names if name.startswith(("norm", "raw", "available"))} == set(slots)


def test_equal_planes_hold_the_same_even_where_something_is_missing():
    values, valid = window(SIX)
    valid[:, :, :5] = False
    scene = scaling(SIX)
    chosen = planes_for(scene)
    planes = build_planes(values, valid, scene)
    equal = equal_planes(chosen)
    assert len(equal) == len(SIX) - 1
    for plane, kept in equal.items():
        assert torch.equal(planes[:, chosen.index(plane)], planes[:, chosen.index(kept)])
    fewer = [plane for plane in chosen if plane not in equal]
    assert torch.equal(
        build_planes(values, valid, scene, None, fewer), planes[:, [chosen.index(plane) for plane in fewer]]
    )


def test_invalid_pixels_are_zero_in_every_plane_whatever_they_hold():
    values, valid = window(SIX)
    valid[:, :, :5] = False
    values[:, :, :2] = float("nan")
    values[:, :, 2:5] = float("inf")
    planes = build_planes(values, valid, scaling(SIX))
    assert not planes[:, :, :5].any()
    assert torch.isfinite(planes).all()
    untouched = build_planes(values[:, :, 5:], valid[:, :, 5:], scaling(SIX))
    assert torch.equal(planes[:, :, 5:], untouched)


def test_nan_and_infinity_among_valid_pixels_stay_finite():
    values, valid = window(("vv", "vh"))
    values[0, 0, 0, :3] = torch.tensor([float("nan"), float("inf"), float("-inf")])
    assert torch.isfinite(build_planes(values, valid, scaling(("vv", "vh"), low=-25.0, high=-5.0))).all()


def test_a_constant_scene_gives_finite_planes():
    values, valid = window(SIX)
    planes = build_planes(values * 0 + 0.2, valid, scaling(SIX, low=0.2, high=0.2))
    assert torch.isfinite(planes).all()


def test_a_window_means_the_same_whatever_lies_beside_it():
    values, valid = window(SIX, size=32)
    whole = build_planes(values, valid, scaling(SIX))
    part = build_planes(values[..., 8:24, 8:24], valid[..., 8:24, 8:24], scaling(SIX))
    assert torch.equal(whole[..., 8:24, 8:24], part)


@pytest.mark.parametrize("slots", [(), ("red", "blue"), ("red", "red"), ("thermal",)])
def test_slots_out_of_order_or_unknown_are_refused(slots):
    with pytest.raises(BadInput):
        scaling(slots)


def test_a_window_of_other_bands_than_its_scene_is_refused():
    values, valid = window(SIX)
    with pytest.raises(BadInput, match="6 bands"):
        build_planes(values, valid, scaling(SIX[:3]))


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("holes", [True, False])
def test_planes_written_over_used_ones_are_the_same(absolute, holes):
    scene = scaling(("blue", "green", "red", "nir", "swir1", "swir2", "vv", "vh"), absolute)
    values, valid = window(scene.slots, seed=1)
    valid[:, :, :4] = not holes
    used = torch.full_like(build_planes(values, valid, scene), 7.0)
    found = build_planes(values, valid, scene, used)
    assert found.data_ptr() == used.data_ptr()
    assert torch.equal(found, build_planes(values, valid, scene))
    assert build_planes(values[:1], valid[:1], scene, used).shape[0] == 1  # another shape takes memory of its own


def test_planes_built_piece_by_piece_are_those_built_at_once(monkeypatch):
    scene = scaling(SIX)
    values, valid = window(SIX, size=50)
    values[1, 2, 30, 4], values[0, 0, 7, 9] = float("nan"), float("inf")
    valid[0, 0, 20:31, 5:] = False
    at_once = build_planes(values, valid, scene)
    monkeypatch.setattr(planes_module, "PIECE_PX", 700)  # seven rows of two windows
    assert torch.equal(build_planes(values, valid, scene), at_once)
