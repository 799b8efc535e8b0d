"""Scores against counts made by hand and by numpy."""

import json
import os

import numpy as np
import pytest
from osgeo import gdal, ogr, osr
from scenes import UTM_10M, write_raster

from engine.evaluate import evaluate
from engine.protocol import BadInput, Cancelled, EvaluateJob, OutputFailed, ProvenanceJob
from engine.provenance import provenance
from engine.reporting import Report


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


def write_polygons(path, *rings, crs="EPSG:32632", driver="GPKG"):
    """Rings of points in the CRS given."""
    reference = osr.SpatialReference()
    reference.SetFromUserInput(crs or "EPSG:32632")
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    target = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    layer = target.CreateLayer("truth", reference if crs else None, ogr.wkbUnknown)
    for ring in rings:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POLYGON(({','.join(f'{x} {y}' for x, y in ring)}))"))
        layer.CreateFeature(feature)
    feature = layer = target = None
    return str(path)


def pixel_box(left, top, right, bottom):
    """Ring around columns and rows of a raster at UTM_10M."""
    x0, y0 = UTM_10M[0], UTM_10M[3]
    west, east, north, south = x0 + 10 * left, x0 + 10 * right, y0 - 10 * top, y0 - 10 * bottom
    return [(west, north), (east, north), (east, south), (west, south), (west, north)]


def values_of(path):
    return gdal.Open(str(path)).ReadAsArray()


def test_what_refining_took_out_is_no_hazard(tmp_path):
    found = score(tmp_path, [[1, 2, 3, 2, 255]], np.array([[1, 1, 0, 0, 1]], "u1"))
    assert (found["tp"], found["fp"], found["fn"], found["tn"], found["not_assessed"]) == (1, 0, 1, 2, 1)


def test_the_error_layer_says_of_each_pixel_what_it_is(tmp_path):
    tags = {"HAZARD": "flood", "HAZARD_MODEL": "unet", "OTHER": "no"}
    mask = write_raster(tmp_path / "m.tif", np.array([[0, 1, 0, 1, 255, 1]], "u1"), tags=tags)
    reference = write_raster(tmp_path / "truth.tif", np.array([[0, 1, 1, 0, 1, 255]], "u1"))
    out = str(tmp_path / "errors.tif")
    found = evaluate(EvaluateJob(mask=mask, reference=reference, errors=out))
    assert found["errors"] == out and found["warnings"] == []
    assert values_of(out).tolist() == [[0, 1, 2, 3, 255, 255]]
    written = gdal.Open(out)
    assert written.GetGeoTransform() == UTM_10M and written.GetRasterBand(1).GetNoDataValue() == 255
    assert written.GetRasterBand(1).GetColorTable().GetColorEntry(2) == (213, 94, 0, 255)
    kept = written.GetMetadata()
    assert kept["HAZARD"] == "flood" and kept["HAZARD_MODEL"] == "unet" and "OTHER" not in kept
    said = json.loads(kept["HAZARD_EVALUATION"])
    assert said["reference"] == "truth.tif" and said["precision"] == 0.5 and said["iou"] == pytest.approx(1 / 3)
    assert (tmp_path / "errors.qml").read_text().count("paletteEntry") == 4
    assert sorted(os.listdir(tmp_path)) == ["errors.qml", "errors.tif", "m.tif", "truth.tif"]
    assert provenance(ProvenanceJob(file=out))["kind"] == "errors"


def test_areas_are_those_of_the_ground(tmp_path):
    found = score(tmp_path, np.ones((20, 30), "u1"), np.zeros((20, 30), "u1"))
    assert found["areas_m2"]["fp"] == pytest.approx(600 * 100, rel=1e-3)  # UTM scales areas by 0.9992 here
    assert found["areas_m2"]["tp"] == 0
    unknown = write_raster(tmp_path / "u.tif", np.ones((2, 2), "u1"), crs=None)
    assert evaluate(EvaluateJob(mask=unknown, reference=unknown))["areas_m2"] is None


