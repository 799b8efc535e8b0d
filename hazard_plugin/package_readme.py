"""What a delivery says of itself: a page for people and the same facts for programs."""

import json
from typing import Any, Dict, Mapping, Optional, Sequence

from .package_content import Sums
from .package_schema import LAYOUTS, PackageName, Source
from .sheet.content import not_compared

DISCLAIMER = (
    "This package follows the layout of Copernicus EMS Rapid Mapping vector packages. It was not issued, checked or "
    "endorsed by the Copernicus Emergency Management Service unless whoever hands it over says so."
)
OPINION = (
    "The delineation comes from a model and from those who corrected it. Check it before lives or property depend "
    "on it."
)
NEVER_NONE = (
    "Ground without a polygon in observedEventA is without hazard only where it was analysed: inside the image "
    "footprint and outside the areas 'Not Analysed' of imageFootprintA. Elsewhere nothing is known."
)
COVERAGE_UNKNOWN = (
    "No mask was given, so it is not known which ground could not be analysed. Do not take ground without a polygon "
    "for ground without hazard."
)


def readme(name: PackageName, sums: Sums, source: Source, facts: Mapping[str, Any], credit: str, files: str) -> str:
    """Text of the README."""
    row = source.row()
    lines = [
        f"{name.package}",
        "=" * len(name.package),
        "",
        f"Product            {name.map_type}, area of interest {name.aoi:02d}, release {name.revision}, "
        f"version {name.version}",
        f"Event              {facts['event_type']}, {facts['subtype']}",
        f"Observed event     {sums.hectares:.2f} ha in {sums.polygons} polygon(s)",
        f"Area of interest   {sums.interest_ha:.2f} ha",
        f"Not analysed       {not_analysed(sums, facts['mask'])}",
        f"Image              {row['source_nam']}, {row['src_date'] or 'day not stated'} "
        f"{row['source_tm'] or '(time not stated)'}, {row['sensor_gsd'] or 'pixel size not stated'}, "
        f"{row['eventphase']}",
        *([f"Image before       {before}"] if (before := image_before(facts)) else []),
        f"Detection          {methods(sums)}",
        f"Model              {facts.get('model') or 'not stated'}"
        + (f", threshold {facts['threshold']}" if facts.get("threshold") not in (None, "") else ""),
        "Coordinates        longitude and latitude, WGS 84 (EPSG:4326); areas on its ellipsoid, in hectares",
        f"Written            {facts['written']} by Hazard Mapper {facts['plugin_version']}",
        "",
        NEVER_NONE if facts["mask"] else COVERAGE_UNKNOWN,
        "",
        OPINION,
        "",
        DISCLAIMER,
        "",
        "Sources and licences",
        "--------------------",
        credit or "The licence of the imagery is not stated; ask whoever hands this over.",
        "",
        "Files",
        "-----",
        *[f"{layout.name:<16} {', '.join(layout.names())}" for layout in LAYOUTS],
        f"Formats: {files}. Styles: .qml (QGIS) and .sld (OGC) beside each layer; the GeoPackage holds its styles too.",
        "SHA256SUMS: hashes of all files (sha256sum -c SHA256SUMS).",
    ]
    return "\n".join(lines) + "\n"


def image_before(facts: Mapping[str, Any]) -> str:
    """Image with which the mask was compared, and what that means; empty where there was none."""
    if not facts.get("before_name"):
        return ""
    lacking = not_compared(facts)
    part = f" ({lacking} of what was assessed it does not show: there all is mapped)" if lacking else ""
    day = facts.get("before_date") or "day not stated"
    return f"{facts['before_name']}, {day}: only what is new since is mapped{part}"


def not_analysed(sums: Sums, has_mask: bool) -> str:
    """Area and share that were not analysed."""
    share = sums.share_analysed
    if not has_mask or share is None:
        known = f"at least {sums.not_analysed_ha:.2f} ha; " if sums.not_analysed_ha > 0 else ""
        return f"{known}not known (no mask was given)"
    return f"{sums.not_analysed_ha:.2f} ha, {100 * (1 - share):.2f} % of the area of interest"


def methods(sums: Sums) -> str:
    """Detection methods and how many polygons each made."""
    return ", ".join(f"{method} ({count})" for method, count in sorted(sums.methods.items())) or "no polygon"


def metadata(
    name: PackageName, sums: Sums, source: Source, facts: Mapping[str, Any], provenance: Optional[Mapping[str, Any]]
) -> str:
    """The same facts as JSON, with the origin of the mask as far as it is known."""
    found: Dict[str, Any] = {
        "package": name.package,
        "activation": name.activation,
        "map_type": name.map_type,
        "event": {"event_type": facts["event_type"], "obj_desc": facts["subtype"], "notation": facts["notation"]},
        "observed_event_ha": round(sums.hectares, 4),
        "polygons": sums.polygons,
        "polygons_taken_out_by_hand": sums.removed,
        "polygons_outside": sums.outside,
        "area_of_interest_ha": round(sums.interest_ha, 4),
        "not_analysed_ha": round(sums.not_analysed_ha, 4) if facts["mask"] else None,
        "share_analysed": rounded(sums.share_analysed) if facts["mask"] else None,
        "source": source.row(),
        "crs": "EPSG:4326",
        "written": facts["written"],
        "program": f"Hazard Mapper {facts['plugin_version']}",
        "provenance": without_paths(provenance) if provenance else None,
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def rounded(value: Optional[float]) -> Optional[float]:
    """Six decimals."""
    return None if value is None else round(value, 6)


def without_paths(provenance: Mapping[str, Any]) -> Dict[str, Any]:
    """Provenance that can leave the house: hashes and names, but no paths of the analyst's machine."""
    kept: Sequence[str] = (
        "hazard",
        "model",
        "model_sha256",
        "parent",
        "adapted",
        "threshold",
        "scene_name",
        "scene_sha256",
        "scene_date",
        "question",
        "before_name",
        "before_date",
        "before_sha256",
        "share_compared",
        "sensor",
        "bands",
        "units",
        "time",
        "versions",
        "device",
        "share_assessed",
    )
    return {key: provenance.get(key) for key in kept}
