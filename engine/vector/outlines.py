"""Outlines of many polygons as arrays of corners: from and to WKB, mended where rings touch themselves, measured."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Ring = Float
"""Corners ``(n, 2)`` of one ring, the first not repeated."""
Part = list[Ring]
"""One polygon without islands: its outer ring, then its holes."""

POLYGON, MULTIPOLYGON = 3, 6
PIECE_PX = 1.0
"""Longest piece of an edge that is measured at its middle: one pixel side lies within one cell, so outlines on pixel
sides are measured exactly."""


@dataclass(frozen=True)
class Outlines:
    """Rings of many polygons; outer rings run clockwise on the screen (x right, y down), holes the other way.

    Attributes:
        points: corners ``(m, 2)``, column and row; whole numbers are pixel corners. Rings are not closed.
        starts: first corner of each ring, and ``m`` at the end.
        polygon: number of the polygon that each ring belongs to, ascending.
        part: number of the ring's part within its polygon; a part's outer ring comes first.
    """

    points: Float
    starts: Int
    polygon: Int
    part: Int

    @property
    def ring_of_point(self) -> Int:
        """Ring that each corner belongs to."""
        return np.repeat(np.arange(len(self.polygon)), np.diff(self.starts))

    def neighbours(self) -> tuple[Int, Int]:
        """Corner before and corner after each corner of the rings."""
        count = len(self.points)
        before, after = np.arange(-1, count - 1), np.arange(1, count + 1)
        before[self.starts[:-1]] = self.starts[1:] - 1
        after[self.starts[1:] - 1] = self.starts[:-1]
        return before, after

    def with_points(self, points: Float, counts: Int) -> Outlines:
        """The same rings with other corners, ``counts`` of them a ring."""
        return Outlines(points, np.append(0, np.cumsum(counts)), self.polygon, self.part)

    def only(self, polygons: Int) -> Outlines:
        """Outlines of some polygons, in their order."""
        rings = np.flatnonzero(np.isin(self.polygon, polygons))
        keep = np.isin(self.ring_of_point, rings)
        counts = np.diff(self.starts)[rings]
        starts = np.append(0, np.cumsum(counts))
        return Outlines(self.points[keep], starts, self.polygon[rings], self.part[rings])

    def portions(self, corners: int) -> Iterator[Outlines]:
        """The same polygons in portions of about so many corners."""
        firsts = np.flatnonzero(np.diff(self.polygon, prepend=-1))  # first ring of each polygon
        portion = self.starts[firsts] // max(corners, 1)
        edges = np.append(firsts[np.flatnonzero(np.diff(portion, prepend=-1))], len(self.polygon))
        for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            begin, end = self.starts[first], self.starts[last]
            yield Outlines(
                self.points[begin:end],
                self.starts[first : last + 1] - begin,
                self.polygon[first:last],
                self.part[first:last],
            )

    def geometries(self, to_ground: Callable[[Float], Float]) -> list[tuple[int, bytes]]:
        """Number and WKB multipolygon of each polygon, its corners taken to the ground."""
        ground = to_ground(self.points) if len(self.points) else self.points
        found: list[tuple[int, bytes]] = []
        edges = np.flatnonzero(np.diff(self.polygon, prepend=-1, append=-1))
        for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            parts: list[Part] = []
            for ring in range(first, last):
                corners = ground[self.starts[ring] : self.starts[ring + 1]]
                if ring == first or self.part[ring] != self.part[ring - 1]:
                    parts.append([])
                parts[-1].append(corners)
            found.append((int(self.polygon[first]), to_wkb(parts)))
        return found


def gather(polygons: Sequence[tuple[int, Sequence[Part]]]) -> Outlines:
    """Outlines of numbered polygons, their rings turned the way that ``Outlines`` has them."""
    rings: list[Ring] = []
    polygon: list[int] = []
    part_of: list[int] = []
    for number, parts in polygons:
        for index, part in enumerate(parts):
            for position, ring in enumerate(part):
                rings.append(ring if (signed_area(ring) > 0) == (position == 0) else ring[::-1])
                polygon.append(number)
                part_of.append(index)
    counts = np.array([len(ring) for ring in rings], np.int64)
    points = np.concatenate(rings) if rings else np.empty((0, 2))
    return Outlines(points, np.append(0, np.cumsum(counts)), np.array(polygon, np.int64), np.array(part_of, np.int64))


def joined(batches: Sequence[Outlines]) -> Outlines:
    """Several outlines as one."""
    if not batches:
        return gather([])
    starts = [np.zeros(1, np.int64)]
    for batch in batches:
        starts.append(batch.starts[1:] + starts[-1][-1])
    return Outlines(
        np.concatenate([batch.points for batch in batches]),
        np.concatenate(starts),
        np.concatenate([batch.polygon for batch in batches]),
        np.concatenate([batch.part for batch in batches]),
    )


def signed_area(ring: Ring) -> float:
    """Area of a ring, positive where it runs from x towards y."""
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def from_wkb(wkb: bytes) -> list[Part]:
    """Parts of a little-endian WKB polygon or multipolygon in two dimensions."""
    kind, count = struct.unpack_from("<II", wkb, 1)
    if kind == POLYGON:
        part, _ = _read_polygon(wkb, 0)
        return [part] if part else []
    parts, at = [], 9
    for _ in range(count):
        part, at = _read_polygon(wkb, at)
        if part:
            parts.append(part)
    return parts


def _read_polygon(wkb: bytes, at: int) -> tuple[Part, int]:
    (count,) = struct.unpack_from("<I", wkb, at + 5)
    at += 9
    part: Part = []
    for _ in range(count):
        (corners,) = struct.unpack_from("<I", wkb, at)
        ring = np.frombuffer(wkb, "<f8", corners * 2, at + 4).reshape(-1, 2).astype(np.float64)
        at += 4 + corners * 16
        if len(ring) > 3:
            part.append(ring[:-1])
    return part, at


def to_wkb(parts: Sequence[Part]) -> bytes:
    """WKB multipolygon of parts."""
    pieces = [struct.pack("<BII", 1, MULTIPOLYGON, len(parts))]
    for part in parts:
        pieces.append(struct.pack("<BII", 1, POLYGON, len(part)))
        for ring in part:
            pieces += [struct.pack("<I", len(ring) + 1), ring.astype("<f8").tobytes(), ring[0].astype("<f8").tobytes()]
    return b"".join(pieces)


def pixel_counts(outlines: Outlines, first: int, polygons: int) -> Float:
    """Planar area, in pixels, of the polygons numbered from ``first`` on."""
    _, after = outlines.neighbours()
    x, y = outlines.points[:, 0], outlines.points[:, 1]
    numbers = outlines.polygon[outlines.ring_of_point] - first
    return np.asarray(np.bincount(numbers, (x * y[after] - x[after] * y) / 2, polygons), np.float64)


def ground_areas(outlines: Outlines, pixel_areas_m2: Float, cell_px: int, first: int, polygons: int) -> Float:
    """Ellipsoidal area of polygons, m2: their pixels' areas summed along the outline (Green's theorem).

    Args:
        outlines: with numbers from ``first`` to ``first + polygons - 1``.
        pixel_areas_m2: mean area of a pixel in each cell ``(rows of cells, columns of cells)``.
        cell_px: pixels of a cell.
        first: number of the first polygon.
        polygons: how many there are.
    """
    _, after = outlines.neighbours()
    step = outlines.points[after] - outlines.points
    pieces = np.maximum(np.ceil(np.abs(step).max(axis=1, initial=0) / PIECE_PX), 1).astype(np.int64)
    edge = np.repeat(np.arange(len(step)), pieces)
    place = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    middle = outlines.points[edge] + step[edge] * ((place + 0.5) / pieces[edge])[:, None]
    rows = np.clip(middle[:, 1] // cell_px, 0, pixel_areas_m2.shape[0] - 1).astype(np.int64)
    columns = np.clip(middle[:, 0] // cell_px, 0, pixel_areas_m2.shape[1] - 1).astype(np.int64)
    left = np.concatenate([np.zeros((len(pixel_areas_m2), 1)), np.cumsum(pixel_areas_m2 * cell_px, axis=1)], axis=1)
    width = left[rows, columns] + pixel_areas_m2[rows, columns] * (middle[:, 0] - columns * cell_px)
    numbers = outlines.polygon[outlines.ring_of_point] - first
    return np.asarray(np.bincount(numbers[edge], width * (step[:, 1] / pieces)[edge], polygons), np.float64)


def sides(outlines: Outlines) -> tuple[Int, Int, Int]:
    """Pixel sides along rows: row, column, and number + 1 of the polygon that begins there, negative where it ends."""
    _, after = outlines.neighbours()
    x = outlines.points[:, 0].astype(np.int64)
    y = outlines.points[:, 1].astype(np.int64)
    fall = y[after] - y
    long = np.abs(fall)
    edge = np.repeat(np.arange(len(x)), long)
    rows = np.minimum(y, y[after])[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(long) - long, long)
    numbers = outlines.polygon[outlines.ring_of_point] + 1
    return rows, x[edge], np.where(fall < 0, numbers, -numbers)[edge]


def mended(parts: Sequence[Part]) -> list[Part]:
    """The same pixels as simple rings that touch at single corners only, each hole within its own outer ring.

    Tracing may pass a corner twice where pixels touch diagonally; such rings are valid in no standard. Here the pixel
    sides themselves are put together anew: always round the pixel one follows, then cut where a corner comes again.
    """
    x, y, x_to, y_to = _directed_sides([ring for part in parts for ring in part])
    loops = _loops(x, y, x_to, y_to)
    rings = [np.stack([x[loop], y[loop]], axis=1).astype(np.float64) for loop in loops]
    ring_of = np.empty(len(x), np.int64)
    for index, loop in enumerate(loops):
        ring_of[loop] = index
    group = _connected(x, y, x_to, y_to, ring_of, len(rings))
    found: dict[int, Part] = {}
    areas = [signed_area(ring) for ring in rings]
    for index in np.argsort([area < 0 for area in areas], kind="stable").tolist():
        found.setdefault(group[index], []).append(_corners(rings[index]))
    return list(found.values())


def _directed_sides(rings: Sequence[Ring]) -> tuple[Int, Int, Int, Int]:
    """Sides of single pixels, start and end, with the polygon on the right of whoever follows them on the screen."""
    start = np.concatenate(rings).astype(np.int64)
    end = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings]).astype(np.int64)
    low, high = np.minimum(start, end), np.maximum(start, end)
    long = (high - low).max(axis=1)
    edge = np.repeat(np.arange(len(low)), long)
    place = np.arange(len(edge)) - np.repeat(np.cumsum(long) - long, long)
    upright = (low[:, 0] == high[:, 0])[edge]
    x, y = low[edge, 0] + np.where(upright, 0, place), low[edge, 1] + np.where(upright, place, 0)
    sides_: list[tuple[Int, Int, Int, Int]] = []
    for chosen, ahead, across in ((upright, y, x), (~upright, x, y)):
        order = np.lexsort((across[chosen], ahead[chosen]))
        ordered_x, ordered_y = x[chosen][order], y[chosen][order]
        enters = np.arange(len(order)) % 2 == 0
        if chosen is upright:  # the left side of pixels runs up, the right one down
            from_y, to_y = np.where(enters, ordered_y + 1, ordered_y), np.where(enters, ordered_y, ordered_y + 1)
            sides_.append((ordered_x, from_y, ordered_x, to_y))
        else:  # the upper side runs right, the lower one left
            from_x, to_x = np.where(enters, ordered_x, ordered_x + 1), np.where(enters, ordered_x + 1, ordered_x)
            sides_.append((from_x, ordered_y, to_x, ordered_y))
    first, second = sides_
    return (
        np.concatenate([first[0], second[0]]),
        np.concatenate([first[1], second[1]]),
        np.concatenate([first[2], second[2]]),
        np.concatenate([first[3], second[3]]),
    )


def _loops(x: Int, y: Int, x_to: Int, y_to: Int) -> list[Int]:
    """Sides in their order along simple rings."""
    stride = int(max(x.max(), x_to.max())) + 2
    starts, ends = y * stride + x, y_to * stride + x_to
    order = np.argsort(starts, kind="stable")
    place = np.searchsorted(starts[order], ends)
    follow = order[place]
    other = order[np.minimum(place + 1, len(order) - 1)]
    two = (starts[other] == ends) & (other != follow)
    # a right turn on the screen takes (dx, dy) to (-dy, dx)
    right_x, right_y = -(y_to - y), x_to - x
    turns = (x_to[other] - x[other] == right_x) & (y_to[other] - y[other] == right_y)
    follow = np.where(two & turns, other, follow)
    next_side, corner = follow.tolist(), starts.tolist()
    used = bytearray(len(next_side))
    loops: list[Int] = []
    for begin in range(len(next_side)):
        if used[begin]:
            continue
        path: list[int] = []
        seen: dict[int, int] = {}
        side = begin
        while True:
            if corner[side] in seen:
                since = seen[corner[side]]
                loops.append(np.array(path[since:], np.int64))
                for passed in path[since:]:
                    del seen[corner[passed]]
                del path[since:]
            if used[side]:
                break
            used[side] = 1
            seen[corner[side]] = len(path)
            path.append(side)
            side = next_side[side]
    return loops


def _connected(x: Int, y: Int, x_to: Int, y_to: Int, ring_of: Int, rings: int) -> list[int]:
    """For each ring the first of those that bound the same connected pixels: each run of a row joins its two ends."""
    upright = np.flatnonzero(x == x_to)
    order = upright[np.lexsort((x[upright], np.minimum(y, y_to)[upright]))]
    pairs = np.unique(np.stack([ring_of[order[0::2]], ring_of[order[1::2]]], axis=1), axis=0)
    parent = list(range(rings))

    def root(ring: int) -> int:
        while parent[ring] != ring:
            parent[ring] = parent[parent[ring]]
            ring = parent[ring]
        return ring

    for one, two in pairs.tolist():
        parent[root(one)] = root(two)
    return [root(ring) for ring in range(rings)]


def _corners(ring: Ring) -> Ring:
    """A ring without the corners at which it goes straight on."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    return np.asarray(ring[(before != after).any(axis=1)], np.float64)
