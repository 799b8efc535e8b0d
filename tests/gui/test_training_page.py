"""The dock's training page with a pretended engine: choices, curves, cancel and resume, and the model it ends with."""

import itertools
import json
import os
import signal
import time

import pytest
import support
from qgis.core import QgsApplication, QgsProcessingContext
from qgis.PyQt.QtCore import QEvent, QPoint, QPointF, Qt
from qgis.PyQt.QtGui import QColor, QMouseEvent
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QProgressBar,
    QTextBrowser,
    QWidget,
)
from support import settle, wait_until

pytestmark = pytest.mark.gui


@pytest.fixture(autouse=True)
def models_folder(tmp_path, monkeypatch):
    return support.models_folder_of(tmp_path, monkeypatch)


@pytest.fixture
def clients(qgis_processing):
    """Two clients with pretended workers, and the provider whose algorithms use them."""
    with support.pretended_provider() as clients:
        yield clients


@pytest.fixture
def make_dock(clients, qgis_iface, qgis_parent, project):
    from hazard_mapper.hazard_plugin.dock import HazardDock

    made = []

    def make():
        dock = HazardDock(qgis_iface, clients[0], qgis_parent)
        qgis_parent.setCentralWidget(qgis_iface.mapCanvas())
        qgis_parent.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        qgis_parent.resize(760, 950)
        qgis_parent.show()
        dock.show()
        made.append(dock)
        assert wait_until(lambda: dock.choice.models and dock.pages.training is not None, 20)
        return dock

    yield make
    for dock in made:
        dock.close_down()
        qgis_parent.removeDockWidget(dock)
        dock.deleteLater()
    assert wait_until(lambda: QgsApplication.taskManager().countActiveTasks() == 0, 10)


@pytest.fixture
def dock(make_dock, click, qgis_iface):
    qgis_iface.messageBar().clear_messages()
    made = make_dock()
    click(made.pages.button)
    assert made.pages.training.isVisible()
    return made


@pytest.fixture
def page(dock):
    return dock.pages.training


def choose(combo, data):
    combo.setCurrentIndex(combo.findData(data))
    assert combo.currentData() == data


def type_name(page, name):
    page.ui.trainNameLineEdit.clear()
    QTest.keyClicks(page.ui.trainNameLineEdit, name)


def ended(page):
    assert wait_until(lambda: not page.task.is_running, 30)


def message_of(iface):
    """The one message in the message bar."""
    ((message,),) = [texts for texts in iface.messageBar().messages.values() if texts]
    return message.removeprefix("Hazard Mapper:")


def shown(widget):
    return widget.isVisibleTo(widget.window())


def test_training_is_one_button_away_and_mapping_stays_as_it_was(make_dock, click):
    dock = make_dock()
    before = dock.ui.segmentButton.pos(), dock.ui.layerComboBox.size()
    click(dock.pages.button)
    page = dock.pages.training
    assert page.isVisible() and not dock.ui.isVisible() and page.objectName() == "trainingPage"
    click(page.ui.trainBackButton)
    assert dock.ui.isVisible() and (dock.ui.segmentButton.pos(), dock.ui.layerComboBox.size()) == before


def test_the_page_shows_what_matters_and_leaves_no_gaps(page):
    ui = page.ui
    assert shown(ui.trainModelComboBox) and not shown(ui.trainFolderWidget) and not shown(ui.trainHazardComboBox)
    choose(ui.trainModelComboBox, "")
    assert shown(ui.trainArchitectureComboBox), "from scratch the network can be chosen"
    choose(ui.trainDataComboBox, "folder")
    assert shown(ui.trainFolderWidget) and shown(ui.trainHazardComboBox)
    choose(ui.trainTaskComboBox, "hazardmapper:pretrainmodel")
    assert not shown(ui.trainModelComboBox) and not shown(ui.trainHazardComboBox) and shown(ui.trainFolderWidget)
    ui.trainAdvancedGroup.setCollapsed(False)
    assert not shown(ui.trainReplaySpinBox) and shown(ui.trainEncoderLineEdit)
    choose(ui.trainTaskComboBox, "hazardmapper:trainhazard")
    assert shown(ui.trainReplaySpinBox) and shown(ui.trainBandsLineEdit)
    settle()
    fields = [ui.trainForm.itemAt(row, 1).widget() for row in range(ui.trainForm.rowCount())]
    gaps = [below.y() - above.y() - above.height() for above, below in itertools.pairwise(fields)]
    assert max(gaps) - min(gaps) <= 2, gaps


