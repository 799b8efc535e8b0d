"""A run and the steps after it, done again from what its results say."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from osgeo import ogr
from scenes import read, write_raster
from test_correct import write_polygons

from engine.change import change
from engine.correct import correct
from engine.polygons import polygons
from engine.protocol import (
    BadInput,
    Cancelled,
    ChangeJob,
    CorrectJob,
    OutputFailed,
    PolygonsJob,
    ProvenanceJob,
    RefineJob,
    RepeatJob,
    SegmentJob,
    ThresholdJob,
)
from engine.provenance import provenance
from engine.refine import refine
from engine.repeat import repeat
from engine.reporting import Report
from engine.segment import segment
from engine.threshold import threshold

NAMES = ("blue", "green", "red", "nir", "swir1", "swir2")


@pytest.fixture
def made(tmp_path):
    """Mask and probability of a scene with a dark lake, by a bundled model."""
    generator = np.random.default_rng(4)
    values = generator.normal(3000, 250, (6, 96, 120)).clip(1)
    values[:, 20:60, 30:80] = generator.normal(300, 30, (6, 40, 50)).clip(1)
    scene = write_raster(tmp_path / "scene.tif", values.astype("u2"), names=NAMES)
    mask, probability = str(tmp_path / "mask.tif"), str(tmp_path / "probability.tif")
    job = SegmentJob(raster=scene, hazard="flood", mask=mask, probability=probability, bands=NAMES, device="cpu")
    segment(job)
    return tmp_path, mask, probability


def again(folder, file, **how):
    return repeat(RepeatJob(str(file), str(folder / "again.tif"), overwrite=True, **how))


def hidden(folder):
    return [path.name for path in Path(folder).iterdir() if path.name.startswith(".")]


def test_a_mask_and_a_probability_are_made_again_pixel_by_pixel(made):
    folder, mask, probability = made
    found = again(folder, mask)
    assert found["different_pixels"] == 0 and found["steps"] == []
    assert np.array_equal(read(folder / "again.tif"), read(mask)) and (read(mask) == 1).any()
    found = again(folder, probability, probability=str(folder / "p2.tif"))
    assert np.array_equal(read(folder / "p2.tif"), read(probability)) and found["different_pixels"] is None
    assert hidden(folder) == []


def test_every_step_after_a_run_is_taken_again(made):
    folder, _, probability = made
    threshold(ThresholdJob(probability, str(folder / "t.tif"), 0.3))
    lake = write_polygons(folder / "lake.gpkg", [("x", 40, 25, 10, 10)])
    refine(RefineJob(str(folder / "t.tif"), str(folder / "r.tif"), permanent_water=lake))
    drawn = write_polygons(folder / "drawn.gpkg", [("manual", 2, 2, 8, 8), ("removed", 30, 20, 12, 12)])
    correct(CorrectJob(str(folder / "r.tif"), drawn, str(folder / "c.tif")))
    job = PolygonsJob(str(folder / "c.tif"), str(folder / "v.gpkg"), probability, minimum_area_m2=300, manual=drawn)
    polygons(job)
    steps = provenance(ProvenanceJob(str(folder / "v.gpkg")))["steps"]
    assert [step["kind"] for step in steps] == ["threshold", "refine", "correct", "polygons"]
    for name in ("t", "r", "c"):
        found = again(folder, folder / f"{name}.tif")
        assert found["different_pixels"] == 0, name
        assert np.array_equal(read(folder / "again.tif"), read(folder / f"{name}.tif"))
    found = again(folder, folder / "v.gpkg", polygons=str(folder / "v2.gpkg"))
    areas = []
    for name in ("v", "v2"):
        source = ogr.Open(str(folder / f"{name}.gpkg"))
        areas.append(sorted(feature["area_m2"] for feature in source.GetLayer(0)))
        source = None
    assert areas[0] == areas[1] and len(areas[0]) > 1
    assert np.array_equal(read(folder / "again.tif"), read(folder / "c.tif")) and hidden(folder) == []


class CancelledAt(Report):
    """Cancels itself when a stage begins, or is so far."""

    def __init__(self, name, done=None):
        super().__init__()
        self._name, self._done = name, done

    def stage(self, name, share=0.0):
        if name == self._name and self._done is None:
            self.cancelled.set()
        super().stage(name, share)

    def progress(self, done, first=0.0, last=1.0, seconds_left=None):
        if self._stage == self._name and self._done is not None and done >= self._done:
            self.cancelled.set()
        super().progress(done, first, last, seconds_left)


@pytest.mark.parametrize(
    ("result", "moment"),
    [
        ("v.gpkg", ("Reading the mask", None)),
        ("v.gpkg", ("Tracing polygons", None)),
        ("v.gpkg", ("Publishing", None)),
        ("steps.gpkg", ("Cutting the probability", None)),
        ("steps.gpkg", ("Correcting the mask", 1.0)),
        ("steps.gpkg", ("Tracing polygons", None)),
        ("c.tif", ("Correcting the mask", 1.0)),
    ],
)
def test_a_run_that_is_cancelled_at_any_step_publishes_nothing(made, result, moment):
    folder, mask, probability = made
    polygons(PolygonsJob(mask, str(folder / "v.gpkg"), probability))
    threshold(ThresholdJob(probability, str(folder / "t.tif"), 0.3))
    drawn = write_polygons(folder / "drawn.gpkg", [("manual", 2, 2, 8, 8)])
    correct(CorrectJob(str(folder / "t.tif"), drawn, str(folder / "c.tif")))
    polygons(PolygonsJob(str(folder / "c.tif"), str(folder / "steps.gpkg"), probability))
    out = folder / "out"
    out.mkdir()
    finals = [str(out / name) for name in ("again.tif", "again_probability.tif", "again.gpkg")]
    for path in finals:
        Path(path).write_text("yesterday's result")
    traced = finals[2] if result.endswith(".gpkg") else None
    job = RepeatJob(str(folder / result), finals[0], probability=finals[1], polygons=traced, overwrite=True)
    with pytest.raises(Cancelled, match="nothing was written"):
        repeat(job, CancelledAt(*moment))
    assert sorted(os.listdir(out)) == ["again.gpkg", "again.tif", "again_probability.tif"]
    assert all(Path(path).read_text() == "yesterday's result" for path in finals)
    assert repeat(job)["different_pixels"] in (0, None)
    assert hidden(out) == [] and all(os.path.getsize(path) > 100 for path in finals[: 3 if traced else 2])


def test_what_is_made_again_names_its_files_as_they_are_called(made, monkeypatch):
    folder, mask, probability = made
    polygons(PolygonsJob(mask, str(folder / "v.gpkg"), probability))
    finals = {name: str(folder / f"again{end}") for name, end in (("out", ".tif"), ("probability", "_p.tif"))}
    monkeypatch.chdir(folder)
    repeat(RepeatJob("v.gpkg", "again.tif", probability="again_p.tif", polygons="again.gpkg"))
    of_mask = provenance(ProvenanceJob(finals["out"]))["job"]
    assert (of_mask["mask"], of_mask["probability"]) == tuple(finals.values())
    found = provenance(ProvenanceJob(str(folder / "again.gpkg")))
    (step,) = found["steps"]
    assert step["job"]["mask"] == finals["out"] and step["job"]["probability"] == finals["probability"]
    assert found["tags"]["HAZARD_MASK"] == "again.tif"
    assert sorted(path.name for path in folder.glob("again*")) == [
        "again.gpkg", "again.qml", "again.tif", "again_p.qml", "again_p.tif",
    ]  # fmt: skip


def test_a_name_taken_while_a_run_is_repeated_is_not_overwritten(made):
    folder, mask, probability = made
    polygons(PolygonsJob(mask, str(folder / "v.gpkg"), probability))

    class Takes(Report):
        def stage(self, name, share=0.0):
            if name == "Tracing polygons":
                (folder / "again.tif").write_text("someone else")

    job = RepeatJob(str(folder / "v.gpkg"), str(folder / "again.tif"), polygons=str(folder / "new.gpkg"))
    with pytest.raises(OutputFailed, match="appeared meanwhile"):
        repeat(job, Takes())
    assert (folder / "again.tif").read_text() == "someone else"
    assert not (folder / "new.gpkg").exists() and hidden(folder) == []


def test_a_change_is_made_again_from_its_masks(made):
    folder, mask, probability = made
    threshold(ThresholdJob(probability, str(folder / "t.tif"), 0.2))
    change(ChangeJob(str(folder / "t.tif"), mask, str(folder / "d.tif")))
    assert again(folder, folder / "d.tif")["different_pixels"] == 0
    with pytest.raises(BadInput, match="neither probability nor polygons"):
        again(folder, folder / "d.tif", polygons=str(folder / "x.gpkg"))


def test_what_has_gone_or_changed_is_refused_and_nothing_written(made):
    folder, mask, _ = made
    drawn = write_polygons(folder / "drawn.gpkg", [("manual", 2, 2, 8, 8)])
    correct(CorrectJob(mask, drawn, str(folder / "c.tif")))
    (folder / "drawn.gpkg").unlink()
    with pytest.raises(BadInput, match="no longer there"):
        again(folder, folder / "c.tif")
    with pytest.raises(BadInput, match="does not hold polygons"):
        again(folder, mask, polygons=str(folder / "x.gpkg"))
    shutil.copy(folder / "scene.tif", folder / "kept.tif")
    write_raster(folder / "scene.tif", np.full((6, 96, 120), 700, "u2"), names=NAMES)
    with pytest.raises(BadInput, match="has changed since"):
        again(folder, mask)
    assert not (folder / "again.tif").exists()
    found = again(folder, mask, changed=True)
    assert found["different_pixels"] > 0 and "has changed since" in found["warnings"][0]
    (folder / "again.tif").unlink()
    (folder / "scene.tif").unlink()
    with pytest.raises(BadInput, match="cannot be found"):
        again(folder, mask)
    with pytest.raises(BadInput, match="does not say how it was made"):
        again(folder, write_raster(folder / "foreign.tif", np.ones((4, 4), "u1")), changed=True)
    assert not (folder / "again.tif").exists() and hidden(folder) == []


def test_results_moved_together_with_their_scene_are_made_again(made, tmp_path_factory):
    folder, mask, probability = made
    (folder / "own").mkdir()
    drawn = write_polygons(folder / "own" / "drawn.gpkg", [("manual", 2, 2, 8, 8)])
    correct(CorrectJob(mask, drawn, str(folder / "c.tif")))
    threshold(ThresholdJob(probability, str(folder / "t.tif"), 0.2))
    change(ChangeJob(str(folder / "t.tif"), mask, str(folder / "d.tif")))
    moved = tmp_path_factory.mktemp("elsewhere") / "moved é"
    shutil.move(str(folder), moved)
    assert provenance(ProvenanceJob(str(moved / "mask.tif"), verify=True))["scene_unchanged"] is True
    for name in ("mask", "c", "d"):
        assert again(moved, moved / f"{name}.tif")["different_pixels"] == 0, name
    (moved / "results").mkdir()
    shutil.move(str(moved / "mask.tif"), moved / "results" / "mask.tif")
    with pytest.raises(BadInput, match="cannot be found"):
        again(moved, moved / "results" / "mask.tif")
    shutil.copy(moved / "scene.tif", moved / "results" / "scene.tif")
    assert again(moved, moved / "results" / "mask.tif")["different_pixels"] == 0


def test_an_output_in_no_folder_is_refused(made):
    folder, mask, _ = made
    with pytest.raises(BadInput, match="does not exist"):
        repeat(RepeatJob(mask, str(folder / "nowhere" / "again.tif")))
