"""Adapting from the dock with a pretended engine: choices, curves, cancelling, the verdict, before and after."""

import os

import pytest
import support
from qgis.core import QgsApplication, QgsDateTimeRange
from qgis.PyQt.QtCore import QDateTime, QPoint, Qt
from qgis.PyQt.QtWidgets import QDialog, QLabel, QMessageBox, QTextBrowser, QToolButton, QWidget
from support import settle, wait_until

pytestmark = pytest.mark.gui


@pytest.fixture(autouse=True)
def models_folder(tmp_path, monkeypatch):
    return support.models_folder_of(tmp_path, monkeypatch)


@pytest.fixture
def client(qgis_processing):
    with support.pretended_provider() as (client, _):
        yield client


@pytest.fixture
def jobs(client, monkeypatch):
    """Kind and definition of every job that an algorithm sends."""
    return support.jobs_sent_by(client, monkeypatch)


@pytest.fixture
def make_dock(client, qgis_iface, qgis_parent, project):
    from hazard_mapper.hazard_plugin.dock import HazardDock

    made = []

    def make():
        dock = HazardDock(qgis_iface, client, qgis_parent)
        qgis_parent.setCentralWidget(qgis_iface.mapCanvas())
        qgis_parent.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        qgis_parent.resize(760, 1000)
        qgis_parent.show()
        dock.show()
        made.append(dock)
        assert wait_until(lambda: dock.choice.models, 20)
        return dock

    yield make
    for dock in made:
        dock.close_down()
        qgis_parent.removeDockWidget(dock)
        dock.deleteLater()
    assert wait_until(lambda: QgsApplication.taskManager().countActiveTasks() == 0, 10)


@pytest.fixture
def dock(make_dock, add_scene, qgis_iface):
    qgis_iface.messageBar().clear_messages()
    made = make_dock()
    add_scene("Faenza")
    ready(made)
    return made


def ready(dock):
    assert wait_until(lambda: "bands" in dock.ui.understoodLabel.text() and dock.ui.segmentButton.isEnabled(), 20)


def ended(dock):
    assert wait_until(lambda: not dock.queue.is_running, 30)


def choose_hazard(dock, hazard):
    dock.choice.choose("unet")
    dock.ui.hazardComboBox.setCurrentIndex(dock.ui.hazardComboBox.findData(hazard))
    assert dock.choice.hazard() == hazard


def learning(dock):
    assert wait_until(lambda: dock.learning.is_adapting and dock.learning.curves.curves.last_step() > 3, 20)


def listed(dock):
    combo = dock.ui.modelComboBox
    return [combo.itemText(index) for index in range(combo.count())]


def visible_layers(project):
    return sorted(layer.name() for layer in project.layerTreeRoot().checkedLayers())


def test_it_is_off_at_first_and_remembered_then(dock, make_dock, click, project, qgis_parent):
    ui = dock.ui
    assert ui.adaptCheckBox.isEnabled() and not ui.adaptCheckBox.isChecked()
    assert not ui.adaptBudgetSpinBox.isEnabled() and ui.adaptBudgetSpinBox.value() == 60
    assert ui.adaptCurvesGroup.isHidden()
    click(ui.adaptCheckBox)
    assert ui.adaptBudgetSpinBox.isEnabled() and not ui.adaptCurvesGroup.isHidden()
    ui.adaptBudgetSpinBox.setValue(30)
    dock.adaptation.steps_spin.setValue(5)
    click(ui.segmentButton)
    ended(dock)
    again = make_dock()
    assert again.ui.adaptCheckBox.isChecked() and again.ui.adaptBudgetSpinBox.value() == 30
    assert again.adaptation.steps_spin.value() == 5


def test_without_adapting_nothing_of_it_reaches_the_engine(dock, click, jobs):
    click(dock.ui.segmentButton)
    ended(dock)
    assert [kind for kind, _ in jobs] == ["segment"]


