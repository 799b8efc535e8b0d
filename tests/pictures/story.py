"""Runs inside QGIS: what an analyst does from opening a scene to a map sheet, with a picture of each step.

The story is a generator: it yields what it waits for, and goes on when that holds.
"""

import os
import sys
import time
import traceback
from pathlib import Path

import processing
from hazard_mapper.hazard_plugin import engine_location, setup_page
from qgis.core import (
    QgsApplication,
    QgsContrastEnhancement,
    QgsGeometry,
    QgsMultiBandColorRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsRasterMinMaxOrigin,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)
from qgis.PyQt.QtCore import QPoint, QRect, QSize, Qt, QTimer
from qgis.PyQt.QtWidgets import QDockWidget, QToolBar, QToolButton, QTreeView
from qgis.utils import iface, plugins

OUT = Path(os.environ["HAZARD_PICTURES"])
SCENES = OUT / "scenes"
WINDOW = QSize(1180, 850)
DOCK_PX, WIDE_DOCK_PX, PANEL_PX = 340, 460, 250
STEP_LIMIT_S = 900
SHOWN_TOOLBARS = ("mFileToolBar", "mMapNavToolBar", "mAttributesToolBar")
PROFILE = "/home/analyst/.local/share/QGIS/QGIS3/profiles/default"

window = iface.mainWindow()
canvas = iface.mapCanvas()
project = QgsProject.instance()
plugin = plugins["hazard_mapper"]
dock = plugin.dock
ui = dock.ui


def rest(seconds=0.6):
    """A condition that holds after some seconds, when layouts and drawing have come to rest."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end and not canvas.isDrawing()


def grab(name, widget, area=None):
    """Save what a widget, or a part of it, looks like."""
    picture = widget.grab(area) if area is not None else widget.grab()
    if not picture.save(str(OUT / f"{name}.png")):
        raise OSError(f"{name}.png cannot be written")


def grab_parts(name, *widgets):
    """Save the rectangle of the main window that holds these widgets."""
    area = QRect()
    for widget in widgets:
        area = area.united(QRect(widget.mapTo(window, QPoint(0, 0)), widget.size()))
    grab(name, window, area)


def tidy_window():
    """Only what an analyst needs: map, layers, the dock, a few toolbars."""
    for bar in window.findChildren(QToolBar):
        bar.setVisible(bar.objectName() in SHOWN_TOOLBARS)
    for other in window.findChildren(QDockWidget):
        other.setVisible(other.objectName() == "Layers" or other is dock)
    window.resize(WINDOW)
    layers = window.findChild(QDockWidget, "Layers")
    window.resizeDocks([layers, dock], [PANEL_PX, DOCK_PX], Qt.Orientation.Horizontal)


def open_scene(name):
    """Add a scene in natural colours, stretched as QGIS does on request."""
    layer = QgsRasterLayer(str(SCENES / f"{name}.tif"), name)
    layer.setRenderer(QgsMultiBandColorRenderer(layer.dataProvider(), 3, 2, 1))
    layer.setContrastEnhancement(
        QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum,
        QgsRasterMinMaxOrigin.Limits.CumulativeCut,
    )
    project.setCrs(layer.crs())
    project.addMapLayer(layer)
    iface.setActiveLayer(layer)
    show_extent(layer.extent())
    project.layerTreeRoot().findLayer(layer.id()).setExpanded(False)
    return layer


def show_extent(extent):
    """Zoom the map."""
    canvas.setExtent(extent)
    canvas.refresh()


def results(kind):
    """Layers of a kind, newest last."""
    return [layer for layer in project.mapLayers().values() if layer.customProperty("hazardmapper/kind") == kind]


def see(layer, visible):
    """Switch a layer of the map on or off."""
    project.layerTreeRoot().findLayer(layer.id()).setItemVisibilityChecked(visible)


def run_from_dock():
    """Press the button; the condition holds when the run is over."""
    ui.areaComboBox.setCurrentIndex(ui.areaComboBox.findData("layer"))
    ui.folderWidget.setFilePath(str(OUT))
    ui.probabilityCheckBox.setChecked(True)
    ui.segmentButton.click()
    if not dock.queue.is_running:
        raise RuntimeError(ui.statusLabel.text() or "The run did not start.")
    return lambda: not dock.queue.is_running


def story():
    """Every picture, in the order in which a user meets what it shows."""
    dock.setUserVisible(True)
    tidy_window()
    yield from setting_up()
    scene = open_scene("Simulated flood")
    yield lambda: ui.segmentButton.isEnabled() and "bands" in ui.understoodLabel.text()
    yield run_from_dock()
    if not results("mask"):
        raise RuntimeError(ui.statusLabel.text())
    iface.messageBar().clearWidgets()
    for layer in results("mask"):
        project.layerTreeRoot().findLayer(layer.id()).parent().setExpanded(True)
    iface.setActiveLayer(scene)
    yield rest(1.5)
    grab("window", window)
    grab("dock", dock)
    yield from delivering()
    yield from drawing_polygons()
    yield from map_sheet()
    yield from toolbox()
    project.clear()
    yield rest()
    yield from adapting()
    yield from models()
    yield from training()


def setting_up():
    """The dialog that says what will be installed, where and how large, as where there is no engine yet."""
    python = os.environ.pop("HAZARD_ENGINE_PYTHON")
    own_python, engine_location.own_python = engine_location.own_python, lambda: "nowhere"
    root, engine_location.engine_root = engine_location.engine_root, lambda: f"{PROFILE}/hazard_mapper"
    setup_page.engine_root = engine_location.engine_root
    setup_page.qgis_python = lambda: "/usr/bin/python3"
    setup_page.find_gpus = lambda *_: []
    dock.warm_up()
    dock.setup.open()
    page = dock.setup.page
    yield lambda: not page.is_running
    page.resize(690, 390)
    yield rest()
    grab("setup", page)
    page.close()
    os.environ["HAZARD_ENGINE_PYTHON"] = python
    engine_location.own_python, engine_location.engine_root = own_python, root
    setup_page.engine_root = root
    dock.warm_up()


def delivering():
    """The menu beside a result, the threshold's slider, the probability."""
    (mask,), (probability,) = results("mask"), results("probability")
    dock.findChild(QToolButton, "deliverButton").click()
    yield lambda: dock.delivery.menu.isVisible()
    yield rest(0.3)
    grab("deliver_menu", dock.delivery.menu)
    dock.delivery.menu.close()
    dock.delivery.editor.open(mask)
    yield lambda: dock.delivery.bar.area_m2() is not None
    dock.delivery.bar.slider.setValue(20)
    yield rest(1.2)
    grab_parts("threshold", canvas, dock)
    dock.delivery.bar.closed.emit()
    see(mask, False)
    see(probability, True)
    project.layerTreeRoot().findLayer(probability.id()).setExpanded(True)
    yield rest(1.2)
    grab_parts("probability", window.findChild(QDockWidget, "Layers"), canvas)
    see(probability, False)
    see(mask, True)


