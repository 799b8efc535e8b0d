"""The worker as its client sees it: a process, lines in, lines out."""

import io
import json
import os
import queue
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from scenes import write_raster

from engine import worker as program
from engine.protocol import (
    ENDINGS,
    PROTOCOL_VERSION,
    DevicesJob,
    InspectJob,
    PretrainJob,
    SegmentJob,
    cancel_message,
    job_message,
)
from engine.worker import Events, Worker

ROOT = Path(__file__).resolve().parents[2]
LONG_S = 60.0


class Client:
    """A worker process and its events."""

    def __init__(self, module="engine", **environment):
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, "worker"], cwd=ROOT, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **environment},
        )  # fmt: skip
        self.events = queue.Queue()
        self.lines = []
        threading.Thread(target=self._read, daemon=True).start()
        self.errors = []
        threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            self.events.put(json.loads(line))
        self.events.put(None)

    def send(self, message):
        self.process.stdin.write((message if isinstance(message, str) else json.dumps(message)) + "\n")
        self.process.stdin.flush()

    def wait(self, fits, timeout_s=LONG_S):
        """The first event that fits; events before it are passed over."""
        deadline = time.monotonic() + timeout_s
        while True:
            event = self.events.get(timeout=max(0.01, deadline - time.monotonic()))
            assert event is not None, "".join(self.errors)
            if fits(event):
                return event

    def ending(self, job_id, timeout_s=LONG_S):
        return self.wait(lambda e: e.get("id") == job_id and e["type"] in ENDINGS, timeout_s)

    def processor_s(self):
        """Seconds of processor time that the worker used: of these a crowded machine gives fewer, but asks no more."""
        used = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One worker for the tests that leave it alive; it prepares its networks for itself."""
    client = Client(HAZARD_CACHE=str(tmp_path_factory.mktemp("cache")))
    client.hello = client.wait(lambda e: True)
    yield client
    client.close()


@pytest.fixture
def worker(request):
    client = Client(**getattr(request, "param", {}))
    assert client.wait(lambda e: True)["type"] == "hello"
    yield client
    client.close()


@pytest.fixture
def short_worker():
    """A worker for a run of training of a few steps."""
    client = Client("tests.engine.short_program")
    yield client
    client.close()


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    generator = np.random.default_rng(0)
    names = ["B02", "B03", "B04", "B08"]
    small = write_raster(folder / "small.tif", generator.integers(200, 4000, (4, 64, 64)).astype("u2"), names=names)
    tile = generator.integers(200, 4000, (4, 500, 500)).astype("u2")
    large = write_raster(folder / "large.tif", np.tile(tile, (1, 8, 8)), names=names)
    return {"small": small, "large": large}


def segment(raster, mask, **options):
    return SegmentJob(raster=raster, hazard="flood", mask=str(mask), device="cpu", **options)


def test_the_first_line_is_hello(shared):
    hello = shared.hello
    assert hello["type"] == "hello" and hello["protocol"] == PROTOCOL_VERSION
    assert {"engine", "torch", "gdal", "python", "devices"} <= set(hello)
    assert [device["default"] for device in hello["devices"]].count(True) == 1


def test_a_job_starts_progresses_and_is_done_once(shared, scenes, tmp_path):
    shared.send(job_message("j1", "segment", segment(scenes["small"], tmp_path / "m.tif")))
    assert shared.wait(lambda e: e.get("id") == "j1")["type"] == "started"
    assert shared.wait(lambda e: e.get("id") == "j1")["type"] == "progress"
    done = shared.ending("j1")
    assert done["type"] == "done" and done["result"]["mask"] == str(tmp_path / "m.tif")
    shared.send(job_message("j1b", "inspect", InspectJob(raster=scenes["small"])))
    assert shared.ending("j1b")["result"]["width"] == 64
    endings = [json.loads(line) for line in shared.lines]
    assert sum(e.get("id") == "j1" and e["type"] in ENDINGS for e in endings) == 1


GARBAGE = [
    "not json", "{}", "[]", "null", '"text"', "12", '{"type": 5}', '{"type": "job"}', '{"type": "cancel"}',
    '{"type": "dance", "id": "x"}', "{" * 5000, '{"type": "cancel", "id": "nobody"}', "\x00\x01\x02", "é" * 1000,
]  # fmt: skip


def test_garbage_is_survived(shared, scenes):
    for line in GARBAGE:
        shared.send(line)
    shared.send(job_message("after", "inspect", InspectJob(raster=scenes["small"])))
    assert shared.ending("after")["type"] == "done"


@pytest.mark.parametrize(
    "message",
    [
        {"protocol": 999, "kind": "models", "job": {}},
        {"protocol": None, "kind": "models", "job": {}},
        {"protocol": PROTOCOL_VERSION, "kind": "dance", "job": {}},
        {"protocol": PROTOCOL_VERSION, "kind": "inspect"},
        {"protocol": PROTOCOL_VERSION, "kind": "inspect", "job": {"raster": 5}},
        {"protocol": PROTOCOL_VERSION, "kind": "inspect", "job": {"raster": "a\0b"}},
        {"protocol": PROTOCOL_VERSION, "kind": "inspect", "job": {"raster": "/nowhere.tif"}},
        {"protocol": PROTOCOL_VERSION, "kind": "inspect", "job": {"raster": "/vsistdin/"}},
        {"protocol": PROTOCOL_VERSION, "kind": "inspect", "job": {"raster": "x", "future_field": 1}},
        {"protocol": PROTOCOL_VERSION, "kind": "inspect", "job": {"raster": "x", "bands": "red"}},
        {"protocol": PROTOCOL_VERSION, "kind": "inspect", "job": {"raster": "x", "extent": [1, 2, "3", 4]}},
        {"protocol": PROTOCOL_VERSION, "kind": "inspect", "job": {"raster": "x", "gsd_m": "10"}},
        {"protocol": PROTOCOL_VERSION, "kind": "inspect", "job": {"raster": "x", "gsd_m": 10**400}},
        {"protocol": PROTOCOL_VERSION, "kind": "adapt",
         "job": {"raster": "x", "hazard": "flood", "save": "s", "seed": 10**400}},
        {"protocol": PROTOCOL_VERSION, "kind": "segment", "job": {"raster": "x", "hazard": "flood", "mask": "a\0.tif"}},
        {"protocol": PROTOCOL_VERSION, "kind": "segment",
         "job": {"raster": "x", "hazard": "flood", "mask": "m.tif", "overwrite": "no"}},
        {"protocol": PROTOCOL_VERSION, "kind": "segment",
         "job": {"raster": "x", "hazard": "flood", "mask": "m.tif", "model": {}, "device": 5}},
    ],
)  # fmt: skip
def test_a_job_that_cannot_be_fails_with_one_sentence(shared, message):
    job_id = f"bad{time.monotonic_ns()}"
    shared.send({"type": "job", "id": job_id, **message})
    failed = shared.ending(job_id, 20)
    assert failed["type"] == "failed"
    assert failed["code"] == "bad_input"
    assert failed["message"] and "\n" not in failed["message"]


def test_two_jobs_queue_questions_are_answered_beside_them_and_both_can_be_cancelled(shared, scenes, tmp_path):
    shared.send(job_message("one", "segment", segment(scenes["large"], tmp_path / "one.tif")))
    shared.send(job_message("two", "segment", segment(scenes["large"], tmp_path / "two.tif")))
    shared.send(job_message("three", "segment", segment(scenes["small"], tmp_path / "three.tif")))
    shared.wait(lambda e: e.get("id") == "one" and e.get("stage") == "Segmenting")
    asked = shared.processor_s()
    shared.send(job_message("question", "inspect", InspectJob(raster=scenes["small"])))
    assert shared.ending("question")["type"] == "done"
    assert shared.processor_s() - asked < 5
    shared.send(cancel_message("two"))
    asked = shared.processor_s()
    shared.send(cancel_message("one"))
    assert shared.ending("one")["type"] == "cancelled"
    assert shared.processor_s() - asked < 2  # 2 s by contract, on a machine that is the worker's own
    assert shared.ending("two")["type"] == "cancelled"
    assert shared.ending("three")["type"] == "done"
    assert not any(json.loads(line).get("id") == "two" and '"started"' in line for line in shared.lines)
    assert sorted(os.listdir(tmp_path)) == ["three.qml", "three.tif"]


def test_a_training_tells_its_curves_and_keeps_a_checkpoint_when_cancelled(short_worker, tmp_path):
    job = PretrainJob(
        data="simulated", save=str(tmp_path / "small"), encoder="tu-mobilenetv3_small_050", epochs=40, iterations=2,
        batch_size=2, workers=0, device="cpu",
    )  # fmt: skip
    short_worker.send(job_message("learning", "pretrain", job))
    told = short_worker.wait(lambda e: e["type"] == "metrics" and "validation_loss" in e["values"])
    assert told["id"] == "learning" and told["step"] == 2
    assert all(isinstance(value, float) for value in told["values"].values())
    progress = short_worker.wait(lambda e: e["type"] == "progress" and e["stage"] == "Training" and e["share"] > 0.05)
    assert progress["share"] < 0.2
    asked = time.monotonic()
    short_worker.send(cancel_message("learning"))
    assert short_worker.ending("learning")["type"] == "cancelled"
    assert time.monotonic() - asked < 10
    assert os.listdir(tmp_path / "small") == ["checkpoint.pt"]


def test_nothing_but_events_is_on_stdout(shared):
    assert all(json.loads(line)["type"] for line in shared.lines)


def test_the_end_of_input_in_the_middle_of_a_job_ends_the_worker_and_leaves_nothing(worker, scenes, tmp_path):
    worker.send(job_message("one", "segment", segment(scenes["large"], tmp_path / "m.tif")))
    worker.wait(lambda e: e.get("stage") == "Segmenting")
    began = time.monotonic()
    worker.process.stdin.close()
    assert worker.process.wait(timeout=8) == 0
    assert time.monotonic() - began < 6
    assert os.listdir(tmp_path) == []


def test_a_terminated_worker_leaves_nothing(worker, scenes, tmp_path):
    worker.send(job_message("one", "segment", segment(scenes["large"], tmp_path / "m.tif")))
    worker.wait(lambda e: e.get("stage") == "Segmenting")
    worker.process.send_signal(signal.SIGINT)  # meant for whoever started it
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(timeout=8) == 0
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("worker", [{"HAZARD_WORKER_IDLE_S": "0.5"}], indirect=True)
def test_an_idle_worker_ends_by_itself(worker):
    assert worker.process.wait(timeout=15) == 0


def ask(worker, job_id):
    worker.take(json.dumps(job_message(job_id, "devices", DevicesJob())))


def events_of(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def answered(worker):
    """Have a worker in this process answer the questions that it was asked."""
    worker.quick.put(None)
    worker.answer_quick_jobs()


@pytest.mark.parametrize("result", [{"score": float("nan")}, {"score": float("inf")}, {"score": {1, 2}}])
def test_a_result_that_cannot_be_told_fails_its_job_and_no_other(monkeypatch, result):
    results = [result, {"score": 1.0}]
    monkeypatch.setattr(program, "run_job", lambda *_: results.pop(0))
    stream = io.StringIO()
    worker = Worker(Events(stream))
    ask(worker, "one")
    ask(worker, "two")
    answered(worker)
    first, second = (event for event in events_of(stream) if event["type"] in ENDINGS)
    assert (first["id"], first["type"], first["code"]) == ("one", "failed", "internal")
    assert "see the log" in first["message"] and "\n" not in first["message"]
    assert (second["id"], second["type"], second["result"]) == ("two", "done", {"score": 1.0})


def test_a_question_that_comes_while_an_idle_worker_ends_is_left_to_the_next_worker(monkeypatch):
    stream = io.StringIO()
    worker = Worker(Events(stream))
    monkeypatch.setattr(worker, "_end_by_force", lambda: None)
    ask(worker, "early")
    worker.end_if_idle(0.0)
    assert not worker.ended.is_set()
    answered(worker)
    worker.end_if_idle(600.0)  # questions are activity, too
    assert not worker.ended.is_set()
    time.sleep(0.01)
    worker.end_if_idle(0.0)
    assert worker.ended.is_set()
    ask(worker, "late")
    assert [worker.quick.get() for _ in range(worker.quick.qsize())] == [None]
    assert [event["type"] for event in events_of(stream) if event["id"] == "early"] == ["started", "done"]
    assert not any(event["id"] == "late" for event in events_of(stream))


def test_no_orphan_survives_its_parent(scenes, tmp_path):
    """The parent is killed without a chance to say anything; the worker has to notice."""
    parent = textwrap.dedent("""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-m", "engine", "worker"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        child.stdout.readline()
        child.stdin.write(sys.argv[1] + chr(10)); child.stdin.flush()
        for line in child.stdout:
            if "Segmenting" in line:
                break
        print(child.pid, flush=True)
        time.sleep(60)
    """)
    message = json.dumps(job_message("one", "segment", segment(scenes["large"], tmp_path / "m.tif")))
    starter = subprocess.Popen(
        [sys.executable, "-c", parent, message], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    pid = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _alive(pid):
        time.sleep(0.1)
    assert not _alive(pid)
    assert os.listdir(tmp_path) == []


def test_a_worker_that_nobody_listens_to_cleans_up_before_it_ends(scenes, tmp_path):
    """Events are no longer read while messages could still come: an event that cannot be sent ends no job abruptly."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "engine", "worker"], cwd=ROOT, text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    worker.stdin.write(json.dumps(job_message("one", "segment", segment(scenes["large"], tmp_path / "m.tif"))) + "\n")
    assert any("Segmenting" in line and os.listdir(tmp_path) for line in worker.stdout)
    worker.stdout.close()
    assert worker.wait(timeout=10) == 0
    assert os.listdir(tmp_path) == []
    worker.stdin.close()


def _alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
