"""Averages the weights of two models of one architecture, where one was tuned from the other.

    python tests/benchmarks/average.py resources/models/attention_unet build/models/attention7 \\
        --shares 0,0.25,0.5,0.75,1 --save build/models/attention_mean

A share is that of the second model. Of several shares the one is saved that does best on simulated validation scenes,
at thresholds chosen for it there (as ``bundle.py`` does): by the mean of balanced accuracy and IoU over hazards, for
physical and for display values. All floating tensors are averaged, standing statistics of normalisation too. The idea:
Wortsman et al. (2022), Robust fine-tuning of zero-shot models, CVPR.
"""

import argparse
import dataclasses
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bundle import calibrate, validation_scenes  # noqa: E402

from engine.cards import ModelCard, validate_name  # noqa: E402
from engine.model import HazardNet, Model, build_network, load_model, save_model  # noqa: E402


def average(first: Model, second: Model, share: float) -> HazardNet:
    """Network in eval mode whose weights lie at ``share`` of the way from the first model's to the second's.

    Rounded as they are saved. Raises ValueError for models of different tensors or hazards.
    """
    weights, others = first.network.state_dict(), second.network.state_dict()
    shapes = [{name: tensor.shape for name, tensor in these.items()} for these in (weights, others)]
    if shapes[0] != shapes[1] or first.card.hazards != second.card.hazards:
        raise ValueError(f"{first.folder} and {second.folder} differ in architecture, encoder or hazards.")
    mean = {
        name: tensor.double().lerp(others[name].double(), share).half().float()
        if tensor.is_floating_point()
        else tensor
        for name, tensor in weights.items()
    }
    network = build_network(second.card)
    network.load_state_dict(mean)
    return network.eval().requires_grad_(False)


def worth(card: ModelCard) -> float:
    """Mean of balanced accuracy and IoU over the rows of a card that was just measured."""
    values = [row[name] or 0.0 for row in card.scores for name in ("balanced_accuracy", "iou")]
    return sum(values) / len(values)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path, help="model that the second was tuned from")
    parser.add_argument("second", type=Path, help="tuned model")
    parser.add_argument("--shares", type=_shares, default=(0.25, 0.5, 0.75), help="of the second, each 0 to 1")
    parser.add_argument("--save", type=Path, required=True, help="folder of the average")
    parser.add_argument("--scenes", type=int, default=320, help="validation scenes for thresholds and choice")
    given = parser.parse_args()
    validate_name(given.save.name)
    first, second = load_model(str(given.first)), load_model(str(given.second))
    scenes = validation_scenes(given.scenes)
    measured: list[tuple[float, float, ModelCard]] = []
    for share in given.shares:
        card = calibrate(average(first, second, share), second.card, scenes)
        print(f"share {share}: {worth(card):.4f}", flush=True)
        for row in card.scores:
            cells = (f"{key} {row[key]}" for key in ("threshold", "balanced_accuracy", "iou", "false_area"))
            print(f"  {row['set']:32}{row['hazard']:18}" + "  ".join(cells), flush=True)
        measured.append((worth(card), share, card))
    _, share, card = max(measured, key=lambda found: found[0])
    averaged = {
        "command": "python " + shlex.join(["tests/benchmarks/average.py", *sys.argv[1:]]),
        "of": [
            {"model": model.card.name, "weights_sha256": model.weights_sha256, "share": part}
            for model, part in ((first, 1 - share), (second, share))
        ],
    }
    card = dataclasses.replace(card, name=given.save.name, training={**card.training, "averaged": averaged})
    save_model(average(first, second, share), card, given.save)
    print(f"share {share} saved in {given.save}")
    return 0


def _shares(text: str) -> tuple[float, ...]:
    shares = tuple(float(part) for part in text.split(",") if part.strip())
    if not shares or not all(0 <= share <= 1 for share in shares):
        raise argparse.ArgumentTypeError("shares from 0 to 1")
    return shares


if __name__ == "__main__":
    sys.exit(main())
