"""What the plugin knows of models: those the engine lists, and, before it is asked, the folders beside the plugin."""

import html
import os
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Tuple

from ..engine import protocol
from .engine_location import PACKAGE_FOLDER
from .engine_texts import card_text
from .settings import load_setting


@dataclass(frozen=True)
class ModelEntry:
    """One model as the engine lists it; ``card`` holds everything it said."""

    name: str
    title: str
    hazards: List[str]
    default_for: List[str]
    score: "float | None"
    card: Dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Title and score, as the dock lists it."""
        return f"{self.title}, {self.score:.2f}" if self.score is not None else self.title

    @property
    def summary(self) -> str:
        """What the model is for, in a line or two."""
        return card_text(str(self.card.get("description") or "")) or self.title

    @property
    def tip(self) -> str:
        """The summary for a tool tip: text, whatever a card of others contains."""
        return f"<qt>{html.escape(self.summary)}</qt>"

    @property
    def is_adapted(self) -> bool:
        """Whether the model was adapted to a scene."""
        return bool(self.card.get("adapted"))

    @property
    def is_trained(self) -> bool:
        """Whether it was trained for hazards itself: neither only pre-trained nor adapted to a scene."""
        return not (self.is_adapted or self.card.get("pretrained_only"))

    @property
    def is_bundled(self) -> bool:
        """Whether the model came with the plugin."""
        return bool(self.card.get("bundled"))

    @property
    def chosen_for(self) -> List[str]:
        """Hazards that the user made this model the default for."""
        chosen = self.card.get("chosen_for")
        return [str(hazard) for hazard in chosen] if isinstance(chosen, list) else []

    @property
    def parent(self) -> str:
        """Name of the model that it was made from; empty if there is none."""
        return str(self.card.get("parent") or "")

    @property
    def adaptation(self) -> Mapping[str, Any]:
        """Settings and verdict of the adaptation; empty for any other model."""
        training = self.card.get("training")
        told = training.get("adaptation") if isinstance(training, Mapping) else None
        return told if self.is_adapted and isinstance(told, Mapping) else {}

    def own_threshold(self, hazard: str) -> "float | None":
        """The card's decision threshold for a hazard; None where it depends on the scene's units."""
        displayed = self.card.get("display_thresholds")
        if isinstance(displayed, Mapping) and hazard in displayed:
            return None
        thresholds = self.card.get("thresholds")
        value = thresholds.get(hazard) if isinstance(thresholds, Mapping) else None
        return float(value) if isinstance(value, (int, float)) else None


def read_models(listed: Any) -> List[ModelEntry]:
    """Entries out of the engine's answer; what is not a model is left out."""
    entries = []
    for card in listed if isinstance(listed, list) else ():
        if isinstance(card, dict) and isinstance(card.get("name"), str):
            score = card.get("score")
            entries.append(
                ModelEntry(
                    card["name"],
                    card_text(str(card.get("title") or "")) or card["name"],
                    [str(hazard) for hazard in card.get("hazards") or ()],
                    [str(hazard) for hazard in card.get("default_for") or ()],
                    float(score) if isinstance(score, (int, float)) else None,
                    card,
                )
            )
    return entries


def models_for(entries: List[ModelEntry], hazard: str) -> List[ModelEntry]:
    """Models that know a hazard, its default first, then by score."""
    able = [entry for entry in entries if hazard in entry.hazards]
    return sorted(able, key=lambda e: (hazard not in e.default_for, -(e.score or 0.0), e.title))


def nested(entries: List[ModelEntry]) -> List[Tuple[ModelEntry, bool]]:
    """Models with adapted ones right below their parents, and whether each is listed below one."""
    parents = {entry.name for entry in entries if not entry.is_adapted}
    listed = []
    for entry in entries:
        if not entry.is_adapted:
            below = [child for child in entries if child.is_adapted and child.parent == entry.name]
            listed += [(entry, False), *((child, True) for child in below)]
        elif entry.parent not in parents:
            listed.append((entry, False))
    return listed


def dependents_of(entries: List[ModelEntry], model: ModelEntry) -> List[ModelEntry]:
    """Adapted models that cannot be used without this one, however far down."""
    found: List[ModelEntry] = []
    waiting = [model]
    while waiting:
        digest = waiting.pop().card.get("weights_sha256")
        owners = [entry for entry in entries if digest and entry.card.get("weights_sha256") == digest]
        for entry in entries if len(owners) == 1 else ():
            if entry.card.get("parent_sha256") == digest and entry is not model and entry not in found:
                found.append(entry)
                waiting.append(entry)
    return found


def hazards_of(entries: List[ModelEntry]) -> List[str]:
    """The usual hazards, then any others that models name."""
    names = list(protocol.HAZARDS)
    for entry in entries:
        names.extend(hazard for hazard in entry.hazards if hazard not in names)
    return names


def local_model_names() -> List[str]:
    """Names of the model folders that can be seen without asking the engine."""
    names: List[str] = []
    own = os.environ.get("HAZARD_MODELS") or load_setting("models_folder")
    for folder in (os.path.join(PACKAGE_FOLDER, "resources", "models"), own):
        if folder and os.path.isdir(folder):
            names.extend(n for n in sorted(os.listdir(folder)) if os.path.exists(os.path.join(folder, n, "card.json")))
    return names
