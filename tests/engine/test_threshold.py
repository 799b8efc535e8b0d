"""A mask of new floods cut anew keeps the run's water on both dates, and takes it from no other file."""

import json
import subprocess
import sys

import numpy as np
import pytest
from osgeo import gdal
from scenes import read, write_raster

from engine.layers import STYLES
from engine.protocol import BadInput, ProvenanceJob, ThresholdJob
from engine.provenance import provenance
from engine.raster import MASK, MaskPair
from engine.raster.tagged import TaggedRaster
from engine.threshold import threshold

RUN = {
    "HAZARD": "flood",
    "HAZARD_JOB": '{"raster": "later.tif", "before": "earlier.tif"}',
    "HAZARD_TIME": "2024-09-16T10:00:00+00:00",
    "HAZARD_THRESHOLD": "0.5",
    "HAZARD_QUESTION": "new since the scene before",
    "HAZARD_BEFORE": "earlier.tif",
    "HAZARD_VALUES": "0 none, 1 new, 2 water on both dates, 255 not assessed (probability: per cent)",
}
NEW, UNSURE, LAKE, SHORE, HIDDEN = (slice(start, start + 8) for start in (0, 8, 16, 24, 32))
"""Rows of 80 %, of 40 %, of a lake (5 %), of its shore (35 %; both water on both dates), and not assessed ones."""


def percents():
    percent = np.zeros((48, 60), "u1")
    for rows, value in ((NEW, 80), (UNSURE, 40), (LAKE, 5), (SHORE, 35), (HIDDEN, 255)):
        percent[rows] = value
    return percent


def run_codes():
    codes = np.where(percents() == 255, 255, percents() >= 50).astype("u1")
    codes[LAKE] = codes[SHORE] = 2
    return codes


@pytest.fixture
def run(tmp_path):
    """Mask and probability as a run wrote them."""
    return (
        write_raster(tmp_path / "mask.tif", run_codes(), tags=RUN),
        write_raster(tmp_path / "probability.tif", percents(), tags=RUN, names=["Flood probability (%)"]),
    )


def cut(run, at, name="cut.tif", **changes):
    mask, probability = run
    out = mask.replace("mask.tif", name)
    return threshold(ThresholdJob(probability, out, at, **{"run_mask": mask, **changes})), read(out)


@pytest.mark.parametrize(
    ("at", "new", "water"),
    [(0.5, [NEW], [LAKE, SHORE]), (0.3, [NEW, UNSURE, SHORE], [LAKE]), (0.9, [], [LAKE, SHORE])],
)
def test_water_on_both_dates_stays_where_the_new_threshold_does_not_call_it_new(run, at, new, water):
    found, codes = cut(run, at)
    expected = np.zeros((48, 60), "u1")
    expected[HIDDEN] = 255
    for rows in water:
        expected[rows] = 2
    for rows in new:
        expected[rows] = 1
    assert np.array_equal(codes, expected)
    assert found["permanent_area_m2"] == pytest.approx((expected == 2).sum() * 100, rel=2e-3)
    assert found["hazard_area_m2"] == pytest.approx((expected == 1).sum() * 100, rel=2e-3)
    assert found["share_assessed"] == pytest.approx(40 / 48, abs=1e-6)


def test_the_mask_says_what_its_water_goes_by_and_looks_like_that_of_a_run(run, tmp_path):
    found, _ = cut(run, 0.3)
    written = gdal.Open(found["mask"])
    tags = written.GetMetadata()
    assert "2 water on both dates" in tags["HAZARD_VALUES"]
    assert (tags["HAZARD_THRESHOLD"], tags["HAZARD_RUN_THRESHOLD"]) == ("0.3", "0.5")
    assert written.GetRasterBand(1).GetColorTable().GetColorEntry(2)[3] == 255
    assert "Water on both dates" in (tmp_path / "cut.qml").read_text("utf-8")
    told = provenance(ProvenanceJob(found["mask"]))
    assert told["permanent_area_m2"] == found["permanent_area_m2"]
    assert told["steps"][-1]["job"]["run_mask"] == run[0]


