"""Zones of a hazard and the people in them, against numpy and sums by hand."""

import numpy as np
import pytest
from osgeo import gdal, osr
from scenes import UTM_10M, write_raster

from engine.protocol import BadInput, ZonesJob
from engine.zones import moved_threshold, zones

TAGS = {"HAZARD": "flood", "HAZARD_THRESHOLD": "0.5"}
WGS84 = "EPSG:4326"


def polygons_of(path):
    """Zone and planar area of each polygon."""
    opened = gdal.OpenEx(path, gdal.OF_VECTOR)
    return [(feature.GetField("zone"), feature.GetGeometryRef().GetArea()) for feature in opened.GetLayer(0)]


def run(tmp_path, mask, percent=None, **how):
    given = {
        "mask": write_raster(tmp_path / "m.tif", np.asarray(mask, "u1"), tags=TAGS),
        "out": str(tmp_path / "z.gpkg"),
    }
    if percent is not None:
        given["probability"] = write_raster(tmp_path / "p.tif", np.asarray(percent, "u1"))
    return zones(ZonesJob(**given, **how))


def test_zones_follow_mask_and_probability(tmp_path):
    mask = [[1, 1, 1, 0, 0, 2, 3, 255]]
    percent = [[99, 74, 60, 27, 26, 90, 90, 99]]
    found = run(tmp_path, mask, percent)
    assert (found["low_cut"], found["high_cut"]) == (0.7311, 0.2689)
    assert sorted(polygons_of(found["out"])) == [(1, 200), (2, 100), (3, 100), (4, 100)]
    areas = found["areas_m2"]
    pixel = areas["total"] / 8
    assert pixel == pytest.approx(100, rel=1e-3)
    assert [round(areas[name] / pixel, 3) for name in ("low", "central", "high", "not_assessed")] == [2, 3, 4, 1]


def test_without_a_probability_only_the_central_estimate_is_known(tmp_path):
    found = run(tmp_path, [[1, 0, 255]])
    assert found["areas_m2"]["low"] is None and found["areas_m2"]["high"] is None and found["low_cut"] is None
    assert sorted(polygons_of(found["out"])) == [(2, 100), (4, 100)]


def test_estimates_are_nested_and_zones_cover_large_masks_exactly(tmp_path):
    generator = np.random.default_rng(1)
    percent = generator.integers(0, 101, (1100, 60)).astype("u1")
    mask = (percent >= 50).astype("u1")
    mask[generator.random(mask.shape) < 0.1] = 255
    found = run(tmp_path, mask, percent, low=0.8, high=0.3)
    expected = {
        1: ((mask == 1) & (percent >= 80)).sum(),
        2: ((mask == 1) & (percent < 80)).sum(),
        3: ((mask == 0) & (percent >= 30)).sum(),
        4: (mask == 255).sum(),
    }
    traced = polygons_of(found["out"])
    for zone, count in expected.items():
        assert sum(area for code, area in traced if code == zone) == pytest.approx(100 * count)


def test_cuts_in_the_wrong_order_and_strange_rasters_are_refused(tmp_path):
    with pytest.raises(BadInput, match="stricter"):
        run(tmp_path, [[1]], [[50]], low=0.2)
    with pytest.raises(BadInput, match="holds 7"):
        run(tmp_path, [[7]])
    with pytest.raises(BadInput, match="holds 120"):
        run(tmp_path, [[1]], [[120]])
    assert not (tmp_path / "z.gpkg").exists()


def test_a_threshold_moves_in_log_odds():
    assert moved_threshold(0.5, 1) == pytest.approx(0.7310586)
    assert moved_threshold(0.2, -1) == pytest.approx(0.25 / np.e / (1 + 0.25 / np.e))


