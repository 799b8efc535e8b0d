"""A slider for the decision threshold of a result: the probability is drawn at it at once, and its area is shown."""

from typing import List, Optional, Sequence

from qgis.core import QgsColorRampShader, QgsRasterLayer, QgsRasterShader, QgsSingleBandPseudoColorRenderer
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import QFrame, QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from .hazards import hazard_colour
from .result_panel import area_text

LEAST, MOST = 1, 99


class ThresholdBar(QFrame):
    """Hidden until a result is chosen; ``moved`` follows the slider, ``applied`` and ``closed`` the buttons."""

    moved = pyqtSignal(int)
    applied = pyqtSignal(int)
    closed = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("thresholdBar")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._areas: Optional[List[float]] = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        self.title = QLabel()
        self.title.setObjectName("thresholdTitle")
        self.title.setWordWrap(True)
        layout.addWidget(self.title)
        row = QHBoxLayout()
        layout.addLayout(row)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("thresholdSlider")
        self.slider.setRange(LEAST, MOST)
        self.slider.setPageStep(5)
        self.slider.setToolTip(self.tr("Lowest probability that counts as hazard; arrow keys move it by 1 %"))
        self.slider.setAccessibleName(self.tr("Threshold"))
        self.slider.valueChanged.connect(self._on_moved)
        row.addWidget(self.slider, 1)
        self.apply_button = self._button("thresholdApplyButton", self.tr("Apply"))
        self.apply_button.setToolTip(self.tr("Write the mask, and the polygons traced from it, at this threshold"))
        self.apply_button.clicked.connect(lambda: self.applied.emit(self.slider.value()))
        row.addWidget(self.apply_button)
        self.close_button = close = self._button("thresholdCloseButton", self.tr("Close"))
        close.setToolTip(self.tr("Leave the mask as it is and draw the probability as before"))
        close.clicked.connect(self.closed.emit)
        row.addWidget(close)
        self.hide()

    def fields(self) -> List[QWidget]:
        """All that can be used, from left to right."""
        return [self.slider, self.apply_button, self.close_button]

    def _button(self, name: str, text: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setObjectName(name)
        return button

    def open(self, name: str, percent: int) -> None:
        """Show the slider for a result at its present threshold; its areas may come later."""
        self._name = name
        self._areas = None
        self.slider.blockSignals(True)
        self.slider.setValue(min(max(percent, LEAST), MOST))
        self.slider.blockSignals(False)
        self.show()
        self._show_area()

    def set_areas(self, areas_by_percent_m2: Optional[Sequence[float]]) -> None:
        """Take the area at each whole per cent of probability, 0 to 100."""
        self._areas = list(areas_by_percent_m2) if areas_by_percent_m2 else None
        self._show_area()

    def set_busy(self, busy: bool) -> None:
        """Whether a threshold is being applied."""
        self.slider.setEnabled(not busy)
        self.apply_button.setEnabled(not busy)

    def area_m2(self) -> Optional[float]:
        """Hazard area at the slider's threshold; None while not known."""
        return None if self._areas is None else sum(self._areas[self.slider.value() :])

    def _on_moved(self, percent: int) -> None:
        self._show_area()
        self.moved.emit(percent)

    def _show_area(self) -> None:
        area = self.area_m2()
        found = self.tr("measuring…") if area is None else area_text(area)
        text = self.tr("{name}: {percent} % or more, {area}")
        self.title.setText(text.format(name=self._name, percent=self.slider.value(), area=found))


def draw_at(layer: QgsRasterLayer, hazard: str, percent: int) -> None:
    """Draw a probability layer as the mask that this threshold would make."""
    colour = QColor(hazard_colour(hazard))
    shader = QgsColorRampShader(0, 100)
    shader.setColorRampType(QgsColorRampShader.Type.Discrete)
    clear = QColor(colour)
    clear.setAlpha(0)
    colour.setAlpha(190)
    items = [(percent - 0.5, clear, f"< {percent} %"), (100.5, colour, f"≥ {percent} %")]
    shader.setColorRampItemList([QgsColorRampShader.ColorRampItem(*item) for item in items])
    function = QgsRasterShader()
    function.setRasterShaderFunction(shader)
    layer.setRenderer(QgsSingleBandPseudoColorRenderer(layer.dataProvider(), 1, function))
    layer.triggerRepaint()
