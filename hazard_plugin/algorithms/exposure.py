"""The algorithm ``hazardmapper:exposure``: what of the analyst's own layers lies in a hazard, low, central and high."""

import contextlib
import os
import tempfile
from typing import Any, Dict, List, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureSink,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import BUILDINGS, DOUBLE, LINES, NO_GEOMETRY, NUMERIC_FIELD, POLYGONS, REAL_VALUE, TABLE, TEXT_VALUE
from ..engine_client import EngineClient
from ..exposure_counts import (
    Amounts,
    LayerReader,
    Zones,
    count_buildings,
    count_land_use,
    count_people,
    count_roads,
)
from ..hazards import hazard_title
from ..layer_origin import hazard_of, inherited, scene_of
from ..raster_source import RasterSource, read_layer
from .base import with_help
from .delivery import DeliveryAlgorithm
from .outputs import told_to_processing
from .tables import dress_table

LAYERS = ("BUILDINGS", "ROADS", "LAND_USE", "POPULATION")
ADVANCED = ("LOW_PERCENT", "HIGH_PERCENT")
ESTIMATES = ("low", "central", "high", "not_assessed", "total")
TRACING = 0.6
"""Part of the progress that tracing makes up; the rest is counting."""
HECTARE_M2 = 10_000.0


