"""Adapting to a scene, as algorithms see it: parameters, the job, the name to save under, and what came of it."""

import datetime
import json
import os
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Collection, Dict, List, Mapping, Tuple

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..adaptation_modes import mode_help
from ..adaptation_words import unchanged_text
from ..compat import DOUBLE, INTEGER
from ..engine_client import EngineClient
from ..engine_feedback import WHOLE
from ..messages import WARNING, log
from ..models import ModelEntry, read_models
from .base import name_or_folder, with_help
from .scene import SceneAlgorithm

NAME_LIMIT = 64
"""Most characters of a model's name."""
PART_LIMIT = 24
"""Most characters that model and scene each give to an automatic name."""
ADAPTED = "adapted"
CHECKSUMS = "SHA256SUMS"
CARD = "card.json"


OWN_FLAGS = {"save": "NAME", "mode": "MODE", "lambda": "LAMBDA", "mu": "MU", "budget-s": "BUDGET_S", "steps": "STEPS"}
SHARED_FLAGS = {"lon": "LONGITUDE", "lat": "LATITUDE"}
"""Flags of the command line whose parameters have other names; the first have a prefix where an algorithm has one."""


@dataclass(frozen=True)
class Adaptation:
    """What an adaptation came to, as the engine tells it."""

    result: Dict[str, Any] = field(default_factory=dict)

    @property
    def is_adapted(self) -> bool:
        """Whether the adapted model is to be used rather than its source."""
        return self.result.get("verdict") == ADAPTED

    @property
    def folder(self) -> str:
        """Folder of the model that was saved."""
        return str(self.result.get("path") or "")

    @property
    def warnings(self) -> List[str]:
        """Sentences to pass on."""
        return [str(warning) for warning in self.result.get("warnings") or ()]

    def outputs(self) -> Dict[str, Any]:
        """Outputs that only an adaptation has; numbers may be None."""
        result = self.result
        return {
            "VERDICT": result.get("verdict"),
            "REASON": result.get("reason"),
            "ALPHA": result.get("alpha"),
            "PROXY_BEFORE": result.get("proxy_before"),
            "PROXY_AFTER": result.get("proxy_after"),
            "AREA_BEFORE_M2": result.get("area_before_m2"),
            "AREA_AFTER_M2": result.get("area_after_m2"),
            "UNCHANGED_SHARE": result.get("unchanged_share"),
            "ADAPTATION": json.dumps(result),
        }


def add_adaptation(algorithm: SceneAlgorithm, prefix: str = "") -> List[str]:
    """Declare what says how to adapt and what is known of the scene; returns the names of the parameters."""
    add = algorithm.addParameter
    names = [parameter.name() for parameter in algorithm.parameterDefinitions()]
    name = QgsProcessingParameterString(f"{prefix}NAME", tr("Name of the adapted model (empty: automatic)"))
    name.setFlags(name.flags() | name.FlagOptional)
    help_text = tr("letters, digits, - and _, or the path of a folder; made of model, hazard, scene and day when empty")
    add(with_help(name, help_text))
    budget = tr("Seconds that the adaptation may take")
    add(QgsProcessingParameterNumber(f"{prefix}BUDGET_S", budget, DOUBLE, 60.0, False, 1.0, 86_400.0))
    modes = list(protocol.ADAPTATION_MODES)
    algorithm.add_choice(f"{prefix}MODE", tr("How to adapt"), modes, modes[0])
    with_help(algorithm.parameterDefinition(f"{prefix}MODE"), "; ".join(f"{m}: {mode_help(m)}" for m in modes))
    number = QgsProcessingParameterNumber
    weight = tr("Lambda: weight of telling natural from artificial (backward mapping)")
    add(number(f"{prefix}LAMBDA", weight, DOUBLE, 0.1, False, 0.0, 100.0))
    weight = tr("Mu: weight of the scene's characteristics")
    add(number(f"{prefix}MU", weight, DOUBLE, 0.02, False, 0.0, 100.0))
    steps = tr("Gradient steps (empty or 0: as many as the time allows)")
    add(
        with_help(number(f"{prefix}STEPS", steps, INTEGER, None, True, 0), tr("a given number can be repeated exactly"))
    )
    add(number(f"{prefix}SEED", tr("Seed of the adaptation"), INTEGER, 0, False, 0))
    date = QgsProcessingParameterString("DATE", tr("Day of the scene (empty: found out)"), "", False, True)
    add(with_help(date, tr("year, month and day, for example 2025-05-28")))
    east, north = tr("Longitude in degrees (empty: from the scene)"), tr("Latitude in degrees (empty: from the scene)")
    add(number("LONGITUDE", east, DOUBLE, None, True, -180.0, 180.0))
    add(number("LATITUDE", north, DOUBLE, None, True, -90.0, 90.0))
    return [p.name() for p in algorithm.parameterDefinitions() if p.name() not in names]


