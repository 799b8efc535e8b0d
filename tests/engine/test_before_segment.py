"""What is new since a scene from before the event, with a network whose answer is known."""

import copy
import json

import numpy as np
import pytest
from osgeo import gdal
from pair_scenes import TwoDates
from scenes import UTM_10M, Making, read, reflectance_model, run, write_raster

from engine.before.coverage import lacking_coverage
from engine.protocol import BadInput, SegmentJob
from engine.segment import UNSEEN_IN_DISPLAY

HEIGHT, WIDTH = 96, 128


@pytest.fixture
def model(tmp_path):
    made = reflectance_model(tmp_path / "model")
    made.network = TwoDates()
    return made


def _ground(seed=0, side=256):
    """Texture that two dates share, so that a shift between them can be found."""
    frequency = np.fft.fftfreq(side)
    soft = np.exp(-30 * (frequency[:, None] ** 2 + frequency[None, :] ** 2))
    noise = np.random.default_rng(seed).normal(size=(side, side))
    field = np.fft.ifft2(np.fft.fft2(noise) * soft).real
    return (0.2 + 0.03 * field / field.std()).clip(0.05, 0.4).astype("f4")


def _pair(tmp_path, shift=(0, 0), date=("2024-05-01", "2024-09-01"), **before):
    """Later and earlier scene: water (bright here) stands left on both dates, in the middle on the later one only."""
    ground = _ground()
    right, down = shift
    later = ground[40 : 40 + HEIGHT, 40 : 40 + WIDTH].copy()
    earlier = ground[40 + down : 40 + down + HEIGHT, 40 + right : 40 + right + WIDTH].copy()
    later[20:60, 10:30] = 0.9
    later[20:60, 50:90] = 0.9
    earlier[20 - down : 60 - down, 10 - right : 30 - right] = 0.9
    earlier = before.pop("edit", lambda values: values)(earlier)
    first = write_raster(tmp_path / "later.tif", later, tags={"ACQUISITION_DATE": date[1]})
    second = write_raster(tmp_path / "earlier.tif", earlier, tags={"ACQUISITION_DATE": date[0]}, **before)
    return first, second


OPTIONS = {"before_bands": ("green",), "before_units": "reflectance", "before_date": "2024-05-01", "date": "2024-09-01"}


def test_what_is_new_is_hazard_and_water_of_both_dates_is_permanent(tmp_path, model):
    later, earlier = _pair(tmp_path)
    result, mask, probability = run(tmp_path, later, model=model, before=earlier, **OPTIONS)
    assert (mask[20:60, 50:90] == 1).all() and (mask[20:60, 10:30] == 2).all()
    rest = np.ones(mask.shape, bool)
    rest[20:60, 50:90] = rest[20:60, 10:30] = False
    assert (mask[rest] == 0).all()
    assert result["hazard_area_m2"] == pytest.approx(40 * 40 * 100, rel=0.002)
    assert result["permanent_area_m2"] == pytest.approx(40 * 20 * 100, rel=0.002)
    assert result["question"] == "new" and result["compared_by"] == "rule"
    # p_later (1 - p_earlier), in whole per cent
    assert abs(int(probability[40, 70]) - round(100 * 0.9 * (1 - float(_ground()[80, 110])))) <= 1
    tags = gdal.Open(result["mask"]).GetMetadata()
    assert tags["HAZARD_BEFORE"] == "earlier.tif" and len(tags["HAZARD_BEFORE_SHA256"]) == 64
    assert tags["HAZARD_BEFORE_DATE"] == "2024-05-01" and "2 water on both dates" in tags["HAZARD_VALUES"]
    assert json.loads(tags["HAZARD_JOB"])["before"] == earlier


