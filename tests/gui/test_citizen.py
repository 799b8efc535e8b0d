"""What QGIS itself offers, used: log tab, message bar with buttons, task manager, menus of layers."""

from types import SimpleNamespace

import pytest
from qgis.core import Qgis, QgsApplication, QgsMapLayerType
from qgis.gui import QgsMessageBar
from qgis.PyQt.QtWidgets import QPushButton
from support import pretended_client, wait_until

pytestmark = pytest.mark.gui


@pytest.fixture
def quick_engine(monkeypatch):
    import hazard_mapper.hazard_plugin.plugin as module

    monkeypatch.setattr(module, "EngineClient", pretended_client)
    monkeypatch.setattr(module, "training_client", pretended_client)


@pytest.fixture
def logged(qgis_app):
    """Tab, level and text of what is logged."""
    said = []

    def keep(text, tab, level):
        said.append((tab, level, text))

    QgsApplication.messageLog().messageReceived.connect(keep)
    yield said
    QgsApplication.messageLog().messageReceived.disconnect(keep)


@pytest.fixture
def window(qgis_app):
    """A real message bar, and a log panel that only counts."""
    bar, opened = QgsMessageBar(), []
    yield SimpleNamespace(messageBar=lambda: bar, openMessageLog=lambda: opened.append(1), opened=opened)
    bar.clearWidgets()
    bar.deleteLater()


def button_of(window):
    item = window.messageBar().currentItem()
    return item.findChild(QPushButton, "messageButton")


def run_of_hazard(dock, hazard):
    """Start a run that the pretended engine answers in a way of its own."""
    assert wait_until(lambda: dock.ui.segmentButton.isEnabled() and dock.choice.model() is not None, 20)
    dock.ui.areaComboBox.setCurrentIndex(dock.ui.areaComboBox.findData("layer"))
    dock.ui.hazardComboBox.setCurrentIndex(dock.ui.hazardComboBox.findData(hazard))
    dock.run()
    assert dock.queue.is_running


def test_what_is_told_is_in_the_log_tab_of_the_plugin_too(window, logged):
    from hazard_mapper.hazard_plugin.messages import INFO, WARNING, tell

    tell(window, "The disk is full.", WARNING)
    tell(window, "Done.", INFO)
    told = [entry for entry in logged if entry[0] == "Hazard Mapper"]
    assert told == [
        ("Hazard Mapper", Qgis.MessageLevel.Warning, "The disk is full."),
        ("Hazard Mapper", Qgis.MessageLevel.Info, "Done."),
    ]


def test_trouble_stays_and_leads_to_the_log(window):
    from hazard_mapper.hazard_plugin.messages import WARNING, tell

    tell(window, "The disk is full.", WARNING)
    item = window.messageBar().currentItem()
    assert item.text() == "The disk is full." and item.title() == "Hazard Mapper" and item.duration() == 0
    button_of(window).click()
    assert window.opened == [1]


def test_a_result_is_one_click_away_in_its_message(window, project, add_scene, qgis_iface):
    from hazard_mapper.hazard_plugin.messages import SUCCESS, Offer, tell
    from hazard_mapper.hazard_plugin.outcome import zoom_to

    layer = add_scene()
    canvas = qgis_iface.mapCanvas()
    window.mapCanvas = lambda: canvas
    wide, name = layer.extent().buffered(50_000), layer.id()
    canvas.setExtent(wide)
    tell(window, "Flood.", SUCCESS, offer=Offer("Zoom", "Show it", lambda: zoom_to(window, name)))
    assert window.messageBar().currentItem().duration() == 8
    button_of(window).click()
    assert canvas.extent().width() < 0.1 * wide.width() and canvas.extent().intersects(layer.extent())
    project.removeMapLayer(name)
    button_of(window).click()  # gone: nothing happens


def test_news_without_anything_to_do_have_no_button(window):
    from hazard_mapper.hazard_plugin.messages import INFO, tell

    tell(window, "Cancelled; nothing was written.", INFO)
    assert button_of(window) is None


def test_a_run_is_listed_by_the_task_manager_and_cancelled_from_there(quick_engine, dock, add_scene, tmp_path):
    add_scene("Faenza")
    run_of_hazard(dock, "hang")
    assert wait_until(lambda: dock.ui.progressBar.value() >= 0 and QgsApplication.taskManager().countActiveTasks(), 5)
    (task,) = QgsApplication.taskManager().activeTasks()
    assert "Hazard Mapper" in task.description() and "Faenza" in task.description() and task.canCancel()
    task.cancel()
    assert wait_until(lambda: not dock.queue.is_running, 10)
    assert "Cancelled" in dock.ui.statusLabel.text()
    assert not list(tmp_path.glob("*flood*")) and not list(tmp_path.glob("*hang*"))


def test_the_menu_of_raster_layers_has_the_scene_and_that_of_results_what_can_be_made(quick_engine, plugin, qgis_iface):
    calls = [call.args for call in qgis_iface.addCustomActionForLayerType.call_args_list]
    mine = {args[0].text(): (args[2], args[3]) for args in calls if args[0] is plugin.layer_action}
    assert mine == {"Segment hazard": (QgsMapLayerType.RasterLayer, True)}
    deliver = [args for args in calls if args[0] is plugin.dock.delivery.action]
    assert {args[2] for args in deliver} == {QgsMapLayerType.RasterLayer, QgsMapLayerType.VectorLayer}
    assert all(args[3] is False for args in deliver), "only for layers that are results"
    for action in (plugin.layer_action, plugin.dock.delivery.action):
        assert not action.icon().isNull() and action.toolTip() != action.text()
