"""A monitoring series gains one row a date and hazard, and is as it was when something fails."""

import json
import os
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from osgeo import gdal, ogr
from scenes import write_raster

from engine.protocol import BadInput, Cancelled, OutputFailed, SeriesJob
from engine.reporting import Report
from engine.series import series
from engine.vector import series_table

PIXEL_M2 = 100.0


@pytest.fixture
def table(tmp_path):
    return str(tmp_path / "series.gpkg")


def codes(columns):
    """Hazard in so many columns from the left, 40 rows; the last row is not assessed."""
    found = np.zeros((40, 50), np.uint8)
    found[:, :columns] = 1
    found[-1] = 255
    return found


def mask_of(tmp_path, day, columns, name=None, **tags):
    known = {
        "HAZARD": "flood",
        "HAZARD_MODEL": "unet",
        "HAZARD_THRESHOLD": "0.47",
        "HAZARD_SCENE": f"S2_{day}.tif",
        "HAZARD_SCENE_DATE": day,
        **tags,
    }
    known = {tag: value for tag, value in known.items() if value}
    return write_raster(tmp_path / f"{name or 'mask_' + day}.tif", codes(columns), nodata=[255], tags=known)


def rows_of(table, name="series"):
    """Rows as another program sees them."""
    with sqlite3.connect(table) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f'SELECT * FROM "{name}" ORDER BY date, added_at')]


def test_rows_tell_areas_and_what_was_gained_and_lost_since_the_row_before(tmp_path, table):
    for day, columns in (("2024-09-01", 10), ("2024-09-10", 25), ("2024-09-20", 15)):
        result = series(SeriesJob(mask_of(tmp_path, day, columns), table))
    rows = rows_of(table)
    assert [row["date"] for row in rows] == ["2024-09-01", "2024-09-10", "2024-09-20"]
    pixel = 39 * PIXEL_M2
    assert [row["area_m2"] for row in rows] == pytest.approx([10 * pixel, 25 * pixel, 15 * pixel], rel=2e-3)
    assert rows[1]["area_ha"] == pytest.approx(rows[1]["area_m2"] / 1e4)
    assert [row["gained_m2"] for row in rows] == [None, pytest.approx(15 * pixel, rel=2e-3), 0]
    assert [row["lost_m2"] for row in rows] == [None, 0, pytest.approx(10 * pixel, rel=2e-3)]
    assert rows[0]["share_assessed"] == pytest.approx(39 / 40) and rows[0]["mask"] == "mask_2024-09-01.tif"
    assert (rows[0]["model"], rows[0]["threshold"], rows[0]["scene"]) == ("unet", 0.47, "S2_2024-09-01.tif")
    assert rows[0]["added_at"].endswith("Z") and result["rows"] == 3
    assert sorted(name for name in os.listdir(tmp_path) if name.startswith(".")) == []


def test_it_is_a_table_without_geometry_that_gdal_reads(tmp_path, table):
    series(SeriesJob(mask_of(tmp_path, "2024-09-01", 10), table, name="Faenza flood"))
    source = ogr.Open(table)
    layer = source.GetLayerByName("Faenza flood")
    definition = layer.GetLayerDefn()
    kinds = {definition.GetFieldDefn(i).GetName(): definition.GetFieldDefn(i).GetTypeName() for i in range(12)}
    assert layer.GetGeomType() == ogr.wkbNone and layer.GetFeatureCount() == 1
    assert (kinds["date"], kinds["area_m2"], kinds["added_at"]) == ("Date", "Real", "DateTime")


def test_a_second_row_of_one_date_hazard_and_scene_needs_replace(tmp_path, table):
    series(SeriesJob(mask_of(tmp_path, "2024-09-01", 10), table))
    with pytest.raises(BadInput, match="has a row of 2024-09-01"):
        series(SeriesJob(mask_of(tmp_path, "2024-09-01", 20), table))
    assert len(rows_of(table)) == 1
    result = series(SeriesJob(mask_of(tmp_path, "2024-09-01", 20), table, replace=True))
    (row,) = rows_of(table)
    assert row["area_m2"] == pytest.approx(20 * 39 * PIXEL_M2, rel=2e-3) and result["replaced"]
    series(SeriesJob(mask_of(tmp_path, "2024-09-01", 20, "slides", HAZARD="landslide"), table))
    series(SeriesJob(mask_of(tmp_path, "2024-09-01", 20, "other", HAZARD_SCENE="other.tif"), table))
    assert len(rows_of(table)) == 3


def test_a_row_between_two_gives_the_later_one_a_new_row_before(tmp_path, table):
    for day, columns in (("2024-09-01", 10), ("2024-09-20", 15), ("2024-09-10", 25)):
        series(SeriesJob(mask_of(tmp_path, day, columns), table))
    pixel = 39 * PIXEL_M2
    rows = rows_of(table)
    assert [row["gained_m2"] for row in rows] == [None, pytest.approx(15 * pixel, rel=2e-3), 0]
    assert [row["lost_m2"] for row in rows] == [None, 0, pytest.approx(10 * pixel, rel=2e-3)]


def test_without_the_earlier_mask_nothing_is_said_of_change(tmp_path, table):
    first = mask_of(tmp_path, "2024-09-01", 10)
    series(SeriesJob(first, table))
    os.remove(first)
    result = series(SeriesJob(mask_of(tmp_path, "2024-09-10", 25), table))
    assert result["gained_m2"] is None and rows_of(table)[1]["lost_m2"] is None


