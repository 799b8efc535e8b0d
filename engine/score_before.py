"""Scores with and without a scene from before, on the same pairs and against the same truth: what is new."""

from __future__ import annotations

import csv
import dataclasses
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from .before.matching import match_scenes
from .before.predict import PairPredictor, pair_window
from .devices import choose_device
from .metrics import Counts, count_pixels
from .model import Model
from .protocol import HAZARDS, NOT_ASSESSED, BadInput, SceneJob, SegmentJob
from .raster import CodeRaster
from .raster.earlier import move_content
from .reporting import Report
from .score_entries import Entry, Row, head_for, plain_row
from .score_real import scores_of
from .score_simulated import IGNORED, KINDS, MOST_TRIES, TEST_SEED, VIEWS, View, see
from .segment import segment
from .simulate import HAZARDS as LABELS
from .simulate import seen_labels
from .simulate.pairs import ScenePair, draw_pair

KIND = "before"
WITH, WITHOUT = "with before", "without before"
PAIR_SIZE_PX = 256
PAIRS_OF_A_KIND = 8
CALM_PAIRS = 24
"""Pairs without any hazard: their false area is an aim of its own, and small."""
CALM = "none"
PAIR_VIEWS = ("simulated six bands", "simulated RGB 8-bit", "simulated VV+VH", "simulated swir2/blue/coastal 8-bit")
MOVED_PX = (1, 3)
"""By so many columns and rows the earlier scene is moved to see what that costs; beyond five it is refused."""
EDGE_PX = max(MOVED_PX)
REAL_EDGE_PX = EDGE_PX + 1
"""Along the edges so much of simulated and of real pairs is judged in no row: a moved scene has no value there, and one
that was moved back neither."""
MOVED_VIEW = PAIR_VIEWS[0]
"""The view through which simulated pairs are also scored with the earlier scene moved."""

NOTE = (
    "The truth is what is new between the two dates, for both ways: water that was there before is no flood. Printed "
    "by `python -m engine scorecard --before`. Landsat footprints are chips of one place on several dates, each "
    "before each other; of landslides and collapses none is known there, and between the dates of Blatten nothing "
    "happened, so that all area is false. A scene that was moved is moved back where `segment` can tell the shift. "
    "Simulated pairs have seeds of their own; of them nothing is moved back, which is what a shift costs that was not "
    "found. All area of those where nothing happened is false."
)
SCORES = ("balanced_accuracy", "iou", "precision", "recall", "false_area")
COLUMNS = ("set", "hazard", "model", "with", "balanced accuracy", "IoU", "precision", "recall", "false area")

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RealPair:
    """Two dates of one place.

    ``truth`` names the references of both dates, the later first; None where nothing happened between them.
    """

    later: SceneJob
    earlier: SceneJob
    truth: tuple[str, str] | None = None


@dataclass(frozen=True)
class PairSet:
    """Pairs that are asked for one hazard and scored together."""

    name: str
    hazard: str
    pairs: tuple[RealPair, ...]


def pair_sets(data: Path) -> list[PairSet]:
    """Sets of pairs found under a folder of real scenes."""
    found: list[PairSet] = []
    if (data / "flood/landsat_worldcover/index.csv").is_file():
        found += _landsat(data / "flood/landsat_worldcover")
    if (data / "glacier/blatten_before").is_dir():
        found += _blatten(data / "glacier/blatten_before")
    return found


