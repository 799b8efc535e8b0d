"""Clicks in the dock, a real worker, a real network: what the analyst gets."""

import os
import signal
import time

import pytest
from osgeo import gdal
from qgis.core import QgsApplication, QgsFeature, QgsGeometry, QgsProject, QgsRasterLayer, QgsRectangle, QgsVectorLayer
from qgis.PyQt.QtGui import QColor, QImage
from support import hidden_files, settle, wait_until

pytestmark = pytest.mark.gui


def results(project, kind="mask"):
    layers = project.mapLayers().values()
    return [layer for layer in layers if layer.customProperty("hazardmapper/kind") == kind]


def ready(dock):
    done = wait_until(lambda: "bands" in dock.ui.understoodLabel.text() and dock.ui.segmentButton.isEnabled(), 60)
    assert done, (dock.ui.understoodLabel.text(), dock.ui.statusLabel.text())


def ended(dock):
    assert wait_until(lambda: not dock.queue.is_running, 120)


def messages(iface, level=None):
    found = iface.messageBar().messages
    return [text for key, texts in found.items() for text in texts if level is None or key == level]


@pytest.fixture(autouse=True)
def quiet_bar(qgis_iface):
    qgis_iface.messageBar().clear_messages()


@pytest.mark.usefixtures("own_worker")
def test_one_click_adds_a_named_styled_mask_above_its_source(dock, add_scene, click, project, picture, tmp_path):
    below = add_scene("below")
    source = add_scene("Faenza")
    ready(dock)
    group = project.layerTreeRoot().insertGroup(0, "scenes")
    node = project.layerTreeRoot().findLayer(source.id())
    group.addChildNode(node.clone())
    node.parent().removeChildNode(node)
    click(dock.ui.segmentButton)
    ended(dock)
    picture(dock, "dock_result")
    (mask,) = results(project)
    assert mask.name() == "Flood - Faenza"
    assert mask.source() == str(tmp_path / "Faenza_flood.tif")
    assert mask.renderer().type() == "paletted"
    assert mask.renderer().classes()[1].label == "Flood"
    run, scene = group.children()
    (probability,) = results(project, "probability")
    assert run.name() == "Flood - Faenza"
    assert [child.layerId() for child in run.children()] == [mask.id(), probability.id()]
    assert scene.layerId() == source.id()
    assert mask.extent() == source.extent() and mask.width() == source.width()
    assert project.layerTreeRoot().findLayer(below.id()) is not None
    assert "km²" in dock.results.texts()[0] and "on CPU" in dock.results.texts()[0]
    assert dock.ui.progressBar.isHidden() and dock.ui.segmentButton.isEnabled()


def test_a_second_run_never_overwrites_and_zoom_shows_the_result(dock, add_scene, click, project, qgis_iface, tmp_path):
    source = add_scene()
    ready(dock)
    dock.ui.probabilityCheckBox.setChecked(True)
    for _ in range(2):
        click(dock.ui.segmentButton)
        ended(dock)
    names = sorted(os.path.basename(layer.source()) for layer in results(project))
    assert names == ["scene_flood.tif", "scene_flood_2.tif"]
    assert len(results(project, "probability")) == 2
    percent = gdal.Open(str(tmp_path / "scene_flood_probability.tif")).ReadAsArray()
    assert ((percent <= 100) | (percent == 255)).all()
    canvas = qgis_iface.mapCanvas()
    canvas.setExtent(QgsRectangle(0, 0, 10, 10))
    click(dock.results.findChild(type(dock.ui.modelInfoButton), "zoomButton"))
    assert canvas.extent().contains(source.extent())


def test_visible_extent_crops_the_mask(dock, add_scene, click, project, qgis_iface):
    source = add_scene()
    ready(dock)
    qgis_iface.mapCanvas().resize(400, 400)
    extent = source.extent()
    half = QgsRectangle(extent.xMinimum(), extent.yMinimum(), extent.center().x(), extent.center().y())
    qgis_iface.mapCanvas().setExtent(half)
    view = qgis_iface.mapCanvas().extent()
    click(dock.ui.segmentButton)
    ended(dock)
    (mask,) = results(project)
    assert mask.extent().width() < extent.width()
    assert mask.extent().contains(view.intersect(extent))
    assert (mask.extent().xMinimum() - extent.xMinimum()) % 10 == 0


def test_selected_polygons_limit_the_assessment(dock, add_scene, click, project):
    source = add_scene()
    fields = QgsVectorLayer("Polygon?crs=EPSG:32633", "fields", "memory")
    extent = source.extent()
    for share in (0.25, 0.5):
        feature = QgsFeature()
        box = QgsRectangle(extent.xMinimum(), extent.yMinimum(), extent.xMinimum() + share * 960, extent.yMaximum())
        feature.setGeometry(QgsGeometry.fromRect(box))
        fields.dataProvider().addFeature(feature)
    project.addMapLayer(fields)
    ready(dock)
    ui = dock.ui
    assert not ui.polygonComboBox.isVisible()
    ui.areaComboBox.setCurrentIndex(ui.areaComboBox.findData("polygons"))
    assert ui.polygonComboBox.isVisible() and not ui.selectedOnlyCheckBox.isVisible()
    fields.selectByIds([1])
    assert wait_until(ui.selectedOnlyCheckBox.isVisible, 2) and ui.selectedOnlyCheckBox.isChecked()
    click(ui.segmentButton)
    ended(dock)
    (mask,) = results(project)
    values = gdal.Open(mask.source()).ReadAsArray()
    assert (values[:, :24] != 255).all() and (values[:, 24:] == 255).all()


