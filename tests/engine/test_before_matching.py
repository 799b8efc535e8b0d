"""Two scenes of one place are matched: how their bands relate, how far they lie apart, and what a rule says is new."""

import numpy as np
import pytest
import torch

from engine.before.branch import ChangeBranch, new_by_rule
from engine.before.hidden import hidden_ground
from engine.before.matching import match_scenes
from engine.before.planes import CHANGE_PLANES, build_change_planes
from engine.before.shift import estimate_shift
from engine.planes import SceneScaling, build_planes
from engine.simulate import HAZARDS


def _scaling(values: torch.Tensor, slots: tuple[str, ...], absolute: bool = True) -> SceneScaling:
    low, high = (torch.quantile(values.flatten(1), q, dim=1).tolist() for q in (0.02, 0.98))
    return SceneScaling(slots, tuple(low), tuple(high), (absolute,) * len(slots))


def test_the_rule_is_the_probability_of_now_and_not_before():
    later, earlier = torch.tensor([2.0, -3.0, 0.5, 30.0]), torch.tensor([-1.0, 4.0, 0.5, -30.0])
    expected = torch.sigmoid(later.clamp(-9, 9)) * (1 - torch.sigmoid(earlier.clamp(-9, 9)))
    assert torch.allclose(torch.sigmoid(new_by_rule(later, earlier)), expected, atol=1e-6)


def test_an_untrained_branch_says_what_the_rule_says():
    branch = ChangeBranch(HAZARDS, 8).eval()
    later, earlier = torch.randn(2, 4, 32, 24), torch.randn(2, 4, 32, 24)
    found = branch(torch.randn(2, len(CHANGE_PLANES), 32, 24), later, earlier, torch.randn(2, 2, 32, 24))
    expected = new_by_rule(later, earlier)
    expected[:, 1:3] = expected[:, 1:3].mean(1, keepdim=True)  # slides and collapses are one question
    assert torch.allclose(found, expected, atol=1e-6)


def test_slides_and_collapses_have_one_answer():
    branch = ChangeBranch(HAZARDS, 8).eval()
    torch.nn.init.normal_(branch.leave.weight)
    later, earlier = torch.randn(1, 4, 16, 16), torch.randn(1, 4, 16, 16)
    found = branch(torch.randn(1, len(CHANGE_PLANES), 16, 16), later, earlier, torch.randn(1, 2, 16, 16))
    names = [HAZARDS.index(name) for name in ("landslide", "glacier_collapse", "flood", "any")]
    assert torch.equal(found[:, names[0]], found[:, names[1]])
    assert not torch.equal(found[:, names[2]], found[:, names[0]])


def test_under_snow_ground_is_no_newer_than_the_later_date_alone_says():
    branch = ChangeBranch(HAZARDS, 8).eval()
    torch.nn.init.constant_(branch.leave.bias, 5.0)  # a branch that calls all of it new
    later, earlier = torch.randn(1, 4, 16, 16), torch.randn(1, 4, 16, 16)
    planes = torch.zeros(1, len(CHANGE_PLANES), 16, 16)
    planes[:, CHANGE_PLANES.index("hidden"), :, 8:] = 1.0
    found = branch(planes, later, earlier, torch.zeros(1, 2, 16, 16))
    bare = new_by_rule(later, earlier) + 5
    water, either, ground = HAZARDS.index("flood"), HAZARDS.index("any"), [1, 2]
    assert torch.equal(found[:, water], bare[:, water])
    assert torch.equal(found[:, either, :, :8], bare[:, either, :, :8])
    assert torch.equal(found[:, either, :, 8:], torch.minimum(bare, later)[:, either, :, 8:])
    least = torch.minimum(bare, later)[:, ground].mean(1)
    assert torch.allclose(found[:, 1, :, 8:], least[..., 8:])
    assert torch.allclose(found[:, 1, :, :8], bare[:, ground].mean(1)[..., :8])
    assert (found[:, 1:3, :, 8:] < bare[:, ground, :, 8:]).any()


