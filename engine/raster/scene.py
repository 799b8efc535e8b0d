"""A scene opened for reading: its bands and grid, and windows of it as slot values with a valid mask."""

from __future__ import annotations

import math
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from osgeo import gdal

from ..bands import BandInfo, BandMatch, match_bands, names_a_slot
from ..protocol import UNUSED, BadInput, SceneJob, same_path
from ..units import SlotUnits, UnitsFound, find_units, to_canonical
from .blocks import Blocks, block_size, pixel_bytes
from .gdal_setup import FAULTS, ask_twice, first_line, prepare_gdal, reading, text
from .georeference import ASSUMED_GSD_M, Window, read_georeference
from .nodata import equals, measured, nodata_of
from .sampling import sample_windows, side_by_side
from .unpacking import archive_advice

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

MOST_BANDS = 4096
MOST_COLUMNS = 1_000_000
MOST_PIXELS = 10**12
SAMPLE_PX = 300_000
"""Pixels a band that scene-wide statistics are taken from."""


@dataclass(frozen=True)
class Understanding:
    """How a scene was understood: the slot and units of each band, metres a pixel, and undeclared fill."""

    match: BandMatch
    units: UnitsFound
    gsd_m: tuple[float, float]
    warnings: tuple[str, ...]
    zero_is_fill: bool = False

    @property
    def slot_units(self) -> tuple[SlotUnits, ...]:
        """Units of the used slots, in canonical order."""
        return tuple(self.units.by_slot[slot] for slot in self.match.used_slots)


