"""Keeps what an analyst corrects in hazard polygons: what is drawn or redrawn is manual, what is deleted is removed."""

from typing import Any, Dict, Iterable, List

from qgis.core import (
    QgsDefaultValue,
    QgsDistanceArea,
    QgsFeature,
    QgsFeatureRequest,
    QgsMapLayer,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerUtils,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QObject, QTimer

from .corrections_before import ShapesBefore
from .layer_origin import hazard_of, kind_of_layer, scene_of
from .messages import WARNING, log, tr

ORIGIN = "origin"
MODEL, MANUAL, REMOVED = "model", "manual", "removed"
BY_EYE = "Photo-interpretation"
ELLIPSOID = "EPSG:7030"
OWN_COLUMNS = {ORIGIN, "det_method", "area_m2", "prob_mean"}
"""Some of the fields that every polygon file of the engine has; no other program writes all of them."""


class Corrections(QObject):
    """Watches the polygon layers of this plugin in the project; QGIS's own editing tools do the rest."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._removed: Dict[str, List[QgsFeature]] = {}
        self._before: Dict[str, ShapesBefore] = {}
        self._watched: Dict[str, List[Any]] = {}
        project = QgsProject.instance()
        project.layersAdded.connect(self._watch_soon)
        project.layersWillBeRemoved.connect(self._forget)
        self.watch(project.mapLayers().values())

    def close_down(self) -> None:
        """Let go of all layers."""
        project = QgsProject.instance()
        project.layersAdded.disconnect(self._watch_soon)
        project.layersWillBeRemoved.disconnect(self._forget)
        for layer_id in list(self._watched):
            layer = project.mapLayer(layer_id)
            for signal, slot in self._watched.pop(layer_id) if layer is not None else ():
                signal.disconnect(slot)

    def watch(self, layers: Iterable[QgsMapLayer]) -> None:
        """Follow the edits of those that are hazard polygons."""
        for layer in layers:
            if layer.id() in self._watched or not is_correctable(layer):
                continue
            set_defaults(layer)
            before = self._before[layer.id()] = ShapesBefore(layer)
            connections = [
                (layer.featureDeleted, before.note),
                (layer.geometryChanged, before.note),
                (layer.beforeCommitChanges, lambda *_, wanted=layer: self._before_commit(wanted)),
                (layer.afterCommitChanges, lambda *_, wanted=layer: self._after_commit(wanted)),
                (layer.afterRollBack, lambda *_, wanted=layer: self._after_roll_back(wanted)),
            ]
            for signal, slot in connections:
                signal.connect(slot)
            self._watched[layer.id()] = connections

    def _watch_soon(self, layers: Iterable[QgsMapLayer]) -> None:
        """Look at new layers once Processing has marked those that it loads."""
        ids = [layer.id() for layer in layers]
        QTimer.singleShot(0, lambda: self.watch(present_layers(ids)))

    def _forget(self, layer_ids: Iterable[str]) -> None:
        for layer_id in layer_ids:
            for known in (self._watched, self._removed, self._before):
                known.pop(layer_id, None)

    def _before_commit(self, layer: QgsVectorLayer) -> None:
        """Keep the shapes of the model's polygons that go or are redrawn: a later run is not to bring them back."""
        buffer, before = layer.editBuffer(), self._before[layer.id()]
        gone = before.of({*buffer.deletedFeatureIds(), *buffer.changedGeometries().keys()})
        self._removed[layer.id()] = [feature for feature in gone if feature[ORIGIN] == MODEL]
        mark_manual(layer, {*buffer.addedFeatures().keys(), *buffer.changedGeometries().keys()})
        if before.is_in_transaction:  # what is written now is saved with it
            self._record(layer)

    def _after_commit(self, layer: QgsVectorLayer) -> None:
        if not self._before[layer.id()].is_in_transaction:
            self._record(layer)
        self._before[layer.id()].forget()
        layer.reload()
        layer.triggerRepaint()

    def _after_roll_back(self, layer: QgsVectorLayer) -> None:
        self._removed.pop(layer.id(), None)
        self._before[layer.id()].forget()

    def _record(self, layer: QgsVectorLayer) -> None:
        """Write down what was removed, and measure what was drawn."""
        removed = [removed_record(layer, feature) for feature in self._removed.pop(layer.id(), [])]
        if removed and not layer.dataProvider().addFeatures(removed)[0]:
            log(tr("Removed polygons of '{name}' could not be recorded.").format(name=layer.name()), WARNING)
        measure_manual(layer)


def removed_record(layer: QgsVectorLayer, feature: QgsFeature) -> QgsFeature:
    """A polygon that says that this one of the model was removed."""
    record = QgsVectorLayerUtils.createFeature(layer, feature.geometry())
    for field in layer.fields():
        if field.name().lower() != "fid":
            record[field.name()] = feature[field.name()]
    record[ORIGIN] = REMOVED
    return record


def present_layers(layer_ids: Iterable[str]) -> List[QgsMapLayer]:
    """Those of these layers that are in the project."""
    found = [QgsProject.instance().mapLayer(layer_id) for layer_id in layer_ids]
    return [layer for layer in found if layer is not None]


def is_correctable(layer: Any) -> bool:
    """Whether a layer holds hazard polygons with a note of who drew each, marked as a result or not.

    The mark is the project's, not the file's: one that was opened by itself has only its fields.
    """
    if not (isinstance(layer, QgsVectorLayer) and layer.isValid()):
        return False
    if kind_of_layer(layer):
        return kind_of_layer(layer) == "polygons" and layer.fields().lookupField(ORIGIN) >= 0
    is_file = layer.providerType() == "ogr" and layer.geometryType() == QgsWkbTypes.GeometryType.PolygonGeometry
    return is_file and {field.name().lower() for field in layer.fields()} >= OWN_COLUMNS


def set_defaults(layer: QgsVectorLayer) -> None:
    """Have QGIS's editing tools fill in who drew a polygon, and which hazard and scene it is of."""
    fields = layer.fields()
    is_marked = bool(kind_of_layer(layer))
    values = {
        ORIGIN: (MANUAL, True),
        "det_method": (BY_EYE, True),
        "hazard": (hazard_of(layer) if is_marked else said_by_first(layer, "hazard"), False),
        "scene": (scene_of(layer) if is_marked else said_by_first(layer, "scene"), False),
    }
    for name, (text, on_update) in values.items():
        index = fields.lookupField(name)
        if index >= 0 and text:
            quoted = "'" + text.replace("'", "''") + "'"
            layer.setDefaultValueDefinition(index, QgsDefaultValue(quoted, on_update))


def said_by_first(layer: QgsVectorLayer, name: str) -> str:
    """What the first polygon of a file says of its hazard or scene; empty where it says nothing."""
    index = layer.fields().lookupField(name)
    for feature in layer.dataProvider().getFeatures(QgsFeatureRequest().setLimit(1)) if index >= 0 else ():
        value = feature.attribute(index)
        return value if isinstance(value, str) else ""
    return ""


def mark_manual(layer: QgsVectorLayer, fids: Iterable[int]) -> None:
    """Say who drew polygons that a tool, such as the one that merges, has given a model's attributes."""
    index = layer.fields().lookupField(ORIGIN)
    for fid in fids:
        feature = layer.getFeature(fid)
        if feature.isValid() and feature[ORIGIN] not in (MANUAL, REMOVED):
            layer.changeAttributeValue(fid, index, MANUAL)


def measure_manual(layer: QgsVectorLayer) -> None:
    """Write the ellipsoidal areas of manual polygons; a model's probability does not speak of what was drawn."""
    fields = layer.fields()
    columns = {name: fields.lookupField(name) for name in ("area_m2", "area_ha", "prob_mean", "prob_min")}
    measure = QgsDistanceArea()
    measure.setSourceCrs(layer.crs(), QgsProject.instance().transformContext())
    measure.setEllipsoid(layer.crs().ellipsoidAcronym() or ELLIPSOID)
    changes: Dict[int, Dict[int, Any]] = {}
    for feature in layer.dataProvider().getFeatures():
        if feature[ORIGIN] != MANUAL or not feature.hasGeometry():
            continue
        area = measure.measureArea(feature.geometry())
        values = {"area_m2": area, "area_ha": area / 1e4, "prob_mean": None, "prob_min": None}
        changes[feature.id()] = {columns[name]: value for name, value in values.items() if columns[name] >= 0}
    if changes:
        layer.dataProvider().changeAttributeValues(changes)
