"""Finds files again that were moved together with a result: projects travel with their folders."""

from __future__ import annotations

import os

from .fields import is_remote


def where_now(path: str, made: str | None, now: str) -> str:
    """The path itself where it is there still, else where it lies beside a result as it did before, else the path.

    Args:
        path: file or folder that a result came from.
        made: name that the result was given when it was written; None where that is not known.
        now: name of the result now.
    """
    if not path or is_remote(path) or os.path.exists(path):
        return path
    folder = os.path.dirname(os.path.abspath(now))
    places = [os.path.basename(path.rstrip("/\\").replace("\\", "/"))]
    if made and os.path.isabs(path) and os.path.isabs(made):
        try:
            places.insert(0, os.path.relpath(path, os.path.dirname(made)))
        except ValueError:  # another drive
            pass
    candidates = [os.path.normpath(os.path.join(folder, place)) for place in places if place]
    return next((candidate for candidate in candidates if os.path.exists(candidate)), path)
