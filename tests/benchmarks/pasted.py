"""Rubble laid into the later of two real, ordinary scenes of one place: what change between real dates leaves of it.

    python tests/benchmarks/pasted.py --set blatten --hazard glacier_collapse --model attention_unet
    python tests/benchmarks/pasted.py --set landsat --hazard landslide --model residual_unet --bands blue,green,red

``blatten`` are the two display scenes of ``glacier/blatten_before`` under ``HAZARD_DATA``, between which lies a thaw
of six weeks; ``landsat`` pairs of chips of 30 m on several dates, of all seasons (``flood/landsat_worldcover``). In
every round lobes of simulated rubble are laid onto ground that the later scene shows free of snow, cloud and water,
brightened by as much haze as the darkest pixels of each band hold. Found and false pixels are pooled over all rounds.
The ground is real, the rubble is not: the figures say whether ordinary change hides it, not how a real slide would be
found.
"""

import argparse
import dataclasses
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from osgeo import gdal  # noqa: E402
from torch import Tensor  # noqa: E402

from engine.metrics import Counts, count_pixels  # noqa: E402
from engine.model import Model, load_model  # noqa: E402
from engine.protocol import NOT_ASSESSED, OPTICAL_SLOTS, SceneJob, SegmentJob  # noqa: E402
from engine.reporting import Report  # noqa: E402
from engine.score_before import RealPair, pair_sets  # noqa: E402
from engine.segment import segment  # noqa: E402
from engine.simulate.covers import COVERS  # noqa: E402
from engine.simulate.fields import Draw, blur  # noqa: E402

RUBBLE = {
    "glacier_collapse": {"ice_rock": 3, "debris_grey": 2, "debris": 1, "dirty_ice": 1, "moraine": 1, "rock_dark": 1},
    "landslide": {"debris": 3, "debris_grey": 2, "soil_bright": 1, "rock_bright": 1},
}
LENGTH_M = {"glacier_collapse": (600, 3000), "landslide": (200, 1500)}
SETS = {"blatten": "Blatten, nothing happened", "landsat": "Landsat footprints, nothing fell"}
LARGEST_LOBE = 0.6
"""Length of the longest lobe as a share of the scene's shorter side."""


@dataclass(frozen=True)
class Units:
    """How stored values of each band become reflectance: ``stored / scale * (high - low) + low``."""

    scale: float
    low: Tensor
    high: Tensor

    def reflectance(self, stored: Tensor) -> Tensor:
        """Of (bands, h, w) stored values."""
        return stored / self.scale * (self.high - self.low) + self.low

    def stored(self, reflectance: Tensor) -> Tensor:
        """Rounded, within what can be stored."""
        return ((reflectance - self.low) / (self.high - self.low)).clamp(0, 1).mul(self.scale).round()


def units_of(name: str, bands: int) -> Units:
    """Of a set: display bytes between known limits, or scaled reflectance."""
    flat = torch.ones((bands, 1, 1))
    if name == "landsat":
        return Units(10_000.0, 0 * flat, flat)
    low = 0 * flat
    low[0] = 0.2
    return Units(255.0, low, flat)


def free_ground(scene: Tensor, slots: tuple[str, ...]) -> Tensor:
    """(h, w) bool of (bands, h, w) reflectance: neither snow nor cloud, nor water where infrared tells it."""
    band = dict(zip(slots, scene, strict=True))
    free = band["blue"] < 0.3
    if "nir" in band:
        free &= (band["nir"] > band["green"]) & (band["blue"] > 0) & (band["blue"] < 0.2)
    return free


def lobes(draw: Draw, free: Tensor, gsd_m: float, hazard: str, count: int) -> Tensor:
    """(h, w) int of lobes, numbered from 1, that begin on free ground and wind their way over it."""
    height, width = free.shape
    y, x = torch.meshgrid(torch.arange(height).float(), torch.arange(width).float(), indexing="ij")
    laid = torch.zeros((height, width), dtype=torch.int64)
    inner = torch.nonzero(blur(free[None].float(), 3.0)[0] > 0.9)
    for number in range(1, count + 1) if len(inner) else ():
        row, column = (float(value) for value in inner[draw.whole(len(inner))])
        length = min(LARGEST_LOBE * min(height, width), draw.log_uniform(*LENGTH_M[hazard]) / gsd_m)
        half = max(1.2, length * draw.uniform(0.06, 0.2))
        heading = draw.uniform(0, 2 * math.pi)
        nearest = torch.full((height, width), 1e9)
        for share in torch.linspace(0, 1, 24).tolist():
            nearest = torch.minimum(nearest, torch.hypot(y - row, x - column) / (half * (0.5 + share)))
            heading += draw.normal(0.15)
            row, column = row + length / 24 * math.sin(heading), column + length / 24 * math.cos(heading)
        laid[(nearest + 0.3 * _rough(draw, 24, height, width) < 1) & free] = number
    return laid


