"""A device beside the processor where there is no GPU: its tensors refuse to meet tensors on the processor.

Their values lie on the processor and are computed there all the same, so that answers can be compared; it shows what
was left on the wrong device, nothing of a GPU's speed, memory, streams or half precision.
"""

from __future__ import annotations

import contextlib
import unittest.mock
from collections.abc import Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("meta")
"""What the device is called: a name for which PyTorch has gradients, and of which it expects no values."""
CPU = torch.device("cpu")
aten = torch.ops.aten
BETWEEN_DEVICES = {aten.copy_.default, aten._to_copy.default}
TAKE_INDICES = {
    aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default,
}  # fmt: skip
"""Operations whose indices may lie on the processor."""


class There(torch.Tensor):
    """A tensor on the device; ``here`` holds its values."""

    here: torch.Tensor

    @staticmethod
    def __new__(cls, here: torch.Tensor) -> There:
        made = torch.Tensor._make_wrapper_subclass(
            cls, here.size(), strides=here.stride(), storage_offset=here.storage_offset(), dtype=here.dtype,
            layout=here.layout, device=DEVICE,
        )  # fmt: skip
        made.here = here
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


def _computed(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    if torch.is_inference_mode_enabled():  # then what is made of other operations comes whole
        with _Dispatched():
            parts = func.decompose(*args, **kwargs)
        if parts is not NotImplemented:
            return parts
    tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
    if any(one.device == DEVICE and not isinstance(one, There) for one in tensors):
        raise RuntimeError(f"{func} got a tensor that was made on the device without the dispatcher hearing of it.")
    there = any(isinstance(one, There) for one in tensors)
    if kwargs.get("device") is not None:
        there = torch.device(kwargs["device"]) == DEVICE
        kwargs = {**kwargs, "device": CPU}
    elif func in BETWEEN_DEVICES:
        there = isinstance(tensors[0], There)
    elif there and any(
        one.dim() and not isinstance(one, There) for one in (tensors[:1] if func in TAKE_INDICES else tensors)
    ):
        raise RuntimeError(f"Expected all tensors to be on the same device, but {func} got some on each.")
    found = func(*tree_map(_here, args), **tree_map(_here, kwargs))
    if not there:
        return found
    with torch.inference_mode(False):
        found = tree_map(lambda one: There(one) if isinstance(one, torch.Tensor) else one, found)
        return return_and_correct_aliasing(func, args, kwargs, found)


def _here(one: Any) -> Any:
    return one.here if isinstance(one, There) else one


class _Dispatched(TorchDispatchMode):
    """What is made on the device, or sent there, is heard of."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


class _OfNumbers(TorchFunctionMode):
    """Numbers and lists of indices go to a device without the dispatcher: they are made on the processor instead."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.tensor and kwargs.get("device") is not None and torch.device(kwargs["device"]) == DEVICE:
            del kwargs["device"]
            return func(*args, **kwargs).to(DEVICE)
        if func in (torch.Tensor.__getitem__, torch.Tensor.__setitem__):
            args = (args[0], _as_tensors(args[1]), *args[2:])
        return func(*args, **kwargs)


def _as_tensors(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_as_tensors(one) for one in index)
    return torch.tensor(index) if isinstance(index, list) else index


@contextlib.contextmanager
def second_device() -> Iterator[torch.device]:
    """The device, while it lasts. Draw networks before: random numbers are drawn in another order meanwhile."""
    whole = torch.autocast

    def autocast(device_type: str, *args: Any, **kwargs: Any) -> Any:
        return contextlib.nullcontext() if device_type == DEVICE.type else whole(device_type, *args, **kwargs)

    with unittest.mock.patch("torch.autocast", autocast), _OfNumbers(), _Dispatched():
        yield DEVICE
