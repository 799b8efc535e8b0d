"""Prints how an archive gains from a second worker: scenes a minute with 1 and 2, as a ratio within one run.

The cores are the same for both: one worker computes with all threads, two with half of them each. The span from the
first scene's begin to the last one's end is compared, so that the start of the workers, which does not grow with the
archive, is left out; the whole is told beside it.
"""

import argparse
import json
import os
import sqlite3
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from bench import write_scene  # noqa: E402


def span_s(table: str) -> float:
    """Seconds between the begin of the first scene and the end of the last one, as the table tells them."""
    with sqlite3.connect(table) as database:
        rows = database.execute("SELECT finished_at, seconds FROM archive").fetchall()
    ends = [datetime.fromisoformat(end.replace("Z", "+00:00")).timestamp() for end, _ in rows]
    return max(ends) - min(end - seconds for end, (_, seconds) in zip(ends, rows, strict=True))


def scaling(folder: Path, scenes: int, size_px: int) -> dict[str, float]:
    """Seconds of the same archive with one and with two workers, each twice in turn; the quicker time counts."""
    from engine.archive import archive
    from engine.archive_workers import cores
    from engine.protocol import ArchiveJob

    for number in range(scenes):
        write_scene(folder / "scenes" / f"{number:03}.tif", size_px, size_px)
    whole: dict[int, list[float]] = {1: [], 2: []}
    span: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(2):
        for workers in (1, 2):
            out = folder / f"out_{workers}_{turn}"
            began = time.perf_counter()
            result = archive(
                ArchiveJob(str(folder / "scenes"), str(out), "flood", model="unet", workers=workers, device="cpu")
            )
            whole[workers].append(time.perf_counter() - began)
            if result["done"] != scenes:
                raise SystemExit(str(result["failures"]))
            span[workers].append(span_s(result["table"]))
    one, two = min(span[1]), min(span[2])
    return {
        "archive_scenes": scenes,
        "archive_size_px": size_px,
        "archive_cores": cores(),
        "archive_1_worker_s": one,
        "archive_2_workers_s": two,
        "archive_scaling_1_to_2": one / two,
        "archive_1_worker_whole_s": min(whole[1]),
        "archive_2_workers_whole_s": min(whole[2]),
    }


def main() -> int:
    """Print the figures as one JSON value."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=6)
    parser.add_argument("--size-px", type=int, default=1024)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(Path(folder) / "scenes")
        figures = scaling(Path(folder), options.scenes, options.size_px)
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
