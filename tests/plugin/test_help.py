"""Help pages in QGIS: pictures, tables, sections, and the ways that lead there, all without a network."""

import re
from pathlib import Path

import pytest
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QColor, QDesktopServices, QImage, QPalette, QTextDocument, QTextTable
from qgis.PyQt.QtWidgets import QApplication, QPushButton
from support import ROOT, settle

IMAGE = (
    QTextDocument.ResourceType.ImageResource.value if hasattr(QTextDocument.ResourceType.ImageResource, "value") else 2
)
PAGES = ROOT / "resources" / "help"


@pytest.fixture
def browser(qgis_parent):
    from hazard_mapper.hazard_plugin.help_page import PageBrowser

    made = PageBrowser()
    made.resize(500, 400)
    made.show()
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def dialog(qgis_parent):
    from hazard_mapper.hazard_plugin.help_page import HelpDialog

    made = HelpDialog("index", qgis_parent)
    made.show()
    yield made
    made.close()
    made.deleteLater()


def write_picture(folder, width=900, height=300):
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(0x1F78DC)
    assert image.save(str(folder / "wide.png"))


def test_pictures_come_from_the_plugins_folder_and_fit_the_width(browser, tmp_path, monkeypatch):
    from hazard_mapper.hazard_plugin import help_page

    package, outside = tmp_path / "package", tmp_path / "outside"
    for folder in (package, outside):
        folder.mkdir()
        write_picture(folder)
    monkeypatch.setattr(help_page, "PACKAGE_FOLDER", str(package))
    browser.folder = str(package)
    shown = browser.loadResource(IMAGE, QUrl("wide.png"))
    assert 200 <= shown.width() < 500 and shown.height() == pytest.approx(shown.width() / 3, abs=1)
    for elsewhere in (
        "../outside/wide.png",
        "https://example.org/wide.png",
        QUrl.fromLocalFile(str(outside / "wide.png")),
    ):
        assert browser.loadResource(IMAGE, QUrl(elsewhere)).isNull(), elsewhere


def test_pictures_follow_the_width_of_the_window(browser, tmp_path, monkeypatch):
    from hazard_mapper.hazard_plugin import help_page

    monkeypatch.setattr(help_page, "PACKAGE_FOLDER", str(tmp_path))
    write_picture(tmp_path)
    browser.show_text("# Page\n\n![wide](wide.png)\n", str(tmp_path))
    for width in (500, 800, 1200, 400):
        browser.resize(width, 400)
        settle(0.05)
        image = browser.document().resource(IMAGE, QUrl("wide.png"))
        assert image.width() == min(900, browser.viewport().width() - 24), width
        assert not browser.horizontalScrollBar().isVisible(), width


def test_every_page_shows_its_pictures_and_no_markup(dialog):
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text("utf-8")
        dialog.show_page(page.stem)
        shown = dialog.page.toPlainText()
        assert shown.count("\ufffc") == len(re.findall(r"!\[", text)), page.name
        for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
            assert not dialog.page.loadResource(IMAGE, QUrl(picture)).isNull(), f"{page.name}: {picture}"
        assert "|---" not in shown and "](" not in shown and "**" not in shown, page.name
        assert dialog.windowTitle() == text.splitlines()[0][2:], page.name


def test_a_line_of_a_list_is_drawn_as_written(browser):
    browser.show_text("# A\n\n* **bold** plain\n* [link](there.md) plain\n* `code` plain\n", str(PAGES))
    document = browser.document()
    for word, is_plain in (("bold", False), ("plain", True)):
        assert (document.find(word).charFormat().fontWeight() <= 50) == is_plain, word
    begin = document.find("link")
    assert begin.charFormat().isAnchor()
    after = document.find("plain", begin)
    assert not after.charFormat().isAnchor()
    assert after.charFormat().foreground().color() != begin.charFormat().foreground().color()
    last = document.find("plain", after)
    families = [document.find(word).charFormat().font().family() for word in ("bold", "code")]
    assert families[0] != families[1] and last.charFormat().font().family() != families[1]


