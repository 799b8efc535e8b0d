"""Takes a model out of a folder or zip that nobody vouches for: three named files, bounded, checked, nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from .cards import CARD, CARD_LIMIT_BYTES, CHECKSUMS, WEIGHTS, WEIGHTS_LIMIT_BYTES
from .protocol import BadInput

LIMITS = {CARD: CARD_LIMIT_BYTES, WEIGHTS: WEIGHTS_LIMIT_BYTES, CHECKSUMS: 10_000}
"""Files that make up a model, and how large each may be."""
PACKAGE_LIMIT_BYTES = WEIGHTS_LIMIT_BYTES + 2 * CARD_LIMIT_BYTES
MOST_ENTRIES = 64
DIRECTORY_LIMIT_BYTES = 64_000
HIGHEST_RATIO = 100
"""How many times larger than packed a file of more than ``RATIO_FROM_BYTES`` may become."""
RATIO_FROM_BYTES = 2_000_000
HEADER_LIMIT_BYTES = 10_000_000
MOST_TENSORS = 20_000
STEP_BYTES = 1 << 20

_IGNORED = re.compile(r"(readme|licen[cs]e|notice|copying)(\.(md|txt|rst))?|\.ds_store|thumbs\.db|desktop\.ini", re.I)
_RUNS_CODE = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib", ".npy", ".npz", ".h5", ".py", ".so", ".dll")
_TYPE_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "F64": 8,
    "I64": 8, "U64": 8,
}  # fmt: skip
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](\S+)")
_END_OF_DIRECTORY, _END_BYTES, _LONGEST_COMMENT = b"PK\x05\x06", 22, 65_535

Watch = Callable[[float], None]


def take_model(source: Path, staging: Path, watch: Watch = lambda share: None) -> list[str]:
    """Copy the three files of a model out of a folder or zip into the empty folder ``staging`` and check them.

    Args:
        source: what the user chose.
        staging: where the files go; the caller removes it if this raises.
        watch: told of the share done; may raise to stop.

    Returns:
        Names of harmless files that were left out.

    Raises:
        BadInput: the source is not a model, is unsafe, too large or damaged.
    """
    try:
        if source.is_dir():
            ignored, sums = _from_folder(source, staging, watch)
        elif source.is_file():
            with open(source, "rb") as file:
                ignored, sums = _from_zip(file, source, staging, watch)
        else:
            raise BadInput(f"{source} is not there; choose a model's folder or zip.")
    except (OSError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{source} cannot be copied ({_reason(error)}); check it and the space on the disk.") from None
    check_sums(staging, sums, source)
    return ignored


def _from_folder(source: Path, staging: Path, watch: Watch) -> tuple[list[str], dict[str, str]]:
    ignored, sums = [], {}
    with os.scandir(source) as entries:
        names = [entry.name for _, entry in zip(range(MOST_ENTRIES + 1), entries, strict=False)]
    if len(names) > MOST_ENTRIES:
        raise BadInput(f"{source} holds more than {MOST_ENTRIES} files; choose the folder of one model.")
    require_files(set(names), source)
    for name in sorted(names):
        if name not in LIMITS:
            _refuse_unless_harmless(name, source)
            ignored.append(name)
            continue
        found = os.lstat(source / name)
        if not stat.S_ISREG(found.st_mode):
            raise BadInput(f"{name} in {source} is a link or no file; only plain files are imported: copy it there.")
        if found.st_size > LIMITS[name]:
            raise _too_large(name, source, found.st_size)
        with open(source / name, "rb") as file:
            sums[name] = _copy(file, staging / name, LIMITS[name], source, watch)
    return ignored, sums


def _from_zip(file: IO[bytes], source: Path, staging: Path, watch: Watch) -> tuple[list[str], dict[str, str]]:
    check_directory(file, source)
    try:
        with zipfile.ZipFile(file) as archive:
            ignored, members = choose_members(archive.infolist(), source)
            sums = {}
            for name, member in members.items():
                with archive.open(member) as opened:
                    sums[name] = _copy(opened, staging / name, LIMITS[name], source, watch)
            return ignored, sums
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        RuntimeError,
        UnicodeError,
        OverflowError,
        KeyError,
        IndexError,
    ) as error:
        raise BadInput(f"{source} is a damaged zip ({_reason(error)}); download or export it again.") from None


def check_directory(file: IO[bytes], source: Path) -> None:
    """Look at a zip's end before it is read as one: how many entries it lists, and how long that list is.

    Raises:
        BadInput: it is no zip, or lists far more than a model has.
    """
    size = file.seek(0, os.SEEK_END)
    if size > PACKAGE_LIMIT_BYTES:
        raise _too_large("The package", source, size)
    file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT))
    tail = file.read()
    at = tail.rfind(_END_OF_DIRECTORY)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise BadInput(f"{source} is not a zip; choose a model's folder or zip.")
    entries, length = struct.unpack_from("<HL", tail, at + 10)
    if entries > MOST_ENTRIES or length > DIRECTORY_LIMIT_BYTES or b"PK\x06\x07" in tail[max(0, at - 20) : at]:
        raise BadInput(f"{source} lists more than the {MOST_ENTRIES} files a model may come with; it is not imported.")
    file.seek(0)


def choose_members(members: list[zipfile.ZipInfo], source: Path) -> tuple[list[str], dict[str, zipfile.ZipInfo]]:
    """Which entries of a zip are a model's files; they lie at its top or in one folder.

    Raises:
        BadInput: a name leads elsewhere, repeats, or is no part of a model; an entry is a link, locked or too large.
    """
    if len(members) > MOST_ENTRIES:
        raise BadInput(f"{source} holds more than {MOST_ENTRIES} files; a model has three.")
    ignored: list[str] = []
    chosen: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    folders: set[str] = set()
    for member in members:
        _check_name(member, source)
        if member.filename.casefold() in seen:
            raise BadInput(f"{source} holds '{_shown(member.filename)}' twice; it is not imported.")
        seen.add(member.filename.casefold())
        parts = member.filename.rstrip("/").split("/")
        if parts[0] == "__MACOSX":
            continue
        if member.is_dir() and len(parts) == 1:
            continue
        if len(parts) > 2 or member.is_dir():
            raise BadInput(f"{source} holds '{_shown(member.filename)}', which no model has; it is not imported.")
        if parts[-1] not in LIMITS:
            _refuse_unless_harmless(parts[-1], source)
            ignored.append(member.filename)
            continue
        folders.add(parts[0] if len(parts) == 2 else "")
        _check_size(member, parts[-1], source)
        chosen[parts[-1]] = member
    if len(folders) > 1:
        raise BadInput(f"{source} holds files of several models; pack and import them one by one.")
    require_files(set(chosen), source)
    return ignored, chosen


def _check_name(member: zipfile.ZipInfo, source: Path) -> None:
    name, original = member.filename, getattr(member, "orig_filename", member.filename)
    parts = name.rstrip("/").split("/")
    if (
        name != original
        or not name.strip("/")
        or name.startswith("/")
        or len(name) > 200
        or any(part in ("", ".", "..") for part in parts)
        or any(character in name for character in "\\:")
        or not name.isprintable()
    ):
        raise BadInput(f"{source} holds a file named '{_shown(original)}', which leads elsewhere; it is not imported.")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadInput(f"'{_shown(name)}' in {source} is a link or device, not a file; it is not imported.")
    if member.flag_bits & 0x1:
        raise BadInput(f"{source} is locked with a password; unpack it and import the folder.")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadInput(f"{source} is packed in an unusual way; unpack it and import the folder.")


def _check_size(member: zipfile.ZipInfo, name: str, source: Path) -> None:
    if member.file_size > LIMITS[name]:
        raise _too_large(name, source, member.file_size)
    if member.file_size > RATIO_FROM_BYTES and member.file_size > HIGHEST_RATIO * max(member.compress_size, 1):
        raise BadInput(
            f"{name} in {source} would grow from {member.compress_size} to {member.file_size} bytes; "
            "no model does: it is not imported."
        )


def require_files(names: set[str], source: Path) -> None:
    """Raise BadInput unless the three files of a model are among the names."""
    missing = [name for name in LIMITS if name not in names]
    if not missing:
        return
    running = next((name for name in sorted(names) if name.lower().endswith(_RUNS_CODE)), None)
    if running:
        raise _may_run_code(running, source)
    if missing == [CARD] or missing == [CARD, CHECKSUMS]:
        raise BadInput(f"{source} has weights but no {CARD}; make one for them: Weights without a card.")
    raise BadInput(f"{source} has no {missing[0]}; a model is {', '.join(LIMITS)}: export or download it again.")


def _refuse_unless_harmless(name: str, source: Path) -> None:
    if name.lower().endswith(_RUNS_CODE):
        raise _may_run_code(name, source)
    if not _IGNORED.fullmatch(name):
        raise BadInput(f"{source} holds '{_shown(name)}', which is no part of a model; take it out and import again.")


def _may_run_code(name: str, source: Path) -> BadInput:
    return BadInput(
        f"{source} holds '{_shown(name)}', a kind of file that can run code when it is opened; "
        f"models are {WEIGHTS} and {CARD} only: have it converted to safetensors."
    )


def _copy(file: IO[bytes], to: Path, limit: int, source: Path, watch: Watch) -> str:
    """Copy at most ``limit`` bytes; returns their SHA-256. Sizes that a zip claims are not believed."""
    digest, size = hashlib.sha256(), 0
    with open(to, "xb") as written:
        while chunk := file.read(STEP_BYTES):
            size += len(chunk)
            if size > limit:
                raise _too_large(to.name, source, size)
            digest.update(chunk)
            written.write(chunk)
            watch(min(size / limit, 1.0))
    return digest.hexdigest()


def check_sums(folder: Path, found: dict[str, str], source: Path) -> None:
    """Raise BadInput unless ``SHA256SUMS`` names card and weights, nothing else, and they are what it says."""
    expected: dict[str, str] = {}
    for line in (folder / CHECKSUMS).read_bytes().decode("ascii", "replace").splitlines():
        match = _LINE.fullmatch(line.rstrip())
        if match is None or match[2] not in (CARD, WEIGHTS) or match[2] in expected:
            raise BadInput(f"{CHECKSUMS} of {source} is not a list of its two files' sums; export the model again.")
        expected[match[2]] = match[1].lower()
    for name in (CARD, WEIGHTS):
        if found.get(name) != expected.get(name):
            raise BadInput(
                f"{name} of {source} has the SHA-256 {str(found.get(name))[:12]}..., {CHECKSUMS} says "
                f"{expected.get(name, 'none')[:12]}; it was changed or damaged: export or download it again."
            )


def read_header(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Type and shape of each tensor in a safetensors file, without reading the tensors.

    Raises:
        BadInput: the file is not exactly what the format allows: a header, then the tensors without gap or overlap.
    """
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(HEADER_LIMIT_BYTES, size - 8):
                raise _no_safetensors(path, "its header is longer than the file")
            text = file.read(length)
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); check its permissions.") from None
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise _no_safetensors(path, "its header is not JSON") from None
    if not isinstance(header, dict):
        raise _no_safetensors(path, "its header is not an object")
    header.pop("__metadata__", None)
    if len(header) > MOST_TENSORS:
        raise _no_safetensors(path, f"it lists more than {MOST_TENSORS} tensors")
    spans, tensors = [], {}
    for name, entry in header.items():
        kind, shape, begin, end = _entry(path, entry)
        count = 1
        for side in shape:
            count *= side
        if end - begin != count * _TYPE_BYTES[kind]:
            raise _no_safetensors(path, "a tensor's size is not that of its shape")
        spans.append((begin, end))
        tensors[name] = (kind, shape)
    at = 0
    for begin, end in sorted(spans):
        if begin != at:
            raise _no_safetensors(path, "its tensors overlap or leave gaps")
        at = end
    if at != size - 8 - length:
        raise _no_safetensors(path, "it is shorter or longer than its header says")
    return tensors


