"""Pixels and ground: against closed formulas of the ellipsoid and GDAL's own transformers."""

import math

import numpy as np
import pytest
from osgeo import gdal, osr
from scenes import write_raster

from engine.protocol import BadInput
from engine.raster.georeference import Window, read_georeference, turn_of

A, F = 6378137.0, 1 / 298.257223563
E2 = F * (2 - F)


def georeference(width, height, geotransform, crs, gcps=()):
    memory = gdal.GetDriverByName("MEM").Create("", width, height, 1)
    wkt = ""
    if crs:
        reference = osr.SpatialReference()
        reference.SetFromUserInput(crs)
        wkt = reference.ExportToWkt()
    if geotransform:
        memory.SetGeoTransform(geotransform)
        memory.SetProjection(wkt)
    if gcps:
        memory.SetGCPs(gcps, wkt)
    return read_georeference(memory, None)


def zone_area(south_deg, north_deg, width_deg):
    """Area between parallels and meridians by numerical integration of the ellipsoid's radii of curvature."""
    latitude = np.radians(np.linspace(south_deg, north_deg, 20001))
    w = 1 - E2 * np.sin(latitude) ** 2
    strip = A * (1 - E2) / w**1.5 * A * np.cos(latitude) / np.sqrt(w)
    integrate = np.trapezoid if hasattr(np, "trapezoid") else np.trapz  # numpy 2 renamed it
    return float(integrate(strip, latitude) * math.radians(width_deg))


@pytest.mark.parametrize("south", [-90, -46, 0, 45, 70, 89])
def test_one_degree_cells_have_the_area_of_the_ellipsoid(south):
    reference = georeference(100, 100, (10, 0.01, 0, south + 1, 0, -0.01), "EPSG:4326")
    areas = reference.cell_pixel_areas(Window(0, 0, 100, 100), 128, (1, 1))
    assert areas.shape == (1, 1)
    assert areas[0, 0] * 10_000 == pytest.approx(zone_area(south, south + 1, 1), rel=1e-7)


def test_the_known_area_of_a_degree_at_the_equator():
    reference = georeference(10, 10, (0, 0.1, 0, 1, 0, -0.1), "EPSG:4326")
    assert reference.cell_pixel_areas(Window(0, 0, 10, 10), 128, (1, 1))[0, 0] * 100 == pytest.approx(
        12_308_778_361, rel=5e-5
    )  # published for WGS 84 with geodesic edges, which bulge a little


@pytest.mark.parametrize("step", [0.5, 1.0, 5.0, 45.0])
def test_the_whole_earth_has_the_area_of_the_ellipsoid(step):
    width, height = int(360 / step), int(180 / step)
    reference = georeference(width, height, (-180, step, 0, 90, 0, -step), "EPSG:4326")
    areas = reference.cell_pixel_areas(Window(0, 0, width, height), 128, (1, 1))
    rows = np.diff(np.append(np.arange(0, height, 128), height))
    columns = np.diff(np.append(np.arange(0, width, 128), width))
    assert (areas * rows[:, None] * columns[None, :]).sum() == pytest.approx(5.10065621724e14, rel=1e-6)


@pytest.mark.parametrize("latitude", [0, 30, 60, 75])
def test_web_mercator_is_measured_on_the_ground(latitude):
    y = A * math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2))
    reference = georeference(200, 200, (1e6, 10, 0, y + 1000, 0, -10), "EPSG:3857")
    w = 1 - E2 * math.sin(math.radians(latitude)) ** 2
    east = 10 * math.cos(math.radians(latitude)) / math.sqrt(w)
    north = 10 * math.cos(math.radians(latitude)) * (1 - E2) / w**1.5
    assert reference.pixel_size_m() == pytest.approx((east, north), rel=2e-4)
    assert reference.cell_pixel_areas(Window(0, 0, 200, 200), 200, (1, 1))[0, 0] == pytest.approx(
        east * north, rel=5e-4
    )


@pytest.mark.parametrize("latitude", [0, 45, 78])
def test_degrees_are_measured_on_the_ground(latitude):
    reference = georeference(100, 100, (20, 0.001, 0, latitude + 0.05, 0, -0.001), "EPSG:4326")
    w = 1 - E2 * math.sin(math.radians(latitude)) ** 2
    east = A * math.cos(math.radians(latitude)) / math.sqrt(w) * math.radians(0.001)
    north = A * (1 - E2) / w**1.5 * math.radians(0.001)
    assert reference.pixel_size_m() == pytest.approx((east, north), rel=1e-4)


@pytest.mark.parametrize(
    ("crs", "size", "metres"),
    [("EPSG:32632", 10, 10), ("EPSG:2263", 10, 3.048006), ("EPSG:3035", 25, 25), ("EPSG:3413", 30, 30)],
)
def test_projected_pixels_have_their_nominal_size(crs, size, metres):
    origin = {"EPSG:2263": (980000, 200000), "EPSG:3035": (4321000, 3210000), "EPSG:3413": (500000, -1500000)}
    x, y = origin.get(crs, (500000, 5000000))
    reference = georeference(50, 50, (x, size, 0, y, 0, -size), crs)
    assert reference.pixel_size_m() == pytest.approx((metres, metres), rel=0.021)


