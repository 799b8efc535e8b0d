"""Writes a layout to files that are complete or not there."""

import contextlib
import html
import os
import uuid
from typing import Dict, Iterable, Iterator, List

from qgis.core import QgsCoordinateReferenceSystem, QgsLayoutExporter, QgsPrintLayout, QgsProcessingFeedback
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import protocol
from ..compat import WKT_PREFERRED


@contextlib.contextmanager
def published(finals: List[str]) -> Iterator[Dict[str, str]]:
    """Temporary names for files, which get their own names when all are complete and nothing was cancelled.

    Raises OutputFailed if a folder is missing or a file cannot be put in place.
    """
    require_folders(finals)
    token = uuid.uuid4().hex[:12]
    unfinished = {final: protocol.partial_path(final, token) for final in finals}
    try:
        yield unfinished
        for final, partial in unfinished.items():
            for found, wanted in companions(partial, final):
                if os.path.exists(found):
                    os.replace(found, wanted)
            os.replace(partial, final)
    except protocol.HazardError:
        raise
    except OSError as error:
        raise protocol.OutputFailed(
            tr("A file cannot be written ({error}); check the folder and the free disk space.").format(error=error)
        ) from None
    finally:
        for final, partial in unfinished.items():
            for left in (partial, *(found for found, _wanted in companions(partial, final))):
                with contextlib.suppress(OSError):
                    os.remove(left)


def require_folders(finals: Iterable[str]) -> None:
    """Raise OutputFailed if a folder in which to write is missing."""
    for final in finals:
        if not os.path.isdir(os.path.dirname(final) or "."):
            raise protocol.OutputFailed(
                tr("The folder of '{path}' does not exist; make it or choose another.").format(path=final)
            )


def companions(partial: str, final: str) -> List[tuple]:
    """World file and GDAL's own, under the temporary and the final name."""
    stem, ending = os.path.splitext(partial)
    world = f".{ending[1:2]}{ending[-1:]}w"
    return [(stem + world, os.path.splitext(final)[0] + world), (partial + ".aux.xml", final + ".aux.xml")]


def write_pdf(layout: QgsPrintLayout, path: str, dpi: float) -> None:
    """Write a PDF with its place on Earth; raises OutputFailed."""
    settings = QgsLayoutExporter.PdfExportSettings()
    settings.dpi = dpi
    settings.rasterizeWholeImage = False
    settings.appendGeoreference = True
    settings.exportMetadata = True
    check(QgsLayoutExporter(layout).exportToPdf(path, settings), path)


def write_png(layout: QgsPrintLayout, path: str, dpi: float) -> None:
    """Write a picture, and beside it a world file and what GDAL reads of its place on Earth; raises OutputFailed."""
    crs = layout.referenceMap().crs() if layout.referenceMap() is not None else QgsCoordinateReferenceSystem()
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = dpi
    settings.generateWorldFile = True
    settings.exportMetadata = True
    check(QgsLayoutExporter(layout).exportToImage(path, settings), path)
    world = companions(path, path)[0][0]
    if not crs.isValid() or not os.path.exists(world):
        return
    with open(world, encoding="ascii") as file:
        step_x, turn_y, turn_x, step_y, x, y = (float(line) for line in file.read().split()[:6])
    corner = (x - step_x / 2 - turn_x / 2, y - turn_y / 2 - step_y / 2)
    numbers = (corner[0], step_x, turn_x, corner[1], turn_y, step_y)
    with open(f"{path}.aux.xml", "w", encoding="utf-8") as file:
        file.write(
            f"<PAMDataset>\n  <SRS>{html.escape(crs.toWkt(WKT_PREFERRED))}</SRS>\n"
            f"  <GeoTransform>{', '.join(repr(number) for number in numbers)}</GeoTransform>\n</PAMDataset>\n"
        )


def check(outcome: int, path: str) -> None:
    """Raise OutputFailed, with the likely reason, unless an export ended well."""
    if outcome == QgsLayoutExporter.ExportResult.Success:
        return
    if outcome == QgsLayoutExporter.ExportResult.MemoryError:
        raise protocol.OutputFailed(tr("The picture is too large for the memory; choose fewer dots per inch or A4."))
    raise protocol.OutputFailed(
        tr("The sheet '{path}' cannot be written; check the folder and the free disk space.").format(path=path)
    )


def stop_if_cancelled(feedback: QgsProcessingFeedback) -> None:
    """Raise Cancelled if the user wants to stop."""
    if feedback is not None and feedback.isCanceled():
        raise protocol.Cancelled(tr("Cancelled; nothing was written."))


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("MapSheet", text)
