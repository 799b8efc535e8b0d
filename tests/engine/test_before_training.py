"""What is new is taught above a model that stays as it is: on simulated pairs, on the user's own, and resumed."""

import json
import threading

import pytest
import torch
from pair_scenes import write_pairs

from engine import batches
from engine.__main__ import build_parser, join_values, read_job, run_job
from engine.before import learning, sources, training
from engine.before.branch import ChangeBranch
from engine.before.learning import Told, Trunks, branch_loss, first_batch, judge_branch, mixed
from engine.before.planes import CHANGE_PLANES
from engine.before.sources import PairSource
from engine.before.training import MOST_FALSE_AREA, WITH_BEFORE, train_branch
from engine.cards import ModelCard, read_card
from engine.distributed import Ranks
from engine.metrics import Counts
from engine.model import build_network, load_model, save_model
from engine.planes import PLANES
from engine.protocol import BadInput, Cancelled, TrainJob, job_from_dict, job_to_dict
from engine.reporting import Report
from engine.validation import THRESHOLDS, HazardScore, HazardTally

BUNDLED = ("flood", "landslide", "glacier_collapse", "any")


def write_model(folder, hazards=BUNDLED, seed=0, **changes):
    """A model that looks trained, of random weights."""
    card = ModelCard(
        name=folder.name, title="Toy", architecture="unet", encoder="tu-mobilenetv3_small_050", hazards=hazards,
        thresholds=dict.fromkeys(hazards, 0.5), planes=PLANES, decoder_channels=(24, 16, 16, 8, 8),
        training={"kind": "train"}, **changes,
    )  # fmt: skip
    torch.manual_seed(seed)
    save_model(build_network(card), card, folder)
    return folder.name


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    for module in (sources, batches):
        monkeypatch.setattr(module, "CHIP_SIZE_PX", 64)
    monkeypatch.setattr(sources, "SCENE_SIZE_PX", 64)
    monkeypatch.setattr(sources, "PAIRS_IN_LANE", 1)
    monkeypatch.setattr(training, "VALIDATION_PAIRS", (8, 8))
    monkeypatch.setattr(training, "CHANNELS", 8)
    monkeypatch.setenv("HAZARD_MODELS", str(tmp_path / "models"))


@pytest.fixture
def trunk(small, tmp_path):
    """Name of a model to start from."""
    return write_model(tmp_path / "models" / "trunk")


def job(**changes):
    values = {"data": "simulated", "save": "pairs", "model": "trunk", "before": True, "epochs": 1, "iterations": 6,
              "batch_size": 4, "workers": 0, "device": "cpu"}  # fmt: skip
    return TrainJob(**{**values, **changes})


def tensors(name):
    return load_model(name).network.state_dict()


@pytest.fixture
def trusted(monkeypatch):
    """The branch answers for every hazard, however little it has learnt in a few steps."""
    monkeypatch.setattr(training, "answers", lambda score, by_rule, must_be_guarded: score.threshold is not None)


@pytest.mark.parametrize(
    ("iou", "guarded", "rule_iou", "rule_guarded", "must_be", "told"),
    [(0.4, True, 0.3, True, True, True), (0.4, False, 0.3, False, True, False), (0.4, False, 0.3, True, True, False),
     (0.4, False, 0.3, False, False, True), (0.3, True, 0.3, True, True, False), (0.2, True, 0.3, False, True, True),
     (None, True, None, True, True, False)],
)  # fmt: skip
def test_the_branch_answers_where_it_beats_the_rule_and_marks_little_where_nothing_is_new(
    iou, guarded, rule_iou, rule_guarded, must_be, told
):
    def score(value, kept=False):
        hits = None if value is None else round(1000 * value)
        counts = Counts() if hits is None else Counts(tp=hits, fp=0, fn=1000 - hits, tn=1000)
        return HazardScore(0.5, counts, kept)

    assert training.answers(score(iou, guarded), score(rule_iou, rule_guarded), must_be) is told


