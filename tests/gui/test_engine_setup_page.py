"""The engine's set-up as the user meets it: one button, one dialog, and a dock that works afterwards."""

import os
import shutil
import subprocess
import sys
import time

import pytest
from qgis.core import QgsApplication
from qgis.PyQt.QtWidgets import QAbstractButton, QComboBox, QDialog
from setup_toys import PROOF, PYTHON, copy_environment, small, write_bundle, write_wheel
from support import settle, wait_until

pytestmark = pytest.mark.gui


@pytest.fixture
def empty_profile(tmp_path, monkeypatch):
    """A profile without an engine, on a computer where nothing else offers one."""
    from hazard_mapper.hazard_plugin import engine_location, setup_page

    root = tmp_path / "profile of Zoë" / "hazard_mapper"
    monkeypatch.delenv("HAZARD_ENGINE_PYTHON", raising=False)
    monkeypatch.setattr(engine_location, "own_python", lambda: str(tmp_path / "none"))
    monkeypatch.setattr(engine_location, "engine_root", lambda: str(root))
    monkeypatch.setattr(setup_page, "engine_root", lambda: str(root))
    monkeypatch.setattr(setup_page, "qgis_python", lambda: PYTHON)
    return root


@pytest.fixture
def profile(empty_profile, monkeypatch):
    """The same, and a tiny package stands for the engine."""
    from hazard_mapper.hazard_plugin import setup_page

    monkeypatch.setattr(setup_page, "build_named", small)
    monkeypatch.setattr(setup_page, "EngineSetup", lambda *args, **options: real(*args, proof=PROOF, **options))
    return empty_profile


from hazard_mapper.hazard_plugin.engine_setup import EngineSetup as real  # noqa: E402


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    path = tmp_path_factory.mktemp("environment") / "made"
    subprocess.run([PYTHON, "-m", "venv", "--system-site-packages", str(path)], check=True)
    return path


@pytest.fixture
def quick(environment, monkeypatch):
    """Copy an environment instead of making one."""
    copy_environment(environment, monkeypatch)


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


def test_qgis_stays_responsive_and_lists_the_task(page):
    page.form.bundleButton.click()
    longest, last = 0.0, time.monotonic()
    assert any("engine" in task.description() for task in QgsApplication.taskManager().activeTasks())

    def over():
        nonlocal longest, last
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
        return not page.is_running

    assert wait_until(over, 60)
    assert longest < 0.7


def test_cancel_keeps_what_was_done_and_goes_on(page, profile, click):
    page.form.bundleButton.click()
    assert wait_until(lambda: (profile / "engine.new" / "bin" / "python").exists(), 30)
    click(page.form.cancelButton)
    assert wait_until(lambda: not page.is_running, 10)
    assert page.form.stepLabel.text().startswith("Cancelled") and not page.form.progressBar.isVisible()
    assert not (profile / "engine").exists()
    page.form.bundleButton.click()
    assert wait_until(lambda: not page.is_running, 60) and (profile / "engine").exists()


def test_a_failure_is_said_in_one_sentence_and_reported_without_names(page, tmp_path, wheels, click, picture):
    next(wheels.glob("*.whl")).write_bytes(b"changed")
    page.form.bundleButton.click()
    assert wait_until(lambda: not page.is_running, 30)
    assert "hash differs" in page.form.stepLabel.text() and page.form.setUpButton.isEnabled()
    click(page.form.reportButton)
    report = QgsApplication.clipboard().text()
    assert "failure hash at check" in report and os.path.expanduser("~") not in report
    picture(page, "setup_page_failed")


@pytest.mark.usefixtures("quick")
def test_closing_the_dialog_stops_nothing(page, profile):
    page.form.bundleButton.click()
    page.close()
    assert page.is_running and wait_until(lambda: not page.is_running, 60)
    assert (profile / "engine").exists()


def test_unloading_ends_the_set_up(page, profile, dock):
    page.form.bundleButton.click()
    assert wait_until(lambda: (profile / "engine.new").exists(), 30)
    dock.setup.close_down()
    assert wait_until(lambda: not QgsApplication.taskManager().activeTasks(), 10)
    assert not (profile / "engine").exists()


