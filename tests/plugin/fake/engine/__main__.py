"""A pretended worker: a job's hazard, or the name of a model to train, says what becomes of it.

An adaptation for a flood succeeds, for a landslide it is rolled back, for a glacier collapse it abstains; for ``slow``
it goes on until it is cancelled or told to finish. A question for a provenance is never answered.

FAKE_PROTOCOL and FAKE_START vary its start, FAKE_MODELS lets it hang when asked for models; trained models are listed
out of HAZARD_MODELS.
"""

import json
import os
import queue
import signal
import sys
import threading
import time

MODELS = [
    {
        "name": "unet",
        "title": "U-Net, any sensor",
        "architecture": "unet",
        "hazards": ["flood", "landslide", "glacier_collapse", "crash", "garbage", "hang", "slow", "stubborn"],
        "default_for": ["flood", "landslide", "glacier_collapse"],
        "score": 0.91,
        "bundled": True,
        "description": "A network of four levels for scenes of any sensor.",
        "thresholds": {"flood": 0.47},
        "scores": [{"set": "Real floods", "hazard": "flood", "balanced_accuracy": 0.91, "iou": 0.8}],
        "licence": "CC BY 4.0",
        "limits": "Not for snow.",
    },
    {
        "name": "small",
        "title": "Small U-Net for radar scenes with a rather long title",
        "architecture": "unet",
        "hazards": ["flood"],
        "default_for": [],
        "score": 0.83,
    },
]
COMPUTING = ("segment", "adapt", "train", "pretrain", "evaluate")
DEVICES = [{"name": "cpu", "kind": "CPU, 2 threads", "memory_bytes": 8e9, "default": True}]

lock = threading.Lock()
cancelled = set()
finishing = set()


def send(kind, **values):
    with lock:
        sys.stdout.write(json.dumps({"type": kind, **values}) + "\n")
        sys.stdout.flush()


def partial(job_id, final):
    folder, name = os.path.split(final)
    stem, suffix = os.path.splitext(name)
    return os.path.join(folder, f".{stem}.{job_id}.partial{suffix}")


def write_raster(source, path, value=1):
    from osgeo import gdal

    gdal.UseExceptions()
    scene = gdal.Open(source)
    raster = gdal.GetDriverByName("GTiff").Create(path, scene.RasterXSize, scene.RasterYSize, 1, gdal.GDT_Byte)
    raster.SetGeoTransform(scene.GetGeoTransform())
    raster.SetProjection(scene.GetProjection())
    band = raster.GetRasterBand(1)
    band.SetNoDataValue(255)
    band.Fill(value)
    band.WriteRaster(0, 0, 1, 1, bytes([255]))


def inspect(job):
    from osgeo import gdal

    gdal.UseExceptions()
    scene = gdal.Open(job["raster"])
    slots = job["bands"] or ["blue", "green", "red", "nir", "swir1", "swir2"]
    bands = [
        {"index": i + 1, "slot": slots[i] if i < len(slots) else "-", "description": f"B{i + 1}"}
        for i in range(scene.RasterCount)
    ]
    return {
        "bands": bands,
        "units": job["units"] or "reflectance*10000",
        "sensor": job["sensor"],
        "gsd_m": 10.0,
        "nodata": None,
        "width": scene.RasterXSize,
        "height": scene.RasterYSize,
        "crs": "EPSG:32633",
        "warnings": [],
        "characteristics": {
            "longitude": 12.34,
            "latitude": 44.5,
            "date": "2024-09-16",
            "sensor": job["sensor"],
            "sources": {"longitude_latitude": "extent", "date": "product name", "sensor": None},
        },
    }


