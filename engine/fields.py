"""Words, errors and options that jobs are made of: slots, units, parsers and checks (standard library only)."""

import dataclasses
import datetime
import math
import os
import re
from dataclasses import field
from typing import Any, Callable, Optional, Tuple

SLOTS = ("coastal", "blue", "green", "red", "nir", "swir1", "swir2", "vv", "vh")
"""Canonical band slots: seven of reflectance, then backscatter VV and VH."""

OPTICAL_SLOTS = SLOTS[:7]
SAR_SLOTS = SLOTS[7:]
UNUSED = "-"

UNITS = ("reflectance", "reflectance*10000", "reflectance*10000-1000", "landsat-c2", "byte", "db", "linear", "raw")
SENSORS = (
    "sentinel-1",
    "sentinel-2-l1c",
    "sentinel-2-l2a",
    "landsat-5",
    "landsat-7",
    "landsat-8",
    "landsat-9",
    "planetscope",
    "rgb",
)
HAZARDS = ("flood", "landslide", "glacier_collapse")
"""The hazards of the bundled models; another model's card may name more."""

ARCHITECTURES = ("unet", "unetplusplus", "attention_unet", "residual_unet")
OPTIMIZERS = ("adam", "adamw")
BACKENDS = ("auto", "torch", "openvino", "onnxruntime", "cuda-graph", "torch-compile")
"""What computes a network: ``auto`` is the fastest of those installed, as measured on the machine."""
ADAPTATION_MODES = ("constraint", "adversarial", "literal", "statistics")
"""Ways to adapt to a scene; see ``adaptation.objectives``."""
SIMULATED = "simulated"
"""Name of the source of training data that needs no files."""

NOT_ASSESSED = 255
"""Value of mask and probability where nothing can be said."""


class HazardError(Exception):
    """Root of all errors the user is told about; ``code`` travels in a ``failed`` event."""

    code = "internal"


class BadInput(HazardError, ValueError):
    """The request cannot be carried out as it stands; the message says found, expected, remedy."""

    code = "bad_input"


class OutputFailed(BadInput, OSError):
    """An output could not be written (exists, unwritable folder, full disk); nothing was left behind."""

    code = "output"


class Cancelled(HazardError):
    """The user cancelled; nothing was published."""

    code = "cancelled"


def option(
    default: Any = None,
    *,
    help: str,
    flag: Optional[str] = None,
    choices: Optional[Tuple[str, ...]] = None,
    metavar: Optional[str] = None,
    parse: Optional[Callable[[str], Any]] = None,
    required: bool = False,
    positional: bool = False,
) -> Any:
    """Declare one field of a job: its default and all that the command line and the dock need to offer it."""
    metadata = {
        "help": help,
        "flag": flag,
        "choices": choices,
        "metavar": metavar,
        "parse": parse,
        "required": required,
        "positional": positional,
    }
    return field(default=default, metadata=metadata)


def parse_bands(text: str) -> Tuple[str, ...]:
    """``"blue,green,-,nir"`` to slots, one a raster band; raises BadInput for an unknown slot or one named twice."""
    slots = tuple(part.strip().lower() for part in text.split(","))
    return validate_bands(slots)


def validate_bands(slots: Tuple[str, ...]) -> Tuple[str, ...]:
    """Return ``slots`` if each is known, none but ``-`` repeats and one at least is used; raise BadInput otherwise."""
    used = [slot for slot in slots if slot != UNUSED]
    for slot in used:
        if slot not in SLOTS:
            raise BadInput(f"Band slot '{slot}' is not known; use one of {', '.join(SLOTS)}, or - for an unused band.")
        if used.count(slot) > 1:
            raise BadInput(f"Band slot '{slot}' is given to {used.count(slot)} bands; give each slot to one band.")
    if not used:
        raise BadInput(f"No band is used; give at least one band a slot out of {', '.join(SLOTS)}.")
    return slots


