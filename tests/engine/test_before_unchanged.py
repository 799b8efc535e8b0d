"""Unchanged ground as evidence: where nothing can be new, and what adaptation does with it."""

import numpy as np
import pytest
import torch
from scenes import Making, write_raster

from engine.adapt import adapt, too_little_unchanged
from engine.adaptation.guards import LEAST_UNCHANGED, Limits
from engine.adaptation.proxy import Judgement, false_share
from engine.before.matching import BandMatch, PairMatch
from engine.before.planes import CHANGE_PLANES
from engine.before.unchanged import EarlierWindows, calm_and_changed, compare_ground
from engine.cards import read_card
from engine.planes import SceneScaling
from engine.protocol import AdaptJob, BadInput
from engine.simulate.pairs import compose_pair

BANDS = ("blue", "green", "red", "nir", "swir1", "swir2")
VALID = torch.ones((1, 20, 100), dtype=torch.bool)
CALM = torch.zeros((1, 20, 100), dtype=torch.bool)
CALM[..., 50:] = True
"""Ground that did not change, on the right."""


def scores_on(*columns):
    """(1, 20, 100) that are 0.9 in these columns, 0.1 elsewhere."""
    field = torch.full((1, 20, 100), 0.1)
    for first, last in columns:
        field[..., first:last] = 0.9
    return field


def judgement(scores, proxy=0.2):
    return Judgement(proxy, {}, float((scores >= 0.5).float().mean()), 0.0, 10.0, True, scores)


def limits(scores, **changes):
    return Limits(judgement(scores), VALID, **{"hazard": "landslide", "calm": CALM, **changes})


def match_of(*slots, shifts=("ndvi",)):
    return PairMatch(slots, tuple(BandMatch(1.0, 0.0, 0.01) for _ in slots), dict.fromkeys(shifts, 0.0))


def test_ground_is_unchanged_or_quite_another_by_ratios_and_indices():
    change = torch.zeros((1, len(CHANGE_PLANES), 9, 30))
    change[:, CHANGE_PLANES.index("log_ratio_green"), :, 6:12] = 0.7 / 1.5
    change[:, CHANGE_PLANES.index("change_ndvi"), :, 12:18] = 3 * 0.15
    change[:, CHANGE_PLANES.index("change_ndvi"), :, 18:24] = 3 * 0.3
    both = torch.ones((1, 9, 30), dtype=torch.bool)
    both[..., 28:] = False
    calm, great = compare_ground(change, both, match_of("green"))
    assert calm[0, 4, [2, 8, 14, 20, 26, 29]].tolist() == [True, False, False, False, True, False]
    assert great[0, 4, [2, 8, 14, 20, 26, 29]].tolist() == [False, True, False, True, False, False]
    assert not any(field.any() for field in compare_ground(change, both, match_of(shifts=())))


def test_radar_is_compared_by_its_differences():
    change = torch.zeros((1, len(CHANGE_PLANES), 9, 12))
    change[:, CHANGE_PLANES.index("magnitude"), :, 6:] = 1.0
    calm, great = compare_ground(change, torch.ones((1, 9, 12), dtype=torch.bool), match_of("vv", shifts=()))
    assert calm[0, :, :5].all() and not calm[0, :, 6:].any() and great[0, :, 7:].all() and not great[0, :, :5].any()


def test_ground_is_calm_where_the_model_saw_nothing_before():
    class Bright(torch.nn.Module):
        """Sees the hazard where the first plane is above 0."""

        def hazard_logits(self, planes):
            return 10 * planes[:, :1]

    planes = torch.full((1, 1, 8, 8), -1.0)
    planes[..., :4] = 1.0
    unchanged = torch.ones((1, 8, 8), dtype=torch.bool)
    unchanged[:, 0] = False
    was = EarlierWindows(planes, SceneScaling(("green",), (0.0,), (1.0,), (True,)), unchanged, ~unchanged)
    calm, changed = calm_and_changed(Bright(), was, 0, (1,), 1, 0.0)
    assert not calm[0, :, :4].any() and not calm[0, 0].any() and calm[0, 1:, 4:].all()
    assert changed[0, 0, 4:].all() and int(changed.sum()) == 4


def test_what_is_found_on_unchanged_ground_raises_the_proxy():
    right, left = scores_on((60, 70)), scores_on((10, 20))
    assert false_share(right, CALM, VALID) > 0.8 > 0.2 > false_share(left, CALM, VALID)
    assert false_share(right, None, VALID) is None
    assert false_share(right, torch.zeros_like(CALM), VALID) is None


def test_false_alarms_on_unchanged_ground_may_be_given_up_and_nothing_else():
    both = scores_on((10, 20), (60, 70))
    assert limits(both).no_footing() is None
    assert limits(both).broken_by(judgement(scores_on((10, 20)))) is None
    assert "loses 100%" in limits(both).broken_by(judgement(scores_on((60, 70))))
    assert "loses 50%" in limits(both, calm=None).broken_by(judgement(scores_on((10, 20))))


