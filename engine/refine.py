"""Take permanent water and impossible slopes out of a mask, each under a value of its own, and what is unseen."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from .layers import refined_layer
from .mask_codes import HAZARD, Codes, require_codes, require_mask
from .protocol import NOT_ASSESSED, ON_SLOPE, PERMANENT_WATER, RefineJob, job_to_dict
from .raster import MASK, MaskPair, Window, check_outputs, estimated_bytes
from .raster.tagged import TaggedRaster
from .raster.warped import SlopeRaster, WarpedRaster, tiles
from .reporting import Report
from .steps import with_step
from .unseen import SHARE_TOLD, Unseen, polygons_on
from .vector.kinds import is_only_vector
from .vector.water import ReferencePolygons

Flags = npt.NDArray[np.bool_]
UNSEEN_TAG = "HAZARD_NOT_ASSESSED"
"""Raster tag: JSON list, one entry a run, of what made pixels not assessed."""


def refine(job: RefineJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``refine`` command.

    What an earlier run took out (2 and 3) counts as hazard again, so that the filter can be taken back or repeated with
    other limits; a job without water and elevation leaves it out. In a mask that was compared with a scene from before
    the event, water (2) was there before and stays. Where the reference or the elevation model says
    nothing, a pixel stays as it is. What cannot be seen becomes not assessed, whatever it was, and stays so.

    Raises:
        BadInput: a file cannot be read or laid over the mask; nothing was written.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    report.stage("Refining the mask")
    warnings: list[str] = []
    with contextlib.ExitStack() as stack:
        mask = stack.enter_context(TaggedRaster(job.mask))
        require_mask(mask.tags, mask.description, mask.name)
        filters, unseen = _Filters(job, mask, stack), Unseen(job, mask, stack)
        check_outputs([job.out], overwrite=job.overwrite, expected_bytes=estimated_bytes(mask.window, 1))
        names = ("hazard", "water", "slope", "wanted", "no_reference", "no_slope", "before", "hidden", "no_view")
        tallies = {name: mask.new_tally() for name in names}
        job_id = report.job_id or uuid.uuid4().hex[:12]
        was_water = bool(mask.tags.get("HAZARD_BEFORE"))
        layer = refined_layer(job.out, mask.tags.get("HAZARD", "hazard"))
        pair = stack.enter_context(MaskPair({MASK: layer}, mask.grid, job_id))
        for top, values in mask.read_bytes():
            codes = require_codes(values, mask.name)
            before = codes != NOT_ASSESSED

            def tell(first: float, share: float, top: int = top, rows: int = len(codes)) -> None:
                report.progress((top + (first + share / 2) * rows) / mask.height, 0.0, 0.9)

            hidden, no_view = unseen.under(top, before, partial(tell, 0.0))
            assessed = before & ~hidden
            wanted = assessed & (codes != 0) & ~(was_water & (codes == PERMANENT_WATER))
            refined, no_reference, no_slope = filters.applied(top, wanted, codes, partial(tell, 0.5))
            refined[was_water & assessed & (codes == PERMANENT_WATER)] = PERMANENT_WATER
            refined[~assessed] = NOT_ASSESSED
            counted = {
                "hazard": refined == HAZARD,
                "water": refined == PERMANENT_WATER,
                "slope": refined == ON_SLOPE,
                "wanted": wanted,
                "no_reference": no_reference,
                "no_slope": no_slope,
                "before": before,
                "hidden": hidden,
                "no_view": no_view,
            }
            for name, flags in counted.items():
                tallies[name].add(top, flags, assessed, flags.size)
            pair.write(MASK, refined)
        areas = {name: tally.hazard_area_m2 for name, tally in tallies.items()}
        warn = report.warner(warnings)
        unseen.tell(_share(areas, "hidden", "before"), _share(areas, "no_view", "before"), warn)
        filters.tell(areas, warn)
        if filters.assumed_crs or unseen.assumed_crs:
            warn("Neither the mask nor the reference says its CRS; their coordinates were taken to be the same.")
        tags = with_step({**mask.tags, **_tags_of(job, mask.tags)}, "refine", job)
        pair.publish(tags, lambda share: report.progress(share, 0.9, 1.0), overwrite=job.overwrite)
    return {
        "mask": job.out,
        "hazard_area_m2": round(areas["hazard"], 2),
        "permanent_water_m2": round(areas["water"], 2),
        "ruled_out_by_slope_m2": round(areas["slope"], 2),
        "newly_not_assessed_m2": round(areas["hidden"], 2),
        "share_assessed": round(tallies["hazard"].share_assessed, 6),
        "share_without_reference": _share(areas, "no_reference") if job.permanent_water else None,
        "share_without_slope": _share(areas, "no_slope") if job.elevation else None,
        "share_without_visibility": _share(areas, "no_view", "before") if job.not_assessed else None,
        "warnings": warnings,
    }


def _tags_of(job: RefineJob, earlier: Mapping[str, str]) -> dict[str, str]:
    """What is said of the filters that hold for the pixels as they are now; an earlier run's stay where they do."""
    tags = {}
    if job.permanent_water or job.elevation:
        tags["HAZARD_REFINED"] = json.dumps(job_to_dict(job), ensure_ascii=True)
    if job.not_assessed:
        try:
            runs = json.loads(earlier.get(UNSEEN_TAG, "[]"))
        except ValueError:
            runs = []
        names = ("not_assessed", "not_assessed_values", "not_assessed_bits")
        run = {name: value for name, value in job_to_dict(job).items() if name in names}
        tags[UNSEEN_TAG] = json.dumps([*(runs if isinstance(runs, list) else []), run], ensure_ascii=True)
    return tags