def test_cancel_adds_no_layer_and_leaves_no_files(dock, add_scene, click, project, picture, tmp_path, qgis_iface):
    add_scene("big", width=1500, height=1500)
    ready(dock)
    dock.ui.areaComboBox.setCurrentIndex(dock.ui.areaComboBox.findData("layer"))
    top = dock.ui.segmentButton.pos()
    click(dock.ui.segmentButton)
    assert wait_until(lambda: dock.ui.progressBar.value() > 0, 60)
    assert dock.ui.cancelButton.isVisible() and not dock.ui.segmentButton.isEnabled()
    assert dock.ui.segmentButton.pos() == top, "nothing jumps when a run starts"
    picture(dock, "dock_running")
    began = time.monotonic()
    click(dock.ui.cancelButton)
    ended(dock)
    assert time.monotonic() - began < 6
    assert results(project) == [] and hidden_files(tmp_path) == []
    assert not (tmp_path / "big_flood.tif").exists()
    assert "Cancelled" in dock.ui.statusLabel.text() and dock.ui.segmentButton.isEnabled()


def test_a_killed_worker_is_one_message_and_the_next_run_works(dock, add_scene, click, project, qgis_iface, tmp_path):
    add_scene("big", width=1500, height=1500)
    ready(dock)
    dock.ui.areaComboBox.setCurrentIndex(dock.ui.areaComboBox.findData("layer"))
    click(dock.ui.segmentButton)
    assert wait_until(lambda: dock.ui.progressBar.value() > 0, 60)
    os.kill(worker_pid(), signal.SIGKILL)
    ended(dock)
    (message,) = messages(qgis_iface)
    assert "ended by the system" in message and "run again" in message
    assert results(project) == [] and hidden_files(tmp_path) == []
    add_scene("small")
    ready(dock)
    click(dock.ui.segmentButton)
    ended(dock)
    assert [layer.name() for layer in results(project)] == ["Flood - small"]


def worker_pid():
    """Process id of the one worker that this process started."""
    children = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat, open(f"/proc/{entry}/cmdline") as command:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
                    if parent == os.getpid() and "worker" in command.read():
                        children.append(int(entry))
            except OSError:
                continue
    (child,) = children
    return child


def test_several_layers_run_one_after_another(plugin, dock, add_scene, click, project, qgis_iface, picture):
    layers = [add_scene("first"), add_scene("second")]
    ready(dock)
    qgis_iface.layerTreeView().selectedLayers.return_value = layers
    qgis_iface.setActiveLayer(layers[0])
    plugin.layer_action.trigger()
    assert dock.scene().name() == "first" and "second" in dock.ui.queueLabel.text()
    picture(dock, "dock_queue")
    ready(dock)
    click(dock.ui.segmentButton)
    assert wait_until(lambda: len(results(project)) == 2, 120)
    ended(dock)
    assert {layer.name() for layer in results(project)} == {"Flood - first", "Flood - second"}
    assert len(dock.results.texts()) == 2
    assert not dock.ui.queueLabel.isVisible()


def test_cancel_stops_the_whole_queue(plugin, dock, add_scene, click, project, qgis_iface):
    layers = [add_scene("big", width=1500, height=1500), add_scene("second")]
    qgis_iface.layerTreeView().selectedLayers.return_value = layers
    qgis_iface.setActiveLayer(layers[0])
    plugin.layer_action.trigger()
    ready(dock)
    dock.ui.areaComboBox.setCurrentIndex(dock.ui.areaComboBox.findData("layer"))
    click(dock.ui.segmentButton)
    assert wait_until(lambda: dock.ui.progressBar.value() > 0, 60)
    click(dock.ui.cancelButton)
    ended(dock)
    assert results(project) == []


def test_a_project_closed_during_a_run_keeps_the_file(dock, add_scene, click, project, qgis_iface, tmp_path):
    add_scene("big", width=1200, height=1200)
    ready(dock)
    dock.ui.areaComboBox.setCurrentIndex(dock.ui.areaComboBox.findData("layer"))
    click(dock.ui.segmentButton)
    assert wait_until(lambda: dock.ui.progressBar.value() > 0, 60)
    project.clear()
    ended(dock)
    assert (tmp_path / "big_flood.tif").exists() and not QgsProject.instance().mapLayers()
    assert any(str(tmp_path / "big_flood.tif") in message for message in messages(qgis_iface))


