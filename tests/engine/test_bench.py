"""The benchmarks run, at toy sizes: what they print where a machine is lent for minutes has to come."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import bench  # noqa: E402
import speed  # noqa: E402


@pytest.fixture
def scene(tmp_path):
    path = tmp_path / "scene.tif"
    bench.write_scene(path, 320, 256)
    return str(path)


def test_a_pipeline_over_its_network_is_measured_for_each_backend(scene):
    found = speed.measure_pipeline(scene, turns=1, model=bench.FASTEST)
    assert set(found) == set(speed.backends_on("cpu"))
    for row in found.values():
        assert row["megapixels"] == pytest.approx(320 * 256 / 1e6)
        assert min(row["whole_s"], row["bare_s"], row["ratio"], row["unpacking_cpu"]) > 0 and row["overlap"] >= 1
    said = bench.lines("pipeline", found)
    assert len(said) == len(found) and all("aim 1.15" in line for line in said)


def test_backends_are_measured_over_pytorch_as_it_comes():
    found = speed.measure_backends(bench.FASTEST, side=64, turns=1)
    assert found["eager_over_eager"] == 1 and found["channels_last_mpx_s"] > 0
    assert not [name for name in found if name.endswith("_failed")]


def test_cost_is_measured_by_pixels(tmp_path):
    rasters = {}
    for side in (128, 256, 512):
        rasters[side * side] = str(tmp_path / f"{side}.tif")
        bench.write_scene(tmp_path / f"{side}.tif", side, side)
    found = speed.measure_scaling(rasters)
    assert found["cpu_s_2"] > found["cpu_s_0"] > 0 and 0 < found["exponent"] < 2


def test_memory_is_that_of_the_command_and_not_of_who_asks(scene, tmp_path):
    peak_mb, seconds = bench.measure_memory(scene, str(tmp_path / "mask.tif"))
    assert (tmp_path / "mask.tif").exists() and 100 < peak_mb < 1500 and seconds > 0


def test_a_section_that_fails_is_told_and_others_keep_what_was_measured_before(tmp_path, monkeypatch, capsys):
    def fails(folder):
        raise subprocess.CalledProcessError(1, "measure", stderr="no such thing")

    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(
        bench, "SECTIONS", {"one": lambda folder: {"figure": 2}, "two": fails, "none": lambda folder: None}
    )
    monkeypatch.setattr(sys, "argv", ["bench.py", "--only", "one,two,none"])
    bench.keep({"earlier": {"figure": 1}})
    assert bench.main() == 1
    told = capsys.readouterr()
    assert "two failed: no such thing" in told.err and "none is left out" in told.err and "one: figure 2" in told.out
    kept = json.loads((tmp_path / "build" / "bench.json").read_text())
    assert kept == {"earlier": {"figure": 1}, "one": {"figure": 2}}


def test_figures_within_others_are_told_under_both_names():
    found = {"load": 3.38623, "warm": {"seconds": 1.0, "rows": 1024}, "clicks": [{"cold": True}]}
    assert bench.lines("click", found) == ["click: load 3.386, warm seconds 1, warm rows 1024, clicks 1 cold True"]
