"""Removes what a process that was killed left unfinished beside an output, when the output is next written."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator

from .protocol import REPLACED, partial_path, put_back

STALE_S = 6 * 3600
"""Age at which unfinished files go whose process cannot be asked about; nothing is written for that long without a
sign of life."""
_SOME_ID = "0123456789ab"
_ID = r"(?P<id>[0-9a-f]{12}|[0-9a-f]{8}p(?P<pid>[0-9]{1,10}))"


def own_job_id() -> str:
    """Name for the unfinished files of this process, which says whose they are."""
    return f"{uuid.uuid4().hex[:8]}p{os.getpid()}"


def remove_leftovers(final: str) -> None:
    """Remove unfinished files of earlier runs beside an output; what was being replaced gets its name back."""
    for path, found in _left_beside(final, _ID):
        if not _is_over(path, found["pid"]):
            continue
        with contextlib.suppress(OSError):
            if path.endswith(REPLACED):
                put_back(final, found["id"])
            elif os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.remove(path)


def put_back_all(final: str, run: str) -> None:
    """Give what jobs that are over were replacing its name back, where these jobs' names begin with that of a run."""
    for _, found in _left_beside(final, f"(?P<id>{re.escape(run)}[A-Za-z0-9_-]*)"):
        put_back(final, found["id"])


def _left_beside(final: str, ids: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Paths of unfinished files beside an output that jobs of such names left, and the match of each name."""
    folder, example = os.path.split(partial_path(final, _SOME_ID))
    before, _, _ = example.partition(_SOME_ID)
    pattern = re.compile(re.escape(before) + ids + r"\.partial")
    try:
        names = sorted(os.listdir(folder or "."))
    except (OSError, ValueError):
        return
    for name in names:
        if found := pattern.match(name):
            yield os.path.join(folder, name), found


def _is_over(path: str, pid: str | None) -> bool:
    """Whether nobody writes this file any more."""
    try:
        if time.time() - os.lstat(path).st_mtime > STALE_S:
            return True
    except OSError:
        return False
    if pid is None or os.name == "nt":  # there, asking about a process this way would end it
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
