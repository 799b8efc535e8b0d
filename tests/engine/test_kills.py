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

from engine.leftovers import STALE_S, own_job_id, remove_leftovers
from engine.protocol import partial_path

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
