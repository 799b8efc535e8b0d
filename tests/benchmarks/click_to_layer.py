"""Prints seconds from the click to what is drawn then, cold and warm, in real QGIS: a view's mask, a first estimate.

Run by ``make bench``, on a virtual screen. Cold: QGIS has just opened, no worker runs yet. Warm: a later click.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "demo"))
sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))

from bench import write_scene  # noqa: E402
from demo import prepare_profile  # noqa: E402

LIMIT_S = 300
COLUMNS, ROWS = 6000, 4000
SESSIONS = ("view,view,scene", "scene")
AIMS_S = {("view", True): 10, ("view", False): 2, ("scene", True): 10, ("scene", False): 2}


def clicks_in_qgis(clicks: str, scene: Path, folder: str) -> list[dict]:
    """What a fresh QGIS measured for these clicks; raises FileNotFoundError if it ended without a measurement."""
    out = Path(folder) / clicks.replace(",", "_")
    out.mkdir()
    environment = {
        **os.environ,
        "HAZARD_ENGINE_PYTHON": sys.executable,
        "HAZARD_BENCH_SCENE": str(scene),
        "HAZARD_BENCH_OUT": str(out),
        "HAZARD_BENCH_CLICKS": clicks,
    }
    program = ["qgis", "--nologo", "--noversioncheck", "--profiles-path", str(prepare_profile())]
    program += ["--code", str(ROOT / "tests" / "benchmarks" / "click_in_qgis.py")]
    subprocess.run(program, env=environment, capture_output=True, timeout=LIMIT_S, check=False)
    found: list[dict] = json.loads((out / "clicks.json").read_text(encoding="utf-8"))
    return found


def main() -> int:
    """Write a scene, let QGIS click on it, and print the seconds, or with --json all that was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        scene = Path(folder) / "scene.tif"
        write_scene(scene, COLUMNS, ROWS)
        try:
            clicks = [click for session in SESSIONS for click in clicks_in_qgis(session, scene, folder)]
        except (FileNotFoundError, subprocess.TimeoutExpired):
            print("QGIS ended without a measurement.", file=sys.stderr)
            return 1
    if options.json:
        print(json.dumps({"load_before": load, "clicks": clicks}))
        return 0
    for click in clicks:
        if "seconds" not in click:
            print(f"A click ended without a measurement: {click.get('failed', 'nothing was shown')}", file=sys.stderr)
            return 1
        how, aim = "cold" if click["cold"] else "warm", AIMS_S[click["kind"], click["cold"]]
        if click["kind"] == "view":
            print(
                f"Click to layer, {how}: {click['seconds']:.2f} s for {click['columns']} x {click['rows']} pixels, "
                f"of which {click['engine_seconds']:.2f} s in the engine (aim: under {aim})"
            )
        else:
            print(
                f"Click to first estimate, {how}: {click['seconds']:.2f} s for {COLUMNS} x {ROWS} pixels, at "
                f"{click['pixel_m']:.0f} m (aim: under {aim})"
            )
    print(f"Load of the machine before: {load:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
