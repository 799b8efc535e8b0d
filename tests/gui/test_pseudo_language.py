"""Every text goes through tr(), and none is cut off where it is a third longer: shown in a pseudo-language."""

import json

import pytest
import visible
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QPoint
from qgis.PyQt.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from support import ROOT, pretended_client, settle, wait_until

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    return visible.write_pseudo(tmp_path_factory.mktemp("pseudo") / "hazardmapper_xx.ts")


@pytest.fixture
def strange(catalogue, qgis_app):
    from hazard_mapper.hazard_plugin.translation import Translation

    made = Translation()
    assert made.install(catalogue)
    yield
    made.remove()


@pytest.fixture(params=["xx", "de"])
def longer(request, catalogue, qgis_app):
    """A language whose texts are longer: the pseudo-language, and a real one."""
    from hazard_mapper.hazard_plugin.translation import Translation, catalogue_for

    made = Translation()
    assert made.install(catalogue if request.param == "xx" else catalogue_for(request.param))
    yield request.param
    made.remove()


@pytest.fixture
def quick_engine(monkeypatch):
    """A pretended worker behind the dock."""
    import hazard_mapper.hazard_plugin.plugin as module

    monkeypatch.setattr(module, "EngineClient", pretended_client)
    monkeypatch.setattr(module, "training_client", pretended_client)


@pytest.fixture
def client():
    made = pretended_client()
    yield made
    made.shutdown()


@pytest.fixture
def listed():
    """The bundled models, as the engine lists them."""
    cards = []
    for path in sorted((ROOT / "resources" / "models").glob("*/card.json")):
        card = json.loads(path.read_text("utf-8"))
        cards.append({**card, "name": path.parent.name, "bundled": True, "hazards": list(card["hazards"])})
    assert cards
    return cards


@pytest.fixture
def names(listed):
    """What stays as it is: names of programs, sensors, units, formats and models."""
    return (*NAMES, *(card["name"] for card in listed))


NAMES = (
    "Hazard Mapper", "CPU", " H100", "Adam", "AdamW", "U-Net", "Attention U-Net", "Residual U-Net",
    "NIR", "SWIR", "VV", "VH", "RGB", "Landsat Collection 2", "Landsat", "PlanetScope", "Sentinel",
    "GeoPackage", "Shapefile", "PDF", "PNG", "IoU", "km²", " GB", " MB", " s", " m", "scene", "cpu",
    "CC BY 4.0", "CC BY-SA 4.0", "CC BY-NC 4.0", "MIT", "Apache-2.0", "BSD-3-Clause", "GPL-3.0",
    "segmentation_models_pytorch", "torch", "segmentation-models-pytorch", "PyTorch", "CUDA", "safetensors",
)  # fmt: skip
VALUES = {
    "MODE": ("constraint", "adversarial", "literal", "statistics"),
    "ADAPT_MODE": ("constraint", "adversarial", "literal", "statistics"),
    "PRODUCT": ("DEL", "FEP", "GRA", "Delineation", "First Estimate", "Grading"),
    "PHASE": ("Not applicable",),
    "NOT_ASSESSED_MEANING": (
        "by name", "any value but", "Sentinel-2 SCL", "Landsat QA_PIXEL", "ASF layover and shadow", "own values",
        "own bits",
    ),
    "ARCHITECTURE": ("unet", "unetplusplus"),
    "OPTIMIZER": ("adam", "adamw"),
    "UNITS": ("reflectance*10000-1000", "reflectance*10000", "reflectance", "byte", "db", "linear", "raw"),
    "BEFORE_UNITS": ("reflectance*10000-1000", "reflectance*10000", "reflectance", "byte", "db", "linear", "raw"),
    "LEAVE_OUT": ("flood", "landslide"),
    "BANDS": ("coastal", "blue", "green", "red", "nir", "vv", "vh"),
    "BEFORE_BANDS": ("coastal", "blue", "green", "red", "nir", "vv", "vh"),
}  # fmt: skip
"""Values that are typed or chosen as they stand, in scripts too: the engine's, and those of the service's layout."""


