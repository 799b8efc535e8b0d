"""Gives the branch that tells what is new to models whose answers it was taught to correct.

    python tests/benchmarks/give_branch.py build/models/branch unet unetplusplus attention_unet residual_unet

Each gets the same weights of the branch and decision thresholds of its own, measured on held-out simulated pairs, for
the hazards of which the branch tells better than the rule what is new; single-date weights and thresholds stay.

    python tests/benchmarks/give_branch.py --display build/models/branch_display unet unetplusplus

gives them a second one, of a model that ``train --before --display`` made: it answers for display values, of the
hazards of which it tells better than the first one (or the rule, which answers for the others) what is new in held-out
pairs of such values. A model that has one already gets the thresholds of its general branch from pairs of measured
values alone, which that one is left with. ``--into`` writes elsewhere than over the bundled models, to try.
"""

import argparse
import copy
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from engine.before.learning import Told, Trunks, judge_branch  # noqa: E402
from engine.before.sources import PairSource  # noqa: E402
from engine.before.training import SIMULATED_PAIRS, WITH_BEFORE, answers, score_new  # noqa: E402
from engine.cards import BRANCH, DISPLAY_BRANCH, ModelCard, bundled_folder  # noqa: E402
from engine.model import Model, load_model, save_model  # noqa: E402
from engine.planes import PLANES  # noqa: E402
from engine.reporting import Report  # noqa: E402
from engine.simulate.pair_chips import PairBatch  # noqa: E402


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a branch goes: ``name`` in the network and of the card's fields; ``pairs`` names what measured it."""

    name: str
    channels: str
    thresholds: str
    pairs: str
    entry: str


GENERAL = Place(BRANCH, "change_channels", "change_thresholds", SIMULATED_PAIRS, "before")
MEASURED = dataclasses.replace(GENERAL, pairs="simulated pairs of measured values (validation)")
DISPLAYED = Place(
    DISPLAY_BRANCH, "display_change_channels", "display_change_thresholds",
    "simulated pairs of display values (validation)", "before_display",
)  # fmt: skip
_PHYSICAL = [index for index, name in enumerate(PLANES) if name.startswith("raw_")]


def measured_part(batch: PairBatch) -> PairBatch:
    """Those chips whose later date has physical values."""
    chosen = batch.later[:, _PHYSICAL].flatten(1).any(1)
    fields = ("later", "earlier", "change", "labels")
    return dataclasses.replace(batch, **{name: getattr(batch, name)[chosen] for name in fields})


def give(
    model: Model, source: Model, pairs: list[PairBatch], display: bool = False
) -> tuple[Any, ModelCard, list[dict[str, Any]]]:
    """The model's network with the branch of another, its card with thresholds, and a row by hazard beside what answers
    without it: the rule, or for display values the general branch."""
    device = torch.device("cpu")
    place = DISPLAYED if display else MEASURED if model.card.display_change_channels else GENERAL
    if place is MEASURED:
        pairs = [part for part in map(measured_part, pairs) if len(part.labels)]
    network = copy.deepcopy(model.network)
    if source.network.change is None or source.card.hazards != model.card.hazards:
        raise SystemExit(f"{source.card.name} has no branch, or tells other hazards than {model.card.name}.")
    branch = copy.deepcopy(source.network.change).eval()
    setattr(network, place.name, branch)
    trunks = Trunks([model], device)
    told: list[Told] = [trunks.tell(batch, 0).half() for batch in pairs]
    tally, by_rule, by_general = (
        judge_branch(one, told, model.card.hazards, device, Report())[0]
        for one in (branch, None, model.network.change if display else None)
    )
    rows, shown = [], []
    thresholds = {}
    for hazard in model.card.hazards:
        rule = score_new(by_rule, hazard)
        general = display and hazard in model.card.change_thresholds
        plain = score_new(by_general, hazard, rule) if general else rule
        score = score_new(tally, hazard, rule)
        if score.threshold is None:
            continue
        measured = {key: None if value is None else round(value, 4) for key, value in score.counts.scores().items()}
        row = {"set": place.pairs, "hazard": hazard, "mode": WITH_BEFORE, "threshold": score.threshold, **measured}
        better = answers(score, plain, must_be_guarded=True)
        without = {"by": "general branch" if general else "rule", **plain.counts.scores()}
        shown.append({"model": model.card.name, **row, "without": without, "told_by_branch": better})
        if better:
            thresholds[hazard] = score.threshold
            rows.append(row)
    replaced = {place.pairs} if display else {GENERAL.pairs, MEASURED.pairs}
    kept = tuple(row for row in model.card.scores if row.get("mode") != WITH_BEFORE or row["set"] not in replaced)
    changes: dict[str, Any] = {place.channels: source.card.change_channels, place.thresholds: thresholds}
    card = dataclasses.replace(
        model.card,
        scores=(*kept, *rows),
        training={**model.card.training, place.entry: source.card.training["before"]},
        **changes,
    )
    return network.eval(), card, shown


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("branch", help="model that train --before made")
    parser.add_argument("models", nargs="+", help="bundled models that get its branch")
    parser.add_argument("--pairs", type=int, default=192, help="held-out pairs for the thresholds")
    parser.add_argument("--into", type=Path, default=bundled_folder())
    parser.add_argument("--display", action="store_true", help="give it as the branch for display values")
    given = parser.parse_args()
    source = load_model(given.branch)
    pairs = PairSource(0, 16, display=given.display).validation(given.pairs, Report())
    for name in given.models:
        network, card, rows = give(load_model(name), source, pairs, given.display)
        save_model(network, card, given.into / name)
        for row in rows:
            print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
