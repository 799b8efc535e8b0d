"""Scores what adapting to a scene is worth: each model and mode, before and after, on the very same pixels."""

from __future__ import annotations

import dataclasses
import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from .adapt import adapt, network_for, no_footing, settings_of
from .adaptation.search import Listener, Outcome, Settings, adapt_network
from .adaptation.verdict import ABSTAINED, ADAPTED, ROLLED_BACK, judge_outcome
from .devices import choose_device
from .metrics import Counts, count_pixels
from .model import Model, load_model
from .protocol import HAZARDS, AdaptJob, BadInput, SceneJob
from .reporting import Report
from .samples import CHARACTERISTICS
from .score_adapted_table import KIND
from .score_entries import Entry, Row, head_for, plain_row
from .score_real import RealScorer, scores_of
from .score_sets import RealScene, ScoreSet
from .score_shifted import NOT_JUDGED, LabelledViews, ShiftedSet, real_views, spread

HARM = 0.01
"""Balanced accuracy that a scene may lose without being called harmed."""
ABSENT_AREA = 0.005
"""False area up to which a scene without the hazard counts as still free of it."""
NO_BUDGET_S = 86_400.0
"""Steps alone end an adaptation, so that rows do not depend on the machine."""
VERDICTS = (ADAPTED, ROLLED_BACK, ABSTAINED)

S = TypeVar("S")


def unchanged(settings: Settings) -> Settings:
    """Settings as the job gives them."""
    return settings


@dataclass(frozen=True)
class AdaptedScene:
    """One scene before and after adapting.

    Attributes:
        before: pixels by the model's mask and the reference.
        after: the same pixels, by the mask of the adapted model at its own threshold.
        verdict: ``adapted``, ``rolled_back`` or ``abstained``.
        rank_correlation: of the proxy with the true error, over the candidates; None where not measurable.
        adapt_s: seconds that adapting took.
        segment_s: seconds that segmenting took afterwards.
    """

    before: Counts
    after: Counts
    verdict: str
    rank_correlation: float | None
    adapt_s: float
    segment_s: float = 0.0

    @property
    def gain(self) -> float | None:
        """Balanced accuracy won; None without both kinds of ground."""
        return _difference(self.before.balanced_accuracy, self.after.balanced_accuracy)

    @property
    def gain_iou(self) -> float | None:
        """Intersection over union won; None where balanced accuracy is not defined, either."""
        return None if self.gain is None else _difference(self.before.iou, self.after.iou)

    @property
    def grew(self) -> bool | None:
        """Whether false area ended above 0.5 % and above the source's own; None where the hazard is in the scene."""
        if self.before.tp + self.before.fn or self.before.false_area is None:
            return None
        return (self.after.false_area or 0.0) > max(ABSENT_AREA, self.before.false_area)


def summary_of(scenes: Sequence[AdaptedScene]) -> dict[str, Any]:
    """What adapting was worth over some scenes, by the names of the scorecard's rows; None where nothing tells."""
    gains = [scene.gain for scene in scenes if scene.gain is not None]
    gains_iou = [scene.gain_iou for scene in scenes if scene.gain_iou is not None]
    grew = [scene.grew for scene in scenes if scene.grew is not None]
    ranks = [scene.rank_correlation for scene in scenes if scene.rank_correlation is not None]
    before, after = (scores_of(sum(counts, Counts())) for counts in _counts(scenes))
    summary: dict[str, Any] = {
        "gain": _mean(gains),
        "gain_iou": _mean(gains_iou),
        "harmed": _mean([gain < -HARM for gain in gains]),
        "balanced_accuracy_before": before["balanced_accuracy"],
        "iou_before": before["iou"],
        "false_area_before": before["false_area"],
        "false_area_after": after["false_area"],
        "grew": _mean(grew),
        **{verdict: _mean([scene.verdict == verdict for scene in scenes]) for verdict in VERDICTS},
        "rank_correlation": _mean(ranks),
        "adapt_seconds": _mean([scene.adapt_s for scene in scenes]),
    }
    rounded = {key: None if value is None else round(value, 4) for key, value in summary.items()}
    return {**rounded, "scenes": len(scenes), "scenes_with_hazard": len(gains), "scenes_without_hazard": len(grew)}


