"""A result's threshold moved and applied, with the real engine: mask and polygons follow in every format."""

import numpy as np
import pytest
from osgeo import gdal, ogr, osr
from qgis import processing
from qgis.core import QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtWidgets import QWidget
from support import hidden_files, wait_until

RUN = {"run": "one", "hazard": "flood", "scene": "scene"}


def write(path, values, description, **tags):
    raster = gdal.GetDriverByName("GTiff").Create(str(path), values.shape[1], values.shape[0], 1, gdal.GDT_Byte)
    raster.SetGeoTransform((500_000.0, 10.0, 0, 4_900_000.0, 0, -10.0))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32633)
    raster.SetProjection(reference.ExportToWkt())
    raster.SetMetadata({"HAZARD": "flood", "HAZARD_THRESHOLD": "0.625", "HAZARD_SCENE_DATE": "2024-09-16", **tags})
    raster.GetRasterBand(1).SetNoDataValue(255)
    raster.GetRasterBand(1).SetDescription(description)
    raster.GetRasterBand(1).WriteArray(values)
    return str(path)


def remembered(layer, kind, **origin):
    from hazard_mapper.hazard_plugin.layer_origin import remember_origin

    remember_origin(layer, kind, **{**RUN, **origin})
    return layer


@pytest.fixture
def result(project, tmp_path):
    """Mask and probability, as the toolbox leaves them: 100 pixels of 90 %, 100 of 70 %, 100 of 40 %."""
    percent = np.zeros((40, 40), "u1")
    percent[0:10, 0:10], percent[0:10, 20:30], percent[20:30, 0:10] = 90, 70, 40
    mask = write(tmp_path / "mask.tif", (percent >= 63).astype("u1"), "flood")
    probability = write(tmp_path / "probability.tif", percent, "flood probability")
    layers = (
        remembered(QgsRasterLayer(mask, "mask"), "mask"),
        remembered(QgsRasterLayer(probability, "probability"), "probability"),
    )
    project.addMapLayers(list(layers))
    return layers


COMPARED = {
    "HAZARD_JOB": '{"raster": "later.tif", "before": "earlier.tif"}',
    "HAZARD_TIME": "2024-09-16T10:00:00+00:00",
    "HAZARD_QUESTION": "new since the scene before",
    "HAZARD_BEFORE": "earlier.tif",
    "HAZARD_VALUES": "0 none, 1 new, 2 water on both dates, 255 not assessed (probability: per cent)",
}
NEW, LAKE, SHORE = (slice(0, 10), slice(0, 10)), (slice(0, 10), slice(20, 30)), (slice(20, 30), slice(0, 10))


@pytest.fixture
def new_flood(project, tmp_path):
    """Mask and probability of what is new: a flood of 90 %, a lake of 5 % and its shore of 40 %, both there before."""
    percent = np.zeros((40, 40), "u1")
    percent[NEW], percent[LAKE], percent[SHORE] = 90, 5, 40
    codes = (percent >= 63).astype("u1")
    codes[LAKE] = codes[SHORE] = 2
    layers = []
    for name, values, description in (("mask", codes, "flood"), ("probability", percent, "flood probability")):
        path = write(tmp_path / f"{name}.tif", values, description, **COMPARED)
        layers.append(remembered(QgsRasterLayer(path, name), name, before="earlier"))
    project.addMapLayers(layers)
    return layers


@pytest.fixture
def editor(engine, qgis_iface, qgis_parent):
    from hazard_mapper.hazard_plugin.threshold_bar import ThresholdBar
    from hazard_mapper.hazard_plugin.threshold_editor import ThresholdEditor

    parent = QWidget(qgis_parent)
    made = ThresholdEditor(ThresholdBar(parent), qgis_iface, engine)
    yield made
    made.close_down()
    parent.deleteLater()


