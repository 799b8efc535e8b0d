"""Runs inside QGIS: clicks the dock's button and writes how long layers and first estimates took to be drawn.

``HAZARD_BENCH_CLICKS`` names what is clicked for, in turn: ``view`` waits for the mask of a 1024 x 1024 view, ``scene``
for the first estimate of the whole scene, whose run is cancelled then. The first click finds no worker.
"""

import json
import os
import time

from qgis.core import QgsApplication, QgsProject, QgsRasterLayer, QgsRectangle
from qgis.PyQt.QtCore import QTimer
from qgis.utils import iface, plugins

VIEW_PX = 1024
GSD_M = 10.0


class Clicks:
    """Clicks, one after the other; QGIS ends after the last one or when something fails."""

    def __init__(self):
        self.folder = os.environ["HAZARD_BENCH_OUT"]
        self.waiting = os.environ["HAZARD_BENCH_CLICKS"].split(",")
        self.kind = ""
        self.began = 0.0
        self.found = []
        self.results = {}
        self.estimated = {}

    def start(self):
        """Add the scene and click at once."""
        self.layer = QgsRasterLayer(os.environ["HAZARD_BENCH_SCENE"], "scene")
        QgsProject.instance().setCrs(self.layer.crs())
        QgsProject.instance().addMapLayer(self.layer)
        iface.setActiveLayer(self.layer)
        self.dock = plugins["hazard_mapper"].dock
        self.dock.setUserVisible(True)
        iface.mapCanvas().setFixedSize(600, 600)
        self.dock.ui.folderWidget.setFilePath(self.folder)
        self.dock.queue.ended.connect(self.finish)
        self.dock.queue.finished.connect(self.keep)
        self.dock.queue.previewed.connect(self.see)
        self.dock.queue.failed.connect(lambda _run, sentence: self.estimated.update(failed=sentence))
        self.click()

    def click(self):
        """Show what is wanted, and press the button."""
        self.kind = self.waiting.pop(0)
        self.results, self.estimated = {}, {}
        QgsApplication.processEvents()
        iface.mapCanvas().setExtent(self.extent_of(self.kind))
        QgsApplication.processEvents()
        area = "view" if self.kind == "view" else "layer"
        self.dock.ui.areaComboBox.setCurrentIndex(self.dock.ui.areaComboBox.findData(area))
        iface.mapCanvas().waitWhileRendering()
        self.began = time.perf_counter()
        self.dock.ui.segmentButton.click()

    def extent_of(self, kind):
        """The whole scene, or a part of it that is 1024 pixels high and wide."""
        extent = self.layer.extent()
        if kind != "view":
            return extent
        side = VIEW_PX * GSD_M
        left, top = extent.xMinimum() + 3000, extent.yMaximum() - 3000
        return QgsRectangle(left, top - side, left + side, top)

    def see(self, _run, event):
        """Remember when the estimate was drawn; with that the run has done its duty."""
        if self.kind == "view" or self.estimated:
            return
        self.estimated = {"pixel_m": event["pixel_m"]}  # now, as drawing lets other events in
        iface.mapCanvas().waitWhileRendering()
        self.estimated["seconds"] = time.perf_counter() - self.began
        self.dock.ui.cancelButton.click()

    def keep(self, run, _project_open):
        """Remember what the engine said."""
        self.results = run.results

    def finish(self):
        """Wait until what came is drawn; then click again, or leave."""
        iface.mapCanvas().waitWhileRendering()
        found = {"kind": self.kind, "cold": not self.found, **self.estimated}
        if self.kind == "view" and self.results:
            mask = QgsRasterLayer(self.results["OUTPUT"], "mask")
            found["seconds"] = time.perf_counter() - self.began
            found["engine_seconds"] = self.results["SECONDS"]
            found["columns"], found["rows"] = mask.width(), mask.height()
        self.found.append(found)
        if self.waiting:
            QTimer.singleShot(1000, self.click)
            return
        with open(os.path.join(self.folder, "clicks.json"), "w", encoding="utf-8") as file:
            json.dump(self.found, file)
        QgsProject.instance().setDirty(False)
        QTimer.singleShot(0, lambda: QgsApplication.exit(0))


clicks = Clicks()
QTimer.singleShot(500, clicks.start)
