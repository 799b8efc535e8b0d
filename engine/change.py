"""Compare masks of two dates: hazard gained, lost and unchanged, as a layer and as areas."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

import numpy as np

from .digest import scene_sha256
from .layers import STYLES, title_of
from .mask_codes import HAZARD, Codes, day_of, require_codes, require_mask
from .protocol import NOT_ASSESSED, BadInput, ChangeJob, job_to_dict
from .raster import MASK, Layer, MaskPair, Window, check_outputs, estimated_bytes
from .raster.tagged import TaggedRaster
from .raster.warped import TILE_PX, WarpedRaster
from .reporting import Report

GAINED, LOST, UNCHANGED = 1, 2, 3
COLOURS = {GAINED: (230, 97, 1, 255), LOST: (86, 180, 233, 255), UNCHANGED: (75, 46, 131, 255)}
SAME_SIZE = 1.5
"""Ratio of pixel sizes from which the edges of a comparison tell of them rather than of change."""


def change_layer(path: str, hazard: str) -> Layer:
    """The change between two masks."""
    return Layer(path, f"{title_of(hazard)} change", COLOURS, str(STYLES / "change.qml"))


class MaskChange:
    """The change from an earlier mask to a later one, on the later one's grid. Use as a context manager.

    Args:
        before: file of the earlier mask, on any grid.
        after: the later mask.

    Raises:
        BadInput: the earlier one is no mask, or cannot be laid over the later one.
    """

    def __init__(self, before: str, after: TaggedRaster) -> None:
        self._after = after
        require_mask(after.tags, after.description, after.name)
        self.before = WarpedRaster(before, after.georeference, after.name)
        require_mask(self.before.tags, self.before.description, self.before.name)
        self._tallies = {code: after.new_tally() for code in (GAINED, LOST, UNCHANGED, NOT_ASSESSED)}

    def __enter__(self) -> MaskChange:
        return self

    def __exit__(self, *error: Any) -> None:
        self.before.__exit__(*error)

    def rows(self) -> Iterator[tuple[int, Codes]]:
        """First row and codes ``(n, width)`` of each portion; areas are complete when all have passed."""
        for top, values in self._after.read_bytes():
            later = require_codes(values, self._after.name)
            earlier = np.full(later.shape, NOT_ASSESSED, np.uint8)
            for row in range(0, len(later), TILE_PX):
                for column in range(0, later.shape[1], TILE_PX):
                    part = (slice(row, row + TILE_PX), slice(column, column + TILE_PX))
                    height, width = later[part].shape
                    found, known = self.before.nearest(Window(column, top + row, width, height))
                    known &= np.isfinite(found)
                    earlier[part][known] = require_codes(found[known], self.before.name)
            codes = changes(earlier, later)
            for code, tally in self._tallies.items():
                tally.add(top, codes == code, codes != NOT_ASSESSED, codes.size)
            yield top, codes

    @property
    def areas_m2(self) -> dict[str, float]:
        """Square metres gained, lost, unchanged and not assessed at both dates."""
        names = {
            "gained_m2": GAINED,
            "lost_m2": LOST,
            "unchanged_m2": UNCHANGED,
            "not_assessed_m2": NOT_ASSESSED,
        }
        return {name: round(self._tallies[code].hazard_area_m2, 2) for name, code in names.items()}

    @property
    def share_assessed(self) -> float:
        """Share of the later mask's pixels that both masks assess."""
        return round(self._tallies[GAINED].share_assessed, 6)


def changes(earlier: Codes, later: Codes) -> Codes:
    """Codes of change of two masks on one grid: 1 gained, 2 lost, 3 hazard at both, 255 where one is not assessed."""
    was, is_now = earlier == HAZARD, later == HAZARD
    codes = np.zeros(later.shape, np.uint8)
    codes[is_now & ~was] = GAINED
    codes[was & ~is_now] = LOST
    codes[was & is_now] = UNCHANGED
    codes[(earlier == NOT_ASSESSED) | (later == NOT_ASSESSED)] = NOT_ASSESSED
    return codes


