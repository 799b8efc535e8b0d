"""Settings of the plugin live as long as its folder."""

import shutil

import pytest
from hazard_mapper.hazard_plugin import uninstalled
from hazard_mapper.hazard_plugin.settings import load_setting, save_setting
from qgis.core import QgsSettings
from qgis.PyQt.QtCore import QCoreApplication, QFileSystemWatcher
from support import settle, wait_until


@pytest.fixture
def folder(tmp_path):
    """A folder as of an installed plugin, with a setting that only the plugin has."""
    uninstalled.stop_watching()
    made = tmp_path / "hazard_mapper"
    (made / "inner").mkdir(parents=True)
    (made / "inner" / "file.py").write_text("")
    save_setting("engine_folder", str(tmp_path / "engine"))
    QgsSettings().setValue("other/key", "kept")
    yield made
    uninstalled.stop_watching()
    QgsSettings().remove("hazardmapper")
    QgsSettings().remove("other")


def test_settings_go_with_the_folder_and_those_of_others_stay(folder):
    uninstalled.watch_for_uninstall(str(folder))
    shutil.rmtree(folder)
    assert wait_until(lambda: not load_setting("engine_folder"), 5)
    assert QgsSettings().value("other/key") == "kept"
    assert QCoreApplication.instance().findChild(QFileSystemWatcher, uninstalled.NAME) is None


def test_settings_stay_when_the_folder_is_replaced_as_by_an_upgrade(folder):
    uninstalled.watch_for_uninstall(str(folder))
    shutil.rmtree(folder)
    folder.mkdir()
    settle(0.5)
    assert load_setting("engine_folder")


def test_settings_stay_when_the_plugin_is_loaded_again_or_only_disabled(folder):
    uninstalled.watch_for_uninstall(str(folder))
    (folder / "new.py").write_text("")
    settle(0.3)
    assert load_setting("engine_folder")
    uninstalled.stop_watching()
    shutil.rmtree(folder)
    settle(0.3)
    assert load_setting("engine_folder")


def test_one_watch_is_enough(folder):
    for _ in range(3):
        uninstalled.watch_for_uninstall(str(folder))
    assert len(QCoreApplication.instance().findChildren(QFileSystemWatcher, uninstalled.NAME)) == 1


def test_an_engine_that_stays_is_named_and_not_touched(folder, monkeypatch):
    engine = folder.parent / "engine"
    (engine / "lib").mkdir(parents=True)
    told = []
    monkeypatch.setattr(uninstalled, "tell_of", told.append)
    shutil.rmtree(folder)
    uninstalled.forget_if_gone(str(folder))
    assert told == [str(engine)] and (engine / "lib").is_dir()
