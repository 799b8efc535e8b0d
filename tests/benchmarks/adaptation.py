"""How adaptation does, scene by scene, where labels are known: gain, harm, and what the proxy's parts are worth.

    HAZARD_DATA=folder python tests/benchmarks/adaptation.py --model unet --steps 48 [--mode MODE] [--without prior]

Scenes: simulated ones under shifts that training does not draw (gain, haze, noise, blur), and real ones. A candidate's
true balanced accuracy is taken on the windows on which it was judged; the rank correlation (Spearman) of each part of
the proxy with it is over the candidates of a scene, averaged over scenes.
"""

import argparse
import dataclasses
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from engine.adapt import _known, settings_of  # noqa: E402
from engine.adaptation.search import adapt_network  # noqa: E402
from engine.adaptation.statistics import ALPHAS  # noqa: E402
from engine.adaptation.verdict import judge_outcome  # noqa: E402
from engine.adaptation.views import Views  # noqa: E402
from engine.characteristics import Found, find_characteristics  # noqa: E402
from engine.metrics import Counts, count_pixels  # noqa: E402
from engine.model import Model, load_model  # noqa: E402
from engine.planes import build_planes  # noqa: E402
from engine.preparing import prepare_scene  # noqa: E402
from engine.protocol import OPTICAL_SLOTS, SAR_SLOTS, AdaptJob, SceneJob  # noqa: E402
from engine.raster import CodeRaster, Scene, Window  # noqa: E402
from engine.reporting import Report  # noqa: E402
from engine.score_sets import real_sets  # noqa: E402
from engine.simulate.chips import measure_scaling, stretch_to_bytes  # noqa: E402
from engine.simulate.fields import Draw, blur  # noqa: E402
from engine.simulate.scene import compose_scene, seen_labels  # noqa: E402
from engine.visible import look_at  # noqa: E402

SHIFTS = ("none", "gain", "haze", "noise", "blur")
BANDS = {
    "six": ("blue", "green", "red", "nir", "swir1", "swir2"),
    "rgbn": ("blue", "green", "red", "nir"),
    "rgb8": ("blue", "green", "red"),
    "sar": SAR_SLOTS,
}
FIRST_SEED = 970_000_000
SIZE_PX = 512


@dataclasses.dataclass
class Labelled:
    """A scene's windows with their labels (n, h, w) uint8, 255 not judged."""

    name: str
    hazard: str
    views: Views
    labels: Tensor
    found: Found | None


