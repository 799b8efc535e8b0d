"""A clock that stands still while the computer sleeps, as Windows' own does not."""

import time

SLEPT_S = 5.0
"""Time between two looks at the clock that can only be explained by sleep: it is looked at far more often."""


class AwakeClock:
    """Counts seconds, but for those in which nobody could look at it."""

    def __init__(self) -> None:
        self._looked = time.monotonic()
        self._slept_s = 0.0

    def now(self) -> float:
        """Seconds since some moment in the past."""
        looked, self._looked = self._looked, time.monotonic()
        if self._looked - looked > SLEPT_S:
            self._slept_s += self._looked - looked
        return self._looked - self._slept_s