def _landsat(folder: Path) -> list[PairSet]:
    """Chips of one footprint on several dates, each date before each other: where water came, and where it went."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get("label_consistent") == "1"]
    pairs = []
    for footprint in dict.fromkeys(row["footprint"] for row in rows):
        chips = [f"{int(row['chip']):03d}.tif" for row in rows if row["footprint"] == footprint]
        jobs = {
            chip: SceneJob(raster=str(folder / "images" / chip), units="reflectance*10000", gsd_m=30.0,
                           bands=("coastal", "blue", "green", "red", "nir", "swir1", "swir2"))
            for chip in chips
        }  # fmt: skip
        labels = folder / "labels_water"
        pairs += [
            RealPair(jobs[one], jobs[other], (str(labels / one), str(labels / other)))
            for one in chips for other in chips if one != other
        ]  # fmt: skip
    if not pairs:
        return []
    calm = tuple(dataclasses.replace(pair, truth=None) for pair in pairs)
    return [
        PairSet("Landsat footprints", "flood", tuple(pairs)),
        *(PairSet("Landsat footprints, nothing fell", hazard, calm) for hazard in ("landslide", "glacier_collapse")),
    ]


def _blatten(folder: Path) -> list[PairSet]:
    names = sorted(folder.glob("S2_*.tif"))
    if len(names) != 2:
        return []
    earlier, later = (SceneJob(raster=str(path), bands=("swir2", "blue", "coastal"), units="byte") for path in names)
    return [PairSet("Blatten, nothing happened", hazard, (RealPair(later, earlier),)) for hazard in HAZARDS]


def score_before(
    entry: Entry, sets: list[PairSet], views: list[View], pairs: list[ScenePair], folder: Path, report: Report
) -> Iterator[Row]:
    """Rows of one model: each set and view with and without the earlier scene, and with that scene moved.

    ``pairs`` are the simulated ones, seen through each view; see ``draw_test_pairs``.
    """
    for scored in sets:
        asked = head_for(entry, scored.hazard, True)
        if asked is not None:
            yield from _score_set(entry, scored, asked, folder, report)
    for view in views:
        yield from _score_view(entry, view, pairs, report)


def pair_views() -> list[View]:
    """Views through which simulated pairs are scored."""
    return [view for view in VIEWS if view.name in PAIR_VIEWS]


def _score_set(entry: Entry, scored: PairSet, asked: str, folder: Path, report: Report) -> Iterator[Row]:
    ways: list[tuple[str, bool, int]] = [(WITHOUT, False, 0), (WITH, True, 0)]
    ways += [(_moved(moved), True, moved) for moved in MOVED_PX]
    for mode, paired, moved in ways:
        counts, seconds = Counts(), 0.0
        try:
            for pair in scored.pairs:
                found, spent = _count_pair(entry.model, pair, asked, folder, paired, moved, report)
                counts, seconds = counts + found, seconds + spent
        except BadInput as error:
            report.log(f"Note: '{scored.name}' is not scored {mode} with {entry.name}: {error}")
            continue
        yield _row(entry, mode, scored.hazard, scored.name, counts, seconds, asked)


def _count_pair(
    model: Model, pair: RealPair, asked: str, folder: Path, paired: bool, moved: int, report: Report
) -> tuple[Counts, float]:
    given = {spec.name: getattr(pair.later, spec.name) for spec in dataclasses.fields(SceneJob)}
    if paired:
        path = pair.earlier.raster
        if moved:
            path = str(folder / "moved.tif")
            move_content(pair.earlier.raster, path, moved, -moved)
        given.update(before=path, before_bands=pair.earlier.bands, before_units=pair.earlier.units)
    mask = str(folder / "mask.tif")
    job = SegmentJob(**given, hazard=asked, mask=mask, model=model.folder, overwrite=True)
    quiet = Report(cancelled=report.cancelled, job_id=report.job_id)
    seconds = float(segment(job, quiet, {model.folder: model})["seconds"])
    found = _codes(mask)
    truth, judged = reference_of(pair, found.shape)
    return count_pixels(found == 1, truth, judged & (found != NOT_ASSESSED)), seconds


def reference_of(pair: RealPair, shape: tuple[int, ...]) -> tuple[Mask, Mask]:
    """What is new in a real pair, and which of its pixels are judged, both of ``shape`` (h, w)."""
    judged = np.zeros(shape, np.bool_)
    judged[REAL_EDGE_PX:-REAL_EDGE_PX, REAL_EDGE_PX:-REAL_EDGE_PX] = True
    if pair.truth is None:
        return np.zeros(shape, np.bool_), judged
    later, earlier = (_codes(path) for path in pair.truth)
    return (later == 1) & (earlier != 1), judged & (later != NOT_ASSESSED) & (earlier != NOT_ASSESSED)


def _codes(path: str) -> npt.NDArray[np.generic]:
    with CodeRaster(path) as raster:
        return raster.read_rows(0, raster.height)


def draw_test_pairs(report: Report) -> list[ScenePair]:
    """Held-out pairs: the first of each hazard and of none by seed, the same at every call."""
    kept: dict[str, list[ScenePair]] = {kind: [] for kind in KINDS}
    most = {kind: CALM_PAIRS if kind == CALM else PAIRS_OF_A_KIND for kind in KINDS}
    for number in range(MOST_TRIES * PAIRS_OF_A_KIND):
        report.check()
        pair = draw_pair(TEST_SEED + number, PAIR_SIZE_PX)
        if len(kept[pair.after.hazard]) < most[pair.after.hazard]:
            kept[pair.after.hazard].append(pair)
        if all(len(pairs) == most[kind] for kind, pairs in kept.items()):
            break
    return [pair for pairs in kept.values() for pair in pairs]


def _score_view(entry: Entry, view: View, pairs: list[ScenePair], report: Report) -> Iterator[Row]:
    """Rows of all pairs of which as many show each hazard as none, and of all pairs on which nothing happened."""
    heads = {hazard: head_for(entry, hazard, True) for hazard in view.hazards if hazard in HAZARDS}
    asked = {hazard: head for hazard, head in heads.items() if head is not None}
    moves = (0, *MOVED_PX) if view.name == MOVED_VIEW else (0,)
    modes = [WITHOUT, *map(_moved, moves)]
    began, tally = time.monotonic(), ViewTally(view)
    for pair in pairs if asked else ():
        report.check()
        tally.add(pair, _ask(entry.model, view, pair, asked, moves))
    seconds = (time.monotonic() - began) / max(1, len(asked) * len(modes))
    for hazard, head in asked.items():
        for name, counts in tally.sets.items():
            for mode in modes:
                yield _row(entry, mode, hazard, name, counts[hazard, mode], seconds, head)


class ViewTally:
    """Pixels of simulated pairs through one view, by hazard and mode, in two ``sets`` of pairs by their names.

    The first has as many pairs on which nothing happened as of each hazard, the second all of those alone.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._every, self._calm = (defaultdict[tuple[str, str], Counts](Counts) for _ in range(2))
        self._calm_seen = 0
        self.sets = {f"{view.name}, pairs": self._every, f"{view.name}, pairs, nothing happened": self._calm}

    def add(self, pair: ScenePair, masks: Mapping[tuple[str, str], Mask]) -> None:
        """Count (h, w) masks of one pair, but for its edge."""
        truth = seen_labels(dataclasses.replace(pair.after, labels=pair.new), self._view.slots)
        inner = slice(EDGE_PX, -EDGE_PX)
        is_calm = pair.after.hazard == CALM
        self._calm_seen += is_calm
        for (hazard, mode), found in masks.items():
            labels = truth[LABELS.index(hazard)].numpy()[inner, inner]
            told = count_pixels(found[inner, inner], labels == 1, labels != IGNORED)
            if is_calm:
                self._calm[hazard, mode] += told
            if not is_calm or self._calm_seen <= PAIRS_OF_A_KIND:
                self._every[hazard, mode] += told


