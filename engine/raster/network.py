"""Keeps GDAL off the network, where a file may lead it, unless the job itself names what lies there."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osgeo import gdal, osr

ALLOWED = "HAZARD_NETWORK"
"""Environment variable: set to 1, files may lead the engine to the network, as they may lead QGIS."""
NOWHERE = "http://127.0.0.1:9"
"""A proxy that answers nobody."""
CLOSED = {
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "nothing",
    "GDAL_HTTP_PROXY": NOWHERE,
    "GDAL_HTTPS_PROXY": NOWHERE,
}
"""GDAL options while the network is closed: the first is for its remote file systems, the others for its drivers."""
DATABASES = (
    "PostgreSQL", "PostGISRaster", "MySQL", "MSSQLSpatial", "ODBC", "PGeo", "OCI", "GeoRaster", "HANA", "MongoDBv3",
    "OGR_OGDI", "Rasdaman", "TileDB", "SDE", "Walk",
)  # fmt: skip
"""Drivers with connections of their own, which heed none of these options."""
_SKIPPED = ("GDAL_SKIP", "OGR_SKIP")
_EXCEPTIONS_TO_PROXIES = ("no_proxy", "NO_PROXY")

_lock = threading.Lock()
_taken: dict[str, str] = {}
_drivers: list[Any] = []
_state = {"closed": False, "open_jobs": 0}


def close_network() -> None:
    """Close the network for this process, once; what runs now or later within ``open_network`` is let through."""
    with _lock:
        if _state["closed"] or os.environ.get(ALLOWED) == "1":
            return
        _state["closed"] = True
        # The netCDF library has a client of its own, which looks for its settings when it is first used.
        os.environ["NCRCENV_RC"] = str(Path(__file__).with_name("offline.ncrc"))
        osr.SetPROJEnableNetwork(False)
        if not _state["open_jobs"]:
            _close()


@contextlib.contextmanager
def open_network() -> Iterator[None]:
    """Let GDAL reach the network meanwhile: the user named something that lies there."""
    with _lock:
        _state["open_jobs"] += 1
        if _state["closed"] and _state["open_jobs"] == 1:
            _open()
    try:
        yield
    finally:
        with _lock:
            _state["open_jobs"] -= 1
            if _state["closed"] and not _state["open_jobs"]:
                _close()


def is_closed() -> bool:
    """Whether what a file says of the network is passed over now."""
    return bool(_state["closed"] and not _state["open_jobs"])


def _close() -> None:
    for name, value in CLOSED.items():
        gdal.SetConfigOption(name, value)
    for name in _SKIPPED:  # or they would be there again as soon as anything asks for all drivers
        gdal.SetConfigOption(name, " ".join((os.environ.get(name, ""), *DATABASES)))
    for name in _EXCEPTIONS_TO_PROXIES:
        if name in os.environ:
            _taken[name] = os.environ.pop(name)
    for name in DATABASES:
        driver = gdal.GetDriverByName(name)
        if driver is not None:
            driver.Deregister()
            _drivers.append(driver)


def _open() -> None:
    for name in (*CLOSED, *_SKIPPED):
        gdal.SetConfigOption(name, None)
    os.environ.update(_taken)
    _taken.clear()
    for driver in _drivers:
        driver.Register()
    _drivers.clear()
