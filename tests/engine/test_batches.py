"""Batches: the same for the same step however they are made, and labels that stay where their values are."""

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch
from toys import ToyScenes, ToySource

from engine import batches, prefetch
from engine.batches import ANY, LabelledSource, MixedSource, SimulatedSource, draw_slots, stack_labels
from engine.planes import PLANES
from engine.prefetch import prefetched
from engine.protocol import SLOTS, BadInput, Cancelled, HazardError
from engine.reporting import Report
from engine.samples import CHARACTERISTICS, LabelledScene
from engine.simulate import HAZARDS as SIMULATED_HAZARDS
from engine.simulate import draw_scene
from engine.simulate.fields import Draw

ROOT = Path(__file__).resolve().parents[2]
RED = PLANES.index("raw_red")


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(batches, "SCENE_SIZE_PX", 64)
    monkeypatch.setattr(batches, "CHIP_SIZE_PX", 64)
    monkeypatch.setattr(batches, "LANES", 2)
    monkeypatch.setattr(batches, "SCENES_IN_LANE", 2)


def same(one, other):
    return all(
        torch.equal(value, getattr(other, name)) if isinstance(value, torch.Tensor) else value == getattr(other, name)
        for name, value in vars(one).items()
    )


def test_any_step_of_simulated_chips_can_be_asked_for_at_once(small):
    def source(seed=3):
        return SimulatedSource(seed, 8, SIMULATED_HAZARDS, SIMULATED_HAZARDS)

    walked = source()
    for step in range(6):
        batch = walked.batch(step)
    assert same(batch, source().batch(5))
    assert not torch.equal(batch.planes, source(4).batch(5).planes)
    assert batch.planes.shape == (8, len(PLANES), 64, 64) and batch.labels.shape == (8, 4, 64, 64)


def test_a_hazard_left_out_is_neither_drawn_nor_judged(small):
    assert all(draw_scene(seed, 64, without="flood").hazard != "flood" for seed in range(12))
    hazards = ("landslide", "glacier_collapse", ANY)
    unjudged = 0
    for step in range(4):
        labels = SimulatedSource(0, 16, hazards, hazards, leave_out="flood").batch(step).labels
        shown = (labels[:, :2] == 1).any(1)
        assert not ((labels[:, 2] == 1) & ~shown).any()
        unjudged += int(((labels[:, 2] == 255) & (labels[:, :2] == 0).all(1)).sum())
    # Lakes are 255 for any, not 0: it is neither taught what water is nor that it is harmless.
    assert unjudged > 0
    four = SimulatedSource(0, 16, SIMULATED_HAZARDS, SIMULATED_HAZARDS, leave_out="flood").batch(0)
    assert (four.labels[:, 0] == 255).all()


def test_hazards_that_are_not_trained_are_not_judged(small):
    batch = SimulatedSource(0, 8, (*SIMULATED_HAZARDS, "lava"), ("flood",)).batch(0)
    assert (batch.labels[:, 1:] == 255).all()
    assert set(batch.labels[:, 0].unique().tolist()) <= {0, 1, 255}


def test_validation_scenes_are_the_same_whatever_the_run(small):
    report = Report()
    first, second = (
        SimulatedSource(seed, size, SIMULATED_HAZARDS, SIMULATED_HAZARDS).validation(3, report)
        for seed, size in ((0, 8), (5, 16))
    )
    assert len(first) == 1 and same(first[0], second[0])


def labelled(data, **changes):
    values = {"seed": 1, "batch_size": 6, "hazards": (data.hazard or "flood", ANY)}
    train, _, _ = data.split(0)
    return LabelledSource(data, train, **{**values, **changes})


@pytest.mark.parametrize("size_px", [64, 48, 150])
def test_labels_stay_on_their_pixels_through_scale_turn_and_crop(small, size_px):
    source = labelled(ToyScenes(hazard="lava", size_px=size_px), all_bands=True)
    agree = judged = 0
    for step in range(6):
        batch = source.batch(step)
        known = (batch.labels[:, 0] != 255) & (batch.planes[:, RED] != 0)  # display values have no such plane
        red = ((batch.planes[:, RED].float() + 0.6) / 2) ** 2 > 0.17
        agree += int(((red == (batch.labels[:, 0] == 1)) & known).sum())
        judged += int(known.sum())
    assert judged > 20_000 and agree / judged > 0.98


def test_each_scene_comes_once_an_epoch_in_an_order_of_its_own(small, monkeypatch):
    data = ToyScenes(count=24, hazard="lava")
    read = []
    monkeypatch.setattr(
        ToyScenes, "read", lambda self, number, inner=ToyScenes.read: (read.append(number), inner(self, number))[1]
    )
    source = labelled(data)
    for step in range(6):
        source.batch(step)
    assert sorted(read[:18]) == sorted(read[18:]) == list(range(18))
    assert read[:18] != read[18:]


def test_any_step_of_labelled_chips_can_be_asked_for_at_once(small):
    data = ToyScenes(hazard="lava")
    walked = labelled(data)
    for step in range(5):
        batch = walked.batch(step)
    assert same(batch, labelled(data).batch(4))


