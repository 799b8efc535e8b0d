"""The jobs on a scene: look at it, segment it, adapt a model to it (standard library only)."""

import math
import os
from dataclasses import dataclass
from typing import Optional, Tuple

from .fields import (
    ADAPTATION_MODES,
    BACKENDS,
    HAZARDS,
    OPTIMIZERS,
    SENSORS,
    SLOTS,
    UNITS,
    BadInput,
    check_choice,
    check_device,
    check_range,
    option,
    parse_bands,
    parse_extent,
    parse_scene_date,
    require,
    same_path,
    validate_bands,
    validate_extent,
)

SEEDS = (-4_000_000_000, 4_000_000_000)
"""Seeds are multiplied to keep runs apart; larger ones would leave what a random generator takes."""


@dataclass(frozen=True)
class SceneJob:
    """What every operation on a scene is told about it."""

    raster: str = option("", help="the scene: any raster GDAL opens", metavar="R", required=True)
    bands: Optional[Tuple[str, ...]] = option(
        help="one slot a raster band, in order: %s, - = unused" % ", ".join(SLOTS), metavar="SLOTS", parse=parse_bands
    )
    sensor: Optional[str] = option(help="band preset of this sensor", choices=SENSORS, metavar="NAME")
    units: Optional[str] = option(
        help="units of the pixel values; found out when not given", choices=UNITS, metavar="NAME"
    )
    gsd_m: Optional[float] = option(
        help="ground sampling distance in metres, where the CRS does not say it", metavar="G", parse=float
    )
    extent: Optional[Tuple[float, float, float, float]] = option(
        help="part of the scene, in the raster's CRS, snapped outward to whole pixels",
        metavar="xmin,ymin,xmax,ymax",
        parse=parse_extent,
    )
    crs: Optional[str] = option(help="CRS (WKT or EPSG:n) to use instead of the raster's own", metavar="CRS")
    open_options: Tuple[str, ...] = option(
        (),
        help="GDAL open options, NAME=VALUE separated by commas",
        metavar="OPTIONS",
        parse=lambda t: tuple(t.split(",")),
    )

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        require(self)
        if self.bands is not None:
            validate_bands(self.bands)
        if self.extent is not None:
            validate_extent(self.extent)
        check_choice("Sensor", self.sensor, SENSORS)
        check_choice("Units", self.units, UNITS)
        if self.gsd_m is not None and not (math.isfinite(self.gsd_m) and 0 < self.gsd_m <= 100_000):
            raise BadInput(f"Ground sampling distance {self.gsd_m} is not a length in metres; expected more than 0.")


@dataclass(frozen=True)
class InspectJob(SceneJob):
    """Say how a scene's bands, units and grid are understood."""


@dataclass(frozen=True)
class PairJob(SceneJob):
    """A scene, and if there is one, a scene of the same place from before the event."""

    before: Optional[str] = option(
        help="a scene of the same place from before the event, on any grid: what is new is then looked for",
        metavar="R",
    )
    before_bands: Optional[Tuple[str, ...]] = option(
        help="one slot a band of the scene before, in order", metavar="SLOTS", parse=parse_bands
    )
    before_units: Optional[str] = option(
        help="units of the scene before; found out when not given", choices=UNITS, metavar="NAME"
    )
    before_sensor: Optional[str] = option(
        help="band preset of the sensor of the scene before", choices=SENSORS, metavar="NAME"
    )
    before_date: Optional[str] = option(
        help="day of the scene before; found out when not given", metavar="D", parse=parse_scene_date
    )
    before_name: Optional[str] = option(
        help="name of the scene before, to be recorded; that of its file when not given", metavar="NAME"
    )

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        super().__post_init__()
        told = (self.before_bands, self.before_units, self.before_sensor, self.before_date, self.before_name)
        if self.before is None:
            if any(value is not None for value in told):
                raise BadInput("Bands, units, sensor, date or name of a scene before need that scene; add --before.")
            return
        if same_path(self.before, self.raster):
            raise BadInput(f"The scene before is '{self.before}', the scene itself; choose the earlier one of the two.")
        if self.before_bands is not None:
            validate_bands(self.before_bands)
        check_choice("Units", self.before_units, UNITS)
        check_choice("Sensor", self.before_sensor, SENSORS)
        if self.before_date is not None:
            parse_scene_date(self.before_date)


@dataclass(frozen=True)
class SegmentJob(PairJob):
    """Segment one hazard in one scene."""

    hazard: str = option("", help="hazard to look for, as named in the model's card", metavar="HAZARD", required=True)
    mask: str = option(
        "", help="mask to write (GeoTIFF: 0 none, 1 hazard, 255 not assessed)", metavar="OUT", required=True
    )
    model: Optional[str] = option(
        help="model name or folder; the hazard's default when not given", metavar="NAME|FOLDER"
    )
    probability: Optional[str] = option(help="probability to write (GeoTIFF, 0-100 %%, 255 not assessed)", metavar="P")
    area: Optional[str] = option(help="polygons (any vector file) to which the assessment is limited", metavar="VECTOR")
    threshold: Optional[float] = option(
        help="decision threshold between 0 and 1; the card's own when not given", metavar="T", parse=float
    )
    date: Optional[str] = option(
        help="day of the scene, to be recorded; found out when not given", metavar="D", parse=parse_scene_date
    )
    scene_name: Optional[str] = option(
        help="name of the scene, to be recorded; that of its file when not given", metavar="NAME"
    )
    device: str = option("auto", help="auto, cpu, cuda:N or mps", metavar="DEVICE")
    batch_size: Optional[int] = option(
        help="windows predicted together; chosen for the device when not given", metavar="N", parse=int
    )
    backend: str = option("auto", help="what computes the network, auto is the fastest", choices=BACKENDS)
    overwrite: bool = option(False, help="replace outputs that exist")
    preview: Optional[str] = option(
        help="folder for a first estimate, refined meanwhile, and for what a cancelled run has finished (see keep)",
        metavar="FOLDER",
    )
    preview_extent: Optional[Tuple[float, float, float, float]] = option(
        help="what to estimate first, in the raster's CRS; all of it when not given",
        metavar="xmin,ymin,xmax,ymax",
        parse=parse_extent,
    )

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        super().__post_init__()
        if self.preview is not None and not os.path.isdir(self.preview):
            raise BadInput(f"The folder '{self.preview}' for a first estimate does not exist; create it.")
        if self.preview_extent is not None:
            validate_extent(self.preview_extent)
        if self.threshold is not None and not (math.isfinite(self.threshold) and 0 < self.threshold < 1):
            raise BadInput(f"Threshold {self.threshold} is out of range; expected a number between 0 and 1.")
        if self.batch_size is not None and not 1 <= self.batch_size <= 1024:
            raise BadInput(f"Batch size {self.batch_size} is out of range; expected 1 to 1024.")
        check_choice("Backend", self.backend, BACKENDS)
        if self.date is not None:
            parse_scene_date(self.date)
        check_device(self.device)
        outputs = [("mask", self.mask)] + ([("probability", self.probability)] if self.probability else [])
        for name, path in outputs:
            if os.path.splitext(path)[1].lower() not in (".tif", ".tiff"):
                raise BadInput(
                    f"The {name} is to be '{path}', but only GeoTIFF is written; choose a name ending in .tif."
                )
            if same_path(path, self.raster) or (self.before and same_path(path, self.before)):
                raise BadInput(f"The {name} would replace the scene '{path}' itself; choose another name.")
        if self.probability and same_path(os.path.splitext(self.mask)[0], os.path.splitext(self.probability)[0]):
            raise BadInput(f"Mask and probability are both to be '{self.mask}' (or share its style); choose two names.")


