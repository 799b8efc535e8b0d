"""What somebody else's project file may not decide: which files are replaced, where results go."""

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsRasterLayer
from qgis.PyQt.QtWidgets import QComboBox
from support import wait_until
from test_threshold_editor import editor, remembered, result, write  # noqa: F401  fixtures


@pytest.fixture
def told(monkeypatch):
    """Sentences in the message bar."""
    from hazard_mapper.hazard_plugin import threshold_editor

    said = []
    monkeypatch.setattr(threshold_editor, "tell", lambda iface, text, level: said.append(text))
    return said


def test_a_file_that_a_project_only_calls_a_mask_is_not_replaced(project, tmp_path, result, editor, told):  # noqa: F811
    """The layer's file holds no tag of Hazard Mapper, though the project says that it is a result."""
    precious = write(tmp_path / "precious.tif", np.full((40, 40), 7, "u1"), "my own")
    raster = gdal.Open(precious, gdal.GA_Update)
    raster.SetMetadata({})
    raster = None
    before = (tmp_path / "precious.tif").read_bytes()
    mask, probability = result
    project.removeMapLayer(mask.id())
    project.addMapLayer(remembered(QgsRasterLayer(precious, "flood"), "mask"))
    editor.open(probability)
    editor.apply(40)
    assert wait_until(lambda: bool(told), 60)
    assert "not replaced" in told[0]
    assert (tmp_path / "precious.tif").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if "partial" in path.name) == []


def test_a_project_decides_where_results_go_only_within_its_own_folder(tmp_path, project, monkeypatch):
    from hazard_mapper.hazard_plugin import settings

    kept = {}
    monkeypatch.setattr(settings, "load_setting", lambda name, default="": kept.get(name, default))
    monkeypatch.setattr(settings, "save_setting", kept.__setitem__)
    for name in ("theirs/masks", "elsewhere", "theirs2"):
        (tmp_path / name).mkdir(parents=True)
    found = {}
    project.setFileName(str(tmp_path / "theirs" / "project.qgz"))
    for name in ("theirs/masks", "theirs", "elsewhere", "theirs2", "theirs/../elsewhere"):
        project.writeEntry(settings.SCOPE, "folder", str(tmp_path / name))
        found[name] = bool(settings.load_choices(project)["folder"])
    assert found == {
        "theirs/masks": True, "theirs": True, "elsewhere": False, "theirs2": False, "theirs/../elsewhere": False,
    }  # fmt: skip
    settings.save_choices(project, {"folder": str(tmp_path / "elsewhere")})  # the user's own choice
    assert settings.load_choices(project)["folder"] == str(tmp_path / "elsewhere")


def test_a_model_that_a_project_names_by_its_folder_is_not_read(tmp_path, project, qgis_parent):
    """Only what the engine lists can be chosen; a name of a project is looked for there and nowhere else."""
    from hazard_mapper.hazard_plugin.bands_widget import select_data
    from hazard_mapper.hazard_plugin.settings import SCOPE, load_choices

    (tmp_path / "evil").mkdir()
    project.writeEntry(SCOPE, "model", str(tmp_path / "evil"))
    combo = QComboBox(qgis_parent)
    combo.addItem("U-Net", "unet")
    select_data(combo, load_choices(project)["model"])
    assert combo.currentData() == "unet"
