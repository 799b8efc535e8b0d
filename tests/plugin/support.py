"""What plugin and GUI tests share: the plugin as QGIS imports it, scenes, and waiting with the event loop running."""

import contextlib
import gc
import os
import sys
import time
from pathlib import Path

import numpy as np
from osgeo import gdal, osr
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QEvent

ROOT = Path(__file__).resolve().parents[2]
FAKE = Path(__file__).resolve().parent / "fake"
PLUGINS = ROOT / "build" / "plugins"
gdal.UseExceptions()


def install_package():
    """Make the repository importable as ``hazard_mapper``, as QGIS does with an installed plugin."""
    PLUGINS.mkdir(parents=True, exist_ok=True)
    link = PLUGINS / "hazard_mapper"
    if not link.is_symlink():
        link.symlink_to(ROOT, target_is_directory=True)
    if str(PLUGINS) not in sys.path:
        sys.path.insert(0, str(PLUGINS))


def models_folder_of(tmp_path, monkeypatch):
    """An empty folder for the user's models, which the engine is told of."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("HAZARD_MODELS", str(folder))
    return folder


def jobs_sent_by(client, monkeypatch):
    """Kind and definition of every job that reaches the engine from now on, but for questions about models."""
    sent = []
    run = client.run

    def record(kind, job, *rest):
        if kind != "models":
            sent.append((kind, job))
        return run(kind, job, *rest)

    monkeypatch.setattr(client, "run", record)
    return sent


@contextlib.contextmanager
def pretended_provider():
    """Two clients with pretended workers, while the provider whose algorithms use them is registered."""
    from hazard_mapper.hazard_plugin.provider import HazardProvider

    client, training = pretended_client(), pretended_client()
    provider = HazardProvider(client, training)
    QgsApplication.processingRegistry().addProvider(provider)
    yield client, training
    QgsApplication.processingRegistry().removeProvider(provider)
    client.shutdown()
    training.shutdown()


def pretended_client():
    """An engine client whose worker only pretends; whoever made it shuts it down."""
    from hazard_mapper.hazard_plugin.engine_client import EngineClient
    from hazard_mapper.hazard_plugin.engine_location import EngineLocation

    return EngineClient(
        lambda: EngineLocation(sys.executable, str(FAKE)),
        startup_timeout_s=8,
        cancel_grace_s=0.5,
        silence_timeout_s=8,
    )


def drop_garbage():
    """Let go of QGIS objects in reference cycles while QGIS still lives; later they would crash it."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()


def wait_until(condition, timeout_s=20.0):
    """Run the event loop until the condition holds; False when time is up."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            return False
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        time.sleep(0.01)
    return True


def settle(seconds=0.3):
    """Let layouts and queued signals come to rest."""
    wait_until(lambda: False, seconds)


def write_scene(path, bands=6, width=96, height=80, epsg=32633, value=3000, dtype=gdal.GDT_UInt16, **options):
    """A reflectance-like scene with a dark lake in its middle; returns its path as text."""
    random = np.random.default_rng(7)
    names = ["B02", "B03", "B04", "B08", "B11", "B12"]
    raster = gdal.GetDriverByName("GTiff").Create(str(path), width, height, bands, dtype)
    origin = (12.0, 44.0, 0.0001) if epsg == 4326 else (500_000.0, 4_900_000.0, 10.0)
    raster.SetGeoTransform((origin[0], origin[2], 0, origin[1], 0, -origin[2]))
    if epsg:
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(epsg)
        raster.SetProjection(reference.ExportToWkt())
    for index in range(bands):
        pixels = random.normal(value, value / 12, (height, width)).clip(1)
        pixels[height // 4 : height // 2, width // 4 : width // 2] = value / 10
        band = raster.GetRasterBand(index + 1)
        band.WriteArray(pixels.astype(options.get("numpy_type", "u2")))
        if index < len(names) and options.get("named", True):
            band.SetDescription(names[index])
    raster = None
    return str(path)


def hidden_files(folder):
    """Names of unfinished outputs."""
    return [name for name in os.listdir(folder) if name.startswith(".")]