def add_verdict(algorithm: SceneAlgorithm) -> None:
    """Declare the outputs that tell what an adaptation came to."""
    verdict = tr("Verdict (adapted, rolled_back or abstained; empty without adaptation)")
    algorithm.addOutput(QgsProcessingOutputString("VERDICT", verdict))
    algorithm.addOutput(QgsProcessingOutputString("REASON", tr("Why, in words")))
    algorithm.addOutput(QgsProcessingOutputNumber("ALPHA", tr("Share of the scene's own statistics (0 to 1)")))
    algorithm.addOutput(QgsProcessingOutputNumber("PROXY_BEFORE", tr("Expected error before (lower is better)")))
    algorithm.addOutput(QgsProcessingOutputNumber("PROXY_AFTER", tr("Expected error after")))
    algorithm.addOutput(QgsProcessingOutputNumber("AREA_BEFORE_M2", tr("Hazard area before, in m², where it learnt")))
    algorithm.addOutput(QgsProcessingOutputNumber("AREA_AFTER_M2", tr("Hazard area after, in m²")))
    unchanged = tr("Share that did not change since the scene before (0 to 1; empty: not compared)")
    algorithm.addOutput(QgsProcessingOutputNumber("UNCHANGED_SHARE", unchanged))
    algorithm.addOutput(QgsProcessingOutputString("ADAPTATION", tr("All that the adaptation tells, as JSON")))


def adaptation_fields(
    algorithm: SceneAlgorithm, parameters: Dict[str, Any], context: QgsProcessingContext, prefix: str = ""
) -> Dict[str, Any]:
    """Fields of the job that ``add_adaptation`` declares; ``save`` is empty where the name is to be automatic."""
    longitude = algorithm.number(parameters, "LONGITUDE", context)
    return {
        "save": name_or_folder(algorithm.text(parameters, f"{prefix}NAME", context)),
        "mode": algorithm.text(parameters, f"{prefix}MODE", context) or protocol.ADAPTATION_MODES[0],
        "backward_weight": algorithm.number(parameters, f"{prefix}LAMBDA", context),
        "auxiliary_weight": algorithm.number(parameters, f"{prefix}MU", context),
        "budget_s": algorithm.number(parameters, f"{prefix}BUDGET_S", context),
        "steps": algorithm.whole_number(parameters, f"{prefix}STEPS", context) or None,
        "seed": algorithm.whole_number(parameters, f"{prefix}SEED", context),
        "date": algorithm.text(parameters, "DATE", context) or None,
        "longitude": longitude,
        "latitude": algorithm.number(parameters, "LATITUDE", context),
    }


def require_adaptable(fields: Mapping[str, Any], raster: str) -> None:
    """Raise BadInput unless these fields can be a job, whatever name is chosen."""
    protocol.AdaptJob(**{**fields, "raster": raster or "scene", "save": fields["save"] or "automatic"})


