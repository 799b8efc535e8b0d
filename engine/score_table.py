"""Shows the scorecard's rows: as lines of fixed width for a terminal, and as a page of Markdown tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .score_adapted_table import KIND, adapted_rows, markdown_part, share, text_part

SCORES = ("balanced_accuracy", "iou", "f1", "precision", "recall", "false_area")
HAZARD_TITLES = {
    "flood": "Flood",
    "landslide": "Landslide",
    "glacier_collapse": "Glacier collapse",
    "any": "Any hazard",
    "artificial": "Natural / artificial surface",
}
ARCHITECTURE_TITLES = {
    "unet": "U-Net",
    "unetplusplus": "U-Net++",
    "attention_unet": "attention U-Net",
    "residual_unet": "residual U-Net",
}
DEVELOPMENT_NOTE = (
    "Every real set here is a development set: it was looked at while the simulator and the rule for thresholds were "
    "made, though no model was trained and no threshold set on it. Other scenes may score lower. The test scenes of "
    "the simulator have seeds of their own, apart from those of training and of validation."
)

Row = Mapping[str, Any]
Find = Callable[[str, str, str], "Row | None"]
"""(set, hazard, model) -> that row, if it was measured."""


def text_row(row: Row) -> str:
    """One line of fixed width."""
    cells = [f"{row[key]:.3f}" if row[key] is not None else "-" for key in SCORES]
    return (
        f"{_cut(row['set'], 38)}{_cut(row['hazard'], 17)}{_cut(_by(row), 34)}"
        + "".join(f"{cell:>8}" for cell in cells)
        + f"{row['seconds']:>9.1f}"
    )


def text_tables(rows: Sequence[Row]) -> str:
    """All rows below a header; models whose training lacked something stand apart, beside what they compare with.

    Rows of adapting to scenes have tables of their own below.
    """
    adapting = text_part(rows)
    rows = [row for row in rows if row["kind"] != KIND]
    head = f"{'set':<38}{'hazard':<17}{'by':<34}" + "".join(
        f"{name:>8}" for name in ("BA", "IoU", "F1", "precis.", "recall", "false")
    )
    lines = [f"{head}{'seconds':>9}", *(text_row(row) for row in rows if not row["ablation"])]
    for title, part in (("Unseen hazards", _unseen(rows)), ("Ablations", _ablated(rows))):
        if part:
            lines += ["", title]
        for name, hazard in dict.fromkeys((row["set"], row["hazard"]) for row in part):
            here = [row for row in part if (row["set"], row["hazard"]) == (name, hazard)]
            lines += [text_row(row) for row in (*here, *_full_models(rows, here))]
    if adapting:
        lines += ["", adapting]
    return "\n".join(lines)


def markdown_page(rows: Sequence[Row], notes: Mapping[str, str]) -> str:
    """The scorecard as Markdown: sets by models, then unseen hazards, ablations, adapting, and all scores.

    Args:
        rows: of the ``scorecard`` command.
        notes: what each real set measures, by its name.
    """
    adapted = adapted_rows(rows)
    rows = [row for row in rows if row["kind"] != KIND]
    ordinary = [row for row in rows if not row["ablation"]]
    models = list(dict.fromkeys(row["model"] for row in ordinary if row["mode"] != "rule"))
    titles = {row["model"]: _model_title(row) for row in ordinary if row["mode"] != "rule"}
    parts = [
        "# Scores of all models",
        "Balanced accuracy / IoU at each model's own threshold, without adaptation, as printed by "
        "`python -m engine scorecard`. The best simple rule is the one with the best balanced accuracy on that very "
        "set. Sets marked * count for mean and worst.",
        _main_table(ordinary, models, titles),
        _false_area_table(ordinary, models, titles),
        _view_table(ordinary, models, titles),
    ]
    unseen, ablated = _unseen(rows), _ablated(rows)
    if unseen:
        parts += ["**Unseen hazards**: trained without the hazard and asked for *any hazard*, zero-shot."]
        parts += [_comparison(rows, unseen, "trained without it, asked for any")]
        parts += [_adapted_unseen(_unseen(adapted))]
    if ablated:
        parts += ["**Ablations**: trained with one thing left out, beside the full model of the same folder."]
        parts += [_comparison(rows, [row for row in ablated if row["balanced_accuracy"] is not None], "without")]
    parts += [markdown_part(adapted), _details([*rows, *adapted]), _footnotes(rows, notes), DEVELOPMENT_NOTE]
    return "\n\n".join(part for part in parts if part) + "\n"


def _main_table(rows: list[Row], models: list[str], titles: Mapping[str, str]) -> str:
    """Sets that hold the hazard, grouped by hazard, then each model's mean and worst."""
    held = [row for row in rows if row["kind"] == "real" and row["balanced_accuracy"] is not None]
    lines = _head(["set", "best simple rule", *(titles[model] for model in models)])
    find = _finder(rows)
    for hazard in dict.fromkeys(row["hazard"] for row in held):
        lines.append(_line([f"**{HAZARD_TITLES.get(hazard, hazard)}**", "", *("" for _ in models)]))
        for name in dict.fromkeys(row["set"] for row in held if row["hazard"] == hazard):
            rule = _best_rule(rows, name, hazard)
            marked = f"{name} *" if any(row["in_mean"] for row in held if row["set"] == name) else name
            cells = [_pair(find(name, hazard, model)) for model in models]
            lines.append(_line([marked, f"{_pair(rule)} ({rule['model']})" if rule else "–", *cells]))
    means = [row for row in rows if row["kind"] == "summary"]
    for name in dict.fromkeys(row["set"] for row in means):
        lines.append(_line([f"**{name}**", "", *(_pair(find(name, "all", model)) for model in models)]))
    return "\n".join(lines) if held else ""


