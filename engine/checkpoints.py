"""Checkpoints of a training run: everything needed to go on, in one file that is either whole or absent."""

from __future__ import annotations

import os
import pickle  # nosec B403  # for the name of its error; torch.load reads weights only
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .protocol import BadInput, OutputFailed

FILE = "checkpoint.pt"
VERSION = 1

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """Where a run keeps its checkpoint, and the settings that a run must share to go on from it (JSON values)."""

    folder: Path
    settings: Settings

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / FILE

    def write(self, state: Mapping[str, Any]) -> None:
        """Replace the checkpoint; raises OutputFailed if it cannot be written, the one before then stays."""
        partial = self.folder / f".{FILE}.partial"
        content = {"version": VERSION, "settings": dict(self.settings), "state": dict(state)}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            torch.save(content, partial)
            os.replace(partial, self.path)
        except (OSError, RuntimeError) as error:  # torch tells of a full disk by RuntimeError
            partial.unlink(missing_ok=True)
            reason = str(error).splitlines()[0][:120]
            raise OutputFailed(
                f"The checkpoint cannot be written to {self.folder} ({reason}); free some space, then use --resume."
            ) from None

    def read(self) -> dict[str, Any]:
        """State to go on from.

        Raises:
            BadInput: there is no checkpoint, it is damaged, or it belongs to a run of other settings.
        """
        self.require()
        try:
            content = torch.load(self.path, map_location="cpu", weights_only=True)
            version, settings, state = content["version"], content["settings"], content["state"]
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError):
            raise BadInput(
                f"The checkpoint {self.path} is damaged or of another kind; run again with --overwrite and without "
                "--resume."
            ) from None
        if version != VERSION:
            raise BadInput(f"The checkpoint {self.path} is of another version; run again without --resume.")
        for name in {**settings, **self.settings}:
            found, wanted = settings.get(name), self.settings.get(name)
            if found != wanted:
                raise BadInput(
                    f"The checkpoint {self.path} is of a run with {name.replace('_', ' ')} {_short(found)}, not "
                    f"{_short(wanted)}; use the same settings to go on, or --overwrite to begin again."
                )
        return dict(state)

    def exists(self) -> bool:
        """Whether an unfinished run left one."""
        return self.path.is_file()

    def require(self) -> None:
        """Raise BadInput if there is none."""
        if not self.exists():
            raise BadInput(f"There is no checkpoint in {self.folder} to resume from; run without --resume first.")

    def remove(self) -> None:
        """Delete it, if there is one: the run is finished."""
        self.path.unlink(missing_ok=True)


def require_space(folder: Path, needed_bytes: int) -> None:
    """Raise OutputFailed unless the disk of ``folder`` has room for ``needed_bytes``."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise OutputFailed(f"{folder} cannot be written ({error.strerror}); choose another folder.") from None
    if free < needed_bytes:
        raise OutputFailed(
            f"The disk of {folder} has {free / 1e6:.0f} MB free, {needed_bytes / 1e6:.0f} MB are needed for the model "
            "and its checkpoints; free some space or choose another folder."
        )


def _short(value: object) -> str:
    return str(value)[:60]
