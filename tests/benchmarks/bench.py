"""Prints what everything costs, as text and as JSON (``build/bench.json``): the figures of speed come from here only.

Run by ``make bench``. Speeds are ratios within one run, because machines are shared and noisy. Each section is a
process of its own; ``--only`` chooses some. A GPU adds rows of its own.

    python tests/benchmarks/bench.py [--json] [--only pipeline,backends] [--full]

``--full`` adds ``tile`` and ``tile_pipeline``, a Sentinel-2 tile (10 980 x 10 980, six bands), and ``mosaic``, a
virtual one of 100 000 x 100 000 pixels.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from osgeo import gdal, osr

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
NAMES = ("B02", "B03", "B04", "B08", "B11", "B12")
COLUMNS = 3000
FASTEST = "unet"
"""Of the bundled models."""


def write_scene(path: Path, columns: int, rows: int) -> None:
    """Six bands of uint16 reflectance with fields and water, compressed and tiled as products come."""
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32633)
    options = ["TILED=YES", "COMPRESS=DEFLATE", "ZLEVEL=1", "PREDICTOR=2", "NUM_THREADS=ALL_CPUS"]
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


def write_mosaic(folder: Path, side: int) -> Path:
    """A virtual mosaic, square, of a few small tiles far apart: nothing but nodata between them."""
    tile = folder / "tile.tif"
    write_scene(tile, 2000, 2000)
    bands = []
    for index, name in enumerate(NAMES, 1):
        sources = "".join(
            f"<SimpleSource><SourceFilename relativeToVRT='1'>tile.tif</SourceFilename><SourceBand>{index}</SourceBand>"
            f"<SrcRect xOff='0' yOff='0' xSize='2000' ySize='2000'/>"
            f"<DstRect xOff='{x}' yOff='{y}' xSize='2000' ySize='2000'/></SimpleSource>"
            for x in range(0, side - 2000, side // 3)
            for y in range(0, side - 2000, side // 3)
        )
        bands.append(
            f"<VRTRasterBand dataType='UInt16' band='{index}'><Description>{name}</Description>"
            f"<NoDataValue>0</NoDataValue>{sources}</VRTRasterBand>"
        )
    mosaic = folder / f"mosaic{side}.vrt"
    mosaic.write_text(
        f"<VRTDataset rasterXSize='{side}' rasterYSize='{side}'><SRS>EPSG:32633</SRS>"
        f"<GeoTransform>400000,10,0,5000000,0,-10</GeoTransform>{''.join(bands)}</VRTDataset>"
    )
    return mosaic


ALONE = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
took = time.perf_counter() - began
print(json.dumps({"peak_kb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, "seconds": took}))
"""
"""Measures one command from a small process: what a child takes starts at what its parent holds."""


def measure_alone(*words: str) -> tuple[float, float]:
    """Peak resident memory in MB of one command of the engine, and its seconds."""
    found = _last_json([sys.executable, "-c", ALONE, sys.executable, "-m", "engine", *words, "--json"])
    return found["peak_kb"] / 1024, found["seconds"]


def measure_memory(raster: str, mask: str, *options: str) -> tuple[float, float]:
    """Peak resident memory in MB of a whole ``segment`` command, and its seconds."""
    words = ("--raster", raster, "--hazard", "flood", "--mask", mask, "--device", "cpu")
    return measure_alone("segment", *words, *options)


def memory(folder: Path) -> dict[str, float]:
    """Peak memory at two heights that both fill what runs ahead, and of a scene as wide as a Sentinel-2 tile."""
    figures: dict[str, float] = {}
    for name, columns, rows in (("low", COLUMNS, 4000), ("high", COLUMNS, 12000), ("wide", 10980, 1000)):
        scene = folder / f"{name}.tif"
        write_scene(scene, columns, rows)
        figures[f"peak_mb_{name}"], figures[f"seconds_{name}"] = measure_memory(str(scene), f"{folder}/{name}_m.tif")
    was = folder / "was.tif"
    write_scene(was, 10980, 1000)
    options = ("--before", str(was))
    figures["peak_mb_pair"], figures["seconds_pair"] = measure_memory(str(scene), f"{folder}/pair_m.tif", *options)
    figures["peak_ratio"] = figures["peak_mb_high"] / figures["peak_mb_low"]
    return figures


def tile(folder: Path) -> dict[str, float]:
    """A whole Sentinel-2 tile with the fastest bundled model, and with the default one."""
    scene = folder / "tile10980.tif"
    write_scene(scene, 10980, 10980)
    figures = {}
    for name, options in (("fastest", ("--model", FASTEST)), ("default", ())):
        found = measure_memory(str(scene), f"{folder}/{name}.tif", *options)
        figures.update(zip((f"peak_mb_{name}", f"seconds_{name}"), found, strict=True))
    return figures