def run_adaptation(
    client: EngineClient,
    fields: Mapping[str, Any],
    scene_name: str,
    feedback: QgsProcessingFeedback,
    part: Tuple[float, float] = WHOLE,
    prefix: str = "",
) -> Adaptation:
    """Adapt, naming the model where no name is given; says what came of it in the log.

    Raises BadInput, OutputFailed, EngineFailed or Cancelled.
    """
    models = read_models(client.run("models", protocol.ModelsJob(), feedback, (part[0], part[0])))
    save = fields["save"] or chosen_name(models, fields, scene_name)
    if not fields.get("overwrite") and save in {model.name for model in models}:
        raise protocol.BadInput(
            tr("A model '{name}' exists already; choose another name, or none for an automatic one.").format(name=save)
        )
    try:
        result = dict(client.run("adapt", protocol.AdaptJob(**{**fields, "save": save}), feedback, part))
    except protocol.HazardError as error:
        raise type(error)(flags_as_parameters(str(error), prefix)) from None
    result["warnings"] = [flags_as_parameters(str(line), prefix) for line in result.get("warnings") or ()]
    adaptation = Adaptation(result)
    feedback.pushInfo(str(result.get("reason") or ""))
    if unchanged := unchanged_text(result):
        feedback.pushInfo(unchanged)
    for warning in adaptation.warnings:
        feedback.pushWarning(warning)
    return adaptation


def flags_as_parameters(sentence: str, prefix: str) -> str:
    """The engine's sentence with parameters in place of flags: ``--learning-rate`` is LEARNING_RATE."""

    def told(flag: "re.Match[str]") -> str:
        name = flag.group(1)
        if name in OWN_FLAGS or name == "seed":
            return prefix + OWN_FLAGS.get(name, name.upper())
        return SHARED_FLAGS.get(name, name.replace("-", "_").upper())

    return re.sub(r"--([a-z][a-z-]*)", told, sentence)


def chosen_name(models: List[ModelEntry], fields: Mapping[str, Any], scene_name: str) -> str:
    """Free name for the adapted model: ``unet-flood-Faenza-2024-09-16``."""
    model = fields["model"] or next((m.name for m in models if fields["hazard"] in m.default_for), "model")
    day = fields["date"] or datetime.date.today().isoformat()
    return automatic_name(os.path.basename(model), fields["hazard"], scene_name, day, {m.name for m in models})


def automatic_name(model: str, hazard: str, scene: str, day: str, taken: Collection[str]) -> str:
    """Name out of what a model was adapted from, for, to and when, that no other model has (case apart)."""
    parts = [plain(model)[:PART_LIMIT], plain(hazard)[:PART_LIMIT], plain(scene)[:PART_LIMIT], day]
    stem = "-".join(part.strip("-_") for part in parts if part.strip("-_"))[: NAME_LIMIT - 4].rstrip("-_")
    known = {name.lower() for name in taken}
    name, number = stem, 1
    while name.lower() in known:
        number += 1
        name = f"{stem}-{number}"
    return name


def plain(text: str) -> str:
    """Text in the letters that names of models are made of; accents are dropped, all else becomes a line."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^A-Za-z0-9_]+", "-", letters).strip("-_")


def remove_saved(folder: str) -> None:
    """Remove a model that an adaptation has just saved: its own files, and the folder if nothing else is in it."""
    try:
        with open(os.path.join(folder, CHECKSUMS), encoding="utf-8") as file:
            listed = [line.split(maxsplit=1)[1].strip().lstrip("*") for line in file if len(line.split()) == 2]
    except OSError as error:
        log(f"{folder}: {error}", WARNING)
        listed = []
    for name in (*listed, CARD, CHECKSUMS):
        path = os.path.join(folder, os.path.basename(name))
        try:
            if os.path.lexists(path):
                os.remove(path)
        except OSError as error:
            log(f"{path}: {error}", WARNING)
    try:
        os.rmdir(folder)
    except OSError as error:
        log(f"{folder}: {error}", WARNING)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("Adaptation", text)
