"""The algorithm from the command line of QGIS, with the plugin installed in a profile of its own."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from osgeo import gdal
from support import ROOT, write_scene

PROGRAM = shutil.which("qgis_process.bin") or shutil.which("qgis_process")


@pytest.fixture
def qgis_process(tmp_path):
    plugins = tmp_path / "config" / "profiles" / "default" / "python" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "hazard_mapper").symlink_to(ROOT, target_is_directory=True)
    environment = {
        **os.environ,
        "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path / "config"),
        "QT_QPA_PLATFORM": "offscreen",
        "HAZARD_ENGINE_PYTHON": sys.executable,
    }

    def run(*arguments):
        return subprocess.run([PROGRAM, *arguments], env=environment, capture_output=True, text=True, timeout=120)

    enabled = run("plugins", "enable", "hazard_mapper")
    assert enabled.returncode == 0, enabled.stderr
    return run


@pytest.mark.skipif(PROGRAM is None, reason="qgis_process is not installed")
def test_qgis_process_writes_a_mask_and_leaves_no_worker(qgis_process, tmp_path):
    scene, mask = write_scene(tmp_path / "scene.tif"), tmp_path / "mask.tif"
    arguments = [f"--INPUT={scene}", "--HAZARD=flood", f"--OUTPUT={mask}"]
    ended = qgis_process("run", "hazardmapper:segmenthazard", "--json", *arguments)
    assert ended.returncode == 0, ended.stderr
    results = json.loads(ended.stdout[ended.stdout.index("{") :])["results"]
    assert results["OUTPUT"] == str(mask) and results["DEVICE_USED"] and results["HAZARD_AREA_M2"] >= 0
    assert gdal.Open(str(mask)).GetGeoTransform() == gdal.Open(scene).GetGeoTransform()
    refused = qgis_process("run", "hazardmapper:segmenthazard", *arguments, "--UNITS=feet")
    assert refused.returncode == 1 and "Units 'feet' is not known" in refused.stderr
    assert "Traceback" not in refused.stderr + ended.stderr
