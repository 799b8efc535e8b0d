"""A folder of packages made on another computer (``python -m engine.bundle``): is it whole, and does it fit here."""

import json
import os
import re
from typing import Callable, Dict, Sequence

from .setup_failures import SetupFailed
from .setup_files import hash_of_file
from .setup_plan import this_machine, this_system

MANIFEST = "bundle.json"
SUMS = "SHA256SUMS"
VERSION = 1
HARMLESS = (SUMS, ".DS_Store", "Thumbs.db", "desktop.ini")
"""Files that may lie in the folder without being listed; pip looks at none of them."""


def read_bundle(folder: str) -> Dict[str, str]:
    """What a bundle says of itself: ``build``, ``python``, ``system``, ``machine``; raises SetupFailed."""
    try:
        with open(os.path.join(folder, MANIFEST), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        raise SetupFailed("bundle", tr_missing(MANIFEST)) from None
    wanted = ("build", "python", "system", "machine")
    if not isinstance(found, dict) or found.get("version") != VERSION or any(name not in found for name in wanted):
        raise SetupFailed("bundle", f"{MANIFEST} version {VERSION}")
    return {name: str(found[name]) for name in wanted}


def checked_bundle(
    folder: str, build: str, python: Sequence[int], is_cancelled: Callable[[], bool] = lambda: False
) -> Dict[str, str]:
    """The same, once it is known to fit this computer and every file in it to be what was written down.

    Raises SetupFailed or Cancelled.
    """
    found = read_bundle(folder)
    ours = f"{this_system()} {this_machine()}, Python {python[0]}.{python[1]}, {build}"
    theirs = "{system} {machine}, Python {python}, {build}".format(**found)
    if theirs != ours:
        raise SetupFailed("bundle_other", ours=ours, theirs=theirs)
    sums = read_sums(folder)
    unlisted = [name for name in os.listdir(folder) if name not in sums and name not in HARMLESS]
    if unlisted:
        raise SetupFailed("bundle", f"{sorted(unlisted)[0]} is not in {SUMS}")
    for name, wanted in sums.items():
        path = os.path.join(folder, name)
        if not os.path.isfile(path) or os.path.islink(path):
            raise SetupFailed("bundle", tr_missing(name))
        if hash_of_file(path, is_cancelled) != wanted:
            raise SetupFailed("hash", name)
    return found


def read_sums(folder: str) -> Dict[str, str]:
    """Name to SHA-256 of every file that a bundle lists; raises SetupFailed."""
    try:
        with open(os.path.join(folder, SUMS), encoding="utf-8") as file:
            lines = [line.rstrip("\r\n") for line in file if line.strip()]
    except (OSError, ValueError):
        raise SetupFailed("bundle", tr_missing(SUMS)) from None
    sums: Dict[str, str] = {}
    for line in lines:
        match = re.fullmatch(r"([0-9a-f]{64}) [ *]([^/\\]+)", line)
        if match is None or match[2] in (".", ".."):
            raise SetupFailed("bundle", f"{SUMS}: {line[:80]}")
        sums[match[2]] = match[1]
    if MANIFEST not in sums or not any(name.endswith(".whl") for name in sums):
        raise SetupFailed("bundle", tr_missing("*.whl"))
    return sums


def tr_missing(name: str) -> str:
    """Says that a file is not there."""
    return f"{name} is missing"
