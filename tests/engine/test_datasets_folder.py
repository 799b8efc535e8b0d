"""Folders of images and labels are read as people lay them out; what is not clear is said in one sentence."""

import pickle

import numpy as np
import pytest
from scenes import write_raster

from engine.bands import UnknownBands
from engine.datasets import ImageFolder, open_training_data
from engine.datasets.folder import day_in_name
from engine.datasets.splits import named_split, seeded_split
from engine.protocol import BadInput

RGB = np.stack([np.full((40, 50), value, np.uint8) for value in (10, 20, 30)])


def scar(height=40, width=50):
    labels = np.zeros((height, width), np.uint8)
    labels[5:10] = 1
    labels[-1] = 255
    return labels


def write_pair(images, labels, name, *, label_name=None, image=RGB, label=None, suffix=".tif", **how):
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    driver = {".tif": "GTiff", ".png": "PNG"}[suffix]
    how = {"geotransform": None, "crs": None, **how} if driver == "GTiff" else {"geotransform": None, "crs": None}
    if driver == "PNG":
        from osgeo import gdal, gdal_array

        for path, values in ((images / f"{name}.png", image), (labels / f"{label_name or name}.png", label)):
            source = gdal_array.OpenArray(np.ascontiguousarray(scar() if values is None else values))
            gdal.GetDriverByName("PNG").CreateCopy(str(path), source)
        return
    write_raster(images / f"{name}.tif", image, **how)
    write_raster(labels / f"{label_name or name}.tif", scar() if label is None else label, geotransform=None, crs=None)


@pytest.mark.parametrize(
    ("images", "labels"), [("images", "labels"), ("img", "masks"), ("Images", "gt"), ("image", "annotations")]
)
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_images_and_labels_of_one_name_are_pairs(tmp_path, images, labels, suffix):
    for name in ("b", "a"):
        write_pair(tmp_path / images, tmp_path / labels, name, suffix=suffix)
    (tmp_path / images / "a.tif.aux.xml").write_text("<x/>")
    data = open_training_data(tmp_path, hazards=("landslide",))
    scene = data.read(0)
    assert isinstance(data, ImageFolder) and len(data) == 2 and data.hazards == ("landslide",)
    assert scene.name == f"a{suffix}" and scene.slots == ("blue", "green", "red")
    assert scene.values[:, 3, 3].tolist() == pytest.approx([30 / 255, 20 / 255, 10 / 255])
    assert not scene.absolute and bool(scene.valid.all())
    found = scene.labels["landslide"]
    assert (found[5:10] == 1).all() and (found[-1] == 255).all() and int((found == 1).sum()) == 5 * 50


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("x", "x_mask"),
        ("x", "x_label"),
        ("x_image", "x_mask"),
        ("image_7", "mask_7"),
        ("7", "7-gt"),
        ("A_rgb", "A_label"),
    ],
)
def test_pairs_side_by_side_are_known_by_the_word_in_the_label_name(tmp_path, image, label):
    write_pair(tmp_path, tmp_path, image, label_name=label)
    data = open_training_data(tmp_path, hazards=("flood",))
    assert len(data) == 1 and data.read(0).name == f"{image}.tif"


def test_names_of_pairs_in_two_folders_may_differ_by_such_words(tmp_path):
    write_pair(tmp_path / "images", tmp_path / "masks", "image_12", label_name="mask_12")
    write_pair(tmp_path / "images", tmp_path / "masks", "image_2", label_name="mask_3")
    data = open_training_data(tmp_path, hazards=("flood",))
    assert [data.read(i).name for i in range(len(data))] == ["image_12.tif"]
    assert "1 images in 'images' without a label are left out." in data.notes


def test_the_hazard_must_be_known(tmp_path):
    write_pair(tmp_path / "data" / "images", tmp_path / "data" / "labels", "a")
    with pytest.raises(BadInput, match="do not say which hazard they show; name it, for example --hazard flood"):
        open_training_data(tmp_path / "data")
    (tmp_path / "data").rename(tmp_path / "landslide")
    assert open_training_data(tmp_path / "landslide").hazards == ("landslide",)
    assert open_training_data(tmp_path / "landslide", hazards=("rockfall",)).hazards == ("rockfall",)
    assert open_training_data(tmp_path).hazards == ("landslide",)  # from above, the folder's name tells


