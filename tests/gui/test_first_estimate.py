"""What an analyst sees before a run is through, and what can be kept of one that was cancelled; a real worker."""

import os
import shutil
import time

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import Qgis, QgsProcessingUtils, QgsRectangle
from qgis.PyQt.QtWidgets import QPushButton
from support import hidden_files, settle, wait_until

pytestmark = pytest.mark.gui
SIDE = 1100
TALL = 2600


def of_kind(project, kind):
    return [layer for layer in project.mapLayers().values() if layer.customProperty("hazardmapper/kind") == kind]


def ready(dock, area="layer"):
    dock.ui.areaComboBox.setCurrentIndex(dock.ui.areaComboBox.findData(area))
    assert wait_until(lambda: "bands" in dock.ui.understoodLabel.text() and dock.ui.segmentButton.isEnabled(), 60)


def ended(dock):
    assert wait_until(lambda: not dock.queue.is_running, 240)


def lent_folders():
    names = os.listdir(QgsProcessingUtils.tempFolder())
    return [name for name in names if name.startswith(("estimate_", "part_"))]


def keep_button(iface):
    found = [button for button in iface.messageBar().findChildren(QPushButton, "keepPartButton") if button.isEnabled()]
    return found[-1] if found else None


@pytest.fixture(autouse=True)
def quiet_bar(qgis_iface):
    bar = qgis_iface.messageBar()
    bar.clear_messages()
    yield
    bar.clearWidgets()
    settle(0.1)


@pytest.fixture
def estimating(dock, add_scene, click, project):
    """A run on a large scene whose first estimate is shown."""

    def start(height=SIDE):
        source = add_scene("big", width=SIDE, height=height)
        ready(dock)
        click(dock.ui.segmentButton)
        assert wait_until(lambda: of_kind(project, "estimate") or not dock.queue.is_running, 120)
        (layer,) = of_kind(project, "estimate")
        return source, layer

    return start