def adapt_in_memory(
    scene: LabelledViews, model: Model, job: AdaptJob, report: Report,
    vary: Callable[[Settings], Settings] = unchanged, search: Callable[..., Outcome] | None = None,
) -> Outcome:  # fmt: skip
    """Adapt a model to windows as the ``adapt`` command would to the scene; nothing is written.

    Args:
        scene: its windows.
        model: loaded; stays as it is.
        job: says for which head, in which mode and how long; its files are not looked at.
        report: asked whether to stop.
        vary: changes settings, for ablations.
        search: does it instead of ``adapt_network``, given the same.

    Raises:
        Cancelled: when the report says so.
    """
    device = choose_device(job.device)
    views = scene.views
    threshold = model.card.threshold_for(job.hazard, views.scaling.absolute)
    settings = vary(settings_of(job, model, device, time.monotonic(), threshold))
    if no_footing(views) is not None:
        settings = dataclasses.replace(settings, alphas=(), entrance_alphas=(), steps=0, threshold=False)
    network = network_for(model, views, device)
    listener = Listener(progress=lambda share: report.check(), metrics=lambda step, values: report.check())
    return (search or adapt_network)(network, views.to(device), settings, _known(scene, model, device), listener)


def count_windows(scores: Tensor, scene: LabelledViews) -> Counts:
    """Pixels of the judged windows by scores (n, h, w), 0.5 at the threshold, and by the labels."""
    judged = scene.views.judged
    truth = scene.labels[:judged]
    keep = scene.views.valid[:judged] & (truth != NOT_JUDGED)
    return count_pixels((scores.cpu() >= 0.5).numpy(), (truth == 1).numpy(), keep.numpy())


def scene_of(outcome: Outcome, scene: LabelledViews, adapt_s: float) -> AdaptedScene:
    """What became of a scene that was adapted to in memory."""
    return AdaptedScene(
        count_windows(outcome.source.judgement.scores, scene),
        count_windows(outcome.winner.judgement.scores, scene),
        judge_outcome(outcome, 0.0, adapt_s).kind,
        rank_of_part(outcome, scene),
        adapt_s,
    )


def rank_of_part(outcome: Outcome, scene: LabelledViews, part: str | None = None) -> float | None:
    """Rank correlation of the proxy, or one part of it, with the true error of a scene's candidates."""
    pairs = []
    for stage in outcome.stages:
        truth = count_windows(stage.judgement.scores, scene).balanced_accuracy
        value = stage.judgement.proxy if part is None else stage.judgement.parts.get(part)
        if truth is not None and value is not None and math.isfinite(value):
            pairs.append((value, -truth))
    return rank_correlation([first for first, _ in pairs], [second for _, second in pairs])


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's, equal values sharing their mean rank; None for fewer than three, or where either does not vary."""
    if len(first) < 3 or len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def can_be_adapted(entry: Entry) -> bool:
    """Whether a model answers for hazards and is not itself adapted."""
    return entry.model.card.parent is None and not entry.model.card.pretrained_only


def sets_to_adapt_to(sets: Sequence[ScoreSet], most: int) -> list[ScoreSet]:
    """Sets that count for the mean, and those without the hazard, with at most ``most`` scenes each."""
    wanted = [one for one in sets if one.hazard in HAZARDS and (one.in_mean or not one.holds_hazard)]
    return [dataclasses.replace(one, scenes=tuple(spread(one.scenes, most))) for one in wanted]


