"""How the plugin speaks to the user: one sentence in the message bar, the same and more in the log panel."""

from typing import Any, Optional

from qgis.core import Qgis, QgsMessageLog
from qgis.PyQt.QtCore import QCoreApplication

TITLE = "Hazard Mapper"
INFO = Qgis.MessageLevel.Info
WARNING = Qgis.MessageLevel.Warning
CRITICAL = Qgis.MessageLevel.Critical
SUCCESS = Qgis.MessageLevel.Success


def log(text: str, level: Any = INFO) -> None:
    """Write to the log tab; may be called from any thread."""
    QgsMessageLog.logMessage(text, TITLE, level, False)


def tell(iface: Any, text: str, level: Any = WARNING, duration_s: Optional[int] = None) -> None:
    """Show one sentence in the message bar and keep it in the log; errors stay until dismissed."""
    log(text, level)
    if iface is not None:
        stay = 0 if level in (WARNING, CRITICAL) else 8
        iface.messageBar().pushMessage(TITLE, text, level, stay if duration_s is None else duration_s)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("Messages", text)
