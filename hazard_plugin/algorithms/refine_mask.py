"""The algorithm ``hazardmapper:refinemask``: without permanent water, on slopes that can be, clouds not assessed."""

import contextlib
import os
import re
from dataclasses import replace
from typing import Any, Dict, Iterable, List, Optional, Tuple

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterEnum,
    QgsProcessingParameterMapLayer,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import DOUBLE, RASTER_OR_VECTOR
from ..engine_client import EngineClient
from ..hazards import hazard_title
from ..layer_origin import hazard_of, inherited, origin_of, scene_of
from .base import with_help
from .delivery import DeliveryAlgorithm
from .outputs import require_free, told_to_processing
from .references import Reference, hazard_said, read_reference
from .styled import dress_styled, style_file

SLOPE_LIMITS: Dict[str, Tuple[Optional[float], Optional[float]]] = {
    "flood": (None, 12.0),
    "landslide": (5.0, None),
}
"""Least and most slope in degrees by hazard, where the user gives none; see ``resources/help/refining.md``."""

Meaning = Dict[str, Tuple[int, ...]]
BY_NAME, ANY_VALUE, OWN_VALUES, OWN_BITS = "by name", "any value but 0", "own values", "own bits"
SENTINEL_2, LANDSAT, ASF = "Sentinel-2 SCL", "Landsat QA_PIXEL", "ASF layover and shadow"
PRODUCTS: Dict[str, Meaning] = {
    SENTINEL_2: {"not_assessed_values": (3, 8, 9, 10)},
    LANDSAT: {"not_assessed_bits": (1, 2, 3, 4)},
    ASF: {"not_assessed_bits": (1, 2, 3, 4)},
}
"""What cannot be seen in published quality bands; their documents are named in ``resources/help/refining.md``."""
PRODUCT_NAMES = {
    SENTINEL_2: re.compile(r"(?:^|[^a-z])scl(?:[^a-z]|$)", re.IGNORECASE),
    LANDSAT: re.compile(r"qa_pixel", re.IGNORECASE),
    ASF: re.compile(r"(?:^|[^a-z])ls_map(?:[^a-z]|$)", re.IGNORECASE),
}
"""How their files are named."""
MEANINGS = (BY_NAME, ANY_VALUE, *PRODUCTS, OWN_VALUES, OWN_BITS)