def test_an_estimate_is_shown_at_once_and_the_mask_takes_its_place(
    dock, estimating, project, qgis_iface, qgis_parent, picture
):
    source, layer = estimating()
    assert dock.queue.is_running and of_kind(project, "mask") == []
    assert layer.name() == "Flood - big (first estimate)" and layer.opacity() < 1
    assert layer.renderer().type() == "paletted" and "coarser" in layer.metadata().abstract()
    assert layer.crs() == source.crs() and source.extent().contains(layer.extent())
    assert layer.extent().width() > 0.98 * source.extent().width() and layer.width() < 0.2 * SIDE
    group = project.layerTreeRoot().findLayer(layer.id()).parent()
    assert group.name() == "Flood - big"
    assert layer not in [dock.ui.layerComboBox.layer(i) for i in range(dock.ui.layerComboBox.count())]
    seen = gdal.Open(layer.source()).ReadAsArray()
    qgis_iface.mapCanvas().setLayers([layer, source])
    qgis_iface.mapCanvas().refresh()
    qgis_iface.mapCanvas().waitWhileRendering()
    picture(qgis_parent, "first_estimate")
    ended(dock)
    assert of_kind(project, "estimate") == []
    (mask,) = of_kind(project, "mask")
    final = gdal.Open(mask.source()).ReadAsArray()
    step = SIDE // seen.shape[0]
    near = final[step // 2 :: step, step // 2 :: step][: seen.shape[0], : seen.shape[1]]
    assert (near == seen).mean() > 0.9, "dark water is seen from afar as well"
    groups = [child.name() for child in project.layerTreeRoot().children() if not hasattr(child, "layerId")]
    assert groups == ["Flood - big"] and lent_folders() == []


def test_what_is_refined_takes_the_place_of_the_estimate(dock, estimating, project):
    _, layer = estimating()
    first, opacity = layer.source(), layer.opacity()
    later = os.path.join(os.path.dirname(first), "estimate_later.tif")
    shutil.copy(first, later)
    dock.queue.previewed.emit(dock.queue._run, {"file": later, "pixel_m": 60.0, "refined": 0.5})
    assert layer.isValid() and layer.source() == later and not os.path.exists(first)
    assert layer.renderer().type() == "paletted" and layer.opacity() == opacity
    assert len(of_kind(project, "estimate")) == 1
    project.removeMapLayer(layer.id())
    shutil.copy(later, first)
    dock.queue.previewed.emit(dock.queue._run, {"file": first, "pixel_m": 60.0, "refined": 0.6})
    assert of_kind(project, "estimate") == [], "what the analyst has taken away stays away"
    ended(dock)
    assert len(of_kind(project, "mask")) == 1


def test_what_is_in_view_is_estimated_and_no_saved_project_keeps_it(dock, add_scene, click, project, qgis_iface):
    source = add_scene("big", width=SIDE, height=SIDE)
    ready(dock)
    canvas = qgis_iface.mapCanvas()
    canvas.resize(400, 400)
    extent = source.extent()
    canvas.setExtent(QgsRectangle(extent.xMinimum(), extent.yMinimum(), extent.center().x(), extent.center().y()))
    view = canvas.extent().intersect(extent)
    click(dock.ui.segmentButton)
    assert wait_until(lambda: of_kind(project, "estimate"), 120)
    (layer,) = of_kind(project, "estimate")
    pixel = layer.rasterUnitsPerPixelX()
    assert layer.extent().xMinimum() == pytest.approx(view.xMinimum(), abs=20)
    assert layer.extent().xMaximum() == pytest.approx(view.xMaximum(), abs=20 + pixel)
    assert project.write()
    click(dock.ui.cancelButton)
    ended(dock)
    assert project.read(project.fileName())
    assert [layer.name() for layer in project.mapLayers().values()] == ["big"]
    assert [child.name() for child in project.layerTreeRoot().children()] == ["big"]


def finish_some_rows(dock):
    """Wait until rows are finished; of a run of four rows of windows one or two are then."""
    assert wait_until(lambda: dock.ui.progressBar.value() > 300 or not dock.queue.is_running, 240)
    assert dock.queue.is_running


def test_the_finished_part_of_a_cancelled_run_can_be_kept(
    dock, estimating, click, project, qgis_iface, tmp_path, picture
):
    estimating(TALL)
    finish_some_rows(dock)
    began = time.monotonic()
    click(dock.ui.cancelButton)
    ended(dock)
    assert time.monotonic() - began < 6
    assert of_kind(project, "estimate") == [] and of_kind(project, "mask") == []
    assert not list(tmp_path.glob("big_*.tif")) and hidden_files(tmp_path) == []
    bar = qgis_iface.messageBar()
    assert "cancelled after" in bar.currentItem().text() and dock.ui.segmentButton.isEnabled()
    bar.resize(1000, 60)
    bar.show()
    picture(bar, "keep_finished_part")
    folder = dock.queue._run.folder
    dock.queue._run.folder = str(tmp_path / "gone")
    click(keep_button(qgis_iface))
    assert wait_until(lambda: any("does not exist" in text for text in bar.messages[Qgis.MessageLevel.Warning]), 60)
    assert wait_until(lambda: keep_button(qgis_iface) is not None, 5), "what cannot be kept there can be kept elsewhere"
    dock.queue._run.folder = folder
    click(keep_button(qgis_iface))
    assert wait_until(lambda: of_kind(project, "mask"), 60)
    (mask,) = of_kind(project, "mask")
    assert mask.name() == "Flood - big (partial)"
    assert mask.source() == str(tmp_path / "big_partial_flood.tif")
    opened = gdal.Open(mask.source())
    values, said = opened.ReadAsArray(), opened.GetMetadataItem("HAZARD_PARTIAL")
    rows = int(said.split()[0])
    assert said == f"{rows} of {TALL} rows" and 0 < rows < TALL
    assert (values[:rows] != 255).all() and (values[rows:] == 255).all()
    assert f"{100 - 100 * rows / TALL:.0f} % not assessed" in dock.results.texts()[0]
    assert f"{rows} of {TALL} rows" in dock.results.texts()[0]
    (probability,) = of_kind(project, "probability")
    percent = gdal.Open(probability.source()).ReadAsArray()
    assert np.array_equal(percent == 255, values == 255)
    settle()
    assert keep_button(qgis_iface) is None and lent_folders() == []


def test_an_offer_that_is_dismissed_keeps_nothing(dock, estimating, click, project, qgis_iface, tmp_path):
    estimating(TALL)
    finish_some_rows(dock)
    click(dock.ui.cancelButton)
    ended(dock)
    assert len(lent_folders()) == 1
    qgis_iface.messageBar().popWidget()
    assert wait_until(lambda: lent_folders() == [], 5)
    assert of_kind(project, "mask") == [] and not list(tmp_path.glob("big_*.tif"))
    assert not dock.estimate.is_offered


def test_a_run_that_fails_takes_its_estimate_away(dock, estimating, project, tmp_path):
    from test_dock_segments import worker_pid

    estimating()
    os.kill(worker_pid(), 9)
    ended(dock)
    assert of_kind(project, "estimate") == [] and lent_folders() == []
    groups = [child for child in project.layerTreeRoot().children() if not hasattr(child, "layerId")]
    assert groups == [] and hidden_files(tmp_path) == []


def test_the_toolbox_asks_for_no_estimate(dock, monkeypatch, add_scene, project, tmp_path):
    import processing

    sent = []
    run = dock.client.run
    monkeypatch.setattr(dock.client, "run", lambda kind, job, *rest: sent.append(job) or run(kind, job, *rest))
    source = add_scene()
    processing.run(
        "hazardmapper:segmenthazard", {"INPUT": source, "HAZARD": "flood", "OUTPUT": str(tmp_path / "m.tif")}
    )
    (job,) = [job for job in sent if hasattr(job, "hazard")]
    assert job.preview is None and job.preview_extent is None and of_kind(project, "estimate") == []
