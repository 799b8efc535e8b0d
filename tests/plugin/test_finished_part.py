"""The only copy of the finished rows of a cancelled run: it goes once it is kept, or once the offer is ignored."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hazard_mapper.engine import protocol
from qgis.core import QgsProcessingUtils
from qgis.PyQt.QtWidgets import QPushButton
from support import settle
from test_plugin import loaded  # noqa: F401
from test_threshold_editor import write

FULL = protocol.OutputFailed("The disk is full.")


class Asked:
    """Keep jobs that reached the engine, to be answered by the test."""

    def __init__(self):
        self.jobs = []

    def submit(self, kind, job, answer):
        if kind == "keep":
            self.jobs.append((job, answer))

    def answer(self, result, error=None):
        self.jobs[-1][1](result, error)


@pytest.fixture
def asked(loaded, monkeypatch):  # noqa: F811
    made = Asked()
    monkeypatch.setattr(loaded.client, "submit", made.submit)
    return made


@pytest.fixture
def run(loaded, tmp_path):  # noqa: F811
    """A cancelled run whose finished part is offered."""
    from hazard_mapper.hazard_plugin.run_queue import Run

    left = tmp_path / "left"
    left.mkdir()
    write(left / "mask.tif", np.ones((40, 40), "u1"), "flood")
    made = Run("scene_id", "scene", "flood", str(tmp_path), False, {})
    loaded.dock.queue.left.emit(made, {"folder": str(left), "rows": 100, "rows_done": 50})
    return made


@pytest.fixture
def kept(tmp_path):
    return write(tmp_path / "kept.tif", np.ones((40, 40), "u1"), "flood")


@pytest.fixture(autouse=True)
def bar(qgis_iface):
    made = qgis_iface.messageBar()
    made.clear_messages()
    yield made
    made.clearWidgets()
    settle(0.1)
    for left in Path(QgsProcessingUtils.tempFolder()).glob("part_*"):
        shutil.rmtree(left)


def buttons(bar):
    """Buttons of messages that are shown."""
    items = [bar.currentItem()] if bar.currentItem() is not None else []
    found = [button for item in items for button in item.findChildren(QPushButton, "keepPartButton")]
    return [button for button in found if button.isEnabled()]


def texts(bar):
    return [text for level in bar.messages.values() for text in level]


def test_what_is_kept_goes_from_where_it_was_set_aside(run, asked, bar, project, kept):
    buttons(bar)[0].click()
    folder = asked.jobs[0][0].folder
    assert os.path.exists(os.path.join(folder, "mask.tif"))
    asked.answer({"mask": kept, "hazard_area_m2": 1.0})
    settle(0.05)
    assert not os.path.exists(folder) and not buttons(bar)
    assert [layer.source() for layer in project.mapLayers().values()] == [kept]


def test_what_is_kept_does_not_land_in_another_project(run, asked, bar, project, kept, loaded):  # noqa: F811
    buttons(bar)[0].click()
    project.clear()
    asked.answer({"mask": kept, "hazard_area_m2": 1.0})
    settle(0.05)
    assert project.mapLayers() == {}
    assert any(kept in text for text in loaded.dock.results.texts()), loaded.dock.results.texts()


@pytest.mark.parametrize("meanwhile", ["nothing", "dismissed", "another project"])
def test_what_could_not_be_kept_is_offered_again(run, asked, bar, project, kept, meanwhile):
    buttons(bar)[0].click()
    folder = asked.jobs[0][0].folder
    if meanwhile == "dismissed":
        bar.popWidget(bar.currentItem())
    elif meanwhile == "another project":
        project.clear()
    asked.answer(None, FULL)
    settle(0.05)
    assert os.path.exists(os.path.join(folder, "mask.tif"))
    told = texts(bar)
    assert any("The disk is full" in text and folder in text for text in told), told
    assert wait_for_button(bar)
    wait_for_button(bar).click()
    assert asked.jobs[-1][0].folder == folder and len(asked.jobs) == 2
    asked.answer({"mask": kept, "hazard_area_m2": 1.0})
    settle(0.05)
    assert not os.path.exists(folder)
    assert len(project.mapLayers()) == (0 if meanwhile == "another project" else 1)


def wait_for_button(bar):
    """The button of whatever message offers it."""
    found = [button for button in bar.findChildren(QPushButton, "keepPartButton") if button.isEnabled()]
    return found[-1] if found else None


def test_after_a_failure_not_even_dismissing_removes_it(run, asked, bar):
    buttons(bar)[0].click()
    folder = asked.jobs[0][0].folder
    asked.answer(None, FULL)
    settle(0.05)
    bar.clearWidgets()
    settle(0.1)
    assert os.path.exists(os.path.join(folder, "mask.tif"))


def test_an_offer_that_is_ignored_removes_it(run, loaded, bar):  # noqa: F811
    folder = loaded.dock.estimate._part._folder
    assert os.path.exists(os.path.join(folder, "mask.tif"))
    bar.popWidget(bar.currentItem())
    settle(0.05)
    assert not os.path.exists(folder)


def test_a_failure_beside_a_newer_offer_leaves_both(run, asked, bar, loaded, tmp_path):  # noqa: F811
    buttons(bar)[0].click()
    folder = asked.jobs[0][0].folder
    left = tmp_path / "later"
    left.mkdir()
    write(left / "mask.tif", np.ones((40, 40), "u1"), "flood")
    loaded.dock.queue.left.emit(run, {"folder": str(left), "rows": 100, "rows_done": 50})
    newer = loaded.dock.estimate._part._folder
    asked.answer(None, FULL)
    settle(0.05)
    assert os.path.exists(folder) and os.path.exists(newer)
    assert any(folder in text for text in texts(bar))
