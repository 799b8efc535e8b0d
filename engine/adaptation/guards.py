"""What no adapted model may do, whatever the proxy says of it.

Two promises are kept by construction, on the windows that candidates are judged on. A hazard that the bands' physics
does not tell by itself never grows beyond what the source found, or half a per cent of the view. Water may grow, but
only where source and physics both see it already, agree on it, and the pixels gained look like water themselves.

With a scene from before, ground that did not change is known to hold nothing new. What is found there may be given up,
and never grows. A hazard that physics does not tell can then be adapted to, too, and may grow onto ground that changed
and looks like it, where nearly all that the source finds is such ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from ..planes import reflectance_of
from ..priors import choose_priors
from .proxy import Judgement

ABSENT_SHARE = 0.004
"""A hazard that covers less of the view than this may not grow beyond it: half a per cent, and some room for what the
windows do not show."""
TELLING_PLANES = {"flood": ("mndwi", "ndwi")}
"""Planes from which a physical prior tells a hazard by itself. Bare ground is no landslide yet; and in radar dry
sand is as dark as water: physics and model agreed on it in a dry simulated scene."""
PRESENT_SHARE = 0.04
"""Least share of the view that the source must find for the hazard to grow at all. On dry simulated scenes under a
wrong sensor gain model and NDWI agreed on up to 3.4 %."""
LEAST_AGREEMENT = 0.8
"""Share of what the source finds that the prior must support. Below, one of them is wrong, and nothing tells which."""
LEAST_SUPPORT, LARGEST_CONTRADICTION = 0.5, 0.1
"""Share of the pixels gained that the prior must support, and that it may contradict."""
FEW = 0.0005
"""Share of the view that may be gained without support."""
LARGEST_GROWTH = 1.5
"""Area may reach this multiple of what the source, or the prior, finds."""
BRIGHT_REFLECTANCE, CLOUDS_PER_AREA = 0.3, 2.0
"""As bright as cloud or snow, whose shadows pass for water: at most so much of it, as a multiple of what the source
finds, may be in the view; and after growing, water that both see must cover more than it does."""
SNOW_INDEX, SNOW_NIR, SNOW_GREEN = 0.4, 0.11, 0.1
"""Normalised difference snow index (which is the MNDWI) and reflectances above which ground is snow (Hall et al. 1995,
Remote Sensing of Environment 54, 127-140, and the snow product of MODIS, which added the last)."""
MOST_SNOW = 0.05
"""Share of the view that may be snow. Snow in shade is as dark and as blue as water, to model and index alike: on
simulated scenes of development false water grew on three that had 21 to 53 % of it; no gain had more than 2.7 %."""
LARGEST_LOSS = 0.02
"""Share of the source's area that may be lost: on its own finds the prior is no reason to overrule it."""
SUPPORTED, CONTRADICTED = 0.5, 0.1
"""The prior supports a pixel from the first on, and contradicts it up to the second."""
LEAST_FRESH, LEAST_GAINED_FRESH = 0.7, 0.9
"""Share of what the source finds, and of what is gained, that must lie on ground that changed and looks like the
hazard, for one to grow that physics does not tell."""
LEAST_FOUND, LARGEST_FRESH_GROWTH = 0.005, 3.0
"""Share of the view that the source must find for that, and the multiple of it that may be reached."""
LEAST_UNCHANGED = 0.04
"""Share of the view that must be known to hold nothing new for it to give footing by itself."""
LARGEST_DIVERGENCE = 0.15
LEAST_RANK = 0.7


