"""What the two training algorithms share: parameters read into a job, the run, and what comes of it."""

import dataclasses
import os
from typing import Any, Dict, List, Mapping, Optional, Type

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import DOUBLE, FOLDER, INTEGER
from ..engine_texts import field_help
from .base import EngineAlgorithm, name_or_folder, with_help, with_hints
from .outputs import flags_as_parameters, naming_parameters, told_to_processing

ADVANCED = (
    "ITERATIONS",
    "BATCH_SIZE",
    "LEARNING_RATE",
    "OPTIMIZER",
    "PATIENCE",
    "SEED",
    "ALL_BANDS",
    "WORKERS",
    "CACHE",
    "CACHE_GB",
    "DEVICE",
    "OVERWRITE",
)


class LearningAlgorithm(EngineAlgorithm):
    """A training run as an algorithm; subclasses name the job and declare what is their own."""

    kind = ""
    job_type: Type[protocol.LearningJob] = protocol.LearningJob

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._job: Optional[protocol.LearningJob] = None

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Models")

    def groupId(self) -> str:
        """Id of the group."""
        return "models"

    def fields(self) -> "Dict[str, dataclasses.Field[Any]]":
        """Fields of the job by name; each has a parameter of the same name in capitals."""
        return {spec.name: spec for spec in dataclasses.fields(self.job_type)}

    def default(self, name: str) -> Any:
        """Default of a parameter: that of the job's field."""
        return self.fields()[name.lower()].default

    def add_text(self, name: str, title: str, hints: "List[str] | None" = None, required: bool = False) -> None:
        """Declare a text; empty means the engine's default."""
        default = self.default(name)
        if isinstance(default, tuple):
            default = ",".join(str(part) for part in default)
        parameter = QgsProcessingParameterString(name, title, default or "", False, not required)
        self.addParameter(self._explained(with_hints(parameter, hints) if hints else parameter))

    def add_number(self, name: str, title: str, whole: bool = True) -> None:
        """Declare a number; where the job has no default it may be left empty."""
        default = self.default(name)
        parameter = QgsProcessingParameterNumber(name, title, INTEGER if whole else DOUBLE, default, default is None)
        if not whole:
            parameter.setMetadata({"widget_wrapper": {"decimals": 6}})
        self.addParameter(self._explained(parameter))

    def add_switch(self, name: str, title: str) -> None:
        """Declare a yes or no."""
        self.addParameter(self._explained(QgsProcessingParameterBoolean(name, title, self.default(name), True)))

    def _explained(self, parameter: QgsProcessingParameterDefinition) -> QgsProcessingParameterDefinition:
        spec = self.fields()[parameter.name().lower()]
        choices = spec.metadata["choices"]
        text = field_help(str(spec.metadata["help"])) + (f": {', '.join(choices)}" if choices else "")
        return with_help(parameter, text.replace("%%", "%"))

    def add_data(self, title: str, help_text: str) -> None:
        """Declare the training data."""
        folder = QgsProcessingParameterFile("DATA", title, FOLDER, "", None, True)
        self.addParameter(with_help(folder, help_text))

    def add_run(self) -> None:
        """Declare what says how a run goes and ends, and the outputs."""
        self.add_text("SAVE", tr("Save as (name of the new model, or a folder)"), required=True)
        self.add_number("EPOCHS", tr("Epochs (empty: the engine's default)"))
        self.add_number("MINUTES", tr("At most so many minutes (empty: no limit)"), whole=False)
        self.add_switch("RESUME", tr("Go on from the last checkpoint of the same run"))
        self.add_number("ITERATIONS", tr("Steps an epoch (empty: all of the data)"))
        self.add_number("BATCH_SIZE", tr("Batch size"))
        self.add_number("LEARNING_RATE", tr("Learning rate"), whole=False)
        self.add_text("OPTIMIZER", tr("Optimiser"), list(protocol.OPTIMIZERS))
        self.add_number("PATIENCE", tr("Stop after so many epochs without a better validation (0: never)"))
        self.add_number("SEED", tr("Seed"))
        self.add_switch("ALL_BANDS", tr("Always train on all bands of a scene (no channel sampling)"))
        self.add_number("WORKERS", tr("Processes that prepare chips"))
        cache = QgsProcessingParameterFile(
            "CACHE", tr("Folder in which decoded training data are kept (empty: none)"), FOLDER, "", None, True
        )
        self.addParameter(self._explained(cache))
        self.add_number("CACHE_GB", tr("At most so many gigabytes of decoded data"), whole=False)
        self.add_text("DEVICE", tr("Device (auto, cpu, cuda:0, mps)"), ["auto", "cpu", "cuda:0", "mps"])
        self.add_switch("OVERWRITE", tr("Replace a model that exists"))
        self.mark_advanced(ADVANCED)
        self.addOutput(QgsProcessingOutputString("MODEL_PATH", tr("Folder of the model")))
        self.addOutput(QgsProcessingOutputString("MODEL_NAME", tr("Name of the model")))
        self.addOutput(QgsProcessingOutputNumber("VALIDATION_LOSS", tr("Loss in validation")))
        self.addOutput(QgsProcessingOutputNumber("VALIDATION_SCORE", tr("Balanced accuracy in validation (0 to 1)")))
        self.addOutput(QgsProcessingOutputNumber("STEPS", tr("Steps done")))
        self.addOutput(QgsProcessingOutputString("ENDED", tr("How the run ended (finished, time, early)")))
        self.addOutput(QgsProcessingOutputNumber("SECONDS", tr("Seconds taken")))
        self.addOutput(QgsProcessingOutputString("DEVICE_USED", tr("Device used")))
        self.addOutput(QgsProcessingOutputString("WARNINGS", tr("Warnings")))

    def read_job(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> protocol.LearningJob:
        """Job that the parameters mean; raises BadInput if there can be none."""
        fields: Dict[str, Any] = {}
        for name, spec in self.fields().items():
            parameter = self.parameterDefinition(name.upper())
            if isinstance(parameter, QgsProcessingParameterBoolean):
                fields[name] = self.parameterAsBool(parameters, name.upper(), context)
            elif isinstance(parameter, QgsProcessingParameterNumber):
                whole = parameter.dataType() == INTEGER
                read = self.whole_number if whole else self.number
                fields[name] = read(parameters, name.upper(), context)
            else:
                fields[name] = self._read_text(spec, self.text(parameters, name.upper(), context))
        fields["data"] = data_source(fields["data"])
        for name in ("save", "model"):
            if fields.get(name):
                fields[name] = name_or_folder(fields[name])
        if fields.get("also"):
            fields["also"] = tuple(name_or_folder(name) for name in fields["also"])
        with naming_parameters(self.fields()):
            return self.job_type(**fields)

    def _read_text(self, spec: Any, text: str) -> Any:
        if not text:
            return spec.default
        parse = spec.metadata["parse"]
        return parse(text) if parse is not None else text

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise BadInput, with one sentence, if there can be no such job."""
        self.read_job(parameters, context)

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the parameters; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self._job = self.read_job(parameters, context)
        return True

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Run the job in the engine; returns nothing when cancelled."""
        with told_to_processing():
            try:
                with naming_parameters(self.fields()):
                    result = self._client.run(self.kind, self._job, feedback)
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; the checkpoint is kept: run again with RESUME to go on."))
                return {}
        warnings = [flags_as_parameters(str(warning), self.fields()) for warning in result.get("warnings") or ()]
        for warning in warnings:
            feedback.pushWarning(warning)
        return outputs_of({**result, "warnings": warnings})


def data_source(folder: str) -> str:
    """Folder of training data, or the simulated source where none is given; raises BadInput if there is no folder."""
    if not folder or folder == protocol.SIMULATED:
        return protocol.SIMULATED
    if not os.path.isdir(folder):
        raise protocol.BadInput(
            tr("The folder of training data '{folder}' does not exist; choose one, or leave DATA empty.").format(
                folder=folder
            )
        )
    return os.path.abspath(folder)


def outputs_of(result: Mapping[str, Any]) -> Dict[str, Any]:
    """Outputs of a finished run, out of the engine's answer."""
    return {
        "MODEL_PATH": result.get("path"),
        "MODEL_NAME": result.get("model"),
        "VALIDATION_LOSS": result.get("validation_loss"),
        "VALIDATION_SCORE": result.get("validation_score"),
        "STEPS": result.get("steps"),
        "ENDED": result.get("ended"),
        "SECONDS": result.get("seconds"),
        "DEVICE_USED": result.get("device"),
        "WARNINGS": "\n".join(str(warning) for warning in result.get("warnings") or ()),
    }


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("Learning", text)
