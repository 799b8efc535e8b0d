"""The package in real QGIS, whose own installer installs and uninstalls it: only the files of the user are left."""

import json
import os
import subprocess
import sys

import pytest
from support import ROOT, write_scene

pytestmark = [pytest.mark.gui, pytest.mark.slow]

PROGRAM = """
import json, os, sys, time
from qgis.core import QgsApplication, QgsProject, QgsSettings
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QObject, QTimer
from qgis.PyQt.QtWidgets import QMenu
from qgis.utils import active_plugins, iface, plugins, unloadPlugin
import pyplugin_installer

NAME = "hazard_mapper"
FOLDER = os.path.join(QgsApplication.qgisSettingsDirPath(), "python", "plugins", NAME)
found = {}

def settle(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()
        time.sleep(0.01)

def engines():
    number = 0
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{entry}/cmdline") as file:
                words = file.read().split(chr(0))
        except (OSError, IndexError):
            continue
        number += parent == os.getpid() and "worker" in words
    return number

def traces():
    objects = [*iface.mainWindow().findChildren(QObject), *QgsApplication.allWidgets()]
    # QGIS takes an emptied menu of a plugin out of its own, and keeps the menu itself.
    named = {thing.objectName() for thing in objects if not isinstance(thing, QMenu) or thing.actions()}
    actions = [a.text() for menu in (iface.rasterMenu(), iface.pluginMenu()) for a in menu.actions()]
    actions += [a.text() for a in iface.rasterToolBar().actions()]
    return {
        "provider": QgsApplication.processingRegistry().providerById("hazardmapper") is not None,
        "widgets": sorted(n for n in named if "hazard" in n.lower()),
        "actions": sorted(a for a in actions if "hazard" in a.lower()),
        # QGIS lets go of modules, but not of packages within a plugin.
        "modules": sorted(n for n, m in sys.modules.items() if n.split(".")[0] == NAME and not hasattr(m, "__path__")),
        "engines": engines(),
        "plugin": NAME in plugins or NAME in active_plugins,
        "settings": sorted(k for k in QgsSettings().allKeys() if "hazardmapper" in k.lower()),
        "folder": os.path.lexists(FOLDER),
    }

def remember():
    sys.modules["hazard_mapper.hazard_plugin.settings"].save_setting("last/hazard", "flood")

def check():
    installer = pyplugin_installer.instance()
    found["before"] = traces()
    installer.installFromZipFile(os.environ["HAZARD_TEST_ZIP"])
    settle(0.2)
    found["installed"] = NAME in active_plugins and not os.path.islink(FOLDER)
    import processing
    folder = os.environ["HAZARD_TEST_FOLDER"]
    scene, mask = os.path.join(folder, "scene.tif"), os.path.join(folder, "mask.tif")
    results = processing.run("hazardmapper:segmenthazard", {"INPUT": scene, "HAZARD": "flood", "OUTPUT": mask})
    found["area"] = results["HAZARD_AREA_M2"]
    plugins[NAME].dock.setUserVisible(True)
    plugins[NAME].open_models()
    settle(0.5)
    remember()
    found["enabled"] = traces()
    QgsSettings().setValue("/PythonPlugins/" + NAME, False)  # as the plugin manager does when a plugin is unticked
    unloadPlugin(NAME)
    settle(1.0)
    found["disabled"] = traces()
    installer.uninstallPlugin(NAME, quiet=True)
    settle(0.5)
    found["uninstalled"] = traces()
    QgsSettings().remove("/PythonPlugins/" + NAME)
    installer.installFromZipFile(os.environ["HAZARD_TEST_ZIP"])
    settle(0.2)
    remember()
    found["again"] = NAME in active_plugins
    installer.uninstallPlugin(NAME, quiet=True)
    settle(1.0)
    found["uninstalled while enabled"] = traces()
    leave(0)

def leave(code):
    with open(os.path.join(os.environ["HAZARD_TEST_FOLDER"], "found.json"), "w") as file:
        json.dump(found, file)
    QgsProject.instance().setDirty(False)
    QTimer.singleShot(0, lambda: QgsApplication.exit(code))

def failed(kind, value, trace):
    import traceback
    found["error"] = "".join(traceback.format_exception(kind, value, trace))
    leave(1)

sys.excepthook = failed
QTimer.singleShot(500, check)
"""

NOTHING = {
    "provider": False,
    "widgets": [],
    "actions": [],
    "modules": [],
    "engines": 0,
    "plugin": False,
    "settings": [],
    "folder": False,
}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The zip of what is committed, as make package builds it."""
    path = tmp_path_factory.mktemp("package") / "hazard_mapper-test.zip"
    command = ["git", "archive", "--format=zip", "--prefix=hazard_mapper/", "-o", str(path), "HEAD"]
    if subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("this is no git checkout, of which a package could be made")
    return path


def test_an_uninstalled_package_leaves_only_the_files_of_the_user(package, tmp_path):
    profile = tmp_path / "profiles" / "default"
    (profile / "QGIS").mkdir(parents=True)
    settings = "[qgis]\ncheckVersion=false\nshowTips322=false\n[migration]\nfileVersion=2\nsettings=true\n"
    (profile / "QGIS" / "QGIS3.ini").write_text(settings)
    folder, models = tmp_path / "files", tmp_path / "models"
    folder.mkdir()
    models.mkdir()
    (models / "mine.txt").write_text("the user's")
    write_scene(folder / "scene.tif")
    code = tmp_path / "program.py"
    code.write_text(PROGRAM)
    environment = {
        **os.environ,
        "HAZARD_TEST_FOLDER": str(folder),
        "HAZARD_TEST_ZIP": str(package),
        "HAZARD_ENGINE_PYTHON": sys.executable,
        "HAZARD_MODELS": str(models),
    }
    program = ["qgis", "--nologo", "--noversioncheck", "--profiles-path", str(tmp_path), "--code", str(code)]
    subprocess.run(program, env=environment, capture_output=True, timeout=120, check=False)
    found = json.loads((folder / "found.json").read_text())
    assert "error" not in found, found["error"]
    assert found["before"] == NOTHING
    assert found["installed"] and found["area"] > 0
    enabled = found["enabled"]
    assert enabled["provider"] and enabled["engines"] >= 1 and "hazardDock" in enabled["widgets"] and enabled["actions"]
    assert found["disabled"] == {**NOTHING, "folder": True, "settings": enabled["settings"]}
    assert found["uninstalled"] == NOTHING
    assert found["again"] and found["uninstalled while enabled"] == NOTHING
    assert sorted(os.listdir(models)) == ["mine.txt"]
    assert {"mask.tif", "scene.tif"} <= set(os.listdir(folder))
    left = [str(path.relative_to(profile)) for path in profile.rglob("*hazard*")]
    assert left == []
