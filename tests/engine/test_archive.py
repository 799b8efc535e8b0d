"""Every scene of an archive gets its outputs and its row; what is complete is skipped, what fails is listed."""

import contextlib
import hashlib
import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal, ogr, osr
from scenes import UTM_10M, read, write_raster

from engine import archive_workers
from engine.archive import archive
from engine.archive_records import SceneTask, read_record
from engine.archive_scenes import list_scenes
from engine.protocol import ArchiveJob, BadInput, Cancelled, SegmentJob
from engine.raster.georeference import Georeference, Window
from engine.reporting import Report
from engine.segment import segment
from engine.vector.archive_table import footprint_wkt

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("blue", "green", "red", "nir")
LAND, WATER = (500, 800, 600, 3000), (700, 600, 400, 150)
PIXEL_M2 = 100.0


def write_scene(path, columns=30, size=64, **how):
    """Land with water in so many columns from the left, reflectance times 10 000."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(columns)
    values = np.empty((4, size, size))
    for band in range(4):
        values[band] = LAND[band]
        values[band, :, :columns] = WATER[band]
    values += draw.normal(0, 12, values.shape)
    return write_raster(path, values.astype(np.uint16), names=NAMES, **how)


def job_of(scenes, out, **options):
    values = {"hazard": "flood", "model": "unet", "units": "reflectance*10000", "workers": 0, "retries": 1}
    return ArchiveJob(str(scenes), str(out), **{**values, **options})


def rows_of(table):
    """Rows by scene, as another program sees them."""
    with sqlite3.connect(table) as database:
        database.row_factory = sqlite3.Row
        return {row["scene"]: dict(row) for row in database.execute("SELECT * FROM archive")}


def files_in(folder, hidden=False):
    """Files below a folder; those of hidden names only where wanted."""
    found = (path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file())
    return sorted(str(path) for path in found if hidden or not any(part.startswith(".") for part in path.parts))


def left_over(folder):
    return [name for name in files_in(folder, hidden=True) if ".partial" in name or name.endswith(".stop")]


@pytest.fixture
def scenes(tmp_path):
    """Three scenes, two of them named alike in different folders."""
    write_scene(tmp_path / "scenes" / "a" / "S2_2024-09-16.tif", 20)
    write_scene(tmp_path / "scenes" / "b" / "S2_2024-09-16.tif", 40)
    write_scene(tmp_path / "scenes" / "c.tif", 30)
    return tmp_path / "scenes"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_each_scene_gets_the_mask_that_it_gets_alone_and_a_row(tmp_path, scenes, out):
    result = archive(job_of(scenes, out, probability=True, polygons=True))
    assert {name: result[name] for name in ("scenes", "done", "skipped", "failed", "failures")} == {
        "scenes": 3, "done": 3, "skipped": 0, "failed": 0, "failures": [],
    }  # fmt: skip
    rows = rows_of(result["table"])
    assert set(rows) == {"a/S2_2024-09-16.tif", "b/S2_2024-09-16.tif", "c.tif"}
    for scene, columns in (("a/S2_2024-09-16.tif", 20), ("b/S2_2024-09-16.tif", 40), ("c.tif", 30)):
        alone = SegmentJob(
            str(scenes / scene), hazard="flood", mask=str(tmp_path / "alone.tif"), model="unet",
            units="reflectance*10000", probability=str(tmp_path / "alone_p.tif"), overwrite=True,
        )  # fmt: skip
        segment(alone)
        row = rows[scene]
        mask = out / row["mask"]
        assert np.array_equal(read(mask), read(alone.mask))
        assert np.array_equal(read(out / row["probability"]), read(alone.probability))
        assert (read(mask) == 1).mean() == pytest.approx(columns / 64, abs=0.06)
        assert row["area_m2"] == pytest.approx((read(mask) == 1).sum() * PIXEL_M2, rel=2e-3)
        assert row["mask_sha256"] == hashlib.sha256(mask.read_bytes()).hexdigest()
        assert row["scene_sha256"] == hashlib.sha256((scenes / scene).read_bytes()).hexdigest()
        assert (row["state"], row["hazard"], row["model"], row["attempts"]) == ("done", "flood", "unet", 1)
        assert row["date"] == ("2024-09-16" if "2024" in scene else None)
        layer = ogr.Open(str(out / row["polygons"]))
        area = sum(feature.GetField("area_m2") for feature in layer.GetLayer(0))
        assert area == pytest.approx(row["area_m2"], rel=1e-3)
    assert rows["c.tif"]["mask"] == "c_flood.tif" and rows["a/S2_2024-09-16.tif"]["mask"] == "a/S2_2024-09-16_flood.tif"
    assert left_over(out) == []


def test_footprints_are_the_scenes_outlines_in_degrees(scenes, out):
    table = archive(job_of(scenes, out))["table"]
    source = ogr.Open(table)
    layer = source.GetLayerByName("archive")
    assert layer.GetSpatialRef().GetAuthorityCode(None) == "4326" and layer.GetFeatureCount() == 3
    utm, degrees = osr.SpatialReference(), osr.SpatialReference()
    utm.ImportFromEPSG(32632)
    degrees.ImportFromEPSG(4326)
    degrees.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    back = osr.CoordinateTransformation(degrees, utm)
    for feature in layer:
        outline = feature.GetGeometryRef().Clone()
        outline.Transform(back)
        west, east, south, north = outline.GetEnvelope()
        expected = (UTM_10M[0], UTM_10M[0] + 640, UTM_10M[3] - 640, UTM_10M[3])
        assert (west, east, south, north) == pytest.approx(expected, abs=0.01)
        assert outline.GetArea() == pytest.approx(640 * 640, rel=1e-4)


def reference_of(geotransform, size, code):
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(code)
    crs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return Georeference(size, size, geotransform, (), crs), Window(0, 0, size, size)


def test_a_footprint_across_the_date_line_is_cut_there():
    found = ogr.CreateGeometryFromWkt(footprint_wkt(*reference_of((179.5, 0.01, 0, -16, 0, -0.01), 100, 4326)))
    boxes = [found.GetGeometryRef(index).GetEnvelope() for index in range(found.GetGeometryCount())]
    assert sorted(boxes) == [pytest.approx((-180, -179.5, -17, -16)), pytest.approx((179.5, 180, -17, -16))]
    assert found.GetArea() == pytest.approx(1.0)


def test_a_footprint_round_a_pole_holds_it():
    found = ogr.CreateGeometryFromWkt(footprint_wkt(*reference_of((-5e5, 1e4, 0, 5e5, 0, -1e4), 100, 3031)))
    west, east, south, north = found.GetEnvelope()
    assert (west, east, south) == pytest.approx((-180, 180, -90)) and -86 < north < -83
    assert not found.Contains(ogr.CreateGeometryFromWkt("POINT (20 -80)"))
    assert all(found.Contains(ogr.CreateGeometryFromWkt(f"POINT ({x} -89)")) for x in (-170, -50, 20, 130))


def test_damaged_scenes_are_listed_and_the_others_are_done(scenes, out):
    whole = (scenes / "c.tif").read_bytes()
    (scenes / "cut.tif").write_bytes(whole[: len(whole) // 3])
    (scenes / "text.tif").write_text("no raster")
    (scenes / "empty.tif").write_bytes(b"")
    command = [
        sys.executable,
        "-m",
        "engine",
        "archive",
        "--scenes",
        str(scenes),
        "--out",
        str(out),
        "--hazard",
        "flood",
    ]
    options = ["--model", "unet", "--units", "reflectance*10000", "--workers", "0", "--json"]
    program = subprocess.run([*command, *options], capture_output=True, text=True, cwd=ROOT, check=False)
    assert program.returncode == 0, program.stderr
    result = json.loads(program.stdout)
    assert (result["scenes"], result["done"], result["failed"]) == (6, 3, 3)
    assert [failure["scene"] for failure in result["failures"]] == ["cut.tif", "empty.tif", "text.tif"]
    assert all(failure["reason"].endswith(".") for failure in result["failures"])
    rows = rows_of(result["table"])
    assert sorted(scene for scene, row in rows.items() if row["state"] == "failed") == [
        "cut.tif",
        "empty.tif",
        "text.tif",
    ]
    assert rows["cut.tif"]["attempts"] == 3 and rows["cut.tif"]["mask"] is None and rows["cut.tif"]["area_m2"] is None
    assert rows["text.tif"]["geom"] is None and rows["c.tif"]["geom"] is not None
    assert not [name for name in files_in(out) if name.startswith(("cut", "text", "empty"))] and left_over(out) == []


def times(out):
    return {name: os.stat(out / name).st_mtime_ns for name in files_in(out) if name.endswith(".tif")}


def test_a_second_run_does_only_what_has_changed(scenes, out):
    archive(job_of(scenes, out))
    first = times(out)
    again = archive(job_of(scenes, out, device="cpu"))
    assert (again["done"], again["skipped"]) == (0, 3) and times(out) == first
    os.utime(scenes / "c.tif")  # touched, not changed
    assert archive(job_of(scenes, out))["skipped"] == 3
    write_scene(scenes / "c.tif", 10)
    write_scene(scenes / "new.tif", 10)
    changed = archive(job_of(scenes, out))
    assert (changed["scenes"], changed["done"], changed["skipped"]) == (4, 2, 2)
    assert (read(out / "c_flood.tif") == 1).mean() == pytest.approx(10 / 64, abs=0.06)
    unchanged = {name for name, moment in times(out).items() if first.get(name) == moment}
    assert unchanged == {"a/S2_2024-09-16_flood.tif", "b/S2_2024-09-16_flood.tif"}
    os.remove(out / "new_flood.tif")
    assert archive(job_of(scenes, out))["done"] == 1 and (out / "new_flood.tif").exists()
    os.remove(scenes / "new.tif")
    fewer = archive(job_of(scenes, out))
    assert (fewer["scenes"], fewer["skipped"]) == (3, 3) and "new.tif" not in rows_of(fewer["table"])


def test_another_job_or_model_is_done_anew(scenes, out):
    archive(job_of(scenes / "a", out))
    assert archive(job_of(scenes / "a", out, threshold=0.9))["done"] == 1
    assert archive(job_of(scenes / "a", out, threshold=0.9, model="residual_unet"))["done"] == 1
    assert archive(job_of(scenes / "a", out, threshold=0.9, model="residual_unet"))["skipped"] == 1
    assert {row["threshold"] for row in rows_of(out / "archive_flood.gpkg").values()} == {0.9}


def test_a_change_that_size_and_time_hide_is_found_when_verified(scenes, out):
    archive(job_of(scenes, out))
    path = scenes / "c.tif"
    status, content = os.stat(path), bytearray(path.read_bytes())
    content[-5] ^= 0xFF
    path.write_bytes(bytes(content))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert archive(job_of(scenes, out))["skipped"] == 3
    verified = archive(job_of(scenes, out, verify=True))
    assert (verified["done"], verified["skipped"]) == (1, 2)


def test_what_is_not_the_archives_own_is_not_replaced(scenes, out):
    out.mkdir()
    (out / "c_flood.tif").write_bytes(b"mine")
    for _ in range(2):
        result = archive(job_of(scenes, out))
        assert result["failed"] == 1 and "from no earlier run" in result["failures"][0]["reason"]
        assert (out / "c_flood.tif").read_bytes() == b"mine"
    assert archive(job_of(scenes, out, overwrite=True))["failed"] == 0
    edited = gdal.OpenEx(str(out / "c_flood.tif"), gdal.OF_UPDATE, open_options=["IGNORE_COG_LAYOUT_BREAK=YES"])
    edited.GetRasterBand(1).WriteArray(np.ones((3, 3), np.uint8), 50, 50)
    edited = None
    by_hand = read(out / "c_flood.tif")
    for _ in range(2):
        result = archive(job_of(scenes, out))
        assert (result["failed"], result["skipped"]) == (1, 2) and "was changed after" in result["failures"][0][
            "reason"
        ]
        assert np.array_equal(read(out / "c_flood.tif"), by_hand)
    assert archive(job_of(scenes, out, overwrite=True))["done"] == 1


def test_names_that_differ_by_their_ending_or_case_alone_stay_apart(tmp_path, out):
    folder = tmp_path / "scenes"
    write_scene(folder / "x.tif", 10)
    write_scene(folder / "x.tiff", 50)
    write_scene(folder / "X.img", 30, driver="HFA")
    result = archive(job_of(folder, out))
    assert result["done"] == 3
    masks = [out / row["mask"] for row in rows_of(result["table"]).values()]
    assert len({str(mask).casefold() for mask in masks}) == 3
    shares = sorted((read(mask) == 1).mean() for mask in masks)
    assert shares == pytest.approx([10 / 64, 30 / 64, 50 / 64], abs=0.06)


def test_the_output_folder_and_results_are_no_scenes(scenes):
    out = scenes / "results"
    assert archive(job_of(scenes, out))["scenes"] == 3
    segment(SegmentJob(str(scenes / "c.tif"), hazard="flood", mask=str(scenes / "mask.tif"), units="reflectance*10000"))
    result = archive(job_of(scenes, out))
    assert result["scenes"] == 3 and "1 rasters are results" in result["warnings"][0]
    with pytest.raises(BadInput, match="among the scenes"):
        job_of(scenes, scenes)


def test_a_folder_without_scenes_and_a_list_of_nothing_are_refused(tmp_path, out):
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "readme.txt").write_text("nothing here")
    (tmp_path / "list.txt").write_text("# nothing\n\n")
    for where in ("scenes", "list.txt"):
        with pytest.raises(BadInput, match="holds no scene"):
            archive(job_of(tmp_path / where, out))
    with pytest.raises(BadInput, match="There is no folder and no file"):
        archive(job_of(tmp_path / "gone", out))
    assert not out.exists()


def test_a_list_names_scenes_relative_to_itself(tmp_path, scenes, out):
    lines = [
        "# of September", "scenes/a/S2_2024-09-16.tif", str(scenes / "b" / "S2_2024-09-16.tif"), "",
        "scenes/../scenes/a/S2_2024-09-16.tif", "scenes/gone.tif", "https://example.org/x.tif", "/vsicurl/http://e.org/y.tif",
    ]  # fmt: skip
    (tmp_path / "list.txt").write_text("\ufeff" + "\r\n".join(lines))
    result = archive(job_of(tmp_path / "list.txt", out))
    assert (result["scenes"], result["done"], result["failed"]) == (5, 2, 3)
    reasons = {failure["scene"]: failure["reason"] for failure in result["failures"]}
    assert "There is no raster" in reasons["gone.tif"]
    assert "--remote" in reasons["x.tif"] and "--remote" in reasons["y.tif"]
    assert "more than once" in result["warnings"][0]
    masks = [name for name in files_in(out) if name.endswith(".tif")]
    assert len(masks) == 2 and all(name.startswith("S2_2024-09-16-") for name in masks)


def item(number, assets, **properties):
    return {"type": "Feature", "stac_version": "1.0.0", "id": number, "properties": properties, "assets": assets}


def collection(path, *items):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(items)}))
    return path


def test_a_stac_collection_gives_files_days_and_stacks_of_bands(tmp_path, scenes, out):
    whole = gdal.Open(str(scenes / "c.tif")).ReadAsArray()
    (tmp_path / "bands").mkdir()
    for index in range(4):
        write_raster(tmp_path / "bands" / f"{index}.tif", whole[index])
    bands = {
        f"B{index}": {"href": f"./bands/{index}.tif", "eo:bands": [{"name": f"B{index}", "common_name": name}]}
        for index, name in enumerate(NAMES)
    }
    one = {"href": (scenes / "a" / "S2_2024-09-16.tif").as_uri(), "type": "image/tiff; application=geotiff"}
    thumbnail = {"href": "thumb.tif", "type": "image/tiff", "roles": ["thumbnail"]}
    path = collection(
        tmp_path / "items.json",
        item("S2A/one", {"data": one, "thumbnail": thumbnail}, datetime="2023-05-06T10:20:30Z"),
        item("stacked", bands, datetime=None, start_datetime="2022-01-02"),
        item("web", {"data": {"href": "https://example.org/a.tif"}}),
        {"type": "Feature"},
    )
    result = archive(job_of(path, out))
    assert (result["scenes"], result["done"], result["failed"]) == (4, 1, 3)
    reasons = {failure["scene"]: failure["reason"] for failure in result["failures"]}
    assert "4 rasters" in reasons["stacked"] and "--assets" in reasons["stacked"]
    assert "lies on the network" in reasons["web"] and "no id" in reasons["item 4"]
    rows = rows_of(result["table"])
    assert rows["S2A/one"]["date"] == "2023-05-06" and rows["S2A/one"]["mask"] == "S2A_one_flood.tif"
    result = archive(job_of(path, out, assets=tuple(bands)))
    row = rows_of(result["table"])["stacked"]
    assert row["date"] == "2022-01-02" and row["state"] == "done"
    archive(job_of(scenes, out.parent / "folder"))
    assert np.array_equal(read(out / row["mask"]), read(out.parent / "folder" / "c_flood.tif"))
    assert archive(job_of(path, out, assets=tuple(bands)))["skipped"] == 1
    write_raster(tmp_path / "bands" / "3.tif", whole[0])
    assert archive(job_of(path, out, assets=tuple(bands)))["done"] == 1


def test_a_stac_collection_of_another_kind_is_refused(tmp_path, out):
    for content, reason in (("{", "not JSON"), ('{"type": "Catalog"}', "is a Catalog"), ("[]", "is a list")):
        (tmp_path / "items.json").write_text(content)
        with pytest.raises(BadInput, match=reason):
            archive(job_of(tmp_path / "items.json", out))
    (tmp_path / "items.bin").write_bytes(b"\0\1\2\xff")
    with pytest.raises(BadInput, match="not text"):
        archive(job_of(tmp_path / "items.bin", out))


def test_web_addresses_are_read_only_when_asked(tmp_path, out):
    path = collection(tmp_path / "items.json", item("web", {"data": {"href": "https://example.org/a.tif"}}))
    refused, allowed = (list_scenes(job_of(path, out, remote=remote), Report()).scenes[0] for remote in (False, True))
    assert "--remote" in refused.problem and refused.raster == ""
    assert allowed.problem is None and allowed.raster == "/vsicurl/https://example.org/a.tif"


def test_cancel_keeps_complete_scenes_and_a_table_of_them(scenes, out):
    cancelled = threading.Event()
    told = []

    def log(level, text):
        told.append(text)
        if text.startswith("1/3"):
            cancelled.set()

    with pytest.raises(Cancelled, match="1 of 3 scenes are complete"):
        archive(job_of(scenes, out), Report(on_log=log, cancelled=cancelled))
    rows = rows_of(out / "archive_flood.gpkg")
    assert [row["state"] for row in rows.values()] == ["done"] and left_over(out) == []
    assert [name for name in files_in(out) if name.endswith(".tif")] == [next(iter(rows.values()))["mask"]]
    result = archive(job_of(scenes, out))
    assert (result["done"], result["skipped"]) == (2, 1) and len(rows_of(result["table"])) == 3


def test_adapting_leaves_a_model_for_each_scene(scenes, out):
    job = job_of(scenes / "a", out, adapt=True, budget_s=1.0)
    result = archive(job)
    assert result["done"] == 1, result["failures"]
    (row,) = rows_of(result["table"]).values()
    assert row["adaptation"] in {"adapted", "rolled_back", "abstained"}
    models = [name for name in files_in(out) if name.startswith("models/") and name.endswith("card.json")]
    assert len(models) == 1 and archive(job)["skipped"] == 1


def test_a_table_that_is_none_of_an_archive_is_not_touched(scenes, out, tmp_path):
    other = str(tmp_path / "other.gpkg")
    source = ogr.GetDriverByName("GPKG").CreateDataSource(other)
    source.CreateLayer("archive", None, ogr.wkbPoint).CreateField(ogr.FieldDefn("name"))
    source = None
    before = Path(other).read_bytes()
    with pytest.raises(BadInput, match="no table of an archive"):
        archive(job_of(scenes, out, table=other))
    assert Path(other).read_bytes() == before
    kept = str(tmp_path / "kept.gpkg")
    source = ogr.GetDriverByName("GPKG").CreateDataSource(kept)
    source.CreateLayer("places", None, ogr.wkbPoint)
    source = None
    archive(job_of(scenes / "a", out, table=kept))
    archive(job_of(scenes / "a", out, table=kept))
    source = ogr.Open(kept)
    assert {source.GetLayer(i).GetName() for i in range(source.GetLayerCount())} == {"places", "archive"}
    assert source.GetLayerByName("archive").GetFeatureCount() == 1


def test_two_runs_do_not_share_a_folder(scenes, out):
    fcntl = pytest.importorskip("fcntl")
    archive(job_of(scenes / "a", out))
    with open(out / ".records" / "flood.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BadInput, match="Another run"):
            archive(job_of(scenes / "a", out))
    assert archive(job_of(scenes / "a", out))["skipped"] == 1


def test_without_dask_the_remedy_is_named(scenes, out, monkeypatch):
    find = archive_workers.importlib.util.find_spec
    monkeypatch.setattr(
        archive_workers.importlib.util, "find_spec", lambda name: None if name == "distributed" else find(name)
    )
    with pytest.raises(BadInput, match=r"requirements-archive.txt.*--workers 0"):
        archive(job_of(scenes, out, workers=2))
    assert archive(job_of(scenes / "a", out))["done"] == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"threshold": 1.5}, "Threshold"), ({"workers": -1}, "workers"), ({"retries": -1}, "Retries"),
        ({"scheduler": "somewhere", "workers": None}, "no scheduler"), ({"table": "x.csv"}, "x.csv"),
        ({"scheduler": "tcp://a:1"}, "workers of its own"), ({"pattern": ()}, "pattern"), ({"hazard": ""}, "hazard"),
        ({"units": "feet"}, "feet"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_once(tmp_path, options, reason):
    with pytest.raises(BadInput, match=reason):
        job_of(tmp_path, tmp_path / "out", **options)


def test_a_model_that_does_not_know_the_hazard_is_refused_before_anything_is_written(scenes, out):
    with pytest.raises(BadInput, match="does not know the hazard 'lava'"):
        archive(job_of(scenes, out, hazard="lava"))
    with pytest.raises(BadInput, match="is not found"):
        archive(job_of(scenes, out, model="nowhere"))
    assert not out.exists()


def command(scenes, out, *options):
    words = ["archive", "--scenes", str(scenes), "--out", str(out), "--hazard", "flood", "--model", "unet"]
    return [sys.executable, "-m", "engine", *words, "--units", "reflectance*10000", "--json", *options]


def begun(out, timeout_s=120.0):
    """Process that works on a scene, as soon as there is one."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        for path in out.glob(".records/**/*.json"):
            record = read_record(str(path))
            if record and record["state"] == "begun":
                return record["worker"][1], record["scene"]
        time.sleep(0.01)
    raise AssertionError("no scene was begun")


