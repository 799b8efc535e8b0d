"""Simulated place, date, sun, sensor and terrain agree with each other and with what is known of them."""

import math

import numpy as np
import pytest
import torch

from engine.protocol import OPTICAL_SLOTS, SAR_SLOTS, SENSORS
from engine.simulate import HAZARDS, compose_scene, seen_labels
from engine.simulate.covers import INDEX, reflectance_table
from engine.simulate.fields import Draw, shifted
from engine.simulate.land import build_land
from engine.simulate.sensors import BANDS_UM, response
from engine.simulate.setting import LATITUDES, LOWEST_SUN, draw_setting, sun_position
from engine.simulate.surface import LandRecipe, is_one_of
from engine.simulate.terrain import SLOPES, build_terrain


@pytest.mark.parametrize(
    ("latitude", "day", "hour", "elevation"),
    [(0.0, 80.5, 12.0, 90.0), (23.45, 172, 12.0, 90.0), (50.0, 355, 12.0, 16.55), (66.55, 172, 0.0, 0.0)],
)
def test_the_sun_stands_where_astronomy_puts_it(latitude, day, hour, elevation):
    assert math.degrees(sun_position(latitude, day, hour)[0]) == pytest.approx(elevation, abs=0.6)


def test_the_morning_sun_is_in_the_east_and_the_southern_one_in_the_north():
    assert 90 < math.degrees(sun_position(45, 172, 9.0)[1]) < 180
    assert math.degrees(sun_position(45, 80, 12.0)[1]) == pytest.approx(180, abs=1)
    assert math.degrees(sun_position(-45, 80, 12.0)[1]) % 360 == pytest.approx(0, abs=1)


def test_settings_have_a_sun_and_a_latitude_of_their_climate():
    for seed in range(60):
        setting = draw_setting(Draw(seed, 8), "hills", 10.0, green=False)
        nearest, farthest = LATITUDES[setting.climate]
        assert nearest <= abs(setting.latitude) <= farthest
        assert setting.sun_elevation >= LOWEST_SUN
        assert setting.sensor in SENSORS
        assert np.hypot(*setting.to_sun) == pytest.approx(1)
        told, known = setting.characteristics(setting.sensor).encode()
        assert known.min() == 1
        assert told[2] == pytest.approx(math.sin(math.radians(setting.latitude)), abs=1e-5)


def test_summer_is_in_june_north_and_in_december_south_of_the_equator():
    for seed in range(80):
        setting = draw_setting(Draw(seed, 8), "mountains", 10.0, green=False)
        if abs(setting.latitude) > 30 and 175 < setting.day_of_year < 235:
            assert (setting.warmth > 0.5) == (setting.latitude > 0)


@pytest.mark.parametrize("sensor", sorted(BANDS_UM))
def test_a_sensor_sees_a_flat_spectrum_as_it_is_and_the_shortwave_apart_from_the_visible(sensor):
    weights = response(sensor)
    assert torch.allclose(weights.sum(1), torch.ones(7), atol=1e-5)
    assert weights.min() >= 0
    assert weights[5, :4].sum() == 0
    assert weights[:4, 4:].sum() == 0  # the red edge does not leak into red


def test_sensors_differ_a_little_on_plants():
    grass = reflectance_table()[INDEX["grass"]]
    seen = [response(sensor) @ grass for sensor in ("landsat-8", "landsat-7", "sentinel-2-l2a")]
    for other in seen[1:]:
        difference = float((other - seen[0]).abs().max())
        assert 0.001 < difference < 0.03


@pytest.mark.parametrize("country", sorted(SLOPES))
def test_terrain_is_as_steep_as_its_country_and_floods_from_its_rivers(country):
    for seed in range(4):
        terrain = build_terrain(Draw(seed, 96), country, 10.0)
        slope = float(torch.sqrt(terrain.across**2 + terrain.down**2).mean())
        low, high = SLOPES[country]
        assert low * 0.9 <= slope <= high * 1.1
        near = terrain.river_px < 3
        if near.any() and not near.all():
            assert terrain.above_drainage[near].mean() < terrain.above_drainage[~near].mean()
        assert terrain.river_px.min() >= 0


def test_a_radar_sees_water_under_cloud_and_a_camera_does_not():
    found = 0
    for seed in range(40):
        scene = compose_scene(seed, 96, "flood", 10.0)
        hidden = (scene.cloud > 0.6) & (scene.labels[0] == 1)
        if hidden.sum() > 30:
            found += 1
            assert (seen_labels(scene, SAR_SLOTS)[0][hidden] == 1).all()
            assert (seen_labels(scene, OPTICAL_SLOTS)[0][hidden] == 0).all()
    assert found > 2


def test_a_radar_alone_is_not_asked_for_landslides():
    scene = compose_scene(3, 96, "landslide", 10.0)
    slid = scene.labels[HAZARDS.index("landslide")] == 1
    assert slid.any()
    assert (seen_labels(scene, SAR_SLOTS)[1][slid] == 255).all()
    assert (seen_labels(scene, OPTICAL_SLOTS + SAR_SLOTS)[1][slid] == 1).all()


def test_collapses_leave_a_lobe_on_low_ground_and_dust_around_it():
    lower = []
    for seed in range(12):
        scene = compose_scene(seed, 128, "glacier_collapse", 10.0)
        covered = scene.labels[2] == 1
        assert covered.float().mean() < 0.7
        lower.append(bool(covered.any()))
    assert np.mean(lower) > 0.8


def test_belts_put_rock_above_forest():
    above = []
    for seed in range(8):
        draw = Draw(seed, 128)
        setting = draw_setting(draw, "mountains", 10.0, False)
        land = build_land(draw, LandRecipe("mountains", 10.0, setting, belts=True))
        forest = is_one_of(land, ("conifer", "broadleaf", "leafless"))
        rock = is_one_of(land, ("rock_bright", "rock_dark", "gravel", "moraine"))
        if forest.sum() > 200 and rock.sum() > 200:
            above.append(bool(land.elevation[rock].median() > land.elevation[forest].median()))
    assert len(above) >= 4
    assert np.mean(above) > 0.8


def test_what_is_shifted_in_is_empty_where_asked():
    field = torch.ones((8, 8))
    moved = shifted(field, 3, -2, outside=0.0)
    assert moved[:, :3].sum() == 0
    assert moved[-2:].sum() == 0
    assert moved[:-2, 3:].min() == 1
