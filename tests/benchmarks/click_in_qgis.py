"""Runs inside QGIS: clicks the dock's button twice on a 1024 x 1024 view and writes how long each took."""

import json
import os
import time

from qgis.core import QgsApplication, QgsProject, QgsRasterLayer, QgsRectangle
from qgis.PyQt.QtCore import QTimer
from qgis.utils import iface, plugins

VIEW_PX = 1024
GSD_M = 10.0


class Clicks:
    """Two clicks, one after the other; QGIS ends after the second or when something fails."""

    def __init__(self):
        self.folder = os.environ["HAZARD_BENCH_OUT"]
        self.began = 0.0
        self.found = {}

    def start(self):
        """Show a view of the scene that is 1024 pixels high and wide, and click at once."""
        layer = QgsRasterLayer(os.environ["HAZARD_BENCH_SCENE"], "scene")
        QgsProject.instance().setCrs(layer.crs())
        QgsProject.instance().addMapLayer(layer)
        iface.setActiveLayer(layer)
        extent = layer.extent()
        side = VIEW_PX * GSD_M
        left, top = extent.xMinimum() + 3000, extent.yMaximum() - 3000
        self.dock = plugins["hazard_mapper"].dock
        self.dock.setUserVisible(True)
        canvas = iface.mapCanvas()
        canvas.setFixedSize(600, 600)
        QgsApplication.processEvents()
        canvas.setExtent(QgsRectangle(left, top - side, left + side, top))
        QgsApplication.processEvents()
        self.dock.ui.areaComboBox.setCurrentIndex(self.dock.ui.areaComboBox.findData("view"))
        self.dock.ui.folderWidget.setFilePath(self.folder)
        self.dock.queue.ended.connect(self.finish)
        self.dock.queue.finished.connect(self.keep)
        self.click()

    def click(self):
        """Press the button."""
        self.began = time.perf_counter()
        self.dock.ui.segmentButton.click()

    def keep(self, run, _project_open):
        """Remember what the engine said."""
        self.engine_seconds = run.results["SECONDS"]
        self.mask = run.results["OUTPUT"]

    def finish(self):
        """Wait until the layer is drawn; then click again, or leave."""
        iface.mapCanvas().waitWhileRendering()
        seconds = time.perf_counter() - self.began
        mask = QgsRasterLayer(self.mask, "mask")
        name = "warm" if "cold" in self.found else "cold"
        self.found[name] = {
            "seconds": seconds,
            "engine_seconds": self.engine_seconds,
            "columns": mask.width(),
            "rows": mask.height(),
        }
        if name == "cold":
            QTimer.singleShot(1000, self.click)
            return
        with open(os.path.join(self.folder, "clicks.json"), "w", encoding="utf-8") as file:
            json.dump(self.found, file)
        QgsProject.instance().setDirty(False)
        QTimer.singleShot(0, lambda: QgsApplication.exit(0))


clicks = Clicks()
QTimer.singleShot(500, clicks.start)
