"""Polygons of masks: areas, holes, validity, probabilities, simplification, formats, and corrections that survive."""

import json
import math
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from osgeo import gdal, ogr, osr
from scenes import UTM_10M, write_raster

from engine.polygons import polygons
from engine.protocol import BadInput, Cancelled, OutputFailed, PolygonsJob, ProvenanceJob
from engine.provenance import provenance
from engine.reporting import Report

ogr.UseExceptions()
TAGS = {
    "HAZARD": "flood",
    "HAZARD_MODEL": "unet",
    "HAZARD_THRESHOLD": "0.42",
    "HAZARD_SCENE": "S2A_MSIL2A_20240916T100559_N0511_R022_T32TQQ.tif",
}
ROTATED = (500000.0, 8.0, 3.0, 5100000.0, 3.0, -8.0)
SOUTH_UP = (500000.0, 10.0, 0.0, 5090000.0, 0.0, 10.0)
DEGREES = (11.0, 0.0001, 0.0, 46.0, 0.0, -0.0002)


def blobs(height=70, width=90, seed=3, share=0.4):
    """Smooth random shapes with holes and single pixels."""
    random = np.random.default_rng(seed)
    field = random.random((height, width))
    for _ in range(2):
        field = sum(np.roll(field, shift, axis) for shift, axis in ((0, 0), (1, 0), (-1, 0), (1, 1), (-1, 1)))
    mask = (field > np.quantile(field, 1 - share)).astype("u1")
    mask ^= random.random((height, width)) < 0.02
    mask[:4] = 255
    return mask


def trace(tmp_path, mask, out="out.gpkg", probability=None, tags=TAGS, geotransform=UTM_10M, crs="EPSG:32632", **job):
    """Result and features of a run; each feature is its fields and ``geometry``."""
    path = write_raster(tmp_path / "mask.tif", mask, geotransform=geotransform, crs=crs, nodata=[255], tags=tags)
    if probability is not None:
        job["probability"] = write_raster(
            tmp_path / "probability.tif", probability, geotransform=geotransform, crs=crs, nodata=[255]
        )
    result = polygons(PolygonsJob(mask=path, out=str(tmp_path / out), **job))
    return result, features_of(tmp_path / out)


def features_of(path):
    source = gdal.OpenEx(str(path), gdal.OF_VECTOR)
    layer = source.GetLayer(0)
    found = []
    for feature in layer:
        names = [layer.GetLayerDefn().GetFieldDefn(i).GetName() for i in range(layer.GetLayerDefn().GetFieldCount())]
        found.append({**{n: feature.GetField(n) for n in names}, "geometry": feature.GetGeometryRef().Clone()})
    return found


def hidden(folder):
    return [name for name in os.listdir(folder) if name.startswith(".")]


def labels_of(mask, diagonal):
    """Connected pixels by flooding, one set of (row, column) each: independent of any tracing."""
    left = {(int(r), int(c)) for r, c in zip(*np.nonzero(mask == 1), strict=True)}
    steps = [(0, 1), (0, -1), (1, 0), (-1, 0)] + ([(1, 1), (1, -1), (-1, 1), (-1, -1)] if diagonal else [])
    groups = []
    while left:
        todo = [left.pop()]
        group = set(todo)
        while todo:
            row, column = todo.pop()
            for down, right in steps:
                near = (row + down, column + right)
                if near in left:
                    left.remove(near)
                    group.add(near)
                    todo.append(near)
        groups.append(group)
    return groups


