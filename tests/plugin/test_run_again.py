"""What Run again loads belongs together, as what a first run loads does, and looks alike."""

import os

import pytest
from qgis import processing
from qgis.core import (
    QgsApplication,
    QgsCoordinateTransformContext,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsRasterLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from support import write_scene


def loaded(project, algorithm_id, parameters, outputs):
    """Layers of these outputs, as Processing loads them."""
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"hazardmapper:{algorithm_id}")
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback(False)
    context.setProject(project)
    for name in outputs:
        path = parameters[name]
        context.addLayerToLoadOnCompletion(path, QgsProcessingContext.LayerDetails(name, project, name))
    _, done = algorithm.run(parameters, context, feedback)
    assert done, feedback.textLog()
    layers = []
    for name in outputs:
        path = parameters[name]
        layer = QgsVectorLayer(path, name, "ogr") if path.endswith(".gpkg") else QgsRasterLayer(path, name)
        details = context.layerToLoadOnCompletionDetails(path)
        details.postProcessor().postProcessLayer(layer, context, feedback)
        project.addMapLayer(layer)
        layers.append(layer)
    return layers


def test_mask_probability_polygons_and_change_of_another_run_belong_together(engine, project, tmp_path):
    from hazard_mapper.hazard_plugin.layer_origin import kind_of_layer, origin_of, related

    def path(name):
        return str(tmp_path / name)

    scene = QgsRasterLayer(write_scene(tmp_path / "scene.tif"), "scene")
    project.addMapLayer(scene)
    values = {"INPUT": scene.id(), "HAZARD": "flood", "OUTPUT": path("m.tif"), "PROBABILITY": path("p.tif")}
    mask, probability = loaded(project, "segmenthazard", values, ["OUTPUT", "PROBABILITY"])
    values = {"INPUT": mask.id(), "PROBABILITY": probability.id(), "OUTPUT": path("v.gpkg")}
    (polygons,) = loaded(project, "hazardpolygons", values, ["OUTPUT"])
    names = {"OUTPUT": path("m2.tif"), "PROBABILITY": path("p2.tif"), "POLYGONS": path("v2.gpkg")}
    again = loaded(project, "runagain", {"INPUT": polygons.id(), **names}, list(names))
    assert [kind_of_layer(layer) for layer in again] == ["mask", "probability", "polygons"]
    runs = {origin_of(layer)["run"] for layer in again}
    assert len(runs) == 1 and runs != {origin_of(mask)["run"]} and "" not in runs
    assert related(project, again[0], "probability") == [again[1]]
    assert related(project, mask, "probability") == [probability]
    assert {origin_of(layer)["scene_id"] for layer in again} == {scene.id()}
    processing.run(
        "hazardmapper:applythreshold", {"PROBABILITY": path("p.tif"), "THRESHOLD": 0.1, "OUTPUT": path("t.tif")}
    )
    values = {"BEFORE": path("t.tif"), "AFTER": mask.id(), "OUTPUT": path("c.tif")}
    (change,) = loaded(project, "comparemasks", values, ["OUTPUT"])
    (second,) = loaded(project, "runagain", {"INPUT": change.id(), "OUTPUT": path("c2.tif")}, ["OUTPUT"])
    assert kind_of_layer(second) == "change" and second.renderer().type() == change.renderer().type()
    labels = [[kind.label for kind in layer.renderer().classes()] for layer in (change, second)]
    assert labels[0] == labels[1]


def test_a_geopackage_with_other_tables_is_not_replaced(engine, project, tmp_path):
    shared = str(tmp_path / "shared.gpkg")
    for name in ("flood", "field_notes"):
        layer = QgsVectorLayer("Point?crs=EPSG:32633", name, "memory")
        options = QgsVectorFileWriter.SaveVectorOptions()
        options.layerName = name
        if os.path.exists(shared):
            options.actionOnExistingFile = QgsVectorFileWriter.ActionOnExistingFile.CreateOrOverwriteLayer
        QgsVectorFileWriter.writeAsVectorFormatV3(layer, shared, QgsCoordinateTransformContext(), options)
    mask = QgsRasterLayer(write_scene(tmp_path / "mask.tif"), "mask")
    values = {"INPUT": mask, "OUTPUT": str(tmp_path / "m2.tif"), "POLYGONS": shared}
    with pytest.raises(QgsProcessingException, match="holds 2 tables"):
        processing.run("hazardmapper:runagain", values)
    assert not os.path.exists(values["OUTPUT"])