def _moved(moved_px: int) -> str:
    return f"{WITH}, moved by {moved_px} px" if moved_px else WITH


def _ask(
    model: Model, view: View, pair: ScenePair, asked: Mapping[str, str], moves: Sequence[int]
) -> dict[tuple[str, str], Mask]:
    """Masks (h, w) of one pair as a view shows it, by hazard and mode.

    Modes are without and with its earlier scene, and with that one moved. ``asked`` names the head that answers for
    each hazard.
    """
    now, then = (see(scene, view) for scene in (pair.after, pair.before))
    later, scaling, earlier, was = now.values, now.scaling, then.values, then.scaling
    thresholds = {hazard: model.card.threshold_for(head, scaling.absolute) for hazard, head in asked.items()}
    everywhere = np.ones(later.shape[1:], np.bool_)
    device, quiet = choose_device("cpu"), lambda _: None
    predictors = {
        hazard: PairPredictor(model, head, (scaling, was), thresholds[hazard], device, 1, quiet)
        for hazard, head in asked.items()
    }
    found = {}
    for moved in moves:
        lying, there = torch.roll(earlier, (-moved, moved), (1, 2)), everywhere.copy()
        there[there.shape[0] - moved :] = there[:, :moved] = False
        known = torch.from_numpy(there)
        match = match_scenes(later[:, known][:, ::4], scaling, lying[:, known][:, ::4], was)
        window = pair_window((later.numpy(), lying.numpy()), (everywhere, there), (scaling, was), match)
        told = next(iter(predictors.values())).tell([window])
        for hazard, predictor in predictors.items():
            new, alone = predictor.compare([window], told)
            found[hazard, _moved(moved)] = new[0].numpy() >= thresholds[hazard]
            found[hazard, WITHOUT] = alone[0].numpy() >= thresholds[hazard]
    return found


def _row(entry: Entry, mode: str, hazard: str, name: str, counts: Counts, seconds: float, asked: str) -> Row:
    row = plain_row(entry.name, mode, hazard, name, scores_of(counts), seconds, kind=KIND)
    return row | {"architecture": entry.model.card.architecture, "asked": asked, "ablation": entry.ablation}


def before_page(rows: Sequence[Row]) -> str:
    """All rows as a page of Markdown."""
    lines = ["# Scores with and without a scene from before", NOTE, "| " + " | ".join(COLUMNS) + " |"]
    lines[2] += "\n|" + "---|" * len(COLUMNS)
    table = [lines.pop()]
    for row in rows:
        scores = [f"{row[key]:.3f}" if row[key] is not None else "–" for key in SCORES]
        table.append("| " + " | ".join([row["set"], row["hazard"], row["model"], row["mode"], *scores]) + " |")
    return "\n\n".join([*lines, "\n".join(table)]) + "\n"
