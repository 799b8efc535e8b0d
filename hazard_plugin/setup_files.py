"""Files of the engine's set-up: sizes, hashes and deleting."""

import contextlib
import hashlib
import os
import shutil
from typing import Callable, Sequence

from ..engine import protocol


def hash_of(freeze: Sequence[str]) -> str:
    """SHA-256 of a sorted list of packages."""
    return hashlib.sha256("\n".join(sorted(freeze)).encode("utf-8")).hexdigest()


def hash_of_file(path: str, is_cancelled: Callable[[], bool] = lambda: False) -> str:
    """SHA-256 of a file's bytes; raises Cancelled."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(2**20), b""):
            if is_cancelled():
                raise protocol.Cancelled("Cancelled.")
            digest.update(block)
    return digest.hexdigest()


def folder_bytes(folder: str) -> int:
    """Size of all files in a folder; what vanishes meanwhile does not count."""
    total = 0
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    with contextlib.suppress(OSError):
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        else:
                            total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total


def remove_tree(path: str) -> None:
    """Delete a file, a link or a folder, there or not."""
    if os.path.islink(path) or os.path.isfile(path):
        os.remove(path)
    elif os.path.isdir(path):
        shutil.rmtree(path)
