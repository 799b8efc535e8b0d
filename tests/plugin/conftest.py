"""Fixtures of the plugin tests: an engine client with a pretended worker, the provider, a project."""

import subprocess
import sys
from pathlib import Path

import pytest
from qgis.core import QgsLayerTreeModel, QgsProject
from qgis.gui import QgsLayerTreeView

sys.path.insert(0, str(Path(__file__).parent))
import support

support.install_package()


@pytest.fixture(scope="session", autouse=True)
def tidy_end(qgis_app):
    yield
    support.drop_garbage()


@pytest.fixture(autouse=True)
def layer_tree(qgis_iface, monkeypatch):
    """A tree of layers for the pretended QGIS, in which QGIS 3.44 itself places results."""
    view = QgsLayerTreeView()
    view.setModel(QgsLayerTreeModel(QgsProject.instance().layerTreeRoot(), view))
    monkeypatch.setattr(qgis_iface, "layerTreeView", lambda: view)
    yield
    view.deleteLater()


@pytest.fixture
def client():
    made = support.pretended_client()
    yield made
    made.shutdown()


@pytest.fixture
def training():
    """The second client, whose worker trains."""
    made = support.pretended_client()
    yield made
    made.shutdown()


@pytest.fixture
def scene(tmp_path):
    return support.write_scene(tmp_path / "scene.tif")


@pytest.fixture
def project(qgis_new_project):
    yield qgis_new_project
    qgis_new_project.clear()


@pytest.fixture
def provider(client, training, qgis_processing):
    from hazard_mapper.hazard_plugin.provider import HazardProvider
    from qgis.core import QgsApplication

    made = HazardProvider(client, training)
    QgsApplication.processingRegistry().addProvider(made)
    yield made
    QgsApplication.processingRegistry().removeProvider(made)


@pytest.fixture(scope="session")
def engine_environment(tmp_path_factory):
    """An environment with pip, made once and copied by the tests that are not about making one."""
    import setup_toys

    path = tmp_path_factory.mktemp("environment") / "made"
    subprocess.run([setup_toys.PYTHON, "-m", "venv", "--system-site-packages", str(path)], check=True)
    return path


@pytest.fixture
def quick_environment(engine_environment, monkeypatch):
    """Copy the environment instead of making one."""
    import setup_toys

    setup_toys.copy_environment(engine_environment, monkeypatch)


@pytest.fixture
def tiny_wheels(tmp_path):
    import setup_toys

    folder = tmp_path / "wheels"
    setup_toys.write_wheel(folder)
    return setup_toys.write_bundle(folder)


@pytest.fixture
def setup_root(tmp_path):
    return tmp_path / "profile é ü" / "hazard mapper"


@pytest.fixture(scope="module")
def engine(qgis_processing):
    """A client with the real engine, while the provider whose algorithms use it is registered."""
    from hazard_mapper.hazard_plugin.engine_client import EngineClient
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation
    from hazard_mapper.hazard_plugin.provider import HazardProvider
    from qgis.core import QgsApplication

    made = EngineClient(lambda: EngineLocation(sys.executable, str(support.ROOT)))
    provider = HazardProvider(made, made)
    QgsApplication.processingRegistry().addProvider(provider)
    yield made
    QgsApplication.processingRegistry().removeProvider(provider)
    made.shutdown()
