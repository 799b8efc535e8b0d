"""The Models dialog with the real engine: what it lists, what it asks, and what is on the disk afterwards."""

import hashlib
import json
import shutil
import subprocess
import sys

import pytest
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QPushButton, QScrollArea, QTextBrowser
from support import ROOT, models_folder_of, settle, wait_until


@pytest.fixture
def home(tmp_path, monkeypatch):
    return models_folder_of(tmp_path, monkeypatch)


@pytest.fixture
def real_client(qgis_app):
    from hazard_mapper.hazard_plugin.engine_client import EngineClient
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation

    made = EngineClient(lambda: EngineLocation(sys.executable))
    yield made
    made.shutdown()


def shown(client):
    from hazard_mapper.hazard_plugin.models_dialog import ModelsDialog

    made = ModelsDialog(client)
    made.refresh()
    made.show()
    assert wait_until(lambda: made.models, 90)
    return made


@pytest.fixture
def dialog(real_client, home):
    made = shown(real_client)
    yield made
    made.close()
    made.deleteLater()


def given(tmp_path, name="radar", **changes):
    """Folder of a sound model that is not installed: a bundled one under another card."""
    folder = shutil.copytree(ROOT / "resources" / "models" / "unet", tmp_path / "given" / name)
    values = json.loads((folder / "card.json").read_text("utf-8"))
    values.update({"name": name, "title": f"Network {name}", **changes})
    (folder / "card.json").write_text(json.dumps(values), "utf-8")
    sums = [
        f"{hashlib.sha256((folder / file).read_bytes()).hexdigest()}  {file}\n"
        for file in ("card.json", "weights.safetensors")
    ]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return folder


def done(dialog):
    """Wait for the engine and for the list that follows; returns what is said."""
    names = [model.name for model in dialog.models]
    assert wait_until(lambda: not dialog._busy, 90)
    wait_until(lambda: [model.name for model in dialog.models] != names, 2)
    return dialog.status.text()


def enabled(dialog):
    return {name for name, button in dialog.buttons.items() if button.isEnabled()}


def press(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def bundled_names():
    return sorted(path.parent.name for path in (ROOT / "resources" / "models").glob("*/card.json"))


def test_it_lists_what_is_there_and_says_why_a_button_cannot_be_used(dialog):
    assert sorted(model.name for model in dialog.models) == bundled_names()
    assert enabled(dialog) == {"import"}
    dialog.select("unet")
    assert enabled(dialog) == {"import", "export", "card", "default"}
    assert "came with the plugin" in dialog.buttons["delete"].toolTip()
    dialog.select("unet", "unetplusplus")
    assert enabled(dialog) == {"import", "compare"}
    assert all(button.toolTip() for button in dialog.buttons.values())


def test_an_import_is_listed_chosen_and_told_to_the_dock(dialog, home, tmp_path):
    changes = []
    dialog.changed.connect(lambda: changes.append(1))
    dialog.ask_folder = lambda: str(given(tmp_path))
    dialog.import_menu.actions()[1].trigger()
    assert enabled(dialog) == set()
    assert "'radar' can be used now" in done(dialog) and len(changes) == 1
    assert [model.name for model in dialog.selected()] == ["radar"] and "delete" in enabled(dialog)
    assert sorted(p.name for p in (home / "radar").iterdir()) == ["SHA256SUMS", "card.json", "weights.safetensors"]


def test_a_refused_import_says_one_sentence_and_changes_nothing(dialog, home, tmp_path):
    changes = []
    dialog.changed.connect(lambda: changes.append(1))
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"PK\x03\x04 not quite")
    dialog.ask_zip = lambda: str(bad)
    dialog.import_menu.actions()[0].trigger()
    sentence = done(dialog)
    assert "is not a zip" in sentence and "\n" not in sentence
    assert changes == [] and list(home.iterdir()) == [] and "import" in enabled(dialog)
    dialog.ask_zip = lambda: ""
    dialog.import_menu.actions()[0].trigger()
    assert not dialog._busy


def test_an_export_is_a_zip_that_comes_in_again(dialog, home, tmp_path):
    dialog.import_path(str(given(tmp_path)))
    done(dialog)
    dialog.ask_target = lambda name: str(tmp_path / name)
    press(dialog.buttons["export"])
    assert "radar.zip" in done(dialog)
    dialog.confirm = lambda text: True
    press(dialog.buttons["delete"])
    assert "Deleted: radar" in done(dialog) and list(home.iterdir()) == []
    dialog.import_path(str(tmp_path / "radar.zip"))
    done(dialog)
    assert (home / "radar" / "card.json").is_file()


