"""Several processes make the run that one makes; they stop together, and none waits for one that is gone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.distributed import Ranks, joined
from engine.losses import characteristics_loss, hazard_loss, surface_loss
from engine.optimise import Run
from engine.prefetch import _shares
from engine.protocol import BadInput, HazardError
from engine.samples import BLOCKS, CHARACTERISTICS
from engine.simulate.chips import Batch

HERE = Path(__file__).resolve().parent
PROGRAM = str(HERE / "ranks_program.py")
STEPS = 4

long = pytest.mark.skipif(not os.environ.get("HAZARD_LONG"), reason="starts many processes; set HAZARD_LONG=1")


def run(folder, *changes, processes=1, when=None, limit_s=240):
    """Exit code, lines on stdout and on stderr of a short run on simulated scenes."""
    words = ["pretrain", "--data", "simulated", "--save", str(folder), "--encoder", "tu-mobilenetv3_small_050",
             "--epochs", "2", "--iterations", str(STEPS // 2), "--batch-size", "5", "--workers", "0", "--device", "cpu",
             "--json", *changes]  # fmt: skip
    launcher = [sys.executable]
    if processes > 1:
        launcher += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    environment = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")}
    environment.update(PYTHONPATH=str(HERE.parents[1]), OMP_NUM_THREADS="1", **({"WHEN": when} if when else {}))
    done = subprocess.run(
        [*launcher, PROGRAM, *words], capture_output=True, text=True, check=False, timeout=limit_s, env=environment
    )
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def curves(folder):
    return json.loads((folder / "card.json").read_text())["training"]["curves"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A run by one process."""
    folder = tmp_path_factory.mktemp("ranks") / "alone"
    code, out, err = run(folder)
    assert code == 0, err
    return folder, json.loads(out[0])


def can_launch():
    """Whether this PyTorch was built with what its launcher talks through; Debian's is not."""
    try:
        torch.distributed.TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
    except RuntimeError as error:
        if "libuv" in str(error):
            return False
        raise
    return True


launched = pytest.mark.skipif(not can_launch(), reason="PyTorch was built without libuv, which torchrun needs")


@launched
@pytest.mark.slow
def test_two_processes_make_the_loss_curve_that_one_makes(alone, tmp_path):
    folder, one = alone
    code, out, err = run(tmp_path / "two", processes=2)
    assert code == 0, err
    assert len(out) == 1, "only the first process tells"
    two = json.loads(out[0])
    assert (one["processes"], two["processes"]) == (1, 2) and two["steps"] == STEPS
    assert 0 <= two["waited"] <= 1
    ours, theirs = curves(tmp_path / "two"), curves(folder)
    assert len(theirs["loss"]) == STEPS and len(theirs["validation_loss"]) == 2
    for name in ("loss", "validation_loss"):
        assert [step for step, _ in ours[name]] == [step for step, _ in theirs[name]]
        values = [value for _, value in theirs[name]]
        assert [value for _, value in ours[name]] == pytest.approx(values, rel=2e-3)
    assert ours["loss"][0][1] == pytest.approx(theirs["loss"][0][1], rel=1e-6)


@long
def test_a_run_of_two_processes_stops_together_and_one_goes_on_with_it(alone, tmp_path):
    folder, _ = alone
    code, out, err = run(tmp_path / "parts", processes=2, when="cancel:1:2")
    assert code != 0 and out == []
    assert [line for line in err if "--resume goes on from there" in line] == ["Cancelled at step 2; --resume goes on "
                                                                              "from there."]  # fmt: skip
    assert (tmp_path / "parts" / "checkpoint.pt").is_file()
    code, out, err = run(tmp_path / "parts", "--resume")
    assert code == 0, err
    ours, theirs = curves(tmp_path / "parts"), curves(folder)
    assert [step for step, _ in ours["loss"]] == [1, 2, 3, 4]
    assert [value for _, value in ours["loss"]] == pytest.approx([value for _, value in theirs["loss"]], rel=2e-3)


@long
def test_a_process_that_dies_ends_the_others_with_one_sentence(tmp_path):
    code, out, err = run(tmp_path / "dead", processes=2, when="kill:1:1")
    assert code != 0 and out == []
    said = [line for line in err if "processes ended" in line]
    assert len(said) == 1 and "--resume" in said[0] and "Traceback" not in said[0]
    assert not (tmp_path / "dead" / "card.json").exists()


