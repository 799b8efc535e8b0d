"""Labelled pairs of small scenes whose change is known, in memory and as a folder that a user would have."""

import copy
import dataclasses

import numpy as np
import torch
from osgeo import gdal
from scenes import UTM_10M, ReflectanceNetwork, write_raster

from engine.before.matching import match_scenes
from engine.datasets.before_folder import LabelledPair
from engine.model import Heads
from engine.samples import LabelledScene
from engine.simulate.chips import measure_scaling

NAMES = ("B02", "B03", "B04", "B08")
SLOTS = ("blue", "green", "red", "nir")
GROUND = np.array([0.04, 0.08, 0.05, 0.35])
SCAR = np.array([0.10, 0.14, 0.30, 0.25])
OLD_SCAR = (slice(4, 20), slice(60, 76))
"""Rows and columns of what looks like the hazard on both dates."""


def texture(height, width, seed):
    """(height, width) smooth texture from about -1 to 1, so that dates can be laid over each other."""
    frequency = np.hypot(np.fft.fftfreq(320)[:, None], np.fft.fftfreq(320)[None])
    noise = np.fft.fft2(np.random.default_rng(seed).normal(size=(320, 320)))
    field = np.fft.ifft2(noise * np.exp(-200 * frequency**2)).real
    return (field / np.abs(field).max())[:height, :width]


def two_dates(number, size_px=80):
    """Later and earlier reflectance (bands, h, w), and where a scar is new (h, w)."""
    height, width = size_px, size_px + 16
    ground = GROUND[:, None, None] * (1 + 0.5 * texture(height, width, number))
    new = np.zeros((height, width), bool)
    draw = np.random.default_rng(number)
    for _ in range(2):
        top, left = draw.integers(22, height - 18), draw.integers(width - 18)
        new[top : top + 18, left : left + 18] = True
    later, earlier = ground.copy(), ground.copy()
    for values in (later, earlier):
        values[:, OLD_SCAR[0], OLD_SCAR[1]] = SCAR[:, None, None]
    later[:, new] = SCAR[:, None]
    return later, 0.9 * earlier + 0.01, new


def write_pairs(folder, count, size_px=80, code=1, lacking=()):
    """A folder with ``images/``, ``labels/`` and ``before/``; returns it as text.

    Images are six 10 m bands of 0.0001; every second earlier scene is float, 5 m and in degrees, the others 20 m.
    """
    for part in ("images", "labels", "before"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        name = f"place{number:02d}.tif"
        later, earlier, new = two_dates(number, size_px)
        write_raster(folder / "images" / name, (later * 10_000).round().astype("u2"), names=NAMES)
        write_raster(folder / "labels" / name, np.where(new, code, 0).astype("u1"))
        if number in lacking:
            continue
        path = str(folder / "before" / name)
        if number % 2:
            coarse = earlier.reshape(len(earlier), size_px // 2, 2, -1, 2).mean((2, 4))
            wide = (UTM_10M[0], 20.0, 0.0, UTM_10M[3], 0.0, -20.0)
            write_raster(path, (coarse * 10_000).round().astype("u2"), geotransform=wide, names=NAMES)
        else:
            fine = np.kron(earlier, np.ones((1, 2, 2))).astype("f4")
            near = (UTM_10M[0], 5.0, 0.0, UTM_10M[3], 0.0, -5.0)
            metric = write_raster(folder / "metric.tif", fine, geotransform=near, names=NAMES)
            gdal.Warp(path, metric, dstSRS="EPSG:4326", resampleAlg="bilinear", dstNodata=-9999)
            (folder / "metric.tif").unlink()
            described = gdal.Open(path, gdal.GA_Update)
            for index, band in enumerate(NAMES):
                described.GetRasterBand(index + 1).SetDescription(band)
            described = None
    return str(folder)


class TwoDates(ReflectanceNetwork):
    """As its parent, with the heads that a comparison of two dates asks for."""

    def __init__(self):
        super().__init__()
        self.change = None

    def restricted_to(self, planes, equal=None):
        return ReflectanceNetwork.restricted_to(copy.copy(self), planes, equal)

    def forward(self, planes):
        logits = self.hazard_logits(planes)
        return Heads(logits, torch.zeros_like(logits))


@dataclasses.dataclass
class ToyPairs:
    """Labelled pairs in memory; the earlier date has no blue, and nothing was measured before at the right."""

    hazard: str = "landslide"
    bad: tuple = ()
    unmeasured_px: int = 8

    def read_pair(self, number):
        from engine.protocol import BadInput

        if number in self.bad:
            raise BadInput(f"Pair {number} is damaged; copy it again.")
        first, second, new = two_dates(number)
        later, earlier = torch.from_numpy(first).float(), torch.from_numpy(second[1:]).float()
        valid = torch.ones((1, *new.shape), dtype=torch.bool)
        was_valid = valid.clone()
        was_valid[..., -self.unmeasured_px :] = False
        earlier = torch.where(was_valid, earlier, 0.0)
        scalings = (measure_scaling(later, valid, SLOTS, True), measure_scaling(earlier, was_valid, SLOTS[1:], True))
        both = was_valid[0]
        match = match_scenes(later[:, both], scalings[0], earlier[:, both], scalings[1])
        labels = {self.hazard: torch.from_numpy(new.astype("u1"))}
        scene = LabelledScene(SLOTS, later, valid, True, labels, name=f"pair {number}")
        return LabelledPair(scene, earlier, was_valid, scalings, match)
