"""What the engine's set-up will install, where, how large and for which device; nothing here installs anything."""

import hashlib
import json
import os
import platform
import re
import sys
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QCoreApplication

from .engine_location import PACKAGE_FOLDER, is_program

OLDEST_PYTHON = (3, 10)
"""PyTorch's own floor."""

MB = 10**6
SPARE_MB = 300
"""What must stay free on the disk beside what is downloaded and unpacked."""

GPU_QUERY = ("nvidia-smi", "--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader")
OLD_GPU_QUERY = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
"""Drivers before about 510 do not know the field ``compute_cap``."""

FROM_PYTORCH = ("torch", "torchvision")
"""Packages that PyTorch's own index holds in a build for each device."""


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU as its driver tells of it; ``capability`` is empty where the driver is too old to say."""

    name: str
    driver: str
    capability: str


@dataclass(frozen=True)
class Build:
    """One build of PyTorch: its name on PyTorch's index, what it needs, and its size in MB."""

    name: str
    title: str
    device: str
    drivers: Dict[str, str]
    capabilities: Dict[str, List[str]]
    download_mb: int
    disk_mb: int


@dataclass(frozen=True)
class Choice:
    """The build that fits this computer, a sentence that says why, and all builds that would run here."""

    build: Build
    sentence: str
    possible: Tuple[Build, ...]


@dataclass(frozen=True)
class Plan:
    """All that a set-up needs to know.

    Attributes:
        root: folder that holds the environment, its state and its downloads.
        build: which PyTorch.
        requirements: lines of the requirements file.
        python: interpreter from which the environment is made.
        index: address of PyTorch's index, or None for the one that pip is set to.
        wheels: folder with a bundle to install from, without a network; empty if none.
        optional: requirements that the engine computes faster with on a processor, and does without.
    """

    root: str
    build: Build
    requirements: Tuple[str, ...]
    python: str
    index: Optional[str] = None
    wheels: str = ""
    optional: Tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """Tells whether a set-up that was cut off can go on with this plan."""
        told = [self.build.name, sorted(self.requirements), self.python, self.index, self.wheels, *self.optional]
        return hashlib.sha256(json.dumps(told).encode("utf-8")).hexdigest()

    def needed_bytes(self) -> int:
        """Free space that the set-up needs at its height: downloads and environment beside each other."""
        download = 0 if self.wheels else self.build.download_mb
        return (download + self.build.disk_mb + SPARE_MB) * MB

    def torch_requirements(self) -> List[str]:
        """Requirements that come from PyTorch's index."""
        return [line for line in self.requirements if name_of(line) in FROM_PYTORCH]

    def for_build(self, build: Build, index: Optional[str]) -> "Plan":
        """The same plan for another build."""
        return replace(self, build=build, index=index)


def read_catalogue() -> Dict[str, Any]:
    """The table of builds that came with the engine."""
    with open(os.path.join(PACKAGE_FOLDER, "engine", "builds.json"), encoding="utf-8") as file:
        found: Dict[str, Any] = json.load(file)
    return found


def read_builds() -> List[Build]:
    """Every build, best first."""
    return [Build(**entry) for entry in read_catalogue()["builds"]]


def build_named(name: str) -> Build:
    """The build of this name; raises KeyError."""
    return {build.name: build for build in read_builds()}[name]


def pytorch_index(build: Build) -> Optional[str]:
    """Address of the part of PyTorch's index that holds this build; None where the package index has it."""
    return None if build.device == "mps" or this_system() == "macos" else f"{read_catalogue()['index']}{build.name}"


def read_requirements(name: str = "requirements.txt") -> Tuple[str, ...]:
    """What the engine needs, one package a line with its version; of another file, what else it can use."""
    with open(os.path.join(PACKAGE_FOLDER, "engine", name), encoding="utf-8") as file:
        lines = [line.split("#")[0].strip() for line in file]
    return tuple(line for line in lines if line)


def name_of(requirement: str) -> str:
    """Package of a requirement, in pip's normal form."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~;\[]", requirement.strip(), maxsplit=1)[0]).lower()


def this_system() -> str:
    """``linux``, ``windows`` or ``macos``."""
    return {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")


def this_machine() -> str:
    """``x86_64`` or ``aarch64``, however the system spells it."""
    spelt = platform.machine().lower()
    return {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}.get(spelt, spelt)


def parse_gpus(text: str) -> List[Gpu]:
    """GPUs in the answer of nvidia-smi; lines that are no table row (errors) are passed over."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) >= 2 and re.fullmatch(r"\d+(\.\d+)+", cells[1]):
            capability = cells[2] if len(cells) > 2 and re.fullmatch(r"\d+\.\d+", cells[2]) else ""
            found.append(Gpu(cells[0], cells[1], capability))
    return found


