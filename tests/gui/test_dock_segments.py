"""Clicks in the dock, a real worker, a real network: what the analyst gets."""

import pytest
from support import wait_until

pytestmark = pytest.mark.gui


def results(project):
    return [layer for layer in project.mapLayers().values() if layer.customProperty("hazardmapper/kind")]


def ready(dock):
    return wait_until(lambda: "bands" in dock.ui.understoodLabel.text() and dock.ui.segmentButton.isEnabled(), 60)


def test_one_click_adds_a_named_styled_mask_above_its_source(dock, add_scene, click, project, picture, tmp_path):
    source = add_scene()
    assert ready(dock), dock.ui.statusLabel.text()
    picture(dock, "dock")
    click(dock.ui.segmentButton)
    assert wait_until(lambda: results(project), 120), dock.ui.statusLabel.text()
    assert wait_until(lambda: not dock.queue.is_running, 10)
    picture(dock, "dock_result")
    (mask,) = results(project)
    assert mask.name() == "Flood - scene"
    assert mask.source() == str(tmp_path / "scene_flood.tif")
    assert mask.renderer().type() == "paletted"
    order = [node.layerId() for node in project.layerTreeRoot().findLayers()]
    assert order == [mask.id(), source.id()]
    assert mask.extent() == source.extent() and mask.width() == source.width()
    assert "km²" in dock.results.texts()[0]
