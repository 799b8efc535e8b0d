"""Training-free rules on two dates: what is above a limit now, and what was not before; comparing has to beat them."""

from __future__ import annotations

from collections.abc import Iterator

from .metrics import Counts, count_pixels
from .protocol import BadInput
from .reporting import Report
from .rules import RULES, Rule, Values
from .score_before import KIND, WITH, WITHOUT, Mask, PairSet, ViewTally, reference_of
from .score_entries import Row, plain_row
from .score_real import read_bands, scores_of
from .score_simulated import View, see
from .simulate import HAZARDS as LABELS
from .simulate.pairs import ScenePair

_PAIR_RULES = tuple(rule for rule in RULES if rule.limit is not None and rule.hazard in LABELS)
"""Otsu's threshold always finds something, on either date, and says nothing of what is new."""


def rule_rows(sets: list[PairSet], views: list[View], pairs: list[ScenePair], report: Report) -> Iterator[Row]:
    """Rows of the rules that can answer: by the later date alone, and *now, and not before*.

    Args:
        sets: real pairs, of which both dates lie on one grid.
        views: through which the simulated ones are seen.
        pairs: of ``score_before.draw_test_pairs``.
        report: may cancel; told which sets cannot be read.
    """
    for scored in sets:
        try:
            yield from _of_set(scored, report)
        except BadInput as error:
            report.log(f"Note: '{scored.name}' is not scored with rules: {error}")
    for view in views:
        for rule in _PAIR_RULES:
            if rule.hazard in view.hazards and rule.answers(rule.hazard, view.slots, not view.display):
                yield from _of_view(rule, view, pairs, report)


def _of_set(scored: PairSet, report: Report) -> Iterator[Row]:
    counts: dict[tuple[Rule, str], Counts] = {}
    for pair in scored.pairs if any(rule.hazard == scored.hazard for rule in _PAIR_RULES) else ():
        report.check()
        dates = [read_bands(job) for job in (pair.later, pair.earlier)]
        for rule in _PAIR_RULES:
            if all(rule.answers(scored.hazard, values, physical) for values, _, physical in dates):
                (now, valid_now, _), (was, valid_was, _) = dates
                truth, judged = reference_of(pair, valid_now.shape)
                for mode, found in _ways(rule, now, was).items():
                    told = count_pixels(found, truth, judged & valid_now & valid_was)
                    counts[rule, mode] = counts.get((rule, mode), Counts()) + told
    for (rule, mode), total in counts.items():
        yield _row(rule, mode, scored.name, total)


def _of_view(rule: Rule, view: View, pairs: list[ScenePair], report: Report) -> Iterator[Row]:
    tally = ViewTally(view)
    for pair in pairs:
        report.check()
        now, was = (
            dict(zip(view.slots, see(scene, view).values.numpy(), strict=True)) for scene in (pair.after, pair.before)
        )
        tally.add(pair, {(rule.hazard, mode): found for mode, found in _ways(rule, now, was).items()})
    for name, counts in tally.sets.items():
        for mode in (WITHOUT, WITH):
            yield _row(rule, mode, name, counts[rule.hazard, mode])


def _ways(rule: Rule, now: Values, was: Values) -> dict[str, Mask]:
    later, earlier = (rule.predict(rule.index(values)) for values in (now, was))
    return {WITHOUT: later, WITH: later & ~earlier}


def _row(rule: Rule, mode: str, name: str, counts: Counts) -> Row:
    return plain_row(rule.name, mode, rule.hazard, name, scores_of(counts), 0.0, kind=KIND)
