"""Prints how an archive gains from a second worker: scenes a minute with 1 and 2, as ratios within one run.

The cores are the same for both: one worker computes with all threads, two with half of them each. Starting the
workers is told apart, because it does not grow with the archive. ``archive_overhead`` is what the archive takes beyond
the same scenes one after another in one process.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from bench import write_scene  # noqa: E402


def scaling(folder: Path, scenes: int, size_px: int) -> dict[str, float]:
    """Seconds of the same archive in this process, with one and with two workers."""
    from engine.archive import archive
    from engine.archive_workers import cores
    from engine.protocol import ArchiveJob

    for number in range(scenes):
        write_scene(folder / "scenes" / f"{number:03}.tif", size_px, size_px)
    seconds = {}
    for name, workers in (("here", 0), ("one", 1), ("two", 2), ("one_again", 1), ("two_again", 2)):
        began = time.perf_counter()
        result = archive(
            ArchiveJob(str(folder / "scenes"), str(folder / name), "flood", model="unet", workers=workers, device="cpu")
        )
        seconds[name] = time.perf_counter() - began
        if result["done"] != scenes:
            raise SystemExit(f"{result['failures']}")
    one = min(seconds["one"], seconds["one_again"])
    two = min(seconds["two"], seconds["two_again"])
    return {
        "archive_scenes": scenes,
        "archive_size_px": size_px,
        "archive_cores": cores(),
        "archive_here_s": seconds["here"],
        "archive_1_worker_s": one,
        "archive_2_workers_s": two,
        "archive_scaling_1_to_2": one / two,
        "archive_overhead": one / seconds["here"],
    }


def main() -> int:
    """Print the figures as one JSON value."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=8)
    parser.add_argument("--size-px", type=int, default=1500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(Path(folder) / "scenes")
        figures = scaling(Path(folder), options.scenes, options.size_px)
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
