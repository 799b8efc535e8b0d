"""The algorithm ``hazardmapper:hazardreport``: everything that is known of a result in one HTML file."""

import json
from typing import Any, Dict, List, Mapping, Optional, Tuple

from qgis.core import (
    QgsMapLayer,
    QgsPalettedRasterRenderer,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorLayer,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication, QDate, Qt, QThread

from ...engine import protocol
from ..layer_origin import file_of
from ..models import read_models
from ..report_html import ReportContent, report_html
from ..sheet.content import area_figure, change_titles, number_text, share_figure, sheet_text
from ..sheet.export import published, stop_if_cancelled
from ..sheet.layers import MapSources, in_project, polygon_figure, sheet_layers
from ..sheet.picture import map_picture
from ..sheet.projection import sheet_crs, transformed, with_margin
from .base import EngineAlgorithm, absolute, with_help
from .outputs import told_to_processing

RASTERS = ("MASK", "PROBABILITY", "SCENE", "CHANGE", "ERRORS")
EXPOSURE_FIELDS = ("item", "class", "unit", "low", "central", "high")
MOST_POLYGONS = 10


class HazardReport(EngineAlgorithm):
    """Tell everything that is known of a mask."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._layers: Dict[str, QgsMapLayer] = {}
        self._own: List[str] = []
        self._files: Dict[str, str] = {}
        self._names: Dict[str, str] = {}
        self._exposure: List[List[Any]] = []
        self._polygons: List[List[str]] = []
        self._polygon_figure = ""
        self._title = self._output = ""
        self._place: Tuple[Any, Any, Any] = (None, None, None)

    def name(self) -> str:
        """Id within the provider."""
        return "hazardreport"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Report")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Delivery")

    def groupId(self) -> str:
        """Id of the group."""
        return "delivery"

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("report,html,summary,model card,statistics,provenance,limits").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Writes one HTML file with map, numbers, model card, adaptation, settings and limits of a result.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Writes one HTML file that needs no other file and no network: the map, key figures, the area at each "
            "probability, the model's card with its scores, what adapting came to, the settings of the run, hashes "
            "and versions, and the limits. It can be printed.\n\n"
            "Give what else you have of the same result: its probability, polygons, the table of Exposure, the error "
            "layer of Evaluate mask, the change of Compare masks. What is not given is left out. What the mask does "
            "not assess is told as such; it is not free of hazard."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterRasterLayer("MASK", tr("Mask")))
        add(QgsProcessingParameterRasterLayer("PROBABILITY", tr("Probability"), None, True))
        add(QgsProcessingParameterRasterLayer("SCENE", tr("Scene, as background"), None, True))
        add(
            QgsProcessingParameterVectorLayer(
                "POLYGONS", tr("Polygons"), [QgsProcessing.SourceType.TypeVectorPolygon], None, True
            )
        )
        exposure = QgsProcessingParameterVectorLayer(
            "EXPOSURE", tr("Table of exposure"), [QgsProcessing.SourceType.TypeVector], None, True
        )
        add(with_help(exposure, tr("with the fields item, class, unit, low, central and high")))
        errors = QgsProcessingParameterRasterLayer("ERRORS", tr("Error layer"), None, True)
        add(with_help(errors, tr("written by Evaluate mask; it holds the scores")))
        add(QgsProcessingParameterRasterLayer("CHANGE", tr("Change"), None, True))
        title = QgsProcessingParameterString("TITLE", tr("Title"), "", False, True)
        add(with_help(title, tr("composed from the hazard when left empty")))
        add(QgsProcessingParameterFileDestination("OUTPUT", tr("Report"), tr("HTML files (*.html)")))

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        mask = self.raster(parameters, "MASK", context)
        if not mask.isValid() or mask.extent().isEmpty():
            raise protocol.BadInput(
                tr("Layer '{name}' shows nothing; choose a mask that QGIS can draw.").format(name=mask.name())
            )
        output = absolute(self.parameterAsFileOutput(parameters, "OUTPUT", QgsProcessingContext()))
        if not output.lower().endswith((".html", ".htm")):
            raise protocol.BadInput(
                tr("The report is to be '{path}'; choose a name ending in .html.").format(path=output)
            )
        table = self.parameterAsVectorLayer(parameters, "EXPOSURE", context)
        if table is not None:
            missing = [name for name in EXPOSURE_FIELDS if table.fields().lookupField(name) < 0]
            if missing:
                raise protocol.BadInput(
                    tr("Table '{name}' has no field {missing}; choose the table that Exposure wrote.").format(
                        name=table.name(), missing=", ".join(missing)
                    )
                )

    def prepareAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layers on the main thread; raises QgsProcessingException with one sentence."""
        with told_to_processing():
            self.require_possible(parameters, context)
            project = context.project() or QgsProject.instance()
            found: Dict[str, Any] = {name: self.parameterAsRasterLayer(parameters, name, context) for name in RASTERS}
            found["POLYGONS"] = self.parameterAsVectorLayer(parameters, "POLYGONS", context)
            self._layers, self._own = {}, []
            for name, layer in found.items():
                if layer is None:
                    continue
                self._files[name] = absolute(file_of(layer))
                self._names[name] = layer.name()
                # Another thread draws copies, so that the project's layers stay with theirs.
                copy = layer.clone()
                if in_project(project, layer):
                    self._own.append(copy.id())
                self._layers[name] = copy
                copy.moveToThread(None)
            mask = found["MASK"]
            crs = sheet_crs(mask.crs().__class__(), project, mask.crs(), mask.extent())
            extent = transformed(with_margin(mask.extent()), mask.crs(), crs, project)
            self._place = (crs, extent, project.transformContext())
            self._exposure = exposure_rows(self.parameterAsVectorLayer(parameters, "EXPOSURE", context))
            polygons = found["POLYGONS"]
            self._polygon_figure = polygon_figure(polygons)
            self._polygons = largest_polygons(polygons)
            self._title = self.text(parameters, "TITLE", context)
            self._output = absolute(self.parameterAsFileOutput(parameters, "OUTPUT", context))
        return True

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Ask the engine, draw the map and write the file; returns nothing when cancelled."""
        if not self._layers:
            raise QgsProcessingException(tr("Nothing was prepared; run the algorithm again."))
        with told_to_processing():
            try:
                page = report_html(self._content(feedback))
                with published([self._output]) as unfinished:
                    with open(unfinished[self._output], "w", encoding="utf-8", newline="\n") as file:
                        file.write(page)
                    stop_if_cancelled(feedback)
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; nothing was written."))
                return {}
            finally:
                self._layers = {}
        feedback.setProgress(100)
        return {"OUTPUT": self._output}

    def _content(self, feedback: QgsProcessingFeedback) -> ReportContent:
        told = self._told("MASK", feedback, (0.0, 0.3))
        chances = self._told("PROBABILITY", feedback, (0.3, 0.5))
        errors = self._told("ERRORS", feedback, (0.5, 0.55))
        change = self._told("CHANGE", feedback, (0.55, 0.6))
        card = self._card(str(told.get("model") or ""), feedback)
        stop_if_cancelled(feedback)
        picture, keys = self._picture(told)
        today = QDate.currentDate().toString(Qt.DateFormat.ISODate)
        text = sheet_text(told, chances, self._names["MASK"], self._polygon_figure, False, {"title": self._title})
        return ReportContent(
            title=text.title,
            subtitle=text.subtitle,
            made=today,
            told=told,
            figures=text.figures,
            confidence=text.confidence,
            disclaimer=text.disclaimer,
            picture=picture,
            keys=keys,
            areas_by_percent_m2=chances.get("areas_by_percent_m2"),
            polygons=self._polygons,
            exposure=self._exposure,
            evaluation=object_of(errors, "HAZARD_EVALUATION"),
            change=change_facts(change),
            card=card,
        )

    def _told(self, name: str, feedback: QgsProcessingFeedback, part: Tuple[float, float]) -> Dict[str, Any]:
        if name not in self._files:
            return {}
        job = protocol.ProvenanceJob(file=self._files[name])
        return dict(self._client.run("provenance", job, feedback, part))

    def _card(self, model: str, feedback: QgsProcessingFeedback) -> Mapping[str, Any]:
        """Card of the model as the engine lists it; empty where it is not on this computer."""
        if not model:
            return {}
        entries = read_models(self._client.run("models", protocol.ModelsJob(), feedback, (0.6, 0.8)))
        return next((entry.card for entry in entries if entry.name == model), {})

    def _picture(self, told: Mapping[str, Any]) -> Tuple[str, List[Tuple[str, str]]]:
        for layer in self._layers.values():
            layer.moveToThread(QThread.currentThread())
        sources = MapSources(
            self._layers["MASK"],
            self._layers.get("SCENE"),
            self._layers.get("POLYGONS"),
        )
        drawn = sheet_layers(told, sources, lambda layer: layer.id() in self._own, False)
        picture = map_picture(drawn.drawn, *self._place)
        keys = [key for layer in drawn.legend for key in keys_of(layer)]
        return picture, keys


def keys_of(layer: QgsMapLayer) -> List[Tuple[str, str]]:
    """Colours and names that a layer adds to the key of the map."""
    if isinstance(layer, QgsRasterLayer) and isinstance(layer.renderer(), QgsPalettedRasterRenderer):
        return [(kind.color.name(), kind.label) for kind in layer.renderer().classes() if kind.color.alpha() > 0]
    return []


def exposure_rows(table: Optional[QgsVectorLayer]) -> List[List[Any]]:
    """Rows of the table of exposure; a title for people where it has one."""
    if table is None:
        return []
    first = "title" if table.fields().lookupField("title") >= 0 else "item"
    names = (first, *EXPOSURE_FIELDS[1:])
    return [[cell(feature[name]) for name in names] for feature in table.getFeatures()]


def cell(value: Any) -> str:
    """A value of a table: numbers short, NULL as a dash."""
    if value is None or (hasattr(value, "isNull") and value.isNull()):
        return "–"
    return number_text(value, 4) if isinstance(value, (int, float)) else str(value)


def largest_polygons(layer: Optional[QgsVectorLayer]) -> List[List[str]]:
    """Number, area, probability and origin of the largest polygons of a file that this plugin wrote."""
    if layer is None or layer.fields().lookupField("area_m2") < 0:
        return []
    names = {name for name in ("prob_mean", "origin") if layer.fields().lookupField(name) >= 0}
    rows = []
    for feature in layer.getFeatures():
        area = feature["area_m2"]
        removed = "origin" in names and feature["origin"] == "removed"
        if isinstance(area, (int, float)) and not removed:
            rest = [cell(feature[name]) if name in names else "–" for name in ("prob_mean", "origin")]
            rows.append((float(area), [str(feature.id()), area_figure(area), *rest]))
    return [row for _area, row in sorted(rows, key=lambda pair: -pair[0])[:MOST_POLYGONS]]


def object_of(told: Mapping[str, Any], tag: str) -> Dict[str, Any]:
    """JSON object of a tag; empty where there is none."""
    tags = told.get("tags")
    try:
        found = json.loads(str(tags.get(tag) or "{}")) if isinstance(tags, Mapping) else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def change_facts(told: Mapping[str, Any]) -> Dict[str, Any]:
    """What a change layer tells: areas, how much could be compared, and the two masks."""
    tags = told.get("tags")
    if not isinstance(tags, Mapping) or not isinstance(told.get("change_areas_m2"), Mapping):
        return {}
    areas = {title: area_figure(told["change_areas_m2"].get(name)) for name, title in change_titles().items()}
    facts = {**areas, tr("Not assessed at both dates"): share_figure(told.get("share_assessed"))}
    for when, name in (("BEFORE", tr("Earlier mask")), ("AFTER", tr("Later mask"))):
        parts = [str(tags.get(f"HAZARD_{when}{part}") or "") for part in ("", "_SCENE_DATE", "_SCENE", "_MODEL")]
        if tags.get(f"HAZARD_{when}_THRESHOLD"):
            parts.append(tr("threshold {value}").format(value=tags[f"HAZARD_{when}_THRESHOLD"]))
        facts[name] = ", ".join(part for part in parts if part)
        facts[tr("SHA-256 of it ({name})").format(name=name.lower())] = str(tags.get(f"HAZARD_{when}_SHA256") or "")
    return facts


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("HazardReport", text)
