"""How adaptation does, scene by scene, where labels are known: gain, harm, and what each of its terms is worth.

    HAZARD_DATA=folder python tests/benchmarks/adaptation.py --model unet --steps 48 [--mode MODE] [--without prior]
    HAZARD_DATA=folder python tests/benchmarks/adaptation.py --ablate [--markdown FILE]
    python tests/benchmarks/adaptation.py --shown none --asked flood --mode statistics

Scenes: simulated ones under shifts that training does not draw (gain, haze, noise, blur), and real ones; --seeds
scorecard takes the simulated ones that the scorecard judges by. --model default takes each hazard's default model. A
candidate's true balanced accuracy is taken on the windows on which it was judged; the rank correlation (Spearman) of
each part of the proxy with it is over the candidates of a scene, averaged over scenes. With --ablate the full method
and each ablation meet the same scenes, and one table compares them.
"""

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from engine.adaptation.search import Outcome, Settings  # noqa: E402
from engine.adaptation.verdict import judge_outcome  # noqa: E402
from engine.cards import default_model  # noqa: E402
from engine.model import Model, load_model  # noqa: E402
from engine.protocol import ADAPTATION_MODES, HAZARDS, AdaptJob  # noqa: E402
from engine.reporting import Report  # noqa: E402
from engine.score_adapted import (  # noqa: E402
    AdaptedScene,
    adapt_in_memory,
    count_windows,
    rank_of_part,
    scene_of,
    sets_to_adapt_to,
    summary_of,
)
from engine.score_adapted_table import markdown_table, share, signed  # noqa: E402
from engine.score_sets import real_sets  # noqa: E402
from engine.score_shifted import (  # noqa: E402
    KINDS,
    SHIFTED_SEED,
    SHIFTS,
    LabelledViews,
    real_views,
    shown_and_asked,
    simulated_views,
)

DEVELOPMENT_SEED = 970_000_000
"""Adapting was made with these scenes; the scorecard judges it on others."""
TERMS = ("prior", "backward", "auxiliary", "threshold", "statistics")
COLUMNS = ("method", "scenes", "gain BA", "gain IoU", "harmed", "false area grew", "adapted", "rank corr.", "s a scene")


@dataclasses.dataclass(frozen=True)
class Variant:
    """The method, or what is left of it without one of its terms."""

    name: str
    mode: str
    without: frozenset[str] = frozenset()

    def vary(self, settings: Settings) -> Settings:
        """Settings without what the variant lacks."""
        weights = settings.weights
        weights = dataclasses.replace(
            weights,
            prior=weights.prior and "prior" not in self.without,
            backward=0.0 if "backward" in self.without else weights.backward,
            auxiliary=0.0 if "auxiliary" in self.without else weights.auxiliary,
        )
        alphas = () if "statistics" in self.without else settings.alphas
        near = () if "statistics" in self.without else settings.entrance_alphas
        threshold = "threshold" not in self.without and settings.threshold
        return dataclasses.replace(settings, weights=weights, alphas=alphas, entrance_alphas=near, threshold=threshold)


