"""Help buttons as they are clicked: in the dock, and in QGIS's own dialog of an algorithm."""

import pytest
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QPushButton
from support import settle

pytestmark = pytest.mark.gui


def pages(plugin):
    from hazard_mapper.hazard_plugin.help_page import HelpDialog

    return [page for page in plugin.iface.mainWindow().findChildren(HelpDialog) if page.isVisible()]


def test_the_docks_button_opens_the_contents(plugin, dock, click, picture):
    click(dock.findChild(QPushButton, "helpButton"))
    (page,) = pages(plugin)
    assert page.windowTitle() == "Hazard Mapper: help"
    page.show_page("first_map")
    picture(page, "help_first_map")
    page.close()


def test_pages_go_with_the_plugin(plugin):
    others = plugin.iface.mainWindow().findChildren(QDialog)  # of tests before this one
    plugin.help.action.trigger()
    assert len(pages(plugin)) == 1
    plugin.unload()
    settle()
    left = [dialog for dialog in plugin.iface.mainWindow().findChildren(QDialog) if dialog not in others]
    assert not pages(plugin) and not left


def test_the_button_of_an_algorithms_dialog_opens_its_page_without_a_network(plugin, qgis_iface, monkeypatch):
    import processing
    from qgis import utils
    from qgis.gui import QgsBrowserGuiModel

    browser = QgsBrowserGuiModel()
    monkeypatch.setattr(utils, "iface", qgis_iface)
    monkeypatch.setattr(qgis_iface, "browserModel", lambda: browser, raising=False)
    dialog = processing.createAlgorithmDialog("hazardmapper:comparemasks", {})
    dialog.show()
    settle()
    button = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Help)
    assert button is not None and button.isVisible()
    button.click()
    settle()
    (page,) = pages(plugin)
    assert page.windowTitle() == "Refining, comparing and following a mask"
    assert page.page.verticalScrollBar().value() > 500, "at the section on two dates"
    page.close()
    dialog.close()
