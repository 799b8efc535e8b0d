"""What cannot be seen becomes not assessed, whatever it was before, and never counts as no hazard."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from osgeo import gdal
from scenes import UTM_10M, read, write_raster
from test_refine import PIXEL_M2, TAGS, flood, in_crs, mask_of, polygons, rectangle, run

from engine.protocol import BadInput, Cancelled, ProvenanceJob, RefineJob, job_from_dict, job_to_dict
from engine.provenance import provenance
from engine.refine import refine
from engine.reporting import Report

UTM_20M = (UTM_10M[0], 20.0, 0.0, UTM_10M[3], 0.0, -20.0)
CLOUDS = (3, 8, 9, 10)


@pytest.fixture
def out(tmp_path):
    return str(tmp_path / "seen.tif")


def scene_classes(height=30, width=40):
    return np.random.default_rng(5).integers(0, 12, (height, width)).astype(np.uint8)


def hiding(codes, hidden):
    expected = codes.copy()
    expected[hidden] = 255
    return expected


def test_clouds_of_a_coarser_classification_are_not_assessed_be_they_hazard_or_none(tmp_path, out):
    classes = scene_classes()
    path = write_raster(tmp_path / "scl.tif", classes, geotransform=UTM_20M)
    result, seen = run(mask_of(tmp_path, flood()), out, not_assessed=path, not_assessed_values=CLOUDS)
    hidden = np.repeat(np.repeat(np.isin(classes, CLOUDS), 2, axis=0), 2, axis=1)
    assert np.array_equal(seen, hiding(flood(), hidden))
    newly = np.count_nonzero(hidden & (flood() != 255))
    assert result["newly_not_assessed_m2"] == pytest.approx(newly * PIXEL_M2, rel=2e-3)
    assert result["hazard_area_m2"] == pytest.approx(np.count_nonzero((flood() == 1) & ~hidden) * PIXEL_M2, rel=2e-3)
    assert result["share_assessed"] == pytest.approx(((flood() != 255) & ~hidden).mean(), abs=1e-6)
    assert result["share_without_visibility"] == 0 and result["share_without_reference"] is None
    assert result["warnings"] == []


@pytest.mark.parametrize(("kind", "highest"), [(np.uint16, 65536), (np.int16, 32768), (np.float32, 65536)])
def test_one_bit_of_a_quality_band_is_enough(tmp_path, out, kind, highest):
    low = -32768 if kind is np.int16 else 0
    band = np.random.default_rng(1).integers(low, highest, (60, 80)).astype(kind)
    path = write_raster(tmp_path / "qa.tif", band)
    _, seen = run(mask_of(tmp_path, flood()), out, not_assessed=path, not_assessed_bits=(2, 4, 15))
    whole = band.astype(np.int64) % 65536
    hidden = np.array([[any(int(value) // 2**bit % 2 for bit in (2, 4, 15)) for value in row] for row in whole])
    assert np.array_equal(seen, hiding(flood(), hidden))


def test_without_values_anything_but_zero_hides_and_no_value_is_no_statement(tmp_path, out):
    clouds = np.zeros((60, 80), np.float32)
    clouds[:, 10:20], clouds[:, 20:30], clouds[:, 30:40], clouds[:, 40:50] = 1, -7, np.nan, 99
    path = write_raster(tmp_path / "clouds.tif", clouds, nodata=[99])
    result, seen = run(mask_of(tmp_path, flood()), out, not_assessed=path)
    hidden = np.zeros((60, 80), bool)
    hidden[:, 10:30] = True
    assert np.array_equal(seen, hiding(flood(), hidden))
    assert result["share_without_visibility"] == pytest.approx(20 / 80, abs=1e-4)
    assert "25.0%" in result["warnings"][0] and "stays assessed" in result["warnings"][0]


def test_what_was_taken_out_before_stays_so_where_only_clouds_are_given(tmp_path, out):
    codes = flood()
    codes[10:20], codes[20:30] = 2, 3
    clouds = np.zeros((60, 80), np.uint8)
    clouds[:, :40] = 1
    result, seen = run(
        mask_of(tmp_path, codes), out, not_assessed=write_raster(tmp_path / "c.tif", clouds), not_assessed_values=(1,)
    )
    assert np.array_equal(seen, hiding(codes, clouds == 1))
    assert result["permanent_water_m2"] == pytest.approx(400 * PIXEL_M2, rel=2e-3)
    assert result["ruled_out_by_slope_m2"] == pytest.approx(400 * PIXEL_M2, rel=2e-3)


def test_clouds_hide_water_and_slopes_as_well(tmp_path, out):
    x = np.tile(np.arange(80) * 10.0, (60, 1)).astype(np.float32)
    clouds = np.zeros((60, 80), np.uint8)
    clouds[30:] = 1
    occurrence = np.zeros((60, 80), np.uint8)
    occurrence[:, :20], occurrence[:, 20:30] = 100, 255
    result, seen = run(
        mask_of(tmp_path, flood()),
        out,
        permanent_water=write_raster(tmp_path / "w.tif", occurrence),
        elevation=write_raster(tmp_path / "dem.tif", x),
        most_slope=15.0,
        not_assessed=write_raster(tmp_path / "c.tif", clouds),
    )
    assert (seen[30:] == 255).all() and (seen[9:30, :20] == 2).all() and (seen[9:30, 20:79] == 3).all()
    assert result["share_without_reference"] == pytest.approx(10 / 80, abs=1e-4)


def test_polygons_hide_where_pixel_centres_lie_in_them_and_may_reach_beyond(tmp_path, out):
    mask = mask_of(tmp_path, flood())
    clouds = polygons(tmp_path / "c.gpkg", [rectangle(70, 40, 900, 7000), rectangle(10, 0, 30, 20)])
    result, seen = run(mask, out, not_assessed=clouds)
    hidden = np.zeros((60, 80), bool)
    hidden[40:, 70:], hidden[:20, 10:30] = True, True
    assert np.array_equal(seen, hiding(flood(), hidden)) and result["warnings"] == []
    assert result["share_without_visibility"] == 0
    world = "POLYGON((-179.9 -89.9,179.9 -89.9,179.9 89.9,-179.9 89.9,-179.9 -89.9))"
    result, seen = run(mask, out, not_assessed=polygons(tmp_path / "w.geojson", [world], "EPSG:4326", "GeoJSON"))
    assert (seen == 255).all() and result["share_assessed"] == 0 and result["hazard_area_m2"] == 0
    result, seen = run(mask, out, not_assessed=polygons(tmp_path / "far.gpkg", [rectangle(9000, 0, 9010, 10)]))
    assert np.array_equal(seen, flood()) and "lies on the mask" in result["warnings"][0]


def test_a_quality_band_in_another_crs_is_read_under_the_pixels_centres(tmp_path, out):
    places = in_crs(UTM_10M, (60, 80), "EPSG:4326")
    step, west, north = 0.0002, places[..., 0].min() - 0.0007, places[..., 1].max() + 0.0007
    classes = scene_classes(60, 90)
    path = write_raster(tmp_path / "scl.tif", classes, crs="EPSG:4326", geotransform=(west, step, 0, north, 0, -step))
    _, seen = run(mask_of(tmp_path, flood()), out, not_assessed=path, not_assessed_values=CLOUDS)
    under = classes[((north - places[..., 1]) / step).astype(int), ((places[..., 0] - west) / step).astype(int)]
    expected = hiding(flood(), np.isin(under, CLOUDS))
    assert (seen != expected).mean() < 1e-3  # but for centres within a millionth of a pixel's edge


def test_large_masks_are_met_portion_by_portion(tmp_path, out):
    codes = np.random.default_rng(2).choice([0, 1, 255], (2100, 1200)).astype(np.uint8)
    classes = scene_classes(1050, 600)
    path = write_raster(tmp_path / "scl.tif", classes, geotransform=UTM_20M)
    result, seen = run(mask_of(tmp_path, codes), out, not_assessed=path, not_assessed_values=CLOUDS)
    hidden = np.repeat(np.repeat(np.isin(classes, CLOUDS), 2, axis=0), 2, axis=1)
    assert np.array_equal(seen, hiding(codes, hidden))
    assert result["newly_not_assessed_m2"] == pytest.approx(np.count_nonzero(hidden & (codes != 255)) * 100, rel=2e-3)


def test_a_band_that_ends_within_the_mask_leaves_the_rest_as_it_is(tmp_path, out):
    path = write_raster(tmp_path / "c.tif", np.ones((60, 20), np.uint8))
    mask = mask_of(tmp_path, flood())
    result, seen = run(mask, out, not_assessed=path)
    assert (seen[:, :20] == 255).all() and np.array_equal(seen[:, 20:], flood()[:, 20:])
    assert result["share_without_visibility"] == pytest.approx(60 / 80, abs=1e-4)
    far = write_raster(tmp_path / "far.tif", np.ones((9, 9), np.uint8), geotransform=(9e5, 10, 0, 5e6, 0, -10))
    result, seen = run(mask, out, not_assessed=far)
    assert np.array_equal(seen, flood()) and "does not reach" in result["warnings"][0]


def test_classes_taken_for_zeros_and_ones_are_told(tmp_path, out):
    path = write_raster(tmp_path / "scl.tif", np.full((60, 80), 4, np.uint8))
    result, _ = run(mask_of(tmp_path, flood()), out, not_assessed=path)
    assert "100.0%" in result["warnings"][0] and "say which" in result["warnings"][0]


@pytest.mark.parametrize("code", [0, 1, 255])
def test_one_pixel_is_enough(tmp_path, out, code):
    path = write_raster(tmp_path / "c.tif", np.ones((1, 1), np.uint8))
    result, seen = run(mask_of(tmp_path, [[code]]), out, not_assessed=path)
    assert seen[0, 0] == 255 and result["share_assessed"] == 0
    assert result["newly_not_assessed_m2"] == pytest.approx(0 if code == 255 else PIXEL_M2, rel=2e-3)


def test_tags_tell_of_every_run_whose_work_stands(tmp_path, out):
    clouds, layover = (
        write_raster(tmp_path / name, np.eye(60, 80, shift, dtype=np.uint8))
        for name, shift in (("clouds.tif", 0), ("layover.tif", 9))
    )
    water = write_raster(tmp_path / "w.tif", np.full((60, 80), 100, np.uint8))
    first, second = str(tmp_path / "first.tif"), str(tmp_path / "second.tif")
    run(mask_of(tmp_path, flood()), first, permanent_water=water)
    run(first, second, not_assessed=clouds, not_assessed_bits=(0,))
    _, seen = run(second, out, not_assessed=layover, not_assessed_values=(1,))
    tags = gdal.Open(out).GetMetadata()
    assert {name: tags[name] for name in TAGS} == TAGS
    assert json.loads(tags["HAZARD_REFINED"])["permanent_water"] == water
    assert json.loads(tags["HAZARD_NOT_ASSESSED"]) == [
        {"not_assessed": clouds, "not_assessed_values": [], "not_assessed_bits": [0]},
        {"not_assessed": layover, "not_assessed_values": [1], "not_assessed_bits": []},
    ]
    assert (seen[np.eye(60, 80, dtype=bool)] == 255).all() and (seen == 2).any()
    share = ((flood() != 255) & (read(clouds) == 0) & (read(layover) == 0)).mean()
    assert provenance(ProvenanceJob(out))["share_assessed"] == pytest.approx(share, abs=1e-5)


def test_a_global_reference_of_more_than_a_million_columns_is_read(tmp_path, out):
    step, width, height = 0.00025, 1_440_000, 560_000
    west, north = -180.0, 80.0
    places = in_crs(UTM_10M, (60, 80), "EPSG:4326")
    column, row = int((places[..., 0].min() - west) / step) - 2, int((north - places[..., 1].max()) / step) - 2
    occurrence = np.random.default_rng(4).integers(0, 101, (40, 60)).astype(np.uint8)
    here = (west + column * step, step, 0.0, north - row * step, 0.0, -step)
    tile = write_raster(tmp_path / "tile.tif", occurrence, crs="EPSG:4326", geotransform=here)
    mosaic = str(tmp_path / "global.vrt")
    gdal.BuildVRT(mosaic, [tile], outputBounds=(west, north - height * step, west + width * step, north))
    assert gdal.Open(mosaic).RasterXSize == width
    mask = mask_of(tmp_path, flood())
    _, refined = run(mask, out, permanent_water=mosaic)
    under = occurrence[
        np.floor((north - places[..., 1]) / step).astype(int) - row,
        np.floor((places[..., 0] - west) / step).astype(int) - column,
    ]
    expected = flood()
    expected[(expected == 1) & (under >= 50)] = 2
    assert (refined != expected).mean() < 1e-3
    _, seen = run(mask, out, not_assessed=mosaic, not_assessed_values=tuple(range(50, 101)))
    assert (seen != hiding(flood(), under >= 50)).mean() < 1e-3
    with pytest.raises(BadInput, match="1440000 columns"):  # a mask is read by whole rows
        run(mosaic, out, not_assessed=tile)


def test_what_cannot_be_is_refused_and_nothing_is_left(tmp_path, out):
    mask = mask_of(tmp_path, flood())
    byte = write_raster(tmp_path / "byte.tif", np.ones((60, 80), np.uint8))
    fractions = write_raster(tmp_path / "fractions.tif", np.full((60, 80), 0.5, np.float32))
    area = polygons(tmp_path / "area.gpkg", [rectangle(0, 0, 9, 9)])
    points = polygons(tmp_path / "points.gpkg", ["POINT(500000 5100000)"])
    plain = write_raster(tmp_path / "plain.tif", np.ones((60, 80), np.uint8), crs=None)
    before = sorted(os.listdir(tmp_path))
    for words, options in (
        ("no bit 8", {"not_assessed": byte, "not_assessed_bits": (0, 8)}),
        ("fractions", {"not_assessed": fractions, "not_assessed_bits": (1,)}),
        ("polygons are given", {"not_assessed": area, "not_assessed_values": (1,)}),
        ("holds no polygon; give polygons of clouds", {"not_assessed": points}),
        ("no CRS", {"not_assessed": plain}),
        ("no raster", {"not_assessed": str(tmp_path / "gone.tif")}),
        ("Both values and bits", {"not_assessed": byte, "not_assessed_bits": (1,), "not_assessed_values": (1,)}),
        ("need the raster", {"permanent_water": byte, "not_assessed_values": (1,)}),
        ("Bit 32 is out of range", {"not_assessed": byte, "not_assessed_bits": (32,)}),
        ("Bit -1 is out of range", {"not_assessed": byte, "not_assessed_bits": (-1,)}),
        ("Value 1e\\+30 is out of range", {"not_assessed": byte, "not_assessed_values": (10**30,)}),
        ("replace its own input", {"not_assessed": out}),
    ):
        with pytest.raises(BadInput, match=words):
            refine(RefineJob(mask=mask, out=out, **options))
        assert sorted(os.listdir(tmp_path)) == before


def test_cancel_leaves_nothing(tmp_path, out):
    mask, clouds = mask_of(tmp_path, flood()), write_raster(tmp_path / "c.tif", np.ones((60, 80), np.uint8))
    report = Report()
    report.progress = lambda *_: (report.cancelled.set(), report.check())
    with pytest.raises(Cancelled):
        refine(RefineJob(mask=mask, out=out, not_assessed=clouds), report)
    assert sorted(os.listdir(tmp_path)) == ["c.tif", "mask.tif"]


def test_the_command_line_takes_lists_and_jobs_survive_json(tmp_path, out):
    classes = scene_classes(60, 80)
    mask, path = mask_of(tmp_path, flood()), write_raster(tmp_path / "scl.tif", classes)
    words = [sys.executable, "-m", "engine", "refine", "--mask", mask, "--out", out, "--json", "--not-assessed", path]
    told = subprocess.run([*words, "--not-assessed-values", "3,8,9,10"], capture_output=True, text=True, check=True)
    newly = np.count_nonzero(np.isin(classes, CLOUDS) & (flood() != 255))
    assert json.loads(told.stdout)["newly_not_assessed_m2"] == pytest.approx(newly * PIXEL_M2, rel=2e-3)
    job = RefineJob(mask=mask, out=out, not_assessed=path, not_assessed_bits=(1, 4))
    assert job_from_dict("refine", json.loads(json.dumps(job_to_dict(job)))) == job