@pytest.mark.usefixtures("trusted")
def test_the_command_teaches_a_branch_and_leaves_single_dates_as_they_are_to_the_bit(trunk):
    command = "train --before --data simulated --model trunk --save pairs --epochs 1 --iterations 6 --batch-size 4"
    parser = build_parser()
    asked = read_job("train", parser.parse_args(join_values([*command.split(), "--workers", "0"], parser)))
    found = run_job("train", asked, Report())
    before, after = load_model("trunk"), load_model("pairs")
    taught = after.network.state_dict()
    assert all(torch.equal(tensor, taught[name]) for name, tensor in before.network.state_dict().items())
    planes = torch.rand((1, len(PLANES), 64, 96), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        one, other = before.network.eval()(planes), after.network.eval()(planes)
    assert torch.equal(one.hazard, other.hazard) and torch.equal(one.surface, other.surface)
    assert float(after.network.change.leave.weight.abs().sum()) > 0  # it has learnt
    card = after.card
    assert card.change_channels == 8 and card.thresholds == before.card.thresholds
    assert card.training["kind"] == "train"  # of the model itself
    entry = card.training["before"]
    assert entry["from"] == {"model": "trunk", "weights_sha256": before.weights_sha256} and entry["steps"] == 6
    assert entry["command"].startswith("python -m engine train --data simulated --save pairs")
    assert "--before" in entry["command"] and entry["data"].startswith("simulated pairs only")
    assert found["thresholds"] == card.change_thresholds and "flood" in card.change_thresholds
    rows = [row for row in card.scores if row["mode"] == WITH_BEFORE]
    assert rows == found["scores"] and {row["set"] for row in rows} == {"simulated pairs (validation)"}
    assert set(found["by_rule"]) == set(BUNDLED) and card.licence == before.card.licence


def test_a_job_travels_to_the_worker_and_back():
    asked = job(also=("other", "third"), before_bands=None)
    told = json.loads(json.dumps(job_to_dict(asked)))
    assert told["before"] is True and told["also"] == ["other", "third"]
    assert job_from_dict("train", told) == asked
    assert job_from_dict("train", {"data": "simulated", "save": "x"}).before is False


def test_a_cancelled_run_goes_on_to_the_very_model_of_one_that_was_not(trunk):
    whole = train_branch(job(save="whole", iterations=12), Report())
    stop = threading.Event()

    def cancel(stage, share, seconds_left):
        if stage == "Training" and share > 0.5:
            stop.set()

    with pytest.raises(Cancelled, match="--resume goes on"):
        train_branch(job(save="parts", iterations=12), Report(cancel, cancelled=stop))
    with pytest.raises(BadInput, match="unfinished run"):
        train_branch(job(save="parts", iterations=12), Report())
    again = train_branch(job(save="parts", iterations=12, resume=True), Report())
    assert again["steps"] == whole["steps"] == 12 and again["thresholds"] == whole["thresholds"]
    one, other = tensors("whole"), tensors("parts")
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items() if name.startswith("change."))


def test_a_run_is_not_resumed_above_another_model(trunk, tmp_path):
    stop = threading.Event()
    report = Report(
        lambda stage, share, left: stop.set() if stage == "Training" and share > 0.3 else None, cancelled=stop
    )
    with pytest.raises(Cancelled):
        train_branch(job(iterations=12), report)
    write_model(tmp_path / "models" / "other", seed=5)
    with pytest.raises(BadInput, match="is of a run with model trunk, not other"):
        train_branch(job(model="other", iterations=12, resume=True), Report())


def test_several_models_teach_one_branch_in_turn(trunk, tmp_path):
    other = write_model(tmp_path / "models" / "other", seed=5)
    found = train_branch(job(also=(str(tmp_path / "models" / other),)), Report())
    entry = read_card(found["path"]).training["before"]
    assert [model["model"] for model in entry["also"]] == ["other"] and "--also other" in entry["command"]
    assert str(tmp_path) not in json.dumps(entry)


@pytest.mark.usefixtures("trusted")
def test_another_branch_takes_the_place_of_one_before_and_of_its_scores(trunk, tmp_path):
    first = train_branch(job(save="first"), Report())
    found = train_branch(job(model="first", save="second", seed=3), Report())
    rows = read_card(found["path"]).scores
    assert len(first["scores"]) > 0 and list(rows) == found["scores"]
    old, new = tensors("first"), tensors("second")
    assert any(not torch.equal(old[name], new[name]) for name in old if name.startswith("change."))


