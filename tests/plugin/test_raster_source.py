"""Whatever QGIS shows reaches the engine: by its own file where that is the same, else as a faithful copy."""

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import (
    QgsProcessingFeedback,
    QgsRasterLayer,
    QgsRasterRange,
    QgsRectangle,
)
from qgis.PyQt.QtGui import QColor, QImage
from support import write_scene


@pytest.fixture
def read_layer():
    from hazard_mapper.hazard_plugin.raster_source import read_layer

    return read_layer


@pytest.fixture
def protocol():
    from hazard_mapper.engine import protocol

    return protocol


def copied(source, extent=None):
    """Pixels, geotransform, nodata and band names of the copy the engine would get."""
    with source.opened(extent, QgsProcessingFeedback(False)) as scene:
        raster = gdal.Open(scene.raster)
        names = [raster.GetRasterBand(i + 1).GetDescription() for i in range(raster.RasterCount)]
        nodata = raster.GetRasterBand(1).GetNoDataValue()
        return raster.ReadAsArray(), raster.GetGeoTransform(), nodata, names, scene.raster


def test_a_file_is_passed_through(read_layer, scene):
    source = read_layer(QgsRasterLayer(scene, "scene"))
    with source.opened(None, QgsProcessingFeedback(False)) as opened:
        assert (opened.raster, opened.crs, opened.extent, opened.open_options) == (scene, None, None, ())


def test_open_options_are_passed_on(read_layer, scene):
    source = read_layer(QgsRasterLayer(f"{scene}|option:NUM_THREADS=2", "scene"))
    assert source.path == scene and source.open_options == ("NUM_THREADS=2",)


def test_zipped_files_are_passed_through(read_layer, scene, tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "scene.zip", "w") as archive:
        archive.write(scene, "inside.tif")
    name = f"/vsizip/{tmp_path}/scene.zip/inside.tif"
    source = read_layer(QgsRasterLayer(name, "zipped"))
    assert source.path == name and not source.is_copied


def test_in_memory_pixels_are_copied_exactly(read_layer, scene):
    gdal.Translate("/vsimem/scene.tif", scene)
    pixels, transform, _nodata, names, path = copied(read_layer(QgsRasterLayer("/vsimem/scene.tif", "memory")))
    original = gdal.Open(scene)
    assert np.array_equal(pixels, original.ReadAsArray()) and pixels.dtype == np.uint16
    assert transform == original.GetGeoTransform()
    assert names == ["B02", "B03", "B04", "B08", "B11", "B12"]
    import os

    assert not os.path.exists(path), "the copy is removed after use"
    gdal.Unlink("/vsimem/scene.tif")


def test_a_copy_of_an_extent_snaps_outward_to_the_layers_pixels(read_layer, scene):
    gdal.Translate("/vsimem/part.tif", scene)
    wanted = QgsRectangle(500_103, 4_899_705, 500_197, 4_899_792)
    pixels, transform, *_ = copied(read_layer(QgsRasterLayer("/vsimem/part.tif", "memory")), wanted)
    assert (transform[0], transform[3]) == (500_100.0, 4_899_800.0)
    assert pixels.shape[1:] == (10, 10)
    assert np.array_equal(pixels, gdal.Open(scene).ReadAsArray(10, 20, 10, 10))
    gdal.Unlink("/vsimem/part.tif")


def test_nodata_chosen_in_the_layer_is_honoured(read_layer, scene):
    layer = QgsRasterLayer(scene, "scene")
    original = gdal.Open(scene).ReadAsArray()
    chosen = float(original[0, 0, 0])
    layer.dataProvider().setUserNoDataValue(1, [QgsRasterRange(chosen, chosen)])
    pixels, *_ = copied(read_layer(layer))
    assert np.array_equal(np.isnan(pixels[0]), original[0] == chosen)
    assert np.array_equal(pixels[1], original[1])


