"""The hash of a scene beside the work on it: waiting for it can be cancelled and gives signs of life."""

import hashlib
import json
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scenes import read, run, write_raster

from engine import digest
from engine.digest import SceneDigest, scene_sha256
from engine.partial import keep
from engine.protocol import BadInput, Cancelled, KeepJob, ProvenanceJob
from engine.provenance import provenance
from engine.reporting import Report

SIDE = 300


class Told(Report):
    """Notes the events that the program which waits for it would see, and cancels itself during the hash."""

    def __init__(self, cancel_after=None):
        self.events = []
        self._cancel_after = cancel_after
        super().__init__(on_progress=self._note)

    def _note(self, stage, share, left):
        self.events.append((stage, share, left))
        if self._cancel_after is not None and len(self.hashing()) >= self._cancel_after:
            self.cancelled.set()

    def hashing(self):
        return [event for event in self.events if event[0].startswith("Hashing")]


class SlowHash:
    """SHA-256 of a scene on a share that gives a chunk only when it is allowed to."""

    def __init__(self, go):
        self._go, self._hash = go, hashlib.sha256()

    def update(self, chunk):
        self._go.wait(10)
        self._hash.update(chunk)

    def hexdigest(self):
        return self._hash.hexdigest()


@pytest.fixture
def raster(tmp_path):
    values = np.random.default_rng(3).uniform(0.05, 0.95, (SIDE, SIDE))
    return write_raster(tmp_path / "scene.tif", values.astype("f4"))


@pytest.fixture
def go(monkeypatch):
    """Lets slow hashes go on, chunk after small chunk."""
    event = threading.Event()
    monkeypatch.setattr(digest, "CHUNK_BYTES", 4096)
    monkeypatch.setattr(digest, "hashlib", SimpleNamespace(sha256=lambda: SlowHash(event)))
    yield event
    event.set()


def test_the_hash_is_that_of_the_file_and_its_share_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(digest, "CHUNK_BYTES", 100)
    path, shares = tmp_path / "a.tif", []
    path.write_bytes(bytes(1000))
    assert scene_sha256([str(path)], shares.append) == hashlib.sha256(bytes(1000)).hexdigest()
    assert shares == pytest.approx([(part + 1) / 10 for part in range(10)])
    with SceneDigest([str(path)]) as found:
        assert found.result(lambda share: None) == hashlib.sha256(bytes(1000)).hexdigest() == found.found
    assert scene_sha256([str(tmp_path / "nothing.tif")]) is None


def test_a_scene_that_changes_while_it_is_read_is_refused(tmp_path, raster):
    """What was mapped would be a mixture of two scenes, and its provenance that of one."""

    class Changes(Told):
        def progress(self, *share):
            if not changed:
                changed.append(raster)
                with open(raster, "r+b") as file:
                    file.seek(-4, os.SEEK_END)
                    file.write(b"abcd")
            super().progress(*share)

    changed = []
    with pytest.raises(BadInput, match=r"'scene\.tif' was changed while it was read; wait until it is whole"):
        run(tmp_path, raster, report=Changes())
    assert changed and sorted(os.listdir(tmp_path)) == ["model", "scene.tif"]


def test_what_viewers_write_beside_a_scene_changes_nothing(tmp_path, raster):
    with SceneDigest([raster, raster + ".aux.xml"]) as found:
        Path(raster + ".aux.xml").write_text("statistics")
        assert found.result(lambda share: None) == hashlib.sha256(Path(raster).read_bytes()).hexdigest()


def test_a_run_that_waits_for_its_scenes_hash_gives_signs_of_life(tmp_path, raster, go):
    report = Told()
    threading.Timer(1.0, go.set).start()
    result, _, _ = run(tmp_path, raster, report=report)
    assert result["scene_sha256"] == hashlib.sha256(Path(raster).read_bytes()).hexdigest()
    assert len(report.hashing()) >= 5
    assert {share for _, share, _ in report.hashing()} == {0.95}


def test_a_run_cancelled_while_it_waits_for_its_scenes_hash_leaves_what_was_finished(tmp_path, raster, go):
    (tmp_path / "preview").mkdir()
    report = Told(cancel_after=3)
    began = time.monotonic()
    with pytest.raises(Cancelled, match="nothing was written"):
        run(tmp_path, raster, report=report, preview=str(tmp_path / "preview"))
    assert time.monotonic() - began < 5
    assert not (tmp_path / "mask.tif").exists() and report.left["rows_done"] == SIDE
    kept = str(tmp_path / "kept.tif")
    assert keep(KeepJob(folder=str(tmp_path / "preview"), mask=kept))["scene_sha256"] is None
    go.set()
    _, mask, _ = run(tmp_path, raster)
    assert np.array_equal(read(kept), mask)


def test_asking_whether_a_scene_is_unchanged_can_be_cancelled(tmp_path, raster, monkeypatch):
    run(tmp_path, raster)
    monkeypatch.setattr(digest, "CHUNK_BYTES", 4096)
    report = Told(cancel_after=1)
    with pytest.raises(Cancelled):
        provenance(ProvenanceJob(str(tmp_path / "mask.tif"), verify=True), report)
    assert provenance(ProvenanceJob(str(tmp_path / "mask.tif"), verify=True))["scene_unchanged"] is True
    assert json.dumps(report.left) == "{}"