def test_without_the_run_s_mask_water_is_not_told_apart(run, tmp_path):
    found, codes = cut(run, 0.3, run_mask=None)
    assert set(np.unique(codes).tolist()) == {0, 1, 255} and found["permanent_area_m2"] is None
    tags = gdal.Open(found["mask"]).GetMetadata()
    assert tags["HAZARD_VALUES"] == "0 not new, 1 new, 255 not assessed" and "HAZARD_RUN_THRESHOLD" not in tags
    assert provenance(ProvenanceJob(found["mask"]))["permanent_area_m2"] is None
    style = (tmp_path / "cut.qml").read_text("utf-8")
    assert "New flood" in style and style == (STYLES / "new_flood.qml").read_text("utf-8")


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"HAZARD_TIME": "2024-09-17T10:00:00+00:00"}, "are not of one run; give the mask that was written together"),
        ({"HAZARD_JOB": "{}"}, "are not of one run"),
        ({"HAZARD_BEFORE": ""}, "does not tell water on both dates apart: .* leave the run's mask out"),
        ({"HAZARD": "landslide"}, "only masks of floods"),
        ({"HAZARD_STEPS": json.dumps([{"kind": "refine", "job": {}}])}, r"\(since then: refine\); give the mask of"),
        ({"HAZARD_CHANGE_JOB": "{}"}, "shows the change between two masks"),
    ],
)
def test_a_mask_that_is_not_the_run_s_own_is_refused_and_nothing_written(run, tmp_path, tags, words):
    other = write_raster(tmp_path / "other.tif", run_codes(), tags={**RUN, **tags})
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BadInput, match=words):
        cut(run, 0.3, run_mask=other)
    assert sorted(tmp_path.iterdir()) == before


def test_a_mask_of_another_grid_or_with_other_values_is_refused(run, tmp_path):
    smaller = write_raster(tmp_path / "smaller.tif", run_codes()[:40], tags=RUN)
    with pytest.raises(BadInput, match=r"60 x 48 pixels, 'smaller\.tif' 60 x 40; give the mask of the same run"):
        cut(run, 0.3, run_mask=smaller)
    strange = write_raster(tmp_path / "strange.tif", run_codes() * 7 % 100, tags=RUN)
    with pytest.raises(BadInput, match=r"'strange\.tif' holds"):
        cut(run, 0.3, run_mask=strange)
    with pytest.raises(BadInput, match="is a probability"):
        cut(run, 0.3, run_mask=run[1])
    assert not (tmp_path / "cut.tif").exists()
    with pytest.raises(BadInput, match="would replace its own input"):
        ThresholdJob(run[1], run[0], 0.3, run_mask=run[0])


def test_a_mask_is_not_taken_for_a_probability(run, tmp_path):
    """Its codes would be per cent: an empty mask without a word."""
    from engine.polygons import polygons
    from engine.protocol import PolygonsJob, ZonesJob
    from engine.zones import zones

    mask = write_raster(tmp_path / "named.tif", run_codes(), tags=RUN, names=["Flood"])
    for job, carry_out in (
        (ThresholdJob(mask, str(tmp_path / "cut.tif"), 0.5), threshold),
        (PolygonsJob(run[0], str(tmp_path / "p.gpkg"), probability=mask), polygons),
        (ZonesJob(run[0], str(tmp_path / "z.gpkg"), probability=mask), zones),
    ):
        with pytest.raises(BadInput, match=r"'named\.tif' is no probability but 'Flood'; choose the prob"):
            carry_out(job)
    assert not list(tmp_path.glob("*.gpkg")) and not (tmp_path / "cut.tif").exists()


def test_a_mask_cut_before_is_no_longer_the_run_s_own(run):
    cut(run, 0.3)
    with pytest.raises(BadInput, match=r"since then: threshold\); give the mask of the run itself"):
        cut(run, 0.6, "again.tif", run_mask=run[0].replace("mask.tif", "cut.tif"))


def test_mask_and_probability_of_one_run_share_the_tags_that_link_them(tmp_path, run):
    """As the run publishes them: one set of tags for both files."""
    with TaggedRaster(run[1]) as probability:
        grid = probability.grid
    from engine.layers import mask_layer, probability_layer

    files = [str(tmp_path / name) for name in ("m.tif", "p.tif")]
    layers = {MASK: mask_layer(files[0], "flood"), "probability": probability_layer(files[1], "flood")}
    with MaskPair(layers, grid, "job") as pair:
        pair.write(MASK, run_codes())
        pair.write("probability", percents())
        pair.publish(RUN, lambda share: None, overwrite=False)
    found = threshold(ThresholdJob(files[1], str(tmp_path / "t.tif"), 0.3, run_mask=files[0]))
    assert (read(found["mask"])[LAKE] == 2).all()


def test_the_command_takes_the_run_s_mask(run, tmp_path):
    words = ("threshold", "--probability", run[1], "--threshold", "0.3", "--run-mask", run[0], "--json")
    done = subprocess.run(
        [sys.executable, "-m", "engine", *words, "--mask", str(tmp_path / "t.tif")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["permanent_area_m2"] == pytest.approx(8 * 60 * 100, rel=2e-3)
