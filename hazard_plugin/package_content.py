"""What goes into a delivery: the rows of its layers, worked out from polygons, mask outline and areas."""

from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from qgis.core import (
    QgsCoordinateTransformContext,
    QgsFeatureRequest,
    QgsFeatureSource,
    QgsGeometry,
    QgsProcessingFeatureSource,
    QgsProcessingFeedback,
)
from qgis.PyQt.QtCore import QCoreApplication

from ..engine import protocol
from .package_geometry import Hectares, ToGeographic, parts_of, united, within, without
from .package_schema import FOOTPRINT, NO_DATA, NOT_ANALYSED, PackageName, Source, method_of
from .package_writer import Row

SKIP_VALIDITY = QgsProcessingFeatureSource.Flag.FlagSkipGeometryValidityChecks
MANUAL, REMOVED = "manual", "removed"
"""Origins of polygons that the analyst drew, and took out: the latter are kept for the next run, never delivered."""


@dataclass(frozen=True)
class Event:
    """What is said of every polygon; an empty detection method is taken from the polygon."""

    event_type: str
    subtype: str
    notation: str
    method: str = ""


@dataclass
class Grounds:
    """Areas in longitude and latitude.

    Attributes:
        interest: the area of interest.
        footprint: what the image shows.
        assessed_outline: what the mask covers, or None without a mask.
        cut: whether polygons are cut to the area of interest: it was given, not taken from the mask.
    """

    interest: QgsGeometry
    footprint: QgsGeometry
    assessed_outline: Optional[QgsGeometry]
    cut: bool


@dataclass
class Sums:
    """What was written."""

    polygons: int = 0
    removed: int = 0
    outside: int = 0
    hectares: float = 0.0
    twice_ha: float = 0.0
    """Ground that polygons drawn by hand share; ``hectares`` counts it once."""
    interest_ha: float = 0.0
    not_analysed_ha: float = 0.0
    methods: Dict[str, int] = field(default_factory=dict)

    @property
    def share_analysed(self) -> Optional[float]:
        """Share of the area of interest that was analysed."""
        return None if self.interest_ha <= 0 else max(0.0, 1.0 - self.not_analysed_ha / self.interest_ha)


NO_GROUND = 1e-6
"""Share of an area up to which it differs by the way of measuring alone."""