class Exposure(DeliveryAlgorithm):
    """Count what lies in a hazard."""

    def __init__(self, client: EngineClient) -> None:
        super().__init__(client)
        self._fields: Dict[str, Any] = {}
        self._crs = QgsCoordinateReferenceSystem()
        self._sources: Dict[str, Any] = {}
        self._names: Dict[str, str] = {}
        self._people: Optional[RasterSource] = None
        self._title = ""
        self._origin: Dict[str, str] = {}

    def name(self) -> str:
        """Id within the provider."""
        return "exposure"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Exposure")

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("exposure,impact,affected,buildings,roads,land use,population,people,consequences").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Counts buildings, roads, land use and people in a hazard, with a low, central and high estimate.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Counts what of your own layers lies in the hazard of a mask: buildings touched (and their ground plans), "
            "kilometres of roads, hectares of land use by class, and people, from a raster or from polygons over "
            "whose ground they are spread evenly.\n\n"
            "The central estimate is the mask. With a probability there are two more: the low one keeps only the "
            "mask's pixels above a stricter cut, the high one adds pixels above a looser cut. Without cuts of your "
            "own they lie one unit of log odds above and below the mask's threshold: 73 and 27 % for a threshold of "
            "50 %. What was taken out of the mask, such as permanent water, stays out of all three. The range says "
            "how sharply the model draws the edge; it is no confidence interval.\n\n"
            "What is not assessed (clouds, shadow, no data) is counted in a column of its own, never as safe. The "
            "last column is everything on the mask. What lies beyond the mask is not looked at.\n\n"
            "Lengths and areas are measured on the ellipsoid. Layers may be in any CRS. Broken geometries are mended "
            "and counted in the log."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterRasterLayer("HAZARD_MASK", tr("Mask")))
        probability = QgsProcessingParameterRasterLayer("PROBABILITY", tr("Probability"), None, True)
        add(with_help(probability, tr("of the same run; without it there is only the central estimate")))
        source = QgsProcessingParameterFeatureSource
        add(source("BUILDINGS", tr("Buildings (polygons or points)"), BUILDINGS, None, True))
        add(source("ROADS", tr("Roads (lines)"), [LINES], None, True))
        add(source("LAND_USE", tr("Land use (polygons)"), [POLYGONS], None, True))
        field = QgsProcessingParameterField
        add(field("LAND_USE_FIELD", tr("Class of the land use"), None, "LAND_USE", optional=True))
        raster = QgsProcessingParameterRasterLayer("POPULATION_RASTER", tr("Population (raster)"), None, True)
        add(with_help(raster, tr("people of each cell, such as WorldPop or GHS-POP")))
        units = [tr("people in each cell"), tr("people per km²")]
        add(QgsProcessingParameterEnum("POPULATION_UNITS", tr("Values of the population raster"), units, False, 0))
        add(source("POPULATION", tr("Population (polygons)"), [POLYGONS], None, True))
        people = field(
            "POPULATION_FIELD", tr("People of each polygon"), None, "POPULATION", NUMERIC_FIELD, optional=True
        )
        add(with_help(people, tr("spread evenly over the polygon's ground")))
        for name, title in (
            ("LOW_PERCENT", tr("Cut of the low estimate")),
            ("HIGH_PERCENT", tr("Cut of the high one")),
        ):
            cut = QgsProcessingParameterNumber(name, title, DOUBLE, None, True, 1, 100)
            add(with_help(cut, tr("per cent of probability; empty: one unit of log odds from the mask's threshold")))
        self.mark_advanced(ADVANCED)
        add(QgsProcessingParameterFeatureSink("OUTPUT", tr("Exposure"), TABLE))
        for name, title in number_titles().items():
            self.addOutput(QgsProcessingOutputNumber(name, title))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        self._read(parameters, context)

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layers on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self._read(parameters, context)
        return True

    def _read(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        layer = self.raster(parameters, "HAZARD_MASK", context)
        mask = self.result_file(parameters, "HAZARD_MASK", context)
        probability = None
        if self.parameterAsRasterLayer(parameters, "PROBABILITY", context) is not None or parameters.get("PROBABILITY"):
            probability = self.result_file(parameters, "PROBABILITY", context)
        self._crs = layer.crs()
        if not self._crs.isValid():
            raise protocol.BadInput(tr("The mask '{name}' has no CRS; assign it first.").format(name=layer.name()))
        self._sources = {}
        for name in LAYERS:
            if parameters.get(name):
                source = self.parameterAsSource(parameters, name, context)
                if source is None:
                    raise QgsProcessingException(self.invalidSourceError(parameters, name))
                self._sources[name] = source
        self._names = {name: self.text(parameters, name, context) for name in ("LAND_USE_FIELD", "POPULATION_FIELD")}
        self._people = None
        if parameters.get("POPULATION_RASTER"):
            self._people = read_layer(self.raster(parameters, "POPULATION_RASTER", context))
            if self._people.crs_override:
                sentence = tr("Layer '{name}' is shown in another CRS than its file says; export it first.")
                raise protocol.BadInput(sentence.format(name=self._people.name))
        if not self._sources and self._people is None:
            raise protocol.BadInput(tr("Nothing to count; give buildings, roads, land use or population."))
        if "POPULATION" in self._sources and not self._names["POPULATION_FIELD"]:
            raise protocol.BadInput(tr("No field with people is given; name one of the population's polygons."))
        cuts = [self.number(parameters, name, context) for name in ADVANCED]
        self._fields = {
            "mask": mask,
            "probability": probability,
            "low": None if cuts[0] is None else cuts[0] / 100,
            "high": None if cuts[1] is None else cuts[1] / 100,
            "density": self.parameterAsEnum(parameters, "POPULATION_UNITS", context) == 1,
        }
        protocol.ZonesJob(out="zones.gpkg", **self._fields)
        self._title = tr("Exposure to {hazard} - {scene}").format(
            hazard=hazard_title(hazard_of(layer)).lower(), scene=scene_of(layer)
        )
        self._origin = inherited(layer)

    @property
    def kind(self) -> str:
        """Kind of the engine's job."""
        return "zones"

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Trace in the engine, count here, write the table last; returns nothing when cancelled."""
        if not self._fields:
            raise QgsProcessingException(tr("Nothing was prepared; run the algorithm again."))
        with told_to_processing():
            try:
                rows = self._count(context, feedback)
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; nothing was written."))
                return {}
        for row in rows:
            feedback.pushInfo(row.line())
        destination = self._write(rows, parameters, context)
        return {"OUTPUT": destination, **numbers_of(rows)}

    def _count(self, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> "List[Row]":
        with tempfile.TemporaryDirectory(prefix="exposure_", dir=QgsProcessingUtils.tempFolder()) as folder:
            path = os.path.join(folder, "zones.gpkg")
            with contextlib.ExitStack() as stack:
                population = None
                if self._people is not None:
                    population = stack.enter_context(self._people.opened(None, feedback)).raster
                job = protocol.ZonesJob(out=path, population=population, **self._fields)
                traced = dict(self._client.run(self.kind, job, feedback, (0.0, TRACING)))
            for warning in traced.get("warnings") or ():
                feedback.pushWarning(str(warning))
            if traced.get("low_cut") is not None:
                cuts = tr("Low estimate: probability of at least {low:.0%}; high estimate: at least {high:.0%}.")
                feedback.pushInfo(cuts.format(low=traced["low_cut"], high=traced["high_cut"]))
            has_range = traced.get("low_cut") is not None
            rows = [Row("hazard", "", "ha", "", scaled(traced["areas_m2"], HECTARE_M2))]
            if self._sources:
                zones = read_zones(path, traced["outline"], self._crs, context, feedback)
                rows += self._count_layers(zones, has_range, context, feedback)
            if traced.get("people"):
                rows.append(Row("population", "", tr("people"), self._people.name, traced["people"]))
        return rows

    def _count_layers(
        self, zones: Zones, has_range: bool, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> "List[Row]":
        rows: List[Row] = []
        for position, (name, source) in enumerate(self._sources.items()):
            feedback.setProgress(100 * (TRACING + (1 - TRACING) * position / len(self._sources)))
            feedback.setProgressText(tr("Counting {layer}").format(layer=source.sourceName()))
            reader = LayerReader(source, zones, context.transformContext(), feedback)
            if not reader.has_crs:
                feedback.pushWarning(
                    tr("'{layer}' has no CRS; it is taken to be in the mask's.").format(layer=source.sourceName())
                )
            rows += self._rows_of(name, reader, zones, has_range, source.sourceName(), feedback)
            if reader.repaired or reader.skipped:
                told = tr("'{layer}': {repaired} broken geometries were mended, {skipped} could not be used.")
                feedback.pushWarning(
                    told.format(layer=source.sourceName(), repaired=reader.repaired, skipped=reader.skipped)
                )
        return rows

    def _rows_of(
        self,
        name: str,
        reader: LayerReader,
        zones: Zones,
        has_range: bool,
        layer: str,
        feedback: QgsProcessingFeedback,
    ) -> "List[Row]":
        def row(item: str, kind: str, unit: str, amounts: Amounts, divisor: float = 1.0) -> Row:
            values = {estimate: getattr(amounts, estimate) for estimate in ESTIMATES}
            if not has_range:
                values.update(low=None, high=None)
            return Row(item, kind, unit, layer, scaled(values, divisor))

        if name == "BUILDINGS":
            counted, plans = count_buildings(reader, zones)
            found = [row("buildings", "", tr("number"), counted)]
            return [*found, row("building_area", "", "m²", plans)] if plans is not None else found
        if name == "ROADS":
            return [row("roads", "", "km", count_roads(reader, zones), 1000.0)]
        if name == "LAND_USE":
            classes = count_land_use(reader, zones, self._names["LAND_USE_FIELD"])
            ordered = sorted(classes, key=lambda kind: (-classes[kind].central, kind))
            return [row("land_use", kind, "ha", classes[kind], HECTARE_M2) for kind in ordered]
        people, unsaid = count_people(reader, zones, self._names["POPULATION_FIELD"])
        if unsaid:
            told = tr("'{layer}': {count} polygons say no number of people and are left out.")
            feedback.pushWarning(told.format(layer=layer, count=unsaid))
        return [row("population", "", tr("people"), people)]

    def _write(self, rows: "List[Row]", parameters: Dict[str, Any], context: QgsProcessingContext) -> str:
        sink, destination = self.parameterAsSink(
            parameters, "OUTPUT", context, table_fields(), NO_GEOMETRY, QgsCoordinateReferenceSystem()
        )
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, "OUTPUT"))
        for row in rows:
            if not sink.addFeature(row.feature(), QgsFeatureSink.Flag.FastInsert):
                raise QgsProcessingException(tr("The table cannot be written; choose another file or format."))
        del sink
        dress_table(context, destination, "exposure", self._title, self._origin)
        return str(destination)


class Row:
    """One row of the table: ``item`` is a word that scripts can rely on."""

    def __init__(self, item: str, kind: str, unit: str, source: str, values: Dict[str, Optional[float]]) -> None:
        self.item, self.kind, self.unit, self.source, self.values = item, kind, unit, source, values

    def feature(self) -> QgsFeature:
        """As a feature of the table."""
        feature = QgsFeature(table_fields())
        texts = [self.item, item_titles()[self.item], self.kind, self.unit, self.source]
        feature.setAttributes([*texts, *(self.values[name] for name in ESTIMATES)])
        return feature

    def line(self) -> str:
        """As a line of the log."""
        title = item_titles()[self.item] + (f" ({self.kind})" if self.kind else "")
        values = self.values
        text = f"{title}: {values['central']:,.6g} {self.unit}"
        if values["low"] is not None and values["high"] is not None:
            text += tr(" ({low:,.6g} to {high:,.6g})").format(low=values["low"], high=values["high"])
        return text + tr("; not assessed {lacking:,.6g}, of {total:,.6g} in all").format(
            lacking=values["not_assessed"], total=values["total"]
        )


def read_zones(
    path: str,
    outline: List[List[float]],
    crs: QgsCoordinateReferenceSystem,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> Zones:
    """Zones from the engine's file; raises OutputFailed if it cannot be read, Cancelled."""
    ring = QgsGeometry.fromPolygonXY([[QgsPointXY(x, y) for x, y in outline]])
    zones = Zones(crs, ring, context.transformContext())
    layer = QgsVectorLayer(f"{path}|layername=zones", "zones", "ogr")
    if not layer.isValid():
        raise protocol.OutputFailed(tr("The traced zones cannot be read; check the temporary folder and its disk."))
    for feature in layer.getFeatures():
        if feedback.isCanceled():
            raise protocol.Cancelled(tr("Cancelled; nothing was written."))
        zones.add(int(feature["zone"]), feature.geometry())
    return zones


def scaled(values: Dict[str, Optional[float]], divisor: float) -> Dict[str, Optional[float]]:
    """Numbers in a larger unit; None stays None."""
    return {name: None if value is None else value / divisor for name, value in values.items()}


def table_fields() -> QgsFields:
    """Fields of the table."""
    fields = QgsFields()
    for name in ("item", "title", "class", "unit", "source"):
        fields.append(QgsField(name, TEXT_VALUE))
    for name in ESTIMATES:
        fields.append(QgsField(name, REAL_VALUE))
    return fields


def item_titles() -> Dict[str, str]:
    """What is counted, for people."""
    return {
        "hazard": tr("Hazard area"),
        "buildings": tr("Buildings touched"),
        "building_area": tr("Ground plans of buildings touched"),
        "roads": tr("Roads"),
        "land_use": tr("Land use"),
        "population": tr("Population"),
    }


def number_titles() -> Dict[str, str]:
    """Outputs that are numbers: central estimates."""
    return {
        "BUILDINGS": tr("Buildings touched"),
        "ROADS_KM": tr("Kilometres of roads"),
        "LAND_USE_HA": tr("Hectares of land use"),
        "POPULATION": tr("People (raster, else polygons)"),
    }


def numbers_of(rows: List[Row]) -> Dict[str, Any]:
    """Central estimates by output; None for what was not asked for."""
    names = {"buildings": "BUILDINGS", "roads": "ROADS_KM", "land_use": "LAND_USE_HA", "population": "POPULATION"}
    found: Dict[str, Any] = dict.fromkeys(number_titles())
    for row in rows:
        name = names.get(row.item)
        if name == "LAND_USE_HA":
            found[name] = (found[name] or 0.0) + (row.values["central"] or 0.0)
        elif name:
            found[name] = row.values["central"]  # the raster's row of people is the last
    return found


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("Exposure", text)
