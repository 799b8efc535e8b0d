"""BigEarthNet v2 and v1 are read as downloaded: values, labels, joins, splits, and what is missing or damaged."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from training_sets import (
    COUNTS,
    RADAR,
    TILE,
    V1,
    write_metadata,
    write_radar,
    write_v1_patch,
    write_v2_patch,
)

from engine.datasets import BigEarthNetV1, BigEarthNetV2, open_training_data
from engine.datasets.corine import ARTIFICIAL, CODES, NATURAL, NOT_JUDGED, artificial_of, surface_of
from engine.datasets.patches import SENTINEL_1, SENTINEL_2_V1, SENTINEL_2_V2, parse_name
from engine.protocol import OPTICAL_SLOTS, SLOTS, BadInput

FIELDS = np.full((120, 120), 211)


def town_by_the_sea():
    codes = np.full((120, 120), 312)
    codes[:10] = 112
    codes[10:20] = 523
    codes[20:30] = 0
    codes[30:40] = 512
    return codes


def test_v2_gives_reflectance_decibels_and_the_surface_of_the_map(tmp_path):
    name = write_v2_patch(tmp_path, 7, 3, town_by_the_sea())
    data = open_training_data(tmp_path)
    scene = data.read(0)
    assert isinstance(data, BigEarthNetV2) and data.hazards == () and scene.name == name
    assert scene.slots == SLOTS and scene.values.shape == (9, 120, 120) and scene.values.dtype == torch.float32
    assert scene.absolute and bool(scene.valid.all()) and scene.gsd_m == 10
    assert scene.values[1, 0, 5] == pytest.approx((COUNTS["B02"] + 5) * 1e-4)
    assert scene.values[7:, 50, 50].tolist() == [-11.5, -18.25]
    assert scene.surface is not None and scene.labels == {}
    rows = {0: 1, 10: 255, 20: 255, 30: 0, 40: 0}
    assert {row: int(scene.surface[row, 60]) for row in rows} == rows


def test_coarser_bands_are_brought_to_ten_metres_by_interpolation(tmp_path):
    write_v2_patch(tmp_path, 0, 0, FIELDS)
    scene = open_training_data(tmp_path).read(0)
    for slot, band, factor in (("swir1", "B11", 2), ("coastal", "B01", 6)):
        position = (np.arange(120) + 0.5) / factor - 0.5
        inner = (position >= 0) & (position <= 120 / factor - 1)
        expected = (COUNTS[band] + position) * 1e-4
        found = scene.values[OPTICAL_SLOTS.index(slot), 60].numpy()
        assert np.abs(found - expected)[inner].max() < 1e-4 * 0.51  # GDAL may round to whole counts


def test_the_place_date_and_sensor_of_a_patch_are_known(tmp_path):
    write_v2_patch(tmp_path, 26, 57, FIELDS)
    known = open_training_data(tmp_path).read(0).characteristics
    # 331800 E, 5331000 N in zone 33, by Krueger's series to the fourth order, computed apart from GDAL
    assert (known.longitude, known.latitude) == pytest.approx(_by_krueger(331_800, 5_331_000, 15), abs=1e-6)
    assert known.day_of_year == 164 and known.sensor == "sentinel-2-l2a"
    assert known.seen_through(("vv", "vh")).sensor == "sentinel-1"
    assert known.seen_through(("red", "vh")).sensor == "sentinel-2-l2a"


def test_either_sensor_alone_is_enough(tmp_path):
    write_v2_patch(tmp_path, 0, 0, FIELDS, radar=False)
    write_v2_patch(tmp_path, 1, 0, FIELDS, optical=False)
    data = open_training_data(tmp_path)
    scenes = [data.read(i) for i in range(2)]
    assert [scene.slots for scene in scenes] == [OPTICAL_SLOTS, ("vv", "vh")]
    assert [scene.characteristics.sensor for scene in scenes] == ["sentinel-2-l2a", "sentinel-1"]


def test_patches_without_a_map_are_left_out_and_counted(tmp_path):
    write_v2_patch(tmp_path, 0, 0, FIELDS)
    write_v2_patch(tmp_path, 1, 0, None)
    data = open_training_data(tmp_path)
    assert len(data) == 1
    assert any("1 Sentinel-2 patches without a reference map" in note for note in data.notes)


def test_without_metadata_the_radar_patch_of_the_nearest_day_is_joined(tmp_path):
    name = write_v2_patch(tmp_path, 4, 4, FIELDS, radar=False)
    for scene, value in (("S1A_IW_GRDH_1SDV_20170501T165809", 1.0), ("S1A_IW_GRDH_1SDV_20170615T165809", 2.0)):
        folder = tmp_path / "BigEarthNet-S1" / scene / f"{scene}_33UUP_4_4"
        write_radar(folder, 4, 4)
        _overwrite(folder / f"{folder.name}_VV.tif", value)
    elsewhere = tmp_path / "BigEarthNet-S1" / "S1A_IW_GRDH_1SDV_20170613T165809"
    write_radar(elsewhere / "S1A_IW_GRDH_1SDV_20170613T165809_33UUP_4_5", 4, 5)
    scene = open_training_data(tmp_path).read(0)
    assert scene.name == name and float(scene.values[7, 0, 0]) == 2.0


def test_metadata_name_the_split_the_radar_patch_and_what_is_cloudy(tmp_path):
    pytest.importorskip("pyarrow")
    names = [write_v2_patch(tmp_path, column, 0, FIELDS) for column in range(5)]
    partners = [f"{RADAR}_{column}_0" for column in range(5)]
    write_metadata(
        tmp_path,
        [
            {"patch_id": names[0], "s1_name": partners[0]},
            {"patch_id": names[1], "s1_name": partners[1], "split": "validation"},
            {"patch_id": names[2], "s1_name": None, "split": "test"},
            {"patch_id": names[3], "s1_name": partners[3], "contains_cloud_or_shadow": True},
        ],
    )
    data = open_training_data(tmp_path)
    assert [data.read(i).name for i in range(len(data))] == names[:3]
    assert data.split(0) == ([0], [1], [2]) == data.split(1)
    assert data.read(2).slots == OPTICAL_SLOTS
    assert any("2 patches that metadata.parquet does not list" in note for note in data.notes)


def test_without_maps_the_class_names_of_the_metadata_tell_what_is_artificial(tmp_path):
    pytest.importorskip("pyarrow")
    labels = (["Urban fabric", "Pastures"], ["Mixed forest"], ["Marine waters"], ["Nonsense"])
    names = [write_v2_patch(tmp_path, column, 0) for column in range(4)]
    write_metadata(tmp_path, [{"patch_id": n, "labels": found} for n, found in zip(names, labels, strict=True)])
    data = open_training_data(tmp_path)
    assert [data.read(i).artificial for i in range(3)] == [True, False, None]
    assert data.read(0).surface is None
    with pytest.raises(BadInput, match="'Nonsense', which is no CORINE class"):
        data.read(3)


def test_a_damaged_metadata_file_is_said(tmp_path):
    pytest.importorskip("pyarrow")
    write_v2_patch(tmp_path, 0, 0, FIELDS)
    (tmp_path / "metadata.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(BadInput, match=r"metadata\.parquet.*cannot be read.*remove it"):
        open_training_data(tmp_path)


def test_metadata_that_nothing_can_read_are_not_needed(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    write_v2_patch(tmp_path, 0, 0, FIELDS)
    (tmp_path / "metadata.parquet").write_bytes(b"")
    data = open_training_data(tmp_path)
    assert len(data) == 1
    assert any("pyarrow is missing" in note for note in data.notes)


def test_the_seeded_split_keeps_tiles_apart_and_is_the_same_every_time(tmp_path):
    for number in range(10):
        tile, scene = TILE.replace("33UUP", f"{30 + number}UUP"), RADAR.replace("33UUP", f"{30 + number}UUP")
        for column in range(3):
            write_v2_patch(tmp_path, column, number, FIELDS, optical=False, tile=tile, radar_scene=scene)
    data = open_training_data(tmp_path)
    parts = data.split(3)
    assert sorted(i for part in parts for i in part) == list(range(30)) and all(parts)
    tiles = [{data._names[i].decode()[:44] for i in part} for part in parts]
    assert not (tiles[0] & tiles[1] or tiles[0] & tiles[2] or tiles[1] & tiles[2])
    assert parts == open_training_data(tmp_path).split(3) != data.split(4)


def _break_missing(folder):
    (folder / f"{folder.name}_B08.tif").unlink()


def _break_truncated(folder):
    path = folder / f"{folder.name}_B08.tif"
    path.write_bytes(path.read_bytes()[:5000])


def _break_empty(folder):
    (folder / f"{folder.name}_B11.tif").write_bytes(b"")


@pytest.mark.parametrize("break_it", [_break_missing, _break_truncated, _break_empty])
def test_a_broken_patch_is_named_when_it_is_read_and_others_go_on(tmp_path, break_it):
    names = [write_v2_patch(tmp_path, column, 0, FIELDS) for column in range(2)]
    break_it(tmp_path / "BigEarthNet-S2" / TILE / names[0])
    data = open_training_data(tmp_path)
    assert len(data) == 2
    with pytest.raises(BadInput, match=names[0]) as error:
        data.read(0)
    assert "\n" not in str(error.value)
    assert data.read(1).name == names[1]


def test_a_map_of_another_place_is_refused(tmp_path):
    name = write_v2_patch(tmp_path, 2, 2, FIELDS)
    other = write_v2_patch(tmp_path / "other", 9, 9, FIELDS)
    os.replace(
        tmp_path / "other" / "Reference_Maps" / TILE / other / f"{other}_reference_map.tif",
        tmp_path / "Reference_Maps" / TILE / name / f"{name}_reference_map.tif",
    )
    with pytest.raises(BadInput, match=r"reference map of patch .* lies at"):
        open_training_data(tmp_path).read(0)


def test_a_folder_without_a_usable_patch_says_what_it_holds(tmp_path):
    write_v2_patch(tmp_path, 0, 0, None)
    with pytest.raises(BadInput, match="holds 1 Sentinel-2 patches, 1 Sentinel-1 patches and 0 reference maps"):
        open_training_data(tmp_path)
    with pytest.raises(BadInput, match="one part of BigEarthNet v2"):
        open_training_data(tmp_path / "BigEarthNet-S2")
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "BigEarthNet-S2.tar.zst").touch()
    with pytest.raises(BadInput, match="unpack the archives first"):
        open_training_data(tmp_path / "packed")


def test_bigearthnet_labels_no_hazard(tmp_path):
    write_v2_patch(tmp_path, 0, 0, FIELDS)
    with pytest.raises(BadInput, match="labels no hazard such as 'flood'"):
        open_training_data(tmp_path, hazards=("flood",))


def test_data_sets_travel_to_other_processes(tmp_path):
    write_v2_patch(tmp_path, 0, 0, FIELDS)
    data = pickle.loads(pickle.dumps(open_training_data(tmp_path)))
    assert data.read(0).slots == SLOTS


def test_v1_patches_tell_whether_anything_is_artificial(tmp_path):
    parent = tmp_path / "BigEarthNet-v1.0"
    for row, labels in enumerate(
        (["Continuous urban fabric", "Pastures"], ["Pastures", "Water bodies"], ["Sea and ocean"], ["Urban fabric"])
    ):
        write_v1_patch(parent, f"{V1}_5_{row}", 5, row, labels)
    data = open_training_data(tmp_path)
    assert isinstance(data, BigEarthNetV1) and len(data) == 4
    scenes = [data.read(i) for i in range(4)]
    assert [scene.artificial for scene in scenes] == [True, False, None, True]
    assert all(scene.surface is None and scene.slots == OPTICAL_SLOTS for scene in scenes)
    assert len(open_training_data(parent)) == 4


def test_v1_radar_is_joined_to_the_patch_that_its_metadata_name(tmp_path):
    optical, radar = tmp_path / "BigEarthNet-v1.0", tmp_path / "BigEarthNet-S1-v1.0"
    name = write_v1_patch(optical, f"{V1}_61_39", 61, 39, ["Pastures"])
    belongs = "S1A_IW_GRDH_1SDV_20170620T165043_33UUP_61_39"
    write_v1_patch(radar, belongs, 61, 39, ["Pastures"], corresponding_s2_patch=name)
    nearer = "S1A_IW_GRDH_1SDV_20170613T165043_34VER_61_39"  # the same position in another tile
    write_v1_patch(radar, nearer, 10, 10, ["Pastures"], corresponding_s2_patch="S2B_MSIL2A_20170613T100029_61_39")
    alone = "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_70_48"
    write_v1_patch(radar, alone, 70, 48, ["Dump sites"], corresponding_s2_patch=f"{V1}_70_48")
    data = open_training_data(tmp_path)
    scenes = [data.read(i) for i in range(len(data))]
    assert [scene.name for scene in scenes] == [name, alone]
    assert [scene.slots for scene in scenes] == [SLOTS, ("vv", "vh")]
    assert scenes[1].artificial is True and scenes[1].characteristics.sensor == "sentinel-1"
    assert len(open_training_data(radar)) == 3


def test_v1_patches_on_the_published_lists_of_clouds_are_left_out(tmp_path):
    names = [write_v1_patch(tmp_path, f"{V1}_5_{row}", 5, row, ["Pastures"]) for row in range(3)]
    (tmp_path / "patches_with_cloud_and_shadow.csv").write_text(f"{names[1]}\n")
    data = open_training_data(tmp_path)
    assert [data.read(i).name for i in range(len(data))] == [names[0], names[2]]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"labels": "Pastures"}', '{"labels": ["Atlantis"]}'])
def test_v1_metadata_that_cannot_be_used_name_the_patch(tmp_path, text):
    name = write_v1_patch(tmp_path, f"{V1}_5_5", 5, 5, ["Pastures"])
    (tmp_path / name / f"{name}_labels_metadata.json").write_text(text)
    with pytest.raises(BadInput, match=name):
        open_training_data(tmp_path).read(0)


def test_corine_codes_are_artificial_by_their_first_digit_and_the_sea_is_not_judged():
    codes = np.array([*CODES, 0, 128, 999, 131, 335])
    expected = [255 if code == 523 else int(code < 200) for code in CODES] + [255, 255, 255, 1, 0]
    assert surface_of(codes).tolist() == expected
    assert len(CODES) == 44


def test_class_names_of_both_nomenclatures_are_known():
    nineteen = (
        "Urban fabric; Industrial or commercial units; Arable land; Permanent crops; Pastures; "
        "Complex cultivation patterns; "
        "Land principally occupied by agriculture, with significant areas of natural vegetation; Agro-forestry areas; "
        "Broad-leaved forest; Coniferous forest; Mixed forest; Natural grassland and sparsely vegetated areas; "
        "Moors, heathland and sclerophyllous vegetation; Transitional woodland, shrub; Beaches, dunes, sands; "
        "Inland wetlands; Coastal wetlands; Inland waters; Marine waters"
    ).split("; ")
    assert len(nineteen) == 19
    assert [artificial_of([name]) for name in nineteen] == [True, True, *[False] * 16, None]
    in_both = 9  # of the 19: industrial, pastures, complex, land principally, agro-forestry, three forests, beaches
    assert len(ARTIFICIAL | NATURAL | NOT_JUDGED) == 44 + 19 - in_both
    assert len(ARTIFICIAL) == 11 + 1


def test_names_of_patches_say_day_tile_and_position():
    v2 = parse_name("S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_75_43")
    s1 = parse_name("S1A_IW_GRDH_1SDV_20170613T165043_33UUP_70_48")
    v1 = parse_name("S2A_MSIL2A_20171221T112501_56_35")
    assert v2 and (v2.tile, v2.position, v2.day.isoformat()) == ("33UUP", (75, 43), "2017-06-13")
    assert s1 and (s1.tile, s1.position) == ("33UUP", (70, 48))
    assert v1 and (v1.tile, v1.position, v1.day.timetuple().tm_yday) == ("", (56, 35), 355)
    assert parse_name("S2A_MSIL2A_20171341T112501_56_35") is None and parse_name("images") is None
    assert not SENTINEL_2_V1.fullmatch("S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_75_43")


def test_real_v1_patches_are_read_and_joined(hazard_data):
    folder = hazard_data / "landcover" / "bigearthnet"
    data = open_training_data(folder)
    scenes = {scene.name: scene for scene in map(data.read, range(len(data)))}
    assert len(scenes) == 6
    joined = scenes["S2A_MSIL2A_20170617T113321_4_55"]
    assert joined.slots == SLOTS and joined.artificial is False
    assert (joined.characteristics.longitude, joined.characteristics.latitude) == pytest.approx(
        _by_krueger(604_800 + 600, 5_834_040 - 600, -9), abs=1e-6
    )
    town = scenes["S1A_IW_GRDH_1SDV_20170613T165043_33UUP_61_40"]
    assert town.slots == ("vv", "vh") and town.artificial is True
    vegetation = joined.values[4].median() / joined.values[3].median()
    assert vegetation > 5  # pastures in June
    assert len(open_training_data(folder / "v1_S2")) == 3 and len(open_training_data(folder / "v1_S1")) == 6


def test_real_v2_patches_are_read(hazard_data, tmp_path):
    """The sample's image and map are of different patches: each is read beside a made partner of the other kind."""
    sample = hazard_data / "landcover" / "bigearthnet" / "v2"
    with pytest.raises(BadInput, match="but no patch with its map"):
        open_training_data(sample)
    image = next((sample / "BigEarthNet-S2").glob("*/*"))
    radar = next((sample / "BigEarthNet-S1").glob("*/*"))
    reference = next((sample / "Reference_Maps").glob("*/*"))
    for part in (image, radar, reference):
        link = tmp_path / part.relative_to(sample)
        link.parent.mkdir(parents=True)
        link.symlink_to(part)
    column, row = (int(v) for v in image.name.split("_")[-2:])
    write_v2_patch(tmp_path, column, row, town_by_the_sea(), radar=False, optical=False, tile=image.parent.name)
    column, row = (int(v) for v in reference.name.split("_")[-2:])
    write_v2_patch(tmp_path, column, row, None, radar=False, tile=image.parent.name)
    data = open_training_data(tmp_path)
    scenes = {scene.name: scene for scene in map(data.read, range(len(data)))}
    real_image, real_map = scenes[image.name], scenes[reference.name]
    assert real_image.values.shape == (7, 120, 120) and 0 < float(real_image.values.min()) < 0.02
    assert 0.02 < float(real_image.values[1].median()) < 0.08 and bool(real_image.valid.all())
    assert real_map.surface is not None and real_map.surface.unique().tolist() == [0]  # 211, 231, 311 and 313
    assert SENTINEL_1.fullmatch(radar.name) and SENTINEL_2_V2.fullmatch(image.name)


