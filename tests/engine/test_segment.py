"""Segmenting with a network whose answer is known: what is written equals what numpy computes at once."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scenes import reflectance_model, run, write_raster

ROOT = Path(__file__).resolve().parents[2]


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


def test_an_extent_sees_its_surroundings(tmp_path):
    """With a network that looks 10 pixels around, a cut-out equals the same part of the whole."""
    model = reflectance_model(tmp_path / "model")
    model.network.blur_px = 10
    raster = write_raster(tmp_path / "s.tif", reflectances(300, 310))
    _, _, whole = run(tmp_path, raster, model=model)
    model = reflectance_model(tmp_path / "model")
    model.network.blur_px = 10
    _, _, part = run(tmp_path, raster, model=model, extent=(501000, 5098000, 502000, 5099000))
    assert part.shape == (100, 100)
    assert np.abs(whole[100:200, 100:200].astype(int) - part).max() <= 1


def test_windows_meet_without_seams_where_the_network_sees_enough(tmp_path):
    """Blurred by 8 pixels everywhere, as if predicted in one piece."""
    scene = reflectances(1500, 1600)
    raster = write_raster(tmp_path / "s.tif", scene)
    model = reflectance_model(tmp_path / "model")
    model.network.blur_px = 8
    _, _, probability = run(tmp_path, raster, model=model)
    assert len(model.network.calls) >= 4
    total = np.cumsum(np.cumsum(np.pad(scene.astype(np.float64), ((1, 0), (1, 0))), axis=0), axis=1)
    rows = np.clip(np.stack([np.arange(1500) - 8, np.arange(1500) + 9]), 0, 1500)
    columns = np.clip(np.stack([np.arange(1600) - 8, np.arange(1600) + 9]), 0, 1600)
    box = (
        total[rows[1]][:, columns[1]] - total[rows[0]][:, columns[1]]
        - total[rows[1]][:, columns[0]] + total[rows[0]][:, columns[0]]
    )  # fmt: skip
    expected = box / np.outer(rows[1] - rows[0], columns[1] - columns[0])
    inner = np.s_[10:-10, 10:-10]
    assert np.abs(probability[inner] - expected[inner] * 100).max() <= 0.52


def test_windows_without_valid_pixels_are_not_predicted(tmp_path):
    scene = reflectances(1500, 1500)
    scene[:, :] = np.nan
    scene[1400:, 1400:] = 0.7
    model = reflectance_model(tmp_path / "model")
    result, mask, _ = run(tmp_path, write_raster(tmp_path / "s.tif", scene), model=model)
    assert sum(call[0] for call in model.network.calls) == 1
    assert (mask[1400:, 1400:] == 1).all() and (mask == 255).sum() == mask.size - 10_000
    assert result["share_assessed"] == pytest.approx(10_000 / mask.size, abs=1e-6)


def test_a_scene_without_a_valid_pixel_is_a_mask_of_255_and_a_warning(tmp_path):
    raster = write_raster(tmp_path / "s.tif", np.full((80, 90), np.nan, "f4"))
    result, mask, probability = run(tmp_path, raster)
    assert (mask == 255).all() and (probability == 255).all()
    assert result["share_assessed"] == 0 and result["hazard_area_m2"] == 0
    assert any("Nothing could be assessed" in text for text in result["warnings"])


@pytest.mark.parametrize("gsd", [0.5, 10.0, 60.0])
def test_nodata_is_kept_to_the_pixel_at_every_resolution(tmp_path, gsd):
    scene = reflectances(400, 420)
    scene[np.random.default_rng(4).random(scene.shape) < 0.2] = np.nan
    raster = write_raster(tmp_path / "s.tif", scene, geotransform=(5e5, gsd, 0, 5e6, 0, -gsd))
    _, mask, _ = run(tmp_path, raster)
    assert np.array_equal(mask == 255, np.isnan(scene))


@pytest.mark.parametrize(
    ("crs", "geotransform", "pixel_m2"),
    [
        ("EPSG:32632", (500000, 10, 0, 5000000, 0, -10), 100 / 0.9996**2),
        ("EPSG:2263", (984000, 30, 0, 200000, 0, -30), (30 * 0.3048006) ** 2),
        ("EPSG:3857", (1e6, 20, 0, 8399738 + 1000, 0, -20), 400 * 0.25 * 1.0017),
        ("EPSG:4326", (20, 0.0002, 0, 60.01, 0, -0.0001), 0.0002 * 55800.0 * 0.0001 * 111412.2),
    ],
)
def test_areas_are_those_on_the_ground(tmp_path, crs, geotransform, pixel_m2):
    scene = np.full((100, 100), 0.2, np.float32)
    scene[20:70, 30:60] = 0.8
    raster = write_raster(tmp_path / "s.tif", scene, crs=crs, geotransform=geotransform)
    result, mask, _ = run(tmp_path, raster)
    assert (mask == 1).sum() == 1500
    assert result["hazard_area_m2"] == pytest.approx(1500 * pixel_m2, rel=0.003)


def test_resampled_scenes_report_it_and_exact_ones_do_not(tmp_path):
    fine = write_raster(tmp_path / "f.tif", reflectances(60, 60), geotransform=(5e5, 0.5, 0, 5e6, 0, -0.5))
    plain = write_raster(tmp_path / "p.tif", reflectances(60, 60))
    assert any("outside the model's" in text for text in run(tmp_path, fine)[0]["warnings"])
    assert run(tmp_path, plain)[0]["warnings"] == []


@pytest.mark.parametrize("gsd", [1e-6, 0.001, 5000.0, 90_000.0])
def test_absurd_pixel_sizes_end_in_a_mask(tmp_path, gsd):
    scene = reflectances(70, 90)
    raster = write_raster(tmp_path / "s.tif", scene, geotransform=None, crs=None)
    _, mask, _ = run(tmp_path, raster, gsd_m=gsd)
    assert mask.shape == (70, 90) and (mask != 255).all()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_scenes_height(tmp_path):
    """Peak memory of two processes, one with five times the rows."""
    code = (
        "import resource, sys; sys.path[:0] = ['tests/engine']\n"
        "from pathlib import Path; from scenes import *\n"
        "run(Path(sys.argv[1]), sys.argv[2], probability=None)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    peaks = []
    for height in (1500, 7500):
        raster = write_raster(tmp_path / f"{height}.tif", np.full((height, 1500), 0.3, "f4"), options=["COMPRESS=LZW"])
        words = [sys.executable, "-c", code, str(tmp_path), raster]
        peaks.append(int(subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout))
    assert peaks[1] < 1.2 * peaks[0]
