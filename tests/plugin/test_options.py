"""The page in QGIS's options: what it shows, keeps, refuses, and what follows from it."""

import json
import shutil
import sys

import pytest
import support
from qgis.core import QgsApplication, QgsProject, QgsSettings
from qgis.gui import QgsOptionsPageWidget
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QDialog, QLabel

DEVICES = [{"name": "cpu", "kind": "cpu"}, {"name": "cuda:0", "kind": "NVIDIA H100"}]


@pytest.fixture(autouse=True)
def fresh_settings():
    QgsSettings().remove("hazardmapper")
    yield
    QgsSettings().remove("hazardmapper")


@pytest.fixture
def make_page(qgis_app, monkeypatch):
    from hazard_mapper.hazard_plugin.options_page import OptionsPage

    monkeypatch.delenv("HAZARD_MODELS", raising=False)
    made = []

    def make(devices=DEVICES):
        made.append(OptionsPage(devices))
        return made[-1]

    yield make
    for page in made:
        page.deleteLater()


@pytest.fixture
def loaded(qgis_iface, project, qgis_processing):
    import hazard_mapper

    plugin = hazard_mapper.classFactory(qgis_iface)
    plugin.initGui()
    yield plugin
    plugin.unload()


def stored(name):
    return QgsSettings().value(f"hazardmapper/{name}")


def choose(combo, data):
    combo.setCurrentIndex(combo.findData(data))
    assert combo.currentData() == data


def fill(page, tmp_path):
    """Choose something unusual everywhere; returns what is then to be stored."""
    masks, models = tmp_path / "masks é", tmp_path / "models"
    masks.mkdir()
    models.mkdir()
    choose(page.device_combo, "cuda:0")
    choose(page.probability_combo, "no")
    choose(page.adapt_combo, "yes")
    page.budget_spin.setValue(120)
    page.output_widget.setFilePath(str(masks))
    page.models_widget.setFilePath(str(models))
    page.python_widget.setFilePath(sys.executable)
    page.idle_spin.setValue(3)
    page.log_box.setChecked(True)
    return {
        "start/device": "cuda:0",
        "start/probability": "no",
        "start/adapt": "yes",
        "start/budget_s": "120",
        "output_folder": str(masks),
        "models_folder": str(models),
        "engine_python": sys.executable,
        "idle_minutes": "3",
        "log_everything": "yes",
    }


def test_what_is_chosen_is_kept_and_shown_again(make_page, tmp_path):
    page = make_page()
    changes = []
    page.applied.connect(changes.append)
    expected = fill(page, tmp_path)
    page.apply()
    assert {name: stored(name) for name in expected} == expected
    assert sorted(changes[0]) == sorted(expected)
    again = make_page(devices=None)
    assert again.values() == expected, "the device is shown although no engine was started yet"
    again.applied.connect(changes.append)
    again.apply()
    assert len(changes) == 1, "nothing changed, so nobody is told"


def test_nothing_is_kept_without_applying(make_page, tmp_path):
    expected = fill(make_page(), tmp_path)
    assert all(stored(name) is None for name in expected)


def test_reset_shows_the_usual_and_counts_when_applied(make_page, tmp_path):
    page = make_page()
    usual = page.values()
    expected = fill(page, tmp_path)
    page.apply()
    page.reset_button.click()
    assert page.values() == usual and set(usual.values()) == {""}
    assert stored("start/device") == expected["start/device"]
    page.apply()
    assert all(not stored(name) for name in expected)


def test_a_folder_that_cannot_be_used_is_said_and_not_kept(make_page, tmp_path):
    page = make_page()
    page.output_widget.setFilePath(str(tmp_path / "missing"))
    page.idle_spin.setValue(7)
    assert "does not exist" in page.output_note.text()
    page.apply()
    assert stored("output_folder") is None and stored("idle_minutes") == "7"


def test_nonsense_in_the_settings_shows_the_usual(make_page):
    for name in ("start/budget_s", "idle_minutes", "start/probability"):
        QgsSettings().setValue(f"hazardmapper/{name}", "nonsense")
    page = make_page()
    assert page.budget_spin.value() == 0 and page.idle_spin.value() == 15
    assert page.probability_combo.currentData() == ""


def test_a_time_too_short_for_adapting_becomes_the_shortest(make_page):
    page = make_page()
    page.budget_spin.setValue(4)
    QTest.keyClick(page.budget_spin, Qt.Key.Key_Return)
    assert page.values()["start/budget_s"] == "10"


def test_the_variable_for_models_goes_first_and_is_said(make_page, monkeypatch, tmp_path):
    monkeypatch.setenv("HAZARD_MODELS", str(tmp_path))
    from hazard_mapper.hazard_plugin.options_page import OptionsPage

    page = OptionsPage(DEVICES)
    assert not page.models_widget.isEnabled() and str(tmp_path) in page.models_note.text()
    page.deleteLater()


def test_a_new_project_starts_as_the_options_say_and_others_with_their_own(make_page, tmp_path, project):
    from hazard_mapper.hazard_plugin.settings import load_choices, save_choices

    save_choices(project, {"device": "cpu", "probability": "yes", "adaptation": json.dumps({"mode": "bn", "steps": 5})})
    fill(page := make_page(), tmp_path)
    page.apply()
    own = load_choices(project)
    assert (own["device"], own["probability"]) == ("cpu", "yes")
    fresh = load_choices(QgsProject())
    assert (fresh["device"], fresh["probability"], fresh["adapt"]) == ("cuda:0", "no", "yes")
    assert json.loads(fresh["adaptation"]) == {"mode": "bn", "steps": 5, "budget_s": 120}
    page.reset_button.click()
    page.apply()
    assert load_choices(QgsProject())["device"] == "cpu", "as last used"