def polygons_of(project, mask, path, **origin):
    processing.run("hazardmapper:hazardpolygons", {"INPUT": mask, "OUTPUT": path})
    layer = remembered(QgsVectorLayer(path, "polygons", "ogr"), "polygons", **origin)
    project.addMapLayer(layer)
    return layer


def apply(editor, layer, percent):
    applied = []
    editor.applied.connect(applied.append)
    editor.open(layer)
    editor.bar.slider.setValue(percent)
    editor.bar.applied.emit(percent)
    assert wait_until(lambda: applied, 60)
    return applied[0]


@pytest.mark.parametrize("ending", ["gpkg", "shp", "geojson", "fgb"])
def test_polygons_of_every_format_follow_the_threshold(editor, result, project, tmp_path, ending):
    mask, _ = result
    path = str(tmp_path / f"polygons.{ending}")
    shown = polygons_of(project, mask.source(), path)
    assert shown.featureCount() == 2
    apply(editor, mask, 30)
    source = ogr.Open(path)
    found = [(f["threshold"], round(f["area_ha"], 1), f.GetGeometryRef() is not None) for f in source.GetLayer(0)]
    assert found == [(pytest.approx(0.3), 1.0, True)] * 3
    assert shown.isValid() and sorted(f["threshold"] for f in shown.getFeatures()) == [pytest.approx(0.3)] * 3
    assert not hidden_files(tmp_path)


def test_polygons_of_a_refined_mask_are_left_alone_and_it_is_said(editor, result, project, tmp_path):
    mask, _ = result
    values = gdal.Open(mask.source()).ReadAsArray()
    values[0:10, 20:30] = 2
    refined = write(tmp_path / "refined.tif", values, "flood")
    project.addMapLayer(remembered(QgsRasterLayer(refined, "refined"), "mask", derived="refined"))
    path = str(tmp_path / "refined.gpkg")
    shown = polygons_of(project, refined, path, derived="refined")
    told = apply(editor, mask, 30)
    assert shown.featureCount() == 1 and len(ogr.Open(path).GetLayer(0)) == 1
    assert "as before" in told


def test_the_slider_begins_where_the_mask_was_cut(editor, result):
    mask, _ = result
    editor.open(mask)
    assert wait_until(lambda: editor.bar.area_m2() is not None, 30)
    assert editor.bar.slider.value() in (62, 63)
    editor.close()


def test_a_sheets_copy_of_what_is_not_assessed_stays_seen(project, result, tmp_path):
    from hazard_mapper.hazard_plugin.layer_files import replace_shown
    from hazard_mapper.hazard_plugin.sheet.layers import unassessed_layer

    mask, _ = result
    grey = unassessed_layer(mask, "flood")
    project.addMapLayer(grey)
    values = gdal.Open(mask.source()).ReadAsArray()
    values[35:] = 255
    replace_shown(project, [(write(tmp_path / "new.tif", values, "flood"), mask.source())])
    assert not grey.dataProvider().useSourceNoDataValue(1)
    assert grey.dataProvider().block(1, grey.extent(), 40, 40).value(39, 0) == 255


def test_a_mask_named_by_its_file_is_found_beside_a_sheets_copy(engine, project, result, tmp_path):
    from hazard_mapper.hazard_plugin.sheet.layers import unassessed_layer

    mask, _ = result
    path = mask.source()
    project.addMapLayer(unassessed_layer(mask, "flood"))
    project.removeMapLayer(mask.id())
    for _ in range(2):
        found = processing.run("hazardmapper:hazardpolygons", {"INPUT": path, "OUTPUT": "TEMPORARY_OUTPUT"})
        assert found["COUNT"] == 2
        project.addMapLayer(remembered(QgsRasterLayer(path, "mask"), "mask"))


# Water on both dates


def codes_of(layer):
    values = gdal.Open(layer.source()).ReadAsArray()
    found = {
        name: np.unique(values[place]).tolist() for name, place in (("new", NEW), ("lake", LAKE), ("shore", SHORE))
    }
    assert not values[30:, 30:].any()
    return found


