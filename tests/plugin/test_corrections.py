"""What analysts do to hazard polygons with QGIS's own tools, in every format that can be edited."""

import pytest
from osgeo import ogr, osr
from qgis.core import QgsFeature, QgsGeometry, QgsPointXY, QgsProject, QgsVectorLayer, QgsVectorLayerUtils
from qgis.PyQt.QtCore import QObject
from support import settle

LEFT, TOP = 500_000.0, 4_900_000.0
DRIVERS = {"gpkg": "GPKG", "shp": "ESRI Shapefile", "geojson": "GeoJSON"}


def square(x, y, size=100.0):
    x, y = LEFT + x, TOP + y
    return f"POLYGON(({x} {y},{x + size} {y},{x + size} {y + size},{x} {y + size},{x} {y}))"


def write_polygons(path):
    """Three model polygons in a row."""
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32633)
    source = ogr.GetDriverByName(DRIVERS[path.suffix[1:]]).CreateDataSource(str(path))
    layer = source.CreateLayer("flood", reference, ogr.wkbPolygon)
    for name, kind in (
        ("hazard", ogr.OFTString),
        ("area_m2", ogr.OFTReal),
        ("prob_mean", ogr.OFTReal),
        ("scene", ogr.OFTString),
        ("det_method", ogr.OFTString),
        ("origin", ogr.OFTString),
    ):
        layer.CreateField(ogr.FieldDefn(name, kind))
    for number in range(3):
        feature = ogr.Feature(layer.GetLayerDefn())
        values = {
            "hazard": "flood",
            "area_m2": 10008.0,
            "prob_mean": 0.9,
            "scene": "scene",
            "det_method": "Semi",
            "origin": "model",
        }
        for name, value in values.items():
            feature.SetField(name, value)
        feature.SetGeometry(ogr.CreateGeometryFromWkt(square(100 * number, 0)))
        layer.CreateFeature(feature)
    return str(path)


@pytest.fixture(params=[*DRIVERS, "gpkg in transaction groups"])
def path(request, tmp_path, project):
    project.setAutoTransaction("transaction" in request.param)
    yield write_polygons(tmp_path / f"polygons.{request.param.split()[0]}")
    project.setAutoTransaction(False)


@pytest.fixture
def corrections(project):
    from hazard_mapper.hazard_plugin.corrections import Corrections

    parent = QObject()
    made = Corrections(parent)
    yield made
    made.close_down()


@pytest.fixture(params=["marked", "opened from its file"])
def layer(request, corrections, project, path):
    from hazard_mapper.hazard_plugin.layer_origin import remember_origin

    made = QgsVectorLayer(path, "polygons", "ogr")
    if request.param == "marked":
        remember_origin(made, "polygons", hazard="flood", scene="scene", run="one")
    project.addMapLayer(made)
    settle(0.05)
    return made


def stored(path):
    """Origin, rounded area of the shape and of the field, as GDAL reads them."""
    source = ogr.Open(path)
    rows = [(f["origin"], f.GetGeometryRef().GetArea(), f["area_m2"], f["prob_mean"]) for f in source.GetLayer(0)]
    metres = 1.0 if source.GetLayer(0).GetSpatialRef().IsProjected() else None
    return sorted((origin, round(area, -1) if metres else None, field, mean) for origin, area, field, mean in rows)


def origins(path):
    return [row[0] for row in stored(path)]


def ids(layer):
    return sorted(feature.id() for feature in layer.getFeatures())


def test_a_split_polygon_is_manual_in_both_parts(layer, path):
    layer.startEditing()
    line = [QgsPointXY(LEFT + 50, TOP - 50), QgsPointXY(LEFT + 50, TOP + 150)]
    assert int(layer.splitFeatures(line)) == 0
    assert layer.commitChanges()
    rows = stored(path)
    assert origins(path) == ["manual", "manual", "model", "model", "removed"]
    assert [round(row[2], -1) for row in rows[:2]] == [5000.0, 5000.0] and rows[0][3] is None


@pytest.mark.parametrize("into_first", [True, False])
def test_a_merged_polygon_is_manual_whatever_its_attributes_say(layer, path, into_first):
    """QGIS's own tool writes the attributes that the user chose, those of a model's polygon among them."""
    layer.startEditing()
    first, second, _ = ids(layer)
    parts = [layer.getFeature(number) for number in (first, second)]
    together = parts[0].geometry().combine(parts[1].geometry())
    if into_first:
        layer.changeGeometry(first, together)
        layer.changeAttributeValues(first, dict(enumerate(parts[0].attributes())))
        layer.deleteFeature(second)
    else:
        merged = QgsFeature(layer.fields())
        merged.setGeometry(together)
        merged.setAttributes(parts[0].attributes())
        if layer.fields().lookupField("fid") >= 0:
            merged["fid"] = None
        layer.addFeature(merged)
        layer.deleteFeatures([first, second])
    assert layer.commitChanges(), layer.commitErrors()
    assert origins(path) == ["manual", "model", "removed", "removed"]
    assert round(stored(path)[0][2], -1) == 20020.0 or abs(stored(path)[0][2] - 20016) < 20


def test_what_a_script_moves_without_defaults_is_manual(layer, path):
    layer.startEditing()
    shape = QgsGeometry.fromWkt(square(0, 300))
    layer.changeGeometry(ids(layer)[0], shape, True)
    assert layer.commitChanges()
    assert origins(path) == ["manual", "model", "model", "removed"]