@pytest.mark.parametrize("cell_px", [1, 4, 10])
def test_people_of_aligned_cells_are_shared_by_pixels(tmp_path, cell_px):
    generator = np.random.default_rng(2)
    cells = generator.random((40 // cell_px, 60 // cell_px)) * 50
    mask = generator.choice([0, 1, 255], (40, 60)).astype("u1")
    step = 10.0 * cell_px
    population = write_raster(
        tmp_path / "pop.tif", cells.astype("f4"), geotransform=(UTM_10M[0], step, 0, UTM_10M[3], 0, -step)
    )
    found = run(tmp_path, mask, population=population)["people"]
    each = np.kron(cells, np.ones((cell_px, cell_px))) / cell_px**2
    assert found["central"] == pytest.approx(each[mask == 1].sum(), rel=1e-3)
    assert found["not_assessed"] == pytest.approx(each[mask == 255].sum(), rel=1e-3)
    assert found["total"] == pytest.approx(cells.sum(), rel=1e-3) and found["low"] is None


def test_fine_people_are_summed_under_coarse_pixels(tmp_path):
    fine = np.random.default_rng(3).random((60, 90)).astype("f4")
    step = 10 / 3
    population = write_raster(tmp_path / "pop.tif", fine, geotransform=(UTM_10M[0], step, 0, UTM_10M[3], 0, -step))
    mask = np.zeros((20, 30), "u1")
    mask[4:9, 3:20] = 1
    found = run(tmp_path, mask, population=population)["people"]
    assert found["central"] == pytest.approx(fine[12:27, 9:60].sum(), rel=1e-3)


def test_density_in_degrees_gives_people_by_ground_area(tmp_path):
    density = np.full((60, 60), 500.0, "f4")
    move = osr.CoordinateTransformation(_crs(32632), _crs(4326))
    x, y = move.TransformPoint(UTM_10M[0], UTM_10M[3])[:2]
    population = write_raster(
        tmp_path / "pop.tif", density, geotransform=(x - 0.02, 0.001, 0, y + 0.02, 0, -0.001), crs=WGS84
    )
    mask = np.ones((50, 80), "u1")
    found = run(tmp_path, mask, population=population, density=True)
    assert found["people"]["central"] == pytest.approx(500 * found["areas_m2"]["central"] / 1e6, rel=1e-4)
    assert found["warnings"] == []


def test_counts_in_degrees_are_neither_lost_nor_doubled(tmp_path):
    counts = np.zeros((60, 60), "f8")
    counts[12:40, 15:35] = np.random.default_rng(4).random((28, 20)) * 30
    move = osr.CoordinateTransformation(_crs(32632), _crs(4326))
    x, y = move.TransformPoint(UTM_10M[0], UTM_10M[3])[:2]
    population = write_raster(
        tmp_path / "pop.tif", counts, geotransform=(x - 0.005, 0.001, 0, y + 0.005, 0, -0.001), crs=WGS84
    )
    found = run(tmp_path, np.ones((600, 450), "u1"), population=population)["people"]
    assert found["total"] == pytest.approx(counts.sum(), rel=2e-3)


def test_population_without_place_or_sense_is_refused(tmp_path):
    far = write_raster(tmp_path / "far.tif", np.ones((4, 4), "f4"), geotransform=(0, 10, 0, 0, 0, -10))
    bare = write_raster(tmp_path / "bare.tif", np.ones((4, 4), "f4"), crs=None)
    less = write_raster(tmp_path / "less.tif", np.full((4, 4), -99999, "f4"))
    for population, message in ((far, "lies elsewhere"), (bare, "no CRS"), (less, "-99999")):
        with pytest.raises(BadInput, match=message):
            run(tmp_path, np.ones((4, 4), "u1"), population=population)
    empty = write_raster(tmp_path / "none.tif", np.full((2, 2), -99999, "f4"), nodata=[-99999])
    found = run(tmp_path, np.ones((4, 4), "u1"), population=empty)
    assert found["people"]["central"] == 0 and "only a part" in found["warnings"][0]


def _crs(code):
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(code)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference
