"""The job that segments an archive: many scenes, one request, a frozen dataclass (standard library only)."""

import math
import os
from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from .delivery_jobs import check_ending, check_not_same
from .fields import (
    BACKENDS,
    SENSORS,
    SLOTS,
    UNITS,
    BadInput,
    check_choice,
    check_device,
    check_range,
    option,
    parse_bands,
    parse_names,
    require,
    same_path,
    validate_bands,
)

MOST_WORKERS = 1024
DEFAULT_PATTERN = ("*.tif", "*.tiff", "*.jp2", "*.img", "*.vrt")
"""Names of files that are taken for scenes in a folder."""


@dataclass(frozen=True)
class ArchiveJob:
    """Segment one hazard in every scene of an archive, on several workers, into masks and one table of results."""

    scenes: str = option(
        "",
        help="folder of scenes, text file with one scene a line, or STAC item collection (a JSON file)",
        metavar="FOLDER|LIST|STAC",
        required=True,
    )
    out: str = option("", help="folder to write to; made when missing", metavar="FOLDER", required=True)
    hazard: str = option("", help="hazard to look for, as named in the model's card", metavar="HAZARD", required=True)
    table: Optional[str] = option(
        help="GeoPackage with one row a scene; archive_HAZARD.gpkg in the output folder when not given", metavar="T"
    )
    model: Optional[str] = option(
        help="model name or folder; the hazard's default when not given", metavar="NAME|FOLDER"
    )
    threshold: Optional[float] = option(
        help="decision threshold between 0 and 1; the card's own when not given", metavar="T", parse=float
    )
    bands: Optional[Tuple[str, ...]] = option(
        help="one slot a band of every scene, in order: %s, - = unused" % ", ".join(SLOTS),
        metavar="SLOTS",
        parse=parse_bands,
    )
    sensor: Optional[str] = option(help="band preset of this sensor", choices=SENSORS, metavar="NAME")
    units: Optional[str] = option(
        help="units of the pixel values; found out for each scene when not given", choices=UNITS, metavar="NAME"
    )
    gsd_m: Optional[float] = option(
        help="ground sampling distance in metres, where the CRS does not say it", metavar="G", parse=float
    )
    area: Optional[str] = option(help="polygons (any vector file) to which the assessment is limited", metavar="VECTOR")
    adapt: bool = option(False, help="adapt the model to each scene first")
    budget_s: float = option(60.0, help="seconds that adapting to a scene may take", metavar="SECONDS", parse=float)
    probability: bool = option(False, help="write the probability of each scene too")
    polygons: bool = option(False, help="write the polygons of each scene too (GeoPackage)")
    minimum_area_m2: float = option(0.0, help="smallest polygon that is kept", metavar="A", parse=float)
    pattern: Tuple[str, ...] = option(
        DEFAULT_PATTERN,
        help="names of the scenes in a folder, such as *.tif,*_SR.jp2",
        metavar="GLOBS",
        parse=parse_names,
    )
    assets: Tuple[str, ...] = option(
        (),
        help="assets of each STAC item that make its scene, stacked in this order; its only raster when not given",
        metavar="NAMES",
        parse=parse_names,
    )
    remote: bool = option(False, help="scenes named by web addresses may be read over the network")
    device: str = option("auto", help="auto, cpu, cuda:N or mps", metavar="DEVICE")
    backend: str = option("auto", help="what computes the network, auto is the fastest", choices=BACKENDS)
    batch_size: Optional[int] = option(
        help="windows predicted together; chosen for the device when not given", metavar="N", parse=int
    )
    workers: Optional[int] = option(
        help="worker processes; chosen for the machine when not given, 0 works in this process without Dask",
        metavar="N",
        parse=int,
    )
    threads_per_worker: int = option(1, help="scenes that each worker works on at a time", metavar="N", parse=int)
    scheduler: Optional[str] = option(
        help="address of a Dask scheduler to use instead of workers of its own", metavar="tcp://HOST:PORT"
    )
    retries: int = option(2, help="further attempts at a scene that fails or loses its worker", metavar="N", parse=int)
    verify: bool = option(False, help="hash every scene again instead of trusting size and time of its files")
    overwrite: bool = option(False, help="replace outputs that are not from an earlier run of this archive")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        if self.bands is not None:
            validate_bands(self.bands)
        check_choice("Sensor", self.sensor, SENSORS)
        check_choice("Units", self.units, UNITS)
        check_device(self.device)
        check_choice("Backend", self.backend, BACKENDS)
        if self.threshold is not None and not (math.isfinite(self.threshold) and 0 < self.threshold < 1):
            raise BadInput(f"Threshold {self.threshold} is out of range; expected a number between 0 and 1.")
        if self.gsd_m is not None and not (math.isfinite(self.gsd_m) and 0 < self.gsd_m <= 100_000):
            raise BadInput(f"Ground sampling distance {self.gsd_m} is not a length in metres; expected more than 0.")
        check_range("Time budget", self.budget_s, 1, 86_400)
        check_range("Minimum area", self.minimum_area_m2, 0, 1e12)
        check_range("Threads of a worker", self.threads_per_worker, 1, 64)
        check_range("Retries", self.retries, 0, 100)
        for name, value, low, high in (
            ("Batch size", self.batch_size, 1, 1024),
            ("Number of workers", self.workers, 0, MOST_WORKERS),
        ):
            if value is not None:
                check_range(name, value, low, high)
        if self.scheduler is not None:
            if "://" not in self.scheduler:
                raise BadInput(f"'{self.scheduler}' is no scheduler's address; expected for example tcp://host:8786.")
            if self.workers is not None:
                raise BadInput("Both workers and a scheduler are given; a scheduler has workers of its own.")
        if self.table is not None:
            check_ending("table", self.table, (".gpkg",))
            check_not_same("table", self.table, (self.scenes, self.area))
        if not self.pattern:
            raise BadInput("No pattern is given; expected names of scenes such as *.tif.")
        if same_path(self.out, self.scenes) and os.path.isdir(self.scenes):
            raise BadInput(f"Outputs would lie among the scenes of '{self.scenes}'; choose another folder for them.")


ARCHIVE_JOBS: Dict[str, type] = {"archive": ArchiveJob}
"""Kind of job to its definition."""
