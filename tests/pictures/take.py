"""Takes the pictures of README and help: real QGIS in a throw-away profile, on simulated scenes only.

``make pictures`` writes resources/help/pictures/*.png. What a picture shows is told in story.py. Scenes, masks and what
QGIS said are left in build/pictures.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from osgeo import gdal
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "demo")]

import demo  # noqa: E402

from engine.protocol import OPTICAL_SLOTS  # noqa: E402
from engine.raster import write_simulated_scene  # noqa: E402
from engine.score_shifted import SHIFTED_SEED, shifted  # noqa: E402
from engine.simulate import compose_scene, simulate_scene  # noqa: E402

BUILD = ROOT / "build" / "pictures"
PICTURES = ROOT / "resources" / "help" / "pictures"
SLOTS = OPTICAL_SLOTS[1:]
GSD_M = 10.0
FLOOD_SEED, FLOOD_SIZE_PX = 38, 900
SHIFT_NUMBER, SHIFT_SIZE_PX = 8, 768
"""A scene under a sensor gain that training does not draw; adapting is expected to help there."""
WIDEST_PX = {"window": 1180, "map_sheet": 730}
COLOURS = 128
LIMIT_S = 30 * 60
HAZARD_COLOURS = {"flood": (31, 120, 220), "landslide": (230, 97, 1), "glacier_collapse": (152, 46, 158)}


def write_scenes(folder: Path) -> None:
    """The flood that most pictures show, with a corner beyond the swath, and the one that is adapted to."""
    folder.mkdir(parents=True)
    values, _ = simulate_scene(FLOOD_SEED, FLOOD_SIZE_PX, "flood", SLOTS, GSD_M)
    path = folder / "Simulated flood.tif"
    write_simulated_scene(str(path), values, GSD_M, FLOOD_SEED)
    leave_out_a_corner(path)
    seed = SHIFTED_SEED + SHIFT_NUMBER
    scene = compose_scene(seed, SHIFT_SIZE_PX, "flood")
    planes = shifted(scene.values[[scene.slots.index(slot) for slot in SLOTS]], SLOTS, "gain", seed)
    named = {slot: planes[index].numpy() for index, slot in enumerate(SLOTS)}
    write_simulated_scene(str(folder / "Unusual sensor.tif"), named, GSD_M, seed)


def leave_out_a_corner(path: Path) -> None:
    """Take out what a satellite's swath does not reach."""
    dataset = gdal.Open(str(path), gdal.GA_Update)
    rows, columns = np.mgrid[: dataset.RasterYSize, : dataset.RasterXSize]
    beyond = columns + 0.35 * rows < 0.2 * dataset.RasterXSize
    for index in range(1, dataset.RasterCount + 1):
        band = dataset.GetRasterBand(index)
        pixels = band.ReadAsArray()
        pixels[beyond] = 0
        band.WriteArray(pixels)
        band.SetNoDataValue(0)
    dataset = None


def draw_training_scenes(out: Path) -> None:
    """What the bundled networks learned from: a simulated scene of each hazard, above its labels."""
    side, gap = 232, 8
    sheet = Image.new("RGB", (3 * side + 2 * gap, 2 * side + gap), "white")
    for column, (hazard, seed) in enumerate((("flood", 53), ("landslide", 54), ("glacier_collapse", 50))):
        values, labels = simulate_scene(seed, side, hazard, SLOTS, GSD_M)
        colours = np.stack([values[slot] for slot in ("red", "green", "blue")], axis=-1)
        low, high = np.quantile(colours, (0.02, 0.98))
        natural = (255 * ((colours - low) / (high - low)).clip(0, 1) ** 0.8).astype(np.uint8)
        grey = np.repeat(natural.mean(axis=-1, keepdims=True) * 0.6 + 60, 3, axis=-1).astype(np.uint8)
        for name, colour in HAZARD_COLOURS.items():
            grey[labels[name] == 1] = colour
        for row, picture in enumerate((natural, grey)):
            sheet.paste(Image.fromarray(picture), (column * (side + gap), row * (side + gap)))
    sheet.save(out / "training_scenes.png")


def put_beside(out: Path, names: tuple[str, str], name: str) -> None:
    """Make one picture of two."""
    left, right = (Image.open(out / f"{part}.png").convert("RGB") for part in names)
    both = Image.new("RGB", (left.width + 8 + right.width, max(left.height, right.height)), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 8, 0))
    both.save(out / f"{name}.png")
    for part in names:
        (out / f"{part}.png").unlink()


def shrink(source: Path, target: Path) -> int:
    """Write a picture with few colours; returns its bytes."""
    picture = Image.open(source).convert("RGB")
    widest = WIDEST_PX.get(source.stem)
    if widest and picture.width > widest:
        height = round(picture.height * widest / picture.width)
        picture = picture.resize((widest, height), Image.Resampling.LANCZOS)
    reduced = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    reduced.save(target, optimize=True)
    return target.stat().st_size


def run_story(out: Path) -> str:
    """Have QGIS tell the story; returns what went wrong, empty where nothing did."""
    demo.BUILD = BUILD
    profiles = demo.prepare_profile()
    models = BUILD / "models"
    models.mkdir()
    environment = {
        **os.environ,
        "HAZARD_ENGINE_PYTHON": sys.executable,
        "HAZARD_MODELS": str(models),
        "HAZARD_PICTURES": str(out),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }
    program = ["xvfb-run", "-a", "-s", "-screen 0 1600x1200x24", "qgis", "--nologo", "--noversioncheck"]
    program += ["--profiles-path", str(profiles), "--code", str(Path(__file__).with_name("story.py"))]
    log = BUILD / "qgis.log"
    with open(log, "w", encoding="utf-8") as output:
        try:
            code = subprocess.run(program, env=environment, stdout=output, stderr=output, timeout=LIMIT_S).returncode
        except subprocess.TimeoutExpired:
            return f"QGIS did not end; see {log}."
    error = out / "error.txt"
    if error.exists():
        return error.read_text(encoding="utf-8")
    return "" if (out / "done").exists() else f"QGIS ended with {code} before the story did; see {log}."


def main() -> int:
    """Write scenes, have them mapped, and keep what was grabbed; returns the exit code."""
    shutil.rmtree(BUILD, ignore_errors=True)
    out = BUILD / "out"
    write_scenes(out / "scenes")
    draw_training_scenes(out)
    trouble = run_story(out)
    if trouble:
        print(trouble, file=sys.stderr)
        return 1
    put_beside(out, ("map_before", "map_after"), "before_after")
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob("*.png"):
        old.unlink()
    sizes = {source.stem: shrink(source, PICTURES / source.name) for source in sorted(out.glob("*.png"))}
    for name, size in sizes.items():
        print(f"{name:20} {size / 1000:6.0f} kB")
    print(f"{'together':20} {sum(sizes.values()) / 1000:6.0f} kB in {PICTURES.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
