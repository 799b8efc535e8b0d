"""The training loop on a network of a few weights: schedule, best weights, stopping, resuming, and what goes wrong."""

import itertools
import os
import time

import pytest
import torch
from torch import nn
from toys import ToyNetwork, ToySource, toy_learner, toy_plan

from engine.checkpoints import FILE, Checkpoint, require_space
from engine.curves import MOST_POINTS, Curve
from engine.optimise import MOST_BAD_STEPS, Evaluation, optimise, update_average
from engine.protocol import BadInput, Cancelled, OutputFailed
from engine.reporting import Report


class Witness:
    """A report that remembers what it was told, and cancels once a number of progress calls was made."""

    def __init__(self, cancel_after=None):
        self.metrics, self.shares, self.left = [], [], []
        self.cancel_after = cancel_after
        self.report = Report(self._on_progress, on_metrics=lambda step, values: self.metrics.append((step, values)))
        self.report.progress = self._progress

    def _on_progress(self, stage, share, left):
        self.shares.append(share)

    def _progress(self, done, first=0.0, last=1.0, seconds_left=None):
        self.report.check()
        self.shares.append(first + done * (last - first))
        if self.cancel_after is not None and len(self.shares) > self.cancel_after:
            self.report.cancelled.set()
            self.report.check()

    def curve(self, name="loss"):
        return [(step, values[name]) for step, values in self.metrics if name in values]


def run(folder, learner, plan=None, witness=None, resume=False, settings=None):
    witness = witness or Witness()
    checkpoint = Checkpoint(folder, settings or {"seed": 0})
    found = optimise(learner, plan or toy_plan(), checkpoint, witness.report, time.monotonic(), resume)
    return found, witness


def weights(learner):
    return {name: tensor.clone() for name, tensor in learner.network.state_dict().items()}


def test_the_rate_warms_up_holds_and_ends_at_zero():
    plan = toy_plan(steps=1000, learning_rate=0.1)
    rates = [plan.rate(step, plan.share(step, 0)) for step in range(1001)]
    assert rates[0] == pytest.approx(0.1 / 100)
    assert rates[100:700] == [0.1] * 600
    assert rates[1000] == 0 and rates[850] == pytest.approx(0.05)
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates[700:]))


def test_steps_or_time_end_a_run_whichever_is_further():
    plan = toy_plan(steps=100, seconds=60.0)
    assert plan.share(50, 6) == 0.5 and plan.share(10, 45) == 0.75
    assert plan.rate(50, plan.share(50, 60)) == 0
    slow = toy_plan(steps=None, seconds=60.0, learning_rate=0.1)
    assert slow.share(10**6, 30) == 0.5
    assert slow.rate(7, slow.share(7, 6)) == pytest.approx(0.1)  # warm after a tenth of its time


def test_the_average_of_constant_weights_is_those_weights():
    network, average = ToyNetwork(), ToyNetwork()
    for step in range(300):
        update_average(average, network, step)
    for mean, tensor in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        assert torch.allclose(mean.float(), tensor.float(), atol=1e-4)


def test_training_lowers_the_validation_loss(tmp_path):
    found, witness = run(tmp_path, toy_learner(), toy_plan(steps=120, validate_every=20))
    losses = [value for _, value in witness.curve("validation_loss")]
    assert len(losses) == 6 and losses[-1] < 0.7 * losses[0]
    assert found.ended == "finished" and found.step == 120
    assert found.curves["validation_loss"].points[-1] == (120, losses[-1])


@pytest.mark.parametrize("cancelled_after", [2, 5, 9])
def test_a_resumed_run_gives_the_same_curve_and_weights_as_an_unbroken_one(tmp_path, cancelled_after):
    plan = toy_plan(steps=12, validate_every=3)
    whole = toy_learner()
    _, unbroken = run(tmp_path / "whole", whole, plan)
    first = Witness(cancel_after=cancelled_after)
    with pytest.raises(Cancelled, match="--resume"):
        run(tmp_path / "parts", toy_learner(), plan, first)
    parts = toy_learner(seed=99)  # other weights: all must come from the checkpoint
    _, second = run(tmp_path / "parts", parts, plan, resume=True)
    for name in ("loss", "validation_loss"):
        assert first.curve(name) + second.curve(name) == unbroken.curve(name)
    assert all(torch.equal(tensor, weights(whole)[name]) for name, tensor in weights(parts).items())


