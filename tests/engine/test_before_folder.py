"""Users' own pairs: scenes from before are found by name, laid onto their images, and cut into chips on one grid."""

import pickle

import numpy as np
import pytest
import torch
from pair_scenes import NAMES, OLD_SCAR, ToyPairs, two_dates, write_pairs
from scenes import write_raster
from training_sets import write_floods

from engine import batches
from engine.before import sources
from engine.before.matching import match_scenes
from engine.before.planes import CHANGE_PLANES
from engine.before.sources import LabelledPairSource, MixedPairs, PairSource
from engine.datasets import BeforeFolder, EarlierOptions, open_training_data
from engine.datasets.pairs import find_pairs
from engine.planes import SceneScaling
from engine.protocol import BadInput
from engine.reporting import Report
from engine.simulate import HAZARDS

FOUND_OUT = EarlierOptions()


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(sources, "SCENE_SIZE_PX", 96)
    monkeypatch.setattr(sources, "CHIP_SIZE_PX", 64)
    monkeypatch.setattr(batches, "CHIP_SIZE_PX", 64)
    monkeypatch.setattr(sources, "PAIRS_IN_LANE", 1)


def opened(folder, before=FOUND_OUT, **options):
    return open_training_data(folder, hazards=("landslide",), before=before, **options)


@pytest.mark.parametrize("number", [0, 1])
def test_a_scene_before_on_another_grid_lies_on_the_image(tmp_path, number):
    """Pair 0 has degrees, 5 m and float reflectance before, pair 1 whole numbers at 20 m."""
    data = opened(write_pairs(tmp_path / "slides", 2))
    pair = data.read_pair(number)
    later, earlier, new = two_dates(number)
    assert np.allclose(pair.later.values.numpy(), later, atol=1e-4)
    assert torch.equal(pair.later.labels["landslide"], torch.from_numpy(new.astype("u1")))
    inner = np.zeros(new.shape, bool)
    inner[4:-4, 4:-4] = True
    edges = np.zeros(new.shape, bool)  # where a pixel of 20 m holds both
    edges[OLD_SCAR[0].start - 2 : OLD_SCAR[0].stop + 2, OLD_SCAR[1].start - 2 : OLD_SCAR[1].stop + 2] = True
    ground = inner & ~edges
    assert pair.valid.numpy()[0][inner].all()
    assert np.abs(pair.values.numpy() - earlier)[:, ground].max() < 0.02
    core = pair.values.numpy()[:, OLD_SCAR[0], OLD_SCAR[1]][:, 4:-4, 4:-4]
    assert np.allclose(core, earlier[:, 10, 66][:, None, None], atol=0.01)
    assert pair.scalings[1].slots == pair.later.slots and all(pair.scalings[1].absolute)
    gains = [band.gain for band in pair.match.bands]
    assert gains == pytest.approx([1 / 0.9] * 4, rel=0.1)


def test_pairs_reach_the_processes_that_read_them(tmp_path):
    data = opened(write_pairs(tmp_path / "slides", 2))
    data.read_pair(0)
    again = pickle.loads(pickle.dumps(data))
    assert torch.equal(again.read_pair(0).values, data.read_pair(0).values)
    assert torch.equal(again.read_pair(1).values, data.read_pair(1).values)


def test_bands_and_units_of_scenes_before_are_their_own(tmp_path):
    folder = tmp_path / "slides"
    write_pairs(folder, 1)
    _, earlier, _ = two_dates(0)
    write_raster(folder / "before" / "place00.tif", (earlier[[3, 2]] * 255).round().astype("u1"))
    with pytest.raises(BadInput, match=r"^Scene before: .*; say which band is which with --before-bands\.$"):
        opened(folder)
    wrong = r"^Scene before: 3 .* 'place00\.tif' has 2 bands .*; give --before-bands one slot for each band, - for an"
    with pytest.raises(BadInput, match=wrong):
        opened(folder, EarlierOptions(("nir", "red", "-"), "byte"))
    told = opened(folder, EarlierOptions(("nir", "red"), "byte")).read_pair(0)
    assert told.scalings[1].slots == ("red", "nir") and not any(told.scalings[1].absolute)
    assert told.scalings[0].slots == ("blue", "green", "red", "nir") and told.match.slots == ("red", "nir")


