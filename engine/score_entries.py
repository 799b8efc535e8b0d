"""The models that a scorecard scores, what each is asked, and the row that every score is shown in."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cards import list_models
from .model import Model, load_model
from .protocol import BadInput
from .score_sets import ARTIFICIAL
from .score_table import SCORES

ANY = "any"

Row = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A model to be scored, and what its card says of its training.

    Attributes:
        name: as shown in the rows.
        model: loaded.
        mode: ``from scratch``, ``pre-trained`` or ``adapted``.
        ablation: what its training lacked for the sake of comparison; None for an ordinary model.
        leave_out: hazard that its training never showed; ``any`` answers for it.
    """

    name: str
    model: Model
    mode: str
    ablation: str | None
    leave_out: str | None


def open_models(names: tuple[str, ...]) -> list[Entry]:
    """The models asked for, or all that are bundled or the user's own; raises BadInput if one cannot be loaded."""
    entries: list[Entry] = []
    for name in names or tuple(row["path"] for row in list_models()):
        model = load_model(name)
        card = model.card
        shown = card.name if card.name not in {entry.name for entry in entries} else str(Path(model.folder))
        pretrained = card.pretrained_only or card.training.get("from_scratch") is False
        mode = "pre-trained" if pretrained else "from scratch"
        leave_out = card.training.get("leave_out") or None
        ablation = card.training.get("ablation") or (f"without {leave_out}" if leave_out else None)
        entries.append(Entry(shown, model, "adapted" if card.parent else mode, ablation, leave_out))
    entries = [_ordinary_if_alone(entry, entries) for entry in entries]
    if not entries:
        raise BadInput("No model is found; install the plugin's models, or name a model's folder with --models.")
    return entries


def full_model_of(entry: Entry, entries: list[Entry]) -> Entry | None:
    """The model trained for hazards that lacked nothing, of the same architecture, in the same folder of models."""
    place, architecture = Path(entry.model.folder).parent, entry.model.card.architecture
    for other in entries:
        if other.ablation is None and not other.model.card.pretrained_only:
            if other.model.card.architecture == architecture and Path(other.model.folder).parent == place:
                return other
    return None


def _ordinary_if_alone(entry: Entry, entries: list[Entry]) -> Entry:
    """A model from scratch, or for all bands only, is an ablation beside the full model, and by itself a model."""
    if entry.leave_out is not None or full_model_of(entry, entries) is not None:
        return entry
    return dataclasses.replace(entry, ablation=None)


def head_for(entry: Entry, hazard: str, holds_hazard: bool) -> str | None:
    """Which head answers for a hazard; None where none does.

    A hazard that was left out of training is asked as *any hazard*, where there is some: in a scene without it, what
    *any* finds may be another hazard, or water, and is no false alarm.
    """
    if hazard == ARTIFICIAL:
        return ARTIFICIAL
    known = entry.model.card.hazards
    if hazard != entry.leave_out:
        return hazard if hazard in known else None
    return ANY if ANY in known and holds_hazard else None


def plain_row(
    model: str, mode: str, hazard: str, name: str, scores: dict[str, float | None], seconds: float, *, kind: str
) -> Row:
    """The row of a model, or rule, on a set; what more is known of it is added by whoever measured it."""
    rounded = {key: None if (value := scores[key]) is None else round(value, 4) for key in SCORES}
    return {
        "model": model,
        "architecture": None,
        "set": name,
        "hazard": hazard,
        "mode": mode,
        **rounded,
        "seconds": round(seconds, 2),
        "kind": kind,
        "asked": hazard,
        "ablation": None,
        "compared_with": None,
        "in_mean": False,
    }
