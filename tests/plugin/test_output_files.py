"""Names that the dock chooses: nothing is replaced, whoever else writes into the folder at the same time."""

import os
import time

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsRasterLayer
from qgis.PyQt.QtCore import QObject
from support import hidden_files, wait_until, write_scene

DAY_S = 86_400


def names(paths):
    return os.path.basename(paths["OUTPUT"])


def test_names_that_a_run_will_use_are_not_free(tmp_path):
    from hazard_mapper.hazard_plugin.output_files import free_names, reserve_names

    first = reserve_names(str(tmp_path), "scene", "flood")
    second = reserve_names(str(tmp_path), "scene", "flood")
    assert [names(found.paths) for found in (first, second)] == ["scene_flood.tif", "scene_flood_2.tif"]
    assert names(free_names(str(tmp_path), "scene", "flood")) == "scene_flood_3.tif"
    assert names(free_names(str(tmp_path), "other", "flood")) == "other_flood.tif"
    first.release()
    first.release()
    assert names(free_names(str(tmp_path), "scene", "flood")) == "scene_flood.tif"
    second.release()
    assert os.listdir(tmp_path) == []


def test_names_that_a_crashed_program_had_reserved_are_free_after_a_day(tmp_path):
    from hazard_mapper.hazard_plugin.output_files import free_names, reserve_names

    reserve_names(str(tmp_path), "scene", "flood")
    (mark,) = hidden_files(tmp_path)
    before = time.time() - DAY_S - 60
    os.utime(tmp_path / mark, (before, before))
    assert names(free_names(str(tmp_path), "scene", "flood")) == "scene_flood.tif"
    again = reserve_names(str(tmp_path), "scene", "flood")
    assert names(again.paths) == "scene_flood.tif" and len(hidden_files(tmp_path)) == 1
    assert names(free_names(str(tmp_path), "scene", "flood")) == "scene_flood_2.tif"
    again.release()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_where_nothing_can_be_reserved_there_are_names_all_the_same(tmp_path):
    from hazard_mapper.hazard_plugin.output_files import reserve_names

    tmp_path.chmod(0o500)
    found = reserve_names(str(tmp_path), "scene", "flood")
    tmp_path.chmod(0o700)
    assert names(found.paths) == "scene_flood.tif"


@pytest.fixture
def start(engine, project, tmp_path):
    """Start a queue with one run into a folder; gives the list of what its runs ended with."""
    from hazard_mapper.hazard_plugin.run_queue import Run, RunQueue

    layer = QgsRasterLayer(write_scene(tmp_path / "scene.tif"), "scene")
    project.addMapLayer(layer)
    (tmp_path / "out").mkdir()
    parent, queues = QObject(), []

    def run(threshold, ended):
        queue = RunQueue(parent)
        queues.append(queue)
        queue.finished.connect(lambda run, is_open: ended.append(run.results))
        queue.failed.connect(lambda run, sentence: ended.append(sentence))
        parameters = {"HAZARD": "flood", "THRESHOLD": threshold}
        queue.start([Run(layer.id(), "scene", "flood", str(tmp_path / "out"), False, parameters)])
        return queue

    yield run
    for queue in queues:
        queue.close_down()


def pixels(path):
    return int((gdal.Open(path).ReadAsArray() == 1).sum())


def test_two_runs_at_once_write_two_files(start, tmp_path):
    ended = []
    start(0.99, ended)
    start(0.01, ended)
    assert wait_until(lambda: len(ended) == 2, 90)
    found = {results["THRESHOLD_USED"]: results["OUTPUT"] for results in ended}
    assert {os.path.basename(path) for path in found.values()} == {"scene_flood.tif", "scene_flood_2.tif"}
    assert 0 <= pixels(found[0.99]) < pixels(found[0.01])
    assert hidden_files(tmp_path / "out") == []


@pytest.mark.parametrize("late", [False, True])
def test_a_file_that_appears_meanwhile_stays_and_the_result_gets_the_next_name(start, tmp_path, monkeypatch, late):
    ended = []
    own = tmp_path / "out" / "scene_flood.tif"
    queue = start(0.5, ended)
    if late:
        assert wait_until(lambda: any(".tif" in name for name in hidden_files(tmp_path / "out")) or ended, 60)
    own.write_text("the analyst's own export of meanwhile")
    assert wait_until(lambda: ended and not queue.is_running, 90)
    (results,) = ended
    assert own.read_text() == "the analyst's own export of meanwhile"
    assert os.path.basename(results["OUTPUT"]) == "scene_flood_2.tif"
    assert np.unique(gdal.Open(results["OUTPUT"]).ReadAsArray()).size > 0
    assert hidden_files(tmp_path / "out") == []


def test_a_cancelled_run_frees_its_names(start, tmp_path):
    ended = []
    queue = start(0.5, ended)
    over = []
    queue.ended.connect(lambda: over.append(1))
    queue.cancel()
    assert wait_until(lambda: over, 60)
    assert hidden_files(tmp_path / "out") == []
