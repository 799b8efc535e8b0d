"""By keyboard alone: every control is reached by Tab from top to bottom, and letters are not given twice."""

import re

import pytest
import visible
from qgis.gui import QgsCollapsibleGroupBox, QgsFileWidget
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QSlider,
    QTextBrowser,
    QTreeWidget,
    QWidget,
)
from support import pretended_client, settle, wait_until

pytestmark = pytest.mark.gui

FIELDS = (QComboBox, QAbstractSpinBox, QLineEdit, QgsFileWidget, QTreeWidget, QSlider, QPlainTextEdit)


@pytest.fixture
def quick_engine(monkeypatch):
    import hazard_mapper.hazard_plugin.plugin as module

    monkeypatch.setattr(module, "EngineClient", pretended_client)
    monkeypatch.setattr(module, "training_client", pretended_client)


@pytest.fixture
def client():
    made = pretended_client()
    yield made
    made.shutdown()


@pytest.fixture
def unfolded(quick_engine, dock, add_scene):
    """The dock in a window of its own with everything unfolded, and an earlier scene to choose."""
    add_scene("2020-05-01")
    add_scene()
    assert wait_until(lambda: dock.bands.findChild(QComboBox, "bandComboBox6") is not None, 20)
    dock.ui.adaptCheckBox.setChecked(True)
    for name in ("bandsGroup", "adaptationGroup", "outputGroup", "advancedGroup"):
        getattr(dock.ui, name).setCollapsed(False)
    result = {"HAZARD_AREA_M2": 13.4e6, "SHARE_ASSESSED": 0.92, "SECONDS": 21, "DEVICE_USED": "cpu"}
    dock.results.add_result("scene", result, "id", pairs=[("a", "b")])
    dock.delivery.bar.open("scene", 40)
    dock.setFloating(True)
    dock.resize(380, 1000)
    dock.activateWindow()
    settle()
    return dock


@pytest.fixture
def training(unfolded):
    """The training page with everything unfolded, for labels of one's own."""
    unfolded.pages.open_training()
    page = unfolded.pages.training
    ui = page.ui
    ui.trainDataComboBox.setCurrentIndex(ui.trainDataComboBox.findData("folder"))
    ui.trainAdvancedGroup.setCollapsed(False)
    settle()
    return page


@pytest.fixture
def shown(qgis_app):
    """Show a dialog or page in front; closed at the end."""
    made = []

    def show(widget):
        made.append(widget)
        widget.show()
        widget.activateWindow()
        settle(0.05)
        return widget

    yield show
    for widget in made:
        widget.hide()
        widget.deleteLater()


def dialogs(client):
    """What opens as a window, by name."""
    from hazard_mapper.hazard_plugin.card_form import CardForm
    from hazard_mapper.hazard_plugin.help_page import HelpDialog
    from hazard_mapper.hazard_plugin.models_dialog import ModelsDialog
    from hazard_mapper.hazard_plugin.options_page import OptionsPage
    from hazard_mapper.hazard_plugin.setup_page import SetupPage

    def setup():
        page = SetupPage(lambda: True)
        page.show()  # a group remembers by then whether it is folded
        group = page.findChild(QgsCollapsibleGroupBox, "setupAdvancedGroup")
        group.setSaveCollapsedState(False)
        group.setCollapsed(False)
        page.form.allow(True, False, True, True)
        return page

    def models():
        made = ModelsDialog(client)
        for button in made.buttons.values():
            button.setEnabled(True)
        return made

    return {
        "models": models,
        "card form": lambda: CardForm(None),
        "setup": setup,
        "options": lambda: OptionsPage([{"name": "cpu", "kind": "CPU, 2 threads"}]),
        "help": lambda: HelpDialog("models", None),
    }


NAMES = ("models", "card form", "setup", "options", "help")


def controls(top):
    """Visible controls that can be used."""
    kinds = (QAbstractButton, *FIELDS, QTextBrowser)
    for widget in visible.own_widgets(top):
        is_arrow = widget.objectName() == "collapseButton"  # its group takes the focus
        if isinstance(widget, kinds) and widget.isVisibleTo(top) and widget.isEnabled() and not is_arrow:
            yield widget


def of_own(widget, wanted):
    """The control that a focused widget belongs to."""
    while widget is not None:
        if widget in wanted:
            return widget
        widget = widget.parentWidget()
    return None