def test_what_is_missing_is_said(page, tmp_path):
    ui = page.ui
    status = ui.trainStatusLabel
    assert ui.trainButton.isEnabled() and status.text() == ""
    choose(ui.trainDataComboBox, "folder")
    assert not ui.trainButton.isEnabled() and "Choose the folder" in status.text()
    ui.trainFolderWidget.setFilePath("/nowhere/chips")
    assert "'/nowhere/chips' does not exist" in status.text()
    ui.trainFolderWidget.setFilePath(str(tmp_path))
    ui.trainHazardComboBox.setEditText("Überflutung")
    assert "letters, digits" in status.text()
    ui.trainHazardComboBox.setEditText("Mud flow")
    assert ui.trainButton.isEnabled() and page.form.name == "my_mud_flow"
    ui.trainBandsLineEdit.setText("purple")
    assert "'purple' is not known" in status.text()
    ui.trainBandsLineEdit.setText("")
    type_name(page, "unet")
    assert "comes with Hazard Mapper" in status.text()
    type_name(page, "a b/c")
    assert page.form.name == "abc", "only what can be a name can be typed"


def test_choices_become_the_parameters_of_the_algorithm(page, tmp_path):
    ui = page.ui
    choose(ui.trainDataComboBox, "folder")
    ui.trainFolderWidget.setFilePath(str(tmp_path))
    ui.trainHazardComboBox.setEditText("Glacier collapse, mud flow")
    choose(ui.trainModelComboBox, "small")
    type_name(page, "mine")
    ui.trainMinutesSpinBox.setValue(0)
    ui.trainEpochsSpinBox.setValue(7)
    ui.trainReplaySpinBox.setValue(50)
    found = page.form.parameters()
    assert (found["DATA"], found["HAZARD"]) == (str(tmp_path), "glacier_collapse,mud_flow")
    assert (found["MODEL"], found["SAVE"], found["MINUTES"], found["EPOCHS"]) == ("small", "mine", None, 7)
    assert found["REPLAY"] == 0.5 and found["RESUME"] is False and "ARCHITECTURE" not in found
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(page.form.algorithm)
    assert set(found) <= {parameter.name() for parameter in algorithm.parameterDefinitions()}


@pytest.fixture
def comparing(models_folder, make_dock, click):
    """The page with two dates to be compared, where a pre-trained and an adapted model are listed as well."""
    for name, kind in (("begun", {"pretrained_only": True}), ("fitted", {"adapted": True, "parent": "unet"})):
        (models_folder / name).mkdir(parents=True)
        row = {"name": name, "title": f"U-Net, {name}", "hazards": ["flood"], **kind}
        (models_folder / name / "card.json").write_text(json.dumps(row))
    dock = make_dock()
    click(dock.pages.button)
    choose(dock.pages.training.ui.trainTaskComboBox, "compare")
    return dock.pages.training


def starts(page):
    combo = page.ui.trainModelComboBox
    return [combo.itemData(index) for index in range(combo.count())]


def job_of(page):
    """The job that the algorithm reads out of the page's parameters."""
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(page.form.algorithm)
    return algorithm.read_job(page.form.parameters(), QgsProcessingContext())


def test_comparing_two_dates_is_taught_to_trained_models_alone(comparing, picture):
    ui = comparing.ui
    assert comparing.form.algorithm == "hazardmapper:trainhazard" and starts(comparing) == ["unet", "small"]
    ui.trainAdvancedGroup.setCollapsed(False)
    assert ui.trainDataComboBox.currentText() == "Simulated pairs" and "between two dates" in ui.trainDataNote.text()
    unused = ("trainArchitectureComboBox", "trainEncoderLineEdit", "trainFolderWidget", "trainBeforeBandsLineEdit")
    assert not any(shown(getattr(ui, name)) for name in unused)
    assert not ui.trainAllBandsCheckBox.isEnabled() and "leaves the model" in ui.trainAllBandsCheckBox.toolTip()
    assert "ALSO" in ui.trainModelComboBox.toolTip() and comparing.form.name == "my_pairs"
    assert ui.trainButton.isEnabled()
    picture(comparing.window(), "training_two_dates")
    choose(ui.trainTaskComboBox, "hazardmapper:trainhazard")
    assert sorted(starts(comparing)) == ["", "begun", "fitted", "small", "unet"]
    assert ui.trainAllBandsCheckBox.isEnabled()
    assert ui.trainModelComboBox.toolTip() == "Model whose weights are trained further"
    assert ui.trainDataComboBox.currentText() == "Simulated scenes" and comparing.form.name == "my_model"
    comparing.offer_models([])
    choose(ui.trainTaskComboBox, "compare")
    assert not ui.trainButton.isEnabled() and ui.trainStatusLabel.text() == "Choose a trained model to start from."


