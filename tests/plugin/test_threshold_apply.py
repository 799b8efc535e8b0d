"""What *Apply* of the threshold's slider may not take away: other tables, edits, and what a cancelled one leaves."""

import os

import pytest
from osgeo import gdal, ogr
from qgis import processing
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsMapLayerStyle,
    QgsProcessingException,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from support import hidden_files, settle, wait_until
from test_threshold_editor import apply, editor, new_flood, polygons_of, remembered, result  # noqa: F401  fixtures
from test_threshold_editor import write as write_raster

SQUARE = "MULTIPOLYGON(((500300 4899700,500350 4899700,500350 4899650,500300 4899650,500300 4899700)))"


@pytest.fixture
def told(monkeypatch):
    """Sentences in the message bar."""
    from hazard_mapper.hazard_plugin import threshold_editor

    said = []
    monkeypatch.setattr(threshold_editor, "tell", lambda iface, text, *_: said.append(text))
    return said


@pytest.fixture
def traced(result, project, tmp_path):  # noqa: F811
    """A mask of 200 pixels with its polygons, as they are before."""
    mask, _ = result
    return mask, polygons_of(project, mask.source(), str(tmp_path / "polygons.gpkg"))


def tables(path):
    with_all = gdal.OpenEx(str(path), gdal.OF_VECTOR, open_options=["LIST_ALL_TABLES=YES"])
    return sorted(with_all.GetLayer(index).GetName() for index in range(with_all.GetLayerCount()))


def add_table(path, name="field_notes"):
    source = ogr.Open(str(path), 1)
    source.CreateLayer(name, None, ogr.wkbPoint)


def file_path(layer):
    return layer.source().split("|")[0]


def origins(path):
    source = ogr.Open(str(path))
    return sorted(feature["origin"] for feature in source.GetLayer(0))


def pixels(mask):
    return int((gdal.Open(mask.source()).ReadAsArray() == 1).sum())


def begin(editor, mask, percent=30):  # noqa: F811
    editor.open(mask)
    editor.bar.slider.setValue(percent)
    editor.bar.applied.emit(percent)


def end(editor):  # noqa: F811
    assert wait_until(lambda: editor.bar.apply_button.isEnabled(), 60)
    settle(0.2)


def is_as_before(mask, polygons, tmp_path):
    return pixels(mask) == 200 and len(origins(file_path(polygons))) == 2 and not hidden_files(tmp_path)


def when_traced(editor, do):  # noqa: F811
    """Do something when the mask is cut and its polygons are being traced."""
    algorithm = editor._apply._task

    def look():
        cut = editor._apply._cut
        return cut is not None and not cut.steps and algorithm.is_running

    assert wait_until(look, 60)
    do()


# Other tables of the file


def add_style(path):
    layer = QgsVectorLayer(str(path), "polygons", "ogr")
    assert not layer.saveStyleToDatabase("mine", "", True, "")


def add_project(path):
    assert QgsProject.instance().write(f"geopackage:{path}?projectName=mine")


@pytest.mark.parametrize("add", [add_table, add_style, add_project])
def test_a_geopackage_that_holds_more_than_the_polygons_is_not_replaced(editor, traced, told, tmp_path, add):  # noqa: F811
    mask, polygons = traced
    add(tmp_path / "polygons.gpkg")
    before = tables(tmp_path / "polygons.gpkg")
    begin(editor, mask)
    end(editor)
    assert tables(tmp_path / "polygons.gpkg") == before and is_as_before(mask, polygons, tmp_path)
    assert "a file of their own" in told[0] and "polygons.gpkg" in told[0]


def test_hazard_polygons_does_not_take_the_place_of_other_tables(result, engine, tmp_path):  # noqa: F811
    path = tmp_path / "mine.gpkg"
    processing.run("hazardmapper:hazardpolygons", {"INPUT": result[0], "OUTPUT": str(path)})
    processing.run("hazardmapper:hazardpolygons", {"INPUT": result[0], "OUTPUT": str(path)})
    add_table(path)
    with pytest.raises(QgsProcessingException, match="holds 2 tables \\(field_notes, flood\\)"):
        processing.run("hazardmapper:hazardpolygons", {"INPUT": result[0], "OUTPUT": str(path)})
    assert tables(path) == ["field_notes", "flood"]


