"""Offers to keep what a cancelled run has finished, the only copy of those rows."""

import dataclasses
import os
import shutil
import tempfile
from typing import Any, Dict, Mapping, Optional

from qgis.core import QgsProcessingUtils, QgsProject
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QPushButton

from ..engine import protocol
from .algorithms.before import answer_of
from .algorithms.outputs import found_by_engine
from .engine_client import EngineClient
from .messages import INFO, TITLE, WARNING, log, tell
from .output_files import free_names
from .run_queue import Run, RunQueue


@dataclasses.dataclass(frozen=True)
class Part:
    """Finished rows in a folder of their own; ``project`` counts the projects that were closed before."""

    run: Run
    folder: str
    lacking: bool
    project: int


class FinishedPart(QObject):
    """Offers, in the message bar, to keep what a cancelled run has finished.

    Ignoring the offer removes it. Once the user has asked for it, only a mask that was made of it does.
    """

    kept = pyqtSignal(object, bool)

    def __init__(self, iface: Any, queue: RunQueue, client: EngineClient, parent: QObject) -> None:
        super().__init__(parent)
        self._iface = iface
        self._client = client
        self._item: Any = None
        self._folder = ""
        self._project = 0
        self._closed = False
        queue.left.connect(self._take)
        iface.messageBar().widgetRemoved.connect(self._on_gone)
        QgsProject.instance().cleared.connect(self._on_cleared)

    @property
    def is_offered(self) -> bool:
        """Whether there is something that can still be kept."""
        return self._item is not None

    def close_down(self) -> None:
        """Take the offer back."""
        self._closed = True
        self._iface.messageBar().widgetRemoved.disconnect(self._on_gone)
        QgsProject.instance().cleared.disconnect(self._on_cleared)
        self._withdraw()

    def _take(self, run: Run, partial: Mapping[str, Any]) -> None:
        """Move what a run has left out of the folder of the estimate, which goes when the run ends, and offer it."""
        self._withdraw()
        folder, rows, done = str(partial.get("folder") or ""), partial.get("rows") or 0, partial.get("rows_done") or 0
        try:
            self._folder = tempfile.mkdtemp(prefix="part_", dir=QgsProcessingUtils.tempFolder())
            for name in ("mask.tif", "probability.tif"):
                if os.path.exists(os.path.join(folder, name)):
                    shutil.move(os.path.join(folder, name), self._folder)
        except OSError as error:
            log(str(error), WARNING)
            self._withdraw()
            return
        text = self.tr("{scene}: cancelled after {share:.0f} % of the rows; nothing was written.")
        text = text.format(scene=run.scene, share=100.0 * done / max(1, rows))
        self._offer(Part(run, self._folder, done < rows, self._project), text)

    def _offer(self, part: Part, text: str) -> None:
        log(text)
        bar = self._iface.messageBar()
        item = bar.createMessage(TITLE, text)
        button = QPushButton(self.tr("Keep the finished part"))
        button.setObjectName("keepPartButton")
        button.setToolTip(self.tr("Writes it as a mask of its own; what was not reached is marked as not assessed"))
        button.clicked.connect(lambda _checked=False: self._keep(part, button))
        item.layout().addWidget(button)
        self._item = bar.pushWidget(item, INFO, 0) or item

    def _keep(self, part: Part, button: QPushButton) -> None:
        """Have the engine make a mask of the part; dismissing the message no longer matters then."""
        button.setEnabled(False)
        item, self._folder = self._item, ""
        scene = self.tr("{scene} (partial)").format(scene=part.run.scene) if part.lacking else part.run.scene
        run = dataclasses.replace(part.run, scene=scene, results={})
        paths = free_names(run.folder, scene, run.hazard)
        probability = os.path.exists(os.path.join(part.folder, "probability.tif")) and run.wants_probability

        def answer(result: Any, error: Optional[protocol.HazardError]) -> None:
            is_shown = item is not None and item == self._item
            if error is not None:
                self._on_failed(part, error, button if is_shown else None)
                return
            shutil.rmtree(part.folder, ignore_errors=True)
            if is_shown:
                self._withdraw()
            run.results.update(outputs_of(result))
            if not self._closed:
                self.kept.emit(run, part.project == self._project)

        try:
            job = protocol.KeepJob(
                folder=part.folder, mask=paths["OUTPUT"], probability=paths["PROBABILITY"] if probability else None
            )
        except protocol.HazardError as error:
            answer(None, error)
            return
        self._client.submit("keep", job, answer)

    def _on_failed(self, part: Part, error: protocol.HazardError, button: Optional[QPushButton]) -> None:
        """Say where the part still is and offer it again, by ``button`` where its message is still shown."""
        still = self.tr("The finished part of {scene} is still in {folder} until QGIS is closed.")
        still = still.format(scene=part.run.scene, folder=part.folder)
        tell(None if self._closed else self._iface, f"{error} {still}", WARNING)
        if button is not None:
            button.setEnabled(True)
        elif not (self._closed or self.is_offered):
            self._offer(part, still)

    def _on_cleared(self) -> None:
        self._project += 1
        self._withdraw()

    def _on_gone(self, item: Any) -> None:
        if self._item is not None and item == self._item:
            self._item = None
            self._withdraw()

    def _withdraw(self) -> None:
        item, self._item = self._item, None
        if item is not None:
            self._iface.messageBar().popWidget(item)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = ""


def outputs_of(result: Mapping[str, Any]) -> Dict[str, Any]:
    """Result of a keep job as outputs of Segment hazard, which show it."""
    return {
        "OUTPUT": result.get("mask"),
        "PROBABILITY": result.get("probability") or "",
        **found_by_engine(result),
        "WARNINGS": "\n".join(str(line) for line in result.get("warnings") or ()),
        **answer_of(result),
    }
