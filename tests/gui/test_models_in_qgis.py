"""The Models dialog in QGIS: how it is reached, and that the dock lists what it changes."""

import hashlib
import json
import shutil

import pytest
from qgis.PyQt.QtWidgets import QDialog, QPushButton
from support import ROOT, models_folder_of, wait_until

pytestmark = pytest.mark.gui


def renamed(folder, name):
    """A sound model that is not installed."""
    made = shutil.copytree(ROOT / "resources" / "models" / "unet", folder / name)
    values = {**json.loads((made / "card.json").read_text("utf-8")), "name": name, "title": f"Network {name}"}
    (made / "card.json").write_text(json.dumps(values), "utf-8")
    files = ("card.json", "weights.safetensors")
    sums = [f"{hashlib.sha256((made / file).read_bytes()).hexdigest()}  {file}\n" for file in files]
    (made / "SHA256SUMS").write_text("".join(sums))
    return made


def test_the_dock_lists_an_imported_model_at_once(tmp_path, monkeypatch, dock, plugin, click, picture):
    models_folder_of(tmp_path, monkeypatch)
    assert wait_until(lambda: dock.choice.models, 90)
    click(dock.ui.modelInfoButton)
    card = dock.findChild(QDialog, "modelCardDialog")
    assert wait_until(card.isVisible)
    click(card.findChild(QPushButton, "manageModelsButton"))
    dialog = plugin.models_dialog
    assert wait_until(lambda: dialog.isVisible() and not card.isVisible() and dialog.models, 60)
    dialog.import_path(str(renamed(tmp_path, "mine")))
    combo = dock.ui.modelComboBox
    assert wait_until(lambda: combo.findData("mine") >= 0, 90), dialog.status.text()
    dialog.set_default(dock.choice.hazard(), "mine")
    assert wait_until(lambda: combo.itemData(0) == "mine", 60), dialog.status.text()
    picture(dialog, "models_dialog_in_qgis")
    dialog.confirm = lambda text: True
    dialog.select("mine")
    click(dialog.buttons["delete"])
    assert wait_until(lambda: combo.findData("mine") < 0, 60), dialog.status.text()


def test_the_menu_opens_it_and_unloading_closes_it(plugin):
    plugin.models_action.trigger()
    dialog = plugin.models_dialog
    assert dialog.isVisible()
    plugin.models_action.trigger()
    assert plugin.models_dialog is dialog
    plugin.unload()
    assert plugin.models_dialog is None and plugin.models_action is None
