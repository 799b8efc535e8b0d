"""Turns windows of a pair of scenes into probabilities of what is new, and of what is seen on the later date alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..devices import default_batch_size, is_out_of_memory
from ..lean import ready_network
from ..model import Model
from ..planes import SceneScaling, build_planes, planes_for
from ..predict import OutOfMemory, logits_at
from ..protocol import BadInput
from .branch import new_by_rule
from .matching import PairMatch
from .planes import build_change_planes

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass
class PairWindow:
    """One window of both dates: planes (planes, h, w) of each, of their change, and where both are valid (h, w)."""

    later: Tensor
    earlier: Tensor
    change: Tensor
    both: Tensor


@torch.inference_mode()
def pair_window(
    values: tuple[Array, Array],
    valid: tuple[Mask, Mask],
    scalings: tuple[SceneScaling, SceneScaling],
    match: PairMatch,
) -> PairWindow:
    """Planes of a window from what was read of it.

    Args:
        values: (slots, h, w) of the later and of the earlier date, in canonical units.
        valid: (h, w) of both.
        scalings: of both scenes.
        match: how their bands relate.
    """
    now, was = (torch.from_numpy(part)[None] for part in values)
    first, second = (torch.from_numpy(part)[None, None] for part in valid)
    told = build_planes(now, first, scalings[0]), build_planes(was, second, scalings[1])
    both = first & second
    change = build_change_planes(now, was, both, scalings, told, match)
    return PairWindow(told[0][0], told[1][0], change[0], both[0, 0])


class PairPredictor:
    """One hazard of one model, ready for a pair of scenes.

    Where the earlier scene has no valid pixel the answer is that of the later date alone. The decision threshold of
    what is new is brought to that of a single date by a shift of the logits, so that one threshold holds for the whole
    mask.

    Args:
        model: loaded model.
        hazard: one of the card's hazards.
        scalings: of the later and of the earlier scene.
        threshold: decision threshold of a single date.
        device: where to compute.
        batch_size: windows predicted together; halved when memory runs out.
        on_warning: told once for each halving.
    """

    def __init__(
        self,
        model: Model,
        hazard: str,
        scalings: tuple[SceneScaling, SceneScaling],
        threshold: float,
        device: torch.device,
        batch_size: int | None,
        on_warning: Callable[[str], None],
    ) -> None:
        card = model.card
        if card.pretrained_only:
            raise BadInput(
                f"Model '{card.name}' is only pre-trained and cannot compare two dates; choose a trained one."
            )
        self.device = device
        self.batch_size = batch_size or default_batch_size(device)
        self.precision, self.backend, self.channels_last = "fp32", "torch", True
        self._channel = card.hazards.index(hazard)
        self._multiple = card.window_multiple
        self._on_warning = on_warning
        self._networks = [ready_network(model, planes_for(scaling), device) for scaling in scalings]
        self._scales = [tuple(card.scales.get(name, [1])) for name in card.hazards]
        self._branch = self._networks[0].change if card.compares(hazard) else None
        own = card.change_thresholds[hazard] if self._branch is not None else threshold
        self._shift = _logit(threshold) - _logit(own)

    preparers = 1
    planes = None

    def settle(self, windows: Sequence[PairWindow]) -> None:
        """Nothing is to be settled: PyTorch computes pairs."""

    def start(self, windows: Sequence[PairWindow]) -> Callable[[], list[tuple[Tensor, ...]]]:
        """Compute windows, and return what gives their answers; see ``answer``."""
        answers = self.answer(windows)
        return lambda: answers

    def answer(self, windows: Sequence[PairWindow]) -> list[tuple[Tensor, ...]]:
        """Probabilities (h, w) on the CPU of what is new, and of the later date alone, for windows of one size.

        Raises:
            OutOfMemory: when one window at a time does not fit either.
        """
        results: list[tuple[Tensor, ...]] = []
        while len(results) < len(windows):
            part = windows[len(results) : len(results) + self.batch_size]
            try:
                new, alone = self._run(part)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._halve()
                continue
            results += list(zip(new, alone, strict=True))
        return results

    def _halve(self) -> None:
        if self.batch_size == 1:
            raise OutOfMemory(
                f"Memory of {self.device} does not hold one window; close other programs, or choose device cpu."
            )
        self.batch_size //= 2
        self._on_warning(f"Memory of {self.device} ran short: going on with {self.batch_size} windows at a time.")

    def _run(self, windows: Sequence[PairWindow]) -> tuple[Tensor, Tensor]:
        return self.compare(windows, self.tell(windows))

    @torch.inference_mode()
    def tell(self, windows: Sequence[PairWindow]) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """What the model says of the later and of the earlier date, of all hazards: logits of hazards and surface."""
        later, earlier = (
            self._say(network, torch.stack([getattr(window, name) for window in windows]))
            for network, name in zip(self._networks, ("later", "earlier"), strict=True)
        )
        return later, earlier

    @torch.inference_mode()
    def compare(
        self, windows: Sequence[PairWindow], told: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]
    ) -> tuple[Tensor, Tensor]:
        """Probabilities (n, h, w) on the CPU of what is new, and of the later date alone, from what was ``tell``-ed.

        What one predictor of a model and a pair told serves those of its other hazards as well.
        """
        (later, surface), (earlier, was_surface) = told
        if self._branch is None:
            logits = new_by_rule(later, earlier)
        else:
            change = torch.stack([window.change for window in windows]).to(self.device)
            logits = self._branch(change, later, earlier, torch.cat((surface, was_surface), 1))
        both = torch.stack([window.both for window in windows]).to(self.device)
        alone = torch.sigmoid(later[:, self._channel])
        new = torch.sigmoid(logits[:, self._channel].float() + self._shift)
        return torch.where(both, new, alone).cpu(), alone.cpu()

    def _say(self, network: torch.nn.Module, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Hazard logits, each hazard at its own resolutions, and surface logits (n, 1, h, w)."""
        planes = planes.to(self.device, memory_format=torch.channels_last)
        heads = network(planes)
        seen = {1: heads.hazard.float()}  # each resolution once, for all hazards that are looked at in it
        for factor in sorted({factor for own in self._scales for factor in own} - {1}):
            seen[factor] = logits_at(network, planes, (factor,), self._multiple)  # type: ignore[arg-type]
        own = [torch.stack([seen[factor][:, at] for factor in used]).mean(0) for at, used in enumerate(self._scales)]
        return torch.stack(own, 1), heads.surface[:, -1:].float()


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))