def drawing_polygons():
    """Polygons of the model, one drawn by hand and one taken out by hand."""
    (mask,), (probability,) = results("mask"), results("probability")
    path = str(OUT / "polygons.gpkg")
    values = {"INPUT": mask, "PROBABILITY": probability, "MINIMUM_AREA_M2": 5000, "SIMPLIFY_M": 10, "OUTPUT": path}
    processing.runAndLoadResults("hazardmapper:hazardpolygons", values)
    yield rest(1.0)
    layer = next(layer for layer in project.mapLayers().values() if isinstance(layer, QgsVectorLayer))
    inner = layer.extent().buffered(-1500)
    found = [one for one in layer.getFeatures() if inner.contains(one.geometry().boundingBox())]
    taken = max((one for one in found if one["area_m2"] < 3e5), key=lambda one: one["area_m2"])
    middle = taken.geometry().boundingBox().center()
    half = 900
    view = QgsRectangle(middle.x() - half, middle.y() - half, middle.x() + half, middle.y() + half)
    corner = QgsRectangle(middle.x() + 250, middle.y() + 250, middle.x() + 650, middle.y() + 550)
    layer.startEditing()
    layer.addFeature(QgsVectorLayerUtils.createFeature(layer, QgsGeometry.fromRect(corner).buffer(60, 8)))
    layer.deleteFeature(taken.id())
    layer.commitChanges()
    see(mask, False)
    show_extent(view)
    project.layerTreeRoot().findLayer(layer.id()).setExpanded(True)
    iface.messageBar().clearWidgets()
    yield rest(1.2)
    grab_parts("polygons", window.findChild(QDockWidget, "Layers"), canvas)
    see(mask, True)


def map_sheet():
    """The sheet as it is before anyone has edited it."""
    (mask,), (probability,) = results("mask"), results("probability")
    values = {
        "MASK": mask,
        "PROBABILITY": probability,
        "SCENE": next(layer for layer in project.mapLayers().values() if layer.name() == "Simulated flood"),
        "ORGANISATION": "Exercise, simulated scene",
        "DATE": "2024-09-17",
        "DPI": 150,
        "ADD_TO_PROJECT": False,
        "PDF": "",
        "PNG": str(OUT / "map_sheet.png"),
    }
    processing.run("hazardmapper:mapsheet", values)
    for beside in OUT.glob("map_sheet.p*w"):
        beside.unlink()
    yield rest()


def toolbox():
    """The algorithms in QGIS's toolbox."""
    panel = window.findChild(QDockWidget, "ProcessingToolbox")
    panel.setVisible(True)
    panel.setFloating(True)
    panel.resize(330, 560)
    yield rest()
    tree = panel.findChild(QTreeView)
    model = tree.model()
    rows = [model.index(row, 0) for row in range(model.rowCount())]
    own = next(index for index in rows if "Hazard Mapper" in str(index.data()))
    tree.expand(own)
    for row in range(model.rowCount(own)):
        tree.expand(model.index(row, 0, own))
    tree.scrollTo(own, QTreeView.ScrollHint.PositionAtTop)
    yield rest()
    top = tree.visualRect(own).top()
    height = min(tree.viewport().height() - top, 30 + 22 * 26)
    grab("toolbox", tree.viewport(), QRect(0, top, 320, height))
    panel.setFloating(False)
    panel.setVisible(False)
    tidy_window()


