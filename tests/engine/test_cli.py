"""The command line as scripts see it: exit codes, streams and JSON fields."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from scenes import read, write_raster

from engine.__main__ import build_parser, describe, join_values, main, read_job
from engine.protocol import JOBS, SLOTS

EXTENT = "500100,5099500,500300,5099800"
ROOT = Path(__file__).resolve().parents[2]
SHORT = "tests.engine.short_program"


def program(*words, module="engine", **how):
    """Run the program; returns the completed process."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=90, **how
    )


def one_line(ended):
    """Whether nothing but one line on stderr was said."""
    return ended.stdout == "" and len(ended.stderr.splitlines()) == 1


@pytest.fixture
def scene(tmp_path):
    values = np.random.default_rng(0).integers(200, 4000, (4, 70, 90)).astype("u2")
    return write_raster(tmp_path / "scene.tif", values, names=["B02", "B03", "B04", "B08"])


def said(capsys):
    """JSON on stdout; nothing else may be there."""
    found = capsys.readouterr()
    assert len(found.out.splitlines()) == 1
    return json.loads(found.out)


def test_inspect_has_the_contracts_fields(scene, capsys):
    assert main(["inspect", "--raster", scene, "--json"]) == 0
    found = said(capsys)
    fields = {"bands", "units", "sensor", "gsd_m", "nodata", "width", "height", "crs", "warnings"}
    assert fields <= set(found)
    assert found["bands"][1] == {"index": 2, "slot": "green", "description": "B03"}
    assert (found["units"], found["sensor"], found["gsd_m"]) == ("reflectance*10000", "sentinel-2-l2a", 10.0)
    assert (found["nodata"], found["width"], found["height"], found["crs"]) == (None, 90, 70, "EPSG:32632")


def test_inspect_lists_every_band_alpha_too(tmp_path, capsys):
    path = write_raster(tmp_path / "s.tif", np.full((4, 9, 9), 200, "u1"))
    assert main(["inspect", "--raster", path, "--json"]) == 0
    assert [(band["index"], band["slot"]) for band in said(capsys)["bands"]] == [
        (1, "red"), (2, "green"), (3, "blue"), (4, None)]  # fmt: skip


def test_unknown_bands_are_a_warning_to_inspect_and_an_error_to_segment(tmp_path, capsys):
    path = write_raster(tmp_path / "s.tif", np.ones((5, 9, 9), "f4"))
    assert main(["inspect", "--raster", path, "--json"]) == 0
    found = said(capsys)
    assert [band["slot"] for band in found["bands"]] == [None] * 5
    assert found["units"] is None and found["gsd_m"] == 10 and len(found["warnings"]) == 1
    words = ["segment", "--raster", path, "--hazard", "flood", "--mask", str(tmp_path / "m.tif")]
    assert main(words) == 2
    assert "--bands" in capsys.readouterr().err
    assert not (tmp_path / "m.tif").exists()


def test_inspect_of_a_damaged_raster_is_an_error(tmp_path, capsys):
    path = write_raster(tmp_path / "s.tif", np.random.default_rng(0).integers(0, 9, (3, 300, 300)).astype("u1"))
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: len(content) // 2])
    assert main(["inspect", "--raster", path, "--json"]) == 2
    found = capsys.readouterr()
    assert found.out == "" and len(found.err.splitlines()) == 1


def test_models_and_devices_have_the_contracts_fields(capsys):
    assert main(["models", "--json"]) == 0
    fields = {
        "name",
        "title",
        "architecture",
        "hazards",
        "path",
        "parent",
        "default_for",
        "score",
        "bundled",
        "adapted",
    }
    rows = said(capsys)
    assert rows and all(fields <= set(row) for row in rows)
    assert all("flood" in row["change_thresholds"] for row in rows if row["bundled"])
    assert main(["devices", "--json"]) == 0
    rows = said(capsys)
    assert all({"name", "kind", "memory_bytes", "default"} <= set(row) for row in rows)
    assert [row["default"] for row in rows].count(True) == 1
    assert "cpu" in {row["name"] for row in rows}