def _false_area_table(rows: list[Row], models: list[str], titles: Mapping[str, str]) -> str:
    """Scenes without the hazard: per cent of the pixels that were marked all the same."""
    free = [row for row in rows if row["kind"] == "real" and row["balanced_accuracy"] is None]
    if not free:
        return ""
    lines = _head(["scenes without the hazard: false area", "hazard", "rule", *(titles[model] for model in models)])
    find = _finder(rows)
    for name, hazard in dict.fromkeys((row["set"], row["hazard"]) for row in free):
        rules = [row for row in free if row["set"] == name and row["hazard"] == hazard and row["mode"] == "rule"]
        rule = min(rules, key=lambda row: row["false_area"], default=None)
        shown = f"{_share(rule)} ({rule['model']})" if rule else "–"
        cells = [_share(find(name, hazard, model)) for model in models]
        lines.append(_line([name, HAZARD_TITLES.get(hazard, hazard), shown, *cells]))
    return "\n".join(lines)


def _view_table(rows: list[Row], models: list[str], titles: Mapping[str, str]) -> str:
    """Simulated scenes by view and hazard."""
    simulated = [row for row in rows if row["kind"] == "simulated"]
    if not simulated:
        return ""
    lines = _head(["held-out simulated scenes, seen as", "hazard", *(titles[model] for model in models)])
    find = _finder(rows)
    for name, hazard in dict.fromkeys((row["set"], row["hazard"]) for row in simulated):
        cells = [_pair(find(name, hazard, model)) for model in models]
        lines.append(_line([name.removeprefix("simulated "), HAZARD_TITLES.get(hazard, hazard), *cells]))
    return "\n".join(lines)


def _comparison(rows: Sequence[Row], part: Sequence[Row], title: str) -> str:
    """Each row of models that lacked something beside the full model, and the best rule where there is one."""
    lines = _head(["architecture", "set", "hazard", "lacking", title, "full model", "best simple rule"])
    find = _finder(rows)
    models = {(row["architecture"], row["ablation"], row["model"]) for row in part}
    alike = Counter((architecture, ablation) for architecture, ablation, _ in models)
    for row in part:
        several = alike[row["architecture"], row["ablation"]] > 1
        rule = _best_rule(rows, row["set"], row["hazard"])
        cells = [
            ARCHITECTURE_TITLES.get(row["architecture"], row["architecture"]),
            row["set"],
            HAZARD_TITLES.get(row["hazard"], row["hazard"]),
            f"{row['ablation']} (`{row['model']}`)" if several else row["ablation"],
            _pair(row),
            _pair(find(row["set"], row["hazard"], row["compared_with"] or "")),
            f"{_pair(rule)} ({rule['model']})" if rule else "–",
        ]
        lines.append(_line(cells))
    return "\n".join(lines)


