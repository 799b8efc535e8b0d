"""Fixtures of the GUI tests: the plugin in a main window with a map canvas, a project on disk, real clicks."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugin"))
import support
from qgis.core import QgsRasterLayer, QgsSettings
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor, QPalette
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication

support.install_package()


@pytest.fixture(scope="session", autouse=True)
def tidy_end(qgis_app):
    yield
    support.drop_garbage()


PICTURES = support.ROOT / "build" / "screenshots"


@pytest.fixture(scope="session", autouse=True)
def engine_python():
    """The tests' own interpreter is the engine's, unless one is named."""
    os.environ.setdefault("HAZARD_ENGINE_PYTHON", sys.executable)


@pytest.fixture(autouse=True)
def fresh_settings():
    """Nothing remembered from another test."""
    QgsSettings().remove("hazardmapper")
    yield
    QgsSettings().remove("hazardmapper")


@pytest.fixture
def project(qgis_new_project, tmp_path):
    qgis_new_project.write(str(tmp_path / "project.qgz"))
    yield qgis_new_project
    qgis_new_project.clear()


@pytest.fixture(scope="session")
def kept_worker(qgis_app):
    from kept_worker import KeptWorker

    kept = KeptWorker()
    yield kept
    kept.end()


@pytest.fixture
def own_worker(kept_worker):
    """For tests of how a worker starts or ends: the plugin of the test starts its own, and ends it when unloaded."""
    kept_worker.end()


@pytest.fixture
def plugin(qgis_iface, qgis_parent, qgis_processing, project, kept_worker, monkeypatch, request):
    import hazard_mapper
    from hazard_mapper.hazard_plugin import engine_client
    from hazard_mapper.hazard_plugin import plugin as module

    pretended = module.EngineClient is not engine_client.EngineClient
    if not pretended and "own_worker" not in request.fixturenames:
        monkeypatch.setattr(module, "EngineClient", kept_worker.client)
    made = hazard_mapper.classFactory(qgis_iface)
    made.initGui()
    qgis_parent.setCentralWidget(qgis_iface.mapCanvas())
    qgis_parent.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, made.dock)
    qgis_parent.resize(1200, 900)
    qgis_parent.show()
    yield made
    if made.dock is not None:
        qgis_parent.removeDockWidget(made.dock)
    made.unload()


@pytest.fixture
def dock(plugin):
    plugin.dock.show()
    return plugin.dock


@pytest.fixture
def add_scene(project, qgis_iface, tmp_path):
    """Write a scene, add it to the project, make it active and show it in the map."""

    def add(name="scene", **options):
        layer = QgsRasterLayer(support.write_scene(tmp_path / f"{name}.tif", **options), name)
        assert layer.isValid()
        project.addMapLayer(layer)
        canvas = qgis_iface.mapCanvas()
        canvas.setDestinationCrs(layer.crs())
        canvas.setExtent(layer.extent())
        qgis_iface.setActiveLayer(layer)
        qgis_iface.currentLayerChanged.emit(canvas)
        return layer

    return add


@pytest.fixture
def click():
    def press(widget):
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    return press


@pytest.fixture
def picture():
    """Save what a widget looks like under build/screenshots."""

    def save(widget, name):
        PICTURES.mkdir(parents=True, exist_ok=True)
        support.settle()
        path = PICTURES / f"{name}.png"
        assert widget.grab().save(str(path))
        return path

    return save


@pytest.fixture
def dark_theme(qgis_app):
    light = QApplication.palette()
    dark = QPalette(light)
    for role, colour in (
        (QPalette.ColorRole.Window, "#2b2b2b"),
        (QPalette.ColorRole.WindowText, "#e0e0e0"),
        (QPalette.ColorRole.Base, "#1f1f1f"),
        (QPalette.ColorRole.Text, "#e0e0e0"),
        (QPalette.ColorRole.Button, "#3a3a3a"),
        (QPalette.ColorRole.ButtonText, "#e0e0e0"),
        (QPalette.ColorRole.Link, "#6cb2ff"),
    ):
        dark.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        dark.setColor(QPalette.ColorGroup.Disabled, role, QColor("#808080"))
    QApplication.setPalette(dark)
    yield
    QApplication.setPalette(light)
