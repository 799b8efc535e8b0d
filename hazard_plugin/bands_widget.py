"""Shows how a scene's bands and units were understood, and lets the user correct it."""

import contextlib
import json
from typing import Any, Dict, Iterator, List, Mapping

from qgis.gui import QgsDoubleSpinBox
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QFormLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ..engine import protocol
from .engine_texts import sensor_title, slot_title, units_title

MAX_SHOWN = 40
"""More bands than this are not listed one by one; the rest stays unused."""
OVERRIDES = ("bands", "sensor", "units", "gsd_m")


class BandsWidget(QWidget):
    """Sensor preset, units, pixel size and a slot for each band; empty choices mean *found out*."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("bandsWidget")
        self._filling = False
        self._bands_chosen = False
        self._band_count = 0
        self._slots: List[QComboBox] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self.sensor_combo = narrow_combo("sensorComboBox", self.tr("Sensor whose band order and units apply"))
        self.sensor_combo.addItem(self.tr("found out"), "")
        for sensor in protocol.SENSORS:
            self.sensor_combo.addItem(sensor_title(sensor), sensor)
        self.units_combo = narrow_combo("unitsComboBox", self.tr("What the pixel values mean"))
        self.units_combo.addItem(self.tr("found out"), "")
        for units in protocol.UNITS:
            self.units_combo.addItem(units_title(units), units)
        self.gsd_spin = QgsDoubleSpinBox()
        self.gsd_spin.setObjectName("gsdSpinBox")
        self.gsd_spin.setRange(0.0, 100_000.0)
        self.gsd_spin.setDecimals(2)
        self.gsd_spin.setSuffix(" m")
        self.gsd_spin.setMinimumWidth(60)
        self.gsd_spin.setToolTip(self.tr("Ground length of a pixel, where the layer's CRS does not say it"))
        self.gsd_spin.setSpecialValueText(self.tr("from the layer"))
        for text, field in (
            (self.tr("Sensor"), self.sensor_combo),
            (self.tr("Units"), self.units_combo),
            (self.tr("Pixel"), self.gsd_spin),
        ):
            label = QLabel(text)
            label.setBuddy(field)
            form.addRow(label, field)
        layout.addLayout(form)
        self._band_form = QFormLayout()
        self._band_form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        layout.addLayout(self._band_form)
        self.reset_button = QPushButton(self.tr("Find out again"))
        self.reset_button.setObjectName("resetBandsButton")
        self.reset_button.setToolTip(self.tr("Forget corrections and use what the scene itself says"))
        layout.addWidget(self.reset_button)
        self.sensor_combo.activated.connect(self._on_sensor)
        self.units_combo.activated.connect(self._on_change)
        self.gsd_spin.editingFinished.connect(self._on_change)
        self.reset_button.clicked.connect(self.reset)
        self._last = self.overrides()

    def overrides(self) -> Dict[str, Any]:
        """What the user fixed: bands (text), sensor, units, gsd_m; empty or None where it is found out."""
        slots = [combo.currentData() for combo in self._slots]
        slots += [protocol.UNUSED] * (self._band_count - len(slots))
        return {
            "bands": ",".join(slots) if self._bands_chosen else "",
            "sensor": self.sensor_combo.currentData() or "",
            "units": self.units_combo.currentData() or "",
            "gsd_m": self.gsd_spin.value() or None,
        }

    def fields(self) -> List[QWidget]:
        """All that can be changed, from top to bottom."""
        return [self.sensor_combo, self.units_combo, self.gsd_spin, *self._slots, self.reset_button]

    def set_overrides(self, overrides: Mapping[str, Any]) -> None:
        """Show corrections remembered for a layer; its bands follow with ``show_understood``."""
        with self._quietly():
            self._bands_chosen = bool(overrides.get("bands"))
            select_data(self.sensor_combo, overrides.get("sensor") or "")
            select_data(self.units_combo, overrides.get("units") or "")
            self.gsd_spin.setValue(float(overrides.get("gsd_m") or 0.0))
            if self._bands_chosen:
                slots = str(overrides["bands"]).split(",")
                self._list_bands([{"index": i + 1, "slot": slot} for i, slot in enumerate(slots)])
        self._last = self.overrides()

    def show_understood(self, info: Mapping[str, Any]) -> None:
        """Fill in what the engine found; chosen values stay."""
        with self._quietly():
            self._list_bands(list(info.get("bands") or ()))
            units = info.get("units")
            found = self.tr("found out: {units}").format(units=units_title(units)) if units else self.tr("found out")
            self.units_combo.setItemText(0, found)
            sensor = info.get("sensor")
            found = (
                self.tr("found out: {sensor}").format(sensor=sensor_title(sensor)) if sensor else self.tr("found out")
            )
            self.sensor_combo.setItemText(0, found)
            gsd = info.get("gsd_m")
            text = self.tr("{gsd:.4g} m, from the layer").format(gsd=gsd) if gsd else self.tr("from the layer")
            self.gsd_spin.setSpecialValueText(text)
        self._last = self.overrides()

    def list_unknown(self, band_count: int) -> None:
        """List bands that the engine could not make sense of, so that they can be given slots."""
        if band_count != self._band_count:
            with self._quietly():
                self._list_bands([{"index": index + 1, "slot": protocol.UNUSED} for index in range(band_count)])
            self._last = self.overrides()

    def clear(self) -> None:
        """Show that nothing is known."""
        with self._quietly():
            self._list_bands([])
            self.units_combo.setItemText(0, self.tr("found out"))
            self.sensor_combo.setItemText(0, self.tr("found out"))
            self.gsd_spin.setSpecialValueText(self.tr("from the layer"))

    def reset(self) -> None:
        """Forget all corrections."""
        self.set_overrides({})
        self.changed.emit()

    def _list_bands(self, bands: List[Mapping[str, Any]]) -> None:
        self._band_count = len(bands)
        if len(self._slots) != min(len(bands), MAX_SHOWN):
            while self._band_form.rowCount():
                self._band_form.removeRow(0)
            self._slots = [self._slot_combo(index) for index in range(min(len(bands), MAX_SHOWN))]
            for combo in self._slots:
                label = QLabel()
                label.setBuddy(combo)
                self._band_form.addRow(label, combo)
            before: QWidget = self.gsd_spin
            for field in (*self._slots, self.reset_button):
                QWidget.setTabOrder(before, field)
                before = field
            if len(bands) > MAX_SHOWN:
                note = QLabel(self.tr("{count} further bands are not used.").format(count=len(bands) - MAX_SHOWN))
                note.setWordWrap(True)
                self._band_form.addRow(note)
        for band, combo in zip(bands, self._slots):  # noqa: B905 (bands beyond those shown are left out)
            label = self._band_form.labelForField(combo)
            name = str(band.get("description") or "")
            full = f"{band.get('index')}: {name}" if name else str(band.get("index"))
            if isinstance(label, QLabel) and (name or not label.text().startswith(f"{band.get('index')}:")):
                label.setText(full if len(full) <= 14 else full[:13] + "…")
                label.setToolTip(full)
            select_data(combo, band.get("slot") or protocol.UNUSED)

    def _slot_combo(self, index: int) -> QComboBox:
        combo = narrow_combo(f"bandComboBox{index + 1}", self.tr("What this band is used as"))
        combo.addItem(self.tr("not used"), protocol.UNUSED)
        for slot in protocol.SLOTS:
            combo.addItem(slot_title(slot), slot)
        combo.activated.connect(self._on_band)
        return combo

    def _on_band(self) -> None:
        if not self._filling:
            self._bands_chosen = True
            self._on_change()

    def _on_sensor(self) -> None:
        if not self._filling and self.sensor_combo.currentData() != self._last["sensor"]:
            # A preset brings its own band order: earlier corrections would contradict it.
            self._bands_chosen = False
            self._on_change()

    def _on_change(self) -> None:
        if not self._filling and self.overrides() != self._last:
            self._last = self.overrides()
            self.changed.emit()

    @contextlib.contextmanager
    def _quietly(self) -> Iterator[None]:
        self._filling = True
        try:
            yield
        finally:
            self._filling = False


def narrow_combo(name: str, tip: str) -> QComboBox:
    """A combo box that does not widen the dock with its longest entry."""
    combo = QComboBox()
    combo.setObjectName(name)
    combo.setToolTip(tip)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return combo


def select_data(combo: QComboBox, data: Any) -> bool:
    """Choose the entry with this data; False if there is none."""
    index = combo.findData(data)
    if index >= 0:
        combo.setCurrentIndex(index)
    return index >= 0


def read_overrides(text: str) -> Dict[str, Dict[str, Any]]:
    """Corrections by layer id out of a project's entry; what is not such is dropped."""
    try:
        stored = json.loads(text or "{}")
    except ValueError:
        return {}
    return {
        str(name): {key: value.get(key) for key in OVERRIDES}
        for name, value in (stored.items() if isinstance(stored, dict) else ())
        if isinstance(value, dict)
    }
