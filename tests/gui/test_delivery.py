"""What follows a result in the dock: its menu, its threshold, its polygons and what is corrected in them."""

import json

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)
from qgis.PyQt.QtWidgets import QToolButton
from support import settle, wait_until

pytestmark = pytest.mark.gui


def results(project, kind="mask"):
    return [layer for layer in project.mapLayers().values() if layer.customProperty("hazardmapper/kind") == kind]


@pytest.fixture
def result(dock, add_scene, click):
    """Mask and probability of a scene, from one click."""
    add_scene("Faenza")
    assert wait_until(lambda: dock.ui.segmentButton.isEnabled(), 60)
    dock.ui.probabilityCheckBox.setChecked(True)
    click(dock.ui.segmentButton)
    assert wait_until(lambda: not dock.queue.is_running, 60)
    project = QgsProject.instance()
    return results(project)[0], results(project, "probability")[0]


def run(algorithm_id, parameters):
    """Run an algorithm as Processing does; returns its results and what it said."""
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(algorithm_id)
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    feedback = QgsProcessingFeedback(False)
    possible, reason = algorithm.checkParameterValues(parameters, context)
    if not possible:
        return {}, reason
    found, _ = algorithm.run(parameters, context, feedback)
    return found, feedback.textLog()


def legend(layer):
    """Values and labels of a layer's colours."""
    return [(item.value, item.label) for item in layer.renderer().shader().rasterShaderFunction().colorRampItemList()]


def pixels(path):
    return gdal.Open(path).ReadAsArray()


def test_the_layers_of_a_run_know_each_other_and_say_how_they_were_made(result, dock, click, picture):
    mask, probability = result
    assert mask.customProperty("hazardmapper/run") == probability.customProperty("hazardmapper/run") != ""
    history = "\n".join(mask.metadata().history())
    tags = gdal.Open(mask.source()).GetMetadata()
    assert tags["HAZARD_SCENE_SHA256"] in history and tags["HAZARD_MODEL_SHA256"] in history
    click(dock.findChild(QToolButton, "deliverButton"))
    assert wait_until(lambda: dock.delivery.menu.isVisible())
    texts = [action.text() for action in dock.delivery.menu.actions() if action.text()]
    assert texts[0] == "Move the threshold" and "Run again…" in texts
    assert all(action.toolTip() for action in dock.delivery.menu.actions() if action.text())
    picture(dock.delivery.menu, "delivery_menu")
    dock.delivery.menu.close()


