"""Messages and command lines that nobody should send: to a real worker, and to the program itself."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from osgeo import gdal

from engine.protocol import ENDINGS, JOBS, PROTOCOL_VERSION
from tests.fuzz.batches import Outcome, Topic, clear, quiet_torch, run_command, unfinished
from tests.fuzz.values import ROOT, VALUES, as_json, pick, tree, write_toy
from tests.fuzz.vectors import write_bases as write_scene

PATIENCE_S = 4.0
"""Seconds after which a job that was taken on is cancelled: it is a long one, not a wrong one."""
OBEY_S = 25.0
ENCODER = "tu-mobilenetv3_small_050"
LEARNING = {"data": "simulated", "save": "@new", "epochs": 1, "iterations": 1, "batch_size": 2, "workers": 0,
            "device": "cpu"}  # fmt: skip
SOUND: dict[str, dict[str, Any]] = {
    "inspect": {"raster": "@scene.tif"},
    "segment": {"raster": "@scene.tif", "hazard": "flood", "mask": "@out/m.tif", "probability": "@out/p.tif",
                "model": "toy", "area": "@a.gpkg", "device": "cpu"},
    "adapt": {"raster": "@scene.tif", "hazard": "flood", "model": "toy", "save": "@new", "budget_s": 1.0, "steps": 1,
              "device": "cpu"},
    "evaluate": {"mask": "@mask.tif", "reference": "@mask.tif", "errors": "@out/e.tif"},
    "simulate": {"out": "@out/s", "scenes": 1, "size_px": 64},
    "pretrain": {**LEARNING, "encoder": ENCODER},
    "train": {**LEARNING, "model": "toy"},
    "scorecard": {"models": ["toy"], "sets": ["none"], "data": "@out", "markdown": "@out/s.md"},
    "download": {"dataset": "bigearthnet-v2", "to": "@out/d", "url": "http://127.0.0.1:9", "yes": True},
    "models": {},
    "devices": {},
    "provenance": {"file": "@mask.tif", "verify": True},
    "polygons": {"mask": "@mask.tif", "out": "@out/p.gpkg", "probability": "@probability.tif", "manual": "@a.gpkg"},
    "threshold": {"probability": "@probability.tif", "mask": "@out/m.tif", "threshold": 0.4},
    "refine": {"mask": "@mask.tif", "out": "@out/r.tif", "permanent_water": "@a.gpkg"},
    "correct": {"mask": "@mask.tif", "polygons": "@a.gpkg", "out": "@out/c.tif"},
    "repeat": {"file": "@made.tif", "out": "@out/r.tif", "changed": True},
    "change": {"before": "@mask.tif", "after": "@mask.tif", "out": "@out/c.tif"},
    "series": {"mask": "@mask.tif", "table": "@out/s.gpkg", "date": "2025-06-01"},
    "unassessed": {"mask": "@mask.tif", "out": "@out/u.gpkg"},
    "zones": {"mask": "@mask.tif", "out": "@out/z.gpkg", "probability": "@probability.tif"},
    "import-model": {"path": "@models/toy", "name": "new"},
    "export-model": {"model": "toy", "to": "@out/t.zip"},
    "delete-model": {"model": "toy", "yes": True},
    "default-model": {"hazard": "flood", "model": "toy"},
    "adopt-weights": {"weights": "@models/toy/weights.safetensors", "name": "new", "encoder": ENCODER,
                      "hazards": ["flood"], "bands": ["red", "green", "blue"], "licence": "CC0"},
}  # fmt: skip
"""A sound job of each kind; ``@`` is the folder of sound files, ``@out`` the one for outputs, ``@new`` a new model."""
RAW = (
    b"", b"{", b"}", b"[]", b"null", b"5", b'"x"', b"\xff\xfe\x00", b"\x00" * 100, b"[" * 100_000, b'{"a":' * 50_000,
    b'{"type":"job"', b'{"type":null}', b'{"type":["job"]}', b'{"type":"job","id":{}}', b'{"type":"cancel"}',
    b'{"type":"cancel","id":[1]}', b'{"type":"finish","id":null}', b'{"type":"hello"}', b'{"type":"done","id":"x"}',
    b"1" * 100_000, b'"' + b"a" * 11_000_000 + b'"', b'{"type":"job","id":"' + b"i" * 3_000_000 + b'"}',
    b'{"type":"job","id":"x","protocol":1,"kind":"models","job":[]}', b'{"__proto__":{}}', b"\xc3\x28", b"\r", b" \t ",
    b'{"type":"job","type":"cancel","id":"x"}', b'{"type":"job","id":"\\ud800","protocol":1e999,"kind":"x","job":{}}',
)  # fmt: skip
IDS = ("../../x", "a/b", "", " ", "é洪", "i" * 300, "a\0b", "a\nb", "%s", "CON", ".", "-", 5, None, [], {}, True, 1e308)


class Line:
    """A real worker and its events."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.process: Any = None
        self.start()

    def start(self) -> None:
        """Start a worker; whatever it prints on stderr goes to a file."""
        self._errors = open(self._folder / "stderr.txt", "ab+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", LIMITED],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self.events: queue.Queue[Any] = queue.Queue()
        threading.Thread(target=self._read, args=(self.process.stdout, self.events), daemon=True).start()
        if (self.wait(lambda event: event["type"] == "hello", 300) or {}).get("type") != "hello":
            raise RuntimeError(f"The worker does not start: {self.said()}")

    def _read(self, stream: Any, events: queue.Queue[Any]) -> None:
        for line in stream:
            try:
                event = json.loads(line)
                events.put(event if isinstance(event, dict) and "type" in event else {"type": "nonsense"})
            except ValueError:
                events.put({"type": "nonsense"})
        events.put({"type": "end"})

    def send(self, line: bytes) -> None:
        """Send one line; a worker that has gone is noticed elsewhere."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line + b"\n")
            self.process.stdin.flush()

    def wait(self, fits: Any, seconds: float) -> Any:
        """The first event that fits; None when time is up, or an event that says that something is wrong."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                event = self.events.get(timeout=left)
            except queue.Empty:
                return None
            if fits(event) or event["type"] in ("nonsense", "end"):
                return event
        return None

    def said(self) -> str:
        """What was printed on stderr since the last call."""
        self._errors.flush()
        path = self._folder / "stderr.txt"
        text = path.read_text(errors="replace")
        os.truncate(path, 0)
        return text

    def close(self) -> None:
        """End the worker."""
        self.process.kill()
        self.process.wait()


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (12 * 2**30,) * 2)
sys.argv = ["engine", "worker"]
from engine.__main__ import run_program
sys.exit(run_program())
"""


def prepare(folder: Path) -> Path:
    """Sound files: scene, mask, probability, polygons, a mask of the program's own, and a model."""
    write_scene(folder)
    mask = gdal.Open(str(folder / "mask.tif"))
    gdal.GetDriverByName("GTiff").CreateCopy(str(folder / "probability.tif"), mask).FlushCache()
    write_toy(folder / "models" / "toy")
    words = ["segment", "--raster", str(folder / "scene.tif"), "--hazard", "flood", "--mask", str(folder / "made.tif"),
             "--device", "cpu", "--model", "toy"]  # fmt: skip
    environment = {**os.environ, "HAZARD_MODELS": str(folder / "models")}
    subprocess.run([sys.executable, "-m", "engine", *words], cwd=ROOT, check=True, capture_output=True, env=environment)
    return folder


