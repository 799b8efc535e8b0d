"""What cannot be seen: clouds, their shadows, radar layover and the like, under the pixels of a mask."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .protocol import BadInput, RefineJob
from .raster import Window
from .raster.placing import is_placed
from .raster.tagged import TaggedRaster
from .raster.warped import WarpedRaster, tiles
from .vector.kinds import is_only_vector
from .vector.water import ReferencePolygons

Flags = npt.NDArray[np.bool_]
SHARE_TOLD = 0.005
"""Share of an area without a statement from which it is worth a warning."""
ALMOST_ALL = 0.95
"""Share that becomes not assessed from which the wrong values were probably given."""


class Unseen:
    """The ``not_assessed`` of a job, read a window at a time.

    Raises:
        BadInput: it cannot be read or laid over the mask, or has no such values or bits.
    """

    def __init__(self, job: RefineJob, mask: TaggedRaster, stack: contextlib.ExitStack) -> None:
        self._values, self._bits = job.not_assessed_values, job.not_assessed_bits
        self._polygons: ReferencePolygons | None = None
        self._raster: WarpedRaster | None = None
        if not job.not_assessed:
            return
        if is_only_vector(job.not_assessed):
            if self._values or self._bits:
                raise BadInput("Values and bits speak of rasters, but polygons are given; leave them out.")
            self._polygons = polygons_on(mask, job.not_assessed, "area that cannot be seen", "clouds, layover and such")
            return
        self._raster = stack.enter_context(WarpedRaster(job.not_assessed, mask.georeference, mask.name))
        bits = self._raster.bits
        if self._bits and bits and max(self._bits) >= bits:
            raise BadInput(
                f"'{self._raster.name}' has values of {bits} bits, so there is no bit {max(self._bits)}; "
                f"bits count from 0 to {bits - 1}."
            )

    def under(self, top: int, assessed: Flags, progress: Callable[[float], None]) -> tuple[Flags, Flags]:
        """Which assessed pixels of rows that begin at ``top`` cannot be seen, and of which nothing is said."""
        hidden, unknown = np.zeros(assessed.shape, bool), np.zeros(assessed.shape, bool)
        if self._polygons is None and self._raster is None:
            return hidden, unknown
        parts = list(tiles(assessed.shape))
        for count, part in enumerate(parts):
            progress(count / len(parts))
            asked = assessed[part]
            if not asked.any():
                continue
            window = Window(part[1].start, top + part[0].start, asked.shape[1], asked.shape[0])
            if self._polygons is not None:
                hidden[part] = asked & self._polygons.read_window(window)
            elif self._raster is not None:
                values, known = self._raster.nearest(window)
                known &= asked
                hidden[part] = known & self._is_unseen(values, known)
                unknown[part] = asked & ~known
        return hidden, unknown

    def _is_unseen(self, values: npt.NDArray[np.generic], known: Flags) -> Flags:
        if self._bits:
            return np.asarray(self._whole(values, known) & sum(1 << bit for bit in set(self._bits)) != 0, np.bool_)
        if self._values:
            return np.isin(values, np.asarray(self._values, np.int64))
        return np.asarray(values != 0, np.bool_)

    def _whole(self, values: npt.NDArray[np.generic], known: Flags) -> npt.NDArray[np.int64]:
        """Values whose bits can be looked at; 0 where there are none."""
        if values.dtype.kind in "iu":
            return values.astype(np.int64)
        numbers = np.where(known, values, 0).astype(np.float64)
        if (np.rint(numbers) != numbers).any() or (np.abs(numbers) > 2**53).any():
            raise BadInput(
                f"'{self._raster.name if self._raster else ''}' holds fractions, which have no bits; "
                "give a quality band of whole numbers."
            )
        return numbers.astype(np.int64)

    @property
    def assumed_crs(self) -> bool:
        """Whether neither the mask nor the raster has a CRS."""
        return self._raster is not None and self._raster.assumed_crs

    def tell(self, share_hidden: float, share_unknown: float, warn: Callable[[str], None]) -> None:
        """Warn of what stays open, and of values that hide almost everything.

        Args:
            share_hidden: of what was assessed before.
            share_unknown: the same, of what nothing is said about.
            warn: takes each text.
        """
        if self._polygons is not None and not self._polygons.is_near:
            warn("No polygon of what cannot be seen lies on the mask: all that was assessed stays so.")
        if self._raster is not None and not self._raster.touched:
            warn(f"'{self._raster.name}' does not reach what was assessed; nothing is known of what cannot be seen.")
        elif self._raster is not None and share_unknown >= SHARE_TOLD:
            warn(
                f"'{self._raster.name}' says nothing on {share_unknown:.1%} of what was assessed, which stays assessed."
            )
        if self._raster is not None and share_hidden >= ALMOST_ALL:
            warn(
                f"{share_hidden:.1%} of what was assessed is so no longer: does '{self._raster.name}' hold classes or "
                "bits? Then say which of them cannot be seen."
            )


def polygons_on(mask: TaggedRaster, path: str, noun: str, expected: str) -> ReferencePolygons:
    """Polygons laid over a mask; raises BadInput if that does not say where it lies."""
    reference = mask.georeference
    if reference.crs is None or not is_placed(reference):
        raise BadInput(
            f"'{mask.name}' has no CRS or no place, so polygons cannot be laid over it; georeference it first."
        )
    return ReferencePolygons(path, reference, noun, expected)
