"""Between grids: means and interpolation in portions equal what numpy computes from the whole at once."""

import math

import numpy as np
import pytest
from scenes import write_raster

from engine.protocol import SceneJob
from engine.raster import Scene, Window
from engine.resampling import Factor, ModelGrid, RowsToScene, choose_factor

FACTORS = [Factor(), Factor(down=2), Factor(down=3), Factor(down=7), Factor(down=58), Factor(up=2), Factor(up=3),
           Factor(up=16)]  # fmt: skip


def interpolate(model, factor, length):
    """Values along the first axis of ``model`` at the centres of scene pixels, by numpy's own interpolation."""
    if factor.up > 1:
        return model.reshape(length, factor.up, *model.shape[1:]).mean(axis=1)
    position = (np.arange(length) + 0.5) / factor.down - 0.5
    centres = np.arange(len(model))
    return np.stack([np.interp(position, centres, column) for column in model.T], axis=1)


@pytest.mark.parametrize("down", FACTORS)
@pytest.mark.parametrize("across", [Factor(), Factor(down=3), Factor(up=2)])
@pytest.mark.parametrize("portion", [1, 5, 64, 10_000])
def test_rows_in_portions_equal_all_rows_at_once(across, down, portion):
    covered = Window(0, 0, 41, 131)
    grid = ModelGrid(covered, across, down)
    model = np.random.default_rng(0).random((grid.height, grid.width)).astype(np.float32)
    expected = interpolate(interpolate(model, down, covered.height).T, across, covered.width).T
    back, rows, after = RowsToScene(grid), [], 0
    for top in range(0, grid.height, portion):
        part = model[top : top + portion]
        for first, values in back.push(part, last=top + portion >= grid.height):
            assert first == after
            after += len(values)
            rows.append(values)
    assert np.allclose(np.concatenate(rows), expected, atol=1e-5)


@pytest.mark.parametrize("factor", [Factor(), Factor(down=2), Factor(down=5), Factor(up=2), Factor(up=3)])
@pytest.mark.parametrize("window", [(0, 0, 20, 20), (3, 5, 10, 11), (7, 1, 6, 9)])
def test_windows_of_the_model_grid_are_means_over_valid_pixels(tmp_path, factor, window):
    scene_values = np.random.default_rng(1).uniform(0.1, 0.9, (2, 150, 130)).astype(np.float32)
    holes = np.random.default_rng(2).random((150, 130)) < 0.4
    scene_values[:, holes] = np.nan
    covered = Window(4, 6, 121, 139)
    path = write_raster(tmp_path / "s.tif", scene_values, names=["green", "nir"])
    grid = ModelGrid(covered, factor, factor)
    part = scene_values[:, 6 : 6 + 139, 4 : 4 + 121]
    expected = np.full((2, grid.height, grid.width), np.nan)
    for row in range(window[1], window[1] + window[3]):
        for column in range(window[0], window[0] + window[2]):
            y, x = row // factor.up * factor.down, column // factor.up * factor.down
            cell = part[:, y : y + factor.down, x : x + factor.down].reshape(2, -1)
            if np.isfinite(cell).any():
                expected[:, row, column] = np.nanmean(cell, axis=1)
    x, y, width, height = window
    with Scene(SceneJob(raster=path)) as scene:
        values, valid = grid.read(scene, scene.understand(), Window(x, y, width, height), (32, 32))
    wanted = expected[:, y : y + height, x : x + width]
    assert values.shape == (2, 32, 32)
    assert np.array_equal(valid[:height, :width], np.isfinite(wanted[0]))
    assert np.allclose(np.where(valid, values, 0)[:, :height, :width], np.nan_to_num(wanted), atol=1e-5)
    assert not valid[height:].any() and not valid[:, width:].any()


def test_large_factors_are_read_in_small_parts(tmp_path, monkeypatch):
    import engine.resampling

    values = np.random.default_rng(1).uniform(0.1, 0.9, (300, 200)).astype(np.float32)
    path = write_raster(tmp_path / "s.tif", values, names=["green"])
    grid = ModelGrid(Window(0, 0, 200, 300), Factor(down=10), Factor(down=10))
    with Scene(SceneJob(raster=path)) as scene:
        whole, _ = grid.read(scene, scene.understand(), Window(0, 0, 20, 30), (30, 20))
        monkeypatch.setattr(engine.resampling, "CHUNK_PX", 1000)
        parts, _ = grid.read(scene, scene.understand(), Window(0, 0, 20, 30), (30, 20))
    assert np.allclose(whole[0], values.reshape(30, 10, 20, 10).mean(axis=(1, 3)), atol=1e-6)
    assert np.allclose(whole, parts, atol=1e-6)


def test_portions_of_wide_scenes_stay_small():
    grid = ModelGrid(Window(0, 0, 200_000, 400), Factor(down=100), Factor(down=100))
    back = RowsToScene(grid)
    portions = [rows.shape for _, rows in back.push(np.zeros((4, 2000), np.float32), last=False)]
    assert portions and max(rows * columns for rows, columns in portions) <= 8_000_000


@pytest.mark.parametrize("gsd", [1e-300, 1e-12, 0.0001, 0.05, 0.5, 2.7, 3, 10, 30, 31, 32, 60, 250, 1e5])
def test_factors_bring_any_pixel_size_as_near_as_they_may(gsd):
    factor = choose_factor(gsd, 3.0, 30.0)
    seen = gsd * factor.down / factor.up
    assert factor.down == 1 or factor.up == 1
    assert factor.down <= 100_000 and factor.up <= 8
    if gsd > 300:
        assert factor.exact  # finer pixels would only cost time
    if 0.001 < gsd < 250:
        assert 3.0 / 1.06 <= seen <= 30.0 * 1.06
        if not factor.exact:
            assert not 3.0 / 1.04 <= gsd <= 30.0 * 1.04
    assert math.isfinite(seen)
