"""Refusals whose remedy depends on who asked: a scene is corrected in one place, training data in another."""

from __future__ import annotations

from .protocol import BadInput

IN_DOCK = "under Bands and units"
"""Where notes on a scene say that it is corrected; other entrances put their own place or option instead."""


class Remediable(BadInput):
    """The sentence in two halves, so that another entrance can name a remedy that it has.

    Attributes:
        found: what is wrong.
        remedy: what to do about it where a scene is mapped.
    """

    def __init__(self, found: str, remedy: str = "") -> None:
        super().__init__(f"{found}; {remedy}." if remedy else found)
        self.found = found
        self.remedy = remedy
