"""Download a public data set: says how large it is, asks first, checks every byte, and goes on where it stopped."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .protocol import BadInput, Cancelled, DownloadJob, OutputFailed
from .records import RECORDS, Record, RemoteFile
from .reporting import Report
from .transfer import Transfer, fetch_listing, part_of, require_web_address

SPARE_BYTES = 200 * 10**6
"""What is to stay free on the disk."""


def download(job: DownloadJob, report: Report) -> dict[str, Any]:
    """Carry out a job and return ``{dataset, folder, files, bytes, seconds, next, warnings}``.

    Files that are already there are kept. Nothing is unpacked: ``next`` holds the commands for that, because millions
    of small files are written faster and more safely by ``tar``.

    Raises:
        BadInput: when a part is not known, the disk is too small, nobody can be asked, the server does not have a file
            or a file arrived damaged.
        OutputFailed: when the folder cannot be written.
        Cancelled: when the user does not agree or stops it; what has arrived is kept.
    """
    began = time.monotonic()
    record = RECORDS.get(job.dataset)
    if record is None:
        raise BadInput(f"Data set '{job.dataset}' is not known; use one of {', '.join(RECORDS)}.")
    base, files, warnings = _source(job, record)
    wanted = choose_files(files, job.parts)
    folder = Path(job.to)
    missing = [file for file in wanted if not _is_complete(folder, file)]
    if missing:
        _require_space(folder, missing)
        if not job.yes:
            _ask(question(missing, base, folder))
        _make_folder(folder)
    done, total = 0, sum(file.size for file in missing)
    for file in missing:
        share = (done / total if total else 0.0, (done + file.size) / total if total else 1.0)
        Transfer(base, file, folder, report, share).run()
        done += file.size
    return {
        "dataset": job.dataset,
        "folder": str(folder),
        "files": [file.name for file in wanted],
        "bytes": sum(file.size for file in wanted),
        "seconds": round(time.monotonic() - began, 1),
        "next": [unpack_command(folder, file.name) for file in wanted if file.name.endswith(".tar.zst")],
        "warnings": warnings,
    }


def choose_files(files: Sequence[RemoteFile], parts: Sequence[str]) -> list[RemoteFile]:
    """Files of the named parts, all without names; raises BadInput for an unknown part."""
    known = sorted({file.part for file in files})
    for part in parts:
        if part not in known:
            raise BadInput(f"Part '{part}' is not known; use some of {', '.join(known)}.")
    return [file for file in files if not parts or file.part in parts]


def question(missing: Sequence[RemoteFile], base: str, folder: Path) -> str:
    """What is to be agreed to: files, their sizes, where from and where to."""
    listed = ", ".join(f"{file.name} ({readable(file.size)})" for file in missing)
    left = sum(_left(folder, file) for file in missing)
    return (
        f"Download {listed}: {readable(left)} to go, from {base} to {folder} ({readable(_free(folder))} free; "
        "unpacking needs about as much again)?"
    )


def unpack_command(folder: Path, name: str) -> str:
    """Command that unpacks an archive beside itself (GNU tar with zstd, or the tar of Windows 11 and macOS)."""
    return f'tar --zstd -xf "{folder / name}" -C "{folder}"'


def readable(size: float) -> str:
    """Bytes as people write them: 63.3 GB, 282.4 MB."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:.0f} bytes"


def _source(job: DownloadJob, record: Record) -> tuple[str, tuple[RemoteFile, ...], list[str]]:
    """Address of the files, what they are, and what the user should know of another server."""
    if job.url is None:
        return record.base, record.files, []
    base = require_web_address(job.url).rstrip("/")
    listing = fetch_listing(base)
    if listing is None:
        return base, record.files, []
    files = tuple(
        RemoteFile(entry.name, entry.size, entry.md5, record.part_of(entry.name), entry.address) for entry in listing
    )
    return base, files, [f"Sizes and checksums are those that {base} lists, not the published ones."]


def _is_complete(folder: Path, file: RemoteFile) -> bool:
    """A file has its final name only once its checksum was right, so its size is enough; raises BadInput otherwise."""
    path = folder / file.name
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return False
    except OSError as error:
        raise OutputFailed(f"'{path}' cannot be looked at ({error.strerror}); choose another folder.") from None
    if size != file.size:
        raise BadInput(
            f"'{path}' has {size} bytes, the published file {file.size}; move it away and run the command again."
        )
    return True


def _left(folder: Path, file: RemoteFile) -> int:
    try:
        return max(0, file.size - part_of(folder, file).stat().st_size)
    except OSError:
        return file.size


def _free(folder: Path) -> int:
    """Free bytes where the folder is or will be."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError as error:
        raise OutputFailed(f"'{place}' cannot be written to ({error.strerror}); choose another folder.") from None


def _require_space(folder: Path, missing: Sequence[RemoteFile]) -> None:
    left, free = sum(_left(folder, file) for file in missing), _free(folder)
    if left + SPARE_BYTES > free:
        raise BadInput(
            f"The download needs {readable(left + SPARE_BYTES)}, but only {readable(free)} are free for '{folder}'; "
            "choose another folder, or fewer parts with --parts."
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFailed(f"Folder '{folder}' cannot be made ({error.strerror}); choose another one.") from None
    if not os.access(folder, os.W_OK):
        raise OutputFailed(f"Folder '{folder}' cannot be written to; choose another one.")


def _ask(text: str) -> None:
    """Go on only if the user says yes on a terminal."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        raise BadInput(f"{text} Nobody can be asked here: add --yes to agree.")
    print(f"{text} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Cancelled("Not downloaded: you did not agree.")
