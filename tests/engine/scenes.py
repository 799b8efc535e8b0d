"""Small scenes with a known answer, and a network whose probability is the reflectance of one band."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from osgeo import gdal, gdal_array, osr
from torch import nn

from engine.cards import ModelCard
from engine.model import Model
from engine.planes import PLANES
from engine.protocol import SegmentJob
from engine.reporting import Report
from engine.segment import segment

gdal.UseExceptions()
osr.UseExceptions()

UTM_10M = (500000.0, 10.0, 0.0, 5100000.0, 0.0, -10.0)


@dataclass
class Making:
    """How a raster is written; ``bands`` is ``(bands, height, width)`` or one band."""

    gdal_type: int | None = None
    geotransform: tuple[float, ...] | None = UTM_10M
    crs: str | None = "EPSG:32632"
    nodata: Sequence[float | None] | None = None
    names: Sequence[str] = ()
    gcps: Sequence[Any] = ()
    driver: str = "GTiff"
    options: Sequence[str] = ()
    scale_offset: tuple[float, float] | None = None
    tags: dict = field(default_factory=dict)


def write_raster(path: Any, bands: Any, making: Making | None = None, **how: Any) -> str:
    """Write bands to a raster file; returns its path as text."""
    making = making or Making(**how)
    bands = np.asarray(bands)
    bands = bands[None] if bands.ndim == 2 else bands
    count, height, width = bands.shape
    kind = making.gdal_type
    if kind is None:
        kind = gdal_array.NumericTypeCodeToGDALTypeCode(bands.dtype.type)
    dataset = gdal.GetDriverByName(making.driver).Create(str(path), width, height, count, kind, list(making.options))
    wkt = ""
    if making.crs:
        reference = osr.SpatialReference()
        reference.SetFromUserInput(making.crs)
        wkt = reference.ExportToWkt()
    if making.gcps:
        dataset.SetGCPs(list(making.gcps), wkt)
    else:
        if making.geotransform:
            dataset.SetGeoTransform(making.geotransform)
        if wkt:
            dataset.SetProjection(wkt)
    if making.tags:
        dataset.SetMetadata(making.tags)
    for i in range(count):
        band = dataset.GetRasterBand(i + 1)
        if making.nodata is not None and making.nodata[i % len(making.nodata)] is not None:
            band.SetNoDataValue(making.nodata[i % len(making.nodata)])
        if making.names:
            band.SetDescription(making.names[i])
        if making.scale_offset:
            band.SetScale(making.scale_offset[0])
            band.SetOffset(making.scale_offset[1])
        band.WriteArray(bands[i])
    dataset = None
    return str(path)


def read(path: Any) -> np.ndarray:
    """All of a raster's first band."""
    dataset = gdal.Open(str(path))
    found = dataset.GetRasterBand(1).ReadAsArray()
    dataset = None
    return found


class ReflectanceNetwork(nn.Module):
    """Probability = reflectance of the scene's first optical band (``raw_*`` plane turned back)."""

    blur_px = 0

    def __init__(self, position: int = 0) -> None:
        super().__init__()
        self.position = position
        self.weight = nn.Parameter(torch.zeros(1))
        self.calls: list = []

    def restricted_to(self, planes: Sequence[int], equal: Mapping[int, int] | None = None) -> "ReflectanceNetwork":
        self.position = [PLANES[plane].startswith("raw_") for plane in planes].index(True)
        self.names = [PLANES[plane] for plane in planes]
        return self

    def hazard_logits(self, planes: torch.Tensor) -> torch.Tensor:
        self.calls.append(tuple(planes.shape))
        share = ((planes[:, self.position : self.position + 1] + 0.6) / 2) ** 2
        if self.blur_px:
            side = 2 * self.blur_px + 1
            share = torch.nn.functional.avg_pool2d(share, side, 1, self.blur_px, count_include_pad=False)
        share = share.clamp(1e-6, 1 - 1e-6)
        return torch.log(share / (1 - share))

    def forward(self, planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits = self.hazard_logits(planes)
        return logits, logits


def reflectance_model(folder: Path, *, threshold: float = 0.5, gsd: tuple[float, float] = (3.0, 30.0)) -> Model:
    """A model whose probability is known: see ReflectanceNetwork."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(b"reflectance").hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  weights.safetensors\n")
    card = ModelCard(
        name="reflectance",
        title="Reflectance",
        architecture="unet",
        encoder="none",
        hazards=("flood",),
        thresholds={"flood": threshold},
        planes=PLANES,
        gsd_min_m=gsd[0],
        gsd_max_m=gsd[1],
    )
    network: Any = ReflectanceNetwork()
    return Model(card, network, str(folder), digest, False)


def run(folder: Path, raster: Any, *, model: Model | None = None, report: Any = None, **options: Any) -> Any:
    """Segment with the reflectance network; returns ``(result, mask, probability)``, the latter two as arrays."""
    model = model or reflectance_model(folder / "model")
    values = {
        "raster": str(raster),
        "hazard": "flood",
        "mask": str(folder / "mask.tif"),
        "probability": str(folder / "probability.tif"),
        "model": "reflectance",
        "units": "reflectance",
        "bands": ("green",),
        "overwrite": True,
        **options,
    }
    job = SegmentJob(**values)
    result = segment(job, report or Report(), {"reflectance": model})
    return result, read(job.mask), read(job.probability) if job.probability else None
