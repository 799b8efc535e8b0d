"""Which backend computes a scene: the one asked for, or the fastest as measured here, proven on the scene itself."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..ahead import waited_for
from ..devices import is_out_of_memory
from ..protocol import BadInput
from .base import (
    BACKENDS,
    DEVICE_TYPES,
    Backend,
    HazardLogits,
    TorchBackend,
    can_be_exported,
    require_installed,
    usable,
)
from .exports import ExportStore
from .keys import choice_key, export_key, proof_key
from .with_cuda_graph import CudaGraphBackend, TorchCompileBackend

PAYS_PX = 10_000_000
"""Pixels to compute from which an export (three seconds) and the measurement earn back what they cost."""
CONSIDERED_PX = {"cuda-graph": 100_000_000, "torch-compile": 10_000_000_000}
"""Pixels from which the choice considers a backend at all. A GPU takes a second for the first figure, compiling takes a
minute and more. Neither figure was measured on a GPU."""
LARGEST_DIFFERENCE = 0.005
"""Largest difference of a probability from PyTorch's."""
LARGEST_SHARE = 1e-4
"""Largest share of pixels whose mask may differ from PyTorch's."""
PROVING_WINDOWS = 3
"""Windows that a new export is compared with PyTorch on, for each hazard; of a large scene one is, for a proven one."""
LARGE_WINDOWS = 20
LEAST_GAIN = 0.05
"""Another backend is chosen if it takes this share less time than PyTorch."""
MEASURED_PX = 384
ROUNDS = 3
CHOICES, PROVEN, REFUSED, TRIED = "choices", "proven", "refused", "tried"
TRIED_AGAIN_S = 86_400.0
"""After this time a backend is tried again that did not come back: it ended the engine, or the engine was ended."""
FAILURES = (RuntimeError, ImportError, OSError, ValueError, TypeError, AttributeError, subprocess.SubprocessError)
"""What exporters and runtimes raise when they cannot do a network."""
_EXPORTING = threading.Lock()


@dataclass
class Question:
    """What is to be computed, and what the caller wants.

    Attributes:
        network: in PyTorch, on ``device``.
        wanted: ``auto`` or one of ``BACKENDS``.
        device: where PyTorch would compute.
        answer: probabilities (n, h, w) of planes (n, planes, h, w), as computed by a backend.
        threshold: probability from which a pixel is hazard.
        half: precision in which a GPU computes; None for single.
        expected_px: pixels that are to be computed, all resolutions together.
        kept: backends that are ready, from one scene to the next.
        warn: told what the user should know.
        note: told what belongs in the log.
        check: asked between steps that take a second; may raise Cancelled.
        told: what the answer tells, such as of which hazard: a proof holds for that and the threshold alone.
    """

    network: HazardLogits
    wanted: str
    device: torch.device
    answer: Callable[[HazardLogits, Tensor], Tensor]
    threshold: float = 0.5
    half: torch.dtype | None = None
    expected_px: int = 0
    kept: dict[str, Any] = field(default_factory=dict)
    warn: Callable[[str], None] = print
    note: Callable[[str], None] = print
    check: Callable[[], None] = lambda: None
    told: tuple[Any, ...] = ()


class Settled:
    """The backend of a scene, proven on its first windows.

    Attributes:
        backend: computes the windows.
        to_prove: windows that are still to be compared with PyTorch.
    """

    def __init__(self, question: Question, backend: Backend, key: str = "", to_prove: int = 0) -> None:
        self.backend = backend
        self.to_prove = to_prove
        self._question = question
        self._key = key

    def probabilities(self, planes: Tensor) -> Tensor:
        """Probabilities (n, h, w); compared with PyTorch's as long as that is to be done.

        Raises:
            BadInput: the backend that was asked for differs from PyTorch.
        """
        question = self._question
        found = question.answer(self.backend, planes)
        if self.to_prove <= 0:
            return found
        if DEVICE_TYPES.get(self.backend.name) == "cpu":  # a window's features in two programs take much memory
            self.backend.let_go()
        expected = question.answer(question.network, planes)
        trouble = compare(found, expected, question.threshold)
        if trouble is None:
            self.to_prove -= len(planes)
            if self.to_prove <= 0:
                ExportStore().record(PROVEN, _proof(question, self._key), True)
            return found
        ExportStore().record(REFUSED, self._key, trouble)
        self._fall_back(f"Backend {self.backend.name} differs from PyTorch on this scene ({trouble})")
        return expected

    def give_up(self, error: BaseException) -> None:
        """Leave the rest to PyTorch after a failure; raises BadInput where the backend was asked for."""
        self._fall_back(f"Backend {self.backend.name} failed ({_first_line(error)})")

    def let_go(self) -> None:
        """Give back the memory that recordings hold on a GPU; they are made again when they are needed."""
        if isinstance(self.backend, CudaGraphBackend):
            self.backend.let_go()

    def _fall_back(self, text: str) -> None:
        question = self._question
        if question.wanted != "auto":
            raise BadInput(f"{text}; choose backend auto or torch.")
        question.warn(f"{text}: PyTorch computes instead.")
        self.let_go()
        self.backend, self.to_prove = TorchBackend(question.network), 0


