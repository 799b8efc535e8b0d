"""The real QGIS program closed, or killed, while the dock segments: no process or file is left, the project is fine."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from qgis.core import QgsProject
from support import wait_until, write_scene
from test_real_qgis import processes, profile

pytestmark = [pytest.mark.gui, pytest.mark.slow]

RUNNING = """
import json, os, sys
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import QApplication, QMessageBox
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer
from qgis.utils import iface, plugins
folder = os.environ["HAZARD_TEST_FOLDER"]
def say(**found):
    with open(os.path.join(folder, "found.json.part"), "w") as file:
        json.dump(found, file)
    os.replace(os.path.join(folder, "found.json.part"), os.path.join(folder, "found.json"))
def begin():
    project = QgsProject.instance()
    layer = QgsRasterLayer(os.path.join(folder, "scene.tif"), "scene")
    project.addMapLayer(layer)
    project.write(os.path.join(folder, "project.qgz"))
    iface.setActiveLayer(layer)
    plugins["hazard_mapper"].layer_action.trigger()
    wait()
def wait():
    ui = plugins["hazard_mapper"].dock.ui
    if ui.segmentButton.isEnabled() and ui.modelComboBox.count():
        ui.areaComboBox.setCurrentIndex(1)  # the whole layer
        ui.segmentButton.click()
        watch()
    else:
        QTimer.singleShot(200, wait)
def watch():
    partial = [name for name in os.listdir(folder) if ".partial" in name]
    if not partial:
        QTimer.singleShot(100, watch)
        return
    say(partial=len(partial))
    if os.environ["HAZARD_TEST_END"] == "close":
        answer()
def answer():
    boxes = [box for box in QApplication.topLevelWidgets() if isinstance(box, QMessageBox) and box.isVisible()]
    wanted = ("Yes", "Discard", "Ok")
    for box in boxes:
        found = [box.button(getattr(QMessageBox.StandardButton, name)) for name in wanted]
        next(button for button in found if button is not None).click()
    QTimer.singleShot(200, answer)
    if not boxes:
        QgsProject.instance().setDirty(False)
        iface.actionExit().trigger()
def failed(kind, value, trace):
    say(error=str(value))
    QgsApplication.exit(1)
sys.excepthook = failed
QTimer.singleShot(500, begin)
"""


def workers(folder):
    """Ids of the engine's processes that were started by the QGIS of this test."""
    found = set()
    for number in processes(["engine", "worker"]):
        with contextlib.suppress(OSError):
            if f"HAZARD_TEST_FOLDER={folder}".encode() in Path(f"/proc/{number}/environ").read_bytes().split(b"\0"):
                found.add(number)
    return found


@pytest.mark.parametrize("end", ["close", "kill"])
def test_qgis_that_ends_in_the_middle_of_a_run_leaves_neither_process_nor_file(tmp_path, end):
    profiles = profile(tmp_path)
    folder = tmp_path / "work"
    folder.mkdir()
    write_scene(folder / "scene.tif", width=4000, height=4000)
    (tmp_path / "run.py").write_text(RUNNING)
    environment = {
        **os.environ, "HAZARD_TEST_FOLDER": str(folder), "HAZARD_TEST_END": end, "HAZARD_ENGINE_PYTHON": sys.executable,
    }  # fmt: skip
    program = ["qgis", "--nologo", "--noversioncheck", "--profiles-path", str(profiles)]
    qgis = subprocess.Popen([*program, "--code", str(tmp_path / "run.py")], env=environment, stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: (folder / "found.json").exists() or qgis.poll() is not None, 120)
        found = json.loads((folder / "found.json").read_text())
        assert found.get("partial") and workers(folder), found
        if end == "kill":
            time.sleep(0.5)
            os.kill(qgis.pid, signal.SIGKILL)
        assert wait_until(lambda: qgis.poll() is not None, 60)
    finally:
        qgis.kill()
    assert wait_until(lambda: not workers(folder), 20)
    left = sorted(name for name in os.listdir(folder) if not name.startswith("found"))
    reserved = [".scene_flood.tif.reserved"] if end == "kill" else []  # nobody is left to release it; void after a day
    assert [name for name in left if name not in ("project.qgz", "scene.tif", "scene.tif.aux.xml")] == reserved
    project = QgsProject()
    assert project.read(str(folder / "project.qgz"))
    assert [layer.name() for layer in project.mapLayers().values() if layer.isValid()] == ["scene"]
