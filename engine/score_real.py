"""Scores a model, or a training-free rule, on real scenes: counts of pixels scene by scene, and how they are pooled."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from .evaluate import evaluate
from .lean import ready_network
from .metrics import Counts, count_pixels
from .model import Model
from .planes import SceneScaling, build_planes, planes_for
from .protocol import NOT_ASSESSED, EvaluateJob, SceneJob, SegmentJob
from .raster import CodeRaster, Scene, Understanding, Window
from .reporting import Report
from .rules import RULES, Array, Rule
from .score_sets import ARTIFICIAL, IMAGES, PLACES, RealScene, ScoreSet
from .segment import segment

ARTIFICIAL_THRESHOLD = 0.5
Mask = npt.NDArray[np.bool_]


class RealScorer:
    """Asks one model about real scenes, each scene once, as the ``segment`` command with default settings would.

    Args:
        model: loaded model.
        folder: temporary folder for masks.
        report: asked whether to stop.
    """

    def __init__(self, model: Model, folder: Path, report: Report) -> None:
        self.model = model
        self._models = {model.folder: self.model}
        self._mask = str(folder / "mask.tif")
        self._quiet = Report(cancelled=report.cancelled, job_id=report.job_id)
        self._done: dict[tuple[RealScene, str], tuple[Counts, float]] = {}

    def count(self, scene: RealScene, asked: str) -> tuple[Counts, float]:
        """Pixels of a scene by what the model says of the hazard ``asked`` and by its reference, and seconds taken.

        Raises:
            BadInput: when the scene cannot be read or the model cannot answer for it.
            Cancelled: when the report says so.
        """
        if (scene, asked) not in self._done:
            self._quiet.check()
            ask = self._count_artificial if asked == ARTIFICIAL else self._count_hazard
            self._done[scene, asked] = ask(scene, asked)
        return self._done[scene, asked]

    def rest(self) -> None:
        """Let go of networks that are ready; what was counted is kept."""
        self.model.ready.clear()

    def _count_hazard(self, scene: RealScene, asked: str) -> tuple[Counts, float]:
        given = {spec.name: getattr(scene.job, spec.name) for spec in dataclasses.fields(SceneJob)}
        job = SegmentJob(**given, hazard=asked, mask=self._mask, model=self.model.folder, overwrite=True)
        seconds = float(segment(job, self._quiet, self._models)["seconds"])
        if scene.reference is None:
            with CodeRaster(self._mask) as mask:
                found = mask.read_rows(0, mask.height)
            return count_pixels(found == 1, np.zeros(found.shape, np.bool_), found != NOT_ASSESSED), seconds
        row = evaluate(EvaluateJob(self._mask, scene.reference, scene.positive, scene.ignore), self._quiet)
        return Counts(*(int(row[name]) for name in ("tp", "fp", "fn", "tn"))), seconds

    def _count_artificial(self, scene: RealScene, asked: str) -> tuple[Counts, float]:
        began = time.monotonic()
        with Scene(scene.job) as opened:
            understanding = opened.understand()
            values, valid = opened.read_window(_whole(opened), understanding)
            low, high = opened.percentiles(understanding)
        absolute = tuple(units.absolute for units in understanding.slot_units)
        scaling = SceneScaling(understanding.match.used_slots, low, high, absolute)
        tensors = torch.from_numpy(values), torch.from_numpy(valid)
        found = artificial_probability(self.model, *tensors, scaling) >= ARTIFICIAL_THRESHOLD
        truth, judged = _reference(scene, valid)
        return count_pixels(found, truth, judged), time.monotonic() - began


@torch.inference_mode()
def artificial_probability(
    model: Model, values: Tensor, valid: Tensor, scaling: SceneScaling
) -> npt.NDArray[np.float32]:
    """P(artificial), (h, w), of a scene that fits into one window.

    Args:
        model: loaded, in eval mode.
        values: (slots, h, w) float32 in canonical units.
        valid: (h, w) bool.
        scaling: of the whole scene.
    """
    multiple = model.card.window_multiple
    height, width = valid.shape
    beside = (0, -width % multiple, 0, -height % multiple)
    planes = build_planes(F.pad(values, beside)[None], F.pad(valid, beside)[None, None], scaling)
    logits = ready_network(model, planes_for(scaling), torch.device("cpu")).surface_logits(planes)
    return np.asarray(logits[0, -1, :height, :width].float().sigmoid().numpy(), np.float32)


def count_rules(scored: ScoreSet, report: Report) -> Iterator[tuple[Rule, list[Counts], float]]:
    """Counts of each scene of a set under every rule that answers for all of them; Otsu splits them together.

    Raises:
        BadInput: when a scene cannot be read.
        Cancelled: when the report says so.
    """
    if scored.pooling == IMAGES or not any(rule.hazard == scored.hazard for rule in RULES):
        return
    indices: dict[str, list[Array]] = {rule.name: [] for rule in RULES}
    seconds = dict.fromkeys(indices, 0.0)
    truths: list[Mask] = []
    for scene in scored.scenes:
        report.check()
        read, valid, physical = read_bands(scene.job)
        truth, judged = _reference(scene, valid)
        truths.append(truth[judged])
        bands = {slot: values[judged] for slot, values in read.items()}
        for rule in RULES:
            if rule.answers(scored.hazard, bands, physical):
                began = time.monotonic()
                indices[rule.name].append(rule.index(bands))
                seconds[rule.name] += time.monotonic() - began
    for rule in RULES:
        if len(indices[rule.name]) == len(scored.scenes):
            began = time.monotonic()
            limit = rule.threshold(np.concatenate(indices[rule.name]))
            counts = [count_pixels(i > limit, truth) for i, truth in zip(indices[rule.name], truths, strict=True)]
            yield rule, counts, seconds[rule.name] + time.monotonic() - began


def read_bands(job: SceneJob) -> tuple[dict[str, Array], Mask, bool]:
    """Bands (h, w) of a scene by slot, where they are valid, and whether all are physical."""
    with Scene(job) as opened:
        understanding = opened.understand()
        values, valid = opened.read_window(_whole(opened), understanding)
    return dict(zip(understanding.match.used_slots, values, strict=True)), valid, _physical(understanding)


def pool(scored: ScoreSet, counts: Sequence[Counts]) -> dict[str, float | None]:
    """Scores of a set from the counts of its scenes, as the set says that they are pooled."""
    if scored.pooling == PLACES:
        return _median_of_places(scored.scenes, counts)
    if scored.pooling == IMAGES:
        return scores_of(_rank_images(scored.scenes, counts))
    return scores_of(sum(counts, Counts()))


def scores_of(counts: Counts) -> dict[str, float | None]:
    """All scores; where the hazard is nowhere, only the false area is defined."""
    scores = counts.scores()
    if counts.tp + counts.fn == 0:
        return {**dict.fromkeys(scores), "false_area": scores["false_area"]}
    return scores


def _median_of_places(scenes: Sequence[RealScene], counts: Sequence[Counts]) -> dict[str, float | None]:
    """Median of each score over the places that have pixels with and without the hazard."""
    places: dict[str, Counts] = {}
    for scene, count in zip(scenes, counts, strict=True):
        places[scene.place] = places.get(scene.place, Counts()) + count
    rows = [count.scores() for count in places.values() if count.balanced_accuracy is not None]
    medians: dict[str, float | None] = {}
    for name in Counts().scores():
        values = [value for row in rows if (value := row[name]) is not None]
        medians[name] = statistics.median(values) if values else None
    return medians


def _rank_images(scenes: Sequence[RealScene], counts: Sequence[Counts]) -> Counts:
    """Images by the share of pixels found: as many are called urban as are, those with the largest share."""
    shares = np.array([count.false_area or 0.0 for count in counts])
    urban = np.array([bool(scene.urban) for scene in scenes])
    called = np.zeros(len(scenes), np.bool_)
    called[np.argsort(-shares, kind="stable")[: int(urban.sum())]] = True
    return count_pixels(called, urban)


def _reference(scene: RealScene, valid: Mask) -> tuple[Mask, Mask]:
    """Where the hazard is, and which pixels are judged, both (h, w); without a reference it is nowhere."""
    if scene.reference is None:
        return np.zeros(valid.shape, np.bool_), valid
    with CodeRaster(scene.reference) as reference:
        codes = reference.read_rows(0, reference.height)
    return np.isin(codes, scene.positive), valid & ~np.isin(codes, scene.ignore)


def _whole(scene: Scene) -> Window:
    if scene.job.extent is not None:
        return scene.georeference.window_of(scene.job.extent)
    return Window(0, 0, scene.width, scene.height)


def _physical(understanding: Understanding) -> bool:
    return all(units.absolute for units in understanding.slot_units)