def test_what_is_no_geopackage_is_not_replaced_as_one(result, engine, tmp_path):  # noqa: F811
    path = tmp_path / "mine.gpkg"
    path.write_text("my notes")
    with pytest.raises(QgsProcessingException, match="cannot be read"):
        processing.run("hazardmapper:hazardpolygons", {"INPUT": result[0], "OUTPUT": str(path)})
    assert path.read_text() == "my notes"


# Edits meanwhile


def test_polygons_cannot_be_edited_while_a_threshold_is_applied(editor, traced, told, tmp_path):  # noqa: F811
    mask, polygons = traced
    begin(editor, mask)
    assert not polygons.startEditing()
    end(editor)
    assert pixels(mask) == 300 and polygons.featureCount() == 3, told
    assert polygons.startEditing() and polygons.rollBack()


def test_polygons_can_be_edited_again_after_a_threshold_failed(editor, traced, told, tmp_path):  # noqa: F811
    mask, polygons = traced
    (tmp_path / "probability.tif").unlink()
    begin(editor, mask)
    end(editor)
    assert is_as_before(mask, polygons, tmp_path) and told
    assert polygons.startEditing() and polygons.rollBack()


def test_polygons_that_were_read_only_stay_so(editor, traced):  # noqa: F811
    mask, polygons = traced
    assert polygons.setReadOnly(True)
    begin(editor, mask)
    end(editor)
    assert polygons.property("readOnly") and polygons.featureCount() == 3


def add_polygon(path):
    other = QgsVectorLayer(path, "elsewhere", "ogr")
    feature = QgsFeature(other.fields())
    feature.setGeometry(QgsGeometry.fromWkt(SQUARE))
    feature["origin"] = "manual"
    assert other.dataProvider().addFeatures([feature])[0]
    return other


def test_polygons_that_another_program_wrote_to_meanwhile_are_not_replaced(editor, traced, told, tmp_path):  # noqa: F811
    mask, polygons = traced
    path = file_path(polygons)
    begin(editor, mask)
    open_still = []
    when_traced(editor, lambda: open_still.append(add_polygon(path)))
    end(editor)
    assert pixels(mask) == 200 and not hidden_files(tmp_path)
    assert origins(path) == ["manual", "model", "model"]
    assert "was changed" in told[0] and "nothing was replaced" in told[0]


def test_polygons_that_were_added_and_edited_meanwhile_are_not_replaced(editor, traced, told, project, tmp_path):  # noqa: F811
    mask, polygons = traced
    again = QgsVectorLayer(file_path(polygons), "again", "ogr")
    begin(editor, mask)
    project.addMapLayer(again)
    assert again.startEditing()
    end(editor)
    assert "nothing was replaced" in told[0] and again.isEditable() and is_as_before(mask, polygons, tmp_path)
    again.rollBack()


def test_polygons_name_the_mask_that_they_were_traced_from(editor, traced):  # noqa: F811
    mask, polygons = traced
    apply(editor, mask, 30)
    source = ogr.Open(file_path(polygons))
    assert source.GetLayer(0).GetMetadata()["HAZARD_MASK"] == "mask.tif"


def test_edits_before_a_threshold_do_not_hinder_it(editor, traced, told):  # noqa: F811
    mask, polygons = traced
    for percent, count in ((30, 4), (80, 2)):
        if percent == 30:
            assert polygons.startEditing()
            feature = QgsFeature(polygons.fields())
            feature.setGeometry(QgsGeometry.fromWkt(SQUARE))
            feature["origin"] = "manual"
            assert polygons.addFeature(feature) and polygons.commitChanges()
        begin(editor, mask, percent)
        end(editor)
        assert polygons.featureCount() == count, told


