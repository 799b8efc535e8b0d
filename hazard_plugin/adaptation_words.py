"""What an adaptation came to, in sentences, for all that tells of it: log, metadata, report and map sheet."""

from typing import Any, Mapping

from qgis.PyQt.QtCore import QCoreApplication


def outcome_text(adaptation: Mapping[str, Any]) -> str:
    """Why it ended as it did, in the engine's own sentence, and what a scene before gave; empty where not told."""
    parts = (str(adaptation.get("reason") or ""), unchanged_text(adaptation))
    return " ".join(part for part in parts if part)


def unchanged_text(adaptation: Mapping[str, Any]) -> str:
    """That ground which did not change since a scene before was used; empty where nothing was tried with one."""
    share = adaptation.get("unchanged_share")
    if not isinstance(share, (int, float)) or not adaptation.get("stages"):
        return ""
    name, day = adaptation.get("before_name"), adaptation.get("before_date")
    since = str(day) if day else f"'{name}'" if name else tr("the scene before")
    if share <= 0:
        return tr("No ground was found that did not change since {since}, so it could not help.").format(since=since)
    percent = f"{100 * share:.0f}" if share >= 0.01 else tr("less than 1")
    return tr(
        "Ground that did not change since {since} ({percent} % of the view) was used: nothing is new there."
    ).format(since=since, percent=percent)


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("AdaptationWords", text)