def overlap(found):
    """Area that polygons have in common."""
    shapes = [f["geometry"] for f in found]
    union = ogr.Geometry(ogr.wkbMultiPolygon)
    for shape in shapes:
        for part in shape if shape.GetGeometryType() == ogr.wkbMultiPolygon else [shape]:
            union.AddGeometry(part)
    return sum(s.Area() for s in shapes) - union.UnionCascaded().Area()


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize(
    ("geotransform", "crs"),
    [(UTM_10M, "EPSG:32632"), (ROTATED, "EPSG:32632"), (SOUTH_UP, "EPSG:32632"), (DEGREES, "EPSG:4326"), (None, None)],
)
def test_polygons_have_exactly_the_pixels_and_are_valid(tmp_path, geotransform, crs, diagonal):
    mask = blobs()
    _, found = trace(tmp_path, mask, geotransform=geotransform, crs=crs, diagonal=diagonal)
    _, b, c, _, e, f = geotransform or (0, 1, 0, 0, 0, -1)
    pixel = abs(b * f - c * e)
    groups = labels_of(mask, diagonal)
    assert len(found) == len(groups)
    assert all(f["geometry"].IsValid() for f in found)
    planar = sorted(f["geometry"].Area() / pixel for f in found)
    assert np.allclose(planar, sorted(len(group) for group in groups), rtol=1e-6, atol=1e-6)
    assert sum(planar) == pytest.approx((mask == 1).sum(), rel=1e-9)
    assert overlap(found) / pixel == pytest.approx(0, abs=1e-6)


def test_holes_are_kept_and_an_island_in_a_hole_is_a_polygon_of_its_own(tmp_path):
    mask = np.zeros((9, 9), "u1")
    mask[1:8, 1:8] = 1
    mask[2:7, 2:7] = 0
    mask[4, 4] = 1
    _, found = trace(tmp_path, mask)
    ring, island = sorted((f["geometry"] for f in found), key=lambda g: -g.Area())
    assert ring.Area() == 24 * 100 and island.Area() == 100
    assert ring.GetGeometryRef(0).GetGeometryCount() == 2
    assert island.GetEnvelope() == (500040, 500050, 5099950, 5099960)


def test_only_hazard_becomes_a_polygon_not_water_slope_or_what_is_not_assessed(tmp_path):
    result, found = trace(tmp_path, np.array([[0, 1, 2, 3, 255]], "u1"))
    assert len(found) == 1 and found[0]["geometry"].Area() == 100
    assert result["share_assessed"] == 0.8 and any("20.0% of the mask is not assessed" in w for w in result["warnings"])


def quad_area_degrees(west, east, south, north):
    """Area on WGS 84 between two meridians and parallels, by numeric integration along the meridian."""
    a, e2 = 6378137.0, 0.0066943799901413
    latitude = np.radians(np.linspace(south, north, 4001))
    middle = (latitude[1:] + latitude[:-1]) / 2
    strip = a * a * (1 - e2) * np.cos(middle) / (1 - e2 * np.sin(middle) ** 2) ** 2
    return float((strip * np.diff(latitude)).sum() * math.radians(east - west))


def test_areas_are_ellipsoidal(tmp_path):
    mask = np.zeros((40, 50), "u1")
    mask[10:30, 5:45] = 1
    result, (only,) = trace(tmp_path, mask, geotransform=DEGREES, crs="EPSG:4326")
    expected = quad_area_degrees(11.0005, 11.0045, 46 - 30 * 0.0002, 46 - 10 * 0.0002)
    assert only["area_m2"] == pytest.approx(expected, rel=1e-6)
    assert only["area_ha"] == pytest.approx(expected / 1e4, rel=1e-6)
    assert result["hazard_area_m2"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("geotransform", "crs"),
    [((1e6, 100, 0, 6e6, 0, -100), "EPSG:3857"), (ROTATED, "EPSG:32632"), (DEGREES, "EPSG:4326")],
)
def test_areas_agree_with_those_of_the_mask_and_of_an_equal_area_projection(tmp_path, geotransform, crs):
    mask = blobs(300, 280)
    result, found = trace(tmp_path, mask, geotransform=geotransform, crs=crs)
    counted = provenance(ProvenanceJob(str(tmp_path / "mask.tif")))["hazard_area_m2"]
    assert result["hazard_area_m2"] == pytest.approx(counted, rel=1e-4)
    assert result["hazard_area_m2"] == pytest.approx(result["area_before_filters_m2"], abs=0.02)
    source, target = osr.SpatialReference(), osr.SpatialReference()
    source.SetFromUserInput(crs)
    target.SetFromUserInput("EPSG:6933")
    for reference in (source, target):
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    move = osr.CoordinateTransformation(source, target)
    for f in found[:40]:
        moved = f["geometry"].Clone()
        moved.Transform(move)
        assert f["area_m2"] == pytest.approx(moved.Area(), rel=2e-4)


