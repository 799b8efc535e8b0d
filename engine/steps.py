"""What was done to a mask after it was segmented, step by step, in its tags, so that it can be done again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from .protocol import job_to_dict

STEPS_TAG = "HAZARD_STEPS"


def steps_of(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Steps ``{kind, job}`` in order; empty where there are none or the tag is damaged."""
    try:
        found = json.loads(tags.get(STEPS_TAG) or "[]")
    except ValueError:
        return []
    good = isinstance(found, list) and all(
        isinstance(step, dict) and isinstance(step.get("kind"), str) and isinstance(step.get("job"), dict)
        for step in found
    )
    return found if good else []


def with_step(tags: Mapping[str, str], kind: str, job: Any) -> dict[str, str]:
    """Tags of a result with one more step; files are named so that it can be done again from another folder."""
    values = {
        name: os.path.abspath(value) if isinstance(value, str) and value and os.path.exists(value) else value
        for name, value in job_to_dict(job).items()
    }
    return {**tags, STEPS_TAG: json.dumps([*steps_of(tags), {"kind": kind, "job": values}], ensure_ascii=True)}
