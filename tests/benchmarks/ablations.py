"""Trains what the scorecard's ablations and unseen hazards need, on simulated scenes, and scores it all.

For each architecture, with the same seed:

* ``<architecture>-pretrained``: natural against artificial, ``--pretrain-minutes``
* ``<architecture>-full``: from it, all hazards, ``--minutes``
* ``<architecture>-without-<hazard>``: from it, one hazard never seen, ``--minutes``
* ``<architecture>-from-scratch``: all hazards without pre-training, for as long as both together
* ``<architecture>-all-bands-pretrained`` and ``-all-bands``: both stages on all bands of each sensor only

Models that are there already are kept, and unfinished runs go on, so that the command can be repeated until all is
done. Pre-training never sees a hazard label, but its scenes show all hazards as natural ground.

    nice python tests/benchmarks/ablations.py --minutes 20 --architectures unet
    HAZARD_DATA=folder python tests/benchmarks/ablations.py --score-only
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HAZARDS = ("flood", "landslide", "glacier_collapse")
ARCHITECTURES = ("unet", "unetplusplus", "attention_unet", "residual_unet")


@dataclass(frozen=True)
class Run:
    """One training run: the model's name and the command without --save, --seed and --resume."""

    name: str
    words: tuple[str, ...]


def runs_of(architecture: str, out: Path, given: argparse.Namespace) -> Iterator[Run]:
    """All runs of one architecture, each after those that it starts from."""
    first, second = str(given.pretrain_minutes), str(given.minutes)
    both = str(given.pretrain_minutes + given.minutes)
    pretrained, on_all_bands = f"{architecture}-pretrained", f"{architecture}-all-bands-pretrained"
    fresh, simulated = ("--architecture", architecture), ("--data", "simulated")

    def start(name: str) -> tuple[str, str]:
        return "--model", str(out / name)

    yield Run(pretrained, ("pretrain", *simulated, *fresh, "--minutes", first))
    yield Run(f"{architecture}-full", ("train", *simulated, *start(pretrained), "--minutes", second))
    for hazard in given.hazards:
        lacking = ("--leave-out", hazard, "--minutes", second)
        yield Run(f"{architecture}-without-{hazard}", ("train", *simulated, *start(pretrained), *lacking))
    if "no pre-training" in given.ablations:
        yield Run(f"{architecture}-from-scratch", ("train", *simulated, *fresh, "--minutes", both))
    if "no channel sampling" in given.ablations:
        yield Run(on_all_bands, ("pretrain", *simulated, *fresh, "--all-bands", "--minutes", first))
        words = ("train", *simulated, *start(on_all_bands), "--all-bands", "--minutes", second)
        yield Run(f"{architecture}-all-bands", words)


def carry_out(run: Run, out: Path, seed: int) -> None:
    """Train unless the model is there; go on where an earlier run stopped. Ends the program if the run fails."""
    folder = out / run.name
    if (folder / "card.json").is_file():
        print(f"{run.name}: there already", flush=True)
        return
    words = [*run.words, "--save", str(folder), "--seed", str(seed)]
    if (folder / "checkpoint.pt").is_file():
        words.append("--resume")
    print("python -m engine", *words, flush=True)
    ended = subprocess.run([sys.executable, "-m", "engine", *words], cwd=ROOT)
    if ended.returncode:
        sys.exit(f"{run.name} ended with exit code {ended.returncode}; run the same command to go on.")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0, help="of each hazard training (default 20)")
    parser.add_argument("--pretrain-minutes", type=float, help="of each pre-training; half of --minutes by default")
    parser.add_argument("--architectures", type=_names, default=ARCHITECTURES, help="comma-separated; all by default")
    parser.add_argument("--hazards", type=_names, default=HAZARDS, help="to be left out in turn; all by default")
    parser.add_argument("--ablations", type=_names, default=("no pre-training", "no channel sampling"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "ablations")
    parser.add_argument("--sets", help="sets to score whose names begin so, comma-separated; all by default")
    parser.add_argument("--adapt", metavar="MODES", help="score each model adapted to scenes, too, in these modes")
    parser.add_argument("--adapt-scenes", default="3", metavar="N", help="scenes a set to adapt to (default 3)")
    parser.add_argument("--score-only", action="store_true", help="score the models that are there, train none")
    given = parser.parse_args()
    if given.pretrain_minutes is None:
        given.pretrain_minutes = given.minutes / 2
    out = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    runs = [run for architecture in given.architectures for run in runs_of(architecture, out, given)]
    if not given.score_only:
        for run in runs:
            carry_out(run, out, given.seed)
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
