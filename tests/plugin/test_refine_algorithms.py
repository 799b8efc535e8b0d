"""Refine mask, Compare masks and Add to monitoring series, with the engine's own worker."""

import json
import sqlite3
import sys

import numpy as np
import pytest
import support
from osgeo import gdal, osr
from qgis import processing
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsGeometry,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

PIXEL_M2 = 100.0
TAGS = {"HAZARD": "flood", "HAZARD_MODEL": "unet", "HAZARD_SCENE_DATE": "2024-09-16", "HAZARD_SCENE": "scene.tif"}
REFINE, COMPARE, SERIES = (f"hazardmapper:{name}" for name in ("refinemask", "comparemasks", "monitoringseries"))


@pytest.fixture(scope="module")
def client():
    """A client of the engine itself: these jobs need no network."""
    from hazard_mapper.hazard_plugin.engine_client import EngineClient
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation

    made = EngineClient(lambda: EngineLocation(sys.executable, str(support.ROOT)))
    yield made
    made.shutdown()


def write(path, values, tags=None, nodata=None, epsg=32633):
    values = np.asarray(values)
    kind = gdal.GDT_Byte if values.dtype == np.uint8 else gdal.GDT_Float32
    raster = gdal.GetDriverByName("GTiff").Create(str(path), values.shape[1], values.shape[0], 1, kind)
    raster.SetGeoTransform((500_000.0, 10.0, 0, 4_900_000.0, 0, -10.0))
    if epsg:
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(epsg)
        raster.SetProjection(reference.ExportToWkt())
    raster.SetMetadata(tags or {})
    band = raster.GetRasterBand(1)
    if nodata is not None:
        band.SetNoDataValue(nodata)
    band.WriteArray(values)
    band = raster = None
    return str(path)


def codes():
    found = np.ones((40, 60), np.uint8)
    found[:4] = 0
    found[4:8] = 255
    return found


@pytest.fixture
def mask(tmp_path):
    return write(tmp_path / "mask.tif", codes(), TAGS, 255)


def steep(angle):
    return np.tile(np.arange(60) * 10 * np.tan(np.radians(angle)), (40, 1)).astype(np.float32)


def read(path):
    return gdal.Open(path).ReadAsArray()


def refusal(algorithm, parameters):
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(algorithm, parameters)
    return [line for line in str(caught.value).splitlines() if line.strip()][-1]


def lakes(*rectangles, crs="EPSG:32633"):
    layer = QgsVectorLayer(f"Polygon?crs={crs}", "lakes", "memory")
    for left, top, right, bottom in rectangles:
        feature = QgsFeature()
        rectangle = QgsRectangle(
            500_000 + 10 * left, 4_900_000 - 10 * bottom, 500_000 + 10 * right, 4_900_000 - 10 * top
        )
        feature.setGeometry(QgsGeometry.fromRect(rectangle))
        layer.dataProvider().addFeature(feature)
    layer.updateExtents()
    return layer


def test_permanent_water_of_a_raster_becomes_two(provider, project, mask, tmp_path):
    occurrence = np.zeros((40, 60), np.uint8)
    occurrence[:, :20] = 90
    values = {"INPUT": mask, "WATER": write(tmp_path / "jrc.tif", occurrence), "OUTPUT": str(tmp_path / "r.tif")}
    results = processing.run(REFINE, values)
    expected = codes()
    expected[8:, :20] = 2
    assert np.array_equal(read(results["OUTPUT"]), expected)
    assert results["PERMANENT_WATER_M2"] == pytest.approx(32 * 20 * PIXEL_M2, rel=2e-3)
    assert results["HAZARD_AREA_M2"] == pytest.approx(32 * 40 * PIXEL_M2, rel=2e-3)
    assert results["SHARE_WITHOUT_SLOPE"] is None and results["WARNINGS"] == ""


def test_polygons_of_an_unsaved_layer_count_as_water(provider, project, mask, tmp_path):
    layer = lakes((10, 10, 20, 30), (9000, 0, 9010, 10))
    project.addMapLayer(layer)
    results = processing.run(REFINE, {"INPUT": mask, "WATER": layer.id(), "OUTPUT": str(tmp_path / "r.tif")})
    expected = codes()
    expected[10:30, 10:20] = 2
    assert np.array_equal(read(results["OUTPUT"]), expected)


