"""The scorecard: every model on every set found, simulated and real, beside rules that need no training."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .cards import ModelCard
from .metrics import Counts
from .model import Model, save_card
from .protocol import HAZARDS, BadInput, OutputFailed, ScorecardJob
from .reporting import Report
from .score_adapted import Adapting, can_be_adapted, sets_to_adapt_to
from .score_adapted_table import KIND as ADAPTED
from .score_before import before_page, draw_test_pairs, pair_sets, pair_views, score_before
from .score_entries import ANY, Entry, Row, full_model_of, head_for, open_models, plain_row
from .score_pair_rules import rule_rows
from .score_real import RealScorer, count_rules, pool, scores_of
from .score_sets import ARTIFICIAL, ScoreSet, real_sets, unlabelled_notes
from .score_shifted import ShiftedSet, shifted_sets
from .score_simulated import VIEWS, View, count_view, draw_test_scenes
from .score_table import SCORES, markdown_page, text_row
from .simulate import SimulatedScene

REAL, SIMULATED_KIND, SUMMARY = "real", "simulated", "summary"
SHARE_BEFORE_ADAPTING = 0.2
MEAN, WORST = "mean of real sets", "worst real set"


def scorecard(job: ScorecardJob, report: Report | None = None) -> list[Row]:
    """Carry out a job and return the JSON of the ``scorecard`` command.

    Rows are logged as they are measured. A set that a model cannot answer for is a logged note, not a row.

    Raises:
        BadInput: nothing can be scored, or an output cannot be written; cards are as they were.
        Cancelled: the report said so; nothing was written.
    """
    report = report or Report()
    report.stage("Finding sets and models")
    if job.before:
        return _score_pairs(job, report)
    sets = _choose_sets(job)
    views = [view for view in VIEWS if _wanted(view.name, job.sets)]
    shifts = [one for one in shifted_sets(job.adapt_scenes) if job.adapt and _wanted(one.name, job.sets)]
    if not sets and not views and not shifts:
        known = [one.name for one in (*_real_sets(job), *VIEWS, *(shifted_sets(job.adapt_scenes) if job.adapt else ()))]
        raise BadInput(
            f"No set begins with {' or '.join(job.sets)}; use one of {', '.join(dict.fromkeys(known))}, or set "
            "HAZARD_DATA (--data) to the folder of real scenes."
        )
    _check_outputs(job, sets)
    _note_unlabelled(job, report)
    entries = open_models(job.models)
    scenes = draw_test_scenes(report) if views else []
    total = len(entries) * (sum(len(one.scenes) for one in sets) + len(views) * len(scenes))
    rows: list[Row] = []
    adapted: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="hazard-scorecard-") as folder:
        scorers = {entry.name: RealScorer(entry.model, Path(folder), report) for entry in entries}
        scored = _Progress(report, total, "Scoring", 0.03, SHARE_BEFORE_ADAPTING if job.adapt else 1.0)
        for row in _measure(entries, sets, views, scenes, scorers, scored):
            report.log(text_row(row))
            rows.append(row)
        groups: list[ScoreSet | ShiftedSet] = [*sets_to_adapt_to(sets, job.adapt_scenes), *shifts]
        for row in _adapt(job, entries, groups, scorers, Path(folder), report):
            report.log(text_row(row))
            adapted.append(row)
    order = [one.name for one in sets] + [view.name for view in views]
    rows.sort(key=lambda row: (order.index(row["set"]), (*HAZARDS, ANY, ARTIFICIAL).index(row["hazard"])))
    counting = [one for one in _real_sets(job) if one.in_mean]
    for entry in (entry for entry in entries if entry.leave_out is None):
        of = sum(head_for(entry, one.hazard, True) is not None for one in counting)
        rows += summarise(rows, entry.name, of)
    for entry in entries:
        full = full_model_of(entry, entries)
        if entry.ablation is not None and full is not None:
            for row in rows:
                row["compared_with"] = full.name if row["model"] == entry.name else row["compared_with"]
    rows += adapted
    if job.write_cards:
        for entry in entries:
            save_card(with_scores(entry.model.card, entry.name, rows), entry.model.folder)
    if job.markdown:
        _write(job.markdown, markdown_page(rows, {one.name: one.note for one in sets}))
    return rows


def _score_pairs(job: ScorecardJob, report: Report) -> list[Row]:
    """Rows with and without a scene from before, instead of all others."""
    if job.write_cards or job.adapt:
        raise BadInput("Pairs are scored by themselves; leave --adapt and --write-cards out, or --before.")
    folder = _data_folder(job)
    found, seen = pair_sets(folder) if folder else [], pair_views()
    sets = [one for one in found if _wanted(one.name, job.sets)]
    views = [one for one in seen if _wanted(one.name, job.sets)]
    if not sets and not views:
        known = dict.fromkeys([*(one.name for one in found), *(one.name for one in seen)])
        raise BadInput(f"No set of pairs begins with {' or '.join(job.sets)}; use one of {', '.join(known)}.")
    _check_outputs(job, [])
    rows: list[Row] = []
    entries = open_models(job.models)
    pairs = draw_test_pairs(report) if views else []
    for row in rule_rows(sets, views, pairs, report):
        report.log(text_row(row))
        rows.append(row)
    with tempfile.TemporaryDirectory(prefix="hazard-scorecard-") as temporary:
        for number, entry in enumerate(entries):
            report.progress(number / len(entries))
            for row in score_before(entry, sets, views, pairs, Path(temporary), report):
                report.log(text_row(row))
                rows.append(row)
    if job.markdown:
        _write(job.markdown, before_page(rows))
    return rows


class _Progress:
    """Counts scenes done and tells the report; a cached scene counts too."""

    def __init__(self, report: Report, total: int, stage: str, first: float, last: float) -> None:
        self.report, self._total, self._done, self._span = report, max(1, total), 0, (first, last)
        report.stage(stage, first)

    def done(self, scenes: int = 1) -> None:
        self._done += scenes
        self.report.progress(min(1.0, self._done / self._total), *self._span)


def _measure(
    entries: list[Entry], sets: list[ScoreSet], views: list[View], scenes: list[SimulatedScene],
    scorers: dict[str, RealScorer], progress: _Progress,
) -> Iterator[Row]:  # fmt: skip
    """All rows but the summaries: rules on the real sets first, then one model after the other."""
    for scored in sets:
        yield from _score_rules(scored, progress.report)
    for entry in entries:
        scorer = scorers[entry.name]
        for scored in sets:
            row = _score_real(entry, scorer, scored, progress)
            if row is not None:
                yield row
        for view in views:
            yield from _score_view(entry, scorer.model, view, scenes, progress)
        scorer.rest()


def _adapt(
    job: ScorecardJob, entries: list[Entry], groups: list[ScoreSet | ShiftedSet], scorers: dict[str, RealScorer],
    folder: Path, report: Report,
) -> Iterator[Row]:  # fmt: skip
    """Rows of adapting each model, in each mode, to the scenes of each set."""
    entries = [entry for entry in entries if can_be_adapted(entry)]
    if not job.adapt or not entries or not groups:
        return
    total = len(entries) * len(job.adapt) * sum(len(group.scenes) for group in groups)
    progress = _Progress(report, total, "Adapting to scenes", SHARE_BEFORE_ADAPTING, 1.0)
    adapting = Adapting(entries, job.adapt, job.adapt_steps, folder, scorers, report, progress.done)
    for group in groups:
        yield from adapting.rows(group)


def _score_rules(scored: ScoreSet, report: Report) -> Iterator[Row]:
    try:
        for rule, counts, seconds in count_rules(scored, report):
            row = plain_row(rule.name, "rule", scored.hazard, scored.name, pool(scored, counts), seconds, kind=REAL)
            yield row | {"in_mean": scored.in_mean}
    except BadInput as error:
        report.log(f"Note: '{scored.name}' is not scored with rules: {error}")


def _score_real(entry: Entry, scorer: RealScorer, scored: ScoreSet, progress: _Progress) -> Row | None:
    asked = head_for(entry, scored.hazard, scored.holds_hazard)
    if asked is None:
        progress.done(len(scored.scenes))
        return None
    counts: list[Counts] = []
    seconds = 0.0
    try:
        for scene in scored.scenes:
            found, spent = scorer.count(scene, asked)
            counts.append(found)
            seconds += spent
            progress.done()
    except BadInput as error:
        progress.report.log(f"Note: '{scored.name}' is not scored with {entry.name}: {error}")
        progress.done(len(scored.scenes) - len(counts))
        return None
    row = plain_row(entry.name, entry.mode, scored.hazard, scored.name, pool(scored, counts), seconds, kind=REAL)
    return row | {
        "architecture": entry.model.card.architecture,
        "asked": asked,
        "ablation": entry.ablation,
        "in_mean": scored.in_mean,
    }


def _score_view(
    entry: Entry, model: Model, view: View, scenes: list[SimulatedScene], progress: _Progress
) -> Iterator[Row]:
    heads = {hazard: head_for(entry, hazard, True) for hazard in view.hazards}
    asked = {hazard: head for hazard, head in heads.items() if head is not None}
    found = count_view(model, view, asked, scenes, progress.report)
    progress.done(len(scenes))
    for hazard, (counts, seconds) in found.items():
        row = plain_row(entry.name, entry.mode, hazard, view.name, scores_of(counts), seconds, kind=SIMULATED_KIND)
        yield row | {
            "architecture": entry.model.card.architecture,
            "asked": asked[hazard],
            "ablation": entry.ablation,
            "in_mean": False,
        }


def summarise(rows: list[Row], model: str, of: int) -> list[Row]:
    """Mean and worst balanced accuracy and IoU of a model over the real sets that count; nothing without any.

    Args:
        rows: of all models.
        model: its name.
        of: sets that could count for it; where not all of them were scored, the names of its rows say so.
    """
    counted = [row for row in rows if row["model"] == model and row["in_mean"] and row["asked"] == row["hazard"]]
    counted = [row for row in counted if row["balanced_accuracy"] is not None]
    if not counted:
        return []
    part = f"{len(counted)} of {of} real sets"
    summaries = []
    mean, worst = (MEAN, WORST) if len(counted) == of else (f"mean of {part}", f"worst of {part}")
    for name, reduce in ((mean, lambda values: sum(values) / len(values)), (worst, min)):
        scores: dict[str, float | None] = dict.fromkeys(SCORES)
        for key in ("balanced_accuracy", "iou"):
            scores[key] = reduce([row[key] or 0.0 for row in counted])
        seconds = sum(row["seconds"] for row in counted)
        summary = plain_row(model, counted[0]["mode"], "all", name, scores, seconds, kind=SUMMARY)
        summaries.append(summary | {key: counted[0][key] for key in ("architecture", "ablation")})
    return summaries


def with_scores(card: ModelCard, model: str, rows: list[Row]) -> ModelCard:
    """The card with these rows of its model in place of those of an earlier scorecard, and their mean as its score.

    Rows without seconds come from training's own validation and stay.
    """
    own = [row for row in rows if row["model"] == model and row["kind"] not in (SUMMARY, ADAPTED)]
    kept = [row for row in card.scores if "seconds" not in row]
    names = ("set", "hazard", "asked", "mode", *SCORES, "seconds")
    measured = [{name: row[name] for name in names} for row in own]
    means = [row["balanced_accuracy"] for row in rows if row["model"] == model and row["set"] == MEAN]
    return dataclasses.replace(card, score=means[0] if means else None, scores=(*kept, *measured))


def _data_folder(job: ScorecardJob) -> Path | None:
    folder = job.data or os.environ.get("HAZARD_DATA") or ""
    if folder and not Path(folder).is_dir():
        raise BadInput(f"'{folder}' is not a folder; give the folder of real scenes with --data, or in HAZARD_DATA.")
    return Path(folder) if folder else None


def _real_sets(job: ScorecardJob) -> list[ScoreSet]:
    folder = _data_folder(job)
    return real_sets(folder) if folder else []


def _note_unlabelled(job: ScorecardJob, report: Report) -> None:
    """Say which folders of real scenes nothing can be scored on; not where sets are asked for by name."""
    folder = _data_folder(job)
    for note in unlabelled_notes(folder) if folder and not job.sets else ():
        report.log(note)


def _choose_sets(job: ScorecardJob) -> list[ScoreSet]:
    return [one for one in _real_sets(job) if _wanted(one.name, job.sets)]


def _wanted(name: str, beginnings: tuple[str, ...]) -> bool:
    return not beginnings or any(name.lower().startswith(beginning.lower()) for beginning in beginnings)


def _check_outputs(job: ScorecardJob, sets: list[ScoreSet]) -> None:
    """Raise BadInput before anything is measured if what is wanted cannot be written."""
    if job.write_cards and (job.sets or not any(one.in_mean for one in sets)):
        raise BadInput(
            "A card's score is the mean over all real sets, and they are not all asked for; run without --sets and "
            "with the folder of real scenes (--data, HAZARD_DATA), or without --write-cards."
        )
    if job.markdown:
        path = Path(job.markdown)
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise OutputFailed(f"The table cannot be written to '{path}'; give a file in a folder that exists.")
        if path.exists() and not job.overwrite:
            raise OutputFailed(f"'{path}' exists; choose another name, or replace it with --overwrite.")


def _write(path: str, text: str) -> None:
    final = Path(path)
    partial = final.with_name(f".{final.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(final)
    except OSError as error:
        raise OutputFailed(f"The table cannot be written to '{path}' ({error.strerror}); choose another.") from None
