"""What a mask does not assess: polygons on pixel edges, wherever the raster lies."""

import os

import numpy as np
import pytest
from osgeo import gdal, ogr
from scenes import write_raster

from engine.protocol import BadInput, Cancelled, OutputFailed, UnassessedJob
from engine.unassessed import unassessed

ROTATED = (500000.0, 8.0, 6.0, 5100000.0, 6.0, -8.0)


@pytest.fixture
def out(tmp_path):
    return str(tmp_path / "holes.gpkg")


def mask_with_ring():
    """A block of 6 x 5 pixels not assessed with a hole of 2, and one pixel at the corner."""
    mask = np.zeros((20, 30), np.uint8)
    mask[4:9, 10:16] = 255
    mask[6, 12:14] = 1
    mask[19, 29] = 255
    return mask


def polygons_of(path):
    source = ogr.Open(path)
    return [feature.GetGeometryRef().Clone() for feature in source.GetLayer(0)], source.GetLayer(0).GetSpatialRef()


@pytest.mark.parametrize(
    ("geotransform", "pixel_m2"),
    [((500000.0, 10.0, 0.0, 5100000.0, 0.0, -10.0), 100.0), (ROTATED, 100.0), ((5e5, 10, 0, 5e6, 0, 10), 100.0)],
)
def test_area_is_that_of_the_pixels_and_holes_stay(tmp_path, out, geotransform, pixel_m2):
    path = write_raster(tmp_path / "mask.tif", mask_with_ring(), geotransform=geotransform, nodata=[255])
    result = unassessed(UnassessedJob(mask=path, out=out))
    found, crs = polygons_of(out)
    assert sorted(round(polygon.GetArea(), 6) for polygon in found) == [pixel_m2, 28 * pixel_m2]
    assert sorted(polygon.GetGeometryCount() for polygon in found) == [1, 2] and all(p.IsValid() for p in found)
    assert result["polygons"] == 2 and result["share_assessed"] == round(1 - 29 / 600, 6)
    assert crs.GetAuthorityCode(None) == "32632"
    assert sorted(os.listdir(tmp_path)) == ["holes.gpkg", "mask.tif"]


def test_outline_of_a_rotated_raster_is_smaller_than_its_extent(tmp_path, out):
    path = write_raster(tmp_path / "mask.tif", mask_with_ring(), geotransform=ROTATED)
    ring = np.asarray(unassessed(UnassessedJob(mask=path, out=out))["outline"])
    x, y = ring[:-1].T
    area = abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
    assert (ring[0] == ring[-1]).all() and area == pytest.approx(600 * 100)


def test_raster_with_ground_control_points_is_placed_by_them(tmp_path, out):
    gcps = [gdal.GCP(500000 + 10 * x, 5100000 - 10 * y, 0, x, y) for x, y in ((0, 0), (30, 0), (0, 20), (30, 20))]
    path = write_raster(tmp_path / "mask.tif", mask_with_ring(), gcps=gcps)
    unassessed(UnassessedJob(mask=path, out=out))
    found, _ = polygons_of(out)
    assert sorted(round(polygon.GetArea()) for polygon in found) == [100, 2800]


def test_a_mask_that_assesses_all_gives_no_polygon(tmp_path, out):
    path = write_raster(tmp_path / "mask.tif", np.zeros((3, 1), np.uint8))
    assert unassessed(UnassessedJob(mask=path, out=out))["polygons"] == 0
    assert polygons_of(out)[0] == []


def test_pixels_that_touch_at_a_corner_are_polygons_of_their_own(tmp_path, out):
    mask = np.where(np.indices((8, 8)).sum(axis=0) % 2, 255, 0).astype(np.uint8)
    unassessed(UnassessedJob(mask=write_raster(tmp_path / "mask.tif", mask), out=out))
    found, _ = polygons_of(out)
    assert len(found) == 32 and all(polygon.IsValid() for polygon in found)


def test_without_a_crs_it_is_refused(tmp_path, out):
    path = write_raster(tmp_path / "mask.tif", mask_with_ring(), crs=None)
    with pytest.raises(BadInput, match="has no CRS"):
        unassessed(UnassessedJob(mask=path, out=out))
    assert not os.path.exists(out)


def test_existing_polygons_are_replaced_only_when_allowed(tmp_path, out):
    path = write_raster(tmp_path / "mask.tif", mask_with_ring())
    unassessed(UnassessedJob(mask=path, out=out))
    with pytest.raises(OutputFailed, match="exists"):
        unassessed(UnassessedJob(mask=path, out=out))
    assert unassessed(UnassessedJob(mask=path, out=out, overwrite=True))["polygons"] == 2


@pytest.mark.parametrize("at", [0.0, 0.41, 0.95])
def test_cancel_leaves_nothing(tmp_path, out, at):
    class Impatient:
        job_id = "j"

        def stage(self, *_):
            pass

        def progress(self, share, low, high):
            if low + share * (high - low) >= at:
                raise Cancelled("stop")

    mask = np.where(np.random.default_rng(1).random((300, 300)) < 0.5, 255, 0).astype(np.uint8)
    path = write_raster(tmp_path / "mask.tif", mask)
    with pytest.raises(Cancelled):
        unassessed(UnassessedJob(mask=path, out=out), Impatient())
    assert os.listdir(tmp_path) == ["mask.tif"]