def test_what_another_branch_told_is_left_to_the_rule_where_it_tells_it_no_better(trunk, monkeypatch):
    """The weights have changed: the threshold of the branch before says nothing of them."""
    monkeypatch.setattr(training, "answers", lambda score, by_rule, must_be_guarded: score.threshold is not None)
    first = train_branch(job(save="first"), Report())
    assert {"flood", "any"} <= set(first["thresholds"])
    monkeypatch.setattr(training, "answers", lambda score, by_rule, must_be_guarded: False)
    found = train_branch(job(model="first", save="second", seed=3), Report())
    card = read_card(found["path"])
    (told,) = [text for text in found["warnings"] if "told by the rule" in text]
    assert told.startswith("What is new of flood, ") and not card.compares("flood") and not card.compares("any")
    assert found["thresholds"] == card.change_thresholds and found["scores"] == []


# What is refused


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": None}, "name it with --model"),
        ({"architecture": "unet"}, "--architecture means nothing with --before"),
        ({"encoder": "resnet18"}, "--encoder means nothing with --before"),
        ({"all_bands": True}, "--all-bands means nothing"),
        ({"cache": "scratch"}, "--cache means nothing"),
        ({"hazard": ("flood",)}, "--hazard speaks of labelled scenes of your own"),
        ({"positive": (2,)}, "--positive speaks of"),
        ({"replay": 0.5}, "--replay speaks of"),
        ({"before_units": "db"}, "--before-units speaks of"),
        ({"data": "chips", "leave_out": "flood"}, "simulated scenes only"),
        ({"before": False, "before_bands": ("red",)}, "--before-bands speaks of scenes from before; add --before"),
        ({"before": False, "also": ("unet",)}, "--also speaks of scenes from before; add --before"),
    ],
)
def test_what_means_nothing_is_refused_rather_than_passed_over(changes, words):
    with pytest.raises(BadInput, match=words) as error:
        job(**changes)
    assert "\n" not in str(error.value)


def test_models_that_cannot_be_taught_are_refused_in_one_sentence(trunk, tmp_path):
    models = tmp_path / "models"
    write_model(models / "begun", pretrained_only=True)
    write_model(models / "lava", hazards=("lava", "any"))
    for changes, words in (
        ({"model": "begun"}, "'begun' is only pre-trained or adapted"),
        ({"also": ("begun",)}, "'begun' is only pre-trained or adapted"),
        ({"also": ("lava",)}, "'lava' tells lava, any, 'trunk' flood.*same hazards in the same order"),
        ({"leave_out": "flood"}, "was trained on flood already"),
        ({"save": "trunk"}, "--overwrite"),
    ):
        with pytest.raises(BadInput, match=words):
            train_branch(job(**changes), Report())
    assert not (models / "pairs").exists()


def test_several_processes_are_refused(trunk, monkeypatch):
    from contextlib import nullcontext

    monkeypatch.setattr(training, "joined", lambda wanted: nullcontext(Ranks(count=2)))
    with pytest.raises(BadInput, match="without torchrun"):
        train_branch(job(), Report())


# Learning


def toy_batch(count=4, size_px=32):
    """What a trunk that sees the hazard on both dates says of chips, half of which is not new: the change tells it."""
    draw = torch.Generator().manual_seed(2)
    change = 0.1 * torch.randn((count, len(CHANGE_PLANES), size_px, size_px), generator=draw)
    seen = torch.zeros((count, 1, size_px, size_px), dtype=torch.bool)
    seen[..., 4:14, 4:28] = True
    new = seen & (torch.arange(size_px) > 15)
    change[:, CHANGE_PLANES.index("difference_red")] += 2.0 * new[:, 0]
    later = torch.where(seen, 3.0, -3.0) + 0.3 * torch.randn(seen.shape, generator=draw)
    earlier = torch.full_like(later, -1.0)  # it never saw the old one
    surface = torch.full((count, 2, size_px, size_px), -3.0)
    return Told(change, later, earlier, surface, new.to(torch.uint8))


