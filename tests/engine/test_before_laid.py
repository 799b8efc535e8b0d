"""An earlier scene is read on the grid of a later one, whatever its own grid, CRS and resolution."""

import numpy as np
import pytest
from osgeo import gdal, osr

from engine.protocol import BadInput, InspectJob
from engine.raster import Scene, Window
from engine.raster.earlier import laid_onto

GRIDS = {
    "the same": (32632, (500000, 10, 0, 5000000, 0, -10)),
    "south-up": (32632, (500000, 10, 0, 4999000, 0, 10)),
    "turned": (32632, (500000, 8, 3, 5000000, 3, -8)),
    "in degrees": (4326, (9.0, 1e-4, 0, 45.155, 0, -1e-4)),
}


def _write(path, values, epsg, geotransform, nodata=None, names=(), scale=None):
    bands = np.atleast_3d(values) if values.ndim == 3 else values[None]
    kind = gdal.GDT_Float32 if bands.dtype.kind == "f" else gdal.GDT_UInt16
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), bands.shape[2], bands.shape[1], len(bands), kind)
    if epsg:
        crs = osr.SpatialReference()
        crs.ImportFromEPSG(epsg)
        dataset.SetProjection(crs.ExportToWkt())
        dataset.SetGeoTransform(geotransform)
    for index, band in enumerate(bands):
        into = dataset.GetRasterBand(index + 1)
        into.WriteArray(band)
        if names:
            into.SetDescription(names[index])
        if nodata is not None:
            into.SetNoDataValue(nodata)
        if scale is not None:
            into.SetScale(scale)
    dataset = None
    return str(path)


def _ramp(x, y):
    """A field that interpolation keeps: linear on the ground."""
    return (0.2 + 1e-5 * (x - 500000) + 2e-5 * (y - 5000000)).astype("f4")


def _ground(geotransform, width, height):
    column, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    a, b, c, d, e, f = geotransform
    return a + b * column + c * row, d + e * column + f * row


@pytest.mark.parametrize("name", list(GRIDS))
def test_values_are_those_of_the_ground_under_each_pixel(tmp_path, name):
    epsg, grid = GRIDS[name]
    later = _write(tmp_path / "later.tif", np.ones((60, 80), "f4"), epsg, grid)
    x, y = _ground((498000, 10, 0, 5002000, 0, -10), 700, 700)
    earlier = _write(tmp_path / "earlier.tif", _ramp(x, y), 32632, (498000, 10, 0, 5002000, 0, -10), names=("B03",))
    with Scene(InspectJob(raster=later)) as onto, Scene(InspectJob(raster=earlier)) as own:
        with laid_onto(own, onto.georeference, onto.name) as view, Scene(InspectJob(raster=view)) as laid:
            assert (laid.width, laid.height) == (80, 60)
            assert [band.description for band in laid.bands] == ["B03"]
            found, valid = laid.read_window(Window(0, 0, 80, 60), laid.understand())
    east, north = _ground(grid, 80, 60)
    if epsg == 4326:
        geographic, projected = osr.SpatialReference(), osr.SpatialReference()
        geographic.ImportFromEPSG(4326)
        projected.ImportFromEPSG(32632)
        geographic.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
        points = np.stack([east.ravel(), north.ravel()], 1)
        moved = np.asarray(osr.CoordinateTransformation(geographic, projected).TransformPoints(points.tolist()))
        east, north = moved[:, 0].reshape(60, 80), moved[:, 1].reshape(60, 80)
    inside = (east > 498020) & (east < 504980) & (north > 4995020) & (north < 5001980)
    assert inside.any() and valid[inside].all()
    assert np.abs(found[0] - _ramp(east, north))[inside].max() < 1e-4


