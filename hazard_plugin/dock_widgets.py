"""Gives the widgets of the dock's form file the properties that a form file cannot hold."""

from typing import Any

from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtWidgets import QGroupBox, QPushButton, QSizePolicy, QToolButton, QWidget

from .compat import RASTER_LAYERS
from .link_keys import mend_link
from .settings import load_setting


def prepare_dock(dock: Any) -> None:
    """Prepare the mapping page, once all of it is there."""
    prepare_widgets(dock.ui)
    order_tabs(dock)


def prepare_widgets(ui: Any) -> None:
    """Prepare the mapping page."""
    ui.layerComboBox.setFilters(RASTER_LAYERS)
    ui.layerComboBox.setAllowEmptyLayer(False)
    ui.folderWidget.setStorageMode(ui.folderWidget.StorageMode.GetDirectory)
    ui.folderWidget.setDialogTitle(tr("Folder for masks"))
    ui.engineWidget.setDialogTitle(tr("Python of the engine"))
    ui.engineWidget.setFilePath(load_setting("engine_python"))
    for widget in (ui.folderWidget, ui.engineWidget, ui.thresholdSpinBox):
        widget.setMinimumWidth(60)
    ui.thresholdSpinBox.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    for group in (ui.bandsGroup, ui.adaptationGroup, ui.outputGroup, ui.advancedGroup, ui.adaptCurvesGroup):
        explain_arrow(group)
    for widget in (ui.progressBar, ui.cancelButton):
        keep_place(widget)
        widget.hide()
    line = ui.fontMetrics().lineSpacing()
    ui.statusLabel.setMinimumHeight(2 * line + 2)
    ui.footer.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
    ui.dockLayout.setStretch(0, 1)
    for label in (ui.understoodLabel, ui.queueLabel):
        mend_link(label).setMinimumHeight(line)
    embolden(ui.segmentButton)
    ui.queueLabel.hide()


def order_tabs(dock: Any) -> None:
    """Have Tab visit what was added to the form file from top to bottom; rows of results see to their own buttons."""
    ui, bands, bar = dock.ui, dock.bands, dock.delivery.bar
    for chain in (
        (ui.bandsGroup, *bands.fields()),
        (ui.engineWidget, dock.setup.manage_button, dock.setup.button, ui.segmentButton, ui.cancelButton),
        (ui.cancelButton, ui.adaptCurvesGroup, *bar.fields(), dock.results.scroll, dock.pages.button),
        (dock.pages.button, dock.pages.help_button),
    ):
        follow(*chain)


def follow(*chain: QWidget) -> None:
    """Have Tab visit these one after the other."""
    for index in range(1, len(chain)):
        QWidget.setTabOrder(chain[index - 1], chain[index])


def explain_arrow(group: QGroupBox) -> None:
    """Give the arrow that folds a group the tooltip of the group."""
    for button in group.findChildren(QToolButton, "collapseButton"):
        button.setToolTip(group.toolTip())


def keep_place(widget: QWidget) -> None:
    """Keep the place of a widget free while it is hidden, so that nothing jumps."""
    policy = widget.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    widget.setSizePolicy(policy)


def embolden(button: QPushButton) -> None:
    """Make the one button of a page stand out."""
    font = button.font()
    font.setBold(True)
    button.setFont(font)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("DockWidgets", text)