class Adapting:
    """Adapts models to the scenes of a set; makes a row for each model and mode.

    Args:
        entries: models that can be adapted.
        modes: of ``ADAPTATION_MODES``.
        steps: gradient steps a scene.
        folder: temporary folder for adapted models and masks.
        scorers: by name of the model, to take what was counted before adapting from; others are made here.
        report: told of sets that cannot be adapted to; asked whether to stop.
        done: called after each scene, model and mode.
    """

    def __init__(
        self, entries: Sequence[Entry], modes: Sequence[str], steps: int, folder: Path,
        scorers: Mapping[str, RealScorer], report: Report, done: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.entries, self.modes, self.steps, self.folder = entries, modes, steps, folder
        self.report, self.done = report, done
        self._scorers = {
            entry.name: scorers.get(entry.name) or RealScorer(entry.model, folder, report) for entry in entries
        }
        self._quiet = Report(cancelled=report.cancelled, job_id=report.job_id)

    def rows(self, group: ScoreSet | ShiftedSet) -> list[Row]:
        """Rows of a set; none for models that cannot answer for it, or where it cannot be read (a logged note)."""
        if isinstance(group, ShiftedSet):
            return self._rows(group, (group.draw(number) for number in group.scenes), self._adapt_to_windows)
        return self._rows(group, group.scenes, self._adapt_to_file)

    def _rows(
        self, group: ScoreSet | ShiftedSet, scenes: Iterable[S], measure: Callable[[S, Entry, AdaptJob], AdaptedScene]
    ) -> list[Row]:
        heads = {entry.name: head_for(entry, group.hazard, group.holds_hazard) for entry in self.entries}
        asked = [(entry, head, mode) for entry in self.entries for mode in self.modes if (head := heads[entry.name])]
        found: dict[tuple[str, str], list[AdaptedScene]] = {(entry.name, mode): [] for entry, _, mode in asked}
        for scene in scenes:
            for entry, head, mode in asked:
                self.report.check()
                self.done()
                if (entry.name, mode) not in found:
                    continue
                try:
                    job = self._job(scene, entry, head, mode)
                    if head != group.hazard:  # it never saw the hazard, whose physics is known all the same
                        job = dataclasses.replace(job, prior=group.hazard)
                    found[entry.name, mode].append(measure(scene, entry, job))
                except BadInput as error:
                    self.report.log(f"Note: '{group.name}' is not adapted to with {entry.name} ({mode}): {error}")
                    del found[entry.name, mode]
        return [
            _row(entry, head, mode, group, done)
            for entry, head, mode in asked
            if (done := found.get((entry.name, mode)))
        ]

    def _job(self, scene: object, entry: Entry, head: str, mode: str) -> AdaptJob:
        given: dict[str, Any] = {"raster": "windows"}
        if isinstance(scene, RealScene):
            given = {spec.name: getattr(scene.job, spec.name) for spec in dataclasses.fields(SceneJob)}
        return AdaptJob(
            **given, hazard=head, model=entry.model.folder, save=str(self.folder / "adapted"), mode=mode,
            steps=self.steps, budget_s=NO_BUDGET_S, overwrite=True,
        )  # fmt: skip

    def _adapt_to_windows(self, scene: LabelledViews, entry: Entry, job: AdaptJob) -> AdaptedScene:
        began = time.monotonic()
        outcome = adapt_in_memory(scene, entry.model, job, self._quiet)
        return scene_of(outcome, scene, time.monotonic() - began)

    def _adapt_to_file(self, scene: RealScene, entry: Entry, job: AdaptJob) -> AdaptedScene:
        """As users would: adapt, then segment with what was saved; the same pixels are judged before and after."""
        before, segment_s = self._scorers[entry.name].count(scene, job.hazard)
        began = time.monotonic()
        answer = adapt(job, self._quiet, {entry.model.folder: entry.model})
        adapt_s, after = time.monotonic() - began, before
        if answer["verdict"] == ADAPTED:
            adapted = RealScorer(load_model(answer["path"]), self.folder, self._quiet)
            after, segment_s = adapted.count(scene, job.hazard)
        rank = self._rank_of_file(scene, entry, job) if before.balanced_accuracy is not None else None
        return AdaptedScene(before, after, answer["verdict"], rank, adapt_s, segment_s)

    def _rank_of_file(self, scene: RealScene, entry: Entry, job: AdaptJob) -> float | None:
        """Adapting tells no masks of its candidates, so it is done again on the scene's windows, with their labels."""
        windows = real_views(job.raster, job.hazard, scene, entry.model.card, self._quiet)
        if windows is None:
            return None
        return rank_of_part(adapt_in_memory(windows, entry.model, job, self._quiet), windows)


def _row(entry: Entry, asked: str, mode: str, group: ScoreSet | ShiftedSet, scenes: Sequence[AdaptedScene]) -> Row:
    _, after = _counts(scenes)
    seconds = sum(scene.adapt_s + scene.segment_s for scene in scenes)
    row = plain_row(entry.name, KIND, group.hazard, group.name, scores_of(sum(after, Counts())), seconds, kind=KIND)
    card = entry.model.card
    return row | {
        "architecture": card.architecture,
        "asked": asked,
        "ablation": entry.ablation,
        "adaptation": mode,
        "simulated": isinstance(group, ShiftedSet),
        "default": group.hazard in card.default_for,
        **summary_of(scenes),
    }


def _known(scene: LabelledViews, model: Model, device: torch.device) -> tuple[Tensor, Tensor] | None:
    """Target and mask of the characteristics head; None where nothing is known or the model has no such head."""
    if model.card.characteristics != CHARACTERISTICS:
        return None
    target, mask = scene.known.encode()
    return (target[None].to(device), mask[None].to(device)) if bool(mask.any()) else None


def _counts(scenes: Sequence[AdaptedScene]) -> tuple[list[Counts], list[Counts]]:
    return [scene.before for scene in scenes], [scene.after for scene in scenes]


def _ranks(values: Sequence[float]) -> list[float]:
    _, place, count = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(count) - (count - 1) / 2
    return [float(rank) for rank in mean_rank[place]]


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
