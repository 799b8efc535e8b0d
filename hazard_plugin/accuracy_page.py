"""A page on the accuracy of a mask: scores in words and the confusion matrix in pixels and square kilometres."""

from html import escape
from typing import Any, Dict, Mapping

from qgis.PyQt.QtCore import QCoreApplication, QDateTime, Qt

from .translation import language_of_texts

LOOK = (
    "body{font:15px/1.5 sans-serif;color:#222;max-width:46em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #bbb;padding:.4em .8em;text-align:right}"
    "th{text-align:left;font-weight:600;background:#f4f4f4}small{color:#555}"
    ".tp{background:#cfe3f1}.fn{background:#f8dcc8}.fp{background:#fbf6c6}"
)
KM2_M2 = 1e6


def accuracy_page(mask: str, reference: str, is_polygons: bool, scores: Mapping[str, Any]) -> str:
    """The page as HTML with nothing outside of it; ``scores`` is the engine's answer."""
    titles = score_titles()
    heading = escape(tr("Accuracy of {mask}").format(mask=mask))
    intro = escape(tr("Compared pixel by pixel with {reference}.").format(reference=reference))
    if is_polygons:
        intro += " " + escape(tr("Everything outside of the reference's polygons counts as free of hazard."))
    values = "".join(
        f"<tr><th>{escape(titles[name])}</th><td>{escape(score_text(scores.get(name)))}</td>"
        f"<td style='text-align:left'>{escape(meaning)}</td></tr>"
        for name, meaning in meanings().items()
    )
    warnings = "".join(f"<p>{escape(str(warning))}</p>" for warning in scores.get("warnings") or ())
    lacking = tr("{count} pixels of the reference are not assessed by the mask and left out.")
    when = QDateTime.currentDateTimeUtc().toString(Qt.DateFormat.ISODate)
    return (
        f"<!DOCTYPE html><html lang='{language_of_texts()}'><head><meta charset='utf-8'><title>{heading}</title>"
        f"<style>{LOOK}</style></head><body>"
        f"<h1>{heading}</h1><p>{intro}</p>{warnings}<table>{values}</table>"
        f"<h2>{escape(tr('Confusion matrix'))}</h2>{_matrix(scores)}"
        f"<p>{escape(lacking.format(count=number_text(scores.get('not_assessed') or 0)))}</p>"
        f"<p><small>Hazard Mapper, {when}</small></p></body></html>\n"
    )


def _matrix(scores: Mapping[str, Any]) -> str:
    areas = scores.get("areas_m2") or {}

    def cell(name: str) -> str:
        text = tr("{count} pixels").format(count=number_text(scores.get(name) or 0))
        if name in areas:
            text += f"<br>{areas[name] / KM2_M2:,.3f} km²"
        return f"<td class='{name}'><small>{escape(short_titles()[name])}</small><br>{text}</td>"

    return (
        f"<table><tr><th></th><th>{escape(tr('Reference: hazard'))}</th><th>{escape(tr('Reference: none'))}</th></tr>"
        f"<tr><th>{escape(tr('Mask: hazard'))}</th>{cell('tp')}{cell('fp')}</tr>"
        f"<tr><th>{escape(tr('Mask: none'))}</th>{cell('fn')}{cell('tn')}</tr></table>"
    )


def meanings() -> Dict[str, str]:
    """What each score says, in words."""
    return {
        "balanced_accuracy": tr("mean of the shares of hazard found and of the rest left alone"),
        "iou": tr("of what either calls hazard, the share that both do"),
        "f1": tr("one number for precision and recall"),
        "precision": tr("of what the mask calls hazard, the share that is"),
        "recall": tr("of the hazard, the share that the mask found"),
    }


def short_titles() -> Dict[str, str]:
    """Names of the error layer's values."""
    return {"tp": tr("Hit"), "fp": tr("False alarm"), "fn": tr("Miss"), "tn": tr("Rightly none")}


def score_titles() -> Dict[str, str]:
    """Names of the scores, in the engine's words, to those for people."""
    return {
        "balanced_accuracy": tr("Balanced accuracy"),
        "iou": tr("Intersection over union (IoU)"),
        "f1": tr("F1"),
        "precision": tr("Precision"),
        "recall": tr("Recall"),
        "tp": tr("Pixels found rightly (true positive)"),
        "fp": tr("Pixels found wrongly (false positive)"),
        "fn": tr("Pixels missed (false negative)"),
        "tn": tr("Pixels left alone rightly (true negative)"),
        "not_assessed": tr("Pixels not assessed"),
    }


def score_text(value: Any) -> str:
    """Three decimals for a score, a count as it is."""
    if value is None:
        return tr("not defined")
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def number_text(value: float) -> str:
    """A count with thousands apart."""
    return f"{value:,.0f}"


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("AccuracyPage", text)
