"""The network: build it from its card, load and save it as data that cannot run code."""

import contextlib
import copy
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import safetensors
import torch
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor, nn

from .before.branch import ChangeBranch
from .cards import (
    CARD,
    CARD_LIMIT_BYTES,
    CHECKSUMS,
    WEIGHTS,
    WEIGHTS_LIMIT_BYTES,
    ModelCard,
    card_to_json,
    default_model,
    find_model,
    find_parent,
    is_bundled,
    list_models,
    read_card,
    read_checked,
    weights_digest,
)
from .compat_torch import import_library
from .planes import PLANES
from .protocol import BadInput

__all__ = [
    "HazardNet",
    "Heads",
    "Model",
    "ModelCard",
    "build_network",
    "build_to_train",
    "default_model",
    "list_models",
    "load_model",
    "require_runs",
    "save_adapted",
    "save_card",
    "save_model",
    "shapes_of",
]

_LIBRARY_NAMES = {"unet": "unet", "unetplusplus": "unetplusplus", "attention_unet": "unet", "residual_unet": "unet"}

TRIED_PX = 64
"""Side of the windows on which a network about to be trained is tried."""
_LIBRARY_ERRORS = (AssertionError, AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)
"""How encoders of the library refuse an input."""


@dataclass
class Heads:
    """What a network says of n windows; logits unless told otherwise.

    ``hazard`` (n, hazards, h, w); ``surface`` (n, surface_classes, h, w), positive for artificial; ``characteristics``
    (n, C) in the order of ``samples.BLOCKS``, None where the model has no such head.
    """

    hazard: Tensor
    surface: Tensor
    characteristics: Tensor | None = None


def library_network(
    architecture: str, encoder: str, decoder_channels: tuple[int, ...], in_channels: int, classes: int
) -> Any:
    """An untrained network as segmentation-models-pytorch builds it: ``encoder``, ``decoder``, ``segmentation_head``.

    Raises:
        KeyError, ValueError, RuntimeError: the library cannot build it.
    """
    smp = import_library()
    options: dict[str, Any] = {"decoder_attention_type": "scse"} if architecture == "attention_unet" else {}
    return smp.create_model(
        _LIBRARY_NAMES[architecture],
        encoder_name=encoder,
        encoder_weights=None,
        encoder_depth=len(decoder_channels),
        decoder_channels=decoder_channels,
        in_channels=in_channels,
        classes=classes,
        **options,
    )


class Join(nn.Sequential):
    """Features of trunk and detail (n, c, h, w) side by side -> those that the heads share (n, width, h, w)."""

    def forward(self, trunk: Tensor, detail: Tensor) -> Tensor:  # type: ignore[override]
        return cast(Tensor, super().forward(torch.cat((trunk, detail), dim=1)))  # type: ignore[no-untyped-call]


