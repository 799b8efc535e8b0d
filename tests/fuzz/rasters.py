"""Damaged rasters: every one must end in a result or in one sentence, soon and in little memory."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import numpy as np
from osgeo import gdal, osr

from tests.fuzz.batches import Outcome, Topic, loaded_model, run_command, unfinished

EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
NUMBERS = ("0", "-1", "1e9", "2000000000", "99999999999999999999", "nan", "inf", "-1e308", "", "x", "0.1", "65535")
COMMANDS = ("inspect", "segment", "evaluate")


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


def run_mutant(number: int, bases: list[Path], folder: Path, state: Any) -> Outcome:
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
    ended = run_command(words)
    fault = ended.fault()
    if not fault and command == "segment" and (ended.code == 0) != mask.exists():
        fault = "mask and exit code disagree"
    elif not fault and (unfinished(out) or (ended.code and any(out.iterdir()))):
        fault = "files left behind"
    for path in (*out.iterdir(), *folder.glob(f"m{number}.*.aux.xml")):
        path.unlink()
    return Outcome(number, base.name, command, ended.code, ended.seconds, fault, ended.said)


TOPIC = Topic("rasters", 2000, write_bases, lambda bases, folder: loaded_model(), run_mutant)
