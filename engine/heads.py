"""Which hazards a training run teaches, and how a network gets a logit for each."""

from __future__ import annotations

import torch

from .batches import ANY
from .cards import ModelCard, is_word
from .learning import Data
from .model import HazardNet, Model
from .protocol import HAZARDS, SIMULATED, BadInput, TrainJob


def hazards_shown(job: TrainJob, data: Data | None) -> tuple[str, ...]:
    """Hazards that the labels speak of; raises BadInput where that is none, or not what the job names."""
    for name in job.hazard:
        if name == ANY or not is_word(name):
            raise BadInput(
                f"Hazard '{name}' cannot be trained; name it with letters, digits, _ and -, and not '{ANY}'."
            )
    if data is None:
        unknown = [name for name in job.hazard if name not in HAZARDS]
        if unknown:
            raise BadInput(
                f"Hazard '{unknown[0]}' cannot be simulated; give --data a folder whose labels show it, or choose of "
                f"{', '.join(HAZARDS)}."
            )
        return tuple(name for name in job.hazard or HAZARDS if name != job.leave_out)
    shown = tuple(data.source.hazards)
    if not shown:
        raise BadInput(
            f"{data.source.name} in {job.data} shows no hazard, only natural and artificial surfaces; use pretrain."
        )
    missing = [name for name in job.hazard if name not in shown]
    if missing:
        raise BadInput(f"{data.source.name} in {job.data} shows {', '.join(shown)}, not '{missing[0]}'.")
    return shown


def hazards_of(job: TrainJob, shown: tuple[str, ...], start: ModelCard | None) -> tuple[str, ...]:
    """Order of the network's logits: those of a trained model first, *any* last in a new one.

    Raises:
        BadInput: a hazard is to be left out that the model was trained on.
    """
    if start is not None and not start.pretrained_only:
        if job.leave_out in start.hazards:
            raise BadInput(
                f"Model '{start.name}' was trained on {job.leave_out} already; to leave it out, train from scratch or "
                "from a model that is only pre-trained."
            )
        return start.hazards + tuple(name for name in shown if name not in start.hazards)
    simulated: tuple[str, ...] = () if job.data == SIMULATED or not job.replay else HAZARDS
    names = [name for name in (*simulated, *shown) if name != job.leave_out]
    return (*dict.fromkeys(names), ANY)


def take_weights(network: HazardNet, hazards: tuple[str, ...], start: Model) -> float:
    """Copy what fits, by name and shape, from a loaded model; a hazard that is new to it begins as its *any*.

    Returns:
        The share of the network's numbers that were copied, hazard logits not counted.
    """
    copied = 0.0
    own, theirs = network.state_dict(), start.network.state_dict()
    with torch.no_grad():
        for name, tensor in theirs.items():
            if name in own and own[name].shape == tensor.shape and not name.startswith("hazard_head."):
                own[name].copy_(tensor)
                copied += tensor.numel()
        for index, hazard in enumerate(hazards):
            known = start.card.hazards
            twin = hazard if hazard in known else ANY if ANY in known else None
            if twin is not None and own["hazard_head.weight"].shape[1:] == theirs["hazard_head.weight"].shape[1:]:
                for name in ("hazard_head.weight", "hazard_head.bias"):
                    own[name][index] = theirs[name][known.index(twin)]
    total = sum(tensor.numel() for name, tensor in own.items() if not name.startswith("hazard_head."))
    return float(copied / max(1, total))


def was_pretrained(start: ModelCard | None) -> bool:
    """Whether weights come, through whatever runs, from pre-training."""
    return start is not None and (start.pretrained_only or start.training.get("from_scratch") is False)
