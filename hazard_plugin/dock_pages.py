"""The dock's two pages: mapping, and training, which is folded away behind one button until it is wanted."""

from typing import Any, List, Optional

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QPushButton, QSizePolicy, QStackedWidget, QWidget

from .engine_client import EngineClient
from .models import ModelEntry
from .training_page import TrainingPage


class DockPages(QStackedWidget):
    """Shows one page at a time; the training page is made when first opened, so that the dock loads quickly."""

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
        mapping.footerLayout.addWidget(self.button)
        mapping.setTabOrder(mapping.cancelButton, self.button)
        self._show_training("")

    def open_mapping(self) -> None:
        """Show the mapping page."""
        self.setCurrentIndex(0)

    def open_training(self) -> None:
        """Show the training page."""
        if self.training is None:
            self.training = TrainingPage(self._iface, self._client, self)
            self.training.back_asked.connect(self.open_mapping)
            self.training.told.connect(self._show_training)
            self.training.trained.connect(self.models_wanted)
            self.training.use_asked.connect(self.use_asked)
            self.training.offer_models(self._models)
            self.training.form.offer_devices(self._devices)
            self.addWidget(self.training)
        self.training.update_state()
        self.setCurrentWidget(self.training)

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
        text = told.replace("&", "&&") or self.tr("Train a m&odel…")
        width = max(self.width() - 40, 200)
        self.button.setText(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, width))
        self.button.setToolTip(told or self.tr("Teach a model from simulated scenes or from your own labelled images"))