def parse_extent(text: str) -> Tuple[float, float, float, float]:
    """``"xmin,ymin,xmax,ymax"`` to four numbers; raises BadInput unless finite and min < max."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 4:
        raise BadInput(f"Extent '{text}' is not four numbers; expected xmin,ymin,xmax,ymax in the raster's CRS.")
    return validate_extent(numbers)


def validate_extent(extent: Tuple[float, ...]) -> Tuple[float, float, float, float]:
    """Return the extent if it is four finite numbers with min < max; raise BadInput otherwise."""
    if len(extent) != 4 or not all(isinstance(v, (int, float)) and math.isfinite(v) for v in extent):
        raise BadInput(f"Extent {extent} is not four finite numbers; expected xmin,ymin,xmax,ymax.")
    xmin, ymin, xmax, ymax = (float(v) for v in extent)
    if not (xmin < xmax and ymin < ymax):
        raise BadInput(
            f"Extent {xmin},{ymin},{xmax},{ymax} is empty; expected xmin < xmax and ymin < ymax in the raster's CRS."
        )
    return xmin, ymin, xmax, ymax


def parse_codes(text: str) -> Tuple[int, ...]:
    """``"1,2"`` to whole numbers, ``""`` to none; raises BadInput otherwise."""
    if not text.strip():
        return ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"'{text}' is not a list of whole numbers; expected for example 1 or 1,2.") from None


def parse_names(text: str) -> Tuple[str, ...]:
    """``"flood,landslide"`` to names, blanks and empty ones left out."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def parse_date(text: str) -> str:
    """``"2025-05-28"`` to itself; raises BadInput for anything else than a day, year first."""
    try:
        return datetime.date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise BadInput(f"'{text}' is not a date; expected year, month and day, for example 2025-05-28.") from None


def parse_scene_date(text: str) -> str:
    """A day as ``parse_date`` takes it; raises BadInput for one that is still to come, too."""
    day = parse_date(text)
    latest = datetime.date.today() + datetime.timedelta(days=1)  # it may be tomorrow where the scene was taken
    if datetime.date.fromisoformat(day) > latest:
        raise BadInput(f"The date {day} lies in the future; expected the day on which the scene was taken.")
    return day


def check_device(device: str) -> None:
    """Raise BadInput unless ``device`` names one."""
    if device not in ("auto", "cpu", "mps", "cuda") and not (device.startswith("cuda:") and device[5:].isdigit()):
        raise BadInput(f"Device '{device}' is not known; expected auto, cpu, cuda:0 or mps.")


def require(job: Any) -> None:
    """Raise BadInput if a required field of the job is empty."""
    for spec in dataclasses.fields(job):
        value = getattr(job, spec.name)
        if spec.metadata.get("required") and (not isinstance(value, str) or not value.strip()):
            raise BadInput(f"No {spec.name} is given; expected {spec.metadata['help']}.")


def check_choice(name: str, value: Optional[str], choices: Tuple[str, ...]) -> None:
    """Raise BadInput unless ``value`` is None or one of ``choices``."""
    if value is not None and value not in choices:
        raise BadInput(f"{name} '{value}' is not known; use one of {', '.join(choices)}.")


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise BadInput unless ``value`` is a number from ``low`` to ``high``."""
    if not (math.isfinite(value) and low <= value <= high):
        raise BadInput(f"{name} {value:g} is out of range; expected {low:g} to {high:g}.")


_REMOTE = re.compile(
    r"/vsi(curl|s3|gs|az|adls|oss|swift|hdfs|webhdfs)|\b(?!file:)[a-z][a-z0-9+.-]+://|^(\\\\|//)[^\\/]"
    r"|\b(pg|mysql|mssql|odbc|oci|pgeo|postgresql|wms|wcs|wfs|wmts|oapif|ogcapi|plmosaic|plscenes|daas|eedai?|ngw):",
    re.IGNORECASE,
)


def is_remote(name: str) -> bool:
    """Whether a name, or a message that quotes one, means something on another machine."""
    return _REMOTE.search(name) is not None


def can_be_written(value: Any) -> bool:
    """Whether texts are such that a file system, a tag or a log could hold them."""
    if isinstance(value, tuple):
        return all(can_be_written(part) for part in value)
    try:
        return not isinstance(value, str) or b"\0" not in value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False


def same_path(a: str, b: str) -> bool:
    """Whether two names mean the same file, links followed."""
    try:
        return os.path.normcase(os.path.realpath(a)) == os.path.normcase(os.path.realpath(b))
    except ValueError:  # a name that no file can have
        return False
