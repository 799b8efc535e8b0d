"""Damaged rasters by the thousand: every one must end in a result or in one sentence, soon and in little memory.

    python -m tests.fuzz.rasters [--count 2000] [--first 0] [--keep build/fuzz]

Each mutant follows from its number alone. A batch runs in a process of its own, so that a crash in a library is seen;
``--first N --count 1 --keep FOLDER`` brings one back with its file.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import json
import os
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from osgeo import gdal, osr

from engine.__main__ import main as run_engine

BATCH = 40
LONGEST_S = 20.0
MOST_MEMORY_MB = 2500  # the netCDF library alone may take 1.6 GB to refuse a file
EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
NUMBERS = ("0", "-1", "1e9", "2000000000", "99999999999999999999", "nan", "inf", "-1e308", "", "x", "0.1", "65535")
COMMANDS = ("inspect", "segment", "evaluate")


@dataclass(frozen=True)
class Outcome:
    """How one mutant ended: ``fault`` is empty if as it should."""

    number: int
    base: str
    command: str
    code: int | None
    seconds: float
    fault: str
    said: str = ""


def write_bases(folder: Path) -> list[Path]:
    """Sound rasters of many kinds, each small, that mutants are made from."""
    gdal.UseExceptions()
    generator = np.random.default_rng(0)
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32632)

    def make(name: str, bands: Any, options: tuple[str, ...] = (), **extra: Any) -> Any:
        stored = np.asarray(bands)
        kind = {"u1": gdal.GDT_Byte, "u2": gdal.GDT_UInt16, "i2": gdal.GDT_Int16, "f4": gdal.GDT_Float32}
        dataset = gdal.GetDriverByName(extra.get("driver", "GTiff")).Create(
            str(folder / name), stored.shape[2], stored.shape[1], len(stored), kind[stored.dtype.str[1:]], list(options)
        )
        dataset.SetGeoTransform((500000, 10, 0, 5000000, 0, -10))
        dataset.SetProjection(crs.ExportToWkt())
        for i, values in enumerate(stored):
            band = dataset.GetRasterBand(i + 1)
            if "nodata" in extra:
                band.SetNoDataValue(extra["nodata"])
            if "names" in extra:
                band.SetDescription(extra["names"][i])
            band.WriteArray(values)
        dataset.FlushCache()
        return dataset

    rgb = generator.integers(0, 255, (3, 50, 70)).astype("u1")
    make("tiled.tif", rgb, ("TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=32", "COMPRESS=DEFLATE"))
    make("plain.tif", rgb)
    make("big.tif", rgb, ("BIGTIFF=YES", "COMPRESS=LZW", "PREDICTOR=2"))
    make("jpeg.tif", rgb, ("COMPRESS=JPEG", "PHOTOMETRIC=YCBCR"))
    make("packbits.tif", rgb, ("COMPRESS=PACKBITS", "INTERLEAVE=BAND"))
    names = ("B02", "B03", "B04", "B08")
    make("s2.tif", generator.integers(0, 4000, (4, 40, 60)).astype("u2"), ("COMPRESS=ZSTD",), names=names, nodata=0)
    backscatter = generator.normal(-15, 5, (2, 45, 33)).astype("f4")
    make("s1.tif", backscatter, ("COMPRESS=LERC_ZSTD",), names=("VV", "VH"), nodata=float("nan"))
    make("alpha.tif", generator.integers(0, 255, (4, 30, 30)).astype("u1"), ("ALPHA=YES",))
    make("mask.tif", generator.integers(0, 2, (1, 50, 70)).astype("u1"), ("COMPRESS=DEFLATE",), nodata=255)
    make("erdas.img", rgb, driver="HFA")
    source = make("envi.dat", rgb, driver="ENVI")
    for name, driver in (("p.png", "PNG"), ("j.jpg", "JPEG"), ("g.gif", "GIF"), ("k.jp2", "JP2OpenJPEG"),
                         ("n.nc", "netCDF"), ("c.tif", "COG"), ("t.gpkg", "GPKG"), ("b.bmp", "BMP")):  # fmt: skip
        if gdal.GetDriverByName(driver) is not None:
            stored = gdal.Open(str(folder / "mask.tif")) if driver in ("GIF", "netCDF") else source
            with contextlib.suppress(RuntimeError):
                gdal.GetDriverByName(driver).CreateCopy(str(folder / name), stored)
    gdal.BuildVRT(str(folder / "v.vrt"), [str(folder / "plain.tif"), str(folder / "tiled.tif")]).FlushCache()
    gdal.Warp(str(folder / "w.vrt"), str(folder / "plain.tif"), dstSRS="EPSG:4326", format="VRT").FlushCache()
    (folder / "points.vrt").write_text(
        '<VRTDataset rasterXSize="70" rasterYSize="50"><GCPList Projection="EPSG:32632">'
        + "".join(
            f'<GCP Id="{i}" Pixel="{i % 3 * 30}" Line="{i // 3 * 20}" X="{i % 3 * 300}" Y="{-(i // 3) * 200}"/>'
            for i in range(9)
        )
        + '</GCPList><VRTRasterBand dataType="Byte" band="1"><ColorInterp>Gray</ColorInterp><SimpleSource>'
        f"<SourceFilename>{folder}/plain.tif</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
        "</VRTRasterBand></VRTDataset>"
    )
    return sorted(path for path in folder.iterdir() if path.suffix not in (".hdr", ".xml", ".aux"))


def mutate(content: bytes, generator: np.random.Generator) -> bytes:
    """One damaged copy: flipped, cut, stretched or overwritten, with numbers where numbers hurt."""
    data = bytearray(content)
    textual = data[:1] == b"<"
    for _ in range(int(generator.integers(1, 4))):
        kind = int(generator.integers(0, 9))
        at = int(generator.integers(0, max(1, len(data))))
        head = int(generator.integers(0, max(1, min(len(data), 600))))
        if textual and kind >= 3:
            numbers = list(re.finditer(rb"-?[0-9.]+", bytes(data)))
            if numbers:
                found = numbers[int(generator.integers(0, len(numbers)))]
                data[found.start() : found.end()] = NUMBERS[int(generator.integers(0, len(NUMBERS)))].encode()
        elif kind == 0:
            del data[at:]
        elif kind == 1:
            data[at:at] = bytes(generator.integers(0, 256, int(generator.integers(1, 40)), np.uint8))
        elif kind == 2:
            del data[at : at + int(generator.integers(1, 200))]
        elif kind == 3:
            data[at : at + 64] = bytes(len(data[at : at + 64]))
        elif kind in (4, 5):
            value = EXTREMES[int(generator.integers(0, len(EXTREMES)))]
            size = int(generator.choice([2, 4]))
            data[head : head + size] = (value & (256**size - 1)).to_bytes(size, "little")
        else:
            for _ in range(int(generator.integers(1, 30))):
                place = (
                    int(generator.integers(0, max(1, len(data))))
                    if kind == 6
                    else head + int(generator.integers(0, 40))
                )
                if place < len(data):
                    data[place] = int(generator.integers(0, 256))
    return bytes(data)


def run_mutant(number: int, bases: list[Path], folder: Path) -> Outcome:
    """Make a mutant, give it to a command and judge how that ends."""
    generator = np.random.default_rng(number)
    base = bases[int(generator.integers(0, len(bases)))]
    command = COMMANDS[int(generator.choice(len(COMMANDS), p=[0.45, 0.4, 0.15]))]
    raster = folder / f"m{number}{base.suffix}"
    raster.write_bytes(mutate(base.read_bytes(), generator))
    header = base.with_suffix(".hdr")
    if base.suffix == ".dat":
        raster.with_suffix(".hdr").write_bytes(mutate(header.read_bytes(), generator))
    out = folder / "out"
    out.mkdir(exist_ok=True)
    mask = out / "mask.tif"
    words = {
        "inspect": ["inspect", "--raster", str(raster), "--json"],
        "segment": ["segment", "--raster", str(raster), "--hazard", "flood", "--mask", str(mask), "--device", "cpu"],
        "evaluate": ["evaluate", "--mask", str(bases[0].parent / "mask.tif"), "--reference", str(raster), "--json"],
    }[command]
    if command == "segment" and generator.random() < 0.5:
        words += ["--sensor", "rgb"]
    began = time.monotonic()
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            code: int | None = run_engine(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
        except BaseException as error:
            code, _ = None, stderr.write(f"{type(error).__name__}: {error}\n")
    lines = [line for line in stderr.getvalue().splitlines() if line.strip()]
    fault = ""
    if code not in (0, 2):
        fault = f"exit code {code}"
    elif code == 2 and (len(lines) != 1 or stdout.getvalue()):
        fault = f"{len(lines)} lines on stderr"
    elif command == "segment" and (code == 0) != mask.exists():
        fault = "mask and exit code disagree"
    elif any(name for name in os.listdir(out) if name.startswith(".") or code):
        fault = "files left behind"
    for path in (*out.iterdir(), *folder.glob(f"m{number}.*.aux.xml")):
        path.unlink()
    return Outcome(number, base.name, command, code, time.monotonic() - began, fault, " / ".join(lines)[:300])


def _run_batch(numbers: list[int], bases: list[Path], folder: Path, pipe: int) -> None:
    """In a process of its own: one line when a mutant begins and one when it has ended."""
    import torch

    import engine.segment as segment_module
    from engine.model import load_model

    torch.set_num_threads(1)
    model = load_model("unet")
    segment_module.load_model = lambda name: model
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * 4096 if os.path.exists("/proc/self/statm") else 0
    if used:
        resource.setrlimit(resource.RLIMIT_AS, (used + 4 * 2**30,) * 2)
    for number in numbers:
        os.write(pipe, f"{number}\n".encode())
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        outcome = run_mutant(number, bases, folder)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        fault = outcome.fault or (f"{grown:.0f} MB of memory" if grown > MOST_MEMORY_MB else "")
        os.write(pipe, (json.dumps({**outcome.__dict__, "fault": fault}) + "\n").encode())
        if not fault:
            for path in folder.glob(f"m{number}.*"):
                path.unlink()


def run_batch(numbers: list[int], bases: list[Path], folder: Path) -> list[Outcome]:
    """Run mutants in a child process; those that crash or hang it become outcomes too, and the others go on."""
    outcomes: list[Outcome] = []
    waiting = list(numbers)
    while waiting:
        receive, send = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(receive)
                _run_batch(waiting, bases, folder, send)
                code = 0
            finally:
                os._exit(code)
        os.close(send)
        running, buffer, hung = None, b"", False
        while True:
            if not select.select([receive], [], [], LONGEST_S + 20 * (running is None))[0]:
                os.kill(child, signal.SIGKILL)
                hung = True
                break
            part = os.read(receive, 65536)
            if not part:
                break
            buffer += part
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                if line.startswith(b"{"):
                    outcomes.append(Outcome(**json.loads(line)))
                    waiting.remove(outcomes[-1].number)
                    running = None
                else:
                    running = int(line)
        os.close(receive)
        _, status = os.waitpid(child, 0)
        if running is None and waiting:
            raise RuntimeError(f"The batch could not begin (status {status}).")
        if running is not None:
            fault = f"no end within {LONGEST_S:.0f} s" if hung else f"ended by signal {status & 127}"
            outcomes.append(Outcome(running, "", "", None, LONGEST_S if hung else 0.0, fault))
            waiting.remove(running)
            shutil.rmtree(folder / "out", ignore_errors=True)
    return outcomes


def fuzz(first: int, count: int, folder: Path) -> list[Outcome]:
    """Run mutants ``first`` to ``first + count``; files of faulty ones stay in ``folder``."""
    (folder / "bases").mkdir(parents=True, exist_ok=True)
    bases = write_bases(folder / "bases")
    outcomes: list[Outcome] = []
    for start in range(first, first + count, BATCH):
        outcomes += run_batch(list(range(start, min(start + BATCH, first + count))), bases, folder)
    return outcomes


def main() -> int:
    """Run and print a summary; the exit code is 1 if any mutant ended as it should not."""
    parser = argparse.ArgumentParser(description="Give damaged rasters to the engine.")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the files; faulty mutants stay there")
    options = parser.parse_args()
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        outcomes = fuzz(options.first, options.count, folder.resolve())
    ends = collections.Counter((outcome.command, outcome.code) for outcome in outcomes if not outcome.fault)
    for (command, code), number in sorted(ends.items()):
        print(f"{command:<9} exit {code}: {number}")
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    print(f"slowest: {slowest.seconds:.1f} s (mutant {slowest.number}, {slowest.base}, {slowest.command})")
    faults = [outcome for outcome in outcomes if outcome.fault]
    for fault in faults:
        print(f"mutant {fault.number} ({fault.base}, {fault.command}): {fault.fault}  {fault.said}")
    print(f"{len(outcomes)} mutants, {len(faults)} faults, {time.monotonic() - began:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
