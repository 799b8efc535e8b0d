"""Disks that are full at a random moment of writing: a small disk where one can be mounted, else a limit on files."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from osgeo import gdal, ogr, osr

from tests.fuzz.batches import Outcome, Topic, clear, quiet_torch, run_command, unfinished
from tests.fuzz.values import pick, tree, write_toy

MINE = b"what was there before"
ROUTES: dict[str, tuple[list[str], list[str]]] = {
    "segment": (["segment", "--raster", "{b}/scene.tif", "--hazard", "flood", "--mask", "{o}/m.tif", "--probability",
                 "{o}/p.tif", "--model", "toy", "--device", "cpu"], ["m.tif", "p.tif"]),
    "threshold": (["threshold", "--probability", "{b}/percent.tif", "--mask", "{o}/m.tif", "--threshold", "0.4"],
                  ["m.tif"]),
    "refine": (["refine", "--mask", "{b}/mask.tif", "--out", "{o}/r.tif", "--permanent-water", "{b}/a.gpkg"],
               ["r.tif"]),
    "correct": (["correct", "--mask", "{b}/mask.tif", "--polygons", "{b}/a.gpkg", "--out", "{o}/c.tif"], ["c.tif"]),
    "change": (["change", "--before", "{b}/mask.tif", "--after", "{b}/mask.tif", "--out", "{o}/c.tif"], ["c.tif"]),
    "evaluate": (["evaluate", "--mask", "{b}/mask.tif", "--reference", "{b}/mask.tif", "--errors", "{o}/e.tif"],
                 ["e.tif"]),
    "gpkg": (["polygons", "--mask", "{b}/mask.tif", "--out", "{o}/p.gpkg"], ["p.gpkg"]),
    "shp": (["polygons", "--mask", "{b}/mask.tif", "--out", "{o}/p.shp"], ["p.shp"]),
    "geojson": (["polygons", "--mask", "{b}/mask.tif", "--out", "{o}/p.geojson"], ["p.geojson"]),
    "fgb": (["polygons", "--mask", "{b}/mask.tif", "--out", "{o}/p.fgb"], ["p.fgb"]),
    "unassessed": (["unassessed", "--mask", "{b}/mask.tif", "--out", "{o}/u.gpkg"], ["u.gpkg"]),
    "zones": (["zones", "--mask", "{b}/mask.tif", "--probability", "{b}/percent.tif", "--out", "{o}/z.gpkg"],
              ["z.gpkg"]),
    "series": (["series", "--mask", "{b}/mask.tif", "--table", "{o}/s.gpkg", "--date", "2025-06-01"], []),
    "export": (["export-model", "--model", "toy", "--to", "{o}/t.zip"], ["t.zip"]),
    "import": (["import-model", "--path", "{b}/models/toy", "--name", "new"], []),
    "adapt": (["adapt", "--raster", "{b}/small.tif", "--hazard", "flood", "--model", "toy", "--save", "{o}/a",
               "--steps", "1", "--budget-s", "1", "--batch-size", "1", "--device", "cpu"], []),
    "pretrain": (["pretrain", "--data", "simulated", "--save", "{o}/l", "--epochs", "1", "--iterations", "1",
                  "--batch-size", "2", "--workers", "0", "--device", "cpu", "--encoder",
                  "tu-mobilenetv3_small_050"], []),
}  # fmt: skip
"""Commands that write, and the files that they may replace."""
COSTLY = ("adapt", "pretrain")


def prepare(folder: Path) -> Path:
    """A scene, a noisy mask, a probability, polygons and a model."""
    gdal.UseExceptions()
    ogr.UseExceptions()
    generator = np.random.default_rng(0)
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32632)
    noise = generator.integers(0, 2, (700, 700))
    noise[:50] = 255
    kinds = {"scene.tif": (4, 4000), "small.tif": (4, 4000), "mask.tif": (1, 2), "percent.tif": (1, 101)}
    for name, (bands, most) in kinds.items():
        side = 96 if name == "small.tif" else 700
        kind = gdal.GDT_UInt16 if bands == 4 else gdal.GDT_Byte
        raster = gdal.GetDriverByName("GTiff").Create(str(folder / name), side, side, bands, kind)
        raster.SetGeoTransform((500000, 10, 0, 5000000, 0, -10))
        raster.SetProjection(crs.ExportToWkt())
        for index in range(bands):
            values = noise if name == "mask.tif" else generator.integers(0, most, (side, side))
            raster.GetRasterBand(index + 1).WriteArray(values.astype("u2" if bands == 4 else "u1"))
            raster.GetRasterBand(index + 1).SetDescription(
                ("B02", "B03", "B04", "B08")[index] if bands == 4 else name.replace("percent", "probability")
            )
        if bands == 1:
            raster.SetMetadata({"HAZARD": "flood", "HAZARD_THRESHOLD": "0.5"})
        raster.FlushCache()
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(folder / "a.gpkg"))
    layer = source.CreateLayer("a", crs, ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn("origin", ogr.OFTString))
    feature = ogr.Feature(layer.GetLayerDefn())
    feature.SetField("origin", "manual")
    feature.SetGeometry(
        ogr.CreateGeometryFromWkt("POLYGON ((500000 5000000,501000 5000000,501000 4999000,500000 5000000))")
    )
    layer.CreateFeature(feature)
    feature = layer = source = None
    write_toy(folder / "models" / "toy")
    return folder


@contextlib.contextmanager
def begin(bases: Path, folder: Path) -> Iterator[bool]:
    """Whether small disks can be mounted here."""
    quiet_torch()
    os.environ["HAZARD_MODELS"] = str(folder / "disk" / "models")
    disk = folder / "disk"
    clear(disk)
    yield _mount(disk, 2**20) and _unmount(disk)


def _mount(disk: Path, size: int) -> bool:
    return not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], capture_output=True
    ).returncode


def _unmount(disk: Path) -> bool:
    return not subprocess.run(["umount", "-l", str(disk)], capture_output=True).returncode


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file may become larger; what tries gets an error as of a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def run_case(number: int, bases: Path, folder: Path, mountable: bool) -> Outcome:
    """Run a command that writes to a place where not all of it fits."""
    generator = np.random.default_rng(number + 5_000_000)
    names = [name for name in ROUTES if name not in COSTLY or generator.random() < 0.3]
    route = pick(generator, names)
    words, finals = ROUTES[route]
    limited = not mountable or generator.random() < 0.5
    size = int(np.exp(generator.uniform(np.log(2**13), np.log(3 * 2**20)))) // 4096 * 4096 + 4096
    disk = folder / "disk"
    clear(disk)
    out = disk / "out"
    room = 0 if limited else max(size, 200 * 2**10)
    if not limited:
        _mount(disk, room + 4 * 2**20)
    out.mkdir()
    shutil.copytree(bases / "models", disk / "models")
    if not limited:  # what is left is the room
        free = shutil.disk_usage(disk).free
        (disk / "filler").write_bytes(b"x" * max(0, free - room - 8192))
    existing = bool(finals) and generator.random() < 0.5
    if existing:
        for name in finals:
            (out / name).write_bytes(MINE)
        words = [*words, "--overwrite"]
    before = tree(out)
    models = tree(disk / "models")
    with largest_file(size) if limited else contextlib.nullcontext():
        ended = run_command([word.format(b=bases, o=out) for word in words])
    fault = ended.fault()
    left = [*unfinished(out), *unfinished(disk / "models")]
    after = tree(out)
    if route == "pretrain" and ended.code:
        after = {name: what for name, what in after.items() if not name.endswith("checkpoint.pt")}
    if not fault and left:
        fault = f"files left behind: {left}"
    elif not fault and ended.code and after != before:
        fault = f"changed by a failure: {sorted(set(after) ^ set(before)) or 'content'}"
    elif not fault and ended.code and tree(disk / "models") != models:
        fault = "models changed by a failure"
    elif not fault and not ended.code and any((out / name).read_bytes()[:21] == MINE for name in finals):
        fault = "a result that is not there"
    if not limited:
        _unmount(disk)
    how = "limit" if limited else "disk"
    return Outcome(
        number,
        f"{how} of {(size if limited else room) // 1024} kB",
        route,
        ended.code,
        ended.seconds,
        fault,
        ended.said,
    )


TOPIC = Topic("disks", 200, prepare, begin, run_case, longest_s=60)
