"""Hazard polygons in QGIS, with the real engine: what Processing gets, how the layer looks, what is refused."""

import os

import numpy as np
import pytest
from osgeo import gdal, osr
from qgis import processing
from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)
from support import hidden_files, wait_until

ALGORITHM = "hazardmapper:hazardpolygons"


def write_mask(path, values, **tags):
    height, width = values.shape
    raster = gdal.GetDriverByName("GTiff").Create(str(path), width, height, 1, gdal.GDT_Byte)
    raster.SetGeoTransform((500_000.0, 10.0, 0, 4_900_000.0, 0, -10.0))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32633)
    raster.SetProjection(reference.ExportToWkt())
    raster.SetMetadata({"HAZARD": "landslide", "HAZARD_MODEL": "unet", **tags})
    raster.GetRasterBand(1).SetNoDataValue(255)
    raster.GetRasterBand(1).WriteArray(values)
    return str(path)


@pytest.fixture
def mask(tmp_path):
    values = np.zeros((40, 50), "u1")
    values[5:15, 5:15] = 1
    values[8:11, 8:11] = 0
    values[20:22, 30:32] = 1
    values[30:] = 255
    return write_mask(tmp_path / "mask.tif", values)


@pytest.fixture
def trace(engine, mask, tmp_path, project):
    def run(**parameters):
        return processing.run(ALGORITHM, {"INPUT": mask, "OUTPUT": str(tmp_path / "polygons.gpkg"), **parameters})

    return run


def refusal(trace, **parameters):
    with pytest.raises(QgsProcessingException) as caught:
        trace(**parameters)
    return [line for line in str(caught.value).splitlines() if line.strip()][-1]


def features(path):
    layer = QgsVectorLayer(str(path), "polygons", "ogr")
    assert layer.isValid()
    return list(layer.getFeatures())


def test_polygons_have_the_pixels_areas_and_qgis_measures_the_same(trace, tmp_path):
    results = trace()
    found = sorted(features(results["OUTPUT"]), key=lambda f: -f["area_m2"])
    assert [round(f.geometry().area()) for f in found] == [9100, 400]
    assert results["COUNT"] == 2 and results["SHARE_ASSESSED"] == 0.75 and "25.0% of the mask" in results["WARNINGS"]
    from qgis.core import QgsDistanceArea

    measure = QgsDistanceArea()
    measure.setSourceCrs(QgsVectorLayer(results["OUTPUT"]).crs(), QgsProject.instance().transformContext())
    measure.setEllipsoid("EPSG:7030")
    total = 0.0
    for feature in found:
        area = measure.measureArea(feature.geometry())
        assert feature["area_m2"] == pytest.approx(area, rel=1e-3)
        total += area
    assert results["AREA_M2"] == pytest.approx(total, rel=1e-3)
    assert not hidden_files(tmp_path)


def test_probability_and_filters_reach_the_engine(trace, tmp_path):
    values = np.full((40, 50), 80, "u1")
    values[5, 5] = 55
    probability = write_mask(tmp_path / "probability.tif", values)
    results = trace(PROBABILITY=probability, MINIMUM_AREA_M2=1000, SIMPLIFY_M=5, SMOOTH=1, DATE="2024-09-16")
    (only,) = features(results["OUTPUT"])
    assert only["prob_min"] == pytest.approx(0.55)
    assert only["prob_mean"] == pytest.approx((90 * 80 + 55) / 91 / 100)
    assert only["scene_date"] == "2024-09-16"
    assert only.geometry().area() < 9100


@pytest.mark.parametrize("ending", ["shp", "geojson", "fgb"])
def test_the_ending_of_the_output_is_its_format(trace, tmp_path, ending):
    results = trace(OUTPUT=str(tmp_path / f"polygons.{ending}"))
    assert len(features(results["OUTPUT"])) == 2


def test_a_layer_that_is_loaded_is_named_styled_and_can_be_corrected(engine, mask, tmp_path, project):
    from hazard_mapper.hazard_plugin.layer_origin import hazard_of, kind_of_layer

    algorithm = QgsApplication.processingRegistry().createAlgorithmById(ALGORITHM)
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
    context.setProject(project)
    out = str(tmp_path / "polygons.gpkg")
    details = QgsProcessingContext.LayerDetails("OUTPUT", project, "OUTPUT")
    context.addLayerToLoadOnCompletion(out, details)
    results, done = algorithm.run({"INPUT": mask, "OUTPUT": out}, context, feedback)
    assert done and results["COUNT"] == 2
    layer = QgsVectorLayer(out, "x", "ogr")
    project.addMapLayer(layer)
    context.layerToLoadOnCompletionDetails(out).postProcessor().postProcessLayer(layer, context, feedback)
    assert layer.name() == "Landslide polygons - mask"
    assert (kind_of_layer(layer), hazard_of(layer)) == ("polygons", "landslide")
    rules = layer.renderer().rootRule().children()
    assert [rule.label() for rule in rules] == ["Landslide", "Landslide, drawn by hand", "Removed by hand"]