class HazardNet(nn.Module):
    """A U-Net trunk, a full-resolution detail path beside it, and heads for hazards and for the surface.

    The library's decoder starts from features at half resolution, so a single pixel's spectrum reaches the heads only
    through the detail path: a 1x1 convolution of the planes, joined to the trunk's last features.
    """

    def __init__(self, card: ModelCard) -> None:
        super().__init__()
        width = card.decoder_channels[-1]
        self.trunk = library_network(card.architecture, card.encoder, card.decoder_channels, len(card.planes), 1)
        self.trunk.segmentation_head = nn.Identity()  # the heads below take its place
        self.detail = nn.Sequential(
            nn.Conv2d(len(card.planes), card.detail_channels, 1, bias=False),
            nn.BatchNorm2d(card.detail_channels),
            nn.ReLU(inplace=True),
        )
        self.join: nn.Module = Join(
            nn.Conv2d(width + card.detail_channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        self.hazard_head = nn.Conv2d(width, len(card.hazards), 1)
        self.surface_head = nn.Conv2d(width, card.surface_classes, 1)
        # Of the scene as a whole, from the bottleneck: place, date and sensor.
        bottleneck = int(self.trunk.encoder.out_channels[-1])
        self.characteristics_head = nn.Linear(bottleneck, card.characteristics) if card.characteristics else None
        # What is new since a scene from before; without one it has no part in any answer.
        self.change = ChangeBranch(card.hazards, card.change_channels) if card.change_channels else None
        # Twice as fast as the default order on a CPU.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def features(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """(n, planes, h, w) float32, h and w multiples of 32 -> features (n, width, h, w) that hazard and surface heads
        share, and the bottleneck (n, channels, h / 32, w / 32).
        """
        planes = planes.contiguous(memory_format=torch.channels_last)
        encoded = self.trunk.encoder(planes)
        joined = self.join(self.trunk.decoder(encoded), self.detail(planes))
        return cast(Tensor, joined), cast(Tensor, encoded[-1])

    def forward(self, planes: Tensor) -> Heads:
        """(n, planes, h, w), h and w multiples of 32 -> what all heads say."""
        features, bottleneck = self.features(planes)
        told = self.characteristics_head
        return Heads(
            self.hazard_head(features),
            self.surface_head(features),
            told(bottleneck.mean(dim=(2, 3))) if told is not None else None,
        )

    def hazard_logits(self, planes: Tensor) -> Tensor:
        """(n, planes, h, w) -> hazard logits (n, hazards, h, w), without gradients and without the other heads."""
        with torch.inference_mode():
            return cast(Tensor, self.hazard_head(self.features(planes)[0]))

    def surface_logits(self, planes: Tensor) -> Tensor:
        """(n, planes, h, w) -> surface logits (n, surface_classes, h, w), without gradients and without other heads."""
        with torch.inference_mode():
            return cast(Tensor, self.surface_head(self.features(planes)[0]))

    def restricted_to(self, planes: Sequence[int], equal: Mapping[int, int] | None = None) -> "HazardNet":
        """A copy that takes only these planes; equal to this network where all other planes are zero.

        Args:
            planes: indices of the planes, in their order.
            equal: further planes that are not zero but hold what one of these holds, with that one.
        """
        network = copy.deepcopy(self)
        for convolution in (first_convolution(network.trunk), first_convolution(network.detail)):
            if not planes or not all(0 <= plane < convolution.in_channels for plane in planes):
                raise BadInput(f"Planes {planes} are not some of the network's {convolution.in_channels}.")
            weight = convolution.weight.detach()[:, list(planes)].contiguous(memory_format=torch.channels_last)
            for plane, kept in (equal or {}).items():
                weight[:, list(planes).index(kept)] += convolution.weight.detach()[:, plane]
            convolution.weight = nn.Parameter(weight)
            convolution.in_channels = len(planes)
        return network


def first_convolution(module: nn.Module) -> nn.Conv2d:
    return next(part for part in module.modules() if isinstance(part, nn.Conv2d))


@dataclass
class Model:
    """A loaded model: its card, its network (eval mode, fp32) and where it came from.

    ``kept`` is for backends that were prepared from it and serve the next scene too, ``ready`` for its network as it is
    computed with (``lean.ready_network``).
    """

    card: ModelCard
    network: HazardNet
    folder: str
    weights_sha256: str
    bundled: bool
    kept: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    ready: dict[Any, HazardNet] = field(default_factory=dict, init=False, repr=False, compare=False)

    def unchanged(self) -> bool:
        """Whether the checksums on disk still name the weights that were loaded."""
        return weights_digest(Path(self.folder)) == self.weights_sha256


def build_network(card: ModelCard) -> HazardNet:
    """Untrained network of a card; raises BadInput if the library cannot build it."""
    if card.planes != PLANES:
        raise BadInput(
            f"Model '{card.name}' takes {len(card.planes)} planes, this version makes {len(PLANES)}; "
            "update the plugin or choose another model."
        )
    try:
        return HazardNet(card)
    except (KeyError, ValueError, RuntimeError) as error:
        raise BadInput(
            f"Model '{card.name}' cannot be built from {card.architecture} with encoder {card.encoder} "
            f"({_reason(error)}); choose another model."
        ) from error


def build_to_train(card: ModelCard) -> HazardNet:
    """Untrained network of a card, tried on two small windows, so that an encoder that cannot serve is said at once.

    Raises:
        BadInput: the library cannot build it, or it does not take windows of any size.
    """
    try:
        network = HazardNet(card).eval()
        with torch.no_grad():
            network(torch.zeros((2, len(card.planes), TRIED_PX, TRIED_PX)))
    except _LIBRARY_ERRORS as error:
        raise BadInput(
            f"Encoder '{card.encoder}' cannot be used in {card.architecture} ({_reason(error)}); choose another "
            "encoder, for example resnet18."
        ) from error
    return network.train()


def _reason(error: Exception) -> str:
    """What the library says, in one short line; a name that it does not know comes with a list of all others."""
    if isinstance(error, KeyError):
        return "the library has no encoder of this name"
    return (str(error).splitlines() or [type(error).__name__])[0][:120].rstrip(". ")


def shapes_of(card: ModelCard) -> dict[str, tuple[int, ...]]:
    """Shape of each weight of a card's network; takes no memory for the weights, where the library allows it."""
    import_library()
    try:
        with torch.device("meta"):
            network = build_network(card)
    except BadInput:
        network = build_network(card)
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def load_model(name_or_folder: str) -> Model:
    """Load a bundled or user model by name, or one from a folder.

    Raises BadInput for a model that is not found, too large, damaged, tampered with, or of other tensors than its card.
    """
    folder = find_model(name_or_folder)
    card = read_card(folder)
    content = read_checked(folder, WEIGHTS, WEIGHTS_LIMIT_BYTES)
    try:
        tensors = tensors_from_bytes(content)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise BadInput(
            f"{WEIGHTS} of model {folder} is not a safetensors file ({str(error)[:80]}); copy the model's folder again."
        ) from None
    network = build_network(card)
    expected = network.state_dict()
    if card.parent is not None and set(tensors) < set(expected):
        tensors = {**_tensors_of_parent(card, folder), **tensors}
    for name, tensor in expected.items():
        if name not in tensors:
            raise BadInput(f"Model {folder} lacks the weights '{name}'; copy the model's folder again.")
        if tensors[name].shape != tensor.shape or tensors[name].is_floating_point() != tensor.is_floating_point():
            raise BadInput(
                f"Weights '{name}' of model {folder} have the shape {tuple(tensors[name].shape)}, "
                f"expected {tuple(tensor.shape)}; copy the model's folder again."
            )
        if not torch.isfinite(tensors[name]).all():
            raise BadInput(f"Weights '{name}' of model {folder} are not all finite; copy the model's folder again.")
    extra = sorted(set(tensors) - set(expected))
    if extra:
        raise BadInput(f"Model {folder} has weights '{extra[0][:80]}' that its card has no place for; is it a model?")
    network.load_state_dict({name: tensor.to(expected[name].dtype) for name, tensor in tensors.items()})
    network.eval()
    network.requires_grad_(False)
    return Model(card, network, str(folder), hashlib.sha256(content).hexdigest(), is_bundled(folder))


def require_runs(model: Model) -> None:
    """Raise BadInput unless the network answers a small window of the sides that its card promises to take."""
    multiple = model.card.window_multiple
    side = next(count * multiple for count in range(1, 10_000, 2) if count * multiple >= 64)
    try:
        answer = model.network.hazard_logits(torch.zeros((1, len(PLANES), side, side)))
        runs = answer.shape == (1, len(model.card.hazards), side, side) and bool(torch.isfinite(answer).all())
    except RuntimeError:
        runs = False
    if not runs:
        raise BadInput(
            f"Model '{model.card.name}' gives no answer for a window of {side} x {side} pixels, as its card promises; "
            "its architecture, channels or window_multiple cannot be used."
        )


def _tensors_of_parent(card: ModelCard, folder: Path) -> dict[str, Tensor]:
    """Weights of the model that an adapted one was made from; raises BadInput unless it is there, as it was."""
    parent = find_parent(card, folder)
    if parent is None:
        raise BadInput(
            f"Model {folder} was adapted from '{card.parent}', which is not found as it was then; install that model."
        )
    return dict(load_model(str(parent)).network.state_dict())


def save_adapted(changed: Mapping[str, Tensor], card: ModelCard, folder: str | Path) -> None:
    """Write an adapted model: the tensors that differ from its parent's, as they are, with card and checksums.

    Raises BadInput if the folder cannot be written.
    """
    weights = {name: tensor.detach().contiguous().cpu() for name, tensor in changed.items()}
    _write_files(Path(folder), {WEIGHTS: tensors_to_bytes(weights), CARD: card_to_json(card).encode("utf-8")})


def save_model(network: HazardNet, card: ModelCard, folder: str | Path) -> None:
    """Write ``card.json``, ``weights.safetensors`` (fp16) and ``SHA256SUMS``, each renamed when complete.

    Raises BadInput if the folder cannot be written.
    """
    weights = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous().cpu()
        for name, tensor in network.state_dict().items()
    }
    _write_files(Path(folder), {WEIGHTS: tensors_to_bytes(weights), CARD: card_to_json(card).encode("utf-8")})


def save_card(card: ModelCard, folder: str | Path) -> None:
    """Replace the card of the model in ``folder``; its weights stay as they are."""
    weights = read_checked(folder, WEIGHTS, WEIGHTS_LIMIT_BYTES)
    _write_files(Path(folder), {WEIGHTS: weights, CARD: card_to_json(card).encode("utf-8")})


def _write_files(folder: Path, files: dict[str, bytes]) -> None:
    if len(files[CARD]) > CARD_LIMIT_BYTES:
        raise BadInput(f"The card has {len(files[CARD])} bytes, at most {CARD_LIMIT_BYTES} fit; shorten it.")
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in {**files, CHECKSUMS: sums.encode("ascii")}.items():
            (folder / f".{name}.partial").write_bytes(content)
        for name in (*files, CHECKSUMS):
            os.replace(folder / f".{name}.partial", folder / name)
    except OSError as error:
        for name in (*files, CHECKSUMS):
            with contextlib.suppress(OSError):
                os.remove(folder / f".{name}.partial")
        raise BadInput(f"The model cannot be written to {folder} ({error.strerror}); choose another folder.") from None
