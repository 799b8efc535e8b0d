"""The network in OpenVINO: converted from PyTorch directly, in single precision."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .base import Exportable

MOST_SHAPES = 3
"""Shapes of windows that stay compiled: a scene has one, or one a resolution; each holds its features in memory."""
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
    """An exported network, compiled for each shape of windows when it is first met."""

    name = "openvino"
    channels_last = False

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)
        self._openvino = _openvino()
        self._core = self._openvino.Core()
        self._requests: dict[tuple[int, ...], Any] = {}

    def hazard_logits(self, planes: Tensor) -> Tensor:
        """(n, planes, h, w) -> hazard logits (n, hazards, h, w)."""
        request = self._request(tuple(planes.shape))
        answer = request.infer([planes.contiguous().numpy()], share_inputs=True, share_outputs=True)
        return torch.from_numpy(answer[0].copy())

    def let_go(self) -> None:
        """Give back what is compiled, with its windows' features; the next window has it compiled again."""
        self._requests.clear()

    def _request(self, shape: tuple[int, ...]) -> Any:
        request = self._requests.pop(shape, None)
        if request is None:
            while len(self._requests) >= MOST_SHAPES:
                del self._requests[next(iter(self._requests))]
            model = self._core.read_model(model=self._files[MODEL], weights=self._files[WEIGHTS])
            model.reshape(list(shape))
            compiled = self._core.compile_model(
                model,
                "CPU",
                {
                    "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_PRECISION_HINT": "f32",  # what it would choose by itself on some processors is bf16
                    "INFERENCE_NUM_THREADS": torch.get_num_threads(),
                    "ENABLE_CPU_PINNING": False,
                },
            )
            request = compiled.create_infer_request()
        self._requests[shape] = request  # the one used last stays longest
        return request
