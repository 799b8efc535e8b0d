"""What pre-training and hazard training share: where they write, how long they go on, and what their cards say."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import nn

from . import __version__
from .batches import CHIPS_OF_SIMULATED_SCENE
from .cards import CARD, ModelCard, bundled_folder, is_name, user_folder, validate_name
from .checkpoints import Checkpoint, require_space
from .datasets import EarlierOptions, open_training_data
from .model import HazardNet, save_model
from .optimise import Plan, Run
from .protocol import SIMULATED, BadInput, LearningJob, TrainJob
from .reporting import Report
from .samples import LabelledData

SIMULATED_ITERATIONS = 200  # steps an epoch where data have no end
ITERATIONS_A_MINUTE = 10  # in runs that end by time, 25 to 250: validations are to take a small part of it
FEWEST_STEPS_TO_VALIDATION = 20  # where passes through the data are shorter
MOST_STEPS_TO_VALIDATION = 1000
MOST_EPOCHS = 200
VALIDATION_SCENES = (24, 96)  # simulated, of a short and of a long run
SIMULATED_DATA = ("simulated scenes only (engine/simulate)", "made by this program")
"""Name and licence of the data that need no files."""
LICENCE = "CC BY 4.0"
NOT_REPEATED = ("resume", "overwrite", "device", "workers", "cache", "cache_gb")
"""What a card's command leaves out: it changes how a run is made, not what it makes."""


@dataclass
class Data:
    """Labelled scenes on disk, opened: which of them train and which validate."""

    source: LabelledData
    train: Sequence[int]
    validation: Sequence[int]
    notes: list[str] = field(default_factory=list)


def folder_for(save: str, overwrite: bool) -> Path:
    """Folder of a model to be written: a name means one of the user's own models.

    Raises:
        BadInput: the name cannot be one, is a bundled model's, or a model is there already.
    """
    if is_name(save):
        if (bundled_folder() / save / CARD).is_file():
            raise BadInput(f"'{save}' is the name of a model that comes with the program; choose another name.")
        folder = user_folder() / save
    else:
        folder = Path(os.path.abspath(save))
        validate_name(folder.name)
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file; choose a name or folder for the model.")
    if (folder / CARD).exists() and not overwrite:
        raise BadInput(f"There is a model in {folder} already; use --overwrite to replace it, or choose another name.")
    return folder


def settle_folder(job: LearningJob) -> Path:
    """Folder that a run's model is written to; see ``folder_for``.

    Raises:
        BadInput: as ``folder_for``, or an unfinished run is there already.
    """
    folder = folder_for(job.save, job.overwrite)
    checkpoint = Checkpoint(folder, {})
    if checkpoint.exists() and not (job.resume or job.overwrite):
        raise BadInput(f"{folder} holds an unfinished run; --resume goes on with it, --overwrite begins again.")
    if job.resume:
        checkpoint.require()
    return folder


def open_data(job: LearningJob) -> Data | None:
    """The job's folder of training data; None for simulated scenes.

    Raises:
        BadInput: the folder holds nothing that can be trained on, or leaves nothing to train or to validate on.
    """
    if job.data == SIMULATED:
        return None
    options: dict[str, Any] = {}
    if isinstance(job, TrainJob):
        options = {
            "hazards": job.hazard,
            "positive": job.positive,
            "ignore": job.ignore,
            "bands": job.bands,
            "units": job.units,
            "gsd_m": job.gsd_m,
        }
        if job.before:
            options["before"] = EarlierOptions(job.before_bands, job.before_units)
    else:
        options = {"surface": True}
    source = open_training_data(job.data, **options)
    train, validation, _ = source.split(job.seed)
    for part, numbers in (("training", train), ("validation", validation)):
        if not len(numbers):
            raise BadInput(
                f"{source.name} in {job.data} has {len(source)} scenes and none of them for {part}; add scenes, or "
                "mend its split."
            )
    return Data(source, train, validation, list(source.notes))


def plan_of(job: LearningJob, scenes: int | None, default_steps: int, scenes_a_step: float | None = None) -> Plan:
    """How long the job goes on.

    Args:
        job: what the user wants of it.
        scenes: to train on; None where they have no end.
        default_steps: of a run that is told neither epochs nor minutes.
        scenes_a_step: how many of them a batch takes; all of the batch when not given.
    """
    if scenes:
        passes = math.ceil(scenes / (scenes_a_step or job.batch_size))
    elif job.minutes is None:
        passes = SIMULATED_ITERATIONS
    else:
        passes = max(25, min(250, round(job.minutes * ITERATIONS_A_MINUTE)))
    iterations = job.iterations or passes
    if job.iterations:
        validate_every = iterations
    else:
        validate_every = iterations * math.ceil(FEWEST_STEPS_TO_VALIDATION / iterations)
    epochs = job.epochs
    if epochs is None and job.minutes is None:
        epochs = max(1, min(MOST_EPOCHS, round(default_steps / iterations)))
    validate_every = min(validate_every, MOST_STEPS_TO_VALIDATION)
    if epochs is not None:
        validate_every = min(validate_every, epochs * iterations)
    return Plan(
        steps=None if epochs is None else epochs * iterations,
        seconds=None if job.minutes is None else job.minutes * 60,
        validate_every=validate_every,
        patience_steps=job.patience * max(iterations, validate_every),
        batch_size=job.batch_size,
        learning_rate=job.learning_rate,
        optimizer=job.optimizer,
    )


def simulated_validation_scenes(plan: Plan) -> int:
    """Held-out scenes that fit a run's length."""
    fewest, most = VALIDATION_SCENES
    by_steps = most if plan.steps is None else plan.steps * plan.batch_size // (16 * CHIPS_OF_SIMULATED_SCENE)
    by_time = most if plan.seconds is None else int(plan.seconds / 3)
    return max(fewest, min(most, by_steps, by_time))


