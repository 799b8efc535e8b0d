"""How a running operation tells how far it is, and learns that it is to stop."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from .protocol import Cancelled

Progress = Callable[[str, float, "float | None"], None]
Log = Callable[[str, str], None]
Metrics = Callable[[int, Mapping[str, float]], None]
Preview = Callable[[Mapping[str, Any]], None]


def _no_progress(stage: str, share: float, seconds_left: float | None) -> None:
    """Tell nobody."""


def _no_log(level: str, text: str) -> None:
    """Tell nobody."""


def _no_metrics(step: int, values: Mapping[str, float]) -> None:
    """Tell nobody."""


def _no_preview(values: Mapping[str, Any]) -> None:
    """Tell nobody."""


class Report:
    """One operation's line to whoever waits for it; safe to use from several threads.

    Args:
        on_progress: called with stage, share done (0-1) and seconds left (None while unknown).
        on_log: called with level (``info`` or ``warning``) and text.
        cancelled: set from outside to stop the operation.
        job_id: names unfinished files, so that whoever started the job can find them.
        on_metrics: called with a training step and its losses and scores by name.
        finish: set from outside to end early and keep what was reached, where an operation can.
        on_preview: called with what there is to see before the operation is through.

    Attributes:
        left: what a cancelled operation left for whoever may want to keep it; empty for nothing.
        began: ``time.monotonic()`` from which the operation's time counts, where its caller began before it.
    """

    def __init__(
        self,
        on_progress: Progress = _no_progress,
        on_log: Log = _no_log,
        cancelled: threading.Event | None = None,
        job_id: str = "",
        on_metrics: Metrics = _no_metrics,
        finish: threading.Event | None = None,
        on_preview: Preview = _no_preview,
    ) -> None:
        self._on_progress = on_progress
        self._on_log = on_log
        self._on_metrics = on_metrics
        self._on_preview = on_preview
        self.left: dict[str, Any] = {}
        self.cancelled = cancelled or threading.Event()
        self.finish = finish or threading.Event()
        self.job_id = job_id
        self.began: float | None = None
        self._stage = ""
        self._stage_began = 0.0
        self._last_told = 0.0

    def stage(self, name: str, share: float = 0.0) -> None:
        """Begin a stage and tell so at once."""
        self.check()
        self._stage, self._stage_began = name, time.monotonic()
        self._last_told = self._stage_began
        self._on_progress(name, share, None)

    def progress(self, done: float, first: float = 0.0, last: float = 1.0, seconds_left: float | None = None) -> None:
        """Tell that ``done`` (0-1) of the stage is through; it spans ``first`` to ``last`` of the whole operation.

        Seconds left are estimated from the stage's pace, unless the caller knows better.
        """
        self.check()
        now = time.monotonic()
        if now - self._last_told < 0.1 and done < 1:
            return
        self._last_told = now
        spent = now - self._stage_began
        if seconds_left is None and done > 0.02 and spent > 0.5:
            seconds_left = spent * (1 - done) / done
        self._on_progress(self._stage, first + done * (last - first), seconds_left)

    def log(self, text: str, level: str = "info") -> None:
        """Tell something worth keeping in the log."""
        self._on_log(level, text)

    def warner(self, warnings: list[str]) -> Callable[[str], None]:
        """What an operation warns with: each text is told at once and added to ``warnings``, for its result."""

        def warn(text: str) -> None:
            warnings.append(text)
            self.log(text, "warning")

        return warn

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Tell finite losses and scores of a training step; others are left out."""
        self._on_metrics(step, {name: float(value) for name, value in values.items() if math.isfinite(value)})

    def preview(self, values: Mapping[str, Any]) -> None:
        """Tell what there is to see already: file, metres a pixel, and the share of its rows that are final."""
        self._on_preview(values)

    def check(self) -> None:
        """Raise Cancelled if the operation is to stop."""
        if self.cancelled.is_set():
            raise Cancelled("Cancelled; nothing was written.")