def simulated(count: int, shifts: tuple[str, ...]) -> Iterator[Labelled]:
    """Simulated scenes of all hazards and none, seen through several sets of bands, each under one shift."""
    number = 0
    for index in range(count):
        for shift in shifts:
            hazard = ("flood", "landslide", "glacier_collapse", "none")[index % 4]
            asked = hazard if hazard != "none" else ("flood", "landslide", "glacier_collapse")[(index // 4) % 3]
            kinds = ("six", "rgbn", "sar") if asked == "flood" else ("six", "rgb8", "rgbn")
            kind = kinds[(index + len(shift)) % 3]
            number += 1
            yield _simulated(FIRST_SEED + index, hazard, asked, kind, shift)


def _simulated(seed: int, hazard: str, asked: str, kind: str, shift: str) -> Labelled:
    scene = compose_scene(seed, SIZE_PX, hazard)
    slots = BANDS[kind]
    values = shifted(scene.values[[scene.slots.index(slot) for slot in slots]], slots, shift, seed)
    valid = torch.ones((1, SIZE_PX, SIZE_PX), dtype=torch.bool)
    if kind == "rgb8":
        values, _ = stretch_to_bytes(Draw(seed, SIZE_PX), values, values, valid)
    scaling = measure_scaling(values, valid, slots, absolute=kind != "rgb8")
    index = {"flood": 0, "landslide": 1, "glacier_collapse": 2}[asked]
    labels = seen_labels(scene, slots)[index]
    cut = [(top, left) for top in (0, 256) for left in (0, 256)]
    windows = torch.stack([values[:, top : top + 256, left : left + 256] for top, left in cut])
    truth = torch.stack([labels[top : top + 256, left : left + 256] for top, left in cut])
    known = torch.ones((4, 256, 256), dtype=torch.bool)
    told = scene.setting.characteristics("sentinel-1" if kind == "sar" else scene.setting.sensor)
    return Labelled(
        f"sim {hazard} {kind} {shift}", asked, Views(build_planes(windows, known[:, None], scaling), known, scaling, 4),
        truth, Found(told, None, {}),
    )  # fmt: skip


def shifted(values: Tensor, slots: tuple[str, ...], shift: str, seed: int) -> Tensor:
    """Values under a shift beyond what training draws."""
    draw = Draw(seed + 77, values.shape[-1])
    optical = torch.tensor([slot in OPTICAL_SLOTS for slot in slots]).view(-1, 1, 1)
    if shift == "gain":
        factor = torch.exp(0.25 * draw.normals(len(slots))).view(-1, 1, 1)
        return torch.where(optical, values * factor, values + 2.5 * draw.normals(len(slots)).view(-1, 1, 1))
    if shift == "haze":
        veil = draw.uniform(0.08, 0.25)
        return torch.where(optical, values * (1 - veil) + 0.45 * veil, values + 1.5)
    if shift == "noise":
        return values + torch.where(optical, 0.02, 2.0) * draw.white(len(slots))
    if shift == "blur":
        return blur(values, 1.8)
    return values


def real(folder: str, each: int) -> Iterator[Labelled]:
    """Real scenes: of each set at most ``each``."""
    for found in real_sets(Path(folder)):
        wanted = found.in_mean or not found.holds_hazard
        if not wanted or found.hazard not in ("flood", "landslide", "glacier_collapse"):
            continue
        scenes = list(found.scenes)
        step = max(1, len(scenes) // each)
        for scene in scenes[::step][:each]:
            yield from _real(found.name, found.hazard, scene)


def _real(name: str, asked: str, entry: Any) -> Iterator[Labelled]:
    with Scene(entry.job) as scene:
        understanding = scene.understand()
        whole = Window(0, 0, scene.width, scene.height)
        card = load_model("unet").card
        prepared = prepare_scene(scene, understanding, whole, card, lambda text: None)
        if not prepared.grid.exact:
            return
        visible = look_at(scene, prepared, whole, None, card.window_multiple, Report())
        found = find_characteristics(scene, understanding, SceneJob(entry.job.raster))
    views = visible.views
    if views is None:
        return
    height, width = views.planes.shape[-2:]
    if entry.reference is None:
        labels = torch.zeros((len(views), height, width), dtype=torch.uint8)
    else:
        with CodeRaster(entry.reference) as reference:
            codes = reference.read_rows(0, reference.height)
        truth = np.where(np.isin(codes, entry.ignore), 255, np.isin(codes, entry.positive)).astype(np.uint8)
        padded = np.full((truth.shape[0] + height, truth.shape[1] + width), 255, np.uint8)
        padded[: truth.shape[0], : truth.shape[1]] = truth
        labels = torch.stack(
            [torch.from_numpy(padded[top : top + height, left : left + width]) for left, top in visible.places]
        )
    yield Labelled(name, asked, views, labels, found)


def counts_of(scores: Tensor, scene: Labelled) -> Counts:
    """Pixels of the judged windows."""
    judged = scene.views.judged
    truth = scene.labels[:judged]
    keep = scene.views.valid[:judged] & (truth != 255)
    return count_pixels((scores >= 0.5).numpy(), (truth == 1).numpy(), keep.numpy())


def rank_correlation(first: list[float], second: list[float]) -> float | None:
    """Spearman's; None where either does not vary."""
    if len(first) < 3 or len(set(first)) < 2 or len(set(second)) < 2:
        return None
    ranks = [np.argsort(np.argsort(values)) for values in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="unet")
    parser.add_argument("--mode", default="constraint")
    parser.add_argument("--steps", type=int, default=48)
    parser.add_argument("--budget-s", type=float, default=600)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--scenes", type=int, default=12, help="simulated scenes")
    parser.add_argument("--shifts", default="gain,haze,noise,blur")
    parser.add_argument("--real", type=int, default=0, help="real scenes a set")
    parser.add_argument("--without", default="", help="prior, backward, auxiliary, threshold, statistics")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    model = load_model(given.model)
    rows = []
    for scene in _scenes(given):
        rows.append(_measure(scene, model, given))
        row = rows[-1]
        print(
            f"{row['name']:28.28s} {row['hazard']:10.10s} BA {_n(row['before']['balanced_accuracy'])} -> "
            f"{_n(row['after']['balanced_accuracy'])}  IoU {_n(row['before']['iou'])} -> {_n(row['after']['iou'])}  fa "
            f"{_n(row['before']['false_area'])} -> {_n(row['after']['false_area'])}  {row['winner']:22.22s} "
            f"best BA {_n(row['oracle'])}  {row['seconds']:.0f} s",
            flush=True,
        )
    summarise(rows)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))
    return 0


def _scenes(given: argparse.Namespace) -> Iterator[Labelled]:
    if given.scenes:
        yield from simulated(given.scenes, tuple(given.shifts.split(",")))
    if given.real and os.environ.get("HAZARD_DATA"):
        yield from real(os.environ["HAZARD_DATA"], given.real)


def _measure(scene: Labelled, model: Model, given: argparse.Namespace) -> dict[str, Any]:
    without = set(given.without.split(","))
    job = AdaptJob(
        raster="x", hazard=scene.hazard, save="x", mode=given.mode, steps=given.steps, budget_s=given.budget_s,
        learning_rate=given.learning_rate, backward_weight=0.0 if "backward" in without else 0.1,
        auxiliary_weight=0.0 if "auxiliary" in without else 0.02,
    )  # fmt: skip
    began = time.monotonic()
    settings = settings_of(job, model, torch.device("cpu"), began)
    settings = dataclasses.replace(
        settings, threshold="threshold" not in without, alphas=(0.0,) if "statistics" in without else ALPHAS,
        weights=dataclasses.replace(settings.weights, prior="prior" not in without),
    )  # fmt: skip
    network = model.network.restricted_to(scene.views.chosen).eval()
    known = _known(scene.found, model.card, torch.device("cpu")) if scene.found else None
    outcome = adapt_network(network, scene.views, settings, known)
    scores = [counts_of(stage.judgement.scores, scene).scores() for stage in outcome.stages]
    truths = [row["balanced_accuracy"] for row in scores]
    return {
        "name": scene.name,
        "hazard": scene.hazard,
        "before": scores[0],
        "after": scores[outcome.best],
        "winner": outcome.winner.name,
        "verdict": judge_outcome(outcome, 1e6, 0).kind,
        "oracle": max((value for value in truths if value is not None), default=None),
        "stages": [
            {"name": stage.name, "centre": stage.centre, "share": stage.judgement.share, "truth": score,
             "proxy": stage.judgement.proxy, "divergence": stage.judgement.divergence, "rank": stage.judgement.rank,
             **stage.judgement.parts}
            for stage, score in zip(outcome.stages, scores, strict=True)
        ],
        "seconds": time.monotonic() - began,
    }  # fmt: skip


def summarise(rows: list[dict[str, Any]]) -> None:
    """Mean gain, harm and rank correlations."""
    for kind in ("sim", ""):
        chosen = [row for row in rows if row["name"].startswith("sim ") == (kind == "sim")]
        gains = [
            row["after"]["balanced_accuracy"] - row["before"]["balanced_accuracy"]
            for row in chosen
            if row["before"]["balanced_accuracy"] is not None
        ]
        absent = [row for row in chosen if row["before"]["balanced_accuracy"] is None]
        if not chosen:
            continue
        print(f"\n{'simulated shifts' if kind else 'real scenes'}: {len(gains)} with the hazard, {len(absent)} without")
        if gains:
            print(f"mean gain {np.mean(gains):+.4f}, harmed by more than 0.01: {np.mean(np.array(gains) < -0.01):.0%}")
        worse = [r for r in absent if r["after"]["false_area"] > max(0.005, r["before"]["false_area"])]
        print(f"false area grew beyond 0.5 % and the source's own: {len(worse)} of {len(absent)}")
        adapted = np.mean([row["verdict"] == "adapted" for row in chosen])
        print(f"adapted {adapted:.0%}, seconds {np.mean([row['seconds'] for row in chosen]):.1f}")
        for part in ("proxy", *search_parts(chosen)):
            found = []
            for row in chosen:
                pairs = [
                    (stage[part], -stage["truth"]["balanced_accuracy"])
                    for stage in row["stages"]
                    if stage.get(part) is not None and stage["truth"]["balanced_accuracy"] is not None
                ]
                value = rank_correlation([a for a, _ in pairs], [b for _, b in pairs]) if pairs else None
                if value is not None and math.isfinite(value):
                    found.append(value)
            if found:
                print(f"  {part:12s} rank correlation with error {np.mean(found):+.2f} over {len(found)} scenes")


def search_parts(rows: list[dict[str, Any]]) -> list[str]:
    """Names of the proxy's parts, and of the guards' measures."""
    skipped = {"name", "centre", "truth", "proxy", "share"}
    return [key for key in rows[0]["stages"][0] if key not in skipped]


def _n(value: float | None) -> str:
    return "  -  " if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