def test_where_the_earlier_scene_has_no_pixel_the_answer_is_that_of_one_date(tmp_path, model):
    def lose_the_right(values):
        values[:, 70:] = -1
        return values

    later, earlier = _pair(tmp_path, edit=lose_the_right, nodata=[-1.0])
    single, single_mask, single_probability = run(tmp_path, later, model=model)
    assert single["question"] == "present" and single["permanent_area_m2"] is None
    result, mask, probability = run(tmp_path, later, model=model, before=earlier, **OPTIONS)
    assert np.array_equal(mask[:, 72:], single_mask[:, 72:])
    assert np.abs(probability[:, 72:].astype(int) - single_probability[:, 72:]).max() <= 1
    assert (single_mask[20:60, 10:30] == 1).all() and (mask[20:60, 10:30] == 2).all()
    assert result["share_compared"] == pytest.approx(70 / WIDTH, abs=0.001) and single["share_compared"] is None
    (told,) = [text for text in result["warnings"] if "has values for" in text]
    assert told.startswith("The scene before has values for 54.6% of the assessed pixels only: on the others, mask and")
    assert "show all flood that is there, new or not; choose a scene before that covers them, or limit the run" in told


def test_an_earlier_band_that_lacks_values_alone_lacks_them_after_warping_too(tmp_path, model):
    """It held 0 there, which was compared: new flood became water on both dates."""

    def lose_the_middle(values):
        values[20:60, 50:90] = -1
        return np.stack([values, np.full_like(values, 0.2)])

    later, earlier = _pair(tmp_path, edit=lose_the_middle, nodata=[-1.0, -1.0], names=["green", "nir"])
    options = {**OPTIONS, "before_bands": ("green", "-")}
    result, mask, _ = run(tmp_path, later, model=model, before=earlier, **options)
    assert (mask[22:58, 52:88] == 1).all() and result["share_compared"] == pytest.approx(1 - 1600 / 96 / 128, abs=0.01)


def test_an_earlier_band_that_is_called_alpha_but_holds_data_cuts_nothing_out(tmp_path, model):
    def with_near_infrared(values):
        return np.stack([values, values / 2, values / 3, np.where(values < 0.18, 0.0, 0.3)])

    later, earlier = _pair(tmp_path, edit=with_near_infrared, names=["green", "blue", "red", "nir"])
    options = {**OPTIONS, "before_bands": ("green", "-", "-", "-")}
    plain, _, _ = run(tmp_path, later, model=model, before=earlier, **options)
    dataset = gdal.Open(earlier, gdal.GA_Update)
    dataset.GetRasterBand(4).SetColorInterpretation(gdal.GCI_AlphaBand)
    dataset = None
    result, mask, _ = run(tmp_path, later, model=model, before=earlier, overwrite=True, **options)
    assert result["share_compared"] == plain["share_compared"] == 1
    assert result["hazard_area_m2"] == plain["hazard_area_m2"] and (mask[20:60, 10:30] == 2).all()


def test_how_much_was_compared_is_said_of_the_wanted_part_and_kept_with_the_mask(tmp_path, model):
    from engine.protocol import ProvenanceJob
    from engine.provenance import provenance

    def lose_the_right(values):
        values[:, 70:] = -1
        return values

    later, earlier = _pair(tmp_path, edit=lose_the_right, nodata=[-1.0])
    left, top = UTM_10M[0], UTM_10M[3]
    inside, across = (left, top - 960, left + 600, top), (left + 400, top - 960, left + 800, top)
    result, _, _ = run(tmp_path, later, model=model, before=earlier, extent=inside, **OPTIONS)
    assert result["share_compared"] == 1 and not any("has values for" in text for text in result["warnings"])
    result, _, _ = run(tmp_path, later, model=model, before=earlier, extent=across, **OPTIONS)
    assert result["share_compared"] == pytest.approx(0.75, abs=0.03)
    assert provenance(ProvenanceJob(result["mask"]))["share_compared"] == result["share_compared"]
    single, _, _ = run(tmp_path, later, model=model)
    assert provenance(ProvenanceJob(single["mask"]))["share_compared"] is None


@pytest.mark.parametrize(("share", "told"), [(None, None), (1, None), (0.99, None), (0.98999, "98.9%"), (0, "0.0%")])
def test_hardly_any_gap_is_not_worth_a_warning_and_none_is_rounded_away(share, told):
    sentence = lacking_coverage(share, "glacier_collapse")
    assert sentence is None if told is None else f"for {told} of" in sentence and "all glacier collapse" in sentence