def test_pixels_that_lie_across_the_date_line_have_their_nominal_size():
    utm = georeference(10, 10, (0, 10, 0, 0, 0, -10), "EPSG:32760").crs
    x, y, _ = osr.CoordinateTransformation(utm.CloneGeogCS(), utm).TransformPoint(180.0, -16.8)
    east = georeference(10, 10, (x - 55, 10, 0, y + 50, 0, -10), "EPSG:32760")
    assert east.pixel_size_m() == pytest.approx((10, 10), rel=0.01)


@pytest.mark.parametrize(
    ("crs", "turn"),
    [
        ("EPSG:4326", 360),
        ("EPSG:4807", 400),  # in grads
        ("EPSG:3857", 2 * math.pi * A),
        ("EPSG:3832", 2 * math.pi * A),
        (
            "EPSG:3994",
            2 * math.pi * A * math.cos(math.radians(41)) / math.sqrt(1 - E2 * math.sin(math.radians(41)) ** 2),
        ),
        ("EPSG:32760", 0),
        ("EPSG:3375", 0),
        ("EPSG:3031", 0),
    ],
)
def test_turns_lead_along_x_in_geographic_and_mercator_systems(crs, turn):
    assert turn_of(georeference(4, 4, (0, 1, 0, 0, 0, -1), crs).crs) == pytest.approx(turn, rel=1e-9)
    assert turn_of(None) == 0


def test_equidistant_cylindrical_pixels_shrink_towards_the_poles():
    reference = georeference(50, 50, (0, 1000, 0, math.radians(60) * A, 0, -1000), "EPSG:4087")
    east, north = reference.pixel_size_m()
    assert east == pytest.approx(500, rel=0.02)
    assert north == pytest.approx(1000, rel=0.01)


def test_a_site_grid_in_metres_has_its_own_size():
    reference = georeference(
        50, 50, (0, 2, 0, 0, 0, -2), 'LOCAL_CS["site",UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]'
    )
    assert reference.pixel_size_m() == (2, 2)
    assert reference.cell_pixel_areas(Window(0, 0, 50, 50), 128, (2, 2)).tolist() == [[4.0]]


def test_a_utm_pixel_has_almost_its_nominal_area():
    for x in (200000, 500000, 800000):
        reference = georeference(500, 500, (x, 10, 0, 5000000, 0, -10), "EPSG:32632")
        areas = reference.cell_pixel_areas(Window(0, 0, 500, 500), 128, (1, 1))
        scale = 0.9996 * (1 + ((x + 2500 - 500000) / 6378000) ** 2 / 2)
        assert areas.mean() == pytest.approx(100 / scale**2, rel=1e-4)


def test_areas_across_the_date_line_and_over_the_pole_stay_right():
    line = georeference(256, 256, (833000 - 128 * 10, 10, 0, 100000, 0, -10), "EPSG:32660")
    assert line.cell_pixel_areas(Window(0, 0, 256, 256), 128, (1, 1)) == pytest.approx(100, rel=0.01)
    pole = georeference(100, 100, (-50_000, 1000, 0, 50_000, 0, -1000), "EPSG:3031")
    scale = 0.97276901  # of the projection, at the pole (standard parallel 71 degrees south)
    assert pole.cell_pixel_areas(Window(0, 0, 100, 100), 128, (1, 1)) == pytest.approx(1e6 / scale**2, rel=0.002)