def _overwrite(path: Path, value: float):
    from osgeo import gdal

    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.GetRasterBand(1).WriteArray(np.full((120, 120), value, np.float32))
    dataset = None


def _by_krueger(east, north, central_meridian):
    """Longitude and latitude from UTM on WGS 84 (northern), by Krueger's series as Karney 2011 gives it, to n^3."""
    f = 1 / 298.257223563
    n = f / (2 - f)
    radius = 6378137.0 / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    beta = (n / 2 - 2 * n**2 / 3 + 37 * n**3 / 96, n**2 / 48 + n**3 / 15, 17 * n**3 / 480)
    delta = (2 * n - 2 * n**2 / 3 - 2 * n**3, 7 * n**2 / 3 - 8 * n**3 / 5, 56 * n**3 / 15)
    xi, eta = north / 0.9996 / radius, (east - 500_000) / 0.9996 / radius
    xi1 = xi - sum(b * np.sin(2 * j * xi) * np.cosh(2 * j * eta) for j, b in enumerate(beta, 1))
    eta1 = eta - sum(b * np.cos(2 * j * xi) * np.sinh(2 * j * eta) for j, b in enumerate(beta, 1))
    chi = np.arcsin(np.sin(xi1) / np.cosh(eta1))
    latitude = chi + sum(d * np.sin(2 * j * chi) for j, d in enumerate(delta, 1))
    return central_meridian + np.degrees(np.arctan2(np.sinh(eta1), np.cos(xi1))), np.degrees(latitude)


