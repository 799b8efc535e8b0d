"""The algorithm ``hazardmapper:adapttoscene``: a model learns from the unlabelled scene and is saved under a name."""

from typing import Any, Dict, List, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import DOUBLE, INTEGER
from ..engine_client import EngineClient
from ..raster_source import read_layer
from .adaptation import adaptation_fields, add_adaptation, add_verdict, require_adaptable, run_adaptation
from .base import absolute
from .before import TOLD, SceneBefore, add_before, opened_before, placed_before, read_before, told_of_shift
from .outputs import told_to_processing
from .scene import SceneAlgorithm

LEARNING = ("BATCH_SIZE", "LEARNING_RATE", "REPLAY")
ADVANCED = ("BANDS", "SENSOR", "UNITS", "GSD_M", *TOLD, *LEARNING, "DEVICE", "OVERWRITE")
PLAIN = ("NAME", "BUDGET_S")
"""Parameters of the adaptation that are not folded away."""


class AdaptToScene(SceneAlgorithm):
    """Adapt a model to one scene and save it; it always saves a model that can be used, adapted or not."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__(client)
        self._fields: Dict[str, Any] = {}
        self._before: Optional[SceneBefore] = None
        self._scene_name = ""

    def name(self) -> str:
        """Id within the provider."""
        return "adapttoscene"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Adapt to scene")

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("adapt,adaptation,learn,unlabelled,unsupervised,scene,hazard,flood,landslide,deep learning").split(
            ","
        )

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Lets a model learn from an unlabelled scene and saves what changed as a model of its own.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Lets a model learn from an unlabelled scene before it maps it, in seconds to a minute, and says honestly "
            "whether that helped.\n\n"
            "It learns inside the extent or the polygons, else from the whole scene. What it knows of place, day and "
            "sensor is found out; give DATE, LONGITUDE and LATITUDE, or SENSOR, where that is wrong.\n\n"
            "With BEFORE, a scene of the same place from before the event on any grid, ground that did not change is "
            "evidence of where nothing is new; UNCHANGED_SHARE says how much of it there is.\n\n"
            "The verdict is adapted, rolled_back (nothing tried was safely better) or abstained (the scene gives no "
            "footing). A model is saved in all three cases, so that scripts go on; unless adapted it maps as its "
            "parent does. The parent is never changed. Use the new model for this scene and others of the same "
            "event.\n\n"
            "With a number of STEPS, the same seed and the same batch size give the same model on a CPU.\n\n"
            "Expected errors are estimates without any labels: check the mask before anyone relies on it."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add, number = self.addParameter, QgsProcessingParameterNumber
        self.add_scene(tr("Learn only inside these polygons"))
        self.add_understanding()
        add_before(self)
        names = add_adaptation(self)
        add(number("BATCH_SIZE", tr("Windows a step (empty: 4)"), INTEGER, None, True, 1, 1024))
        rate = number("LEARNING_RATE", tr("Learning rate"), DOUBLE, 0.001, False, 1e-7, 1.0)
        rate.setMetadata({"widget_wrapper": {"decimals": 7}})
        add(rate)
        replay = tr("Labelled chips to learn beside the scene (CSV: image, score, label, characteristics)")
        add(QgsProcessingParameterFile("REPLAY", replay, QgsProcessingParameterFile.Behavior.File, "csv", None, True))
        self.add_device()
        add(QgsProcessingParameterBoolean("OVERWRITE", tr("Replace a model that exists"), False, True))
        self.mark_advanced((*ADVANCED, *(name for name in names if name not in PLAIN)))
        self.addOutput(QgsProcessingOutputString("MODEL", tr("Folder of the model")))
        self.addOutput(QgsProcessingOutputString("MODEL_NAME", tr("Name of the model")))
        add_verdict(self)
        self.addOutput(QgsProcessingOutputNumber("STEPS_DONE", tr("Steps done")))
        self.addOutput(QgsProcessingOutputNumber("THRESHOLD", tr("Threshold of the model")))
        self.addOutput(QgsProcessingOutputNumber("SECONDS", tr("Seconds taken")))
        self.addOutput(QgsProcessingOutputString("DEVICE_USED", tr("Device used")))
        self.addOutput(QgsProcessingOutputString("WARNINGS", tr("Warnings")))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        layer = self.raster(parameters, "INPUT", context)
        self._before = read_before(self, parameters, context, layer)
        fields = {**self._read_fields(parameters, context), **placed_before(self._before)}
        require_adaptable(fields, read_layer(layer).path)

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layer on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self._scene_name = self.take_scene(parameters, context).name()
            self.require_possible(parameters, context)
            self._fields = self._read_fields(parameters, context)
        return True

    def _read_fields(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> Dict[str, Any]:
        return {
            **self.scene_fields(parameters, context),
            **adaptation_fields(self, parameters, context),
            "batch_size": self.whole_number(parameters, "BATCH_SIZE", context),
            "learning_rate": self.number(parameters, "LEARNING_RATE", context),
            "replay": absolute(self.text(parameters, "REPLAY", context)) or None,
            "overwrite": self.parameterAsBool(parameters, "OVERWRITE", context),
        }

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Run the job in the engine; returns nothing when cancelled."""
        with told_to_processing():
            try:
                with (
                    self.opened_scene(parameters, context, feedback) as scene,
                    opened_before(self._before, feedback) as before,
                ):
                    fields = {**scene, **before, **self._fields, "date": self._fields["date"] or self._date or None}
                    adaptation = run_adaptation(self._client, fields, self._scene_name, feedback)
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; no model was saved."))
                return {}
        result = adaptation.result
        for line in told_of_shift(result):
            feedback.pushInfo(line)
        return {
            "MODEL": adaptation.folder,
            "MODEL_NAME": result.get("model"),
            **adaptation.outputs(),
            "STEPS_DONE": result.get("steps"),
            "THRESHOLD": result.get("threshold"),
            "SECONDS": result.get("seconds"),
            "DEVICE_USED": result.get("device"),
            "WARNINGS": "\n".join(adaptation.warnings),
        }


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("AdaptToScene", text)