def test_segment_writes_what_it_says(scene, tmp_path, capsys):
    mask, probability = tmp_path / "m.tif", tmp_path / "p.tif"
    words = ["segment", "--raster", scene, "--hazard", "flood", "--mask", mask, "--probability", probability, "--json"]
    ended = program(*words)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    fields = {"mask", "probability", "hazard", "model", "threshold", "hazard_area_m2", "share_assessed", "seconds",
              "device", "warnings"}  # fmt: skip
    assert fields <= set(found)
    assert found["mask"] == str(mask) and found["hazard"] == "flood" and found["share_assessed"] == 1
    pixels = int((read(mask) == 1).sum())
    assert found["hazard_area_m2"] == pytest.approx(pixels * 100.08, rel=1e-3)
    assert main([*map(str, words)]) == 2
    assert "exists" in capsys.readouterr().err
    assert main([*map(str, words), "--overwrite"]) == 0


def test_a_mask_of_two_dates_is_told_with_its_question():
    found = {"mask": "m.tif", "probability": None, "hazard": "flood", "model": "unet", "threshold": 0.3,
             "hazard_area_m2": 2e6, "share_assessed": 1, "seconds": 3, "device": "cpu", "question": "present",
             "permanent_area_m2": None, "before_date": None, "before_name": None}  # fmt: skip
    assert describe("segment", found).startswith("flood: 2.000 km2, 100.0% assessed")
    pair = {**found, "question": "new", "permanent_area_m2": 5e5, "before_name": "may.tif"}
    told = "new flood since may.tif: 2.000 km2; 0.500 km2 of water on both dates, 100.0% assessed"
    assert describe("segment", pair).startswith(told)
    assert describe("segment", {**pair, "before_date": "2024-05-01"}).startswith("new flood since 2024-05-01: ")


@pytest.mark.parametrize(
    "form", [["--extent", "500100,5099500,500300,5099800"], ["--extent=500100,5099500,500300,5099800"]]
)
def test_extents_are_taken_in_both_forms(scene, tmp_path, form, capsys):
    words = ["segment", "--raster", scene, "--hazard", "flood", "--mask", str(tmp_path / "m.tif"), "--json", *form]
    assert main(words) == 0
    mask = gdal.Open(str(tmp_path / "m.tif"))
    assert (mask.RasterXSize, mask.RasterYSize) == (20, 30)
    assert mask.GetGeoTransform()[0] == 500100 and mask.GetGeoTransform()[3] == 5099800


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (["--extent", "-70.5,-13,-70,-12.5"], "extent", (-70.5, -13, -70, -12.5)),
        (["--extent=-70.5,-13,-70,-12.5"], "extent", (-70.5, -13, -70, -12.5)),
        (["--bands", "-,vv,vh"], "bands", ("-", "vv", "vh")),
        (["--bands=-,VV, vh"], "bands", ("-", "vv", "vh")),
        (["--raster", "-a.tif"], "raster", "-a.tif"),
        (["--gsd-m", "2.5"], "gsd_m", 2.5),
        (["--open-options", "A=1,B=2"], "open_options", ("A=1", "B=2")),
    ],
)
def test_values_that_begin_with_a_dash_are_values(words, field, value):
    parser = build_parser()
    base = [] if words[0] == "--raster" else ["--raster", "s.tif"]
    job = read_job("inspect", parser.parse_args(join_values(["inspect", *base, *words], parser)))
    assert getattr(job, field) == value


