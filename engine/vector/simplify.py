"""Fewer and rounder corners for many outlines at once, so that no ring ever crosses another or itself.

Corners are taken away (or cut off) only if no other corner, of whichever ring, lies in the triangle that the outline
sweeps over by it. Since the outlines do not cross before, they cannot cross after (the argument of de Berg, van Kreveld
and Schirra, "Topologically correct subdivision simplification using the bandwidth criterion", 1998). Corners at which
rings touch stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from .outlines import Float, Int, Outlines

Bool = npt.NDArray[np.bool_]

CELL = 4.0
"""Pixels of a cell of the index that finds corners."""
LONGEST_PX = 128.0
"""Larger triangles are left alone: they would take long to search, and bring little."""
LONGEST_CUT_PX = 2.0
FEWEST_CORNERS = 4
AT_ONCE = 2_000_000
"""Corners that are compared with triangles at a time."""


def simplified(outlines: Outlines, tolerance: float, scale: tuple[float, float], check: Callable[[], None]) -> Outlines:
    """Outlines with corners left out, no part of them further than ``tolerance`` from where it was.

    In each round those corners go that cost least among their neighbours. What an edge already strays from the
    original counts towards the cost of the next corner beside it.

    Args:
        outlines: valid, touching at shared corners only.
        tolerance: in the units of ``scale``.
        scale: size of a pixel, width and height.
        check: called every round; may raise to stop.
    """
    points = outlines.points
    before, after = outlines.neighbours()
    ring, left = outlines.ring_of_point, np.diff(outlines.starts)
    alive = np.ones(len(points), bool)
    strayed = np.zeros(len(points))  # of the edge that begins at the corner
    priority = np.random.default_rng(0).permutation(len(points))
    cost = np.full(len(points), np.inf)
    changed = np.arange(len(points))
    while True:
        check()
        cost[changed] = _cost(points[before[changed]], points[changed], points[after[changed]], np.asarray(scale))
        cost[changed] += np.maximum(strayed[before[changed]], strayed[changed])
        cost[changed[cost[changed] > tolerance]] = np.inf
        wanted = np.flatnonzero(np.isfinite(cost) & (left[ring] > FEWEST_CORNERS))
        if not len(wanted):
            return outlines.with_points(points[alive], np.bincount(ring[alive], minlength=len(left)))
        first = _goes_first(cost, priority, wanted, before[wanted]) & _goes_first(cost, priority, wanted, after[wanted])
        wanted = _within_reserve(wanted[first], ring, left, cost)
        triangle = np.stack([before[wanted], wanted, after[wanted]], axis=1)
        blocked = CornerIndex(points, np.flatnonzero(alive)).blocked(points[triangle], triangle)
        cost[wanted[blocked]] = np.inf  # until a neighbour goes
        gone = wanted[~blocked]
        a, c = before[gone], after[gone]
        after[a], before[c] = c, a
        strayed[a] = cost[gone]
        alive[gone], cost[gone] = False, np.inf
        np.subtract.at(left, ring[gone], 1)
        changed = np.unique(np.concatenate([a, c]))


def smoothed(outlines: Outlines, rounds: int, check: Callable[[], None]) -> Outlines:
    """Outlines with their corners cut off at a quarter of both edges, again and again (Chaikin, 1974).

    Of long edges less than a quarter goes, so that straight shores stay straight: what is cut off is at most
    ``LONGEST_CUT_PX`` long, then half of that in each further round.
    """
    for number in range(rounds):
        check()
        before, after = outlines.neighbours()
        points = outlines.points
        own = np.stack([before, np.arange(len(points)), after], axis=1)
        longest = LONGEST_CUT_PX / 2**number
        ends = np.stack([_cut(points, points[before], longest), _cut(points, points[after], longest)], axis=1)
        triangles = np.stack([ends[:, 0], points, ends[:, 1]], axis=1)
        blocked = CornerIndex(points, np.arange(len(points))).blocked(triangles, own)
        blocked |= _turn(points[before], points, points[after]) == 0
        counts = np.where(blocked, 1, 2)
        new = np.repeat(points, counts, axis=0)
        place = np.cumsum(counts) - counts
        new[place[~blocked]] = ends[~blocked, 0]
        new[place[~blocked] + 1] = ends[~blocked, 1]
        of_ring = np.bincount(outlines.ring_of_point, counts, minlength=len(outlines.polygon))
        outlines = outlines.with_points(new, of_ring.astype(np.int64))
    return outlines


def _cut(corner: Float, towards: Float, longest: float) -> Float:
    """Where an edge is cut: at a quarter, or an eighth and so on, which floating-point numbers hold exactly."""
    edge = towards - corner
    length = np.hypot(edge[:, 0], edge[:, 1]) / 4
    halvings = np.ceil(np.log2(np.maximum(length / longest, 1)))
    return np.asarray(corner + edge * (0.25 / 2**halvings)[:, None], np.float64)


class CornerIndex:
    """Finds which corners lie in triangles.

    Args:
        points: all corners ``(m, 2)``.
        chosen: those that count.
    """

    def __init__(self, points: Float, chosen: Int) -> None:
        cells = np.floor(points[chosen] / CELL).astype(np.int64)
        self._origin = cells.min(axis=0, initial=0)
        self._stride = int(cells[:, 0].max(initial=0) - self._origin[0]) + 2
        keys = self._key(cells[:, 0], cells[:, 1])
        order = np.argsort(keys, kind="stable")
        self._points, self._chosen, self._keys = points, chosen[order], keys[order]

    def _key(self, columns: Int, rows: Int) -> Int:
        return np.asarray((rows - self._origin[1]) * self._stride + (columns - self._origin[0]), np.int64)

    def blocked(self, triangles: Float, own: Int) -> Bool:
        """Whether a triangle ``(n, 3, 2)``, its rim included, holds a corner that is none of its ``own`` ``(n, 3)``.

        Others at the place of its first or its last corner do not count, unless there are some at both.
        """
        found = np.zeros(len(triangles), bool)
        for chosen, corner in self._candidates(triangles):
            foreign = (corner[:, None] != own[chosen]).all(axis=1)
            chosen, corner = chosen[foreign], corner[foreign]
            point = self._points[corner]
            a, b, c = (triangles[chosen, i] for i in range(3))
            turns = np.stack([_turn(a, b, point), _turn(b, c, point), _turn(c, a, point)])
            inside = (turns >= 0).all(axis=0) | (turns <= 0).all(axis=0)
            low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
            inside &= ((point >= low) & (point <= high)).all(axis=1)
            at_first, at_last = (point == a).all(axis=1), (point == c).all(axis=1)
            found[chosen[inside & ~at_first & ~at_last]] = True
            both = np.zeros((2, len(triangles)), bool)
            both[0, chosen[at_first]] = True
            both[1, chosen[at_last]] = True
            found |= both.all(axis=0)
        return found

    def _candidates(self, triangles: Float) -> Iterator[tuple[Int, Int]]:
        """Pairs of triangle and corner in the cells that the triangle's box meets, those of one triangle together."""
        low = np.floor(triangles.min(axis=1, initial=np.inf) / CELL).astype(np.int64) if len(triangles) else None
        if low is None or not len(self._keys):
            return
        high = np.floor(triangles.max(axis=1) / CELL).astype(np.int64)
        rows = high[:, 1] - low[:, 1] + 1
        which = np.repeat(np.arange(len(triangles)), rows)
        row = low[which, 1] + np.arange(len(which)) - np.repeat(np.cumsum(rows) - rows, rows)
        begin = np.searchsorted(self._keys, self._key(low[which, 0], row))
        end = np.searchsorted(self._keys, self._key(high[which, 0], row), side="right")
        counts = end - begin
        of_triangle = np.bincount(which, counts, minlength=len(triangles))
        portion = (np.cumsum(of_triangle) // AT_ONCE).astype(np.int64)[which]
        for number in np.unique(portion):
            part = np.flatnonzero(portion == number)
            many = counts[part]
            entry = np.repeat(begin[part] - (np.cumsum(many) - many), many) + np.arange(int(many.sum()))
            yield np.repeat(which[part], many), self._chosen[entry]


def _turn(a: Float, b: Float, c: Float) -> Float:
    """Twice the signed area of triangles, each corner ``(n, 2)``."""
    return np.asarray((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]), np.float64)