@dataclass(frozen=True)
class Limits:
    """Limits of one scene, from the source model's own judgement.

    Attributes:
        source: the source model's.
        valid: (n, h, w) bool, pixels that count.
        prior: (n, h, w) physical prior of them, None where bands and units give none, or where it does not tell the
            hazard itself.
        bright: share of the valid pixels as bright as cloud or snow.
        snow: share of them that is snow by its colours; 0 where the bands do not tell.
        hazard: for messages.
        calm: (n, h, w) bool, where an earlier scene shows that nothing is new; None without one.
        fresh: (n, h, w) bool, where it shows that ground changed, and physics has nothing against the hazard.
    """

    source: Judgement
    valid: Tensor
    prior: Tensor | None = None
    bright: float = 0.0
    snow: float = 0.0
    hazard: str = "flood"
    calm: Tensor | None = None
    fresh: Tensor | None = None

    def no_footing(self) -> str | None:
        """Why no candidate could be told to be better, in words; None where one could."""
        if self.prior is None:
            return self._no_footing_by_change()
        share = self.source.share
        if share < PRESENT_SHARE:
            return (
                f"the source model finds {self.hazard.replace('_', ' ')} on {share:.1%} of the view, and what is "
                "nearly absent must stay so"
            )
        agreement = share_of(self.source.scores >= 0.5, self.prior >= SUPPORTED, self.valid)
        if agreement < LEAST_AGREEMENT:
            return (
                f"the bands' physics supports {agreement:.0%} of what the source model finds, and nothing tells which "
                "of the two is wrong"
            )
        if self.snow > MOST_SNOW:
            return f"snow covers {self.snow:.0%} of the view, and snow in shade looks like water"
        if self.bright > CLOUDS_PER_AREA * share:
            return (
                f"cloud or snow covers {self.bright:.0%} of the view, much more than the {share:.1%} that the source "
                "model finds, and what it shades looks like water"
            )
        return None

    def _no_footing_by_change(self) -> str | None:
        name = self.hazard.replace("_", " ")
        if self.calm is None:
            return f"without labels nothing in these bands tells {name} from what looks like it"
        unchanged = share_of(self.valid, self.calm, self.valid)
        if unchanged < LEAST_UNCHANGED:
            return f"only {unchanged:.0%} of the view is unchanged since the scene before, too little to judge by"
        if self.source.share <= ABSENT_SHARE:
            return f"the source model finds {name} on {self.source.share:.1%} of the view: nothing to give up"
        return None

    def broken_by(self, candidate: Judgement) -> str | None:
        """The limit that a candidate breaks, in words; None where it keeps all."""
        source = self.source
        if not candidate.finite:
            return "its scores are not all numbers"
        if candidate.share > max(ABSENT_SHARE, source.share):
            why = self.no_footing() or self._unsupported(candidate)
        else:
            why = self._unsupported(candidate)
        if why is not None:
            return f"its area would go from {source.share:.1%} to {candidate.share:.1%} of the view: {why}"
        if source.share > ABSENT_SHARE and (lost := self._lost(candidate)) > LARGEST_LOSS:
            return f"it loses {lost:.0%} of what the source model finds"
        was, now = self._on_calm(source), self._on_calm(candidate)
        if now > was + FEW:
            return f"on ground that did not change it finds {now:.1%} of the view instead of {was:.1%}"
        if candidate.divergence > LARGEST_DIVERGENCE:
            return "it forgot what is natural and what artificial"
        if source.rank > 0 and candidate.rank < LEAST_RANK * source.rank:
            return "its features collapsed"
        return None

    def _unsupported(self, candidate: Judgement) -> str | None:
        """Why the pixels that a candidate gains are not believed; None where they are, or hardly are any."""
        gained = (candidate.scores >= 0.5) & (self.source.scores < 0.5)
        if share_of(self.valid, gained, self.valid) <= FEW:
            return None
        if self.prior is None:
            return self._unsupported_by_change(gained, candidate.share)
        supported = share_of(gained, self.prior >= SUPPORTED, self.valid)
        contradicted = share_of(gained, self.prior <= CONTRADICTED, self.valid)
        if supported < LEAST_SUPPORT or contradicted > LARGEST_CONTRADICTION:
            return f"the bands' physics supports {supported:.0%} of what it gains and contradicts {contradicted:.0%}"
        expected = share_of(self.valid, self.prior >= SUPPORTED, self.valid)
        if candidate.share > LARGEST_GROWTH * max(expected, self.source.share):
            return f"the bands' physics sees {expected:.1%}"
        both = share_of(self.valid, (candidate.scores >= 0.5) & (self.prior >= SUPPORTED), self.valid)
        if both < self.bright:
            return f"cloud or snow covers {self.bright:.0%}, and what it shades looks like water"
        return None

    def _unsupported_by_change(self, gained: Tensor, share: float) -> str | None:
        if self.fresh is None or self.source.share < LEAST_FOUND:
            return "nothing supports what it gains"
        found = share_of(self.source.scores >= 0.5, self.fresh, self.valid)
        if found < LEAST_FRESH:
            return f"only {found:.0%} of what the source model finds lies on ground that changed"
        supported = share_of(gained, self.fresh, self.valid)
        if supported < LEAST_GAINED_FRESH:
            return f"only {supported:.0%} of what it gains lies on ground that changed"
        if share > LARGEST_FRESH_GROWTH * self.source.share:
            return f"it is more than {LARGEST_FRESH_GROWTH:g} times of what the source model finds"
        return None

    def _lost(self, candidate: Judgement) -> float:
        """Share of what the source finds that a candidate does not; false alarms on unchanged ground do not count."""
        kept = self.valid if self.calm is None else self.valid & ~self.calm
        return share_of(self.source.scores >= 0.5, candidate.scores < 0.5, kept)

    def _on_calm(self, judgement: Judgement) -> float:
        """Share of the view on which something is found where nothing can be new."""
        return 0.0 if self.calm is None else share_of(self.valid, (judgement.scores >= 0.5) & self.calm, self.valid)


def tells(hazard: str, chosen: Sequence[int]) -> bool:
    """Whether a physical prior tells a hazard by itself from these indices into ``PLANES``."""
    telling = TELLING_PLANES.get(hazard, ())
    return any(name in prior.needs for prior in choose_priors(chosen, hazard) for name in telling)


def share_of(pixels: Tensor, which: Tensor, valid: Tensor) -> float:
    """Share of some valid pixels that are of a kind; 0 without any."""
    counted = pixels & valid
    return float((which & counted).sum()) / max(1, int(counted.sum()))


def share_of_bright(planes: Tensor, names: Sequence[str], valid: Tensor) -> float:
    """Share of the valid pixels as bright as cloud or snow; 0 where no visible band has reflectance.

    Args:
        planes: (n, planes, h, w).
        names: of the planes.
        valid: (n, h, w) bool.
    """
    name = next((name for name in ("raw_green", "raw_blue", "raw_red") if name in names), None)
    if name is None:
        return 0.0
    return share_of(valid, _reflectance(planes, names, name) > BRIGHT_REFLECTANCE, valid)


def share_of_snow(planes: Tensor, names: Sequence[str], valid: Tensor) -> float:
    """Share of the valid pixels that is snow; 0 without green, near and short-wave infrared reflectance.

    Args:
        planes: (n, planes, h, w).
        names: of the planes.
        valid: (n, h, w) bool.
    """
    if not {"mndwi", "raw_nir", "raw_green"}.issubset(names):
        return 0.0
    index = planes[:, names.index("mndwi")].float()
    nir, green = (_reflectance(planes, names, name) for name in ("raw_nir", "raw_green"))
    return share_of(valid, (index > SNOW_INDEX) & (nir > SNOW_NIR) & (green > SNOW_GREEN), valid)


def _reflectance(planes: Tensor, names: Sequence[str], name: str) -> Tensor:
    return reflectance_of(planes[:, names.index(name)].float())
