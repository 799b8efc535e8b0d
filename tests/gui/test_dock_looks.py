"""The dock to look at and to use: narrow, dark, by keyboard, with memory, and with a reason for what it refuses."""

import pytest
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QProgressBar,
    QTextBrowser,
    QWidget,
)
from support import settle, wait_until, write_scene

pytestmark = pytest.mark.gui


def ready(dock):
    assert wait_until(lambda: "bands" in dock.ui.understoodLabel.text() and dock.ui.segmentButton.isEnabled(), 60)


def unfold(dock):
    for name in ("bandsGroup", "adaptationGroup", "outputGroup", "advancedGroup"):
        getattr(dock.ui, name).setCollapsed(False)


def at_width(dock, qgis_parent, width):
    dock.setFloating(True)
    dock.resize(width, 1000)
    settle()
    assert dock.width() == width


def test_nothing_is_cut_off_at_300_pixels(dock, add_scene, qgis_parent, picture):
    add_scene("S2_2024-09-16_a_rather_long_name_of_a_scene_that_does_not_fit")
    ready(dock)
    at_width(dock, qgis_parent, 300)
    picture(dock, "dock_300")
    unfold(dock)
    dock.ui.areaComboBox.setCurrentIndex(2)
    at_width(dock, qgis_parent, 300)
    picture(dock, "dock_300_unfolded")
    contents, viewport = dock.ui.scrollContents, dock.ui.scrollArea.viewport()
    assert contents.width() <= viewport.width() <= 300
    for widget in dock.ui.findChildren(QWidget):
        if widget.isVisible() and widget.window() is dock.window():
            right = widget.mapTo(dock, QPoint(widget.width(), 0)).x()
            assert right <= 300, f"{widget.objectName() or type(widget).__name__} ends at {right}"


def test_it_is_readable_on_a_dark_theme(dark_theme, dock, add_scene, qgis_parent, picture):
    add_scene()
    ready(dock)
    dock.results.add_result("Flood - scene", {"HAZARD_AREA_M2": 13.4e6, "SHARE_ASSESSED": 0.92, "SECONDS": 21}, "x")
    at_width(dock, qgis_parent, 360)
    image = dock.ui.grab().toImage()
    picture(dock, "dock_dark")
    assert QColor(image.pixel(3, image.height() - 3)).lightness() < 80
    for label in dock.ui.findChildren(QLabel):
        assert "color" not in label.styleSheet() and "color:" not in label.text()


def test_every_control_explains_itself(dock, add_scene):
    add_scene()
    ready(dock)
    for kind in (QAbstractButton, QComboBox, QDoubleSpinBox, QProgressBar):
        for widget in dock.ui.findChildren(kind):
            inside = widget.parentWidget()
            while inside is not None and inside is not dock.ui and not inside.objectName().endswith("Widget"):
                inside = inside.parentWidget()
            named = widget.objectName() and not widget.objectName().startswith(("qt_", "mLine", "mFile", "mCollapse"))
            if named and (inside is None or inside.objectName() not in ("folderWidget", "engineWidget")):
                assert widget.toolTip(), widget.objectName()


def test_the_contract_names_are_there(dock, qgis_parent):
    assert qgis_parent.findChild(QWidget, "hazardDock") is dock
    for name in (
        "layerComboBox",
        "hazardComboBox",
        "modelComboBox",
        "adaptCheckBox",
        "segmentButton",
        "cancelButton",
        "progressBar",
        "resultPanel",
    ):
        assert dock.findChild(QWidget, name) is not None, name
    assert not dock.ui.adaptCheckBox.isChecked() and dock.ui.adaptCheckBox.toolTip()


def test_tab_visits_the_choices_from_top_to_bottom_and_space_runs(dock, add_scene, qgis_parent):
    add_scene()
    ready(dock)
    dock.setFloating(True)
    dock.activateWindow()
    settle()
    ui = dock.ui
    ui.layerComboBox.setFocus()
    visited = []
    for _ in range(40):
        focus = QApplication.focusWidget()
        if focus is None or (focus.objectName() in visited and focus is ui.layerComboBox):
            break
        visited.append(focus.objectName())
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    order = [
        visited.index(n) for n in ("layerComboBox", "hazardComboBox", "modelComboBox", "areaComboBox", "segmentButton")
    ]
    assert order == sorted(order)
    ui.segmentButton.setFocus()
    QTest.keyClick(ui.segmentButton, Qt.Key.Key_Space)
    assert dock.queue.is_running
    assert wait_until(lambda: not dock.queue.is_running, 120)


def test_models_are_listed_with_what_they_are_for_and_their_card(dock, add_scene, click):
    add_scene()
    ready(dock)
    ui = dock.ui
    assert [ui.hazardComboBox.itemText(i) for i in range(3)] == ["Flood", "Landslide", "Glacier collapse"]
    model = dock.choice.model()
    assert model is not None and "flood" in model.default_for and "U-Net" in ui.modelComboBox.currentText()
    assert ui.modelComboBox.itemData(0, Qt.ItemDataRole.ToolTipRole)
    click(ui.modelInfoButton)
    assert wait_until(lambda: dock.findChild(QDialog, "modelCardDialog") is not None, 3)
    dialog = dock.findChild(QDialog, "modelCardDialog")
    text = dialog.findChild(QTextBrowser).toPlainText()
    assert "Licence" in text and "Flood" in text and "Architecture" in text
    dialog.reject()


