"""Loading and unloading: fast without an engine, and nothing stays behind."""

import os
import subprocess
import sys

import pytest
from qgis.core import QgsApplication
from qgis.PyQt.QtWidgets import QDockWidget
from support import PLUGINS, wait_until

LOADING = """
import sys, time
sys.path.insert(0, sys.argv[1])
from unittest.mock import MagicMock
import numpy
from qgis.core import QgsApplication
from qgis.PyQt import uic
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtWidgets import QMainWindow
app = QgsApplication([], True)
app.initQgis()
window = QMainWindow()
canvas = QgsMapCanvas()
iface = MagicMock()
iface.mainWindow.return_value = window
iface.mapCanvas.return_value = canvas
began, computing = time.perf_counter(), time.process_time()
import hazard_mapper
plugin = hazard_mapper.classFactory(iface)
plugin.initGui()
print(round(1000 * (time.perf_counter() - began)), round(1000 * (time.process_time() - computing)), flush=True)
plugin.unload()
import os; os._exit(0)
"""


@pytest.fixture
def loaded(qgis_iface, project, qgis_processing):
    import hazard_mapper

    plugin = hazard_mapper.classFactory(qgis_iface)
    plugin.initGui()
    yield plugin
    plugin.unload()


def test_it_loads_in_under_200_ms_without_an_engine(tmp_path):
    """Best of five; where other programs crowd the processors, the time that was really computed counts."""
    environment = {**os.environ, "HAZARD_ENGINE_PYTHON": "/nowhere/python", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    measured = []
    for _ in range(5):
        command = [sys.executable, "-c", LOADING, str(PLUGINS)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        measured.append(tuple(int(number) for number in ended.stdout.split()[-2:]))
        if measured[-1][0] < 200:
            break
    waited, computed = min(wall for wall, _ in measured), min(computing for _, computing in measured)
    print(f"Loaded in {waited} ms without an engine, {computed} ms of them computing.")
    crowded = os.getloadavg()[0] > os.cpu_count()
    assert (computed if crowded else waited) < 200


def test_it_offers_menu_toolbar_layer_menu_and_provider(loaded, qgis_iface):
    qgis_iface.addPluginToRasterMenu.assert_called()
    qgis_iface.addRasterToolBarIcon.assert_called_with(loaded.dock_action)
    assert loaded.layer_action.text() == "Segment hazard"
    assert loaded.dock_action.shortcut().toString() == "Ctrl+Shift+H"
    assert QgsApplication.processingRegistry().algorithmById("hazardmapper:segmenthazard") is not None


def test_unloading_leaves_nothing(qgis_iface, qgis_parent, project, qgis_processing):
    import hazard_mapper

    plugin = hazard_mapper.classFactory(qgis_iface)
    plugin.initGui()
    action = plugin.layer_action
    plugin.unload()
    assert QgsApplication.processingRegistry().providerById("hazardmapper") is None
    added = {call.args[0] for call in qgis_iface.addCustomActionForLayerType.call_args_list}
    taken = {call.args[0] for call in qgis_iface.removeCustomActionForLayerType.call_args_list}
    assert action in taken and added <= taken
    qgis_iface.removeRasterToolBarIcon.assert_called()
    assert wait_until(lambda: qgis_parent.findChild(QDockWidget, "hazardDock") is None, 3)


def test_it_can_be_loaded_again(qgis_iface, project, qgis_processing):
    import hazard_mapper

    for _ in range(2):
        plugin = hazard_mapper.classFactory(qgis_iface)
        plugin.initGui()
        plugin.unload()


def test_without_an_engine_the_dock_says_so(monkeypatch, loaded):
    monkeypatch.setenv("HAZARD_ENGINE_PYTHON", "/nowhere/python")
    loaded.dock.warm_up()
    assert wait_until(lambda: "/nowhere/python" in loaded.dock.ui.statusLabel.text(), 3)
    assert not loaded.dock.ui.segmentButton.isEnabled()
