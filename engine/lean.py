"""Rewritings of a network that leave its answers as they are and take less time: for inference alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .model import HazardNet, Join, Model, first_convolution

MOST_READY = 3
"""Networks that stay with their model: of a scene, and of the two of a pair."""


def ready_network(
    model: Model, planes: Sequence[int], device: torch.device, equal: Mapping[int, int] | None = None
) -> HazardNet:
    """A model's network for scenes with these planes, as it is computed with; it is made once, and not to be changed.

    Making one takes a sixth of a second: as long as the network needs for a window.

    Args:
        model: loaded; keeps it.
        planes: see ``HazardNet.restricted_to``.
        device: where it will compute.
        equal: see ``HazardNet.restricted_to``.
    """
    key = tuple(planes), tuple((equal or {}).items()), str(device)
    network = model.ready.pop(key, None)
    if network is None:
        network = lean(model.network.restricted_to(planes, equal).eval(), device, model.card.window_multiple)
    for oldest in list(model.ready)[: max(0, len(model.ready) - MOST_READY + 1)]:
        model.ready.pop(oldest, None)  # another thread may have taken it
    model.ready[key] = network  # the one used last stays longest
    return network


def lean(network: HazardNet, device: torch.device, multiple: int, *, fold: bool = True) -> HazardNet:
    """A network as it is computed with on a device; equal but for rounding. What is given is used up.

    Args:
        network: in eval mode, on the CPU.
        device: where it will compute; what is only known to help on processors is done for them alone.
        multiple: what the sides of its windows must be multiples of.
        fold: whether batch normalisations vanish in the convolutions before them. Those that stay, as they are to
            change, keep their names; the decoder's convolutions cannot learn any more.
    """
    if fold:
        fold_batch_norm(network)
    compiled_for = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if isinstance(network, HazardNet) and device.type == "cpu" and compiled_for:
        _enlarge_with_convolutions(network, multiple)
        _join_by_sums(network)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.to(device)


def fold_batch_norm(network: HazardNet) -> HazardNet:
    """Fold each batch normalisation that follows a convolution into its weights, in place: equal, and a tenth faster.

    Only in sequences, where the order of use is certain. For inference alone.
    """
    for module in network.modules():
        if not isinstance(module, nn.Sequential):
            continue
        parts = list(module.named_children())
        for (name, first), (next_name, second) in itertools.pairwise(parts):
            if isinstance(first, nn.Conv2d) and type(second) is nn.BatchNorm2d:
                setattr(module, name, fuse_conv_bn_eval(first, second))
                setattr(module, next_name, nn.Identity())
    return network


class EnlargingConvolution(nn.Module):
    """Doubles features by their nearest pixel and convolves them 3x3 with those beside them, without enlarging them.

    That is a transposed convolution of 4x4 with stride 2, each tap the sum of those that met the same pixel: 4 products
    a pixel instead of 9. Those beside are convolved apart and added, so that the two need not be copied together.

    Args:
        convolution: 3x3.
        features: how many of its channels are the enlarged ones; they come first.
    """

    def __init__(self, convolution: nn.Conv2d, features: int) -> None:
        super().__init__()
        bias = convolution.bias is not None
        self.enlarge = nn.ConvTranspose2d(features, convolution.out_channels, 4, stride=2, padding=1, bias=bias)
        weight = convolution.weight.detach()
        taps = _summed_taps(_summed_taps(weight[:, :features], 2), 3)
        self.enlarge.weight = nn.Parameter(taps.transpose(0, 1).contiguous(), requires_grad=False)
        if convolution.bias is not None:
            self.enlarge.bias = nn.Parameter(convolution.bias.detach().clone(), requires_grad=False)
        self.beside = _part_of(convolution, slice(features, None)) if convolution.in_channels > features else None

    def forward(self, given: tuple[Tensor, Tensor | None]) -> Tensor:
        """Features (n, c, h, w), and those beside them (n, s, 2 h, 2 w) or None -> (n, d, 2 h, 2 w)."""
        features, beside = given
        enlarged = cast(Tensor, self.enlarge(features))
        if self.beside is None or beside is None:
            return enlarged
        return enlarged + cast(Tensor, self.beside(beside))


class EnlargingBlock(nn.Module):
    """A block of the library's U-Net or U-Net++ decoder without its enlarged features, which hold every value four
    times. What it has of the block keeps its name.

    Args:
        block: with a 3x3 convolution first.
        features: how many of that convolution's channels are the enlarged ones.
    """

    def __init__(self, block: nn.Module, features: int) -> None:
        super().__init__()
        first = list(cast(nn.Sequential, block.conv1))
        self.conv1 = nn.Sequential(EnlargingConvolution(cast(nn.Conv2d, first[0]), features), *first[1:])
        self.conv2 = cast(nn.Module, block.conv2)
        self.attention2 = cast(nn.Module, block.attention2)

    def forward(self, features: Tensor, *others: Tensor, skip_connection: Tensor | None = None) -> Tensor:
        """As the two decoders call their blocks: features (n, c, h, w) and those beside them (n, s, 2 h, 2 w)."""
        beside = others[0] if skip_connection is None and others else skip_connection
        return cast(Tensor, self.attention2(self.conv2(self.conv1((features, beside)))))


class SumOfConvolutions(nn.Module):
    """One convolution of trunk and detail side by side, of each apart and added: they need not be copied together."""

    def __init__(self, convolution: nn.Conv2d, trunk: int) -> None:
        super().__init__()
        self.trunk = _part_of(convolution, slice(None, trunk))
        self.trunk.bias = convolution.bias
        self.detail = _part_of(convolution, slice(trunk, None))

    def forward(self, given: tuple[Tensor, Tensor]) -> Tensor:
        """Features of the trunk and of the detail path (n, c, h, w) -> (n, d, h, w)."""
        return cast(Tensor, self.trunk(given[0]) + self.detail(given[1]))


class SummedJoin(nn.Sequential):
    """The join of trunk and detail; what it has of ``Join`` keeps its name."""

    def __init__(self, join: Join, trunk: int) -> None:
        first, *rest = join
        super().__init__(SumOfConvolutions(cast(nn.Conv2d, first), trunk), *rest)

    def forward(self, trunk: Tensor, detail: Tensor) -> Tensor:  # type: ignore[override]
        """As ``Join``."""
        return cast(Tensor, super().forward((trunk, detail)))  # type: ignore[no-untyped-call]


def _join_by_sums(network: HazardNet) -> None:
    if isinstance(network.join, Join):
        detail = first_convolution(network.detail).out_channels
        network.join = SummedJoin(network.join, cast(nn.Conv2d, network.join[0]).in_channels - detail)


def _enlarge_with_convolutions(network: HazardNet, multiple: int) -> None:
    """Let blocks of the decoder that double their features and convolve them do both at once."""
    decoder = network.trunk.decoder
    found: dict[nn.Module, int] = {}

    def note(block: nn.Module, given: tuple[Tensor, ...], named: dict[str, Tensor], told: Tensor) -> None:
        beside = named.get("skip_connection", given[1] if len(given) == 2 else None)
        doubled = told.shape[-2:] == tuple(2 * side for side in given[0].shape[-2:])
        weighed = beside is not None and not isinstance(cast(Any, block).attention1.attention, nn.Identity)
        if doubled and not weighed:
            found[block] = given[0].shape[1]

    blocks = [block for _, block in _named_blocks(decoder) if _enlarges(block)]
    if not blocks:  # it may be so already
        return
    hooks = [block.register_forward_hook(note, with_kwargs=True) for block in blocks]
    planes = first_convolution(network.detail).in_channels
    with torch.no_grad():
        network.features(torch.zeros((1, planes, 2 * multiple, 2 * multiple)))
    for hook in hooks:
        hook.remove()
    for name, block in _named_blocks(decoder):
        if block in found:
            decoder.blocks[name] = EnlargingBlock(block, found[block])


def _named_blocks(decoder: nn.Module) -> Iterator[tuple[str | int, nn.Module]]:
    """The decoder's blocks by what they are kept under: in a list or, of U-Net++, by name."""
    blocks = getattr(decoder, "blocks", ())
    return iter(list(blocks.items()) if isinstance(blocks, nn.ModuleDict) else list(enumerate(blocks)))


def _enlarges(block: nn.Module) -> bool:
    """Whether a block doubles features by their nearest pixels and then convolves them 3x3."""
    first = getattr(block, "conv1", None)
    if not isinstance(first, nn.Sequential) or getattr(block, "interpolation_mode", "") != "nearest":
        return False
    convolution = first[0]
    return (
        isinstance(convolution, nn.Conv2d)
        and convolution.kernel_size == (3, 3)
        and convolution.padding == (1, 1)
        and (convolution.stride, convolution.dilation, convolution.groups) == ((1, 1), (1, 1), 1)
        and convolution.padding_mode == "zeros"
    )


def _summed_taps(weight: Tensor, axis: int) -> Tensor:
    """Three taps along an axis -> the four of the transposed convolution: of an enlarged pixel each neighbour is met
    by one tap or by two.
    """
    first, middle, last = weight.unbind(axis)
    return torch.stack((last, middle + last, first + middle, first), axis)


def _part_of(convolution: nn.Conv2d, channels: slice) -> nn.Conv2d:
    """A convolution of some of the channels, without bias."""
    weight = convolution.weight.detach()[:, channels].contiguous()
    part = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1, bias=False)
    part.weight = nn.Parameter(weight, requires_grad=False)
    return part
