"""Prints how soon the first estimate of a large scene is there with a warm engine, and what it costs the whole run.

Run by ``make bench``. Processor time is given beside seconds, because machines are shared: on two quiet cores an
estimate takes a little more than half of its processor time.
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
from typing import Any

from bench import ROOT, write_scene

COLUMNS, ROWS = 4000, 3000
ROUNDS = 2
AIM_S = 2.0
AIM_COST = 0.05


def measure(raster: str) -> dict[str, float]:
    """Seconds to the estimate and its cost, from alternating runs with and without one, warm."""
    from engine import preview
    from engine.model import default_model, load_model
    from engine.protocol import SegmentJob
    from engine.reporting import Report
    from engine.segment import segment

    name = default_model("flood")
    models = {name: load_model(name)}

    costs: list[float] = []
    estimate_and_write = preview.Preview.estimate

    def timed(self: preview.Preview, predictor: Any) -> None:
        used = time.process_time()
        estimate_and_write(self, predictor)
        costs.append(time.process_time() - used)

    preview.Preview.estimate = timed  # type: ignore[method-assign]

    def run(folder: str, *, estimate: bool) -> tuple[float, float, list[float]]:
        seen: list[float] = []
        began, used = time.perf_counter(), time.process_time()
        report = Report(
            on_preview=lambda _: seen.extend((time.perf_counter() - began, time.process_time() - used)[: 2 - len(seen)])
        )
        job = SegmentJob(
            raster=raster,
            hazard="flood",
            mask=f"{folder}/mask.tif",
            overwrite=True,
            device="cpu",
            preview=folder if estimate else None,
        )
        segment(job, report, models)
        if estimate and not seen:
            raise SystemExit("This scene is so small that it is not estimated first.")
        return time.perf_counter() - began, time.process_time() - used, seen

    with tempfile.TemporaryDirectory() as folder:
        run(folder, estimate=True)
        plain, shown = [], []
        for _ in range(ROUNDS):
            plain.append(run(folder, estimate=False))
            shown.append(run(folder, estimate=True))
        likeness = compare(f"{folder}/estimate_0.tif", f"{folder}/mask.tif")
    return {
        **likeness,
        "seconds": statistics.median(found[2][0] for found in shown),
        "cpu_seconds": statistics.median(found[2][1] for found in shown),
        "cost": statistics.median(costs[1:]) / statistics.median(found[1] for found in plain),
        "whole_cpu_seconds": statistics.median(found[1] for found in plain),
    }


def compare(estimate: str, mask: str) -> dict[str, float]:
    """Hazard area of an estimate of all of a scene over that of its mask, and their IoU, at the estimate's pixels."""
    from osgeo import gdal

    seen, final = (gdal.Open(path).ReadAsArray() for path in (estimate, mask))
    down, across = (whole // part for whole, part in zip(final.shape, seen.shape, strict=True))
    rows, columns = seen.shape
    squares = final[: rows * down, : columns * across].reshape(rows, down, columns, across)
    assessed = (squares != 255).sum(axis=(1, 3))
    mostly = 2 * (squares == 1).sum(axis=(1, 3)) > assessed
    both = (seen != 255) & (assessed > 0)
    found, there = (seen == 1) & both, mostly & both
    return {
        "area_ratio": float(found.sum() / max(1, there.sum())),
        "iou": float((found & there).sum() / max(1, (found | there).sum())),
    }


def add_overviews(path: Path) -> None:
    """Overviews inside the file, as products have them."""
    from osgeo import gdal

    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.BuildOverviews("AVERAGE", [2, 4, 8])
    dataset = None


def main() -> int:
    """Print the figures as text, or with --json as one value."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--scene", metavar="RASTER", help="measure only this scene, in this process")
    options = parser.parse_args()
    if options.scene:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        sys.path.insert(0, str(ROOT))
        print(json.dumps(measure(options.scene)))
        return 0
    figures: dict[str, object] = {"load_before": os.getloadavg()[0], "megapixels": COLUMNS * ROWS / 1e6}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.tif"
        write_scene(path, COLUMNS, ROWS)
        for kind in ("without_overviews", "with_overviews"):
            if kind == "with_overviews":
                add_overviews(path)
            child = [sys.executable, __file__, "--scene", str(path)]
            found = subprocess.run(child, capture_output=True, check=True, text=True)
            figures[kind] = json.loads(found.stdout.splitlines()[-1])
    if options.json:
        print(json.dumps(figures))
        return 0
    for kind in ("without_overviews", "with_overviews"):
        found = figures[kind]
        assert isinstance(found, dict)
        print(
            f"First estimate of {COLUMNS} x {ROWS} pixels, six bands, {kind.replace('_', ' ')}, warm engine: "
            f"{found['seconds']:.2f} s, {found['cpu_seconds']:.2f} s of processor time (aim: under {AIM_S:g} s on two "
            f"quiet cores); it costs {found['cost']:.1%} of the run (aim: under {AIM_COST:.0%}); IoU with the mask "
            f"{found['iou']:.2f}, area {found['area_ratio']:.2f} of it"
        )
    print(f"Load of the machine before: {figures['load_before']:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
