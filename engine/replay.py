"""Labelled chips that are learnt beside the unlabelled scene, named in a table (CSV).

The columns are ``image``, ``score`` and ``label``, and where they are known ``longitude``, ``latitude``, ``date``,
``sensor``, ``bands``, ``units`` and ``gsd_m``; others are left aside. The first line names them. Paths are relative to
the table. ``label`` is a raster on the image's grid, 1 artificial, 0 natural, 255 left out; ``score`` one of hazard
scores, 0 to 1 or 0 to 100 per cent, 255 not known; one of the two may be left empty.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import torch
from torch import Tensor

from .bands import UnknownBands
from .characteristics import find_characteristics
from .fields import parse_scene_date
from .protocol import SLOTS, BadInput, SceneJob, check_range, parse_bands
from .raster import Scene, Window
from .raster.chip import read_codes
from .raster.scene import require_file
from .raster.scores import Scores, read_scores, require_grid
from .reporting import Report
from .samples import UNKNOWN, Characteristics, LabelledScene

MOST_ROWS = 1000
CHIP_PX = 1024
"""Longest side of a chip; of larger images the centre is taken."""
MOST_TABLE_BYTES = 10_000_000
MOST_BYTES = 2**30
"""Memory that the values of all chips may take."""
WHOLE_SCORE = 1.001
"""Scores above this are per cent: up to here they may be 1 in single precision, resampled."""
REMEDY = "columns image, score and label are expected, and optionally longitude, latitude, date, sensor, bands, units"


@dataclass(frozen=True)
class ReplayChip:
    """One row of the table.

    Attributes:
        scene: the image, with ``surface`` (1 artificial, 0 natural, 255 left out) where the row has a label.
        score: (h, w) float32 hazard score, 0 to 1, NaN where not known; None where the row has none.
    """

    scene: LabelledScene
    score: Tensor | None


@dataclass(frozen=True)
class _Row:
    line: int
    cells: Mapping[str, str]


def read_replay(path: str, report: Report) -> list[ReplayChip]:
    """Read all chips that a table names.

    Scores are taken as per cent if any of those stored alike (as whole numbers, or with decimals) is above 1: a chip
    without any hazard cannot tell it alone.

    Args:
        path: the table.
        report: told how far it is; asked whether to stop.

    Raises:
        BadInput: one sentence that names the line, when the table or one of its files cannot be used.
    """
    rows = _read_rows(path)
    report.stage("Reading the labelled chips")
    read: list[tuple[LabelledScene, Scores | None]] = []
    size = 0
    for number, row in enumerate(rows):
        report.progress(number / len(rows))
        where = f"Line {row.line} of '{os.path.basename(path)}'"
        try:
            scene, scores = _read_chip(row.cells, os.path.dirname(os.path.abspath(path)))
        except UnknownBands:
            raise BadInput(
                f"{where}: the bands of '{row.cells['image']}' are not named; give one of {', '.join(SLOTS)} or - "
                "for each of them in the column bands."
            ) from None
        except BadInput as error:
            raise BadInput(f"{where}: {error}") from None
        size += scene.values.nelement() * scene.values.element_size()
        if size > MOST_BYTES:
            raise BadInput(
                f"{where}: the chips take more than {MOST_BYTES / 2**30:.0f} GiB of memory up to here; give fewer "
                "or smaller ones."
            )
        read.append((scene, scores))
    highest = {whole: _highest(scores for _, scores in read if scores and scores.whole == whole) for whole in (0, 1)}
    return [
        ReplayChip(scene, _as_score(scores, highest[scores.whole] > WHOLE_SCORE) if scores else None)
        for scene, scores in read
    ]


def _highest(scores: Iterator[Scores]) -> float:
    return max((float(found.values[np.isfinite(found.values)].max(initial=0)) for found in scores), default=0.0)


def _as_score(scores: Scores, per_cent: bool) -> Tensor:
    return torch.from_numpy(scores.values / np.float32(100 if per_cent else 1)).clamp(0, 1)


def _read_rows(path: str) -> list[_Row]:
    """Rows with a header's names for their cells; raises BadInput unless each has an image and something to learn."""
    require_file(path, "table")
    name = os.path.basename(path)
    try:
        if os.path.getsize(path) > MOST_TABLE_BYTES:
            raise BadInput(f"'{name}' has more than {MOST_TABLE_BYTES // 1_000_000} MB; expected a small CSV table.")
        with open(path, encoding="utf-8-sig", newline="") as file:
            header_line = file.readline()
            file.seek(0)
            separator = ";" if ";" in header_line and "," not in header_line else ","
            return _checked(csv.reader(file, delimiter=separator, strict=True), name)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"The table '{name}' cannot be read ({error}); expected a CSV file in UTF-8.") from None


