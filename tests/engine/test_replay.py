"""Tables of labelled chips: what is read of them, and what is said of those that cannot be."""

import threading

import numpy as np
import pytest
import torch
from scenes import write_raster

from engine import replay
from engine.protocol import BadInput, Cancelled
from engine.replay import read_replay
from engine.reporting import Report

NAMES = ("B02", "B03", "B04", "B08")
H, W = 24, 32


@pytest.fixture
def folder(tmp_path):
    values = np.random.default_rng(0).integers(200, 4000, (4, H, W)).astype("u2")
    write_raster(tmp_path / "image_20240916.tif", values, names=NAMES)
    label = np.zeros((H, W), "u1")
    label[:, :4], label[:4] = 1, 255
    write_raster(tmp_path / "label.tif", label)
    score = np.full((H, W), 0.25, "f4")
    score[0], score[1] = np.nan, 255
    write_raster(tmp_path / "score.tif", score)
    return tmp_path


def table(folder, *lines, header="image,score,label"):
    path = folder / "table.csv"
    path.write_text("\n".join((header, *lines)) + "\n", "utf-8")
    return str(path)


def chips_of(folder, *lines, **how):
    return read_replay(table(folder, *lines, **how), Report())


def test_a_row_gives_image_label_and_score(folder):
    (chip,) = chips_of(folder, "image_20240916.tif,score.tif,label.tif")
    scene = chip.scene
    assert scene.slots == ("blue", "green", "red", "nir") and scene.absolute and scene.name == "image_20240916.tif"
    assert scene.values.shape == (4, H, W) and scene.valid.shape == (1, H, W) and scene.valid.all()
    assert 0.02 <= scene.values.min() and scene.values.max() <= 0.4  # 200 to 4000 of 10000
    assert scene.surface.dtype == torch.uint8
    assert scene.surface[:4].eq(255).all() and scene.surface[4:, :4].eq(1).all() and scene.surface[4:, 4:].eq(0).all()
    assert chip.score.shape == (H, W) and chip.score.dtype == torch.float32
    assert chip.score[:2].isnan().all() and chip.score[2:].eq(0.25).all()
    assert scene.labels == {} and scene.gsd_m == 10 and scene.scene_range is not None


@pytest.mark.parametrize(
    ("line", "labelled"), [("image_20240916.tif,,label.tif", True), ("image_20240916.tif,score.tif,", False)]
)
def test_one_of_label_and_score_is_enough(folder, line, labelled):
    (chip,) = chips_of(folder, line)
    assert (chip.scene.surface is not None) == labelled and (chip.score is None) == labelled


def test_characteristics_are_found_and_the_table_corrects_them(folder):
    header = "image,label,longitude,latitude,date,sensor"
    found, told = (
        chip.scene.characteristics
        for chip in chips_of(
            folder,
            "image_20240916.tif,label.tif,,,,",
            "image_20240916.tif,label.tif,-70.5,-13,2020-12-31,sentinel-2-l1c",
            header=header,
        )
    )
    assert (found.day_of_year, found.sensor) == (260, None), "band names do not tell the processing level"
    assert found.longitude == pytest.approx(9.002, abs=0.001)
    assert (told.longitude, told.latitude, told.day_of_year, told.sensor) == (-70.5, -13, 366, "sentinel-2-l1c")


def test_what_the_table_says_of_bands_units_and_pixels_is_used(folder):
    write_raster(folder / "plain.tif", np.full((2, H, W), 0.3, "f4"), crs=None)
    write_raster(folder / "plain_label.tif", np.ones((H, W), "u1"), crs=None)
    (chip,) = chips_of(
        folder, 'plain.tif,plain_label.tif,"nir,swir1",reflectance,30', header="Image, Label, Bands, units, gsd_m"
    )
    assert (chip.scene.slots, chip.scene.gsd_m) == (("nir", "swir1"), 30)
    assert chip.scene.values.numpy() == pytest.approx(0.3)


def test_spreadsheets_semicolons_marks_and_blank_lines_do_not_matter(folder):
    path = folder / "t.csv"
    path.write_bytes("\ufeffimage;score;label;note\r\nimage_20240916.tif;;label.tif;a\r\n;;;\r\n\r\n".encode())
    assert len(read_replay(str(path), Report())) == 1


def scores(folder, *arrays):
    """Scores as read, of chips whose scores are these arrays."""
    for number, values in enumerate(arrays):
        write_raster(folder / f"s{number}.tif", values)
    return [
        chip.score[0, 0].item()
        for chip in chips_of(folder, *(f"image_20240916.tif,s{n}.tif," for n in range(len(arrays))))
    ]


def test_whole_per_cents_are_told_by_the_whole_table(folder):
    assert scores(folder, np.full((H, W), 1, "u1"), np.full((H, W), 80, "u1")) == pytest.approx([0.01, 0.8])
    assert scores(folder, np.full((H, W), 1, "u1"), np.full((H, W), 0, "u1")) == [1, 0]


def test_per_cents_of_one_chip_do_not_shrink_another_ones_decimals(folder):
    assert scores(folder, np.full((H, W), 0.5, "f4"), np.full((H, W), 50, "u1")) == pytest.approx([0.5, 0.5])


def test_scores_of_nodata_are_not_known(folder):
    values = np.full((H, W), 0.5, "f4")
    values[3] = -9999
    write_raster(folder / "n.tif", values, nodata=[-9999])
    (chip,) = chips_of(folder, "image_20240916.tif,n.tif,")
    assert chip.score[3].isnan().all() and chip.score[4:].eq(0.5).all()