def test_nothing_grows_onto_unchanged_ground_nor_elsewhere_without_support():
    found = scores_on((10, 20))
    assert "nothing supports" in limits(found).broken_by(judgement(scores_on((10, 20), (60, 62))))
    assert "nothing supports" in limits(found).broken_by(judgement(scores_on((10, 25))))
    moved = limits(scores_on((10, 20), (80, 90)), prior=torch.ones((1, 20, 100)), hazard="flood")
    broken = moved.broken_by(judgement(scores_on((10, 20), (60, 71))))
    assert broken is not None


@pytest.mark.parametrize(
    ("scores", "calm", "word"),
    [
        (scores_on((10, 20)), None, "nothing in these bands tells landslide"),
        (scores_on((10, 20)), torch.zeros_like(CALM), "only 0% of the view is unchanged"),
        (scores_on(), CALM, "nothing to give up"),
    ],
)
def test_what_gives_no_footing_is_said(scores, calm, word):
    assert word in limits(scores, calm=calm).no_footing()


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """A landslide's pair as two files of reflectance, some ground of which is unchanged.

    What a seed draws differs with libraries' versions.
    """
    folder = tmp_path_factory.mktemp("pair")
    for seed in range(4, 40):
        pair = compose_pair(seed, 160, "landslide", 10.0)
        paths = []
        for name, scene in (("later", pair.after), ("earlier", pair.before)):
            values = np.stack([scene.values[scene.slots.index(slot)].numpy() for slot in BANDS])
            paths.append(write_raster(folder / f"{name}.tif", values, names=BANDS))
        tried = adapt(job(paths, steps=0, candidates=0, save=str(folder / f"tried_{seed}")))
        if tried["unchanged_share"] >= LEAST_UNCHANGED:
            return paths
    return pytest.fail("Of none of these pairs enough ground is unchanged.")


def job(scenes, **changes):
    values = {"raster": scenes[0], "before": scenes[1], "hazard": "landslide", "bands": BANDS, "before_bands": BANDS,
              "units": "reflectance", "before_units": "reflectance", "model": "unet", "save": "mine",
              "mode": "statistics", "budget_s": 600.0}  # fmt: skip
    return AdaptJob(**{**values, **changes})


def test_adapt_uses_the_scene_before_and_says_so(scenes, tmp_path, monkeypatch):
    monkeypatch.setenv("HAZARD_MODELS", str(tmp_path))
    found = adapt(job(scenes))
    assert found["before"] == scenes[1] and found["before_name"] == "earlier.tif"
    assert 0 < found["unchanged_share"] <= 1
    parts = found["stages"][0]["parts"]
    assert parts["unchanged"] is None or 0 <= parts["unchanged"] <= 1
    record = read_card(tmp_path / "mine").training["adaptation"]
    assert record["before_name"] == "earlier.tif" and record["unchanged_share"] == found["unchanged_share"]
    assert record["job"]["before"] == "earlier.tif"
    alone = adapt(job(scenes, before=None, before_bands=None, before_units=None, save="alone"))
    assert alone["before"] is None and "unchanged_share" not in alone
    assert alone["verdict"] == "abstained" and "nothing in these bands tells landslide" in alone["reason"]


def test_adapt_warns_where_hardly_any_ground_is_unchanged(scenes, tmp_path, monkeypatch):
    monkeypatch.setenv("HAZARD_MODELS", str(tmp_path / "models"))
    plenty = adapt(job(scenes, steps=1, candidates=1))
    assert plenty["unchanged_share"] >= LEAST_UNCHANGED and not any("evidence" in w for w in plenty["warnings"])
    with_noise = np.random.default_rng(5).uniform(0.02, 0.6, (len(BANDS), 160, 160)).astype("f4")
    other = write_raster(tmp_path / "other.tif", with_noise, names=BANDS)
    found = adapt(job([scenes[0], other], save="other", steps=1, candidates=1))
    assert found["unchanged_share"] < LEAST_UNCHANGED
    (told,) = [text for text in found["warnings"] if "unchanged since the scene before" in text]
    assert told.endswith("choose one of the same season or sensor.")


@pytest.mark.parametrize(
    ("share", "words"), [(None, None), (LEAST_UNCHANGED, None), (0.0396, "3.9%"), (0.012, "1.2%"), (0.0, "next to")]
)
def test_how_little_is_unchanged_is_said_in_one_sentence(share, words):
    sentence = too_little_unchanged(share)
    assert sentence is None if words is None else words in sentence and sentence.count(". ") == 0


def test_adapt_refuses_a_scene_before_of_another_place_and_writes_nothing(scenes, tmp_path, monkeypatch):
    monkeypatch.setenv("HAZARD_MODELS", str(tmp_path))
    away = Making(geotransform=(7e5, 10.0, 0, 4e6, 0, -10.0))
    other = write_raster(tmp_path / "away.tif", np.full((6, 40, 40), 0.1, "f4"), away, names=BANDS)
    with pytest.raises(BadInput, match="no valid pixel under the wanted part"):
        adapt(job([scenes[0], other]))
    assert not (tmp_path / "mine").exists()
