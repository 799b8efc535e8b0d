"""The simulate command: files that open as scenes, labels on their grid, one picture, nothing lost."""

import json
import os

import numpy as np
import pytest
from osgeo import gdal
from PIL import Image

from engine.__main__ import main
from engine.inspect_scene import inspect_scene
from engine.protocol import InspectJob, partial_path


def simulate(folder, *more):
    return main(["simulate", "--out", str(folder), "--scenes", "4", "--size-px", "64", "--seed", "5", *more])


def test_scenes_labels_table_and_sheet_are_written(tmp_path, capsys):
    assert simulate(tmp_path / "s", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["hazard"] for row in found["scenes"]] == ["flood", "landslide", "glacier_collapse", "none"]
    for row in found["scenes"]:
        optical, labels = gdal.Open(row["optical"]), gdal.Open(row["labels"])
        assert (optical.RasterXSize, optical.RasterCount, labels.RasterCount) == (64, 7, 5)
        assert optical.GetGeoTransform() == labels.GetGeoTransform()
        assert set(np.unique(labels.ReadAsArray())) <= {0, 1, 255}
        assert "not a real place" in optical.GetMetadataItem("SIMULATED")
        assert [band["slot"] for band in inspect_scene(InspectJob(raster=row["radar"]))["bands"]] == ["vv", "vh"]
        assert inspect_scene(InspectJob(raster=row["optical"]))["units"] == "reflectance*10000"
    assert Image.open(found["contact_sheet"]).size[0] > 1000
    assert json.loads((tmp_path / "s" / "scenes.json").read_text())[1]["gsd_m"] >= 3


def test_the_same_seed_gives_the_same_files(tmp_path):
    simulate(tmp_path / "a")
    simulate(tmp_path / "b")
    for path in sorted((tmp_path / "a").glob("*.tif")):
        first, second = (
            gdal.Open(str(folder / path.name)).ReadAsArray() for folder in (tmp_path / "a", tmp_path / "b")
        )
        assert np.array_equal(first, second), path.name


def test_a_sheet_that_exists_is_kept(tmp_path, capsys):
    assert simulate(tmp_path / "s") == 0
    before = (tmp_path / "s" / "contact_sheet.png").read_bytes()
    assert simulate(tmp_path / "s") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "s" / "contact_sheet.png").read_bytes() == before
    assert simulate(tmp_path / "s", "--overwrite") == 0


@pytest.mark.parametrize(("flag", "value"), [("--size-px", "20"), ("--scenes", "0"), ("--gsd-m", "900")])
def test_what_cannot_be_simulated_is_one_sentence(tmp_path, capsys, flag, value):
    assert simulate(tmp_path / "s", flag, value) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said[-1]) < 200
    assert not (tmp_path / "s" / "contact_sheet.png").exists()


def test_a_scene_that_cannot_be_written_is_one_sentence(tmp_path, capsys):
    os.mkdir(partial_path(str(tmp_path / "000_flood_optical.tif"), str(os.getpid())))
    assert simulate(tmp_path) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "000_flood_optical.tif' could not be written" in said and "None" not in said
    assert not any(path.is_file() for path in tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    assert simulate(tmp_path / "file" / "s") == 2
    assert "cannot be written" in capsys.readouterr().err


def test_scenes_of_a_cancelled_run_are_kept_too(tmp_path, capsys):
    simulate(tmp_path / "s")
    (tmp_path / "s" / "contact_sheet.png").unlink()
    before = {path.name: path.read_bytes() for path in (tmp_path / "s").glob("*.tif")}
    assert simulate(tmp_path / "s", "--hazard", "flood") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "s").glob("*.tif")} == before
