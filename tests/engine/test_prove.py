"""The proof of an environment: it computes for real, and says which part does not hold."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine import prove

ROOT = Path(__file__).resolve().parents[2]


def test_an_environment_that_holds_says_so_in_one_line_of_json():
    command = [sys.executable, "-m", "engine.prove", "--device", "cpu"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    found = json.loads(ended.stdout)
    assert ended.returncode == 0 and found["ok"] and found["device"] == "cpu"
    assert found["versions"]["torch"] == torch.__version__


@pytest.mark.skipif(torch.cuda.is_available(), reason="this computer has the device")
def test_a_device_that_is_not_there_is_not_proven(capsys):
    assert prove.main(["--device", "cuda"]) == 1
    assert json.loads(capsys.readouterr().out)["kind"] == "device"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_gpu_is_proven_against_the_processor():
    found = prove.prove("cuda")
    assert found["device"].startswith("cuda") and found["device_name"] and 0 < found["largest_difference"] < 2e-3


def test_wrong_numbers_are_found(monkeypatch):
    class Wrong:
        """A device whose numbers are off by a little."""

    right = torch.Tensor.to
    monkeypatch.setattr(
        torch.Tensor, "to", lambda tensor, place: tensor + 0.01 if place is device else right(tensor, place)
    )
    device = Wrong()
    with pytest.raises(prove.NotProven, match="differ") as caught:
        prove.check_kernels(torch, device)
    assert caught.value.kind == "numbers"


def test_a_missing_gdal_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "engine.raster", None)
    with pytest.raises(prove.NotProven) as caught:
        prove.check_gdal()
    assert caught.value.kind == "gdal"