def untranslated(tops, names):
    """Where a text is not of the pseudo-language, and that text."""
    found = set()
    for top in tops:
        for widget in visible.own_widgets(top):
            for kind, text in visible.texts_of_widget(widget):
                if visible.words_left(text, names):
                    name = widget.objectName() or type(widget).__name__
                    found.add((f"{top.objectName() or type(top).__name__}/{name}", kind, text))
    return sorted(found)


def test_in_the_dock_every_text_is_translated(strange, quick_engine, dock, add_scene, names, listed):
    add_scene()
    assert wait_until(lambda: "bands" in dock.ui.understoodLabel.text(), 20)
    dock._on_models(listed, None)
    result = {"HAZARD_AREA_M2": 13.4e6, "SHARE_ASSESSED": 0.92, "SECONDS": 21, "DEVICE_USED": "cpu"}
    dock.results.add_result("", result, "id", pairs=[("a", "b")])
    dock.results.add_result("", {"SHARE_ASSESSED": 0.995, "ADAPTED_MODEL": "unet", "REASON": "."}, "id")
    dock.results.add_result("", {"SHARE_ASSESSED": 1.0}, "")
    dock.delivery.bar.open("scene", 40)
    pretended = ("product name", "extent")  # what the pretended engine says of the scene; the real one has other words
    assert not untranslated([dock, dock.pages.make_training()], (*names, *pretended))


def test_without_an_engine_too(strange, quick_engine, dock, names, monkeypatch):
    from hazard_mapper.hazard_plugin.engine_location import find_engine

    monkeypatch.setattr(dock.client, "_locate", find_engine)
    monkeypatch.setenv("HAZARD_ENGINE_PYTHON", "/nowhere/python")
    dock.update_state()
    assert "/nowhere/python" in dock.ui.statusLabel.text() and dock.setup.button.isVisible()
    assert not untranslated([dock], (*names, "HAZARD_ENGINE_PYTHON"))


def test_in_the_dialogs_of_models_every_text_is_translated(strange, listed, names, client):
    from hazard_mapper.hazard_plugin.card_form import CardForm
    from hazard_mapper.hazard_plugin.model_card import ModelCardDialog
    from hazard_mapper.hazard_plugin.models import read_models
    from hazard_mapper.hazard_plugin.models_compare import CompareDialog
    from hazard_mapper.hazard_plugin.models_dialog import ModelsDialog

    dialog = ModelsDialog(client)
    dialog._on_models(listed, None)
    entries = read_models([{**card, "training": {}, "path": "", "scores": []} for card in listed])
    made = [dialog, CardForm(dialog), ModelCardDialog(entries[0], dialog, True), CompareDialog(entries, dialog)]
    known = (*names, "flood", *protocol_words())
    found = untranslated(made, known)
    for index in range(dialog.tree.topLevelItemCount()):
        item = dialog.tree.topLevelItem(index)
        cells = [item.text(column) for column in range(dialog.tree.columnCount())]
        found += [cell for cell in cells if visible.words_left(cell, names)]
    dialog.select("unet")
    dialog.update_state()
    found += untranslated([dialog], known)
    assert not found
    dialog.deleteLater()


def protocol_words():
    """Slots and encoders, which are typed."""
    from hazard_mapper.engine import protocol
    from hazard_mapper.hazard_plugin.card_form import ENCODERS

    return (*ENCODERS, *protocol.SLOTS, "card.json", "weights", "sha")


def test_in_set_up_and_options_every_text_is_translated(strange, names, qgis_app, monkeypatch):
    from hazard_mapper.hazard_plugin.options_page import OptionsPage
    from hazard_mapper.hazard_plugin.setup_page import SetupPage

    packages = ("timm", "numpy", "torchvision", "huggingface_hub", "pillow", "tqdm", "openvino")
    setup = SetupPage(lambda: True)
    options = OptionsPage([{"name": "cpu", "kind": "CPU, 2 threads"}])
    known = (*names, *packages, "HAZARD_ENGINE_PYTHON", "HAZARD_MODELS", "pip", "download.pytorch.org")
    assert not untranslated([setup, options], known)
    for made in (setup, options):
        made.deleteLater()


