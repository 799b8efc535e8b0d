"""Forgets the plugin's settings once its folder is gone: QGIS unloads a plugin alike to disable and to uninstall it."""

import os

from qgis.core import Qgis, QgsSettings
from qgis.PyQt.QtCore import QCoreApplication, QFileSystemWatcher

from .engine_location import engine_root
from .settings import SCOPE

NAME = "hazardMapperUninstalled"
FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def watch_for_uninstall(folder: str = FOLDER) -> None:
    """From now on, whether the plugin is loaded or not, forget its settings when its folder goes."""
    application = QCoreApplication.instance()
    if application is None or application.findChild(QFileSystemWatcher, NAME) is not None:
        return
    watcher = QFileSystemWatcher([folder], application)
    watcher.setObjectName(NAME)
    watcher.directoryChanged.connect(forget_if_gone)


def stop_watching() -> None:
    """The plugin is loaded again."""
    application = QCoreApplication.instance()
    watcher = application.findChild(QFileSystemWatcher, NAME) if application is not None else None
    if watcher is not None:
        watcher.directoryChanged.disconnect()
        watcher.setObjectName("")
        watcher.deleteLater()


def forget_if_gone(folder: str) -> None:
    """Remove the settings if the folder was removed rather than changed; the engine's files stay and are named."""
    if os.path.lexists(folder):
        return
    engine = engine_root()
    QgsSettings().remove(SCOPE)
    stop_watching()
    if os.path.isdir(engine):
        tell_of(engine)


def tell_of(engine: str) -> None:
    """Say where the engine is, which may be gigabytes and may be wanted again."""
    from qgis.utils import iface

    text = QCoreApplication.translate(
        "Uninstalled", "Its engine is still in {0}; delete this folder if you want it no more."
    )
    if iface is not None:
        iface.messageBar().pushMessage("Hazard Mapper", text.format(engine), Qgis.MessageLevel.Info, 0)
