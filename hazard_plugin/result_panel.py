"""Shows what runs found: hazard area, share not assessed, seconds, device, warnings, and a way to the layer."""

from typing import Any, List, Mapping, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QCoreApplication, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from .link_keys import mend_link

KEPT = 20
SHOWN_LINES = 8
"""Lines of text that are seen without scrolling: one result with its verdict."""


class ResultPanel(QFrame):
    """Newest result first; its room is reserved so that nothing moves when one arrives."""

    zoom_asked = pyqtSignal(str)
    stages_asked = pyqtSignal(str, str)
    before_toggled = pyqtSignal(object, bool)
    delivery_asked = pyqtSignal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("resultPanel")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setToolTip(self.tr("What the last runs found"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self.scroll = scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._content = QWidget()
        self._list = QVBoxLayout(self._content)
        self._list.setContentsMargins(8, 6, 8, 6)
        self._list.addStretch()
        scroll.setWidget(self._content)
        outer.addWidget(scroll)
        self._hint = QLabel(self.tr("Results will be listed here."))
        self._hint.setEnabled(False)
        self._list.insertWidget(0, self._hint)
        self._rows: List[QWidget] = []
        lines = self.fontMetrics().lineSpacing()
        self.setFixedHeight(SHOWN_LINES * lines + 20)

    def add_result(
        self,
        name: str,
        result: Mapping[str, Any],
        layer_id: str,
        note: str = "",
        pairs: Sequence[Tuple[str, str]] = (),
    ) -> None:
        """List a result; ``layer_id`` is empty where no layer could be added.

        ``pairs`` are ids of layers after and before an adaptation, which can be shown in turn.
        """
        self._hint.hide()
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 4)
        label = QLabel("<br>".join(self._lines(name, result, note)))
        label.setObjectName("resultLabel")
        label.setWordWrap(True)
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        mend_link(label)
        told = str(result.get("ADAPTATION") or "")
        label.linkActivated.connect(lambda _link: self.stages_asked.emit(name, told))
        layout.addWidget(label, 1)
        buttons = QVBoxLayout()
        layout.addLayout(buttons)
        if layer_id:
            button = self._add_button(buttons, "zoomButton", self.tr("Zoom"), self.tr("Show this result in the map"))
            button.clicked.connect(lambda _checked=False, wanted=layer_id: self.zoom_asked.emit(wanted))
            tip = self.tr("Threshold, polygons, exposure, map sheet, report, emergency package and more")
            button = self._add_button(buttons, "deliverButton", self.tr("Deliver"), tip)
            button.clicked.connect(lambda _checked=False, wanted=layer_id: self.delivery_asked.emit(wanted))
        if pairs:
            tip = self.tr("While pressed, the map shows the source model's result instead of the adapted one's")
            button = self._add_button(buttons, "beforeButton", self.tr("Before"), tip)
            button.setCheckable(True)
            button.toggled.connect(lambda before, shown=tuple(pairs): self.before_toggled.emit(shown, before))
        buttons.addStretch()
        self._list.insertWidget(0, row)
        before: QWidget = self.scroll
        for control in (label, *row.findChildren(QToolButton)):
            QWidget.setTabOrder(before, control)
            before = control
        self._rows.insert(0, row)
        for old in self._rows[KEPT:]:
            old.deleteLater()
        del self._rows[KEPT:]

    def add_note(self, text: str) -> None:
        """Put a line below the newest result."""
        for row in self._rows[:1]:
            label = row.findChild(QLabel, "resultLabel")
            label.setText(f"{label.text()}<br>{escape(text)}")

    def _lines(self, name: str, result: Mapping[str, Any], note: str) -> List[str]:
        lines = [f"<b>{escape(name)}</b>", escape(describe(result))]
        if result.get("REASON"):
            stages = self.tr("Stages tried")
            lines.append(f"{escape(str(result['REASON']))} <a href='stages'>{escape(stages)}</a>")
        if result.get("ADAPTED_MODEL"):
            lines.append(escape(self.tr("Saved as {name}").format(name=result["ADAPTED_MODEL"])))
        lines += [escape(note)] if note else []
        return lines + [f"<i>{escape(line)}</i>" for line in str(result.get("WARNINGS") or "").splitlines()]

    def _add_button(self, layout: QVBoxLayout, name: str, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setText(text)
        button.setToolTip(tip)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        layout.addWidget(button)
        return button

    def texts(self) -> List[str]:
        """Text of each result, newest first."""
        return [row.findChild(QLabel, "resultLabel").text() for row in self._rows]


def describe(result: Mapping[str, Any]) -> str:
    """One line: ``13.4 km², 8 % not assessed, 21 s on CPU``."""
    parts = [found_text(result)]
    share = result.get("SHARE_ASSESSED")
    if isinstance(share, (int, float)):
        parts.append(share_text(1.0 - share))
    seconds = result.get("SECONDS")
    device = device_title(result.get("DEVICE_USED"))
    if isinstance(seconds, (int, float)):
        taken = f"{seconds:.3g} s"
        parts.append(tr("{time} on {device}").format(time=taken, device=device) if device else taken)
    return ", ".join(part for part in parts if part)


def found_text(result: Mapping[str, Any]) -> str:
    """Area, and where a scene from before was given, since when it is new and what was there already."""
    found = area_text(result.get("HAZARD_AREA_M2"))
    if result.get("QUESTION") != "new":
        return found
    since = result.get("BEFORE_DATE_USED") or result.get("BEFORE_NAME")
    if since:
        found = tr("{area} since {before}").format(area=found, before=since)
    was = result.get("PERMANENT_AREA_M2")
    if isinstance(was, (int, float)):
        return tr("{found}; {area} of water was there before").format(found=found, area=area_text(was))
    return found


def area_text(area_m2: Any) -> str:
    """Area in km², three figures."""
    if not isinstance(area_m2, (int, float)):
        return tr("area not known")
    area_km2 = area_m2 / 1e6
    return f"{area_km2:.0f} km²" if area_km2 >= 100 else f"{area_km2:.3g} km²"


def share_text(share: float) -> str:
    """Share that was not assessed, never rounded to a wrong zero."""
    percent = 100.0 * share
    if percent <= 0:
        return tr("all assessed")
    if percent < 1:
        return tr("less than 1 % not assessed")
    return tr("{percent:.0f} % not assessed").format(percent=percent)


def device_title(name: Any) -> str:
    """Short name of a device."""
    text = str(name or "")
    return text.upper() if text in ("cpu", "mps") else text


def progress_text(stage: str, seconds_left: Optional[float]) -> str:
    """``Segmenting, 12 s left``; the bar beside it shows the share."""
    parts = [stage] if stage else []
    if seconds_left is not None:
        parts.append(tr("{time} left").format(time=duration_text(seconds_left)))
    return ", ".join(parts)


def duration_text(seconds: float) -> str:
    """``40 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def escape(text: str) -> str:
    """Text for rich text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("ResultPanel", text)
