"""Where and when a scene was taken, and by what: from grids, tags and names with a known answer."""

from datetime import date, timedelta

import numpy as np
import pytest
from osgeo import gdal
from scenes import write_raster

from engine.characteristics import find_characteristics
from engine.inspect_scene import inspect_scene
from engine.product_names import date_in_name
from engine.protocol import AdaptJob, BadInput, InspectJob, SceneJob
from engine.raster import Scene

LATEST = date(2026, 1, 1)
S2_NAME = "S2B_MSIL2A_20240916T100559_N0511_R022_T32TPQ_20240917T140000"
TEN_M_AT_9_EAST = (500000.0, 10.0, 0.0, 0.0, 0.0, -10.0)
"""Zone 32 has its central meridian, 9 degrees east, at 500000 m; northing 0 is the equator."""


def bands(count=4, kind="u2"):
    return np.random.default_rng(0).integers(1, 200, (count, 20, 40)).astype(kind)


def found_in(path, *, understood=True, job=None, **options):
    """What is found of a raster; ``job`` stands for one with more fields than a scene's."""
    scene_job = SceneJob(raster=str(path), **options)
    with Scene(scene_job) as scene:
        return find_characteristics(scene, scene.understand() if understood else None, job or scene_job)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("S1A_IW_GRDH_1SDV_20190913T235950_20190914T000015_029000_0349F3_2C1B.SAFE", "2019-09-13"),
        ("S1B_IW_SLC__1SDV_20190913T055812_20190914T055837_029000_0349F3_2C1B.zip", "2019-09-13"),
        ("s1a-iw-grd-vv-20190913t235950-20190914t000015-029000-0349f3-001.tiff", "2019-09-13"),
        ("S1A_IW_20190913T060114_DVP_RTC30_G_gpuned_1A2B_VV.tif", "2019-09-13"),
        (S2_NAME + ".SAFE", "2024-09-16"),
        ("S2A_MSIL1C_20240916_clip.tif", "2024-09-16"),
        ("S2A_OPER_PRD_MSIL1C_PDMC_20160320T145513_R108_V20160318T100012_20160318T100012.SAFE", "2016-03-18"),
        ("S2A_OPER_MSI_L1C_TL_EPA__20160517T141912_A000734_T32TPQ_B03.jp2", None),  # the day it was made
        ("L2A_T32TPQ_A039300_20240916T101124", "2024-09-16"),
        ("T32TPQ_20240916T100559_B02_10m.jp2", "2024-09-16"),
        ("S2B_32TPQ_20240916_0_L2A.tif", "2024-09-16"),
        ("S2B_1CDH_20240916_0_L2A.tif", "2024-09-16"),
        ("20240916T100559_20240917T101145_T32TPQ.tif", "2024-09-16"),
        ("SENTINEL2A_20240916-101600-123_L2A_T32TPQ_C_V1-0", "2024-09-16"),
        ("LC08_L2SP_192029_20240916_20240920_02_T1_SR_B4.TIF", "2024-09-16"),
        ("LC08_192029_20240916.tif", "2024-09-16"),
        ("LC081920292024091602T1-SC20240925120000", "2024-09-16"),
        ("LT51920291990123KIS00.tar", "1990-05-03"),
        ("LE70220491999322EDC01_stack.tif", "1999-11-18"),
        ("LT51920291990366KIS00.tif", None),  # 1990 had 365 days
        ("HLS.S30.T32TPQ.2024260T100559.v2.0.B02.tif", "2024-09-16"),
        ("20240916_095432_12_24b9_3B_AnalyticMS_SR_20241001.tif", "2024-09-16"),
        ("20240916_095432_1054_3B_AnalyticMS.tif", "2024-09-16"),
        ("20200814_162132_ssc4d3_0021_analytic.tif", "2020-08-14"),
        ("flood_2024-09-16.tif", "2024-09-16"),
        ("flood_2024_09_16.tif", "2024-09-16"),
        ("S2_20240916_B12.tif", "2024-09-16"),
        ("2024-09-16_again_20240916.tif", "2024-09-16"),
        ("median_20240901_20240930.tif", None),
        ("flood_20241316.tif", None),
        ("flood_19711231.tif", None),
        ("flood_20260102.tif", None),
        ("flood_20260101.tif", "2026-01-01"),
        ("order_1202409160.tif", None),
        ("20240916095432.tif", None),
        ("flood_2024.tif", None),
        ("flood.tif", None),
        ("", None),
    ],
)
def test_a_name_says_the_day_that_the_product_was_taken(name, day):
    found, _ = date_in_name(name, LATEST)
    assert (found.isoformat() if found else None) == day


def test_the_place_is_the_centre_of_the_scene(tmp_path):
    # 40 x 20 pixels of 10 m, whose left upper corner is 200 m west and 100 m north of 9 E, 0 N
    path = write_raster(tmp_path / "a.tif", bands(), geotransform=(499800.0, 10.0, 0.0, 100.0, 0.0, -10.0))
    found = found_in(path, understood=False)
    assert found.characteristics.longitude == pytest.approx(9, abs=1e-6)
    assert found.characteristics.latitude == pytest.approx(0, abs=1e-6)
    assert found.sources["longitude_latitude"] == "centre of the scene"


