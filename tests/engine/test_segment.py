"""Segmenting with a network whose answer is known: what is written equals what numpy computes at once."""

import numpy as np
import pytest
from scenes import run, write_raster


def reflectances(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.05, 0.95, (height, width)).astype(np.float32)


def percent(reflectance: np.ndarray) -> np.ndarray:
    return np.rint(reflectance * 100).astype(int)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (31, 33), (64, 64), (200, 100), (769, 800), (900, 1700)])
def test_every_pixel_gets_its_own_probability_whatever_the_size(tmp_path, size):
    scene = reflectances(*size)
    result, mask, probability = run(tmp_path, write_raster(tmp_path / "s.tif", scene))
    assert probability.shape == mask.shape == size
    assert np.abs(probability - scene * 100).max() <= 0.51
    assert (mask == (scene >= 0.5)).mean() > 0.9999
    assert result["share_assessed"] == 1
    assert result["hazard_area_m2"] == pytest.approx((mask == 1).sum() * 100, rel=0.002)


@pytest.mark.parametrize("gsd", [0.4, 1.0, 2.9])
def test_fine_scenes_are_averaged_and_interpolated_back(tmp_path, gsd):
    ramp = np.linspace(0.1, 0.9, 2000, dtype=np.float32)[None].repeat(700, 0)
    raster = write_raster(tmp_path / "s.tif", ramp, geotransform=(5e5, gsd, 0, 5e6, 0, -gsd))
    result, mask, probability = run(tmp_path, raster)
    assert probability.shape == ramp.shape
    assert np.abs(probability - ramp * 100).max() <= 1.0
    assert np.array_equal(mask[0], mask[350])
    if gsd < 2.8:
        assert any("outside the model's" in text for text in result["warnings"])


@pytest.mark.parametrize("gsd", [60.0, 100.0, 250.0, 1000.0])
@pytest.mark.parametrize("size", [(5, 7), (450, 431)])
def test_coarse_scenes_keep_every_pixel_its_own(tmp_path, gsd, size):
    scene = reflectances(*size)
    raster = write_raster(tmp_path / "s.tif", scene, geotransform=(5e5, gsd, 0, 5e6, 0, -gsd))
    _, _, probability = run(tmp_path, raster)
    assert np.abs(probability - scene * 100).max() <= 0.51


def test_pixels_finer_one_way_than_the_other_are_handled_by_axis(tmp_path):
    scene = reflectances(60, 90)
    raster = write_raster(tmp_path / "s.tif", scene, geotransform=(5e5, 10, 0, 5e6, 0, -100))
    _, _, probability = run(tmp_path, raster)
    assert np.abs(probability - scene * 100).max() <= 0.51
