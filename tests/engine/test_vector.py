"""Areas: which pixels lie inside, against a point-in-polygon test written out and GDAL's own transformations."""

import json

import numpy as np
import pytest
from osgeo import gdal, ogr, osr
from scenes import read, run, write_raster

from engine.protocol import BadInput
from engine.raster import Window
from engine.raster.georeference import read_georeference
from engine.vector import AreaMask

UTM = (500000, 10, 0, 5000000, 0, -10)
ROTATED = (500000, 8, 6, 5000000, 6, -8)


def grid(geotransform=UTM, width=60, height=50, crs="EPSG:32632", gcps=()):
    memory = gdal.GetDriverByName("MEM").Create("", width, height, 1)
    wkt = ""
    if crs:
        reference = osr.SpatialReference()
        reference.SetFromUserInput(crs)
        wkt = reference.ExportToWkt()
    if gcps:
        memory.SetGCPs(gcps, wkt)
    else:
        memory.SetGeoTransform(geotransform)
        memory.SetProjection(wkt)
    return read_georeference(memory, None)


def write_vector(path, wkts, crs="EPSG:32632", driver="GPKG", layers=1):
    dataset = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    reference = None
    if crs:
        reference = osr.SpatialReference()
        reference.SetFromUserInput(crs)
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    for number in range(layers):
        layer = dataset.CreateLayer(f"layer{number}", reference, ogr.wkbUnknown)
        layer.StartTransaction()
        for wkt in wkts:
            feature = ogr.Feature(layer.GetLayerDefn())
            feature.SetGeometry(ogr.CreateGeometryFromWkt(wkt) if wkt else None)
            layer.CreateFeature(feature)
        layer.CommitTransaction()
    dataset = None
    return str(path)


def inside(ring, x, y):
    """Even-odd rule at points."""
    result = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1], strict=True):
        crosses = (y0 > y) != (y1 > y)
        with np.errstate(all="ignore"):
            result ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return result


def centres(geotransform, width=60, height=50):
    a, b, c, d, e, f = geotransform
    column, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return a + b * column + c * row, d + e * column + f * row


def wkt_of(*rings):
    return "POLYGON(" + ",".join("(" + ",".join(f"{x} {y}" for x, y in [*r, r[0]]) + ")" for r in rings) + ")"


OUTER = [(500103, 4999911), (500517, 4999877), (500481, 4999602), (500207, 4999588)]
HOLE = [(500251, 4999801), (500333, 4999797), (500329, 4999713), (500247, 4999719)]


@pytest.mark.parametrize("geotransform", [UTM, ROTATED, (500000, 10, 0, 4999500, 0, 10)])
def test_pixels_belong_to_the_area_if_their_centre_does(tmp_path, geotransform):
    area = AreaMask(write_vector(tmp_path / "a.gpkg", [wkt_of(OUTER, HOLE)]), grid(geotransform))
    x, y = centres(geotransform)
    expected = inside(OUTER, x, y) & ~inside(HOLE, x, y)
    assert expected.any()
    assert np.array_equal(area.read_window(Window(0, 0, 60, 50)), expected)
    assert np.array_equal(area.read_window(Window(13, 7, 20, 30)), expected[7:37, 13:33])


def test_several_polygons_layers_and_kinds_add_up(tmp_path):
    other = [(500010, 4999990), (500052, 4999990), (500052, 4999950), (500010, 4999950)]
    multi = f"MULTIPOLYGON({wkt_of(OUTER)[7:]},{wkt_of(other)[7:]})"
    collection = f"GEOMETRYCOLLECTION(POINT(500000 5000000),{wkt_of(other)})"
    x, y = centres(UTM)
    for wkts in ([wkt_of(OUTER), wkt_of(other)], [multi], [wkt_of(OUTER), collection], [None, multi, "POLYGON EMPTY"]):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.gpkg"
        area = AreaMask(write_vector(path, wkts, layers=2), grid())
        assert np.array_equal(area.read_window(Window(0, 0, 60, 50)), inside(OUTER, x, y) | inside(other, x, y))