def test_what_lies_outside_the_earlier_scene_and_its_nodata_are_not_valid(tmp_path):
    grid = (500000, 10, 0, 5000000, 0, -10)
    later = _write(tmp_path / "later.tif", np.ones((40, 40), "f4"), 32632, grid)
    values = np.full((40, 40), 0.3, "f4")
    values[:10] = -9999
    earlier = _write(tmp_path / "earlier.tif", values, 32632, (500200, 10, 0, 5000000, 0, -10), -9999, ("B03",))
    with Scene(InspectJob(raster=later)) as onto, Scene(InspectJob(raster=earlier)) as own:
        with laid_onto(own, onto.georeference, onto.name) as view, Scene(InspectJob(raster=view)) as laid:
            found, valid = laid.read_window(Window(0, 0, 40, 40), laid.understand())
    assert not valid[:, :19].any() and not valid[:9].any()
    assert valid[11:, 21:].all() and np.abs(found[0][11:, 21:] - 0.3).max() < 1e-6


def test_a_shift_moves_the_earlier_scene_right_and_down_on_the_grid(tmp_path):
    grid = (500000, 10, 0, 5000000, 0, -10)
    later = _write(tmp_path / "later.tif", np.ones((40, 40), "f4"), 32632, grid)
    values = np.full((40, 40), 0.1, "f4")
    values[10, 12] = 0.9
    earlier = _write(tmp_path / "earlier.tif", values, 32632, grid, names=("B03",))
    with Scene(InspectJob(raster=later)) as onto, Scene(InspectJob(raster=earlier)) as own:
        with laid_onto(own, onto.georeference, onto.name, (3, -2)) as view, Scene(InspectJob(raster=view)) as laid:
            found, _ = laid.read_window(Window(0, 0, 40, 40), laid.understand())
    assert np.unravel_index(found[0].argmax(), found[0].shape) == (8, 15)


def test_finer_pixels_are_averaged_and_scales_are_kept(tmp_path):
    later = _write(tmp_path / "later.tif", np.ones((10, 10), "f4"), 32632, (500000, 40, 0, 5000000, 0, -40))
    random = np.random.default_rng(0)
    values = random.integers(1000, 3000, (40, 40)).astype("u2")
    earlier = _write(tmp_path / "e.tif", values, 32632, (500000, 10, 0, 5000000, 0, -10), names=("B03",), scale=0.0001)
    with Scene(InspectJob(raster=later)) as onto, Scene(InspectJob(raster=earlier)) as own:
        with laid_onto(own, onto.georeference, onto.name) as view, Scene(InspectJob(raster=view)) as laid:
            found, valid = laid.read_window(Window(0, 0, 10, 10), own.understand())
    means = values.reshape(10, 4, 10, 4).mean((1, 3)) * 1e-4
    assert valid.all() and np.abs(found[0] - means).max() < 1e-4


def test_scenes_that_cannot_be_laid_over_each_other_are_told(tmp_path):
    grid = (500000, 10, 0, 5000000, 0, -10)
    with_crs = _write(tmp_path / "with.tif", np.ones((20, 20), "f4"), 32632, grid)
    without = _write(tmp_path / "without.tif", np.ones((20, 20), "f4"), None, None)
    other = _write(tmp_path / "other.tif", np.ones((30, 20), "f4"), None, None)
    with Scene(InspectJob(raster=with_crs)) as first, Scene(InspectJob(raster=without)) as second:
        with pytest.raises(BadInput, match="has no CRS"), laid_onto(second, first.georeference, first.name):
            pass
    with Scene(InspectJob(raster=other)) as first, Scene(InspectJob(raster=without)) as second:
        with pytest.raises(BadInput, match="georeference both"), laid_onto(second, first.georeference, first.name):
            pass
    with Scene(InspectJob(raster=without)) as first, Scene(InspectJob(raster=without)) as second:
        with laid_onto(second, first.georeference, first.name) as view, Scene(InspectJob(raster=view)) as laid:
            assert (laid.width, laid.height) == (20, 20)
            assert laid.dataset.ReadAsArray()[0].mean() == 1.0
    assert gdal.ReadDir("/vsimem/") in (None, [])