@long
def test_what_one_process_refuses_is_said_once(tmp_path):
    code, out, err = run(tmp_path / "few", "--batch-size", "2", processes=3)
    assert code != 0 and out == []
    assert len([line for line in err if line.startswith("A step of 2 chips leaves nothing for some of 3")]) == 1


def test_sums_of_shares_give_the_loss_of_the_whole():
    draw = torch.Generator().manual_seed(0)
    logits = torch.randn((6, 2, 8, 8), generator=draw)
    labels = (torch.rand((6, 2, 8, 8), generator=draw) > 0.8).to(torch.uint8)
    labels[:4, 0, :4] = 255  # shares differ in what is judged
    predicted, target = torch.randn((6, CHARACTERISTICS), generator=draw), torch.zeros((6, CHARACTERISTICS))
    known = torch.zeros((6, CHARACTERISTICS))
    for row, block in ((0, 0), (1, 1), (5, 2)):
        target[row, BLOCKS[block].start], known[row, BLOCKS[block]] = 1.0, 1.0
    artificial = torch.tensor([0, 1, 255, 255, 255, 1], dtype=torch.uint8)

    def losses(rows, pool):
        return (
            hazard_loss(logits[rows], labels[rows], ("flood", "landslide"), pool=pool),
            surface_loss(logits[rows, :1], labels[rows, 0], artificial[rows], None, 2.0, pool),
            characteristics_loss(predicted[rows], target[rows], known[rows], pool),
        )

    whole = losses(slice(0, 6), lambda sums: sums)
    parts = []  # what either share adds up, in the order in which it is asked for
    for rows in (slice(0, 4), slice(4, 6)):
        asked = []
        losses(rows, lambda sums, asked=asked: asked.append(sums) or sums)
        parts.append(asked)
    totals = iter([a + b for a, b in zip(*parts, strict=True)])
    pooled = losses(slice(0, 4), lambda sums: next(totals))
    assert [float(value) for value in pooled] == pytest.approx([float(value) for value in whole], rel=1e-6)
    apart = losses(slice(0, 4), lambda sums: sums)
    assert float(apart[0]) != pytest.approx(float(whole[0]), rel=1e-3)


def test_a_batch_is_cut_into_shares_that_make_it_up():
    planes = torch.arange(5.0).view(5, 1, 1, 1)
    labels = torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1)
    parts = _shares(Batch(planes, labels, labels[:, 0], skipped=("bad",)), 2)
    assert [part.planes.shape[0] for part in parts] == [3, 2]
    assert torch.equal(torch.cat([part.planes for part in parts]), planes)
    assert torch.equal(torch.cat([part.labels for part in parts]), labels)
    assert [part.skipped for part in parts] == [("bad",), ()]
    assert all(part.planes.untyped_storage().nbytes() == part.planes.nbytes for part in parts)
    assert all(isinstance(part, BadInput) for part in _shares(Batch(planes, labels, labels[:, 0]), 6))
    error = HazardError("Gone.")
    assert _shares(error, 3) == [error] * 3


def test_alone_nothing_is_shared():
    with joined("cpu", {"RANK": "0"}) as ranks:
        assert (ranks.rank, ranks.count, ranks.leads, str(ranks.device)) == (0, 1, True, "cpu")
        sums, network = torch.ones(2), nn.Linear(1, 1)
        assert ranks.pool(sums) is sums and ranks.wrap(network) is network
        assert ranks.first(lambda: 7) == 7 and ranks.largest(1.0, 0.0) == (1.0, 0.0)


@pytest.mark.parametrize(("wanted", "word"), [("cuda:1", "each process needs its own"), ("mps", "each process")])
def test_a_device_that_processes_cannot_share_is_refused(wanted, word):
    environment = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "x", "MASTER_PORT": "1"}
    with pytest.raises(BadInput, match=word), joined(wanted, environment):
        pass


def test_enough_chips_are_asked_for():
    ranks = Ranks(count=8)
    ranks.require_enough(32, 8)
    with pytest.raises(BadInput, match="--batch-size of 32 or more"):
        ranks.require_enough(16, 4)


def test_the_share_of_waiting_is_of_the_time_of_learning():
    assert Run().waited is None
    assert Run(learning_s=8.0, waited_s=2.0).waited == 0.25
