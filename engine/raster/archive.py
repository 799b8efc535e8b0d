"""What an archive has to know of rasters: whether one is a result of ours, and one-band files stacked to a scene."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

from osgeo import gdal

from ..protocol import BadInput, partial_path
from .gdal_setup import FAULTS, first_line, prepare_gdal, text
from .output import writing
from .scene import open_raster

RESULT_TAGS = ("HAZARD_JOB", "HAZARD_CHANGE_JOB")


def is_result(path: str) -> bool:
    """Whether a raster was written by this program; a file that cannot be opened is none."""
    prepare_gdal()
    with contextlib.suppress(*FAULTS, MemoryError):
        dataset = gdal.OpenEx(path, gdal.OF_RASTER | gdal.OF_READONLY)
        return dataset is not None and any(dataset.GetMetadataItem(tag) is not None for tag in RESULT_TAGS)
    return False


def stack_bands(parts: Sequence[tuple[str, str]], path: str, job_id: str) -> None:
    """Write a virtual raster whose bands are one-band files, on the finest of their grids.

    Args:
        parts: name and file of each band, in order; the names tell the slots.
        path: VRT file to write; one that exists is replaced.
        job_id: names the unfinished file.

    Raises:
        BadInput: a file cannot be opened, has several bands or lies in another CRS.
    """
    prepare_gdal()
    for name, file in parts:
        dataset = open_raster(file, (), os.path.basename(file))
        if dataset.RasterCount != 1:
            raise BadInput(
                f"Asset '{name}' has {dataset.RasterCount} bands, but only assets of one band can be stacked; "
                "name that asset alone."
            )
        dataset = None
    try:
        options = gdal.BuildVRTOptions(separate=True, resolution="highest", strict=True)
        stack = gdal.BuildVRT("", [file for _, file in parts], options=options)
        for index, (name, _) in enumerate(parts):
            stack.GetRasterBand(index + 1).SetDescription(name)
        content = text(stack.GetMetadata("xml:VRT")[0])
        stack = None
    except (*FAULTS, AttributeError, TypeError) as error:
        names = ", ".join(name for name, _ in parts)
        raise BadInput(
            f"The assets {names} do not make one scene ({first_line(error)}); name assets of one CRS."
        ) from None
    partial = partial_path(path, job_id)
    try:
        with writing(path), open(partial, "w", encoding="utf-8") as stream:
            stream.write(content)
        with writing(path):
            os.replace(partial, path)
    finally:
        with contextlib.suppress(OSError):
            os.remove(partial)
