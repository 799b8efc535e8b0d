"""Prints what the engine costs: pipeline over bare network, memory by scene height, and the command line cold.

Run by ``make bench``. Speeds are ratios within one run, because machines are shared and noisy.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from osgeo import gdal, osr

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("B02", "B03", "B04", "B08", "B11", "B12")
COLUMNS = 3000


def write_scene(path: Path, columns: int, rows: int) -> None:
    """Six bands of uint16 reflectance with fields and water, compressed and tiled as products come."""
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32633)
    options = ["TILED=YES", "COMPRESS=DEFLATE", "ZLEVEL=1", "PREDICTOR=2"]
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), columns, rows, len(NAMES), gdal.GDT_UInt16, options)
    dataset.SetProjection(crs.ExportToWkt())
    dataset.SetGeoTransform((4e5, 10, 0, 5e6, 0, -10))
    random = np.random.default_rng(0)
    x = np.arange(columns)[None, :]
    for index, name in enumerate(NAMES):
        band = dataset.GetRasterBand(index + 1)
        band.SetDescription(name)
        for top in range(0, rows, 512):
            y = np.arange(top, min(top + 512, rows))[:, None]
            land = 900 + 250 * index + 300 * np.sin(x / 90) * np.sin(y / 70)
            water = np.sin(x / 400) + np.sin(y / 300) > 0.8
            values = np.where(water, 500 - 70 * index, land) + random.integers(0, 60, (len(y), columns))
            band.WriteArray(values.astype(np.uint16), 0, top)
    dataset = None


def measure_pipeline(raster: str) -> dict[str, float]:
    """Seconds of the whole operation and of the bare network on the same pixels without overlap, warm, in turn."""
    import torch

    from engine.devices import choose_device
    from engine.model import default_model, load_model
    from engine.pipeline import WINDOW_PX
    from engine.planes import SceneScaling, build_planes
    from engine.predict import Predictor
    from engine.protocol import SegmentJob
    from engine.raster import Scene, Window
    from engine.segment import segment

    name = default_model("flood")
    models = {name: load_model(name)}
    with tempfile.TemporaryDirectory() as folder:
        job = SegmentJob(raster=raster, hazard="flood", mask=f"{folder}/mask.tif", overwrite=True)
        with Scene(job) as scene:
            found = scene.understand()
            low, high = scene.percentiles(found)
            absolute = tuple(units.absolute for units in found.slot_units)
            scaling = SceneScaling(found.match.used_slots, low, high, absolute)
            side = WINDOW_PX
            windows = []
            for top in range(0, scene.height, side):
                for left in range(0, scene.width, side):
                    window = Window(left, top, min(side, scene.width - left), min(side, scene.height - top))
                    values, valid = scene.read_window(window, found)
                    height, width = window.height // 32 * 32, window.width // 32 * 32
                    planes = build_planes(
                        torch.from_numpy(values[None, :, :height, :width].copy()),
                        torch.from_numpy(valid[None, None, :height, :width].copy()),
                        scaling,
                    )
                    windows.append(planes.contiguous(memory_format=torch.channels_last)[0])
        predictor = Predictor(models[name], "flood", scaling, choose_device("cpu"), None, print)
        predictor.predict(windows[:1])
        segment(job, None, models)
        bare, whole = [], []
        for _ in range(3):
            began = time.perf_counter()
            for window in windows:
                predictor.predict([window])
            bare.append(time.perf_counter() - began)
            began = time.perf_counter()
            segment(job, None, models)
            whole.append(time.perf_counter() - began)
    pixels = sum(window.shape[1] * window.shape[2] for window in windows)
    ratios = [a / b for a, b in zip(whole, bare, strict=True)]
    return {
        "bare_s": statistics.median(bare),
        "whole_s": statistics.median(whole),
        "ratio": statistics.median(ratios),
        "megapixels": pixels / 1e6,
    }


def measure_memory(raster: str, mask: str) -> tuple[float, float]:
    """Peak resident memory in MB of a whole ``segment`` command, and its seconds."""
    command = [sys.executable, "-m", "engine", "segment", "--raster", raster, "--hazard", "flood", "--mask", mask]
    began = time.perf_counter()
    process = subprocess.Popen([*command, "--device", "cpu", "--json"], cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"segment failed on {raster}")
    return usage.ru_maxrss / 1024, time.perf_counter() - began


def main() -> int:
    """Print the figures as text, or with --json as one value."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--pipeline", metavar="RASTER", help="measure only the pipeline on this scene, in this process")
    options = parser.parse_args()
    if options.pipeline:
        print(json.dumps(measure_pipeline(options.pipeline)))
        return 0
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        scenes = {rows: Path(folder) / f"{rows}.tif" for rows in (2000, 10000)}
        for rows, path in scenes.items():
            write_scene(path, COLUMNS, rows)
        child = [sys.executable, __file__, "--pipeline", str(scenes[2000])]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        figures.update(json.loads(subprocess.run(child, capture_output=True, check=True, env=environment).stdout))
        for rows, path in scenes.items():
            peak_mb, seconds = measure_memory(str(path), f"{folder}/mask{rows}.tif")
            figures[f"peak_mb_{rows}_rows"] = peak_mb
            figures[f"seconds_{rows}_rows"] = seconds
    figures["peak_ratio"] = figures["peak_mb_10000_rows"] / figures["peak_mb_2000_rows"]
    if options.json:
        print(json.dumps(figures))
        return 0
    print(
        f"{COLUMNS} x 2000 pixels, six bands, CPU: whole {figures['whole_s']:.2f} s, bare network without overlap "
        f"{figures['bare_s']:.2f} s, ratio {figures['ratio']:.2f} (aim 1.5)"
    )
    print(
        f"Peak memory: {figures['peak_mb_2000_rows']:.0f} MB at 2000 rows, {figures['peak_mb_10000_rows']:.0f} MB at "
        f"10000 rows, ratio {figures['peak_ratio']:.2f} (aim 1.2)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
