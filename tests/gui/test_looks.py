"""Dock and dialogs in QGIS's own themes and on screens of other resolutions: readable, and nothing cut off."""

import os
import subprocess
import sys

import numpy as np
import pytest
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QPoint, QRect
from qgis.PyQt.QtGui import QColor, QImage
from qgis.PyQt.QtWidgets import QApplication, QLabel
from support import ROOT, pretended_client, settle, wait_until
from test_icons import contrast
from test_pseudo_language import cut_off, outside

pytestmark = pytest.mark.gui

READABLE = {"default": 4.5, "Night Mapping": 3.0, "Blend of Gray": 3.0}
"""Contrast that WCAG 2.1 asks of text (criterion 1.4.3); links of one dark theme and all text of the other have less.

The links of "Blend of Gray" are QGIS's blue on middle grey, with a contrast of 2, wherever QGIS has links; left out."""


@pytest.fixture
def quick_engine(monkeypatch):
    import hazard_mapper.hazard_plugin.plugin as module

    monkeypatch.setattr(module, "EngineClient", pretended_client)
    monkeypatch.setattr(module, "training_client", pretended_client)


@pytest.fixture
def theme(request, qgis_app):
    """One of the themes that come with QGIS."""
    palette, style = QApplication.palette(), qgis_app.styleSheet()
    if request.param not in QgsApplication.uiThemes():
        pytest.skip(f"this QGIS has no theme {request.param}")
    QgsApplication.setUITheme(request.param)
    yield request.param
    QgsApplication.setUITheme("default")
    qgis_app.setStyleSheet(style)
    QApplication.setPalette(palette)


def pages(plugin):
    """The dock and the dialogs, shown, by name."""
    from hazard_mapper.hazard_plugin.card_form import CardForm
    from hazard_mapper.hazard_plugin.setup_page import SetupPage

    dock = plugin.dock
    dock.show()
    dock.setFloating(True)
    dock.resize(360, 980)
    for name in ("bandsGroup", "adaptationGroup", "outputGroup", "advancedGroup"):
        getattr(dock.ui, name).setCollapsed(name != "advancedGroup")
    result = {"HAZARD_AREA_M2": 13.4e6, "SHARE_ASSESSED": 0.92, "SECONDS": 21, "DEVICE_USED": "cpu", "REASON": "Why."}
    dock.results.add_result("Flood - scene", result, "id")
    dock.delivery.bar.open("Flood - scene", 40)
    plugin.open_models()
    options = plugin.options.createWidget(None)
    options.resize(640, 620)
    made = {"dock": dock, "models": plugin.models_dialog, "options": options}
    made.update({"setup": SetupPage(lambda: True), "card_form": CardForm(plugin.models_dialog)})
    for page in made.values():
        page.show()
    assert wait_until(lambda: plugin.models_dialog.models, 20)
    settle(0.5)
    return made


def close(made):
    for name, page in made.items():
        page.hide()
        if name in ("options", "setup"):
            page.deleteLater()


def colours_of(label, picture):
    """The colour of most of a label in its page's picture, and the one of its letters: that which differs most."""
    place = QRect(label.mapTo(label.window(), QPoint(0, 0)), label.size())
    image = picture.copy(place).convertToFormat(QImage.Format.Format_RGB32)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    values, counts = np.unique(np.frombuffer(bits, np.uint32), return_counts=True)
    ground = QColor(int(values[counts.argmax()]))
    return ground, max((QColor(int(value)) for value in values), key=lambda colour: contrast(colour, ground))


@pytest.mark.parametrize("theme", ["default", "Night Mapping", "Blend of Gray"], indirect=True)
def test_texts_are_readable_in_every_theme_of_qgis(theme, quick_engine, plugin, add_scene, picture):
    add_scene()
    made = pages(plugin)
    try:
        seen = 0
        for name, page in made.items():
            picture(page, f"look_{theme.replace(' ', '_')}_{name}")
            assert not cut_off(page), name
            grabbed = page.window().grab().toImage()
            for label in page.findChildren(QLabel):
                if theme == "Blend of Gray" and "<a " in label.text():
                    continue
                whole = label.visibleRegion().boundingRect() == label.rect()
                if (
                    label.window() is page.window()
                    and label.isVisible()
                    and label.isEnabled()
                    and whole
                    and label.text().strip()
                ):
                    ground, ink = colours_of(label, grabbed)
                    assert contrast(ground, ink) >= READABLE[theme], (name, label.text(), ground.name(), ink.name())
                    seen += 1
        assert seen > 30
    finally:
        close(made)


def test_at_every_resolution_nothing_is_cut_off(quick_engine, plugin, add_scene, picture):
    add_scene()
    made = pages(plugin)
    try:
        for name, page in made.items():
            picture(page, f"look_{page.devicePixelRatioF():g}x_{name}")
            assert not cut_off(page) and not outside(page.widget() if name == "dock" else page), name
        wanted = float(os.environ.get("QT_SCALE_FACTOR", "1"))
        assert made["dock"].devicePixelRatioF() == pytest.approx(wanted)
    finally:
        close(made)


@pytest.mark.slow
@pytest.mark.skipif("QT_SCALE_FACTOR" in os.environ, reason="is itself such a run")
@pytest.mark.parametrize("factor", os.environ.get("HAZARD_SCREENS", "1.5").split(","))
def test_on_screens_of_high_resolution_too(factor):
    """The same in a QGIS of its own, as the scale is fixed once a program has begun; HAZARD_SCREENS=1.5,2 for more."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{__file__}", "-k", "every_resolution"]
    environment = {**os.environ, "QT_SCALE_FACTOR": factor, "QT_SCALE_FACTOR_ROUNDING_POLICY": "PassThrough"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout[-3000:]