def segment(job_id, job):
    hazard = job["hazard"]
    unfinished = partial(job_id, job["mask"])
    with open(unfinished, "wb") as file:
        file.write(b"unfinished")
    send("progress", id=job_id, stage="Predicting", share=0.0, seconds_left=9.0)
    if hazard == "crash":
        print("Segmentation fault in the pretended driver", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    if hazard == "killed_renaming":
        os.rename(job["mask"], unfinished + ".replaced")
    if hazard.startswith("killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if hazard == "garbage":
        sys.stdout.write("Downloading: 100%\n")
        sys.stdout.flush()
        time.sleep(60)
    if hazard in ("hang", "stubborn"):
        time.sleep(60)
    if hazard == "bad":
        os.remove(unfinished)
        send("failed", id=job_id, code="bad_input", message="The scene has no band for this; choose another.")
        return
    for step in range(40 if hazard == "slow" else 4):
        if job_id in cancelled:
            os.remove(unfinished)
            send("cancelled", id=job_id)
            return
        send("progress", id=job_id, stage="Predicting", share=step / 40, seconds_left=4.0)
        time.sleep(0.05)
    os.remove(unfinished)
    adapted = "adapted" in (job["model"] or "") or os.path.exists(os.path.join(job["model"] or "", "delta"))
    write_raster(job["raster"], job["mask"])
    if job["probability"]:
        write_raster(job["raster"], job["probability"], 70 if adapted else 40)
    send("log", id=job_id, level="warning", text="The scene is pretended.")
    result = {
        "mask": job["mask"],
        "probability": job["probability"],
        "hazard": hazard,
        "model": os.path.basename(job["model"] or "unet"),
        "threshold": job["threshold"] or (0.52 if adapted else 0.47),
        "hazard_area_m2": 13_400_000.0,
        "share_assessed": 0.92,
        "seconds": 1.5,
        "device": "cpu",
        "warnings": ["The scene is pretended."],
    }
    send("done", id=job_id, result=result)


VERDICTS = {"landslide": "rolled_back", "glacier_collapse": "abstained"}
REASONS = {
    "adapted": "Adapted: expected better (proxy 0.41 -> 0.22, area 12.1 -> 13.4 km2, alpha 0.5, 12 steps, 18 s).",
    "rolled_back": "Not adapted: nothing tried was safely better (0.41 -> 0.39); the source model's mask is used.",
    "abstained": "Not adapted: the scene has too few confident pixels (3 of 7680); the source model's mask is used.",
}


def adapt(job_id, job):
    if job["save"] == "refused":
        send("failed", id=job_id, code="bad_input", message="The view has no valid pixel; move the map to the scene.")
        return
    for step in range(1, 1000 if job["hazard"] == "slow" else 13):
        if job_id in cancelled:
            send("cancelled", id=job_id)
            return
        if job_id in finishing:
            break
        send("progress", id=job_id, stage="Adapting", share=min(step / 40, 1.0), seconds_left=50.0)
        losses = {"forward": 0.3 / step, "auxiliary": 0.1} if step % 2 else {"backward": 0.2 / step}
        send("metrics", id=job_id, step=step, values={**losses, "proxy": 0.2 + 0.2 / step})
        time.sleep(0.03)
    verdict = VERDICTS.get(job["hazard"], "adapted")
    adapted = verdict == "adapted"
    name = os.path.basename(job["save"])
    folder = job["save"] if os.path.isabs(job["save"]) else os.path.join(os.environ["HAZARD_MODELS"], name)
    result = {
        "model": name,
        "path": folder,
        "verdict": verdict,
        "reason": REASONS[verdict],
        "mode": job["mode"],
        "alpha": 0.5 if adapted else 0.0,
        "steps": step,
        "proxy_before": 0.41,
        "proxy_after": 0.22 if adapted else 0.41,
        "area_before_m2": 12.1e6,
        "area_after_m2": 13.4e6 if adapted else None,
        "threshold": 0.52,
        "seconds": 18.2,
        "device": "cpu",
        "seed": job["seed"],
        "batch_size": job["batch_size"] or 4,
        "warnings": [],
        "stages": [
            stage("statistics", 0.25, 0, 0.35, True, "proxy 0.41 -> 0.35"),
            stage("statistics", 1.0, 0, 0.6, False, "predicts 5 times the area of the source model"),
            stage("gradient", 0.5, 12, 0.22, adapted, ""),
        ],
        "characteristics": {"longitude": 12.34, "latitude": 44.5, "date": job["date"], "sensor": None, "sources": {}},
    }
    if job["before"]:
        told = {"before_name": os.path.basename(job["before"]), "before_date": job["before_date"]}
        result.update(before=job["before"], unchanged_share=0.68, before_moved=False, **told)
    save_adapted(folder, name, job, result)
    send("done", id=job_id, result=result)


def stage(kind, alpha, steps, proxy, accepted, reason):
    numbers = {"alpha": alpha, "steps": steps, "threshold": 0.5, "proxy": proxy, "area_m2": 12.9e6}
    return {"stage": kind, **numbers, "accepted": accepted, "reason": reason}


def save_adapted(folder, name, job, result):
    os.makedirs(folder)
    row = {**MODELS[0], "name": name, "title": f"U-Net, any sensor, adapted: {name}", "hazards": [job["hazard"]]}
    row.update(bundled=False, default_for=[], score=None, adapted=True, parent=job["model"] or "unet")
    row["training"] = {"adaptation": {**result, "lambda": job["backward_weight"], "mu": job["auxiliary_weight"]}}
    for file, text in (("delta", "0"), ("card.json", json.dumps(row)), ("SHA256SUMS", "00  delta\n00  card.json\n")):
        with open(os.path.join(folder, file), "w") as opened:
            opened.write(text)


def learn(job_id, kind, job):
    name = os.path.basename(job["save"])
    if name == "refused":
        send("failed", id=job_id, code="bad_input", message="The labels hold no hazard; check the codes.")
        return
    if name == "unfinished" and not (job["resume"] or job["overwrite"]):
        told = "It holds an unfinished run; --resume goes on with it, --overwrite begins again with --batch-size 2."
        send("failed", id=job_id, code="bad_input", message=told)
        return
    if name == "unnamed":
        told = "Scene before: The raster's 2 bands could be anything; say which band is which with --before-bands."
        send("failed", id=job_id, code="bad_input", message=told)
        return
    steps, first = (400, 0) if name == "slowly" else (40, 0)
    if job["resume"]:
        first = 20
    for step in range(first, steps + 1, 5):
        if name == "crash" and step == 20:
            os.kill(os.getpid(), signal.SIGKILL)
        if job_id in cancelled:
            send("cancelled", id=job_id)
            return
        loss = 0.7 / (1 + step / 10)
        send("progress", id=job_id, stage="Training", share=step / steps, seconds_left=4000.0)
        send("metrics", id=job_id, step=step, values={"loss": loss, "learning_rate": 0.002})
        if step % 10 == 0:
            scores = {"validation_loss": loss + 0.1, "validation_balanced_accuracy": 0.9 - loss}
            send("metrics", id=job_id, step=step, values=scores)
        time.sleep(0.05)
    save_pretended(name, kind, job)
    result = {
        "model": name,
        "path": os.path.join(os.environ["HAZARD_MODELS"], name),
        "validation_loss": 0.24,
        "validation_score": 0.76,
        "steps": steps,
        "ended": "finished",
        "seconds": 720.0,
        "device": "cpu",
        "warnings": ["3 chips could not be read."],
    }
    send("done", id=job_id, result=result)


def save_pretended(name, kind, job):
    folder = os.path.join(os.environ["HAZARD_MODELS"], name)
    os.makedirs(folder, exist_ok=True)
    row = {**MODELS[0], "name": name, "title": f"U-Net, {name}", "bundled": False, "default_for": [], "score": None}
    row["hazards"] = [*row["hazards"], *job.get("hazard", [])]
    row["training"] = {"data": kind, "seed": job["seed"], "curves": {"loss": [[1, 0.7], [40, 0.2]]}}
    if job.get("before"):
        row["training"]["before"] = {"from": {"model": job["model"]}, "data": job["data"]}
    with open(os.path.join(folder, "card.json"), "w") as file:
        json.dump(row, file)


def list_models():
    if os.environ.get("FAKE_MODELS") == "hangs":
        time.sleep(60)
    rows = list(MODELS)
    folder = os.environ.get("HAZARD_MODELS", "")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        with open(os.path.join(folder, name, "card.json")) as file:
            rows.append(json.load(file))
    return rows


def evaluate(job):
    from osgeo import gdal

    gdal.UseExceptions()
    raster = gdal.Open(job["mask"])
    tp = raster.RasterXSize * raster.RasterYSize
    scores = {"balanced_accuracy": None, "iou": 1.0, "f1": 1.0, "precision": 1.0, "recall": 1.0}
    return {**scores, "tp": tp, "fp": 0, "fn": 0, "tn": 0, "not_assessed": 0}


def carry_out(message):
    job_id, kind, job = message["id"], message["kind"], message["job"]
    if job_id in cancelled:
        send("cancelled", id=job_id)
        return
    send("started", id=job_id)
    if kind == "segment":
        segment(job_id, job)
    elif kind == "adapt":
        adapt(job_id, job)
    elif kind in ("train", "pretrain"):
        learn(job_id, kind, job)
    else:
        answers = {
            "models": list_models,
            "devices": lambda: DEVICES,
            "inspect": lambda: inspect(job),
            "evaluate": lambda: evaluate(job),
            "provenance": lambda: time.sleep(60),
        }
        send("done", id=job_id, result=answers[kind]())


def main():
    start = os.environ.get("FAKE_START", "")
    if start == "dies":
        print("No module named torch", file=sys.stderr)
        sys.exit(1)
    if start == "hangs":
        time.sleep(60)
    protocol = int(os.environ.get("FAKE_PROTOCOL", "1"))
    send("hello", protocol=protocol, engine="0", torch="0", gdal="0", python="0", devices=DEVICES, pid=os.getpid())
    computing, quick = queue.SimpleQueue(), queue.SimpleQueue()

    def work_off(jobs):
        while True:
            carry_out(jobs.get())

    for jobs in (computing, quick):
        threading.Thread(target=work_off, args=(jobs,), daemon=True).start()
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "shutdown":
            break
        if message["type"] == "cancel":
            cancelled.add(message["id"])
        elif message["type"] == "finish":
            finishing.add(message["id"])
        else:
            (computing if message["kind"] in COMPUTING else quick).put(message)
    os._exit(0)


main()
