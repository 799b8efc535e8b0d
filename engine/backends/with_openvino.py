"""The network in OpenVINO: converted from PyTorch directly, in single precision."""

from __future__ import annotations

import contextlib
import queue
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .base import Exportable

MOST_SHAPES = 3
"""Shapes of windows that stay compiled: a scene has one, or one a resolution; each holds its features in memory."""
_FIRST = threading.Lock()
"""Held by the first inference of this process. OpenVINO's binding sets itself up in it, and keeps a lock of its own
while it waits for the interpreter's: a second thread that meets it there waits for the first for ever."""
_SET_UP = threading.Event()
TRACED_PX = 64
MODEL, WEIGHTS = "model.xml", "model.bin"


@contextlib.contextmanager
def _without_telemetry() -> Iterator[None]:
    """OpenVINO's converter tells its makers of every use where it can; the engine never reaches the network."""
    name = "openvino_telemetry"
    before = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]  # importing it fails, which the converter provides for
    try:
        yield
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before


def _openvino() -> Any:
    with _without_telemetry():
        import openvino
    return openvino


def export(network: nn.Module, planes: int) -> dict[str, bytes]:
    """The network as files, for windows of any size."""
    openvino = _openvino()
    example = torch.zeros((1, planes, TRACED_PX, TRACED_PX))
    with torch.no_grad(), _without_telemetry(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing, which the converter uses, is the older way
        converted = openvino.convert_model(
            Exportable(network), example_input=example, input=openvino.PartialShape([-1, planes, -1, -1])
        )
    model, weights = _serialised(openvino, converted)
    return {MODEL: model, WEIGHTS: weights}


def _serialised(openvino: Any, converted: Any) -> tuple[bytes, bytes]:
    with tempfile.TemporaryDirectory(prefix="hazard-export-") as folder:
        path = Path(folder) / MODEL
        openvino.save_model(converted, str(path), compress_to_fp16=False)
        return path.read_bytes(), path.with_suffix(".bin").read_bytes()


class OpenVinoBackend:
    """An exported network, compiled for each shape of windows when it is first met.

    Attributes:
        streams: how many windows are computed at once, each by its share of the threads: where windows come one after
            another that takes less time than all threads for one, which wait for each other after every layer.
    """

    name = "openvino"
    channels_last = False

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.streams = 1
        self._files = dict(files)
        self._openvino = _openvino()
        self._core = self._openvino.Core()
        self._requests: dict[tuple[int, ...], queue.SimpleQueue[Any]] = {}
        self._compiling = threading.Lock()

    def divide(self, streams: int) -> None:
        """Compute so many windows at once from now on, where so many threads ask; none may ask meanwhile."""
        streams = max(1, min(streams, torch.get_num_threads()))
        if streams != self.streams:
            self.streams = streams
            self._requests.clear()

    def hazard_logits(self, planes: Tensor) -> Tensor:
        """(n, planes, h, w) -> hazard logits (n, hazards, h, w)."""
        idle = self._idle(tuple(planes.shape))
        request = idle.get()
        try:
            if _SET_UP.is_set():
                return self._infer(request, planes)
            with _FIRST:
                found = self._infer(request, planes)
                _SET_UP.set()
                return found
        finally:
            idle.put(request)

    @staticmethod
    def _infer(request: Any, planes: Tensor) -> Tensor:
        answer = request.infer([planes.contiguous().numpy()], share_inputs=True, share_outputs=True)
        return torch.from_numpy(answer[0].copy())

    def _idle(self, shape: tuple[int, ...]) -> queue.SimpleQueue[Any]:
        """Requests of a shape that nobody uses."""
        with self._compiling:
            idle = self._requests.pop(shape, None)
            if idle is None:
                while len(self._requests) >= MOST_SHAPES:
                    del self._requests[next(iter(self._requests))]
                idle = self._compile(shape)
            self._requests[shape] = idle  # the one used last stays longest
            return idle

    def _compile(self, shape: tuple[int, ...]) -> queue.SimpleQueue[Any]:
        model = self._core.read_model(model=self._files[MODEL], weights=self._files[WEIGHTS])
        model.reshape(list(shape))
        settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "f32",  # what it would choose by itself on some processors is bf16
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "ENABLE_CPU_PINNING": False,
        }
        if self.streams > 1:
            settings |= {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": self.streams}
        else:
            settings["PERFORMANCE_HINT"] = "LATENCY"
        compiled = self._core.compile_model(model, "CPU", settings)
        idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(self.streams):
            idle.put(compiled.create_infer_request())
        return idle