def test_bands_can_be_corrected_and_reset(dock, add_scene, click):
    add_scene(named=False, bands=4)
    assert wait_until(lambda: dock.bands.findChild(QComboBox, "bandComboBox1") is not None, 60)
    settle()
    dock._open_bands()
    combo = dock.bands.findChild(QComboBox, "bandComboBox4")
    combo.setCurrentIndex(combo.findData("swir1"))
    combo.activated.emit(combo.currentIndex())
    assert wait_until(lambda: "SWIR 1" in dock.ui.understoodLabel.text(), 20), dock.ui.understoodLabel.text()
    assert dock.bands.overrides()["bands"].endswith("swir1")
    click(dock.bands.reset_button)
    assert wait_until(lambda: "SWIR 1" not in dock.ui.understoodLabel.text(), 20)
    assert not dock.bands.overrides()["bands"]


def test_a_slot_given_twice_is_refused_inline(dock, add_scene):
    add_scene()
    ready(dock)
    combo = dock.bands.findChild(QComboBox, "bandComboBox1")
    combo.setCurrentIndex(combo.findData("red"))
    combo.activated.emit(combo.currentIndex())
    assert wait_until(lambda: "given to 2 bands" in dock.ui.understoodLabel.text(), 10)
    assert not dock.ui.segmentButton.isEnabled() and "see above" in dock.ui.statusLabel.text()


def test_a_scene_whose_bands_mean_nothing_is_refused_until_they_are_chosen(dock, add_scene):
    add_scene(named=False, bands=1)
    assert wait_until(lambda: "not recognised" in dock.ui.understoodLabel.text(), 60), dock.ui.understoodLabel.text()
    assert not dock.ui.segmentButton.isEnabled() and "see above" in dock.ui.statusLabel.text()
    assert "None" not in dock.ui.understoodLabel.text()
    combo = dock.bands.findChild(QComboBox, "bandComboBox1")
    combo.setCurrentIndex(combo.findData("vv"))
    combo.activated.emit(combo.currentIndex())
    ready(dock)


def test_no_layer_is_a_reason(dock):
    assert wait_until(lambda: "raster layer" in dock.ui.statusLabel.text(), 10)
    assert not dock.ui.segmentButton.isEnabled()


def test_choices_are_remembered_with_the_project(dock, add_scene, project, tmp_path):
    add_scene()
    ready(dock)
    ui = dock.ui
    ui.hazardComboBox.setCurrentIndex(ui.hazardComboBox.findData("landslide"))
    ui.hazardComboBox.activated.emit(1)
    ui.areaComboBox.setCurrentIndex(ui.areaComboBox.findData("layer"))
    ui.areaComboBox.activated.emit(1)
    ui.thresholdSpinBox.setValue(0.35)
    path = str(tmp_path / "remembered.qgz")
    assert project.write(path) and not project.isDirty()
    ui.hazardComboBox.setCurrentIndex(0)
    ui.areaComboBox.setCurrentIndex(0)
    ui.thresholdSpinBox.setValue(0.0)
    project.clear()
    project.read(path)
    settle()
    assert ui.hazardComboBox.currentData() == "landslide"
    assert ui.areaComboBox.currentData() == "layer"
    assert ui.thresholdSpinBox.value() == pytest.approx(0.35)


def test_looking_around_leaves_the_project_unchanged(dock, add_scene, project):
    add_scene()
    ready(dock)
    project.setDirty(False)
    dock.ui.hazardComboBox.setCurrentIndex(2)
    dock.ui.hazardComboBox.activated.emit(2)
    settle()
    assert not project.isDirty()


def test_the_scene_follows_the_active_layer_but_not_a_result(dock, add_scene, project, qgis_iface, tmp_path):
    first, second = add_scene("first"), add_scene("second")
    assert dock.scene() is second
    qgis_iface.setActiveLayer(first)
    qgis_iface.currentLayerChanged.emit(qgis_iface.mapCanvas())
    assert dock.scene() is first
    from hazard_mapper.hazard_plugin.result_layers import add_result_layer, add_run_group

    path = write_scene(tmp_path / "mask.tif", bands=1)
    mask = add_result_layer(project, add_run_group(project, first.id(), "run"), path, "mask", "flood", "Flood - first")
    qgis_iface.setActiveLayer(mask)
    qgis_iface.currentLayerChanged.emit(qgis_iface.mapCanvas())
    assert dock.scene() is first
    listed = [dock.ui.layerComboBox.itemText(i) for i in range(dock.ui.layerComboBox.count())]
    assert "Flood - first" not in listed


def test_an_unwritable_folder_is_said_and_nothing_runs(dock, add_scene, click, tmp_path, qgis_iface):
    add_scene()
    ready(dock)
    dock.ui.folderWidget.setFilePath(str(tmp_path / "missing"))
    click(dock.ui.segmentButton)
    assert not dock.queue.is_running
    assert "does not exist" in dock.ui.statusLabel.text()
    line = dock.ui.folderWidget.findChild(QLineEdit)
    assert line is not None and line.text().endswith("missing"), "the user's input is kept"