def _share(areas: dict[str, float], name: str, of: str = "wanted") -> float:
    return round(areas[name] / areas[of], 6) if areas[of] else 0.0


class _Filters:
    """Permanent water and slopes under the pixels of a mask."""

    def __init__(self, job: RefineJob, mask: TaggedRaster, stack: contextlib.ExitStack) -> None:
        self._job = job
        self._mask = mask
        self._polygons: ReferencePolygons | None = None
        self._water: WarpedRaster | None = None
        self._slopes: SlopeRaster | None = None
        self._highest = -np.inf
        self._is_active = bool(job.permanent_water or job.elevation)
        reference = mask.georeference
        if job.permanent_water and is_only_vector(job.permanent_water):
            self._polygons = polygons_on(mask, job.permanent_water, "permanent water", "rivers, lakes and sea")
        elif job.permanent_water:
            self._water = stack.enter_context(WarpedRaster(job.permanent_water, reference, mask.name))
        if job.elevation:
            self._slopes = stack.enter_context(SlopeRaster(job.elevation, reference, mask.name))

    @property
    def assumed_crs(self) -> bool:
        """Whether neither the mask nor one of the references has a CRS."""
        return any(raster is not None and raster.assumed_crs for raster in (self._water, self._slopes))

    def applied(
        self, top: int, wanted: Flags, before: Codes, progress: Callable[[float], None]
    ) -> tuple[Codes, Flags, Flags]:
        """Codes of rows that begin at ``top``, and where hazard has no statement of water, and none of slope.

        Without a filter the codes are those from ``before``.
        """
        no_reference, no_slope = np.zeros(wanted.shape, bool), np.zeros(wanted.shape, bool)
        if not self._is_active:
            return before.copy(), no_reference, no_slope
        codes = wanted.astype(np.uint8)
        parts = list(tiles(wanted.shape))
        for count, part in enumerate(parts):
            progress(count / len(parts))
            hazard = wanted[part]
            if not hazard.any():
                continue
            window = Window(part[1].start, top + part[0].start, hazard.shape[1], hazard.shape[0])
            if self._slopes is not None:
                slopes = self._slopes.slope(window)
                no_slope[part] = hazard & np.isnan(slopes)
                codes[part][hazard & self._impossible(slopes)] = ON_SLOPE
            if self._polygons is not None:
                codes[part][hazard & self._polygons.read_window(window)] = PERMANENT_WATER
            elif self._water is not None:
                water, known = self._water_under(self._water, window, hazard)
                no_reference[part] = hazard & ~known
                codes[part][hazard & known & water] = PERMANENT_WATER
        return codes, no_reference, no_slope

    def _impossible(self, slopes: npt.NDArray[np.float32]) -> Flags:
        outside = np.zeros(slopes.shape, bool)
        with np.errstate(invalid="ignore"):
            if self._job.least_slope is not None:
                outside |= slopes < self._job.least_slope
            if self._job.most_slope is not None:
                outside |= slopes > self._job.most_slope
        return outside

    def _water_under(self, raster: WarpedRaster, window: Window, hazard: Flags) -> tuple[Flags, Flags]:
        values, known = raster.nearest(window)
        if raster.is_byte and not raster.declares_nodata:  # JRC's tiles do not always say that 255 is no value
            known &= values != NOT_ASSESSED
        seen = values[hazard & known]
        if seen.size:
            self._highest = max(self._highest, float(seen.max()))
        return values >= self._job.least_occurrence, known

    def tell(self, areas: dict[str, float], warn: Callable[[str], None]) -> None:
        """Warn of what the reference and the elevation model leave open."""
        job = self._job
        if self._polygons is not None and not self._polygons.is_near:
            name = os.path.basename(str(job.permanent_water))
            warn(f"No polygon of '{name}' lies on the mask: no permanent water was found.")
        if not self._is_active:
            return
        if not areas["wanted"]:
            seen = " that can be seen" if areas["hidden"] else ""
            warn(f"The mask holds no hazard{seen}; there was nothing to refine.")
            return
        for raster, name, what in (
            (self._water, "no_reference", "permanent water"),
            (self._slopes, "no_slope", "slope"),
        ):
            if raster is not None and not raster.touched:
                warn(f"'{raster.name}' does not reach the hazard area; nothing is known of its {what}.")
            elif raster is not None and _share(areas, name) >= SHARE_TOLD:
                warn(
                    f"'{raster.name}' says nothing on {what} for {_share(areas, name):.1%} of the hazard area, "
                    "which stays hazard there unless another filter takes it out."
                )
        if self._water is not None and -np.inf < self._highest < job.least_occurrence and self._highest <= 1:
            warn(
                f"The highest value of '{self._water.name}' under the hazard is {self._highest:g}, below the "
                f"{job.least_occurrence:g} from which water is permanent; if it holds 0 and 1, lower that value."
            )
