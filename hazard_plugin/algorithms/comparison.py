"""Before and after an adaptation: the source model's mask and probability, and the difference of the probabilities."""

import contextlib
import os
import shutil
import tempfile
import uuid
from dataclasses import dataclass, field
from typing import Dict, Iterator

import numpy as np
from qgis.core import (
    Qgis,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsRasterBlock,
    QgsRasterFileWriter,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QByteArray, QCoreApplication

from ...engine import protocol
from ..compat import set_creation_options
from ..hazards import style_path
from ..raster_copy import Grid

MASK, PROBABILITY, DIFFERENCE = "MASK_BEFORE", "PROBABILITY_BEFORE", "DIFFERENCE"
COMPARED = (MASK, PROBABILITY, DIFFERENCE)
"""Outputs of an algorithm that compare with the source model."""

NOT_ASSESSED = -32768
"""Value of a difference where before or after was not assessed."""


@dataclass(frozen=True)
class Workspace:
    """Files of a comparison while it is made; those that are wanted lie hidden beside their final names."""

    folder: str
    token: str
    finals: Dict[str, str]
    hazard: str
    is_new: bool = False

    def path(self, output: str) -> str:
        """Where to write an output until it is complete, or what only the difference needs."""
        final = self.finals.get(output)
        return protocol.partial_path(final, self.token) if final else os.path.join(self.folder, f"{output}.tif")

    @property
    def mask(self) -> str:
        """The source model's mask."""
        return self.path(MASK)

    @property
    def probability(self) -> str:
        """The source model's probability."""
        return self.path(PROBABILITY)

    @property
    def after(self) -> str:
        """The adapted model's probability, where nobody else wants it."""
        return os.path.join(self.folder, "after.tif")

    def repeat(self, mask: str, probability: str) -> None:
        """Take what was written anyway as the source model's, because it was the one used."""
        shutil.copyfile(mask, self.mask)
        shutil.copyfile(probability, self.probability)

    def finish(self, probability: str, feedback: QgsProcessingFeedback) -> None:
        """Write the difference if it is wanted, and give all outputs their names; raises OutputFailed, Cancelled."""
        if DIFFERENCE in self.finals:
            write_difference(self.probability, probability, self.path(DIFFERENCE), feedback)
        for output, final in self.finals.items():
            os.replace(self.path(output), final)
            shutil.copyfile(
                style_path(kind_of(output), self.hazard, is_new=self.is_new), os.path.splitext(final)[0] + ".qml"
            )


@dataclass(frozen=True)
class Comparison:
    """Outputs that compare with the source model, by name; only those that are wanted."""

    hazard: str = ""
    finals: Dict[str, str] = field(default_factory=dict)
    is_new: bool = False
    """Whether the scene is held against one from before the event."""

    @property
    def is_wanted(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self.finals)

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Workspace]:
        """Yield where to write; what is not finished is removed afterwards."""
        token = uuid.uuid4().hex[:12]
        with tempfile.TemporaryDirectory(prefix="compare_", dir=QgsProcessingUtils.tempFolder()) as folder:
            try:
                yield Workspace(folder, token, self.finals, self.hazard, self.is_new)
            finally:
                for final in self.finals.values():
                    for path in protocol.partial_files(final, token):
                        os.remove(path)


def kind_of(output: str) -> str:
    """Kind of layer that an output makes: mask, probability or difference."""
    return output.split("_")[0].lower()


def write_difference(before: str, after: str, path: str, feedback: QgsProcessingFeedback) -> None:
    """Write ``after - before`` in percentage points, ``NOT_ASSESSED`` where either has no value.

    Both are probabilities in percent on one grid, 255 where not assessed. Raises OutputFailed or Cancelled.
    """
    first, second = QgsRasterLayer(before, "before"), QgsRasterLayer(after, "after")
    grid = Grid(second.extent(), second.width(), second.height())
    failure = tr("The difference '{path}' cannot be written; check the folder and the free disk space.")
    if not (first.isValid() and second.isValid()) or (first.width(), first.height()) != (grid.width, grid.height):
        raise protocol.OutputFailed(failure.format(path=path))
    writer = QgsRasterFileWriter(path)
    writer.setOutputProviderKey("gdal")
    writer.setOutputFormat("GTiff")
    set_creation_options(writer, ["TILED=YES", "COMPRESS=DEFLATE", "BIGTIFF=IF_SAFER"])
    output = writer.createOneBandRaster(Qgis.DataType.Int16, grid.width, grid.height, grid.extent, second.crs())
    if output is None or not output.isValid():
        raise protocol.OutputFailed(failure.format(path=path))
    output.setNoDataValue(1, NOT_ASSESSED)
    for column, row, width, height, extent in grid.blocks():
        if feedback.isCanceled():
            raise protocol.Cancelled(tr("Cancelled; nothing was written."))
        # A block lends out its memory: it has to live until its values are copied.
        blocks = [layer.dataProvider().block(1, extent, width, height) for layer in (first, second)]
        values = [np.frombuffer(bytes(block.data()), "u1").astype("i2").reshape(height, width) for block in blocks]
        change = values[1] - values[0]
        change[(values[0] == protocol.NOT_ASSESSED) | (values[1] == protocol.NOT_ASSESSED)] = NOT_ASSESSED
        block = QgsRasterBlock(Qgis.DataType.Int16, width, height)
        block.setData(QByteArray(change.tobytes()))
        if not output.writeBlock(block, 1, column, row):
            raise protocol.OutputFailed(failure.format(path=path))
    output.setEditable(False)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("Comparison", text)
