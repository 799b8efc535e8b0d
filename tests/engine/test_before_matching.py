"""Two scenes of one place are matched: how their bands relate, how far they lie apart, and what a rule says is new."""

import numpy as np
import pytest
import torch

from engine.before.branch import ChangeBranch, new_by_rule
from engine.before.matching import match_scenes
from engine.before.planes import CHANGE_PLANES, build_change_planes
from engine.before.shift import estimate_shift
from engine.planes import SceneScaling, build_planes


def _scaling(values: torch.Tensor, slots: tuple[str, ...], absolute: bool = True) -> SceneScaling:
    low, high = (torch.quantile(values.flatten(1), q, dim=1).tolist() for q in (0.02, 0.98))
    return SceneScaling(slots, tuple(low), tuple(high), (absolute,) * len(slots))


def test_the_rule_is_the_probability_of_now_and_not_before():
    later, earlier = torch.tensor([2.0, -3.0, 0.5, 30.0]), torch.tensor([-1.0, 4.0, 0.5, -30.0])
    expected = torch.sigmoid(later.clamp(-9, 9)) * (1 - torch.sigmoid(earlier.clamp(-9, 9)))
    assert torch.allclose(torch.sigmoid(new_by_rule(later, earlier)), expected, atol=1e-6)


def test_an_untrained_branch_says_what_the_rule_says():
    branch = ChangeBranch(4, 8).eval()
    later, earlier = torch.randn(2, 4, 32, 24), torch.randn(2, 4, 32, 24)
    found = branch(torch.randn(2, len(CHANGE_PLANES), 32, 24), later, earlier, torch.randn(2, 2, 32, 24))
    assert torch.allclose(found, new_by_rule(later, earlier), atol=1e-6)


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


@pytest.mark.parametrize("moved", [(0, 0), (3, -2), (-4, 5)])
def test_a_shift_between_two_dates_is_found_to_a_third_of_a_pixel(moved):
    random = np.random.default_rng(9)
    frequency = np.fft.fftfreq(260)
    soft = np.exp(-20 * (frequency[:, None] ** 2 + frequency[None, :] ** 2))
    ground = np.fft.ifft2(np.fft.fft2(random.normal(size=(260, 260))) * soft).real
    ground /= ground.std()
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
