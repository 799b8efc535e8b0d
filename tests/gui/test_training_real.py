"""A real training of a few steps from the dock, by a real worker: its model maps a scene a moment later."""

import json
import os
import signal
import subprocess
import sys

import pytest
import support
from osgeo import gdal
from qgis.PyQt.QtTest import QTest
from support import PLUGINS, wait_until

pytestmark = [pytest.mark.gui, pytest.mark.slow]


@pytest.fixture(autouse=True)
def models_folder(tmp_path, monkeypatch):
    return support.models_folder_of(tmp_path, monkeypatch)


@pytest.fixture(autouse=True)
def short_runs(tmp_path, monkeypatch):
    """The engine validates on few scenes: to simulate them takes most of the time of runs of a few steps."""
    program = tmp_path / "python"
    lines = ("#!/bin/sh", "shift 2  # -m engine", f'exec "{sys.executable}" -m tests.engine.short_program "$@"', "")
    program.write_text("\n".join(lines))
    program.chmod(0o755)
    monkeypatch.setenv("HAZARD_ENGINE_PYTHON", str(program))


@pytest.fixture
def page(short_runs, dock, click):
    assert wait_until(lambda: dock.choice.models and dock.pages.training is not None, 120)
    click(dock.pages.button)
    page = dock.pages.training
    ui = page.ui
    ui.trainMinutesSpinBox.setValue(4)  # of short runs few scenes are kept for validation
    ui.trainEpochsSpinBox.setValue(2)
    ui.trainIterationsSpinBox.setValue(3)
    ui.trainBatchSpinBox.setValue(2)
    return page


def named(page, name):
    page.ui.trainNameLineEdit.clear()
    QTest.keyClicks(page.ui.trainNameLineEdit, name)


def ended(page):
    assert wait_until(lambda: not page.task.is_running, 240)


def test_a_model_is_trained_resumed_listed_and_maps_a_scene(
    dock, page, click, add_scene, project, picture, models_folder
):
    ui = page.ui
    named(page, "tiny")
    click(ui.trainButton)
    assert wait_until(lambda: page.curves.curves.last_step() >= 1, 240), ui.trainStatusLabel.text()
    click(ui.trainCancelButton)
    ended(page)
    assert ui.trainResumeButton.isVisible(), ui.trainStatusLabel.text()
    assert not (models_folder / "tiny" / "card.json").exists()
    click(ui.trainResumeButton)
    ended(page)
    assert "6 steps" in ui.trainSummaryLabel.text(), ui.trainStatusLabel.text()
    assert (models_folder / "tiny" / "card.json").exists()
    assert page.curves.curves.losses() and page.curves.curves.scores()
    assert wait_until(ui.trainUseButton.isEnabled, 30)
    picture(dock, "training_real")
    add_scene()
    click(ui.trainUseButton)
    assert dock.ui.modelComboBox.currentData() == "tiny"
    assert wait_until(dock.ui.segmentButton.isEnabled, 60)
    click(dock.ui.segmentButton)
    assert wait_until(lambda: not dock.queue.is_running, 120)
    (mask,) = [layer for layer in project.mapLayers().values() if layer.name() == "Flood - scene"]
    assert set(gdal.Open(mask.source()).ReadAsArray().ravel()) <= {0, 1}
    model = dock.choice.model()
    assert model.name == "tiny" and model.card["training"]["curves"]["loss"]


def test_a_bundled_model_is_taught_to_compare_two_dates(page, click, models_folder):
    ui = page.ui
    ui.trainTaskComboBox.setCurrentIndex(ui.trainTaskComboBox.findData("compare"))
    ui.trainModelComboBox.setCurrentIndex(ui.trainModelComboBox.findData("unet"))
    ui.trainEpochsSpinBox.setValue(1)
    ui.trainMinutesSpinBox.setValue(1)
    named(page, "pairs")
    click(ui.trainButton)
    ended(page)
    assert "3 steps" in ui.trainSummaryLabel.text(), ui.trainStatusLabel.text()
    card = json.loads((models_folder / "pairs" / "card.json").read_text())
    assert card["training"]["before"]["from"]["model"] == "unet" and card["change_channels"] > 0


TRAINING = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from qgis.core import QgsApplication
app = QgsApplication([], False)
app.initQgis()
from hazard_mapper.hazard_plugin.engine_client import training_client
from hazard_mapper.hazard_plugin.engine_feedback import EngineFeedback
from hazard_mapper.engine import protocol
client = training_client()
class Feedback(EngineFeedback):
    def measure(self, step, values):
        print("learning", flush=True)
job = protocol.TrainJob(data="simulated", save=sys.argv[2], batch_size=2, iterations=10, epochs=1000, minutes=1,
                        workers=2)
threading.Thread(target=lambda: client.run("train", job, Feedback())).start()
app.exec()
"""


def marked(mark):
    """Ids of all processes that inherited a mark in their environment."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if f"HAZARD_TEST_MARK={mark}".encode() in file.read().split(b"\0"):
                        found.append(int(entry))
            except OSError:
                continue
    return found


def test_no_process_of_a_training_outlives_a_killed_qgis(tmp_path):
    mark = str(tmp_path)
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HAZARD_TEST_MARK": mark}
    command = [sys.executable, "-c", TRAINING, str(PLUGINS), str(tmp_path / "endless")]
    qgis = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    assert qgis.stdout.readline().strip() == "learning"
    assert len(marked(mark)) >= 4, "QGIS, its worker, and two processes that prepare chips"
    os.kill(qgis.pid, signal.SIGKILL)
    qgis.wait()
    assert wait_until(lambda: not marked(mark), 20), marked(mark)