def test_a_worker_that_is_killed_costs_one_more_attempt(scenes, out):
    pytest.importorskip("distributed")
    (scenes / "broken.tif").write_text("no raster")
    program = subprocess.Popen(
        command(scenes, out, "--workers", "2"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    killed, scene = begun(out)
    assert killed != program.pid
    os.kill(killed, signal.SIGKILL)
    stdout, stderr = program.communicate(timeout=300)
    assert program.returncode == 0, stderr
    result = json.loads(stdout)
    assert (result["done"], result["failed"]) == (3, 1) and result["failures"][0]["scene"] == "broken.tif"
    rows = rows_of(result["table"])
    assert rows[scene]["attempts"] >= 2 and left_over(out) == []
    for name, row in rows.items():
        if row["state"] == "done":
            assert read(out / row["mask"]).shape == (64, 64), name
    again = archive(job_of(scenes, out, workers=0))
    assert (again["skipped"], again["failed"]) == (3, 1)


def test_an_interrupt_ends_workers_and_keeps_what_is_complete(scenes, out):
    pytest.importorskip("distributed")
    for number in range(4):
        write_scene(scenes / f"more{number}.tif", 20, 512)
    program = subprocess.Popen(
        command(scenes, out, "--workers", "1"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    worker, _ = begun(out)
    while program.poll() is None and not list(out.glob("**/*_flood.tif")):
        time.sleep(0.01)
    os.killpg(program.pid, signal.SIGINT)
    stdout, stderr = program.communicate(timeout=120)
    assert program.returncode == 130 and stdout == "", stderr
    complete = [name for name in files_in(out) if name.endswith(".tif")]
    assert sorted(row["mask"] for row in rows_of(out / "archive_flood.gpkg").values()) == complete and complete
    assert len(complete) < 7 and f"{len(complete)} of 7 scenes are complete" in stderr
    assert left_over(out) == []
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_a_scheduler_elsewhere_is_used_by_its_address(scenes, out, monkeypatch):
    distributed = pytest.importorskip("distributed")
    (scenes / "broken.tif").write_text("no raster")
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(
            distributed.LocalCluster(
                n_workers=1, threads_per_worker=2, processes=False, protocol="tcp", dashboard_address=None
            )
        )
        result = archive(job_of(scenes, out, workers=None, scheduler=cluster.scheduler_address))
    assert (result["done"], result["failed"]) == (3, 1) and rows_of(result["table"])["broken.tif"]["attempts"] == 2
    monkeypatch.setattr(archive_workers, "FIRST_WORKER_S", 2.0)
    with pytest.raises(BadInput, match="No Dask scheduler answers"):
        archive(job_of(scenes, out, workers=None, scheduler="tcp://127.0.0.1:9"))


def test_an_answer_that_died_with_its_worker_is_read_from_what_it_wrote(scenes, out):
    pytest.importorskip("distributed")
    result = archive(job_of(scenes / "a", out))
    record = read_record(str(out / ".records" / "S2_2024-09-16_flood.json"))

    class Future:
        status = "finished"

        def result(self, timeout):
            raise TimeoutError

    task = SceneTask(
        "S2_2024-09-16", "x", "", (), None, "", job_of(scenes, out), "", "", "run-", f"{record['run']}.stop"
    )
    queue = archive_workers._Queue(None, [task], Report())
    assert queue._record(Future(), task, 1)["area_m2"] == result["hazard_area_m2"] > 0
    lost = queue._record(Future(), task, 2)
    assert lost["state"] == "failed" and "The worker ended" in lost["reason"]


def test_threads_are_shared_out_and_no_worker_is_idle():
    def job(**options):
        return job_of("scenes", "out", **options)

    cores = archive_workers.cores()
    assert archive_workers.workers_for(job(workers=8), 3) == 3
    assert archive_workers.workers_for(job(workers=8, threads_per_worker=2), 3) == 2
    for workers in (1, 2, cores, 4 * cores):
        threads = archive_workers.threads_for(job(workers=workers), 10_000)
        assert threads == max(1, math.floor(cores / workers))
