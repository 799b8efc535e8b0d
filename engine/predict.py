"""Turns windows of a scene into hazard probabilities on the chosen device."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from .backends import HazardLogits, Question, Settled, candidates, require_possible, settle
from .devices import LARGEST_DIFFERENCE, default_batch_size, half_precision, is_out_of_memory
from .lean import ready_network
from .model import Model
from .planes import SceneScaling, build_planes, equal_planes, planes_for
from .priors import physical_prior
from .protocol import BadInput, HazardError
from .transfers import Transfers

Array = npt.NDArray[np.float32]

MOST_PREPARERS = 6
"""Threads that get windows ready for a GPU at most."""


def logits_at(network: HazardLogits, planes: Tensor, factors: Sequence[int], multiple: int) -> Tensor:
    """Hazard logits of windows, averaged over several resolutions: large forms show best from afar.

    Args:
        network: in eval mode, or a backend that computes one.
        planes: (n, planes, h, w), h and w multiples of ``multiple``.
        factors: how many times coarser the windows are seen, 1 for as they are.
        multiple: what the sides of a window must be multiples of.

    Returns:
        (n, hazards, h, w) float32.
    """
    answers = [_logits_from_afar(network, planes, factor, multiple) for factor in factors]
    return answers[0] if len(answers) == 1 else torch.stack(answers).mean(0)


def _logits_from_afar(network: HazardLogits, planes: Tensor, factor: int, multiple: int) -> Tensor:
    if factor == 1:
        return network.hazard_logits(planes).float()
    height, width = planes.shape[-2:]
    small = F.avg_pool2d(planes, factor, ceil_mode=True, count_include_pad=False)
    rows, columns = small.shape[-2:]
    padded = F.pad(small, (0, -columns % multiple, 0, -rows % multiple))
    logits = network.hazard_logits(padded)[..., :rows, :columns].float()
    enlarged = F.interpolate(logits, scale_factor=factor, mode="bilinear", align_corners=False)
    return enlarged[..., :height, :width]


def _batch(windows: Sequence[Tensor]) -> Tensor:
    """Windows ``(planes, h, w)`` as one tensor; a single one is not copied, and keeps the order that its memory has."""
    if len(windows) > 1:
        return torch.stack(list(windows))
    window = windows[0]
    return window.as_strided((1, *window.shape), (window.numel(), *window.stride()))


def _given(answers: list[Tensor]) -> Callable[[], list[tuple[Tensor, ...]]]:
    return lambda: [(probability,) for probability in answers]


class OutOfMemory(HazardError):
    """Even one window at a time does not fit."""

    code = "memory"


@dataclass(frozen=True)
class Wish:
    """Which backend a caller wants.

    Attributes:
        backend: ``torch``, ``auto`` (the fastest) or another of ``backends.BACKENDS``.
        window_px: pixels of all windows together: whether it pays to prepare another backend.
        threshold: probability from which a pixel is hazard.
        note: told what belongs in the log.
        check: asked between steps that take a second; may raise Cancelled.
    """

    backend: str = "torch"
    window_px: int = 0
    threshold: float = 0.5
    note: Callable[[str], None] = lambda text: None
    check: Callable[[], None] = lambda: None


class DeviceFailed(HazardError):
    """A GPU or its driver failed; nothing falls back to the processor by itself."""

    code = "device"


class Predictor:
    """One hazard of one model, ready for a scene: network on the device, batch size and precision settled.

    Planes that this scene leaves empty are dropped from the first convolutions, and of planes that are equal all but
    one, which changes nothing but time.

    Args:
        model: loaded model.
        hazard: one of the card's hazards.
        scaling: of the scene.
        device: where to compute.
        batch_size: windows predicted together; halved when memory runs out.
        on_warning: told what the user should know: once for each halving, and where a backend is refused.
        wish: which backend is wanted, and for how much.

    Raises:
        BadInput: the backend asked for is not installed, or cannot do this network on this device.
    """

    def __init__(
        self,
        model: Model,
        hazard: str,
        scaling: SceneScaling,
        device: torch.device,
        batch_size: int | None,
        on_warning: Callable[[str], None],
        wish: Wish | None = None,
    ) -> None:
        self.device = device
        self.batch_size = batch_size or default_batch_size(device)
        self.precision = "fp32"
        self._half = half_precision(device)
        self._checked = self._half is None
        self._channel = model.card.hazards.index(hazard)
        self._prior_of = hazard if model.card.pretrained_only else None
        self._scales = model.card.scales.get(hazard, [1])
        self._multiple = model.card.window_multiple
        self.scaling = scaling
        used = planes_for(scaling)
        equal = equal_planes(used)
        self._chosen = [plane for plane in used if plane not in equal]
        self._on_warning = on_warning
        self._network = ready_network(model, self._chosen, device, equal)
        wish = wish or Wish()
        self._transfers = Transfers(device) if device.type == "cuda" else None
        if model.card.pretrained_only and wish.backend not in ("auto", "torch"):
            raise BadInput(
                f"Model '{model.card.name}' is only pre-trained: PyTorch alone computes it; choose backend auto or "
                "torch."
            )
        self._question = Question(
            network=self._network,
            wanted="torch" if model.card.pretrained_only and wish.backend == "auto" else wish.backend,
            device=device,
            answer=self._answer,
            threshold=wish.threshold,
            expected_px=round(wish.window_px * sum(1 / factor**2 for factor in self._scales)),
            kept=model.kept,
            warn=on_warning,
            note=wish.note,
            check=wish.check,
            told=(hazard, *self._scales),
        )
        require_possible(self._question)
        self._settled: Settled | None = None

    @property
    def backend(self) -> str:
        """What computes the network: PyTorch, until another one is settled."""
        return self._settled.backend.name if self._settled else "torch"

    @torch.inference_mode()
    def settle_backend(self, windows: Sequence[Tensor]) -> None:
        """Choose what computes the scene, on its first windows ``(planes, h, w)``; PyTorch does until then.

        Raises:
            BadInput: the backend asked for is not installed, or cannot do this network on this device.
            OutOfMemory: when one window does not fit.
        """
        while self._settled is None:
            try:
                self._settled = settle(self._question, self._first(windows))
            except (RuntimeError, MemoryError) as error:
                self._make_room(error)

    def settle(self, windows: Sequence[Tensor]) -> None:
        """Get ready for a scene on its first windows."""
        self.settle_backend(windows)

    @property
    def preparers(self) -> int:
        """Threads that get windows ready: beside a GPU, which one would keep waiting, as many as help."""
        return 1 if self._transfers is None else max(1, min(MOST_PREPARERS, (os.cpu_count() or 1) - 2))

    @torch.inference_mode()
    def planes(self, values: Tensor, valid: Tensor, out: Tensor | None = None) -> Tensor:
        """Planes of a window where they are to be computed with; see ``build_planes``. Several threads may ask.

        They are those that this network needs: of planes that are equal only one.

        Raises:
            DeviceFailed: the GPU does not answer.
        """
        if self._transfers is None:
            return build_planes(values, valid, self.scaling, out, self._chosen)
        try:
            return self._transfers.build(
                values, valid, lambda there, seen: build_planes(there, seen, self.scaling, None, self._chosen)
            )
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise self._device_failed(error) from error
        return build_planes(values, valid, self.scaling, None, self._chosen)

    def let_go(self) -> None:
        """Give back what recordings on a GPU hold, as other work there needs it; they are made again when needed."""
        if self._settled is not None:
            self._settled.let_go()

    def start(self, windows: Sequence[Tensor]) -> Callable[[], list[tuple[Tensor, ...]]]:
        """Begin with windows, and return what waits for their probabilities; see ``predict``.

        A GPU computes meanwhile; everything else has computed when this returns.
        """
        proving = self._settled is not None and self._settled.to_prove > 0
        if self._transfers is None or proving or not self._checked or len(windows) > self.batch_size:
            return _given(self.predict(windows))
        try:
            waiting = self._launch(windows)
        except (RuntimeError, MemoryError) as error:
            self._make_room(error)
            return _given(self.predict(windows))
        return lambda: [(probability,) for probability in self._told(waiting)]

    def predict(self, windows: Sequence[Tensor]) -> list[Tensor]:
        """Planes ``(planes, h, w)`` of several windows, all of one size, to probabilities ``(h, w)`` on the CPU.

        Raises:
            OutOfMemory: when one window at a time does not fit either.
        """
        results: list[Tensor] = []
        while len(results) < len(windows):
            part = self._together(windows[len(results) : len(results) + self.batch_size])
            try:
                results += list(self._run(_batch(part)))
            except (RuntimeError, MemoryError) as error:
                self._make_room(error)
        return results

    @torch.inference_mode()
    def _launch(self, windows: Sequence[Tensor]) -> Callable[[], Tensor]:
        """Begin with windows on a GPU: copies to and from it run beside what it computes."""
        if self._transfers is None:
            raise RuntimeError("There is no GPU to begin on.")  # a fault of the caller
        network = self._settled.backend if self._settled is not None else self._network
        return self._transfers.through(
            windows,
            lambda planes: self._probabilities(
                planes.contiguous(memory_format=torch.channels_last), self._half_in_use, network
            ),
        )

    def _told(self, waiting: Callable[[], Tensor]) -> list[Tensor]:
        try:
            return list(waiting())
        except RuntimeError as error:
            raise self._device_failed(error) from error

    def _make_room(self, error: BaseException) -> None:
        """Go on with fewer windows at a time, or without a backend that failed; raise what is neither."""
        if is_out_of_memory(error):
            self._halve()
        elif not isinstance(error, RuntimeError) or isinstance(error, HazardError):
            raise error
        elif self._settled is not None and self.backend != "torch":
            self._settled.give_up(error)
        elif self.device.type != "cpu":
            raise self._device_failed(error) from error
        else:
            raise error

    def _device_failed(self, error: BaseException) -> DeviceFailed:
        first = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
        return DeviceFailed(
            f"{self.device} failed ({first}); choose device cpu, or repair the driver and the engine and try again."
        )

    def _halve(self) -> None:
        if self.batch_size == 1:
            raise OutOfMemory(
                f"Memory of {self.device} does not hold one window; close other programs, or choose device cpu."
            )
        self.batch_size //= 2
        self.let_go()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self._on_warning(f"Memory of {self.device} ran short: going on with {self.batch_size} windows at a time.")

    def _together(self, windows: Sequence[Tensor]) -> Sequence[Tensor]:
        """Windows on one device: some were built on the CPU where the GPU's memory was full."""
        if len({window.device for window in windows}) == 1:
            return windows
        return [window.cpu() for window in windows]

    @torch.inference_mode()
    def _run(self, planes: Tensor) -> Tensor:
        if self._settled is not None and self._settled.backend.name != "torch":
            return self._settled.probabilities(planes)
        planes = planes.to(self.device).contiguous(memory_format=torch.channels_last)
        if not self._checked:
            self._check_half(planes)
        return self._probabilities(planes, self._half_in_use).cpu()

    @property
    def _half_in_use(self) -> torch.dtype | None:
        return self._half if self.precision != "fp32" else None

    def _first(self, windows: Sequence[Tensor]) -> Tensor:
        """What a backend is settled on: on a GPU as many windows as are computed together, their precision settled."""
        if self.device.type == "cpu" or not candidates(self._question):
            return _batch(windows[:1])
        planes = (
            _batch(self._together(windows[: self.batch_size]))
            .to(self.device)
            .contiguous(memory_format=torch.channels_last)
        )
        if not self._checked:
            self._check_half(planes)
        self._question.half = self._half_in_use
        return planes

    @torch.inference_mode()
    def _answer(self, backend: HazardLogits, planes: Tensor) -> Tensor:
        """Probabilities (n, h, w) as a backend computes them, on the CPU."""
        planes = planes.to(self.device)
        if backend is self._network or getattr(backend, "channels_last", True):
            planes = planes.contiguous(memory_format=torch.channels_last)
        return self._probabilities(planes, self._half_in_use, backend).cpu()

    def _probabilities(self, planes: Tensor, half: torch.dtype | None, network: HazardLogits | None = None) -> Tensor:
        network = self._network if network is None else network
        with torch.autocast(self.device.type, dtype=half or torch.float32, enabled=half is not None):
            if self._prior_of is not None:
                return self._prior_times_natural(planes, self._prior_of)
            logits = logits_at(network, planes, self._scales, self._multiple)[:, self._channel]
        return torch.sigmoid(logits)

    def _prior_times_natural(self, planes: Tensor, hazard: str) -> Tensor:
        """What a model that was never shown a hazard can say: the physical prior, where the ground is not built on."""
        artificial: Tensor = self._network(planes).surface[:, -1].float().sigmoid()
        prior = physical_prior(planes, self._chosen, hazard)
        if prior is None:
            raise BadInput(f"These bands and units give no physical prior of {hazard}; choose another model.")
        return prior * (1 - artificial)

    def _check_half(self, planes: Tensor) -> None:
        """Use half precision only if it agrees on the first windows."""
        full = self._probabilities(planes, None)
        difference = float((full - self._probabilities(planes, self._half)).abs().max())
        self.precision = str(self._half).replace("torch.float", "fp") if difference <= LARGEST_DIFFERENCE else "fp32"
        self._checked = True