class Scene:
    """A raster opened for reading. Use as a context manager; ``read_window`` may be called by several threads.

    GDAL is asked by one of them at a time, while the others bring what they read into canonical units.

    Args:
        job: names the raster and how it is to be understood.

    Raises:
        BadInput: when the raster cannot be opened or holds nothing that can be assessed.
    """

    def __init__(self, job: SceneJob) -> None:
        prepare_gdal()
        self.job = job
        self.name = os.path.basename(job.raster.rstrip("/\\")) or job.raster
        self._turn = threading.Lock()
        self._dataset = open_raster(job.raster, job.open_options, self.name)
        self._sampled_positions: tuple[int, ...] | None = None
        self._sampled: tuple[Array, Mask] = (np.empty((0, 0), np.float32), np.empty((0, 0), np.bool_))
        with reading(self.name):
            self._describe()

    def _describe(self) -> None:
        job = self.job
        self.width, self.height = self._dataset.RasterXSize, self._dataset.RasterYSize
        pixels, count = self.width * self.height, self._dataset.RasterCount
        if self.width > MOST_COLUMNS or pixels > MOST_PIXELS or count > MOST_BANDS:
            raise BadInput(
                f"'{self.name}' claims {self.width} x {self.height} pixels and {count} bands; "
                f"at most {MOST_COLUMNS} columns, {MOST_PIXELS:.0e} pixels and {MOST_BANDS} bands are read. "
                "Check the file, or cut it into parts."
            )
        alpha = self._alpha_bands()
        self._alpha = alpha[0] if alpha else None
        self.all_bands = tuple(
            _band_info(i + 1, self._dataset.GetRasterBand(i + 1)) for i in range(self._dataset.RasterCount)
        )
        self.bands = tuple(band for band in self.all_bands if band.index not in alpha)  # what is not alpha is data
        if not self.bands:
            raise BadInput(f"'{self.name}' has only an alpha band; expected at least one band of data.")
        self._chosen = job.bands
        if job.bands is not None and len(job.bands) == len(self.all_bands):
            self._chosen = tuple(job.bands[band.index - 1] for band in self.bands)
        self.georeference = read_georeference(self._dataset, job.crs)
        self.nodata = tuple(nodata_of(self._dataset.GetRasterBand(band.index)) for band in self.bands)
        self._scales = tuple(_scale_of(self._dataset.GetRasterBand(band.index)) for band in self.bands)
        self.dataset_tags = _tags(self._dataset)

    def __enter__(self) -> Scene:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _alpha_bands(self) -> tuple[int, ...]:
        """Indices of the bands that say what is transparent.

        GDAL marks the fourth band of many four-band files as alpha although it holds near infrared: a band that is
        given a slot, or whose name says what it is, is data.
        """
        chosen = self.job.bands if self.job.bands and len(self.job.bands) == self._dataset.RasterCount else None
        found = []
        for index in range(1, self._dataset.RasterCount + 1):
            band = self._dataset.GetRasterBand(index)
            if band.GetColorInterpretation() == gdal.GCI_AlphaBand and (
                not names_a_slot(text(band.GetDescription())) if chosen is None else chosen[index - 1] == UNUSED
            ):
                found.append(index)
        return tuple(found)

    def close(self) -> None:
        """Let go of the file."""
        self._dataset = None

    @property
    def dataset(self) -> Any:
        """GDAL's dataset, for this package alone."""
        return self._dataset

    @property
    def block_size(self) -> tuple[int, int]:
        """Width and height of the file's blocks in pixels."""
        return block_size(self._dataset, self._dataset.GetRasterBand(self.bands[0].index))

    def blocks(self, understanding: Understanding, part: Window) -> Blocks:
        """How a part of the bands that are used lies in the file."""
        bands = [self._dataset.GetRasterBand(self.bands[position].index) for position in understanding.match.used]
        width, height = self.block_size
        touched = min(part.width + width, self.width), min(part.height + height, self.height)
        return Blocks((width, height), touched, pixel_bytes(bands))

    def understand(self) -> Understanding:
        """Find out slots, units and ground sampling distance; raises BadInput when that cannot be known."""
        tag_values = [value for value in self.dataset_tags.values() if len(value) < 200]
        match = match_bands(
            self.bands,
            sensor=self.job.sensor,
            chosen=self._chosen,
            file_name=self._product_text(),
            tags=tag_values,
        )
        for position in match.used:
            if self.bands[position].dtype.startswith("complex"):
                raise BadInput(
                    f"Band {self.bands[position].index} of '{self.name}' holds complex numbers; "
                    "convert the scene to linear power or dB first."
                )
        with reading(self.name):
            stored, valid = self._sample(match.used)
        zero_is_fill, fill_warning = self._undeclared_fill(match, stored)
        if zero_is_fill:
            valid = valid & (stored != 0).any(axis=0)
        samples = {slot: stored[i][valid[i]] for i, slot in enumerate(match.used_slots)}  # each band's own valid pixels
        units = find_units(
            samples,
            dtypes={slot: self.bands[p].dtype for slot, p in zip(match.used_slots, match.used, strict=True)},
            scales={slot: self._scales[p] for slot, p in zip(match.used_slots, match.used, strict=True)},
            sensor=match.sensor,
            chosen=self.job.units,
            product=self._product_text(),
            tags=self.dataset_tags,
        )
        gsd_m, gsd_warning = self.ground_sampling_distance()
        notes = (fill_warning, gsd_warning)
        warnings = [*match.warnings, *units.warnings, *(note for note in notes if note)]
        if samples and all(values.size == 0 for values in samples.values()):
            warnings.append("No valid pixel was found in the scene's sample: it seems to be nodata throughout.")
        elif all(values.size == 0 or values.min() == values.max() for values in samples.values()):
            warnings.append("The scene is constant: there is nothing to see in it.")
        return Understanding(match, units, gsd_m, tuple(warnings), zero_is_fill)

    def files(self) -> tuple[str, ...]:
        """The files that the scene consists of, as GDAL lists them."""
        return tuple(ask_twice(self._dataset.GetFileList) or ())

    def require_no_part(self, outputs: Sequence[str]) -> None:
        """Raise BadInput if an output would replace one of the files that the scene consists of."""
        for output in outputs:
            for part in self.files():
                if same_path(output, part):
                    raise BadInput(f"'{output}' is a part of the scene '{self.name}'; choose another name.")

    def percentiles(self, understanding: Understanding) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Robust range of the whole scene: 2 and 98 % of each used slot in canonical units, nodata left out.

        Per scene, not per window: a window that lies wholly in water would be erased by its own statistics.
        """
        stored, valid = self._sample(understanding.match.used)
        if understanding.zero_is_fill:
            valid = valid & (stored != 0).any(axis=0)
        low, high = [], []
        for i, position in enumerate(understanding.match.used):
            units = understanding.slot_units[i]
            values = self._convert(stored[i][valid[i]], position, units)
            values = values[measured(values, units)]
            first, last = (float(v) for v in np.percentile(values, (2, 98))) if values.size else (0.0, 0.0)
            low.append(first)
            high.append(last)
        return tuple(low), tuple(high)

    def read_window(self, window: Window, understanding: Understanding) -> tuple[Array, Mask]:
        """Slot values ``(slots, height, width)`` in canonical units and valid mask ``(height, width)``.

        A pixel is valid where every used band has a value. Byte display images with one nodata value for all bands
        are the exception: there a single channel at that value is a shade, so only all of them together are nodata.

        Raises:
            BadInput: when the file cannot be read there.
        """
        match = understanding.match
        if self._holds_nothing(window, match.used):
            shape = (window.height, window.width)
            return np.zeros((len(match.used), *shape), np.float32), np.zeros(shape, np.bool_)
        stored, valid = self._read_stored(window, match.used)
        shades = all(units.units == "byte" for units in understanding.slot_units) and len(match.used) > 1
        shades = shades and len({self.nodata[position] for position in match.used}) == 1
        everywhere = valid.any(axis=0) if shades else valid.all(axis=0)
        if understanding.zero_is_fill:
            everywhere &= (stored != 0).any(axis=0)
        for i, position in enumerate(match.used):
            units = understanding.slot_units[i]
            band = stored[i]
            values = self._convert(band, position, units)
            if values is not band:  # most conversions work in place
                stored[i] = values
            everywhere &= measured(values, units)
        everywhere &= self._dataset_mask(window, match.used)
        if not everywhere.all():
            np.copyto(stored, 0.0, where=~everywhere)
        return stored, everywhere

    def _holds_nothing(self, window: Window, positions: Sequence[int]) -> bool:
        """Whether the format says, without reading, that it keeps nodata alone there, as mosaics do between scenes."""
        bands = (self._dataset.GetRasterBand(self.bands[position].index) for position in positions)
        place = self._pixels_of(window)
        try:
            with self._turn:
                empty = all(
                    band.GetDataCoverageStatus(*place)[0] == gdal.GDAL_DATA_COVERAGE_STATUS_EMPTY for band in bands
                )
        except FAULTS:
            return False  # reading says what is wrong
        # All of it then has one value, which a type may not be able to tell as nodata.
        return empty and not self._read_stored(Window(window.x, window.y, 1, 1), positions)[1].any()

    def _pixels_of(self, window: Window) -> tuple[int, int, int, int]:
        """Column, row, width and height of a window in pixels of the file."""
        return window.x, window.y, window.width, window.height

    def _convert(self, values: Array, position: int, units: SlotUnits) -> Array:
        scale, offset = self._scales[position] if units.scaled else (1.0, 0.0)
        if (scale, offset) != (1.0, 0.0):
            values = values * np.float32(scale) + np.float32(offset)
        with np.errstate(all="ignore"):
            return to_canonical(values, units.units)

    def _read_stored(self, window: Window, positions: Sequence[int]) -> tuple[Array, Mask]:
        """Stored values as float32 ``(bands, height, width)`` and, per band, where they are not nodata."""
        indices = [self.bands[position].index for position in positions]
        try:
            with self._turn:
                block = self._read_pixels(self._dataset, window, band_list=indices)
        except (*FAULTS, MemoryError) as error:
            raise self._unreadable(window, error) from None
        if block is None:
            raise self._unreadable(window, RuntimeError(gdal.GetLastErrorMsg() or "no data"))
        block = block.reshape(len(indices), window.height, window.width)
        valid = np.ones(block.shape, np.bool_)
        for i, position in enumerate(positions):
            nodata = self.nodata[position]
            if nodata is not None and not math.isnan(nodata):
                valid[i] = ~equals(block[i], nodata)
        with np.errstate(all="ignore"):
            values = block.astype(np.float32)
        if values.dtype.kind == "f" and block.dtype.kind == "f":
            valid &= np.isfinite(values)
        return values, valid

    def _read_pixels(self, source: Any, window: Window, **which: Any) -> Any:
        return source.ReadAsArray(window.x, window.y, window.width, window.height, **which)

    def _dataset_mask(self, window: Window, positions: Sequence[int]) -> Mask | np.bool_:
        """What alpha and mask bands allow; True where the file has neither."""
        try:
            with self._turn:
                found = [self._read_pixels(source, window) for source in self._mask_sources(positions)]
        except FAULTS as error:
            raise self._unreadable(window, error) from None
        allowed: Mask | np.bool_ = np.True_
        for values in found:
            allowed = np.asarray(values > 0, np.bool_) & allowed
        return allowed

    def _mask_sources(self, positions: Sequence[int]) -> Iterator[Any]:
        if self._alpha is not None:
            yield self._dataset.GetRasterBand(self._alpha)
        for position in positions:
            band = self._dataset.GetRasterBand(self.bands[position].index)
            flags = band.GetMaskFlags()
            if flags & (gdal.GMF_ALL_VALID | gdal.GMF_ALPHA) or flags == gdal.GMF_NODATA:
                continue
            yield band.GetMaskBand()
            if flags & gdal.GMF_PER_DATASET:
                break

    def _unreadable(self, window: Window, error: BaseException) -> BadInput:
        return BadInput(
            f"'{self.name}' cannot be read at column {window.x}, row {window.y} ({first_line(error)}); "
            "the file is damaged or incomplete: obtain it again."
        )

    def _sample(self, positions: Sequence[int]) -> tuple[Array, Mask]:
        """About SAMPLE_PX stored values a band ``(bands, n)`` and where they are valid, spread over the scene."""
        if tuple(positions) == self._sampled_positions:
            return self._sampled
        windows = sample_windows(self.width, self.height, self.block_size, SAMPLE_PX)
        step = math.ceil(math.sqrt(sum(w.width * w.height for w in windows) / SAMPLE_PX))
        values, valids = [], []
        for group in side_by_side(windows):
            left, right = group[0].x, group[-1].x + group[-1].width
            together = Window(left, group[0].y, right - left, group[0].height)
            stored, valid = self._read_stored(together, positions)
            valid = valid & self._dataset_mask(together, positions)
            for window in group:
                part = np.s_[:, ::step, window.x - left : window.x - left + window.width : step]
                values.append(stored[part].reshape(len(positions), -1))
                valids.append(valid[part].reshape(len(positions), -1))
        self._sampled_positions = tuple(positions)
        self._sampled = np.concatenate(values, axis=1), np.concatenate(valids, axis=1)
        return self._sampled

    def _undeclared_fill(self, match: BandMatch, stored: Array) -> tuple[bool, str | None]:
        """Whether pixels that are exactly 0 in every band are fill that the file does not declare.

        Measured reflectance or backscatter is never 0 in several bands at once; display values may well be.
        """
        declared = any(self.nodata[position] is not None for position in match.used) or self._alpha is not None
        shades = any(self.bands[position].dtype == "uint8" for position in match.used)
        if declared or shades or len(match.used) < 2 or stored.shape[1] == 0:
            return False, None
        share = float((stored == 0).all(axis=0).mean())
        if not 0.001 < share < 1:
            return False, None
        return True, (
            f"About {share:.0%} of the pixels are 0 in every band without being declared nodata: they are taken as "
            "not measured."
        )

    def ground_sampling_distance(self) -> tuple[tuple[float, float], str | None]:
        """Metres a column and a row, and what the user should know of that."""
        if self.job.gsd_m is not None:
            return (self.job.gsd_m, self.job.gsd_m), None
        size = self.georeference.pixel_size_m()
        if size is None or not all(math.isfinite(v) and v > 0 for v in size):
            return (ASSUMED_GSD_M, ASSUMED_GSD_M), (
                f"The scene does not say how large its pixels are; {ASSUMED_GSD_M:.0f} m is assumed. "
                "Set the ground sampling distance (--gsd-m) if that is wrong."
            )
        return size, None

    def _product_text(self) -> str:
        """The path's last two parts: products keep their name in the folder or in the file."""
        return "/".join(self.job.raster.replace("\\", "/").split("/")[-2:])