def test_probabilities_are_those_of_the_pixels(tmp_path):
    mask = blobs(1200, 60, seed=5)
    probability = np.random.default_rng(1).integers(0, 101, mask.shape).astype("u1")
    probability[600:640] = 255
    _, found = trace(tmp_path, mask, probability=probability)
    expected = []
    for group in labels_of(mask, False):
        values = [int(probability[p]) for p in group if probability[p] != 255]
        expected.append((len(group), np.mean(values) / 100 if values else -1, min(values) / 100 if values else -1))
    got = [
        (round(f["geometry"].Area() / 100), *(-1 if f[n] is None else f[n] for n in ("prob_mean", "prob_min")))
        for f in found
    ]
    assert any(mean == -1 for _, mean, _ in expected)
    assert np.allclose(sorted(got), sorted(expected), atol=1e-9)


def test_attributes_say_where_polygons_come_from(tmp_path):
    _, (only,) = trace(tmp_path, np.ones((1, 1), "u1"))
    assert (only["hazard"], only["model"], only["threshold"]) == ("flood", "unet", 0.42)
    assert (only["scene"], only["scene_date"]) == (TAGS["HAZARD_SCENE"], "2024-09-16")
    assert (only["det_method"], only["origin"]) == ("Semi-automatic extraction", "model")
    assert only["prob_mean"] is None and only["prob_min"] is None
    told = provenance(ProvenanceJob(str(tmp_path / "out.gpkg")))
    assert (told["kind"], told["hazard"], told["model"]) == ("polygons", "flood", "unet")
    assert told["tags"]["HAZARD_MASK"] == "mask.tif"
    assert json.loads(told["tags"]["HAZARD_POLYGONS_JOB"])["out"] == str(tmp_path / "out.gpkg")


def test_a_given_date_goes_before_what_is_found_out(tmp_path):
    result, (only,) = trace(tmp_path, np.ones((1, 1), "u1"), date="2023-05-17")
    assert only["scene_date"] == "2023-05-17" == result["scene_date"]


def test_polygons_below_the_minimum_area_are_left_out(tmp_path):
    mask = blobs()
    result, found = trace(tmp_path, mask, minimum_area_m2=450)
    large = [len(group) for group in labels_of(mask, False) if len(group) * 100 * 1.0008 >= 450]
    assert sorted(round(f["geometry"].Area() / 100) for f in found) == sorted(large)
    assert result["count"] == len(large) and result["left_out"] == len(labels_of(mask, False)) - len(large)
    assert result["area_before_filters_m2"] > result["hazard_area_m2"]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("diagonal", [False, True])
def test_simplified_polygons_stay_valid_apart_and_near(tmp_path, seed, diagonal):
    mask = blobs(seed=seed, share=0.3 + 0.08 * seed)
    _, exact = trace(tmp_path, mask, out="exact.gpkg", diagonal=diagonal, geotransform=ROTATED)
    for tolerance, rounds in ((7, 0), (15, 0), (30, 2), (0, 3)):
        job = {"simplify_m": tolerance, "smooth": rounds, "diagonal": diagonal, "overwrite": True}
        _, found = trace(tmp_path, mask, geotransform=ROTATED, **job)
        assert len(found) == len(exact)
        assert all(f["geometry"].IsValid() for f in found)
        assert overlap(found) < 1e-3
        if not rounds:
            corners = [
                sum(p.GetGeometryRef(i).GetPointCount() for p in f["geometry"] for i in range(p.GetGeometryCount()))
                for f in found
            ]
            before = [
                sum(p.GetGeometryRef(i).GetPointCount() for p in f["geometry"] for i in range(p.GetGeometryCount()))
                for f in exact
            ]
            assert sum(corners) < sum(before)
            for mine, theirs in zip(found, exact, strict=True):
                reach = theirs["geometry"].Boundary().Buffer(tolerance + 0.01, 32)
                assert reach.Contains(mine["geometry"].Boundary())


