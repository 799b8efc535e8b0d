"""What no adapted model may do, whatever the proxy says of it."""

from __future__ import annotations

from dataclasses import dataclass

from .proxy import Judgement

LARGEST_GROWTH = 1.6
"""Area may grow or shrink by this factor at most ..."""
ABSENT_SHARE = 0.005
"""... and a hazard that covers less of the view than this may not grow beyond it."""
LARGEST_DIVERGENCE = 0.15
LEAST_RANK = 0.7


@dataclass(frozen=True)
class Limits:
    """Limits of one scene, from the source model's own judgement."""

    source: Judgement
    prior_share: float | None

    def broken_by(self, candidate: Judgement) -> str | None:
        """The limit that a candidate breaks, in words; None where it keeps all."""
        source = self.source
        if not candidate.finite:
            return "its scores are not all numbers"
        least, most = source.share / LARGEST_GROWTH, max(ABSENT_SHARE, source.share * LARGEST_GROWTH)
        if source.share <= ABSENT_SHARE:
            most = max(ABSENT_SHARE, source.share)
        if self.prior_share is not None:  # what physics says may be reached from either side
            least, most = min(least, self.prior_share), max(most, min(self.prior_share, 3 * source.share))
        if not least <= candidate.share <= most:
            return f"its area, {candidate.share:.1%} of the view, is too far from the source model's {source.share:.1%}"
        if candidate.divergence > LARGEST_DIVERGENCE:
            return "it forgot what is natural and what artificial"
        if source.rank > 0 and candidate.rank < LEAST_RANK * source.rank:
            return "its features collapsed"
        return None
