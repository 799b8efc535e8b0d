"""The plugin in the real QGIS program and its process: the demo, reloading, and QGIS killed during a run."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from support import PLUGINS, ROOT, wait_until, write_scene

pytestmark = [pytest.mark.gui, pytest.mark.slow]

KILLED = """
import os, sys, threading
sys.path.insert(0, sys.argv[1])
from qgis.core import QgsApplication
app = QgsApplication([], False)
app.initQgis()
from hazard_mapper.hazard_plugin.engine_client import EngineClient
from hazard_mapper.engine import protocol
client = EngineClient()
def work():
    class Feedback:
        def isCanceled(self): return False
        def setProgress(self, share): print("progress", flush=True)
        def setProgressText(self, text): pass
        def pushInfo(self, text): pass
        def pushWarning(self, text): pass
    client.run("segment", protocol.SegmentJob(raster=sys.argv[2], hazard="flood", mask=sys.argv[3]), Feedback())
threading.Thread(target=work).start()
app.exec()
"""

RELOAD = """
from qgis.PyQt.QtCore import QTimer
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer, QgsSettings
from qgis.gui import QgsOptionsPageWidget
from qgis.PyQt.QtWidgets import QApplication, QDialog, QDialogButtonBox, QDockWidget
from qgis.utils import iface, plugins, reloadPlugin, unloadPlugin
import json, os, sys
def confirm_options():
    shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog) and w.isVisible()]
    pages = [p for w in shown for p in w.findChildren(QgsOptionsPageWidget) if p.objectName() == "hazardOptionsPage"]
    pages[0].idle_spin.setValue(44)
    boxes = [box for box in pages[0].window().findChildren(QDialogButtonBox) if box.isVisible()]
    boxes[-1].button(QDialogButtonBox.StandardButton.Ok).click()
def check():
    found = {}
    window = iface.mainWindow()
    layer = QgsRasterLayer(os.environ["HAZARD_TEST_SCENE"], "scene")
    QgsProject.instance().addMapLayer(layer)
    iface.setActiveLayer(layer)
    plugins["hazard_mapper"].layer_action.trigger()
    dock = plugins["hazard_mapper"].dock
    found["shown"] = dock.isVisible() and dock.scene() is layer
    found["german"] = plugins["hazard_mapper"].layer_action.text() == "Gefahr segmentieren"
    QTimer.singleShot(1000, confirm_options)
    iface.showOptionsDialog(window, "")
    found["options_kept"] = QgsSettings().value("hazardmapper/idle_minutes") == "44"
    found["in_menu"] = any("Hazard" in a.text() for a in iface.rasterMenu().actions())
    reloadPlugin("hazard_mapper")
    QgsApplication.processEvents()
    found["reloaded"] = "hazard_mapper" in plugins
    unloadPlugin("hazard_mapper")
    from qgis.PyQt.QtCore import QCoreApplication, QEvent
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QgsApplication.processEvents()
    found["dock_left"] = window.findChild(QDockWidget, "hazardDock") is not None
    found["provider_left"] = QgsApplication.processingRegistry().providerById("hazardmapper") is not None
    found["menu_left"] = any("Hazard" in a.text() for a in iface.rasterMenu().actions())
    with open(os.environ["HAZARD_TEST_OUT"], "w") as file:
        json.dump(found, file)
    QgsProject.instance().setDirty(False)
    QTimer.singleShot(0, lambda: QgsApplication.exit(0))
def failed(kind, value, trace):
    with open(os.environ["HAZARD_TEST_OUT"], "w") as file:
        file.write(json.dumps({"error": str(value)}))
    QgsApplication.exit(1)
sys.excepthook = failed
QTimer.singleShot(500, check)
"""


def processes(words):
    """Ids of processes whose command line holds all these words."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline") as file:
                    command = file.read().split("\0")
            except OSError:
                continue
            if all(word in command for word in words):
                found.append(int(entry))
    return set(found)


def test_no_worker_outlives_a_killed_qgis(tmp_path):
    scene = write_scene(tmp_path / "big.tif", width=2000, height=2000)
    before = processes(["engine", "worker"])
    command = [sys.executable, "-c", KILLED, str(PLUGINS), scene, str(tmp_path / "mask.tif")]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    qgis = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    assert qgis.stdout.readline().strip() == "progress"
    assert processes(["engine", "worker"]) - before
    time.sleep(1)
    os.kill(qgis.pid, signal.SIGKILL)
    qgis.wait()
    assert wait_until(lambda: not processes(["engine", "worker"]) - before, 15)
    assert [name for name in os.listdir(tmp_path) if "partial" in name] == []
    assert not (tmp_path / "mask.tif").exists()


def profile(tmp_path):
    sys.path.insert(0, str(ROOT / "tests" / "demo"))
    import demo

    demo.BUILD = tmp_path
    return demo.prepare_profile()


def test_in_real_qgis_in_german_layer_menu_and_options_work_and_unloading_leaves_nothing(tmp_path):
    code, out = tmp_path / "reload.py", tmp_path / "found.json"
    code.write_text(RELOAD)
    environment = {
        **os.environ,
        "HAZARD_TEST_OUT": str(out),
        "HAZARD_TEST_SCENE": write_scene(tmp_path / "scene.tif"),
        "HAZARD_ENGINE_PYTHON": sys.executable,
    }
    program = ["qgis", "--nologo", "--noversioncheck", "--lang", "de", "--profiles-path", str(profile(tmp_path))]
    subprocess.run([*program, "--code", str(code)], env=environment, capture_output=True, timeout=120)
    found = json.loads(out.read_text())
    assert found == {
        "shown": True,
        "german": True,
        "options_kept": True,
        "in_menu": True,
        "reloaded": True,
        "dock_left": False,
        "provider_left": False,
        "menu_left": False,
    }


def test_the_demo_writes_mask_probability_and_pictures(tmp_path):
    environment = {**os.environ, "SCENE": write_scene(tmp_path / "scene.tif"), "HAZARD": "flood"}
    command = [sys.executable, str(ROOT / "tests" / "demo" / "demo.py")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert ended.returncode == 0, ended.stderr
    lines = dict(line.split(maxsplit=1) for line in ended.stdout.splitlines() if line.strip())
    assert lines["Mask"].endswith("scene_flood.tif") and "km2" in lines["Flood"]
    for name in ("map.png", "qgis.png", "result.json", "scene_flood.tif", "scene_flood_probability.tif"):
        assert (ROOT / "build" / "demo" / "out" / name).stat().st_size > 100


def test_the_demo_says_in_one_sentence_what_is_wrong(tmp_path):
    environment = {**os.environ, "SCENE": str(tmp_path / "missing.tif")}
    command = [sys.executable, str(ROOT / "tests" / "demo" / "demo.py")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert ended.returncode == 1
    assert ended.stderr.strip() == f"QGIS cannot open the scene '{tmp_path / 'missing.tif'}'."