def test_one_click_adapts_maps_and_tells_the_verdict(dock, click, jobs, project, picture, qgis_iface):
    click(dock.ui.adaptCheckBox)
    dock.ui.adaptCurvesGroup.setCollapsed(False)
    top = dock.ui.segmentButton.pos()
    click(dock.ui.segmentButton)
    learning(dock)
    assert dock.ui.segmentButton.pos() == top, "nothing jumps when a run starts"
    assert "Adapting" in dock.ui.statusLabel.text()
    assert set(dock.learning.curves.curves.losses()) == {"forward", "backward", "auxiliary"}
    assert dock.learning.curves.curves.scores() == ["proxy"]
    picture(dock, "dock_adapting")
    ended(dock)
    picture(dock, "dock_adapted")
    (text,) = dock.results.texts()
    assert "Adapted: expected better (proxy 0.41 -&gt; 0.22" in text and "Saved as unet-flood-Faenza-" in text
    (_, adapt_job), (_, segment_job) = jobs
    assert adapt_job.extent is not None, "the visible extent, as for the mask"
    assert adapt_job.extent == segment_job.extent and adapt_job.budget_s == 60
    assert [layer.name() for layer in project.mapLayers().values() if layer.name().startswith("Flood -")] == [
        "Flood - Faenza"
    ]


def test_the_adapted_model_is_listed_below_its_parent_and_cannot_be_adapted_again(dock, click, picture):
    click(dock.ui.adaptCheckBox)
    click(dock.ui.segmentButton)
    ended(dock)
    assert wait_until(lambda: len(listed(dock)) == 3, 10)
    parent, adapted, other = listed(dock)
    assert parent.startswith("U-Net") and adapted.startswith("\u2003unet-flood-Faenza-") and other.startswith("Small")
    assert dock.ui.modelComboBox.currentData() == "unet", "the choice stays"
    dock.choice.choose(adapted.strip())
    assert not dock.ui.adaptCheckBox.isEnabled() and dock.ui.adaptCheckBox.isChecked()
    assert "choose its parent 'unet'" in dock.ui.adaptCheckBox.toolTip()
    click(dock.ui.modelInfoButton)
    dialog = dock.findChild(QDialog, "modelCardDialog")
    text = dialog.findChild(QTextBrowser).toPlainText()
    assert "Adapted: expected better" in text and "Known of the scene" in text and "not known" in text
    assert "Lambda" in text and "Stages tried" in text
    picture(dialog, "card_adapted")
    dialog.reject()
    dock.choice.choose("unet")
    assert dock.ui.adaptCheckBox.isEnabled()


def test_no_engine_is_a_reason(dock, client, monkeypatch):
    from hazard_mapper.hazard_plugin.engine_location import EngineMissing

    def missing():
        raise EngineMissing("No engine was found; name one.")

    monkeypatch.setattr(client, "_locate", missing)
    dock.update_state()
    assert not dock.ui.adaptCheckBox.isEnabled() and "No engine" in dock.ui.adaptCheckBox.toolTip()


def test_the_stages_tried_are_one_click_away(dock, click, picture):
    click(dock.ui.adaptCheckBox)
    click(dock.ui.segmentButton)
    ended(dock)
    dock.results.findChild(QLabel, "resultLabel").linkActivated.emit("stages")
    assert wait_until(lambda: dock.findChild(QDialog, "adaptationDialog") is not None, 3)
    dialog = dock.findChild(QDialog, "adaptationDialog")
    text = dialog.findChild(QTextBrowser).toPlainText()
    assert "statistics" in text and "predicts 5 times the area" in text and "0.22" in text
    picture(dialog, "stages")
    dialog.reject()


@pytest.mark.parametrize("hazard", ["landslide", "glacier_collapse"])
def test_not_adapted_is_said_and_leaves_only_the_mask(dock, click, project, tmp_path, models_folder, hazard):
    choose_hazard(dock, hazard)
    click(dock.ui.adaptCheckBox)
    dock.adaptation.compare_box.setChecked(True)
    click(dock.ui.segmentButton)
    ended(dock)
    (text,) = dock.results.texts()
    assert "Not adapted:" in text and "Saved as" not in text
    assert os.listdir(models_folder) == []
    assert sorted(path.name for path in tmp_path.glob("Faenza_*.tif")) == [
        f"Faenza_{hazard}.tif",
        f"Faenza_{hazard}_probability.tif",
    ]
    assert dock.results.findChild(QToolButton, "beforeButton") is None


def test_before_and_after_can_be_compared(dock, click, project, picture):
    click(dock.ui.adaptCheckBox)
    dock.adaptation.compare_box.setChecked(True)
    click(dock.ui.segmentButton)
    ended(dock)
    names = {layer.name() for layer in project.mapLayers().values()}
    assert names == {
        "Faenza",
        "Flood - Faenza",
        "Flood, not adapted - Faenza",
        "Flood probability - Faenza",
        "Flood probability, not adapted - Faenza",
        "Flood change by adapting - Faenza",
    }
    assert visible_layers(project) == ["Faenza", "Flood - Faenza"]
    button = dock.results.findChild(QToolButton, "beforeButton")
    click(button)
    assert visible_layers(project) == ["Faenza", "Flood, not adapted - Faenza"]
    picture(dock, "dock_compared")
    click(button)
    assert visible_layers(project) == ["Faenza", "Flood - Faenza"]
    root = project.layerTreeRoot()
    for layer in project.mapLayers().values():
        root.findLayer(layer).setItemVisibilityChecked(layer.name() == "Flood probability - Faenza")
    click(button)
    assert visible_layers(project) == ["Flood probability, not adapted - Faenza"]


