"""Prints seconds from the click to the drawn layer for a 1024 x 1024 view, cold and warm, in real QGIS.

Run by ``make bench``, on a virtual screen. Cold: QGIS has just opened, no worker runs yet. Warm: the second click.
"""

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


def main():
    """Write a scene, let QGIS click twice on it, and print the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        scene = Path(folder) / "scene.tif"
        write_scene(scene, 3000, 2000)
        environment = {
            **os.environ,
            "HAZARD_ENGINE_PYTHON": sys.executable,
            "HAZARD_BENCH_SCENE": str(scene),
            "HAZARD_BENCH_OUT": folder,
        }
        program = ["qgis", "--nologo", "--noversioncheck", "--profiles-path", str(prepare_profile())]
        program += ["--code", str(ROOT / "tests" / "benchmarks" / "click_in_qgis.py")]
        subprocess.run(program, env=environment, capture_output=True, timeout=LIMIT_S, check=False)
        found = Path(folder) / "clicks.json"
        if not found.exists():
            print("QGIS ended without a measurement.", file=sys.stderr)
            return 1
        clicks = json.loads(found.read_text(encoding="utf-8"))
    for name, aim in (("cold", 10), ("warm", 2)):
        click = clicks[name]
        print(
            f"Click to layer, {name}: {click['seconds']:.2f} s for {click['columns']} x {click['rows']} pixels, "
            f"of which {click['engine_seconds']:.2f} s in the engine (aim: under {aim})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