# The end of a threshold that is being applied


def test_closing_the_slider_cancels_and_everything_is_as_before(editor, traced, told, tmp_path):  # noqa: F811
    mask, polygons = traced
    begin(editor, mask)
    when_traced(editor, editor.bar.close_button.click)
    assert editor.bar.isHidden()
    end(editor)
    assert told == ["Cancelled; mask and polygons are as before."]
    assert is_as_before(mask, polygons, tmp_path) and not mask.customProperty("hazardmapper/threshold")


def test_closing_at_once_cancels_too(editor, traced, told, tmp_path):  # noqa: F811
    mask, polygons = traced
    begin(editor, mask)
    editor.bar.close_button.click()
    end(editor)
    assert told == ["Cancelled; mask and polygons are as before."] and is_as_before(mask, polygons, tmp_path)
    assert polygons.startEditing() and polygons.rollBack()


def test_cancelled_in_the_second_step_mask_and_polygons_are_as_before(editor, traced, told, tmp_path):  # noqa: F811
    mask, polygons = traced
    begin(editor, mask)
    when_traced(editor, lambda: editor._apply._task.cancel())
    end(editor)
    assert told == ["Cancelled; mask and polygons are as before."] and is_as_before(mask, polygons, tmp_path)


def test_another_result_is_not_opened_while_a_threshold_is_applied(editor, traced, told, project, tmp_path):  # noqa: F811
    mask, _ = traced
    percent = gdal.Open(str(tmp_path / "probability.tif")).ReadAsArray()
    other = remembered(
        QgsRasterLayer(write_raster(tmp_path / "m2.tif", (percent >= 63).astype("u1"), "flood"), "other"),
        "mask",
        run="two",
    )
    its = write_raster(tmp_path / "p2.tif", percent, "flood probability")
    project.addMapLayers([other, remembered(QgsRasterLayer(its, "its"), "probability", run="two")])
    begin(editor, mask)
    editor.open(other)
    assert len(told) == 1 and "being applied" in told[0]
    end(editor)
    assert pixels(mask) == 300 and mask.customProperty("hazardmapper/threshold") == "0.3"
    assert pixels(other) == 200 and not other.customProperty("hazardmapper/threshold")


def test_switching_the_project_cancels(editor, traced, told, project, tmp_path):  # noqa: F811
    mask, polygons = traced
    path, shapes = mask.source(), file_path(polygons)
    begin(editor, mask)
    when_traced(editor, project.clear)
    end(editor)
    assert told == ["Cancelled; mask and polygons are as before."] and not hidden_files(tmp_path)
    assert gdal.Open(path).ReadAsArray().sum() == 200 and len(origins(shapes)) == 2


def test_a_cancelled_threshold_takes_only_its_own_copy_of_the_run_s_mask_away(editor, new_flood, tmp_path):  # noqa: F811
    mask, _ = new_flood
    kept = tmp_path / "mask_run.tif"
    for percent in (30, 80):
        was_kept = kept.exists()
        begin(editor, mask, percent)
        assert wait_until(lambda: kept.exists() and editor._apply._task.is_running, 60)
        editor.bar.close_button.click()
        end(editor)
        assert kept.exists() == was_kept and not hidden_files(tmp_path)
        apply(editor, mask, 30)
        assert kept.exists()


def test_what_cannot_be_replaced_stays_with_its_mask(editor, traced, told, tmp_path, monkeypatch):  # noqa: F811
    mask, polygons = traced
    replace = os.replace

    def refuse(source, target):
        if str(target) == str(tmp_path / "polygons.gpkg") and not str(source).endswith(".replaced"):
            raise PermissionError("in use")
        replace(source, target)

    monkeypatch.setattr("hazard_mapper.hazard_plugin.layer_files.os.replace", refuse)
    begin(editor, mask)
    end(editor)
    assert "in use" in told[0] and "as before" in told[0] and is_as_before(mask, polygons, tmp_path)
    assert polygons.featureCount() == 2 and mask.isValid()


