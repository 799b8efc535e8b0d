"""What edited polygons were before: their file still knows, but inside a transaction the layer does not."""

from typing import Any, Dict, Iterable, List, Optional

from qgis.core import QgsFeature, QgsFeatureRequest, QgsVectorLayer


class ShapesBefore:
    """Polygons of one layer as they were when its edits were last saved.

    QGIS's transaction groups write each edit at once, so that the layer's provider shows only what became of a
    polygon. There, each is read by a second connection, outside the transaction, when it is first touched.
    """

    def __init__(self, layer: QgsVectorLayer) -> None:
        self._layer = layer
        self._file: Optional[QgsVectorLayer] = None
        self._touched: Dict[int, QgsFeature] = {}

    @property
    def is_in_transaction(self) -> bool:
        """Whether edits are written as they are made."""
        return self._layer.dataProvider().transaction() is not None

    def note(self, fid: int, *_: Any) -> None:
        """Keep a polygon that was just edited."""
        if fid in self._touched or not self.is_in_transaction:
            return
        if self._file is None:
            self._file = QgsVectorLayer(self._layer.source(), self._layer.name(), self._layer.providerType())
        self._touched.update((fid, feature) for feature in self._file.getFeatures(QgsFeatureRequest(fid)))

    def of(self, fids: Iterable[int]) -> List[QgsFeature]:
        """Those of these polygons that there were."""
        if self._touched or self.is_in_transaction:
            return [self._touched[fid] for fid in fids if fid in self._touched]
        provider = self._layer.dataProvider()
        return [feature for fid in fids for feature in provider.getFeatures(QgsFeatureRequest(fid))]

    def forget(self) -> None:
        """Begin anew after edits were saved or discarded."""
        self._touched.clear()
        self._file = None
