"""Icons stand out from light and dark themes, are sharp at any size, and every command has one."""

import pytest
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QRectF
from qgis.PyQt.QtGui import QColor, QIcon, QImage, QPainter
from qgis.PyQt.QtSvg import QSvgRenderer
from support import ROOT

FOLDER = ROOT / "resources" / "icons"
NAMES = sorted(path.stem for path in FOLDER.glob("*.svg") if path.stem != "north_arrow")
BACKGROUNDS = {"light": "#f0f0f0", "white": "#ffffff", "Night Mapping": "#323232"}
LEAST = 3.0
"""Contrast that WCAG 2.1 asks of graphics (criterion 1.4.11)."""


def luminance(colour):
    parts = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in colour.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def drawn(name, size=48):
    """Colours of the opaque pixels of an icon."""
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    QSvgRenderer(str(FOLDER / f"{name}.svg")).render(painter, QRectF(0, 0, size, size))
    painter.end()
    pixels = [image.pixelColor(x, y) for x in range(size) for y in range(size)]
    return [QColor(pixel.red(), pixel.green(), pixel.blue()) for pixel in pixels if pixel.alpha() > 250]


def test_contrast_is_computed_as_wcag_does():
    assert contrast(QColor("black"), QColor("white")) == pytest.approx(21.0)
    assert contrast(QColor("#777777"), QColor("white")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "hazardmapper"])
def test_an_icon_stands_out_from_light_and_dark(name):
    colours = drawn(name)
    assert len(colours) > 150
    for background in BACKGROUNDS.values():
        clear = [colour for colour in colours if contrast(colour, QColor(background)) >= LEAST]
        assert len(clear) > 0.9 * len(colours), background


def test_the_plugins_own_icon_has_a_plate_that_stands_out_or_an_edge_that_does():
    colours = drawn("hazardmapper")
    for background in BACKGROUNDS.values():
        clear = [colour for colour in colours if contrast(colour, QColor(background)) >= LEAST]
        assert len(clear) > 0.4 * len(colours), background


@pytest.mark.parametrize("name", NAMES)
def test_an_icon_is_a_small_drawing_and_sharp_at_any_size(name):
    text = (FOLDER / f"{name}.svg").read_text("utf-8")
    assert len(text) < 1500 and "<image" not in text and "<text" not in text and "script" not in text
    icon = QIcon(str(FOLDER / f"{name}.svg"))
    for size in (16, 24, 48, 96):
        pixmap = icon.pixmap(size, size)
        assert (pixmap.width(), pixmap.height()) == (size, size)


def test_every_algorithm_and_action_has_an_icon_of_its_own(provider):
    files = {}
    for algorithm in QgsApplication.processingRegistry().providerById("hazardmapper").algorithms():
        path = algorithm.svgIconPath()
        assert path.startswith(str(ROOT)) or "hazard_mapper" in path
        assert not algorithm.icon().isNull()
        files.setdefault(path.replace("\\", "/").split("/")[-1], []).append(algorithm.name())
    assert set(files) <= {f"{name}.svg" for name in NAMES}
    assert "hazardmapper.svg" not in files, files
    assert [names for names in files.values() if len(names) > 1] == [["pretrainmodel", "trainhazard"]]
