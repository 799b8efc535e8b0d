"""What results say of their origin, and masks cut anew from a probability."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from osgeo import gdal
from scenes import read, reflectance_model, run, write_raster

from engine.digest import scene_sha256
from engine.protocol import BadInput, ProvenanceJob, SegmentJob, ThresholdJob
from engine.provenance import provenance
from engine.raster import Scene
from engine.threshold import threshold

PIXEL_M2 = 100.0


def ramp(height=40, width=50):
    """Reflectance, hence probability, from 0 to 0.98 across; the first row has no value."""
    values = np.tile(np.arange(width, dtype="f4") / 51 + 0.005, (height, 1))
    values[0] = np.nan
    return values


def test_a_mask_and_a_probability_say_where_they_come_from(tmp_path):
    raster = write_raster(tmp_path / "S2A_MSIL2A_20240916T100559_N0511_R022_T32TQQ.tif", ramp())
    result, mask, _ = run(tmp_path, raster)
    found = provenance(ProvenanceJob(str(tmp_path / "mask.tif")))
    assert (found["kind"], found["hazard"], found["threshold"]) == ("mask", "flood", 0.5)
    assert found["scene"] == raster and found["scene_date"] == "2024-09-16"
    assert found["scene_sha256"] == hashlib.sha256(open(raster, "rb").read()).hexdigest()
    assert found["model_sha256"] == hashlib.sha256(b"reflectance").hexdigest() and not found["adapted"]
    assert SegmentJob(**{**found["job"], "bands": ("green",), "open_options": ()}).hazard == "flood"
    assert found["hazard_area_m2"] == pytest.approx((mask == 1).sum() * PIXEL_M2, rel=2e-3)
    assert found["hazard_area_m2"] == pytest.approx(result["hazard_area_m2"], rel=1e-6)
    assert found["share_assessed"] == pytest.approx(39 / 40, abs=1e-5)


def test_areas_by_per_cent_are_those_of_the_probability(tmp_path):
    result, _, probability = run(tmp_path, write_raster(tmp_path / "s.tif", ramp()))
    found = provenance(ProvenanceJob(str(tmp_path / "probability.tif")))
    assert found["kind"] == "probability"
    counts = np.bincount(probability[probability != 255], minlength=101)
    assert np.allclose(found["areas_by_percent_m2"], counts * PIXEL_M2, rtol=2e-3)
    assert found["areas_by_percent_m2"] == result["areas_by_percent_m2"]


def test_a_changed_scene_is_noticed(tmp_path, monkeypatch):
    raster = write_raster(tmp_path / "s.tif", ramp())
    run(tmp_path, raster)
    mask = str(tmp_path / "mask.tif")
    assert provenance(ProvenanceJob(mask, verify=True))["scene_unchanged"] is True
    write_raster(tmp_path / "s.tif", ramp() * 0.5)
    found = provenance(ProvenanceJob(mask, verify=True))
    assert found["scene_unchanged"] is False
    (tmp_path / "s.tif").unlink()
    assert provenance(ProvenanceJob(mask, verify=True))["scene_unchanged"] is None


def test_foreign_files_have_no_known_origin_and_no_file_is_refused(tmp_path):
    foreign = write_raster(tmp_path / "f.tif", np.ones((3, 4), "u1"))
    found = provenance(ProvenanceJob(foreign))
    assert found["kind"] is None and found["hazard"] is None and found["job"] is None
    with pytest.raises(BadInput, match=r"nothing\.tif"):
        provenance(ProvenanceJob(str(tmp_path / "nothing.tif")))
    (tmp_path / "text.txt").write_text("no raster")
    with pytest.raises(BadInput):
        provenance(ProvenanceJob(str(tmp_path / "text.txt")))


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
def test_a_number_that_is_not_finite_is_left_out(tmp_path, number):
    constant = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(number, number)
    tags = {
        "HAZARD": "flood",
        "HAZARD_THRESHOLD": number,
        "HAZARD_SHARE_COMPARED": number,
        "HAZARD_JOB": f'{{"raster": "s.tif", "threshold": {constant}}}',
        "HAZARD_ADAPTATION": f'{{"scores": [{constant}]}}',
        "HAZARD_STEPS": f'[{{"kind": "threshold", "job": {{"threshold": {constant}}}}}]',
    }
    found = provenance(ProvenanceJob(write_raster(tmp_path / "m.tif", np.ones((3, 4), "u1"), tags=tags)))
    assert json.dumps(found, allow_nan=False)
    assert found["hazard"] == "flood" and found["steps"] == []
    assert [found[name] for name in ("threshold", "share_compared", "job", "adaptation")] == [None] * 4


@pytest.mark.parametrize("job", ["{", "[1]", "null", '{"raster": 5}', "x" * 3_000_000, "[" * 100_000])
def test_a_damaged_tag_is_not_believed(tmp_path, job):
    path = write_raster(tmp_path / "m.tif", np.ones((3, 4), "u1"), tags={"HAZARD": "flood", "HAZARD_JOB": job})
    found = provenance(ProvenanceJob(path))
    assert found["hazard"] == "flood" and found["scene"] is None


def test_a_scene_of_several_files_is_hashed_whole_and_side_files_do_not_count(tmp_path):
    part = write_raster(tmp_path / "part.tif", ramp())
    gdal.BuildVRT(str(tmp_path / "s.vrt"), [part]).FlushCache()

    def digest():
        with Scene(SegmentJob(raster=str(tmp_path / "s.vrt"), hazard="flood", mask="m.tif")) as scene:
            return scene_sha256(scene.files())

    first = digest()
    shown = gdal.Open(part)
    shown.GetRasterBand(1).ComputeStatistics(False)
    shown = None
    (tmp_path / "s.vrt.aux.xml").write_text("<PAMDataset/>")
    assert digest() == first
    write_raster(part, ramp() * 0.9)
    assert digest() != first


@pytest.mark.parametrize(("cut", "least"), [(0.3, 30), (0.625, 63), (0.001, 1), (0.999, 100)])
def test_a_new_threshold_cuts_the_stored_probability(tmp_path, cut, least):
    _, _, probability = run(tmp_path, write_raster(tmp_path / "s.tif", ramp()))
    out = tmp_path / "again.tif"
    found = threshold(ThresholdJob(str(tmp_path / "probability.tif"), str(out), cut))
    again = read(out)
    assert np.array_equal(again == 255, probability == 255)
    assert np.array_equal(again == 1, (probability >= least) & (probability != 255))
    assert found["hazard_area_m2"] == pytest.approx((again == 1).sum() * PIXEL_M2, rel=2e-3)
    tags = gdal.Open(str(out)).GetMetadata()
    assert float(tags["HAZARD_THRESHOLD"]) == cut and tags["HAZARD"] == "flood"
    assert json.loads(tags["HAZARD_THRESHOLD_JOB"])["threshold"] == cut
    assert provenance(ProvenanceJob(str(out)))["kind"] == "mask"
    assert out.with_suffix(".qml").exists()


def test_the_run_s_own_threshold_gives_its_own_mask_where_it_is_a_whole_per_cent_and_a_half(tmp_path):
    _, mask, _ = run(tmp_path, write_raster(tmp_path / "s.tif", ramp()), threshold=0.625)
    threshold(ThresholdJob(str(tmp_path / "probability.tif"), str(tmp_path / "again.tif"), 0.625))
    assert np.array_equal(read(tmp_path / "again.tif"), mask)


def test_what_is_no_probability_is_refused_and_nothing_is_written(tmp_path):
    wrong = write_raster(tmp_path / "w.tif", np.full((3, 4), 180, "u1"))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BadInput, match="holds 180"):
        threshold(ThresholdJob(wrong, str(tmp_path / "m.tif"), 0.5))
    fractions = write_raster(tmp_path / "w.tif", np.full((3, 4), 0.5, "f4"))
    with pytest.raises(BadInput, match="whole numbers"):
        threshold(ThresholdJob(fractions, str(tmp_path / "m.tif"), 0.5))
    assert sorted(tmp_path.iterdir()) == before
    with pytest.raises(BadInput):
        ThresholdJob(wrong, wrong, 0.5)


def test_the_command_line_tells_origin_and_cuts(tmp_path):
    run(tmp_path, write_raster(tmp_path / "s.tif", ramp()), model=reflectance_model(tmp_path / "model"))

    def engine(*words):
        return subprocess.run(
            [sys.executable, "-m", "engine", *words], capture_output=True, text=True, check=True
        ).stdout

    told = json.loads(engine("provenance", "--file", str(tmp_path / "mask.tif"), "--json"))
    assert told["hazard"] == "flood"
    assert "scene_sha256" in engine("provenance", "--file", str(tmp_path / "mask.tif"))
    words = ("threshold", "--probability", str(tmp_path / "probability.tif"), "--threshold", "0.4")
    assert json.loads(engine(*words, "--mask", str(tmp_path / "t.tif"), "--json"))["threshold"] == 0.4
