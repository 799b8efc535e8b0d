"""Trains what the scorecard's ablations and unseen hazards need, on simulated scenes, and scores it all.

For each architecture, with the same seed:

* ``<architecture>-pretrained``: natural against artificial, ``--pretrain-minutes``
* ``<architecture>-full``: from it, all hazards, ``--minutes``
* ``<architecture>-without-<hazard>``: from it, one hazard never seen, ``--minutes``
* ``<architecture>-from-scratch``: all hazards without pre-training, for as long as both together
* ``<architecture>-as-long-from-scratch``, with ``--steps``: the same for as many steps as ``-full`` sees hazards
* ``<architecture>-all-bands-pretrained`` and ``-all-bands``: both stages on all bands of each sensor only

Models that are there already are kept, and unfinished runs go on, so that the command can be repeated until all is
done. Pre-training never sees a hazard label, but its scenes show all hazards as natural ground.

    nice python tests/benchmarks/ablations.py --minutes 20 --architectures unet
    nice python tests/benchmarks/ablations.py --steps 350 --batch-size 32 --architectures unet
    HAZARD_DATA=folder python tests/benchmarks/ablations.py --score-only

Minutes make other machines' runs longer or shorter; with ``--steps`` rows of several machines can be compared.

On a GPU most of the time goes into simulating scenes. With ``--together`` all pre-trainings go on at once, then all
trainings; runs whose batches are the same share them (``together.py``), and ``--workers`` processes in all simulate. It
trains and does not score. The minutes are the same for each run, but on few cores each makes fewer steps in them.

    python tests/benchmarks/ablations.py --together --workers 16 --minutes 5 --pretrain-minutes 2
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOGETHER = Path(__file__).with_name("together.py")
HAZARDS = ("flood", "landslide", "glacier_collapse")
ARCHITECTURES = ("unet", "unetplusplus", "attention_unet", "residual_unet")


@dataclass(frozen=True)
class Run:
    """One training run: the model's name and the command without --save, --seed and --resume."""

    name: str
    words: tuple[str, ...]

    @property
    def stream(self) -> tuple[str, str | None, bool]:
        """What makes its batches differ from another run's: kind, hazard left out, whether all bands are kept."""
        left_out = self.words[self.words.index("--leave-out") + 1] if "--leave-out" in self.words else None
        return self.words[0], left_out, "--all-bands" in self.words


