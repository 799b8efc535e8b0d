"""Shows the scorecard's rows of adapting to scenes: a table of models and modes, and one of sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

KIND = "adapted"
TITLE = "Adapting to the scene"
NOTE = (
    "Each model before and after adapting to the unlabelled scene, at its own threshold, on the same pixels, as "
    "printed by `python -m engine scorecard --adapt MODES`. Gain is the mean over scenes of balanced accuracy / IoU; a "
    "scene is harmed that lost more than 0.01 of balanced accuracy; false area grew that ended above 0.5 % and above "
    "the source model's own, on scenes without the hazard. Rank correlation is that of the proxy, which chooses, with "
    "the true error of a scene's candidates. Shifted scenes are simulated, under shifts that training does not draw, "
    "with seeds of their own."
)
COLUMNS = (
    "model",
    "mode",
    "gain, shifted scenes",
    "gain, real scenes",
    "worst set",
    "harmed",
    "false area grew",
    "adapted / rolled back / abstained",
    "rank corr.",
    "s a scene",
)
SET_COLUMNS = (
    "set",
    "hazard",
    "mode",
    "BA before",
    "BA after",
    "IoU before",
    "IoU after",
    "false area before",
    "false area after",
    "mean gain",
    "harmed",
    "adapted / rolled back / abstained",
)
WITH, WITHOUT, ALL = "scenes_with_hazard", "scenes_without_hazard", "scenes"
"""Numbers of scenes that a row's shares and means are over."""


def adapted_rows(rows: Sequence[Row]) -> list[Row]:
    """The rows of adapting among all."""
    return [row for row in rows if row["kind"] == KIND]


def text_part(rows: Sequence[Row]) -> str:
    """Both tables as lines of columns for a terminal; empty without rows of adapting."""
    adapted = adapted_rows(rows)
    if not adapted:
        return ""
    tables = (("", COLUMNS, model_cells(adapted)), (f", set by set: {_default_title(adapted)}",
              SET_COLUMNS, set_cells(adapted)))  # fmt: skip
    return "\n\n".join(f"{TITLE}{title}\n{_aligned(columns, cells)}" for title, columns, cells in tables)


def markdown_part(rows: Sequence[Row]) -> str:
    """Both tables as Markdown; empty without rows of adapting."""
    adapted = adapted_rows(rows)
    if not adapted:
        return ""
    return "\n\n".join(
        [
            f"**{TITLE}**: {NOTE}",
            markdown_table(COLUMNS, model_cells(adapted)),
            f"Set by set, {_default_title(adapted)}:",
            markdown_table(SET_COLUMNS, set_cells(adapted)),
        ]
    )


def model_cells(rows: Sequence[Row]) -> list[list[str]]:
    """A line of cells for each model and mode."""
    lines = []
    for model, mode in dict.fromkeys((row["model"], row["adaptation"]) for row in rows):
        part = [row for row in rows if (row["model"], row["adaptation"]) == (model, mode)]
        shifted, real = [row for row in part if row["simulated"]], [row for row in part if not row["simulated"]]
        lines.append(
            [
                model,
                mode,
                *(f"{signed(mean_of(one, 'gain', WITH))} / {signed(mean_of(one, 'gain_iou', WITH))}"
                  for one in (shifted, real)),
                _worst(part),
                share(mean_of(part, "harmed", WITH)),
                share(mean_of(part, "grew", WITHOUT)),
                _verdicts(part),
                signed(mean_of(part, "rank_correlation", WITH), 2),
                _number(mean_of(part, "adapt_seconds", ALL), 1),
            ]
        )  # fmt: skip
    return lines


def set_cells(rows: Sequence[Row]) -> list[list[str]]:
    """A line of cells for each set and mode of the default models."""
    return [
        [
            row["set"],
            row["hazard"],
            row["adaptation"],
            *(_number(row[key]) for key in ("balanced_accuracy_before", "balanced_accuracy", "iou_before", "iou")),
            *(share(row[key], 2) for key in ("false_area_before", "false_area_after")),
            signed(row["gain"]),
            share(row["harmed"]),
            _verdicts([row]),
        ]
        for row in _of_default(rows)
    ]


def mean_of(rows: Sequence[Row], key: str, weight: str) -> float | None:
    """Mean of a key over the scenes that its rows are made of; None where no row has it."""
    known = [(row[key], row[weight]) for row in rows if row[key] is not None and row[weight]]
    total = sum(count for _, count in known)
    return sum(value * count for value, count in known) / total if total else None


def markdown_table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Cells as a table of Markdown."""
    rows = [columns, ["---"] * len(columns), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows)


def signed(value: float | None, digits: int = 3) -> str:
    """A difference; a dash where there is none."""
    return "–" if value is None else f"{value:+.{digits}f}"


def share(value: float | None, digits: int = 0) -> str:
    """Per cent; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}%}"


def _of_default(rows: Sequence[Row]) -> list[Row]:
    """Of each hazard the rows of its default model, or of the first model where the default was not scored."""
    chosen = {row["hazard"]: row["model"] for row in reversed(rows)}
    chosen.update({row["hazard"]: row["model"] for row in rows if row["default"]})
    return [row for row in rows if row["model"] == chosen[row["hazard"]]]


def _default_title(rows: Sequence[Row]) -> str:
    return "each hazard's default model, " + ", ".join(dict.fromkeys(row["model"] for row in _of_default(rows)))


def _worst(rows: Sequence[Row]) -> str:
    """The smallest mean gain of a set, and which set."""
    names = dict.fromkeys(row["set"] for row in rows)
    gains = [(mean_of([row for row in rows if row["set"] == name], "gain", WITH), name) for name in names]
    known = [(gain, name) for gain, name in gains if gain is not None]
    return f"{signed(min(known)[0])} ({min(known)[1]})" if known else "–"


def _verdicts(rows: Sequence[Row]) -> str:
    return " / ".join(share(mean_of(rows, kind, ALL)) for kind in ("adapted", "rolled_back", "abstained"))


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _aligned(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[index]) for row in (columns, *lines)) for index in range(len(columns))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (columns, *lines)
    )
