"""Lays the cards of several models side by side: what they are, and what they score set by set."""

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from .engine_texts import card_text
from .hazards import hazard_title
from .model_card import number, pairs
from .models import ModelEntry
from .result_panel import escape

Key = Tuple[str, str, str]
"""Set, hazard and mode of a measured row."""


class CompareDialog(QDialog):
    """A page that can be selected from and closed."""

    def __init__(self, models: Sequence[ModelEntry], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("compareModelsDialog")
        self.setWindowTitle(tr("Compare models"))
        self.resize(min(260 + 190 * len(models), 1100), 620)
        layout = QVBoxLayout(self)
        self.page = QTextBrowser()
        self.page.setAccessibleName(tr("Cards of the chosen models side by side"))
        self.page.setHtml(comparison_html(models))
        layout.addWidget(self.page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)


def comparison_html(models: Sequence[ModelEntry]) -> str:
    """Facts and scores as one table, a column a model; whatever a card contains is shown as text."""
    facts = [
        (tr("Hazards"), [", ".join(hazard_title(hazard) for hazard in model.hazards) for model in models]),
        (tr("Default for"), [", ".join(hazard_title(hazard) for hazard in model.default_for) for model in models]),
        (tr("Adapted from"), [model.parent for model in models]),
        (tr("Architecture"), [text_of(model, "architecture") for model in models]),
        (tr("Encoder"), [text_of(model, "encoder") for model in models]),
        (tr("Thresholds"), [pairs(model.card.get("thresholds")) for model in models]),
        (tr("Metres a pixel"), [gsd_text(model) for model in models]),
        (tr("Licence"), [text_of(model, "licence") for model in models]),
        (tr("Mean balanced accuracy"), [number(model.score) for model in models]),
    ]
    head = row_html(["", *[f"{model.title}\n{model.name}" for model in models]], "th")
    body = [row_html([name, *[cell or "–" for cell in cells]]) for name, cells in facts if any(cells)]
    measured = [scores_of(model) for model in models]
    keys = sorted({key for rows in measured for key in rows}, key=lambda key: (key[1], key[0], key[2]))
    if keys:
        body.append(row_html([tr("Balanced accuracy / IoU"), *["" for _ in models]], "th"))
    for key in keys:
        body.append(score_row(key, [rows.get(key) for rows in measured]))
    shared = [key for key in keys if all(value_of(rows.get(key)) is not None for rows in measured)]
    if len(shared) > 1:
        means = [sum(value_of(rows[key]) or 0.0 for key in shared) / len(shared) for rows in measured]
        told = tr("Mean of the {count} rows that all have").format(count=len(shared))
        body.append(row_html([told, *[f"{mean:.3f}" for mean in means]], "th"))
    limits = [card_text(text_of(model, "limits")) or "–" for model in models]
    body.append(row_html([tr("Limits"), *limits]))
    note = "" if keys else f"<p>{escape(tr('None of these models has been scored yet.'))}</p>"
    return f"<table cellpadding='4' border='0'>{head}{''.join(body)}</table>{note}"


def scores_of(model: ModelEntry) -> Dict[Key, Mapping[str, Any]]:
    """Measured rows of a card by what was measured."""
    rows = model.card.get("scores")
    found = {}
    for row in rows if isinstance(rows, (list, tuple)) else ():
        if isinstance(row, Mapping) and row.get("set"):
            found[(str(row["set"]), str(row.get("hazard") or ""), str(row.get("mode") or ""))] = row
    return found


def score_row(key: Key, rows: Sequence[Optional[Mapping[str, Any]]]) -> str:
    """One set: balanced accuracy and IoU of each model, the best in bold."""
    name, hazard, mode = key
    known = [value for value in map(value_of, rows) if value is not None]
    cells = []
    for row in rows:
        value = value_of(row)
        text = "–" if row is None else f"{digits(value)} / {digits(value_of(row, 'iou'))}"
        is_best = value is not None and len(known) > 1 and value == max(known)
        cells.append(f"<td><b>{escape(text)}</b></td>" if is_best else f"<td>{escape(text)}</td>")
    told = ", ".join(part for part in (hazard_title(hazard) if hazard else "", name, mode.replace("_", " ")) if part)
    return f"<tr><td>{escape(told)}</td>{''.join(cells)}</tr>"


def value_of(row: Optional[Mapping[str, Any]], name: str = "balanced_accuracy") -> Optional[float]:
    """A score as a number; None where there is none."""
    value = None if row is None else row.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def digits(value: Optional[float]) -> str:
    """Three digits after the point."""
    return "–" if value is None else f"{value:.3f}"


def text_of(model: ModelEntry, name: str) -> str:
    """An entry of a card as text."""
    value = model.card.get(name)
    return str(value) if value else ""


def gsd_text(model: ModelEntry) -> str:
    """``3 to 30``."""
    value = model.card.get("gsd_m")
    return tr("{low} to {high}").format(low=number(value[0]), high=number(value[1])) if is_pair(value) else ""


def is_pair(value: Any) -> bool:
    """Whether a value is a list of two."""
    return isinstance(value, list) and len(value) == 2


def row_html(cells: List[str], kind: str = "td") -> str:
    """A row of text cells."""
    shown = [escape(cell).replace("\n", "<br>") for cell in cells]
    return "<tr>" + "".join(f"<{kind} align='left' valign='top'>{cell}</{kind}>" for cell in shown) + "</tr>"


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("ModelsCompare", text)