def test_an_image_without_its_scene_before_is_left_out_and_said(tmp_path):
    folder = write_pairs(tmp_path / "slides", 5, lacking=(1, 3))
    data = opened(folder)
    assert len(data) == 3
    assert any("2 of 5 labelled images have no scene of their name in before/" in text for text in data.notes)
    assert len(open_training_data(folder, hazards=("landslide",))) == 5  # single dates need none


def test_a_folder_without_scenes_before_is_refused_in_one_sentence(tmp_path):
    folder = write_pairs(tmp_path / "slides", 2, lacking=(0, 1))
    with pytest.raises(BadInput, match=r"None of the 2 labelled images in 'slides' .* before/ .*put the scenes"):
        opened(folder)
    write_floods(tmp_path / "floods", {"Ghana_1": "s2"})
    with pytest.raises(BadInput, match="Sen1Floods11 has no scenes from before"):
        open_training_data(tmp_path / "floods", before=FOUND_OUT)


@pytest.mark.parametrize(
    ("image", "label", "before"),
    [
        ("images/a.tif", "labels/a.tif", "before/a.tif"),
        ("images/image_7.tif", "masks/mask_7.tif", "before/7.tif"),
        ("train/images/a.tif", "train/labels/a.tif", "train/before/a.tif"),
        ("images/train/a.tif", "labels/train/a.tif", "before/train/a.tif"),
        ("images/train/a.tif", "labels/train/a.tif", "before/a.tif"),
        ("nepal/images/a.tif", "nepal/labels/a.tif", "nepal/before/a.tif"),
        ("a.tif", "a_mask.tif", "before/a.tif"),
    ],
)
def test_scenes_before_are_found_where_the_images_are(tmp_path, image, label, before):
    for name in (image, label, before):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (pair,), _ = find_pairs(tmp_path / "data", ("flood",))
    assert pair.before == str(tmp_path / "data" / before) and pair.image == str(tmp_path / "data" / image)


def test_a_pair_that_cannot_be_laid_over_each_other_is_named_when_it_is_read(tmp_path):
    folder = tmp_path / "slides"
    write_pairs(folder, 3)
    _, earlier, _ = two_dates(2)
    elsewhere = (700000.0, 10.0, 0.0, 5300000.0, 0.0, -10.0)
    write_raster(folder / "before" / "place02.tif", earlier.astype("f4"), geotransform=elsewhere, names=NAMES)
    data = opened(folder)
    with pytest.raises(BadInput, match=r"'place02\.tif' in before/ has no valid pixel under its image; put a") as error:
        data.read_pair(2)
    assert "extent" not in str(error.value), "training has none"
    source = LabelledPairSource(data, range(3), 0, 6, ("landslide",))
    batch = source.batch(0)
    assert batch.labels.shape[0] == 6 and any("place02.tif" in reason for reason in batch.skipped)
    assert source.validation([2], Report()) == [] and "place02.tif" in source.unread[0]


def test_notes_and_refusals_name_what_training_can_be_told(tmp_path):
    """Training takes neither dates nor sensors, and has no group *Bands and units*."""
    folder = tmp_path / "slides"
    write_pairs(folder, 1)
    later, earlier, _ = two_dates(0)
    grey = np.linspace(1, 200, 80 * 96, dtype="f4").reshape(80, 96).round()
    unnamed = ("PHOTOMETRIC=MINISBLACK",)
    write_raster(folder / "before" / "place00.tif", (earlier[:3] * 255).round().astype("u1"), options=unnamed)
    write_raster(folder / "images" / "place00.tif", np.stack([grey] * 4), names=NAMES)
    told = "\n".join(opened(folder).notes)
    assert "taken as red, green, blue. Change that with --before-bands." in told
    assert "taken as display values. Say otherwise with --units." in told and "Bands and units" not in told
    for part, values, day in (("images", later, "2024-05-01"), ("before", earlier, "2024-06-01")):
        tags = {"ACQUISITION_DATE": day}
        write_raster(folder / part / "place00.tif", values.astype("f4"), names=NAMES, tags=tags)
    with pytest.raises(BadInput, match=r"later than .*; swap the two files, or correct the day in a name or tag\.$"):
        opened(folder).read_pair(0)