def test_the_worker_is_started_with_what_the_options_say(make_page, tmp_path, monkeypatch, qgis_app):
    from hazard_mapper.hazard_plugin.engine_location import find_engine

    monkeypatch.setenv("HAZARD_ENGINE_PYTHON", sys.executable)
    assert find_engine().variables == ()
    page = make_page()
    expected = fill(page, tmp_path)
    page.apply()
    assert dict(find_engine().variables) == {
        "HAZARD_MODELS": expected["models_folder"],
        "HAZARD_WORKER_IDLE_S": "180",
    }


def test_the_real_worker_lists_models_of_the_folder_chosen(tmp_path, monkeypatch, qgis_app):
    from hazard_mapper.engine import protocol
    from hazard_mapper.hazard_plugin.engine_client import EngineClient

    monkeypatch.delenv("HAZARD_MODELS", raising=False)
    monkeypatch.setenv("HAZARD_ENGINE_PYTHON", sys.executable)
    shutil.copytree(support.ROOT / "resources" / "models" / "unet", tmp_path / "mine" / "my_copy")
    QgsSettings().setValue("hazardmapper/models_folder", str(tmp_path / "mine"))
    client = EngineClient()
    try:
        names = {card["name"] for card in client.run("models", protocol.ModelsJob())}
    finally:
        client.shutdown()
    assert {"unet", "my_copy"} <= names


def test_a_change_of_what_the_worker_needs_starts_another_for_the_next_job(qgis_app):
    from hazard_mapper.engine import protocol
    from hazard_mapper.hazard_plugin.engine_client import EngineClient
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation
    from hazard_mapper.hazard_plugin.settings import worker_variables

    def locate():
        return EngineLocation(sys.executable, str(support.FAKE), tuple(worker_variables().items()))

    client = EngineClient(locate, startup_timeout_s=20)
    started = []
    client.hello_received.connect(started.append)
    try:
        for minutes, workers in (("", 1), ("", 1), ("5", 2), ("5", 2)):
            QgsSettings().setValue("hazardmapper/idle_minutes", minutes)
            client.run("models", protocol.ModelsJob())
            assert support.wait_until(lambda wanted=workers: len(started) == wanted, 5)
    finally:
        client.shutdown()


@pytest.mark.parametrize("wanted", [False, True])
def test_what_the_engine_prints_is_logged_only_when_wanted(client, qgis_app, wanted, tmp_path):
    from hazard_mapper.engine import protocol

    QgsSettings().setValue("hazardmapper/log_everything", "yes" if wanted else "")
    said = []

    def keep(*told):
        said.append(told[0])

    QgsApplication.messageLog().messageReceived.connect(keep)
    try:
        with pytest.raises(protocol.HazardError):
            client.run("segment", protocol.SegmentJob(raster="a.tif", hazard="crash", mask=str(tmp_path / "m.tif")))
        assert support.wait_until(lambda: any("Last words" in text for text in said), 5)
    finally:
        QgsApplication.messageLog().messageReceived.disconnect(keep)
    assert ("Segmentation fault in the pretended driver" in said) == wanted


def test_the_page_is_registered_and_taken_away_again(loaded, qgis_iface):
    factory = loaded.options
    qgis_iface.registerOptionsWidgetFactory.assert_called_with(factory)
    assert factory.title() == "Hazard Mapper" and not factory.icon().isNull()
    page = factory.createWidget(None)
    assert isinstance(page, QgsOptionsPageWidget) and "/python" in page.engine_label.text()
    page.deleteLater()
    loaded.unload()
    qgis_iface.unregisterOptionsWidgetFactory.assert_called_with(factory)
    assert loaded.options is None


def test_the_dock_follows_at_once_unless_something_was_chosen_in_it(loaded, tmp_path):
    page = loaded.options.createWidget(None)
    choose(page.probability_combo, "no")
    page.budget_spin.setValue(200)
    page.apply()
    dock = loaded.dock
    assert not dock.ui.probabilityCheckBox.isChecked() and dock.ui.adaptBudgetSpinBox.value() == 200
    dock.ui.probabilityCheckBox.setChecked(True)
    page.budget_spin.setValue(300)
    page.apply()
    assert dock.ui.probabilityCheckBox.isChecked() and dock.ui.adaptBudgetSpinBox.value() == 200
    python = tmp_path / "python"
    python.write_text("")
    page.python_widget.setFilePath(str(python))
    page.apply()
    assert dock.ui.engineWidget.filePath() == str(python)
    page.deleteLater()


def test_every_option_is_told_on_its_help_page(make_page):
    page = make_page()
    told = (support.ROOT / "resources" / "help" / "options.md").read_text("utf-8")
    labels = [label.text().replace("&", "") for label in page.findChildren(QLabel) if label.buddy() is not None]
    assert len(labels) == 9 and not [
        text for text in [*labels, page.log_box.text().replace("&", "")] if text not in told
    ]
    page.help_button.click()
    (dialog,) = page.findChildren(QDialog, "helpDialog")
    assert dialog.windowTitle() == "Options, language, keyboard"
    dialog.close()


def test_the_button_opens_the_set_up(loaded):
    page = loaded.options.createWidget(None)
    page.setup_button.click()
    assert loaded.dock.setup.page.isVisible()
    loaded.dock.setup.page.close()
    page.deleteLater()
