"""SHA-256 of the files that a scene consists of, found while the scene is worked on."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from types import TracebackType

CHUNK_BYTES = 8 * 2**20
SIDE_FILES = (".aux.xml", ".ovr", ".msk", ".qml", ".qmd")
"""Endings of files that programs write beside a raster when they show it: not what was taken by the sensor."""


def scene_sha256(files: Sequence[str], stopped: threading.Event | None = None) -> str | None:
    """SHA-256 of a scene: that of its file, or of the list of hashes and names where it has several.

    Args:
        files: as GDAL lists them; those that viewers write beside a raster are left out.
        stopped: gives up when set.

    Returns:
        Hexadecimal digits; None where there is no file, or one cannot be read (a database, a web service).
    """
    parts = [path for path in files if not path.lower().endswith(SIDE_FILES)]
    hashes: list[tuple[str, str]] = []
    for path in parts:
        if not os.path.isfile(path):
            return None
        digest = hashlib.sha256()
        try:
            with open(path, "rb", buffering=0) as file:
                while chunk := file.read(CHUNK_BYTES):
                    if stopped is not None and stopped.is_set():
                        return None
                    digest.update(chunk)
        except OSError:
            return None
        hashes.append((digest.hexdigest(), os.path.basename(path)))
    if len(hashes) <= 1:
        return hashes[0][0] if hashes else None
    listing = "".join(f"{digest}  {name}\n" for digest, name in hashes)
    return hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()


class SceneDigest:
    """Hashes a scene's files beside the work on it. Use as a context manager; leaving it early gives up."""

    def __init__(self, files: Sequence[str]) -> None:
        self._stopped = threading.Event()
        self._found: str | None = None
        self._thread = threading.Thread(target=self._run, args=(tuple(files),), name="scene-digest", daemon=True)
        self._thread.start()

    def _run(self, files: Sequence[str]) -> None:
        self._found = scene_sha256(files, self._stopped)

    @property
    def found(self) -> str | None:
        """The hash; None while it is not known."""
        return self._found

    def result(self) -> str | None:
        """Wait for the hash; None where the scene has none."""
        self._thread.join()
        return self._found

    def __enter__(self) -> SceneDigest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()