def compare(found: Tensor, expected: Tensor, threshold: float) -> str | None:
    """How far probabilities are from what they should be; None where that is not more than is allowed."""
    if not bool(torch.isfinite(found).all()):
        return "values that are not numbers"
    difference = float((found - expected).abs().max())
    share = float(((found >= threshold) != (expected >= threshold)).float().mean())
    if difference > LARGEST_DIFFERENCE or share > LARGEST_SHARE:
        return f"by {difference:.3g} in probability, {share:.2%} of the mask"
    return None


def require_possible(question: Question) -> None:
    """Raise BadInput where the backend asked for is not installed, or cannot do this network on this device."""
    if question.wanted in ("auto", "torch"):
        return
    require_installed(question.wanted)
    place = DEVICE_TYPES[question.wanted]
    if question.device.type != place:
        raise BadInput(
            f"Backend {question.wanted} computes on {'the processor' if place == 'cpu' else 'a CUDA GPU'}, not on "
            f"{question.device}; choose device {place}, or backend auto or torch."
        )
    if not can_be_exported(question.network):
        raise BadInput(f"Backend {question.wanted} cannot compute this network; choose backend auto or torch.")


def candidates(question: Question) -> list[str]:
    """What may compute instead of PyTorch: the backend asked for, or those that the choice is from."""
    if question.wanted != "auto":
        return [name for name in (question.wanted,) if name != "torch"]
    if not can_be_exported(question.network):
        return []
    names = [name for name in BACKENDS if name != "torch" and usable(name, question.device)]
    return [name for name in names if question.expected_px >= CONSIDERED_PX.get(name, 0)]


def settle(question: Question, planes: Tensor) -> Settled:
    """Choose the backend for a scene.

    Args:
        question: what is wanted.
        planes: (n, planes, h, w), the scene's first windows; on a GPU as many as are computed together, there.

    Raises:
        BadInput: the backend asked for is not installed, cannot do this network, or not on this device.
        RuntimeError, MemoryError: for want of memory.
    """
    require_possible(question)
    plain = Settled(question, TorchBackend(question.network))
    if question.wanted not in ("auto", "torch"):
        return _settled(question, question.wanted, planes)
    names = candidates(question)
    if not names:
        return plain
    store = ExportStore()
    key = choice_key(_module(question), planes, names, question.device, question.half)
    recorded = store.records(CHOICES).get(key)
    chosen = recorded.get("backend") if isinstance(recorded, dict) else None
    pays = question.expected_px >= PAYS_PX
    if chosen not in ("torch", *names):
        if not pays:
            return plain
        chosen = _measure(question, names, planes, store, key)
    if chosen == "torch":
        return plain
    made = _key(question, chosen, planes)
    if not (pays or made in question.kept or store.has(made)):
        return plain  # making it would take longer than it saves
    if made in store.records(REFUSED):
        return plain
    try:
        return _settled(question, chosen, planes)
    except FAILURES as error:
        question.note(f"Backend {chosen} cannot be used ({_first_line(error)}): PyTorch computes.")
        return plain


def _settled(question: Question, name: str, planes: Tensor) -> Settled:
    """A backend made ready, and how many windows are to be compared with PyTorch."""
    key = _key(question, name, planes)
    try:
        backend = _tried(question, name, key, _sample(question, planes))
    except FAILURES as error:
        if question.wanted == "auto" or isinstance(error, BadInput) or is_out_of_memory(error):
            raise
        raise BadInput(
            f"Backend {name} cannot compute this network ({_first_line(error)}); choose backend auto or torch."
        ) from None
    to_prove = PROVING_WINDOWS
    if ExportStore().records(PROVEN).get(_proof(question, key)) is True:
        to_prove = 1 if question.expected_px >= LARGE_WINDOWS * planes[0, 0].numel() else 0
    return Settled(question, backend, key, to_prove)


