"""Scores against counts made by hand and by numpy."""

import numpy as np
import pytest
from scenes import UTM_10M, write_raster

from engine.evaluate import evaluate
from engine.protocol import BadInput, EvaluateJob


def score(tmp_path, mask, reference, **how):
    job = {
        "mask": write_raster(tmp_path / "m.tif", np.asarray(mask, "u1")),
        "reference": write_raster(tmp_path / "r.tif", np.asarray(reference)),
        **how,
    }
    return evaluate(EvaluateJob(**job))


def test_counts_and_scores_are_those_made_by_hand(tmp_path):
    found = score(tmp_path, [[1, 1, 1, 0, 0, 0, 255, 1]], np.array([[1, 1, 0, 1, 0, 0, 1, 255]], "u1"))
    assert {key: found[key] for key in ("tp", "fp", "fn", "tn", "not_assessed")} == {
        "tp": 2, "fp": 1, "fn": 1, "tn": 2, "not_assessed": 1}  # fmt: skip
    assert found["precision"] == found["recall"] == pytest.approx(2 / 3)
    assert found["iou"] == pytest.approx(2 / 4)
    assert found["f1"] == pytest.approx(4 / 6)
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 2 / 3) / 2)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "f4", "f8"])
def test_large_rasters_are_counted_like_numpy(tmp_path, dtype):
    generator = np.random.default_rng(0)
    mask = generator.choice([0, 1, 255], (2100, 130), p=[0.5, 0.4, 0.1]).astype("u1")
    reference = generator.choice([0, 1, 2, 3, 255], (2100, 130)).astype(dtype)
    found = score(tmp_path, mask, reference, positive=(1, 2), ignore=(255, 3))
    judged = ~np.isin(reference, (255, 3))
    positive = np.isin(reference, (1, 2))
    assert found["not_assessed"] == (judged & (mask == 255)).sum()
    judged &= mask != 255
    assert found["tp"] == (judged & (mask == 1) & positive).sum()
    assert found["fp"] == (judged & (mask == 1) & ~positive).sum()
    assert found["fn"] == (judged & (mask == 0) & positive).sum()
    assert found["tn"] == (judged & (mask == 0) & ~positive).sum()


def test_what_cannot_be_said_is_null(tmp_path):
    dry = score(tmp_path, [[0, 0, 0]], np.zeros((1, 3), "u1"))
    assert [dry[key] for key in ("balanced_accuracy", "iou", "f1", "precision", "recall")] == [None] * 5
    assert dry["tn"] == 3
    flooded = score(tmp_path, [[1, 1, 0]], np.ones((1, 3), "u1"))
    assert flooded["balanced_accuracy"] is None and flooded["recall"] == pytest.approx(2 / 3)
    nothing = score(tmp_path, [[255, 255, 255]], np.ones((1, 3), "u1"))
    assert nothing["not_assessed"] == 3 and nothing["recall"] is None


def test_nan_in_a_reference_is_left_out(tmp_path):
    found = score(tmp_path, [[1, 1, 0]], np.array([[1, np.nan, 0]], "f4"))
    assert (found["tp"], found["fp"], found["tn"]) == (1, 0, 1)


def test_nothing_need_be_ignored(tmp_path):
    found = score(tmp_path, [[1, 0]], np.array([[255, 0]], "u1"), positive=(255,), ignore=())
    assert (found["tp"], found["tn"]) == (1, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"geotransform": (500010, 10, 0, 5100000, 0, -10)}, "different places"),
        ({"geotransform": (500000, 10.1, 0, 5100000, 0, -10)}, "different places"),
        ({"geotransform": (500000, 10, 0, 5100000, 0, 10)}, "different places"),
        ({"crs": "EPSG:32633"}, "UTM zone 33N"),
    ],
)
def test_grids_that_differ_are_refused(tmp_path, change, message):
    mask = write_raster(tmp_path / "m.tif", np.zeros((30, 40), "u1"))
    reference = write_raster(tmp_path / "r.tif", np.zeros((30, 40), "u1"), **{"geotransform": UTM_10M, **change})
    with pytest.raises(BadInput, match=message):
        evaluate(EvaluateJob(mask=mask, reference=reference))


def test_sizes_that_differ_are_refused(tmp_path):
    mask = write_raster(tmp_path / "m.tif", np.zeros((30, 40), "u1"))
    reference = write_raster(tmp_path / "r.tif", np.zeros((30, 41), "u1"))
    with pytest.raises(BadInput, match=r"40 x 30.*41 x 30"):
        evaluate(EvaluateJob(mask=mask, reference=reference))


def test_a_reference_without_georeference_needs_only_the_size(tmp_path):
    mask = write_raster(tmp_path / "m.tif", np.zeros((30, 40), "u1"))
    reference = write_raster(tmp_path / "r.tif", np.zeros((30, 40), "u1"), geotransform=None, crs=None)
    assert evaluate(EvaluateJob(mask=mask, reference=reference))["tn"] == 1200


def test_a_mask_of_other_values_is_refused(tmp_path):
    with pytest.raises(BadInput, match="holds 7"):
        score(tmp_path, [[0, 1, 7]], np.zeros((1, 3), "u1"))


def test_several_bands_and_complex_numbers_are_refused(tmp_path):
    mask = write_raster(tmp_path / "m.tif", np.zeros((3, 4), "u1"))
    several = write_raster(tmp_path / "s.tif", np.zeros((2, 3, 4), "u1"))
    numbers = write_raster(tmp_path / "c.tif", np.zeros((3, 4), "c8"))
    for reference, message in ((several, "2 bands"), (numbers, "complex")):
        with pytest.raises(BadInput, match=message):
            evaluate(EvaluateJob(mask=mask, reference=reference))
