"""What the values of a mask mean, and the refusal of rasters that are no mask."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from .protocol import NOT_ASSESSED, ON_SLOPE, PERMANENT_WATER, BadInput, parse_date

Codes = npt.NDArray[np.uint8]

NO_HAZARD, HAZARD = 0, 1
MASK_CODES = (NO_HAZARD, HAZARD, PERMANENT_WATER, ON_SLOPE, NOT_ASSESSED)


def require_mask(tags: Mapping[str, str], description: str, name: str) -> None:
    """Raise BadInput for a change, an error layer or a probability, whose values could pass for those of a mask."""
    if "HAZARD_CHANGE_JOB" in tags:
        raise BadInput(f"'{name}' shows the change between two masks; choose one of the masks themselves.")
    if "HAZARD_EVALUATION" in tags:
        raise BadInput(f"'{name}' shows where a mask is right and wrong; choose the mask itself.")
    if tags and "probability" in description:
        raise BadInput(f"'{name}' is a probability; choose its mask, or apply a threshold to it first.")


def require_probability(tags: Mapping[str, str], description: str, name: str) -> None:
    """Raise BadInput for a mask of ours or what is made of masks: their codes could pass for per cent."""
    if tags and description and "probability" not in description:
        raise BadInput(f"'{name}' is no probability but '{description}'; choose the probability of the run.")


def require_codes(values: npt.NDArray[np.generic], name: str) -> Codes:
    """Values of a mask as bytes; raises BadInput if there is another one among them."""
    present = np.flatnonzero(np.bincount(values.ravel(), minlength=256)) if values.dtype == np.uint8 else values
    strange = np.setdiff1d(present, MASK_CODES)
    if strange.size:
        raise BadInput(
            f"'{name}' holds {strange[0]:g}; expected a mask: 0 none, 1 hazard, 2 permanent water, "
            "3 ruled out by slope, 255 not assessed."
        )
    return values.astype(np.uint8)


def day_of(tags: Mapping[str, str]) -> str | None:
    """Day of the scene of a mask, year first; None where the mask does not say it."""
    try:
        return parse_date(tags.get("HAZARD_SCENE_DATE", "")[:10])
    except BadInput:
        return None
