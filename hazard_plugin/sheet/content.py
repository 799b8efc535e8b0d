"""What a map sheet says: figures, sources, confidence and disclaimer, composed from the provenance of a mask."""

import json
import math
import os
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QCoreApplication

from ..adaptation_report import ADAPTED, verdict_title
from ..adaptation_words import outcome_text
from ..hazards import hazard_title, new_hazard_title

STEP_LOGIT = 1.0
"""Log odds by which the threshold moves for the low and the high estimate, as for exposure."""
SAME = 0.001
"""Share by which an area may lie outside of its range, as the two are summed differently."""
SHORT_HASH = 12
LEAST_COMPARED = 0.99
"""Share of the assessed pixels from which on nothing is said of those that the scene before does not show."""


@dataclass(frozen=True)
class SheetText:
    """Everything on a sheet that is read rather than seen."""

    title: str
    subtitle: str
    organisation: str
    date: str
    hazard: str
    figures: List[Tuple[str, str]] = field(default_factory=list)
    sources: List[str] = field(default_factory=list)
    confidence: str = ""
    disclaimer: str = ""
    unassessed: str = ""
    """Legend text of what is not assessed."""


def number_text(value: float, digits: int = 3) -> str:
    """Number with so many figures, its thousands apart, never in powers of ten."""
    if value == 0:
        return "0"
    places = max(digits - 1 - _magnitude(value), 0)
    text = f"{value:,.{min(places, 6)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace(",", "\u202f")


def _magnitude(value: float) -> int:
    return int(f"{abs(value):e}".split("e")[1])


def area_figure(area_m2: Any) -> str:
    """``13.4 km²``, hectares below one square kilometre; *not known* where nobody counted."""
    if not isinstance(area_m2, (int, float)):
        return tr("not known")
    if area_m2 >= 1e6 or area_m2 == 0:
        return f"{number_text(area_m2 / 1e6)} km²"
    return f"{number_text(area_m2 / 1e4)} ha" if area_m2 >= 100 else f"{number_text(area_m2)} m²"


def share_figure(share: Any) -> str:
    """Share that was not assessed in per cent, never rounded to a wrong zero or a wrong whole."""
    if not isinstance(share, (int, float)):
        return tr("not known")
    percent = 100.0 * (1.0 - share)
    if percent <= 0:
        return "0 %"
    if percent < 1:
        return tr("less than 1 %")
    return tr("more than 99 %") if 99 < percent < 100 else f"{percent:.0f} %"


def area_at(areas_by_percent_m2: Any, percent: int) -> Optional[float]:
    """Square metres of at least this probability; None where nobody counted."""
    if not isinstance(areas_by_percent_m2, Sequence) or len(areas_by_percent_m2) != 101:
        return None
    return float(sum(areas_by_percent_m2[percent:]))


def likely_cuts(threshold: Any) -> Tuple[int, int]:
    """Per cent from which the hazard is sure, and from which it is possible: the threshold moved in log odds."""
    middle = float(threshold) if isinstance(threshold, (int, float)) and 0 < threshold < 1 else 0.5
    odds = math.log(middle / (1 - middle))
    high, low = (round(100 / (1 + math.exp(-(odds + step)))) for step in (STEP_LOGIT, -STEP_LOGIT))
    return high, low


def range_figure(told: Mapping[str, Any], probability: Mapping[str, Any]) -> str:
    """``12 to 15 km²``: what is surely hazard, and what is possibly; empty where not known.

    A mask that was refined or corrected has no range: the probability knows nothing of that.
    """
    if is_changed(told):
        return ""
    areas = probability.get("areas_by_percent_m2")
    least, most = (area_at(areas, percent) for percent in likely_cuts(told.get("threshold")))
    area = told.get("hazard_area_m2")
    if least is None or most is None:
        return ""
    if isinstance(area, (int, float)) and not least * (1 - SAME) <= area <= most * (1 + SAME):
        return ""
    low, high = area_figure(least), area_figure(most)
    if low.split(" ")[-1] == high.split(" ")[-1]:
        low = low.split(" ")[0]
    return tr("{low} to {high}").format(low=low, high=high)


def scene_title(told: Mapping[str, Any], layer_name: str) -> str:
    """Name of the scene without its ending; the layer's name where the mask does not say."""
    name = os.path.basename(str(told.get("scene_name") or told.get("scene") or ""))
    return os.path.splitext(name)[0] or layer_name


def is_new(told: Mapping[str, Any]) -> bool:
    """Whether the mask shows what is new since a scene from before the event, rather than what is there."""
    return bool(told.get("question") and told.get("before_name"))


def title_of_hazard(told: Mapping[str, Any]) -> str:
    """``Flood``, or ``New flood`` where the mask shows what is new."""
    hazard = str(told.get("hazard") or "hazard")
    return new_hazard_title(hazard) if is_new(told) else hazard_title(hazard)


