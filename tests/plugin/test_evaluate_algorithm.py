"""Accuracy check with the real engine: raster or polygons, scores, error layer and page, against counts by hand."""

import os
import sys

import numpy as np
import pytest
import support
from osgeo import gdal, osr
from qgis import processing
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)

EVALUATE = "hazardmapper:evaluatemask"
X0, Y0, PX = 500_000.0, 5_000_000.0, 10.0


@pytest.fixture(scope="module")
def engine():
    from hazard_mapper.hazard_plugin.engine_client import EngineClient
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation

    made = EngineClient(lambda: EngineLocation(sys.executable, str(support.ROOT)))
    yield made
    made.shutdown()


@pytest.fixture
def provider(engine, training, qgis_processing):
    from hazard_mapper.hazard_plugin.provider import HazardProvider

    made = HazardProvider(engine, training)
    QgsApplication.processingRegistry().addProvider(made)
    yield made
    QgsApplication.processingRegistry().removeProvider(made)


def write_bytes(path, values, **tags):
    height, width = values.shape
    raster = gdal.GetDriverByName("GTiff").Create(str(path), width, height, 1, gdal.GDT_Byte)
    raster.SetGeoTransform((X0, PX, 0, Y0, 0, -PX))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32632)
    raster.SetProjection(reference.ExportToWkt())
    raster.SetMetadata(tags)
    raster.GetRasterBand(1).WriteArray(values)
    raster = None
    return str(path)


@pytest.fixture
def mask(tmp_path):
    """Hazard in columns 10 to 29 and rows 10 to 29; the last ten columns are not assessed."""
    values = np.zeros((50, 60), "u1")
    values[10:30, 10:30] = 1
    values[:, 50:] = 255
    return write_bytes(tmp_path / "mask.tif", values, HAZARD="flood", HAZARD_MODEL="unet")


def written(folder):
    """Names of all files but those that QGIS makes when it shows a raster."""
    return sorted(name for name in os.listdir(folder) if not name.endswith(".aux.xml"))


def polygons(*boxes, crs="EPSG:32632"):
    layer = QgsVectorLayer(f"Polygon?crs={crs}", "truth", "memory")
    source, target = QgsCoordinateReferenceSystem("EPSG:32632"), QgsCoordinateReferenceSystem(crs)
    move = QgsCoordinateTransform(source, target, QgsProject.instance())
    features = []
    for left, top, right, bottom in boxes:
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        ring = ",".join(f"{X0 + x * PX} {Y0 - y * PX}" for x, y in corners)
        geometry = QgsGeometry.fromWkt(f"POLYGON(({ring}))")
        geometry.transform(move)
        feature = QgsFeature()
        feature.setGeometry(geometry)
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    return layer


EXPECTED = {"TP": 200, "FP": 200, "FN": 300, "TN": 1800, "NOT_ASSESSED": 500}
"""Against a reference in columns 20 to 44 and rows 10 to 29."""


@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:4326"])
def test_polygons_score_a_mask_and_show_where_it_errs(provider, project, mask, tmp_path, crs):
    errors, page = str(tmp_path / "errors.tif"), str(tmp_path / "accuracy.html")
    parameters = {"MASK": mask, "REFERENCE_POLYGONS": polygons((20, 10, 45, 30), crs=crs)}
    results = processing.run(EVALUATE, {**parameters, "ERRORS": errors, "REPORT": page})
    assert {name: results[name] for name in EXPECTED} == EXPECTED
    assert results["PRECISION"] == 0.5 and results["RECALL"] == 0.4 and results["IOU"] == pytest.approx(200 / 700)
    values = gdal.Open(errors).ReadAsArray()
    assert [(values == code).sum() for code in (1, 3, 2, 0, 255)] == list(EXPECTED.values())
    assert (values[10:30, 20:30] == 1).all() and (values[10:30, 30:45] == 2).all()
    text = open(page, encoding="utf-8").read()
    for words in ("0.500", "0.400", "1,800 pixels", "0.020 km²", "free of hazard", "500 pixels"):
        assert words in text, words
    assert written(tmp_path) == ["accuracy.html", "errors.qml", "errors.tif", "mask.tif"]


