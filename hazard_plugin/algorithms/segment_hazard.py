"""The algorithm ``hazardmapper:segmenthazard``: one hazard in one scene, to a mask and, if wanted, its probability."""

import json
from typing import Any, Dict, List, Optional, Tuple

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import DOUBLE
from ..engine_client import EngineClient
from ..engine_feedback import WHOLE, EngineFeedback
from ..hazards import compared_layer_name, mask_layer_name, probability_layer_name
from ..layer_date import layer_date
from ..layer_origin import new_run, run_history
from ..raster_source import read_layer
from .adaptation import (
    Adaptation,
    adaptation_fields,
    add_adaptation,
    add_verdict,
    remove_saved,
    require_adaptable,
    run_adaptation,
)
from .base import absolute
from .before import (
    TOLD,
    SceneBefore,
    add_answer,
    add_before,
    answer_of,
    opened_before,
    placed_before,
    read_before,
    told_of_before,
)
from .comparison import COMPARED, Comparison, kind_of
from .outputs import (
    ResultDresser,
    dress_on_load,
    flags_as_parameters,
    found_by_engine,
    naming_parameters,
    require_free,
    told_to_processing,
)
from .scene import SceneAlgorithm

ADVANCED = ("BANDS", "SENSOR", "UNITS", "GSD_M", *TOLD, "ADAPT", "DEVICE")
OUTPUTS = ("OUTPUT", "PROBABILITY", *COMPARED)
PREFIX = "ADAPT_"
NO_PREVIEW = {"preview": None, "preview_extent": None}
SEGMENTING_S = 15.0
"""Seconds that segmenting is taken for, beside the budget of an adaptation, in the progress of both."""