@contextlib.contextmanager
def begin(bases: Path, folder: Path) -> Iterator[Line]:
    """A worker that all cases of a batch share."""
    os.environ["HAZARD_MODELS"] = str(folder / "models")
    os.environ["PYTHONPATH"] = str(ROOT)
    quiet_torch()
    clear(folder / "models")
    line = Line(folder)
    yield line
    line.close()


def resolve(value: Any, bases: Path, folder: Path) -> Any:
    """A value of ``SOUND`` with real names."""
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    if value == "@new":
        return "new"
    return str(folder / value[1:]) if value.startswith("@out") else str(bases / value[1:])


def draw_job(generator: np.random.Generator, bases: Path, folder: Path) -> tuple[str, dict[str, Any]]:
    """A job of some kind of which up to three fields are not what they should be."""
    kind = pick(generator, [kind for kind in JOBS if kind in SOUND])
    values = {name: resolve(value, bases, folder) for name, value in SOUND[kind].items()}
    names = [spec.name for spec in dataclasses.fields(JOBS[kind])]
    for _ in range(int(generator.integers(0, 4)) if names else 0):
        name = pick(generator, names)
        how = generator.random()
        if how < 0.1:
            values.pop(name, None)
        elif how < 0.3:
            values[name] = pick(generator, [str(path) for path in sorted(bases.iterdir()) if path.is_file()])
        else:
            values[name] = pick(generator, VALUES)
    if generator.random() < 0.05:
        values[pick(generator, ("future", "__class__", "", "a" * 300))] = pick(generator, VALUES)
    return kind, values


def run_case(number: int, bases: Path, folder: Path, line: Line) -> Outcome:
    """Send one message, or run one command, and see what comes of it."""
    generator = np.random.default_rng(number + 4_000_000)
    out, models = folder / "out", folder / "models"
    clear(out)
    clear(models)
    clear(folder / "work")
    (folder / "work" / "here").mkdir()
    os.chdir(folder / "work" / "here")
    shutil.copytree(bases / "models" / "toy", models / "toy")
    before = tree(bases)
    route = pick(generator, ("raw", "message", "message", "job", "job", "job", "job", "command", "command"))
    began = time.monotonic()
    if route == "raw":
        kind, code, said, fault = "-", 2, "", send_raw(line, generator)
    elif route == "command":
        kind, code, said, fault = command(generator, bases, folder)
    else:
        kind, code, said, fault = send_job(line, number, generator, bases, folder, hurt=route == "message")
    words = line.said()
    if "Traceback" in words:
        fault, said = fault or "a traceback", words[-600:]
    left = [name for place in (out, models, folder / "work") for name in unfinished(place)]
    if not fault and left:
        fault = f"files left behind: {left[:5]}"
    elif not fault and code and [path for path in out.rglob("*") if path.is_file()] and kind not in KEEPS:
        fault = f"an output of a failure: {[path.name for path in out.rglob('*')][:5]}"
    elif not fault and tree(bases) != before:
        fault = "a file of the user was changed"
    if fault and line.process.poll() is not None:
        line.start()
    return Outcome(number, kind, route, code, time.monotonic() - began, fault, said[-600:])