def test_chips_of_one_scene_stay_together_in_the_split(tmp_path):
    folder = tmp_path / "slides"
    write_pairs(folder, 6, size_px=288)
    data = opened(folder)
    assert isinstance(data, BeforeFolder) and len(data) > 6
    parts = [{data._place(number)[0].image for number in part} for part in data.split(0)]
    assert all(parts[:2]) and not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]


# Chips


def test_labels_stay_on_what_changed_through_scale_turn_and_crop(small):
    source = LabelledPairSource(ToyPairs(), range(12), 1, 8, ("landslide", "any"))
    difference, common = (CHANGE_PLANES.index(f"{kind}_red") for kind in ("difference", "common"))
    agree = judged = 0
    for step in range(6):
        batch = source.batch(step)
        labels = batch.labels[:, 0]
        known = (labels != 255) & (batch.change[:, common] == 1)
        agree += int(((batch.change[:, difference] > 1) == (labels == 1))[known].sum())
        judged += int(known.sum())
        assert (batch.change[labels.unsqueeze(1).expand_as(batch.change) == 255] == 0).all()
        assert (batch.labels[:, 1] == labels).all()  # any: no other hazard is told
    assert judged > 40_000 and agree / judged > 0.97


def test_where_nothing_was_measured_before_nothing_is_judged(small):
    source = LabelledPairSource(ToyPairs(unmeasured_px=60), range(4), 1, 4, ("landslide", "flood"))
    (batch,) = source.validation([0, 1], Report())
    _, _, new = two_dates(0)
    assert (batch.labels[:, 1] == 255).all()  # not labelled
    judged = float((batch.labels[:, 0] != 255).float().mean())
    assert 0 < judged < 1 - 60 / new.shape[1] + 0.2
    assert (batch.change[:, CHANGE_PLANES.index("common_red")][batch.labels[:, 0] == 255] == 0).all()


def test_any_step_of_pairs_can_be_asked_for_at_once_and_unreadable_ones_are_named(small):
    def source(**changes):
        return LabelledPairSource(ToyPairs(**changes), range(5), 3, 4, ("landslide",))

    walked = source()
    for step in range(3):
        batch = walked.batch(step)
    alone = source().batch(2)
    assert all(torch.equal(getattr(batch, name), getattr(alone, name)) for name in ("later", "earlier", "change"))
    bad = source(bad=(3,)).batch(1)
    assert set(bad.skipped) == {"Pair 3 is damaged; copy it again."}
    with pytest.raises(BadInput, match="in a row"):
        source(bad=range(5)).batch(0)


def test_simulated_pairs_join_the_users_in_the_order_of_the_logits(small):
    hazards = ("any", "landslide", "lava", "flood")
    own = LabelledPairSource(ToyPairs(), range(4), 0, 5, hazards, teach_any=False)
    batch = MixedPairs(own, PairSource(0, 3, hazards, ("any", "landslide", "flood"))).batch(0)
    assert batch.labels.shape[:2] == (8, 4) and batch.later.dtype == torch.float16
    assert (batch.labels[:5, [0, 2, 3]] == 255).all() and (batch.labels[:5, 1] == 1).any()
    as_drawn = PairSource(0, 3).batch(0).labels
    for index, name in enumerate(hazards):
        expected = torch.full_like(as_drawn[:, 0], 255) if name == "lava" else as_drawn[:, HAZARDS.index(name)]
        assert torch.equal(batch.labels[5:, index], expected), name


@pytest.mark.parametrize("size", [2, 4, 7])
def test_a_batch_of_simulated_pairs_has_the_size_asked_for(small, size):
    assert PairSource(1, size).batch(3).labels.shape[0] == size


def test_a_match_seen_through_fewer_bands_keeps_what_they_tell():
    slots = ("green", "red", "nir")
    values = 0.05 + 0.3 * torch.rand((3, 500), generator=torch.Generator().manual_seed(0))
    scaling = SceneScaling(slots, (0.0,) * 3, (0.4,) * 3, (True,) * 3)
    match = match_scenes(values, scaling, values / 0.9, scaling)
    fewer = match.of_slots({"green", "nir"})
    assert fewer.slots == ("green", "nir") and fewer.bands == (match.bands[0], match.bands[2])
    assert set(match.shifts) == {"ndwi", "ndvi", "green_red"} and set(fewer.shifts) == {"ndwi"}