def _cost(a: Float, b: Float, c: Float, scale: Float) -> Float:
    """Distance of corners from the edge that would pass them by; infinite where the triangle is large."""
    far = (np.maximum(np.maximum(a, b), c) - np.minimum(np.minimum(a, b), c)).max(axis=1, initial=0) > LONGEST_PX
    edge, offset = (c - a) * scale, (b - a) * scale
    length = np.maximum((edge**2).sum(axis=1), 1e-300)
    along = np.clip((edge * offset).sum(axis=1) / length, 0, 1)
    distance = np.sqrt(((offset - edge * along[:, None]) ** 2).sum(axis=1))
    return np.where(far, np.inf, distance)


def _goes_first(cost: Float, priority: Int, corner: Int, other: Int) -> Bool:
    """Whether a corner costs less than its neighbour; a fixed lot decides between equals."""
    mine, theirs = cost[corner], cost[other]
    return np.asarray((mine < theirs) | ((mine == theirs) & (priority[corner] < priority[other])), np.bool_)


def _within_reserve(wanted: Int, ring: Int, left: Int, cost: Float) -> Int:
    """Those wanted corners, the cheapest first, without which their rings keep enough."""
    order = np.lexsort((cost[wanted], ring[wanted]))
    wanted = wanted[order]
    of_ring = ring[wanted]
    new_ring = np.flatnonzero(np.diff(of_ring, prepend=-1))
    rank = np.arange(len(wanted)) - np.repeat(new_ring, np.diff(np.append(new_ring, len(wanted))))
    return np.asarray(wanted[rank < left[of_ring] - FEWEST_CORNERS], np.int64)