def test_a_wide_mask_is_counted_in_tiles(tmp_path, model, monkeypatch):
    import engine.before.coverage

    def lose_a_corner(values):
        values[50:, 70:] = -1
        return values

    later, earlier = _pair(tmp_path, edit=lose_a_corner, nodata=[-1.0])
    whole, _, _ = run(tmp_path, later, model=model, before=earlier, **OPTIONS)
    monkeypatch.setattr(engine.before.coverage, "TILE_ROWS", 7)
    monkeypatch.setattr(engine.before.coverage, "TILE_COLUMNS", 30)
    tiled, _, _ = run(tmp_path, later, model=model, before=earlier, **OPTIONS)
    assert tiled["share_compared"] == whole["share_compared"] < 0.9


def test_a_shift_of_some_pixels_is_corrected_and_told(tmp_path, model):
    later, earlier = _pair(tmp_path, shift=(3, -2))
    result, mask, _ = run(tmp_path, later, model=model, before=earlier, **OPTIONS)
    assert result["before_shift_px"] == pytest.approx([3, -2], abs=0.35) and result["before_moved"]
    assert any("was moved by" in text for text in result["warnings"])
    assert (mask[22:58, 12:28] == 2).all() and (mask[22:58, 52:88] == 1).all()
    assert np.count_nonzero(mask == 1) < 1600 + 200


def test_a_shift_beyond_what_is_corrected_is_refused_and_nothing_is_written(tmp_path, model):
    later, earlier = _pair(tmp_path, shift=(9, 4))
    with pytest.raises(BadInput, match=r"lies 9\.\d pixels off.*at most 5"):
        run(tmp_path, later, model=model, before=earlier, **OPTIONS)
    assert not (tmp_path / "mask.tif").exists()


def _wide_pair(tmp_path, right, down, side=448):
    """Scenes of some windows; the earlier one shows the ground that lies ``right`` and ``down`` of the later one's."""
    ground = _ground(side=side + 160)
    files = []
    for name, x, y in (("later", 80, 80), ("earlier", 80 + right, 80 + down)):
        noise = np.random.default_rng(len(name)).normal(0, 0.01, (side, side))
        values = (ground[y : y + side, x : x + side] + noise).clip(0.01, 0.5).astype("f4")
        files.append(write_raster(tmp_path / f"{name}.tif", values))
    return tuple(files)


@pytest.mark.parametrize(("right", "down", "length"), [(20, 0, 20), (-36, 48, 60), (0, -60, 60)])
def test_a_shift_of_many_pixels_is_refused_in_one_sentence(tmp_path, model, right, down, length):
    later, earlier = _wide_pair(tmp_path, right, down)
    with pytest.raises(BadInput) as refused:
        run(tmp_path, later, model=model, before=earlier, **OPTIONS)
    told = str(refused.value)
    assert told.startswith(f"'earlier.tif' lies {length}.0 pixels off 'later.tif' (")
    assert told.endswith(" rows), at most 5 are corrected; georeference one of them again.")
    assert not (tmp_path / "mask.tif").exists()


@pytest.mark.parametrize("corner", [(0, 0), (150, 200), (408, 408)])
def test_a_small_extent_is_moved_as_the_scene_around_it_tells(tmp_path, model, corner):
    later, earlier = _wide_pair(tmp_path, 3, 0)
    left, top = UTM_10M[0] + 10 * corner[0], UTM_10M[3] - 10 * corner[1]
    extent = (left, top - 400, left + 400, top)
    result, mask, _ = run(tmp_path, later, model=model, before=earlier, extent=extent, **OPTIONS)
    assert mask.shape == (40, 40)
    assert result["before_shift_px"] == pytest.approx([3, 0], abs=0.1) and result["before_moved"]
    assert not any("could not be told" in text for text in result["warnings"])


