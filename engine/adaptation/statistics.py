"""Batch-normalisation statistics of the scene, blended into those that the network was trained with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..model import HazardNet

Tensors = Mapping[str, Tensor]
Measured = tuple[Tensor, Tensor]

ENTRANCE_ALPHAS = (0.5, 1.0, 0.25)
"""Shares of the scene's own statistics that are tried in the layers next to the bands alone: a sensor's gain or a veil
of haze is undone there, and deeper layers, whose statistics tell what the scene shows, stay as they were trained."""
ALPHAS = (0.25,)
"""Shares that are tried in all layers (Schneider et al. 2020, arXiv 2006.16971, section 3.1, blend the two by sample
counts). More of them cost time and, beside the ones above, gained nothing on simulated shifts; large ones lose all."""


def normalisations(network: nn.Module) -> dict[str, nn.BatchNorm2d]:
    """Batch normalisations by name."""
    return {name: module for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)}


def entrance(network: nn.Module) -> frozenset[str]:
    """Names of the normalisations next to the bands: the first of the encoder, and that of the detail path."""
    names = list(normalisations(network))
    first = next((name for name in names if name.startswith("trunk.encoder.")), None)
    return frozenset(name for name in names if name == first or name.startswith("detail."))


@torch.no_grad()
def blend_statistics(
    network: nn.Module,
    source: Tensors,
    planes: Tensor,
    alpha: float,
    only: Collection[str] | None = None,
    valid: Tensor | None = None,
) -> None:
    """Set statistics to ``alpha`` of the scene's and 1 - ``alpha`` of the source's, layer after layer.

    Each layer's statistics are taken of what the layers before it, already blended, make of the scene: taken of the
    unchanged network they would no longer fit, and the error grows from layer to layer.

    Args:
        network: in eval mode; its running means and variances change.
        source: ``state_dict`` of the source.
        planes: (n, planes, h, w) windows of the scene, in one pass.
        alpha: 0 to 1.
        only: names of the layers that change; None for all.
        valid: (n, h, w) bool, pixels that are measured; None for all.
    """

    def blend(name: str, module: nn.Module, found: Measured) -> None:
        set_blended(module, name, source, found, alpha)

    with _hearing(network, only, blend, valid):
        network(planes.float())


@torch.no_grad()
def entrance_statistics(network: HazardNet, planes: Tensor, valid: Tensor | None = None) -> dict[str, Measured]:
    """Mean and variance of what the layers next to the bands are given of windows, by name; nothing changes.

    Those of valid pixels (n, h, w), of all where not given.

    They are what ``blend_statistics`` takes there, whatever the share: no blended layer lies before them. The pass
    ends where they are known, before most of the network.
    """
    wanted, found = entrance(network), {}
    planes = planes.float().contiguous(memory_format=torch.channels_last)

    def keep(name: str, module: nn.Module, given: Measured) -> None:
        found[name] = given
        if len(found) == len(wanted):
            raise _Enough

    with _hearing(network, wanted, keep, valid), contextlib.suppress(_Enough):
        network.detail(planes)
        network.trunk.encoder(planes)
    return found


def set_blended(module: nn.Module, name: str, source: Tensors, found: Measured, alpha: float) -> None:
    """Set a normalisation's statistics to ``alpha`` of those measured and 1 - ``alpha`` of the source's."""
    for kind, value in zip(("running_mean", "running_var"), found, strict=True):
        getattr(module, kind).copy_(torch.lerp(source[f"{name}.{kind}"].float(), value, alpha))


def measured(field: Tensor, valid: Tensor | None = None) -> Measured:
    """Mean and variance (c,) of a field (n, c, h, w), each place weighed by how much of it is valid.

    Args:
        field: of any resolution.
        valid: (n, h, w) bool, at that of the windows; None where all of it is.
    """
    if valid is None or bool(valid.all()):
        variance, mean = torch.var_mean(field, dim=(0, 2, 3), unbiased=False)
        return mean, variance
    weight = F.adaptive_avg_pool2d(valid[:, None].float(), (field.shape[2], field.shape[3]))
    total = weight.sum().clamp_min(1e-6)
    mean = (field * weight).sum(dim=(0, 2, 3)) / total
    variance = ((field - mean.view(1, -1, 1, 1)) ** 2 * weight).sum(dim=(0, 2, 3)) / total
    return mean, variance


class _Enough(Exception):
    """Ends a pass whose rest is not needed."""


@contextlib.contextmanager
def _hearing(
    network: nn.Module,
    only: Collection[str] | None,
    use: Callable[[str, nn.Module, Measured], None],
    valid: Tensor | None = None,
) -> Iterator[None]:
    """While it lasts, ``use`` is told what each of some layers is given, before the layer is applied to it."""

    def hearing(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def hear(module: nn.Module, given: tuple[Tensor, ...]) -> None:
            use(name, module, measured(given[0].float(), valid))

        return hear

    hooks = [
        module.register_forward_pre_hook(hearing(name))
        for name, module in normalisations(network).items()
        if only is None or name in only
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