def test_the_place_is_the_centre_of_the_extent(tmp_path):
    path = write_raster(tmp_path / "a.tif", bands(), geotransform=TEN_M_AT_9_EAST)
    found = found_in(path, understood=False, extent=(500000, -200, 500200, 0))
    # 100 m: 0.9996 of a metre along the equator is 1 / 111319.49 degrees, and along the meridian 1 / 110574.39
    assert found.characteristics.longitude == pytest.approx(9 + 100 / 0.9996 / 111319.49, abs=1e-7)
    assert found.characteristics.latitude == pytest.approx(-100 / 0.9996 / 110574.39, abs=1e-7)
    assert found.sources["longitude_latitude"] == "centre of the extent"


def test_an_extent_outside_the_scene_is_bad_input(tmp_path):
    path = write_raster(tmp_path / "a.tif", bands(), geotransform=TEN_M_AT_9_EAST)
    with pytest.raises(BadInput, match="outside the scene"):
        found_in(path, understood=False, extent=(0, 0, 10, 10))


@pytest.mark.parametrize(
    ("crs", "geotransform", "longitude", "latitude"),
    [
        ("EPSG:4326", (190.0, 0.1, 0, 51.0, 0, -0.1), -168.0, 50.0),
        ("EPSG:4807", (0.0, 0.1, 0, 51.0, 0, -0.1), 2.33723 + 1.8, 45.0),  # Paris meridian, grads: 2 and 50
        ("EPSG:3857", (-2000.0, 100.0, 0, 1000.0, 0, -100.0), 0.0, 0.0),
    ],
)
def test_the_place_is_wgs_84_whatever_the_crs(tmp_path, crs, geotransform, longitude, latitude):
    path = write_raster(tmp_path / "a.tif", bands(), crs=crs, geotransform=geotransform)
    found = found_in(path, understood=False).characteristics
    assert found.longitude == pytest.approx(longitude, abs=2e-3)
    assert found.latitude == pytest.approx(latitude, abs=2e-3)


@pytest.mark.parametrize("how", [{"crs": None}, {"geotransform": None}, {"crs": None, "geotransform": None}])
def test_a_scene_that_lies_nowhere_has_no_place(tmp_path, how):
    found = found_in(write_raster(tmp_path / "a.tif", bands(), **how), understood=False)
    assert (found.characteristics.longitude, found.characteristics.latitude) == (None, None)
    assert found.sources["longitude_latitude"] == "not known"


@pytest.mark.parametrize(
    ("tags", "source"),
    [
        ({"PRODUCT_START_TIME": "2024-09-16T10:05:59.024Z", "GENERATION_TIME": "2024-09-17"}, "PRODUCT_START_TIME"),
        ({"DATATAKE_1_DATATAKE_SENSING_START": "2024-09-16T10:05:59.024Z"}, "DATATAKE_1_DATATAKE_SENSING_START"),
        ({"DATE_ACQUIRED": "2024-09-16"}, "DATE_ACQUIRED"),
        ({"acquisition_date": "20240916"}, "acquisition_date"),
        ({"NC_GLOBAL#time_coverage_start": "2024-09-16T00:00:00"}, "NC_GLOBAL#time_coverage_start"),
        ({"ACQUISITION_TIME": "2024:09:16 10:05:59", "PRODUCT_START_TIME": "soon"}, "ACQUISITION_TIME"),
    ],
)
def test_tags_say_the_day_before_the_name(tmp_path, tags, source):
    found = found_in(write_raster(tmp_path / "s_20200101.tif", bands(), tags=tags), understood=False)
    assert (found.date, found.characteristics.day_of_year) == ("2024-09-16", 260)
    assert found.sources["date"] == f"tag {source}"


@pytest.mark.parametrize(
    "tags",
    [
        {"TIFFTAG_DATETIME": "2024:09:16 10:05:59"},
        {"GENERATION_TIME": "2024-09-16T10:05:59Z"},
        {"DATE_ACQUIRED": "1824-09-16"},
        {"DATE_ACQUIRED": (date.today() + timedelta(days=3)).isoformat()},
        {"DATE_ACQUIRED": "2024-13-16"},
        {"DATE_ACQUIRED": "16 September"},
    ],
)
def test_when_a_file_was_made_or_what_cannot_be_is_no_day(tmp_path, tags):
    found = found_in(write_raster(tmp_path / "s.tif", bands(), tags=tags), understood=False)
    assert (found.date, found.characteristics.day_of_year, found.sources["date"]) == (None, None, "not known")


def test_the_imagery_domain_says_the_day(tmp_path):
    path = write_raster(tmp_path / "s.tif", bands())
    dataset = gdal.Open(path, gdal.GA_Update)
    dataset.SetMetadata({"ACQUISITIONDATETIME": "2024-09-16 10:05:59"}, "IMAGERY")
    dataset = None
    found = found_in(path, understood=False)
    assert (found.date, found.sources["date"]) == ("2024-09-16", "tag ACQUISITIONDATETIME")


