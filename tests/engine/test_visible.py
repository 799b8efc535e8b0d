"""What is looked at of a scene: where windows lie, which of their pixels are asked for, and how much ground that is."""

import numpy as np
import pytest
from osgeo import ogr, osr
from scenes import write_raster

from engine.model import load_model
from engine.preparing import prepare_scene, wanted_window
from engine.protocol import SegmentJob
from engine.raster import Scene, Window
from engine.reporting import Report
from engine.vector import AreaMask
from engine.visible import WINDOW_PX, counted_once, look_at, narrowed

BANDS = ("green", "nir")
TOP = 5100000.0


def write_boxes(path, *boxes):
    """Rectangles (column, row, width, height in pixels of a scene of 10 m) as a GeoPackage; returns its path."""
    reference = osr.SpatialReference()
    reference.SetFromUserInput("EPSG:32632")
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = source.CreateLayer("boxes", reference, ogr.wkbPolygon)
    for x, y, width, height in boxes:
        left, top, right, bottom = 500000 + 10 * x, TOP - 10 * y, 500000 + 10 * (x + width), TOP - 10 * (y + height)
        feature = ogr.Feature(layer.GetLayerDefn())
        corners = f"{left} {top},{right} {top},{right} {bottom},{left} {bottom},{left} {top}"
        feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POLYGON (({corners}))"))
        layer.CreateFeature(feature)
    del layer, source
    return str(path)


def extent(x, y, width, height):
    return 500000.0 + 10 * x, TOP - 10 * (y + height), 500000.0 + 10 * (x + width), TOP - 10 * y


def looked_at(raster, boxes=None, folder=None, gsd_m=10.0, **job):
    """What is looked at of a raster, the part that is, and the grid."""
    job = SegmentJob(raster=raster, hazard="flood", bands=BANDS, units="reflectance", mask="m.tif", **job)
    with Scene(job) as scene:
        area = AreaMask(write_boxes(folder / "boxes.gpkg", *boxes), scene.georeference) if boxes else None
        part = narrowed(wanted_window(scene), area)
        card = load_model("unet").card
        prepared = prepare_scene(scene, scene.understand(), part, card, lambda text: None)
        return look_at(scene, prepared, part, area, card.window_multiple, Report()), part, prepared.grid


def noise(width, height, nodata_columns=0):
    values = np.random.default_rng(1).uniform(0.02, 0.4, (2, height, width)).astype("f4")
    values[:, :, :nodata_columns] = np.nan
    return values


def counted_m2(visible):
    """Ground that the judged pixels cover, of 10 m."""
    return int(visible.views.counted.sum()) * 100


def test_windows_lie_where_a_small_polygon_is(tmp_path):
    raster = write_raster(tmp_path / "s.tif", noise(384, 384), names=BANDS)
    visible, part, _ = looked_at(raster, [(250, 20, 120, 117)], tmp_path)
    assert part == Window(250, 20, 120, 117)
    assert int(visible.views.valid.sum()) == 120 * 117
    assert (visible.share_valid, visible.area_m2) == (1.0, 120 * 117 * 100)


@pytest.mark.parametrize("boxes", [[(1300, 1250, 110, 100)], [(5, 7, 60, 50), (1300, 1250, 110, 100)]])
def test_small_polygons_far_from_the_centre_of_a_large_scene_are_found(tmp_path, boxes):
    raster = write_raster(tmp_path / "s.tif", noise(1500, 1400), names=BANDS)
    visible, _, grid = looked_at(raster, boxes, tmp_path)
    expected = sum(width * height for *_, width, height in boxes)
    assert int(visible.views.counted.sum()) == expected, "each pixel once"
    assert visible.area_m2 == pytest.approx(expected * 100, rel=1e-6)
    for left, top in visible.places:
        assert any(
            left < x + width - grid.covered.x and x - grid.covered.x < left + WINDOW_PX
            and top < y + height - grid.covered.y and y - grid.covered.y < top + WINDOW_PX
            for x, y, width, height in boxes
        )  # fmt: skip


def test_a_long_thin_polygon_is_followed(tmp_path):
    raster = write_raster(tmp_path / "s.tif", noise(2000, 1900), names=BANDS)
    visible, *_ = looked_at(raster, [(0, 3, 2000, 6), (3, 0, 6, 1900)], tmp_path)
    assert int(visible.views.valid.sum()) > 15_000
    assert visible.area_m2 == pytest.approx((2000 * 6 + 1900 * 6 - 36) * 100, rel=0.01)


def test_what_surrounds_an_extent_is_seen_and_does_not_count(tmp_path):
    raster = write_raster(tmp_path / "s.tif", noise(300, 300), names=BANDS)
    visible, part, grid = looked_at(raster, extent=extent(100, 120, 11, 11))
    assert part == Window(100, 120, 11, 11) and (grid.width, grid.height) == (75, 75)
    views = visible.views
    assert int(views.valid.sum()) == 121
    assert views.valid[0, 32:43, 32:43].all()
    measured = views.planes[:, views.names().index("available_green")] > 0
    assert int(measured.sum()) == 75 * 75
    assert (visible.share_valid, visible.area_m2) == (1.0, 121 * 100)


def test_what_surrounds_polygons_is_seen_and_does_not_count(tmp_path):
    raster = write_raster(tmp_path / "s.tif", noise(300, 300), names=BANDS)
    visible, *_ = looked_at(raster, [(100, 120, 60, 50)], tmp_path)
    measured = visible.views.planes[:, visible.views.names().index("available_green")] > 0
    assert int(measured.sum()) == 124 * 114 and int(visible.views.valid.sum()) == 3000


@pytest.mark.parametrize(("width", "height"), [(100, 90), (384, 384), (300, 700)])
def test_ground_is_counted_once_and_padding_never(tmp_path, width, height):
    raster = write_raster(tmp_path / "s.tif", noise(width, height, 10), names=BANDS)
    visible, *_ = looked_at(raster)
    if width < 300:
        assert visible.share_valid == pytest.approx((width - 10) / width)
    assert visible.area_m2 == pytest.approx((width - 10) * height * 100, rel=0.04)
    assert counted_m2(visible) <= (width - 10) * height * 100
    if width != 300:
        assert counted_m2(visible) == (width - 10) * height * 100


def test_pixels_of_overlapping_windows_count_in_the_nearest_ones():
    first, second = counted_once([(0, 0), (2, 0)], (1, 6))
    assert first.tolist() == [[True, True, True, True, False, False]]
    assert second.tolist() == [[False, False, True, True, True, True]]
    assert all(once.all() for once in counted_once([(0, 0), (6, 0), (0, 1)], (1, 6)))


def test_an_extent_without_polygons_has_nothing_valid(tmp_path):
    raster = write_raster(tmp_path / "s.tif", noise(300, 300), names=BANDS)
    visible, *_ = looked_at(raster, [(200, 200, 60, 50)], tmp_path, extent=extent(0, 0, 100, 100))
    assert visible.views is None and visible.area_m2 == 0


def test_coarse_views_count_the_middles_of_their_pixels(tmp_path):
    raster = write_raster(
        tmp_path / "s.tif", noise(400, 400), names=BANDS, geotransform=(500000.0, 1.0, 0.0, TOP, 0.0, -1.0)
    )
    visible, _, grid = looked_at(raster, extent=(500100.0, TOP - 200, 500220.0, TOP - 100))
    factor = grid.across.down
    assert factor > 1
    assert int(visible.views.valid.sum()) == pytest.approx(120 * 100 / factor**2, rel=0.1)
    assert visible.area_m2 == pytest.approx(120 * 100)