class Models:
    """Models by name, or the default of each hazard, loaded once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._loaded: dict[str, Model] = {}

    def __call__(self, hazard: str) -> Model:
        """The model that answers for a hazard."""
        name = default_model(hazard) if self.name == "default" else self.name
        if name not in self._loaded:
            self._loaded[name] = load_model(name)
        return self._loaded[name]


def scenes(given: argparse.Namespace, models: Models) -> Iterator[LabelledViews]:
    """Simulated scenes under each shift, then real ones."""
    first = SHIFTED_SEED if given.seeds == "scorecard" else DEVELOPMENT_SEED
    for number in range(given.scenes):
        shown, asked = shown_and_asked(number)
        if given.shown not in ("", shown) or given.asked not in ("", asked):
            continue
        for shift in given.shifts.split(","):
            yield simulated_views(number, shift, first)
    if given.real and os.environ.get("HAZARD_DATA"):
        for found in sets_to_adapt_to(real_sets(Path(os.environ["HAZARD_DATA"])), given.real):
            if given.asked not in ("", found.hazard):
                continue
            for scene in found.scenes:
                views = real_views(found.name, found.hazard, scene, models(found.hazard).card, Report())
                if views is not None:
                    yield views


def adapt_to(
    scene: LabelledViews, models: Models, variant: Variant, given: argparse.Namespace
) -> tuple[Outcome, float]:
    """Outcome of a variant on a scene, and seconds."""
    job = AdaptJob(
        raster=scene.name, hazard=scene.hazard, save="nowhere", mode=variant.mode, steps=given.steps,
        budget_s=given.budget_s, learning_rate=given.learning_rate, device="cpu",
    )  # fmt: skip
    began = time.monotonic()
    return adapt_in_memory(scene, models(scene.hazard), job, Report(), variant.vary), time.monotonic() - began


def row_of(scene: LabelledViews, outcome: Outcome, seconds: float) -> dict[str, Any]:
    """All that is measured of a scene, as JSON."""
    truths = [count_windows(stage.judgement.scores, scene).scores() for stage in outcome.stages]
    known = [truth["balanced_accuracy"] for truth in truths if truth["balanced_accuracy"] is not None]
    return {
        "name": scene.name,
        "hazard": scene.hazard,
        "before": truths[0],
        "after": truths[outcome.best],
        "winner": outcome.winner.name,
        "verdict": judge_outcome(outcome, 1e6, 0).kind,
        "oracle": max(known, default=None),
        "ranks": {part or "proxy": rank_of_part(outcome, scene, part)
                  for part in (None, *outcome.source.judgement.parts)},
        "stages": [
            {"name": stage.name, "centre": stage.centre, "share": stage.judgement.share, "truth": truth,
             "proxy": stage.judgement.proxy, "divergence": stage.judgement.divergence, "rank": stage.judgement.rank,
             **stage.judgement.parts}
            for stage, truth in zip(outcome.stages, truths, strict=True)
        ],
        "seconds": seconds,
    }  # fmt: skip


def show(row: dict[str, Any]) -> None:
    """One line of a scene."""
    before, after = row["before"], row["after"]
    print(
        f"{row['name']:28.28s} {row['hazard']:10.10s} BA {_n(before['balanced_accuracy'])} -> "
        f"{_n(after['balanced_accuracy'])}  IoU {_n(before['iou'])} -> {_n(after['iou'])}  fa "
        f"{_n(before['false_area'])} -> {_n(after['false_area'])}  {row['winner']:22.22s} "
        f"best BA {_n(row['oracle'])}  {row['seconds']:.0f} s",
        flush=True,
    )


def show_summary(rows: list[dict[str, Any]], measured: list[AdaptedScene]) -> None:
    """Mean gain, harm and rank correlations, of simulated and of real scenes."""
    for title, simulated in (("simulated shifts", True), ("real scenes", False)):
        part = [index for index, row in enumerate(rows) if row["name"].startswith("sim ") == simulated]
        if not part:
            continue
        found = summary_of([measured[index] for index in part])
        print(f"\n{title}: {found['scenes_with_hazard']} with the hazard, {found['scenes_without_hazard']} without")
        print(f"mean gain {signed(found['gain'], 4)}, harmed by more than 0.01: {share(found['harmed'])}")
        print(f"false area grew beyond 0.5 % and the source's own: {share(found['grew'])}")
        print(f"adapted {share(found['adapted'])}, seconds {found['adapt_seconds']:.1f}")
        for hazard in dict.fromkeys(rows[index]["hazard"] for index in part):
            one = summary_of([measured[index] for index in part if rows[index]["hazard"] == hazard])
            print(
                f"  {hazard:16s} gain {signed(one['gain'], 4)} / {signed(one['gain_iou'], 4)} IoU over "
                f"{one['scenes_with_hazard']}, harmed {share(one['harmed'])}, false area grew {share(one['grew'])} of "
                f"{one['scenes_without_hazard']}, adapted {share(one['adapted'])}"
            )
        for name in dict.fromkeys(name for index in part for name in rows[index]["ranks"]):
            values = [value for index in part if (value := rows[index]["ranks"].get(name)) is not None]
            if values:
                print(f"  {name:12s} rank correlation with error {np.mean(values):+.2f} over {len(values)} scenes")


def ablate(models: Models, given: argparse.Namespace) -> str:
    """A table of the full method and of what is left without each term, on the same scenes."""
    variants = [
        Variant("full method", given.mode),
        *(Variant(f"without {term}", given.mode, frozenset({term})) for term in TERMS),
        Variant("statistics only", "statistics"),
    ]
    found: dict[tuple[bool, str], list[AdaptedScene]] = {}
    for scene in scenes(given, models):
        for variant in variants:
            outcome, seconds = adapt_to(scene, models, variant, given)
            key = scene.name.startswith("sim "), variant.name
            found.setdefault(key, []).append(scene_of(outcome, scene, seconds))
        print(scene.name, flush=True)
    tables = [
        f"Ablations of adapting ({given.model}, mode {given.mode}, {given.steps} steps), as printed by "
        "`python tests/benchmarks/adaptation.py --ablate`."
    ]
    for title, simulated in (("Simulated scenes under shifts", True), ("Real scenes", False)):
        lines = [
            _cells(variant.name, found[key]) for variant in variants if (key := (simulated, variant.name)) in found
        ]
        tables += [f"**{title}**", markdown_table(COLUMNS, lines)] if lines else []
    return "\n\n".join(tables) + "\n"


def _cells(name: str, measured: list[AdaptedScene]) -> list[str]:
    found = summary_of(measured)
    return [
        name, str(found["scenes"]), signed(found["gain"], 4), signed(found["gain_iou"], 4), share(found["harmed"]),
        share(found["grew"]), share(found["adapted"]), signed(found["rank_correlation"], 2),
        f"{found['adapt_seconds']:.1f}",
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="unet", help="a model, or default for each hazard's default")
    parser.add_argument("--mode", default="constraint", choices=ADAPTATION_MODES)
    parser.add_argument("--steps", type=int, default=48)
    parser.add_argument("--budget-s", type=float, default=86_400)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--scenes", type=int, default=12, help="simulated scenes")
    parser.add_argument("--shifts", default="gain,haze,noise,blur", help=", ".join(SHIFTS))
    parser.add_argument("--seeds", default="development", choices=("development", "scorecard"))
    parser.add_argument("--shown", default="", choices=("", *KINDS), help="only scenes that show this")
    parser.add_argument("--asked", default="", choices=("", *HAZARDS), help="only scenes asked for this hazard")
    parser.add_argument("--real", type=int, default=0, help="real scenes a set")
    parser.add_argument("--without", default="", help=", ".join(TERMS))
    parser.add_argument(
        "--ablate", action="store_true", help="the full method beside each ablation, on the same scenes"
    )
    parser.add_argument("--markdown", type=Path, help="write the table of --ablate")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    models = Models(given.model)
    if given.ablate:
        table = ablate(models, given)
        print(f"\n{table}")
        if given.markdown:
            given.markdown.write_text(table, encoding="utf-8")
        return 0
    variant = Variant("asked for", given.mode, frozenset(filter(None, given.without.split(","))))
    rows, measured = [], []
    for scene in scenes(given, models):
        outcome, seconds = adapt_to(scene, models, variant, given)
        measured.append(scene_of(outcome, scene, seconds))
        rows.append(row_of(scene, outcome, seconds))
        show(rows[-1])
    show_summary(rows, measured)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))
    return 0


def _n(value: float | None) -> str:
    return "  -  " if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