def paste(draw: Draw, scene: Tensor, laid: Tensor, slots: tuple[str, ...], hazard: str) -> Tensor:
    """Reflectance (bands, h, w) of a scene with rubble where ``laid`` is not 0."""
    haze = torch.quantile(scene.reshape(len(slots), -1)[:, ::7], 0.005, dim=1).clamp_min(0).view(-1, 1, 1)
    texture = _rough(draw, 4, *laid.shape)
    covers = {cover.name: cover for cover in COVERS}
    result = scene.clone()
    for number in range(1, int(laid.max()) + 1):
        cover = covers[draw.pick(RUBBLE[hazard])]
        spectrum = torch.tensor([cover.reflectance[OPTICAL_SLOTS.index(slot)] for slot in slots]).view(-1, 1, 1)
        bright = draw.uniform(0.7, 1.3) * (1 + cover.texture * texture)
        share = blur((laid == number)[None].float(), 0.7)
        result = result * (1 - share) + share * (spectrum * bright + haze)
    return result


def _rough(draw: Draw, scale_px: float, height: int, width: int) -> Tensor:
    """(h, w) ragged field of unit spread, whatever the shape."""
    field = Draw(draw.whole(1 << 30), 256).fractal(scale_px, 2.1)
    return torch.nn.functional.interpolate(field[None], (height, width), mode="bicubic")[0, 0]


def rounds(pairs: tuple[RealPair, ...], many: int) -> Iterator[tuple[int, RealPair]]:
    """So many pairs, evenly chosen; each again and again where there are fewer."""
    for number in range(many):
        yield number, pairs[number * len(pairs) // many if len(pairs) >= many else number % len(pairs)]


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default="blatten", choices=SETS)
    parser.add_argument("--hazard", default="glacier_collapse", choices=RUBBLE)
    parser.add_argument("--model", default="attention_unet")
    parser.add_argument("--bands", help="those that the model is shown, of a set with names; default all")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--lobes", type=int, default=3, help="in each round")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help="the later scene alone, for comparison")
    parser.add_argument("--keep", type=Path, help="folder for the scenes and masks, to look at")
    given = parser.parse_args()
    sets = [one for one in pair_sets(Path(os.environ.get("HAZARD_DATA", ""))) if one.name == SETS[given.set]]
    if not sets:
        raise SystemExit(f"{SETS[given.set]} is not under HAZARD_DATA.")
    model = load_model(given.model)
    total = Counts()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for number, pair in rounds(sets[0].pairs, given.rounds):
            total += count(given, model, pair, Draw(given.seed * 1000 + number, 128), folder / str(number))
    told = {"set": given.set, "hazard": given.hazard, "model": given.model, "alone": given.alone}
    print(json.dumps({**told, **total.scores()}))
    return 0


def count(given: argparse.Namespace, model: Model, pair: RealPair, draw: Draw, stem: Path) -> Counts:
    """Pixels of one pair after rubble was laid into its later scene."""
    slots = tuple(pair.later.bands or ())
    chosen = tuple(given.bands.split(",")) if given.bands else slots
    units = units_of(given.set, len(slots))
    source = gdal.Open(pair.later.raster)
    values = source.ReadAsArray()
    scene = units.reflectance(torch.from_numpy(values.astype(np.float32)))
    gsd_m = pair.later.gsd_m or source.GetGeoTransform()[1]
    laid = lobes(draw, free_ground(scene, slots), gsd_m, given.hazard, given.lobes)
    shown = units.stored(paste(draw, scene, laid, slots, given.hazard)).numpy()
    raster, mask = f"{stem}_scene.tif", f"{stem}_mask.tif"
    copy = gdal.GetDriverByName("GTiff").CreateCopy(raster, source)
    copy.WriteArray(np.where(laid.numpy() > 0, shown, values).astype(values.dtype))
    del copy
    seen = tuple(slot if slot in chosen else "-" for slot in slots)
    job = dataclasses.asdict(dataclasses.replace(pair.later, raster=raster, bands=seen))
    known = {field.name: job[field.name] for field in dataclasses.fields(SceneJob)}
    before = {} if given.alone else {
        "before": pair.earlier.raster, "before_bands": seen, "before_units": pair.earlier.units,
    }  # fmt: skip
    segment(
        SegmentJob(**known, **before, hazard=given.hazard, mask=mask, model=model.folder, overwrite=True),
        Report(), {model.folder: model},
    )  # fmt: skip
    found = gdal.Open(mask).ReadAsArray()
    return count_pixels(found == 1, laid.numpy() > 0, found != NOT_ASSESSED)


if __name__ == "__main__":
    raise SystemExit(main())