def test_a_layers_own_file_is_named_so_that_the_step_can_be_repeated(provider, project, mask, tmp_path):
    path = str(tmp_path / "lakes ä #1.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    QgsVectorFileWriter.writeAsVectorFormatV3(
        lakes((10, 10, 20, 30), (30, 10, 40, 30), crs="EPSG:32633"), path, QgsCoordinateTransformContext(), options
    )
    layer = QgsVectorLayer(path, "lakes", "ogr")
    project.addMapLayer(layer)
    expected = codes()
    expected[10:30, 10:20], expected[10:30, 30:40] = 2, 2
    results = processing.run(REFINE, {"INPUT": mask, "WATER": layer.id(), "OUTPUT": str(tmp_path / "r.tif")})
    assert np.array_equal(read(results["OUTPUT"]), expected)
    (step,) = json.loads(gdal.Open(results["OUTPUT"]).GetMetadataItem("HAZARD_STEPS"))
    assert step["job"]["permanent_water"] == path
    layer.setSubsetString("fid = 1")
    results = processing.run(REFINE, {"INPUT": mask, "WATER": layer.id(), "OUTPUT": str(tmp_path / "r2.tif")})
    expected[10:30, 30:40] = codes()[10:30, 30:40]
    assert np.array_equal(read(results["OUTPUT"]), expected)


@pytest.mark.parametrize(
    ("hazard", "angle", "code"), [("flood", 20, 3), ("flood", 11, 1), ("landslide", 2, 3), ("landslide", 20, 1)]
)
def test_an_elevation_model_brings_the_hazards_usual_limit(provider, project, tmp_path, hazard, angle, code):
    mask = write(tmp_path / "mask.tif", codes(), {**TAGS, "HAZARD": hazard}, 255)
    dem = write(tmp_path / "dem.tif", steep(angle))
    results = processing.run(REFINE, {"INPUT": mask, "ELEVATION": dem, "OUTPUT": str(tmp_path / "r.tif")})
    assert (read(results["OUTPUT"])[8:-1, 1:-1] == code).all()


def test_own_limits_win_and_a_hazard_without_limit_asks_for_one(provider, project, tmp_path):
    mask = write(tmp_path / "mask.tif", codes(), {**TAGS, "HAZARD": "glacier_collapse"}, 255)
    values = {"INPUT": mask, "ELEVATION": write(tmp_path / "dem.tif", steep(20)), "OUTPUT": str(tmp_path / "r.tif")}
    assert "no usual slope limit for glacier collapse" in refusal(REFINE, values)
    assert not (tmp_path / "r.tif").exists()
    results = processing.run(REFINE, {**values, "LEAST_SLOPE": 25})
    assert results["RULED_OUT_BY_SLOPE_M2"] > 0 and (read(results["OUTPUT"])[8:-1, 1:-1] == 3).all()


def quality(tmp_path, name, values):
    """A band over the mask's columns, one value a column."""
    band = np.tile(np.resize(np.asarray(values, np.uint16), 60), (40, 1))
    raster = gdal.GetDriverByName("GTiff").Create(str(tmp_path / name), 60, 40, 1, gdal.GDT_UInt16)
    raster.SetGeoTransform((500_000.0, 10.0, 0, 4_900_000.0, 0, -10.0))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32633)
    raster.SetProjection(reference.ExportToWkt())
    raster.GetRasterBand(1).WriteArray(band)
    raster = None
    return str(tmp_path / name), band


def unseen(hidden):
    expected = codes()
    expected[hidden] = 255
    return expected


CLASSES = range(12)
LANDSAT_PIXELS = (21824, 21826, 54596, 22280, 23888, 21952)
"""Clear, dilated cloud, cirrus, cloud, cloud shadow and water in the table of values of USGS LSDS-1619."""