def _scale_of(band: Any) -> tuple[float, float]:
    scale, offset = band.GetScale(), band.GetOffset()
    scale = 1.0 if scale is None or not math.isfinite(scale) or scale == 0 else float(scale)
    return scale, 0.0 if offset is None or not math.isfinite(offset) else float(offset)


def open_raster(path: str, open_options: Sequence[str], name: str) -> Any:
    """Open a raster for reading; raises BadInput in one sentence when that fails or it holds no pixels."""
    require_file(path, "raster")
    try:
        dataset = gdal.OpenEx(path, gdal.OF_RASTER | gdal.OF_READONLY, open_options=list(open_options))
    except (*FAULTS, MemoryError) as error:
        archive = archive_advice(path, name)
        if archive is not None:
            raise BadInput(archive) from None
        raise BadInput(
            f"'{name}' cannot be opened as a raster ({first_line(error)}); choose a file that QGIS can show."
        ) from None
    if dataset is None:
        raise BadInput(f"'{name}' cannot be opened as a raster; choose a file that QGIS can show.")
    if dataset.RasterCount == 0:
        parts = [part[0] for part in dataset.GetSubDatasets()]
        if parts:
            raise BadInput(f"'{name}' holds {len(parts)} rasters; choose one of them, for example {parts[0]}.")
        raise BadInput(f"'{name}' has no bands; choose a raster with at least one band.")
    if dataset.RasterXSize < 1 or dataset.RasterYSize < 1:
        raise BadInput(f"'{name}' has no pixels; choose another raster.")
    for question in (dataset.GetSpatialRef, dataset.GetGeoTransform, dataset.GetMetadata):
        ask_twice(question)  # now, so that later questions are not answered with complaints about these
    return dataset