def test_in_pages_of_adaptation_and_help_every_text_is_translated(strange, names, qgis_app):
    from hazard_mapper.hazard_plugin.adaptation_report import AdaptationDialog
    from hazard_mapper.hazard_plugin.help_page import HelpDialog

    told = {
        "verdict": "rolled_back",
        "stages": [{"stage": "1", "alpha": 0.2, "steps": 4, "proxy": 0.1, "area_m2": 1e6, "accepted": False}],
        "characteristics": {"longitude": 12.0, "sources": {"longitude_latitude": "centre of the scene"}},
        "job": {"hazard": "flood", "mode": "constraint", "budget_s": 60, "seed": 1, "device": "cpu"},
    }
    dialog = AdaptationDialog("scene", told, None)
    assert not untranslated([dialog], names)
    pages = HelpDialog("models", None)
    pages.page.clear()  # the pages themselves are in English
    pages.setWindowTitle("")
    assert not untranslated([pages], names)


def test_in_reports_every_text_is_translated(strange, names, listed, qgis_app):
    from hazard_mapper.hazard_plugin.report_html import ReportContent, report_html

    scores = [{"set": "1", "hazard": "flood", "mode": "2", "balanced_accuracy": 0.9, "iou": 0.8, "false_area": 0.1}]
    card = {**listed[0], "scores": scores, "thresholds": {"flood": 0.5}, "licence": "CC BY 4.0"}
    told = {"hazard": "flood", "share_assessed": 0.5, "model": "unet", "threshold": 0.5, "job": {}, "time": "12:00"}
    steps = [{"kind": kind, "job": {}} for kind in ("threshold", "refine", "correct", "polygons")]
    page = report_html(
        ReportContent(
            "", "", "", {**told, "steps": steps}, [], "", "", areas_by_percent_m2=[1e6] * 101,
            polygons=[("1", "2", "3", "4")], exposure=[("1", "2", "3", 4, 5, 6)],
            evaluation={"tp": 1, "fp": 2, "fn": 3, "tn": 4, "not_assessed": 5, "iou": 0.5}, card=card,
        )
    )  # fmt: skip
    body = page[page.index("<body") :]
    left = visible.words_left(body, (*names, "flood", "attention_unet", "px", "SHA"))
    assert not left and len(body) > 3000, left


def test_in_the_toolbox_every_text_is_translated(strange, quick_engine, plugin, names):
    found = []
    for algorithm in QgsApplication.processingRegistry().providerById("hazardmapper").algorithms():
        for kind, text in visible.texts_of_algorithm(algorithm.create()):
            known = (*names, *VALUES.get(kind.split()[-1], ()), "auto", "cuda:N", "mps", "unet", "attention_unet")
            if visible.words_left(text, known):
                found.append((algorithm.name(), kind, visible.words_left(text, known), text))
    assert not found


def test_in_menus_and_toolbar_every_text_is_translated(strange, quick_engine, plugin, names, qgis_iface):
    actions = [plugin.dock_action, plugin.models_action, plugin.layer_action, plugin.dock.delivery.action]
    texts = [text for action in actions for text in (action.text(), action.toolTip())]
    texts += [call.args[0] for call in qgis_iface.addPluginToRasterMenu.call_args_list]
    assert len(texts) > 8 and not [text for text in texts if visible.words_left(text.replace("&", ""), names)]


def test_the_walk_finds_a_text_that_is_not_translated(strange, names, qgis_app):
    top = QWidget()
    layout = QVBoxLayout(top)
    for text in ("Run now", QCoreApplication.translate("Hazards", "Flood")):
        layout.addWidget(QPushButton(text))
    combo = QComboBox()
    combo.addItems(["first choice", "NIR"])
    layout.addWidget(combo)
    assert [text for _, _, text in untranslated([top], names)] == ["first choice", "Run now"]