BAD = [
    [],
    ["fly"],
    ["inspect"],
    ["inspect", "--raster"],
    ["inspect", "--raster", ""],
    ["inspect", "--raster", "none.tif"],
    ["inspect", "--raster", "none.tif", "--colour", "red"],
    ["inspect", "--raster", "none.tif", "--rast", "x"],
    ["inspect", "--raster", "a\nb"],
    ["inspect", "--raster", "x", "a\nb\nc"],
    ["inspect", "--raster", "x", "--bands", "red,red"],
    ["inspect", "--raster", "x", "--bands", "infra"],
    ["inspect", "--raster", "x", "--bands", "-,-"],
    ["inspect", "--raster", "x", "--units", "feet"],
    ["inspect", "--raster", "x", "--sensor", "modis"],
    ["inspect", "--raster", "x", "--extent", "1,2,3"],
    ["inspect", "--raster", "x", "--extent", "3,2,1,4"],
    ["inspect", "--raster", "x", "--extent", "nan,0,1,1"],
    ["inspect", "--raster", "x", "--extent=0,0,inf,1"],
    ["inspect", "--raster", "x", "--gsd-m", "0"],
    ["inspect", "--raster", "x", "--gsd-m", "-3"],
    ["inspect", "--raster", "x", "--gsd-m", "ten"],
    ["inspect", "--raster", "SCENE", "--crs", "EPSG:0"],
    ["inspect", "--raster", "SCENE", "--bands", "red"],
    ["inspect", "--raster", "SCENE", "--extent", "0,0,1,1"],
    ["segment", "--raster", "SCENE", "--hazard", "flood"],
    ["segment", "--raster", "SCENE", "--mask", "m.tif"],
    ["segment", "--raster", "SCENE", "--hazard", "lava", "--mask", "m.tif"],
    ["segment", "--raster", "SCENE", "--hazard", "flood", "--mask", "m.png"],
    ["segment", "--raster", "SCENE", "--hazard", "flood", "--mask", "none/m.tif"],
    ["segment", "--raster", "SCENE", "--hazard", "flood", "--mask", "SCENE"],
    ["segment", "--raster", "SCENE", "--hazard", "flood", "--mask", "m.tif", "--probability", "m.tif"],
    ["segment", "--raster", "SCENE", "--hazard", "flood", "--mask", "m.tif", "--model", "nothing"],
    ["segment", "--raster", "SCENE", "--hazard", "flood", "--mask", "m.tif", "--threshold", "1.5"],
    ["segment", "--raster", "SCENE", "--hazard", "flood", "--mask", "m.tif", "--threshold", "nan"],
    ["segment", "--raster", "SCENE", "--hazard", "flood", "--mask", "m.tif", "--device", "tpu"],
    ["segment", "--raster", "SCENE", "--hazard", "flood", "--mask", "m.tif", "--device", "cuda:99"],
    ["segment", "--raster", "SCENE", "--hazard", "flood", "--mask", "m.tif", "--batch-size", "0"],
    ["segment", "--raster", "SCENE", "--hazard", "flood", "--mask", "m.tif", "--batch-size", "many"],
    ["segment", "--raster", "SCENE", "--hazard", "flood", "--mask", "m.tif", "--area", "none.gpkg"],
    ["segment", "--raster", "SCENE", "--hazard", "flood", "--mask", "m.tif", "--area", "SCENE"],
    ["evaluate", "--mask", "SCENE", "--reference", "SCENE"],
    ["evaluate", "--mask", "x"],
    ["evaluate", "--mask", "none.tif", "--reference", "none.tif"],
    ["evaluate", "--mask", "x", "--reference", "x", "--positive", "one"],
    ["evaluate", "--mask", "x", "--reference", "x", "--positive", "255"],
    ["simulate"],
    ["simulate", "--out", "x", "--scenes", "none"],
    ["simulate", "--out", "x", "--seed", "1000000000000000000000"],
    ["pretrain"],
    ["pretrain", "--data", "simulated"],
    ["pretrain", "--data", "none", "--save", "x"],
    ["pretrain", "--data", ".", "--save", "x"],
    ["pretrain", "--data", "simulated", "--save", "a b"],
    ["pretrain", "--data", "simulated", "--save", "unet"],
    ["pretrain", "--data", "simulated", "--save", "x", "--resume"],
    ["pretrain", "--data", "simulated", "--save", "x", "--architecture", "transformer"],
    ["pretrain", "--data", "simulated", "--save", "x", "--encoder", "no_such"],
    ["pretrain", "--data", "simulated", "--save", "x", "--optimizer", "sgd"],
    ["pretrain", "--data", "simulated", "--save", "x", "--learning-rate", "fast"],
    ["pretrain", "--data", "simulated", "--save", "x", "--learning-rate", "7"],
    ["pretrain", "--data", "simulated", "--save", "x", "--batch-size", "1"],
    ["pretrain", "--data", "simulated", "--save", "x", "--epochs", "0"],
    ["pretrain", "--data", "simulated", "--save", "x", "--minutes", "0"],
    ["pretrain", "--data", "simulated", "--save", "x", "--device", "cuda:99"],
    ["pretrain", "--data", "simulated", "--save", "x", "--seed", "1000000000000000000000"],
    ["train", "--data", "simulated"],
    ["train", "--data", "simulated", "--save", "x", "--model", "none"],
    ["train", "--data", "simulated", "--save", "x", "--hazard", "lava"],
    ["train", "--data", "simulated", "--save", "x", "--hazard", "flood", "--leave-out", "flood"],
    ["train", "--data", "simulated", "--save", "x", "--leave-out", "lava"],
    ["train", "--data", "simulated", "--save", "x", "--replay", "2"],
    ["train", "--data", ".", "--save", "x", "--leave-out", "flood"],
    ["scorecard", "--data", "none"],
    ["download", "landsat", "--to", "x"],
    ["download", "bigearthnet-v2"],
]


