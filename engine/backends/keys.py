"""What measurements, proofs and exports hold for, as keys of the store."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from typing import Any

import torch
from torch import Tensor, nn

from .base import backend_version, network_digest, structure_digest


def choice_key(network: nn.Module, planes: Tensor, names: list[str], device: torch.device, half: Any) -> str:
    """What a measurement holds for: this machine, so many threads, networks of this structure, these versions.

    On a GPU also for this card, precision and shape of the windows.
    """
    card = _card(device, half)
    return _hash(
        {
            "machine": [platform.system(), platform.machine(), _processor(), os.cpu_count()],
            "threads": torch.get_num_threads(),
            "structure": structure_digest(network),
            "planes": planes.shape[1],
            "versions": {name: backend_version(name) for name in ("torch", *names)},
            **({**card, "windows": list(planes.shape)} if card else {}),
        }
    )


def export_key(network: nn.Module, name: str, planes: int, device: torch.device, half: Any) -> str:
    """What an export or a recording holds for: these weights, these planes, these versions; on a GPU this card."""
    return _hash(
        {
            "network": network_digest(network),
            "planes": planes,
            "backend": name,
            "versions": [backend_version(name), backend_version("torch")],
            **_card(device, half),
        }
    )


def proof_key(export: str, threshold: float, told: tuple[Any, ...]) -> str:
    """What a proof of an export holds for: the hazard that its answers tell, how they do, and where the mask begins."""
    return _hash({"export": export, "threshold": round(threshold, 4), "told": list(told)})


def _card(device: torch.device, half: Any) -> dict[str, Any]:
    """A graphics card and the precision on it; nothing for a processor."""
    if device.type != "cuda":
        return {}
    return {"device": str(device), "card": torch.cuda.get_device_name(device), "precision": str(half)}


def _hash(of: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()


def _processor() -> str:
    """The processor's name, as far as it is known."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
