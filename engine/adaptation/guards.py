"""What no adapted model may do, whatever the proxy says of it."""

from __future__ import annotations

from dataclasses import dataclass

from .proxy import Judgement

LARGEST_LOSS = 1.6
"""Area may shrink by this factor at most."""
LARGEST_GROWTH, SUPPORTED_GROWTH = 1.3, 1.6
"""It may grow by the first factor, or by the second where the physical prior's sure pixels are told better than before.
On scenes without a hazard false alarms grow faster than the area of a real hazard does."""
TOLD_BY_PHYSICS = ("flood",)
"""Hazards that their prior tells by itself."""
SUPPORT = 0.95
"""Brier score, as a share of the source's, from which the prior supports a candidate ..."""
CONTRADICTION, CONTRADICTION_MARGIN = 1.1, 0.003
"""... and beyond which it contradicts it."""
ABSENT_SHARE = 0.005
"""A hazard that covers less of the view than this may not grow beyond it."""
LARGEST_DIVERGENCE = 0.15
LEAST_RANK = 0.7


@dataclass(frozen=True)
class Limits:
    """Limits of one scene, from the source model's own judgement.

    ``told_by_physics`` is whether the prior tells the hazard itself, as it does water; bare ground is no landslide yet.
    """

    source: Judgement
    told_by_physics: bool = False

    def broken_by(self, candidate: Judgement) -> str | None:
        """The limit that a candidate breaks, in words; None where it keeps all."""
        source = self.source
        if not candidate.finite:
            return "its scores are not all numbers"
        before, after = source.parts.get("brier"), candidate.parts.get("brier")
        supported = self.told_by_physics and before is not None and after is not None and after < SUPPORT * before
        growth = SUPPORTED_GROWTH if supported else LARGEST_GROWTH
        least = source.share / LARGEST_LOSS if source.share > ABSENT_SHARE else 0.0
        most = source.share * growth if source.share > ABSENT_SHARE else ABSENT_SHARE
        if not least <= candidate.share <= most:
            return f"its area, {candidate.share:.1%} of the view, is too far from the source model's {source.share:.1%}"
        if before is not None and after is not None and after > CONTRADICTION * before + CONTRADICTION_MARGIN:
            return "it contradicts what the bands' physics is sure of"
        if candidate.divergence > LARGEST_DIVERGENCE:
            return "it forgot what is natural and what artificial"
        if source.rank > 0 and candidate.rank < LEAST_RANK * source.rank:
            return "its features collapsed"
        return None