def walk(top, wanted, key=Qt.Key.Key_Tab):
    """Controls in the order in which Tab visits them, each once."""
    visited = []
    inside = [wanted[0], *wanted[0].findChildren(QWidget)]
    first = next(widget for widget in inside if widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    first.setFocus(Qt.FocusReason.TabFocusReason)
    for _ in range(200):
        focus = QApplication.focusWidget()
        if focus is None:
            break
        own = of_own(focus, wanted)
        if own is not None and own not in visited:
            visited.append(own)
        if isinstance(focus, (QTextBrowser, QPlainTextEdit)) and key == Qt.Key.Key_Tab:
            focus.focusNextPrevChild(True)
        else:
            QTest.keyClick(focus, key)
        if QApplication.focusWidget() is first:
            break
    return visited


def names_of(widgets):
    return [widget.objectName() or f"{type(widget).__name__} {getattr(widget, 'text', str)()}" for widget in widgets]


def check_reached(top):
    wanted = list(controls(top))
    assert len(wanted) > 1
    visited = walk(top, wanted)
    assert not set(names_of(wanted)) - set(names_of(visited)), names_of(visited)
    return visited


def check_order(top, visited):
    """Going on, Tab never leads up by more than a row, but to the beginning of another column."""
    places = [place_of(widget, top) for widget in visited]
    for index in range(1, len(places)):
        (area_before, y_before, x_before), (area, y, x) = places[index - 1], places[index]
        goes_up = area < area_before - 16 or (area == area_before and y < y_before - 16)
        assert not goes_up or x > x_before, names_of(visited[index - 1 : index + 1])


def place_of(widget, top):
    """How far down the widget, or the scrolled area that holds it, is; how far down in that area; and how far right."""
    area = widget.parentWidget()
    while area is not None and area is not top and not isinstance(area, QScrollArea):
        area = area.parentWidget()
    middle = QPoint(0, widget.height() // 2)
    if isinstance(area, QScrollArea):
        inside = widget.mapTo(area.widget(), middle)
        return area.mapTo(top, QPoint(0, 0)).y(), inside.y(), inside.x()
    return widget.mapTo(top, middle).y(), 0, widget.mapTo(top, middle).x()


def test_tab_reaches_all_of_the_dock_from_top_to_bottom(unfolded):
    visited = check_reached(unfolded.ui)
    check_order(unfolded.ui, visited)
    names = names_of(visited)
    wanted = [
        "layerComboBox",
        "beforeComboBox",
        "hazardComboBox",
        "sensorComboBox",
        "bandComboBox6",
        "compareCheckBox",
        "folderWidget",
        "manageEngineButton",
    ]
    wanted += ["segmentButton", "thresholdSlider", "zoomButton", "openTrainingButton", "helpButton"]
    assert [name for name in names if name in wanted] == wanted


def test_shift_and_tab_lead_back(unfolded):
    wanted = list(controls(unfolded.ui))
    there, back = walk(unfolded.ui, wanted), walk(unfolded.ui, wanted, Qt.Key.Key_Backtab)
    assert names_of(back) == names_of([there[0], *reversed(there[1:])])


def test_tab_reaches_all_of_the_training_page_from_top_to_bottom(training):
    check_order(training, check_reached(training))


@pytest.mark.parametrize("name", NAMES)
def test_tab_reaches_all_of_a_dialog_from_top_to_bottom(name, client, shown):
    top = shown(dialogs(client)[name]())
    check_order(top, check_reached(top))


# Names and letters


def nameless(top):
    """Fields and buttons that no label, spoken name or text tells of."""
    buddies = {label.buddy() for label in top.findChildren(QLabel) if label.buddy() is not None}
    found = []
    for widget in controls(top):
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        is_told = text or widget in buddies or widget.accessibleName()
        if not is_told and isinstance(widget, (*FIELDS, QAbstractButton)):
            found.append(widget)
    return names_of(found)


def letters(top):
    """Underlined letters of what is visible, and the texts that have each."""
    found = {}
    for widget in visible.own_widgets(top):
        if widget.isVisibleTo(top) and isinstance(widget, (QLabel, QAbstractButton, QGroupBox)):
            text = widget.title() if isinstance(widget, QGroupBox) else widget.text()
            for letter in re.findall(r"&([^&\s])", text.replace("&&", "")):
                assert not isinstance(widget, QLabel) or widget.buddy() is not None or "<" in text, text
                found.setdefault(letter.lower(), []).append(text)
    return found


def twice(top):
    return {letter: texts for letter, texts in letters(top).items() if len(texts) > 1}


@pytest.fixture(params=["en", "de"])
def language(request, qgis_app):
    from hazard_mapper.hazard_plugin.translation import Translation, catalogue_for

    made = Translation()
    if request.param != "en":
        assert made.install(catalogue_for(request.param))
    yield request.param
    made.remove()


def test_in_dock_and_training_everything_has_a_name_and_no_letter_is_given_twice(language, training, unfolded):
    assert not nameless(training) and not twice(training)
    unfolded.pages.open_mapping()
    settle()
    assert not nameless(unfolded.ui) and not twice(unfolded.ui)


@pytest.mark.parametrize("name", NAMES)
def test_in_a_dialog_everything_has_a_name_and_no_letter_is_given_twice(language, name, client, shown):
    top = shown(dialogs(client)[name]())
    assert not nameless(top) and not twice(top)


def test_letters_of_the_dock_are_not_those_of_the_menus_of_qgis(unfolded):
    """Project, Edit, View, Layer, Settings, Plugins, Vector, Raster, Database, Web, Mesh, Processing, Help."""
    taken = set("jevlsp" + "ordwmch")
    assert not taken & set(letters(unfolded.ui)), letters(unfolded.ui)


def unexplained(top):
    """Controls without a tooltip, but for Qt's own buttons such as Close."""
    found = []
    for widget in controls(top):
        box = widget.parentWidget()
        is_standard = isinstance(box, QDialogButtonBox) and box.standardButton(widget) != box.StandardButton.NoButton
        if not widget.toolTip() and not is_standard and not isinstance(widget, (QTextBrowser, QTreeWidget)):
            found.append(widget)
    return names_of(found)


@pytest.mark.parametrize("name", NAMES)
def test_every_control_of_a_dialog_explains_itself(name, client, shown):
    assert not unexplained(shown(dialogs(client)[name]()))


def test_every_control_of_dock_and_training_explains_itself(training, unfolded):
    assert not unexplained(training)
    unfolded.pages.open_mapping()
    assert not unexplained(unfolded.ui)


# Enter and Escape


@pytest.mark.parametrize("name", [name for name in NAMES if name != "options"])
def test_escape_closes_a_dialog(name, client, shown):
    top = shown(dialogs(client)[name]())
    QTest.keyClick(top, Qt.Key.Key_Escape)
    assert not top.isVisible()


def test_enter_in_the_list_of_models_shows_the_card_and_not_the_door(client, shown):
    dialog = shown(dialogs(client)["models"]())
    cards = []
    dialog.show_card = lambda: cards.append(1)
    dialog.tree.setFocus()
    QTest.keyClick(dialog.tree, Qt.Key.Key_Return)
    assert cards == [1] and dialog.isVisible()


def test_enter_sets_the_engine_up_only_from_its_button(client, shown):
    page = shown(dialogs(client)["setup"]())
    started = []
    page._install = started.append
    assert [button.isDefault() for button in page.findChildren(QAbstractButton) if hasattr(button, "isDefault")].count(
        True
    ) == 1
    page.form.checkButton.setFocus()
    page.form.checkButton.clicked.disconnect()
    QTest.keyClick(page.form.checkButton, Qt.Key.Key_Space)
    assert not started
    page.form.setUpButton.setFocus()
    QTest.keyClick(page.form.setUpButton, Qt.Key.Key_Return)
    assert len(started) == 1


def test_the_focus_is_seen(unfolded):
    """What has the focus looks different from what has not, in every kind of control."""
    ui = unfolded.ui
    unfolded.window().setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)  # as once Tab was pressed
    for widget in (ui.hazardComboBox, ui.adaptCheckBox, ui.thresholdSpinBox, ui.segmentButton, ui.bandsGroup):
        ui.layerComboBox.setFocus(Qt.FocusReason.TabFocusReason)
        settle(0.05)
        before = widget.grab().toImage()
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        settle(0.05)
        assert widget.grab().toImage() != before, widget.objectName()