def choose_build(gpus: Sequence[Gpu], system: str, machine: str, builds: Optional[Sequence[Build]] = None) -> Choice:
    """The best build for what was found, and why."""
    known = {build.name: build for build in (read_builds() if builds is None else builds)}
    cpu = known["cpu"]
    if system == "macos":
        if machine == "aarch64":
            return Choice(known["mps"], tr("This Mac's own GPU computes (Metal)."), (known["mps"], cpu))
        text = tr("PyTorch has had no builds for Macs with Intel chips since 2.3; use an existing Python that has one.")
        return Choice(cpu, text, (cpu,))
    if not gpus:
        return Choice(
            cpu, tr("No NVIDIA driver was found (nvidia-smi does not answer); the processor computes."), (cpu,)
        )
    cuda = [build for build in known.values() if build.device == "cuda"]
    for gpu in sorted(gpus, key=lambda gpu: as_numbers(gpu.capability), reverse=True):
        fits = [build for build in cuda if runs_on(build, gpu, system, machine)]
        if fits:
            text = tr("{gpu} (driver {driver}, compute capability {capability}) runs {build}.")
            sentence = text.format(gpu=gpu.name, driver=gpu.driver, capability=gpu.capability, build=fits[0].title)
            return Choice(fits[0], sentence, (*fits, cpu))
    return Choice(cpu, why_not(gpus, cuda, system, machine), (cpu,))


def why_not(gpus: Sequence[Gpu], cuda: Sequence[Build], system: str, machine: str) -> str:
    """Why the best of these GPUs cannot be used, and what would help."""
    gpu = max(gpus, key=lambda gpu: as_numbers(gpu.capability))
    able = [build for build in cuda if has_kernels(build, gpu.capability, machine)]
    wanted = (able or list(cuda))[-1].drivers.get(system, "")
    if able or not gpu.capability:
        text = tr("The driver {driver} of {gpu} is too old; update it to {wanted} or later to use the GPU. Until then "
                  "the processor computes.")  # fmt: skip
        return text.format(driver=gpu.driver, gpu=gpu.name, wanted=wanted)
    text = tr("{gpu} has compute capability {capability}, for which PyTorch has no build; the processor computes.")
    return text.format(gpu=gpu.name, capability=gpu.capability)


def runs_on(build: Build, gpu: Gpu, system: str, machine: str) -> bool:
    """Whether driver and compute capability of a GPU suffice for a build."""
    wanted = build.drivers.get(system)
    if wanted is None or as_numbers(gpu.driver) < as_numbers(wanted):
        return False
    return has_kernels(build, gpu.capability, machine)


def has_kernels(build: Build, capability: str, machine: str) -> bool:
    """Whether a build holds code for a compute capability: that of the same major and no later minor number runs."""
    if not capability:
        return False
    major, minor = as_numbers(capability)[:2]
    listed = [as_numbers(one) for one in build.capabilities.get(machine, [])]
    return any(one[0] == major and one[1] <= minor for one in listed)


def as_numbers(version: str) -> Tuple[int, ...]:
    """``580.65.06`` as numbers that compare."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


def qgis_python() -> str:
    """The interpreter of QGIS's own Python; empty if it is not where it should be.

    ``sys.executable`` names QGIS itself on Windows and macOS, so the folders of the installation are searched.
    """
    version = "{}.{}".format(*sys.version_info[:2])
    base = getattr(sys, "base_exec_prefix", sys.exec_prefix)
    if os.name == "nt":
        candidates = [os.path.join(folder, "python.exe") for folder in (base, sys.exec_prefix)]
    else:
        folders = [os.path.join(folder, "bin") for folder in (base, sys.exec_prefix)]
        folders.append(os.path.join(os.path.dirname(sys.executable or ""), "bin"))  # QGIS.app/Contents/MacOS/bin
        candidates = [os.path.join(folder, name) for folder in folders for name in (f"python{version}", "python3")]
    return next((path for path in candidates if is_program(path)), "")


def size_text(megabytes: float) -> str:
    """A size as people read it; rough by intention."""
    return tr("{size:.1f} GB").format(size=megabytes / 1000) if megabytes >= 1000 else f"{megabytes:.0f} MB"


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("SetupPlan", text)
