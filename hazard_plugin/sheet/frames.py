"""Where the parts of a map sheet lie, in millimetres on the page; pure arithmetic."""

from dataclasses import dataclass
from typing import Dict, Tuple

PAGES: Dict[str, Tuple[float, float]] = {"A4": (210.0, 297.0), "A3": (297.0, 420.0)}
"""Short and long side of each page."""
NICE = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.5, 8.0, 10.0)
"""Numbers that scales are rounded up to, times a power of ten."""
MARGIN, HEADER, FOOTER, PANEL, GAP = 9.0, 17.0, 27.0, 64.0, 4.0
PORTRAIT_PANEL = 57.0
"""Height of the panel below an upright map."""
TICKS = 4.5
"""Room for the coordinates around the map."""


@dataclass(frozen=True)
class Frame:
    """A rectangle on the page: left, top, width and height in millimetres."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self.y + self.height

    def inset(self, by: float) -> "Frame":
        """The frame without a border."""
        return Frame(self.x + by, self.y + by, self.width - 2 * by, self.height - 2 * by)


@dataclass(frozen=True)
class SheetFrames:
    """The parts of one sheet; ``unit`` enlarges lengths and ``type_size`` letters on larger pages."""

    page: str
    landscape: bool
    unit: float
    type_size: float
    width: float
    height: float
    header: Frame
    map: Frame
    panel: Frame
    footer: Frame


def sheet_frames(page: str, landscape: bool) -> SheetFrames:
    """Parts of a page that lies or stands."""
    short, long = PAGES[page]
    width, height = (long, short) if landscape else (short, long)
    unit = short / PAGES["A4"][0]
    margin, gap, ticks = MARGIN * unit, GAP * unit, TICKS * unit
    inner = width - 2 * margin
    header = Frame(margin, margin, inner, HEADER * unit)
    footer = Frame(margin, height - margin - FOOTER * unit, inner, FOOTER * unit)
    top, bottom = header.bottom + gap, footer.y - gap
    if landscape:
        panel = Frame(width - margin - PANEL * unit, top, PANEL * unit, bottom - top)
        outer = Frame(margin, top, panel.x - gap - margin, bottom - top)
    else:
        panel = Frame(margin, bottom - PORTRAIT_PANEL * unit, inner, PORTRAIT_PANEL * unit)
        outer = Frame(margin, top, inner, panel.y - gap - top)
    type_size = 1.0 + (unit - 1.0) * 0.75
    return SheetFrames(page, landscape, unit, type_size, width, height, header, outer.inset(ticks), panel, footer)


def best_frames(page: str, wide: float, high: float) -> SheetFrames:
    """The sheet, lying or standing, on which an area of these sides is drawn larger."""

    def size(frames: SheetFrames) -> float:
        return min(frames.map.width / max(wide, 1e-12), frames.map.height / max(high, 1e-12))

    return max((sheet_frames(page, True), sheet_frames(page, False)), key=size)


def nice_above(value: float) -> float:
    """The next round number at or above a positive value."""
    power = 1.0
    while power > value:
        power /= 10.0
    while power * 10.0 <= value:
        power *= 10.0
    return next(nice * power for nice in NICE if nice * power >= value * (1 - 1e-9))


def nice_interval(span: float, parts: int) -> float:
    """Round distance of lines that divide a span into about so many parts: 1, 2 or 5 times a power of ten."""
    wanted = span / parts
    power = 1.0
    while power > wanted:
        power /= 10.0
    while power * 10.0 <= wanted:
        power *= 10.0
    return min((1.0, 2.0, 5.0, 10.0), key=lambda step: abs(step * power - wanted)) * power


def interval_below(most: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is not above a positive value."""
    power = 1.0
    while power > most:
        power /= 10.0
    while power * 10.0 <= most:
        power *= 10.0
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= most)
