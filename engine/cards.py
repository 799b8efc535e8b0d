"""Models as they lie on disk: the card, where models are found, and their checksums (no torch)."""

import dataclasses
import hashlib
import json
import logging
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .finite import NotFinite, read_json
from .protocol import ARCHITECTURES, BadInput

CARD = "card.json"
WEIGHTS = "weights.safetensors"
CHECKSUMS = "SHA256SUMS"
DEFAULTS = "defaults.json"
"""In the folder of the user's models: the model that the user chose for each hazard."""
CARD_LIMIT_BYTES = 1_000_000
WEIGHTS_LIMIT_BYTES = 500_000_000


@dataclass(frozen=True)
class Architecture:
    """What a network is built with unless something else is chosen.

    ``encoder`` is a name of the library, small enough that all four models fit a plugin; ``decoder_channels`` are
    narrower than the library's own.
    """

    title: str
    encoder: str
    decoder_channels: tuple[int, ...]


ARCHITECTURE_DEFAULTS = {
    "unet": Architecture("U-Net", "tu-mobilenetv3_small_100", (96, 64, 48, 24, 16)),
    "unetplusplus": Architecture("U-Net++", "tu-mobilenetv3_small_100", (64, 48, 32, 24, 16)),
    "attention_unet": Architecture("Attention U-Net", "tu-mobilenetv3_small_100", (96, 64, 48, 24, 16)),
    "residual_unet": Architecture("Residual U-Net", "tu-regnetx_002", (96, 64, 48, 24, 16)),
}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model, and all that is needed to rebuild its network.

    ``hazards`` is the order of the hazard logits; ``thresholds`` gives each its decision threshold on the probability.
    ``display_thresholds`` are those of scenes of display values alone, where they differ.
    ``scores`` are measured rows ``{set, hazard, balanced_accuracy, iou, ...}``; ``score`` is the mean balanced accuracy
    over real sets, None before it was measured. ``default_for`` names hazards that choose this model by themselves.
    ``scales`` names hazards that are seen at several resolutions: logits are averaged over these whole factors.
    ``characteristics`` counts the outputs of the characteristics head, 0 without one. A model that is
    ``pretrained_only`` has untrained hazard heads: it answers with the physical prior times P(natural).
    ``change_channels`` is the width of the branch that compares with a scene from before, 0 without one;
    ``change_thresholds`` are the decision thresholds of what is new, by hazard; the branch answers for these alone.
    ``needs`` names planes that a scene must fill, for weights that know no other bands; empty where any bands will do.
    An adapted model names its ``parent``, the SHA-256 of the parent's weights and the one hazard that it is
    ``adapted_for``; its own weights are those that differ from the parent's.
    """

    name: str
    title: str
    architecture: str
    encoder: str
    hazards: tuple[str, ...]
    thresholds: dict[str, float]
    planes: tuple[str, ...]
    description: str = ""
    decoder_channels: tuple[int, ...] = (96, 64, 48, 24, 16)
    detail_channels: int = 16
    surface_classes: int = 1
    characteristics: int = 0
    pretrained_only: bool = False
    needs: tuple[str, ...] = ()
    display_thresholds: dict[str, float] = field(default_factory=dict)
    scales: dict[str, list[int]] = field(default_factory=dict)
    change_channels: int = 0
    change_thresholds: dict[str, float] = field(default_factory=dict)
    default_for: tuple[str, ...] = ()
    score: float | None = None
    gsd_min_m: float = 3.0
    gsd_max_m: float = 30.0
    window_multiple: int = 32
    scores: tuple[dict[str, Any], ...] = ()
    training: dict[str, Any] = field(default_factory=dict)
    licence: str = "CC BY 4.0"
    limits: str = ""
    parent: str | None = None
    parent_sha256: str | None = None
    adapted_for: str | None = None

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a card."""
        validate_name(self.name)
        if self.architecture not in ARCHITECTURES:
            raise _bad(self.name, "architecture", self.architecture, f"one of {', '.join(ARCHITECTURES)}")
        if not is_word(self.encoder):
            raise _bad(self.name, "encoder", self.encoder, "the name of an encoder")
        for key, low, high in (
            ("decoder_channels", 3, 6),
            ("hazards", 1, 64),
            ("planes", 1, 256),
            ("needs", 0, 256),
            ("default_for", 0, 64),
            ("scores", 0, 10_000),
        ):
            value = getattr(self, key)
            if not isinstance(value, tuple) or not low <= len(value) <= high:
                raise _bad(self.name, key, value, f"a list of {low} to {high} entries")
        for key in ("hazards", "planes", "needs", "default_for"):
            words = getattr(self, key)
            if not all(is_word(word) for word in words) or len(set(words)) != len(words):
                raise _bad(self.name, key, words, "different names")
        if not set(self.needs) <= set(self.planes):
            raise _bad(self.name, "needs", self.needs, "some of its planes")
        if not all(_is_whole(value, 1, 1024) for value in self.decoder_channels):
            raise _bad(self.name, "decoder_channels", self.decoder_channels, "whole numbers from 1 to 1024")
        for key, most in (("detail_channels", 256), ("surface_classes", 2), ("window_multiple", 1024)):
            if not _is_whole(getattr(self, key), 1, most):
                raise _bad(self.name, key, getattr(self, key), f"a whole number from 1 to {most}")
        if not (self.characteristics == 0 or _is_whole(self.characteristics, 1, 256)):
            raise _bad(self.name, "characteristics", self.characteristics, "a whole number from 0 to 256")
        if not (self.change_channels == 0 or _is_whole(self.change_channels, 4, 128)):
            raise _bad(self.name, "change_channels", self.change_channels, "0, or a whole number from 4 to 128")
        if not isinstance(self.pretrained_only, bool):
            raise _bad(self.name, "pretrained_only", self.pretrained_only, "true or false")
        if not isinstance(self.scales, dict) or not all(
            hazard in self.hazards
            and isinstance(factors, list)
            and 1 <= len(factors) <= 4
            and all(_is_whole(factor, 1, 16) for factor in factors)
            for hazard, factors in self.scales.items()
        ):
            raise _bad(self.name, "scales", self.scales, "one to four whole numbers from 1 to 16 by hazard")
        if not isinstance(self.thresholds, dict) or set(self.thresholds) != set(self.hazards):
            raise _bad(self.name, "thresholds", self.thresholds, "one for each hazard")
        if not all(_is_number(value) and 0 < value < 1 for value in self.thresholds.values()):
            raise _bad(self.name, "thresholds", self.thresholds, "numbers between 0 and 1")
        for key in ("display_thresholds", "change_thresholds"):
            given = getattr(self, key)
            if not isinstance(given, dict) or not all(
                hazard in self.hazards and _is_number(value) and 0 < value < 1 for hazard, value in given.items()
            ):
                raise _bad(self.name, key, given, "numbers between 0 and 1 by hazard")
        if not (_is_number(self.gsd_min_m) and _is_number(self.gsd_max_m) and 0 < self.gsd_min_m <= self.gsd_max_m):
            raise _bad(self.name, "ground sampling distance", (self.gsd_min_m, self.gsd_max_m), "metres, min <= max")
        if self.score is not None and not (_is_number(self.score) and 0 <= self.score <= 1):
            raise _bad(self.name, "score", self.score, "a number from 0 to 1, or null")
        if not all(isinstance(row, dict) for row in self.scores) or not isinstance(self.training, dict):
            raise _bad(self.name, "scores or training", "another type", "objects")
        for key in ("title", "description", "licence", "limits"):
            if not isinstance(getattr(self, key), str):
                raise _bad(self.name, key, getattr(self, key), "text")
        if self.parent is not None and not is_word(self.parent):
            raise _bad(self.name, "parent", self.parent, "the name of a model, or null")
        if self.parent_sha256 is not None and not (
            isinstance(self.parent_sha256, str) and _DIGEST.fullmatch(self.parent_sha256)
        ):
            raise _bad(self.name, "parent_sha256", self.parent_sha256, "64 hexadecimal digits, or null")
        if self.adapted_for is not None and self.adapted_for not in self.hazards:
            raise _bad(self.name, "adapted_for", self.adapted_for, "one of its hazards, or null")
        if len({value is None for value in (self.parent, self.parent_sha256, self.adapted_for)}) != 1:
            raise _bad(self.name, "parent", self.parent, "together with parent_sha256 and adapted_for")

    def compares(self, hazard: str) -> bool:
        """Whether the branch tells what is new of a hazard; else a rule puts the two dates together."""
        return bool(self.change_channels) and hazard in self.change_thresholds

    def threshold_for(self, hazard: str, absolute: Sequence[bool]) -> float:
        """Decision threshold of a hazard; ``absolute`` tells of each band whether its values are physical."""
        if not any(absolute) and hazard in self.display_thresholds:
            return self.display_thresholds[hazard]
        return self.thresholds[hazard]


