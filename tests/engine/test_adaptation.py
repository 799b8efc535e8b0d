"""Bidirectional learning on arrays: each part against what can be worked out by hand, and the search as a whole."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from engine.adaptation import search
from engine.adaptation.guards import Limits, share_of_bright, share_of_snow, tells
from engine.adaptation.objectives import (
    Weights,
    combined,
    forward_loss,
    natural_loss,
    spared_loss,
    target_scores,
    turned_round,
)
from engine.adaptation.proxy import (
    Judge,
    Judgement,
    disagreement,
    divergence,
    effective_rank,
    prior_brier,
    prototype_distance,
)
from engine.adaptation.search import Listener, Search, Settings, adapt_network
from engine.adaptation.statistics import blend_statistics, entrance, measured, normalisations
from engine.adaptation.student import Student
from engine.adaptation.thresholds import LARGEST_SHIFT, scene_threshold
from engine.adaptation.verdict import judge_outcome
from engine.adaptation.views import Views
from engine.cards import ARCHITECTURE_DEFAULTS, ModelCard
from engine.model import build_network
from engine.planes import PLANES, SceneScaling, build_planes, planes_for
from engine.protocol import Cancelled
from engine.samples import CHARACTERISTICS, Characteristics

BANDS = ("blue", "green", "red", "nir")


def row(*values):
    return torch.tensor(values, dtype=torch.float32).view(1, 1, -1)


def test_targets_average_teacher_and_prior_only_where_they_agree():
    found = target_scores(row(0.9, 0.9, 0.4), row(0.7, 0.1, 0.0), row(0, 0, 0), row(0.9, 0.9, 0.4))
    assert found.flatten().tolist() == pytest.approx([0.8, 0.9, 0.2])


def test_artificial_ground_lowers_targets_but_flooded_streets_survive():
    found = target_scores(row(0.9, 0.9), None, row(1.0, 1.0), row(0.1, 0.95))
    assert found.flatten().tolist() == pytest.approx([0.0, 0.9])


def test_forward_loss_weighs_classes_alike_and_leaves_doubt_and_nodata_out():
    valid = torch.ones((1, 1, 6), dtype=torch.bool)
    targets, scores = row(1.0, 0.0, 0.0, 0.0, 0.5, 1.0), row(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    valid[..., 5] = False
    assert float(forward_loss(scores, targets, valid)) == pytest.approx(0.5)
    assert float(forward_loss(scores, row(*[0.5] * 6), valid)) == 0


def test_backward_loss_is_cross_entropy_with_the_reference_and_spares_no_surely_artificial_ground():
    valid = torch.ones((1, 1, 2), dtype=torch.bool)
    logits = row(2.0, -1.0)
    expected = -(math.log(1 / (1 + math.exp(-2))) + math.log(1 - 1 / (1 + math.exp(1)))) / 2
    assert float(natural_loss(logits, row(1.0, 0.0), valid)) == pytest.approx(expected, abs=1e-5)
    assert float(spared_loss(row(0.6, 0.8), row(0.95, 0.95), row(0.1, 0.9), valid)) == pytest.approx(0.6)


def test_modes_combine_their_parts_as_documented():
    parts = {name: torch.tensor(value) for name, value in
             {"forward": 1.0, "natural": 2.0, "spared": 0.5, "auxiliary": 3.0}.items()}  # fmt: skip
    weights = Weights(backward=0.1, auxiliary=0.02)
    assert float(combined("constraint", 0, parts, weights)) == pytest.approx(1.06)
    assert float(combined("constraint", 1, parts, weights)) == pytest.approx(0.25)
    assert float(combined("adversarial", 1, parts, weights)) == pytest.approx(1.31)
    assert float(combined("literal", 0, parts, weights)) == pytest.approx(1 - 0.25 + 3)
    parts["natural"] = torch.tensor(1e6)
    assert float(combined("literal", 0, parts, weights)) == pytest.approx(1 - 0.5 + 3), "clipped"


def test_gradients_are_turned_round_and_values_are_not():
    values = torch.ones(3, requires_grad=True)
    shown = turned_round(values)
    (2 * shown).sum().backward()
    assert shown.tolist() == [1, 1, 1] and values.grad.tolist() == [-2, -2, -2]


def small_network(seed=0):
    torch.manual_seed(seed)
    kind = ARCHITECTURE_DEFAULTS["unet"]
    card = ModelCard(
        name="x", title="x", architecture="unet", encoder=kind.encoder, hazards=("flood", "any"),
        thresholds={"flood": 0.5, "any": 0.5}, planes=PLANES, decoder_channels=(32, 16, 16, 8, 8),
        characteristics=CHARACTERISTICS,
    )  # fmt: skip
    network = build_network(card).eval()
    with torch.no_grad():
        for name, module in normalisations(network).items():
            generator = torch.Generator().manual_seed(len(name))
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    return network


def small_views(count=3, seed=1):
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand((count, 4, 64, 64), generator=generator) * 0.3
    values[:, :, :, 32:] *= 0.1  # dark water on one side
    scaling = SceneScaling(BANDS, (0.0,) * 4, (0.3,) * 4, (True,) * 4)
    valid = torch.ones((count, 64, 64), dtype=torch.bool)
    return Views(build_planes(values, valid[:, None], scaling), valid, scaling, count)


def test_statistics_are_blended_layer_after_layer():
    network, views = small_network().restricted_to(small_views().chosen), small_views()
    source = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    blend_statistics(network, source, views.planes, 0.0)
    assert all(torch.equal(tensor, source[name]) for name, tensor in network.state_dict().items())
    blend_statistics(network, source, views.planes, 1.0)
    blended = network.hazard_logits(views.planes)
    network.load_state_dict(source)
    blend_statistics(network, source, views.planes, 1.0, entrance(network))
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, source[name])}
    names = list(normalisations(network))
    near = {next(name for name in names if name.startswith("trunk.encoder.")), "detail.1"}
    assert changed == {f"{name}.{kind}" for name in near for kind in ("running_mean", "running_var")}
    network.load_state_dict(source)
    for module in normalisations(network).values():  # what training mode would use: the batch's own
        module.train()
    with torch.no_grad():
        expected = network(views.planes).hazard
    assert torch.allclose(blended, expected, atol=1e-3)


def test_statistics_are_those_of_valid_pixels():
    field = torch.randn((2, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    valid = torch.zeros((2, 8, 8), dtype=torch.bool)
    valid[0, 2:6, :4], valid[1, :, 6:] = True, True
    mean, variance = measured(field, valid)
    taken = field.permute(1, 0, 2, 3)[:, valid]
    assert torch.allclose(mean, taken.mean(1), atol=1e-6)
    assert torch.allclose(variance, taken.var(1, unbiased=False), atol=1e-6)
    coarse, _ = measured(field[..., ::4, ::4], valid)
    assert torch.allclose(coarse, (field[0, :, 0, 0] + field[0, :, 4, 0] + field[1, :, 0, 4] + field[1, :, 4, 4]) / 4)
    network = nn.Sequential(nn.BatchNorm2d(3)).eval()
    source = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    blend_statistics(network, source, field, 0.5, valid=valid)
    assert torch.allclose(network[0].running_mean, taken.mean(1) / 2, atol=1e-6)


@pytest.mark.usefixtures("footing")
def test_what_is_not_valid_teaches_nothing_by_statistics():
    views = small_views()
    views.valid[:, :, 40:] = False
    network = small_network().restricted_to(views.chosen).eval()
    heard = []

    class Told(Judge):
        def look(self, network, seen=None):
            heard.append({name: tensor.clone() for name, tensor in network.state_dict().items() if "detail.1" in name})
            return super().look(network, seen)

    def entrance_of(planes):
        heard.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(search, "Judge", Told)
            seen = replace(views, planes=planes)
            adapt_network(network, seen, settings(mode="statistics", alphas=(), entrance_alphas=(1.0,)))
        return heard[-1]["detail.1.running_mean"]

    other = views.planes.clone()
    other[..., 44:] = other[..., 44:] * 3 + 1  # far enough from what is valid for the first layers
    assert torch.allclose(entrance_of(views.planes), entrance_of(other), atol=1e-5)


def test_the_proxys_parts_are_what_they_say():
    valid = torch.ones((1, 8, 8), dtype=torch.bool)
    truth = torch.zeros((1, 8, 8))
    truth[:, :4] = 1
    assert prior_brier(truth, truth, valid) == 0
    assert prior_brier(1 - truth, truth, valid) == pytest.approx(1)
    assert prior_brier(truth, None, valid) is None and prior_brier(truth, torch.zeros_like(truth), valid) is None
    assert disagreement(truth, truth, valid) == pytest.approx(0, abs=1e-6)
    assert disagreement(truth, 0.5 * truth, valid) == pytest.approx(0.5)
    assert divergence(torch.logit(torch.full((1, 8, 8), 0.3)), torch.full((1, 8, 8), 0.3), valid) < 1e-6
    line = torch.linspace(0, 1, 50)[:, None] * torch.ones((1, 4))
    assert effective_rank(line) == pytest.approx(1, abs=1e-6)
    assert effective_rank(torch.eye(4).repeat(5, 1)) == pytest.approx(3, abs=0.01)
    apart = torch.cat([torch.zeros((20, 2)), torch.ones((20, 2))])
    positive = torch.arange(40) >= 20
    assert prototype_distance(apart, positive) == pytest.approx(0, abs=1e-6)
    assert prototype_distance(apart, torch.arange(40) % 2 == 0) == pytest.approx(0.5, abs=0.01)


VALID = torch.ones((1, 20, 100), dtype=torch.bool)


def field_of(*blocks):
    """(1, 20, 100) of values that each fill so many of the 100 columns, 5 % of the pixels to five columns."""
    return torch.cat([torch.full((1, 20, columns), float(value)) for value, columns in blocks], dim=2)


def judgement(scores=None, **changes):
    scores = field_of((1, 10), (0, 90)) if scores is None else scores
    values = {"proxy": 0.2, "parts": {"brier": 0.1}, "share": float((scores >= 0.5).float().mean()), "divergence": 0.0,
              "rank": 10.0, "finite": True, "scores": scores}  # fmt: skip
    return Judgement(**{**values, **changes})


WATER = field_of((1, 20), (0.3, 20), (0, 60))
"""Physics sees water in the first 20 columns, is in doubt about the next 20, and denies it in the rest."""


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"finite": False}, "numbers"),
        ({"scores": field_of((1, 9), (0, 91))}, "loses 10%"),
        ({"scores": field_of((1, 10), (0, 60), (1, 2), (0, 28))}, "contradicts 100%"),
        ({"divergence": 3.0}, "natural"),
        ({"rank": 1.0}, "collapsed"),
    ],
)
def test_guards_name_the_limit_that_is_broken(change, word):
    limits = Limits(judgement(), VALID, WATER)
    assert limits.no_footing() is None and limits.broken_by(judgement()) is None
    assert word in limits.broken_by(judgement(**change))


def test_water_may_grow_where_physics_sees_it_and_nowhere_else():
    grown = judgement(field_of((1, 20), (0, 80)))
    limits = Limits(judgement(), VALID, WATER)
    assert limits.broken_by(grown) is None
    half = judgement(field_of((1, 29), (0, 71)))  # 10 of the 19 columns gained are water to physics, 9 are in doubt
    assert limits.broken_by(half) is None
    assert "supports 34%" in limits.broken_by(judgement(field_of((1, 39), (0, 61))))
    assert "supports 48%" in limits.broken_by(judgement(field_of((1, 31), (0, 69))))
    assert "the bands' physics sees 20.0%" in Limits(judgement(), VALID, WATER.clamp_min(0.2)).broken_by(
        judgement(field_of((1, 20), (0, 60), (1, 8), (0, 10), (1, 2)), share=0.31)
    )


def test_what_clouds_could_shade_must_be_less_than_the_water_that_both_find():
    grown = judgement(field_of((1, 18), (0, 82)))
    assert Limits(judgement(), VALID, WATER, bright=0.17).broken_by(grown) is None
    assert "cloud or snow covers 21%" in Limits(judgement(), VALID, WATER, bright=0.21).no_footing()
    assert "shades looks like water" in Limits(judgement(), VALID, WATER, bright=0.19).broken_by(grown)
    cloudy = torch.full((1, 1, 20, 100), -0.2)
    cloudy[..., :25] = 1.0  # reflectance 0.64 beside 0.04
    assert share_of_bright(cloudy, ["raw_green"], VALID) == pytest.approx(0.25)
    assert share_of_bright(cloudy, ["norm_green"], VALID) == 0


def test_what_snow_could_shade_is_not_taken_for_water():
    assert Limits(judgement(), VALID, WATER, snow=0.05).no_footing() is None
    assert "snow covers 6% of the view" in Limits(judgement(), VALID, WATER, snow=0.06).no_footing()
    names = ["mndwi", "raw_nir", "raw_green"]

    def view(index, nir, green):
        planes = torch.zeros((1, 3, 20, 100))
        planes[0, 0, :, :25] = index
        for plane, reflectance in ((1, nir), (2, green)):
            planes[0, plane] = -0.6
            planes[0, plane, :, :25] = 2 * reflectance**0.5 - 0.6
        return planes

    assert share_of_snow(view(0.8, 0.6, 0.7), names, VALID) == pytest.approx(0.25)
    for water_cloud_or_soil in ((0.8, 0.03, 0.08), (0.1, 0.5, 0.5), (-0.3, 0.3, 0.12)):
        assert share_of_snow(view(*water_cloud_or_soil), names, VALID) == 0
    assert share_of_snow(view(0.8, 0.6, 0.7), ["mndwi", "norm_nir", "raw_green"], VALID) == 0


@pytest.mark.parametrize("scores", [field_of((1, 11), (0, 89)), field_of((0, 5), (1, 10), (0, 85))])
def test_a_hazard_that_physics_does_not_tell_neither_grows_nor_moves(scores):
    limits = Limits(judgement(), VALID, None, hazard="glacier_collapse")
    assert limits.broken_by(judgement(scores)) is not None
    assert "tells glacier collapse" in limits.no_footing()


def test_only_optical_water_is_told_by_physics():
    slots = {"flood": BANDS, "landslide": BANDS, "radar": ("vv", "vh")}
    chosen = {
        name: planes_for(SceneScaling(found, (0.0,) * len(found), (0.3,) * len(found), (True,) * len(found)))
        for name, found in slots.items()
    }
    assert tells("flood", chosen["flood"])
    assert not tells("landslide", chosen["landslide"]) and not tells("flood", chosen["radar"])
    display = SceneScaling(BANDS, (0.0,) * 4, (255.0,) * 4, (False,) * 4)
    assert not tells("flood", planes_for(display))


def test_a_source_that_physics_contradicts_gives_no_footing():
    wrong = judgement(field_of((0, 40), (1, 10), (0, 50)))
    assert "supports 0% of what the source model finds" in Limits(wrong, VALID, WATER).no_footing()


def test_a_hazard_that_is_absent_stays_absent():
    little = judgement(field_of((1, 1), (0, 99)))
    assert "flood on 1.0% of the view" in Limits(little, VALID, WATER).no_footing()
    limits = Limits(judgement(torch.zeros((1, 20, 100))), VALID, WATER)
    assert "nearly absent must stay so" in limits.broken_by(judgement(field_of((1, 1), (0, 99))))
    few = torch.zeros((1, 20, 100))
    few[0, 0, :6] = 1  # 0.3 % of the view, where physics sees water: labelled windows may have taught that
    assert limits.broken_by(judgement(few)) is None
    assert limits.broken_by(judgement(few.flip(-1))) is not None


def test_false_area_never_grows_on_any_answer_to_a_scene_that_physics_calls_dry():
    generator = torch.Generator().manual_seed(5)
    for _ in range(200):
        prior = torch.rand((1, 20, 100), generator=generator) * 0.49
        before, after = (torch.rand((1, 20, 100), generator=generator) ** 3 for _ in range(2))
        after = torch.maximum(before, after) if float(torch.rand(1, generator=generator)) < 0.5 else after
        for seen in (prior, None):
            broken = Limits(judgement(before), VALID, seen).broken_by(judgement(after))
            grew = (after >= 0.5).float().mean() > max(0.005, float((before >= 0.5).float().mean()))
            assert broken is not None or not grew


def test_a_threshold_of_its_own_needs_two_clear_groups():
    generator = torch.Generator().manual_seed(0)
    logits = torch.cat(
        [torch.randn(4000, generator=generator) * 0.5 - 3, torch.randn(2000, generator=generator) * 0.5 + 4]
    )
    valid = torch.ones((1, 60, 100), dtype=torch.bool)
    shift = scene_threshold(torch.sigmoid(logits.view(1, 60, 100)), valid, "flood")
    assert shift == pytest.approx(0.5, abs=0.6) and abs(shift) <= LARGEST_SHIFT
    assert scene_threshold(torch.sigmoid(logits.view(1, 60, 100)), valid, "landslide") is None
    one = torch.randn((1, 60, 100), generator=generator)
    assert scene_threshold(torch.sigmoid(one), valid, "flood") is None


def settings(**changes):
    values = {"hazard": "flood", "channel": 0, "factors": (1,), "multiple": 32, "centre": 0.0, "steps": 4,
              "seconds": 600.0, "batch_size": 2}  # fmt: skip
    return Settings(**{**values, **changes})


def known():
    target, mask = Characteristics(10.0, 50.0, 200, "sentinel-2-l2a").encode()
    return target[None], mask[None]


@pytest.fixture
def footing(monkeypatch):
    """Everything is tried, whatever the untrained network finds."""
    monkeypatch.setattr(Limits, "no_footing", lambda limits: None)


@pytest.mark.usefixtures("footing")
def test_all_is_computed_on_the_device_of_the_scene():
    """What is made without saying where would lie on no device at all, and mixing the two fails, as on a GPU."""
    views = small_views()
    network = small_network().restricted_to(views.chosen).eval()
    scores = torch.cat([torch.full((1, 40, 40), 0.1), torch.full((1, 40, 40), 0.7)])
    search = Search(network, views, settings(factors=(1, 2)), None, Listener())
    student = Student(network, views, settings(factors=(1, 2)), search.grounds, None)
    with torch.device("meta"):
        outcome = adapt_network(network, views, settings(mode="statistics", factors=(1, 2)))
        shift = scene_threshold(scores, torch.ones(scores.shape, dtype=torch.bool, device="cpu"), "flood")
        student.learn_from(student.teachers_scores())
        parts = student.parts([0])
    assert len(outcome.stages) > 1 and shift is not None
    assert all(part.device.type == "cpu" for part in parts.values())


@pytest.mark.cuda
@pytest.mark.parametrize("mode", ["constraint", "adversarial", "literal", "statistics"])
@pytest.mark.usefixtures("footing")
def test_a_gpu_adapts(mode):
    views = small_views().to(torch.device("cuda"))
    network = small_network().restricted_to(views.chosen).eval().to("cuda")
    target, mask = (part.to("cuda") for part in known())
    outcome = adapt_network(network, views, settings(mode=mode, factors=(1, 2), last_block=True), (target, mask))
    assert outcome.steps == (0 if mode == "statistics" else 4)
    assert all(stage.judgement.finite for stage in outcome.stages)
    assert all(tensor.is_cuda for tensor in outcome.changed.values())


@pytest.mark.parametrize("mode", ["constraint", "adversarial", "literal", "statistics"])
@pytest.mark.usefixtures("footing")
def test_the_same_seed_gives_the_same_model_and_leaves_the_source_alone(mode):
    views = small_views()
    network = small_network().restricted_to(views.chosen).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    told = []
    listener = Listener(metrics=lambda step, values: told.append((step, dict(values))))
    first = adapt_network(network, views, settings(mode=mode, factors=(1, 2)), known(), listener)
    again = adapt_network(network, views, settings(mode=mode, factors=(1, 2)), known())
    assert [stage.judgement.proxy for stage in first.stages] == [stage.judgement.proxy for stage in again.stages]
    assert all(torch.equal(tensor, again.changed[name]) for name, tensor in first.changed.items())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert first.steps == (0 if mode == "statistics" else 4)
    losses = [values for _, values in told if "forward" in values]
    assert len(losses) == first.steps and all({"forward", "backward", "auxiliary"} <= set(v) for v in losses)


@pytest.mark.usefixtures("footing")
def test_what_changed_is_small_and_makes_the_winner():
    views = small_views()
    network = small_network().restricted_to(views.chosen).eval()
    outcome = adapt_network(network, views, settings(mode="statistics", threshold=False))
    assert set(outcome.changed) <= {
        f"{name}.{kind}" for name in normalisations(network) for kind in ("running_mean", "running_var")
    }
    assert bool(outcome.changed) == bool(outcome.best)


@pytest.mark.usefixtures("footing")
def test_a_search_can_be_ended_early_or_cancelled():
    views = small_views()
    network = small_network().restricted_to(views.chosen).eval()
    outcome = adapt_network(network, views, settings(steps=1000), listener=Listener(finish=lambda: True))
    assert outcome.steps == 0 and outcome.stages[0].name == "source"

    def cancel(share):
        raise Cancelled("Cancelled.")

    with pytest.raises(Cancelled):
        adapt_network(network, views, settings(), listener=Listener(progress=cancel))


def test_without_footing_nothing_is_tried_and_the_verdict_says_why():
    views = small_views()
    network = small_network().restricted_to(views.chosen).eval()
    outcome = adapt_network(network, views, settings(hazard="any", channel=1))
    assert len(outcome.stages) == 1 and outcome.steps == 0 and outcome.changed == {}
    verdict = judge_outcome(outcome, 1e6, 1.0)
    assert verdict.kind == "abstained" and "without labels nothing in these bands tells any" in verdict.reason


@pytest.mark.usefixtures("footing")
def test_the_threshold_alone_can_win():
    views = small_views()
    network = small_network().restricted_to(views.chosen).eval()
    outcome = adapt_network(network, views, settings(mode="statistics", alphas=(), entrance_alphas=()))
    names = [stage.name for stage in outcome.stages]
    assert names == ["source", "threshold"] and outcome.changed == {}
    assert outcome.stages[1].centre != outcome.source.centre
    fixed = adapt_network(network, views, settings(mode="statistics", threshold=False))
    assert {stage.centre for stage in fixed.stages} == {0.0} and "threshold" not in [s.name for s in fixed.stages]


@pytest.mark.usefixtures("footing")
def test_time_ends_a_search():
    views = small_views()
    network = small_network().restricted_to(views.chosen).eval()
    outcome = adapt_network(network, views, settings(steps=None, seconds=0.01))
    assert outcome.steps == 0 and outcome.ended == "time"


@pytest.mark.usefixtures("footing")
def test_numbers_that_are_none_are_never_accepted():
    views = small_views()
    network = small_network().restricted_to(views.chosen).eval()
    outcome = adapt_network(
        network, views, settings(learning_rate=1e9, steps=16, mode="literal", alphas=(), entrance_alphas=())
    )
    assert not outcome.best or outcome.winner.judgement.finite
    assert all(bool(torch.isfinite(tensor).all()) for tensor in outcome.changed.values())
