"""Puts a trained model among those that come with the plugin: its name, what it answers for, and how it came about.

    python tests/benchmarks/bundle.py build/models/unet --name unet --default-for flood,landslide,glacier_collapse \\
        --scales 1,2,4 --history history.json

``--history`` is a JSON list of the runs that led to the weights, first to last; each has a command, a commit, steps and
seconds. Scores of real sets are added afterwards by ``python -m engine scorecard --write-cards``.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from engine.batches import SCENE_SIZE_PX, VALIDATION_SEED  # noqa: E402
from engine.cards import ModelCard, bundled_folder  # noqa: E402
from engine.model import HazardNet, load_model, save_model  # noqa: E402
from engine.planes import PLANES  # noqa: E402
from engine.reporting import Report  # noqa: E402
from engine.simulate import draw_scene  # noqa: E402
from engine.simulate.chips import Batch, cut_chips  # noqa: E402
from engine.simulate.fields import Draw  # noqa: E402
from engine.validation import judge_hazards  # noqa: E402

_PHYSICAL = [index for index, name in enumerate(PLANES) if name.startswith("raw_")]

SEEN_FROM_AFAR = ("landslide", "glacier_collapse")
"""Hazards that gain from several resolutions; water does not."""

LIMITS = (
    "Flood marks all water of the scene, permanent water too: compare with a map of permanent water for the flood "
    "alone. RGB without near infrared is weak for water, and so is muddy water in RGB beside bare ground. Cloud shadow "
    "over forest can pass for water, and so does snow in composites without near infrared (a fifth to three fifths of "
    "a summer scene at Blatten). Landslides and glacier collapses are told from optical bands only; bare fields "
    "are confused with landslides at 30 m, and scars on ground that was bare before cannot be told on one date. In "
    "aerial images of half a metre most of a landslide is missed; in three display bands no simulated collapse is "
    "found. "
    "No labelled glacier collapse was at hand: its recall is known on simulated scenes only. The real sets that the "
    "scores name were looked at while the simulator and the rule for thresholds were made: they are development sets, "
    "and other scenes may score lower."
)


def calibrate(network: HazardNet, card: ModelCard, scenes: Sequence[Batch]) -> ModelCard:
    """Thresholds measured as the model will be used, at its resolutions, on ``validation_scenes``.

    Scenes of display values have thresholds of their own: without physical values the network is less sure.
    """
    thresholds, displayed, rows = dict(card.thresholds), {}, []
    for name, physical in (("simulated (validation)", True), ("simulated 8-bit (validation)", False)):
        judged = [batch for batch in scenes if bool(batch.planes[:, _PHYSICAL].any()) == physical]
        tally, _ = judge_hazards(network, judged, card, torch.device("cpu"), Report())
        for hazard in card.hazards:
            score = tally.score(hazard)
            if score.threshold is None:
                continue
            (thresholds if physical else displayed)[hazard] = score.threshold
            measured = {key: None if value is None else round(value, 4) for key, value in score.counts.scores().items()}
            rows.append({"set": name, "hazard": hazard, "threshold": score.threshold, **measured})
    return dataclasses.replace(card, thresholds=thresholds, display_thresholds=displayed, scores=tuple(rows))


def validation_scenes(count: int) -> list[Batch]:
    """Whole simulated scenes of validation, in half precision: in single precision many would not fit a memory."""
    batches = []
    for number in range(count):
        scene = draw_scene(VALIDATION_SEED + number, SCENE_SIZE_PX)
        batch = cut_chips(scene, Draw(VALIDATION_SEED - 1 - number, 8), 1, SCENE_SIZE_PX)
        batches.append(dataclasses.replace(batch, planes=batch.planes.half()))
    return batches


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="model to bundle")
    parser.add_argument("--name", required=True)
    parser.add_argument("--default-for", type=_names, default=(), help="hazards that choose it by themselves")
    parser.add_argument("--scales", type=_names, default=("1", "2", "4"), help="resolutions of large hazards")
    parser.add_argument("--history", type=Path, help="JSON list of the runs before the last")
    parser.add_argument("--scenes", type=int, default=320, help="validation scenes for the thresholds")
    given = parser.parse_args()
    model = load_model(str(given.folder))
    training = dict(model.card.training)
    if given.history:
        training["history"] = json.loads(given.history.read_text("utf-8"))
    factors = [int(text) for text in given.scales]
    card = dataclasses.replace(
        model.card,
        name=given.name,
        default_for=given.default_for,
        scales={hazard: factors for hazard in SEEN_FROM_AFAR if hazard in model.card.hazards},
        limits=LIMITS,
        training=training,
    )
    card = calibrate(model.network, card, validation_scenes(given.scenes))
    save_model(model.network, card, bundled_folder() / given.name)
    return 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


if __name__ == "__main__":
    sys.exit(main())
