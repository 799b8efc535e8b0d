"""How the plugin speaks to the user: one sentence in the message bar, the same and more in the log panel."""

from dataclasses import dataclass
from typing import Any, Callable, Optional

from qgis.core import Qgis, QgsMessageLog
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtWidgets import QPushButton

TITLE = "Hazard Mapper"
INFO = Qgis.MessageLevel.Info
WARNING = Qgis.MessageLevel.Warning
CRITICAL = Qgis.MessageLevel.Critical
SUCCESS = Qgis.MessageLevel.Success


@dataclass(frozen=True)
class Offer:
    """What a button in a message does."""

    text: str
    tip: str
    do: Callable[[], Any]


def log(text: str, level: Any = INFO) -> None:
    """Write to the log tab; may be called from any thread."""
    QgsMessageLog.logMessage(text, TITLE, level, False)


def tell(
    iface: Any, text: str, level: Any = WARNING, duration_s: Optional[int] = None, offer: Optional[Offer] = None
) -> None:
    """Show one sentence in the message bar and keep it in the log; errors stay until dismissed, and lead to the log."""
    log(text, level)
    if iface is None:
        return
    is_trouble = level in (WARNING, CRITICAL)
    bar = iface.messageBar()
    bar.pushMessage(TITLE, text, level, (0 if is_trouble else 8) if duration_s is None else duration_s)
    if offer is None and is_trouble:
        offer = Offer(tr("Open log"), tr("Show the log panel, where more is told"), iface.openMessageLog)
    item = bar.currentItem()
    if offer is not None and item is not None:
        button = QPushButton(offer.text)
        button.setObjectName("messageButton")
        button.setToolTip(offer.tip)
        button.clicked.connect(lambda _checked=False, do=offer.do: do())
        item.layout().addWidget(button)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("Messages", text)