def test_folders_of_labels_may_name_several_hazards_of_the_same_images(tmp_path):
    for hazard in ("flood", "landslide"):
        write_pair(tmp_path / "images", tmp_path / f"labels_{hazard}", "a")
    write_raster(tmp_path / "labels_landslide" / "a.tif", scar() * 0, geotransform=None, crs=None)
    data = open_training_data(tmp_path)
    scene = data.read(0)
    assert data.hazards == ("flood", "landslide")
    assert int(scene.labels["flood"].eq(1).sum()) == 250 and not scene.labels["landslide"].any()
    assert open_training_data(tmp_path, hazards=("flood",)).read(0).labels.keys() == {"flood"}
    with pytest.raises(BadInput, match="has no folder labels_glacier_collapse"):
        open_training_data(tmp_path, hazards=("flood", "glacier_collapse"))


def test_folders_named_after_hazards_label_only_theirs(tmp_path):
    for hazard in ("flood", "landslide"):
        write_pair(tmp_path / hazard / "images", tmp_path / hazard / "labels", "a")
    data = open_training_data(tmp_path)
    assert data.hazards == ("flood", "landslide")
    assert [list(data.read(i).labels) for i in range(2)] == [["flood"], ["landslide"]]
    assert len(open_training_data(tmp_path, hazards=("flood",))) == 1