def require_file(path: str, what: str) -> None:
    """Raise BadInput for a path to nothing, and for pipes and devices, which may never end; GDAL's own pass."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        if path.startswith("/vsi") or ":" in path[2:] or path.lstrip().startswith("<"):
            return
        raise BadInput(f"There is no {what} '{path}'; check the path.") from None
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise BadInput(f"'{path}' is not a file; choose a {what} file.")


def _band_info(index: int, band: Any) -> BandInfo:
    kind = "complex" if gdal.DataTypeIsComplex(band.DataType) else gdal.GetDataTypeName(band.DataType).lower()
    return BandInfo(
        index=index,
        description=text(band.GetDescription())[:200],
        dtype={"byte": "uint8"}.get(kind, kind),
        wavelength_um=_wavelength_um(band),
        colour={
            gdal.GCI_RedBand: "red",
            gdal.GCI_GreenBand: "green",
            gdal.GCI_BlueBand: "blue",
        }.get(band.GetColorInterpretation(), ""),
    )


def _wavelength_um(band: Any) -> float | None:
    """Centre wavelength from ENVI's or GDAL's band metadata, in micrometres."""
    tags = {name.lower(): value for name, value in _tags(band).items()}
    imagery = {name.lower(): value for name, value in _tags(band, "IMAGERY").items()}
    wavelength = imagery.get("central_wavelength_um") or tags.get("central_wavelength_um")
    factor = 1.0
    if wavelength is None:
        wavelength = tags.get("wavelength") or tags.get("central_wavelength") or tags.get("center_wavelength")
        factor = 1e-3 if "nano" in tags.get("wavelength_units", "").lower() else 1.0
    try:
        value = float(wavelength) * factor if wavelength else math.nan
    except ValueError:
        return None
    if value > 100:  # nanometres without saying so
        value *= 1e-3
    return value if 0.2 < value < 20 else None


def _tags(described: Any, domain: str = "") -> dict[str, str]:
    """Metadata of a dataset or band as text."""
    found = ask_twice(lambda: described.GetMetadata(domain)) or {}
    return {text(name): text(value) for name, value in found.items()}
