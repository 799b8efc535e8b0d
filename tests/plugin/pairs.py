"""Two simulated dates of one place for tests: a lake on both, a flood on the later one."""

import numpy as np
import pytest
from osgeo import gdal, osr
from qgis import processing
from qgis.core import QgsProcessingException

SEGMENT = "hazardmapper:segmenthazard"
HEIGHT, WIDTH = 96, 128
LAKE = (slice(24, 64), slice(12, 40))
FLOOD = (slice(24, 64), slice(64, 104))
NAMES = ("B02", "B03", "B04", "B08", "B11", "B12")
LAND = (0.05, 0.08, 0.07, 0.30, 0.22, 0.13)
WATER = (0.06, 0.06, 0.04, 0.02, 0.01, 0.01)


def texture(seed=3, side=256):
    """Smooth noise around 1 that both dates share, so that a shift between them can be found."""
    frequency = np.fft.fftfreq(side)
    soft = np.exp(-30 * (frequency[:, None] ** 2 + frequency[None, :] ** 2))
    field = np.fft.ifft2(np.fft.fft2(np.random.default_rng(seed).normal(size=(side, side))) * soft).real
    return 1 + 0.12 * field / field.std()


def write_date(path, *, flooded, date="", epsg=32633, origin=(500_000.0, 4_900_000.0), columns=slice(None)):
    """Six bands of reflectance times 10000; returns the path as text."""
    land = texture()[40 : 40 + HEIGHT, 40 : 40 + WIDTH]
    water = np.zeros((HEIGHT, WIDTH), bool)
    water[LAKE] = True
    if flooded:
        water[FLOOD] = True
    planes = [np.where(water, wet, dry * land) for wet, dry in zip(WATER, LAND, strict=True)]
    values = (np.stack(planes) * 10000).round().astype("u2")[:, :, columns]
    bands, height, width = values.shape
    raster = gdal.GetDriverByName("GTiff").Create(str(path), width, height, bands, gdal.GDT_UInt16)
    raster.SetGeoTransform((origin[0] + 10 * (columns.start or 0), 10, 0, origin[1], 0, -10))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(epsg)
    raster.SetProjection(reference.ExportToWkt())
    if date:
        raster.SetMetadataItem("ACQUISITION_DATE", date)
    for number, (name, plane) in enumerate(zip(NAMES, values, strict=True), start=1):
        raster.GetRasterBand(number).WriteArray(plane)
        raster.GetRasterBand(number).SetDescription(name)
    raster = None
    return str(path)


def values_of(pair, tmp_path, **parameters):
    """Parameters of the algorithm for a later and an earlier scene."""
    later, earlier = pair
    return {"INPUT": later, "BEFORE": earlier, "HAZARD": "flood", "OUTPUT": str(tmp_path / "mask.tif"), **parameters}


def refusal(pair, tmp_path, **parameters):
    """The sentence with which the algorithm refuses them."""
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(SEGMENT, values_of(pair, tmp_path, **parameters))
    return [line for line in str(caught.value).splitlines() if line.strip()][-1]