@pytest.mark.parametrize("options", [{"simplify_m": 20.0}, {"smooth": 2}])
def test_areas_of_simplified_polygons_are_those_of_what_is_drawn(tmp_path, options):
    result, found = trace(tmp_path, blobs(), **options)
    for f in found:
        assert f["area_m2"] == pytest.approx(f["geometry"].Area() * 1.0008, rel=1e-4)
    assert result["hazard_area_m2"] == pytest.approx(sum(f["area_m2"] for f in found), abs=0.01)


def test_smoothing_rounds_corners_and_leaves_long_sides_straight(tmp_path):
    _, (only,) = trace(tmp_path, np.ones((30, 300), "u1"), smooth=5)
    shape = only["geometry"]
    assert 0.99 * 30 * 300 * 100 < shape.Area() < 30 * 300 * 100
    west, east, south, north = shape.GetEnvelope()
    assert (west, east, south, north) == (500000, 503000, 5099700, 5100000)


def test_a_pole_in_geojson_is_warned_of(tmp_path):
    around, beside = (-5000, 1000, 0, 5000, 0, -1000), (50000, 1000, 0, 5000, 0, -1000)
    told = [
        trace(tmp_path, np.ones((10, 10), "u1"), "o.geojson", geotransform=g, crs="EPSG:3031", overwrite=True)[0]
        for g in (around, beside)
    ]
    assert [any("pole" in warning for warning in result["warnings"]) for result in told] == [True, False]


def test_pixels_of_a_centimetre_stay_valid_in_degrees(tmp_path):
    tiny = (11.0, 1e-7, 0.0, 46.0, 0.0, -1e-7)
    _, found = trace(tmp_path, blobs(), out="o.geojson", geotransform=tiny, crs="EPSG:4326", smooth=2)
    assert all(f["geometry"].IsValid() for f in found)


def test_a_part_of_another_shapefile_is_not_replaced_unasked(tmp_path):
    (tmp_path / "o.dbf").write_text("a table of its own")
    with pytest.raises(OutputFailed, match=r"o\.dbf' exists"):
        trace(tmp_path, blobs(), out="o.shp")
    assert (tmp_path / "o.dbf").read_text() == "a table of its own" and not (tmp_path / "o.shp").exists()


@pytest.mark.parametrize("ending", ["gpkg", "shp", "geojson", "fgb"])
@pytest.mark.parametrize("empty", [False, True])
def test_each_format_holds_the_same(tmp_path, ending, empty):
    mask = np.zeros((20, 30), "u1") if empty else blobs()
    result, found = trace(tmp_path, mask, out=f"o.{ending}", probability=np.full(mask.shape, 77, "u1"))
    assert result["count"] == len(found) == (0 if empty else len(labels_of(mask, False)))
    assert not hidden(tmp_path)
    source = gdal.OpenEx(str(tmp_path / f"o.{ending}"), gdal.OF_VECTOR)
    crs = source.GetLayer(0).GetSpatialRef()
    assert crs.IsGeographic() == (ending == "geojson")
    assert any("WGS 84" in w for w in result["warnings"]) == (ending == "geojson")
    if not empty:
        assert sum(f["area_m2"] for f in found) == pytest.approx(result["hazard_area_m2"], rel=1e-6)
        assert all(f["geometry"].IsValid() and f["prob_mean"] == pytest.approx(0.77) for f in found)
    if not empty and ending == "geojson":
        longitude, latitude = found[0]["geometry"].Centroid().GetPoint_2D()
        assert 8.9 < longitude < 9.1 and 46 < latitude < 46.1


