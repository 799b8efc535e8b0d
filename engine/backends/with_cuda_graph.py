"""PyTorch on a CUDA GPU, its work recorded once for each shape of windows and replayed, compiled before or as it is."""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from .base import Exportable
from .exports import cache_folder

MOST_RECORDINGS = 32
"""Shapes that stay recorded: a hazard is seen at up to four resolutions, in batches of up to eight sizes."""
WARM_UPS = 3
"""Answers before a recording, as PyTorch's documentation has it: libraries get ready, what is to be compiled is."""


@dataclass
class Recording:
    """Work on one shape of windows that can be done again and again.

    Attributes:
        planes: (n, planes, h, w), read by each replay.
        logits: (n, hazards, h, w), written by each replay.
        replay: does the work on the current stream.
    """

    planes: Tensor
    logits: Tensor
    replay: Callable[[], None]


class Recorder(Protocol):
    """What records work on a device."""

    def record(self, compute: Callable[[Tensor], Tensor], planes: Tensor) -> Recording:
        """What ``compute`` does with ``planes``, whose place in memory stays the same."""

    def let_go(self) -> None:
        """Told before all recordings are dropped."""


class CudaRecorder:
    """Records CUDA graphs; see https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs.

    All recordings share their memory. That is safe in any order as long as no two are replayed at once and no answer
    has to last beyond the next replay: ``CudaGraphBackend`` copies each.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream: Any = None
        self._pool: Any = None

    def record(self, compute: Callable[[Tensor], Tensor], planes: Tensor) -> Recording:
        """Warm up and record on a stream of its own; raises RuntimeError for what cannot be recorded."""
        with torch.cuda.device(self._device):
            if self._stream is None:
                self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            self._stream.wait_stream(torch.cuda.current_stream())
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.stream(self._stream):
                for _ in range(WARM_UPS):
                    compute(planes)
                # Other threads may call CUDA meanwhile: what they do does not belong to the recording.
                with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"):
                    logits = compute(planes)
            torch.cuda.current_stream().wait_stream(self._stream)
        self._pool = graph.pool()
        return Recording(planes, logits, graph.replay)

    def let_go(self) -> None:
        """Wait for what is under way; the memory goes with the last recording."""
        with contextlib.suppress(RuntimeError):  # a device that failed is told of by what is asked of it next
            torch.cuda.synchronize(self._device)
        self._pool = None


def in_precision(network: nn.Module, half: torch.dtype | None) -> Exportable:
    """A copy whose convolutions have their weights in half precision, as autocast would cast them for each answer."""
    module = Exportable(copy.deepcopy(network))
    if half is not None:
        for part in module.modules():
            if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
                part.to(half)
    return module


class CudaGraphBackend:
    """A network whose work is recorded for each shape of windows when it is first met.

    A batch that is not full is padded: it takes the recording of as many windows as ever came together, or of half as
    many, a quarter and so on, whichever is the smallest that holds it.

    Args:
        network: has ``features`` and ``hazard_head``, on ``device``.
        device: a CUDA device.
        half: precision of its convolutions; None for single.
        recorder: what records; CUDA graphs if None.
    """

    name = "cuda-graph"
    channels_last = True
    halves = True

    def __init__(
        self, network: nn.Module, device: torch.device, half: torch.dtype | None, recorder: Recorder | None = None
    ) -> None:
        self._device = device
        self._half = half
        self._recorder = recorder or CudaRecorder(device)
        self._recordings: dict[tuple[int, ...], Recording] = {}
        self._inputs: dict[tuple[int, ...], Tensor] = {}
        with torch.inference_mode(False):  # tensors made in that mode can be written in that mode only
            self._module = self._ready(in_precision(network, half))

    @torch.inference_mode(False)
    @torch.no_grad()
    def hazard_logits(self, planes: Tensor) -> Tensor:
        """(n, planes, h, w) on the device -> hazard logits (n, hazards, h, w), a copy, on the current stream."""
        recording = self._recording((self._size(planes.shape), *planes.shape[1:]), planes)
        count = len(planes)
        recording.planes[:count].copy_(planes)
        recording.replay()
        return recording.logits[:count].clone()

    def let_go(self) -> None:
        """Give back the memory that recordings hold; they are made again when they are needed."""
        if self._recordings or self._inputs:
            self._recorder.let_go()
            self._recordings.clear()
            self._inputs.clear()

    def _ready(self, module: nn.Module) -> Callable[[Tensor], Tensor]:
        return module

    def _size(self, shape: tuple[int, ...]) -> int:
        """Windows of the recording that takes ``shape[0]`` of them."""
        count = shape[0]
        most = self._inputs.get(tuple(shape[1:]))
        size = count if most is None else max(count, len(most))
        while self.halves and count <= (half := -(-size // 2)) < size:
            size = half
        return size

    def _recording(self, shape: tuple[int, ...], like: Tensor) -> Recording:
        if shape in self._recordings:
            return self._recordings[shape]
        if len(self._recordings) >= MOST_RECORDINGS:
            self.let_go()
        try:
            given = self._inputs.get(shape[1:])
            if given is None or len(given) < shape[0]:
                given = torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)
                given.zero_()
                self._inputs[shape[1:]] = given
            self._recordings[shape] = self._recorder.record(self._compute, given[: shape[0]])
        except BaseException:
            self.let_go()
            raise
        return self._recordings[shape]

    def _compute(self, planes: Tensor) -> Tensor:
        # Without the cache: a cast weight that lies in it is gone when a recording still reads it.
        dtype = self._half or torch.float32
        with torch.autocast(self._device.type, dtype=dtype, enabled=self._half is not None, cache_enabled=False):
            return self._module(planes)


class TorchCompileBackend(CudaGraphBackend):
    """The same with a network that ``torch.compile`` has made kernels for, for one number of windows alone.

    Its mode "reduce-overhead" records too, but for the thread that compiled it only: each scene has a thread of its own
    (https://github.com/pytorch/pytorch/issues/123177).
    """

    name = "torch-compile"
    halves = False  # each number of windows would be compiled for itself

    def _ready(self, module: nn.Module) -> Callable[[Tensor], Tensor]:
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "inductor"))
        return cast(Callable[[Tensor], Tensor], torch.compile(module, dynamic=False, fullgraph=True))