def test_a_branch_learns_what_the_rule_cannot_tell():
    torch.manual_seed(0)
    branch, told, hazards = ChangeBranch(("landslide",), 8), toy_batch(), ("landslide",)
    first = float(branch_loss(branch, told, hazards).detach())
    optimizer = torch.optim.Adam(branch.parameters(), lr=0.01)
    for _ in range(40):
        optimizer.zero_grad()
        loss = branch_loss(branch, told, hazards)
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.5 * first
    cpu = torch.device("cpu")
    rule, rule_loss = judge_branch(None, [told], hazards, cpu, Report())
    taught, taught_loss = judge_branch(branch.eval(), [told], hazards, cpu, Report())
    assert rule.score("landslide").iou < 0.6 < 0.9 < taught.score("landslide").iou and taught_loss < rule_loss


@pytest.fixture
def short_memory(monkeypatch):
    monkeypatch.setattr(learning, "STEPS_OF_BATCH", 2)
    monkeypatch.setattr(learning, "BATCHES_KEPT", 2)


def seen(trunk, first_step, count, seed=7):
    """What a run sees from a step on."""
    source, trunks = PairSource(1, 3), Trunks([load_model(trunk)], torch.device("cpu"))

    def fresh():
        number = first_batch(first_step)
        while True:
            yield source.batch(number)
            number += 1

    steps = mixed(fresh(), first_step, seed, trunks)
    return [next(steps) for _ in range(count)]


def same(one, other):
    return all(torch.equal(value, other.tensors()[name]) for name, value in one.tensors().items())


def test_a_resumed_run_sees_the_chips_that_it_would_have_seen(trunk, short_memory):
    walked = seen(trunk, 0, 8)
    for first in (5, 6):
        assert first_batch(first) > 0
        assert all(same(one, other) for one, other in zip(walked[first:], seen(trunk, first, 8 - first), strict=True))
    assert not same(walked[0], walked[1]) and not same(walked[0], seen(trunk, 0, 1, seed=8)[0])
    assert walked[7].labels.shape == (3, 4, 64, 64)


def test_why_pairs_were_passed_over_is_told_once_with_the_step_that_sees_them_first(trunk, short_memory):
    trunks = Trunks([load_model(trunk)], torch.device("cpu"))
    batch = PairSource(1, 2).batch(0)
    batch.skipped = ("one", "two")
    steps = mixed(iter([batch, PairSource(1, 2).batch(1)]), 0, 0, trunks)
    assert [next(steps).skipped for _ in range(3)] == [("one", "two"), (), ()]


# The user's own pairs


def test_the_users_pairs_are_learnt_and_give_the_thresholds_of_what_they_show(trunk, tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "STEPS_OF_BATCH", 4)
    monkeypatch.setattr(training, "STEPS_OF_BATCH", 4)
    folder = write_pairs(tmp_path / "slides", 12, code=7, lacking=(4,))
    asked = job(data=folder, hazard=("landslide",), positive=(7,), iterations=36, batch_size=6, learning_rate=0.02)
    found = train_branch(asked, Report())
    sets = {row["hazard"]: row["set"] for row in found["scores"]}
    assert sets.pop("landslide") == "slides (validation)" and set(sets.values()) <= {"simulated pairs (validation)"}
    left = " ".join(text for text in found["warnings"] if "told by the rule" in text)
    assert all(name in sets or name in left for name in ("flood", "any"))
    (row,) = (row for row in found["scores"] if row["hazard"] == "landslide")
    assert row["iou"] > 0.6 > 0.3 > found["by_rule"]["landslide"]["iou"]
    assert any("1 of 12 labelled images have no scene of their name" in text for text in found["warnings"])
    card = read_card(found["path"])
    assert card.licence == "As the training data allow: the user's own data"
    entry = card.training["before"]
    assert entry["data"] == "slides and simulated pairs" and entry["replay"] == 0.25
    assert str(tmp_path) not in json.dumps(card.training)
    taught = tensors("pairs")
    assert all(torch.equal(tensor, taught[name]) for name, tensor in tensors("trunk").items())