def tile_pipeline(folder: Path) -> dict[str, Any]:
    """A whole Sentinel-2 tile in a warm process, over the bare network, with the fastest bundled model."""
    scene = folder / "tile10980.tif"
    write_scene(scene, 10980, 10980)
    return _child(f"measure_pipeline({str(scene)!r}, 'cpu', 2, model={FASTEST!r})")


def mosaic(folder: Path) -> dict[str, float]:
    """A mosaic whose pixels nobody could hold, and the polygons of its mask."""
    scene, mask = write_mosaic(folder, 100_000), f"{folder}/m.tif"
    figures = dict(zip(("peak_mb", "seconds"), measure_memory(str(scene), mask), strict=True))
    words = ("polygons", "--mask", mask, "--out", f"{folder}/p.gpkg")
    figures["peak_mb_polygons"], figures["seconds_polygons"] = measure_alone(*words)
    return figures


def pipeline(folder: Path) -> dict[str, Any]:
    """The whole operation over the bare network, for each backend."""
    write_scene(folder / "scene.tif", COLUMNS, 2000)
    return _child(f"measure_pipeline({str(folder / 'scene.tif')!r})")


def backends(folder: Path) -> dict[str, Any]:
    """Each backend over PyTorch eager; on a CUDA GPU its own, too."""
    figures = _child("measure_backends()")
    if has_gpu():
        on_gpu = _child("measure_backends(device='cuda:0')")
        figures.update({f"cuda:0 {name}": figure for name, figure in on_gpu.items()})
    return figures


def scaling(folder: Path) -> dict[str, Any]:
    """Cost by pixels."""
    rasters = {}
    for side in (1000, 2000, 4000):
        rasters[side * side] = str(folder / f"{side}.tif")
        write_scene(folder / f"{side}.tif", side, side)
    return _child(f"measure_scaling({rasters!r})")


def gpu_tile(folder: Path) -> dict[str, Any]:
    """A whole Sentinel-2 tile on a CUDA GPU, in a warm process: the whole operation, and the bare network.

    Without torch.compile, which *auto* takes for far larger scenes only: making kernels takes longer than the tile.
    """
    scene = folder / "tile10980.tif"
    write_scene(scene, 10980, 10980)
    return _child(f"measure_pipeline({str(scene)!r}, 'cuda:0', 2, ['torch-compile'])")


def training(folder: Path, device: str, steps: int = 200, batch: int = 32) -> dict[str, float]:
    """Chips a second of pre-training on simulated scenes, made by as many processes as there are cores."""
    found = _last_json(
        [sys.executable, "-m", "engine", "pretrain", "--data", "simulated", "--save", str(folder / "net"),
         "--epochs", "1", "--iterations", str(steps), "--batch-size", str(batch), "--device", device,
         "--workers", str(os.cpu_count() or 1), "--json"]
    )  # fmt: skip
    return {"chips_per_s": (steps - 1) * batch / found["learning_seconds"], "waited": found["waited"]}


def _child(call: str) -> dict[str, Any]:
    """What a measurement of ``speed.py`` finds in a process of its own, set up as the engine's are."""
    code = (
        f"import json, sys; sys.path[:0] = {[str(ROOT), str(HERE)]!r}; import engine.heap; engine.heap.bound_heap(); "
        f"import speed; print(json.dumps(speed.{call}))"
    )
    return _last_json([sys.executable, "-c", code])


def script(name: str, *options: str, screen: bool = False) -> dict[str, Any] | None:
    """What another benchmark prints as JSON; None where there is no screen for one that needs it."""
    if screen and not os.environ.get("DISPLAY") and not shutil.which("xvfb-run"):
        return None
    before = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"] if screen and not os.environ.get("DISPLAY") else []
    return _last_json([*before, sys.executable, str(HERE / name), *options])


def _last_json(command: list[str]) -> dict[str, Any]:
    found = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, text=True)
    value: dict[str, Any] = json.loads(found.stdout.strip().splitlines()[-1])
    return value


SECTIONS: dict[str, Callable[[Path], dict[str, Any] | None]] = {
    "pipeline": pipeline,
    "backends": backends,
    "scaling": scaling,
    "memory": memory,
    "first_estimate": lambda folder: script("first_estimate.py", "--json"),
    "adaptation": lambda folder: script("adaptation_speed.py", "--json", "--command"),
    "archive": lambda folder: script("archive_scaling.py"),
    "click_to_layer": lambda folder: script("click_to_layer.py", "--json", screen=True),
}
"""What is measured, in this order."""
FULL: dict[str, Callable[[Path], dict[str, Any] | None]] = {
    "tile": tile,
    "tile_pipeline": tile_pipeline,
    "mosaic": mosaic,
}
"""What takes much longer: measured with --full, or where it is asked for by name."""
ON_GPU: dict[str, Callable[[Path], dict[str, Any] | None]] = {
    "gpu_tile": gpu_tile,
    "gpu_adaptation": lambda folder: script("adaptation_speed.py", "--json", "--command", "--device", "cuda:0"),
    "gpu_training": lambda folder: training(folder, "cuda:0"),
}
"""What is measured besides where PyTorch finds a CUDA GPU."""


