"""The scene from before the event as algorithms take it: a second raster layer, with which the first is compared."""

import contextlib
import math
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional

from qgis.core import (
    QgsCoordinateTransform,
    QgsCsException,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..layer_date import layer_date
from ..map_view import view_resolution
from ..raster_source import RasterSource, read_layer
from .base import with_help, with_hints

TOLD = ("BEFORE_BANDS", "BEFORE_SENSOR", "BEFORE_UNITS", "BEFORE_DATE")
"""Parameters that correct how the scene before is understood."""
MARGIN = 0.05
"""Share of the scene's extent by which more of the scene before is read, as it may lie some pixels off."""
NEW = "new"
"""Answer to the question of what is new, where a scene from before was given; else that of what is ``present``."""


@dataclass(frozen=True)
class SceneBefore:
    """The scene before as read on the main thread; ``fields`` are those of the job, but for where it is."""

    source: RasterSource
    near: Optional[QgsRectangle]
    fields: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name of its layer."""
        return self.source.name

    @contextlib.contextmanager
    def opened(self, feedback: QgsProcessingFeedback) -> Iterator[Dict[str, Any]]:
        """Yield the fields of a job; a temporary copy is removed afterwards."""
        with self.source.opened(self.near if self.source.is_copied else None, feedback) as opened:
            yield {**self.fields, "before": opened.raster}


def placed_before(scene: Optional[SceneBefore]) -> Dict[str, Any]:
    """Fields of a job, with a name in place of a copy that is not made yet; none where there is no scene before."""
    return {} if scene is None else {**scene.fields, "before": scene.source.path or "before"}


@contextlib.contextmanager
def opened_before(scene: Optional[SceneBefore], feedback: QgsProcessingFeedback) -> Iterator[Dict[str, Any]]:
    """Fields of a job that say what the scene before is; none where there is none."""
    if scene is None:
        yield {}
        return
    with scene.opened(feedback) as fields:
        yield fields


def add_before(algorithm: Any) -> None:
    """Declare the scene before and what corrects it."""
    scene = QgsProcessingParameterRasterLayer("BEFORE", tr("Scene before the event"), None, True)
    algorithm.addParameter(with_help(scene, tr("an earlier scene of the same place: what is new is then looked for")))
    bands = tr("Bands of the scene before (empty: found out)")
    algorithm.addParameter(QgsProcessingParameterString("BEFORE_BANDS", bands, "", False, True))
    for name, title, values in (
        ("BEFORE_SENSOR", tr("Sensor of the scene before (empty: found out)"), protocol.SENSORS),
        ("BEFORE_UNITS", tr("Units of the scene before (empty: found out)"), protocol.UNITS),
    ):
        parameter = QgsProcessingParameterString(name, title, "", False, True)
        algorithm.addParameter(with_hints(parameter, ["", *values]))
    day = tr("Day of the scene before, as 2024-05-01 (empty: found out)")
    algorithm.addParameter(QgsProcessingParameterString("BEFORE_DATE", day, "", False, True))


def add_answer(algorithm: Any) -> None:
    """Declare the outputs that say which question was answered."""
    add = algorithm.addOutput
    add(QgsProcessingOutputString("QUESTION", tr("Question answered (present or new)")))
    add(QgsProcessingOutputNumber("PERMANENT_AREA_M2", tr("Area of water on both dates in m²")))
    add(QgsProcessingOutputString("BEFORE_NAME", tr("Scene before that was used")))
    add(QgsProcessingOutputString("BEFORE_DATE_USED", tr("Day of the scene before")))
    add(QgsProcessingOutputString("BEFORE_SHA256", tr("SHA-256 of the scene before")))
    add(QgsProcessingOutputString("COMPARED_BY", tr("What compared the two scenes (network or rule)")))
    share = tr("Share of the assessed pixels that the scene before shows (0 to 1; empty: not compared)")
    add(QgsProcessingOutputNumber("SHARE_COMPARED", share))


def read_before(
    algorithm: Any, parameters: Dict[str, Any], context: QgsProcessingContext, scene: QgsRasterLayer
) -> Optional[SceneBefore]:
    """The scene before; None where none is given. Raises BadInput."""
    told = {name: algorithm.text(parameters, name, context) for name in TOLD}
    if parameters.get("BEFORE") in (None, ""):
        for name in TOLD:
            if told[name]:
                sentence = tr("{name} is about a scene before the event; give one as BEFORE, or leave it empty.")
                raise protocol.BadInput(sentence.format(name=name))
        return None
    layer = algorithm.raster(parameters, "BEFORE", context)
    if layer is scene or (layer.source() == scene.source() and layer.providerType() == scene.providerType()):
        raise protocol.BadInput(
            tr("The scene before the event is the scene itself, '{name}'; choose the earlier one of the two.").format(
                name=scene.name()
            )
        )
    source = read_layer(layer, view_resolution(layer), by_name_alone=True)
    near = extent_near(scene, layer, context)
    if near is not None and not near.intersects(layer.extent()):
        raise protocol.BadInput(
            tr("The scene before, '{before}', does not lie where '{scene}' does; choose one of the same place.").format(
                before=layer.name(), scene=scene.name()
            )
        )
    bands, day = told["BEFORE_BANDS"], told["BEFORE_DATE"]
    fields = {
        "before_bands": protocol.parse_bands(bands) if bands else None,
        "before_sensor": told["BEFORE_SENSOR"] or None,
        "before_units": told["BEFORE_UNITS"] or None,
        "before_date": (protocol.parse_date(day) if day else layer_date(layer)) or None,
        "before_name": source.name if source.is_copied else None,
    }
    return SceneBefore(source, near, fields)


def extent_near(scene: QgsRasterLayer, layer: QgsRasterLayer, context: QgsProcessingContext) -> Optional[QgsRectangle]:
    """The scene's extent, and a little more, in the CRS of another layer; None where it cannot be told."""
    extent = QgsRectangle(scene.extent())
    extent.grow(MARGIN * max(extent.width(), extent.height()))
    if not scene.crs().isValid() or not layer.crs().isValid():
        return None
    try:
        return QgsCoordinateTransform(scene.crs(), layer.crs(), context.transformContext()).transformBoundingBox(extent)
    except QgsCsException:
        return None


def answer_of(result: Mapping[str, Any]) -> Dict[str, Any]:
    """Outputs that say which question a result of the engine answers."""
    return {
        "QUESTION": result.get("question") or "",
        "PERMANENT_AREA_M2": result.get("permanent_area_m2"),
        "BEFORE_NAME": result.get("before_name") or "",
        "BEFORE_DATE_USED": result.get("before_date") or "",
        "BEFORE_SHA256": result.get("before_sha256") or "",
        "COMPARED_BY": result.get("compared_by") or "",
        "SHARE_COMPARED": result.get("share_compared"),
    }


def told_of_before(result: Mapping[str, Any]) -> List[str]:
    """Sentences for the log; none where no scene before was given."""
    if result.get("question") != NEW:
        return []
    name, day = str(result.get("before_name") or ""), result.get("before_date")
    since = tr("'{name}' of {date}").format(name=name, date=day) if day else f"'{name}'"
    lines = [tr("Question answered: what is new since {scene}.").format(scene=since)]
    area = result.get("permanent_area_m2")
    if isinstance(area, (int, float)):
        lines.append(tr("Water on both dates: {area:.4f} km², a class of its own (2).").format(area=area / 1e6))
    lines += told_of_shift(result)
    if result.get("compared_by") == "rule":
        lines.append(tr("Compared by rule: probability now, times one minus the probability before."))
    return lines


def told_of_shift(result: Mapping[str, Any]) -> List[str]:
    """How far apart the two scenes lie, where that is known and too little to be mended, which a warning would tell."""
    shift = result.get("before_shift_px")
    if not shift or result.get("before_moved"):
        return []
    return [tr("The two scenes lie {pixels:.1f} pixels apart; none was moved.").format(pixels=math.hypot(*shift))]


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("SceneBefore", text)
