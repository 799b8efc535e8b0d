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
)
from qgis.PyQt.QtCore import QObject, QTimer

from .layer_origin import hazard_of, kind_of_layer, scene_of
from .messages import WARNING, log, tr

ORIGIN = "origin"
MODEL, MANUAL, REMOVED = "model", "manual", "removed"
BY_EYE = "Photo-interpretation"
ELLIPSOID = "EPSG:7030"


class Corrections(QObject):
    """Watches the polygon layers of this plugin in the project; QGIS's own editing tools do the rest."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._removed: Dict[str, List[QgsFeature]] = {}
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
            connections = [
                (layer.beforeCommitChanges, lambda *_, wanted=layer: self._before_commit(wanted)),
                (layer.afterCommitChanges, lambda *_, wanted=layer: self._after_commit(wanted)),
                (layer.afterRollBack, lambda *_, wanted=layer: self._removed.pop(wanted.id(), None)),
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
            self._watched.pop(layer_id, None)
            self._removed.pop(layer_id, None)

    def _before_commit(self, layer: QgsVectorLayer) -> None:
        """Keep the shapes of the model's polygons that go or are redrawn: a later run is not to bring them back."""
        buffer = layer.editBuffer()
        gone = {*buffer.deletedFeatureIds(), *buffer.changedGeometries().keys()}
        stored = [layer.dataProvider().getFeatures(QgsFeatureRequest(fid)) for fid in gone]
        found = [feature for features in stored for feature in features]
        self._removed[layer.id()] = [feature for feature in found if feature[ORIGIN] == MODEL]
        mark_manual(layer, {*buffer.addedFeatures().keys(), *buffer.changedGeometries().keys()})

    def _after_commit(self, layer: QgsVectorLayer) -> None:
        removed = []
        for feature in self._removed.pop(layer.id(), []):
            record = QgsVectorLayerUtils.createFeature(layer, feature.geometry())
            for field in layer.fields():
                if field.name().lower() != "fid":
                    record[field.name()] = feature[field.name()]
            record[ORIGIN] = REMOVED
            removed.append(record)
        provider = layer.dataProvider()
        if removed and not provider.addFeatures(removed)[0]:
            log(tr("Removed polygons of '{name}' could not be recorded.").format(name=layer.name()), WARNING)
        measure_manual(layer)
        layer.reload()
        layer.triggerRepaint()


def present_layers(layer_ids: Iterable[str]) -> List[QgsMapLayer]:
    """Those of these layers that are in the project."""
    found = [QgsProject.instance().mapLayer(layer_id) for layer_id in layer_ids]
    return [layer for layer in found if layer is not None]


def is_correctable(layer: Any) -> bool:
    """Whether a layer holds hazard polygons with a note of who drew each."""
    return (
        isinstance(layer, QgsVectorLayer)
        and layer.isValid()
        and kind_of_layer(layer) == "polygons"
        and layer.fields().lookupField(ORIGIN) >= 0
    )


def set_defaults(layer: QgsVectorLayer) -> None:
    """Have QGIS's editing tools fill in who drew a polygon, and which hazard and scene it is of."""
    fields = layer.fields()
    values = {
        ORIGIN: (MANUAL, True),
        "det_method": (BY_EYE, True),
        "hazard": (hazard_of(layer), False),
        "scene": (scene_of(layer), False),
    }
    for name, (text, on_update) in values.items():
        index = fields.lookupField(name)
        if index >= 0:
            quoted = "'" + text.replace("'", "''") + "'"
            layer.setDefaultValueDefinition(index, QgsDefaultValue(quoted, on_update))


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
