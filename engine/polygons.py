"""Trace a mask to polygons with areas, probabilities and origin, and keep what an analyst corrected by hand."""

from __future__ import annotations

import contextlib
import json
import math
import os
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np

from .layers import STYLES
from .mask_codes import require_probability
from .product_names import date_in_name
from .protocol import (
    NOT_ASSESSED,
    ON_SLOPE,
    PERMANENT_WATER,
    BadInput,
    PolygonsJob,
    job_to_dict,
    partial_path,
    same_path,
)
from .raster import check_outputs
from .raster.georeference import ASSUMED_GSD_M
from .raster.tagged import TaggedRaster
from .reporting import Report
from .steps import with_step
from .vector.corrections import MANUAL, MODEL, Correction, Corrections, read_corrections, united
from .vector.ground import GroundAreas
from .vector.outlines import Outlines, ground_areas, joined, pixel_counts
from .vector.polygon_file import PolygonFile, files_of
from .vector.polygonize import Tracing, Zones
from .vector.simplify import simplified, smoothed

METHOD = "Semi-automatic extraction"
MOST_CORNERS = 8_000_000
"""Corners that are simplified or smoothed at a time; they are held in memory, about 150 bytes each."""
SLICE_CORNERS = 500_000
CRUMB_PX = 0.5
"""Smallest piece, in pixels, that is left of a polygon beside a correction."""
SMALLEST_FILE_BYTES = 2**20


