"""Which device computes, in which precision, and how many windows at a time."""

from __future__ import annotations

import os
from typing import Any

import torch

from .protocol import BadInput

LARGEST_DIFFERENCE = 0.005
"""Largest change of a probability that half precision may bring on the first windows, or it is not used."""


def list_devices() -> list[dict[str, Any]]:
    """Devices that can be used, the default first; the JSON of the ``devices`` command."""
    found: list[dict[str, Any]] = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            found.append({"name": f"cuda:{index}", "kind": properties.name, "memory_bytes": properties.total_memory})
    if torch.backends.mps.is_available():
        found.append({"name": "mps", "kind": "Apple GPU", "memory_bytes": None})
    found.append({"name": "cpu", "kind": f"CPU, {torch.get_num_threads()} threads", "memory_bytes": _memory_bytes()})
    return [{**device, "default": index == 0} for index, device in enumerate(found)]


def choose_device(wanted: str) -> torch.device:
    """Device by name; ``auto`` takes CUDA, then MPS, then the CPU.

    Raises:
        BadInput: when the wanted device is not there.
    """
    names = [device["name"] for device in list_devices()]
    if wanted == "auto":
        return torch.device(names[0])
    name = "cuda:0" if wanted == "cuda" else wanted
    if name not in names:
        raise BadInput(f"Device '{wanted}' is not there; this machine has {', '.join(names)} (auto chooses).")
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """Device as results name it: ``cpu``, ``mps`` or ``cuda:0``."""
    return str(device)


def default_batch_size(device: torch.device) -> int:
    """Windows predicted together: one on a CPU, where windows are large anyway; more on a GPU, by its memory."""
    if device.type == "cuda":
        memory_gib = torch.cuda.get_device_properties(device).total_memory / 2**30
        return 2 if memory_gib < 4 else 4 if memory_gib < 8 else 8
    return 2 if device.type == "mps" else 1


def half_precision(device: torch.device) -> torch.dtype | None:
    """Half precision that is faster on this device, or None.

    CUDA from compute capability 7.0 on has units for fp16. A CPU keeps fp32: bf16 without bf16 units was measured
    3 to 16 times slower, and a choice by timing would make results depend on the machine's load.
    """
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (7, 0):
        return torch.float16
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch failed for want of memory, on a GPU or a CPU."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text or "not enough memory" in text
    )


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