def test_the_slider_shows_the_area_at_once_and_apply_writes_the_mask(result, dock, click, picture):
    mask, probability = result
    bar = dock.delivery.bar
    dock.delivery.editor.open(mask)
    assert wait_until(lambda: bar.area_m2() is not None, 30)
    percent = pixels(probability.source())
    levels = np.unique(percent[percent <= 100])
    cut = int(levels[len(levels) // 2])
    bar.slider.setValue(cut)
    expected = ((percent >= cut) & (percent <= 100)).sum() * 100.0
    assert bar.area_m2() == pytest.approx(expected, rel=3e-3)
    assert probability.renderer().type() == "singlebandpseudocolor"
    picture(dock, "dock_threshold")
    click(bar.apply_button)
    assert wait_until(lambda: bar.isHidden(), 60)
    again = pixels(mask.source())
    assert np.array_equal(again == 1, (percent >= cut) & (percent <= 100))
    assert mask.isValid() and mask.renderer().type() == "paletted"
    assert f"at {cut} %" in dock.results.texts()[0]
    assert mask.customProperty("hazardmapper/threshold") == str(cut / 100)
    assert float(gdal.Open(mask.source()).GetMetadata()["HAZARD_THRESHOLD"]) == cut / 100


def test_closing_the_slider_leaves_everything_as_it_was(result, dock, project):
    mask, probability = result
    before, drawn = pixels(mask.source()), legend(probability)
    dock.delivery.editor.open(probability)
    dock.delivery.bar.slider.setValue(7)
    root = project.layerTreeRoot()
    assert root.findLayer(probability.id()).itemVisibilityChecked()
    dock.delivery.bar.closed.emit()
    assert legend(probability) == drawn
    assert root.findLayer(mask.id()).itemVisibilityChecked()
    assert not root.findLayer(probability.id()).itemVisibilityChecked()
    assert np.array_equal(pixels(mask.source()), before)


def test_removing_the_layers_meanwhile_ends_it(result, dock, project):
    mask, probability = result
    dock.delivery.editor.open(mask)
    project.removeMapLayers([mask.id(), probability.id()])
    settle(0.2)
    assert dock.delivery.bar.isHidden()


def test_without_a_probability_the_remedy_is_said(dock, add_scene, click, qgis_iface, project):
    add_scene()
    assert wait_until(lambda: dock.ui.segmentButton.isEnabled(), 60)
    dock.ui.probabilityCheckBox.setChecked(False)
    click(dock.ui.segmentButton)
    assert wait_until(lambda: not dock.queue.is_running, 60)
    qgis_iface.messageBar().clear_messages()
    dock.delivery.editor.open(results(project)[0])
    texts = [text for found in qgis_iface.messageBar().messages.values() for text in found]
    assert any("tick Probability" in text for text in texts)


def test_running_again_gives_the_same_mask_and_a_changed_scene_is_refused(result, tmp_path, project):
    mask, _ = result
    found, told = run("hazardmapper:runagain", {"INPUT": mask, "OUTPUT": str(tmp_path / "again.tif")})
    assert found["DIFFERENT_PIXELS"] == 0 and "the same, pixel by pixel" in told
    assert np.array_equal(pixels(str(tmp_path / "again.tif")), pixels(mask.source()))
    scene = json.loads(gdal.Open(mask.source()).GetMetadata()["HAZARD_JOB"])["raster"]
    dataset = gdal.Open(scene, gdal.GA_Update)
    dataset.GetRasterBand(1).WriteArray(np.full((5, 5), 900, "u2"))
    dataset = None
    refused, told = run("hazardmapper:runagain", {"INPUT": mask, "OUTPUT": str(tmp_path / "third.tif")})
    assert not refused.get("OUTPUT") and "has changed since" in told
    assert not (tmp_path / "third.tif").exists()
    found, _ = run("hazardmapper:runagain", {"INPUT": mask, "OUTPUT": str(tmp_path / "third.tif"), "CHANGED": True})
    assert (tmp_path / "third.tif").exists() and found["OUTPUT"]


@pytest.fixture
def polygons(result, tmp_path, project):
    """Polygons of the result, as the algorithm writes and loads them."""
    from hazard_mapper.hazard_plugin.layer_origin import inherited, remember_origin

    mask, probability = result
    path = str(tmp_path / "polygons.gpkg")
    values = {"INPUT": mask, "PROBABILITY": probability, "OUTPUT": path, "MINIMUM_AREA_M2": 150}
    found, told = run("hazardmapper:hazardpolygons", values)
    assert found, told
    layer = QgsVectorLayer(path, "polygons", "ogr")
    assert layer.isValid() and layer.featureCount() > 0
    project.addMapLayer(layer, False)
    project.layerTreeRoot().insertLayer(0, layer)
    remember_origin(layer, "polygons", **inherited(mask))
    settle(0.2)
    return layer


def square(layer, size_m):
    middle = layer.extent().center()
    half = size_m / 2
    return QgsGeometry.fromRect(
        QgsRectangle(middle.x() - half, middle.y() - half, middle.x() + half, middle.y() + half)
    )


def test_what_is_made_of_a_run_joins_its_group(polygons, result, project):
    mask, _ = result
    root = project.layerTreeRoot()
    group = root.findLayer(mask.id()).parent()
    assert group.name() == "Flood - Faenza" and root.findLayer(polygons.id()).parent() == group
    assert group.children()[0].layerId() == polygons.id() and len(root.findLayers()) == 4


def origins(layer):
    return sorted(feature["origin"] for feature in layer.getFeatures())


def test_what_is_drawn_is_manual_and_what_is_deleted_stays_away(polygons, result, dock, click):
    mask, _ = result
    model = origins(polygons).count("model")
    first = next(feature.id() for feature in polygons.getFeatures() if feature["origin"] == "model")
    polygons.startEditing()
    drawn = QgsVectorLayerUtils.createFeature(polygons, square(polygons, 50))
    assert drawn["origin"] == "manual" and drawn["hazard"] == "flood"
    assert polygons.addFeature(drawn) and polygons.deleteFeature(first)
    assert polygons.commitChanges()
    assert origins(polygons).count("manual") == 1 and origins(polygons).count("removed") == 1
    assert origins(polygons).count("model") == model - 1
    manual = next(feature for feature in polygons.getFeatures() if feature["origin"] == "manual")
    assert manual["area_m2"] == pytest.approx(2500, rel=3e-3)
    dock.delivery.editor.open(mask)
    dock.delivery.bar.slider.setValue(40)
    click(dock.delivery.bar.apply_button)
    assert wait_until(lambda: dock.delivery.bar.isHidden(), 60)
    assert polygons.isValid()
    assert origins(polygons).count("manual") == 1 and origins(polygons).count("removed") == 1
    areas = [feature["area_m2"] for feature in polygons.getFeatures() if feature["origin"] == "model"]
    assert not areas or min(areas) >= 150, "traced with the settings of before"
    shapes = {feature["origin"]: feature.geometry() for feature in polygons.getFeatures()}
    assert shapes["manual"].equals(manual.geometry())
    for feature in polygons.getFeatures():
        if feature["origin"] == "model":
            for other in ("manual", "removed"):
                assert feature.geometry().intersection(shapes[other]).area() < 1e-6, other


def test_a_corrected_mask_follows_what_was_drawn(polygons, result, tmp_path):
    mask, _ = result
    polygons.startEditing()
    polygons.addFeature(QgsVectorLayerUtils.createFeature(polygons, square(polygons, 200)))
    values = {"INPUT": mask, "POLYGONS": polygons, "OUTPUT": str(tmp_path / "corrected.tif")}
    refused, told = run("hazardmapper:correctmask", values)
    assert not refused.get("OUTPUT") and "not saved" in told and not (tmp_path / "corrected.tif").exists()
    assert polygons.commitChanges()
    found, _ = run("hazardmapper:correctmask", values)
    before, after = pixels(mask.source()), pixels(values["OUTPUT"])
    changed = (before != 1) & (after == 1)
    assert found["ADDED_M2"] == pytest.approx(changed.sum() * 100, rel=3e-3)
    assert np.array_equal(after[~changed], before[~changed])


def test_edits_that_are_not_saved_are_not_lost_to_a_new_threshold(polygons, result, dock, click, qgis_iface):
    mask, _ = result
    polygons.startEditing()
    feature = QgsFeature(polygons.fields())
    feature.setGeometry(square(polygons, 30))
    polygons.addFeature(feature)
    dock.delivery.editor.open(mask)
    before = pixels(mask.source())
    click(dock.delivery.bar.apply_button)
    settle(0.5)
    texts = [text for found in qgis_iface.messageBar().messages.values() for text in found]
    assert any("being edited" in text for text in texts)
    assert polygons.isEditable() and np.array_equal(pixels(mask.source()), before)
    polygons.rollBack()


def test_what_the_toolbox_loads_knows_its_run_and_its_history(dock, add_scene, project, tmp_path):
    scene = add_scene("Lugo")
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("hazardmapper:segmenthazard")
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback(False)
    context.setProject(project)
    paths = {"OUTPUT": str(tmp_path / "m.tif"), "PROBABILITY": str(tmp_path / "p.tif")}
    for name, path in paths.items():
        context.addLayerToLoadOnCompletion(path, QgsProcessingContext.LayerDetails(name, project, name))
    found, done = algorithm.run({"INPUT": scene, "HAZARD": "flood", **paths}, context, feedback)
    assert done, feedback.textLog()
    loaded = {}
    for path in paths.values():
        layer = QgsRasterLayer(path, "as loaded")
        context.layerToLoadOnCompletionDetails(path).postProcessor().postProcessLayer(layer, context, feedback)
        loaded[layer.customProperty("hazardmapper/kind")] = layer
    assert loaded["mask"].name() == "Flood - Lugo"
    assert loaded["mask"].customProperty("hazardmapper/run") == loaded["probability"].customProperty("hazardmapper/run")
    history = "\n".join(loaded["mask"].metadata().history())
    assert found["SCENE_SHA256"] in history and found["MODEL_SHA256"] in history and str(tmp_path) not in history


def test_every_entry_opens_a_filled_dialog(polygons, result, dock, qgis_iface, picture, monkeypatch):
    from hazard_mapper.hazard_plugin.delivery_menu import ENTRIES, open_dialog
    from qgis import utils
    from qgis.gui import QgsBrowserGuiModel

    browser = QgsBrowserGuiModel()
    monkeypatch.setattr(utils, "iface", qgis_iface)
    monkeypatch.setattr(qgis_iface, "browserModel", lambda: browser, raising=False)
    mask, _ = result
    for entry in ENTRIES:
        dialog = open_dialog(entry, mask, qgis_iface)
        assert dialog is not None, entry.algorithm
        assert wait_until(dialog.isVisible)
        values = dialog.createProcessingParameters()
        for name in entry.roles:
            assert values.get(name) not in (None, ""), f"{entry.algorithm} {name}"
        picture(dialog, f"dialog_{entry.algorithm}")
        dialog.close()


def test_help_pages_lead_to_each_other(dock, click, picture):
    import re
    from pathlib import Path

    from hazard_mapper.hazard_plugin.help_page import HELP_FOLDER, HelpDialog
    from qgis.PyQt.QtCore import QUrl

    dialog = HelpDialog("delivering", dock)
    dialog.show()
    picture(dialog, "help_delivering")
    dialog.follow(QUrl("polygons.md"))
    assert dialog.windowTitle() == Path(HELP_FOLDER, "polygons.md").read_text("utf-8").splitlines()[0].lstrip("# ")
    click(dialog.back)
    assert dialog.windowTitle().startswith("From a mask") and not dialog.back.isEnabled()
    dialog.close()
    for page in Path(HELP_FOLDER).glob("*.md"):
        for link in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text("utf-8")):
            assert Path(HELP_FOLDER, link).exists(), f"{page.name}: {link}"