def test_a_run_cancelled_during_validation_goes_on_with_that_validation(tmp_path):
    plan = toy_plan(steps=8, validate_every=4)
    _, unbroken = run(tmp_path / "whole", toy_learner(), plan)
    witness = Witness()
    learner = toy_learner()
    judge = learner.evaluate

    def cancelled(network):
        raise Cancelled("Cancelled.")

    learner.evaluate = cancelled
    with pytest.raises(Cancelled):
        run(tmp_path / "parts", learner, plan, witness)
    again = toy_learner()
    again.evaluate = judge
    _, second = run(tmp_path / "parts", again, plan, resume=True)
    assert second.curve("validation_loss") == unbroken.curve("validation_loss")


def test_cancelling_before_the_first_step_writes_nothing(tmp_path):
    witness = Witness()
    witness.report.cancelled.set()
    with pytest.raises(Cancelled):
        run(tmp_path, toy_learner(), witness=witness)
    assert os.listdir(tmp_path) == []


def test_the_weights_that_validated_best_are_kept(tmp_path):
    seen = []

    def evaluate(network):
        seen.append({name: tensor.clone() for name, tensor in network.state_dict().items()})
        return Evaluation([0.1, 0.9, 0.3][len(seen) - 1], {"validation_iou": 0.0})

    learner = toy_learner(evaluate=evaluate)
    found, _ = run(tmp_path, learner)
    assert (found.best_step, found.best_score) == (8, 0.9)
    assert all(torch.equal(tensor, seen[1][name]) for name, tensor in weights(learner).items())
    assert not learner.network.training


def test_a_run_stops_early_without_a_better_validation(tmp_path):
    learner = toy_learner(evaluate=lambda network: Evaluation(-1.0, {"validation_loss": 1.0}))
    found, _ = run(tmp_path, learner, toy_plan(steps=1000, validate_every=5, patience_steps=15))
    assert found.improved_at == 5 and found.step == 20
    assert found.best_step == 20, "as good, and longer trained"
    assert found.ended.startswith("early")


def test_time_ends_a_run_with_its_rate_at_zero_and_a_validation(tmp_path):
    plan = toy_plan(steps=None, seconds=1.0, validate_every=10_000)
    began = time.monotonic()
    learner = toy_learner()
    step = learner.loss
    learner.loss = lambda network, batch: (time.sleep(0.01), step(network, batch))[1]
    witness = Witness()
    found = optimise(learner, plan, Checkpoint(tmp_path, {}), witness.report, began, False)
    assert 0.9 < time.monotonic() - began < 4
    assert found.ended == "time" and found.validated_at == found.step
    shares = [share for share in witness.shares if share > 0.05]
    assert all(later >= earlier for earlier, later in itertools.pairwise(shares))


def test_seconds_of_earlier_sessions_count(tmp_path):
    witness = Witness(cancel_after=3)
    with pytest.raises(Cancelled):
        optimise(
            toy_learner(), toy_plan(steps=None, seconds=100.0), Checkpoint(tmp_path, {}), witness.report,
            time.monotonic() - 99.0, False,
        )  # fmt: skip
    began = time.monotonic()
    found = optimise(
        toy_learner(), toy_plan(steps=None, seconds=100.0), Checkpoint(tmp_path, {}), Report(), began, True
    )
    assert time.monotonic() - began < 10 and found.ended == "time" and found.seconds >= 99


def test_a_step_whose_loss_is_not_finite_changes_nothing(tmp_path):
    class Poisoned(ToySource):
        def batch(self, step):
            batch = super().batch(step)
            if step == 5:
                batch.planes[:] = float("nan")
            return batch

    learner = toy_learner(source=Poisoned())
    found, witness = run(tmp_path, learner)
    assert found.step == 12
    assert all(torch.isfinite(tensor).all() for tensor in weights(learner).values())
    assert all(value == value for _, value in witness.curve())


def test_a_run_that_diverges_ends_with_one_sentence_that_names_the_rate(tmp_path):
    learner = toy_learner(loss=lambda network, batch: network(batch.planes).surface.mean() * float("inf"))
    with pytest.raises(BadInput, match=f"{MOST_BAD_STEPS} steps.*--learning-rate") as error:
        run(tmp_path, learner)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("can't allocate memory")])
def test_too_little_memory_is_one_sentence_that_names_the_batch_size(tmp_path, error):
    def loss(network, batch):
        raise error

    with pytest.raises(BadInput, match="--batch-size") as told:
        run(tmp_path, toy_learner(loss=loss))
    assert "\n" not in str(told.value)