def test_what_is_there_is_replaced_only_when_allowed_and_a_shapefile_as_a_whole(tmp_path):
    trace(tmp_path, blobs(), out="o.shp")
    (tmp_path / "o.qix").write_bytes(b"stale")
    with pytest.raises(OutputFailed, match="exists"):
        trace(tmp_path, blobs(), out="o.shp")
    _, found = trace(tmp_path, np.ones((1, 1), "u1"), out="o.shp", overwrite=True)
    assert len(found) == 1 and not (tmp_path / "o.qix").exists()
    parts = {name for name in os.listdir(tmp_path) if name.startswith("o.")}
    assert {"o.shp", "o.shx", "o.dbf", "o.prj", "o.cpg"} <= parts <= {*parts, "o.qml"}


def draw(path, shapes, epsg=32632, extra=()):
    """A polygon file of (origin, WKT, values)."""
    driver = {"gpkg": "GPKG", "shp": "ESRI Shapefile"}[str(path).rsplit(".", 1)[1]]
    source = gdal.GetDriverByName(driver).Create(str(path), 0, 0, 0, gdal.GDT_Unknown)
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(epsg)
    crs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    layer = source.CreateLayer("drawn", crs, ogr.wkbUnknown if driver == "GPKG" else ogr.wkbPolygon)
    for name in ("origin", "hazard", *extra):
        layer.CreateField(ogr.FieldDefn(name, ogr.OFTString))
    for origin, wkt, values in shapes:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometry(ogr.CreateGeometryFromWkt(wkt))
        for name, value in {"origin": origin, **values}.items():
            feature.SetField(name, value)
        layer.CreateFeature(feature)
    source = layer = None
    return str(path)


def square(west, south, size):
    east, north = west + size, south + size
    return f"POLYGON (({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))"


def test_what_was_drawn_by_hand_survives_and_wins(tmp_path):
    mask = np.zeros((20, 20), "u1")
    mask[2:8, 2:8] = 1  # 500020..500080, 5099920..5099980
    mask[12:16, 12:16] = 1  # 500120..500160, 5099840..5099880
    drawn = draw(
        tmp_path / "drawn.gpkg",
        [
            ("manual", square(500060, 5099960, 100), {"note": "seen from the road"}),
            ("removed", square(500110, 5099830, 60), {}),
            ("model", square(500000, 5099800, 500), {}),
        ],
        extra=("note",),
    )
    result, found = trace(tmp_path, mask, manual=drawn)
    by_origin = {f["origin"]: f for f in found}
    assert len(found) == 3 and (result["count"], result["manual"], result["removed"]) == (2, 1, 1)
    assert by_origin["model"]["geometry"].Area() == pytest.approx(3600 - 400)
    assert by_origin["manual"]["geometry"].Area() == pytest.approx(10000)
    assert by_origin["manual"]["note"] == "seen from the road" and by_origin["manual"]["hazard"] == "flood"
    assert by_origin["removed"]["geometry"].Area() == pytest.approx(3600)
    assert overlap(found) == pytest.approx(0, abs=1e-6)
    assert by_origin["model"]["area_m2"] == pytest.approx(3200 * 1.0008, rel=1e-4)
    assert result["hazard_area_m2"] == pytest.approx(13200 * 1.0008, rel=1e-4)


def test_corrections_survive_a_run_into_their_own_file(tmp_path):
    mask = blobs()
    _, before = trace(tmp_path, mask)
    path = str(tmp_path / "out.gpkg")
    source = gdal.OpenEx(path, gdal.OF_VECTOR | gdal.OF_UPDATE)
    source.GetLayer(0).SetAttributeFilter("fid = 1")
    feature = source.GetLayer(0).GetNextFeature()
    feature.SetField("origin", "removed")
    source.GetLayer(0).SetFeature(feature)
    source = feature = None
    for _ in range(2):
        result, after = trace(tmp_path, mask, manual=path, overwrite=True)
        assert sorted(f["origin"] for f in after) == sorted(["model"] * (len(before) - 1) + ["removed"])
        assert result["count"] == len(before) - 1
        assert overlap(after) == pytest.approx(0, abs=1e-6)