def test_of_a_large_image_the_centre_is_taken(folder, monkeypatch):
    monkeypatch.setattr(replay, "CHIP_PX", 16)
    whole = np.arange(H * W, dtype="f4").reshape(H, W) / (H * W)
    write_raster(folder / "large.tif", whole[None], names=["nir"])
    write_raster(folder / "large_score.tif", whole)
    (chip,) = chips_of(folder, "large.tif,large_score.tif,,reflectance", header="image,score,label,units")
    centre = whole[4:20, 8:24]
    assert np.array_equal(chip.score.numpy(), centre)
    assert chip.scene.values[0].numpy() == pytest.approx(centre)
    assert chip.scene.scene_range[1][0] > centre.max()  # of the whole image


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("none.tif,,label.tif", r"Line 2 of 'table.csv': There is no raster '.*none.tif'"),
        ("image_20240916.tif,,none.tif", "Line 2 .*There is no raster"),
        ("image_20240916.tif,,", "Line 2 .* has no score and no label"),
        (",score.tif,label.tif", "Line 2 .* has no image"),
        ("image_20240916.tif,score.tif,label.tif,x", "Line 2 .* has 4 cells for 3 columns"),
        ("image_20240916.tif,,small.tif", r"Line 2 .*'small.tif' has 5 x 5 pixels, the image 32 x 24"),
        ("image_20240916.tif,elsewhere.tif,", "Line 2 .*'elsewhere.tif' lies 1 pixels beside"),
        ("image_20240916.tif,othercrs.tif,", "Line 2 .*another CRS"),
        ("image_20240916.tif,,codes.tif", "Line 2 .*holds the code 7; expected 1 artificial, 0 natural"),
        ("image_20240916.tif,codes_negative.tif,", "Line 2 .*holds numbers from -3 to -3; expected 0 to 1"),
        ("image_20240916.tif,unknown.tif,unknown.tif", "Line 2 .*Neither label nor score"),
        ("image_20240916.tif,image_20240916.tif,", "Line 2 .*has 4 bands"),
        ("unnamed.tif,,label.tif", "Line 2 .*the bands of 'unnamed.tif' are not named; .*column bands"),
        ("empty.tif,,label.tif", "Line 2 .*no valid pixel"),
    ],
)
def test_what_is_wrong_with_a_row_is_one_sentence_with_its_line(folder, line, said):
    write_raster(folder / "small.tif", np.zeros((5, 5), "u1"))
    write_raster(folder / "elsewhere.tif", np.zeros((H, W), "f4"), geotransform=(500010.0, 10, 0, 5100000.0, 0, -10))
    write_raster(folder / "othercrs.tif", np.zeros((H, W), "f4"), crs="EPSG:32633")
    write_raster(folder / "codes.tif", np.full((H, W), 7, "u1"))
    write_raster(folder / "codes_negative.tif", np.full((H, W), -3, "f4"))
    write_raster(folder / "unknown.tif", np.full((H, W), 255, "u1"))
    write_raster(folder / "unnamed.tif", np.ones((5, H, W), "f4"))
    write_raster(folder / "empty.tif", np.zeros((4, H, W), "u2"), names=NAMES, nodata=[0])
    with pytest.raises(BadInput, match=said) as error:
        chips_of(folder, line)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("longitude", "9", "longitude and latitude"),
        ("latitude", "north", "latitude 'north' is not a number"),
        ("latitude", "91", "latitude 91 is out of range"),
        ("latitude", "nan", "out of range"),
        ("date", "16.9.2024", "is not a date"),
        ("date", "2999-01-01", "The date 2999-01-01 lies in the future"),
        ("sensor", "modis", "Sensor 'modis' is not known"),
        ("units", "feet", "Units 'feet' is not known"),
        ("bands", "infra", "Band slot 'infra' is not known"),
        ("gsd_m", "-1", "out of range"),
    ],
)
def test_a_cell_that_cannot_be_is_one_sentence_with_its_line(folder, column, cell, said):
    good = "image_20240916.tif,label.tif,"
    with pytest.raises(BadInput, match=f"Line 3 of 'table.csv': .*{said}"):
        chips_of(folder, good, good + cell, header=f"image,label,{column}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The first line of 't.csv' is nothing; columns image, score and label"),
        (b"a,b\n1,2\n", "is a, b; columns"),
        (b"image,name\nx,y\n", "columns image, score and label"),
        (b"image,label,label\nx,y,z\n", "2 columns named label"),
        (b"image,label\n", "has no rows"),
        (b"image,label\n\xff\xfe,x\n", "cannot be read"),
        (b"\x00\x01\x02", "first line|cannot be read"),
        (b'image,label\n"x,y\n', "cannot be read"),
        (b"image,label\n" + b"x,y\n" * 1001, "more than 1000 rows"),
        (b"image,label\n" + b"x" * 200_000, "cannot be read"),
        (b"x" * 10_000_001, "10 MB"),
    ],
)
def test_what_is_no_table_is_said(tmp_path, content, said):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(BadInput, match=said):
        read_replay(str(tmp_path / "t.csv"), Report())


def test_a_table_that_is_not_there_or_a_folder_is_said(tmp_path):
    with pytest.raises(BadInput, match="There is no table"):
        read_replay(str(tmp_path / "none.csv"), Report())
    with pytest.raises(BadInput, match="cannot be read"):
        read_replay(str(tmp_path), Report())


def test_chips_that_take_too_much_memory_are_refused(folder, monkeypatch):
    monkeypatch.setattr(replay, "MOST_BYTES", 4 * H * W * 4 + 1)
    line = "image_20240916.tif,,label.tif"
    assert len(chips_of(folder, line)) == 1
    with pytest.raises(BadInput, match=r"Line 3 .*memory"):
        chips_of(folder, line, line)


def test_reading_stops_when_it_is_to(folder):
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        read_replay(table(folder, "image_20240916.tif,,label.tif"), Report(cancelled=cancelled))