def test_deleting_asks_and_names_what_was_adapted_from_it(dialog, home, tmp_path):
    parent = given(tmp_path)
    dialog.import_path(str(parent))
    done(dialog)
    child = given(
        tmp_path,
        "child",
        default_for=[],
        adapted_for="flood",
        parent="radar",
        parent_sha256=hashlib.sha256((parent / "weights.safetensors").read_bytes()).hexdigest(),
    )
    dialog.import_path(str(child))
    assert "'child' can be used now" in done(dialog)
    names = [dialog.tree.topLevelItem(i).text(1) for i in range(dialog.tree.topLevelItemCount())]
    assert "radar" in names and "child" not in names, "adapted models hang below their parents"
    asked = []
    dialog.confirm = lambda text: asked.append(text) or False
    dialog.select("radar")
    press(dialog.buttons["delete"])
    assert len(asked) == 1 and not dialog._busy and (home / "radar").is_dir()


def test_the_default_of_a_hazard_is_chosen_and_taken_back(dialog, home, tmp_path):
    dialog.import_path(str(given(tmp_path, default_for=[])))
    done(dialog)

    def entry(hazard):
        return next(action for action in dialog.default_menu.actions() if action.text() == hazard)

    def default_for(name):
        return next(model.default_for for model in dialog.models if model.name == name)

    assert not entry("Landslide").isChecked()
    entry("Landslide").trigger()
    assert "answered by 'radar'" in done(dialog)
    assert wait_until(lambda: default_for("radar") == ["landslide"])
    assert json.loads((home / "defaults.json").read_text()) == {"landslide": "radar"}
    dialog.select("radar")
    assert entry("Landslide").isChecked()
    entry("Landslide").trigger()
    done(dialog)
    assert wait_until(lambda: default_for("radar") == [])
    assert json.loads((home / "defaults.json").read_text()) == {}


def test_cards_are_laid_side_by_side(dialog):
    dialog.select("unet", "unetplusplus")
    press(dialog.buttons["compare"])
    page = dialog.findChild(QDialog, "compareModelsDialog").findChild(QTextBrowser)
    text = page.toPlainText()
    for model in dialog.selected():
        assert model.title in text
        for row in model.card["scores"]:
            value = row["balanced_accuracy"]
            assert row["set"] in text and (value is None or f"{value:.3f}" in text)
    settle()
    page.parent().grab().save(str(pictures() / "compare_models.png"))
    page.parent().close()
    dialog.select("unet")
    press(dialog.buttons["card"])
    card = dialog.findChild(QDialog, "modelCardDialog")
    assert card.isVisible() and card.findChild(QPushButton, "manageModelsButton") is None
    card.close()


def test_a_comparison_shows_text_as_text_and_marks_the_best(qgis_app):
    from hazard_mapper.hazard_plugin.models import read_models
    from hazard_mapper.hazard_plugin.models_compare import comparison_html

    def row(name, value):
        return {"set": name, "hazard": "flood", "mode": "zero-shot", "balanced_accuracy": value, "iou": 0.5}

    models = read_models(
        [
            {"name": "a", "title": "<b>A</b>", "scores": [row("one", 0.9), row("two", 0.5), row("three", None)]},
            {"name": "b", "title": "B", "scores": [row("one", 0.8), row("two", 0.7), 3]},
            {"name": "c", "title": "C", "scores": "none"},
        ]
    )
    html = comparison_html(models[:2])
    assert "&lt;b&gt;A" in html and "<b>0.900 / 0.500</b>" in html and "<b>0.700 / 0.500</b>" in html
    assert "Mean of the 2 rows that all have" in html and "0.700" in html and "0.750" in html
    assert "Mean of the" not in comparison_html(models)
    assert "scored" in comparison_html(models[2:])


def test_a_card_says_of_what_a_network_tells_what_is_new(qgis_app):
    from hazard_mapper.hazard_plugin.model_card import card_html
    from hazard_mapper.hazard_plugin.models import read_models

    row = {"name": "a", "change_thresholds": {"flood": 0.3}}
    with_branch, without = (card_html(read_models([one])[0]) for one in (row, {"name": "a", "change_thresholds": {}}))
    assert "Thresholds for what is new</td><td>Flood 0.3<" in with_branch and "what is new" not in without


def test_a_card_of_others_is_text_in_tool_tips_too(qgis_app):
    from hazard_mapper.hazard_plugin.models import read_models

    hostile = "<img src='file://host/share/x.png'>"
    tip = read_models([{"name": "a", "description": hostile}])[0].tip
    assert "<img" not in tip and "&lt;img" in tip