def test_scenes_smaller_than_a_chip_are_filled_up_with_what_is_not_judged(small):
    batch = labelled(ToyScenes(hazard="lava", size_px=40)).batch(0)
    assert batch.labels.shape[-2:] == (64, 64)
    empty = (batch.planes == 0).all(1)
    assert empty.any() and (batch.labels[:, 0][empty] == 255).all()


def test_unreadable_scenes_are_replaced_and_named(small):
    source = labelled(ToyScenes(hazard="lava", bad=(3,)))
    reasons = [reason for step in range(3) for reason in source.batch(step).skipped]
    assert set(reasons) == {"Scene 3 is damaged; copy it again."}
    with pytest.raises(BadInput, match="in a row"):
        labelled(ToyScenes(hazard="lava", bad=range(24))).batch(0)


def test_scenes_too_small_to_learn_from_are_refused_in_one_sentence(small):
    with pytest.raises(BadInput, match="16 x 16 pixels, at least 32 x 32"):
        labelled(ToyScenes(hazard="lava", size_px=16)).batch(0)


def test_half_of_the_draws_take_all_bands_and_the_rest_any_number_alike():
    counts = dict.fromkeys(range(1, 10), 0)
    for seed in range(900):
        slots = draw_slots(Draw(seed, 8), SLOTS)
        assert list(slots) == sorted(slots, key=SLOTS.index)
        counts[len(slots)] += 1
    assert 420 < counts[9] < 580
    assert all(25 < counts[number] < 80 for number in range(1, 9))  # 50 each


def test_any_is_positive_with_one_hazard_and_negative_only_without_all():
    fire = torch.tensor([[1, 0, 0, 255]], dtype=torch.uint8)
    lava = torch.tensor([[0, 0, 255, 255]], dtype=torch.uint8)
    scene = LabelledScene(("red",), torch.zeros(1, 1, 4), torch.ones(1, 1, 4, dtype=torch.bool), True,
                          {"fire": fire, "lava": lava})  # fmt: skip
    assert stack_labels(scene, ("fire", "lava", ANY), True)[2].tolist() == [[1, 0, 255, 255]]
    assert stack_labels(scene, ("fire", "flood", ANY), True)[2].tolist() == [[1, 255, 255, 255]]
    assert (stack_labels(scene, ("fire", "lava", ANY), False)[2] == 255).all()


def test_replayed_chips_join_the_users(small):
    hazards = ("flood", "lava", ANY)
    mixed = MixedSource(
        labelled(ToyScenes(hazard="lava"), hazards=hazards, batch_size=5),
        SimulatedSource(0, 3, hazards, ("flood", ANY)),
    )
    batch = mixed.batch(0)
    assert (batch.labels[:5, 0] == 255).all() and (batch.labels[5:, 1] == 255).all()
    assert (batch.labels[5:, 0] != 255).any() and (batch.labels[:5, 1] != 255).any()
    assert batch.characteristics.shape == (8, CHARACTERISTICS)


def test_patch_labels_travel_as_such(small):
    batch = labelled(ToyScenes(by_patch=True), hazards=("flood",)).batch(0)
    assert (batch.surface == 255).all() and set(batch.artificial.tolist()) == {0, 1}


def taken(source, workers, count=5, first=2):
    with prefetched(source, first, workers, Report()) as ready:
        return [next(ready) for _ in range(count)]


def test_batches_are_the_same_with_processes_which_end_when_cancelled():
    report = Report()
    with pytest.raises(Cancelled), prefetched(ToySource(), 2, 2, report) as ready:
        for alone in taken(ToySource(), 0):
            assert same(alone, next(ready))
        assert len(multiprocessing.active_children()) == 2
        report.cancelled.set()
        next(ready)
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_source_says_arrives_as_it_was_said(workers):
    with pytest.raises(BadInput) as error:
        taken(ToySource(bad_step=3), workers)
    assert str(error.value) == "Step 3 is bad; expected another."


def test_processes_that_cannot_be_started_are_one_sentence(monkeypatch, capsys):
    def refuse(*_, **__):
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(prefetch, "DataLoader", refuse)
    with pytest.raises(HazardError, match=r"temporarily unavailable.*fewer --workers"):
        taken(ToySource(), 1)
    assert capsys.readouterr().err == ""


def test_processes_end_when_their_parent_is_killed():
    program = textwrap.dedent("""
        import sys, time
        sys.path[:0] = [sys.argv[1], sys.argv[2]]
        from toys import ToySource
        from engine.prefetch import prefetched
        from engine.reporting import Report
        if __name__ == "__main__":
            with prefetched(ToySource(), 0, 1, Report()) as ready:
                next(ready)
                print("ready", flush=True)
                time.sleep(60)
    """)
    path = Path(os.environ.get("PYTEST_TMP", "/tmp")) / f"prefetching-{os.getpid()}.py"
    path.write_text(program)
    started = subprocess.Popen(
        [sys.executable, str(path), str(ROOT), str(Path(__file__).parent)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert started.stdout.readline() == "ready\n"
        threads = Path(f"/proc/{started.pid}/task").iterdir()
        pids = [int(word) for thread in threads for word in (thread / "children").read_text().split()]
        assert pids
        started.send_signal(signal.SIGKILL)
        started.wait()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and any(_alive(pid) for pid in pids):
            time.sleep(0.2)
        assert not any(_alive(pid) for pid in pids)
    finally:
        started.kill()
        path.unlink()


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
