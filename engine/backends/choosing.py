"""Which backend computes a scene: the one asked for, or the fastest as measured here, proven on the scene itself."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..protocol import BadInput
from .base import (
    BACKENDS,
    Backend,
    HazardLogits,
    TorchBackend,
    backend_version,
    can_be_exported,
    is_installed,
    network_digest,
    require_installed,
    structure_digest,
)
from .exports import ExportStore

PAYS_PX = 10_000_000
"""Pixels to compute from which an export (three seconds) and the measurement earn back what they cost."""
LARGEST_DIFFERENCE = 0.005
"""Largest difference of a probability from PyTorch's."""
LARGEST_SHARE = 1e-4
"""Largest share of pixels whose mask may differ from PyTorch's."""
PROVING_WINDOWS = 3
"""Windows in whose corner a new export is compared with PyTorch; of a large scene one is, for a proven one."""
LARGE_WINDOWS = 20
LEAST_GAIN = 0.05
"""Another backend is chosen if it takes this share less time than PyTorch."""
MEASURED_PX = 384
ROUNDS = 3
CHOICES, PROVEN, REFUSED, TRIED = "choices", "proven", "refused", "tried"
TRIED_AGAIN_S = 86_400.0
"""After this time a backend is tried again that did not come back: it ended the engine, or the engine was ended."""
FAILURES = (RuntimeError, ImportError, OSError, ValueError, TypeError, AttributeError, NotImplementedError)
"""What exporters and runtimes raise when they cannot do a network."""


@dataclass
class Question:
    """What is to be computed, and what the caller wants.

    Attributes:
        network: in PyTorch, on ``device``.
        wanted: ``auto`` or one of ``BACKENDS``.
        device: where PyTorch would compute.
        answer: probabilities (n, h, w) of planes (n, planes, h, w), as computed by a backend.
        threshold: probability from which a pixel is hazard.
        expected_px: pixels that are to be computed, all resolutions together.
        kept: backends that are ready, from one scene to the next.
        warn: told what the user should know.
        note: told what belongs in the log.
    """

    network: HazardLogits
    wanted: str
    device: torch.device
    answer: Callable[[HazardLogits, Tensor], Tensor]
    threshold: float = 0.5
    expected_px: int = 0
    kept: dict[str, Any] = field(default_factory=dict)
    warn: Callable[[str], None] = print
    note: Callable[[str], None] = print


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
        part = planes[..., :MEASURED_PX, :MEASURED_PX].contiguous()  # whole windows in two programs take much memory
        seen = found if part.shape == planes.shape else question.answer(self.backend, part)
        trouble = compare(seen, question.answer(question.network, part), question.threshold)
        if trouble is None:
            self.to_prove -= len(planes)
            if self.to_prove <= 0:
                ExportStore().record(PROVEN, self._key, True)
            return found
        ExportStore().record(REFUSED, self._key, trouble)
        text = f"Backend {self.backend.name} differs from PyTorch on this scene ({trouble})"
        if question.wanted != "auto":
            raise BadInput(f"{text}, more than is allowed; choose backend auto or torch.")
        question.warn(f"{text}: PyTorch computes instead.")
        self.backend, self.to_prove = TorchBackend(question.network), 0
        return question.answer(question.network, planes)


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
    if question.device.type != "cpu":
        raise BadInput(
            f"Backend {question.wanted} computes on the processor, not on {question.device}; choose device cpu, or "
            "backend auto or torch."
        )
    if not can_be_exported(question.network):
        raise BadInput(f"Backend {question.wanted} cannot compute this network; choose backend auto or torch.")


