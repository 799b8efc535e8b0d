"""Make torchvision importable where its compiled operators do not load beside the installed torch."""

import importlib.util
from pathlib import Path
from typing import Any

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def guard_torchvision() -> None:
    """Declare the operators that torchvision gives shapes to on import, where its binary does not load.

    timm imports torchvision, whose Python side fails with "operator torchvision::nms does not exist" when its
    binary was built for another torch. Only the schemas are declared: calling them still fails, and nothing
    here calls them. Call it before the first import of segmentation_models_pytorch or timm; again is harmless.
    """
    if _is_declared("nms") or _binary_loads():
        return
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        if not _is_declared(schema.partition("(")[0]):
            library.define(schema)  # type: ignore[no-untyped-call]
    guard_torchvision.library = library  # type: ignore[attr-defined]  # a declaration lives as long as its Library


def import_library() -> Any:
    """segmentation-models-pytorch, imported on first use.

    What is imported with it makes tensors: call this outside of any ``with torch.device(...)``, or PyTorch 2.6 ends
    such an import half-way, and every later one of this process fails.
    """
    guard_torchvision()
    import segmentation_models_pytorch as smp

    return smp


def _is_declared(name: str) -> bool:
    return hasattr(torch.ops.torchvision, name)


def _binary_loads() -> bool:
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return True  # no torchvision, so nothing to guard
    for folder in spec.submodule_search_locations:
        for binary in sorted(Path(folder).glob("_C.*")):
            try:
                torch.ops.load_library(str(binary))  # type: ignore[no-untyped-call]
            except OSError:
                continue
    return _is_declared("nms")
