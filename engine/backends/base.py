"""What a backend is, which there are, and how a network is told from others."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from ..protocol import BadInput

INSTALL = {
    "openvino": "install them (pip install -r engine/requirements-fast.txt)",
    "onnxruntime": "install them (pip install -r engine/requirements-fast.txt)",
    "torch-compile": "take a build of PyTorch for CUDA that brings them",
}
BACKENDS: dict[str, tuple[str, ...]] = {
    "torch": (),
    "openvino": ("openvino",),
    "onnxruntime": ("onnxruntime", "onnx"),
    "cuda-graph": (),
    "torch-compile": ("triton",),
}
"""Backends and the packages that each needs beside PyTorch, the plain one first."""
DEVICE_TYPES = {"openvino": "cpu", "onnxruntime": "cpu", "cuda-graph": "cuda", "torch-compile": "cuda"}
"""Where each computes; PyTorch does everywhere."""


class HazardLogits(Protocol):
    """Whatever answers for hazards: a network, or a backend that computes one."""

    def hazard_logits(self, planes: Tensor) -> Tensor:
        """(n, planes, h, w) -> hazard logits (n, hazards, h, w), without gradients."""


class Backend(Protocol):
    """A network, ready to compute.

    Attributes:
        name: one of ``BACKENDS``.
        channels_last: the memory format of planes that costs no conversion.
    """

    name: str
    channels_last: bool

    def hazard_logits(self, planes: Tensor) -> Tensor:
        """(n, planes, h, w) -> hazard logits (n, hazards, h, w), without gradients."""

    def let_go(self) -> None:
        """Give back what can be made again for the next windows."""


class Exportable(nn.Module):
    """The part of a network that answers for hazards, as one module that can be traced."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network: Any = network.eval()

    def forward(self, planes: Tensor) -> Tensor:
        """(n, planes, h, w) -> hazard logits (n, hazards, h, w)."""
        return cast(Tensor, self.network.hazard_head(self.network.features(planes)[0]))


class TorchBackend:
    """PyTorch itself, on any device."""

    name = "torch"
    channels_last = True

    def __init__(self, network: HazardLogits) -> None:
        self._network = network

    def hazard_logits(self, planes: Tensor) -> Tensor:
        """(n, planes, h, w) -> hazard logits (n, hazards, h, w), without gradients."""
        return self._network.hazard_logits(planes)

    def let_go(self) -> None:
        """Nothing is held."""


def can_be_exported(network: object) -> bool:
    """Whether a network has the parts that ``Exportable`` is made of."""
    return isinstance(network, nn.Module) and hasattr(network, "features") and hasattr(network, "hazard_head")


def is_installed(name: str) -> bool:
    """Whether the packages of a backend are there."""
    return all(importlib.util.find_spec(package) is not None for package in BACKENDS[name])


def usable(name: str, device: torch.device) -> bool:
    """Whether there is a backend of this name whose packages are there and that computes on this device."""
    return name in BACKENDS and DEVICE_TYPES.get(name, device.type) == device.type and is_installed(name)


def require_installed(name: str) -> None:
    """Raise BadInput unless the packages of a backend are there."""
    if not is_installed(name):
        raise BadInput(
            f"Backend {name} needs the packages {', '.join(BACKENDS[name])}, which are not installed; "
            f"{INSTALL[name]}, or choose backend auto."
        )


def backend_version(name: str) -> str:
    """Version of a backend's package, or of what it stands on; empty where it is not known."""
    if name == "torch":
        return str(torch.__version__)
    if name == "cuda-graph":
        return f"CUDA {torch.version.cuda}" if torch.version.cuda else ""
    try:
        return importlib.metadata.version("triton" if name == "torch-compile" else name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def structure_digest(network: nn.Module) -> str:
    """SHA-256 of a network's structure, the same for all weights."""
    return hashlib.sha256(repr(network).encode()).hexdigest()


def network_digest(network: nn.Module) -> str:
    """SHA-256 of a network's structure and weights, as they are in memory: what was adapted is another network."""
    digest = hashlib.sha256(structure_digest(network).encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