def _adapted_unseen(rows: Sequence[Row]) -> str:
    """What adapting to each scene makes of hazards that a model never saw; empty without such rows."""
    if not rows:
        return ""
    names = ["architecture", "set", "hazard", "lacking", "mode", "scenes", "zero-shot", "adapted", "share adapted"]
    lines = _head(names)
    for row in rows:
        cells = [
            ARCHITECTURE_TITLES.get(row["architecture"], row["architecture"]),
            row["set"],
            HAZARD_TITLES.get(row["hazard"], row["hazard"]),
            row["ablation"],
            row["adaptation"],
            str(row["scenes"]),
            f"{_number(row['balanced_accuracy_before'])} / {_number(row['iou_before'])}",
            _pair(row),
            share(row["adapted"]),
        ]
        lines.append(_line(cells))
    told = "The same models adapted to each scene without labels, on the same pixels before and after:"
    return told + "\n\n" + "\n".join(lines)


def _details(rows: Sequence[Row]) -> str:
    """All scores of all rows, folded away."""
    names = ["set", "hazard", "by", *(key.replace("_", " ") for key in SCORES), "seconds"]
    lines = ["<details><summary>All scores</summary>", "", *_head(names)]
    for row in rows:
        cells = [_number(row[key]) for key in SCORES]
        lines.append(_line([row["set"], row["hazard"], _by(row), *cells, f"{row['seconds']:.1f}"]))
    return "\n".join([*lines, "", "</details>"])


def _footnotes(rows: Sequence[Row], notes: Mapping[str, str]) -> str:
    shown = dict.fromkeys(row["set"] for row in rows if row["set"] in notes)
    return "\n".join(f"* {name}: {notes[name]}." for name in shown)


def _unseen(rows: Iterable[Row]) -> list[Row]:
    """Rows of hazards that a model never saw."""
    return [row for row in rows if row["ablation"] and row["asked"] != row["hazard"]]


def _ablated(rows: Iterable[Row]) -> list[Row]:
    """Rows of models whose training lacked something other than a hazard."""
    return [row for row in rows if row["ablation"] and not row["ablation"].startswith("without ")]


def _full_models(rows: Sequence[Row], part: Sequence[Row]) -> list[Row]:
    """The rows of the full models on the same sets, each once."""
    find = _finder(rows)
    found = {(row["set"], row["hazard"], row["compared_with"] or "") for row in part}
    return [row for key in sorted(found) if (row := find(*key)) is not None]


def _best_rule(rows: Sequence[Row], name: str, hazard: str) -> Row | None:
    """The rule with the best balanced accuracy on a set."""
    rules = [row for row in rows if row["mode"] == "rule" and row["set"] == name and row["hazard"] == hazard]
    rules = [row for row in rules if row["balanced_accuracy"] is not None]
    return max(rules, key=lambda row: row["balanced_accuracy"], default=None)


def _finder(rows: Sequence[Row]) -> Find:
    by_key = {(row["set"], row["hazard"], row["model"]): row for row in rows}
    return lambda name, hazard, model: by_key.get((name, hazard, model))


def _model_title(row: Row) -> str:
    return f"{ARCHITECTURE_TITLES.get(row['architecture'], row['architecture'])} (`{row['model']}`, {row['mode']})"


def _by(row: Row) -> str:
    """Who answered; a model that never saw the hazard answers through another head."""
    if row["kind"] == KIND:
        return f"{row['model']}, adapted ({row['adaptation']})"
    if row["asked"] != row["hazard"]:
        return f"{row['asked']} of {row['model']}"
    return f"{row['ablation']}: {row['model']}" if row["ablation"] else str(row["model"])


def _cut(text: str, width: int) -> str:
    return f"{text if len(text) < width else text[: width - 2] + '~':<{width}}"


def _head(names: list[str]) -> list[str]:
    return [_line(names), "|" + "---|" * len(names)]


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |"


def _pair(row: Row | None) -> str:
    return "–" if row is None else f"{_number(row['balanced_accuracy'])} / {_number(row['iou'])}"


def _share(row: Row | None) -> str:
    return "–" if row is None or row["false_area"] is None else f"{row['false_area']:.2%}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