def card_to_json(card: ModelCard) -> str:
    """Card as the text of ``card.json``."""
    return json.dumps(dataclasses.asdict(card), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def card_from_json(text: str, where: str) -> ModelCard:
    """Text of ``card.json`` to a card; raises BadInput, naming ``where``, for anything else."""
    try:
        values = read_json(text)
    except NotFinite as error:
        raise BadInput(
            f"The card of model {where} holds {error}, which is not finite; put a number or null, and save it again."
        ) from None
    except (ValueError, RecursionError):
        raise BadInput(f"The card of model {where} is not JSON; copy the model's folder again.") from None
    if not isinstance(values, dict):
        raise BadInput(f"The card of model {where} is not a JSON object; copy the model's folder again.")
    specs = {spec.name: spec for spec in dataclasses.fields(ModelCard)}
    unknown = sorted(set(values) - set(specs))
    if unknown:
        raise BadInput(
            f"The card of model {where} has the entry '{str(unknown[0])[:40]}', which this version does not know; "
            "update the plugin or choose another model."
        )
    missing = [
        name
        for name, spec in specs.items()
        if name not in values and spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise BadInput(f"The card of model {where} lacks '{missing[0]}'; copy the model's folder again.")
    entries: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return ModelCard(**entries)


def read_card(folder: str | Path) -> ModelCard:
    """Card of the model in ``folder``, checked against its checksum; raises BadInput where it cannot be trusted."""
    content = read_checked(folder, CARD, CARD_LIMIT_BYTES)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"The card of model {folder} is not UTF-8 text; copy the model's folder again.") from None
    return card_from_json(text, str(folder))


def read_checked(folder: str | Path, name: str, limit_bytes: int) -> bytes:
    """Content of one file of a model; raises BadInput if missing, too large or other than its SHA256SUMS says."""
    sums = _read_limited(Path(folder) / CHECKSUMS, 10_000)
    expected = ""
    for line in sums.decode("ascii", errors="replace").splitlines():
        digest, _, of = line.partition(" ")
        if of.strip().lstrip("*") == name:
            expected = digest.strip().lower()
    content = _read_limited(Path(folder) / name, limit_bytes)
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise BadInput(
            f"{name} of model {folder} has the SHA-256 {found[:12]}..., expected {expected[:12] or 'none'}...; "
            "the model was changed or damaged: copy its folder again."
        )
    return content


def _read_limited(path: Path, limit_bytes: int) -> bytes:
    try:
        if not path.is_file():
            raise BadInput(f"The model's file {path} is missing; copy the model's folder again.")
        size = path.stat().st_size
        if size > limit_bytes:
            raise BadInput(f"The model's file {path} has {size} bytes, at most {limit_bytes} expected; is it a model?")
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"The model's file {path} cannot be read ({error.strerror}); check its permissions.") from None


