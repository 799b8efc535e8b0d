"""Proves that this environment can do the engine's work: real kernels on the wanted device, GDAL, and a network."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Sequence
from typing import Any

LARGEST_DIFFERENCE = 2e-3
"""Between a device and the CPU for sums of some hundred products of normal numbers in single precision; TF32 is off."""


class NotProven(Exception):
    """The environment does not hold; ``kind`` says which part of it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def prove(device: str) -> dict[str, Any]:
    """Run every check on ``cpu``, ``cuda``, ``mps`` or ``auto`` and return what was found.

    Raises:
        NotProven: for the first check that does not hold.
    """
    began = time.monotonic()
    gdal = check_gdal()
    torch = check_torch()
    wanted = find_device(torch, device)
    difference = check_kernels(torch, wanted)
    check_network(torch, wanted)
    versions = {"python": platform.python_version(), "torch": str(torch.__version__), "gdal": gdal}
    return {
        "ok": True,
        "device": str(wanted),
        "device_name": torch.cuda.get_device_name(wanted) if wanted.type == "cuda" else wanted.type,
        "largest_difference": difference,
        "seconds": round(time.monotonic() - began, 1),
        "versions": versions,
    }


def check_gdal() -> str:
    """Version of GDAL, which must be importable together with its array module."""
    try:
        from .raster import gdal_version

        return gdal_version()
    except (ImportError, OSError) as error:
        raise NotProven("gdal", f"{error}") from error


def check_torch() -> Any:
    """PyTorch and what the networks are built with."""
    try:
        import torch

        from .compat_torch import guard_torchvision

        guard_torchvision()
        import safetensors.torch  # noqa: F401
        import segmentation_models_pytorch  # noqa: F401
    except (ImportError, OSError) as error:
        raise NotProven("torch", f"{error}") from error
    return torch


def find_device(torch: Any, name: str) -> Any:
    """The device of this name; ``auto`` takes the best there is."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name == "cuda":
        try:
            torch.cuda.init()
        except (RuntimeError, AssertionError) as error:
            raise NotProven("device", f"{error}") from error
        return torch.device("cuda", torch.cuda.current_device())
    if name == "mps" and not torch.backends.mps.is_available():
        raise NotProven("device", "This PyTorch or this system offers no Metal device.")
    return torch.device(name)


def check_kernels(torch: Any, device: Any) -> float:
    """Largest difference of a product and a convolution between the device and the CPU."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    random = torch.Generator().manual_seed(1)
    left, right = torch.randn(256, 256, generator=random), torch.randn(256, 256, generator=random)
    planes, weights = torch.randn(2, 8, 64, 64, generator=random), torch.randn(16, 8, 3, 3, generator=random)
    try:
        pairs = [
            (left @ right, left.to(device) @ right.to(device)),
            (
                torch.nn.functional.conv2d(planes, weights, padding=1),
                torch.nn.functional.conv2d(planes.to(device), weights.to(device), padding=1),
            ),
        ]
        difference = max(float((there.cpu() - here).abs().max()) for here, there in pairs)
    except RuntimeError as error:
        raise NotProven("device", f"{error}") from error
    if not difference <= LARGEST_DIFFERENCE:
        raise NotProven("numbers", f"{device} and the CPU differ by {difference:.3g}.")
    return difference


def check_network(torch: Any, device: Any) -> None:
    """A small network of the kind that the models use must give finite numbers of the right shape."""
    import segmentation_models_pytorch as smp

    try:
        network = smp.Unet("resnet18", encoder_weights=None, in_channels=4, classes=1).eval().to(device)
        with torch.no_grad():
            answer = network(torch.zeros(1, 4, 64, 64, device=device))
    except RuntimeError as error:
        raise NotProven("device", f"{error}") from error
    if tuple(answer.shape) != (1, 1, 64, 64) or not bool(torch.isfinite(answer).all()):
        raise NotProven("numbers", f"The network's answer on {device} is not finite.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line of JSON; 0 if the environment holds."""
    parser = argparse.ArgumentParser(prog="python -m engine.prove", description=__doc__, allow_abbrev=False)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="what must compute")
    wanted = parser.parse_args(arguments).device
    try:
        found = prove(wanted)
    except NotProven as error:
        message = " ".join(str(error).split())[:500]
        found = {"ok": False, "kind": error.kind, "message": message, "device": wanted}
    print(json.dumps(found), flush=True)
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
