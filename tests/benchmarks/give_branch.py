"""Gives the branch that tells what is new to models whose answers it was taught to correct.

    python tests/benchmarks/give_branch.py build/models/branch unet unetplusplus attention_unet residual_unet

Each gets the same weights of the branch and decision thresholds of its own, measured on held-out simulated pairs, for
the hazards of which the branch tells better than the rule what is new; single-date weights and thresholds stay.
``--into`` writes elsewhere than over the bundled models, to try.
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
from engine.cards import ModelCard, bundled_folder  # noqa: E402
from engine.model import Model, load_model, save_model  # noqa: E402
from engine.reporting import Report  # noqa: E402
from engine.simulate.pair_chips import PairBatch  # noqa: E402


def give(model: Model, source: Model, pairs: list[PairBatch]) -> tuple[Any, ModelCard, list[dict[str, Any]]]:
    """The model's network with the branch of another, its card with thresholds, and a row by hazard beside the rule."""
    device = torch.device("cpu")
    network = copy.deepcopy(model.network)
    network.change = copy.deepcopy(source.network.change)
    if network.change is None or source.card.hazards != model.card.hazards:
        raise SystemExit(f"{source.card.name} has no branch, or tells other hazards than {model.card.name}.")
    trunks = Trunks([model], device)
    told: list[Told] = [trunks.tell(batch, 0).half() for batch in pairs]
    rows, shown = [], []
    thresholds = {}
    tally, _ = judge_branch(network.change.eval(), told, model.card.hazards, device, Report())
    rule, _ = judge_branch(None, told, model.card.hazards, device, Report())
    for hazard in model.card.hazards:
        plain = score_new(rule, hazard)
        score = score_new(tally, hazard, plain)
        if score.threshold is None:
            continue
        measured = {key: None if value is None else round(value, 4) for key, value in score.counts.scores().items()}
        row = {"set": SIMULATED_PAIRS, "hazard": hazard, "mode": WITH_BEFORE, "threshold": score.threshold, **measured}
        told = answers(score, plain, must_be_guarded=True)
        shown.append({"model": model.card.name, **row, "rule": plain.counts.scores(), "told_by_branch": told})
        if told:
            thresholds[hazard] = score.threshold
            rows.append(row)
    kept = tuple(row for row in model.card.scores if row.get("mode") != WITH_BEFORE)
    card = dataclasses.replace(
        model.card,
        change_channels=source.card.change_channels,
        change_thresholds=thresholds,
        scores=(*kept, *rows),
        training={**model.card.training, "before": source.card.training["before"]},
    )
    return network.eval(), card, shown


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("branch", help="model that train --before made")
    parser.add_argument("models", nargs="+", help="bundled models that get its branch")
    parser.add_argument("--pairs", type=int, default=192, help="held-out pairs for the thresholds")
    parser.add_argument("--into", type=Path, default=bundled_folder())
    given = parser.parse_args()
    source = load_model(given.branch)
    pairs = PairSource(0, 16).validation(given.pairs, Report())
    for name in given.models:
        network, card, rows = give(load_model(name), source, pairs)
        save_model(network, card, given.into / name)
        for row in rows:
            print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