def test_what_was_drawn_without_an_origin_is_manual(tmp_path):
    shapes = [(None, square(500060, 5099500, 100), {}), ("", square(500360, 5099500, 100), {})]
    result, found = trace(tmp_path, np.zeros((70, 90), "u1"), manual=draw(tmp_path / "d.gpkg", shapes))
    assert result["manual"] == 2 and [f["origin"] for f in found] == ["manual"] * 2
    assert {f["det_method"] for f in found} == {"Photo-interpretation"}


@pytest.mark.parametrize("epsg", [32632, 4326, 3857])
def test_a_polygon_of_the_model_that_has_not_its_area_any_more_was_redrawn(tmp_path, epsg):
    """As after an edit in a layer that the plugin does not follow: its origin still says model."""
    mask = np.zeros((20, 20), "u1")
    mask[2:8, 2:8] = 1
    mask[12:16, 12:16] = 1
    _, before = trace(tmp_path, mask, out="before.gpkg")
    utm, crs = osr.SpatialReference(), osr.SpatialReference()
    for reference, code in ((utm, 32632), (crs, epsg)):
        reference.ImportFromEPSG(code)
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    larger = ogr.CreateGeometryFromWkt(square(500020, 5099920, 70))
    shapes = []
    for feature in before:
        is_first = feature["area_m2"] > 3000
        geometry = larger if is_first else feature["geometry"]
        geometry.Transform(osr.CoordinateTransformation(utm, crs))
        values = {"area_m2": f"{feature['area_m2']:.3f}", "prob_mean": "0.9"}
        shapes.append(("model", geometry.ExportToWkt(), values))
    drawn = draw(tmp_path / "d.gpkg", shapes, epsg=epsg, extra=("area_m2", "prob_mean"))
    result, found = trace(tmp_path, mask, manual=drawn)
    by_origin = {f["origin"]: f for f in found}
    assert (result["count"], result["manual"]) == (2, 1)
    assert by_origin["manual"]["geometry"].Area() == pytest.approx(4900, rel=1e-4)
    assert by_origin["manual"]["prob_mean"] is None
    assert by_origin["model"]["geometry"].Area() == pytest.approx(1600)
    assert any("1 polygon" in text and "redrawn" in text for text in result["warnings"]), result["warnings"]


@pytest.mark.parametrize("options", [{}, {"simplify_m": 15.0, "smooth": 2}])
@pytest.mark.parametrize("ending", ["gpkg", "shp", "geojson", "fgb"])
def test_a_file_nobody_has_touched_holds_no_correction_and_that_is_said(tmp_path, options, ending):
    mask = np.random.default_rng(3).integers(0, 2, (60, 80)).astype("u1")
    first = f"first.{ending}"
    trace(tmp_path, mask, out=first, **options)
    result, found = trace(tmp_path, mask, out="second.gpkg", manual=str(tmp_path / first), **options)
    assert result["manual"] == 0 and {f["origin"] for f in found} == {"model"}
    assert any("hold no correction" in text for text in result["warnings"]), result["warnings"]
    again, _ = trace(tmp_path, mask, out=first, manual=str(tmp_path / first), overwrite=True, **options)
    assert not any("hold no correction" in text for text in again["warnings"]), "its own file is always asked"