# Nothing is cut off


def cut_off(top):
    """Visible buttons, boxes and labels that are narrower or lower than their text wants."""
    found = []
    for widget in visible.own_widgets(top):
        is_arrow = widget.objectName() == "collapseButton"  # QGIS's own, without a text
        if is_arrow or not widget.isVisibleTo(top):
            continue
        if isinstance(widget, QAbstractSpinBox):
            line = widget.findChild(QLineEdit)
            needed = widget.fontMetrics().horizontalAdvance(line.text()) + 4
            if line.width() < needed:
                found.append((widget.objectName(), line.text(), line.width(), needed))
        if not isinstance(widget, (QAbstractButton, QLabel, QGroupBox)):
            continue
        wanted, has = widget.minimumSizeHint(), widget.size()
        if isinstance(widget, QGroupBox):
            text_px = widget.fontMetrics().horizontalAdvance(widget.title())
            is_cut = text_px > has.width()
        elif isinstance(widget, QLabel) and widget.wordWrap():
            is_cut = has.height() < widget.heightForWidth(has.width())
        elif isinstance(widget, QLabel):
            is_cut = has.width() < wanted.width()
        else:
            is_cut = has.width() < wanted.width() or has.height() < wanted.height()
        if is_cut and not widget.objectName().startswith("openTraining"):  # elided on purpose, and told in its tip
            text = getattr(widget, "text", getattr(widget, "title", str))()
            found.append((widget.objectName() or type(widget).__name__, text, has.width(), wanted.width()))
    return found


def outside(top):
    """Visible widgets that reach beyond the right edge of the scrolled area or window that holds them."""
    found = []
    for widget in visible.own_widgets(top):
        if widget.isVisibleTo(top) and widget is not top and not widget.isWindow():
            right = widget.mapTo(top, QPoint(widget.width(), 0)).x()
            if right > top.width():
                found.append((widget.objectName() or type(widget).__name__, right, top.width()))
    return found


def test_the_dock_holds_longer_texts(longer, quick_engine, dock, add_scene, listed, picture):
    add_scene()
    assert wait_until(lambda: "bands" in dock.ui.understoodLabel.text(), 20)
    dock._on_models(listed, None)
    for name in ("bandsGroup", "adaptationGroup", "outputGroup", "advancedGroup"):
        getattr(dock.ui, name).setCollapsed(False)
    dock.setFloating(True)
    dock.resize(360, 1000)
    settle()
    picture(dock, f"dock_{longer}")
    assert dock.width() == 360 and not cut_off(dock.ui) and not outside(dock.ui)
    dock.pages.open_training()
    dock.pages.training.ui.trainAdvancedGroup.setCollapsed(False)
    settle()
    picture(dock, f"training_{longer}")
    assert dock.width() == 360 and not cut_off(dock.pages.training) and not outside(dock.pages.training)


def test_dialogs_hold_longer_texts(longer, listed, client, picture):
    from hazard_mapper.hazard_plugin.card_form import CardForm
    from hazard_mapper.hazard_plugin.models_dialog import ModelsDialog
    from hazard_mapper.hazard_plugin.options_page import OptionsPage
    from hazard_mapper.hazard_plugin.setup_page import SetupPage

    models = ModelsDialog(client)
    models._on_models(listed, None)
    options = OptionsPage([{"name": "cpu", "kind": "CPU, 2 threads"}])
    options.resize(700, 640)
    for made, name in (
        (models, "models"),
        (options, "options"),
        (SetupPage(lambda: True), "setup"),
        (CardForm(models), "card_form"),
    ):
        made.show()
        settle()
        picture(made, f"{name}_{longer}")
        assert not cut_off(made), name
        assert not outside(made), name
        made.hide()
    models.deleteLater()
    options.deleteLater()