def provisional(project):
    return [layer for layer in project.mapLayers().values() if layer.customProperty("hazardmapper/kind") == "estimate"]


def test_water_on_both_dates_survives_every_threshold_that_is_applied(editor, new_flood, project, tmp_path):
    mask, _ = new_flood
    whole = gdal.Open(mask.source()).ReadAsArray()
    told = apply(editor, mask, 30)
    assert codes_of(mask) == {"new": [1], "lake": [2], "shore": [1]}
    assert "Water on both dates, by the run's own threshold: 0.01 km²; its mask is kept as 'mask_run.tif'." in told
    assert np.array_equal(gdal.Open(str(tmp_path / "mask_run.tif")).ReadAsArray(), whole)
    told = apply(editor, mask, 80)
    assert codes_of(mask) == {"new": [1], "lake": [2], "shore": [2]}, "the shore was new meanwhile"
    assert "0.02 km²; its mask is kept as 'mask_run.tif'" in told
    assert sorted(path.name for path in tmp_path.glob("*.tif")) == ["mask.tif", "mask_run.tif", "probability.tif"]
    assert not hidden_files(tmp_path) and not provisional(project)


def test_the_kept_mask_is_found_where_the_result_was_moved_to(editor, new_flood, project, tmp_path):
    mask, _ = new_flood
    apply(editor, mask, 30)
    moved = tmp_path / "moved"
    moved.mkdir()
    for layer in new_flood:
        project.removeMapLayer(layer.id())
    for name in ("mask", "mask_run", "probability"):
        (tmp_path / f"{name}.tif").rename(moved / f"{name}.tif")
    again = [
        remembered(QgsRasterLayer(str(moved / f"{kind}.tif"), kind), kind, before="earlier")
        for kind in ("mask", "probability")
    ]
    project.addMapLayers(again)
    apply(editor, again[0], 80)
    assert codes_of(again[0])["shore"] == [2]


def test_water_on_both_dates_is_drawn_below_what_is_new_while_the_slider_is_open(editor, new_flood, project):
    mask, probability = new_flood
    editor.open(mask)
    assert wait_until(lambda: provisional(project), 30)
    (water,) = provisional(project)
    assert [(entry.value, entry.label) for entry in water.renderer().classes()] == [(2, "Water on both dates")]
    order = [node.layerId() for node in project.layerTreeRoot().findLayers()]
    assert order.index(water.id()) == order.index(probability.id()) + 1
    assert project.layerTreeRoot().findLayer(water.id()).itemVisibilityChecked()
    editor.close()
    assert not provisional(project)
    editor.open(mask)
    assert wait_until(lambda: provisional(project), 30)
    project.clear()
    assert editor.bar.isHidden() and not provisional(project)


def test_a_failed_cut_leaves_no_copy_of_the_run_s_mask(editor, new_flood, tmp_path, monkeypatch):
    mask, _ = new_flood
    failed = []
    monkeypatch.setattr(
        "hazard_mapper.hazard_plugin.threshold_editor.tell", lambda _iface, text, *_: failed.append(text)
    )
    write(tmp_path / "probability.tif", np.full((40, 40), 180, "u1"), "flood probability", **COMPARED)
    before = sorted(path.name for path in tmp_path.iterdir())
    editor.open(mask)
    editor.bar.applied.emit(30)
    assert wait_until(lambda: any("holds 180" in text for text in failed), 60)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert codes_of(mask)["lake"] == [2]


def test_without_the_run_s_mask_it_is_said_that_the_water_is_gone(editor, new_flood, tmp_path):
    mask, _ = new_flood
    apply(editor, mask, 30)
    (tmp_path / "mask_run.tif").unlink()
    told = apply(editor, mask, 80)
    assert "Water on both dates is not told apart at another threshold" in told
    assert codes_of(mask) == {"new": [1], "lake": [0], "shore": [0]}
