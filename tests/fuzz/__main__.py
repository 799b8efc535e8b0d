"""Gives the engine what nobody should: damaged files, hostile messages, kills and full disks, by the thousand.

    python -m tests.fuzz [--topic rasters,jobs] [--count N] [--first N] [--keep FOLDER]

Each case follows from its topic and number alone: ``--topic cards --first 17 --count 1 --keep FOLDER`` brings one back.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import importlib
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.batches import Outcome, Topic, fuzz

TOPICS = ("rasters", "vectors", "jobs", "cards", "weights", "kills", "disks")


def load(name: str) -> Topic:
    """Topic by its name."""
    topic: Topic = importlib.import_module(f"tests.fuzz.{name}").TOPIC
    return topic


def tell(name: str, outcomes: list[Outcome], seconds: float) -> int:
    """Print how the cases of a topic ended; returns how many ended as they should not."""
    faults = [outcome for outcome in outcomes if outcome.fault]
    ends = collections.Counter("sentence" if ended.code else "result" for ended in outcomes if not ended.fault)
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    print(
        f"{name:<8} {len(outcomes):>5} cases {ends['result']:>5} results {ends['sentence']:>5} sentences "
        f"{len(faults):>3} faults {seconds:>5.0f} s, slowest {slowest.seconds:.1f} s (case {slowest.number})",
        flush=True,
    )
    for fault in faults:
        print(f"  case {fault.number} ({fault.base}, {fault.command}): {fault.fault}  {fault.said}", flush=True)
    return len(faults)


def main() -> int:
    """Run and print a summary; the exit code is 1 if any case ended as it should not."""
    parser = argparse.ArgumentParser(description="Give the engine what nobody should.")
    parser.add_argument("--topic", default=",".join(TOPICS), help="some of " + ", ".join(TOPICS))
    parser.add_argument("--count", type=int, help="cases a topic")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the files; those of faulty cases stay there")
    options = parser.parse_args()
    faults = cases = 0
    began = time.monotonic()
    for name in options.topic.split(","):
        topic = load(name)
        started = time.monotonic()
        with contextlib.ExitStack() as stack:
            folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            outcomes = fuzz(topic, options.first, options.count or topic.count, folder.resolve() / name)
        faults += tell(name, outcomes, time.monotonic() - started)
        cases += len(outcomes)
    print(f"{cases} cases, {faults} faults, {time.monotonic() - began:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
