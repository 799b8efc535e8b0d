"""Losses and scores of a training run by step, and the axes on which they are drawn (no widgets)."""

import math
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

Point = Tuple[float, float]

KEPT_POINTS = 1500
"""Points kept of one curve; beyond, neighbours are averaged, so that a run of days stays quick to draw."""

UNDRAWN = ("learning_rate",)
ADAPTING_LOSSES = ("forward", "backward", "auxiliary")
"""Losses of an adaptation; all others have *loss* in their names."""
SHOWN_SHARE = 0.98
"""Share of a loss's points that fit the axis: one burst does not flatten all else."""


class Curves:
    """The curves of one run; a step told again, after a resumption, replaces what followed it."""

    def __init__(self) -> None:
        self._points: Dict[str, List[Point]] = {}

    def clear(self) -> None:
        """Forget all."""
        self._points = {}

    def add(self, step: float, values: Mapping[str, float]) -> None:
        """Take the values of one step; what is not finite is left out."""
        for name, value in values.items():
            if not math.isfinite(value):
                continue
            points = self._points.setdefault(name, [])
            while points and points[-1][0] >= step:
                points.pop()
            points.append((float(step), float(value)))
            if len(points) > KEPT_POINTS:
                self._points[name] = thinned(points, KEPT_POINTS // 2)

    @property
    def names(self) -> List[str]:
        """Names of all curves, in the order they came."""
        return list(self._points)

    def points(self, name: str) -> List[Point]:
        """Steps and values of a curve."""
        return self._points.get(name, [])

    def losses(self) -> List[str]:
        """Names of the curves that are losses."""
        return [name for name in self._points if is_loss(name)]

    def scores(self) -> List[str]:
        """Names of the curves that are scores from 0 to 1."""
        return [name for name in self._points if not is_loss(name) and name not in UNDRAWN]

    def last_step(self) -> float:
        """Last step that any curve reached; 0 if there is none."""
        return max((points[-1][0] for points in self._points.values() if points), default=0.0)

    def steps(self) -> List[float]:
        """All steps at which something was measured, in order."""
        return sorted({step for points in self._points.values() for step, _ in points})

    def at(self, step: float) -> Dict[str, Point]:
        """Of each curve the point nearest to a step."""
        return {
            name: min(points, key=lambda point: abs(point[0] - step)) for name, points in self._points.items() if points
        }

    def top_of_losses(self) -> float:
        """Upper end of the axis of losses: all of validation, and nearly all of the others, lie below it."""
        tops = [0.0]
        for name in self.losses():
            values = sorted(value for _, value in self._points[name])
            if values:
                whole = name.startswith("validation")
                tops.append(values[-1] if whole else values[math.ceil(SHOWN_SHARE * len(values)) - 1])
        return max(tops)

    def top_of_scores(self) -> float:
        """Largest value of any score."""
        return max((value for name in self.scores() for _, value in self._points[name]), default=0.0)

    def as_table(self) -> str:
        """Values as tab-separated text with a line a step, for a spreadsheet."""
        by_name = {name: dict(points) for name, points in self._points.items()}
        lines = ["\t".join(["step", *by_name])]
        for step in self.steps():
            cells = [by_name[name].get(step) for name in by_name]
            lines.append("\t".join([f"{step:g}", *("" if cell is None else f"{cell:.6g}" for cell in cells)]))
        return "\n".join(lines) + "\n"


def read_curves(stored: Any) -> Curves:
    """Curves out of a model card: ``{name: [[step, value], ...]}``; what is not such is left out."""
    curves = Curves()
    for name, points in stored.items() if isinstance(stored, Mapping) else ():
        for point in points if isinstance(points, (list, tuple)) else ():
            if isinstance(point, (list, tuple)) and len(point) == 2 and all(is_number(part) for part in point):
                curves.add(point[0], {str(name): float(point[1])})
    return curves


def is_loss(name: str) -> bool:
    """Whether a curve is a loss rather than a score."""
    return "loss" in name or name in ADAPTING_LOSSES


def is_number(value: Any) -> bool:
    """Whether a value of JSON is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def thinned(points: Sequence[Point], wanted: int) -> List[Point]:
    """Means of the points in equal spans of steps; each takes the step of its last one, and the last stays last."""
    first, last = points[0][0], points[-1][0]
    spans: Dict[int, List[Point]] = {}
    for step, value in points:
        spans.setdefault(math.ceil(wanted * (step - first) / (last - first)), []).append((step, value))
    return [(span[-1][0], sum(value for _, value in span) / len(span)) for span in spans.values()]


def ticks(low: float, high: float, wanted: int) -> List[float]:
    """Round numbers from ``low`` to ``high``, about ``wanted`` of them, 1, 2 or 5 powers of 10 apart."""
    if not high > low or wanted < 1:
        return [low]
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return [round((first + index) * step, 12) for index in range(count)]


def round_up(value: float, smallest: float = 0.01) -> float:
    """Next round number at or above ``value``: the end of an axis."""
    value = max(value, smallest)
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * factor for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if power * factor >= value * 0.999)


def nearest_step(steps: Sequence[float], step: float) -> Optional[float]:
    """The step nearest to a place on the axis; None if nothing was measured."""
    return min(steps, key=lambda known: abs(known - step), default=None)
