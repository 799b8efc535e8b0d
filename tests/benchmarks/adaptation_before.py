"""What a scene from before the event is worth to adaptation, on simulated pairs under shifts of the later scene.

    python tests/benchmarks/adaptation_before.py [--pairs 24] [--model default] [--shifts gain,haze,noise] [--json]

Each pair is asked for one hazard. What is new is told by the rule (now, and not before) with the source model, with
one that was adapted to the later scene alone, and with one that was adapted with both scenes; the truth is what is new.
"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from engine.adapt import settings_of  # noqa: E402
from engine.adaptation.search import Stage  # noqa: E402
from engine.adaptation.views import Views, logits_of  # noqa: E402
from engine.before.branch import new_by_rule  # noqa: E402
from engine.before.matching import match_scenes  # noqa: E402
from engine.before.planes import build_change_planes  # noqa: E402
from engine.before.unchanged import EarlierWindows, calm_and_changed, compare_ground  # noqa: E402
from engine.cards import default_model  # noqa: E402
from engine.metrics import Counts, count_pixels  # noqa: E402
from engine.model import Model, load_model  # noqa: E402
from engine.planes import build_planes, planes_for  # noqa: E402
from engine.protocol import HAZARDS, AdaptJob  # noqa: E402
from engine.reporting import Report  # noqa: E402
from engine.samples import Characteristics  # noqa: E402
from engine.score_adapted import NOT_JUDGED, adapt_in_memory, rank_correlation  # noqa: E402
from engine.score_shifted import BANDS, LabelledViews, shifted  # noqa: E402
from engine.simulate import HAZARDS as LABELS  # noqa: E402
from engine.simulate import seen_labels  # noqa: E402
from engine.simulate.chips import measure_scaling  # noqa: E402
from engine.simulate.pairs import compose_pair  # noqa: E402

PAIR_SEED = 7_700_000_000_001
"""Apart from the pairs on which limits of unchanged ground were set."""
SIZE_PX, WINDOW_PX = 384, 192
WAYS = ("source", "alone", "both")
Measured = tuple[dict[str, Counts], dict[str, float | None], dict[str, int]]


def windows(field: Tensor) -> Tensor:
    """(c, h, w) to (n, c, h, w) windows."""
    places = [(top, left) for top in range(0, SIZE_PX, WINDOW_PX) for left in range(0, SIZE_PX, WINDOW_PX)]
    return torch.stack([field[:, top : top + WINDOW_PX, left : left + WINDOW_PX] for top, left in places])


def measure(number: int, shift: str, shown: str, asked: str, model: Model) -> Measured:
    """Counts of one pair by way, rank correlations of each proxy with the true error, and its ground in pixels."""
    pair = compose_pair(PAIR_SEED + number, SIZE_PX, shown)
    slots = BANDS["six"]
    pick = [pair.after.slots.index(slot) for slot in slots]
    values = shifted(pair.after.values[pick], slots, shift, PAIR_SEED + number), pair.before.values[pick]
    everywhere = torch.ones((1, SIZE_PX, SIZE_PX), dtype=torch.bool)
    later_of, earlier_of = (measure_scaling(field, everywhere, slots, absolute=True) for field in values)
    match = match_scenes(values[0][:, ::3, ::3].flatten(1), later_of, values[1][:, ::3, ::3].flatten(1), earlier_of)
    later, earlier = (windows(field) for field in values)
    known = windows(everywhere)
    told = build_planes(later, known, later_of), build_planes(earlier, known, earlier_of)
    change = build_change_planes(later, earlier, known, (later_of, earlier_of), told, match)
    was = EarlierWindows(told[1], earlier_of, *compare_ground(change, known[:, 0], match))
    labels = seen_labels(dataclasses.replace(pair.after, labels=pair.new), slots)[LABELS.index(asked)]
    truth = windows(labels[None])[:, 0]
    job = AdaptJob(raster="-", hazard=asked, save="-", mode="statistics", budget_s=600.0, model=model.folder)
    settings = settings_of(job, model, torch.device("cpu"), 0.0, model.card.threshold_for(asked, later_of.absolute))
    asking = settings.channel, settings.factors, settings.multiple
    before = model.network.restricted_to(planes_for(earlier_of)).eval()
    with torch.inference_mode():
        was_logits = logits_of(before, told[1], *asking) - settings.centre
    views = Views(told[0], known[:, 0], later_of, len(known))
    calm, changed = calm_and_changed(before, was, *asking, settings.centre)
    found, ranked = {}, {}
    for way in WAYS[1:]:
        seen = dataclasses.replace(views, calm=calm, changed=changed) if way == "both" else views
        scene = LabelledViews("", asked, seen, truth, Characteristics())
        outcome = adapt_in_memory(scene, model, job, Report())

        def count(stage: Stage) -> Counts:
            new = new_by_rule(torch.logit(stage.judgement.scores.clamp(1e-4, 1 - 1e-4)), was_logits)
            return count_pixels((new >= 0).numpy(), (truth == 1).numpy(), (truth != NOT_JUDGED).numpy())

        found.update({"source": count(outcome.source), way: count(outcome.winner)})
        errors = [error_of(count(stage)) for stage in outcome.stages]
        ranked[way] = rank_correlation([stage.judgement.proxy for stage in outcome.stages], errors)
    new = truth == 1
    ground = {"px": truth.numel(), "new": int(new.sum()), "unchanged": int(was.unchanged.sum()),
              "new_in_unchanged": int((was.unchanged & new).sum())}  # fmt: skip
    return found, ranked, ground


def error_of(counts: Counts) -> float:
    """How wrong a mask of what is new is: false area where nothing is, else 1 - balanced accuracy."""
    wrong = counts.balanced_accuracy
    return counts.false_area or 0.0 if wrong is None else 1 - wrong


def main() -> int:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=24, help="pairs of each shift")
    parser.add_argument("--shifts", default="none,gain,haze,noise")
    parser.add_argument("--model", default="default")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for shift in options.shifts.split(","):
        for number in range(options.pairs):
            asked = HAZARDS[number % len(HAZARDS)]
            shown = "none" if number // len(HAZARDS) % 2 else asked
            model = load_model((default_model(asked) or "unet") if options.model == "default" else options.model)
            counts, ranked, ground = measure(number, shift, shown, asked, model)
            rows.append({"shift": shift, "asked": asked, "shown": shown, **{
                way: {"iou": c.iou, "balanced_accuracy": c.balanced_accuracy, "false_area": c.false_area}
                for way, c in counts.items()
            }, "rank": ranked, "ground": ground})  # fmt: skip
            if not options.json:
                print(json.dumps(rows[-1]), flush=True)
    print(json.dumps(summary(rows)))
    return 0


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean gain over the source by hazard and way, and how often it did harm."""
    found: dict[str, Any] = {}
    for asked in HAZARDS:
        own = [row for row in rows if row["asked"] == asked]
        ground = {name: sum(row["ground"][name] for row in own) for name in own[0]["ground"]} if own else {}
        if ground:
            found[f"{asked} ground"] = {
                "unchanged": round(ground["unchanged"] / ground["px"], 4),
                "new": round(ground["new"] / ground["px"], 4),
                "new_in_unchanged": round(ground["new_in_unchanged"] / max(1, ground["unchanged"]), 4),
            }
        for way in WAYS[1:]:
            hit = [row for row in own if row["shown"] != "none" and row["source"]["iou"] is not None]
            gains = [(row[way]["iou"] or 0) - row["source"]["iou"] for row in hit]
            false = [row[way]["false_area"] - row["source"]["false_area"] for row in own if row["shown"] == "none"]
            ranks = [row["rank"][way] for row in own if row["rank"].get(way) is not None]
            found[f"{asked} {way}"] = {
                "rank_correlation": round(sum(ranks) / max(1, len(ranks)), 4),
                "iou_gain": round(sum(gains) / max(1, len(gains)), 4),
                "harmed": sum(gain < -0.01 for gain in gains),
                "false_area_change": round(sum(false) / max(1, len(false)), 4),
                "false_area_grew": sum(change > 0.0005 for change in false),
                "pairs": [len(gains), len(false)],
            }
    return found


if __name__ == "__main__":
    sys.exit(main())
