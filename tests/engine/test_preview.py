"""The first estimate and its refinement, against block means and against the finished mask."""

import json
import os
import threading

import numpy as np
import pytest
from osgeo import gdal
from scenes import UTM_10M, read, run, write_raster

from engine import preview
from engine.layers import WATER_COLOUR
from engine.partial import keep
from engine.pipeline import OVERLAP_PX, WINDOW_PX
from engine.protocol import BadInput, Cancelled, KeepJob, SegmentJob
from engine.reporting import Report
from engine.windows import spread_over

SIDE = 1500
FACTOR = 8
"""ceil(sqrt(50)): one estimated pixel for 50 of the run, at least."""
COARSE = 187
"""Whole estimated pixels on a side."""


@pytest.fixture(scope="module")
def scene():
    """Smooth fields with fine texture, and a corner without values."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    random = np.random.default_rng(3).normal(0, 0.05, (SIDE, SIDE))
    values = np.clip(0.5 + 0.4 * np.sin(x / 130) * np.cos(y / 90) + random, 0.02, 0.98).astype(np.float32)
    values[:304, :240] = np.nan  # whole estimated pixels
    return values


@pytest.fixture
def raster(scene, tmp_path):
    return write_raster(tmp_path / "s.tif", scene)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "preview"
    made.mkdir()
    return made


class Shown:
    """Everything that is shown during a run; may cancel it."""

    def __init__(self, cancel_after: int | None = None) -> None:
        self.cancelled = threading.Event()
        self.events: list = []
        self.masks: list = []
        self.logged: list = []
        self._cancel_after = cancel_after
        self.report = Report(
            on_log=lambda level, text: self.logged.append(text), cancelled=self.cancelled, on_preview=self._show
        )

    def _show(self, values: dict) -> None:
        self.events.append(dict(values))
        self.masks.append(read(values["file"]))
        if len(self.events) == self._cancel_after:
            self.cancelled.set()


def block_means(values: np.ndarray, factor: int) -> np.ndarray:
    """Means over valid pixels of squares; NaN where there is none."""
    height, width = (size // factor * factor for size in values.shape)
    squares = values[:height, :width].reshape(height // factor, factor, width // factor, factor)
    there = ~np.isnan(squares)
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(squares.astype(np.float64)).sum(axis=(1, 3)) / there.sum(axis=(1, 3))


def codes(probability: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    return np.where(np.isnan(probability), 255, probability >= threshold).astype(int)


def test_the_estimate_is_the_model_on_means_of_pixels(tmp_path, scene, raster, folder):
    shown = Shown()
    run(tmp_path, raster, report=shown.report, preview=str(folder))
    expected = codes(block_means(scene, FACTOR))
    assert shown.masks[0].shape == expected.shape == (COARSE, COARSE)
    assert (shown.masks[0] != expected).mean() < 0.001
    assert np.array_equal(shown.masks[0] == 255, expected == 255)
    assert shown.events[0]["pixel_m"] == pytest.approx(10 * FACTOR, rel=1e-3)
    assert shown.events[0]["refined"] == 0


def test_the_estimate_lies_on_its_scene(tmp_path, raster, folder):
    run(tmp_path, raster, report=(shown := Shown()).report, preview=str(folder))
    opened = gdal.Open(shown.events[0]["file"])
    assert opened.GetGeoTransform() == (UTM_10M[0], 80.0, 0.0, UTM_10M[3], 0.0, -80.0)
    assert opened.GetSpatialRef().IsSame(gdal.Open(raster).GetSpatialRef())
    assert opened.GetRasterBand(1).GetNoDataValue() == 255


def test_only_what_is_in_view_is_estimated_and_as_finely_as_time_allows(tmp_path, scene, raster, folder):
    shown = Shown()
    view = (UTM_10M[0] + 6000, UTM_10M[3] - 8400, UTM_10M[0] + 9000, UTM_10M[3] - 7000)
    run(tmp_path, raster, report=shown.report, preview=str(folder), preview_extent=view)
    part = scene[700:840, 600:900]
    assert shown.masks[0].shape == part.shape
    assert (shown.masks[0] != codes(part)).mean() < 0.001


def test_a_view_beside_the_scene_estimates_all_of_it(tmp_path, raster, folder):
    shown = Shown()
    run(tmp_path, raster, report=shown.report, preview=str(folder), preview_extent=(0, 0, 10, 10))
    assert shown.masks[0].shape == (COARSE, COARSE)


def test_finished_rows_take_the_place_of_the_estimate(tmp_path, raster, folder, monkeypatch):
    monkeypatch.setattr(preview, "EVERY_S", 0.0)
    shown = Shown()
    _, mask, _ = run(tmp_path, raster, report=shown.report, preview=str(folder))
    final = mask[FACTOR // 2 :: FACTOR, FACTOR // 2 :: FACTOR]
    assert len(shown.masks) >= 3
    shares = [event["refined"] for event in shown.events]
    assert shares[0] == 0 and shares == sorted(shares) and shares[-1] == 1
    for share, seen in zip(shares, shown.masks, strict=True):
        rows = round(share * COARSE)
        assert np.array_equal(seen[:rows], final[:rows])
        assert np.array_equal(seen[rows:], shown.masks[0][rows:])


def test_a_run_that_is_as_quick_as_an_estimate_has_none(tmp_path, folder):
    shown = Shown()
    run(
        tmp_path,
        write_raster(tmp_path / "q.tif", np.full((900, 900), 0.4, "f4")),
        report=shown.report,
        preview=str(folder),
    )
    assert shown.events == [] and os.listdir(folder) == []


def test_without_being_asked_nothing_is_shown_and_the_mask_is_the_same(tmp_path, raster, folder):
    shown = Shown()
    first, mask, _ = run(tmp_path, raster, report=shown.report)
    second, same, _ = run(tmp_path, raster, preview=str(folder))
    assert shown.events == []
    assert np.array_equal(mask, same)
    timed = ("seconds",)
    assert {k: v for k, v in first.items() if k not in timed} == {k: v for k, v in second.items() if k not in timed}


def test_polygons_limit_the_estimate(tmp_path, raster, folder):
    x, y = UTM_10M[0] + 3200, UTM_10M[3] - 3200
    ring = [[x, y], [x + 6400, y], [x + 6400, y - 6400], [x, y - 6400], [x, y]]
    area = tmp_path / "area.geojson"
    area.write_text(
        json.dumps(
            {
                "type": "FeatureCollection",
                "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}},
                "features": [
                    {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
                ],
            }
        )
    )
    shown = Shown()
    run(tmp_path, raster, report=shown.report, preview=str(folder), area=str(area))
    assessed = shown.masks[0] != 255
    assert assessed[40:120, 40:120].all() and assessed.sum() == 80 * 80


def test_overviews_are_read_where_there_are_some(tmp_path, scene, folder):
    path = write_raster(tmp_path / "o.tif", np.nan_to_num(scene, nan=0.3))
    opened = gdal.Open(path, gdal.GA_Update)
    opened.BuildOverviews("AVERAGE", [2, 4])
    opened.GetRasterBand(1).GetOverview(1).Fill(0.9)  # told apart from what the full resolution says
    opened = None
    shown = Shown()
    run(tmp_path, path, report=shown.report, preview=str(folder))
    assert (shown.masks[0] == 1).all()


def test_without_overviews_the_middle_of_a_large_view_is_estimated_first(tmp_path, scene, raster, folder, monkeypatch):
    monkeypatch.setattr(preview, "MOST_BYTES", SIDE * SIDE * 4 // 4)
    shown = Shown()
    run(tmp_path, raster, report=shown.report, preview=str(folder))
    seen = shown.masks[0]
    expected = codes(block_means(scene, FACTOR))[47:140, 47:140]
    assert (seen[47:140, 47:140] != expected).mean() < 0.001
    assert (seen[:47] == 255).all() and (seen[:, 140:] == 255).all()


def test_a_folder_that_cannot_be_written_costs_the_estimate_but_not_the_run(tmp_path, raster, folder, monkeypatch):
    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(preview, "write_small_mask", full)
    shown = Shown()
    result, mask, _ = run(tmp_path, raster, report=shown.report, preview=str(folder))
    assert result["share_assessed"] > 0.9 and mask.shape == (SIDE, SIDE)
    assert any("disk full" in text and "goes on" in text for text in shown.logged)


def test_a_folder_that_is_not_there_is_refused(tmp_path, raster):
    with pytest.raises(BadInput, match="does not exist"):
        run(tmp_path, raster, preview=str(tmp_path / "none"))


@pytest.mark.parametrize("making", [{"geotransform": None, "crs": None}, {"geotransform": (5e5, 7, 3, 5e6, 3, -7)}])
def test_scenes_without_or_with_a_turned_georeference_are_estimated_too(tmp_path, scene, folder, making):
    path = write_raster(tmp_path / "g.tif", scene, **making)
    shown = Shown()
    run(tmp_path, path, report=shown.report, preview=str(folder), gsd_m=10)
    assert (shown.masks[0] != codes(block_means(scene, FACTOR))).mean() < 0.001
    factors = gdal.Open(shown.events[0]["file"]).GetGeoTransform()
    turned = making["geotransform"] or (0, 1, 0, 0, 0, -1)
    assert factors == pytest.approx((turned[0], *(8 * v for v in turned[1:3]), turned[3], *(8 * v for v in turned[4:])))


# Cancelling, and keeping what was finished


def cancelled(tmp_path, raster, folder, monkeypatch, after=2, **options):
    """A run that is cancelled when some rows are finished; what is left is in the folder."""
    monkeypatch.setattr(preview, "EVERY_S", 0.0)
    shown = Shown(cancel_after=after)
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    names = {"mask": str(out / "mask.tif"), "probability": str(out / "probability.tif")}
    with pytest.raises(Cancelled) as ended:
        run(
            tmp_path,
            raster,
            report=shown.report,
            preview=str(folder),
            **{**names, **options},
        )
    assert os.listdir(out) == []
    assert bool(shown.report.left) == ("keep --folder" in str(ended.value))
    return shown, out


def test_what_was_finished_is_kept_when_asked(tmp_path, scene, raster, folder, monkeypatch):
    shown, out = cancelled(tmp_path, raster, folder, monkeypatch)
    left = shown.report.left
    rows = left["rows_done"]
    assert left == {"folder": str(folder), "rows_done": rows, "rows": SIDE} and 0 < rows < SIDE
    mask, probability = str(out / "kept.tif"), str(out / "kept_probability.tif")
    result = keep(KeepJob(folder=str(folder), mask=mask, probability=probability))
    _, whole, percent = run(tmp_path, raster)
    assert np.array_equal(read(mask)[:rows], whole[:rows]) and (read(mask)[rows:] == 255).all()
    assert np.array_equal(read(probability)[:rows], percent[:rows]) and (read(probability)[rows:] == 255).all()
    assert result["share_assessed"] == pytest.approx((~np.isnan(scene[:rows])).sum() / SIDE**2, abs=1e-6)
    assert result["hazard_area_m2"] == pytest.approx((whole[:rows] == 1).sum() * 100, rel=0.002)
    tags = gdal.Open(mask).GetMetadata()
    assert tags["HAZARD_PARTIAL"] == f"{rows} of {SIDE} rows" and tags["HAZARD_MODEL"] == "reflectance"
    assert json.loads(tags["HAZARD_JOB"])["hazard"] == "flood" and "preview" not in tags["HAZARD_JOB"]
    assert f"{rows} of {SIDE} rows" in result["warnings"][0]
    assert sorted(os.listdir(out)) == ["kept.qml", "kept.tif", "kept_probability.qml", "kept_probability.tif"]


def test_a_kept_part_of_two_dates_shows_water_of_both_and_says_what_was_asked(tmp_path, raster, folder, monkeypatch):
    _, out = cancelled(tmp_path, raster, folder, monkeypatch)
    left = gdal.Open(str(folder / "mask.tif"), gdal.GA_Update)
    codes = left.ReadAsArray()
    codes[(codes == 0) & (np.indices(codes.shape)[1] % 2 == 0)] = 2
    left.GetRasterBand(1).WriteArray(codes)
    left.SetMetadata({**left.GetMetadata(), "HAZARD_BEFORE": "was.tif", "HAZARD_COMPARED_BY": "network"})
    left = None
    result = keep(KeepJob(folder=str(folder), mask=str(out / "kept.tif")))
    kept = read(out / "kept.tif")
    assert {1, 2} <= set(np.unique(kept))
    assert result["permanent_area_m2"] == pytest.approx((kept == 2).sum() * 100, rel=0.002)
    assert [result[name] for name in ("question", "before_name", "compared_by")] == ["new", "was.tif", "network"]
    opened = gdal.Open(str(out / "kept.tif"))
    palette = opened.GetRasterBand(1).GetColorTable()
    assert palette.GetColorEntry(2) == WATER_COLOUR
    assert 'value="2"' in (out / "kept.qml").read_text()


def test_a_run_cancelled_when_all_is_done_is_kept_whole(tmp_path, raster, folder, monkeypatch):
    rows, _ = spread_over(SIDE, SIDE, WINDOW_PX, OVERLAP_PX, 32)
    after = 1 + len(rows.starts)  # the estimate, and one picture for each row of windows
    shown, out = cancelled(tmp_path, raster, folder, monkeypatch, after=after)
    assert shown.report.left["rows_done"] == SIDE
    result = keep(KeepJob(folder=str(folder), mask=str(out / "kept.tif")))
    _, whole, _ = run(tmp_path, raster)
    assert np.array_equal(read(out / "kept.tif"), whole) and result["warnings"] == []
    assert "HAZARD_PARTIAL" not in gdal.Open(str(out / "kept.tif")).GetMetadata()


def test_without_a_folder_for_it_nothing_is_left(tmp_path, raster, monkeypatch):
    shown = Shown()
    out = tmp_path / "out"
    out.mkdir()

    class Cancelling(Report):
        def progress(self, done, *rest, **more):
            super().progress(done, *rest, **more)
            if done > 0.4:
                self.cancelled.set()

    report = Cancelling()
    with pytest.raises(Cancelled):
        run(tmp_path, raster, report=report, mask=str(out / "m.tif"), probability=None)
    assert os.listdir(out) == [] and report.left == {} and shown.events == []


def test_a_run_cancelled_during_its_estimate_leaves_nothing(tmp_path, raster, folder, monkeypatch):
    shown, _ = cancelled(tmp_path, raster, folder, monkeypatch, after=1)
    assert shown.report.left == {} and sorted(os.listdir(folder)) == ["estimate_0.tif"]


def test_the_share_assessed_of_a_kept_part_is_that_of_its_polygons(tmp_path, raster, folder, monkeypatch):
    area = tmp_path / "area.geojson"
    left, right = UTM_10M[0] + 5000, UTM_10M[0] + 10_000
    ring = [[left, UTM_10M[3]], [right, UTM_10M[3]], [right, UTM_10M[3] - 15_000], [left, UTM_10M[3] - 15_000]]
    polygon = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}}
    feature = {"type": "Feature", "properties": {}, "geometry": polygon}
    area.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]}))
    shown, out = cancelled(tmp_path, raster, folder, monkeypatch, area=str(area))
    result = keep(KeepJob(folder=str(folder), mask=str(out / "kept.tif")))
    assert result["share_assessed"] == pytest.approx(shown.report.left["rows_done"] / SIDE, abs=0.01)


def test_a_kept_part_replaces_nothing_and_needs_a_cancelled_run(tmp_path, raster, folder, monkeypatch):
    with pytest.raises(BadInput, match=r"holds no mask\.tif"):
        keep(KeepJob(folder=str(folder), mask=str(tmp_path / "kept.tif")))
    cancelled(tmp_path, raster, folder, monkeypatch, probability=None)
    (tmp_path / "there.tif").write_bytes(b"mine")
    with pytest.raises(BadInput, match="exists"):
        keep(KeepJob(folder=str(folder), mask=str(tmp_path / "there.tif")))
    assert (tmp_path / "there.tif").read_bytes() == b"mine"
    with pytest.raises(BadInput, match=r"holds no probability\.tif"):
        keep(KeepJob(folder=str(folder), mask=str(tmp_path / "kept.tif"), probability=str(tmp_path / "p.tif")))
    assert not (tmp_path / "kept.tif").exists()


def test_a_job_says_where_its_estimate_goes():
    job = SegmentJob(raster="s.tif", hazard="flood", mask="m.tif", preview_extent=(0, 0, 1, 1))
    assert job.preview is None
    with pytest.raises(BadInput):
        SegmentJob(raster="s.tif", hazard="flood", mask="m.tif", preview_extent=(1, 1, 0, 0))