def test_manual_corrections_are_kept(trace, tmp_path):
    first = trace()["OUTPUT"]
    layer = QgsVectorLayer(first, "polygons", "ogr")
    drawn = QgsFeature(layer.fields())
    drawn["origin"] = "manual"
    drawn.setGeometry(
        QgsGeometry.fromWkt("MultiPolygon(((500100 4899900,500200 4899900,500200 4900000,500100 4899900)))")
    )
    assert layer.dataProvider().addFeatures([drawn])[0]
    del layer
    results = trace(MANUAL=first, OUTPUT=str(tmp_path / "again.gpkg"))
    found = features(results["OUTPUT"])
    assert results["MANUAL_COUNT"] == 1 and results["COUNT"] == 3
    (manual,) = [f for f in found if f["origin"] == "manual"]
    assert manual.geometry().area() == pytest.approx(5000)
    shared = [f.geometry().intersection(manual.geometry()).area() for f in found if f["origin"] == "model"]
    assert sum(shared) == pytest.approx(0, abs=1e-6)


def test_unsaved_edits_are_refused(trace, project):
    layer = QgsVectorLayer(trace()["OUTPUT"], "polygons", "ogr")
    project.addMapLayer(layer)
    layer.startEditing()
    layer.deleteFeature(next(layer.getFeatures()).id())
    assert "not saved" in refusal(trace, MANUAL=layer, OUTPUT="/tmp/other.gpkg")
    layer.rollBack()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"OUTPUT": "/tmp/x.kml"}, "choose a name ending in .gpkg"),
        ({"DATE": "yesterday"}, "not a date"),
        ({"MANUAL": "/nowhere/m.gpkg"}, "MANUAL"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(trace, parameters, words):
    assert words in refusal(trace, **parameters) or "cannot be opened" in refusal(trace, **parameters)


def test_a_probability_as_mask_is_refused_and_leaves_nothing(trace, tmp_path):
    probability = write_mask(tmp_path / "p.tif", np.full((5, 6), 57, "u1"))
    assert "holds 57" in refusal(trace, INPUT=probability)
    assert not os.path.exists(tmp_path / "polygons.gpkg") and not hidden_files(tmp_path)


def test_it_runs_in_a_background_thread(engine, mask, tmp_path, project):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(ALGORITHM)
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
    context.setProject(project)
    task = QgsProcessingAlgRunnerTask(algorithm, {"INPUT": mask, "OUTPUT": str(tmp_path / "o.gpkg")}, context, feedback)
    ended = []
    task.executed.connect(lambda successful, results: ended.append((successful, results)))
    QgsApplication.taskManager().addTask(task)
    assert wait_until(lambda: ended, 60)
    assert ended[0][0] and ended[0][1]["COUNT"] == 2


def test_corrections_beside_other_layers_in_a_file_are_refused_and_a_filter_is_told(trace, tmp_path, project):
    from qgis.core import QgsCoordinateTransformContext, QgsVectorFileWriter

    first = QgsVectorLayer(trace()["OUTPUT"], "polygons", "ogr")
    shared = str(tmp_path / "shared.gpkg")
    for name in ("one", "two"):
        options = QgsVectorFileWriter.SaveVectorOptions()
        options.layerName = name
        if os.path.exists(shared):
            options.actionOnExistingFile = QgsVectorFileWriter.CreateOrOverwriteLayer
        QgsVectorFileWriter.writeAsVectorFormatV3(first, shared, QgsCoordinateTransformContext(), options)
    layers = [QgsVectorLayer(f"{shared}|layername={name}", name, "ogr") for name in ("one", "two")]
    project.addMapLayers(layers)
    assert "file of its own" in refusal(trace, MANUAL=layers[1].id(), OUTPUT=str(tmp_path / "again.gpkg"))
    layers[0].setSubsetString("\"origin\" = 'manual'")
    feedback = QgsProcessingFeedback(False)
    values = {"INPUT": str(tmp_path / "mask.tif"), "MANUAL": layers[0].id(), "OUTPUT": str(tmp_path / "again.gpkg")}
    assert processing.run(ALGORITHM, values, feedback=feedback)["COUNT"] == 2
    assert "filter" in feedback.textLog()
