"""Which hazards a training run teaches, and how a network gets a logit for each."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .batches import ANY
from .cards import ModelCard, is_word
from .learning import Data
from .model import HazardNet, Model
from .protocol import HAZARDS, SIMULATED, BadInput, TrainJob


@dataclass(frozen=True)
class Teaching:
    """What a run teaches, settled before it begins.

    Attributes:
        hazards: order of the logits.
        shown: hazards that the labels speak of.
        replayed: hazards taught on simulated scenes beside the user's data.
        teach_any: whether *any* is taught on the user's data.
    """

    hazards: tuple[str, ...]
    shown: tuple[str, ...]
    replayed: tuple[str, ...]
    teach_any: bool

    @property
    def judged(self) -> tuple[str, ...]:
        """Hazards whose scores the user's own data give: those shown, and *any* where no other is left."""
        complete = not [name for name in self.hazards if name not in (*self.shown, ANY)]
        return tuple(name for name in self.hazards if name in self.shown or (complete and name == ANY))

    @property
    def simulated(self) -> tuple[str, ...]:
        """Hazards that simulated chips beside the user's data teach."""
        return tuple(name for name in self.hazards if name in (*HAZARDS, ANY))

    def fading_notes(self, remedy: str) -> list[str]:
        """What the user should know of hazards that nothing shows; ``remedy`` is for those that could be simulated."""
        unlabelled = [name for name in self.hazards if name not in (*self.shown, *self.replayed, ANY)]
        if not unlabelled:
            return []
        if not any(name in HAZARDS for name in unlabelled):
            remedy = "Simulated scenes cannot show it."
        return [f"Nothing shows {', '.join(unlabelled)} in this run: what the model knew of it may fade. {remedy}"]


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


def settle_teaching(job: TrainJob, data: Data | None, start: ModelCard | None) -> Teaching:
    """What is to be taught; raises BadInput where nothing is, or not what was asked for."""
    shown = hazards_shown(job, data)
    hazards = hazards_of(job, shown, start)
    if data is None:
        return Teaching(hazards, shown, (), True)
    unlabelled = [name for name in hazards if name not in (*shown, ANY)]
    replayed = tuple(name for name in HAZARDS if name in unlabelled) if job.replay else ()
    # Positive pixels alone would teach *any* to say yes everywhere: replay, or labels of all hazards, give the others.
    return Teaching(hazards, shown, replayed, teach_any=bool(job.replay) or not unlabelled)


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
