"""Where a hazard is sure, likely and possible, as polygons that do not overlap: what exposure is counted with."""

from __future__ import annotations

import contextlib
import math
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .evaluate import require_mask_values
from .mask_codes import require_probability
from .protocol import NOT_ASSESSED, BadInput, ZonesJob
from .raster import check_outputs
from .raster.population import PopulationRaster
from .raster.tagged import TaggedRaster
from .reporting import Report
from .threshold import least_percent
from .vector.zones import ZoneTrace

Bytes = npt.NDArray[np.uint8]

NONE, LOW, CENTRAL, HIGH, UNKNOWN = 0, 1, 2, 3, 4
"""Zones: no hazard; hazard in all three estimates; in the central and the high one; in the high one alone; not
assessed."""
ESTIMATES = {
    "low": (LOW,),
    "central": (LOW, CENTRAL),
    "high": (LOW, CENTRAL, HIGH),
    "not_assessed": (UNKNOWN,),
    "total": (NONE, LOW, CENTRAL, HIGH, UNKNOWN),
}
STEP_LOGIT = 1.0
"""How far, in log odds, the stricter and the looser cut lie from the threshold where none is given."""
USUAL_THRESHOLD = 0.5
VERTEX_BYTES = 64


def zones(job: ZonesJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return its JSON: cuts used, areas and, if asked, people of each estimate.

    The mask says what is hazard, so that what was taken out of it (permanent water, slopes) stays out of all three
    estimates. The low one keeps its pixels of at least the stricter cut, and those without a probability; the high
    one adds assessed pixels outside of at least the looser cut.

    Raises:
        BadInput: a raster is not what it should be; nothing was written.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    report.stage("Tracing where the hazard is sure, likely and possible")
    warnings: list[str] = []
    with TaggedRaster(job.mask) as mask, contextlib.ExitStack() as stack:
        if "probability" in mask.description:
            raise BadInput(f"'{mask.name}' is a probability; choose its mask, or apply a threshold to it first.")
        probability = stack.enter_context(TaggedRaster(job.probability)) if job.probability else None
        cuts = None
        if probability is not None:
            require_probability(probability.tags, probability.description, probability.name)
            mask.require_same_grid(probability)
            cuts = _cuts(job, mask.tags.get("HAZARD_THRESHOLD") or probability.tags.get("HAZARD_THRESHOLD"), warnings)
        people = _opened_people(job, mask, warnings)
        check_outputs([job.out], overwrite=job.overwrite, expected_bytes=VERTEX_BYTES * (mask.width + mask.height))
        tallies = {name: mask.new_tally() for name in ESTIMATES}
        counts = np.zeros(5)
        with ZoneTrace(job.out, mask.georeference, report.job_id or uuid.uuid4().hex[:12]) as trace:
            for top, found, percent in _rows(mask, probability):
                report.progress(top / mask.height, 0.0, 0.5)
                zone = _zones(found, percent, cuts)
                for name, members in ESTIMATES.items():
                    these = np.isin(zone, members)
                    tallies[name].add(top, these, these, zone.size)
                if people is not None:
                    weights = people.people(top, len(zone)).ravel()
                    counts += np.bincount(zone.ravel(), weights=weights, minlength=5)
                trace.add(top, zone)
            outline = trace.outline()
            polygons = trace.publish(lambda share: report.progress(share, 0.5, 1.0))
    known = [name for name in ESTIMATES if cuts is not None or name not in ("low", "high")]
    return {
        "out": job.out,
        "outline": outline,
        "polygons": polygons,
        "low_cut": cuts[0] if cuts else None,
        "high_cut": cuts[1] if cuts else None,
        "areas_m2": {name: round(tallies[name].hazard_area_m2, 2) if name in known else None for name in ESTIMATES},
        "people": _people(counts, known) if people is not None else None,
        "share_assessed": round(1 - tallies["not_assessed"].share_assessed, 6),
        "warnings": warnings,
    }


def _cuts(job: ZonesJob, threshold: str | None, warnings: list[str]) -> tuple[float, float]:
    """Stricter and looser cut of the probability; raises BadInput where the first is below the second."""
    try:
        middle = float(threshold or "")
    except ValueError:
        middle = math.nan
    if not 0 < middle < 1:
        middle = USUAL_THRESHOLD
        if job.low is None or job.high is None:
            warnings.append(f"The mask does not say its threshold; {middle} is taken for the estimates.")
    low = job.low if job.low is not None else moved_threshold(middle, STEP_LOGIT)
    high = job.high if job.high is not None else moved_threshold(middle, -STEP_LOGIT)
    if low < high:
        raise BadInput(
            f"The cut of the low estimate ({low:.0%}) is below that of the high one ({high:.0%}); the low estimate "
            "needs the stricter cut."
        )
    return round(low, 4), round(high, 4)


def moved_threshold(threshold: float, logit: float) -> float:
    """A threshold moved in log odds: 0.5 by one is 0.73."""
    return 1 / (1 + math.exp(-(math.log(threshold / (1 - threshold)) + logit)))


def _opened_people(job: ZonesJob, mask: TaggedRaster, warnings: list[str]) -> PopulationRaster | None:
    if not job.population:
        return None
    people = PopulationRaster(job.population, mask.georeference, density=job.density)
    if not people.covers_all:
        warnings.append(f"The population '{people.name}' covers only a part of the mask; nobody is counted elsewhere.")
    return people


def _rows(mask: TaggedRaster, probability: TaggedRaster | None) -> Iterator[tuple[int, Bytes, Bytes | None]]:
    """First row, mask and probability of each portion; raises BadInput where they hold strange values."""
    for top, found in mask.read_bytes():
        require_mask_values(found, mask.name)
        percent = None
        if probability is not None:
            percent = probability.read_rows(top, len(found))
            strange = np.setdiff1d(percent, (*range(101), NOT_ASSESSED))
            if strange.size:
                raise BadInput(
                    f"'{probability.name}' holds {strange[0]:g}; expected a probability of 0 to 100 per cent, 255 "
                    "where not assessed."
                )
        yield top, found, percent


def _zones(found: Bytes, percent: Bytes | None, cuts: tuple[float, float] | None) -> Bytes:
    """Zone of each pixel."""
    zone = np.where(found == 1, CENTRAL, NONE).astype(np.uint8)
    if percent is not None and cuts is not None:
        zone[(found == 1) & (percent >= least_percent(cuts[0]))] = LOW  # 255, drawn by hand, is sure as well
        possible = (percent >= least_percent(cuts[1])) & (percent != NOT_ASSESSED)
        zone[(found == 0) & possible] = HIGH
    zone[found == NOT_ASSESSED] = UNKNOWN
    return zone


def _people(counts: npt.NDArray[np.float64], known: list[str]) -> dict[str, float | None]:
    return {
        name: round(float(sum(counts[zone] for zone in members)), 3) if name in known else None
        for name, members in ESTIMATES.items()
    }
