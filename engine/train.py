"""Train a model's hazard and surface heads on simulated scenes: python -m engine.train --save FOLDER."""

import argparse
import dataclasses
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from .cards import ModelCard
from .losses import hazard_loss, surface_loss
from .metrics import Counts, count_pixels
from .model import HazardNet, build_network, save_model
from .planes import PLANES
from .protocol import BadInput
from .simulate import HAZARDS, draw_scene
from .simulate.chips import SCENE_SIZE_PX, Batch, ChipStream, cut_chips, join
from .simulate.fields import Draw

LEARNING_RATE = 2e-3
WARM_UP_STEPS = 100
DECAY_SHARE = 0.3  # of all steps, at the end, over which the rate falls to 0
WEIGHT_DECAY = 0.01
SURFACE_WEIGHT = 0.2
GRADIENT_LIMIT = 1.0
AVERAGE_DECAY = 0.998  # of the moving average of weights, which is what is saved
CHECKPOINT_EVERY_STEPS = 200
VALIDATION_SEED = 900_000_001
VALIDATION_SCENES = 96
PLATEAU = 0.03  # share of the best IoU within which thresholds are as good as equal
THRESHOLDS = tuple(round(0.1 + 0.025 * i, 3) for i in range(31))

DESCRIPTION = (
    "A small U-Net for any set of optical and C-band radar bands, trained on simulated scenes only. Flood: water "
    "wherever it is seen, plants standing in it included. Landslide: fresh scars, tracks and deposits. Glacier "
    "collapse: the ice-rock lobe, its track and its source. One more head answers for any of them."
)
LIMITS = (
    "Flood marks all water of the scene, permanent water too: compare with a map of permanent water for the flood "
    "alone. RGB without near infrared is weak for water. Landslides and glacier collapses are told from optical "
    "bands only; bare fields, dry slopes, quarries and river bars are confused with landslides. No labelled glacier "
    "collapse was at hand: its recall is known on simulated scenes only. Cloud shadow, snow in composites without near "
    "infrared, and smooth sand in radar can pass for water."
)


def learning_rate(step: int, steps: int) -> float:
    """Warm up, hold, then fall linearly to 0 at ``steps``: a held run can be prolonged, unlike a cosine."""
    decay_from = steps * (1 - DECAY_SHARE)
    fall = 1.0 if step < decay_from else max(0.0, (steps - step) / (steps - decay_from))
    return LEARNING_RATE * min(1.0, (step + 1) / WARM_UP_STEPS) * fall


def new_card(name: str, encoder: str) -> ModelCard:
    """Card of a network about to be trained."""
    return ModelCard(
        name=name,
        title="U-Net, any sensor",
        description=DESCRIPTION,
        limits=LIMITS,
        architecture="unet",
        encoder=encoder,
        hazards=HAZARDS,
        thresholds=dict.fromkeys(HAZARDS, 0.5),
        planes=PLANES,
        default_for=HAZARDS[:3],
    )


def update_average(average: HazardNet, network: HazardNet, step: int) -> None:
    """Move the averaged weights towards the trained ones, faster in the first steps."""
    decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
    with torch.no_grad():
        for mean, tensor in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(tensor, 1 - decay)
            else:
                mean.copy_(tensor)


def validation_batches(scenes: int) -> list[Batch]:
    """Chips of held-out simulated scenes: their seeds lie apart from every training seed."""
    batches = []
    for number in range(scenes):
        scene = draw_scene(VALIDATION_SEED + number, SCENE_SIZE_PX)
        batches.append(cut_chips(scene, Draw(VALIDATION_SEED - 1 - number, 8), 2))
    return [join(batches[start : start + 8]) for start in range(0, scenes, 8)]


