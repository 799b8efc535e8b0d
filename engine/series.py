"""Add a mask to a monitoring series: one row a date and hazard, with what was gained and lost since the row before."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from .change import MaskChange
from .mask_codes import HAZARD, day_of, require_codes, require_mask
from .protocol import NOT_ASSESSED, BadInput, SeriesJob
from .raster import check_outputs
from .raster.tagged import TaggedRaster
from .reporting import Report
from .vector.series_table import SeriesRow, SeriesTable

ROOM_BYTES = 200_000
"""Room that a new GeoPackage needs on the disk."""


def series(job: SeriesJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``series`` command.

    The row before is the latest one of the same hazard and an earlier day whose mask still exists and overlaps. A row
    put in between gives the one after it a new row before, so gained and lost of that are found anew.

    Raises:
        BadInput: the mask's date is not known, or the series has a row of it; the table is as it was.
        Cancelled: the report said so; the table is as it was.
    """
    report = report or Report()
    report.stage("Measuring the mask")
    warnings: list[str] = []
    warn = report.warner(warnings)
    check_outputs([job.table], overwrite=True, expected_bytes=ROOM_BYTES)
    with TaggedRaster(job.mask) as mask:
        require_mask(mask.tags, mask.description, mask.name)
        row = _row(job, mask, report)
        if not mask.tags.get("HAZARD"):
            warn(f"'{mask.name}' does not say its hazard; the row is of '{row.hazard}'.")
        if row.share_assessed < 1:
            warn(f"{1 - row.share_assessed:.1%} of the mask is not assessed; its area there is not known, not zero.")
        with SeriesTable(job.table, job.name, report.job_id or uuid.uuid4().hex[:12]) as table:
            same = [old for old in table.rows if _key(old) == _key(row)]
            if same and not job.replace:
                raise BadInput(
                    f"The series has a row of {row.date}, {row.hazard} and '{row.scene}' already; "
                    "replace it (--replace), or give another date."
                )
            others = [old for old in table.rows if old.hazard == row.hazard and old not in same]
            folder = os.path.dirname(os.path.abspath(job.table))
            row = _compared(row, mask, others, folder, lambda share: report.progress(share, 0.4, 0.7))
            later = [old for old in others if old.date > row.date]
            update = []
            if later:
                update = _recompared(later[0], [*others, row], folder, lambda share: report.progress(share, 0.7, 0.95))
                warn(f"The row is put before that of {later[0].date}, whose gained and lost were found anew.")
            report.check()
            table.change(same, row, update)
            count = len(table.rows) - len(same) + 1
    return {
        "table": job.table,
        "name": job.name,
        "date": row.date,
        "hazard": row.hazard,
        "scene": row.scene,
        "area_m2": row.area_m2,
        "area_ha": round(row.area_ha, 4),
        "share_assessed": row.share_assessed,
        "gained_m2": row.gained_m2,
        "lost_m2": row.lost_m2,
        "replaced": bool(same),
        "rows": count,
        "warnings": warnings,
    }


def _row(job: SeriesJob, mask: TaggedRaster, report: Report) -> SeriesRow:
    date = job.date or day_of(mask.tags)
    if date is None:
        raise BadInput(f"'{mask.name}' does not say the day of its scene; give it (--date, for example 2025-05-28).")
    tally = mask.new_tally()
    for top, values in mask.read_bytes():
        report.progress(top / mask.height, 0.0, 0.4)
        codes = require_codes(values, mask.name)
        tally.add(top, codes == HAZARD, codes != NOT_ASSESSED, codes.size)
    return SeriesRow(
        date=date,
        hazard=mask.tags.get("HAZARD") or "hazard",
        area_m2=round(tally.hazard_area_m2, 2),
        share_assessed=round(tally.share_assessed, 6),
        scene=_scene(mask),
        mask=_kept_path(job.mask, os.path.dirname(os.path.abspath(job.table))),
        added_at=datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        model=mask.tags.get("HAZARD_MODEL"),
        threshold=_number(mask.tags.get("HAZARD_THRESHOLD")),
    )


def _key(row: SeriesRow) -> tuple[str, str, str]:
    return row.date, row.hazard, row.scene


def _scene(mask: TaggedRaster) -> str:
    """Name of the scene, else of the file it came from, else of the mask itself."""
    if mask.tags.get("HAZARD_SCENE"):
        return mask.tags["HAZARD_SCENE"]
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return os.path.basename(str(json.loads(mask.tags["HAZARD_JOB"])["raster"]))
    return mask.name


def _number(value: str | None) -> float | None:
    try:
        return float(value) if value else None
    except ValueError:
        return None


def _kept_path(path: str, folder: str) -> str:
    """Path relative to a folder that it lies in, so that both can be moved together; else absolute."""
    absolute = os.path.abspath(path)
    with contextlib.suppress(ValueError):  # another drive
        relative = os.path.relpath(absolute, folder)
        if not relative.startswith(os.pardir):
            return relative.replace(os.sep, "/")
    return absolute


def _compared(
    row: SeriesRow,
    mask: TaggedRaster,
    others: Sequence[SeriesRow],
    folder: str,
    progress: Callable[[float], None],
) -> SeriesRow:
    """The row with what was gained and lost since the latest earlier one whose mask exists and overlaps."""
    for old in sorted(others, key=lambda other: (other.date, other.added_at), reverse=True):
        path = os.path.join(folder, old.mask)
        if old.date >= row.date or not os.path.isfile(path):
            continue
        with contextlib.suppress(BadInput), MaskChange(path, mask) as found:
            for top, _ in found.rows():
                progress(top / mask.height)
            if found.before.touched and found.share_assessed > 0:
                areas = found.areas_m2
                return replace(row, gained_m2=areas["gained_m2"], lost_m2=areas["lost_m2"])
    return replace(row, gained_m2=None, lost_m2=None)


def _recompared(
    row: SeriesRow, rows: Sequence[SeriesRow], folder: str, progress: Callable[[float], None]
) -> list[SeriesRow]:
    """A stored row with gained and lost found anew; null where its own mask is gone."""
    try:
        with TaggedRaster(os.path.join(folder, row.mask)) as mask:
            return [_compared(row, mask, rows, folder, progress)]
    except BadInput:
        return [replace(row, gained_m2=None, lost_m2=None)]