@pytest.mark.parametrize(
    ("name", "values", "chosen", "hides"),
    [
        ("T33_SCL_20m.tif", CLASSES, {}, (3, 8, 9, 10)),
        ("classes.tif", CLASSES, {"NOT_ASSESSED_MEANING": "Sentinel-2 SCL"}, (3, 8, 9, 10)),
        ("LC09_QA_PIXEL.TIF", LANDSAT_PIXELS, {}, (21826, 54596, 22280, 23888)),
        ("S1A_ls_map.tif", range(32), {}, range(2, 32)),
        ("T33_SCL_20m.tif", CLASSES, {"NOT_ASSESSED_MEANING": "any value but 0"}, range(1, 12)),
        ("muscle.tif", CLASSES, {}, range(1, 12)),
        ("c.tif", CLASSES, {"NOT_ASSESSED_MEANING": "own values", "NOT_ASSESSED_CODES": "11, 2"}, (2, 11)),
        ("c.tif", CLASSES, {"NOT_ASSESSED_MEANING": "own bits", "NOT_ASSESSED_CODES": "3"}, range(8, 12)),
    ],
)
def test_what_a_quality_band_says_cannot_be_seen_is_not_assessed(
    provider, project, mask, tmp_path, name, values, chosen, hides
):
    path, band = quality(tmp_path, name, list(values))
    results = processing.run(REFINE, {"INPUT": mask, "NOT_ASSESSED": path, "OUTPUT": str(tmp_path / "r.tif"), **chosen})
    hidden = np.isin(band, list(hides))
    assert np.array_equal(read(results["OUTPUT"]), unseen(hidden))
    newly = np.count_nonzero(hidden & (codes() != 255))
    assert results["NEWLY_NOT_ASSESSED_M2"] == pytest.approx(newly * PIXEL_M2, rel=2e-3)
    assert results["SHARE_ASSESSED"] == pytest.approx(((codes() != 255) & ~hidden).mean(), abs=1e-5)
    assert results["SHARE_WITHOUT_VISIBILITY"] == 0 and results["SHARE_WITHOUT_REFERENCE"] is None


def test_clouds_drawn_by_hand_are_not_assessed(provider, project, mask, tmp_path):
    layer = lakes((10, 0, 20, 30), (50, 30, 9000, 9000))
    project.addMapLayer(layer)
    results = processing.run(REFINE, {"INPUT": mask, "NOT_ASSESSED": layer.id(), "OUTPUT": str(tmp_path / "r.tif")})
    hidden = np.zeros((40, 60), bool)
    hidden[:30, 10:20], hidden[30:, 50:] = True, True
    assert np.array_equal(read(results["OUTPUT"]), unseen(hidden))
    values = {"INPUT": mask, "NOT_ASSESSED": layer.id(), "OUTPUT": str(tmp_path / "s.tif")}
    assert "holds polygons" in refusal(REFINE, {**values, "NOT_ASSESSED_MEANING": "Sentinel-2 SCL"})


def test_meanings_that_do_not_fit_are_refused_in_one_sentence(provider, project, mask, tmp_path):
    path, _ = quality(tmp_path, "c.tif", list(CLASSES))
    values = {"INPUT": mask, "NOT_ASSESSED": path, "OUTPUT": str(tmp_path / "r.tif")}
    assert "none is given" in refusal(REFINE, {**values, "NOT_ASSESSED_MEANING": "own bits"})
    assert "is chosen; choose" in refusal(REFINE, {**values, "NOT_ASSESSED_CODES": "3"})
    own = {"NOT_ASSESSED_MEANING": "own values", "NOT_ASSESSED_CODES": "x"}
    assert "not a list of whole numbers" in refusal(REFINE, {**values, **own})
    bits = {"NOT_ASSESSED_MEANING": "own bits", "NOT_ASSESSED_CODES": "16"}
    assert "no bit 16" in refusal(REFINE, {**values, **bits})
    assert not (tmp_path / "r.tif").exists() and support.hidden_files(tmp_path) == []


def test_what_cannot_be_is_refused_in_one_sentence(provider, project, mask, tmp_path):
    values = {"INPUT": mask, "OUTPUT": str(tmp_path / "r.tif")}
    assert "Nothing to refine" in refusal(REFINE, values)
    points = QgsVectorLayer("Point?crs=EPSG:32633", "gauges", "memory")
    shown = QgsRasterLayer(write(tmp_path / "dem.tif", steep(3), epsg=None), "dem")
    shown.setCrs(QgsCoordinateReferenceSystem("EPSG:32633"))
    project.addMapLayers([points, shown])
    assert "has no polygons" in refusal(REFINE, {**values, "WATER": points.id()})
    assert "another CRS in the project" in refusal(REFINE, {**values, "ELEVATION": shown.id()})
    assert "same file" in refusal(COMPARE, {"BEFORE": mask, "AFTER": mask, "OUTPUT": str(tmp_path / "c.tif")})


def test_gained_and_lost_are_a_layer_and_numbers(provider, project, mask, tmp_path):
    later = codes()
    later[8:, :30] = 0
    later[:4] = 1
    later = write(tmp_path / "later.tif", later, TAGS, 255)
    results = processing.run(COMPARE, {"BEFORE": mask, "AFTER": later, "OUTPUT": str(tmp_path / "c.tif")})
    found = read(results["OUTPUT"])
    assert (found[:4] == 1).all() and (found[8:, :30] == 2).all() and (found[8:, 30:] == 3).all()
    assert results["GAINED_M2"] == pytest.approx(240 * PIXEL_M2, rel=2e-3)
    assert results["LOST_M2"] == pytest.approx(960 * PIXEL_M2, rel=2e-3)
    assert results["SHARE_ASSESSED"] == pytest.approx(0.9, abs=1e-5)


