"""The simulate command: files that open as scenes, labels on their grid, one picture, nothing lost."""

import json
import os

import numpy as np
import pytest
import torch
from osgeo import gdal
from PIL import Image

from engine import contact_sheet
from engine.__main__ import main
from engine.inspect_scene import inspect_scene
from engine.protocol import InspectJob, SimulateJob, partial_path
from engine.simulate import compose_scene


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


def test_artificial_ground_is_shown_in_a_hue_that_nothing_grey_has():
    red, green, blue = contact_sheet.ARTIFICIAL
    assert max(red, green, blue) - min(red, green, blue) > 100
    shown = [*contact_sheet.COLOURS.values(), contact_sheet.HIDDEN]
    assert min(np.abs(np.subtract(contact_sheet.ARTIFICIAL, colour)).max() for colour in shown) > 60


def test_scenes_of_an_earlier_longer_run_are_removed_and_nothing_else(tmp_path, capsys):
    folder = tmp_path / "s"
    assert simulate(folder) == 0
    (tmp_path / "000_flood_labels.tif").touch()
    (folder / "mine.tif").touch()
    rows = json.loads((folder / "scenes.json").read_text())
    rows += [{"optical": str(tmp_path / "000_flood_labels.tif"), "radar": "mine.tif", "labels": "../sub/../mine.tif"}]
    (folder / "scenes.json").write_text(json.dumps(rows))
    assert simulate(folder, "--scenes", "1", "--overwrite") == 0
    assert "1 scene in " in capsys.readouterr().out
    left = {f"000_flood_{kind}.tif" for kind in ("optical", "radar", "labels")}
    assert {path.name for path in folder.iterdir()} == {*left, "mine.tif", "scenes.json", "contact_sheet.png"}
    assert (tmp_path / "000_flood_labels.tif").exists()


def test_an_example_shows_its_hazard_and_ground_without_it(tmp_path):
    job = SimulateJob(out=str(tmp_path), scenes=1, seed=3, size_px=256)
    first = compose_scene(3 * contact_sheet.SEEDS_OF_JOB, 256, "flood", None)
    assert (first.labels[0] == 1).float().mean() > contact_sheet.MOST_SHOWN  # nothing but water
    example, again = (contact_sheet._example(job, 0) for _ in range(2))
    share = float((example.scene.labels[0] == 1).float().mean())
    assert contact_sheet.LEAST_SHOWN <= share <= contact_sheet.MOST_SHOWN
    assert example.seed == again.seed and torch.equal(example.scene.values, again.scene.values)
    assert torch.equal(compose_scene(example.seed, 256, "flood", None).values, example.scene.values)