def test_tables_have_lines(dialog):
    dialog.show_page("engine_setup")
    tables = [frame for frame in dialog.page.document().rootFrame().childFrames() if isinstance(frame, QTextTable)]
    assert tables and all(table.format().border() == 1 for table in tables)


def test_links_lead_to_pages_and_sections_and_back(dialog):
    dialog.follow(QUrl("delivering.md#chain-of-custody"))
    settle()
    assert dialog.windowTitle() == "From a mask to what is handed over"
    assert dialog.page.verticalScrollBar().value() > 200
    dialog.follow(QUrl("../models/TRAINING.md"))
    assert dialog.windowTitle() == "How the bundled weights were made"
    dialog.go_back()
    assert dialog.windowTitle() == "From a mask to what is handed over"
    dialog.contents.click()
    assert dialog.windowTitle() == "Hazard Mapper: help"
    for link in ("../../../outside.md", "missing.md", "file:///etc/passwd.md"):
        dialog.follow(QUrl(link))
        assert dialog.windowTitle() == "Hazard Mapper: help", link


def test_help_is_in_the_menus_and_the_dock_and_leaves_with_the_plugin(loaded, qgis_iface, qgis_parent):
    from hazard_mapper.hazard_plugin.help_page import HelpDialog

    loaded.help.action.trigger()
    (first,) = loaded.iface.mainWindow().findChildren(HelpDialog)
    assert first.isVisible() and first.windowTitle() == "Hazard Mapper: help"
    QDesktopServices.openUrl(QUrl("hazardmapper:delivering#threshold"))
    settle()
    (same,) = loaded.iface.mainWindow().findChildren(HelpDialog)
    assert same.windowTitle() == "From a mask to what is handed over", "the window that is open is used again"
    same.close()
    button = loaded.dock.findChild(QPushButton, "helpButton")
    button.click()
    assert button.toolTip() and loaded.dock.findChild(HelpDialog).isVisible()
    loaded.dock.findChild(HelpDialog).close()


def test_every_algorithm_names_a_page_and_a_section_that_exist(loaded):
    from hazard_mapper.hazard_plugin.algorithm_pages import PAGES as PAGE_OF
    from hazard_mapper.hazard_plugin.help_page import anchor_of

    algorithms = QgsApplication.processingRegistry().providerById("hazardmapper").algorithms()
    assert {algorithm.name() for algorithm in algorithms} == set(PAGE_OF)
    for algorithm in algorithms:
        scheme, _, address = algorithm.helpUrl().partition(":")
        page, _, section = address.partition("#")
        text = Path(PAGES, f"{page}.md").read_text("utf-8")
        headings = {anchor_of(line.lstrip("#")) for line in text.splitlines() if line.startswith("#")}
        assert scheme == "hazardmapper" and (not section or section in headings), algorithm.name()


@pytest.fixture
def loaded(qgis_iface, project, qgis_processing):
    import hazard_mapper

    plugin = hazard_mapper.classFactory(qgis_iface)
    plugin.initGui()
    yield plugin
    plugin.unload()


def test_on_a_dark_theme_text_links_and_lines_are_the_themes(browser):
    dark = QPalette(browser.palette())
    for role, colour in (("Base", "#1f1f1f"), ("Text", "#e0e0e0"), ("Link", "#6cb2ff"), ("Mid", "#707070")):
        dark.setColor(getattr(QPalette.ColorRole, role), QColor(colour))
    light = QApplication.palette()
    QApplication.setPalette(dark)
    try:
        browser.show_text("# A page\n\nSee [there](there.md).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", str(PAGES))
        settle()
        image = browser.viewport().grab().toImage()
        sides = range(0, image.width()), range(0, image.height())
        pixels = [image.pixelColor(x, y).name() for x in sides[0] for y in sides[1]]
        assert max(set(pixels), key=pixels.count) == "#1f1f1f"
        assert {"#e0e0e0", "#707070", "#6cb2ff"} <= set(pixels)
    finally:
        QApplication.setPalette(light)
