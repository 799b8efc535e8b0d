"""A bounded store of exported networks in the user's cache folder, and what was measured and proven of them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FORMAT = "hazard-export-1"
MOST_BYTES = 512 * 2**20
MOST_EXPORTS = 24
MOST_RECORDS = 200
LONGEST_HEAD = 4096
RECORDS = "measured.json"


def cache_folder() -> Path:
    """Folder of what can be made again: ``HAZARD_CACHE``, else the per-user cache folder of the platform."""
    override = os.environ.get("HAZARD_CACHE")
    if override:
        return Path(override)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        return base / "hazard_mapper" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "hazard_mapper"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hazard_mapper"


class ExportStore:
    """Exports by key. What is damaged is not there; what cannot be written is not kept: it can be made again.

    Each export is one file: a line that says what follows and its SHA-256, then the contents.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or cache_folder()

    def load(self, key: str) -> dict[str, bytes] | None:
        """The files of an export, or None where it is not there as it was written."""
        path = self._path(key)
        try:
            if path.stat().st_size > MOST_BYTES:
                return None
            content = path.read_bytes()
        except OSError:
            return None
        head, _, body = content.partition(b"\n")
        found = _parts(head, body)
        if found is None:
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # the one used last stays longest
        return found

    def has(self, key: str) -> bool:
        """Whether an export seems to be there."""
        return self._path(key).is_file()

    def store(self, key: str, files: Mapping[str, bytes]) -> None:
        """Keep an export, and drop those not used for longest where there are too many."""
        body = b"".join(files.values())
        head = {
            "format": FORMAT,
            "sizes": {name: len(content) for name, content in files.items()},
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        self._write(self._path(key), json.dumps(head).encode("ascii") + b"\n" + body)
        self._prune(key)

    def records(self, kind: str) -> dict[str, Any]:
        """What was recorded of one kind, by key; empty where nothing readable is."""
        found = self._all_records().get(kind)
        return found if isinstance(found, dict) else {}

    def record(self, kind: str, key: str, value: Any) -> None:
        """Record a value; the oldest are dropped where there are too many."""
        records = self._all_records()
        of_kind = records.get(kind)
        of_kind = dict(of_kind) if isinstance(of_kind, dict) else {}
        of_kind.pop(key, None)
        of_kind[key] = value
        records[kind] = dict(list(of_kind.items())[-MOST_RECORDS:])
        self._write(self._folder / RECORDS, json.dumps(records, indent=1).encode("ascii"))

    def _all_records(self) -> dict[str, Any]:
        try:
            found = json.loads((self._folder / RECORDS).read_bytes()[:1_000_000])
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.export"

    def _write(self, path: Path, content: bytes) -> None:
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            os.replace(partial, path)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink()

    def _prune(self, newest: str) -> None:
        """Keep the newest exports that fit; unfinished ones of processes that were killed go too."""
        with contextlib.suppress(OSError):
            for left in self._folder.glob(".*.partial"):
                if left.stat().st_mtime < self._path(newest).stat().st_mtime - 3600:
                    left.unlink()
            found = sorted(self._folder.glob("*.export"), key=lambda path: path.stat().st_mtime, reverse=True)
            size = 0
            for number, path in enumerate(found):
                size += path.stat().st_size
                if (number >= MOST_EXPORTS or size > MOST_BYTES) and path != self._path(newest):
                    path.unlink()


def _parts(head: bytes, body: bytes) -> dict[str, bytes] | None:
    """The files of an export's content; None unless it is as its first line says."""
    try:
        told = json.loads(head) if len(head) <= LONGEST_HEAD else None
        if told is None or told["format"] != FORMAT or told["sha256"] != hashlib.sha256(body).hexdigest():
            return None
        sizes = dict(told["sizes"])
        if sum(sizes.values()) != len(body):
            return None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    found, start = {}, 0
    for name, size in sizes.items():
        found[name] = body[start : start + size]
        start += size
    return found