def before_text(told: Mapping[str, Any]) -> str:
    """Day of the scene before, else its name; empty where there is none."""
    if not is_new(told):
        return ""
    return str(told.get("before_date") or os.path.splitext(os.path.basename(str(told["before_name"])))[0])


def not_compared(told: Mapping[str, Any]) -> str:
    """Share of the assessed pixels that the scene before lacks; empty where it lacks hardly any, or nobody counted."""
    share = told.get("share_compared") if is_new(told) else None
    return share_figure(share) if isinstance(share, (int, float)) and share < LEAST_COMPARED else ""


def sensor_title(sensor: Any) -> str:
    """``Sentinel-2 L2A``; empty where not known."""
    known = {"sentinel-1": "Sentinel-1", "sentinel-2-l1c": "Sentinel-2 L1C", "sentinel-2-l2a": "Sentinel-2 L2A"}
    known.update({f"landsat-{number}": f"Landsat {number}" for number in (5, 7, 8, 9)})
    known.update({"planetscope": "PlanetScope", "rgb": tr("aerial or satellite image (RGB)")})
    return known.get(str(sensor or ""), str(sensor or ""))


def figures_of(
    told: Mapping[str, Any], probability: Mapping[str, Any], polygons: str, change: Mapping[str, Any]
) -> List[Tuple[str, str]]:
    """Names and values of the key figures, the most important first."""
    permanent = told.get("permanent_area_m2") if is_new(told) else None
    figures = [
        (tr("{hazard} area").format(hazard=title_of_hazard(told)), area_figure(told.get("hazard_area_m2"))),
        (tr("Likely range"), range_figure(told, probability)),
        (tr("Water on both dates"), area_figure(permanent) if permanent is not None else ""),
        (tr("Not assessed"), share_figure(told.get("share_assessed"))),
        (tr("Not compared"), not_compared(told)),
        *change_figures(change),
        (tr("Polygons"), polygons),
        (tr("Image date"), str(told.get("scene_date") or tr("not known"))),
        (tr("Image before"), before_text(told)),
        (tr("Sensor"), sensor_title(told.get("sensor"))),
        (tr("Model"), str(told.get("model") or "")),
        (tr("Threshold"), threshold_text(told.get("threshold"))),
        (tr("Adaptation"), adaptation_text(told)),
    ]
    return [(name, value) for name, value in figures if value]


def threshold_text(value: Any) -> str:
    """Threshold as a share; empty where not known."""
    return f"{value:.3g}" if isinstance(value, (int, float)) else ""


def adaptation_text(told: Mapping[str, Any]) -> str:
    """Verdict of the adaptation; empty where the model was not adapted to anything."""
    adaptation = told.get("adaptation")
    if isinstance(adaptation, Mapping) and adaptation.get("verdict"):
        return verdict_title(adaptation["verdict"])
    return verdict_title(ADAPTED) if told.get("adapted") else ""


def change_titles() -> Dict[str, str]:
    """What is told of the areas of a change between two dates."""
    return {"gained": tr("Gained"), "lost": tr("Lost"), "unchanged": tr("Unchanged")}


def change_figures(change: Mapping[str, Any]) -> List[Tuple[str, str]]:
    """Areas gained, lost and unchanged; none where there is no change."""
    areas = change.get("change_areas_m2")
    if not isinstance(areas, Mapping):
        return []
    return [(title, area_figure(areas.get(name))) for name, title in change_titles().items()]


def sources_of(told: Mapping[str, Any], layer_name: str, own: str, with_countries: bool) -> List[str]:
    """One line a source: scene, model, outlines, and what the analyst adds."""
    facts = [sensor_title(told.get("sensor")), str(told.get("scene_date") or ""), hash_text(told.get("scene_sha256"))]
    scene = ", ".join([scene_title(told, layer_name), *(fact for fact in facts if fact)])
    lines = [tr("Image: {scene}").format(scene=scene)]
    if is_new(told):
        names = [os.path.splitext(os.path.basename(str(told["before_name"])))[0], str(told.get("before_date") or "")]
        before = ", ".join(fact for fact in (*names, hash_text(told.get("before_sha256"))) if fact)
        lines.append(tr("Image before: {scene}").format(scene=before))
    if told.get("model"):
        model = ", ".join(fact for fact in (str(told["model"]), hash_text(told.get("model_sha256"))) if fact)
        lines.append(tr("Mapping: Hazard Mapper, model {model}").format(model=model))
    if with_countries:
        lines.append(tr("Outlines of countries: Natural Earth, as installed with QGIS"))
    lines += [line.strip() for line in own.splitlines() if line.strip()]
    return lines


def hash_text(value: Any) -> str:
    """Beginning of a hash."""
    return f"SHA-256 {str(value)[:SHORT_HASH]}" if value else ""


