"""What is made of a run lands beside it, once; where the analyst puts it afterwards it stays."""

import numpy as np
import pytest
from qgis.core import QgsRasterLayer
from support import settle, write_scene
from test_plugin import loaded  # noqa: F401
from test_threshold_editor import remembered, write


@pytest.fixture
def group(loaded, project, tmp_path):  # noqa: F811
    """The group of a run with its mask and its probability."""
    from hazard_mapper.hazard_plugin.result_layers import add_run_group

    scene = QgsRasterLayer(write_scene(tmp_path / "scene.tif"), "scene")
    project.addMapLayer(scene)
    made = add_run_group(project, scene.id(), "Flood - scene", "one")
    for name in ("mask", "probability"):
        path = write(tmp_path / f"{name}.tif", np.zeros((40, 40), "u1"), "flood")
        layer = remembered(QgsRasterLayer(path, name), name)
        project.addMapLayer(layer, False)
        made.addLayer(layer)
    settle(0.1)
    return made


def tree(project):
    return {node.name(): [child.name() for child in node.children()] for node in project.layerTreeRoot().findGroups()}


def test_a_layer_that_was_put_elsewhere_stays_there_when_the_project_is_opened(group, project, tmp_path):
    own = project.layerTreeRoot().insertGroup(0, "For the briefing")
    node = group.children()[1]
    own.insertChildNode(0, node.clone())
    group.removeChildNode(node)
    settle(0.1)
    arranged = {"For the briefing": ["probability"], "Flood - scene": ["mask"]}
    assert tree(project) == arranged
    assert project.write(str(tmp_path / "project.qgz"))
    project.clear()
    assert project.read(str(tmp_path / "project.qgz"))
    settle(0.2)
    assert tree(project) == arranged and not project.isDirty()


def test_what_processing_loads_and_marks_joins_its_run(group, project, tmp_path):
    path = write(tmp_path / "refined.tif", np.zeros((40, 40), "u1"), "flood")
    layer = QgsRasterLayer(path, "refined")
    project.addMapLayer(layer, False)
    project.layerTreeRoot().insertLayer(0, layer)
    remembered(layer, "mask")
    settle(0.1)
    assert tree(project) == {"Flood - scene": ["refined", "mask", "probability"]}