def test_choices_of_two_dates_become_a_job(comparing, tmp_path):
    ui = comparing.ui
    ui.trainAllBandsCheckBox.setChecked(True)
    choose(ui.trainModelComboBox, "small")
    job = job_of(comparing)
    assert job.before and (job.data, job.model, job.save) == ("simulated", "small", "my_pairs") and not job.all_bands
    choose(ui.trainDataComboBox, "folder")
    ui.trainFolderWidget.setFilePath(str(tmp_path))
    ui.trainAdvancedGroup.setCollapsed(False)
    assert shown(ui.trainBeforeBandsLineEdit) and shown(ui.trainBeforeUnitsComboBox) and shown(ui.trainReplaySpinBox)
    ui.trainBeforeBandsLineEdit.setText("purple")
    assert "'purple' is not known" in ui.trainStatusLabel.text()
    ui.trainBeforeBandsLineEdit.setText("red, nir")
    choose(ui.trainBeforeUnitsComboBox, "byte")
    ui.trainReplaySpinBox.setValue(0)
    job = job_of(comparing)
    assert job.before and job.data == str(tmp_path) and job.hazard == ("flood",) and job.replay == 0
    assert job.before_bands == ("red", "nir") and job.before_units == "byte" and job.bands is None
    ui.trainHazardComboBox.setEditText("Landslide")
    assert not ui.trainButton.isEnabled()
    assert "with a rather long title does not tell Landslide; train it on single" in ui.trainStatusLabel.text()
    choose(ui.trainModelComboBox, "unet")
    assert ui.trainButton.isEnabled() and comparing.form.name == "my_landslide_pairs"
    choose(ui.trainTaskComboBox, "hazardmapper:trainhazard")
    job = job_of(comparing)
    assert not job.before and job.before_bands is None and job.all_bands and not shown(ui.trainBeforeBandsLineEdit)


def test_a_run_on_two_dates_is_remembered_with_all_its_choices(comparing, make_dock, click, tmp_path, models_folder):
    ui = comparing.ui
    choose(ui.trainModelComboBox, "small")
    choose(ui.trainDataComboBox, "folder")
    ui.trainFolderWidget.setFilePath(str(tmp_path))
    ui.trainBeforeBandsLineEdit.setText("red,nir")
    choose(ui.trainBeforeUnitsComboBox, "db")
    type_name(comparing, "pairs")
    click(ui.trainButton)
    ended(comparing)
    assert "<b>pairs</b>" in ui.trainSummaryLabel.text(), ui.trainStatusLabel.text()
    card = json.loads((models_folder / "pairs" / "card.json").read_text())
    assert card["training"]["before"] == {"from": {"model": "small"}, "data": str(tmp_path)}
    other = make_dock()
    click(other.pages.button)
    again = other.pages.training.ui
    assert again.trainTaskComboBox.currentData() == "compare" and again.trainModelComboBox.currentData() == "small"
    assert again.trainBeforeBandsLineEdit.text() == "red,nir" and again.trainBeforeUnitsComboBox.currentData() == "db"


def test_what_the_engine_says_of_scenes_before_names_the_control(comparing, click):
    type_name(comparing, "unnamed")
    click(comparing.ui.trainButton)
    ended(comparing)
    assert comparing.ui.trainStatusLabel.text().endswith("say which band is which with Bands before.")
    sentence = "train it on single scenes with HAZARD lava first, without BEFORE."
    told = "train it on single scenes with Hazards lava first, without 'Compare two dates'."
    assert comparing.form.in_words(sentence) == told