def _entry(path: Path, entry: Any) -> tuple[str, tuple[int, ...], int, int]:
    if isinstance(entry, dict) and set(entry) == {"dtype", "shape", "data_offsets"}:
        kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if (
            isinstance(kind, str)
            and kind in _TYPE_BYTES
            and isinstance(shape, list)
            and len(shape) <= 8
            and isinstance(offsets, list)
            and len(offsets) == 2
            and all(type(number) is int and 0 <= number < 2**40 for number in (*shape, *offsets))
            and offsets[0] <= offsets[1]
        ):
            return kind, tuple(shape), offsets[0], offsets[1]
    raise _no_safetensors(path, "an entry of its header is none")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name repeats")
    return found


def refuse_code(path: Path) -> None:
    """Raise BadInput for a file that could run code when it is opened, whatever its name."""
    with open(path, "rb") as file:
        start = file.read(8)
    if path.suffix.lower() in _RUNS_CODE or start.startswith((b"PK\x03\x04", b"\x80", b"\x89HDF")):
        raise BadInput(
            f"{path.name} may run code when it is opened, as pickled weights do; only safetensors are read: "
            "have whoever made it save it so."
        )


@contextlib.contextmanager
def renamed_errors(staging: Path, name: str) -> Iterator[None]:
    """Speak of a model by its name where an error speaks of the hidden folder in which it is checked."""
    try:
        yield
    except BadInput as error:
        raise BadInput(str(error).replace(str(staging), f"'{name}'")) from None


def _no_safetensors(path: Path, why: str) -> BadInput:
    return BadInput(f"{path} is not a sound safetensors file ({why}); export or download it again.")


def _too_large(name: str, source: Path, size: int) -> BadInput:
    limit = LIMITS.get(name, PACKAGE_LIMIT_BYTES)
    return BadInput(f"{name} of {source} has {size} bytes or more, at most {limit} are allowed; is it a model?")


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:100]


def _shown(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name)[:60]
