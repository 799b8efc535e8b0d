"""Which parts of a scene are read to learn of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .georeference import Window

MOST_SIDE_BY_SIDE = 4
"""Windows that are read at once: GDAL's threads decode their blocks together, and memory stays small."""


def sample_windows(width: int, height: int, block: tuple[int, int], most_px: int) -> list[Window]:
    """Windows that sample a scene evenly, aligned with its blocks so that few blocks are decoded.

    Small scenes are read whole; large ones on a regular lattice of about 64 windows.
    """
    if width * height <= 4 * most_px:
        rows = max(1, min(height, most_px // max(width, 1)))
        return [Window(0, y, width, min(rows, height - y)) for y in range(0, height, rows)]
    block_width, block_height = min(block[0], width), min(block[1], height)
    if block_width >= width:  # strips: few rows, full width, thinned later
        rows = min(max(most_px // 64 // width, block_height, 1), max(1, most_px // width))
        count = max(8, min(64, 4 * most_px // (rows * width)))
        align = block_height if block_height <= rows else 1
        starts = [round(i * (height - rows) / (count - 1)) // align * align for i in range(count)]
        return [Window(0, y, width, min(rows, height - y)) for y in dict.fromkeys(starts)]
    side_x, side_y = (min(max(b, -(-128 // b) * b), 512) for b in (block_width, block_height))
    windows = {}
    last = 7 if block_width * block_height <= 512 * 512 else 4  # large blocks cost much to decode
    for j in range(last + 1):
        for i in range(last + 1):
            x = max(0, round(i * (width - side_x) / last)) // block_width * block_width
            y = max(0, round(j * (height - side_y) / last)) // block_height * block_height
            windows[(x, y)] = Window(x, y, min(side_x, width - x), min(side_y, height - y))
    return list(windows.values())


def side_by_side(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Windows in their order, those that touch along a row together, so that they can be read at once."""
    group: list[Window] = []
    for window in windows:
        last = group[-1] if group else None
        touches = last is not None and (last.x + last.width, last.y, last.height) == (window.x, window.y, window.height)
        if group and not (touches and len(group) < MOST_SIDE_BY_SIDE):
            yield group
            group = []
        group.append(window)
    if group:
        yield group
