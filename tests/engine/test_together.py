"""Runs that share their batches: who learns from which, what each is given, and that none waits for one that ended."""

import contextlib
import importlib
import sys
import threading
import time
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from toys import ToySource

from engine.batches import SimulatedSource
from engine.distributed import Ranks
from engine.prefetch import prefetched
from engine.protocol import BadInput, Cancelled, HazardError
from engine.reporting import Report

BOTH = ("no pre-training", "no channel sampling")


@pytest.fixture(scope="module")
def modules():
    """The command that trains ablations, and what carries its groups out."""
    folder = Path(__file__).resolve().parents[1] / "benchmarks"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield Namespace(**{name: importlib.import_module(name) for name in ("ablations", "together")})
    for name in ("ablations", "together"):
        sys.modules.pop(name)


def given(**more):
    values = {"pretrain_minutes": 1.0, "minutes": 4.0, "architectures": ("unet", "unetplusplus"), "ablations": BOTH}
    values |= {"hazards": ("flood", "landslide"), "ablate_architectures": None, "seed": 3, "device": "cpu"}
    values |= {"steps": None, "pretrain_steps": None}
    return Namespace(**{**values, "batch_size": 8, "workers": 16, "validation_scenes": None, **more})


def stages(ablations, options, out=Path("/nowhere")):
    runs = [run for one in options.architectures for run in ablations.runs_of(one, out, options)]
    return [
        {group.name: ([run.name for run in group.runs], group.workers) for group in ablations.groups_of(stage, 16)}
        for stage in ([run for run in runs if run.words[0] == kind] for kind in ("pretrain", "train"))
    ]


def test_runs_that_learn_from_the_same_batches_are_a_group(modules):
    first, second = stages(modules.ablations, given(ablate_architectures=("unet",)))
    assert first == {
        "pretrain": (["unet-pretrained", "unetplusplus-pretrained"], 11),
        "pretrain on all bands": (["unet-all-bands-pretrained"], 5),
    }
    assert second == {
        "train": (["unet-full", "unet-from-scratch", "unetplusplus-full"], 6),
        "train without flood": (["unet-without-flood", "unetplusplus-without-flood"], 4),
        "train without landslide": (["unet-without-landslide", "unetplusplus-without-landslide"], 4),
        "train on all bands": (["unet-all-bands"], 2),
    }


def test_ablations_are_of_all_architectures_unless_some_are_named(modules):
    _, second = stages(modules.ablations, given())
    assert second["train on all bands"][0] == ["unet-all-bands", "unetplusplus-all-bands"]
    _, second = stages(modules.ablations, given(ablate_architectures=()))
    assert second["train"][0] == ["unet-full", "unetplusplus-full"] and "train on all bands" not in second


@pytest.mark.parametrize(
    ("workers", "sizes", "shares"),
    [
        (16, [5, 4, 4, 4, 1], [4, 4, 4, 3, 1]),
        (1, [2, 2], [1, 1]),
        (8, [3], [8]),
        (3, [8, 1, 1], [1, 1, 1]),
        (4, [], []),
    ],
)
def test_workers_are_shared_by_networks_but_no_group_is_without(modules, workers, sizes, shares):
    assert modules.ablations.shares_of(workers, sizes) == shares


def test_no_process_makes_scenes_that_another_makes(modules):
    assert [modules.together.without_repeats(workers) for workers in (0, 1, 3, 5, 8, 13)] == [0, 1, 2, 4, 8, 8]


def test_a_group_arrives_as_it_was_sent_and_its_words_are_jobs(modules, tmp_path):
    runs = list(modules.ablations.runs_of("unet", tmp_path, given()))
    complete = [modules.ablations.to_do(run, tmp_path, given()) for run in runs]
    for group in modules.ablations.groups_of([run for run in complete if run.words[0] == "train"], 4, 6):
        assert modules.ablations.Group.from_json(group.to_json()) == group
        for run in group.runs:
            job = modules.together.job_of(run)
            assert (job.batch_size, job.seed, job.device, job.save) == (8, 3, "cpu", str(tmp_path / run.name))
            assert (job.leave_out, job.all_bands) == run.stream[1:]


def test_models_that_are_there_are_kept_and_unfinished_runs_go_on(modules, tmp_path):
    pretrained, full, *_ = modules.ablations.runs_of("unet", tmp_path, given())
    for run, file in ((pretrained, "card.json"), (full, "checkpoint.pt")):
        (tmp_path / run.name).mkdir()
        (tmp_path / run.name / file).touch()
    assert modules.ablations.to_do(pretrained, tmp_path, given()) is None
    job = modules.together.job_of(modules.ablations.to_do(full, tmp_path, given()))
    assert job.resume and modules.together.step_reached(job) == 0, "the run says that its checkpoint is damaged"
    torch.save({"state": {"run": {"step": 7}}}, tmp_path / full.name / "checkpoint.pt")
    assert modules.together.step_reached(job) == 7


def numbered(source, first=0):
    """Opens the toy's batches in place."""
    return lambda report: prefetched(source, first, 0, report)


def take(tee, name, count, got, pause_s=0.0):
    """Start a thread that takes so many batches and leaves; what it got, or failed with, is added to ``got``."""

    def run():
        try:
            for batch in tee.batches(name, Report()):
                got.append(batch)
                time.sleep(pause_s)
                if len(got) == count:
                    break
        except HazardError as error:
            got.append(error)
        finally:
            tee.leave(name)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def joined(*threads):
    for thread in threads:
        thread.join(20)
    return not any(thread.is_alive() for thread in threads)