# What the slider changes for as long as it is open


def drawn(layer):
    style = QgsMapLayerStyle()
    style.readFromLayer(layer)
    return layer.renderer().type(), layer.opacity()


def test_the_analyst_s_own_style_comes_back(editor, result):  # noqa: F811
    from qgis.core import QgsSingleBandGrayRenderer

    mask, probability = result
    probability.setRenderer(QgsSingleBandGrayRenderer(probability.dataProvider(), 1))
    probability.setOpacity(0.4)
    editor.open(mask)
    assert drawn(probability)[0] == "singlebandpseudocolor"
    editor.close()
    assert drawn(probability) == ("singlebandgray", pytest.approx(0.4))
    apply(editor, mask, 30)
    assert drawn(probability) == ("singlebandgray", pytest.approx(0.4))


def test_a_project_saved_with_the_slider_open_comes_back_as_it_was(editor, result, project, tmp_path):  # noqa: F811
    mask, probability = result
    before = drawn(probability)
    seen = project.layerTreeRoot()
    seen.findLayer(probability.id()).setItemVisibilityChecked(False)
    editor.open(mask)
    editor.bar.slider.setValue(20)
    assert project.write(str(tmp_path / "saved.qgz"))
    settle(0.1)
    assert drawn(probability) != before and not seen.findLayer(mask.id()).itemVisibilityChecked(), "still shown"
    assert not project.isDirty()
    project.clear()
    assert project.read(str(tmp_path / "saved.qgz"))
    found = {layer.name(): layer for layer in project.mapLayers().values()}
    assert drawn(found["probability"]) == before
    shown = {name: project.layerTreeRoot().findLayer(found[name].id()).itemVisibilityChecked() for name in found}
    assert shown == {"mask": True, "probability": False}


def test_a_project_saved_just_before_the_slider_is_closed_is_left_alone(editor, result, project, tmp_path):  # noqa: F811
    mask, probability = result
    before = drawn(probability)
    editor.open(mask)
    assert project.write(str(tmp_path / "saved.qgz"))
    editor.close()
    project.setDirty(False)
    settle(0.1)
    assert drawn(probability) == before and not project.isDirty()


def test_a_project_saved_while_a_threshold_is_applied_can_be_edited(editor, traced, project, tmp_path):  # noqa: F811
    mask, polygons = traced
    begin(editor, mask)
    assert project.write(str(tmp_path / "saved.qgz"))
    settle(0.05)
    assert not polygons.startEditing()
    end(editor)
    project.clear()
    assert project.read(str(tmp_path / "saved.qgz"))
    (again,) = project.mapLayersByName("polygons")
    assert again.startEditing() and again.rollBack()


def test_a_plugin_that_is_unloaded_leaves_everything_as_it_was(editor, result, project):  # noqa: F811
    mask, probability = result
    before = drawn(probability)
    editor.open(mask)
    editor.bar.slider.setValue(20)
    editor.close_down()
    assert drawn(probability) == before and project.layerTreeRoot().findLayer(mask.id()).itemVisibilityChecked()
    project.writeProject.connect(editor._on_write)  # the fixture closes down once more
    project.layersWillBeRemoved.connect(editor._on_removed)


def test_a_crs_that_the_analyst_assigned_stays(editor, result, project, tmp_path):  # noqa: F811
    for layer in result:
        raster = gdal.Open(layer.source(), 1)
        raster.SetProjection("")
        raster = None
        project.removeMapLayer(layer.id())
    layers = []
    for kind in ("mask", "probability"):
        layers.append(remembered(QgsRasterLayer(str(tmp_path / f"{kind}.tif"), kind), kind))
        layers[-1].setCrs(QgsCoordinateReferenceSystem("EPSG:32633"))
    project.addMapLayers(layers)
    apply(editor, layers[0], 30)
    assert layers[0].crs().authid() == "EPSG:32633"