def test_tab_reaches_what_is_said_of_scenes_before(comparing):
    ui = comparing.ui
    choose(ui.trainDataComboBox, "folder")
    ui.trainAdvancedGroup.setCollapsed(False)
    comparing.window().activateWindow()
    settle()
    ui.trainGsdSpinBox.setFocus()
    visited = []
    for _ in range(3):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        visited.append(QApplication.focusWidget().objectName())
    assert visited == ["trainBeforeBandsLineEdit", "trainBeforeUnitsComboBox", "trainSeedSpinBox"]


def test_a_run_draws_its_curves_and_the_new_model_is_in_the_list_at_once(dock, page, click, picture, qgis_iface):
    picture(dock, "training_idle")
    type_name(page, "mine")
    below = page.ui.trainStatusLabel.y(), page.curves.y()
    click(page.ui.trainButton)
    assert page.task.is_running and not page.ui.trainChoices.isEnabled() and not page.ui.trainButton.isEnabled()
    assert wait_until(lambda: len(page.curves.curves.points("loss")) > 3, 10)
    assert (page.ui.trainStatusLabel.y(), page.curves.y()) == below, "nothing jumps when a run starts"
    assert "left" in page.ui.trainStatusLabel.text() and page.ui.trainCancelButton.isVisible()
    assert dock.pages.button.toolTip().startswith("Training mine:")
    ended(page)
    losses = page.curves.curves.points("loss")
    assert losses == [(step, pytest.approx(0.7 / (1 + step / 10))) for step in range(0, 41, 5)]
    assert len(page.curves.curves.points("validation_balanced_accuracy")) == 5
    summary = page.ui.trainSummaryLabel.text()
    assert "validation balanced accuracy 0.76" in summary and "12 min on CPU" in summary and "3 chips" in summary
    assert wait_until(page.ui.trainUseButton.isEnabled, 10)
    picture(dock, "training_finished")
    assert dock.ui.modelComboBox.findData("mine") >= 0
    assert message_of(qgis_iface).startswith("mine is trained:")
    click(page.ui.trainCardButton)
    assert wait_until(lambda: page.findChild(QDialog, "modelCardDialog") is not None, 3)
    card = page.findChild(QDialog, "modelCardDialog")
    text = card.findChild(QTextBrowser).toPlainText()
    assert "seed" in text and "Licence" in text and "Not for snow" in text and "[[" not in text
    picture(card, "training_card")
    card.reject()
    click(page.ui.trainUseButton)
    assert dock.ui.isVisible() and dock.ui.modelComboBox.currentData() == "mine"
    assert page.form.name == "my_model", "the next run gets a name that is free"


def test_a_stopped_run_can_be_resumed_even_by_another_qgis(make_dock, dock, page, click, picture):
    type_name(page, "slowly")
    page.ui.trainSeedSpinBox.setValue(11)
    click(page.ui.trainButton)
    assert wait_until(lambda: page.curves.curves.last_step() >= 40, 10)
    picture(dock, "training_running")
    began = time.monotonic()
    click(page.ui.trainCancelButton)
    ended(page)
    assert time.monotonic() - began < 3
    assert "Resume" in page.ui.trainStatusLabel.text()
    assert page.ui.trainResumeButton.isVisible() and "slowly" in page.ui.trainResumeButton.text()
    picture(dock, "training_stopped")
    other = make_dock()
    click(other.pages.button)
    again = other.pages.training
    assert again.ui.trainResumeButton.isVisible() and again.ui.trainSeedSpinBox.value() == 11
    click(again.ui.trainResumeButton)
    assert wait_until(lambda: again.curves.curves.last_step() > 0, 10)
    assert again.curves.curves.steps()[0] == 20, "the pretended engine goes on from its step 20"
    assert again.task.is_running and again.form.name == "slowly"
    click(again.ui.trainCancelButton)
    ended(again)


def test_a_refused_run_is_one_sentence_and_keeps_the_choices(page, click, qgis_iface):
    type_name(page, "refused")
    click(page.ui.trainButton)
    ended(page)
    assert page.ui.trainStatusLabel.text() == "The labels hold no hazard; check the codes."
    assert page.form.name == "refused" and page.ui.trainChoices.isEnabled() and page.ui.trainButton.isEnabled()
    assert not page.ui.trainResumeButton.isVisible()
    assert message_of(qgis_iface) == "The labels hold no hazard; check the codes."


def test_what_the_engine_says_of_its_flags_names_the_controls(page, click):
    type_name(page, "unfinished")
    click(page.ui.trainButton)
    ended(page)
    assert page.ui.trainStatusLabel.text() == (
        "It holds an unfinished run; 'Go on from the last checkpoint' goes on with it, 'Replace a model of this name' "
        "begins again with Batch size 2."
    )


