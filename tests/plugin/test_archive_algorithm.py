"""Segment an archive, with the engine's own worker: outputs, table in the project, a second run, a bad scene."""

import numpy as np
import pytest
from osgeo import gdal, osr
from qgis import processing
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)

ARCHIVE = "hazardmapper:archive"


@pytest.fixture
def scenes(tmp_path):
    """Two scenes with water on the left, and one that is damaged."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    for name, columns in (("one", 16), ("two", 32)):
        values = np.full((4, 64, 64), 900, np.uint16)
        values[3] = 3000
        values[:, :, :columns] = 500
        values[3, :, :columns] = 100
        values += np.random.default_rng(0).integers(0, 30, values.shape).astype(np.uint16)
        raster = gdal.GetDriverByName("GTiff").Create(str(folder / f"{name}.tif"), 64, 64, 4, gdal.GDT_UInt16)
        raster.SetGeoTransform((500_000.0, 10.0, 0, 4_900_000.0, 0, -10.0))
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(32633)
        raster.SetProjection(reference.ExportToWkt())
        for index, band in enumerate(("blue", "green", "red", "nir")):
            raster.GetRasterBand(index + 1).SetDescription(band)
        raster.WriteArray(values)
        raster = None
    (folder / "bad.tif").write_text("no raster")
    return folder


class Told(QgsProcessingFeedback):
    """Remembers what a run says."""

    def __init__(self):
        super().__init__(False)
        self.warnings = []

    def pushWarning(self, text):
        self.warnings.append(text)


def run(parameters, feedback=None):
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    found = processing.run(ARCHIVE, {"MODEL": "unet", **parameters}, context=context, feedback=feedback or Told())
    return found, context


def test_masks_and_a_table_come_of_a_folder_and_a_second_run_skips(engine, scenes, tmp_path):
    told = Told()
    parameters = {
        "FOLDER": str(scenes),
        "HAZARD": "flood",
        "UNITS": "reflectance*10000",
        "OUTPUT": str(tmp_path / "out"),
    }
    found, context = run(parameters, told)
    assert (found["SCENES"], found["DONE"], found["SKIPPED"], found["FAILED"]) == (3, 2, 0, 1)
    assert any("bad.tif" in warning for warning in told.warnings) and found["FAILURES"].startswith("bad.tif: ")
    assert len(context.layersToLoadOnCompletion()) == 1
    layer = QgsVectorLayer(found["LAYER"], "table", "ogr")
    rows = {feature["scene"]: feature for feature in layer.getFeatures()}
    assert layer.crs().authid() == "EPSG:4326" and set(rows) == {"one.tif", "two.tif", "bad.tif"}
    for name, columns in (("one", 16), ("two", 32)):
        mask = gdal.Open(str(tmp_path / "out" / f"{name}_flood.tif")).ReadAsArray()
        assert (mask == 1).mean() == pytest.approx(columns / 64, abs=0.06)
        assert rows[f"{name}.tif"]["area_m2"] == pytest.approx((mask == 1).sum() * 100, rel=2e-3)
    found, _ = run(parameters)
    assert (found["DONE"], found["SKIPPED"], found["FAILED"]) == (0, 2, 1)


def test_what_cannot_be_is_refused_in_a_sentence(engine, scenes, tmp_path):
    out = str(tmp_path / "out")
    (tmp_path / "list.txt").write_text("scenes/one.tif\n")
    for parameters, reason in (
        ({"OUTPUT": out}, "either a folder"),
        ({"FOLDER": str(scenes), "LIST": str(tmp_path / "list.txt"), "OUTPUT": out}, "either a folder"),
        ({"FOLDER": str(scenes), "OUTPUT": str(scenes)}, "among the scenes"),
        ({"FOLDER": str(tmp_path / "none"), "OUTPUT": out}, "There is no folder"),
        ({"FOLDER": str(scenes), "OUTPUT": out, "PATTERN": "*.nothing"}, "holds no scene"),
    ):
        with pytest.raises(QgsProcessingException, match=reason):
            run(parameters)
    found, _ = run({"LIST": str(tmp_path / "list.txt"), "OUTPUT": out, "UNITS": "reflectance*10000"})
    assert (found["SCENES"], found["DONE"]) == (1, 1)
