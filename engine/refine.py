"""Take permanent water and impossible slopes out of a mask, each under a value of its own, so that it can return."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .layers import HAZARD_COLOURS, OTHER_COLOUR, STYLES, title_of
from .mask_codes import HAZARD, Codes, require_codes, require_mask
from .protocol import NOT_ASSESSED, ON_SLOPE, PERMANENT_WATER, BadInput, RefineJob, job_to_dict
from .raster import MASK, Layer, MaskPair, Window, check_outputs, estimated_bytes
from .raster.placing import is_placed
from .raster.tagged import TaggedRaster
from .raster.warped import TILE_PX, SlopeRaster, WarpedRaster
from .reporting import Report
from .vector.kinds import is_only_vector
from .vector.water import WaterPolygons

Flags = npt.NDArray[np.bool_]
WATER_COLOUR, SLOPE_COLOUR = (126, 214, 223, 255), (120, 120, 120, 255)
SHARE_TOLD = 0.005
"""Share of the hazard area without a statement from which it is worth a warning."""


def refined_layer(path: str, hazard: str) -> Layer:
    """A mask whose style also shows what was taken out."""
    style = STYLES / f"refined_{hazard}.qml"
    if not style.exists():
        style = STYLES / "refined.qml"
    colours = {
        HAZARD: HAZARD_COLOURS.get(hazard, OTHER_COLOUR),
        PERMANENT_WATER: WATER_COLOUR,
        ON_SLOPE: SLOPE_COLOUR,
    }
    return Layer(path, title_of(hazard), colours, str(style))


def refine(job: RefineJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``refine`` command.

    What an earlier run took out (2 and 3) counts as hazard again, so that the filter can be taken back or repeated with
    other limits. Where the reference or the elevation model says nothing, a pixel stays as it is.

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
        filters = _Filters(job, mask, stack)
        check_outputs([job.out], overwrite=job.overwrite, expected_bytes=estimated_bytes(mask.window, 1))
        names = ("hazard", "water", "slope", "wanted", "no_reference", "no_slope")
        tallies = {name: mask.new_tally() for name in names}
        job_id = report.job_id or uuid.uuid4().hex[:12]
        layer = refined_layer(job.out, mask.tags.get("HAZARD", "hazard"))
        pair = stack.enter_context(MaskPair({MASK: layer}, mask.grid, job_id))
        for top, values in mask.read_bytes():
            codes = require_codes(values, mask.name)
            assessed = codes != NOT_ASSESSED
            wanted = assessed & (codes != 0)

            def progress(share: float, top: int = top, rows: int = len(codes)) -> None:
                report.progress((top + share * rows) / mask.height, 0.0, 0.9)

            refined, no_reference, no_slope = filters.applied(top, wanted, progress)
            refined[~assessed] = NOT_ASSESSED
            counted = {
                "hazard": refined == HAZARD,
                "water": refined == PERMANENT_WATER,
                "slope": refined == ON_SLOPE,
                "wanted": wanted,
                "no_reference": no_reference,
                "no_slope": no_slope,
            }
            for name, flags in counted.items():
                tallies[name].add(top, flags, assessed, flags.size)
            pair.write(MASK, refined)
        areas = {name: tally.hazard_area_m2 for name, tally in tallies.items()}
        filters.tell(areas, report.warner(warnings))
        tags = {**mask.tags, "HAZARD_REFINED": json.dumps(job_to_dict(job), ensure_ascii=True)}
        pair.publish(tags, lambda share: report.progress(share, 0.9, 1.0), overwrite=job.overwrite)
    return {
        "mask": job.out,
        "hazard_area_m2": round(areas["hazard"], 2),
        "permanent_water_m2": round(areas["water"], 2),
        "ruled_out_by_slope_m2": round(areas["slope"], 2),
        "share_assessed": round(tallies["hazard"].share_assessed, 6),
        "share_without_reference": _share(areas, "no_reference") if job.permanent_water else None,
        "share_without_slope": _share(areas, "no_slope") if job.elevation else None,
        "warnings": warnings,
    }


def _share(areas: dict[str, float], name: str) -> float:
    return round(areas[name] / areas["wanted"], 6) if areas["wanted"] else 0.0


class _Filters:
    """Permanent water and slopes under the pixels of a mask."""

    def __init__(self, job: RefineJob, mask: TaggedRaster, stack: contextlib.ExitStack) -> None:
        self._job = job
        self._mask = mask
        self._polygons: WaterPolygons | None = None
        self._water: WarpedRaster | None = None
        self._slopes: SlopeRaster | None = None
        self._highest = -np.inf
        reference = mask.georeference
        if job.permanent_water and is_only_vector(job.permanent_water):
            if reference.crs is None or not is_placed(reference):
                raise BadInput(
                    f"'{mask.name}' has no CRS or no place, so polygons cannot be laid over it; georeference it first."
                )
            self._polygons = WaterPolygons(job.permanent_water, reference)
        elif job.permanent_water:
            self._water = stack.enter_context(WarpedRaster(job.permanent_water, reference, mask.name))
        if job.elevation:
            self._slopes = stack.enter_context(SlopeRaster(job.elevation, reference, mask.name))

    def applied(self, top: int, wanted: Flags, progress: Callable[[float], None]) -> tuple[Codes, Flags, Flags]:
        """Codes of rows that begin at ``top``, and where hazard has no statement of water, and none of slope."""
        codes = wanted.astype(np.uint8)
        no_reference, no_slope = np.zeros(wanted.shape, bool), np.zeros(wanted.shape, bool)
        parts = list(_tiles(wanted.shape))
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
            warn(f"No polygon of '{job.permanent_water}' lies on the mask: no permanent water was found.")
        if any(raster is not None and raster.assumed_crs for raster in (self._water, self._slopes)):
            warn("Neither the mask nor the reference says its CRS; their coordinates were taken to be the same.")
        if not areas["wanted"]:
            warn("The mask holds no hazard; there was nothing to refine.")
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


def _tiles(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    height, width = shape
    for top in range(0, height, TILE_PX):
        for left in range(0, width, TILE_PX):
            yield slice(top, min(top + TILE_PX, height)), slice(left, min(left + TILE_PX, width))
