"""What an adaptation came to, as a page to read: verdict, stages tried, settings, and what was known of the scene."""

import json
from typing import Any, List, Mapping, Tuple

from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from .adaptation_modes import mode_title
from .adaptation_words import outcome_text
from .engine_texts import source_title
from .hazards import hazard_title
from .result_panel import area_text, escape

ADAPTED = "adapted"
"""Verdict by which the adapted model is used."""


class AdaptationDialog(QDialog):
    """A page that can be selected from and closed."""

    def __init__(self, name: str, adaptation: Mapping[str, Any], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("adaptationDialog")
        self.setWindowTitle(tr("Adaptation: {name}").format(name=name))
        self.resize(640, 480)
        layout = QVBoxLayout(self)
        self.page = QTextBrowser()
        self.page.setHtml(f"<h2>{escape(name)}</h2>{adaptation_html(adaptation)}")
        layout.addWidget(self.page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)


def open_adaptation(name: str, told: str, parent: QWidget) -> None:
    """Show what an adaptation came to, out of the algorithm's output ADAPTATION; nothing where that holds nothing."""
    try:
        adaptation = json.loads(told or "{}")
    except ValueError:
        return
    if isinstance(adaptation, dict) and adaptation:
        AdaptationDialog(name, adaptation, parent).open()


def verdict_title(verdict: Any) -> str:
    """Verdict for people."""
    titles = {ADAPTED: tr("Adapted"), "rolled_back": tr("Rolled back"), "abstained": tr("Abstained")}
    return titles.get(str(verdict), str(verdict))


def adaptation_html(adaptation: Mapping[str, Any]) -> str:
    """Verdict, stages, characteristics and settings; all text in it is shown as it is."""
    job = adaptation.get("job")
    settings: Mapping[str, Any] = {**(job if isinstance(job, Mapping) else {}), **adaptation}
    verdict = adaptation.get("verdict")
    # An adapted model's reason begins with that word.
    title = "" if verdict == ADAPTED else f"<b>{escape(verdict_title(verdict))}.</b> "
    parts = [f"<p>{title}{escape(outcome_text(adaptation))}</p>"]
    stages = [stage for stage in adaptation.get("stages") or () if isinstance(stage, Mapping)]
    if stages:
        parts.append(f"<h3>{tr('Stages tried')}</h3>{stages_table(stages, verdict == ADAPTED)}")
        parts.append(f"<p>{tr('The proxy is the error to expect, estimated without labels: lower is better.')}</p>")
    found = adaptation.get("characteristics")
    if isinstance(found, Mapping):
        parts.append(f"<h3>{tr('Known of the scene')}</h3>{rows_table(characteristic_rows(found))}")
    parts.append(f"<h3>{tr('Settings')}</h3>{rows_table(setting_rows(settings))}")
    return "".join(parts)


def stages_table(stages: List[Mapping[str, Any]], is_adapted: bool) -> str:
    """One line a stage; the last accepted one is in use if the model is adapted, and bold."""
    accepted = [index for index, stage in enumerate(stages) if stage.get("accepted")]
    last = accepted[-1] if accepted and is_adapted else -1
    head = (tr("Stage"), tr("Alpha"), tr("Steps"), tr("Threshold"), tr("Proxy"), tr("Area"), tr("Outcome"))
    rows = ["<tr>" + "".join(f"<th align='left'>{escape(cell)}</th>" for cell in head) + "</tr>"]
    for index, stage in enumerate(stages):
        outcome = text_of(stage, "reason") or (tr("better") if stage.get("accepted") else tr("not better"))
        cells = [
            text_of(stage, "stage"),
            *(number(stage.get(name)) for name in ("alpha", "steps", "threshold", "proxy")),
        ]
        cells += [area_text(stage.get("area_m2")), outcome]
        shown = [f"<b>{escape(cell)}</b>" if index == last else escape(cell) for cell in cells]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in shown) + "</tr>")
    return f"<table cellpadding='3'>{''.join(rows)}</table>"


def characteristic_rows(found: Mapping[str, Any]) -> List[Tuple[str, str]]:
    """Place, day and sensor with where each is from; *not known* where it is not."""
    stored = found.get("sources")
    sources: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
    rows = []
    for title, name, source in (
        (tr("Longitude"), "longitude", "longitude_latitude"),
        (tr("Latitude"), "latitude", "longitude_latitude"),
        (tr("Day"), "date", "date"),
        (tr("Sensor"), "sensor", "sensor"),
    ):
        rows.append((title, known_text(found.get(name), sources.get(source))))
    return rows


def known_text(value: Any, source: Any) -> str:
    """``12.34 (extent)``, or *not known*."""
    if value is None or value == "":
        return tr("not known")
    text = f"{value:.5g}" if isinstance(value, float) else str(value)
    return f"{text} ({source_title(source)})" if source else text


def setting_rows(settings: Mapping[str, Any]) -> List[Tuple[str, str]]:
    """How it was adapted; what is not told is left out."""
    rows = []
    for title, names in (
        (tr("Scene"), ("scene",)),
        (tr("Scene before"), ("before_name",)),
        (tr("Day of the scene before"), ("before_date",)),
        (tr("Hazard"), ("hazard",)),
        (tr("Mode"), ("mode",)),
        (tr("Lambda"), ("lambda", "backward_weight")),
        (tr("Mu"), ("mu", "auxiliary_weight")),
        (tr("Time budget in seconds"), ("budget_s",)),
        (tr("Steps"), ("steps",)),
        (tr("Windows a step"), ("batch_size",)),
        (tr("Learning rate"), ("learning_rate",)),
        (tr("Seed"), ("seed",)),
        (tr("Device"), ("device",)),
        (tr("Seconds taken"), ("seconds",)),
    ):
        value = next((settings[name] for name in names if settings.get(name) is not None), None)
        if value is not None:
            titles = {"mode": mode_title, "hazard": hazard_title}
            rows.append((title, titles[names[0]](str(value)) if names[0] in titles else number(value)))
    return rows


def rows_table(rows: List[Tuple[str, str]]) -> str:
    """Names and values as an HTML table."""
    return "<table cellpadding='3'>" + "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows
    ) + "</table>"  # fmt: skip


def text_of(values: Mapping[str, Any], name: str) -> str:
    """Text of an entry; empty where there is none."""
    return str(values.get(name) or "")


def number(value: Any) -> str:
    """A cell's text."""
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("AdaptationReport", text)