def polygons(job: PolygonsJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``polygons`` command.

    Raises:
        BadInput: mask, probability or corrections cannot be what they are given as; nothing was written.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    report.stage("Reading the mask")
    with TaggedRaster(job.mask) as mask:
        check_outputs(files_of(job.out), overwrite=job.overwrite, expected_bytes=SMALLEST_FILE_BYTES)
        return _Run(job, report, mask).result()


class _Run:
    """One run: what its steps share."""

    def __init__(self, job: PolygonsJob, report: Report, mask: TaggedRaster) -> None:
        self.job, self.report, self.mask = job, report, mask
        self.tags, self.reference = mask.tags, mask.georeference
        if "HAZARD_CHANGE_JOB" in self.tags:
            raise BadInput(f"'{mask.name}' is a comparison of two dates; give the mask of one date.")
        self.warnings: list[str] = []
        self.warn = report.warner(self.warnings)
        self.job_id = report.job_id or uuid.uuid4().hex[:12]
        self.scratch = os.path.splitext(partial_path(job.out, self.job_id))[0]
        if self.reference.crs is None:
            self.warn(
                f"The mask has no CRS: pixels are taken as {ASSUMED_GSD_M:g} m wide, and the polygons have none either."
            )
        self.ground = GroundAreas(self.reference)
        self.size_m, self.cell_px, self.pixel_areas = self.ground.size_m, self.ground.cell_px, self.ground.pixel_areas
        self.corrections = read_corrections(job.manual, self.reference) if job.manual else Corrections()
        self.hazard = self.tags.get("HAZARD") or "hazard"
        self.kept = np.zeros(0, bool)
        self.area_m2 = np.zeros(0)

    def result(self) -> dict[str, Any]:
        """Trace, measure and write."""
        job, mask, report = self.job, self.mask, self.report
        with (
            PolygonFile(job.out, self.hazard, self.reference, self.corrections.columns, self.job_id) as file,
            Tracing(self.scratch, job.out, mask.width, mask.height) as tracing,
        ):
            tally = mask.new_tally()
            for top, values in mask.read_bytes():
                report.progress(top / mask.height, 0.0, 0.1)
                self._check(values)
                hazard = values == 1
                tally.add(top, hazard, values != NOT_ASSESSED, values.size)
                tracing.write(hazard)
            report.stage("Tracing polygons", 0.1)
            count = tracing.trace(diagonal=job.diagonal, on_progress=lambda share: report.progress(share, 0.1, 0.3))
            pool = self._measure(tracing, count, tally.hazard)
            traced_m2 = float(self.area_m2.sum())
            zones = self._probabilities(tracing, count)
            written = self._write(file, self._outlines(tracing, pool), zones)
            by_hand = self._add_corrections(file)
            if file.mended:
                self.warn(f"{file.mended} polygons were not valid and were made so.")
            self._say_what_is_missing(tally.share_assessed)
            report.stage("Publishing", 0.98)
            report.check()
            file.publish(self._layer_tags(), self._style(), overwrite=job.overwrite)
        total_m2 = written["area"] + by_hand["area"]
        return {
            "polygons": job.out,
            "hazard": self.hazard,
            "count": written["count"] + by_hand["manual"],
            "hazard_area_m2": round(total_m2, 2),
            "area_before_filters_m2": round(traced_m2, 2),
            "share_assessed": round(tally.share_assessed, 6),
            "manual": by_hand["manual"],
            "removed": by_hand["removed"],
            "left_out": count - written["count"],
            "scene_date": self._date(),
            "warnings": self.warnings,
        }

    def _check(self, values: Any) -> None:
        present = np.zeros(256, bool)
        present[values.ravel()] = True
        present[[0, 1, PERMANENT_WATER, ON_SLOPE, NOT_ASSESSED]] = False
        strange = np.flatnonzero(present).tolist()
        if strange:
            raise BadInput(
                f"The mask '{self.mask.name}' holds {strange[0]}; expected 0 none, 1 hazard, 2 permanent water, "
                "3 ruled out by slope and 255 not assessed. Is it a probability? Cut it at a threshold first."
            )

    def _measure(self, tracing: Tracing, count: int, pixels: int) -> list[Outlines]:
        """Measure all polygons, decide which are large enough, and gather those that are to be simplified."""
        self.area_m2, self.kept = np.zeros(count), np.zeros(count, bool)
        pool: list[Outlines] = []
        traced = corners = 0.0
        self.report.stage("Measuring polygons", 0.3)
        for batch in tracing.batches():
            first, last = int(batch.polygon[0]), int(batch.polygon[-1]) + 1
            self.report.progress(last / count, 0.3, 0.4)
            traced += pixel_counts(batch, first, last - first).sum()
            areas = ground_areas(batch, self.pixel_areas, self.cell_px, first, last - first)
            self.area_m2[first:last] = areas
            self.kept[first:last] = areas >= self.job.minimum_area_m2
            if self.job.simplify_m or self.job.smooth:
                pool.append(batch.only(np.flatnonzero(self.kept[first:last]) + first))
                corners += len(pool[-1].points)
                if corners * (1 if self.job.simplify_m else 2**self.job.smooth) > MOST_CORNERS:
                    raise BadInput(
                        f"The polygons have more than {corners / 1e6:.0f} million corners, too many to simplify or "
                        "smooth together; raise the minimum area, or do without."
                    )
        if traced != pixels:
            raise BadInput(f"'{self.mask.name}' could not be traced: {pixels} pixels, polygons of {traced:g}.")
        return pool

    def _probabilities(self, tracing: Tracing, count: int) -> Zones | None:
        if self.job.probability is None:
            return None
        self.report.stage("Reading the probability", 0.4)
        mask = self.mask
        with TaggedRaster(self.job.probability) as probability:
            require_probability(probability.tags, probability.description, probability.name)
            try:
                mask.require_same_grid(probability)
            except BadInput as error:
                raise BadInput(f"{str(error).split(';')[0]}; give the probability of the same run.") from None

            def read_rows(top: int, rows: int) -> Any:
                percent = probability.read_rows(top, rows)
                if ((percent > 100) & (percent != NOT_ASSESSED)).any() or (percent < 0).any():
                    raise BadInput(
                        f"'{probability.name}' holds values beyond 0 to 100; expected a probability in per cent, "
                        "255 where not assessed."
                    )
                if percent.dtype != np.uint8:
                    raise BadInput(
                        f"'{probability.name}' holds {percent.dtype} numbers; expected whole per cent in bytes, as "
                        "Hazard Mapper writes them."
                    )
                return percent

            with Zones(self.scratch, self.job.out, mask.width, mask.height, count) as zones:
                for batch in tracing.batches():
                    self.report.check()
                    zones.add(batch)
                zones.measure(read_rows, lambda share: self.report.progress(share, 0.4, 0.6))
        return zones

    def _outlines(self, tracing: Tracing, pool: list[Outlines]) -> Iterator[Outlines]:
        """Outlines of the polygons that are kept; their areas are up to date once they are handed out."""
        job = self.job
        if not (job.simplify_m or job.smooth):
            for batch in tracing.batches():
                kept = np.unique(batch.polygon)
                yield batch.only(kept[self.kept[kept]])
            return
        outlines = joined(pool)
        pool.clear()
        if job.simplify_m:
            self.report.stage("Simplifying polygons", 0.6)
            outlines = simplified(outlines, job.simplify_m, self.size_m, self.report.check)
            if len(outlines.points) * 2**job.smooth > MOST_CORNERS:
                raise BadInput("The polygons have too many corners to smooth; raise the minimum area or simplify more.")
        if job.smooth:
            self.report.stage("Smoothing polygons", 0.65)
            outlines = smoothed(outlines, job.smooth, self.report.check)
        for portion in outlines.portions(SLICE_CORNERS):
            first, last = int(portion.polygon[0]), int(portion.polygon[-1]) + 1
            areas = ground_areas(portion, self.pixel_areas, self.cell_px, first, last - first)
            present = np.unique(portion.polygon)
            self.area_m2[present] = areas[present - first]
            yield portion

    def _write(self, file: PolygonFile, outlines: Iterator[Outlines], zones: Zones | None) -> dict[str, Any]:
        common = self._common_values()
        found = {"count": 0, "area": 0.0}
        pixel, done = self._pixel_units2(), 0
        for portion in outlines:
            for number, wkb in portion.geometries(self.reference.to_ground):
                done += 1
                if done % 256 == 0:
                    self.report.progress(number / len(self.kept), 0.7, 0.95)
                left = self.corrections.cut(wkb, CRUMB_PX * pixel)
                if left is None:
                    continue
                area = float(self.area_m2[number]) if left is wkb else self.ground.of(left)
                if left is not wkb and area < self.job.minimum_area_m2:
                    continue
                probabilities = {"prob_mean": zones.mean(number), "prob_min": zones.least(number)} if zones else {}
                file.add(left, {**common, **probabilities, **_areas(area), "origin": MODEL})
                found["count"] += 1
                found["area"] += area
        return found

    def _add_corrections(self, file: PolygonFile) -> dict[str, Any]:
        found = {"manual": 0, "removed": 0, "area": 0.0}
        job = self.job
        if job.manual and not self.corrections.shapes and not same_path(job.manual, job.out):
            self.warn(
                f"The polygons of '{os.path.basename(job.manual)}' hold no correction: nothing was drawn or removed by "
                "hand."
            )
        if self.corrections.redrawn:
            self.warn(
                f"{self.corrections.redrawn} polygon(s) of origin 'model' have another area than was written for them: "
                "they were redrawn, and count as drawn by hand."
            )
        if self.corrections.mended:
            self.warn(f"{self.corrections.mended} polygons drawn by hand were not valid and were made so.")
        for shape in self.corrections.shapes:
            self.report.check()
            area = self.ground.of(shape.wkb)
            file.add(shape.wkb, self._values_by_hand(shape, area))
            found[shape.origin] += 1
            found["area"] += area if shape.origin == MANUAL else 0.0
        together = united([shape.wkb for shape in self.corrections.shapes if shape.origin == MANUAL])
        if together is not None:
            area = self.ground.of(together)
            self.warn(
                f"Polygons drawn by hand overlap on {found['area'] - area:,.0f} m2: the hazard area counts that ground "
                "once, a sum over the polygons twice; merge them."
            )
            found["area"] = area
        return found

    def _values_by_hand(self, shape: Correction, area: float) -> dict[str, Any]:
        values = {**shape.values, **_areas(area), "origin": shape.origin}
        for name in ("hazard", "scene", "scene_date"):
            values[name] = values.get(name) or self._common_values()[name]
        return values

    def _pixel_units2(self) -> float:
        """Area of a pixel in the CRS's units."""
        corners = self.reference.to_ground(np.asarray([[0, 0], [1, 0], [0, 1]], np.float64))
        (ax, ay), (bx, by) = corners[1] - corners[0], corners[2] - corners[0]
        return float(abs(ax * by - ay * bx))

    def _common_values(self) -> dict[str, Any]:
        threshold: float | None = None
        with contextlib.suppress(ValueError):
            threshold = float(self.tags.get("HAZARD_THRESHOLD", ""))
        if threshold is not None and not math.isfinite(threshold):
            threshold = None
        return {
            "hazard": self.hazard,
            "scene": self.tags.get("HAZARD_SCENE") or None,
            "scene_date": self._date(),
            "model": self.tags.get("HAZARD_MODEL") or None,
            "threshold": threshold,
            "det_method": METHOD,
        }

    def _date(self) -> str | None:
        if self.job.date:
            return self.job.date
        if self.tags.get("HAZARD_SCENE_DATE"):
            return self.tags["HAZARD_SCENE_DATE"]
        latest = date.today() + timedelta(days=1)
        for name in (self.tags.get("HAZARD_SCENE", ""), self.mask.name):
            day, _ = date_in_name(name, latest)
            if day:
                return day.isoformat()
        return None

    def _say_what_is_missing(self, share_assessed: float) -> None:
        if share_assessed < 1:
            self.warn(
                f"{1 - share_assessed:.1%} of the mask is not assessed: that no polygon lies there does not mean that "
                "there is no hazard."
            )
        ending = os.path.splitext(self.job.out)[1].lower()
        crs = self.reference.crs
        if ending == ".geojson" and crs is not None and crs.GetAuthorityCode(None) != "4326":
            self.warn("GeoJSON is defined in longitude and latitude (WGS 84): the polygons were taken there.")
            if self._holds_pole():
                self.warn("GeoJSON cannot hold polygons around a pole rightly; write a GeoPackage instead.")
        if self._date() is None:
            self.warn("The day of the scene is not known; give it as the date.")

    def _holds_pole(self) -> bool:
        """Whether longitude goes full circle along the mask's rim."""
        width, height = self.mask.width, self.mask.height
        share = np.linspace(0, 1, 64, endpoint=False)
        sides = [(share, 0 * share), (0 * share + 1, share), (1 - share, 0 * share + 1), (0 * share, 1 - share)]
        rim = np.concatenate([np.stack([x * width, y * height], axis=1) for x, y in sides])
        lonlat = self.reference.to_lonlat(rim)
        if lonlat is None:
            return False
        turns = (np.diff(lonlat[:, 0], append=lonlat[:1, 0]) + 180) % 360 - 180
        return bool(abs(turns.sum()) > 180)

    def _layer_tags(self) -> dict[str, str]:
        tags = {
            **self.tags,
            "HAZARD": self.hazard,
            "HAZARD_SCENE_DATE": self._date() or "",
            "HAZARD_MASK": os.path.basename(self.job.mask),
            "HAZARD_POLYGONS_JOB": json.dumps(job_to_dict(self.job)),
        }
        return with_step(tags, "polygons", self.job)

    def _style(self) -> str | None:
        """Style to put beside; none where a raster of the same name would take it for its own."""
        stem = os.path.splitext(self.job.out)[0]
        rasters = (self.job.mask, self.job.probability)
        if any(path and same_path(os.path.splitext(path)[0], stem) for path in rasters):
            return None
        style = STYLES / f"polygons_{self.hazard}.qml"
        style = style if style.exists() else STYLES / "polygons.qml"
        return str(style) if style.exists() else None


def _areas(area_m2: float) -> dict[str, float]:
    return {"area_m2": area_m2, "area_ha": area_m2 / 1e4}