PLACES = {
    "around the pole": ("EPSG:3413", (-300_000.0, 10_000.0, 0, 300_000.0, 0, -10_000.0)),
    "over the date line": ("EPSG:32660", (830_000.0, 500.0, 0, 9_900_000.0, 0, -500.0)),
    "beyond 180 degrees": ("EPSG:4326", (179.0, 0.05, 0, 66.0, 0, -0.05)),
    "coarse degrees": ("EPSG:4326", (10.0, 0.2, 0, 60.0, 0, -0.2)),
    "Web Mercator": ("EPSG:3857", (1e6, 3000.0, 0, 9e6, 0, -3000.0)),
    "another datum": ("EPSG:27700", (400_000.0, 100.0, 0, 500_000.0, 0, -100.0)),
    "no CRS": ("", (0.0, 1.0, 0, 0.0, 0, -1.0)),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("ending", ["gpkg", "geojson"])
def test_nothing_is_taken_for_redrawn_anywhere_on_earth(tmp_path, place, ending):
    crs, geotransform = PLACES[place]
    mask = (np.random.default_rng(3).random((60, 60)) > 0.6).astype("u1")
    mask[10:40, 10:40] = 1
    mask[20:25, 20:25] = 0
    where = {"crs": crs or None, "geotransform": geotransform}
    first = f"first.{ending}"
    trace(tmp_path, mask, out=first, **where)
    result, _ = trace(tmp_path, mask, out="second.gpkg", manual=str(tmp_path / first), **where)
    assert result["manual"] == 0, result["warnings"]


def test_corrections_in_another_crs_and_as_a_shapefile_are_taken_over(tmp_path):
    west, south = 9.0005, 46.0535
    drawn = draw(tmp_path / "d.shp", [("manual", square(west, south, 0.001), {})], epsg=4326)
    result, found = trace(tmp_path, np.zeros((200, 200), "u1"), manual=drawn)
    assert result["count"] == 1
    expected = quad_area_degrees(west, west + 0.001, south, south + 0.001)
    assert found[0]["area_m2"] == pytest.approx(expected, rel=1e-3)


def test_ground_that_two_manual_polygons_share_is_counted_once(tmp_path):
    shapes = [("manual", square(500060, 5099500, 100), {}), ("manual", square(500110, 5099500, 100), {})]
    result, found = trace(tmp_path, np.zeros((70, 90), "u1"), manual=draw(tmp_path / "d.gpkg", shapes))
    scale = found[0]["area_m2"] / 10_000
    assert [f["area_m2"] for f in found] == pytest.approx([1e4 * scale] * 2, rel=1e-6)
    assert result["hazard_area_m2"] == pytest.approx(15_000 * scale, rel=1e-6)
    assert any("drawn by hand overlap on 5,0" in text for text in result["warnings"]), result["warnings"]
    apart = [("manual", square(500060, 5099500, 100), {}), ("manual", square(500160, 5099500, 100), {})]
    result, _ = trace(
        tmp_path, np.zeros((70, 90), "u1"), manual=draw(tmp_path / "a.gpkg", apart), out="apart.gpkg", overwrite=True
    )
    assert result["hazard_area_m2"] == pytest.approx(20_000 * scale, rel=1e-6)
    assert not any("overlap" in text for text in result["warnings"])


def test_a_crossed_manual_polygon_is_made_valid_and_said(tmp_path):
    bow = "POLYGON ((500000 5099900,500100 5100000,500100 5099900,500000 5100000,500000 5099900))"
    result, found = trace(tmp_path, blobs(), manual=draw(tmp_path / "d.gpkg", [("manual", bow, {})]))
    assert all(f["geometry"].IsValid() for f in found)
    assert any("not valid" in w for w in result["warnings"])


@pytest.mark.parametrize(
    ("mask", "job", "words"),
    [
        (np.full((3, 4), 57, "u1"), {}, "holds 57"),
        (np.zeros((2, 3, 4), "u1"), {}, "2 bands"),
        (np.full((3, 4), 0.5, "f4"), {}, "whole numbers"),
        (np.ones((3, 4), "u1"), {"manual": "nothing.gpkg"}, r"no polygon file .*nothing\.gpkg"),
    ],
)
def test_what_cannot_be_is_said_and_leaves_nothing(tmp_path, mask, job, words):
    with pytest.raises(BadInput, match=words):
        trace(tmp_path, mask, **job)
    assert sorted(os.listdir(tmp_path)) == ["mask.tif"]


def test_a_file_without_origins_a_probability_elsewhere_and_a_change_are_refused(tmp_path):
    plain = tmp_path / "plain.geojson"
    plain.write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(BadInput, match="no field 'origin'"):
        trace(tmp_path, blobs(), manual=str(plain))
    elsewhere = write_raster(tmp_path / "p.tif", blobs()[:-1])
    trace(tmp_path, blobs(), out="x.gpkg")
    with pytest.raises(BadInput, match="same run"):
        polygons(PolygonsJob(mask=str(tmp_path / "mask.tif"), out=str(tmp_path / "y.gpkg"), probability=elsewhere))
    with pytest.raises(BadInput, match="two dates"):
        trace(tmp_path, blobs(), out="z.gpkg", tags={"HAZARD_CHANGE_JOB": "{}"})
    assert not hidden(tmp_path) and not (tmp_path / "y.gpkg").exists()


@pytest.mark.parametrize("stage", ["Reading", "Tracing", "Measuring", "Simplifying", "Publishing"])
def test_cancel_leaves_nothing_and_replaces_nothing(tmp_path, stage):
    mask = blobs()
    trace(tmp_path, mask)
    before = (tmp_path / "out.gpkg").read_bytes()
    cancelled = threading.Event()

    def stop(name, share, left):
        if name.startswith(stage):
            cancelled.set()

    job = PolygonsJob(str(tmp_path / "mask.tif"), str(tmp_path / "out.gpkg"), simplify_m=5.0, overwrite=True)
    with pytest.raises(Cancelled):
        polygons(job, Report(on_progress=stop, cancelled=cancelled))
    assert (tmp_path / "out.gpkg").read_bytes() == before and not hidden(tmp_path)


def test_a_large_speckled_mask_takes_little_time_and_memory(tmp_path):
    random = np.random.default_rng(0)
    mask = np.zeros((2500, 2500), "u1")
    mask[500:2000, 200:2300] = 1
    mask[random.integers(0, 2500, 8000), random.integers(0, 2500, 8000)] ^= 1
    path = write_raster(tmp_path / "m.tif", mask, nodata=[255], tags=TAGS)
    began = time.monotonic()
    assert kilobytes_for(path, tmp_path / "o.gpkg") < 200_000
    assert time.monotonic() - began < 60


def test_a_wide_mask_all_hazard_takes_little_memory(tmp_path):
    path = write_raster(tmp_path / "m.tif", np.ones((600, 60_000), "u1"), nodata=[255], tags=TAGS)
    assert kilobytes_for(path, tmp_path / "o.gpkg") < 450_000


def kilobytes_for(mask, out):
    """Memory that polygons of a mask take, with their probabilities, beside what the modules do."""
    code = (
        "import resource, sys; from engine.polygons import polygons; from engine.protocol import PolygonsJob\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "polygons(PolygonsJob(sys.argv[1], sys.argv[2], probability=sys.argv[1]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, mask, str(out)], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_the_command_prints_json_and_text(tmp_path):
    path = write_raster(tmp_path / "m.tif", blobs(), tags=TAGS)
    command = [sys.executable, "-m", "engine", "polygons", "--mask", path, "--out"]
    done = subprocess.run([*command, str(tmp_path / "a.gpkg"), "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["count"] == len(labels_of(blobs(), False))
    done = subprocess.run([*command, str(tmp_path / "b.gpkg")], capture_output=True, text=True, check=True)
    assert "hazard_area_m2" in done.stdout
    done = subprocess.run([*command, str(tmp_path / "b.gpkg")], capture_output=True, text=True)
    assert done.returncode == 2 and "exists" in done.stderr