def settings_of(kind: str, job: LearningJob, **more: Any) -> dict[str, Any]:
    """What two runs must share for one to go on where the other stopped: all that changes what a step does."""
    free = {"save", "epochs", "iterations", "patience", "minutes", "workers", "device", "resume", "overwrite", "cache"}
    free |= {"cache_gb", "before", "also"}  # the kind and the models say it
    values = {spec.name: getattr(job, spec.name) for spec in dataclasses.fields(job) if spec.name not in free}
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    if job.data != SIMULATED:
        values["data"] = os.path.realpath(job.data)
    return {"kind": kind, **values, **more}


def data_of(data: Data | None, replay: bool = False) -> tuple[str, str]:
    """Name and licence of the data, for the card."""
    if data is None:
        return SIMULATED_DATA
    return data.source.name + (" and simulated scenes" if replay else ""), data.source.licence


def licence_of(data_licence: str | None, start: ModelCard | None) -> str:
    """Licence of a model, after that of its data (None where they are simulated) and of the model it began from."""
    licence = LICENCE if data_licence is None else f"As the training data allow: {data_licence}"
    if start is not None and start.licence not in (LICENCE, licence):
        licence += f"; begun from '{start.name}': {start.licence or 'no licence named'}"
    return licence


def replayed_chips(job: TrainJob) -> int:
    """Simulated chips in a batch beside those of the user."""
    return min(max(1, round(job.replay * job.batch_size)), job.batch_size - 1) if job.replay else 0


def require_room(folder: Path, network: nn.Module) -> None:
    """Raise OutputFailed unless model and checkpoints fit the disk: weights, their average, the best, two moments."""
    size = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    require_space(folder, size * 5 * 2 + size // 2)  # one checkpoint beside the one before, and the model


def command_of(kind: str, job: LearningJob) -> str:
    """The command that repeats a run, folders by their last names only."""
    words = ["python -m engine", kind]
    for spec in dataclasses.fields(job):
        value = getattr(job, spec.name)
        if value == spec.default or spec.name in NOT_REPEATED:
            continue
        flag = "--" + spec.name.replace("_", "-")
        if value is True:
            words.append(flag)
            continue
        parts = [str(part) for part in (value if isinstance(value, tuple) else (value,))]
        if spec.name in ("data", "save", "model", "also"):
            parts = [Path(part).name for part in parts]
        words.append(f"{flag} {','.join(parts)}")
    return " ".join(words)


def training_entry(kind: str, job: LearningJob, run: Run, data: str, licence: str) -> dict[str, Any]:
    """What a card says of the run: data, seed, versions, command, time, curves and how it ended."""
    return {
        "kind": kind,
        "command": command_of(kind, job),
        "data": data,
        "data_licence": licence,
        "seed": job.seed,
        "steps": run.step,
        "best_step": run.best_step,
        "batch_size": job.batch_size,
        "learning_rate": job.learning_rate,
        "optimizer": job.optimizer,
        "seconds": round(run.seconds),
        "ended": run.ended,
        "validation": {name: round(value, 4) for name, value in run.best_values.items()},
        "versions": versions(),
        "curves": {name: curve.shown() for name, curve in run.curves.items()},
    }


def versions() -> dict[str, str]:
    """Versions of what made a model."""
    return {
        "engine": __version__,
        "torch": str(torch.__version__),
        "segmentation_models_pytorch": metadata.version("segmentation-models-pytorch"),
    }


def unread_notes(reasons: Sequence[str]) -> list[str]:
    """What the user should know of validation scenes that could not be read."""
    if not reasons:
        return []
    return [f"{len(reasons)} scenes that were to validate could not be read: {'; '.join(reasons[:3])}"]


def require_validation(batches: Sequence[object], unread: Sequence[str]) -> None:
    """Raise BadInput unless some of the scenes that are to validate could be read; ``unread`` says why they cannot."""
    if not batches:
        first = f" The first: {unread[0]}" if unread else ""
        raise BadInput(f"None of the scenes that are to validate can be read; mend the data or their split.{first}")


def validation_of(data: Data) -> str:
    """Name of the scenes that validate, as rows of a card have it."""
    return f"{data.source.name} (validation)"


def skipped_notes(run: Run) -> list[str]:
    """What the user should know of scenes that could not be read."""
    if not run.skipped:
        return []
    return [f"{len(run.skipped)} scenes could not be read and were left out: {'; '.join(run.skipped[:3])}"]


def publish(network: HazardNet, card: ModelCard, folder: Path, checkpoint: Checkpoint, report: Report) -> None:
    """Write the model and remove the checkpoint of its run."""
    report.stage("Saving the model", 0.97)
    save_model(network, card, folder)
    checkpoint.remove()


def result_of(
    card: ModelCard, folder: Path, run: Run, device: torch.device, warnings: Sequence[str], processes: int = 1
) -> dict[str, Any]:
    """JSON that both commands return.

    ``learning_seconds`` are those of steps alone, from the second on; ``waited`` is the share of them without chips.
    """
    return {
        "model": card.name,
        "path": str(folder),
        "architecture": card.architecture,
        "encoder": card.encoder,
        "hazards": list(card.hazards),
        "steps": run.step,
        "best_step": run.best_step,
        "ended": run.ended,
        "validation_loss": _rounded(run.best_values.get("validation_loss")),
        "validation_score": _rounded(run.best_values.get("validation_balanced_accuracy")),
        "seconds": round(run.seconds, 1),
        "device": str(device),
        "processes": processes,
        "learning_seconds": round(run.learning_s, 1),
        "waited": _rounded(run.waited),
        "skipped": len(run.skipped),
        "warnings": list(warnings),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