def question(dock):
    assert wait_until(lambda: dock.findChild(QMessageBox, "adaptCancelBox") is not None, 3)
    return dock.findChild(QMessageBox, "adaptCancelBox")


@pytest.fixture
def adapting(dock, click):
    """A run that adapts until it is told to end, and the question that cancelling it asks."""
    choose_hazard(dock, "slow")
    click(dock.ui.adaptCheckBox)
    click(dock.ui.segmentButton)
    learning(dock)
    click(dock.ui.cancelButton)
    return question(dock)


def test_cancel_can_keep_the_best_so_far(dock, adapting, click, tmp_path, models_folder, picture):
    picture(adapting, "adapt_cancel")
    click(adapting.findChild(QWidget, "keepBestButton"))
    ended(dock)
    assert "Adapted" in dock.results.texts()[0] and (tmp_path / "Faenza_slow.tif").exists()
    assert len(os.listdir(models_folder)) == 1


def test_cancel_can_discard(dock, adapting, click, tmp_path, models_folder):
    click(adapting.findChild(QWidget, "discardButton"))
    ended(dock)
    assert dock.results.texts() == [] and not (tmp_path / "Faenza_slow.tif").exists()
    assert os.listdir(models_folder) == [] and "Cancelled" in dock.ui.statusLabel.text()


def test_cancel_can_be_thought_better_of(dock, adapting, click):
    step = dock.learning.curves.curves.last_step()
    click(adapting.findChild(QWidget, "goOnButton"))
    assert wait_until(lambda: dock.learning.curves.curves.last_step() > step + 3, 10)
    assert dock.queue.is_running and dock.ui.cancelButton.isEnabled()
    dock.queue.cancel()
    ended(dock)


def test_the_question_goes_when_the_adaptation_is_over(dock, adapting):
    dock.queue.keep_best()
    assert wait_until(lambda: dock.findChild(QMessageBox, "adaptCancelBox") is None, 10)
    ended(dock)
    assert dock.results.texts()


def test_cancel_while_it_segments_asks_nothing(dock, adapting, click, tmp_path, models_folder):
    click(adapting.findChild(QWidget, "keepBestButton"))
    assert wait_until(lambda: not dock.learning.is_adapting, 10)
    assert wait_until(lambda: "Predicting" in dock.ui.statusLabel.text(), 10)
    click(dock.ui.cancelButton)
    ended(dock)
    assert dock.findChild(QMessageBox, "adaptCancelBox") is None
    assert dock.results.texts() == [] and os.listdir(models_folder) == []


def test_what_is_known_of_the_scene_is_shown_and_only_corrections_are_sent(dock, click, jobs, add_scene):
    edits = dock.adaptation.place_edits
    assert edits["LONGITUDE"].placeholderText() == "12.34 (extent)" and edits["LONGITUDE"].text() == ""
    assert edits["DATE"].placeholderText() == "2024-09-16 (product name)"
    assert "not known" in dock.adaptation.sensor_label.text() and "12.34 (extent)" in edits["LONGITUDE"].toolTip()
    dock.ui.adaptationGroup.setCollapsed(False)
    settle()
    assert dock.adaptation.sensor_label.width() > 60
    click(dock.ui.adaptCheckBox)
    edits["DATE"].setText("2024-09-18")
    click(dock.ui.segmentButton)
    ended(dock)
    job = jobs[0][1]
    assert (job.date, job.longitude, job.latitude, job.sensor) == ("2024-09-18", None, None, None)
    add_scene("Modigliana")
    ready(dock)
    assert edits["DATE"].text() == "", "what was typed belongs to the scene before"