def test_saving_while_editing_goes_on(layer, path):
    layer.startEditing()
    layer.deleteFeature(ids(layer)[0])
    assert layer.commitChanges(False) and layer.isEditable()
    assert origins(path) == ["model", "model", "removed"]
    drawn = QgsVectorLayerUtils.createFeature(layer, QgsGeometry.fromWkt(square(0, 500)))
    layer.addFeature(drawn)
    assert layer.commitChanges()
    assert origins(path) == ["manual", "model", "model", "removed"]


def test_what_is_saved_while_editing_stays_when_editing_ends_without_more(layer, path):
    layer.startEditing()
    first, second, _ = ids(layer)
    layer.deleteFeature(first)
    layer.changeGeometry(second, QgsGeometry.fromWkt(square(0, 300, 200.0)))
    assert layer.commitChanges(False)
    assert layer.rollBack()
    assert origins(path) == ["manual", "model", "removed", "removed"]
    assert 39_900 < stored(path)[0][2] < 40_100


def test_what_is_drawn_says_which_hazard_and_scene_it_is_of(layer, path):
    layer.startEditing()
    layer.addFeature(QgsVectorLayerUtils.createFeature(layer, QgsGeometry.fromWkt(square(0, 500))))
    assert layer.commitChanges()
    (drawn,) = [feature for feature in layer.getFeatures() if feature["origin"] == "manual"]
    assert (drawn["hazard"], drawn["det_method"]) == ("flood", "Photo-interpretation")
    assert drawn["scene"] == "scene"


def test_polygons_of_another_program_are_left_alone(corrections, project, tmp_path):
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32633)
    path = str(tmp_path / "parcels.gpkg")
    source = ogr.GetDriverByName("GPKG").CreateDataSource(path)
    table = source.CreateLayer("parcels", reference, ogr.wkbPolygon)
    for name in ("origin", "area_m2"):
        table.CreateField(ogr.FieldDefn(name, ogr.OFTString))
    feature = ogr.Feature(table.GetLayerDefn())
    feature.SetField("origin", "model")
    feature.SetGeometry(ogr.CreateGeometryFromWkt(square(0, 0)))
    table.CreateFeature(feature)
    source = table = feature = None
    parcels = QgsVectorLayer(path, "parcels", "ogr")
    project.addMapLayer(parcels)
    settle(0.05)
    parcels.startEditing()
    parcels.deleteFeatures(ids(parcels))
    assert parcels.commitChanges() and parcels.featureCount() == 0


def test_a_second_layer_of_the_file_in_the_same_transaction_changes_nothing(corrections, project, tmp_path):
    path = write_polygons(tmp_path / "polygons.gpkg")
    source = ogr.Open(path, 1)
    source.CreateLayer("notes", None, ogr.wkbPoint)
    source = None
    project.setAutoTransaction(True)
    notes = QgsVectorLayer(f"{path}|layername=notes", "notes", "ogr")
    polygons = QgsVectorLayer(f"{path}|layername=flood", "polygons", "ogr")
    project.addMapLayers([notes, polygons])
    settle(0.05)
    notes.startEditing()
    first, second, _ = ids(polygons)
    polygons.deleteFeature(first)
    polygons.changeGeometry(second, QgsGeometry.fromWkt(square(0, 300)))
    assert notes.commitChanges()
    found = [feature["origin"] for feature in QgsVectorLayer(f"{path}|layername=flood", "stored", "ogr").getFeatures()]
    assert sorted(found) == ["manual", "model", "removed", "removed"]


def test_a_deleted_manual_polygon_leaves_no_trace(layer, path):
    layer.startEditing()
    layer.addFeature(QgsVectorLayerUtils.createFeature(layer, QgsGeometry.fromWkt(square(0, 500))))
    assert layer.commitChanges()
    (drawn,) = [feature.id() for feature in layer.getFeatures() if feature["origin"] == "manual"]
    layer.startEditing()
    layer.deleteFeature(drawn)
    assert layer.commitChanges()
    assert origins(path) == ["model"] * 3


def test_rolled_back_and_undone_edits_change_nothing(layer, path):
    before = stored(path)
    layer.startEditing()
    layer.deleteFeatures(ids(layer))
    layer.rollBack()
    layer.startEditing()
    layer.deleteFeature(ids(layer)[0])
    layer.undoStack().undo()
    assert layer.commitChanges()
    assert stored(path) == before


def test_polygons_of_a_project_opened_later_are_followed(layer, corrections, path, tmp_path):
    project = QgsProject.instance()
    assert project.write(str(tmp_path / "project.qgz"))
    project.clear()
    assert project.read(str(tmp_path / "project.qgz"))
    settle(0.05)
    (again,) = project.mapLayers().values()
    again.startEditing()
    again.deleteFeature(ids(again)[0])
    assert again.commitChanges()
    assert origins(path) == ["model", "model", "removed"]


def test_a_filtered_layer_keeps_what_is_removed(layer, path):
    layer.setSubsetString("\"origin\" <> 'removed'")
    layer.startEditing()
    layer.deleteFeature(ids(layer)[1])
    assert layer.commitChanges()
    assert origins(path) == ["model", "model", "removed"] and layer.featureCount() == 2
