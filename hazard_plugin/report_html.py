"""Composes a report as one HTML page that needs nothing else: text in, text out, everything in it escaped."""

import html
from dataclasses import dataclass, field
from typing import Any, Iterable, List, Mapping, Sequence, Tuple

from qgis.PyQt.QtCore import QCoreApplication

from .adaptation_report import adaptation_html
from .engine_texts import card_text
from .hazards import hazard_title
from .model_card import SCORE_COLUMNS, number, pairs, plain, score_title
from .sheet.content import area_at, area_figure, not_compared, share_figure
from .translation import language_of_texts

THRESHOLDS_PERCENT = (10, 20, 30, 40, 50, 60, 70, 80, 90)
SCORES = ("balanced_accuracy", "iou", "f1", "precision", "recall")
COUNTS = ("tp", "fp", "fn", "tn")
STYLE = """
:root { color-scheme: light dark; --ink: #1f1f1f; --quiet: #5c5c5c; --rule: #c4cad2; --accent: #12355b;
  --paper: #ffffff; --band: #f3f5f8; --warn: #8a4b00; --warned: #fff4e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --quiet: #a8a8a8; --rule: #48515c; --accent: #9dc3ee;
  --paper: #16191d; --band: #20252b; --warn: #ffcf87; --warned: #33291a; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, "Segoe UI", "Noto Sans", Arial, sans-serif; color: var(--ink);
  background: var(--paper); margin: 0 auto; max-width: 60rem; padding: 1.5rem; overflow-wrap: anywhere; }
header { border-bottom: 3px solid var(--accent); margin-bottom: 1.5rem; }
h1 { color: var(--accent); font-size: 1.8rem; line-height: 1.2; margin: 0; }
h2 { color: var(--accent); font-size: 1.15rem; border-bottom: 1px solid var(--rule); margin: 2rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
p.quiet, figcaption { color: var(--quiet); }
figure { margin: 0; }
img { display: block; width: 100%; border: 1px solid var(--rule); background: #ffffff; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--rule); padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; }
table.facts th { color: var(--quiet); font-weight: normal; width: 34%; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
.warned { background: var(--warned); border-left: 4px solid var(--warn); padding: .6rem 1rem; }
.key { display: inline-block; margin: .5rem 1.25rem 0 0; }
.swatch { display: inline-block; width: 1.6em; height: .9em; border: 1px solid #444444; margin-right: .4em; }
code { font-family: ui-monospace, Consolas, "DejaVu Sans Mono", monospace; font-size: .85em; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } figure, table, .warned { break-inside: avoid; }
  h2, h3 { break-after: avoid; } img { max-height: 20cm; object-fit: contain; } }
"""


@dataclass(frozen=True)
class ReportContent:
    """Everything that a report tells; what is empty is left out."""

    title: str
    subtitle: str
    made: str
    told: Mapping[str, Any]
    figures: Sequence[Tuple[str, str]]
    confidence: str
    disclaimer: str
    picture: str = ""
    """The map as base64 of a PNG."""
    keys: Sequence[Tuple[str, str]] = ()
    """Colours and names of the map."""
    areas_by_percent_m2: Any = None
    polygons: Sequence[Sequence[str]] = ()
    exposure: Sequence[Sequence[Any]] = ()
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    change: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)


