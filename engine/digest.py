"""SHA-256 of the files that a scene consists of, found while the scene is worked on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from types import TracebackType

from .fields import BadInput, Cancelled

CHUNK_BYTES = 2**20
"""Bytes between two looks at a cancel: a second's worth from a slow share."""
LOOK_S = 0.1
LEAVE_S = 1.0
"""Seconds that a hash which is given up has to notice; it may hang in a file that nobody answers for."""
SIDE_FILES = (".aux.xml", ".ovr", ".msk", ".qml", ".qmd")
"""Endings of files that programs write beside a raster when they show it: not what was taken by the sensor."""


def tell_nobody(share: float) -> None:
    """Go on."""


def scene_sha256(files: Sequence[str], on_progress: Callable[[float], None] = tell_nobody) -> str | None:
    """SHA-256 of a scene: that of its file, or of the list of hashes and names where it has several.

    Args:
        files: as GDAL lists them; those that viewers write beside a raster are left out.
        on_progress: called with the share that is read, chunk by chunk; what it raises gives up.

    Returns:
        Hexadecimal digits; None where there is no file, or one cannot be read (a database, a web service).
    """
    parts = [path for path in files if not path.lower().endswith(SIDE_FILES)]
    hashes: list[tuple[str, str]] = []
    if not all(os.path.isfile(path) for path in parts):
        return None
    try:
        done, whole = 0, sum(os.path.getsize(path) for path in parts)
    except OSError:
        return None
    for path in parts:
        digest = hashlib.sha256()
        try:
            with open(path, "rb", buffering=0) as file:
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
                    done += len(chunk)
                    on_progress(min(1.0, done / max(1, whole)))
        except OSError:
            return None
        hashes.append((digest.hexdigest(), os.path.basename(path)))
    if len(hashes) <= 1:
        return hashes[0][0] if hashes else None
    listing = "".join(f"{digest}  {name}\n" for digest, name in hashes)
    return hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()


def _state(path: str) -> tuple[int, ...] | None:
    """What changes with a file's content; None where it cannot be asked for it, as in a database."""
    try:
        told = os.stat(path)
    except (OSError, ValueError):
        return None
    return told.st_size, told.st_mtime_ns, told.st_ino


class SceneDigest:
    """Hashes a scene's files beside the work on it. Use as a context manager; leaving it early gives up."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = tuple(path for path in files if not path.lower().endswith(SIDE_FILES))
        self._before = [_state(path) for path in self._files]
        self._stopped = threading.Event()
        self._found: str | None = None
        self._share = 0.0
        self._thread = threading.Thread(target=self._run, args=(tuple(files),), name="scene-digest", daemon=True)
        self._thread.start()

    def _run(self, files: Sequence[str]) -> None:
        with contextlib.suppress(Cancelled):
            self._found = scene_sha256(files, self._note)

    def _note(self, share: float) -> None:
        self._share = share
        if self._stopped.is_set():
            raise Cancelled("The scene's hash is no longer wanted.")

    @property
    def found(self) -> str | None:
        """The hash; None while it is not known."""
        return self._found

    def result(self, on_progress: Callable[[float], None]) -> str | None:
        """Wait for the hash; None where the scene has none.

        Args:
            on_progress: called now and then with the share of what was left to read; what it raises ends the wait.

        Raises:
            BadInput: a file is not the one that it was at first: what was read would be a mixture.
        """
        first = self._share
        while self._thread.is_alive():
            on_progress((self._share - first) / max(1.0 - first, 1e-9))
            self._thread.join(LOOK_S)
        for path, before in zip(self._files, self._before, strict=True):
            if _state(path) != before:
                raise BadInput(
                    f"'{os.path.basename(path)}' was changed while it was read; wait until it is whole and run again."
                )
        return self._found

    def __enter__(self) -> SceneDigest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join(LEAVE_S)