def test_the_day_of_the_layers_metadata_goes_before_that_of_the_file(dock, click, jobs):
    layer = dock.scene()
    metadata = layer.metadata()
    extent = metadata.extent()
    begin = QDateTime.fromString("2024-09-20T10:00:00", Qt.DateFormat.ISODate)
    extent.setTemporalExtents([QgsDateTimeRange(begin, QDateTime())])
    metadata.setExtent(extent)
    layer.setMetadata(metadata)
    dock._read_scene()
    ready(dock)
    assert dock.adaptation.place_edits["DATE"].placeholderText() == "2024-09-20 (layer)"
    click(dock.ui.adaptCheckBox)
    click(dock.ui.segmentButton)
    ended(dock)
    assert jobs[0][1].date == "2024-09-20"


def test_what_cannot_be_a_place_is_refused_before_anything_runs(dock, click, jobs):
    click(dock.ui.adaptCheckBox)
    dock.adaptation.place_edits["LONGITUDE"].setText("east")
    click(dock.ui.segmentButton)
    assert not dock.queue.is_running and "'east' is no longitude" in dock.ui.statusLabel.text() and jobs == []
    dock.adaptation.place_edits["LONGITUDE"].setText("12,5")
    click(dock.ui.segmentButton)
    ended(dock)
    assert "give both or neither" in dock.ui.statusLabel.text() and jobs == []


def test_the_help_page_is_one_click_away(dock, picture):
    dock.adaptation.help_label.linkActivated.emit("help")
    dialog = dock.findChild(QDialog, "helpDialog")
    text = dialog.findChild(QTextBrowser).toPlainText()
    assert dialog.windowTitle() == "Adapting to a scene" and "rolled back" in text and "|---" not in text
    picture(dialog, "help_adapting")
    dialog.reject()


def test_settings_of_the_folded_group_become_the_job(dock, click, jobs):
    click(dock.ui.adaptCheckBox)
    choice = dock.adaptation
    choice.mode_combo.setCurrentIndex(choice.mode_combo.findData("adversarial"))
    assert "hard to tell apart" in choice.mode_combo.toolTip()
    choice.weights["LAMBDA"].setValue(0.4)
    choice.weights["MU"].setValue(0.05)
    choice.steps_spin.setValue(9)
    choice.seed_spin.setValue(3)
    choice.name_edit.setText("mine")
    click(dock.ui.segmentButton)
    ended(dock)
    job = jobs[0][1]
    assert (job.mode, job.backward_weight, job.auxiliary_weight) == ("adversarial", 0.4, 0.05)
    assert (job.steps, job.seed, job.save) == (9, 3, "mine")


def test_tab_visits_the_group_from_top_to_bottom(dock):
    dock.ui.adaptationGroup.setCollapsed(False)
    first = dock.ui.adaptCheckBox
    chain, widget = [first.objectName()], first.nextInFocusChain()
    while widget is not first:
        chain.append(widget.objectName())
        widget = widget.nextInFocusChain()
    wanted = [
        "adaptCheckBox",
        "adaptBudgetSpinBox",
        "compareCheckBox",
        "adaptNameLineEdit",
        "longitudeLineEdit",
        "dateLineEdit",
        "adaptModeComboBox",
        "adaptStepsSpinBox",
        "adaptSeedSpinBox",
        "folderWidget",
        "segmentButton",
    ]
    assert [name for name in chain if name in wanted] == wanted


def test_a_failed_adaptation_is_one_sentence(dock, click):
    click(dock.ui.adaptCheckBox)
    dock.adaptation.name_edit.setText("refused")
    click(dock.ui.segmentButton)
    ended(dock)
    assert dock.ui.statusLabel.text() == "The view has no valid pixel; move the map to the scene."


def test_nothing_is_cut_off_at_300_pixels(dock, click, picture):
    click(dock.ui.adaptCheckBox)
    for group in (dock.ui.adaptationGroup, dock.ui.adaptCurvesGroup):
        group.setCollapsed(False)
    click(dock.ui.segmentButton)
    ended(dock)
    dock.setFloating(True)
    dock.resize(300, 1000)
    settle()
    picture(dock, "dock_adaptation_300")
    for widget in dock.ui.findChildren(QWidget):
        if widget.isVisible() and widget.window() is dock.window():
            right = widget.mapTo(dock, QPoint(widget.width(), 0)).x()
            assert right <= 300, f"{widget.objectName() or type(widget).__name__} ends at {right}"


def test_it_is_readable_on_a_dark_theme(dark_theme, dock, click, picture):
    click(dock.ui.adaptCheckBox)
    dock.ui.adaptCurvesGroup.setCollapsed(False)
    click(dock.ui.segmentButton)
    ended(dock)
    dock.setFloating(True)
    dock.resize(380, 900)
    settle()
    picture(dock, "dock_adapted_dark")