def report_html(content: ReportContent) -> str:
    """The whole page."""
    parts = [
        header(content),
        map_part(content),
        section(tr("Key figures"), facts(content.figures) + unassessed(content.told)),
        section(tr("Area by probability"), probability_table(content.areas_by_percent_m2)),
        section(tr("Largest polygons"), polygon_table(content.polygons)),
        section(tr("Change"), change_part(content.change)),
        section(tr("Exposure"), exposure_table(content.exposure)),
        section(tr("Accuracy"), evaluation_part(content.evaluation)),
        section(tr("Adaptation"), adaptation_part(content.told)),
        section(tr("Model card"), card_part(content.card, content.told)),
        section(tr("Settings"), settings_part(content.told)),
        section(tr("Chain of custody"), custody_part(content.told)),
        section(tr("Limits"), limits_part(content)),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="{language_of_texts()}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(content.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def text(value: Any) -> str:
    """Any value as text that a page shows as it is."""
    return html.escape("".join(sign for sign in str(value) if sign in "\n\t" or ord(sign) >= 32), quote=True)


def section(title: str, body: str) -> str:
    """A part with its heading; nothing where there is no body."""
    return f"<section><h2>{text(title)}</h2>\n{body}</section>" if body else ""


def header(content: ReportContent) -> str:
    """Title, scene and day of the report."""
    made = tr("Report of {date}, made by Hazard Mapper.").format(date=content.made)
    return (
        f"<header><h1>{text(content.title)}</h1>\n<p>{text(content.subtitle)}</p>\n"
        f'<p class="quiet">{text(made)}</p></header>'
    )


def map_part(content: ReportContent) -> str:
    """The map with its key."""
    if not content.picture:
        return ""
    keys = "".join(
        f'<span class="key"><span class="swatch" style="background:{text(colour)}"></span>{text(name)}</span>'
        for colour, name in content.keys
    )
    return (
        f'<figure><img alt="{text(tr("Map of the result"))}" src="data:image/png;base64,{content.picture}">\n'
        f"<figcaption>{keys}</figcaption></figure>"
    )


def facts(rows: Iterable[Tuple[str, Any]]) -> str:
    """Names and values."""
    body = "".join(
        f'<tr><th scope="row">{text(name)}</th><td>{text(value)}</td></tr>'
        for name, value in rows
        if value not in (None, "")
    )
    return f'<table class="facts"><tbody>{body}</tbody></table>' if body else ""


def grid(head: Sequence[str], rows: Iterable[Sequence[Any]], numbers_from: int = 1) -> str:
    """A table with a head, its numbers to the right."""

    def cells(values: Sequence[Any], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=' + chr(34) + 'number' + chr(34) if index >= numbers_from else ''}>{text(value)}</{tag}>"
            for index, value in enumerate(values)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    if not body:
        return ""
    top = f"<thead><tr>{cells(head, 'th')}</tr></thead>"
    return f'<div class="wide"><table>{top}<tbody>{body}</tbody></table></div>'


def unassessed(told: Mapping[str, Any]) -> str:
    """What was not assessed, said so that nobody takes it for *no hazard*."""
    share = told.get("share_assessed")
    if not isinstance(share, (int, float)):
        said = tr("How much of the scene was assessed is not known: the absence of a hazard is not shown anywhere.")
    elif share >= 1:
        return f"<p>{text(tr('All pixels of the area were assessed.'))}</p>"
    else:
        said = tr("Not assessed: {share} of the area. Nothing is said there; it is not free of hazard.").format(
            share=share_figure(share)
        )
    return f'<p class="warned">{text(said)}</p>'


def probability_table(areas_by_percent_m2: Any) -> str:
    """Area of at least each probability."""
    rows = [(f"{percent} %", area_at(areas_by_percent_m2, percent)) for percent in THRESHOLDS_PERCENT]
    return grid(
        (tr("Probability of at least"), tr("Area")),
        [(name, area_figure(area)) for name, area in rows if area is not None],
    )


def polygon_table(polygons: Sequence[Sequence[str]]) -> str:
    """The largest polygons."""
    return grid((tr("Polygon"), tr("Area"), tr("Mean probability"), tr("Origin")), polygons)


def change_part(change: Mapping[str, Any]) -> str:
    """Which two masks were compared, and what was counted of it."""
    return facts((name, plain(value)) for name, value in change.items())


def exposure_table(rows: Sequence[Sequence[Any]]) -> str:
    """Low, central and high estimate of what is exposed."""
    head = (tr("Item"), tr("Class"), tr("Unit"), tr("Low"), tr("Central"), tr("High"))
    return grid(head, rows, 3)


def evaluation_part(found: Mapping[str, Any]) -> str:
    """Scores and confusion."""
    if not found:
        return ""
    titles = {
        "balanced_accuracy": tr("Balanced accuracy"),
        "iou": tr("Intersection over union (IoU)"),
        "f1": tr("F1"),
        "precision": tr("Precision"),
        "recall": tr("Recall"),
    }

    def score(value: Any) -> str:
        return f"{value:.3f}" if isinstance(value, (int, float)) else tr("not defined")

    parts = [facts((titles[name], score(found.get(name))) for name in SCORES if name in found)]
    if all(isinstance(found.get(name), (int, float)) for name in COUNTS):
        parts.append(f"<h3>{text(tr('Confusion, in pixels'))}</h3>")
        rows = [
            (tr("Mask: hazard"), found["tp"], found["fp"]),
            (tr("Mask: none"), found["fn"], found["tn"]),
        ]
        parts.append(grid(("", tr("Reference: hazard"), tr("Reference: none")), rows))
    if found.get("not_assessed") is not None:
        left = tr("{count} pixels that the mask does not assess are left out.").format(count=found["not_assessed"])
        parts.append(f'<p class="warned">{text(left)}</p>' if found["not_assessed"] else f"<p>{text(left)}</p>")
    return "".join(parts)


def adaptation_part(told: Mapping[str, Any]) -> str:
    """Verdict, stages and settings of the adaptation, or that there was none."""
    adaptation = told.get("adaptation")
    if isinstance(adaptation, Mapping) and adaptation:
        return adaptation_html(adaptation)
    if told.get("adapted"):
        return f"<p>{text(tr('The model was adapted to a scene; the stages are not told in the mask.'))}</p>"
    if told.get("model"):
        return f"<p>{text(tr('The model was used as it is; it was not adapted to this scene.'))}</p>"
    return ""


def card_part(card: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """What the model is for, how it was made and how well it does."""
    if not card:
        name = str(told.get("model") or tr("not known"))
        missing = tr("Model: {name}. Its card was not found on this computer.").format(name=name)
        return f"<p>{text(missing)}</p>"
    rows = [
        (tr("Model"), card_text(str(card.get("title") or "")) or card.get("name")),
        (tr("Name"), card.get("name")),
        (tr("Architecture"), " / ".join(str(card[key]) for key in ("architecture", "encoder") if card.get(key))),
        (tr("Hazards"), ", ".join(hazard_title(str(name)) for name in card.get("hazards") or ())),
        (tr("Thresholds"), pairs(card.get("thresholds"))),
        (tr("Parent"), card.get("parent")),
        (tr("Licence"), card.get("licence")),
        (
            tr("Mean balanced accuracy on real scenes"),
            number(card["score"]) if card.get("score") is not None else tr("not measured"),
        ),
    ]
    parts = [f"<p>{text(card_text(str(card['description'])))}</p>" if card.get("description") else "", facts(rows)]
    scores = [row for row in card.get("scores") or () if isinstance(row, Mapping)]
    scores = [row for row in scores if row.get("hazard") == told.get("hazard")] or scores
    columns = [name for name in SCORE_COLUMNS if any(name in row for row in scores)]
    if scores:
        parts.append(f"<h3>{text(tr('Scores, set by set'))}</h3>")
        head = [score_title(name) for name in columns]
        texts = len([name for name in columns if name in ("set", "hazard", "mode")])
        parts.append(grid(head, [[number(row.get(name)) for name in columns] for row in scores], texts))
    return "".join(parts)


def settings_part(told: Mapping[str, Any]) -> str:
    """The job that made the mask, as it was."""
    job = told.get("job")
    if not isinstance(job, Mapping):
        return f"<p>{text(tr('The mask does not tell the job that made it.'))}</p>"
    rows: List[Tuple[str, str]] = [
        (str(name).replace("_", " "), tr("default") if value is None or value == [] else plain(value))
        for name, value in job.items()
    ]
    rows.append((tr("threshold used"), number(told.get("threshold"))))
    return facts(rows) + steps_part(told.get("steps"))


def steps_part(steps: Any) -> str:
    """What was done to the mask after the model had made it, in order."""
    titles = {
        "threshold": tr("Another threshold"),
        "refine": tr("Permanent water, slopes and what cannot be seen"),
        "correct": tr("Corrected by hand"),
        "polygons": tr("Traced to polygons"),
    }
    parts = []
    for step in steps if isinstance(steps, list) else ():
        if not isinstance(step, Mapping) or not isinstance(step.get("job"), Mapping):
            continue
        kind = str(step.get("kind"))
        given = ((n.replace("_", " "), plain(v)) for n, v in step["job"].items() if v not in (None, [], "", False))
        parts.append(f"<h3>{text(tr('Afterwards: {step}').format(step=titles.get(kind, kind)))}</h3>{facts(given)}")
    return "".join(parts)


def custody_part(told: Mapping[str, Any]) -> str:
    """Hashes, versions and device."""
    return facts(
        [
            (tr("Mask"), told.get("file")),
            (tr("Scene"), told.get("scene_name") or told.get("scene")),
            (tr("SHA-256 of the scene"), told.get("scene_sha256") or tr("not known")),
            (tr("Scene before"), told.get("before_name") or told.get("before")),
            (tr("Day of the scene before"), told.get("before_date")),
            (tr("SHA-256 of the scene before"), told.get("before_sha256")),
            (tr("Not compared"), not_compared(told)),
            (tr("SHA-256 of the model"), told.get("model_sha256") or tr("not known")),
            (tr("Parent of the model"), told.get("parent")),
            (tr("Bands"), told.get("bands")),
            (tr("Units"), told.get("units")),
            (tr("Made at"), told.get("time")),
            (tr("Device"), told.get("device")),
            (tr("Versions"), plain(told["versions"]) if told.get("versions") else ""),
        ]
    )


def limits_part(content: ReportContent) -> str:
    """What the result cannot be relied on for."""
    parts = [content.confidence, card_text(str(content.card.get("limits") or "")), content.disclaimer]
    return "".join(f"<p>{text(part)}</p>" for part in parts if part)


def tr(text_: str) -> str:
    """Translate."""
    return QCoreApplication.translate("HazardReport", text_)