SNOW = {"coastal": 0.9, "blue": 0.85, "green": 0.85, "red": 0.8, "nir": 0.7, "swir1": 0.1, "swir2": 0.08}
CLOUD = {"coastal": 0.6, "blue": 0.6, "green": 0.58, "red": 0.58, "nir": 0.6, "swir1": 0.45, "swir2": 0.35}
SAND = {"coastal": 0.16, "blue": 0.2, "green": 0.28, "red": 0.34, "nir": 0.42, "swir1": 0.5, "swir2": 0.46}
MEADOW = {"coastal": 0.03, "blue": 0.05, "green": 0.09, "red": 0.07, "nir": 0.3, "swir1": 0.24, "swir2": 0.13}


@pytest.mark.parametrize(
    ("slots", "expected"),
    [
        (("coastal", "blue", "swir2"), [True, False, False, False]),
        (("blue", "green", "red", "nir", "swir1"), [True, False, False, False]),
        (("blue", "green", "red"), [True, True, False, False]),
        (("nir",), [False] * 4),
    ],
)
@pytest.mark.parametrize("absolute", [True, False])
def test_snow_hides_the_ground_and_cloud_where_infrared_does_not_tell_it_from_snow(slots, expected, absolute):
    values = torch.tensor([[cover[slot] for cover in (SNOW, CLOUD, SAND, MEADOW)] for slot in slots])
    scaling = SceneScaling(slots, (0.0,) * len(slots), (0.9,) * len(slots), (absolute,) * len(slots))
    assert hidden_ground(values.view(1, len(slots), 1, 4), scaling)[0, 0].tolist() == expected


def test_gain_and_offset_of_unchanged_ground_are_found_although_a_quarter_of_the_scene_changed():
    generator = torch.Generator().manual_seed(3)
    earlier = 0.05 + 0.3 * torch.rand((1, 4000), generator=generator)
    later = 0.8 * earlier + 0.03 + 0.002 * torch.randn((1, 4000), generator=generator)
    later[:, :1000] = 0.02
    match = match_scenes(later, _scaling(later, ("nir",)), earlier, _scaling(earlier, ("nir",)))
    assert match.slots == ("nir",)
    assert match.bands[0].gain == pytest.approx(0.8, abs=0.02)
    assert match.bands[0].offset == pytest.approx(0.03, abs=0.005)
    assert match.bands[0].spread < 0.02


def test_scenes_without_a_common_band_have_nothing_to_match():
    one = torch.rand((1, 500))
    match = match_scenes(one, _scaling(one, ("red",)), one * 20 - 30, _scaling(one, ("vv",)))
    assert match.slots == () and match.bands == () and match.shifts == {}


def test_planes_of_change_are_nought_where_nothing_changed_or_nothing_was_measured():
    generator = torch.Generator().manual_seed(5)
    slots = ("green", "red", "nir")
    later = 0.05 + 0.3 * torch.rand((1, 3, 40, 40), generator=generator)
    earlier = (later - 0.02) / 0.9
    earlier[:, 2, 10:20, 10:20] += 0.2
    scalings = tuple(_scaling(values[0], slots) for values in (later, earlier))
    match = match_scenes(later[0].flatten(1), scalings[0], earlier[0].flatten(1), scalings[1])
    valid = torch.ones((1, 1, 40, 40), dtype=torch.bool)
    valid[..., 30:, :] = False
    told = tuple(build_planes(v, valid, s) for v, s in zip((later, earlier), scalings, strict=True))
    planes = build_change_planes(later, earlier, valid, scalings, told, match)
    assert planes.shape == (1, len(CHANGE_PLANES), 40, 40)
    difference = planes[0, CHANGE_PLANES.index("difference_nir")]
    assert difference[12:18, 12:18].max() < -1  # it was brighter before
    assert difference[:8, 22:].abs().max() < 0.2
    assert planes[0, CHANGE_PLANES.index("common_blue")].abs().max() == 0
    assert planes[..., 30:, :].abs().max() == 0
    assert planes[0, CHANGE_PLANES.index("earlier_red")][:30].std() > 0.1


