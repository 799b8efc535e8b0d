"""Workers killed at random moments of a job: nothing half-written, nothing left for long, and the next job works."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from engine.leftovers import own_job_id
from engine.protocol import ENDINGS, PROTOCOL_VERSION
from tests.fuzz.batches import Outcome, Topic, clear, unfinished
from tests.fuzz.disks import prepare as prepare_files
from tests.fuzz.jobs import LEARNING, Line
from tests.fuzz.values import as_json, pick, tree

JOBS: dict[str, dict[str, Any]] = {
    "segment": {"raster": "{b}/scene.tif", "hazard": "flood", "mask": "{o}/m.tif", "probability": "{o}/p.tif",
                "model": "toy", "device": "cpu", "overwrite": True},
    "adapt": {"raster": "{b}/small.tif", "hazard": "flood", "model": "toy", "save": "{o}/a", "steps": 2,
              "budget_s": 2.0, "batch_size": 1, "device": "cpu", "overwrite": True},
    "polygons": {"mask": "{b}/mask.tif", "out": "{o}/p.gpkg", "probability": "{b}/percent.tif", "overwrite": True},
    "threshold": {"probability": "{b}/percent.tif", "mask": "{o}/m.tif", "threshold": 0.4, "overwrite": True},
    "pretrain": {**LEARNING, "save": "{o}/l", "encoder": "tu-mobilenetv3_small_050", "overwrite": True},
    "zones": {"mask": "{b}/mask.tif", "out": "{o}/z.gpkg", "probability": "{b}/percent.tif", "overwrite": True},
}  # fmt: skip
LONGEST_S = {"segment": 3.0, "adapt": 5.0, "polygons": 8.0, "threshold": 0.6, "pretrain": 15.0, "zones": 8.0}
"""Seconds within which a job is killed; one that is done earlier was not killed."""
CHANCE = ("segment", "segment", "segment", "adapt", "polygons", "polygons", "threshold", "zones", "pretrain")
KEEPS = ("checkpoint.pt",)
MODEL = ("card.json", "weights.safetensors", "SHA256SUMS")
ENDS_S = 120.0


@contextlib.contextmanager
def begin(bases: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Place for a worker that lives until it is killed; what every job writes when nobody disturbs it."""
    os.environ["HAZARD_MODELS"] = str(bases / "models")
    state: dict[str, Any] = {"line": Line(folder), "sound": {}}
    yield state
    state["line"].close()


def send(line: Line, kind: str, bases: Path, out: Path) -> str:
    """Send a job under a name that says which process writes its files."""
    job_id = own_job_id().split("p")[0] + f"p{line.process.pid}"
    values = {
        name: value.format(b=bases, o=out) if isinstance(value, str) else value for name, value in JOBS[kind].items()
    }
    message = {"type": "job", "protocol": PROTOCOL_VERSION, "id": job_id, "kind": kind, "job": values}
    line.send(as_json(message))
    return job_id


def finish(line: Line, kind: str, bases: Path, out: Path) -> str:
    """Run a job to its end, a training until it trains and obeys a cancel; what is wrong with it, if anything."""
    job_id = send(line, kind, bases, out)
    if kind == "pretrain":
        line.wait(lambda e: e["type"] == "metrics" or e.get("stage") == "Training" or e["type"] in ENDINGS, ENDS_S)
        line.send(as_json({"type": "cancel", "id": job_id}))
        event = line.wait(lambda e: e.get("id") == job_id and e["type"] in ENDINGS, ENDS_S)
        return "" if event and event["type"] in ("cancelled", "done") else f"the next training ended with {event}"
    event = line.wait(lambda e: e.get("id") == job_id and e["type"] in ENDINGS, ENDS_S)
    return "" if event and event["type"] == "done" else f"the next job ended with {event}"


def half_written(out: Path, sound: set[str], kind: str) -> list[str]:
    """Visible files that a killed job left although it does not leave them all."""
    names = {name for name in tree(out) if not Path(name).name.startswith(".") and Path(name).name not in KEEPS}
    if kind in ("adapt", "pretrain"):  # a model is its three files
        return sorted(names) if names and {Path(name).name for name in names} != set(MODEL) else []
    return sorted(name for name in names if name not in sound or not _whole(out / name))


def _whole(path: Path) -> bool:
    """Whether all of a file can be read."""
    from osgeo import gdal

    gdal.UseExceptions()
    try:
        if path.suffix == ".tif":
            raster = gdal.Open(str(path))  # a band outlives its dataset only to crash
            return raster.GetRasterBand(1).Checksum() >= 0
        if path.suffix == ".gpkg":
            source = gdal.OpenEx(str(path), gdal.OF_VECTOR)
            layer = source.GetLayer(0)
            return sum(1 for _ in layer) == layer.GetFeatureCount()
    except RuntimeError:
        return False
    return path.stat().st_size > 0


def run_case(number: int, bases: Path, folder: Path, state: dict[str, Any]) -> Outcome:
    """Kill a worker within a job, look at what is there, and have the next worker do the same job."""
    generator = np.random.default_rng(number + 6_000_000)
    kind = pick(generator, CHANCE)
    line, out = state["line"], folder / "out"
    clear(out)
    before = tree(bases)
    began = time.monotonic()
    if kind not in state["sound"]:
        fault = finish(line, kind, bases, out)
        if fault:
            return Outcome(number, "undisturbed", kind, None, time.monotonic() - began, fault, line.said()[-300:])
        state["sound"][kind] = set() if kind == "pretrain" else set(tree(out))
        clear(out)
    replaces = generator.random() < 0.4 and kind != "pretrain"
    if replaces and (fault := finish(line, kind, bases, out)):
        return Outcome(number, "before", kind, None, time.monotonic() - began, fault, line.said()[-300:])
    job_id = send(line, kind, bases, out)
    line.wait(lambda e: e.get("id") == job_id and e["type"] == "started", ENDS_S)
    after_s = float(generator.uniform(0, LONGEST_S[kind]))
    time.sleep(after_s)
    line.close()
    broken = half_written(out, state["sound"][kind], kind)
    fault = f"half-written: {broken}" if broken else ""
    if not fault and replaces and not state["sound"][kind] <= set(tree(out)):
        fault = f"what was there is gone: {sorted(state['sound'][kind] - set(tree(out)))}"
    line.start()
    fault = fault or finish(line, kind, bases, out)
    if not fault and unfinished(out):
        fault = f"left after the next run: {unfinished(out)}"
    if not fault and tree(bases) != before:
        fault = "a file of the user was changed"
    how = f"{'replacing, ' if replaces else ''}killed after {after_s:.1f} s"
    return Outcome(number, how, kind, 0 if not fault else None, time.monotonic() - began, fault, line.said()[-300:])


TOPIC = Topic("kills", 60, prepare_files, begin, run_case, batch=60, longest_s=400)