def _checked(reader: Iterator[list[str]], name: str) -> list[_Row]:
    header = [cell.strip().lower() for cell in next(reader, [])]
    if "image" not in header or not {"score", "label"} & set(header):
        found = ", ".join(header)[:120] or "nothing"
        raise BadInput(f"The first line of '{name}' is {found}; {REMEDY}.")
    for column in header:
        if column and header.count(column) > 1:
            raise BadInput(f"The table '{name}' has {header.count(column)} columns named {column}; {REMEDY}.")
    rows: list[_Row] = []
    for cells in reader:
        line = int(getattr(reader, "line_num", len(rows) + 2))
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            raise BadInput(
                f"Line {line} of '{name}' has {len(cells)} cells for {len(header)} columns; put what holds a comma "
                "between quotation marks."
            )
        row = {column: cell.strip() for column, cell in zip(header, cells, strict=False) if cell.strip()}
        if "image" not in row or not {"score", "label"} & set(row):
            lacking = "image" if "image" not in row else "score and no label"
            raise BadInput(f"Line {line} of '{name}' has no {lacking}; give an image and one at least of the two.")
        if len(rows) == MOST_ROWS:
            raise BadInput(f"The table '{name}' has more than {MOST_ROWS} rows; give fewer chips.")
        rows.append(_Row(line, row))
    if not rows:
        raise BadInput(f"The table '{name}' has no rows; give at least one labelled chip.")
    return rows


def _read_chip(row: Mapping[str, str], folder: str) -> tuple[LabelledScene, Scores | None]:
    """Image, label and score of a row, the latter as it is stored."""
    job = SceneJob(
        raster=_path_of(row["image"], folder),
        bands=parse_bands(row["bands"]) if "bands" in row else None,
        sensor=row.get("sensor"),
        units=row.get("units"),
        gsd_m=_number(row, "gsd_m", 1e-3, 100_000),
    )
    label, scores = (_path_of(row[kind], folder) if kind in row else None for kind in ("label", "score"))
    with Scene(job) as scene:
        for path in (label, scores):
            if path is not None:
                require_grid(path, scene.georeference)
        understanding = scene.understand()
        width, height = min(scene.width, CHIP_PX), min(scene.height, CHIP_PX)
        window = Window((scene.width - width) // 2, (scene.height - height) // 2, width, height)
        values, valid = scene.read_window(window, understanding)
        scene_range = scene.percentiles(understanding)
        characteristics = find_characteristics(scene, understanding, job).characteristics
    surface = None if label is None else _surface(label, window)
    found = None if scores is None else read_scores(scores, window)
    if not valid.any():
        raise BadInput(f"'{row['image']}' holds no valid pixel in its centre; leave it out.")
    if (surface is None or not (surface != UNKNOWN).any()) and (found is None or not np.isfinite(found.values).any()):
        raise BadInput(f"Neither label nor score of '{row['image']}' says anything; leave it out.")
    return LabelledScene(
        slots=understanding.match.used_slots,
        values=torch.from_numpy(values),
        valid=torch.from_numpy(valid[None]),
        absolute=all(units.absolute for units in understanding.slot_units),
        surface=surface,
        characteristics=_corrected(characteristics, row),
        gsd_m=sum(understanding.gsd_m) / 2,
        name=os.path.basename(row["image"]),
        scene_range=scene_range,
    ), found


def _surface(path: str, window: Window) -> Tensor:
    """Natural and artificial as the label has them, (h, w) uint8."""
    codes, known = read_codes(path, window)
    codes = np.where(known, codes, UNKNOWN)
    others = sorted(set(np.unique(codes).tolist()) - {0, 1, UNKNOWN})
    if others:
        raise BadInput(
            f"The label '{os.path.basename(path)}' holds the code {others[0]}; expected 1 artificial, 0 natural and "
            "255 left out."
        )
    return torch.from_numpy(codes.astype(np.uint8))


def _corrected(found: Characteristics, row: Mapping[str, str]) -> Characteristics:
    """What the row says in place of what was found."""
    longitude, latitude = _number(row, "longitude", -180, 180), _number(row, "latitude", -90, 90)
    if (longitude is None) != (latitude is None):
        raise BadInput("longitude and latitude are only known together; give both or neither.")
    if longitude is not None:
        found = replace(found, longitude=longitude, latitude=latitude)
    if "date" in row:
        found = replace(found, day_of_year=date.fromisoformat(parse_scene_date(row["date"])).timetuple().tm_yday)
    return replace(found, sensor=row["sensor"]) if "sensor" in row else found


def _number(row: Mapping[str, str], column: str, low: float, high: float) -> float | None:
    if column not in row:
        return None
    try:
        value = float(row[column])
    except ValueError:
        raise BadInput(f"{column} '{row[column]}' is not a number; expected {low:g} to {high:g}.") from None
    check_range(column, value, low, high)
    return value


def _path_of(name: str, folder: str) -> str:
    """A path relative to the table's folder; what GDAL calls by other names (``NETCDF:...``) stays as it is."""
    joined = os.path.join(folder, name)
    return name if ":" in name[2:] and not os.path.exists(joined) else joined