def test_polygons_that_cross_themselves_are_mended_and_curves_are_followed(provider, project, mask):
    """QGIS's own check of them would end the program instead."""
    left, right, top, bottom = (X0 + 20 * PX, X0 + 45 * PX, Y0 - 10 * PX, Y0 - 30 * PX)
    middle = (left + right) / 2
    bow = f"POLYGON(({left} {top},{right} {bottom},{right} {top},{left} {bottom},{left} {top}))"
    arc = f"{left} {top},{middle} {top - 100},{right} {top},{middle} {top + 100},{left} {top}"
    circle = f"CURVEPOLYGON(CIRCULARSTRING({arc}))"
    for wkt, size in ((bow, 250), (circle, None)):
        layer = QgsVectorLayer(
            "CurvePolygon?crs=EPSG:32632" if size is None else "Polygon?crs=EPSG:32632", "t", "memory"
        )
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        assert layer.dataProvider().addFeatures([feature])[0]
        results = processing.run(EVALUATE, {"MASK": mask, "REFERENCE_POLYGONS": layer})
        inside = results["TP"] + results["FN"]
        assert inside == pytest.approx(size, abs=25) if size else inside > 100


def test_only_selected_polygons_count_where_asked(provider, project, mask):
    layer = polygons((20, 10, 45, 30), (0, 0, 5, 5))
    project.addMapLayer(layer)
    layer.selectByIds([min(feature.id() for feature in layer.getFeatures())])
    chosen = QgsProcessingFeatureSourceDefinition(layer.id(), True)
    results = processing.run(EVALUATE, {"MASK": mask, "REFERENCE_POLYGONS": chosen})
    assert {name: results[name] for name in EXPECTED} == EXPECTED


def test_a_raster_is_a_reference_as_before(provider, project, mask, tmp_path):
    truth = np.zeros((50, 60), "u1")
    truth[10:30, 20:45] = 1
    reference = write_bytes(tmp_path / "truth.tif", truth)
    results = processing.run(EVALUATE, {"MASK": mask, "REFERENCE": reference})
    assert {name: results[name] for name in EXPECTED} == EXPECTED and "ERRORS" not in results


def test_the_error_layer_is_named_and_styled_when_loaded(provider, project, mask, tmp_path):
    from hazard_mapper.hazard_plugin.hazards import KIND_PROPERTY

    layer = QgsRasterLayer(mask, "Flood - Po")
    project.addMapLayer(layer)
    context = QgsProcessingContext()
    context.setProject(project)
    parameters = {"MASK": layer, "REFERENCE_POLYGONS": polygons((20, 10, 45, 30)), "ERRORS": "TEMPORARY_OUTPUT"}
    results = processing.runAndLoadResults(EVALUATE, parameters, context=context)
    loaded = project.mapLayer(results["ERRORS"]) or next(
        made for made in project.mapLayers().values() if made.name().startswith("Errors")
    )
    assert loaded.customProperty(KIND_PROPERTY) == "errors"
    assert [entry.label for entry in loaded.renderer().classes()] == ["Rightly none", "Hit", "Miss", "False alarm"]


def refusal(parameters):
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(EVALUATE, parameters)
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_is_refused_in_one_sentence(provider, project, mask, tmp_path):
    here = polygons((20, 10, 45, 30))
    assert "No reference is given" in refusal({"MASK": mask})
    assert "give one of them" in refusal({"MASK": mask, "REFERENCE": mask, "REFERENCE_POLYGONS": here})
    assert "lies on the mask" in refusal({"MASK": mask, "REFERENCE_POLYGONS": polygons((900, 10, 945, 30))})
    assert "lies on the mask" in refusal({"MASK": mask, "REFERENCE_POLYGONS": polygons()})
    assert "replace its own input" in refusal({"MASK": mask, "REFERENCE_POLYGONS": here, "ERRORS": mask})
    nowhere = str(tmp_path / "no" / "accuracy.html")
    assert "check the folder" in refusal({"MASK": mask, "REFERENCE_POLYGONS": here, "REPORT": nowhere})


def test_cancel_writes_nothing(provider, project, mask, tmp_path):
    feedback = QgsProcessingFeedback(False)
    feedback.cancel()
    errors = tmp_path / "errors.tif"
    parameters = {"MASK": mask, "REFERENCE_POLYGONS": polygons((20, 10, 45, 30)), "ERRORS": str(errors)}
    processing.run(EVALUATE, parameters, feedback=feedback)
    assert written(tmp_path) == ["mask.tif"]