def test_a_killed_engine_is_one_sentence_and_the_run_can_be_resumed(page, click):
    type_name(page, "crash")
    click(page.ui.trainButton)
    ended(page)
    assert "ended by the system" in page.ui.trainStatusLabel.text()
    assert page.ui.trainResumeButton.isVisible()


def test_a_scene_is_mapped_while_a_model_is_trained(dock, page, click, add_scene, project):
    type_name(page, "slowly")
    click(page.ui.trainButton)
    assert wait_until(lambda: page.curves.curves.last_step() > 0, 10)
    click(page.ui.trainBackButton)
    add_scene()
    assert wait_until(dock.ui.segmentButton.isEnabled, 10)
    click(dock.ui.segmentButton)
    assert wait_until(lambda: not dock.queue.is_running, 10)
    assert [layer.name() for layer in project.mapLayers().values() if layer.name().startswith("Flood")]
    assert page.task.is_running and dock.pages.button.text().startswith("Training slowly")
    page.cancel()
    ended(page)
    assert dock.pages.button.text() == "Train a model…"


def test_closing_the_dock_ends_the_run_and_leaves_no_worker(dock, page, clients, click):
    pids = []
    clients[1].hello_received.connect(lambda hello: pids.append(hello["pid"]))
    type_name(page, "slowly")
    click(page.ui.trainButton)
    assert wait_until(lambda: page.curves.curves.last_step() > 0 and pids, 10)
    page.close_down()
    assert wait_until(lambda: QgsApplication.taskManager().countActiveTasks() == 0, 10)
    clients[1].shutdown()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_a_worker_that_does_not_stop_is_ended(dock, page, clients, click):
    pids = []
    clients[1].hello_received.connect(lambda hello: pids.append(hello["pid"]))
    type_name(page, "slowly")
    click(page.ui.trainButton)
    assert wait_until(lambda: page.curves.curves.last_step() > 0 and pids, 10)
    os.kill(pids[0], signal.SIGSTOP)
    click(page.ui.trainCancelButton)
    ended(page)
    assert page.ui.trainResumeButton.isVisible()
    assert wait_until(lambda: not os.path.exists(f"/proc/{pids[0]}"), 5)


@pytest.fixture
def drawn(page):
    """A page with the curves of a long run."""
    for step in range(0, 12_000, 20):
        page.curves.add_point(step, {"loss": 0.15 + 0.9 * 0.9996**step + 0.04 * ((step * 7919) % 13 - 6) / 6})
        if step % 600 == 0:
            page.curves.add_point(step, {"validation_loss": 0.2 + 0.9 * 0.9996**step})
            scores = {
                "validation_iou": 0.7 - 0.6 * 0.9996**step,
                "validation_balanced_accuracy": 0.9 - 0.4 * 0.9995**step,
            }
            page.curves.add_point(step, scores)
    settle()
    return page.curves


def test_the_values_at_a_step_are_told_by_mouse_and_keys(page, drawn):
    plot = drawn._plots[0]
    place = QPointF(plot.left() + plot.width() * 6000 / 11_980, plot.center().y())
    none = Qt.MouseButton.NoButton
    drawn.mouseMoveEvent(QMouseEvent(QEvent.Type.MouseMove, place, none, none, Qt.KeyboardModifier.NoModifier))
    assert abs(drawn._cursor - 6000) <= 12_000 / plot.width()
    drawn._cursor = 6000
    lines = drawn.values_text(6000).splitlines()
    assert lines[0] == "Step 6000" and lines[3] == f"validation IoU: {0.7 - 0.6 * 0.9996**6000:.4g}"
    drawn.setFocus()
    QTest.keyClick(drawn, Qt.Key.Key_Right)
    assert drawn._cursor == 6020 and "(step 6000)" in drawn.values_text(6020)
    drawn.copy_values()
    table = QApplication.clipboard().text().splitlines()
    assert table[0].split("\t")[0] == "step" and len(table) == 601
    assert "validation IoU" in drawn.accessibleDescription()