TRANSFORMS = {
    "north-up": (500000, 10, 0, 5000000, 0, -10),
    "south-up": (500000, 10, 0, 5000000, 0, 10),
    "east-left": (500000, -10, 0, 5000000, 0, -10),
    "rotated": (500000, 8, 6, 5000000, 6, -8),
    "sheared": (500000, 10, 3, 5000000, 1, -12),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_ground_and_pixels_are_inverse(name):
    reference = georeference(40, 30, TRANSFORMS[name], "EPSG:32632")
    pixels = np.random.default_rng(0).uniform(-5, 45, (50, 2))
    a, b, c, d, e, f = TRANSFORMS[name]
    ground = np.stack([a + b * pixels[:, 0] + c * pixels[:, 1], d + e * pixels[:, 0] + f * pixels[:, 1]], axis=1)
    assert np.allclose(reference.to_ground(pixels), ground)
    assert np.allclose(reference.to_pixels(ground), pixels, atol=1e-6)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_an_extent_takes_every_pixel_it_touches(name):
    reference = georeference(40, 30, TRANSFORMS[name], "EPSG:32632")
    for x, y, width, height in ((3, 4, 10, 11), (0, 0, 40, 30), (39, 29, 1, 1)):
        inner = [
            (x + 0.1, y + 0.1),
            (x + width - 0.1, y + 0.1),
            (x + 0.1, y + height - 0.1),
            (x + width - 0.1, y + height - 0.1),
        ]
        ground = reference.to_ground(np.array(inner))
        (xmin, ymin), (xmax, ymax) = ground.min(axis=0), ground.max(axis=0)
        found = reference.window_of((xmin, ymin, xmax, ymax))
        assert found.x <= x and found.y <= y
        assert found.x + found.width >= x + width and found.y + found.height >= y + height
        if name not in ("rotated", "sheared"):
            assert found == Window(x, y, width, height)


def test_extents_on_pixel_edges_take_no_neighbour_and_others_snap_outward():
    reference = georeference(40, 30, TRANSFORMS["north-up"], "EPSG:32632")
    assert reference.window_of((500100, 4999800, 500200, 4999900)) == Window(10, 10, 10, 10)
    assert reference.window_of((500101, 4999801, 500199, 4999899)) == Window(10, 10, 10, 10)
    assert reference.window_of((500099, 4999799, 500201, 4999901)) == Window(9, 9, 12, 12)
    assert reference.window_of((499000, 4999000, 500005, 6000000)) == Window(0, 0, 1, 30)


@pytest.mark.parametrize("extent", [(0, 0, 1, 1), (500400, 4999800, 500500, 4999900), (-1e308, -1e308, -1e307, -1e307)])
def test_an_extent_outside_is_refused_and_the_scene_named(extent):
    reference = georeference(40, 30, TRANSFORMS["north-up"], "EPSG:32632")
    with pytest.raises(BadInput, match="lies outside the scene, which spans 500000,4999700,500400,5000000"):
        reference.window_of(extent)


def test_an_extent_of_any_size_is_clipped():
    reference = georeference(40, 30, TRANSFORMS["north-up"], "EPSG:32632")
    assert reference.window_of((-1.7e308, -1.7e308, 1.7e308, 1.7e308)) == Window(0, 0, 40, 30)


def test_without_georeference_extents_are_pixels_counted_up_or_down():
    reference = georeference(40, 30, None, None)
    assert reference.window_of((5, -20, 15, -10)) == Window(5, 10, 10, 10)  # as QGIS shows it
    assert reference.window_of((5, 10, 15, 20)) == Window(5, 10, 10, 10)  # as pixel and line
    assert reference.pixel_size_m() is None


def gcps_of(geotransform, width, height, bend=0.0):
    a, b, c, d, e, f = geotransform
    points = []
    for i in range(4):
        for j in range(4):
            x, y = width * i / 3, height * j / 3
            points.append(gdal.GCP(a + b * x + c * y + bend * x * y, d + e * x + f * y, 0, x, y))
    return points


def test_ground_control_points_agree_with_gdals_transformer():
    points = gcps_of(TRANSFORMS["rotated"], 40, 30, bend=0.001)
    reference = georeference(40, 30, None, "EPSG:32632", points)
    memory = gdal.GetDriverByName("MEM").Create("", 40, 30, 1)
    memory.SetGCPs(points, reference.crs.ExportToWkt())
    transformer = gdal.Transformer(memory, None, [])
    pixels = np.array([[0, 0], [40, 30], [11.5, 7.25]], float)
    expected, _ = transformer.TransformPoints(0, pixels.tolist())
    assert np.allclose(reference.to_ground(pixels), np.array(expected)[:, :2])
    assert np.allclose(reference.to_pixels(np.array(expected)[:, :2]), pixels, atol=1e-3)
    assert reference.pixel_size_m() == pytest.approx((10, 10), rel=0.02)
    assert reference.window_of((499900, 4999700, 501000, 5001000)) == Window(0, 0, 40, 30)


def test_too_few_ground_control_points_are_said():
    reference = georeference(40, 30, None, "EPSG:32632", [gdal.GCP(0, 0, 0, 0, 0), gdal.GCP(0, 0, 0, 0, 0)])
    with pytest.raises(BadInput, match="control points"):
        reference.pixel_size_m()


@pytest.mark.parametrize(
    "geotransform",
    [
        (0, 0, 0, 0, 0, 0),
        (0, 1, 1, 0, 1, 1),
        (0, math.nan, 0, 0, 0, 1),
        (math.inf, 1, 0, 0, 0, -1),
        (1e308, 1e308, 0, 1e308, 0, -1e308),
    ],
)
def test_a_degenerate_geotransform_is_refused(geotransform):
    with pytest.raises(BadInput, match="degenerate"):
        georeference(4, 4, geotransform, "EPSG:32632")


def test_a_crs_can_be_given_and_a_wrong_one_is_refused(tmp_path):
    dataset = gdal.Open(write_raster(tmp_path / "s.tif", np.zeros((5, 5), "u1"), crs=None))
    assert read_georeference(dataset, "EPSG:32632").crs_name() == "EPSG:32632"
    with pytest.raises(BadInput, match="is not understood"):
        read_georeference(dataset, "EPSG:99999999")
    with pytest.raises(BadInput, match="is not understood"):
        read_georeference(dataset, "no such thing")
