"""A result's threshold moved and applied, with the real engine: mask and polygons follow in every format."""

import numpy as np
import pytest
from osgeo import gdal, ogr, osr
from qgis import processing
from qgis.core import QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtWidgets import QWidget
from support import hidden_files, wait_until

RUN = {"run": "one", "hazard": "flood", "scene": "scene"}


def write(path, values, description):
    raster = gdal.GetDriverByName("GTiff").Create(str(path), values.shape[1], values.shape[0], 1, gdal.GDT_Byte)
    raster.SetGeoTransform((500_000.0, 10.0, 0, 4_900_000.0, 0, -10.0))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32633)
    raster.SetProjection(reference.ExportToWkt())
    raster.SetMetadata({"HAZARD": "flood", "HAZARD_THRESHOLD": "0.625", "HAZARD_SCENE_DATE": "2024-09-16"})
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
    replace_shown(project, write(tmp_path / "new.tif", values, "flood"), mask.source())
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
