"""The engine's set-up as the user meets it: one button, one dialog, and a dock that works afterwards."""

import json
import os
import sys
import time
from dataclasses import replace

import pytest
from qgis.core import QgsApplication
from qgis.PyQt.QtWidgets import QAbstractButton, QWidget
from setup_toys import PROOF, PYTHON, VERSION, small, write_bundle, write_wheel
from support import settle, wait_until

pytestmark = pytest.mark.gui


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """A profile without an engine, on a computer where nothing else offers one."""
    from hazard_mapper.hazard_plugin import engine_location, setup_page

    root = tmp_path / "profile" / "hazard_mapper"
    monkeypatch.delenv("HAZARD_ENGINE_PYTHON", raising=False)
    monkeypatch.setattr(engine_location, "own_python", lambda: str(tmp_path / "none"))
    monkeypatch.setattr(engine_location, "engine_root", lambda: str(root))
    monkeypatch.setattr(setup_page, "engine_root", lambda: str(root))
    monkeypatch.setattr(setup_page, "qgis_python", lambda: PYTHON)
    monkeypatch.setattr(setup_page, "build_named", small)
    monkeypatch.setattr(
        setup_page, "EngineSetup", lambda *args, **options: real(*args, proof=PROOF, **options)
    )
    return root


from hazard_mapper.hazard_plugin.engine_setup import EngineSetup as real  # noqa: E402


@pytest.fixture
def wheels(tmp_path):
    folder = tmp_path / "wheels"
    write_wheel(folder)
    return write_bundle(folder)


@pytest.fixture
def page(profile, dock, click, wheels):
    dock.warm_up()
    click(dock.setup.button)
    page = dock.setup.page
    page.requirements = ("tiny_engine==1.0",)
    page.ask_folder = lambda title: str(wheels)
    assert wait_until(lambda: not page.is_running, 10)
    yield page
    page.close_down()
    page.close()


def visible_names(dock):
    return {w.objectName() for w in dock.ui.footer.findChildren(QAbstractButton) if w.isVisible()}


def test_without_an_engine_the_dock_shows_one_button(profile, dock, add_scene, picture):
    add_scene()
    dock.warm_up()
    settle()
    assert "setUpEngineButton" in visible_names(dock) and "segmentButton" not in visible_names(dock)
    assert dock.ui.statusLabel.text().startswith("No engine is installed")
    picture(dock, "dock_without_engine")


def test_the_dialog_says_what_where_how_large_and_for_which_device(page, profile, picture):
    from hazard_mapper.hazard_plugin.setup_plan import read_requirements

    page.requirements = read_requirements()
    page._show_plan()
    form = page.form
    assert "torch 2.13.0" in form.whatLabel.text() and "safetensors" in form.whatLabel.text()
    assert form.folderLabel.text() == str(profile / "engine")
    assert "to download" in form.sizeLabel.text() and "free" in form.sizeLabel.text()
    assert form.deviceComboBox.count() >= 1 and form.deviceLabel.text().endswith(".")
    picture(page, "setup_page")


def test_set_up_from_a_folder_ends_with_an_engine_that_the_dock_takes(page, profile, dock, click, picture):
    page.form.bundleButton.click()
    assert page.is_running
    assert wait_until(lambda: not page.is_running, 60)
    assert "ready" in page.form.stepLabel.text(), page.form.stepLabel.text()
    assert wait_until(lambda: "setUpEngineButton" not in visible_names(dock), 5)
    assert dock.client.locate().python == str(profile / "engine" / "bin" / "python")
    assert page.form.setUpButton.text() == "Repair"
    picture(page, "setup_page_ready")