def _texture(random, side, softness=20):
    frequency = np.fft.fftfreq(side)
    soft = np.exp(-softness * (frequency[:, None] ** 2 + frequency[None, :] ** 2))
    ground = np.fft.ifft2(np.fft.fft2(random.normal(size=(side, side))) * soft).real
    return ground / ground.std()


def _windows(later, earlier, side, step):
    tops = range(0, len(later) - side + 1, step)
    places = [np.s_[top : top + side, left : left + side] for top in tops for left in tops]
    return [(later[at].astype("f4"), earlier[at].astype("f4"), np.ones((side, side), bool)) for at in places]


@pytest.mark.parametrize("moved", [(0, 0), (3, -2), (-4, 5)])
def test_a_shift_between_two_dates_is_found_to_a_third_of_a_pixel(moved):
    random = np.random.default_rng(9)
    ground = _texture(random, 260)
    right, down = moved
    pairs = []
    for top, left in ((20, 20), (20, 110), (110, 20), (110, 110)):
        later = ground[top : top + 128, left : left + 128] + 0.2 * random.normal(size=(128, 128))
        at = np.s_[top + down : top + down + 128, left + right : left + right + 128]
        earlier = 1.5 * ground[at] + 2 + 0.2 * random.normal(size=(128, 128))
        pairs.append((later.astype("f4"), earlier.astype("f4"), np.ones((128, 128), bool)))
    shift = estimate_shift(pairs)
    assert shift is not None
    assert (shift.right_px, shift.down_px) == pytest.approx((right, down), abs=0.34)


def test_noise_has_no_shift():
    random = np.random.default_rng(1)
    pairs = [
        (random.normal(size=(96, 96)).astype("f4"), random.normal(size=(96, 96)).astype("f4"), np.ones((96, 96), bool))
        for _ in range(6)
    ]
    assert estimate_shift(pairs) is None
    assert estimate_shift([]) is None


@pytest.mark.parametrize("moved", [(17, 0), (0, -20), (40, 10), (-60, 0), (-50, 50)])
def test_a_shift_of_many_pixels_is_found_in_windows_of_192(moved):
    random = np.random.default_rng(3)
    right, down = moved
    ground = _texture(random, 560)
    later, earlier = ground[80:480, 80:480], ground[80 + down : 480 + down, 80 + right : 480 + right]
    later, earlier = (values + 0.3 * random.normal(size=values.shape) for values in (later, earlier))
    shift = estimate_shift(_windows(later, earlier, 192, 200))
    assert shift is not None and shift.windows == shift.of == 4
    assert (shift.right_px, shift.down_px) == pytest.approx(moved, abs=0.1)


@pytest.mark.parametrize("softness", [0, 20, 200])
@pytest.mark.parametrize("seed", range(4))
def test_two_places_have_no_shift_however_far_is_looked(seed, softness):
    random = np.random.default_rng(seed)
    later, earlier = (_texture(random, 576, softness) for _ in range(2))
    windows = _windows(later, earlier, 192, 192)
    assert estimate_shift(windows) is None
    assert [estimate_shift([window]) for window in windows] == [None] * 9


def test_one_window_of_many_that_fits_by_chance_does_not_tell_a_shift_that_is_refused():
    random = np.random.default_rng(0)
    ground = _texture(random, 400)
    one = ground[:192, :192] + 1.9 * random.normal(size=(192, 192)), ground[:192, 55:247]
    for pair, believed in ((one, False), ((ground[:192, :192], ground[:192, 55:247]), True)):
        later, earlier = (values.astype("f4") for values in pair)
        windows = [(later, earlier, np.ones((192, 192), bool))]
        windows += _windows(_texture(random, 384), _texture(random, 384), 192, 192)
        assert (estimate_shift(windows) is not None) == believed
