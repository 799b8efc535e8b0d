"""A run cancelled while its outputs are written can be kept whole, whatever was on the disk by then."""

import os

import numpy as np
import pytest
from osgeo import gdal
from scenes import read, run, write_raster

from engine.partial import keep
from engine.protocol import Cancelled, KeepJob
from engine.raster import output
from engine.reporting import Report

SIDE = 700


@pytest.fixture
def raster(tmp_path):
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    noise = np.random.default_rng(3).normal(0, 0.05, (SIDE, SIDE))
    values = np.clip(0.5 + 0.4 * np.sin(columns / 130) * np.cos(rows / 90) + noise, 0.02, 0.98)
    return write_raster(tmp_path / "scene.tif", values.astype("f4"))


@pytest.fixture
def folders(tmp_path):
    """Folder of outputs, and the one where a cancelled run leaves what it had finished."""
    out, preview = tmp_path / "out", tmp_path / "preview"
    out.mkdir()
    preview.mkdir()
    return out, preview


class CancelledWriting(Report):
    """Cancels itself at a share of the writing."""

    def __init__(self, share):
        super().__init__()
        self._share = share

    def progress(self, done, first=0.0, last=1.0, seconds_left=None):
        if self._stage == "Writing" and done >= self._share:
            self.cancelled.set()
        super().progress(done, first, last, seconds_left)


def cancelled(tmp_path, raster, folders, report, *, with_probability=True):
    """Outcome of keeping what a run left that was cancelled while it wrote: names of the kept files."""
    out, preview = folders
    probability = str(out / "probability.tif") if with_probability else None
    with pytest.raises(Cancelled, match="nothing was written"):
        run(tmp_path, raster, report=report, preview=str(preview), mask=str(out / "mask.tif"), probability=probability)
    assert os.listdir(out) == []
    assert report.left == {"folder": str(preview), "rows_done": SIDE, "rows": SIDE}
    kept = {"mask": str(out / "kept.tif"), "probability": str(out / "kept_probability.tif") if probability else None}
    result = keep(KeepJob(folder=str(preview), **kept))
    assert result["warnings"] == [] and result["rows"] == f"{SIDE} of {SIDE} rows"
    return [path for path in kept.values() if path]


@pytest.mark.parametrize("with_probability", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.75, 1.0])
def test_what_a_run_cancelled_while_writing_left_is_kept_whole(tmp_path, raster, folders, share, with_probability):
    kept = cancelled(tmp_path, raster, folders, CancelledWriting(share), with_probability=with_probability)
    _, mask, probability = run(tmp_path, raster)
    for path, wanted in zip(kept, (mask, probability), strict=False):
        assert np.array_equal(read(path), wanted)
        assert not any(name.startswith("HAZARD_PARTIAL") for name in gdal.Open(path).GetMetadata())


@pytest.mark.parametrize("file", [1, 2])
def test_a_cancel_while_the_written_files_are_proved_publishes_nothing(tmp_path, raster, folders, monkeypatch, file):
    report, read_back, proved = Report(), output._crc_of, []

    def proving(path):
        proved.append(path)
        if len(proved) == file:
            report.cancelled.set()
        return read_back(path)

    monkeypatch.setattr(output, "_crc_of", proving)
    kept = cancelled(tmp_path, raster, folders, report)
    assert len(kept) == 2