@dataclass(frozen=True)
class Group:
    """Runs that learn from the same batches.

    Attributes:
        name: to tell of it.
        runs: with all of their words.
        workers: processes that simulate.
        validation_scenes: held-out scenes at most; as many as the engine chooses where None.
    """

    name: str
    runs: tuple[Run, ...]
    workers: int
    validation_scenes: int | None = None

    def to_json(self) -> str:
        """For a command line."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Group":
        """What ``to_json`` made."""
        values = json.loads(text)
        runs = tuple(Run(run["name"], tuple(run["words"])) for run in values.pop("runs"))
        return cls(runs=runs, **values)


def runs_of(architecture: str, out: Path, given: argparse.Namespace) -> Iterator[Run]:
    """All runs of one architecture, each after those that it starts from."""
    first, second = _length(given.pretrain_minutes, given.pretrain_steps), _length(given.minutes, given.steps)
    both = _length(given.pretrain_minutes + given.minutes, given.steps and given.pretrain_steps + given.steps)
    pretrained, on_all_bands = f"{architecture}-pretrained", f"{architecture}-all-bands-pretrained"
    fresh, simulated = ("--architecture", architecture), ("--data", "simulated")

    def start(name: str) -> tuple[str, str]:
        return "--model", str(out / name)

    yield Run(pretrained, ("pretrain", *simulated, *fresh, *first))
    yield Run(f"{architecture}-full", ("train", *simulated, *start(pretrained), *second))
    for hazard in given.hazards:
        lacking = ("--leave-out", hazard, *second)
        yield Run(f"{architecture}-without-{hazard}", ("train", *simulated, *start(pretrained), *lacking))
    ablated = given.architectures if given.ablate_architectures is None else given.ablate_architectures
    ablations = given.ablations if architecture in ablated else ()
    if "no pre-training" in ablations:
        yield Run(f"{architecture}-from-scratch", ("train", *simulated, *fresh, *both))
        if given.steps:
            yield Run(f"{architecture}-as-long-from-scratch", ("train", *simulated, *fresh, *second))
    if "no channel sampling" in ablations:
        yield Run(on_all_bands, ("pretrain", *simulated, *fresh, "--all-bands", *first))
        words = ("train", *simulated, *start(on_all_bands), "--all-bands", *second)
        yield Run(f"{architecture}-all-bands", words)


def _length(minutes: float, steps: int | None) -> tuple[str, ...]:
    """How long a run goes on, in words: so many steps in one pass where they are given, else minutes."""
    return ("--epochs", "1", "--iterations", str(steps)) if steps else ("--minutes", str(minutes))


def to_do(run: Run, out: Path, given: argparse.Namespace) -> Run | None:
    """The run with all of its words, which go on where an earlier run stopped; None if its model is there."""
    folder = out / run.name
    if (folder / "card.json").is_file():
        print(f"{run.name}: there already", flush=True)
        return None
    words = [*run.words, "--save", str(folder), "--seed", str(given.seed), "--device", given.device]
    if given.batch_size is not None:
        words += ["--batch-size", str(given.batch_size)]
    if (folder / "checkpoint.pt").is_file():
        words.append("--resume")
    print("python -m engine", *words, flush=True)
    return Run(run.name, tuple(words))


def carry_out(run: Run, out: Path, given: argparse.Namespace) -> None:
    """Train unless the model is there. Ends the program if the run fails."""
    complete = to_do(run, out, given)
    if complete is None:
        return
    ended = subprocess.run([sys.executable, "-m", "engine", *complete.words], cwd=ROOT)
    if ended.returncode:
        sys.exit(f"{run.name} ended with exit code {ended.returncode}; run the same command to go on.")


def groups_of(runs: Sequence[Run], workers: int, validation_scenes: int | None = None) -> list[Group]:
    """Runs of one stage by what they learn from; each group has its share of the workers, by its networks."""
    streams: dict[tuple[str, str | None, bool], list[Run]] = {}
    for run in runs:
        streams.setdefault(run.stream, []).append(run)
    shares = shares_of(workers, [len(members) for members in streams.values()])
    groups = []
    for ((kind, left_out, all_bands), members), share in zip(streams.items(), shares, strict=True):
        name = kind + (f" without {left_out}" if left_out else "") + (" on all bands" if all_bands else "")
        groups.append(Group(name, tuple(members), share, validation_scenes))
    return groups


def shares_of(workers: int, sizes: Sequence[int]) -> list[int]:
    """``workers`` in proportion to ``sizes``, at least one each, even if they then are more."""
    shares = [1] * len(sizes)
    for _ in range(workers - len(sizes)):
        neediest = max(range(len(sizes)), key=lambda index: sizes[index] / shares[index], default=None)
        if neediest is not None:
            shares[neediest] += 1
    return shares


def carry_out_together(runs: Sequence[Run], out: Path, given: argparse.Namespace) -> int:
    """Pre-train, then train, all groups of a stage at once; the exit code, 1 where a run failed."""
    failed = False
    for kind in ("pretrain", "train"):
        stage = [todo for run in runs if run.words[0] == kind and (todo := to_do(run, out, given)) is not None]
        threads = os.environ.get("OMP_NUM_THREADS", str(max(1, given.workers // max(1, len(stage)))))
        environment = {**os.environ, "OMP_NUM_THREADS": threads}
        started = [
            subprocess.Popen([sys.executable, str(TOGETHER), group.to_json()], cwd=ROOT, env=environment)
            for group in groups_of(stage, given.workers, given.validation_scenes)
        ]
        try:
            codes = [process.wait() for process in started]
        except BaseException:
            for process in started:
                process.terminate()  # each writes the checkpoints of its runs
            for process in started:
                process.wait()
            raise
        failed = failed or any(codes)
    if failed:
        print("Some runs failed; run the same command to go on.", file=sys.stderr)
    return int(failed)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0, help="of each hazard training (default 20)")
    parser.add_argument("--pretrain-minutes", type=float, help="of each pre-training; half of --minutes by default")
    parser.add_argument("--steps", type=int, metavar="N", help="of each hazard training, in place of minutes")
    parser.add_argument("--pretrain-steps", type=int, metavar="N", help="of each pre-training; as many by default")
    parser.add_argument("--architectures", type=_names, default=ARCHITECTURES, help="comma-separated; all by default")
    parser.add_argument("--hazards", type=_names, default=HAZARDS, help="to be left out in turn; all by default")
    parser.add_argument("--ablations", type=_names, default=("no pre-training", "no channel sampling"))
    parser.add_argument(
        "--ablate-architectures", type=_names, metavar="NAMES", help="those that --ablations are of; all by default"
    )
    parser.add_argument("--batch-size", type=int, metavar="N", help="chips a step; the engine's by default")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda:N or mps")
    parser.add_argument("--together", action="store_true", help="train at once what shares batches, and score nothing")
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes that simulate, in all, with --together; as many as there are cores by default",
    )
    parser.add_argument(
        "--validation-scenes", type=int, metavar="N", help="held-out scenes of a run with --together, at most"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "ablations")
    parser.add_argument("--sets", help="sets to score whose names begin so, comma-separated; all by default")
    parser.add_argument("--adapt", metavar="MODES", help="score each model adapted to scenes, too, in these modes")
    parser.add_argument("--adapt-scenes", default="3", metavar="N", help="scenes a set to adapt to (default 3)")
    parser.add_argument("--score-only", action="store_true", help="score the models that are there, train none")
    given = parser.parse_args()
    if given.workers < 1 or (given.validation_scenes is not None and given.validation_scenes < 1):
        parser.error("--workers and --validation-scenes are 1 or more")
    if given.pretrain_minutes is None:
        given.pretrain_minutes = given.minutes / 2
    if given.pretrain_steps is None:
        given.pretrain_steps = given.steps
    if given.pretrain_steps and not given.steps:
        parser.error("--pretrain-steps goes with --steps")
    out = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    runs = [run for architecture in given.architectures for run in runs_of(architecture, out, given)]
    if given.together and not given.score_only:
        return carry_out_together(runs, out, given)
    if not given.score_only:
        for run in runs:
            carry_out(run, out, given)
    scored = [run for run in runs if run.words[0] == "train" and (out / run.name / "card.json").is_file()]
    if not scored:
        sys.exit(f"There is no trained model in {out}; run without --score-only first.")
    words = ["scorecard", "--models", ",".join(str(out / run.name) for run in scored)]
    words += ["--markdown", str(out / "scorecard.md"), "--overwrite"]
    words += ["--sets", given.sets] if given.sets else []
    words += ["--adapt", given.adapt, "--adapt-scenes", given.adapt_scenes] if given.adapt else []
    return subprocess.run([sys.executable, "-m", "engine", *words], cwd=ROOT, env=os.environ).returncode


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


if __name__ == "__main__":
    sys.exit(main())
