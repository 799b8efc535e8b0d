"""An adaptation while it goes on: its curves, and what is to become of it when it is cancelled."""

from typing import Any, Mapping, Optional, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QMessageBox, QWidget

from .curves import round_up
from .curves_widget import CurvesWidget
from .run_queue import RunQueue


class AdaptationCurves(CurvesWidget):
    """Losses above, and below the proxy: the error to expect, estimated without labels."""

    panel_lines = 5

    def name_of_curves(self) -> str:
        """What is drawn, for those who cannot see it."""
        return self.tr("Curves of the adaptation")

    def nothing(self) -> str:
        """What will be drawn here."""
        return self.tr("Forward, backward and auxiliary loss, and the expected error, while a model adapts")

    def title_of_scores(self) -> str:
        """Title of the lower panel."""
        return self.tr("Expected error")

    def hints(self) -> Tuple[str, str]:
        """When the upper and the lower panel get their curves."""
        return self.tr("drawn while a model adapts"), self.tr("lower is better")

    def top_of_scores(self) -> float:
        """Upper end of the axis of the lower panel."""
        return round_up(self.curves.top_of_scores())


class AdaptationRun(QObject):
    """Draws what an adaptation tells, and asks before it is cancelled."""

    keep_asked = pyqtSignal()
    discard_asked = pyqtSignal()

    def __init__(self, ui: Any, queue: RunQueue, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._question: Optional[QMessageBox] = None
        self.is_adapting = False
        self.curves = AdaptationCurves()
        self.curves.setObjectName("adaptCurvesWidget")
        ui.adaptCurvesLayout.setContentsMargins(0, 0, 0, 0)
        ui.adaptCurvesLayout.addWidget(self.curves)
        queue.began.connect(self._on_began)
        queue.measured.connect(self._on_measured)
        queue.ended.connect(self._close_question)

    def ask(self) -> None:
        """Ask what to do with what was learnt so far; the run goes on until there is an answer."""
        box = QMessageBox(self._parent)
        box.setObjectName("adaptCancelBox")
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("Hazard Mapper"))
        box.setText(self.tr("The model is adapting to the scene."))
        box.setInformativeText(self.tr("Keep the best so far and map with it, or stop and write nothing?"))
        keep = box.addButton(self.tr("&Keep the best so far"), QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton(self.tr("&Discard"), QMessageBox.ButtonRole.DestructiveRole)
        on = box.addButton(self.tr("&Go on"), QMessageBox.ButtonRole.RejectRole)
        keep.setObjectName("keepBestButton")
        discard.setObjectName("discardButton")
        on.setObjectName("goOnButton")
        box.setDefaultButton(keep)
        box.setEscapeButton(on)
        keep.clicked.connect(self.keep_asked)
        discard.clicked.connect(self.discard_asked)
        box.finished.connect(self._forget_question)
        self._close_question()
        self._question = box
        box.open()

    def _on_began(self, kind: str) -> None:
        self.is_adapting = kind == "adapt"
        if self.is_adapting:
            self.curves.clear()
        else:
            self._close_question()

    def _on_measured(self, step: int, values: Mapping[str, float]) -> None:
        self.curves.add_point(step, values)

    def _close_question(self) -> None:
        if self._question is not None:
            self._question.reject()

    def _forget_question(self, *_: Any) -> None:
        if self._question is not None:
            self._question.deleteLater()
            self._question = None
