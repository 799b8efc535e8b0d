"""Sen1Floods11 and Landslide4Sense are read as downloaded: units, labels, published splits, what is missing."""

import json

import numpy as np
import pytest
import torch
from training_sets import write_flood_split, write_floods, write_landslide_chip

from engine.datasets import Landslide4Sense, Sen1Floods11, open_training_data
from engine.datasets.landslide4sense import DIVISORS, POSITIONS
from engine.datasets.sen1floods11 import join_sensors
from engine.protocol import OPTICAL_SLOTS, SAR_SLOTS, SLOTS, BadInput

PUBLISHED = np.ones(14)
PUBLISHED[list(POSITIONS.values())] = DIVISORS


def test_a_flood_chip_has_both_sensors_in_their_units(tmp_path):
    write_floods(tmp_path, {"Ghana_1": "s1 s2"})
    data = open_training_data(tmp_path)
    scene = data.read(0)
    assert isinstance(data, Sen1Floods11) and data.hazards == ("flood",)
    assert scene.slots == SLOTS and scene.absolute
    # bands B1, B2, B3, B4, B8, B11, B12 are the 1st, 2nd, 3rd, 4th, 8th, 12th and 13th of thirteen
    assert scene.values[:7, 5, 5].tolist() == pytest.approx([0.01, 0.02, 0.03, 0.04, 0.08, 0.12, 0.13])
    assert scene.values[7:, 5, 5].tolist() == [-9.0, -16.0]
    assert scene.valid[0, 0, 0] and not scene.valid[0, -1].any()
    labels = scene.labels["flood"]
    assert labels.dtype == torch.uint8
    assert (labels[0] == 255).all() and (labels[1:, :16] == 1).all() and (labels[1:, 16:] == 0).all()
    assert scene.characteristics.longitude == pytest.approx(10 + 16 * 9e-5)
    assert scene.characteristics.sensor == "sentinel-2-l1c"


def test_either_sensor_of_a_flood_chip_may_be_missing(tmp_path):
    write_floods(tmp_path, {"Ghana_1": "s1", "India_2": "s2", "Spain_3": ""})
    data = open_training_data(tmp_path)
    assert [data.read(i).slots for i in range(len(data))] == [SAR_SLOTS, OPTICAL_SLOTS]
    assert data.read(0).characteristics.sensor == "sentinel-1"
    assert any("1 labels without an image" in note for note in data.notes)


@pytest.mark.parametrize("level", [".", "v1.1", "v1.1/data", "v1.1/data/flood_events/HandLabeled"])
def test_the_published_split_holds_from_any_level_and_bolivia_is_test(tmp_path, level):
    write_floods(tmp_path, {name: "s1" for name in ("Bolivia_1", "Ghana_2", "India_3", "Spain_4", "USA_5")})
    write_flood_split(tmp_path, train=["Ghana_2"], valid=["India_3"], test=["Spain_4"], bolivia=["Bolivia_1"])
    data = open_training_data(tmp_path / level)
    assert [data.read(i).name for i in range(5)] == ["Bolivia_1", "Ghana_2", "India_3", "Spain_4", "USA_5"]
    assert data.split(0) == ([1], [2], [0, 3])
    assert any("1 chips that the split files do not list" in note for note in data.notes)


def test_the_flat_copy_of_sen1floods11_is_known_too(tmp_path):
    base = write_floods(tmp_path / "made", {"Ghana_1": "s1 s2", "India_2": "s1 s2"})
    (tmp_path / "flat").mkdir()
    base.rename(tmp_path / "flat" / "data")
    (tmp_path / "flat" / "data" / "S1Hand").rename(tmp_path / "flat" / "data" / "S1GRDHand")
    (tmp_path / "flat" / "data" / "S2Hand").rename(tmp_path / "flat" / "data" / "S2L1CHand")
    (tmp_path / "flat" / "splits").mkdir()
    for part, chip in (("train", "India_2"), ("valid", "Ghana_1")):
        (tmp_path / "flat" / "splits" / f"flood_{part}_data.txt").write_text(f"{chip}\n")
    data = open_training_data(tmp_path / "flat")
    assert data.read(0).slots == SLOTS
    assert data.split(0) == ([1], [0], [])


def test_flood_dates_come_from_the_published_metadata(tmp_path):
    write_floods(tmp_path, {"Sri-Lanka_1": "s1", "Ghana_2": "s1"})
    features = [{"properties": {"location": "Sri-Lanka", "s1_date": "2017/5/30"}}]
    (tmp_path / "v1.1" / "Sen1Floods11_Metadata.geojson").write_text(json.dumps({"features": features}))
    data = open_training_data(tmp_path)
    assert [data.read(i).characteristics.day_of_year for i in range(2)] == [None, 150]