def change(job: ChangeJob, report: Report | None = None) -> dict[str, Any]:
    """Carry out a job and return the JSON of the ``change`` command.

    Raises:
        BadInput: one of the files is no mask, or they do not overlap; nothing was written.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    report.stage("Comparing the masks")
    warnings: list[str] = []
    warn = report.warner(warnings)
    with TaggedRaster(job.after) as after, MaskChange(job.before, after) as found:
        check_outputs([job.out], overwrite=job.overwrite, expected_bytes=estimated_bytes(after.window, 1))
        hazard = after.tags.get("HAZARD", "hazard")
        for warning in _doubts(found.before, after):
            warn(warning)
        job_id = report.job_id or uuid.uuid4().hex[:12]
        with MaskPair({MASK: change_layer(job.out, hazard)}, after.grid, job_id) as pair:
            for top, codes in found.rows():
                report.progress(top / after.height, 0.0, 0.9)
                pair.write(MASK, codes)
            if not found.before.touched:
                raise BadInput(
                    f"'{found.before.name}' and '{after.name}' do not overlap; choose masks of one area, "
                    "and check the CRS of both."
                )
            if found.share_assessed == 0:
                warn("No pixel is assessed at both dates; nothing can be said about change.")
            tags = _tags(job, found.before, after, lambda share: report.progress(share, 0.9, 0.9))
            pair.publish(tags, lambda share: report.progress(share, 0.9, 1.0), overwrite=job.overwrite)
        return {
            "change": job.out,
            "hazard": hazard,
            "before_date": day_of(found.before.tags),
            "after_date": day_of(after.tags),
            **found.areas_m2,
            "share_assessed": found.share_assessed,
            "warnings": warnings,
        }


def _doubts(before: WarpedRaster, after: TaggedRaster) -> Iterator[str]:
    """What makes a comparison doubtful, each in one sentence."""
    earlier, later = before.tags, after.tags
    hazards = earlier.get("HAZARD"), later.get("HAZARD")
    if all(hazards) and hazards[0] != hazards[1]:
        yield f"The earlier mask shows {hazards[0]}, the later one {hazards[1]}: gained and lost mix two hazards."
    if _differ(earlier, later, "HAZARD_MODEL") or _differ(earlier, later, "HAZARD_MODEL_SHA256"):
        yield (
            f"The masks come from different models ({earlier['HAZARD_MODEL']}, {later['HAZARD_MODEL']}): "
            "part of the change may be theirs."
            if _differ(earlier, later, "HAZARD_MODEL")
            else "The masks come from different states of one model: part of the change may be the model's."
        )
    elif _differ(earlier, later, "HAZARD_THRESHOLD"):
        yield (
            f"The masks were cut at different thresholds ({earlier['HAZARD_THRESHOLD']}, "
            f"{later['HAZARD_THRESHOLD']}): part of the change may come from that."
        )
    days = day_of(earlier), day_of(later)
    if days[0] and days[1] and days[0] > days[1]:
        yield (
            f"The earlier mask is of {days[0]}, the later one of {days[1]}: are they swapped? "
            "Gained and lost would be, too."
        )
    if ("HAZARD_REFINED" in earlier) != ("HAZARD_REFINED" in later):
        yield "Only one of the masks was refined: part of the change is what that took out."
    if before.assumed_crs:
        yield "Neither mask says its CRS; their pixels were taken to lie in the same one."
    mine, theirs = before.georeference.pixel_size_m(), after.georeference.pixel_size_m()
    if mine and theirs:
        a, b = float(np.sqrt(mine[0] * mine[1])), float(np.sqrt(theirs[0] * theirs[1]))
        if max(a, b) > SAME_SIZE * min(a, b):
            yield (
                f"The earlier mask has pixels of {a:.3g} m, the later one of {b:.3g} m: narrow change along the "
                "edges comes from that."
            )


def _differ(earlier: Mapping[str, str], later: Mapping[str, str], tag: str) -> bool:
    return bool(earlier.get(tag) and later.get(tag) and earlier[tag] != later[tag])


def _tags(
    job: ChangeJob, before: WarpedRaster, after: TaggedRaster, on_progress: Callable[[float], None]
) -> dict[str, str]:
    found: dict[str, str | None] = {
        "HAZARD": after.tags.get("HAZARD"),
        "HAZARD_CHANGE_JOB": json.dumps(job_to_dict(job), ensure_ascii=True),
        "HAZARD_TIME": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "HAZARD_VALUES": "0 none, 1 gained, 2 lost, 3 unchanged hazard, 255 not assessed at both dates",
        "HAZARD_SCENE_DATE": day_of(after.tags),
    }
    for when, raster, path in (("BEFORE", before, job.before), ("AFTER", after, job.after)):
        found[f"HAZARD_{when}"] = os.path.basename(path)
        found[f"HAZARD_{when}_SHA256"] = scene_sha256([path], on_progress)
        for tag in ("SCENE", "SCENE_DATE", "MODEL", "MODEL_SHA256", "THRESHOLD", "TIME"):
            found[f"HAZARD_{when}_{tag}"] = raster.tags.get(f"HAZARD_{tag}")
    return {name: value for name, value in found.items() if value}
