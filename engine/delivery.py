"""Carries out the jobs that turn a mask into what is handed over."""

from __future__ import annotations

from typing import Any

from .reporting import Report


def deliver(kind: str, job: Any, report: Report) -> dict[str, Any]:
    """Carry out a job of ``DELIVERY_JOBS`` and return its JSON value; what it needs is imported only now."""
    if kind == "provenance":
        from .provenance import provenance

        return provenance(job, report)
    if kind == "polygons":
        from .polygons import polygons

        return polygons(job, report)
    if kind == "threshold":
        from .threshold import threshold

        return threshold(job, report)
    if kind == "keep":
        from .partial import keep

        return keep(job, report)
    if kind == "refine":
        from .refine import refine

        return refine(job, report)
    if kind == "repeat":
        from .repeat import repeat

        return repeat(job, report)
    if kind == "correct":
        from .correct import correct

        return correct(job, report)
    if kind == "change":
        from .change import change

        return change(job, report)
    if kind == "unassessed":
        from .unassessed import unassessed

        return unassessed(job, report)
    if kind == "zones":
        from .zones import zones

        return zones(job, report)
    from .series import series

    return series(job, report)
