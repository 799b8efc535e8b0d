"""One click that adapts, by a real worker and a real network: a verdict in words, a mask, and a model if it helped."""

import json

import pytest
import support
from osgeo import gdal
from qgis.PyQt.QtWidgets import QToolButton
from support import hidden_files, wait_until

pytestmark = [pytest.mark.gui, pytest.mark.slow]


@pytest.fixture(autouse=True)
def models_folder(tmp_path, monkeypatch):
    return support.models_folder_of(tmp_path, monkeypatch)


def test_a_scene_is_adapted_to_mapped_and_compared(dock, add_scene, click, project, picture, tmp_path, models_folder):
    add_scene(width=320, height=320)
    ui = dock.ui
    assert wait_until(lambda: ui.segmentButton.isEnabled() and dock.choice.models, 120), ui.statusLabel.text()
    assert wait_until(lambda: "not known" not in dock.adaptation.place_edits["LONGITUDE"].placeholderText(), 60)
    assert dock.adaptation.place_edits["LONGITUDE"].placeholderText().startswith("15"), "500 km east in UTM zone 33"
    assert dock.adaptation.place_edits["DATE"].placeholderText() == "not known"
    click(ui.adaptCheckBox)
    ui.adaptBudgetSpinBox.setValue(15)
    dock.adaptation.steps_spin.setValue(2)
    dock.adaptation.compare_box.setChecked(True)
    parent = ui.modelComboBox.currentData()
    click(ui.segmentButton)
    assert wait_until(lambda: not dock.queue.is_running, 400), ui.statusLabel.text()
    picture(dock, "dock_adapted_real")
    (text,) = dock.results.texts()
    adapted = "Adapted:" in text
    assert adapted or "Not adapted:" in text
    cards = list(models_folder.glob("*/card.json"))
    assert len(cards) == (1 if adapted else 0) and hidden_files(tmp_path) == []
    assert (dock.results.findChild(QToolButton, "beforeButton") is not None) == adapted
    assert set(gdal.Open(str(tmp_path / "scene_flood.tif")).ReadAsArray().ravel()) <= {0, 1, 255}
    if adapted:
        card = json.loads(cards[0].read_text())
        assert card["parent"] == parent and card["training"]["adaptation"]["verdict"] == "adapted"
        change = gdal.Open(str(tmp_path / "scene_flood_change.tif")).ReadAsArray()
        assert ((abs(change) <= 100) | (change == -32768)).all()
        assert wait_until(lambda: ui.modelComboBox.findData(card["name"]) >= 0, 30)
