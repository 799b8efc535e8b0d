"""Masks that follow what was drawn and removed by hand, against pixels counted by hand."""

import json

import numpy as np
import pytest
from osgeo import gdal, ogr, osr
from scenes import read, write_raster

from engine.correct import correct
from engine.protocol import BadInput, CorrectJob

LEFT, TOP = 500000.0, 5100000.0


def write_polygons(path, shapes, epsg=32632, field="origin"):
    """Rectangles ``(origin, column, row, columns, rows)`` of 10 m pixels as polygons."""
    crs, utm = osr.SpatialReference(), osr.SpatialReference()
    crs.ImportFromEPSG(epsg)
    utm.ImportFromEPSG(32632)
    for reference in (crs, utm):
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = source.CreateLayer("flood", crs, ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn(field, ogr.OFTString))
    for origin, column, row, columns, rows in shapes:
        x, y = LEFT + 10 * column, TOP - 10 * row
        right, bottom = x + 10 * columns, y - 10 * rows
        ring = f"{x} {y},{right} {y},{right} {bottom},{x} {bottom},{x} {y}"
        geometry = ogr.CreateGeometryFromWkt(f"POLYGON(({ring}))")
        geometry.Segmentize(20)
        geometry.Transform(osr.CoordinateTransformation(utm, crs))
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetField(field, origin)
        feature.SetGeometry(geometry)
        layer.CreateFeature(feature)
    return str(path)


@pytest.fixture
def mask(tmp_path):
    values = np.zeros((1500, 40), "u1")
    values[:, 10:20] = 1
    values[100:110] = 255
    values[200:210, 5:15] = 2
    tags = {"HAZARD": "flood", "HAZARD_MODEL": "unet"}
    return write_raster(tmp_path / "mask.tif", values, tags=tags, nodata=[255]), values


def run(tmp_path, mask, polygons):
    found = correct(CorrectJob(mask, polygons, str(tmp_path / "out.tif"), overwrite=True))
    return found, read(tmp_path / "out.tif")


@pytest.mark.parametrize("epsg", [32632, 4326])
def test_manual_becomes_hazard_removed_becomes_none_and_manual_wins(tmp_path, mask, epsg):
    path, values = mask
    shapes = [("manual", 2, 1000, 6, 40), ("removed", 8, 1020, 8, 30), ("model", 25, 5, 5, 5), ("manual", 0, 95, 5, 10)]
    found, became = run(tmp_path, path, write_polygons(tmp_path / "p.gpkg", shapes, epsg))
    expected = values.copy()
    removed = np.zeros(values.shape, bool)
    removed[1020:1050, 8:16] = True
    expected[removed & (values == 1)] = 0
    expected[1000:1040, 2:8] = 1
    expected[95:105, 0:5] = 1  # also where it was not assessed
    assert np.array_equal(became, expected)
    assert found["hazard_area_m2"] == pytest.approx((expected == 1).sum() * 100, rel=2e-3)
    assert found["added_m2"] == pytest.approx(((expected == 1) & (values != 1)).sum() * 100, rel=2e-3)
    assert found["removed_m2"] == pytest.approx(((expected != 1) & (values == 1)).sum() * 100, rel=2e-3)
    assert found["share_assessed"] == pytest.approx((expected != 255).mean(), abs=1e-6)
    tags = gdal.Open(str(tmp_path / "out.tif")).GetMetadata()
    assert tags["HAZARD_MODEL"] == "unet" and json.loads(tags["HAZARD_CORRECTED"])["mask"] == path


def test_no_correction_changes_nothing_and_is_said(tmp_path, mask):
    path, values = mask
    found, became = run(tmp_path, path, write_polygons(tmp_path / "p.gpkg", [("model", 10, 0, 10, 5)]))
    assert np.array_equal(became, values) and "no correction" in found["warnings"][0]


def test_corrections_beside_the_mask_change_nothing(tmp_path, mask):
    path, values = mask
    _, became = run(tmp_path, path, write_polygons(tmp_path / "p.gpkg", [("manual", 4000, 0, 10, 5)]))
    assert np.array_equal(became, values)


def test_what_is_no_mask_or_says_no_origin_is_refused(tmp_path, mask):
    path, _ = mask
    before = sorted(entry.name for entry in tmp_path.iterdir())
    polygons = write_polygons(tmp_path / "p.gpkg", [("manual", 2, 2, 2, 2)], field="who")
    with pytest.raises(BadInput, match="no field 'origin'"):
        run(tmp_path, path, polygons)
    good = write_polygons(tmp_path / "q.gpkg", [("manual", 2, 2, 2, 2)])
    with pytest.raises(BadInput, match="holds 7"):
        run(tmp_path, write_raster(tmp_path / "m7.tif", np.full((5, 5), 7, "u1")), good)
    assert not (tmp_path / "out.tif").exists()
    assert {entry.name for entry in tmp_path.iterdir()} - {*before, "p.gpkg", "q.gpkg", "m7.tif"} == set()
    with pytest.raises(BadInput):
        CorrectJob(path, good, path)


@pytest.mark.parametrize(("told", "codes"), [("HAZARD_BEFORE", (1, 2)), ("HAZARD_REFINED", (1, 2, 3))])
def test_codes_of_compared_and_refined_masks_keep_their_colours(tmp_path, mask, told, codes):
    path = write_raster(tmp_path / "told.tif", mask[1], tags={"HAZARD": "flood", told: "{}"}, nodata=[255])
    run(tmp_path, path, write_polygons(tmp_path / "p.gpkg", [("manual", 2, 1000, 6, 40)]))
    opened = gdal.Open(str(tmp_path / "out.tif"))
    palette = opened.GetRasterBand(1).GetColorTable()
    assert len({palette.GetColorEntry(code) for code in (0, *codes)}) == len(codes) + 1
    assert all(f'value="{code}"' in (tmp_path / "out.qml").read_text() for code in codes)