def test_the_date_is_found_given_or_asked_for(tmp_path, table):
    undated = mask_of(tmp_path, "2024-09-01", 10, HAZARD_SCENE_DATE="")
    with pytest.raises(BadInput, match="does not say the day"):
        series(SeriesJob(undated, table))
    assert not os.path.exists(table)
    assert series(SeriesJob(undated, table, date="2023-01-31"))["date"] == "2023-01-31"
    assert rows_of(table)[0]["date"] == "2023-01-31"


def other_layer(table):
    source = ogr.GetDriverByName("GPKG").CreateDataSource(table)
    layer = source.CreateLayer("roads", None, ogr.wkbLineString)
    layer.CreateField(ogr.FieldDefn("name", ogr.OFTString))
    feature = ogr.Feature(layer.GetLayerDefn())
    feature.SetField("name", "A14")
    feature.SetGeometry(ogr.CreateGeometryFromWkt("LINESTRING(0 0,1 1)"))
    layer.CreateFeature(feature)
    feature = layer = source = None


def test_other_layers_of_the_geopackage_stay(tmp_path, table):
    other_layer(table)
    series(SeriesJob(mask_of(tmp_path, "2024-09-01", 10), table))
    source = ogr.Open(table)
    assert {source.GetLayer(i).GetName() for i in range(2)} == {"roads", "series"}
    assert source.GetLayerByName("roads").GetNextFeature().GetField("name") == "A14"
    with pytest.raises(BadInput, match="is no series"):
        series(SeriesJob(mask_of(tmp_path, "2024-09-01", 10), table, name="roads"))


@pytest.mark.parametrize("exists", [True, False])
def test_a_failure_while_writing_leaves_the_file_as_it_was(tmp_path, table, exists, monkeypatch):
    if exists:
        series(SeriesJob(mask_of(tmp_path, "2024-09-01", 10), table))
    before = rows_of(table) if exists else None
    files = sorted([*os.listdir(tmp_path), "mask_2024-09-10.tif"])

    def broken(feature, values):
        raise RuntimeError("disk I/O error")

    monkeypatch.setattr(series_table, "_fill", broken)
    with pytest.raises(OutputFailed, match="disk I/O error"):
        series(SeriesJob(mask_of(tmp_path, "2024-09-10", 25), table, replace=True))
    assert sorted(os.listdir(tmp_path)) == files
    assert not exists or rows_of(table) == before


def test_a_locked_file_is_refused_and_one_that_is_open_elsewhere_gets_its_row(tmp_path, table):
    series(SeriesJob(mask_of(tmp_path, "2024-09-01", 10), table))
    shown = sqlite3.connect(table)
    shown.execute("PRAGMA journal_mode=WAL")
    assert shown.execute("SELECT count(*) FROM series").fetchone() == (1,)
    series(SeriesJob(mask_of(tmp_path, "2024-09-10", 25), table))
    assert shown.execute("SELECT count(*) FROM series").fetchone() == (2,)
    shown.isolation_level = None
    shown.execute("BEGIN IMMEDIATE")
    gdal.SetConfigOption("SQLITE_BUSY_TIMEOUT", "50")
    try:
        with pytest.raises(OutputFailed, match="locked"):
            series(SeriesJob(mask_of(tmp_path, "2024-09-20", 25), table))
    finally:
        gdal.SetConfigOption("SQLITE_BUSY_TIMEOUT", None)
    shown.execute("ROLLBACK")
    assert shown.execute("SELECT count(*) FROM series").fetchone() == (2,)
    shown.close()


def test_cancel_and_foreign_files_change_nothing(tmp_path, table):
    mask = mask_of(tmp_path, "2024-09-01", 10)
    report = Report()
    report.cancelled.set()
    with pytest.raises(Cancelled):
        series(SeriesJob(mask, table), report)
    assert not os.path.exists(table)
    with open(table, "w") as file:
        file.write("no database")
    with pytest.raises(BadInput, match="GeoPackage"):
        series(SeriesJob(mask, table))
    assert open(table).read() == "no database"
    change = write_raster(tmp_path / "c.tif", codes(3), tags={"HAZARD_CHANGE_JOB": "{}"})
    with pytest.raises(BadInput, match="change between"):
        series(SeriesJob(change, str(tmp_path / "new.gpkg"), date="2024-01-01"))
    with pytest.raises(OutputFailed, match="does not exist"):
        series(SeriesJob(mask, str(tmp_path / "nowhere" / "s.gpkg")))


def test_the_command_line_adds_rows(tmp_path, table):
    words = [sys.executable, "-m", "engine", "series", "--mask", mask_of(tmp_path, "2024-09-01", 10), "--table", table]
    told = subprocess.run([*words, "--json"], capture_output=True, text=True, check=True).stdout
    assert json.loads(told)["rows"] == 1
    again = subprocess.run([*words], capture_output=True, text=True)
    assert again.returncode == 2 and again.stderr.count("\n") == 1 and "--replace" in again.stderr
    told = subprocess.run([*words, "--replace"], capture_output=True, text=True, check=True).stdout
    assert "area_ha" in told