@pytest.mark.parametrize("words", BAD, ids=lambda words: " ".join(words)[:70].replace("\n", "|"))
def test_bad_input_is_one_line_and_exit_code_2(words, scene, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(os.listdir(tmp_path))
    try:
        code = main([scene if word == "SCENE" else word for word in words])
    except SystemExit as ended:
        code = ended.code
    found = capsys.readouterr()
    assert code == 2
    assert found.out == ""
    assert len(found.err.splitlines()) == 1 and len(found.err) < 700
    assert "Traceback" not in found.err
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("command", [*JOBS, "worker"])
def test_help_names_every_option(command, capsys):
    import dataclasses

    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    for spec in dataclasses.fields(JOBS[command]) if command in JOBS else ():
        flag = "--" + (spec.metadata["flag"] or spec.name.replace("_", "-"))
        assert (spec.name.upper() if spec.metadata["positional"] else flag) in text
    if command == "segment":
        assert all(slot in text for slot in SLOTS)


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(command in text for command in [*JOBS, "worker", "130"])


def test_the_program_keeps_its_streams_clean_on_damaged_input(tmp_path):
    (tmp_path / "s.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 20)  # its library prints an error stack
    ended = program("inspect", "--raster", tmp_path / "s.nc", "--json")
    assert ended.returncode == 2 and one_line(ended)


def test_names_that_are_not_utf8_are_handled(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff\xfe.tif"
    ended = subprocess.run(
        [sys.executable, "-m", "engine", "inspect", "--raster", path], cwd=ROOT, capture_output=True, timeout=60
    )
    assert ended.returncode == 2 and len(ended.stderr.splitlines()) == 1


def test_an_interrupted_training_keeps_a_checkpoint_and_goes_on(tmp_path):
    words = ["pretrain", "--data", "simulated", "--save", tmp_path / "small", "--encoder", "tu-mobilenetv3_small_050"]
    words += ["--epochs", "4", "--iterations", "1", "--batch-size", "2", "--device", "cpu"]
    running = subprocess.Popen(
        [sys.executable, "-m", SHORT, *map(str, words)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    while not (line := running.stderr.readline()).startswith("step 1"):
        assert line, "the run ended before its first step"
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert out == "" and "--resume" in err.splitlines()[-1] and "Traceback" not in err
    assert os.listdir(tmp_path / "small") == ["checkpoint.pt"]
    ended = program(*words, "--resume", "--workers", "0", "--json", module=SHORT)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["steps"] == 4
    assert "validation loss" in ended.stderr
    assert sorted(os.listdir(tmp_path / "small")) == ["SHA256SUMS", "card.json", "weights.safetensors"]


def test_a_closed_pipe_is_no_traceback(scene):
    ended = subprocess.run(
        f"{sys.executable} -m engine inspect --raster {scene} --json >/dev/full",
        shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr and len(ended.stderr.splitlines()) <= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_with_130_and_leaves_nothing(tmp_path, number):
    values = np.random.default_rng(0).integers(200, 4000, (4, 2000, 2000)).astype("u2")
    path = write_raster(tmp_path / "scene.tif", values, names=["B02", "B03", "B04", "B08"])
    words = ["segment", "--raster", path, "--hazard", "flood", "--mask", str(tmp_path / "m.tif"), "--json"]
    running = subprocess.Popen(
        [sys.executable, "-m", "engine", *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not any(name.startswith(".m") for name in os.listdir(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(number)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130, err
    assert out == "" and err.splitlines()[-1].startswith("Cancelled") and "Traceback" not in err
    assert os.listdir(tmp_path) == ["scene.tif"]