@pytest.mark.parametrize(
    ("path", "day", "source"),
    [
        ("2025-01-31/flood.tif", "2025-01-31", "folder name 2025-01-31"),
        ("2025-01-31/flood_20240916.tif", "2024-09-16", "file name flood_20240916.tif"),
        ("T32TPQ_20240916T100559/export_20250131/b.tif", "2024-09-16", "folder name T32TPQ_20240916T100559"),
        ("2025-01-31/median_20240901_20240930.tif", None, "not known"),
        ("2025-01-31/S2A_OPER_MSI_L1C_TL_EPA__20160517T141912_A000734_T32TPQ_B03.tif", None, "not known"),
        ("2025-01-31/a/b/flood.tif", None, "not known"),
        (f"{S2_NAME}.SAFE/R10m/a.tif", "2024-09-16", f"folder name {S2_NAME}"[:69] + "..."),
    ],
)
def test_products_along_the_path_decide_then_the_nearest_plain_date(tmp_path, path, day, source):
    (tmp_path / path).parent.mkdir(parents=True)
    found = found_in(write_raster(tmp_path / path, bands()), understood=False)
    assert (found.date, found.sources["date"]) == (day, source)


def test_what_the_job_gives_goes_first(tmp_path):
    path = write_raster(tmp_path / f"{S2_NAME}.tif", bands(), tags={"DATE_ACQUIRED": "2024-09-16"})
    corrected = {"date": "2020-12-31", "longitude": -70.5, "latitude": -13.0, "sensor": "landsat-8"}
    job = AdaptJob(raster=path, hazard="flood", save="adapted", **corrected)
    found = found_in(path, understood=False, job=job)
    known = found.characteristics
    assert (known.longitude, known.latitude, known.day_of_year, known.sensor) == (-70.5, -13.0, 366, "landsat-8")
    assert found.date == "2020-12-31"
    assert set(found.sources.values()) == {"given"}


@pytest.mark.parametrize(
    ("name", "count", "kind", "options", "sensor", "source"),
    [
        (f"{S2_NAME}.tif", 4, "u2", {}, "sentinel-2-l2a", f"file name {S2_NAME}.tif"[:67] + "..."),
        ("a.tif", 6, "u2", {"sensor": "landsat-9"}, "landsat-9", "given"),
        ("a.tif", 2, "f4", {"bands": ("vv", "vh")}, "sentinel-1", "radar bands"),
        (f"{S2_NAME}.tif", 2, "f4", {"bands": ("vv", "vh")}, "sentinel-1", "radar bands"),
        ("a.tif", 3, "u1", {"bands": ("red", "green", "blue"), "units": "byte"}, "rgb", "three display bands"),
        ("a.tif", 3, "u1", {}, "rgb", "colour interpretation"),
        ("a.tif", 4, "u2", {"bands": ("red", "green", "blue", "nir")}, None, "not known"),
    ],
)
def test_the_sensor_comes_from_name_or_bands(tmp_path, name, count, kind, options, sensor, source):
    found = found_in(write_raster(tmp_path / name, bands(count, kind)), **options)
    assert (found.characteristics.sensor, found.sources["sensor"]) == (sensor, source)


def test_tags_name_the_sensor_and_unknown_bands_do_not_hide_it(tmp_path):
    path = write_raster(tmp_path / "a.tif", bands(5), tags={"SPACECRAFT_ID": "LANDSAT_8"})
    found = found_in(path, understood=False)
    assert (found.characteristics.sensor, found.sources["sensor"]) == ("landsat-8", "tag SPACECRAFT_ID")


@pytest.mark.parametrize("count", [3, 5])
def test_inspect_tells_the_characteristics_whether_bands_are_known_or_not(tmp_path, count):
    path = write_raster(
        tmp_path / "flood_20240916.tif",
        bands(count, "u1" if count == 3 else "u2"),
        geotransform=(499800.0, 10.0, 0.0, 100.0, 0.0, -10.0),
    )
    assert inspect_scene(InspectJob(raster=path))["characteristics"] == {
        "longitude": 9.0,
        "latitude": 0.0,
        "date": "2024-09-16",
        "sensor": "rgb" if count == 3 else None,
        "sources": {
            "longitude_latitude": "centre of the scene",
            "date": "file name flood_20240916.tif",
            "sensor": "colour interpretation" if count == 3 else "not known",
        },
    }


def test_inspect_has_null_for_what_is_not_known(tmp_path):
    path = write_raster(tmp_path / "a.tif", bands(5), crs=None)
    assert inspect_scene(InspectJob(raster=path))["characteristics"] == {
        "longitude": None,
        "latitude": None,
        "date": None,
        "sensor": None,
        "sources": dict.fromkeys(("longitude_latitude", "date", "sensor"), "not known"),
    }
