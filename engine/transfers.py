"""Windows on their way to a GPU and answers on their way back, beside what it computes: pinned, double-buffered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

SLOTS = 2
"""Batches under way at once: one is copied while the other is computed."""


@dataclass
class _Slot:
    """Pinned memory of one batch, and what tells that it may be written again."""

    planes: Tensor
    copied: Any


class Transfers:
    """Copies to and from one CUDA device on a stream of their own.

    Args:
        device: a CUDA device.
        cuda: streams and events, as ``torch.cuda`` has them.
        pin: whether memory is page-locked, as copies that run by themselves need it.
    """

    def __init__(self, device: torch.device, cuda: Any = torch.cuda, *, pin: bool = True) -> None:
        self._device = device
        self._cuda = cuda
        self._pin = pin
        self._copies: Any = None
        self._own = threading.local()  # a stream for each thread: memory that one frees is for its own next window
        self._slots: list[_Slot] = []
        self._next = 0

    def through(self, windows: Sequence[Tensor], compute: Callable[[Tensor], Tensor]) -> Callable[[], Tensor]:
        """Send windows ``(planes, h, w)``, compute, and return what waits for the result on the CPU.

        Args:
            windows: all of one shape, on the CPU or complete on the device.
            compute: a batch ``(n, planes, h, w)`` on the device to its answer there.
        """
        computing = self._cuda.current_stream(self._device)
        found = compute(self._sent(windows, computing))
        answer = torch.empty(found.shape, dtype=found.dtype, pin_memory=self._pin)
        answer.copy_(found, non_blocking=True)
        done = self._cuda.Event()
        done.record(computing)

        def wait() -> Tensor:
            done.synchronize()
            return answer

        return wait

    def _sent(self, windows: Sequence[Tensor], computing: Any) -> Tensor:
        """Windows as one batch on the device, which the stream that computes may use from now on."""
        if all(window.is_cuda for window in windows):
            for window in windows:
                window.record_stream(computing)
            return torch.stack(list(windows))
        if self._copies is None:
            self._copies = self._cuda.Stream(self._device)
        slot = self._free_slot((len(windows), *windows[0].shape))
        batch = slot.planes[: len(windows)]
        for row, window in zip(batch, windows, strict=True):
            row.copy_(window)
        with self._cuda.stream(self._copies):
            sent = batch.to(self._device, non_blocking=True)
            slot.copied = self._cuda.Event()
            slot.copied.record(self._copies)
        computing.wait_event(slot.copied)
        if sent.is_cuda:
            sent.record_stream(computing)  # its memory is not given to the next copy while it is computed with
        return sent

    def build(self, values: Tensor, valid: Tensor, build: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """What is built of ``values`` and ``valid`` on the device, complete when this returns; any thread may ask.

        Args:
            values: on the CPU.
            valid: likewise.
            build: makes the planes, of both on the device.
        """
        if not hasattr(self._own, "stream"):
            self._own.stream = self._cuda.Stream(self._device)
        stream = self._own.stream
        with self._cuda.stream(stream):
            planes = build(values.to(self._device), valid.to(self._device))
            done = self._cuda.Event()
            done.record(stream)
        done.synchronize()
        return planes

    def _free_slot(self, shape: tuple[int, ...]) -> _Slot:
        """Memory for at least such a batch, the last copy from which is through."""
        if len(self._slots) < SLOTS:
            slot = _Slot(torch.empty(shape, pin_memory=self._pin), None)
            self._slots.append(slot)
            return slot
        slot = self._slots[self._next]
        self._next = (self._next + 1) % SLOTS
        slot.copied.synchronize()
        if len(slot.planes) < shape[0] or slot.planes.shape[1:] != shape[1:]:
            slot.planes = torch.empty(shape, pin_memory=self._pin)
        return slot