def test_the_earlier_scene_may_have_another_grid(tmp_path, model):
    later, _ = _pair(tmp_path)
    fine = np.kron(_ground()[40 : 40 + HEIGHT, 40 : 40 + WIDTH], np.ones((2, 2), "f4"))
    fine[40:120, 20:60] = 0.9
    making = Making(geotransform=(UTM_10M[0], 5.0, 0, UTM_10M[3], 0, -5.0))
    earlier = write_raster(tmp_path / "fine.tif", fine, making)
    _, mask, _ = run(tmp_path, later, model=model, before=earlier, **OPTIONS)
    assert (mask[22:58, 12:28] == 2).all() and (mask[22:58, 52:88] == 1).all()


def test_swapped_scenes_are_noticed(tmp_path, model):
    later, earlier = _pair(tmp_path)
    with pytest.raises(BadInput, match=r"later than 'later\.tif' of 2024-04-01; swap the two"):
        run(tmp_path, later, model=model, before=earlier, **{**OPTIONS, "date": "2024-04-01"})


@pytest.mark.parametrize(("lacking", "names"), [("date", "'later.tif'"), ("before_date", "'earlier.tif'"), (None, "")])
def test_an_order_that_no_day_tells_is_said_to_be_unchecked(tmp_path, model, lacking, names):
    later, earlier = _pair(tmp_path, date=("", ""))
    options = {name: value for name, value in OPTIONS.items() if name != lacking}
    result, _, _ = run(tmp_path, later, model=model, before=earlier, **options)
    said = [text for text in result["warnings"] if "order of the two scenes was not checked" in text]
    assert [text.split(" is not known")[0] for text in said] == ([f"The day of {names}"] if names else [])


def test_an_earlier_scene_of_another_place_is_refused(tmp_path, model):
    later, _ = _pair(tmp_path)
    making = Making(geotransform=(700000.0, 10, 0, 5300000.0, 0, -10))
    elsewhere = write_raster(tmp_path / "elsewhere.tif", _ground()[:80, :80], making)
    sentence = r"no valid pixel under the wanted part of 'later\.tif'; choose a scene of .* place, or another extent"
    with pytest.raises(BadInput, match=sentence):
        run(tmp_path, later, model=model, before=elsewhere, **OPTIONS)


def test_other_units_of_the_same_ground_are_matched(tmp_path, model):
    def as_integers(values):
        return (values * 10000).round().astype("u2")

    later, earlier = _pair(tmp_path, edit=as_integers)
    options = {**OPTIONS, "before_units": "reflectance*10000"}
    result, mask, _ = run(tmp_path, later, model=model, before=earlier, **options)
    assert (mask[20:60, 10:30] == 2).all() and result["hazard_area_m2"] == pytest.approx(160_000, rel=0.002)


@pytest.mark.parametrize("units", ["byte", "reflectance"])
def test_comparing_floods_in_display_values_is_warned_of(tmp_path, model, units, monkeypatch):
    import dataclasses

    from engine.before.branch import ChangeBranch

    # Display values have no physical plane to be restricted to.
    monkeypatch.setattr(TwoDates, "restricted_to", lambda self, planes, equal=None: copy.copy(self))
    model.network.change = ChangeBranch(("flood",), 4).eval()
    model.card = dataclasses.replace(model.card, change_channels=4, change_thresholds={"flood": 0.2})
    later, earlier = _pair(tmp_path)
    if units == "byte":
        for path in (later, earlier):
            write_raster(path, (read(path) * 255).round().astype("u1"))
    options = {**OPTIONS, "units": units, "before_units": units}
    result, _, _ = run(tmp_path, later, model=model, before=earlier, **options)
    assert (UNSEEN_IN_DISPLAY in result["warnings"]) == (units == "byte")
    single, _, _ = run(tmp_path, later, model=model, units=units)
    assert UNSEEN_IN_DISPLAY not in single["warnings"]


