"""Damaged polygon files, in every place where the engine takes one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from osgeo import gdal, ogr, osr

from tests.fuzz.batches import Outcome, Topic, clear, loaded_model, run_command, unfinished
from tests.fuzz.rasters import NUMBERS, mutate

WORDS = (
    "Polygon", "MultiPolygon", "GeometryCollection", "Point", "null", "[]", "{}", "[[[]]]", "type", "coordinates",
    "EPSG:4326", "EPSG:99999", "urn:ogc:def:crs:OGC:1.3:CRS84", '"', "\\u0000", "é洪", "manual", "removed",
)  # fmt: skip
ROUTES = {
    "area": ["segment", "--raster", "{scene}", "--hazard", "flood", "--mask", "{out}/m.tif", "--device", "cpu",
             "--area", "{file}"],
    "reference": ["evaluate", "--mask", "{mask}", "--reference", "{file}", "--errors", "{out}/e.tif"],
    "water": ["refine", "--mask", "{mask}", "--out", "{out}/r.tif", "--permanent-water", "{file}"],
    "unseen": ["refine", "--mask", "{mask}", "--out", "{out}/r.tif", "--not-assessed", "{file}"],
    "drawn": ["correct", "--mask", "{mask}", "--polygons", "{file}", "--out", "{out}/c.tif"],
    "manual": ["polygons", "--mask", "{mask}", "--out", "{out}/p.gpkg", "--manual", "{file}"],
    "origin": ["provenance", "--file", "{file}", "--json"],
    "series": ["series", "--mask", "{mask}", "--table", "{file}", "--date", "2025-06-01"],
}  # fmt: skip


def write_bases(folder: Path) -> list[Path]:
    """A scene, a mask, and the same polygons in many formats."""
    gdal.UseExceptions()
    ogr.UseExceptions()
    generator = np.random.default_rng(0)
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32632)
    for name, kind, bands in (("scene.tif", gdal.GDT_UInt16, 4), ("mask.tif", gdal.GDT_Byte, 1)):
        raster = gdal.GetDriverByName("GTiff").Create(str(folder / name), 60, 40, bands, kind)
        raster.SetGeoTransform((500000, 10, 0, 5000000, 0, -10))
        raster.SetProjection(crs.ExportToWkt())
        for index in range(bands):
            values = generator.integers(0, 2 if bands == 1 else 4000, (40, 60))
            raster.GetRasterBand(index + 1).WriteArray(values.astype("u1" if bands == 1 else "u2"))
            raster.GetRasterBand(index + 1).SetDescription(("B02", "B03", "B04", "B08")[index])
        raster.FlushCache()
    shapes = (
        "MULTIPOLYGON (((500050 4999950, 500400 4999950, 500400 4999700, 500050 4999700, 500050 4999950),"
        "(500100 4999900, 500200 4999900, 500200 4999800, 500100 4999900)))",
        "MULTIPOLYGON (((500300 4999900, 500590 4999650, 500300 4999650, 500300 4999900)))",
    )
    for name, driver in (
        ("a.geojson", "GeoJSON"), ("a.gpkg", "GPKG"), ("a.shp", "ESRI Shapefile"), ("a.fgb", "FlatGeobuf"),
        ("a.kml", "KML"), ("a.gml", "GML"), ("a.dxf", "DXF"), ("a.sqlite", "SQLite"), ("a.tab", "MapInfo File"),
        ("a.jml", "JML"),
    ):  # fmt: skip
        if ogr.GetDriverByName(driver) is None:
            continue
        source = ogr.GetDriverByName(driver).CreateDataSource(str(folder / name))
        layer = source.CreateLayer("flood", crs, ogr.wkbMultiPolygon if driver != "DXF" else ogr.wkbUnknown)
        if driver != "DXF":
            layer.CreateField(ogr.FieldDefn("origin", ogr.OFTString))
        for number, shape in enumerate(shapes):
            feature = ogr.Feature(layer.GetLayerDefn())
            feature.SetGeometry(ogr.CreateGeometryFromWkt(shape))
            if driver != "DXF":
                feature.SetField("origin", ("manual", "removed")[number])
            layer.CreateFeature(feature)
        feature = layer = source = None
    (folder / "a.vrt").write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{folder}/a.gpkg</SrcDataSource>'
        "<SrcLayer>flood</SrcLayer></OGRVRTLayer></OGRVRTDataSource>"
    )
    (folder / "series.gpkg").unlink(missing_ok=True)
    run_command(["series", "--mask", str(folder / "mask.tif"), "--table", str(folder / "series.gpkg"),
                 "--date", "2025-05-01"])  # fmt: skip
    return sorted(path for path in folder.iterdir() if path.stem in ("a", "series") and path.suffix in ENDINGS)


ENDINGS = (".geojson", ".gpkg", ".shp", ".fgb", ".kml", ".gml", ".dxf", ".sqlite", ".tab", ".jml", ".vrt")


def mutate_text(content: bytes, generator: np.random.Generator) -> bytes:
    """Numbers and words where they hurt, parts cut out, doubled or nested."""
    data = bytearray(content)
    for _ in range(int(generator.integers(1, 5))):
        kind = int(generator.integers(0, 6))
        at = int(generator.integers(0, max(1, len(data))))
        if kind <= 1:
            found = list(re.finditer(rb"-?[0-9.]+", bytes(data)))
            if found:
                number = found[int(generator.integers(0, len(found)))]
                data[number.start() : number.end()] = NUMBERS[int(generator.integers(0, len(NUMBERS)))].encode()
        elif kind == 2:
            found = list(re.finditer(rb"[A-Za-z:]{3,}", bytes(data)))
            if found:
                word = found[int(generator.integers(0, len(found)))]
                data[word.start() : word.end()] = WORDS[int(generator.integers(0, len(WORDS)))].encode()
        elif kind == 3:
            del data[at : at + int(generator.integers(1, 60))]
        elif kind == 4:
            data[at:at] = data[at : at + 200] * int(generator.integers(1, 4))
        else:
            data[at:at] = (b"[", b"{", b"<a>", b"(")[int(generator.integers(0, 4))] * int(generator.integers(1, 3000))
    return bytes(data)


def run_case(number: int, bases: list[Path], folder: Path, state: Any) -> Outcome:
    """Damage one file and give it to one command."""
    generator = np.random.default_rng(number + 1_000_000)
    base = bases[int(generator.integers(0, len(bases)))]
    names = list(ROUTES)
    route = "series" if base.stem == "series" else names[int(generator.integers(0, len(names)))]
    file = folder / f"m{number}{base.suffix}"
    for part in base.parent.glob(f"{base.stem}.*"):
        if part.suffix in (".dbf", ".shx", ".prj", ".cpg", ".dat", ".map", ".id", ".xsd") or part == base:
            content = part.read_bytes()
            if part == base or generator.random() < 0.5:
                textual = base.suffix in (".geojson", ".kml", ".gml", ".jml", ".vrt", ".dxf")
                content = (mutate_text if textual and generator.random() < 0.7 else mutate)(content, generator)
            (folder / f"m{number}{part.suffix}").write_bytes(content)
    out = folder / "out"
    clear(out)
    if route == "series":
        shutil.copy(file, out / f"t{base.suffix}")
        file = out / f"t{base.suffix}"
    home = base.parent
    words = [
        word.format(scene=home / "scene.tif", mask=home / "mask.tif", out=out, file=file) for word in ROUTES[route]
    ]
    ended = run_command(words)
    fault = ended.fault()
    made = [path.name for path in out.iterdir() if path != file]
    if not fault and (unfinished(out) or (ended.code and made)):
        fault = f"files left behind: {', '.join(unfinished(out) or made)}"
    clear(out)
    return Outcome(number, base.name, route, ended.code, ended.seconds, fault, ended.said)


TOPIC = Topic("vectors", 600, write_bases, lambda bases, folder: loaded_model(), run_case)