@pytest.mark.parametrize("driver", ["GPKG", "GeoJSON", "ESRI Shapefile"])
def test_polygons_are_hazard_and_all_else_is_not(tmp_path, driver):
    mask = np.zeros((1500, 40), "u1")
    mask[100:1200, 5:20] = 1
    mask[1300:, :] = 255
    truth = np.zeros(mask.shape, bool)
    truth[900:1400, 10:30] = True
    ending = {"GPKG": "gpkg", "GeoJSON": "geojson", "ESRI Shapefile": "shp"}[driver]
    polygons = write_polygons(tmp_path / f"truth.{ending}", pixel_box(10, 900, 30, 1400), driver=driver)
    out = str(tmp_path / "errors.tif")
    job = EvaluateJob(mask=write_raster(tmp_path / "m.tif", mask), reference=polygons, errors=out)
    found = evaluate(job)
    assessed = mask != 255
    assert found["tp"] == (assessed & (mask == 1) & truth).sum()
    assert found["fp"] == (assessed & (mask == 1) & ~truth).sum()
    assert found["fn"] == (assessed & (mask == 0) & truth).sum()
    assert found["tn"] == (assessed & (mask == 0) & ~truth).sum()
    assert found["not_assessed"] == (~assessed).sum()
    assert (values_of(out) == 2).sum() == found["fn"] and (values_of(out) == 255).sum() == found["not_assessed"]


def test_polygons_in_another_crs_are_transformed(tmp_path):
    to_degrees = osr.CoordinateTransformation(*(_crs(code) for code in (32632, 4326)))
    ring = [to_degrees.TransformPoint(x, y)[:2] for x, y in pixel_box(10, 10, 20, 30)]
    polygons = write_polygons(tmp_path / "truth.gpkg", ring, crs="EPSG:4326")
    mask = write_raster(tmp_path / "m.tif", np.ones((40, 50), "u1"))
    assert evaluate(EvaluateJob(mask=mask, reference=polygons))["tp"] == 200


def _crs(code):
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(code)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


def test_a_mask_without_crs_takes_polygons_as_they_are_and_says_so(tmp_path):
    polygons = write_polygons(tmp_path / "truth.gpkg", pixel_box(0, 0, 2, 2))
    mask = write_raster(tmp_path / "m.tif", np.ones((4, 4), "u1"), crs=None)
    found = evaluate(EvaluateJob(mask=mask, reference=polygons))
    assert found["tp"] == 4 and "no CRS" in found["warnings"][0]


def test_polygons_that_say_nothing_of_the_mask_are_refused(tmp_path):
    mask = write_raster(tmp_path / "m.tif", np.ones((4, 4), "u1"))
    nowhere = write_raster(tmp_path / "n.tif", np.ones((4, 4), "u1"), crs=None, geotransform=None)
    far = write_polygons(tmp_path / "far.gpkg", pixel_box(100, 100, 120, 120))
    here = write_polygons(tmp_path / "here.gpkg", pixel_box(0, 0, 2, 2))
    empty = write_polygons(tmp_path / "empty.gpkg")
    for given, reference, message in (
        (mask, far, "No polygon of 'far.gpkg'"),
        (mask, empty, "reference 'empty.gpkg' holds no polygon"),
        (nowhere, here, "no georeference"),
    ):
        with pytest.raises(BadInput, match=message):
            evaluate(EvaluateJob(mask=given, reference=reference))


def test_failure_and_cancel_leave_no_errors(tmp_path):
    mask = write_raster(tmp_path / "m.tif", np.array([[0, 1, 7]], "u1"))
    good = write_raster(tmp_path / "g.tif", np.array([[0, 1, 1]], "u1"))
    out = tmp_path / "errors.tif"
    with pytest.raises(BadInput, match="holds 7"):
        evaluate(EvaluateJob(mask=mask, reference=good, errors=str(out)))
    stopped = Report()
    stopped.cancelled.set()
    with pytest.raises(Cancelled):
        evaluate(EvaluateJob(mask=good, reference=good, errors=str(out)), stopped)
    assert sorted(os.listdir(tmp_path)) == ["g.tif", "m.tif"]
    out.write_text("mine")
    with pytest.raises(OutputFailed, match="exists"):
        evaluate(EvaluateJob(mask=good, reference=mask, errors=str(out)))
    assert out.read_text() == "mine"
    evaluate(EvaluateJob(mask=good, reference=mask, errors=str(out), overwrite=True))
    assert values_of(out).tolist() == [[0, 1, 3]]