def test_folders_named_after_places_show_one_hazard_and_are_split_whole(tmp_path):
    for place in ("japan", "nepal", "peru", "taiwan"):
        for name in "abc":
            write_pair(tmp_path / place / "images", tmp_path / place / "labels", name)
    with pytest.raises(BadInput, match="do not say which hazard"):
        open_training_data(tmp_path)
    data = open_training_data(tmp_path, hazards=("landslide",))
    assert data.hazards == ("landslide",) and len(data) == 12
    assert all(len({number // 3 for number in part}) == 1 for part in data.split(0)[1:])
    assert [len(part) for part in data.split(0)] == [6, 3, 3]


def test_several_unclear_label_folders_are_listed(tmp_path):
    for kind in ("water", "cover"):
        write_pair(tmp_path / "images", tmp_path / f"labels_{kind}", "a")
    with pytest.raises(BadInput, match=r"labels_cover, labels_water.*--hazard cover"):
        open_training_data(tmp_path)


@pytest.mark.parametrize("layout", ["parts outside", "parts inside"])
def test_folders_for_training_and_validation_are_the_split(tmp_path, layout):
    for part, names in (("train", "ab"), ("val", "c"), ("test", "d")):
        for name in names:
            outside = layout == "parts outside"
            images = tmp_path / part / "images" if outside else tmp_path / "images" / part
            labels = tmp_path / part / "labels" if outside else tmp_path / "labels" / part
            write_pair(images, labels, name)
    data = open_training_data(tmp_path, hazards=("flood",))
    names = [data.read(i).name[0] for i in range(len(data))]
    assert [[names[i] for i in part] for part in data.split(0)] == [["a", "b"], ["c"], ["d"]]


def test_a_split_file_is_the_split(tmp_path):
    for name in "abcd":
        write_pair(tmp_path / "images", tmp_path / "labels", name)
    (tmp_path / "split.csv").write_text("Name,Split\na.tif,train\nb,val\nc.png,test\n")
    data = open_training_data(tmp_path, hazards=("flood",))
    assert data.split(0) == ([0], [1], [2])
    assert any("1 images that split.csv does not list" in note for note in data.notes)
    for text, complaint in (
        ("name,split\na,later\n", "'later'; expected train"),
        ("a,b\n1,2\n", "columns a, b"),
        ("", "none"),
    ):
        (tmp_path / "split.csv").write_text(text)
        with pytest.raises(BadInput, match=complaint):
            open_training_data(tmp_path, hazards=("flood",))


def test_units_and_bands_are_found_out_as_for_any_scene(tmp_path):
    counts = np.stack([np.full((40, 50), value, np.uint16) for value in (1200, 900, 700, 3000)])
    counts[:, :, 0] = 0
    write_pair(
        tmp_path / "images",
        tmp_path / "labels",
        "S2B_MSIL2A_20190913T000000_scene",
        image=counts,
        geotransform=(600_000.0, 20.0, 0.0, 5_100_000.0, 0.0, -20.0),
        crs="EPSG:32632",
        names=["B04", "B03", "B02", "B08"],
        nodata=[0],
    )
    scene = open_training_data(tmp_path, hazards=("flood",)).read(0)
    assert scene.slots == ("blue", "green", "red", "nir") and scene.absolute
    assert scene.values[:, 3, 3].tolist() == pytest.approx([0.07, 0.09, 0.12, 0.3])
    assert not scene.valid[0, :, 0].any() and scene.valid[0, :, 1:].all()
    assert scene.gsd_m == pytest.approx(20) and scene.characteristics.sensor == "sentinel-2-l2a"
    assert scene.characteristics.day_of_year == 256 and 10.2 < scene.characteristics.longitude < 10.4


def test_bands_units_and_distance_can_be_given(tmp_path):
    stack = np.full((2, 40, 50), 0.25, np.float32)
    write_pair(tmp_path / "images", tmp_path / "labels", "a", image=stack)
    with pytest.raises(UnknownBands, match=r"2 bands .*; say which band is which with --bands\.$"):
        open_training_data(tmp_path, hazards=("flood",))
    data = open_training_data(tmp_path, hazards=("flood",), bands=("swir1", "-"), units="reflectance", gsd_m=30)
    scene = data.read(0)
    assert scene.slots == ("swir1",) and scene.gsd_m == 30 and scene.absolute
    assert not any("assumed" in note for note in data.notes)


@pytest.mark.parametrize("slots", [("red", "green"), ("red", "green", "blue", "nir")])
def test_a_wrong_count_of_bands_is_said_at_once_and_not_taken_for_damage(tmp_path, slots):
    for name in "abcde":
        write_pair(tmp_path / "images", tmp_path / "labels", name)
    sentence = rf"^{len(slots)} band slots .* 'a\.tif' has 3 bands .*; give --bands one slot for each band, - for"
    with pytest.raises(BadInput, match=sentence):
        open_training_data(tmp_path, hazards=("flood",), bands=slots)
    stack = np.full((len(slots), 40, 50), 20, np.uint8)
    write_pair(tmp_path / "images", tmp_path / "labels", "e", image=stack)
    data = open_training_data(tmp_path, hazards=("flood",), bands=slots)
    assert set(data.read(4).slots) == set(slots), "images that fit are used, the others named when they are read"
    with pytest.raises(BadInput, match="--bands"):
        data.read(0)


def test_labels_still_packed_are_no_labels(tmp_path):
    write_pair(tmp_path / "images", tmp_path / "elsewhere", "a")
    (tmp_path / "labels_flood.zip").write_bytes(b"")
    with pytest.raises(BadInput, match="no training data that is known"):
        open_training_data(tmp_path, hazards=("flood",))


def test_pairs_side_by_side_are_found_beside_a_folder_of_other_images(tmp_path):
    write_pair(tmp_path, tmp_path, "x", label_name="x_mask")
    (tmp_path / "chips").mkdir()
    data = open_training_data(tmp_path, hazards=("flood",))
    assert len(data) == 1 and data.read(0).name == "x.tif"


def test_what_the_user_should_know_of_the_images_is_noted(tmp_path):
    write_pair(tmp_path / "images", tmp_path / "labels", "a")
    data = open_training_data(tmp_path, hazards=("flood",))
    assert any("10 m is assumed" in note for note in data.notes)


def test_large_images_are_cut_into_chips_that_cover_them_and_know_their_scene(tmp_path):
    height, width = 300, 600
    image = np.zeros((3, height, width), np.uint8)
    image[0] = np.arange(width) // 4
    image[1] = np.arange(height)[:, None] // 2
    image[2] = 7
    label = np.zeros((height, width), np.uint8)
    label[100:220, 300:500] = 1
    write_pair(tmp_path / "images", tmp_path / "labels", "a", image=image, label=label)
    data = open_training_data(tmp_path, hazards=("flood",))
    seen = np.zeros((height, width), int)
    for number in range(len(data)):
        scene = data.read(number)
        assert max(scene.values.shape[1:]) <= 256
        column = round(float(scene.values[2, 0, 0]) * 255) * 4  # where the chip lies, told by its pixels
        row = round(float(scene.values[1, 0, 0]) * 255) * 2
        rows, columns = scene.values.shape[1:]
        found = np.zeros((height, width), int)
        found[row : row + rows, column : column + columns] = 1
        seen += found
        assert (scene.labels["flood"].numpy() == label[row : row + rows, column : column + columns]).all()
        assert scene.scene_range[0][0] == scene.scene_range[1][0] == pytest.approx(7 / 255)
        assert scene.scene_range[1][2] == pytest.approx(np.percentile(image[0], 98) / 255, abs=0.01)
    assert seen.min() == 1 and len(data) == 6
    assert data.read(1).name != data.read(0).name


def test_codes_that_mean_hazard_and_that_are_left_out_can_be_given(tmp_path):
    label = np.zeros((40, 50), np.uint8)
    label[:4], label[4:8], label[8:12] = 2, 3, 9
    write_pair(tmp_path / "images", tmp_path / "labels", "a", label=label)
    found = open_training_data(tmp_path, hazards=("flood",), positive=(2, 3), ignore=(9,)).read(0).labels["flood"]
    assert (found[:8] == 1).all() and (found[8:12] == 255).all() and not found[12:].any()
    with pytest.raises(BadInput, match="Label code 2 is both"):
        open_training_data(tmp_path, hazards=("flood",), positive=(2,), ignore=(2,))


def test_labels_without_any_hazard_are_an_error_that_names_the_codes(tmp_path):
    for name in "ab":
        write_pair(tmp_path / "images", tmp_path / "labels", name, label=(scar() == 1).astype(np.uint8) * 255)
    with pytest.raises(BadInput, match=r"codes 0, 255, but no 1.*--positive 255 --ignore -1"):
        open_training_data(tmp_path, hazards=("flood",))
    data = open_training_data(tmp_path, hazards=("flood",), positive=(255,), ignore=(-1,))
    assert int(data.read(0).labels["flood"].sum()) == 250


def test_background_declared_as_nodata_is_background_and_other_nodata_is_left_out(tmp_path):
    write_pair(tmp_path / "images", tmp_path / "labels", "a")
    for nodata, code in ((0, 0), (7, 255)):
        label = scar()
        label[20:30] = nodata
        write_raster(tmp_path / "labels" / "a.tif", label, geotransform=None, crs=None, nodata=[nodata])
        found = open_training_data(tmp_path, hazards=("flood",)).read(0).labels["flood"]
        assert (found[20:30] == code).all() and (found[30:39] == 0).all()


def test_label_pictures_of_equal_bands_are_codes_and_coloured_ones_are_not(tmp_path):
    label = scar()
    write_pair(tmp_path / "images", tmp_path / "labels", "a", suffix=".png", label=np.stack([label] * 3))
    assert int(open_training_data(tmp_path, hazards=("flood",)).read(0).labels["flood"].eq(1).sum()) == 250
    write_pair(tmp_path / "images", tmp_path / "labels", "b", suffix=".png", label=np.stack([label, label, 0 * label]))
    data = open_training_data(tmp_path, hazards=("flood",))
    with pytest.raises(BadInput, match=r"label 'b\.png' has 3 bands that differ"):
        data.read(1)


def test_jpeg_labels_are_refused_because_their_codes_are_blurred(tmp_path):
    from osgeo import gdal, gdal_array

    write_pair(tmp_path / "images", tmp_path / "labels", "a")
    write_pair(tmp_path / "images", tmp_path / "labels", "b")
    (tmp_path / "labels" / "b.tif").unlink()
    source = gdal_array.OpenArray(scar())
    gdal.GetDriverByName("JPEG").CreateCopy(str(tmp_path / "labels" / "b.jpg"), source)
    with pytest.raises(BadInput, match=r"'b\.jpg' is a JPEG, which blurs codes"):
        open_training_data(tmp_path, hazards=("flood",)).read(1)


def test_sizes_that_differ_are_said_in_one_sentence(tmp_path):
    write_pair(tmp_path / "images", tmp_path / "labels", "a", label=scar(40, 49))
    with pytest.raises(BadInput, match=r"'a\.tif' has 50 x 40 pixels, its label 'a\.tif' 49 x 40"):
        open_training_data(tmp_path, hazards=("flood",))
    write_pair(tmp_path / "images", tmp_path / "labels", "b")
    data = open_training_data(tmp_path, hazards=("flood",))
    assert len(data) == 2 and any("1 of 2 pairs cannot be read" in note for note in data.notes)
    with pytest.raises(BadInput, match="49 x 40"):
        data.read(0)
    assert data.read(1).name == "b.tif"


def test_a_damaged_image_is_named_when_it_is_read(tmp_path):
    for name in "abc":
        write_pair(tmp_path / "images", tmp_path / "labels", name)
    (tmp_path / "images" / "a.tif").write_bytes(b"II*\0 no more")
    path = tmp_path / "images" / "b.tif"
    path.write_bytes(path.read_bytes()[:3000])
    data = open_training_data(tmp_path, hazards=("flood",))
    for number, name in ((0, "a.tif"), (1, "b.tif")):
        with pytest.raises(BadInput, match=name):
            data.read(number)
    assert data.read(2).name == "c.tif"


def test_folders_that_hold_nothing_known_say_what_is_expected(tmp_path):
    for folder in (tmp_path, tmp_path / "images"):
        folder.mkdir(exist_ok=True)
        with pytest.raises(BadInput, match=r"no training data that is known; expected images/ and labels/"):
            open_training_data(tmp_path)
    with pytest.raises(BadInput, match="There is no folder"):
        open_training_data(tmp_path / "absent")
    (tmp_path / "labels").mkdir()
    with pytest.raises(BadInput, match="has a label of its name"):
        open_training_data(tmp_path, hazards=("flood",))


def test_a_folder_that_cannot_be_read_is_said(tmp_path, monkeypatch):
    def refuse(place, hazards, options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("engine.datasets._open", refuse)
    with pytest.raises(BadInput, match=r"cannot be read \(Permission denied\)"):
        open_training_data(tmp_path)


def test_folders_travel_to_other_processes(tmp_path):
    write_pair(tmp_path / "images", tmp_path / "labels", "a")
    data = open_training_data(tmp_path, hazards=("flood",))
    data.read(0)
    assert pickle.loads(pickle.dumps(data)).read(0).name == "a.tif"


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("x_20190913.tif", 256),
        ("2020-12-31_b.tif", 366),
        ("chip_20191399.tif", None),
        ("1234567890123.tif", None),
        ("a", None),
    ],
)
def test_dates_in_names(name, day):
    assert day_in_name(name) == day


def test_seeded_splits_keep_groups_together_and_fill_every_part():
    groups = [f"place {index // 4}" for index in range(80)]
    for seed in range(20):
        parts = seeded_split(groups, seed)
        assert sorted(index for part in parts for index in part) == list(range(80))
        assert [len(part) for part in parts] == [64, 8, 8]
        assert not set.intersection(*({groups[index] for index in part} for part in parts[:2]))
    assert seeded_split(groups, 1) != seeded_split(groups, 2)


def test_small_and_lopsided_data_still_leave_something_to_train_on():
    assert [len(part) for part in seeded_split(["a"], 0)] == [1, 0, 0]
    assert [len(part) for part in seeded_split(["a", "b"], 0)] == [1, 1, 0]
    assert [len(part) for part in seeded_split(["a", "b", "c"], 0)] == [1, 1, 1]
    for seed in range(10):
        train, validation, _ = seeded_split(["large"] * 90 + ["b", "c", "d"], seed)
        assert set(range(90)) <= set(train) and validation


def test_what_a_published_split_lacks_is_taken_from_training():
    groups = [str(index) for index in range(30)]
    train, validation, test = named_split([0] * 20 + [2] * 10, groups, 0)
    assert test == list(range(20, 30)) and len(validation) == 2 and sorted(train + validation) == list(range(20))
    train, validation, test = named_split([0] * 20 + [None] * 10, groups, 0)
    assert sorted(train + validation + test) == list(range(20)) and validation and test


def test_real_folders_are_read_as_pairs(hazard_data):
    slides = open_training_data(hazard_data / "landslide" / "hokkaido_2018", hazards=("landslide",))
    share = np.mean([float(slides.read(i).labels["landslide"].eq(1).float().mean()) for i in range(len(slides))])
    assert len(slides) == 16 and 0.1 < share < 0.5
    water = open_training_data(hazard_data / "flood" / "landsat_worldcover", hazards=("water",), gsd_m=30)
    scene = water.read(0)
    assert len(water) == 147 and scene.absolute and scene.gsd_m == 30
    # index.csv, made apart from this reader, says that 11.7 % of chip 0 is water
    assert float(scene.labels["water"].eq(1).float().mean()) == pytest.approx(0.117, abs=5e-4)
    cut = open_training_data(hazard_data / "landslide" / "jinsha", hazards=("landslide",), positive=(1, 2))
    assert len(cut) > 50 and cut.read(40).gsd_m == pytest.approx(0.5, abs=0.01)


def test_labels_that_are_no_codes_are_said_to_be_rounded(tmp_path):
    probability = scar().astype(np.float32) * 0.8
    write_pair(tmp_path / "images", tmp_path / "labels", "1", label=probability)
    data = open_training_data(tmp_path, hazards=("landslide",))
    assert any("'1.tif' holds numbers that are not whole" in note and "rounded" in note for note in data.notes)
    whole = tmp_path / "whole"
    write_pair(whole / "images", whole / "labels", "1", label=scar().astype(np.float32))
    assert not any("rounded" in note for note in open_training_data(whole, hazards=("landslide",)).notes)