def bundled_folder() -> Path:
    """Folder of the models that come with the plugin."""
    return Path(__file__).resolve().parent.parent / "resources" / "models"


def user_folder() -> Path:
    """Folder of the user's own models: ``HAZARD_MODELS``, else the per-user data folder of the platform."""
    override = os.environ.get("HAZARD_MODELS")
    if override:
        return Path(override)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "hazard-mapper" / "models"


def validate_name(name: object) -> str:
    """Return ``name`` if it can name a model (letters, digits, - and _, at most 64); raise BadInput otherwise."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadInput(f"Model name '{str(name)[:80]}' is not one; use letters, digits, - and _, at most 64.")
    return name


def is_name(text: str) -> bool:
    """Whether ``text`` is a model's name rather than a folder path."""
    return _NAME.fullmatch(text) is not None


def find_model(name_or_folder: str) -> Path:
    """Folder of a model: a bundled one, one of the user's, or a folder path; raises BadInput if there is none."""
    if is_name(name_or_folder):
        for parent in (bundled_folder(), user_folder()):
            if (parent / name_or_folder / CARD).is_file():
                return parent / name_or_folder
    path = Path(name_or_folder)
    if name_or_folder and (path / CARD).is_file():
        return path
    known = ", ".join(folder.name for folder in _model_folders()) or "none"
    raise BadInput(f"Model '{name_or_folder}' is not found; use one of {known}, or the path of a model's folder.")


