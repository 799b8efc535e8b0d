"""The algorithm ``hazardmapper:mapsheet``: a print layout of a mask, filled, editable, and exported."""

from typing import Any, Dict, List, Mapping, Optional

from qgis.core import (
    QgsApplication,
    QgsLayerTreeGroup,
    QgsPrintLayout,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorLayer,
    QgsProject,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QCoreApplication, QDate, Qt

from ...engine import protocol
from ..compat import INTEGER
from ..layer_origin import file_of
from ..sheet.content import sheet_text
from ..sheet.export import published, require_folders, stop_if_cancelled, write_pdf, write_png
from ..sheet.frames import PAGES, best_frames
from ..sheet.layers import MapSources, SheetLayers, countries_layer, in_project, polygon_figure, sheet_layers
from ..sheet.layout import SheetBuilder, SheetView
from ..sheet.projection import sheet_crs, transformed, with_margin
from .base import EngineAlgorithm, absolute, with_help
from .outputs import told_to_processing

ENDINGS = {"PDF": ".pdf", "PNG": ".png"}
WISHES = ("TITLE", "SUBTITLE", "ORGANISATION", "SOURCES", "DISCLAIMER", "DATE")
LEAST_SIDE = 1e-9


class MapSheet(EngineAlgorithm):
    """Draw a mask on a sheet to be signed."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._layout: Optional[QgsPrintLayout] = None
        self._layers: Optional[SheetLayers] = None
        self._is_kept = False

    def name(self) -> str:
        """Id within the provider."""
        return "mapsheet"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Map sheet")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Delivery")

    def groupId(self) -> str:
        """Id of the group."""
        return "delivery"

    def flags(self) -> Any:
        """Layouts may only be drawn on the main thread."""
        return super().flags() | QgsProcessingAlgorithm.Flag.FlagNoThreading

    def tags(self) -> List[str]:
        """Words by which the toolbox finds it."""
        return tr("print,layout,map,pdf,png,sheet,poster,cartography,legend").split(",")

    def shortDescription(self) -> str:
        """One line for lists and tooltips."""
        return tr("Makes a print layout of a mask, filled and editable, and writes it as PDF and georeferenced PNG.")

    def shortHelpString(self) -> str:
        """Explain inputs, outputs and limits."""
        return tr(
            "Makes a sheet with title, map, legend, key figures, scale bar, north arrow, grid, locator, sources, a "
            "note on confidence and a disclaimer. The page lies or stands, whichever shows the area larger, and the "
            "scale is rounded.\n\n"
            "Figures, model, hashes and dates come from the mask itself. Give the probability as well, and the sheet "
            "tells the range between a stricter and a looser threshold, as Exposure does. What is not assessed is "
            "drawn in grey and named in the legend.\n\n"
            "ADD_TO_PROJECT keeps the layout in the project (Project, Layouts), where every part can be edited, with "
            "the layers that it needs in a group of its own. PNG gets a world file; its and the PDF's coordinates are "
            "those of the map on the sheet."
        )

    def initAlgorithm(self, config: Optional[Dict[str, Any]] = None) -> None:
        """Declare parameters and outputs."""
        add = self.addParameter
        add(QgsProcessingParameterRasterLayer("MASK", tr("Mask")))
        probability = QgsProcessingParameterRasterLayer("PROBABILITY", tr("Probability"), None, True)
        add(with_help(probability, tr("of the same run; adds the likely range of the area")))
        add(QgsProcessingParameterRasterLayer("SCENE", tr("Scene, as background"), None, True))
        add(
            QgsProcessingParameterVectorLayer(
                "POLYGONS", tr("Polygons, drawn as they are"), [QgsProcessing.SourceType.TypeVectorPolygon], None, True
            )
        )
        change = QgsProcessingParameterRasterLayer("CHANGE", tr("Change, drawn instead of the mask"), None, True)
        add(with_help(change, tr("written by Compare masks; its style is used as it is")))
        add(with_help(self._string("TITLE", tr("Title")), tr("composed from the hazard when left empty")))
        add(with_help(self._string("SUBTITLE", tr("Subtitle")), tr("scene and day when left empty")))
        add(self._string("ORGANISATION", tr("Organisation")))
        sources = QgsProcessingParameterString("SOURCES", tr("Further sources"), "", True, True)
        add(with_help(sources, tr("one a line; scene and model are named anyway")))
        disclaimer = QgsProcessingParameterString("DISCLAIMER", tr("Disclaimer"), "", True, True)
        add(with_help(disclaimer, tr("a general one when left empty")))
        add(with_help(self._string("DATE", tr("Date of the sheet")), tr("today when left empty")))
        pages = list(PAGES)
        page = QgsProcessingParameterEnum("PAGE", tr("Page"), pages, False, "A4")
        page.setUsesStaticStrings(True)
        add(page)
        add(QgsProcessingParameterExtent("EXTENT", tr("Area (the whole mask when left empty)"), None, True))
        crs = QgsProcessingParameterCrs("CRS", tr("Coordinate system"), None, True)
        add(with_help(crs, tr("the project's if it is in metres, else the mask's or the fitting UTM zone")))
        add(QgsProcessingParameterNumber("DPI", tr("Dots per inch"), INTEGER, 300, False, 72, 600))
        add(QgsProcessingParameterBoolean("ADD_TO_PROJECT", tr("Keep the layout in the project, to be edited"), True))
        add(self._file("PDF", tr("PDF"), tr("PDF files (*.pdf)")))
        add(self._file("PNG", tr("Georeferenced PNG"), tr("PNG files (*.png)")))
        self.mark_advanced(("CHANGE", "SOURCES", "DISCLAIMER", "DATE", "CRS", "DPI"))
        self.addOutput(QgsProcessingOutputString("LAYOUT", tr("Name of the layout")))
        self.addOutput(QgsProcessingOutputNumber("SCALE", tr("Scale (its denominator)")))

    @staticmethod
    def _string(name: str, title: str) -> QgsProcessingParameterString:
        return QgsProcessingParameterString(name, title, "", False, True)

    @staticmethod
    def _file(name: str, title: str, files: str) -> QgsProcessingParameterFileDestination:
        return QgsProcessingParameterFileDestination(name, title, files, None, True, False)

    def require_possible(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise HazardError, with one sentence, if the job cannot be as these parameters want it."""
        mask = self.raster(parameters, "MASK", context)
        if not mask.isValid() or mask.extent().isEmpty():
            raise protocol.BadInput(
                tr("Layer '{name}' shows nothing; choose a mask that QGIS can draw.").format(name=mask.name())
            )
        finals = self._finals(parameters, QgsProcessingContext())
        if not finals and not self.parameterAsBool(parameters, "ADD_TO_PROJECT", context):
            raise protocol.BadInput(tr("Nothing is asked for; name a PDF or PNG, or keep the layout in the project."))
        require_folders(finals.values())
        self._wanted_extent(parameters, context)

    def _finals(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> Dict[str, str]:
        """Files to write; raises BadInput for other endings."""
        finals = {}
        for name, ending in ENDINGS.items():
            path = absolute(self.parameterAsFileOutput(parameters, name, context))
            if not path:
                continue
            if not path.lower().endswith(ending):
                raise protocol.BadInput(
                    tr("The {kind} is to be '{path}'; choose a name ending in {ending}.").format(
                        kind=name, path=path, ending=ending
                    )
                )
            finals[name] = path
        return finals

    def _wanted_extent(self, parameters: Dict[str, Any], context: QgsProcessingContext) -> Optional[QgsRectangle]:
        """The chosen area in the mask's system; None where none is chosen. Raises BadInput if it is elsewhere."""
        mask = self.raster(parameters, "MASK", context)
        if not parameters.get("EXTENT"):
            return None
        wanted = self.parameterAsExtent(parameters, "EXTENT", context, mask.crs())
        if wanted.isEmpty() or not wanted.intersects(mask.extent()):
            raise protocol.BadInput(
                tr("The chosen area does not touch the mask '{name}'; move it or leave it empty.").format(
                    name=mask.name()
                )
            )
        return wanted

    def processAlgorithm(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Read the provenance, build the layout and write the files; returns nothing when cancelled."""
        with told_to_processing():
            try:
                return self._made(parameters, context, feedback)
            except protocol.Cancelled:
                feedback.pushInfo(tr("Cancelled; nothing was written."))
                self._layout = self._layers = None
                return {}

    def _made(
        self, parameters: Dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        project = context.project() or QgsProject.instance()
        mask = self.raster(parameters, "MASK", context)
        probability = self.parameterAsRasterLayer(parameters, "PROBABILITY", context)
        polygons = self.parameterAsVectorLayer(parameters, "POLYGONS", context)
        told = self._told(mask, feedback, (0.0, 0.3))
        chances = self._told(probability, feedback, (0.3, 0.5)) if probability is not None else {}
        stop_if_cancelled(feedback)
        scene = self.parameterAsRasterLayer(parameters, "SCENE", context)
        change = self.parameterAsRasterLayer(parameters, "CHANGE", context)
        view = self._view(parameters, context, project)
        sources = MapSources(mask, scene, polygons, change)
        layers = sheet_layers(told, sources, lambda layer: in_project(project, layer))
        layers.countries = countries_layer()
        wishes = {name.lower(): self.text(parameters, name, context) for name in WISHES}
        wishes["date"] = wishes["date"] or QDate.currentDate().toString(Qt.DateFormat.ISODate)
        with_countries = layers.countries is not None and view.crs.isValid()
        chosen = self._wanted_extent(parameters, context)
        is_part = chosen is not None and not chosen.contains(mask.extent())
        figure = polygon_figure(polygons)
        changed = self._told(change, feedback, (0.5, 0.55)) if change is not None else {}
        text = sheet_text(told, chances, mask.name(), figure, with_countries, wishes, is_part, changed)
        frames = best_frames(
            self.parameterAsString(parameters, "PAGE", context) or "A4", view.extent.width(), view.extent.height()
        )
        name = free_layout_name(project, tr("Map sheet - {title}").format(title=text.title))
        builder = SheetBuilder(project, name, frames, text)
        layout = builder.build(layers, view)
        finals = self._finals(parameters, context)
        dpi = float(self.parameterAsInt(parameters, "DPI", context))
        layout.renderContext().setDpi(dpi)
        try:
            write_files(layout, finals, dpi, feedback)
        except protocol.HazardError as error:
            layers.let_go()
            layout = builder = None  # what the error carries along would keep them
            raise error.with_traceback(None) from None
        feedback.setProgress(100)
        self._layout, self._layers = layout, layers
        self._is_kept = self.parameterAsBool(parameters, "ADD_TO_PROJECT", context) and can_keep(context)
        scale = round(builder.map.scale()) if view.crs.isValid() else None
        return {**finals, "LAYOUT": name if self._is_kept else "", "SCALE": scale}

    def _told(self, layer: Any, feedback: QgsProcessingFeedback, part: Any) -> Dict[str, Any]:
        job = protocol.ProvenanceJob(file=absolute(file_of(layer)))
        return dict(self._client.run("provenance", job, feedback, part))

    def _view(self, parameters: Dict[str, Any], context: QgsProcessingContext, project: QgsProject) -> SheetView:
        mask = self.raster(parameters, "MASK", context)
        chosen = self._wanted_extent(parameters, context)
        extent = chosen or with_margin(mask.extent())
        crs = sheet_crs(self.parameterAsCrs(parameters, "CRS", context), project, mask.crs(), mask.extent())
        return SheetView(crs, transformed(extent, mask.crs(), crs, project))

    def postProcessAlgorithm(self, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> Dict[str, Any]:
        """Keep the layout in the project, with the layers that it needs; runs on the main thread."""
        layout, layers = self._layout, self._layers
        if layout is not None and layers is not None and self._is_kept:
            project = layout.project()
            group = project.layerTreeRoot().addGroup(layout.name())
            add_to_group(project, group, layers)
            project.layoutManager().addLayout(layout)
        self._layout = self._layers = None
        return {}


def can_keep(context: QgsProcessingContext) -> bool:
    """Whether there is a project that outlives the algorithm; qgis_process never saves the one it opens."""
    return context.project() is not None and QgsApplication.platform() != "qgis_process"


def write_files(layout: QgsPrintLayout, finals: Mapping[str, str], dpi: float, feedback: QgsProcessingFeedback) -> None:
    """Write PDF and PNG, all or none; raises OutputFailed or Cancelled."""
    with published(list(finals.values())) as unfinished:
        for kind, write in (("PDF", write_pdf), ("PNG", write_png)):
            stop_if_cancelled(feedback)
            if kind in finals:
                feedback.setProgressText(tr("Drawing the {kind}").format(kind=kind))
                write(layout, unfinished[finals[kind]], dpi)
        stop_if_cancelled(feedback)


def add_to_group(project: QgsProject, group: QgsLayerTreeGroup, layers: SheetLayers) -> None:
    """Add what is new to the project; the sheet shows it, the map need not."""
    new = [*layers.new, *([layers.countries] if layers.countries is not None else [])]
    for layer in new:
        project.addMapLayer(layer, False)
        group.addLayer(layer).setExpanded(False)
    group.setExpanded(False)
    group.setItemVisibilityChecked(False)


def free_layout_name(project: QgsProject, wanted: str) -> str:
    """A name that no layout has yet."""
    taken = {layout.name() for layout in project.layoutManager().layouts()}
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted} ({number})"
    return name


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("MapSheet", text)
