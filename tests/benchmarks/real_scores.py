"""Scores a model on the real, labelled scenes under HAZARD_DATA, beside rules that need no training.

Scenes go through the engine's own worker with default settings; pixels of a set are pooled before they are scored.
``--write-card MODEL`` stores the rows, and the mean balanced accuracy over the sets that hold the hazard, in its card.
"""

import argparse
import csv
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from osgeo import gdal

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engine.cards import find_model, read_card  # noqa: E402
from engine.metrics import Counts, count_pixels  # noqa: E402
from engine.protocol import EvaluateJob, SegmentJob, job_message  # noqa: E402

gdal.UseExceptions()
SEVEN = ("coastal", "blue", "green", "red", "nir", "swir1", "swir2")


@dataclass(frozen=True)
class Scene:
    """One real scene: where it is, how it is read, and which codes of its reference mean what."""

    raster: Path
    reference: Path | None  # None: the hazard is nowhere in it
    options: dict[str, object]
    positive: tuple[int, ...] = (1,)
    ignore: tuple[int, ...] = (255,)


@dataclass(frozen=True)
class RealSet:
    """Scenes of one set, asked for one hazard."""

    name: str
    hazard: str
    scenes: list[Scene]
    rule: str | None = None
    counts_for_score: bool = False


@dataclass
class Worker:
    """The engine's worker as the plugin runs it: one process for all scenes."""

    process: subprocess.Popen[str] = field(
        default_factory=lambda: subprocess.Popen(
            [sys.executable, "-m", "engine", "worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    )
    jobs: int = 0

    def run(self, kind: str, job: object) -> dict[str, object]:
        """Carry out one job; raises RuntimeError with the worker's words if it fails."""
        self.jobs += 1
        self.process.stdin.write(json.dumps(job_message(str(self.jobs), kind, job)) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            event = json.loads(line)
            if event["type"] == "done":
                return event["result"]
            if event["type"] in ("failed", "cancelled"):
                raise RuntimeError(f"{kind} {job}: {event.get('message', event['type'])}")
        raise RuntimeError("the worker ended")

    def close(self) -> None:
        """End the worker."""
        self.process.stdin.close()
        self.process.wait(timeout=30)


def real_sets(data: Path) -> Iterator[RealSet]:
    """The sets found under ``data``."""
    radar = data / "flood" / "s1_stac_overflow"
    for name in ("pxs10", "awc00"):
        options = {"bands": ("vv", "vh"), "units": "db"}
        scene = Scene(radar / "images" / f"{name}.tif", radar / "labels" / f"{name}.tif", options)
        yield RealSet(f"S1 {name}", "flood", [scene], "VV < -17 dB", name == "pxs10")
        if name == "pxs10":
            alone = dataclasses.replace(scene, options={"bands": ("vv", "-"), "units": "db"})
            yield RealSet(f"S1 {name}, VV alone", "flood", [alone])
    landsat = data / "flood" / "landsat_worldcover"
    with (landsat / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    consistent = [f"{int(row['chip']):03d}.tif" for row in rows if row["label_consistent"] == "1"]
    everything = [f"{int(row['chip']):03d}.tif" for row in rows]

    def chips(names: list[str], slots: tuple[str, ...]) -> list[Scene]:
        bands = tuple(slot if slot in slots else "-" for slot in SEVEN)
        options = {"bands": bands, "units": "reflectance*10000", "gsd_m": 30.0}
        return [Scene(landsat / "images" / name, landsat / "labels_water" / name, options) for name in names]

    yield RealSet("Landsat, 7 bands", "flood", chips(consistent, SEVEN), "MNDWI > 0", True)
    yield RealSet("Landsat, 7 bands, noisy labels too", "flood", chips(everything, SEVEN), "MNDWI > 0")
    yield RealSet("Landsat, 6 bands", "flood", chips(consistent, SEVEN[1:]))
    yield RealSet("Landsat, RGB + NIR", "flood", chips(consistent, SEVEN[1:5]), "NDWI > 0")
    yield RealSet("Landsat, RGB", "flood", chips(consistent, SEVEN[1:4]))
    no_slides = [dataclasses.replace(scene, positive=(99,)) for scene in chips(consistent, SEVEN)]
    yield RealSet("Landsat, 7 bands (no slides)", "landslide", no_slides)
    slides = data / "landslide" / "hokkaido_2018"
    images = sorted((slides / "images").glob("*.tif"))
    scenes = [Scene(image, slides / "labels" / image.name, {"sensor": "rgb"}) for image in images]
    yield RealSet("Hokkaido 2018, 8-bit RGB", "landslide", scenes, "brightness - greenness, Otsu", True)
    jinsha = Scene(
        data / "landslide" / "jinsha" / "A_rgb.tif",
        data / "landslide" / "jinsha" / "A_label.tif",
        {"sensor": "rgb"},
        positive=(1, 2),
    )
    yield RealSet("Jinsha A, 0.5 m RGB", "landslide", [jinsha], "brightness - greenness, Otsu", True)
    before = sorted((data / "glacier" / "blatten_before").glob("*.tif"))
    scenes = [Scene(path, None, {"bands": ("swir2", "blue", "coastal"), "units": "byte"}) for path in before]
    for hazard in ("flood", "landslide", "glacier_collapse"):
        yield RealSet("Blatten before (no hazard)", hazard, scenes)
    clouds = data / "clouds" / "csmask"
    options = {"bands": SEVEN[1:], "units": "reflectance*10000"}
    for hazard in ("flood", "landslide", "glacier_collapse"):
        scenes = [
            Scene(
                clouds / f"{name}_image.tif", clouds / f"{name}_label.tif", options, positive=(99,), ignore=(1, 3, 255)
            )
            for name in ("landsat5", "sentinel2")
        ]
        yield RealSet("Clouds and shadows (no hazard)", hazard, scenes)


def score(worker: Worker, model: str, real: RealSet, folder: Path) -> tuple[Counts, float]:
    """Counts of all scenes of a set, pooled, and seconds spent segmenting."""
    total, seconds = Counts(), 0.0
    for scene in real.scenes:
        mask = str(folder / "mask.tif")
        reference = str(scene.reference or empty_reference(scene.raster, folder / "empty.tif"))
        job = SegmentJob(
            raster=str(scene.raster), hazard=real.hazard, mask=mask, model=model, overwrite=True, **scene.options
        )
        seconds += float(worker.run("segment", job)["seconds"])
        found = worker.run(
            "evaluate", EvaluateJob(mask=mask, reference=reference, positive=scene.positive, ignore=scene.ignore)
        )
        total = total + Counts(*(int(found[name]) for name in ("tp", "fp", "fn", "tn")))
    return total, seconds


def empty_reference(raster: Path, path: Path) -> Path:
    """Write a reference of zeros on a scene's grid."""
    source = gdal.Open(str(raster))
    target = gdal.GetDriverByName("GTiff").Create(str(path), source.RasterXSize, source.RasterYSize, 1, gdal.GDT_Byte)
    target.SetGeoTransform(source.GetGeoTransform())
    target.SetProjection(source.GetProjection())
    return path


def score_rule(real: RealSet) -> Counts:
    """Counts of a set under its training-free rule (no-data pixels left out); Otsu's threshold is one for the set."""
    found, truth = [], []
    for scene in real.scenes:
        values = gdal.Open(str(scene.raster)).ReadAsArray().astype(np.float64)
        codes = gdal.Open(str(scene.reference)).ReadAsArray()
        judged = ~np.isin(codes, scene.ignore)
        if real.rule == "VV < -17 dB":
            index, judged = -17 - values[0], judged & (values != 0).all(0)
        elif real.rule in ("MNDWI > 0", "NDWI > 0"):
            index = values[2] - values[5 if real.rule.startswith("M") else 4]
        else:
            index, judged = values.mean(0) - (2 * values[1] - values[0] - values[2]), judged & values.any(0)
        found.append(index[judged])
        truth.append(np.isin(codes, scene.positive)[judged])
    index = np.concatenate(found)
    limit = otsu(index) if "Otsu" in str(real.rule) else 0.0
    return count_pixels(index > limit, np.concatenate(truth))


def otsu(values: np.ndarray) -> float:
    """Threshold that best splits values in two (Otsu 1979)."""
    counts, edges = np.histogram(values, bins=256)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(centres[int(np.nanargmax(between))])


def line(name: str, hazard: str, by: str, row: dict[str, float | None], seconds: float | None) -> str:
    """One line of the table."""
    shown = [f"{row[key]:.3f}" if row[key] is not None else "-" for key in row]
    return (
        f"{name:36s}{hazard:18s}{by:30s}"
        + "".join(f"{cell:>8s}" for cell in shown)
        + (f"{seconds:8.1f}" if seconds is not None else "")
    )


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="unet", help="name or folder of the model to score")
    parser.add_argument("--write-card", metavar="MODEL", help="score this model and store the rows in its card")
    given = parser.parse_args()
    data = Path(os.environ.get("HAZARD_DATA", ""))
    if not os.environ.get("HAZARD_DATA") or not data.is_dir():
        print("HAZARD_DATA does not name a folder of real scenes; nothing was measured.", file=sys.stderr)
        return 2
    model = given.write_card or given.model
    worker, rows, means = Worker(), [], []
    header = ("set", "hazard", "by", "BA", "IoU", "F1", "precis.", "recall", "false", "seconds")
    print(f"{header[0]:36s}{header[1]:18s}{header[2]:30s}" + "".join(f"{cell:>8s}" for cell in header[3:]))
    with tempfile.TemporaryDirectory() as folder:
        for real in real_sets(data):
            counts, seconds = score(worker, model, real, Path(folder))
            row = counts.scores()
            print(line(real.name, real.hazard, "model", row, seconds), flush=True)
            if real.rule:
                print(line(real.name, real.hazard, real.rule, score_rule(real).scores(), None), flush=True)
            rounded = {key: None if value is None else round(value, 4) for key, value in row.items()}
            rows.append({"set": real.name, "hazard": real.hazard, **rounded, "seconds": round(seconds, 1)})
            if real.counts_for_score and row["balanced_accuracy"] is not None:
                means.append(row["balanced_accuracy"])
    worker.close()
    mean = sum(means) / len(means)
    print(f"mean balanced accuracy over {len(means)} sets: {mean:.3f}   ({time.strftime('%Y-%m-%d')})")
    if given.write_card:
        from engine.model import save_card

        path = find_model(given.write_card)
        card = read_card(path)
        simulated = tuple(row for row in card.scores if str(row.get("set", "")).startswith("simulated"))
        save_card(dataclasses.replace(card, score=round(mean, 4), scores=simulated + tuple(rows)), path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
