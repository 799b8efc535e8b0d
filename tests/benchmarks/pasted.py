"""Rubble laid into the later of two real, ordinary scenes of one place: what change between real dates leaves of it.

    python tests/benchmarks/pasted.py --before A.tif --after B.tif --low 0.2,0,0 --high 1,1,1 --hazard glacier_collapse

Both scenes are display bytes between reflectances ``--low`` and ``--high`` of each band; by default those at Blatten
under ``HAZARD_DATA``. In every round some lobes of simulated rubble are laid onto ground that the later scene shows
free of snow, brightened by as much haze as the darkest pixels of each band hold. Found and false pixels are pooled
over all rounds. The ground is real, the rubble is not: the figures say whether thaw and season hide it, not how a real
collapse would be found.
"""

import argparse
import json
import math
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from osgeo import gdal  # noqa: E402
from torch import Tensor  # noqa: E402

from engine.metrics import Counts, count_pixels  # noqa: E402
from engine.model import load_model  # noqa: E402
from engine.protocol import NOT_ASSESSED, SegmentJob  # noqa: E402
from engine.reporting import Report  # noqa: E402
from engine.segment import segment  # noqa: E402
from engine.simulate.covers import COVERS  # noqa: E402
from engine.simulate.fields import Draw, blur  # noqa: E402
from engine.simulate.scene import OPTICAL_SLOTS  # noqa: E402

BLATTEN = "glacier/blatten_before/S2_2025{}_B12_B02_B01_8bit.tif"
BANDS = "swir2,blue,coastal"
RUBBLE = {
    "glacier_collapse": {"ice_rock": 3, "debris_grey": 2, "debris": 1, "dirty_ice": 1, "moraine": 1, "rock_dark": 1},
    "landslide": {"debris": 3, "debris_grey": 2, "soil_bright": 1, "rock_bright": 1},
}
LENGTH_M = {"glacier_collapse": (600, 3000), "landslide": (150, 1200)}
BRIGHTEST_FREE = 0.3
"""Reflectance of the second band above which ground is taken for snow or cloud."""


def lobes(draw: Draw, free: Tensor, gsd_m: float, hazard: str, count: int) -> Tensor:
    """(h, w) int of lobes, numbered from 1, that begin on free ground and wind their way over it."""
    height, width = free.shape
    y, x = torch.meshgrid(torch.arange(height).float(), torch.arange(width).float(), indexing="ij")
    laid = torch.zeros((height, width), dtype=torch.int64)
    inner = torch.nonzero(blur(free[None].float(), 8.0)[0] > 0.9)
    for number in range(1, count + 1):
        row, column = (float(value) for value in inner[draw.whole(len(inner))])
        length = draw.log_uniform(*LENGTH_M[hazard]) / gsd_m
        half = length * draw.uniform(0.06, 0.2)
        heading = draw.uniform(0, 2 * math.pi)
        nearest = torch.full((height, width), 1e9)
        for share in torch.linspace(0, 1, 24).tolist():
            widened = half * (0.5 + share)
            nearest = torch.minimum(nearest, torch.hypot(y - row, x - column) / widened)
            heading += draw.normal(0.15)
            row, column = row + length / 24 * math.sin(heading), column + length / 24 * math.cos(heading)
        ragged = torch.nn.functional.interpolate(
            Draw(draw.whole(1 << 30), 128).fractal(24, 2.2)[None], (height, width), mode="bicubic"
        )[0, 0]
        laid[(nearest + 0.3 * ragged < 1) & free] = number
    return laid


def paste(draw: Draw, scene: Tensor, laid: Tensor, slots: tuple[str, ...], hazard: str) -> Tensor:
    """Reflectance (bands, h, w) of a scene with rubble where ``laid`` is not 0."""
    haze = torch.quantile(scene.reshape(len(slots), -1)[:, ::7], 0.005, dim=1).view(-1, 1, 1)
    texture = torch.nn.functional.interpolate(
        Draw(draw.whole(1 << 30), 256).fractal(4, 2.0)[None], laid.shape, mode="bicubic"
    )[0, 0]
    covers = {cover.name: cover for cover in COVERS}
    result = scene.clone()
    for number in range(1, int(laid.max()) + 1):
        cover = covers[draw.pick(RUBBLE[hazard])]
        spectrum = torch.tensor([cover.reflectance[OPTICAL_SLOTS.index(slot)] for slot in slots]).view(-1, 1, 1)
        bright = draw.uniform(0.7, 1.3) * (1 + cover.texture * texture)
        share = blur((laid == number)[None].float(), 0.7)
        result = result * (1 - share) + share * (spectrum * bright + haze)
    return result


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = os.environ.get("HAZARD_DATA", "")
    parser.add_argument("--before", default=os.path.join(data, BLATTEN.format("0408")))
    parser.add_argument("--after", default=os.path.join(data, BLATTEN.format("0518")))
    parser.add_argument("--bands", default=BANDS)
    parser.add_argument("--low", default="0.2,0,0")
    parser.add_argument("--high", default="1,1,1")
    parser.add_argument("--hazard", default="glacier_collapse", choices=RUBBLE)
    parser.add_argument("--model", default="attention_unet")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--lobes", type=int, default=3, help="in each round")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help="the later scene alone, for comparison")
    parser.add_argument("--keep", type=Path, help="folder for the scenes and masks, to look at")
    given = parser.parse_args()
    slots = tuple(given.bands.split(","))
    low, high = (
        torch.tensor([float(value) for value in told.split(",")]).view(-1, 1, 1) for told in (given.low, given.high)
    )
    source = gdal.Open(given.after)
    later = torch.from_numpy(source.ReadAsArray().astype(np.float32)) / 255 * (high - low) + low
    model = load_model(given.model)
    total = Counts()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(given.rounds):
            draw = Draw(given.seed * 1000 + number, 128)
            laid = lobes(draw, later[1] < BRIGHTEST_FREE, source.GetGeoTransform()[1], given.hazard, given.lobes)
            shown = ((paste(draw, later, laid, slots, given.hazard) - low) / (high - low)).clamp(0, 1) * 255
            raster, mask = str(folder / f"pasted{number}.tif"), str(folder / f"mask{number}.tif")
            copy = gdal.GetDriverByName("GTiff").CreateCopy(raster, source)
            copy.WriteArray(shown.round().numpy().astype(np.uint8))
            copy = None
            job = SegmentJob(
                raster=raster, bands=slots, hazard=given.hazard, mask=mask, model=model.folder, overwrite=True,
                before=None if given.alone else given.before, before_bands=None if given.alone else slots,
            )  # fmt: skip
            segment(job, Report(), {model.folder: model})
            found = gdal.Open(mask).ReadAsArray()
            total += count_pixels(found == 1, laid.numpy() > 0, found != NOT_ASSESSED)
    print(json.dumps({"hazard": given.hazard, "model": given.model, "alone": given.alone, **total.scores()}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
