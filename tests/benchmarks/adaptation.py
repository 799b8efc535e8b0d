"""How adaptation does, scene by scene, where labels are known: gain, harm, and what each of its terms is worth.

    HAZARD_DATA=folder python tests/benchmarks/adaptation.py --model unet --steps 48 [--mode MODE] [--without prior]
    HAZARD_DATA=folder python tests/benchmarks/adaptation.py --ablate [--markdown FILE] [--json FILE]
    python tests/benchmarks/adaptation.py --ablate --without threshold,statistics
    python tests/benchmarks/adaptation.py --tables FILE [FILE ...]
    python tests/benchmarks/adaptation.py --shown none --asked flood --mode statistics

Scenes: simulated ones under shifts that training does not draw (gain, haze, noise, blur, season, terrain), or under
none, and real ones; --seeds scorecard takes the simulated ones that the scorecard judges by. --model default takes
each hazard's default model. A candidate's true balanced accuracy is taken on the windows on which it was judged; the
rank correlation (Spearman) of each part of the proxy with it is over the candidates of a scene, averaged over scenes.
With --ablate the full method, the other modes and each ablation meet the same scenes, and tables compare them, as a
whole and set by set. A scene that the full method abstains from is not asked again: what makes it abstain comes before
all that differs; and what comes before the gradient steps is done once for all that differ in these alone. --json
writes after every scene what --tables joins, so that parts may run beside each other. --no-limits shows what the
limits are worth: it abstains from nothing and refuses nothing, so that the proxy alone decides.
"""

import argparse
import copy
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
from torch import Tensor  # noqa: E402

from engine.adaptation.guards import Limits  # noqa: E402
from engine.adaptation.proxy import Judgement  # noqa: E402
from engine.adaptation.search import Listener, Outcome, Search, Settings  # noqa: E402
from engine.adaptation.verdict import ABSTAINED, judge_outcome  # noqa: E402
from engine.adaptation.views import Views  # noqa: E402
from engine.cards import default_model  # noqa: E402
from engine.metrics import Counts  # noqa: E402
from engine.model import HazardNet, Model, load_model  # noqa: E402
from engine.protocol import ADAPTATION_MODES, HAZARDS, AdaptJob  # noqa: E402
from engine.reporting import Report  # noqa: E402
from engine.score_adapted import (  # noqa: E402
    VERDICTS,
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
SEARCHED = frozenset({"threshold", "statistics"})
"""What is tried before gradient steps."""
COLUMNS = (
    "method", "scenes", "with it", "gain BA", "gain IoU", "worst", "harmed", "false area without it", "grew",
    "adapted / rolled back / abstained", "rank corr.", "s where tried",
)  # fmt: skip
SET_COLUMNS = ("set", "hazard", "scenes", "tried", "rank corr.")
"""Of the first method; beside them stands what each gained."""
SIMULATED = "sim "
"""How the names of simulated scenes begin."""


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


class NoLimits(Limits):
    """Nothing to abstain from and nothing to break, save that scores must be numbers: the proxy alone decides."""

    def no_footing(self) -> str | None:
        """None: all is tried everywhere."""
        return None

    def broken_by(self, candidate: Judgement) -> str | None:
        """That scores are not all numbers, or None."""
        return None if candidate.finite else "its scores are not all numbers"


class Begun(Search):
    """A search without gradient steps, from whose end such steps can be made again and again."""

    def __init__(
        self, network: HazardNet, views: Views, settings: Settings, known: tuple[Tensor, Tensor] | None,
        told: Listener, limited: bool = True,
    ) -> None:  # fmt: skip
        self.limited = limited
        super().__init__(network, views, dataclasses.replace(settings, mode="statistics"), known, told)
        began = time.monotonic()
        self.run()
        self.seconds = time.monotonic() - began

    def _limits(self, source: Judgement) -> Limits:
        limits = super()._limits(source)
        return limits if self.limited else NoLimits(**vars(limits))

    def ended(self, settings: Settings) -> Outcome:
        """The outcome of a whole search under settings that differ in what concerns gradient steps alone."""
        whole = copy.copy(self)
        whole.settings, whole.network = settings, copy.deepcopy(self.network)
        whole.outcome = dataclasses.replace(self.outcome, stages=list(self.outcome.stages))
        if whole.outcome.abstained is None and settings.mode != "statistics" and settings.steps != 0:
            whole._try_gradients()
        return whole.outcome


class Searches:
    """Searches of one scene; what comes before the gradient steps is done once for all that share it.

    ``seconds`` are those of the last search as a whole, what was shared included.
    """

    def __init__(self, limited: bool = True) -> None:
        self._begun: dict[tuple[Any, ...], Begun] = {}
        self.limited = limited
        self.seconds = 0.0

    def __call__(
        self, network: HazardNet, views: Views, settings: Settings, known: tuple[Tensor, Tensor] | None, told: Listener
    ) -> Outcome:
        """As ``adapt_network``."""
        key = settings.alphas, settings.entrance_alphas, settings.threshold
        if key not in self._begun:
            self._begun[key] = Begun(network, views, settings, known, told, self.limited)
        began = time.monotonic()
        outcome = self._begun[key].ended(settings)
        self.seconds = self._begun[key].seconds + time.monotonic() - began
        return outcome


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
    scene: LabelledViews, models: Models, variant: Variant, given: argparse.Namespace, searches: Searches | None = None
) -> tuple[Outcome, float]:
    """Outcome of a variant on a scene, and seconds."""
    job = AdaptJob(
        raster=scene.name, hazard=scene.hazard, save="nowhere", mode=variant.mode, steps=given.steps,
        budget_s=given.budget_s, learning_rate=given.learning_rate, device="cpu",
    )  # fmt: skip
    searches = searches or Searches(not given.no_limits)
    return adapt_in_memory(scene, models(scene.hazard), job, Report(), variant.vary, searches), searches.seconds


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
        part = [index for index, row in enumerate(rows) if row["name"].startswith(SIMULATED) == simulated]
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