def has_gpu() -> bool:
    """Whether PyTorch finds a CUDA GPU."""
    code = "import torch; raise SystemExit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def lines(section: str, found: dict[str, Any]) -> list[str]:
    """A section's figures as sentences."""
    if section in ("pipeline", "tile_pipeline", "gpu_tile"):
        return [
            f"Pipeline, {name}: {row['megapixels']:.0f} Mpx in {row['whole_s']:.2f} s, bare network without overlap "
            f"{row['bare_s']:.2f} s, ratio {row['ratio']:.2f} (aim 1.15), of processor time {row['ratio_cpu']:.2f}: "
            f"overlaps alone make it {row['overlap']:.2f}, and unpacking the file {row['unpacking_cpu']:.2f} more; "
            f"{row['ratio_as_built']:.2f} of the network as the library builds it"
            for name, row in found.items()
        ]
    if section == "backends":
        names = [key[: -len("_over_eager")] for key in found if key.endswith("_over_eager")]
        return [
            *(f"Backend {n}: {found[f'{n}_mpx_s']:.2f} Mpx/s, {found[f'{n}_over_eager']:.2f} of eager" for n in names),
            *(text for key, text in found.items() if key.endswith("_failed")),
        ]
    if section == "scaling":
        return [
            f"Cost grows with pixels to the power of {found['exponent']:.3f} (aim: under 1.05); what more pixels cost "
            f"to the power of {found['exponent_further']:.3f}"
        ]
    if section == "memory":
        return [
            f"Peak memory: {found['peak_mb_low']:.0f} MB at 4000 rows, {found['peak_mb_high']:.0f} MB at 12 000 rows, "
            f"ratio {found['peak_ratio']:.2f} (aim 1.2); {found['peak_mb_wide']:.0f} MB at 10 980 columns, "
            f"{found['peak_mb_pair']:.0f} MB with a scene from before (aim: under 1500)"
        ]
    return [f"{section}: {', '.join(told(found))}"]


def told(found: Any, name: str = "") -> list[str]:
    """Figures as words, those within others under both names."""
    if isinstance(found, (dict, list)):
        parts = found.items() if isinstance(found, dict) else enumerate(found, 1)
        return [word for key, part in parts for word in told(part, f"{name} {key}".strip())]
    return [f"{name} {found:.4g}" if isinstance(found, float) else f"{name} {found}"]


def main() -> int:
    """Print the figures as text, or with --json as one value."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    known = ", ".join((*SECTIONS, *FULL, *ON_GPU))
    parser.add_argument("--only", metavar="SECTIONS", help=f"some of {known}; without it all but {', '.join(FULL)}")
    parser.add_argument("--full", action="store_true", help="a whole tile and a huge mosaic, too (an hour)")
    options = parser.parse_args()
    everything = {**SECTIONS, **FULL, **ON_GPU}
    if options.only is not None:
        sections = {name: everything[name] for name in options.only.split(",") if name}
    else:
        sections = {**SECTIONS, **(ON_GPU if has_gpu() else {})}
    if options.full:
        sections.update(FULL)
    figures: dict[str, Any] = {}
    failed = []
    with tempfile.TemporaryDirectory(prefix="hazard-bench-") as cache:
        os.environ.setdefault("HAZARD_CACHE", cache)
        for name, measure in sections.items():
            try:
                with tempfile.TemporaryDirectory(prefix="hazard-bench-") as folder:
                    found = measure(Path(folder))
            except subprocess.CalledProcessError as error:
                failed.append(name)
                print(f"{name} failed: {error.stderr[-300:]}", file=sys.stderr)
                continue
            if found is None:
                print(f"{name} is left out: it needs a screen, or xvfb-run", file=sys.stderr)
                continue
            figures[name] = found
            if not options.json:
                print("\n".join(lines(name, found)), flush=True)
    keep(figures)
    if options.json:
        print(json.dumps(figures))
    return 1 if failed else 0


def keep(figures: dict[str, Any]) -> None:
    """Write what was measured to ``build/bench.json``, where sections that were measured before stay."""
    out = ROOT / "build" / "bench.json"
    out.parent.mkdir(exist_ok=True)
    before: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        before = json.loads(out.read_text(encoding="utf-8"))
    out.write_text(json.dumps({**before, **figures}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