def test_one_threshold_holds_for_pixels_with_and_without_an_earlier_value(tmp_path, model):
    import dataclasses

    from engine.before.branch import ChangeBranch

    model.network.change = ChangeBranch(("flood",), 4).eval()
    model.card = dataclasses.replace(model.card, change_channels=4, change_thresholds={"flood": 0.2})
    later, earlier = _pair(tmp_path)
    _, _, probability = run(tmp_path, later, model=model, before=earlier, **OPTIONS)
    plain = 0.9 * (1 - float(_ground()[80, 110]))
    expected = 1 / (1 + np.exp(-(np.log(plain / (1 - plain)) - np.log(0.2 / 0.8))))
    assert abs(int(probability[40, 70]) - round(100 * expected)) <= 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"before": "same.tif"}, "the scene itself"),
        ({"before_units": "db"}, "add --before"),
        ({"before": "other.tif", "mask": "other.tif"}, "would replace the scene"),
        ({"before": "other.tif", "before_date": "May"}, "May"),
    ],
)
def test_what_cannot_be_a_pair_is_said_at_once(options, words):
    values = {"raster": "same.tif", "hazard": "flood", "mask": "mask.tif", **options}
    with pytest.raises(BadInput, match=words):
        SegmentJob(**values)


def test_a_model_that_is_only_pre_trained_cannot_compare(tmp_path, model):
    import dataclasses

    later, earlier = _pair(tmp_path)
    model.card = dataclasses.replace(model.card, pretrained_only=True)
    with pytest.raises(BadInput, match="only pre-trained"):
        run(tmp_path, later, model=model, before=earlier, **OPTIONS)
    assert read(later).shape == (HEIGHT, WIDTH)


def test_a_run_with_an_earlier_scene_is_repeated_to_the_pixel_and_only_while_that_scene_is_what_it_was(
    tmp_path, model, monkeypatch
):
    import engine.repeat
    from engine.protocol import ProvenanceJob, RepeatJob
    from engine.provenance import provenance
    from engine.segment import segment

    later, earlier = _pair(tmp_path, shift=(2, 1))
    result, _, _ = run(tmp_path, later, model=model, before=earlier, **OPTIONS)
    monkeypatch.setattr(engine.repeat, "segment", lambda job, report: segment(job, report, {"reflectance": model}))
    monkeypatch.setattr("engine.model.load_model", lambda name: model)
    told = provenance(ProvenanceJob(result["mask"], verify=True))
    assert told["before"] == earlier and told["before_unchanged"] is True and told["before_date"] == "2024-05-01"
    again = engine.repeat.repeat(RepeatJob(file=result["mask"], out=str(tmp_path / "again.tif")))
    assert again["different_pixels"] == 0
    write_raster(earlier, np.full((HEIGHT, WIDTH), 0.3, "f4"))
    with pytest.raises(BadInput, match=r"The scene before .* has changed since"):
        engine.repeat.repeat(RepeatJob(file=result["mask"], out=str(tmp_path / "third.tif")))


def test_a_run_cut_at_another_threshold_keeps_its_water_and_is_repeated_at_the_run_s_own(tmp_path, model, monkeypatch):
    import dataclasses

    import engine.repeat
    from engine.protocol import RepeatJob, ThresholdJob
    from engine.segment import segment
    from engine.threshold import threshold

    later, earlier = _pair(tmp_path)
    result, mask, percent = run(tmp_path, later, model=model, before=earlier, threshold=None, **OPTIONS)
    job = ThresholdJob(result["probability"], str(tmp_path / "cut.tif"), 0.8, run_mask=result["mask"])
    threshold(job)
    cut = read(tmp_path / "cut.tif")
    assert (cut[20:60, 10:30] == 2).all() and np.array_equal(cut == 1, percent >= 80) and (mask == 1).sum() > 0
    monkeypatch.setattr(engine.repeat, "segment", lambda job, report: segment(job, report, {"reflectance": model}))
    monkeypatch.setattr("engine.model.load_model", lambda name: model)
    model.card = dataclasses.replace(model.card, thresholds={"flood": 0.95})  # then the lake would be no water
    again = engine.repeat.repeat(RepeatJob(file=str(tmp_path / "cut.tif"), out=str(tmp_path / "again.tif")))
    assert again["different_pixels"] == 0 and again["steps"] == ["threshold"]


def test_a_backend_that_cannot_compare_two_dates_is_refused(tmp_path, model):
    later, earlier = _pair(tmp_path)
    with pytest.raises(BadInput, match="openvino cannot compare two dates; choose backend auto or torch"):
        run(tmp_path, later, model=model, before=earlier, backend="openvino", **OPTIONS)