def variants_of(mode: str, without: frozenset[str] = frozenset()) -> list[Variant]:
    """The method in a mode, in the other modes, and what is left without each term; all of them lack ``without``."""
    gradients = [other for other in ADAPTATION_MODES if other not in (mode, "statistics")]
    terms = [term for term in TERMS if term not in without]
    return [
        Variant("gradient steps alone" if without >= SEARCHED else "full method", mode, without),
        *(Variant(f"mode {other}", other, without) for other in gradients),
        *(Variant(f"without {term}", mode, without | {term}) for term in terms),
        *([] if without >= SEARCHED else [Variant("statistics only", "statistics", without)]),
    ]


def ablate(models: Models, given: argparse.Namespace) -> list[dict[str, Any]]:
    """What the full method and each of its variants did to the same scenes; as JSON, a row a scene and variant."""
    rows: list[dict[str, Any]] = []
    for scene in scenes(given, models):
        first: tuple[Outcome, float] | None = None
        searches = Searches(not given.no_limits)
        for variant in variants_of(given.mode, terms_of(given.without)):
            outcome, seconds = (
                first if first and first[0].abstained else adapt_to(scene, models, variant, given, searches)
            )
            first = first or (outcome, seconds)
            measured = scene_of(outcome, scene, seconds)
            rows.append(
                {"method": variant.name, "scene": scene.name, "hazard": scene.hazard, "steps": outcome.steps,
                 "winner": outcome.winner.name, **dataclasses.asdict(measured)}
            )  # fmt: skip
        if given.json:
            given.json.write_text(json.dumps({"asked": settings_told(given), "rows": rows}, indent=1))
        print(f"{scene.name} {scene.hazard}: {rows[-1]['verdict']}", flush=True)
    return rows


def terms_of(text: str) -> frozenset[str]:
    """Terms that are to be left out, from a list with commas."""
    return frozenset(filter(None, text.split(",")))


def settings_told(given: argparse.Namespace) -> str:
    """What decides how scenes were adapted to, in words."""
    limits = "no limits" if given.no_limits else "all limits"
    left_out = f", all without {given.without}" if given.without else ""
    return f"{given.model} models, mode {given.mode}, {given.steps} steps, {given.seeds} seeds, {limits}{left_out}"