@dataclass(frozen=True)
class AdaptJob(PairJob):
    """Adapt a model to the visible unlabelled scene and save what changed as a model of its own."""

    hazard: str = option("", help="hazard to adapt for, as named in the model's card", metavar="HAZARD", required=True)
    model: Optional[str] = option(
        help="model name or folder; the hazard's default when not given", metavar="NAME|FOLDER"
    )
    save: str = option("", help="name or folder of the adapted model to write", metavar="NAME|FOLDER", required=True)
    area: Optional[str] = option(help="polygons (any vector file) to learn from", metavar="VECTOR")
    mode: str = option("constraint", help="objective", choices=ADAPTATION_MODES)
    prior: Optional[str] = option(
        help="hazard whose physics guides, where it is not the one adapted for: a hazard that the model never saw is "
        "adapted for as 'any'",
        choices=HAZARDS,
    )
    backward_weight: float = option(0.1, flag="lambda", help="weight of the backward mapping", metavar="L", parse=float)
    auxiliary_weight: float = option(
        0.02, flag="mu", help="weight of the scene's characteristics", metavar="M", parse=float
    )
    budget_s: float = option(
        60.0,
        help="seconds it may take; the first look at the scene is finished in any case",
        metavar="SECONDS",
        parse=float,
    )
    steps: Optional[int] = option(
        help="gradient steps, all of them unless time, a limit or memory ends them; when not given as many as the time "
        "allows and as bring anything",
        metavar="N",
        parse=int,
    )
    candidates: Optional[int] = option(
        help="candidates without gradients, as a saved model's job says; given with steps, time ends nothing and the "
        "same model is made again; all that the time allows when not given",
        metavar="N",
        parse=int,
    )
    batch_size: Optional[int] = option(help="windows a step; 4 when not given", metavar="N", parse=int)
    learning_rate: float = option(1e-3, help="learning rate", metavar="R", parse=float)
    optimizer: str = option("adam", help="optimiser", choices=OPTIMIZERS)
    replay: Optional[str] = option(
        help="table (columns image, score, label and characteristics) of labelled chips to learn beside the scene",
        metavar="CSV",
    )
    date: Optional[str] = option(help="day of the scene; found out when not given", metavar="D", parse=parse_scene_date)
    longitude: Optional[float] = option(
        flag="lon", help="degrees east; of the extent's centre when not given", metavar="X", parse=float
    )
    latitude: Optional[float] = option(
        flag="lat", help="degrees north; of the extent's centre when not given", metavar="Y", parse=float
    )
    seed: int = option(0, help="same seed, steps and batch size, same model on a CPU", metavar="N", parse=int)
    device: str = option("auto", help="auto, cpu, cuda:N or mps", metavar="DEVICE")
    overwrite: bool = option(False, help="replace a model that exists")

    def __post_init__(self) -> None:
        """Raise BadInput unless the values can be a job of this kind."""
        super().__post_init__()
        check_choice("Mode", self.mode, ADAPTATION_MODES)
        if self.prior is not None:
            check_choice("Prior", self.prior, HAZARDS)
        check_choice("Optimiser", self.optimizer, OPTIMIZERS)
        check_range("Lambda", self.backward_weight, 0, 100)
        check_range("Mu", self.auxiliary_weight, 0, 100)
        check_range("Time budget", self.budget_s, 1, 86_400)
        check_range("Learning rate", self.learning_rate, 1e-7, 1)
        check_range("Seed", self.seed, *SEEDS)
        for name, value, low, high in (
            ("Number of steps", self.steps, 0, 1_000_000),
            ("Number of candidates", self.candidates, 0, 1_000),
            ("Batch size", self.batch_size, 1, 1024),
            ("Longitude", self.longitude, -180, 180),
            ("Latitude", self.latitude, -90, 90),
        ):
            if value is not None:
                check_range(name, value, low, high)
        if (self.longitude is None) != (self.latitude is None):
            raise BadInput("Longitude and latitude are only known together; give both or neither.")
        if self.date is not None:
            parse_scene_date(self.date)
        check_device(self.device)