def test_a_source_removed_during_a_run_does_no_harm(dock, add_scene, click, project):
    layer = add_scene("big", width=1200, height=1200)
    ready(dock)
    dock.ui.areaComboBox.setCurrentIndex(dock.ui.areaComboBox.findData("layer"))
    click(dock.ui.segmentButton)
    assert wait_until(lambda: dock.ui.progressBar.value() > 0, 60)
    project.removeMapLayer(layer.id())
    ended(dock)
    assert [layer.name() for layer in results(project)] == ["Flood - big"]


def test_a_saved_project_keeps_relative_paths(dock, add_scene, click, project, tmp_path):
    add_scene()
    ready(dock)
    click(dock.ui.segmentButton)
    ended(dock)
    plain = tmp_path / "project.qgs"
    assert project.write(str(plain))
    text = plain.read_text()
    assert "<datasource>./scene_flood.tif</datasource>" in text and str(tmp_path) + "/scene_flood.tif" not in text


def test_an_unsaved_project_asks_once_for_a_folder(dock, add_scene, click, project, tmp_path):
    from hazard_mapper.hazard_plugin.settings import save_setting

    save_setting("output_folder", "")
    folder = tmp_path / "chosen"
    folder.mkdir()
    asked = []
    dock.ask_folder = lambda: asked.append(1) or str(folder)
    project.setFileName("")
    add_scene()
    ready(dock)
    for _ in range(2):
        click(dock.ui.segmentButton)
        ended(dock)
    assert len(asked) == 1
    assert sorted(p.name for p in folder.glob("*.tif")) == [
        "scene_flood.tif", "scene_flood_2.tif", "scene_flood_2_probability.tif", "scene_flood_probability.tif"
    ]  # fmt: skip
    save_setting("output_folder", "")


def test_choosing_no_folder_runs_nothing(dock, add_scene, click, project):
    from hazard_mapper.hazard_plugin.settings import save_setting

    save_setting("output_folder", "")
    project.setFileName("")
    dock.ask_folder = lambda: ""
    add_scene()
    ready(dock)
    click(dock.ui.segmentButton)
    assert not dock.queue.is_running and "No folder" in dock.ui.statusLabel.text()


def test_an_in_memory_layer_is_segmented_too(dock, add_scene, click, project, qgis_iface):
    path = add_scene("file").source()
    gdal.Translate("/vsimem/memory.tif", path)
    layer = QgsRasterLayer("/vsimem/memory.tif", "memory")
    project.addMapLayer(layer)
    dock.ui.layerComboBox.setLayer(layer)
    ready(dock)
    assert "reflectance" in dock.ui.understoodLabel.text()
    click(dock.ui.segmentButton)
    ended(dock)
    (mask,) = results(project)
    assert mask.name() == "Flood - memory" and mask.extent() == layer.extent()
    project.removeMapLayer(layer.id())
    gdal.Unlink("/vsimem/memory.tif")


def test_layers_selected_together_are_queued(dock, add_scene, qgis_iface):
    layers = [add_scene("first"), add_scene("second")]
    qgis_iface.layerTreeView().selectedLayers.return_value = layers
    dock.follow_selection()
    assert dock.scene() is layers[1] and "first" in dock.ui.queueLabel.text()
    qgis_iface.layerTreeView().selectedLayers.return_value = layers[:1]
    dock.follow_selection()
    assert not dock.ui.queueLabel.isVisible()


def test_map_tiles_are_segmented_as_seen(dock, click, project, qgis_iface, tmp_path):
    for x in (0, 1):
        folder = tmp_path / "1" / str(x)
        folder.mkdir(parents=True)
        for y in (0, 1):
            image = QImage(256, 256, QImage.Format.Format_ARGB32)
            image.fill(QColor("#306030" if x else "#203050"))
            image.save(str(folder / f"{y}.png"))
    uri = f"type=xyz&url=file://{tmp_path}/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmin=1&zmax=1"
    layer = QgsRasterLayer(uri, "tiles", "wms")
    project.addMapLayer(layer)
    canvas = qgis_iface.mapCanvas()
    canvas.setDestinationCrs(layer.crs())
    canvas.resize(300, 300)
    canvas.setExtent(QgsRectangle(-1500, -1500, 1500, 1500))
    dock.ui.layerComboBox.setLayer(layer)
    ready(dock)
    assert "red, green, blue" in dock.ui.understoodLabel.text()
    click(dock.ui.segmentButton)
    ended(dock)
    (mask,) = results(project)
    assert mask.crs() == layer.crs()
    assert mask.extent().width() / mask.width() == pytest.approx(canvas.mapUnitsPerPixel(), rel=0.01)


def test_unloading_during_a_run_does_no_harm(plugin, dock, add_scene, click, project, qgis_parent, tmp_path):
    add_scene("big", width=1500, height=1500)
    ready(dock)
    dock.ui.areaComboBox.setCurrentIndex(dock.ui.areaComboBox.findData("layer"))
    click(dock.ui.segmentButton)
    assert wait_until(lambda: dock.ui.progressBar.value() > 0, 60)
    worker = worker_pid()
    qgis_parent.removeDockWidget(dock)
    plugin.unload()
    assert wait_until(lambda: QgsApplication.taskManager().countActiveTasks() == 0, 10)
    settle()
    assert results(project) == [] and hidden_files(tmp_path) == []
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