def test_all_get_the_same_batches_in_order_and_one_that_leaves_blocks_no_other(modules):
    tee = modules.together.Tee(["quick", "slow", "long", "never comes"])
    quick, slow, long = [], [], []
    tee.start(numbered(ToySource(), 4))
    tee.start(numbered(ToySource(), 900))  # only the first call counts
    threads = [take(tee, "quick", 2, quick), take(tee, "slow", 5, slow, 0.02), take(tee, "long", 30, long)]
    tee.leave("never comes")
    assert joined(*threads)
    tee.close()
    assert (len(quick), len(slow), len(long)) == (2, 5, 30)
    assert all(one is other for part in (quick, slow) for one, other in zip(part, long, strict=False)), "shared"
    alone = ToySource()
    assert all(torch.equal(batch.planes, alone.batch(4 + number).planes) for number, batch in enumerate(long))


def test_a_run_that_is_late_misses_nothing_and_others_wait_for_it(modules):
    tee = modules.together.Tee(["early", "late"], queued=2)
    early, late = [], []
    tee.start(numbered(ToySource()))
    first = take(tee, "early", 10, early)
    time.sleep(0.3)
    assert len(early) == 2
    assert joined(take(tee, "late", 10, late), first) and all(a is b for a, b in zip(early, late, strict=True))
    tee.close()


@pytest.mark.parametrize("error", [BadInput("Step 3 is bad; expected another."), ZeroDivisionError("by hand")])
def test_what_the_stream_fails_with_reaches_all_after_what_came_before(modules, error):
    class Bad(ToySource):
        def batch(self, step):
            if step == 3:
                raise error
            return super().batch(step)

    tee = modules.together.Tee(["one", "other"])
    got = [], []
    tee.start(numbered(Bad()))
    assert joined(*(take(tee, name, 10, part) for name, part in zip(("one", "other"), got, strict=True)))
    tee.close()
    for part in got:
        assert len(part) == 4 and str(error) in str(part[-1])
    assert got[0][-1] is not got[1][-1]


def test_runs_that_take_turns_work_with_one_batch_at_a_time(modules):
    tee = modules.together.Tee(["one", "other"], in_turns=True)
    at_work, most, numbers = [], [], {"one": 0, "other": 0}

    def run(name):
        with contextlib.closing(tee.batches(name, Report())) as batches:
            for _ in batches:
                at_work.append(name)
                most.append(len(at_work))
                time.sleep(0.005)
                at_work.remove(name)
                numbers[name] += 1
                if numbers[name] == 10:
                    break  # in the middle of its turn
        tee.leave(name)

    threads = [threading.Thread(target=run, args=(name,)) for name in numbers]
    tee.start(numbered(ToySource(), 0))
    for thread in threads:
        thread.start()
    assert joined(*threads)
    tee.close()
    assert numbers == {"one": 10, "other": 10} and max(most) == 1


def test_a_run_that_waits_can_be_cancelled(modules):
    tee, report = modules.together.Tee(["one"]), Report()
    waiting = tee.batches("one", report)
    threading.Timer(0.2, report.cancelled.set).start()
    with pytest.raises(Cancelled):
        next(waiting)
    tee.close()


def test_held_out_chips_are_the_engines_own_and_simulated_once(modules, monkeypatch):
    source = SimulatedSource(0, 4, ("flood", "any"), ("flood", "any"), leave_out="landslide")
    expected = source.validation(2, Report())
    held_out = modules.together.HeldOut(workers=0, most=2)
    found = held_out.batches(source, 24)
    monkeypatch.setattr(modules.together, "held_out_chips", None)
    assert held_out.batches(source, 96) is found
    for one, other in zip(found, expected, strict=True):
        assert all(torch.equal(value, vars(other)[name]) for name, value in vars(one).items() if torch.is_tensor(value))


def test_networks_are_built_one_after_the_other_and_as_alone(modules, monkeypatch):
    """Weights are drawn from numbers that all threads share: without turns, they would be mixed."""
    from engine import pretrain

    def build(card):
        drawn = [torch.rand(1)]
        time.sleep(0.02)
        return [*drawn, torch.rand(1)]

    monkeypatch.setattr(pretrain, "new_card", lambda *_: None)
    monkeypatch.setattr(pretrain, "build_to_train", build)
    names = [str(number) for number in range(4)]
    tee = modules.together.Tee(names)
    shared = modules.together.Shared(tee, modules.together.HeldOut(0), 0, 0, Ranks())
    built = {}

    def run(name):
        with shared.run(name):
            pretrain.new_card("name", "unet", None)
            torch.manual_seed(5)
            built[name] = pretrain.build_to_train(None)

    with shared.in_place():
        threads = [threading.Thread(target=run, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        assert joined(*threads)
    torch.manual_seed(5)
    alone = build(None)
    assert len(built) == 4 and all(numbers == alone for numbers in built.values())


def test_a_run_of_other_batches_is_refused(modules):
    tee = modules.together.Tee(["one", "other"])
    shared = modules.together.Shared(tee, modules.together.HeldOut(0), 0, 0, Ranks())
    tee.start(lambda report: contextlib.nullcontext(iter(())))
    from engine import train

    with shared.in_place(), shared.run("one"):
        source = SimulatedSource(0, 4, ("flood", "any"), ("flood", "any"))
        with train.prefetched(source, 0, 1, Report(), Ranks()) as batches:
            assert list(batches) == []
        other = SimulatedSource(0, 4, ("flood", "any"), ("flood", "any"), leave_out="landslide")
        with pytest.raises(BadInput, match="others of its group"), train.prefetched(other, 0, 1, Report(), Ranks()):
            pass
    tee.close()