def test_patches_that_are_listed_and_missing_and_maps_without_an_image_are_counted(tmp_path):
    pytest.importorskip("pyarrow")
    names = [write_v2_patch(tmp_path, column, 0, FIELDS) for column in range(2)]
    alone = write_v2_patch(tmp_path, 2, 0, FIELDS, optical=False, radar=False)
    gone = f"{TILE}_3_0"
    cloudy = {"patch_id": f"{TILE}_4_0", "contains_cloud_or_shadow": True}
    write_metadata(tmp_path, [*({"patch_id": name} for name in (*names, alone, gone)), cloudy])
    data = open_training_data(tmp_path)
    assert [data.read(i).name for i in range(len(data))] == names
    assert "1 reference maps without an image are left out." in data.notes
    assert "2 patches that metadata.parquet lists are not in the folder and are skipped." in data.notes
    (tmp_path / "metadata.parquet").unlink()
    assert not any("lists are not" in note for note in open_training_data(tmp_path).notes)


def test_of_two_versions_in_one_folder_the_one_that_is_read_is_named(tmp_path):
    write_v1_patch(tmp_path / "v1", f"{V1}_5_5", 5, 5, ["Pastures"])
    write_v2_patch(tmp_path / "v2", 0, 0, FIELDS)
    data = open_training_data(tmp_path)
    assert isinstance(data, BigEarthNetV1)
    assert data.notes[0] == "BigEarthNet v1 is read; v2 in 'v2' is ignored: give each version's own folder."
    write_v2_patch(tmp_path, 0, 0, FIELDS)
    data = open_training_data(tmp_path)
    assert isinstance(data, BigEarthNetV2) and data.notes[0].startswith("BigEarthNet v2 is read; v1 is ignored")
    for folder in ("v1", "v2"):
        assert not any("is ignored" in note for note in open_training_data(tmp_path / folder).notes)


def test_the_real_folder_of_both_versions_says_which_is_read(hazard_data):
    data = open_training_data(hazard_data / "landcover" / "bigearthnet", surface=True)
    assert "v2 in 'v2' is ignored" in data.notes[0]


@pytest.mark.parametrize(
    ("folders", "words"), [(("images", "labels"), "labels hazards.*use train"), ((), "no natural")]
)
def test_folders_that_label_no_surfaces_are_refused_for_pre_training(tmp_path, folders, words):
    for name in folders:
        (tmp_path / "chips" / name).mkdir(parents=True)
        (tmp_path / "chips" / name / "1.tif").touch()
    for place in ("chips", ".")[not folders :]:
        with pytest.raises(BadInput, match=words) as error:
            open_training_data(tmp_path / place, surface=True)
        assert "BigEarthNet" in str(error.value) and "--hazard" not in str(error.value)