def test_curved_and_three_dimensional_polygons_are_taken(tmp_path):
    circle = "CURVEPOLYGON(CIRCULARSTRING(500200 4999800,500300 4999900,500400 4999800,500300 4999700,500200 4999800))"
    area = AreaMask(write_vector(tmp_path / "a.gpkg", [circle]), grid())
    x, y = centres(UTM)
    round_area = (x - 500300) ** 2 + (y - 4999800) ** 2 < 100**2
    assert (area.read_window(Window(0, 0, 60, 50)) != round_area).mean() < 0.003
    high = "POLYGON Z((500103 4999911 5,500517 4999877 5,500481 4999602 5,500207 4999588 5,500103 4999911 5))"
    found = AreaMask(write_vector(tmp_path / "b.gpkg", [high]), grid()).read_window(Window(0, 0, 60, 50))
    assert np.array_equal(found, inside(OUTER, x, y))


def test_polygons_in_another_crs_keep_straight_edges_where_they_are_straight(tmp_path):
    """A long edge along a parallel is curved in UTM: it has to follow the parallel."""
    reference = grid((300000, 1000, 0, 5500000, 0, -1000), 400, 400)
    path = tmp_path / "a.geojson"
    box = [[6.5, 46.5], [11.5, 46.5], [11.5, 48.5], [6.5, 48.5], [6.5, 46.5]]
    path.write_text(
        json.dumps({"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [box]}})
    )
    found = AreaMask(str(path), reference).read_window(Window(0, 0, 400, 400))
    column, row = np.meshgrid(np.arange(400) + 0.5, np.arange(400) + 0.5)
    lonlat = reference.to_lonlat(np.stack([column.ravel(), row.ravel()], axis=1)).reshape(400, 400, 2)
    expected = (abs(lonlat[..., 0] - 9) < 2.5) & (abs(lonlat[..., 1] - 47.5) < 1)
    assert (found != expected).mean() < 0.0005


WORLD = "POLYGON((-180 -85,180 -85,180 85,-180 85,-180 -85))"
NORTH = "POLYGON((-180 0,180 0,180 90,-180 90,-180 0))"


@pytest.mark.parametrize("wkt", [WORLD, NORTH, "POLYGON((-170 -80,-170 85,170 85,170 -80,5 -80,-170 -80))"])
@pytest.mark.parametrize(
    ("geotransform", "crs"),
    [(UTM, "EPSG:32632"), (ROTATED, "EPSG:32632"), ((819049, 10, 0, 1000000, 0, -10), "EPSG:32660")],
)
def test_an_area_that_contains_the_scene_takes_all_of_it(tmp_path, wkt, geotransform, crs):
    if crs == "EPSG:32660":
        wkt = WORLD if wkt == WORLD else NORTH
    found = AreaMask(write_vector(tmp_path / "a.gpkg", [wkt], "EPSG:4326"), grid(geotransform, crs=crs))
    assert found.read_window(Window(0, 0, 60, 50)).all()
    assert found.bounds == Window(0, 0, 60, 50)


def test_what_an_area_of_any_size_leaves_out_stays_out(tmp_path):
    """A hemisphere with a hole in it, whose edges cross itself far away from the scene."""
    hole = "(9.003 45.15,9.003 45.152,9.005 45.152,9.005 45.15,9.003 45.15)"
    half = f"POLYGON((-180 0,180 0,180 89,170 60,180 60,170 89,-180 89,-180 0),{hole})"
    found = AreaMask(write_vector(tmp_path / "a.gpkg", [half], "EPSG:4326"), grid())
    column, row = np.meshgrid(np.arange(60) + 0.5, np.arange(50) + 0.5)
    lonlat = grid().to_lonlat(np.stack([column.ravel(), row.ravel()], axis=1)).reshape(50, 60, 2)
    expected = ~((abs(lonlat[..., 0] - 9.004) < 0.001) & (abs(lonlat[..., 1] - 45.151) < 0.001))
    assert 0 < (~expected).sum() < 3000
    assert (found.read_window(Window(0, 0, 60, 50)) != expected).mean() < 0.005


def box(west, south, east, north):
    return wkt_of([(west, south), (east, south), (east, north), (west, north)])


AT_180 = {
    "split": ([box(179.5, -18, 180, -17), box(-180, -18, -179.6, -17)], "EPSG:4326"),
    "going on": ([box(179.5, -18, 180.4, -17)], "EPSG:4326"),
    "the other way": ([box(-180.5, -18, -179.6, -17)], "EPSG:4326"),
    "eastings": ([box(19981848.60, -2037548.54, 20037508.34, -1920825.04),
                  box(-20037508.34, -2037548.54, -19992980.55, -1920825.04)], "EPSG:3857"),
}  # fmt: skip


@pytest.mark.parametrize("kind", AT_180)
@pytest.mark.parametrize(
    ("geotransform", "crs"),
    [
        ((179.2, 0.02, 0, -16.49, 0, -0.04), "EPSG:4326"),
        ((-180.8, 0.02, 0, -16.49, 0, -0.04), "EPSG:4326"),
        ((19948455, 2230, 0, -1860000, 0, -5000), "EPSG:3857"),
        ((720000, 3000, 0, 8170000, 0, -4000), "EPSG:32760"),
    ],
)
def test_areas_across_the_date_line_lie_on_every_scene_across_it(tmp_path, kind, geotransform, crs):
    wkts, vector_crs = AT_180[kind]
    reference = grid(geotransform, crs=crs)
    found = AreaMask(write_vector(tmp_path / "a.gpkg", wkts, vector_crs), reference).read_window(Window(0, 0, 60, 50))
    column, row = np.meshgrid(np.arange(60) + 0.5, np.arange(50) + 0.5)
    lonlat = reference.to_lonlat(np.stack([column.ravel(), row.ravel()], axis=1)).reshape(50, 60, 2)
    east = lonlat[..., 0] % 360
    expected = (abs(east - 179.95) < 0.45) & (abs(lonlat[..., 1] + 17.5) < 0.5)
    assert expected.sum() > 500 and (east[expected] > 180).any()
    assert (found != expected).mean() < 0.003


def test_an_area_in_utm_across_the_date_line_lies_on_a_scene_in_degrees(tmp_path):
    reference = grid((179.2, 0.02, 0, -16.49, 0, -0.04), crs="EPSG:4326")
    ring = [(780000, 8120000), (850000, 8120000), (850000, 8040000), (780000, 8040000)]
    area = AreaMask(write_vector(tmp_path / "a.gpkg", [wkt_of(ring)], "EPSG:32760"), reference)
    column, row = np.meshgrid(np.arange(60) + 0.5, np.arange(50) + 0.5)
    utm = osr.SpatialReference()
    utm.ImportFromEPSG(32760)
    ground = reference.to_ground(np.stack([column.ravel(), row.ravel()], axis=1))
    x, y, _ = np.array(osr.CoordinateTransformation(reference.crs, utm).TransformPoints(ground.tolist())).T
    expected = inside(ring, x, y).reshape(50, 60)
    assert expected.sum() > 300
    assert (area.read_window(Window(0, 0, 60, 50)) != expected).mean() < 0.003


def test_areas_in_degrees_lie_on_a_scene_round_the_earth(tmp_path):
    wkts = [box(-180, -60, -90, 0), box(100, 10, 180, 50)]
    for crs in ("EPSG:4326", "EPSG:4258"):
        area = AreaMask(
            write_vector(tmp_path / f"{crs[5:]}.gpkg", wkts, crs), grid((-180, 6, 0, 90, 0, -3.6), crs="EPSG:4326")
        )
        x, y = centres((-180, 6, 0, 90, 0, -3.6))
        expected = ((x < -90) & (y > -60) & (y < 0)) | ((x > 100) & (y > 10) & (y < 50))
        assert np.array_equal(area.read_window(Window(0, 0, 60, 50)), expected)


def test_areas_on_ground_control_points(tmp_path):
    points = [
        gdal.GCP(500000 + 8 * x + 6 * y, 5000000 + 6 * x - 8 * y, 0, x, y) for x in (0, 30, 60) for y in (0, 25, 50)
    ]
    area = AreaMask(write_vector(tmp_path / "a.gpkg", [wkt_of(OUTER)]), grid(gcps=points))
    x, y = centres(ROTATED)
    assert np.array_equal(area.read_window(Window(0, 0, 60, 50)), inside(OUTER, x, y))


def test_an_area_without_crs_is_in_the_scenes(tmp_path):
    x, y = centres(UTM)
    for crs, vector_crs in ((None, None), ("EPSG:32632", None), (None, "EPSG:32632")):
        path = tmp_path / f"{crs}{vector_crs}".replace(":", "")
        path.mkdir()
        vector = write_vector(path / "a.shp", [wkt_of(OUTER)], vector_crs, driver="ESRI Shapefile")
        found = AreaMask(vector, grid(crs=crs)).read_window(Window(0, 0, 60, 50))
        assert np.array_equal(found, inside(OUTER, x, y))


@pytest.mark.parametrize(
    ("wkts", "message"),
    [
        ([], "no polygon"),
        (["POINT(500100 4999900)", "LINESTRING(500100 4999900,500200 4999800)"], "no polygon"),
        (["POLYGON EMPTY", None], "no polygon"),
        (["POLYGON((0 0,10 0,10 10,0 0))"], "lies on the scene"),
    ],
)
def test_areas_that_cannot_be_used_are_said(tmp_path, wkts, message):
    with pytest.raises(BadInput, match=message):
        AreaMask(write_vector(tmp_path / "a.gpkg", wkts), grid())


def test_files_that_are_no_polygons_are_said(tmp_path):
    (tmp_path / "text.gpkg").write_text("hello")
    raster = write_raster(tmp_path / "s.tif", np.zeros((5, 5), "u1"))
    for path in (tmp_path / "text.gpkg", tmp_path / "none.gpkg", raster, "/dev/zero", "a\0b"):
        with pytest.raises(BadInput) as error:
            AreaMask(str(path), grid())
        assert "\n" not in str(error.value)


def test_polygons_beyond_their_crs_are_taken_as_far_as_they_lie_on_the_scene_or_said(tmp_path):
    far = "POLYGON((-1e30 -1e30,1e30 -1e30,1e30 1e30,-1e30 1e30,-1e30 -1e30))"
    path = write_vector(tmp_path / "a.gpkg", [far], "EPSG:4326")
    assert AreaMask(path, grid()).read_window(Window(0, 0, 60, 50)).all()
    with pytest.raises(BadInput, match="cannot be brought to the scene's CRS; cut it to the scene"):
        AreaMask(path, grid((-2e7, 7e5, 0, 1.5e7, 0, -6e5), crs="EPSG:3857"))  # it reaches round the Earth


def test_a_degenerate_hole_does_not_lose_its_polygon(tmp_path):
    thin = wkt_of(OUTER)[:-1] + ",(500251 4999801,500251 4999801,500251 4999801))"
    area = AreaMask(write_vector(tmp_path / "a.gpkg", [thin]), grid())
    x, y = centres(UTM)
    assert np.array_equal(area.read_window(Window(0, 0, 60, 50)), inside(OUTER, x, y))


@pytest.mark.parametrize("gsd", [10.0, 60.0, 1.0])
def test_outside_the_area_nothing_is_assessed(tmp_path, gsd):
    values = np.random.default_rng(0).uniform(0.1, 0.9, (900, 850)).astype("f4")
    values[:100, :100] = np.nan
    raster = write_raster(tmp_path / "s.tif", values, geotransform=(500000, gsd, 0, 5000000, 0, -gsd))
    rings = [
        [(500000 + x * gsd, 5000000 - y * gsd) for x, y in ring]
        for ring in ([(20, 20), (300, 40), (280, 400), (40, 333)], [(700, 700), (840, 705), (800, 890)])
    ]
    vector = write_vector(tmp_path / "a.gpkg", [wkt_of(ring) for ring in rings])
    result, mask, probability = run(tmp_path, raster, area=vector)
    x, y = centres((500000, gsd, 0, 5000000, 0, -gsd), 850, 900)
    wanted = inside(rings[0], x, y) | inside(rings[1], x, y)
    assessed = wanted & np.isfinite(values)
    assert np.array_equal(mask != 255, assessed)
    assert np.array_equal(read(tmp_path / "probability.tif") != 255, assessed)
    assert result["share_assessed"] == pytest.approx(assessed.sum() / wanted.sum(), abs=1e-5)
    if gsd >= 10:
        assert np.abs(probability - values * 100)[assessed].max() <= 0.51


def test_many_polygons_do_not_slow_every_window_down(tmp_path):
    import time

    generator = np.random.default_rng(0)
    squares = []
    for x, y in generator.uniform(0, 100_000, (5_000, 2)):
        squares.append(wkt_of([(500000 + x, 5000000 - y), (500050 + x, 5000000 - y), (500050 + x, 4999950 - y)]))
    area = AreaMask(write_vector(tmp_path / "a.gpkg", squares), grid(width=10_000, height=10_000))
    began = time.monotonic()
    for i in range(60):
        area.read_window(Window(i * 100, i * 100, 100, 100))
    assert time.monotonic() - began < 1.5
