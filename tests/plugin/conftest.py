"""Fixtures of the plugin tests: an engine client with a pretended worker, the provider, a project."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import support

support.install_package()


@pytest.fixture(scope="session", autouse=True)
def tidy_end(qgis_app):
    yield
    support.drop_garbage()


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