def test_a_sensor_that_saw_little_is_left_out_of_the_chip():
    seen = np.ones((4, 4), bool)
    little = np.zeros((4, 4), bool)
    little[0] = True
    optical, radar = np.ones((7, 4, 4), np.float32), np.ones((2, 4, 4), np.float32)
    slots, values, valid = join_sensors([(OPTICAL_SLOTS, optical, little), (SAR_SLOTS, radar, seen)])
    assert slots == SAR_SLOTS and values.shape == (2, 4, 4) and valid.all()
    little[:2] = True
    slots, values, valid = join_sensors([(OPTICAL_SLOTS, optical, little), (SAR_SLOTS, radar, seen)])
    assert slots == SLOTS and valid.sum() == 8 and (values[:, ~valid] == 0).all()


def test_a_flood_image_that_does_not_fit_its_label_is_named(tmp_path):
    base = write_floods(tmp_path, {"Ghana_1": "s1 s2"})
    write_floods(tmp_path / "other", {"Ghana_1": "s1"}, size=16)
    (tmp_path / "other" / "v1.1/data/flood_events/HandLabeled/S1Hand/Ghana_1_S1Hand.tif").replace(
        base / "S1Hand" / "Ghana_1_S1Hand.tif"
    )
    with pytest.raises(BadInput, match="Sentinel-1 image of chip 'Ghana_1' has 2 bands of 16 x 16"):
        open_training_data(tmp_path).read(0)
    path = base / "S2Hand" / "Ghana_1_S2Hand.tif"
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(BadInput, match="Ghana_1_S2Hand"):
        open_training_data(tmp_path).read(0)


def test_another_name_for_the_hazard_is_taken_and_two_are_not(tmp_path):
    write_floods(tmp_path, {"Ghana_1": "s1"})
    assert list(open_training_data(tmp_path, hazards=("water",)).read(0).labels) == ["water"]
    with pytest.raises(BadInput, match="Sen1Floods11 labels one"):
        open_training_data(tmp_path, hazards=("flood", "landslide"))


def test_landslide_chips_that_prove_to_be_counts_are_reflectance(tmp_path):
    pytest.importorskip("h5py")
    write_landslide_chip(tmp_path, 1, divisors=PUBLISHED)
    data = open_training_data(tmp_path)
    scene = data.read(0)
    assert isinstance(data, Landslide4Sense) and data.hazards == ("landslide",)
    assert scene.slots == OPTICAL_SLOTS and scene.absolute
    # bands B1, B2, B3, B4, B8, B11, B12 are the 1st, 2nd, 3rd, 4th, 8th, 11th and 12th of fourteen
    expected = [(100 * band + 7) * 1e-4 for band in (1, 2, 3, 4, 8, 11, 12)]
    assert scene.values[:, 7, 3].tolist() == pytest.approx(expected, rel=1e-6)
    assert (scene.labels["landslide"][:10] == 1).all() and (scene.labels["landslide"][10:] == 0).all()
    assert scene.characteristics.sensor == "sentinel-2-l1c" and scene.characteristics.longitude is None


def test_landslide_chips_of_unknown_scale_are_called_relative(tmp_path):
    pytest.importorskip("h5py")
    write_landslide_chip(tmp_path, 1, divisors=PUBLISHED * 1.37)
    scene = open_training_data(tmp_path).read(0)
    assert not scene.absolute
    assert scene.values[1, 0, 0] == pytest.approx(200 / (DIVISORS[1] * 1.37), rel=1e-6)


def test_landslide_parts_with_masks_are_the_split_and_others_are_replaced(tmp_path):
    pytest.importorskip("h5py")
    for number in range(20):
        write_landslide_chip(tmp_path, number)
    write_landslide_chip(tmp_path, 1, "ValidData", mask=False)
    data = open_training_data(tmp_path)
    train, validation, test = data.split(0)
    assert len(data) == 20 and (len(train), len(validation), len(test)) == (16, 2, 2)
    assert data.notes == ("1 images without a mask are left out.",)
    write_landslide_chip(tmp_path, 1, "ValidData")
    write_landslide_chip(tmp_path, 2, "TestData")
    assert open_training_data(tmp_path).split(0) == (list(range(20)), [20], [21])


def test_the_other_layout_of_landslide4sense_is_known_too(tmp_path):
    pytest.importorskip("h5py")
    write_landslide_chip(tmp_path / "made", 3)
    for kind, name in (("img", "images"), ("mask", "annotations")):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "made" / "TrainData" / kind).rename(tmp_path / "data" / name / "train")
    assert open_training_data(tmp_path / "data").read(0).slots == OPTICAL_SLOTS


def test_damaged_landslide_chips_are_named(tmp_path):
    pytest.importorskip("h5py")
    write_landslide_chip(tmp_path, 1)
    path = tmp_path / "TrainData" / "img" / "image_1.h5"
    content = path.read_bytes()
    for broken in (b"", b"not HDF5", content[: len(content) // 2]):
        path.write_bytes(broken)
        with pytest.raises(BadInput, match=r"image_1\.h5.*obtain it again"):
            open_training_data(tmp_path).read(0)


def test_without_h5py_the_way_to_get_it_is_told(tmp_path, monkeypatch):
    pytest.importorskip("h5py")
    write_landslide_chip(tmp_path, 1)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(BadInput, match="requirements-training"):
        open_training_data(tmp_path)
