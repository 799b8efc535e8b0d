"""Labelled scenes decoded once and kept as shards, which later steps, runs and processes read by memory map.

A shard holds a few dozen scenes as tensors (safetensors). Its name says of which data, read how, and which scenes it
is; it is written under another name and renamed, so that a shard that exists is complete: whoever builds a cache again
goes on where it was left. Scenes are exactly those that the data themselves give.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
import shutil
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor

from .learning import Data
from .prefetch import prepared
from .protocol import BadInput, LearningJob, OutputFailed
from .reporting import Report
from .samples import Characteristics, LabelledData, LabelledScene
from .simulate.chips import Batch

VERSION = 1
SCENES_A_SHARD = 32
MOST_OPEN = 64
"""Shards that a process keeps mapped at a time."""
RESERVED_BYTES = 1 << 30
"""Of the disk, left free."""
FILES_LOOKED_AT = 20_000
"""Files whose size and date tell whether data have changed; looking at millions would take longer than reading."""
PREPARING = (0.0, 0.05)
"""Share of a run spent before its first step."""
SUFFIX = ".safetensors"


@dataclass
class ShardedData:
    """Labelled data of which some scenes are read from shards, the others as before.

    Attributes:
        data: where the scenes come from.
        folder: of the shards.
        numbers: scenes that are in shards, in the order of the shards.
    """

    data: LabelledData
    folder: Path
    numbers: Sequence[int]
    _places: dict[int, int] = field(default_factory=dict, repr=False)
    _open: OrderedDict[int, tuple[Any, list[dict[str, Any]]]] = field(default_factory=OrderedDict, repr=False)

    def __post_init__(self) -> None:
        """Remember where each scene is."""
        self._places = {number: place for place, number in enumerate(self.numbers)}
        self.name, self.licence, self.hazards = self.data.name, self.data.licence, self.data.hazards

    def __getstate__(self) -> dict[str, Any]:
        """Maps of files do not travel to other processes."""
        return {**self.__dict__, "_open": OrderedDict()}

    def __len__(self) -> int:
        """Number of scenes found."""
        return len(self.data)

    def split(self, seed: int) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """As the data split."""
        return self.data.split(seed)

    def read(self, number: int) -> LabelledScene:
        """One scene; raises BadInput where the data would."""
        place = self._places.get(number)
        if place is None:
            return self.data.read(number)
        shard, at = divmod(place, SCENES_A_SHARD)
        path = self.folder / shard_name(shard)
        try:
            mapped, told = self._mapped(shard, path)
            return _scene_of(mapped, told[at], at)
        except (safetensors.SafetensorError, OSError, KeyError, ValueError) as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput(f"The cache {path} is damaged or gone; delete {self.folder} and start again.") from None

    def _mapped(self, shard: int, path: Path) -> tuple[Any, list[dict[str, Any]]]:
        if shard in self._open:
            self._open.move_to_end(shard)
        else:
            mapped = safetensors.safe_open(str(path), framework="pt")
            self._open[shard] = mapped, json.loads(mapped.metadata()["scenes"])  # type: ignore[no-untyped-call]
            if len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
        return self._open[shard]


@dataclass
class _Maker:
    """Writes shard after shard, in the processes that else prepare batches; what is there already stays."""

    data: LabelledData
    folder: Path
    numbers: Sequence[int]

    def batch(self, step: int) -> Batch:
        """Write shard ``step``, if there is one; how many bytes it has is handed on in place of chips."""
        numbers = self.numbers[step * SCENES_A_SHARD : (step + 1) * SCENES_A_SHARD]
        path = self.folder / shard_name(step)
        if len(numbers) and not path.exists():
            _write(path, [_read(self.data, int(number)) for number in numbers])
        size = path.stat().st_size if len(numbers) else 0
        nothing = torch.empty(0)
        return Batch(nothing, nothing, nothing, artificial=torch.tensor(size))


def with_cache(job: LearningJob, data: Data | None, report: Report) -> Data | None:
    """Data read through the job's cache, which is built first as far as it is not there; as they are without one.

    Raises:
        BadInput: nothing is to be decoded: scenes are simulated.
        OutputFailed: the cache cannot be written, or the disk does not hold it.
        Cancelled: the report said so; what was decoded is there the next time.
    """
    if job.cache is None:
        return data
    if data is None:
        raise BadInput("Simulated scenes are made, not decoded: --cache is for a folder of training data; drop it.")
    numbers = [int(number) for number in (*data.train, *data.validation)]
    folder = Path(os.path.abspath(job.cache)) / cache_key(job, data)
    report.stage("Decoding scenes")
    kept = build(data.source, numbers, folder, job.cache_gb * 1e9, job.workers, report)
    if kept < len(numbers):
        report.log(f"{kept} of {len(numbers)} scenes fit {job.cache_gb:g} GB of cache; the others are decoded anew.")
    notes = list(data.notes)
    return dataclasses.replace(data, source=ShardedData(data.source, folder, numbers[:kept]), notes=notes)


def source_of(data: LabelledData) -> LabelledData:
    """The data behind a cache; themselves without one."""
    return data.data if isinstance(data, ShardedData) else data


def build(
    data: LabelledData, numbers: Sequence[int], folder: Path, most_bytes: float, workers: int, report: Report
) -> int:
    """Write the shards of some scenes that are not there yet; how many of the scenes are in shards then.

    Those that fit ``most_bytes`` are taken, by the size of the first shard; they are looked for on the disk before
    anything else is decoded.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob(".*.partial"):
            if not _alive(unfinished):
                unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise OutputFailed(f"{folder} cannot be written ({error.strerror}); choose another folder.") from None
    maker = _Maker(data, folder, numbers)
    total = -(-len(numbers) // SCENES_A_SHARD)
    first = int(cast(Tensor, maker.batch(0).artificial))
    shards = max(0, min(total, int(most_bytes // first)))
    if shards == 0:
        return 0
    there = sum((folder / shard_name(index)).exists() for index in range(shards))
    _require_room(folder, (shards - there) * first)
    if there < shards:
        maker = _Maker(data, folder, numbers[: shards * SCENES_A_SHARD])
        with prepared(maker, 0, 1, workers, report, False) as made:
            for done, item in enumerate(itertools.islice(made, shards)):
                if isinstance(item, Exception):
                    raise item
                report.progress((done + 1) / shards, *PREPARING)
    return min(len(numbers), shards * SCENES_A_SHARD)


def cache_key(job: LearningJob, data: Data) -> str:
    """Name of the shards of some data read in some way: another one where data, reading or split differ."""
    read_how = {name: getattr(job, name, None) for name in ("hazard", "positive", "ignore", "bands", "units", "gsd_m")}
    told = {
        "version": VERSION,
        "folder": os.path.realpath(job.data),
        "data": data.source.name,
        "scenes": len(data.source),
        "numbers": hashlib.sha256(repr([*data.train, *data.validation]).encode()).hexdigest(),
        "files": _fingerprint(Path(job.data), os.path.realpath(job.cache or "")),
        "how": read_how,
        "shard": SCENES_A_SHARD,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=list).encode()).hexdigest()[:20]


def shard_name(index: int) -> str:
    """File of a shard."""
    return f"{index:06d}{SUFFIX}"


def _fingerprint(folder: Path, cache: str) -> str:
    """Of names, sizes and dates of the first files of a folder; a cache in it does not count."""
    digest = hashlib.sha256()
    for path, status in itertools.islice(_files(folder, cache), FILES_LOOKED_AT):
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(folder: Path, cache: str) -> Iterator[tuple[str, os.stat_result]]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if os.path.realpath(os.path.join(place, name)) != cache)
        for name in sorted(names):
            path = os.path.join(place, name)
            with suppress(OSError):
                yield os.path.relpath(path, folder), os.stat(path)


def _require_room(folder: Path, needed: int) -> None:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise OutputFailed(f"{folder} cannot be written ({error.strerror}); choose another folder.") from None
    if free < needed + RESERVED_BYTES:
        raise OutputFailed(
            f"The disk of {folder} has {free / 1e9:.1f} GB free, the cache needs about {needed / 1e9:.1f} GB and 1 GB "
            "is left free; free some space, choose another --cache, or fewer --cache-gb."
        )


def _read(data: LabelledData, number: int) -> LabelledScene | str:
    """A scene, or why it cannot be read."""
    try:
        return data.read(number)
    except BadInput as error:
        return str(error)


def _write(path: Path, scenes: Sequence[LabelledScene | str]) -> None:
    tensors: dict[str, Tensor] = {}
    told: list[dict[str, Any]] = []
    for at, scene in enumerate(scenes):
        if isinstance(scene, str):
            told.append({"error": scene})
            continue
        parts = {"values": scene.values, "valid": scene.valid, "surface": scene.surface}
        parts |= {f"label {name}": labels for name, labels in scene.labels.items()}
        # Cloned: parts of one tensor would be refused as shared.
        tensors |= {f"{at} {name}": part.contiguous().clone() for name, part in parts.items() if part is not None}
        told.append(
            {
                "slots": scene.slots,
                "absolute": scene.absolute,
                "labels": list(scene.labels),
                "surface": scene.surface is not None,
                "artificial": scene.artificial,
                "characteristics": dataclasses.asdict(scene.characteristics),
                "gsd_m": scene.gsd_m,
                "name": scene.name,
                "scene_range": scene.scene_range,
            }
        )
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        save_file(tensors, str(partial), {"scenes": json.dumps(told)})
        os.replace(partial, path)
    except (OSError, safetensors.SafetensorError) as error:  # the latter tells of a full disk
        partial.unlink(missing_ok=True)
        raise OutputFailed(
            f"The cache {path} cannot be written ({str(error).splitlines()[0][:120]}); free some space, or choose "
            "another folder."
        ) from None


def _scene_of(shard: Any, told: dict[str, Any], at: int) -> LabelledScene:
    if "error" in told:
        raise BadInput(told["error"])
    span = told["scene_range"]
    return LabelledScene(
        slots=tuple(told["slots"]),
        values=shard.get_tensor(f"{at} values"),
        valid=shard.get_tensor(f"{at} valid"),
        absolute=told["absolute"],
        labels={name: shard.get_tensor(f"{at} label {name}") for name in told["labels"]},
        surface=shard.get_tensor(f"{at} surface") if told["surface"] else None,
        artificial=told["artificial"],
        characteristics=Characteristics(**told["characteristics"]),
        gsd_m=told["gsd_m"],
        name=told["name"],
        scene_range=None if span is None else (tuple(span[0]), tuple(span[1])),
    )


def _alive(partial: Path) -> bool:
    """Whether the process that writes an unfinished shard is still there."""
    try:
        os.kill(int(partial.name.split(".")[-2]), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True