def validate(network: HazardNet, batches: list[Batch]) -> dict[str, dict[str, Any]]:
    """Threshold of each hazard, the middle of those that are nearly best by IoU on held-out chips, and its scores."""
    counts = {hazard: [Counts()] * len(THRESHOLDS) for hazard in HAZARDS}
    for batch in batches:
        probability = torch.sigmoid(network.hazard_logits(batch.planes)).numpy()
        labels = batch.labels.numpy()
        for index, hazard in enumerate(HAZARDS):
            truth, judged = labels[:, index] == 1, labels[:, index] != 255
            counts[hazard] = [
                total + count_pixels(probability[:, index] >= threshold, truth, judged)
                for total, threshold in zip(counts[hazard], THRESHOLDS, strict=True)
            ]
    best = {}
    for hazard in HAZARDS:
        ious = [count.iou or 0.0 for count in counts[hazard]]
        nearly_best = [index for index, iou in enumerate(ious) if iou >= (1 - PLATEAU) * max(ious)]
        at = nearly_best[len(nearly_best) // 2]
        best[hazard] = {"threshold": THRESHOLDS[at], **counts[hazard][at].scores()}
    return best


@dataclass(frozen=True)
class TrainOptions:
    """One run: where it writes, how long it goes on, from what seed."""

    save: Path
    checkpoint: Path
    steps: int = 4600
    seed: int = 0
    batch_size: int = 16
    minutes: float = 1e6
    resume: bool = False
    encoder: str = "tu-mobilenetv3_small_100"


def train(options: TrainOptions) -> None:
    """Train, write the model to its folder at the end, and a checkpoint now and then.

    Raises BadInput if the run is to be resumed and there is no checkpoint.
    """
    save, checkpoint, steps, seed = options.save, options.checkpoint, options.steps, options.seed
    torch.manual_seed(seed)
    card = new_card(save.name, options.encoder)
    network, average = build_network(card), build_network(card)
    average.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    step, seconds = 0, 0.0
    if options.resume:
        if not checkpoint.is_file():
            raise BadInput(f"There is no checkpoint {checkpoint} to resume from; run without --resume first.")
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds = int(state["step"]), float(state["seconds"])
    started = time.monotonic() - seconds
    stop_at = time.monotonic() + options.minutes * 60
    loader = DataLoader(ChipStream(seed, step, options.batch_size), batch_size=None, num_workers=1, prefetch_factor=4)
    network.train()
    average.eval()
    recent: list[float] = []
    for batch in loader:
        if step >= steps or time.monotonic() > stop_at:
            break
        rate = learning_rate(step, steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = batch_loss(network, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_LIMIT)
        optimizer.step()
        update_average(average, network, step)
        recent.append(float(loss.detach()))
        step += 1
        seconds = time.monotonic() - started
        if step % 50 == 0:
            mean = sum(recent[-50:]) / len(recent[-50:])
            print(
                f"step {step}/{steps}  loss {mean:.4f}  rate {rate:.1e}  {seconds:.0f} s", file=sys.stderr, flush=True
            )
        if step % CHECKPOINT_EVERY_STEPS == 0:
            write_checkpoint(checkpoint, network, average, optimizer, step, seconds)
    write_checkpoint(checkpoint, network, average, optimizer, step, seconds)
    found = validate(average, validation_batches(VALIDATION_SCENES))
    print(json.dumps(found, indent=1), file=sys.stderr)
    command = (
        f"python -m engine.train --save {save.name} --steps {steps} --seed {seed} --batch-size {options.batch_size}"
    )
    finished = dataclasses.replace(
        card,
        thresholds={hazard: row["threshold"] for hazard, row in found.items()},
        scores=tuple({"set": "simulated (held out)", "hazard": hazard, **row} for hazard, row in found.items()),
        training={
            "command": command,
            "seed": seed,
            "steps": step,
            "batch_size": options.batch_size,
            "seconds": round(seconds),
            "data": "simulated scenes only (engine/simulate)",
            "torch": torch.__version__,
        },
    )
    save_model(average, finished, save)


def batch_loss(network: HazardNet, batch: Batch) -> Tensor:
    """Hazard loss plus weighted surface loss of one batch."""
    hazard_logits, surface_logits = network(batch.planes)
    return hazard_loss(hazard_logits, batch.labels) + SURFACE_WEIGHT * surface_loss(surface_logits, batch.surface)


def write_checkpoint(
    path: Path, network: HazardNet, average: HazardNet, optimizer: torch.optim.Optimizer, step: int, seconds: float
) -> None:
    """Write all that is needed to go on, under a temporary name first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    state = {
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "seconds": seconds,
    }
    torch.save(state, partial)
    partial.replace(path)


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m engine.train", description=__doc__)
    parser.add_argument("--save", type=Path, required=True, help="folder to write the model to")
    parser.add_argument("--checkpoint", type=Path, help="checkpoint file; build/train/<name>.pt when not given")
    parser.add_argument("--steps", type=int, default=TrainOptions.steps)
    parser.add_argument("--seed", type=int, default=TrainOptions.seed)
    parser.add_argument("--batch-size", type=int, default=TrainOptions.batch_size, help="chips a step")
    parser.add_argument(
        "--minutes", type=float, default=TrainOptions.minutes, help="stop, ready to be resumed, by then"
    )
    parser.add_argument("--encoder", default=TrainOptions.encoder, help="any encoder of the library")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    given = vars(parser.parse_args(arguments))
    given["checkpoint"] = given["checkpoint"] or Path("build/train") / f"{given['save'].name}.pt"
    try:
        train(TrainOptions(**given))
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
