"""Say how a scene's bands, units and grid are understood, before anything is computed."""

from __future__ import annotations

import math
from typing import Any

from .protocol import UNUSED, BadInput, InspectJob
from .raster import Scene


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
            "bands": [{"index": b.index, "slot": None, "description": b.description or None} for b in scene.bands],
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
        except BadInput as error:
            if job.bands is not None or job.sensor is not None:
                raise
            size = scene.georeference.pixel_size_m()
            result["gsd_m"] = job.gsd_m or (round(max(size), 4) if size else None)
            result["warnings"] = [str(error)]
            return result
        for band, slot in zip(result["bands"], understanding.match.slots, strict=True):
            band["slot"] = None if slot == UNUSED else slot
        result["units"] = understanding.units.name
        result["sensor"] = understanding.match.sensor
        result["gsd_m"] = round(max(understanding.gsd_m), 4)
        result["warnings"] = list(understanding.warnings)
        result["evidence"] = understanding.match.evidence
        return result


def _json_number(value: float) -> float | str:
    """JSON has no NaN and no infinity; those are named."""
    return value if math.isfinite(value) else str(value)