def test_curves_are_drawn_where_their_values_lie(page, drawn):
    image = drawn.grab().toImage()
    ratio = image.width() / drawn.width()
    plot = drawn._plots[1]
    colour = QColor(drawn._colour(0))
    for step in (1200, 6000, 10_800):
        value = 0.7 - 0.6 * 0.9996**step
        x, y = plot.left() + step / 11_980 * plot.width(), plot.bottom() - value * plot.height()
        around = [
            QColor(image.pixel(round(ratio * x), round(ratio * (y + dy)))).hue() for dy in (-1.5, -1, -0.5, 0, 0.5, 1)
        ]
        assert any(abs(hue - colour.hue()) < 12 for hue in around), (step, around, colour.hue())


def test_it_is_readable_on_a_dark_theme(dark_theme, dock, page, drawn, picture):
    dock.setFloating(True)
    dock.resize(380, 900)
    page.ui.trainSummaryLabel.setText("<b>mine</b><br>validation balanced accuracy 0.76")
    image = drawn.grab().toImage()
    picture(dock, "training_dark")
    assert QColor(image.pixel(2, 2)).lightness() < 80
    brightest = max(QColor(image.pixel(x, image.height() // 4)).lightness() for x in range(image.width()))
    assert brightest > 110, "curves stand out"
    for label in page.ui.findChildren(QLabel):
        assert "color" not in label.styleSheet() and "color:" not in label.text()


@pytest.mark.parametrize("start", ["", "small"], ids=["from scratch", "two dates"])
def test_nothing_is_cut_off_at_300_pixels(dock, page, drawn, picture, start):
    dock.setFloating(True)
    choose(page.ui.trainDataComboBox, "folder")
    if start:
        choose(page.ui.trainTaskComboBox, "compare")
    choose(page.ui.trainModelComboBox, start)
    page.ui.trainAdvancedGroup.setCollapsed(False)
    dock.resize(300, 1400)
    settle()
    picture(dock, "training_300_two_dates" if start else "training_300")
    assert dock.width() == 300
    contents, viewport = page.ui.trainScrollContents, page.ui.trainScrollArea.viewport()
    assert contents.width() <= viewport.width()
    for widget in page.ui.findChildren(QWidget):
        if widget.isVisible() and widget.window() is dock.window():
            right = widget.mapTo(dock, QPoint(widget.width(), 0)).x()
            assert right <= 300, f"{widget.objectName() or type(widget).__name__} ends at {right}"


def test_large_type_is_not_cut_off(dock, page, drawn, picture):
    font = QApplication.font()
    large = QApplication.font()
    large.setPointSizeF(2 * font.pointSizeF())
    page.setFont(large)
    drawn.setFont(large)
    dock.setFloating(True)
    dock.resize(620, 1000)
    settle()
    picture(dock, "training_200_percent")
    assert drawn.height() >= drawn.sizeHint().height() > 2 * 14 * 12
    assert all(plot.height() > 3 * drawn.fontMetrics().lineSpacing() for plot in drawn._plots)


def test_every_control_explains_itself_and_has_a_label(page):
    ui = page.ui
    choose(ui.trainDataComboBox, "folder")
    buddies = {label.buddy() for label in ui.findChildren(QLabel) if label.buddy() is not None}
    for kind in (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit, QProgressBar):
        for widget in ui.findChildren(kind):
            if widget.objectName().startswith("train"):
                assert widget.toolTip(), widget.objectName()
                if kind in (QComboBox, QAbstractSpinBox, QLineEdit):
                    assert widget in buddies, widget.objectName()
    letters = [
        word.replace("&&", "").split("&")[1][0].lower()
        for word in [
            *(label.text() for label in ui.findChildren(QLabel)),
            *(button.text() for button in ui.findChildren(QAbstractButton)),
        ]
        if "&" in word.replace("&&", "")
    ]
    assert len(letters) == len(set(letters)), sorted(letters)


def test_tab_goes_from_the_choices_to_the_button(dock, page):
    dock.setFloating(True)
    dock.activateWindow()
    settle()
    page.ui.trainTaskComboBox.setFocus()
    visited = []
    for _ in range(30):
        focus = QApplication.focusWidget()
        if focus is None or focus is page.ui.trainButton:
            break
        visited.append(focus.objectName())
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is page.ui.trainButton
    wanted = [
        "trainTaskComboBox",
        "trainDataComboBox",
        "trainModelComboBox",
        "trainNameLineEdit",
        "trainMinutesSpinBox",
    ]
    assert [name for name in visited if name in wanted] == wanted