class RefineMask(DeliveryAlgorithm):
    """Take permanent water and impossible slopes out of a mask, and what cannot be seen out of what is assessed."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__(client)
        self._references: Dict[str, Reference] = {}
        self._hazard = ""
        self._meaning = ""

    def name(self) -> str:
        """Id within the provider."""
        return "refinemask"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Refine mask")

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr(
            "permanent water,JRC,occurrence,slope,DEM,elevation,filter,flood,landslide,false alarm,"
            "cloud,shadow,layover,SCL,QA_PIXEL,quality band,not assessed"
        ).split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr(
            "Takes permanent water and impossible slopes out of a mask, and makes clouds and layover not assessed."
        )

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Water in a scene is flood only where there is no water otherwise. Permanent water is a raster, such as "
            "the occurrence layer of JRC Global Surface Water, or polygons of rivers, lakes and sea.\n\n"
            "An elevation model rules out hazards on slopes where they cannot be. Without limits of your own, floods "
            "keep to slopes of at most 12°, landslides to slopes of at least 5°; a glacier collapse has no limit until "
            "you give one. Slopes are computed on the model's own grid and on distances on the ground, then "
            "interpolated; a model much finer than the mask is averaged first.\n\n"
            "Clouds, their shadows, radar layover and whatever else cannot be seen come as a raster, such as the scene "
            "classification of Sentinel-2 or the quality band of Landsat, or as polygons. There the result is not "
            "assessed, be it hazard or none; this cannot be taken back, so keep the mask.\n\n"
            "The result keeps what was taken out: 0 none, 1 hazard, 2 permanent water, 3 ruled out by slope, 255 not "
            "assessed. Only 1 is hazard; refine the result again with water or slopes and 2 and 3 count as hazard "
            "first, so that other limits can be tried on it. Where the reference or the model has no value a pixel "
            "stays as it is, and the share of the hazard area without one is told.\n\n"
            "Surface models contain trees and buildings, whose edges look steep: use a terrain model where you can."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterRasterLayer("INPUT", tr("Mask")))
        water = QgsProcessingParameterMapLayer("WATER", tr("Permanent water"), None, True, RASTER_OR_VECTOR)
        add(with_help(water, tr("raster such as JRC occurrence, or polygons; none when empty")))
        least = QgsProcessingParameterNumber(
            "LEAST_OCCURRENCE", tr("Least value of permanent water"), DOUBLE, 50.0, False
        )
        add(with_help(least, tr("raster values from here on are permanent; JRC: per cent of the time; 1 for 0 and 1")))
        elevation = QgsProcessingParameterRasterLayer("ELEVATION", tr("Elevation model"), None, True)
        add(with_help(elevation, tr("elevations in metres on any grid; no slope limits when empty")))
        for name, title, help_text in (
            (
                "LEAST_SLOPE",
                tr("Least slope in degrees"),
                tr("empty: 5 for landslides when an elevation model is given"),
            ),
            ("MOST_SLOPE", tr("Most slope in degrees"), tr("empty: 12 for floods when an elevation model is given")),
        ):
            limit = QgsProcessingParameterNumber(name, title, DOUBLE, None, True, 0.0, 90.0)
            add(with_help(limit, help_text))
        unseen = QgsProcessingParameterMapLayer("NOT_ASSESSED", tr("What cannot be seen"), None, True, RASTER_OR_VECTOR)
        add(with_help(unseen, tr("raster or polygons of clouds, shadow, layover and such; they become not assessed")))
        meaning = QgsProcessingParameterEnum(
            "NOT_ASSESSED_MEANING", tr("Values that cannot be seen"), list(MEANINGS), False, BY_NAME, True, True
        )
        add(with_help(meaning, tr("by name: those of the product that the raster is named after, else any but 0")))
        codes = QgsProcessingParameterString("NOT_ASSESSED_CODES", tr("Own values or bits"), "", False, True)
        add(with_help(codes, tr("for own values or own bits: whole numbers such as 3,8,9; bits count from 0")))
        self.mark_advanced(("LEAST_OCCURRENCE", "LEAST_SLOPE", "MOST_SLOPE", "NOT_ASSESSED_CODES"))
        add(QgsProcessingParameterRasterDestination("OUTPUT", tr("Refined mask")))
        for name, title in (
            ("HAZARD_AREA_M2", tr("Hazard area in m²")),
            ("PERMANENT_WATER_M2", tr("Permanent water in m²")),
            ("RULED_OUT_BY_SLOPE_M2", tr("Ruled out by slope in m²")),
            ("NEWLY_NOT_ASSESSED_M2", tr("Not assessed any more in m²")),
            ("SHARE_ASSESSED", tr("Share of the scene assessed (0 to 1)")),
            ("SHARE_WITHOUT_REFERENCE", tr("Share of the hazard area without a statement on water (0 to 1)")),
            ("SHARE_WITHOUT_SLOPE", tr("Share of the hazard area without a slope (0 to 1)")),
            ("SHARE_WITHOUT_VISIBILITY", tr("Share assessed before of which nothing is said to be seen (0 to 1)")),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, title))
        self.addOutput(QgsProcessingOutputString("WARNINGS", tr("Warnings")))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        self._read(parameters, context, QgsProcessingContext())

    def _read(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, output_context: QgsProcessingContext
    ) -> protocol.RefineJob:
        mask = self.result_file(parameters, "INPUT", context)
        layer = self.raster(parameters, "INPUT", context)
        transforms = context.transformContext()
        self._references, self._meaning = {}, ""
        for name, as_layer in (
            ("WATER", self.parameterAsLayer),
            ("ELEVATION", self.parameterAsRasterLayer),
            ("NOT_ASSESSED", self.parameterAsLayer),
        ):
            found = as_layer(parameters, name, context)
            if found is not None:
                self._references[name] = read_reference(found, layer, transforms)
            elif parameters.get(name):
                raise protocol.BadInput(
                    tr("The layer '{layer}' cannot be found; choose another one.").format(layer=parameters[name])
                )
        out = self.output_file(parameters, "OUTPUT", output_context)
        require_free(out, context.project())
        limits = self.number(parameters, "LEAST_SLOPE", context), self.number(parameters, "MOST_SLOPE", context)
        has_elevation = "ELEVATION" in self._references
        self._hazard = origin_of(layer)["hazard"]
        if has_elevation and limits == (None, None):
            limits = usual_limits(self._hazard) if self._hazard else (0.0, None)  # found out when it runs
        return protocol.RefineJob(
            mask=mask,
            out=out,
            permanent_water=self._references["WATER"].name if "WATER" in self._references else None,
            least_occurrence=self.parameterAsDouble(parameters, "LEAST_OCCURRENCE", context),
            elevation=self._references["ELEVATION"].name if has_elevation else None,
            least_slope=limits[0],
            most_slope=limits[1],
            not_assessed=self._references["NOT_ASSESSED"].name if "NOT_ASSESSED" in self._references else None,
            overwrite=True,
            **self._read_meaning(parameters, context),
        )

    def _read_meaning(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> Meaning:
        """Values or bits that cannot be seen; raises BadInput if they do not fit together."""
        chosen = str(self.parameterAsEnumString(parameters, "NOT_ASSESSED_MEANING", context)) or BY_NAME
        codes = protocol.parse_codes(self.text(parameters, "NOT_ASSESSED_CODES", context))
        if codes and chosen not in (OWN_VALUES, OWN_BITS):
            raise protocol.BadInput(
                tr("Own values or bits are given, but '{chosen}' is chosen; choose '{values}' or '{bits}'.").format(
                    chosen=chosen, values=OWN_VALUES, bits=OWN_BITS
                )
            )
        reference = self._references.get("NOT_ASSESSED")
        if reference is not None and reference.raster is None and chosen not in (BY_NAME, ANY_VALUE):
            raise protocol.BadInput(
                tr("'{chosen}' speaks of a raster, but '{name}' holds polygons; choose '{by_name}'.").format(
                    chosen=chosen, name=reference.name, by_name=BY_NAME
                )
            )
        if chosen in (OWN_VALUES, OWN_BITS):
            if not codes:
                raise protocol.BadInput(
                    tr("'{chosen}' is chosen, but none is given; give whole numbers such as 3,8,9.").format(
                        chosen=chosen
                    )
                )
            return {"not_assessed_values" if chosen == OWN_VALUES else "not_assessed_bits": codes}
        if reference is None or reference.raster is None:
            return {}
        if chosen == BY_NAME:
            chosen = product_named((os.path.basename(reference.raster.path), reference.name))
        self._meaning = chosen
        return PRODUCTS.get(chosen, {})

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layers on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self.job = self._read(parameters, context, context)
            layer = self.raster(parameters, "INPUT", context)
        hazard = hazard_of(layer)
        name = tr("{hazard}, refined - {scene}").format(hazard=hazard_title(hazard), scene=scene_of(layer))
        output = self.named["OUTPUT"]
        origin = {**inherited(layer), "derived": "refined"}
        dress_styled(context, output, style_file("refined", hazard), "mask", hazard, name, origin)
        return True

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Run the job in the engine; returns nothing when cancelled."""
        if self.job is None:
            raise QgsProcessingException(tr("Nothing was prepared; run the algorithm again."))
        wanted = {"WATER": "permanent_water", "ELEVATION": "elevation", "NOT_ASSESSED": "not_assessed"}
        if self._meaning:
            feedback.pushInfo(tr("What cannot be seen: {meaning}.").format(meaning=self._meaning))
        with told_to_processing(), contextlib.ExitStack() as stack:
            try:
                paths = {
                    wanted[name]: stack.enter_context(reference.opened(context.transformContext(), feedback))
                    for name, reference in self._references.items()
                }
                given = [self.number(parameters, name, context) for name in ("LEAST_SLOPE", "MOST_SLOPE")]
                if "elevation" in paths and given == [None, None]:
                    paths.update(self._usual_limits(feedback))
                self.job = replace(self.job, **paths)
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; nothing was written."))
                return {}
            return super().processAlgorithm(parameters, context, feedback)

    def _usual_limits(self, feedback: QgsProcessingFeedback) -> Dict[str, Optional[float]]:
        least, most = usual_limits(self._hazard or hazard_said(self._client, self.job.mask, feedback))
        text = tr("Slopes of at least {least}°.") if most is None else tr("Slopes of at most {most}°.")
        feedback.pushInfo(text.format(least=least, most=most))
        return {"least_slope": least, "most_slope": most}

    def outputs_of(self, result: Dict[str, Any], feedback: QgsProcessingFeedback) -> Dict[str, Any]:
        """Outputs of the algorithm from the engine's answer."""
        names = (
            "hazard_area_m2",
            "permanent_water_m2",
            "ruled_out_by_slope_m2",
            "newly_not_assessed_m2",
            "share_assessed",
            "share_without_reference",
            "share_without_slope",
            "share_without_visibility",
        )
        feedback.pushInfo(
            tr(
                "Hazard {hazard:.3f} km², permanent water {water:.3f} km², ruled out by slope {slope:.3f} km², "
                "not assessed any more {unseen:.3f} km²."
            ).format(
                hazard=result["hazard_area_m2"] / 1e6,
                water=result["permanent_water_m2"] / 1e6,
                slope=result["ruled_out_by_slope_m2"] / 1e6,
                unseen=result["newly_not_assessed_m2"] / 1e6,
            )
        )
        return {
            "OUTPUT": self.job.out,
            **{name.upper(): result.get(name) for name in names},
            "WARNINGS": "\n".join(result.get("warnings") or ()),
        }

    @property
    def kind(self) -> str:
        """Kind of the engine's job."""
        return "refine"


def product_named(names: Iterable[str]) -> str:
    """Product that a file or layer is named after; any value but 0 where there is none."""
    for name in names:
        for product, pattern in PRODUCT_NAMES.items():
            if pattern.search(name):
                return product
    return ANY_VALUE


def usual_limits(hazard: str) -> Tuple[Optional[float], Optional[float]]:
    """Least and most slope of a hazard in degrees; raises BadInput if it has none."""
    if hazard not in SLOPE_LIMITS:
        raise protocol.BadInput(
            tr("There is no usual slope limit for {hazard}; give the least or the most slope.").format(
                hazard=hazard_title(hazard).lower() if hazard else tr("a mask that does not say its hazard")
            )
        )
    return SLOPE_LIMITS[hazard]


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("RefineMask", text)