def tables_of(asked: str, rows: Sequence[dict[str, Any]]) -> str:
    """Tables of simulated and of real scenes, each as a whole and set by set."""
    parts = [f"Adapting with and without its terms ({asked}), as printed by `tests/benchmarks/adaptation.py --ablate`."]
    for title, simulated in (("Simulated scenes", True), ("Real scenes", False)):
        part = [row for row in rows if row["scene"].startswith(SIMULATED) == simulated]
        methods = list(dict.fromkeys(row["method"] for row in part))
        if not part:
            continue
        cells = [_cells(name, [row for row in part if row["method"] == name]) for name in methods]
        parts += [f"**{title}**", markdown_table(COLUMNS, cells)]
        sets = dict.fromkeys((_set_of(row), row["hazard"]) for row in part)
        lines = [
            _set_cells(one, methods, [row for row in part if (_set_of(row), row["hazard"]) == one]) for one in sets
        ]
        parts += [f"**{title}, set by set**", markdown_table((*SET_COLUMNS, *methods), lines)]
    return "\n\n".join(parts) + "\n"


def _cells(name: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    measured = [_scene_of(row) for row in rows]
    found, dry = summary_of(measured), summary_of([scene for scene in measured if scene.grew is not None])
    tried = [scene.adapt_s for scene in measured if scene.verdict != ABSTAINED]
    return [
        name,
        str(found["scenes"]),
        str(found["scenes_with_hazard"]),
        signed(found["gain"], 4),
        signed(found["gain_iou"], 4),
        signed(min((gain for scene in measured if (gain := scene.gain) is not None), default=None)),
        share(found["harmed"]),
        f"{share(dry['false_area_before'], 2)} -> {share(dry['false_area_after'], 2)}",
        f"{sum(bool(scene.grew) for scene in measured)} of {found['scenes_without_hazard']}",
        " / ".join(str(sum(scene.verdict == verdict for scene in measured)) for verdict in VERDICTS),
        signed(found["rank_correlation"], 2),
        f"{np.mean(tried):.1f}" if tried else "–",
    ]


def _set_cells(one: tuple[str, str], methods: Sequence[str], rows: Sequence[dict[str, Any]]) -> list[str]:
    """Gains BA / IoU of each method on a set; of one without the hazard the false area before and after."""
    cells = []
    for name in methods:
        found = summary_of([_scene_of(row) for row in rows if row["method"] == name])
        before, after = (share(found[f"false_area_{when}"], 1) for when in ("before", "after"))
        with_it = f"{signed(found['gain'])} / {signed(found['gain_iou'])}"
        cells.append(with_it if found["scenes_with_hazard"] else f"{before} -> {after}")
    of_first = [row for row in rows if row["method"] == methods[0]]
    tried = sum(row["verdict"] != ABSTAINED for row in of_first)
    rank = summary_of([_scene_of(row) for row in of_first])["rank_correlation"]
    return [one[0], one[1], str(len(of_first)), str(tried), signed(rank, 2), *cells]


def _set_of(row: dict[str, Any]) -> str:
    """The shift of a simulated scene, and whether a hazard was laid; the set of a real one."""
    if not row["scene"].startswith(SIMULATED):
        return str(row["scene"])
    shown, shift = row["scene"].split()[1], row["scene"].split()[-1]
    return SHIFTS[shift] + (", no hazard laid" if shown == "none" else "")


def _scene_of(row: dict[str, Any]) -> AdaptedScene:
    values = {field.name: row[field.name] for field in dataclasses.fields(AdaptedScene)}
    return AdaptedScene(**{**values, "before": Counts(**row["before"]), "after": Counts(**row["after"])})


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
    parser.add_argument("--no-limits", action="store_true", help="nothing abstains, the proxy alone decides")
    parser.add_argument("--markdown", type=Path, help="write the tables of --ablate")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--tables", type=Path, nargs="+", help="only join what --ablate --json wrote, and show it")
    given = parser.parse_args(arguments)
    if given.tables:
        parts = [json.loads(path.read_text()) for path in given.tables]
        asked = "; ".join(dict.fromkeys(part["asked"] for part in parts))
        return show_tables(asked, [row for part in parts for row in part["rows"]], given.markdown)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    models = Models(given.model)
    if given.ablate:
        return show_tables(settings_told(given), ablate(models, given), given.markdown)
    variant = Variant("asked for", given.mode, terms_of(given.without))
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


def show_tables(asked: str, rows: Sequence[dict[str, Any]], page: Path | None) -> int:
    """Print the tables, and write them where a page is given."""
    text = tables_of(asked, rows)
    print(f"\n{text}")
    if page:
        page.write_text(text, encoding="utf-8")
    return 0


def _n(value: float | None) -> str:
    return "  -  " if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