KEEPS = ("simulate", "pretrain", "train", "download")
"""Kinds that keep what is complete when they are cancelled: scenes, a checkpoint, what has arrived."""


def alive(line: Line, number: str) -> str:
    """Whether the worker answers still; what is wrong, if not."""
    message = {"type": "job", "protocol": PROTOCOL_VERSION, "id": f"alive{number}", "kind": "inspect",
               "job": {"raster": "/nowhere"}}  # fmt: skip
    line.send(as_json(message))
    event = line.wait(lambda e: e.get("id") == f"alive{number}" and e["type"] in ENDINGS, OBEY_S)
    return "" if event and event["type"] == "failed" else f"the worker does not answer any more ({event})"


def send_raw(line: Line, generator: np.random.Generator) -> str:
    """Send a line that is no job."""
    text = bytearray(pick(generator, RAW))
    if text and generator.random() < 0.3:
        text[int(generator.integers(0, len(text)))] = int(generator.integers(0, 256))
    line.send(bytes(text).replace(b"\n", b" "))
    return alive(line, f"{int(generator.integers(0, 2**40))}")


def send_job(
    line: Line, number: int, generator: np.random.Generator, bases: Path, folder: Path, *, hurt: bool
) -> tuple[str, int, str, str]:
    """Send a job, in a message that is damaged too if ``hurt``: kind, exit code, what was said and the fault."""
    kind, values = draw_job(generator, bases, folder)
    job_id: Any = f"case{number}"
    message: dict[str, Any] = {"type": "job", "protocol": PROTOCOL_VERSION, "id": job_id, "kind": kind, "job": values}
    if hurt:
        what = pick(generator, ("protocol", "id", "id", "kind", "job", "missing", "twice"))
        if what == "id":
            message["id"] = job_id = pick(generator, IDS)
        elif what == "missing":
            message.pop(pick(generator, ("protocol", "kind", "job")))
        elif what == "twice":
            line.send(as_json(message))
        else:
            message[what] = pick(generator, VALUES)
    line.send(as_json(message))

    def ends(event: dict[str, Any]) -> bool:
        return event.get("id") == str(job_id) and event["type"] in ENDINGS

    event = line.wait(ends, PATIENCE_S)
    if event is None:
        line.send(as_json({"type": "cancel", "id": job_id}))
        event = line.wait(ends, OBEY_S)
    if event is None and hurt and what in ("id", "missing"):
        return kind, 2, "", alive(line, str(number))
    if event is None:
        line.close()
        return kind, 1, "", "no end, not even after a cancel"
    if event["type"] in ("nonsense", "end"):
        return kind, 1, str(event), "the worker ended or sent nonsense"
    if hurt and what == "twice" and line.wait(ends, PATIENCE_S + OBEY_S) is None:
        line.send(as_json({"type": "cancel", "id": job_id}))
    said = str(event.get("message", event["type"]))
    fault = ""
    if event["type"] == "failed" and (event.get("code") not in ("bad_input", "output") or "\n" in said or not said):
        fault = f"failed with {event.get('code')}: {json.dumps(values)[:600]}"
    return kind, 0 if event["type"] == "done" else 2, said, fault or alive(line, str(number))


def command(generator: np.random.Generator, bases: Path, folder: Path) -> tuple[str, int, str, str]:
    """Run a command whose options are not what they should be; the long ones only with options that cannot be."""
    kind, values = draw_job(generator, bases, folder)
    if kind in (*KEEPS, "adapt", "scorecard", "devices"):
        kind = "segment"
        values = {name: resolve(value, bases, folder) for name, value in SOUND[kind].items()}
        values[pick(generator, list(values))] = pick(generator, VALUES)
    words = [kind]
    flags = {spec.name: spec.metadata["flag"] or spec.name.replace("_", "-") for spec in dataclasses.fields(JOBS[kind])}
    for name, value in values.items():
        flag = "--" + flags.get(name, name)
        if value is True:
            words.append(flag)
        elif value is not False:
            words += [flag, ",".join(map(str, value)) if isinstance(value, list) else str(value)]
    if generator.random() < 0.2:
        words.insert(int(generator.integers(0, len(words))), str(pick(generator, VALUES)))
    ended = run_command(["--" if word.startswith("worker") else word for word in words])
    return kind, 2 if ended.code else 0, ended.said, ended.fault()


TOPIC = Topic("jobs", 800, prepare, begin, run_case, batch=100, longest_s=80)