def test_models_that_need_a_model_are_found_by_weights(qgis_app):
    from hazard_mapper.hazard_plugin.models import dependents_of, read_models

    rows = [
        {"name": "p", "weights_sha256": "1"},
        {"name": "x", "weights_sha256": "2", "parent_sha256": "1"},
        {"name": "y", "weights_sha256": "3", "parent_sha256": "2"},
        {"name": "z", "weights_sha256": "4", "parent_sha256": "9"},
    ]
    entries = read_models(rows)
    assert [entry.name for entry in dependents_of(entries, entries[0])] == ["x", "y"]
    twins = read_models([*rows, {"name": "q", "weights_sha256": "1"}])
    assert dependents_of(twins, twins[0]) == []
    assert dependents_of(entries, entries[3]) == []


MAKE_WEIGHTS = """
import sys, safetensors.torch
from engine.model import library_network
network = library_network("unet", "tu-mobilenetv3_small_050", (32, 16, 16, 8, 8), 3, 1)
safetensors.torch.save_file({n: t.contiguous() for n, t in network.state_dict().items()}, sys.argv[1])
"""


def test_weights_without_a_card_are_described_corrected_and_installed(dialog, home, tmp_path):
    path = tmp_path / "Mud net v2.safetensors"
    subprocess.run([sys.executable, "-c", MAKE_WEIGHTS, str(path)], cwd=ROOT, check=True, timeout=120)
    dialog.import_menu.actions()[2].trigger()
    form = dialog.findChild(QDialog, "cardForm")
    ok = form.buttons.button(QDialogButtonBox.StandardButton.Ok)
    press(ok)
    assert "Choose the file" in form.trouble.text()
    form.weights.setFilePath(str(path))
    assert form.name.text() == "Mud-net-v2"
    form.bands.setText("blue,green,red,nir")
    press(ok)
    assert "Name the encoder" in form.trouble.text()
    form.encoder.setCurrentText("tu-mobilenetv3_small_050")
    form.hazards.setText("mud flow")
    form.mean.setText("[0.1; 0.2 x]")
    form.licence.setCurrentText("MIT")
    press(ok)
    assert "not a list of numbers" in form.trouble.text() and form.isVisible()
    form.mean.setText("[0.1 0.2 0.3 0.4]")
    form.hazards.setText("mud_flow")
    press(ok)
    assert not ok.isEnabled()
    assert wait_until(lambda: "shape" in form.trouble.text(), 90), form.trouble.text()
    assert form.isVisible() and ok.isEnabled() and list(home.iterdir()) == []
    form.bands.setText("blue, green, red")
    press(ok)
    assert "Means are 4, expected 3" in form.trouble.text()
    form.mean.setText("0.1, 0.2, 0.3")
    press(ok)
    assert wait_until(lambda: not form.isVisible(), 90), form.trouble.text()
    assert "'Mud-net-v2' can be used now, for: Mud flow" in done(dialog)
    card = json.loads((home / "Mud-net-v2" / "card.json").read_text())
    assert card["hazards"] == ["mud_flow"] and card["needs"] == ["norm_blue", "norm_green", "norm_red"]


def test_a_form_that_is_closed_meanwhile_does_no_harm(dialog, home, tmp_path):
    dialog.import_menu.actions()[2].trigger()
    form = dialog.findChild(QDialog, "cardForm")
    form.weights.setFilePath(str(tmp_path / "nowhere.safetensors"))
    form.encoder.setCurrentText("resnet18")
    form.licence.setCurrentText("MIT")
    press(form.buttons.button(QDialogButtonBox.StandardButton.Ok))
    form.close()
    assert "not there" in done(dialog) and list(home.iterdir()) == []


def test_everything_in_the_form_says_what_it_is_for(dialog):
    dialog.import_menu.actions()[2].trigger()
    form = dialog.findChild(QDialog, "cardForm")
    rows = form.findChild(QFormLayout)
    for row in range(rows.rowCount()):
        label = rows.itemAt(row, QFormLayout.ItemRole.LabelRole).widget()
        field = rows.itemAt(row, QFormLayout.ItemRole.FieldRole).widget()
        assert field.toolTip() and label.toolTip() and "&" in label.text()
    assert all(action.toolTip() for action in dialog.import_menu.actions())
    settle()
    assert form.findChild(QScrollArea).widget().width() <= form.findChild(QScrollArea).viewport().width()
    dialog.grab().save(str(pictures() / "models_dialog.png"))
    form.grab().save(str(pictures() / "card_form.png"))
    form.close()


def pictures():
    folder = ROOT / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_the_card_opens_the_dialog(qgis_app):
    from hazard_mapper.hazard_plugin.model_card import ModelCardDialog
    from hazard_mapper.hazard_plugin.models import read_models

    asked = []
    dialog = ModelCardDialog(read_models([{"name": "a"}])[0], None, can_manage=True)
    dialog.manage_asked.connect(lambda: asked.append(1))
    dialog.show()
    press(dialog.findChild(QPushButton, "manageModelsButton"))
    assert asked == [1] and not dialog.isVisible()
    dialog.deleteLater()
