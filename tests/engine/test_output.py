"""Writing: what is published is complete, valid, on the source's grid, and nothing else changes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal, osr
from osgeo_utils.samples import validate_cloud_optimized_geotiff
from scenes import UTM_10M, read, reflectance_model, run, write_raster

from engine.protocol import BadInput, Cancelled, OutputFailed, SegmentJob, partial_files, partial_path
from engine.raster import MASK, PROBABILITY, Grid, Layer, MaskPair, Window, to_percent
from engine.raster.georeference import read_georeference
from engine.raster.output import RowWriter
from engine.reporting import Report
from engine.segment import segment

ROOT = Path(__file__).resolve().parents[2]


def scene(height=60, width=80, seed=0):
    return np.random.default_rng(seed).uniform(0.05, 0.95, (height, width)).astype(np.float32)


def hidden_files(folder: Path):
    return sorted(name for name in os.listdir(folder) if name.startswith("."))


TRANSFORMS = {
    "north-up": UTM_10M,
    "south-up": (500000, 10, 0, 5000000, 0, 10),
    "rotated": (500000, 8, 6, 5000000, 6, -8),
}


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("crs", ["EPSG:32632", None, "EPSG:2263"])
def test_the_mask_has_its_sources_grid_exactly(tmp_path, name, crs):
    raster = write_raster(tmp_path / "s.tif", scene(), geotransform=TRANSFORMS[name], crs=crs)
    run(tmp_path, raster, gsd_m=10.0)
    source = gdal.Open(raster)
    for written in (gdal.Open(str(tmp_path / "mask.tif")), gdal.Open(str(tmp_path / "probability.tif"))):
        assert written.GetGeoTransform() == source.GetGeoTransform()
        assert (written.RasterXSize, written.RasterYSize) == (source.RasterXSize, source.RasterYSize)
        mine, theirs = written.GetSpatialRef(), source.GetSpatialRef()
        assert (mine is None) == (theirs is None) and (mine is None or mine.IsSame(theirs))


def test_a_crs_that_a_geotiff_cannot_hold_lies_beside_the_mask(tmp_path):
    raster = write_raster(tmp_path / "s.vrt.tif", np.full((20, 30), 0.7, "f4"))
    scene = str(tmp_path / "scene.vrt")
    gdal.Translate(scene, raster, format="VRT", outputSRS="EPSG:8857")  # Equal Earth
    for overwrite in (False, True):
        result, _, _ = run(tmp_path, scene, overwrite=overwrite)
        for path in (result["mask"], result["probability"]):
            assert read_georeference(gdal.Open(path), None).crs.IsSame(read_georeference(gdal.Open(scene), None).crs)
            assert os.path.exists(path + ".aux.xml")
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_a_mask_without_georeference_has_none(tmp_path):
    raster = write_raster(tmp_path / "s.tif", scene(), geotransform=None, crs=None)
    result, _, probability = run(tmp_path, raster)
    assert gdal.Open(str(tmp_path / "mask.tif")).GetGeoTransform(can_return_null=True) is None
    assert result["hazard_area_m2"] == pytest.approx((read(tmp_path / "mask.tif") == 1).sum() * 100)
    assert probability.shape == (60, 80)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_an_extent_cuts_the_mask_out_of_the_full_grid(tmp_path, name):
    values = scene()
    a, b, c, d, e, f = TRANSFORMS[name]
    raster = write_raster(tmp_path / "s.tif", values, geotransform=TRANSFORMS[name])
    corners = [(a + b * x + c * y, d + e * x + f * y) for x in (12, 40) for y in (7, 31)]
    xs, ys = zip(*corners, strict=True)
    _, _, probability = run(tmp_path, raster, extent=(min(xs), min(ys), max(xs), max(ys)))
    written = gdal.Open(str(tmp_path / "probability.tif"))
    ga, gb, gc, gd, ge, gf = written.GetGeoTransform()
    assert (gb, gc, ge, gf) == (b, c, e, f)
    determinant = b * f - c * e
    column = (f * (ga - a) - c * (gd - d)) / determinant
    row = (b * (gd - d) - e * (ga - a)) / determinant
    assert column == pytest.approx(round(column), abs=1e-6) and row == pytest.approx(round(row), abs=1e-6)
    column, row = round(column), round(row)
    assert column <= 12 and row <= 7
    part = values[row : row + probability.shape[0], column : column + probability.shape[1]]
    assert np.abs(probability - part * 100).max() <= 0.51
    if name != "rotated":
        assert probability.shape == (24, 28)


@pytest.mark.parametrize("with_extent", [False, True])
def test_ground_control_points_put_the_mask_exactly_over_its_source(tmp_path, with_extent):
    values = np.where(scene() > 0.5, 0.9, 0.1).astype(np.float32)
    points = [
        gdal.GCP(500000 + 8 * x + 6 * y + 0.01 * x * y, 5000000 + 6 * x - 8 * y, 0, x, y)
        for x in (0, 25, 50, 80)
        for y in (0, 20, 40, 60)
    ]
    raster = write_raster(tmp_path / "s.tif", values, gcps=points)
    run(tmp_path, raster, extent=(500200, 4999800, 500500, 5000100) if with_extent else None)
    mask = gdal.Open(str(tmp_path / "mask.tif"))
    assert mask.GetGCPCount() == 16
    assert mask.GetGCPSpatialRef().IsSame(gdal.Open(raster).GetGCPSpatialRef())
    how = {"format": "MEM", "outputBounds": (500250, 4999850, 500450, 5000050), "xRes": 2, "yRes": 2}
    expected = gdal.Warp("", raster, dstNodata=-1, **how).ReadAsArray()
    found = gdal.Warp("", mask, dstNodata=255, **how).ReadAsArray()
    both = (found != 255) & (expected != -1)
    assert both.mean() > 0.5
    assert ((found == 1) == (expected > 0.5))[both].mean() > 0.995


def test_rational_polynomials_travel_with_the_mask(tmp_path):
    terms = " ".join(["0"] * 19)
    tags = {f"{kind}_{part}_COEFF": f"1 {terms}" for kind in ("LINE", "SAMP") for part in ("NUM", "DEN")}
    tags.update({f"{name}_SCALE": "100" for name in ("LINE", "SAMP", "LAT", "LONG", "HEIGHT")})
    tags.update({"LINE_OFF": "30", "SAMP_OFF": "40", "LAT_OFF": "45", "LONG_OFF": "9", "HEIGHT_OFF": "0"})
    raster = write_raster(tmp_path / "s.tif", scene(), geotransform=None, crs=None)
    dataset = gdal.Open(raster, gdal.GA_Update)
    dataset.SetMetadata(tags, "RPC")
    dataset = None
    run(tmp_path, raster, extent=(10, -40, 50, -5))
    found = gdal.Open(str(tmp_path / "mask.tif")).GetMetadata("RPC")
    assert float(found["SAMP_OFF"]) == 30
    assert float(found["LINE_OFF"]) == 25
    assert float(found["LAT_OFF"]) == 45


@pytest.mark.parametrize("size", [(1, 1), (60, 80), (1300, 1100)])
def test_outputs_are_valid_cloud_optimised_geotiffs_with_style_and_tags(tmp_path, size):
    run(tmp_path, write_raster(tmp_path / "s.tif", scene(*size)))
    for name in ("mask", "probability"):
        path = tmp_path / f"{name}.tif"
        _, errors, _ = validate_cloud_optimized_geotiff.validate(str(path))
        assert errors == []
        dataset = gdal.Open(str(path))
        band = dataset.GetRasterBand(1)
        assert band.DataType == gdal.GDT_Byte
        assert band.GetNoDataValue() == 255
        assert (band.GetColorTable() is not None) == (name == "mask")
        assert (tmp_path / f"{name}.qml").read_text().strip()
        tags = dataset.GetMetadata()
        assert tags["HAZARD"] == "flood"
        assert len(tags["HAZARD_MODEL_SHA256"]) == 64
        assert '"raster"' in tags["HAZARD_JOB"]
        assert {"HAZARD_TIME", "HAZARD_VERSIONS", "HAZARD_THRESHOLD", "HAZARD_BATCH_SIZE"} <= set(tags)
    assert hidden_files(tmp_path) == []


def test_overviews_of_a_mask_hold_no_values_in_between(tmp_path):
    run(tmp_path, write_raster(tmp_path / "s.tif", scene(1300, 1100)))
    dataset = gdal.Open(str(tmp_path / "mask.tif"))
    band = dataset.GetRasterBand(1)
    assert band.GetOverviewCount() >= 1
    assert set(np.unique(band.GetOverview(0).ReadAsArray())) <= {0, 1, 255}


def test_the_same_job_gives_the_same_pixels_with_and_without_probability(tmp_path):
    raster = write_raster(tmp_path / "s.tif", scene(900, 1000))
    _, first, first_probability = run(tmp_path, raster)
    _, second, second_probability = run(tmp_path, raster)
    _, alone, _ = run(tmp_path, raster, probability=None, mask=str(tmp_path / "alone.tif"))
    assert np.array_equal(first, second) and np.array_equal(first, alone)
    assert np.array_equal(first_probability, second_probability)


@pytest.mark.parametrize("threshold", [0.123, 0.5, 0.876])
def test_mask_and_probability_agree_at_the_threshold(tmp_path, threshold):
    values = scene(300, 300)
    values[:50] = np.nan
    result, mask, probability = run(tmp_path, write_raster(tmp_path / "s.tif", values), threshold=threshold)
    assert result["threshold"] == threshold
    assert np.array_equal(mask == 255, np.isnan(values))
    assert np.array_equal(probability == 255, np.isnan(values))
    assert probability[mask == 1].min() >= threshold * 100 - 0.51
    assert probability[mask == 0].max() <= threshold * 100 + 0.51
    assert result["share_assessed"] == pytest.approx(250 / 300)


def test_percent_is_rounded_and_nan_is_255():
    given = np.array([0, 0.004, 0.006, 0.5, 0.994, 0.996, 1, np.nan], np.float32)
    assert to_percent(given).tolist() == [0, 0, 1, 50, 99, 100, 100, 255]


@pytest.mark.parametrize("taken", ["mask.tif", "probability.tif"])
def test_an_existing_output_stays_as_it_is(tmp_path, taken):
    raster = write_raster(tmp_path / "s.tif", scene())
    (tmp_path / taken).write_bytes(b"mine")
    with pytest.raises(OutputFailed, match="exists"):
        run(tmp_path, raster, overwrite=False)
    assert (tmp_path / taken).read_bytes() == b"mine"
    assert sorted(os.listdir(tmp_path)) == sorted(["model", "s.tif", taken])


def test_overwrite_replaces_outputs_and_what_gdal_kept_of_them(tmp_path):
    raster = write_raster(tmp_path / "s.tif", scene())
    for name in ("mask.tif", "mask.tif.aux.xml", "mask.tif.ovr", "mask.tif.msk"):
        (tmp_path / name).write_bytes(b"old")
    _, mask, _ = run(tmp_path, raster)
    assert mask.shape == (60, 80)
    assert not {"mask.tif.aux.xml", "mask.tif.ovr", "mask.tif.msk"} & set(os.listdir(tmp_path))


def test_a_style_that_someone_put_there_is_not_replaced_unasked(tmp_path):
    raster = write_raster(tmp_path / "s.tif", scene())
    (tmp_path / "mask.qml").write_text("mine")
    run(tmp_path, raster, overwrite=False)
    assert (tmp_path / "mask.qml").read_text() == "mine"
    run(tmp_path, raster, overwrite=True)
    assert (tmp_path / "mask.qml").read_text() != "mine"


def test_a_mask_named_like_its_scene_brings_no_style_for_the_scene(tmp_path):
    raster = write_raster(tmp_path / "scene.img", scene(), driver="HFA")
    run(tmp_path, raster, mask=str(tmp_path / "scene.tif"))
    assert not (tmp_path / "scene.qml").exists()


def test_outputs_that_would_share_a_style_are_refused(tmp_path):
    raster = write_raster(tmp_path / "s.tif", scene())
    with pytest.raises(BadInput, match="choose two names"):
        run(tmp_path, raster, mask=str(tmp_path / "m.tif"), probability=str(tmp_path / "m.tiff"))


def test_the_scene_itself_is_never_an_output(tmp_path):
    raster = write_raster(tmp_path / "s.tif", scene())
    before = Path(raster).read_bytes()
    os.symlink(raster, tmp_path / "link.tif")
    os.symlink(tmp_path, tmp_path / "folder")
    for path in (raster, tmp_path / "link.tif", tmp_path / "folder" / "s.tif", f"{tmp_path}/./s.tif"):
        with pytest.raises(BadInput, match="scene"):
            run(tmp_path, raster, mask=str(path))
        with pytest.raises(BadInput, match="scene"):
            run(tmp_path, raster, probability=str(path))
    assert Path(raster).read_bytes() == before


def test_a_part_of_a_mosaic_is_never_an_output(tmp_path):
    raster = write_raster(tmp_path / "part.tif", scene())
    gdal.BuildVRT(str(tmp_path / "s.vrt"), [raster]).FlushCache()
    before = Path(raster).read_bytes()
    with pytest.raises(BadInput, match="scene"):
        run(tmp_path, tmp_path / "s.vrt", mask=raster)
    assert Path(raster).read_bytes() == before


def test_a_link_as_output_is_kept_or_replaced_but_never_followed_to_nothing(tmp_path):
    raster = write_raster(tmp_path / "s.tif", scene())
    os.symlink(tmp_path / "nowhere.tif", tmp_path / "mask.tif")
    with pytest.raises(OutputFailed, match="exists"):
        run(tmp_path, raster, overwrite=False)
    assert os.path.islink(tmp_path / "mask.tif")


@pytest.mark.parametrize("folder", ["missing", "file.txt", "/proc", "/proc/1/fd"])
def test_a_folder_that_cannot_be_written_is_said(tmp_path, folder):
    raster = write_raster(tmp_path / "s.tif", scene())
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(OutputFailed) as error:
        run(tmp_path, raster, mask=os.path.join(tmp_path / folder, "mask.tif"), probability=None)
    assert "\n" not in str(error.value)
    assert sorted(os.listdir(tmp_path)) == ["file.txt", "model", "s.tif"]


def test_a_folder_is_no_output(tmp_path):
    raster = write_raster(tmp_path / "s.tif", scene())
    (tmp_path / "mask.tif").mkdir()
    with pytest.raises(OutputFailed, match="is a folder"):
        run(tmp_path, raster)


def test_only_geotiff_names_are_taken(tmp_path):
    for name in ("mask.png", "mask", "mask.tif.gz", ".tif"):
        with pytest.raises(BadInput, match="GeoTIFF"):
            SegmentJob(raster="s.tif", hazard="flood", mask=str(tmp_path / name))


@pytest.mark.parametrize(
    "name",
    [
        "with space.tif",
        "Überflutung 洪水.tif",
        "a\nb.tif",
        "-m.tif",
        "x" * 251 + ".tif",
        "洪" * 83 + ".tif",
        "100%.tif",
    ],
)
def test_any_output_name_works(tmp_path, name, monkeypatch):
    raster = write_raster(tmp_path / "s.tif", scene())
    monkeypatch.chdir(tmp_path)
    _, mask, _ = run(tmp_path, raster, mask=name)
    assert mask.shape == (60, 80)
    assert hidden_files(tmp_path) == []


def test_partial_names_fit_the_file_system_and_are_found_again(tmp_path):
    for name in ("a.tif", "x" * 251 + ".tif", "洪" * 83 + ".tif"):
        partial = partial_path(str(tmp_path / name), "job7")
        assert os.path.basename(partial).startswith(".") and len(os.fsencode(os.path.basename(partial))) < 200
        Path(partial).write_bytes(b"")
        assert partial_files(str(tmp_path / name), "job7") == [partial]
        assert partial_files(str(tmp_path / name), "job8") == []
    one, two = (partial_path("x" * 240 + end + ".tif", "job7") for end in ("1", "2"))
    assert one != two


def noise(height, width):
    """A scene whose mask does not compress."""
    return np.where(np.random.default_rng(5).random((height, width)) > 0.5, 0.9, 0.1).astype(np.float32)


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("size", [(2000, 2000), (3500, 3500)])
@pytest.mark.filterwarnings("error")
def test_a_full_disk_leaves_everything_as_it_was(tmp_path, small_disk, existing, size, monkeypatch):
    raster = write_raster(tmp_path / "s.tif", noise(*size))
    if existing:
        (small_disk / "mask.tif").write_bytes(b"mine")
    monkeypatch.setattr("engine.segment.estimated_bytes", lambda *_: 0)
    with pytest.raises(OutputFailed, match="disk is full"):
        run(tmp_path, raster, mask=str(small_disk / "mask.tif"), probability=str(small_disk / "probability.tif"))
    assert os.listdir(small_disk) == (["mask.tif"] if existing else [])
    if existing:
        assert (small_disk / "mask.tif").read_bytes() == b"mine"


def test_a_disk_that_is_full_already_is_said_before_anything_is_computed(tmp_path, small_disk):
    raster = write_raster(tmp_path / "s.tif", scene())
    with open(small_disk / "filler", "wb") as filler:
        filler.write(b"x" * (2**20 - 8192))
    with pytest.raises(OutputFailed, match="MB left"):
        run(tmp_path, raster, mask=str(small_disk / "mask.tif"))
    assert os.listdir(small_disk) == ["filler"]


class StopsAt(Report):
    """Cancels itself when a stage is reached."""

    def __init__(self, stage, share=0.0):
        super().__init__(on_progress=self._look)
        self._wanted = stage, share

    def _look(self, stage, share, left):
        if stage == self._wanted[0] and share >= self._wanted[1]:
            self.cancelled.set()


@pytest.mark.parametrize("stage", ["Opening the scene", "Measuring the scene", "Segmenting", "Writing"])
def test_cancelling_at_any_stage_leaves_nothing(tmp_path, stage, capfd):
    raster = write_raster(tmp_path / "s.tif", scene(1600, 1600))
    with pytest.raises(Cancelled):
        run(tmp_path, raster, report=StopsAt(stage))
    assert sorted(os.listdir(tmp_path)) == ["model", "s.tif"]
    assert "Traceback" not in capfd.readouterr().err


def test_cancelling_while_the_last_file_is_made_is_a_cancel_and_not_a_fault(tmp_path, capfd):
    raster = write_raster(tmp_path / "s.tif", noise(1600, 1600))
    report = Report()
    reference = read_georeference(gdal.Open(raster), None)
    layers = {MASK: Layer(str(tmp_path / "mask.tif"), "x", {}, None)}
    with pytest.raises(Cancelled), MaskPair(layers, Grid(reference, Window(0, 0, 1600, 1600)), "job") as pair:
        pair.write(MASK, (noise(1600, 1600) > 0.5).astype(np.uint8))
        report.cancelled.set()
        pair.publish({}, lambda share: report.progress(share), overwrite=False)
    assert sorted(os.listdir(tmp_path)) == ["s.tif"]
    assert "Traceback" not in capfd.readouterr().err


def test_when_one_file_cannot_be_published_none_is(tmp_path, monkeypatch):
    raster = write_raster(tmp_path / "s.tif", scene())
    (tmp_path / "probability.tif").write_bytes(b"old")
    (tmp_path / "mask.tif").write_bytes(b"older")
    rename = os.replace

    def fails_for_the_mask(source, target):
        if str(target).endswith("mask.tif") and ".partial" in str(source) and "replaced" not in str(source):
            raise PermissionError(13, "in use")
        rename(source, target)

    monkeypatch.setattr(os, "replace", fails_for_the_mask)
    with pytest.raises(OutputFailed, match="in use"):
        run(tmp_path, raster)
    monkeypatch.undo()
    assert (tmp_path / "probability.tif").read_bytes() == b"old"
    assert (tmp_path / "mask.tif").read_bytes() == b"older"
    assert hidden_files(tmp_path) == []


def test_a_file_that_does_not_hold_what_was_written_is_not_published(tmp_path):
    raster = write_raster(tmp_path / "s.tif", scene(600, 80))
    grid = Grid(read_georeference(gdal.Open(raster), None), Window(0, 0, 80, 600))
    writer = RowWriter(Layer(str(tmp_path / "m.tif"), "mask", {}, None), grid, "job")
    for rows in (200, 399, 1):
        writer.write(np.ones((rows, 80), np.uint8))
    writer._band.WriteArray(np.zeros((1, 1), np.uint8), 79, 599)
    with pytest.raises(OutputFailed, match="could not be written completely"):
        writer.finish({}, lambda share: None)
    assert not (tmp_path / "m.tif").exists()


def test_a_name_taken_meanwhile_is_not_overwritten(tmp_path):
    raster = write_raster(tmp_path / "s.tif", scene())

    class Takes(Report):
        def stage(self, name, share=0.0):
            if name == "Writing":
                (tmp_path / "mask.tif").write_bytes(b"someone else")

    with pytest.raises(OutputFailed, match="appeared meanwhile"):
        run(tmp_path, raster, report=Takes(), overwrite=False)
    assert (tmp_path / "mask.tif").read_bytes() == b"someone else"
    assert sorted(os.listdir(tmp_path)) == ["mask.tif", "model", "s.tif"]


@pytest.mark.parametrize("colour", ["flood", "other"])
def test_a_mask_is_coloured_for_any_hazard(tmp_path, colour):
    raster = write_raster(tmp_path / "s.tif", scene())
    model = reflectance_model(tmp_path / "model")
    object.__setattr__(model.card, "hazards", (colour,))
    object.__setattr__(model.card, "thresholds", {colour: 0.5})
    run(tmp_path, raster, model=model, hazard=colour)
    dataset = gdal.Open(str(tmp_path / "mask.tif"))
    table = dataset.GetRasterBand(1).GetColorTable()
    assert table.GetColorEntry(1) not in (table.GetColorEntry(0), table.GetColorEntry(255))


def test_killed_processes_leave_hidden_files_only(tmp_path):
    """A process killed in the middle of writing leaves no visible output."""
    raster = write_raster(tmp_path / "s.tif", noise(1500, 1500))
    code = (
        "import os, signal, sys, numpy as np\n"
        "from osgeo import gdal\n"
        "from engine.raster import *\n"
        "from engine.raster.georeference import read_georeference\n"
        f"g = Grid(read_georeference(gdal.Open({raster!r}), None), Window(0, 0, 1500, 1500))\n"
        f"pair = MaskPair({{MASK: Layer({str(tmp_path / 'mask.tif')!r}, 'x', {{}}, None)}}, g, 'job1')\n"
        "pair.write(MASK, np.zeros((1500, 1500), np.uint8))\n"
        "die = lambda share: os.kill(os.getpid(), signal.SIGKILL) if share > 0.3 else None\n"
        "pair.publish({}, die, overwrite=False)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True)
    assert ended.returncode == -9, ended.stderr
    assert sorted(name for name in os.listdir(tmp_path) if not name.startswith(".")) == ["s.tif"]
    left = partial_files(str(tmp_path / "mask.tif"), "job1")
    assert left and {os.path.basename(path) for path in left} == set(hidden_files(tmp_path))


def test_several_runs_side_by_side_do_not_meet(tmp_path):
    raster = write_raster(tmp_path / "s.tif", scene())
    model = reflectance_model(tmp_path / "model")
    layers = {MASK: Layer(str(tmp_path / "mask.tif"), "x", {}, None), PROBABILITY: None}
    del layers[PROBABILITY]
    reference = read_georeference(gdal.Open(raster), None)
    with MaskPair(layers, Grid(reference, Window(0, 0, 80, 60)), "other"):
        job = SegmentJob(raster=raster, hazard="flood", mask=str(tmp_path / "mask.tif"), model="reflectance",
                         bands=("green",), units="reflectance")  # fmt: skip
        segment(job, None, {"reflectance": model})
    assert (tmp_path / "mask.tif").exists()
    assert hidden_files(tmp_path) == []


def test_output_crs_can_be_given(tmp_path):
    raster = write_raster(tmp_path / "s.tif", scene(), crs=None)
    run(tmp_path, raster, crs="EPSG:32633")
    found = gdal.Open(str(tmp_path / "mask.tif")).GetSpatialRef()
    wanted = osr.SpatialReference()
    wanted.ImportFromEPSG(32633)
    assert found.IsSame(wanted)