class SegmentHazard(SceneAlgorithm):
    """Segment one hazard in one scene; dock, toolbox, models, batch and qgis_process all run this."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__(client)
        self._fields: Dict[str, Any] = {}
        self._outputs: Dict[str, str] = {}
        self._adaptation: Optional[Dict[str, Any]] = None
        self._before: Optional[SceneBefore] = None
        self._scene_name = ""
        self._dressers: List[ResultDresser] = []

    def name(self) -> str:
        """Id within the provider."""
        return "segmenthazard"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Segment hazard")

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr(
            "flood,landslide,glacier,water,hazard,disaster,segmentation,deep learning,mask,sentinel,landsat"
        ).split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Maps floods, landslides or glacier collapses in one satellite scene.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Maps one hazard in one satellite scene with a neural network that runs in Hazard Mapper's engine.\n\n"
            "The scene may be any raster layer, optical or radar. Bands and units are found out from names, "
            "wavelengths and values, and the log says how; give BANDS (one slot a band, in order: coastal, blue, "
            "green, red, nir, swir1, swir2, vv, vh, or - for unused), SENSOR or UNITS where that is wrong.\n\n"
            "The mask has the scene's own grid, cropped to the extent if one is given: 0 none, 1 hazard, 255 not "
            "assessed. The probability, if wanted, is 0 to 100 %, 255 not assessed. Without a threshold the model's "
            "own is used.\n\n"
            "With BEFORE, a scene of the same place from before the event on any grid, what is new is looked for: "
            "where its answer is the same on both dates nothing is hazard, and water on both dates is a class of its "
            "own (2). Where BEFORE has no value, the scene is assessed by itself.\n\n"
            "With ADAPT the model first learns from the unlabelled scene, in the same extent or polygons, and VERDICT "
            "and REASON say whether that helped. With BEFORE as well, ground that did not change is its evidence of "
            "where nothing is new. An adapted model is saved under ADAPT_NAME, for other scenes of the "
            "same event; where adapting did not help, the model maps as it is. MASK_BEFORE, PROBABILITY_BEFORE and "
            "DIFFERENCE (percentage points) compare with the model as it was.\n\n"
            "Areas are measured on the ellipsoid. A mask is a model's opinion: check it before anyone relies on it."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        self.add_scene(tr("Assess only inside these polygons"))
        threshold = tr("Threshold between 0 and 1 (empty: the model's own)")
        add(QgsProcessingParameterNumber("THRESHOLD", threshold, DOUBLE, None, True, 0.0, 1.0))
        self.add_understanding()
        add_before(self)
        add(QgsProcessingParameterBoolean("ADAPT", tr("Adapt to this scene first"), False, True))
        names = add_adaptation(self, PREFIX)
        self.add_device()
        self.mark_advanced((*ADVANCED, *names))
        add(QgsProcessingParameterRasterDestination("OUTPUT", tr("Mask")))
        add(QgsProcessingParameterRasterDestination("PROBABILITY", tr("Probability"), None, True, False))
        for name, title in (
            ("MASK_BEFORE", tr("Mask without adapting")),
            ("PROBABILITY_BEFORE", tr("Probability without adapting")),
            ("DIFFERENCE", tr("Change of the probability by adapting")),
        ):
            add(QgsProcessingParameterRasterDestination(name, title, None, True, False))
        self.addOutput(QgsProcessingOutputNumber("HAZARD_AREA_M2", tr("Hazard area in m²")))
        self.addOutput(QgsProcessingOutputNumber("SHARE_ASSESSED", tr("Share of the scene assessed (0 to 1)")))
        add_answer(self)
        self.addOutput(QgsProcessingOutputNumber("SECONDS", tr("Seconds taken")))
        self.addOutput(QgsProcessingOutputString("DEVICE_USED", tr("Device used")))
        self.addOutput(QgsProcessingOutputString("MODEL_USED", tr("Model used")))
        self.addOutput(QgsProcessingOutputNumber("THRESHOLD_USED", tr("Threshold used")))
        self.addOutput(QgsProcessingOutputString("SCENE_SHA256", tr("SHA-256 of the scene")))
        self.addOutput(QgsProcessingOutputString("MODEL_SHA256", tr("SHA-256 of the model")))
        self.addOutput(QgsProcessingOutputString("JOB", tr("Job of the engine (JSON)")))
        self.addOutput(QgsProcessingOutputString("WARNINGS", tr("Warnings")))
        self.addOutput(QgsProcessingOutputString("ADAPTED_MODEL", tr("Adapted model (empty: none)")))
        add_verdict(self)

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        fields, outputs = self._read_fields(parameters, context, QgsProcessingContext())
        self._read_adaptation(parameters, context, fields, outputs)

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read layers and check outputs on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            layer = self.take_scene(parameters, context)
            self._fields, self._outputs = self._read_fields(parameters, context, context)
            self._adaptation = self._read_adaptation(parameters, context, self._fields, self._outputs)
        hazard, scene, before = self._fields["hazard"], layer.name(), self._before
        self._scene_name = scene
        origin = {"run": new_run(), "scene": scene, "scene_id": layer.id(), "before": before.name if before else ""}
        named = [("OUTPUT", "mask", mask_layer_name(hazard, scene, is_new=before is not None))]
        named.append(("PROBABILITY", "probability", probability_layer_name(hazard, scene)))
        kinds = [(output, kind_of(output)) for output in COMPARED]
        named += [(output, kind, compared_layer_name(kind, hazard, scene)) for output, kind in kinds]
        self._dressers = [
            dresser
            for output, kind, name in named
            for dresser in dress_on_load(context, self._outputs[output], kind, hazard, name, origin)
        ]
        return True

    def _read_fields(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, output_context: QgsProcessingContext
    ) -> Tuple[Dict[str, Any], Dict[str, str]]:
        """Fields of the job other than the scene, and the outputs as named by the user; raises BadInput.

        ``output_context`` is the one that learns which outputs are to be loaded.
        """
        outputs = {name: self.parameterAsOutputLayer(parameters, name, output_context) for name in OUTPUTS}
        fields = {
            **self.scene_fields(parameters, context),
            "threshold": self.number(parameters, "THRESHOLD", context),
            "mask": absolute(outputs["OUTPUT"]),
            "probability": absolute(outputs["PROBABILITY"]) or None,
            "overwrite": True,
        }
        layer = self.raster(parameters, "INPUT", context)
        source = read_layer(layer)
        fields["date"] = layer_date(layer) or None
        fields["scene_name"] = source.name if source.is_copied else None
        self._before = read_before(self, parameters, context, layer)
        protocol.SegmentJob(raster=source.path or "scene", **fields, **placed_before(self._before))
        for path in outputs.values():
            require_free(absolute(path), context.project())
        return fields, outputs

    def _read_adaptation(
        self,
        parameters: Dict[str, Any],
        context: QgsProcessingContext,
        fields: Dict[str, Any],
        outputs: Dict[str, str],
    ) -> Optional[Dict[str, Any]]:
        """Fields of the adaptation other than the scene; None without one. Raises BadInput."""
        wanted = [name for name in COMPARED if outputs[name]]
        if not self.parameterAsBool(parameters, "ADAPT", context):
            if wanted:
                sentence = tr("{name} compares with the model before it was adapted; set ADAPT, or leave it empty.")
                raise protocol.BadInput(sentence.format(name=wanted[0]))
            return None
        adaptation = {
            **{name: fields[name] for name in ("bands", "sensor", "units", "gsd_m", "hazard", "model", "device")},
            **adaptation_fields(self, parameters, context, PREFIX),
        }
        raster = read_layer(self.raster(parameters, "INPUT", context)).path or "scene"
        before = placed_before(self._before)
        require_adaptable({**adaptation, **before}, raster)
        for name in wanted:  # each has to be possible as an output, and none may be another one as well
            others = [absolute(path) for other, path in outputs.items() if other != name and path]
            for other in others:
                both = {"mask": absolute(outputs[name]), "probability": other}
                protocol.SegmentJob(raster=raster, **{**fields, **before, **both})
        return adaptation

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
                    scenes = {**scene, **before}
                    if self._adaptation is None:
                        return self._outputs_of(self._segment(scenes, {}, feedback, WHOLE), Adaptation(), feedback)
                    return self._adapt_and_segment(scenes, self._adaptation, feedback)
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; nothing was written."))
                return {}

    def _segment(
        self,
        scenes: Dict[str, Any],
        fields: Dict[str, Any],
        feedback: QgsProcessingFeedback,
        part: Tuple[float, float],
    ) -> Dict[str, Any]:
        """Segment once, with some fields other than the parameters say."""
        job = protocol.SegmentJob(**{**scenes, **self._fields, **dock_fields(feedback), **fields})
        names = {parameter.name().lower() for parameter in self.parameterDefinitions()}
        with naming_parameters(names):
            result = dict(self._client.run("segment", job, feedback, part))
        warnings = [flags_as_parameters(str(line), names) for line in result.get("warnings") or ()]
        return {**result, "warnings": warnings}

    def _adapt_and_segment(
        self, scenes: Dict[str, Any], fields: Dict[str, Any], feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Adapt, then segment with the adapted model, or with the source where that was not safely better."""
        finals = {name: absolute(self._outputs[name]) for name in COMPARED if self._outputs[name]}
        comparison = Comparison(self._fields["hazard"], finals, self._before is not None)
        learnt = fields["budget_s"] / (fields["budget_s"] + SEGMENTING_S * (2 if comparison.is_wanted else 1))
        fields = {**scenes, **fields, "date": fields["date"] or self._date or None}
        adaptation = run_adaptation(self._client, fields, self._scene_name, feedback, (0.0, learnt), PREFIX)
        if not adaptation.is_adapted:
            remove_saved(adaptation.folder)
        try:
            result = self._segment_compared(scenes, adaptation, comparison, learnt, feedback)
        except protocol.Cancelled:
            if adaptation.is_adapted:
                remove_saved(adaptation.folder)
            raise
        if adaptation.is_adapted:
            feedback.pushInfo(tr("The adapted model is saved as {name}.").format(name=adaptation.result.get("model")))
        return self._outputs_of(result, adaptation, feedback)

    def _segment_compared(
        self,
        scenes: Dict[str, Any],
        adaptation: Adaptation,
        comparison: Comparison,
        learnt: float,
        feedback: QgsProcessingFeedback,
    ) -> Dict[str, Any]:
        """Segment after an adaptation, and before it where that is to be compared.

        A cancel or a failure that comes once the mask is written leaves out only the comparison.
        """
        after = {"model": adaptation.folder} if adaptation.is_adapted else {}
        if not comparison.is_wanted:
            return self._segment(scenes, after, feedback, (learnt, 1.0))
        with comparison.workspace() as work:
            begin = learnt
            if adaptation.is_adapted:
                begin = (learnt + 1.0) / 2
                before = {"mask": work.mask, "probability": work.probability, **NO_PREVIEW}
                self._segment(scenes, before, feedback, (learnt, begin))
            probability = self._fields["probability"] or work.after
            result = self._segment(scenes, {**after, "probability": probability}, feedback, (begin, 1.0))
            if not adaptation.is_adapted:
                work.repeat(self._fields["mask"], probability)
            told = ""
            try:
                work.finish(probability, feedback)
            except protocol.Cancelled:
                told = tr("Cancelled when the mask was already written: it is kept, without the comparison.")
            except (protocol.OutputFailed, OSError) as error:
                told = tr("The mask is kept, without the comparison: {reason}").format(reason=error)
            if told:
                self._outputs.update(dict.fromkeys(COMPARED, ""))
                result["warnings"] = [*result["warnings"], told]
        return result

    def _outputs_of(
        self, result: Dict[str, Any], adaptation: Adaptation, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        for warning in result.get("warnings") or ():
            feedback.pushWarning(str(warning))
        for line in told_of_before(result):
            feedback.pushInfo(line)
        outputs: Dict[str, Any] = {
            "OUTPUT": self._outputs["OUTPUT"],
            **found_by_engine(result),
            **answer_of(result),
            "SECONDS": result.get("seconds"),
            "JOB": json.dumps(result.get("job")) if result.get("job") else "",
            "WARNINGS": "\n".join(dict.fromkeys([*adaptation.warnings, *map(str, result.get("warnings") or ())])),
            "ADAPTED_MODEL": adaptation.result.get("model") if adaptation.is_adapted else "",
        }
        optional = ("PROBABILITY", *COMPARED) if adaptation.result else ("PROBABILITY",)
        outputs.update({name: self._outputs[name] for name in optional if self._outputs[name]})
        if adaptation.result:
            outputs.update(adaptation.outputs())
        for dresser in self._dressers:
            dresser.history = run_history(self._fields["hazard"], self._scene_name, outputs)
        return outputs


def dock_fields(feedback: QgsProcessingFeedback) -> Dict[str, Any]:
    """Fields of a job that are the dock's: a first look, what is left after cancelling, and names that were free.

    Nobody has agreed that a file is replaced which got one of those names meanwhile.
    """
    if not isinstance(feedback, EngineFeedback):
        return NO_PREVIEW
    wish = feedback.preview
    looks = {"preview": wish.folder, "preview_extent": wish.extent} if wish is not None else NO_PREVIEW
    return {**looks, "overwrite": False}


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("SegmentHazard", text)