@pytest.mark.usefixtures("trusted")
def test_without_replay_only_the_users_pairs_are_seen_and_what_may_fade_is_said(trunk, tmp_path, monkeypatch):
    monkeypatch.setattr(PairSource, "batch", lambda self, step: pytest.fail("a simulated pair was drawn"))
    folder = write_pairs(tmp_path / "slides", 6)
    asked = job(data=folder, hazard=("landslide",), replay=0.0, iterations=2)
    found = train_branch(asked, Report())
    assert {row["hazard"] for row in found["scores"]} == set(found["thresholds"]) == {"landslide"}
    assert any("Nothing shows flood, glacier_collapse" in text and "replay" in text for text in found["warnings"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hazard": ("lava",)}, "'trunk' does not tell 'lava'.*single scenes with --hazard lava first"),
        ({"hazard": ("landslide",), "positive": (3,)}, "hold the codes 0, 1, but no 3.*--positive"),
        ({"hazard": ()}, "name it, for example --hazard"),
        ({"hazard": ("landslide",), "before_units": "db"}, None),
    ],
)
def test_what_the_users_pairs_cannot_teach_is_refused_in_one_sentence(trunk, tmp_path, changes, words):
    folder = write_pairs(tmp_path / "pairs_of_mine", 4)
    if words is None:  # units that are not theirs are taken at their word
        assert train_branch(job(data=folder, iterations=1, **changes), Report())["steps"] == 1
        return
    with pytest.raises(BadInput, match=words) as error:
        train_branch(job(data=folder, **changes), Report())
    assert "\n" not in str(error.value) and not (tmp_path / "models" / "pairs").exists()


def test_an_epoch_asks_for_each_of_the_users_pairs_once():
    class Sixty:
        train = range(60)

    asked = job(data="folder", hazard=("flood",), batch_size=8, epochs=3, iterations=None, replay=0.25)
    assert training._plan(asked, Sixty()).steps == 3 * 10 * learning.STEPS_OF_BATCH  # 6 of 8 chips are theirs


# Thresholds


def tally_of(found, marked):
    """Of 100 hazard pixels on one chip, and of nine chips without: shares that reach a probability."""
    tally = HazardTally(("flood",))
    side = 50
    for number in range(10):
        probability, labels = torch.full((side * side,), 0.01), torch.zeros(side * side, dtype=torch.uint8)
        labels[:100] = number == 0
        place = 0
        for value, share in (found if number == 0 else marked).items():
            count = round(share * (100 if number == 0 else side * side))
            probability[place : place + count] = value
            place += count
        tally.add(torch.logit(probability.view(1, 1, side, side)), labels.view(1, 1, side, side))
    return tally


def highest(limit):
    return max(threshold for threshold in THRESHOLDS if threshold <= limit)


def test_a_threshold_that_marks_little_where_nothing_is_new_goes_before_a_better_one():
    """All is found at 0.41 where 0.6 per cent of the other chips are marked, 60 of 100 pixels at 0.71 where 0.2 are."""
    tally = tally_of({0.71: 0.6, 0.41: 0.4}, {0.71: 0.002, 0.41: 0.004})
    assert tally.score("flood").threshold == highest(0.41)
    guarded = tally.score("flood", MOST_FALSE_AREA)
    assert guarded.threshold == highest(0.71) and guarded.counts.recall == 0.6


def test_a_guard_that_would_lose_the_hazard_is_not_kept():
    tally = tally_of({0.71: 0.2, 0.41: 0.8}, {0.71: 0.002, 0.41: 0.004})
    assert tally.score("flood", MOST_FALSE_AREA) == tally.score("flood")


def test_the_guard_changes_nothing_where_little_is_marked_anyway_or_every_chip_shows_the_hazard():
    tally = tally_of({0.71: 0.6, 0.41: 0.4}, {0.41: 0.003})
    assert tally.score("flood", MOST_FALSE_AREA).threshold == highest(0.41)
    alone = HazardTally(("flood",))
    labels = torch.zeros((1, 1, 8, 8), dtype=torch.uint8)
    labels[..., :4] = 1
    alone.add(torch.where(labels == 1, 2.0, 1.0), labels)
    assert alone.score("flood", MOST_FALSE_AREA) == alone.score("flood")
