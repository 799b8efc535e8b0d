"""Runs the demo: real QGIS with the plugin in a throw-away profile, on the given scene or an embedded simulated one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "demo"
SETTINGS = """[PythonPlugins]
hazard_mapper=true

[qgis]
checkVersion=false
showTips322=false
showTips340=false
showTips344=false
iconSize=24

[migration]
fileVersion=2
settings=true

[app]
projections\\unknownCrsBehavior=NoAction
"""
LIMIT_S = 25 * 60


def prepare_profile():
    """Make a fresh profile in which the plugin is installed and enabled; returns the folder of profiles."""
    profiles = BUILD / "profile"
    shutil.rmtree(profiles, ignore_errors=True)
    default = profiles / "profiles" / "default"
    (default / "python" / "plugins").mkdir(parents=True)
    (default / "python" / "plugins" / "hazard_mapper").symlink_to(ROOT, target_is_directory=True)
    (default / "QGIS").mkdir()
    (default / "QGIS" / "QGIS3.ini").write_text(SETTINGS, encoding="utf-8")
    return profiles


def prepare_scene(named):
    """Absolute path of the scene; without one, the embedded simulated flood."""
    if named:
        path = Path(named).expanduser()
        return str(path.resolve()) if path.exists() else named
    path = BUILD / "simulated_flood.tif"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "engine.demo_scene", str(path)], cwd=ROOT, check=True)
    return str(path)


def run_qgis(profiles, environment):
    """Run QGIS on the display there is, else on a virtual one; returns its exit code."""
    program = ["qgis", "--nologo", "--noversioncheck", "--profiles-path", str(profiles)]
    program += ["--code", str(ROOT / "tests" / "demo" / "run_demo.py")]
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        program = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", *program]
    log = BUILD / "qgis.log"
    with open(log, "w", encoding="utf-8") as output:
        return subprocess.run(program, env=environment, stdout=output, stderr=output, timeout=LIMIT_S).returncode


def main():
    """Prepare, run and report; returns the exit code."""
    named = os.environ.get("SCENE", "").strip()
    out = BUILD / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    try:
        scene = prepare_scene(named)
    except subprocess.CalledProcessError:
        print("The simulated scene could not be made; see above.", file=sys.stderr)
        return 1
    environment = {
        **os.environ,
        "HAZARD_ENGINE_PYTHON": sys.executable,
        "HAZARD_DEMO_SCENE": scene,
        "HAZARD_DEMO_HAZARD": os.environ.get("HAZARD", "").strip() or "flood",
        "HAZARD_DEMO_BANDS": os.environ.get("BANDS", "").strip(),
        "HAZARD_DEMO_UNITS": os.environ.get("UNITS", "").strip(),
        "HAZARD_DEMO_OUT": str(out),
    }
    print(f"Scene       {scene}" + ("" if named else "  (simulated, not a real flood)"), flush=True)
    try:
        code = run_qgis(prepare_profile(), environment)
    except subprocess.TimeoutExpired:
        print(f"QGIS did not end; see {BUILD / 'qgis.log'}.", file=sys.stderr)
        return 1
    error = out / "error.txt"
    if error.exists():
        print(error.read_text(encoding="utf-8").strip(), file=sys.stderr)
        return 1
    if not (out / "result.json").exists():
        print(f"QGIS ended with {code} before the demo did; see {BUILD / 'qgis.log'}.", file=sys.stderr)
        return 1
    report(json.loads((out / "result.json").read_text(encoding="utf-8")))
    return 0


def report(found):
    """Say where everything is and what was found."""
    print(f"Mask        {found['OUTPUT']}")
    print(f"Probability {found.get('PROBABILITY', 'none')}")
    print(f"Map picture {found['map']}")
    print(f"QGIS window {found['window']}")
    hazard = found["hazard"].replace("_", " ").capitalize()
    print(
        f"{hazard} {found['HAZARD_AREA_M2'] / 1e6:.3f} km2, "
        f"{100 * found['SHARE_ASSESSED']:.1f} % of the scene assessed, "
        f"{found['SECONDS']:.1f} s on {found['DEVICE_USED']} with model {found['MODEL_USED']}"
    )
    for warning in str(found.get("WARNINGS") or "").splitlines():
        print(f"Warning: {warning}")


if __name__ == "__main__":
    sys.exit(main())