def settle(question: Question, planes: Tensor) -> Settled:
    """Choose the backend for a scene.

    Args:
        question: what is wanted.
        planes: (n, planes, h, w), the scene's first windows.

    Raises:
        BadInput: the backend asked for is not installed, cannot do this network, or not on this device.
    """
    require_possible(question)
    plain = Settled(question, TorchBackend(question.network))
    if question.wanted not in ("auto", "torch"):
        return _settled(question, question.wanted, planes)
    names = [name for name in BACKENDS if name != "torch" and is_installed(name)]
    exportable = question.device.type == "cpu" and can_be_exported(question.network)
    if question.wanted == "torch" or not names or not exportable:
        return plain
    store = ExportStore()
    key = _choice_key(question, planes, names)
    recorded = store.records(CHOICES).get(key)
    chosen = recorded.get("backend") if isinstance(recorded, dict) else None
    pays = question.expected_px >= PAYS_PX
    if chosen not in ("torch", *names):
        if not pays:
            return plain
        chosen = _measure(question, names, planes, store, key)
    if chosen == "torch":
        return plain
    export_key = _export_key(question.network, chosen, planes.shape[1])
    if not (pays or export_key in question.kept or store.has(export_key)):
        return plain  # making it would take longer than it saves
    if export_key in store.records(REFUSED):
        return plain
    try:
        return _settled(question, chosen, planes)
    except FAILURES as error:
        question.note(f"Backend {chosen} cannot be used ({_first_line(error)}): PyTorch computes.")
        return plain


def _settled(question: Question, name: str, planes: Tensor) -> Settled:
    """A backend made ready, and how many windows are to be compared with PyTorch."""
    key = _export_key(question.network, name, planes.shape[1])
    try:
        sample = planes[:1, :, :MEASURED_PX, :MEASURED_PX]
        backend = _tried(question, name, key, sample)
    except FAILURES as error:
        if question.wanted == "auto" or isinstance(error, BadInput):
            raise
        raise BadInput(
            f"Backend {name} cannot compute this network ({_first_line(error)}); choose backend auto or torch."
        ) from None
    to_prove = PROVING_WINDOWS
    if ExportStore().records(PROVEN).get(key) is True:
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
        question.answer(backend, sample.contiguous())
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
    if name == "openvino":
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
    files = export()
    store.store(key, files)
    return files


def _module(question: Question) -> nn.Module:
    return cast(nn.Module, question.network)


def _measure(question: Question, names: list[str], planes: Tensor, store: ExportStore, key: str) -> str:
    """The fastest backend on a part of the first window, and record it: later runs choose the same."""
    sample = planes[:1, :, :MEASURED_PX, :MEASURED_PX].contiguous()
    ready: dict[str, Backend] = {"torch": TorchBackend(question.network)}
    for name in names:
        try:
            ready[name] = _tried(question, name, _export_key(question.network, name, planes.shape[1]), sample)
        except FAILURES as error:
            ready.pop(name, None)
            question.note(f"Backend {name} cannot be used ({_first_line(error)}).")
    question.answer(ready["torch"], sample)
    seconds = {name: float("inf") for name in ready}
    for _ in range(ROUNDS):
        for name, backend in ready.items():
            began = time.perf_counter()
            question.answer(backend, sample)
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    fastest = min(seconds, key=lambda name: seconds[name])
    chosen = fastest if seconds[fastest] < (1 - LEAST_GAIN) * seconds["torch"] else "torch"
    store.record(CHOICES, key, {"backend": chosen, "seconds": {name: round(s, 4) for name, s in seconds.items()}})
    took = ", ".join(f"{name} {1000 * s:.0f} ms" for name, s in seconds.items())
    question.note(f"Backend {chosen} is chosen, by measurement ({took} for {sample.shape[-1]} pixels square).")
    if chosen in names:
        kept = _export_key(question.network, chosen, planes.shape[1])
        question.kept.clear()
        question.kept[kept] = ready[chosen]
    else:
        question.kept.clear()
    return chosen


def _choice_key(question: Question, planes: Tensor, names: list[str]) -> str:
    """What a measurement holds for: this machine, so many threads, networks of this structure, these versions."""
    return _hash(
        {
            "machine": [platform.system(), platform.machine(), _processor(), os.cpu_count()],
            "threads": torch.get_num_threads(),
            "structure": structure_digest(_module(question)),
            "planes": planes.shape[1],
            "versions": {name: backend_version(name) for name in ("torch", *names)},
        }
    )


def _export_key(network: HazardLogits, name: str, planes: int) -> str:
    """What an export holds for: these weights, these planes, these versions."""
    return _hash(
        {
            "network": network_digest(cast(nn.Module, network)),
            "planes": planes,
            "backend": name,
            "versions": [backend_version(name), backend_version("torch")],
        }
    )


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


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")[:200]
