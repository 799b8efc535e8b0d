"""Physical priors: how far each pixel's values alone speak for a hazard, where a scene's units allow it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .planes import PLANES, SAR_CENTRE_DB, SAR_SPREAD_DB, SceneScaling, planes_for, reflectance_of
from .protocol import BadInput

Planes = Mapping[str, Tensor]


@dataclass(frozen=True)
class Prior:
    """One way to answer for a hazard.

    Attributes:
        needs: names of ``PLANES`` that a scene must have.
        words: what it is, for messages.
        answer: planes by name, each (n, h, w), to a probability (n, h, w).
    """

    needs: tuple[str, ...]
    words: str
    answer: Callable[[Planes], Tensor]


def _step(value: Tensor, at: float, width: float) -> Tensor:
    """A soft step from 0 to 1 around ``at``; falling where ``width`` is negative."""
    return torch.sigmoid((value - at) / width)


def _reflectance(planes: Planes, slot: str) -> Tensor:
    return reflectance_of(planes[f"raw_{slot}"])


def _decibels(planes: Planes, slot: str) -> Tensor:
    return planes[f"raw_{slot}"] * SAR_SPREAD_DB + SAR_CENTRE_DB[slot]


def _water(index: str) -> Callable[[Planes], Tensor]:
    """Water by a difference index above 0 (MNDWI, Xu 2006; NDWI, McFeeters 1996), not as bright as snow or cloud."""
    return lambda planes: _step(planes[index], 0.0, 0.08) * _step(_reflectance(planes, "green"), 0.28, -0.03)


def _dark_water(*slots: str) -> Callable[[Planes], Tensor]:
    """Open water by backscatter limits: VV below -17 dB, VH below -24 dB; both count alike."""
    limits = {"vv": -17.0, "vh": -24.0}
    return lambda planes: torch.stack([_step(_decibels(planes, slot), limits[slot], -1.0) for slot in slots]).mean(0)


def _dry_light(planes: Planes) -> Tensor:
    """Neither water or deep shade nor snow or cloud, by red reflectance."""
    red = _reflectance(planes, "red")
    return _step(red, 0.07, 0.015) * _step(red, 0.5, -0.05)


def _bare_soil(planes: Planes) -> Tensor:
    """Ground without plants, lit and dry: NDVI (Rouse 1974) under 0.3, red and near infrared not dark."""
    return _step(planes["ndvi"], 0.3, -0.06) * _step(_reflectance(planes, "nir"), 0.1, 0.02) * _dry_light(planes)


def _soil_colour(planes: Planes) -> Tensor:
    """Ground redder than plants or water are: green below red, in any units that keep the colour."""
    return _step(planes["green_red"] / 3, 0.0, -0.04)


def _rock_and_ice(planes: Planes) -> Tensor:
    """Ground without plants that is neither water nor clean snow: NDVI under 0.15, NDSI under 0.4 (Hall 1995)."""
    return _step(planes["ndvi"], 0.15, -0.04) * _step(planes["mndwi"], 0.4, -0.05) * _dry_light(planes)


def _rock_and_ice_of_four(planes: Planes) -> Tensor:
    """The same without short-wave infrared: clean snow is told by its brightness alone."""
    return _step(planes["ndvi"], 0.15, -0.04) * _dry_light(planes)


def _grey(planes: Planes) -> Tensor:
    """Ground as grey as rock and dirty ice: green, blue and red alike, neither dark nor as bright as snow."""
    green, blue = (planes[name].abs() / 3 for name in ("green_red", "blue_red"))
    return _step(green, 0.1, -0.025) * _step(blue, 0.15, -0.03) * _dry_light(planes)


_RED_NIR = ("raw_red", "raw_nir", "ndvi")
PRIORS: Mapping[str, tuple[Prior, ...]] = {
    "flood": (
        Prior(("mndwi", "raw_green"), "MNDWI above 0", _water("mndwi")),
        Prior(("ndwi", "raw_green"), "NDWI above 0", _water("ndwi")),
        Prior(("raw_vv", "raw_vh"), "VV below -17 dB and VH below -24 dB", _dark_water("vv", "vh")),
        Prior(("raw_vv",), "VV below -17 dB", _dark_water("vv")),
        Prior(("raw_vh",), "VH below -24 dB", _dark_water("vh")),
    ),
    "landslide": (
        Prior(_RED_NIR, "bare ground, NDVI under 0.3", _bare_soil),
        Prior(
            ("green_red", "raw_red"),
            "bare ground, green below red",
            lambda planes: _soil_colour(planes) * _dry_light(planes),
        ),
        Prior(("green_red",), "bare ground, green below red", _soil_colour),
    ),
    "glacier_collapse": (
        Prior((*_RED_NIR, "mndwi"), "bare rock and dirty ice, NDVI under 0.15 and NDSI under 0.4", _rock_and_ice),
        Prior(_RED_NIR, "bare rock and dirty ice, NDVI under 0.15", _rock_and_ice_of_four),
        Prior(("green_red", "blue_red", "raw_red"), "grey ground, neither dark nor snow", _grey),
    ),
}
"""Ways to answer for each hazard, the best first."""

_NEEDS = {
    "flood": "green with swir1 or nir as reflectance, or vv or vh in dB",
    "landslide": "red with nir as reflectance, or green with red",
    "glacier_collapse": "red with nir, or blue, green and red, as reflectance",
}
_NEEDS["any"] = "; ".join(_NEEDS.values())


def choose_priors(chosen: Sequence[int], hazard: str) -> tuple[Prior, ...]:
    """Priors that answer for ``hazard`` from these indices into ``PLANES``: one, or for ``any`` one a hazard, or none.

    Where several are chosen, the largest answer counts.
    """
    names = {PLANES[index] for index in chosen}
    found = []
    for key in PRIORS if hazard == "any" else (hazard,):
        usable = [prior for prior in PRIORS.get(key, ()) if names.issuperset(prior.needs)]
        found += usable[:1]
    return tuple(found)


def require_priors(scaling: SceneScaling, hazard: str, model: str) -> tuple[Prior, ...]:
    """As ``choose_priors`` for a whole scene; raises BadInput where its bands and units allow none."""
    priors = choose_priors(planes_for(scaling), hazard)
    if priors:
        return priors
    if hazard not in _NEEDS:
        raise BadInput(
            f"Model '{model}' is only pre-trained and nothing is known of '{hazard}' without training; "
            f"train the hazard first, or ask for one of {', '.join(_NEEDS)}."
        )
    units = "physical units" if any(scaling.absolute) else "display or unknown units"
    raise BadInput(
        f"Model '{model}' is only pre-trained, so {hazard.replace('_', ' ')} needs {_NEEDS[hazard]}; the scene gives "
        f"{', '.join(scaling.slots)} in {units}: choose bands and units, or a model trained for the hazard."
    )


def physical_prior(planes: Tensor, chosen: Sequence[int], hazard: str) -> Tensor | None:
    """Prior probability of a hazard by physics alone.

    Args:
        planes: (n, len(chosen), h, w) as ``build_planes`` makes them.
        chosen: index into ``PLANES`` of each plane.
        hazard: ``flood``, ``landslide``, ``glacier_collapse`` or ``any`` (the largest of the three).

    Returns:
        (n, h, w) from 0 to 1, or None where bands and units allow none. Meaningless where nothing was measured.
    """
    by_name = {PLANES[index]: planes[:, position].float() for position, index in enumerate(chosen)}
    answers = [prior.answer(by_name) for prior in choose_priors(chosen, hazard)]
    return torch.stack(answers).amax(0) if answers else None
