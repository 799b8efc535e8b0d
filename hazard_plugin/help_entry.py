"""Ways to the help pages: the plugin's menu, QGIS's Help menu, and the Help button of each algorithm's dialog."""

from typing import Any

from qgis.PyQt.QtCore import QObject, QUrl, pyqtSlot
from qgis.PyQt.QtGui import QDesktopServices

from .algorithm_pages import SCHEME
from .compat import QAction
from .help_page import FIRST_PAGE, HelpDialog, open_help
from .icons import icon


class HelpEntry(QObject):
    """Menu entries, and the owner of the addresses that algorithms name as their help."""

    def __init__(self, iface: Any, menu: str) -> None:
        super().__init__(iface.mainWindow())
        self._iface = iface
        self._menu = menu
        self.action = QAction(icon("help"), self.tr("Hel&p"), self)
        self.action.setToolTip(self.tr("First map, method, scores, limits: pages that came with the plugin"))
        self.action.triggered.connect(lambda: self.open(FIRST_PAGE))
        iface.addPluginToRasterMenu(menu, self.action)
        self.general = QAction(icon(), self.tr("&Hazard Mapper"), self)
        self.general.triggered.connect(self.action.trigger)
        iface.pluginHelpMenu().addAction(self.general)
        QDesktopServices.setUrlHandler(SCHEME, self.follow)

    def open(self, name: str) -> None:
        """Show a page by its name."""
        open_help(name, self._iface.mainWindow())

    @pyqtSlot(QUrl)
    def follow(self, link: QUrl) -> None:
        """Show the page that an address such as ``hazardmapper:delivering#threshold`` names."""
        name = link.path() or FIRST_PAGE
        self.open(f"{name}#{link.fragment()}" if link.hasFragment() else name)

    def remove(self) -> None:
        """Take it all away again."""
        QDesktopServices.unsetUrlHandler(SCHEME)
        self._iface.removePluginRasterMenu(self._menu, self.action)
        self._iface.pluginHelpMenu().removeAction(self.general)
        for page in self._iface.mainWindow().findChildren(HelpDialog):
            page.close()
            page.deleteLater()
        self.deleteLater()
