"""What the engine says in few fixed words, in the user's language; its whole sentences stay as it says them."""

import re
from typing import Any

from qgis.PyQt.QtCore import QCoreApplication

STAGES, JOBS, CARDS = "EngineStage", "EngineJob", "ModelCards"
"""Contexts of texts that stand in the engine's files, from where tests/i18n/strings.py collects them."""


def stage_title(stage: str) -> str:
    """What the engine is at."""
    return QCoreApplication.translate(STAGES, stage) if stage else ""


def field_help(text: str) -> str:
    """What a field of a job means."""
    return QCoreApplication.translate(JOBS, text)


def card_text(text: str) -> str:
    """Description or limits of a model: those of the bundled ones are known, others are shown as they are."""
    return QCoreApplication.translate(CARDS, text) if text else ""


def device_kind(kind: Any) -> str:
    """What a device is: ``CPU, 2 threads`` or the name of a GPU."""
    text = str(kind or "")
    threads = re.fullmatch(r"CPU, (\d+) threads", text)
    return tr("CPU, {count} threads").format(count=threads[1]) if threads else text


def source_title(source: Any) -> str:
    """Where the engine found place or day of a scene."""
    text = str(source or "")
    known = {
        "given": tr("given"),
        "not known": tr("not known"),
        "centre of the extent": tr("centre of the extent"),
        "centre of the polygons": tr("centre of the polygons"),
        "centre of the scene": tr("centre of the scene"),
    }
    begins = {
        "tag ": tr("tag {name}"),
        "file name ": tr("file name {name}"),
        "folder name ": tr("folder name {name}"),
    }
    for begin, title in begins.items():
        if text.startswith(begin):
            return title.format(name=text[len(begin) :])
    return known.get(text, text)


def slot_title(slot: str) -> str:
    """Name of a band's slot for people."""
    titles = {
        "coastal": tr("coastal"),
        "blue": tr("blue"),
        "green": tr("green"),
        "red": tr("red"),
        "nir": "NIR",
        "swir1": "SWIR 1",
        "swir2": "SWIR 2",
        "vv": "VV",
        "vh": "VH",
    }
    return titles.get(slot, slot)


def sensor_title(sensor: str) -> str:
    """Name of a sensor for people."""
    titles = {
        "sentinel-1": "Sentinel-1",
        "sentinel-2-l1c": "Sentinel-2 L1C",
        "sentinel-2-l2a": "Sentinel-2 L2A",
        "landsat-5": "Landsat 5",
        "landsat-7": "Landsat 7",
        "landsat-8": "Landsat 8",
        "landsat-9": "Landsat 9",
        "planetscope": "PlanetScope",
        "rgb": "RGB",
    }
    return titles.get(sensor, sensor)


def units_title(units: Any) -> str:
    """Name of units for people."""
    titles = {
        "reflectance": tr("reflectance"),
        "reflectance*10000": tr("reflectance × 10000"),
        "reflectance*10000-1000": tr("reflectance × 10000, offset 1000"),
        "landsat-c2": "Landsat Collection 2",
        "byte": tr("display values 0-255"),
        "db": tr("decibel"),
        "linear": tr("linear power"),
        "raw": tr("raw values"),
    }
    return titles.get(str(units), str(units))


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("EngineTexts", text)