def adapting():
    """A scene whose sensor has an unusual gain: verdict, and the map before and after."""
    open_scene("Unusual sensor")
    yield lambda: ui.segmentButton.isEnabled() and "bands" in ui.understoodLabel.text()
    ui.adaptCheckBox.setChecked(True)
    ui.adaptBudgetSpinBox.setValue(180)
    choice = dock.adaptation
    choice.mode_combo.setCurrentIndex(choice.mode_combo.findData("statistics"))
    choice.compare_box.setChecked(True)
    choice.name_edit.setText("unusual-sensor")
    yield run_from_dock()
    iface.messageBar().clearWidgets()
    yield rest(1.5)
    before = dock.findChild(QToolButton, "beforeButton")
    if before is None:
        raise RuntimeError("The scene was not adapted to: " + " ".join(dock.results.texts()))
    for kind in ("probability", "difference"):
        for layer in results(kind):
            see(layer, False)
    square = QRect((canvas.width() - 356) // 2, (canvas.height() - 356) // 2, 356, 356)
    window.resize(WINDOW.width() - 200, 620)
    extent = project.mapLayersByName("Unusual sensor")[0].extent()
    for pressed, name in ((True, "map_before"), (False, "map_after")):
        before.setChecked(pressed)
        canvas.setExtent(extent)
        canvas.zoomByFactor(0.5)
        canvas.refresh()
        yield rest(1.2)
        square = QRect((canvas.width() - 356) // 2, (canvas.height() - 356) // 2, 356, 356)
        grab(name, canvas, square)
    window.resize(WINDOW)
    window.resizeDocks([dock], [WIDE_DOCK_PX], Qt.Orientation.Horizontal)
    yield rest()
    grab("verdict", ui.footer)
    window.resizeDocks([dock], [DOCK_PX], Qt.Orientation.Horizontal)
    ui.adaptCheckBox.setChecked(False)


def models():
    """The dialog with the bundled models, and the one that was adapted a moment ago."""
    plugin.open_models()
    dialog = plugin.models_dialog
    yield lambda: len(dialog.models) > 4
    dialog.resize(910, 320)
    dialog.select("unetplusplus")
    for column in range(dialog.tree.columnCount()):
        dialog.tree.resizeColumnToContents(column)
    dialog.tree.setColumnWidth(2, 90)
    yield rest()
    grab("models", dialog)
    dialog.close()


def training():
    """The training page after a short run on simulated scenes."""
    dock.pages.open_training()
    page = dock.pages.training
    form = page.ui
    yield lambda: form.trainModelComboBox.count() > 4
    form.trainModelComboBox.setCurrentIndex(form.trainModelComboBox.findData("unet"))
    page.form.restore_name("my_model")
    form.trainMinutesSpinBox.setValue(0)
    form.trainEpochsSpinBox.setValue(6)
    form.trainIterationsSpinBox.setValue(8)
    form.trainBatchSpinBox.setValue(2)
    yield rest()
    form.trainButton.click()
    yield lambda: page.task.is_running
    yield lambda: not page.task.is_running
    iface.messageBar().clearWidgets()
    dock.setFloating(True)
    dock.resize(430, 800)
    yield rest(1.0)
    grab("training", page)
    dock.setFloating(False)


class Telling:
    """Goes on with the story whenever what it waits for holds; every way out ends QGIS."""

    def __init__(self):
        self.steps = story()
        self.condition = lambda: True
        self.until = 0.0
        self.timer = QTimer()
        self.timer.setInterval(100)
        self.timer.timeout.connect(self.go_on)

    def start(self):
        """Begin."""
        self.timer.start()

    def go_on(self):
        """One look at what is waited for."""
        self.timer.stop()
        try:
            if not self.condition():
                if self.until and time.monotonic() > self.until:
                    frame = self.steps.gi_frame
                    raise TimeoutError(f"waited too long, line {frame.f_lineno}: {ui.statusLabel.text()}")
            else:
                self.condition = next(self.steps)
                self.until = time.monotonic() + STEP_LIMIT_S
            self.timer.start()
        except StopIteration:
            (OUT / "done").write_text("done\n")
            self.leave()
        except Exception:
            (OUT / "error.txt").write_text(traceback.format_exc())
            grab("error", window)
            self.leave()

    def leave(self):
        """End QGIS without a question."""
        dock.queue.cancel() if dock.queue.is_running else None
        project.setDirty(False)
        QTimer.singleShot(0, lambda: QgsApplication.exit(0))


def guard(kind, value, trace):
    """An error in a slot ends the story too."""
    text = "".join(traceback.format_exception(kind, value, trace))
    sys.stderr.write(text)
    (OUT / "error.txt").write_text(text)
    telling.leave()


telling = Telling()
sys.excepthook = guard
QTimer.singleShot(1500, telling.start)
