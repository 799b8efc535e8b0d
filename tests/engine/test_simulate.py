"""Simulated scenes: repeatable, physically plausible, and labelled as they were made."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.planes import PLANES
from engine.protocol import OPTICAL_SLOTS, SLOTS, BadInput
from engine.simulate import HAZARDS, draw_scene, simulate_scene
from engine.simulate.chips import cut_chips, measure_scaling, stretch_to_bytes
from engine.simulate.fields import Draw, blur, flow_down, gradient, hashed
from engine.simulate.radar import _lay_over

ALL = tuple(SLOTS)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_same_seed_gives_the_same_scene_and_another_gives_another():
    first, again, other = (draw_scene(seed, 64) for seed in (7, 7, 8))
    assert torch.equal(first.values, again.values)
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.values, other.values)


@pytest.mark.parametrize("hazard", ["flood", "landslide", "glacier_collapse", "none"])
def test_values_are_reflectance_and_decibels_and_labels_are_three_valued(hazard):
    for seed in range(4):
        values, labels = simulate_scene(seed, 96, hazard, ALL, 10.0)
        for slot in OPTICAL_SLOTS:
            assert values[slot].dtype == np.float32
            assert -0.03 <= values[slot].min()
            assert values[slot].max() < 1.6001
        for slot in ("vv", "vh"):
            assert -60 < np.median(values[slot]) < 5
        assert set(labels) == {*HAZARDS, "surface"}
        for label in labels.values():
            assert label.dtype == np.uint8
            assert set(np.unique(label)) <= {0, 1, 255}


def test_water_is_dark_in_the_short_wave_infrared_and_darker_than_land_in_radar():
    wet, dry = [], []
    for seed in range(30):
        values, labels = simulate_scene(seed, 96, "flood", ("green", "swir1", "vv", "vh"), 10.0)
        water = labels["flood"] == 1
        ratio = (values["green"] - values["swir1"]) / (np.abs(values["green"] + values["swir1"]) + 0.01)
        if 0.1 < water.mean() < 0.9:
            wet.append((ratio[water].mean(), np.median(values["vh"][water])))
            dry.append((ratio[~water].mean(), np.median(values["vh"][~water])))
    differences = np.array(wet) - np.array(dry)
    assert len(differences) > 8
    assert np.mean(differences[:, 0] > 0.1) > 0.9
    assert np.mean(differences[:, 1] < -2) > 0.8


def test_plants_standing_in_water_are_positive_and_bright_in_vv_against_vh():
    contrast = []
    for seed in range(60):
        values, labels = simulate_scene(seed, 96, "flood", ("vv", "vh"), 10.0)
        smooth = blur(torch.from_numpy(np.stack([values["vv"], values["vh"]])), 1.5).numpy()
        bright = (labels["flood"] == 1) & (smooth[0] > -12)
        if bright.sum() > 200:
            contrast.append(np.median((smooth[0] - smooth[1])[bright]))
    assert len(contrast) > 5
    assert np.median(contrast) > 9


def test_each_hazard_occurs_in_its_scenes_and_in_no_hazard_free_one():
    for index, hazard in enumerate(HAZARDS[:3]):
        shares = [np.mean(simulate_scene(seed, 96, hazard, ("red",), 10.0)[1][hazard] == 1) for seed in range(12)]
        assert np.mean(np.array(shares) > 0.001) > 0.7, hazard
        if index:
            for seed in range(6):
                assert not (simulate_scene(seed, 96, "none", ("red",), 10.0)[1][hazard] == 1).any()


def test_any_is_the_union_of_the_hazards():
    for seed in range(6):
        labels = draw_scene(seed, 96).labels
        assert torch.equal(labels[3] == 1, (labels[:3] == 1).any(0))


def test_scenes_without_any_water_occur():
    dry = [not (draw_scene(seed, 64, radar=False).labels[0] == 1).any() for seed in range(40)]
    assert 0.1 < np.mean(dry) < 0.7


def test_landslides_lie_on_steeper_ground_than_their_scene():
    from engine.simulate.hazards import landslides
    from engine.simulate.land import build_land
    from engine.simulate.setting import draw_setting
    from engine.simulate.surface import LandRecipe

    steeper = []
    for seed in range(12):
        draw = Draw(seed, 128)
        land = build_land(draw, LandRecipe("hills", 10.0, draw_setting(draw, "hills", 10.0, True)))
        slid = landslides(land, draw)
        if slid.any():
            steeper.append(float(land.steepness[slid].mean() / land.steepness.mean()))
    assert np.mean(np.array(steeper) > 1) > 0.7


def test_energy_flows_downhill_and_never_uphill():
    elevation = -torch.arange(32, dtype=torch.float32).repeat(32, 1)  # falls towards growing column
    across, down = gradient(elevation, 1.0)
    seeds = torch.zeros(32, 32)
    seeds[16, 10] = 1.0
    energy = flow_down(seeds, across, down, 8, torch.full((32, 32), 0.05))
    assert energy[16, 15] == pytest.approx(0.75, abs=0.02)
    assert not energy[:, :10].any()
    assert not energy[16, 19:].any()


def test_gradient_of_a_plane_is_its_slope():
    y, x = torch.meshgrid(torch.arange(20.0), torch.arange(20.0), indexing="ij")
    across, down = gradient(3 * x - 2 * y, 10.0)
    assert across[5:15, 5:15].mean() == pytest.approx(0.3)
    assert down[5:15, 5:15].mean() == pytest.approx(-0.2)


def test_blur_keeps_the_mean_and_matches_a_gaussian():
    field = torch.zeros(1, 41, 41)
    field[0, 20, 20] = 1
    smooth = blur(field, 2.0)[0]
    assert float(smooth.sum()) == pytest.approx(1, abs=1e-4)
    assert float(smooth[20, 20] / smooth[20, 22]) == pytest.approx(np.exp(0.5), rel=1e-3)


def test_hashes_are_spread_evenly():
    y, x = torch.meshgrid(torch.arange(100), torch.arange(100), indexing="ij")
    counts, _ = np.histogram(hashed(y, x, 12345).numpy(), bins=10, range=(0, 1))
    assert counts.min() > 800
    assert counts.max() < 1200


def test_chips_hold_all_planes_and_nothing_at_invalid_pixels():
    scene = draw_scene(3, 160)
    for seed in range(20):
        batch = cut_chips(scene, Draw(seed, 8), 2, 64)
        assert batch.planes.shape == (2, len(PLANES), 64, 64)
        assert torch.isfinite(batch.planes).all()
        assert batch.labels.shape == (2, 4, 64, 64)
        lost = (batch.surface == 255)[:, None].expand_as(batch.planes)
        assert not batch.planes[lost].any()


def test_scaling_is_the_quantiles_of_valid_pixels():
    values = torch.rand(1, 128, 128)
    valid = torch.ones((1, 128, 128), dtype=torch.bool)
    valid[:, :64] = False
    values[:, :64] = 100
    scaling = measure_scaling(values, valid, ("red",), True)
    low, high = np.percentile(values[0, 64:].numpy(), (2, 98))
    assert scaling.low[0] == pytest.approx(low, abs=1e-4)
    assert scaling.high[0] == pytest.approx(high, abs=1e-4)


def test_display_bytes_are_whole_steps_between_zero_and_one():
    values = torch.rand(3, 32, 32)
    for seed in range(8):
        stretched, _ = stretch_to_bytes(Draw(seed, 8), values, values, torch.ones((1, 32, 32), dtype=torch.bool))
        assert 0 <= float(stretched.min()) <= float(stretched.max()) <= 1
        assert torch.allclose(stretched * 255, torch.round(stretched * 255), atol=1e-4)


@pytest.mark.parametrize(
    ("size_px", "hazard", "slots", "gsd_m"),
    [(32, "flood", ALL, 10), (128, "storm", ALL, 10), (128, "flood", ("thermal",), 10), (128, "flood", (), 10)],
)
def test_scenes_that_cannot_be_simulated_are_refused(size_px, hazard, slots, gsd_m):
    with pytest.raises(BadInput):
        simulate_scene(0, size_px, hazard, slots, gsd_m)


@pytest.mark.parametrize("azimuth", [0.0, math.pi / 2, math.pi, 4.0])
def test_layover_leaves_no_frame_at_the_borders(azimuth):
    """Differences of neighbouring rows and columns, and their means, near the borders as inside."""
    draw, size = torch.Generator().manual_seed(1), 96
    slope = torch.arange(size).float() - size / 2
    for elevation in (slope[:, None] * 4 + slope * 4, slope[:, None] * -4 + slope * 4, slope * 0 - slope[:, None]):
        power = 0.5 + torch.rand((2, size, size), generator=draw)
        laid = _lay_over(SimpleNamespace(elevation=elevation, gsd_m=10.0), power, azimuth, 38.0)
        for field in (laid, laid.transpose(1, 2)):
            steps, means = field.diff(dim=1).abs().mean((0, 2)), field.mean((0, 2))
            for border in (slice(None, 8), slice(-8, None)):
                assert float(steps[border].mean() / steps[16:-16].mean()) == pytest.approx(1, abs=0.15)
                assert float(means[border].mean() / means[16:-16].mean()) == pytest.approx(1, abs=0.15)
