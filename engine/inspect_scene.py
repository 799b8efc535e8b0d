"""Say how a scene's bands, units and grid are understood, before anything is computed."""

from __future__ import annotations

import math
from typing import Any

from .bands import UnknownBands
from .characteristics import find_characteristics
from .protocol import UNUSED, InspectJob
from .raster import Scene, Understanding


def inspect_scene(job: InspectJob) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``inspect`` command.

    Bands that cannot be told are no error here: they are listed without slots, and a warning says what to do.

    Raises:
        BadInput: when the raster cannot be read.
    """
    with Scene(job) as scene:
        if job.extent is not None:
            scene.georeference.window_of(job.extent)
        result: dict[str, Any] = {
            "bands": [
                {"index": band.index, "slot": None, "description": band.description or None} for band in scene.all_bands
            ],
            "units": None,
            "sensor": job.sensor,
            "gsd_m": None,
            "nodata": next((_json_number(value) for value in scene.nodata if value is not None), None),
            "width": scene.width,
            "height": scene.height,
            "crs": scene.georeference.crs_name(),
            "warnings": [],
        }
        try:
            understanding = scene.understand()
        except UnknownBands as error:
            if job.bands is not None or job.sensor is not None:
                raise
            size, warning = scene.ground_sampling_distance()
            result["gsd_m"] = _short(max(size))
            result["warnings"] = [str(error), *([warning] if warning else [])]
            result["characteristics"] = _characteristics(scene, None, job)
            return result
        slots = {band.index: slot for band, slot in zip(scene.bands, understanding.match.slots, strict=True)}
        for band in result["bands"]:
            slot = slots.get(band["index"], UNUSED)
            band["slot"] = None if slot == UNUSED else slot
        result["units"] = understanding.units.name
        result["sensor"] = understanding.match.sensor
        result["gsd_m"] = _short(max(understanding.gsd_m))
        result["warnings"] = list(understanding.warnings)
        result["evidence"] = understanding.match.evidence
        result["characteristics"] = _characteristics(scene, understanding, job)
        return result


def _characteristics(scene: Scene, understanding: Understanding | None, job: InspectJob) -> dict[str, Any]:
    """Place, date and sensor with where each came from; null where not known."""
    found = find_characteristics(scene, understanding, job)
    longitude, latitude = found.characteristics.longitude, found.characteristics.latitude
    return {
        "longitude": None if longitude is None else round(longitude, 6),
        "latitude": None if latitude is None else round(latitude, 6),
        "date": found.date,
        "sensor": found.characteristics.sensor,
        "sources": dict(found.sources),
    }


def _short(metres: float) -> float:
    """Length with six significant digits."""
    return float(f"{metres:.6g}")


def _json_number(value: float) -> float | str:
    """JSON has no NaN and no infinity; those are named."""
    return value if math.isfinite(value) else str(value)
