"""Programs killed in the middle of a job: nothing half-written, and what they left goes at the next run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scenes import write_raster

from engine import worker as program
from engine.archive import remove_unfinished
from engine.archive_records import SceneTask
from engine.leftovers import STALE_S, own_job_id, remove_leftovers
from engine.protocol import ArchiveJob, ThresholdJob, job_to_dict, partial_files, partial_path, put_back
from engine.raster import MASK, Grid, Layer, MaskPair, Window
from engine.raster.georeference import Georeference
from engine.worker import Events, Waiting, Worker

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ended():
    """Id of a process that is over."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def left(final, job_id, text="half"):
    path = Path(partial_path(str(final), job_id))
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["mask.tif", "x" * 200 + ".tif", "a b.[c].tif"])
def test_what_an_ended_process_left_goes_and_what_a_running_one_writes_stays(tmp_path, name, ended):
    final = tmp_path / name
    dead, mine, theirs = left(final, f"0123abcdp{ended}"), left(final, own_job_id()), left(final, "0123456789ab")
    other = left(tmp_path / "other.tif", f"0123abcdp{ended}")
    named_alike = tmp_path / ".mask.notes.partial.tif"
    named_alike.write_text("the user's own")
    remove_leftovers(str(final))
    assert [path.exists() for path in (dead, mine, theirs, other, named_alike)] == [False, True, True, True, True]


def test_what_nobody_can_be_asked_about_goes_when_it_is_old(tmp_path):
    final = tmp_path / "mask.tif"
    old, young = left(final, "0123456789ab"), left(final, "ba9876543210")
    os.utime(old, (time.time() - STALE_S - 60,) * 2)
    remove_leftovers(str(final))
    assert (old.exists(), young.exists()) == (False, True)


def test_what_was_being_replaced_gets_its_name_back(tmp_path, ended):
    final = tmp_path / "mask.tif"
    aside = Path(partial_path(str(final), f"0123abcdp{ended}") + ".replaced")
    aside.write_text("what was there")
    remove_leftovers(str(final))
    assert final.read_text() == "what was there" and not aside.exists()


def test_a_style_that_was_being_replaced_gets_its_own_name_back(tmp_path, ended):
    (tmp_path / "mask.tif").write_text("new")
    aside = tmp_path / f".mask.0123abcdp{ended}.partial.qml.replaced"
    aside.write_text("the analyst's colours")
    remove_leftovers(str(tmp_path / "mask.tif"))
    assert (tmp_path / "mask.qml").read_text() == "the analyst's colours" and not aside.exists()


@pytest.fixture
def stopped_between_two_renames(tmp_path):
    """A mask of yesterday, of which a killed process left another name only, as where file systems have no links."""

    def stop(name, job_id):
        final = tmp_path / name
        final.write_text("yesterday")
        code = f"""
import os, signal
from engine.raster import output
def no_links(*_, **__): raise OSError(1, "Operation not permitted")
def replace(source, target, rename=os.replace):
    rename(source, target)
    if target.endswith(".replaced"): os.kill(os.getpid(), signal.SIGKILL)
output.os.link, output.os.replace = no_links, replace
output._publish_all([({str(left(final, job_id))!r}, {str(final)!r})])
"""
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == -signal.SIGKILL
        assert not final.exists()
        return final

    return stop


@pytest.mark.parametrize("name", ["mask.tif", "x" * 200 + ".tif", "a b.[c].tif"])
def test_what_was_being_replaced_is_no_leftover_and_whoever_cleans_up_gives_its_name_back(
    stopped_between_two_renames, tmp_path, name
):
    final = stopped_between_two_renames(name, "0123456789ab")
    assert partial_files(str(final), "0123456789ab") == [partial_path(str(final), "0123456789ab")]
    put_back(str(final), "an-other")
    assert not final.exists()
    put_back(str(final), "0123456789ab")
    assert final.read_text() == "yesterday"
    assert sorted(os.listdir(tmp_path)) == sorted([os.path.basename(partial_path(name, "0123456789ab")), name])


def test_a_worker_that_is_ended_by_force_takes_nothing_that_was_being_replaced(
    stopped_between_two_renames, tmp_path, monkeypatch
):
    final = stopped_between_two_renames("mask.tif", "0123456789ab")
    worker, codes = Worker(Events(open(os.devnull, "w"))), []
    job = job_to_dict(ThresholdJob(str(tmp_path / "probability.tif"), str(final), 0.5))
    worker._jobs["0123456789ab"] = Waiting("0123456789ab", "threshold", job)
    monkeypatch.setattr(program.os, "_exit", codes.append)
    worker._end_by_force()
    assert codes == [0] and os.listdir(tmp_path) == ["mask.tif"] and final.read_text() == "yesterday"


def test_an_output_that_is_given_up_takes_nothing_that_was_being_replaced(stopped_between_two_renames, tmp_path):
    final = stopped_between_two_renames("mask.tif", "0123456789ab")
    grid = Grid(Georeference(4, 4, None, (), None), Window(0, 0, 4, 4))
    MaskPair({MASK: Layer(str(final), "x", {}, None)}, grid, "0123456789ab").discard()
    assert os.listdir(tmp_path) == ["mask.tif"] and final.read_text() == "yesterday"


def test_an_archive_that_is_run_again_takes_nothing_that_was_being_replaced(stopped_between_two_renames, tmp_path):
    final = stopped_between_two_renames("s_flood.tif", "archive01234567-89abcdef")
    job = ArchiveJob(str(tmp_path / "scenes"), str(tmp_path), "flood")
    task = SceneTask("s", "s", str(tmp_path / "s.tif"), (), None, "", job, "", "", "archive01234567-", "")
    assert str(final) in task.outputs.values()
    remove_unfinished([task], "archive01234567-")
    assert os.listdir(tmp_path) == ["s_flood.tif"] and final.read_text() == "yesterday"


def test_a_program_that_is_killed_leaves_hidden_files_which_the_next_run_removes(tmp_path):
    generator = np.random.default_rng(0)
    mask = write_raster(tmp_path / "mask.tif", generator.integers(0, 2, (900, 900)).astype("u1"))
    out = tmp_path / "out"
    out.mkdir()
    words = [sys.executable, "-m", "engine", "polygons", "--mask", mask, "--out", str(out / "p.gpkg")]
    program = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not any(out.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    program.send_signal(signal.SIGKILL)
    program.wait()
    names = os.listdir(out)
    assert names and all(name.startswith(".p.") for name in names)
    small = write_raster(tmp_path / "small.tif", generator.integers(0, 2, (20, 20)).astype("u1"))
    words[words.index(mask)] = small
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True, timeout=120)
    assert [name for name in os.listdir(out) if name.startswith(".")] == []


@pytest.mark.slow
@pytest.mark.skipif("HAZARD_KILLS" not in os.environ, reason="HAZARD_KILLS does not say how many workers to kill")
def test_workers_killed_at_random_moments_leave_nothing_half_written(tmp_path):
    count = os.environ["HAZARD_KILLS"]
    words = [sys.executable, "-m", "tests.fuzz", "--topic", "kills", "--count", count, "--keep", str(tmp_path)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{count} cases, 0 faults" in ended.stdout


@pytest.mark.slow
def test_a_disk_that_is_full_at_random_writes_leaves_what_was_there(tmp_path):
    words = [sys.executable, "-m", "tests.fuzz", "--topic", "disks", "--count", "12", "--keep", str(tmp_path)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "12 cases, 0 faults" in ended.stdout
