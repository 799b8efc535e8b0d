"""Permanent water and impossible slopes leave a mask under values of their own, wherever the references lie."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from osgeo import gdal, ogr, osr
from scenes import UTM_10M, read, write_raster

from engine.protocol import BadInput, Cancelled, OutputFailed, ProvenanceJob, RefineJob
from engine.provenance import provenance
from engine.raster.tagged import TaggedRaster
from engine.raster.warped import SlopeRaster
from engine.refine import refine
from engine.reporting import Report

TAGS = {"HAZARD": "flood", "HAZARD_MODEL": "unet", "HAZARD_JOB": "{}"}
PIXEL_M2 = 100.0


@pytest.fixture
def out(tmp_path):
    return str(tmp_path / "refined.tif")


def mask_of(tmp_path, codes, **how):
    return write_raster(tmp_path / "mask.tif", np.asarray(codes, np.uint8), nodata=[255], tags=TAGS, **how)


def run(mask, out, **options):
    return refine(RefineJob(mask=mask, out=out, overwrite=True, **options)), read(out)


def flood(height=60, width=80):
    codes = np.ones((height, width), np.uint8)
    codes[:5] = 0
    codes[5:9] = 255
    return codes


def in_crs(geotransform, shape, crs, at="EPSG:32632"):
    """Coordinates in another CRS of the pixel centres of a grid."""
    rows, columns = np.indices(shape) + 0.5
    a, b, c, d, e, f = geotransform
    source, target = osr.SpatialReference(), osr.SpatialReference()
    for reference, name in ((source, at), (target, crs)):
        reference.SetFromUserInput(name)
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    points = np.stack([a + b * columns + c * rows, d + e * columns + f * rows], -1).reshape(-1, 2)
    moved = osr.CoordinateTransformation(source, target).TransformPoints(points.tolist())
    return np.asarray(moved)[:, :2].reshape(*shape, 2)


def test_water_that_is_mostly_there_becomes_two_and_no_value_is_no_statement(tmp_path, out):
    occurrence = np.zeros((60, 80), np.uint8)
    occurrence[:, 10:20], occurrence[:, 20:30], occurrence[:, 30:40] = 50, 49, 255
    water = write_raster(tmp_path / "occurrence.tif", occurrence)
    result, refined = run(mask_of(tmp_path, flood()), out, permanent_water=water)
    expected = flood()
    expected[9:, 10:20] = 2
    assert np.array_equal(refined, expected)
    assert result["permanent_water_m2"] == pytest.approx(51 * 10 * PIXEL_M2, rel=2e-3)
    assert result["hazard_area_m2"] == pytest.approx(51 * 70 * PIXEL_M2, rel=2e-3)
    assert result["share_without_reference"] == pytest.approx(1 / 8, abs=1e-4)
    assert result["share_assessed"] == pytest.approx(56 / 60, abs=1e-5) and result["ruled_out_by_slope_m2"] == 0
    assert any("12.5%" in warning for warning in result["warnings"])


def test_tags_stay_and_tell_of_the_filter(tmp_path, out):
    water = write_raster(tmp_path / "w.tif", np.full((60, 80), 100, np.uint8))
    run(mask_of(tmp_path, flood()), out, permanent_water=water, least_occurrence=80.0)
    tags = gdal.Open(out).GetMetadata()
    assert {name: tags[name] for name in TAGS} == TAGS
    assert json.loads(tags["HAZARD_REFINED"])["least_occurrence"] == 80.0
    assert (tmp_path / "refined.qml").exists()
    assert provenance(ProvenanceJob(out))["kind"] == "mask"


def test_a_filter_can_be_taken_back(tmp_path, out):
    everywhere = write_raster(tmp_path / "w.tif", np.full((60, 80), 100, np.uint8))
    nowhere = write_raster(tmp_path / "n.tif", np.zeros((60, 80), np.uint8))
    _, refined = run(mask_of(tmp_path, flood()), out, permanent_water=everywhere)
    assert np.isin(refined, (0, 2, 255)).all()
    again = str(tmp_path / "again.tif")
    _, restored = run(out, again, permanent_water=nowhere)
    assert np.array_equal(restored, flood())


@pytest.mark.parametrize(
    "geotransform",
    [UTM_10M, (500000.0, 10.0, 0.0, 5100000.0, 0.0, 10.0), (500000.0, 8.0, 6.0, 5100000.0, 6.0, -8.0)],
    ids=["north-up", "south-up", "rotated"],
)
def test_a_reference_in_degrees_is_read_under_the_pixels_centres(tmp_path, out, geotransform):
    places = in_crs(geotransform, (60, 80), "EPSG:4326")
    step = 0.00025
    west, north = places[..., 0].min() - 3 * step, places[..., 1].max() + 3 * step
    columns = int((places[..., 0].max() - west) / step) + 4
    rows = int((north - places[..., 1].min()) / step) + 4
    reference = np.random.default_rng(3).integers(0, 101, (rows, columns)).astype(np.uint8)
    path = write_raster(tmp_path / "w.tif", reference, crs="EPSG:4326", geotransform=(west, step, 0, north, 0, -step))
    _, refined = run(mask_of(tmp_path, flood(), geotransform=geotransform), out, permanent_water=path)
    under = reference[((north - places[..., 1]) / step).astype(int), ((places[..., 0] - west) / step).astype(int)]
    expected = flood()
    expected[(expected == 1) & (under >= 50)] = 2
    assert (refined != expected).mean() < 1e-3  # but for centres within a millionth of a pixel's edge
    assert np.array_equal(gdal.Open(out).GetGeoTransform(), geotransform)


def test_a_reference_across_the_date_line_is_met(tmp_path, out):
    mask = mask_of(tmp_path, np.ones((10, 40)), crs="EPSG:4326", geotransform=(179.98, 0.001, 0, -16.0, 0, -0.001))
    water = write_raster(
        tmp_path / "w.tif",
        np.full((20, 40), 100, np.uint8),
        crs="EPSG:4326",
        geotransform=(-180.0, 0.001, 0, -15.99, 0, -0.001),
    )
    _, refined = run(mask, out, permanent_water=water)
    assert (refined[:, :20] == 1).all() and (refined[:, 20:] == 2).all()


@pytest.mark.parametrize(("crs", "turn"), [("EPSG:4326", 360.0), ("EPSG:3857", 40075016.6855785)])
def test_a_global_reference_is_not_crossed_between_its_ends(tmp_path, out, crs, turn):
    geotransform = (819049.0, 10.0, 0.0, 8140628.0, 0.0, -10.0)
    mask = mask_of(tmp_path, np.ones((96, 128)), crs="EPSG:32760", geotransform=geotransform)
    occurrence = np.full((300, 3600), 100, np.uint8)
    occurrence[:, 1800:] = 0
    step = turn / 3600
    water = write_raster(
        tmp_path / "w.tif",
        occurrence,
        crs=crs,
        geotransform=(-turn / 2, step, 0, 0, 0, -step),
        options=["COMPRESS=LZW"],
    )
    _, refined = run(mask, out, permanent_water=water)
    east = in_crs(geotransform, (96, 128), "EPSG:4326", at="EPSG:32760")[..., 0] < 0
    assert 0.2 < east.mean() < 0.8
    assert np.array_equal(refined == 2, east)


def test_a_fine_global_reference_is_read_at_both_of_its_ends(tmp_path, out):
    """Read from one to the other it was thinned, and what lay in a few of its columns was not found."""
    geotransform = (819049.0, 10.0, 0.0, 8140628.0, 0.0, -10.0)
    mask = mask_of(tmp_path, np.ones((96, 128)), crs="EPSG:32760", geotransform=geotransform)
    columns = 360_000
    step = 360 / columns
    occurrence = np.zeros((100, columns), np.uint8)
    occurrence[:, :3] = 100
    grid = (-180, step, 0, -16.7, 0, -4 * step)
    options = ["COMPRESS=LZW"]
    water = write_raster(tmp_path / "w.tif", occurrence, crs="EPSG:4326", geotransform=grid, options=options)
    _, refined = run(mask, out, permanent_water=water)
    longitude = in_crs(geotransform, (96, 128), "EPSG:4326", at="EPSG:32760")[..., 0]
    assert np.array_equal(refined == 2, longitude < -180 + 3 * step) and (refined == 2).any()


def polygons(path, wkts, crs="EPSG:32632", driver="GPKG"):
    reference = osr.SpatialReference()
    reference.SetFromUserInput(crs)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    source = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    layer = source.CreateLayer("water", reference, ogr.wkbUnknown)
    for wkt in wkts:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometry(ogr.CreateGeometryFromWkt(wkt))
        layer.CreateFeature(feature)
    feature = layer = source = None
    return str(path)


def rectangle(left, top, right, bottom):
    x0, x1, y0, y1 = 500000 + 10 * left, 500000 + 10 * right, 5100000 - 10 * top, 5100000 - 10 * bottom
    return f"POLYGON(({x0} {y0},{x1} {y0},{x1} {y1},{x0} {y1},{x0} {y0}))"


@pytest.mark.parametrize(
    ("crs", "geotransform"),
    [("EPSG:4326", (179.98, 0.001, 0, -16.0, 0, -0.001)), ("EPSG:32760", (818000, 100.0, 0, 8230000, 0, -100.0))],
)
def test_polygons_of_water_that_part_at_the_date_line_are_met_on_both_sides(tmp_path, out, crs, geotransform):
    mask = mask_of(tmp_path, np.ones((30, 40)), crs=crs, geotransform=geotransform)
    wkts = [
        "POLYGON((0 -16.015,180 -16.015,180 -16.005,0 -16.005,0 -16.015))",
        "POLYGON((-180 -16.015,0 -16.015,0 -16.005,-180 -16.005,-180 -16.015))",
    ]
    _, refined = run(mask, out, permanent_water=polygons(tmp_path / "water.gpkg", wkts, "EPSG:4326"))
    latitude = in_crs(geotransform, (30, 40), "EPSG:4326", at=crs)[..., 1]
    expected = (latitude > -16.015) & (latitude < -16.005)
    assert expected.any(axis=0).all()
    assert (expected != (refined == 2)).mean() < 0.01


def test_polygons_of_water_count_as_well(tmp_path, out):
    water = polygons(tmp_path / "lakes.gpkg", [rectangle(10, 20, 30, 40), rectangle(90_000, 0, 90_010, 5)])
    result, refined = run(mask_of(tmp_path, flood()), out, permanent_water=water)
    expected = flood()
    expected[20:40, 10:30] = 2
    assert np.array_equal(refined, expected)
    assert result["share_without_reference"] == 0 and result["warnings"] == []


def test_an_ocean_in_degrees_covers_the_mask(tmp_path, out):
    ocean = "POLYGON((-179.9 -89.9,179.9 -89.9,179.9 89.9,-179.9 89.9,-179.9 -89.9))"
    water = polygons(tmp_path / "ocean.geojson", [ocean], "EPSG:4326", "GeoJSON")
    _, refined = run(mask_of(tmp_path, flood()), out, permanent_water=water)
    assert np.array_equal(refined == 2, flood() == 1)


def test_polygons_elsewhere_take_nothing_and_say_so(tmp_path, out):
    water = polygons(tmp_path / "far.gpkg", [rectangle(9000, 0, 9010, 10)])
    result, refined = run(mask_of(tmp_path, flood()), out, permanent_water=water)
    assert np.array_equal(refined, flood()) and "lies on the mask" in result["warnings"][0]
    with pytest.raises(BadInput, match="holds no polygon"):
        run(mask_of(tmp_path, flood()), out, permanent_water=polygons(tmp_path / "p.gpkg", ["POINT(500000 5100000)"]))


def plane(geotransform, shape, angle_deg, crs="EPSG:32632"):
    """Elevations that rise eastward at an angle, in UTM metres."""
    x = in_crs(geotransform, shape, "EPSG:32632", crs)[..., 0]
    return ((x - 500000) * np.tan(np.radians(angle_deg)) + 500).astype(np.float32)


@pytest.mark.parametrize(("angle", "code"), [(14.8, 1), (15.2, 3)])
@pytest.mark.parametrize("size", [3.0, 10.0, 90.0])
def test_the_slope_of_a_plane_is_its_angle_at_any_resolution(tmp_path, out, angle, code, size):
    count = int(1400 / size)
    geotransform = (499700.0, size, 0.0, 5100300.0, 0.0, -size)
    dem = write_raster(tmp_path / "dem.tif", plane(geotransform, (count, count), angle), geotransform=geotransform)
    result, refined = run(mask_of(tmp_path, flood()), out, elevation=dem, most_slope=15.0)
    expected = flood()
    expected[expected == 1] = code
    assert np.array_equal(refined, expected) and result["share_without_slope"] == 0
    assert result["ruled_out_by_slope_m2"] == pytest.approx((code == 3) * 51 * 80 * PIXEL_M2, rel=2e-3)


@pytest.mark.parametrize(("angle", "code"), [(14.7, 1), (15.3, 3)])
def test_slopes_of_a_model_in_degrees_use_distances_on_the_ground(tmp_path, out, angle, code):
    geotransform = (8.99, 0.0003, 0.0, 46.06, 0.0, -0.0003)
    elevations = plane(geotransform, (200, 200), angle, "EPSG:4326")
    dem = write_raster(tmp_path / "dem.tif", elevations, crs="EPSG:4326", geotransform=geotransform)
    _, refined = run(mask_of(tmp_path, flood()), out, elevation=dem, most_slope=15.0)
    assert (refined[9:] == code).all()


def test_feet_are_made_metres_and_rotated_models_keep_their_slopes(tmp_path, out):
    geotransform = (499500.0, 16.0, 12.0, 5100400.0, 12.0, -16.0)
    elevations = plane(geotransform, (120, 120), 20.0) / 0.3048
    dem = write_raster(tmp_path / "dem.tif", elevations, geotransform=geotransform)
    dataset = gdal.Open(dem, gdal.GA_Update)
    dataset.GetRasterBand(1).SetUnitType("ft")
    dataset = None
    _, kept = run(mask_of(tmp_path, flood()), out, elevation=dem, least_slope=19.5, most_slope=20.5)
    assert (kept[9:] == 1).mean() > 0.95 and not (kept == 3).any()


def test_flat_ground_is_no_landslide_and_missing_elevations_are_no_statement(tmp_path, out):
    x = np.arange(80)
    elevations = np.tile(np.where(x < 40, 100.0, 100.0 + (x - 39.5) * 10), (60, 1)).astype(np.float32)
    elevations[30:40, 10:20] = -9999  # not declared
    dem = write_raster(tmp_path / "dem.tif", elevations)
    result, refined = run(mask_of(tmp_path, np.ones((60, 80))), out, elevation=dem, least_slope=5.0)
    assert (refined[1:29, 1:38] == 3).all() and (refined[1:-1, 41:-1] == 1).all()
    assert (refined[29:41, 9:21] == 1).all() and (refined[0] == 1).all()
    unknown = 12 * 12 + 60 * 80 - 58 * 78
    assert result["share_without_slope"] == pytest.approx(unknown / 4800, abs=1e-4)


def test_a_coarse_model_gives_no_staircase(tmp_path, out):
    """Elevations resampled without interpolation would be flat within each 90 m and steep between."""
    geotransform = (499730.0, 90.0, 0.0, 5100270.0, 0.0, -90.0)
    dem = write_raster(tmp_path / "dem.tif", plane(geotransform, (16, 20), 8.0), geotransform=geotransform)
    _, refined = run(mask_of(tmp_path, flood()), out, elevation=dem, least_slope=7.8, most_slope=8.2)
    assert np.array_equal(refined, flood())


def test_water_wins_over_slope(tmp_path, out):
    dem = write_raster(tmp_path / "dem.tif", plane(UTM_10M, (60, 80), 40.0))
    water = write_raster(tmp_path / "w.tif", np.full((60, 80), 90, np.uint8))
    result, refined = run(mask_of(tmp_path, flood()), out, elevation=dem, most_slope=15.0, permanent_water=water)
    assert np.array_equal(refined == 2, flood() == 1) and result["hazard_area_m2"] == 0


def test_water_that_was_there_before_the_event_is_not_made_flood_again(tmp_path, out):
    codes = flood()
    codes[20:30, 30:50] = 2
    tags = {**TAGS, "HAZARD_BEFORE": "may.tif", "HAZARD_QUESTION": "new since the scene before"}
    mask = write_raster(tmp_path / "mask.tif", codes, nodata=[255], tags=tags)
    occurrence = np.zeros((60, 80), np.uint8)
    occurrence[:, 10:20] = 100
    result, refined = run(mask, out, permanent_water=write_raster(tmp_path / "w.tif", occurrence))
    expected = codes.copy()
    expected[9:, 10:20][codes[9:, 10:20] == 1] = 2
    assert np.array_equal(refined, expected)
    assert result["permanent_water_m2"] == pytest.approx((51 * 10 + 10 * 20) * PIXEL_M2, rel=2e-3)
    found = provenance(ProvenanceJob(out))
    assert found["permanent_area_m2"] == result["permanent_water_m2"] and found["before_name"] == "may.tif"


def test_zeros_and_ones_below_the_least_occurrence_are_told(tmp_path, out):
    water = write_raster(tmp_path / "w.tif", np.ones((60, 80), np.uint8))
    result, refined = run(mask_of(tmp_path, flood()), out, permanent_water=water)
    assert np.array_equal(refined, flood()) and "lower that value" in result["warnings"][0]


@pytest.mark.parametrize("codes", [[[1]], [[255]], [[0]]])
def test_one_pixel_is_enough(tmp_path, out, codes):
    water = write_raster(tmp_path / "w.tif", np.full((1, 1), 100, np.uint8))
    dem = write_raster(tmp_path / "dem.tif", np.zeros((1, 1), np.float32))
    result, refined = run(mask_of(tmp_path, codes), out, permanent_water=water, elevation=dem, most_slope=15.0)
    assert refined[0, 0] == {1: 2, 255: 255, 0: 0}[codes[0][0]]
    assert 0 <= result["share_assessed"] <= 1 and all(isinstance(text, str) for text in result["warnings"])


def refusal(tmp_path, out, words, **options):
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(BadInput, match=words):
        refine(RefineJob(out=out, **options))
    assert sorted(os.listdir(tmp_path)) == before


def test_what_cannot_be_is_refused_and_nothing_is_left(tmp_path, out):
    mask = mask_of(tmp_path, flood())
    water = write_raster(tmp_path / "w.tif", np.full((60, 80), 90, np.uint8))
    plain = write_raster(tmp_path / "plain.tif", np.full((60, 80), 90, np.uint8), crs=None, geotransform=None)
    no_crs = write_raster(tmp_path / "no_crs.tif", np.full((60, 80), 90, np.float32), crs=None)
    several = write_raster(tmp_path / "several.tif", np.zeros((3, 60, 80), np.uint8))
    strange = write_raster(tmp_path / "strange.tif", np.full((60, 80), 7, np.uint8))
    changed = write_raster(tmp_path / "change.tif", flood(), tags={"HAZARD_CHANGE_JOB": "{}"})
    errors = write_raster(tmp_path / "errors.tif", flood(), tags={"HAZARD_EVALUATION": "{}"})
    (tmp_path / "text.txt").write_text("no raster")
    refusal(tmp_path, out, "right and wrong", mask=errors, permanent_water=water)
    refusal(tmp_path, out, "not georeferenced", mask=mask, permanent_water=plain)
    refusal(tmp_path, out, "no CRS", mask=mask, elevation=no_crs, most_slope=15.0)
    refusal(tmp_path, out, "3 bands", mask=mask, elevation=several, most_slope=15.0)
    refusal(tmp_path, out, "holds 7", mask=strange, permanent_water=water)
    refusal(tmp_path, out, "change between two masks", mask=changed, permanent_water=water)
    refusal(tmp_path, out, "cannot be opened", mask=mask, permanent_water=str(tmp_path / "text.txt"))
    refusal(tmp_path, out, "no raster", mask=mask, permanent_water=str(tmp_path / "gone.tif"))
    with pytest.raises(BadInput, match="Nothing to refine"):
        RefineJob(mask=mask, out=out)


def test_rasters_without_georeference_of_one_size_are_laid_pixel_on_pixel(tmp_path, out):
    mask = mask_of(tmp_path, flood(), crs=None, geotransform=None)
    reference = np.zeros((60, 80), np.uint8)
    reference[:, ::3] = 100
    water = write_raster(tmp_path / "w.tif", reference, crs=None, geotransform=None)
    result, refined = run(mask, out, permanent_water=water)
    assert np.array_equal(refined == 2, (flood() == 1) & (reference == 100))
    assert any("CRS" in warning for warning in result["warnings"])


def test_an_existing_mask_is_kept_unless_allowed_and_cancel_leaves_it(tmp_path, out):
    mask, water = mask_of(tmp_path, flood()), write_raster(tmp_path / "w.tif", np.full((60, 80), 90, np.uint8))
    with open(out, "wb") as file:
        file.write(b"before")
    with pytest.raises(OutputFailed, match="exists"):
        refine(RefineJob(mask=mask, out=out, permanent_water=water))
    report = Report()
    report.progress = lambda *_: (report.cancelled.set(), report.check())
    with pytest.raises(Cancelled):
        refine(RefineJob(mask=mask, out=out, permanent_water=water, overwrite=True), report)
    assert open(out, "rb").read() == b"before"
    assert sorted(os.listdir(tmp_path)) == ["mask.tif", "refined.tif", "w.tif"]


def test_the_command_line_refines_and_tells(tmp_path, out):
    mask, water = mask_of(tmp_path, flood()), write_raster(tmp_path / "w.tif", np.full((60, 80), 90, np.uint8))
    words = [sys.executable, "-m", "engine", "refine", "--mask", mask, "--out", out, "--permanent-water", water]
    told = subprocess.run([*words, "--json"], capture_output=True, text=True, check=True).stdout
    assert json.loads(told)["hazard_area_m2"] == 0
    told = subprocess.run([*words, "--overwrite"], capture_output=True, text=True, check=True).stdout
    assert "permanent_water_m2" in told


@pytest.mark.parametrize("gcps", [False, True])
def test_slopes_are_those_of_gdaldem(tmp_path, gcps):
    random = np.random.default_rng(0)
    elevations = random.normal(size=(120, 140)).cumsum(0).cumsum(1).astype(np.float32)
    elevations[30:33, 40:44] = -9999
    dem = write_raster(tmp_path / "dem.tif", elevations, nodata=[-9999])
    gdal.DEMProcessing(str(tmp_path / "slope.tif"), dem, "slope")
    expected = read(tmp_path / "slope.tif")
    corners = [(0, 0), (140, 0), (0, 120), (140, 120)]
    how = {"gcps": [gdal.GCP(500000 + 10 * x, 5100000 - 10 * y, 0, x, y) for x, y in corners]} if gcps else {}
    mask = write_raster(tmp_path / "mask.tif", np.ones((120, 140), np.uint8), **how)
    with TaggedRaster(mask) as on, SlopeRaster(dem, on.georeference, "mask") as model:
        slopes = model.slope(on.window)
    known = expected != -9999
    assert np.array_equal(np.isfinite(slopes), known)
    assert np.abs(slopes - expected)[known].max() < 0.02  # metres of UTM are not quite those of the ground
