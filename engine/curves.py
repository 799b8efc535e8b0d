"""Curves of a training run: values by step, few enough to keep and to draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MOST_POINTS = 200


@dataclass
class Curve:
    """Means of equal numbers of values; whenever there are too many points, neighbours are merged.

    Attributes:
        points: (step of the last value, mean) of each.
        stride: values that make a point.
    """

    points: list[tuple[int, float]] = field(default_factory=list)
    stride: int = 1
    _waiting: list[float] = field(default_factory=list)

    def add(self, step: int, value: float) -> None:
        """Take the next value."""
        self._waiting.append(value)
        if len(self._waiting) < self.stride:
            return
        self.points.append((step, sum(self._waiting) / len(self._waiting)))
        self._waiting = []
        if len(self.points) > MOST_POINTS:
            kept = self.points if len(self.points) % 2 == 0 else self.points[:-1]
            self._waiting = [] if kept is self.points else [self.points[-1][1]] * self.stride
            pairs = zip(kept[::2], kept[1::2], strict=True)
            self.points = [(late, (a + b) / 2) for (_, a), (late, b) in pairs]
            self.stride *= 2

    def shown(self, most: int = 100) -> list[list[float]]:
        """At most ``most`` points, rounded, the last always among them."""
        every = -(-len(self.points) // most)
        picked = self.points[::-1][:: max(1, every)][::-1]
        return [[step, float(f"{value:.4g}")] for step, value in picked]

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"points": [list(point) for point in self.points], "stride": self.stride, "waiting": list(self._waiting)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Curve:
        """From a checkpoint."""
        return cls([(int(step), float(value)) for step, value in state["points"]], state["stride"], state["waiting"])