def confidence_of(told: Mapping[str, Any], probability: Mapping[str, Any], is_part: bool) -> str:
    """How far the sheet can be relied on, in a few sentences."""
    hazard = hazard_title(str(told.get("hazard") or "hazard"))
    tags = told.get("tags")
    is_corrected = isinstance(tags, Mapping) and bool(tags.get("HAZARD_CORRECTED"))
    if is_new(told):
        parts = [tr("Mapped by a deep-learning model, with an image from before the event; not checked in the field.")]
        if is_corrected:
            parts = [
                tr(
                    "Mapped by a deep-learning model, with an image from before the event, and corrected by hand; not "
                    "checked in the field."
                )
            ]
        parts.append(tr("What was there on {before} is left out.").format(before=before_text(told)))
        if lacking := not_compared(told):
            parts.append(
                tr(
                    "But {share} of what was assessed is not on the image before: there all is mapped, new or not."
                ).format(share=lacking)
            )
    elif is_corrected:
        parts = [tr("Mapped by a deep-learning model from one image and corrected by hand; not checked in the field.")]
    else:
        parts = [tr("Mapped by a deep-learning model from one image; not checked in the field.")]
    likely = range_figure(told, probability)
    if likely:
        surely, possibly = likely_cuts(told.get("threshold"))
        parts.append(
            tr("Between {low} % and {high} % probability as limit, the area is {likely}.").format(
                low=surely, high=possibly, likely=likely
            )
        )
    share = told.get("share_assessed")
    if not isinstance(share, (int, float)):
        parts.append(tr("How much could be assessed is not known."))
    elif share < 1:
        parts.append(
            tr(
                "{share} of the area could not be assessed (cloud, shadow or no data): there the sheet says nothing."
            ).format(share=capitalised(share_figure(share)))
        )
    if told.get("hazard") == "flood" and not is_refined(told) and not is_new(told):
        parts.append(tr("{hazard} includes permanent water.").format(hazard=hazard))
    if is_part:
        parts.append(tr("The figures are of the whole area mapped, of which the map shows a part."))
    adaptation = told.get("adaptation")
    learnt = outcome_text(adaptation) if isinstance(adaptation, Mapping) else ""
    return " ".join([*parts, *([learnt] if learnt else [])])


def is_changed(told: Mapping[str, Any]) -> bool:
    """Whether anything was taken out of the mask, or brought into it, after the model cut it."""
    tags = told.get("tags")
    return isinstance(tags, Mapping) and any(tags.get(name) for name in ("HAZARD_REFINED", "HAZARD_CORRECTED"))


def is_refined(told: Mapping[str, Any]) -> bool:
    """Whether permanent water was taken out of the mask."""
    tags = told.get("tags")
    try:
        refined = json.loads(str(tags.get("HAZARD_REFINED") or "null")) if isinstance(tags, Mapping) else None
    except ValueError:
        return False
    return isinstance(refined, Mapping) and bool(refined.get("permanent_water"))


def capitalised(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def default_disclaimer() -> str:
    """What is said where the analyst says nothing else."""
    return tr(
        "This product was derived from remote sensing by automatic means and may hold errors of position, extent and "
        "class. It supports decisions and does not replace them: verify on the ground before lives or property depend "
        "on it. Boundaries and names imply no opinion on the status of any territory."
    )


def sheet_text(
    told: Mapping[str, Any],
    probability: Mapping[str, Any],
    layer_name: str,
    polygons: str,
    with_countries: bool,
    wishes: Mapping[str, str],
    is_part: bool = False,
    change: Optional[Mapping[str, Any]] = None,
) -> SheetText:
    """Compose the text of a sheet.

    ``polygons`` is their figure, ``wishes`` are the analyst's own title, subtitle and so on, all empty where there are
    none; ``is_part`` says that the map shows a part of the mask; ``change`` is the provenance of a change.
    """
    hazard = str(told.get("hazard") or "hazard")
    scene, day = scene_title(told, layer_name), str(told.get("scene_date") or "")
    subtitle = tr("{scene}, image of {day}").format(scene=scene, day=day) if day else scene
    if is_new(told):
        subtitle = tr("{scene}, compared with {before}").format(scene=subtitle, before=before_text(told))
    return SheetText(
        title=wishes.get("title") or tr("{hazard} delineation").format(hazard=title_of_hazard(told)),
        subtitle=wishes.get("subtitle") or subtitle,
        organisation=wishes.get("organisation") or "",
        date=wishes.get("date") or "",
        hazard=hazard,
        figures=figures_of(told, probability, polygons, change or {}),
        sources=sources_of(told, layer_name, wishes.get("sources") or "", with_countries),
        confidence=confidence_of(told, probability, is_part),
        disclaimer=wishes.get("disclaimer") or default_disclaimer(),
        unassessed=tr("Not assessed"),
    )


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("MapSheet", text)
