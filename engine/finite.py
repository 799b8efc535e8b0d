"""Numbers that come with a file, read so that they can be told in JSON: neither NaN nor infinite."""

from __future__ import annotations

import json
import math
from typing import Any


class NotFinite(ValueError):
    """A number is none, or larger than any; says which."""


def read_json(text: str) -> Any:
    """The value of a JSON text; raises ValueError for any other text, NotFinite for such a number in it."""
    return json.loads(text, parse_constant=_finite, parse_float=_finite)


def read_number(text: str | None) -> float | None:
    """The finite number that a text says; None where it says none."""
    try:
        return _finite(text) if text else None
    except ValueError:
        return None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotFinite(text[:20])
    return number
