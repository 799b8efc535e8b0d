"""Prints how far from a window's edge a model's answer still depends on what lies beyond it.

    python tests/benchmarks/halo.py [--model NAME] [--hazard HAZARD] [--scene RASTER] [--windows 4]

A U-Net reaches far in principle, and networks with attention over whole windows everywhere; what counts is how much is
left of that. Each window is predicted twice: with ``CONTEXT_PX`` more ground on the right, and without. What differs,
by the distance from the edge that was cut, is the error that a seam at that distance would show. The last row, far
inside, is what remains whatever the overlap is.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from engine.model import Model, default_model, load_model  # noqa: E402
from engine.pipeline import OVERLAP_PX, WINDOW_PX  # noqa: E402
from engine.planes import SceneScaling  # noqa: E402
from engine.predict import Predictor  # noqa: E402
from engine.protocol import SegmentJob  # noqa: E402
from engine.raster import Scene, Window  # noqa: E402

CONTEXT_PX = 256
DISTANCES = (0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)


def windows_of(raster: str, count: int, model: Model, hazard: str) -> tuple[Predictor, list[torch.Tensor]]:
    """Planes of windows spread over a scene, each with more ground on its right, and what predicts them."""
    with Scene(SegmentJob(raster, hazard="flood", mask="unused.tif")) as scene:
        found = scene.understand()
        low, high = scene.percentiles(found)
        scaling = SceneScaling(found.match.used_slots, low, high, tuple(units.absolute for units in found.slot_units))
        predictor = Predictor(model, hazard, scaling, torch.device("cpu"), None, print)
        planes = []
        for number in range(count):
            left = (scene.width - WINDOW_PX - CONTEXT_PX) * number // max(1, count - 1)
            top = (scene.height - WINDOW_PX) * number // max(1, count - 1)
            if min(left, top) < 0:
                raise SystemExit(f"{raster} is too small: {WINDOW_PX + CONTEXT_PX} columns are needed.")
            values, valid = scene.read_window(Window(left, top, WINDOW_PX + CONTEXT_PX, WINDOW_PX), found)
            if valid.mean() > 0.9:
                planes.append(predictor.planes(torch.from_numpy(values)[None], torch.from_numpy(valid)[None, None])[0])
    if not planes:
        raise SystemExit(f"{raster} has too little data in each of the windows; choose a fuller scene.")
    return predictor, planes


def measure(predictor: Predictor, windows: list[torch.Tensor], threshold: float) -> list[tuple[str, float, float]]:
    """For each range of distances: the mean difference in probability and the share of pixels that change."""
    differences, changes = [], []
    for window in windows:
        whole = predictor.predict([window])[0][:, :WINDOW_PX]
        cut = predictor.predict([window[..., :WINDOW_PX].contiguous()])[0]
        differences.append((whole - cut).abs().flip(1))  # columns by their distance from the edge
        changes.append(((whole >= threshold) != (cut >= threshold)).float().flip(1))
    difference, change = torch.stack(differences), torch.stack(changes)
    rows = []
    for first, last in zip(DISTANCES, (*DISTANCES[1:], WINDOW_PX), strict=True):
        part = difference[..., first:last]
        rows.append((f"{first}-{last}", float(part.mean()), float(change[..., first:last].mean())))
    return rows


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--hazard", default="flood")
    parser.add_argument("--scene", required=True)
    parser.add_argument("--windows", type=int, default=4)
    given = parser.parse_args()
    model = load_model(given.model or default_model(given.hazard))
    predictor, windows = windows_of(given.scene, given.windows, model, given.hazard)
    threshold = model.card.threshold_for(given.hazard, predictor.scaling.absolute)
    print(f"{model.card.name}, {given.hazard}, {len(windows)} windows; overlap is {OVERLAP_PX} pixels, blended from")
    print(f"{OVERLAP_PX // 4} pixels inside the edge on, in equal parts at {OVERLAP_PX // 2}")
    print("pixels from the edge | mean difference | share of the mask that changes")
    for name, mean, share in measure(predictor, windows, threshold):
        print(f"{name:>20} | {mean:15.4f} | {share:.4%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
