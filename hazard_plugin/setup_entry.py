"""The dock's way to the engine's set-up: one button where no engine is found."""

from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QPushButton, QWidget

from ..engine import protocol
from .dock_widgets import embolden
from .engine_client import EngineClient


class SetupEntry(QObject):
    """Stands in for the button that runs, as long as there is no engine, and opens the set-up's dialog."""

    engine_changed = pyqtSignal(str)

    def __init__(self, ui: Any, client: EngineClient, parent: QWidget) -> None:
        super().__init__(parent)
        self._ui = ui
        self._client = client
        self._parent = parent
        self.page: Any = None
        self.button = QPushButton(self.tr("Set &up engine"))
        self.button.setObjectName("setUpEngineButton")
        self.button.setToolTip(self.tr("Install the engine, once; shows first what, where and how large"))
        self.button.clicked.connect(self.open)
        self.button.hide()
        embolden(self.button)
        ui.footerLayout.insertWidget(ui.footerLayout.indexOf(ui.segmentButton), self.button)
        self.manage_button = QPushButton(self.tr("Set up, repair, switch…"))
        self.manage_button.setObjectName("manageEngineButton")
        self.manage_button.setToolTip(self.tr("Repair or remove the engine, or switch between processor and GPU"))
        self.manage_button.clicked.connect(self.open)
        ui.advancedGroup.layout().addRow(self.manage_button)

    def reason(self) -> str:
        """Why there is no engine; empty if there is one."""
        try:
            self._client.locate()
        except protocol.HazardError as error:
            return str(error)
        return ""

    def show_need(self, reason: str) -> None:
        """Show the button exactly where there is no engine."""
        self.button.setVisible(bool(reason))
        self._ui.segmentButton.setVisible(not reason)

    def open(self, *_: Any) -> None:
        """Open the dialog, which is made when it is first wanted."""
        if self.page is None:
            from .setup_page import SetupPage

            self.page = SetupPage(self.release_workers, self._parent)
            self.page.engine_changed.connect(self._on_changed)
        self.page.open()

    def release_workers(self) -> bool:
        """Let go of every idle worker; False if one is at work. Called from the set-up's thread."""
        provider = QgsApplication.processingRegistry().providerById("hazardmapper")
        clients = [self._client, *(getattr(provider, name, None) for name in ("client", "training"))]
        return all(client.release() for client in clients if client is not None)

    def close_down(self) -> None:
        """Stop a set-up under way."""
        if self.page is not None:
            self.page.close_down()

    def _on_changed(self, path: str) -> None:
        widget = self._ui.engineWidget
        widget.blockSignals(True)
        widget.setFilePath(path)
        widget.blockSignals(False)
        QTimer.singleShot(0, lambda: self.engine_changed.emit(path))
