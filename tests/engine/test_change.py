"""Two masks give hazard gained, lost and unchanged; where one says nothing, nothing is said."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from osgeo import gdal
from scenes import UTM_10M, read, write_raster

from engine.change import change
from engine.protocol import BadInput, ChangeJob, OutputFailed, ProvenanceJob
from engine.provenance import provenance

PIXEL_M2 = 100.0
EARLY = {"HAZARD": "flood", "HAZARD_MODEL": "unet", "HAZARD_SCENE_DATE": "2024-09-01", "HAZARD_THRESHOLD": "0.5"}
LATE = {**EARLY, "HAZARD_SCENE_DATE": "2024-09-16"}


@pytest.fixture
def out(tmp_path):
    return str(tmp_path / "change.tif")


def masks(height=50, width=70, seed=1):
    random = np.random.default_rng(seed)
    return (random.choice([0, 0, 1, 1, 2, 3, 255], (height, width)).astype(np.uint8) for _ in range(2))


def written(tmp_path, before, after, early=EARLY, late=LATE, **how):
    return (
        write_raster(tmp_path / "before.tif", before, tags=early, **how),
        write_raster(tmp_path / "after.tif", after, tags=late),
    )


def truth(before, after):
    """Pixel by pixel, in words."""
    codes = np.zeros(after.shape, np.uint8)
    for index in np.ndindex(after.shape):
        was, now = before[index], after[index]
        if 255 in (was, now):
            codes[index] = 255
        elif now == 1:
            codes[index] = 3 if was == 1 else 1
        elif was == 1:
            codes[index] = 2
    return codes


def test_each_pixel_is_gained_lost_unchanged_or_not_assessed(tmp_path, out):
    before, after = masks()
    result = change(ChangeJob(*written(tmp_path, before, after), out))
    expected = truth(before, after)
    assert np.array_equal(read(out), expected)
    for name, code in (("gained_m2", 1), ("lost_m2", 2), ("unchanged_m2", 3), ("not_assessed_m2", 255)):
        assert result[name] == pytest.approx((expected == code).sum() * PIXEL_M2, rel=2e-3)
    assert result["share_assessed"] == pytest.approx((expected != 255).mean(), abs=1e-5)
    assert result["warnings"] == [] and result["before_date"] == "2024-09-01"


def test_the_earlier_mask_is_read_under_the_later_ones_pixels(tmp_path, out):
    before, after = masks()
    shifted = (UTM_10M[0] - 200, 10.0, 0.0, UTM_10M[3] + 100, 0.0, -10.0)
    result = change(ChangeJob(*written(tmp_path, before, after, geotransform=shifted), out))
    moved = np.full(after.shape, 255, np.uint8)
    moved[: 50 - 10, : 70 - 20] = before[10:, 20:]
    assert np.array_equal(read(out), truth(moved, after))
    assert result["share_assessed"] < 0.6


def test_another_resolution_and_direction_are_met_and_told(tmp_path, out):
    before, after = masks()
    coarse = before[:10, :14]
    upward = (UTM_10M[0], 50.0, 0.0, UTM_10M[3] - 500.0, 0.0, 50.0)
    result = change(ChangeJob(*written(tmp_path, coarse[::-1], after, geotransform=upward), out))
    assert np.array_equal(read(out), truth(np.kron(coarse, np.ones((5, 5), np.uint8)), after))
    assert any("50 m" in warning for warning in result["warnings"])


def test_another_crs_is_met(tmp_path, out):
    full = np.ones((200, 200), np.uint8)
    geotransform = (8.99, 0.0001, 0.0, 46.06, 0.0, -0.0001)
    paths = (
        write_raster(tmp_path / "b.tif", full, crs="EPSG:4326", geotransform=geotransform),
        write_raster(tmp_path / "a.tif", np.ones((30, 30), np.uint8)),
    )
    change(ChangeJob(*paths, out))
    found = read(out)
    assert (found[found != 255] == 3).all() and (found != 255).any()


def test_tags_tell_of_both_masks_and_provenance_knows_a_change(tmp_path, out):
    before, after = written(tmp_path, *masks())
    change(ChangeJob(before, after, out))
    tags = gdal.Open(out).GetMetadata()
    assert (tags["HAZARD"], tags["HAZARD_BEFORE"], tags["HAZARD_AFTER"]) == ("flood", "before.tif", "after.tif")
    assert (tags["HAZARD_BEFORE_SCENE_DATE"], tags["HAZARD_AFTER_SCENE_DATE"]) == ("2024-09-01", "2024-09-16")
    assert json.loads(tags["HAZARD_CHANGE_JOB"])["before"] == before and len(tags["HAZARD_BEFORE_SHA256"]) == 64
    assert provenance(ProvenanceJob(out))["kind"] == "change" and (tmp_path / "change.qml").exists()


@pytest.mark.parametrize(
    ("early", "words"),
    [
        ({"HAZARD_SCENE_DATE": "2024-10-01"}, "swapped"),
        ({"HAZARD": "landslide"}, "two hazards"),
        ({"HAZARD_MODEL": "other"}, "different models"),
        ({"HAZARD_THRESHOLD": "0.3"}, "different thresholds"),
        ({"HAZARD_REFINED": "{}"}, "refined"),
    ],
)
def test_what_makes_a_comparison_doubtful_is_said(tmp_path, out, early, words):
    result = change(ChangeJob(*written(tmp_path, *masks(), early={**EARLY, **early}), out))
    assert len(result["warnings"]) == 1 and words in result["warnings"][0]


def test_a_change_a_probability_and_masks_elsewhere_are_refused(tmp_path, out):
    before, after = written(tmp_path, *masks())
    change(ChangeJob(before, after, out))
    probability = write_raster(tmp_path / "p.tif", np.zeros((50, 70), np.uint8), tags=LATE, names=["Flood probability"])
    far = write_raster(
        tmp_path / "far.tif", np.zeros((5, 5), np.uint8), geotransform=(900000.0, 10, 0, 5100000.0, 0, -10)
    )
    plain = write_raster(tmp_path / "plain.tif", np.zeros((5, 5), np.uint8), crs=None, geotransform=None)
    files = sorted(os.listdir(tmp_path))
    for wrong, words in ((out, "change between"), (probability, "probability"), (far, "overlap"), (plain, "georef")):
        with pytest.raises(BadInput, match=words):
            change(ChangeJob(wrong, after, str(tmp_path / "new.tif")))
    with pytest.raises(OutputFailed, match="exists"):
        change(ChangeJob(before, after, out))
    assert sorted(os.listdir(tmp_path)) == files


def test_the_command_line_compares(tmp_path, out):
    before, after = written(tmp_path, *masks())
    words = [sys.executable, "-m", "engine", "change", "--before", before, "--after", after, "--out", out]
    told = subprocess.run([*words, "--json"], capture_output=True, text=True, check=True).stdout
    assert json.loads(told)["change"] == out
    assert "gained_m2" in subprocess.run([*words, "--overwrite"], capture_output=True, text=True, check=True).stdout


def test_areas_of_a_change_are_counted_again_from_its_pixels(tmp_path, out):
    before, after = masks()
    change(ChangeJob(*written(tmp_path, before, after), out))
    expected = truth(before, after)
    found = provenance(ProvenanceJob(out))
    assert found["kind"] == "change" and found["hazard_area_m2"] is None
    for name, code in (("gained", 1), ("lost", 2), ("unchanged", 3)):
        assert found["change_areas_m2"][name] == pytest.approx((expected == code).sum() * PIXEL_M2, rel=2e-3)
    assert found["share_assessed"] == pytest.approx((expected != 255).mean(), abs=1e-5)
