"""The dock's two pages: mapping, and training, which is folded away behind one button until it is wanted."""

from typing import Any, List, Optional

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QStackedWidget, QWidget

from .engine_client import EngineClient
from .help_page import FIRST_PAGE, open_help
from .models import ModelEntry
from .training_page import TrainingPage


class DockPages(QStackedWidget):
    """Shows one page at a time; the training page is made after the dock is first seen, so that QGIS starts quickly."""

    models_wanted = pyqtSignal()
    use_asked = pyqtSignal(str)

    def __init__(self, mapping: Any, iface: Any, client: EngineClient, parent: QWidget) -> None:
        super().__init__(parent)
        self._iface = iface
        self._client = client
        self._models: List[ModelEntry] = []
        self._devices: Any = None
        self.training: Optional[TrainingPage] = None
        self.addWidget(mapping)
        self.button = QPushButton()
        self.button.setObjectName("openTrainingButton")
        self.button.setFlat(True)
        self.button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.button.clicked.connect(self.open_training)
        self.help_button = QPushButton(self.tr("Help"))
        self.help_button.setObjectName("helpButton")
        self.help_button.setFlat(True)
        self.help_button.setToolTip(self.tr("First map, method, scores, limits: pages that came with the plugin"))
        self.help_button.clicked.connect(lambda: open_help(FIRST_PAGE, parent))
        row = QHBoxLayout()
        row.addWidget(self.button, 1)
        row.addWidget(self.help_button)
        mapping.footerLayout.addLayout(row)
        mapping.setTabOrder(mapping.cancelButton, self.button)
        mapping.setTabOrder(self.button, self.help_button)
        self._show_training("")

    def open_mapping(self) -> None:
        """Show the mapping page."""
        self.setCurrentIndex(0)

    def open_training(self) -> None:
        """Show the training page."""
        page = self.make_training()
        page.update_state()
        self.setCurrentWidget(page)

    def make_training(self) -> TrainingPage:
        """Make the training page if it is not there yet."""
        if self.training is None:
            page = self.training = TrainingPage(self._iface, self._client, self)
            page.back_asked.connect(self.open_mapping)
            page.told.connect(self._show_training)
            page.trained.connect(self.models_wanted)
            page.use_asked.connect(self.use_asked)
            page.offer_models(self._models)
            page.form.offer_devices(self._devices)
            self.addWidget(page)
        return self.training

    def offer_models(self, models: List[ModelEntry]) -> None:
        """Take the models that the engine lists."""
        self._models = models
        if self.training is not None:
            self.training.offer_models(models)

    def offer_devices(self, devices: Any) -> None:
        """Take the engine's list of devices."""
        self._devices = devices
        if self.training is not None:
            self.training.form.offer_devices(devices)

    def close_down(self) -> None:
        """Stop a run of training; its checkpoint is kept."""
        if self.training is not None:
            self.training.close_down()

    def _show_training(self, told: str) -> None:
        """Name the button after what goes on behind it."""
        text = told.replace("&", "&&") or self.tr("Train a model…")
        width = max(self.width() - 40, 200)
        self.button.setText(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, width))
        self.button.setToolTip(told or self.tr("Teach a model from simulated scenes or from your own labelled images"))