def test_nodata_switched_off_in_the_layer_is_honoured(read_layer, tmp_path):
    path = write_scene(tmp_path / "nodata.tif")
    raster = gdal.Open(path, gdal.GA_Update)
    original = raster.ReadAsArray()
    raster.GetRasterBand(1).SetNoDataValue(float(original[0, 0, 0]))
    raster = None
    layer = QgsRasterLayer(path, "nodata")
    for band in range(1, 7):
        layer.dataProvider().setUseSourceNoDataValue(band, False)
    source = read_layer(layer)
    assert source.is_copied
    pixels, _transform, nodata, *_ = copied(source)
    assert nodata is None and np.array_equal(pixels, original)


def test_map_tiles_become_red_green_blue_and_opacity(read_layer, tmp_path):
    colours = {(0, 0): "#ff0000", (1, 0): "#00ff00", (0, 1): "#0000ff", (1, 1): "#808080"}
    for (x, y), colour in colours.items():
        folder = tmp_path / "1" / str(x)
        folder.mkdir(parents=True, exist_ok=True)
        image = QImage(256, 256, QImage.Format.Format_ARGB32)
        image.fill(QColor(colour))
        image.save(str(folder / f"{y}.png"))
    uri = f"type=xyz&url=file://{tmp_path}/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmin=1&zmax=1"
    layer = QgsRasterLayer(uri, "tiles", "wms")
    assert layer.isValid()
    half = 20_037_508.342789244
    source = read_layer(layer, view_resolution=half / 256)
    pixels, transform, _nodata, _names, _path = copied(source, QgsRectangle(-half / 2, -half / 2, half / 2, half / 2))
    assert pixels.shape == (4, 256, 256)
    assert pixels[:, 40, 40].tolist() == [255, 0, 0, 255]
    assert pixels[:, 40, 200].tolist() == [0, 255, 0, 255]
    assert pixels[:, 200, 40].tolist() == [0, 0, 255, 255]
    assert transform[1] == pytest.approx(half / 256)


def test_tiles_that_show_nothing_are_refused(read_layer, protocol, tmp_path):
    uri = f"type=xyz&url=file://{tmp_path}/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmin=1&zmax=1"
    source = read_layer(QgsRasterLayer(uri, "tiles", "wms"), view_resolution=10)
    area = QgsRectangle(0, 0, 640, 640)
    with pytest.raises(protocol.BadInput, match="shows nothing"), source.opened(area, QgsProcessingFeedback(False)):
        pass


def test_a_whole_world_of_tiles_is_refused_with_its_size(read_layer, protocol, tmp_path):
    uri = f"type=xyz&url=file://{tmp_path}/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmin=1&zmax=1"
    source = read_layer(QgsRasterLayer(uri, "tiles", "wms"))
    with pytest.raises(protocol.BadInput, match="choose Visible extent"), source.opened(None, QgsProcessingFeedback()):
        pass


def test_complex_pixels_in_memory_are_refused(read_layer, protocol):
    raster = gdal.GetDriverByName("GTiff").Create("/vsimem/complex.tif", 4, 4, 1, gdal.GDT_CFloat32)
    raster.SetGeoTransform((0, 1, 0, 4, 0, -1))
    raster = None
    source = read_layer(QgsRasterLayer("/vsimem/complex.tif", "complex"))
    with pytest.raises(protocol.BadInput, match="complex numbers"), source.opened(None, QgsProcessingFeedback()):
        pass
    gdal.Unlink("/vsimem/complex.tif")


def test_cancelling_a_copy_stops_it(read_layer, protocol, scene):
    gdal.Translate("/vsimem/cancel.tif", scene)
    feedback = QgsProcessingFeedback(False)
    feedback.cancel()
    source = read_layer(QgsRasterLayer("/vsimem/cancel.tif", "memory"))
    with pytest.raises(protocol.Cancelled), source.opened(None, feedback):
        pass
    gdal.Unlink("/vsimem/cancel.tif")


def test_a_missing_file_is_refused(read_layer, protocol, tmp_path):
    with pytest.raises(protocol.BadInput, match="'gone' is broken"):
        read_layer(QgsRasterLayer(str(tmp_path / "gone.tif"), "gone"))