class PackageContent:
    """Rows of each layer; what passes is added up in ``sums``."""

    def __init__(
        self,
        name: PackageName,
        grounds: Grounds,
        source: Source,
        transforms: QgsCoordinateTransformContext,
        feedback: QgsProcessingFeedback,
    ) -> None:
        self.name, self.grounds, self.source = name, grounds, source
        self.sums = Sums()
        self._transforms, self._feedback = transforms, feedback
        self._hectares = Hectares(transforms)
        self._by_hand: List[QgsGeometry] = []
        self.sums.interest_ha = self._hectares.of(grounds.interest)

    def observed(self, polygons: QgsFeatureSource, event: Event) -> Iterator[Row]:
        """Polygons of the event but those that were taken out, cut to the area of interest where that was given."""
        to_geographic = ToGeographic(polygons.sourceCrs(), self._transforms, polygons.sourceName())
        columns = {name.lower(): name for name in polygons.fields().names()}
        inside = QgsGeometry.createGeometryEngine(self.grounds.interest.constGet())
        inside.prepareGeometry()
        total = max(polygons.featureCount(), 1)
        for index, feature in enumerate(unchecked(polygons)):
            self._go_on(0.3 + 0.4 * min(index / total, 1.0))
            origin = text_of(feature, columns, "origin")
            if origin == REMOVED:
                self.sums.removed += 1
                continue
            geometry = to_geographic.moved(feature.geometry())
            if self.grounds.cut and not geometry.isEmpty() and not inside.contains(geometry.constGet()):
                geometry = within(geometry, self.grounds.interest)
            hectares = self._hectares.of(geometry)
            if geometry.isEmpty() or hectares <= 0:
                self.sums.outside += 1
                continue
            method = event.method or method_of(origin, text_of(feature, columns, "det_method"))
            if origin == MANUAL:
                self._by_hand.append(geometry)
            self.sums.polygons += 1
            self.sums.hectares += hectares
            self.sums.methods[method] = self.sums.methods.get(method, 0) + 1
            yield (
                geometry,
                {
                    "event_type": event.event_type,
                    "obj_desc": event.subtype,
                    "det_method": method,
                    "notation": event.notation,
                    "dmg_src_id": self.source.number,
                    "area": round(hectares, 4),
                },
            )
        self._count_once()

    def _count_once(self) -> None:
        """Take from the sum what polygons drawn by hand have in common; those of a mask never overlap."""
        if len(self._by_hand) < 2:
            return
        apart = sum(self._hectares.of(geometry) for geometry in self._by_hand)
        twice = apart - self._hectares.of(united(self._by_hand))
        if twice > apart * NO_GROUND:
            self.sums.twice_ha = twice
            self.sums.hectares -= twice

    def interest(self, locality: str, glide: str) -> Iterator[Row]:
        """The area of interest."""
        yield (
            self.grounds.interest,
            {
                "emsr_id": self.name.activation,
                "glide_no": glide or None,
                "area_id": f"{self.name.aoi:02d}",
                "locality": locality or None,
                "map_type": self.name.map_type,
            },
        )

    def footprints(self, not_assessed: Optional[QgsFeatureSource]) -> Iterator[Row]:
        """The image's footprint, and what of the area of interest could not be analysed or is not on the image."""
        grounds = self.grounds
        yield grounds.footprint, self._footprint_values(FOOTPRINT)
        no_data = without(grounds.interest, grounds.footprint, self._hectares)
        for part in parts_of(no_data):
            yield self._counted(part), self._footprint_values(NO_DATA)
        if not_assessed is None:
            return
        if grounds.cut and grounds.assessed_outline is not None:
            beyond = without(grounds.interest, united([grounds.assessed_outline, no_data]), self._hectares)
            for part in parts_of(beyond):
                yield self._counted(part), self._footprint_values(NOT_ANALYSED)
        elsewhere = united([no_data, *self._by_hand])  # what was drawn by hand was looked at, cloud or not
        to_geographic = ToGeographic(not_assessed.sourceCrs(), self._transforms, not_assessed.sourceName())
        total = max(not_assessed.featureCount(), 1)
        for index, feature in enumerate(unchecked(not_assessed)):
            self._go_on(0.7 + 0.25 * min(index / total, 1.0))
            geometry = to_geographic.moved(feature.geometry())
            if grounds.cut:
                geometry = within(geometry, grounds.interest)
            geometry = without(geometry, elsewhere, self._hectares)
            if not geometry.isEmpty():
                yield self._counted(geometry), self._footprint_values(NOT_ANALYSED)

    def _counted(self, geometry: QgsGeometry) -> QgsGeometry:
        self.sums.not_analysed_ha += self._hectares.of(geometry)
        return geometry

    def _footprint_values(self, kind: str) -> Mapping[str, Any]:
        return {"obj_type": kind, "or_src_id": self.source.number}

    def _go_on(self, share: float) -> None:
        if self._feedback.isCanceled():
            raise protocol.Cancelled(tr("Cancelled; nothing was written."))
        self._feedback.setProgress(100 * share)


def area_of(source: QgsFeatureSource, transforms: QgsCoordinateTransformContext, what: str) -> QgsGeometry:
    """All polygons of a layer as one, in longitude and latitude; raises BadInput if there is none."""
    to_geographic = ToGeographic(source.sourceCrs(), transforms, source.sourceName())
    found: List[QgsGeometry] = [to_geographic.moved(feature.geometry()) for feature in unchecked(source)]
    whole = united(found)
    if whole.isEmpty():
        raise protocol.BadInput(
            tr("'{name}' holds no polygon for the {what}; draw or select one, or leave it out.").format(
                name=source.sourceName(), what=what
            )
        )
    return whole


def attributes_of_first(source: QgsFeatureSource, names: Tuple[str, ...]) -> Dict[str, str]:
    """Texts of some columns of the first polygon of a model, else of the first; empty where there is none."""
    columns = {name.lower(): name for name in source.fields().names()}
    request = QgsFeatureRequest().setFlags(QgsFeatureRequest.Flag.NoGeometry)
    said = dict.fromkeys(names, "")
    for index, feature in enumerate(unchecked(source, request)):
        traced = text_of(feature, columns, "origin") == "model"
        if traced or index == 0:
            said = {name: text_of(feature, columns, name) for name in names}
        if traced:
            break
    return said


def unchecked(source: QgsFeatureSource, request: Optional[QgsFeatureRequest] = None) -> Iterator[Any]:
    """Features of a source, those with crossing edges too: they are repaired here, not refused."""
    if isinstance(source, QgsProcessingFeatureSource):
        yield from source.getFeatures(request or QgsFeatureRequest(), SKIP_VALIDITY)
        return
    yield from source.getFeatures(request or QgsFeatureRequest())


def text_of(feature: Any, columns: Mapping[str, str], name: str) -> str:
    """Text of a column; empty where it is missing or null."""
    if name not in columns:
        return ""
    value = feature.attribute(columns[name])
    return "" if value is None or str(value) == "NULL" else str(value).strip()


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("PackageContent", text)
