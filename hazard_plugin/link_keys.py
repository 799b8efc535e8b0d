"""Lets Shift and Tab lead back from a link: Qt's labels keep the focus there for good."""

from qgis.PyQt.QtCore import QEvent, QObject, Qt
from qgis.PyQt.QtWidgets import QLabel, QScrollArea, QWidget


class LinkKeys(QObject):
    """Watches one label, which owns it."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Go back where the label would go round in circles."""
        if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Backtab and isinstance(watched, QWidget):
            focus_before(watched)
            return True
        return False


def mend_link(label: QLabel) -> QLabel:
    """Mend a label with a link."""
    label.installEventFilter(LinkKeys(label))
    return label


def focus_before(widget: QWidget) -> None:
    """Give the focus to what Tab would have visited before, and bring it into view."""
    before = widget.previousInFocusChain()
    while before is not widget and not can_have_focus(before, widget.window()):
        before = before.previousInFocusChain()
    before.setFocus(Qt.FocusReason.BacktabFocusReason)
    above = before.parentWidget()
    while above is not None:
        if isinstance(above, QScrollArea):
            above.ensureWidgetVisible(before)
        above = above.parentWidget()


def can_have_focus(widget: QWidget, window: QWidget) -> bool:
    """Whether Tab stops at a widget."""
    policy = widget.focusPolicy()
    stops = (policy & Qt.FocusPolicy.TabFocus) == Qt.FocusPolicy.TabFocus and widget.focusProxy() is None
    return stops and widget.isVisible() and widget.isEnabled() and widget.window() is window