def test_results_are_loaded_named_and_styled(provider, project, mask, tmp_path):
    layer = QgsRasterLayer(mask, "Faenza")
    layer.setCustomProperty("hazardmapper/hazard", "flood")
    layer.setCustomProperty("hazardmapper/run", "r1")
    water = lakes((0, 0, 10, 40))
    project.addMapLayers([layer, water])
    processing.runAndLoadResults(REFINE, {"INPUT": layer, "WATER": water, "OUTPUT": str(tmp_path / "r.tif")})
    later = write(tmp_path / "later.tif", codes(), TAGS, 255)
    processing.runAndLoadResults(COMPARE, {"BEFORE": later, "AFTER": layer, "OUTPUT": str(tmp_path / "c.tif")})
    processing.runAndLoadResults(SERIES, {"INPUT": layer, "TABLE": str(tmp_path / "s.gpkg")})
    named = {found.name(): found for found in project.mapLayers().values()}
    refined, change, series = (
        named[name] for name in ("Flood, refined - Faenza", "Flood gained and lost - Faenza", "series")
    )
    assert [c.label for c in refined.renderer().classes()] == ["None", "Flood", "Permanent water", "Ruled out by slope"]
    assert [c.label for c in change.renderer().classes()] == ["None", "Gained", "Lost", "Unchanged"]
    assert refined.customProperty("hazardmapper/kind") == "mask" and refined.customProperty("hazardmapper/run") == "r1"
    assert change.customProperty("hazardmapper/kind") == "change"
    assert series.isValid() and not series.isSpatial() and series.featureCount() == 1


def test_a_series_that_is_shown_gains_rows_and_is_not_loaded_twice(provider, project, mask, tmp_path):
    table = str(tmp_path / "s.gpkg")
    processing.runAndLoadResults(SERIES, {"INPUT": mask, "TABLE": table})
    shown = project.mapLayersByName("series")
    assert len(shown) == 1 and len(list(shown[0].getFeatures())) == 1
    assert "--replace" in refusal(SERIES, {"INPUT": mask, "TABLE": table})
    results = processing.runAndLoadResults(SERIES, {"INPUT": mask, "TABLE": table, "DATE": "2024-09-20"})
    assert results["ROWS"] == 2 and results["GAINED_M2"] == 0
    assert len(project.mapLayersByName("series")) == 1
    assert sorted(row["date"].toString("yyyy-MM-dd") for row in shown[0].getFeatures()) == ["2024-09-16", "2024-09-20"]
    shown[0].startEditing()
    assert "being edited" in refusal(SERIES, {"INPUT": mask, "TABLE": table, "DATE": "2024-09-21"})
    shown[0].rollBack()
    with sqlite3.connect(table) as database:
        assert database.execute("SELECT count(*) FROM series").fetchone() == (2,)


def test_they_run_on_a_background_thread_and_cancel_leaves_nothing(provider, project, mask, tmp_path):
    project.addMapLayer(lakes((0, 0, 10, 40)))
    (water,) = project.mapLayersByName("lakes")
    for cancelled in (False, True):
        out = tmp_path / f"r_{cancelled}.tif"
        feedback, context = QgsProcessingFeedback(False), QgsProcessingContext()
        context.setProject(project)
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(REFINE)
        values = {"INPUT": mask, "WATER": water, "OUTPUT": str(out)}
        task = QgsProcessingAlgRunnerTask(algorithm, values, context, feedback)
        outcome = []
        task.executed.connect(lambda ok, results, outcome=outcome: outcome.append((ok, results)))
        if cancelled:
            feedback.cancel()
        QgsApplication.taskManager().addTask(task)
        assert support.wait_until(lambda outcome=outcome: outcome)
        assert out.exists() is not cancelled
    assert support.hidden_files(tmp_path) == []


@pytest.mark.parametrize("algorithm", [REFINE, COMPARE, SERIES])
def test_help_is_complete(provider, algorithm):
    found = QgsApplication.processingRegistry().algorithmById(algorithm)
    assert found.shortHelpString() and found.shortDescription() and found.groupId() == "delivery" and found.tags()
