"""The menu of what follows a result fits the algorithms that it opens."""

import pytest
from qgis.core import QgsApplication, QgsRasterLayer, QgsVectorLayer
from support import write_scene


@pytest.fixture
def run_of(project, provider, tmp_path):
    """Scene, mask, probability and polygons of one run, in the project."""
    from hazard_mapper.hazard_plugin.layer_origin import new_run, remember_origin

    run = new_run()
    layers = {}
    scene = QgsRasterLayer(write_scene(tmp_path / "scene.tif"), "scene")
    for kind, name in (("mask", "scene_flood"), ("probability", "scene_flood_probability")):
        layers[kind] = QgsRasterLayer(write_scene(tmp_path / f"{name}.tif", bands=1), name)
    layers["polygons"] = QgsVectorLayer("Polygon?crs=EPSG:32633&field=origin:string", "polygons", "memory")
    for kind, layer in layers.items():
        remember_origin(layer, kind, run=run, hazard="flood", scene="scene", scene_id=scene.id())
    project.addMapLayers([scene, *layers.values()])
    return {"scene": scene, **layers}


def test_every_entry_names_an_algorithm_and_parameters_that_it_has(provider):
    from hazard_mapper.hazard_plugin.delivery_menu import ENTRIES

    for entry in ENTRIES:
        algorithm = QgsApplication.processingRegistry().algorithmById(f"hazardmapper:{entry.algorithm}")
        assert algorithm is not None, entry.algorithm
        names = {parameter.name() for parameter in algorithm.parameterDefinitions()}
        assert {*entry.roles, *entry.outputs} <= names, entry.algorithm
        assert algorithm.group() and algorithm.shortDescription() and algorithm.shortHelpString()


@pytest.mark.parametrize("kind", ["mask", "probability", "polygons"])
def test_dialogs_are_filled_from_any_layer_of_the_run(run_of, kind, tmp_path):
    from hazard_mapper.hazard_plugin.delivery_menu import ENTRIES, parameters_for

    found = {entry.algorithm: parameters_for(entry, run_of[kind]) for entry in ENTRIES}
    mask, probability, scene = (run_of[name].id() for name in ("mask", "probability", "scene"))
    assert found["exposure"]["HAZARD_MASK"] == mask and found["exposure"]["PROBABILITY"] == probability
    assert found["mapsheet"]["SCENE"] == scene and found["mapsheet"]["POLYGONS"] == run_of["polygons"].id()
    assert found["hazardpolygons"]["OUTPUT"] == str(tmp_path / "scene_flood.gpkg")
    (tmp_path / "scene_flood.gpkg").write_text("")
    assert found["runagain"]["INPUT"] == mask
    again = next(entry for entry in ENTRIES if entry.algorithm == "hazardpolygons")
    assert parameters_for(again, run_of[kind])["OUTPUT"] == str(tmp_path / "scene_flood_2.gpkg")


def test_layers_of_other_runs_are_left_out(run_of, project):
    from hazard_mapper.hazard_plugin.layer_origin import new_run, related, remember_origin

    other = QgsRasterLayer(run_of["mask"].source(), "another")
    remember_origin(other, "mask", run=new_run(), hazard="flood")
    project.addMapLayer(other)
    assert related(project, run_of["probability"], "mask") == [run_of["mask"]]
    assert related(project, other, "probability") == []


def test_the_layer_that_was_clicked_is_the_one_delivered(run_of, project, tmp_path):
    from hazard_mapper.hazard_plugin.delivery_menu import ENTRIES, parameters_for
    from hazard_mapper.hazard_plugin.layer_origin import inherited, remember_origin

    refined = QgsRasterLayer(write_scene(tmp_path / "refined.tif", bands=1), "refined")
    remember_origin(refined, "mask", **{**inherited(run_of["mask"]), "derived": "refined"})
    project.addMapLayer(refined)
    entry = next(entry for entry in ENTRIES if entry.algorithm == "exposure")
    for layer, wanted in ((run_of["mask"], run_of["mask"]), (refined, refined), (run_of["probability"], refined)):
        found = parameters_for(entry, layer)
        assert found["HAZARD_MASK"] == wanted.id()
        assert found["OUTPUT"].startswith(wanted.source()[: -len(".tif")])