def _tried(question: Question, name: str, key: str, sample: Tensor) -> Backend:
    """A backend that has answered once; one that ended the engine in doing so is not asked again of its own accord."""
    store = ExportStore()
    tried = store.records(TRIED).get(key)
    if tried == "answers":
        return _make(question, name, key, sample.shape[1])
    if question.wanted == "auto" and isinstance(tried, float) and 0 <= time.time() - tried < TRIED_AGAIN_S:
        raise RuntimeError("it did not come back when it was tried")
    store.record(TRIED, key, time.time())
    try:
        backend = _make(question, name, key, sample.shape[1])
        question.check()
        question.answer(backend, sample)
    except BaseException:
        store.record(TRIED, key, "fails")
        raise
    store.record(TRIED, key, "answers")
    return backend


def _make(question: Question, name: str, key: str, planes: int) -> Backend:
    """A backend from memory, from the store, or exported now."""
    if key in question.kept:
        return cast(Backend, question.kept[key])
    store = ExportStore()
    files = store.load(key)
    backend: Backend
    if name in ("cuda-graph", "torch-compile"):
        kind = CudaGraphBackend if name == "cuda-graph" else TorchCompileBackend
        backend = kind(_module(question), question.device, question.half)
    elif name == "openvino":
        from . import with_openvino

        backend = with_openvino.OpenVinoBackend(
            files or _export(question, store, key, lambda: with_openvino.export(_module(question), planes))
        )
    else:
        from . import with_onnxruntime

        backend = with_onnxruntime.OnnxRuntimeBackend(
            files or _export(question, store, key, lambda: with_onnxruntime.export(_module(question), planes))
        )
    question.kept.clear()  # one is enough: each holds its windows' features
    question.kept[key] = backend
    return backend


def _export(
    question: Question, store: ExportStore, key: str, export: Callable[[], dict[str, bytes]]
) -> dict[str, bytes]:
    question.note("Preparing the network for a faster backend, once.")

    def exported() -> dict[str, bytes]:
        files = export()
        store.store(key, files)
        return files

    return waited_for(exported, question.check, _EXPORTING, "exporting")


def _module(question: Question) -> nn.Module:
    return cast(nn.Module, question.network)


def _key(question: Question, name: str, planes: Tensor) -> str:
    return export_key(_module(question), name, planes.shape[1], question.device, question.half)


def _proof(question: Question, key: str) -> str:
    return proof_key(key, question.threshold, question.told)


def _sample(question: Question, planes: Tensor) -> Tensor:
    """What backends are tried and measured on: whole windows on a GPU, which takes many at once, else a part of one."""
    if question.device.type != "cpu":
        return planes
    return planes[:1, :, :MEASURED_PX, :MEASURED_PX].contiguous()


def _measure(question: Question, names: list[str], planes: Tensor, store: ExportStore, key: str) -> str:
    """The fastest backend on the first windows, and record it: later runs choose the same."""
    sample = _sample(question, planes)
    ready: dict[str, Backend] = {"torch": TorchBackend(question.network)}
    for name in names:
        try:
            ready[name] = _tried(question, name, _key(question, name, planes), sample)
        except FAILURES as error:
            ready.pop(name, None)
            question.note(f"Backend {name} cannot be used ({_first_line(error)}).")
    question.answer(ready["torch"], sample)
    seconds = {name: float("inf") for name in ready}
    for _ in range(ROUNDS):
        for name, backend in ready.items():
            question.check()
            began = time.perf_counter()
            question.answer(backend, sample)
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    fastest = min(seconds, key=lambda name: seconds[name])
    chosen = fastest if seconds[fastest] < (1 - LEAST_GAIN) * seconds["torch"] else "torch"
    store.record(CHOICES, key, {"backend": chosen, "seconds": {name: round(s, 4) for name, s in seconds.items()}})
    took = ", ".join(f"{name} {1000 * s:.0f} ms" for name, s in seconds.items())
    count, _, height, width = sample.shape
    question.note(f"Backend {chosen} is chosen, by measurement ({took} for {count} x {height} x {width} pixels).")
    question.kept.clear()
    if chosen in names:
        question.kept[_key(question, chosen, planes)] = ready[chosen]
    return chosen


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")[:200]