def test_other_errors_of_a_step_are_not_hidden(tmp_path):
    def loss(network, batch):
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        run(tmp_path, toy_learner(loss=loss))


def test_checkpoints_are_written_now_and_then_and_replaced_whole(tmp_path):
    run(tmp_path, toy_learner(), toy_plan(checkpoint_every_s=0.0))
    assert os.listdir(tmp_path) == [FILE]
    state = Checkpoint(tmp_path, {"seed": 0}).read()
    assert state["run"]["step"] == 12, "written before each step and at the end: saving the model may fail"


@pytest.fixture
def cancelled(tmp_path):
    with pytest.raises(Cancelled):
        run(tmp_path, toy_learner(), witness=Witness(cancel_after=3))
    return tmp_path


def test_a_checkpoint_of_other_settings_is_refused_by_name(cancelled):
    with pytest.raises(BadInput, match="seed 0, not 1"):
        run(cancelled, toy_learner(), resume=True, settings={"seed": 1})
    with pytest.raises(BadInput, match="batch size None, not 4"):
        run(cancelled, toy_learner(), resume=True, settings={"seed": 0, "batch_size": 4})


def test_a_checkpoint_of_another_network_is_refused(cancelled):
    learner = toy_learner()
    learner.network = ToyNetwork(hazards=3)
    with pytest.raises(BadInput, match="does not fit"):
        run(cancelled, learner, resume=True)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_damaged_or_missing_checkpoint_is_refused(cancelled, content):
    path = cancelled / FILE
    path.write_bytes(path.read_bytes()[:2000] if content is None else content)
    with pytest.raises(BadInput) as error:
        run(cancelled, toy_learner(), resume=True)
    assert "\n" not in str(error.value)
    path.unlink()
    with pytest.raises(BadInput, match="no checkpoint"):
        run(cancelled, toy_learner(), resume=True)


def test_a_checkpoint_cannot_run_code(cancelled):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(cancelled / "ran"),)

    torch.save({"version": 1, "settings": {"seed": 0}, "state": Evil()}, cancelled / FILE)
    with pytest.raises(BadInput, match="damaged"):
        run(cancelled, toy_learner(), resume=True)
    assert not (cancelled / "ran").exists()


def test_a_full_disk_is_one_sentence_and_keeps_the_checkpoint_before(small_disk):
    with pytest.raises(Cancelled):
        run(small_disk, toy_learner(), witness=Witness(cancel_after=3))
    before = (small_disk / FILE).read_bytes()
    learner = toy_learner()
    learner.network.large = nn.Parameter(torch.zeros(1_000_000))
    with pytest.raises(OutputFailed, match="cannot be written") as error:
        run(small_disk, learner, toy_plan(checkpoint_every_s=0.0))
    assert "\n" not in str(error.value)
    assert os.listdir(small_disk) == [FILE] and (small_disk / FILE).read_bytes() == before


def test_too_little_space_is_said_in_megabytes(small_disk):
    require_space(small_disk / "new" / "model", 100_000)
    with pytest.raises(OutputFailed, match="50 MB are needed"):
        require_space(small_disk / "new" / "model", 50_000_000)


def test_a_curve_keeps_the_mean_and_the_last_step_however_long_it_grows():
    curve = Curve()
    for step in range(1, 5001):
        curve.add(step, float(step))
    assert len(curve.points) <= MOST_POINTS
    shown = curve.shown(100)
    assert len(shown) <= 100 and shown[-1][0] == curve.points[-1][0] > 5000 - curve.stride
    middle = [value - (step - (curve.stride - 1) / 2) for step, value in curve.points]
    assert max(abs(off) for off in middle) < 1e-9


def test_a_curve_survives_its_checkpoint():
    curve, again = Curve(), Curve()
    for step in range(777):
        curve.add(step, step % 7)
        again.add(step, step % 7)
        again = Curve.from_state(again.state())
    assert again == curve


def test_the_last_part_normalises_as_in_use(tmp_path):
    seen = []
    source = ToySource()

    def loss(network, batch):
        norm = network.body[1]
        seen.append((norm.training, norm.running_mean.clone()))
        return nn.functional.binary_cross_entropy_with_logits(
            network(batch.planes).surface[:, 0], batch.surface.float()
        )

    run(tmp_path, toy_learner(loss=loss, source=source), toy_plan(steps=20))
    training = [kind for kind, _ in seen]
    assert training == [True] * 12 + [False] * 8
    assert all(torch.equal(mean, seen[12][1]) for _, mean in seen[12:]), "statistics stand still"