def list_models() -> list[dict[str, Any]]:
    """All bundled and user models as the rows of the ``models`` command; a model that cannot be read is logged."""
    rows = []
    for folder in _model_folders():
        try:
            card = read_card(folder)
        except BadInput as error:
            logging.getLogger(__name__).warning("%s", error)
            continue
        rows.append(
            {
                "name": folder.name,
                "title": card.title,
                "architecture": card.architecture,
                "hazards": [card.adapted_for] if card.adapted_for else list(card.hazards),
                "path": str(folder),
                "parent": card.parent,
                "default_for": list(card.default_for),
                "score": card.score,
                "bundled": is_bundled(folder),
                "adapted": card.parent is not None,
                "pretrained_only": card.pretrained_only,
                "description": card.description,
                "scores": [dict(row) for row in card.scores],
                "thresholds": dict(card.thresholds),
                "display_thresholds": dict(card.display_thresholds),
                "change_thresholds": dict(card.change_thresholds) if card.change_channels else {},
                "licence": card.licence,
                "limits": card.limits,
                "training": dict(card.training),
                "encoder": card.encoder,
                "gsd_m": [card.gsd_min_m, card.gsd_max_m],
                "weights_sha256": weights_digest(folder),
                "parent_sha256": card.parent_sha256,
                "chosen_for": [],
            }
        )
    _settle_defaults(rows)
    return rows


def _settle_defaults(rows: list[dict[str, Any]]) -> None:
    """Leave each hazard one default: the user's choice where that model is there, else the first card that claims it.

    Bundled models come first, so that no card out of an import makes itself the default.
    """
    chosen = {hazard: name for hazard, name in user_defaults().items() if default_trouble(hazard, rows) is None}
    taken = set(chosen)
    for row in rows:
        row["chosen_for"] = [hazard for hazard, name in chosen.items() if name == row["name"]]
        claimed = [hazard for hazard in row["default_for"] if hazard not in taken]
        taken.update(claimed)
        row["default_for"] = [*row["chosen_for"], *claimed]


def user_defaults() -> dict[str, str]:
    """Hazard to the model that the user chose for it; what cannot be such a choice is left out."""
    path = user_folder() / DEFAULTS
    try:
        if not path.is_file() or path.stat().st_size > CARD_LIMIT_BYTES:
            return {}
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        logging.getLogger(__name__).warning("%s cannot be read; the cards' own defaults are used.", path)
        return {}
    found = values.items() if isinstance(values, dict) else ()
    return {hazard: name for hazard, name in found if is_word(hazard) and is_word(name)}


def default_trouble(hazard: str, rows: list[dict[str, Any]] | None = None) -> str | None:
    """Why the user's default of a hazard cannot be used; None where it can, or none was chosen."""
    name = user_defaults().get(hazard)
    if name is None or any(
        row["name"] == name and hazard in row["hazards"] for row in (list_models() if rows is None else rows)
    ):
        return None
    return f"The model '{name}' that you made the default for {hazard} is gone; the usual default is used instead."


def default_model(hazard: str) -> str:
    """Name of the model that answers for ``hazard`` when none is chosen; raises BadInput if no model knows it."""
    rows = sorted(list_models(), key=lambda row: bool(row["pretrained_only"]))
    for wanted in ("default_for", "hazards"):
        for row in rows:
            if hazard in row[wanted]:
                return str(row["name"])
    known = sorted({name for row in rows for name in row["hazards"]})
    raise BadInput(f"Hazard '{hazard}' is in no model's card; use one of {', '.join(known) or 'none'}.")


def is_bundled(folder: Path) -> bool:
    """Whether the model in ``folder`` came with the plugin."""
    return folder.resolve().parent == bundled_folder()


def find_parent(card: ModelCard, folder: Path) -> Path | None:
    """Folder of an adapted model's parent, of the very weights: installed under its name or another, or beside it."""
    if card.parent is None or not is_name(card.parent):
        return None
    named = (bundled_folder() / card.parent, user_folder() / card.parent, folder.parent / card.parent)
    for candidate in (*named, *_model_folders()):
        if candidate != folder and weights_digest(candidate) == card.parent_sha256:
            return candidate
    return None


def weights_digest(folder: Path) -> str | None:
    """SHA-256 of a model's weights as its checksums name it; None where there is no model."""
    try:
        lines = (folder / CHECKSUMS).read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    return next((line.split()[0] for line in lines if line.split()[1:] == [WEIGHTS]), None)


def _model_folders() -> list[Path]:
    folders: dict[str, Path] = {}
    for parent in (bundled_folder(), user_folder()):
        if parent.is_dir():
            for folder in sorted(parent.iterdir()):
                if _NAME.fullmatch(folder.name) and (folder / CARD).is_file():
                    folders.setdefault(folder.name, folder)
    return list(folders.values())


def is_word(value: object) -> bool:
    """Whether a value can name a hazard, a plane or an encoder."""
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


_HUGE = 1e300
"""Whole numbers may be larger than any float; neither they nor what is not finite is a number of a card."""


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -_HUGE < value < _HUGE


def _bad(name: str, key: str, found: object, expected: str) -> BadInput:
    return BadInput(f"The card of model '{name}' has {key} {str(found)[:80]!r}; expected {expected}.")