@pytest.mark.usefixtures("quick")
def test_remove_asks_first(page, profile, dock, click):
    page.form.bundleButton.click()
    assert wait_until(lambda: not page.is_running, 60)
    page.confirm = lambda question: False
    click(page.form.removeButton)
    assert not page.is_running and (profile / "engine").exists()
    page.confirm = lambda question: True
    click(page.form.removeButton)
    assert wait_until(lambda: not page.is_running, 30) and not (profile / "engine").exists()
    assert wait_until(lambda: "setUpEngineButton" in visible_names(dock), 5)


@pytest.mark.usefixtures("quick")
def test_an_existing_python_is_adopted_only_after_its_proof(page, dock, profile, wheels):
    from hazard_mapper.hazard_plugin.settings import load_setting

    page.ask_file = lambda title: PYTHON
    page.form.adoptButton.click()
    assert wait_until(lambda: not page.is_running, 30)
    assert "failed its proof" in page.form.stepLabel.text() and not load_setting("engine_python")
    page.form.bundleButton.click()
    assert wait_until(lambda: not page.is_running, 60)
    page.ask_file = lambda title: str(profile / "engine" / "bin" / "python")
    page.form.adoptButton.click()
    assert wait_until(lambda: not page.is_running, 30)
    assert load_setting("engine_python") == str(profile / "engine" / "bin" / "python")
    assert dock.ui.engineWidget.filePath() == load_setting("engine_python")


@pytest.mark.usefixtures("quick")
def test_an_engine_whose_replacement_was_cut_off_is_back(page, profile, dock, click):
    page.form.bundleButton.click()
    assert wait_until(lambda: not page.is_running, 60)
    shutil.move(profile / "engine", profile / "engine.old")
    dock.warm_up()
    assert "setUpEngineButton" in visible_names(dock)
    click(dock.setup.button)
    assert (profile / "engine").exists() and not (profile / "engine.old").exists()


def test_every_control_explains_itself_and_the_first_key_is_set_up(page):
    for kind in (QAbstractButton, QComboBox):
        for widget in page.findChildren(kind):
            if widget.objectName().startswith("setup"):
                assert widget.toolTip(), widget.objectName()
    assert page.form.setUpButton.isDefault()


@pytest.mark.skipif(sys.platform != "linux", reason="the pretended driver is a shell script")
def test_a_gpu_is_found_through_its_driver(page, tmp_path, monkeypatch):
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'NVIDIA RTX 6000, 580.82.07, 12.0'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    page._choice = None
    page.open()
    assert wait_until(lambda: not page.is_running, 10)
    assert page.build().name == "cu130" and "580.82.07" in page.form.deviceLabel.text()
    assert [page.form.deviceComboBox.itemData(i) for i in range(2)] == ["cu130", "cpu"]


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("HAZARD_TEST_SETUP"), reason="set HAZARD_TEST_SETUP=1 to download PyTorch")
def test_the_real_engine_is_installed_and_segments(empty_profile, dock, add_scene, click, picture):
    add_scene()
    dock.warm_up()
    click(dock.setup.button)
    page = dock.setup.page
    assert wait_until(lambda: not page.is_running, 20)
    page.form.packageIndexCheckBox.setChecked(os.environ["HAZARD_TEST_SETUP"] == "index")
    began = time.monotonic()
    click(page.form.setUpButton)
    assert wait_until(lambda: page.form.progressBar.value() > 300, 600)
    picture(page, "setup_page_running")
    assert wait_until(lambda: not page.is_running, 1800)
    assert "proven on" in page.form.stepLabel.text(), page.form.stepLabel.text()
    print(f"Set up in {time.monotonic() - began:.0f} s.")
    picture(page, "setup_page_done")
    click(page.form.checkButton)
    assert wait_until(lambda: not page.is_running, 120)
    assert "those that were installed" in page.form.stepLabel.text(), page.form.stepLabel.text()
    page.close()
    assert wait_until(lambda: dock.ui.segmentButton.isEnabled(), 60)
    click(dock.ui.segmentButton)
    assert wait_until(lambda: not dock.queue.is_running, 120)
    assert dock.results.findChildren(QAbstractButton), dock.ui.statusLabel.text()


def test_the_help_is_at_hand(page, click):
    click(page.form.helpButton)
    dialog = page.findChild(QDialog, "helpDialog")
    assert "Without a network" in dialog.page.toPlainText()
    dialog.close()
